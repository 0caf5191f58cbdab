# SPDX-License-Identifier: Apache-2.0
"""The load line: every figure at its place, the same bytes each time, and nothing in it that a page could run."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.assess.model import IndicatorFinding, Reading, ThresholdFinding
from tidegate.policy.model import Line
from tidegate.publish.chart import COLOURS, FARTHEST, SHAPES, load_line_spec, load_line_svg, load_lines, on_scale

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("value", "line", "expected"),
    [
        (20, Line(value=20), 1.0),
        (10, Line(value=20, crossed_when=">"), 0.5),
        (20, Line(value=20, crossed_when="<="), 1.0),
        (30, Line(value=20, crossed_when="<"), 0.5),
        (0, Line(value=20, crossed_when="<"), 2.0),
        (1, Line(value=0), None),
        (1, Line(value=-3), None),
    ],
)
def test_line_stands_at_one(value, line, expected):
    assert on_scale(value, line) == expected


@given(st.floats(0, 1e6), st.floats(1e-3, 1e6), st.sampled_from([">=", ">", "<=", "<"]))
def test_right_of_the_line_is_always_the_concerning_side(value, edge, operator):
    line = Line(value=edge, crossed_when=operator)
    x = on_scale(value, line)
    if abs(x - 1) > 1e-12:
        assert (x > 1) == line.is_crossed_by(value)


def test_rows_carry_figure_interval_and_state(plain_case):
    rows = {row.label: row for row in load_lines(plain_case.assessment.model("m")).rows}
    assert rows["suite"].mark == "ruled_out"
    assert rows["suite"].x == pytest.approx(0.25)
    assert rows["suite"].reach == pytest.approx(2.5)
    assert rows["suite"].low < rows["suite"].x < rows["suite"].high < 1
    assert (rows["trial"].mark, rows["trial"].low, rows["trial"].high) == ("crosses", None, None)
    assert rows["range"].x == pytest.approx(2 - 0.98 / 0.9)
    assert rows["range"].low < rows["range"].x < rows["range"].high
    assert rows["agent"].mark == "undetermined"
    assert rows["agent"].told == "agent, solved: 0.1; line ≥ 0.2; no interval; does not decide"
    assert rows["range"].result == "0.98; line ≤ 0.9"


def test_thresholds_can_be_chosen_and_named(plain_case):
    found = load_lines(plain_case.assessment.model("m"), ("CYB",), with_name=True)
    assert [row.group for row in found.rows] == ["Model M: CYB Cyber operations"]


def test_figures_without_a_scale_are_listed(plain_case):
    reading = Reading(evidence="e", value=0.3, crosses=True)
    indicator = IndicatorFinding(
        indicator="i",
        evaluation="delta",
        rule_out=Line(value=0.0),
        unit="score",
        finding="not_ruled_out",
        readings=(reading,),
    )
    finding = ThresholdFinding(
        threshold="T",
        title="T",
        kind="threshold",
        domain="d",
        finding="not_ruled_out",
        reasons=(),
        indicators=(indicator,),
    )
    model = plain_case.assessment.models[0].model_copy(update={"thresholds": (finding,)})
    assert load_lines(model) == ((), ("delta: 0.3; line ≥ 0",))


def values(spec):
    return (
        [value for data in spec["datasets"].values() for value in data]
        if "datasets" in spec
        else [value for layer in spec["layer"] for value in layer["data"]["values"] if "told" in value]
    )


def test_what_lies_beyond_the_scale_is_drawn_at_its_end_as_an_arrow(plain_case):
    row = load_lines(plain_case.assessment.model("m")).rows[0]
    far, near = row._replace(x=9.0, high=12.0), row._replace(x=-1.0, low=-2.0, reach=1.5)
    drawn = {value["shape"]: value for value in values(load_line_spec([far, near]))}
    assert drawn["beyond"]["x"] == drawn["beyond"]["high"] == 400
    assert "reach" not in drawn["beyond"]
    assert (drawn["ruled_out"]["x"], drawn["ruled_out"]["low"], drawn["ruled_out"]["reach"]) == (
        0,
        0,
        400 / FARTHEST * 1.5,
    )


def test_same_rows_give_the_same_bytes(plain_case):
    rows = [row for model in plain_case.assessment.models for row in load_lines(model, with_name=True).rows]
    first = load_line_svg(rows, "Load lines")
    assert first == load_line_svg(rows, "Load lines")
    root = ET.fromstring(first)
    assert root.tag == f"{SVG}svg"
    assert root.find(f"{SVG}title").text == root.get("aria-label") == "Load lines"
    assert {"Model M: BIO Help with weapons", "Model N: BIO Help with weapons"} <= {
        element.text for element in root.iter(f"{SVG}text")
    }


def test_points_have_tooltips_colours_and_shapes(plain_case):
    svg = load_line_svg(load_lines(plain_case.assessment.model("m")).rows, "x")
    root = ET.fromstring(svg)
    points = [element for element in root.iter() if element.get("aria-roledescription") == "point"]
    assert len(points) == 4
    assert [point.find(f"{SVG}title").text for point in points] == [point.get("aria-label") for point in points]
    assert {point.get("fill") for point in points} == set(COLOURS.values())
    assert len({point.get("d") for point in points}) == len(SHAPES)
    assert 'fill="currentColor"' in svg


def test_chart_holds_nothing_that_runs_or_loads(hostile_case):
    rows = load_lines(hostile_case.assessment.model("m")).rows
    svg = load_line_svg(rows, rows[0].group)
    root = ET.fromstring(svg)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "g", "path", "line", "text", "title", "rect", "defs", "clipPath"}
    for element in root.iter():
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert "href" not in name
            assert "url(" not in value
    assert not re.search("[\x00\x07\x1b\x9b\u202e]", svg)


def test_no_rows_still_give_a_chart():
    ET.fromstring(load_line_svg([], "nothing"))

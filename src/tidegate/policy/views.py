# SPDX-License-Identifier: Apache-2.0
"""Policies and comparisons for people: graphs as D2 and Mermaid, an outline, a comparison as Markdown."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tidegate.kernel.errors import AssessError, Problem, Where
from tidegate.policy.changes import (
    DIMENSIONS,
    OUTCOMES,
    AccountEntry,
    Outcome,
    PolicyDiff,
    Row,
    change_words,
    flags,
    group_name,
    shown_value,
)
from tidegate.policy.clauses import Clause, Facet, clauses_of
from tidegate.policy.load import LoadedPolicy
from tidegate.policy.model import Policy, Requirement, Threshold

NodeKind = Literal["baseline", "threshold", "requirement", "standard", "safeguard", "security level", "criterion"]


@dataclass(frozen=True, slots=True)
class Node:
    """An item in the graph of a policy."""

    key: str
    """Kind and id: unique in the graph."""
    kind: NodeKind
    label: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A relation between two items."""

    start: str
    end: str
    label: str = ""
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    """Which threshold requires which standards, and what those consist of."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


# --- the graph -------------------------------------------------------------------------------------


def graph(policy: Policy, only: str | None = None) -> Graph:
    """Give the graph threshold → requirement → standard → criteria.

    Args:
        policy: the policy.
        only: id or alias of one threshold, to show just what hangs on it.

    Raises:
        AssessError: ASM002, there is no such threshold.
    """
    chosen = policy.thresholds
    if only is not None:
        threshold = policy.threshold(only)
        if threshold is None:
            known = ", ".join(threshold.id for threshold in policy.thresholds)
            raise AssessError(
                Problem("ASM002", f"{policy.label} has no threshold {only!r}", None, f"thresholds: {known}")
            )
        chosen = (threshold,)
    nodes: dict[str, Node] = {}
    edges: dict[Edge, None] = {}
    if only is None and policy.baseline:
        _add_requirements(policy, policy.baseline, _node(nodes, "baseline", "every model", ""), nodes, edges)
    for threshold in chosen:
        _add_threshold(policy, threshold, nodes, edges)
    return Graph(policy.label, tuple(nodes.values()), tuple(edges))


def _add_threshold(policy: Policy, threshold: Threshold, nodes: dict[str, Node], edges: dict[Edge, None]) -> None:
    key = _node(nodes, "threshold", threshold.id, threshold.title)
    for name in threshold.rules_out:
        other = policy.threshold(name)
        edges[Edge(key, _node(nodes, "threshold", name, other.title if other else ""), "rules out", dashed=True)] = None
    _add_requirements(policy, threshold.requirements, key, nodes, edges)


def _add_requirements(
    policy: Policy, requirements: tuple[Requirement, ...], key: str, nodes: dict[str, Node], edges: dict[Edge, None]
) -> None:
    for requirement in requirements:
        actions = ", ".join(action.replace("_", " ") for action in requirement.actions)
        required = _node(nodes, "requirement", requirement.id, requirement.title or requirement.kind.replace("_", " "))
        edges[Edge(key, required, f"{requirement.force or 'must'}: {actions}", dashed=not requirement.binds)] = None
        _add_targets(policy, requirement, required, nodes, edges)


def _add_targets(
    policy: Policy, requirement: Requirement, key: str, nodes: dict[str, Node], edges: dict[Edge, None]
) -> None:
    if requirement.kind == "standard" and requirement.target:
        edges[Edge(key, _add_standard(policy, requirement.target, nodes, edges))] = None
    if requirement.kind == "safeguard" and requirement.target:
        title = next((item.title for item in policy.safeguards if item.id == requirement.target), "")
        edges[Edge(key, _node(nodes, "safeguard", requirement.target, title))] = None
    level = next((item for item in policy.security_levels if item.id == requirement.security_level), None)
    if level is not None:
        node = _node(nodes, "security level", level.id, level.title)
        edges[Edge(key, node)] = None
        if level.standard is not None:
            edges[Edge(node, _add_standard(policy, level.standard, nodes, edges))] = None


def _add_standard(policy: Policy, name: str, nodes: dict[str, Node], edges: dict[Edge, None]) -> str:
    known = policy.standards_by_id.get(name)
    if f"standard {name}" in nodes or known is None:
        return _node(nodes, "standard", name, known.title if known else "")
    key = _node(nodes, "standard", name, known.title)
    for criterion in known.criteria:
        _node(nodes, "criterion", criterion.id, criterion.title)
    for criterion in known.criteria:
        parent = f"criterion {criterion.parent}"
        inside = parent if criterion.parent is not None and parent in nodes else key
        edges[Edge(inside, f"criterion {criterion.id}", dashed=not criterion.binds)] = None
    for other in known.includes:
        edges[Edge(key, _add_standard(policy, other, nodes, edges), "includes")] = None
    return key


def _node(nodes: dict[str, Node], kind: NodeKind, name: str, title: str) -> str:
    key = f"{kind} {name}"
    nodes.setdefault(key, Node(key, kind, f"{name}\n{title}" if title else name))
    return key


_D2_SHAPES: dict[NodeKind, str] = {
    "baseline": "oval",
    "threshold": "hexagon",
    "requirement": "rectangle",
    "standard": "package",
    "safeguard": "package",
    "security level": "package",
    "criterion": "page",
}
_MERMAID_SHAPES: dict[NodeKind, tuple[str, str]] = {
    "baseline": ("([", "])"),
    "threshold": ("{{", "}}"),
    "requirement": ("[", "]"),
    "standard": ("[[", "]]"),
    "safeguard": ("[[", "]]"),
    "security level": ("[[", "]]"),
    "criterion": ("(", ")"),
}


def d2(shown: Graph) -> str:
    """Give the graph as D2 text."""
    names = {node.key: f"n{number}" for number, node in enumerate(shown.nodes)}
    lines = [f"# {' '.join(shown.title.split())}", "direction: right"]
    lines += [f"{names[node.key]}: {_d2_text(node.label)} {{shape: {_D2_SHAPES[node.kind]}}}" for node in shown.nodes]
    for edge in shown.edges:
        style = " {style.stroke-dash: 4}" if edge.dashed else ""
        label = f": {_d2_text(edge.label)}" if edge.label else ":" if style else ""
        lines.append(f"{names[edge.start]} -> {names[edge.end]}{label}{style}")
    return "\n".join(lines) + "\n"


def _d2_text(text: str) -> str:
    # Within double quotes D2 still replaces ${...}, so a dollar sign is escaped too.
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return '"' + "\\n".join(line.strip() for line in escaped.splitlines()) + '"'


def mermaid(shown: Graph) -> str:
    """Give the graph as Mermaid flowchart text."""
    names = {node.key: f"n{number}" for number, node in enumerate(shown.nodes)}
    lines = ["flowchart LR", f"  %% {' '.join(shown.title.split())}"]
    for node in shown.nodes:
        before, after = _MERMAID_SHAPES[node.kind]
        lines.append(f"  {names[node.key]}{before}{_mermaid_text(node.label)}{after}")
    for edge in shown.edges:
        arrow = "-.->" if edge.dashed else "-->"
        label = f"|{_mermaid_text(edge.label)}|" if edge.label else ""
        lines.append(f"  {names[edge.start]} {arrow}{label} {names[edge.end]}")
    return "\n".join(lines) + "\n"


def _mermaid_text(text: str) -> str:
    # Mermaid reads #name; and #number; as characters, HTML in labels as HTML, and %%{...}%% anywhere as a directive.
    replacements = {"#": "#35;", '"': "#quot;", "&": "#amp;", "<": "#lt;", ">": "#gt;", "`": "#96;"}
    replacements |= {"%": "#37;", "{": "#123;", "}": "#125;"}
    escaped = "".join(replacements.get(character, character) for character in text)
    return '"' + "<br>".join(line.strip() for line in escaped.splitlines()) + '"'


# --- the outline -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """An item of a policy with the fields that it gives."""

    id: str
    kind: str
    title: str
    text: str
    depth: int
    """0 for an item of the policy, 1 for a part of one."""
    fields: tuple[tuple[str, str], ...]
    """Path of each field that is given, with its value in words."""
    where: Where


@dataclass(frozen=True, slots=True)
class Outline:
    """A policy's heads and items, in document order."""

    heads: tuple[tuple[str, str], ...]
    entries: tuple[OutlineEntry, ...]

    def to_json(self) -> dict[str, Any]:
        """Give the outline as plain data."""
        return {
            "heads": dict(self.heads),
            "entries": [{**asdict(entry), "fields": dict(entry.fields)} for entry in self.entries],
        }


def outline(loaded: LoadedPolicy) -> Outline:
    """Give what a policy holds, item by item, with the place of each."""
    items = loaded.policy.located_items()
    texts = {("domain" if path[0] == "domains" else "item", item.id): item.text for path, item in items}
    entries = tuple(
        OutlineEntry(
            id=clause.id,
            kind=clause.kind,
            title=clause.title,
            text=texts[clause.key],
            depth=int(any(key[0] == "item" for key in clause.within)),
            fields=tuple(_given(clause)),
            where=clause.where,
        )
        for clause in clauses_of(loaded)
        if clause.kind != "policy"
    )
    return Outline(tuple(_heads(loaded.policy)), entries)


def _heads(policy: Policy) -> Iterator[tuple[str, str]]:
    yield "policy", policy.label
    yield "digest", policy.digest
    for name in ("title", "publisher", "kind", "status", "effective", "ended", "supersedes", "preregistration"):
        value = getattr(policy, name)
        if value is not None:
            yield name, str(value).replace("_", " ")
    if policy.scope.text:
        yield "scope", policy.scope.text


def _given(clause: Clause) -> Iterator[tuple[str, str]]:
    for facet in clause.facets:
        if facet.name not in ("text", "within") and not _is_default(facet):
            yield facet.name, shown_value(facet.shown)


def _is_default(facet: Facet) -> bool:
    return facet.shown in (None, False, [], 0, "")


# --- a comparison as Markdown ----------------------------------------------------------------------

_HEADINGS: dict[Outcome, str] = {
    "weakened": "Weakened",
    "removed": "Removed",
    "relocated": "Relocated",
    "strengthened": "Strengthened",
    "added": "Added",
    "retained": "Retained, words differ",
}
_FINDINGS = {
    "agrees": "agrees with the comparison",
    "no_direction": "names changed clauses and no direction",
    "differs": "states another direction than the comparison finds",
    "no_change_found": "names clauses in which no change was found",
    "names_nothing": "names no clause, so it announces no change",
    "unknown_clauses": "names only clauses that neither version has",
}


def render_markdown(found: PolicyDiff) -> str:
    """Give a comparison as a Markdown page: figures first, then every material change with its reasons."""
    parts = [f"# {_cell(found.old.label)} → {_cell(found.new.label)}", "\n".join(_summary(found))]
    parts += [_outcome_table(found), _dimension_table(found)]
    for outcome in OUTCOMES:
        groups = [group for group in found.groups() if group[0].outcome == outcome]
        groups = [group for group in groups if group[0].is_material or any(row.text_differs for row in group)]
        if groups:
            parts += [f"## {_HEADINGS[outcome]} ({sum(map(len, groups))})", _groups_table(groups)]
    parts += _account_part(found)
    if found.notes:
        notes = "\n".join(f"- {_cell(str(note.where))}: {_cell(note.message)}" for note in found.notes)
        parts += ["## Statements about items that the earlier version does not have", notes]
    if found.suggestions:
        parts += ["## Perhaps the same clause", "\n".join(_suggested(found))]
    return "\n\n".join(parts) + "\n"


def _summary(found: PolicyDiff) -> Iterator[str]:
    counts = found.counts_by_outcome()
    lost = counts["weakened"] + counts["removed"] + counts["relocated"]
    traced = lost + counts["strengthened"]
    changes = "1 material change" if len(found.material) == 1 else f"{len(found.material)} material changes"
    yield f"{changes} in {len(found.rows)} clauses."
    if traced:
        yield f"Of {traced} changes to what the earlier version said, {lost} weaken, remove or relocate it."
    mixed = sum(row.both_directions for row in found.rows)
    if mixed:
        yield f"{mixed} of the weakened clauses were strengthened in another respect."
    unclear = sum(row.direction_unclear for row in found.rows)
    if unclear:
        yield f"{unclear} count as weakened because a value was replaced and no person has coded the direction."
    if found.silent_rate_strict is None or found.silent_rate_lenient is None:
        if found.material:
            yield "The new version gives no account of this revision, so no silent revision rate is defined."
        return
    yield (
        f"Silent revision rate: {found.silent_rate_strict:.1%} strict (partly announced counts as silent), "
        f"{found.silent_rate_lenient:.1%} lenient."
    )


def _outcome_table(found: PolicyDiff) -> str:
    statuses = tuple(found.counts_by_announcement())
    lines = [_line("Outcome", "Clauses", *(status.replace("_", " ") for status in statuses)), _rule(2 + len(statuses))]
    for outcome, count in found.counts_by_outcome().items():
        own = [row.announcement.status for row in found.rows if row.outcome == outcome and row.announcement]
        cells = (str(own.count(status)) if outcome != "retained" else "" for status in statuses)
        lines.append(_line(outcome, str(count), *cells))
    return "\n".join(lines)


def _dimension_table(found: PolicyDiff) -> str:
    counts = found.counts_by_dimension()
    material = [outcome for outcome in OUTCOMES if outcome != "retained"]
    lines = [_line("Dimension", *material, "of these not fully announced"), _rule(2 + len(material))]
    for name in DIMENSIONS:
        open_ = sum(name in row.dimensions for row in found.unaccounted)
        lines.append(_line(name, *(str(counts[name][outcome]) for outcome in material), str(open_)))
    return "\n".join(lines)


def _groups_table(groups: list[tuple[Row, ...]]) -> str:
    lines = [_line("Clause", "Dimensions", "What changed", "Why this code", "Account", "Where"), _rule(6)]
    for group in groups:
        row = group[0]
        sides = [side for side in (row.old, *row.new) if side is not None]
        title = next((side.title for side in reversed(sides) if side.title), "")
        remarks = f" ({', '.join(flags(row))})" if flags(row) else ""
        account = f"{row.announcement.status.replace('_', ' ')}: {row.announcement.why}" if row.announcement else ""
        where = " → ".join(str(side.where) for side in sides)
        name = ": ".join(part for part in (group_name(group), title) if part)
        changed, why = "; ".join(change_words(group, readings=False)), "; ".join(row.reasons)
        lines.append(_line(name + remarks, ", ".join(row.dimensions), changed, why, account, where))
    return "\n".join(lines)


def _account_part(found: PolicyDiff) -> list[str]:
    entries = [entry for entry in found.account if entry.finding != "other_revision"]
    if not entries:
        return []
    lines = [_line("Entry", "Says", "Finding", "Where"), _rule(4)]
    lines += [_line(str(entry.number + 1), entry.summary, _finding(entry), str(entry.where)) for entry in entries]
    return ["## The policy's own account", "\n".join(lines)]


def _finding(entry: AccountEntry) -> str:
    unknown = f"; unknown here: {', '.join(entry.unknown)}" if entry.unknown else ""
    return (f"{entry.kind}: " if entry.kind else "") + _FINDINGS[entry.finding] + unknown


def _suggested(found: PolicyDiff) -> Iterator[str]:
    yield "The words are alike; add `was` in the new version if they are the same, and the fields will be compared."
    for item in found.suggestions:
        yield f"- {_cell(item.old.id)} → {_cell(item.new.id)} ({item.similarity:.0%} of the words)"


def _line(*cells: str) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _rule(columns: int) -> str:
    return "|" + " --- |" * columns


def _cell(text: str) -> str:
    """Give text that no Markdown reader takes for markup or for the end of a cell."""
    escaped = "".join(f"\\{character}" if character in "\\`*[]|" else character for character in text)
    return " ".join(escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())

# SPDX-License-Identifier: Apache-2.0
"""Two versions of a policy compared by meaning, and the policy's own account of the change audited.

Outcomes, dimensions and announcement codes follow the published codebook for framework revisions
(Zhu, Silent Revision, 2026, arXiv 2609.08789, codebook v0.2, sections 4 to 6 and 11):
a change with both directions counts as weakened, relocation counts as material, and an account that names a
clause without the direction of its change announces it only in part.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from tidegate.policy.account import Account, account_entries, announced
from tidegate.policy.changes import (
    DIMENSIONS,
    OUTCOMES,
    FacetChange,
    Outcome,
    PolicyDiff,
    Reading,
    Row,
    Suggestion,
    TableRow,
    Version,
    side_of,
)
from tidegate.policy.clauses import DOCUMENT, Clause, Key
from tidegate.policy.facets import changes_of
from tidegate.policy.lineage import Link, Links, linked
from tidegate.policy.load import LoadedPolicy, refuse_label_reuse
from tidegate.policy.model import Dimension, Lineage, Relocation

__all__ = ["DIMENSIONS", "OUTCOMES", "Outcome", "PolicyDiff", "Row", "TableRow", "diff"]

SUGGEST_SIMILARITY = 0.6
"""Share of matching words from which a removed and an added clause are suggested to be one."""

_SEVERITY: Mapping[str, int] = {"retained": 0, "strengthened": 1, "weakened": 2, "relocated": 3}


def diff(old: LoadedPolicy, new: LoadedPolicy, *, suggest: bool = False) -> PolicyDiff:
    """Code what became of every clause of `old` in `new`.

    Clauses are brought together by the lineage that the new version states (``was``), then by its list of
    relocated items, then by equal ids. Statements that stand in `old` already are about an earlier revision
    and are passed over.

    Args:
        old: the earlier version.
        new: the later version.
        suggest: also list removed and added clauses whose words are alike; this changes no code.

    Raises:
        PolicyError: POL004, one label stands for two different contents.
    """
    refuse_label_reuse((old, new))
    links = linked(old, new)
    rows = [*_rows_of_old(links), *_rows_of_added(links)]
    account = Account.of(old, new, rows)
    audited = [announced(row, account) for row in rows]
    return PolicyDiff(
        old=_version(old),
        new=_version(new),
        rows=tuple(sorted(audited, key=_reading_order)),
        account=tuple(account_entries(new, account, audited)),
        notes=tuple(links.notes),
        suggestions=tuple(_suggestions(links)) if suggest else (),
    )


def _version(loaded: LoadedPolicy) -> Version:
    return Version(loaded.policy.label, loaded.policy.version_id, loaded.document.file)


def _reading_order(row: Row) -> tuple[int, int, int]:
    urgency: tuple[str, ...] = ("silent", "no_account", "partially_announced", "announced")
    status = urgency.index(row.announcement.status) if row.announcement else 0
    return (OUTCOMES.index(row.outcome), status, int(not row.text_differs) if row.outcome == "retained" else 0)


# --- what became of a clause -----------------------------------------------------------------------


def _rows_of_old(links: Links) -> Iterator[Row]:
    for key, clause in links.old.items():
        found = links.successors.get(key, [])
        if found:
            yield _continued(clause, found, links)
        else:
            yield _gone(clause, links.relocations.get(key))


def _rows_of_added(links: Links) -> Iterator[Row]:
    continued = {link.new.key for found in links.successors.values() for link in found}
    for clause in links.new.values():
        if clause.key not in continued:
            reason = "no clause of the earlier version became this one"
            yield _row("added", None, (clause,), dimensions=(clause.home,), reasons=(reason,))


def _gone(clause: Clause, relocation: Relocation | None) -> Row:
    if relocation is None:
        return _row("removed", clause, (), dimensions=(clause.home,), reasons=("the new version has no counterpart",))
    reading = Reading("relocated", (), relocation.reason, softer_than_computed=False)
    reason = f"listed as relocated to {relocation.to}" + (f": {relocation.reason}" if relocation.reason else "")
    row = _row("relocated", clause, (), dimensions=(clause.home,), reasons=(reason,))
    return replace(row, basis="read", match="relocated", readings=(reading,), relocated_to=relocation.to)


def _continued(old: Clause, found: list[Link], links: Links) -> Row:
    successors = tuple(link.new for link in found)
    merged = _merged_with(old, successors, links)
    changes = tuple(changes_of(old, successors, merged, links))
    relocation = links.relocations.get(old.key)
    read = _read(found, relocation)
    code = _code(changes, found, relocation)
    computed = {change.dimension for change in changes if change.way != "wording"}
    named = computed | {dimension for lineage in read for dimension in lineage.dimensions}
    if not named and code.outcome == "relocated":
        named = {old.home}
    row = _row(
        code.outcome,
        old,
        successors,
        dimensions=tuple(dimension for dimension in DIMENSIONS if dimension in named)
        if code.outcome != "retained"
        else (),
        reasons=tuple(_reasons(changes, read, code, relocation)),
    )
    return replace(
        row,
        basis=code.basis,
        match=found[0].how,
        changes=changes,
        both_directions=code.both_directions,
        direction_unclear=code.unclear,
        text_differs=any(change.way == "wording" for change in changes),
        readings=tuple(_reading(lineage, code.computed) for lineage in read),
        relocated_to=relocation.to if relocation else _other_document(changes),
        merged_with=tuple(clause.id for clause in merged),
    )


def _merged_with(old: Clause, successors: tuple[Clause, ...], links: Links) -> tuple[Clause, ...]:
    found = {other.key: other for clause in successors for other in links.predecessors(clause.key)}
    return tuple(other for key, other in found.items() if key != old.key)


def _row(
    outcome: Outcome,
    old: Clause | None,
    new: tuple[Clause, ...],
    *,
    dimensions: tuple[Dimension, ...],
    reasons: tuple[str, ...],
) -> Row:
    clause = old or new[0]
    return Row(
        outcome=outcome,
        basis="computed",
        match=None,
        old=side_of(old) if old else None,
        new=tuple(map(side_of, new)),
        within=tuple(key[1] for key in clause.within),
        dimensions=dimensions,
        changes=(),
        both_directions=False,
        direction_unclear=False,
        text_differs=False,
        readings=(),
        relocated_to=None,
        merged_with=(),
        reasons=reasons,
    )


# --- the code of a row -----------------------------------------------------------------------------


class _Code(NamedTuple):
    outcome: Outcome
    basis: Literal["computed", "read"]
    computed: Outcome
    """What the typed fields alone show; an unclear direction counts as weakened until a person codes it."""
    both_directions: bool
    unclear: bool


def _read(found: list[Link], relocation: Relocation | None) -> tuple[Lineage, ...]:
    read = [link.lineage for link in found if link.lineage is not None and link.lineage.outcome is not None]
    if relocation is not None:
        read.append(Lineage(id=relocation.id, outcome="relocated", reason=relocation.reason))
    return tuple(read)


def _is_read(change: FacetChange, found: list[Link]) -> bool:
    """Tell whether a person has coded the link that a change belongs to."""
    return any(
        link.lineage is not None and link.lineage.outcome is not None and change.into in (None, link.new.id)
        for link in found
    )


def _code(changes: tuple[FacetChange, ...], found: list[Link], relocation: Relocation | None) -> _Code:
    read = _read(found, relocation)
    ways = {change.way for change in changes}
    weaker, stronger = bool(ways & {"weaker", "both"}), bool(ways & {"stronger", "both"})
    left = any(change.facet == DOCUMENT and change.way in ("weaker", "unclear") for change in changes)
    unclear = not weaker and any(change.way == "unclear" and not _is_read(change, found) for change in changes)
    computed: Outcome = "retained"
    if left:
        computed = "relocated"
    elif weaker or unclear:
        computed = "weakened"
    elif stronger:
        computed = "strengthened"
    worst = max((lineage.outcome or "retained" for lineage in read), key=_SEVERITY.__getitem__, default=None)
    decided_by_reader = worst is not None and _SEVERITY[worst] > _SEVERITY[computed]
    outcome: Outcome = worst if worst is not None and decided_by_reader else computed
    cleared = "unclear" in ways and not weaker and not unclear and not left
    basis: Literal["computed", "read"] = "read" if decided_by_reader or cleared else "computed"
    return _Code(outcome, basis, computed, stronger and outcome in ("weakened", "relocated"), unclear)


def _reading(lineage: Lineage, computed: Outcome) -> Reading:
    outcome = lineage.outcome or "retained"
    softer = computed in ("weakened", "relocated") and _SEVERITY[outcome] < _SEVERITY["weakened"]
    return Reading(outcome, lineage.dimensions, lineage.reason, softer)


def _other_document(changes: tuple[FacetChange, ...]) -> str | None:
    return next((str(change.new) for change in changes if change.facet == DOCUMENT and change.new), None)


def _reasons(
    changes: tuple[FacetChange, ...], read: tuple[Lineage, ...], code: _Code, relocation: Relocation | None
) -> Iterator[str]:
    for change in changes:
        if change.way != "wording":
            yield f"{change.facet}{f' in {change.into}' if change.into else ''}: {change.why}"
    if code.both_directions:
        yield "both directions: counts as weakened" if code.outcome == "weakened" else "both directions"
    if code.unclear:
        yield "the fields cannot show the direction of a replacement: counts as weakened until a person codes it"
    if relocation is not None:
        yield f"listed as relocated to {relocation.to}"
    for lineage in read:
        verdict = f"read as {lineage.outcome}" + (f": {lineage.reason}" if lineage.reason else "")
        softer = _reading(lineage, code.computed).softer_than_computed
        yield verdict + ("; this does not soften what the fields show" if softer else "")
    if any(change.way == "wording" for change in changes):
        names = sorted({change.facet for change in changes if change.way == "wording"})
        yield f"words differ ({', '.join(names)}): a person should look"
    if not changes and not read:
        yield "no field differs"


# --- suggestions ------------------------------------------------------------------------------------


def _suggestions(links: Links) -> Iterator[Suggestion]:
    continued = {link.new.key for found in links.successors.values() for link in found}
    gone = [
        clause for key, clause in links.old.items() if not links.successors.get(key) and key not in links.relocations
    ]
    come = [clause for key, clause in links.new.items() if key not in continued]
    pairs = sorted(
        (
            (similarity, old, new)
            for old in gone
            for new in come
            if old.kind == new.kind
            and (similarity := _similarity(f"{old.title} {old.text}", f"{new.title} {new.text}")) >= SUGGEST_SIMILARITY
        ),
        key=lambda pair: (-pair[0], pair[1].key, pair[2].key),
    )
    used: set[tuple[str, Key]] = set()
    for similarity, old, new in pairs:
        if ("old", old.key) not in used and ("new", new.key) not in used:
            used |= {("old", old.key), ("new", new.key)}
            yield Suggestion(side_of(old), side_of(new), round(similarity, 3))


def _similarity(old: str, new: str) -> float:
    before, after = re.findall(r"\w+", old.casefold()), re.findall(r"\w+", new.casefold())
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.real_quick_ratio() < SUGGEST_SIMILARITY or matcher.quick_ratio() < SUGGEST_SIMILARITY:
        return 0.0
    return matcher.ratio()

# SPDX-License-Identifier: Apache-2.0
"""Two versions of a policy compared by meaning, and the policy's own account of the change audited.

Outcomes, dimensions and announcement codes follow the published codebook for framework revisions
(Zhu, Silent Revision, 2026, arXiv 2609.08789, codebook v0.2, sections 4 to 6 and 11):
a change with both directions counts as weakened, relocation counts as material, and an account that names a
clause without the direction of its change announces it only in part.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple, get_args

from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import Problem, Where
from tidegate.policy.clauses import DOCUMENT, POLICY_ID, Clause, Facet, Key, Space, clauses_of, plain_words, span_days
from tidegate.policy.load import LoadedPolicy, refuse_label_reuse
from tidegate.policy.model import Change, Dimension, Lineage, Relocation

Outcome = Literal["retained", "strengthened", "weakened", "removed", "relocated", "added"]
"""What became of a clause."""

Way = Literal["weaker", "stronger", "both", "unclear", "wording"]
"""Direction of one facet's change; ``unclear`` where a value was replaced by one that does not compare."""

Status = Literal["announced", "partially_announced", "silent", "no_account"]
"""Whether the policy's own account identifies a change; ``no_account`` if it gives none at all."""

Finding = Literal[
    "agrees", "differs", "no_direction", "no_change_found", "names_nothing", "unknown_clauses", "other_revision"
]
"""How an entry of the account agrees with the comparison."""

DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
OUTCOMES: tuple[Outcome, ...] = ("weakened", "removed", "relocated", "strengthened", "added", "retained")
"""In the order in which a reader wants to see them."""

SUGGEST_SIMILARITY = 0.6
"""Share of matching words from which a removed and an added clause are suggested to be one."""

_SPAN_TOLERANCE = 0.02
"""Durations of unlike units (``P30D`` and ``P1M``) within this share of each other count as equal."""

_ANNOUNCING: Mapping[Outcome, frozenset[str]] = {
    "weakened": frozenset({"weakened", "removed"}),
    "removed": frozenset({"removed"}),
    "relocated": frozenset({"moved", "removed", "weakened"}),
    "strengthened": frozenset({"strengthened", "added"}),
    "added": frozenset({"added", "strengthened"}),
}
"""Kinds of a changelog entry from which a reader learns the direction of the change."""

_UNDIRECTED = frozenset({None, "rewritten"})
"""Kinds of an entry that say no direction, so that they contradict none."""

_SEVERITY: Mapping[str, int] = {"retained": 0, "strengthened": 1, "weakened": 2, "relocated": 3}


@dataclass(frozen=True, slots=True)
class Side:
    """A clause as one version has it."""

    id: str
    kind: str
    title: str
    text: str
    where: Where


@dataclass(frozen=True, slots=True)
class FacetChange:
    """One field whose value changed."""

    facet: str
    """Path of the field within its clause."""
    dimension: Dimension
    way: Way
    old: Any
    new: Any
    why: str
    """The reason for the direction, in words."""
    into: str | None = None
    """The successor it is about, where a clause was split."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A person's coding of a change, taken from the new version's file."""

    outcome: Literal["retained", "strengthened", "weakened", "relocated"]
    dimensions: tuple[Dimension, ...]
    reason: str | None
    softer_than_computed: bool
    """True if the typed fields show more than the person coded; the fields win."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Whether the policy's own account identifies a change."""

    status: Status
    entries: tuple[int, ...]
    """Positions in the changelog of the entries that bear on it, from 0."""
    why: str
    contradicted: bool = False
    """True if an entry states another direction than the one coded here."""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one clause of the old version, or where one of the new version comes from."""

    outcome: Outcome
    basis: Literal["computed", "read"]
    """Whether the outcome follows from the typed fields, or from a person's coding."""
    match: Literal["lineage", "relocated", "same id"] | None
    """How old and new were brought together."""
    old: Side | None
    new: tuple[Side, ...]
    """Several if the clause was split."""
    within: tuple[str, ...]
    """Ids of the items that it is part of."""
    dimensions: tuple[Dimension, ...]
    """Dimensions of the change, computed and read."""
    changes: tuple[FacetChange, ...]
    both_directions: bool
    """True if something was strengthened too; the row counts as weakened all the same."""
    direction_unclear: bool
    """True if a value was replaced by one that does not compare, and no person has coded the change."""
    text_differs: bool
    """True if words changed, so that a person should look."""
    readings: tuple[Reading, ...]
    relocated_to: str | None
    merged_with: tuple[str, ...]
    """Other clauses of the old version that became the same new clause."""
    reasons: tuple[str, ...]
    """Why the row has its code, in words."""
    announcement: Announcement | None = None
    """None for what is not material."""

    @property
    def is_material(self) -> bool:
        """True for every outcome but retained."""
        return self.outcome != "retained"

    @property
    def typed_changes(self) -> tuple[FacetChange, ...]:
        """The changes of more than words."""
        return tuple(change for change in self.changes if change.way != "wording")

    @property
    def id(self) -> str:
        """The old id, or the new one for what was added."""
        return self.old.id if self.old is not None else self.new[0].id


@dataclass(frozen=True, slots=True)
class AccountEntry:
    """One entry of the new version's changelog, and how it agrees with the comparison."""

    number: int
    summary: str
    kind: str | None
    where: Where
    finding: Finding
    unknown: tuple[str, ...]
    """Ids that neither version has."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A removed and an added clause whose words are alike; it changes no code."""

    old: Side
    new: Side
    similarity: float


@dataclass(frozen=True, slots=True)
class Version:
    """One of the two versions compared."""

    label: str
    version_id: str
    file: str


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of the comparison in words, for a terminal."""

    outcome: str
    clause: str
    dimensions: str
    change: str
    account: str
    where: str


@dataclass(frozen=True)
class PolicyDiff:
    """Every clause of both versions, what became of it, and whether the account says so."""

    old: Version
    new: Version
    rows: tuple[Row, ...] = field(repr=False)
    """Material changes first, the unaccounted ones before the others."""
    account: tuple[AccountEntry, ...] = field(repr=False)
    notes: tuple[Problem, ...] = ()
    """Lineages and relocations that name no clause of the old version."""
    suggestions: tuple[Suggestion, ...] = ()

    @property
    def material(self) -> tuple[Row, ...]:
        """Rows that are not retained."""
        return tuple(row for row in self.rows if row.is_material)

    @property
    def unaccounted(self) -> tuple[Row, ...]:
        """Material rows that the account does not fully announce."""
        return tuple(row for row in self.rows if row.announcement and row.announcement.status != "announced")

    @property
    def has_account(self) -> bool:
        """True if the new version gives any account of this revision."""
        return any(entry.finding != "other_revision" for entry in self.account)

    @property
    def silent_rate_strict(self) -> float | None:
        """Share of material changes not fully announced; None without account or material change."""
        return self._rate("silent", "partially_announced")

    @property
    def silent_rate_lenient(self) -> float | None:
        """Share of material changes that the account does not touch at all; None as above."""
        return self._rate("silent")

    def _rate(self, *statuses: Status) -> float | None:
        if not self.has_account or not self.material:
            return None
        counts = self.counts_by_announcement()
        return sum(counts[status] for status in statuses) / len(self.material)

    def counts_by_outcome(self) -> dict[Outcome, int]:
        """Count the rows of each outcome."""
        found = Counter(row.outcome for row in self.rows)
        return {outcome: found[outcome] for outcome in OUTCOMES}

    def counts_by_announcement(self) -> dict[Status, int]:
        """Count the material rows of each announcement status."""
        found = Counter(row.announcement.status for row in self.rows if row.announcement)
        return {status: found[status] for status in get_args(Status)}

    def counts_by_dimension(self) -> dict[Dimension, dict[Outcome, int]]:
        """Count the material rows of each dimension and outcome; a row counts under each of its dimensions."""
        found = Counter((dimension, row.outcome) for row in self.material for dimension in row.dimensions)
        material = [outcome for outcome in OUTCOMES if outcome != "retained"]
        return {dimension: {outcome: found[dimension, outcome] for outcome in material} for dimension in DIMENSIONS}

    def groups(self) -> tuple[tuple[Row, ...], ...]:
        """Give the rows with those together that say one thing, in reading order.

        These are the parts of an item that went or came with it, and clauses that became one in the same way.
        """
        whole = _whole(self.rows)
        found: dict[tuple[Any, ...], list[Row]] = {}
        for row in self.rows:
            found.setdefault(_group_key(row, whole), []).append(row)
        return tuple(tuple(rows) for rows in found.values())

    def table_rows(self, *, retained: bool = False) -> tuple[TableRow, ...]:
        """Give the groups in words; retained clauses only if their words differ, or on request."""
        return tuple(
            _table_row(group)
            for group in self.groups()
            if retained or group[0].is_material or any(row.text_differs for row in group)
        )

    def to_json(self) -> dict[str, Any]:
        """Give the comparison as plain data."""
        return {
            "old": asdict(self.old),
            "new": asdict(self.new),
            "summary": {
                "rows": len(self.rows),
                "material": len(self.material),
                "outcomes": self.counts_by_outcome(),
                "dimensions": self.counts_by_dimension(),
                "announcements": self.counts_by_announcement(),
                "both_directions": sum(row.both_directions for row in self.rows),
                "direction_unclear": sum(row.direction_unclear for row in self.rows),
                "text_differs": sum(row.text_differs for row in self.rows),
                "has_account": self.has_account,
                "silent_revision_rate_strict": self.silent_rate_strict,
                "silent_revision_rate_lenient": self.silent_rate_lenient,
                "unaccounted": [row.id for row in self.unaccounted],
            },
            "rows": [asdict(row) for row in self.rows],
            "account": [asdict(entry) for entry in self.account],
            "notes": [note.to_json() for note in self.notes],
            "suggestions": [asdict(suggestion) for suggestion in self.suggestions],
        }


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
    links = _linked(old, new)
    rows = [*_rows_of_old(links), *_rows_of_added(links)]
    account = _Account.of(old, new, rows)
    audited = [_announced(row, account) for row in rows]
    return PolicyDiff(
        old=_version(old),
        new=_version(new),
        rows=tuple(sorted(audited, key=_reading_order)),
        account=tuple(_account_entries(new, account, audited)),
        notes=tuple(links.notes),
        suggestions=tuple(_suggestions(links)) if suggest else (),
    )


def _version(loaded: LoadedPolicy) -> Version:
    return Version(loaded.policy.label, loaded.policy.version_id, loaded.document.file)


def _reading_order(row: Row) -> tuple[int, int, int]:
    urgency: tuple[str, ...] = ("silent", "no_account", "partially_announced", "announced")
    status = urgency.index(row.announcement.status) if row.announcement else 0
    return (OUTCOMES.index(row.outcome), status, int(not row.text_differs) if row.outcome == "retained" else 0)


# --- which clauses belong together -----------------------------------------------------------------


class _Link(NamedTuple):
    new: Clause
    how: Literal["lineage", "relocated", "same id"]
    lineage: Lineage | None


@dataclass(frozen=True)
class _Links:
    """Which clause of the old version became which of the new."""

    old: Mapping[Key, Clause]
    new: Mapping[Key, Clause]
    successors: defaultdict[Key, list[_Link]]
    relocations: dict[Key, Relocation]
    notes: list[Problem]

    def predecessors(self, key: Key) -> tuple[Clause, ...]:
        return tuple(
            self.old[old] for old, found in self.successors.items() if any(link.new.key == key for link in found)
        )

    def translated(self, space: Space, ids: frozenset[str], wanted: frozenset[str]) -> frozenset[str]:
        """Give old ids as the new version calls them; of several successors those that are wanted."""
        found: set[str] = set()
        for old_id in ids:
            names = {link.new.id for link in self.successors.get((space, old_id), ()) if link.new.key[0] == space}
            found |= (names & wanted) or (set(sorted(names)[:1]) if old_id not in names else {old_id}) or {old_id}
        return frozenset(found)


def _linked(old: LoadedPolicy, new: LoadedPolicy) -> _Links:
    old_clauses = {clause.key: clause for clause in clauses_of(old)}
    new_clauses = {clause.key: clause for clause in clauses_of(new)}
    links = _Links(old_clauses, new_clauses, defaultdict(list), {}, [])
    explained = _link_lineages(links)
    _link_relocations(links, old, new)
    for key, clause in new_clauses.items():
        if key in old_clauses and key not in explained:
            _link(links, key, _Link(clause, "same id", None))
    return links


def _link(links: _Links, old: Key, link: _Link) -> None:
    if all(known.new.key != link.new.key for known in links.successors[old]):
        links.successors[old].append(link)


def _link_lineages(links: _Links) -> set[Key]:
    explained: set[Key] = set()
    for clause in links.new.values():
        carried = links.old[clause.key].was if clause.key in links.old else ()
        for lineage in clause.was:
            if lineage in carried:
                continue
            key = _old_key(links, lineage.id, clause.key[0])
            if key is None:
                _note(links, clause.where, f"{clause.id!r} says that it was {lineage.id!r}", lineage.id)
            else:
                explained.add(clause.key)
                _link(links, key, _Link(clause, "lineage", lineage))
    return explained


def _link_relocations(links: _Links, old: LoadedPolicy, new: LoadedPolicy) -> None:
    for number, relocation in enumerate(new.policy.relocated):
        if relocation in old.policy.relocated:
            continue
        key = _old_key(links, relocation.id, "item")
        if key is None:
            where = new.document.where(("relocated", number))
            _note(links, where, f"{relocation.id!r} is listed as relocated", relocation.id)
            continue
        links.relocations[key] = relocation
        target = links.new.get(("item", relocation.to))
        if target is not None:
            _link(links, key, _Link(target, "relocated", None))


def _old_key(links: _Links, name: str, space: Space) -> Key | None:
    spaces: tuple[Space, ...] = (space, "item", "domain")
    return next((key for key in ((candidate, name) for candidate in spaces) if key in links.old), None)


def _note(links: _Links, where: Where, statement: str, name: str) -> None:
    hint = did_you_mean(name, (clause.id for clause in links.old.values()))
    links.notes.append(Problem("POL002", f"{statement}, which the earlier version does not have", where, hint, "note"))


# --- what became of a clause -----------------------------------------------------------------------


def _rows_of_old(links: _Links) -> Iterator[Row]:
    for key, clause in links.old.items():
        found = links.successors.get(key, [])
        if found:
            yield _continued(clause, found, links)
        else:
            yield _gone(clause, links.relocations.get(key))


def _rows_of_added(links: _Links) -> Iterator[Row]:
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
    return _with(row, basis="read", match="relocated", readings=(reading,), relocated_to=relocation.to)


def _continued(old: Clause, found: list[_Link], links: _Links) -> Row:
    successors = tuple(link.new for link in found)
    merged = _merged_with(old, successors, links)
    changes = tuple(_changes(old, successors, merged, links))
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
    return _with(
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


def _merged_with(old: Clause, successors: tuple[Clause, ...], links: _Links) -> tuple[Clause, ...]:
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
        old=_side(old) if old else None,
        new=tuple(map(_side, new)),
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


def _with(row: Row, **changes: Any) -> Row:
    return Row(**{name: getattr(row, name) for name in Row.__slots__} | changes)


def _side(clause: Clause) -> Side:
    return Side(clause.id, clause.kind, clause.title, clause.text, clause.where)


# --- the code of a row -----------------------------------------------------------------------------


class _Code(NamedTuple):
    outcome: Outcome
    basis: Literal["computed", "read"]
    computed: Outcome
    """What the typed fields alone show; an unclear direction counts as weakened until a person codes it."""
    both_directions: bool
    unclear: bool


def _read(found: list[_Link], relocation: Relocation | None) -> tuple[Lineage, ...]:
    read = [link.lineage for link in found if link.lineage is not None and link.lineage.outcome is not None]
    if relocation is not None:
        read.append(Lineage(id=relocation.id, outcome="relocated", reason=relocation.reason))
    return tuple(read)


def _is_read(change: FacetChange, found: list[_Link]) -> bool:
    """Tell whether a person has coded the link that a change belongs to."""
    return any(
        link.lineage is not None and link.lineage.outcome is not None and change.into in (None, link.new.id)
        for link in found
    )


def _code(changes: tuple[FacetChange, ...], found: list[_Link], relocation: Relocation | None) -> _Code:
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


# --- one facet against another ---------------------------------------------------------------------


def _changes(old: Clause, new: tuple[Clause, ...], merged: tuple[Clause, ...], links: _Links) -> Iterator[FacetChange]:
    for clause in new:
        if clause.kind != old.kind:
            yield _kind_change(old, clause, into=clause.id if len(new) > 1 else None)
    facets = [{facet.name: facet for facet in clause.facets} for clause in new]
    for before in old.facets:
        others = [facet for clause in merged for facet in clause.facets if facet.name == before.name]
        present = [(clause, of[before.name]) for clause, of in zip(new, facets, strict=True) if before.name in of]
        comparable = [(clause, facet) for clause, facet in present if _compares(old, before, clause, facet)]
        if before.order == "cover" and len(comparable) > 1:
            comparable = [(comparable[0][0], _united([facet for _, facet in comparable]))]
            yield from _compared(before, comparable[0][1], others, links, into=None)
            continue
        for clause, after in comparable:
            yield from _compared(before, after, others, links, into=clause.id if len(new) > 1 else None)


def _compares(old: Clause, before: Facet, new: Clause, after: Facet) -> bool:
    if old.kind == new.kind:
        return True
    # Fields of unlike items that merely share a name do not compare.
    return before.order == after.order and before.name not in ("kind", "starts", "within")


def _kind_change(old: Clause, new: Clause, into: str | None) -> FacetChange:
    way: Way = "unclear"
    why = f"a {old.kind} became a {new.kind}"
    if "requirement" in (old.kind, new.kind):
        way = "weaker" if old.kind == "requirement" else "stronger"
        why += ", which closes no gate" if way == "weaker" else ", which can close a gate"
    return FacetChange("kind of clause", "consequence", way, old.kind, new.kind, why, into)


def _united(facets: list[Facet]) -> Facet:
    """Give what the parts of a split clause cover together."""
    members = [facet.value for facet in facets]
    everything = any(not value for value in members)
    shown = [] if everything else list(dict.fromkeys(name for facet in facets for name in facet.shown))
    value = frozenset() if everything else frozenset().union(*members)
    first = facets[0]
    return Facet(first.name, first.dimension, first.order, value, shown, first.space, first.free_text, first.absent)


def _compared(
    old: Facet, new: Facet, elsewhere: list[Facet], links: _Links, *, into: str | None
) -> Iterator[FacetChange]:
    if old.order != new.order:
        found = _unlike(old, new)
    elif old.order in ("more", "less", "keep", "cover", "audience"):
        found = _compare_sets(old, new, elsewhere, links)
    else:
        found = _COMPARE[old.order](old, new, links)
    if found is not None:
        dimension = new.dimension if old.dimension == "threshold" else old.dimension
        yield FacetChange(old.name, dimension, found[0], old.shown, new.shown, found[1], into)


_Found = tuple[Way, str] | None


def _unlike(old: Facet, new: Facet) -> _Found:
    return None if old.value == new.value else ("unclear", "the two values are of unlike kinds")


def _absence(old: Facet, new: Facet) -> _Found:
    """Compare where exactly one value is absent."""
    gone = new.value is None or new.value == frozenset()
    words = "no longer stated" if gone else "now stated"
    if old.absent == "unclear":
        return ("unclear", words)
    return ("weaker" if gone == (old.absent == "weakest") else "stronger", words)


def _compare_numbers(old: Facet, new: Facet, _links: _Links) -> _Found:
    if old.value == new.value:
        return None
    if old.value is None or new.value is None:
        return _absence(old, new)
    rose = new.value > old.value
    if isinstance(old.shown, int | float) and not isinstance(old.shown, bool):
        words = "raised" if rose else "lowered"
    elif old.name == "force":
        words = "a higher step of the ladder of obligation" if rose else "a lower step of the ladder of obligation"
    else:
        words = "binds more than before" if rose == (old.order == "up") else "binds less than before"
    return ("stronger" if rose == (old.order == "up") else "weaker", words)


def _compare_spans(old: Facet, new: Facet, _links: _Links) -> _Found:
    if old.value is None or new.value is None:
        return None if old.value == new.value else _absence(old, new)
    before, after = span_days(old.value), span_days(new.value)
    alike = _is_calendar(old.value) == _is_calendar(new.value)
    if before == after or (not alike and abs(before - after) <= _SPAN_TOLERANCE * max(before, after)):
        return None
    return ("weaker", "longer than before") if after > before else ("stronger", "shorter than before")


def _is_calendar(duration: str) -> frozenset[bool]:
    return frozenset(unit in "YM" for unit in re.findall(r"[YMWD]", duration))


def _compare_lines(old: Facet, new: Facet, _links: _Links) -> _Found:
    if old.value == new.value:
        return None
    if old.value is None or new.value is None:
        return _absence(old, new)
    if old.value[0] != new.value[0]:
        return ("unclear", "the two lines are not about the same measurement or point in opposite directions")
    if new.value[1] > old.value[1]:
        return ("weaker", "more permissive: crossed later than before")
    return ("stronger", "stricter: crossed earlier than before")


def _compare_tiers(old: Facet, new: Facet, _links: _Links) -> _Found:
    if old.value == new.value:
        return None
    if old.value is None or new.value is None:
        return _absence(old, new)
    before, after = old.value[0], new.value[0]
    if before is None or after is None or before == after:
        return ("unclear", "replaced by another of no certain weight")
    return ("weaker", "of less weight than before") if after < before else ("stronger", "of more weight than before")


def _compare_levels(old: Facet, new: Facet, links: _Links) -> _Found:
    if old.value is None or new.value is None:
        return None if old.value == new.value else _absence(old, new)
    (before_id, before), (after_id, after) = old.value, new.value
    if after_id in links.translated("item", frozenset({before_id}), frozenset({after_id})):
        return None
    if before is None or after is None:
        return ("unclear", "replaced by a level that does not compare")
    if before == after:
        return None
    return ("weaker", "a lower level") if after < before else ("stronger", "a higher level")


def _compare_same(old: Facet, new: Facet, links: _Links) -> _Found:
    before, after = old.value, new.value
    if old.space is not None:
        before = links.translated(old.space, before, after)
    if before == after:
        return None
    if not before or not after:
        return _absence(old, new)
    return ("unclear", "replaced; the fields cannot show a direction")


def _compare_prose(old: Facet, new: Facet, _links: _Links) -> _Found:
    if old.value == new.value:
        return None
    if old.value is None or new.value is None:
        loss_weakens = (old.value or new.value)[0]
        return _absence(old, new) if loss_weakens else ("wording", "words were added or dropped")
    return ("wording", "the words differ")


_COMPARE: Mapping[str, Any] = {
    "up": _compare_numbers,
    "down": _compare_numbers,
    "span": _compare_spans,
    "line": _compare_lines,
    "tier": _compare_tiers,
    "level": _compare_levels,
    "same": _compare_same,
    "prose": _compare_prose,
}


def _compare_sets(old: Facet, new: Facet, elsewhere: list[Facet], links: _Links) -> _Found:
    before: frozenset[str] = old.value
    if old.space is not None:
        before = links.translated(old.space, before, new.value)
    after: frozenset[str] = new.value
    if before == after:
        return None
    if old.order == "cover" and not (before and after):
        return ("weaker", "now limited; it covered everything") if after else ("stronger", "now covers everything")
    lost, gained = before - after, after - before
    if old.order == "audience":
        # Who gains the public's access loses nothing by no longer being told apart, and the other way round.
        lost, gained = (frozenset() if "public" in other else own for own, other in ((lost, gained), (gained, lost)))
    if old.order in ("more", "cover", "audience"):
        gained -= _held_elsewhere(old, elsewhere, after, links)
    if old.order == "keep":
        gained = frozenset()
    return _set_change(old, new, lost, gained)


def _held_elsewhere(old: Facet, elsewhere: list[Facet], after: frozenset[str], links: _Links) -> frozenset[str]:
    """Members that a merged clause has from its other predecessors: they are no gain."""
    alike = [facet for facet in elsewhere if facet.order == old.order]
    if old.order == "cover" and not all(facet.value for facet in alike):
        return after
    held = frozenset().union(*(facet.value for facet in alike))
    return links.translated(old.space, held, after) if old.space is not None else held


def _set_change(old: Facet, new: Facet, lost: frozenset[str], gained: frozenset[str]) -> _Found:
    words = "; ".join(
        f"{verb}: {', '.join(_shown(facet, members))}"
        for verb, facet, members in (("lost", old, lost), ("gained", new, gained))
        if members
    )
    if lost and gained:
        # A reworded sentence looks like one lost and one gained, so only a person can tell.
        return ("unclear" if old.free_text else "both", words)
    if not lost and not gained:
        return None
    return ("stronger" if bool(gained) == (old.order != "less") else "weaker", words)


def _shown(facet: Facet, members: frozenset[str]) -> list[str]:
    if facet.free_text:
        return [name for name in facet.shown if plain_words(name) in members]
    return sorted(members)


# --- the policy's own account ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Account:
    """The entries that are about this revision, and which containers came or went as a whole."""

    entries: Mapping[int, Change]
    ids: frozenset[str]
    whole: Mapping[str, Row]
    """Items that were removed, added or relocated: naming one of them names its parts."""

    @classmethod
    def of(cls, old: LoadedPolicy, new: LoadedPolicy, rows: list[Row]) -> "_Account":
        carried = old.policy.changelog
        entries = {
            number: change
            for number, change in enumerate(new.policy.changelog)
            if change not in carried and _is_between(change.version, old.policy.version, new.policy.version)
        }
        sides = [side for row in rows for side in (row.old, *row.new) if side is not None]
        return cls(entries, frozenset({side.id for side in sides} | _POLICY_NAMES), _whole(rows))


_POLICY_NAMES = frozenset({"policy", "scope", POLICY_ID})
"""Names under which a changelog entry may speak of what the policy says about itself."""


def _is_between(version: str | None, old: str, new: str) -> bool:
    """Tell whether an entry's version lies after the old one and not after the new one."""
    if version is None:
        return True
    if version in (old, new):
        return version == new
    numbers = [_numbers(name) for name in (old, version, new)]
    if not all(numbers) or not numbers[0] < numbers[2]:
        return True
    return numbers[0] < numbers[1] <= numbers[2]


def _numbers(version: str) -> tuple[int, ...]:
    found = re.fullmatch(r"v?(\d{1,9}(?:\.\d{1,9}){0,5})", version)
    return tuple(map(int, found.group(1).split("."))) if found else ()


def _announced(row: Row, account: _Account) -> Row:
    if not row.is_material:
        return row
    return _with(row, announcement=_announcement(row, account))


def _announcement(row: Row, account: _Account) -> Announcement:
    if not account.entries:
        return Announcement("no_account", (), "the new version gives no account of this revision")
    names = {side.id for side in (row.old, *row.new) if side is not None}
    if POLICY_ID in names:
        names |= _POLICY_NAMES
    exact = {number: entry for number, entry in account.entries.items() if names & set(entry.clauses)}
    whole = {number: entry for number, entry in account.entries.items() if _names_whole(row, entry, account)}
    exact |= whole
    if exact:
        return _judged(row, exact, whole)
    around = {number for number, entry in account.entries.items() if set(row.within) & set(entry.clauses)}
    if around:
        return Announcement(
            "partially_announced", tuple(sorted(around)), "the account names only the item that it is part of"
        )
    return Announcement("silent", (), "no entry of the account names it")


def _names_whole(row: Row, entry: Change, account: _Account) -> bool:
    return any(
        name in entry.clauses and name in account.whole and account.whole[name].outcome == row.outcome
        for name in row.within
    )


def _judged(row: Row, entries: Mapping[int, Change], whole: Mapping[int, Change]) -> Announcement:
    telling = _ANNOUNCING[row.outcome]
    numbers = tuple(sorted(entries))
    right = {number: entry for number, entry in entries.items() if entry.kind in telling}
    if not right:
        contradicted = any(entry.kind not in _UNDIRECTED for entry in entries.values())
        kinds = sorted({entry.kind or "no direction" for entry in entries.values()})
        why = f"the account names it with {', '.join(kinds)}, not that it was {row.outcome}"
        return Announcement("partially_announced", numbers, why, contradicted)
    missing = _missing_dimensions(row, right) if not set(right) & set(whole) else ()
    if missing:
        return Announcement("partially_announced", numbers, f"the account does not mention {', '.join(missing)}")
    return Announcement("announced", numbers, "the account names it and the direction of its change")


def _missing_dimensions(row: Row, entries: Mapping[int, Change]) -> tuple[Dimension, ...]:
    if row.outcome in ("removed", "added") or any(not entry.dimensions for entry in entries.values()):
        return ()
    mentioned = {dimension for entry in entries.values() for dimension in entry.dimensions}
    return tuple(dimension for dimension in row.dimensions if dimension not in mentioned)


def _account_entries(new: LoadedPolicy, account: _Account, rows: list[Row]) -> Iterator[AccountEntry]:
    for number, change in enumerate(new.policy.changelog):
        unknown = tuple(name for name in change.clauses if name not in account.ids)
        finding = _finding(number, change, account, rows)
        where = new.document.where(("changelog", number))
        yield AccountEntry(number, change.summary, change.kind, where, finding, unknown)


def _finding(number: int, change: Change, account: _Account, rows: list[Row]) -> Finding:
    if number not in account.entries:
        return "other_revision"
    if not change.clauses:
        return "names_nothing"
    if not account.ids & set(change.clauses):
        return "unknown_clauses"
    touched = [row for row in rows if row.announcement and number in row.announcement.entries]
    if not touched:
        reworded = any(row.text_differs and row.id in change.clauses for row in rows)
        return "agrees" if reworded and change.kind in ("clarified", *_UNDIRECTED) else "no_change_found"
    if any(change.kind in _ANNOUNCING[row.outcome] for row in touched):
        return "agrees"
    return "no_direction" if change.kind in _UNDIRECTED else "differs"


# --- suggestions and words -------------------------------------------------------------------------


def _suggestions(links: _Links) -> Iterator[Suggestion]:
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
            yield Suggestion(_side(old), _side(new), round(similarity, 3))


def _similarity(old: str, new: str) -> float:
    before, after = re.findall(r"\w+", old.casefold()), re.findall(r"\w+", new.casefold())
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if matcher.real_quick_ratio() < SUGGEST_SIMILARITY or matcher.quick_ratio() < SUGGEST_SIMILARITY:
        return 0.0
    return matcher.ratio()


def shown_value(value: Any) -> str:
    """Give a facet's value as a person would write it."""
    if value is None or value in ([], ""):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _group_key(row: Row, whole: Mapping[str, Row]) -> tuple[Any, ...]:
    status = row.announcement.status if row.announcement else None
    if row.outcome in ("removed", "added"):
        around = [whole[name] for name in reversed(row.within) if name in whole and whole[name].outcome == row.outcome]
        alike = [item for item in around if item.announcement and item.announcement.status == status]
        return (row.outcome, status, alike[0].id if alike else row.id)
    if row.new and row.merged_with:
        ways = tuple((change.facet, change.way, change.into) for change in row.typed_changes)
        return (row.outcome, row.basis, status, row.new, row.dimensions, row.readings, ways)
    return (row.outcome, row.old, row.new)


def _whole(rows: Iterable[Row]) -> dict[str, Row]:
    """Give the rows that came or went, by id; an id that stands for two things of unlike fate is left out."""
    found: dict[str, set[Outcome]] = defaultdict(set)
    by_id = {}
    for row in rows:
        found[row.id].add(row.outcome)
        by_id[row.id] = row
    gone_or_come: set[Outcome] = {"removed", "added", "relocated"}
    return {name: by_id[name] for name, outcomes in found.items() if len(outcomes) == 1 and outcomes <= gone_or_come}


def _table_row(group: tuple[Row, ...]) -> TableRow:
    row = group[0]
    return TableRow(
        outcome=", ".join((row.outcome, *flags(row))),
        clause=group_name(group),
        dimensions=", ".join(row.dimensions),
        change="; ".join(change_words(group)),
        account=row.announcement.status.replace("_", " ") if row.announcement else "",
        where=" → ".join(" ".join(str(side.where) for side in sides) for sides in _sides(row)),
    )


def flags(row: Row) -> tuple[str, ...]:
    """Give what a reader has to know about a row's code, in words."""
    named = {
        "both directions": row.both_directions,
        "direction unclear": row.direction_unclear,
        "read by a person": row.basis == "read",
    }
    return tuple(name for name, holds in named.items() if holds)


def _sides(row: Row) -> Iterator[tuple[Side, ...]]:
    if row.old is not None:
        yield (row.old,)
    if row.new:
        yield row.new


def group_name(group: tuple[Row, ...]) -> str:
    """Give the ids of a group: old → new, one id if it stayed, the parts of what came or went in brackets."""
    row = group[0]
    if row.outcome in ("removed", "added"):
        parts = ", ".join(part.id for part in group[1:])
        return f"{row.id} (with {parts})" if parts else row.id
    before = " + ".join(part.id for part in group)
    after = " + ".join(side.id for side in row.new)
    return " → ".join(dict.fromkeys(name for name in (before, after) if name))


def change_words(group: tuple[Row, ...], *, readings: bool = True) -> Iterator[str]:
    """Give what changed in a group, facet by facet, old → new; on request without what a person read."""
    row = group[0]
    for number, change in enumerate(row.typed_changes):
        into = f" [{change.into}]" if change.into else ""
        alike = all(other.typed_changes[number].old == change.old for other in group)
        before = shown_value(change.old) if alike else "various"
        yield f"{change.facet}{into}: {before} → {shown_value(change.new)} ({change.way})"
    for reading in row.readings if readings else ():
        if reading.reason:
            yield f"read: {reading.reason}"
    if row.relocated_to:
        yield f"now in {row.relocated_to}"
    if any(part.text_differs for part in group):
        yield "words differ"
    if not row.changes and not row.readings:
        side = next(side for sides in _sides(row) for side in sides)
        yield shortened(side.text or side.title or f"a {side.kind}")


def shortened(text: str, limit: int = 160) -> str:
    """Give the beginning of a text, cut at a word."""
    words = " ".join(text.split())
    return words if len(words) <= limit else words[: limit - 1].rsplit(" ", 1)[0] + " …"

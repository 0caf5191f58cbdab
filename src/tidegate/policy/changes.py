# SPDX-License-Identifier: Apache-2.0
"""What a comparison of two versions found, as records and in words."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from tidegate.kernel.errors import Problem, Where
from tidegate.policy.clauses import Clause
from tidegate.policy.model import Dimension

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


@dataclass(frozen=True, slots=True)
class Side:
    """A clause as one version has it."""

    id: str
    kind: str
    title: str
    text: str
    where: Where


def side_of(clause: Clause) -> Side:
    """Give a clause as a version has it."""
    return Side(clause.id, clause.kind, clause.title, clause.text, clause.where)


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
        whole = whole_rows(self.rows)
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


# --- in words --------------------------------------------------------------------------------------


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


def whole_rows(rows: Iterable[Row]) -> dict[str, Row]:
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

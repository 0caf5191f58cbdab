# SPDX-License-Identifier: Apache-2.0
"""A policy's own account of a revision, held against what the comparison found.

The codes are those of the published codebook (Zhu, Silent Revision, 2026, codebook v0.2, sections 6 and 11.4).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tidegate.policy.changes import AccountEntry, Announcement, Finding, Outcome, Row, whole_rows
from tidegate.policy.clauses import POLICY_ID
from tidegate.policy.load import LoadedPolicy
from tidegate.policy.model import Change, Dimension

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


@dataclass(frozen=True)
class Account:
    """The entries that are about this revision, and which containers came or went as a whole."""

    entries: Mapping[int, Change]
    ids: frozenset[str]
    whole: Mapping[str, Row]
    """Items that were removed, added or relocated: naming one of them names its parts."""

    @classmethod
    def of(cls, old: LoadedPolicy, new: LoadedPolicy, rows: list[Row]) -> "Account":
        """Give the part of the new version's changelog that is about this revision."""
        carried = old.policy.changelog
        entries = {
            number: change
            for number, change in enumerate(new.policy.changelog)
            if change not in carried and _is_between(change.version, old.policy.version, new.policy.version)
        }
        sides = [side for row in rows for side in (row.old, *row.new) if side is not None]
        return cls(entries, frozenset({side.id for side in sides} | _POLICY_NAMES), whole_rows(rows))


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


def announced(row: Row, account: Account) -> Row:
    """Give the row with its announcement, if it is material."""
    if not row.is_material:
        return row
    return replace(row, announcement=_announcement(row, account))


def _announcement(row: Row, account: Account) -> Announcement:
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


def _names_whole(row: Row, entry: Change, account: Account) -> bool:
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


def account_entries(new: LoadedPolicy, account: Account, rows: list[Row]) -> Iterator[AccountEntry]:
    """Give every entry of the changelog, judged by the announced rows."""
    for number, change in enumerate(new.policy.changelog):
        unknown = tuple(name for name in change.clauses if name not in account.ids)
        finding = _finding(number, change, account, rows)
        where = new.document.where(("changelog", number))
        yield AccountEntry(number, change.summary, change.kind, where, finding, unknown)


def _finding(number: int, change: Change, account: Account, rows: list[Row]) -> Finding:
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

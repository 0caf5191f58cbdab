# SPDX-License-Identifier: Apache-2.0
"""What a project has on record, by the names under which statements cite it, and what a citation is worth."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from tidegate.kernel.duration import add
from tidegate.publish.practices import Practice, Statement

Badge = Literal["verified", "attested", "statement", "aged", "dangling"]
"""What a statement is worth. ``verified``: a record that outsiders can check shows it; ``attested``: somebody signs
or says so on record; ``statement``: it names no record; ``aged``: what it rests on, or the statement itself, is older
than it may be; ``dangling``: it names a record that does not exist."""

BADGE_WORDS: dict[Badge, str] = {
    "verified": "verified record",
    "attested": "attested",
    "statement": "statement only",
    "aged": "aged",
    "dangling": "cites what does not exist",
}


RecordWorth = Literal["verified", "attested"]


class Known(NamedTuple):
    """A record that a statement may cite."""

    ref: str
    """``evidence:<id>`` ..."""
    title: str
    """A short name."""
    worth: RecordWorth
    """``verified`` if outsiders can recompute it or check its signatures, ``attested`` if somebody says so."""
    on: date | None = None
    """Its day."""
    until: date | None = None
    """Last day on which it counts."""
    href: str | None = None
    """Where the site shows it, from the site's root."""
    entry: int | None = None
    """Its entry in the log."""
    artifact: str | None = None
    """Kind of record, in the words of the crosswalk: ``evaluation``, ``decision``, ``safety_case`` ..."""


@dataclass(frozen=True)
class Inventory:
    """Everything on record, by reference."""

    records: Mapping[str, Known] = field(default_factory=dict)

    def find(self, ref: str) -> Known | None:
        """Give the record that a reference names."""
        return self.records.get(ref)

    def of(self, artifact: str) -> tuple[Known, ...]:
        """Give the records of a kind."""
        return tuple(one for one in self.records.values() if one.artifact == artifact)


class Worth(NamedTuple):
    """A badge with its reasons."""

    badge: Badge
    reason: str
    """Why, in words."""
    records: tuple[Known, ...] = ()
    """The records that exist."""
    missing: tuple[str, ...] = ()
    """References that name nothing."""
    as_of: date | None = None
    """Day for which the statement was true."""


def worth(statement: Statement, practice: Practice | None, inventory: Inventory, at: date) -> Worth:
    """Give what a statement is worth on a day.

    It is as good as the best record that it, or its practice, cites; a page of others (``url:``) adds nothing.
    A record that does not exist makes it dangling, whatever else it cites. Age comes next: a statement without a day,
    or older than the practice allows, or resting only on records that no longer count, is aged.
    """
    refs = (*statement.evidence, *(practice.evidence if practice else ()))
    cited = tuple(dict.fromkeys(one for one in refs if not one.startswith("url:")))
    as_of = statement.as_of or (practice.as_of if practice else None)
    found = tuple(one for one in map(inventory.find, cited) if one is not None)
    missing = tuple(one for one in cited if inventory.find(one) is None)
    if missing:
        return Worth("dangling", f"there is no {missing[0]}", found, missing, as_of)
    if not found:
        return Worth("statement", "it names no record", (), (), as_of)
    limit = practice.max_age if practice else "P1Y"
    if as_of is None:
        return Worth("aged", "it says not for which day it is true", found, (), as_of)
    if add(as_of, limit) < at:
        return Worth("aged", f"it was true on {as_of.isoformat()}, more than {limit} ago", found, (), as_of)
    current = tuple(one for one in found if one.until is None or one.until >= at)
    if not current:
        return Worth("aged", f"{found[0].ref} no longer counts", found, (), as_of)
    best: Badge = "verified" if any(one.worth == "verified" for one in current) else "attested"
    return Worth(best, ", ".join(one.ref for one in current), found, (), as_of)


def weakest(badges: Iterable[Badge]) -> Badge:
    """Give the badge of a whole: the weakest of its parts'."""
    order: tuple[Badge, ...] = ("dangling", "statement", "aged", "attested", "verified")
    return min(badges, key=order.index, default="statement")

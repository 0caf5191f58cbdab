# SPDX-License-Identifier: Apache-2.0
"""What a project has on record, by the names under which statements cite it, and what a citation is worth."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple

from tidegate.kernel.duration import add, in_words
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
    model: str | None = None
    """Model that it is about; none for what is about the organisation, or about every model."""

    def counts_on(self, at: date) -> bool:
        """Tell whether it is of that day or before, and still holds."""
        return (self.on is None or self.on <= at) and (self.until is None or self.until >= at)

    def badge_on(self, at: date) -> Badge:
        """Give what it is worth by itself on a day."""
        return self.worth if self.counts_on(at) else "aged"


@dataclass(frozen=True)
class Inventory:
    """Everything on record, by reference."""

    records: Mapping[str, Known] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    """Name of a model, case folded -> its id."""

    def model(self, name: str) -> str:
        """Give the id of the model of this name; the name itself, if no model has it."""
        return self.names.get(name.casefold(), name)

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
    outdated: str | None = None
    """Why it cannot be taken as true on the day, whatever shows it; none if its day and its records allow that."""


def worth(
    statement: Statement, practice: Practice | None, inventory: Inventory, at: date, models: Collection[str] = ()
) -> Worth:
    """Give what a statement is worth on a day.

    It is as good as the best record that it, or its practice, cites; a page of others (``url:``) adds nothing.
    A record that does not exist makes it dangling, whatever else it cites. Nothing shows a statement about a day that
    is still to come. Age comes next: a statement without a day, or older than the practice allows, or resting only on
    records that do not count on the day, is aged. What is about models is not shown by records about others only.

    Args:
        statement: what is said.
        practice: the practice that it is said of; none for a statement of its own.
        inventory: everything on record.
        at: the day.
        models: models that it is about, beside those of its practice.
    """
    refs = (*statement.evidence, *(practice.evidence if practice else ()))
    cited = tuple(dict.fromkeys(one for one in refs if not one.startswith("url:")))
    as_of = statement.as_of or (practice.as_of if practice else None)
    found = tuple(one for one in map(inventory.find, cited) if one is not None)
    missing = tuple(one for one in cited if inventory.find(one) is None)
    later = as_of is not None and as_of > at
    old = f"it is said of {as_of}, which is still to come" if later else aged_since(as_of, practice, at)
    if missing:
        return Worth("dangling", f"there is no {missing[0]}", found, missing, as_of, old)
    if not found:
        return Worth("statement", "it names no record", (), (), as_of, old)
    if as_of is None:
        return Worth("aged", "it says not for which day it is true", found)
    if old is not None:
        return Worth("statement" if later else "aged", old, found, (), as_of, old)
    current = tuple(one for one in found if one.counts_on(at))
    if not current:
        is_later = found[0].on is not None and found[0].on > at
        lost = f"{found[0].ref} {'is of a later day' if is_later else 'no longer counts'}"
        return Worth("aged", lost, found, (), as_of, lost)
    wanted = {inventory.model(name) for name in (*models, *(practice.models if practice else ()))}
    showing = tuple(one for one in current if not wanted or one.model is None or one.model in wanted)
    if not showing:
        return Worth("statement", f"{current[0].ref} is about another model, {current[0].model}", found, (), as_of)
    best: Badge = "verified" if any(one.worth == "verified" for one in showing) else "attested"
    return Worth(best, ", ".join(one.ref for one in showing), found, (), as_of)


def aged_since(as_of: date | None, practice: Practice | None, at: date) -> str | None:
    """Say why words are older than they may be; none if they are not, or have no day."""
    limit = practice.max_age if practice else "P1Y"
    if as_of is None or add(as_of, limit) >= at:
        return None
    return f"it was true on {as_of.isoformat()}, more than {in_words(limit)} ago"


def weakest(badges: Iterable[Badge]) -> Badge:
    """Give the badge of a whole: the weakest of its parts'."""
    order: tuple[Badge, ...] = ("dangling", "statement", "aged", "attested", "verified")
    return min(badges, key=order.index, default="statement")

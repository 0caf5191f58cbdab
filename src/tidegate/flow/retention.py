# SPDX-License-Identifier: Apache-2.0
"""Sealed content outside the log: what is kept, until when, under which hold; erasing it leaves the log valid."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date
from typing import Literal, NamedTuple

from tidegate.flow.casework import Desk, open_desk, refuse_silent, signed_entry
from tidegate.flow.incidents import incidents_at
from tidegate.flow.ledgers import Actor
from tidegate.flow.world import World
from tidegate.govern.access import Action, Request, Resource, allowed
from tidegate.govern.noncompliance import CaseFile, Content, Erasure, Hold, Retaliation
from tidegate.govern.people import find_person
from tidegate.kernel.clock import day_of
from tidegate.kernel.duration import add
from tidegate.kernel.errors import LedgerError, Problem, SigningError, Where
from tidegate.ledger.acts import HoldLifted, HoldPlaced, SealedErased

EVERYTHING = "everything"
"""Name under which a hold covers all content."""
RETALIATION_RETENTION = "P5Y"
"""A report of retaliation is kept as long as a case, from its last state on."""


class KeptContent(NamedTuple):
    """Content that an entry names, and what became of it."""

    digest: str
    """Its salted digest."""
    case: str
    """Case, report of retaliation or incident that it belongs to."""
    entry: int
    """Entry that brought it."""
    on: date
    """Day on which it came."""
    state: Literal["kept", "held", "erased", "missing"]
    """Kept, kept under a legal hold, erased by an entry that says so, or gone without one."""
    until: date | None
    """Last day on which it has to be kept; none while the case is open."""
    copy_of: str | None = None
    """Digest of the content that it holds anew, for other keys."""
    erased: Erasure | None = None
    """When, by whom and why it was erased."""


def contents(world: World) -> tuple[KeptContent, ...]:
    """Give all sealed content that the log names for its cases and incidents, oldest first."""
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        return tuple(sorted(_contents(desk), key=lambda one: one.entry))


def _contents(desk: Desk) -> Iterator[KeptContent]:
    cases: list[CaseFile | Retaliation] = [*desk.work.cases.values(), *desk.work.retaliation.values()]
    for case in cases:
        until = retained_until(case)
        for one in case.contents:
            yield _kept(desk, case.id, one, until)
    for incident in incidents_at(desk).incidents.values():
        for said in incident.revisions:
            part = Content(index=said.index, on=day_of(said.at), direction="internal", digest=said.digest)
            yield _kept(desk, incident.id, part, incident.retained_until)


def _kept(desk: Desk, case: str, content: Content, until: date | None) -> KeptContent:
    erased = desk.work.erased.get(content.digest)
    state = _state(desk, content.digest, erased)
    return KeptContent(content.digest, case, content.index, content.on, state, until, content.copy_of, erased)


def _state(desk: Desk, digest: str, erased: Erasure | None) -> Literal["kept", "held", "erased", "missing"]:
    if desk.store.sealed(digest) is None:
        return "missing" if erased is None else "erased"
    return "held" if desk.work.held_by(digest) is not None else "kept"


def retained_until(case: CaseFile | Retaliation) -> date | None:
    """Give the last day on which what belongs to a case has to be kept; none while it is open."""
    if isinstance(case, CaseFile):
        return case.retained_until()
    if case.state not in ("not_found", "remedied"):
        return None
    ends = [one.retain_until for one in case.contents if one.retain_until is not None]
    return max([add(case.steps[-1][0], RETALIATION_RETENTION), *ends])


def erase(world: World, name: str, ground: str, actor: Actor) -> tuple[KeptContent, ...]:
    """Erase all content of a case, or one content and its copies; give what was erased. The log stays valid.

    Raises:
        LedgerError: LED009, there is no such content; LED010, a hold or a retention stands.
        SigningError: KEY006, only a keeper erases; KEY003.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        _allow(desk, "erase", actor, name)
        chosen = [one for one in _named(desk, name) if one.state in ("kept", "held")]
        if not chosen:
            raise LedgerError(Problem("LED009", f"nothing of {name} is kept", Where("ledger"), _SEE))
        _refuse_early(desk, chosen, world.today)
        entries = [
            signed_entry(world, "sealed.erased", SealedErased(digest=one.digest, ground=ground), actor)
            for one in chosen
        ]
        store.append(entries, expect_size=desk.size)
    return tuple(chosen)


_SEE = "see `tidegate sealed list`"


def _named(desk: Desk, name: str) -> list[KeptContent]:
    """Give the content of a case, or one content with its copies.

    Raises:
        LedgerError: LED009, there is none.
    """
    found = [one for one in _contents(desk) if name in (one.case, one.digest, one.copy_of)]
    if not found:
        raise LedgerError(Problem("LED009", f"there is no sealed content of {name}", Where("ledger"), _SEE))
    return found


def _refuse_early(desk: Desk, chosen: Sequence[KeptContent], today: date) -> None:
    for one in chosen:
        hold = desk.work.held_by(one.digest)
        where = Where(f"ledger entry {one.entry}")
        if hold is not None:
            hint = f"lift it with `tidegate sealed lift {hold.hold}`, once it has ended"
            raise LedgerError(Problem("LED010", f"the hold {hold.hold} covers {one.digest}", where, hint))
        if one.until is None:
            message = f"{one.case} is open, so that its content has to be kept"
            raise LedgerError(Problem("LED010", message, where, "its retention begins when it is closed"))
        if one.until >= today:
            message = f"the content of {one.case} has to be kept until {one.until}"
            raise LedgerError(Problem("LED010", message, where, "it can be erased from the next day on"))


def _allow(desk: Desk, action: Action, actor: Actor, name: str) -> None:
    person = find_person(desk.people, actor.person)
    why = allowed(Request(person, action, Resource(kind="content", id=name)))
    if why is not None:
        raise SigningError(Problem("KEY006", why))
    refuse_silent(desk, actor)


def place_hold(world: World, names: Sequence[str], reason: str, actor: Actor) -> Hold:
    """Forbid erasing, until the hold is lifted: the present content of cases, single contents, or everything.

    Args:
        world: the surroundings.
        names: ids of cases, digests, or ``everything``, which covers what comes later too.
        reason: why.
        actor: a keeper.

    Raises:
        LedgerError: LED009, there is no such content.
        SigningError: KEY006, only a keeper places a hold; KEY003.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        name = f"hold-{world.ids()[:8]}"
        _allow(desk, "place_hold", actor, name)
        digests: list[str] = []
        if EVERYTHING not in names:
            digests = [one.digest for called in names for one in _named(desk, called)]
            assert digests, "a hold over nothing would cover everything"
        body = HoldPlaced(hold=name, digests=tuple(dict.fromkeys(digests)), reason=reason)
        store.append([signed_entry(world, "hold.placed", body, actor)], expect_size=desk.size)
        return open_desk(world, store).work.holds[name]


def lift_hold(world: World, name: str, reason: str, actor: Actor) -> Hold:
    """End a legal hold; give it as it then is.

    Raises:
        LedgerError: LED009, there is no such hold.
        SigningError: KEY006, only a keeper lifts a hold; KEY003.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        _allow(desk, "lift_hold", actor, name)
        known = desk.work.holds.get(name)
        if known is None or known.lifted is not None:
            raise LedgerError(Problem("LED009", f"there is no hold {name!r} that stands", Where("ledger"), _SEE))
        body = HoldLifted(hold=name, reason=reason)
        store.append([signed_entry(world, "hold.lifted", body, actor)], expect_size=desk.size)
        return open_desk(world, store).work.holds[name]

# SPDX-License-Identifier: Apache-2.0
"""Noncompliance: take a report in, write in both directions without names, move and close cases, count them.

What reporters do is entered without a name and with no time finer than the day. Words are encrypted before anything
is written; the log gets their salted digest.
"""

from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from tidegate.flow.casework import (
    Desk,
    Kept,
    Reading,
    ReadMessage,
    casework_of,
    checked_text,
    implicated_in,
    keep,
    known_implicated,
    nameless_entry,
    open_desk,
    people_named,
    read_messages,
    refuse_silent,
    refuse_stranger,
    secret,
    signed_entry,
)
from tidegate.flow.ledgers import Actor, files_in
from tidegate.flow.world import World
from tidegate.govern.counts import BoardCounts, YearStatistics, board_counts, publishable, quarter_of
from tidegate.govern.intake import (
    Message,
    Route,
    named_bytes,
    route,
)
from tidegate.govern.noncompliance import (
    COPY,
    RETENTION,
    CaseFile,
    Direction,
    Outcome,
    Retaliation,
    RetaliationState,
    State,
    find_case,
    why_not_closed,
    why_not_moved,
    why_not_retaliation,
)
from tidegate.govern.people import find_person
from tidegate.govern.sealing import CaseKey, reading_key
from tidegate.kernel.errors import CaseworkError, Problem, SigningError
from tidegate.ledger.acts import (
    NoncomplianceClosed,
    NoncomplianceMoved,
    NoncomplianceNoted,
    NoncomplianceOpened,
    RetaliationRecorded,
)
from tidegate.ledger.entries import Entry, Signed
from tidegate.ledger.keys import Signer
from tidegate.policy.model import Policy, Role

# --- the reporter -------------------------------------------------------------------------------------

Category = Literal["evaluation", "safeguards", "security", "governance", "reporting", "retaliation", "other"]


@dataclass(frozen=True)
class NewReport:
    """A report of noncompliance, as its reporter gives it."""

    text: str = field(repr=False)
    """The words."""
    category: Category = "other"
    """What kind of commitment is said to be broken."""
    implicated: tuple[str, ...] = field(default=(), repr=False)
    """Who is said to be involved, by id or name."""
    to: str | None = None
    """Person whom the reporter chose."""
    reporter: Actor | None = field(default=None, repr=False)
    """Who reports; none for an anonymous report."""
    retention: str = RETENTION
    """How long it is kept at least."""


class Filed(NamedTuple):
    """A report that was taken in."""

    case: str
    """Id of its case."""
    key: CaseKey
    """The key that the reporter keeps, and nobody else ever has."""
    route: Route
    """Who got it."""


def routed(world: World, given: NewReport) -> Route:
    """Give who would get a report, without taking it in. Raises as `report` does."""
    with closing(world.ledger()) as store:
        return _routed(world, open_desk(world, store), given)


def _routed(world: World, desk: Desk, given: NewReport) -> Route:
    to = find_person(desk.people, given.to).id if given.to is not None else None
    reporter = given.reporter.person if given.reporter is not None else None
    # Nobody is asked to investigate what they report.
    readers = [desk.reader(person) for person in desk.people if person.id != reporter]
    return route(readers, _roles(world, desk), people_named(desk, given.implicated), to)


def _roles(world: World, desk: Desk) -> tuple[Role, ...]:
    """Give the roles of the policy in the log: a project whose files are out of order still takes reports in."""
    logged = files_in(desk.store).policy_document
    if logged is None:
        return world.project().policy.policy.roles
    return Policy.model_validate_json(desk.store.document(logged)).roles


def report(world: World, given: NewReport) -> Filed:
    """Take a report in: encrypted to those who handle it, around whoever is implicated.

    Raises:
        CaseworkError: NCP002, nobody is left who could read it.
        SigningError: KEY004, a person is not known; KEY003, the reporter's key does not speak for them.
        DocumentError: DOC002, the text is too long; DOC009, it is empty.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        if given.reporter is not None:
            refuse_silent(desk, given.reporter)
        found = _routed(world, desk, given)
        case, key = f"nc-{world.ids()[:12]}", CaseKey(secret(world))
        message = Message(
            case=case, kind="report", text=checked_text(given.text), implicated=people_named(desk, given.implicated)
        )
        kept = keep(
            world,
            _named(message, given.reporter),
            (*desk.recipients(found.managers), key.public_key),
            given.retention,
        )
        body = NoncomplianceOpened(
            case=case,
            is_anonymous=given.reporter is None,
            reporter_key=key.public_key,
            content=kept.sealed,
            managers=found.managers,
            route=found.role,
            category=given.category,
        )
        store.append([nameless_entry(world, "noncompliance.opened", body)], sealed=[kept.content])
    return Filed(case, key, found)


def _named(message: Message, reporter: Actor | None) -> Message:
    """Give the message with the name and signature of its reporter, if they want to be known to who handles it."""
    if reporter is None:
        return message
    named = message.model_copy(update={"reporter": reporter.person, "reporter_key": reporter.signer.public_key})
    return named.model_copy(update={"signature": reporter.signer.sign(named_bytes(named))})


def reply(world: World, case: str, text: str, key: CaseKey, implicated: Sequence[str] = ()) -> str:
    """Add a message of the reporter to a case; give its digest. Who is implicated, by now too, does not get it.

    Raises:
        CaseworkError: NCP001, there is no such case, or the key is another's; NCP002, nobody is left to read it.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        found = _opened_by(desk, case, key)
        named = people_named(desk, implicated)
        left = set(found.managers) - {*named, *known_implicated(desk, found, key.reading_key)}
        recipients = desk.recipients(sorted(left))
        if not recipients:
            hint = "file a new report with `tidegate noncompliance report`; it goes around who is implicated"
            message = f"nobody who handles {case} may read this: each of them is implicated, or has no key"
            raise CaseworkError(Problem("NCP002", message, None, hint))
        sent = Message(case=case, kind="message", text=checked_text(text), implicated=named)
        kept = keep(world, sent, (*recipients, key.public_key))
        body = NoncomplianceNoted(
            case=case,
            direction="from_reporter",
            content=kept.sealed,
            proof=key.proof(case, kept.sealed.digest),
        )
        store.append([nameless_entry(world, "noncompliance.noted", body)], sealed=[kept.content])
    return kept.sealed.digest


def _opened_by(desk: Desk, case: str, key: CaseKey) -> CaseFile:
    found = desk.work.cases.get(case)
    if found is None or found.reporter_key != key.public_key:
        message = f"there is no case {case!r}, or this case key does not open it"
        raise CaseworkError(Problem("NCP001", message, None, "check the id that was shown with the case key"))
    return found


# --- reading -----------------------------------------------------------------------------------------


def read_as_reporter(world: World, case: str, key: CaseKey) -> Reading:
    """Give the dialogue of a case to its reporter: what they wrote, and what was written to them.

    Raises:
        CaseworkError: NCP001, there is no such case, or the key is another's.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        found = _opened_by(desk, case, key)
        return Reading(
            found, tuple(one for one in read_messages(desk, found, key.reading_key) if not _is_internal(one))
        )


def _is_internal(one: ReadMessage) -> bool:
    return one.content.direction == "internal"


def read_as_manager(world: World, case: str, actor: Actor, reading: Signer | None = None) -> Reading:
    """Give a case, or a report of retaliation, with its messages to somebody who handles it.

    Args:
        world: the surroundings.
        case: id of the case or report.
        actor: who handles it, with a key that speaks for them.
        reading: another key of theirs that decrypts, where the first is on a hardware token or new.

    Raises:
        CaseworkError: NCP001, there is no such case; NCP002, the key cannot decrypt.
        SigningError: KEY006, they do not handle it, or are implicated; KEY003, the key does not speak for them.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        found = desk.work.retaliation.get(case) or find_case(desk.work, case)
        refuse_stranger(desk, found, actor)
        messages = read_messages(desk, found, reading_key(reading or actor.signer))
        refuse_stranger(desk, found, actor, implicated_in(messages))
        return Reading(found, messages)


# --- who handles a case --------------------------------------------------------------------------------


def write(world: World, case: str, text: str, actor: Actor, *, to_reporter: bool, reading: Signer | None = None) -> str:
    """Add an answer to the reporter, or a note that only those who handle the case can read; give its digest.

    Raises:
        CaseworkError: NCP001, NCP002.
        SigningError: KEY003, KEY006.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        found = find_case(desk.work, case)
        refuse_stranger(desk, found, actor)
        implicated = known_implicated(desk, found, reading_key(reading or actor.signer))
        refuse_stranger(desk, found, actor, implicated)
        direction: Direction = "to_reporter" if to_reporter else "internal"
        recipients = desk.recipients(name for name in found.managers if name not in implicated)
        if to_reporter and found.reporter_key is not None:
            recipients = (*recipients, found.reporter_key)
        message = Message(case=case, kind="reply" if to_reporter else "note", text=checked_text(text))
        kept = keep(world, message, recipients)
        body = NoncomplianceNoted(case=case, direction=direction, content=kept.sealed)
        entry = signed_entry(world, "noncompliance.noted", body, actor)
        store.append([entry], sealed=[kept.content], expect_size=desk.size)
    return kept.sealed.digest


def move(world: World, case: str, to: State | None, actor: Actor, *, is_material: bool = False) -> CaseFile:
    """Bring a case into another state, or mark it, where it is, as materially unsafe; give it as it then is.

    Raises:
        CaseworkError: NCP001, there is no such case; NCP003, it cannot go there.
        SigningError: KEY003, KEY006.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        found = find_case(desk.work, case)
        refuse_stranger(desk, found, actor)
        state = to or found.state
        if state == "closed":
            raise CaseworkError(Problem("NCP003", f"{case} is closed by its outcome", None, _CLOSE))
        body = NoncomplianceMoved(case=case, to=state, is_material=is_material)
        _refuse(why_not_moved(found, body))
        store.append([signed_entry(world, "noncompliance.moved", body, actor)], expect_size=desk.size)
        return find_case(open_desk(world, store).work, case)


_CLOSE = "close it with `tidegate noncompliance close`, or bring a closed case back with the state appealed"


def close(world: World, case: str, outcome: Outcome, actor: Actor, *, corrected: bool = False) -> CaseFile:
    """Close a case with an outcome; give it as it then is. Raises as `move` does."""
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        found = find_case(desk.work, case)
        refuse_stranger(desk, found, actor)
        body = NoncomplianceClosed(case=case, outcome=outcome, corrected=corrected)
        _refuse(why_not_closed(found, body))
        store.append([signed_entry(world, "noncompliance.closed", body, actor)], expect_size=desk.size)
        return find_case(open_desk(world, store).work, case)


def _refuse(why: str | None) -> None:
    if why is not None:
        raise CaseworkError(Problem("NCP003", why))


def assign(world: World, case: str, managers: Sequence[str], actor: Actor, reading: Signer | None = None) -> CaseFile:
    """Give a case to other people, with everything in it encrypted anew to their keys; give it as it then is.

    With the same people, only the encryption is renewed: for somebody whose key was rotated.

    Raises:
        CaseworkError: NCP002, one of them has no key that can decrypt; NCP003, the case is closed.
        SigningError: KEY004, one of them is not known; KEY006, one of them is implicated.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        found = find_case(desk.work, case)
        refuse_stranger(desk, found, actor)
        read = read_messages(desk, found, reading_key(reading or actor.signer))
        implicated = implicated_in(read)
        refuse_stranger(desk, found, actor, implicated)
        chosen = _able(desk, managers, implicated, case)
        copies = [_copied(world, desk, one, chosen, actor) for one in read if one.message is not None]
        # Copies come first: they are entered by somebody who handles the case still.
        entries = [entry for entry, _ in copies]
        if set(chosen) != set(found.managers):
            if found.state == "closed":
                raise CaseworkError(Problem("NCP003", f"{case} is closed, and gets no other managers", None, _CLOSE))
            body = NoncomplianceMoved(case=case, to=found.state, managers=chosen)
            entries.append(signed_entry(world, "noncompliance.moved", body, actor))
        store.append(entries, sealed=[kept.content for _, kept in copies], expect_size=desk.size)
        return find_case(open_desk(world, store).work, case)


def _able(desk: Desk, managers: Sequence[str], implicated: Collection[str], case: str) -> tuple[str, ...]:
    chosen = tuple(dict.fromkeys(find_person(desk.people, name).id for name in managers))
    refused = [name for name in chosen if name in implicated]
    if refused:
        raise SigningError(Problem("KEY006", f"{', '.join(refused)} is implicated in {case}, so others handle it"))
    keyless = [name for name in chosen if not desk.recipients([name])]
    if keyless or not chosen:
        message = f"the case cannot be encrypted to {', '.join(keyless)}" if keyless else "nobody would handle the case"
        hint = "an ssh-ed25519 key is needed; the key of a hardware token can sign, but not decrypt"
        raise CaseworkError(Problem("NCP002", message, None, hint))
    return chosen


def _copied(world: World, desk: Desk, one: ReadMessage, managers: Sequence[str], actor: Actor) -> tuple[Entry, Kept]:
    assert one.message is not None
    copy = Message(case=one.message.case, kind="copy", copied=one.message)
    kept = keep(world, copy, desk.recipients(managers))
    body = NoncomplianceNoted(case=one.message.case, direction="internal", content=kept.sealed)
    over = (Signed(name=COPY, digest=one.content.digest),)
    return signed_entry(world, "noncompliance.noted", body, actor, over), kept


# --- retaliation ---------------------------------------------------------------------------------------


class Registered(NamedTuple):
    """A report of retaliation that was taken in."""

    report: str
    """Its id."""
    route: Route
    """Who got it."""


def report_retaliation(world: World, given: NewReport, case: str | None = None) -> Registered:
    """Take a report of retaliation into the register; give its id and who got it.

    It goes to those who handle the case that it is about, without those who are implicated; if none is left, or it is
    about no case, it is routed like any report. Raises as `report` does.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        if given.reporter is not None:
            refuse_silent(desk, given.reporter)
        about = find_case(desk.work, case) if case is not None else None
        implicated = people_named(desk, given.implicated)
        left = tuple(one for one in about.managers if one not in implicated) if about is not None else ()
        if about is not None and given.to is None and desk.recipients(left):
            found = Route(about.route, tuple(one for one in left if desk.recipients([one])), ())
        else:
            found = _routed(world, desk, given)
        name = f"rt-{world.ids()[:12]}"
        message = Message(case=name, kind="retaliation", text=checked_text(given.text), implicated=implicated)
        recipients = desk.recipients(found.managers)
        kept = keep(world, _named(message, given.reporter), recipients, given.retention)
        body = RetaliationRecorded(
            report=name, case=case, state="reported", content=kept.sealed, managers=found.managers
        )
        store.append([nameless_entry(world, "noncompliance.retaliation", body)], sealed=[kept.content])
    return Registered(name, found)


def move_retaliation(
    world: World, name: str, to: RetaliationState, actor: Actor, text: str | None = None
) -> Retaliation:
    """Bring a report of retaliation into another state, with a note if there is one; give it as it then is.

    Raises:
        CaseworkError: NCP001, there is no such report; NCP003, it cannot go there.
        SigningError: KEY003, KEY006.
    """
    with closing(world.ledger()) as store:
        desk = open_desk(world, store)
        found = desk.work.retaliation.get(name)
        if found is None:
            raise CaseworkError(Problem("NCP001", f"there is no report of retaliation {name!r}"))
        refuse_stranger(desk, found, actor)
        kept = None
        if text is not None:
            message = Message(case=name, kind="note", text=checked_text(text))
            kept = keep(world, message, desk.recipients(found.managers))
        body = RetaliationRecorded(report=name, state=to, content=kept.sealed if kept else None)
        _refuse(why_not_retaliation(found, body))
        entry = signed_entry(world, "noncompliance.retaliation", body, actor)
        store.append([entry], sealed=[kept.content] if kept else [], expect_size=desk.size)
        return open_desk(world, store).work.retaliation[name]


# --- counts --------------------------------------------------------------------------------------------


def counts_for_board(world: World, quarter: str | None = None) -> BoardCounts:
    """Give the counts of a quarter for the board; of the present one, if none is named."""
    return board_counts(casework_of(world), quarter or quarter_of(world.today), world.today)


def counts_for_public(world: World, year: int | None = None) -> YearStatistics:
    """Give the counts of a year for publication, small numbers hidden; of the last one, if none is named."""
    return publishable(casework_of(world), year if year is not None else world.today.year - 1, world.today)

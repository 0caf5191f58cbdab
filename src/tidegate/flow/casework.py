# SPDX-License-Identifier: Apache-2.0
"""What every use case of casework shares: the log read, messages sealed and read, and who may go on."""

import re
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from tidegate.flow.ledgers import Actor
from tidegate.flow.world import World
from tidegate.govern.access import Request, Resource, allowed
from tidegate.govern.intake import (
    MAX_TEXT_BYTES,
    Message,
    Reader,
    day_only,
    is_signed_by_reporter,
)
from tidegate.govern.keyring import Keyring, keyring
from tidegate.govern.noncompliance import (
    RETENTION,
    CaseFile,
    Casework,
    Content,
    Retaliation,
    casework,
    checked_by,
)
from tidegate.govern.people import Person, find_person
from tidegate.govern.sealing import ReadingKey, SealedParts, is_intact, seal
from tidegate.kernel.canonical import canonical_bytes
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.duration import DURATION_PATTERN, add
from tidegate.kernel.errors import DocumentError, Problem, ProjectError, SigningError
from tidegate.kernel.record import Record
from tidegate.ledger.acts import (
    Sealed,
)
from tidegate.ledger.entries import Entry, Signed, new_entry
from tidegate.ledger.keys import fingerprint
from tidegate.ledger.signing import sign_entry
from tidegate.store.project import read_settings

if TYPE_CHECKING:
    from tidegate.store.ledger import LedgerStore, SealedContent


# --- what a use case looks at ----------------------------------------------------------------------


@dataclass(frozen=True)
class Desk:
    """The log as it stands, read for casework."""

    store: "LedgerStore" = field(repr=False)
    work: Casework
    ring: Keyring = field(repr=False)
    people: tuple[Person, ...]
    size: int
    """How many entries were read."""

    def reader(self, person: Person) -> Reader:
        """Give what is known of somebody who could handle a report."""
        held = [one for one in self.ring.active() if one.person.casefold() == person.id.casefold()]
        roles = tuple(sorted({role for one in held for role in one.roles}))
        return Reader(person.id, person.roles, tuple(one.public_key for one in held), roles)

    def recipients(self, people: Iterable[str]) -> tuple[str, ...]:
        """Give the keys that content for these people is encrypted to; who has none gets nothing."""
        known = {person.id: person for person in self.people}
        return tuple(key for name in people if name in known for key in self.reader(known[name]).reading_keys)


def open_desk(world: World, store: "LedgerStore") -> Desk:
    """Give the log, read whole for casework."""
    logged = [(one.index, one.entry) for one in store.entries()]
    ring = keyring(logged)
    people = read_settings(world.root).people
    return Desk(store, casework(logged, checked_by(ring)), ring, people, len(logged))


def casework_of(world: World) -> Casework:
    """Give what the log says about noncompliance."""
    with closing(world.ledger()) as store:
        return open_desk(world, store).work


def people_named(desk: Desk, names: Sequence[str]) -> tuple[str, ...]:
    """Give the ids of everybody who is called so, by id or name, in capitals or not.

    Raises:
        SigningError: KEY004, nobody in the project is called so: a typing error must not send them the report.
    """
    called = [(word.casefold(), one.id) for one in desk.people for word in (one.name, one.id) if word]
    known = {word for word, _ in called}
    for name in names:
        if name.casefold() not in known:
            hint = did_you_mean(name, known) or "who is not in tidegate.yaml gets no report; name them in the text"
            raise SigningError(Problem("KEY004", f"there is no person {name!r}", None, hint))
    return tuple(dict.fromkeys(one for name in names for word, one in called if word == name.casefold()))


def checked_text(text: str) -> str:
    """Give a text that has words in it, and not too many.

    Raises:
        DocumentError: DOC002, DOC009.
    """
    if len(text.encode()) > MAX_TEXT_BYTES:
        message = f"larger than the limit of {MAX_TEXT_BYTES:,} bytes"
        raise DocumentError(Problem("DOC002", message, None, "shorten the text, and name attachments in it"))
    if not text.strip():
        raise DocumentError(Problem("DOC009", "there are no words in it"))
    return text


# --- sealing and entering ---------------------------------------------------------------------------


def secret(world: World) -> bytes:
    """Give 32 bytes that nobody can guess."""
    return bytes.fromhex(world.ids() + world.ids())


class Kept(NamedTuple):
    """A message, sealed: what goes into the log and what goes beside it."""

    sealed: Sealed
    content: "SealedContent"


def keep(world: World, message: Message, recipients: Sequence[str], retention: str = RETENTION) -> Kept:
    """Give a message, sealed for its recipients.

    Raises:
        CaseworkError: NCP002, there is none.
        ProjectError: PRJ005, the retention is no duration.
    """
    from tidegate.store.ledger import SealedContent  # noqa: PLC0415 - loads the database

    if re.match(DURATION_PATTERN, retention) is None:
        raise ProjectError(Problem("PRJ005", f"{retention!r} is not a duration", None, "write it as P5Y"))
    parts = seal(canonical_bytes(message), recipients, secret(world))
    until = add(world.today, retention)
    return Kept(
        Sealed(digest=parts.digest, retain_until=until), SealedContent(parts.digest, parts.salt, parts.data, until)
    )


def nameless_entry(world: World, kind: str, body: Record) -> Entry:
    """Give an entry of a reporter: without a name, and with no time finer than the day."""
    return new_entry(kind, body, entry_id=world.ids(), acted_at=day_only(world.today), log=world.log_origin())


def signed_entry(world: World, kind: str, body: Record, actor: Actor, over: tuple[Signed, ...] = ()) -> Entry:
    """Give an entry of somebody who handles a case, signed whether its kind asks for it or not."""
    made = new_entry(
        kind, body, entry_id=world.ids(), acted_at=world.now(), by=actor.person, log=world.log_origin(), over=over
    )
    return sign_entry(made, actor.signer)


def refuse_stranger(desk: Desk, case: CaseFile | Retaliation, actor: Actor, implicated: Collection[str] = ()) -> None:
    """Let only those go on who handle a case and are not implicated in it, with a key that speaks for them.

    Raises:
        SigningError: KEY006, they may not; KEY003, the key does not speak for them.
    """
    person = find_person(desk.people, actor.person)
    attributes = {"managers": case.managers, "implicated": tuple(implicated)}
    why = allowed(Request(person, "manage_case", Resource(kind="matter", id=case.id, attributes=attributes)))
    if why is not None:
        raise SigningError(Problem("KEY006", why))
    refuse_silent(desk, actor)


def refuse_silent(desk: Desk, actor: Actor) -> None:
    """Let only those go on whose key speaks for them now.

    Raises:
        SigningError: KEY003, it does not.
    """
    held = [one.fingerprint for one in desk.ring.active() if one.person == actor.person]
    if actor.signer.fingerprint not in held:
        hint = "see `tidegate key list`"
        raise SigningError(
            Problem("KEY003", f"{actor.signer.fingerprint} does not speak for {actor.person}", None, hint)
        )


# --- reading ------------------------------------------------------------------------------------------


class ReadMessage(NamedTuple):
    """A message of a case, as far as it could be read."""

    content: Content
    """What the log says about it."""
    message: Message | None
    """The message, if it could be read."""
    problem: str | None = None
    """Why it could not be read."""
    is_damaged: bool = False
    """True if it is not what the log's digest says, or is gone without an entry that says so."""
    copied_by: str | None = None
    """Who copied it for the reader's key, if it was read from a copy."""
    vouched: bool | None = None
    """For a named report: whether the signature holds under a key of the person whom it names."""


class Reading(NamedTuple):
    """A case with its messages."""

    case: CaseFile | Retaliation
    messages: tuple[ReadMessage, ...]


def read_messages(desk: Desk, case: CaseFile | Retaliation, key: ReadingKey) -> tuple[ReadMessage, ...]:
    """Give each message once, from a copy where the original is encrypted to other keys."""
    read = [_read_one(desk, case, one, key) for one in case.contents]
    copies = {one.content.copy_of: one for one in read if one.content.copy_of is not None}
    return tuple(_or_copy(desk, one, copies.get(one.content.digest)) for one in read if one.content.copy_of is None)


def _or_copy(desk: Desk, found: ReadMessage, copy: ReadMessage | None) -> ReadMessage:
    """Give what was read, or else what a copy says of it; erased stays erased."""
    inner = copy.message.copied if copy is not None and copy.message is not None else None
    if found.message is not None or copy is None or inner is None or found.content.digest in desk.work.erased:
        return found
    vouched = _vouched(desk, found.content, inner)
    return ReadMessage(found.content, inner, copied_by=copy.content.by, vouched=vouched)


def _read_one(desk: Desk, case: CaseFile | Retaliation, content: Content, key: ReadingKey) -> ReadMessage:
    erased = desk.work.erased.get(content.digest)
    kept = desk.store.sealed(content.digest)
    if kept is None and erased is not None:
        return ReadMessage(content, None, f"content erased on {erased.on} because {erased.ground}")
    if kept is None:
        return ReadMessage(content, None, "the content is missing, and no entry says that it was erased", True)
    if not is_intact(SealedParts(content.digest, kept.salt, kept.data)):
        return ReadMessage(content, None, "the content is not what the log's digest says", True)
    plain = key.unseal(kept.data)
    if plain is None:
        return ReadMessage(content, None, "not encrypted to this key")
    try:
        message = Message.model_validate_json(plain)
    except ValidationError:
        return ReadMessage(content, None, "the content is not a message")
    if message.case != case.id:
        return ReadMessage(content, None, "the content was written for another case")
    return ReadMessage(content, message, vouched=_vouched(desk, content, message))


def _vouched(desk: Desk, content: Content, message: Message) -> bool | None:
    """Tell whether a named report is signed with a key that spoke for the person it names when it came in."""
    if message.reporter is None:
        return None
    if message.reporter_key is None or not is_signed_by_reporter(message):
        return False
    holder = desk.ring.holder(fingerprint(message.reporter_key), content.index, desk.ring.moment(content.index))
    return holder is not None and holder.person == message.reporter


def implicated_in(messages: Iterable[ReadMessage]) -> tuple[str, ...]:
    """Give who is said to be involved, in any message that could be read."""
    named = [name for one in messages if one.message is not None for name in one.message.implicated]
    return tuple(dict.fromkeys(named))


def known_implicated(desk: Desk, case: CaseFile | Retaliation, key: ReadingKey) -> tuple[str, ...]:
    """Give who is said to be involved in a case, as far as a key can read it."""
    return implicated_in(read_messages(desk, case, key))

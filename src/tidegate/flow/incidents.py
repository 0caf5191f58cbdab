# SPDX-License-Identifier: Apache-2.0
"""Incidents: put one on record, add and correct, see its clocks, draft and record its notices, close it.

One person with a key suffices for each of these: a day is too short for more. What is said stands outside the log, as
canonical JSON that is not encrypted; the log holds its salted digest.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from tidegate.flow.casework import Desk, Kept, open_desk, refuse_silent, secret, signed_entry
from tidegate.flow.ledgers import ATTEMPTS, Actor, files_in
from tidegate.flow.world import World
from tidegate.govern.access import Action, Request, Resource, allowed
from tidegate.govern.duties import DutyRecords, Ground, duty_records
from tidegate.govern.keyring import Keyring, keyring
from tidegate.govern.noncompliance import casework, checked_by
from tidegate.govern.people import Person, find_person
from tidegate.govern.sealing import salted_digest
from tidegate.incidents.clocks import COUNTING, IncidentClock, clocks
from tidegate.incidents.fold import (
    KINDS_READ,
    RETENTION,
    Content,
    Incidents,
    contradictions,
    incidents,
    merged_with,
    not_yet,
)
from tidegate.incidents.model import MAX_SAID_BYTES, Incident, Notice, Said, TimeName
from tidegate.incidents.notices import Draft, Sender, draft, find_template, refuse_unknown_fields
from tidegate.incidents.questions import class_file, classify, find_question
from tidegate.incidents.severity import IncidentSettings, Scale, Severity, read_severity, scales, severities
from tidegate.kernel.canonical import canonical_bytes
from tidegate.kernel.clock import Instant, instant, moment
from tidegate.kernel.documents import read_document, validate_part
from tidegate.kernel.duration import add
from tidegate.kernel.errors import IncidentError, LedgerError, Problem, ProjectError, SigningError
from tidegate.ledger.acts import IncidentClosed, IncidentNoticed, IncidentOpened, IncidentUpdated, Sealed
from tidegate.ledger.entries import Entry
from tidegate.obligations.model import Event, Rule, Setting
from tidegate.policy.model import Policy
from tidegate.store.project import read_settings
from tidegate.store.publication import read_obligations

if TYPE_CHECKING:
    from tidegate.store.ledger import LedgerStore

SETTINGS_FILE = Path("incidents.yaml")
"""Scales of severity that a project sets itself."""


# --- reading -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class IncidentDesk:
    """The log as it stands, read for incidents."""

    desk: Desk = field(repr=False)
    found: Incidents


def open_incidents(world: World, store: "LedgerStore") -> IncidentDesk:
    """Give the incidents of the log, with what it takes to add to them."""
    desk = open_desk(world, store)
    return IncidentDesk(desk, incidents_at(desk))


def incidents_at(desk: Desk, known: Instant | None = None) -> Incidents:
    """Give the incidents of a log that was read; as they were known at a moment, if one is given."""
    return _folded(desk.store, desk.size, desk.ring, desk.work.erased, known)


def _folded(
    store: "LedgerStore", size: int, ring: Keyring, erased: Mapping[str, object], known: Instant | None = None
) -> Incidents:
    logged = (
        (one.index, one.entry)
        for one in store.entries(stop=size, kinds=KINDS_READ)
        if known is None or one.entry.acted_at <= known
    )
    return incidents(logged, _reading(store), ring.check, frozenset(erased))


def _reading(store: "LedgerStore") -> Callable[[str], Content | None]:
    def read(digest: str) -> Content | None:
        kept = store.sealed(digest)
        return None if kept is None else Content(kept.salt, kept.data)

    return read


def incidents_in(store: "LedgerStore", people: Sequence[Person] = ()) -> tuple[Incident, ...]:
    """Give the incidents of a log, oldest first.

    Args:
        store: the log.
        people: who is in the project now; who acted stands in the log, so that nobody's leaving changes anything.
    """
    del people
    logged = [(one.index, one.entry) for one in store.entries()]
    ring = keyring(logged)
    erased = casework(logged, checked_by(ring)).erased
    return tuple(_folded(store, len(logged), ring, erased).incidents.values())


def incidents_of(world: World) -> Incidents:
    """Give the incidents of the project's log, and the entries about incidents that have no effect.

    Raises:
        LedgerError: LED002, the project keeps no log.
    """
    with closing(world.ledger()) as store:
        return open_incidents(world, store).found


def qualifying(incident: Incident) -> tuple[str, ...]:
    """Give the laws, by their titles, of which a class certainly applies to an incident."""
    applying = {one.kind.law for one in classify(incident) if one.verdict == "applies"}
    return tuple(law.title for law in class_file().laws if law.id in applying)


def settings_of(world: World) -> IncidentSettings:
    """Give what the project sets for its incidents: nothing, if it has no `incidents.yaml`.

    Raises:
        DocumentError: the file is not in order.
    """
    path = world.root / SETTINGS_FILE
    if not path.is_file():
        return IncidentSettings(schema_="tidegate/incident-settings/v1")
    return validate_part(read_document(path, name=str(SETTINGS_FILE)), IncidentSettings)


def severities_of(world: World, incident: Incident) -> tuple[Severity, ...]:
    """Give where an incident stands on the scales of the project."""
    return severities(incident, scales(settings_of(world)))


# --- times as people write them ------------------------------------------------------------------------

_AGO = re.compile(r"(\d{1,4}) (minute|hour|day)s? ago\Z")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_HINT = "write 2026-11-21T09:30:00Z, 2026-11-21T01:30-08:00, `now` or `2 hours ago`"


def time_from(text: str, now: Instant) -> Instant:
    """Give the instant that a person wrote: one with its offset, a day (its first second), or ``2 hours ago``.

    A day is taken from its beginning, in UTC: a clock that counts from it ends early rather than late.

    Raises:
        ProjectError: PRJ005, it is none of these, or has no offset from UTC.
    """
    words = text.strip()
    if words == "now":
        return now
    ago = _AGO.match(words)
    if ago is not None:
        return instant(moment(now) - timedelta(**{f"{ago[2]}s": int(ago[1])}))
    try:
        found = datetime.fromisoformat(words)
        if _DAY.match(words):
            found = found.replace(tzinfo=UTC)
        if found.tzinfo is not None:
            return instant(found)
    except (ValueError, OverflowError):
        pass
    else:
        raise ProjectError(Problem("PRJ005", f"{text[:40]!r} has no offset from UTC", None, _HINT))
    raise ProjectError(Problem("PRJ005", f"{text[:40]!r} is not a time", None, _HINT))


# --- adding --------------------------------------------------------------------------------------------


def open_incident(world: World, said: Said, actor: Actor) -> Incident:
    """Put an incident on record; give it as it stands. What is not known may be left out.

    Raises:
        IncidentError: INC002, times contradict each other or lie ahead; INC003, a name is not known; INC004, it has
            no title.
        SigningError: KEY003, the key does not speak for the person; KEY004, KEY006.
        LedgerError: LED002, the project keeps no log.
    """
    if said.title is None:
        raise IncidentError(Problem("INC004", "the incident has no title", None, "give it a short name: --title"))

    def act(desk: IncidentDesk) -> tuple[Entry, Kept]:
        name = _next_name(desk.found)
        _refuse_other(desk, "record_incident", actor, name)
        _refuse_said(world, None, said)
        kept = _kept(world, said)
        return signed_entry(world, "incident.opened", IncidentOpened(incident=name, content=kept.sealed), actor), kept

    return _entered(world, act)


def _next_name(found: Incidents) -> str:
    """Give the first id of the form ``inc-1`` that no entry has used."""
    used = {*found.incidents, *(one.incident for one in found.voids)}
    return next(name for number in range(1, len(used) + 2) if (name := f"inc-{number}") not in used)


def update_incident(world: World, name: str, said: Said, actor: Actor) -> Incident:
    """Add to an incident, or correct it with a reason; give it as it then is.

    Raises:
        IncidentError: INC001, there is no such incident; INC004, it is closed, or a correction lacks its reason, or
            nothing is said; INC002, INC003.
        SigningError: KEY003, KEY004, KEY006.
    """

    def act(desk: IncidentDesk) -> tuple[Entry, Kept]:
        _refuse_other(desk, "record_incident", actor, name)
        known = _open_one(desk.found, name)
        _refuse_said(world, known, said)
        _refuse_unreasoned(known, said)
        kept = _kept(world, said)
        return signed_entry(world, "incident.updated", IncidentUpdated(incident=name, content=kept.sealed), actor), kept

    return _entered(world, act)


def record_notice(world: World, name: str, notice: Notice, actor: Actor) -> Incident:
    """Put on record that a notice was sent, with its words; give the incident as it then is. One person suffices.

    Raises:
        IncidentError: INC001; INC002, it was sent in the future; INC003, no notice meets the rule.
        SigningError: KEY003, KEY004, KEY006.
    """
    find_template(notice.rule)

    def act(desk: IncidentDesk) -> tuple[Entry, Kept]:
        _refuse_other(desk, "record_incident", actor, name)
        desk.found.find(name)
        early = not_yet("sent", notice.sent_at, world.now())
        if early is not None:
            raise IncidentError(early)
        kept = _kept(world, Said(notice=notice))
        return signed_entry(world, "incident.noticed", IncidentNoticed(incident=name, content=kept.sealed), actor), kept

    return _entered(world, act)


def take_notice_back(world: World, which: tuple[str, str], entry: int, reason: str, actor: Actor) -> Incident:
    """Put on record that a notice was not sent, or not as an entry says; give the incident as it then is.

    The notice meets nothing any more, and stays in the history.

    Args:
        world: the surroundings.
        which: the incident, and the rule whose notice it is.
        entry: position of the entry that says that it was sent.
        reason: why.
        actor: who takes it back.

    Raises:
        IncidentError: INC001; INC003, the entry holds no notice of the incident that counts; INC004, it is closed.
        SigningError: KEY003, KEY004, KEY006.
    """
    name, rule = which

    def act(desk: IncidentDesk) -> tuple[Entry, Kept]:
        _refuse_other(desk, "record_incident", actor, name)
        known = _open_one(desk.found, name)
        standing = [(one.index, one.notice) for one in known.revisions if one.index not in known.taken_back]
        counting = [index for index, notice in standing if notice is not None and notice.rule == rule]
        if entry not in counting:
            message = f"entry {entry} holds no notice of {name} for {rule} that counts"
            hint = f"those that count: {', '.join(f'entry {one}' for one in counting) or 'none'}"
            raise IncidentError(Problem("INC003", message, None, hint))
        kept = _kept(world, Said(not_sent=(entry,), reason=reason))
        return signed_entry(world, "incident.updated", IncidentUpdated(incident=name, content=kept.sealed), actor), kept

    return _entered(world, act)


def close_incident(world: World, name: str, reason: str, actor: Actor, *, anyway: bool = False) -> Incident:
    """Close an incident, from which on its retention runs; give it as it then is.

    Args:
        world: the surroundings.
        name: the incident.
        reason: why, and what was learned.
        actor: who closes it.
        anyway: close it though clocks still run; they go on.

    Raises:
        IncidentError: INC001; INC004, it is closed already, or clocks of it still run.
        SigningError: KEY003, KEY004, KEY006.
    """

    def act(desk: IncidentDesk) -> tuple[Entry, Kept]:
        _refuse_other(desk, "close_incident", actor, name)
        known = _open_one(desk.found, name)
        if not anyway:
            _refuse_running(name, _clocks(world, desk.desk.store, known, world.now()))
        kept = _kept(world, Said(reason=reason))
        return signed_entry(world, "incident.closed", IncidentClosed(incident=name, content=kept.sealed), actor), kept

    return _entered(world, act)


def reopen_incident(world: World, name: str, reason: str, actor: Actor) -> Incident:
    """Open a closed incident again; give it as it then is.

    Raises:
        IncidentError: INC001; INC004, it is open.
        SigningError: KEY003, KEY004, KEY006.
    """

    def act(desk: IncidentDesk) -> tuple[Entry, Kept]:
        _refuse_other(desk, "close_incident", actor, name)
        if desk.found.find(name).state == "open":
            raise IncidentError(Problem("INC004", f"{name} is open already"))
        kept = _kept(world, Said(reason=reason))
        body = IncidentClosed(incident=name, is_reopened=True, content=kept.sealed)
        return signed_entry(world, "incident.closed", body, actor), kept

    return _entered(world, act)


def _entered(world: World, act: Callable[[IncidentDesk], tuple[Entry, Kept]]) -> Incident:
    """Enter an act as it is possible on the log as it stands; try again when others add to it in between."""
    for attempt in range(ATTEMPTS):
        with closing(world.ledger()) as store:
            desk = open_incidents(world, store)
            entry, kept = act(desk)
            try:
                store.append([entry], sealed=[kept.content], expect_size=desk.desk.size)
            except LedgerError as error:
                if error.problems[0].code != "LED006" or attempt == ATTEMPTS - 1:
                    raise
                continue
            return open_incidents(world, store).found.find(entry.body["incident"])
    raise AssertionError


def _kept(world: World, said: Said) -> Kept:
    """Give what is said, with its salt and digest: it is not encrypted.

    Raises:
        IncidentError: INC004, it is too long.
    """
    from tidegate.store.ledger import SealedContent  # noqa: PLC0415 - loads the database

    data = canonical_bytes(said)
    if len(data) > MAX_SAID_BYTES:
        message = f"{len(data):,} bytes; one entry of an incident says at most {MAX_SAID_BYTES:,}"
        raise IncidentError(Problem("INC004", message, None, "shorten it, and import what is long as evidence"))
    salt = secret(world)
    digest, until = salted_digest(salt, data), add(world.today, RETENTION)
    return Kept(Sealed(digest=digest, retain_until=until), SealedContent(digest, salt, data, until))


# --- what is refused -----------------------------------------------------------------------------------


def _refuse_other(desk: IncidentDesk, action: Action, actor: Actor, name: str) -> None:
    person = find_person(desk.desk.people, actor.person)
    why = allowed(Request(person, action, Resource(kind="incident", id=name)))
    if why is not None:
        raise SigningError(Problem("KEY006", why))
    refuse_silent(desk.desk, actor)


def _open_one(found: Incidents, name: str) -> Incident:
    known = found.find(name)
    if known.state == "closed":
        hint = f"open it again with `tidegate incident close {name} --reopen --reason ...`"
        raise IncidentError(Problem("INC004", f"{name} is closed", None, hint))
    return known


def _refuse_said(world: World, known: Incident | None, said: Said) -> None:
    """Refuse what cannot be: unknown names, times ahead, and times that contradict others. Unknown times may be."""
    if said == Said(reason=said.reason):
        raise IncidentError(Problem("INC004", "nothing is added or corrected", None, "say what: --answer, --time ..."))
    for question in said.answers:
        find_question(question)
    refuse_unknown_fields(said.fields)
    if said.severity:
        all_scales: tuple[Scale, ...] = scales(settings_of(world))
        for scale, text in said.severity.items():
            read_severity(scale, text, all_scales)
    now = world.now()
    ahead = [one for name, at in said.times.items() if at and (one := not_yet(name, at, now))]
    if ahead:
        raise IncidentError(*ahead)
    made = merged_with(known, said, by="", at=now)
    before = contradictions(_held(known), known.id) if known else ()
    found = [one for one in contradictions(_held(made), known.id if known else "") if one not in before]
    if found:
        raise IncidentError(*found)


def _held(incident: Incident) -> dict[TimeName, Instant]:
    return {name: one.at for name, one in incident.times.items() if one.at is not None}


def _refuse_unreasoned(known: Incident, said: Said) -> None:
    """Ask for the reason where a time or an answer that somebody gave is changed: clocks may stop by it."""
    if said.reason is not None:
        return
    times = [name for name, at in said.times.items() if name in known.times and known.times[name].at != at]
    answers = [name for name, one in said.answers.items() if known.answers.get(name, "unknown") not in ("unknown", one)]
    if times or answers:
        changed = ", ".join(f"`{name}`" for name in (*times, *answers))
        raise IncidentError(
            Problem("INC004", f"{changed} is on record otherwise", None, "say why it changes: --reason")
        )


def _refuse_running(name: str, found: Iterable[IncidentClock]) -> None:
    running = [one.rule.id for one in found if one.state in COUNTING or one.state == "unclear"]
    if running:
        message = f"clocks of {name} still run, or wait for a time or an answer: {', '.join(running)}"
        hint = "see `tidegate incident clocks`; close it nevertheless with --anyway, and they go on"
        raise IncidentError(Problem("INC004", message, None, hint))


# --- clocks and notices --------------------------------------------------------------------------------


def clocks_of(world: World, name: str, at: Instant | None = None) -> tuple[IncidentClock, ...]:
    """Give every clock of an incident, as of a moment (now, if none), with why it runs or does not.

    What was recorded after the moment is not used: neither a later correction nor a notice.

    Raises:
        IncidentError: INC001, there is no such incident, or it was not yet on record.
        ObligationError: the project's rules are not in order.
    """
    with closing(world.ledger()) as store:
        desk = open_incidents(world, store)
        incident = desk.found.find(name)
        if at is not None and at < world.now():
            then = incidents_at(desk.desk, at).incidents
            if name not in then:
                message = f"{name} was not on record at {at}"
                hint = f"it was opened at {incident.opened_at}"
                raise IncidentError(Problem("INC001", message, None, hint))
            incident = then[name]
        return _clocks(world, store, incident, at or world.now())


def _clocks(world: World, store: "LedgerStore", incident: Incident, at: Instant) -> tuple[IncidentClock, ...]:
    ground = _ground_of(world, store, at)
    return clocks(incident, ground.rules, at, ground.setting_at(at), ground.events)


def all_clocks(world: World, at: Instant | None = None) -> Mapping[str, tuple[IncidentClock, ...]]:
    """Give the clocks of every incident, by its id."""
    with closing(world.ledger()) as store:
        found = open_incidents(world, store).found
        moment_at = at or world.now()
        ground = _ground_of(world, store, moment_at)
        setting = ground.setting_at(moment_at)
        return {
            name: clocks(one, ground.rules, moment_at, setting, ground.events) for name, one in found.incidents.items()
        }


@dataclass(frozen=True)
class _Against:
    """What clocks are read against."""

    rules: tuple[Rule, ...]
    setting: Setting
    records: DutyRecords
    own: tuple[Event, ...]

    @property
    def events(self) -> tuple[Event, ...]:
        """Events that people put on record."""
        return (*(one.event for one in self.records.events), *self.own)

    def setting_at(self, at: Instant) -> Setting:
        """Give the setting, with the waivers that count at a moment."""
        return replace(self.setting, waivers=self.records.waivers_at(at))


def _ground_of(world: World, store: "LedgerStore", known: Instant) -> _Against:
    """Give the rules in force, and what they are read against, from what was recorded up to a moment.

    The policy is that of the log: files that are out of order keep nobody from seeing what is due within a day.
    """
    from tidegate.obligations.policy_rules import rules_of_policy  # noqa: PLC0415 - reads packs; recording does not
    from tidegate.obligations.rules import merged  # noqa: PLC0415

    logged = files_in(store).policy_document
    policy = () if logged is None else rules_of_policy(Policy.model_validate_json(store.document(logged)))
    own = read_obligations(world.root)
    rules, setting = merged(own.file, policy, document=own.document)
    logged_now = [(one.index, one.entry) for one in store.entries()]
    people = read_settings(world.root).people
    ground = Ground(keyring(logged_now), store.documents_get, {one.id: one for one in rules}, people)
    entries = [one for one in logged_now if one[1].acted_at <= known]
    return _Against(rules, setting, duty_records(entries, ground), own.file.events)


def draft_of(world: World, name: str, rule: str) -> Draft:
    """Give the draft of a notice, filled from the record.

    Raises:
        IncidentError: INC001, there is no such incident; INC003, no notice meets the rule.
    """
    settings = read_settings(world.root)
    incident = incidents_of(world).find(name)
    return draft(incident, rule, Sender(settings.organisation, settings.contact or ""), world.now())


# --- what people type ----------------------------------------------------------------------------------


def said_from(data: Mapping[str, object]) -> Said:
    """Give what somebody says of an incident, from names and values.

    Raises:
        IncidentError: INC003, a name is not known, or a value is not of its form.
    """
    given = {name: value for name, value in data.items() if value not in (None, {}, ())}
    try:
        return Said.model_validate(given)
    except ValidationError as error:
        raise IncidentError(*(_refused(one["loc"], one["msg"]) for one in error.errors(include_url=False))) from None


def _refused(place: tuple[int | str, ...], message: str) -> Problem:
    hints = {
        "times": "see the names of times with `tidegate incident questions`",
        "answers": "answers are yes, no and unknown",
        "jurisdictions": "write us-ca, us-ny, us-il, eu, or the code of a country in small letters",
    }
    name = ".".join(str(one) for one in place if one != "[key]")
    return Problem("INC003", f"{name}: {message}", None, hints.get(str(place[0])))

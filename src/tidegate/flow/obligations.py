# SPDX-License-Identifier: Apache-2.0
"""What is due: everything on record gathered, every rule applied to it; events recorded and duties set aside.

An answer for an earlier day uses nothing that was recorded later: the policy, the models and the log are read as they
stood then. Rules, and what `obligations.yaml` says, are those of now.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.evidence.models import Model
from tidegate.flow.duty_events import (
    Adopted,
    Files,
    Found,
    Log,
    Unrecorded,
    adoptions,
    earlier_versions,
    file_change,
    file_events,
    first_days,
    log_events,
    model_sources,
    unrecorded_changes,
)
from tidegate.flow.governing import read_log
from tidegate.flow.ledgers import ATTEMPTS, Act, Actor, AsLogged, as_logged, doubts, entry_of
from tidegate.flow.world import World
from tidegate.govern.decisions import content_digest
from tidegate.govern.duties import (
    PLANNED,
    DutyRecords,
    Ground,
    RecordedEvent,
    WaiverRecord,
    duty_records,
    same_event,
    waiver_needs,
)
from tidegate.govern.governance import Governance, governance
from tidegate.govern.keyring import Keyring, keyring
from tidegate.govern.people import Person
from tidegate.govern.records import DecisionRecord
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.clock import Instant, day_of
from tidegate.kernel.documents import did_you_mean, read_bytes
from tidegate.kernel.errors import LedgerError, ObligationError, Problem, SigningError
from tidegate.ledger.acts import EventRecorded, ObligationWaived
from tidegate.ledger.entries import Entry
from tidegate.obligations.engine import due
from tidegate.obligations.model import Duty, Event, ObligationFile, Rule, Setting
from tidegate.obligations.policy_rules import rules_of_policy
from tidegate.obligations.reasons import IN_FORCE
from tidegate.obligations.rules import merged
from tidegate.policy.model import Policy
from tidegate.store.project import Project
from tidegate.store.publication import OBLIGATIONS, Obligations, read_obligations

if TYPE_CHECKING:
    from tidegate.store.ledger import LedgerStore

MAX_SHOWN_BYTES = 20_000_000
"""A document that shows an event is kept with the log; a certificate or an audit report is smaller."""
LAST_SECOND = "T23:59:59Z"


@dataclass(frozen=True)
class Standing:
    """What is due at a moment, with all that it follows from."""

    at: Instant
    """The moment."""
    organisation: str
    """Whose duties they are."""
    policy: Policy
    """The policy that was adopted."""
    policy_source: str
    """Where it stands: ``policy/house.yaml``, ``pack starter``."""
    newest: tuple[Policy, str]
    """The policy as it was known, which may be a later one, and where it stands."""
    events: tuple[Event, ...]
    """Everything that rules count from."""
    rules: tuple[Rule, ...]
    """Every rule: shipped, of the project, of the policy, of decisions."""
    setting: Setting
    """What rules are read against; its waivers are those with all their signatures."""
    duties: tuple[Duty, ...]
    """Every duty, the worst and nearest first."""
    records: DutyRecords = field(default=DutyRecords(), repr=False)
    """Recorded events with their history, and every waiver with its signatures."""
    governance: Governance = field(default=Governance(Keyring()), repr=False)
    """Who decided what."""
    people: tuple[Person, ...] = ()
    """People of the project."""
    unrecorded: tuple[Unrecorded, ...] = ()
    """Changes of what decides, within one version of the policy, that it holds no entry for."""
    doubts: tuple[str, ...] = ()
    """Why the record cannot be relied on; nothing if it can."""
    gaps: tuple[str, ...] = ()
    """What nothing is counted from, because its date is not on record or no rule knows it."""

    def rule(self, name: str) -> Rule:
        """Give a rule.

        Raises:
            ObligationError: OBL002, there is none of this id.
        """
        known = {one.id: one for one in self.rules}
        if name not in known:
            hint = did_you_mean(name, known) or "see `tidegate due rules`"
            raise ObligationError(Problem("OBL002", f"there is no rule {name!r}", None, hint))
        return known[name]

    def waiver_of(self, duty: Duty) -> WaiverRecord | None:
        """Give the waiver that a duty is under, with who signed it."""
        return next(
            (one for one in self.records.waivers if duty.waiver is not None and one.waiver == duty.waiver), None
        )


def end_of(day: date) -> Instant:
    """Give the last second of a day, in UTC."""
    return f"{day.isoformat()}{LAST_SECOND}"


# --- what is due ----------------------------------------------------------------------------------------


def standing(world: World, at: Instant | None = None, *, known: Instant | None = None) -> Standing:
    """Give what is due at a moment (now, if none), from what was on record by then.

    Args:
        world: the surroundings.
        at: the moment.
        known: what was recorded later is not used; that is `at`, if none. With a later one, what was recorded since
            about the time before `at` counts as well; the policy is that of `at`.

    Raises:
        ObligationError: OBL001, OBL002, the rules contradict each other; OBL003, an event lies in the future.
        TidegateError: the project or its log is not in order.
    """
    moment = at or world.now()
    project = world.project()
    own = read_obligations(project.root)
    _refuse_future(own, world.today)
    if project.record.ledger is None:
        files = _files(project, project.policy.policy, project.models)
        found = file_events(files) + Found(file_change(files.policy, files.policy_source))
        read = _Read(files, found)
    else:
        with closing(world.ledger()) as store:
            read = _read(world, _Asked(project, own, at, known or at), store)
    return _standing(moment, project, own, read)


def _standing(at: Instant, project: Project, own: Obligations, read: "_Read") -> Standing:
    rules, setting = _merged(own, read.files.policy, read.governance, read.since)
    recorded = tuple(one.event for one in read.records.events if _still_counts(one, at))
    events = (*read.found.events, *recorded, *_own_events(own.file))
    setting = Setting(setting.facts, setting.without, setting.calendars, read.records.waivers_at(at))
    return Standing(
        at=at,
        organisation=project.record.organisation,
        policy=read.files.policy,
        policy_source=read.files.policy_source,
        newest=read.newest or (read.files.policy, read.files.policy_source),
        events=events,
        rules=rules,
        setting=setting,
        duties=due(events, rules, at, setting),
        records=read.records,
        governance=read.governance,
        people=project.record.people,
        unrecorded=read.unrecorded,
        doubts=read.doubts,
        gaps=(*_without_facts(own.file), *read.found.gaps, *_unknown_kinds(own.file, rules)),
    )


def _still_counts(one: RecordedEvent, at: Instant) -> bool:
    """Tell whether a recorded event counts: what was only planned, and whose day has passed, did not thereby happen."""
    return not one.act.is_planned or one.act.kind.endswith(PLANNED) or one.act.on >= day_of(at)


def _merged(
    own: Obligations, policy: Policy, read: Governance, since: Mapping[str, date]
) -> tuple[tuple[Rule, ...], Setting]:
    others = (*rules_of_policy(policy, since), *decision_rules(read.decisions.values()))
    return merged(own.file, others, document=own.document)


@dataclass(frozen=True)
class _Read:
    """What a project has on record."""

    files: Files
    found: Found
    records: DutyRecords = field(default=DutyRecords())
    governance: Governance = field(default=Governance(Keyring()))
    doubts: tuple[str, ...] = ()
    newest: tuple[Policy, str] | None = None
    unrecorded: tuple[Unrecorded, ...] = ()
    since: Mapping[str, date] = field(default_factory=dict)
    """Item of the policy -> day on which the first version that holds it took effect."""


@dataclass(frozen=True)
class _Asked:
    """What is read, and for when."""

    project: Project
    own: Obligations
    at: Instant | None
    """The moment that is asked about; now, if none."""
    known: Instant | None
    """Up to when entries are used; all of them, if none."""


def _read(world: World, asked: _Asked, store: "LedgerStore") -> _Read:
    project, known = asked.project, asked.known
    assert project.record.ledger is not None, "only a project with a log is read so"
    people = project.record.people
    log = read_log(store, people, project.record.ledger, project.root)
    entries = [(one.index, one.entry) for one in store.entries() if known is None or one.entry.acted_at <= known]
    read = log.governance if len(entries) == log.size else governance(entries, store.documents_get, people)
    then, stood = _stood(world, store, asked.at), _stood(world, store, known)
    policy, models = then.policy if then else project.policy.policy, stood.models if stood else project.models
    files = _files(project, policy, models)
    adopted = adoptions(store, entries)
    newest = stood.policy if stood else project.policy.policy
    source = _source(project, newest, adopted)
    files = replace(files, policy_source=_source(project, policy, adopted))
    told = Log(store, entries, read, models, adopted)
    found = file_events(files) + Found(log_events(told))
    versions = [one for one in adopted if asked.at is None or one.at <= asked.at]
    found += Found(earlier_versions(versions, policy))
    since = first_days(versions, policy)
    if not any(one.kind == "policy.changed" and one.subject == policy.label for one in found.events):
        found += Found(file_change(policy, files.policy_source))
    rules, _ = _merged(asked.own, policy, read, since)
    records = duty_records(entries, _ground(store, read.keyring, rules, people))
    against = (*log.unsound, *log.unsigned, *told.broken, *(() if stood else doubts(project, store)))
    return _Read(files, found, records, read, against, (newest, source), unrecorded_changes(adopted), since)


def _stood(world: World, store: "LedgerStore", at: Instant | None) -> AsLogged | None:
    """Give policy and models as the log held them on an earlier day; none for today, and before its first policy."""
    return as_logged(store, day_of(at)) if at is not None and day_of(at) < world.today else None


def _source(project: Project, policy: Policy, adopted: Sequence[Adopted]) -> str:
    """Give where a policy stands: its file, or the entry that adopted it, if the file holds another by now."""
    file = project.record.policy.file or f"pack {project.record.policy.pack}"
    if policy.digest == project.policy.policy.digest:
        return file
    says = content_digest(policy)
    return next((f"entry {one.index}" for one in reversed(adopted) if one.says == says), file)


def _ground(store: "LedgerStore", ring: Keyring, rules: Iterable[Rule], people: Sequence[Person]) -> Ground:
    return Ground(ring, store.documents_get, {one.id: one for one in rules}, people)


def _files(project: Project, policy: Policy, models: Sequence[Model]) -> Files:
    return Files(policy, models, _source(project, policy, ()), model_sources(project.root, models))


# --- obligations.yaml -----------------------------------------------------------------------------------


def _own_events(file: ObligationFile) -> Iterator[Event]:
    for one in file.events:
        yield one if one.source else one.model_copy(update={"source": str(OBLIGATIONS)})


def _refuse_future(own: Obligations, today: date) -> None:
    """Refuse events that cannot have happened yet.

    Raises:
        ObligationError: OBL003.
    """
    ahead = {clock.on for rule in own.file.rules for clock in rule.clocks or () if clock.before is not None}
    hint = f"write it down once it has happened; a plan is of a kind that ends in `{PLANNED}`"
    problems = [
        Problem("OBL003", f"{one.kind} on {one.at} lies in the future", own.where(("events", number)), hint)
        for number, one in enumerate(own.file.events)
        if _day(one) > today and not one.kind.endswith(PLANNED) and one.kind not in ahead
    ]
    if problems:
        raise ObligationError(*problems)


def _day(event: Event) -> date:
    return event.at if isinstance(event.at, date) else day_of(event.at)


def kinds_of(rules: Iterable[Rule]) -> frozenset[str]:
    """Give every kind of event that a rule counts from, is met by or ends with."""
    found: set[str] = set()
    for rule in rules:
        found |= {f"done:{rule.id}", f"{IN_FORCE}:{rule.id}", *rule.done_by, *rule.ends_on}
        for clock in rule.clocks or ():
            found |= {clock.on, *filter(None, (clock.since, clock.replaced_by))}
    return frozenset(found)


def _without_facts(file: ObligationFile) -> Iterator[str]:
    """Tell that no law applies because nothing is said of the organisation; `facts: []` says that none is so."""
    if "facts" not in file.model_fields_set:
        yield (
            f"{OBLIGATIONS} does not say what is so of the organisation (`facts`), so that no law, code or standard "
            "applies; `facts: []` says that nothing is"
        )


def _unknown_kinds(file: ObligationFile, rules: Sequence[Rule]) -> Iterator[str]:
    known = kinds_of(rules)
    for kind in dict.fromkeys(one.kind for one in file.events):
        if kind not in known:
            near = did_you_mean(kind, known)
            yield f"{OBLIGATIONS}: no rule counts from {kind}{f'; {near}' if near else ''}"


# --- decisions ------------------------------------------------------------------------------------------


def decision_rules(decisions: Iterable[DecisionRecord]) -> tuple[Rule, ...]:
    """Give what decisions that took effect ask for: conditions, and whom to tell; `done:<rule id>` meets each."""
    return tuple(rule for one in decisions for rule in _asked(one))


def _asked(record: DecisionRecord) -> Iterator[Rule]:
    if record.effective_on is None or record.state not in ("effective", "expired"):
        return
    name = re.sub(r"[^a-z0-9._-]+", "-", record.id.lower())[:60]
    base = {"kind": "policy", "source": f"decision:{record.id}", "is_public": False}
    for number, one in enumerate(record.document.conditions, 1):
        yield Rule.model_validate(
            {
                **base,
                "id": f"decision/{name}/condition-{number}",
                "title": f"Condition {number} of {record.id}",
                "text": one.text,
                "owner": one.owner,
                "due": one.due,
            }
        )
    for notice in record.document.notices:
        yield Rule.model_validate(
            {
                **base,
                "id": f"decision/{name}/notice-{notice.to}",
                "title": f"Tell the {notice.to} of {record.id}",
                "text": notice.text or "",
                "to": notice.to,
                "due": notice.due,
            }
        )


# --- recording ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewEvent:
    """Something that happened, or is planned, as somebody records it."""

    kind: str
    on: date
    subject: str | None = None
    covers: date | None = None
    amount: str | None = None
    facts: tuple[str, ...] = ()
    document: Path | None = None
    """File that shows it; the log names its digest, and its store keeps it."""
    note: str | None = None
    is_planned: bool = False
    corrects: str | None = None
    """Entry that it takes the place of: its number or id."""


@dataclass(frozen=True)
class NewWaiver:
    """A duty that somebody signs to set aside. Without a last day, the one that waits for signatures is signed."""

    rule: str
    until: date | None = None
    reason: str | None = None
    role: str | None = None
    due: date | None = None
    subject: str | None = None
    is_public: bool = True


@dataclass(frozen=True)
class Desk:
    """How things stand when somebody records something."""

    records: DutyRecords
    rules: dict[str, Rule]
    policy: Policy
    ring: Keyring


def record_event(world: World, given: NewEvent, actor: Actor) -> RecordedEvent:
    """Put an event on record, signed; give it as it stands there.

    Raises:
        ObligationError: OBL002, no rule knows the kind; OBL003, it lies in the future or lacks what its rule asks for.
        TidegateError: KEY003, LED002, LED006, or the document cannot be read.
    """
    shown = (read_bytes(given.document, max_bytes=MAX_SHOWN_BYTES),) if given.document else ()

    def make(desk: Desk) -> Act:
        _refuse_unknown(given, desk.rules.values())
        earlier = _entry(desk, given.corrects) if given.corrects is not None else None
        body = EventRecorded(
            kind=given.kind,
            on=given.on,
            is_planned=given.is_planned,
            subject=given.subject,
            amount=given.amount,
            covers=given.covers,
            facts=given.facts,
            document=digest_bytes(shown[0]) if shown else None,
            note=given.note,
            takes_back=earlier.id if earlier else None,
        )
        if earlier is not None and same_event(earlier.act, body):
            hint = "to take it back altogether: `tidegate due take-back`"
            raise ObligationError(Problem("OBL003", f"it says the same as entry {earlier.index}", None, hint))
        return Act("event.recorded", body, actor, documents=shown)

    index, after = _enter(world, make)
    return next(one for one in after.recorded if one.index == index)


def take_back(world: World, entry: str, reason: str, actor: Actor) -> RecordedEvent:
    """Take an event back: it no longer counts, and stays on record with who took it back and why.

    Raises:
        ObligationError: OBL003, there is no such event, or it does not count any more.
        TidegateError: KEY003, LED002, LED006.
    """

    def make(desk: Desk) -> Act:
        earlier = _entry(desk, entry)
        body = earlier.act.model_copy(update={"takes_back": earlier.id, "note": reason})
        return Act("event.recorded", body, actor)

    index, after = _enter(world, make)
    return next(one for one in after.recorded if one.index == index)


def waive(world: World, given: NewWaiver, actor: Actor) -> WaiverRecord:
    """Sign that a duty is set aside; it counts once all have signed the same whom the policy names.

    Raises:
        ObligationError: OBL002, there is no such rule; OBL004, it cannot be waived so.
        TidegateError: KEY003, KEY004, KEY006, LED002, LED006.
    """

    def make(desk: Desk) -> Act:
        role = given.role or _role(desk, actor)
        if given.until is None:
            terms = _waiting(desk, given.rule).terms.model_copy(update={"role": role})
        elif given.reason is None:
            hint = "say why: --reason"
            raise ObligationError(Problem("OBL004", f"the waiver of {given.rule} has no reason", None, hint))
        else:
            terms = ObligationWaived(
                rule=given.rule,
                subject=given.subject,
                due=given.due,
                until=given.until,
                reason=given.reason,
                role=role,
                is_public=given.is_public,
            )
        return Act("obligation.waived", terms, actor)

    index, after = _enter(world, make)
    return next(one for one in after.waivers if any(signed.index == index for signed in one.signatures))


def _refuse_unknown(given: NewEvent, rules: Iterable[Rule]) -> None:
    """Refuse what would do nothing: a kind that no rule knows, or without what a rule counts from."""
    known = tuple(rules)
    if given.kind not in kinds_of(known):
        hint = (
            did_you_mean(given.kind, kinds_of(known)) or "see `tidegate due rules`, or add a rule to obligations.yaml"
        )
        raise ObligationError(Problem("OBL002", f"no rule counts from {given.kind!r}", None, hint))
    for rule in known:
        meets = given.kind in (*rule.done_by, f"done:{rule.id}")
        if meets and rule.coverage_at_most is not None and given.covers is None:
            message = f"{rule.id} asks up to which day it covers what is known"
            raise ObligationError(Problem("OBL003", message, None, "say it: --covers DATE"))
        for clock in rule.clocks or ():
            if clock.ratio is not None and given.kind == clock.on and given.amount is None:
                message = f"{rule.id} counts from the amount of {given.kind}"
                raise ObligationError(Problem("OBL003", message, None, "say it: --amount NUMBER"))


def _entry(desk: Desk, name: str) -> RecordedEvent:
    """Give a recorded event that counts, by the number or id of its entry."""
    found = [one for one in desk.records.recorded if name in (str(one.index), one.id)]
    hint = "see `tidegate due events`"
    if not found:
        raise ObligationError(Problem("OBL003", f"entry {name} is no recorded event", None, hint))
    one = found[0]
    if one.is_retraction or one.replaced_by is not None:
        by = f" since entry {one.replaced_by}" if one.replaced_by is not None else ""
        raise ObligationError(Problem("OBL003", f"entry {one.index} does not count{by}", None, hint))
    return one


def _role(desk: Desk, actor: Actor) -> str:
    """Give the role in which somebody signs, where only one of theirs may."""
    held = {role for one in desk.ring.active() if one.fingerprint == actor.signer.fingerprint for role in one.roles}
    signing = sorted(held & {role for need in waiver_needs(desk.policy) for role in need.signers})
    if len(signing) == 1:
        return signing[0]
    if signing:
        message = f"{actor.person} may sign waivers as {' or '.join(signing)}"
        raise SigningError(Problem("KEY004", message, None, "say in which role: --role ROLE"))
    if not waiver_needs(desk.policy):
        # Any role will do: the log itself says why nobody's counts.
        return next(iter(sorted(held)), "nobody")
    raise SigningError(Problem("KEY004", f"{actor.person} holds no role that signs waivers under the policy"))


def _waiting(desk: Desk, rule: str) -> WaiverRecord:
    """Give the waiver of a rule that waits for signatures, if there is one and no other."""
    found = [one for one in desk.records.waivers if one.terms.rule == rule and one.missing is not None]
    if len(found) == 1:
        return found[0]
    message = f"no waiver of {rule} waits for signatures" if not found else f"several waivers of {rule} wait"
    raise ObligationError(Problem("OBL004", message, None, "say until when and why: --until DATE --reason TEXT"))


def _enter(world: World, make: Callable[[Desk], Act]) -> tuple[int, DutyRecords]:
    """Enter an act once it is certain that it has its effect; give its position, and the records with it."""
    for attempt in range(ATTEMPTS):
        try:
            return _enter_once(world, make)
        except LedgerError as error:
            if error.problems[0].code != "LED006" or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


def _enter_once(world: World, make: Callable[[Desk], Act]) -> tuple[int, DutyRecords]:
    with closing(world.ledger()) as store:
        project = world.project()
        people = project.record.people
        entries: list[tuple[int, Entry]] = [(one.index, one.entry) for one in store.entries()]
        read = governance(entries, store.documents_get, people)
        since = first_days(adoptions(store, entries), project.policy.policy)
        rules, _ = _merged(read_obligations(project.root), project.policy.policy, read, since)
        before = duty_records(entries, _ground(store, read.keyring, rules, people))
        desk = Desk(before, {one.id: one for one in rules}, project.policy.policy, read.keyring)
        size = len(entries)
        act = make(desk)
        entries.append((size, entry_of(world, act)))
        after = duty_records(entries, _ground(store, keyring(entries), rules, people))
        after.refuse_void(size)
        store.append([entries[-1][1]], documents=act.documents, expect_size=size)
        return size, after

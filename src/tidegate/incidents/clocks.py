# SPDX-License-Identifier: Apache-2.0
"""The clocks of an incident: each that runs, from which event, until when; and why each other one does not.

A class that cannot be told yet is treated as one that applies: its clock is shown with its date, and counts as running
until somebody answers the question that is open.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from tidegate.incidents.model import TIME_MEANINGS, Incident, Notice, Stated
from tidegate.incidents.questions import (
    ClassFinding,
    Law,
    answers_of,
    class_file,
    classify,
    facts_of,
    open_questions,
    questions,
)
from tidegate.kernel.clock import Instant, day_of, moment
from tidegate.obligations.engine import due
from tidegate.obligations.model import STATE_WORDS, STATES, Duty, Event, Rule, Setting, State

COUNTING: frozenset[State] = frozenset({"late", "due_soon", "due"})
"""States in which something is to be done by a date."""
_AFTERWARDS = frozenset({"incident.contained", "incident.resolved"})
"""What happens in time; a clock that waits for anything else waits for somebody to write down what they know."""
_EVENT = "incident."
_DONE = "done:"


@dataclass(frozen=True)
class IncidentClock:
    """A rule of a law or of the own policy, applied to an incident."""

    rule: Rule
    state: State
    """How it stands; ``late``, ``due_soon`` and ``due`` count down."""
    why: str
    """From what it is counted, or why it does not run."""
    duty: Duty | None = None
    """The date, where there is one."""
    is_possible: bool = False
    """True if a class that cannot be told yet starts it: it would run."""
    open_questions: tuple[str, ...] = ()
    """Questions whose answers decide whether it runs."""
    timezone: str = "UTC"
    """Time zone in which its days are counted."""

    @property
    def law(self) -> str:
        """Short title of the law, or kind of rule."""
        found = law_of(self.rule)
        return found.title if found is not None else self.rule.kind

    @property
    def started(self) -> Event | None:
        """Event that it is counted from."""
        if self.duty is None or not self.duty.started:
            return None
        pick = max if self.rule.binds == "latest" else min
        return pick(self.duty.started, key=lambda one: str(one.at))

    @property
    def due_at(self) -> Instant | None:
        """Last moment in which it is done in time."""
        return self.duty.due_at if self.duty is not None else None

    def left(self, at: Instant) -> timedelta | None:
        """Give the time until its last moment, negative once that has passed; none if nothing counts down."""
        if self.due_at is None or self.state not in COUNTING:
            return None
        return moment(self.due_at) - moment(at)


def state_words(clock: IncidentClock) -> str:
    """Give how a clock stands, in words."""
    words = STATE_WORDS[clock.state]
    return f"would run, {words}" if clock.is_possible else words


def time_words(left: timedelta) -> str:
    """Give a length of time in its two largest units; one that is negative as being late.

    >>> time_words(timedelta(days=3, hours=4, minutes=50))
    '3 d 4 h'
    >>> time_words(timedelta(minutes=-90))
    'late by 1 h 30 min'
    """
    seconds = int(abs(left.total_seconds()))
    parts = ((seconds // 86_400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"))
    first = next((at for at, (count, _) in enumerate(parts) if count), 2)
    shown = " ".join(f"{count} {unit}" for count, unit in parts[first : first + 2])
    return f"late by {shown}" if left.total_seconds() < 0 else shown


def law_of(rule: Rule) -> Law | None:
    """Give the law that a rule is of; none for a rule of the project."""
    return next((law for law in class_file().laws if law.id == rule.id.split(".", 1)[0]), None)


# --- events --------------------------------------------------------------------------------------------


def events_of(incident: Incident, findings: Sequence[ClassFinding] | None = None) -> tuple[Event, ...]:
    """Give what happened in an incident, as events that rules count from.

    Their facts are those of every class that applies, or that cannot be told yet, and the jurisdictions. Of kinds that
    share one report, the kind with the shortest period stands alone once it is certain. After its record was erased,
    nothing follows from an incident.

    Args:
        incident: the incident.
        findings: its classes, if they are known already.
    """
    if is_gone(incident):
        return ()
    found = classify(incident) if findings is None else findings
    sure, maybe = _facts(found)
    note = _note(found) if maybe else None
    facts = sure | maybe | frozenset(incident.jurisdictions)
    times = [_event(incident, one, facts, note) for one in incident.times.values()]
    if "discovered" not in incident.times:
        times.append(_discovered(incident, facts))
    sent = [_sent(incident, rule, one, facts) for one in incident.notices for rule in _met_by(one, sure | maybe)]
    return tuple(sorted((*times, *sent), key=lambda one: (str(one.at), one.kind)))


def is_gone(incident: Incident) -> bool:
    """Tell whether nothing is left of an incident: closed, and all that was said of it erased."""
    is_over = incident.state == "closed" and incident.erased
    return is_over and all(one.said is None for one in incident.revisions)


def _facts(findings: Iterable[ClassFinding]) -> tuple[frozenset[str], frozenset[str]]:
    """Give the facts that are certain, and those that are only possible, without those whose clock gives way."""
    found = tuple(findings)
    sure = facts_of(found, "applies")
    waived = {longer for longer, _ in _giving_way(sure)}
    maybe = facts_of(found, "open") - sure
    return sure - waived, maybe - waived


def _giving_way(sure: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """Give each fact whose clock gives way to a shorter one that certainly runs: (fact, rule that runs)."""
    found: list[tuple[str, str]] = []
    for group in class_file().shortest:
        shortest = next((at for at, one in enumerate(group) if one.fact in sure), len(group))
        found += [(one.fact, group[shortest].rule) for one in group[shortest + 1 :]]
    return tuple(found)


def _note(findings: Iterable[ClassFinding]) -> str:
    names = [one.id for one in open_questions(findings)]
    return f"counted as what it could be until these are answered: {', '.join(names)}"


def _event(incident: Incident, stated: Stated, facts: frozenset[str], note: str | None) -> Event:
    assert stated.at is not None, "a time that was taken back is no time that holds"
    return Event(
        kind=f"{_EVENT}{stated.name}",
        at=stated.at,
        subject=incident.id,
        facts=facts,
        source=f"entry {stated.index}",
        note="; ".join(one for one in (_told(incident, stated), note) if one) or None,
    )


def _told(incident: Incident, stated: Stated) -> str | None:
    """Say what a time was stated as before; else, that it was stated only on a later day than its own."""
    before = [one for one in incident.history if one.name == stated.name and one.index < stated.index]
    if before:
        words = ", then ".join(one.at or "taken back" for one in before)
        why = f" ({stated.reason})" if stated.reason else ""
        return f"`{stated.name}` was stated before as {words}; corrected on {day_of(stated.recorded_at)}{why}"
    is_later = stated.at is not None and _is_later(stated.recorded_at, stated.at)
    return f"`{stated.name}` was {_recorded(stated.recorded_at)}" if is_later else None


def _discovered(incident: Incident, facts: frozenset[str]) -> Event:
    """Give the discovery of an incident whose time is not stated, or cannot be read: who recorded it knew of it."""
    before = [str(one.at) for one in incident.history if one.name == "discovered" and one.at is not None]
    note = "its time is not stated; it was known at the latest when it was put on record"
    note += f"; `discovered` was stated as {', then '.join(before)}, and taken back" if before else ""
    return Event(kind="incident.discovered", at=incident.opened_at, subject=incident.id, facts=facts, note=note)


def _sent(incident: Incident, rule: str, notice: Notice, facts: frozenset[str]) -> Event:
    found = next((one for one in incident.revisions if one.notice is notice), None)
    note = f"{notice.kind} notice to {notice.to}"
    return Event(
        kind=f"{_DONE}{rule}",
        at=notice.sent_at,
        subject=incident.id,
        facts=facts,
        source=f"entry {found.index}" if found is not None else "",
        note=f"{note}, {_recorded(found.at)}" if found is not None and _is_later(found.at, notice.sent_at) else note,
    )


def _is_later(recorded: Instant, at: Instant) -> bool:
    """Tell whether something was put on record only on a later day."""
    return day_of(recorded) > day_of(at)


def _recorded(at: Instant) -> str:
    return f"put on record on {day_of(at)}"


def _met_by(notice: Notice, facts: frozenset[str]) -> tuple[str, ...]:
    """Give the rules that a notice meets: of kinds that share one report, every one that is in question."""
    for group in class_file().shortest:
        if notice.rule in {one.rule for one in group}:
            met = tuple(one.rule for one in group if one.fact in facts)
            return met or (notice.rule,)
    return (notice.rule,)


# --- clocks --------------------------------------------------------------------------------------------


def incident_rules(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Give the rules that count from what happens in an incident, or from a report about one."""
    given = tuple(rules)
    found: dict[str, Rule] = {}
    while True:
        starts = tuple(f"{_DONE}{name}" for name in found)
        more = {
            rule.id: rule
            for rule in given
            if rule.id not in found
            and any(clock.on.startswith(_EVENT) or clock.on in starts for clock in rule.clocks or ())
        }
        if not more:
            return tuple(rule for rule in given if rule.id in found)
        found |= more


def clocks(
    incident: Incident,
    rules: Iterable[Rule],
    at: Instant,
    setting: Setting | None = None,
    recorded: Iterable[Event] = (),
) -> tuple[IncidentClock, ...]:
    """Give every clock that an incident could start: how it stands, and why; what is late or nearest comes first.

    Args:
        incident: the incident.
        rules: rules in force or to come; only those of incidents are looked at.
        at: the moment as of which they are computed.
        setting: what is so of the organisation.
        recorded: events that were put on record beside incidents; those about this one count.
    """
    setting = setting or Setting()
    findings = classify(incident)
    wanted = incident_rules(rules)
    besides = tuple(one for one in recorded if one.subject == incident.id)
    view = _View(incident, findings, (*events_of(incident, findings), *besides), setting, at)
    duties = due(view.events, wanted, at, setting)
    zones = {one.id: one.timezone for one in setting.calendars}
    made = [_clock(view, rule, [one for one in duties if one.rule.id == rule.id]) for rule in wanted]
    return tuple(sorted((replace(one, timezone=zones.get(one.rule.calendar, "UTC")) for one in made), key=_order))


def _order(clock: IncidentClock) -> tuple[int, str, str]:
    return STATES.index(clock.state), clock.due_at or "9999", clock.rule.id


@dataclass(frozen=True)
class _View:
    incident: Incident
    findings: tuple[ClassFinding, ...]
    events: tuple[Event, ...]
    setting: Setting
    at: Instant

    def needing(self, rule: Rule) -> tuple[ClassFinding, ...]:
        """Give the classes that make every fact that a rule asks of an incident; none if it asks for none."""
        asked = set(rule.only_if) & {fact for one in self.findings for fact in one.kind.facts}
        return tuple(one for one in self.findings if asked and asked <= set(one.kind.facts))


def _clock(view: _View, rule: Rule, duties: Sequence[Duty]) -> IncidentClock:
    duty = _chosen([one for one in duties if one.subject == view.incident.id])
    obstacle = _obstacle(view, rule)
    if obstacle is None and duty is not None:
        needed = view.needing(rule)
        waits = _waits_for(needed)
        possible = bool(needed) and not any(one.verdict == "applies" for one in needed)
        why = "; ".join((duty.reason, *_remarks(view.incident, duty)))
        why += f"; would run: answer {', '.join(waits)}" if possible else ""
        return IncidentClock(rule, duty.state, why, duty, possible, waits if possible else ())
    obstacle = obstacle or _not_in_force(view, rule)
    if obstacle is not None:
        return IncidentClock(rule, "not_applicable", obstacle)
    return _waiting(view, rule)


def _remarks(incident: Incident, duty: Duty) -> Iterator[str]:
    """Say what was corrected, or put on record late, of what a date is counted from and of what met it."""
    for event in duty.started:
        stated = next((one for name, one in incident.times.items() if event.kind == f"{_EVENT}{name}"), None)
        told = _told(incident, stated) if stated is not None else None
        if told is not None:
            yield told
        elif event.kind == "incident.discovered" and stated is None and event.note:
            yield event.note
    if duty.done is not None:
        found = next((one for one in incident.revisions if duty.done.source == f"entry {one.index}"), None)
        if found is not None and found.notice is not None and _is_later(found.at, found.notice.sent_at):
            yield f"the notice was {_recorded(found.at)}"


def _chosen(duties: Sequence[Duty]) -> Duty | None:
    """Give the duty that shows how a rule stands: the worst, and of those the nearest."""
    dated = [one for one in duties if one.due_on is not None or one.due_at is not None]
    return min(dated, key=lambda one: (STATES.index(one.state), str(one.due_at or one.due_on)), default=None)


def _waits_for(needed: Iterable[ClassFinding]) -> tuple[str, ...]:
    waited = {name for one in needed if one.verdict == "open" for name in one.because}
    return tuple(one.id for one in questions() if one.id in waited)


# --- why a clock does not run --------------------------------------------------------------------------


def _obstacle(view: _View, rule: Rule) -> str | None:
    """Say why a rule does not bind for this incident at all; none if it does, or may."""
    without = dict(view.setting.without).get(rule.id)
    if without is not None:
        return f"set aside by the project: {without}"
    by_class = {fact for one in class_file().classes for fact in one.facts}
    missing = [fact for fact in rule.only_if if fact not in by_class | view.setting.facts]
    if missing:
        return f"it binds only where `{'`, `'.join(missing)}` is so, which obligations.yaml does not say"
    barred = [fact for fact in rule.not_if if fact in view.setting.facts]
    if barred:
        return f"it does not bind where `{'`, `'.join(barred)}` is so"
    return _class_obstacle(view, rule)


def _class_obstacle(view: _View, rule: Rule) -> str | None:
    needed = view.needing(rule)
    if needed and all(one.verdict == "does_not" for one in needed):
        answers = answers_of(view.incident)
        names = dict.fromkeys(name for one in needed for name in one.because)
        given = ", ".join(f"`{name}` was answered {answers[name]}" for name in names)
        return f"no class of it applies: {given}"
    shorter = dict(_giving_way(facts_of(view.findings, "applies")))
    running = next((shorter[fact] for fact in rule.only_if if fact in shorter), None)
    return f"one report for all kinds, and the shorter clock runs: {running}" if running else None


def _not_in_force(view: _View, rule: Rule) -> str | None:
    start = max((str(one.at) for one in view.events if one.kind in _starts(rule)), default=view.at)
    day = day_of(start)
    if rule.in_force_from is not None and day < rule.in_force_from:
        return f"not in force until {rule.in_force_from}"
    if rule.in_force_until is not None and day >= rule.in_force_until:
        return f"no longer in force since {rule.in_force_until}"
    return None


def _starts(rule: Rule) -> tuple[str, ...]:
    return tuple(clock.on for clock in rule.clocks or ())


def _waiting(view: _View, rule: Rule) -> IncidentClock:
    """Give a clock whose starting event is not on record."""
    starts = _starts(rule)
    why = f"not recorded yet: {' or '.join(dict.fromkeys(map(_named, starts)))}"
    is_certain = any(one.verdict == "applies" for one in view.needing(rule))
    waits = _waits_for(view.needing(rule)) if not is_certain else ()
    if all(one in _AFTERWARDS or one.startswith(_DONE) for one in starts):
        return IncidentClock(rule, "not_started", why)
    if waits:
        why += f"; would run: answer {', '.join(waits)}"
    return IncidentClock(rule, "unclear", why, None, bool(waits), waits)


def _named(kind: str) -> str:
    """Name a starting event, with what it means."""
    for name, meaning in TIME_MEANINGS.items():
        if kind == f"{_EVENT}{name}":
            return f"`{name}` ({meaning})"
    return "a first report that it is counted from" if kind.startswith(_DONE) else f"`{kind}`"

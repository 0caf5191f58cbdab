# SPDX-License-Identifier: Apache-2.0
"""Which events start the clocks of a rule, and why the others do not."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from tidegate.kernel.clock import Instant
from tidegate.obligations import reasons
from tidegate.obligations.calendars import Reckoning
from tidegate.obligations.history import History, Line, written
from tidegate.obligations.model import Clock, Event, Rule


class Begun(NamedTuple):
    """A clock that an event started."""

    clock: Clock
    event: Event
    at: date | Instant
    """From when it counts: the event, or the day on which the rule came into force."""


@dataclass
class Starts:
    """What a rule's clocks found."""

    begun: list[Begun] = field(default_factory=list)
    refused: dict[str | None, str] = field(default_factory=dict)
    """Subject -> why an event about it starts nothing: a fact that is not so."""
    unknown: dict[str | None, str] = field(default_factory=dict)
    """Subject -> what is not on record to tell whether an event starts something."""
    early: str | None = None
    """The last event that lay before the rule came into force."""
    short: str | None = None
    """The largest amount that did not suffice."""
    awaited: dict[str | None, Event] = field(default_factory=dict)
    """Subject -> event after which a start has to be on record, and is not."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A rule, what is on record, and the calendar that it counts by."""

    rule: Rule
    history: History
    days: Reckoning
    facts: frozenset[str]
    """What is so of the organisation."""


def starts_of(reading: Reading) -> Starts:
    """Give every clock of a rule that an event started, in the order of the clocks and then of time."""
    found = Starts()
    for clock in reading.rule.clocks or ():
        found.begun += _started(clock, reading, found)
    found.awaited = _awaited(reading)
    return found


def _awaited(reading: Reading) -> dict[str | None, Event]:
    """Give what shows that a rule ought to run about a subject of which no start is on record."""
    rule = reading.rule
    if not rule.expects_start_after:
        return {}
    needs, bars = frozenset(rule.only_if) - reading.facts, frozenset(rule.not_if)
    begun = {one.subject for clock in rule.clocks or () for one in _line(clock, reading).events}
    found: dict[str | None, Event] = {}
    for one in reading.history.past_of(rule.expects_start_after).events:
        is_its = needs <= one.facts and bars.isdisjoint(one.facts)
        if is_its and one.subject not in begun and _binds_on(rule, reading.days.day(one.at)):
            found.setdefault(one.subject, one)
    return found


def _binds_on(rule: Rule, day: date) -> bool:
    is_early = rule.in_force_from is not None and day < rule.in_force_from
    return not is_early and (rule.in_force_until is None or day < rule.in_force_until)


def _started(clock: Clock, reading: Reading, found: Starts) -> Iterator[Begun]:
    rule = reading.rule
    needs = frozenset((*rule.only_if, *clock.only_if)) - reading.facts
    bars = frozenset((*rule.not_if, *clock.not_if))
    taken = _taken(clock, reading, needs, bars)
    for event in _line(clock, reading).events:
        if (needs and not needs <= event.facts) or not bars.isdisjoint(event.facts):
            found.refused.setdefault(event.subject, _refusal(needs, bars, event))
            continue
        if clock.replaced_by is not None and event.subject in taken:
            continue
        at: date | Instant = event.at
        if rule.in_force_from is not None and reading.days.day(at) < rule.in_force_from:
            if rule.every is None:
                found.early = f"{event.kind} of {event.at}"
                continue
            at = rule.in_force_from
        if rule.in_force_until is not None and reading.days.day(at) >= rule.in_force_until:
            continue
        if clock.ratio is not None and not _is_large(clock, event, reading, found):
            continue
        yield Begun(clock, event, at)


def _line(clock: Clock, reading: Reading) -> Line:
    if clock.on == reasons.IN_FORCE:
        return _in_force(reading)
    return reading.history.past(clock.on) if clock.before is None else reading.history.past_or_planned(clock.on)


def _in_force(reading: Reading) -> Line:
    """Give the one event of coming into force: as recorded for this rule, else its first day."""
    recorded = reading.history.past(f"{reasons.IN_FORCE}:{reading.rule.id}").events
    if recorded:
        return Line(recorded[:1])
    first = reading.rule.in_force_from
    if first is None or first.isoformat() > reading.history.at:
        return Line([])
    return Line([Event.model_construct(kind=reasons.IN_FORCE, at=first)])


def _taken(clock: Clock, reading: Reading, needs: frozenset[str], bars: frozenset[str]) -> frozenset[str | None]:
    """Give the subjects of which what was planned has happened: an event of the same facts is on record."""
    if clock.replaced_by is None:
        return frozenset()
    events = reading.history.past(clock.replaced_by).events
    return frozenset(one.subject for one in events if needs <= one.facts and bars.isdisjoint(one.facts))


def _refusal(needs: frozenset[str], bars: frozenset[str], event: Event) -> str:
    lacking = needs - event.facts
    if lacking:
        return reasons.missing(lacking, event)
    return reasons.excluded(bars & event.facts, event)


def _is_large(clock: Clock, event: Event, reading: Reading, found: Starts) -> bool:
    """Tell whether an event's amount suffices, and keep why that cannot be told."""
    assert clock.since is not None
    assert clock.ratio is not None
    since = reading.history.past(clock.since).last_before(event)
    if since is None:
        if reading.rule.expects_start:
            found.unknown[None] = f"{event.kind} of {event.at}: no {clock.since} before it is on record to compare with"
        return False
    base = since.amount or _known_amount(clock, since, reading)
    if event.amount is None or base is None or base <= 0:
        lacking, what = (
            (event, "amount")
            if event.amount is None
            else (since, "amount above 0 to compare with, and none is known of its subject")
        )
        found.unknown[event.subject] = f"{lacking.kind} of {lacking.at} carries no {what}"
        return False
    found.unknown.pop(event.subject, None)
    times = event.amount / base
    if times < clock.ratio:
        found.short = f"{event.kind} of {event.at} is {times:.3g} times that of {since.kind} of {since.at}"
        return False
    return True


def _known_amount(clock: Clock, since: Event, reading: Reading) -> float | None:
    if since.subject is None:
        return None
    known = reading.history.past(clock.on).about(since.subject).with_amount.last_by(written(since))
    return known.amount if known else None

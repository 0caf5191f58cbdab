# SPDX-License-Identifier: Apache-2.0
"""One rule at work: the date that a clock leads to, what met it, and how it stands."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NamedTuple

from tidegate.kernel.clock import Instant
from tidegate.obligations import reasons
from tidegate.obligations.calendars import Reckoning, period_end
from tidegate.obligations.history import Line
from tidegate.obligations.model import Duty, Event, Rule, State, Waiver
from tidegate.obligations.starts import Begun


class Found(NamedTuple):
    """What meets a duty, its place in its line, and the last event that looked as if it did."""

    event: Event | None
    place: int
    rejected: Event | None


NOT_FOUND = Found(None, -1, None)


class Dated(NamedTuple):
    """One date of a duty."""

    on: date
    at: Instant | None
    """The moment, where the length is in hours."""
    how: str
    """How it was computed."""
    started: tuple[Event, ...]

    @property
    def moment(self) -> str:
        """Text that sorts by time; a day's end sorts after every moment on it."""
        return self.at or f"{self.on.isoformat()}T~"


@dataclass(frozen=True, slots=True)
class Work:
    """A rule, and all that counts for each of its duties."""

    rule: Rule
    days: Reckoning
    at: Instant
    today: date
    done: Line
    """What may meet it."""
    ends: Line
    """What ends it."""
    soon_day: date
    soon_at: Instant | None
    waivers: tuple[Waiver, ...]


# --- dates -----------------------------------------------------------------------------------------


def date_of(work: Work, one: Begun) -> Dated:
    """Give the date that a clock leads to."""
    rule, clock = work.rule, one.clock
    if clock.before is not None:
        return counted(work, clock.before, one.event, one.at, -1)
    if rule.anchor == "event":
        return counted(work, clock.within or rule.every or "0 days", one.event, one.at)
    day = work.days.day(one.at)
    named = one.event if one.at == one.event.at else Event.model_construct(kind=reasons.IN_FORCE, at=day)
    end = period_end(day, rule.anchor)
    on, at = work.days.counted(end, clock.within) if clock.within else (end, None)
    return Dated(on, at, reasons.at_period_end(clock.within, rule.anchor, named, day), (one.event,))


def counted(work: Work, length: str, event: Event, at: date | Instant, way: Literal[1, -1] = 1) -> Dated:
    """Give the date that lies a length after, or before, an event."""
    days = work.days
    on, due_at = days.counted(at, length, way)
    if at is not event.at and at != event.at:
        how = f"{length} from {at}, when it came into force ({event.kind} was on {event.at})"
    else:
        how = reasons.counted(length, "from" if way > 0 else "before", event, days.day(at), days.spec.timezone)
    return Dated(on, due_at, how, (event,))


# --- what met it -----------------------------------------------------------------------------------


def is_before(work: Work, one: date | Instant, other: date | Instant) -> bool:
    """Tell whether something was certainly before something else: by the second if both have one, else by the day."""
    if isinstance(one, str) and isinstance(other, str):
        return one < other
    return work.days.day(one) < work.days.day(other)


def met_by(work: Work, line: Line, since: Begun | None, after: int = -1) -> Found:
    """Give the first event that meets a duty: not before its start, and after a place in its line."""
    if not line.events:
        return NOT_FOUND
    place = after + 1
    if since is not None and after < 0:
        # By the day first: an event of the same day whose hour is not known sorts before the start.
        floor = work.days.day(since.at).isoformat()
        if isinstance(since.at, str):
            floor = min(floor, since.at[:10])
        place = bisect_left(line.keys, floor)
    rejected = None
    for number in range(place, len(line.events)):
        one = line.events[number]
        if since is not None and (one is since.event or is_before(work, one.at, since.at)):
            continue
        if covers(work, one):
            return Found(one, number, rejected)
        rejected = one
    return Found(None, -1, rejected)


def covers(work: Work, one: Event) -> bool:
    """Tell whether a report covers what it has to."""
    length = work.rule.coverage_at_most
    if length is None:
        return True
    return one.covers is not None and one.covers >= work.days.counted(one.at, length, -1)[0]


# --- how it stands ---------------------------------------------------------------------------------


def duty_of(work: Work, subject: str | None, due: Dated, found: Found) -> Duty:
    """Give a date as a duty with its state, and why."""
    due_at = due.at or work.days.last_second(due.on)
    if found.event is not None:
        return _done(work, subject, due, found.event)
    days_left = (due.on - work.today).days
    hours_left = _hours(work.at, due.at) if due.at else None
    state: State = "due"
    reason = due.how
    if work.at > due_at:
        state = "late"
        reason += f"; {reasons.late_by(-days_left, _hours(due.at, work.at) if due.at else None)}"
    elif due_at <= work.soon_at if work.soon_at else due.on <= work.soon_day:
        state = "due_soon"
    if found.rejected is not None:
        assert work.rule.coverage_at_most is not None
        reason += f"; {reasons.uncovered(found.rejected, work.rule.coverage_at_most)}"
    waiver = _waiver(work, subject, due.on) if work.waivers else None
    if waiver is not None and waiver.until >= work.today:
        state = "waived"
        # What it says of a duty is published with it, so that a reason of the house stays where the waiver stands.
        reason += f"; waived until {waiver.until}" + (f": {waiver.reason}" if waiver.is_public else "")
    elif waiver is not None:
        reason += f"; its waiver ended on {waiver.until}"
        waiver = None
    return Duty(work.rule, subject, state, reason, due.on, due_at, due.started, None, days_left, hours_left, waiver)


def _done(work: Work, subject: str | None, due: Dated, done: Event) -> Duty:
    days_left = (due.on - work.days.day(done.at)).days
    hours_left = None
    state: State = "met" if days_left >= 0 else "met_late"
    late = None if days_left >= 0 else reasons.late_by(-days_left, None)
    due_at = due.at or work.days.last_second(due.on)
    reason = due.how
    if due.at is not None and isinstance(done.at, str):
        hours_left = _hours(done.at, due.at)
        state = "met" if done.at <= due.at else "met_late"
        late = None if done.at <= due.at else reasons.late_by(-days_left, _hours(due.at, done.at))
    elif due.at is not None and days_left == 0 and work.days.last_second(due.on) > due.at:
        reason += f"; {reasons.hour_missing(done, due.at)}"
        return Duty(work.rule, subject, "unclear", reason, due.on, due_at, due.started, done, days_left)
    reason += f"; {reasons.met(done, late)}"
    return Duty(work.rule, subject, state, reason, due.on, due_at, due.started, done, days_left, hours_left)


def _hours(start: Instant, end: Instant) -> int:
    # Both have been read as instants before, so that their form need not be checked again.
    return int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() // 3600)


def _waiver(work: Work, subject: str | None, due_on: date) -> Waiver | None:
    """Give the waiver that a date is, or was, under: the one that lasts longest."""
    fitting = [
        one
        for one in work.waivers
        if one.subject in (None, subject) and (one.due == due_on if one.due else due_on <= one.until)
    ]
    return max(fitting, key=lambda one: (one.until, one.reason), default=None)

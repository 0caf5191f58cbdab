# SPDX-License-Identifier: Apache-2.0
"""The dates of what recurs: counted from what was done, or brought by the calendar."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from tidegate.kernel.clock import Instant
from tidegate.obligations import reasons
from tidegate.obligations.calendars import add_months, period_end, period_start, span
from tidegate.obligations.model import Clock, Duty, Event, Rule
from tidegate.obligations.starts import Begun
from tidegate.obligations.working import Dated, Found, Work, counted, covers, date_of, duty_of, is_before, met_by

MAX_DATES = 400
"""Dates of one duty that the calendar brings, about a century of quarters: older ones are not listed."""


class _Period(NamedTuple):
    """What a date is about, from its first to its last day."""

    opens: date
    closes: date


class _Cadence(NamedTuple):
    """What recurs by the calendar."""

    first: Dated
    start: date | Instant
    """From when it counts."""
    from_due: bool
    """True if later dates are counted from the first date, not from the start."""
    opens: date
    """First day of what the first date is about."""


def recurring(work: Work, subject: str | None, begun: list[Begun]) -> Iterator[Duty]:
    """Give the dates of what recurs about a subject: those past, and the next one."""
    rule = work.rule
    is_own_start = not {one.clock.on for one in begun}.isdisjoint(rule.done_by)
    if is_own_start or rule.restart in ("first", "once_met"):
        chains = [min(begun, key=lambda one: date_of(work, one).moment)]
    else:
        chains = sorted(begun, key=lambda one: work.days.day(one.at))
    for number, one in enumerate(chains):
        stop = _end(work, subject, one)
        if rule.restart == "latest" and number + 1 < len(chains):
            following = work.days.day(chains[number + 1].at)
            stop = min(stop, following) if stop else following
        by_calendar = rule.again == "due" or rule.anchor != "event"
        dates = (
            _by_calendar(work, subject, _cadence(work, one), stop)
            if by_calendar
            else _by_done(work, subject, one, stop)
        )
        shown = False
        for duty in dates:
            shown = True
            yield duty
        if not shown and len(chains) == 1:
            yield Duty(rule, subject, "not_applicable", f"it ended on {stop}, before it was due for the first time")


def fixed(work: Work, day: date) -> Iterator[Duty]:
    """Give what is due on a fixed day: once, or again and again."""
    first = Dated(day, None, f"fixed for {day}", ())
    until = work.rule.in_force_until
    if until is not None and until <= day:
        yield Duty(work.rule, None, "not_applicable", f"{first.how}, when it is no longer in force (since {until})")
        return
    if work.rule.every is None:
        yield duty_of(work, None, first, met_by(work, work.done, _from_the_first_day(work.rule)))
        return
    # What was done longer ago than one interval was done for a date before the first one.
    opens = date.min if work.rule.may_be_early else work.days.counted(day, work.rule.every, -1)[0]
    yield from _by_calendar(work, None, _Cadence(first, day, from_due=True, opens=opens), until)


def _from_the_first_day(rule: Rule) -> Begun | None:
    """Give what a deed for a fixed date has to follow: the rule's first day, if it names one."""
    if rule.in_force_from is None or rule.may_be_early:
        return None
    event = Event.model_construct(kind=reasons.IN_FORCE, at=rule.in_force_from)
    return Begun(Clock(on=reasons.IN_FORCE, within="0 days"), event, rule.in_force_from)


def _end(work: Work, subject: str | None, one: Begun) -> date | None:
    """Give the day on which it ended, or on which its rule goes out of force."""
    ends = work.ends.about(subject).events
    found = next((end for end in ends if not is_before(work, end.at, one.at)), None)
    ended = work.days.day(found.at) if found else None
    until = work.rule.in_force_until
    return min(ended, until) if ended and until else ended or until


def _by_done(work: Work, subject: str | None, one: Begun, stop: date | None) -> Iterator[Duty]:
    """Give each date, counted from what met the one before, up to the first that is not met."""
    line = work.done.about(subject)
    every = work.rule.every
    assert every is not None
    due, since, place = date_of(work, one), one, -1
    while True:
        found = met_by(work, line, since, place)
        met_on = work.days.day(found.event.at) if found.event else date.max
        if stop is not None and stop <= due.on and met_on > stop:
            return
        yield duty_of(work, subject, due, found)
        if found.event is None:
            return
        since, place = Begun(one.clock, found.event, found.event.at), found.place
        due = counted(work, every, found.event, found.event.at)


def _cadence(work: Work, one: Begun) -> _Cadence:
    has_length = one.clock.within is not None and work.rule.anchor == "event"
    return _Cadence(date_of(work, one), one.at, has_length, work.days.day(one.at))


def _by_calendar(work: Work, subject: str | None, cadence: _Cadence, stop: date | None) -> Iterator[Duty]:
    """Give each date that the calendar brings, up to the first that is neither past nor met."""
    # What starts it does not meet it as well, save within a calendar period, which one report may both open and fill.
    own = cadence.first.started if work.rule.anchor == "event" else ()
    left = [one for one in work.done.about(subject).events if not any(one is start for start in own)]
    for due, period in _dates(work, cadence):
        if stop is not None and stop <= due.on:
            return
        found = _of_period(work, left, period)
        if found.event is not None:
            left.pop(found.place)
        yield duty_of(work, subject, due, found)
        if found.event is None and (due.at or work.days.last_second(due.on)) >= work.at:
            return


def _dates(work: Work, cadence: _Cadence) -> Iterator[tuple[Dated, _Period]]:
    """Give each date, without end, and what it is about."""
    every = work.rule.every
    assert every is not None
    number = _skipped(work, cadence.first.on)
    opens: date = cadence.opens if number == 0 else _date(work, cadence, number - 1).on
    while True:
        due = _date(work, cadence, number)
        how = reasons.number(cadence.first.how, every, number)
        period = _Period(opens, due.on) if work.rule.anchor == "event" else _calendar_period(work, cadence, number)
        yield due._replace(how=how), period
        if due.on == date.max:
            return
        opens = due.on
        number += 1


def _calendar_period(work: Work, cadence: _Cadence, number: int) -> _Period:
    rule = work.rule
    assert rule.anchor != "event"
    closes = _end_of_period(work, cadence, number)
    if cadence.first.on > _end_of_period(work, cadence, 0):  # counted from the period's end: done after it
        return _Period(closes, closes)
    return _Period(cadence.opens if number == 0 else period_start(closes, rule.anchor), closes)


def _end_of_period(work: Work, cadence: _Cadence, number: int) -> date:
    rule = work.rule
    assert rule.every is not None
    assert rule.anchor != "event"
    first = work.days.day(cadence.start).replace(day=1)
    return period_end(add_months(first, span(rule.every).count * number), rule.anchor)


def _skipped(work: Work, first: date) -> int:
    """Give how many dates lie so far back that they are not listed."""
    assert work.rule.every is not None
    by = span(work.rule.every)
    longest = {"hours": by.count / 24, "days": by.count, "business days": by.count * 2, "months": by.count * 31}
    return max(0, int((work.today - first).days / longest[by.unit]) - MAX_DATES)


def _date(work: Work, cadence: _Cadence, number: int) -> Dated:
    """Give the date of this number: counted at once, so that the end of a short month does not carry on."""
    rule, days = work.rule, work.days
    assert rule.every is not None
    if number == 0:
        return cadence.first
    if rule.anchor != "event":
        within = next((clock.within for clock in rule.clocks or () if clock.within), None)
        end = _end_of_period(work, cadence, number)
        on, at = days.counted(end, within) if within else (end, None)
    elif cadence.from_due:
        on, at = days.times(cadence.first.at or cadence.first.on, rule.every, number)
    else:
        on, at = days.times(cadence.start, rule.every, number + 1)
    return cadence.first._replace(on=on, at=at)


def _of_period(work: Work, left: list[Event], period: _Period) -> Found:
    """Give what was done for a period.

    What says by `covers` up to when it covers meets the period in which that day lies, however late it came. Anything
    else meets the oldest date that is still open.
    """
    rejected = None
    names_period = work.rule.coverage_at_most is None
    for place, one in enumerate(left):
        if names_period and one.covers is not None:
            if period.opens <= one.covers <= period.closes:
                return Found(one, place, None)
        elif work.days.day(one.at) >= period.opens:
            if covers(work, one):
                return Found(one, place, rejected)
            rejected = one
    return Found(None, -1, rejected)

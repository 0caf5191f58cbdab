# SPDX-License-Identifier: Apache-2.0
"""The sentences that say how a date was computed, or why there is none."""

from collections.abc import Iterable
from datetime import date

from tidegate.kernel.clock import Instant
from tidegate.obligations.history import written
from tidegate.obligations.model import Clock, Event, Rule

_PERIODS = {"month": "month", "quarter": "quarter", "half_year": "half-year", "year": "year"}
IN_FORCE = "in_force"
"""Event that every rule with a first day brings along: it comes into force."""


def listed(words: Iterable[str]) -> str:
    """Give words as a list in a sentence."""
    found = list(words)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def when(event: Event, day: date) -> str:
    """Name an event and its day."""
    return f"{'coming into force' if event.kind == IN_FORCE else event.kind} on {day.isoformat()}"


def counted(length: str, way: str, event: Event, day: date, zone: str) -> str:
    """Say ``from`` or ``before`` what event a length is counted, and in whose days."""
    if length.endswith(("hour", "hours")):
        if isinstance(event.at, str):
            return f"{length} {way} {event.kind} at {event.at}"
        return f"{length} {way} the start of {event.at} in {zone}, as the hour of {event.kind} is not on record"
    place = f" (day in {zone})" if isinstance(event.at, str) else ""
    if length == "0 days":
        return f"on the day of {when(event, day)}{place}"
    if "business" in length:
        place = f" (day in {zone}, without weekends and holidays)"
    return f"{length} {way} {when(event, day)}{place}"


def at_period_end(length: str | None, anchor: str, event: Event, day: date) -> str:
    """Say that something is counted from, or due at, the end of a calendar period."""
    end = f"the end of the {_PERIODS[anchor]} of {when(event, day)}"
    return end if length in (None, "0 days") else f"{length} from {end}"


def number(how: str, every: str, place: int) -> str:
    """Say of what recurs by the calendar which of its dates it is."""
    return how if place == 0 else f"{how}, and every {every} since (date {place + 1})"


def late_by(days: int, hours: int | None) -> str:
    """Say by how much something is late."""
    if hours is not None and hours < 72:
        return f"{hours or 'less than an'} {'hour' if hours < 2 else 'hours'} late"
    return f"{days} {'day' if days == 1 else 'days'} late"


def met(done: Event, late: str | None) -> str:
    """Say what met a duty."""
    end = f", {late}" if late else ""
    return f"met by {done.kind} on {written(done)}{end}"


def uncovered(done: Event, length: str) -> str:
    """Say why a report does not meet a duty."""
    if done.covers is None:
        return f"{done.kind} of {done.at} does not meet it: it does not say up to when it covers"
    return f"{done.kind} of {done.at} does not meet it: it covers up to {done.covers}, more than {length} before"


def hour_missing(done: Event, due: Instant) -> str:
    """Say that the hour of what was done decides and is not on record."""
    return f"{done.kind} is on record for {done.at} without its hour, and it was due at {due}"


def waits(rule: Rule) -> str:
    """Say for which events a rule waits."""
    clocks = rule.clocks or ()
    words = list(dict.fromkeys(_awaited(one) for one in clocks))
    joined = listed(words) if rule.when == "all" else " or ".join(words)
    return f"waits for {joined}"


def _awaited(clock: Clock) -> str:
    if clock.ratio is not None:
        return f"{clock.on} of at least {clock.ratio:g} times the amount of the last {clock.since}"
    return clock.on


def unclear(rule: Rule) -> str:
    """Say that a rule ought to run, and what is not on record."""
    kinds = list(dict.fromkeys(one.on for one in rule.clocks or ()))
    return f"it ought to run, but no {' or '.join(kinds)} is on record to count from"


def missing(facts: Iterable[str], event: Event | None = None) -> str:
    """Say which facts are not so."""
    names = listed(sorted(facts))
    verb = "are" if " and " in names else "is"
    return f"{names} {verb} not so" + (f" of {event.kind} on {event.at}" if event is not None else " here")


def excluded(facts: Iterable[str], event: Event | None = None) -> str:
    """Say which facts keep a rule from applying."""
    names = listed(sorted(facts))
    return f"{names} {'are' if ' and ' in names else 'is'} so" + (
        f" of {event.kind} on {event.at}" if event is not None else " here"
    )

# SPDX-License-Identifier: Apache-2.0
"""What is due, as an iCalendar file that calendars subscribe to (RFC 5545, RFC 7986).

The same duties give the same bytes. A duty keeps its id from one file to the next, also when its date moves because
what it is counted from was corrected: a calendar moves what it knows instead of listing it twice. What is done
disappears, and the next date of what recurs takes its place.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from icalendar import Alarm, Calendar, vDuration, vText
from icalendar import Event as CalendarEvent

from tidegate.kernel.clock import Instant, moment
from tidegate.obligations.model import Duty, State
from tidegate.publish.due_pages import KIND_WORDS, duty_words
from tidegate.publish.words import clean, one_line, shortened

PRODUCT = "-//Tidegate//due//EN"
REFRESH = timedelta(hours=12)
"""How often a calendar should ask for the file again."""
LISTED: frozenset[State] = frozenset({"late", "due_soon", "due"})
"""States that an entry of a calendar is made of: to be done, and with a date."""
MORNING = timedelta(hours=9)
"""An alarm of a day rings at nine in the morning, and not at midnight."""
_DAYS_IN = {"hour": 1 / 24, "day": 1, "business day": 7 / 5, "week": 7, "month": 30, "year": 365}
MAX_SUMMARY = 200
FIRST = datetime(2020, 1, 1, tzinfo=UTC)
"""Numbers of later files are counted from here, in minutes."""


def calendar_feed(duties: Iterable[Duty], organisation: str, at: Instant) -> bytes:
    """Give an iCalendar file with an entry for each duty that is to be done and has a date.

    Days are all-day entries; what is due by the hour is an entry at its last moment. Each has an alarm when it counts
    as soon due, and one shortly before its date.

    Args:
        duties: the duties, in any state.
        organisation: whose they are; it names the calendar and keeps ids apart from those of others.
        at: the moment for which they were computed.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    name = vText(shortened(f"{organisation}: what is due", MAX_SUMMARY))
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    listed = [one for one in duties if one.state in LISTED and one.due_on is not None]
    for duty, number in zip(listed, _numbers(listed), strict=True):
        calendar.add_component(_entry(duty, uid_of(duty, organisation, number), at))
    return bytes(calendar.to_ical())


def uid_of(duty: Duty, organisation: str, number: int = 1) -> str:
    """Give the id of a duty in calendars: the same in every file, whatever its date, and another for every other one.

    Args:
        duty: the duty.
        organisation: whose it is.
        number: which it is, by date, of those of the same rule and subject that are open.
    """
    text = "\n".join((organisation, duty.rule.id, duty.subject or "", str(number)))
    return f"{hashlib.sha256(text.encode()).hexdigest()[:32]}@due.tidegate"


def _numbers(listed: Sequence[Duty]) -> list[int]:
    """Give for each duty which it is, by date, of those of its rule and subject."""
    places = sorted(
        range(len(listed)), key=lambda place: (str(listed[place].due_on), listed[place].due_at or "", place)
    )
    found = [0] * len(listed)
    count: Counter[tuple[str, str | None]] = Counter()
    for place in places:
        key = (listed[place].rule.id, listed[place].subject)
        count[key] += 1
        found[place] = count[key]
    return found


def _entry(duty: Duty, uid: str, at: Instant) -> CalendarEvent:
    made = CalendarEvent()
    made.add("uid", uid)
    made.add("dtstamp", moment(at).astimezone(UTC))
    # Of two entries of one id, a calendar keeps the one with the higher number: the file that was made later.
    made.add("sequence", max(0, int((moment(at) - FIRST).total_seconds() // 60)))
    made.add("summary", _summary(duty))
    made.add("description", "\n".join(_description(duty)))
    made.add("categories", [KIND_WORDS[duty.rule.kind], duty.state.replace("_", " ")])
    made.add("status", "TENTATIVE" if duty.rule.soft else "CONFIRMED")
    made.add("transp", "TRANSPARENT")
    made.add("class", "PUBLIC" if duty.rule.is_published else "CONFIDENTIAL")
    made.add("priority", {"late": 1, "due_soon": 3}.get(duty.state, 5))
    assert duty.due_on is not None, "only what has a date is listed"
    # Without an end, it takes this one day, or is this one moment: RFC 5545 asks that an end lies after the start.
    made.add("dtstart", _by_hour(duty) or duty.due_on)
    if duty.state != "late":
        for before in _alarms(duty):
            made.add_component(_alarm(duty, before))
    return made


def _by_hour(duty: Duty) -> datetime | None:
    return moment(duty.due_at) if duty.hours_left is not None and duty.due_at is not None else None


def _summary(duty: Duty) -> str:
    about = f": {duty.subject}" if duty.subject else ""
    late = "Late: " if duty.state == "late" else ""
    return shortened(f"{late}{duty.rule.title}{about}", MAX_SUMMARY)


def _description(duty: Duty) -> Iterator[str]:
    yield f"Stands: {duty_words(duty)}."
    if duty.rule.text:
        yield clean(duty.rule.text)
    yield f"How the date follows: {one_line(duty.reason)}"
    for event in duty.started:
        where = f" ({event.source})" if event.source else ""
        yield one_line(f"Counted from: {event.kind} on {event.at}{where}")
    if duty.rule.to:
        yield one_line(f"To: {duty.rule.to}")
    if duty.rule.owner:
        yield one_line(f"Owner: {duty.rule.owner}")
    source = f", {duty.rule.source}" if duty.rule.source else ""
    yield one_line(f"Rule: {duty.rule.id} ({KIND_WORDS[duty.rule.kind]}{source})")


def _alarms(duty: Duty) -> tuple[timedelta, ...]:
    """Give how long before the beginning of an entry its alarms ring."""
    soon = _length(duty.rule.soon)
    if _by_hour(duty) is not None:
        found = (min(soon, timedelta(hours=4)), timedelta(hours=1))
    else:
        found = (soon - MORNING, timedelta(days=1) - MORNING)
    return tuple(sorted({one for one in found if one > timedelta()}, reverse=True))


def _length(text: str) -> timedelta:
    """Give a length of time; months and years count whole days, which an alarm may be off by."""
    found = re.fullmatch(r"(\d+) (.+?)s?", text)
    assert found is not None, "the form of a length is checked where it is read"
    return timedelta(hours=round(int(found[1]) * _DAYS_IN[found[2]] * 24))


def _alarm(duty: Duty, before: timedelta) -> Alarm:
    made = Alarm()
    made.add("action", "DISPLAY")
    made.add("description", _summary(duty))
    made.add("trigger", -before)
    return made

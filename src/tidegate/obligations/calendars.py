# SPDX-License-Identifier: Apache-2.0
"""Counting of hours, days, business days, weeks, months and years in the calendar of a jurisdiction.

Days begin and end in the calendar's time zone. The day of the event is not counted and the last day is, to its end.
A date is never moved because it falls on a weekend or holiday: the plain date is the earlier one.
"""

import calendar as months
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tidegate.kernel.clock import Instant, moment
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import ObligationError, Problem
from tidegate.obligations.model import CalendarSpec, Length

Unit = Literal["hours", "days", "business days", "months"]
Period = Literal["month", "quarter", "half_year", "year"]

COMPUTED: tuple[str, ...] = ("US-CA", "US-NY", "US-IL", "US-CT", "ECB")
"""Holidays that can be computed: public holidays of a state, and the closing days of TARGET."""
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ONE = {
    "hour": (1, "hours"),
    "day": (1, "days"),
    "business day": (1, "business days"),
    "week": (7, "days"),
    "month": (1, "months"),
    "year": (12, "months"),
}
_MONTHS: dict[Period, int] = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as a number of units."""

    count: int
    unit: Unit


@lru_cache(maxsize=256)
def span(length: Length) -> Span:
    """Give a length as a number of hours, days, business days or months."""
    number, _, name = length.partition(" ")
    each, unit = _ONE[name.removesuffix("s")]
    return Span(int(number) * each, next(one for one in get_args(Unit) if one == unit))


def add_months(day: date, count: int) -> date:
    """Give the day so many calendar months later, or earlier if `count` is negative.

    A day that the month lacks becomes its last day. What lies beyond the calendar falls on its first or last day.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    if year > date.max.year:
        return date.max
    if year < date.min.year:
        return date.min
    return date(year, month + 1, min(day.day, months.monthrange(year, month + 1)[1]))


def add_days(day: date, count: int) -> date:
    """Give the day so many days later, or earlier; what lies beyond the calendar falls on its first or last day."""
    return date.fromordinal(max(1, min(day.toordinal() + count, date.max.toordinal())))


def period_start(day: date, period: Period) -> date:
    """Give the first day of the calendar period that a day lies in."""
    return date(day.year, (day.month - 1) // _MONTHS[period] * _MONTHS[period] + 1, 1)


def period_end(day: date, period: Period) -> date:
    """Give the last day of the calendar period that a day lies in."""
    last = period_start(day, period).month + _MONTHS[period] - 1
    return date(day.year, last, months.monthrange(day.year, last)[1])


@lru_cache(maxsize=512)
def computed_holidays(code: str, year: int) -> frozenset[date]:
    """Give the holidays of a year: of a state of the US, or the closing days of TARGET for ``ECB``.

    Raises:
        ObligationError: OBL002, they cannot be computed.
    """
    if code not in COMPUTED:
        hint = did_you_mean(code, COMPUTED) or f"known: {', '.join(COMPUTED)}; others go under `holidays`"
        raise ObligationError(Problem("OBL002", f"no holidays can be computed for {code!r}", None, hint))
    if code == "ECB":
        return _target_days(year)
    import holidays  # noqa: PLC0415 - half a second, which only business days in a state of the US need

    return frozenset(holidays.country_holidays("US", subdiv=code.removeprefix("US-"), years=year))


def _target_days(year: int) -> frozenset[date]:
    """Give the closing days of TARGET, as fixed by the ECB for 2002 and every year since; none before.

    New Year, Good Friday, Easter Monday, 1 May, 25 and 26 December.
    """
    if year < 2002:
        return frozenset()
    sunday = easter(year)
    fixed = {date(year, 1, 1), date(year, 5, 1), date(year, 12, 25), date(year, 12, 26)}
    return frozenset({*fixed, add_days(sunday, -2), add_days(sunday, 1)})


def easter(year: int) -> date:
    """Give Easter Sunday of a Gregorian year, by the anonymous algorithm (Nature 13, 487, 1876).

    >>> easter(2026)
    datetime.date(2026, 4, 5)
    """
    century, rest = divmod(year, 100)
    golden = year % 19
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - shift + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def zone_of(spec: CalendarSpec) -> ZoneInfo:
    """Give the time zone of a calendar.

    Raises:
        ObligationError: OBL002, there is no such zone.
    """
    try:
        return ZoneInfo(spec.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"the time zone {spec.timezone!r} of the calendar {spec.id!r} is not known"
        raise ObligationError(Problem("OBL002", message, None, "use a name such as America/New_York")) from None


def in_utc(when: datetime) -> Instant:
    """Give a time as an instant; years before 1000 keep their four digits, which `strftime` would drop."""
    return f"{when.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()}Z"


class Reckoning:
    """Counts in one calendar, and remembers what it has counted: made anew for each computation."""

    def __init__(self, spec: CalendarSpec) -> None:
        self.spec = spec
        self.zone = zone_of(spec)
        self._weekend = frozenset(WEEKDAYS.index(one) for one in spec.weekend)
        self._holidays = frozenset(spec.holidays)
        self._days: dict[Instant, date] = {}
        self._ends: dict[date, Instant] = {}
        self._counted: dict[tuple[date | Instant, Length, int], tuple[date, Instant | None]] = {}

    def day(self, at: date | Instant) -> date:
        """Give the day on which something lies here."""
        if not isinstance(at, str):
            return at
        found = self._days.get(at)
        if found is None:
            found = self._days[at] = _local(at, self.zone)
        return found

    def first_second(self, day: date) -> Instant:
        """Give the instant at which a day begins here."""
        return _begins(day, self.zone)

    def last_second(self, day: date) -> Instant:
        """Give the last second of a day here."""
        found = self._ends.get(day)
        if found is None:
            found = self._ends[day] = _ends(day, self.zone)
        return found

    def is_business_day(self, day: date) -> bool:
        """Tell whether a day is neither on a weekend nor a holiday."""
        if day.weekday() in self._weekend or day in self._holidays:
            return False
        return self.spec.computed is None or day not in computed_holidays(self.spec.computed, day.year)

    def counted(self, start: date | Instant, length: Length, way: Literal[1, -1] = 1) -> tuple[date, Instant | None]:
        """Give the day that lies a length after (or before) a start, and the instant where the length is in hours.

        Hours from a bare day count from its first second here, since no later moment is certain.
        """
        key = (start, length, way)
        found = self._counted.get(key)
        if found is None:
            found = self._counted[key] = self._count(start, span(length), way)
        return found

    def times(self, start: date | Instant, length: Length, number: int) -> tuple[date, Instant | None]:
        """Give what lies a length so many times after a start: months are added at once, so that days do not drift."""
        by = span(length)
        return self._count(start, Span(by.count * number, by.unit), 1)

    def _count(self, start: date | Instant, by: Span, way: int) -> tuple[date, Instant | None]:
        if by.unit == "hours":
            begins = start if isinstance(start, str) else self.first_second(start)
            due = _shifted(begins, by.count * way)
            return self.day(due), due
        day = self.day(start)
        if by.unit == "days":
            return add_days(day, by.count * way), None
        if by.unit == "months":
            return add_months(day, by.count * way), None
        return self._business(day, by.count, way), None

    def _business(self, day: date, count: int, way: int) -> date:
        while count and date.min < day < date.max:
            day = add_days(day, way)
            count -= self.is_business_day(day)
        return day


def _local(at: Instant, zone: ZoneInfo) -> date:
    try:
        return moment(at).astimezone(zone).date()
    except OverflowError:  # the first or last hours of the calendar
        return moment(at).date()


def _begins(day: date, zone: ZoneInfo) -> Instant:
    # Midnight that a change of clocks skips or repeats: `fold=0` is the moment at which the day before ends.
    try:
        return in_utc(datetime(day.year, day.month, day.day, tzinfo=zone))
    except OverflowError:
        return f"{day.isoformat()}T00:00:00Z"


def _ends(day: date, zone: ZoneInfo) -> Instant:
    if day == date.max:
        return f"{day.isoformat()}T23:59:59Z"
    return _shifted_seconds(_begins(add_days(day, 1), zone), -1)


def _shifted(at: Instant, hours: int) -> Instant:
    return _shifted_seconds(at, hours * 3600)


def _shifted_seconds(at: Instant, seconds: int) -> Instant:
    try:
        return in_utc(moment(at) + timedelta(seconds=seconds))
    except OverflowError:
        return "9999-12-31T23:59:59Z" if seconds > 0 else "0001-01-01T00:00:00Z"


def after(start: date | Instant, length: Length, calendar: CalendarSpec) -> tuple[date, Instant | None]:
    """Give the last day in time, so long after a start, and the last moment where the length is in hours.

    >>> after("2026-11-02T02:00:00Z", "15 days", CalendarSpec(id="us-ca", timezone="America/Los_Angeles"))
    (datetime.date(2026, 11, 16), None)
    """
    return Reckoning(calendar).counted(start, length)


def before(end: date | Instant, length: Length, calendar: CalendarSpec) -> tuple[date, Instant | None]:
    """Give the last day in time, so long before something planned, and the last moment where it is in hours.

    >>> before(date(2026, 12, 28), "2 business days", CalendarSpec(id="eu", computed="ECB"))
    (datetime.date(2026, 12, 23), None)
    """
    return Reckoning(calendar).counted(end, length, -1)


def known_calendars(shipped: Iterable[CalendarSpec], own: Iterable[CalendarSpec]) -> tuple[CalendarSpec, ...]:
    """Give calendars by id, own ones over those that ship."""
    return tuple({one.id: one for one in (*shipped, *own)}.values())

# SPDX-License-Identifier: Apache-2.0
"""Calendar durations (ISO 8601: ``P6M``, ``P30D``, ``P1Y``, ``P2W``) and partial dates."""

import calendar
import re
from datetime import date, timedelta
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

_YEARS, _MONTHS, _WEEKS, _DAYS = (rf"[0-9]{{1,3}}{unit}" for unit in "YMWD")
DURATION_PATTERN = (
    rf"^P({_YEARS}({_MONTHS})?({_WEEKS})?({_DAYS})?|{_MONTHS}({_WEEKS})?({_DAYS})?|{_WEEKS}({_DAYS})?|{_DAYS})$"
)
PARTIAL_DATE_PATTERN = r"^\d{4}(-\d{2}(-\d{2})?)?$"

Duration = Annotated[str, StringConstraints(pattern=DURATION_PATTERN)]
"""A calendar duration such as ``P6M`` (six calendar months)."""


def _exists(partial: str) -> str:
    first_day(partial)
    return partial


PartialDate = Annotated[str, StringConstraints(pattern=PARTIAL_DATE_PATTERN), AfterValidator(_exists)]
"""A day, a month or a year, as precise as the source states it."""


def add(start: date, duration: str) -> date:
    """Give the day that lies `duration` after `start`.

    Months are calendar months; a day that the target month lacks becomes its last day.
    The calendar ends with the year 9999: what lies beyond falls on its last day.
    """
    years, months, weeks, days = (
        int(found.group(1)) if (found := re.search(rf"(\d+){unit}", duration)) else 0 for unit in "YMWD"
    )
    month_index = start.year * 12 + start.month - 1 + years * 12 + months
    year, month = divmod(month_index, 12)
    if year > date.max.year:
        return date.max
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    moved = date(year, month + 1, day)
    return moved + min(timedelta(weeks=weeks, days=days), date.max - moved)


def approximate_days(duration: str) -> int:
    """Give a length in days for comparing durations (a month counts 30 days, a year 365)."""
    length = {"Y": 365, "M": 30, "W": 7, "D": 1}
    return sum(int(count) * length[unit] for count, unit in re.findall(r"(\d+)([YMWD])", duration))


def in_words(duration: str) -> str:
    """Give a duration in words.

    >>> in_words("P1Y"), in_words("P1Y6M")
    ('1 year', '1 year and 6 months')
    """
    units = {"Y": "year", "M": "month", "W": "week", "D": "day"}
    found = re.findall(r"(\d+)([YMWD])", duration)
    parts = [f"{int(count)} {units[unit]}{'' if int(count) == 1 else 's'}" for count, unit in found]
    return " and ".join((", ".join(parts[:-1]), parts[-1]) if len(parts) > 1 else parts)


def first_day(partial: str) -> date:
    """Give the first day that a partial date may mean.

    Raises:
        ValueError: the date does not exist.
    """
    numbers = [int(part) for part in partial.split("-")]
    return date(*(*numbers, 1, 1)[:3])


def last_day(partial: str) -> date:
    """Give the last day that a partial date may mean.

    Something dated only by its month is certainly known by the month's last day, not before.

    Raises:
        ValueError: the date does not exist.
    """
    numbers = [int(part) for part in partial.split("-")]
    if len(numbers) == 3:
        return date(*numbers)
    if len(numbers) == 2:
        return date(numbers[0], numbers[1], calendar.monthrange(*numbers)[1])
    return date(numbers[0], 12, 31)

# SPDX-License-Identifier: Apache-2.0
"""The clock as an argument: stages take a day, and only the shell asks what day it is."""

from collections.abc import Callable
from datetime import UTC, date, datetime

Clock = Callable[[], date]
"""Gives today's date."""


def system_clock() -> date:
    """Give today's date in UTC."""
    return datetime.now(UTC).date()


def fixed_clock(day: date) -> Clock:
    """Give a clock that always shows `day`."""
    return lambda: day

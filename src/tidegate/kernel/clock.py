# SPDX-License-Identifier: Apache-2.0
"""Clock and ids as arguments: stages take a day or an instant, and only the shell asks what time it is."""

import re
import secrets
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

Clock = Callable[[], date]
"""Gives today's date."""
Now = Callable[[], "Instant"]
"""Gives the present instant."""
Ids = Callable[[], str]
"""Gives a new id: 32 hexadecimal digits that nobody can guess."""

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ\Z")


def _exists(text: str) -> str:
    moment(text)
    return text


Instant = Annotated[str, StringConstraints(pattern=_INSTANT.pattern.replace(r"\Z", "$")), AfterValidator(_exists)]
"""A second in UTC, as RFC 3339 writes it: ``2026-11-21T09:30:00Z``."""


def moment(instant: str) -> datetime:
    """Give an instant as a time in UTC.

    Raises:
        ValueError: it is not of the form ``2026-11-21T09:30:00Z``, or does not exist.
    """
    if not _INSTANT.match(instant):
        raise ValueError("expected an instant such as 2026-11-21T09:30:00Z")
    return datetime.fromisoformat(instant)


def day_of(instant: str) -> date:
    """Give the day, in UTC, on which an instant lies."""
    return moment(instant).date()


def instant(when: datetime) -> Instant:
    """Give a time as an instant, cut to the second."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def system_clock() -> date:
    """Give today's date in UTC."""
    return datetime.now(UTC).date()


def system_now() -> Instant:
    """Give the present instant."""
    return instant(datetime.now(UTC))


def system_ids() -> str:
    """Give a new id from the operating system's randomness."""
    return secrets.token_hex(16)


def fixed_clock(day: date) -> Clock:
    """Give a clock that always shows `day`."""
    return lambda: day


def fixed_now(day: date) -> Now:
    """Give a clock that always shows noon, UTC, of `day`."""
    return lambda: f"{day.isoformat()}T12:00:00Z"

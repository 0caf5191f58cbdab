# SPDX-License-Identifier: Apache-2.0
"""Instants: one form, in UTC, to the second."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from tidegate.kernel.clock import day_of, fixed_clock, fixed_now, instant, moment, system_ids, system_now


def test_an_instant_is_a_second_in_utc() -> None:
    assert moment("2026-11-21T09:30:00Z") == datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
    assert day_of("2026-11-21T23:59:59Z") == date(2026, 11, 21)
    east = datetime(2026, 1, 1, 1, 0, 0, 999_999, timezone(timedelta(hours=2)))
    assert instant(east) == "2025-12-31T23:00:00Z"
    assert moment(system_now()).tzinfo == UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21",
        "2026-11-21T09:30:00",
        "2026-11-21T09:30:00+00:00",
        "2026-11-21 09:30:00Z",
        "2026-02-30T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T09:30:60Z",
        "2026-11-21T09:30:00Z\n",
        "",
    ],
)
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        moment(text)


def test_clocks_that_stand_still() -> None:
    assert fixed_clock(date(2026, 6, 1))() == date(2026, 6, 1)
    assert fixed_now(date(2026, 6, 1))() == "2026-06-01T12:00:00Z"


def test_ids_are_32_digits_and_not_the_same() -> None:
    made = {system_ids() for _ in range(50)}
    assert len(made) == 50
    assert all(len(one) == 32 and int(one, 16) >= 0 for one in made)

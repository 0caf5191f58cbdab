# SPDX-License-Identifier: Apache-2.0
"""Calendar durations and partial dates."""

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tidegate.kernel.duration import DURATION_PATTERN, Duration, PartialDate, add, approximate_days, last_day

DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2900, 1, 1))


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2025-01-31", "P1M", "2025-02-28"),
        ("2024-01-31", "P1M", "2024-02-29"),
        ("2024-02-29", "P1Y", "2025-02-28"),
        ("2025-11-30", "P3M", "2026-02-28"),
        ("2025-12-15", "P1M", "2026-01-15"),
        ("2025-05-14", "P6M", "2025-11-14"),
        ("2025-05-14", "P2W", "2025-05-28"),
        ("2025-05-14", "P30D", "2025-06-13"),
        ("2025-01-31", "P1M1D", "2025-03-01"),
        ("2025-01-01", "P1Y2M3W4D", "2026-03-26"),
        ("2025-01-01", "P0D", "2025-01-01"),
        ("9999-12-01", "P1Y", "9999-12-31"),
        ("9999-12-01", "P999D", "9999-12-31"),
    ],
)
def test_a_duration_is_added_by_the_calendar(start: str, duration: str, end: str) -> None:
    assert add(date.fromisoformat(start), duration) == date.fromisoformat(end)


@given(DAYS, st.integers(0, 999))
def test_days_and_weeks_are_exact(start: date, count: int) -> None:
    assert add(start, f"P{count}D") == start + timedelta(days=count)
    assert add(start, f"P{count}W") == start + timedelta(weeks=count)


@given(DAYS, st.integers(0, 83))
def test_twelve_months_are_a_year(start: date, years: int) -> None:
    assert add(start, f"P{12 * years}M") == add(start, f"P{years}Y")


@given(DAYS, DAYS, st.integers(0, 999), st.sampled_from("YMWD"))
def test_adding_keeps_the_order_of_days(first: date, second: date, count: int, unit: str) -> None:
    earlier, later = sorted((first, second))
    assert earlier <= add(earlier, f"P{count}{unit}") <= add(later, f"P{count}{unit}")


@pytest.mark.parametrize("text", ["P6M", "P1Y", "P1Y2M3W4D", "P30D", "P2W1D", "P999D"])
def test_durations_are_accepted(text: str) -> None:
    assert TypeAdapter(Duration).validate_python(text) == text


@pytest.mark.parametrize(
    "text", ["", "P", "6M", "P6", "P-6M", "P1.5M", "P1D1Y", "P1Y1Y", "PT1H", "P1000D", "P6M\n", "p6m", "P6m", "P٦M"]
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(text)


@given(st.from_regex(DURATION_PATTERN, fullmatch=True))
def test_every_part_of_an_accepted_duration_counts(text: str) -> None:
    parts = re.findall(r"(\d+)([YMWD])", text)
    assert "P" + "".join(count + unit for count, unit in parts) == text.strip()
    assert approximate_days(text) == sum(approximate_days(f"P{count}{unit}") for count, unit in parts)
    assert (add(date(2025, 1, 1), text) == date(2025, 1, 1)) == (approximate_days(text) == 0)


@pytest.mark.parametrize(
    ("partial", "day"),
    [("2025", "2025-12-31"), ("2025-02", "2025-02-28"), ("2024-02", "2024-02-29"), ("2025-05-14", "2025-05-14")],
)
def test_a_partial_date_is_certain_on_its_last_day(partial: str, day: str) -> None:
    assert TypeAdapter(PartialDate).validate_python(partial) == partial
    assert last_day(partial) == date.fromisoformat(day)


@pytest.mark.parametrize("partial", ["2025-13", "2025-02-30", "0000"])
def test_a_date_that_does_not_exist_is_refused(partial: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        last_day(partial)

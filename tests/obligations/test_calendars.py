# SPDX-License-Identifier: Apache-2.0
"""Counting in calendars: by hand, and against numpy, dateutil and the package of holidays."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import holidays
import numpy as np
import pytest
from dateutil.easter import easter as dateutil_easter
from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tidegate.kernel.errors import ObligationError
from tidegate.obligations.calendars import (
    COMPUTED,
    Reckoning,
    add_days,
    add_months,
    after,
    before,
    computed_holidays,
    easter,
    period_end,
    span,
)
from tidegate.obligations.model import CalendarSpec
from tidegate.obligations.rules import shipped_calendars

CALENDARS = {one.id: one for one in shipped_calendars()}
DAYS = st.dates(date(2003, 1, 1), date(2090, 12, 31))


@pytest.mark.parametrize(
    ("calendar", "start", "length", "expected"),
    [
        ("utc", "2026-01-31", "1 month", "2026-02-28"),
        ("utc", "2028-01-31", "1 month", "2028-02-29"),
        ("utc", "2028-02-29", "1 year", "2029-02-28"),
        ("utc", "2027-08-31", "6 months", "2028-02-29"),
        ("utc", "2026-12-20", "15 days", "2027-01-04"),
        ("utc", "2026-12-20", "4 weeks", "2027-01-17"),
        ("utc", "2026-11-21", "0 days", "2026-11-21"),
        ("utc", "2026-11-20", "1 business day", "2026-11-23"),  # Friday to Monday
        ("utc", "2026-11-21", "1 business day", "2026-11-23"),  # Saturday to Monday
        ("utc", "2026-12-24", "1 business day", "2026-12-25"),  # no holidays in UTC
        ("eu", "2026-12-24", "1 business day", "2026-12-28"),  # 25 and 26 December, a weekend
        ("eu", "2026-12-22", "5 business days", "2026-12-30"),
        ("eu", "2026-12-10", "15 business days", "2027-01-04"),
        ("eu", "2026-03-31", "5 business days", "2026-04-09"),  # Good Friday and Easter Monday
        ("us-ca", "2026-11-25", "1 business day", "2026-11-30"),  # Thanksgiving and the day after
        ("us-ny", "2026-11-25", "1 business day", "2026-11-27"),  # Thanksgiving only
        ("us-il", "2026-02-11", "1 business day", "2026-02-13"),  # Lincoln's birthday
    ],
)
def test_days_are_counted_from_the_day_after(calendar, start, length, expected):
    assert after(date.fromisoformat(start), length, CALENDARS[calendar]) == (date.fromisoformat(expected), None)


@pytest.mark.parametrize(
    ("calendar", "end", "length", "expected"),
    [
        ("utc", "2026-03-31", "1 month", "2026-02-28"),
        ("utc", "2026-09-14", "2 weeks", "2026-08-31"),
        ("eu", "2026-12-28", "2 business days", "2026-12-23"),
        ("eu", "2027-01-03", "1 business day", "2026-12-31"),  # a Sunday, and New Year before it
    ],
)
def test_days_are_counted_backwards(calendar, end, length, expected):
    assert before(date.fromisoformat(end), length, CALENDARS[calendar]) == (date.fromisoformat(expected), None)


@pytest.mark.parametrize(
    ("calendar", "instant", "day"),
    [
        ("us-ca", "2026-11-02T02:00:00Z", "2026-11-01"),  # six in the evening of the day before
        ("us-ca", "2026-11-02T07:59:59Z", "2026-11-01"),  # winter time since that morning
        ("us-ca", "2026-11-02T08:00:00Z", "2026-11-02"),
        ("us-ca", "2026-11-01T06:59:59Z", "2026-10-31"),  # summer time still
        ("us-ny", "2027-01-01T04:59:59Z", "2026-12-31"),
        ("eu", "2026-12-31T23:00:00Z", "2027-01-01"),
        ("eu", "2026-06-30T22:00:00Z", "2026-07-01"),
    ],
)
def test_a_day_is_that_of_the_calendar(calendar, instant, day):
    assert Reckoning(CALENDARS[calendar]).day(instant) == date.fromisoformat(day)


def test_hours_run_through_a_change_of_clocks():
    day, at = after("2026-11-01T05:30:00Z", "24 hours", CALENDARS["us-ca"])
    assert (day, at) == (date(2026, 11, 1), "2026-11-02T05:30:00Z")  # 21:30 the same evening, by the clock


def test_hours_from_a_bare_day_count_from_its_first_second():
    assert after(date(2026, 11, 1), "24 hours", CALENDARS["us-ca"])[1] == "2026-11-02T07:00:00Z"
    assert after(date(2026, 11, 3), "72 hours", CALENDARS["us-ny"])[1] == "2026-11-06T05:00:00Z"


@pytest.mark.parametrize(
    ("zone", "day", "last"),
    [
        ("America/Los_Angeles", "2026-03-08", "2026-03-09T06:59:59Z"),
        ("America/Los_Angeles", "2026-11-01", "2026-11-02T07:59:59Z"),
        ("Africa/Cairo", "2026-04-23", "2026-04-23T21:59:59Z"),  # the next midnight does not exist
        ("America/Havana", "2026-10-31", "2026-11-01T03:59:59Z"),  # the next midnight comes twice
        ("Pacific/Kiritimati", "2026-01-01", "2026-01-01T09:59:59Z"),
    ],
)
def test_the_last_second_of_a_day(zone, day, last):
    reckoning = Reckoning(CalendarSpec(id="x", timezone=zone))
    assert reckoning.last_second(date.fromisoformat(day)) == last
    assert reckoning.day(last) == date.fromisoformat(day)


def test_the_ends_of_the_calendar_hold():
    reckoning = Reckoning(CALENDARS["us-ca"])
    assert reckoning.counted(date(9999, 12, 1), "9999 years") == (date.max, None)
    assert reckoning.counted(date(1, 1, 1), "9999 years", -1) == (date.min, None)
    assert reckoning.counted("9999-12-31T23:00:00Z", "9999 hours")[1] == "9999-12-31T23:59:59Z"
    assert reckoning.counted("0001-01-01T01:00:00Z", "9999 hours", -1)[1] == "0001-01-01T00:00:00Z"
    assert reckoning.counted(date(9999, 12, 30), "9 business days") == (date.max, None)
    assert reckoning.last_second(date.max) == "9999-12-31T23:59:59Z"
    assert reckoning.day("0001-01-01T00:00:00Z") == date.min
    assert Reckoning(CALENDARS["eu"]).first_second(date.min) == "0001-01-01T00:00:00Z"


@given(DAYS, st.integers(0, 400))
def test_months_are_those_of_dateutil(day, count):
    assert add_months(day, count) == day + relativedelta(months=count)
    assert add_months(day, -count) == day - relativedelta(months=count)


@settings(max_examples=60)
@given(DAYS, st.integers(1, 40), st.sampled_from(["eu", "utc", "us-ny"]))
def test_business_days_are_those_of_numpy(day, count, name):
    spec = CALENDARS[name]
    closed = set()
    if name == "eu":
        closed = {*holidays.financial_holidays("ECB", years=range(day.year - 1, day.year + 2))}
    if name == "us-ny":
        closed = {*holidays.country_holidays("US", subdiv="NY", years=range(day.year - 1, day.year + 2))}
    closed_days = np.array(sorted(closed), dtype="datetime64[D]")
    start = np.datetime64(day)
    forwards = np.busday_offset(start, count, roll="backward", holidays=closed_days)
    backwards = np.busday_offset(start, -count, roll="forward", holidays=closed_days)
    assert after(day, f"{count} business days", spec) == (forwards.astype(date), None)
    assert before(day, f"{count} business days", spec) == (backwards.astype(date), None)


@pytest.mark.parametrize("year", range(2002, 2060))
def test_closing_days_of_target_are_those_of_the_package(year):
    assert computed_holidays("ECB", year) == frozenset(holidays.financial_holidays("ECB", years=year))


def test_target_did_not_exist_before():
    assert computed_holidays("ECB", 1998) == frozenset()


@given(st.integers(1583, 4099))
def test_easter_is_that_of_dateutil(year):
    assert easter(year) == dateutil_easter(year)


@given(st.integers(315_532_800, 2_840_140_800), st.sampled_from(sorted(CALENDARS)))
def test_a_day_holds_its_instants(seconds, name):
    instant = datetime.fromtimestamp(seconds, UTC)
    text = instant.strftime("%Y-%m-%dT%H:%M:%SZ")
    reckoning = Reckoning(CALENDARS[name])
    day = reckoning.day(text)
    assert day == instant.astimezone(ZoneInfo(CALENDARS[name].timezone)).date()
    assert reckoning.first_second(day) <= text <= reckoning.last_second(day)
    assert reckoning.day(reckoning.last_second(day)) == day
    assert reckoning.first_second(add_days(day, 1)) > reckoning.last_second(day)


@pytest.mark.parametrize(
    ("day", "period", "end"),
    [
        ("2026-02-10", "month", "2026-02-28"),
        ("2028-02-10", "month", "2028-02-29"),
        ("2026-01-01", "quarter", "2026-03-31"),
        ("2026-06-30", "quarter", "2026-06-30"),
        ("2026-07-01", "half_year", "2026-12-31"),
        ("2026-07-01", "year", "2026-12-31"),
    ],
)
def test_the_end_of_a_calendar_period(day, period, end):
    assert period_end(date.fromisoformat(day), period) == date.fromisoformat(end)


def test_a_length_is_read_once_for_all_its_forms():
    assert [span(one).count for one in ("1 day", "2 weeks", "1 year", "3 months")] == [1, 14, 12, 3]
    assert span("1 business day").unit == "business days"


def test_holidays_that_counsel_lists_count_besides():
    spec = CalendarSpec(id="own", holidays=(date(2026, 11, 23),), weekend=("fri", "sat"))
    assert after(date(2026, 11, 20), "1 business day", spec)[0] == date(2026, 11, 22)  # a Sunday works here
    assert after(date(2026, 11, 22), "1 business day", spec)[0] == date(2026, 11, 24)


def test_what_cannot_be_counted_by_is_refused():
    with pytest.raises(ObligationError, match=r"OBL002.*US-TX"):
        after(date(2026, 1, 1), "1 business day", CalendarSpec(id="tx", computed="US-TX"))
    with pytest.raises(ObligationError, match=r"OBL002.*Mars/Base"):
        Reckoning(CalendarSpec(id="mars", timezone="Mars/Base"))
    with pytest.raises(ObligationError, match="OBL002"):
        Reckoning(CalendarSpec(id="mars", timezone="../etc/passwd"))
    with pytest.raises(ValidationError, match="at least one business day"):
        CalendarSpec(id="x", weekend=("mon", "tue", "wed", "thu", "fri", "sat", "sun"))


@pytest.mark.parametrize("code", [one for one in COMPUTED if one != "ECB"])
def test_state_holidays_are_those_of_the_package(code):
    found = computed_holidays(code, 2026)
    assert date(2026, 11, 26) in found  # Thanksgiving
    assert found == frozenset(holidays.country_holidays("US", subdiv=code[3:], years=2026))

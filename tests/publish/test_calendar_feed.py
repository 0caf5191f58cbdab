# SPDX-License-Identifier: Apache-2.0
"""The iCalendar file, read back by the icalendar library: entries, alarms, ids, escaping, folding."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from publish.duty_factories import AT, a_duty, a_rule, an_event
from tidegate.obligations.model import STATES, Clock
from tidegate.publish.calendar_feed import calendar_feed, uid_of
from tidegate.publish.words import shortened

ORGANISATION = "Example Lab"


def read(duties: Any, organisation: str = ORGANISATION) -> Any:
    data = calendar_feed(duties, organisation, AT)
    found = Calendar.from_ical(data)
    assert found.errors == []
    assert [one for entry in found.walk("VEVENT") for one in entry.errors] == []
    return found


def by_hour(**changes: Any) -> Any:
    rule = a_rule("sb53.imminent-danger", clocks=(Clock(on="incident.discovered", within="24 hours"),), soon="24 hours")
    started = (an_event("incident.discovered", "2026-06-01T03:15:00Z", subject="i-1"),)
    given = {"due_at": "2026-06-02T03:15:00Z", "hours_left": 15, "started": started, "subject": "i-1", **changes}
    return a_duty("due_soon", date(2026, 6, 2), rule=rule, **given)


def test_a_day_is_an_entry_of_that_day_with_alarms_before():
    [entry] = read([a_duty(rule=a_rule(kind="policy", owner="ada", to="AI Office", text="In full."))]).walk("VEVENT")
    assert entry["dtstart"].dt == date(2026, 6, 13)
    assert "dtend" not in entry
    assert entry["dtstamp"].dt == datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert str(entry["summary"]) == "Readiness drill"
    assert [str(one) for one in entry["categories"].cats] == ["own policy", "due"]
    assert (entry["status"], entry["transp"], entry["class"]) == ("CONFIRMED", "TRANSPARENT", "PUBLIC")
    assert "url" not in entry
    told = str(entry["description"])
    for words in (
        "due in 12 days",
        "In full.",
        "drill.held on 2025-12-05 (entry 41)",
        "own.drill (own policy)",
        "ada",
        "AI Office",
    ):
        assert words in told
    alarms = [one["trigger"].dt for one in entry.walk("VALARM")]
    assert alarms == [-timedelta(days=29, hours=15), -timedelta(hours=15)]
    assert all(one["action"] == "DISPLAY" for one in entry.walk("VALARM"))


def test_what_is_due_by_the_hour_is_an_entry_at_that_time():
    [entry] = read([by_hour()]).walk("VEVENT")
    assert entry["dtstart"].to_ical() == b"20260602T031500Z"
    assert "dtend" not in entry, "an end has to lie after the start"
    assert [one["trigger"].dt for one in entry.walk("VALARM")] == [-timedelta(hours=4), -timedelta(hours=1)]
    assert str(entry["summary"]) == "Readiness drill: i-1"


def test_what_is_late_says_so_and_rings_no_more():
    [entry] = read([a_duty("late", date(2026, 5, 29), rule=a_rule(soft=True, is_public=False))]).walk("VEVENT")
    assert str(entry["summary"]) == "Late: Readiness drill"
    assert entry.walk("VALARM") == []
    assert (entry["status"], entry["class"], entry["priority"]) == ("TENTATIVE", "CONFIDENTIAL", 1)


@pytest.mark.parametrize("state", STATES)
def test_only_what_is_to_be_done_is_listed(state):
    assert bool(read([a_duty(state)]).walk("VEVENT")) is (state in ("late", "due_soon", "due"))
    assert read([a_duty(state, None)]).walk("VEVENT") == []


def test_calendars_can_subscribe_to_it():
    text = calendar_feed([a_duty()], "Example; Lab, Inc", AT).decode()
    assert text.startswith("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tidegate//due//EN\r\n")
    for line in (
        "METHOD:PUBLISH",
        "REFRESH-INTERVAL;VALUE=DURATION:PT12H",
        "X-PUBLISHED-TTL:PT12H",
        "NAME:Example\\; Lab\\, Inc: what is due",
        "X-WR-CALNAME:Example\\; Lab\\, Inc: what is due",
    ):
        assert f"\r\n{line}\r\n" in text


def test_the_same_input_gives_the_same_bytes():
    duties = [a_duty("late"), by_hour(), a_duty(subject="m")]
    assert calendar_feed(duties, ORGANISATION, AT) == calendar_feed(tuple(duties), ORGANISATION, AT)


def test_an_id_stays_while_the_duty_does_and_is_no_others():
    one = a_duty("due")
    assert uid_of(one, ORGANISATION) == uid_of(a_duty("late", days_left=-9, reason="otherwise"), ORGANISATION)
    others = [a_duty(subject="m"), a_duty(rule=a_rule("own.other")), by_hour()]
    ids = {uid_of(one, ORGANISATION), uid_of(one, "Other Lab"), *(uid_of(other, ORGANISATION) for other in others)}
    assert len(ids) == 5
    twice = [str(entry["uid"]) for entry in read([one, one, one]).walk("VEVENT")]
    assert len(set(twice)) == 3
    assert twice[0] == uid_of(one, ORGANISATION)


def test_a_date_that_moves_is_the_same_entry_in_a_later_file():
    moved = calendar_feed([by_hour(due_at="2026-06-02T01:00:00Z")], ORGANISATION, "2026-06-01T12:01:00Z")
    [before], [after] = read([by_hour()]).walk("VEVENT"), Calendar.from_ical(moved).walk("VEVENT")
    assert before["uid"] == after["uid"]
    assert after["sequence"] > before["sequence"]
    assert after["dtstart"].dt < before["dtstart"].dt
    late, coming = a_duty("late", date(2026, 5, 1)), a_duty("due", date(2026, 8, 1))
    first, second = (str(one["uid"]) for one in read([coming, late]).walk("VEVENT"))
    assert (second, first) == (uid_of(late, ORGANISATION), uid_of(coming, ORGANISATION, 2))


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=300), st.text(st.characters(codec="utf-8"), max_size=80))
def test_no_words_break_out_of_their_place(title, subject):
    rule = a_rule(title=title, text=f"{title}\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n{subject}", owner=subject or None)
    data = calendar_feed([a_duty(rule=rule, subject=subject or None)], title or "x", AT)
    assert all(len(line) <= 75 for line in data.split(b"\r\n")), "folded at 75 octets"
    assert data.count(b"\r\nBEGIN:VEVENT\r\n") == data.count(b"\r\nEND:VEVENT\r\n") == 1
    assert not any(byte < 32 and byte not in b"\r\n\t" for byte in data)
    [entry] = read([a_duty(rule=rule, subject=subject or None)], title or "x").walk("VEVENT")
    assert entry["dtstart"].dt == date(2026, 6, 13)
    assert str(entry["summary"]) == shortened(f"{title}{f': {subject}' if subject else ''}", 200)

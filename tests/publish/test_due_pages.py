# SPDX-License-Identifier: Apache-2.0
"""How duties stand, in words; and that no words of others steer a terminal."""

from datetime import date

import pytest

from publish.duty_factories import a_duty, a_rule, a_waiver, an_event
from tidegate.obligations.model import CalendarSpec, Clock
from tidegate.publish.due_pages import (
    GROUPS,
    date_words,
    due_summary,
    due_tables,
    duty_data,
    duty_words,
    explanation,
    rule_words,
)
from tidegate.publish.tables import plain

ESCAPE = "\x1b[2J"
HOURS = a_rule("sb53.imminent-danger", clocks=(Clock(on="incident.discovered", within="24 hours"),))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "late", "days_left": -3}, "late by 3 days"),
        ({"state": "late", "days_left": -1}, "late by 1 day"),
        ({"state": "late", "days_left": 0, "hours_left": -5}, "late by 5 hours"),
        ({"state": "late", "days_left": 0, "hours_left": 0}, "late by less than an hour"),
        ({"state": "late", "days_left": -4, "hours_left": -100}, "late by 4 days"),
        ({"state": "due", "days_left": 12}, "due in 12 days"),
        ({"state": "due_soon", "days_left": 1}, "due in 1 day"),
        ({"state": "due_soon", "days_left": 0}, "due today"),
        ({"state": "due_soon", "days_left": 0, "hours_left": 1}, "due in 1 hour"),
        ({"state": "due_soon", "days_left": 0, "hours_left": 0}, "due in less than an hour"),
        ({"state": "met", "days_left": 2}, "met 2 days early"),
        ({"state": "met", "days_left": 0}, "met on its last day"),
        ({"state": "met", "days_left": None}, "met"),
        ({"state": "met", "days_left": 0, "hours_left": 7}, "met 7 hours early"),
        ({"state": "met_late", "days_left": -3}, "met 3 days late"),
        ({"state": "waived", "waiver": a_waiver()}, "waived until 2026-09-01"),
        ({"state": "unclear", "due_on": None}, "unclear"),
        ({"state": "not_started", "due_on": None}, "not started"),
        ({"state": "not_applicable", "due_on": None}, "not applicable"),
    ],
)
def test_a_duty_stands_so(changes, words):
    assert duty_words(a_duty(**changes)) == words


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (a_rule(), "within 6 months of drill.held"),
        (a_rule(clocks=(Clock(on="drill.held"),), every="1 year"), "1 year after drill.held"),
        (a_rule(every="1 year"), "within 6 months of drill.held, then every 1 year"),
        (a_rule(clocks=None, due=date(2026, 7, 1)), "on 2026-07-01"),
        (a_rule(clocks=(Clock(on="deployment.planned", before="2 weeks"),)), "2 weeks before deployment.planned"),
        (
            a_rule(clocks=(Clock(on="a.b", within="1 day"), Clock(on="c.d", within="2 days")), when="all"),
            "within 1 day of a.b and within 2 days of c.d",
        ),
        (
            a_rule(clocks=(Clock(on="snapshot.made", within="0 days", ratio=4, since="assessment.comprehensive"),)),
            "within 0 days of snapshot.made of at least 4 times the amount of the last assessment.comprehensive",
        ),
        (a_rule(anchor="half_year"), "within 6 months of drill.held, by the calendar (half-year)"),
    ],
)
def test_a_rule_counts_so(rule, words):
    assert rule_words(rule) == words


def test_late_and_unclear_come_first():
    duties = [a_duty(state, None if state == "unclear" else date(2026, 6, 13)) for state in reversed(GROUPS)]
    shown = plain(due_tables(duties))
    heads = [line for line in shown.splitlines() if line.endswith("(1)")]
    assert heads[:4] == ["Late (1)", "Unclear (1)", "Due soon (1)", "Due (1)"]
    assert len(heads) == len(GROUPS)


def test_what_is_unclear_says_why_and_what_is_soft_says_so():
    unclear = a_duty("unclear", None, reason="no drill.held is on record to count from")
    soft = a_duty("late", date(2026, 5, 1), rule=a_rule(soft=True, owner="ada"))
    shown = " ".join(plain(due_tables([unclear, soft]), 160).split())
    assert "no drill.held is on record to count from" in shown
    assert "late by 31 days (soft)" in shown
    assert shown.count("ada") == 1


def test_what_others_wrote_neither_steers_nor_breaks_lines():
    rule = a_rule(title=f"A{ESCAPE}\nB", owner=f"o{ESCAPE}", text=f"t{ESCAPE}", to=f"z{ESCAPE}")
    duty = a_duty(rule=rule, subject=f"m{ESCAPE}\nLate (9)", started=(an_event(note=f"n{ESCAPE}\nHow: x"),))
    shown = plain(due_tables([duty])) + plain(explanation(rule, [duty], None))
    assert "\x1b" not in shown
    assert "\nLate (9)" not in shown
    assert "\n  How: x" not in shown


def test_an_explanation_names_event_source_rule_and_calendar():
    rule = a_rule(
        calendar="eu", source="eu-cop#1", to="AI Office", owner="ada", evidence=("report:R-1",), only_if=("gpai",),
        clocks=(Clock(on="drill.held", within="5 business days"),), not_if=("exempt",), in_force_from=date(2025, 8, 2), soft=True, coverage_at_most="30 days", kind="code",
    )  # fmt: skip
    calendar = CalendarSpec(id="eu", title="Brussels", timezone="Europe/Brussels", computed="ECB", holidays=(date.min,))
    done = an_event("drill.held", date(2026, 6, 2), covers=date(2026, 5, 30), source="entry 44")
    duty = a_duty("waived", rule=rule, subject="m", done=done, waiver=a_waiver())
    shown = plain(explanation(rule, [duty], calendar), 160)
    for words in (
        "Due: within 5 business days of drill.held",
        "From: code of practice, eu-cop#1",
        "To: AI Office",
        "Met by: done:own.drill",
        "at most 30 days before its day",
        "Applies only if: gpai",
        "Does not apply if: exempt",
        "In force from 2025-08-02",
        "Brussels (Europe/Brussels); no business days: sat, sun, the holidays of ECB, 1 listed holiday",
        "How: 6 months from drill.held on 2025-12-05",
        "Started by: drill.held, 2025-12-05 (entry 41)",
        "Met by: drill.held, 2026-06-02 (entry 44); covers up to 2026-05-30",
        "Waived until 2026-09-01 by ceo: Ill.",
        "not itself a breach",
    ):
        assert words in shown, words
    assert "business" not in plain(explanation(a_rule(calendar="eu"), [], calendar), 160)
    assert "Nothing follows from it now." in plain(explanation(rule, [], None))


def test_the_summary_counts_and_tells_what_is_hidden():
    duties = [a_duty("late"), a_duty("late"), a_duty("due")]
    assert due_summary(duties, 3) == "2 late, 1 due; 3 more with --all."
    assert due_summary([]) == "Nothing is due."


def test_what_is_due_by_the_hour_shows_its_hour():
    duty = a_duty("due_soon", date(2026, 6, 2), rule=HOURS, due_at="2026-06-02T03:15:00Z", hours_left=15, days_left=1)
    assert date_words(duty) == "2026-06-02 03:15Z"
    assert date_words(a_duty()) == "2026-06-13"
    assert date_words(a_duty("unclear", None)) == "-"


def test_data_holds_what_scripts_need():
    data = duty_data(a_duty("late", date(2026, 5, 29), subject="m", waiver=None))
    assert (data["id"], data["words"], data["days_left"]) == ("own.drill:m:2026-05-29", "late by 3 days", -3)
    assert data["started"][0]["source"] == "entry 41"
    assert duty_data(a_duty(rule=HOURS))["rule"] == "sb53.imminent-danger"

# SPDX-License-Identifier: Apache-2.0
"""States, reasons and order of duties: what starts a rule, what meets it, and what is said about it."""

import pytest
from pydantic import ValidationError

from obligations.making import duties, event, only, rule, shown, waiver
from tidegate.kernel.errors import ObligationError
from tidegate.obligations.engine import due
from tidegate.obligations.model import Event, Setting

START = event("start", "2026-11-01", "m")
FIFTEEN = rule("start +15 days")


@pytest.mark.parametrize(
    ("at", "state", "days_left"),
    [
        ("2026-10-31", "not_started", None),
        ("2026-11-01", "due_soon", 15),
        ("2026-11-16T23:59:59Z", "due_soon", 0),
        ("2026-11-17T00:00:00Z", "late", -1),
        ("2026-11-19", "late", -3),
    ],
)
def test_a_state_follows_from_the_moment(at, state, days_left):
    found = only(FIFTEEN, [START], at)
    assert (found.state, found.days_left) == (state, days_left)


def test_it_counts_as_soon_from_its_own_length_on():
    early = rule("start +15 days", soon="1 week")
    assert only(early, [START], "2026-11-08").state == "due"
    assert only(early, [START], "2026-11-09").state == "due_soon"
    hours = rule("start +24 hours", soon="2 hours")
    begun = [event("start", "2026-11-01T10:00:00Z")]
    assert only(hours, begun, "2026-11-02T07:59:59Z").state == "due"
    assert only(hours, begun, "2026-11-02T08:00:00Z").state == "due_soon"


@pytest.mark.parametrize(
    ("clocks", "fields", "events", "at", "reason"),
    [
        ("start +15 days", {}, [START], "2026-11-02", "15 days from start on 2026-11-01"),
        (
            "start +15 days", {"calendar": "us-ca"}, [event("start", "2026-11-02T02:00:00Z")], "2026-11-03",
            "15 days from start on 2026-11-01 (day in America/Los_Angeles)",
        ),
        ("start +15 days", {}, [START], "2026-11-19", "15 days from start on 2026-11-01; 3 days late"),
        (
            "start +5 business days", {"calendar": "eu"}, [event("start", "2026-12-22")], "2026-12-23",
            "5 business days from start on 2026-12-22 (day in Europe/Brussels, without weekends and holidays)",
        ),
        (
            "start +24 hours", {}, [event("start", "2026-11-01T10:00:00Z")], "2026-11-02T10:30:00Z",
            "24 hours from start at 2026-11-01T10:00:00Z; less than an hour late",
        ),
        (
            "start +24 hours", {}, [event("start", "2026-11-01T10:00:00Z")], "2026-11-04T11:00:00Z",
            "24 hours from start at 2026-11-01T10:00:00Z; 49 hours late",
        ),
        (
            "start +24 hours", {}, [event("start", "2026-11-01T10:00:00Z")], "2026-11-06T11:00:00Z",
            "24 hours from start at 2026-11-01T10:00:00Z; 4 days late",
        ),
        (
            "start +24 hours", {"calendar": "us-ca"}, [event("start", "2026-11-01")], "2026-11-01",
            "24 hours from the start of 2026-11-01 in America/Los_Angeles, as the hour of start is not on record",
        ),
        ("start +0 days", {}, [START], "2026-11-01", "on the day of start on 2026-11-01"),
        ("start +1 week", {"done_by": ["end"]}, [START, event("end", "2026-11-08", "m")], "2026-11-10",
         "1 week from start on 2026-11-01; met by end on 2026-11-08"),
        ("start +1 week", {"done_by": ["end"]}, [START, event("end", "2026-11-09", "m")], "2026-11-10",
         "1 week from start on 2026-11-01; met by end on 2026-11-09, 1 day late"),
        ([{"on": "plan", "before": "2 weeks"}], {}, [event("plan", "2026-12-01")], "2026-11-02",
         "2 weeks before plan on 2026-12-01"),
        ("start +30 days", {"anchor": "quarter"}, [START], "2026-11-02",
         "30 days from the end of the quarter of start on 2026-11-01"),
        ("start", {"every": "6 months"}, [START], "2026-11-02", "6 months from start on 2026-11-01"),
        ("start", {"every": "1 month", "in_force_from": "2026-12-01"}, [START], "2026-12-02",
         "1 month from 2026-12-01, when it came into force (start was on 2026-11-01)"),
        ("start +15 days", {}, [], "2026-11-02", "waits for start"),
        ("start +15 days", {"expects_start": True}, [], "2026-11-02",
         "it ought to run, but no start is on record to count from"),
        ("start +15 days", {"only_if": ["large"]}, [], "2026-11-02", "large is not so here"),
        ("start +15 days", {"only_if": ["x.class"]}, [START], "2026-11-02", "x.class is not so of start on 2026-11-01"),
        ("start +15 days", {"not_if": ["small"]}, [event("start", "2026-11-01", "m", "small")], "2026-11-02",
         "small is so of start on 2026-11-01"),
        ("start +15 days", {"in_force_from": "2026-11-02"}, [START], "2026-11-03",
         "waits for start; start of 2026-11-01 lies before 2026-11-02, when it came into force"),
        ("start +15 days", {"in_force_from": "2026-12-01"}, [START], "2026-11-03", "in force from 2026-12-01"),
        ("start +15 days", {"in_force_until": "2026-11-01"}, [START], "2026-11-03", "no longer in force since 2026-11-01"),
        (None, {"due": "2026-12-01"}, [], "2026-11-03", "fixed for 2026-12-01"),
    ],
)  # fmt: skip
def test_a_reason_is_one_sentence(clocks, fields, events, at, reason):
    assert only(rule(clocks, **fields), events, at).reason == reason


def test_only_what_is_not_before_the_start_meets_it():
    before, same_day = event("done:r", "2026-10-31", "m"), event("done:r", "2026-11-01", "m")
    assert only(FIFTEEN, [START, before], "2026-11-05").state == "due_soon"
    assert only(FIFTEEN, [START, same_day], "2026-11-05").state == "met"
    begun = event("start", "2026-11-01T10:00:00Z", "m")
    earlier, hourless = event("done:r", "2026-11-01T09:59:59Z", "m"), same_day
    assert only(FIFTEEN, [begun, earlier], "2026-11-05").state == "due_soon"
    assert only(FIFTEEN, [begun, hourless], "2026-11-05").done == hourless
    assert only(rule("start +15 days", may_be_early=True), [begun, before], "2026-11-05").state == "met"


def test_what_meets_it_is_about_the_same_subject():
    other, nobody = event("done:r", "2026-11-03", "n"), event("done:r", "2026-11-03")
    assert only(FIFTEEN, [START, other, nobody], "2026-11-05").state == "due_soon"
    whole = event("start", "2026-11-01")
    assert only(FIFTEEN, [whole, other], "2026-11-05").state == "met"
    assert only(rule("start +15 days", per="organisation"), [START, other], "2026-11-05").state == "met"


def test_what_is_done_later_than_the_moment_is_not_known_yet():
    done = event("done:r", "2026-11-20", "m")
    assert only(FIFTEEN, [START, done], "2026-11-19").state == "late"
    found = only(FIFTEEN, [START, done], "2026-11-20")
    assert (found.state, found.days_left, found.done) == ("met_late", -4, done)


def test_hours_of_what_is_done():
    begun = event("start", "2026-11-01T10:00:00Z")
    hours = rule("start +24 hours")
    in_time = only(hours, [begun, event("done:r", "2026-11-02T10:00:00Z")], "2026-11-05")
    assert (in_time.state, in_time.hours_left) == ("met", 0)
    late = only(hours, [begun, event("done:r", "2026-11-02T10:00:01Z")], "2026-11-05")
    assert (late.state, late.hours_left) == ("met_late", -1)
    assert only(hours, [begun, event("done:r", "2026-11-01")], "2026-11-05").state == "met"
    assert only(hours, [begun, event("done:r", "2026-11-03")], "2026-11-05").state == "met_late"
    unknown = only(hours, [begun, event("done:r", "2026-11-02")], "2026-11-05")
    assert unknown.state == "unclear"
    assert unknown.reason.endswith("done:r is on record for 2026-11-02 without its hour, and it was due at 2026-11-02T10:00:00Z")  # fmt: skip


def test_a_plan_drives_what_has_to_be_before_it():
    planned = rule([{"on": "market.planned", "before": "2 weeks"}])
    plan = event("market.planned", "2026-12-28", "m")
    assert shown(duties(planned, [plan], "2026-11-21")) == [("due_soon", "2026-12-14")]
    assert only(planned, [plan, event("done:r", "2026-10-01", "m")], "2026-11-21").state == "met"
    assert only(rule("market.planned +2 weeks"), [plan], "2026-11-21").state == "not_started"


def test_a_plan_that_came_about_gives_way():
    both = rule(
        [{"on": "market.planned", "before": "0 days", "not_if": ["internal"], "replaced_by": "market.entered"},
         {"on": "market.entered", "within": "0 days", "not_if": ["internal"]}], restart="first",
    )  # fmt: skip
    plan, internal = event("market.planned", "2026-12-01", "m"), event("market.entered", "2026-06-01", "m", "internal")
    assert shown(duties(both, [plan, internal], "2026-11-21")) == [("due_soon", "2026-12-01")]
    entered = event("market.entered", "2026-11-20", "m")
    assert shown(duties(both, [plan, internal, entered], "2026-11-21")) == [("late", "2026-11-20")]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"when": "any", "binds": "earliest"}, [("due_soon", "2026-11-20")]),
        ({"when": "any", "binds": "latest"}, [("due", "2027-02-01")]),
        ({"when": "all", "binds": "earliest"}, [("due_soon", "2026-11-20")]),
    ],
)
def test_several_clocks_bind_together(fields, expected):
    two = rule([{"on": "a", "within": "10 days"}, {"on": "b", "within": "3 months"}], restart="first", **fields)
    events = [event("a", "2026-11-10", "m"), event("b", "2026-11-01", "m"), event("a", "2026-12-24", "m")]
    found = duties(two, events, "2026-11-12")
    assert shown(found) == expected
    assert {one.kind for one in found[0].started} == {"a", "b"}


def test_all_waits_for_the_rest():
    two = rule([{"on": "a", "within": "10 days"}, {"on": "b", "within": "3 months"}], when="all")
    assert only(two, [event("a", "2026-11-10", "m")], "2026-11-12").reason == "waits for b; on record: a"
    assert only(two, [], "2026-11-12").reason == "waits for a and b"
    done = [event("a", "2026-11-10", "m"), event("done:r", "2026-11-11", "m"), event("b", "2026-11-12", "m")]
    assert only(two, done, "2026-11-12").state == "due_soon", "what was done before all had happened does not count"


EVENTS = [event("start", "2026-01-10", "m"), event("start", "2026-01-20", "m"), event("start", "2026-03-10", "m")]


@pytest.mark.parametrize(
    ("restart", "done", "expected"),
    [
        ("each", "2026-02-01", [("met", "2026-02-09"), ("met", "2026-02-19"), ("late", "2026-04-09")]),
        ("first", "2026-02-01", [("met", "2026-02-09")]),
        ("latest", "2026-04-20", [("met_late", "2026-02-09"), ("met_late", "2026-02-19"), ("met_late", "2026-04-09")]),
        ("latest", "2026-06-20", [("late", "2026-02-19"), ("late", "2026-04-09")]),
        ("once_met", "2026-02-01", [("met", "2026-02-09"), ("late", "2026-04-09")]),
        ("once_met", "2026-06-20", [("late", "2026-02-09")]),
    ],
)
def test_several_events_about_one_subject(restart, done, expected):
    found = duties(rule("start +30 days", restart=restart), [*EVENTS, event("done:r", done, "m")], "2026-05-01")
    assert sorted(shown(found), key=lambda one: one[1]) == expected


def test_a_ratio_compares_with_the_last_that_was_assessed():
    four = rule([{"on": "snapshot", "ratio": 4, "since": "assessed", "within": "1 month"}], expects_start=True)
    small, large = event("snapshot", "2026-03-01", "n", amount=3.9), event("snapshot", "2026-04-01", "n", amount=4.0)
    base = event("assessed", "2026-01-01", "m", amount=1.0)
    assert only(four, [large], "2026-04-02").reason == "snapshot of 2026-04-01: no assessed before it is on record to compare with"  # fmt: skip
    assert only(four, [large], "2026-04-02").state == "unclear"
    waiting = only(four, [base, small], "2026-04-02")
    assert (waiting.state, waiting.reason) == (
        "not_started",
        "waits for snapshot of at least 4 times the amount of the last assessed; snapshot of 2026-03-01 is 3.9 times that of assessed of 2026-01-01",
    )
    assert shown(duties(four, [base, small, large], "2026-04-02")) == [("due_soon", "2026-05-01")]
    raised = event("assessed", "2026-03-15", "n", amount=3.9)
    assert only(four, [base, small, large, raised], "2026-04-02").state == "not_started"


def test_an_amount_that_is_not_on_record_is_unclear():
    four = rule([{"on": "snapshot", "ratio": 4, "since": "assessed", "within": "1 month"}], restart="once_met")
    base = event("assessed", "2026-01-01", "m", amount=1.0)
    bare = event("snapshot", "2026-04-01", "n")
    found = only(four, [base, bare], "2026-04-02")
    assert (found.state, found.subject, found.reason) == ("unclear", "n", "snapshot of 2026-04-01 carries no amount")
    assert only(four, [base, bare, event("snapshot", "2026-04-02", "n", amount=5)], "2026-04-03").state == "due_soon"
    nameless = event("assessed", "2026-01-01", "m")
    large = event("snapshot", "2026-04-01", "n", amount=4)
    assert only(four, [nameless, large], "2026-04-02").state == "unclear"
    known = event("snapshot", "2025-12-01", "m", amount=1)
    assert only(four, [nameless, large, known], "2026-04-02").state == "due_soon"
    assert only(four, [event("assessed", "2026-01-01"), large, known], "2026-04-02").state == "unclear"


def test_a_report_that_covers_too_little_does_not_meet_it():
    covering = rule("start +3 months", done_by=["report"], coverage_at_most="30 days")
    old, mute = event("report", "2026-12-31", "m", covers="2026-11-30"), event("report", "2026-12-30", "m")
    found = only(covering, [START, mute, old], "2027-01-10")
    assert found.state == "due_soon"
    assert found.reason.endswith("report of 2026-12-31 does not meet it: it covers up to 2026-11-30, more than 30 days before")  # fmt: skip
    assert "does not say up to when" in only(covering, [START, mute], "2027-01-10").reason
    enough = event("report", "2026-12-31", "m", covers="2026-12-01")
    assert only(covering, [START, mute, old, enough], "2027-01-10").done == enough


def test_a_ratio_is_taken_to_what_is_certainly_earlier():
    four = rule([{"on": "snapshot", "ratio": 4, "since": "assessed", "within": "1 month"}])
    base, same_day = event("assessed", "2026-01-01", "m", amount=1.0), event("assessed", "2026-04-01", "n", amount=4.0)
    large = event("snapshot", "2026-04-01T09:00:00Z", "n", amount=4.0)
    assert only(four, [base, same_day, large], "2026-04-02").due_on.isoformat() == "2026-05-01"


def test_a_report_by_the_calendar_that_covers_too_little_does_not_meet_it():
    covering = rule("start", every="1 year", again="due", done_by=["report"], coverage_at_most="30 days")
    stale = event("report", "2026-12-01", covers="2026-10-01")
    found = only(covering, [event("start", "2026-01-01"), stale], "2026-12-02")
    assert found.state == "due_soon"
    assert "it covers up to 2026-10-01" in found.reason
    enough = event("report", "2026-12-02", covers="2026-11-15")
    assert duties(covering, [event("start", "2026-01-01"), stale, enough], "2026-12-02")[-1].done == enough


# --- recurring -------------------------------------------------------------------------------------


def test_an_interval_counts_from_what_was_done():
    half_year = rule("assessed", every="6 months", restart="first", done_by=["assessed"], per="organisation")
    days = ["2025-01-31", "2025-07-31", "2026-02-03", "2026-03-01"]
    found = duties(half_year, [event("assessed", day, f"m{day}") for day in days], "2026-11-21")
    assert sorted(shown(found), key=lambda one: one[1]) == [
        ("met", "2025-07-31"), ("met_late", "2026-01-31"), ("met", "2026-08-03"), ("late", "2026-09-01"),
    ]  # fmt: skip
    late = next(one for one in found if one.state == "met_late")
    assert late.reason.endswith("met by assessed on 2026-02-03, 3 days late")


def test_the_end_of_a_short_month_does_not_carry_on():
    monthly = rule("start", every="1 month", again="due")
    done = [event("done:r", day, "m") for day in ("2026-02-20", "2026-03-20", "2026-04-20")]
    found = duties(monthly, [event("start", "2026-01-31", "m"), *done], "2026-04-25")
    assert sorted(str(one.due_on) for one in found) == ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]


def test_every_missed_date_of_the_calendar_stays():
    quarterly = rule("start", every="3 months", anchor="quarter")
    found = duties(quarterly, [event("start", "2026-01-15")], "2026-11-21")
    assert shown(found) == [
        ("late", "2026-03-31"),
        ("late", "2026-06-30"),
        ("late", "2026-09-30"),
        ("due", "2026-12-31"),
    ]
    assert found[1].reason == "the end of the quarter of start on 2026-01-15, and every 3 months since (date 2); 144 days late"  # fmt: skip


def test_what_is_done_meets_the_oldest_open_date_unless_it_says_which():
    quarterly = rule("start", every="3 months", anchor="quarter", again="due")
    begun = event("start", "2026-01-15")
    late = duties(quarterly, [begun, event("done:r", "2026-06-25")], "2026-07-15")
    assert sorted(shown(late)) == [("due", "2026-09-30"), ("late", "2026-06-30"), ("met_late", "2026-03-31")]
    named = duties(quarterly, [begun, event("done:r", "2026-06-25", covers="2026-06-24")], "2026-07-15")
    assert sorted(shown(named)) == [("due", "2026-09-30"), ("late", "2026-03-31"), ("met", "2026-06-30")]
    after = duties(quarterly, [begun, event("done:r", "2026-07-10", covers="2026-03-31")], "2026-07-15")
    assert sorted(shown(after)) == [("due", "2026-09-30"), ("late", "2026-06-30"), ("met_late", "2026-03-31")]


def test_what_is_told_after_a_period_is_not_told_within_it():
    told = rule("start +30 days", every="3 months", anchor="quarter", done_by=["told"])
    events = [event("start", "2026-01-15"), event("told", "2026-03-30"), event("told", "2026-04-02")]
    found = duties(told, events, "2026-05-15")
    assert sorted(shown(found)) == [("due", "2026-07-30"), ("met", "2026-04-30")]
    assert next(one for one in found if one.done).done.at.isoformat() == "2026-04-02"


def test_done_early_by_the_calendar_shows_the_next_date_as_well():
    found = duties(rule("start", every="1 year", again="due"), [event("start", "2026-01-01"), event("done:r", "2026-02-01")], "2026-03-01")  # fmt: skip
    assert sorted(shown(found)) == [("due", "2028-01-01"), ("met", "2027-01-01")]


def test_a_fixed_date_may_recur():
    yearly = rule(None, due="2024-02-29", every="1 year")
    found = duties(yearly, [event("done:r", "2023-12-01"), event("done:r", "2025-02-10")], "2025-06-01")
    assert sorted(shown(found)) == [("due", "2026-02-28"), ("met", "2024-02-29"), ("met", "2025-02-28")]
    assert only(rule(None, due="2026-12-01"), [event("done:r", "2026-11-01", "m")], "2026-11-21").state == "met"
    ended = rule(None, due="2026-12-01", in_force_until="2026-12-01")
    assert only(ended, [], "2026-11-21").state == "not_applicable"
    assert only(rule(None, due="2026-12-01", only_if=["large"]), [], "2026-11-21").state == "not_applicable"


def test_a_first_date_may_have_its_own_length():
    first = rule("start +10 days", every="1 month", again="due")
    found = duties(first, [event("start", "2026-01-21")], "2026-03-10")
    assert shown(found) == [("late", "2026-01-31"), ("late", "2026-02-28"), ("due_soon", "2026-03-31")]
    hourly = rule("start +2 hours", every="12 hours", again="due", soon="1 hour")
    found = duties(hourly, [event("start", "2026-01-21T00:00:00Z")], "2026-01-21T13:00:00Z")
    assert [(one.state, one.due_at) for one in found] == [
        ("late", "2026-01-21T02:00:00Z"), ("due_soon", "2026-01-21T14:00:00Z"),
    ]  # fmt: skip


def test_it_ends():
    monthly = rule("opened", every="1 month", done_by=["told"], ends_on=["closed"])
    events = [event("opened", "2026-01-10", "N-1"), event("told", "2026-02-09", "N-1"), event("closed", "2026-03-01", "N-1")]  # fmt: skip
    assert shown(duties(monthly, events, "2026-06-01")) == [("met", "2026-02-10")]
    missed = [events[0], event("closed", "2026-03-01", "N-1")]
    assert shown(duties(monthly, missed, "2026-06-01")) == [("late", "2026-02-10")]
    quick = only(monthly, [events[0], event("closed", "2026-01-20", "N-1")], "2026-06-01")
    assert (quick.state, quick.subject) == ("not_applicable", "N-1")
    assert quick.reason == "it ended on 2026-01-20, before it was due for the first time"
    assert only(monthly, [events[0], event("closed", "2026-01-20", "N-2")], "2026-01-21").state == "due_soon"


def test_a_rule_that_goes_out_of_force_keeps_what_was_missed():
    monthly = rule("start", every="1 month", again="due", in_force_until="2026-03-01")
    found = duties(monthly, [event("start", "2026-01-10")], "2026-06-01")
    assert shown(found) == [("late", "2026-02-10")]


def test_each_start_anew_keeps_what_was_missed_before():
    yearly = rule("issued", every="1 year", restart="latest", per="organisation", done_by=["audited"])
    events = [
        event("issued", "2023-01-10", "C-1"),
        event("audited", "2024-01-20"),
        event("issued", "2024-06-01", "C-2"),
    ]
    found = duties(yearly, events, "2025-01-01")
    assert sorted(shown(found)) == [("due", "2025-06-01"), ("met_late", "2024-01-10")]


def test_parallel_chains_of_one_subject():
    each = rule("issued", every="1 year", again="due")
    found = duties(each, [event("issued", "2026-01-10", "m"), event("issued", "2026-06-01", "m")], "2026-11-21")
    assert shown(found) == [("due", "2027-01-10"), ("due", "2027-06-01")]


def test_far_back_dates_are_not_listed():
    daily = rule("start", every="1 day", again="due")
    found = duties(daily, [event("start", "1990-01-01")], "2026-11-21")
    assert 400 <= len(found) <= 402
    assert max(one.due_on for one in found).isoformat() == "2026-11-21"
    far = duties(rule("start", every="9999 years", again="due"), [event("start", "2026-01-01")], "2026-11-21")
    assert shown(far) == [("due", "9999-12-31")]
    done = [event("start", "2026-01-01"), event("done:r", "2026-02-01")]
    assert shown(duties(rule("start", every="9999 years", again="due"), done, "2026-11-21")) == [("met", "9999-12-31")]


# --- what does not apply ----------------------------------------------------------------------------


def test_facts_of_the_organisation_or_of_the_event():
    both = rule("start +15 days", only_if=["large", "x.class"])
    with_class = event("start", "2026-11-01", "m", "x.class")
    assert only(both, [with_class], "2026-11-02").state == "not_applicable"
    assert only(both, [with_class], "2026-11-02", facts=frozenset({"large"})).state == "due_soon"
    other = event("start", "2026-11-01", "n")
    found = duties(both, [with_class, other], "2026-11-02", facts=frozenset({"large"}))
    assert [(one.subject, one.state) for one in found] == [("m", "due_soon"), ("n", "not_applicable")]
    assert only(both, [], "2026-11-02", facts=frozenset({"large"})).state == "not_started"
    assert only(rule("start +15 days", not_if=["small"]), [START], "2026-11-02", facts=frozenset({"small"})).reason == "small is so here"  # fmt: skip
    several = only(rule("start +15 days", only_if=["a", "b"]), [], "2026-11-02")
    assert several.reason == "a and b are not so here"


def test_a_rule_that_is_set_aside_says_why():
    found = only(FIFTEEN, [START], "2026-11-02", without=(("r", "no such products"),))
    assert (found.state, found.reason) == ("not_applicable", "no such products")


def test_a_calendar_that_is_not_known_is_refused():
    with pytest.raises(ObligationError, match=r"OBL002.*'mars'"):
        due([], [rule("start +15 days", calendar="mars")], "2026-11-21T12:00:00Z", Setting())
    assert due([], [FIFTEEN], "2026-11-21T12:00:00Z")[0].state == "not_started"


# --- waivers ----------------------------------------------------------------------------------------


def test_a_signed_waiver_relieves_while_it_lasts():
    given = waiver(until="2026-11-30")
    held = only(FIFTEEN, [START], "2026-11-20", waivers=(given,))
    assert (held.state, held.waiver) == ("waived", given)
    assert held.reason.endswith("4 days late; waived until 2026-11-30: it cannot be done")
    over = only(FIFTEEN, [START], "2026-12-01", waivers=(given,))
    assert (over.state, over.waiver) == ("late", None)
    assert over.reason.endswith("its waiver ended on 2026-11-30")
    done = only(FIFTEEN, [START, event("done:r", "2026-11-20", "m")], "2026-11-21", waivers=(given,))
    assert done.state == "met_late"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"subject": "m"}, "waived"),
        ({"subject": "n"}, "late"),
        ({"due": "2026-11-16"}, "waived"),
        ({"due": "2026-11-17"}, "late"),
        ({"rule": "other"}, "late"),
        ({"signed_by": []}, "late"),
        ({"until": "2026-11-15"}, "late"),  # the date lies after what it covers
    ],
)
def test_a_waiver_is_for_what_it_names(fields, state):
    assert only(FIFTEEN, [START], "2026-11-20", waivers=(waiver(**fields),)).state == state


def test_of_several_waivers_the_longest_counts():
    several = (waiver(until="2026-11-20"), waiver(until="2026-12-05", reason="longer"), waiver(until="2026-11-25"))
    assert only(FIFTEEN, [START], "2026-12-01", waivers=several).reason.endswith("waived until 2026-12-05: longer")


# --- order and records ------------------------------------------------------------------------------


def test_the_worst_and_nearest_come_first():
    rules = [
        rule("start +15 days", id="soon"), rule("start +1 year", id="far"), rule("start +1 day", id="late"),
        rule("start +2 days", id="later"), rule("never +1 day", id="waits"),
        rule("never +1 day", id="unclear", expects_start=True), rule("start +3 days", id="met", done_by=["start2"]),
        rule("start +1 day", id="large", only_if=["large"]),
    ]  # fmt: skip
    found = duties(rules, [START, event("start2", "2026-11-02", "m")], "2026-11-05")
    assert [one.rule.id for one in found] == ["unclear", "late", "later", "soon", "far", "met", "waits", "large"]
    assert found[1].id == "late:m:2026-11-02"


def test_an_event_at_midnight_keeps_its_hour():
    text = '{"kind": "start", "at": "2026-11-02T00:00:00Z"}'
    assert Event.model_validate_json(text).at == "2026-11-02T00:00:00Z"
    assert only(rule("start +1 day", calendar="us-ca"), [Event.model_validate_json(text)], "2026-11-02").due_on.isoformat() == "2026-11-02"  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"clocks": [{"on": "a", "within": "1 day", "before": "1 day"}]}, "not both"),
        ({"clocks": [{"on": "a", "within": "1 day", "ratio": 4}]}, "go together"),
        ({"clocks": [{"on": "a"}]}, "unless the rule recurs"),
        ({"clocks": None}, "either `clocks` or a fixed `due`"),
        ({"clocks": [{"on": "a", "within": "1 fortnight"}]}, "pattern"),
        ({"clocks": [{"on": "a", "within": "0 hours"}]}, "pattern"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        rule(**fields)


def test_what_starts_a_calendar_does_not_meet_its_first_date():
    own = rule("done", every="3 months", again="due", done_by=["done"])
    assert shown(duties(own, [event("done", "2026-01-01")], "2026-02-01")) == [("due", "2026-04-01")]
    again = [event("done", "2026-01-01"), event("done", "2026-03-20")]
    assert shown(duties(own, again, "2026-03-21"))[-1] == ("met", "2026-04-01")
    quarter = rule("done", every="3 months", anchor="quarter", done_by=["done"])
    found = duties(quarter, [event("done", "2026-01-15")], "2026-02-01")
    assert ("met", "2026-03-31") in shown(found), "the report of a quarter is that of its quarter"


@pytest.mark.parametrize("base", [0.0, -1.0])
def test_nothing_is_compared_with_an_amount_that_is_none(base):
    rules = rule(
        [{"on": "snapshot", "within": "1 month", "ratio": 4, "since": "assessed"}], restart="once_met", done_by=["assessed"]
    )  # fmt: skip
    events = [event("snapshot", "2026-01-01", "m", amount=base), event("assessed", "2026-02-01", "m")]
    found = only(rules, [*events, event("snapshot", "2026-03-01", "m", amount=8.0)], "2026-03-02")
    assert found.state == "unclear"
    assert "no amount above 0" in found.reason


def test_a_fixed_date_is_not_met_by_what_was_done_before_its_first_day():
    old, new = event("held", "2020-01-01"), event("held", "2026-05-01")
    dated = rule(None, due="2026-06-30", done_by=["held"], in_force_from="2026-01-01")
    assert only(dated, [old], "2026-05-02").state == "due"
    assert only(dated, [old, new], "2026-05-02").state == "met"
    early = dated.model_copy(update={"may_be_early": True})
    assert only(early, [old], "2026-05-02").state == "met"
    yearly = rule(None, due="2026-06-30", every="1 year", done_by=["held"])
    assert shown(duties(yearly, [old], "2026-05-02")) == [("due", "2026-06-30")]
    assert ("met", "2026-06-30") in shown(duties(yearly, [old, new], "2026-05-02"))


def test_what_is_not_for_the_public_is_not_said_of_a_duty():
    rules = rule("start +15 days")
    secret = waiver(is_public=False, reason="the audit failed")
    found = only(rules, [event("start", "2026-01-01")], "2026-02-01", waivers=(secret,))
    assert found.state == "waived"
    assert "the audit failed" not in found.reason
    assert found.waiver == secret


@pytest.mark.parametrize(
    ("on", "published"),
    [
        ("incident.discovered", False),
        ("noncompliance.opened", False),
        ("disclosure.received", False),
        ("done:eu.incident.death", False),
        ("noncompliance.board_told", True),
        ("policy.effective", True),
    ],
)
def test_what_counts_from_an_incident_or_a_case_is_never_published(on, published):
    assert rule(f"{on} +15 days").is_published is published
    assert not rule(f"{on} +15 days", is_public=False).is_published

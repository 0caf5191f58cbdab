# SPDX-License-Identifier: Apache-2.0
"""The shortfalls that a first year under a published policy showed: each would have been flagged beforehand."""

import pytest

from obligations.making import duties, event, only, rule, shipped, shown

INTERVAL = rule(
    "assessment.comprehensive", every="3 months", per="organisation", restart="first", expects_start=True,
    done_by=["assessment.comprehensive"], soon="2 weeks",
)  # fmt: skip
FIRST = event("assessment.comprehensive", "2024-06-01", "m")
SECOND = event("assessment.comprehensive", "2024-09-04", "n")


@pytest.mark.parametrize(
    ("at", "state", "days_left"),
    [
        ("2024-08-17", "due", 15),
        ("2024-08-18", "due_soon", 14),
        ("2024-09-01", "due_soon", 0),
        ("2024-09-02", "late", -1),
        ("2024-09-03", "late", -2),
    ],
)
def test_evaluations_after_the_interval_are_flagged_before_it_ends(at, state, days_left):
    found = only(INTERVAL, [FIRST, SECOND], at)
    assert (found.state, found.days_left, str(found.due_on)) == (state, days_left, "2024-09-01")


def test_three_days_late_stay_visible():
    found = duties(INTERVAL, [FIRST, SECOND], "2024-11-21")
    assert shown(found) == [("due_soon", "2024-12-04"), ("met_late", "2024-09-01")]
    assert found[1].reason == "3 months from assessment.comprehensive on 2024-06-01; met by assessment.comprehensive on 2024-09-04, 3 days late"  # fmt: skip
    assert found[1].days_left == -3


def test_an_interval_without_its_start_is_unclear_and_comes_first():
    found = duties([INTERVAL, rule("start +1 day", id="other")], [event("start", "2024-06-01")], "2024-08-17")
    assert [(one.rule.id, one.state) for one in found] == [("r", "unclear"), ("other", "late")]
    assert "no assessment.comprehensive is on record" in found[0].reason


FACTS = ("practice_evaluations",)


def test_a_changed_evaluation_is_flagged_before_it_is_used():
    plan = event("evaluation.change.planned", "2024-07-15", "autonomy")
    (found,) = shipped("practice.evaluation-change", [plan], "2024-07-01", *FACTS)
    assert (found.state, found.days_left) == ("due_soon", 14)
    changed = event("evaluation.changed", "2024-07-15", "autonomy")
    (found,) = shipped("practice.evaluation-change", [plan, changed], "2024-07-16", *FACTS)
    assert found.state == "late"
    recorded = event("evaluation.change_recorded", "2024-07-10", "autonomy")
    (found,) = shipped("practice.evaluation-change", [plan, changed, recorded], "2024-07-16", *FACTS)
    assert found.state == "met"


@pytest.mark.parametrize(
    ("name", "done"),
    [("practice.elicitation-checked", "elicitation.checked"), ("practice.margin-stated", "margin.stated")],
)
def test_elicitation_and_margin_are_flagged_before_a_run(name, done):
    plan, run = event("evaluation.planned", "2024-08-20", "bio"), event("evaluation.run", "2024-08-22", "bio")
    (found,) = shipped(name, [plan], "2024-08-06", *FACTS)
    assert (found.state, found.days_left) == ("due_soon", 14)
    (found,) = shipped(name, [plan, run], "2024-08-25", *FACTS)
    assert (found.state, found.days_left) == ("late", -3)
    (found,) = shipped(name, [plan, run, event(done, "2024-08-21", "bio")], "2024-08-25", *FACTS)
    assert found.state == "met"

# SPDX-License-Identifier: Apache-2.0
"""The dates that policies set, as rules: the shipped policies, and each form that a policy can give them."""

from typing import Any

import pytest

from obligations.making import duties, event, only, shown
from tidegate.obligations.model import ObligationFile, Rule
from tidegate.obligations.policy_rules import length, rules_of_policy
from tidegate.obligations.rules import merged
from tidegate.policy import load_pack, pack_names
from tidegate.policy.model import Policy


def policy(**fields: Any) -> Policy:
    base = {
        "schema": "tidegate/policy/v1", "id": "acme", "version": "1", "title": "Acme", "publisher": "Acme",
        "domains": [{"id": "bio"}], "thresholds": [{"id": "bio-1", "domain": "bio"}],
    }  # fmt: skip
    return Policy.model_validate({**base, **fields})


def of_pack(name: str) -> dict[str, Rule]:
    # As if it were still in effect: what ended starts nothing any more.
    pack = load_pack(name).policy.model_copy(update={"ended": None})
    return {one.id: one for one in rules_of_policy(pack)}


def trigger(*events: Any, **fields: Any) -> Policy:
    one = {"id": "T", "starts": "comprehensive_assessment", "force": "must", "events": events, **fields}
    return policy(triggers=[one])


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("P6M", "6 months"), ("P1M", "1 month"), ("P1Y", "1 year"), ("P2Y", "2 years"), ("P12M", "12 months"),
        ("P1Y6M", "18 months"), ("P30D", "30 days"), ("P1D", "1 day"), ("P2W", "2 weeks"), ("P1W", "1 week"),
        ("P1W3D", "10 days"), ("P14D", "14 days"), ("P1M10D", "1 month"),
    ],
)  # fmt: skip
def test_durations_become_lengths(duration, expected):
    assert length(duration) == expected


def test_the_rules_of_a_policy_with_fixed_triggers():
    found = of_pack("rsp-v2.2")
    assert list(found) == [
        "policy/notably-more-capable.effective_compute", "policy/notably-more-capable",
        "policy/notably-more-capable.discretion", "policy/pretraining-monitor", "policy/approve-safeguards-report",
        "policy/safeguards-report", "policy/cyber-investigation", "policy/public-disclosures", "policy/procedural-review",
    ]  # fmt: skip
    interval = found["policy/notably-more-capable"]
    assert (interval.every, interval.clocks[0].on, interval.done_by) == (
        "6 months", "assessment.comprehensive", ("assessment.comprehensive",)
    )  # fmt: skip
    assert only(interval, [], "2026-11-21").state == "unclear"
    compute = found["policy/notably-more-capable.effective_compute"]
    assert compute.soft, "the policy calls its month soft"
    assessed = event("assessment.comprehensive", "2026-01-10", "m", amount=1.0)
    large = event("snapshot.made", "2026-03-31", "n", amount=4.0)
    assert shown(duties(compute, [assessed, large], "2026-04-01")) == [("due_soon", "2026-04-30")]
    assert only(compute, [large], "2026-04-01").state == "unclear"
    assert only(found["policy/pretraining-monitor"], [large], "2026-04-01").state == "not_started"
    yearly = found["policy/approve-safeguards-report"]
    final = [event("report.safeguards.final", "2025-05-22", "m"), event("report.safeguards.final", "2026-05-25", "m")]
    assert shown(duties(yearly, final, "2026-06-01")) == [("due", "2027-05-25"), ("met_late", "2026-05-22")]
    assert only(yearly, [], "2026-06-01").state == "not_started"
    assert only(found["policy/procedural-review"], [event("policy.effective", "2025-05-14", "p")], "2026-06-01").state == "late"  # fmt: skip


def test_the_rules_of_a_policy_with_periodic_reports():
    found = of_pack("rsp-v3.4")
    report = found["policy/risk-report-due"]
    assert (report.every, report.soon, report.coverage_at_most, report.to) == ("6 months", "3 months", "30 days", "public")  # fmt: skip
    published = event("report.risk.published", "2026-02-24", covers="2026-02-01")
    assert only(report, [published], "2026-05-20").state == "due"
    assert only(report, [published], "2026-05-24").state == "due_soon"
    stale = event("report.risk.published", "2026-08-20", covers="2026-07-15")
    assert "more than 30 days before" in only(report, [published, stale], "2026-08-30").reason
    internal = found["policy/off-cycle-internal"]
    asked = event("asked:off-cycle-internal", "2026-11-20", "m")
    assert shown(duties(internal, [asked], "2026-11-21")) == [("due_soon", "2026-12-20")]
    done = event("report.risk.published", "2026-12-01", covers="2026-11-25")
    assert only(internal, [asked, done], "2026-12-02").state == "met"
    assert found["policy/review-sharing"].clocks[0].on == "submission-to-the-board"
    assert found["policy/review-comment"].clocks[0].within == "30 days"
    assert found["policy/noncompliance-reporting"].every == "3 months"
    assert "policy/coverage-date" not in found, "it limits reports, and is no date of its own"


@pytest.mark.parametrize("name", pack_names())
def test_the_rules_of_every_shipped_policy_go_with_those_that_ship(name):
    found = tuple(of_pack(name).values())
    rules, _ = merged(ObligationFile(schema_="tidegate/obligations/v1"), found)
    assert set(found) <= set(rules)
    assert len({one.id for one in rules}) == len(rules)
    for one in duties(found, [], "2026-11-21"):
        interval = one.rule.every is not None and one.rule.done_by != ("report.safeguards.final",)
        assert one.state == ("unclear" if interval else "not_started" if not one.rule.expects_start else "unclear")


def test_criteria_and_free_text_in_the_starter_policy():
    found = of_pack("starter")
    assert found["policy/security-audit"].every == "1 year"
    assert found["policy/publish-summary"].clocks[0].on == "model.released"
    assert found["policy/pause"].clocks[0].on == "pause.request"
    assert found["policy/incident-review"].clocks[0].on == "incident.discovered"
    assert found["policy/outside-look"].soft, "what is only intended is no breach"
    assert not found["policy/yearly-review"].soft


def test_a_trigger_of_which_all_events_are_needed():
    given = trigger({"on": "snapshot"}, {"on": "elapsed_time", "every": "P3M", "since": "last assessment"}, when="all")
    (found,) = rules_of_policy(given)
    assert (found.id, found.when, found.restart) == ("policy/T", "all", "latest")
    assert [(one.on, one.within) for one in found.clocks] == [("snapshot.made", "0 days"), ("assessment.comprehensive", "3 months")]  # fmt: skip


def test_an_assessment_before_the_first_deployment_may_be_there_already():
    found = of_pack("gdm-fsf-v3.1")["policy/first-external-deployment"]
    begun = event("first-external-deployment", "2026-11-01", "m")
    assert only(found, [begun, event("assessment.comprehensive", "2026-10-01", "m")], "2026-11-21").state == "met"
    assert only(found, [begun], "2026-11-21").state == "late"


def test_a_promise_with_a_deadline_and_a_cadence_has_two_rules():
    given = policy(
        commitments=[{"id": "C+1", "text": "It will.", "cadence": "P1Y", "deadline": {"within": "P2W", "starts": "the launch"}}]
    )  # fmt: skip
    found = rules_of_policy(given)
    assert [(one.id, one.clocks[0].on) for one in found] == [("policy/C-1.deadline", "launch"), ("policy/C-1", "policy.effective")]  # fmt: skip
    assert found[0].source == "acme@1#C+1"


def test_a_trigger_without_a_length_is_due_on_the_day():
    (found,) = rules_of_policy(trigger({"on": "policy_change"}))
    assert (found.clocks[0].on, found.clocks[0].within) == ("policy.changed", "0 days")
    (ratio,) = rules_of_policy(trigger({"on": "effective_compute", "ratio": 1, "since": "model of level 3"}))
    assert (ratio.clocks[0].since, ratio.expects_start) == ("model-of-level-3", False)
    (weeks,) = rules_of_policy(trigger({"on": "elapsed_time", "every": "P2W", "since": "last look"}, deadline={"within": "P3M", "starts": "last look"}))  # fmt: skip
    assert (weeks.clocks[0].on, weeks.every, weeks.soon) == ("last-look", "3 months", "30 days")


def test_who_acts_and_who_is_told():
    item = {"id": "C", "text": "They will.", "cadence": "P3M", "actor": ["RSO"], "disclosure": ["board", "external_reviewer"]}  # fmt: skip
    (found,) = rules_of_policy(policy(commitments=[item], ended="2026-12-01"))
    assert (found.owner, found.to, str(found.in_force_until)) == ("RSO", "board, external reviewer", "2026-12-01")


def test_no_dates_no_rules():
    assert rules_of_policy(policy(commitments=[{"id": "C", "text": "It will."}])) == ()

# SPDX-License-Identifier: Apache-2.0
"""Findings and gates: a table of cases, and the laws that keep a gate from failing open."""

import itertools
import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories import (
    TODAY,
    a_check,
    a_conclusion,
    a_count,
    a_line,
    a_model,
    a_policy,
    a_record,
    a_requirement,
    a_set,
    a_standard,
    a_threshold,
    an_indicator,
)
from tidegate.assess import Assessment, assess
from tidegate.assess.capability import combine
from tidegate.assess.model import IndicatorFinding, ThresholdFinding
from tidegate.evidence.model import (
    Bound,
    Counts,
    Elicitation,
    Evaluator,
    Evidence,
    EvidenceSet,
    Interval,
    Measurement,
    PrintedLine,
    Remark,
    Restatement,
    Subject,
    ThreatAnswer,
)
from tidegate.evidence.models import Model, Snapshot
from tidegate.policy.model import Alert, Approval, Combination, Criterion, Need, Policy, Role, Rule


def finding(
    records: tuple[Evidence, ...], policy: Policy | None = None, model: Model | None = None, at: date = TODAY
) -> ThresholdFinding:
    made = assess(policy or a_policy(), a_set(*records), [model or a_model()], at)
    return made.models[0].thresholds[0]


def value_record(name: str, value: float, **measured: object) -> Evidence:
    return a_record(name, Measurement(evaluation="Eval A", metric="accuracy", value=value, **measured))


CASES = [
    ("no evidence", (), "not_assessed"),
    ("5 of 100 stays below half", (a_record(measurement=a_count(5, 100)),), "ruled_out"),
    ("48 of 100 is below, its bound is not", (a_record(measurement=a_count(48, 100)),), "inconclusive"),
    ("60 of 100 crosses", (a_record(measurement=a_count(60, 100)),), "not_ruled_out"),
    ("no success of 3 says little", (a_record(measurement=a_count(0, 3)),), "inconclusive"),
    ("no success of 5 rules out half", (a_record(measurement=a_count(0, 5)),), "ruled_out"),
    ("a bare figure decides nothing", (value_record("r", 0.05),), "inconclusive"),
    ("a bare figure can cross", (value_record("r", 0.9),), "not_ruled_out"),
    ("no figure", (a_record(measurement=Measurement(evaluation="Eval A", metric="accuracy", n=9)),), "inconclusive"),
    (
        "a stated 95% interval below",
        (value_record("r", 0.2, interval=Interval(low=0.1, high=0.3, kind="bootstrap", level=0.95)),),
        "ruled_out",
    ),
    (
        "an interval of unknown meaning",
        (value_record("r", 0.2, interval=Interval(low=0.1, high=0.3, kind="plus_minus")),),
        "inconclusive",
    ),
    (
        "an 80% interval is not enough for 95%",
        (value_record("r", 0.2, interval=Interval(low=0.1, high=0.3, kind="confidence", level=0.8)),),
        "inconclusive",
    ),
    ("standard error zero is no bound", (value_record("r", 0.2, standard_error=0.0, n=50),), "inconclusive"),
    ("Student's t", (value_record("r", 0.2, standard_error=0.05, n=50),), "ruled_out"),
    (
        "percent against a fraction",
        (a_record(measurement=a_count(5, 100, unit="percent", value=5.0)),),
        "ruled_out",
    ),
    ("a score between 0 and 1 against a fraction", (value_record("r", 0.9, unit="score"),), "not_ruled_out"),
    ("a score of 9 against a fraction", (value_record("r", 9, unit="score"),), "inconclusive"),
    ("minutes against a fraction", (value_record("r", 5, unit="minutes"),), "inconclusive"),
    (
        "errors count as successes in a rule-out",
        (a_record(measurement=a_count(30, 70), counts=Counts(scored=70, errored=30)),),
        "inconclusive",
    ),
    (
        "one adverse record outweighs many",
        (a_record("a", a_count(5, 100)), a_record("b", a_count(0, 100)), a_record("c", a_count(6, 10))),
        "not_ruled_out",
    ),
    (
        "an importer's remark sets aside",
        (a_record(remarks=(Remark(code="EVI004", message="differs", blocks_rule_out=True),)),),
        "inconclusive",
    ),
    (
        "a remark does not silence an adverse record",
        (
            a_record(
                measurement=a_count(9, 10), remarks=(Remark(code="EVI004", message="differs", blocks_rule_out=True),)
            ),
        ),
        "not_ruled_out",
    ),
    ("another model's evidence", (a_record(model="other"),), "not_assessed"),
    ("known later", (a_record(finished="2026-12-01"),), "not_assessed"),
    ("a month later than its first day", (a_record(finished="2026-06"),), "not_assessed"),
]


@pytest.mark.parametrize(("records", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_finding(records: tuple[Evidence, ...], expected: str) -> None:
    assert finding(records).finding == expected


RULES = [
    ("elicitation is missing", {"elicitation": ("best_of_n", "tools")}, {}, "under_elicited"),
    (
        "elicitation is there",
        {"elicitation": ("best_of_n",)},
        {"elicitation": Elicitation(elements=("best_of_n",))},
        None,
    ),
    (
        "helpful-only by its variant",
        {"elicitation": ("helpful_only",)},
        {"subject": Subject(model="m", variant="helpful_only")},
        None,
    ),
    ("quality too low", {"minimum_quality": "recomputable"}, {}, "low_quality"),
    ("quality high enough", {"minimum_quality": "attested"}, {"quality": "recomputable"}, None),
    ("too few", {"minimum_n": 101}, {}, "small_n"),
    ("stale", {"max_age": "P3M"}, {}, "stale"),
    ("fresh on the last day", {"max_age": "P1M"}, {"finished": "2026-05-01"}, None),
    ("stale a day later", {"max_age": "P1M"}, {"finished": "2026-04-30"}, "stale"),
    ("undated", {"max_age": "P3M"}, {"finished": None, "recorded": None}, "undated"),
    ("threat not answered", {"answers": ("contamination",)}, {}, "threat_unanswered"),
    (
        "threat answered",
        {"answers": ("contamination",)},
        {"threats": (ThreatAnswer(threat="contamination", status="ruled_out", reason="held out"),)},
        None,
    ),
    (
        "threat present, though nobody asked",
        {},
        {"threats": (ThreatAnswer(threat="sandbagging", status="present", reason="seen"),)},
        "threat_present",
    ),
    ("expired", {}, {"valid_until": date(2026, 5, 31)}, "expired"),
    ("ended by an event", {}, {"valid_until_event": "new_snapshot", "ended_by_event": date(2026, 5, 1)}, "expired"),
    ("another snapshot", {}, {"subject": Subject(model="m", snapshot="old")}, "older_snapshot"),
    ("the assessed snapshot", {}, {"subject": Subject(model="m", snapshot="new")}, None),
    ("an equivalent snapshot", {}, {"subject": Subject(model="m", snapshot="twin")}, None),
    ("snapshot not stated, rule asks for it", {"same_snapshot": True}, {}, "older_snapshot"),
    (
        "compute grew",
        {"max_compute_ratio": 2.0},
        {"subject": Subject(model="m", effective_compute=1.0)},
        "compute_grown",
    ),
    ("compute close", {"max_compute_ratio": 4.0}, {"subject": Subject(model="m", effective_compute=1.0)}, None),
    ("compute unknown", {"max_compute_ratio": 4.0}, {}, "compute_unknown"),
]
ASSESSED = a_model(
    "m",
    Snapshot(id="old", effective_compute=1.0),
    Snapshot(id="new", effective_compute=4.0, equivalent_to=("twin",)),
)


@pytest.mark.parametrize(("rule", "record", "expected"), [case[1:] for case in RULES], ids=[case[0] for case in RULES])
def test_what_sets_a_record_aside(rule: dict[str, object], record: dict[str, object], expected: str | None) -> None:
    policy = a_policy(a_threshold(indicators=(an_indicator("T1.a", **rule),)), preregistration="flagged")
    found = finding((a_record(**record),), policy, ASSESSED)
    reading = found.indicators[0].readings[0]
    assert reading.set_aside == ((expected,) if expected else ())
    assert found.finding == ("inconclusive" if expected else "ruled_out")
    assert len(reading.detail) == len(reading.set_aside)
    adverse = finding((a_record(measurement=a_count(90, 100), **record),), policy, ASSESSED)
    assert adverse.finding == "not_ruled_out", "what is set aside still speaks against safety"


@pytest.mark.parametrize(
    ("locked_on", "preregistration", "expected", "flag"),
    [
        (date(2025, 1, 1), "required", "ruled_out", None),
        (date(2026, 1, 15), "required", "inconclusive", "rule_locked_after_result"),
        (None, "required", "inconclusive", "rule_not_locked"),
        (None, "flagged", "ruled_out", "rule_not_locked"),
        (date(2026, 5, 1), "flagged", "ruled_out", "rule_locked_after_result"),
    ],
)
def test_preregistration(locked_on: date | None, preregistration: str, expected: str, flag: str | None) -> None:
    found = finding((a_record(),), a_policy(locked_on=locked_on, preregistration=preregistration))
    assert found.finding == expected
    assert (flag in found.flags) if flag else not {name for name in found.flags if name.startswith("rule_")}


def test_a_rule_that_changed_after_the_result_is_flagged() -> None:
    before = a_policy()
    changed = a_threshold(indicators=(an_indicator("T1.a", rule=Rule(rule_out=a_line(0.6))),))
    late = a_policy(changed, locked_on=date(2026, 3, 1))
    both = late.model_copy(update={"locks": (*before.locks, *late.locks)})
    found = finding((a_record(),), both)
    assert "rule_changed_after_result" in found.flags
    assert found.finding == "inconclusive"


def test_no_rule_out_without_a_falsifier() -> None:
    policy = a_policy(a_threshold(indicators=(an_indicator("T1.a", falsifier=None),)))
    assert finding((a_record(),), policy).indicators[0].readings[0].set_aside == ("no_falsifier",)


def test_a_margin_moves_the_figure_against_safety() -> None:
    for margin, expected in ((0.0, "ruled_out"), (0.3, "ruled_out"), (0.42, "inconclusive"), (0.5, "not_ruled_out")):
        rule = Rule(rule_out=a_line(0.5), margin=margin)
        assert (
            finding((a_record(),), a_policy(a_threshold(indicators=(an_indicator("T1.a", rule=rule),)))).finding
            == expected
        )


def test_lines_where_low_results_concern() -> None:
    rule = Rule(rule_out=a_line(0.5, "<="), reach=a_line(0.1, "<"))
    policy = a_policy(a_threshold(indicators=(an_indicator("T1.a", rule=rule),)))
    cases = [(95, "ruled_out"), (55, "inconclusive"), (40, "not_ruled_out"), (0, "reached")]
    for successes, expected in cases:
        assert finding((a_record(measurement=a_count(successes, 100)),), policy).finding == expected, successes


def test_reach_needs_confidence_and_holm_where_any_may_trip() -> None:
    rule = Rule(rule_out=a_line(0.2), reach=a_line(0.5))
    one = a_policy(a_threshold(indicators=(an_indicator("T1.a", rule=rule),)))
    assert finding((a_record(measurement=a_count(59, 100)),), one).finding == "reached"
    two = a_policy(
        a_threshold(indicators=tuple(an_indicator(f"T1.{name}", f"Eval {name.upper()}", rule=rule) for name in "ab"))
    )
    records = (a_record("a", a_count(59, 100)), a_record("b", a_count(50, 100, "Eval B")))
    # 59 of 100 against a half has p = 0.044: alone it trips, as one of two it does not.
    assert finding(records, two).finding == "not_ruled_out"
    assert finding((a_record("a", a_count(65, 100)), records[1]), two).finding == "reached"


def test_an_independent_result_that_contradicts_is_named() -> None:
    own = a_record("own", a_count(2, 100))
    theirs = a_record("theirs", a_count(60, 100), evaluator=Evaluator(name="AISI", relation="independent"))
    found = finding((own, theirs))
    assert found.finding == "not_ruled_out"
    readings = {reading.evidence: reading for reading in found.indicators[0].readings}
    assert "contradicted_by_independent" in readings["own"].flags
    assert "contradicted_by_independent" not in readings["theirs"].flags
    assert found.load_bearing == ("theirs",)


def printed(name: str, value: float, line: float, evaluation: str, **changes: object) -> Evidence:
    return a_record(
        name,
        a_count(round(value * 100), 100, evaluation),
        thresholds=("rsp#T1",),
        line=PrintedLine(value=line, crossed_when=">=", **changes),
    )


PRINTED = a_policy(
    a_threshold(indicators=(), printed_lines=True, falsifier="more", aliases=("rsp#T1",)), preregistration="flagged"
)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((printed("a", 0.1, 0.5, "A"), printed("b", 0.1, 0.5, "B")), "ruled_out"),
        ((printed("a", 0.1, 0.5, "A"),), "inconclusive"),
        ((printed("a", 0.1, 0.5, "A"), printed("b", 0.2, 0.5, "A")), "inconclusive"),
        ((printed("a", 0.1, 0.5, "A"), printed("b", 0.48, 0.5, "B")), "inconclusive"),
        ((printed("a", 0.1, 0.5, "A"), printed("b", 0.6, 0.5, "B")), "not_ruled_out"),
        ((printed("a", 0.1, 0.5, "A"), printed("b", 0.7, 0.5, "B", kind="rule_in")), "reached"),
    ],
)
def test_printed_lines(records: tuple[Evidence, ...], expected: str) -> None:
    found = finding(records, PRINTED)
    assert found.finding == expected
    assert "line_disclosed_with_result" in found.flags


@pytest.mark.parametrize(
    ("successes", "state"), [(None, "no_evidence"), (10, "not_crossed"), (35, "crossed"), (90, "crossed")]
)
def test_alert_lines_come_early_and_say_what_to_do(successes: int | None, state: str) -> None:
    alert = Alert(indicator="T1.a", line=a_line(0.3), action="assess within a month")
    unprinted = Alert(action="respond")
    records = () if successes is None else (a_record(measurement=a_count(successes, 100)),)
    found = finding(records, a_policy(a_threshold(alerts=(alert, unprinted))))
    assert [one.state for one in found.alerts] == [state, "not_printed"]
    assert any("assess within a month" in reason for reason in found.reasons) == (state == "crossed")


def test_figures_without_a_line_are_listed_as_unread() -> None:
    bare = a_record("bare", thresholds=("rsp#T1",))
    assert finding((bare,), PRINTED).unread == ("bare",)


def test_a_checkpoint_rules_out_what_has_nothing_against_it() -> None:
    checkpoint = a_threshold("CP", kind="checkpoint", rules_out=("T1",))
    policy = a_policy(a_threshold("T1", indicators=(an_indicator("T1.a", "Eval B"),)), checkpoint)
    assert finding((a_record(),), policy).finding == "ruled_out"
    assert finding((a_record(),), policy).by == "CP"
    assert finding((a_record(measurement=a_count(90, 100)),), policy).finding == "not_assessed"
    against = (a_record(), a_record("b", a_count(90, 100, "Eval B")))
    assert finding(against, policy).finding == "not_ruled_out"


def bounded(*bounds: tuple[str, str], records: tuple[Evidence, ...]) -> dict[str, str]:
    models = [a_model(name) for name in ("a", "b", "c")]
    stated = tuple(Bound(model=model, by=by, reason="smaller") for model, by in bounds)
    made = assess(a_policy(), a_set(*records, bounds=stated), models, TODAY)
    return {model.model: model.thresholds[0].finding for model in made.models}


def test_bounds_stand_and_fall_with_the_bounding_model() -> None:
    safe, unsafe = a_record(model="a"), a_record("x", a_count(90, 100), model="a")
    assert bounded(("b", "a"), ("c", "b"), records=(safe,)) == {"a": "ruled_out", "b": "ruled_out", "c": "ruled_out"}
    assert bounded(("b", "a"), ("c", "b"), records=(safe, unsafe))["c"] == "not_assessed"
    own = a_record("own", a_count(80, 100), model="c")
    assert bounded(("b", "a"), ("c", "b"), records=(safe, own))["c"] == "not_ruled_out"


def test_nothing_rests_on_a_checkpoint_that_a_bounded_model_crosses() -> None:
    checkpoint = a_threshold("CP", kind="checkpoint", rules_out=("T1",))
    policy = a_policy(a_threshold("T1", indicators=(an_indicator("T1.a", "Eval B"),)), checkpoint)
    smaller = Bound(model="small", by="m", reason="smaller")
    models = [a_model(), a_model("small")]

    def found(*records: Evidence) -> list[str]:
        made = assess(policy, a_set(*records, bounds=(smaller,)), models, TODAY).model("m")
        assert made is not None
        return [one.finding for one in made.thresholds]

    assert found(a_record()) == ["ruled_out", "ruled_out"]
    crossed = a_record("x", a_count(90, 100), model="small")
    assert found(a_record(), crossed) == ["not_assessed", "not_ruled_out"]


def test_a_circle_of_bounds_supports_nothing_by_itself() -> None:
    circle = (("a", "b"), ("b", "a"), ("c", "a"))
    assert set(bounded(*circle, records=()).values()) == {"not_assessed"}
    assert set(bounded(*circle, records=(a_record(model="a"),)).values()) == {"ruled_out"}
    crossed = bounded(*circle, records=(a_record(model="a"), a_record("x", a_count(90, 100), model="c")))
    assert set(crossed.values()) == {"not_ruled_out"}, "what the bounded model shows, the bounding one can do"


def test_a_policy_opens_nothing_outside_its_days() -> None:
    policy = a_policy(effective=date(2026, 1, 1), ended=date(2026, 9, 1))
    evidence = a_set(a_record())
    answers = {
        day: assess(policy, evidence, [a_model()], date.fromisoformat(day)).models[0].gate("general").open
        for day in ("2026-02-01", "2026-08-31", "2026-09-01")
    }
    assert list(answers.values()) == [True, True, False]
    early = a_policy(effective=date(2026, 5, 1))
    assert not assess(early, evidence, [a_model()], date(2026, 4, 30)).models[0].gate("train").open


def test_later_locks_and_snapshots_do_not_change_an_earlier_verdict() -> None:
    policy, day = a_policy(), date(2026, 3, 1)
    later = policy.with_locks_only((*policy.locks, policy.locks[0].model_copy(update={"locked_on": date(2026, 5, 1)})))
    models = [a_model("m", Snapshot(id="first", created="2026-01"))]
    grown = [a_model("m", Snapshot(id="first", created="2026-01"), Snapshot(id="next", created="2026-04"))]
    before = assess(policy, a_set(a_record()), models, day)
    assert assess(later, a_set(a_record()), models, day).digest == before.digest
    after = assess(policy, a_set(a_record()), grown, day)
    assert after.models[0].snapshot == before.models[0].snapshot == "first"


@pytest.mark.parametrize(
    ("restatement", "expected"),
    [
        ({"by": "good", "reason": "error", "approved_by": ("rso",)}, "ruled_out"),
        ({"by": "good", "reason": "error"}, "not_ruled_out"),
        ({"by": "missing", "reason": "error", "approved_by": ("rso",)}, "not_ruled_out"),
        ({"reason": "retracted", "approved_by": ("rso",)}, "ruled_out"),
        ({"by": "good", "reason": "error", "approved_by": ("rso",), "on": "2026-07"}, "not_ruled_out"),
    ],
)
def test_adverse_evidence_leaves_only_on_the_record(restatement: dict[str, object], expected: str) -> None:
    records = (a_record("bad", a_count(90, 100)), a_record("good", a_count(3, 100)))
    stated = (Restatement(supersedes="bad", **restatement),)
    made = assess(a_policy(), a_set(*records, restatements=stated), [a_model()], TODAY)
    assert made.models[0].thresholds[0].finding == expected


# --- the gate ------------------------------------------------------------------------------------------


def gate_open(*records: Evidence, policy: Policy | None = None, action: str = "general") -> bool:
    return assess(policy or a_policy(), a_set(*records), [a_model()], TODAY).models[0].gate(action).open  # type: ignore[arg-type]


ADVERSE = a_record("bad", a_count(90, 100))


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ((), False),
        ((a_record(),), True),
        ((ADVERSE,), False),
        ((ADVERSE, a_check()), True),
        ((ADVERSE, a_check(outcome="fail")), False),
        ((ADVERSE, a_check(outcome="partial")), False),
        ((ADVERSE, a_check(model="*")), True),
        ((ADVERSE, a_check(model="other")), False),
        ((ADVERSE, a_check(valid_until=date(2026, 5, 1))), False),
        ((ADVERSE, a_check(), a_check("c2", outcome="fail", finished="2026-03-01")), False),
        ((ADVERSE, a_check("old", outcome="fail", finished="2025-12-01"), a_check()), True),
        ((ADVERSE, a_check("old", outcome="fail", finished="2025-12-01", kind="red_team"), a_check()), False),
    ],
)
def test_gate(records: tuple[Evidence, ...], expected: bool) -> None:
    assert gate_open(*records) is expected


def test_actions_without_requirements_say_so() -> None:
    gate = assess(a_policy(), a_set(), [a_model()], TODAY).models[0].gate("train")
    assert gate.open
    assert "requires nothing" in gate.reasons[0].message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kind": "halt", "target": None}, False),
        ({"kind": "not_yet_specified", "target": None}, False),
        ({"kind": "halt", "target": None, "force": "recommend", "text": ""}, True),
        ({"kind": "affirmative_case", "target": None}, False),
        ({"kind": "standard", "target": "S1", "force": "may", "text": ""}, True),
    ],
)
def test_requirement_kinds(changes: dict[str, object], expected: bool) -> None:
    policy = a_policy(a_threshold(requirements=(a_requirement("R", **changes),)))
    assert gate_open(ADVERSE, policy=policy) is expected


def test_a_case_or_report_is_shown_by_a_document() -> None:
    policy = a_policy(a_threshold(requirements=(a_requirement("R", kind="report", target=None, max_age="P1Y"),)))
    assert gate_open(ADVERSE, a_check(criterion="R", kind="document"), policy=policy)
    assert not gate_open(ADVERSE, a_check(criterion="R", kind="document", finished="2025-01-01"), policy=policy)


@pytest.mark.parametrize(
    ("successes", "n", "expected"),
    [(0, 100, "met"), (0, 10, "unknown"), (4, 100, "unknown"), (6, 100, "not_met")],
)
def test_measured_efficacy_needs_its_bound_to_hold(successes: int, n: int, expected: str) -> None:
    need = Need(name="robust", kind="red_team", metric="attack success rate", bound=a_line(0.05))
    policy = a_policy(standards=(a_standard(criteria=(Criterion(id="S1.1", force="must", needs=(need,)),)),))
    measured = a_count(successes, n, metric="attack success rate")
    attack = a_check(kind="red_team", outcome=None, measurement=measured)
    made = assess(policy, a_set(ADVERSE, attack), [a_model()], TODAY).models[0]
    assert made.requirements["T1"][0].criteria[0].state == expected


def test_a_criterion_with_parts_is_met_when_its_parts_are() -> None:
    parts = tuple(Criterion(id=f"S1.1{name}", parent="S1.1", force="must") for name in "ab")
    policy = a_policy(standards=(a_standard(criteria=(Criterion(id="S1.1", force="must"), *parts)),))
    assert not gate_open(ADVERSE, a_check(criterion="S1.1a"), policy=policy)
    assert gate_open(ADVERSE, a_check(criterion="S1.1a"), a_check("c2", "S1.1b"), policy=policy)


def test_approvals_close_the_gate_until_enough_have_signed() -> None:
    roles = (Role(id="rso", title="Responsible Scaling Officer"), Role(id="ceo", title="CEO"))
    approval = Approval(id="go", act="capability_report", signers=("rso", "ceo"), before=("general",), force="must")
    policy = a_policy(roles=roles, approvals=(approval,))
    signed = a_check("sig", "go", kind="document", signed_by=("rso",))
    assert not gate_open(a_record(), policy=policy)
    assert not gate_open(a_record(), signed, policy=policy)
    assert gate_open(a_record(), signed, a_check("sig2", "go", kind="document", signed_by=("CEO",)), policy=policy)
    assert gate_open(a_record(), policy=policy, action="limited")


@pytest.mark.parametrize(("signs", "refuses"), [("rso", "Officer"), ("Officer", "rso"), ("RSO", "officer")])
def test_a_refusal_counts_under_every_name_of_a_role(signs: str, refuses: str) -> None:
    approval = Approval(id="go", act="a", signers=("rso",), before=("general",), force="must")
    policy = a_policy(roles=(Role(id="rso", title="Officer"), Role(id="ceo", title="CEO")), approvals=(approval,))
    signed = a_check("s", "go", kind="document", signed_by=(signs,), finished="2026-02-01")
    refused = a_check("f", "go", kind="document", outcome="fail", signed_by=(refuses,), finished="2026-03-01")
    assert gate_open(a_record(), signed, policy=policy)
    assert not gate_open(a_record(), signed, refused, policy=policy)
    again = a_check("again", "go", kind="document", signed_by=(refuses,), finished="2026-04-01")
    assert gate_open(a_record(), signed, refused, again, policy=policy)


def test_a_circle_of_restatements_stays_one_without_a_part_of_it() -> None:
    records = [a_record("x", a_count(90, 100)), *(a_record(name, a_count(5, 100)) for name in "yzw")]
    circle = tuple(
        Restatement(supersedes=old, by=new, reason="error", approved_by=("board",)) for old, new in ("xy", "yz", "zx")
    )
    for kept in (records, [record for record in records if record.id != "z"]):
        made = assess(a_policy(), a_set(*kept, restatements=circle), [a_model()], TODAY)
        assert made.models[0].thresholds[0].finding == "not_ruled_out"


def test_a_reached_threshold_with_its_safeguards_is_mitigated() -> None:
    rule = Rule(rule_out=a_line(0.2), reach=a_line(0.5))
    policy = a_policy(a_threshold(indicators=(an_indicator("T1.a", rule=rule),)))
    assert finding((ADVERSE,), policy).finding == "reached"
    assert finding((ADVERSE, a_check()), policy).finding == "reached_and_mitigated"


@pytest.mark.parametrize(
    ("status", "records", "expected"),
    [
        ("ruled_out", (a_record(),), "carried"),
        ("not_reached", (ADVERSE,), "contradicted"),
        ("not_reached", (value_record("v", 0.1),), "points_only"),
        ("not_reached", (), "not_carried"),
        ("cannot_be_ruled_out", (ADVERSE,), "same_caution"),
        ("treated_as_reached", (a_record(),), "more_cautious"),
        ("no_formal_threshold", (a_record(),), "no_conclusion"),
    ],
)
def test_conclusion_beside_the_evidence(status: str, records: tuple[Evidence, ...], expected: str) -> None:
    evidence = a_set(*records, conclusions=(a_conclusion(status),))
    found = assess(a_policy(), evidence, [a_model()], TODAY).models[0].thresholds[0]
    assert found.agreement == expected
    assert found.concluded is not None
    assert found.concluded.status == status


# --- laws ------------------------------------------------------------------------------------------------

STATES = ("ruled_out", "not_ruled_out", "reached", "inconclusive", "not_assessed")


def state(name: str) -> IndicatorFinding:
    return IndicatorFinding(indicator="i", evaluation="e", rule_out=a_line(), finding=name, confidence=0.95)  # type: ignore[arg-type]


@pytest.mark.parametrize("rule_out", ["all", "any", 2])
@pytest.mark.parametrize("reach", ["any", "all", 2])
def test_worsening_an_indicator_never_rules_out(rule_out: str, reach: str) -> None:
    how = Combination(rule_out=rule_out, reach=reach)
    for states in itertools.product(STATES, repeat=3):
        if combine([state(name) for name in states], how) == "ruled_out":
            continue
        for place, worse in itertools.product(range(3), STATES[1:]):
            if states[place] == "ruled_out":
                worsened = [*states]
                worsened[place] = worse
                assert combine([state(name) for name in worsened], how) != "ruled_out"


@pytest.mark.parametrize(("outvotes", "expected"), [(False, "not_ruled_out"), (True, "ruled_out")])
def test_a_crossed_line_is_outvoted_only_where_the_policy_says_so(outvotes: bool, expected: str) -> None:
    states = [state("ruled_out"), state("not_ruled_out"), state("ruled_out")]
    for rule_out in ("any", 1, 2):
        assert combine(states, Combination(rule_out=rule_out, outvotes_crossed=outvotes)) == expected
    assert combine(states, Combination(rule_out=3, outvotes_crossed=outvotes)) == "not_ruled_out"
    undecided = [state("ruled_out"), state("inconclusive"), state("not_assessed")]
    assert combine(undecided, Combination(rule_out="any")) == "ruled_out"


def test_ignorance_alone_is_never_safe() -> None:
    for states in itertools.product(("inconclusive", "not_assessed"), repeat=3):
        for rule_out in ("all", "any", 1, 2):
            assert combine([state(name) for name in states], Combination(rule_out=rule_out)) in (
                "inconclusive",
                "not_assessed",
            )
    assert combine([], Combination(rule_out="any")) == "not_assessed"


counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@st.composite
def records(draw: st.DrawFn, prefix: str = "r") -> list[Evidence]:
    made = []
    for number in range(draw(st.integers(0, 5))):
        k, n = draw(counts)
        changes: dict[str, object] = {
            "finished": draw(st.sampled_from(["2025-11-02", "2026-01-15", "2026-05-20", None])),
            "quality": draw(st.sampled_from(["reported", "recomputable"])),
            "counts": draw(st.sampled_from([None, Counts(scored=n, errored=3)])),
            "subject": Subject(model="m", snapshot=draw(st.sampled_from([None, "old", "new"]))),
        }
        evaluation = draw(st.sampled_from(["Eval A", "Eval B"]))
        made.append(a_record(f"{prefix}{number}", a_count(k, n, evaluation), **changes))
    checks = draw(st.lists(st.sampled_from(["pass", "fail", "partial"]), max_size=2))
    made += [
        a_check(
            f"{prefix}c{number}", outcome=outcome, finished=draw(st.sampled_from(["2025-12-01", "2026-02-01", None]))
        )
        for number, outcome in enumerate(checks)
    ]
    return made


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    thresholds = []
    for name in ("T1", "T2"):
        indicators = tuple(
            an_indicator(
                f"{name}.{letter}",
                f"Eval {letter.upper()}",
                rule=Rule(
                    rule_out=a_line(draw(st.sampled_from([0.2, 0.5]))),
                    reach=draw(st.sampled_from([None, a_line(0.6)])),
                    confidence=draw(st.sampled_from([None, 0.8, 0.95])),
                ),
                max_age=draw(st.sampled_from([None, "P3M"])),
                minimum_quality=draw(st.sampled_from(["reported", "recomputable"])),
            )
            for letter in draw(st.sampled_from(["a", "ab"]))
        )
        how = Combination(
            rule_out=draw(st.sampled_from(["all", "any", 1])), reach=draw(st.sampled_from(["any", "all"]))
        )
        thresholds.append(
            a_threshold(
                name,
                indicators=indicators,
                combine=how,
                rules_out=("T1",) if name == "T2" and draw(st.booleans()) else (),
            )
        )
    return a_policy(*thresholds, preregistration=draw(st.sampled_from(["required", "flagged"])))


def open_gates(policy: Policy, made: list[Evidence]) -> set[str]:
    assessed = assess(policy, a_set(*made), [ASSESSED], TODAY).models[0]
    return {gate.action for gate in assessed.gates if gate.open}


@given(policies(), records(), st.sampled_from(["Eval A", "Eval B"]), st.booleans())
def test_adverse_evidence_never_opens_a_gate(
    policy: Policy, made: list[Evidence], evaluation: str, dated: bool
) -> None:
    adverse = a_record("adverse", a_count(58, 60, evaluation), finished="2026-05-01" if dated else None)
    failed = a_check("failed", outcome="fail", finished="2026-05-30" if dated else None)
    before = open_gates(policy, made)
    assert open_gates(policy, [*made, adverse]) <= before
    assert open_gates(policy, [*made, failed]) <= before


@given(policies(), records(), st.randoms())
def test_removing_what_supports_safety_never_opens_a_gate(
    policy: Policy, made: list[Evidence], rng: random.Random
) -> None:
    assessed = assess(policy, a_set(*made), [ASSESSED], TODAY).models[0]
    readings = [
        reading for one in assessed.thresholds for indicator in one.indicators for reading in indicator.readings
    ]
    against = {reading.evidence for reading in readings if reading.crosses or reading.shows}
    against |= {record.id for record in made if record.outcome in ("fail", "partial")}
    supporting = [record for record in made if record.id not in against]
    if not supporting:
        return
    removed = rng.choice(supporting)
    assert open_gates(policy, [record for record in made if record is not removed]) <= open_gates(policy, made)


@given(policies(), records(), st.randoms())
def test_the_same_inputs_give_the_same_digest_in_any_order(
    policy: Policy, made: list[Evidence], rng: random.Random
) -> None:
    shuffled = [*made]
    rng.shuffle(shuffled)
    models = [ASSESSED, a_model("n", bounded_by=(Bound(model="n", by="m", reason="smaller"),))]

    def digest(listed: list[Evidence], order: list[Model]) -> str:
        return assess(policy, a_set(*listed), order, TODAY).digest

    assert digest(made, models) == digest(shuffled, models[::-1])


@given(policies(), records())
def test_a_gate_is_open_only_if_nothing_closes_it(policy: Policy, made: list[Evidence]) -> None:
    assessed = assess(policy, a_set(*made), [ASSESSED], TODAY).models[0]
    for gate in assessed.gates:
        assert gate.open == (not any(reason.closes for reason in gate.reasons))
    for one in assessed.thresholds:
        requirements = assessed.requirements.get(one.threshold, ())
        if not one.is_ruled_out and any(r.state != "met" for r in requirements):
            assert not assessed.gate("general").open


def test_as_of_uses_only_what_was_known() -> None:
    evidence = a_set(a_record("a", finished="2026-01-15"), a_record("b", a_count(90, 100), finished="2026-03-10"))
    at = {
        day: assess(a_policy(), evidence, [a_model()], day).models[0].thresholds[0].finding
        for day in map(date.fromisoformat, ("2026-01-14", "2026-01-15", "2026-03-10"))
    }
    assert list(at.values()) == ["not_assessed", "ruled_out", "not_ruled_out"]


def test_an_assessment_survives_a_round_trip() -> None:
    made = assess(a_policy(), a_set(a_record(), a_check()), [ASSESSED], TODAY)
    again = Assessment.model_validate_json(made.model_dump_json(by_alias=True))
    assert again.digest == made.digest


def test_evidence_digest_ignores_order() -> None:
    one, two = a_record("a"), a_record("b")
    assert a_set(one, two).digest == a_set(two, one).digest != a_set(one).digest
    assert EvidenceSet(records=(one,)).digest == a_set(one).digest

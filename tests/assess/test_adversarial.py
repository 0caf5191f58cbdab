# SPDX-License-Identifier: Apache-2.0
"""Ways in which a gate could be talked open, each of which must fail."""

import itertools
from datetime import date

import pytest

from factories import (
    TODAY,
    a_check,
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
from tidegate.assess import assess
from tidegate.assess.model import ModelAssessment
from tidegate.evidence.model import (
    Bound,
    Counts,
    Elicitation,
    Evidence,
    Interval,
    Measurement,
    PrintedLine,
    Restatement,
    Subject,
    ThreatAnswer,
)
from tidegate.evidence.models import Model, Snapshot
from tidegate.kernel.errors import TidegateError
from tidegate.policy.model import Approval, Combination, Criterion, Need, Policy, Role, Rule, RuleLock, SecurityLevel

ADVERSE = a_record("bad", a_count(90, 100))
HIGH = Rule(rule_out=a_line(0.5))
LOW = Rule(rule_out=a_line(0.5, "<="))


def assessed(
    *records: Evidence, policy: Policy | None = None, model: Model | None = None, **evidence: object
) -> ModelAssessment:
    return assess(policy or a_policy(), a_set(*records, **evidence), [model or a_model()], TODAY).models[0]


def state(*records: Evidence, policy: Policy | None = None, model: Model | None = None, **evidence: object) -> str:
    return assessed(*records, policy=policy, model=model, **evidence).thresholds[0].finding


def is_open(*records: Evidence, policy: Policy | None = None, **evidence: object) -> bool:
    return assessed(*records, policy=policy, **evidence).gate("general").open


def ruled_by(rule: Rule, **changes: object) -> Policy:
    return a_policy(a_threshold(indicators=(an_indicator("T1.a", rule=rule, **changes),)))


def value(number: float, **measured: object) -> Measurement:
    return Measurement(evaluation="Eval A", metric="accuracy", value=number, **measured)


# --- figures that contradict themselves -----------------------------------------------------------------


def stated(low: float | None, high: float | None, level: float = 0.95) -> Interval:
    return Interval(low=low, high=high, kind="confidence", level=level)


FIGURES = [
    ("successes fewer than the value says", HIGH, a_record(measurement=a_count(5, 100, value=0.45))),
    ("an interval below its value", HIGH, a_record(measurement=value(0.45, interval=stated(0.1, 0.2)))),
    ("interval ends exchanged", HIGH, a_record(measurement=value(0.4, interval=stated(0.7, 0.2)))),
    ("interval ends exchanged, low concerns", LOW, a_record(measurement=value(0.6, interval=stated(0.7, 0.2)))),
    ("a share below nothing", HIGH, a_record(measurement=value(-0.4, standard_error=0.01, n=50))),
    ("a share above one", LOW, a_record(measurement=value(1.4, standard_error=0.01, n=50))),
    (
        "one-sided interval at too low a level",
        Rule(rule_out=a_line(0.5), confidence=0.97),
        a_record(measurement=value(0.2, interval=stated(None, 0.3))),
    ),
    (
        "exact bounds although samples come in clusters",
        HIGH,
        a_record(measurement=a_count(40, 100, clusters=4, standard_error=0.2)),
    ),
    (
        "clusters without a standard error",
        HIGH,
        a_record(measurement=a_count(40, 100, clusters=4)),
    ),
    (
        "lost samples and a stated interval",
        HIGH,
        a_record(measurement=value(0.2, interval=stated(0.1, 0.3)), counts=Counts(scored=10, errored=90)),
    ),
    (
        "lost samples and a standard error",
        HIGH,
        a_record(measurement=value(0.2, standard_error=0.05, n=10), counts=Counts(scored=10, errored=90)),
    ),
    (
        "lost samples and a bare figure",
        Rule(rule_out=a_line(0.5), confidence=None),
        a_record(measurement=a_count(0, 10), counts=Counts(scored=10, errored=90)),
    ),
    (
        "lost samples in clusters, low concerns",
        LOW,
        a_record(
            measurement=value(0.9, standard_error=0.01, n=1000, clusters=500), counts=Counts(scored=1000, errored=9000)
        ),
    ),
    (
        "lost samples, Student's t, low concerns",
        LOW,
        a_record(measurement=value(0.9, standard_error=0.01, n=100), counts=Counts(scored=100, errored=900)),
    ),
    (
        "a worst case in the header only",
        HIGH,
        a_record(measurement=value(0.2, interval=stated(0.1, 0.3), worst_case=0.9)),
    ),
]


@pytest.mark.parametrize(("rule", "record"), [case[1:] for case in FIGURES], ids=[case[0] for case in FIGURES])
def test_a_figure_that_says_less_than_it_seems_rules_nothing_out(rule: Rule, record: Evidence) -> None:
    assert state(record, policy=ruled_by(rule)) != "ruled_out"


def test_successes_beyond_the_line_cross_it_whatever_the_value_says() -> None:
    both = a_threshold(
        indicators=(an_indicator("T1.a"), an_indicator("T1.b", "Eval B")),
        combine=Combination(rule_out="any", outvotes_crossed=True),
    )
    hidden = a_record("hidden", a_count(90, 100, value=0.01))
    assert state(hidden, policy=ruled_by(HIGH)) == "not_ruled_out"
    assert state(a_record("b", a_count(1, 100, "Eval B")), hidden, policy=a_policy(both)) == "ruled_out", "any suffices"


@pytest.mark.parametrize("extreme", [5e-324, 1.7e308])
def test_extreme_numbers_are_answered(extreme: float) -> None:
    minutes = ruled_by(Rule(rule_out=a_line(10.0)), unit="minutes")
    assert state(a_record(measurement=value(0.2, standard_error=extreme, n=50))) in ("ruled_out", "inconclusive")
    assert state(a_record(measurement=value(extreme, unit="days")), policy=minutes) in ("not_ruled_out", "inconclusive")


# --- dates, locks, snapshots, elicitation ---------------------------------------------------------------


def test_a_year_is_as_old_as_its_first_day() -> None:
    aged = ruled_by(HIGH, max_age="P6M")
    assert state(a_record(finished="2025"), policy=aged) == "inconclusive"
    assert state(a_record(finished="2025-12"), policy=aged) == "ruled_out"


def test_a_rule_locked_within_the_month_of_the_result_was_not_locked_before_it() -> None:
    assert state(a_record(finished="2026-01"), policy=a_policy(locked_on=date(2026, 1, 15))) == "inconclusive"
    assert state(a_record(finished="2026-01-15"), policy=a_policy(locked_on=date(2026, 1, 15))) == "inconclusive"


def test_a_result_of_a_later_day_cannot_rule_out() -> None:
    late = a_record(finished="2026-12-01", published="2026-01-01")
    assert state(late) != "ruled_out"


def test_the_rule_in_force_when_the_result_came_decides() -> None:
    """Locking several rules in advance and choosing among them afterwards is no registration."""
    chosen = an_indicator("T1.a")
    stricter = an_indicator("T1.a", rule=Rule(rule_out=a_line(0.04)))
    locks = tuple(
        RuleLock(
            threshold="T1",
            indicator="T1.a",
            evaluation="Eval A",
            digest=a_threshold(indicators=(one,)).decision_digest,
            locked_on=day,
        )
        for one, day in ((chosen, date(2025, 1, 1)), (stricter, date(2025, 6, 1)))
    )
    policy = a_policy(a_threshold(indicators=(chosen,))).model_copy(update={"locks": locks})
    found = assessed(a_record(), policy=policy).thresholds[0]
    assert found.finding == "inconclusive"
    assert "rule_changed_after_result" in found.flags
    again = policy.model_copy(update={"locks": (*locks, locks[0].model_copy(update={"locked_on": date(2025, 9, 1)}))})
    assert state(a_record(), policy=again) == "ruled_out"


def test_effective_compute_is_not_what_the_record_wishes() -> None:
    model = a_model("m", Snapshot(id="old", effective_compute=1.0), Snapshot(id="new", effective_compute=4.0))
    limited = ruled_by(HIGH, max_compute_ratio=2.0)
    for claimed in (-1.0, 0.0):
        record = a_record(subject=Subject(model="m", effective_compute=claimed))
        assert state(record, policy=limited, model=model) == "inconclusive"
    twin = a_model("m", model.snapshots[0], model.snapshots[1].model_copy(update={"equivalent_to": ("old",)}))
    claims = a_record(subject=Subject(model="m", snapshot="old", effective_compute=4.0))
    assert state(claims, policy=limited, model=twin) == "inconclusive"


def test_an_unknown_snapshot_or_model_is_refused_not_ignored() -> None:
    model = a_model("m", Snapshot(id="new"))
    record = a_record(subject=Subject(model="m", snapshot="old"))
    with pytest.raises(TidegateError, match="ASM001"):
        assess(a_policy(), a_set(record), [model], TODAY, snapshots={"m": "newest"})
    with pytest.raises(TidegateError, match="ASM001"):
        assess(a_policy(), a_set(record), [model], TODAY, only=["M2"])


def test_one_name_for_two_models_is_refused() -> None:
    models = [a_model("a", aliases=("X",)), a_model("b", aliases=("x",))]
    with pytest.raises(TidegateError, match="ASM001"):
        assess(a_policy(), a_set(a_record(model="x")), models, TODAY)


def test_one_id_for_two_records_is_refused() -> None:
    with pytest.raises(TidegateError, match="EVI005"):
        state(a_record("r"), a_record("r", a_count(90, 100)))
    assert state(a_record("r"), a_record("r")) == "ruled_out"


def test_a_technique_that_is_also_absent_was_not_used() -> None:
    elicitation = Elicitation(elements=("tools",), absent=("tools",))
    assert state(a_record(elicitation=elicitation), policy=ruled_by(HIGH, elicitation=("tools",))) == "inconclusive"


def test_two_answers_to_one_threat_give_the_worse() -> None:
    answers = [ThreatAnswer(threat="contamination", status=one, reason="x") for one in ("unknown", "ruled_out")]
    policy = ruled_by(HIGH, answers=("contamination",))
    for order in itertools.permutations(answers):
        assert state(a_record(threats=order), policy=policy) == "inconclusive"


# --- printed lines and combinations ---------------------------------------------------------------------


def printed(name: str, rate: float, evaluation: str, kind: str = "rule_out") -> Evidence:
    line = PrintedLine(value=0.5, crossed_when=">=", kind=kind)
    return a_record(name, a_count(round(rate * 100), 100, evaluation), thresholds=("T1",), line=line)


def by_printed(**changes: object) -> Policy:
    threshold = a_threshold(indicators=(), printed_lines=True, falsifier="more", **changes)
    return a_policy(threshold, preregistration="flagged")


@pytest.mark.parametrize("needed", ["any", 1])
def test_an_adverse_printed_figure_does_not_make_up_the_number(needed: str | int) -> None:
    policy = by_printed(combine=Combination(rule_out=needed))
    assert state(printed("a", 0.1, "A"), policy=policy) == "inconclusive"
    assert state(printed("a", 0.1, "A"), printed("b", 0.9, "B"), policy=policy) == "not_ruled_out"
    assert state(printed("a", 0.1, "A"), printed("b", 0.48, "B"), policy=policy) == "inconclusive"
    assert state(printed("a", 0.1, "A"), printed("b", 0.1, "B"), policy=policy) == "ruled_out"


def test_a_checkpoint_does_not_override_a_crossed_printed_line() -> None:
    target = a_threshold(indicators=(), printed_lines=True, falsifier="more", combine=Combination(rule_out="any"))
    checkpoint = a_threshold("CP", indicators=(an_indicator("CP.a", "Eval C"),), rules_out=("T1",))
    policy = a_policy(target, checkpoint, preregistration="flagged")
    records = (printed("a", 0.1, "A"), printed("b", 0.9, "B"), a_record("c", a_count(1, 100, "Eval C")))
    assert state(*records, policy=policy) == "not_ruled_out"


def test_one_evaluation_that_crosses_is_not_outvoted_by_itself() -> None:
    policy = by_printed(combine=Combination(rule_out=2))
    assert (
        state(printed("a", 0.1, "A"), printed("a2", 0.1, "A"), printed("b", 0.48, "B"), policy=policy) == "inconclusive"
    )
    crossed = (printed("a", 0.1, "A"), printed("a2", 0.9, "A"), printed("b", 0.1, "B"))
    assert state(*crossed, policy=policy) == "not_ruled_out"


def test_staying_below_a_rule_in_line_rules_nothing_out() -> None:
    records = (printed("a", 0.1, "A", "rule_in"), printed("b", 0.1, "B", "rule_in"))
    assert state(*records, policy=by_printed()) == "inconclusive"


def test_holm_never_turns_reached_into_ruled_out() -> None:
    reach = Rule(rule_out=a_line(0.2), reach=a_line(0.5))
    indicators = (
        an_indicator("T1.a", rule=reach),
        an_indicator("T1.b", "Eval B", rule=reach),
        an_indicator("T1.c", "Eval C"),
    )
    policy = a_policy(a_threshold(indicators=indicators, combine=Combination(rule_out="any")))
    records = (a_record("a", a_count(59, 100)), a_record("c", a_count(1, 100, "Eval C")))
    assert state(*records, policy=policy) == "reached"
    assert state(*records, a_record("b", a_count(50, 100, "Eval B")), policy=policy) == "not_ruled_out"


# --- bounds between models ------------------------------------------------------------------------------


def test_a_bound_speaks_for_the_model_it_names() -> None:
    models = [a_model("a"), a_model("b", bounded_by=(Bound(model="c", by="a", reason="smaller"),)), a_model("c")]
    made = assess(a_policy(), a_set(a_record(model="a")), models, TODAY)
    assert {one.model: one.thresholds[0].finding for one in made.models}["b"] == "not_assessed"


# --- restatements ---------------------------------------------------------------------------------------


def restated(supersedes: str, by: str | None, **changes: object) -> Restatement:
    reason = "error" if by else "retracted"
    return Restatement(supersedes=supersedes, by=by, **{"reason": reason, "approved_by": ("rso",), **changes})


RESTATED = [
    ("by a record about another model", (a_record("good", model="other"),), (restated("bad", "good"),)),
    ("by another evaluation", (a_record("good", a_count(1, 100, "Eval Z")),), (restated("bad", "good"),)),
    ("in a circle", (a_record("mid"),), (restated("bad", "mid"), restated("mid", "bad"))),
    (
        "in a longer circle",
        (a_record("x"), a_record("y")),
        (restated("bad", "x"), restated("x", "y"), restated("y", "bad")),
    ),
    ("approved by nobody in particular", (a_record("good"),), (restated("bad", "good", approved_by=("", " ")),)),
]


@pytest.mark.parametrize(("others", "statements"), [case[1:] for case in RESTATED], ids=[case[0] for case in RESTATED])
def test_adverse_evidence_does_not_leave(others: tuple[Evidence, ...], statements: tuple[Restatement, ...]) -> None:
    safe = a_record("safe")
    for order in itertools.permutations(statements):
        assert state(ADVERSE, safe, *others, restatements=order) == "not_ruled_out"


def test_a_failed_check_is_not_restated_by_a_figure() -> None:
    failed = a_check("failed", outcome="fail")
    statements = (restated("failed", "ok"),)
    assert not is_open(ADVERSE, failed, a_check(), a_record("ok"), restatements=statements)
    assert is_open(ADVERSE, failed, a_check("ok"), restatements=statements)


def test_a_check_that_was_taken_back_shows_nothing() -> None:
    assert is_open(ADVERSE, a_check())
    assert not is_open(ADVERSE, a_check(), restatements=(restated("c1", None, approved_by=()),))


# --- safeguards -----------------------------------------------------------------------------------------


def test_a_standard_of_advice_is_not_met_by_nothing() -> None:
    policy = a_policy(standards=(a_standard(criteria=(Criterion(id="S1.1", force="recommend"),)),))
    assert not is_open(ADVERSE, policy=policy)
    assert is_open(ADVERSE, a_check(criterion="S1"), policy=policy)


def test_a_security_level_without_a_standard_still_counts() -> None:
    policy = a_policy(
        a_threshold(requirements=(a_requirement("R", security_level="SL3"),)),
        security_levels=(SecurityLevel(id="SL3"),),
    )
    assert not is_open(ADVERSE, a_check(), policy=policy)
    assert is_open(ADVERSE, a_check(), a_check("c2", "SL3"), policy=policy)


@pytest.mark.parametrize("alone", [True, False])
def test_evidence_of_another_kind_does_not_fill_a_need(alone: bool) -> None:
    needs = (Need(name="audit", kind="audit"), *(() if alone else (Need(name="paper", kind="document"),)))
    policy = a_policy(standards=(a_standard(criteria=(Criterion(id="S1.1", force="must", needs=needs),)),))
    paper = a_check("paper", kind="document", need="paper")
    assert not is_open(ADVERSE, a_check(need="audit"), paper, policy=policy)
    assert is_open(ADVERSE, a_check(need="audit", kind="audit"), paper, policy=policy)
    fail = a_check("fail", need="audit", outcome="fail")
    assert not is_open(ADVERSE, a_check(need="audit", kind="audit"), fail, paper, policy=policy)


def test_a_failure_counts_however_its_criterion_is_written() -> None:
    assert not is_open(ADVERSE, a_check(), a_check("c2", "s1.1", outcome="fail"))
    assert not is_open(ADVERSE, a_check(), a_check("c2", "TEST#S1.1", outcome="fail"))


def test_a_failure_about_every_model_is_not_caught_by_one() -> None:
    star = a_model("star").model_copy(update={"aliases": ("*",)})
    models = [a_model("m"), star]
    evidence = a_set(ADVERSE, a_check(), a_check("c2", model="*", outcome="fail"))
    made = assess(a_policy(), evidence, models, TODAY)
    assert not next(one for one in made.models if one.model == "m").gate("general").open


def test_a_bound_above_one_is_in_percent() -> None:
    need = Need(name="robust", kind="red_team", metric="rate", bound=a_line(5.0))
    policy = a_policy(standards=(a_standard(criteria=(Criterion(id="S1.1", force="must", needs=(need,)),)),))
    for measured in (a_count(50, 100, metric="rate"), a_count(50, 100, metric="rate", value=50.0, unit="percent")):
        attack = a_check(kind="red_team", outcome=None, measurement=measured)
        assert not is_open(ADVERSE, attack, policy=policy)


def test_a_pass_of_some_day_in_a_year_does_not_answer_a_failure_within_it() -> None:
    assert not is_open(
        ADVERSE, a_check("fail", outcome="fail", finished="2026-05-01"), a_check(finished="2026", recorded="2026-05-02")
    )


def test_safeguard_evidence_about_another_snapshot_opens_nothing() -> None:
    model = a_model("m", Snapshot(id="old"), Snapshot(id="new", equivalent_to=("twin",)))

    def opened(snapshot: str | None) -> bool:
        check = a_check().model_copy(update={"subject": Subject(model="m", snapshot=snapshot)})
        return assessed(ADVERSE, check, model=model).gate("general").open

    assert {name: opened(name) for name in ("old", "new", "twin", None)} == {
        "old": False, "new": True, "twin": True, None: True,
    }  # fmt: skip
    failed = a_check("f", outcome="fail").model_copy(update={"subject": Subject(model="m", snapshot="old")})
    assert not assessed(ADVERSE, a_check(), failed, model=model).gate("general").open


# --- approvals ------------------------------------------------------------------------------------------


def approval(*signers: str, **changes: object) -> Approval:
    return Approval(id="go", act="report", signers=signers, before=("general",), force="must", **changes)


RSO, CEO = Role(id="rso", title="Director"), Role(id="ceo", title="Director")


@pytest.mark.parametrize(
    ("wanted", "roles", "signed"),
    [
        (approval(), (), None),
        (approval("rso", "rso", quorum=2), (RSO,), ("rso",)),
        (approval("rso"), (Role(id="rso"),), ("",)),
        (approval("rso", "ceo"), (RSO, CEO), ("Director",)),
        (approval("rso", "ceo", quorum=2), (RSO, Role(id="ceo", title="rso")), ("rso",)),
    ],
    ids=["no signers", "one signer named twice", "signed by nobody", "two roles of one title", "a title that is an id"],
)
def test_one_signature_is_one_signature(
    wanted: Approval, roles: tuple[Role, ...], signed: tuple[str, ...] | None
) -> None:
    policy = a_policy(approvals=(wanted,), roles=roles)
    signatures = () if signed is None else (a_check("sig", "go", kind="document", signed_by=signed),)
    assert not is_open(a_record(), *signatures, policy=policy)


def test_a_signature_for_another_snapshot_or_taken_back_does_not_count() -> None:
    policy = a_policy(approvals=(approval("rso"),), roles=(RSO,))
    model = a_model("m", Snapshot(id="old"), Snapshot(id="new"))
    signature = a_check("sig", "go", kind="document", signed_by=("rso",))
    assert is_open(a_record(), signature, policy=policy)
    old = signature.model_copy(update={"subject": Subject(model="m", snapshot="old")})
    assert not assessed(a_record(), old, policy=policy, model=model).gate("general").open
    assert not is_open(a_record(), signature, policy=policy, restatements=(restated("sig", None, approved_by=()),))

# SPDX-License-Identifier: Apache-2.0
"""Explanations: complete, deterministic, and true: a change that is named really makes the finding another."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tidegate.assess import assess
from tidegate.assess.explain import FLAG_WORDS, ROLE_WORDS, Explanation, explain
from tidegate.assess.settle import samples_at_rate
from tidegate.assess.whatif import Case, changes, narrow, quantity
from tidegate.evidence.model import (
    Bound,
    Elicitation,
    Evidence,
    EvidenceSet,
    Interval,
    Measurement,
    PrintedLine,
    Provenance,
    Restatement,
    Subject,
    ThreatAnswer,
)
from tidegate.evidence.models import Model, Snapshot
from tidegate.kernel.errors import AssessError
from tidegate.policy.model import Combination, Domain, Indicator, Line, Policy, Requirement, Rule, RuleLock, Threshold

AT = date(2025, 6, 1)
LOW = Line(value=0.05)
HIGHER = Rule(rule_out=LOW, reach=Line(value=0.5))


def indicator(name="suite", rule=HIGHER, **fields):
    return Indicator(id=name, evaluation=name, rule=rule, falsifier="a passing run", **fields)


def threshold(*indicators, **fields):
    halt = Requirement(id="halt", kind="halt", actions=("general",), force="must")
    given_fields = {"id": "T1", "title": "First", "domain": "bio", "requirements": (halt,)} | fields
    return Threshold(indicators=indicators, **given_fields)


def policy(*thresholds, **fields):
    return Policy(
        schema="tidegate/policy/v1", id="p", version="1", title="P", publisher="Us", preregistration="flagged",
        domains=(Domain(id="bio"),), thresholds=thresholds, **fields,
    )  # fmt: skip


def counted(successes=0, n=120, name="suite", model="m", **fields):
    measured = Measurement(evaluation=name, metric="solved", value=successes / n, n=n, successes=successes, binary=True)
    return Evidence(
        id=fields.pop("id", f"{model}-{name}"), subject=Subject(model=model), measurement=measured,
        finished="2025-05-01", provenance=Provenance(format="test"), **fields,
    )  # fmt: skip


def figure(value, name="suite", unit="fraction", **fields):
    measured_fields = ("interval", "standard_error", "n", "metric", "clusters", "aggregation")
    inner = {"metric": "score"} | {key: fields.pop(key) for key in measured_fields if key in fields}
    return Evidence(
        id=fields.pop("id", f"m-{name}"), subject=fields.pop("subject", Subject(model="m")), finished="2025-05-01",
        measurement=Measurement(evaluation=name, value=value, unit=unit, **inner),
        provenance=Provenance(format="test", title="Card", location="p. 3", url="https://example.org/card"), **fields,
    )  # fmt: skip


def evidence(*records, **fields):
    return EvidenceSet(records=records, **fields)


MODELS = (Model(id="m", name="Model M"), Model(id="big", name="Big"))


def why(adopted, records, **fields) -> Explanation:
    return explain(adopted, records, MODELS, AT, "m", "T1", **fields)


def finding_with(adopted, records, change, *, models=MODELS):
    """Put a change into the evidence in another way than the search does, and assess the whole again."""
    gone = {step.evidence for step in change.steps if step.what == "withdrawn"}
    moved = {step.evidence: step for step in change.steps}
    listed = []
    for record in records.records:
        if record.id in gone:
            continue
        if record.id not in moved:
            listed.append(record)
            continue
        step, data = moved[record.id], record.model_dump(mode="json", by_alias=True)
        measured = data["measurement"]
        if step.what == "successes":
            measured["successes"], measured["value"] = step.after, step.after / step.n
        else:
            shift = step.after - step.before
            measured["value"] = step.after
            if measured["interval"]:
                measured["interval"]["low"] += shift
                measured["interval"]["high"] += shift
        listed.append(Evidence.model_validate(data))
    made = assess(adopted, EvidenceSet(records=tuple(listed), bounds=records.bounds), models, AT)
    return made.model("m").finding("T1").finding


# --- the smallest change ---------------------------------------------------------------------------------


def test_count_that_is_ruled_out_names_the_successes_that_are_left():
    adopted, records = policy(threshold(indicator())), evidence(counted(1, 120))
    found = why(adopted, records)
    assert found.finding == "ruled_out"
    step = found.smallest_change.steps[0]
    # The exact one-sided test of an independent library says the same.
    still = max(k for k in range(120) if stats.binomtest(k, 120, 0.05, alternative="less").pvalue < 0.05)
    assert (step.what, step.before, step.after, step.n) == ("successes", 1, still + 1, 120)
    assert f"({1} → {still + 1} of 120) in suite" in found.smallest_change.words
    assert found.smallest_change.becomes == "inconclusive"
    assert finding_with(adopted, records, found.smallest_change) == "inconclusive"


@settings(max_examples=30, deadline=None)
@given(n=st.integers(20, 400), data=st.data())
def test_smallest_change_of_a_count_flips_and_one_less_does_not(n, data):
    k = data.draw(st.integers(0, n))
    adopted, records = policy(threshold(indicator())), evidence(counted(k, n))
    found = why(adopted, records)
    change = found.smallest_change
    assert change is not None
    assert finding_with(adopted, records, change) == change.becomes != found.finding
    step = change.steps[0]
    back = 1 if step.after < step.before else -1
    less = change.model_copy(update={"steps": (step.model_copy(update={"after": step.after + back}),)})
    assert finding_with(adopted, records, less) == found.finding


@pytest.mark.parametrize(
    ("value", "line", "becomes", "after"),
    [
        (19.94, Line(value=20), "not_ruled_out", 20.0),
        (19.94, Line(value=20, crossed_when=">"), "not_ruled_out", None),
        (25.0, Line(value=20), "ruled_out", None),
        (80.0, Line(value=75, crossed_when="<="), "not_ruled_out", 75.0),
        (70.0, Line(value=75, crossed_when="<"), "ruled_out", 75.0),
    ],
)
def test_bare_figure_moves_to_its_line(value, line, becomes, after):
    rule = indicator(rule=Rule(rule_out=line, confidence=None), unit="percent")
    adopted, records = policy(threshold(rule)), evidence(figure(value, unit="percent"))
    change = why(adopted, records).smallest_change
    assert change.becomes == becomes == finding_with(adopted, records, change)
    step = change.steps[0]
    assert step.after == after or (after is None and 0 < abs(step.after - line.value) < 0.06)
    assert "percentage points" in change.words


def test_figure_with_an_interval_moves_with_it():
    interval = Interval(low=0.1, high=0.16, kind="confidence", level=0.9)
    adopted = policy(threshold(indicator(rule=Rule(rule_out=Line(value=0.2)))))
    records = evidence(figure(0.13, interval=interval))
    found = why(adopted, records)
    assert found.finding == "ruled_out"
    assert found.smallest_change.steps[0].after == pytest.approx(0.17)
    assert "with its interval" in found.smallest_change.words
    assert finding_with(adopted, records, found.smallest_change) == "inconclusive"


def test_several_adverse_records_have_to_move_together():
    adopted = policy(threshold(indicator()))
    records = evidence(counted(20, 120, id="a"), counted(40, 120, id="b"))
    found = why(adopted, records)
    assert found.finding == "not_ruled_out"
    assert {step.evidence for step in found.smallest_change.steps} == {"a", "b"}
    assert "together" in found.smallest_change.words
    assert finding_with(adopted, records, found.smallest_change) == found.smallest_change.becomes == "inconclusive"


def test_inconclusive_finding_is_tried_both_ways():
    adopted, records = policy(threshold(indicator())), evidence(counted(4, 120))
    found = why(adopted, records)
    assert found.finding == "inconclusive"
    ways = {change.becomes for change in (found.smallest_change, *found.other_changes)}
    assert ways == {"ruled_out", "not_ruled_out"}
    for change in (found.smallest_change, *found.other_changes):
        assert finding_with(adopted, records, change) == change.becomes
    sizes = [change.size for change in (found.smallest_change, *found.other_changes)]
    assert sizes == sorted(sizes)


def test_ruled_out_also_names_what_it_would_be_without_its_load_bearing_record():
    adopted, records = policy(threshold(indicator())), evidence(counted(0, 120))
    withdrawn = [change for change in why(adopted, records).other_changes if change.steps[0].what == "withdrawn"]
    assert [change.becomes for change in withdrawn] == ["not_assessed"]
    assert finding_with(adopted, records, withdrawn[0]) == "not_assessed"


def test_rule_out_by_a_bounding_model_moves_the_other_models_record():
    adopted = policy(threshold(indicator()))
    bound = Bound(model="m", by="big", reason="smaller")
    records = evidence(counted(0, 120, model="big"), bounds=(bound,))
    found = why(adopted, records)
    assert (found.finding, found.by) == ("ruled_out", "big")
    assert found.smallest_change.steps[0].evidence == "big-suite"
    assert finding_with(adopted, records, found.smallest_change) == found.smallest_change.becomes != "ruled_out"


def test_rule_out_by_a_checkpoint_moves_the_checkpoints_record():
    adopted = policy(threshold(), threshold(indicator(), id="early", kind="checkpoint", rules_out=("T1",)))
    records = evidence(counted(0, 120))
    found = why(adopted, records)
    assert (found.finding, found.by) == ("ruled_out", "early")
    assert finding_with(adopted, records, found.smallest_change) == found.smallest_change.becomes == "not_assessed"


def test_nothing_changes_what_was_never_assessed():
    found = why(policy(threshold(indicator())), evidence())
    assert (found.finding, found.smallest_change, found.other_changes) == ("not_assessed", None, ())


def test_narrow_case_gives_the_same_finding_without_what_it_does_not_need():
    adopted = policy(threshold(indicator()), threshold(indicator("other"), id="T2"))
    restated = Restatement(supersedes="m-suite", by="new", reason="error")
    records = evidence(
        counted(9, 120), counted(0, 120, id="new"), counted(0, 50, name="other"), counted(3, 9, model="big"),
        restatements=(restated,),
    )  # fmt: skip
    whole = Case(adopted, records, MODELS, AT, "m", "T1")
    small = narrow(whole)
    assert {one.id for one in small.evidence.records} == {"m-suite", "new"}
    assert [one.id for one in small.policy.thresholds] == ["T1"]
    assert small.evidence.restatements == (restated,)
    assert small.finding().finding == whole.finding().finding == "not_ruled_out"


def test_changes_do_not_depend_on_the_order_of_records():
    adopted = policy(threshold(indicator(), indicator("second")))
    records = [counted(0, 120), counted(2, 300, name="second"), counted(1, 200, name="second", id="again")]
    one, other = (why(adopted, EvidenceSet(records=tuple(listed))) for listed in (records, records[::-1]))
    assert one.smallest_change == other.smallest_change
    assert why(adopted, EvidenceSet(records=tuple(records))) == one


# --- what would settle it --------------------------------------------------------------------------------


SETTLED = [
    ({}, figure(0.01), "n with the number of successes, or a confidence interval with its level: suite, score"),
    ({}, figure(None), "the figure itself: suite, score"),
    ({}, figure(3, unit="minutes"), "the figure in the line's unit: suite, score"),
    ({"minimum_n": 200}, counted(0), "n, of at least 200: suite, solved"),
    ({"max_age": "P1W"}, counted(0), "a newer result: suite, solved"),
    ({"elicitation": ("tools", "best_of_n")}, counted(0, elicitation=Elicitation(elements=("tools",))),
     "a result with best of n: suite, solved"),
    ({"minimum_quality": "recomputable"}, counted(0), "its log, so that the figure can be recomputed: suite, solved"),
    ({"minimum_quality": "attested"}, counted(0), "a signature under the figure: suite, solved"),
    ({"answers": ("sandbagging",)}, counted(0), "an answer to sandbagging: suite, solved"),
    ({}, counted(0, threats=(ThreatAnswer(threat="saturation", status="present", reason="seen"),)),
     "a result that is free of saturation: suite, solved"),
    ({"same_snapshot": True}, counted(0),
     "a result on the assessed snapshot, or a statement that the snapshots are equivalent: suite, solved"),
    ({"max_compute_ratio": 4}, counted(0), "the effective compute of both snapshots: suite, solved"),
    ({}, counted(0, valid_until=date(2025, 5, 2)), "a new result: the old one no longer holds: suite, solved"),
    ({}, counted(4), "at the same result, a sample of 577 independent units: suite, solved"),
    ({}, counted(30), ("a correction or retraction, with its reason and who approved it, of the result beyond its line:"
     " suite, solved")),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "record", "expected"), SETTLED)
def test_what_would_settle_is_named(asked, record, expected):
    found = why(policy(threshold(indicator(**asked))), evidence(record))
    assert found.finding != "ruled_out"
    assert expected in found.would_settle


def test_evaluation_without_evidence_is_asked_for_with_its_size():
    found = why(policy(threshold(indicator(elicitation=("tools",)))), evidence())
    expected = "a result with tools of at least 59 independent samples, so that a perfect one could rule it out: suite"
    assert found.would_settle == (expected,)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "an indicator in the policy, with a rule-out line and a falsifier"),
        ({"printed_lines": True}, "a figure that names this threshold, with its n, its interval and its line"),
        ({"kind": "watch"}, "a line in the policy: this is only watched, so no evidence can rule it out"),
    ],
)
def test_threshold_without_indicators_says_what_is_missing(fields, expected):
    assert why(policy(threshold(**fields)), evidence()).would_settle == (expected,)


def test_line_that_exists_but_is_not_printed_is_asked_for():
    hidden = figure(0.1, thresholds=("T1",), line=PrintedLine(disclosure="exists_unprinted"))
    bare = figure(0.2, id="bare", name="other", thresholds=("T1",))
    found = why(policy(threshold(printed_lines=True)), evidence(hidden, bare))
    assert found.would_settle == (
        "a line, with its number and direction, in the policy or next to the figure: other, score",
        "the line that exists but is not printed, with its number and direction: suite, score",
    )
    assert [record.evidence for record in found.unread] == ["bare", "m-suite"]


def test_nothing_is_asked_of_what_is_ruled_out():
    assert why(policy(threshold(indicator())), evidence(counted(0))).would_settle == ()


@settings(max_examples=40, deadline=None)
@given(rate=st.floats(0, 0.9), gap=st.floats(0.02, 0.5), confidence=st.sampled_from([0.9, 0.95, 0.99]))
def test_size_at_the_same_rate_rules_out_and_one_less_does_not(rate, gap, confidence):
    line = rate + gap
    if line >= 0.99:
        return
    n = samples_at_rate(rate, line, confidence)
    assert n is not None

    def p_value(size):
        count = min(size, int(-(-(rate * size - 1e-9) // 1)))
        return stats.binom.cdf(count, size, line) if count < size else 1.0

    assert p_value(n) <= (1 - confidence) * (1 + 1e-9)
    assert n == 1 or p_value(n - 1) > (1 - confidence) * (1 - 1e-9)


def test_size_is_out_of_reach_at_or_beyond_the_line():
    assert samples_at_rate(0.05, 0.05, 0.95) is None
    assert samples_at_rate(0.0499999, 0.05, 0.95) is None


def test_size_for_a_mean_uses_its_spread():
    rule = indicator(rule=Rule(rule_out=Line(value=100.0)), unit="minutes")
    found = why(policy(threshold(rule)), evidence(figure(90.0, unit="minutes", standard_error=10.0, n=16)))
    # Spread 40, distance 10: the noncentral t distribution asks for 101.
    assert found.would_settle == (
        "at the same result, a sample of about 101 independent units (for a chance of 80%): suite, score",
    )


# --- what is said ----------------------------------------------------------------------------------------


def test_explanation_names_rule_lock_margin_and_source():
    rule = indicator(elicitation=("tools",), minimum_n=50, minimum_quality="attested", max_age="P1Y")
    lock = RuleLock(
        threshold="T1",
        indicator="suite",
        evaluation="suite",
        digest=threshold(rule).decision_digest,
        locked_on=date(2025, 4, 1),
    )
    adopted = policy(threshold(rule), locks=(lock,))
    record = figure(0.01, n=400, standard_error=0.002, quality="attested", elicitation=Elicitation(elements=("tools",)))
    found = why(adopted, evidence(record))
    one = found.indicators[0]
    assert (
        one.rule
        == "ruled out if the upper bound (one-sided 0.95) is below 0.05; shown if even the lower bound is at or above 0.5"
    )
    assert one.lock == "locked on 2025-04-01"
    assert one.falsifier == "a passing run"
    assert one.conditions == ("elicited with tools", "n of at least 50", "attested at least", "no older than P1Y")
    read = one.records[0]
    assert (read.role, read.is_load_bearing, read.source) == ("supports", True, "Card, p. 3")
    assert read.margin_words == "0.04 to the line, 20 standard errors"
    assert read.result == "0.01, n = 400"
    assert found.load_bearing == ("m-suite",)
    assert found.flags == (FLAG_WORDS["snapshot_not_stated"],)


@pytest.mark.parametrize(
    ("locked", "expected"),
    [
        ((), "not locked"),
        ((("sha256:other", date(2025, 4, 1)),), "another rule was locked on 2025-04-01; this one is not"),
        ((("sha256:other", date(2025, 4, 1)), (None, date(2025, 4, 2))),
         "locked on 2025-04-02; 1 other rule locked before or after"),
    ],
)  # fmt: skip
def test_lock_is_told_in_words(locked, expected):
    rule = indicator()
    locks = tuple(
        RuleLock(
            threshold="T1",
            indicator="suite",
            evaluation="suite",
            digest=name or threshold(rule).decision_digest,
            locked_on=day,
        )
        for name, day in locked
    )
    assert why(policy(threshold(rule), locks=locks), evidence(counted(0))).indicators[0].lock == expected


def test_printed_line_says_that_it_came_with_the_result():
    record = figure(0.9, thresholds=("T1",), line=PrintedLine(value=0.8, crossed_when=">=", kind="rule_in"))
    found = why(policy(threshold(printed_lines=True)), evidence(record))
    assert found.indicators[0].lock == "no rule in the policy: the line was printed with the result"
    assert found.indicators[0].records[0].role == "crosses"
    assert FLAG_WORDS["line_disclosed_with_result"] in found.flags


def test_records_are_split_into_used_and_set_aside():
    adopted = policy(threshold(indicator()))
    found = why(adopted, evidence(counted(0, id="good"), figure(0.01, id="bare"), counted(4, id="middling")))
    assert [record.evidence for record in found.evidence_used] == ["good", "middling"]
    assert [(record.evidence, record.role) for record in found.evidence_set_aside] == [("bare", "set_aside")]
    assert found.evidence_set_aside[0].reasons[0].startswith("no interval and no n")
    assert set(ROLE_WORDS) == {"shows", "crosses", "supports", "undecided", "set_aside"}


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (Combination(), ("ruled out when all 2 indicators rule it out; reached when any one indicator shows it, "
         "after Holm's correction where several are tested")),
        (Combination(rule_out="any", reach="all"),
         "ruled out when any one indicator rules it out; reached when all 2 indicators show it"),
        (Combination(rule_out=1, reach="all"),
         "ruled out when at least 1 indicator rules it out; reached when all 2 indicators show it"),
    ],
)  # fmt: skip
def test_combination_is_told_in_words(how, expected):
    assert why(policy(threshold(indicator(), indicator("second"), combine=how)), evidence()).combination == expected


def test_requirements_stand_with_their_state():
    found = why(policy(threshold(indicator())), evidence(counted(30)))
    assert [(one.requirement, one.state) for one in found.requirements] == [("halt", "not_met")]


def test_explanation_is_plain_data_and_survives_it():
    found = why(policy(threshold(indicator())), evidence(counted(4)))
    data = found.model_dump(mode="json", by_alias=True)
    assert data["schema"] == "tidegate/explanation/v1"
    assert Explanation.model_validate(data) == found


def test_older_snapshot_can_be_assessed():
    models = (Model(id="m", snapshots=(Snapshot(id="s1"), Snapshot(id="s2"))),)
    adopted = policy(threshold(indicator(same_snapshot=True)))
    record = counted(0).model_copy(update={"subject": Subject(model="m", snapshot="s1")})
    newest = explain(adopted, evidence(record), models, AT, "m", "T1")
    older = explain(adopted, evidence(record), models, AT, "m", "T1", snapshots={"m": "s1"})
    assert (newest.finding, older.finding) == ("inconclusive", "ruled_out")
    assert older.smallest_change.becomes == "inconclusive"


@pytest.mark.parametrize(
    ("model", "name", "code", "hint"),
    [
        ("mm", "T1", "ASM001", "did you mean 'm'?"),
        ("m", "T11", "ASM002", "did you mean 'T1'?"),
        ("m", "zzz", "ASM002", "thresholds: T1"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(model, name, code, hint):
    with pytest.raises(AssessError) as caught:
        explain(policy(threshold(indicator())), evidence(), MODELS, AT, model, name)
    problem = caught.value.problems[0]
    assert (problem.code, problem.hint) == (code, hint)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (12.5, "percent", "12.5%"),
        (2.53, "x", "2.53x"),
        (0.66, "score", "0.66"),
        (2_000_000, "tasks", "2,000,000 tasks"),
        (96, "minutes", "96 minutes"),
    ],
)
def test_quantities_are_short(value, unit, expected):
    assert quantity(value, unit) == expected


def test_changes_of_a_case_are_few():
    adopted = policy(threshold(*(indicator(f"s{number}") for number in range(9))))
    records = evidence(*(counted(4, 120, name=f"s{number}") for number in range(9)))
    assert len(changes(Case(adopted, records, MODELS, AT, "m", "T1"))) == 5

# SPDX-License-Identifier: Apache-2.0
"""Laws of the gate over rich inputs: three models, bounds, checkpoints, printed lines, safeguards, signatures."""

import itertools
import random
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

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
from tidegate.assess import Assessment, assess
from tidegate.assess.model import IndicatorFinding, Reading
from tidegate.evidence.model import (
    Bound,
    Counts,
    Evaluator,
    Evidence,
    Interval,
    Measurement,
    PrintedLine,
    Restatement,
    Subject,
)
from tidegate.evidence.models import Model, Snapshot
from tidegate.policy.model import Approval, Combination, Criterion, Indicator, Line, Need, Policy, Role, Rule, Threshold

NAMES = ("m", "n", "o")
EVALUATIONS = ("Eval A", "Eval B", "Eval C")
MODELS = tuple(
    a_model(name, Snapshot(id="old", effective_compute=1.0), Snapshot(id="new", effective_compute=4.0))
    for name in NAMES
)
AGAINST = ("reached", "reached_and_mitigated", "not_ruled_out")
LAW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class World:
    """A policy, and all that is recorded."""

    policy: Policy
    records: tuple[Evidence, ...]
    restatements: tuple[Restatement, ...] = ()
    bounds: tuple[Bound, ...] = ()

    def with_record(self, record: Evidence) -> "World":
        return replace(self, records=(*self.records, record))

    def without(self, record: Evidence) -> "World":
        return replace(self, records=tuple(one for one in self.records if one is not record))


def assessed(world: World, models: tuple[Model, ...] = MODELS) -> Assessment:
    evidence = a_set(*world.records, restatements=world.restatements, bounds=world.bounds)
    return assess(world.policy, evidence, models, TODAY)


def open_gates(made: Assessment) -> set[tuple[str, str]]:
    return {(model.model, gate.action) for model in made.models for gate in model.gates if gate.open}


# --- figures -------------------------------------------------------------------------------------------

VALUES = st.sampled_from([0.0, 0.0, 0.0, 0.02, 0.02, 0.02, 0.1, 0.3, 0.45, 0.55, 0.9, 1.0])
SIZES = st.sampled_from([200, 40, 5])


@st.composite
def counted(draw: st.DrawFn, evaluation: str) -> Measurement:
    n = draw(SIZES)
    successes = round(draw(VALUES) * n)
    if draw(st.booleans()):
        return a_count(successes, n, evaluation)
    return a_count(successes, n, evaluation, value=100 * successes / n, unit="percent")


@st.composite
def stated(draw: st.DrawFn, evaluation: str) -> Measurement:
    """Give a figure without its count: bare, or with an interval, an error or clusters."""
    value, kind = draw(VALUES), draw(st.sampled_from(["bare", "interval", "error", "clusters"]))
    given_with: dict[str, Any] = {}
    if kind == "interval":
        width, level = draw(st.sampled_from([0.01, 0.1, 0.3])), draw(st.sampled_from([0.8, 0.9, 0.95]))
        given_with["interval"] = Interval(low=value - width, high=value + width, kind="confidence", level=level)
    if kind in ("error", "clusters"):
        given_with["standard_error"] = draw(st.sampled_from([0.0, 0.01, 0.1]))
    if kind == "clusters":
        given_with["clusters"] = draw(st.sampled_from([1, 5, 50]))
    if draw(st.booleans()):
        given_with["worst_case"] = min(1.0, value + 0.2)
    return Measurement(evaluation=evaluation, metric="accuracy", value=value, n=50, **given_with)


figures = st.sampled_from(["Eval A", *EVALUATIONS]).flatmap(lambda evaluation: counted(evaluation) | stated(evaluation))

# --- records -------------------------------------------------------------------------------------------

LINES = st.sampled_from(
    [
        None,
        PrintedLine(value=0.5, crossed_when=">="),
        PrintedLine(value=0.5, crossed_when=">="),
        PrintedLine(value=0.4, crossed_when=">=", kind="rule_in"),
        PrintedLine(value=0.3, crossed_when="<="),
    ]
)


@st.composite
def results(draw: st.DrawFn, name: str) -> Evidence:
    return a_record(
        name,
        draw(figures),
        thresholds=draw(st.sampled_from([(), ("T1",), ("T2",)])),
        line=draw(LINES),
        finished=draw(st.sampled_from(["2026-05-20", "2026-01", "2025-11-02", None])),
        subject=Subject(
            model=draw(st.sampled_from(NAMES)), snapshot=draw(st.sampled_from([None, "new", "new", "old"]))
        ),
        counts=draw(st.sampled_from([None, None, Counts(scored=40, errored=5)])),
        evaluator=Evaluator(relation=draw(st.sampled_from(["independent", "developer"]))),
    )


@st.composite
def checks(draw: st.DrawFn, name: str) -> Evidence:
    return a_check(
        name,
        draw(st.sampled_from(["S1.1", "S1.2", "go", "s1.1"])),
        kind=draw(st.sampled_from(["attestation", "red_team", "document"])),
        outcome=draw(st.sampled_from(["pass", "pass", "fail", "partial"])),
        model=draw(st.sampled_from(["m", "*", "n"])),
        finished=draw(st.sampled_from(["2025-12-01", "2026-02", "2026-05-01", None])),
        signed_by=draw(st.sampled_from([(), ("rso",), ("ceo",), ("rso", "ceo")])),
    )


@st.composite
def attacks(draw: st.DrawFn, name: str) -> Evidence:
    return a_check(
        name,
        "S1.2",
        kind="red_team",
        outcome=None,
        measurement=draw(figures),
        model=draw(st.sampled_from(["m", "*"])),
    )


@st.composite
def backing(draw: st.DrawFn) -> list[Evidence]:
    """Give safe figures for some models, so that gates are open and there is something to lose."""
    models = draw(st.sampled_from([("m",), ("m", "n"), NAMES, ()]))
    third = draw(st.sampled_from([0, 200]))
    figured = [("a", a_count(0, 200)), ("b", a_count(0, 200, "Eval B")), ("c", a_count(third, 200, "Eval C"))]
    return [
        a_record(f"safe.{model}.{name}", figure, model=model, finished="2026-05-20")
        for model in models
        for name, figure in figured
    ]


@st.composite
def everything_recorded(draw: st.DrawFn) -> tuple[Evidence, ...]:
    made = draw(backing()) + [draw(results(f"r{number}")) for number in range(draw(st.integers(0, 4)))]
    made += [draw(checks(f"c{number}") | attacks(f"c{number}")) for number in range(draw(st.integers(0, 3)))]
    return tuple(made)


# --- policies ------------------------------------------------------------------------------------------


@st.composite
def indicators(draw: st.DrawFn, threshold: str, letter: str) -> Indicator:
    low_concerns = letter == "c" and draw(st.booleans())
    out, reach = (a_line(0.6, "<="), a_line(0.3, "<=")) if low_concerns else (a_line(0.2), a_line(0.5))
    rule = Rule(
        rule_out=draw(st.sampled_from([out, out if low_concerns else a_line(0.6)])),
        reach=draw(st.sampled_from([None, reach])),
        confidence=draw(st.sampled_from([None, 0.8, 0.95])),
        margin=draw(st.sampled_from([0.0, 0.05])),
    )
    age = draw(st.sampled_from([None, "P3M"]))
    return an_indicator(f"{threshold}.{letter}", f"Eval {letter.upper()}", rule=rule, max_age=age)


@st.composite
def thresholds(draw: st.DrawFn, name: str) -> Threshold:
    letters = draw(st.sampled_from(["a", "a", "a", "ab", "abc", ""]))
    return a_threshold(
        name,
        indicators=tuple(draw(indicators(name, letter)) for letter in letters),
        printed_lines=not letters or draw(st.booleans()),
        falsifier="a higher result",
        combine=Combination(
            rule_out=draw(st.sampled_from(["all", "any", 1, 2])),
            reach=draw(st.sampled_from(["any", "all", 2])),
            outvotes_crossed=draw(st.sampled_from([False, False, True])),
        ),
        printed_minimum=draw(st.sampled_from([1, 2])),
        rules_out=("T1",) if name == "T2" and draw(st.booleans()) else (),
        requirements=() if name == "T2" and draw(st.booleans()) else (a_requirement(f"{name}-deploy"),),
    )


NEED_BOUNDS = st.sampled_from([a_line(0.2), a_line(20), a_line(0.7, "<"), a_line(70, "<")])
SIGNING = Approval(id="go", act="release", signers=("rso", "ceo"), quorum=1, before=("general",), force="must")
ROLES = (Role(id="rso"), Role(id="ceo"))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    need = Need(
        name="robust",
        kind="red_team",
        metric="accuracy",
        bound=draw(NEED_BOUNDS),
        confidence=draw(st.sampled_from([None, 0.9])),
    )
    criteria = (
        Criterion(id="S1.1", force="must"),
        Criterion(id="S1.2", force=draw(st.sampled_from(["must", "may"])), needs=(need,)),
    )
    return a_policy(
        draw(thresholds("T1")),
        draw(thresholds("T2")),
        standards=(a_standard(criteria=criteria),),
        approvals=draw(st.sampled_from([(), (), (SIGNING,)])),
        roles=ROLES,
        preregistration=draw(st.sampled_from(["required", "flagged", "flagged"])),
    )


# --- worlds --------------------------------------------------------------------------------------------


@st.composite
def restatements(draw: st.DrawFn, ids: list[str]) -> tuple[Restatement, ...]:
    pairs = (
        draw(st.lists(st.permutations(ids).map(lambda order: order[:2]), max_size=3) | st.just([]))
        if len(ids) > 1
        else []
    )
    approved = st.sampled_from([(), ("board",), ("board",)])
    return tuple(Restatement(supersedes=a, by=b, reason="error", approved_by=draw(approved)) for a, b in pairs)


# Twice with n bounded, so that one bound can stand in for another.
PAIRS = [("n", "m"), ("n", "o"), *itertools.permutations(NAMES, 2)]


@st.composite
def bounds(draw: st.DrawFn, at_least: int = 0) -> tuple[Bound, ...]:
    pairs = draw(st.lists(st.sampled_from(PAIRS), min_size=at_least, max_size=4))
    about = st.sampled_from([(), (), ("T1",), ("T2",)])
    return tuple(Bound(model=a, by=b, thresholds=draw(about), reason="smaller") for a, b in pairs)


@st.composite
def worlds(draw: st.DrawFn, bounds_at_least: int = 0) -> World:
    records = draw(everything_recorded())
    return World(
        draw(policies()), records, draw(restatements([record.id for record in records])), draw(bounds(bounds_at_least))
    )


# --- what speaks against safety ------------------------------------------------------------------------


def lines_of(policy: Policy, evaluation: str) -> list[Line]:
    every = [indicator for threshold in policy.thresholds for indicator in threshold.indicators]
    return [one.rule.rule_out for one in every if one.evaluation == evaluation]


def need_bound(policy: Policy) -> Line:
    found = policy.standards[0].criteria[1].needs[0].bound
    assert found is not None
    return found


@st.composite
def adverse_results(draw: st.DrawFn, policy: Policy) -> Evidence:
    """Give a figure on the concerning side of every line that the policy draws for its evaluation."""
    evaluation = draw(st.sampled_from(["Eval A", *EVALUATIONS]))
    sides = {line.higher_concerns for line in lines_of(policy, evaluation)} or {True}
    assume(len(sides) == 1)
    successes = 58 if sides == {True} else 2
    bare = Measurement(evaluation=evaluation, metric="accuracy", value=successes / 60)
    return a_record("adverse", draw(st.sampled_from([a_count(successes, 60, evaluation), bare])))


@st.composite
def adverse_printed(draw: st.DrawFn, policy: Policy) -> Evidence:
    """Give a figure beyond a line that is printed with it; no line of the policy finds it safe."""
    evaluation = draw(st.sampled_from(["Eval P", "Eval Q", "Eval A"]))
    kind = draw(st.sampled_from(["rule_in", "rule_out", "threshold"]))
    line = PrintedLine(value=0.5, crossed_when=">=", kind=kind)
    return a_record("adverse", a_count(58, 60, evaluation), thresholds=("T1", "T2"), line=line)


@st.composite
def adverse_checks(draw: st.DrawFn, policy: Policy) -> Evidence:
    """Give a failed check, a successful attack, or a refusal to sign."""
    kind = draw(st.sampled_from(["attestation", "red_team", "document"]))
    successes = 58 if need_bound(policy).higher_concerns else 2
    failed = a_check("adverse", draw(st.sampled_from(["S1.1", "S1.2"])), outcome="fail", kind=kind)
    attack = a_check("adverse", "S1.2", outcome=None, kind="red_team", measurement=a_count(successes, 60))
    refusal = a_check("adverse", "go", outcome="fail", kind="document", signed_by=("rso",))
    return draw(st.sampled_from([failed, attack, refusal]))


@st.composite
def adverse(draw: st.DrawFn, policy: Policy) -> Evidence:
    record = draw(adverse_results(policy) | adverse_printed(policy) | adverse_checks(policy))
    subject = Subject(model=draw(st.sampled_from([*NAMES, "*"])), snapshot=draw(st.sampled_from([None, "old"])))
    return record.model_copy(
        update={
            "subject": subject,
            "finished": draw(st.sampled_from([None, "2026-05", "2025-01-01"])),
            "quality": draw(st.sampled_from(["reported", "attested"])),
        }
    )


def readings_of(record: Evidence, made: Assessment) -> list[tuple[IndicatorFinding, Reading]]:
    return [
        (indicator, reading)
        for model in made.models
        for threshold in model.thresholds
        for indicator in threshold.indicators
        for reading in indicator.readings
        if reading.evidence == record.id
    ]


def fails_a_criterion(record: Evidence, policy: Policy) -> bool:
    """Tell whether a check or attack counts against a safeguard, judged as if it were alone."""
    if record.outcome in ("fail", "partial"):
        return True
    if not record.criteria:
        return False
    every = [found for model in assessed(World(policy, (record,))).models for found in model.requirements.values()]
    return any(one.state == "not_met" for found in every for requirement in found for one in requirement.criteria)


def may_be_removed(record: Evidence, world: World, made: Assessment) -> bool:
    """Tell whether a record speaks in no way against safety.

    Where the policy fixes no suite, a printed figure that decides nothing stands in the way of a rule-out.
    A record that was restated and stands all the same may be what keeps another restatement from holding.
    """
    if any(one.supersedes == record.id for one in world.restatements) or fails_a_criterion(record, world.policy):
        return False
    return all(
        reading.supports or (indicator.source == "policy" and not (reading.crosses or reading.shows))
        for indicator, reading in readings_of(record, made)
    )


def carries_nothing_adverse(bound: Bound, made: Assessment) -> bool:
    """Tell whether the bounded model shows nothing that its bounding model would have to be able to do."""
    bounded = next(model for model in made.models if model.model == bound.model)
    concerned = [one for one in bounded.thresholds if not bound.thresholds or one.threshold in bound.thresholds]
    return all(one.finding not in AGAINST for one in concerned)


# --- the laws ------------------------------------------------------------------------------------------


@LAW
@given(worlds(), st.data())
def test_adverse_evidence_about_any_model_opens_no_gate(world: World, data: st.DataObject) -> None:
    worse = world.with_record(data.draw(adverse(world.policy)))
    assert open_gates(assessed(worse)) <= open_gates(assessed(world))


@LAW
@given(worlds().filter(lambda world: world.records), st.data())
def test_removing_a_record_that_does_not_speak_against_safety_opens_no_gate(world: World, data: st.DataObject) -> None:
    made = assessed(world)
    removed = data.draw(st.sampled_from(world.records))
    assume(may_be_removed(removed, world, made))
    assert open_gates(assessed(world.without(removed))) <= open_gates(made)


@LAW
@given(worlds(bounds_at_least=2), st.data())
def test_removing_a_bound_that_carries_nothing_adverse_opens_no_gate(world: World, data: st.DataObject) -> None:
    made = assessed(world)
    place = data.draw(st.integers(0, len(world.bounds) - 1))
    assume(carries_nothing_adverse(world.bounds[place], made))
    fewer = replace(world, bounds=(*world.bounds[:place], *world.bounds[place + 1 :]))
    assert open_gates(assessed(fewer)) <= open_gates(made)


@LAW
@given(worlds().filter(lambda world: world.records), st.data())
def test_a_restatement_that_nobody_approved_opens_no_gate(world: World, data: st.DataObject) -> None:
    old = data.draw(st.sampled_from(world.records[::-1]))
    better = old.model_copy(update={"id": "better", "outcome": old.outcome and "pass"})
    if old.measurement is not None:
        better = better.model_copy(update={"measurement": a_count(0, 200, old.measurement.evaluation)})
    nobody = data.draw(st.sampled_from([(), (" ",)]))
    proposed = Restatement(supersedes=old.id, by=better.id, reason="error", approved_by=nobody)
    before = world.with_record(better)
    after = replace(before, restatements=(*world.restatements, proposed))
    assert open_gates(assessed(after)) <= open_gates(assessed(before))


@LAW
@given(worlds())
def test_what_rules_a_threshold_out_is_ruled_out_itself(world: World) -> None:
    made = assessed(world)
    found = {(model.model, one.threshold): one for model in made.models for one in model.thresholds}
    for (model, threshold), finding in found.items():
        if finding.is_ruled_out and finding.by is not None:
            source = (finding.by, threshold) if finding.by in NAMES else (model, finding.by)
            assert found[source].is_ruled_out


@LAW
@given(worlds(), st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_any_order(world: World, rng: random.Random) -> None:
    def shuffled(listed: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(rng.sample(listed, len(listed)))

    other = World(world.policy, *map(shuffled, (world.records, world.restatements, world.bounds)))
    assert assessed(other, shuffled(MODELS)).digest == assessed(world).digest


# --- shares in either unit -----------------------------------------------------------------------------


def safeguard_state(measured: Measurement, bound: Line, confidence: float | None) -> str:
    need = Need(name="robust", kind="red_team", bound=bound, confidence=confidence)
    standard = a_standard(criteria=(Criterion(id="S1.1", force="must", needs=(need,)),))
    record = a_check(kind="red_team", outcome=None, measurement=measured)
    made = assess(a_policy(standards=(standard,)), a_set(record), MODELS[:1], TODAY)
    return made.models[0].requirements["T1"][0].criteria[0].state


@LAW
@given(
    st.sampled_from([10, 60, 300]).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.sampled_from([0.053, 0.21, 0.517, 0.93]),
    st.sampled_from([">", ">=", "<", "<="]),
    st.sampled_from([None, 0.8, 0.95]),
)
def test_a_bound_in_percent_and_the_same_as_a_fraction_agree(
    count: tuple[int, int], share: float, crossed_when: str, confidence: float | None
) -> None:
    successes, n = count
    assume(abs(successes / n - share) > 1e-9)
    in_fraction, in_percent = a_count(*count), a_count(*count, value=100 * successes / n, unit="percent")
    states = {
        safeguard_state(measured, a_line(value, crossed_when), confidence)
        for measured in (in_fraction, in_percent)
        for value in (share, 100 * share)
    }
    assert len(states) == 1
    crossed = successes / n > share if crossed_when.startswith(">") else successes / n < share
    assert (states == {"not_met"}) == crossed


@pytest.mark.parametrize(
    ("successes", "unit", "bound", "expected"),
    [
        (0, "fraction", a_line(0.05), "met"),
        (0, "percent", a_line(0.05), "met"),
        (0, "fraction", a_line(5), "met"),
        (0, "percent", a_line(5), "met"),
        (3, "fraction", a_line(5), "unknown"),
        (3, "percent", a_line(0.05), "unknown"),
        (6, "fraction", a_line(5), "not_met"),
        (6, "percent", a_line(0.05), "not_met"),
        (100, "percent", a_line(0.95, "<"), "met"),
        (100, "fraction", a_line(95, "<"), "met"),
        (90, "fraction", a_line(95, "<"), "not_met"),
        (0, "minutes", a_line(5), "unknown"),
    ],
)
def test_a_safeguard_bound_in_either_unit(successes: int, unit: str, bound: Line, expected: str) -> None:
    value = successes if unit == "percent" else successes / 100
    assert safeguard_state(a_count(successes, 100, value=value, unit=unit), bound, 0.95) == expected


# --- refusals ------------------------------------------------------------------------------------------


def signed(name: str, day: str | None, *signers: str, **changes: Any) -> Evidence:
    return a_check(name, "go", kind="document", finished=day, signed_by=signers or ("rso",), **changes)


def refused(day: str | None, *signers: str, **changes: Any) -> Evidence:
    return signed("refusal", day, *signers, outcome="fail", **changes)


EARLY, LATE = signed("early", "2026-02-01"), signed("late", "2026-04-01")

REFUSALS = [
    ("nobody has signed", (), 1, False),
    ("one signature is enough", (EARLY,), 1, True),
    ("one of two signatures", (EARLY,), 2, False),
    ("a refusal alone", (refused("2026-03-01"),), 1, False),
    ("a refusal after the signature", (EARLY, refused("2026-03-01")), 1, False),
    ("a signature after the refusal", (refused("2026-03-01"), LATE), 1, True),
    ("signed, refused, signed again", (EARLY, refused("2026-03-01"), LATE), 1, True),
    ("both on one day", (refused("2026-04-01"), LATE), 1, False),
    ("a refusal that nothing dates", (refused(None), LATE), 1, False),
    ("a signature that nothing dates", (refused("2026-03-01"), signed("s", None)), 1, False),
    ("a signature in the month of the refusal", (refused("2026-04"), LATE), 1, False),
    ("a signature in a month, maybe before the refusal", (refused("2026-04-10"), signed("s", "2026-04")), 1, False),
    ("a signature after the month of the refusal", (refused("2026-03"), LATE), 1, True),
    ("the name in capitals", (EARLY, refused("2026-03-01", "RSO")), 1, False),
    ("another signer's refusal", (EARLY, refused("2026-03-01", "ceo")), 1, True),
    ("one refuses, the other signs later", (refused("2026-03-01"), signed("s", "2026-04-01", "ceo")), 1, True),
    ("one of two refuses", (signed("s", "2026-02-01", "rso", "ceo"), refused("2026-03-01")), 2, False),
    ("both refuse", (signed("s", "2026-02-01", "rso", "ceo"), refused("2026-03-01", "rso", "ceo")), 1, False),
    ("both refuse, one signs again", (refused("2026-03-01", "rso", "ceo"), LATE), 1, True),
    ("a refusal for another model", (EARLY, refused("2026-03-01", model="n")), 1, True),
    ("a refusal for every model", (EARLY, refused("2026-03-01", model="*")), 1, False),
    ("a refusal that has expired", (EARLY, refused("2026-03-01", valid_until=TODAY.replace(month=4))), 1, False),
    (
        "a later signature that has expired",
        (refused("2026-03-01"), LATE.model_copy(update={"valid_until": TODAY.replace(month=5)})),
        1,
        False,
    ),
    (
        "a later paper that shows it in part",
        (refused("2026-03-01"), signed("s", "2026-04-01", outcome="partial")),
        1,
        False,
    ),
    ("a refusal that is not yet known", (EARLY, refused("2026-07-01")), 1, True),
]


@pytest.mark.parametrize(
    ("records", "quorum", "expected"), [case[1:] for case in REFUSALS], ids=[c[0] for c in REFUSALS]
)
def test_a_refusal_cancels_its_signer_until_a_later_signature(
    records: tuple[Evidence, ...], quorum: int, expected: bool
) -> None:
    approval = SIGNING.model_copy(update={"quorum": quorum})
    policy = a_policy(approvals=(approval,), roles=ROLES)
    for order in (records, records[::-1]):
        made = assess(policy, a_set(a_record(), *order), MODELS[:1], TODAY)
        assert made.models[0].gate("general").open is expected
        assert made.models[0].gate("limited").open, "the approval concerns one action only"

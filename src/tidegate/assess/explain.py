# SPDX-License-Identifier: Apache-2.0
"""Why a finding is what it is: rules, evidence used and set aside, margins, and what would change it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal

from pydantic import Field

from tidegate.assess.assessment import assess
from tidegate.assess.model import (
    AGREEMENT_WORDS,
    Agreement,
    ConcludedFinding,
    Finding,
    Flag,
    IndicatorFinding,
    Reading,
    RequirementFinding,
    ThresholdFinding,
)
from tidegate.assess.settle import would_settle
from tidegate.assess.whatif import FINDING_WORDS, Case, Change, changes, distance_words, quantity
from tidegate.evidence.model import Evidence, EvidenceSet
from tidegate.evidence.models import Model
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import AssessError, Problem
from tidegate.kernel.record import Record
from tidegate.policy.model import Combination, Indicator, Line, Policy, Threshold

FLAG_WORDS: dict[Flag, str] = {
    "line_disclosed_with_result": "the line was printed together with the result, so nobody can tell which came first",
    "rule_not_locked": "the rule was not locked",
    "rule_locked_after_result": "the rule was locked only after the result",
    "rule_changed_after_result": "the rule was changed after the result",
    "point_comparison": "the rule compares the bare figure and ignores chance",
    "placeholder": "the evaluation stands in for one that is still to be built",
    "line_inside_interval": "the line lies inside the interval, so the figure alone does not decide",
    "contradicted_by_independent": "an independent evaluator found otherwise",
    "superseded_without_approval": "it was restated, and nobody approved that",
    "secondary_reading": "the figure was taken from a third party's reading",
    "snapshot_not_stated": "the source does not say which snapshot was measured",
}
"""Each flag in words."""

Role = Literal["shows", "crosses", "supports", "undecided", "set_aside"]

ROLE_WORDS: dict[Role, str] = {
    "shows": "shows the capability",
    "crosses": "crosses the rule-out line",
    "supports": "supports the rule-out",
    "undecided": "does not decide: its bound is not on the safe side of the line",
    "set_aside": "set aside: it cannot support a rule-out",
}
"""What a record does for the finding, in words."""


class ExplainedRecord(Record):
    """One record as one rule reads it."""

    evidence: str
    """Id of the record."""
    evaluation: str
    """Evaluation."""
    metric: str
    """Metric."""
    role: Role
    """What it does for the finding."""
    is_used: bool
    """False if it is set aside and does not speak against safety either."""
    is_load_bearing: bool
    """True if the finding would be another without it."""
    result: str
    """The figure in words, with its count and aggregation."""
    bound: str
    """Its bound on the concerning side in words, and how it was computed."""
    margin: float | None
    """Distance to the rule-out line in the line's unit; negative beyond it."""
    margin_se: float | None
    """The same in standard errors, where one is known."""
    margin_words: str
    """Both in words."""
    reasons: tuple[str, ...] = ()
    """Why it cannot support a rule-out."""
    flags: tuple[str, ...] = ()
    """What a reader should know, in words."""
    source: str | None = None
    """Where it comes from: title and place, or file."""
    url: str | None = None
    """Where the source can be read."""


class ExplainedIndicator(Record):
    """One indicator: its rule, its falsifier, its lock, and its records."""

    indicator: str
    """Id of the indicator, or of the record that prints the line."""
    evaluation: str
    """Evaluation."""
    finding: Finding
    """State."""
    rule: str
    """The decision rule in words."""
    rule_out: Line
    """The line that must not be crossed."""
    reach: Line | None
    """The line that shows the capability."""
    unit: str
    """Unit of the lines."""
    falsifier: str | None
    """What would prove a rule-out wrong."""
    lock: str
    """Whether the rule was fixed beforehand, in words."""
    conditions: tuple[str, ...] = ()
    """What a record has to bring so that it can support a rule-out."""
    records: tuple[ExplainedRecord, ...] = ()
    """Records, those that bear the finding first."""


class Explanation(Record):
    """Everything about one finding that a reader needs in order to disagree with it."""

    schema_: Literal["tidegate/explanation/v1"] = Field(alias="schema", default="tidegate/explanation/v1")
    """Names this format."""
    policy: str
    """Label of the policy."""
    policy_digest: str
    """Its digest."""
    evidence_digest: str
    """Digest of the evidence set."""
    assessment_digest: str
    """Digest of the assessment of this model that it explains."""
    at: date
    """The day it answers for."""
    model: str
    """Model id."""
    name: str
    """Model name."""
    threshold: str
    """Id of the threshold."""
    title: str
    """Its title."""
    text: str = ""
    """What it says."""
    finding: Finding
    """State, computed from the evidence."""
    finding_words: str
    """The same in words."""
    reasons: tuple[str, ...]
    """Why, in words."""
    by: str | None = None
    """Checkpoint or bounding model that a rule-out rests on."""
    combination: str
    """How the indicators decide together, in words."""
    falsifier: str | None
    """What would prove a rule-out of the threshold wrong."""
    indicators: tuple[ExplainedIndicator, ...] = ()
    """Indicators in the policy's order, printed lines after them."""
    load_bearing: tuple[str, ...] = ()
    """Records without which the finding would be another."""
    unread: tuple[ExplainedRecord, ...] = ()
    """Records that name the threshold but meet no rule."""
    flags: tuple[str, ...] = ()
    """What a reader should know, in words."""
    concluded: ConcludedFinding | None = None
    """What the developer concluded."""
    agreement: Agreement = "no_conclusion"
    """How conclusion and evidence relate."""
    agreement_words: str
    """The same in words."""
    requirements: tuple[RequirementFinding, ...] = ()
    """What the threshold requires, with its state."""
    smallest_change: Change | None = None
    """The smallest change of figures that makes the finding another; none if no such change was found."""
    other_changes: tuple[Change, ...] = ()
    """Further changes, larger ones later."""
    would_settle: tuple[str, ...] = ()
    """What evidence would settle it."""
    signed: tuple[str, ...] = ()
    """Who signed what, by action, and what is missing; nothing where the project keeps no ledger."""

    @property
    def evidence_used(self) -> tuple[ExplainedRecord, ...]:
        """Records that speak for or against a rule-out."""
        return tuple(record for one in self.indicators for record in one.records if record.is_used)

    @property
    def evidence_set_aside(self) -> tuple[ExplainedRecord, ...]:
        """Records that can support nothing, each with its reasons."""
        return tuple(record for one in self.indicators for record in one.records if not record.is_used)


def explain(  # noqa: PLR0913 - what an assessment takes, and of which finding
    policy: Policy,
    evidence: EvidenceSet,
    models: Sequence[Model],
    at: date,
    model_id: str,
    threshold_id: str,
    *,
    snapshots: Mapping[str, str] | None = None,
) -> Explanation:
    """Give everything that a finding rests on, and what would make it another.

    Args:
        policy: the policy.
        evidence: everything recorded.
        models: every model of the project.
        at: the day.
        model_id: the model.
        threshold_id: the threshold, by id or alias.
        snapshots: model id -> snapshot to assess; the newest if none.

    Raises:
        AssessError: ASM001 or ASM002, the model or threshold is not known.
    """
    threshold = _threshold(policy, threshold_id)
    model = _model(models, model_id)
    made = assess(policy, evidence, models, at, only=(model.id,), snapshots=snapshots)
    finding = made.models[0].finding(threshold.id)
    assert finding is not None
    found = changes(Case(policy, evidence, tuple(models), at, model.id, threshold.id, snapshots))
    records = {record.id: record for record in evidence.records}
    return Explanation(
        policy=policy.label,
        policy_digest=policy.digest,
        evidence_digest=made.evidence_digest,
        assessment_digest=made.digest,
        at=at,
        model=model.id,
        name=model.title,
        threshold=threshold.id,
        title=finding.title,
        text=threshold.text,
        finding=finding.finding,
        finding_words=FINDING_WORDS[finding.finding],
        reasons=finding.reasons,
        by=finding.by,
        combination=_combination(threshold.combine, len(finding.indicators)),
        falsifier=threshold.falsifier,
        indicators=tuple(_indicator(policy, threshold, one, finding, records) for one in finding.indicators),
        load_bearing=finding.load_bearing,
        unread=tuple(_unread(records[name]) for name in finding.unread),
        flags=tuple(FLAG_WORDS[flag] for flag in finding.flags),
        concluded=finding.concluded,
        agreement=finding.agreement,
        agreement_words=relation_words(finding),
        requirements=made.models[0].requirements.get(threshold.id, ()),
        smallest_change=found[0] if found else None,
        other_changes=found[1:],
        would_settle=would_settle(threshold, finding, records),
    )


def relation_words(finding: ThresholdFinding) -> str:
    """Give how the developer's conclusion and the computed finding relate, in words."""
    if finding.agreement == "no_conclusion" and finding.concluded is not None:
        return "the conclusion is of another kind, and the two do not compare"
    return AGREEMENT_WORDS[finding.agreement]


def _model(models: Sequence[Model], name: str) -> Model:
    for model in models:
        if model.id == name or name.casefold() in model.names:
            return model
    known = [model.id for model in models]
    raise AssessError(Problem("ASM001", f"there is no model {name!r}", None, did_you_mean(name, known)))


def _threshold(policy: Policy, name: str) -> Threshold:
    found = policy.threshold(name)
    if found is not None:
        return found
    known = [threshold.id for threshold in policy.thresholds]
    hint = did_you_mean(name, known) or f"thresholds: {', '.join(known)}"
    raise AssessError(Problem("ASM002", f"{policy.label} has no threshold {name!r}", None, hint))


# --- rules in words ------------------------------------------------------------------------------------


def _combination(how: Combination, n: int) -> str:
    if n < 2:
        return "one indicator decides" if n else "no indicator speaks"
    out, reach = (_some(one, n) for one in (how.rule_out, how.reach))
    holm = "" if how.reach == "all" else ", after Holm's correction where several are tested"
    return f"ruled out when {out} it out; reached when {reach.replace('rule', 'show')} it{holm}"


def _some(how: str | int, n: int) -> str:
    if how == "all":
        return f"all {n} indicators rule"
    if how == "any":
        return "any one indicator rules"
    return f"at least {how} indicator{'s rule' if how != 1 else ' rules'}"


_SAFE_WORDS = {">=": "below", ">": "at or below", "<=": "above", "<": "at or above"}
_REACH_WORDS = {">=": "at or above", ">": "above", "<=": "at or below", "<": "below"}


def rule_words(one: IndicatorFinding, rule: Indicator | None) -> str:
    """Give a decision rule in words."""
    side = "upper" if one.rule_out.higher_concerns else "lower"
    other = "lower" if one.rule_out.higher_concerns else "upper"
    bound = "the figure" if one.confidence is None else f"the {side} bound (one-sided {one.confidence:.3g})"
    parts = [
        f"ruled out if {bound} is {_SAFE_WORDS[one.rule_out.crossed_when]} {quantity(one.rule_out.value, one.unit)}"
    ]
    if one.reach is not None:
        shown = "the figure" if one.confidence is None else f"even the {other} bound"
        parts.append(
            f"shown if {shown} is {_REACH_WORDS[one.reach.crossed_when]} {quantity(one.reach.value, one.unit)}"
        )
    if rule is not None and rule.rule.margin:
        parts.append(f"a margin of {quantity(rule.rule.margin, one.unit)} is added against safety")
    if rule is not None and rule.rule.error_policy == "as_scored":
        parts.append("samples without a score are left out")
    return "; ".join(parts)


def _lock(policy: Policy, threshold: Threshold, one: IndicatorFinding, rule: Indicator | None) -> str:
    if rule is None:
        return "no rule in the policy: the line was printed with the result"
    locks = [lock for lock in policy.locks if lock.threshold == threshold.id and lock.indicator == one.indicator]
    same = [lock.locked_on for lock in locks if lock.digest == threshold.decision_digest]
    if not locks:
        return "not locked"
    if not same:
        return f"another rule was locked on {max(lock.locked_on for lock in locks)}; this one is not"
    earlier = sum(lock.digest != threshold.decision_digest for lock in locks)
    return f"locked on {min(same)}" + (
        f"; {earlier} other rule{'s' if earlier > 1 else ''} locked before or after" if earlier else ""
    )


def _conditions(rule: Indicator | None) -> tuple[str, ...]:
    if rule is None:
        return ()
    wanted = [
        (rule.elicitation, f"elicited with {', '.join(rule.elicitation).replace('_', ' ')}"),
        (rule.minimum_n, f"n of at least {rule.minimum_n}"),
        (rule.minimum_quality != "reported", f"{rule.minimum_quality} at least"),
        (rule.max_age, f"no older than {rule.max_age}"),
        (rule.max_compute_ratio, f"effective compute grown by no more than {rule.max_compute_ratio} times since"),
        (rule.same_snapshot, "on the assessed snapshot"),
        (rule.answers, f"answers to {', '.join(rule.answers).replace('_', ' ')}"),
        (rule.placeholder, "a placeholder: a better evaluation is still to be built"),
    ]
    return tuple(words for is_asked, words in wanted if is_asked)


# --- indicators and records ----------------------------------------------------------------------------


def _indicator(
    policy: Policy,
    threshold: Threshold,
    one: IndicatorFinding,
    finding: ThresholdFinding,
    records: Mapping[str, Evidence],
) -> ExplainedIndicator:
    rule = next((rule for rule in threshold.indicators if rule.id == one.indicator and one.source == "policy"), None)
    explained = [
        _explained(records[reading.evidence], reading, one, is_load_bearing=reading.evidence in finding.load_bearing)
        for reading in one.readings
    ]
    order: tuple[Role, ...] = ("shows", "crosses", "supports", "undecided", "set_aside")
    return ExplainedIndicator(
        indicator=one.indicator,
        evaluation=one.evaluation,
        finding=one.finding,
        rule=rule_words(one, rule),
        rule_out=one.rule_out,
        reach=one.reach,
        unit=one.unit,
        falsifier=(rule.falsifier if rule is not None else None) or threshold.falsifier,
        lock=_lock(policy, threshold, one, rule),
        conditions=_conditions(rule),
        records=tuple(sorted(explained, key=lambda record: (not record.is_load_bearing, order.index(record.role)))),
    )


def _role(reading: Reading) -> Role:
    if reading.shows:
        return "shows"
    if reading.crosses:
        return "crosses"
    if reading.supports:
        return "supports"
    return "set_aside" if reading.set_aside else "undecided"


def _explained(record: Evidence, reading: Reading, one: IndicatorFinding, *, is_load_bearing: bool) -> ExplainedRecord:
    assert record.measurement is not None
    role = _role(reading)
    return ExplainedRecord(
        evidence=record.id,
        evaluation=record.measurement.evaluation,
        metric=record.measurement.metric,
        role=role,
        is_used=role != "set_aside",
        is_load_bearing=is_load_bearing,
        result=result_words(record),
        bound="none" if reading.bound is None else f"{quantity(reading.bound, one.unit)} ({reading.basis})",
        margin=reading.distance,
        margin_se=reading.distance_se,
        margin_words=_margin(reading, one.unit),
        reasons=reading.detail,
        flags=tuple(FLAG_WORDS[flag] for flag in reading.flags),
        source=source_words(record),
        url=record.provenance.url,
    )


def _unread(record: Evidence) -> ExplainedRecord:
    assert record.measurement is not None
    return ExplainedRecord(
        evidence=record.id,
        evaluation=record.measurement.evaluation,
        metric=record.measurement.metric,
        role="set_aside",
        is_used=False,
        is_load_bearing=False,
        result=result_words(record),
        bound="none",
        margin=None,
        margin_se=None,
        margin_words="no line",
        reasons=("neither the policy nor the record gives a line with a number and a direction",),
        source=source_words(record),
        url=record.provenance.url,
    )


def result_words(record: Evidence) -> str:
    """Give the figure of a record in words, with its count, its interval and its aggregation."""
    found = record.measurement
    assert found is not None
    parts = ["no figure" if found.value is None else quantity(found.value, found.unit)]
    if found.successes is not None and found.n is not None:
        parts.append(f"{found.successes:g} of {found.n}")
    elif found.n is not None:
        parts.append(f"n = {found.n}")
    interval = found.interval
    if interval is not None and interval.low is not None and interval.high is not None:
        level = f"{interval.level:.0%} " if interval.level is not None else ""
        kind = interval.kind.replace("_", " ")
        parts.append(f"{quantity(interval.low, '')} to {quantity(interval.high, found.unit)} ({level}{kind})")
    if found.aggregation:
        parts.append(found.aggregation)
    return ", ".join(parts)


def _margin(reading: Reading, unit: str) -> str:
    if reading.distance is None:
        return "cannot be given"
    side = "beyond the line" if reading.crosses else "to the line"
    words = f"{distance_words(abs(reading.distance), unit)} {side}"
    if reading.distance_se is None:
        return f"{words}; no standard error is known"
    return f"{words}, {abs(reading.distance_se):.2g} standard errors"


def source_words(record: Evidence) -> str | None:
    """Give where a record comes from, in words; none if nothing says."""
    made = record.provenance
    parts = [part for part in (made.title or made.file, made.location) if part]
    return ", ".join(parts) or None

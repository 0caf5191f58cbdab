# SPDX-License-Identifier: Apache-2.0
"""Capability findings: what the evidence says about each threshold.

Three-valued and cautious: a threshold is ruled out, or speaks against safety, or is not known;
what is not known never becomes safer by being combined.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from tidegate.assess.model import AlertFinding, Finding, Flag, IndicatorFinding, Reading, ThresholdFinding
from tidegate.assess.readings import Asked, read
from tidegate.assess.statistics import holm
from tidegate.evidence.model import CAPABILITY_KINDS, Bound, Evidence, EvidenceSet, Restatement
from tidegate.evidence.models import Model, Snapshot
from tidegate.kernel.duration import last_day
from tidegate.kernel.errors import AssessError, EvidenceError, Problem
from tidegate.policy.model import Alert, Combination, Indicator, Line, Policy, Rule, Threshold

REACH_LINES: frozenset[str] = frozenset({"rule_in", "pre_registered_rule_in", "cb1_signal", "acceleration", "rule-in"})
"""Kinds of printed lines beyond which the capability counts as shown; all other kinds are rule-out lines."""


@dataclass(frozen=True)
class Known:
    """The evidence that was known on a day, indexed for reading."""

    at: date
    by_evaluation: Mapping[tuple[str, str], Sequence[Evidence]]
    """(model id, folded evaluation name) -> records."""
    by_threshold: Mapping[tuple[str, str], Sequence[Evidence]]
    """(model id, folded threshold reference) -> records that name it."""
    by_criterion: Mapping[tuple[str, str], Sequence[Evidence]]
    """(model id or ``*``, folded criterion reference) -> safeguard evidence."""
    superseded: Mapping[str, bool] = field(default_factory=dict)
    """Records whose restatement nobody approved, or that nothing replaces: they stay, yet support nothing."""


def known_evidence(evidence: EvidenceSet, models: Sequence[Model], at: date) -> Known:
    """Index what was known on a day; what was restated with approval is left out.

    Raises:
        AssessError: ASM001, one name means two models.
        EvidenceError: EVI005, one id stands for two records.
    """
    names = _names(models)
    _refuse_two_contents(evidence)
    left, unapproved = _restated(evidence, at, names)
    by_evaluation: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    by_threshold: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    by_criterion: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for record in sorted(evidence.records, key=lambda one: one.id):
        if record.id in left or (record.known_on is not None and record.known_on > at):
            continue
        model_id = _about(record, names)
        if record.measurement is not None and record.kind in CAPABILITY_KINDS:
            by_evaluation[model_id, record.measurement.evaluation.casefold()].append(record)
            for reference in record.thresholds:
                by_threshold[model_id, reference.casefold()].append(record)
        for criterion in record.criteria:
            by_criterion[model_id, criterion.casefold()].append(record)
    return Known(at, by_evaluation, by_threshold, by_criterion, unapproved)


def _names(models: Sequence[Model]) -> dict[str, str]:
    names: dict[str, str] = {}
    for model in sorted(models, key=lambda one: one.id):
        for name in sorted(model.names):
            if names.setdefault(name, model.id) != model.id:
                message = f"{name!r} names both {names[name]} and {model.id}"
                raise AssessError(Problem("ASM001", message, None, "give each model its own names"))
    return names


def _about(record: Evidence, names: Mapping[str, str]) -> str:
    """Give the id of the model that a record is about; what is said of every model stays with ``*``."""
    subject = record.subject.model
    return subject if subject == "*" else names.get(subject.casefold(), subject)


def _refuse_two_contents(evidence: EvidenceSet) -> None:
    seen: dict[str, Evidence] = {}
    for record in evidence.records:
        if seen.setdefault(record.id, record) != record:
            message = f"the evidence id {record.id!r} stands for two different records"
            raise EvidenceError(Problem("EVI005", message, None, "give one of them another id"))


def _restated(evidence: EvidenceSet, at: date, names: Mapping[str, str]) -> tuple[set[str], dict[str, bool]]:
    present = {record.id: record for record in evidence.records if record.known_on is None or record.known_on <= at}
    made = [one for one in evidence.restatements if one.on is None or last_day(one.on) <= at]
    valid = [one for one in made if _is_valid(one, present, names)]
    following: dict[str, list[str]] = defaultdict(list)
    # A circle stays one where a record in it is missing: taking evidence away must not make a restatement count.
    for one in made:
        following[one.supersedes] += [one.by] if one.by is not None and _is_approved(one) else []
    left = {one.supersedes for one in valid if one.by is None or not leads_to(following, one.by, one.supersedes)}
    return left, {one.supersedes: False for one in made if one.supersedes not in left}


def _is_approved(restatement: Restatement) -> bool:
    return any(name.strip() for name in restatement.approved_by)


def _is_valid(restatement: Restatement, present: Mapping[str, Evidence], names: Mapping[str, str]) -> bool:
    """True if somebody approved it, and what counts instead is known and about the same thing."""
    if not _is_approved(restatement):
        return False
    if restatement.by is None:
        return True
    old, new = present.get(restatement.supersedes), present.get(restatement.by)
    if old is None or new is None or _about(old, names) != _about(new, names):
        return False
    if not {one.casefold() for one in old.criteria} <= {one.casefold() for one in new.criteria}:
        return False
    if old.measurement is None:
        return True
    return new.measurement is not None and (
        old.measurement.evaluation.casefold() == new.measurement.evaluation.casefold()
    )


def leads_to(following: Mapping[str, Iterable[str]], start: str, target: str) -> bool:
    """Tell whether `target` is `start` or follows from it, at any remove."""
    pending, seen = [start], set[str]()
    while pending:
        current = pending.pop()
        if current == target:
            return True
        if current not in seen:
            seen.add(current)
            pending += following.get(current, ())
    return False


@dataclass(frozen=True)
class Subject:
    """Which model, on which snapshot, under which policy."""

    policy: Policy
    model: Model
    snapshot: Snapshot | None
    known: Known


def own_findings(subject: Subject) -> dict[str, ThresholdFinding]:
    """Give a finding for every threshold of the policy, from the model's own evidence alone."""
    return {threshold.id: _own_finding(subject, threshold) for threshold in subject.policy.thresholds}


# --- one indicator -----------------------------------------------------------------------------------


def indicator_finding(records: Iterable[Evidence], asked: Asked) -> IndicatorFinding:
    """Give what the records say about one indicator."""
    listed = list(records)
    readings = [read(record, asked) for record in listed]
    rule = asked.indicator.rule
    p_values = [reading.p_reach for reading in readings if reading.p_reach is not None]
    finding = _indicator_state(readings)
    readings = _contradictions(listed, readings) if finding == "not_ruled_out" else readings
    return IndicatorFinding(
        indicator=asked.indicator.id,
        evaluation=asked.indicator.evaluation,
        metric=asked.indicator.metric,
        rule_out=rule.rule_out,
        reach=rule.reach,
        confidence=rule.confidence,
        unit=asked.unit,
        source="printed" if asked.printed else "policy",
        rule_digest=asked.indicator.rule_digest,
        line_version=next((one.line.version for one in listed if asked.printed and one.line), None),
        finding=finding,
        readings=tuple(readings),
        p_reach=min(p_values, default=None),
    )


def _indicator_state(readings: Sequence[Reading]) -> Finding:
    if any(reading.shows for reading in readings):
        return "reached"
    if any(reading.crosses for reading in readings):
        return "not_ruled_out"
    if any(reading.supports for reading in readings):
        return "ruled_out"
    return "inconclusive" if readings else "not_assessed"


def _contradictions(records: Sequence[Evidence], readings: Sequence[Reading]) -> list[Reading]:
    """Flag records that would have ruled out, had an independent evaluator not found otherwise."""
    against = any(
        record.evaluator.relation == "independent" and reading.crosses
        for record, reading in zip(records, readings, strict=True)
    )
    if not against:
        return list(readings)
    flag: tuple[Flag, ...] = ("contradicted_by_independent",)
    return [
        reading if reading.crosses else reading.model_copy(update={"flags": (*reading.flags, *flag)})
        for reading in readings
    ]


# --- one threshold -----------------------------------------------------------------------------------


def _own_finding(subject: Subject, threshold: Threshold) -> ThresholdFinding:
    findings: list[IndicatorFinding] = []
    used: set[str] = set()
    for indicator in threshold.indicators:
        asked = _asked(subject, threshold, indicator)
        records = _records_for(subject, indicator)
        used |= {record.id for record in records}
        findings.append(indicator_finding(records, asked))
    tied = _tied(subject, threshold)
    if threshold.printed_lines:
        for record in tied:
            printed = None if record.id in used else printed_indicator(record, threshold)
            if printed is not None:
                found = indicator_finding((record,), _asked(subject, threshold, printed, printed=True))
                if found.finding == "ruled_out" and found.reach is not None:
                    # Below a line that rules a capability in, it is not thereby ruled out: the figure decides nothing.
                    continue
                used.add(record.id)
                findings.append(found)
    finding = _threshold_state(findings, threshold)
    unread = tuple(record.id for record in tied if record.id not in used)
    if finding == "not_assessed" and unread:
        finding = "inconclusive"
    alerts = tuple(_alert(alert, findings) for alert in threshold.alerts)
    return ThresholdFinding(
        threshold=threshold.id,
        title=threshold.title or threshold.id,
        kind=threshold.kind,
        domain=threshold.domain,
        finding=finding,
        reasons=(*_reasons(findings, finding, threshold), *_unread_reason(unread), *_alert_reasons(alerts)),
        alerts=alerts,
        indicators=tuple(findings),
        load_bearing=_load_bearing(findings, finding, threshold),
        unread=unread,
        flags=tuple(dict.fromkeys(flag for one in findings for reading in one.readings for flag in reading.flags)),
    )


def _asked(subject: Subject, threshold: Threshold, indicator: Indicator, *, printed: bool = False) -> Asked:
    return Asked(
        indicator=indicator,
        policy=subject.policy,
        threshold=threshold.id,
        has_falsifier=bool(indicator.falsifier or threshold.falsifier),
        model=subject.model,
        snapshot=subject.snapshot,
        at=subject.known.at,
        unit=indicator.unit or "fraction",
        decision_digest=threshold.decision_digest,
        printed=printed,
        superseded=subject.known.superseded,
    )


def _records_for(subject: Subject, indicator: Indicator) -> list[Evidence]:
    found: dict[str, Evidence] = {}
    for name in indicator.names:
        for record in subject.known.by_evaluation.get((subject.model.id, name.casefold()), ()):
            if _is_same_measurement(record, indicator):
                found.setdefault(record.id, record)
    return list(found.values())


def _is_same_measurement(record: Evidence, indicator: Indicator) -> bool:
    measured = record.measurement
    return (
        measured is not None
        and (indicator.metric is None or indicator.metric.casefold() == measured.metric.casefold())
        and (
            indicator.aggregation is None or indicator.aggregation.casefold() == (measured.aggregation or "").casefold()
        )
    )


def _tied(subject: Subject, threshold: Threshold) -> list[Evidence]:
    found: dict[str, Evidence] = {}
    for reference in subject.policy.names_of(threshold):
        for record in subject.known.by_threshold.get((subject.model.id, reference.casefold()), ()):
            found.setdefault(record.id, record)
    return list(found.values())


def printed_indicator(record: Evidence, threshold: Threshold) -> Indicator | None:
    """Give the rule that a record prints next to its figure, if it prints one with a number and a direction."""
    line, measured = record.line, record.measurement
    if line is None or line.value is None or line.crossed_when is None or measured is None:
        return None
    drawn = Line(value=line.value, crossed_when=line.crossed_when)
    return Indicator(
        id=record.id[:80].replace("@", "+").replace("/", "-").replace(":", "-"),
        title=f"{measured.evaluation}: {measured.metric}",
        evaluation=measured.evaluation,
        metric=measured.metric,
        unit=line.unit or measured.unit,
        aggregation=measured.aggregation,
        rule=Rule(rule_out=drawn, reach=drawn if line.kind in REACH_LINES else None),
        falsifier=threshold.falsifier,
    )


def combine(findings: Sequence[IndicatorFinding], how: Combination) -> Finding:
    """Give the state of a threshold from the states of its indicators.

    Reached: enough indicators show the capability; where any of several may trip, their p-values pass Holm's
    correction first (Holm 1979). Ruled out: enough indicators rule it out, and where all must, none is missing
    (no correction: intersection-union test, Berger 1982).
    """
    if not findings:
        return "not_assessed"
    needed = _needed(how.reach, len(findings))
    if _shown(findings, how) >= needed:
        return "reached"
    if sum(one.finding == "reached" for one in findings) >= needed:
        # Too weak for so many tests, yet no ground for a rule-out.
        return "not_ruled_out"
    out = sum(one.finding == "ruled_out" for one in findings)
    adverse = any(one.finding in ("reached", "not_ruled_out") for one in findings)
    if out >= _needed(how.rule_out, len(findings)) and (not adverse or how.outvotes_crossed):
        return "ruled_out"
    if adverse:
        return "not_ruled_out"
    if all(one.finding == "not_assessed" for one in findings):
        return "not_assessed"
    return "inconclusive"


def _threshold_state(findings: Sequence[IndicatorFinding], threshold: Threshold) -> Finding:
    """Combine, and refuse a rule-out that rests on too few printed evaluations."""
    state = combine(findings, threshold.combine)
    if state != "ruled_out" or not _too_few_printed(findings, threshold):
        return state
    adverse = any(one.finding in ("reached", "not_ruled_out") for one in findings)
    return "not_ruled_out" if adverse else "inconclusive"


def _too_few_printed(findings: Sequence[IndicatorFinding], threshold: Threshold) -> bool:
    """Count the evaluations that rule out; figures of one evaluation do not outvote each other."""
    if threshold.indicators or not threshold.printed_lines:
        return False
    against = {one.evaluation.casefold() for one in findings if one.finding != "ruled_out"}
    ruling = {one.evaluation.casefold() for one in findings} - against
    needed = _needed(threshold.combine.rule_out, 1)
    return len(ruling) < max(threshold.printed_minimum, needed)


def _needed(how: str | int, n: int) -> int:
    if isinstance(how, int):
        return how
    return n if how == "all" else 1


def _shown(findings: Sequence[IndicatorFinding], how: Combination) -> int:
    showing = [one for one in findings if one.finding == "reached"]
    if how.reach == "all" or len(showing) == 0:
        return len(showing)
    tested = [
        one for one in findings if one.reach is not None and one.p_reach is not None and one.confidence is not None
    ]
    bare = [one for one in showing if one not in tested]
    if len(tested) < 2:
        return len(showing)
    adjusted = holm([one.p_reach or 0.0 for one in tested])
    kept = sum(
        one.finding == "reached" and float(p) <= 1 - (one.confidence or 0.95) + 1e-12
        for one, p in zip(tested, adjusted, strict=True)
    )
    return len(bare) + kept


def _reasons(findings: Sequence[IndicatorFinding], finding: Finding, threshold: Threshold) -> Iterator[str]:
    if not findings:
        if threshold.kind == "watch":
            yield "watched only: the policy sets no line"
        elif threshold.printed_lines:
            yield "no figure with a printed line is recorded"
        else:
            yield "the policy names no indicator" if not threshold.indicators else "no evidence is recorded"
        return
    counts = {state: [one for one in findings if one.finding == state] for state in _STATE_WORDS}
    for state, words in _STATE_WORDS.items():
        if counts[state]:
            names = ", ".join(dict.fromkeys(one.evaluation for one in counts[state]))
            yield f"{len(counts[state])} of {len(findings)} indicators {words}: {names}"
    if finding == "inconclusive" and _too_few_printed(findings, threshold):
        yield f"fewer than {threshold.printed_minimum} different evaluations print a line, and the policy fixes no suite"
    if finding == "not_ruled_out" and not (counts["not_ruled_out"] or counts["reached"]):
        yield "the indicators that rule it out are too few"


def _alert(alert: Alert, findings: Sequence[IndicatorFinding]) -> AlertFinding:
    if alert.line is None or alert.indicator is None:
        return AlertFinding(indicator=alert.indicator, state="not_printed", action=alert.action)
    readings = [reading for one in findings if one.indicator == alert.indicator for reading in one.readings]
    values = {reading.evidence: reading.value for reading in readings if reading.value is not None}
    crossing = tuple(name for name, value in values.items() if alert.line.is_crossed_by(value))
    state: Literal["crossed", "not_crossed", "no_evidence"] = (
        "crossed" if crossing else "not_crossed" if values else "no_evidence"
    )
    return AlertFinding(indicator=alert.indicator, state=state, action=alert.action, evidence=crossing)


def _alert_reasons(alerts: Sequence[AlertFinding]) -> Iterator[str]:
    for alert in alerts:
        if alert.state == "crossed":
            yield f"the alert line of {alert.indicator} is crossed ({', '.join(alert.evidence)}): {alert.action}"


def _unread_reason(unread: Sequence[str]) -> Iterator[str]:
    if unread:
        yield f"{len(unread)} figures name the threshold and meet no line, in the policy or printed"


_STATE_WORDS: dict[Finding, str] = {
    "reached": "show the capability",
    "not_ruled_out": "cross their rule-out line",
    "ruled_out": "rule it out",
    "inconclusive": "do not decide",
    "not_assessed": "have no evidence",
}


def _load_bearing(findings: Sequence[IndicatorFinding], finding: Finding, threshold: Threshold) -> tuple[str, ...]:
    """Give the records whose removal alone would change the finding."""
    bearing: list[str] = []
    for number, one in enumerate(findings):
        for reading in one.readings:
            if not (reading.supports or reading.crosses or reading.shows):
                continue
            rest = tuple(other for other in one.readings if other is not reading)
            state = _indicator_state(rest)
            if state == one.finding:
                continue
            changed = [
                *findings[:number],
                one.model_copy(update={"readings": rest, "finding": state}),
                *findings[number + 1 :],
            ]
            if one.source == "printed" and not rest:
                changed.pop(number)
            if _threshold_state(changed, threshold) != finding:
                bearing.append(reading.evidence)
    return tuple(bearing)


# --- bounding models ------------------------------------------------------------------


def applicable_bounds(model: Model, evidence: EvidenceSet, at: date) -> list[Bound]:
    """Give the bounds of a model that were stated by a day."""
    listed = [bound for bound in (*model.bounded_by, *evidence.bounds) if bound.model.casefold() in model.names]
    return [bound for bound in listed if bound.on is None or last_day(bound.on) <= at]

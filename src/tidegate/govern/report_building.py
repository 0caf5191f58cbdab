# SPDX-License-Identifier: Apache-2.0
"""Reports, made from policy, models and evidence: every finding with all that it rests on, and what is missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tidegate.assess import Assessment
from tidegate.assess.capability import Known, known_evidence
from tidegate.assess.explain import ExplainedIndicator, Explanation, explain
from tidegate.assess.gate import BASELINE
from tidegate.assess.governed import Governed
from tidegate.assess.model import (
    CriterionFinding,
    IndicatorFinding,
    ModelAssessment,
    RequirementFinding,
    ThresholdFinding,
)
from tidegate.assess.safeguards import bounded
from tidegate.evidence.model import Evidence
from tidegate.govern.basis import Basis, findings_digest
from tidegate.govern.report_text import Citable, Kind, ReportText, cited
from tidegate.govern.reports import (
    Gap,
    Report,
    ReportedCheck,
    ReportedCriterion,
    ReportedIndicator,
    ReportedNeed,
    ReportedRequirement,
    ReportedThreshold,
)
from tidegate.kernel.duration import add
from tidegate.policy.model import Criterion, ElicitationElement, Need, Policy, Requirement, Threshold


@dataclass(frozen=True)
class Asked:
    """Which report is wanted."""

    kind: Kind
    model: str
    at: date
    snapshot: str | None = None
    author: str | None = None


@dataclass(frozen=True)
class _Making:
    """What the parts of a report are made from."""

    basis: Basis
    asked: Asked
    assessment: Assessment
    known: Known
    by_id: Mapping[str, Evidence]

    @property
    def policy(self) -> Policy:
        return self.basis.policy

    @property
    def model(self) -> ModelAssessment:
        return self.assessment.models[0]

    def own_records(self) -> Iterator[Evidence]:
        """Give what is known about the model, or said of every model, as the day knows it."""
        for index in (self.known.by_evaluation, self.known.by_criterion):
            for (model, _), records in index.items():
                if model in (self.asked.model, "*"):
                    yield from records


def make_report(basis: Basis, asked: Asked, text: ReportText | None = None) -> Report:
    """Give the report of a kind about a model, as a day knows it; the same input gives the same bytes.

    Args:
        basis: policy, models and evidence; what cannot bear on the model is left out.
        asked: which report.
        text: what people say; nothing, if none.

    Raises:
        AssessError: ASM001, the model or snapshot is not known.
    """
    about = basis.about(asked.model)
    made = about.assessed(asked.model, asked.snapshot, asked.at, Governed())
    known = known_evidence(about.evidence, about.models, asked.at)
    making = _Making(about, asked, made, known, {one.id: one for one in about.evidence.records})
    said = text or ReportText(kind=asked.kind, model=asked.model)
    parts = _capability(making) if asked.kind == "capability" else _safeguards(making)
    shown = [*parts.shown, *cited(said)]
    return Report(
        kind=asked.kind,
        model=asked.model,
        name=making.model.name,
        snapshot=making.model.snapshot,
        at=asked.at,
        author=asked.author,
        policy=made.policy,
        policy_title=basis.policy.title,
        policy_digest=made.policy_digest,
        evidence_digest=made.evidence_digest,
        models_digest=made.models_digest,
        assessment_digest=made.digest,
        findings_digest=findings_digest(made),
        thresholds=parts.thresholds,
        requirements=parts.requirements,
        criteria=parts.criteria,
        gaps=parts.gaps,
        records=tuple(making.by_id[name] for name in sorted(set(shown)) if name in making.by_id),
        text=said,
    )


@dataclass(frozen=True)
class _Parts:
    thresholds: tuple[ReportedThreshold, ...] = ()
    requirements: tuple[ReportedRequirement, ...] = ()
    criteria: tuple[ReportedCriterion, ...] = ()
    gaps: tuple[Gap, ...] = ()
    shown: tuple[str, ...] = ()


# --- capability --------------------------------------------------------------------------------------


def _capability(making: _Making) -> _Parts:
    thresholds = tuple(_threshold(making, one) for one in making.policy.thresholds)
    shown = [record.id for record in making.own_records() if record.measurement is not None and not record.criteria]
    for one in thresholds:
        shown += [reading.evidence for indicator in one.indicators for reading in indicator.readings]
        shown += [*one.load_bearing, *(record.evidence for record in one.unread)]
    gaps = tuple(gap for one in thresholds for gap in _threshold_gaps(one, making))
    return _Parts(thresholds=thresholds, gaps=gaps, shown=tuple(shown))


def _threshold(making: _Making, threshold: Threshold) -> ReportedThreshold:
    about, asked = making.basis, making.asked
    snapshots = {asked.model: asked.snapshot} if asked.snapshot else None
    explained = explain(
        about.policy, about.evidence, about.models, asked.at, asked.model, threshold.id, snapshots=snapshots
    )
    finding = making.model.finding(threshold.id)
    assert finding is not None
    models = {one.id: one for one in making.policy.threat_models}
    changes = [one.words for one in (explained.smallest_change, *explained.other_changes) if one is not None]
    return ReportedThreshold(
        **_policy_part(threshold),
        threat_models=tuple(models[name] for name in threshold.threat_models if name in models),
        **_finding_part(finding, explained),
        indicators=tuple(
            _indicator(threshold, one, words)
            for one, words in zip(finding.indicators, explained.indicators, strict=True)
        ),
        changes=tuple(changes),
        would_settle=explained.would_settle,
    )


def _policy_part(threshold: Threshold) -> dict[str, object]:
    names = ("text", "kind", "domain", "severity", "actor", "baseline", "falsifier")
    return {
        "threshold": threshold.id,
        "title": threshold.title or threshold.id,
        **{name: getattr(threshold, name) for name in names},
    }


def _finding_part(finding: ThresholdFinding, explained: Explanation) -> dict[str, object]:
    names = ("finding", "reasons", "by", "load_bearing", "alerts", "concluded")
    return {
        **{name: getattr(finding, name) for name in names},
        "combination": explained.combination,
        "unread": explained.unread,
        "flags": explained.flags,
        "agreement": explained.agreement_words if finding.concluded is not None else "",
    }


def _indicator(threshold: Threshold, found: IndicatorFinding, words: ExplainedIndicator) -> ReportedIndicator:
    rule = next((one for one in threshold.indicators if one.id == found.indicator and found.source == "policy"), None)
    return ReportedIndicator(
        explained=words,
        margin=rule.rule.margin if rule is not None else 0.0,
        elicitation=rule.elicitation if rule is not None else (),
        answers=rule.answers if rule is not None else (),
        readings=found.readings,
    )


def elicited_with(record: Evidence) -> tuple[ElicitationElement, ...]:
    """Give the elicitation that went into a record, what its variant of the model brings included."""
    used = set(record.elicitation.elements)
    if record.subject.variant == "helpful_only":
        used.add("helpful_only")
    if record.subject.variant == "fine_tuned":
        used.add("fine_tuning")
    return tuple(sorted(used - set(record.elicitation.absent)))


def _threshold_gaps(one: ReportedThreshold, making: _Making) -> Iterator[Gap]:
    name = one.threshold
    domains = {model.domain for model in making.policy.threat_models}
    if not one.threat_models and one.domain in domains and one.kind != "watch":
        yield Gap(kind="unmapped", about=name, words="no threat model is mapped to it")
    for model in one.threat_models:
        if not model.completeness:
            words = f"the threat model {model.id} does not say why no substantial one is left out"
            yield Gap(kind="completeness", about=name, words=words)
    if not one.indicators and one.finding == "not_assessed":
        yield Gap(kind="no_evidence", about=name, words=one.reasons[0] if one.reasons else "no evidence is recorded")
    for indicator in one.indicators:
        yield from _indicator_gaps(name, indicator, making)
    for record in one.unread:
        words = f"{record.evaluation}, {record.metric}: {record.reasons[0]}"
        yield Gap(kind="unread", about=name, words=words, evidence=record.evidence)


def _indicator_gaps(name: str, indicator: ReportedIndicator, making: _Making) -> Iterator[Gap]:
    explained = indicator.explained
    if not indicator.readings:
        yield Gap(kind="no_evidence", about=name, words=f"{explained.evaluation}: no result is recorded")
    for reading in indicator.readings:
        record = making.by_id[reading.evidence]
        gap = _elicitation_gap(name, indicator, record)
        if gap is not None:
            yield gap
        for answer in record.threats:
            if answer.status != "ruled_out":
                words = f"{explained.evaluation}: {answer.threat.replace('_', ' ')} is {answer.status}: {answer.reason}"
                yield Gap(kind="threat", about=name, words=words, evidence=record.id)
        yield from _remark_gaps(name, record)
        if reading.set_aside and not (reading.crosses or reading.shows):
            words = f"{explained.evaluation} is set aside: {'; '.join(reading.detail)}"
            yield Gap(kind="set_aside", about=name, words=words, evidence=record.id)


def _remark_gaps(name: str, record: Evidence) -> Iterator[Gap]:
    for remark in record.remarks:
        if remark.blocks_rule_out:
            yield Gap(kind="remark", about=name, words=f"{remark.code}: {remark.message}", evidence=record.id)


def _elicitation_gap(name: str, indicator: ReportedIndicator, record: Evidence) -> Gap | None:
    missing = [one for one in indicator.elicitation if one not in elicited_with(record)]
    evaluation = indicator.explained.evaluation
    if missing:
        words = f"{evaluation}: required and missing: {', '.join(missing).replace('_', ' ')}"
    elif record.elicitation.basis == "unstated" and not elicited_with(record):
        words = f"{evaluation}: nothing says how it was elicited"
    else:
        return None
    return Gap(kind="elicitation", about=name, words=words, evidence=record.id)


# --- safeguards --------------------------------------------------------------------------------------


def _safeguards(making: _Making) -> _Parts:
    policy, model = making.policy, making.model
    listed: list[tuple[str | None, Sequence[Requirement]]] = [(None, policy.baseline)]
    listed += [(one.id, one.requirements) for one in policy.thresholds]
    requirements = tuple(
        _requirement(making, threshold, stated, found)
        for threshold, all_stated in listed
        for stated, found in zip(all_stated, model.requirements.get(threshold or BASELINE, ()), strict=True)
    )
    found = dict.fromkeys(
        one for every in model.requirements.values() for requirement in every for one in requirement.criteria
    )
    criteria = tuple(_criterion(making, one) for one in found)
    shown = [check.evidence for one in requirements for check in one.checks]
    shown += [check.evidence for one in criteria for need in one.needs for check in need.checks]
    shown += [one.id for one in making.own_records() if one.kind in ("red_team", "efficacy")]
    thresholds = tuple(_in_short(making, one) for one in policy.thresholds)
    gaps = tuple(dict.fromkeys(_safeguard_gaps(making, requirements, criteria)))
    return _Parts(thresholds, requirements, criteria, gaps, tuple(shown))


def _in_short(making: _Making, threshold: Threshold) -> ReportedThreshold:
    finding = making.model.finding(threshold.id)
    assert finding is not None
    return ReportedThreshold(
        threshold=threshold.id,
        title=finding.title,
        kind=threshold.kind,
        domain=threshold.domain,
        finding=finding.finding,
        reasons=finding.reasons,
        by=finding.by,
        combination="see the capability report",
    )


def _requirement(
    making: _Making, threshold: str | None, stated: Requirement, found: RequirementFinding
) -> ReportedRequirement:
    finding = making.model.finding(threshold) if threshold is not None else None
    names = [name for name in (stated.id, stated.target, stated.security_level) if name is not None]
    return ReportedRequirement(
        threshold=threshold,
        finding=finding.finding if finding is not None else None,
        requirement=stated.id,
        kind=stated.kind,
        target=found.target,
        text=stated.text,
        actions=stated.actions,
        binds=stated.binds,
        state=found.state,
        reason=found.reason,
        criteria=tuple(one.criterion for one in found.criteria),
        checks=tuple(_check(None, record, stated.max_age) for record in _naming(making, names)),
    )


def _naming(making: _Making, names: Sequence[str]) -> Iterator[Evidence]:
    """Give the records that speak to something by one of its names, as the assessment finds them."""
    policy, found = making.policy, dict[str, Evidence]()
    for name in names:
        for reference in (name, f"{policy.id}#{name}", f"{policy.label}#{name}"):
            for model in (making.asked.model, "*"):
                for record in making.known.by_criterion.get((model, reference.casefold()), ()):
                    found.setdefault(record.id, record)
    yield from found.values()


def _criterion(making: _Making, found: CriterionFinding) -> ReportedCriterion:
    stated = _stated_criterion(making.policy, found.criterion)
    needs = {one.name: one for one in stated.effective_needs}
    return ReportedCriterion(
        criterion=found.criterion,
        title=found.title,
        text=stated.text,
        binds=stated.binds,
        state=found.state,
        needs=tuple(
            ReportedNeed(
                need=one.need,
                kind=needs[one.need].kind,
                metric=needs[one.need].metric,
                line=needs[one.need].bound,
                confidence=needs[one.need].confidence if needs[one.need].bound is not None else None,
                state=one.state,
                reason=one.reason,
                checks=tuple(
                    _check(needs[one.need], making.by_id[name], needs[one.need].max_age) for name in one.evidence
                ),
            )
            for one in found.needs
        ),
    )


def _stated_criterion(policy: Policy, name: str) -> Criterion:
    every = (one for standard in policy.standards for one in standard.criteria)
    return next(one for one in (*every, *policy.safeguards) if one.id == name)


def _check(need: Need | None, record: Evidence, max_age: str | None) -> ReportedCheck:
    figure = bounded(need, record) if need is not None else None
    return ReportedCheck(
        evidence=record.id, bound=figure.concerning if figure is not None else None, expires=expires_on(record, max_age)
    )


def expires_on(record: Evidence, max_age: str | None) -> date | None:
    """Give the last day on which a record holds, where each may be none: its own validity, an event, the age allowed.

    >>> from tidegate.evidence.model import Provenance, Subject
    >>> check = {"outcome": "pass", "subject": Subject(model="m"), "provenance": Provenance(format="x")}
    >>> expires_on(Evidence(id="c", finished="2026-01-31", **check), "P1M")
    datetime.date(2026, 2, 28)
    """
    ends = [record.valid_until, record.ended_by_event]
    if max_age is not None and record.earliest_day is not None:
        ends.append(add(record.earliest_day, max_age))
    return min((one for one in ends if one is not None), default=None)


def _safeguard_gaps(
    making: _Making, requirements: Sequence[ReportedRequirement], criteria: Sequence[ReportedCriterion]
) -> Iterator[Gap]:
    for one in requirements:
        if one.state != "met" and one.is_due and not one.criteria:
            yield Gap(kind="requirement", about=one.requirement, words=one.reason)
    due = {name for one in requirements if one.is_due for name in one.criteria}
    checked = [(one.requirement, one.checks) for one in requirements]
    checked += [(one.criterion, need.checks) for one in criteria for need in one.needs]
    for name, checks in checked:
        for check in checks:
            yield from _remark_gaps(name, making.by_id[check.evidence])
    for criterion in criteria:
        if criterion.state == "met" or criterion.criterion not in due:
            continue
        reasons = [need.reason for need in criterion.needs if need.state != "met"] or ["a part of it is not met"]
        for reason in reasons:
            yield Gap(kind="criterion", about=criterion.criterion, words=reason)


# --- what the words may cite -------------------------------------------------------------------------


def citable(report: Report, basis: Basis) -> Citable:
    """Give what the words of a report may cite: the evidence about its model, with every figure that it holds."""
    known = basis.about(report.model)
    figures = {one.id: set(_figures(one)) for one in known.evidence.records}
    readings = (reading for one in report.thresholds for found in one.indicators for reading in found.readings)
    for reading in readings:
        more = (reading.value, reading.bound, reading.lower_bound, reading.distance, reading.distance_se)
        figures[reading.evidence] |= {one for one in more if one is not None}
    checks = [check for one in report.criteria for need in one.needs for check in need.checks]
    for check in checks:
        figures[check.evidence] |= {check.bound} if check.bound is not None else set()
    names = {name for model in basis.models for name in (model.title, *model.names)}
    names |= {one.measurement.evaluation for one in known.evidence.records if one.measurement is not None}
    names |= {report.policy, report.policy_title}
    elsewhere = {one.id for one in basis.evidence.records} - set(figures)
    return Citable(figures, elsewhere, names)


def _figures(record: Evidence) -> Iterator[float]:
    found, line = record.measurement, record.line
    if line is not None and line.value is not None:
        yield line.value
    if found is None:
        return
    numbers = [found.value, found.worst_case, found.header_value, found.baseline, found.standard_error]
    if found.interval is not None:
        numbers += [found.interval.low, found.interval.high, found.interval.level]
    if found.successes is not None and found.n:
        numbers += [found.successes / found.n, found.successes]
    yield from (one for one in numbers if one is not None)

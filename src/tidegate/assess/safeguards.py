# SPDX-License-Identifier: Apache-2.0
"""Safeguard findings: whether what a threshold requires is shown to be in place.

Each criterion is met, not met, unknown or expired. Only ``met`` opens anything.
A failed check or a crossed bound counts against, however old; a later check of the same control that passes
answers an earlier failure, because controls get repaired. Red-team results are not answered by later ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tidegate.assess.bounds import Question, bounds
from tidegate.assess.capability import Known
from tidegate.assess.model import CriterionFinding, NeedFinding, RequirementFinding, State
from tidegate.evidence.model import Conclusion, Evidence
from tidegate.evidence.models import Model
from tidegate.kernel.duration import Duration, add
from tidegate.policy.model import QUALITY_ORDER, Approval, Criterion, Need, Policy, Requirement

REPEATABLE = frozenset({"control_check", "attestation", "document", "audit"})
"""Kinds of evidence of which the newest answers the older ones."""


@dataclass(frozen=True)
class Setting:
    """For whom safeguards are judged."""

    policy: Policy
    model: Model
    known: Known
    conclusions: Sequence[Conclusion] = ()

    @property
    def at(self) -> date:
        """The day it answers for."""
        return self.known.at


def requirement_finding(requirement: Requirement, setting: Setting) -> RequirementFinding:
    """Give whether a requirement is shown to be met."""
    state, reason, criteria = _requirement_state(requirement, setting)
    return RequirementFinding(
        requirement=requirement.id,
        kind=requirement.kind,
        target=requirement.target or requirement.security_level,
        actions=requirement.actions,
        binds=requirement.binds,
        state=state,
        reason=reason,
        criteria=criteria,
    )


_Judged = tuple[State, str, tuple[CriterionFinding, ...]]


def _requirement_state(requirement: Requirement, setting: Setting) -> _Judged:
    match requirement.kind:
        case "halt":
            return "not_met", "the policy halts this action until the threshold is ruled out", ()
        case "not_yet_specified":
            return "not_met", "the policy has not specified what would meet it", ()
        case "standard" | "safeguard":
            return _standard_state(requirement, setting)
        case "affirmative_case" | "report" | "notice":
            need = Need(name=requirement.id, kind="document", max_age=requirement.max_age)
            found = _need_finding(need, _evidence_for((requirement.id,), setting), setting.at)
            return found.state, found.reason, ()


def _standard_state(requirement: Requirement, setting: Setting) -> _Judged:
    policy = setting.policy
    standards = [requirement.target] if requirement.target else []
    level = next((one for one in policy.security_levels if one.id == requirement.security_level), None)
    if level is not None and level.standard is not None:
        standards.append(level.standard)
    listed = [one for name in standards for one in policy.criteria_of(name)]
    listed += [one for one in policy.safeguards if one.id == requirement.target]
    criteria: list[Criterion] = list({one.id: one for one in listed}.values())
    if not criteria:
        need = Need(name=requirement.id, kind="attestation")
        names = [name for name in (requirement.id, requirement.target, requirement.security_level) if name]
        found = _need_finding(need, _evidence_for(names, setting), setting.at)
        return found.state, f"no criteria are listed; {found.reason}", ()
    findings = criteria_findings(criteria, setting)
    binding = {one.id for one in criteria if one.binds}
    open_ones = [one for one in findings if one.criterion in binding and one.state != "met"]
    if not open_ones:
        return "met", f"all {len(binding)} criteria are met", tuple(findings)
    state = _worst(one.state for one in open_ones)
    counts = ", ".join(
        f"{sum(one.state == name for one in open_ones)} {words}"
        for name, words in (("not_met", "not met"), ("expired", "expired"), ("unknown", "without evidence"))
        if any(one.state == name for one in open_ones)
    )
    return state, f"of {len(binding)} criteria {counts}", tuple(findings)


def criteria_findings(criteria: Sequence[Criterion], setting: Setting) -> list[CriterionFinding]:
    """Give the state of each criterion; one with parts and no needs of its own is met when its parts are."""
    children: dict[str, list[Criterion]] = {}
    for criterion in criteria:
        if criterion.parent is not None:
            children.setdefault(criterion.parent, []).append(criterion)
    found: dict[str, CriterionFinding] = {}

    def judge(criterion: Criterion) -> CriterionFinding:
        if criterion.id not in found:
            parts = [judge(child) for child in children.get(criterion.id, ()) if child.binds]
            found[criterion.id] = _criterion_finding(criterion, parts, setting)
        return found[criterion.id]

    return [judge(criterion) for criterion in criteria]


def _criterion_finding(criterion: Criterion, parts: Sequence[CriterionFinding], setting: Setting) -> CriterionFinding:
    needs: list[NeedFinding] = []
    if criterion.needs or not parts:
        records = _evidence_for((criterion.id,), setting)
        wanted = criterion.effective_needs
        needs = [_need_finding(need, _for_need(need, records, alone=len(wanted) == 1), setting.at) for need in wanted]
    states = [need.state for need in needs] + [part.state for part in parts]
    return CriterionFinding(
        criterion=criterion.id, title=criterion.title or criterion.id, state=_worst(states), needs=tuple(needs)
    )


def _worst(states: Iterable[State]) -> State:
    listed = list(states)
    order: tuple[State, ...] = ("not_met", "expired", "unknown", "met")
    return next(state for state in order if state in listed)


def _evidence_for(names: Iterable[str], setting: Setting) -> list[Evidence]:
    policy = setting.policy
    found: dict[str, Evidence] = {}
    for name in names:
        for reference in (name, f"{policy.id}#{name}", f"{policy.label}#{name}"):
            for model_id in (setting.model.id, "*"):
                for record in setting.known.by_criterion.get((model_id, reference), ()):
                    found.setdefault(record.id, record)
    return list(found.values())


def _for_need(need: Need, records: Sequence[Evidence], *, alone: bool) -> list[Evidence]:
    return [
        record
        for record in records
        if record.need == need.name or (record.need is None and (alone or record.kind == need.kind))
    ]


def _need_finding(need: Need, records: Sequence[Evidence], at: date) -> NeedFinding:
    judged = [(record, *_record_state(need, record, at)) for record in records]
    judged = _answered(judged)
    names = tuple(record.id for record, _, _ in judged)
    for state in ("not_met", "met", "expired"):
        for _, found, reason in judged:
            if found == state:
                return NeedFinding(need=need.name, state=found, evidence=names, reason=reason)
    reason = judged[0][2] if judged else f"no {need.kind.replace('_', ' ')} evidence is recorded"
    return NeedFinding(need=need.name, state="unknown", evidence=names, reason=reason)


_JudgedRecord = tuple[Evidence, State, str]


def _answered(judged: list[_JudgedRecord]) -> list[_JudgedRecord]:
    """Drop failures of repeatable checks that a later, dated pass of at least the same quality answers."""

    def is_answered(record: Evidence) -> bool:
        return record.kind in REPEATABLE and any(
            state == "met"
            and other.kind == record.kind
            and other.result_day is not None
            and record.result_day is not None
            and other.result_day > record.result_day
            and QUALITY_ORDER[other.quality] >= QUALITY_ORDER[record.quality]
            for other, state, _ in judged
        )

    return [one for one in judged if not (one[1] == "not_met" and is_answered(one[0]))]


def _record_state(need: Need, record: Evidence, at: date) -> tuple[State, str]:
    failed = _failure(need, record)
    if failed is not None:
        return "not_met", f"{record.id}: {failed}"
    if record.outcome == "partial":
        return "not_met", f"{record.id}: only partly in place"
    if QUALITY_ORDER[record.quality] < QUALITY_ORDER[need.minimum_quality]:
        return "unknown", f"{record.id} is {record.quality}; {need.minimum_quality} is asked for"
    if any(remark.blocks_rule_out for remark in record.remarks):
        return "unknown", f"{record.id}: {next(remark.message for remark in record.remarks if remark.blocks_rule_out)}"
    expired = _expiry(need.max_age, record, at)
    if expired is not None:
        return "expired", f"{record.id}: {expired}"
    shown = _shown(need, record)
    return ("met", f"{record.id}: shown") if shown is None else ("unknown", f"{record.id}: {shown}")


def _failure(need: Need, record: Evidence) -> str | None:
    if record.outcome == "fail":
        return "failed"
    found = _bounded(need, record)
    if need.bound is not None and found is not None and need.bound.is_crossed_by(found[0]):
        return f"{found[0]:g} crosses the bound {need.bound.crossed_when} {need.bound.value:g}"
    return None


def _shown(need: Need, record: Evidence) -> str | None:
    """Give why a record does not show the need, or none if it does."""
    if need.bound is None:
        return None if record.outcome == "pass" else "states no outcome, and the need has no bound"
    found = _bounded(need, record)
    if found is None:
        return "gives no figure that compares with the bound"
    decisive = found[0] if need.confidence is None else found[1]
    if decisive is None:
        return "gives no interval, so the bound is not shown to hold"
    if need.bound.is_crossed_by(decisive):
        return f"is on the safe side, but its confidence bound {decisive:.3g} is not"
    return None


def _bounded(need: Need, record: Evidence) -> tuple[float, float | None] | None:
    measured = record.measurement
    if measured is None or need.bound is None:
        return None
    if need.metric is not None and need.metric.casefold() != measured.metric.casefold():
        return None
    unit = "fraction" if measured.unit in ("fraction", "percent", "%") and need.bound.value <= 1 else measured.unit
    asked = Question(unit, need.confidence or 0.95, need.bound.higher_concerns, worst_case=True)
    found = bounds(measured, record.counts, asked)
    return None if found is None else (found.value, found.concerning)


def _expiry(max_age: Duration | None, record: Evidence, at: date) -> str | None:
    if record.valid_until is not None and record.valid_until < at:
        return f"valid until {record.valid_until.isoformat()}"
    if record.ended_by_event is not None and record.ended_by_event <= at:
        return f"ended by {record.valid_until_event or 'an event'} on {record.ended_by_event.isoformat()}"
    if max_age is None:
        return None
    if record.result_day is None:
        return f"nothing dates it; the policy allows {max_age}"
    return (
        f"of {record.result_day.isoformat()}; the policy allows {max_age}"
        if add(record.result_day, max_age) < at
        else None
    )


# --- approvals ---------------------------------------------------------------------------------------


def missing_signers(
    approval: Approval, setting: Setting, threshold_statements: Mapping[str, Sequence[str]]
) -> str | None:
    """Give what is missing for an approval, in words, or none if enough roles have signed.

    Args:
        approval: what the policy asks for.
        setting: for whom.
        threshold_statements: signers stated with recorded conclusions, by conclusion.
    """
    signed = {
        name.casefold()
        for record in _evidence_for((approval.id,), setting)
        for name in _valid_signers(record, setting.at)
    }
    signed |= {name.casefold() for names in threshold_statements.values() for name in names}
    roles = {role.id: {role.id.casefold(), role.title.casefold()} for role in setting.policy.roles}
    present = [signer for signer in approval.signers if roles.get(signer, {signer.casefold()}) & signed]
    needed = approval.quorum or len(approval.signers)
    if len(present) >= needed:
        return None
    missing = [signer for signer in approval.signers if signer not in present]
    return f"{len(present)} of {needed} signatures recorded; missing {', '.join(missing)}"


def _valid_signers(record: Evidence, at: date) -> tuple[str, ...]:
    if record.outcome == "fail" or _expiry(None, record, at) is not None:
        return ()
    return record.signed_by

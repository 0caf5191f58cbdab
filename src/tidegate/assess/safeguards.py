# SPDX-License-Identifier: Apache-2.0
"""Safeguard findings: whether what a threshold requires is shown to be in place.

Each criterion is met, not met, unknown or expired. Only ``met`` opens anything.
A failed check or a crossed bound counts against, however old; a later check of the same control that passes
answers an earlier failure, because controls get repaired. Red-team results are not answered by later ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tidegate.assess.bounds import Question, bounds, in_unit
from tidegate.assess.capability import Known
from tidegate.assess.model import CriterionFinding, NeedFinding, RequirementFinding, State
from tidegate.evidence.model import Conclusion, Evidence
from tidegate.evidence.models import Model, Snapshot
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
    snapshot: Snapshot | None = None

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
            found = _need_finding(need, _evidence_for((requirement.id,), setting), setting)
            return found.state, found.reason, ()


def _standard_state(requirement: Requirement, setting: Setting) -> _Judged:
    parts = _parts(requirement, setting.policy)
    criteria = list({one.id: one for _, listed in parts for one in listed}.values())
    findings = criteria_findings(criteria, setting)
    bare = [
        _attested((requirement.id, name) if name else (requirement.id,), setting)
        for name, listed in parts
        if not any(one.binds for one in listed)
    ]
    if bare and not any(one.binds for one in criteria):
        state = _worst(one.state for one in bare)
        reason = next(one.reason for one in bare if one.state == state)
        return state, f"no binding criteria are listed; {reason}", tuple(findings)
    binding = {one.id for one in criteria if one.binds}
    open_ones = [one for one in findings if one.criterion in binding and one.state != "met"]
    missing = [one for one in bare if one.state != "met"]
    if not open_ones and not missing:
        words = "the criterion is met" if len(binding) == 1 else f"all {len(binding)} criteria are met"
        return "met", words, tuple(findings)
    state = _worst([one.state for one in open_ones] + [one.state for one in missing])
    if not open_ones:
        return state, f"{missing[0].need}: {missing[0].reason}", tuple(findings)
    counts = ", ".join(
        f"{sum(one.state == name for one in open_ones)} {words}"
        for name, words in (("not_met", "not met"), ("expired", "expired"), ("unknown", "without evidence"))
        if any(one.state == name for one in open_ones)
    )
    words = (
        f"of {len(binding)} criteria {counts}" if len(binding) > 1 else f"its criterion is {counts.split(' ', 1)[1]}"
    )
    return state, words, tuple(findings)


def _parts(requirement: Requirement, policy: Policy) -> list[tuple[str | None, Sequence[Criterion]]]:
    """Give each thing that the requirement names, with the criteria that it lists."""
    parts: list[tuple[str | None, Sequence[Criterion]]] = []
    if requirement.target is not None:
        own = [one for one in policy.safeguards if one.id == requirement.target]
        parts.append((requirement.target, [*policy.criteria_of(requirement.target), *own]))
    if requirement.security_level is not None:
        level = next((one for one in policy.security_levels if one.id == requirement.security_level), None)
        listed = policy.criteria_of(level.standard) if level is not None and level.standard is not None else ()
        parts.append((requirement.security_level, listed))
    return parts or [(None, ())]


def _attested(names: Sequence[str], setting: Setting) -> NeedFinding:
    """Judge something without criteria of its own: it takes an attestation that names it."""
    need = Need(name=names[-1], kind="attestation")
    return _need_finding(need, _evidence_for(names, setting), setting)


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
        needs = [_need_finding(need, _for_need(need, records, wanted), setting) for need in wanted]
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
                for record in setting.known.by_criterion.get((model_id, reference.casefold()), ()):
                    found.setdefault(record.id, record)
    return list(found.values())


def _for_need(need: Need, records: Sequence[Evidence], wanted: Sequence[Need]) -> list[Evidence]:
    """Give the records that speak to a need; a failure that fits none of the needs counts against each."""
    names, kinds = {one.name for one in wanted}, {one.kind for one in wanted}

    def speaks(record: Evidence) -> bool:
        if record.need is None and (len(wanted) == 1 or record.kind in kinds):
            return len(wanted) == 1 or record.kind == need.kind
        if record.need in names:
            return record.need == need.name
        return record.outcome in ("fail", "partial")

    return [record for record in records if speaks(record)]


def _need_finding(need: Need, records: Sequence[Evidence], setting: Setting) -> NeedFinding:
    judged = [(record, *_record_state(need, record, setting)) for record in records]
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
            and other.earliest_day is not None
            and record.result_day is not None
            and other.earliest_day > record.result_day
            and QUALITY_ORDER[other.quality] >= QUALITY_ORDER[record.quality]
            for other, state, _ in judged
        )

    return [one for one in judged if not (one[1] == "not_met" and is_answered(one[0]))]


def _record_state(need: Need, record: Evidence, setting: Setting) -> tuple[State, str]:
    failed = _failure(need, record)
    if failed is not None:
        return "not_met", f"{record.id}: {failed}"
    if record.outcome == "partial":
        return "not_met", f"{record.id}: only partly in place"
    elsewhere = _elsewhere(record, setting)
    if elsewhere is not None:
        return "unknown", f"{record.id}: {elsewhere}"
    if need.kind not in ("attestation", record.kind):
        return "unknown", f"{record.id} is of kind {record.kind}; {need.kind} is asked for"
    if QUALITY_ORDER[record.quality] < QUALITY_ORDER[need.minimum_quality]:
        return "unknown", f"{record.id} is {record.quality}; {need.minimum_quality} is asked for"
    if any(remark.blocks_rule_out for remark in record.remarks):
        return "unknown", f"{record.id}: {next(remark.message for remark in record.remarks if remark.blocks_rule_out)}"
    expired = _expiry(need.max_age, record, setting.at)
    if expired is not None:
        return "expired", f"{record.id}: {expired}"
    shown = _shown(need, record)
    return ("met", f"{record.id}: shown") if shown is None else ("unknown", f"{record.id}: {shown}")


def _elsewhere(record: Evidence, setting: Setting) -> str | None:
    """Give why a record does not speak for the assessed snapshot as it is, or none if it does."""
    if record.id in setting.known.superseded:
        return "restated or taken back"
    measured_on, assessed = record.subject.snapshot, setting.snapshot
    if measured_on is None or assessed is None or measured_on in (assessed.id, *assessed.equivalent_to):
        return None
    return f"about {measured_on}; {assessed.id} is assessed"


def _failure(need: Need, record: Evidence) -> str | None:
    if record.outcome == "fail":
        return "failed"
    found = bounded(need, record)
    if need.bound is not None and found is not None and need.bound.is_crossed_by(found.seen):
        return f"{found.seen:g} crosses the bound {need.bound.crossed_when} {need.bound.value:g}"
    return None


def _shown(need: Need, record: Evidence) -> str | None:
    """Give why a record does not show the need, or none if it does."""
    if need.bound is None:
        return None if record.outcome == "pass" else "states no outcome, and the need has no bound"
    found = bounded(need, record)
    if found is None:
        return "gives no figure that compares with the bound"
    decisive = found.worst if need.confidence is None else found.concerning
    if decisive is None:
        return "gives no interval or no worst case, so the bound is not shown to hold"
    if need.bound.is_crossed_by(decisive):
        return f"is on the safe side, but its confidence bound {decisive:.3g} is not"
    return None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in the unit of a need's bound."""

    seen: float
    worst: float | None
    concerning: float | None


def bounded(need: Need, record: Evidence) -> Figure | None:
    """Give the figure of a record as a need reads it; none if the need draws no bound that it compares with."""
    measured = record.measurement
    if measured is None or need.bound is None:
        return None
    if need.metric is not None and need.metric.casefold() != measured.metric.casefold():
        return None
    share = "fraction" if need.bound.value <= 1 else "percent"
    unit = measured.unit if in_unit(1.0, measured.unit, share) is None else share
    asked = Question(unit, need.confidence or 0.95, need.bound.higher_concerns, worst_case=True)
    found = bounds(measured, record.counts, asked)
    if found is None:
        return None
    return Figure(found.value if found.seen is None else found.seen, found.worst, found.concerning)


def _expiry(max_age: Duration | None, record: Evidence, at: date) -> str | None:
    if record.valid_until is not None and record.valid_until < at:
        return f"valid until {record.valid_until.isoformat()}"
    if record.ended_by_event is not None and record.ended_by_event <= at:
        return f"ended by {record.valid_until_event or 'an event'} on {record.ended_by_event.isoformat()}"
    if record.earliest_day is not None and record.earliest_day > at:
        return f"dated {record.earliest_day.isoformat()}, after the day asked about"
    if max_age is None:
        return None
    if record.result_day is None or record.earliest_day is None:
        return f"nothing dates it; the policy allows {max_age}"
    return (
        f"of {record.earliest_day.isoformat()}; the policy allows {max_age}"
        if add(record.earliest_day, max_age) < at
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
    records = _evidence_for((approval.id,), setting)
    signed = _signed(records, setting)
    signed |= {_signer(name, setting.policy) for names in threshold_statements.values() for name in names}
    signed -= _refusing(records, setting) | {""}
    if not approval.signers:
        return None if signed else "the policy names no signer, and nobody has signed"
    signers = tuple(dict.fromkeys(approval.signers))
    present = [signer for signer in signers if signer.casefold() in signed]
    needed = approval.quorum or len(signers)
    if len(present) >= needed:
        return None
    missing = [signer for signer in signers if signer not in present]
    return f"{len(present)} of {needed} signatures recorded; missing {', '.join(missing)}"


def refused_since(approval: Approval, setting: Setting, signed_on: Mapping[str, date]) -> str | None:
    """Give who is recorded as refusing an approval and has not signed on a later day, or none.

    Args:
        approval: what the policy asks for.
        setting: for whom.
        signed_on: role -> day of its verified signature.
    """
    signed = {role.casefold(): day for role, day in signed_on.items()}
    for record in _evidence_for((approval.id,), setting):
        if record.outcome not in ("fail", "partial"):
            continue
        for name in record.signed_by or ("somebody",):
            day = signed.get(_signer(name, setting.policy))
            if day is None or record.result_day is None or day <= record.result_day:
                return f"{record.id}: refused by {name}"
    return None


def _signer(name: str, policy: Policy) -> str:
    """Give the role that signs by this name: by its id, or by its title where no other role goes by that word."""
    named = _roles_named(name, policy)
    return next(iter(named)) if len(named) == 1 else name.strip().casefold()


def _roles_named(name: str, policy: Policy) -> set[str]:
    word = name.strip().casefold()
    if not word:
        return set()
    return {role.id.casefold() for role in policy.roles if word in (role.id.casefold(), role.title.casefold())}


def _signed(records: Sequence[Evidence], setting: Setting) -> set[str]:
    return {_signer(name, setting.policy) for one in records for name in _valid_signers(one, setting)}


def _valid_signers(record: Evidence, setting: Setting) -> tuple[str, ...]:
    if record.outcome in ("fail", "partial") or _elsewhere(record, setting) is not None:
        return ()
    return () if _expiry(None, record, setting.at) is not None else record.signed_by


def _refusing(records: Sequence[Evidence], setting: Setting) -> set[str]:
    """Give who refused to sign, and has not signed on a later day."""
    refused: set[str] = set()
    for record in records:
        if record.outcome == "fail":
            later = [
                one
                for one in records
                if one.earliest_day is not None
                and record.result_day is not None
                and one.earliest_day > record.result_day
            ]
            named = {
                word
                for name in record.signed_by
                for word in _roles_named(name, setting.policy) | {_signer(name, setting.policy)}
            }
            refused |= named - _signed(later, setting)
    return refused

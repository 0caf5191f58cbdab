# SPDX-License-Identifier: Apache-2.0
"""`assess(policy, evidence, models, at) -> Assessment`: pure, deterministic, recomputable by anybody."""

from collections.abc import Mapping, Sequence
from datetime import date

from tidegate.assess.bounding import Relation, related
from tidegate.assess.capability import Subject, applicable_bounds, known_evidence, own_findings
from tidegate.assess.conclusions import conclusions_about, with_conclusion
from tidegate.assess.gate import BASELINE, Approved, Granted, gates
from tidegate.assess.governed import Governed, Relief, Signoff, Target
from tidegate.assess.model import Assessment, ModelAssessment, RequirementFinding, ThresholdFinding
from tidegate.assess.safeguards import Setting, missing_signers, refused_since, requirement_finding
from tidegate.evidence.model import EvidenceSet
from tidegate.evidence.models import Model, Snapshot
from tidegate.kernel.canonical import digest
from tidegate.kernel.duration import first_day, last_day
from tidegate.kernel.errors import AssessError, Problem
from tidegate.policy.model import ACTIONS, Action, Approval, Policy

STATED_WITH_CONCLUSIONS = frozenset({"capability_report", "deployment_decision"})
"""Acts for which the signers that a published conclusion names count; other acts need a record of their own."""


def assess(  # noqa: PLR0913 - two of them say which models, and one what people decided
    policy: Policy,
    evidence: EvidenceSet,
    models: Sequence[Model],
    at: date,
    *,
    only: Sequence[str] | None = None,
    snapshots: Mapping[str, str] | None = None,
    governed: Governed | None = None,
) -> Assessment:
    """Give findings and gates for models under a policy, from what was known on a day.

    Raises:
        AssessError: ASM001, a model or snapshot asked for is not known, or one name means two models.
        EvidenceError: EVI005, one id stands for two records.

    Args:
        policy: the policy.
        evidence: everything recorded; what became known after `at` is not used.
        models: every model of the project; bounding models among them.
        at: the day.
        only: ids of the models to report on; all if none.
        snapshots: model id -> snapshot to assess; the newest if none.
        governed: what people decided, by verified signatures. With it, nothing else approves anything; without it,
            approvals are read from attestations and from published conclusions.
    """
    _refuse_unknown(models, only, snapshots or {})
    known = known_evidence(evidence, models, at)
    stated = [one for one in evidence.conclusions if one.decided_on is None or last_day(one.decided_on) <= at]
    conclusions = sorted(stated, key=digest)
    policy = policy.as_of(at)
    chosen_snapshots = {model.id: _snapshot(model, (snapshots or {}).get(model.id), at) for model in models}
    own = {model.id: own_findings(Subject(policy, model, chosen_snapshots[model.id], known)) for model in models}
    checkpoints = {one.id: one.rules_out for one in policy.thresholds if one.rules_out}
    findings = related(own, _relations(policy, evidence, models, at), checkpoints)
    chosen = sorted((model for model in models if only is None or model.id in only), key=lambda one: one.id)
    return Assessment(
        policy=policy.label,
        policy_digest=policy.digest,
        evidence_digest=evidence.digest,
        models_digest=digest(sorted(digest(model) for model in models)),
        at=at,
        models=tuple(
            _assessed(
                Setting(policy, model, known, conclusions, chosen_snapshots[model.id]),
                tuple(findings[model.id].values()),
                governed,
            )
            for model in chosen
        ),
        governed_digest=governed.digest if governed is not None else None,
    )


def _refuse_unknown(models: Sequence[Model], only: Sequence[str] | None, snapshots: Mapping[str, str]) -> None:
    by_id = {model.id: model for model in models}
    unknown = [f"there is no model {name!r}" for name in only or () if name not in by_id]
    unknown += [
        f"{name} has no snapshot {snapshot!r}"
        for name, snapshot in snapshots.items()
        if name in by_id and by_id[name].snapshot(snapshot) is None
    ]
    if unknown:
        raise AssessError(*(Problem("ASM001", message) for message in unknown))


def _snapshot(model: Model, name: str | None, at: date) -> Snapshot | None:
    """Give the snapshot asked for, or the newest that existed on the day."""
    if name is not None:
        return model.snapshot(name)
    existing = [one for one in model.snapshots if one.created is None or first_day(one.created) <= at]
    return existing[-1] if existing else None


def _relations(policy: Policy, evidence: EvidenceSet, models: Sequence[Model], at: date) -> list[Relation]:
    names = {name: model.id for model in models for name in model.names}
    found: list[Relation] = []
    for model in models:
        for bound in applicable_bounds(model, evidence, at):
            by = names.get(bound.by.casefold())
            named = frozenset(one.id for name in bound.thresholds if (one := policy.threshold(name)) is not None)
            # A bound for thresholds of another policy says nothing here.
            if by is not None and by != model.id and (named or not bound.thresholds):
                found.append(Relation(model.id, by, named))
    return found


def _assessed(setting: Setting, findings: Sequence[ThresholdFinding], governed: Governed | None) -> ModelAssessment:
    policy, model = setting.policy, setting.model
    requirements: dict[str, tuple[RequirementFinding, ...]] = {}
    if policy.baseline:
        requirements[BASELINE] = tuple(requirement_finding(one, setting) for one in policy.baseline)
    stated: dict[str, tuple[str, ...]] = {}
    final: list[ThresholdFinding] = []
    for threshold, finding in zip(policy.thresholds, findings, strict=True):
        about = conclusions_about(policy, threshold, model, setting.conclusions)
        stated |= {f"{threshold.id}/{number}": one.signed_by for number, one in enumerate(about)}
        requirements[threshold.id] = tuple(requirement_finding(one, setting) for one in threshold.requirements)
        final.append(_mitigated(with_conclusion(finding, about), requirements[threshold.id]))
    return ModelAssessment(
        model=model.id,
        name=model.title,
        snapshot=setting.snapshot.id if setting.snapshot else None,
        thresholds=tuple(final),
        requirements={name: found for name, found in requirements.items() if found},
        gates=gates(final, requirements, _granted(setting, stated, governed)),
    )


def _mitigated(finding: ThresholdFinding, requirements: Sequence[RequirementFinding]) -> ThresholdFinding:
    """A reached threshold whose binding requirements are all met is reached and mitigated."""
    binding = [one for one in requirements if one.binds]
    if finding.finding == "reached" and binding and all(one.state == "met" for one in binding):
        return finding.model_copy(update={"finding": "reached_and_mitigated"})
    return finding


def _granted(setting: Setting, stated: Mapping[str, Sequence[str]], governed: Governed | None) -> Granted:
    not_in_effect = setting.policy.not_in_effect(setting.at)
    closing = [] if not_in_effect is None else [not_in_effect]
    if governed is None:
        return Granted(approvals=_stated_approvals(setting, stated), closing=closing)
    target = Target(model=setting.model.id, snapshot=setting.snapshot.id if setting.snapshot else None, at=setting.at)
    return Granted(
        approvals={action: _signed_approvals(action, setting, governed, target) for action in ACTIONS},
        reliefs=_reliefs(setting.policy, governed, target),
        closing=[*closing, *governed.doubts],
    )


def _asked(policy: Policy, action: Action) -> list[Approval]:
    return [one for one in policy.approvals if one.binds and action in one.before]


def _stated_approvals(setting: Setting, stated: Mapping[str, Sequence[str]]) -> dict[Action, list[Approved]]:
    """Read approvals from attestations, and for some acts from published conclusions."""
    return {
        action: [
            Approved(one.id, missing_signers(one, setting, stated if one.act in STATED_WITH_CONCLUSIONS else {}))
            for one in _asked(setting.policy, action)
        ]
        for action in ACTIONS
    }


def _signed_approvals(action: Action, setting: Setting, governed: Governed, target: Target) -> list[Approved]:
    found: list[Approved] = []
    for approval in _asked(setting.policy, action):
        signoff, missing = governed.missing(approval, action, target)
        if signoff is not None:
            # An attestation that somebody refuses speaks against, whatever was signed before it.
            missing = refused_since(approval, setting, {one.role: one.on for one in signoff.signers})
        found.append(Approved(approval.id, missing, _signers(signoff)))
    return found


def _signers(signoff: Signoff | None) -> str:
    if signoff is None:
        return ""
    names = ", ".join(f"{one.person} ({one.role}, {one.on.isoformat()})" for one in signoff.signers)
    return f" by {names} in {signoff.decision}"


def _reliefs(policy: Policy, governed: Governed, target: Target) -> dict[tuple[str, Action], Relief]:
    listed = [*policy.baseline, *(one for threshold in policy.thresholds for one in threshold.requirements)]
    return {
        (one.id, action): relief
        for one in listed
        for action in one.actions
        if (relief := governed.relief(one, action, target)) is not None
    }

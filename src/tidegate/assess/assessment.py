# SPDX-License-Identifier: Apache-2.0
"""`assess(policy, evidence, models, at) -> Assessment`: pure, deterministic, recomputable by anybody."""

from collections.abc import Mapping, Sequence
from datetime import date

from tidegate.assess.capability import Known, Subject, applicable_bounds, capability_findings, known_evidence, leads_to
from tidegate.assess.conclusions import conclusions_about, with_conclusion
from tidegate.assess.gate import BASELINE, gates
from tidegate.assess.model import Assessment, ModelAssessment, RequirementFinding, ThresholdFinding
from tidegate.assess.safeguards import Setting, missing_signers, requirement_finding
from tidegate.evidence.model import Bound, Conclusion, EvidenceSet
from tidegate.evidence.models import Model
from tidegate.kernel.canonical import digest
from tidegate.kernel.duration import last_day
from tidegate.kernel.errors import AssessError, Problem
from tidegate.policy.model import ACTIONS, Action, Policy


def assess(
    policy: Policy,
    evidence: EvidenceSet,
    models: Sequence[Model],
    at: date,
    *,
    only: Sequence[str] | None = None,
    snapshots: Mapping[str, str] | None = None,
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
    """
    _refuse_unknown(models, only, snapshots or {})
    known = known_evidence(evidence, models, at)
    stated = [one for one in evidence.conclusions if one.decided_on is None or last_day(one.decided_on) <= at]
    conclusions = sorted(stated, key=digest)
    by_id = {model.id: model for model in models}
    findings: dict[str, list[ThresholdFinding]] = {}

    above = _bounding_models(models, evidence, at)

    def find(model: Model) -> list[ThresholdFinding]:
        if model.id not in findings:
            found = {name: {one.threshold: one for one in find(by_id[name])} for name in above[model.id]}
            scoped = _scoped(applicable_bounds(model, evidence, at), policy, found, by_id)
            subject = Subject(policy, model, model.snapshot((snapshots or {}).get(model.id)), known)
            findings[model.id] = capability_findings(subject, scoped)
        return findings[model.id]

    chosen = sorted((model for model in models if only is None or model.id in only), key=lambda one: one.id)
    return Assessment(
        policy=policy.label,
        policy_digest=policy.digest,
        evidence_digest=evidence.digest,
        models_digest=digest(sorted(digest(model) for model in models)),
        at=at,
        models=tuple(
            _assessed(policy, model, find(model), known, conclusions, (snapshots or {}).get(model.id))
            for model in chosen
        ),
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


def _bounding_models(models: Sequence[Model], evidence: EvidenceSet, at: date) -> dict[str, list[str]]:
    """Give the models that bound each model. Bounds that lead back to their model support nothing."""
    names = {name: model.id for model in models for name in model.names}
    stated = {
        model.id: {
            names[bound.by.casefold()]
            for bound in applicable_bounds(model, evidence, at)
            if bound.by.casefold() in names
        }
        for model in models
    }

    return {name: sorted(by for by in above if not leads_to(stated, by, name)) for name, above in stated.items()}


def _scoped(
    bounds: Sequence[Bound],
    policy: Policy,
    found: Mapping[str, Mapping[str, ThresholdFinding]],
    by_id: Mapping[str, Model],
) -> dict[str, dict[str, ThresholdFinding]]:
    """Keep of each bounding model only the thresholds for which the bound was stated."""
    scoped: dict[str, dict[str, ThresholdFinding]] = {}
    for bound in bounds:
        named = {threshold.id for name in bound.thresholds if (threshold := policy.threshold(name)) is not None}
        for other_id in found:
            if bound.by.casefold() in by_id[other_id].names:
                kept = {name: one for name, one in found[other_id].items() if not bound.thresholds or name in named}
                scoped.setdefault(other_id, {}).update(kept)
    return scoped


def _assessed(
    policy: Policy,
    model: Model,
    findings: Sequence[ThresholdFinding],
    known: Known,
    conclusions: Sequence[Conclusion],
    snapshot_id: str | None,
) -> ModelAssessment:
    setting = Setting(policy, model, known, conclusions, model.snapshot(snapshot_id))
    requirements: dict[str, tuple[RequirementFinding, ...]] = {}
    if policy.baseline:
        requirements[BASELINE] = tuple(requirement_finding(one, setting) for one in policy.baseline)
    stated: dict[str, tuple[str, ...]] = {}
    final: list[ThresholdFinding] = []
    for threshold, finding in zip(policy.thresholds, findings, strict=True):
        about = conclusions_about(policy, threshold, model, conclusions)
        stated |= {f"{threshold.id}/{number}": one.signed_by for number, one in enumerate(about)}
        requirements[threshold.id] = tuple(requirement_finding(one, setting) for one in threshold.requirements)
        final.append(_mitigated(with_conclusion(finding, about), requirements[threshold.id]))
    snapshot = model.snapshot(snapshot_id)
    return ModelAssessment(
        model=model.id,
        name=model.title,
        snapshot=snapshot.id if snapshot else None,
        thresholds=tuple(final),
        requirements={name: found for name, found in requirements.items() if found},
        gates=gates(final, requirements, _approvals(policy, setting, stated)),
    )


def _mitigated(finding: ThresholdFinding, requirements: Sequence[RequirementFinding]) -> ThresholdFinding:
    """A reached threshold whose binding requirements are all met is reached and mitigated."""
    binding = [one for one in requirements if one.binds]
    if finding.finding == "reached" and binding and all(one.state == "met" for one in binding):
        return finding.model_copy(update={"finding": "reached_and_mitigated"})
    return finding


def _approvals(
    policy: Policy, setting: Setting, stated: Mapping[str, Sequence[str]]
) -> dict[Action, list[tuple[str, str | None]]]:
    found: dict[Action, list[tuple[str, str | None]]] = {action: [] for action in ACTIONS}
    for approval in policy.approvals:
        if not approval.before or not approval.binds:
            continue
        missing = missing_signers(approval, setting, stated)
        for action in approval.before:
            found[action].append((approval.id, missing))
    return found

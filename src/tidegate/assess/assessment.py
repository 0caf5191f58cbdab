# SPDX-License-Identifier: Apache-2.0
"""`assess(policy, evidence, models, at) -> Assessment`: pure, deterministic, recomputable by anybody."""

from collections.abc import Mapping, Sequence
from datetime import date

from tidegate.assess.bounding import Relation, related
from tidegate.assess.capability import Subject, applicable_bounds, known_evidence, own_findings
from tidegate.assess.conclusions import conclusions_about, with_conclusion
from tidegate.assess.gate import BASELINE, gates
from tidegate.assess.model import Assessment, ModelAssessment, RequirementFinding, ThresholdFinding
from tidegate.assess.safeguards import Setting, missing_signers, requirement_finding
from tidegate.evidence.model import EvidenceSet
from tidegate.evidence.models import Model, Snapshot
from tidegate.kernel.canonical import digest
from tidegate.kernel.duration import first_day, last_day
from tidegate.kernel.errors import AssessError, Problem
from tidegate.policy.model import ACTIONS, Action, Policy

STATED_WITH_CONCLUSIONS = frozenset({"capability_report", "deployment_decision"})
"""Acts for which the signers that a published conclusion names count; other acts need a record of their own."""


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
            )
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


def _assessed(setting: Setting, findings: Sequence[ThresholdFinding]) -> ModelAssessment:
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
        gates=gates(final, requirements, _approvals(policy, setting, stated), policy.not_in_effect(setting.at)),
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
        missing = missing_signers(approval, setting, stated if approval.act in STATED_WITH_CONCLUSIONS else {})
        for action in approval.before:
            found[action].append((approval.id, missing))
    return found

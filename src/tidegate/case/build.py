# SPDX-License-Identifier: Apache-2.0
"""A safety case from policy, assessment and evidence, by template: the same inputs give the same case."""

import re
from collections.abc import Sequence
from datetime import date

from tidegate.assess.model import Assessment
from tidegate.case.draft import Basis, CaseRequest, Draft, listed
from tidegate.case.inability import argue_inability
from tidegate.case.model import MadeFrom, Period, SafetyCase
from tidegate.case.templates import ARGUMENTS, argue_by_template
from tidegate.evidence.model import EvidenceSet
from tidegate.evidence.models import Model
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.duration import add, approximate_days
from tidegate.kernel.errors import AssessError, Problem
from tidegate.policy.model import Action, Policy, Threshold

PERIOD = "P6M"
"""How long a case is made for if the policy does not say when the next assessment is due."""
COVERAGE = "The thresholds that are argued about cover every way in which the model could cause severe harm."


def build(
    policy: Policy, assessment: Assessment, evidence: EvidenceSet, models: Sequence[Model], request: CaseRequest
) -> SafetyCase:
    """Give the case for a model, as far as policy, assessment and evidence can write it.

    Every result is cited by record and digest. What is not shown is a claim called undeveloped.

    Args:
        policy: the policy.
        assessment: the assessment of the model under it; the case is about the day that it answers for.
        evidence: the evidence that it was made from.
        models: the models of the project.
        request: which case is wanted.

    Raises:
        AssessError: ASM001, the model is not known or was not assessed; ASM002, a threshold is not known.
    """
    basis = _basis(policy, assessment, evidence, models, request)
    thresholds = _thresholds(basis, request)
    draft = Draft(request.author)
    claims = (
        argue_inability(draft, basis, thresholds)
        if request.template == "inability"
        else argue_by_template(draft, basis, request.template, thresholds)
    )
    _top(draft, basis, request, claims)
    return SafetyCase(
        id=re.sub(r"[^A-Za-z0-9._+@:/-]", "-", f"{basis.model.id}-{request.template}")[:120],
        title=f"{request.template.replace('-', ' ').capitalize()} case for {basis.name} under {policy.label}",
        model=basis.model.id,
        snapshot=basis.assessed.snapshot,
        template=request.template,
        actions=basis.actions,
        period=basis.period,
        thresholds=tuple(one.id for one in thresholds),
        author=request.author,
        made_from=MadeFrom(
            policy=policy.label, policy_digest=policy.digest, assessment_digest=assessment.digest, at=assessment.at
        ),
        nodes=draft.nodes("TOP"),
    )


def _basis(
    policy: Policy, assessment: Assessment, evidence: EvidenceSet, models: Sequence[Model], request: CaseRequest
) -> Basis:
    model = next((one for one in models if request.model.casefold() in one.names), None)
    assessed = assessment.model(model.id) if model is not None else None
    if model is None or assessed is None:
        hint = did_you_mean(request.model, [one.model for one in assessment.models])
        raise AssessError(Problem("ASM001", f"there is no assessment of a model {request.model!r}", None, hint))
    at = assessment.at
    return Basis(
        policy=policy,
        assessment=assessment,
        assessed=assessed,
        evidence=evidence,
        model=model,
        actions=request.actions or _deployed(model, at),
        period=request.period or Period.model_validate({"from": at, "until": add(at, _cadence(policy))}),
        records={record.id: record for record in evidence.records},
    )


def _deployed(model: Model, at: date) -> tuple[Action, ...]:
    """Give the ways in which the model is used on a day; general deployment if none is recorded."""
    current = (
        one.action
        for one in model.deployments
        if (one.since is None or one.since <= at) and (one.until is None or at <= one.until)
    )
    return tuple(dict.fromkeys(current)) or ("general",)


def _cadence(policy: Policy) -> str:
    """Give the shortest interval after which the policy asks for another assessment."""
    every = [event.every for one in policy.triggers for event in one.events if event.on == "elapsed_time"]
    return min((one for one in every if one is not None), key=approximate_days, default=PERIOD)


def _thresholds(basis: Basis, request: CaseRequest) -> tuple[Threshold, ...]:
    """Give the thresholds to argue about: those named, else those that require something for the actions."""
    policy, found = basis.policy, []
    for name in request.thresholds:
        threshold = policy.threshold(name)
        if threshold is None:
            hint = did_you_mean(name, [one.id for one in policy.thresholds])
            raise AssessError(Problem("ASM002", f"{policy.label} has no threshold {name!r}", None, hint))
        found.append(threshold)
    governing = [one for one in policy.thresholds if any(set(r.actions) & set(basis.actions) for r in one.requirements)]
    return tuple({one.id: one for one in found}.values()) if found else tuple(governing or policy.thresholds)


def _top(draft: Draft, basis: Basis, request: CaseRequest, claims: Sequence[str]) -> None:
    if request.template == "inability":
        text = (
            f"{basis.name} cannot cause the severe harm that {basis.policy.label} is about, through {basis.deployment}."
        )
    else:
        text = ARGUMENTS[request.template].top.format(model=basis.name, actions=basis.deployment)
    about = [one.removeprefix("T/") for one in claims]
    strategy = draft.add(
        "TOP/argument",
        "strategy",
        f"Argue over each threshold: {listed(about)}.",
        below=claims,
        context=[draft.add("A/coverage", "assumption", COVERAGE)],
        aggregation="all",
        why="The policy takes these thresholds to cover the severe harm that it is about.",
    )
    days = [one.isoformat() for one in (basis.period.from_, basis.period.until) if one is not None]
    scope = f"Model: {basis.name}. Actions: {basis.deployment}. Period: {' to '.join(days) or 'not stated'}."
    context = [
        draft.add("C/scope", "context", scope, source=f"model:{basis.model.id}"),
        draft.add(
            "C/policy", "context", f"The policy is {basis.policy.version_id}.", source=f"policy:{basis.policy.id}"
        ),
    ]
    draft.add("TOP", "claim", text, below=[strategy], context=context, source=f"model:{basis.model.id}")

# SPDX-License-Identifier: Apache-2.0
"""Assessments: from the adopted policy and the evidence to findings, gates and explanations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, cast

from tidegate.assess import assess
from tidegate.assess.explain import Explanation, explain
from tidegate.assess.governed import Governed
from tidegate.assess.model import Assessment, Gate, ModelAssessment
from tidegate.evidence.models import Model
from tidegate.flow.policies import find_policy
from tidegate.flow.targets import find_target
from tidegate.flow.world import World
from tidegate.govern.basis import Basis, Governing
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import AssessError, Problem, Where
from tidegate.policy.load import LoadedPolicy
from tidegate.policy.model import Action, Policy, Threshold
from tidegate.publish.annotations import annotations
from tidegate.publish.junit import junit_xml
from tidegate.publish.markdown import assessment_markdown
from tidegate.publish.sarif import sarif_json
from tidegate.store.project import PROJECT_FILE, Project


@dataclass(frozen=True)
class Assessed:
    """An assessment, and the policy that it was made under."""

    assessment: Assessment
    policy: LoadedPolicy


def assess_project(
    world: World, names: Sequence[str] = (), *, policy: str | None = None, as_of: date | None = None
) -> Assessed:
    """Give findings and gates of models (all if none is named).

    Raises:
        AssessError: ASM001, a name is not a model of the project.
        TidegateError: the project or the policy is not in order.
    """
    project = world.project()
    chosen, snapshots = _chosen(project, names)
    loaded = project.policy if policy is None else find_policy(world, policy)
    only = [model.id for model in chosen] if names else None
    found = _governing(world, project, None if policy is None else loaded, as_of)
    made = assess(
        found.basis.policy,
        found.basis.evidence,
        found.basis.models,
        as_of or world.today,
        only=only,
        snapshots=snapshots,
        governed=found.governed,
    )
    return Assessed(made, loaded)


def _governing(world: World, project: Project, other: LoadedPolicy | None, as_of: date | None) -> Governing:
    """Give what the verdict rests on: files and log; without a log, the files alone."""
    if project.record.ledger is None:
        left = _left(project.root)
        basis = Basis((other or project.policy).policy, project.models, project.evidence)
        return Governing(basis, Governed(doubts=(left,)) if left else None)
    from tidegate.flow.governing import governing  # noqa: PLC0415 - a project without a log need not load it

    return governing(world, project, policy=other.policy if other else None, as_of=as_of)


def _left(root: Path) -> str | None:
    """Say that the project kept a log that it names no more, or give none: without it nothing would be signed."""
    folder = root / "ledger"
    found = [path.name for path in (folder / "checkpoint", *sorted(folder.glob("*.db"))) if path.is_file()]
    if not found:
        return None
    return f"there is a ledger/{found[0]}, and {PROJECT_FILE} names no ledger: put its section `ledger` back"


def _chosen(project: Project, names: Sequence[str]) -> tuple[list[Model], dict[str, str]]:
    """Resolve ``model`` and ``model@snapshot``."""
    chosen: list[Model] = []
    snapshots: dict[str, str] = {}
    for name in names:
        found = find_target(project, name)
        if found.snapshot is not None:
            snapshots[found.model.id] = found.snapshot
        chosen.append(found.model)
    return chosen, snapshots


@dataclass(frozen=True)
class GateAnswer:
    """The gate's answer, with what it rests on."""

    gate: Gate
    model: ModelAssessment
    assessed: Assessed


def ask_gate(
    world: World, model: str, action: Action, *, policy: str | None = None, as_of: date | None = None
) -> GateAnswer:
    """Give the gate's answer for a model and an action. Raises as `assess_project` does."""
    assessed = assess_project(world, (model,), policy=policy, as_of=as_of)
    found = assessed.assessment.models[0]
    return GateAnswer(found.gate(action), found, assessed)


def find_threshold(loaded: LoadedPolicy, name: str) -> Threshold:
    """Give the threshold of this id or alias.

    Raises:
        AssessError: ASM002, there is none.
    """
    found = loaded.policy.threshold(name)
    if found is None:
        known = [threshold.id for threshold in loaded.policy.thresholds]
        hint = did_you_mean(name, known) or f"thresholds: {', '.join(known)}"
        raise AssessError(Problem("ASM002", f"{loaded.policy.label} has no threshold {name!r}", None, hint))
    return found


def explain_finding(
    world: World, model: str, threshold: str, *, policy: str | None = None, as_of: date | None = None
) -> Explanation:
    """Give the explanation of a finding. Raises ASM001 or ASM002 for unknown names."""
    project = world.project()
    chosen, snapshots = _chosen(project, (model,))
    loaded = project.policy if policy is None else find_policy(world, policy)
    found = find_threshold(loaded, threshold)
    basis = _governing(world, project, None if policy is None else loaded, as_of)
    at = as_of or world.today
    inner = basis.basis
    explained = explain(inner.policy, inner.evidence, inner.models, at, chosen[0].id, found.id, snapshots=snapshots)
    if basis.governed is None:
        return explained
    made = inner.assessed(chosen[0].id, snapshots.get(chosen[0].id), at, basis.governed)
    return explained.model_copy(update={"signed": _signed(made.models[0], inner.policy)})


def _signed(assessed: ModelAssessment, policy: Policy) -> tuple[str, ...]:
    approvals = {one.id for one in policy.approvals}
    return tuple(
        f"{gate.action.replace('_', ' ')}: {reason.message}"
        for gate in assessed.gates
        for reason in gate.reasons
        if reason.requirement in approvals
    )


def assessment_schema() -> dict[str, Any]:
    """Give the JSON schema of an assessment."""
    schema = Assessment.model_json_schema(by_alias=True, mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "tidegate/assessment/v1", **schema}


def as_action(word: str) -> Action:
    """Give the action that a word means; ``deploy`` means general deployment."""
    return "general" if word == "deploy" else cast(Action, word)


def _places(loaded: LoadedPolicy) -> dict[str, Where]:
    """Give where each threshold, and under ``""`` the policy itself, stands in its file."""
    found = {threshold.id: loaded.where(threshold.id) for threshold in loaded.policy.thresholds}
    return {"": loaded.document.where(), **found}


def _rendered(assessed: Assessed, output: str, action: Action | None) -> str:
    made, places = assessed.assessment, _places(assessed.policy)
    match output:
        case "junit":
            return junit_xml(made, action)
        case "sarif":
            return sarif_json(made, places, action)
        case "github":
            return annotations(made, places, action)
        case _:
            return assessment_markdown(made)


def rendered(assessed: Assessed, output: str) -> str:
    """Give an assessment as ``markdown``, ``junit``, ``sarif`` or ``github`` annotations."""
    return _rendered(assessed, output, None)


def gate_text(answer: GateAnswer, output: str) -> str:
    """Give the gate's answer in the format of a pipeline."""
    return _rendered(answer.assessed, output, answer.gate.action)

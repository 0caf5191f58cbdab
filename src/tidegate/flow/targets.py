# SPDX-License-Identifier: Apache-2.0
"""Which model, and which snapshot of it, somebody means by ``model`` or ``model@snapshot``."""

from typing import NamedTuple

from tidegate.evidence.models import Model
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import AssessError, Problem
from tidegate.store.project import Project


class Target(NamedTuple):
    """What was named."""

    model: Model
    """The model."""
    snapshot: str | None
    """The snapshot, if one was named."""


def find_target(project: Project, name: str) -> Target:
    """Give the model of this id or alias, with the snapshot if the name goes on with one.

    Raises:
        AssessError: ASM001, there is no such model or snapshot, or the name means two things.
    """
    _refuse_two_meanings(project, name)
    model_name, _, snapshot = (name, "", "") if project.model(name) or "@" not in name else name.rpartition("@")
    model = project.model(model_name)
    if model is None:
        known = [one.id for one in project.models]
        hint = did_you_mean(model_name, known) or f"models: {', '.join(known) or 'none yet; add models/NAME.yaml'}"
        raise AssessError(Problem("ASM001", f"there is no model {model_name!r}", None, hint))
    if snapshot and model.snapshot(snapshot) is None:
        near = did_you_mean(snapshot, [one.id for one in model.snapshots])
        raise AssessError(Problem("ASM001", f"{model.id} has no snapshot {snapshot!r}", None, near))
    return Target(model, snapshot or None)


def _refuse_two_meanings(project: Project, name: str) -> None:
    before, _, snapshot = name.rpartition("@")
    whole, owner = project.model(name), project.model(before)
    if whole is not None and owner is not None and owner != whole and owner.snapshot(snapshot or "") is not None:
        message = f"{name!r} names the model {whole.id}, and a snapshot of {owner.id}"
        raise AssessError(Problem("ASM001", message, None, "give the model another alias"))

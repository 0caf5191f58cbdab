# SPDX-License-Identifier: Apache-2.0
"""Policies: find, check, compare, and fix their rules before results come in."""

from pathlib import Path
from typing import Any

from tidegate.flow.world import World
from tidegate.kernel.errors import ProjectError
from tidegate.policy.load import LoadedPolicy, load_pack, load_policy, pack_names
from tidegate.policy.model import Policy, RuleLock
from tidegate.store.project import read_locks, read_policies, write_locks


def find_policy(world: World, name: str | None) -> LoadedPolicy:
    """Give the policy of this name: a file, a pack, or (without a name) the one that the project has adopted.

    Raises:
        PolicyError: POL008, there is none of that name.
    """
    if name is None:
        return world.project().policy
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.is_file():
        return load_policy(path)
    if name in pack_names():
        return load_pack(name)
    for loaded in _project_policies(world):
        if name in (loaded.policy.id, loaded.policy.label):
            return loaded
    return load_pack(name)


def _project_policies(world: World) -> tuple[LoadedPolicy, ...]:
    try:
        return read_policies(world.root)
    except ProjectError:
        return ()


def all_policies(world: World) -> tuple[LoadedPolicy, ...]:
    """Give the policies of the project, if there is one, and every pack."""
    return (*_project_policies(world), *(load_pack(name) for name in pack_names()))


def check_project_policies(world: World) -> tuple[LoadedPolicy, ...]:
    """Give every policy file of the project and the adopted one, all checked.

    Raises:
        TidegateError: whatever is not in order.
    """
    loaded = read_policies(world.root)
    return loaded or (world.project().policy,)


def policy_schema() -> dict[str, Any]:
    """Give the JSON schema of a policy file, for editors."""
    schema = Policy.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "tidegate/policy/v1", **schema}


def lock_rules(world: World) -> tuple[RuleLock, ...]:
    """Fix every decision rule of the adopted policy that is not fixed yet, as of today; give the new locks.

    Old locks stay: a rule that changes after a result was seen is shown by its earlier lock.
    """
    project = world.project()
    before = read_locks(project.root)
    fixed = {(lock.threshold, lock.indicator, lock.digest) for lock in project.policy.policy.locks}
    new = tuple(
        RuleLock(
            threshold=threshold.id,
            indicator=indicator.id,
            evaluation=indicator.evaluation,
            digest=indicator.rule_digest,
            locked_on=world.today,
        )
        for threshold in project.policy.policy.thresholds
        for indicator in threshold.indicators
        if (threshold.id, indicator.id, indicator.rule_digest) not in fixed
    )
    if new:
        write_locks(project.root, (*before, *new))
    return new



# SPDX-License-Identifier: Apache-2.0
"""Policies: find, check, compare, and fix their rules before results come in."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from tidegate.flow.world import World
from tidegate.kernel.canonical import plain
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import AssessError, PolicyError, Problem, ProjectError, TidegateError, Where
from tidegate.kernel.record import Record
from tidegate.policy import views
from tidegate.policy.diff import PolicyDiff, diff
from tidegate.policy.load import LoadedPolicy, items_by_id, load_pack, load_policy, pack_names, refuse_label_reuse
from tidegate.policy.model import Item, Policy, RuleLock
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
    for loaded in all_policies(world):
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


def check_files(paths: Sequence[Path]) -> tuple[LoadedPolicy, ...]:
    """Give the policies in files, all checked; the problems of all files are raised together.

    Raises:
        PolicyError: whatever is not in order, in any of the files.
    """
    loaded: list[LoadedPolicy] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            loaded.append(load_policy(path))
        except TidegateError as error:
            problems += error.problems
    if problems:
        raise PolicyError(*problems)
    refuse_label_reuse(loaded)
    return tuple(loaded)


def find_item(loaded: LoadedPolicy, name: str) -> tuple[Item, Where]:
    """Give an item of a policy by its id, and where it stands.

    Raises:
        AssessError: ASM002, there is none.
    """
    known = items_by_id(loaded.policy)
    if name not in known:
        hint = did_you_mean(name, known)
        raise AssessError(Problem("ASM002", f"{loaded.policy.label} has no item {name!r}", None, hint))
    return known[name], loaded.where(name)


def diff_policies(world: World, old: str, new: str, *, suggest: bool = False) -> PolicyDiff:
    """Compare two policies by meaning. Raises POL004 if one label stands for both contents."""
    return diff(find_policy(world, old), find_policy(world, new), suggest=suggest)


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
    ordered = sorted(project.policy.policy.locks, key=lambda lock: lock.locked_on)
    in_force = {(lock.threshold, lock.indicator): lock.digest for lock in ordered}
    new = tuple(
        RuleLock(
            threshold=threshold.id,
            indicator=indicator.id,
            evaluation=indicator.evaluation,
            digest=threshold.decision_digest,
            locked_on=world.today,
        )
        for threshold in project.policy.policy.thresholds
        for indicator in threshold.indicators
        if in_force.get((threshold.id, indicator.id)) != threshold.decision_digest
    )
    if new:
        write_locks(project.root, (*before, *new))
        if project.record.ledger is not None:
            from tidegate.flow.ledgers import record_files  # noqa: PLC0415 - a project without a log need not load it

            record_files(world, frozenset({"policy.adopted"}))
    return new


def policy_text(loaded: LoadedPolicy) -> str:
    """Give what a policy holds, item by item, as plain text."""
    shown = views.outline(loaded)
    lines = [f"{name:<16}{value}" for name, value in shown.heads]
    kind = None
    for entry in shown.entries:
        if entry.depth == 0 and entry.kind != kind:
            kind = entry.kind
            lines += ["", f"{kind}s".upper() if not kind.endswith("y") else f"{kind[:-1]}ies".upper()]
        indent = "  " * (entry.depth + 1)
        lines.append(f"{indent}{entry.id}  {entry.title}".rstrip())
        if entry.text:
            lines.append(f"{indent}  {entry.text}")
        lines += [f"{indent}  {name}: {value}" for name, value in entry.fields]
    return "\n".join(lines)


def graph_text(policy: Policy, language: str) -> str:
    """Give the graph of a policy as D2 or Mermaid text."""
    shown = views.graph(policy)
    return views.d2(shown) if language == "d2" else views.mermaid(shown)


def graph_data(policy: Policy) -> dict[str, Any]:
    """Give the graph of a policy as nodes and edges."""
    return asdict(views.graph(policy))


def record_text(record: Record) -> str:
    """Give a record as YAML, what it leaves at its default left out."""
    return yaml.safe_dump(plain(record), sort_keys=False, allow_unicode=True, width=100).rstrip()

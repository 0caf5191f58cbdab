# SPDX-License-Identifier: Apache-2.0
"""Policies from YAML: every problem at once, each with its place and what to do."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from tidegate.kernel.documents import Document, PathKey, did_you_mean, parse_document, read_bytes, validate_part
from tidegate.kernel.duration import approximate_days
from tidegate.kernel.errors import DocumentError, PolicyError, Problem, Where
from tidegate.policy.model import (
    LADDER,
    Commitment,
    Indicator,
    Item,
    Policy,
    Requirement,
    RuleLock,
    Threshold,
    Trigger,
    modals_in,
)

PACK_SUFFIX = ".yaml"
MAX_EXTENDS = 5
"""A chain of policies that extend each other is at most this long."""


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy, and where each of its items stands."""

    policy: Policy
    document: Document
    notices: tuple[Problem, ...] = ()
    """Warnings: the policy can be used, yet a person should know."""

    def where(self, item_id: str) -> Where:
        """Give the place of the item with this id (the file's first line if there is none)."""
        for path, item in self.policy.located_items():
            if item.id == item_id:
                return self.document.where(path)
        return self.document.where()


def pack_names() -> tuple[str, ...]:
    """Give the names of the policies that ship with Tidegate, sorted."""
    folder = resources.files("tidegate.packs") / "policies"
    return tuple(
        sorted(entry.name.removesuffix(PACK_SUFFIX) for entry in folder.iterdir() if entry.name.endswith(PACK_SUFFIX))
    )


def load_pack(name: str) -> LoadedPolicy:
    """Load a policy that ships with Tidegate.

    Raises:
        PolicyError: POL008, there is no such pack.
    """
    if name not in pack_names():
        hint = did_you_mean(name, pack_names()) or f"packs: {', '.join(pack_names())}"
        raise PolicyError(Problem("POL008", f"there is no pack {name!r}", None, hint))
    source = resources.files("tidegate.packs") / "policies" / f"{name}{PACK_SUFFIX}"
    return _load(source.read_bytes(), f"packs/{name}{PACK_SUFFIX}")


def load_policy(path: Path, *, name: str | None = None) -> LoadedPolicy:
    """Load a policy from a file, shown in messages under `name` if one is given.

    Raises:
        DocumentError: the file is not a well-formed policy document.
        PolicyError: the policy contradicts itself.
    """
    return _load(read_bytes(path), name or str(path))


def load_policy_text(text: str | bytes, file: str = "policy.yaml") -> LoadedPolicy:
    """Load a policy from text. Raises as `load_policy` does."""
    return _load(text.encode() if isinstance(text, str) else text, file)


@lru_cache(maxsize=64)
def _load(content: bytes, file: str) -> LoadedPolicy:
    # The key is the content itself, so a changed file is never served from the cache.
    document = parse_document(content, file)
    if not isinstance(document.data, dict):
        raise DocumentError(Problem("DOC009", "expected a mapping with the keys of a policy", document.where()))
    document = _extended(document, depth=0)
    policy = validate_part(document, Policy)
    problems = [problem for check in _CHECKS for problem in check(policy, document)]
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors:
        raise PolicyError(*sorted(errors, key=_position))
    return LoadedPolicy(policy, document, tuple(sorted(problems, key=_position)))


def _position(problem: Problem) -> tuple[str, int, int]:
    where = problem.where or Where("")
    return (where.file, where.line or 0, where.column or 0)


# --- a pack with overrides -------------------------------------------------------------------------


def _extended(document: Document, depth: int) -> Document:
    """Merge a document over the pack that it extends: members by id, fields one by one."""
    if "extends" not in document.data:
        return document
    base_name = document.data["extends"]
    if depth >= MAX_EXTENDS:
        raise PolicyError(Problem("POL007", "the chain of extended policies is too long", document.where(("extends",))))
    if not isinstance(base_name, str) or base_name not in pack_names():
        hint = did_you_mean(str(base_name), pack_names()) or f"packs: {', '.join(pack_names())}"
        raise PolicyError(Problem("POL008", f"there is no pack {base_name!r}", document.where(("extends",)), hint))
    source = resources.files("tidegate.packs") / "policies" / f"{base_name}{PACK_SUFFIX}"
    base = _extended(parse_document(source.read_bytes(), f"packs/{base_name}{PACK_SUFFIX}"), depth + 1)
    merge = _Merge(base, document)
    overlay = {key: value for key, value in document.data.items() if key not in ("extends", "remove")}
    merge.places[()] = (document, ())
    data = merge.mapping(base.data, overlay, ((), (), ()))
    data = _without(data, document, merge)
    positions, origins = merge.resolved()
    return Document(document.file, data, positions, origins)


def _without(data: dict[str, Any], document: Document, merge: "_Merge") -> dict[str, Any]:
    """Take out the top-level items that `remove` lists."""
    removed = document.data.get("remove") or []
    if not isinstance(removed, list) or not all(isinstance(item_id, str) for item_id in removed):
        raise DocumentError(Problem("DOC009", "remove: expected a list of ids", document.where(("remove",))))
    known = {item["id"] for value in data.values() if isinstance(value, list) for item in value if _has_id(item)}
    for number, item_id in enumerate(removed):
        if item_id not in known:
            where = document.where(("remove", number))
            raise PolicyError(
                Problem("POL002", f"there is no item {item_id!r} to remove", where, did_you_mean(str(item_id), known))
            )
    for key, value in data.items():
        if isinstance(value, list) and any(_has_id(item) and item["id"] in removed for item in value):
            kept = [number for number, item in enumerate(value) if not (_has_id(item) and item["id"] in removed)]
            data[key] = [value[number] for number in kept]
            merge.renumber((key,), kept)
    return data


def _has_id(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("id"), str)


class _Merge:
    """One merge of two documents, remembering from where each path of the result comes."""

    def __init__(self, base: Document, overlay: Document) -> None:
        self.base, self.overlay = base, overlay
        self.places: dict[PathKey, tuple[Document, PathKey]] = {}

    def _copy(self, value: Any, document: Document, here: PathKey, there: PathKey) -> Any:
        self.places[here] = (document, there)
        if isinstance(value, dict):
            return {key: self._copy(item, document, (*here, key), (*there, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._copy(item, document, (*here, i), (*there, i)) for i, item in enumerate(value)]
        return value

    def mapping(
        self, base: dict[str, Any], over: dict[str, Any], paths: tuple[PathKey, PathKey, PathKey]
    ) -> dict[str, Any]:
        here, below, above = paths
        merged: dict[str, Any] = {}
        for key in dict.fromkeys((*base, *over)):
            path = ((*here, key), (*below, key), (*above, key))
            if key not in over:
                merged[key] = self._copy(base[key], self.base, path[0], path[1])
            elif key in base and isinstance(base[key], dict) and isinstance(over[key], dict):
                self.places[path[0]] = (self.overlay, path[2])
                merged[key] = self.mapping(base[key], over[key], path)
            elif key in base and _is_items(base[key]) and _is_items(over[key]):
                self.places[path[0]] = (self.overlay, path[2])
                merged[key] = self._items(base[key], over[key], path)
            else:
                merged[key] = self._copy(over[key], self.overlay, path[0], path[2])
        return merged

    def _items(self, base: list[Any], over: list[Any], paths: tuple[PathKey, PathKey, PathKey]) -> list[Any]:
        here, below, above = paths
        replacing: dict[str, int] = {}
        for number, item in enumerate(over):
            if replacing.setdefault(item["id"], number) != number:
                where = self.overlay.where((*above, number, "id"))
                hint = f"the first is on line {self.overlay.where((*above, replacing[item['id']])).line}"
                raise PolicyError(Problem("POL001", f"the id {item['id']!r} occurs twice", where, hint))
        merged: list[Any] = []
        for number, item in enumerate(base):
            path = (*here, number)
            if item["id"] in replacing:
                other = replacing.pop(item["id"])
                self.places[path] = (self.overlay, (*above, other))
                merged.append(self.mapping(item, over[other], (path, (*below, number), (*above, other))))
            else:
                merged.append(self._copy(item, self.base, path, (*below, number)))
        for number in replacing.values():
            merged.append(self._copy(over[number], self.overlay, (*here, len(merged)), (*above, number)))
        return merged

    def renumber(self, parent: PathKey, kept: list[int]) -> None:
        """Move the places of a list's members after some were taken out."""
        depth = len(parent)
        moved = {old: new for new, old in enumerate(kept)}
        places = {}
        for path, place in self.places.items():
            if path[:depth] == parent and len(path) > depth:
                number = path[depth]
                if isinstance(number, int) and number in moved:
                    places[(*parent, moved[number], *path[depth + 1 :])] = place
            else:
                places[path] = place
        self.places = places

    def resolved(self) -> tuple[dict[PathKey, tuple[int, int]], dict[PathKey, str]]:
        positions: dict[PathKey, tuple[int, int]] = {}
        origins: dict[PathKey, str] = {}
        for path, (document, there) in self.places.items():
            where = document.where(there)
            positions[path] = (where.line or 1, where.column or 1)
            origins[path] = where.file
        return positions, origins


def _is_items(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_has_id(item) for item in value)


# --- checks between items --------------------------------------------------------------------------


def _check_ids(policy: Policy, document: Document) -> Iterator[Problem]:
    seen: dict[tuple[str, str], PathKey] = {}
    for path, item in policy.located_items():
        space = "domain" if path[0] == "domains" else "item"
        first = seen.setdefault((space, item.id), path)
        if first != path:
            hint = f"the first is on line {document.where(first).line}; give one of them another id"
            yield Problem("POL001", f"the id {item.id!r} occurs twice", document.where((*path, "id")), hint)


def _check_references(policy: Policy, document: Document) -> Iterator[Problem]:
    known: dict[str, Iterable[str]] = {
        "domain": [domain.id for domain in policy.domains],
        "threat model": [threat_model.id for threat_model in policy.threat_models],
        "threshold": [threshold.id for threshold in policy.thresholds],
        "standard": [standard.id for standard in policy.standards],
        "safeguard": [safeguard.id for safeguard in policy.safeguards],
        "security level": [level.id for level in policy.security_levels],
        "role": [role.id for role in policy.roles],
    }
    for path, kind, name in _references(policy):
        if name not in known[kind]:
            hint = did_you_mean(name, known[kind]) or f"known: {', '.join(known[kind]) or 'none'}"
            yield Problem("POL002", f"there is no {kind} {name!r}", document.where(path), hint)
    for number, threshold in enumerate(policy.thresholds):
        yield from _check_own_references(threshold, document, ("thresholds", number))


def _check_own_references(threshold: Threshold, document: Document, path: PathKey) -> Iterator[Problem]:
    indicators = [indicator.id for indicator in threshold.indicators]
    for number, alert in enumerate(threshold.alerts):
        if alert.indicator is not None and alert.indicator not in indicators:
            where = document.where((*path, "alerts", number, "indicator"))
            yield Problem(
                "POL002",
                f"{threshold.id} has no indicator {alert.indicator!r}",
                where,
                did_you_mean(alert.indicator, indicators),
            )
    for part in ("rule_out", "reach"):
        needed = getattr(threshold.combine, part)
        if isinstance(needed, int) and needed > len(indicators) and not threshold.printed_lines:
            where = document.where((*path, "combine", part))
            yield Problem(
                "POL006",
                f"at least {needed} of {len(indicators)} indicators can never hold",
                where,
                f"use at most {len(indicators)}",
            )


def _references(policy: Policy) -> Iterator[tuple[PathKey, str, str]]:
    """Every reference: where it stands, to which kind of item, to which id."""
    for path, item in policy.located_items():
        for attribute, kind in _REFERENCE_FIELDS.items():
            value = getattr(item, attribute, None)
            names = value if isinstance(value, tuple) else (value,) if value is not None else ()
            for number, name in enumerate(names):
                if isinstance(name, str) and (attribute != "actor" or isinstance(value, tuple)):
                    yield ((*path, attribute, number) if isinstance(value, tuple) else (*path, attribute), kind, name)
        if isinstance(item, Requirement):
            yield from _requirement_references(path, item)
    yield from _nested_references(policy)


def _nested_references(policy: Policy) -> Iterator[tuple[PathKey, str, str]]:
    for number, trigger in enumerate(policy.triggers):
        for event_number, event in enumerate(trigger.events):
            if event.by is not None:
                yield (("triggers", number, "events", event_number, "by"), "role", event.by)
    for number, level in enumerate(policy.security_levels):
        if level.standard is not None:
            yield (("security_levels", number, "standard"), "standard", level.standard)


_REFERENCE_FIELDS: Mapping[str, str] = {
    "domain": "domain",
    "threat_models": "threat model",
    "rules_out": "threshold",
    "includes": "standard",
    "security_level": "security level",
    "signers": "role",
    "not_same_as": "role",
    "actor": "role",
}


def _requirement_references(path: PathKey, item: Any) -> Iterator[tuple[PathKey, str, str]]:
    if item.kind in ("standard", "safeguard") and item.target is not None:
        yield ((*path, "target"), item.kind, item.target)


def _check_requirements(policy: Policy, document: Document) -> Iterator[Problem]:
    for path, item in policy.located_items():
        if not isinstance(item, Requirement) or item.kind not in ("standard", "safeguard"):
            continue
        if item.target is None and item.security_level is None:
            message = f"a requirement of kind {item.kind!r} needs a target"
            yield Problem("DOC008", message, document.where(path), "add target or security_level")


def _check_rules(policy: Policy, document: Document) -> Iterator[Problem]:
    for number, threshold in enumerate(policy.thresholds):
        path: PathKey = ("thresholds", number)
        if threshold.printed_lines and threshold.falsifier is None:
            hint = "say which observation would prove a rule-out wrong"
            yield Problem(
                "POL003", f"{threshold.id} decides by printed lines and has no falsifier", document.where(path), hint
            )
        for position, indicator in enumerate(threshold.indicators):
            yield from _check_indicator(threshold, indicator, document, (*path, "indicators", position))


def _check_indicator(
    threshold: Threshold, indicator: Indicator, document: Document, path: PathKey
) -> Iterator[Problem]:
    if indicator.falsifier is None and threshold.falsifier is None:
        hint = "say which observation would prove a rule-out wrong"
        yield Problem("POL003", f"the indicator {indicator.id!r} has no falsifier", document.where(path), hint)
    out, reach = indicator.rule.rule_out, indicator.rule.reach
    if reach is not None and out.higher_concerns != reach.higher_concerns:
        yield Problem(
            "POL006",
            "the two lines point in opposite directions",
            document.where((*path, "rule", "reach")),
            "use the same direction",
        )
    elif reach is not None and (reach.value < out.value if out.higher_concerns else reach.value > out.value):
        yield Problem(
            "POL006",
            "the reach line lies on the safe side of the rule-out line",
            document.where((*path, "rule", "reach")),
            "exchange the two values",
        )
    if indicator.placeholder:
        message = f"{threshold.id} is pinned to the placeholder evaluation {indicator.evaluation!r}"
        hint = "when it is replaced, record it under evaluation_changes"
        yield Problem("POL010", message, document.where(path), hint, "warning")


def _check_modals(policy: Policy, document: Document) -> Iterator[Problem]:
    for path, item in policy.located_items():
        if not isinstance(item, Commitment):
            continue
        where = document.where(path)
        if item.force is None:
            yield Problem(
                "POL005",
                f"{item.id!r} has no modal verb",
                where,
                "add force: must, will, aim, intend, may, could or recommend",
            )
            continue
        found = modals_in(item.text)
        if found and LADDER[item.force] not in {LADDER[modal] for modal in found}:
            message = f"{item.id!r} says {', '.join(found)!r} in its text and {item.force!r} as its force"
            yield Problem("POL005", message, where, "make the two agree")


def _check_circles(policy: Policy, document: Document) -> Iterator[Problem]:
    graphs: dict[str, dict[str, tuple[PathKey, tuple[str, ...]]]] = {
        "rules_out": {t.id: (("thresholds", i), t.rules_out) for i, t in enumerate(policy.thresholds)},
        "includes": {s.id: (("standards", i), s.includes) for i, s in enumerate(policy.standards)},
        "parent": {
            criterion.id: (("standards", i, "criteria", j), (criterion.parent,) if criterion.parent else ())
            for i, standard in enumerate(policy.standards)
            for j, criterion in enumerate(standard.criteria)
        },
    }
    for name, graph in graphs.items():
        for start, (path, _) in graph.items():
            if _reaches(graph, start):
                yield Problem(
                    "POL007", f"{start!r} leads back to itself by {name!r}", document.where(path), "break the circle"
                )
    criteria = graphs["parent"]
    for criterion_id, (path, parents) in criteria.items():
        for parent in parents:
            if parent not in criteria:
                yield Problem(
                    "POL002",
                    f"there is no criterion {parent!r}",
                    document.where((*path, "parent")),
                    did_you_mean(parent, criteria),
                )
            elif parent == criterion_id:
                continue


def _reaches(graph: Mapping[str, tuple[PathKey, tuple[str, ...]]], start: str) -> bool:
    pending, seen = list(graph[start][1]), set[str]()
    while pending:
        current = pending.pop()
        if current == start:
            return True
        if current not in seen and current in graph:
            seen.add(current)
            pending += graph[current][1]
    return False


def _check_locks(policy: Policy, document: Document) -> Iterator[Problem]:
    known = {
        threshold.id: {indicator.id: indicator for indicator in threshold.indicators} for threshold in policy.thresholds
    }
    recorded = {(change.threshold, change.was, change.now) for change in policy.evaluation_changes}
    places = {item.id: path for path, item in policy.located_items() if isinstance(item, Indicator)}
    for lock in policy.locks:
        indicator = known.get(lock.threshold, {}).get(lock.indicator)
        if indicator is None or lock.evaluation in indicator.names:
            continue
        if (lock.threshold, lock.evaluation, indicator.evaluation) not in recorded:
            message = f"{lock.indicator!r} was locked to {lock.evaluation!r} and now names {indicator.evaluation!r}"
            hint = "record the replacement under evaluation_changes, with its reason"
            yield Problem("POL010", message, document.where((*places[indicator.id], "evaluation")), hint)


def _check_dates(policy: Policy, document: Document) -> Iterator[Problem]:
    if policy.effective and policy.ended and policy.ended < policy.effective:
        yield Problem(
            "POL009", "the policy ends before it takes effect", document.where(("ended",)), "correct one of the dates"
        )
    for path, item in policy.located_items():
        for part, interval in _intervals(item):
            if approximate_days(interval) == 0:
                message = f"{item.id!r} recurs without any interval"
                yield Problem("POL009", message, document.where((*path, *part)), "give a length")


def _intervals(item: Item) -> Iterator[tuple[PathKey, str]]:
    if isinstance(item, Commitment) and item.cadence is not None:
        yield ("cadence",), item.cadence
    if isinstance(item, Trigger):
        for number, event in enumerate(item.events):
            if event.every is not None:
                yield ("events", number, "every"), event.every


_CHECKS: tuple[Callable[[Policy, Document], Iterator[Problem]], ...] = (
    _check_ids,
    _check_references,
    _check_requirements,
    _check_rules,
    _check_modals,
    _check_circles,
    _check_locks,
    _check_dates,
)


def refuse_label_reuse(policies: Iterable[LoadedPolicy]) -> None:
    """Return only if no label stands for two different contents.

    Raises:
        PolicyError: POL004, with both digests.
    """
    seen: dict[str, LoadedPolicy] = {}
    for loaded in policies:
        first = seen.setdefault(loaded.policy.label, loaded)
        if first.policy.digest != loaded.policy.digest:
            message = f"{loaded.policy.label} stands for {first.policy.digest[:19]} in {first.document.file} and {loaded.policy.digest[:19]} here"
            raise PolicyError(
                Problem("POL004", message, loaded.document.where(("version",)), "give the changed text a new version")
            )


def with_locks(loaded: LoadedPolicy, locks: tuple[RuleLock, ...]) -> LoadedPolicy:
    """Give the policy with further rule locks, which a project keeps in a file of their own.

    Raises:
        PolicyError: POL010, a locked evaluation was replaced and the replacement is not recorded.
    """
    if not locks:
        return loaded
    policy = loaded.policy.with_locks_only((*loaded.policy.locks, *locks))
    problems = tuple(dict.fromkeys(_check_locks(policy, loaded.document)))
    if problems:
        raise PolicyError(*problems)
    return LoadedPolicy(policy, loaded.document, loaded.notices)


def items_by_id(policy: Policy) -> dict[str, Item]:
    """Give every item of a policy by its id (domains excepted: they have their own name space)."""
    return {item.id: item for path, item in policy.located_items() if path[0] != "domains"}

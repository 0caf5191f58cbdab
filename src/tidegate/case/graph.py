# SPDX-License-Identifier: Apache-2.0
"""The graph of a case: what rests on what, in an order in which everything comes after what it rests on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tidegate.case.model import EDGE, SUPPORTING, Node, SafetyCase
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import CaseError, Problem


@dataclass(frozen=True)
class Graph:
    """A case, with its edges in both directions."""

    case: SafetyCase
    below: Mapping[str, tuple[str, ...]]
    """Node -> what it rests on: supporters, context, defeaters that challenge it, indicators that watch it."""
    parents: Mapping[str, tuple[str, ...]]
    """Node -> nodes that it supports."""
    challengers: Mapping[str, tuple[str, ...]]
    """Node or edge -> defeaters that challenge it."""
    watchers: Mapping[str, tuple[str, ...]]
    """Node -> indicators that watch it."""
    order: tuple[str, ...]
    """Every node, after everything that it rests on (within a circle, in no particular order)."""
    cycles: tuple[tuple[str, ...], ...]
    """Sets of nodes that rest on each other, and so on themselves."""

    def supporters(self, node: Node) -> tuple[str, ...]:
        """Give the nodes that support a node, each once; those that do not exist are left out."""
        return tuple(one for one in dict.fromkeys(node.supported_by) if one in self.case.by_id)

    @property
    def roots(self) -> tuple[str, ...]:
        """Claims that support nothing: there should be one."""
        return tuple(one.id for one in self.case.nodes if one.kind == "claim" and one.id not in self.parents)

    @property
    def top(self) -> str | None:
        """The top claim; none if there is not exactly one."""
        return self.roots[0] if len(self.roots) == 1 else None

    def reachable(self, start: str | None) -> frozenset[str]:
        """Give a node and everything that it rests on, at any remove."""
        pending, seen = [] if start is None else [start], set[str]()
        while pending:
            current = pending.pop()
            if current not in seen:
                seen.add(current)
                pending += self.below.get(current, ())
        return frozenset(seen)


def graph(case: SafetyCase) -> Graph:
    """Give the graph of a case, in time linear in its nodes and edges."""
    known = case.by_id
    parents: dict[str, list[str]] = defaultdict(list)
    challengers: dict[str, list[str]] = defaultdict(list)
    watchers: dict[str, list[str]] = defaultdict(list)
    doubted: dict[str, list[str]] = defaultdict(list)
    for node in case.nodes:
        for child in dict.fromkeys(node.supported_by):
            parents[child].append(node.id)
        for target in dict.fromkeys(node.challenges):
            challengers[target].append(node.id)
            doubted[target.partition(EDGE)[0]].append(node.id)
        for watched in dict.fromkeys(node.monitors):
            watchers[watched].append(node.id)
    below = {
        node.id: tuple(
            one
            for one in dict.fromkeys(
                (*node.supported_by, *node.in_context_of, *doubted.get(node.id, ()), *watchers.get(node.id, ()))
            )
            if one in known
        )
        for node in case.nodes
    }
    groups = list(_components(below))
    return Graph(
        case=case,
        below=below,
        parents=_frozen(parents),
        challengers=_frozen(challengers),
        watchers=_frozen(watchers),
        order=tuple(one for group in groups for one in group),
        cycles=tuple(group for group in groups if len(group) > 1 or group[0] in below[group[0]]),
    )


def find_node(case: SafetyCase, name: str) -> Node:
    """Give the node of this id.

    Raises:
        CaseError: CAS002, there is none.
    """
    found = case.node(name)
    if found is None:
        hint = did_you_mean(name, case.by_id) or "the ids are those of `tidegate case export`"
        raise CaseError(Problem("CAS002", f"{case.id} has no node {name!r}", None, hint))
    return found


def can_support(node: Node | None) -> bool:
    """True for a node of a kind that supports others."""
    return node is not None and node.kind in SUPPORTING


def _frozen(lists: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(items) for name, items in lists.items()}


def _components(below: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Give the strongly connected components, lower ones first (Tarjan 1972), without recursion."""
    index: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_: list[str] = []
    is_open: set[str] = set()
    for start in below:
        pending: list[tuple[str, Iterator[str]]] = []
        if start not in index:
            pending.append((start, iter(below[start])))
            index[start] = lowest[start] = len(index)
            open_.append(start)
            is_open.add(start)
        while pending:
            current, children = pending[-1]
            child = next(children, None)
            if child is not None and child not in index:
                index[child] = lowest[child] = len(index)
                open_.append(child)
                is_open.add(child)
                pending.append((child, iter(below[child])))
            elif child is not None:
                if child in is_open:
                    lowest[current] = min(lowest[current], index[child])
            else:
                pending.pop()
                if pending:
                    above = pending[-1][0]
                    lowest[above] = min(lowest[above], lowest[current])
                if lowest[current] == index[current]:
                    at = _position(open_, current)
                    group = tuple(open_[at:])
                    del open_[at:]
                    is_open.difference_update(group)
                    yield group


def _position(stack: Sequence[str], item: str) -> int:
    """Give the place of an item near the end of a stack."""
    at = len(stack) - 1
    while stack[at] != item:
        at -= 1
    return at

# SPDX-License-Identifier: Apache-2.0
"""Content hashes, and what a review of them is still worth.

The hash of a node covers its own content and the hashes of everything that it rests on, as in a Merkle tree.
So a change anywhere changes every node above it; those are suspect until a second person has looked again.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import rfc8785

from tidegate.case.graph import Graph, graph
from tidegate.case.model import SCHEMA_ID, Node, Review, SafetyCase
from tidegate.kernel.canonical import digest, digest_bytes, plain

_HEADER = ("id", "title", "model", "snapshot", "template", "actions", "period", "thresholds", "author")
"""What the top claim says about the whole case. From which files and runs it was made does not belong to it."""


class ReviewState(NamedTuple):
    """Where the review of a node stands."""

    state: Literal["reviewed", "unreviewed", "suspect"]
    """Reviewed as it is; never reviewed; or changed since, or disputed."""
    why: str
    """In words."""


def header(case: SafetyCase) -> dict[str, Any]:
    """Give what a case says of itself: model, scope, period, thresholds."""
    found = {name: plain(getattr(case, name)) for name in _HEADER if getattr(case, name) is not None}
    # As files write it: `from`, which is no name in Python.
    return {**found, "period": case.period.model_dump(mode="json", by_alias=True, exclude_defaults=True)}


def hashes(case: SafetyCase) -> dict[str, str]:
    """Give the content hash of every node."""
    return hashes_of(graph(case))


def hashes_of(drawn: Graph) -> dict[str, str]:
    """Give the content hash of every node of a graph, in time linear in its nodes and edges."""
    known = drawn.case.by_id
    cycle_of = {member: number for number, cycle in enumerate(drawn.cycles) for member in cycle}
    about = header(drawn.case)
    roots = frozenset(drawn.roots)
    found: dict[str, str] = {}
    shared: dict[int, str] = {}
    for node_id in drawn.order:
        covered: dict[str, Any] = {"node": known[node_id].content}
        number = cycle_of.get(node_id)
        if number is not None:
            if number not in shared:
                shared[number] = _cycle_hash(drawn, drawn.cycles[number], found)
            covered["cycle"] = shared[number]
        else:
            covered["below"] = {child: found[child] for child in drawn.below[node_id]}
        if node_id in roots:
            covered["case"] = about
        # It is plain data by now; making it so once more would take as long again.
        found[node_id] = digest_bytes(rfc8785.dumps(covered))
    return found


def root(case: SafetyCase) -> str:
    """Give the content digest of the whole case: ``sha256:<hex>``.

    It does not depend on the order of the nodes, nor on the files that they stand in.
    """
    return root_of(graph(case))


def root_of(drawn: Graph, known: Mapping[str, str] | None = None) -> str:
    """Give the content digest of the whole case from its graph, and its hashes if they are known already."""
    return digest({"schema": SCHEMA_ID, "case": header(drawn.case), "nodes": dict(known or hashes_of(drawn))})


def suspects(case: SafetyCase, reviews: Sequence[Review]) -> dict[str, str]:
    """Give the nodes whose review no longer holds, and why: changed since, or disputed.

    Nodes that were never reviewed are not among them.
    """
    drawn = graph(case)
    states = review_states(drawn, hashes_of(drawn), reviews)
    return {node_id: found.why for node_id, found in states.items() if found.state == "suspect"}


def review_states(drawn: Graph, current: Mapping[str, str], reviews: Sequence[Review]) -> dict[str, ReviewState]:
    """Give where the review of every node stands.

    Args:
        drawn: the graph.
        current: the content hash of every node.
        reviews: every review of the log, in its order. The last word of a reviewer on a hash counts; reviews by an
            author of the node do not.
    """
    by_node: dict[str, list[Review]] = {}
    for review in reviews:
        node = drawn.case.node(review.node)
        if node is not None and is_second_person(review.reviewer, authors_of(drawn.case, node)):
            by_node.setdefault(review.node, []).append(review)
    states: dict[str, ReviewState] = {}
    for node_id in drawn.order:
        states[node_id] = _state(by_node.get(node_id, ()), current[node_id])
    for node_id, found in states.items():
        if found.state == "suspect" and not found.why:
            states[node_id] = ReviewState("suspect", _what_changed(drawn, node_id, states, by_node.get(node_id, ())))
    return states


def authors_of(case: SafetyCase, node: Node) -> frozenset[str]:
    """Give who wrote a node; whoever answers for the case, if the node does not say."""
    return node.authors or frozenset((case.author,) if case.author else ())


def is_second_person(person: str, authors: Iterable[str]) -> bool:
    """True if `person` is none of the authors. Without a named author, nobody is known to be a second person."""
    named = {name.casefold() for name in authors}
    return bool(named) and person.casefold() not in named


def _cycle_hash(drawn: Graph, cycle: Sequence[str], found: Mapping[str, str]) -> str:
    members = sorted(cycle)
    return digest(
        {
            "nodes": [drawn.case.by_id[member].content for member in members],
            "below": {child: found[child] for member in members for child in drawn.below[member] if child in found},
        }
    )


def _state(reviews: Sequence[Review], current: str) -> ReviewState:
    """Give the state by the reviews of second persons. The reason of a change is filled in once all are known."""
    if not reviews:
        return ReviewState("unreviewed", "nobody but its author has reviewed it")
    last = {review.reviewer: review.verdict for review in reviews if review.digest == current}
    against = [reviewer for reviewer, verdict in last.items() if verdict == "disagrees"]
    if against:
        return ReviewState("suspect", f"{', '.join(sorted(against))} disagrees")
    if last:
        return ReviewState("reviewed", f"reviewed by {', '.join(sorted(last))}")
    return ReviewState("suspect", "")


def _what_changed(drawn: Graph, node_id: str, states: Mapping[str, ReviewState], reviews: Sequence[Review]) -> str:
    changed = [child for child in drawn.below[node_id] if states[child].state != "reviewed"]
    who = reviews[-1].reviewer
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        return f"{changed[0]}{more} below it changed since {who} reviewed it"
    return f"it changed since {who} reviewed it"

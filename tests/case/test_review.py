# SPDX-License-Identifier: Apache-2.0
"""Content hashes and reviews: what changes them, and whose review counts."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from case_factories import a_case, a_claim, a_doubt, a_proof, a_top, agreed
from tidegate.case.graph import graph
from tidegate.case.model import MadeFrom, Node, Review, SafetyCase
from tidegate.case.review import hashes, hashes_of, is_second_person, review_states, root, suspects

CASE = a_case(
    a_top("G1", "G2"),
    a_claim("G1", "E1", in_context_of=("C1",)),
    a_claim("G2", "E2"),
    a_proof("E1"),
    a_proof("E2"),
    Node(id="C1", kind="context", text="scope", author="alice"),
)


def changed(case: SafetyCase, name: str, **parts: Any) -> SafetyCase:
    nodes = (Node(**{**node.model_dump(), **parts}) if node.id == name else node for node in case.nodes)
    return a_case(*nodes)


@pytest.mark.parametrize(
    ("name", "above"),
    [
        ("E1", {"E1", "G1", "TOP"}),
        ("E2", {"E2", "G2", "TOP"}),
        ("C1", {"C1", "G1", "TOP"}),
        ("G2", {"G2", "TOP"}),
        ("TOP", {"TOP"}),
    ],
)
def test_a_change_reaches_everything_above_and_nothing_else(name: str, above: set[str]) -> None:
    after = changed(CASE, name, text="new words")
    old, new = hashes(CASE), hashes(after)
    assert {one for one in old if old[one] != new[one]} == above
    found = suspects(after, agreed(CASE))
    assert set(found) == above
    assert found[name] == "it changed since carol reviewed it"
    assert all("below it changed since carol" in found[one] for one in above - {name})
    assert root(after) != root(CASE)


def test_a_doubt_about_a_node_or_edge_is_part_of_it() -> None:
    for target in ("G1", "G1->E1"):
        doubted = a_case(*CASE.nodes, a_doubt("D", target))
        assert set(suspects(doubted, agreed(CASE))) == {"G1", "TOP"}
        closed = a_case(*CASE.nodes, a_doubt("D", target, doubt={"state": "closed", "closed_by": "x"}))
        assert set(suspects(closed, agreed(doubted))) == {"D", "G1", "TOP"}


def test_the_head_of_the_case_is_part_of_its_top() -> None:
    assert set(suspects(a_case(*CASE.nodes, actions=("open_weights",)), agreed(CASE))) == {"TOP"}


def test_order_files_and_runs_are_not_part_of_it() -> None:
    made = MadeFrom(policy="p", policy_digest="x", assessment_digest="y", at="2026-01-01")
    assert root(a_case(*reversed(CASE.nodes), made_from=made, includes=("a.yaml",))) == root(CASE)
    assert root(CASE) == root(a_case(*CASE.nodes))


def test_the_root_is_what_anybody_can_compute() -> None:
    """Reviews and decisions in old logs name these digests: a change of the rule needs a new schema."""
    case = a_case(a_top("E1"), Node(id="E1", kind="evidence", text="a result", author="alice"))
    proof = {"id": "E1", "kind": "evidence", "text": "a result", "author": "alice"}
    top = {"id": "TOP", "kind": "claim", "text": "m is safe enough", "supported_by": ["E1"], "author": "alice",
           "falsifier": "a higher result", "source": "threshold:T1"}  # fmt: skip
    head = {"id": "c", "title": "", "model": "m", "actions": ["general"], "thresholds": ["T1"], "author": "alice",
            "period": {"from": "2026-01-01", "until": "2026-12-31"}}  # fmt: skip
    leaf = by_hand({"node": proof, "below": {}})
    above = by_hand({"node": top, "below": {"E1": leaf}, "case": head})
    assert hashes(case) == {"E1": leaf, "TOP": above}
    assert root(case) == by_hand({"schema": "tidegate/case/v1", "case": head, "nodes": {"E1": leaf, "TOP": above}})
    assert root(case) == "sha256:8f436797b29a1287ebf87cb0113943f0c50fa342401f33dcafed8f0aa0ae4728"


def by_hand(data: object) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def states(case: SafetyCase, *reviews: Review) -> dict[str, str]:
    drawn = graph(case)
    return {name: found.state for name, found in review_states(drawn, hashes_of(drawn), reviews).items()}


def a_review(reviewer: str = "carol", verdict: Any = "agrees", digest: str | None = None) -> Review:
    return Review(node="E1", digest=digest or hashes(CASE)["E1"], reviewer=reviewer, verdict=verdict)


@pytest.mark.parametrize(
    ("reviews", "state"),
    [
        ([], "unreviewed"),
        ([a_review()], "reviewed"),
        ([a_review("alice")], "unreviewed"),
        ([a_review("ALICE")], "unreviewed"),
        ([a_review("alice", "disagrees")], "unreviewed"),
        ([a_review(digest="sha256:old")], "suspect"),
        ([a_review(digest="sha256:old"), a_review()], "reviewed"),
        ([a_review(), a_review(digest="sha256:old")], "reviewed"),
        ([a_review(verdict="disagrees")], "suspect"),
        ([a_review(verdict="disagrees"), a_review()], "reviewed"),
        ([a_review(), a_review(verdict="disagrees")], "suspect"),
        ([a_review("dave"), a_review(verdict="disagrees")], "suspect"),
    ],
)
def test_states(reviews: list[Review], state: str) -> None:
    assert states(CASE, *reviews)["E1"] == state


def test_reviews_of_strangers_to_the_case_are_nothing() -> None:
    strange = Review(node="E9", digest="sha256:x", reviewer="carol", verdict="disagrees")
    assert set(states(CASE, strange).values()) == {"unreviewed"}


def test_whoever_extends_a_node_is_no_second_person() -> None:
    case = changed(CASE, "E1", extended_by=("carol",))
    assert states(case, *agreed(case))["E1"] == "unreviewed"
    assert states(case, *agreed(case))["E2"] == "reviewed"


def test_without_an_author_nobody_is_a_second_person() -> None:
    assert not is_second_person("carol", ())
    anonymous = a_case(a_top(author=None), author=None)
    assert states(anonymous, *agreed(anonymous)) == {"TOP": "unreviewed"}


def test_circles_have_hashes_too() -> None:
    def circle(text: str) -> SafetyCase:
        return a_case(a_top("G1"), a_claim("G1", "G2"), a_claim("G2", "G1", "E1", text=text), a_proof())

    old, new = hashes(circle("a")), hashes(circle("b"))
    assert {name for name in old if old[name] != new[name]} == {"TOP", "G1", "G2"}
    assert old["G1"] != old["G2"]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_changing_any_part_of_any_node_reaches_the_root(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([node.id for node in CASE.nodes]))
    part: dict[str, Any] = data.draw(
        st.sampled_from(
            [
                {"text": "x"},
                {"author": "zed"},
                {"falsifier": "y"},
                {"source": "z"},
                {"undeveloped": True},
                {"origin": "generated"},
                {"confidence": {"low": 0.123, "basis": "b"}},
            ]
        )
    )
    assert root(changed(CASE, name, **part)) != root(CASE)

# SPDX-License-Identifier: Apache-2.0
"""What changed between two versions of a case."""

import pytest

from case_factories import a_case, a_claim, a_context, a_doubt, a_proof, a_top, agreed
from tidegate.case.diff import diff
from tidegate.case.model import Node

OLD = a_case(a_top("G1"), a_claim("G1", "E1"), a_proof("E1", low=0.9))
CONTEXT = a_context(reviews=agreed(OLD))


def test_the_same_case_has_no_differences() -> None:
    found = diff(OLD, a_case(*reversed(OLD.nodes)), CONTEXT)
    assert found.is_empty
    assert (found.nodes, found.head, found.newly_suspect, found.no_longer_suspect) == ((), (), {}, ())


def test_changed_words_and_confidence() -> None:
    new = a_case(a_top("G1"), a_claim("G1", "E1", text="more"), a_proof("E1", low=0.9))
    found = diff(OLD, new, CONTEXT)
    (change,) = found.nodes
    assert (change.node, change.kind, change.support_added, change.support_removed) == ("G1", "changed", (), ())
    assert [(one.field, one.old, one.new) for one in change.fields] == [("text", "G1 holds of m", "more")]
    assert not found.is_empty
    assert found.old_root != found.new_root
    assert set(found.newly_suspect) == {"G1", "TOP"}
    assert (found.old_top.low, found.new_top.low) == (pytest.approx(0.9), 0)


def test_added_removed_and_moved_support() -> None:
    new = a_case(a_top("G2"), a_claim("G2", "E2"), a_proof("E2"), a_doubt("D", "TOP"))
    found = diff(OLD, new, a_context())
    kinds = {change.node: change.kind for change in found.nodes}
    assert kinds == {"G1": "removed", "E1": "removed", "G2": "added", "E2": "added", "D": "added", "TOP": "changed"}
    (top,) = found.of_kind("changed")
    assert (top.support_added, top.support_removed, top.fields) == (("D", "G2"), ("G1",), ())
    assert next(one.text for one in found.of_kind("removed") if one.node == "G1") == "G1 holds of m"


def test_a_changed_head_is_shown() -> None:
    found = diff(OLD, a_case(*OLD.nodes, actions=("train",)), CONTEXT)
    assert [(one.field, one.old, one.new) for one in found.head] == [("actions", ["general"], ["train"])]
    assert set(found.newly_suspect) == {"TOP"}


def test_going_back_to_what_was_reviewed_lifts_the_suspicion() -> None:
    changed = a_case(a_top("G1"), a_claim("G1", "E1", text="more"), a_proof("E1", low=0.9))
    found = diff(changed, OLD, CONTEXT)
    assert (found.newly_suspect, set(found.no_longer_suspect)) == ({}, {"G1", "TOP"})


def test_a_part_that_is_gone_has_no_new_value() -> None:
    new = a_case(Node(**{**OLD.nodes[0].model_dump(), "falsifier": None}), *OLD.nodes[1:])
    (change,) = diff(OLD, new, CONTEXT).nodes
    assert [(one.field, one.old, one.new) for one in change.fields] == [("falsifier", "a higher result", None)]

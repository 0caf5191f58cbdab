# SPDX-License-Identifier: Apache-2.0
"""Confidence by hand-computed figures, against brute force, and its laws."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from case_factories import OTHER, RECORD, a_case, a_claim, a_context, a_doubt, a_proof, a_top, agreed
from factories import a_record, a_set
from tidegate.case.confidence import confidence
from tidegate.case.model import Confidence, Node, SafetyCase, Watch
from tidegate.case.setting import CaseContext, Setting
from tidegate.case.weighing import Pass, Span, combined, evaluate, value
from tidegate.evidence.model import Provenance

RECORDS = {
    f"r{number}": a_record(f"r{number}", provenance=Provenance(format="test", digest=f"sha256:{number}"))
    for number in range(12)
}
EVIDENCE = a_set(*RECORDS.values())


def span(low: float, high: float) -> Span:
    return Span(low=low, high=high)


@pytest.mark.parametrize(
    ("aggregation", "independent", "expected"),
    [
        ("all", False, (0.7, 0.95)),
        ("all", True, (0.72, 0.95)),
        ("product", False, (0.72, 0.95)),
        ("any", False, (0.9, 1.0)),
        ("any", True, (0.98, 1.0)),
        ("convergent", False, (0.9, 1.0)),
        ("convergent", True, (0.98, 1.0)),
    ],
)
def test_two_parts_combine(aggregation: Any, independent: bool, expected: tuple[float, float]) -> None:
    found = combined(aggregation, [span(0.9, 1.0), span(0.8, 0.95)], independent=independent)
    assert (found.low, found.high) == pytest.approx(expected)


@pytest.mark.parametrize("aggregation", ["all", "any", "convergent", "product"])
@pytest.mark.parametrize("independent", [True, False])
def test_nothing_gives_nothing(aggregation: Any, independent: bool) -> None:
    assert combined(aggregation, [], independent=independent) == span(0, 1)


def test_bounds_hold_for_every_way_in_which_parts_can_depend() -> None:
    """Every joint distribution of three events on a grid lies within the bounds that its margins give."""
    worlds = list(itertools.product((0, 1), repeat=3))
    seen: dict[Any, float] = {"all": 1.0, "any": 1.0}
    for weights in itertools.product(range(4), repeat=8):
        total = sum(weights)
        if total != 6:
            continue
        margins = [sum(w for w, one in zip(weights, worlds, strict=True) if one[i]) / total for i in range(3)]
        true: dict[Any, float] = {
            "all": sum(w for w, one in zip(weights, worlds, strict=True) if all(one)) / total,
            "any": sum(w for w, one in zip(weights, worlds, strict=True) if any(one)) / total,
        }
        for how, probability in true.items():
            found = combined(how, [span(p, p) for p in margins], independent=False)
            assert found.low - 1e-12 <= probability <= found.high + 1e-12
            seen[how] = min(seen[how], probability - found.low)
    assert all(slack < 1e-12 for slack in seen.values()), "the bounds are attained"


# --- whole cases -------------------------------------------------------------------------------------


def top_of(case: SafetyCase, **parts: Any) -> float:
    return confidence(case, a_context(case, **{"evidence": EVIDENCE, **parts})).span.low


def proof(name: str, low: float = 0.9, **parts: Any) -> Node:
    return a_proof(name, RECORDS[f"r{name[1:]}"], low, **parts)


TWO = (proof("E1", 0.9), proof("E2", 0.8))


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ((a_top("E1", "E2"), *TWO), 0.7),
        ((a_top("E1", "E2", aggregation=None, why=None), *TWO), 0.7),
        ((a_top("E1", "E2", aggregation="product"), *TWO), 0.72),
        ((a_top("E1", "E2", aggregation="product", why=""), *TWO), 0.7),
        ((a_top("E1", "E2", aggregation="any"), *TWO), 0.9),
        ((a_top("E1", "E2", aggregation="convergent"), *TWO), 0.9),
        ((a_top("E1", "E2", aggregation="convergent", independence="other labs"), *TWO), 0.98),
        ((a_top("E1", "E2", independence="other labs"), *TWO), 0.72),
        ((a_top("E1", confidence=Confidence(low=0.95, basis="judged")), *TWO[:1]), 0.85),
        ((a_top("E1"), proof("E1", 0.9).model_copy(update={"confidence": None})), 0.0),
        ((a_top(undeveloped=True, confidence=Confidence(low=0.9, basis="sure")),), 0.0),
        ((a_top("E1", undeveloped=True), *TWO[:1]), 0.0),
        ((a_top("E1", "E2"), TWO[0]), 0.0),
    ],
)
def test_the_top(nodes: tuple[Node, ...], expected: float) -> None:
    assert top_of(a_case(*nodes)) == pytest.approx(expected)


def test_independence_falls_with_a_shared_file() -> None:
    shared = a_set(*(a_record(name, provenance=Provenance(format="test", digest="sha256:f")) for name in ("r1", "r2")))
    one, two = (a_proof(f"E{n}", next(r for r in shared.records if r.id == f"r{n}"), 0.8) for n in (1, 2))
    case = a_case(a_top("E1", "E2", aggregation="convergent", independence="claimed"), one, two)
    found = confidence(case, a_context(case, evidence=shared))
    assert found.span.low == pytest.approx(0.8)
    assert found.shared == {"TOP": ("sha256:f",)}


def test_independence_falls_with_a_shared_assumption() -> None:
    assumed = Node(id="A", kind="assumption", text="same labels", author="alice", owner="bob", review_on="2026-12-01")
    case = a_case(
        a_top("G1", "G2", aggregation="any", independence="claimed"),
        a_claim("G1", "E1", in_context_of=("A",)),
        a_claim("G2", "E2", in_context_of=("A",)),
        *TWO,
        assumed,
    )
    found = confidence(case, a_context(case, evidence=EVIDENCE))
    assert (found.span.low, found.shared) == (pytest.approx(0.9), {"TOP": ("A",)})


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"owner": "bob", "review_on": "2026-12-01"}, 0.9),
        ({"owner": "bob", "review_on": "2026-12-01", "confidence": {"low": 0.8, "basis": "judged"}}, 0.7),
        ({"review_on": "2026-12-01"}, 0.0),
        ({"owner": "bob"}, 0.0),
        ({"owner": "bob", "review_on": "2026-01-01"}, 0.0),
    ],
)
def test_assumptions(parts: dict[str, Any], expected: float) -> None:
    assumed = Node.model_validate({"id": "A", "kind": "assumption", "text": "a", "author": "alice", **parts})
    assert top_of(a_case(a_top("E1", in_context_of=("A",)), TWO[0], assumed)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("target", "doubt", "expected"),
    [
        ("TOP", {}, 0.0),
        ("E1", {}, 0.0),
        ("TOP->E1", {}, 0.0),
        ("TOP", {"effect": "caps", "cap": 0.4}, 0.4),
        ("TOP->E1", {"effect": "caps", "cap": 0.4}, 0.4),
        ("E1", {"effect": "caps", "cap": 0.95}, 0.9),
        ("TOP", {"state": "closed", "closed_by": "carol", "closed_record": "r2"}, 0.9),
        ("TOP", {"state": "closed", "closed_by": "alice", "closed_record": "r2"}, 0.0),
        ("TOP", {"state": "closed", "closed_by": "Bob", "closed_record": "r2"}, 0.0),
        ("TOP", {"state": "closed", "closed_by": "carol", "closed_record": "gone"}, 0.0),
        ("TOP", {"state": "closed", "closed_by": "carol"}, 0.0),
        ("TOP", {"state": "closed", "closed_record": "r2"}, 0.0),
        ("TOP", {"state": "accepted", "cap": 0.6, "closed_by": "carol", "closed_record": "r2"}, 0.6),
        ("TOP", {"state": "accepted", "closed_by": "carol", "closed_record": "r2"}, 0.0),
    ],
)
def test_doubts(target: str, doubt: dict[str, Any], expected: float) -> None:
    assert top_of(a_case(a_top("E1"), TWO[0], a_doubt("D", target, doubt=doubt))) == pytest.approx(expected)


def test_a_breach_takes_the_claim_away_though_it_is_reviewed() -> None:
    watch = {"metric": "x", "bound": {"value": 1}, "window": "P30D", "last": 2.0, "last_on": "2026-05-30"}
    watcher = Node(
        id="I", kind="indicator", text="i", author="alice", monitors=("TOP",), watch=Watch.model_validate(watch)
    )
    case = a_case(a_top("E1"), TWO[0], watcher)
    found = confidence(case, a_context(case, evidence=EVIDENCE))
    assert found.span.low == 0
    assert "breached" in found.unsupported["TOP"]


def test_a_circle_counts_for_nothing() -> None:
    case = a_case(a_top("G1"), a_claim("G1", "G2", "E1", aggregation="any"), a_claim("G2", "G1"), TWO[0])
    assert top_of(case) == 0


def test_without_one_top_there_is_no_confidence() -> None:
    case = a_case(a_top("E1"), a_claim("G2", "E1"), TWO[0])
    found = confidence(case, a_context(case, evidence=EVIDENCE))
    assert (found.top, found.span, found.leaves, found.worst) == (None, span(0, 1), (), None)


# --- which leaf matters ----------------------------------------------------------------------------------


def test_the_leaf_that_moves_most_comes_first() -> None:
    case = a_case(
        a_top("G1", "E3"),
        a_claim("G1", "E1", "E2", aggregation="any"),
        proof("E1", 0.9),
        proof("E2", 0.5),
        proof("E3", 0.6),
    )
    found = confidence(case, a_context(case, evidence=EVIDENCE))
    assert found.span.low == pytest.approx(0.5)
    assert [(leaf.node, leaf.loss, leaf.gain) for leaf in found.leaves] == [
        ("E3", 0.5, 0.4),
        ("E1", 0.4, 0.1),
        ("E2", 0.0, 0.1),
    ]
    assert found.worst == "E2"


# --- laws ------------------------------------------------------------------------------------------------

LOWS = st.floats(0, 1).map(lambda x: round(x, 3))


@st.composite
def cases(draw: st.DrawFn) -> SafetyCase:
    """Give an acyclic case with leaves, shared parts, doubts and assumptions."""
    leaves = draw(st.integers(1, 6))
    nodes: list[Node] = [proof(f"E{number}", draw(LOWS)) for number in range(leaves)]
    names = [node.id for node in nodes]
    if draw(st.booleans()):
        confident = Confidence(low=draw(LOWS), basis="judged") if draw(st.booleans()) else None
        nodes.append(
            Node.model_validate(
                {"id": "A", "kind": "assumption", "author": "alice", "owner": "o", "review_on": "2026-12-01",
                 "text": "a", "confidence": confident}
            )
        )  # fmt: skip
    for number in range(draw(st.integers(0, 4))):
        below = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        nodes.append(_inner(draw, f"G{number}", below, has_assumption=nodes[leaves:] != [] and nodes[leaves].id == "A"))
        names.append(f"G{number}")
    used = {child for node in nodes for child in node.supported_by}
    top = _inner(draw, "TOP", [name for name in names if name not in used], has_assumption=False)
    for number in range(draw(st.integers(0, 2))):
        doubt = {"effect": "caps", "cap": draw(LOWS)}
        nodes.append(a_doubt(f"D{number}", draw(st.sampled_from([*names, "TOP"])), doubt=doubt))
    return a_case(top, *nodes)


def _inner(draw: st.DrawFn, name: str, below: list[str], *, has_assumption: bool) -> Node:
    parts: dict[str, Any] = {
        "aggregation": draw(st.sampled_from(["all", "any", "convergent", "product"])),
        "why": "so",
        "independence": draw(st.sampled_from([None, "claimed"])),
    }
    if has_assumption and draw(st.booleans()):
        parts["in_context_of"] = ("A",)
    return a_claim(name, *below, **parts)


def replaced(case: SafetyCase, node: Node) -> SafetyCase:
    return a_case(*(node if one.id == node.id else one for one in case.nodes))


def low_of(case: SafetyCase, context: CaseContext) -> float:
    return confidence(case, context).span.low


CONTEXT = a_context(evidence=EVIDENCE)
TINY = 1e-12


def one_leaf(data: st.DataObject, case: SafetyCase) -> Node:
    return data.draw(st.sampled_from([one for one in case.nodes if one.kind == "evidence"]))


@settings(max_examples=150, deadline=None)
@given(cases(), st.data())
def test_a_stale_missing_suspect_or_removed_leaf_never_raises_the_top(case: SafetyCase, data: st.DataObject) -> None:
    before = low_of(case, CONTEXT)
    leaf = one_leaf(data, case)
    assert leaf.cited is not None
    stale = replaced(case, leaf.model_copy(update={"cited": leaf.cited.model_copy(update={"max_age": "P1D"})}))
    assert low_of(stale, CONTEXT) <= before + TINY
    without = a_set(*(one for one in EVIDENCE.records if one.id != leaf.cited.record))
    assert low_of(case, a_context(evidence=without)) <= before + TINY
    assert low_of(a_case(*(one for one in case.nodes if one.id != leaf.id)), CONTEXT) <= before + TINY
    reviews = [review for review in agreed(case) if review.node == leaf.id]
    suspect = tuple(review.model_copy(update={"digest": "sha256:old"}) for review in reviews)
    assert low_of(case, a_context(evidence=EVIDENCE, reviews=suspect)) <= before + TINY


@settings(max_examples=100, deadline=None)
@given(cases(), st.data())
def test_a_review_by_somebody_who_disagrees_never_raises_the_top(case: SafetyCase, data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.sampled_from([one.id for one in case.nodes])))
    against = tuple(one for one in agreed(case, "carol", "disagrees") if one.node in chosen)
    assert low_of(case, a_context(evidence=EVIDENCE, reviews=against)) <= low_of(case, CONTEXT) + TINY


@settings(max_examples=100, deadline=None)
@given(cases(), st.data())
def test_a_doubt_never_raises_the_top(case: SafetyCase, data: st.DataObject) -> None:
    edges = [f"{one.id}->{child}" for one in case.nodes for child in one.supported_by]
    target = data.draw(st.sampled_from([one.id for one in case.nodes if one.kind != "defeater"] + edges))
    doubt = data.draw(st.sampled_from([{}, {"effect": "caps", "cap": 0.3}]))
    doubted = a_case(*case.nodes, a_doubt("DX", target, doubt=doubt))
    assert low_of(doubted, CONTEXT) <= low_of(case, CONTEXT) + TINY


@settings(max_examples=100, deadline=None)
@given(cases(), st.data(), LOWS)
def test_a_better_leaf_never_lowers_any_node(case: SafetyCase, data: st.DataObject, more: float) -> None:
    leaf = one_leaf(data, case)
    assert leaf.confidence is not None
    better = Confidence(low=max(more, leaf.confidence.low), basis="judged")
    before = confidence(case, CONTEXT).nodes
    after = confidence(replaced(case, leaf.model_copy(update={"confidence": better})), CONTEXT).nodes
    assert all(after[name].low >= before[name].low - TINY for name in before)
    assert all(0 <= one.low <= one.high + TINY <= 1 + 2 * TINY for one in before.values())


@settings(max_examples=150, deadline=None)
@given(cases())
def test_what_a_leaf_could_move_is_what_weighing_again_gives(case: SafetyCase) -> None:
    """The single pass from the top against setting each leaf to 0 and 1 and computing everything anew."""
    done = evaluate(Setting(case, CONTEXT))
    found = confidence(case, CONTEXT)
    for leaf in found.leaves:
        assert leaf.is_exact
        for x, moved in ((0.0, -leaf.loss), (1.0, leaf.gain)):
            spans: dict[str, Span] = {}
            again = Pass(done.setting, spans, done.unsupported, done.shared)
            for name in done.setting.graph.order:
                spans[name] = span(x, 1.0) if name == leaf.node else value(again, case.by_id[name])
            assert spans["TOP"].low - found.span.low == pytest.approx(moved, abs=1e-6)


def test_a_long_chain_needs_no_recursion() -> None:
    links = [a_claim(f"G{number}", f"G{number + 1}" if number < 4999 else "E1") for number in range(5000)]
    case = a_case(a_top("G0"), *links, proof("E1", 0.9))
    assert low_of(case, CONTEXT) == pytest.approx(0.9)


def test_shared_leaves_beyond_the_bound_are_marked() -> None:
    """With more shared leaves than the bound on work allows, some are followed along one path only, and say so."""
    wide = [f"E{number}" for number in range(12)]
    middle = [f"G{number}" for number in range(1200)]
    case = a_case(
        a_top(*middle, aggregation="any"),
        *(a_claim(name, *wide, aggregation="any") for name in middle),
        *(proof(name, 0.5) for name in wide),
    )
    found = confidence(case, CONTEXT)
    assert found.span.low == 0.5
    assert {leaf.is_exact for leaf in found.leaves} == {False}
    assert all((leaf.gain, leaf.loss) == (0.5, 0.0) for leaf in found.leaves)


def test_records_of_the_factories_differ() -> None:
    assert RECORD.digest != OTHER.digest

# SPDX-License-Identifier: Apache-2.0
"""Confidence in a case: its top claim as an interval, the leaf it hangs on, and what each leaf could move.

What each leaf could move is found in one pass from the top down. Every rule of weighing answers one of its parts, with
the others held, by ``min(high, max(low, a x + b))``, and such answers compose. A leaf that acts along several paths is
weighed again for itself, as far as a bound on the work allows.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tidegate.case.model import EDGE, Node, SafetyCase
from tidegate.case.setting import CaseContext, Setting
from tidegate.case.weighing import NOTHING, Pass, Span, evaluate, value
from tidegate.kernel.record import Record

DIGITS = 9
"""Shown figures are rounded to this many digits: beyond it, two ways of adding up differ."""
MAX_STEPS = 10_000
"""How many edges are weighed again for leaves that act along several paths; the strongest leaves come first."""


class Leaf(Record):
    """How far the top claim's lower bound hangs on one leaf."""

    node: str
    """The leaf: evidence, a claim that nothing supports, or an assumption."""
    low: float
    """Its lower bound."""
    loss: float
    """By how much the top's lower bound would fall if the leaf counted for nothing."""
    gain: float
    """By how much the top's lower bound would rise if the leaf were certain."""
    slope: float
    """By how much the top's lower bound would follow a small change of the leaf, were no bound reached in between."""
    is_exact: bool = True
    """False if the leaf acts along several paths, of which only the strongest was followed."""


class CaseConfidence(Record):
    """Confidence in a case."""

    top: str | None
    """The top claim; none if there is not exactly one."""
    span: Span
    """Confidence in the top claim."""
    nodes: dict[str, Span]
    """Confidence in every node."""
    unsupported: dict[str, str]
    """Nodes that count for nothing by themselves, and why."""
    shared: dict[str, tuple[str, ...]]
    """Arguments whose parts share sources -> the sources, so that they do not count as independent."""
    worst: str | None
    """The leaf under the top claim with the lowest lower bound."""
    leaves: tuple[Leaf, ...]
    """Leaves under the top claim, those first that would move it most."""


def confidence(case: SafetyCase, context: CaseContext) -> CaseConfidence:
    """Give the confidence in every node, in the top claim, and the leaves that it hangs on most."""
    return confidence_of(evaluate(Setting(case, context)))


def confidence_of(done: Pass) -> CaseConfidence:
    """Give the confidence in a case from the confidence in its nodes."""
    top = done.setting.graph.top
    leaves = _leaves(done, top) if top is not None else ()
    worst = min(leaves, key=lambda one: (one.low, -one.gain, -one.slope), default=None)
    return CaseConfidence(
        top=top,
        span=done.spans[top] if top is not None else NOTHING,
        nodes=done.spans,
        unsupported=done.unsupported,
        shared=done.shared,
        worst=worst.node if worst is not None else None,
        leaves=leaves,
    )


# --- what each leaf could move ---------------------------------------------------------------------------


class _Answer(NamedTuple):
    """How the top's lower bound answers a node's: ``min(high, max(low, a x + b))``, with a >= 0."""

    a: float = 1.0
    b: float = 0.0
    low: float = 0.0
    high: float = 1.0

    def at(self, x: float) -> float:
        return min(self.high, max(self.low, self.a * x + self.b))

    def after(self, inner: "_Answer") -> "_Answer":
        """Give this answer to what `inner` gives."""
        return _Answer(self.a * inner.a, self.a * inner.b + self.b, self.at(inner.low), self.at(inner.high))

    @property
    def reach(self) -> float:
        return self.at(1.0) - self.at(0.0)


_NONE = _Answer(0.0, 0.0, 0.0, 0.0)


def _leaves(done: Pass, top: str) -> tuple[Leaf, ...]:
    answers, branching = _answers(done, top)
    by_id, now = done.setting.case.by_id, done.spans[top].low
    steps = MAX_STEPS
    found: list[Leaf] = []
    for name in sorted((one for one in answers if done.is_leaf(by_id[one])), key=lambda one: -answers[one].reach):
        answer, exact = answers[name], name not in branching
        low, high = answer.at(0.0), answer.at(1.0)
        if not exact:
            cone, cost = _above(done, name, steps)
            steps = max(0, steps - cost)
            if cone:
                exact = True
                low, high = (_again(done, name, cone, x)[top] for x in (0.0, 1.0))
            else:
                # What is moved along one path moves at least as much along all.
                low, high = min(low, now), max(high, now)
        found.append(
            Leaf(
                node=name,
                low=round(done.spans[name].low, DIGITS),
                loss=round(max(0.0, now - low), DIGITS),
                gain=round(max(0.0, high - now), DIGITS),
                slope=round(answer.a, DIGITS),
                is_exact=exact,
            )
        )
    return tuple(sorted(found, key=lambda one: (-max(one.gain, one.loss), -one.gain, -one.slope, one.low, one.node)))


def _answers(done: Pass, top: str) -> tuple[dict[str, _Answer], set[str]]:
    """Give how the top answers every node under it, and the nodes that act along more than one path."""
    answers: dict[str, _Answer] = {top: _Answer()}
    branching: set[str] = set()
    by_id = done.setting.case.by_id
    for node_id in reversed(done.setting.graph.order):
        answer = answers.get(node_id)
        if answer is None or done.is_leaf(by_id[node_id]):
            continue
        for child, inner in _parts(done, by_id[node_id]):
            composed = answer.after(inner)
            if child in answers:
                branching.add(child)
                composed = max(composed, answers[child], key=lambda one: (one.reach, one.a))
            elif node_id in branching:
                branching.add(child)
            answers[child] = composed
    return answers, branching


def _parts(done: Pass, node: Node) -> Iterable[tuple[str, _Answer]]:
    """Give, for every part of a node, how the node answers it while the others stay."""
    known = done.setting.case.by_id
    children = [one for one in dict.fromkeys(node.supported_by) if one in known]
    edges = {one: done.edge(node, one).low for one in dict.fromkeys(node.supported_by)}
    terms = {name: span.low for name, span in done.terms(node).items()}
    own = _own(done, node)
    aggregate = _Rule(done, node, list(edges.values()))
    rest = sum(terms.values()) - len(terms)
    shift = own.after(_Answer(1.0, rest))
    for number, child in enumerate(edges):
        if child not in children:
            continue
        cap = done.cap(f"{node.id}{EDGE}{child}")
        inner = aggregate.answer(number)
        yield child, shift.after(inner.after(_Answer(high=cap)) if cap is not None else inner)
    for name, low in terms.items():
        if name in known:
            yield name, own.after(_Answer(1.0, aggregate.now + rest - low))


def _own(done: Pass, node: Node) -> _Answer:
    """Give what a node itself does to what its parts give: nothing, or a cap."""
    if node.id in done.unsupported:
        return _NONE
    cap = done.cap(node.id)
    return _Answer() if cap is None else _Answer(high=cap)


class _Rule:
    """How one node's rule answers each of its parts; sums, products and maxima of all others in linear time."""

    def __init__(self, done: Pass, node: Node, lows: Sequence[float]) -> None:
        aggregation, independent = done.aggregation(node)
        self.lows = lows
        self.is_product = aggregation == "product" or (aggregation == "all" and independent)
        self.is_sum = aggregation == "all" and not independent
        self.is_noisy = independent and not self.is_product
        self.total = sum(lows) - (len(lows) - 1)
        factors = lows if self.is_product else [1 - low for low in lows]
        self.others = _products_of_others(factors) if self.is_product or self.is_noisy else []
        ordered = sorted(lows, reverse=True)
        self.best, self.second = ordered[0], ordered[1] if len(ordered) > 1 else 0.0

    @property
    def now(self) -> float:
        """What the rule gives now, by the same formulas."""
        return self.answer(0).at(self.lows[0])

    def answer(self, number: int) -> _Answer:
        low = self.lows[number]
        if self.is_sum:
            return _Answer(1.0, self.total - low)
        if self.is_product:
            return _Answer(self.others[number], 0.0)
        if self.is_noisy:
            return _Answer(self.others[number], 1 - self.others[number])
        return _Answer(low=self.second if low == self.best else self.best)


def _products_of_others(factors: Sequence[float]) -> list[float]:
    before, after = [1.0], [1.0]
    for factor in factors:
        before.append(before[-1] * factor)
    for factor in reversed(factors):
        after.append(after[-1] * factor)
    count = len(factors)
    return [before[number] * after[count - 1 - number] for number in range(count)]


def _above(done: Pass, leaf: str, limit: int) -> tuple[frozenset[str], int]:
    """Give every node whose confidence depends on a leaf, and what weighing them again costs; none beyond a limit."""
    below, cost = done.setting.graph.below, 0
    pending, seen = [leaf], set[str]()
    while pending and cost <= limit:
        for one in done.users.get(pending.pop(), ()):
            if one not in seen:
                seen.add(one)
                pending.append(one)
                cost += len(below[one]) + 1
    return (frozenset(seen) if cost <= limit else frozenset()), cost


def _again(done: Pass, leaf: str, cone: frozenset[str], low: float) -> Mapping[str, float]:
    """Give the lower bounds of a leaf and of all that depends on it, were its own another."""
    spans = dict(done.spans)
    spans[leaf] = Span(low=low, high=max(low, spans[leaf].high))
    again = Pass(done.setting, spans, done.unsupported, done.shared)
    by_id = done.setting.case.by_id
    for node_id in done.in_order(cone):
        spans[node_id] = value(again, by_id[node_id])
    return {leaf: low, **{one: spans[one].low for one in cone}}

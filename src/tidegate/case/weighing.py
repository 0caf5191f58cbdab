# SPDX-License-Identifier: Apache-2.0
"""Confidence in every node as an interval whose lower bound is conservative.

Nothing is assumed about how the parts depend on each other unless independence is claimed, and shown by distinct
sources. What is not shown, suspect, stale, missing or blocked by a doubt counts as ``[0, ...]``, so that it can only
take confidence away.
Every rule here is monotone: a lower bound of a node never falls when a lower bound beneath it rises.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tidegate.case.graph import can_support
from tidegate.case.model import EDGE, Aggregation, Node
from tidegate.case.review import authors_of, is_second_person
from tidegate.case.setting import Setting
from tidegate.kernel.record import Record

UNKNOWN_SOURCE = "an unknown source"
"""Stands for whatever a missing part rests on: it may be the source of anything else."""


class Span(Record):
    """An interval of probability."""

    low: float
    """Lower bound."""
    high: float
    """Upper bound."""


NOTHING = Span(low=0.0, high=1.0)
"""Nothing is known."""


# --- the rules -------------------------------------------------------------------------------------------


def combined(aggregation: Aggregation, spans: Sequence[Span], *, independent: bool) -> Span:
    """Give the confidence that the parts give together.

    Without independence these are the bounds of Fréchet (1935): a conjunction is at least the sum of the lower
    bounds less (n - 1), and a disjunction, or several lines to one claim, at least its best part. With independence
    the probabilities multiply. A product is one whose parts are each stated given those before it.
    """
    if not spans:
        return NOTHING
    lows, highs = [one.low for one in spans], [one.high for one in spans]
    if aggregation == "product" or (aggregation == "all" and independent):
        return Span(low=math.prod(lows), high=math.prod(highs))
    if aggregation == "all":
        return Span(low=conjunction(lows), high=min(highs))
    if independent:
        return Span(low=1 - math.prod(1 - low for low in lows), high=1 - math.prod(1 - high for high in highs))
    return Span(low=max(lows), high=max(highs) if aggregation == "convergent" else min(1.0, math.fsum(highs)))


def conjunction(lows: Sequence[float]) -> float:
    """Give the lower bound of a conjunction about whose parts' dependence nothing is known (Fréchet 1935)."""
    return max(0.0, math.fsum((*lows, -(len(lows) - 1)))) if lows else 1.0


@dataclass(frozen=True)
class Pass:
    """Everything that one pass over the graph found."""

    setting: Setting
    spans: dict[str, Span]
    unsupported: dict[str, str]
    shared: dict[str, tuple[str, ...]]

    @cached_property
    def users(self) -> dict[str, tuple[str, ...]]:
        """Node -> nodes whose confidence depends on it: those that it supports, or is an assumption of."""
        found: dict[str, list[str]] = {}
        for node in self.setting.case.nodes:
            for one in dict.fromkeys((*node.supported_by, *node.in_context_of)):
                found.setdefault(one, []).append(node.id)
        return {name: tuple(users) for name, users in found.items()}

    @cached_property
    def _rank(self) -> dict[str, int]:
        return {name: rank for rank, name in enumerate(self.setting.graph.order)}

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Give nodes so that each comes after those that it rests on."""
        return sorted(names, key=self._rank.__getitem__)

    def aggregation(self, node: Node) -> tuple[Aggregation, bool]:
        """Give how the parts of a node combine, and whether they count as independent.

        What is not stated counts as ``all``, which gives the least; so does a product that nobody argues for.
        """
        stated = node.aggregation or "all"
        if stated == "product" and not (node.why or "").strip():
            stated = "all"
        return stated, bool((node.independence or "").strip()) and node.id not in self.shared

    def edge(self, node: Node, child: str) -> Span:
        """Give what a child adds to a node: its confidence, less the doubts about the edge."""
        if not can_support(self.setting.case.node(child)):
            return NOTHING
        return _capped(self.spans.get(child, NOTHING), self.cap(f"{node.id}{EDGE}{child}"))

    def cap(self, target: str) -> float | None:
        """Give the cap that doubts set on a node or edge; none if there is none."""
        challengers = self.setting.graph.challengers.get(target)
        if challengers is None:
            return None
        caps = [cap_of(self.setting, self.setting.case.by_id[one]) for one in challengers]
        return min((cap for cap in caps if cap is not None), default=None)

    def terms(self, node: Node) -> dict[str, Span]:
        """Give what has to hold besides the parts: that they suffice, and the assumptions."""
        found = {} if node.confidence is None else {"": _stated(node)}
        for name in dict.fromkeys(node.in_context_of):
            known = self.setting.case.node(name)
            if known is None or known.kind == "assumption":
                found[name] = self.spans.get(name, NOTHING)
        return found

    def is_leaf(self, node: Node) -> bool:
        """True if nothing supports the node, though something should or it is itself the support."""
        return node.kind in ("evidence", "assumption") or not node.supported_by


def evaluate(setting: Setting) -> Pass:
    """Give the confidence in every node, what is beneath it first. Nodes in a circle count for nothing."""
    done = Pass(setting, {}, _unsupported(setting), shared_sources(setting))
    in_circle = {member for cycle in setting.graph.cycles for member in cycle}
    for node_id in setting.graph.order:
        node = setting.case.by_id[node_id]
        if node_id in in_circle:
            done.unsupported[node_id] = "it rests on itself"
            done.spans[node_id] = NOTHING
        else:
            done.spans[node_id] = value(done, node)
    return done


def value(done: Pass, node: Node) -> Span:
    """Give the confidence in one node from what is known of those beneath it."""
    span = _leaf(node) if done.is_leaf(node) else _inner(done, node)
    if node.id in done.unsupported:
        span = Span(low=0.0, high=span.high)
    return _capped(span, done.cap(node.id))


def _leaf(node: Node) -> Span:
    if node.kind == "assumption":
        return _stated(node) if node.confidence else Span(low=1.0, high=1.0)
    if node.kind == "evidence":
        return _stated(node) if node.confidence else NOTHING
    # A claim that nothing supports is not shown, however sure its author is.
    return Span(low=0.0, high=_stated(node).high if node.confidence else 1.0)


def _inner(done: Pass, node: Node) -> Span:
    aggregation, independent = done.aggregation(node)
    parts = [done.edge(node, child) for child in dict.fromkeys(node.supported_by)]
    found = combined(aggregation, parts, independent=independent)
    terms = list(done.terms(node).values())
    if not terms:
        return found
    return combined("all", [found, *terms], independent=False)


def _stated(node: Node) -> Span:
    assert node.confidence is not None
    return Span(low=node.confidence.low, high=node.confidence.high)


def _capped(span: Span, cap: float | None) -> Span:
    return span if cap is None else Span(low=min(span.low, cap), high=min(span.high, cap))


# --- doubts and what does not count ------------------------------------------------------------------


def cap_of(setting: Setting, defeater: Node) -> float | None:
    """Give what a defeater caps: 0 if it blocks, none if it is rightly closed."""
    doubt = defeater.doubted
    if doubt.state != "open" and not closing_faults(setting, defeater):
        if doubt.state == "closed":
            return None
        return doubt.cap if doubt.cap is not None else 0.0
    return doubt.cap if doubt.effect == "caps" and doubt.cap is not None else 0.0


def closing_faults(setting: Setting, defeater: Node) -> tuple[str, ...]:
    """Say why the closing of a defeater does not count: it needs a record and a second person."""
    doubt = defeater.doubted
    if doubt.state == "open":
        return ()
    faults: list[str] = []
    record = doubt.closed_record
    if not record:
        faults.append("names no record")
    elif not record.startswith("sha256:") and record not in setting.records:
        faults.append(f"names the record {record!r}, which the evidence set does not have")
    if not doubt.closed_by:
        faults.append("does not say who did it")
        return tuple(faults)
    challenged = {target.partition(EDGE)[0] for target in defeater.challenges}
    nodes = [defeater, *(known for one in sorted(challenged) if (known := setting.case.node(one)) is not None)]
    faults += [
        f"is by {doubt.closed_by}, who is not known to be a second person to {node.id}"
        for node in nodes
        if not is_second_person(doubt.closed_by, authors_of(setting.case, node))
    ]
    return tuple(faults)


def _unsupported(setting: Setting) -> dict[str, str]:
    """Give the nodes that count for nothing by themselves: why, in words."""
    found: dict[str, str] = {}
    for node in setting.case.nodes:
        grounds = setting.grounds.get(node.id, ())
        state = setting.reviews[node.id]
        breached = [one for one in setting.graph.watchers.get(node.id, ()) if setting.case.by_id[one].is_breached]
        if grounds:
            found[node.id] = grounds[0].message
        elif breached:
            found[node.id] = f"the indicator {breached[0]} is breached"
        elif state.state == "suspect":
            found[node.id] = f"suspect: {state.why}"
        elif node.undeveloped or (node.kind in ("claim", "strategy") and not node.supported_by):
            found[node.id] = "undeveloped: its support is missing"
    return found


# --- sources ---------------------------------------------------------------------------------------------


def shared_sources(setting: Setting) -> dict[str, tuple[str, ...]]:
    """Give the nodes with several supporters of which two rest on one source, and the sources.

    A source is a leaf, the record or document that it cites, the file or samples that the record was made from,
    and an assumption: whatever errs in it errs in both. Where a part is missing nobody can say that its source is
    another's, so independence falls. Sets of sources are bits of whole numbers.
    """
    wanted = [one for one in setting.case.nodes if len(one.supported_by) > 1 and _depends_on_sources(one)]
    if not wanted:
        return {}
    names: dict[str, int] = {UNKNOWN_SOURCE: 0}
    masks: dict[str, int] = {}
    in_circle = {member for cycle in setting.graph.cycles for member in cycle}
    for node_id in setting.graph.order:
        node = setting.case.by_id[node_id]
        mask = 1 if node_id in in_circle else 0
        for name in _sources(setting, node):
            mask |= 1 << names.setdefault(name, len(names))
        for child in (*node.supported_by, *node.in_context_of):
            mask |= masks.get(child, 1)
        masks[node_id] = mask
    by_number = list(names)
    found = {node.id: _overlap([masks.get(one, 1) for one in dict.fromkeys(node.supported_by)]) for node in wanted}
    return {node_id: _named(mask, by_number) for node_id, mask in found.items() if mask}


def _depends_on_sources(node: Node) -> bool:
    return node.aggregation == "convergent" or bool((node.independence or "").strip())


def _sources(setting: Setting, node: Node) -> tuple[str, ...]:
    if node.kind == "assumption" or (node.kind in ("claim", "strategy") and not node.supported_by):
        return (node.id,)
    if node.kind != "evidence":
        return ()
    cited, record = node.cited, setting.record(node)
    is_missing = cited is None or (cited.record is not None and record is None)
    origin = record.provenance if record else None
    named = (cited.record, cited.digest) if cited else ()
    made_from = (origin.digest, origin.sample_root) if origin else ()
    missing = (UNKNOWN_SOURCE,) if is_missing else ()
    return (*missing, node.id, *(one for one in (*named, *made_from) if one))


def _overlap(masks: Sequence[int]) -> int:
    seen = both = 0
    for mask in masks:
        both |= seen & mask
        seen |= mask
    return both | (seen & 1)


def _named(mask: int, names: Sequence[str]) -> tuple[str, ...]:
    found: list[str] = []
    while mask and len(found) < 10:
        lowest = mask & -mask
        found.append(names[lowest.bit_length() - 1])
        mask ^= lowest
    return tuple(found)

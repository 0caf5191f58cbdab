# SPDX-License-Identifier: Apache-2.0
"""Checking a safety case of 10,000 nodes, with confidence, hashes and review states, and how the time grows.

The case is a graph, not a tree: claims are shared by the arguments above them, as evidence and assumptions are in real
cases. The peer computes confidence by the same rules, top down and without remembering what it has computed, as a
recursive rendering of a tree does; it is timed on a small case of the same shape, since each layer doubles its
time, and both are timed on that.
"""

import argparse
import gc
import json
import time
from collections.abc import Callable
from datetime import date
from typing import Any

from tidegate.case.checks import examine
from tidegate.case.confidence import confidence_of
from tidegate.case.model import Cited, Confidence, Doubt, Node, Period, Review, SafetyCase
from tidegate.case.review import hashes
from tidegate.case.setting import CaseContext, Setting
from tidegate.case.weighing import Pass, Span, evaluate, value
from tidegate.evidence.model import Evidence, EvidenceSet, Measurement, Provenance, Subject
from tidegate.evidence.models import Model

AT = date(2026, 6, 1)
TARGET_SECONDS = 1.0


def a_record(number: int) -> Evidence:
    return Evidence(
        id=f"r{number}",
        subject=Subject(model="m"),
        measurement=Measurement(evaluation=f"eval {number}", metric="accuracy", value=0.1, n=100),
        finished="2026-05-01",
        provenance=Provenance(format="bench"),
    )


def cited(number: int, record: Evidence) -> Node:
    link = Cited(record=record.id, digest=record.digest, producer="p", produced_on=date(2026, 5, 1), model="m")
    confidence = Confidence(low=0.9999, high=1.0, basis="one-sided bound")
    return Node(id=f"E{number}", kind="evidence", text="A result.", author="alice", cited=link, confidence=confidence)


def layered(nodes: int, width: int, records: tuple[Evidence, ...]) -> tuple[Node, ...]:
    """Give layers of claims, each resting on two of the layer below, so that paths double with each layer."""
    made: list[Node] = []
    below = [f"E{number}" for number in range(len(records))]
    layer = 0
    while len(made) + len(records) < nodes - 1:
        here: list[str] = []
        for number in range(min(width, nodes - 1 - len(made) - len(records))):
            name = f"G{layer}-{number}"
            first = number % len(below)
            support = dict.fromkeys((below[first], below[(first + 1) % len(below)]))
            if layer == 0:
                support = dict.fromkeys(below[number::width])
            together = ("all", "product") if layer % 20 == 0 else ("any", "convergent")
            aggregation: Any = together[number % 2]
            made.append(
                Node(id=name, kind="claim", text=f"Claim {name} about m.", supported_by=tuple(support), author="alice",
                     aggregation=aggregation, why="they suffice")
            )  # fmt: skip
            here.append(name)
        below, layer = here, layer + 1
    used = {name for node in made for name in node.supported_by}
    below = [node.id for node in reversed(made) if node.id not in used]
    top = Node(id="TOP", kind="claim", text="m is safe", supported_by=tuple(below), aggregation="convergent", why="so",
               author="alice", falsifier="a result", source="threshold:T1")  # fmt: skip
    return (top, *reversed(made), *(cited(number, record) for number, record in enumerate(records)))


def a_case(nodes: int, width: int, records: tuple[Evidence, ...]) -> SafetyCase:
    doubts = tuple(
        Node(id=f"D{number}", kind="defeater", text="A doubt.", challenges=(f"G0-{number}",), author="bob",
             doubt=Doubt(effect="caps", cap=0.9))
        for number in range(min(10, width))
    )  # fmt: skip
    return SafetyCase(
        id="bench", model="m", actions=("general",), thresholds=("T1",), author="alice",
        period=Period.model_validate({"from": "2026-01-01", "until": "2026-12-31"}),
        nodes=(*layered(nodes - len(doubts), width, records), *doubts),
    )  # fmt: skip


def fresh(case: SafetyCase) -> SafetyCase:
    """Give the same case with nothing computed yet."""
    return SafetyCase.model_validate(case.model_dump())


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def everything(case: SafetyCase, context: CaseContext) -> object:
    looked = examine(case, context)
    return looked.findings, looked.confidence


def reviewed(case: SafetyCase) -> tuple[Review, ...]:
    return tuple(
        Review(node=name, digest=seen, reviewer="carol", verdict="agrees") for name, seen in hashes(case).items()
    )


def without_memory(done: Pass, name: str) -> Span:
    """Give a node's confidence by the same rules, from those beneath, each computed anew for each use."""
    node = done.setting.case.by_id[name]
    spans = {child: without_memory(done, child) for child in node.supported_by}
    return value(Pass(done.setting, spans, done.unsupported, done.shared), node)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    records = tuple(a_record(number) for number in range(4_000))
    found: dict[str, Any] = {"nodes": {}}
    for size in (2_500, 5_000, 10_000):
        some = records[: size * 4 // 10]
        case = a_case(size, 100, some)
        assert len(case.nodes) == size
        context = CaseContext(EvidenceSet(records=some), AT, (Model(id="m"),), reviews=reviewed(case))
        copies = [fresh(case) for _ in range(3)]
        times = [seconds(lambda one=copy, x=context: everything(one, x)) for copy in copies]
        found["nodes"][str(size)] = round(min(times), 3)
        looked = examine(case, context)
        assert not looked.suspects
        assert looked.confidence.span.low > 0
        copy = fresh(case)
        found["confidence_alone"] = round(
            seconds(lambda one=copy, x=context: confidence_of(evaluate(Setting(one, x)))), 3
        )
    small = a_case(160, 8, records[:40])
    setting = Setting(small, CaseContext(EvidenceSet(records=records[:40]), AT, (Model(id="m"),)))
    done = confidence_of(evaluate(setting))
    pass_ = Pass(setting, {}, done.unsupported, done.shared)
    copies = [fresh(small) for _ in range(5)]
    memory = min(seconds(lambda one=copy: confidence_of(evaluate(Setting(one, setting.context)))) for copy in copies)
    again: list[Span] = []
    naive = seconds(lambda: again.append(without_memory(pass_, "TOP")))
    assert abs(again[0].low - done.span.low) < 1e-9
    found |= {"small_nodes": len(small.nodes), "small_seconds": round(memory, 4), "small_seconds_recursive": round(naive, 3),
              "times_faster_than_recursive": round(naive / memory), "target_seconds": TARGET_SECONDS}  # fmt: skip
    if arguments.json:
        print(json.dumps(found))
    else:
        print("case: SC01 to SC16, confidence, sensitivity, hashes and review states, CPU seconds")
        for size, value_ in found["nodes"].items():
            print(f"  {size:>6} nodes  {value_:6.3f} s")
        print(f"  confidence and sensitivity of the largest, with what they need: {found['confidence_alone']} s")
        print(f"  {len(small.nodes)} nodes in layers: {memory:.4f} s; recursion that remembers nothing: {naive:.2f} s")
    return 0 if found["nodes"]["10000"] < TARGET_SECONDS else 1


if __name__ == "__main__":
    raise SystemExit(main())

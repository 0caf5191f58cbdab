# SPDX-License-Identifier: Apache-2.0
"""The smallest cases that a test can name; and the published figures and the demo's own runs, assessed."""

from datetime import date
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from factories import TODAY, a_model, a_policy, a_record, a_set, a_threshold
from tidegate.assess import Assessment, assess
from tidegate.case.graph import graph
from tidegate.case.load import LoadedCase, load_case_text
from tidegate.case.model import Cited, Confidence, Doubt, Node, Period, Review, SafetyCase
from tidegate.case.review import hashes_of
from tidegate.case.setting import CaseContext
from tidegate.evidence.formats import import_file
from tidegate.evidence.importing import Declared
from tidegate.evidence.model import Evidence, EvidenceSet, merge
from tidegate.evidence.models import Model
from tidegate.kernel.documents import parse_document, validate_part
from tidegate.policy.load import load_pack, load_policy_text
from tidegate.policy.model import Policy

RECORD = a_record("r1")
OTHER = a_record("r2")


def a_claim(name: str, *below: str, **parts: Any) -> Node:
    given: dict[str, Any] = {"aggregation": "all", "why": "they suffice"} if len(below) > 1 else {}
    given |= {"text": f"{name} holds of m", "author": "alice", "supported_by": below}
    return Node(id=name, kind="claim", **{**given, **parts})


def a_proof(name: str = "E1", record: Evidence = RECORD, low: float | None = 0.9, **parts: Any) -> Node:
    cited = parts.pop("cited", {})
    given: dict[str, Any] = {"text": f"result {name}", "author": "alice"}
    if low is not None:
        given["confidence"] = Confidence(low=low, high=parts.pop("high", 1.0), basis="judged")
    link = {"record": record.id, "digest": record.digest, "producer": "lab", "produced_on": "2026-01-15", "model": "m"}
    return Node(id=name, kind="evidence", cited=Cited(**{**link, **cited}), **{**given, **parts})


def a_doubt(name: str, *targets: str, **parts: Any) -> Node:
    doubt = Doubt(**parts.pop("doubt", {}))
    return Node(id=name, kind="defeater", text="but", author="bob", challenges=targets, doubt=doubt, **parts)


def a_case(*nodes: Node, **parts: Any) -> SafetyCase:
    given = {
        "id": "c",
        "model": "m",
        "author": "alice",
        "actions": ("general",),
        "thresholds": ("T1",),
        "period": Period.model_validate({"from": "2026-01-01", "until": "2026-12-31"}),
        "nodes": nodes or (a_top("E1"), a_proof()),
    }
    return SafetyCase(**{**given, **parts})


def a_top(*below: str, **parts: Any) -> Node:
    given = {"falsifier": "a higher result", "source": "threshold:T1", "text": "m is safe enough"}
    return a_claim("TOP", *below, **{**given, **parts})


def agreed(case: SafetyCase, reviewer: str = "carol", verdict: Any = "agrees") -> tuple[Review, ...]:
    """Give the reviews of somebody who agrees with every node as it is."""
    found = hashes_of(graph(case))
    return tuple(Review(node=name, digest=seen, reviewer=reviewer, verdict=verdict) for name, seen in found.items())


def a_context(case: SafetyCase | LoadedCase | None = None, **parts: Any) -> CaseContext:
    """Give a context in which the case, if one is given, is reviewed as it is."""
    loaded = case if isinstance(case, LoadedCase) else None
    the_case = loaded.case if loaded is not None else case
    given: dict[str, Any] = {
        "evidence": a_set(RECORD, OTHER),
        "at": TODAY,
        "models": (a_model("m"),),
        "policy": a_policy(a_threshold("T1")),
        "reviews": agreed(the_case) if isinstance(the_case, SafetyCase) else (),
        "places": loaded.places if loaded is not None else {},
    }
    return CaseContext(**{**given, **parts})


def loaded_case(nodes: str, head: str = "", modules: dict[str, str] | None = None) -> LoadedCase:
    """Give a case from the YAML of its nodes."""
    start = """\
schema: tidegate/case/v1
id: c
model: m
author: alice
actions: [general]
period: {from: 2026-01-01, until: 2026-12-31}
thresholds: [T1]
"""
    return load_case_text(f"{start}{head}nodes:\n{nodes}", "case.yaml", modules)


# --- the published figures, assessed -----------------------------------------------------------------


AT = date(2026, 11, 21)


class World(NamedTuple):
    policy: Policy
    assessment: Assessment
    evidence: EvidenceSet
    models: tuple[Model, ...]

    @property
    def context(self) -> CaseContext:
        return CaseContext(evidence=self.evidence, at=AT, models=self.models, policy=self.policy)


@cache
def evidence_and_models() -> tuple[EvidenceSet, tuple[Model, ...]]:
    packs = resources.files("tidegate.packs")
    with resources.as_file(packs) as folder:
        sets = [import_file(path).evidence for path in sorted((folder / "published").glob("*.yaml"))]
        runs = sorted((folder / "demo" / "runs").glob("*.eval"))
        sets += [import_file(path, declared=Declared(model=path.stem)).evidence for path in runs]
    document = parse_document((packs / "demo" / "models.yaml").read_bytes(), "models.yaml")
    models = [validate_part(document, Model, ("models", number)) for number in range(len(document.data["models"]))]
    stand_ins = {record.subject.model for one in sets for record in one.records if "stand-in" in record.subject.model}
    known = {name for model in models for name in model.names}
    models += [Model(id=name) for name in sorted(stand_ins) if name not in known]
    return merge(sets), tuple(models)


@cache
def world(pack: str) -> World:
    evidence, models = evidence_and_models()
    if pack == "demo":
        text = (resources.files("tidegate.packs") / "demo" / "policy.yaml").read_text(encoding="utf-8")
        policy = load_policy_text(text).policy
    else:
        policy = load_pack(pack).policy
    return World(policy, assess(policy, evidence, models, AT), evidence, models)

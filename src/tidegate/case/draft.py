# SPDX-License-Identifier: Apache-2.0
"""What every template needs: nodes being collected, the head of the case, and records cited as evidence."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.assess.model import Assessment, ModelAssessment
from tidegate.case.model import Cited, Confidence, Kind, Node, Period, Template
from tidegate.evidence.model import Evidence, EvidenceSet
from tidegate.evidence.models import Model
from tidegate.kernel.canonical import digest
from tidegate.kernel.duration import approximate_days
from tidegate.kernel.record import Record
from tidegate.policy.model import Action, Policy

MAX_ID = 110
"""Longer ids are cut, and end in a digest of the whole."""

ACTION_WORDS: dict[Action, str] = {
    "train": "training",
    "internal_use": "internal use",
    "limited": "limited deployment",
    "general": "general deployment",
    "open_weights": "release of its weights",
}
"""Each action in words."""


class CaseRequest(Record):
    """Which case is wanted."""

    model: str
    """Model."""
    template: Template = "inability"
    """What is to be argued."""
    author: str
    """Who answers for the case."""
    actions: tuple[Action, ...] = ()
    """Actions to argue for; none means those in which the model is deployed, or general deployment."""
    period: Period | None = None
    """For how long; none means from the day of the assessment until the policy asks for the next one."""
    thresholds: tuple[str, ...] = ()
    """Thresholds to argue about; none means those that require something for the actions."""


@dataclass(frozen=True)
class Basis:
    """What a case is built from."""

    policy: Policy
    assessment: Assessment
    assessed: ModelAssessment
    evidence: EvidenceSet
    model: Model
    actions: tuple[Action, ...]
    period: Period
    records: Mapping[str, Evidence] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The model and its snapshot, in words."""
        snapshot = self.assessed.snapshot
        return self.model.title + (f" (snapshot {snapshot})" if snapshot else "")

    @property
    def deployment(self) -> str:
        """The actions, in words."""
        return listed(ACTION_WORDS[one] for one in self.actions)


class Draft:
    """The nodes of a case while it is being built, each id once."""

    def __init__(self, author: str) -> None:
        self._author = author
        self._nodes: dict[str, Node] = {}

    def add(self, name: str, kind: Kind, text: str, **parts: Any) -> str:
        """Add a node, unless one of this id is there already, and give its id."""
        node_id = short(name)
        if node_id not in self._nodes:
            below, context = parts.pop("below", ()), parts.pop("context", ())
            self._nodes[node_id] = Node(
                id=node_id,
                kind=kind,
                text=text,
                supported_by=tuple(below),
                in_context_of=tuple(context),
                author=self._author,
                origin="generated",
                undeveloped=kind in ("claim", "strategy") and not below,
                **parts,
            )
        return node_id

    def cite(self, record: Evidence, confidence: Confidence | None = None, **limits: Any) -> str:
        """Add a record as evidence, and give the node's id. Cited twice, the stricter of what is said counts.

        Args:
            record: the record.
            confidence: confidence in what it shows.
            limits: ``max_age`` and ``ends_on``, besides what the record says itself.
        """
        name = short(f"E/{record.id}")
        known = self._nodes.get(name)
        own = (record.valid_until_event,) if record.valid_until_event else ()
        before = known.cited if known is not None and known.cited is not None else Cited()
        ages = [one for one in (before.max_age, limits.get("max_age")) if one is not None]
        cited = Cited(
            record=record.id,
            digest=record.digest,
            producer=producer(record),
            produced_on=record.result_day,
            model=record.subject.model,
            snapshot=record.subject.snapshot,
            valid_until=record.valid_until,
            max_age=min(ages, key=approximate_days, default=None),
            ends_on=tuple(dict.fromkeys((*before.ends_on, *own, *limits.get("ends_on", ())))),
        )
        if known is None:
            source = f"evidence:{record.id}"
            return self.add(name, "evidence", described(record), cited=cited, confidence=confidence, source=source)
        stated = [one for one in (known.confidence, confidence) if one is not None]
        lower = min(stated, key=lambda one: one.low, default=None)
        self._nodes[name] = known.model_copy(update={"cited": cited, "confidence": lower})
        return name

    def nodes(self, top: str) -> tuple[Node, ...]:
        """Give the nodes as people read them: each before what supports it, with its context and its doubts."""
        doubts: dict[str, list[str]] = {}
        for node in self._nodes.values():
            for target in node.challenges:
                doubts.setdefault(target, []).append(node.id)
        found: dict[str, Node] = {}
        pending = [top]
        while pending:
            name = pending.pop()
            if name not in found:
                node = found[name] = self._nodes[name]
                pending += reversed([*node.in_context_of, *doubts.get(name, ()), *node.supported_by])
        return (*found.values(), *(node for name, node in self._nodes.items() if name not in found))


def short(name: str) -> str:
    """Give an id that a node can have: cut if it is long, with other characters replaced, and then told apart."""
    clean = re.sub(r"[^A-Za-z0-9._+@:/-]", "-", name)
    if clean == name and len(name) <= MAX_ID:
        return name
    return f"{clean[:MAX_ID]}-{digest(name)[7:15]}"


def producer(record: Evidence) -> str | None:
    """Give who produced a record, as far as it says: the evaluator, who signed it, the source, or the tool."""
    named = record.evaluator.name or ", ".join(record.signed_by) or record.provenance.title or record.provenance.tool
    if named:
        return named
    return None if record.evaluator.relation == "unstated" else f"{record.evaluator.relation} evaluator"


def described(record: Evidence) -> str:
    """Give a record in one line: what was measured, and what came out."""
    if record.measurement is None:
        about = listed(record.criteria) or record.id
        return f"{record.kind.replace('_', ' ')} about {about}: {record.outcome}".capitalize()
    measured = record.measurement
    figure = "no figure" if measured.value is None else f"{measured.value:g} {measured.unit}"
    n = f", n = {measured.n}" if measured.n is not None else ""
    return f"{measured.evaluation}, {measured.metric}: {figure}{n}"


def listed(names: Iterable[str]) -> str:
    """Give names with commas, and ``and`` before the last."""
    found = list(names)
    return " and ".join(part for part in (", ".join(found[:-1]), found[-1]) if part) if found else ""

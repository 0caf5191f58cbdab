# SPDX-License-Identifier: Apache-2.0
"""A safety case as one graph: claims, strategies, evidence, context, assumptions, defeaters, indicators.

One internal form renders to GSN and to CAE: a claim is a goal, a strategy an argument, evidence a solution.
Defeaters point at what they challenge and indicators at what they watch, so that both can be added without
touching the file in which the challenged or watched node stands.
"""

from datetime import date
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from tidegate.kernel.canonical import plain
from tidegate.kernel.duration import Duration
from tidegate.kernel.record import Record
from tidegate.policy.model import Action, Line

SCHEMA_ID = "tidegate/case/v1"
EDGE = "->"
"""Between the two ends of an edge, in the address of an edge: ``G1->G2``."""

NodeId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+@:/-]{0,119}$")]
"""Id of a node: letters, digits and ``._+@:/-``, at most 120 characters."""
Target = Annotated[
    str,
    StringConstraints(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._+@:/-]{0,119}(->[A-Za-z0-9][A-Za-z0-9._+@:/-]{0,119})?$",
    ),
]
"""What a defeater challenges: a node (``G1``), or that one node supports another (``G1->G2``)."""
Prose = Annotated[str, StringConstraints(max_length=12_000)]
"""Words. Longer ones belong into a document that the case names."""

Kind = Literal["claim", "strategy", "evidence", "context", "assumption", "justification", "defeater", "indicator"]
"""Kind of node. In GSN: goal, strategy, solution, context, assumption, justification, counter goal, (context)."""

Aggregation = Literal["all", "any", "convergent", "product"]
"""How the nodes below suffice together.

``all``: every one is needed. ``any``: one suffices. ``convergent``: several lines point to the same claim.
``product``: each is stated given those before it, so that their probabilities multiply.
"""

Template = Literal["inability", "control", "trustworthiness", "deference", "safeguards-for-misuse"]
"""What the case argues: the model cannot, is kept from it, would not, is judged so by a trusted system;
or those who would misuse it are stopped."""

SUPPORTING: frozenset[Kind] = frozenset({"claim", "strategy", "evidence"})
"""Kinds that can support."""
CONTEXTUAL: frozenset[Kind] = frozenset({"context", "assumption", "justification"})
"""Kinds that something can be in context of."""


class Confidence(Record):
    """How probable a node is held to be, as an interval, and on what ground."""

    low: Annotated[float, Field(ge=0, le=1)]
    """Lower bound."""
    high: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Upper bound."""
    basis: Prose = ""
    """On what ground."""

    @model_validator(mode="after")
    def _low_is_below_high(self) -> "Confidence":
        if self.low > self.high:
            raise ValueError(f"the lower bound {self.low} is above the upper bound {self.high}")
        return self


class Cited(Record):
    """The record that an evidence node cites, and how long it holds."""

    record: str | None = None
    """Id of the evidence record; none for a document outside the evidence set."""
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    """Digest of the record, or of the document."""
    producer: str | None = None
    """Who produced it."""
    produced_on: date | None = None
    """The last day on which it can have come into being."""
    model: str | None = None
    """Model that was observed."""
    snapshot: str | None = None
    """Snapshot that was observed."""
    valid_until: date | None = None
    """Last day on which it holds."""
    max_age: Duration | None = None
    """How long after `produced_on` it holds."""
    ends_on: tuple[str, ...] = ()
    """Events that end it: ``new_snapshot``, ``policy_change``, ``incident`` ..."""
    similarity: Prose | None = None
    """For an observation of another model or snapshot: why it speaks for this one as well."""


class Doubt(Record):
    """What a defeater does, and where it stands."""

    state: Literal["open", "closed", "accepted"] = "open"
    """Open; closed, because a record refutes it; or accepted as a doubt that stays."""
    effect: Literal["blocks", "caps"] = "blocks"
    """Blocks: what it challenges counts as nothing. Caps: it counts for no more than `cap`."""
    cap: Annotated[float, Field(ge=0, le=1)] | None = None
    """The cap. An accepted doubt keeps it."""
    closed_by: str | None = None
    """Who closed or accepted it: not its author, and not the author of what it challenges."""
    closed_record: str | None = None
    """Evidence record, or digest of a document, that refutes it or says why it is accepted."""
    closed_on: date | None = None
    """When."""

    @model_validator(mode="after")
    def _a_cap_has_a_number(self) -> "Doubt":
        if self.effect == "caps" and self.cap is None:
            raise ValueError("a defeater that caps needs a cap")
        return self


class Watch(Record):
    """A performance indicator: what is measured while the case is in use, and which value calls for a review."""

    metric: str | None = None
    """What is measured."""
    bound: Line | None = None
    """The line that it must not cross."""
    window: Duration | None = None
    """How often it is read at least; an older reading is none."""
    last: float | None = None
    """The last reading."""
    last_on: date | None = None
    """When that was."""
    breached: bool = False
    """True if it is known to be breached, whatever the last reading says."""

    @property
    def is_breached(self) -> bool:
        """True if the last reading is on the concerning side of the bound, or a breach is recorded."""
        return self.breached or (
            self.last is not None and self.bound is not None and self.bound.is_crossed_by(self.last)
        )


class Node(Record):
    """One part of the argument."""

    id: NodeId
    """Unique in the case."""
    kind: Kind
    """Kind of node."""
    text: Prose = ""
    """What it says."""
    supported_by: tuple[NodeId, ...] = ()
    """Nodes that support it."""
    in_context_of: tuple[NodeId, ...] = ()
    """Context, assumptions and justifications that it is stated in."""
    challenges: tuple[Target, ...] = ()
    """For a defeater: nodes, or edges ``a->b``, that it casts doubt on."""
    monitors: tuple[NodeId, ...] = ()
    """For an indicator: claims or assumptions that it watches."""
    undeveloped: bool = False
    """True if it is known that its support is still missing."""
    author: str | None = None
    """Person who wrote it."""
    extended_by: tuple[str, ...] = ()
    """Persons whose hand-written file added to it."""
    confidence: Confidence | None = None
    """For a leaf: how probable it is. Elsewhere: how probable it is that the nodes below suffice."""
    falsifier: Prose | None = None
    """The observation that would prove it wrong."""
    origin: Literal["generated", "hand-written"] = "hand-written"
    """Whether a template made it, or a person."""
    source: str | None = None
    """What it came from: ``threshold:ID``, ``requirement:ID``, ``indicator:ID``, ``criterion:ID`` ..."""
    aggregation: Aggregation | None = None
    """How the nodes below suffice together."""
    why: Prose | None = None
    """Why the nodes below suffice."""
    independence: Prose | None = None
    """Why the nodes below are independent, if that is claimed."""
    cited: Cited | None = None
    """For evidence: the record that it cites."""
    owner: str | None = None
    """For an assumption: who answers for it."""
    review_on: date | None = None
    """For an assumption: the day by which it is looked at again."""
    doubt: Doubt | None = None
    """For a defeater: its state and effect. None given means that it is open and blocks."""
    watch: Watch | None = None
    """For an indicator: what is measured."""

    @property
    def authors(self) -> frozenset[str]:
        """Everybody who wrote a part of it."""
        return frozenset(name for name in (self.author, *self.extended_by) if name)

    @property
    def doubted(self) -> Doubt:
        """State and effect of a defeater, with the default made explicit."""
        return self.doubt or Doubt()

    @property
    def is_breached(self) -> bool:
        """True for an indicator whose bound is crossed."""
        return self.watch is not None and self.watch.is_breached

    @cached_property
    def content(self) -> dict[str, object]:
        """What its content hash covers: everything but the readings of an indicator, of which only a breach counts."""
        found: dict[str, object] = plain(self)
        if self.watch is None:
            return found
        watch = self.watch.model_copy(update={"last": None, "last_on": None, "breached": self.is_breached})
        return {**found, "watch": plain(watch)}


class Period(Record):
    """For how long the case is made."""

    from_: date | None = Field(alias="from", default=None)
    """First day."""
    until: date | None = None
    """Last day."""


class MadeFrom(Record):
    """What a generated case was made from."""

    policy: str
    """Label of the policy."""
    policy_digest: str
    """Its digest."""
    assessment_digest: str
    """Digest of the assessment."""
    at: date
    """Day that the assessment answers for."""


class SafetyCase(Record):
    """The argument that a model is safe enough for some actions, for a period, in view of some thresholds."""

    schema_: Literal["tidegate/case/v1"] = Field(alias="schema", default="tidegate/case/v1")
    """Names this format."""
    id: NodeId
    """Names the case through all its versions."""
    title: Prose = ""
    """Its title."""
    model: str
    """Model that it is about."""
    snapshot: str | None = None
    """Snapshot that it is about."""
    template: Template | None = None
    """Template that it was built from."""
    actions: tuple[Action, ...] = ()
    """Deployment scope: the actions that it argues for."""
    period: Period = Period()
    """For how long."""
    thresholds: tuple[str, ...] = ()
    """Thresholds of the policy that it argues about."""
    author: str | None = None
    """Who answers for it."""
    made_from: MadeFrom | None = None
    """What it was generated from."""
    includes: tuple[str, ...] = ()
    """Files that it is made of besides its own."""
    nodes: tuple[Node, ...] = ()
    """The nodes, those of included files first."""

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "SafetyCase":
        seen: set[str] = set()
        for node in self.nodes:
            if node.id in seen:
                raise ValueError(f"two nodes have the id {node.id!r}")
            seen.add(node.id)
        return self

    @cached_property
    def by_id(self) -> dict[str, Node]:
        """Nodes by id."""
        return {node.id: node for node in self.nodes}

    def node(self, node_id: str) -> Node | None:
        """Give the node of this id."""
        return self.by_id.get(node_id)


Severity = Literal["error", "warning", "note"]


class Review(Record):
    """What a reviewer said of one node, as the log has it."""

    node: str
    """Node."""
    digest: str
    """Content hash that the reviewer saw."""
    reviewer: str
    """Person who reviewed."""
    verdict: Literal["agrees", "disagrees"]
    """What they think."""


class CaseEvent(Record):
    """Something that happened and may end the validity of evidence."""

    kind: str
    """``new_snapshot``, ``policy_change``, ``incident`` ..."""
    on: date
    """When."""

# SPDX-License-Identifier: Apache-2.0
"""What a case is looked at with: evidence, models, policy, day, reviews and events; and which parts do not count."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

from tidegate.case.graph import Graph, graph
from tidegate.case.model import CaseEvent, Cited, Node, Review, SafetyCase
from tidegate.case.review import ReviewState, hashes_of, review_states
from tidegate.evidence.model import Evidence, EvidenceSet
from tidegate.evidence.models import Model
from tidegate.kernel.duration import add, first_day
from tidegate.kernel.errors import Where
from tidegate.policy.model import Policy

BLOCKING: frozenset[str] = frozenset(f"SC{number:02}" for number in range(1, 17)) - {"SC12", "SC15"}
"""Rules whose errors and warnings stand in the way of a decision. Shared sources (SC12) cost confidence by
themselves, and what no drawing shows (SC15) carries nothing."""

Place = tuple[str | int, ...]
"""A node's id, then the field and number in it, as far as known."""


@dataclass(frozen=True)
class CaseContext:
    """What a case is looked at with."""

    evidence: EvidenceSet
    at: date
    models: tuple[Model, ...] = ()
    policy: Policy | None = None
    reviews: tuple[Review, ...] = ()
    """Reviews of this case, in the order of the log."""
    events: tuple[CaseEvent, ...] = ()
    """What happened, apart from new snapshots and policies, which the models and the policy date themselves."""
    places: Mapping[Place, Where] = field(default_factory=dict)
    """Where the nodes stand, for messages."""
    blocking: frozenset[str] = BLOCKING
    """Rules that stand in the way of a decision."""


class Ground(NamedTuple):
    """Why a node does not count as support."""

    code: str
    """Rule."""
    message: str
    """In words."""
    hint: str
    """What to do."""
    path: tuple[str, ...] = ()
    """Field of the node."""


@dataclass(frozen=True)
class Setting:
    """A case in its context, with what both checks and confidence need, computed once."""

    case: SafetyCase
    context: CaseContext

    @cached_property
    def graph(self) -> Graph:
        """The graph."""
        return graph(self.case)

    @cached_property
    def hashes(self) -> dict[str, str]:
        """The content hash of every node."""
        return hashes_of(self.graph)

    @cached_property
    def reviews(self) -> dict[str, ReviewState]:
        """Where the review of every node stands."""
        return review_states(self.graph, self.hashes, self.context.reviews)

    @cached_property
    def records(self) -> dict[str, Evidence]:
        """Evidence records by id."""
        return {record.id: record for record in self.context.evidence.records}

    @cached_property
    def restated(self) -> dict[str, str]:
        """Record -> what took it out of the set by the day, in words."""
        return {
            one.supersedes: f"restated by {one.by}" if one.by else "retracted"
            for one in self.context.evidence.restatements
            if one.on is None or first_day(one.on) <= self.context.at
        }

    @cached_property
    def model(self) -> Model | None:
        """The model that the case is about, if it is known."""
        name = self.case.model.casefold()
        return next((one for one in self.context.models if name in one.names), None)

    @cached_property
    def snapshots(self) -> frozenset[str]:
        """The snapshot that the case is about, and those declared equivalent to it."""
        found = self.model.snapshot(self.case.snapshot) if self.model and self.case.snapshot else None
        return frozenset((self.case.snapshot or "", *(found.equivalent_to if found else ())))

    @cached_property
    def events(self) -> tuple[CaseEvent, ...]:
        """What happened up to the day, with the events that models and policy date themselves."""
        dated = [CaseEvent(kind="new_snapshot", on=first_day(one.created)) for one in _snapshots(self.model)]
        policy = self.context.policy
        if policy is not None and policy.effective is not None:
            dated.append(CaseEvent(kind="policy_change", on=policy.effective))
        return tuple(one for one in (*self.context.events, *dated) if one.on <= self.context.at)

    @cached_property
    def grounds(self) -> dict[str, tuple[Ground, ...]]:
        """Evidence and assumptions that do not count, each with every reason."""
        found: dict[str, list[Ground]] = defaultdict(list)
        for node in self.case.nodes:
            for check in _GROUNDS.get(node.kind, ()):
                found[node.id] += check(self, node)
        return {node_id: tuple(reasons) for node_id, reasons in found.items() if reasons}

    def record(self, node: Node) -> Evidence | None:
        """Give the evidence record that a node cites, if the set has it."""
        return self.records.get(node.cited.record) if node.cited and node.cited.record else None

    def is_about_the_model(self, name: str) -> bool:
        """True if `name` is a name of the model, or stands for every model."""
        names = self.model.names if self.model else frozenset((self.case.model.casefold(),))
        return name == "*" or name.casefold() in names


class _Dated(NamedTuple):
    id: str
    created: str


def _snapshots(model: Model | None) -> list[_Dated]:
    return [_Dated(one.id, one.created) for one in model.snapshots if one.created] if model else []


# --- evidence: SC07 and SC08 ---------------------------------------------------------------------------


def _identified(setting: Setting, node: Node) -> Iterator[Ground]:
    """Evidence names its record, digest, producer, date and model, and the record is what it was."""
    cited = node.cited or Cited()
    if node.cited is None:
        yield Ground("SC07", "it cites no record", "add `cited` with record, digest, producer, date and model")
        return
    parts = (("digest", cited.digest), ("producer", cited.producer), ("produced_on", cited.produced_on))
    for name, value in (*parts, ("model", cited.model)):
        if value is None:
            words = {"produced_on": "date"}.get(name, name)
            yield Ground("SC07", f"its {words} is not stated", f"add `{name}` to `cited`", ("cited",))
    if cited.record is not None:
        yield from _recorded(setting, node, cited)


def _recorded(setting: Setting, node: Node, cited: Cited) -> Iterator[Ground]:
    record = setting.record(node)
    at = ("cited", "record")
    if record is None:
        hint = "import the record, or cite another"
        yield Ground("SC07", f"the evidence set has no record {cited.record!r}", hint, at)
        return
    if cited.digest is not None and cited.digest != record.digest:
        hint = "look at the record again, and cite the digest that it has now"
        yield Ground("SC07", f"the record {record.id} is not what the cited digest says", hint, ("cited", "digest"))
    if record.id in setting.restated:
        yield Ground("SC07", f"the record {record.id} was {setting.restated[record.id]}", "cite what counts now", at)
    if record.known_on is not None and record.known_on > setting.context.at:
        yield Ground("SC07", f"the record {record.id} was not known yet", "ask about a later day", at)
    if record.outcome == "fail":
        yield Ground("SC07", f"the record {record.id} reports a failure", "it cannot support; make it a defeater", at)
    if any(remark.blocks_rule_out for remark in record.remarks):
        hint = "cite a record that the importer found fit"
        yield Ground("SC07", f"the importer found the record {record.id} unfit to carry a rule-out", hint, at)


def _in_validity(setting: Setting, node: Node) -> Iterator[Ground]:
    """Evidence lies within its validity: maximum age, last day, and no event that ends it."""
    cited, record, at = node.cited or Cited(), setting.record(node), setting.context.at
    produced = _produced(cited, record)
    hint = "bring newer evidence"
    if produced is not None and produced > at:
        yield Ground("SC07", f"it is dated {produced.isoformat()}, after the day asked about", "correct the date")
    if produced is not None and cited.max_age is not None and add(produced, cited.max_age) < at:
        message = f"it is of {produced.isoformat()}, older than {cited.max_age}"
        yield Ground("SC07", message, hint, ("cited", "max_age"))
    ends = [one for one in (cited.valid_until, record.valid_until if record else None) if one is not None]
    if ends and min(ends) < at:
        yield Ground("SC07", f"it held until {min(ends).isoformat()}", hint, ("cited", "valid_until"))
    ended = record.ended_by_event if record else None
    if ended is not None and ended <= at:
        yield Ground("SC07", f"{record.valid_until_event if record else 'an event'} ended it on {ended}", hint)
    events = {*cited.ends_on, *((record.valid_until_event,) if record and record.valid_until_event else ())}
    for event in setting.events:
        # Something of the same day may have come later, so it ends the evidence too; its own snapshot does not.
        if event.kind in events and produced is not None and event.on >= produced and not _is_own(setting, node, event):
            message = f"{event.kind} of {event.on.isoformat()} ended it"
            yield Ground("SC07", message, hint, ("cited", "ends_on"))
            return


def _produced(cited: Cited, record: Evidence | None) -> date | None:
    """Give from which day the age counts: the earlier of what the node and what the record say."""
    days = [one for one in (cited.produced_on, record.earliest_day if record else None) if one is not None]
    return min(days, default=None)


def _is_own(setting: Setting, node: Node, event: CaseEvent) -> bool:
    """True if the event is the making of the very snapshot that was observed."""
    cited = node.cited or Cited()
    made = [one for one in _snapshots(setting.model) if one.id == cited.snapshot]
    return event.kind == "new_snapshot" and any(first_day(one.created) == event.on for one in made)


def _about_this_model(setting: Setting, node: Node) -> Iterator[Ground]:
    """Evidence about another model or snapshot says why it speaks for this one."""
    cited, record = node.cited or Cited(), setting.record(node)
    hint = "add `similarity` to `cited`: why what was observed there holds here as well"
    models = {name for name in (cited.model, record.subject.model if record else None) if name}
    others = sorted(name for name in models if not setting.is_about_the_model(name))
    if others and not cited.similarity:
        yield Ground("SC08", f"it is about {others[0]}, and no warrant of similarity is given", hint, ("cited",))
        return
    snapshots = {name for name in (cited.snapshot, record.subject.snapshot if record else None) if name}
    strange = sorted(snapshots - setting.snapshots)
    if setting.case.snapshot and strange and not others and not cited.similarity:
        message = f"it is about the snapshot {strange[0]}, and no warrant of similarity is given"
        yield Ground("SC08", message, hint, ("cited",))


# --- assumptions: SC06 ---------------------------------------------------------------------------------


def _answered_for(setting: Setting, node: Node) -> Iterator[Ground]:
    """An assumption has an owner, and a day of review that has not passed."""
    if not node.owner:
        yield Ground("SC06", "nobody owns it", "add `owner`: who answers for it")
    if node.review_on is None:
        yield Ground("SC06", "it has no day of review", "add `review_on`: by when it is looked at again")
    elif node.review_on < setting.context.at:
        message = f"its review was due on {node.review_on.isoformat()}"
        yield Ground("SC06", message, "look at it again, and set the next day", ("review_on",))


_GROUNDS: dict[str, tuple[Callable[[Setting, Node], Iterator[Ground]], ...]] = {
    "evidence": (_identified, _in_validity, _about_this_model),
    "assumption": (_answered_for,),
}

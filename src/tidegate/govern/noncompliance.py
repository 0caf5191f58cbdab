# SPDX-License-Identifier: Apache-2.0
"""Noncompliance cases: the states that a report goes through, and what the log says about each case.

The log holds dates, states, managers and salted digests. Who reported, who is implicated and what was said stands
in sealed messages only, so nothing here knows it.
Whatever in the log breaks the rules has no effect and is listed with its reason: nothing here raises on a log.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple, cast

from pydantic import Field

from tidegate.govern.keyring import KEEPER, Keyring
from tidegate.govern.sealing import proof_bytes
from tidegate.kernel.clock import day_of
from tidegate.kernel.duration import add
from tidegate.kernel.errors import CaseworkError, Problem
from tidegate.kernel.record import Record
from tidegate.ledger.acts import (
    HoldLifted,
    HoldPlaced,
    NoncomplianceClosed,
    NoncomplianceMoved,
    NoncomplianceNoted,
    NoncomplianceOpened,
    RetaliationRecorded,
    Sealed,
    SealedErased,
)
from tidegate.ledger.entries import Entry
from tidegate.ledger.keys import verify_signature

State = Literal["received", "triaged", "investigating", "substantiated", "corrective_action", "appealed", "closed"]
Outcome = Literal["substantiated", "partly_substantiated", "unsubstantiated", "withdrawn", "out_of_scope"]
Direction = Literal["report", "from_reporter", "to_reporter", "internal"]
RetaliationState = Literal["reported", "investigating", "found", "not_found", "remedied"]
Check = Callable[[int, Entry], str | None]
"""Says why an entry's signature does not count; none if it does."""

KEEPERS_ACTS = frozenset({"sealed.erased", "hold.placed", "hold.lifted"})
RETENTION = "P5Y"
"""California, New York and Illinois ask for five years, unredacted."""
COPY = "copy"
"""Name under which a note says, by digest, which content it holds anew for other keys."""
STATES: tuple[State, ...] = (
    "received",
    "triaged",
    "investigating",
    "substantiated",
    "corrective_action",
    "appealed",
    "closed",
)
MOVES: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        "received": frozenset({"triaged"}),
        "triaged": frozenset({"investigating"}),
        "investigating": frozenset({"substantiated"}),
        "substantiated": frozenset({"corrective_action"}),
        "corrective_action": frozenset(),
        "appealed": frozenset({"investigating"}),
        "closed": frozenset({"appealed"}),
    }
)
"""State -> states that follow it, closing aside."""
CLOSINGS: Mapping[State, frozenset[Outcome]] = MappingProxyType(
    {
        "received": frozenset({"withdrawn", "out_of_scope"}),
        "triaged": frozenset({"withdrawn", "out_of_scope"}),
        "investigating": frozenset({"unsubstantiated", "withdrawn", "out_of_scope"}),
        "substantiated": frozenset({"substantiated", "partly_substantiated"}),
        "corrective_action": frozenset({"substantiated", "partly_substantiated"}),
        "appealed": frozenset(
            {"substantiated", "partly_substantiated", "unsubstantiated", "withdrawn", "out_of_scope"}
        ),
        "closed": frozenset(),
    }
)
"""State -> outcomes with which a case may be closed from it. An appeal that is turned down keeps its outcome."""
RETALIATION_MOVES: Mapping[RetaliationState, frozenset[RetaliationState]] = MappingProxyType(
    {
        "reported": frozenset({"investigating"}),
        "investigating": frozenset({"found", "not_found"}),
        "found": frozenset({"remedied"}),
        "not_found": frozenset({"investigating"}),
        "remedied": frozenset(),
    }
)
"""State of a report of retaliation -> states that follow it."""


class Step(Record):
    """A case came into a state."""

    index: int
    """Entry of the log."""
    on: date
    """Day; never before the step before it."""
    state: State
    """The state."""
    by: str | None = None
    """Who moved it; none for the report itself."""
    outcome: Outcome | None = None
    """Outcome, for a closing."""
    corrected: bool = False
    """For a closing: whether what was wrong has been put right."""


class Content(Record):
    """A sealed message of a case."""

    index: int
    """Entry of the log."""
    on: date
    """Day."""
    direction: Direction
    """Who writes to whom."""
    by: str | None = None
    """Manager who wrote it; none for the reporter."""
    digest: str
    """Its salted digest."""
    retain_until: date | None = None
    """Last day of its retention."""
    copy_of: str | None = None
    """Digest of the content that it holds anew, for other keys."""


class CaseFile(Record):
    """What the log says about a case."""

    id: str
    """Its id."""
    category: str
    """What kind of commitment is said to be broken."""
    is_anonymous: bool
    """True if the reporter is named to nobody."""
    reporter_key: str | None = None
    """Public half of the case key."""
    route: str
    """Role or body that it went to."""
    managers: tuple[str, ...]
    """Who handles it."""
    is_material: bool = False
    """True if it is materially unsafe."""
    material_on: date | None = None
    """Since when that is known."""
    steps: tuple[Step, ...]
    """States, oldest first."""
    contents: tuple[Content, ...]
    """Sealed messages, oldest first."""

    @property
    def opened(self) -> date:
        """Day on which it came in."""
        return self.steps[0].on

    @property
    def state(self) -> State:
        """Its state."""
        return self.steps[-1].state

    @property
    def outcome(self) -> Outcome | None:
        """Its outcome, if it is closed."""
        return self.steps[-1].outcome

    @property
    def closed(self) -> date | None:
        """Day on which it was closed, if it is."""
        return self.steps[-1].on if self.state == "closed" else None

    @property
    def last_outcome(self) -> Outcome | None:
        """Outcome of its last closing."""
        return next((step.outcome for step in reversed(self.steps) if step.outcome is not None), None)

    def at(self, day: date) -> Step | None:
        """Give the step that it stood at, at the end of a day; none before it came in."""
        return next((step for step in reversed(self.steps) if step.on <= day), None)

    def retained_until(self, retention: str = RETENTION) -> date | None:
        """Give the last day of the retention of all that belongs to it; none while it is open.

        It runs from closing, and ends for no part before the day that was set when the part came in.
        """
        if self.closed is None:
            return None
        return max((add(self.closed, retention), *(one.retain_until for one in self.contents if one.retain_until)))


class Retaliation(Record):
    """What the log says about a report of retaliation."""

    id: str
    """Its id."""
    case: str | None = None
    """Case that it is about."""
    managers: tuple[str, ...]
    """Who handles it."""
    steps: Annotated[tuple[tuple[date, RetaliationState], ...], Field(min_length=1)]
    """States with their days, oldest first."""
    contents: tuple[Content, ...] = ()
    """What was said, sealed."""

    @property
    def state(self) -> RetaliationState:
        """Its state."""
        return self.steps[-1][1]

    @property
    def reported(self) -> date:
        """Day on which it was reported."""
        return self.steps[0][0]

    def at(self, day: date) -> RetaliationState | None:
        """Give its state at the end of a day; none before it was reported."""
        return next((state for on, state in reversed(self.steps) if on <= day), None)


class Erasure(NamedTuple):
    """Content that was erased."""

    on: date
    by: str | None
    ground: str


class Hold(NamedTuple):
    """A legal hold."""

    hold: str
    placed: date
    by: str | None
    digests: tuple[str, ...]
    reason: str
    lifted: date | None = None


class Void(NamedTuple):
    """An entry without effect."""

    entry: int
    kind: str
    case: str
    reason: str


@dataclass(frozen=True)
class Casework:
    """All that the log says about noncompliance, and about what is sealed."""

    cases: Mapping[str, CaseFile] = field(default_factory=dict)
    retaliation: Mapping[str, Retaliation] = field(default_factory=dict)
    erased: Mapping[str, Erasure] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)
    voids: tuple[Void, ...] = ()

    def held_by(self, digest: str) -> Hold | None:
        """Give a legal hold that covers content."""
        held = (hold for hold in self.holds.values() if hold.lifted is None)
        return next((hold for hold in held if not hold.digests or digest in hold.digests), None)


def may_handle(case: CaseFile | Retaliation, person: str | None) -> str | None:
    """Say why a person may not act on a case; nothing if they may."""
    if person is None:
        return "it names nobody"
    return None if person in case.managers else f"{person} does not handle {case.id}"


def why_not_moved(case: CaseFile, body: NoncomplianceMoved) -> str | None:
    """Say why a case cannot go this way; nothing if it can.

    A case may stay in its state for getting other managers, or for being found material; a closed case stays as it is
    until it is appealed.
    """
    if body.to == case.state and (body.managers or body.is_material):
        return None
    if body.to in MOVES[case.state]:
        return None
    ways = [*sorted(MOVES[case.state]), *(["closed"] if CLOSINGS[case.state] else [])]
    return f"{case.id} is {_words(case.state)}; from there it goes to {' or '.join(map(_words, ways))}, not to {_words(body.to)}"


def why_not_closed(case: CaseFile, body: NoncomplianceClosed) -> str | None:
    """Say why a case cannot be closed so; nothing if it can."""
    allowed = CLOSINGS[case.state]
    if case.state == "appealed":
        allowed = frozenset({case.last_outcome}) if case.last_outcome else frozenset()
    if not allowed:
        return f"{case.id} is {_words(case.state)} and cannot be closed"
    if body.outcome not in allowed:
        outcomes = " or ".join(map(_words, sorted(allowed)))
        return f"{case.id} is {_words(case.state)}; it can be closed as {outcomes}, not as {_words(body.outcome)}"
    if body.corrected and case.state not in ("corrective_action", "appealed"):
        return f"{case.id} saw no corrective action, so that nothing was put right"
    return None


def why_not_retaliation(known: Retaliation | None, body: RetaliationRecorded) -> str | None:
    """Say why a report of retaliation cannot go this way; nothing if it can."""
    if known is None:
        return None if body.state == "reported" else f"{body.report} was never reported"
    if body.state in RETALIATION_MOVES[known.state] or (body.state == known.state and body.managers):
        return None
    ways = " or ".join(map(_words, sorted(RETALIATION_MOVES[known.state]))) or "nothing further"
    return f"{body.report} is {_words(known.state)}; from there it goes to {ways}, not to {_words(body.state)}"


def _words(name: str) -> str:
    return name.replace("_", " ")


# --- the fold ------------------------------------------------------------------------------------


@dataclass
class _Fold:
    check: Check
    cases: dict[str, CaseFile] = field(default_factory=dict)
    retaliation: dict[str, Retaliation] = field(default_factory=dict)
    erased: dict[str, Erasure] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    digests: set[str] = field(default_factory=set)

    def unsigned(self, index: int, entry: Entry) -> str | None:
        """Say why an entry is not signed by whom it names; nothing if it is."""
        if entry.by is None or entry.signature is None:
            return "not signed"
        return self.check(index, entry)

    def opened(self, index: int, entry: Entry, body: NoncomplianceOpened) -> str | None:
        if body.case in self.cases:
            return "a case of this id came in before"
        if body.content.digest in self.digests:
            return "its content belongs to another report"
        on = day_of(entry.acted_at)
        self.digests.add(body.content.digest)
        self.cases[body.case] = CaseFile(
            id=body.case,
            category=body.category,
            is_anonymous=body.is_anonymous,
            reporter_key=body.reporter_key,
            route=body.route,
            managers=body.managers,
            steps=(Step(index=index, on=on, state="received"),),
            contents=(_content(index, on, "report", body.content),),
        )
        return None

    def noted(self, index: int, entry: Entry, body: NoncomplianceNoted) -> str | None:
        case = self.cases.get(body.case)
        if case is None:
            return "there is no such case"
        if body.content.digest in self.digests:
            return "its content stands elsewhere already"
        if body.direction == "from_reporter":
            reason = self._not_from_reporter(case, entry, body)
        else:
            reason = may_handle(case, entry.by) or self.unsigned(index, entry)
        copy_of = next((one.digest for one in entry.over if one.name == COPY), None)
        if copy_of is not None and copy_of not in {one.digest for one in case.contents}:
            reason = reason or "it copies what does not belong to the case"
        if reason is not None:
            return reason
        self.digests.add(body.content.digest)
        on = max(day_of(entry.acted_at), case.opened)
        made = _content(index, on, body.direction, body.content).model_copy(update={"by": entry.by, "copy_of": copy_of})
        self.cases[case.id] = case.model_copy(update={"contents": (*case.contents, made)})
        return None

    @staticmethod
    def _not_from_reporter(case: CaseFile, entry: Entry, body: NoncomplianceNoted) -> str | None:
        if entry.by is not None:
            return "a reporter's message names nobody"
        if case.reporter_key is None or body.proof is None:
            return "it lacks the reporter's proof"
        if not verify_signature(case.reporter_key, proof_bytes(case.id, body.content.digest), body.proof):
            return "the reporter's proof does not hold"
        return None

    def moved(self, index: int, entry: Entry, body: NoncomplianceMoved) -> str | None:
        case = self.cases.get(body.case)
        if case is None:
            return "there is no such case"
        reason = may_handle(case, entry.by) or self.unsigned(index, entry) or why_not_moved(case, body)
        if reason is not None:
            return reason
        on = max(day_of(entry.acted_at), case.steps[-1].on)
        changes: dict[str, object] = {}
        if body.to != case.state:
            changes["steps"] = (*case.steps, Step(index=index, on=on, state=body.to, by=entry.by))
        if body.managers:
            changes["managers"] = body.managers
        if body.is_material and not case.is_material:
            changes |= {"is_material": True, "material_on": on}
        self.cases[case.id] = case.model_copy(update=changes)
        return None

    def closed(self, index: int, entry: Entry, body: NoncomplianceClosed) -> str | None:
        case = self.cases.get(body.case)
        if case is None:
            return "there is no such case"
        reason = may_handle(case, entry.by) or self.unsigned(index, entry) or why_not_closed(case, body)
        if reason is not None:
            return reason
        on = max(day_of(entry.acted_at), case.steps[-1].on)
        step = Step(index=index, on=on, state="closed", by=entry.by, outcome=body.outcome, corrected=body.corrected)
        self.cases[case.id] = case.model_copy(update={"steps": (*case.steps, step)})
        return None

    def retaliated(self, index: int, entry: Entry, body: RetaliationRecorded) -> str | None:
        known = self.retaliation.get(body.report)
        reason = why_not_retaliation(known, body)
        if known is not None:
            reason = may_handle(known, entry.by) or self.unsigned(index, entry) or reason
        if body.content is not None and body.content.digest in self.digests:
            reason = reason or "its content stands elsewhere already"
        case = self.cases.get(body.case) if body.case else None
        managers = body.managers or (known.managers if known else ()) or (case.managers if case else ())
        if not managers:
            reason = reason or "nobody handles it"
        if reason is not None:
            return reason
        on = day_of(entry.acted_at) if known is None else max(day_of(entry.acted_at), known.steps[-1][0])
        contents = known.contents if known else ()
        if body.content is not None:
            self.digests.add(body.content.digest)
            kind: Direction = "report" if known is None else "internal"
            contents = (*contents, _content(index, on, kind, body.content).model_copy(update={"by": entry.by}))
        steps = (*(known.steps if known else ()), (on, body.state))
        about = known.case if known else body.case
        self.retaliation[body.report] = Retaliation(
            id=body.report, case=about, managers=managers, steps=steps, contents=contents
        )
        return None

    def sealed_erased(self, index: int, entry: Entry, body: SealedErased) -> str | None:
        reason = self.unsigned(index, entry)
        if reason is None:
            self.erased.setdefault(body.digest, Erasure(day_of(entry.acted_at), entry.by, body.ground))
        return reason

    def hold_placed(self, index: int, entry: Entry, body: HoldPlaced) -> str | None:
        if body.hold in self.holds:
            return "a hold of this id was placed before"
        reason = self.unsigned(index, entry)
        if reason is None:
            placed = Hold(body.hold, day_of(entry.acted_at), entry.by, body.digests, body.reason)
            self.holds[body.hold] = placed
        return reason

    def hold_lifted(self, index: int, entry: Entry, body: HoldLifted) -> str | None:
        known = self.holds.get(body.hold)
        if known is None or known.lifted is not None:
            return "there is no such hold"
        reason = self.unsigned(index, entry)
        if reason is None:
            self.holds[body.hold] = known._replace(lifted=max(known.placed, day_of(entry.acted_at)))
        return reason


def _content(index: int, on: date, direction: Direction, content: Sealed) -> Content:
    return Content(index=index, on=on, direction=direction, digest=content.digest, retain_until=content.retain_until)


_HANDLERS: Mapping[str, Callable[..., str | None]] = MappingProxyType(
    {
        "noncompliance.opened": _Fold.opened,
        "noncompliance.noted": _Fold.noted,
        "noncompliance.moved": _Fold.moved,
        "noncompliance.closed": _Fold.closed,
        "noncompliance.retaliation": _Fold.retaliated,
        "sealed.erased": _Fold.sealed_erased,
        "hold.placed": _Fold.hold_placed,
        "hold.lifted": _Fold.hold_lifted,
    }
)
KINDS_READ = frozenset(_HANDLERS)
"""Kinds of entries that casework is made of."""


def casework(logged: Iterable[tuple[int, Entry]], check: Check) -> Casework:
    """Give the cases, the register of retaliation, erasures and holds that the log leads to.

    Args:
        logged: entries in the log's order, with their indexes.
        check: says why an entry's signature does not count; none if it does.
    """
    fold = _Fold(check)
    voids: list[Void] = []
    seen: set[str] = set()
    for index, entry in logged:
        handler = _HANDLERS.get(entry.kind)
        if handler is None:
            continue
        act = entry.act
        reason = "entered before" if entry.id in seen else handler(fold, index, entry, act)
        seen.add(entry.id)
        if reason is not None:
            about = cast(str, getattr(act, "case", None) or getattr(act, "report", None) or "")
            voids.append(Void(index, entry.kind, about, reason))
    return Casework(fold.cases, fold.retaliation, fold.erased, fold.holds, tuple(voids))


def checked_by(ring: Keyring) -> Check:
    """Give the check of a keyring: signatures count, and only keepers erase and hold."""

    def check(index: int, entry: Entry) -> str | None:
        reason = ring.check(index, entry)
        if reason is not None or entry.signature is None or entry.kind not in KEEPERS_ACTS:
            return reason
        holding = ring.holder(entry.signature.key, index, ring.moment(index, entry.acted_at))
        return None if holding is not None and KEEPER in holding.roles else f"{entry.by} is no keeper"

    return check


def find_case(work: Casework, name: str) -> CaseFile:
    """Give a case.

    Raises:
        CaseworkError: NCP001, there is none of this id.
    """
    if name not in work.cases:
        raise CaseworkError(Problem("NCP001", f"there is no case {name!r}", None, "see `tidegate noncompliance list`"))
    return work.cases[name]

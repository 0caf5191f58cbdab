# SPDX-License-Identifier: Apache-2.0
"""What people put on record for duties, and which duties are set aside by signature: the log, folded.

An event counts with the signature of a key that spoke for its person, until a later one takes it back or corrects it;
nothing that was ever said is lost. A waiver counts only once as many people, in distinct roles, have signed the very
same as the policy that was adopted then asks. What breaks a rule has no effect, and is listed with its reason.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pydantic import ValidationError

from tidegate.govern.access import Action, Request, Resource, allowed
from tidegate.govern.decisions import Need, need_of
from tidegate.govern.keyring import Keyring
from tidegate.govern.people import Person
from tidegate.govern.quorum import missing
from tidegate.govern.records import Documents
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.clock import Instant, day_of
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import LedgerError, ObligationError, Problem, SigningError, TidegateError
from tidegate.ledger.acts import EventRecorded, ObligationWaived, PolicyAdopted
from tidegate.ledger.entries import Entry, act_of
from tidegate.obligations.model import Event, Rule, Waiver
from tidegate.policy.model import Policy

WAIVER_ACTS = ("waiver", "deviation", "interim_measure")
"""Acts of approvals that say who signs that a duty is set aside; the first of these that the policy knows counts."""
READ_ELSEWHERE: Mapping[str, str] = {
    "policy.adopted": "`tidegate ledger record` enters it",
    "report.final": "`tidegate report` enters it",
    "report.capability.final": "`tidegate report` enters it",
    "report.safeguards.final": "`tidegate report` enters it",
    "decision.effective": "`tidegate decide` enters it",
    "decision.expired": "it follows from the decision",
    "case.reviewed": "`tidegate case review` enters it",
    "waiver.recorded": "`tidegate decide propose` enters it",
    "noncompliance.opened": "`tidegate noncompliance` enters it",
    "noncompliance.material": "`tidegate noncompliance move` enters it",
    "noncompliance.told": "`tidegate noncompliance reply` enters it",
    "noncompliance.closed": "`tidegate noncompliance close` enters it",
}
"""Event that the log itself shows -> what enters it; nobody records it besides. Those of incidents count too."""
PLANNED = ".planned"
"""End of the kinds that stay plans: what else is planned counts for nothing once its day has passed."""
_NUMBER = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
"""A decimal number that stays finite."""


@dataclass(frozen=True)
class RecordedEvent:
    """An event as somebody put it on record."""

    index: int
    """Entry of the log."""
    id: str
    """Id of the entry."""
    by: str
    """Who recorded it."""
    at: Instant
    """When they recorded it."""
    act: EventRecorded
    """What they said."""
    replaces: int | None = None
    """Entry that it takes back or corrects."""
    is_retraction: bool = False
    """True if it only takes back: it says the same as the entry that it names."""
    replaced_by: int | None = None
    """Entry that took it back or corrected it."""

    @property
    def counts(self) -> bool:
        """True if it stands."""
        return self.replaced_by is None and not self.is_retraction

    @property
    def event(self) -> Event:
        """What rules count from; what was recorded only on a later day says so."""
        act = self.act
        later = f"put on record on {day_of(self.at)}" if day_of(self.at) > act.on else None
        return Event(
            kind=act.kind,
            at=act.on,
            subject=act.subject,
            facts=frozenset(act.facts),
            amount=float(act.amount) if act.amount is not None else None,
            covers=act.covers,
            source=f"entry {self.index}",
            note="; ".join(one for one in (act.note, later) if one) or None,
        )


@dataclass(frozen=True)
class WaiverSignature:
    """Somebody signed that a duty is set aside."""

    person: str
    """Who."""
    role: str
    """In which role."""
    holds: frozenset[str]
    """Every role that they held then."""
    index: int
    """Entry."""
    at: Instant
    """When."""


@dataclass(frozen=True)
class WaiverRecord:
    """A waiver, with everybody who signed the very same."""

    terms: ObligationWaived
    """What was signed, as its first signer did."""
    signatures: tuple[WaiverSignature, ...]
    """Signatures, oldest first."""
    missing: str | None
    """What it lacks before it counts; none if it counts."""
    since: Instant | None = None
    """When the last signature came that it needed."""
    entry: int | None = None
    """Entry with that signature."""

    @property
    def waiver(self) -> Waiver:
        """The waiver as rules read it: signed by roles, so that it names nobody."""
        terms = self.terms
        return Waiver(
            rule=terms.rule,
            subject=terms.subject,
            due=terms.due,
            until=terms.until,
            reason=terms.reason,
            signed_by=tuple(dict.fromkeys(one.role for one in self.signatures)),
            is_public=terms.is_public,
        )


class Void(NamedTuple):
    """An entry that has no effect."""

    index: int  # type: ignore[assignment]  # nobody looks a value up in this
    """Position in the log."""
    problem: Problem
    """Why it has none."""


@dataclass(frozen=True)
class DutyRecords:
    """All that the log says of events and waivers."""

    recorded: tuple[RecordedEvent, ...] = ()
    """Every event that was put on record, those taken back too."""
    waivers: tuple[WaiverRecord, ...] = ()
    """Every waiver that somebody signed, complete or not."""
    voids: tuple[Void, ...] = ()
    """Entries without effect, in the log's order."""

    @property
    def events(self) -> tuple[RecordedEvent, ...]:
        """The events that stand."""
        return tuple(one for one in self.recorded if one.counts)

    def waivers_at(self, at: Instant) -> tuple[Waiver, ...]:
        """Give the waivers that had all their signatures at an instant."""
        return tuple(one.waiver for one in self.waivers if one.since is not None and one.since <= at)

    def refuse_void(self, index: int) -> None:
        """Raise why the entry at a position has no effect; nothing if it has its effect."""
        problem = next((one.problem for one in self.voids if one.index == index), None)
        if problem is not None:
            kinds: dict[str, type[TidegateError]] = {"OBL": ObligationError, "KEY": SigningError}
            raise kinds.get(problem.code[:3], LedgerError)(problem)


@dataclass(frozen=True)
class Ground:
    """What the log is read against."""

    keyring: Keyring
    """Which key speaks for whom."""
    documents: Documents = field(repr=False)
    """Gives the documents that entries name by digest."""
    rules: Mapping[str, Rule] = field(default_factory=dict)
    """Every rule by id."""
    people: Sequence[Person] | None = None
    """People of the project: what anybody else signs helps no waiver; everybody with a key counts, if none."""

    def rule(self, name: str) -> Rule:
        """Give a rule.

        Raises:
            ObligationError: OBL002, there is none of this id.
        """
        if name not in self.rules:
            hint = did_you_mean(name, self.rules) or "see `tidegate due rules`"
            raise ObligationError(Problem("OBL002", f"there is no rule {name!r}", None, hint))
        return self.rules[name]


def waiver_needs(policy: Policy) -> tuple[Need, ...]:
    """Give the signatures that set a duty aside under a policy; none if it provides for that by nobody."""
    for act in WAIVER_ACTS:
        found = tuple(need_of(policy, one) for one in policy.approvals if one.act == act)
        if found:
            return found
    return ()


def duty_records(logged: Iterable[tuple[int, Entry]], ground: Ground) -> DutyRecords:
    """Give the events and waivers that a log leads to. Whatever stands in the log, this does not raise.

    Args:
        logged: entries with their positions, in their order.
        ground: what they are read against.
    """
    fold = _Fold(ground)
    voids: list[Void] = []
    for index, entry in logged:
        try:
            fold.read(index, entry)
        except TidegateError as error:
            voids.append(Void(index, error.problems[0]))
    recorded = _without_replaced(fold.recorded)
    return DutyRecords(recorded, tuple(fold.waivers.values()), tuple(voids))


def _without_replaced(recorded: Sequence[RecordedEvent]) -> tuple[RecordedEvent, ...]:
    """Mark what a later entry replaces. What took something back and is itself taken back no longer does."""
    replaced: dict[int, int] = {}
    for one in reversed(recorded):
        if one.replaces is not None and one.index not in replaced:
            replaced.setdefault(one.replaces, one.index)
    return tuple(replace(one, replaced_by=replaced.get(one.index)) for one in recorded)


# --- the fold -----------------------------------------------------------------------------------------


class _Actor(NamedTuple):
    """Whoever acted, after their signature was checked."""

    id: str
    roles: tuple[str, ...]
    """Roles of the key."""
    holds: frozenset[str]
    """Every role that they held, by any key and in the project."""


@dataclass
class _Fold:
    """What is known while the log is read."""

    ground: Ground
    recorded: list[RecordedEvent] = field(default_factory=list)
    waivers: dict[str, WaiverRecord] = field(default_factory=dict)
    policy: Policy | None = None

    def read(self, index: int, entry: Entry) -> None:
        """Let an entry have its effect, or raise why it has none."""
        match entry.kind:
            case "policy.adopted":
                self.policy = self._adopted(act_of(entry, PolicyAdopted)) or self.policy
            case "event.recorded":
                self._recorded(index, entry, act_of(entry, EventRecorded))
            case "obligation.waived":
                self._waived(index, entry, act_of(entry, ObligationWaived))

    def _adopted(self, act: PolicyAdopted) -> Policy | None:
        data = self.ground.documents(act.document)
        if data is None or digest_bytes(data) != act.document:
            return None
        try:
            return Policy.model_validate_json(data)
        except ValidationError:
            return None

    def _actor(self, index: int, entry: Entry) -> _Actor:
        ring = self.ground.keyring
        reason = ring.check(index, entry)
        if reason is not None or entry.signature is None or entry.by is None:
            code = "LED005" if entry.signature is None else "KEY003"
            kind = LedgerError if code == "LED005" else SigningError
            raise kind(Problem(code, f"{entry.kind}: {reason or 'it names nobody'}"))
        holding = ring.holder(entry.signature.key, index, ring.moment(index, entry.acted_at))
        roles = holding.roles if holding is not None else ()
        held = {role for one in ring.active(index) if one.person == entry.by for role in one.roles}
        return _Actor(entry.by, roles, frozenset({*held, *roles, *self._project_roles(entry.by)}))

    def _project_roles(self, person: str) -> tuple[str, ...]:
        known = (one for one in self.ground.people or () if one.id.casefold() == person.casefold())
        return next((one.roles for one in known), ())

    def _permit(self, entry: Entry, actor: _Actor, action: Action, resource: Resource) -> None:
        # What is forbidden to a role is forbidden with whichever key its holder signs.
        whole = actor._replace(roles=tuple(sorted(actor.holds)))
        reason = allowed(Request(whole, action, resource))
        if reason is not None:
            raise SigningError(Problem("KEY006", f"{entry.kind}: {reason}"))

    # --- events

    def _recorded(self, index: int, entry: Entry, act: EventRecorded) -> None:
        actor = self._actor(index, entry)
        self._permit(entry, actor, "record_event", Resource(kind="duty", id=act.kind))
        elsewhere = READ_ELSEWHERE.get(act.kind)
        if act.kind.startswith("incident."):
            elsewhere = "`tidegate incident` enters it"
        if elsewhere is not None:
            raise ObligationError(Problem("OBL003", f"{act.kind} is read from the log itself", None, elsewhere))
        self._refuse_time(entry, act)
        earlier = next((one for one in self.recorded if one.id == act.takes_back), None)
        if act.takes_back is not None and earlier is None:
            hint = "name an entry that `tidegate due events` lists"
            raise ObligationError(Problem("OBL003", f"there is no event {act.takes_back} to take back", None, hint))
        if earlier is not None and earlier.act.kind != act.kind:
            hint = "name the entry that is wrong, or take it back"
            message = f"entry {earlier.index} is about {earlier.act.kind}, and {act.kind} cannot take its place"
            raise ObligationError(Problem("OBL003", message, None, hint))
        is_retraction = earlier is not None and same_event(earlier.act, act)
        made = RecordedEvent(
            index, entry.id, actor.id, entry.acted_at, act, earlier.index if earlier else None, is_retraction
        )
        try:
            _ = made.event
        except ValidationError:
            words = f"facts are lower-case words such as `general`, not {', '.join(act.facts)}"
            raise ObligationError(Problem("OBL003", words)) from None
        self.recorded.append(made)

    @staticmethod
    def _refuse_time(entry: Entry, act: EventRecorded) -> None:
        if act.amount is not None and _NUMBER.fullmatch(act.amount) is None:
            raise ObligationError(Problem("OBL003", f"the amount {act.amount!r} is no decimal number"))
        if act.is_planned or act.kind.endswith(PLANNED):
            return
        if act.on > day_of(entry.acted_at):
            hint = "record it once it has happened, or say that it is planned; days are those of UTC"
            message = f"{act.kind} on {act.on.isoformat()} lies in the future"
            raise ObligationError(Problem("OBL003", message, None, hint))

    # --- waivers

    def _waived(self, index: int, entry: Entry, act: ObligationWaived) -> None:
        rule = self.ground.rule(act.rule)
        actor = self._actor(index, entry)
        needs = self._needs(rule)
        self._refuse_terms(entry, act)
        if self.ground.people is not None and not self._project_roles(actor.id):
            raise SigningError(Problem("KEY004", f"{actor.id} is nobody of this project with a role"))
        if act.role not in actor.roles or (
            self.ground.people is not None and act.role not in self._project_roles(actor.id)
        ):
            raise SigningError(Problem("KEY004", f"{actor.id} does not hold the role {act.role}"))
        signing = tuple(sorted({role for need in needs for role in need.signers}))
        if act.role not in signing:
            hint = f"roles that may: {', '.join(signing)}"
            raise ObligationError(Problem("OBL004", f"{act.role} does not sign waivers under the policy", None, hint))
        about = {"owners": self._owners(rule, index), "signing_roles": signing}
        self._permit(entry, actor, "waive", Resource(kind="duty", id=rule.id, attributes=about))
        self._sign(index, entry, act, actor)

    def _needs(self, rule: Rule) -> tuple[Need, ...]:
        if rule.kind == "law":
            message = f"{rule.id} is a duty by law, which nobody in the house can set aside"
            raise ObligationError(Problem("OBL004", message, None, "if it does not apply, say why under `without:`"))
        needs = waiver_needs(self.policy) if self.policy is not None else ()
        if not needs:
            label = self.policy.label if self.policy is not None else "the log"
            hint = "add an approval to it: {id: approve-waivers, act: waiver, signers: [...], quorum: 2}"
            message = f"{label} names nobody who may set a duty aside"
            raise ObligationError(Problem("OBL004", message, None, hint))
        return needs

    @staticmethod
    def _refuse_terms(entry: Entry, act: ObligationWaived) -> None:
        if act.until < day_of(entry.acted_at):
            message = f"the waiver of {act.rule} ended on {act.until.isoformat()}, before it was signed"
            raise ObligationError(Problem("OBL004", message))
        if act.due is not None and act.until < act.due:
            message = f"the waiver of {act.rule} ends on {act.until.isoformat()}, before the date that it is about"
            raise ObligationError(Problem("OBL004", message, None, "let it last beyond that date"))

    def _owners(self, rule: Rule, index: int) -> tuple[str, ...]:
        """Give who answers for a rule: the people named, and everybody who holds a role named."""
        if rule.owner is None:
            return ()
        asked = frozenset(one.strip().casefold() for one in rule.owner.split(","))
        found = {one.person for one in self.ground.keyring.active(index) if _are_named(one.roles, asked)}
        for one in self.ground.people or ():
            if _are_named((*one.roles, one.name or one.id), asked):
                found.add(one.id)
        return tuple(sorted({*asked, *found}))

    def _sign(self, index: int, entry: Entry, act: ObligationWaived, actor: _Actor) -> None:
        key = terms_of(act)
        known = self.waivers.get(key)
        before = known.signatures if known is not None else ()
        if any((one.person, one.role) == (actor.id, act.role) for one in before):
            raise ObligationError(Problem("OBL004", f"{actor.id} has signed this waiver as {act.role} already"))
        made = WaiverSignature(actor.id, act.role, actor.holds, index, entry.acted_at)
        signatures = (*before, made)
        if known is not None and known.missing is None:
            self.waivers[key] = replace(known, signatures=signatures)
            return
        assert self.policy is not None, "the needs were read from it"
        lacking = [one for one in (missing(need, signatures) for need in waiver_needs(self.policy)) if one is not None]
        since = None if lacking else self.ground.keyring.moment(index, entry.acted_at)
        self.waivers[key] = WaiverRecord(
            known.terms if known is not None else act,
            signatures,
            "; ".join(lacking) or None,
            since,
            None if lacking else index,
        )


def _are_named(names: Iterable[str], asked: frozenset[str]) -> bool:
    return not asked.isdisjoint(name.casefold() for name in names)


def same_event(one: EventRecorded, other: EventRecorded) -> bool:
    """Tell whether two entries say the same happened; what they note besides, and what they take back, aside."""
    apart = {"note": None, "takes_back": None}
    return one.model_copy(update=apart) == other.model_copy(update=apart)


def terms_of(act: ObligationWaived) -> str:
    """Give what is signed, as text that is the same for everybody who signs the same: all but the role."""
    return act.model_dump_json(exclude={"role"})

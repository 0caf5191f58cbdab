# SPDX-License-Identifier: Apache-2.0
"""Decisions: put one, review it, step back, disagree, sign, put it anew, end it.

Every act is tried on the log as it stands before it is entered, and entered only if nobody else was faster:
what would have no effect is refused with its reason, and what was checked is what is entered.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

from pydantic import ValidationError

from tidegate.flow.governing import governing, read_log
from tidegate.flow.ledgers import ATTEMPTS, Act, Actor, entry_of
from tidegate.flow.policies import find_policy
from tidegate.flow.targets import find_target
from tidegate.flow.world import World, no_ledger
from tidegate.govern.argument import Faults, case_faults
from tidegate.govern.basis import Basis, seen_by
from tidegate.govern.decisions import (
    POLICY_CHANGE,
    Condition,
    Decision,
    Measure,
    Notice,
    Recommendation,
    Seen,
    content_digest,
    incomplete,
    needs_for,
    notices_for,
    says,
    signed_over,
)
from tidegate.govern.gatekeeping import Setting, standing, suspicions
from tidegate.govern.governance import Governance, governance, waiver_of
from tidegate.govern.people import find_person
from tidegate.govern.records import DecisionRecord
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.documents import read_document, validate_part
from tidegate.kernel.duration import add
from tidegate.kernel.errors import DecisionError, LedgerError, Problem, ProjectError
from tidegate.kernel.record import Record
from tidegate.ledger.acts import (
    DecisionDissented,
    DecisionMoved,
    DecisionProposed,
    DecisionReaffirmed,
    DecisionRecused,
    DecisionReviewed,
    DecisionSigned,
    Name,
    Text,
)
from tidegate.policy.model import Action, Policy
from tidegate.publish.decision_pages import ShownDecision
from tidegate.store.project import Project, read_settings

if TYPE_CHECKING:
    from tidegate.store.ledger import Logged

DEFAULT_LENGTH = "P6M"
"""How long a decision counts if nobody says: as long as the usual interval between assessments."""
SETTLING_SECONDS = (0.1, 0.4)
"""How long somebody who acts waits for files that are kept already and not entered yet: others may be at it."""
ACTION_WORDS: dict[Action, str] = {
    "train": "trained further",
    "internal_use": "used inside the organisation",
    "limited": "deployed to a limited group",
    "general": "deployed to everybody",
    "open_weights": "released with open weights",
}


class DecisionFile(Record):
    """What people write about a decision; what it rests on is added by the program."""

    question: Text | None = None
    """What is decided."""
    options: tuple[Text, ...] = ("yes", "no")
    """What could be chosen."""
    choice: Text = "yes"
    """What is put for signature."""
    opens: bool | None = None
    """True if the choice says yes to the actions and measures; may be left out where it begins with yes or no."""
    recommendation: Recommendation | None = None
    """What was recommended, and by whom."""
    acts: tuple[str, ...] = ()
    """Further acts of the policy that it approves, as ``interim_measure`` or ``policy_change``."""
    conditions: tuple[Condition, ...] = ()
    """What has to be done."""
    notices: tuple[Notice, ...] = ()
    """Who has to be told, besides those whom the policy names."""
    measures: tuple[Measure, ...] = ()
    """Measures that it grants."""
    accused: tuple[Name, ...] = ()
    """People whose own conduct it is about: they neither sign nor review it."""
    adopts: str | None = None
    """Policy that may take the place of the present one if it says yes: a file of the project, or a pack."""
    expires: date | None = None
    """Last day on which it counts."""


@dataclass(frozen=True)
class Proposal:
    """What somebody wants to put for signature."""

    model: str | None
    """Model, or ``model@snapshot``."""
    actions: tuple[Action, ...] = ()
    text: DecisionFile = field(default_factory=DecisionFile)
    name: str | None = None
    """Id; the next free one of the form ``D-1`` if none."""
    supersedes: str | None = None
    as_draft: bool = False
    """True if it is not put to review yet."""


def read_decision_file(path: Path) -> DecisionFile:
    """Read what people wrote about a decision.

    Raises:
        DocumentError: it is not of this form; every problem with its place.
    """
    return validate_part(read_document(path), DecisionFile)


# --- acting on the log as it stands -------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """How things stand when somebody acts."""

    project: Project
    basis: Basis
    governance: Governance
    at: date
    faults: Faults
    """What stands in the way of a decision in the safety case that it rests on."""

    def look(self, model: str | None, snapshot: str | None) -> Seen:
        """Give what somebody sees now, final reports and safety case included."""
        policy = self.basis.policy
        if model is None:
            return Seen(policy=policy.label, policy_digest=policy.as_of(self.at).digest, at=self.at)
        found = seen_by(self.basis)(model, snapshot, self.at)
        if found is None:
            raise DecisionError(Problem("DEC003", f"there is no model {model}{f'@{snapshot}' if snapshot else ''} now"))
        return self.governance.seen(found, model)

    def changed(self, record: DecisionRecord) -> tuple[str, ...]:
        """Say what changed since the current version of a decision was put."""
        return suspicions(
            record, Setting(self.governance, self.basis.policy, seen_by(self.basis), self.at, self.faults)
        )

    def lacking(self, document: Decision) -> tuple[Problem, ...]:
        """Give why a decision cannot be put: a part is missing, or its safety case does not hold."""
        argued = document.seen.case
        broken = self.faults(argued) if argued is not None else ()
        hint = "see `tidegate case check`; a decision rests on the newest version that was recorded"
        found = (Problem("CAS003", one, None, hint) for one in broken)
        return (*incomplete(document, self.basis.policy), *found)


def act(world: World, make: Callable[[Standing], Sequence[Act]]) -> "tuple[Logged, ...]":
    """Enter what `make` gives for how things stand, once it is certain that it has its effect.

    Raises:
        ProjectError: PRJ006, the project's files are not what the log holds.
        TidegateError: why an act would have no effect; LED006, others kept adding to the log.
    """
    for attempt in range(ATTEMPTS):
        try:
            return _act_once(world, make)
        except LedgerError as error:
            if error.problems[0].code != "LED006" or attempt == ATTEMPTS - 1:
                raise
        except ProjectError as error:
            if error.problems[0].code != "PRJ006" or attempt >= len(SETTLING_SECONDS):
                raise
            time.sleep(SETTLING_SECONDS[attempt])
    raise AssertionError


def _act_once(world: World, make: Callable[[Standing], Sequence[Act]]) -> "tuple[Logged, ...]":
    project = world.project()
    found = governing(world, project)
    if found.read is None or found.governed is None:
        raise no_ledger()
    if found.doubts:
        raise ProjectError(*(Problem("PRJ006", one) for one in found.doubts))
    with closing(world.ledger()) as store:
        entries = [(one.index, one.entry) for one in store.entries()]
        if len(entries) != found.read.size:
            raise LedgerError(Problem("LED006", "the log has grown since the files were compared with it"))
        faults = case_faults(found.basis, found.read, store.documents_get, world.today)
        acts = make(Standing(project, found.basis, found.read, world.today, faults))
        if not acts:
            return ()
        new = [entry_of(world, one) for one in acts]
        documents = {digest_bytes(data): data for one in acts for data in one.documents}
        tried = governance(
            [*entries, *enumerate(new, len(entries))],
            lambda name: documents.get(name) or store.documents_get(name),
            project.record.people,
        )
        for index in range(len(entries), len(entries) + len(new)):
            tried.refuse_void(index)
        indexes = store.append(new, documents=list(documents.values()), expect_size=len(entries))
        return tuple(store.find(index) for index in indexes)


# --- what people do -----------------------------------------------------------------------------------


def propose(world: World, proposal: Proposal, actor: Actor) -> DecisionRecord:
    """Put a decision to those who have to sign it, over everything that it rests on now.

    Raises:
        DecisionError: DEC004, it lacks a part; DEC006, the policy does not provide for a measure.
        TidegateError: as `act`.
    """

    def make(standing: Standing) -> Sequence[Act]:
        if proposal.supersedes is not None:
            standing.governance.decision(proposal.supersedes)
        document = _document(standing, proposal, actor, world)
        problems = standing.lacking(document)
        if problems:
            raise DecisionError(*problems)
        body = DecisionProposed(
            decision=document.id,
            model=document.model,
            snapshot=document.snapshot,
            actions=document.actions,
            approvals=tuple(need.approval for need in document.needs),
            document=document.digest,
        )
        acts = [Act("decision.proposed", body, actor, signed_over(document), (document.data,))]
        acts += _waivers(document, actor)
        if not proposal.as_draft:
            acts.append(Act("decision.moved", DecisionMoved(decision=document.id, to="in_review"), actor))
        return acts

    made = act(world, make)
    return find_decision(world, made[0].entry.body["decision"])


def _waivers(document: Decision, actor: Actor) -> list[Act]:
    return [Act("waiver.recorded", waiver_of(one, document), actor) for one in document.measures]


def _document(standing: Standing, proposal: Proposal, actor: Actor, world: World) -> Decision:
    policy, text = standing.basis.policy, proposal.text
    model, snapshot = _target(standing.project, proposal.model)
    seen = standing.look(model, snapshot)
    expires = text.expires or add(standing.at, DEFAULT_LENGTH)
    coming = _coming(world, text.adopts)
    acts = (*text.acts, *((POLICY_CHANGE,) if coming else ()), *(one.kind for one in text.measures))
    needs = needs_for(policy, proposal.actions, acts)
    notices = {one.to: one for one in (*notices_for(policy, needs, expires), *text.notices)}
    return _made(
        {
            "id": proposal.name or _next_id(standing.governance),
            "question": text.question or _question(proposal.model, proposal.actions, policy, coming),
            **{name: getattr(text, name) for name in ("options", "choice", "recommendation", "conditions")},
            "opens": _opens(text),
            "adopts": content_digest(coming) if coming else None,
            "model": model,
            "snapshot": snapshot,
            "actions": proposal.actions,
            "needs": needs,
            "seen": seen,
            "notices": tuple(notices.values()),
            "expires": expires,
            "measures": text.measures,
            "accused": tuple(find_person(standing.project.record.people, one).id for one in text.accused),
            "supersedes": proposal.supersedes,
            "proposed_by": actor.person,
            "proposed_at": world.now(),
        }
    )


def _made(parts: dict[str, Any]) -> Decision:
    try:
        return Decision.model_validate(parts)
    except ValidationError as error:
        lines = [one["msg"].removeprefix("Value error, ") for one in error.errors(include_url=False)]
        raise DecisionError(*(Problem("DEC004", line) for line in lines)) from None


def _target(project: Project, name: str | None) -> tuple[str | None, str | None]:
    if name is None:
        return None, None
    found = find_target(project, name)
    return found.model.id, found.snapshot


def _opens(text: DecisionFile) -> bool:
    found = says(text.choice) if text.opens is None else text.opens
    if found is None:
        hint = "write `opens: true` or `opens: false`"
        raise DecisionError(Problem("DEC004", f"nothing says whether {text.choice!r} opens anything", None, hint))
    return found


def _coming(world: World, name: str | None) -> Policy | None:
    """Give the policy that is to be adopted, by its file in the project or by its name."""
    if name is None:
        return None
    path = world.root / name
    return find_policy(world, str(path) if path.is_file() else name).policy


def _question(model: str | None, actions: Sequence[Action], policy: Policy, coming: Policy | None) -> str:
    if coming is not None:
        return f"May {coming.label} take the place of {policy.label}?"
    if model is None or not actions:
        return f"Is this approved under {policy.label}?"
    return f"May {model} be {' and '.join(ACTION_WORDS[one] for one in actions)}?"


def _next_id(known: Governance) -> str:
    numbers = [int(name.removeprefix("D-")) for name in known.decisions if name.removeprefix("D-").isdecimal()]
    return f"D-{max(numbers, default=0) + 1}"


def submit(world: World, name: str, actor: Actor) -> DecisionRecord:
    """Put a draft to review. Raises DEC001, DEC002."""
    act(world, lambda _: [Act("decision.moved", DecisionMoved(decision=name, to="in_review"), actor)])
    return find_decision(world, name)


def review(world: World, name: str, verdict: str, text: str, actor: Actor) -> DecisionRecord:
    """Give a review. Raises DEC001; KEY006 if the reviewer put the decision or stepped back from it."""

    def make(standing: Standing) -> Sequence[Act]:
        record = standing.governance.decision(name)
        body = DecisionReviewed(decision=name, document=record.digest, verdict=cast(Any, verdict), text=text)
        return [
            Act("decision.reviewed", body, actor, signed_over(record.document)),
            *_completing(standing, name, actor),
        ]

    act(world, make)
    _take_effect(world, name, actor)
    return find_decision(world, name)


def recuse(world: World, name: str, reason: str, actor: Actor) -> DecisionRecord:
    """Step back from a decision: whoever did no longer reviews or signs it. Raises DEC001."""
    act(world, lambda _: [Act("decision.recused", DecisionRecused(decision=name, reason=reason), actor)])
    return find_decision(world, name)


def dissent(world: World, name: str, text: str, actor: Actor) -> DecisionRecord:
    """Disagree, in words that are kept as they are. Raises DEC001."""

    def make(standing: Standing) -> Sequence[Act]:
        record = standing.governance.decision(name)
        body = DecisionDissented(decision=name, document=record.digest, text=text)
        return [Act("decision.dissented", body, actor, signed_over(record.document))]

    act(world, make)
    return find_decision(world, name)


def sign(world: World, name: str, role: str | None, actor: Actor) -> DecisionRecord:
    """Sign a decision over exactly what it rests on; it takes effect with the last signature that it needs.

    Raises:
        DecisionError: DEC003, something that it rests on has changed; DEC005, the signature cannot count.
        SigningError: KEY003, KEY004, KEY006.
    """

    def make(standing: Standing) -> Sequence[Act]:
        record = standing.governance.decision(name)
        changed = standing.changed(record)
        if changed:
            hint = f"look at it again, then: tidegate decide reaffirm {name}"
            raise DecisionError(
                Problem("DEC003", f"{name} no longer rests on what is now: {'; '.join(changed)}", None, hint)
            )
        body = DecisionSigned(decision=name, document=record.digest, role=role or _role(standing, record, actor))
        return [Act("decision.signed", body, actor, signed_over(record.document))]

    act(world, make)
    _take_effect(world, name, actor)
    return find_decision(world, name)


def _completing(standing: Standing, name: str, actor: Actor) -> list[Act]:
    """Put a draft to review with its first review."""
    if standing.governance.decision(name).state != "proposed":
        return []
    return [Act("decision.moved", DecisionMoved(decision=name, to="in_review"), actor)]


def _role(standing: Standing, record: DecisionRecord, actor: Actor) -> str:
    """Give the role in which somebody signs, if only one can be meant."""
    held = standing.governance.holders.get(actor.person, frozenset())
    wanted = [role for need in record.document.needs for role in need.signers if role in held]
    signed = {one.role for one in record.in_force if one.person == actor.person}
    able = [role for role in dict.fromkeys(wanted) if role not in signed]
    if len(able) != 1:
        hint = "name the role: --role ROLE" if able else f"it takes {', '.join(_signers(record))}"
        words = f"could sign as {', '.join(able)}" if able else "holds no role that may sign it, or has signed"
        raise DecisionError(Problem("DEC005", f"{actor.person} {words}", None, hint))
    return able[0]


def _signers(record: DecisionRecord) -> list[str]:
    return list(dict.fromkeys(role for need in record.document.needs for role in need.signers))


def _take_effect(world: World, name: str, actor: Actor) -> None:
    """Move a decision into effect if nothing is missing any more; supersede the one whose place it takes."""

    def make(standing: Standing) -> Sequence[Act]:
        record = standing.governance.decision(name)
        if record.state != "in_review" or record.missing():
            return ()
        acts = [Act("decision.moved", DecisionMoved(decision=name, to="effective"), actor)]
        earlier = record.document.supersedes
        replaced = standing.governance.decisions.get(earlier) if earlier is not None else None
        if replaced is not None and replaced.state == "effective":
            body = DecisionMoved(decision=replaced.id, to="superseded", by_decision=name)
            acts.append(Act("decision.moved", body, actor))
        return acts

    act(world, make)


def effect(world: World, name: str, actor: Actor) -> DecisionRecord:
    """Move a decision into effect, once its signatures and reviews are there. Raises DEC002 if something is missing."""
    act(world, lambda _: [Act("decision.moved", DecisionMoved(decision=name, to="effective"), actor)])
    return find_decision(world, name)


def revoke(world: World, name: str, reason: str, actor: Actor) -> DecisionRecord:
    """End a decision. Raises DEC001, DEC002."""
    act(world, lambda _: [Act("decision.moved", DecisionMoved(decision=name, to="revoked", reason=reason), actor)])
    return find_decision(world, name)


def reaffirm(world: World, name: str, reason: str, actor: Actor) -> DecisionRecord:
    """Put a decision anew, over what it rests on by now; it needs its review and its signatures again.

    Raises:
        DecisionError: DEC003, nothing has changed; DEC002, it has ended; DEC004, it lacks a part.
    """

    def make(standing: Standing) -> Sequence[Act]:
        record = standing.governance.decision(name)
        before, policy = record.document, standing.basis.policy
        acts = tuple(need.act for need in before.needs)
        parts = {one: getattr(before, one) for one in type(before).model_fields if one != "schema_"}
        needs = needs_for(policy, before.actions, acts)
        seen = standing.look(before.model, before.snapshot)
        document = _made(
            {**parts, "seen": seen, "needs": needs, "proposed_by": actor.person, "proposed_at": world.now()}
        )
        if not standing.changed(record) and document.needs == before.needs:
            raise DecisionError(Problem("DEC003", f"nothing that {name} rests on has changed"))
        problems = standing.lacking(document)
        if problems:
            raise DecisionError(*problems)
        body = DecisionReaffirmed(decision=name, was=record.digest, document=document.digest, reason=reason)
        entered = Act("decision.reaffirmed", body, actor, signed_over(document), (document.data,))
        recorded = set(record.waivers)
        return [entered, *(one for one in _waivers(document, actor) if one.body not in recorded)]

    act(world, make)
    return find_decision(world, name)


# --- looking at them ----------------------------------------------------------------------------------


def governance_now(world: World) -> Governance:
    """Give who decided what, from the log as it stands."""
    settings = read_settings(world.root)
    if settings.ledger is None:
        raise no_ledger()
    with closing(world.ledger()) as store:
        return read_log(store, settings.people, settings.ledger, world.root).governance


def find_decision(world: World, name: str) -> DecisionRecord:
    """Give a decision. Raises DEC001 if there is none."""
    return governance_now(world).decision(name)


def shown(world: World, names: Sequence[str] = ()) -> tuple[ShownDecision, ...]:
    """Give decisions (all if none is named) with what stands against them now. Raises DEC001 for an unknown one."""
    project = world.project()
    found = governing(world, project)
    if found.read is None or found.governed is None:
        raise no_ledger()
    records = [found.read.decision(name) for name in names] or list(found.read.decisions.values())
    with closing(world.ledger()) as store:
        faults = case_faults(found.basis, found.read, store.documents_get, world.today)
        setting = Setting(found.read, found.basis.policy, seen_by(found.basis), world.today, faults)
        against = {one.id: standing(one, setting) for one in records}
    return tuple(
        ShownDecision(one, (*found.governed.doubts, *against[one.id]), one.missing(found.read.holders))
        for one in records
    )


def as_actions(words: Sequence[str]) -> tuple[Action, ...]:
    """Give the actions that words mean; ``deploy`` means general deployment."""
    chosen = ["general" if word == "deploy" else word for word in words]
    known = get_args(Action)
    unknown = [word for word in chosen if word not in known]
    if unknown:
        raise DecisionError(Problem("DEC004", f"{unknown[0]!r} is not an action", None, f"actions: {', '.join(known)}"))
    return tuple(cast(Action, word) for word in dict.fromkeys(chosen))

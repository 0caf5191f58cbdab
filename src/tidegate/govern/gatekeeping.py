# SPDX-License-Identifier: Apache-2.0
"""What the gate reads: which approvals are given and which measures are in force, as of a day, and why not.

Whose signatures an approval takes is read from the policy, never from the decision, and everything that was signed
over is compared with what stands now. Whatever is not as it was closes the gate until the decision is put anew.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from tidegate.assess.governed import NEVER_RELIEVED, Governed, Relief, SignedBy, Signoff
from tidegate.govern.argument import Faults
from tidegate.govern.decisions import Decision, Measure, Need, Seen, incomplete, need_of, suspect
from tidegate.govern.governance import Governance, replaces
from tidegate.govern.quorum import counted, missing
from tidegate.govern.records import DecisionRecord
from tidegate.kernel.clock import day_of
from tidegate.policy.model import Approval, Policy

SeenNow = Callable[[str, str | None, date], Seen | None]
"""Gives what somebody who looks at a model and snapshot (the newest, if none) on a day sees, by the evidence, models
and policy of now; none if there is no such model or snapshot."""


@dataclass(frozen=True)
class Setting:
    """Against what decisions are judged."""

    governance: Governance
    """What the log says."""
    policy: Policy
    """The policy that the gate is asked under."""
    seen_now: SeenNow
    """What a decision about a model would rest on now."""
    at: date
    """The day."""
    faults: Faults | None = None
    """What stands in the way of a decision in the safety case that it rests on; none if nobody asks."""


def governed(
    governance: Governance,
    policy: Policy,
    seen_now: SeenNow,
    at: date,
    doubts: Sequence[str] = (),
    faults: Faults | None = None,
) -> Governed:
    """Give everything that people decided, as the gate needs it.

    Args:
        governance: what the log says.
        policy: the policy that the gate is asked under.
        seen_now: gives what a decision about a model would rest on now.
        at: the day.
        doubts: why nothing can be opened at all, if the record is in doubt.
        faults: gives what stands in the way of a decision in the safety case that it rests on.
    """
    setting = Setting(governance, policy, cache(seen_now), at, faults)
    signoffs: list[Signoff] = []
    reliefs: list[Relief] = []
    for _, record in sorted(governance.decisions.items()):
        against = standing(record, setting)
        signoffs += _signoffs(record, setting, against)
        reliefs += _reliefs(record, setting, against)
    return Governed(size=governance.size, signoffs=tuple(signoffs), reliefs=tuple(reliefs), doubts=tuple(doubts))


def standing(record: DecisionRecord, setting: Setting) -> tuple[str, ...]:
    """Say why a decision as a whole does not count on a day; nothing if it does.

    Signatures are not counted here, because that differs between the approvals that it gives.
    """
    if record.state in ("superseded", "expired", "revoked"):
        return (f"is {record.state}",)
    return tuple(dict.fromkeys((*_not_in_effect(record, setting), *suspicions(record, setting))))


def suspicions(record: DecisionRecord, setting: Setting) -> tuple[str, ...]:
    """Say what changed since a decision was put, and what it lacks under the policy as it is now."""
    document = record.document
    now = _now(document, setting)
    changed = ("the model or snapshot is not in the project any more",) if now is None else suspect(document, now)
    argued = document.seen.case
    changed = (*changed, *_since(record, setting.governance))
    faults = setting.faults(argued) if argued is not None and setting.faults is not None else ()
    lacking = (one.message for one in incomplete(document, setting.policy))
    return (*(f"suspect: {one}" for one in (*changed, *faults)), *lacking)


def _since(record: DecisionRecord, governance: Governance) -> Iterator[str]:
    """Say what happened since a decision was put, though nothing of it can be seen any more."""
    argued, model = record.document.seen.case, record.document.model
    if argued is not None and model is not None and governance.newest_case(model) == argued:
        # Anybody who can write to the log can enter an earlier version again, without a signature.
        case = governance.cases[argued.case]
        if case.index > record.current.index:
            yield f"other versions of the safety case {case.case} were recorded since, though this one came back"
    index = max(governance.taken_back.get(one, -1) for one in (f"decision:{record.id}", f"model:{model}"))
    if index > record.current.index:
        yield f"entry {index}, which bears on it, was taken back with a stolen key"


def _now(document: Decision, setting: Setting) -> Seen | None:
    """Give what somebody sees now of what the decision is about."""
    adopted = {"policy": setting.policy.label, "policy_digest": setting.policy.as_of(document.seen.at).digest}
    if document.model is None:
        return document.seen.model_copy(update=adopted)
    # As of the day of signing, so that only what changed since differs, and not the day; the findings and the
    # newest snapshot are those of today, because both change with time alone.
    then = setting.seen_now(document.model, document.about, document.seen.at)
    today = setting.seen_now(document.model, document.snapshot, setting.at)
    if then is None or today is None:
        return None
    newer = {"snapshot": today.snapshot, "findings_digest": today.findings_digest}
    found = setting.governance.seen(then.model_copy(update=adopted), document.model)
    return found.model_copy(update=newer)


def _not_in_effect(record: DecisionRecord, setting: Setting) -> Iterator[str]:
    document, at = record.document, setting.at
    if record.state != "effective":
        yield f"is {record.state.replace('_', ' ')}, not effective"
    elif record.effective_on is not None and record.effective_on > at:
        yield f"took effect on {record.effective_on.isoformat()}, after the day asked about"
    if document.expires < at:
        yield f"expired on {document.expires.isoformat()}"
    if not record.independent_reviews:
        yield "nobody else than who put it has reviewed this version"
    for other in setting.governance.decisions.values():
        if replaces(other, record.id):
            yield f"{other.id} takes its place"


# --- approvals ----------------------------------------------------------------------------------------


def _signoffs(record: DecisionRecord, setting: Setting, against: Sequence[str]) -> Iterator[Signoff]:
    document = record.document
    for need in document.needs:
        approval = _approval(need, setting.policy)
        lacking = missing(need_of(setting.policy, approval), record.in_force, record.recused) if approval else None
        reasons = [*against, *([lacking] if lacking is not None else [])]
        made = Signoff(
            approval=need.approval,
            decision=record.id,
            model=document.model,
            snapshot=document.about,
            actions=document.actions if document.opens else (),
            signers=_signers(record, need, approval, setting.policy),
            missing="; ".join(reasons) or None,
            until=document.expires,
        )
        yield made
        newest = _newest(document, setting)
        if newest is not None and newest != document.about:
            words = f"is about the snapshot {document.about or 'none'}, not {newest}"
            yield made.model_copy(update={"snapshot": newest, "missing": words})


def _approval(need: Need, policy: Policy) -> Approval | None:
    return next((one for one in policy.approvals if one.id == need.approval), None)


def _signers(record: DecisionRecord, need: Need, approval: Approval | None, policy: Policy) -> tuple[SignedBy, ...]:
    asked = need_of(policy, approval) if approval is not None else need
    return tuple(
        SignedBy(person=one.person, role=one.role, on=day_of(one.at), key=one.key)
        for one in counted(asked, record.in_force, record.recused)
    )


def _newest(document: Decision, setting: Setting) -> str | None:
    if document.model is None:
        return None
    found = setting.seen_now(document.model, None, setting.at)
    return found.snapshot if found is not None else None


# --- measures -----------------------------------------------------------------------------------------


def _reliefs(record: DecisionRecord, setting: Setting, against: Sequence[str]) -> Iterator[Relief]:
    document = record.document
    if against or not document.opens or document.model is None:
        return
    for measure in document.measures:
        is_over = measure.until < setting.at
        if measure.kind == "deviation" or is_over or not _is_approved(measure, record, setting.policy):
            continue
        yield Relief(
            waiver=measure.id,
            kind=measure.kind,
            decision=record.id,
            model=document.model,
            snapshot=document.about,
            requirements=_relieved(measure, setting.policy),
            actions=measure.actions,
            until=measure.until,
            is_public=measure.is_public,
        )


def _is_approved(measure: Measure, record: DecisionRecord, policy: Policy) -> bool:
    """Tell whether every approval that the policy has for such a measure is given."""
    asked = [need_of(policy, one) for one in policy.approvals if one.act == measure.kind]
    return bool(asked) and all(missing(need, record.in_force, record.recused) is None for need in asked)


def _relieved(measure: Measure, policy: Policy) -> tuple[str, ...]:
    listed = [*policy.baseline, *(one for threshold in policy.thresholds for one in threshold.requirements)]
    fixed = {one.id for one in listed if one.kind in NEVER_RELIEVED}
    return tuple(one for one in measure.requirements if one not in fixed)

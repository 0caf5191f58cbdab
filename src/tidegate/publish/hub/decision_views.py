# SPDX-License-Identifier: Apache-2.0
"""Decisions: what was asked and chosen, who signed in which role over which digests, and where the log proves it."""

from collections.abc import Iterator
from typing import NamedTuple

from tidegate.govern.decisions import Decision, signed_over
from tidegate.publish.content import PublishedModel
from tidegate.publish.decision_pages import ShownDecision
from tidegate.publish.hub.addresses import decision_page, model_page, proof_file
from tidegate.publish.hub.parts import Hub, Link, RecordProof, Sheet


class SignatureView(NamedTuple):
    """A signature that counts."""

    role: str
    person: str
    when: str
    key: str
    entry: int
    proof: str
    """File of its proof; empty if none is published."""


class DecisionView(NamedTuple):
    """A decision in brief."""

    link: Link
    question: str
    choice: str
    state: str
    counts: bool
    reasons: tuple[str, ...]
    actions: tuple[str, ...]
    opens: bool
    effective: str
    expires: str
    signatures: tuple[SignatureView, ...]


class MeasureView(NamedTuple):
    """A public measure, waiver or deviation."""

    id: str
    kind: str
    requirements: str
    actions: tuple[str, ...]
    until: str
    reason: str
    model: Link
    decision: Link


def decision_view(hub: Hub, shown: ShownDecision) -> DecisionView:
    """Give a decision in brief."""
    record, document = shown.record, shown.record.document
    return DecisionView(
        link=Link(record.id, decision_page(record.id)),
        question=document.question,
        choice=document.choice,
        state=record.state,
        counts=shown.counts,
        reasons=shown.reasons,
        actions=document.actions,
        opens=document.opens,
        effective=record.effective_on.isoformat() if record.effective_on else "",
        expires=document.expires.isoformat(),
        signatures=tuple(_signatures(hub, shown)),
    )


def _signatures(hub: Hub, shown: ShownDecision) -> Iterator[SignatureView]:
    titles = {one.id: one.title or one.id for one in hub.content.policy.roles}
    for one in shown.record.in_force:
        ref = f"decision:{shown.record.id}/{one.person}/{one.role}"
        proof = proof_file(ref) if ref in hub.content.proofs else ""
        yield SignatureView(titles.get(one.role, one.role), one.person, str(one.at), one.key, one.index, proof)


def decision_sheets(hub: Hub, model: PublishedModel) -> Iterator[Sheet]:
    """Give a page for every decision about a model."""
    name = model.model.title
    for shown in model.decisions:
        record, document = shown.record, shown.record.document
        yield Sheet(
            path=decision_page(record.id),
            template="decision.html",
            title=hub.say("Decision %(name)s", name=record.id),
            view={
                "decision": decision_view(hub, shown),
                "model": hub.link(f"model:{model.model.id}", name),
                "snapshot": document.about or "",
                "options": document.options,
                "policy": hub.link(f"policy:{document.seen.policy}", document.seen.policy),
                "over": tuple((one.name, one.digest) for one in signed_over(document)),
                "reviews": tuple((one.verdict, one.by, str(one.at), one.index) for one in record.independent_reviews),
                "dissents": sum(one.document == record.digest for one in record.dissents),
                "recusals": len(record.recusals),
                "due": tuple(_due(hub, document)),
                "history": tuple((one.to, str(one.at), one.index) for one in record.moves),
                "measures": tuple(one for one in measures_of(hub) if one.decision.words == record.id),
                "digest": record.digest,
            },
            nav="models",
            proofs=tuple(_proofs(hub, shown)),
            trail=(Link(hub.say("Models"), "models/index.html"), Link(name, model_page(model.model.id))),
        )


def _due(hub: Hub, document: Decision) -> Iterator[tuple[str, str, str]]:
    for one in document.conditions:
        yield one.due.isoformat(), one.text, one.owner
    for notice in document.notices:
        yield (
            notice.due.isoformat(),
            notice.text or hub.say("Notice of the decision"),
            hub.speech.word("recipient", notice.to),
        )


def _proofs(hub: Hub, shown: ShownDecision) -> Iterator[RecordProof]:
    own = f"decision:{shown.record.id}"
    if own in hub.content.proofs:
        yield RecordProof(own.partition(":")[2], shown.record.current.index, proof_file(own))
    for one in shown.record.in_force:
        ref = f"{own}/{one.person}/{one.role}"
        if ref in hub.content.proofs:
            yield RecordProof(hub.say("Signature of %(role)s", role=one.role), one.index, proof_file(ref))


def measures_of(hub: Hub) -> tuple[MeasureView, ...]:
    """Give the public measures, waivers and deviations that count."""
    return tuple(
        MeasureView(
            id=one.waiver,
            kind=one.kind,
            requirements=", ".join(one.requirements),
            actions=tuple(one.actions),
            until=one.until.isoformat(),
            reason=one.reason,
            model=hub.link(f"model:{one.model}"),
            decision=hub.link(f"decision:{one.decision}", one.decision),
        )
        for one in hub.content.measures
    )

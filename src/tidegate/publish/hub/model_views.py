# SPDX-License-Identifier: Apache-2.0
"""Models: what is known of each, which gates are open, what was found, decided and said."""

from collections.abc import Iterator
from typing import NamedTuple

from tidegate.assess.model import Gate, RequirementFinding, ThresholdFinding
from tidegate.govern.records import CaseRecord, ReportRecord
from tidegate.publish.content import PublishedModel
from tidegate.publish.hub.addresses import anchor, bundle_file, evaluations_page, model_page, proof_file
from tidegate.publish.hub.decision_views import DecisionView, decision_sheets, decision_view
from tidegate.publish.hub.evaluation_views import Figures, FigureView, evaluation_sheets, figures_of
from tidegate.publish.hub.parts import Hub, Link, RecordProof, SaidView, Sheet
from tidegate.publish.hub.record_views import record_sheets
from tidegate.publish.practices import Statement

FIGURES_EACH, FIGURES_ALL = 4, 24
"""Figures that a model's page shows for one threshold and in all; the page of evaluations has every one."""
REASONS_SHOWN = 12
"""Reasons why a gate is closed that are shown; the same few come back for every threshold."""


class GateView(NamedTuple):
    """The answer for one action."""

    action: str
    is_open: bool
    reasons: tuple[str, ...]
    more: int


class RequirementView(NamedTuple):
    """What a threshold requires."""

    id: str
    target: str
    actions: tuple[str, ...]
    binds: bool
    state: str
    reason: str


class ThresholdView(NamedTuple):
    """What was found about a threshold, and why."""

    anchor: str
    id: str
    title: str
    finding: str
    by: str
    reasons: tuple[str, ...]
    flags: tuple[str, ...]
    concluded: str
    agreement: str
    figures: tuple[FigureView, ...]
    more: int
    requirements: tuple[RequirementView, ...]


class ModelView(NamedTuple):
    """A model, as lists show it."""

    link: Link
    released: str
    gates: tuple[GateView, ...]
    findings: tuple[tuple[str, int], ...]


class OnRecord(NamedTuple):
    """A report or safety case."""

    anchor: str
    id: str
    kind: str
    by: str
    at: str
    digest: str
    entry: int
    remarks: int
    """Critiques of a report, reviews of a case."""
    unanswered: int
    proof: str


SaidPart = tuple[str, str, tuple[SaidView, ...]]
"""Anchor, heading and statements."""


def model_sheets(hub: Hub) -> Iterator[Sheet]:
    """Give the list of models, their pages, evaluations, decisions and evidence records."""
    yield Sheet("models/index.html", "models.html", hub.say("Models"), {"models": model_views(hub)}, nav="models")
    yield Sheet(
        "assessments.html",
        "assessments.html",
        hub.say("Risk assessments"),
        {"models": tuple(_summary(hub, one) for one in hub.content.models), "policy": _policy(hub)},
        nav="models",
    )
    for model in hub.content.models:
        read = {one.threshold: figures_of(hub, one) for one in model.assessment.thresholds}
        yield _model(hub, model, read)
        yield from evaluation_sheets(hub, model, read)
        yield from decision_sheets(hub, model)
    yield from record_sheets(hub)


def model_views(hub: Hub) -> tuple[ModelView, ...]:
    """Give every model with its gates, newest first."""
    return tuple(
        ModelView(
            link=Link(one.model.title, model_page(one.model.id)),
            released=one.model.released or "",
            gates=tuple(_gate(gate) for gate in one.assessment.gates),
            findings=_counted(one),
        )
        for one in hub.content.models
    )


def _counted(model: PublishedModel) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for one in model.assessment.thresholds:
        found[one.finding] = found.get(one.finding, 0) + 1
    return tuple(found.items())


def _gate(gate: Gate) -> GateView:
    reasons = tuple(dict.fromkeys(one.message for one in gate.reasons if one.closes))
    return GateView(gate.action, gate.open, reasons[:REASONS_SHOWN], max(0, len(reasons) - REASONS_SHOWN))


def _policy(hub: Hub) -> Link:
    policy = hub.content.policy
    return hub.link("policy:adopted", f"{policy.title}, {policy.version}")


def _model(hub: Hub, model: PublishedModel, read: Figures) -> Sheet:
    refs = [f"decision:{one.record.id}" for one in model.decisions]
    refs += [f"report:{one.report}" for one, _ in model.reports] + [f"case:{one.case}" for one in model.cases]
    reports = tuple(_report(hub, one) for one, _ in model.reports)
    cases = tuple(_case(hub, one) for one in model.cases)
    return Sheet(
        path=model_page(model.model.id),
        template="model.html",
        title=model.model.title,
        view={
            "facts": tuple(_facts(hub, model)),
            "deployments": tuple(
                (
                    one.action,
                    one.since.isoformat() if one.since else "",
                    one.until.isoformat() if one.until else "",
                    one.note or "",
                )
                for one in model.model.deployments
            ),
            "policy": _policy(hub),
            "gates": tuple(_gate(one) for one in model.assessment.gates),
            "baseline": tuple(_requirement(hub, one) for one in model.assessment.requirements.get("baseline", ())),
            "thresholds": tuple(_thresholds(hub, model, read)),
            "evaluations": evaluations_page(model.model.id),
            "decisions": _decisions(hub, model),
            "reports": reports,
            "cases": cases,
            "before": tuple(_said(hub, model, _BEFORE)),
            "after": tuple(_said(hub, model, _AFTER)),
            "bundle": bundle_file(model.bundle) if model.bundle else "",
            "has_page": model.page is not None,
        },
        nav="models",
        proofs=hub.proofs_of(refs) + _signature_proofs(hub, model),
        trail=(Link(hub.say("Models"), "models/index.html"),),
    )


def _signature_proofs(hub: Hub, model: PublishedModel) -> tuple[RecordProof, ...]:
    refs = [
        (f"decision:{one.record.id}/{signed.person}/{signed.role}", signed.index)
        for one in model.decisions
        for signed in one.record.in_force
    ]
    return tuple(
        RecordProof(hub.say("Signature of %(role)s", role=ref.rsplit("/", 1)[1]), index, proof_file(ref))
        for ref, index in refs
        if ref in hub.content.proofs
    )


def _decisions(hub: Hub, model: PublishedModel) -> tuple[DecisionView, ...]:
    return tuple(decision_view(hub, one) for one in model.decisions)


def _facts(hub: Hub, model: PublishedModel) -> Iterator[tuple[str, str]]:
    page, snapshot = model.page, model.model.snapshot(model.assessment.snapshot)
    found = [
        (hub.say("Id"), model.model.id),
        (hub.say("Developer"), model.model.developer),
        (hub.say("Released"), model.model.released),
        (hub.say("Snapshot assessed"), model.assessment.snapshot),
        (hub.say("Snapshot made"), snapshot.created if snapshot else None),
    ]
    if page is not None:
        found += [
            (hub.say("Licence"), page.licence),
            (hub.say("Languages"), ", ".join(page.languages)),
            (hub.say("Inputs"), ", ".join(page.inputs)),
            (hub.say("Outputs"), ", ".join(page.outputs)),
            (hub.say("Made from"), page.base_model),
            (hub.say("Training data until"), page.knowledge_cutoff),
        ]
    return ((name, value) for name, value in found if value)


_BEFORE = ("description", "intended_uses", "restrictions", "training_data")
_AFTER = ("safeguards", "limits", "behaviour")


def _said(hub: Hub, model: PublishedModel, parts: tuple[str, ...]) -> Iterator[SaidPart]:
    headings = {
        "description": hub.say("What it is"),
        "intended_uses": hub.say("Intended uses"),
        "restrictions": hub.say("Restrictions"),
        "training_data": hub.say("Training data"),
        "safeguards": hub.say("Safeguards"),
        "limits": hub.say("Limits"),
        "behaviour": hub.say("Safety-relevant behaviour"),
    }
    for name in parts:
        statements: tuple[Statement, ...] = getattr(model.page, name) if model.page else ()
        if statements:
            yield (
                name.replace("_", "-"),
                headings[name],
                tuple(hub.said(one, model=model.model.id) for one in statements),
            )


def _thresholds(hub: Hub, model: PublishedModel, read: Figures) -> Iterator[ThresholdView]:
    room = FIGURES_ALL
    for one in model.assessment.thresholds:
        figures = read[one.threshold]
        shown = figures[: min(FIGURES_EACH, room)]
        room -= len(shown)
        yield _threshold(hub, model, one)._replace(figures=shown, more=len(figures) - len(shown))


def _threshold(hub: Hub, model: PublishedModel, one: ThresholdFinding) -> ThresholdView:
    required = model.assessment.requirements.get(one.threshold, ())
    return ThresholdView(
        anchor=anchor("threshold", one.threshold),
        id=one.threshold,
        title=one.title,
        finding=one.finding,
        by=one.by or "",
        reasons=one.reasons,
        flags=one.flags,
        concluded=one.concluded.status.replace("_", " ") if one.concluded else "",
        agreement=one.agreement if one.concluded else "",
        figures=(),
        more=0,
        requirements=tuple(_requirement(hub, each) for each in required) if not one.is_ruled_out else (),
    )


def _requirement(hub: Hub, one: RequirementFinding) -> RequirementView:
    policy = hub.content.policy
    titles = {each.id: each.title for each in (*policy.standards, *policy.safeguards, *policy.security_levels)}
    target = titles.get(one.target or "", "") or one.target or ""
    return RequirementView(one.requirement, target, one.actions, one.binds, one.state, one.reason)


def _report(hub: Hub, one: ReportRecord) -> OnRecord:
    ref = f"report:{one.report}"
    unanswered = sum(len(each.unanswered) for each in one.critiques)
    return OnRecord(
        anchor("report", one.report), one.report, one.kind, one.author, str(one.at), one.document, one.index,
        len(one.critiques), unanswered, proof_file(ref) if ref in hub.content.proofs else "",
    )  # fmt: skip


def _case(hub: Hub, one: CaseRecord) -> OnRecord:
    ref = f"case:{one.case}"
    return OnRecord(
        anchor("case", one.case), one.case, "case", ", ".join(one.authors), str(one.at), one.root, one.index,
        len(one.reviews), 0, proof_file(ref) if ref in hub.content.proofs else "",
    )  # fmt: skip


class SummaryView(NamedTuple):
    """What an assessment found, in one paragraph."""

    link: Link
    snapshot: str
    findings: tuple[tuple[str, str, str, Link], ...]
    """Finding, id, title and where it is explained."""
    open: tuple[str, ...]
    closed: tuple[str, ...]
    reports: tuple[Link, ...]


def _summary(hub: Hub, model: PublishedModel) -> SummaryView:
    page = model_page(model.model.id)
    return SummaryView(
        link=Link(model.model.title, page),
        snapshot=model.assessment.snapshot or "",
        findings=tuple(
            (one.finding, one.threshold, one.title, Link(one.threshold, f"{page}#{anchor('threshold', one.threshold)}"))
            for one in model.assessment.thresholds
        ),
        open=tuple(one.action for one in model.assessment.gates if one.open),
        closed=tuple(one.action for one in model.assessment.gates if not one.open),
        reports=tuple(hub.link(f"report:{one.report}", one.report) for one, _ in model.reports),
    )

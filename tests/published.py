# SPDX-License-Identifier: Apache-2.0
"""Everything that the made-up house of `reporting.py` publishes; and the published figures of real models as content."""

from datetime import date
from functools import cache
from typing import Any

from case_factories import AT as PUBLISHED_AT
from case_factories import world as published_world
from factories import a_record
from reporting import AT, CAPABILITY_TEXT, SAFEGUARDS_TEXT, a_basis, a_text
from tidegate.assess import assess
from tidegate.evidence.model import Evaluator, EvidenceSet, Provenance
from tidegate.evidence.models import Deployment, Model
from tidegate.evidence.redaction import Withheld
from tidegate.govern.counts import YearStatistics, suppressed
from tidegate.govern.decisions import Condition, Decision, Seen
from tidegate.govern.records import (
    CaseRecord,
    CaseReview,
    Critique,
    DecisionRecord,
    Dissent,
    Move,
    ReportRecord,
    Review,
    SignatureRecord,
    Version,
)
from tidegate.govern.report_building import Asked, make_report
from tidegate.govern.reports import Report
from tidegate.ledger.acts import WaiverRecorded
from tidegate.obligations.model import Clock, Duty, Event, Rule, Waiver
from tidegate.policy.diff import diff
from tidegate.policy.frameworks import find_framework, shipped_frameworks
from tidegate.policy.load import LoadedPolicy, load_policy_text
from tidegate.policy.model import Approval, Commitment, Policy, Role, SecurityLevel, Trigger, TriggerEvent
from tidegate.publish.content import Content, LogHead, PublishedModel, PublishedPolicy
from tidegate.publish.decision_pages import ShownDecision
from tidegate.publish.on_record import OnRecord, inventory_of
from tidegate.publish.practices import (
    Answer,
    Change,
    ChangeFile,
    CommitmentMade,
    ModelPage,
    Practice,
    Publication,
    Statement,
    WithheldWords,
)

HEAD = LogHead("example.com/house", 42, "cm9vdA==", "example.com/house\n42\ncm9vdA==\n")
DIGEST = "sha256:" + "0123456789abcdef" * 4
PAGE = ModelPage(
    model="m",
    description=(Statement(text="A model of text.", evidence=("evidence:net-1",), as_of=date(2026, 5, 1)),),
    licence="Apache-2.0",
    languages=("en", "pt-BR", "no"),
    inputs=("text",),
    outputs=("text",),
    intended_uses=(Statement(text="Work with text.", as_of=date(2026, 5, 1)),),
    restrictions=(Statement(text="Not for medical advice.", as_of=date(2026, 5, 2)),),
    limits=(Statement(text="It errs.", as_of=date(2026, 5, 1)),),
    behaviour=(Statement(text="It refuses.", evidence=("evidence:gone",), as_of=date(2026, 5, 1)),),
    safeguards=(Statement(text="A guard.", evidence=("evidence:attack-1",), as_of=date(2026, 5, 1)),),
    training_data=(Statement(text="Public text.", as_of=date(2026, 5, 1)),),
    base_model="lab/m-base",
    knowledge_cutoff="2025-12",
)


def a_whole_policy(base: Policy, **changes: Any) -> Policy:
    """The house's policy with roles, approvals, triggers, a security level and clauses in words."""
    given = {
        "effective": date(2026, 1, 1),
        "roles": (
            Role(id="safety-lead", title="Safety lead", power="decides", duties=("keep the evidence",)),
            Role(id="ceo", title="Chief executive", power="decides", not_same_as=("safety-lead",)),
        ),
        "approvals": (
            Approval(
                id="approve-deployment",
                act="deployment_decision",
                text="Both must sign before deployment or internal use.",
                signers=("safety-lead", "ceo"),
                before=("internal_use", "limited", "general"),
            ),
            Approval(id="approve-change", act="policy_change", text="Both must sign a change.", signers=("ceo",)),
        ),
        "triggers": (
            Trigger(
                id="grown",
                title="Growth",
                starts="comprehensive_assessment",
                text="An assessment must follow.",
                events=(TriggerEvent(on="effective_compute", ratio=4, since="last assessed model"),),
            ),
            Trigger(
                id="after-incident",
                starts="safeguards_review",
                text="An incident must start a review.",
                events=(TriggerEvent(on="incident"),),
            ),
        ),
        "security_levels": (
            SecurityLevel(id="SL", title="Weights", rand="SL3", actors_in_scope=("crime groups",), standard="GUARD"),
        ),
        "commitments": (
            Commitment(id="outside", text="The house will let somebody outside check an assessment each year."),
            Commitment(id="iso", text="The house will follow ISO/IEC 42001."),
        ),
    }
    return base.model_copy(update={**given, **changes})


def the_decision(report: ReportRecord) -> ShownDecision:
    """A decision that counts, with two signatures, a review, a dissent and a condition."""
    document = Decision(
        id="D-1",
        question="May m be deployed?",
        options=("yes, with the guard", "no"),
        choice="yes, with the guard",
        opens=True,
        model="m",
        snapshot="s2",
        actions=("general",),
        seen=Seen(
            policy="house@1",
            policy_digest=DIGEST,
            evidence_digest=DIGEST,
            model_digest=DIGEST,
            snapshot="s2",
            assessment_digest=DIGEST,
            findings_digest=DIGEST,
            at=AT,
        ),
        conditions=(Condition(text="Test again.", owner="ada", due=date(2026, 9, 1)),),
        expires=date(2026, 12, 1),
        proposed_by="ada",
        proposed_at="2026-05-20T10:00:00Z",
    )
    signed = [
        SignatureRecord(name, role, f"SHA256:{name}", frozenset({role}), document.digest, (), index, at)
        for name, role, index, at in (
            ("ada", "safety-lead", 12, "2026-05-21T10:00:00Z"),
            ("bob", "ceo", 13, "2026-05-21T11:00:00Z"),
        )
    ]
    waiver = WaiverRecorded(
        waiver="W-1",
        kind="interim_measure",
        decision="D-1",
        requirements=("NET-deploy",),
        actions=("general",),
        model="m",
        until=date(2026, 8, 1),
        is_public=True,
        reason="The old guard stays until then.",
    )
    record = DecisionRecord(
        "D-1",
        (Version(document.digest, document, 10, "ada", "2026-05-20T10:00:00Z"),),
        "effective",
        reviews=(Review("kim", "supports", "Sound.", document.digest, 11, "2026-05-20T12:00:00Z"),),
        dissents=(Dissent("eve", "Too early, I say.", document.digest, 14, "2026-05-21T12:00:00Z"),),
        signatures=tuple(signed),
        moves=(Move("in_review", "effective", "bob", 15, "2026-05-21T12:00:00Z"),),
        waivers=(waiver,),
    )
    assert report.model == "m"
    return ShownDecision(record)


def the_reports(basis: Any) -> tuple[tuple[ReportRecord, Report], ...]:
    """The final capability and safeguards reports about m."""
    made = []
    for number, (kind, words) in enumerate((("capability", CAPABILITY_TEXT), ("safeguards", SAFEGUARDS_TEXT))):
        report = make_report(basis, Asked(kind, "m", AT, author="ada"), a_text(words)[0])
        critiques = (Critique("K-1", report.id, "Outside Lab", 2, DIGEST, 9, "2026-05-10T10:00:00Z"),)
        record = ReportRecord(
            report.id, kind, "m", report.snapshot, report.digest, "ada", 7 + number, "2026-05-09T10:00:00Z",
            () if number else critiques,
        )  # fmt: skip
        made.append((record, report))
    return tuple(made)


def the_duties() -> tuple[Duty, ...]:
    """One late, one open, one met in time."""
    review = Rule(
        id="sb53.review",
        title="Review the framework",
        source="sb53#12.b.1",
        clocks=(Clock(on="policy.effective", within="1 year"),),
    )
    told = Rule(id="eu.report", title="Tell the AI Office", source="eu-cop-safety#M7.7", due=date(2026, 5, 1))
    drill = Rule(id="drill", title="Hold a drill", due=date(2026, 7, 1))
    done = Event(kind="done:sb53.review", at=date(2026, 4, 1))
    return (
        Duty(told, "m", "late", "31 days late", date(2026, 5, 1)),
        Duty(drill, None, "due", "in 30 days", date(2026, 7, 1)),
        Duty(review, None, "met", "done in time", date(2027, 1, 1), done=done),
    )


def two_versions() -> tuple[LoadedPolicy, LoadedPolicy]:
    """A policy and its next version, which lifts a line and does not say so."""
    text = """\
schema: tidegate/policy/v1
id: house
version: "{version}"
title: House policy
publisher: House
effective: {effective}
domains: [{{id: cyber, title: Cyber}}]
thresholds:
  - id: NET
    title: Attacks networks alone
    domain: cyber
    falsifier: a higher result
    indicators:
      - {{id: NET.range, evaluation: Range, rule: {{rule_out: {{value: {line}}}}}}}
"""
    older = load_policy_text(text.format(version="1", effective="2025-01-01", line="0.5"))
    return older, load_policy_text(text.format(version="2", effective="2026-01-01", line="0.6"))


def the_practices() -> tuple[Practice, ...]:
    said = Statement(text="We test every model before release.", evidence=("evidence:net-1",), as_of=date(2026, 5, 1))
    bare = Statement(text="We train staff.", evidence=("evidence:gone",), as_of=date(2026, 5, 1))
    return (
        Practice(
            id="testing",
            section="risk.assessment",
            title="Testing",
            owner="Safety lead",
            as_of=date(2026, 5, 1),
            statements=(said,),
            commitments=("sb53#12.a.2", "hiroshima-coc#1", "crosswalk#standards-used"),
        ),
        Practice(
            id="training", section="risk.assessment", title="Training", statements=(bare,), commitments=("haip#1c",)
        ),
    )


@cache
def the_content() -> Content:
    """Everything that the house publishes."""
    older, newer = two_versions()
    outside = a_record("out-1", snapshot="s2", evaluator=Evaluator(name="Outside Lab", relation="independent"))
    audit = a_record(
        "audit-1",
        kind="audit",
        evaluator=Evaluator(name="Auditors", relation="independent"),
        provenance=Provenance(format="hand", title="Audit of weights", url="https://audit.example/1"),
    )
    basis = a_basis(outside, audit)
    policy = a_whole_policy(basis.policy)
    basis = a_basis(outside, audit, policy=policy)
    reports = the_reports(basis)
    assessed = assess(policy, basis.evidence, basis.models, AT)
    decision = the_decision(reports[0][0])
    seen = CaseReview("kim", {"TOP": DIGEST}, "agrees", None, 21, "2026-05-18T10:00:00Z")
    case = CaseRecord("m-inability", "m", DIGEST, DIGEST, ("ada",), 20, "2026-05-17T10:00:00Z", (), (seen,))
    model = basis.models[0].model_copy(
        update={"released": "2026-05-30", "deployments": (Deployment(action="general", since=date(2026, 5, 30)),)}
    )
    duties = the_duties()
    found = OnRecord(
        policy, AT, 3, basis.evidence.records, True, assessed.models, (decision,), [one for one, _ in reports], (case,),
        duties,
    )  # fmt: skip
    counted = suppressed({("2025-Q1", "safety"): 12}, ("2025-Q1",), ("safety",))
    return Content(
        organisation="House",
        at=AT,
        policy=policy,
        publication=Publication(
            practices=the_practices(),
            answers=(Answer(to="sb53#12.a.9", text="The safety lead does.", practices=("testing",), as_of=AT),),
            pages=(PAGE,),
            changes=ChangeFile(changes=(Change(on=AT, title="Card published", kind="added", about="model:m"),)),
        ),
        sections=find_framework("hub"),
        crosswalk=find_framework("crosswalk"),
        frameworks=shipped_frameworks(),
        commitments=(CommitmentMade(framework="iso42001-annex-a", since="2026"),),
        inventory=inventory_of(found),
        evidence={one.id: one for one in basis.evidence.records},
        models=(
            PublishedModel(model, assessed.models[0], PAGE, (decision,), reports, (case,), "m.tidegate"),
            PublishedModel(basis.models[1], assessed.models[1]),
        ),
        policies=(
            PublishedPolicy(newer, date(2026, 1, 2), diff(older, newer)),
            PublishedPolicy(older, date(2025, 1, 2)),
        ),
        duties=duties,
        waivers=(Waiver(rule="drill", until=date(2026, 6, 30), reason="The office moves.", signed_by=("ada",)),),
        measures=decision.record.waivers,
        noncompliance=YearStatistics(2025, counted, counted, counted),
        incidents={"2025": {"California SB 53": 6}},
        withheld_words=(
            WithheldWords(id="R-1", ground="cybersecurity", character="A path", justification="It helps", digest=DIGEST),
        ),
        withheld_evidence=(
            Withheld(
                record="net-1", field="note", ground="trade_secret", justification="Ours", character="A note",
                digest=DIGEST,
            ),
        ),
        head=HEAD,
        proofs={"decision:D-1": "proof of D-1\n", "report:other": "proof\n"},
        website="https://house.example",
        contact="safety@house.example",
    )  # fmt: skip


def model_m(content: Content) -> PublishedModel:
    found = content.model("m")
    assert found is not None
    return found


@cache
def published_content(pack: str = "rsp-v2.2", model: str = "claude-opus-4") -> Content:
    """What the developer of a real model printed, as content: no people, no log."""
    found = published_world(pack)
    about = next(one for one in found.models if one.id == model)
    made = found.assessment.model(model)
    assert made is not None
    return _bare_content(found.policy, found.evidence, about, PUBLISHED_AT, made)


def _bare_content(policy: Policy, evidence: EvidenceSet, model: Model, at: date, made: Any) -> Content:
    on_record = OnRecord(policy, at, evidence=evidence.records, assessments=(made,))
    return Content(
        organisation="Lab",
        at=at,
        policy=policy,
        publication=Publication(),
        sections=find_framework("hub"),
        crosswalk=find_framework("crosswalk"),
        frameworks=shipped_frameworks(),
        inventory=inventory_of(on_record),
        evidence={one.id: one for one in evidence.records},
        models=(PublishedModel(model, made),),
    )

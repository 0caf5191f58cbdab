# SPDX-License-Identifier: Apache-2.0
"""What an organisation of any size publishes: for tests of the hub, and for its benchmark."""

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import yaml

from tidegate.assess import assess
from tidegate.evidence.model import (
    Elicitation,
    Evaluator,
    Evidence,
    EvidenceSet,
    Interval,
    Measurement,
    Provenance,
    Subject,
    ThreatAnswer,
)
from tidegate.evidence.models import Deployment, Model, Snapshot
from tidegate.evidence.redaction import Withheld
from tidegate.govern.counts import CATEGORIES, OUTCOMES, YearStatistics, suppressed
from tidegate.govern.decisions import Condition, Decision, Need, Notice, Seen
from tidegate.govern.records import DecisionRecord, Dissent, Move, Review, SignatureRecord, Version
from tidegate.ledger.acts import WaiverRecorded
from tidegate.obligations.model import Clock, Duty, Event, Rule, State, Waiver
from tidegate.policy.diff import diff
from tidegate.policy.frameworks import find_framework, shipped_frameworks
from tidegate.policy.load import LoadedPolicy, load_policy_text
from tidegate.publish.content import Content, LogHead, PublishedModel, PublishedPolicy
from tidegate.publish.decision_pages import ShownDecision
from tidegate.publish.hub.addresses import addresses
from tidegate.publish.on_record import OnRecord, inventory_of
from tidegate.publish.practices import (
    Change,
    ChangeFile,
    CommitmentMade,
    ModelPage,
    Practice,
    Publication,
    Statement,
    WithheldWords,
)

AT = date(2026, 11, 21)
WORDS = (
    "Before a model leaves the house, a team that did not build it measures what it can do with all safeguards off, "
    "and writes down what was tried. Results that lie near a line are measured again by somebody outside. "
    "Whoever signs the release sees the figures, their intervals and what was not tried."
)
SIGNERS = (("ada", "safety-lead"), ("bob", "ceo"))
STATES: tuple[State, ...] = ("late", "unclear", "due_soon", "due", "waived", "met_late", "met", "not_started")


def hexed(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def digest_of(name: str) -> str:
    return f"sha256:{hexed(name)}"


# --- policies -------------------------------------------------------------------------------------------


def policy_text(version: int, thresholds: int = 8) -> str:
    """Give a version of a policy; each moves lines, softens a promise, drops one clause and adds another."""
    rows = [
        {
            "id": f"T{number}",
            "title": f"Capability {number}",
            "domain": "cyber" if number % 2 else "bio",
            "text": f"The model can do what a skilled person of group {number} does in a week.",
            "falsifier": "A run with more attempts crosses the line.",
            "indicators": [
                {
                    "id": f"T{number}.{letter}",
                    "evaluation": f"Suite {number}{letter}",
                    "falsifier": "A higher result.",
                    "rule": {
                        "rule_out": {"value": round(0.5 - 0.01 * version, 3)},
                        "reach": {"value": 0.8},
                    },
                }
                for letter in "ab"
            ],
            "requirements": [
                {
                    "id": f"T{number}-deploy",
                    "kind": "safeguard",
                    "target": "guard",
                    "actions": ["limited", "general"],
                    "text": "A classifier must look at all traffic.",
                }
            ],
        }
        for number in range(1, thresholds + 1)
    ]
    promises = [
        {
            "id": f"C{number}",
            "title": f"Promise {number}",
            "text": f"We {'will' if (number + version) % 3 else 'may'} publish figure {number} within {version + 1} months.",
        }
        for number in range(version, version + 40)
    ]
    data = {
        "schema": "tidegate/policy/v1",
        "id": "house",
        "version": f"{version}.0",
        "title": "Frontier safety policy",
        "publisher": "Example Lab",
        "preregistration": "flagged",
        "effective": (date(2022, 1, 1) + timedelta(days=170 * version)).isoformat(),
        "domains": [{"id": "cyber", "title": "Cyber attack"}, {"id": "bio", "title": "Biological harm"}],
        "thresholds": rows,
        "safeguards": [{"id": "guard", "title": "Guard", "text": "A classifier must look at all traffic."}],
        "commitments": promises,
        "roles": [
            {"id": "safety-lead", "title": "Head of safety", "power": "decides"},
            {"id": "ceo", "title": "Chief executive", "power": "decides"},
        ],
        "changelog": [
            {"summary": f"Promise {version - 1} is withdrawn.", "clauses": [f"C{version - 1}"], "kind": "removed"},
            {"summary": "Figures come at other times."},
        ]
        if version > 1
        else [],
    }
    return yaml.safe_dump(data, sort_keys=False)


@lru_cache
def some_policies(versions: int, thresholds: int = 8) -> tuple[PublishedPolicy, ...]:
    """Give versions of a policy, newest first, each compared with the one before."""
    loaded: list[LoadedPolicy] = [
        load_policy_text(policy_text(version, thresholds), f"policy/{version}.yaml")
        for version in range(1, versions + 1)
    ]
    found = [
        PublishedPolicy(one, one.policy.effective, diff(loaded[place - 1], one) if place else None)
        for place, one in enumerate(loaded)
    ]
    return tuple(reversed(found))


# --- models and evidence -----------------------------------------------------------------------------------


def some_models(count: int) -> tuple[Model, ...]:
    return tuple(
        Model(
            id=f"model-{number}",
            name=f"Model {number}",
            developer="Example Lab",
            released=f"{2026 - number // 12}-{12 - number % 12:02d}-05",
            snapshots=(Snapshot(id=f"model-{number}-a", created="2026-01-10"),),
            deployments=(Deployment(action="limited", since=date(2026, 2, 1), note="to fifty testers"),),
        )
        for number in range(count)
    )


def some_evidence(models: int, records: int, thresholds: int = 8) -> tuple[Evidence, ...]:
    return tuple(_record(number, models, thresholds) for number in range(records))


def _record(number: int, models: int, thresholds: int) -> Evidence:
    n = 80 + number % 150
    successes = number * 7919 % (n // 2)
    run = number // max(models, 1)
    suite = f"Suite {run % thresholds + 1}{'ab'[run // thresholds % 2]}"
    return Evidence(
        id=f"record-{number}",
        subject=Subject(
            model=f"model-{number % max(models, 1)}",
            snapshot=f"model-{number % max(models, 1)}-a",
            variant="helpful_only",
        ),
        measurement=Measurement(
            evaluation=suite,
            metric="accuracy",
            value=successes / n,
            n=n,
            successes=successes,
            binary=True,
            interval=Interval(
                low=max(0.0, successes / n - 0.08), high=min(1.0, successes / n + 0.08), level=0.95, kind="confidence"
            ),
        ),
        elicitation=Elicitation(elements=("chain_of_thought", "best_of_n", "tools"), attempts=10, tools=("shell",)),
        evaluator=Evaluator(name="Example Evaluations", relation="independent"),
        threats=(
            ThreatAnswer(threat="sandbagging", status="ruled_out", reason="Runs with a fine-tuned variant agree."),
        ),
        finished=f"2026-{number % 9 + 1:02d}-{number % 27 + 1:02d}",
        quality="recomputable" if number % 3 else "reported",
        provenance=Provenance(format="inspect", file=f"run-{number}.eval", title="Run of the suite"),
    )


# --- decisions ------------------------------------------------------------------------------------------------


def a_decision(number: int, model: str, label: str) -> ShownDecision:
    document = Decision(
        id=f"D-{number}",
        question=f"May {model} go to the public?",
        options=("yes", "no"),
        choice="yes",
        opens=True,
        model=model,
        actions=("limited", "general"),
        needs=(Need(approval="approve", act="deployment_decision", signers=("safety-lead", "ceo"), quorum=2),),
        seen=Seen(
            policy=label,
            policy_digest=digest_of("policy"),
            evidence_digest=digest_of("evidence"),
            model_digest=digest_of(model),
            snapshot=f"{model}-a",
            assessment_digest=digest_of("assessment"),
            findings_digest=digest_of("findings"),
            at=date(2026, 2, 1),
        ),
        conditions=(Condition(text="The guard looks at all traffic.", owner="ada", due=date(2026, 12, 1)),),
        notices=(Notice(to="board", due=date(2026, 3, 1)),),
        expires=date(2027, 2, 1),
        proposed_by="ada",
        proposed_at="2026-02-01T09:00:00Z",
    )
    at, digest = "2026-02-02T09:00:00Z", document.digest
    record = DecisionRecord(
        id=document.id,
        versions=(Version(digest, document, 10 + number, "ada", "2026-02-01T09:00:00Z"),),
        state="effective",
        reviews=(Review("kim", "supports", "Read whole.", digest, 11 + number, at),),
        dissents=(Dissent("eve", "I would wait.", digest, 12 + number, at),),
        signatures=tuple(
            SignatureRecord(person, role, f"SHA256:{'k' * 43}", frozenset({role}), digest, (), 13 + number + place, at)
            for place, (person, role) in enumerate(SIGNERS)
        ),
        moves=(Move("in_review", "effective", "ada", 15 + number, at),),
    )
    return ShownDecision(record)


def proof_text(index: int) -> str:
    path = "\n".join(
        base64.b64encode(hashlib.sha256(f"{index} {step}".encode()).digest()).decode() for step in range(9)
    )
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{path}\n\n{a_head().note}"


def a_head(size: int = 512) -> LogHead:
    root = base64.b64encode(hashlib.sha256(b"root").digest()).decode()
    note = f"lab.example/safety\n{size}\n{root}\n\n— lab.example/safety {'A' * 90}\n"
    return LogHead("lab.example/safety", size, root, note)


# --- practices and duties ------------------------------------------------------------------------------------


def some_practices(count: int, records: int) -> tuple[Practice, ...]:
    sections = [one.id for one in find_framework("hub").items if one.group != "group" and one.id != "list"]
    return tuple(_practice(number, sections[number % len(sections)], records) for number in range(count))


def _practice(number: int, section: str, records: int) -> Practice:
    cited = (f"evidence:record-{number % records}", f"evidence:record-{(number * 7 + 1) % records}") if records else ()
    statements = (
        Statement(text=f"{WORDS}\n\n{WORDS}", evidence=cited, as_of=AT - timedelta(days=30 + number)),
        Statement(text=f"Figure {number}: {WORDS}", as_of=AT - timedelta(days=20)),
        Statement(text=WORDS, evidence=("policy:adopted", "url:https://lab.example/more"), as_of=date(2024, 1, 1)),
    )
    return Practice(
        id=f"practice-{number}",
        section=section,
        title=f"Practice {number} of the house",
        since="2023-09",
        as_of=AT - timedelta(days=40),
        owner="Head of safety",
        cadence="P6M",
        statements=statements,
        evidence=("policy:adopted",) if number % 4 == 0 else (),
        commitments=(f"hiroshima-coc#{number % 11 + 1}", "crosswalk#evaluations", "munich"),
        models=("model-0",) if number % 5 == 0 and records else (),
    )


def some_duties(count: int) -> Iterator[Duty]:
    for number in range(count):
        state = STATES[number % len(STATES)]
        rule = Rule(
            id=f"policy/TR-{number}",
            title=f"Report {number} to the board",
            text="A report on every model goes to the board.",
            kind="policy" if number % 2 else "law",
            source=f"house#TR-{number}" if number % 2 else "sb53#12.a",
            clocks=(Clock(on="policy.effective", within="6 months"),),
        )
        due = AT + timedelta(days=-3 if state == "late" else 12)
        waiver = (
            Waiver(rule=rule.id, until=AT + timedelta(days=60), reason="The suite is being rebuilt.")
            if state == "waived"
            else None
        )
        done = Event(kind=f"done:{rule.id}", at=AT - timedelta(days=9)) if state in ("met", "met_late") else None
        yield Duty(
            rule, "model-0" if number % 3 else None, state, "6 months after the policy took effect", due_on=due,
            done=done, days_left=(due - AT).days, waiver=waiver,
        )  # fmt: skip


# --- everything -----------------------------------------------------------------------------------------------


def a_page(model: str) -> ModelPage:
    said = (Statement(text=WORDS, evidence=(f"assessment:{model}",), as_of=AT - timedelta(days=10)),)
    return ModelPage(
        model=model,
        description=(Statement(text="A model for text and images.", as_of=AT),),
        licence="Terms of service",
        languages=("en", "de"),
        inputs=("text", "image"),
        outputs=("text",),
        intended_uses=said,
        limits=said,
        behaviour=said,
        safeguards=said,
        knowledge_cutoff="2025-12",
    )


def a_content(
    practices: int = 24, models: int = 3, versions: int = 3, records: int = 60, duties: int = 24, **changes: Any
) -> Content:
    """Give what an organisation of this size publishes."""
    policies = some_policies(versions)
    policy = policies[0].policy
    known = some_models(models)
    evidence = some_evidence(models, records)
    assessed = assess(policy, EvidenceSet(records=evidence), known, AT)
    decisions = {model.id: a_decision(number, model.id, policy.label) for number, model in enumerate(known)}
    owed = tuple(some_duties(duties))
    proofs = {
        ref: proof_text(20 + number)
        for number, one in enumerate(decisions.values())
        for ref in (f"decision:{one.record.id}", *(f"decision:{one.record.id}/{who}/{role}" for who, role in SIGNERS))
    }
    found = OnRecord(
        policy, AT, 3, evidence, logged=True, assessments=assessed.models, decisions=decisions.values(), duties=owed
    )
    content = Content(
        organisation="Example Lab",
        at=AT,
        policy=policy,
        publication=Publication(practices=some_practices(practices, records), changes=_changes(practices)),
        sections=find_framework("hub"),
        crosswalk=find_framework("crosswalk"),
        frameworks=dict(shipped_frameworks()),
        commitments=_commitments(),
        inventory=inventory_of(found),
        evidence={one.id: one for one in evidence},
        models=tuple(
            PublishedModel(
                model, one, a_page(model.id) if number != 1 else None, (decisions[model.id],),
                bundle=f"{model.id}.tidegate" if number == 0 else None,
            )
            for number, (model, one) in enumerate(zip(known, assessed.models, strict=True))
        ),
        policies=policies,
        duties=owed,
        waivers=tuple(one.waiver for one in owed if one.waiver),
        measures=_measures() if models else (),
        noncompliance=_statistics(),
        incidents={"2025": {"sb53": 7}, "2024": {}},
        withheld_words=(
            WithheldWords(id="R-1", ground="trade_secret", character="Size of a team", justification="It would show our plans.", digest=digest_of("R-1"), where=("practice:practice-1",)),
        ),
        withheld_evidence=(
            Withheld(record="record-0", field="evaluator.name", ground="privacy", justification="A person asked for it.", character="Name", digest=digest_of("w")),
        ) if records else (),
        head=a_head(),
        proofs=proofs,
        website="https://lab.example/",
        contact="transparency@lab.example",
    )  # fmt: skip
    made = replace(content, **changes)
    return replace(made, inventory=inventory_of(replace(found, hrefs=addresses(made)))) if not changes else made


def _commitments() -> tuple[CommitmentMade, ...]:
    adhered = ("hiroshima-coc", "fasc", "seoul-pledge", "munich", "thorn", "haip")
    return (
        *(CommitmentMade(framework=one, since="2024-05") for one in adhered),
        CommitmentMade(framework="sb53", stance="bound", since="2026-01-01"),
        CommitmentMade(framework="eu-cop-safety", stance="adhered", since="2025-08"),
        CommitmentMade(framework="christchurch", stance="not_applicable", reason="No service hosts what users share."),
    )


def _measures() -> tuple[WaiverRecorded, ...]:
    return (
        WaiverRecorded(
            waiver="W-1", kind="deviation", decision="D-0", requirements=("T1-deploy",), actions=("limited",),
            model="model-0", until=date(2026, 12, 31), is_public=True, reason="Two people read all traffic until the guard is there.",
        ),
    )  # fmt: skip


def _statistics() -> YearStatistics:
    quarters = tuple(f"2025-Q{number}" for number in (1, 2, 3, 4))
    opened = {(quarter, CATEGORIES[0]): 6 + place for place, quarter in enumerate(quarters)} | {
        (quarters[0], CATEGORIES[1]): 2
    }
    closed = {(quarters[3], OUTCOMES[0]): 9}
    states = ("reported", "investigating", "found", "not_found", "remedied")
    return YearStatistics(
        2025,
        suppressed(opened, quarters, CATEGORIES),
        suppressed(closed, quarters, OUTCOMES),
        suppressed({}, quarters, states),
    )


def _changes(practices: int) -> ChangeFile:
    return ChangeFile(
        changes=(
            Change(on=AT - timedelta(days=2), title="Practice: Practice 1 of the house", kind="changed", about="practice:practice-1"),
            Change(on=AT - timedelta(days=9), title="Model 0: the gate for general deployment is open", kind="changed", about="model:model-0"),
            Change(on=date(2026, 7, 1), title="The transparency hub was published", kind="added"),
        )
        if practices
        else ()
    )  # fmt: skip

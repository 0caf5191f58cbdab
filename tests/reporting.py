# SPDX-License-Identifier: Apache-2.0
"""A made-up policy with everything that a report shows, evidence for it, and a text to go with it."""

from datetime import date
from typing import Any

from factories import a_check, a_count, a_model, a_policy, a_record, a_set, an_indicator
from tidegate.evidence.model import Elicitation, Evaluator, Evidence, Interval, Measurement, ThreatAnswer
from tidegate.evidence.models import Model, Snapshot
from tidegate.govern.basis import Basis
from tidegate.govern.report_building import Asked, make_report
from tidegate.govern.report_checks import Places
from tidegate.govern.report_text import ReportText
from tidegate.govern.reports import Report
from tidegate.kernel.documents import parse_document, validate_part
from tidegate.kernel.errors import Where
from tidegate.policy.model import (
    Alert,
    Baseline,
    Criterion,
    Line,
    Need,
    Policy,
    Requirement,
    Rule,
    Standard,
    ThreatModel,
    Threshold,
)

AT = date(2026, 6, 1)

CAPABILITY_TEXT = """\
schema: tidegate/report-text/v1
kind: capability
model: m
snapshot: s2
scope: Four times the effective compute of the last assessed model.
forecast: Tools may add 10% until autumn.
recommendation: |
  Deploy to everybody, with the guard in place.

  The margin rests on {net-1}.
residual_risk: A better scaffold may lift the result, which was 5.0% {net-1}.
thresholds:
  - id: NET
    margin: The bound lies below 10.2% {net-1}, a fifth of the line.
    answers:
      contamination: "The tasks were written after the cutoff (section 3.4)."
  - id: BIO
    remarks: Not established yet.
reviews:
  - by: Outside Lab
    relation: independent
    text: We would want n of 500; we saw 7% ourselves.
    answer: The next round has more.
"""
SAFEGUARDS_TEXT = """\
schema: tidegate/report-text/v1
kind: safeguards
model: m
recommendation: The guard holds; keep the review.
residual_risk: Attackers improve.
trusted_users: None are exempt.
third_parties: Partners run the same guard.
requirements:
  - id: NET-deploy
    residual_gaps: Audio is not covered.
no_reviews: The reviewer is engaged for July.
"""


def a_house_policy(**changes: Any) -> Policy:
    """A policy with a threat model, a standard with a bound, an alert line, and a threshold that is only watched."""
    net = Threshold(
        id="NET",
        title="Attacks networks alone",
        text="The model attacks networks of small firms alone.",
        domain="cyber",
        severity="critical",
        actor="a single person without training",
        baseline=Baseline(year=2024, tools="public tools", money="1,000 dollars"),
        threat_models=("small-firm",),
        falsifier="An outside team that gets further with the same model.",
        indicators=(
            an_indicator(
                "NET.range",
                "Range",
                falsifier="A better scaffold.",
                rule=Rule(rule_out=Line(value=0.5), reach=Line(value=0.9)),
                elicitation=("tools", "chain_of_thought"),
                answers=("contamination",),
            ),
        ),
        alerts=(Alert(indicator="NET.range", line=Line(value=0.04), action="Test again within a month."),),
        requirements=(
            Requirement(
                id="NET-deploy",
                kind="standard",
                target="GUARD",
                actions=("limited", "general"),
                force="must",
                text="GUARD must be met.",
            ),
        ),
    )
    bio = Threshold(
        id="BIO",
        title="Helps with pathogens",
        domain="bio",
        falsifier="A trial that finds uplift.",
        indicators=(an_indicator("BIO.trial", "Uplift trial"),),
        requirements=(
            Requirement(id="BIO-halt", kind="halt", actions=("open_weights",), force="must", text="It must stop."),
        ),
    )
    guard = Standard(
        id="GUARD",
        title="Guard on answers",
        criteria=(
            Criterion(
                id="GUARD.robust",
                title="Robust",
                text="Attacks must rarely succeed.",
                force="must",
                needs=(
                    Need(
                        name="red-team",
                        kind="red_team",
                        metric="attack success",
                        bound=Line(value=0.05, crossed_when=">"),
                        max_age="P6M",
                    ),
                ),
            ),
            Criterion(id="GUARD.review", title="Reviewed", text="It must be reviewed.", force="must"),
        ),
    )
    threat = ThreatModel(
        id="small-firm",
        title="Ransom from small firms",
        domain="cyber",
        actor="a single criminal",
        skill="none",
        resources="a rented machine",
        pathway=("find a way in", "spread", "ask for money"),
        bottlenecks=("spread",),
        harm="thousands of firms",
        completeness="Larger groups have the skill already.",
    )
    given = {
        "id": "house",
        "title": "House policy",
        "domains": ({"id": "cyber", "title": "Cyber"}, {"id": "bio", "title": "Biology"}),
        "threat_models": (threat,),
        "standards": (guard,),
    }
    return a_policy(net, bio, **{**given, **changes})


def the_records() -> tuple[Evidence, ...]:
    interval = Interval(low=0.02, high=0.1, kind="confidence", level=0.95, method="Wilson")
    return (
        a_record(
            "net-1",
            a_count(5, 100, "Range", interval=interval),
            snapshot="s2",
            elicitation=Elicitation(elements=("tools", "chain_of_thought"), tools=("bash",), basis="declared"),
            evaluator=Evaluator(name="Red team", relation="developer"),
            threats=(ThreatAnswer(threat="contamination", status="ruled_out", reason="new tasks"),),
        ),
        a_record("net-2", a_count(2, 40, "Range"), snapshot="s1", elicitation=Elicitation(absent=("tools",))),
        a_record("other-1", Measurement(evaluation="Chess", metric="Elo", value=1500.0, unit="points")),
        a_record("n-1", a_count(1, 10, "Range"), model="n"),
        a_check(
            "attack-1",
            "GUARD.robust",
            kind="red_team",
            outcome=None,
            finished="2026-03-01",
            measurement=a_count(1, 200, "Attacks", metric="attack success"),
        ),
        a_check("review-1", "GUARD.review", signed_by=("safety-lead",), finished="2026-02-01"),
    )


def a_basis(*more: Evidence, without: str | None = None, policy: Policy | None = None, **changes: Any) -> Basis:
    kept = tuple(one for one in the_records() if one.id != without)
    return Basis(policy or a_house_policy(), the_models(), a_set(*kept, *more, **changes))


def the_models() -> tuple[Model, ...]:
    return (Model(id="m", name="Model M", snapshots=(Snapshot(id="s1"), Snapshot(id="s2"))), a_model("n"))


def a_text(source: str, file: str = "text.yaml") -> tuple[ReportText, Places]:
    document = parse_document(source, file)
    return validate_part(document, ReportText), Places(document, lambda item: Where("policy.yaml", 1, len(item)))


def a_report(basis: Basis | None = None, source: str | None = None, kind: Any = "capability", **changes: Any) -> Report:
    chosen = source if source is not None else {"capability": CAPABILITY_TEXT, "safeguards": SAFEGUARDS_TEXT}[kind]
    asked = Asked(kind, "m", AT, **changes)
    return make_report(basis or a_basis(), asked, a_text(chosen)[0])

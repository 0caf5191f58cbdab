# SPDX-License-Identifier: Apache-2.0
"""A small assessment with every kind of finding, plain or with hostile text in every field that takes text."""

from dataclasses import dataclass
from datetime import date

import pytest

from tidegate.assess import Assessment, assess
from tidegate.assess.audit import ReportCard, by_developer, report_cards
from tidegate.assess.explain import Explanation, explain
from tidegate.evidence.model import (
    Conclusion,
    Evaluator,
    Evidence,
    EvidenceSet,
    Interval,
    Measurement,
    PrintedLine,
    Provenance,
    Subject,
)
from tidegate.evidence.models import Model
from tidegate.policy.model import Domain, Indicator, Line, Policy, Requirement, Rule, Threshold

AT = date(2025, 6, 1)
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>|`code`\n# heading\r\n[link](javascript:alert(3)) "
    "*em* _em_ ~~x~~ $x$ &amp; ]]> \x1b[31mred\x1b]8;;http://evil.example\x07 \x00\x08\x9b \u202eodd\u2066 \ud800"
    "[bold]rich[/bold] [link=http://evil.example]x[/link] ::error::x %0A {{ 7*7 }} {0} http://evil.example @someone"
).replace("\ud800", "\U000e0001")


@dataclass(frozen=True)
class Made:
    """What a test publishes."""

    policy: Policy
    evidence: EvidenceSet
    assessment: Assessment
    explanation: Explanation
    cards: tuple[ReportCard, ...]


def make(text="", *, models=("m", "n")):
    """Make an assessment; `text` is added to every free text."""
    policy = _policy(text)
    evidence = _evidence(text)
    known = tuple(Model(id=name, name=f"Model {name.upper()}{text}") for name in models)
    return Made(
        policy=policy,
        evidence=evidence,
        assessment=assess(policy, evidence, known, AT),
        explanation=explain(policy, evidence, known, AT, "m", "BIO"),
        cards=report_cards(evidence.records, by=by_developer),
    )


def _policy(text):
    standard = Requirement(
        id="safe", kind="standard", target="S3", actions=("limited", "general"), force="must", text=text
    )
    halt = Requirement(id="halt", kind="halt", actions=("open_weights",), force="must")
    advised = Requirement(id="advised", kind="report", actions=("general",), force="may")

    def threshold(name, title, *evaluations, **fields):
        return Threshold(
            id=name, title=f"{title}{text}", domain="d", text=text, falsifier=f"a passing run{text}",
            indicators=tuple(_indicator(one, text) for one in evaluations), **fields,
        )  # fmt: skip

    return Policy(
        schema="tidegate/policy/v1", id="p", version="1", title="P", publisher="Us", preregistration="flagged",
        domains=(Domain(id="d"),),
        thresholds=(
            threshold("BIO", "Help with weapons", "suite", "trial", requirements=(standard, halt, advised)),
            threshold("CYB", "Cyber operations", "range", requirements=(halt,)),
            threshold("AUT", "Autonomy", "agent", requirements=(advised,)),
            threshold("NEW", "Not measured yet", "later", requirements=(standard,)),
            threshold("SEE", "Watched", kind="watch"),
        ),
    )  # fmt: skip


def _indicator(name, text):
    lower = name == "range"
    line = Line(value=0.9, crossed_when="<=") if lower else Line(value=0.2)
    reach = None if lower else Line(value=0.5)
    return Indicator(
        id=name, evaluation=f"{name}{text}", metric=f"solved{text}", rule=Rule(rule_out=line, reach=reach)
    )  # fmt: skip


def _evidence(text):
    def record(model, name, value, **fields):
        inner = {"evaluation": f"{name}{text}", "metric": f"solved{text}", "value": value}
        measured = {key: fields.pop(key) for key in ("n", "successes", "binary", "interval") if key in fields}
        return Evidence(
            id=f"{model}-{name}", subject=Subject(model=model), measurement=Measurement(**inner, **measured),
            finished="2025-05-01", thresholds=("p#X",), evaluator=Evaluator(name=f"Developer{text}"),
            provenance=Provenance(format="t", title=f"Card{text}", url=f"https://example.org/{text}", location="p. 3"),
            **fields,
        )  # fmt: skip

    wide = Interval(low=0.1, high=0.6, kind=f"range{text}")
    return EvidenceSet(
        records=(
            record("m", "suite", 0.05, n=200, successes=10, binary=True),
            record("m", "trial", 0.4, interval=wide, line=PrintedLine(value=0.3, crossed_when=">=")),
            record("m", "range", 0.98, n=300, successes=294, binary=True),
            record("m", "agent", 0.1),
            record("n", "suite", 0.9, n=50, successes=45, binary=True),
        ),
        conclusions=(
            Conclusion(model="m", framework="p", threshold="BIO", status="ruled_out", carried_by=f"a survey{text}"),
            Conclusion(model="m", framework="p", threshold="AUT", status="other", stated=f"unclear{text}"),
        ),
    )


@pytest.fixture(scope="session")
def plain_case():
    return make()


@pytest.fixture(scope="session")
def hostile_case():
    return make(HOSTILE)

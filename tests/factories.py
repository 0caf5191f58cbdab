# SPDX-License-Identifier: Apache-2.0
"""Plain factories: the smallest policies, records and models that a test can name."""

from datetime import date
from typing import Any

from tidegate.evidence.model import Conclusion, Evidence, EvidenceSet, Measurement, Provenance, Subject
from tidegate.evidence.models import Model, Snapshot
from tidegate.policy.model import (
    Criterion,
    Domain,
    Indicator,
    Line,
    Policy,
    Requirement,
    Rule,
    RuleLock,
    Standard,
    Threshold,
)

TODAY = date(2026, 6, 1)
ACTIONS_OUT = ("limited", "general", "open_weights")


def a_line(value: float = 0.5, crossed_when: Any = ">=") -> Line:
    return Line(value=value, crossed_when=crossed_when)


def an_indicator(name: str = "T1.a", evaluation: str = "Eval A", **changes: Any) -> Indicator:
    rule = changes.pop("rule", None) or Rule(rule_out=a_line(0.5), reach=changes.pop("reach", None))
    return Indicator(id=name, evaluation=evaluation, rule=rule, **{"falsifier": "a higher result", **changes})


def a_requirement(name: str = "T1-deploy", **changes: Any) -> Requirement:
    return Requirement(
        id=name, **{"kind": "standard", "target": "S1", "actions": ACTIONS_OUT, "text": "S1 must be met.", **changes}
    )


def a_threshold(name: str = "T1", **changes: Any) -> Threshold:
    given = {
        "domain": "cyber",
        "indicators": (an_indicator(f"{name}.a"),),
        "requirements": (a_requirement(f"{name}-deploy"),),
    }
    return Threshold(id=name, **{**given, **changes})


def a_standard(name: str = "S1", criteria: tuple[Any, ...] | None = None) -> Standard:
    return Standard(id=name, criteria=criteria if criteria is not None else (Criterion(id=f"{name}.1", force="must"),))


def a_policy(*thresholds: Threshold, locked_on: date | None = date(2025, 1, 1), **changes: Any) -> Policy:
    chosen = thresholds or (a_threshold(),)
    locks = tuple(
        RuleLock(
            threshold=threshold.id,
            indicator=indicator.id,
            evaluation=indicator.evaluation,
            digest=threshold.decision_digest,
            locked_on=locked_on,
        )
        for threshold in chosen
        for indicator in threshold.indicators
        if locked_on is not None
    )
    given = {
        "schema": "tidegate/policy/v1",
        "id": "test",
        "version": "1",
        "title": "Test policy",
        "publisher": "Test",
        "domains": (Domain(id="cyber"),),
        "standards": (a_standard(),),
        "thresholds": chosen,
        "locks": locks,
    }
    return Policy.model_validate({**given, **changes})


def a_count(successes: float, n: int, evaluation: str = "Eval A", **changes: Any) -> Measurement:
    given = {"value": successes / n, "n": n, "successes": successes, "binary": True, "metric": "accuracy"}
    return Measurement(evaluation=evaluation, **{**given, **changes})


def a_record(name: str = "r1", measurement: Measurement | None = None, **changes: Any) -> Evidence:
    model = changes.pop("model", "m")
    given = {
        "subject": Subject(model=model, snapshot=changes.pop("snapshot", None)),
        "measurement": measurement or a_count(5, 100),
        "finished": "2026-01-15",
        "provenance": Provenance(format="test"),
    }
    return Evidence(id=name, **{**given, **changes})


def a_check(name: str = "c1", criterion: str = "S1.1", **changes: Any) -> Evidence:
    given = {"kind": "attestation", "measurement": None, "outcome": "pass", "criteria": (criterion,)}
    record = {**given, **changes}
    subject = Subject(model=record.pop("model", "m"))
    return Evidence(
        id=name, subject=subject, provenance=Provenance(format="test"), **{"finished": "2026-01-15", **record}
    )


def a_model(name: str = "m", *snapshots: Snapshot, **changes: Any) -> Model:
    return Model(id=name, snapshots=snapshots, **changes)


def a_set(*records: Evidence, **changes: Any) -> EvidenceSet:
    return EvidenceSet(records=records, **changes)


def a_conclusion(status: Any = "ruled_out", threshold: str = "T1", **changes: Any) -> Conclusion:
    return Conclusion(model="m", framework="test", threshold=threshold, status=status, **changes)

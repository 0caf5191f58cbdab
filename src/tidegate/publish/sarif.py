# SPDX-License-Identifier: Apache-2.0
"""An assessment as SARIF 2.1.0, so that code-scanning pages show findings where the policy states the threshold.

Rules are thresholds and gates. What is ruled out gives no result. Levels: `error` for a closed gate and for a
threshold whose binding requirements are not met, `warning` where that cannot be determined, `note` otherwise.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from tidegate.assess.model import Assessment, Gate, ModelAssessment, ThresholdFinding
from tidegate.kernel.canonical import digest
from tidegate.kernel.errors import Where
from tidegate.policy.model import ACTIONS, Action
from tidegate.publish.words import ACTION_WORDS, FINDING_WORDS, clean, is_met_for, one_line

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif_json(assessment: Assessment, places: Mapping[str, Where] | None = None, action: Action | None = None) -> str:
    """Give an assessment as a SARIF log.

    Args:
        assessment: the assessment.
        places: threshold -> where the policy states it; the key ``""`` gives the policy itself, for gates.
        action: judge requirements for this action and show only its gate; every action if none.
    """
    where = places or {}
    rules = [*_threshold_rules(assessment), *_gate_rules(action)]
    numbers = {rule["id"]: number for number, rule in enumerate(rules)}
    results = [
        {**result, "ruleIndex": numbers[result["ruleId"]]}
        for model in assessment.models
        for result in _results(assessment, model, action, where)
    ]
    run = {
        "tool": {"driver": {"name": "Tidegate", "rules": rules}},
        "properties": {
            "policy": clean(assessment.policy),
            "policyDigest": assessment.policy_digest,
            "evidenceDigest": assessment.evidence_digest,
            "assessmentDigest": assessment.digest,
            "asOf": assessment.at.isoformat(),
        },
        "results": results,
        "columnKind": "unicodeCodePoints",
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=True) + "\n"


def _threshold_rules(assessment: Assessment) -> Iterator[dict[str, Any]]:
    findings = {finding.threshold: finding for model in assessment.models for finding in model.thresholds}
    for name, finding in findings.items():
        text = one_line(finding.title)
        yield {"id": clean(name), "shortDescription": {"text": text}, "defaultConfiguration": {"level": "error"}}


def _gate_rules(action: Action | None) -> Iterator[dict[str, Any]]:
    for one in ACTIONS:
        if action in (None, one):
            text = f"The gate for {ACTION_WORDS[one]} is open"
            yield {"id": f"gate/{one}", "shortDescription": {"text": text}, "defaultConfiguration": {"level": "error"}}


def _results(
    assessment: Assessment, model: ModelAssessment, action: Action | None, places: Mapping[str, Where]
) -> Iterator[dict[str, Any]]:
    for finding in model.thresholds:
        if not finding.is_ruled_out:
            yield _finding_result(assessment, model, finding, action) | _located(
                places.get(finding.threshold), model, finding.threshold
            )
    for gate in model.gates:
        if not gate.open and action in (None, gate.action):
            yield _gate_result(assessment, model, gate) | _located(places.get(""), model, f"gate/{gate.action}")


def level_of(model: ModelAssessment, finding: ThresholdFinding, action: Action | None) -> str:
    """Give how serious a finding is for an action (any action if none): ``error``, ``warning`` or ``note``."""
    if finding.is_ruled_out or is_met_for(model.requirements.get(finding.threshold, ()), action):
        return "note"
    return "warning" if finding.finding in ("inconclusive", "not_assessed") else "error"


def _finding_result(
    assessment: Assessment, model: ModelAssessment, finding: ThresholdFinding, action: Action | None
) -> dict[str, Any]:
    level = level_of(model, finding, action)
    reasons = "; ".join(one_line(reason) for reason in finding.reasons)
    text = f"{one_line(model.name)}: {clean(finding.threshold)} is {FINDING_WORDS[finding.finding]}: {reasons}"
    return {
        "ruleId": clean(finding.threshold),
        "kind": "fail",
        "level": level,
        "message": {"text": _message(text)},
        "partialFingerprints": _fingerprint(assessment, model, finding.threshold),
    }


def _gate_result(assessment: Assessment, model: ModelAssessment, gate: Gate) -> dict[str, Any]:
    closing = "; ".join(one_line(reason.message) for reason in gate.reasons if reason.closes)
    name = f"gate/{gate.action}"
    return {
        "ruleId": name,
        "kind": "fail",
        "level": "error",
        "message": {"text": _message(f"{one_line(model.name)}: {ACTION_WORDS[gate.action]} is closed: {closing}")},
        "partialFingerprints": _fingerprint(assessment, model, name),
    }


def _message(text: str) -> str:
    # In SARIF messages, [words](target) is a link and {0} is a placeholder.
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace("{", "{{").replace("}", "}}")


def _fingerprint(assessment: Assessment, model: ModelAssessment, name: str) -> dict[str, str]:
    policy = assessment.policy.partition("@")[0]
    return {"tidegate/v1": digest([policy, model.model, name])}


def _located(where: Where | None, model: ModelAssessment, name: str) -> dict[str, Any]:
    location: dict[str, Any] = {
        "logicalLocations": [{"name": clean(name), "fullyQualifiedName": f"{clean(model.model)}/{clean(name)}"}]
    }
    if where is not None:
        physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(where.file)}}
        if where.line is not None:
            column = {} if where.column is None else {"startColumn": where.column}
            physical["region"] = {"startLine": where.line} | column
        location["physicalLocation"] = physical
    return {"locations": [location]}


def _uri(file: str) -> str:
    """Give a relative path as a URI reference; anything else that is not a path stays only a name."""
    path = PurePosixPath(clean(file).replace("\\", "/"))
    return quote(str(path.relative_to("/") if path.is_absolute() else path), safe="/")

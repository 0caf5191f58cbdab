# SPDX-License-Identifier: Apache-2.0
"""An assessment as JUnit XML, so that a pipeline shows findings and gates as test results.

One suite per model. A case per threshold and per gate:

- ruled out, or its binding requirements are met: passes
- shown or not ruled out, and a binding requirement is not met: failure
- inconclusive or not assessed, and a binding requirement is not met: error (it cannot be determined)
- undecided and nothing binding is required: skipped
- a closed gate: failure
"""

import re
from xml.etree import ElementTree as ET

from tidegate.assess.model import Assessment, Gate, ModelAssessment, ThresholdFinding
from tidegate.policy.model import ACTIONS, Action
from tidegate.publish.words import ACTION_WORDS, FINDING_WORDS, clean, is_met_for, one_line

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(assessment: Assessment, action: Action | None = None) -> str:
    """Give an assessment as JUnit XML.

    Args:
        assessment: the assessment.
        action: judge requirements for this action and show only its gate; every action if none.
    """
    root = ET.Element("testsuites", name=_safe(f"tidegate {assessment.policy}"))
    for model in assessment.models:
        root.append(_suite(assessment, model, action))
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _safe(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", clean(text))


def _flat(text: str) -> str:
    return _safe(one_line(text))


def _suite(assessment: Assessment, model: ModelAssessment, action: Action | None) -> ET.Element:
    suite = ET.Element("testsuite", name=_flat(f"{model.name} under {assessment.policy}"))
    properties = ET.SubElement(suite, "properties")
    values = {
        "model": model.model,
        "snapshot": model.snapshot or "",
        "policy": assessment.policy,
        "policyDigest": assessment.policy_digest,
        "evidenceDigest": assessment.evidence_digest,
        "assessmentDigest": assessment.digest,
        "asOf": assessment.at.isoformat(),
    }
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=_flat(value))
    cases = [_threshold_case(model, finding, action) for finding in model.thresholds]
    cases += [_gate_case(model, model.gate(one)) for one in ACTIONS if action in (None, one)]
    suite.extend(cases)
    suite.set("tests", str(len(cases)))
    for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(tag) is not None for case in cases)))
    return suite


def _threshold_case(model: ModelAssessment, finding: ThresholdFinding, action: Action | None) -> ET.Element:
    case = ET.Element(
        "testcase", name=_flat(f"{finding.threshold} {finding.title}"), classname=_flat(f"{model.model}.thresholds")
    )
    requirements = model.requirements.get(finding.threshold, ())
    summary = f"{finding.threshold} is {FINDING_WORDS[finding.finding]}"
    is_undecided = finding.finding in ("inconclusive", "not_assessed")
    if not finding.is_ruled_out and not is_met_for(requirements, action):
        unmet = [
            one
            for one in requirements
            if one.binds and one.state != "met" and (action is None or action in one.actions)
        ]
        tag, kind = ("error", "undetermined") if is_undecided else ("failure", "unmet requirement")
        problem = ET.SubElement(case, tag, message=_flat(f"{summary}, and what it requires is not shown"), type=kind)
        problem.text = _safe("\n".join([*finding.reasons, *(f"{one.requirement}: {one.reason}" for one in unmet)]))
    elif is_undecided and not any(one.binds for one in requirements):
        ET.SubElement(case, "skipped", message=_flat(f"{summary}; nothing binding is required"))
    ET.SubElement(case, "system-out").text = _safe("\n".join([summary, *finding.reasons]))
    return case


def _gate_case(model: ModelAssessment, gate: Gate) -> ET.Element:
    case = ET.Element("testcase", name=f"gate: {ACTION_WORDS[gate.action]}", classname=_flat(f"{model.model}.gates"))
    closing = [reason.message for reason in gate.reasons if reason.closes]
    if not gate.open:
        message = _flat(f"{ACTION_WORDS[gate.action]} is closed for {model.name}")
        ET.SubElement(case, "failure", message=message, type="closed gate").text = _safe("\n".join(closing))
    return case

# SPDX-License-Identifier: Apache-2.0
"""Findings and closed gates as workflow commands of GitHub Actions, which show them next to the policy's lines."""

from collections.abc import Iterator, Mapping

from tidegate.assess.model import Assessment, ModelAssessment
from tidegate.kernel.errors import Where
from tidegate.policy.model import Action
from tidegate.publish.sarif import level_of
from tidegate.publish.words import ACTION_WORDS, FINDING_WORDS, clean, one_line

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def annotations(assessment: Assessment, places: Mapping[str, Where] | None = None, action: Action | None = None) -> str:
    """Give one workflow command per line: closed gates first, then findings that are not ruled out.

    Args:
        assessment: the assessment.
        places: threshold -> where the policy states it; the key ``""`` gives the policy itself, for gates.
        action: judge requirements for this action and show only its gate; every action if none.
    """
    where = places or {}
    lines = [line for model in assessment.models for line in _gates(model, where, action)]
    lines += [line for model in assessment.models for line in _findings(model, where, action)]
    return "".join(f"{line}\n" for line in lines)


def _gates(model: ModelAssessment, places: Mapping[str, Where], action: Action | None) -> Iterator[str]:
    for gate in model.gates:
        if gate.open or action not in (None, gate.action):
            continue
        closing = "\n".join(f"- {one_line(reason.message)}" for reason in gate.reasons if reason.closes)
        title = f"{one_line(model.name)}: {ACTION_WORDS[gate.action]} is closed"
        yield workflow_command("error", f"{title}\n{closing}", title, places.get(""))


def _findings(model: ModelAssessment, places: Mapping[str, Where], action: Action | None) -> Iterator[str]:
    for finding in model.thresholds:
        if finding.is_ruled_out:
            continue
        title = f"{one_line(model.name)}: {one_line(finding.threshold)} is {FINDING_WORDS[finding.finding]}"
        message = "\n".join([title, *(f"- {one_line(reason)}" for reason in finding.reasons)])
        command = _COMMANDS[level_of(model, finding, action)]
        yield workflow_command(command, message, title, places.get(finding.threshold))


def workflow_command(command: str, message: str, title: str, where: Where | None = None) -> str:
    """Give one workflow command, with everything in it escaped, so that text cannot start another.

    >>> workflow_command("error", "50% done", "a: b", Where("p.yaml", 3))
    '::error file=p.yaml,line=3,title=a%3A b::50%25 done'
    """
    properties: dict[str, str] = {}
    if where is not None:
        properties["file"] = where.file
        if where.line is not None:
            properties["line"] = str(where.line)
            if where.column is not None:
                properties["col"] = str(where.column)
    properties["title"] = title
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{command} {listed}::{_data(message)}"


def _data(text: str) -> str:
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

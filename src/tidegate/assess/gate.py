# SPDX-License-Identifier: Apache-2.0
"""The gate: open only if every threshold is ruled out or its requirements for the action are shown met."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tidegate.assess.governed import Relief
from tidegate.assess.model import Gate, GateReason, RequirementFinding, ThresholdFinding
from tidegate.policy.model import ACTIONS, Action

BASELINE = "baseline"
"""Key under which the requirements of every model are listed."""


@dataclass(frozen=True)
class Approved:
    """Where an approval stands."""

    approval: str
    """Id of the approval."""
    missing: str | None
    """What is missing; none if nothing is."""
    by: str = ""
    """Who signed, in words, where it is known from verified signatures."""


@dataclass(frozen=True)
class Granted:
    """What people gave: approvals that must come before actions, and measures that stand in for requirements."""

    approvals: Mapping[Action, Sequence[Approved]] = field(default_factory=dict)
    reliefs: Mapping[tuple[str, Action], Relief] = field(default_factory=dict)
    """(requirement, action) -> the measure."""
    closing: Sequence[str] = ()
    """Why nothing can be opened at all: the policy does not govern the day, or the record is in doubt."""


def gates(
    thresholds: Sequence[ThresholdFinding],
    requirements: Mapping[str, Sequence[RequirementFinding]],
    granted: Granted,
) -> tuple[Gate, ...]:
    """Give the gate of every action, with every reason.

    Args:
        thresholds: the findings.
        requirements: threshold id (or `BASELINE`) -> state of its requirements.
        granted: what people gave.
    """
    found = [_gate(action, thresholds, requirements, granted) for action in ACTIONS]
    if not granted.closing:
        return tuple(found)
    closing = tuple(
        GateReason(threshold=None, requirement=None, closes=True, message=message) for message in granted.closing
    )
    return tuple(Gate(action=one.action, open=False, reasons=(*closing, *one.reasons)) for one in found)


def _gate(
    action: Action,
    thresholds: Sequence[ThresholdFinding],
    requirements: Mapping[str, Sequence[RequirementFinding]],
    granted: Granted,
) -> Gate:
    def reason(finding: ThresholdFinding | None, one: RequirementFinding) -> GateReason:
        return _requirement_reason(finding, one, granted.reliefs.get((one.requirement, action)))

    reasons = [reason(None, one) for one in requirements.get(BASELINE, ()) if action in one.actions]
    for finding in thresholds:
        governing = [one for one in requirements.get(finding.threshold, ()) if action in one.actions]
        if finding.is_ruled_out and governing:
            words = f"{finding.threshold} is ruled out"
            reasons.append(GateReason(threshold=finding.threshold, requirement=None, closes=False, message=words))
        elif not finding.is_ruled_out:
            reasons += [reason(finding, one) for one in governing]
    reasons += [_approval_reason(one) for one in granted.approvals.get(action, ())]
    if not reasons:
        words = "the policy requires nothing for this action, whatever the findings"
        reasons.append(GateReason(threshold=None, requirement=None, closes=False, message=words))
    ordered = sorted(reasons, key=lambda reason: not reason.closes)
    return Gate(action=action, open=not any(reason.closes for reason in ordered), reasons=tuple(ordered))


def _requirement_reason(finding: ThresholdFinding | None, one: RequirementFinding, relief: Relief | None) -> GateReason:
    threshold = finding.threshold if finding is not None else None
    closes = one.binds and one.state != "met" and relief is None
    state = one.state.replace("_", " ")
    advisory = "" if one.binds else " (advisory by the policy's own wording: does not close)"
    because = f"{threshold} is {finding.finding.replace('_', ' ')}; " if finding is not None else ""
    target = f" {one.target}" if one.target else ""
    message = f"{because}{one.kind.replace('_', ' ')}{target} is {state}: {one.reason}{advisory}"
    if relief is not None and one.binds and one.state != "met":
        kind = relief.kind.replace("_", " ")
        message += f"; the {kind} {relief.waiver} of {relief.decision} stands in until {relief.until.isoformat()}"
    return GateReason(threshold=threshold, requirement=one.requirement, closes=closes, message=message)


def _approval_reason(one: Approved) -> GateReason:
    message = f"{one.approval}: signed{one.by}" if one.missing is None else f"{one.approval}: {one.missing}"
    return GateReason(threshold=None, requirement=one.approval, closes=one.missing is not None, message=message)

# SPDX-License-Identifier: Apache-2.0
"""The gate: open only if every threshold is ruled out or its requirements for the action are shown met."""

from collections.abc import Mapping, Sequence

from tidegate.assess.model import Gate, GateReason, RequirementFinding, ThresholdFinding
from tidegate.policy.model import ACTIONS, Action

BASELINE = "baseline"
"""Key under which the requirements of every model are listed."""


def gates(
    thresholds: Sequence[ThresholdFinding],
    requirements: Mapping[str, Sequence[RequirementFinding]],
    approvals: Mapping[Action, Sequence[tuple[str, str | None]]],
    not_in_effect: str | None = None,
) -> tuple[Gate, ...]:
    """Give the gate of every action, with every reason.

    Args:
        thresholds: the findings.
        requirements: threshold id (or `BASELINE`) -> state of its requirements.
        approvals: action -> approvals that must come before it, each with what is missing (none if nothing is).
        not_in_effect: why the policy does not govern the day, if it does not; it then opens nothing.
    """
    found = [_gate(action, thresholds, requirements, approvals.get(action, ())) for action in ACTIONS]
    if not_in_effect is None:
        return tuple(found)
    closing = GateReason(threshold=None, requirement=None, closes=True, message=not_in_effect)
    return tuple(Gate(action=one.action, open=False, reasons=(closing, *one.reasons)) for one in found)


def _gate(
    action: Action,
    thresholds: Sequence[ThresholdFinding],
    requirements: Mapping[str, Sequence[RequirementFinding]],
    approvals: Sequence[tuple[str, str | None]],
) -> Gate:
    reasons = [_requirement_reason(None, None, one) for one in requirements.get(BASELINE, ()) if action in one.actions]
    for finding in thresholds:
        governing = [one for one in requirements.get(finding.threshold, ()) if action in one.actions]
        if finding.is_ruled_out and governing:
            reasons.append(
                GateReason(
                    threshold=finding.threshold,
                    requirement=None,
                    closes=False,
                    message=f"{finding.threshold} is ruled out",
                )
            )
        elif not finding.is_ruled_out:
            reasons += [_requirement_reason(finding.threshold, finding, one) for one in governing]
    reasons += [_approval_reason(name, missing) for name, missing in approvals]
    if not reasons:
        words = "the policy requires nothing for this action, whatever the findings"
        reasons.append(GateReason(threshold=None, requirement=None, closes=False, message=words))
    ordered = sorted(reasons, key=lambda reason: not reason.closes)
    return Gate(action=action, open=not any(reason.closes for reason in ordered), reasons=tuple(ordered))


def _requirement_reason(threshold: str | None, finding: ThresholdFinding | None, one: RequirementFinding) -> GateReason:
    closes = one.binds and one.state != "met"
    state = one.state.replace("_", " ")
    advisory = "" if one.binds else " (advisory by the policy's own wording: does not close)"
    because = f"{threshold} is {finding.finding.replace('_', ' ')}; " if finding is not None else ""
    target = f" {one.target}" if one.target else ""
    message = f"{because}{one.kind.replace('_', ' ')}{target} is {state}: {one.reason}{advisory}"
    return GateReason(threshold=threshold, requirement=one.requirement, closes=closes, message=message)


def _approval_reason(name: str, missing: str | None) -> GateReason:
    message = f"{name}: signed" if missing is None else f"{name}: {missing}"
    return GateReason(threshold=None, requirement=name, closes=missing is not None, message=message)

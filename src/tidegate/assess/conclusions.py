# SPDX-License-Identifier: Apache-2.0
"""Two readings side by side: what the developer concluded, and what the printed evidence shows."""

from collections.abc import Sequence

from tidegate.assess.model import Agreement, ConcludedFinding, Finding, ThresholdFinding
from tidegate.evidence.model import Conclusion, ConclusionStatus
from tidegate.evidence.models import Model
from tidegate.kernel.duration import last_day
from tidegate.policy.model import Policy, Threshold

NEAREST: dict[ConclusionStatus, Finding | None] = {
    "ruled_out": "ruled_out",
    "not_reached": "ruled_out",
    "likely_not_reached": "ruled_out",
    "early_warning_reached_ccl_not_reached": "ruled_out",
    "not_reached_near_border": "ruled_out",
    "not_believed_reached_grey_zone": "not_ruled_out",
    "cannot_be_ruled_out": "not_ruled_out",
    "cannot_be_confident_mitigations_applied": "not_ruled_out",
    "treated_as_reached": "reached",
    "arguably_reached": "reached",
    "reached": "reached",
    "applicable": "reached",
    "not_applicable": "ruled_out",
    "bounded_by": None,
    "no_formal_threshold": None,
    "not_met": None,
    "not_stated_clearly": None,
    "other": None,
}
"""The state nearest to each recorded status. A grey zone is not a rule-out; a near border still is one."""


def conclusions_about(
    policy: Policy, threshold: Threshold, model: Model, conclusions: Sequence[Conclusion]
) -> list[Conclusion]:
    """Give the recorded conclusions about a threshold, in their order."""
    names = {name.casefold() for name in policy.names_of(threshold)}
    return [
        conclusion
        for conclusion in conclusions
        if conclusion.model.casefold() in model.names and conclusion.refs[0].casefold() in names
    ]


def with_conclusion(finding: ThresholdFinding, conclusions: Sequence[Conclusion]) -> ThresholdFinding:
    """Give the finding with the newest recorded conclusion beside it, and how the two relate."""
    if not conclusions:
        return finding
    newest = max(conclusions, key=lambda one: last_day(one.decided_on).toordinal() if one.decided_on else 0)
    concluded = ConcludedFinding(
        status=newest.stated or newest.status,
        finding=NEAREST[newest.status],
        standard=newest.standard,
        carried_by=newest.carried_by,
        note=newest.note,
        signed_by=newest.signed_by,
        source=newest.source,
    )
    return finding.model_copy(update={"concluded": concluded, "agreement": agreement(finding, concluded)})


def agreement(finding: ThresholdFinding, concluded: ConcludedFinding) -> Agreement:
    """Say how a conclusion relates to the computed finding."""
    if concluded.finding is None:
        return "no_conclusion"
    if concluded.finding != "ruled_out":
        return "more_cautious" if finding.is_ruled_out else "same_caution"
    if finding.is_ruled_out:
        return "carried"
    if finding.finding in ("not_ruled_out", "reached"):
        return "contradicted"
    readings = [reading for indicator in finding.indicators for reading in indicator.readings]
    with_value = [reading for reading in readings if reading.value is not None]
    return "points_only" if with_value and not any(reading.crosses for reading in with_value) else "not_carried"

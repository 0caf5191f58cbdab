# SPDX-License-Identifier: Apache-2.0
"""What follows from policy and evidence, as records. The JSON schema of an assessment is made from these."""

from datetime import date
from functools import cached_property
from typing import Literal

from pydantic import Field

from tidegate.kernel.canonical import digest
from tidegate.kernel.record import Record
from tidegate.policy.model import Action, Line

Finding = Literal["ruled_out", "not_ruled_out", "reached", "reached_and_mitigated", "inconclusive", "not_assessed"]
"""State of a threshold. Whatever is not ``ruled_out`` behaves as reached."""

SetAside = Literal[
    "no_value",
    "unit_mismatch",
    "no_bound",
    "no_n",
    "small_n",
    "stale",
    "expired",
    "undated",
    "older_snapshot",
    "compute_grown",
    "compute_unknown",
    "under_elicited",
    "low_quality",
    "threat_unanswered",
    "threat_present",
    "importer_remark",
    "not_preregistered",
    "no_falsifier",
    "superseded",
]
"""Why a record cannot support a rule-out. It can still speak against one."""

SET_ASIDE_WORDS: dict[SetAside, str] = {
    "no_value": "no figure is given",
    "unit_mismatch": "its unit cannot be compared with the line's",
    "no_bound": "no interval is given and none can be computed",
    "no_n": "the number of units is not given",
    "small_n": "the sample is smaller than the rule asks",
    "stale": "it is older than the rule allows",
    "expired": "its validity has ended",
    "undated": "nothing dates it, and the rule limits its age",
    "older_snapshot": "it was measured on another snapshot",
    "compute_grown": "effective compute has grown beyond the allowed ratio since",
    "compute_unknown": "effective compute is not known, and the rule limits its growth",
    "under_elicited": "required elicitation is missing",
    "low_quality": "it is of lower quality than the rule asks",
    "threat_unanswered": "a validity threat is not answered",
    "threat_present": "a validity threat is present",
    "importer_remark": "the importer found it unfit to carry a rule-out",
    "not_preregistered": "its rule was not locked before the result",
    "no_falsifier": "no falsifier is stated",
    "superseded": "it was restated",
}
"""Each reason in words."""

Flag = Literal[
    "line_disclosed_with_result",
    "rule_not_locked",
    "rule_locked_after_result",
    "rule_changed_after_result",
    "point_comparison",
    "placeholder",
    "line_inside_interval",
    "contradicted_by_independent",
    "superseded_without_approval",
    "secondary_reading",
    "snapshot_not_stated",
]
"""Something that a reader of the finding should know; it does not by itself change the finding."""


class Reading(Record):
    """One record read against one rule."""

    evidence: str
    """Id of the record."""
    value: float | None
    """The figure, in the line's unit, with the rule's margin added."""
    bound: float | None = None
    """One-sided bound on the concerning side, at the rule's confidence, in the line's unit."""
    lower_bound: float | None = None
    """One-sided bound on the other side: how much is shown at least."""
    basis: str = "none"
    """How the bounds were computed."""
    crosses: bool = False
    """True if the figure itself is on the concerning side of the rule-out line."""
    shows: bool = False
    """True if the capability is shown: even the lower bound is beyond the reach line."""
    p_reach: float | None = None
    """One-sided p-value that the truth is not beyond the reach line, if there is one."""
    supports: bool = False
    """True if it supports a rule-out: the bound is on the safe side and nothing sets it aside."""
    distance: float | None = None
    """From the figure to the rule-out line, in the line's unit; negative beyond the line."""
    distance_se: float | None = None
    """The same in standard errors, where one is known."""
    set_aside: tuple[SetAside, ...] = ()
    """Why it cannot support a rule-out."""
    detail: tuple[str, ...] = ()
    """The same in words, with what was asked and what was found."""
    flags: tuple[Flag, ...] = ()
    """What a reader should know."""


class IndicatorFinding(Record):
    """What the evidence says about one indicator."""

    indicator: str
    """Id of the indicator; for a printed line, of the record that prints it."""
    evaluation: str
    """Evaluation."""
    metric: str | None = None
    """Metric that the rule is about; none means any."""
    rule_out: Line
    """The line that must not be crossed."""
    reach: Line | None = None
    """The line that shows the capability."""
    confidence: float | None = None
    """One-sided confidence; none for a comparison of bare figures."""
    unit: str = ""
    """Unit of the lines."""
    source: Literal["policy", "printed"] = "policy"
    """Whether the rule stands in the policy, or was printed with the result."""
    rule_digest: str = ""
    """Digest of the rule: the version of the line that this finding is pinned to."""
    line_version: str | None = None
    """For a printed line, the source that states it."""
    finding: Finding
    """State."""
    readings: tuple[Reading, ...] = ()
    """Every record that was read."""
    p_reach: float | None = None
    """Smallest one-sided p-value against the reach line, before Holm's correction."""


Agreement = Literal[
    "carried",
    "same_caution",
    "more_cautious",
    "points_only",
    "not_carried",
    "contradicted",
    "no_conclusion",
]
"""How the developer's conclusion relates to the printed evidence."""

AGREEMENT_WORDS: dict[Agreement, str] = {
    "carried": "the printed evidence carries the conclusion",
    "same_caution": "conclusion and evidence agree: not ruled out",
    "more_cautious": "the conclusion is more cautious than the printed evidence",
    "points_only": "every printed figure is below its line, but no interval shows that it stays there",
    "not_carried": "the printed evidence does not decide",
    "contradicted": "printed lines are crossed; something else carried the conclusion",
    "no_conclusion": "no conclusion is recorded",
}


class ConcludedFinding(Record):
    """What the developer concluded about a threshold."""

    status: str
    """The recorded status, in the developer's vocabulary."""
    finding: Finding | None
    """The nearest state; none where the conclusion is of another kind."""
    standard: str | None = None
    """Standard it was deployed under."""
    carried_by: str | None = None
    """What carried the decision, where it is recorded."""
    note: str | None = None
    """A remark by whoever recorded the conclusion."""
    signed_by: tuple[str, ...] = ()
    """Roles that signed."""
    source: str | None = None
    """Where it is stated."""


class AlertFinding(Record):
    """Whether an earlier line with a buffer is crossed, by the bare figure: an alert is to come early."""

    indicator: str | None
    """Indicator it applies to."""
    state: Literal["crossed", "not_crossed", "no_evidence", "not_printed"]
    """State; ``not_printed`` where the policy gives no number."""
    action: str
    """What the policy says happens when it is crossed."""
    evidence: tuple[str, ...] = ()
    """Records that cross it."""


class ThresholdFinding(Record):
    """The finding for one threshold."""

    threshold: str
    """Id of the threshold."""
    title: str
    """Its title."""
    kind: str
    """Its kind."""
    domain: str
    """Its domain."""
    finding: Finding
    """State, computed from the evidence."""
    reasons: tuple[str, ...]
    """Why, in words."""
    indicators: tuple[IndicatorFinding, ...] = ()
    """What each indicator says."""
    by: str | None = None
    """Checkpoint or bounding model that the rule-out rests on, if it does."""
    load_bearing: tuple[str, ...] = ()
    """Records without which the finding would be another."""
    alerts: tuple[AlertFinding, ...] = ()
    """State of each alert line."""
    unread: tuple[str, ...] = ()
    """Records that name the threshold but meet no rule: neither the policy nor the record gives a line."""
    concluded: ConcludedFinding | None = None
    """What the developer concluded."""
    agreement: Agreement = "no_conclusion"
    """How the two relate."""
    flags: tuple[Flag, ...] = ()
    """What a reader should know."""

    @property
    def is_ruled_out(self) -> bool:
        """True only if the capability is ruled out."""
        return self.finding == "ruled_out"


State = Literal["met", "not_met", "unknown", "expired"]
"""State of a criterion or requirement. Only ``met`` opens anything."""


class NeedFinding(Record):
    """Whether a piece of evidence that a criterion needs is there."""

    need: str
    """Name of the need."""
    state: State
    """State."""
    evidence: tuple[str, ...] = ()
    """Records considered."""
    reason: str
    """Why."""


class CriterionFinding(Record):
    """Whether a criterion of a standard is met."""

    criterion: str
    """Id of the criterion."""
    title: str
    """Its title."""
    state: State
    """State."""
    needs: tuple[NeedFinding, ...] = ()
    """State of each need."""


class RequirementFinding(Record):
    """Whether what a threshold requires is shown to be in place."""

    requirement: str
    """Id of the requirement."""
    kind: str
    """Its kind."""
    target: str | None
    """Standard, safeguard or level that is meant."""
    actions: tuple[Action, ...]
    """Actions that it governs."""
    binds: bool
    """False if the policy's own wording makes it advisory."""
    state: State
    """State."""
    reason: str
    """Why."""
    criteria: tuple[CriterionFinding, ...] = ()
    """State of each criterion, for standards."""


class GateReason(Record):
    """One reason why a gate is closed, or what keeps it open."""

    threshold: str | None
    """Threshold concerned; none for what every model needs."""
    requirement: str | None
    """Requirement or approval concerned."""
    closes: bool
    """True if it closes the gate."""
    message: str
    """In words."""


class Gate(Record):
    """The answer for one action."""

    action: Action
    """The action."""
    open: bool
    """True only if nothing closes it."""
    reasons: tuple[GateReason, ...] = ()
    """Every reason, closing ones first."""


class ModelAssessment(Record):
    """Findings and gates of one model under one policy."""

    model: str
    """Model id."""
    name: str
    """Model name."""
    snapshot: str | None = None
    """Snapshot assessed; none if the project knows no snapshot."""
    thresholds: tuple[ThresholdFinding, ...]
    """A finding for every threshold."""
    requirements: dict[str, tuple[RequirementFinding, ...]] = Field(default_factory=dict)
    """Threshold (``baseline`` for what all need) -> its requirements."""
    gates: tuple[Gate, ...]
    """A gate for every action."""

    def finding(self, threshold: str) -> ThresholdFinding | None:
        """Give the finding of a threshold."""
        return next((one for one in self.thresholds if one.threshold == threshold), None)

    def gate(self, action: Action) -> Gate:
        """Give the gate of an action."""
        return next(one for one in self.gates if one.action == action)


class Assessment(Record):
    """What follows from a policy and evidence on a day. The same inputs give the same digest anywhere."""

    schema_: Literal["tidegate/assessment/v1"] = Field(alias="schema", default="tidegate/assessment/v1")
    """Names this format."""
    policy: str
    """Label of the policy."""
    policy_digest: str
    """Digest of the policy."""
    evidence_digest: str
    """Digest of the evidence set."""
    models_digest: str
    """Digest of the models."""
    at: date
    """The day it answers for: nothing learned later is used."""
    models: tuple[ModelAssessment, ...]
    """Findings and gates per model."""
    governed_digest: str | None = None
    """Digest of the decisions that the gates were read with; none if there is no ledger."""

    @cached_property
    def digest(self) -> str:
        """Digest of the assessment."""
        return digest(self)

    def model(self, model_id: str) -> ModelAssessment | None:
        """Give the assessment of a model."""
        return next((one for one in self.models if one.model == model_id), None)

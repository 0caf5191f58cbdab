# SPDX-License-Identifier: Apache-2.0
"""Capability and safeguards reports, as data: what was found on which evidence, and what people say about it.

Figures come from evidence records, which the report holds whole, each under its id. A report gives the digests of the
policy, the evidence about the model, the models and the assessment that it rests on, so that anybody can compute
everything in it again but the words of people.
"""

import json
import re
from datetime import date
from typing import Literal

from pydantic import Field, ValidationError

from tidegate.assess.explain import ExplainedIndicator, ExplainedRecord
from tidegate.assess.model import AlertFinding, ConcludedFinding, Finding, Reading, State
from tidegate.evidence.model import Evidence
from tidegate.govern.report_text import Kind, ReportText
from tidegate.kernel.canonical import canonical_bytes, digest_bytes, plain
from tidegate.kernel.errors import Problem, ReportError
from tidegate.kernel.record import Record
from tidegate.policy.model import Action, Baseline, ElicitationElement, Line, Threat, ThreatModel

SCHEMA_ID: Literal["tidegate/report/v1"] = "tidegate/report/v1"
MAX_REPORT_BYTES = 50_000_000
"""A report holds its evidence; an import of 20,000 records takes about half of this."""

GapKind = Literal[
    "no_evidence",
    "elicitation",
    "set_aside",
    "unread",
    "threat",
    "remark",
    "unmapped",
    "completeness",
    "requirement",
    "criterion",
]
"""What kind of thing is missing."""


class Gap(Record):
    """Something that the evidence does not show, or should have shown."""

    kind: GapKind
    """What kind of thing is missing."""
    about: str
    """Threshold, requirement or criterion concerned."""
    words: str
    """What is missing."""
    evidence: str | None = None
    """Record concerned."""


class ReportedIndicator(Record):
    """One evaluation of a threshold: its rule, what it asks of a record, and every record as the rule reads it."""

    explained: ExplainedIndicator
    """Rule, lock, falsifier and records, in words."""
    margin: float = 0.0
    """Buffer that the rule adds to a figure, against safety, in its unit."""
    elicitation: tuple[ElicitationElement, ...] = ()
    """Elicitation without which nothing can be ruled out."""
    answers: tuple[Threat, ...] = ()
    """Validity threats that a record has to answer."""
    readings: tuple[Reading, ...] = ()
    """The same records, in numbers."""


class ReportedThreshold(Record):
    """What was found about one threshold, and on what."""

    threshold: str
    """Id."""
    title: str
    """Its title."""
    text: str = ""
    """What it says."""
    kind: str
    """Its kind."""
    domain: str
    """Its domain."""
    severity: str | None = None
    """The policy's own word for how bad."""
    actor: str | None = None
    """Whose ability is judged."""
    baseline: Baseline | None = None
    """Against what."""
    threat_models: tuple[ThreatModel, ...] = ()
    """Threat models behind it."""
    finding: Finding
    """State, computed from the evidence."""
    reasons: tuple[str, ...] = ()
    """Why, in words."""
    by: str | None = None
    """Checkpoint or bounding model that a rule-out rests on."""
    combination: str
    """How the indicators decide together, in words."""
    falsifier: str | None = None
    """What would prove a rule-out of it wrong."""
    indicators: tuple[ReportedIndicator, ...] = ()
    """Evaluations in the policy's order, printed lines after them."""
    load_bearing: tuple[str, ...] = ()
    """Records without which the finding would be another."""
    alerts: tuple[AlertFinding, ...] = ()
    """State of each alert line."""
    unread: tuple[ExplainedRecord, ...] = ()
    """Records that name the threshold but meet no rule."""
    flags: tuple[str, ...] = ()
    """What a reader should know."""
    concluded: ConcludedFinding | None = None
    """What the developer had concluded before, where that is recorded."""
    agreement: str = ""
    """How that conclusion and the finding relate, in words."""
    changes: tuple[str, ...] = ()
    """What would make the finding another, the smallest change first."""
    would_settle: tuple[str, ...] = ()
    """What evidence would settle it."""

    @property
    def is_ruled_out(self) -> bool:
        """True only if the capability is ruled out."""
        return self.finding == "ruled_out"

    @property
    def has_falsifier(self) -> bool:
        """True if something is stated that would prove a rule-out wrong."""
        own = [one.explained for one in self.indicators if one.readings or one.explained.finding != "not_assessed"]
        return bool(self.falsifier) or (bool(own) and all(one.falsifier for one in own))


class ReportedCheck(Record):
    """One record, as a need for evidence reads it."""

    evidence: str
    """Id of the record."""
    bound: float | None = None
    """Confidence bound of its figure on the concerning side, in the unit of the need's line."""
    expires: date | None = None
    """Last day on which it holds; none if nothing ends it."""


class ReportedNeed(Record):
    """A piece of evidence that a criterion needs."""

    need: str
    """Name of the need."""
    kind: str
    """Kind of evidence."""
    metric: str | None = None
    """Metric that is measured."""
    line: Line | None = None
    """The line that the result must not cross."""
    confidence: float | None = None
    """One-sided confidence of that; none compares the bare figure."""
    state: State
    """State."""
    reason: str
    """Why."""
    checks: tuple[ReportedCheck, ...] = ()
    """Every record considered."""


class ReportedCriterion(Record):
    """A condition of a standard, with the evidence that shows it."""

    criterion: str
    """Id."""
    title: str
    """Its title."""
    text: str = ""
    """What it says."""
    binds: bool
    """False if the policy's own wording makes it advisory."""
    state: State
    """State."""
    needs: tuple[ReportedNeed, ...] = ()
    """Evidence that it needs."""


class ReportedRequirement(Record):
    """What is required, for which threshold, and where it stands."""

    threshold: str | None
    """Threshold; none for what every model needs."""
    finding: Finding | None
    """What was found about the threshold; while it is ruled out, nothing is required."""
    requirement: str
    """Id."""
    kind: str
    """Its kind."""
    target: str | None = None
    """Standard, safeguard or level that is meant."""
    text: str = ""
    """What it says."""
    actions: tuple[Action, ...]
    """Actions that it governs."""
    binds: bool
    """False if the policy's own wording makes it advisory."""
    state: State
    """State."""
    reason: str
    """Why."""
    criteria: tuple[str, ...] = ()
    """Criteria that decide it."""
    checks: tuple[ReportedCheck, ...] = ()
    """Records that name it."""

    @property
    def is_due(self) -> bool:
        """True while its threshold is not ruled out."""
        return self.finding != "ruled_out"


class Report(Record):
    """A capability or safeguards report."""

    schema_: Literal["tidegate/report/v1"] = Field(alias="schema", default=SCHEMA_ID)
    """Names this format."""
    kind: Kind
    """What it is about."""
    model: str
    """Model."""
    name: str
    """Its name."""
    snapshot: str | None = None
    """Snapshot that was assessed; none if the project knows none."""
    at: date
    """The day that it answers for: nothing learned later is used."""
    author: str | None = None
    """Who made it final; none for a draft."""
    policy: str
    """Label of the policy."""
    policy_title: str
    """Its title."""
    policy_digest: str
    """Digest of the policy."""
    evidence_digest: str
    """Digest of the evidence about the model."""
    models_digest: str
    """Digest of the model and of those that bound it, as the project describes them."""
    assessment_digest: str
    """Digest of the assessment, as it was before anybody decided."""
    findings_digest: str
    """Digest of what it concludes, which does not change with the day alone."""
    thresholds: tuple[ReportedThreshold, ...] = ()
    """Findings."""
    requirements: tuple[ReportedRequirement, ...] = ()
    """What is required, for a safeguards report."""
    criteria: tuple[ReportedCriterion, ...] = ()
    """Criteria of the requirements, each once."""
    gaps: tuple[Gap, ...] = ()
    """What is missing."""
    records: tuple[Evidence, ...] = ()
    """Every record that the report shows or cites, whole."""
    text: ReportText
    """What people say."""

    @property
    def data(self) -> bytes:
        """The canonical bytes: what the store keeps and the digest is of."""
        return canonical_bytes({"schema": SCHEMA_ID, **plain(self)})

    @property
    def digest(self) -> str:
        """Digest of the canonical bytes."""
        return digest_bytes(self.data)

    @property
    def id(self) -> str:
        """Id: kind, model, snapshot (or day) and the beginning of the digest."""
        parts = (self.kind, _slug(self.model, 50), _slug(self.snapshot or self.at.isoformat(), 36))
        return f"{'-'.join(parts)}-{self.digest.removeprefix('sha256:')[:8]}"

    def record(self, name: str) -> Evidence | None:
        """Give the record of this id."""
        return next((one for one in self.records if one.id == name), None)

    def threshold(self, name: str) -> ReportedThreshold | None:
        """Give what was found about a threshold."""
        return next((one for one in self.thresholds if one.threshold == name), None)


def _slug(text: str, most: int) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:most].strip("-.") or "x"


def read_report(data: bytes) -> Report:
    """Give the report that canonical bytes stand for.

    Raises:
        ReportError: REP003, they are no report, or not in canonical form.
    """
    try:
        if len(data) > MAX_REPORT_BYTES:
            raise ValueError(f"{len(data):,} bytes; a report has at most {MAX_REPORT_BYTES:,}")
        made = Report.model_validate(json.loads(data))
    except (ValidationError, ValueError, RecursionError) as error:
        lines = [one["msg"] for one in error.errors()] if isinstance(error, ValidationError) else str(error).split("\n")
        raise ReportError(Problem("REP003", f"not a report: {'; '.join(lines[:3])}")) from None
    if made.data != data:
        raise ReportError(Problem("REP003", "the report is not in canonical form: its bytes were changed"))
    return made

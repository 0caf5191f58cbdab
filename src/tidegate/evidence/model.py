# SPDX-License-Identifier: Apache-2.0
"""What was observed, as records: a measurement, on what, how elicited, by whom, when, from what.

A record never changes. A later figure for the same thing is a new record, and a restatement
says which one it replaces and why. Adverse evidence leaves the set in no other way.
"""

import math
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from tidegate.kernel.canonical import digest
from tidegate.kernel.duration import PartialDate, first_day, last_day
from tidegate.kernel.record import Record
from tidegate.policy.model import ElicitationElement, Operator, Quality, Threat

SCHEMA_ID = "tidegate/evidence/v1"

EvidenceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+@/-]{0,199}$")]

EvidenceKind = Literal[
    "evaluation",
    "uplift_trial",
    "time_horizon",
    "red_team",
    "efficacy",
    "control_check",
    "attestation",
    "audit",
    "document",
]
"""What kind of observation it is. The first three speak to capability, the others to safeguards."""

CAPABILITY_KINDS: frozenset[EvidenceKind] = frozenset({"evaluation", "uplift_trial", "time_horizon"})


class Subject(Record):
    """What was observed."""

    model: str
    """Model id, as in ``models/*.yaml``, or a name that a model lists as alias."""
    snapshot: str | None = None
    """Snapshot id; none if the source does not say."""
    variant: Literal["released", "helpful_only", "earlier_snapshot", "fine_tuned", "safeguards_off", "unstated"] = (
        "unstated"
    )
    """Which variant of the model."""
    effective_compute: float | None = None
    """Effective compute of the snapshot, in the project's own unit, if it is not in ``models/*.yaml``."""


class Interval(Record):
    """An interval around a value, as the source gives it."""

    low: float | None = None
    """Lower end, in the measurement's unit."""
    high: float | None = None
    """Upper end, in the measurement's unit."""
    kind: str = "unspecified"
    """What the ends mean: ``confidence``, ``bootstrap``, ``credible``, ``standard_deviation``, ``range``,
    ``unspecified``; other words of the source are kept."""
    level: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Two-sided level, if the source states it."""
    method: str | None = None
    """How it was computed."""

    @property
    def is_confidence(self) -> bool:
        """True if it can carry a one-sided statement."""
        return self.level is not None and self.kind in ("confidence", "bootstrap", "credible")


class Counts(Record):
    """How many samples there were at each stage. Headers lose these; they are counted from the samples."""

    planned: Annotated[int, Field(ge=0)] | None = None
    """Samples times epochs that the run set out to do."""
    completed: Annotated[int, Field(ge=0)] | None = None
    """Finished without an error."""
    errored: Annotated[int, Field(ge=0)] = 0
    """Ended in an error."""
    scored: Annotated[int, Field(ge=0)] = 0
    """Have a score."""
    unscored: Annotated[int, Field(ge=0)] = 0
    """Finished, yet have no score."""
    invalidated: Annotated[int, Field(ge=0)] = 0
    """Declared invalid afterwards."""
    fallback: Annotated[int, Field(ge=0)] = 0
    """Answered by another model than the one under test."""
    missing: Annotated[int, Field(ge=0)] = 0
    """Planned, yet absent from the log."""

    @property
    def without_score(self) -> int:
        """Samples that a rule-out has to count at their worst case."""
        return self.errored + self.unscored + self.invalidated + self.fallback + self.missing


def _representable(value: Any) -> Any:
    """Give parameters as canonical JSON can hold them: a whole number beyond 2^53 becomes text, digit by digit."""
    if isinstance(value, dict):
        return {name: _representable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_representable(item) for item in value]
    if isinstance(value, int) and abs(value) >= 2**53:
        return str(value)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


class Measurement(Record):
    """A figure and what makes it comparable: evaluation, metric, unit and aggregation are its identity."""

    evaluation: str
    """Name of the evaluation."""
    metric: str
    """Metric."""
    value: float | None = None
    """The figure; none if only a comparison, a range or a chart was printed."""
    unit: str = "fraction"
    """``fraction``, ``percent``, ``minutes``, ``x`` (ratio), ``score``, ``tasks`` ..."""
    aggregation: str | None = None
    """Over what and how it was aggregated: ``pass@5``, ``max of 5``, ``mean of 10 runs``."""
    n: Annotated[int, Field(ge=0)] | None = None
    """Independent units behind it (questions, tasks, participants), apart from attempts."""
    n_kind: str | None = None
    """What n counts."""
    attempts: Annotated[float, Field(gt=0)] | None = None
    """Attempts (epochs) per unit."""
    successes: Annotated[float, Field(ge=0)] | None = None
    """Units with success; may be fractional where scores are partial."""
    interval: Interval | None = None
    """Interval, if given or computed."""
    standard_error: Annotated[float, Field(ge=0)] | None = None
    """Standard error of the value, in its unit."""
    clusters: Annotated[int, Field(ge=1)] | None = None
    """Clusters (such as questions asked repeatedly) that the standard error takes into account."""
    clustered: bool | None = None
    """Whether the standard error or interval takes clusters into account; none if not known."""
    binary: bool = False
    """True if every unit scores 0 or 1, so that exact binomial bounds hold."""
    task_version: str | None = None
    """Comparability key of the evaluation's version."""
    worst_case: float | None = None
    """The figure with every sample that has no score counted as a success of the model."""
    header_value: float | None = None
    """The figure as the log's header states it."""
    baseline: float | None = None
    """Human, control or earlier model, in the same unit."""
    baseline_who: str | None = None
    """Whose."""
    parameters: Annotated[dict[str, Any], AfterValidator(_representable)] = Field(default_factory=dict)
    """Parameters of a fitted figure (regularisation, weights, replicates), so that it can be recomputed."""

    @property
    def identity(self) -> tuple[str, str, str, str | None]:
        """What two figures must share to be the same measurement."""
        return (self.evaluation, self.metric, self.unit, self.aggregation)

    @model_validator(mode="after")
    def _successes_fit(self) -> "Measurement":
        if self.successes is not None and self.n is not None and self.successes > self.n:
            raise ValueError(f"{self.successes} successes are more than n = {self.n}")
        return self


class PrintedLine(Record):
    """A line that the source states next to a figure. Lines have versions: the source names this one's."""

    value: float | None = None
    """The number, if printed."""
    crossed_when: Operator | None = None
    """A result r is on the concerning side when ``r <operator> value``."""
    unit: str | None = None
    """Its unit, if not the figure's."""
    kind: str = "threshold"
    """``rule_out``, ``rule_in``, ``threshold``, ``early_warning``, ``indicative``, ``pre_registered_signal`` ..."""
    disclosure: Literal["printed", "exists_unprinted", "withheld", "none"] = "printed"
    """Whether the number is printed, exists unprinted, is withheld, or there is none."""
    version: str | None = None
    """Which version of the line: the source that states it."""
    crossed_derived: bool | None = None
    """Whether it was crossed, as the file's author computed."""


class Elicitation(Record):
    """How the capability was drawn out. An evaluation without the required elicitation rules nothing out."""

    elements: tuple[ElicitationElement, ...] = ()
    """Techniques that were used."""
    absent: tuple[ElicitationElement, ...] = ()
    """Techniques that the source says were not used."""
    n_samples: Annotated[int, Field(ge=1)] | None = None
    """n of best-of-n."""
    attempts: Annotated[int, Field(ge=1)] | None = None
    """Attempts per task."""
    tools: tuple[str, ...] = ()
    """Tools the model had."""
    scaffold: str | None = None
    """Scaffold or solver."""
    reasoning: str | None = None
    """Reasoning effort or budget."""
    token_budget: Annotated[int, Field(ge=0)] | None = None
    """Tokens per sample, at most."""
    cost_budget_usd: Annotated[float, Field(ge=0)] | None = None
    """US dollars per sample, at most."""
    statement: str | None = None
    """What the source says, in short."""
    basis: Literal["extracted", "declared", "unstated"] = "unstated"
    """Extracted from a log's header, declared by a person, or not stated."""


class Evaluator(Record):
    """Who measured."""

    name: str | None = None
    """Who."""
    relation: Literal["developer", "independent", "unstated"] = "unstated"
    """The developer's own team, or independent of it."""
    conflicts: str | None = None
    """Conflicts of interest, as declared."""


class ThreatAnswer(Record):
    """An answer to a validity threat."""

    threat: Threat
    """The threat."""
    status: Literal["ruled_out", "present", "unknown"]
    """What is known about it."""
    reason: str
    """How it is known."""


class Provenance(Record):
    """From what the record was made."""

    format: str
    """Importer that made it: ``inspect``, ``reported``, ``lm-eval`` ..."""
    file: str | None = None
    """File name, without folder."""
    digest: str | None = None
    """Digest of the file."""
    sample_root: str | None = None
    """RFC 6962 root over the canonical per-sample rows."""
    tool: str | None = None
    """Tool that wrote the file, with its version."""
    revision: str | None = None
    """Revision of the evaluation's code; ``dirty`` if it had uncommitted changes."""
    title: str | None = None
    """Title of the published source."""
    url: str | None = None
    """Where the source can be read."""
    location: str | None = None
    """Page, section or table."""
    reading: Literal["primary", "secondary"] | None = None
    """The developer's own text, or a third party's reading."""
    check: Literal["mechanical", "read"] | None = None
    """How the figure was checked against its source."""
    position: str | None = None
    """Line and column in the imported file."""


class Remark(Record):
    """Something that an importer noticed. It travels with the record."""

    code: str
    """Stable code (``EVI004`` and so on)."""
    message: str
    """What was noticed."""
    blocks_rule_out: bool = False
    """True if a rule-out must not rest on this record."""


class Evidence(Record):
    """One observation."""

    id: EvidenceId
    """Unique in the evidence set."""
    kind: EvidenceKind = "evaluation"
    """What kind of observation."""
    subject: Subject
    """What was observed."""
    domain: str | None = None
    """Domain, in the source's word."""
    thresholds: tuple[str, ...] = ()
    """Thresholds that the source ties it to (``framework#item`` or an id)."""
    criteria: tuple[str, ...] = ()
    """Criteria, safeguards or requirements it speaks to, for safeguard evidence."""
    need: str | None = None
    """Name of the evidence need it fills, where a criterion has several."""
    measurement: Measurement | None = None
    """The figure."""
    outcome: Literal["pass", "fail", "partial"] | None = None
    """Result of a check or attestation that has no figure."""
    line: PrintedLine | None = None
    """The line that the source states."""
    reading: str | None = None
    """What the source concluded from the figure, in short."""
    elicitation: Elicitation = Elicitation()
    """How it was elicited."""
    evaluator: Evaluator = Evaluator()
    """Who measured."""
    started: PartialDate | None = None
    """First day."""
    finished: PartialDate | None = None
    """Day the result existed."""
    published: PartialDate | None = None
    """Day it became known outside."""
    recorded: PartialDate | None = None
    """Day it entered this evidence set."""
    valid_until: date | None = None
    """Last day on which it holds."""
    valid_until_event: str | None = None
    """Event that ends its validity (``new_snapshot``, ``safeguard_changed`` ...)."""
    ended_by_event: date | None = None
    """Day that event happened."""
    quality: Quality = "reported"
    """How far it can be checked."""
    signed_by: tuple[str, ...] = ()
    """Who attests it."""
    threats: tuple[ThreatAnswer, ...] = ()
    """Answers to validity threats."""
    counts: Counts | None = None
    """Samples at each stage."""
    provenance: Provenance
    """From what it was made."""
    remarks: tuple[Remark, ...] = ()
    """What the importer noticed."""
    note: str | None = None
    """Anything else."""

    @model_validator(mode="after")
    def _says_something(self) -> "Evidence":
        if self.measurement is None and self.outcome is None:
            raise ValueError("evidence needs a measurement or an outcome")
        return self

    @cached_property
    def digest(self) -> str:
        """Digest of the record."""
        return digest(self)

    @cached_property
    def result_day(self) -> date | None:
        """The last day on which the result can have come into being; none if nothing dates it."""
        dated = self.finished or self.published
        return last_day(dated) if dated else None

    @cached_property
    def earliest_day(self) -> date | None:
        """The first day on which the result can have come into being: its age and its registration count from here."""
        dated = self.finished or self.started or self.published
        return first_day(dated) if dated else None

    @cached_property
    def known_on(self) -> date | None:
        """First day on which the record is certain to have been known; none if nothing dates it."""
        dated = [last_day(day) for day in (self.published or self.finished, self.recorded) if day]
        return min(dated, default=None)


def same_observation(one: Evidence, other: Evidence) -> bool:
    """Tell whether two records say the same, whichever copy of a file they were read from and when."""
    return one == other or _observed(one) == _observed(other)


def _observed(record: Evidence) -> Evidence:
    provenance = record.provenance.model_copy(update={"file": None, "digest": None, "position": None})
    return record.model_copy(update={"recorded": None, "provenance": provenance})


class Restatement(Record):
    """Takes a record out of the set, with its reason, and puts another in its place if there is one."""

    supersedes: EvidenceId
    """The record that no longer counts."""
    by: EvidenceId | None = None
    """The record that counts instead; none for a retraction."""
    reason: Literal["error", "harness", "rubric", "n", "unexplained", "retracted"]
    """Why."""
    note: str | None = None
    """In words."""
    approved_by: tuple[str, ...] = ()
    """Who agreed that adverse evidence leaves the set."""
    on: PartialDate | None = None
    """When."""
    source: str | None = None
    """Where it was stated."""

    @model_validator(mode="after")
    def _retraction_has_no_successor(self) -> "Restatement":
        if (self.by is None) != (self.reason == "retracted"):
            raise ValueError("a restatement names the record that counts instead; a retraction names none")
        if self.by == self.supersedes:
            raise ValueError("a record cannot supersede itself")
        return self


ConclusionStatus = Literal[
    "ruled_out",
    "not_reached",
    "likely_not_reached",
    "cannot_be_ruled_out",
    "treated_as_reached",
    "reached",
    "arguably_reached",
    "not_believed_reached_grey_zone",
    "not_reached_near_border",
    "cannot_be_confident_mitigations_applied",
    "early_warning_reached_ccl_not_reached",
    "bounded_by",
    "applicable",
    "not_applicable",
    "no_formal_threshold",
    "not_met",
    "not_stated_clearly",
    "other",
]
"""What developers conclude; richer than reached or not."""


class Conclusion(Record):
    """What the developer concluded, as recorded."""

    model: str
    """Model id."""
    framework: str
    """Framework id, as the source names it."""
    threshold: str
    """Threshold, as the source names it."""
    status: ConclusionStatus
    """The conclusion."""
    stated: str | None = None
    """The status in the source's own word, where it says more."""
    standard: str | None = None
    """Standard it was deployed under."""
    carried_by: str | None = None
    """What carried the decision where lines were crossed: a survey, judgement, mitigations, another model's bound."""
    decided_on: PartialDate | None = None
    """When."""
    signed_by: tuple[str, ...] = ()
    """Roles that signed."""
    informed: tuple[str, ...] = ()
    """Bodies that were informed."""
    source: str | None = None
    """Source key or title."""
    note: str | None = None
    """Remark."""

    @property
    def refs(self) -> tuple[str, ...]:
        """Names under which a policy may know the threshold."""
        return (f"{self.framework}#{self.threshold}", self.threshold)


class Bound(Record):
    """A model that is no more capable than another, so that its findings stand and fall with the other's."""

    model: str
    """The bounded model."""
    by: str
    """The bounding model."""
    thresholds: tuple[str, ...] = ()
    """Thresholds for which it holds; empty means all."""
    reason: str
    """Why it holds."""
    source: str | None = None
    """Where it is stated."""
    on: PartialDate | None = None
    """When it was stated."""


class EvidenceSet(Record):
    """Everything observed and recorded, in one place."""

    schema_: Literal["tidegate/evidence/v1"] = Field(alias="schema", default="tidegate/evidence/v1")
    """Names this format."""
    records: tuple[Evidence, ...] = ()
    """Observations."""
    restatements: tuple[Restatement, ...] = ()
    """Restatements and retractions."""
    conclusions: tuple[Conclusion, ...] = ()
    """Recorded conclusions."""
    bounds: tuple[Bound, ...] = ()
    """Bounding chains."""

    @cached_property
    def digest(self) -> str:
        """Digest of the set, whatever the order of its parts."""
        return digest(
            {
                name: sorted(digest(item) for item in getattr(self, name))
                for name in type(self).model_fields
                if name != "schema_"
            }
        )

    def __add__(self, other: "EvidenceSet") -> "EvidenceSet":
        """Give the union; records that occur in both appear once.

        Raises:
            ValueError: two records share an id and differ.
        """
        return merge((self, other))


def merge(sets: "tuple[EvidenceSet, ...] | list[EvidenceSet]") -> EvidenceSet:
    """Give the union of evidence sets; what occurs more than once appears once.

    Raises:
        ValueError: two records share an id and differ.
    """
    records: dict[str, Evidence] = {}
    for one in sets:
        for record in one.records:
            known = records.setdefault(record.id, record)
            if known is not record and known != record:
                raise ValueError(f"the evidence id {record.id!r} stands for two different records")
    return EvidenceSet(
        records=tuple(records.values()),
        restatements=tuple(dict.fromkeys(item for one in sets for item in one.restatements)),
        conclusions=tuple(dict.fromkeys(item for one in sets for item in one.conclusions)),
        bounds=tuple(dict.fromkeys(item for one in sets for item in one.bounds)),
    )

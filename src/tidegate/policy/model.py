# SPDX-License-Identifier: Apache-2.0
"""What a frontier safety policy says, as records.

The vocabulary covers rule-like policies (thresholds with required standards) and argument-like ones
(plans, recommendations, risk reports). Every promise is a commitment: its modal verb, actor, scope,
disclosure and deferral are fields, so that two versions can be compared by meaning.
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator

from tidegate.kernel.canonical import digest
from tidegate.kernel.duration import Duration
from tidegate.kernel.record import Record

SCHEMA_ID = "tidegate/policy/v1"

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,79}$")]
"""An identifier: letters, digits, ``.``, ``_``, ``+``, ``-``; at most 80 characters."""

Action = Literal["train", "internal_use", "limited", "general", "open_weights"]
"""What the gate answers for: train, internal use, limited deployment, general deployment, open weights."""

ACTIONS: tuple[Action, ...] = ("train", "internal_use", "limited", "general", "open_weights")

Modal = Literal["must", "will", "aim", "intend", "may", "could", "recommend"]
"""How strongly a commitment binds, by its modal verb."""

LADDER: dict[Modal, int] = {"must": 3, "will": 3, "aim": 2, "intend": 2, "may": 1, "could": 1, "recommend": 0}
"""The obligation ladder of the published codebook (Zhu, Silent Revision, 2026): higher binds more."""

BINDING: frozenset[Modal] = frozenset({"must", "will"})
"""Only these can close the gate; softer words are listed as advisory, by the policy author's own choice."""

_MODAL_WORDS: dict[str, Modal] = {
    "must": "must", "shall": "must", "required to": "must", "will": "will", "commit to": "will", "commits to": "will",
    "aim": "aim", "aims": "aim", "intend": "intend", "intends": "intend", "seek to": "aim", "seeks to": "aim",
    "strive": "aim", "expect to": "intend", "expects to": "intend", "plan to": "intend", "plans to": "intend",
    "may": "may", "could": "could", "might": "could",
    "recommend": "recommend", "recommends": "recommend", "recommended": "recommend", "should": "recommend",
    "encourage": "recommend", "encourages": "recommend",
}  # fmt: skip
_MODAL_PATTERN = re.compile(r"\b(" + "|".join(sorted(_MODAL_WORDS, key=len, reverse=True)) + r")\b", re.IGNORECASE)


def modals_in(text: str) -> tuple[Modal, ...]:
    """Give the modal verbs of a commitment's text, in order, each in its canonical form."""
    return tuple(dict.fromkeys(_MODAL_WORDS[found.group(1).lower()] for found in _MODAL_PATTERN.finditer(text)))


Operator = Literal[">=", ">", "<=", "<"]
Quality = Literal["reported", "attested", "recomputable"]
"""How far a figure can be checked: printed only, signed for, or recomputed from its samples."""

QUALITY_ORDER: dict[Quality, int] = {"reported": 0, "attested": 1, "recomputable": 2}

ElicitationElement = Literal[
    "chain_of_thought",
    "best_of_n",
    "tools",
    "scaffolding",
    "fine_tuning",
    "helpful_only",
    "multiple_attempts",
    "expert_prompting",
]
"""A technique without which an evaluation may understate what a model can do."""

Threat = Literal["contamination", "evaluation_awareness", "sandbagging", "saturation", "placeholder"]
"""A reason why a result may not mean what it seems to mean."""

Audience = Literal["public", "government", "external_reviewer", "board", "trust", "staff", "internal"]


class Lineage(Record):
    """Where an item comes from in an earlier version, and how a reader codes the change."""

    id: Id
    """Id of the item in the earlier version."""
    outcome: Literal["retained", "strengthened", "weakened", "relocated"] | None = None
    """A reader's coding of what the typed fields cannot show; the typed comparison still applies."""
    dimensions: tuple["Dimension", ...] = ()
    """On which dimensions the reader sees the change."""
    reason: str | None = None
    """Why the reader codes it so."""


Dimension = Literal["scope", "threshold", "actor", "obligation", "disclosure", "consequence"]
"""The six dimensions of change: scope, threshold or trigger, actor, obligation strength, disclosure,
and consequence or the condition under which it can be deferred."""


class Item(Record):
    """Anything in a policy that has a name and a place in its text."""

    id: Id
    """Unique within the policy."""
    title: str = ""
    """A short name."""
    text: str = ""
    """What it says, in the words of whoever wrote this file."""
    ref: str | None = None
    """Where it stands in the source document."""
    note: str | None = None
    """A remark by whoever wrote this file."""
    was: tuple[Lineage, ...] = ()
    """Items of the earlier version that became this one."""


class Deadline(Record):
    """By when, counted from what."""

    within: Duration
    """Length of the interval."""
    starts: str
    """The event that starts it."""
    soft: bool = False
    """True if missing it is not itself a breach."""


class Commitment(Item):
    """A promise: who does what, how strongly, for what, told to whom, deferrable when."""

    force: Modal | None = None
    """The modal verb. Parsed from the text when it is not given; loading refuses a commitment without one."""
    actor: tuple[Id, ...] = ()
    """Roles that act; empty means the organisation."""
    scope: tuple[str, ...] = ()
    """To what it applies; empty means everything that the policy covers."""
    disclosure: tuple[Audience, ...] = ()
    """Who is told."""
    unless: tuple[str, ...] = ()
    """Conditions under which it can be deferred or set aside."""
    deadline: Deadline | None = None
    """By when it is due."""
    cadence: Duration | None = None
    """How often it recurs, at the latest."""
    document: str | None = None
    """The document that holds it, when that is not the policy itself."""

    @model_validator(mode="before")
    @classmethod
    def _force_from_text(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("force") is None and isinstance(data.get("text"), str):
            found = modals_in(data["text"])
            if found:
                return {**data, "force": max(found, key=LADDER.__getitem__)}
        return data

    @property
    def binds(self) -> bool:
        """True if it can close a gate. A commitment whose force is unknown binds."""
        return self.force is None or self.force in BINDING


class Domain(Item):
    """An area of risk, with its names elsewhere."""

    maps_to: dict[str, str] = Field(default_factory=dict)
    """Framework -> the name of this domain there (for example ``eu-cop: cbrn``)."""


class ThreatModel(Item):
    """Who could do what harm, by which steps, and what stops them today."""

    domain: Id
    """Domain it belongs to."""
    actor: str | None = None
    """Who acts."""
    skill: str | None = None
    """What the actor knows."""
    resources: str | None = None
    """Money, people, time and equipment."""
    pathway: tuple[str, ...] = ()
    """Steps to harm."""
    bottlenecks: tuple[str, ...] = ()
    """Steps at which actors fail without the model."""
    harm: str | None = None
    """What happens if it succeeds, and at which scale."""
    enabling_capabilities: tuple[str, ...] = ()
    """What a model must be able to do for it to matter."""
    completeness: str | None = None
    """Why no substantial threat model is left out."""


class Baseline(Record):
    """Against what a capability is judged."""

    year: int | None = None
    """Year whose tools and knowledge count as given."""
    tools: str | None = None
    """Tools that the actor has without the model."""
    time: str | None = None
    """Time that the actor has."""
    money: str | None = None
    """Money that the actor has."""
    note: str | None = None
    """Anything else."""


class Line(Record):
    """A value that a result must not cross."""

    value: float
    """The number, in the indicator's unit."""
    crossed_when: Operator = ">="
    """A result r is on the concerning side when ``r <operator> value``."""

    def is_crossed_by(self, value: float) -> bool:
        """Tell whether `value` is on the concerning side."""
        match self.crossed_when:
            case ">=":
                return value >= self.value
            case ">":
                return value > self.value
            case "<=":
                return value <= self.value
            case "<":
                return value < self.value

    @property
    def higher_concerns(self) -> bool:
        """True if higher results are the concerning ones."""
        return self.crossed_when in (">=", ">")


class Rule(Record):
    """The decision rule of an indicator, fixed before results come in."""

    rule_out: Line
    """The capability is ruled out only if the result lies on the safe side of this line."""
    reach: Line | None = None
    """The capability is shown if the result lies on the concerning side of this line."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] | None = 0.95
    """One-sided confidence of either statement; null compares the bare figure, which is recorded."""
    margin: Annotated[float, Field(ge=0)] = 0.0
    """Added to the result (against safety) for elicitation that attackers could still add, in its unit."""
    error_policy: Literal["worst_case", "as_scored"] = "worst_case"
    """How samples without a score count in a rule-out: as successes of the model, or not at all."""


class Indicator(Item):
    """An evaluation that speaks to a threshold, and how it decides."""

    evaluation: str
    """Name of the evaluation."""
    aliases: tuple[str, ...] = ()
    """Other names under which results of the same evaluation arrive."""
    metric: str | None = None
    """Metric that the rule is about; none means any."""
    unit: str | None = None
    """Unit of the lines; results in other units are converted between fraction and percent, else set aside."""
    aggregation: str | None = None
    """Aggregation that the rule is about (``pass@5``, ``max of 5``); part of the measurement's identity."""
    rule: Rule
    """The decision rule."""
    falsifier: str | None = None
    """What would prove a rule-out by this indicator wrong."""
    elicitation: tuple[ElicitationElement, ...] = ()
    """Elicitation without which this evaluation cannot rule anything out."""
    answers: tuple[Threat, ...] = ()
    """Validity threats that the evidence has to answer."""
    minimum_quality: Quality = "reported"
    """Lesser evidence cannot rule out."""
    minimum_n: Annotated[int, Field(ge=1)] | None = None
    """Smaller samples cannot rule out."""
    max_age: Duration | None = None
    """Older evidence cannot rule out."""
    max_compute_ratio: Annotated[float, Field(gt=0)] | None = None
    """Evidence from a snapshot with less effective compute than the assessed one over this cannot rule out."""
    same_snapshot: bool = False
    """True if only evidence about the assessed snapshot itself can rule out."""
    placeholder: bool = False
    """True if the evaluation stands in for a better one that is still to be built."""

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the evaluation."""
        return (self.evaluation, *self.aliases)

    @cached_property
    def rule_digest(self) -> str:
        """Digest of everything in the indicator that decides."""
        fields = {
            "aliases",
            "rule",
            "falsifier",
            "evaluation",
            "metric",
            "unit",
            "aggregation",
            "elicitation",
            "minimum_quality",
        }
        fields |= {"minimum_n", "max_age", "max_compute_ratio", "same_snapshot", "answers"}
        return digest(self.model_dump(mode="json", include=fields, exclude_defaults=True))


class Combination(Record):
    """How the indicators of a threshold decide together."""

    rule_out: Literal["all", "any"] | Annotated[int, Field(ge=1)] = "all"
    """How many indicators must rule the capability out: all, any, or at least k."""
    reach: Literal["all", "any"] | Annotated[int, Field(ge=1)] = "any"
    """How many indicators must show the capability for it to count as reached: any, all, or at least k."""
    outvotes_crossed: bool = False
    """True if enough indicators that rule out outvote one whose line is crossed. Otherwise a crossed line stands,
    and asking for any, or for k, only lets indicators be missing or undecided."""


class Alert(Record):
    """An earlier line with a buffer, and what happens when it is crossed."""

    indicator: Id | None = None
    """Indicator it applies to; none means judgement or a line that is not printed."""
    line: Line | None = None
    """The line, in the indicator's unit."""
    buffer: str | None = None
    """Distance to the threshold that it is meant to leave."""
    action: str
    """What happens when it is crossed."""


class Requirement(Commitment):
    """What has to be in place for an action while the threshold is not ruled out."""

    kind: Literal["standard", "safeguard", "affirmative_case", "report", "notice", "halt", "not_yet_specified"]
    """What is required."""
    target: Id | None = None
    """Standard or safeguard that is meant."""
    security_level: Id | None = None
    """Security level that is meant."""
    actions: Annotated[tuple[Action, ...], Field(min_length=1)]
    """Actions that it governs."""
    max_age: Duration | None = None
    """An affirmative case, report or notice older than this counts as expired."""


class Threshold(Item):
    """A capability at which more is required."""

    domain: Id
    """Domain it belongs to."""
    kind: Literal["threshold", "checkpoint", "tracked", "watch", "outcome_scenario"] = "threshold"
    """A threshold proper; a checkpoint that rules out others; a tracked earlier level; watched without
    requirement; or an outcome scenario that the policy assigns a severity to."""
    level: int | None = None
    """Order within its domain; levels of different policies do not compare."""
    severity: str | None = None
    """The policy's own word for how bad."""
    aliases: tuple[str, ...] = ()
    """Names under which published figures and conclusions refer to it (``framework#item``)."""
    actor: str | None = None
    """Whose ability is judged."""
    baseline: Baseline | None = None
    """Against what."""
    applies_to: tuple[str, ...] = ()
    """Models or uses it is limited to; empty means all that the policy covers."""
    threat_models: tuple[Id, ...] = ()
    """Threat models behind it."""
    rules_out: tuple[Id, ...] = ()
    """Thresholds that are ruled out when this checkpoint is."""
    indicators: tuple[Indicator, ...] = ()
    """Evaluations that decide it."""
    combine: Combination = Combination()
    """How they decide together."""
    printed_lines: bool = False
    """True if figures that name this threshold and print their own line count as indicators too.
    Their rule was disclosed with the result, and findings say so."""
    printed_minimum: Annotated[int, Field(ge=1)] = 2
    """How many different evaluations with a printed line a rule-out needs at least: where the policy fixes no
    suite, one evaluation that happens to be printed cannot show that a capability is absent."""
    falsifier: str | None = None
    """What would prove a rule-out of this threshold wrong."""
    alerts: tuple[Alert, ...] = ()
    """Earlier lines with a buffer."""
    requirements: tuple[Requirement, ...] = ()
    """What it requires while it is not ruled out."""

    @cached_property
    def decision_digest(self) -> str:
        """Digest of everything that decides about the threshold: what a lock pins before results come in.

        It covers every indicator and how they combine, because dropping one, or asking for any instead of all,
        changes the rule as much as moving a line does.
        """
        fields = {"combine", "printed_lines", "printed_minimum", "falsifier"}
        return digest(
            {
                "indicators": sorted([one.id, one.rule_digest] for one in self.indicators),
                **self.model_dump(mode="json", include=fields, exclude_defaults=True),
            }
        )


NeedKind = Literal["attestation", "control_check", "red_team", "efficacy", "audit", "document"]


class Need(Record):
    """A piece of evidence that a criterion needs."""

    name: Id
    """Name, unique within the criterion."""
    kind: NeedKind = "attestation"
    """Kind of evidence."""
    metric: str | None = None
    """Metric that is measured, for red-team and efficacy evidence."""
    bound: Line | None = None
    """The result must not cross this line, at the confidence below."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] | None = 0.95
    """One-sided confidence; null compares the bare figure."""
    max_age: Duration | None = None
    """Older evidence counts as expired."""
    minimum_quality: Quality = "reported"
    """Lesser evidence counts as unknown."""


class Criterion(Commitment):
    """A condition of a standard, with the evidence that shows it."""

    parent: Id | None = None
    """The criterion that this one is a part of."""
    needs: tuple[Need, ...] = ()
    """Evidence that it needs; none listed means one attestation that names the criterion."""

    @property
    def effective_needs(self) -> tuple[Need, ...]:
        """The evidence needed, with the default made explicit."""
        return self.needs or (Need(name=self.id, kind="attestation"),)


class Standard(Item):
    """A named set of criteria, such as a deployment or security standard."""

    aim: str | None = None
    """What it is meant to achieve, against whom."""
    criteria: tuple[Criterion, ...] = ()
    """All must be met."""
    includes: tuple[Id, ...] = ()
    """Standards that are part of this one."""


class SecurityLevel(Item):
    """A level of protection of model weights."""

    rand: str | None = None
    """The corresponding level of the RAND report on securing model weights (SL1 to SL5)."""
    actors_in_scope: tuple[str, ...] = ()
    """Attackers that it is meant to hold against."""
    actors_out_of_scope: tuple[str, ...] = ()
    """Attackers that it is not meant to hold against."""
    standard: Id | None = None
    """The standard whose criteria implement it."""


class TriggerEvent(Record):
    """One event that a trigger watches."""

    on: Literal[
        "effective_compute",
        "elapsed_time",
        "snapshot",
        "deployment_change",
        "new_affordance",
        "incident",
        "policy_change",
        "discretion",
    ]
    """Kind of event."""
    ratio: Annotated[float, Field(gt=0)] | None = None
    """For effective compute: the ratio to the last assessed model."""
    every: Duration | None = None
    """For elapsed time: the interval."""
    since: str | None = None
    """What the ratio or the interval is counted from."""
    by: Id | None = None
    """For discretion: the role that may decide."""

    @model_validator(mode="after")
    def _needs_its_amount(self) -> "TriggerEvent":
        if self.on == "effective_compute" and self.ratio is None:
            raise ValueError("an effective_compute event needs a ratio")
        if self.on == "elapsed_time" and self.every is None:
            raise ValueError("an elapsed_time event needs an interval (every)")
        return self


class Trigger(Commitment):
    """When an assessment, a report or a review is due."""

    starts: str
    """What it starts: for example ``comprehensive_assessment``."""
    when: Literal["any", "all"] = "any"
    """Whether one event suffices."""
    events: Annotated[tuple[TriggerEvent, ...], Field(min_length=1)]
    """The events."""
    soft: bool = False
    """True if missing it is not itself a breach."""


class Role(Item):
    """A role or body that the policy gives a part to."""

    power: Literal["decides", "recommends", "consults", "approves", "reverses", "oversees", "operates"] = "operates"
    """What its word does."""
    duties: tuple[str, ...] = ()
    """What it is charged with."""
    not_same_as: tuple[Id, ...] = ()
    """Roles that the same person may not hold in one decision."""


class Approval(Commitment):
    """Whose agreement an act needs."""

    act: str
    """The act: ``capability_report``, ``safeguards_report``, ``policy_change``, ``interim_measure`` ..."""
    signers: tuple[Id, ...] = ()
    """Roles that may sign."""
    quorum: Annotated[int, Field(ge=1)] | None = None
    """How many of them must; none means all."""
    before: tuple[Action, ...] = ()
    """Actions that must wait for it."""

    @model_validator(mode="after")
    def _quorum_can_be_met(self) -> "Approval":
        if self.quorum is not None and self.quorum > len(self.signers):
            raise ValueError(f"quorum {self.quorum} is more than the {len(self.signers)} signers")
        return self


ChangeKind = Literal["added", "removed", "strengthened", "weakened", "clarified", "moved", "rewritten"]


class Change(Record):
    """An entry of the policy's own changelog."""

    summary: str
    """What the account says changed."""
    clauses: tuple[str, ...] = ()
    """Items of this or the earlier version that it names; empty means that it names none."""
    kind: ChangeKind | None = None
    """What kind of change the account says it is."""
    dimensions: tuple[Dimension, ...] = ()
    """Dimensions that the account mentions; empty means that it does not go into detail."""
    version: str | None = None
    """Version that made the change, when the account covers several."""
    source: str | None = None
    """Where the account was given."""


class Relocation(Record):
    """An item of the earlier version that moved out of the policy, or into a mere recommendation."""

    id: Id
    """Id in the earlier version."""
    to: str
    """The document it moved to, or the item of this policy that now recommends it."""
    reason: str | None = None
    """Why a reader codes it so."""


class Scope(Record):
    """What a policy covers."""

    text: str = ""
    """In words."""
    models: tuple[Literal["public", "internal", "training"], ...] = ()
    """Which models."""
    minimum_training_flop: float | None = None
    """Training compute from which it applies, in floating-point operations."""
    minimum_revenue_usd: float | None = None
    """Revenue of the developer from which it applies, in US dollars a year."""
    jurisdictions: tuple[str, ...] = ()
    """Where it applies, if not everywhere."""


class Source(Record):
    """Where the content of this file comes from."""

    title: str
    """Title of the source."""
    publisher: str | None = None
    """Who published it."""
    date: str | None = None
    """When."""
    url: str | None = None
    """Where it can be read."""
    note: str | None = None
    """How this file relates to it."""


class RuleLock(Record):
    """A decision rule that was fixed on a day."""

    threshold: Id
    """Threshold of the rule."""
    indicator: Id
    """Indicator of the rule."""
    evaluation: str
    """Evaluation that the rule named then."""
    digest: str
    """Digest of the threshold's decision rules as they were then."""
    locked_on: date
    """The day."""


class EvaluationChange(Record):
    """A recorded replacement of an evaluation that the policy had pinned."""

    threshold: Id
    """Threshold concerned."""
    was: str
    """Evaluation that the policy named before."""
    now: str
    """Evaluation that it names now."""
    on: date
    """The day."""
    reason: str
    """Why."""
    approved_by: tuple[Id, ...] = ()
    """Roles that agreed."""


class Policy(Record):
    """A frontier safety policy."""

    schema_: Literal["tidegate/policy/v1"] = Field(alias="schema")
    """Names this format."""
    id: Id
    """Names the policy through all its versions."""
    version: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    """The version's label."""
    title: str
    """Its title."""
    publisher: str
    """Who adopted it."""
    kind: Literal["voluntary", "compliance"] = "voluntary"
    """A voluntary policy, or a framework that a law asks for."""
    status: Literal["draft", "in_effect", "superseded"] = "in_effect"
    """Its status."""
    effective: date | None = None
    """First day in effect."""
    ended: date | None = None
    """First day no longer in effect."""
    supersedes: str | None = None
    """Version that it replaces."""
    preregistration: Literal["required", "flagged"] = "required"
    """Whether a rule that was not locked before the result can rule out at all, or is only flagged."""
    scope: Scope = Scope()
    """What it covers."""
    definitions: dict[str, str] = Field(default_factory=dict)
    """Its terms."""
    sources: tuple[Source, ...] = ()
    """Where the content comes from."""
    domains: Annotated[tuple[Domain, ...], Field(min_length=1)]
    """Areas of risk."""
    threat_models: tuple[ThreatModel, ...] = ()
    """Threat models."""
    thresholds: Annotated[tuple[Threshold, ...], Field(min_length=1)]
    """Capability thresholds."""
    baseline: tuple[Requirement, ...] = ()
    """What every model needs for an action, whatever the findings."""
    standards: tuple[Standard, ...] = ()
    """Standards."""
    safeguards: tuple[Criterion, ...] = ()
    """Safeguards that requirements name one by one."""
    security_levels: tuple[SecurityLevel, ...] = ()
    """Security levels."""
    triggers: tuple[Trigger, ...] = ()
    """Triggers and cadences."""
    roles: tuple[Role, ...] = ()
    """Roles."""
    approvals: tuple[Approval, ...] = ()
    """Approvals."""
    commitments: tuple[Commitment, ...] = ()
    """Every other promise."""
    changelog: tuple[Change, ...] = ()
    """The policy's own account of what changed."""
    relocated: tuple[Relocation, ...] = ()
    """Items of the earlier version that moved elsewhere."""
    locks: tuple[RuleLock, ...] = ()
    """Decision rules fixed so far; old entries stay."""
    evaluation_changes: tuple[EvaluationChange, ...] = ()
    """Recorded replacements of pinned evaluations."""

    @cached_property
    def digest(self) -> str:
        """Digest of the content, whatever its formatting."""
        return digest(self)

    @property
    def label(self) -> str:
        """Id and version."""
        return f"{self.id}@{self.version}"

    @property
    def version_id(self) -> str:
        """Label and content digest: two texts with one label have different version ids."""
        return f"{self.label}+{self.digest}"

    def as_of(self, day: date) -> "Policy":
        """Give the policy with the rule locks that existed on a day; later ones do not change earlier verdicts."""
        kept = tuple(lock for lock in self.locks if lock.locked_on <= day)
        if len(kept) == len(self.locks):
            return self
        return self.with_locks_only(kept)

    def with_locks_only(self, locks: tuple[RuleLock, ...]) -> "Policy":
        """Give the policy with these rule locks and no others."""
        return self.model_copy(update={"locks": locks})

    def not_in_effect(self, day: date) -> str | None:
        """Say why the policy does not govern a day, or give none if it does."""
        if self.effective is not None and day < self.effective:
            return f"{self.label} takes effect on {self.effective.isoformat()}"
        if self.ended is not None and day >= self.ended:
            return f"{self.label} ended on {self.ended.isoformat()}"
        return None

    def names_of(self, threshold: Threshold) -> tuple[str, ...]:
        """Give every name under which evidence and conclusions may refer to a threshold."""
        return (threshold.id, f"{self.id}#{threshold.id}", f"{self.label}#{threshold.id}", *threshold.aliases)

    def threshold(self, name: str) -> Threshold | None:
        """Give the threshold with this name."""
        return self._threshold_index.get(name.casefold())

    @cached_property
    def _threshold_index(self) -> dict[str, Threshold]:
        index: dict[str, Threshold] = {}
        for threshold in self.thresholds:
            for name in self.names_of(threshold):
                index.setdefault(name.casefold(), threshold)
        return index

    @cached_property
    def standards_by_id(self) -> dict[str, Standard]:
        """Standards by id."""
        return {standard.id: standard for standard in self.standards}

    def criteria_of(self, standard_id: str) -> tuple[Criterion, ...]:
        """Give the criteria of a standard and of all that it includes, each once."""
        found: dict[str, Criterion] = {}
        pending, seen = [standard_id], set[str]()
        while pending:
            current = pending.pop(0)
            if current in seen or current not in self.standards_by_id:
                continue
            seen.add(current)
            standard = self.standards_by_id[current]
            found |= {criterion.id: criterion for criterion in standard.criteria}
            pending += standard.includes
        return tuple(found.values())

    def located_items(self) -> Iterator[tuple[tuple[str | int, ...], Item]]:
        """Give every item with its path in the document, in document order."""
        for name in type(self).model_fields:
            value: Any = getattr(self, name)
            if isinstance(value, tuple):
                yield from _items_in((name,), value)


def _items_in(path: tuple[str | int, ...], values: tuple[Any, ...]) -> Iterator[tuple[tuple[str | int, ...], Item]]:
    for number, value in enumerate(values):
        if not isinstance(value, Item):
            continue
        here = (*path, number)
        yield here, value
        for name in ("indicators", "requirements", "criteria"):
            nested = getattr(value, name, ())
            if nested:
                yield from _items_in((*here, name), nested)

# SPDX-License-Identifier: Apache-2.0
"""An incident: what is known, since when, stated by whom. One record, from which every clock is read.

The log holds that an incident was opened, updated, noticed and closed, by whom and when, and a salted digest of what
was said. What was said stands outside it, so that it stays confidential and can be erased after its retention.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from tidegate.kernel.clock import Instant
from tidegate.kernel.errors import Problem
from tidegate.kernel.record import Record
from tidegate.obligations.model import RuleId

TimeName = Literal[
    "occurred",
    "detected",
    "discovered",
    "reasonable_belief",
    "determined",
    "model_involvement_known",
    "imminent_risk_found",
    "contained",
    "resolved",
]
"""The nine times from which the laws count, or which they ask for."""
TIME_MEANINGS: dict[TimeName, str] = {
    "occurred": "it happened, or began",
    "detected": "a monitor or a person first noticed a sign of it",
    "discovered": "somebody in the organisation learned that it is an incident",
    "reasonable_belief": "the facts were known that give reason to believe that it is one",
    "determined": "it was determined to be one",
    "model_involvement_known": "it was known, or suspected on good grounds, that the model was involved",
    "imminent_risk_found": "an imminent risk of death or serious injury was found",
    "contained": "it no longer spread",
    "resolved": "it was over, and its cause was removed",
}
Yes = Literal["yes", "no", "unknown"]
Words = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
MAX_SAID_BYTES = 1_000_000
"""What one entry says of an incident is words; attachments are evidence, and stay elsewhere."""
Place = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z0-9]{1,3})?$")]
"""A jurisdiction: ``us-ca``, ``us-ny``, ``us-il``, ``eu``, or a country as ISO 3166 has it, in small letters."""


class Notice(Record):
    """A notice that went to an authority."""

    rule: RuleId
    """Rule whose duty it meets: ``sb53.incident`` ..."""
    to: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    """Who received it."""
    sent_at: Instant
    """When."""
    kind: Literal["initial", "interim", "final", "amended"] = "initial"
    """Which of several it is."""
    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_SAID_BYTES // 2)]
    """The notice as it was sent."""
    missing: tuple[str, ...] = ()
    """Fields that it states as missing."""


class Said(Record):
    """What one entry says of an incident: only what is new or corrected."""

    schema_: Literal["tidegate/incident/v1"] = Field(alias="schema", default="tidegate/incident/v1")
    """Names this format."""
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """A short name."""
    summary: Words | None = None
    """A short plain statement of what happened."""
    times: dict[TimeName, Instant | None] = Field(default_factory=dict)
    """Times; null takes one back."""
    answers: dict[str, Yes] = Field(default_factory=dict)
    """Question -> answer: from these follow the classes by law."""
    jurisdictions: tuple[Place, ...] | None = None
    """Where it is a concern: ``us-ca``, ``us-ny``, ``us-il``, ``eu`` ..."""
    models: tuple[str, ...] | None = None
    """Models involved."""
    evidence: tuple[str, ...] | None = None
    """Records that are linked: ``evidence:<id>`` ..."""
    threshold: str | None = None
    """Threshold of the policy that it bears on."""
    fields: dict[str, Words] = Field(default_factory=dict)
    """Fields of the statutory notices, by their names."""
    severity: dict[str, str] = Field(default_factory=dict)
    """Scale (``oecd@1``, ``cjs@draft``, ``cvss@3.1``, ``cvss@4.0``) -> level, or vector."""
    reason: Words | None = None
    """Why something is corrected, closed or opened again."""
    notice: Notice | None = None
    """The notice that was sent."""
    not_sent: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Entries whose notice is taken back: it was not sent, or not as they say."""


@dataclass(frozen=True)
class Stated:
    """A time, as it was stated once."""

    name: TimeName
    at: Instant | None
    """The time; none where it was taken back."""
    by: str
    """Who said so."""
    recorded_at: Instant
    """When they said so."""
    index: int
    """Entry of the log."""
    reason: str | None = None


@dataclass(frozen=True)
class Revision:
    """One entry of an incident, with what it said."""

    index: int
    kind: Literal["opened", "updated", "noticed", "closed", "reopened"]
    by: str
    at: Instant
    said: Said | None
    """None if it was erased after its retention, or is not kept as it was."""
    digest: str = ""
    """Salted digest of what was said."""
    retain_until: date | None = None
    """Last day of its retention, as its entry states it."""
    problem: str | None = None
    """Why what was said is not there to be read."""

    @property
    def notice(self) -> Notice | None:
        """The notice that it put on record."""
        return self.said.notice if self.said is not None else None


@dataclass(frozen=True)
class Incident:
    """An incident as the log has it: every entry merged in order, later ones over earlier ones."""

    id: str
    state: Literal["open", "closed"]
    opened_at: Instant
    """When it was put on record."""
    opened_by: str
    title: str = ""
    summary: str = ""
    times: dict[TimeName, Stated] = field(default_factory=dict)
    """The times that hold now; those taken back are absent."""
    history: tuple[Stated, ...] = ()
    """Every time that was ever stated, in the log's order."""
    answers: dict[str, Yes] = field(default_factory=dict)
    jurisdictions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    threshold: str | None = None
    fields: dict[str, str] = field(default_factory=dict)
    severity: dict[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()
    """Notices that were sent, without those taken back."""
    taken_back: frozenset[int] = frozenset()
    """Entries whose notice was taken back."""
    revisions: tuple[Revision, ...] = ()
    retained_until: date | None = None
    """Last day of its retention; none while it is open."""
    erased: bool = False
    """True if what was said of it has been erased, in whole or in part."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with the record: times that cannot be, or content that is not what it was."""

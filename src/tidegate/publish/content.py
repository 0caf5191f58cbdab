# SPDX-License-Identifier: Apache-2.0
"""Everything that can be published, collected once: the hub and every report are made from the same records.

What is withheld was taken out before: nothing that a generator sees is secret.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from tidegate.assess.model import ModelAssessment
from tidegate.evidence.model import Evidence
from tidegate.evidence.models import Model
from tidegate.evidence.redaction import Withheld
from tidegate.govern.counts import YearStatistics
from tidegate.govern.records import CaseRecord, ReportRecord
from tidegate.govern.reports import Report
from tidegate.ledger.acts import WaiverRecorded
from tidegate.obligations.model import Duty, Waiver
from tidegate.policy.changes import PolicyDiff
from tidegate.policy.framework import Framework
from tidegate.policy.load import LoadedPolicy
from tidegate.policy.model import Policy
from tidegate.publish.decision_pages import ShownDecision
from tidegate.publish.inventory import Inventory
from tidegate.publish.practices import CommitmentMade, ModelPage, Publication, WithheldWords


@dataclass(frozen=True)
class PublishedModel:
    """A model, with all that is on record about it."""

    model: Model
    assessment: ModelAssessment
    """Findings and gates as of the day of publication."""
    page: ModelPage | None = None
    """What is said about it besides; none if nobody has written it."""
    decisions: tuple[ShownDecision, ...] = ()
    """Decisions about it, newest first."""
    reports: tuple[tuple[ReportRecord, Report], ...] = ()
    """Final reports about it, newest first."""
    cases: tuple[CaseRecord, ...] = ()
    """Safety cases about it."""
    bundle: str | None = None
    """Name of its verifiable bundle, if one is published beside the site."""


@dataclass(frozen=True)
class PublishedPolicy:
    """A version of the policy."""

    loaded: LoadedPolicy
    adopted_on: date | None = None
    """Day of the log's entry that adopted it."""
    diff: PolicyDiff | None = None
    """What changed since the version before, by meaning; none for the first."""

    @property
    def policy(self) -> Policy:
        """The policy itself."""
        return self.loaded.policy


@dataclass(frozen=True)
class LogHead:
    """The log when the output was made."""

    origin: str
    size: int
    root: str
    """Root hash, base64, as in the checkpoint."""
    note: str
    """The signed checkpoint, whole."""


@dataclass(frozen=True)
class Content:
    """What an organisation publishes, as of a day."""

    organisation: str
    at: date
    policy: Policy
    """The adopted policy."""
    publication: Publication
    """Practices, answers and pages, redactions applied, drafts left out."""
    sections: Framework
    """The hub's section tree (kind ``sections``)."""
    crosswalk: Framework
    """Which items ask for the same kind of record (kind ``crosswalk``)."""
    frameworks: Mapping[str, Framework] = field(default_factory=dict)
    """Every known framework by id."""
    commitments: tuple[CommitmentMade, ...] = ()
    """Frameworks that the organisation stands by or is bound by."""
    inventory: Inventory = field(default_factory=Inventory)
    """Everything on record that a statement may cite."""
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    """Evidence by id, the edition for outsiders; nothing that became known later."""
    withdrawn: frozenset[str] = frozenset()
    """Ids of evidence that was restated or retracted: it is shown as such, and is no result any more."""
    models: tuple[PublishedModel, ...] = ()
    """Models, newest release first."""
    policies: tuple[PublishedPolicy, ...] = ()
    """Versions of the policy, newest first."""
    duties: tuple[Duty, ...] = ()
    """Public duties and promises, with their state."""
    hidden_duties: int = 0
    """How many duties apply that are not public, whatever their state; those about one incident, case or disclosure
    are not even counted."""
    waivers: tuple[Waiver, ...] = ()
    """Public waivers of duties."""
    measures: tuple[WaiverRecorded, ...] = ()
    """Public interim measures, waivers and deviations of decisions that count."""
    noncompliance: YearStatistics | None = None
    """Published counts of noncompliance reports, small numbers withheld."""
    incidents: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Year -> law -> number of incidents that qualified, small numbers left out."""
    withheld_words: tuple[WithheldWords, ...] = ()
    """Redactions of words."""
    withheld_evidence: tuple[Withheld, ...] = ()
    """Redactions of evidence records."""
    head: LogHead | None = None
    """The log; none if the project keeps none."""
    proofs: Mapping[str, str] = field(default_factory=dict)
    """Record (``decision:D-1``) -> its inclusion proof, in the form of a tlog-proof file."""
    website: str | None = None
    """The organisation's website."""
    contact: str | None = None
    """How a natural person reaches it."""
    doubts: tuple[str, ...] = ()
    """Why the log, or what the files hold against it, cannot be relied on."""

    def model(self, name: str) -> PublishedModel | None:
        """Give the model of this id or alias."""
        return next((one for one in self.models if name.casefold() in one.model.names), None)

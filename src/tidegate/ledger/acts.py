# SPDX-License-Identifier: Apache-2.0
"""The bodies of entries: one record for each kind of act."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from tidegate.kernel.clock import Instant
from tidegate.kernel.record import Record

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+@/:-]{0,119}$")]
"""An id: letters, digits and ``._+@/:-``, at most 120 characters."""
DigestText = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
"""A digest: ``sha256:<hex>``."""
Text = Annotated[str, StringConstraints(min_length=1, max_length=12_000)]
"""Words, kept verbatim; longer ones are attached as a document."""
PublicKey = Annotated[
    str, StringConstraints(pattern=r"^(ssh-ed25519|sk-ssh-ed25519@openssh\.com) [A-Za-z0-9+/=]{40,400}$")
]
"""An OpenSSH public key without its comment."""
Fingerprint = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
"""Fingerprint of a key, as OpenSSH shows it."""
ActionName = Literal["train", "internal_use", "limited", "general", "open_weights"]


class LedgerOpened(Record):
    """The log begins."""

    origin: str
    """Origin line of its checkpoints."""
    organisation: str
    """Who keeps it."""


class EvidenceImported(Record):
    """Evidence was taken in."""

    file: str
    """Name of the imported file."""
    file_digest: str
    """Its digest."""
    format: str
    """Importer that read it."""
    records: Annotated[int, Field(ge=0)]
    """How many records were new."""
    kept_as: str
    """File of the project that keeps them."""
    document: DigestText
    """Digest of what was kept, which the store holds."""


class EvidenceRestated(Record):
    """A record was replaced by another."""

    supersedes: str
    """The record that no longer counts."""
    by: str
    """The record that counts instead."""
    reason: str
    """Why."""
    document: DigestText
    """Digest of the whole restatement, which the store holds."""


class EvidenceRetracted(Record):
    """A record was taken back."""

    supersedes: str
    """The record that no longer counts."""
    reason: str
    """Why."""
    document: DigestText
    """Digest of the whole retraction, which the store holds."""


class PolicyAdopted(Record):
    """A policy was adopted or amended, or its rules were locked."""

    label: str
    """Id and version."""
    policy_digest: DigestText
    """Digest of its content."""
    document: DigestText
    """The same content as a document, which the store holds."""
    was: DigestText | None = None
    """Digest of the policy that was adopted before."""


class ModelRecorded(Record):
    """A model stands in the project as said."""

    model: str
    """Its id."""
    snapshots: tuple[str, ...] = ()
    """Its snapshots, oldest first."""
    document: DigestText
    """Digest of the model's file as data, which the store holds."""


class ReportFinalised(Record):
    """A report became final."""

    report: Name
    """Its id."""
    kind: Literal["capability", "safeguards"]
    """What it is about."""
    model: str
    """Model."""
    snapshot: str | None = None
    """Snapshot."""
    document: DigestText
    """Digest of the report as data, which the store holds."""


class ReportCriticised(Record):
    """An independent critique was attached to a report."""

    report: Name
    """Report."""
    critique: Name
    """Id of the critique."""
    points: Annotated[int, Field(ge=1, le=500)]
    """How many points it makes."""
    document: DigestText
    """Digest of the critique, which the store holds."""


class CriticismAnswered(Record):
    """A point of a critique was answered, or left to stand."""

    critique: Name
    """Critique."""
    point: Annotated[int, Field(ge=1, le=500)]
    """Number of the point, from 1."""
    outcome: Literal["answered", "accepted", "stands"]
    """Answered, accepted and acted on, or standing as open disagreement."""
    text: Text
    """The answer."""


class CaseRecorded(Record):
    """A version of a safety case was recorded."""

    case: Name
    """Its id."""
    model: str
    """Model."""
    root: DigestText
    """Content digest of the whole case."""
    document: DigestText
    """Digest of the case as data, which the store holds."""


class CaseReviewed(Record):
    """Parts of a safety case were reviewed."""

    case: Name
    """Case."""
    nodes: Annotated[dict[str, DigestText], Field(min_length=1, max_length=300)]
    """Node -> content digest that the reviewer saw."""
    verdict: Literal["agrees", "disagrees"]
    """What the reviewer thinks."""
    text: Text | None = None
    """In words."""


class DecisionProposed(Record):
    """A decision was put to those who have to sign it."""

    decision: Name
    """Its id."""
    model: str | None = None
    """Model that it is about, if it is about one."""
    snapshot: str | None = None
    """Snapshot that it is about."""
    actions: tuple[ActionName, ...] = ()
    """Actions that it opens when it takes effect."""
    approvals: tuple[Name, ...] = ()
    """Approvals of the policy that it gives."""
    document: DigestText
    """Digest of the decision as data, which the store holds."""


class DecisionReviewed(Record):
    """Somebody gave a review of a decision."""

    decision: Name
    """Decision."""
    document: DigestText
    """Version of the decision that was reviewed."""
    verdict: Literal["supports", "opposes", "comments"]
    """What the reviewer thinks."""
    text: Text
    """In words."""


class DecisionRecused(Record):
    """Somebody stepped back from a decision: they no longer sign or review it."""

    decision: Name
    """Decision."""
    reason: Text
    """Why."""


class DecisionDissented(Record):
    """Somebody disagreed. The words stay, whatever is decided."""

    decision: Name
    """Decision."""
    document: DigestText
    """Version of the decision."""
    text: Text
    """Their words, verbatim."""


class DecisionSigned(Record):
    """Somebody signed a decision in a role."""

    decision: Name
    """Decision."""
    document: DigestText
    """Version of the decision that was signed; with the entry's `over`, what the signer saw."""
    role: Name
    """Role in which they signed."""


class DecisionMoved(Record):
    """A decision came into another state."""

    decision: Name
    """Decision."""
    to: Literal["in_review", "effective", "superseded", "expired", "revoked"]
    """The state."""
    reason: Text | None = None
    """Why."""
    by_decision: Name | None = None
    """The decision that takes its place."""


class DecisionReaffirmed(Record):
    """A decision was put anew over what it rests on by now; it needs its signatures again."""

    decision: Name
    """Decision."""
    was: DigestText
    """Version before."""
    document: DigestText
    """Version now."""
    reason: Text
    """What changed."""


class WaiverRecorded(Record):
    """An interim measure, waiver or deviation was put for signature, as part of a decision."""

    waiver: Name
    """Its id."""
    kind: Literal["interim_measure", "waiver", "deviation"]
    """What it is: another measure of the same assurance, a requirement set aside, a departure that is stated."""
    decision: Name
    """Decision whose signatures it needs."""
    requirements: tuple[Name, ...]
    """Requirements of the policy that it is about."""
    actions: tuple[ActionName, ...] = ()
    """Actions for which it holds."""
    model: str
    """Model for which it holds."""
    snapshot: str | None = None
    """Snapshot that it names; it holds for the one that its decision is about."""
    until: date
    """Last day on which it counts."""
    is_public: bool = False
    """True if it is published."""
    reason: Text
    """Why."""


class Sealed(Record):
    """A reference to content outside the log: a salted digest, so that nobody can guess the content from it."""

    digest: DigestText
    """``SHA-256(salt || content)``, with a salt of 32 bytes that is kept, and erased, with the content."""
    retain_until: date | None = None
    """Last day of its retention; none means that no rule limits it."""


class NoncomplianceOpened(Record):
    """A report of noncompliance came in."""

    case: Name
    """Its id."""
    is_anonymous: bool
    """True if the reporter is not named to anybody."""
    reporter_key: PublicKey | None = None
    """Public half of the case key, which the reporter keeps."""
    content: Sealed
    """The report, encrypted to those who may read it."""
    managers: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Who may read it and handles it."""
    route: Name
    """Role or body that it went to."""
    category: Literal["evaluation", "safeguards", "security", "governance", "reporting", "retaliation", "other"] = (
        "other"
    )
    """What kind of commitment is said to be broken."""


class NoncomplianceNoted(Record):
    """A message or note was added to a case."""

    case: Name
    """Case."""
    direction: Literal["from_reporter", "to_reporter", "internal"]
    """Who writes to whom."""
    content: Sealed
    """The message, encrypted to those who may read it."""
    proof: str | None = None
    """The reporter's signature with the case key, in base64, over the content's digest and the case."""


class NoncomplianceMoved(Record):
    """A case came into another state, or to other managers."""

    case: Name
    """Case."""
    to: Literal["received", "triaged", "investigating", "substantiated", "corrective_action", "appealed"]
    """The state."""
    managers: tuple[Name, ...] = ()
    """Who handles it from now on; empty means as before."""
    is_material: bool = False
    """True if it is materially unsafe, so that the board hears at once."""


class NoncomplianceClosed(Record):
    """A case was closed."""

    case: Name
    """Case."""
    outcome: Literal["substantiated", "partly_substantiated", "unsubstantiated", "withdrawn", "out_of_scope"]
    """The outcome."""
    corrected: bool = False
    """True if what was wrong has been put right."""


class RetaliationRecorded(Record):
    """Retaliation was reported, or the report was moved."""

    report: Name
    """Its id."""
    case: Name | None = None
    """Case that it is about."""
    state: Literal["reported", "investigating", "found", "not_found", "remedied"]
    """The state."""
    content: Sealed | None = None
    """What was said, encrypted to those who may read it."""
    managers: tuple[Name, ...] = ()
    """Who handles it; empty means as before, or those who handle the case."""


class KeyAdded(Record):
    """A key began to speak for a person in their roles."""

    person: Name
    """Person."""
    roles: tuple[Name, ...] = ()
    """Roles that the person holds."""
    public_key: PublicKey
    """The key."""
    proof: str
    """Signature of the new key over its own addition, in base64: whoever adds it has it."""


class KeyRotated(Record):
    """A key took the place of an older one of the same person."""

    person: Name
    """Person."""
    old: Fingerprint
    """The key that stops."""
    public_key: PublicKey
    """The key that begins."""
    proof: str
    """Signature of the new key over its own addition, in base64."""


class KeyRevoked(Record):
    """A key stopped speaking for its person."""

    key: Fingerprint
    """The key."""
    reason: Literal["lost", "stolen", "left", "role_changed", "replaced"]
    """Why. What a stolen key signed from `since` on has no effect."""
    since: Instant | None = None
    """From when its signatures have no effect; none means from this entry on."""


class SealedErased(Record):
    """Content outside the log was erased."""

    digest: DigestText
    """Its salted digest, which stays."""
    ground: Text
    """Why it was erased."""


class HoldPlaced(Record):
    """A legal hold forbids erasing."""

    hold: Name
    """Its id."""
    digests: tuple[DigestText, ...] = ()
    """Salted digests that it covers; empty means everything."""
    reason: Text
    """Why."""


class HoldLifted(Record):
    """A legal hold ended."""

    hold: Name
    """Its id."""
    reason: Text
    """Why."""


class EventRecorded(Record):
    """Something that starts or meets a duty: staff were trained, a drill was held, a report was sent."""

    kind: Annotated[str, StringConstraints(pattern=r"^[a-z][A-Za-z0-9_.:+@/#-]{0,119}$")]
    """What happened, in the words of the rules: ``training.held``, ``done:<rule id>`` ..."""
    on: date
    """Day; an entry is made after it, or before it for what is planned."""
    is_planned: bool = False
    """True if it lies ahead, such as a placement on the market."""
    subject: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """What it is about."""
    amount: str | None = None
    """A quantity that it carries, as a decimal number."""
    covers: date | None = None
    """For a report: the day up to which it covers what is known."""
    facts: tuple[str, ...] = ()
    """What is so of it."""
    document: DigestText | None = None
    """Digest of what shows it, such as a certificate, which the store holds."""
    note: Text | None = None
    """In words."""
    takes_back: Name | None = None
    """Id of an earlier entry that this one takes back, or corrects."""


class ObligationWaived(Record):
    """Somebody signed that a duty is set aside. It counts once all have signed the same whom the policy names."""

    rule: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    """Rule."""
    subject: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """About what; none means whatever it is about."""
    due: date | None = None
    """The date that is waived; none means all up to `until`."""
    until: date
    """Last day on which it counts."""
    reason: Text
    """Why."""
    role: Name
    """Role in which it is signed."""
    is_public: bool = True
    """True if it is published."""


class IncidentOpened(Record):
    """An incident was put on record. What is known of it stands outside the log, under a salted digest."""

    incident: Name
    """Its id."""
    content: Sealed
    """What was known."""


class IncidentUpdated(Record):
    """Something about an incident was added or corrected."""

    incident: Name
    """Incident."""
    content: Sealed
    """What was added or corrected."""


class IncidentNoticed(Record):
    """A notice of an incident was sent."""

    incident: Name
    """Incident."""
    content: Sealed
    """The notice, to whom it went, and when."""


class IncidentClosed(Record):
    """An incident was closed, or opened again."""

    incident: Name
    """Incident."""
    is_reopened: bool = False
    """True if it is opened again."""
    content: Sealed
    """Why, and what was learned."""

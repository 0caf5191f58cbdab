# SPDX-License-Identifier: Apache-2.0
"""What the ledger holds: entries of a closed list of kinds, each a typed, versioned record in canonical JSON.

An entry says who did what, when, and over which digests. Kinds that bind people carry the actor's signature over
an in-toto Statement that is derived from the entry itself, so that signature and entry cannot disagree.
Large content (reports, cases, policies, evidence) stays outside, named by its digest. Personal and confidential
content stays outside too, named by a salted digest, so that it can be erased while the log stays valid.
"""

import base64
import json
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import Field, StringConstraints, ValidationError, model_validator

from tidegate.kernel.canonical import canonical_bytes, digest
from tidegate.kernel.clock import Instant
from tidegate.kernel.errors import LedgerError, Problem, Where
from tidegate.kernel.record import Record
from tidegate.ledger.acts import (
    CaseRecorded,
    CaseReviewed,
    CriticismAnswered,
    DecisionDissented,
    DecisionMoved,
    DecisionProposed,
    DecisionReaffirmed,
    DecisionRecused,
    DecisionReviewed,
    DecisionSigned,
    DigestText,
    EventRecorded,
    EvidenceImported,
    EvidenceRestated,
    EvidenceRetracted,
    HoldLifted,
    HoldPlaced,
    IncidentClosed,
    IncidentNoticed,
    IncidentOpened,
    IncidentUpdated,
    KeyAdded,
    KeyRevoked,
    KeyRotated,
    LedgerOpened,
    ModelRecorded,
    Name,
    NoncomplianceClosed,
    NoncomplianceMoved,
    NoncomplianceNoted,
    NoncomplianceOpened,
    ObligationWaived,
    PolicyAdopted,
    ReportCriticised,
    ReportFinalised,
    RetaliationRecorded,
    SealedErased,
    WaiverRecorded,
)

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENTRY_BYTES = 65_535
"""Entry bundles of tiled logs give an entry's length in two bytes (C2SP tlog-tiles)."""


class KindOf(NamedTuple):
    """What is true of every entry of a kind."""

    body: type[Record]
    """Record of its body."""
    is_signed: bool
    """True if it has no effect without the actor's signature."""
    meaning: str
    """What it records, in words."""


KINDS: dict[str, KindOf] = {
    "ledger.opened": KindOf(LedgerOpened, False, "The log begins."),
    "evidence.imported": KindOf(EvidenceImported, False, "Evidence was taken in."),
    "evidence.restated": KindOf(EvidenceRestated, False, "A record was replaced by another, with its reason."),
    "evidence.retracted": KindOf(EvidenceRetracted, False, "A record was taken back, with its reason."),
    "policy.adopted": KindOf(PolicyAdopted, False, "A policy was adopted or amended, or its rules were locked."),
    "model.recorded": KindOf(ModelRecorded, False, "A model, with its snapshots, stands in the project as said."),
    "report.finalised": KindOf(ReportFinalised, True, "A capability or safeguards report became final."),
    "report.criticised": KindOf(ReportCriticised, True, "An independent critique was attached to a report."),
    "report.answered": KindOf(CriticismAnswered, True, "A point of a critique was answered."),
    "case.recorded": KindOf(CaseRecorded, False, "A version of a safety case was recorded."),
    "case.reviewed": KindOf(
        CaseReviewed, True, "Parts of a safety case were reviewed by somebody else than their author."
    ),
    "decision.proposed": KindOf(DecisionProposed, True, "A decision was put to those who have to sign it."),
    "decision.reviewed": KindOf(DecisionReviewed, True, "Somebody gave a review of a decision."),
    "decision.recused": KindOf(DecisionRecused, True, "Somebody stepped back from a decision."),
    "decision.dissented": KindOf(DecisionDissented, True, "Somebody disagreed, in their own words, which are kept."),
    "decision.signed": KindOf(DecisionSigned, True, "Somebody signed a decision in a role, over what they saw."),
    "decision.moved": KindOf(DecisionMoved, True, "A decision came into another state."),
    "decision.reaffirmed": KindOf(DecisionReaffirmed, True, "A decision was put anew, over what it rests on by now."),
    "waiver.recorded": KindOf(WaiverRecorded, True, "An interim measure, waiver or deviation was put for signature."),
    "noncompliance.opened": KindOf(NoncomplianceOpened, False, "A report of noncompliance came in."),
    "noncompliance.noted": KindOf(NoncomplianceNoted, False, "A message or note was added to a case."),
    "noncompliance.moved": KindOf(NoncomplianceMoved, True, "A case came into another state, or to other managers."),
    "noncompliance.closed": KindOf(NoncomplianceClosed, True, "A case was closed, with its outcome."),
    "noncompliance.retaliation": KindOf(
        RetaliationRecorded, False, "Retaliation was reported, or the report was moved."
    ),
    "event.recorded": KindOf(EventRecorded, True, "Something happened, or is planned, that duties are counted from."),
    "obligation.waived": KindOf(ObligationWaived, True, "Somebody signed that a duty is set aside."),
    "incident.opened": KindOf(IncidentOpened, True, "An incident was put on record."),
    "incident.updated": KindOf(IncidentUpdated, True, "Something about an incident was added or corrected."),
    "incident.noticed": KindOf(IncidentNoticed, True, "A notice of an incident was sent."),
    "incident.closed": KindOf(IncidentClosed, True, "An incident was closed, or opened again."),
    "key.added": KindOf(KeyAdded, True, "A key began to speak for a person in their roles."),
    "key.rotated": KindOf(KeyRotated, True, "A key took the place of an older one of the same person."),
    "key.revoked": KindOf(KeyRevoked, True, "A key stopped speaking for its person."),
    "sealed.erased": KindOf(SealedErased, True, "Content outside the log was erased; its salted digest stays."),
    "hold.placed": KindOf(HoldPlaced, True, "A legal hold forbids erasing."),
    "hold.lifted": KindOf(HoldLifted, True, "A legal hold ended."),
}
"""The closed list of kinds: ``subject.action``. The reference page of kinds is generated from this."""


class Signed(Record):
    """Something that is signed over: a name and the digest of its content."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9:._@/+-]{0,119}$")]
    """What it is: ``decision``, ``policy``, ``evidence``, ``assessment``, ``report:capability``, ``case`` ..."""
    digest: DigestText
    """Digest of its content, ``sha256:<hex>``."""


class Signature(Record):
    """A signature over an entry's statement."""

    key: Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
    """Fingerprint of the key, as OpenSSH shows it."""
    value: Annotated[str, StringConstraints(min_length=80, max_length=400)]
    """The signature in base64: 64 bytes of Ed25519, or an OpenSSH signature blob of a hardware token."""


class Entry(Record):
    """One act, as it stands in the log."""

    schema_: Literal["tidegate/entry/v1"] = Field(alias="schema", default="tidegate/entry/v1")
    """Names this format."""
    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    """Random and unique: the log takes an id once, so that a repeated attempt adds nothing."""
    kind: str
    """Kind of act: one of the closed list."""
    acted_at: Instant
    """When, as the actor says; the order is that of the log."""
    by: Name | None = None
    """Person who acted; none if nobody is named."""
    log: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """Origin of the log that it was made for: in any other it has no effect."""
    over: tuple[Signed, ...] = ()
    """What the act is about, by digest: what a signer saw."""
    body: dict[str, Any]
    """The act itself; its fields depend on the kind."""
    signature: Signature | None = None
    """The actor's signature, where the kind asks for one."""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Entry":
        if self.kind not in KINDS:
            raise ValueError(f"there is no kind of entry {self.kind!r}")
        known = KINDS[self.kind].body.model_validate(self.body)
        plain = known.model_dump(mode="json", exclude_defaults=True)
        if plain != self.body:
            raise ValueError(f"the body of {self.kind} is not in canonical form: leave defaults out")
        return self

    @property
    def act(self) -> Record:
        """The body as its record."""
        return KINDS[self.kind].body.model_validate(self.body)

    @property
    def data(self) -> bytes:
        """The canonical bytes: what the log's leaf holds."""
        return canonical_bytes(self)


def new_entry(  # noqa: PLR0913 - what an entry is made of
    kind: str,
    body: Record,
    *,
    entry_id: str,
    acted_at: Instant,
    by: str | None = None,
    log: str | None = None,
    over: tuple[Signed, ...] = (),
) -> Entry:
    """Give an entry that is not signed yet.

    Raises:
        LedgerError: LED004, it is larger than an entry may be.
    """
    plain = body.model_dump(mode="json", exclude_defaults=True)
    made = Entry(id=entry_id, kind=kind, acted_at=acted_at, by=by, log=log, over=over, body=plain)
    # Room for the signature.
    if len(made.data) > MAX_ENTRY_BYTES - 600:
        hint = "shorten the text, or attach it as a document"
        raise LedgerError(
            Problem("LED004", f"{len(made.data):,} bytes; an entry holds {MAX_ENTRY_BYTES:,}", None, hint)
        )
    return made


def read_entry(data: bytes, index: int | None = None) -> Entry:
    """Give the entry that canonical bytes stand for.

    Raises:
        LedgerError: LED001, they are no entry, or not in canonical form.
    """
    where = Where("ledger" if index is None else f"ledger entry {index}")
    if len(data) > MAX_ENTRY_BYTES:
        raise LedgerError(Problem("LED001", f"{len(data):,} bytes; an entry holds {MAX_ENTRY_BYTES:,}", where))
    try:
        entry = Entry.model_validate(json.loads(data))
        # Some numbers and texts that JSON can write have no canonical form.
        is_canonical = entry.data == data
    except (ValidationError, ValueError, RecursionError) as error:
        lines = str(error).splitlines()
        raise LedgerError(Problem("LED001", f"not an entry: {lines[0] if lines else error}", where)) from None
    if not is_canonical:
        raise LedgerError(
            Problem("LED001", "not in canonical form", where, "the bytes were changed after they were written")
        )
    return entry


A = TypeVar("A", bound=Record)


def act_of(entry: Entry, kind: type[A]) -> A:
    """Give the body of an entry as the record of its kind.

    Raises:
        LedgerError: LED001, it is another one, or none.
    """
    try:
        found = entry.act
    except ValidationError:
        found = None
    if not isinstance(found, kind):
        raise LedgerError(Problem("LED001", f"{entry.kind}: the body is not in canonical form"))
    return found


def predicate_type(kind: str) -> str:
    """Give the URI of the predicate of a kind: ``urn:tidegate:predicate:decision.signed:v1``."""
    return f"urn:tidegate:predicate:{kind}:v1"


def statement(entry: Entry) -> dict[str, Any]:
    """Give the in-toto Statement v1 that the actor signs.

    Its subjects are what the act is about; where it names nothing, its own body is the subject.
    """
    over = entry.over or (Signed(name="act", digest=digest(entry.body)),)
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": one.name, "digest": {"sha256": one.digest.removeprefix("sha256:")}} for one in over],
        "predicateType": predicate_type(entry.kind),
        "predicate": {
            "entry": entry.id,
            "log": entry.log,
            "actedAt": entry.acted_at,
            "by": entry.by,
            "act": entry.body,
        },
    }


def signed_bytes(entry: Entry) -> bytes:
    """Give the DSSE pre-authentication encoding of an entry's statement: the bytes under the signature."""
    payload = canonical_bytes(statement(entry))
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope(entry: Entry) -> dict[str, Any]:
    """Give the DSSE envelope of a signed entry, for tools that know DSSE and in-toto.

    Raises:
        LedgerError: LED005, the entry is not signed.
    """
    if entry.signature is None:
        raise LedgerError(Problem("LED005", f"the entry {entry.id} carries no signature"))
    return {
        "payload": base64.b64encode(canonical_bytes(statement(entry))).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [{"keyid": entry.signature.key, "sig": entry.signature.value}],
    }

# SPDX-License-Identifier: Apache-2.0
"""Keys from fixed seeds, and a small log whose entries are signed: what tests of who decided what build on."""

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from factories import a_policy, a_requirement, a_threshold
from tidegate.evidence.models import Model, Snapshot
from tidegate.govern.decisions import Decision, Measure, Seen, SeenReport, needs_for, signed_over
from tidegate.govern.governance import Governance, governance
from tidegate.kernel.canonical import canonical_bytes, digest_bytes
from tidegate.ledger.acts import (
    DecisionDissented,
    DecisionMoved,
    DecisionProposed,
    DecisionReaffirmed,
    DecisionRecused,
    DecisionReviewed,
    DecisionSigned,
    KeyAdded,
    KeyRevoked,
    LedgerOpened,
    ReportFinalised,
)
from tidegate.ledger.entries import Entry, Signature, Signed, new_entry, signed_bytes
from tidegate.ledger.signing import proof_bytes
from tidegate.policy.model import Approval, Policy, Role

ROLES = {
    "ada": ("safety-lead",),
    "ben": ("ceo",),
    "cleo": ("board-member",),
    "dan": ("external-reviewer",),
    "kim": ("keeper",),
}
"""People of a small organisation; `kim` keeps the log."""


def an_entry_id(number: int | str) -> str:
    return hashlib.sha256(f"entry {number}".encode()).hexdigest()[:32]


def a_digest(of: str = "") -> str:
    return digest_bytes(of.encode())


@dataclass(frozen=True)
class FixedKey:
    """An Ed25519 key from a seed, in the form of a signer."""

    seed: str

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"key of {self.seed}".encode()).digest())

    @property
    def _blob(self) -> bytes:
        raw = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return b"".join(len(part).to_bytes(4, "big") + part for part in (b"ssh-ed25519", raw))

    @property
    def public_key(self) -> str:
        return f"ssh-ed25519 {base64.b64encode(self._blob).decode()}"

    @property
    def fingerprint(self) -> str:
        return f"SHA256:{base64.b64encode(hashlib.sha256(self._blob).digest()).decode().rstrip('=')}"

    def sign(self, data: bytes) -> str:
        return base64.b64encode(self._private.sign(data)).decode()


def signed_by(entry: Entry, key: FixedKey) -> Entry:
    """Give the entry with a signature of the key; the entry's own fields stay."""
    return entry.model_copy(update={"signature": Signature(key=key.fingerprint, value=key.sign(signed_bytes(entry)))})


@dataclass
class Log:
    """A log under construction: every method adds one entry and gives its index."""

    entries: list[Entry] = field(default_factory=list)
    contents: dict[str, bytes] = field(default_factory=dict)
    now: str = "2026-05-01T12:00:00Z"

    @property
    def logged(self) -> list[tuple[int, Entry]]:
        return list(enumerate(self.entries))

    def keep(self, value: Any) -> str:
        """Keep a record, or bytes, as a document and give its digest."""
        data = value if isinstance(value, bytes) else canonical_bytes(value)
        self.contents[digest_bytes(data)] = data
        return digest_bytes(data)

    def add(
        self,
        kind: str,
        body: Any,
        by: str | None = None,
        *,
        key: FixedKey | None = None,
        over: tuple[Signed, ...] = (),
        at: str | None = None,
        name: str | None = None,
    ) -> int:
        """Add an entry, signed by the key of whoever acts (or by another)."""
        entry_id = an_entry_id(name or len(self.entries))
        made = new_entry(kind, body, entry_id=entry_id, acted_at=at or self.now, by=by, over=over)
        signer = key or (FixedKey(by) if by else None)
        return self.put(signed_by(made, signer) if signer else made)

    def put(self, entry: Entry) -> int:
        """Add an entry as it is."""
        self.entries.append(entry)
        return len(self.entries) - 1

    def key(self, person: str, *roles: str, by: str = "kim", key: FixedKey | None = None, **more: Any) -> int:
        """Add a key of a person."""
        made = key or FixedKey(person)
        held = tuple(sorted(roles or ROLES.get(person, ())))
        proof = made.sign(proof_bytes(person, held, made.public_key))
        body = KeyAdded(person=person, roles=held, public_key=made.public_key, proof=proof)
        return self.add("key.added", body, by, **more)

    def revoke(self, person: str, reason: Any = "lost", *, by: str = "kim", **changes: Any) -> int:
        """Revoke the key of a person."""
        return self.add("key.revoked", KeyRevoked(key=FixedKey(person).fingerprint, reason=reason, **changes), by)

    def report(self, name: str = "cap-1", kind: Any = "capability", *, by: str = "ada", **changes: Any) -> str:
        """Add a final report and give the digest of its document."""
        document = self.keep(changes.pop("data", f"report {name}".encode()))
        given = {"model": "m", "snapshot": "s1", **changes}
        self.add("report.finalised", ReportFinalised(report=name, kind=kind, document=document, **given), by)
        return document

    def propose(self, document: Any, *, by: str | None = None, **more: Any) -> str:
        """Put a decision and give the digest of its document."""
        digest = self.keep(document)
        body = DecisionProposed(
            decision=document.id,
            model=document.model,
            snapshot=document.snapshot,
            actions=document.actions,
            approvals=tuple(one.approval for one in document.needs),
            document=digest,
        )
        self.add("decision.proposed", body, by or document.proposed_by, **more)
        return digest

    def review(self, document: Any, by: str = "dan", verdict: Any = "supports", **more: Any) -> int:
        """Review the decision."""
        body = DecisionReviewed(decision=document.id, document=self.keep(document), verdict=verdict, text="It holds.")
        return self.add("decision.reviewed", body, by, **more)

    def sign(self, document: Any, by: str, role: str | None = None, **more: Any) -> int:
        """Sign the decision, over exactly what it rests on unless said otherwise."""
        body = DecisionSigned(decision=document.id, document=self.keep(document), role=role or ROLES[by][0])
        return self.add("decision.signed", body, by, **{"over": signed_over(document), **more})

    def recuse(self, decision: str, by: str, **more: Any) -> int:
        """Step back from the decision."""
        return self.add("decision.recused", DecisionRecused(decision=decision, reason="A friend asks."), by, **more)

    def dissent(self, document: Any, by: str, text: str = "I disagree.", **more: Any) -> int:
        """Disagree with the decision."""
        body = DecisionDissented(decision=document.id, document=self.keep(document), text=text)
        return self.add("decision.dissented", body, by, **more)

    def reaffirm(self, was: Any, document: Any, *, by: str | None = None, **more: Any) -> int:
        """Put the decision anew."""
        body = DecisionReaffirmed(
            decision=was.id, was=was.digest, document=self.keep(document), reason="The evidence changed."
        )
        return self.add("decision.reaffirmed", body, by or document.proposed_by, **more)

    def move(self, decision: str, to: Any, by: str = "ada", *, reason: str | None = None, **more: Any) -> int:
        """Move the decision."""
        given = {name: more.pop(name) for name in ("by_decision",) if name in more}
        return self.add("decision.moved", DecisionMoved(decision=decision, to=to, reason=reason, **given), by, **more)


def a_log(*people: str, origin: str = "log.example/test") -> Log:
    """Give a log that has begun, with the keys of people (everybody in `ROLES`, if none are named)."""
    log = Log()
    log.add("ledger.opened", LedgerOpened(origin=origin, organisation="Test"))
    log.key("kim")
    for person in people or [name for name in ROLES if name != "kim"]:
        if person != "kim":
            log.key(person)
    return log


DAY = date(2026, 5, 1)
"""The day on which everything in the log happens, unless said otherwise."""
LATER = date(2026, 6, 1)


def a_role(name: str, **changes: Any) -> Role:
    return Role(id=name, **changes)


def an_approval(name: str = "approve-capability-report", **changes: Any) -> Approval:
    given = {
        "act": "capability_report",
        "force": "must",
        "signers": ("safety-lead", "ceo", "board-member"),
        "quorum": 2,
        "before": ("limited", "general"),
    }
    return Approval(id=name, **{**given, **changes})


def a_governed_policy(**changes: Any) -> Policy:
    """Give a policy under which two of three sign a capability report, and interim measures."""
    halt = a_requirement("T1-halt", kind="halt", target=None, actions=("open_weights",))
    given = {
        "roles": (
            a_role("safety-lead", not_same_as=("ceo",)),
            a_role("ceo"),
            a_role("board-member", not_same_as=("ceo", "safety-lead")),
        ),
        "approvals": (
            an_approval(),
            an_approval("approve-interim-measures", act="interim_measure", before=()),
            an_approval("approve-deviations", act="deviation", before=(), signers=("ceo",), quorum=None),
        ),
    }
    return a_policy(a_threshold(requirements=(a_requirement(), halt)), **{**given, **changes})


POLICY = a_governed_policy()
REPORT = b"report cap-1"
MODEL = Model(id="m", snapshots=(Snapshot(id="s1"),))


def a_seen(**changes: Any) -> Seen:
    given = {
        "policy": POLICY.label,
        "policy_digest": POLICY.digest,
        "evidence_digest": a_digest("evidence"),
        "model_digest": a_digest("model"),
        "snapshot": "s1",
        "assessment_digest": a_digest("assessment"),
        "findings_digest": a_digest("findings"),
        "at": DAY,
        "reports": (SeenReport(kind="capability", report="cap-1", document=digest_bytes(REPORT)),),
    }
    return Seen.model_validate({**given, **changes})


def a_measure(**changes: Any) -> Measure:
    given = {
        "id": "im-1",
        "kind": "interim_measure",
        "requirements": ("T1-deploy",),
        "actions": ("limited",),
        "until": LATER,
        "reason": "A stricter monitor stands in for the filter.",
    }
    return Measure.model_validate({**given, **changes})


def a_decision(name: str = "d-1", *, policy: Policy = POLICY, **changes: Any) -> Decision:
    measures = changes.get("measures", ())
    actions = changes.get("actions", ("limited",))
    given = {
        "id": name,
        "question": "May m be offered to a few users?",
        "options": ("yes", "no"),
        "choice": "yes",
        "opens": True,
        "model": "m",
        "snapshot": "s1",
        "actions": actions,
        "needs": needs_for(policy, actions, {one.kind for one in measures}),
        "seen": a_seen(),
        "expires": date(2026, 12, 31),
        "proposed_by": "ada",
        "proposed_at": "2026-05-01T12:00:00Z",
    }
    return Decision.model_validate({**given, **changes})


def through(log: Log, document: Decision, to: str = "effective", signers: tuple[str, ...] = ("ada", "ben")) -> Log:
    """Take a decision through the log up to a state: report, proposal, review, signatures, moves."""
    reports = {entry.body["report"] for entry in log.entries if entry.kind == "report.finalised"}
    if document.seen.reports and "cap-1" not in reports:
        log.report()
    log.propose(document)
    if to == "proposed":
        return log
    log.move(document.id, "in_review")
    if to == "in_review":
        return log
    log.review(document)
    for signer in signers:
        log.sign(document, signer)
    log.move(document.id, "effective")
    return log


def read(log: Log, **more: Any) -> Governance:
    """Give who decided what, from a log under construction."""
    return governance(log.logged, log.contents.get, **more)


def reasons(found: Governance) -> list[str]:
    """Give why entries have no effect."""
    return [one.reason for one in found.voids]

# SPDX-License-Identifier: Apache-2.0
"""What an outsider checks in a bundle, with nothing but the bundle and the keys that they trust.

Every check is made, and each gives one line. A bundle is good only if every check holds.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError

from tidegate.assess.governed import Governed
from tidegate.assess.model import Assessment
from tidegate.evidence.model import EvidenceSet
from tidegate.evidence.models import Model
from tidegate.evidence.redaction import withheld_in
from tidegate.govern.argument import case_faults
from tidegate.govern.basis import Basis, seen_by
from tidegate.govern.gatekeeping import governed
from tidegate.govern.governance import Governance, governance
from tidegate.govern.people import Person, PersonId
from tidegate.kernel.canonical import canonical_bytes, digest_bytes
from tidegate.kernel.clock import day_of
from tidegate.kernel.documents import Document, parse_document, validate_part
from tidegate.kernel.errors import BundleError, Problem, TidegateError
from tidegate.kernel.record import Record
from tidegate.ledger.acts import KeyAdded, KeyRotated, PolicyAdopted, PublicKey
from tidegate.ledger.entries import Entry, read_entry
from tidegate.ledger.merkle import leaf_hash, root_of
from tidegate.ledger.notes import VerifiedCheckpoint, VerifierKey, parse_vkey, verify_checkpoint
from tidegate.ledger.proofs import read_proof, verify_proof
from tidegate.policy.model import Id, Policy
from tidegate.publish.bundle import MANIFEST, Manifest, check_parts, document_name, entry_name, proof_name, unpack

CHECKPOINT = "checkpoint"
R = TypeVar("R", bound=Record)


class TrustedLog(Record):
    """A log that is trusted."""

    origin: str
    """Its origin."""
    key: str
    """Verifier key of its checkpoints."""


class TrustedPerson(Record):
    """A person whose keys are trusted, in these roles."""

    person: PersonId
    """Person."""
    roles: tuple[Id, ...] = ()
    """Roles that they hold."""
    keys: Annotated[tuple[PublicKey, ...], Field(min_length=1)]
    """Their public keys, as OpenSSH writes them."""


class Trust(Record):
    """Whom an outsider trusts. It is obtained elsewhere than the bundle, or it proves nothing."""

    schema_: Annotated[Literal["tidegate/trust/v1"], Field(alias="schema")] = "tidegate/trust/v1"
    """Names this format."""
    log: TrustedLog
    """The log."""
    witnesses: tuple[str, ...] = ()
    """Verifier keys of witnesses."""
    witness_quorum: Annotated[int, Field(ge=0)] = 0
    """How many witnesses have to have cosigned."""
    people: Annotated[tuple[TrustedPerson, ...], Field(min_length=1)]
    """People."""


def read_trust(text: bytes, name: str) -> Trust:
    """Give the keys that a file says are trusted.

    Raises:
        DocumentError: it is not of this form; BundleError: BUN004, a verifier key in it is malformed, or the quorum
            is more than the witnesses.
    """
    document = parse_document(text, name)
    trust = validate_part(document, Trust)
    _check_keys(trust, document)
    return trust


def _check_keys(trust: Trust, document: Document) -> None:
    if trust.witness_quorum > len(trust.witnesses):
        message = f"a quorum of {trust.witness_quorum} of {len(trust.witnesses)} witnesses cannot be met"
        raise BundleError(Problem("BUN004", message, document.where(("witness_quorum",))))
    keys: list[tuple[tuple[str | int, ...], str]] = [(("log", "key"), trust.log.key)]
    keys += [(("witnesses", number), one) for number, one in enumerate(trust.witnesses)]
    for path, key in keys:
        try:
            parse_vkey(key)
        except TidegateError as error:
            raise BundleError(Problem("BUN004", error.problems[0].message, document.where(path))) from None


class Check(Record):
    """One check of a bundle."""

    name: str
    """What was checked."""
    holds: bool
    """True if it holds."""
    detail: str
    """What was found, or what is wrong."""


@dataclass(frozen=True)
class Verified:
    """What came of checking a bundle."""

    checks: tuple[Check, ...]
    manifest: Manifest | None = None
    assessment: Assessment | None = None
    """The verdict as recomputed from the bundle; none if it could not be."""

    @property
    def holds(self) -> bool:
        """True only if every check was made and holds."""
        return len(self.checks) == len(CHECKS) and all(check.holds for check in self.checks)


@dataclass
class _Work:
    """What is known of a bundle so far; each check adds to it."""

    data: bytes
    trust: Trust
    name: str
    parts: Mapping[str, bytes] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)


class _Failed(Exception):  # noqa: N818 - a check that does not hold
    """A check does not hold."""


def _part(work: _Work, name: str) -> bytes:
    if name not in work.parts:
        raise _Failed(f"{name} is missing")
    return work.parts[name]


def _record(work: _Work, name: str, kind: type[R]) -> R:
    data = _part(work, name)
    try:
        found = kind.model_validate(json.loads(data))
    except (ValidationError, ValueError, RecursionError) as error:
        raise _Failed(f"{name}: {str(error).splitlines()[0]}") from None
    if canonical_bytes(found) != data:
        raise _Failed(f"{name} is not in canonical form")
    return found


def _archive(work: _Work) -> str:
    work.parts = unpack(work.data, work.name)
    manifest = _record(work, MANIFEST, Manifest)
    work.values["manifest"] = manifest
    problems = check_parts(manifest, work.parts)
    if problems:
        raise _Failed("; ".join(problem.message for problem in problems[:5]))
    return f"{len(manifest.parts)} parts, each what its digest says"


def _contents(work: _Work) -> str:
    try:
        models = tuple(Model.model_validate(one) for one in json.loads(_part(work, "models.json")))
    except (ValidationError, ValueError, RecursionError, TypeError) as error:
        raise _Failed(f"models.json: {str(error).splitlines()[0]}") from None
    if canonical_bytes(models) != work.parts["models.json"]:
        raise _Failed("models.json is not in canonical form")
    basis = Basis(_record(work, "policy.json", Policy), models, _record(work, "evidence.json", EvidenceSet))
    work.values |= {"basis": basis, "assessment": _record(work, "assessment.json", Assessment)}
    for name in work.parts:
        if name.startswith("documents/") and document_name(digest_bytes(work.parts[name])) != name:
            raise _Failed(f"{name} is not what its name says")
    records, named = _counted(len(basis.evidence.records), "evidence record"), _counted(len(models), "model")
    return f"policy {basis.policy.label}, {records}, {named}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _checkpoint(work: _Work) -> str:
    manifest: Manifest = work.values["manifest"]
    log, witnesses = _keys(work.trust)
    note = _part(work, CHECKPOINT).decode("utf-8", errors="replace")
    verified = verify_checkpoint(note, log, witnesses)
    work.values["checkpoint"] = verified
    found = verified.checkpoint
    if found.origin != work.trust.log.origin or (manifest.log.origin, manifest.log.size) != (found.origin, found.size):
        raise _Failed(f"the log checkpoint is of {found.origin} with {found.size} entries; the bundle says otherwise")
    return f"{found.origin}, {found.size} entries, signed by the log's key"


def _witnesses(work: _Work) -> str:
    verified: VerifiedCheckpoint = work.values["checkpoint"]
    names = sorted({name for name, _ in verified.cosignatures})
    if len(names) < work.trust.witness_quorum:
        raise _Failed(f"{len(names)} of {work.trust.witness_quorum} witnesses cosigned: {', '.join(names) or 'none'}")
    return (
        f"cosigned by {', '.join(names)}" if names else "none asked for: nobody outside the house vouches for the log"
    )


def _keys(trust: Trust) -> tuple[VerifierKey, list[VerifierKey]]:
    return parse_vkey(trust.log.key), [parse_vkey(one) for one in trust.witnesses]


def _inclusion(work: _Work) -> str:
    manifest: Manifest = work.values["manifest"]
    log, witnesses = _keys(work.trust)
    note = _part(work, CHECKPOINT)
    entries: list[tuple[int, Entry]] = []
    names = sorted(name for name in work.parts if name.startswith("entries/"))
    if not names:
        raise _Failed("the bundle shows no entry of the log")
    for name in names:
        digits = name.removeprefix("entries/").removesuffix(".json")
        index = int(digits) if digits.isdecimal() and digits.isascii() else -1
        if index < 0 or entry_name(index) != name:
            raise _Failed(f"{name} is not the name of an entry")
        data = work.parts[name]
        entries.append((index, read_entry(data, index)))
        if manifest.log.is_whole:
            continue
        proof = _part(work, proof_name(index))
        stated = read_proof(proof)
        if stated.note.encode() != note or stated.index != index or stated.extra is not None:
            raise _Failed(f"the proof of entry {index} is of another log checkpoint or entry")
        verify_proof(proof, data, log, witnesses)
    work.values["entries"] = entries
    if manifest.log.is_whole:
        return _whole(work, names, manifest)
    return (
        f"{len(entries)} of {manifest.log.size} entries, each proven to be in the log; "
        "one that was left out, a revocation say, would not be seen: ask for the whole log"
    )


def _whole(work: _Work, names: Sequence[str], manifest: Manifest) -> str:
    root = root_of(leaf_hash(work.parts[name]) for name in names)
    if len(names) != manifest.log.size or root != work.values["checkpoint"].checkpoint.root:
        raise _Failed("the entries are not the whole log that the checkpoint signs")
    return f"all {len(names)} entries: none can have been left out"


def _people(work: _Work) -> str:
    entries: list[tuple[int, Entry]] = work.values["entries"]
    trusted = {one.person: one for one in work.trust.people}
    held: list[tuple[int, Entry]] = []
    left: list[str] = []
    for index, entry in entries:
        act = entry.act if entry.kind in ("key.added", "key.rotated") else None
        if isinstance(act, KeyAdded | KeyRotated) and not _is_trusted(act, trusted.get(act.person)):
            left.append(f"{act.person} (entry {index})")
            continue
        held.append((index, entry))
    people = [Person(id=one.person, roles=one.roles) for one in work.trust.people]
    documents = {f"sha256:{name.removeprefix('documents/')}": data for name, data in work.parts.items()}
    made = governance(held, documents.get, people)
    work.values |= {"governance": made, "documents": documents.get}
    active = made.keyring.active()
    if not active:
        raise _Failed(f"no key in the log is one that you trust; in the log: {', '.join(left) or 'none'}")
    words = f"; keys that you do not trust count for nothing: {', '.join(left)}" if left else ""
    return f"{len(active)} active keys of people you trust{words}"


def _is_trusted(act: KeyAdded | KeyRotated, person: TrustedPerson | None) -> bool:
    roles = act.roles if isinstance(act, KeyAdded) else ()
    return person is not None and act.public_key in person.keys and set(roles) <= set(person.roles)


def _adopted(work: _Work) -> str:
    policy: Policy = work.values["basis"].policy
    adopted = [
        (index, entry.act)
        for index, entry in work.values["entries"]
        if entry.kind == "policy.adopted" and isinstance(entry.act, PolicyAdopted)
    ]
    if not adopted:
        raise _Failed("the bundle shows no entry by which a policy was adopted")
    index, act = adopted[-1]
    if not isinstance(act, PolicyAdopted) or act.policy_digest != policy.digest:
        raise _Failed("the policy in the bundle is not the one that was adopted last")
    return f"{policy.label} was adopted in entry {index}"


def _register(work: _Work) -> str:
    manifest: Manifest = work.values["manifest"]
    found = withheld_in(work.values["basis"].evidence)
    listed = {(one.record, one.field, one.digest) for one in manifest.withheld}
    if found != listed or len(listed) != len(manifest.withheld):
        raise _Failed("what is withheld and what the register of redactions lists are not the same")
    if not listed:
        return "nothing is withheld"
    grounds = ", ".join(sorted({one.ground.replace("_", " ") for one in manifest.withheld}))
    return f"{len(listed)} withheld, each with its ground ({grounds}) and justification"


def _decisions(work: _Work) -> str:
    manifest: Manifest = work.values["manifest"]
    basis: Basis = work.values["basis"]
    made: Governance = work.values["governance"]
    at = day_of(manifest.at)
    faults = case_faults(basis, made, work.values["documents"], at)
    found = governed(made, basis.policy, seen_by(basis), at, (), faults)
    work.values["governed"] = found
    counted = [one for one in found.signoffs if one.missing is None]
    if not counted:
        words = "; ".join(f"{one.decision}: {one.missing}" for one in found.signoffs[:3])
        bound = _bound(made, basis)
        if not bound:
            raise _Failed(f"nobody whom you trust signed over this evidence{f' ({words})' if words else ''}")
        return f"{', '.join(bound)} signed over this evidence, and no decision counts ({words})"
    by: dict[str, set[str]] = {}
    for one in counted:
        by.setdefault(one.decision, set()).update(f"{signer.person} ({signer.role})" for signer in one.signers)
    return "; ".join(f"{name} signed by {', '.join(sorted(people))}" for name, people in sorted(by.items()))


def _bound(made: Governance, basis: Basis) -> list[str]:
    """Give who signed, in a decision of whatever state, over exactly the policy, models and evidence of the bundle."""
    look = seen_by(basis)
    found: set[str] = set()
    for record in made.decisions.values():
        then = record.document.seen
        now = look(record.document.model or "", record.document.about, then.at)
        if now is not None and (then.policy_digest, then.model_digest, then.evidence_digest) == (
            now.policy_digest,
            now.model_digest,
            now.evidence_digest,
        ):
            found.update(one.person for one in record.in_force)
    return sorted(found)


def _verdict(work: _Work) -> str:
    manifest: Manifest = work.values["manifest"]
    stated: Assessment = work.values["assessment"]
    basis: Basis = work.values["basis"]
    found: Governed = work.values["governed"]
    at: date = day_of(manifest.at)
    made = basis.assessed(manifest.model, manifest.snapshot, at, found)
    if made.digest != manifest.assessment_digest or stated.digest != made.digest:
        raise _Failed(f"recomputed {made.digest[:19]}..., stated {manifest.assessment_digest[:19]}...")
    work.values["recomputed"] = made
    opened = [gate.action.replace("_", " ") for gate in made.models[0].gates if gate.open]
    return f"recomputed from the evidence: open for {', '.join(opened) or 'nothing'}"


CHECKS: tuple[tuple[str, Callable[[_Work], str]], ...] = (
    ("archive", _archive),
    ("contents", _contents),
    ("log checkpoint", _checkpoint),
    ("witnesses", _witnesses),
    ("inclusion", _inclusion),
    ("keys", _people),
    ("policy", _adopted),
    ("redactions", _register),
    ("signatures", _decisions),
    ("verdict", _verdict),
)
"""The checks, in order; each may build on those before it."""


def verify_bundle(data: bytes, trust: Trust, name: str = "bundle") -> Verified:
    """Check everything in a bundle. Nothing in it is believed; whatever is wrong becomes a check that does not hold."""
    work = _Work(data, trust, name)
    checks = tuple(_checked(work))
    return Verified(checks, work.values.get("manifest"), work.values.get("recomputed"))


def _checked(work: _Work) -> Iterator[Check]:
    broken: str | None = None
    for name, check in CHECKS:
        if broken is not None:
            yield Check(name=name, holds=False, detail=f"not made, because {broken} does not hold")
            continue
        try:
            yield Check(name=name, holds=True, detail=check(work))
        except _Failed as failed:
            yield Check(name=name, holds=False, detail=str(failed))
            broken = name
        except TidegateError as error:
            yield Check(name=name, holds=False, detail="; ".join(one.message for one in error.problems))
            broken = name

# SPDX-License-Identifier: Apache-2.0
"""What an outsider checks in a bundle, with nothing but the bundle and the keys that they trust.

Every check is made, and each gives one line. A bundle is good only if every check holds.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, TypeVar

from pydantic import ValidationError

from tidegate.assess.governed import Governed, Signoff
from tidegate.assess.model import Assessment
from tidegate.evidence.model import EvidenceSet
from tidegate.evidence.models import Model
from tidegate.evidence.redaction import MARK, withheld_in
from tidegate.govern.argument import case_faults
from tidegate.govern.basis import Basis, seen_by
from tidegate.govern.gatekeeping import governed
from tidegate.govern.governance import Governance, governance
from tidegate.govern.people import Person
from tidegate.kernel.canonical import canonical_bytes, digest, digest_bytes
from tidegate.kernel.clock import day_of, instant
from tidegate.kernel.errors import TidegateError
from tidegate.kernel.record import Record
from tidegate.ledger.acts import (
    EvidenceRestated,
    EvidenceRetracted,
    KeyAdded,
    KeyRotated,
    ModelRecorded,
    PolicyAdopted,
)
from tidegate.ledger.entries import Entry, read_entry
from tidegate.ledger.keys import fingerprint
from tidegate.ledger.merkle import includes, leaf_hash, root_of
from tidegate.ledger.notes import Checkpoint, VerifiedCheckpoint, verify_checkpoint
from tidegate.ledger.proofs import read_proof
from tidegate.policy.model import Policy
from tidegate.publish.bundle import (
    DOCUMENTED,
    MANIFEST,
    Manifest,
    check_parts,
    document_name,
    entry_name,
    proof_name,
    unpack,
)
from tidegate.publish.trust import Trust, TrustedPerson, log_keys

CHECKPOINT = "checkpoint"
PLAIN_PARTS = frozenset({MANIFEST, CHECKPOINT, "policy.json", "models.json", "evidence.json", "assessment.json"})
"""Parts of a bundle that are in no folder."""
MAX_DETAIL = 1000
"""Characters in which a check says what it found."""
R = TypeVar("R", bound=Record)


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
    return _canonical(name, data, lambda: kind.model_validate(json.loads(data)))


T = TypeVar("T")


def _canonical(name: str, data: bytes, read: Callable[[], T]) -> T:
    """Give what a part stands for, if its bytes are the only ones that can stand for it."""
    try:
        found = read()
        # Some numbers and texts that JSON can write have no canonical form.
        again = canonical_bytes(found)
    except (ValidationError, ValueError, RecursionError, TypeError) as error:
        lines = str(error).splitlines()
        raise _Failed(f"{name}: {lines[0] if lines else type(error).__name__}") from None
    if again != data:
        raise _Failed(f"{name} is not in canonical form")
    return found


def _archive(work: _Work) -> str:
    work.parts = unpack(work.data, work.name)
    manifest = _record(work, MANIFEST, Manifest)
    work.values["manifest"] = manifest
    problems = check_parts(manifest, work.parts)
    if problems:
        raise _Failed("; ".join(problem.message for problem in problems[:5]))
    strangers = [name for name in sorted(work.parts) if "/" not in name and name not in PLAIN_PARTS]
    if strangers:
        raise _Failed(f"{strangers[0]} has no place in a bundle: nobody signed over it")
    return f"{len(manifest.parts)} parts, each what its digest says"


def _contents(work: _Work) -> str:
    manifest: Manifest = work.values["manifest"]
    data = _part(work, "models.json")
    models = _canonical("models.json", data, lambda: tuple(Model.model_validate(one) for one in json.loads(data)))
    basis = Basis(_record(work, "policy.json", Policy), models, _record(work, "evidence.json", EvidenceSet))
    work.values |= {"basis": basis, "assessment": _record(work, "assessment.json", Assessment)}
    if manifest.policy != basis.policy.label:
        raise _Failed(f"the policy is {basis.policy.label}; the bundle says that it is {manifest.policy}")
    for name in work.parts:
        if name.startswith("documents/") and document_name(digest_bytes(work.parts[name])) != name:
            raise _Failed(f"{name} is not what its name says")
    records, named = _counted(len(basis.evidence.records), "evidence record"), _counted(len(models), "model")
    return f"policy {basis.policy.label}, {records}, {named}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


# --- the log ------------------------------------------------------------------------------------------


def _checkpoint(work: _Work) -> str:
    manifest: Manifest = work.values["manifest"]
    verified = verify_checkpoint(_part(work, CHECKPOINT), *log_keys(work.trust))
    work.values["checkpoint"] = verified
    found = verified.checkpoint
    if found.origin != work.trust.log.origin or (manifest.log.origin, manifest.log.size) != (found.origin, found.size):
        raise _Failed(f"the log checkpoint is of {found.origin} with {found.size} entries; the bundle says otherwise")
    return f"{found.origin}, {found.size} entries, signed by the log's key"


def _witnesses(work: _Work) -> str:
    verified: VerifiedCheckpoint = work.values["checkpoint"]
    names = sorted({one.name for one in verified.cosignatures})
    if len(names) < work.trust.witness_quorum:
        raise _Failed(f"{len(names)} of {work.trust.witness_quorum} witnesses cosigned: {', '.join(names) or 'none'}")
    if not names:
        return "none asked for: nobody outside the house vouches for the log"
    # The only times in a bundle that do not come from the house.
    said = [f"{one.name}{_on(one.seconds)}" for one in sorted(verified.cosignatures)]
    return f"cosigned by {', '.join(said)}"


def _on(seconds: int) -> str:
    try:
        return f" on {instant(datetime.fromtimestamp(seconds, UTC))}" if seconds else ""
    except (ValueError, OverflowError, OSError):
        return ""


def _inclusion(work: _Work) -> str:
    manifest: Manifest = work.values["manifest"]
    entries = _entries(work)
    work.values["entries"] = entries
    first = entries[0][1] if entries and entries[0][0] == 0 else None
    if first is None or first.kind != "ledger.opened":
        raise _Failed("the bundle does not show the first entry of the log, which says whose log it is")
    if first.body["origin"] != manifest.log.origin:
        raise _Failed(f"the log began as {first.body['origin']}, and is shown as {manifest.log.origin}")
    if first.body["organisation"] != manifest.organisation:
        raise _Failed(f"the log is that of {first.body['organisation']}; the bundle says {manifest.organisation}")
    named = {
        document_name(str(entry.body["document"]))
        for _, entry in entries
        if entry.kind.startswith(DOCUMENTED) and "document" in entry.body
    }
    proven = () if manifest.log.is_whole else (proof_name(index) for index, _ in entries)
    needed = {*named, *proven, *(entry_name(index) for index, _ in entries)}
    strangers = [name for name in sorted(work.parts) if "/" in name and name not in needed]
    if strangers:
        raise _Failed(f"{strangers[0]} belongs to no entry that is shown")
    return _whole(work) if manifest.log.is_whole else _proven(work)


def _entries(work: _Work) -> list[tuple[int, Entry]]:
    """Give the entries with their places, in the log's order."""
    found: list[tuple[int, Entry]] = []
    for name in (one for one in work.parts if one.startswith("entries/")):
        digits = name.removeprefix("entries/").removesuffix(".json")
        index = int(digits) if digits.isdecimal() and digits.isascii() and len(digits) < 20 else -1
        if index < 0 or entry_name(index) != name:
            raise _Failed(f"{name} is not the name of an entry")
        found.append((index, read_entry(work.parts[name], index)))
    if not found:
        raise _Failed("the bundle shows no entry of the log")
    # Names do not sort as numbers do once they differ in length.
    return sorted(found, key=lambda one: one[0])


def _proven(work: _Work) -> str:
    entries: list[tuple[int, Entry]] = work.values["entries"]
    found: Checkpoint = work.values["checkpoint"].checkpoint
    note = _part(work, CHECKPOINT)
    for index, _ in entries:
        stated = read_proof(_part(work, proof_name(index)))
        if stated.note.encode() != note or stated.index != index or stated.extra is not None:
            raise _Failed(f"the proof of entry {index} is of another log checkpoint or entry")
        if not includes(leaf_hash(work.parts[entry_name(index)]), index, found.size, stated.path, found.root):
            raise _Failed(f"the proof of entry {index} does not show that it is in the log")
    return (
        f"{len(entries)} of {found.size} entries, each proven to be in the log; "
        "one that was left out, a revocation say, would not be seen: ask for the whole log"
    )


def _whole(work: _Work) -> str:
    entries: list[tuple[int, Entry]] = work.values["entries"]
    found: Checkpoint = work.values["checkpoint"].checkpoint
    is_complete = len(entries) == found.size and all(index == place for place, (index, _) in enumerate(entries))
    if not is_complete or root_of(leaf_hash(work.parts[entry_name(index)]) for index, _ in entries) != found.root:
        raise _Failed("the entries are not the whole log that the checkpoint signs")
    return f"all {len(entries)} entries: none can have been left out"


# --- people -------------------------------------------------------------------------------------------


def _people(work: _Work) -> str:
    entries: list[tuple[int, Entry]] = work.values["entries"]
    trusted = {one.person: one for one in work.trust.people}
    keys = {fingerprint(key): one.person for one in work.trust.people for key in one.keys}
    origin: str = work.values["checkpoint"].checkpoint.origin

    def is_known(entry: Entry) -> bool:
        # An act that names no log could have been meant for any.
        return entry.signature is None or (keys.get(entry.signature.key) == entry.by and entry.log == origin)

    def counts(entry: Entry) -> bool:
        act = _key_act(entry)
        return is_known(entry) and (not isinstance(act, KeyAdded) or _is_trusted(act, trusted.get(act.person)))

    def speaks(entry: Entry) -> bool:
        is_own = entry.signature is None or entry.log == origin
        return is_known(entry) if entry.kind.startswith("key.") else is_own

    documents = {f"sha256:{name[10:]}": data for name, data in work.parts.items() if name.startswith("documents/")}
    people = [Person(id=one.person, roles=one.roles) for one in work.trust.people]
    made = governance(entries, documents.get, people, counts)
    work.values |= {"governance": made, "documents": documents.get}
    # What speaks against a decision stands, though the outsider does not know the person: somebody whose key a
    # trusted keeper entered.
    work.values["against"] = governance(entries, documents.get, None, speaks)
    brought = [(index, act) for index, entry in entries if (act := _key_act(entry)) is not None]
    left = [f"{act.person} (entry {index})" for index, act in brought if not _is_trusted(act, trusted.get(act.person))]
    named = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
    active = [one for one in made.keyring.active() if one.fingerprint in keys]
    if not active:
        raise _Failed(f"no key in the log is one that you trust; in the log: {named or 'none'}")
    words = f"; keys that you do not trust count for nothing: {named}" if left else ""
    # What is only not shown, such as a document about another model, is not held against anybody.
    void = sum(one.code != "LED009" for one in made.problems.values())
    verb = "has" if void == 1 else "have"
    words += f"; {void} of the entries shown {verb} no effect" if void else ""
    return f"{len(active)} active keys of people you trust{words}"


def _key_act(entry: Entry) -> KeyAdded | KeyRotated | None:
    act = entry.act if entry.kind in ("key.added", "key.rotated") else None
    return act if isinstance(act, KeyAdded | KeyRotated) else None


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
    other = _not_as_logged(work)
    if other is not None:
        raise _Failed(other)
    return f"{policy.label} was adopted in entry {index}"


def _not_as_logged(work: _Work) -> str | None:
    """Say where models and restatements are not what the entries shown say; none if they are.

    What was imported cannot be compared: the log holds digests of what the house keeps, in no edition for outsiders.
    """
    basis: Basis = work.values["basis"]
    recorded: dict[str, str] = {}
    restated: list[tuple[str, str]] = []
    for _, entry in work.values["entries"]:
        act = entry.act
        if isinstance(act, ModelRecorded):
            recorded[act.model] = act.document
        elif isinstance(act, EvidenceRestated | EvidenceRetracted):
            restated.append((act.supersedes, act.document))
    for model in basis.models:
        if recorded.get(model.id, digest(model)) != digest(model):
            return f"{model.id} is not described as the log has it last"
    shown = {record.id for record in basis.evidence.records}
    known = {digest(one) for one in basis.evidence.restatements}
    missing = [name for name, document in restated if name in shown and document not in known]
    return f"what the log says of {missing[0]} later, a retraction say, is left out" if missing else None


def _register(work: _Work) -> str:
    manifest: Manifest = work.values["manifest"]
    found = withheld_in(work.values["basis"].evidence)
    if work.parts["evidence.json"].count(MARK.encode()) != len(found):
        raise _Failed("words are marked as withheld where words decide something: only remarks may be withheld")
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
    # Before anything is computed from them: nobody but the people who are trusted can have it compute something.
    people = _signed_over(made, basis, manifest.model)
    at = day_of(manifest.at)
    newest = max((one.at for record in made.decisions.values() for one in record.signatures), default=manifest.at)
    if day_of(newest) > at:
        raise _Failed(f"the bundle says to be of {manifest.at}, and shows what was signed on {newest}")
    found = _judged(work, at)
    work.values["governed"] = found
    asked = [one for one in found.signoffs if one.model in (manifest.model, None)]
    by: dict[str, set[str]] = {}
    for one in asked:
        if one.missing is None:
            by.setdefault(one.decision, set()).update(f"{signer.person} ({signer.role})" for signer in one.signers)
    words = "; ".join(f"{name} signed by {', '.join(sorted(signers))}" for name, signers in sorted(by.items()))
    if not by:
        stated = "; ".join(f"{one.decision}: {one.missing}" for one in asked[:3])
        words = f"{', '.join(people)} signed over this evidence, and no decision counts ({stated})"
    return words + _imported_since(work)


def _imported_since(work: _Work) -> str:
    """Say what came into the log after the last signature: whether it bears on the model, nobody outside can see."""
    about = [one for one in work.values["governance"].decisions.values() if one.document.model == _about(work)]
    last = max(one.index for record in about for one in record.signatures)
    later = [
        str(index) for index, entry in work.values["entries"] if entry.kind == "evidence.imported" and index > last
    ]
    if not later:
        return ""
    return f"; evidence came into the log since (entry {', '.join(later[:5])}): ask whether it is about {_about(work)}"


def _about(work: _Work) -> str:
    manifest: Manifest = work.values["manifest"]
    return manifest.model


def _judged(work: _Work, at: date) -> Governed:
    """Give what counts by those who are trusted, and against which nobody speaks whom they let into the log."""
    basis: Basis = work.values["basis"]
    look = cache(seen_by(basis))
    documents = work.values["documents"]

    def read(said: Governance) -> Governed:
        return governed(said, basis.policy, look, at, (), case_faults(basis, said, documents, at))

    known, against = read(work.values["governance"]), read(work.values["against"])
    other = {(one.decision, one.approval, one.snapshot): one for one in against.signoffs}
    signoffs: list[Signoff] = []
    for one in known.signoffs:
        said = other.get((one.decision, one.approval, one.snapshot))
        if one.missing is None and said is None:
            signoffs.append(one.model_copy(update={"missing": "it is not a decision in the log"}))
        else:
            signoffs.append(said if one.missing is None and said is not None and said.missing is not None else one)
    reliefs = tuple(one for one in known.reliefs if one in against.reliefs)
    return known.model_copy(update={"signoffs": tuple(signoffs), "reliefs": reliefs})


def _signed_over(made: Governance, basis: Basis, model: str) -> list[str]:
    """Give who signed over exactly the policy, models and evidence of the bundle, in a decision about its model.

    It has to be what was signed over last: an earlier state of the evidence is not that of the log.
    """
    about = [one for one in made.decisions.values() if one.document.model == model]
    newest = max(
        ((one, record) for record in about for one in record.signatures), key=lambda it: it[0].index, default=None
    )
    if newest is None:
        raise _Failed(f"nobody whom you trust signed over this policy, evidence and models in a decision about {model}")
    last, record = newest
    then = next(one.document.seen for one in record.versions if one.digest == last.document)
    shown = {
        "policy": (then.policy_digest, basis.policy.as_of(then.at).digest),
        "evidence": (then.evidence_digest, basis.evidence.digest),
        "models": (then.model_digest, digest(sorted(digest(one) for one in basis.models))),
    }
    other = [name for name, (signed, found) in shown.items() if signed != found]
    if other:
        words = " and ".join(other)
        raise _Failed(f"nobody whom you trust signed over this {words}; {record.id} was signed over other {words}")
    return sorted({one.person for one in record.signatures if one.document == last.document})


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
            yield Check(name=name, holds=True, detail=_cut(check(work)))
        except _Failed as failed:
            yield Check(name=name, holds=False, detail=_cut(str(failed)))
            broken = name
        except TidegateError as error:
            yield Check(name=name, holds=False, detail=_cut("; ".join(one.message for one in error.problems[:5])))
            broken = name
        except Exception as error:  # noqa: BLE001 - whatever a stranger's bundle brings about, it does not verify
            yield Check(name=name, holds=False, detail=_cut(f"could not be made: {type(error).__name__}: {error}"))
            broken = name


def _cut(detail: str) -> str:
    """Give the beginning of what is wrong: parts of it may come from whoever made the bundle."""
    return detail if len(detail) <= MAX_DETAIL else detail[:MAX_DETAIL] + "..."

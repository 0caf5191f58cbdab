# SPDX-License-Identifier: Apache-2.0
"""Bundles: make one of what a verdict and its decisions rest on, and check one that came from elsewhere."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.evidence.redaction import redacted
from tidegate.flow.governing import CHECKPOINT_FILE, MAX_NOTE_BYTES, governing
from tidegate.flow.targets import find_target
from tidegate.flow.world import World, no_checkpoint, no_ledger
from tidegate.govern.basis import Basis
from tidegate.govern.decisions import NEXT
from tidegate.govern.governance import Governance
from tidegate.kernel.canonical import canonical_bytes
from tidegate.kernel.documents import read_bytes
from tidegate.kernel.errors import BundleError, LedgerError, Problem, ProjectError, SigningError, Where
from tidegate.ledger.entries import Entry
from tidegate.ledger.notes import check_independent, parse_vkey, verify_checkpoint
from tidegate.ledger.proofs import tlog_proof
from tidegate.publish.bundle import (
    DOCUMENTED,
    MAX_BYTES,
    LogPart,
    Manifest,
    document_name,
    entry_name,
    pack,
    proof_name,
    with_manifest,
)
from tidegate.publish.trust import Trust, TrustedLog, TrustedPerson, read_trust
from tidegate.publish.verification import CHECKPOINT, Verified, verify_bundle
from tidegate.store.project import Project, read_redactions

if TYPE_CHECKING:
    from tidegate.store.ledger import LedgerStore

ALWAYS = ("ledger.", "key.", "policy.adopted")
"""Entries that every bundle shows: who keeps the log, whose keys count, which policy holds."""


def make_bundle(world: World, model: str, *, whole_log: bool = False) -> bytes:
    """Give the bundle of a model (or ``model@snapshot``), as of now.

    Raises:
        AssessError: ASM001, there is no such model.
        LedgerError: LED007, there is no log checkpoint yet, or it is older than what the bundle has to show.
        ProjectError: PRJ006, files and log disagree, so that nothing could be shown.
    """
    project = world.project()
    target = find_target(project, model)
    model_id, snapshot = target.model.id, target.snapshot
    found = governing(world, project)
    if found.governed is None or found.read is None or project.record.ledger is None:
        raise no_ledger()
    if found.governed.doubts:
        raise ProjectError(*(Problem("PRJ006", one) for one in found.governed.doubts))
    about = found.basis.about(model_id)
    made = about.assessed(model_id, snapshot, world.today, found.governed)
    _, register = redacted(project.evidence, read_redactions(project.root))
    shown = {record.id for record in about.evidence.records}
    with closing(world.ledger()) as store:
        note, size = _checkpoint(world, project)
        bearing = _bearing(store, model_id, found.read)
        chosen = [one.index for one in store.entries(0, size)] if whole_log else [index for index, _ in bearing]
        _refuse_newer([*chosen, *(index for index, _ in bearing)], size)
        parts = _documents(store, bearing) | {entry_name(index): store.find(index).entry.data for index in chosen}
        if not whole_log:
            paths = {index: store.inclusion_proof(index, size) for index in chosen}
            parts |= {proof_name(index): tlog_proof(index, path, note).encode() for index, path in paths.items()}
        opened = store.find(0).entry
    _leave_out_withheld(parts, project, about, _current(found.read, model_id))
    parts |= _basis_parts(about)
    parts |= {"assessment.json": canonical_bytes(made), CHECKPOINT: note.encode()}
    manifest = Manifest(
        organisation=str(opened.body["organisation"]),
        model=model_id,
        snapshot=snapshot,
        at=world.now(),
        policy=about.policy.label,
        assessment_digest=made.digest,
        log=LogPart(origin=project.record.ledger.origin, size=size, is_whole=whole_log),
        withheld=tuple(one for one in register if one.record in shown),
        parts={},
    )
    data = pack(with_manifest(manifest, parts))
    if len(data) > MAX_BYTES:
        raise BundleError(Problem("BUN002", f"the bundle would have {len(data):,} bytes; the limit is {MAX_BYTES:,}"))
    return data


def _checkpoint(world: World, project: Project) -> tuple[str, int]:
    path = world.root / CHECKPOINT_FILE
    settings = project.record.ledger
    assert settings is not None
    if not path.is_file():
        raise no_checkpoint()
    note = read_bytes(path, max_bytes=MAX_NOTE_BYTES).decode("utf-8", errors="replace")
    return note, verify_checkpoint(note, parse_vkey(settings.log_key)).checkpoint.size


def _basis_parts(about: Basis) -> dict[str, bytes]:
    return {
        "policy.json": canonical_bytes(about.policy),
        "models.json": canonical_bytes(about.models),
        "evidence.json": canonical_bytes(about.evidence),
    }


def _bearing(store: "LedgerStore", model: str, read: Governance) -> list[tuple[int, Entry]]:
    """Give the entries that bear on a model and its decisions; the rest of the log says nothing about them."""
    every = [(one.index, one.entry) for one in store.entries()]
    decisions, reports, cases = _concerned([entry for _, entry in every], model, read)
    return [
        (index, entry)
        for index, entry in every
        if entry.kind.startswith(ALWAYS)
        or entry.body.get("decision") in decisions
        or (entry.kind.startswith("report.") and entry.body.get("report") in reports)
        or (entry.kind.startswith("case.") and entry.body.get("case") in cases)
        or entry.body.get("critique") in reports
    ]


def _refuse_newer(chosen: Sequence[int], size: int) -> None:
    newer = [index for index in chosen if index >= size]
    if newer:
        hint = "sign a new one with `tidegate ledger checkpoint`"
        raise LedgerError(
            Problem("LED007", f"the log checkpoint is older than entry {newer[0]}", Where(str(CHECKPOINT_FILE)), hint)
        )


def _concerned(entries: Sequence[Entry], model: str, read: Governance) -> tuple[set[str], set[str], set[str]]:
    """Give the decisions, the reports (with their critiques) and the cases that are about a model, or about none.

    A decision that takes the place of one of them is among them, whatever it is about.
    """
    decisions: set[str] = set()
    reports: set[str] = set()
    cases: set[str] = set()
    for entry in entries:
        about = entry.body.get("model")
        if entry.kind == "decision.proposed" and about in (model, None):
            decisions.add(entry.body["decision"])
        elif entry.kind == "report.finalised" and about == model:
            reports.add(entry.body["report"])
        elif entry.kind == "report.criticised" and entry.body["report"] in reports:
            reports.add(entry.body["critique"])
        elif entry.kind == "case.recorded" and about == model:
            cases.add(entry.body["case"])
    succeeding = {record.document.supersedes: name for name, record in read.decisions.items()}
    pending = list(decisions)
    while pending:
        follower = succeeding.get(pending.pop())
        if follower is not None and follower not in decisions:
            decisions.add(follower)
            pending.append(follower)
    return decisions, reports, cases


def _documents(store: "LedgerStore", bearing: Iterable[tuple[int, Entry]]) -> dict[str, bytes]:
    names = {
        str(entry.body["document"])
        for _, entry in bearing
        if entry.kind.startswith(DOCUMENTED) and "document" in entry.body
    }
    found = {name: store.documents_get(name) for name in sorted(names)}
    return {document_name(name): data for name, data in found.items() if data is not None}


# --- withheld words -----------------------------------------------------------------------------------


def _current(read: Governance, model: str) -> set[str]:
    """Give the documents without which the decisions of now cannot be checked."""
    needed = {one.digest for record in read.decisions.values() for one in record.versions}
    open_ones = [one for one in read.decisions.values() if NEXT[one.state]]
    needed |= {one.document for record in open_ones for one in record.document.seen.reports}
    case = read.newest_case(model)
    return needed | ({case.document} if case is not None else set())


def _leave_out_withheld(parts: dict[str, bytes], project: Project, about: Basis, needed: set[str]) -> None:
    """Drop documents made before words in them were withheld; what the decisions of now need may hold none.

    Raises:
        BundleError: BUN002, withheld words stand in an entry, or in a document that is needed.
    """
    kept = {document_name(one) for one in needed}
    for name, words in _withheld_words(project, about).items():
        for part in sorted(one for one, data in parts.items() if words in data):
            if part.startswith("documents/") and part not in kept:
                del parts[part]
                continue
            hint = "put the decision anew over documents without them"
            if part.startswith("entries/"):
                hint = "the log named them before they were withheld; leave --whole-log out"
            raise BundleError(Problem("BUN002", f"{part} shows what is withheld: {name}", None, hint))


def _withheld_words(project: Project, about: Basis) -> dict[str, bytes]:
    """Give what is withheld, as JSON writes it, and stands nowhere in what the bundle shows anyway."""
    shown = b"".join(_basis_parts(about).values())
    records = {one.id: one.model_dump(mode="json") for one in project.evidence.records}
    found: dict[str, bytes] = {}
    for one in read_redactions(project.root):
        value: Any = records.get(one.record)
        for part in one.field.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        words = canonical_bytes(value)[1:-1] if isinstance(value, str) else b""
        if words and words not in shown:
            found[f"{one.record}: {one.field}"] = words
    return found


# --- trust, and checking ------------------------------------------------------------------------------


def trust_of(world: World) -> Trust:
    """Give the keys of this project, for those who want to check its bundles: hand it to them by another way.

    Raises:
        LedgerError: LED002, the project keeps no ledger; LED007, a verifier key in `tidegate.yaml` is malformed.
        SigningError: KEY003, nobody has a key in the ledger yet.
    """
    project = world.project()
    found = governing(world, project)
    settings = project.record.ledger
    if settings is None or found.read is None:
        raise no_ledger()
    # What cannot be verified with is not handed out.
    check_independent(parse_vkey(settings.log_key), [parse_vkey(one) for one in settings.witnesses])
    people: dict[str, tuple[set[str], set[str]]] = {}
    for one in found.read.keyring.history:
        roles, keys = people.setdefault(one.person, (set(), set()))
        roles.update(one.roles)
        keys.add(one.public_key)
    if not people:
        raise SigningError(Problem("KEY003", "nobody has a key in this ledger", None, "see `tidegate key list --all`"))
    return Trust(
        log=TrustedLog(origin=settings.origin, key=settings.log_key),
        witnesses=settings.witnesses,
        witness_quorum=len(settings.witnesses),
        people=tuple(
            TrustedPerson(person=name, roles=tuple(sorted(roles)), keys=tuple(sorted(keys)))
            for name, (roles, keys) in sorted(people.items())
        ),
    )


def verify_file(path: Path, trust: Path) -> Verified:
    """Check a bundle file against the keys in a trust file.

    Raises:
        DocumentError: one of the files cannot be read; BundleError: BUN004, the trust file is malformed.
    """
    trusted = read_trust(read_bytes(trust), str(trust))
    return verify_bundle(read_bytes(path, max_bytes=MAX_BYTES), trusted, path.name)

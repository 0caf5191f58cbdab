# SPDX-License-Identifier: Apache-2.0
"""Bundles: make one of what a verdict and its decisions rest on, and check one that came from elsewhere."""

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.evidence.redaction import redacted
from tidegate.flow.governing import CHECKPOINT_FILE, MAX_NOTE_BYTES, governing
from tidegate.flow.world import World
from tidegate.govern.basis import Basis
from tidegate.kernel.canonical import canonical_bytes
from tidegate.kernel.documents import did_you_mean, read_bytes
from tidegate.kernel.errors import AssessError, BundleError, LedgerError, Problem, ProjectError, Where
from tidegate.ledger.entries import Entry
from tidegate.ledger.notes import parse_vkey, verify_checkpoint
from tidegate.ledger.proofs import tlog_proof
from tidegate.publish.bundle import (
    MAX_BYTES,
    LogPart,
    Manifest,
    document_name,
    entry_name,
    pack,
    proof_name,
    with_manifest,
)
from tidegate.publish.verification import (
    CHECKPOINT,
    Trust,
    TrustedLog,
    TrustedPerson,
    Verified,
    read_trust,
    verify_bundle,
)
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
    model_id, snapshot = _target(project, model)
    found = governing(world, project)
    if found.governed is None or found.read is None or project.record.ledger is None:
        raise LedgerError(
            Problem("LED002", "this project keeps no ledger", None, "make one with `tidegate ledger init`")
        )
    if found.governed.doubts:
        raise ProjectError(*(Problem("PRJ006", one) for one in found.governed.doubts))
    about = found.basis.about(model_id)
    made = about.assessed(model_id, snapshot, world.today, found.governed)
    _, register = redacted(project.evidence, read_redactions(project.root))
    shown = {record.id for record in about.evidence.records}
    with closing(world.ledger()) as store:
        note, size = _checkpoint(world, project)
        parts = _entry_parts(
            store, _chosen(store, model_id, size, whole_log=whole_log), note, size, whole_log=whole_log
        )
    parts |= _basis_parts(about)
    parts |= {"assessment.json": canonical_bytes(made), CHECKPOINT: note.encode()}
    manifest = Manifest(
        organisation=project.record.organisation,
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


def _target(project: Project, name: str) -> tuple[str, str | None]:
    model_name, _, snapshot = (name, "", "") if project.model(name) or "@" not in name else name.rpartition("@")
    model = project.model(model_name)
    if model is None or (snapshot and model.snapshot(snapshot) is None):
        known = [one.id for one in project.models]
        raise AssessError(Problem("ASM001", f"there is no model {name!r}", None, did_you_mean(model_name, known)))
    return model.id, snapshot or None


def _checkpoint(world: World, project: Project) -> tuple[str, int]:
    path = world.root / CHECKPOINT_FILE
    settings = project.record.ledger
    assert settings is not None
    if not path.is_file():
        hint = "sign one with `tidegate ledger checkpoint`"
        raise LedgerError(Problem("LED007", "there is no log checkpoint yet", Where(str(CHECKPOINT_FILE)), hint))
    note = read_bytes(path, max_bytes=MAX_NOTE_BYTES).decode("utf-8", errors="replace")
    return note, verify_checkpoint(note, parse_vkey(settings.log_key)).checkpoint.size


def _basis_parts(about: Basis) -> dict[str, bytes]:
    return {
        "policy.json": canonical_bytes(about.policy),
        "models.json": canonical_bytes(about.models),
        "evidence.json": canonical_bytes(about.evidence),
    }


def _chosen(store: "LedgerStore", model: str, size: int, *, whole_log: bool) -> list[tuple[int, Entry]]:
    """Give the entries that a bundle shows: all, or those that bear on a model and its decisions.

    Raises:
        LedgerError: LED007, one of them is newer than the log checkpoint.
    """
    every = [(one.index, one.entry) for one in store.entries()]
    if whole_log:
        return every[:size]
    decisions, reports, cases = _concerned((entry for _, entry in every), model)
    chosen = [
        (index, entry)
        for index, entry in every
        if entry.kind.startswith(ALWAYS)
        or entry.body.get("decision") in decisions
        or entry.body.get("report") in reports
        or entry.body.get("case") in cases
        or entry.body.get("critique") in reports
    ]
    newer = [index for index, _ in chosen if index >= size]
    if newer:
        hint = "sign a new one with `tidegate ledger checkpoint`"
        raise LedgerError(
            Problem("LED007", f"the log checkpoint is older than entry {newer[0]}", Where(str(CHECKPOINT_FILE)), hint)
        )
    return chosen


def _concerned(entries: Iterable[Entry], model: str) -> tuple[set[str], set[str], set[str]]:
    """Give the decisions, the reports (with their critiques) and the cases that are about a model, or about none."""
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
    return decisions, reports, cases


def _entry_parts(
    store: "LedgerStore", chosen: list[tuple[int, Entry]], note: str, size: int, *, whole_log: bool
) -> dict[str, bytes]:
    parts: dict[str, bytes] = {}
    for index, entry in chosen:
        parts[entry_name(index)] = entry.data
        if not whole_log:
            proof = tlog_proof(index, store.inclusion_proof(index, size), note)
            parts[proof_name(index)] = proof.encode()
        # Imports name documents that hold whole files, which the bundle shows in its edition of the evidence.
        if entry.kind.startswith(("decision.", "report.", "case.")) and "document" in entry.body:
            document = store.documents_get(entry.body["document"])
            if document is not None:
                parts[document_name(entry.body["document"])] = document
    return parts


# --- trust, and checking ------------------------------------------------------------------------------


def trust_of(world: World) -> Trust:
    """Give the keys of this project, for those who want to check its bundles: hand it to them by another way."""
    project = world.project()
    found = governing(world, project)
    settings = project.record.ledger
    if settings is None or found.read is None:
        raise LedgerError(
            Problem("LED002", "this project keeps no ledger", None, "make one with `tidegate ledger init`")
        )
    people: dict[str, tuple[set[str], set[str]]] = {}
    for one in found.read.keyring.history:
        roles, keys = people.setdefault(one.person, (set(), set()))
        roles.update(one.roles)
        keys.add(one.public_key)
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

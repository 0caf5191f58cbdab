# SPDX-License-Identifier: Apache-2.0
"""What people decided, for the gate: the log read whole, checked, and set against what stands now."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.evidence.model import EvidenceSet
from tidegate.evidence.redaction import redacted
from tidegate.flow.ledgers import AsLogged, as_logged, doubts
from tidegate.flow.world import World
from tidegate.govern.amendments import unsigned_amendment
from tidegate.govern.argument import Faults, case_faults
from tidegate.govern.basis import Basis, Governing, seen_by
from tidegate.govern.gatekeeping import governed
from tidegate.govern.governance import Governance, governance
from tidegate.govern.people import Person
from tidegate.kernel.clock import day_of
from tidegate.kernel.documents import read_bytes
from tidegate.kernel.errors import LedgerError
from tidegate.ledger.entries import Entry
from tidegate.ledger.merkle import Frontier, leaf_hash
from tidegate.ledger.notes import VerifiedCheckpoint, parse_vkey, verify_checkpoint
from tidegate.policy.model import Policy
from tidegate.store.project import LedgerSettings, Project, read_redactions, read_settings

if TYPE_CHECKING:
    from tidegate.store.ledger import LedgerStore

CHECKPOINT_FILE = Path("ledger") / "checkpoint"
"""The newest log checkpoint, in git: a log that does not continue it is not the log it was."""
MAX_NOTE_BYTES = 100_000


@dataclass(frozen=True)
class ReadLog:
    """The log, read whole."""

    governance: Governance
    size: int
    unsound: tuple[str, ...]
    """Why it is not the log it was; nothing if it is."""
    unsigned: tuple[str, ...] = ()
    """An amendment of the policy that lacks its signatures."""


def read_log(store: "LedgerStore", people: Sequence[Person], settings: LedgerSettings, root: Path) -> ReadLog:
    """Read every entry, recompute the tree, and compare it with its head and with the newest checkpoint."""
    frontier = Frontier()
    entries: list[tuple[int, Entry]] = []
    known = _checkpoint(settings, root)
    seen_root: bytes | None = None
    unsound: list[str] = [known] if isinstance(known, str) else []
    expected, size = 0, store.size
    try:
        for one in store.entries():
            if one.index != expected:
                unsound.append(f"the ledger lacks entry {expected}")
            expected = one.index + 1
            frontier.append(leaf_hash(one.entry.data))
            entries.append((one.index, one.entry))
            if isinstance(known, VerifiedCheckpoint) and frontier.size == known.checkpoint.size:
                seen_root = frontier.root
    except LedgerError as error:
        unsound += [str(problem.message) for problem in error.problems]
    if frontier.size < size:
        unsound.append(f"the ledger lacks entry {frontier.size}")
    # Entries that came in while this was read are not judged.
    if store.root(frontier.size) != frontier.root:
        unsound.append("the ledger's hash tree does not fit its entries")
    if isinstance(known, VerifiedCheckpoint) and known.checkpoint.size and seen_root != known.checkpoint.root:
        unsound.append(f"the ledger does not continue its checkpoint of {known.checkpoint.size} entries")
    made = governance(entries, store.documents_get, people)
    unsound += _not_whole(made, settings)
    unsigned = unsigned_amendment(entries, store.documents_get, made.logged.values())
    return ReadLog(made, len(entries), tuple(dict.fromkeys(unsound)), (unsigned,) if unsigned else ())


def _not_whole(read: Governance, settings: LedgerSettings) -> Iterator[str]:
    """Say where a log is another one, or lacks what its entries name: they would have no effect, and count as unsaid."""
    if read.keyring.origin != settings.origin:
        yield f"the ledger is not {settings.origin}: it began as {read.keyring.origin or 'none in particular'}"
    for index, problem in read.problems.items():
        if problem.code == "LED009":
            yield f"the document that entry {index} names is not in the ledger, or was changed"


def _checkpoint(settings: LedgerSettings, root: Path) -> VerifiedCheckpoint | str | None:
    """Give the newest checkpoint that the project keeps, none if there is none yet, or why it does not verify."""
    path = root / CHECKPOINT_FILE
    if not path.is_file():
        return None
    try:
        note = read_bytes(path, max_bytes=MAX_NOTE_BYTES).decode()
        found = verify_checkpoint(note, parse_vkey(settings.log_key))
    except (LedgerError, UnicodeDecodeError):
        return f"{CHECKPOINT_FILE} is not a checkpoint signed by this project's log"
    if found.checkpoint.origin != settings.origin:
        return f"{CHECKPOINT_FILE} is of the log {found.checkpoint.origin}"
    return found


def governing(world: World, project: Project, *, policy: Policy | None = None, as_of: date | None = None) -> Governing:
    """Give what a verdict rests on: the project's files, checked against the log; or, for an earlier day, the log.

    Args:
        world: the surroundings.
        project: the project as its files are.
        policy: another policy than the adopted one; decisions under the adopted one approve nothing under it.
        as_of: an earlier day.
    """
    now = Basis(policy or project.policy.policy, project.models, edition(project.root, project.evidence))
    settings = project.record.ledger
    if settings is None:
        return Governing(now, None)
    at = as_of or world.today
    with closing(world.ledger()) as store:
        people = read_settings(world.root).people
        log = read_log(store, people, settings, world.root)
        if at >= world.today:
            faults = case_faults(now, log.governance, store.documents_get, at)
            return _governing(now, log, at, doubts(project, store), faults)
        stood = as_logged(store, at)
        then = [(one.index, one.entry) for one in store.entries() if day_of(one.entry.acted_at) <= at]
        earlier = governance(then, store.documents_get, people)
        unsigned = unsigned_amendment(then, store.documents_get, earlier.logged.values())
        log = replace(log, governance=earlier, unsigned=(unsigned,) if unsigned else ())
        # Of a day before its first policy the log says nothing, so that the files are asked, if they are its files.
        files = doubts(project, store) if stood is None else ()
        basis = _as_stood(world.root, stood, policy) or now
        return _governing(basis, log, at, files, case_faults(basis, earlier, store.documents_get, at))


def _as_stood(root: Path, stood: AsLogged | None, policy: Policy | None) -> Basis | None:
    return None if stood is None else Basis(policy or stood.policy, stood.models, edition(root, stood.evidence))


def edition(root: Path, evidence: EvidenceSet) -> EvidenceSet:
    """Give the evidence as outsiders will see it: what is signed is what they can check."""
    return redacted(evidence, read_redactions(root))[0]


def _governing(basis: Basis, log: ReadLog, at: date, files: Sequence[str], faults: Faults) -> Governing:
    doubtful = (*log.unsound, *files)
    made = governed(log.governance, basis.policy, seen_by(basis), at, (*doubtful, *log.unsigned), faults)
    return Governing(basis, made, log.governance, doubtful)

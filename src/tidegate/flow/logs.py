# SPDX-License-Identifier: Apache-2.0
"""The log as a log: look at it, prove an entry, sign a checkpoint, have it witnessed, export it."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.flow.governing import CHECKPOINT_FILE, MAX_NOTE_BYTES, read_log
from tidegate.flow.world import World, no_checkpoint, no_ledger
from tidegate.kernel.clock import moment
from tidegate.kernel.documents import read_bytes
from tidegate.kernel.errors import LedgerError, Problem, Where
from tidegate.ledger.entries import envelope
from tidegate.ledger.keys import Signer
from tidegate.ledger.merkle import extends
from tidegate.ledger.notes import (
    ED25519,
    ED25519_COSIGNATURE,
    Checkpoint,
    note_signer,
    parse_vkey,
    sign_checkpoint,
    verify_checkpoint,
)
from tidegate.ledger.proofs import tlog_proof
from tidegate.ledger.tiles import bundle_path, bundles_of, tile_path, tiles_of
from tidegate.ledger.witnessing import (
    Refusal,
    State,
    observe,
    read_state,
    with_cosignatures,
    write_request,
    write_state,
)
from tidegate.store.project import LedgerSettings, read_settings, write_text

if TYPE_CHECKING:
    from tidegate.store.ledger import LedgerStore, Logged

MAX_STATE_BYTES = 1_000_000


def _settings(world: World) -> LedgerSettings:
    found = read_settings(world.root).ledger
    if found is None:
        raise no_ledger()
    return found


def log_vkey(origin: str, signer: Signer) -> str:
    """Give the verifier key of a log's checkpoints. Raises LED007 for a key on a token, or a name that is none."""
    return note_signer(origin, ED25519, signer).key.text


def witness_vkey(name: str, signer: Signer) -> str:
    """Give the verifier key of a witness's cosignatures. Raises LED007 for a key on a token."""
    return note_signer(name, ED25519_COSIGNATURE, signer).key.text


# --- look at it ---------------------------------------------------------------------------------------


def listed(
    world: World, *, kind: str | None = None, subject: str | None = None, newest: int | None = None
) -> "list[Logged]":
    """Give entries, oldest first: of one kind or subject, or only the newest."""
    with closing(world.ledger()) as store:
        start = max(0, store.size - newest) if newest is not None and kind is None and subject is None else 0
        found = list(store.entries(start, kinds=_kinds(kind), subject=subject))
    return found[-newest:] if newest is not None else found


def _kinds(kind: str | None) -> frozenset[str] | None:
    from tidegate.ledger.entries import KINDS  # noqa: PLC0415 - only where a kind is asked for

    if kind is None:
        return None
    chosen = frozenset(one for one in KINDS if one == kind or one.startswith(f"{kind}."))
    if not chosen:
        hint = f"kinds: {', '.join(KINDS)}"
        raise LedgerError(Problem("LED009", f"there is no kind of entry {kind!r}", None, hint))
    return chosen


def entry_json(logged: "Logged") -> dict[str, Any]:
    """Give an entry as data, with its place in the log."""
    return {
        "index": logged.index,
        "leaf_hash": logged.leaf.hex(),
        **logged.entry.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def entry_envelope(logged: "Logged") -> dict[str, Any]:
    """Give the DSSE envelope of a signed entry. Raises LED005 if it is not signed."""
    return envelope(logged.entry)


def find_entry(world: World, name: str) -> "Logged":
    """Give the entry of this number or id. Raises LED009 if there is none."""
    with closing(world.ledger()) as store:
        return store.find(int(name) if name.isdecimal() else name)


@dataclass(frozen=True)
class LogCheck:
    """What came of checking a log."""

    size: int
    root: str
    voids: tuple[tuple[int, str], ...]
    """Entries without effect, each with its reason: the log keeps them, and nothing follows from them."""
    unsound: tuple[str, ...]


def verify_log(world: World, progress: Callable[[int, int | None], None] = lambda _done, _total: None) -> LogCheck:
    """Recompute everything: each entry, each tile, the tree, the checkpoint, the projections, every signature.

    Raises:
        LedgerError: LED003, something does not fit the entries.
    """
    settings = _settings(world)
    with closing(world.ledger()) as store:
        store.verify(progress)
        log = read_log(store, read_settings(world.root).people, settings, world.root)
        root = store.root(log.size)
    return LogCheck(log.size, root.hex(), tuple(log.governance.voids), log.unsound)


def rebuild(world: World) -> int:
    """Make every projection anew from the entries; give how many entries there are."""
    with closing(world.ledger()) as store:
        store.rebuild()
        return int(store.size)


# --- checkpoints and proofs ---------------------------------------------------------------------------


def checkpoint_note(world: World) -> str | None:
    """Give the newest checkpoint that the project keeps, or none.

    Raises:
        LedgerError: LED007, the file is not a checkpoint that this project's log signed.
    """
    path = world.root / CHECKPOINT_FILE
    if not path.is_file():
        return None
    note = read_bytes(path, max_bytes=MAX_NOTE_BYTES).decode("utf-8", errors="replace")
    verify_checkpoint(note, parse_vkey(_settings(world).log_key))
    return note


def sign_head(world: World, signer: Signer) -> str:
    """Sign the log as it stands, keep the checkpoint in the log's store and in `ledger/checkpoint`, and give it.

    Raises:
        LedgerError: LED003, the log does not continue its last checkpoint: that is never signed over;
            LED007, the key is not the log's key.
    """
    settings = _settings(world)
    if log_vkey(settings.origin, signer) != settings.log_key:
        raise LedgerError(
            Problem("LED007", "this is not the key of the log", None, "use the key that `ledger init` wrote")
        )
    before = checkpoint_note(world)
    with closing(world.ledger()) as store:
        size = store.size
        root = store.root(size)
        if before is not None:
            _refuse_fork(store, before, settings, size)
        note = sign_checkpoint(Checkpoint(settings.origin, size, root), note_signer(settings.origin, ED25519, signer))
        store.add_checkpoint(note, size)
    write_text(world.root / CHECKPOINT_FILE, note)
    return note


def _refuse_fork(store: "LedgerStore", before: str, settings: LedgerSettings, size: int) -> None:
    old = verify_checkpoint(before, parse_vkey(settings.log_key)).checkpoint
    if old.size <= size:
        proof = store.consistency_proof(old.size, size)
        if extends(old.size, old.root, size, store.root(size), proof):
            return
    message = f"the log does not continue its checkpoint of {old.size} entries"
    hint = "restore the database; a log that was changed is not signed"
    raise LedgerError(Problem("LED003", message, Where(str(CHECKPOINT_FILE)), hint))


def prove(world: World, name: str) -> str:
    """Give the proof of an entry under the newest checkpoint, as a tlog-proof file.

    Raises:
        LedgerError: LED009, there is no such entry; LED007, there is no checkpoint that covers it.
    """
    logged = find_entry(world, name)
    note = checkpoint_note(world)
    size = verify_checkpoint(note, parse_vkey(_settings(world).log_key)).checkpoint.size if note else 0
    if note is None or logged.index >= size:
        hint = "sign one with `tidegate ledger checkpoint`"
        raise LedgerError(Problem("LED007", f"no checkpoint covers entry {logged.index}", None, hint))
    with closing(world.ledger()) as store:
        return tlog_proof(logged.index, store.inclusion_proof(logged.index, size), note)


# --- witnesses ----------------------------------------------------------------------------------------


def witness_request(world: World, old_size: int) -> str:
    """Give what a witness is asked to cosign: the newest checkpoint, and the proof from the size that it knows.

    Raises:
        LedgerError: LED007, there is no checkpoint; LED008, the witness knows more than there is.
    """
    note = checkpoint_note(world)
    if note is None:
        raise no_checkpoint()
    size = verify_checkpoint(note, parse_vkey(_settings(world).log_key)).checkpoint.size
    if old_size > size:
        raise LedgerError(Problem("LED008", f"the witness knows {old_size} entries, and the checkpoint has {size}"))
    with closing(world.ledger()) as store:
        proof = store.consistency_proof(old_size, size)
    return write_request(old_size, proof, note)


def add_cosignature(world: World, line: str) -> str:
    """Add a witness's line to the newest checkpoint and give it.

    Raises:
        LedgerError: LED007, the line is not a cosignature by a witness in `tidegate.yaml`.
    """
    settings, note = _settings(world), checkpoint_note(world)
    if note is None:
        raise no_checkpoint()
    witnesses = [parse_vkey(one) for one in settings.witnesses]
    log = parse_vkey(settings.log_key)
    known = len(verify_checkpoint(note, log, witnesses).cosignatures)
    lines = [f"{one}\n" for one in line.splitlines() if one.strip()]
    note = with_cosignatures(note, lines, log, witnesses)
    if len(verify_checkpoint(note, log, witnesses).cosignatures) <= known:
        hint = "add the witness's verifier key to `ledger: witnesses:` in tidegate.yaml"
        raise LedgerError(Problem("LED007", "no cosignature by a witness of this project", None, hint))
    with closing(world.ledger()) as store:
        store.add_checkpoint(note, verify_checkpoint(note, log, witnesses).checkpoint.size)
    write_text(world.root / CHECKPOINT_FILE, note)
    return note


@dataclass(frozen=True)
class Witness:
    """An independent witness: its key, the log that it watches, and where it remembers what it saw."""

    name: str
    signer: Signer
    log_key: str
    state_file: Path

    def answer(self, request: str | bytes, now: str) -> str | Refusal:
        """Give the cosignature for a request, or why it is refused. What was seen is kept before the line leaves.

        Raises:
            LedgerError: LED007, the witness is set up wrongly; LED008, what it knew cannot be read.
        """
        log = parse_vkey(self.log_key)
        cosigner = note_signer(self.name, ED25519_COSIGNATURE, self.signer)
        found = observe(self._state(), request, {log.name: log}, cosigner, int(moment(now).timestamp()))
        if isinstance(found, Refusal):
            return found
        write_text(self.state_file, write_state(found.state).decode() + "\n")
        return "".join(found.lines)

    def _state(self) -> State:
        if not self.state_file.is_file():
            return {}
        return read_state(read_bytes(self.state_file, max_bytes=MAX_STATE_BYTES), str(self.state_file))


# --- export -------------------------------------------------------------------------------------------


def export_tiles(world: World, folder: Path) -> int:
    """Write the log as static files in the layout of tiled logs; give how many files were written.

    The checkpoint comes last, so that a reader never sees a checkpoint without its tiles.

    Raises:
        LedgerError: LED007, there is no checkpoint yet.
    """
    note = checkpoint_note(world)
    if note is None:
        raise no_checkpoint()
    size = verify_checkpoint(note, parse_vkey(_settings(world).log_key)).checkpoint.size
    written = 0
    with closing(world.ledger()) as store:
        for name, data in _tiles(store, size):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_name(f".{path.name}.part")
            partial.write_bytes(data)
            os.replace(partial, path)  # noqa: PTH105 - one name over another
            written += 1
    write_text(folder / "checkpoint", note)
    return written + 1


def _tiles(store: "LedgerStore", size: int) -> Iterator[tuple[str, bytes]]:
    for tile in bundles_of(size):
        yield bundle_path(tile.index, tile.width), store.bundle(tile.index, tile.width)
    for tile in tiles_of(size):
        yield tile_path(tile.level, tile.index, tile.width), store.tile(tile.level, tile.index, tile.width)

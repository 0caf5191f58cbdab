# SPDX-License-Identifier: Apache-2.0
"""Proofs that an entry is in a log: files that anyone can verify offline (C2SP tlog-proof).

A proof holds the index of the entry, the hashes beside its way up the tree, and a log checkpoint with the
cosignatures of witnesses:

    c2sp.org/tlog-proof@v1
    index 41
    <hash in base64>

    <log checkpoint>

What is malformed or does not verify is refused with LED007.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

from tidegate.ledger.keys import decoded
from tidegate.ledger.merkle import includes, leaf_hash
from tidegate.ledger.notes import (
    HASH_BYTES,
    MAX_NOTE_BYTES,
    VerifiedCheckpoint,
    VerifierKey,
    parse_checkpoint,
    parse_hash,
    parse_note,
    parse_number,
    read_text,
    unfit,
    verify_checkpoint,
)

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 63
"""Hashes in a proof: a tree is at most that high, as its size has to stay below 2**63."""
MAX_EXTRA_BYTES = 65_536
"""Extra data is not verified, and not used here; this leaves room for what others put there."""
MAX_PROOF_BYTES = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES
"""A checkpoint, extra data in base64, and 63 lines of 45 bytes."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof, taken apart; nothing is verified."""

    index: int
    """Index of the entry."""
    path: tuple[bytes, ...] = field(repr=False)
    """Hashes beside its way, from the leaf upward."""
    note: str
    """The log checkpoint, exactly as it is written."""
    extra: bytes | None = None
    """What somebody added; nothing vouches for it."""


def tlog_proof(index: int, path: Sequence[bytes], note: str, extra: bytes | None = None) -> str:
    """Give the text of a proof.

    Args:
        index: index of the entry.
        path: its inclusion proof in the tree of the checkpoint.
        note: the log checkpoint.
        extra: further data, which is not verified.

    Raises:
        LedgerError: LED007, a part is not of the expected form.
    """
    if any(len(one) != HASH_BYTES for one in path):
        raise unfit(f"a hash in the proof is not of {HASH_BYTES} bytes")
    added = [] if extra is None else [f"extra {base64.b64encode(extra).decode()}"]
    hashes = [base64.b64encode(one).decode() for one in path]
    text = "\n".join([HEADER, *added, f"index {index}", *hashes, "", note])
    read_proof(text)
    return text


def read_proof(text: str | bytes) -> Proof:
    """Take a proof apart, without verifying it.

    Raises:
        LedgerError: LED007, it is malformed.
    """
    head, gap, note = read_text(text, "proof", MAX_PROOF_BYTES).partition("\n\n")
    first, *lines = head.split("\n")
    if first != HEADER or not gap:
        raise unfit(f"not a proof: expected {HEADER} in the first line, and an empty line before the log checkpoint")
    extra = _extra(lines.pop(0)) if lines and lines[0].startswith("extra ") else None
    if not lines or not lines[0].startswith("index "):
        raise unfit("the proof gives no index: expected a line such as `index 41`")
    index = parse_number(lines.pop(0).removeprefix("index "), "the index in the proof")
    if len(lines) > MAX_PATH:
        raise unfit(f"the proof has {len(lines):,} hashes: expected at most {MAX_PATH}")
    path = tuple(parse_hash(line, f"hash {place} of the proof") for place, line in enumerate(lines, 1))
    parse_checkpoint(parse_note(note).text)
    return Proof(index, path, note, extra)


def _extra(line: str) -> bytes:
    data = decoded(line.removeprefix("extra "))
    if data is None or len(data) > MAX_EXTRA_BYTES:
        raise unfit(f"the extra data in the proof is malformed: expected up to {MAX_EXTRA_BYTES:,} bytes in base64")
    return data


def verify_proof(
    text: str | bytes, data: bytes, log: VerifierKey, witnesses: Sequence[VerifierKey] = (), quorum: int = 0
) -> VerifiedCheckpoint:
    """Give the checkpoint under which a proof shows that the log holds an entry.

    Args:
        text: the proof.
        data: the bytes of the entry.
        log: the log's key.
        witnesses: keys of witnesses.
        quorum: how many of the witnesses have to have cosigned the checkpoint.

    Raises:
        LedgerError: LED007, the proof is malformed, does not verify, or too few witnesses cosigned.
    """
    proof = read_proof(text)
    verified = verify_checkpoint(proof.note, log, witnesses)
    found = verified.checkpoint
    if not includes(leaf_hash(data), proof.index, found.size, proof.path, found.root):
        raise unfit(f"the proof does not show that entry {proof.index} of {found.origin} is this one")
    names = {one.name for one in verified.cosignatures}
    if len(names) < quorum:
        raise unfit(f"{len(names)} witnesses cosigned the log checkpoint: expected {quorum}")
    return verified

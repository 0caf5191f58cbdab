# SPDX-License-Identifier: Apache-2.0
"""A witness: it cosigns a log's checkpoint only if the log continues the one that it cosigned before.

The requests, answers and statuses are those of C2SP tlog-witness (``add-checkpoint``). A witness that keeps its
state and its key to itself makes it impossible to show one history to some people and another to others: the log
can grow, and nothing else. Nothing here does input or output. Whoever runs a witness has to keep the new state
durably before the cosignature leaves, and to take one request at a time.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from tidegate.kernel.canonical import canonical_bytes
from tidegate.kernel.errors import LedgerError, Problem, Where
from tidegate.ledger.merkle import EMPTY_ROOT, extends
from tidegate.ledger.notes import (
    MAX_NOTE_BYTES,
    Checkpoint,
    NoteSigner,
    VerifierKey,
    add_signature,
    cosign,
    parse_checkpoint,
    parse_hash,
    parse_note,
    parse_number,
    parse_signature,
    read_text,
    unfit,
    verify_checkpoint,
)

MAX_PROOF_LINES: Final = 63
"""What a client may send (tlog-witness)."""
MAX_REQUEST_BYTES: Final = MAX_NOTE_BYTES + 4_096
"""A checkpoint, and 63 lines of 45 bytes."""
SIZE_TYPE: Final = "text/x.tlog.size"
"""Content type of an answer that gives the known size (tlog-witness)."""
STATE_SCHEMA: Final = "tidegate/witness/v1"

Status = Literal[400, 403, 404, 409, 422]
"""400 malformed, 403 not signed by the log, 404 log not known, 409 another size or root is known, 422 proof does not
verify."""


class TreeHead(NamedTuple):
    """The newest tree of a log that the witness cosigned."""

    size: int
    """How many entries it has."""
    root: bytes
    """Its root."""


State = Mapping[str, TreeHead]
"""Origin of a log -> what is known of it."""
NOTHING: Final = TreeHead(0, EMPTY_ROOT)
"""What is known of a log that was never cosigned."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to cosign a checkpoint, taken apart; nothing is verified."""

    old_size: int
    """Size from which the proof leads on: the one that the witness is thought to know."""
    proof: tuple[bytes, ...]
    """Consistency proof from there to the checkpoint."""
    note: str
    """The checkpoint, signed by the log."""

    @property
    def checkpoint(self) -> Checkpoint:
        """What the note says, which is not verified."""
        return parse_checkpoint(parse_note(self.note).text)


@dataclass(frozen=True, slots=True)
class Observed:
    """The log continues what the witness knew."""

    state: State
    """What the witness knows from now on. It has to be kept before the lines leave."""
    lines: tuple[str, ...]
    """Its cosignatures, each with its line end: the answer."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The witness does not cosign; what it knows stays as it was."""

    status: Status
    """Status of the answer, as HTTP counts."""
    reason: str
    """Why, in words."""
    known: TreeHead | None = None
    """What the witness knows of the log, if that is why."""

    @property
    def body(self) -> str:
        """Text of the answer: the known size for 409, the reason otherwise."""
        return f"{self.known.size if self.known else self.reason}\n"

    @property
    def error(self) -> LedgerError:
        """The refusal as an error, for whoever asked."""
        hint = None if self.known is None else f"the witness knows {self.known.size} entries"
        return LedgerError(Problem("LED008", f"the witness refuses ({self.status}): {self.reason}", None, hint))


def write_request(old_size: int, proof: Sequence[bytes], note: str) -> str:
    """Give the text of a request.

    Args:
        old_size: size that the witness cosigned last; 0 if it never did, or if that is not known.
        proof: consistency proof from there to the checkpoint; none for 0.
        note: the checkpoint, signed by the log.

    Raises:
        LedgerError: LED007, a part is not of the expected form.
    """
    text = "\n".join([f"old {old_size}", *(base64.b64encode(one).decode() for one in proof), "", note])
    read_request(text)
    return text


def read_request(text: str | bytes) -> Request:
    """Take a request apart, without verifying anything.

    Raises:
        LedgerError: LED007, it is malformed.
    """
    head, gap, note = read_text(text, "request", MAX_REQUEST_BYTES).partition("\n\n")
    first, *lines = head.split("\n")
    if not gap or not first.startswith("old "):
        raise unfit("not a request: expected a line such as `old 41`, and an empty line before the log checkpoint")
    old_size = parse_number(first.removeprefix("old "), "the old size in the request")
    if len(lines) > MAX_PROOF_LINES:
        raise unfit(f"the request has {len(lines):,} hashes: expected at most {MAX_PROOF_LINES}")
    proof = tuple(parse_hash(line, f"hash {place} of the request") for place, line in enumerate(lines, 1))
    parse_checkpoint(parse_note(note).text)
    return Request(old_size, proof, note)


def observe(
    state: State, request: str | bytes, logs: Mapping[str, VerifierKey], signer: NoteSigner, at_seconds: int
) -> Observed | Refusal:
    """Give the cosignature for a checkpoint that continues what is known of its log, or why there is none.

    Args:
        state: what the witness knows.
        request: what it was sent.
        logs: origin -> key of every log that it watches.
        signer: the witness's own key.
        at_seconds: the time, in seconds since 1970.

    Raises:
        LedgerError: LED007, the witness itself is set up wrongly: its key is that of the log, or is none of a witness.
    """
    try:
        asked = read_request(request)
        new = asked.checkpoint
    except LedgerError as error:
        return Refusal(400, error.problems[0].message)
    log = logs.get(new.origin)
    if log is None:
        return Refusal(404, f"the log {new.origin} is not watched here")
    if log.public == signer.public:
        raise unfit(f"the witness {signer.name} has the key of the log {new.origin}: expected one of its own")
    try:
        verify_checkpoint(asked.note, log)
    except LedgerError as error:
        return Refusal(403, error.problems[0].message)
    refused = _judge(asked, new, state.get(new.origin, NOTHING))
    if refused is not None:
        return refused
    line = cosign(asked.note, signer, at_seconds)
    return Observed({**state, new.origin: TreeHead(new.size, new.root)}, (line,))


def _judge(asked: Request, new: Checkpoint, known: TreeHead) -> Refusal | None:
    """Tell why a checkpoint does not continue the known one, in the order of tlog-witness; none if it does."""
    if asked.old_size > new.size:
        return Refusal(400, f"the old size {asked.old_size} is larger than that of the log checkpoint, {new.size}")
    if asked.old_size != known.size:
        return Refusal(409, f"the request leads on from {asked.old_size} entries", known)
    if new.size == known.size and new.root != known.root:
        return Refusal(409, f"the log shows another tree of {new.size} entries than before", known)
    if not extends(known.size, known.root, new.size, new.root, asked.proof):
        return Refusal(422, f"the proof does not show that the {known.size} known entries are still the first")
    return None


def with_cosignatures(note: str, lines: Sequence[str], log: VerifierKey, witnesses: Sequence[VerifierKey] = ()) -> str:
    """Give a log's checkpoint with the cosignatures that witnesses answered; those of unknown keys are left out.

    Raises:
        LedgerError: LED007, the note or a line is malformed, or a cosignature by a known witness does not hold.
    """
    known = {(one.name, one.key_id) for one in witnesses}
    cosigned = note
    for line in lines:
        one = parse_signature(line)
        if (one.name, one.key_id) in known:
            cosigned = add_signature(cosigned, one.line)
    verify_checkpoint(cosigned, log, witnesses)
    return cosigned


# --- state --------------------------------------------------------------------------------------------


def write_state(state: State) -> bytes:
    """Give what a witness knows as canonical JSON."""
    logs = {origin: {"size": str(head.size), "root": head.root.hex()} for origin, head in state.items()}
    return canonical_bytes({"schema": STATE_SCHEMA, "logs": logs})


def read_state(data: bytes, file: str = "witness state") -> State:
    """Give what a witness knows. What cannot be read is an error, for a witness that forgets would cosign anything.

    Raises:
        LedgerError: LED008, the state is malformed.
    """
    heads: dict[str, TreeHead] | None
    try:
        heads = {origin: _head(head) for origin, head in json.loads(data)["logs"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, LedgerError):
        heads = None
    if heads is None or write_state(heads) != data.strip():
        hint = "take it from a copy; with an empty state the witness would cosign any history"
        raise LedgerError(Problem("LED008", "what the witness knew cannot be read", Where(file), hint))
    return heads


def _head(head: Any) -> TreeHead:
    root = bytes.fromhex(head["root"])
    if len(root) != len(EMPTY_ROOT):
        raise ValueError("not a tree head")
    return TreeHead(parse_number(head["size"], "the size"), root)

# SPDX-License-Identifier: Apache-2.0
"""Signed notes, log checkpoints and the cosignatures of witnesses, in the formats of C2SP.

The formats are those of signed-note, tlog-checkpoint and tlog-cosignature (c2sp.org). A log checkpoint is a note
whose text names the log, how many entries it has, and the root of its tree:

    example.org/log
    42
    <root in base64>

    — example.org/log <key id and signature in base64>
    — witness.example.net <key id, time and cosignature in base64>

Signatures by keys that nobody named are ignored. A signature that claims to be by a named key has to hold.
Whatever is malformed or does not verify is refused with LED007.
"""

import base64
import hashlib
import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tidegate.kernel.errors import LedgerError, Problem, SigningError
from tidegate.ledger.keys import ED25519 as SSH_ED25519
from tidegate.ledger.keys import Signer, decoded, public_parts, public_text

ED25519: Final = 0x01
"""Signature by a log: Ed25519 over the note's text (signed-note)."""
ED25519_COSIGNATURE: Final = 0x04
"""Cosignature by a witness: Ed25519 over a time and the note's text (tlog-cosignature)."""
MLDSA44_COSIGNATURE: Final = 0x06
"""Cosignature in ML-DSA-44 (FIPS 204), which holds against quantum computers; a log may sign with it too."""

MAX_NOTE_BYTES = 262_144
"""Room for 32 of the largest signatures in use: post-quantum ones take nearly 5 kB, and base64 a third more."""
MAX_SIGNATURES = 32
"""Verifiers have to accept 16 (signed-note); more than a log and a few dozen witnesses would only cost time."""
MAX_NAME_BYTES = 255
"""What ML-DSA-44 cosignatures sign gives the lengths of names in one byte."""
MAX_SIZE = 2**63 - 1
"""A tree of this many leaves has proofs of at most 63 hashes."""
MAX_SECONDS = 2**63 - 1
"""The latest time that a cosignature may give (tlog-cosignature)."""
HASH_BYTES = 32

_KEY_BYTES = {ED25519: 32, ED25519_COSIGNATURE: 32, MLDSA44_COSIGNATURE: 1312}
_SIGNATURE_BYTES = {ED25519: 64, ED25519_COSIGNATURE: 64, MLDSA44_COSIGNATURE: 2420}
_TIMED = (ED25519_COSIGNATURE, MLDSA44_COSIGNATURE)
_DASH = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_TOO_OLD = "install a version of the package cryptography that has ML-DSA, 50 for one"


def unfit(message: str, hint: str | None = None) -> LedgerError:
    """Give the error for a note or proof that is malformed or does not verify."""
    return LedgerError(Problem("LED007", message, None, hint))


# --- keys ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key by which notes are verified.

    Raises:
        LedgerError: LED007, the name or the key is not of the expected form.
    """

    name: str
    """Name of the log or witness, as signature lines give it."""
    algorithm: int
    """Type of signature: 1 for a log, 4 or 6 for a witness."""
    public: bytes = field(repr=False)
    """The raw public key."""

    def __post_init__(self) -> None:
        if not _is_name(self.name) or len(self.name.encode()) > MAX_NAME_BYTES:
            raise unfit(f"{_shown(self.name)} is not the name of a key: expected no spaces and no +, up to 255 bytes")
        length = _KEY_BYTES.get(self.algorithm)
        if length is None:
            raise unfit(f"signatures of type {self.algorithm} are not known: expected 1, 4 or 6")
        if len(self.public) != length:
            raise unfit(f"the key {self.name} has {len(self.public):,} bytes: expected {length:,}")
        if self.algorithm != MLDSA44_COSIGNATURE:
            _check_point(self.name, self.public)

    @property
    def key_id(self) -> bytes:
        """The four bytes that signature lines name the key by (signed-note)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The key as text: ``name+id+key``."""
        encoded = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @property
    def label(self) -> str:
        """Name and id, for messages."""
        return f"{self.name}+{self.key_id.hex()}"


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A key that signs notes."""

    name: str
    """Name of the log or witness."""
    algorithm: int
    """Type of signature: 1 for a log, 4 or 6 for a witness."""
    public: bytes = field(repr=False)
    """The raw public key."""
    sign: Callable[[bytes], bytes] = field(repr=False)
    """Gives the raw signature over bytes."""

    @property
    def key(self) -> VerifierKey:
        """The key that verifies what this one signs."""
        return VerifierKey(self.name, self.algorithm, self.public)


def parse_vkey(text: str) -> VerifierKey:
    """Give the key that a text such as ``example.org/log+1a2b3c4d+AQ...`` stands for.

    >>> parse_vkey("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k").name
    'example.com/foo'

    Raises:
        LedgerError: LED007, it is not such a text, or its parts contradict each other.
    """
    name, _, rest = text.partition("+")
    _key_id, _, encoded = rest.partition("+")
    # Base64 of the longest key is 1,752 characters.
    data = decoded(encoded) if len(text) <= MAX_NAME_BYTES + 2_000 else None
    if not data:
        raise unfit(f"{_shown(text)} is not a verifier key", "a verifier key is written name+id+key in base64")
    key = VerifierKey(name, data[0], data[1:])
    if key.text != text:
        raise unfit(f"the id in the verifier key {_shown(text)} is not that of its name and key: expected {key.label}")
    return key


def note_signer(name: str, algorithm: int, signer: Signer) -> NoteSigner:
    """Give a signer of notes that uses a person's or log's Ed25519 key.

    Raises:
        LedgerError: LED007, the key is on a token, or the name is not one.
    """
    parts = public_parts(signer.public_key)
    if parts.kind != SSH_ED25519 or algorithm not in (ED25519, ED25519_COSIGNATURE):
        raise unfit(f"{signer.fingerprint} cannot sign notes as {name}: expected a plain Ed25519 key")
    return NoteSigner(name, algorithm, parts.point, lambda data: decoded(signer.sign(data)) or b"")


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(one.isspace() for one in name) and _is_plain(name)


def _is_plain(text: str) -> bool:
    """Tell whether text can be written in UTF-8 and has no control characters but line ends."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return not _CONTROL.search(text)


def _check_point(name: str, public: bytes) -> None:
    try:
        public_text(public)
    except SigningError as error:
        raise unfit(f"the key {name} does not do: {error.problems[0].message}") from None


# --- notes --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A signature line, taken apart; nothing is verified."""

    name: str
    """Name of the key."""
    key_id: bytes
    """Its id, four bytes."""
    value: bytes = field(repr=False)
    """What follows the id: for cosignatures a time and the signature."""

    @property
    def line(self) -> str:
        """The line, with its end."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A signed note, taken apart; nothing is verified."""

    text: str
    """What is signed, with the end of its last line."""
    signatures: tuple[NoteSignature, ...]
    """Its signature lines, in their order."""

    @property
    def printed(self) -> str:
        """The note as it is written."""
        return self.text + "\n" + "".join(one.line for one in self.signatures)


def read_text(data: str | bytes, what: str, limit: int) -> str:
    """Give text that is UTF-8, without control characters but line ends, and within a limit.

    Raises:
        LedgerError: LED007, it is not.
    """
    if len(data) > limit:
        raise unfit(f"the {what} is too large: expected at most {limit:,} bytes")
    try:
        text = data.decode() if isinstance(data, bytes) else data
        size = len(text.encode())
    except UnicodeError:
        raise unfit(f"the {what} is not UTF-8 text") from None
    if size > limit:
        raise unfit(f"the {what} is too large: expected at most {limit:,} bytes")
    found = _CONTROL.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise unfit(f"line {line} of the {what} holds a control character: expected line ends and no others")
    return text


def parse_note(note: str | bytes) -> Note:
    """Take a signed note apart, without verifying anything.

    Raises:
        LedgerError: LED007, it is malformed.
    """
    text = read_text(note, "signed note", MAX_NOTE_BYTES)
    body, gap, rest = text.rpartition("\n\n")
    if not gap or not rest.endswith("\n"):
        raise unfit("not a signed note: expected text, an empty line, and signature lines, each with its line end")
    lines = rest[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise unfit(f"the signed note has {len(lines):,} signatures: expected at most {MAX_SIGNATURES}")
    return Note(body + "\n", tuple(parse_signature(line) for line in lines))


def parse_signature(line: str) -> NoteSignature:
    """Take a signature line apart; its line end may be missing.

    Raises:
        LedgerError: LED007, it is malformed.
    """
    plain = line.removesuffix("\n")
    name, _, encoded = plain.removeprefix(_DASH).partition(" ")
    data = decoded(encoded)
    if not plain.startswith(_DASH) or not _is_name(name) or data is None or len(data) < 5:
        raise unfit(f"not a signature line: expected {_DASH}<name> <base64>, found {_shown(plain)}")
    return NoteSignature(name, data[:4], data[4:])


def add_signature(note: str, line: str) -> str:
    """Give the note with one more signature line; it takes the place of an earlier one by the same key.

    Raises:
        LedgerError: LED007, the note or the line is malformed, or the note is full.
    """
    parsed, added = parse_note(note), parse_signature(line)
    kept = tuple(one for one in parsed.signatures if (one.name, one.key_id) != (added.name, added.key_id))
    if len(kept) >= MAX_SIGNATURES:
        raise unfit(f"the signed note has {len(kept)} signatures already, and takes no more")
    printed = Note(parsed.text, (*kept, added)).printed
    return read_text(printed, "signed note", MAX_NOTE_BYTES)


def sign_text(text: str, signer: NoteSigner, seconds: int = 0) -> NoteSignature:
    """Give a signature over a note's text.

    Raises:
        LedgerError: LED007, the text is no checkpoint where the type of signature asks for one, the time is out of
            range, or the signer gave a signature that does not hold.
    """
    key = signer.key
    if not 0 <= seconds <= MAX_SECONDS:
        raise unfit(f"the time {seconds} is out of range: expected seconds since 1970")
    value = signer.sign(_message(key, text, seconds))
    timed = struct.pack(">Q", seconds) + value if key.algorithm in _TIMED else value
    made = NoteSignature(key.name, key.key_id, timed)
    # Keys may be in agents or tokens, which are other programs: what they give is checked before it leaves.
    _time_of(key, text, made)
    return made


def signed_by(note: Note, keys: Iterable[VerifierKey]) -> dict[VerifierKey, int]:
    """Give those of the keys that signed a note, each with the newest time it gave (0 where it gives none).

    Raises:
        LedgerError: LED007, a signature by one of the keys does not hold, or two keys have the same name and id.
    """
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.key_id), key) != key:
            raise unfit(f"two different keys go by {key.label}")
    found: dict[VerifierKey, int] = {}
    for one in note.signatures:
        key_of_line = known.get((one.name, one.key_id))
        if key_of_line is not None:
            seconds = _time_of(key_of_line, note.text, one)
            found[key_of_line] = max(seconds, found.get(key_of_line, 0))
    return found


def _time_of(key: VerifierKey, text: str, signature: NoteSignature) -> int:
    """Verify a signature by a key, and give its time."""
    seconds, value = 0, signature.value
    is_timed = key.algorithm in _TIMED
    if len(value) != _SIGNATURE_BYTES[key.algorithm] + 8 * is_timed:
        raise unfit(f"the signature by {key.label} has {len(value):,} bytes, which no signature of its type has")
    if is_timed:
        seconds, value = struct.unpack_from(">Q", value)[0], value[8:]
        if seconds > MAX_SECONDS:
            raise unfit(f"the time in the signature by {key.label} is out of range")
    if not _holds(key, _message(key, text, seconds), value):
        raise unfit(f"the signature by {key.label} does not hold: the note was changed, or another key signed it")
    return seconds


def _message(key: VerifierKey, text: str, seconds: int) -> bytes:
    """Give the bytes that a key signs for a note's text."""
    if key.algorithm == ED25519:
        return text.encode()
    if key.algorithm == ED25519_COSIGNATURE:
        return f"cosignature/v1\ntime {seconds}\n{text}".encode()
    found = parse_checkpoint(text)
    return subtree_message(key.name, seconds, found.origin, (0, found.size), found.root)


def subtree_message(name: str, seconds: int, origin: str, leaves: tuple[int, int], root: bytes) -> bytes:
    """Give what an ML-DSA-44 cosignature signs (tlog-cosignature, ``cosigned_message``).

    Args:
        name: name of the cosigner.
        seconds: when it signs.
        origin: origin of the log.
        leaves: first leaf, and the one after the last; a checkpoint's begin at 0.
        root: root of the tree over them.

    Raises:
        LedgerError: LED007, a name is too long.
    """
    names = [one.encode() for one in (name, origin)]
    if not all(1 <= len(one) <= MAX_NAME_BYTES for one in names):
        raise unfit(f"ML-DSA-44 cosignatures take names of 1 to {MAX_NAME_BYTES} bytes: the origin is {_shown(origin)}")
    cosigner, log = (bytes([len(one)]) + one for one in names)
    return b"subtree/v1\n\x00" + cosigner + struct.pack(">Q", seconds) + log + struct.pack(">QQ", *leaves) + root


class _PublicKey(Protocol):
    def verify(self, signature: bytes, data: bytes, /) -> None: ...


def _public_key(key: VerifierKey) -> _PublicKey:
    if key.algorithm != MLDSA44_COSIGNATURE:
        return Ed25519PublicKey.from_public_bytes(key.public)
    try:
        # Older versions of cryptography have no such module, and some builds no such algorithm.
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey  # noqa: PLC0415

        return MLDSA44PublicKey.from_public_bytes(key.public)
    except (ImportError, UnsupportedAlgorithm):
        raise unfit(f"ML-DSA-44 is not available here, and {key.label} signs with it", _TOO_OLD) from None


def _holds(key: VerifierKey, message: bytes, signature: bytes) -> bool:
    try:
        _public_key(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# --- checkpoints --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: how many entries it has, and the root of its tree.

    Raises:
        LedgerError: LED007, a part is not of the expected form.
    """

    origin: str
    """Names the log: an address without scheme that no other log uses."""
    size: int
    """How many entries it has."""
    root: bytes
    """Root of the tree over them."""
    extensions: tuple[str, ...] = ()
    """Lines that other programs added; they mean nothing here."""

    def __post_init__(self) -> None:
        if not self.origin or not all(_is_line(one) for one in (self.origin, *self.extensions)):
            raise unfit("a line of the log checkpoint is empty or holds control characters")
        if not 0 <= self.size <= MAX_SIZE:
            raise unfit(f"the log checkpoint gives {self.size} entries: expected 0 to {MAX_SIZE}")
        if len(self.root) != HASH_BYTES:
            raise unfit(f"the root in the log checkpoint has {len(self.root)} bytes: expected {HASH_BYTES}")

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


class Cosignature(NamedTuple):
    """That a witness saw a checkpoint."""

    name: str
    """Name of the witness."""
    seconds: int
    """When, in seconds since 1970, as the witness says; 0 if it gives no time."""


class VerifiedCheckpoint(NamedTuple):
    """A checkpoint that the log signed, and who cosigned it."""

    checkpoint: Checkpoint
    """What the log signed. Whether its origin is the log that was asked for is for the caller to compare."""
    cosignatures: tuple[Cosignature, ...]
    """Cosignatures by named witnesses, all of which hold."""


def parse_number(text: str, what: str) -> int:
    """Give a number without leading zeros, at most `MAX_SIZE`.

    Raises:
        LedgerError: LED007, it is not one.
    """
    if not _NUMBER.fullmatch(text) or int(text) > MAX_SIZE:
        raise unfit(f"{what}: expected a number without leading zeros, found {_shown(text)}")
    return int(text)


def parse_hash(text: str, what: str) -> bytes:
    """Give a hash from base64.

    Raises:
        LedgerError: LED007, it is not one.
    """
    data = decoded(text)
    if data is None or len(data) != HASH_BYTES:
        raise unfit(f"{what}: expected {HASH_BYTES} bytes in base64, found {_shown(text)}")
    return data


def parse_checkpoint(text: str) -> Checkpoint:
    """Give the checkpoint that a note's text stands for.

    Raises:
        LedgerError: LED007, it is not one.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop() or not all(lines):
        raise unfit("not a log checkpoint: expected lines for origin, size and root, none of them empty")
    origin, size, root, *extensions = lines
    entries = parse_number(size, "line 2 of the log checkpoint")
    return Checkpoint(origin, entries, parse_hash(root, "line 3 of the log checkpoint"), tuple(extensions))


def sign_checkpoint(checkpoint: Checkpoint, signer: NoteSigner) -> str:
    """Give a log checkpoint as a note, signed by the log.

    Raises:
        LedgerError: LED007, the signer is a witness's, or gave a signature that does not hold.
    """
    if signer.algorithm == ED25519_COSIGNATURE:
        raise unfit(f"{signer.key.label} is a witness's key: expected the log's own")
    _check_covered(checkpoint, signer.key)
    return Note(checkpoint.text, (sign_text(checkpoint.text, signer),)).printed


def cosign(note: str, signer: NoteSigner, at_seconds: int) -> str:
    """Give a witness's signature line for a log checkpoint. Whether it may be given, `witnessing` decides.

    Args:
        note: the checkpoint, signed by the log.
        signer: the witness's key.
        at_seconds: when, in seconds since 1970.

    Raises:
        LedgerError: LED007, the note is not a checkpoint, the key is not a witness's, or the time is out of range.
    """
    text = parse_note(note).text
    parse_checkpoint(text)
    _check_witness(signer.key)
    return sign_text(text, signer, at_seconds).line


def verify_checkpoint(note: str | bytes, log: VerifierKey, witnesses: Sequence[VerifierKey] = ()) -> VerifiedCheckpoint:
    """Give the checkpoint that a log signed, with the cosignatures of those witnesses who cosigned it.

    Args:
        note: the checkpoint.
        log: the log's key; the note has to carry its signature.
        witnesses: keys of witnesses. None of them has to have cosigned, but a cosignature by one has to hold.

    Raises:
        LedgerError: LED007, it is malformed or does not verify, or the keys are not independent of each other.
    """
    parsed = parse_note(note)
    checkpoint = parse_checkpoint(parsed.text)
    chosen = tuple(dict.fromkeys(witnesses))
    check_independent(log, chosen)
    _check_covered(checkpoint, log)
    found = signed_by(parsed, (log, *chosen))
    if log not in found:
        raise unfit(f"the log checkpoint is not signed by {log.label}", f"signed by: {_names(parsed)}")
    seen = tuple(Cosignature(one.name, found[one]) for one in chosen if one in found)
    return VerifiedCheckpoint(checkpoint, seen)


def _check_covered(checkpoint: Checkpoint, log: VerifierKey) -> None:
    if log.algorithm == MLDSA44_COSIGNATURE and checkpoint.extensions:
        raise unfit("the log checkpoint has further lines, which a signature in ML-DSA-44 does not cover")


def _check_witness(key: VerifierKey) -> None:
    if key.algorithm not in _TIMED:
        raise unfit(f"{key.label} is not a witness's key: expected type 4 or 6, found {key.algorithm}")


def check_independent(log: VerifierKey, witnesses: Sequence[VerifierKey]) -> None:
    """Make sure that as many parties stand behind the keys as there are names."""
    holders = {log.public: log}
    for one in witnesses:
        _check_witness(one)
        other = holders.setdefault(one.public, one)
        if other is not one:
            raise unfit(f"{one.label} and {other.label} are the same key, so they are not two parties")


def _is_line(text: str) -> bool:
    return bool(text) and "\n" not in text and _is_plain(text)


def _names(note: Note) -> str:
    return ", ".join(_shown(f"{one.name}+{one.key_id.hex()}") for one in note.signatures)


def _shown(text: str) -> str:
    """Give the start of text that somebody else wrote, fit for a message."""
    return ascii(text if len(text) <= 80 else text[:80] + "...")

# SPDX-License-Identifier: Apache-2.0
"""Keys that an ssh-agent holds: list them, and sign with them. The private key never leaves the agent or its token.

The protocol is that of the IETF draft ``draft-ietf-sshm-ssh-agent``: each message is its length (uint32), its number
and its content, on a Unix socket. Two requests are used: 11 (list, answered by 12) and 13 (sign, answered by 14).
"""

import base64
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tidegate.kernel.errors import Problem, SigningError, Where
from tidegate.ledger.keys import (
    TOKEN,
    PublicParts,
    Signer,
    parts_of_blob,
    public_parts,
    put_string,
    take_string,
    verify_signature,
)

LIST_SECONDS = 5.0
"""An agent lists its keys from memory; one that takes longer does not answer."""
SIGN_SECONDS = 90.0
"""A person has to find and touch the token, or to confirm on the screen."""
MAX_MESSAGE_BYTES = 262_144
"""OpenSSH's agent refuses longer messages (AGENT_MAX_LEN)."""
MAX_KEYS = 2_048
"""OpenSSH's agent holds no more keys."""

_LIST, _LISTED, _SIGN, _SIGNED = 11, 12, 13, 14


@dataclass(frozen=True, slots=True)
class AgentKey:
    """A key that the agent holds, of a kind that can sign here."""

    public_key: str
    """The key, as OpenSSH text."""
    fingerprint: str
    """Its fingerprint."""
    comment: str
    """What its owner calls it."""


@dataclass(frozen=True, slots=True)
class AgentSigner:
    """A key that signs through an agent."""

    path: Path
    """The agent's socket."""
    public_key: str
    """The key, as OpenSSH text."""
    fingerprint: str
    """Its fingerprint."""
    seconds: float = SIGN_SECONDS
    """How long to wait for a signature."""

    def sign(self, data: bytes) -> str:
        """Give the signature over `data` in base64.

        Raises:
            SigningError: KEY005, the agent does not answer, refuses, or gives something that is no such signature.
        """
        parts = public_parts(self.public_key)
        request = put_string(parts.blob) + put_string(data) + struct.pack(">I", 0)
        content = _asked(self.path, _SIGN, request, self.seconds)
        if content[:1] != bytes((_SIGNED,)):
            hint = "unlock the agent, confirm on its screen or touch the token, then try again"
            raise _unusable(self.path, f"the agent refuses to sign with {self.fingerprint}", hint)
        value = _signature(self.path, parts, content[1:])
        if not verify_signature(self.public_key, data, value):
            raise _unusable(self.path, f"the agent gave a signature that is not by {self.fingerprint}")
        return value


def agent_keys(path: Path, *, seconds: float = LIST_SECONDS) -> tuple[AgentKey, ...]:
    """Give the keys that an agent holds; kinds that cannot sign here are left out.

    Args:
        path: the agent's socket.
        seconds: how long to wait for it.

    Raises:
        SigningError: KEY005, the agent cannot be reached or does not keep to its protocol.
    """
    content = _asked(path, _LIST, b"", seconds)
    if content[:1] != bytes((_LISTED,)):
        raise _unusable(path, "the agent refuses to list its keys", "unlock it with ssh-add -X")
    found: list[AgentKey] = []
    try:
        (count,) = struct.unpack_from(">I", content, 1)
        rest = content[5:]
        if count > MAX_KEYS:
            raise ValueError
        for _ in range(count):
            blob, rest = take_string(rest)
            comment, rest = take_string(rest)
            found += _known(blob, comment)
    except (ValueError, struct.error):
        raise _unusable(path, "the agent's list of keys is malformed") from None
    return tuple(found)


def agent_signer(path: Path, key: str, *, seconds: float = SIGN_SECONDS) -> Signer:
    """Give the key that signs through an agent.

    Args:
        path: the agent's socket.
        key: fingerprint of the key, or its public key as OpenSSH text.
        seconds: how long to wait for a signature.

    Raises:
        SigningError: KEY005, the agent cannot be reached or does not hold the key.
    """
    held = agent_keys(path)
    for one in held:
        if key in (one.fingerprint, one.public_key):
            return AgentSigner(path, one.public_key, one.fingerprint, seconds)
    hint = f"it holds {', '.join(one.fingerprint for one in held[:5]) or 'no Ed25519 key'}; add the key with ssh-add"
    raise _unusable(path, "the agent does not hold this key", hint)


def _known(blob: bytes, comment: bytes) -> Iterator[AgentKey]:
    try:
        parts = parts_of_blob(blob)
    except SigningError:
        return
    yield AgentKey(parts.text, parts.fingerprint, comment.decode("utf-8", "replace")[:200])


def _signature(path: Path, parts: PublicParts, content: bytes) -> str:
    """Give a signature as it stands in entries, from the blob that an agent answers with."""
    try:
        blob, after = take_string(content)
        kind, rest = take_string(blob)
        value, rest = take_string(rest)
    except ValueError:
        raise _unusable(path, "the agent's signature is malformed") from None
    if kind.decode("ascii", "replace") != parts.kind or len(value) != 64 or after:
        raise _unusable(path, "the agent's signature is of another kind than its key")
    return base64.b64encode(put_string(value) + rest if parts.kind == TOKEN else value + rest).decode()


# --- messages -----------------------------------------------------------------------------------------


def _asked(path: Path, number: int, content: bytes, seconds: float) -> bytes:
    """Send one request, and give the answer from its number on."""
    if 1 + len(content) > MAX_MESSAGE_BYTES:
        raise _unusable(path, "what is to be signed is too long for an agent")
    until = time.monotonic() + seconds
    with _connected(path, until) as connection:
        connection.sendall(struct.pack(">IB", 1 + len(content), number) + content)
        (length,) = struct.unpack(">I", _received(connection, 4, until))
        if not 1 <= length <= MAX_MESSAGE_BYTES:
            raise _unusable(path, f"the agent announces an answer of {length:,} bytes")
        return _received(connection, length, until)


@contextmanager
def _connected(path: Path, until: float) -> Iterator[socket.socket]:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(max(until - time.monotonic(), 0.001))
            connection.connect(str(path))
            yield connection
    except TimeoutError:
        raise _unusable(path, "the agent does not answer in time") from None
    except (OSError, ValueError) as error:
        hint = "start ssh-agent and add the key with ssh-add, or name a private key file"
        shown = getattr(error, "strerror", None) or str(error)
        raise _unusable(path, f"the agent cannot be reached: {shown}", hint) from None


def _received(connection: socket.socket, length: int, until: float) -> bytes:
    """Give exactly so many bytes. The time runs for the whole answer, not anew for every byte of it."""
    parts: list[bytes] = []
    missing = length
    while missing:
        connection.settimeout(max(until - time.monotonic(), 0.001))
        part = connection.recv(missing)
        if not part:
            raise OSError("it hung up")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _unusable(path: Path, message: str, hint: str | None = None) -> SigningError:
    return SigningError(Problem("KEY005", message, Where(str(path)), hint))

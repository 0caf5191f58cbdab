# SPDX-License-Identifier: Apache-2.0
"""Keys that sign for people: Ed25519, in the formats of OpenSSH, so that people may use keys and agents they have.

A public key is OpenSSH text without its comment: ``ssh-ed25519 AAAA...``, or ``sk-ssh-ed25519@openssh.com AAAA...``
for a key on a hardware token. A private key is a file in OpenSSH's own format, encrypted under a passphrase.

A signature is text, in base64 without line breaks:

- ``ssh-ed25519``: the 64 bytes of RFC 8032 over the message.
- ``sk-ssh-ed25519@openssh.com``: 73 bytes, ``uint32 64 || signature (64) || flags (1) || counter (uint32)``, numbers
  big-endian, as in an OpenSSH signature blob after its key type (OpenSSH PROTOCOL.u2f). The token signs
  ``SHA-256(application) || flags || counter || SHA-256(message)``; bit 0 of the flags, the presence of a person,
  has to be set.
"""

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final, Literal, NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tidegate.kernel.errors import Problem, SigningError, Where

ED25519: Final = "ssh-ed25519"
TOKEN: Final = "sk-ssh-ed25519@openssh.com"  # noqa: S105 - the name of a kind of key
PRESENCE = 0x01
"""Flag of a token's signature: a person was there (FIDO CTAP2, section 6.1)."""
MAX_KEY_FILE_BYTES = 16_384
"""OpenSSH writes an Ed25519 key in about 500 bytes; the rest is room for a long comment."""
MAX_PUBLIC_TEXT = 500
"""A public key takes 80 characters; the application of a token's key makes it somewhat longer."""
DEFAULT_ROUNDS = 32
"""Rounds of bcrypt for new key files: more than OpenSSH's own default, so that guessing takes long."""
MAX_ROUNDS = 4_096
"""More rounds in a key file would keep the reader busy for longer than half a minute before the passphrase is checked."""

_MAGIC = b"openssh-key-v1\x00"
_BEGIN, _END = b"-----BEGIN OPENSSH PRIVATE KEY-----", b"-----END OPENSSH PRIVATE KEY-----"
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_ORDER_EIGHT = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset({0, 1, _P - 1, _ORDER_EIGHT, _P - _ORDER_EIGHT})
"""y of the points of order 1, 2, 4 and 8: under such a key, signatures over everything hold."""


class Signer(Protocol):
    """Something that signs with one key."""

    @property
    def public_key(self) -> str:
        """The public key, as OpenSSH text."""

    @property
    def fingerprint(self) -> str:
        """Its fingerprint."""

    def sign(self, data: bytes) -> str:
        """Give the signature over `data` in base64."""


@dataclass(frozen=True, slots=True)
class PublicParts:
    """A public key, taken apart."""

    kind: Literal["ssh-ed25519", "sk-ssh-ed25519@openssh.com"]
    """Kind of key."""
    point: bytes
    """The 32 bytes of the public key itself."""
    application: bytes | None
    """What a token's key was made for, such as ``ssh:``; none for a key that is not on a token."""
    blob: bytes
    """The key in OpenSSH's wire format: what the fingerprint is over."""

    @property
    def text(self) -> str:
        """The key as OpenSSH text."""
        return f"{self.kind} {base64.b64encode(self.blob).decode()}"

    @property
    def fingerprint(self) -> str:
        """The fingerprint, as ``ssh-keygen -l`` shows it."""
        return f"SHA256:{base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip('=')}"


@lru_cache(maxsize=1024)
def public_parts(text: str) -> PublicParts:
    """Give the parts of a public key; there is one text for one key.

    Raises:
        SigningError: KEY001, it is not of a supported kind, not canonical, or weak.
    """
    kind, _, encoded = text.partition(" ")
    if kind not in (ED25519, TOKEN) or len(text) > MAX_PUBLIC_TEXT:
        raise _unfit("not a public key of a supported kind", f"supported are {ED25519} and {TOKEN}")
    blob = decoded(encoded)
    if blob is None:
        raise _unfit("the public key is not in base64")
    return parts_of_blob(blob, kind)


def parts_of_blob(blob: bytes, expected: str | None = None) -> PublicParts:
    """Give the parts of a public key in OpenSSH's wire format. Raises as `public_parts` does."""
    try:
        named, rest = take_string(blob)
        point, rest = take_string(rest)
        application, rest = take_string(rest) if named == TOKEN.encode() else (None, rest)
    except ValueError:
        raise _unfit("the public key is cut short") from None
    kind = named.decode("ascii", "replace")
    if kind not in (ED25519, TOKEN) or (expected is not None and kind != expected):
        raise _unfit("the public key is of another kind than it says")
    if rest:
        raise _unfit("something follows the public key")
    if not _is_sound(point):
        raise _unfit("the public key is not a canonical point of Ed25519, or a weak one")
    if application is not None and not application.startswith(b"ssh:"):
        raise _unfit("the token's key was made for something else than SSH", "make one with ssh-keygen -t ed25519-sk")
    return PublicParts(ED25519 if kind == ED25519 else TOKEN, point, application, blob)


def public_text(point: bytes) -> str:
    """Give the OpenSSH text of an Ed25519 public key of 32 bytes.

    Raises:
        SigningError: KEY001, it is not such a key.
    """
    return parts_of_blob(put_string(ED25519.encode()) + put_string(point)).text


def fingerprint(public_key: str) -> str:
    """Give the fingerprint of a public key, as ``ssh-keygen -l`` shows it.

    >>> fingerprint("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea")
    'SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8'

    Raises:
        SigningError: KEY001, it is not a public key.
    """
    return public_parts(public_key).fingerprint


def verify_signature(public_key: str, data: bytes, signature: str) -> bool:
    """Tell whether a signature over `data` holds; whatever is malformed does not."""
    try:
        key = public_parts(public_key)
    except SigningError:
        return False
    value = decoded(signature)
    if value is None:
        return False
    if key.application is None:
        return _holds(key.point, value, data)
    if len(value) != 73 or value[:4] != struct.pack(">I", 64) or not value[68] & PRESENCE:
        return False
    under = hashlib.sha256(key.application).digest() + value[68:] + hashlib.sha256(data).digest()
    return _holds(key.point, value[4:68], under)


def new_private_key(passphrase: bytes | None, *, rounds: int = DEFAULT_ROUNDS) -> tuple[bytes, str]:
    """Give a new key: the private key file, and the public key as text.

    Args:
        passphrase: what the file is encrypted under; none leaves it open to whoever reads the file.
        rounds: rounds of bcrypt that turn the passphrase into a key.
    """
    key = Ed25519PrivateKey.generate()
    encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.PrivateFormat.OpenSSH.encryption_builder().kdf_rounds(rounds).build(passphrase)
    file = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, encryption)
    return file, public_text(key.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True)
class FileSigner:
    """A key that was read from its file."""

    _key: Ed25519PrivateKey = field(repr=False)
    public_key: str
    """The public key, as OpenSSH text."""
    fingerprint: str
    """Its fingerprint."""

    def sign(self, data: bytes) -> str:
        """Give the signature over `data` in base64."""
        return base64.b64encode(self._key.sign(data)).decode()

    @property
    def unencrypted(self) -> bytes:
        """The key as an OpenSSH private key without a passphrase, for decrypting; it is never written to a file."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )


def load_signer(data: bytes, passphrase: Callable[[], bytes] | None, file: str) -> Signer:
    """Give the key that a private key file holds.

    Args:
        data: the file's content.
        passphrase: gives the passphrase, and is asked only if the file is encrypted.
        file: name of the file, for errors.

    Raises:
        SigningError: KEY001, the file is not a private key of a supported kind; KEY002, the passphrase is missing
            or wrong.
    """
    where = Where(file)
    head = _head(data, where)
    secret: bytes | None = None
    if head.is_encrypted:
        secret = passphrase() if passphrase is not None else b""
        if not secret:
            hint = "set TIDEGATE_PASSPHRASE, or run this on a terminal"
            raise SigningError(Problem("KEY002", "the key file is encrypted, and no passphrase is given", where, hint))
    try:
        key = serialization.load_ssh_private_key(data, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm, struct.error):
        if head.is_encrypted:
            # A wrong passphrase gives noise, which fails in one of several ways.
            raise SigningError(Problem("KEY002", "the passphrase does not open the key file", where)) from None
        raise SigningError(Problem("KEY001", "the key file is damaged", where)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningError(Problem("KEY001", "the key is not an Ed25519 key", where, _MAKE_ONE))
    text = public_text(key.public_key().public_bytes_raw())
    return FileSigner(key, text, fingerprint(text))


_MAKE_ONE = "make one with `tidegate key new FILE`; a key on a token is used through ssh-agent, by its .pub file"


def file_public_key(data: bytes, file: str) -> str:
    """Give the public key that stands, unencrypted, at the head of a private key file.

    Raises:
        SigningError: KEY001, the file is not a private key of a supported kind.
    """
    where = Where(file)
    try:
        return parts_of_blob(_head(data, where).public).text
    except SigningError as error:
        raise SigningError(*(replace(one, where=where) for one in error.problems)) from None


class _Head(NamedTuple):
    is_encrypted: bool
    public: bytes
    """The public key in wire format."""


def _head(data: bytes, where: Where) -> _Head:
    """Read the head of a private key file: it is one, of the right kind, and not too costly to open."""
    text = data.strip()
    if len(data) > MAX_KEY_FILE_BYTES or not (text.startswith(_BEGIN) and text.endswith(_END)):
        raise SigningError(Problem("KEY001", "not a private key in OpenSSH's format", where, _MAKE_ONE))
    blob = decoded(b"".join(text.splitlines()[1:-1]).decode("ascii", "replace"))
    try:
        if blob is None or not blob.startswith(_MAGIC):
            raise ValueError
        _cipher, rest = take_string(blob[len(_MAGIC) :])
        kdf, rest = take_string(rest)
        options, rest = take_string(rest)
        (count,) = struct.unpack_from(">I", rest)
        public, _rest = take_string(rest[4:])
        kind, _rest = take_string(public)
        (rounds,) = struct.unpack(">I", take_string(options)[1]) if kdf == b"bcrypt" else (0,)
    except (ValueError, struct.error):
        raise SigningError(Problem("KEY001", "the key file is damaged", where)) from None
    if count != 1 or kind != ED25519.encode():
        shown = kind.decode("ascii", "replace")[:60]
        message = "the file holds several keys" if count != 1 else f"keys of the kind {shown!r} are not read from files"
        raise SigningError(Problem("KEY001", message, where, _MAKE_ONE))
    if rounds > MAX_ROUNDS:
        message = f"the key file asks for {rounds:,} rounds of bcrypt; at most {MAX_ROUNDS:,} are done"
        raise SigningError(Problem("KEY001", message, where, f"write it anew with ssh-keygen -p -a {DEFAULT_ROUNDS}"))
    return _Head(kdf != b"none", public)


# --- wire format --------------------------------------------------------------------------------------


def put_string(data: bytes) -> bytes:
    """Give bytes with their length before them (RFC 4251, section 5: ``string``)."""
    return struct.pack(">I", len(data)) + data


def take_string(data: bytes) -> tuple[bytes, bytes]:
    """Give the string at the start, and what follows it.

    Raises:
        ValueError: there is less than the length says.
    """
    if len(data) < 4:
        raise ValueError("no length")
    (length,) = struct.unpack_from(">I", data)
    if length > len(data) - 4:
        raise ValueError("cut short")
    return data[4 : 4 + length], data[4 + length :]


def decoded(text: str) -> bytes | None:
    """Give the bytes of base64 text, or none if it is not the one canonical form."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode() == text else None


def _holds(point: bytes, signature: bytes, data: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(point).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _is_sound(point: bytes) -> bool:
    """Tell whether 32 bytes are the canonical encoding of a point of large order (RFC 8032, section 5.1.3)."""
    if len(point) != 32:
        return False
    y = int.from_bytes(point, "little") & (2**255 - 1)
    if y >= _P or y in _SMALL_ORDER:
        return False
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    return pow(square, (_P - 1) // 2, _P) == 1


def _unfit(message: str, hint: str | None = None) -> SigningError:
    return SigningError(Problem("KEY001", message, None, hint))

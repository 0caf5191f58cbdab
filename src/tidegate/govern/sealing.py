# SPDX-License-Identifier: Apache-2.0
"""Content that only named people can read: encrypted outside the log, which holds a salted digest of it.

Encryption is age (age-encryption.org/v1) to ssh-ed25519 keys. age draws its own randomness from the operating
system; every other secret is an argument. What is encrypted is padded first, so that its length says little.
The digest is SHA-256 over a salt of 32 bytes and the ciphertext: once both are erased, nothing leads back from it.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import pyrage  # type: ignore[import-untyped]
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tidegate.kernel.errors import CaseworkError, DocumentError, Problem
from tidegate.ledger.keys import ED25519, FileSigner, Signer, fingerprint, public_text

SALT_BYTES = 32
CASE_KEY_BYTES = 32
SMALLEST_BUCKET = 4_096
"""Most reports and all short answers fit into it, so that their lengths do not differ."""
LARGEST_BUCKET = 4_194_304
"""Above this a message is an archive, which does not belong into a report in words."""
BUCKET_STEP = 4
"""Each bucket is this many times the one below: a length then says one of six things."""
READABLE = f"{ED25519} "
"""Only these keys can decrypt: the key of a hardware token signs, and lends nobody its secret."""

_LENGTH_BYTES = 4
_CHECK_BYTES = 3
"""With 32 bytes of secret they make 35, which is a whole number of base32 letters."""
_GROUP = 4
_KEY_INFO = b"tidegate/noncompliance/case-key/v1"
_CHECK_INFO = b"tidegate/noncompliance/case-key/check/v1\n"
_PROOF_INFO = b"tidegate/noncompliance/from-reporter/v1\n"
_LOOKALIKES = str.maketrans({"0": "O", "1": "I", "8": "B", " ": "", "-": "", "\n": "", "\r": "", "\t": ""})


class SealedParts(NamedTuple):
    """Content as it is kept outside the log."""

    digest: str
    """What the log holds: ``sha256:<hex>`` of salt and ciphertext."""
    salt: bytes
    """32 bytes, erased with the content."""
    data: bytes
    """Ciphertext: an age file."""


def salted_digest(salt: bytes, data: bytes) -> str:
    """Give the digest by which the log knows sealed content: SHA-256 over its salt and itself."""
    return f"sha256:{hashlib.sha256(salt + data).hexdigest()}"


def is_intact(parts: SealedParts) -> bool:
    """Tell whether sealed content is what its digest says."""
    return len(parts.salt) == SALT_BYTES and salted_digest(parts.salt, parts.data) == parts.digest


def can_read(public_key: str) -> bool:
    """Tell whether content can be encrypted to a public key, so that its holder can read it."""
    if not public_key.startswith(READABLE):
        return False
    try:
        pyrage.ssh.Recipient.from_str(public_key)
    except pyrage.RecipientError:
        return False
    return True


def bucket(length: int) -> int:
    """Give the padded length of content: one of few, so that it says little about the content.

    Raises:
        DocumentError: DOC002, it is larger than the largest bucket.
    """
    size = SMALLEST_BUCKET
    while size < length + _LENGTH_BYTES and size < LARGEST_BUCKET:
        size *= BUCKET_STEP
    if size < length + _LENGTH_BYTES:
        message = f"{length:,} bytes; sealed content holds {LARGEST_BUCKET - _LENGTH_BYTES:,}"
        raise DocumentError(Problem("DOC002", message, None, "shorten the text, and name attachments in it"))
    return size


def padded(data: bytes) -> bytes:
    """Give content in a bucket: its length in four bytes, itself, and zeros."""
    framed = len(data).to_bytes(_LENGTH_BYTES, "big") + data
    return framed.ljust(bucket(len(data)), b"\0")


def unpadded(data: bytes) -> bytes | None:
    """Give what was padded; none if it was not made by `padded`."""
    length = int.from_bytes(data[:_LENGTH_BYTES], "big")
    inner, rest = data[_LENGTH_BYTES : _LENGTH_BYTES + length], data[_LENGTH_BYTES + length :]
    if len(data) < SMALLEST_BUCKET or len(inner) != length or rest.strip(b"\0"):
        return None
    return inner


def seal(data: bytes, recipients: Iterable[str], salt: bytes) -> SealedParts:
    """Give content that only the holders of the recipients' keys can read.

    Args:
        data: the content.
        recipients: public keys, ``ssh-ed25519 AAAA...``.
        salt: 32 random bytes, used once.

    Raises:
        CaseworkError: NCP002, there is no recipient, or one has a key that cannot decrypt.
        DocumentError: DOC002, the content is too large.
    """
    assert len(salt) == SALT_BYTES, "a salt has 32 bytes"
    keys = tuple(dict.fromkeys(recipients))
    refused = [key for key in keys if not can_read(key)]
    if refused or not keys:
        message = f"cannot encrypt to {', '.join(key[:60] for key in refused)}" if refused else "there is no recipient"
        hint = "content is encrypted to ssh-ed25519 keys; the key of a hardware token can sign, but not decrypt"
        raise CaseworkError(Problem("NCP002", message, None, hint))
    ciphertext: bytes = pyrage.encrypt(padded(data), [pyrage.ssh.Recipient.from_str(key) for key in keys])
    return SealedParts(salted_digest(salt, ciphertext), salt, ciphertext)


@dataclass(frozen=True)
class ReadingKey:
    """The private half of a key, held in memory only, for decrypting."""

    public_key: str
    """Public half, ``ssh-ed25519 AAAA...``."""
    _identity: object = field(repr=False, compare=False)

    def unseal(self, data: bytes) -> bytes | None:
        """Give the content of a ciphertext; none if it is not encrypted to this key, or malformed."""
        try:
            plain: bytes = pyrage.decrypt(data, [self._identity])
        except pyrage.DecryptError:
            return None
        return unpadded(plain)


def reading_key(signer: Signer) -> ReadingKey:
    """Give the key that signs for somebody as a key that decrypts; its private half stays in memory.

    Raises:
        CaseworkError: NCP002, it is on a hardware token or in a key agent: those sign, and cannot decrypt.
    """
    if not isinstance(signer, FileSigner):
        hint = "read with the private key file of an ssh-ed25519 key; if it is not a recipient, have the case assigned"
        message = "a key on a hardware token or in a key agent can sign, but not decrypt"
        raise CaseworkError(Problem("NCP002", message, None, hint))
    return ReadingKey(signer.public_key, pyrage.ssh.Identity.from_buffer(signer.unencrypted))


# --- the case key of a reporter ------------------------------------------------------------------


@dataclass(frozen=True)
class CaseKey:
    """The one secret that ties a reporter to a case: who has it can read its dialogue and add to it."""

    secret: bytes = field(repr=False)
    """32 random bytes."""

    def __post_init__(self) -> None:
        assert len(self.secret) == CASE_KEY_BYTES, "a case key has 32 bytes"

    @property
    def text(self) -> str:
        """The key to write down: 14 groups of four letters and digits; the last letters are a checksum."""
        letters = base64.b32encode(self.secret + _checksum(self.secret)).decode()
        return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))

    @property
    def public_key(self) -> str:
        """Public half, which stands in the log."""
        return self._signer.public_key

    @property
    def reading_key(self) -> ReadingKey:
        """The key that decrypts what is written to the reporter."""
        return reading_key(self._signer)

    def proof(self, case: str, digest: str) -> str:
        """Give the reporter's signature, in base64, over a message to a case."""
        return self._signer.sign(proof_bytes(case, digest))

    @property
    def _signer(self) -> FileSigner:
        derived = HKDF(hashes.SHA256(), 32, None, _KEY_INFO).derive(self.secret)
        private = Ed25519PrivateKey.from_private_bytes(derived)
        public = public_text(private.public_key().public_bytes_raw())
        return FileSigner(private, public, fingerprint(public))


def proof_bytes(case: str, digest: str) -> bytes:
    """Give the bytes under a reporter's proof: they name the case and the sealed message, and nothing else is so."""
    return _PROOF_INFO + f"{case}\n{digest}\n".encode()


def parse_case_key(text: str) -> CaseKey:
    """Give the case key that a person typed; spaces, dashes and small letters do not matter.

    Raises:
        CaseworkError: NCP001, it is not one, or has a typing error.
    """
    letters = text.upper().translate(_LOOKALIKES)
    try:
        data = base64.b32decode(letters)
    except (binascii.Error, ValueError):
        data = b""
    secret, check = data[:CASE_KEY_BYTES], data[CASE_KEY_BYTES:]
    if len(check) != _CHECK_BYTES or check != _checksum(secret):
        hint = "it has 14 groups of four letters and digits; one of them has a typing error, or is missing"
        raise CaseworkError(Problem("NCP001", "this is not a case key", None, hint))
    return CaseKey(secret)


def _checksum(secret: bytes) -> bytes:
    return hashlib.sha256(_CHECK_INFO + secret).digest()[:_CHECK_BYTES]

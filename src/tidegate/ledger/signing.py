# SPDX-License-Identifier: Apache-2.0
"""Signatures over entries, and the proof by which a new key shows that its holder agrees to it."""

from collections.abc import Iterable

from tidegate.kernel.canonical import canonical_bytes
from tidegate.kernel.errors import LedgerError, Problem, SigningError
from tidegate.ledger.entries import Entry, Signature, signed_bytes
from tidegate.ledger.keys import Signer, fingerprint, verify_signature

PROOF_DOMAIN = b"tidegate/key-proof/v1\n"
"""First line of what a proof signs. Entries are signed in DSSE's encoding, which begins otherwise, so neither
signature can stand for the other."""


def sign_entry(entry: Entry, signer: Signer) -> Entry:
    """Give the entry with the signature of its actor over its statement.

    Raises:
        LedgerError: LED005, the signer gave a signature that does not hold.
        SigningError: KEY005, a key agent refused.
    """
    value = signer.sign(signed_bytes(entry))
    # An agent is another program: what it gave is checked before it is entered for good.
    if not verify_signature(signer.public_key, signed_bytes(entry), value):
        raise LedgerError(Problem("LED005", f"the signature by {signer.fingerprint} does not hold"))
    return entry.model_copy(update={"signature": Signature(key=signer.fingerprint, value=value)})


def holds(entry: Entry, public_key: str) -> bool:
    """Tell whether the entry carries a signature by this key over its statement, exactly as it is."""
    signature = entry.signature
    try:
        named = signature is not None and signature.key == fingerprint(public_key)
    except SigningError:
        return False
    return named and signature is not None and verify_signature(public_key, signed_bytes(entry), signature.value)


def proof_bytes(person: str, roles: Iterable[str], public_key: str, *, replaces: str | None = None) -> bytes:
    """Give what a new key signs, so that nobody enters a key that they do not hold, or for somebody else.

    Args:
        person: whom the key is to speak for.
        roles: roles that it is added with; their order does not count. None when it takes over those of another.
        public_key: the new key, as OpenSSH text.
        replaces: fingerprint of the key whose place it takes.
    """
    named = {"person": person, "publicKey": public_key, "roles": sorted(set(roles))}
    return PROOF_DOMAIN + canonical_bytes(named if replaces is None else {**named, "replaces": replaces})

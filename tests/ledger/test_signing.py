# SPDX-License-Identifier: Apache-2.0
"""Signatures over entries, as tools that know DSSE and in-toto see them."""

import base64
import json
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from tidegate.kernel.errors import LedgerError
from tidegate.ledger.acts import DecisionDissented, DecisionSigned, KeyRevoked
from tidegate.ledger.entries import (
    PAYLOAD_TYPE,
    Entry,
    Signed,
    envelope,
    new_entry,
    read_entry,
    signed_bytes,
    statement,
)
from tidegate.ledger.keys import fingerprint, public_parts, public_text
from tidegate.ledger.signing import PROOF_DOMAIN, holds, proof_bytes, sign_entry

DIGEST = f"sha256:{'ab' * 32}"


@dataclass(frozen=True)
class Hand:
    """A key in memory; a signer whose `lies` is set signs something else."""

    number: int
    lies: bool = False

    @property
    def key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(bytes([self.number]) * 32)

    @property
    def public_key(self) -> str:
        return public_text(self.key.public_key().public_bytes_raw())

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.public_key)

    def sign(self, data: bytes) -> str:
        return base64.b64encode(self.key.sign(b"other" if self.lies else data)).decode()


def signoff(role: str = "rso", over: tuple[Signed, ...] = (Signed(name="policy", digest=DIGEST),)) -> Entry:
    body = DecisionSigned(decision="d-1", document=DIGEST, role=role)
    return new_entry("decision.signed", body, entry_id="0" * 32, acted_at="2026-06-01T12:00:00Z", by="ada", over=over)


def oracle_key(hand: Hand) -> SSlibKey:
    point = public_parts(hand.public_key).point
    return SSlibKey(hand.fingerprint, "ed25519", "ed25519", {"public": point.hex()})


def test_a_signed_entry_holds_and_is_read_again():
    made = sign_entry(signoff(), Hand(1))
    assert holds(made, Hand(1).public_key)
    assert not holds(made, Hand(2).public_key)
    assert not holds(signoff(), Hand(1).public_key)
    assert not holds(made, "ssh-rsa AAAA")
    assert holds(read_entry(made.data), Hand(1).public_key)


CHANGES = {
    "id": {"id": "1" * 32},
    "time": {"acted_at": "2026-06-01T12:00:01Z"},
    "person": {"by": "bob"},
    "nobody": {"by": None},
    "act": {"body": {"decision": "d-1", "document": DIGEST, "role": "ceo"}},
    "over": {"over": (Signed(name="policy", digest=f"sha256:{'cd' * 32}"),)},
    "less": {"over": ()},
    "kind": {"kind": "decision.dissented"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_signed_can_be_changed(change):
    made = sign_entry(signoff(), Hand(1))
    assert not holds(made.model_copy(update=change), Hand(1).public_key)


def test_the_named_key_has_to_be_the_one_that_signed():
    made = sign_entry(signoff(), Hand(1))
    assert made.signature is not None
    renamed = made.signature.model_copy(update={"key": Hand(2).fingerprint})
    assert not holds(made.model_copy(update={"signature": renamed}), Hand(1).public_key)
    assert not holds(made.model_copy(update={"signature": renamed}), Hand(2).public_key)


def test_a_signer_that_lies_is_found_out():
    with pytest.raises(LedgerError) as refused:
        sign_entry(signoff(), Hand(1, lies=True))
    assert refused.value.problems[0].code == "LED005"


# --- oracles ------------------------------------------------------------------------------------------


def test_securesystemslib_verifies_our_envelope():
    made = sign_entry(signoff(), Hand(1))
    found = Envelope.from_dict(envelope(made))
    assert found.pae() == signed_bytes(made)
    assert found.payload_type == PAYLOAD_TYPE
    accepted = found.verify([oracle_key(Hand(1))], 1)
    assert list(accepted) == [Hand(1).fingerprint]


@pytest.mark.parametrize("change", ["key", "payload"])
def test_securesystemslib_refuses_what_we_refuse(change):
    made = envelope(sign_entry(signoff(), Hand(1)))
    if change == "payload":
        text = base64.b64decode(made["payload"]).replace(b'"rso"', b'"ceo"')
        made["payload"] = base64.b64encode(text).decode()
    key = Hand(2) if change == "key" else Hand(1)
    with pytest.raises(VerificationError):
        Envelope.from_dict(made).verify([oracle_key(key)], 1)


@pytest.mark.parametrize(
    "over", [(), (Signed(name="policy", digest=DIGEST), Signed(name="report:capability", digest=DIGEST))]
)
def test_in_toto_accepts_our_statement(over):
    entry = signoff(over=over)
    Statement.validate(Statement.copy_from_pb(_message(statement(entry))))
    payload = json.loads(base64.b64decode(envelope(sign_entry(entry, Hand(1)))["payload"]))
    assert payload == statement(entry)


def test_in_toto_refuses_a_statement_without_digest():
    broken = statement(signoff())
    broken["subject"][0]["digest"] = {}
    with pytest.raises(ValueError):
        Statement.validate(Statement.copy_from_pb(_message(broken)))


def _message(data):
    return ParseDict(data, statement_pb2.Statement())


# --- proofs -------------------------------------------------------------------------------------------


def test_a_proof_names_person_roles_and_key():
    base = proof_bytes("ada", ("rso", "keeper"), Hand(1).public_key)
    assert base == proof_bytes("ada", ("keeper", "rso", "rso"), Hand(1).public_key)
    others = {
        proof_bytes("bob", ("rso", "keeper"), Hand(1).public_key),
        proof_bytes("ada", ("rso",), Hand(1).public_key),
        proof_bytes("ada", (), Hand(1).public_key),
        proof_bytes("ada", ("rso", "keeper"), Hand(2).public_key),
        proof_bytes("ada", ("rso", "keeper"), Hand(1).public_key, replaces=Hand(2).fingerprint),
        proof_bytes("ada", ("rso,keeper",), Hand(1).public_key),
    }
    assert base not in others
    assert len(others) == 6


def test_a_proof_is_no_entry_and_an_entry_no_proof():
    assert proof_bytes("ada", (), Hand(1).public_key).startswith(PROOF_DOMAIN)
    bodies = {
        "key.revoked": KeyRevoked(key=Hand(1).fingerprint, reason="lost"),
        "decision.dissented": DecisionDissented(decision="d", document=DIGEST, text="no"),
    }
    for kind, body in bodies.items():
        entry = new_entry(kind, body, entry_id="0" * 32, acted_at="2026-06-01T12:00:00Z", by="ada")
        assert signed_bytes(entry).startswith(b"DSSEv1 ")

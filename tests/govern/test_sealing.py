# SPDX-License-Identifier: Apache-2.0
"""Sealed content: readable by its recipients only, found damaged if it was changed, silent about its length."""

import base64
import hashlib
import secrets
import subprocess

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.govern.sealing import (
    LARGEST_BUCKET,
    CaseKey,
    SealedParts,
    bucket,
    can_read,
    is_intact,
    padded,
    parse_case_key,
    proof_bytes,
    reading_key,
    salted_digest,
    seal,
    unpadded,
)
from tidegate.kernel.errors import CaseworkError, DocumentError
from tidegate.ledger.keys import load_signer, new_private_key, put_string, verify_signature

SALT = bytes(range(32))
CASE_KEY = CaseKey(bytes(range(100, 132)))


def a_key(passphrase: bytes | None = None):
    file, public = new_private_key(passphrase, rounds=1)
    return reading_key(load_signer(file, (lambda: passphrase) if passphrase else None, "key")), public


def a_token_key() -> str:
    point = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    kind = b"sk-ssh-ed25519@openssh.com"
    blob = put_string(kind) + put_string(point) + put_string(b"ssh:")
    return f"{kind.decode()} {base64.b64encode(blob).decode()}"


def problem(error: pytest.ExceptionInfo) -> str:
    return str(error.value)


def test_only_recipients_read():
    (ana, ana_public), (bo, bo_public), (eve, _) = a_key(), a_key(b"secret words"), a_key()
    parts = seal(b"the monitor was off", [ana_public, bo_public], SALT)
    assert is_intact(parts)
    assert ana.unseal(parts.data) == bo.unseal(parts.data) == b"the monitor was off"
    assert eve.unseal(parts.data) is None
    assert b"monitor" not in parts.data


def test_the_same_words_never_give_the_same_digest():
    key, public = a_key()
    first, second = (seal(b"words", [public], salt) for salt in (SALT, bytes(32)))
    assert first.digest != second.digest
    assert salted_digest(SALT, second.data) != second.digest
    assert key.unseal(first.data) == key.unseal(second.data)


def test_a_token_cannot_be_encrypted_to_and_the_message_says_so():
    _, public = a_key()
    assert can_read(public)
    assert not can_read(a_token_key())
    assert not can_read("ssh-ed25519 AAAA")
    assert not can_read("ssh-rsa AAAA")
    for recipients in ([a_token_key()], [public, a_token_key()], []):
        with pytest.raises(CaseworkError) as error:
            seal(b"x", recipients, SALT)
        assert "NCP002" in problem(error)
    with pytest.raises(CaseworkError, match="hardware token"):
        seal(b"x", [a_token_key()], SALT)


def test_a_key_in_an_agent_cannot_decrypt():
    class Agent:
        public_key = a_token_key()
        fingerprint = "SHA256:x"

        def sign(self, data: bytes) -> str:
            raise AssertionError

    with pytest.raises(CaseworkError, match="NCP002: a key on a hardware token or in a key agent"):
        reading_key(Agent())


def test_it_is_an_age_file_to_ssh_keys():
    _, public = a_key()
    head = seal(b"x", [public], SALT).data.split(b"\n---")[0].split(b"\n")
    assert head[0] == b"age-encryption.org/v1"
    # age names a recipient by the first four bytes of its key's SHA-256 (age specification, ssh-ed25519 stanza).
    tag = base64.b64encode(hashlib.sha256(base64.b64decode(public.split()[1])).digest()[:4]).rstrip(b"=")
    assert head[1].startswith(b"-> ssh-ed25519 " + tag)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_changed_content_is_found(data):
    key, _public = KEY
    parts = PARTS
    changed = bytearray(parts.data)
    place = data.draw(st.integers(0, len(changed) - 1))
    if data.draw(st.booleans()):
        changed[place] ^= data.draw(st.integers(1, 255))
    else:
        del changed[place : place + data.draw(st.integers(1, 50))]
    assert not is_intact(SealedParts(parts.digest, parts.salt, bytes(changed)))
    # Without the digest, age itself refuses, or what was lost is not content.
    assert key.unseal(bytes(changed)) in (None, b"words")
    assert not is_intact(parts._replace(salt=parts.salt[:-1]))
    assert not is_intact(parts._replace(salt=bytes(32)))


KEY = a_key()
PARTS = seal(b"words", [KEY[1]], SALT)


@given(st.binary(max_size=9_000))
def test_padding_returns_what_it_was_given(data):
    assert unpadded(padded(data)) == data
    assert len(padded(data)) == bucket(len(data))


@given(st.binary(max_size=64))
def test_what_was_not_padded_is_refused(data):
    assert unpadded(data) is None
    assert unpadded((len(data) + 1).to_bytes(4, "big") + data.ljust(4_092, b"x")) is None


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (0, 4_096),
        (4_092, 4_096),
        (4_093, 16_384),
        (65_532, 65_536),
        (200_000, 262_144),
        (LARGEST_BUCKET - 4, LARGEST_BUCKET),
    ],
)
def test_lengths_come_in_few_sizes(length, expected):
    assert bucket(length) == expected


def test_lengths_of_short_messages_do_not_differ():
    """Only the payload counts: age adds a stanza of random length to the head of every file."""
    _, public = a_key()

    def payload(length: int) -> int:
        head, _, rest = seal(b"x" * length, [public], SALT).data.partition(b"\n---")
        assert head.startswith(b"age-encryption.org/v1")
        return len(rest)

    assert {payload(length) for length in (1, 500, 4_000)} == {payload(0)}
    assert payload(5_000) != payload(0)


def test_too_much_is_refused():
    with pytest.raises(DocumentError, match="DOC002"):
        bucket(LARGEST_BUCKET)


# --- case keys -----------------------------------------------------------------------------------


def test_a_case_key_reads_and_proves():
    parts = seal(b"an answer", [CASE_KEY.public_key], SALT)
    assert CASE_KEY.reading_key.unseal(parts.data) == b"an answer"
    assert CaseKey(bytes(32)).reading_key.unseal(parts.data) is None
    proof = CASE_KEY.proof("nc-1", parts.digest)
    assert verify_signature(CASE_KEY.public_key, proof_bytes("nc-1", parts.digest), proof)
    for case, digest in (("nc-2", parts.digest), ("nc-1", PARTS.digest)):
        assert not verify_signature(CASE_KEY.public_key, proof_bytes(case, digest), proof)
    assert not verify_signature(CaseKey(bytes(32)).public_key, proof_bytes("nc-1", parts.digest), proof)


def test_the_key_is_derived_as_documented():
    seed = HKDF(hashes.SHA256(), 32, None, b"tidegate/noncompliance/case-key/v1").derive(CASE_KEY.secret)
    raw = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    assert base64.b64decode(CASE_KEY.public_key.split()[1])[-32:] == raw


@given(st.binary(min_size=32, max_size=32))
def test_case_key_text_returns(secret):
    key = CaseKey(secret)
    assert parse_case_key(key.text) == key
    assert parse_case_key(f" {key.text.lower().replace('-', ' ')}\n") == key
    assert [len(group) for group in key.text.split("-")] == [4] * 14


def test_letters_that_look_alike_are_taken_for_what_is_meant():
    key = next(
        found
        for number in range(100)
        if {"O", "I", "B"} <= set((found := CaseKey(hashlib.sha256(bytes([number])).digest())).text)
    )
    assert parse_case_key(key.text.replace("O", "0").replace("I", "1").replace("B", "8")) == key


@given(st.integers(0, 55), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_typing_errors_are_noticed(place, letter):
    letters = CASE_KEY.text.replace("-", "")
    changed = letters[:place] + letter + letters[place + 1 :]
    if changed == letters:
        return
    with pytest.raises(CaseworkError, match="NCP001"):
        parse_case_key(changed)


@pytest.mark.parametrize(
    "text", ["", "AAAA", "not a key", "é" * 56, "=" * 56, CASE_KEY.text + "AAAA", CASE_KEY.text[:-2]]
)
def test_what_is_no_case_key_is_refused(text):
    with pytest.raises(CaseworkError, match="NCP001"):
        parse_case_key(text)


def test_secrets_do_not_show():
    shown = repr(CASE_KEY) + repr(CASE_KEY.reading_key)
    assert CASE_KEY.text not in shown
    assert str(CASE_KEY.secret) not in shown
    assert "object at" not in repr(CASE_KEY.reading_key)


def test_keys_of_ssh_keygen_read(tmp_path):
    """A key that somebody has already, made by OpenSSH itself."""
    path = tmp_path / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "words", "-f", str(path)], check=True)
    public = " ".join(path.with_suffix(".pub").read_text().split()[:2])
    key = reading_key(load_signer(path.read_bytes(), lambda: b"words", "id_ed25519"))
    text = secrets.token_bytes(100)
    assert key.unseal(seal(text, [public], SALT).data) == text

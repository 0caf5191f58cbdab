# SPDX-License-Identifier: Apache-2.0
"""Signed notes and checkpoints: vectors of C2SP and of other implementations, real cosignatures, and fuzz."""

import base64
import re
import struct
import sys
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from ledger import mldsa_vector
from ledger.log_factories import ORIGIN, NaiveTree, a_signer, a_witness, unless_refused
from tidegate.kernel.errors import LedgerError
from tidegate.ledger.keys import load_signer, new_private_key
from tidegate.ledger.notes import (
    ED25519,
    ED25519_COSIGNATURE,
    MAX_NOTE_BYTES,
    MAX_SECONDS,
    MAX_SIGNATURES,
    MAX_SIZE,
    MLDSA44_COSIGNATURE,
    Checkpoint,
    Cosignature,
    NoteSigner,
    VerifierKey,
    add_signature,
    cosign,
    note_signer,
    parse_checkpoint,
    parse_note,
    parse_signature,
    parse_vkey,
    sign_checkpoint,
    sign_text,
    signed_by,
    subtree_message,
    verify_checkpoint,
)

DASH = "\u2014"
AT = 1_679_315_147
TREE = NaiveTree(9)
LOG, WITNESS = a_signer(), a_witness()
QUANTUM = a_witness("pq.example.net", MLDSA44_COSIGNATURE)
KINDS_OF_WITNESS = [WITNESS, QUANTUM]

# Keys, text and signatures of the tests of Go's golang.org/x/mod/sumdb/note.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"  # as signed
)
PETER_LINE = (
    f"{DASH} PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    f"{DASH} EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)

# Key and signature of the example in the signed-note specification.
C2SP_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_NOTE = (
    f"This is an example message.\n\n{DASH} example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)

# A checkpoint of a public log of certificates, as it was served: signed by the log in two ways, and by witnesses.
REAL_LOG = "arche2025h1.staging.ct.transparency.dev"
REAL_LOG_KEY = f"{REAL_LOG}+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
REAL_WITNESS_KEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
REAL_NOTE = (
    f"{REAL_LOG}\n1432088532\nU7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=\n\n"
    f"{DASH} {REAL_LOG} zTM8sQAAAZ5W0WdjBAMARjBEAiBjW5IQf9pvsYLfQFX6hoGREPMHbdQ3urbllzalApkptQIgIpwtEroeW2BXaHAI4kJ"
    "XFbon5Ch9MNL5zRNZ55lvGt0=\n"
    f"{DASH} {REAL_LOG} ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=\n"
    f"{DASH} witness1.smartit.nu/witness1 pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQt"
    "mJbqmNWVuE0tgh0XwzdZsDsUAQ==\n"
    f"{DASH} remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0"
    "WBxtqB0DrAWfBw==\n"
)

# The vector that the author of sigsum proposed for C2SP; the log's private key is 0x11 followed by zeros.
SIGSUM_ORIGIN = "sigsum.org/v1/tree/e796172b92befd62d9dc67e41c2f5bc9d3100a3023b20b1ca40288dd1c679e69"
SIGSUM_KEY = "66e0b858e462a609e66fe71370c816d8846ff103d5499a22a7fec37fdbc424a7"
SIGSUM_NOTE = (
    f"{SIGSUM_ORIGIN}\n10\nHA5HAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n{DASH} {SIGSUM_ORIGIN} "
    "gJ2ho0n8F8olcerUF1FFdv235A/5as/coWrpLrtE7ovMeP5whgwouYExowG/lTznxu6OUGjjt5yJQ6bXtTcf718MqAQ=\n"
)

# The example of the tlog-cosignature specification, whose keys are not published.
COSIGNED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    f"{DASH} example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    f"{DASH} witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)


def refused(said: str) -> "pytest.RaisesExc[LedgerError]":
    return pytest.raises(LedgerError, match=f"LED007: .*{said}")


# --- vectors ------------------------------------------------------------------------------------------


def test_the_note_of_the_go_tests_is_signed_and_verified_byte_for_byte() -> None:
    peter, enoch = parse_vkey(PETER), parse_vkey(ENOCH)
    secret = Ed25519PrivateKey.from_private_bytes(base64.b64decode(PETER_SECRET)[1:])
    signer = NoteSigner("PeterNeumann", ED25519, secret.public_key().public_bytes_raw(), secret.sign)
    assert signer.key == peter
    assert sign_text(GO_TEXT, signer).line == PETER_LINE
    note = parse_note(f"{GO_TEXT}\n{PETER_LINE}{ENOCH_LINE}")
    assert note.text == GO_TEXT
    assert signed_by(note, [peter, enoch]) == {peter: 0, enoch: 0}
    assert signed_by(note, [enoch]) == {enoch: 0}
    assert signed_by(note, []) == {}


def test_the_example_of_the_specification_verifies() -> None:
    key = parse_vkey(C2SP_KEY)
    assert (key.name, key.algorithm, key.key_id.hex()) == ("example.com/foo", 1, "530d903a")
    assert signed_by(parse_note(C2SP_NOTE), [key]) == {key: 0}
    with refused("does not hold"):
        signed_by(parse_note(C2SP_NOTE.replace("example message", "excellent message")), [key])


def test_a_real_checkpoint_verifies_with_the_cosignature_of_a_real_witness() -> None:
    log, witness = parse_vkey(REAL_LOG_KEY), parse_vkey(REAL_WITNESS_KEY)
    found = verify_checkpoint(REAL_NOTE, log, [witness])
    assert (found.checkpoint.origin, found.checkpoint.size) == (REAL_LOG, 1_432_088_532)
    assert found.cosignatures == (Cosignature("remora.n621.de", 0x6A122120),)
    for changed in (REAL_NOTE.replace("1432088532", "1432088533"), REAL_NOTE.replace("U7WM", "U7WN")):
        with refused("does not hold"):
            verify_checkpoint(changed, log)
        with refused("does not hold"):
            signed_by(parse_note(changed), [witness])


def test_the_vector_of_sigsum_verifies() -> None:
    log = VerifierKey(SIGSUM_ORIGIN, ED25519, bytes.fromhex(SIGSUM_KEY))
    found = verify_checkpoint(SIGSUM_NOTE, log).checkpoint
    assert (found.size, found.root[:3].hex()) == (10, "1c0e47")


def test_the_example_of_a_cosignature_is_taken_apart() -> None:
    note = parse_note(COSIGNED)
    assert [one.name for one in note.signatures] == ["example.com/behind-the-sofa", "witness.example.com/w1"]
    assert note.signatures[1].key_id.hex() == "8d66cf3f"
    assert struct.unpack_from(">Q", note.signatures[1].value) == (AT,)
    assert parse_checkpoint(note.text).size == 20_852_163
    assert note.printed == COSIGNED


def test_a_cosignature_signs_a_header_a_time_and_the_checkpoint() -> None:
    seen: list[bytes] = []
    spy = replace(WITNESS, sign=lambda data: seen.append(data) or WITNESS.sign(data))
    cosign(COSIGNED, spy, AT)
    text = COSIGNED.partition("\n\n")[0] + "\n"
    assert seen == [f"cosignature/v1\ntime 1679315147\n{text}".encode()]


def test_a_quantum_safe_cosignature_signs_the_structure_of_the_specification() -> None:
    root = bytes(range(32))
    made = subtree_message("mirror.test/m1", AT, "example.com/log", (0, 20_852_163), root)
    expected = (
        b"subtree/v1\n\x00"
        b"\x0emirror.test/m1"
        b"\x00\x00\x00\x00\x64\x18\x50\xcb"
        b"\x0fexample.com/log"
        b"\x00\x00\x00\x00\x00\x00\x00\x00"
        b"\x00\x00\x00\x00\x01\x3e\x2d\xc3" + root
    )
    assert made == expected


def test_a_real_cosignature_in_ml_dsa_verifies() -> None:
    key = parse_vkey(f"{mldsa_vector.NAME}+{mldsa_vector.KEY_ID}+{mldsa_vector.PUBLIC}")
    note = f"{mldsa_vector.BODY}\n{DASH} {mldsa_vector.NAME} {mldsa_vector.SIGNATURE}\n"
    assert signed_by(parse_note(note), [key]) == {key: mldsa_vector.SECONDS}
    with refused("does not hold"):
        signed_by(parse_note(note.replace("185550722", "185550723")), [key])


# --- keys ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [PETER, ENOCH, C2SP_KEY, REAL_LOG_KEY, REAL_WITNESS_KEY, QUANTUM.key.text])
def test_a_key_is_read_as_it_is_written(key: str) -> None:
    assert parse_vkey(key).text == key


def test_no_part_of_a_key_and_no_changed_key_is_a_key() -> None:
    others = [PETER[start:end] for start in range(len(PETER)) for end in range(start, len(PETER) + 1)]
    others += [PETER[:at] + chr(ord(PETER[at]) + 1) + PETER[at + 1 :] for at in range(len(PETER))]
    for other in {one for one in others if one != PETER}:
        with pytest.raises(LedgerError, match="LED007"):
            parse_vkey(other)


WEAK = base64.b64encode(b"\x01" + bytes(32)).decode()


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "not a verifier key"),
        ("a+00000000+", "not a verifier key"),
        ("a b+00000000+" + PETER.rpartition("+")[2], "not the name of a key"),
        ("\u00a0+00000000+" + PETER.rpartition("+")[2], "not the name of a key"),
        ("+c74f20a3+" + PETER.rpartition("+")[2], "not the name of a key"),
        ("\ud800+c74f20a3+" + PETER.rpartition("+")[2], "not the name of a key"),
        ("n" * 256 + "+c74f20a3+" + PETER.rpartition("+")[2], "not the name of a key"),
        (PETER.replace("c74f20a3", "C74F20A3"), "expected PeterNeumann.c74f20a3"),
        (PETER.replace("c74f20a3", "c74f20a4"), "expected PeterNeumann.c74f20a3"),
        ("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "type 101"),
        ("a+00000000+AQID", "has 2 bytes: expected 32"),
        ("a+00000000+BgID", "has 2 bytes: expected 1,312"),
        (f"weak+00000000+{WEAK}", "not a canonical point of Ed25519, or a weak one"),
        ("a+" + "0" * 100_000, "not a verifier key"),
    ],
)
def test_a_malformed_key_is_refused(key: str, said: str) -> None:
    with refused(said):
        parse_vkey(key)


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda data: f"n+00000000+{base64.b64encode(data).decode()}"))
def test_any_text_is_a_key_or_refused(text: str) -> None:
    key = unless_refused(lambda: parse_vkey(text))
    assert key is None or key.text == text


def test_a_key_file_signs_notes() -> None:
    secret, public = new_private_key(None)
    signer = load_signer(secret, None, "log.key")
    made = note_signer(ORIGIN, ED25519, signer)
    assert verify_checkpoint(sign_checkpoint(TREE.checkpoint(), made), made.key).checkpoint == TREE.checkpoint()
    assert made.public == base64.b64decode(public.split()[1])[-32:]
    with refused("expected a plain Ed25519 key"):
        note_signer(ORIGIN, MLDSA44_COSIGNATURE, signer)


# --- notes --------------------------------------------------------------------------------------------

GOOD = f"text\n\n{PETER_LINE}"
SIGNATURE = PETER_LINE.split()[2]


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("", "not a signed note"),
        ("text\n", "not a signed note"),
        ("text\n\n", "not a signed note"),
        (GOOD[:-1], "not a signed note"),
        (GOOD + "\n", "not a signed note"),
        (GOOD + "Unexpected line.\n", "not a signature line"),
        (f"text\n{PETER_LINE}", "not a signed note"),
        (GOOD.replace(DASH, "-"), "not a signature line"),
        (GOOD.replace(DASH, "\u2013"), "not a signature line"),
        (GOOD.replace(f"{DASH} ", f"{DASH}  "), "not a signature line"),
        (GOOD.replace("PeterNeumann", "Peter Neumann"), "not a signature line"),
        (GOOD.replace("PeterNeumann", "Peter+Neumann"), "not a signature line"),
        (GOOD.replace("PeterNeumann", "Peter\u2003Neumann"), "not a signature line"),
        (GOOD.replace("PeterNeumann ", ""), "not a signature line"),
        (GOOD.replace(SIGNATURE, ""), "not a signature line"),
        (GOOD.replace(SIGNATURE, "AAAAAA=="), "not a signature line"),
        (GOOD.replace(SIGNATURE, "AAAAAAB="), "not a signature line"),
        (GOOD.replace(SIGNATURE, SIGNATURE[:-1]), "not a signature line"),
        (GOOD.replace(SIGNATURE, SIGNATURE + "="), "not a signature line"),
        (GOOD.replace(SIGNATURE, SIGNATURE + " "), "not a signature line"),
        (GOOD.replace("text", "te\rxt"), "line 1 .* control character"),
        (GOOD.replace(SIGNATURE, SIGNATURE + "\t"), "line 3 .* control character"),
        (GOOD.replace("text", "te\x00xt"), "control character"),
        ("\ud800" + GOOD, "not UTF-8"),
        (b"\xff" + GOOD.encode(), "not UTF-8"),
        ("\N{EURO SIGN}" * (MAX_NOTE_BYTES // 3) + GOOD, "too large"),
        ("t" * MAX_NOTE_BYTES + GOOD, "too large"),
        (b"t" * MAX_NOTE_BYTES + GOOD.encode(), "too large"),
        (GOOD + PETER_LINE * MAX_SIGNATURES, f"has {MAX_SIGNATURES + 1} signatures"),
    ],
)
def test_a_malformed_note_is_refused(note: str | bytes, said: str) -> None:
    with refused(said):
        parse_note(note)


def test_text_may_have_empty_lines_and_odd_characters() -> None:
    for text in ("\n", "a\n\n\nb\n", "\u2028x\u0085\x7f\n", f"{PETER_LINE}"):
        assert parse_note(f"{text}\n{PETER_LINE}").text == text
        assert parse_note(f"{text}\n{PETER_LINE}".encode()).printed == f"{text}\n{PETER_LINE}"


def test_as_many_signatures_as_verifiers_have_to_accept_are_accepted() -> None:
    assert MAX_SIGNATURES >= 16
    assert len(parse_note(f"text\n\n{PETER_LINE * MAX_SIGNATURES}").signatures) == MAX_SIGNATURES
    filler = "t" * (MAX_NOTE_BYTES - len(PETER_LINE.encode()) - 2)
    assert len(parse_note(f"{filler}\n\n{PETER_LINE}".encode()).text) == len(filler) + 1
    with refused("too large"):
        parse_note(f"t{filler}\n\n{PETER_LINE}".encode())
    largest = f"{DASH} n {base64.b64encode(bytes(5_000)).decode()}\n"
    assert len(parse_note(f"text\n\n{largest * MAX_SIGNATURES}").signatures) == MAX_SIGNATURES


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=[chr(one) for one in range(32)]))
NAMES = TEXTS.filter(lambda name: name and "+" not in name and not re.search(r"\s", name))


@given(
    st.lists(TEXTS, max_size=4),
    st.lists(st.tuples(NAMES, st.binary(min_size=5, max_size=80)), min_size=1, max_size=MAX_SIGNATURES),
)
def test_a_note_is_read_as_it_was_written(lines: list[str], signatures: list[tuple[str, bytes]]) -> None:
    text = "".join(f"{line}\n" for line in lines) or "\n"
    lines = [f"{DASH} {name} {base64.b64encode(data).decode()}\n" for name, data in signatures]
    written = f"{text}\n{''.join(lines)}"
    note = parse_note(written)
    assert (note.text, note.printed) == (text, written)
    assert [(one.name, one.key_id + one.value) for one in note.signatures] == signatures


NOISE = st.text(max_size=60) | st.text(f"{DASH} +=\nAZaz09", max_size=120) | st.binary(max_size=120)


@given(NOISE)
@example(b"")
@example("\n\n\n")
def test_any_note_is_read_or_refused(note: str | bytes) -> None:
    unless_refused(lambda: parse_note(note))
    assert unless_refused(lambda: verify_checkpoint(note, LOG.key, [WITNESS.key])) is None


@given(st.data())
def test_no_changed_checkpoint_verifies(data: st.DataObject) -> None:
    note = cosigned_by(TREE.note(), WITNESS).encode()
    place, byte = data.draw(st.integers(0, len(note) - 1)), data.draw(st.binary(max_size=3))
    changed = note[:place] + byte + note[place + data.draw(st.integers(0, 3)) :]
    witness = WITNESS.key
    found = unless_refused(lambda: verify_checkpoint(changed, LOG.key, [witness]))
    if found is None:
        return
    # Only a line that no longer claims to be by the witness may be anything.
    assert found.checkpoint == TREE.checkpoint()
    assert changed == note or found.cosignatures == ()


# --- checkpoints --------------------------------------------------------------------------------------


def cosigned_by(note: str, *witnesses: NoteSigner, at: int = AT) -> str:
    for one in witnesses:
        note = add_signature(note, cosign(note, one, at))
    return note


ROOT = base64.b64encode(TREE.checkpoint().root).decode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a log checkpoint"),
        ("o\n1\n", "not a log checkpoint"),
        (f"o\n1\n{ROOT}", "not a log checkpoint"),
        (f"\n1\n{ROOT}\n", "not a log checkpoint"),
        (f"o\n1\n{ROOT}\n\n", "not a log checkpoint"),
        (f"o\n1\n{ROOT}\n\nx\n", "not a log checkpoint"),
        (f"o\n01\n{ROOT}\n", "line 2 .* without leading zeros, found '01'"),
        (f"o\n-1\n{ROOT}\n", "line 2"),
        (f"o\n+1\n{ROOT}\n", "line 2"),
        (f"o\n1 \n{ROOT}\n", "line 2"),
        (f"o\n\u0661\n{ROOT}\n", "line 2"),
        (f"o\n{MAX_SIZE + 1}\n{ROOT}\n", "line 2"),
        (f"o\n{'9' * 5_000}\n{ROOT}\n", "line 2"),
        (f"o\n1\n{ROOT[:-1]}\n", "line 3 .* 32 bytes"),
        (f"o\n1\n{ROOT} \n", "line 3"),
        ("o\n1\nAAAA\n", "line 3"),
        (f"o\t\n1\n{ROOT}\n", "control characters"),
        (f"o\n1\n{ROOT}\n\ud800\n", "control characters"),
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str, said: str) -> None:
    with refused(said):
        parse_checkpoint(text)


CHECKPOINTS = st.builds(
    Checkpoint,
    TEXTS.filter(bool),
    st.integers(0, MAX_SIZE),
    st.binary(min_size=32, max_size=32),
    st.lists(TEXTS.filter(bool), max_size=3).map(tuple),
)


@given(CHECKPOINTS)
def test_a_checkpoint_is_read_as_it_was_written(checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(checkpoint.text) == checkpoint
    note = sign_checkpoint(checkpoint, LOG)
    assert verify_checkpoint(note, LOG.key).checkpoint == checkpoint
    assert parse_note(note).printed == note


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"origin": ""}, "empty"),
        ({"origin": "a\nb"}, "empty or holds control characters"),
        ({"extensions": ("",)}, "empty"),
        ({"size": -1}, "gives -1 entries"),
        ({"size": MAX_SIZE + 1}, "entries: expected 0 to"),
        ({"root": b""}, "has 0 bytes: expected 32"),
    ],
)
def test_an_impossible_checkpoint_cannot_be_made(changes: dict[str, object], said: str) -> None:
    with refused(said):
        replace(TREE.checkpoint(), **changes)


# --- signatures and trust -----------------------------------------------------------------------------


@pytest.mark.parametrize("witness", KINDS_OF_WITNESS)
@pytest.mark.parametrize("log", [LOG, a_signer("pq-log.example.org", MLDSA44_COSIGNATURE)])
def test_a_cosigned_checkpoint_verifies(log: NoteSigner, witness: NoteSigner) -> None:
    note = cosigned_by(sign_checkpoint(TREE.checkpoint(), log), witness)
    found = verify_checkpoint(note, log.key, [witness.key])
    assert found == (TREE.checkpoint(), (Cosignature(witness.name, AT),))
    assert verify_checkpoint(note, log.key).cosignatures == ()
    with refused("does not hold"):
        verify_checkpoint(note.replace("\n9\n", "\n8\n"), log.key)


@pytest.mark.parametrize("witness", KINDS_OF_WITNESS)
def test_a_cosignature_holds_for_its_time_and_checkpoint_only(witness: NoteSigner) -> None:
    line = parse_signature(cosign(TREE.note(), witness, AT))
    later = replace(line, value=struct.pack(">Q", AT + 1) + line.value[8:])
    for note in (add_signature(TREE.note(), later.line), add_signature(TREE.note(8), line.line)):
        with refused(f"by {witness.name}.* does not hold"):
            verify_checkpoint(note, LOG.key, [witness.key])
        assert verify_checkpoint(note, LOG.key).cosignatures == ()


def test_a_checkpoint_has_to_be_signed_by_the_log() -> None:
    note = cosigned_by(TREE.note(), WITNESS)
    for other in (a_signer(seed="other"), a_signer("example.org/other")):
        with refused("is not signed by"):
            verify_checkpoint(note, other.key, [WITNESS.key])


def test_a_signature_that_shares_only_name_or_id_with_a_known_key_is_ignored() -> None:
    note = TREE.note()
    log = parse_note(note).signatures[0]
    for stranger in (replace(log, name="example.org/other"), replace(log, key_id=b"\0\0\0\0")):
        assert verify_checkpoint(add_signature(note, stranger.line), LOG.key).checkpoint == TREE.checkpoint()


@pytest.mark.parametrize("length", [1, 63, 65, 72])
def test_a_signature_of_the_wrong_length_is_refused(length: int) -> None:
    bad = replace(parse_note(TREE.note()).signatures[0], value=b"\1" * length)
    with refused(f"has {length} bytes"):
        verify_checkpoint(f"{TREE.checkpoint().text}\n{bad.line}", LOG.key)


def test_one_bad_signature_by_a_known_key_spoils_the_note() -> None:
    note = TREE.note()
    good = parse_note(note).signatures[0]
    bad = replace(good, value=bytes(64))
    with refused("does not hold"):
        verify_checkpoint(note + bad.line, LOG.key)


def test_of_two_cosignatures_by_one_witness_the_newest_counts() -> None:
    note = TREE.note()
    twice = note + cosign(note, WITNESS, AT + 5) + cosign(note, WITNESS, AT)
    assert verify_checkpoint(twice, LOG.key, [WITNESS.key]).cosignatures == (Cosignature(WITNESS.name, AT + 5),)


def test_a_new_signature_takes_the_place_of_an_older_one_by_the_same_key() -> None:
    note = cosigned_by(cosigned_by(TREE.note(), WITNESS), WITNESS, at=AT + 9)
    assert len(parse_note(note).signatures) == 2
    assert verify_checkpoint(note, LOG.key, [WITNESS.key]).cosignatures == (Cosignature(WITNESS.name, AT + 9),)


def test_a_full_note_takes_no_more_signatures() -> None:
    note = TREE.note()
    others = [replace(parse_note(note).signatures[0], name=f"n{one}").line for one in range(MAX_SIGNATURES - 1)]
    full = note + "".join(others)
    with refused("takes no more"):
        add_signature(full, cosign(note, WITNESS, AT))
    assert len(parse_note(add_signature(full, others[0])).signatures) == MAX_SIGNATURES


def test_one_party_does_not_count_as_two() -> None:
    note = cosigned_by(TREE.note(), WITNESS)
    again = replace(WITNESS, name="second.example.net")
    with refused("are the same key, so they are not two parties"):
        verify_checkpoint(note, LOG.key, [WITNESS.key, again.key])
    with refused("are the same key, so they are not two parties"):
        verify_checkpoint(note, LOG.key, [VerifierKey("w", ED25519_COSIGNATURE, LOG.public)])
    quantum = a_signer("pq-log.example.org", MLDSA44_COSIGNATURE)
    with refused("are the same key, so they are not two parties"):
        verify_checkpoint(sign_checkpoint(TREE.checkpoint(), quantum), quantum.key, [quantum.key, quantum.key])
    assert len(verify_checkpoint(note, LOG.key, [WITNESS.key, WITNESS.key]).cosignatures) == 1


def test_keys_that_go_by_one_name_and_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = a_witness("other.example.net").key
    monkeypatch.setattr(VerifierKey, "key_id", property(lambda _key: b"same"))
    with refused("two different keys go by"):
        signed_by(parse_note(GOOD), [WITNESS.key, replace(other, name=WITNESS.name)])


def test_the_key_of_a_log_is_no_witness_and_the_other_way_round() -> None:
    with refused("is not a witness's key: expected type 4 or 6, found 1"):
        verify_checkpoint(TREE.note(), LOG.key, [a_signer("example.org/other").key])
    with refused("is not a witness's key"):
        cosign(TREE.note(), a_signer("example.org/other"), AT)
    with refused("is a witness's key: expected the log's own"):
        sign_checkpoint(TREE.checkpoint(), WITNESS)


@pytest.mark.parametrize("at", [-1, MAX_SECONDS + 1, 2**64])
def test_a_time_out_of_range_is_refused(at: int) -> None:
    with refused("out of range"):
        cosign(TREE.note(), WITNESS, at)
    if at > 0:
        line = parse_signature(cosign(TREE.note(), WITNESS, AT))
        late = replace(line, value=struct.pack(">Q", 2**63) + line.value[8:])
        with refused("out of range"):
            verify_checkpoint(add_signature(TREE.note(), late.line), LOG.key, [WITNESS.key])


@pytest.mark.parametrize("at", [0, MAX_SECONDS])
@pytest.mark.parametrize("witness", KINDS_OF_WITNESS)
def test_the_first_and_the_last_second_are_times(at: int, witness: NoteSigner) -> None:
    note = cosigned_by(TREE.note(), witness, at=at)
    assert verify_checkpoint(note, LOG.key, [witness.key]).cosignatures == (Cosignature(witness.name, at),)


def test_what_is_no_checkpoint_is_not_cosigned() -> None:
    for witness in KINDS_OF_WITNESS:
        with refused("not a log checkpoint"):
            cosign(GOOD, witness, AT)


def test_a_signer_that_gives_a_wrong_signature_is_found_out() -> None:
    for wrong in (bytes(64), b"", bytes(3)):
        with pytest.raises(LedgerError, match="LED007"):
            sign_checkpoint(TREE.checkpoint(), replace(LOG, sign=lambda _data, wrong=wrong: wrong))


def test_further_lines_are_covered_or_refused() -> None:
    further = replace(TREE.checkpoint(), extensions=("more",))
    note = cosigned_by(sign_checkpoint(further, LOG), WITNESS, QUANTUM)
    assert len(verify_checkpoint(note, LOG.key, [WITNESS.key, QUANTUM.key]).cosignatures) == 2
    with refused("does not hold"):
        verify_checkpoint(note.replace("more", "less"), LOG.key)
    quantum = a_signer("pq-log.example.org", MLDSA44_COSIGNATURE)
    with refused("does not cover"):
        sign_checkpoint(further, quantum)
    plain = sign_checkpoint(TREE.checkpoint(), quantum)
    with refused("does not cover"):
        verify_checkpoint(plain.replace("=\n\n", "=\nmore\n\n"), quantum.key)


def test_an_origin_that_is_too_long_for_ml_dsa_is_refused() -> None:
    assert cosign(sign_checkpoint(TREE.checkpoint(origin="o" * 255), LOG), QUANTUM, AT)
    note = sign_checkpoint(TREE.checkpoint(origin="o" * 256), LOG)
    assert cosign(note, WITNESS, AT)
    with refused("1 to 255 bytes"):
        cosign(note, QUANTUM, AT)


def test_without_ml_dsa_the_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    note = cosigned_by(TREE.note(), QUANTUM)
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.mldsa", None)
    assert verify_checkpoint(note, LOG.key).checkpoint == TREE.checkpoint()
    with refused("ML-DSA-44 is not available here") as error:
        verify_checkpoint(note, LOG.key, [QUANTUM.key])
    assert "cryptography" in str(error.value.problems[0].hint)

# SPDX-License-Identifier: Apache-2.0
"""Proof files: read as they were written, verified offline, and never by accident."""

import base64
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sigstore._internal.merkle import verify_merkle_inclusion

from ledger.log_factories import ORIGIN, NaiveTree, a_signer, a_witness, data_of, unless_refused
from tidegate.kernel.errors import LedgerError
from tidegate.ledger.merkle import inclusion_proof
from tidegate.ledger.notes import MLDSA44_COSIGNATURE, Cosignature, add_signature, cosign, parse_checkpoint, parse_note
from tidegate.ledger.proofs import MAX_EXTRA_BYTES, MAX_PROOF_BYTES, Proof, read_proof, tlog_proof, verify_proof

SIZE, INDEX, AT = 21, 13, 1_700_000_000
TREE = NaiveTree(SIZE)
LOG = a_signer().key
WITNESSES = [a_witness(f"w{number}.example.net") for number in range(3)]
WITNESS_KEYS = [one.key for one in WITNESSES]


def a_note(cosigners: int = 2) -> str:
    note = TREE.note()
    for one in WITNESSES[:cosigners]:
        note = add_signature(note, cosign(note, one, AT))
    return note


def a_proof(index: int = INDEX, cosigners: int = 2, extra: bytes | None = None) -> str:
    return tlog_proof(index, inclusion_proof(index, SIZE, TREE.hashes), a_note(cosigners), extra)


PROOF = a_proof()
HASHES = PROOF.split("\n\n")[0].split("\n")[2:]


def test_a_proof_is_written_as_the_specification_says() -> None:
    head, _, note = a_proof(extra=b"more").partition("\n\n")
    lines = head.split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra bW9yZQ==", "index 13"]
    assert [base64.b64decode(one) for one in lines[3:]] == inclusion_proof(INDEX, SIZE, TREE.hashes)
    assert note == a_note()
    assert a_proof().startswith("c2sp.org/tlog-proof@v1\nindex 13\n")


def test_a_proof_of_the_only_entry_has_no_hashes() -> None:
    tree = NaiveTree(1)
    proof = tlog_proof(0, [], tree.note())
    assert proof == f"c2sp.org/tlog-proof@v1\nindex 0\n\n{tree.note()}"
    assert verify_proof(proof, data_of(0), LOG).checkpoint == tree.checkpoint()


@given(
    st.integers(0, 2**63 - 1),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.none() | st.binary(max_size=200),
)
def test_a_proof_is_read_as_it_was_written(index: int, path: list[bytes], extra: bytes | None) -> None:
    text = tlog_proof(index, path, a_note(), extra)
    found = read_proof(text)
    assert found == read_proof(text.encode()) == Proof(index, tuple(path), a_note(), extra)
    assert tlog_proof(found.index, found.path, found.note, found.extra) == text


@pytest.mark.parametrize("index", range(SIZE))
def test_every_entry_is_proven_here_and_to_sigstore(index: int) -> None:
    proof = a_proof(index)
    found = verify_proof(proof, data_of(index), LOG, WITNESS_KEYS, quorum=2)
    assert found.checkpoint == TREE.checkpoint()
    assert found.cosignatures == (Cosignature("w0.example.net", AT), Cosignature("w1.example.net", AT))
    read = read_proof(proof)
    root = parse_checkpoint(parse_note(read.note).text)
    theirs = SimpleNamespace(log_index=index, tree_size=root.size, hashes=list(read.path), root_hash=root.root)
    body = data_of(index)
    verify_merkle_inclusion(SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=theirs, canonicalized_body=body)))


@pytest.mark.parametrize(("cosigners", "quorum", "holds"), [(0, 0, True), (1, 2, False), (2, 2, True), (3, 4, False)])
def test_as_many_witnesses_are_needed_as_are_asked_for(cosigners: int, quorum: int, holds: bool) -> None:
    proof = a_proof(cosigners=cosigners)
    if holds:
        assert len(verify_proof(proof, data_of(INDEX), LOG, WITNESS_KEYS, quorum).cosignatures) == cosigners
    else:
        with pytest.raises(LedgerError, match=f"LED007: {cosigners} witnesses cosigned .* expected {quorum}"):
            verify_proof(proof, data_of(INDEX), LOG, WITNESS_KEYS, quorum)


def test_one_witness_with_two_keys_is_one_witness() -> None:
    quantum = a_witness("w0.example.net", MLDSA44_COSIGNATURE)
    note = a_note(1)
    note = add_signature(note, cosign(note, quantum, AT))
    proof = tlog_proof(INDEX, inclusion_proof(INDEX, SIZE, TREE.hashes), note)
    keys = [WITNESSES[0].key, quantum.key]
    assert len(verify_proof(proof, data_of(INDEX), LOG, keys, quorum=1).cosignatures) == 2
    with pytest.raises(LedgerError, match="1 witnesses cosigned"):
        verify_proof(proof, data_of(INDEX), LOG, keys, quorum=2)


def test_witnesses_that_nobody_named_do_not_count() -> None:
    with pytest.raises(LedgerError, match="0 witnesses cosigned"):
        verify_proof(PROOF, data_of(INDEX), LOG, [a_witness("other.example.net").key], quorum=1)


@pytest.mark.parametrize(
    ("text", "data", "said"),
    [
        (PROOF, data_of(INDEX + 1), "does not show that entry 13"),
        (PROOF, b"", "does not show"),
        (PROOF.replace("index 13", "index 12"), data_of(INDEX), "does not show that entry 12"),
        (PROOF.replace("index 13", "index 21"), data_of(INDEX), "does not show"),
        (PROOF.replace(HASHES[0] + "\n", ""), data_of(INDEX), "does not show"),
        (PROOF.replace(HASHES[0], f"{HASHES[0]}\n{HASHES[0]}"), data_of(INDEX), "does not show"),
        (PROOF.replace(HASHES[0], HASHES[1]), data_of(INDEX), "does not show"),
        (PROOF.replace("\n21\n", "\n22\n"), data_of(INDEX), "does not hold"),
        (PROOF.replace(ORIGIN, "example.org/other"), data_of(INDEX), "is not signed by|does not hold"),
    ],
)
def test_a_proof_of_something_else_is_refused(text: str, data: bytes, said: str) -> None:
    with pytest.raises(LedgerError, match=f"LED007: .*({said})"):
        verify_proof(text, data, LOG, WITNESS_KEYS)


def test_a_proof_under_another_key_is_refused() -> None:
    with pytest.raises(LedgerError, match=r"LED007: .*is not signed by"):
        verify_proof(PROOF, data_of(INDEX), a_signer(seed="other").key)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a proof"),
        (PROOF.replace("@v1", "@v2"), "not a proof"),
        (" " + PROOF, "not a proof"),
        (PROOF.partition("\n\n")[0], "not a proof"),
        (PROOF.replace("\n", "\r\n"), "control character"),
        (PROOF.replace("index 13\n", ""), "gives no index"),
        (PROOF.replace("index 13\n", "extra AAAA\n"), "gives no index"),
        (PROOF.replace("index 13", "extra AAAA\nextra AAAA\nindex 13"), "gives no index"),
        (PROOF.replace("index 13", "index 13\nextra AAAA"), "hash 1 of the proof"),
        (PROOF.replace("index 13", "index 013"), "expected a number without leading zeros"),
        (PROOF.replace("index 13", "index -1"), "expected a number"),
        (PROOF.replace("index 13", "index 13 "), "expected a number"),
        (PROOF.replace("index 13", f"index {2**63}"), "expected a number"),
        (PROOF.replace("index 13", "extra A\nindex 13"), "extra data .* malformed"),
        (PROOF.replace(HASHES[1], HASHES[1][:-4]), "hash 2 of the proof: expected 32 bytes"),
        (PROOF.replace(HASHES[1], HASHES[1] + "="), "hash 2 of the proof"),
        (PROOF.replace("index 13", "index 13\n" + "\n".join(HASHES[:1] * 60)), "has 65 hashes: expected at most 63"),
        (PROOF.replace("\n\nexample", "\n\n\nexample"), "not a log checkpoint"),
        (PROOF.replace("\n21\n", "\n021\n"), "line 2 of the log checkpoint"),
        (PROOF[:-1], "not a signed note"),
        (PROOF + "\n", "not a signed note"),
        ("\ud800", "not UTF-8"),
        (b"\xff", "not UTF-8"),
        ("x" * (MAX_PROOF_BYTES + 1), "too large"),
    ],
)
def test_a_malformed_proof_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(LedgerError, match=f"LED007: .*{said}"):
        verify_proof(text, data_of(INDEX), LOG)


def test_parts_that_make_no_proof_are_refused() -> None:
    path = inclusion_proof(INDEX, SIZE, TREE.hashes)
    for parts, said in [
        ((-1, path, a_note()), "expected a number"),
        ((INDEX, [b"short"], a_note()), "not of 32 bytes"),
        ((INDEX, path * 13, a_note()), "at most 63"),
        ((INDEX, path, TREE.checkpoint().text), "not a signed note"),
        ((INDEX, path, a_note(), bytes(MAX_EXTRA_BYTES + 1)), "extra data"),
    ]:
        with pytest.raises(LedgerError, match=f"LED007: .*{said}"):
            tlog_proof(*parts)
    assert len(read_proof(tlog_proof(INDEX, (path * 13)[:63], a_note())).path) == 63
    assert read_proof(tlog_proof(INDEX, path, a_note(), bytes(MAX_EXTRA_BYTES))).extra == bytes(MAX_EXTRA_BYTES)


@given(st.text(max_size=80) | st.text("c2sp.org/tlogpf@v1index \n=Aex", max_size=200) | st.binary(max_size=200))
@example("c2sp.org/tlog-proof@v1\n\n")
@example("c2sp.org/tlog-proof@v1\nindex 0\n\n")
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    assert unless_refused(lambda: verify_proof(text, b"", LOG)) is None


@given(st.data())
def test_no_changed_proof_verifies(data: st.DataObject) -> None:
    text = PROOF.encode()
    place, end = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 50))
    changed = text[:place] + data.draw(st.binary(max_size=4)) + text[place + end :]
    found = unless_refused(lambda: verify_proof(changed, data_of(INDEX), LOG, WITNESS_KEYS, quorum=2))
    assert found is None or changed == text, "both cosignatures and every hash are needed"

# SPDX-License-Identifier: Apache-2.0
"""A witness cosigns growth and refuses everything else, with the statuses of C2SP tlog-witness."""

import base64
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.log_factories import ORIGIN, NaiveTree, a_signer, a_witness
from tidegate.kernel.errors import LedgerError
from tidegate.ledger.merkle import EMPTY_ROOT, consistency_proof, tree_root
from tidegate.ledger.notes import (
    ED25519_COSIGNATURE,
    MLDSA44_COSIGNATURE,
    Cosignature,
    NoteSigner,
    add_signature,
    cosign,
    sign_checkpoint,
    verify_checkpoint,
)
from tidegate.ledger.witnessing import (
    MAX_REQUEST_BYTES,
    NOTHING,
    Observed,
    Refusal,
    State,
    TreeHead,
    observe,
    read_request,
    read_state,
    with_cosignatures,
    write_request,
    write_state,
)

AT = 1_700_000_000
TREE, FORK = NaiveTree(40), NaiveTree(40, fork="forked")
LOG, WITNESS = a_signer(), a_witness()
LOGS = {ORIGIN: LOG.key}


def head(size: int, tree: NaiveTree = TREE) -> TreeHead:
    return TreeHead(size, tree_root(size, tree.hashes))


def a_request(old: int, size: int, tree: NaiveTree = TREE) -> str:
    return write_request(old, consistency_proof(old, size, tree.hashes), tree.note(size))


def asked(state: State, request: str | bytes, witness: NoteSigner = WITNESS) -> Observed | Refusal:
    return observe(state, request, LOGS, witness, AT)


@pytest.mark.parametrize("witness", [WITNESS, a_witness("pq.example.net", MLDSA44_COSIGNATURE)])
@pytest.mark.parametrize(("old", "size"), [(0, 0), (0, 1), (0, 40), (1, 2), (7, 8), (8, 8), (8, 40), (39, 40)])
def test_growth_is_cosigned(old: int, size: int, witness: NoteSigner) -> None:
    elsewhere = {"example.org/elsewhere": head(3)}
    state = {**elsewhere, ORIGIN: head(old)} if old else elsewhere
    found = asked(state, a_request(old, size), witness)
    assert isinstance(found, Observed)
    assert found.state == {**elsewhere, ORIGIN: head(size)}
    assert all(line.startswith("\u2014 ") and line.endswith("\n") for line in found.lines)
    cosigned = with_cosignatures(TREE.note(size), found.lines, LOG.key, [witness.key])
    verified = verify_checkpoint(cosigned, LOG.key, [witness.key])
    assert verified == (TREE.checkpoint(size), (Cosignature(witness.name, AT),))


UNKNOWN = sign_checkpoint(TREE.checkpoint(origin="example.org/other"), a_signer("example.org/other"))
PROOF_8_20 = consistency_proof(8, 20, TREE.hashes)


@pytest.mark.parametrize(
    ("request_text", "status", "reason", "body"),
    [
        (a_request(8, 20).replace("old", "new"), 400, "not a request", None),
        (a_request(8, 20).replace("old 8", "old 08"), 400, "without leading zeros", None),
        (a_request(8, 20)[:-1], 400, "not a signed note", None),
        (write_request(21, [], TREE.note(20)), 400, "larger than that of the log checkpoint, 20", None),
        (write_request(8, PROOF_8_20, UNKNOWN), 404, "example.org/other is not watched", None),
        (
            write_request(8, PROOF_8_20, sign_checkpoint(TREE.checkpoint(20), a_signer(seed="thief"))),
            403,
            "is not signed by",
            None,
        ),
        (a_request(8, 20).replace("\n20\n", "\n21\n"), 403, "does not hold", None),
        (a_request(0, 20), 409, "leads on from 0 entries", "8\n"),
        (a_request(9, 20), 409, "leads on from 9 entries", "8\n"),
        (a_request(0, 5), 409, "leads on from 0", "8\n"),
        (a_request(8, 8, FORK), 409, "another tree of 8 entries", "8\n"),
        (a_request(8, 20, FORK), 422, "does not show that the 8 known entries", None),
        (write_request(8, PROOF_8_20[:-1], TREE.note(20)), 422, "does not show", None),
        (write_request(8, [], TREE.note(20)), 422, "does not show", None),
        (write_request(8, PROOF_8_20, TREE.note(8)), 422, "does not show", None),
        (write_request(8, consistency_proof(8, 20, FORK.hashes), TREE.note(20)), 422, "does not show", None),
    ],
)
def test_everything_else_is_refused(request_text: str, status: int, reason: str, body: str | None) -> None:
    state = {ORIGIN: head(8)}
    found = asked(state, request_text)
    assert isinstance(found, Refusal)
    assert (found.status, reason in found.reason) == (status, True), found
    assert found.body == (body or f"{found.reason}\n")
    assert found.error.problems[0].code == "LED008"
    assert f"({status})" in str(found.error)
    assert state == {ORIGIN: head(8)}


def test_a_witness_that_never_saw_the_log_wants_no_proof() -> None:
    refused = asked({}, write_request(0, PROOF_8_20, TREE.note(20)))
    assert isinstance(refused, Refusal)
    assert refused.status == 422
    conflict = asked({}, a_request(8, 20))
    assert isinstance(conflict, Refusal)
    assert (conflict.status, conflict.body, conflict.known) == (409, "0\n", NOTHING)
    empty = replace(TREE.checkpoint(0), root=b"\1" * 32)
    strange = asked({}, write_request(0, [], sign_checkpoint(empty, LOG)))
    assert isinstance(strange, Refusal)
    assert strange.status == 409
    assert NOTHING == (0, EMPTY_ROOT)


@given(st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=6))
def test_what_a_witness_cosigned_is_one_growing_history(steps: list[tuple[int, bool]]) -> None:
    state: State = {}
    seen: list[tuple[TreeHead, NaiveTree]] = []
    for size, is_forked in steps:
        tree = FORK if is_forked else TREE
        known = state.get(ORIGIN, NOTHING)
        proof = consistency_proof(known.size, size, tree.hashes) if known.size <= size else []
        found = asked(state, write_request(known.size, proof, tree.note(size)))
        if isinstance(found, Observed):
            state = found.state
            seen.append((state[ORIGIN], tree))
        else:
            # Without a fork, only a rollback is refused.
            assert known.size > size or any(one is not tree for _, one in seen)
    sizes = [one.size for one, _ in seen]
    assert sizes == sorted(sizes)
    assert len({tree for one, tree in seen if one.size}) <= 1


def test_two_histories_get_no_two_cosignatures() -> None:
    first = asked({}, a_request(0, 20))
    assert isinstance(first, Observed)
    for size in range(20, 41):
        second = asked(first.state, a_request(20, size, FORK))
        assert isinstance(second, Refusal)
        assert second.status == (409 if size == 20 else 422)


def test_a_witness_needs_a_key_of_its_own() -> None:
    with pytest.raises(LedgerError, match=r"LED007: .*expected one of its own"):
        asked({}, a_request(0, 20), replace(LOG, name="w", algorithm=ED25519_COSIGNATURE))
    with pytest.raises(LedgerError, match=r"LED007: .*is not a witness's key"):
        asked({}, a_request(0, 20), a_signer("w.example.net"))


def test_cosignatures_of_strangers_are_left_out() -> None:
    note, other = TREE.note(), a_witness("other.example.net")
    lines = [cosign(note, one, AT) for one in (WITNESS, other)]
    assert with_cosignatures(note, lines, LOG.key, [WITNESS.key]) == add_signature(note, lines[0])
    assert with_cosignatures(note, lines, LOG.key) == note
    wrong = cosign(TREE.note(7), WITNESS, AT)
    with pytest.raises(LedgerError, match=r"LED007: .*does not hold"):
        with_cosignatures(note, [wrong], LOG.key, [WITNESS.key])
    with pytest.raises(LedgerError, match=r"LED007: not a signature line"):
        with_cosignatures(note, ["409 Conflict\n"], LOG.key, [WITNESS.key])


# --- requests -----------------------------------------------------------------------------------------


def test_a_request_is_written_as_the_specification_says() -> None:
    lines = [base64.b64encode(one).decode() for one in PROOF_8_20]
    assert a_request(8, 20) == "\n".join(["old 8", *lines, "", TREE.note(20)])
    assert a_request(0, 20) == f"old 0\n\n{TREE.note(20)}"
    found = read_request(a_request(8, 20).encode())
    assert (found.old_size, found.proof, found.note) == (8, tuple(PROOF_8_20), TREE.note(20))
    assert found.checkpoint == TREE.checkpoint(20)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a request"),
        ("old 8", "not a request"),
        ("old 8\n\n", "not a signed note"),
        (f"\n\n{TREE.note()}", "not a request"),
        (a_request(8, 20).replace("old 8", "old -8"), "the old size"),
        (a_request(8, 20).replace("old 8", "old  8"), "the old size"),
        (a_request(8, 20).replace("old 8", "old 8\nAAAA"), "hash 1 of the request"),
        (a_request(8, 20).replace("old 8", "old 8\n" + "A" * 43 + "="), None),
        ("old 8\n" + f"{'A' * 43}=\n" * 63 + f"\n{TREE.note()}", None),
        ("old 8\n" + f"{'A' * 43}=\n" * 64 + f"\n{TREE.note()}", "has 64 hashes: expected at most 63"),
        (a_request(8, 20).replace("\n20\n", "\n020\n"), "line 2 of the log checkpoint"),
        ("x" * (MAX_REQUEST_BYTES + 1), "too large"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_a_malformed_request_is_refused(text: str | bytes, said: str | None) -> None:
    if said is None:
        assert read_request(text).old_size == 8
    else:
        with pytest.raises(LedgerError, match=f"LED007: .*{said}"):
            read_request(text)


@given(st.text(max_size=80) | st.text("old 018\n=A", max_size=120) | st.binary(max_size=120))
@example("old 0\n\n")
def test_any_request_is_answered(request_text: str | bytes) -> None:
    found = asked({ORIGIN: head(8)}, request_text)
    assert isinstance(found, Refusal)
    assert found.status == 400


@given(st.data())
def test_no_changed_request_leads_astray(data: st.DataObject) -> None:
    text = a_request(8, 20).encode()
    place = data.draw(st.integers(0, len(text)))
    changed = text[:place] + data.draw(st.binary(max_size=3)) + text[place + data.draw(st.integers(0, 50)) :]
    found = asked({ORIGIN: head(8)}, changed)
    assert isinstance(found, Refusal) or found.state == {ORIGIN: head(20)}


# --- state --------------------------------------------------------------------------------------------

HEADS = st.builds(TreeHead, st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
STATES = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), HEADS, max_size=4)


@given(STATES)
def test_what_a_witness_knows_is_read_as_it_was_written(state: State) -> None:
    assert read_state(write_state(state)) == state
    assert read_state(write_state(state) + b"\n") == state


GOOD = write_state({ORIGIN: head(8)})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        GOOD[:-1],
        GOOD.replace(b'"8"', b"8"),
        GOOD.replace(b'"8"', b'"08"'),
        GOOD.replace(b'"8"', b'"8","size":"8"'),
        GOOD.replace(b"v1", b"v2"),
        GOOD.replace(b'"root":"', b'"root":"00'),
        GOOD.replace(b'"root":"', b'"root":"zz'),
        GOOD.replace(b'"root"', b'"more":1,"root"'),
        b'{"logs":{"a":[]},"schema":"tidegate/witness/v1"}',
        b'{"logs":[],"schema":"tidegate/witness/v1"}',
    ],
)
def test_a_witness_that_cannot_read_what_it_knew_does_not_start_anew(data: bytes) -> None:
    with pytest.raises(LedgerError, match=r"state\.json: error LED008: what the witness knew cannot be read"):
        read_state(data, "state.json")
    assert read_state(GOOD) == {ORIGIN: head(8)}


@given(st.binary(max_size=60) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(repr).map(str.encode))
def test_any_state_is_read_or_refused(data: bytes) -> None:
    with pytest.raises(LedgerError, match="LED008"):
        read_state(data)

# SPDX-License-Identifier: Apache-2.0
"""The hash tree against the definition in RFC 6962, its published figures, and sigstore's verifier."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sigstore._internal.merkle import verify_merkle_inclusion
from sigstore.errors import VerificationError

from ledger.log_factories import NaiveTree, data_of
from tidegate.kernel.canonical import merkle_root
from tidegate.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    extends,
    frontier_ranges,
    includes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_from_inclusion,
    root_of,
    roots_from_consistency,
    tree_root,
)

LEAVES = [
    bytes.fromhex(one)
    for one in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The leaves of the reference tests of Certificate Transparency (RFC 6962)."""
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""Roots of the trees of the first 0 to 8 of them, from the same tests."""
LEAF_0, LEAF_1, LEAF_4 = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
)
PAIR_1, PAIR_2, PAIR_3 = (
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
)
FOUR_0, FOUR_1 = ROOTS[4], "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

TREE = NaiveTree(300)


def by_definition(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if len(leaves) < 2:
        return leaf_hash(leaves[0]) if leaves else EMPTY_ROOT
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


def naive(leaves: Sequence[bytes]) -> Any:
    """Hashes of complete subtrees by the definition."""
    return lambda level, index: by_definition(leaves[index << level : (index + 1) << level])


def in_hex(hashes: Sequence[bytes]) -> list[str]:
    return [one.hex() for one in hashes]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_tests(size: int) -> None:
    leaves = LEAVES[:size]
    assert tree_root(size, naive(leaves)).hex() == ROOTS[size]
    assert root_of(map(leaf_hash, leaves)).hex() == ROOTS[size]
    assert merkle_root(leaves) == f"sha256:{ROOTS[size]}"


@pytest.mark.parametrize(
    ("index", "size", "path"),
    [
        (0, 1, []),
        (0, 8, [LEAF_1, PAIR_1, FOUR_1]),
        (5, 8, [LEAF_4, PAIR_3, FOUR_0]),
        (2, 3, [ROOTS[2]]),
        (1, 5, [LEAF_0, PAIR_1, LEAF_4]),
    ],
)
def test_inclusion_proofs_are_those_of_the_reference_tests(index: int, size: int, path: list[str]) -> None:
    assert in_hex(inclusion_proof(index, size, naive(LEAVES[:size]))) == path


@pytest.mark.parametrize(
    ("old", "size", "path"),
    [
        (0, 8, []),
        (1, 1, []),
        (8, 8, []),
        (1, 8, [LEAF_1, PAIR_1, FOUR_1]),
        (6, 8, [PAIR_2, PAIR_3, FOUR_0]),
        (2, 5, [PAIR_1, LEAF_4]),
    ],
)
def test_consistency_proofs_are_those_of_the_reference_tests(old: int, size: int, path: list[str]) -> None:
    assert in_hex(consistency_proof(old, size, naive(LEAVES[:size]))) == path


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_of_every_small_tree_is_proven_to_us_and_to_sigstore(size: int) -> None:
    root = tree_root(size, TREE.hashes)
    assert f"sha256:{root.hex()}" == merkle_root(data_of(one) for one in range(size))
    for index in range(size):
        path = inclusion_proof(index, size, TREE.hashes)
        assert includes(TREE.hashes(0, index), index, size, path, root)
        verify_merkle_inclusion(as_sigstore_sees_it(index, size, path, root))
        with pytest.raises(VerificationError):
            verify_merkle_inclusion(as_sigstore_sees_it(index, size, path, node_hash(root, root)))


def as_sigstore_sees_it(index: int, size: int, path: Sequence[bytes], root: bytes, data: bytes | None = None) -> Any:
    proof = SimpleNamespace(log_index=index, tree_size=size, hashes=list(path), root_hash=root)
    body = data_of(index) if data is None else data
    return SimpleNamespace(_inner=SimpleNamespace(inclusion_proof=proof, canonicalized_body=body))


@pytest.mark.parametrize("size", range(34))
def test_every_small_tree_extends_every_smaller_one(size: int) -> None:
    root = tree_root(size, TREE.hashes)
    for old in range(size + 1):
        proof = consistency_proof(old, size, TREE.hashes)
        assert extends(old, tree_root(old, TREE.hashes), size, root, proof)
        assert not extends(old, b"\x01" * 32, size, root, proof)
        assert old == 0 or not extends(old, tree_root(old, TREE.hashes), size, b"\x01" * 32, proof)


SIZES = st.integers(1, TREE.size)


@given(st.data(), SIZES)
def test_inclusion_agrees_with_sigstore_also_when_it_is_wrong(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(index, size, TREE.hashes)
    changed = data.draw(mutations(path))
    # Sigstore's types let in only indexes that the tree has.
    at = data.draw(st.one_of(st.just(index), st.integers(0, size - 1)))
    root = tree_root(size, TREE.hashes)
    entry = as_sigstore_sees_it(at, size, changed, root, data_of(index))
    try:
        verify_merkle_inclusion(entry)
        theirs = True
    except VerificationError:
        theirs = False
    assert includes(TREE.hashes(0, index), at, size, changed, root) is theirs
    assert theirs == ((changed, at) == (path, index))


@st.composite
def mutations(draw: st.DrawFn, path: list[bytes]) -> list[bytes]:
    """Give a path, changed in one of the ways that a forger or a fault might."""
    kind = draw(st.sampled_from(["same", "bit", "drop", "add", "swap", "replace"]))
    changed = list(path)
    place = draw(st.integers(0, max(0, len(path) - 1)))
    if kind == "add":
        changed.insert(draw(st.integers(0, len(path))), draw(st.binary(min_size=32, max_size=32)))
    elif kind == "bit" and path:
        bit = draw(st.integers(0, 255))
        changed[place] = (int.from_bytes(path[place], "big") ^ (1 << bit)).to_bytes(32, "big")
    elif kind == "drop" and path:
        del changed[place]
    elif kind == "swap" and path:
        other = draw(st.integers(0, len(path) - 1))
        changed[place], changed[other] = changed[other], changed[place]
    elif kind == "replace" and path:
        changed[place] = draw(st.binary(max_size=64))
    return changed


@given(st.data(), SIZES)
def test_no_changed_consistency_proof_verifies(data: st.DataObject, size: int) -> None:
    old = data.draw(st.integers(0, size))
    proof = consistency_proof(old, size, TREE.hashes)
    old_root, root = tree_root(old, TREE.hashes), tree_root(size, TREE.hashes)
    assert extends(old, old_root, size, root, proof)
    changed = data.draw(mutations(proof))
    assume(changed != proof)
    assert not extends(old, old_root, size, root, changed)


@given(st.data(), SIZES)
def test_no_proof_leads_from_another_history(data: st.DataObject, size: int) -> None:
    old = data.draw(st.integers(1, size))
    other = NaiveTree(old, fork="forked")
    proof = consistency_proof(old, size, TREE.hashes)
    assert not extends(old, tree_root(old, other.hashes), size, tree_root(size, TREE.hashes), proof)


@given(st.integers(-3, 40), st.integers(-3, 40), st.lists(st.binary(max_size=40), max_size=9), st.binary(max_size=33))
def test_any_proof_gets_an_answer(first: int, size: int, path: list[bytes], root: bytes) -> None:
    assert isinstance(includes(root, first, size, path, root), bool)
    assert isinstance(extends(first, root, size, root, path), bool)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_proof(index, size, TREE.hashes)
    assert root_from_inclusion(b"", index, size, []) is None


@pytest.mark.parametrize(("old", "size"), [(4, 3), (-1, 3)])
def test_a_larger_tree_is_not_extended(old: int, size: int) -> None:
    with pytest.raises(ValueError, match="does not extend"):
        consistency_proof(old, size, TREE.hashes)
    assert not extends(old, EMPTY_ROOT, size, EMPTY_ROOT, [])


def test_roots_follow_from_a_path_of_the_right_length_only() -> None:
    proof = consistency_proof(6, 8, TREE.hashes)
    assert roots_from_consistency(6, 8, proof) == (tree_root(6, TREE.hashes), tree_root(8, TREE.hashes))
    for path in ([], proof[:-1], [*proof, proof[0]]):
        assert roots_from_consistency(6, 8, path) is None
    assert roots_from_consistency(8, 8, proof) is None
    assert roots_from_consistency(0, 8, proof) is None


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_frontier_goes_on_where_it_was_left(first: int, more: int) -> None:
    size = min(first + more, TREE.size)
    first = min(first, size)
    left = [TREE.hashes(level, index) for level, index in frontier_ranges(0, first)]
    frontier = Frontier(first, left)
    for index in range(first, size):
        frontier.append(TREE.hashes(0, index))
    assert (frontier.size, frontier.root) == (size, tree_root(size, TREE.hashes))


def test_a_frontier_wants_as_many_hashes_as_its_size_has() -> None:
    with pytest.raises(ValueError, match="3 leaves has 2 complete subtrees, not 1"):
        Frontier(3, [EMPTY_ROOT])

# SPDX-License-Identifier: Apache-2.0
"""Tiles and bundles: the paths and widths that C2SP gives, and hashes equal to those computed without tiles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.log_factories import NaiveTree, data_of
from tidegate.kernel.errors import LedgerError
from tidegate.ledger.merkle import consistency_proof, inclusion_proof, leaf_hash, tree_root
from tidegate.ledger.tiles import (
    MAX_ENTRY_BYTES,
    Tile,
    TileHashes,
    bundle_path,
    bundles_of,
    decode_bundle,
    encode_bundle,
    encode_tile,
    tile_path,
    tile_width,
    tiles_of,
)

LARGE = NaiveTree(70_000)


def through_tiles(size: int, cached: int = 8) -> tuple[TileHashes, list[Tile]]:
    """Give hashes from the tiles of a tree, and a list that fills with the tiles that are read."""
    read: list[Tile] = []

    def read_tile(level: int, index: int, width: int) -> bytes:
        read.append(Tile(level, index, width))
        return encode_tile(read[-1], LARGE.hashes)

    return TileHashes(read_tile, size, cached), read


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 1234067, 256, "tile/0/x001/x234/067"),
        (0, 0, 256, "tile/0/000"),
        (63, 999, 255, "tile/63/999.p/255"),
        (1, 1000, 1, "tile/1/x001/000.p/1"),
        (2, 10**9, 256, "tile/2/x001/x000/x000/000"),
    ],
)
def test_a_tile_has_its_path(level: int, index: int, width: int, path: str) -> None:
    assert tile_path(level, index, width) == path
    assert bundle_path(index, width) == path.replace(f"tile/{level}/", "tile/entries/")


@pytest.mark.parametrize(("level", "index", "width"), [(-1, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_what_is_no_tile_has_no_path(level: int, index: int, width: int) -> None:
    with pytest.raises(ValueError, match="tile"):
        tile_path(level, index, width)


def test_the_example_of_the_specification_has_its_tiles() -> None:
    # A tree of 70,000: 273 full tiles and one of width 112, then one full and one of 17, then one of 1.
    found = list(tiles_of(70_000))
    assert found[:273] == [Tile(0, index, 256) for index in range(273)]
    assert found[273:] == [Tile(0, 273, 112), Tile(1, 0, 256), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert list(tiles_of(256)) == [Tile(0, 0, 256), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.integers(0, 140_000), st.integers(0, 140_000))
def test_new_tiles_are_those_that_the_smaller_tree_does_not_have(one: int, other: int) -> None:
    since, size = sorted((one, other))
    new, before = set(tiles_of(size, since)), set(tiles_of(since))
    assert new == set(tiles_of(size)) - before
    assert set(bundles_of(size, since)) == {tile for tile in new if tile.level == 0}
    assert all(tile.width == tile_width(tile.level, tile.index, size) for tile in new)


def test_a_tile_beyond_the_tree_has_no_width() -> None:
    assert tile_width(0, 3, 700) == 0
    assert tile_width(0, 2, 700) == 188


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_793, 70_000])
def test_every_proof_through_tiles_is_the_naive_one(size: int) -> None:
    hashes, _ = through_tiles(size)
    assert tree_root(size, hashes) == tree_root(size, LARGE.hashes)
    for index in {0, size // 3, size // 2, max(0, size - 2), size - 1}:
        assert inclusion_proof(index, size, hashes) == inclusion_proof(index, size, LARGE.hashes)
        assert consistency_proof(index, size, hashes) == consistency_proof(index, size, LARGE.hashes)


@given(st.data(), st.integers(1, 70_000))
def test_every_hash_through_tiles_is_the_naive_one(data: st.DataObject, size: int) -> None:
    level = data.draw(st.integers(0, size.bit_length() - 1))
    index = data.draw(st.integers(0, (size >> level) - 1))
    hashes, read = through_tiles(size)
    assert hashes(level, index) == LARGE.hashes(level, index)
    assert all(tile in set(tiles_of(size)) for tile in read)


def test_a_hash_that_the_tree_does_not_have_is_refused() -> None:
    hashes, read = through_tiles(300)
    for level, index in ((0, 300), (8, 1), (9, 0), (-1, 0), (0, -1)):
        with pytest.raises(ValueError, match="no complete subtree"):
            hashes(level, index)
    assert read == []


def test_tiles_are_read_once_and_only_so_many_are_kept() -> None:
    hashes, read = through_tiles(70_000, cached=4)
    for _ in range(3):
        inclusion_proof(12_345, 70_000, hashes)
    assert len(read) == len(set(read)) <= 4
    for index in range(0, 70_000, 256):
        hashes(0, index)
    assert len(hashes._tiles) == 4
    before = len(read)
    hashes(0, 0)
    assert len(read) == before + 1, "it was not kept, so it is read again"


@pytest.mark.parametrize("change", [-32, -1, 1, 32])
def test_a_tile_of_the_wrong_length_is_refused(change: int) -> None:
    hashes = TileHashes(lambda _level, _index, width: b"\0" * (width * 32 + change), 300)
    with pytest.raises(LedgerError, match=r"LED003: tile/0/001\.p/44 has .* expected 1,408"):
        hashes(0, 299)


# --- bundles ------------------------------------------------------------------------------------------


def test_a_bundle_gives_lengths_in_two_bytes() -> None:
    assert encode_bundle([b"", b"a", b"b" * 258]) == b"\x00\x00\x00\x01a\x01\x02" + b"b" * 258


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_a_bundle_is_read_as_it_was_written(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries)) == entries


def test_a_bundle_hashes_to_its_tile() -> None:
    entries = decode_bundle(encode_bundle([data_of(index) for index in range(256, 300)]))
    assert b"".join(map(leaf_hash, entries)) == encode_tile(Tile(0, 1, 44), LARGE.hashes)


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([], "1 to 256 entries, not 0"),
        ([b""] * 257, "1 to 256 entries, not 257"),
        ([b"x" * (MAX_ENTRY_BYTES + 1)], "65,536 bytes"),
    ],
)
def test_what_does_not_fit_a_bundle_is_refused(entries: list[bytes], said: str) -> None:
    with pytest.raises(LedgerError, match=f"LED004.*{said}"):
        encode_bundle(entries)


def test_a_full_bundle_and_the_largest_entry_fit() -> None:
    assert decode_bundle(encode_bundle([b""] * 256)) == [b""] * 256
    assert decode_bundle(encode_bundle([b"x" * MAX_ENTRY_BYTES])) == [b"x" * MAX_ENTRY_BYTES]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\x00", "cut short at entry 0"),
        (b"\x00\x01", "cut short at entry 0"),
        (b"\x00\x01a\x00", "cut short at entry 1"),
        (b"\x00\x00" * 257, "more than 256"),
    ],
)
def test_a_malformed_bundle_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(LedgerError, match=f"LED003.*{said}"):
        decode_bundle(data)


@given(st.binary(max_size=600))
def test_any_bytes_are_a_bundle_or_refused(data: bytes) -> None:
    try:
        entries = decode_bundle(data)
    except LedgerError:
        return
    assert encode_bundle(entries) == data

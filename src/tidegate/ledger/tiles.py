# SPDX-License-Identifier: Apache-2.0
"""The tree and the entries of a log as static files, in the layout of C2SP tlog-tiles.

A tile holds up to 256 hashes that stand side by side in the tree: at level 0 of leaves, at level 1 of the roots of
full tiles of level 0, and so on. The hashes between are computed from them. The last tile of a level may be partial.
A bundle holds the entries whose leaves are in the tile of the same index at level 0.

Nothing here reads files: where tiles come from is for the caller to say.
"""

import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tidegate.kernel.errors import LedgerError, Problem
from tidegate.ledger.entries import MAX_ENTRY_BYTES
from tidegate.ledger.merkle import Hashes, node_hash

WIDTH: Final = 256
"""Hashes in a full tile."""
HEIGHT: Final = 8
"""Levels of the tree that one tile stands for."""
HASH_BYTES: Final = 32
MAX_LEVEL: Final = 63
"""Highest level that a path may name (tlog-tiles)."""
CACHED_TILES: Final = 512
"""Tiles that are kept by default, each about 16 kB: enough for proofs over a hundred million entries, in 8 MB."""

ReadTile = Callable[[int, int, int], bytes]
"""``read_tile(level, index, width)`` gives the bytes of a tile."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Name of a tile, or of a bundle, which counts as level 0."""

    level: int
    """Level."""
    index: int
    """Index within its level."""
    width: int
    """How many hashes it holds."""


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Give the path of a tile.

    >>> tile_path(0, 1234067)
    'tile/0/x001/x234/067'
    >>> tile_path(1, 0, 17)
    'tile/1/000.p/17'

    Raises:
        ValueError: there is no such tile.
    """
    if not 0 <= level <= MAX_LEVEL:
        raise ValueError(f"a tile has a level from 0 to {MAX_LEVEL}, not {level}")
    return f"tile/{level}/{_index_path(index, width)}"


def bundle_path(index: int, width: int = WIDTH) -> str:
    """Give the path of a bundle of entries.

    >>> bundle_path(273, 112)
    'tile/entries/273.p/112'

    Raises:
        ValueError: there is no such bundle.
    """
    return f"tile/entries/{_index_path(index, width)}"


def _index_path(index: int, width: int) -> str:
    if index < 0 or not 1 <= width <= WIDTH:
        raise ValueError(f"there is no tile of index {index} and width {width}")
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[start : start + 3] for start in range(0, len(digits), 3)]
    path = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return path if width == WIDTH else f"{path}.p/{width}"


def tile_width(level: int, index: int, size: int) -> int:
    """Give how many hashes a tile holds in a tree of `size` leaves; 0 if there is no such tile."""
    return max(0, min(WIDTH, (size >> (HEIGHT * level)) - index * WIDTH))


def tiles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """Give the tiles of a tree of `size` leaves that a tree of the first `since` leaves does not have."""
    level = 0
    while size >> (HEIGHT * level):
        old, new = (leaves >> (HEIGHT * level) for leaves in (since, size))
        if new > old:
            for index in range(old // WIDTH, -(-new // WIDTH)):
                yield Tile(level, index, tile_width(level, index, size))
        level += 1


def bundles_of(size: int, since: int = 0) -> Iterator[Tile]:
    """Give the bundles of a log of `size` entries that a log of the first `since` entries does not have."""
    return (tile for tile in tiles_of(size, since) if tile.level == 0)


def encode_tile(tile: Tile, hashes: Hashes) -> bytes:
    """Give the bytes of a tile, from wherever hashes are kept."""
    first = tile.index * WIDTH
    return b"".join(hashes(tile.level * HEIGHT, first + place) for place in range(tile.width))


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Give the bytes of a bundle: each entry after its length in two bytes.

    Raises:
        LedgerError: LED004, an entry is too large, or there are too many or none.
    """
    if not 1 <= len(entries) <= WIDTH:
        raise LedgerError(Problem("LED004", f"a bundle holds 1 to {WIDTH} entries, not {len(entries):,}"))
    largest = max(map(len, entries))
    if largest > MAX_ENTRY_BYTES:
        raise LedgerError(Problem("LED004", f"{largest:,} bytes; an entry holds {MAX_ENTRY_BYTES:,}"))
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """Give the entries of a bundle.

    Raises:
        LedgerError: LED003, it is cut short, empty, or holds too many.
    """
    entries: list[bytes] = []
    place = 0
    while place < len(data):
        start = place + 2
        place = start + int.from_bytes(data[place:start], "big")
        if start > len(data) or place > len(data):
            raise LedgerError(Problem("LED003", f"a bundle of entries is cut short at entry {len(entries)}"))
        entries.append(data[start:place])
        if len(entries) > WIDTH:
            raise LedgerError(Problem("LED003", f"a bundle of entries holds more than {WIDTH}"))
    if not entries:
        raise LedgerError(Problem("LED003", "a bundle of entries is empty"))
    return entries


class TileHashes:
    """Hashes of a tree, computed from its tiles; usable wherever `merkle.Hashes` is.

    Tiles are read when they are needed, and the latest are kept. What they hold is not checked against a root:
    whoever verifies a proof or a root does that.
    """

    def __init__(self, read_tile: ReadTile, size: int, cached: int = CACHED_TILES) -> None:
        """Take the tiles of a tree of `size` leaves, and keep at most `cached` of them."""
        self.size = size
        self._read_tile = read_tile
        self._cached = max(1, cached)
        self._tiles: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()

    def __call__(self, level: int, index: int) -> bytes:
        """Give the root of the complete subtree of ``2**level`` leaves that begins at leaf ``index * 2**level``.

        Raises:
            ValueError: the tree has no such complete subtree.
            LedgerError: LED003, a tile is not of the expected length.
        """
        if level < 0 or index < 0 or (index + 1) << level > self.size:
            raise ValueError(f"a tree of {self.size} leaves has no complete subtree {index} at level {level}")
        tile_level, row = divmod(level, HEIGHT)
        tile, place = divmod(index << row, WIDTH)
        return _at(self._rows(tile_level, tile)[row], place >> row)

    def _rows(self, level: int, index: int) -> list[bytes]:
        """Give the rows of hashes that a tile stands for, from its own upward."""
        rows = self._tiles.get((level, index))
        if rows is not None:
            self._tiles.move_to_end((level, index))
            return rows
        width = tile_width(level, index, self.size)
        data = self._read_tile(level, index, width)
        if len(data) != width * HASH_BYTES:
            message = f"{tile_path(level, index, width)} has {len(data):,} bytes: expected {width * HASH_BYTES:,}"
            raise LedgerError(Problem("LED003", message))
        rows = [data]
        while len(rows) < HEIGHT:
            rows.append(_above(rows[-1]))
        self._tiles[level, index] = rows
        if len(self._tiles) > self._cached:
            self._tiles.popitem(last=False)
        return rows


def _at(row: bytes, place: int) -> bytes:
    return row[place * HASH_BYTES : (place + 1) * HASH_BYTES]


def _above(row: bytes) -> bytes:
    """Give the hashes of the pairs in a row; one that has no partner is left out."""
    pairs = len(row) // HASH_BYTES // 2
    return b"".join(node_hash(_at(row, 2 * pair), _at(row, 2 * pair + 1)) for pair in range(pairs))

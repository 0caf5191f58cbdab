# SPDX-License-Identifier: Apache-2.0
"""The log's hash tree in its database: full tiles of 256 hashes, what is not in one yet, and the head."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from tidegate.kernel.errors import LedgerError, Problem, Where
from tidegate.ledger.merkle import Frontier, root_of
from tidegate.ledger.tiles import HASH_BYTES, MAX_LEVEL, WIDTH
from tidegate.store.schema import entries, head, tiles

MAX_TILES = 2**48
"""Databases count in 63 bits; nobody has a log of 2^56 entries."""
# Made once: building a statement takes longer than running it.
_HEAD = select(head.c.size, head.c.frontier, head.c.root)
_HEAD_LOCKED = _HEAD.with_for_update()
_ADD_TILES = insert(tiles)
_MOVE_HEAD = update(head)


def split(hashes: bytes) -> list[bytes]:
    """Give the hashes of a tile, or of a frontier, one by one."""
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]


def read_head(connection: Connection, *, locked: bool = False) -> tuple[Frontier, bytes]:
    """Give the right edge of the tree and its root as the head has it; `locked` keeps other writers out until the end.

    Raises:
        LedgerError: LED003, there is no head, or it is broken.
    """
    row = connection.execute(_HEAD_LOCKED if locked else _HEAD).first()
    try:
        if row is None:
            raise ValueError("it is gone")
        return Frontier(row.size, split(row.frontier)), row.root
    except ValueError as error:
        hint = "run `tidegate ledger verify`, and compare with a backup"
        raise LedgerError(Problem("LED003", f"the head of the tree: {error}", Where("ledger head"), hint)) from None


def grow(connection: Connection, frontier: Frontier, leaves: Sequence[bytes]) -> None:
    """Leave the leaves in the tree: every tile that they fill, and the head. Their entries are written already."""
    level, size, new = 0, frontier.size, list(leaves)
    while (size + len(new)) // WIDTH > size // WIDTH:
        first = size // WIDTH
        hashes = [*_parts(connection, level, first * WIDTH, size), *new]
        full = [hashes[at : at + WIDTH] for at in range(0, len(hashes) - WIDTH + 1, WIDTH)]
        new = [root_of(tile) for tile in full]
        made = [
            {"level": level, "number": number, "hashes": b"".join(tile), "root": root}
            for number, (tile, root) in enumerate(zip(full, new, strict=True), first)
        ]
        connection.execute(_ADD_TILES, made)
        level, size = level + 1, first
    for leaf in leaves:
        frontier.append(leaf)
    state = {"size": frontier.size, "frontier": b"".join(frontier.hashes), "root": frontier.root}
    connection.execute(_MOVE_HEAD, state)


def _parts(connection: Connection, level: int, start: int, stop: int) -> list[bytes]:
    """Give hashes of a level from what is below: the leaves of entries, or the roots of full tiles."""
    if start == stop:
        return []
    if level == 0:
        asked = select(entries.c.leaf).where(entries.c.position >= start, entries.c.position < stop)
        return list(connection.scalars(asked.order_by(entries.c.position)))
    below = select(tiles.c.root).where(tiles.c.level == level - 1, tiles.c.number >= start, tiles.c.number < stop)
    return list(connection.scalars(below.order_by(tiles.c.number)))


def read_tile(connection: Connection, level: int, number: int, width: int = WIDTH) -> bytes:
    """Give the first hashes of a tile, whether it is full or not.

    Raises:
        LedgerError: LED009, the tree does not have them.
    """
    found = b""
    if 0 <= level <= MAX_LEVEL and 0 <= number < MAX_TILES and 1 <= width <= WIDTH:
        full = connection.scalar(select(tiles.c.hashes).where(tiles.c.level == level, tiles.c.number == number))
        found = full or b"".join(_parts(connection, level, number * WIDTH, number * WIDTH + width))
    if len(found) < width * HASH_BYTES or not found:
        raise LedgerError(Problem("LED009", f"the tree has no tile {level}/{number} of {width} hashes"))
    return found[: width * HASH_BYTES]

# SPDX-License-Identifier: Apache-2.0
"""The RFC 6962 hash tree: roots, inclusion proofs, consistency proofs. SHA-256 and nothing else.

Trees are named by how many leaves they have. Hashes come from a `Hashes` function, which gives the root of a
complete subtree; where they are kept does not matter here.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the tree without leaves (RFC 6962, section 2.1)."""

Hashes = Callable[[int, int], bytes]
"""``hashes(level, index)`` gives the root of the complete subtree of ``2**level`` leaves that begins at leaf
``index * 2**level``."""


def leaf_hash(data: bytes) -> bytes:
    """Give the hash of a leaf: ``SHA-256(0x00 || data)``."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give the hash of an inner node: ``SHA-256(0x01 || left || right)``."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def frontier_ranges(start: int, stop: int) -> list[tuple[int, int]]:
    """Give the complete subtrees, as (level, index), that cover the leaves from `start` up to `stop`, left to right.

    `start` has to be a multiple of the largest power of two that fits below ``stop - start``, as it is everywhere
    in an RFC 6962 tree.
    """
    found: list[tuple[int, int]] = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def _join(hashes: Sequence[bytes]) -> bytes:
    """Join the roots of the frontier's subtrees, right to left."""
    root = hashes[-1]
    for left in reversed(hashes[:-1]):
        root = node_hash(left, root)
    return root


def range_root(start: int, stop: int, hashes: Hashes) -> bytes:
    """Give the root of the leaves from `start` up to `stop` (RFC 6962, section 2.1: ``MTH(D[start:stop])``)."""
    return _join([hashes(level, index) for level, index in frontier_ranges(start, stop)])


def tree_root(size: int, hashes: Hashes) -> bytes:
    """Give the root of the first `size` leaves."""
    return range_root(0, size, hashes) if size else EMPTY_ROOT


class Frontier:
    """The right edge of a growing tree: enough to add leaves and to give the root, in O(log n) space."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Take up a tree where it was left; `hashes` are the roots of its complete subtrees, left to right.

        Raises:
            ValueError: their number does not fit the size.
        """
        if len(hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} complete subtrees, not {len(hashes)}")
        self.size = size
        self.hashes = list(hashes)

    def append(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        self.size += 1
        self.hashes.append(leaf)
        for _ in range((self.size & -self.size).bit_length() - 1):
            right = self.hashes.pop()
            self.hashes.append(node_hash(self.hashes.pop(), right))

    @property
    def root(self) -> bytes:
        """Root of the tree as it stands."""
        return _join(self.hashes) if self.hashes else EMPTY_ROOT


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Give the root of leaf hashes, which may be streamed."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root


def inclusion_proof(index: int, size: int, hashes: Hashes) -> list[bytes]:
    """Give the audit path of a leaf, from the leaf upward (RFC 6962, section 2.1.1).

    Raises:
        ValueError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, stop = 0, size
    while stop - start > 1:
        split = start + (1 << ((stop - start - 1).bit_length() - 1))
        if index < split:
            path.append(range_root(split, stop, hashes))
            stop = split
        else:
            path.append(range_root(start, split, hashes))
            start = split
    return path[::-1]


def consistency_proof(old_size: int, size: int, hashes: Hashes) -> list[bytes]:
    """Give the proof that the first `old_size` leaves are still the first (RFC 6962, section 2.1.2).

    The proof from an empty tree, and that of a tree with itself, is empty.

    Raises:
        ValueError: the old tree is larger than the new one.
    """
    if not 0 <= old_size <= size:
        raise ValueError(f"a tree of {size} leaves does not extend one of {old_size}")
    if old_size in (0, size):
        return []
    path: list[bytes] = []
    start, stop, is_whole = 0, size, True
    while old_size != stop:
        split = start + (1 << ((stop - start - 1).bit_length() - 1))
        if old_size <= split:
            path.append(range_root(split, stop, hashes))
            stop = split
        else:
            path.append(range_root(start, split, hashes))
            start, is_whole = split, False
    if not is_whole:
        path.append(range_root(start, stop, hashes))
    return path[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """Give the root that an inclusion proof leads to, or none if its length does not fit (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    node, last, found = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if node & 1 or node == last:
            found = node_hash(sibling, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        node, last = node >> 1, last >> 1
    return found if last == 0 else None


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether a proof shows that the tree of this size and root has this leaf hash at this index."""
    return root_from_inclusion(leaf, index, size, proof) == root


def roots_from_consistency(old_size: int, size: int, path: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """Give the roots of the old and the new tree that a consistency path leads to, or none if its length does not fit.

    The path begins with the root of a complete subtree of the old tree (RFC 9162, section 2.1.4.2, step 2).
    """
    if not path or not 0 < old_size < size:
        return None
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return (old, new) if last == 0 else None


def extends(old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether a proof shows that one tree begins with all leaves of another (RFC 9162, section 2.1.4.2)."""
    if not 0 <= old_size <= size:
        return False
    if old_size in (0, size):
        return not proof and old_root == (root if old_size == size else EMPTY_ROOT)
    is_complete = old_size & (old_size - 1) == 0
    path = [old_root, *proof] if is_complete else proof
    return roots_from_consistency(old_size, size, path) == (old_root, root)

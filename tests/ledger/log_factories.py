# SPDX-License-Identifier: Apache-2.0
"""Keys from fixed seeds, and small logs held in memory."""

import hashlib
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from tidegate.kernel.errors import LedgerError
from tidegate.ledger.merkle import leaf_hash, node_hash, tree_root
from tidegate.ledger.notes import (
    ED25519,
    ED25519_COSIGNATURE,
    MLDSA44_COSIGNATURE,
    Checkpoint,
    NoteSigner,
    sign_checkpoint,
)

ORIGIN = "example.org/log"
T = TypeVar("T")


def unless_refused(action: Callable[[], T]) -> T | None:
    """Give what an action gives, or none if it refuses with LED007; any other error passes through."""
    try:
        return action()
    except LedgerError as error:
        if [problem.code for problem in error.problems] != ["LED007"]:
            raise
        return None


@cache
def a_signer(name: str = ORIGIN, algorithm: int = ED25519, seed: str = "") -> NoteSigner:
    """Give a signer whose key follows from its name."""
    secret = hashlib.sha256(f"{name} {algorithm} {seed}".encode()).digest()
    if algorithm == MLDSA44_COSIGNATURE:
        large = MLDSA44PrivateKey.from_seed_bytes(secret)
        return NoteSigner(name, algorithm, large.public_key().public_bytes_raw(), large.sign)
    key = Ed25519PrivateKey.from_private_bytes(secret)
    return NoteSigner(name, algorithm, key.public_key().public_bytes_raw(), key.sign)


def a_witness(name: str = "witness.example.net", algorithm: int = ED25519_COSIGNATURE) -> NoteSigner:
    return a_signer(name, algorithm)


def data_of(index: int) -> bytes:
    """Give the entry that stands at an index in every log of these tests."""
    return f"entry {index}".encode()


class NaiveTree:
    """Every hash of every complete subtree, row upon row, straight from the entries."""

    def __init__(self, size: int, fork: str = "") -> None:
        self.size = size
        self.rows = [[leaf_hash(data_of(index) + fork.encode()) for index in range(size)]]
        while len(self.rows[-1]) > 1:
            row = self.rows[-1]
            self.rows.append([node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)])

    def hashes(self, level: int, index: int) -> bytes:
        return self.rows[level][index]

    def checkpoint(self, size: int | None = None, origin: str = ORIGIN) -> Checkpoint:
        chosen = self.size if size is None else size
        return Checkpoint(origin, chosen, tree_root(chosen, self.hashes))

    def note(self, size: int | None = None) -> str:
        return sign_checkpoint(self.checkpoint(size), a_signer())

# SPDX-License-Identifier: Apache-2.0
"""Verifying a log of a million entries, and proofs from its tiles, against rebuilding the tree for every proof.

Entries are streamed: each is made, hashed and forgotten; what making them costs is measured apart and taken off.
The tree is recomputed in full. Reading every entry as a typed record is timed on a sample, and scaled.

    python benchmarks/bench_ledger_proofs.py [--entries 1000000] [--sample 5000] [--json]
"""

import argparse
import hashlib
import json
import time
from collections.abc import Iterator, Sequence

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tidegate.ledger.acts import LedgerOpened
from tidegate.ledger.entries import new_entry, read_entry
from tidegate.ledger.merkle import Frontier, inclusion_proof, leaf_hash, node_hash, root_of
from tidegate.ledger.notes import ED25519, Checkpoint, NoteSigner, sign_checkpoint
from tidegate.ledger.proofs import tlog_proof, verify_proof
from tidegate.ledger.tiles import WIDTH, TileHashes

SECONDS = 20.0
"""Target for recomputing every leaf hash and the root of a million entries on one core."""
PROOFS = 300


def entries(size: int) -> Iterator[bytes]:
    """Make canonical entries of about 400 bytes that differ in their ids, as fast as Python can."""
    body = LedgerOpened(origin="example.org/log", organisation="An organisation of some length, " + "x" * 210)
    made = new_entry("ledger.opened", body, entry_id="f" * 32, acted_at="2026-11-21T09:30:00Z", by="keeper").data
    before, after = made.split(b"f" * 32)
    for number in range(size):
        yield b"%b%032x%b" % (before, number, after)


def verify_all(size: int) -> tuple[bytes, float, float]:
    """Give the root, the seconds that verifying takes, and those that making the entries takes."""
    start = time.perf_counter()
    for _ in entries(size):
        pass
    making = time.perf_counter() - start
    start = time.perf_counter()
    frontier = Frontier()
    for data in entries(size):
        frontier.append(leaf_hash(data))
    return frontier.root, time.perf_counter() - start - making, making


def read_all(size: int, sample: int) -> float:
    """Give the seconds that reading every entry as a record would take, from a sample."""
    chosen = list(entries(sample))
    start = time.perf_counter()
    for data in chosen:
        read_entry(data)
    return (time.perf_counter() - start) / sample * size


def tile_rows(size: int) -> list[bytes]:
    """Give the hashes of each level of tiles, side by side."""
    rows = [b"".join(leaf_hash(data) for data in entries(size))]
    while len(rows[-1]) >= WIDTH * 32:
        full = len(rows[-1]) // 32 // WIDTH
        hashes = (rows[-1][tile * WIDTH * 32 : (tile + 1) * WIDTH * 32] for tile in range(full))
        rows.append(b"".join(root_of([row[at : at + 32] for at in range(0, len(row), 32)]) for row in hashes))
    return rows


def through_tiles(rows: Sequence[bytes], size: int, chosen: Sequence[int], *, warm: bool) -> tuple[list[float], int]:
    """Give the milliseconds of each proof, with tiles kept between proofs or not, and how many tiles were read."""
    read = 0

    def read_tile(level: int, index: int, width: int) -> bytes:
        nonlocal read
        read += 1
        return rows[level][index * WIDTH * 32 : (index * WIDTH + width) * 32]

    hashes, took = TileHashes(read_tile, size), []
    for index in chosen:
        if not warm:
            hashes = TileHashes(read_tile, size)
        start = time.perf_counter()
        inclusion_proof(index, size, hashes)
        took.append((time.perf_counter() - start) * 1000)
    return took, read


def rebuilt(leaves: bytes, index: int) -> tuple[list[bytes], float]:
    """Give a proof from all leaf hashes, by computing every row of the tree, and the milliseconds it takes."""
    start = time.perf_counter()
    row = [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
    path = []
    while len(row) > 1:
        if index ^ 1 < len(row):
            path.append(row[index ^ 1])
        odd = row[-1:] if len(row) % 2 else []
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)] + odd
        index //= 2
    return path, (time.perf_counter() - start) * 1000


def median(values: Sequence[float]) -> float:
    return float(np.median(values))


def proofs(size: int, root: bytes) -> dict[str, float]:
    rows = tile_rows(size)
    chosen = [int(index) for index in np.random.default_rng(1).integers(0, size, PROOFS)]
    cold, tiles_read = through_tiles(rows, size, chosen, warm=False)
    # The second time round, every tile is kept.
    warm = through_tiles(rows, size, [*chosen, *chosen], warm=True)[0][PROOFS:]
    key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"bench").digest())
    log = NoteSigner("example.org/log", ED25519, key.public_key().public_bytes_raw(), key.sign)
    note = sign_checkpoint(Checkpoint("example.org/log", size, root), log)
    hashes = TileHashes(lambda level, index, width: rows[level][index * 8192 : index * 8192 + width * 32], size)
    naive, naive_ms = rebuilt(rows[0], chosen[0])
    assert naive == inclusion_proof(chosen[0], size, hashes), "the two ways give different proofs"
    data = next(one for index, one in enumerate(entries(size)) if index == chosen[0])
    text = tlog_proof(chosen[0], naive, note)
    start = time.perf_counter()
    for _ in range(100):
        verify_proof(text, data, log.key)
    return {
        "proof_ms_without_cache": median(cold),
        "proof_ms_with_cache": median(warm),
        "tiles_read_per_proof": tiles_read / PROOFS,
        "hashes_in_proof": len(naive),
        "proof_file_bytes": len(text.encode()),
        "verify_proof_ms": (time.perf_counter() - start) * 10,
        "rebuild_ms": naive_ms,
        "times_faster_than_rebuilding": naive_ms / median(cold),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--sample", type=int, default=5_000)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    size: int = arguments.entries
    root, verifying, making = verify_all(size)
    found: dict[str, float] = {
        "entries": size,
        "bytes_per_entry": len(next(entries(1))),
        "verify_seconds": verifying,
        "target_seconds": SECONDS * size / 1_000_000,
        "making_entries_seconds": making,
        "read_entry_seconds_scaled": read_all(size, arguments.sample),
        "read_entry_sample": arguments.sample,
        **proofs(size, root),
    }
    found = {name: round(value, 3) for name, value in found.items()}
    if arguments.json:
        print(json.dumps(found))
    else:
        print(f"{size:,} entries of {found['bytes_per_entry']} bytes, one core")
        print(
            f"  every leaf hash and the root     {found['verify_seconds']:8.2f} s (target {found['target_seconds']} s)"
        )
        print(f"  making the entries, taken off    {found['making_entries_seconds']:8.2f} s")
        print(
            f"  reading each as a typed record   {found['read_entry_seconds_scaled']:8.2f} s, "
            f"scaled from a sample of {arguments.sample:,}: not part of the target"
        )
        print(
            f"  a proof from tiles               {found['proof_ms_without_cache']:8.3f} ms with "
            f"{found['tiles_read_per_proof']} tiles read, {found['proof_ms_with_cache']} ms once they are kept"
        )
        print(f"  a proof by rebuilding the tree   {found['rebuild_ms']:8.1f} ms")
        print(f"  tiles are faster by              {found['times_faster_than_rebuilding']:8.0f} times")
        print(
            f"  a proof file                     {found['proof_file_bytes']:8.0f} bytes with "
            f"{found['hashes_in_proof']:.0f} hashes, verified in {found['verify_proof_ms']} ms"
        )
    return 0 if found["verify_seconds"] < found["target_seconds"] else 1


if __name__ == "__main__":
    raise SystemExit(main())

# SPDX-License-Identifier: Apache-2.0
"""Durable appends per second by 8 writers: groups that share a write, against one durable write for each entry.

Both are timed in turns on the same disk. Every append is acknowledged only when it would survive a power failure.

    python benchmarks/bench_ledger_append.py [--url postgresql+psycopg://...] [--writers 8] [--entries 8000] [--json]
"""

import argparse
import hashlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tidegate.ledger.acts import DecisionSigned
from tidegate.ledger.entries import Entry, Signature, Signed, new_entry
from tidegate.store.ledger import GroupCommit, LedgerStore, open_ledger

PER_SECOND, RATIO = 3000.0, 2.0
"""Targets: appends per second in groups, and how many times as fast as one by one."""
ROUNDS = 3
DOCUMENT = b'{"question": "May the model be deployed?"}'


def some_entries(name: str, count: int) -> list[Entry]:
    """Give signed decisions of about 700 bytes; making and signing them is not what is measured."""
    digest = f"sha256:{hashlib.sha256(DOCUMENT).hexdigest()}"
    over = tuple(Signed(name=one, digest=digest) for one in ("decision", "policy", "evidence"))
    signature = Signature(key=f"SHA256:{'k' * 43}", value="A" * 88)
    body = DecisionSigned(decision="D-1", document=digest, role="ceo")
    made = []
    for number in range(count):
        entry_id = hashlib.sha256(f"{name} {number}".encode()).hexdigest()[:32]
        one = new_entry(
            "decision.signed", body, entry_id=entry_id, acted_at="2026-06-01T09:30:00Z", by="ada", over=over
        )
        made.append(one.model_copy(update={"signature": signature}))
    return made


def per_second(append: Callable[[Entry], object], shares: list[list[Entry]]) -> float:
    """Let every writer append its share, and give how many appends were acknowledged each second."""

    def work(share: list[Entry]) -> None:
        for entry in share:
            append(entry)

    writers = [threading.Thread(target=work, args=(share,)) for share in shares]
    start = time.perf_counter()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return sum(map(len, shares)) / (time.perf_counter() - start)


def measure(store: LedgerStore, writers: int, entries: int) -> dict[str, float]:
    """Give the best of several rounds, in turns, so that a busy machine troubles both alike."""
    store.append([], documents=[DOCUMENT])
    group = GroupCommit(store)
    ways: dict[str, Callable[[Entry], object]] = {
        "groups": group.append,
        "one_by_one": lambda entry: store.append([entry]),
    }
    best = dict.fromkeys(ways, 0.0)
    for number in range(ROUNDS):
        for way, append in ways.items():
            count = entries // writers if way == "groups" else entries // writers // 4
            shares = [some_entries(f"{way} {number} {writer}", count) for writer in range(writers)]
            best[way] = max(best[way], per_second(append, shares))
    return best


def microseconds_of_fsync(folder: Path) -> float:
    """Give how long the disk takes to make a page durable."""
    with (folder / "page").open("wb") as file:
        start = time.perf_counter()
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        return (time.perf_counter() - start) / 200 * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="database to measure; a new SQLite file if none is given")
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--entries", type=int, default=8000, help="appends of a round")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.url or f"sqlite:///{folder}/ledger.db"
        with open_ledger(url, create=True) as store:
            best = measure(store, arguments.writers, arguments.entries)
            start = time.perf_counter()
            size = store.verify().size
            verified = size / (time.perf_counter() - start)
        fsync = microseconds_of_fsync(Path(folder))
    ratio = best["groups"] / best["one_by_one"]
    is_met = best["groups"] >= PER_SECOND and ratio >= RATIO
    found = {
        "database": "sqlite" if arguments.url is None else arguments.url.split(":")[0],
        "writers": arguments.writers,
        "appends_per_second_in_groups": round(best["groups"]),
        "appends_per_second_one_by_one": round(best["one_by_one"]),
        "ratio": round(ratio, 1),
        "fsync_microseconds": round(fsync),
        "verified_per_second": round(verified),
        "entries": size,
        "target_met": is_met,
    }
    if arguments.json:
        print(json.dumps(found))
        return 0 if is_met else 1
    print(
        f"durable appends, {arguments.writers} writers, {found['database']}; one fsync of a page takes {fsync:.0f} us"
    )
    print(f"  in groups   {best['groups']:>8,.0f} each second   (target {PER_SECOND:,.0f})")
    print(f"  one by one  {best['one_by_one']:>8,.0f} each second")
    print(f"  ratio       {ratio:>8.1f}               (target {RATIO:.0f})")
    print(f"  verified    {verified:>8,.0f} each second, all {size:,} of them")
    return 0 if is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())

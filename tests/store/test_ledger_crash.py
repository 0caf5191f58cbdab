# SPDX-License-Identifier: Apache-2.0
"""Writers that are killed at random points, hundreds of times: nothing acknowledged is lost, nothing is there twice.

This takes some ten seconds for each database: a child lives for some tens of milliseconds, and there are hundreds.
"""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from store.ledger_factories import a_case_entry, a_model_entry, an_entry, an_id, content_of
from store.ledger_processes import MANY
from tidegate.store.ledger import LedgerStore, open_ledger

PROGRAM = Path(__file__).with_name("ledger_processes.py")
KILLS = 240


def let_die(url: str) -> list[dict[str, Any]]:
    command = [sys.executable, str(PROGRAM), "killed", url, str(KILLS), "7"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return json.loads(done.stdout)["children"]


def check(store: LedgerStore, children: list[dict[str, Any]]) -> Counter[str]:
    """Compare the log with what the children said before they died."""
    found = {one.entry.id: one.index for one in store.entries()}
    counts = Counter({"entries": len(found)})
    tried = {an_id("before"), an_id("after")}
    for child in children:
        assert child["killed"], child
        assert not [said["error"] for said in child["heard"] if "error" in said]
        open_tries: set[tuple[str, ...]] = set()
        for said in child["heard"]:
            if "try" in said:
                open_tries.add(tuple(said["try"]))
                tried.update(said["try"])
            elif "done" in said:
                open_tries.discard(tuple(said["done"]))
                counts["acknowledged"] += len(said["done"])
                assert [found.get(name) for name in said["done"]] == said["at"], "lost, or in another place"
        counts["killed while it appended"] += bool(open_tries)
        for ids in open_tries:
            inside = sum(name in found for name in ids)
            assert inside in (0, len(ids)), "a part of an append"
            counts["unanswered, and in"] += inside == len(ids)
            counts["unanswered, and not in"] += not inside
    assert found.keys() <= tried
    assert sorted(found.values()) == list(range(len(found)))
    return counts


def test_nothing_acknowledged_is_lost_by_killing(ledger_url, capsys):
    open_ledger(ledger_url, create=True).close()
    children = let_die(ledger_url)
    with open_ledger(ledger_url) as store:
        counts = check(store, children)
        assert store.verify().size == counts["entries"]
        with capsys.disabled():
            print(f" {len(children)} kills, {dict(counts)} ", end="")
        assert counts["killed while it appended"] > KILLS // 4, "too few were killed at their work"
        assert counts["acknowledged"] > KILLS // 4
        assert counts["unanswered, and not in"] > 0, "none was killed before it was durable"
        # What nobody answered is tried again: it is there once.
        size = store.size
        for number in range(0, KILLS, 3):
            index = store.append([an_entry(f"child {number} 0")])[0]
            assert store.find(index).entry == an_entry(f"child {number} 0")
        first = b"child 1 0"
        many = [an_entry(f"child 1 0 {place}") for place in range(MANY)]
        many += [a_model_entry(first, "m child 1 0"), a_case_entry(content_of(first), "c child 1 0")]
        store.append(many, documents=[first], sealed=[content_of(first)])
        assert size <= store.size <= size + KILLS // 3 + len(many)
        store.verify()


def test_a_loss_would_be_seen(sqlite_store):
    """The check above finds what it looks for."""
    here, gone = an_entry("here"), an_entry("gone")
    sqlite_store.append([here])
    check(sqlite_store, [{"killed": True, "heard": [{"try": [here.id]}, {"done": [here.id], "at": [0]}]}])
    for heard in (
        [{"try": [gone.id]}, {"done": [gone.id], "at": [1]}],
        [{"try": [here.id]}, {"done": [here.id], "at": [1]}],
        [{"try": [here.id, gone.id]}],
        [{"error": "any"}],
        [],
    ):
        with pytest.raises(AssertionError):
            check(sqlite_store, [{"killed": True, "heard": heard}])

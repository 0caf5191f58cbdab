# SPDX-License-Identifier: Apache-2.0
"""Processes that add to a log, run as programs: many at once, or one after another until each is killed.

python ledger_processes.py append URL NAME         append, print what was acknowledged
python ledger_processes.py create URL              make the log and append one entry
python ledger_processes.py killed URL KILLS SEED   let children append, kill each, print what was acknowledged
"""

import json
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from store.ledger_factories import a_case_entry, a_model_entry, an_entry, an_id, content_of
from tidegate.ledger.entries import Entry
from tidegate.store.ledger import GroupCommit, LedgerStore, open_ledger

OWN, SHARED, THREADS = 20, 10, 3
MANY = 80


def append(url: str, name: str) -> dict[str, Any]:
    """Append from several threads: entries of its own, and some that every process appends."""
    acknowledged: list[tuple[str, int]] = []
    with open_ledger(url) as store:
        group = GroupCommit(store)

        def work(thread: int) -> None:
            for number in range(OWN):
                mine = an_entry(f"{name} {thread} {number}")
                index = group.append(mine) if number % 2 else store.append([mine])[0]
                acknowledged.append((mine.id, index))
                if number < SHARED:
                    acknowledged.append((an_id(f"shared {number}"), group.append(an_entry(f"shared {number}"))))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
    return {"acknowledged": acknowledged}


def create(url: str) -> dict[str, Any]:
    with open_ledger(url, create=True) as store:
        made = an_entry(os.getpid())
        return {"acknowledged": [(made.id, store.append([made])[0])]}


# --- killed at random points --------------------------------------------------------------------------


def one_by_one(store: LedgerStore, name: str, say: Callable[..., None]) -> None:
    for number in range(10_000):
        made = an_entry(f"{name} {number}")
        say("try", [made.id])
        say("done", [made.id], store.append([made]))


def many_at_once(store: LedgerStore, name: str, say: Callable[..., None]) -> None:
    """Append so many that tiles are filled, with a document and sealed content."""
    for number in range(10_000):
        document = f"{name} {number}".encode()
        content = content_of(document)
        made: list[Entry] = [an_entry(f"{name} {number} {place}") for place in range(MANY)]
        made += [a_model_entry(document, f"m {name} {number}"), a_case_entry(content, f"c {name} {number}")]
        say("try", [one.id for one in made])
        say("done", [one.id for one in made], store.append(made, documents=[document], sealed=[content]))


def in_groups(store: LedgerStore, name: str, say: Callable[..., None]) -> None:
    group = GroupCommit(store)

    def work(thread: int) -> None:
        for number in range(10_000):
            made = an_entry(f"{name} {thread} {number}")
            say("try", [made.id])
            say("done", [made.id], [group.append(made)])

    for thread in range(3):
        threading.Thread(target=work, args=(thread,), daemon=True).start()
    time.sleep(60)


WAYS = (one_by_one, many_at_once, in_groups)
FIRST_LINES = (0, 1, 1, 1, 3, 3, 3, 3)
"""For each of eight children, how much it has said before its last moments begin: nothing, "opened", or up to "done"."""


def killed(url: str, kills: int, seed: int) -> dict[str, Any]:
    """Fork a child that appends, kill it after a random time, and again; all was imported before, so that it is quick.

    Of eight children one is killed at any time after it began, three at any time after they opened the log, and four
    at any time after their first append was acknowledged.
    """
    chance = random.Random(seed)
    with open_ledger(url) as store:
        store.append([an_entry("before")])
    said: list[dict[str, Any]] = []
    for number in range(kills):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.close(reading)
                appended_by_child(url, number, writing)
            finally:
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            lines = [pipe.readline() for _ in range(FIRST_LINES[number % 8])]
            time.sleep(chance.uniform(0, 0.03 if lines else 0.06))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            heard = [json.loads(line) for line in [*lines, *pipe.readlines()] if line.endswith(b"}\n")]
        said.append({"killed": os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, "heard": heard})
    # Waits for what a server still does for the last child.
    with open_ledger(url) as store:
        store.append([an_entry("after")])
    return {"children": said}


def appended_by_child(url: str, number: int, pipe: int) -> None:
    def say(what: str, ids: list[str], indexes: Any = ()) -> None:
        # One write of less than a page, which a pipe takes wholly or not at all.
        os.write(pipe, json.dumps({what: ids, "at": list(indexes)}).encode() + b"\n")

    try:
        with open_ledger(url) as store:
            say("opened", [])
            WAYS[number % len(WAYS)](store, f"child {number}", say)
    except BaseException as error:
        os.write(pipe, json.dumps({"error": repr(error)}).encode() + b"\n")
        raise


if __name__ == "__main__":
    mode, address, *rest = sys.argv[1:]
    if mode == "append":
        result = append(address, *rest)
    elif mode == "create":
        result = create(address)
    else:
        result = killed(address, int(rest[0]), int(rest[1]))
    sys.stdout.write(json.dumps(result))

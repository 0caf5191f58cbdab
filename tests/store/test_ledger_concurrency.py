# SPDX-License-Identifier: Apache-2.0
"""Several processes and threads at once: the log never forks, loses or doubles an entry; groups share one write."""

import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from store.ledger_factories import a_case_entry, a_model_entry, an_entry, an_erasure, content_of, some_entries
from store.ledger_processes import OWN, SHARED, THREADS
from tidegate.kernel.errors import LedgerError, Problem
from tidegate.store.ledger import GroupCommit, LedgerStore, open_ledger

PROGRAM = Path(__file__).with_name("ledger_processes.py")


def at_once(*arguments: tuple[str, ...]) -> list[list[tuple[str, int]]]:
    """Run the program several times at once; give what each was told."""
    commands = [[sys.executable, str(PROGRAM), *given] for given in arguments]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for command in commands]
    answers = [one.communicate(timeout=120) for one in running]
    assert [one.returncode for one in running] == [0] * len(running), answers
    return [[tuple(pair) for pair in json.loads(out)["acknowledged"]] for out, _ in answers]


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Run in several threads at once, and raise what any of them raised."""
    failures: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
        assert not one.is_alive(), "it hangs"
    if failures:
        raise failures[0]


def test_processes_and_threads_append_at_once(ledger_url):
    open_ledger(ledger_url, create=True).close()
    answers = at_once(*(("append", ledger_url, f"process {number}") for number in range(4)))
    with open_ledger(ledger_url) as store:
        assert store.size == 4 * THREADS * OWN + SHARED
        placed = {one.entry.id: one.index for one in store.entries()}
        told: dict[str, set[int]] = defaultdict(set)
        for name, index in (pair for answer in answers for pair in answer):
            told[name].add(index)
        assert told == {name: {index} for name, index in placed.items()}
        store.verify()


def test_processes_make_one_log_at_once(ledger_url):
    answers = at_once(*[("create", ledger_url)] * 5)
    with open_ledger(ledger_url) as store:
        assert sorted(index for answer in answers for _, index in answer) == list(range(5))
        store.verify()


def test_threads_share_a_store(store):
    def work(number: int) -> None:
        for place in range(10):
            (index,) = store.append([an_entry(f"{number} {place}")])
            assert store.find(index).entry == an_entry(f"{number} {place}")
            assert store.root(index + 1) == store.root(index + 1)
            assert sum(1 for _ in store.entries(stop=index + 1)) == index + 1

    in_threads(6, work)
    assert store.verify().size == 60


def test_of_those_who_expect_a_size_one_wins(store):
    told: list[int | str] = []

    def work(number: int) -> None:
        try:
            told.append(store.append([an_entry(number)], expect_size=0)[0])
        except LedgerError as error:
            told.append(error.problems[0].code)

    in_threads(8, work)
    assert sorted(map(str, told)) == ["0", *["LED006"] * 7]
    assert store.size == 1


# --- groups -------------------------------------------------------------------------------------------


def test_a_group_is_one_write(store, monkeypatch):
    commits: list[int] = []
    commit = LedgerStore.commit

    def counted(self, given):
        commits.append(len(given))
        return commit(self, given)

    monkeypatch.setattr(LedgerStore, "commit", counted)
    group = GroupCommit(store)
    placed: dict[int, int] = {}

    def work(number: int) -> None:
        for place in range(20):
            placed[20 * number + place] = group.append(an_entry(20 * number + place))

    before = threading.active_count()
    in_threads(8, work)
    assert threading.active_count() == before
    assert (sum(commits), store.size) == (160, 160)
    assert len(commits) < 80, "hardly anybody shared a write"
    assert {index: store.find(index).entry for index in placed.values()} == {
        placed[number]: an_entry(number) for number in range(160)
    }
    store.verify()


def test_alone_nobody_is_waited_for(sqlite_store, monkeypatch):
    monkeypatch.setattr("tidegate.store.ledger.GATHER_SECONDS", 60)
    group = GroupCommit(sqlite_store)
    start = time.monotonic()
    assert [group.append(one) for one in some_entries(5)] == list(range(5))
    assert time.monotonic() - start < 30


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.001)


def at_a_time(store: LedgerStore, group: GroupCommit, works: list[Callable[[], None]]) -> None:
    """Let all of them wait for the same write: the first is held up until the others have come."""
    with store._database._writing:
        threads = [threading.Thread(target=work) for work in works]
        threads[0].start()
        until(lambda: group._is_led and not group._waiting)
        for one in threads[1:]:
            one.start()
        until(lambda: len(group._waiting) == len(works) - 1)
    for one in threads:
        one.join(60)
        assert not one.is_alive()


def test_each_in_a_group_gets_its_own_error(store):
    content = content_of()
    store.append([an_entry("known"), a_case_entry(content)], sealed=[content])
    results: dict[str, int | str] = {}
    group = GroupCommit(store)

    def work(name, entry):
        def run() -> None:
            try:
                results[name] = group.append(entry)
            except LedgerError as error:
                results[name] = str(error)

        return run

    at_a_time(
        store,
        group,
        [
            work("first", an_entry("first")),
            work("fine", an_entry("fine")),
            work("changed", an_entry("known", reason="changed")),
            work("repeated", an_entry("known")),
            work("no document", a_model_entry(b"gone")),
            work("twice", an_entry("twice")),
            work("twice again", an_entry("twice")),
            work("twice, changed", an_entry("twice", reason="changed")),
            work("erasure", an_erasure(content.digest)),
            work("late erasure", an_erasure(content.digest, "late")),
        ],
    )
    assert "LED004" in str(results["changed"])
    assert "LED009" in str(results["no document"])
    assert "entry " + an_entry("known").id in str(results["changed"])
    assert (results["first"], results["repeated"]) == (2, 0)
    # Which of three came first is chance; two of them are the same entry, and either sort may be refused.
    twice = {str(results[name]) for name in ("twice", "twice again")}
    assert len(twice) == 1
    assert ("LED004" in twice.pop()) != ("LED004" in str(results["twice, changed"]))
    assert sorted("LED009" in str(results[name]) for name in ("erasure", "late erasure")) == [False, True]
    assert store.size == 6
    store.verify()


def test_when_the_write_fails_everybody_is_told_and_may_try_again(store, monkeypatch):
    failures: list[LedgerError] = []
    group = GroupCommit(store)

    def run() -> None:
        try:
            group.append(an_entry("first"))
        except LedgerError as error:
            failures.append(error)

    commit = LedgerStore.commit

    def failing(self, given):
        with self._database._writing:
            raise LedgerError(Problem("LED002", "disk is full"))

    monkeypatch.setattr(LedgerStore, "commit", failing)
    at_a_time(store, group, [run] * 4)
    assert len(failures) == len({id(one) for one in failures}) == 4
    assert {problem.code for one in failures for problem in one.problems} == {"LED002"}
    monkeypatch.setattr(LedgerStore, "commit", commit)
    assert group.append(an_entry("first")) == 0


class Interrupt(BaseException):
    """As if somebody pressed a key."""


def test_an_interrupted_write_leaves_nobody_waiting(sqlite_store, monkeypatch):
    group = GroupCommit(sqlite_store)
    told: list[str] = []
    commit = LedgerStore.commit

    def interrupted(self, given):
        with self._database._writing:
            raise Interrupt

    def run() -> None:
        try:
            group.append(an_entry(len(told)))
        except (Interrupt, LedgerError) as error:
            told.append(type(error).__name__)

    monkeypatch.setattr(LedgerStore, "commit", interrupted)
    at_a_time(sqlite_store, group, [run] * 5)
    # Two led, one after the other; those who waited with the second are told.
    assert sorted(told) == ["Interrupt", "Interrupt", "LedgerError", "LedgerError", "LedgerError"]
    monkeypatch.setattr(LedgerStore, "commit", commit)
    assert group.append(an_entry("after")) == 0


@pytest.mark.parametrize("is_chosen", [False, True], ids=["while another leads", "when it has to lead"])
def test_who_stops_waiting_does_not_hold_up_the_others(sqlite_store, monkeypatch, is_chosen):
    group = GroupCommit(sqlite_store)
    told: list[int | str] = []

    class Interrupted(threading.Event):
        def wait(self, timeout=None):
            super().wait(30 if is_chosen else 0.01)
            raise Interrupt

    def run() -> None:
        try:
            told.append(group.append(an_entry(threading.get_ident())))
        except Interrupt:
            told.append("interrupted")

    threads = [threading.Thread(target=run) for _ in range(4)]
    with sqlite_store._database._writing:
        threads[0].start()
        until(lambda: group._is_led and not group._waiting)
        with monkeypatch.context() as patched:
            patched.setattr("tidegate.store.ledger.Event", Interrupted)
            threads[1].start()
            until(lambda: len(group._waiting) == 1)
            # Give it the time to begin to wait, or to stop again.
            time.sleep(0.1)
        for one in threads[2:]:
            one.start()
        until(lambda: len(group._waiting) == (3 if is_chosen else 2))
    for one in threads:
        one.join(30)
        assert not one.is_alive(), "it hangs"
    assert told.count("interrupted") == 1
    assert (sqlite_store.size, group._is_led, group._waiting) == (3, False, [])


# --- readers and writers ------------------------------------------------------------------------------


def test_a_reader_blocks_no_writer_and_sees_one_state(ledger_url):
    with open_ledger(ledger_url, create=True, busy_seconds=0.2) as store:
        store.append(some_entries(3))
        with store._database.reading(snapshot=True) as reading:
            counted = "SELECT count(*) FROM entries"
            assert reading.exec_driver_sql(counted).scalar() == 3
            store.append(some_entries(300, 3))
            assert reading.exec_driver_sql(counted).scalar() == 3
        assert store.size == 303


def test_a_writer_blocks_no_reader(ledger_url):
    with open_ledger(ledger_url, create=True) as store, open_ledger(ledger_url, busy_seconds=0.2) as other:
        store.append(some_entries(3))
        with store._database.writing() as writing:
            writing.exec_driver_sql("UPDATE head SET size = size")
            assert other.size == store.size == 3
            assert len(list(other.entries())) == 3
            assert other.verify().size == 3


def test_verifying_while_others_append(store):
    store.append(some_entries(600))
    stop = threading.Event()

    def work(number: int) -> None:
        if number == 0:
            for _ in range(5):
                store.verify()
            stop.set()
        else:
            place = 0
            while not stop.is_set():
                store.append([an_entry(f"{number} {place} {at}") for at in range(20)])
                place += 1

    in_threads(2, work)
    assert store.verify().size > 600


def test_rebuilding_while_others_append(store):
    def work(number: int) -> None:
        for place in range(5):
            if number == 0:
                store.rebuild()
            else:
                store.append(some_entries(30, (number * 5 + place) * 30))

    in_threads(3, work)
    assert store.verify().size == 300


def test_waiting_for_a_write_ends(ledger_url):
    with open_ledger(ledger_url, create=True) as store, open_ledger(ledger_url, busy_seconds=0.2) as other:
        with store._database.writing() as writing:
            writing.exec_driver_sql("UPDATE head SET size = size")
            with pytest.raises(LedgerError) as error:
                other.append([an_entry(1)])
            (problem,) = error.value.problems
            assert problem.code == "LED002"
            assert "find out which, and try again" in (problem.hint or "")
        assert other.append([an_entry(1)]) == (0,)

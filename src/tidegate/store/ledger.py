# SPDX-License-Identifier: Apache-2.0
"""The log in its database: entries that are only ever added, their hash tree, and the content that they name.

A store may be shared by threads: every operation takes a connection of its own, writes take turns by a lock, and
reads never wait for a write. Other processes, on the same file or server, are kept in turn by the database.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from threading import Condition, Event
from types import TracebackType
from typing import Any, NamedTuple, Self

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select

from tidegate.kernel.errors import LedgerError, Problem, Where
from tidegate.ledger import merkle
from tidegate.ledger.entries import Entry, read_entry
from tidegate.ledger.merkle import Hashes
from tidegate.ledger.subjects import subject as shortened
from tidegate.ledger.subjects import subjects_of
from tidegate.ledger.tiles import WIDTH, TileHashes, encode_bundle
from tidegate.store.database import BUSY_SECONDS, Database, open_database
from tidegate.store.schema import checkpoints, concerns, documents, entries, metadata, sealed
from tidegate.store.tree import MAX_TILES, read_head, read_tile
from tidegate.store.verifying import Progress, Verified, note_tree, verify
from tidegate.store.writing import (
    ERASED,
    MAX_ENTRIES,
    PAGE,
    SealedContent,
    Submission,
    concern_rows,
    submission,
    write,
)

__all__ = ["GroupCommit", "KeptCheckpoint", "LedgerStore", "Logged", "SealedContent", "Verified", "open_ledger"]

SHORTEST_PREFIX = 4
"""Hexadecimal digits of an id that may stand for it: fewer are hardly ever unique."""
GATHER_SECONDS = 0.001
"""How long a group waits for those who were in the last one: less than a durable write takes on most disks."""


class Logged(NamedTuple):
    """An entry where it stands in the log."""

    index: int  # type: ignore[assignment]  # nobody looks a value up in this
    entry: Entry
    leaf: bytes


def _logged(row: Any) -> Logged:
    return Logged(row.position, read_entry(row.data, row.position), row.leaf)


class KeptCheckpoint(NamedTuple):
    """A signed note about the log."""

    size: int
    note: str


def open_ledger(url: str, *, create: bool = False, busy_seconds: float = BUSY_SECONDS) -> "LedgerStore":
    """Open a log, ``sqlite:///FILE`` or ``postgresql+psycopg://USER@HOST/DATABASE``; an older schema is brought up.

    Args:
        url: its address.
        create: make it if there is none.
        busy_seconds: how long a write waits for other writers before it gives up.

    Raises:
        LedgerError: LED002, there is none, it cannot be opened, or it is newer than this program.
    """
    return LedgerStore(open_database(url, create=create, busy_seconds=busy_seconds))


class LedgerStore:
    """A log in its database, with the content that its entries name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    # --- adding

    def append(
        self,
        given: Sequence[Entry],
        *,
        documents: Sequence[bytes] = (),
        sealed: Sequence[SealedContent] = (),
        expect_size: int | None = None,
    ) -> tuple[int, ...]:
        """Have the entries, and what they name, in the log durably, all or none; give their indexes.

        An entry that the log has already keeps its index, so a call may be repeated. An entry ``sealed.erased``
        erases the content that it names.

        Args:
            given: entries, up to 10,000.
            documents: what they name by digest and the store does not keep yet.
            sealed: what they name by salted digest.
            expect_size: how many entries the log has to have before.

        Raises:
            LedgerError: LED004, it cannot be taken; LED006, the log has another size; LED009, an entry names what is
                not kept; LED010, what would be erased is under a hold or retention; LED002, the database fails.
        """
        (result,) = self.commit([submission(given, documents, sealed, expect_size)])
        if isinstance(result, LedgerError):
            raise result
        return result

    def commit(self, given: Sequence[Submission]) -> list[tuple[int, ...] | LedgerError]:
        """Have several submissions in the log by one durable write; give the indexes of each, or why it was refused."""
        with self._database.writing() as connection:
            results = write(connection, given)
        erasing = [any(entry.entry.kind == ERASED for entry in one.entries) for one in given]
        if not any(erasing):
            return results
        try:
            self._database.forget_deleted()
        except LedgerError as error:
            left = LedgerError(*error.problems)
            return [left if erases else result for erases, result in zip(erasing, results, strict=True)]
        return results

    def erase(self, digest: str, entry: Entry) -> int:
        """Have sealed content erased, and the entry that says so in the log; give its index.

        In SQLite no file holds the bytes afterwards. PostgreSQL frees them by its own vacuum, and its archives of
        write-ahead logs keep them as long as they are kept.

        Raises:
            LedgerError: LED010, a hold or retention stands; LED009, there is no such content; LED004, the entry does
                not say this.
        """
        if entry.kind != ERASED or entry.body.get("digest") != digest:
            message = f"an entry {ERASED} about {digest} is needed"
            raise LedgerError(Problem("LED004", message, Where(f"entry {entry.id}")))
        return self.append([entry])[0]

    def add_checkpoint(self, note: str, size: int) -> None:
        """Have a signed note about the log kept. Its signatures are not checked here.

        Raises:
            LedgerError: LED007, it is no checkpoint of that size; LED003, it is one of another tree.
        """
        where = Where(f"checkpoint of {size} entries")
        claimed, root = note_tree(note)
        if claimed != size:
            raise LedgerError(Problem("LED007", f"its text speaks of {claimed} entries", where))
        if size > self.size or self.root(size) != root:
            raise LedgerError(Problem("LED003", "it signs another tree than this log's", where))
        with self._database.writing() as connection:
            read_head(connection, locked=True)
            same = select(checkpoints.c.number).where(checkpoints.c.size == size, checkpoints.c.note == note)
            if connection.scalar(same) is None:
                number = connection.scalar(select(func.coalesce(func.max(checkpoints.c.number) + 1, 0)))
                connection.execute(insert(checkpoints), {"number": number, "size": size, "note": note})

    # --- reading

    @property
    def size(self) -> int:
        """How many entries there are."""
        with self._database.reading() as connection:
            return read_head(connection)[0].size

    def root(self, size: int | None = None) -> bytes:
        """Give the root of the tree, or of its first `size` entries."""
        if size is not None:
            return merkle.tree_root(size, self.hashes(size))
        with self._database.reading() as connection:
            return read_head(connection)[1]

    def entries(
        self, start: int = 0, stop: int | None = None, *, kinds: Iterable[str] | None = None, subject: str | None = None
    ) -> Iterator[Logged]:
        """Give the entries from `start` up to `stop`, in order, as the log is when the first one is taken.

        Args:
            start: index of the first.
            stop: index after the last.
            kinds: only these kinds.
            subject: only what concerns this, as ``decision:D-1`` or ``person:ada``.
        """
        size = self.size
        stop = size if stop is None else min(stop, size)
        wanted: list[ColumnElement[bool]] = []
        if kinds is not None:
            wanted.append(entries.c.kind.in_(sorted(set(kinds))))
        if subject is not None:
            kind, _, name = subject.partition(":")
            if not (kind.isascii() and kind.isalpha()):
                return
            named = select(concerns.c.position).where(concerns.c.subject == shortened(kind, name))
            wanted.append(entries.c.position.in_(named.where(concerns.c.position >= start)))
        while start < stop and (page := self._page(start, stop, wanted)):
            yield from map(_logged, page)
            start = page[-1].position + 1

    def _page(self, start: int, stop: int, wanted: Sequence[ColumnElement[bool]]) -> Sequence[Any]:
        asked = select(entries.c.position, entries.c.data, entries.c.leaf)
        asked = asked.where(entries.c.position >= start, entries.c.position < stop, *wanted)
        with self._database.reading() as connection:
            return connection.execute(asked.order_by(entries.c.position).limit(PAGE)).all()

    def find(self, name: int | str) -> Logged:
        """Give an entry by its index, its id, or the beginning of its id.

        Raises:
            LedgerError: LED009, there is none, or several ids begin so.
        """
        found = self._found(name)
        if len(found) == 1:
            return _logged(found[0])
        hint = "see `tidegate ledger log`"
        if not found:
            raise LedgerError(Problem("LED009", f"there is no entry {name}", Where("ledger"), hint))
        raise LedgerError(Problem("LED009", f"several ids begin with {name}", Where("ledger"), "give more of it"))

    def _found(self, name: int | str) -> Sequence[Any]:
        text = str(name)
        is_index = text.isascii() and text.isdecimal() and len(text) <= 18
        if is_index and (found := self._page(int(text), int(text) + 1, ())):
            return found
        if isinstance(name, int) or len(text) < SHORTEST_PREFIX or not set(text) <= set("0123456789abcdef"):
            return []
        asked = select(entries.c.position, entries.c.data, entries.c.leaf)
        asked = asked.where(entries.c.id >= text, entries.c.id < f"{text}g").limit(2)
        with self._database.reading() as connection:
            return connection.execute(asked).all()

    def document(self, digest: str) -> bytes:
        """Give a document by its digest.

        Raises:
            LedgerError: LED009, it is not kept here.
        """
        data = self.documents_get(digest)
        if data is None:
            raise LedgerError(Problem("LED009", f"there is no document {digest}", Where("ledger")))
        return data

    def documents_get(self, digest: str) -> bytes | None:
        """Give a document by its digest, or none if it is not kept here."""
        with self._database.reading() as connection:
            return connection.scalar(select(documents.c.data).where(documents.c.digest == digest))

    def sealed(self, digest: str) -> SealedContent | None:
        """Give sealed content by its salted digest, or none if it is erased or was never here."""
        with self._database.reading() as connection:
            row = connection.execute(select(sealed).where(sealed.c.digest == digest)).first()
        if row is None:
            return None
        until = date.fromisoformat(row.retain_until) if row.retain_until else None
        return SealedContent(row.digest, row.salt, row.data, until)

    def checkpoints(self) -> tuple[KeptCheckpoint, ...]:
        """Give the signed notes that are kept, smallest tree first; of one size, in the order in which they came."""
        asked = select(checkpoints.c.size, checkpoints.c.note).order_by(checkpoints.c.size, checkpoints.c.number)
        with self._database.reading() as connection:
            return tuple(KeptCheckpoint(size, note) for size, note in connection.execute(asked))

    # --- the tree

    def tile(self, level: int, index: int, width: int = WIDTH) -> bytes:
        """Give the hashes of a tile, or the first `width` of them (C2SP tlog-tiles).

        Raises:
            LedgerError: LED009, the tree does not have them.
        """
        with self._database.reading() as connection:
            return read_tile(connection, level, index, width)

    def bundle(self, index: int, width: int = WIDTH) -> bytes:
        """Give the entries beside a tile of level 0, each with its length before it (C2SP tlog-tiles).

        Raises:
            LedgerError: LED009, the log does not have them.
        """
        found: Sequence[bytes] = ()
        if 0 <= index < MAX_TILES and 1 <= width <= WIDTH:
            start = index * WIDTH
            asked = select(entries.c.data).where(entries.c.position >= start, entries.c.position < start + width)
            with self._database.reading() as connection:
                found = connection.scalars(asked.order_by(entries.c.position)).all()
        if len(found) != width or not found:
            raise LedgerError(Problem("LED009", f"the log has no bundle {index} of {width} entries", Where("ledger")))
        return encode_bundle(list(found))

    def hashes(self, size: int) -> Hashes:
        """Give the roots of complete subtrees among the first `size` entries.

        Raises:
            LedgerError: LED009, there are not so many.
        """
        if not 0 <= size <= self.size:
            raise LedgerError(Problem("LED009", f"the log has no tree of {size} entries", Where("ledger")))
        return TileHashes(self.tile, size)

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """Give the proof that an entry is in the tree of the first `size` entries (all, if none is said).

        Raises:
            LedgerError: LED009, there is no such entry or tree.
        """
        size = self.size if size is None else size
        hashes = self.hashes(size)
        if not 0 <= index < size:
            raise LedgerError(Problem("LED009", f"a tree of {size} entries has no entry {index}", Where("ledger")))
        return merkle.inclusion_proof(index, size, hashes)

    def consistency_proof(self, old: int, size: int | None = None) -> list[bytes]:
        """Give the proof that the first `old` entries are still the first.

        Raises:
            LedgerError: LED009, there are not so many.
        """
        size = self.size if size is None else size
        hashes = self.hashes(size)
        if not 0 <= old <= size:
            raise LedgerError(Problem("LED009", f"a tree of {size} entries does not extend {old}", Where("ledger")))
        return merkle.consistency_proof(old, size, hashes)

    # --- upkeep

    def verify(self, progress: Progress | None = None) -> Verified:
        """Compute everything anew from the entries' bytes and give what is in order; others may add meanwhile.

        Args:
            progress: is told how many entries are done, of how many.

        Raises:
            LedgerError: LED003, the first differences, each with the entry or tile.
        """
        with self._database.reading(snapshot=True) as connection:
            return verify(connection, progress)

    def rebuild(self) -> None:
        """Leave the projections as the entries make them, whatever they were."""
        with self._database.writing() as connection:
            read_head(connection, locked=True)
            metadata.create_all(connection, tables=[concerns])
            connection.execute(delete(concerns))
            _refill(connection)


def _refill(connection: Connection) -> None:
    asked = select(entries.c.position, entries.c.data).order_by(entries.c.position).limit(PAGE)
    last = -1
    while page := connection.execute(asked.where(entries.c.position > last)).all():
        last = page[-1].position
        made = [row for at, data in page for row in concern_rows(at, subjects_of(read_entry(data, at)))]
        if made:
            connection.execute(insert(concerns), made)


# --- many writers, one durable write ------------------------------------------------------------------


class _Waiting:
    """Somebody who waits: for a result, or for the turn to commit for all."""

    def __init__(self, given: Submission) -> None:
        self.given = given
        self.turn = Event()
        self.result: tuple[int, ...] | LedgerError | None = None


class GroupCommit:
    """Adds the entries of many threads by few durable writes.

    Whoever comes first commits, alone; those who come meanwhile wait, and one of them then commits for all of them.
    No thread of its own is left behind.
    """

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        self._lock = Condition()
        self._waiting: list[_Waiting] = []
        self._is_led = False
        self._expected = 1

    def append(self, entry: Entry) -> int:
        """Have an entry in the log durably, and give its index. Raises as `LedgerStore.append` does."""
        mine = _Waiting(submission([entry], (), (), None))
        with self._lock:
            self._waiting.append(mine)
            if len(self._waiting) >= self._expected:
                self._lock.notify()
            leads, self._is_led = not self._is_led, True
        if not leads:
            try:
                mine.turn.wait()
            except BaseException:
                self._leave(mine)
                raise
        if mine.result is None:
            self._lead()
        assert mine.result is not None
        if isinstance(mine.result, LedgerError):
            raise mine.result
        return mine.result[0]

    def _lead(self) -> None:
        """Commit for all who wait, and hand over to one of those who came meanwhile."""
        with self._lock:
            # Those who were in the last group are likely to come again at once; alone, nobody is waited for.
            self._lock.wait_for(lambda: len(self._waiting) >= self._expected, GATHER_SECONDS)
            group, self._waiting = self._waiting[:MAX_ENTRIES], self._waiting[MAX_ENTRIES:]
            self._expected = len(group)
        try:
            self._commit(group)
        finally:
            with self._lock:
                for one in group:
                    one.turn.set()
                self._hand_over()

    def _hand_over(self) -> None:
        """Let one of those who wait lead; nobody leads if nobody waits."""
        self._is_led = bool(self._waiting)
        if self._waiting:
            self._waiting[0].turn.set()

    def _leave(self, mine: _Waiting) -> None:
        """Take somebody who was interrupted out of those who wait, and their turn with them."""
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
                if mine.turn.is_set():
                    self._hand_over()

    def _commit(self, group: Sequence[_Waiting]) -> None:
        try:
            results = self._store.commit([one.given for one in group])
        except BaseException as error:
            # Each thread gets an error of its own: one that is raised twice would mix their traces.
            for one in group:
                one.result = _failed(error)
            if not isinstance(error, LedgerError):
                raise
        else:
            for one, result in zip(group, results, strict=True):
                one.result = result


def _failed(error: BaseException) -> LedgerError:
    if isinstance(error, LedgerError):
        return LedgerError(*error.problems)
    hint = "try again with the same entry: it is added once, whatever happened before"
    return LedgerError(Problem("LED002", "the write was interrupted", Where("ledger"), hint))

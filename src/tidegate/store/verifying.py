# SPDX-License-Identifier: Apache-2.0
"""The whole log computed anew from the bytes of its entries, and compared with all that is kept beside them."""

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, Row, func, or_, select

from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.errors import LedgerError, Problem, Where
from tidegate.ledger.entries import Entry, read_entry
from tidegate.ledger.merkle import Frontier, leaf_hash, root_of
from tidegate.ledger.subjects import subjects_of
from tidegate.ledger.tiles import HASH_BYTES, WIDTH
from tidegate.store.schema import checkpoints, concerns, documents, entries, sealed, tiles
from tidegate.store.tree import read_head
from tidegate.store.writing import (
    PAGE,
    document_digests,
    erased_of,
    outside_digests,
    present,
    sealed_digest,
)

Progress = Callable[[int, int], None]
"""Is told how many entries are done, of how many."""
MAX_SHOWN: Final = 20
"""Differences that are shown: one changed byte makes a handful, and more would only scroll by."""
_HINT: Final = "the database was changed from outside; compare it with a backup, and with the newest checkpoint"


class Verified(NamedTuple):
    """What was found in order."""

    size: int
    root: bytes
    tiles: int
    checkpoints: int
    documents: int
    sealed: int


class _Differences:
    """The first differences; they are raised together."""

    def __init__(self) -> None:
        self._found: list[Problem] = []

    def add(self, where: str, message: str) -> None:
        """Note a difference; raise when there are enough."""
        self._found.append(Problem("LED003", message, Where(where), _HINT))
        if len(self._found) >= MAX_SHOWN:
            self.report()

    def report(self) -> None:
        """Raise what was found, if anything was."""
        if self._found:
            raise LedgerError(*self._found)


def note_tree(note: str) -> tuple[int, bytes]:
    """Give size and root from the text of a checkpoint (C2SP tlog-checkpoint); its signatures are not looked at.

    Raises:
        LedgerError: LED007, it is no checkpoint.
    """
    lines = note.split("\n")
    try:
        size, root = int(lines[1]), base64.b64decode(lines[2], validate=True)
        if str(size) != lines[1] or size < 0 or len(root) != HASH_BYTES:
            raise ValueError
    except (ValueError, IndexError, binascii.Error):
        hint = "a checkpoint has its origin, size and root in three lines"
        raise LedgerError(Problem("LED007", "this is not a checkpoint", None, hint)) from None
    return size, root


def verify(connection: Connection, progress: Progress | None = None) -> Verified:
    """Give what is in order when everything is; memory stays bounded. The connection shows one state throughout.

    Raises:
        LedgerError: LED003, the first differences, each with the entry or tile.
    """
    run = _Run(connection, progress or (lambda _done, _total: None))
    run.entries()
    run.tree()
    counted = Verified(
        run.frontier.size, run.frontier.root, run.full_tiles, run.checkpoints, run.documents(), run.sealed()
    )
    run.found.report()
    return counted


class _Run:
    """One verification: how far it is, and what it found."""

    def __init__(self, connection: Connection, progress: Progress) -> None:
        self._connection = connection
        self._progress = progress
        self._pending: list[list[bytes]] = [[]]
        self.found = _Differences()
        self.frontier = Frontier()
        self.full_tiles = 0
        self.checkpoints = 0

    # --- entries, from the first to the last

    def entries(self) -> None:
        """Compare every entry, and what stands beside it, page by page."""
        total = self._connection.scalar(select(func.count()).select_from(entries)) or 0
        self._checkpoints_of(0, 0)
        last = None
        while page := self._page(last):
            last = page[-1].position
            self._compare(page)
            self._progress(self.frontier.size, total)
        outside = or_(concerns.c.position < 0, concerns.c.position >= self.frontier.size)
        for position in self._connection.scalars(select(concerns.c.position).where(outside).limit(MAX_SHOWN)):
            self.found.add(f"ledger entry {position}", "the projection tells of an entry that is not there")

    def _page(self, last: int | None) -> Sequence[Row[Any]]:
        asked = select(entries).order_by(entries.c.position).limit(PAGE)
        return self._connection.execute(asked if last is None else asked.where(entries.c.position > last)).all()

    def _compare(self, page: Sequence[Row[Any]]) -> None:
        first, stop = self.frontier.size, self.frontier.size + len(page)
        concerned = self._concerned(first, stop)
        notes = self._notes(first + 1, stop)
        read: list[tuple[int, Entry]] = []
        for row in page:
            index = self.frontier.size
            if row.position != index:
                self.found.add(f"ledger entry {index}", f"it is missing: the next entry has the index {row.position}")
                self.found.report()
            entry = self._entry(row, concerned.get(index, set()))
            if entry is not None:
                read.append((index, entry))
            self._add_leaf(leaf_hash(row.data))
            for number, note in notes.get(self.frontier.size, ()):
                self._checkpoint(number, self.frontier.size, note)
        self._lean_on(read)

    def _entry(self, row: Row[Any], concerned: set[str]) -> Entry | None:
        """Compare one row with what its bytes say."""
        where = f"ledger entry {row.position}"
        if row.leaf != leaf_hash(row.data):
            self.found.add(where, "its leaf hash is not that of its bytes")
        try:
            entry = read_entry(row.data, row.position)
        except LedgerError as error:
            self.found.add(where, error.problems[0].message)
            return None
        if (row.id, row.kind, row.acted_at, row.actor) != (entry.id, entry.kind, entry.acted_at, entry.by):
            self.found.add(where, "its id, kind, time or actor in the table is not that of its bytes")
        if concerned != set(subjects_of(entry)):
            hint = "the projection does not fit its bytes; `tidegate ledger rebuild` makes it anew"
            self.found.add(where, hint)
        return entry

    def _concerned(self, start: int, stop: int) -> dict[int, set[str]]:
        asked = select(concerns.c.position, concerns.c.subject)
        made: dict[int, set[str]] = {}
        for row in self._connection.execute(asked.where(concerns.c.position >= start, concerns.c.position < stop)):
            made.setdefault(row.position, set()).add(row.subject)
        return made

    def _lean_on(self, read: Sequence[tuple[int, Entry]]) -> None:
        """See that what entries name by digest is kept, or was erased by an entry that says so."""
        attached = {digest: index for index, entry in reversed(read) for digest in document_digests(entry)}
        for digest in attached.keys() - present(self._connection, documents.c.digest, attached):
            self.found.add(f"ledger entry {attached[digest]}", f"the document {digest} is gone")
        outside = {digest: index for index, entry in reversed(read) for digest in outside_digests(entry)}
        gone = outside.keys() - present(self._connection, sealed.c.digest, outside)
        for digest in gone - erased_of(self._connection, gone):
            message = f"the sealed content {digest} is gone, and no entry says that it was erased"
            self.found.add(f"ledger entry {outside[digest]}", message)

    # --- the tree

    def _add_leaf(self, leaf: bytes) -> None:
        self.frontier.append(leaf)
        level, made = 0, leaf
        while True:
            pending = self._pending[level]
            pending.append(made)
            if len(pending) < WIDTH:
                return
            made = self._tile(level, pending)
            self._pending[level] = []
            level += 1
            if level == len(self._pending):
                self._pending.append([])

    def _tile(self, level: int, hashes: Sequence[bytes]) -> bytes:
        """Compare a full tile with its row, and give its root."""
        number = (self.frontier.size >> 8 * (level + 1)) - 1
        root = root_of(hashes)
        asked = select(tiles.c.hashes, tiles.c.root).where(tiles.c.level == level, tiles.c.number == number)
        row = self._connection.execute(asked).first()
        self.full_tiles += 1
        if row is None:
            self.found.add(f"ledger tile {level}/{number}", "it is missing")
        elif (row.hashes, row.root) != (b"".join(hashes), root):
            self.found.add(f"ledger tile {level}/{number}", "its hashes are not those of the entries")
        return root

    def tree(self) -> None:
        """Compare the head, and see that there are no more tiles and no more checkpoints than entries."""
        size = self.frontier.size
        try:
            head, root = read_head(self._connection)
        except LedgerError as error:
            self.found.add("ledger head", error.problems[0].message)
        else:
            if (head.size, head.hashes, root) != (size, self.frontier.hashes, self.frontier.root):
                message = f"it tells of another tree of {head.size} entries than the {size} entries make"
                self.found.add("ledger head", message)
        if self._connection.scalar(select(func.count()).select_from(tiles)) != self.full_tiles:
            self.found.add("ledger tiles", f"there are others than the {self.full_tiles} that the entries fill")
        beyond = select(checkpoints.c.size).where(or_(checkpoints.c.size > size, checkpoints.c.size < 0))
        for claimed in self._connection.scalars(beyond.order_by(checkpoints.c.size).limit(MAX_SHOWN)):
            self.found.add(f"checkpoint of {claimed} entries", f"the log has only {size} entries")

    # --- checkpoints

    def _notes(self, first: int, last: int) -> dict[int, list[tuple[int, str]]]:
        made: dict[int, list[tuple[int, str]]] = {}
        asked = select(checkpoints).where(checkpoints.c.size >= first, checkpoints.c.size <= last)
        for row in self._connection.execute(asked):
            made.setdefault(row.size, []).append((row.number, row.note))
        return made

    def _checkpoints_of(self, first: int, last: int) -> None:
        for size, notes in self._notes(first, last).items():
            for number, note in notes:
                self._checkpoint(number, size, note)

    def _checkpoint(self, number: int, size: int, note: str) -> None:
        self.checkpoints += 1
        where = f"checkpoint {number} of {size} entries"
        try:
            if note_tree(note) != (size, self.frontier.root):
                self.found.add(where, "it signs another tree than the entries make")
        except LedgerError as error:
            self.found.add(where, error.problems[0].message)

    # --- content beside the log

    def documents(self) -> int:
        """Compare every document with its digest, one at a time, and give how many there are."""
        count = 0
        for digest in chain.from_iterable(self._digests(documents.c.digest)):
            count += 1
            data = self._connection.scalar(select(documents.c.data).where(documents.c.digest == digest))
            if data is None or digest_bytes(data) != digest:
                self.found.add(f"document {digest}", "its content is not what its digest says")
        return count

    def sealed(self) -> int:
        """Compare all sealed content with its digest, one at a time, and give how much there is."""
        count = 0
        for page in self._digests(sealed.c.digest):
            for digest in sorted(erased_of(self._connection, page)):
                self.found.add(f"sealed content {digest}", "an entry says that it was erased, and it is still here")
            for digest in page:
                count += 1
                row = self._connection.execute(select(sealed).where(sealed.c.digest == digest)).one()
                if sealed_digest(row.salt, row.data) != digest:
                    self.found.add(f"sealed content {digest}", "its content is not what its digest says")
        return count

    def _digests(self, column: Column[str]) -> Iterator[Sequence[str]]:
        """Give all digests of a table, page by page."""
        last = ""
        while page := self._connection.scalars(select(column).where(column > last).order_by(column).limit(PAGE)).all():
            last = page[-1]
            yield page

# SPDX-License-Identifier: Apache-2.0
"""One transaction that adds to the log: what may be added is checked against the log as it is, under its lock."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, delete, insert, select

from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.clock import day_of
from tidegate.kernel.errors import LedgerError, Problem, Where
from tidegate.ledger.entries import MAX_ENTRY_BYTES, Entry, read_entry
from tidegate.ledger.merkle import leaf_hash
from tidegate.ledger.subjects import subject, subjects_of
from tidegate.store.schema import concerns, documents, entries, sealed
from tidegate.store.tree import grow, read_head

MAX_ENTRIES: Final = 10_000
"""Entries of one transaction: more would keep other writers waiting for seconds."""
MAX_DOCUMENT_BYTES: Final = 256 * 1024 * 1024
"""A document, or sealed content, is read as a whole; this much fits into the memory of a small machine."""
SALT_BYTES: Final = 32
"""One length of salt, so that salt and content cannot be divided in another way."""
ERASED: Final = "sealed.erased"
HOLDS: Final = ("hold.placed", "hold.lifted")
PAGE: Final = 500
"""Names of one question to a database, which limits how many it takes (SQLite: 32,766)."""

# Made once: building a statement takes longer than running it.
_ADD = {table: insert(table) for table in (documents, sealed, entries, concerns)}
_KNOWN = select(entries.c.id, entries.c.position, entries.c.leaf).where(
    entries.c.id.in_(bindparam("ids", expanding=True))
)


class SealedContent(NamedTuple):
    """Content outside the log, named in it by ``SHA-256(salt || data)``, which may be erased."""

    digest: str
    salt: bytes
    data: bytes
    retain_until: date | None = None
    """Last day of its retention; none means that no rule limits it."""


class Prepared(NamedTuple):
    """An entry with all that can be computed before the log is locked."""

    entry: Entry
    data: bytes
    leaf: bytes
    subjects: tuple[str, ...]


@dataclass(frozen=True)
class Submission:
    """What goes into the log together, or not at all."""

    entries: tuple[Prepared, ...]
    documents: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    sealed: Mapping[str, SealedContent] = field(default_factory=dict, repr=False)
    expect_size: int | None = None


def submission(
    given: Iterable[Entry], documents: Iterable[bytes], sealed: Iterable[SealedContent], expect_size: int | None
) -> Submission:
    """Give what is to be added, checked by itself.

    Raises:
        LedgerError: LED004, an entry or document is too large or malformed, or sealed content is not what its digest
            says.
    """
    made = tuple(prepared(one) for one in given)
    if len(made) > MAX_ENTRIES:
        raise LedgerError(Problem("LED004", f"{len(made):,} entries at once; the log takes {MAX_ENTRIES:,}"))
    attached = {digest_bytes(one): bytes(one) for one in documents}
    outside = {one.digest: one for one in sealed}
    for name, data in (*attached.items(), *((one.digest, one.data) for one in outside.values())):
        if len(data) > MAX_DOCUMENT_BYTES:
            raise LedgerError(Problem("LED004", f"{name}: {len(data):,} bytes; at most {MAX_DOCUMENT_BYTES:,}"))
    for one in outside.values():
        if len(one.salt) != SALT_BYTES or sealed_digest(one.salt, one.data) != one.digest:
            raise LedgerError(Problem("LED004", f"{one.digest} is not the salted digest of its content"))
    return Submission(made, attached, outside, expect_size)


def sealed_digest(salt: bytes, data: bytes) -> str:
    """Give the salted digest of content: ``sha256:`` and the hex of ``SHA-256(salt || data)``."""
    return f"sha256:{hashlib.sha256(salt + data).hexdigest()}"


def prepared(entry: Entry) -> Prepared:
    """Give an entry with its bytes, leaf hash and subjects. It is read back, for the log keeps it for ever.

    Raises:
        LedgerError: LED004, it is too large, or would not be read back as what it is.
    """
    where = Where(f"entry {entry.id}")
    try:
        data = entry.data
        read = Entry.model_validate(json.loads(data))
    except ValueError as error:
        raise LedgerError(Problem("LED004", f"it cannot be entered: {str(error).splitlines()[0]}", where)) from None
    if len(data) > MAX_ENTRY_BYTES:
        message = f"{len(data):,} bytes; an entry holds {MAX_ENTRY_BYTES:,}"
        raise LedgerError(Problem("LED004", message, where, "attach what is long as a document"))
    if read != entry:
        raise LedgerError(Problem("LED004", "it would be read back as another one", where))
    return Prepared(read, data, leaf_hash(data), subjects_of(read))


# --- the transaction ----------------------------------------------------------------------------------


def write(connection: Connection, given: Sequence[Submission]) -> list[tuple[int, ...] | LedgerError]:
    """Add what may be added, each submission wholly or not at all; give its indexes, or why it was refused."""
    frontier, _ = read_head(connection, locked=True)
    plan = _Plan(connection, frontier.size, given)
    results: list[tuple[int, ...] | LedgerError] = []
    for one in given:
        try:
            results.append(plan.take(one))
        except LedgerError as error:
            results.append(error)
    plan.carry_out()
    if plan.entries:
        grow(connection, frontier, [one.leaf for one in plan.entries])
    return results


class _Plan:
    """What the transaction will do, and the log as it will then be."""

    def __init__(self, connection: Connection, size: int, given: Sequence[Submission]) -> None:
        everything = [entry.entry for one in given for entry in one.entries]
        outside = {digest for one in everything for digest in outside_digests(one)}
        outside.update(name for one in given for name in one.sealed)
        attached = {digest for one in everything for digest in document_digests(one)}
        attached.update(name for one in given for name in one.documents)
        self._connection = connection
        self._size = size
        self._known = _known(connection, [one.id for one in everything])
        self._documents = present(connection, documents.c.digest, attached)
        self._sealed = present(connection, sealed.c.digest, outside)
        self._erased = erased_of(connection, outside)
        self.entries: list[Prepared] = []
        self._new_documents: dict[str, bytes] = {}
        self._new_sealed: dict[str, SealedContent] = {}
        self._gone: list[str] = []

    def take(self, one: Submission) -> tuple[int, ...]:
        """Plan to add a submission, and give the indexes of its entries.

        Raises:
            LedgerError: LED004, LED006, LED009, LED010; then the plan is as before.
        """
        added, indexes = self._places(one)
        if one.entries and not added:
            return indexes
        size = self._size + len(self.entries)
        if one.expect_size is not None and one.expect_size != size:
            hint = "look at what was added, and try again"
            raise LedgerError(
                Problem("LED006", f"the log has {size} entries, not {one.expect_size}", Where("ledger"), hint)
            )
        self._check_documents(one, added)
        gone = self._check_sealed(one, added)
        self.entries += added
        self._known |= {entry.entry.id: (size + at, entry.leaf) for at, entry in enumerate(added)}
        self._new_documents |= {name: data for name, data in one.documents.items() if name not in self._documents}
        self._documents |= one.documents.keys()
        self._new_sealed |= {name: content for name, content in one.sealed.items() if name not in self._sealed}
        self._sealed = (self._sealed | one.sealed.keys()) - gone
        self._erased |= gone
        self._gone += sorted(gone)
        return indexes

    def _places(self, one: Submission) -> tuple[list[Prepared], tuple[int, ...]]:
        """Give the entries that are new, and the index that each has or will have."""
        added: list[Prepared] = []
        fresh: dict[str, tuple[int, bytes]] = {}
        indexes = []
        for entry in one.entries:
            name = entry.entry.id
            found = self._known.get(name) or fresh.get(name)
            if found is None:
                found = fresh[name] = (self._size + len(self.entries) + len(added), entry.leaf)
                added.append(entry)
            elif found[1] != entry.leaf:
                message = f"entry {found[0]} has this id already, and says something else"
                raise LedgerError(Problem("LED004", message, Where(f"entry {name}"), "a new act needs a new id"))
            indexes.append(found[0])
        return added, tuple(indexes)

    def _check_documents(self, one: Submission, added: Sequence[Prepared]) -> None:
        missing = [
            Problem("LED009", f"it names the document {digest}, which is not kept here", _where(entry))
            for entry in added
            for digest in document_digests(entry.entry)
            if digest not in self._documents and digest not in one.documents
        ]
        if missing:
            raise LedgerError(*missing)

    def _check_sealed(self, one: Submission, added: Sequence[Prepared]) -> set[str]:
        """Give the digests of what is erased."""
        for digest in one.sealed.keys() & self._erased:
            raise LedgerError(Problem("LED004", f"the content {digest} was erased, and stays so"))
        kept, gone = self._sealed | one.sealed.keys(), set[str]()
        for at, entry in enumerate(added):
            for digest in outside_digests(entry.entry):
                if digest not in kept or digest in gone:
                    message = f"it names the sealed content {digest}, which is not kept here"
                    raise LedgerError(Problem("LED009", message, _where(entry)))
                if entry.entry.kind == ERASED:
                    self._check_erasing(digest, entry, [*self.entries, *added[:at]], one.sealed.get(digest))
                    gone.add(digest)
        return gone

    def _check_erasing(
        self, digest: str, entry: Prepared, before: Sequence[Prepared], content: SealedContent | None
    ) -> None:
        """Refuse to erase what a hold or a retention protects."""
        held = [*_read(self._connection, _of_kinds(HOLDS)), *(one.entry for one in before)]
        for hold in holds_on(digest, held):
            hint = "it can be erased once the hold is lifted"
            raise LedgerError(Problem("LED010", f"the hold {hold} covers {digest}", _where(entry), hint))
        named = [*_read(self._connection, _concerning(subject("sealed", digest))), *(one.entry for one in before)]
        until = [date.fromisoformat(day) for one in named for day in _retentions(one, digest)]
        until += [one.retain_until for one in (content, self._new_sealed.get(digest)) if one and one.retain_until]
        row = self._connection.scalar(select(sealed.c.retain_until).where(sealed.c.digest == digest))
        until += [date.fromisoformat(row)] if row else []
        if until and max(until) >= day_of(entry.entry.acted_at):
            message = f"{digest} has to be kept until {max(until)}"
            raise LedgerError(Problem("LED010", message, _where(entry), "it can be erased from the next day on"))

    def carry_out(self) -> None:
        """Write it, all but the tree."""
        at = self._size
        numbered = list(enumerate(self.entries, at))
        rows: list[tuple[Table, list[dict[str, Any]]]] = [
            (documents, [{"digest": name, "data": data} for name, data in self._new_documents.items()]),
            (sealed, [_sealed_row(content) for content in self._new_sealed.values()]),
            (entries, [entry_row(position, entry) for position, entry in numbered]),
            (concerns, [row for position, entry in numbered for row in concern_rows(position, entry.subjects)]),
        ]
        for table, made in rows:
            if made:
                self._connection.execute(_ADD[table], made)
        if self._gone:
            self._connection.execute(delete(sealed).where(sealed.c.digest.in_(self._gone)))


def _where(entry: Prepared) -> Where:
    return Where(f"entry {entry.entry.id}")


def _sealed_row(content: SealedContent) -> dict[str, Any]:
    until = content.retain_until.isoformat() if content.retain_until else None
    return {"digest": content.digest, "salt": content.salt, "data": content.data, "retain_until": until}


def entry_row(position: int, one: Prepared) -> dict[str, Any]:
    """Give the row of an entry."""
    entry = one.entry
    return {
        "position": position,
        "id": entry.id,
        "kind": entry.kind,
        "acted_at": entry.acted_at,
        "actor": entry.by,
        "leaf": one.leaf,
        "data": one.data,
    }


def concern_rows(position: int, subjects: Iterable[str]) -> list[dict[str, Any]]:
    """Give the rows of what an entry concerns."""
    return [{"position": position, "subject": name} for name in subjects]


# --- what an entry leans on ---------------------------------------------------------------------------


def document_digests(entry: Entry) -> tuple[str, ...]:
    """Give the digest of the document that has to be kept for an entry, if it names one."""
    found = entry.body.get("document")
    return (found,) if found else ()


def outside_digests(entry: Entry) -> tuple[str, ...]:
    """Give the digest of the sealed content that an entry brings or erases, if it does."""
    if entry.kind == ERASED:
        return (entry.body["digest"],)
    content = entry.body.get("content")
    return (content["digest"],) if content else ()


def holds_on(digest: str, acts: Iterable[Entry]) -> list[str]:
    """Give the legal holds that cover content after some acts, in the order of the log."""
    held: dict[str, bool] = {}
    for act in acts:
        name = act.body.get("hold", "")
        if act.kind == "hold.placed":
            digests = act.body.get("digests", ())
            # A hold that is placed twice covers what either says.
            held[name] = held.get(name, False) or not digests or digest in digests
        elif act.kind == "hold.lifted":
            held.pop(name, None)
    return sorted(name for name, covers in held.items() if covers)


def _retentions(entry: Entry, digest: str) -> Iterator[str]:
    content = entry.body.get("content")
    if content and content["digest"] == digest and "retain_until" in content:
        yield content["retain_until"]


# --- questions to the database ------------------------------------------------------------------------


def pages(names: Iterable[str]) -> Iterator[list[str]]:
    """Give names in portions that fit into one question."""
    ordered = sorted(names)
    return (ordered[at : at + PAGE] for at in range(0, len(ordered), PAGE))


def present(connection: Connection, column: ColumnElement[str], names: Iterable[str]) -> set[str]:
    """Give those of the names that a column holds."""
    return {name for page in pages(names) for name in connection.scalars(select(column).where(column.in_(page)))}


def erased_of(connection: Connection, digests: Iterable[str]) -> set[str]:
    """Give those of the salted digests whose content the log says is erased."""
    named = {subject("sealed", digest): digest for digest in digests}
    joined = concerns.join(entries, concerns.c.position == entries.c.position)
    found: set[str] = set()
    for page in pages(named):
        asked = select(concerns.c.subject).select_from(joined)
        rows = connection.scalars(asked.where(concerns.c.subject.in_(page), entries.c.kind == ERASED))
        found.update(named[name] for name in rows)
    return found


def _known(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[int, bytes]]:
    """Give index and leaf hash of the ids that the log has."""
    rows = (row for page in pages(set(ids)) for row in connection.execute(_KNOWN, {"ids": page}))
    return {row.id: (row.position, row.leaf) for row in rows}


def _of_kinds(kinds: Iterable[str]) -> Select[Any]:
    return select(entries.c.position, entries.c.data).where(entries.c.kind.in_(kinds))


def _concerning(name: str) -> Select[Any]:
    joined = concerns.join(entries, concerns.c.position == entries.c.position)
    return select(entries.c.position, entries.c.data).select_from(joined).where(concerns.c.subject == name)


def _read(connection: Connection, asked: Select[Any]) -> Iterator[Entry]:
    for row in connection.execute(asked.order_by(entries.c.position)):
        yield read_entry(row.data, row.position)

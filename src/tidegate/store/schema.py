# SPDX-License-Identifier: Apache-2.0
"""The tables of a log's database, and the triggers that let them only grow.

``entries``, ``tiles``, ``head``, ``documents`` and ``checkpoints`` are the log; ``sealed`` is content that may be
erased; ``concerns`` is a projection, which can be made anew from the entries.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

VERSION: Final = "0001"
"""Version of the schema that this program writes: the newest script in `migrations/versions`."""
VERSION_TABLE: Final = "ledger_version"

_Count: Final[TypeEngine[int]] = BigInteger().with_variant(Integer(), "sqlite")
_Level: Final[TypeEngine[int]] = SmallInteger().with_variant(Integer(), "sqlite")

metadata = MetaData()

entries = Table(
    "entries",
    metadata,
    Column("position", _Count, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("acted_at", Text, nullable=False),
    Column("actor", Text),
    Column("leaf", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    UniqueConstraint("id", name="entries_id"),
    Index("entries_kind", "kind", "position"),
    sqlite_strict=True,
)
"""The entries in their order. Only `data` is the truth: every other column can be computed from it."""

tiles = Table(
    "tiles",
    metadata,
    Column("level", _Level, primary_key=True, autoincrement=False),
    Column("number", _Count, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    sqlite_strict=True,
)
"""Full tiles of 256 hashes, numbered as in C2SP tlog-tiles; `root` is the hash in the tile above."""

head = Table(
    "head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", _Count, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    CheckConstraint("id = 1", name="head_is_one_row"),
    sqlite_strict=True,
)
"""One row: size and root of the tree, and the roots of its complete subtrees, left to right."""

documents = Table(
    "documents",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    sqlite_strict=True,
)
"""What entries name by digest."""

sealed = Table(
    "sealed",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("retain_until", Text),
    sqlite_strict=True,
)
"""What entries name by salted digest, until it is erased."""

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", _Count, primary_key=True, autoincrement=False),
    Column("size", _Count, nullable=False),
    Column("note", Text, nullable=False),
    sqlite_strict=True,
)
"""Signed notes about the log, in the order in which they came."""

concerns = Table(
    "concerns",
    metadata,
    Column("position", _Count, primary_key=True, autoincrement=False),
    Column("subject", Text, primary_key=True),
    Index("concerns_subject", "subject", "position"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
"""What each entry is about."""

ADDED_TO: Final = {"entries": "position", "tiles": "level,number", "documents": "digest", "checkpoints": "number"}
"""Tables whose rows are only ever added -> their key."""


def guards(dialect: str) -> tuple[str, ...]:
    """Give the statements that make the triggers of a new database."""
    return tuple(_sqlite_guards() if dialect == "sqlite" else _postgresql_guards())


def _sqlite_guards() -> Iterator[str]:
    """Refuse by trigger. ``INSERT OR REPLACE`` deletes without firing delete triggers, so inserts are watched too."""
    keys = ADDED_TO | {"sealed": "digest", "head": "id"}
    for table, key in keys.items():
        same = " AND ".join(f"{name} = NEW.{name}" for name in key.split(","))
        known = f"EXISTS (SELECT 1 FROM {table} WHERE {same})"  # noqa: S608 - of constants
        yield _sqlite_guard(table, "INSERT", known, "may not be replaced")
    for table in ADDED_TO:
        yield _sqlite_guard(table, "UPDATE", None, "are only ever added")
        yield _sqlite_guard(table, "DELETE", None, "are only ever added")
    yield _sqlite_guard("sealed", "UPDATE", None, "may be erased, not changed")
    yield _sqlite_guard("head", "DELETE", None, "stays")
    yield _sqlite_guard("head", "UPDATE", _SHRINKS, "only grows")
    yield _sqlite_guard("entries", "INSERT", _OUT_OF_ORDER, "are added at the end", name="entries_order")
    known = "EXISTS (SELECT 1 FROM entries WHERE id = NEW.id)"
    yield _sqlite_guard("entries", "INSERT", known, "may not be replaced", name="entries_once")


_SHRINKS: Final = (
    "NEW.id <> OLD.id OR NEW.size < OLD.size"
    " OR (NEW.size = OLD.size AND (NEW.root <> OLD.root OR NEW.frontier <> OLD.frontier))"
)
_OUT_OF_ORDER: Final = "NEW.position <> (SELECT coalesce(max(position) + 1, 0) FROM entries)"


def _sqlite_guard(table: str, event: str, when: str | None, message: str, *, name: str | None = None) -> str:
    condition = f" WHEN {when}" if when else ""
    return (
        f"CREATE TRIGGER {name or f'{table}_{event.lower()}'} BEFORE {event} ON {table}{condition}"
        f" BEGIN SELECT RAISE(ABORT, '{table} {message}'); END"
    )


def _postgresql_guards() -> Iterator[str]:
    yield _postgresql_function("ledger_refuse", "TG_TABLE_NAME || ' ' || TG_ARGV[0]")
    yield _postgresql_function("ledger_order", "'entries are added at the end'", f"IF {_OUT_OF_ORDER} THEN", "END IF;")
    for table in ADDED_TO:
        yield _postgresql_guard(table, "UPDATE OR DELETE", "ROW", "are only ever added")
        yield _postgresql_guard(table, "TRUNCATE", "STATEMENT", "are only ever added")
    yield _postgresql_guard("sealed", "UPDATE", "ROW", "may be erased, not changed")
    yield _postgresql_guard("sealed", "TRUNCATE", "STATEMENT", "is erased one by one")
    yield _postgresql_guard("head", "DELETE", "ROW", "stays")
    yield _postgresql_guard("head", "TRUNCATE", "STATEMENT", "stays")
    yield _postgresql_guard("head", "UPDATE", "ROW", "only grows", when=_SHRINKS)
    yield "CREATE TRIGGER entries_order BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION ledger_order()"


def _postgresql_function(name: str, message: str, before: str = "", after: str = "") -> str:
    # The error is that of a broken constraint, as in SQLite.
    refuse = f"RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation', MESSAGE = {message};"
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN {before} {refuse} {after} RETURN NEW; END $$"
    )


def _postgresql_guard(table: str, event: str, each: str, message: str, *, when: str | None = None) -> str:
    condition = f" WHEN ({when})" if when else ""
    name = f"{table}_{event.split(' ', maxsplit=1)[0].lower()}"
    return (
        f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each}{condition}"
        f" EXECUTE FUNCTION ledger_refuse('{message}')"
    )

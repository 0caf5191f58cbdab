# SPDX-License-Identifier: Apache-2.0
"""A log's database: SQLite or PostgreSQL, opened durably, brought to the newest schema, its failures put in words."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from tidegate.kernel.errors import LedgerError, Problem, Where
from tidegate.store.schema import VERSION, VERSION_TABLE

BUSY_SECONDS: Final = 30.0
"""How long a write waits for others: an append takes milliseconds, so whoever waits longer waits for something stuck."""
OLDEST_SQLITE: Final = (3, 37, 0)
"""The first version with STRICT tables, which keep bytes bytes."""

_POSTGRESQL_LOCK: Final = 0x7469_6465
"""Number of the advisory lock under which the schema is made."""
_INIT: Final = "restore it from a copy; `tidegate ledger init` begins the log of a project that has none"
_VERIFY: Final = "run `tidegate ledger verify`, and compare with a backup"
_HINTS: Final = (
    ("locked", "another process holds the database; find out which, and try again"),
    ("lock timeout", "another session holds the log; find out which, and try again"),
    ("disk is full", "make room on the disk, and try again; nothing was added"),
    ("no space left", "make room on the disk, and try again; nothing was added"),
    ("readonly", "the file or its folder may not be written by this user"),
    ("unable to open", "see that the folder exists and may be read and written"),
    ("not a database", "the file is something else; see the address in `tidegate.yaml`"),
    ("password", "see user and password of the address"),
    ("does not exist", "make the database first, for instance with `createdb`"),
)
"""Part of what a database says -> what to do."""


@dataclass(frozen=True)
class Database:
    """An open database. Every transaction takes a connection of its own, so that threads may share this."""

    engine: Engine
    place: str
    """Its address, without a password."""
    _writer: Engine
    _writing: Lock

    @property
    def is_sqlite(self) -> bool:
        """True if it is a SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self, *, snapshot: bool = False) -> Iterator[Connection]:
        """Give a connection for reading; with `snapshot`, every statement sees the same state."""
        with reported(self.place), self.engine.connect() as connection:
            if snapshot and not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is committed, durably, at the end of the block, or rolled back.

        Threads of this process take turns by a lock, which is fair; other processes are kept out by the database.
        """
        with self._writing, reported(self.place), self._writer.begin() as connection:
            yield connection

    def forget_deleted(self) -> None:
        """Make the write-ahead log of SQLite empty, so that deleted bytes are in no file any more.

        Raises:
            LedgerError: LED002, somebody still reads the state before.
        """
        if not self.is_sqlite:
            return
        with self._writing, reported(self.place), self.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            is_busy = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if is_busy:
            hint = "the content is erased, but stays in the file's journal until this is repeated"
            raise LedgerError(Problem("LED002", "another process is still reading", Where(self.place), hint))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def reported(place: str) -> Iterator[None]:
    """Turn failures of the database into errors that say what to do."""
    try:
        yield
    except IntegrityError as error:
        raise LedgerError(Problem("LED003", _said(error), Where(place), _VERIFY)) from error
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        said = _said(error)
        if "malformed" in said:
            raise LedgerError(Problem("LED003", said, Where(place), _VERIFY)) from error
        hint = next((hint for part, hint in _HINTS if part in said.lower()), None)
        raise LedgerError(Problem("LED002", said, Where(place), hint)) from error


def _said(error: Exception) -> str:
    """Give the first line of what the database itself said."""
    lines = str(error.orig if isinstance(error, DBAPIError) else error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def open_database(address: str, *, create: bool, busy_seconds: float) -> Database:
    """Open a database whose schema is the newest.

    Raises:
        LedgerError: LED002, the address is not understood, there is no ledger, or it is newer than this program.
    """
    url = _url(address)
    place = url.database or address if url.drivername == "sqlite" else url.render_as_string(hide_password=True)
    if url.drivername == "sqlite" and not create and not Path(place).is_file():
        raise LedgerError(Problem("LED002", "there is no ledger here", Where(place), _INIT))
    engine = _engine(url, busy_seconds)
    database = Database(engine, place, engine.execution_options(is_writing=True), Lock())
    try:
        _bring_up_to_date(database, create=create)
    except BaseException:
        database.close()
        raise
    return database


def _url(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        url = None
    hint = "an address is sqlite:///FILE or postgresql+psycopg://USER@HOST/DATABASE"
    if url is None or url.drivername not in ("sqlite", "postgresql", "postgresql+psycopg"):
        raise LedgerError(Problem("LED002", "the address of the ledger is not understood", None, hint))
    if url.drivername == "sqlite":
        if not url.database or url.database == ":memory:":
            raise LedgerError(Problem("LED002", "a ledger in memory would be lost", None, hint))
        return url
    try:
        import psycopg  # noqa: F401, PLC0415 - an extra
    except ImportError:
        hint = "install it with `pip install 'tidegate[postgresql]'`"
        raise LedgerError(Problem("LED002", "psycopg, the driver for PostgreSQL, is missing", None, hint)) from None
    return url.set(drivername="postgresql+psycopg")


def _engine(url: URL, busy_seconds: float) -> Engine:
    if url.drivername != "sqlite":
        engine = create_engine(url, pool_pre_ping=True, max_overflow=-1)
        event.listen(engine, "connect", _postgresql_settings(busy_seconds))
        return engine
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        hint = "use a newer Python, or PostgreSQL"
        raise LedgerError(Problem("LED002", f"SQLite {sqlite3.sqlite_version} is too old", None, hint))
    # In this mode the driver begins nothing by itself; transactions begin below.
    engine = create_engine(url, max_overflow=-1, connect_args={"timeout": busy_seconds, "isolation_level": None})
    event.listen(engine, "connect", _sqlite_settings)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_settings(connection: sqlite3.Connection, _: object) -> None:
    """Make commits durable, deleted bytes zero, and the file's schema no way to run code."""
    for setting in ("synchronous=FULL", "secure_delete=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {setting}")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode=WAL")


def _sqlite_begin(connection: Connection) -> None:
    is_writing = connection.get_execution_options().get("is_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def _postgresql_settings(busy_seconds: float) -> Callable[[Any, object], None]:
    """Give what makes commits durable (a stronger setting stays) and waiting end."""

    def connected(connection: Any, _: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('synchronous_commit', 'on', false)"
                " WHERE current_setting('synchronous_commit') IN ('off', 'local')"
            )
            cursor.execute(f"SET lock_timeout = {int(busy_seconds * 1000)}")
        connection.commit()

    return connected


# --- the schema ---------------------------------------------------------------------------------------


def _bring_up_to_date(database: Database, *, create: bool) -> None:
    """Leave the newest schema behind; only whoever finds another one pays for alembic."""
    with database.reading() as connection:
        version = _version(connection)
    if version == VERSION:
        return
    if version is None and not create:
        raise LedgerError(Problem("LED002", "the database holds no ledger", Where(database.place), _INIT))
    with database.writing() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _POSTGRESQL_LOCK})
        version = _version(connection)
        if version is not None and version > VERSION:
            hint = "use the version of tidegate that wrote it, or a newer one"
            message = f"the ledger has schema {version}; this program knows up to {VERSION}"
            raise LedgerError(Problem("LED002", message, Where(database.place), hint))
        if version != VERSION:
            _migrate(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - a constant


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "tidegate.store:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")

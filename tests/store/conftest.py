# SPDX-License-Identifier: Apache-2.0
"""Logs to test with, on SQLite and on PostgreSQL: a private server, started when the first test asks for it."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

try:
    import psycopg
except ImportError:  # it is an extra
    psycopg = None

from tidegate.store.ledger import LedgerStore, open_ledger

START_SECONDS = 60


class Cluster(NamedTuple):
    """A running server that only this process uses, through a socket in its folder."""

    folder: Path
    user: str
    names: Iterator[int]

    def new_address(self) -> str:
        """Give the address of a schema of its own, which is made sooner than a database."""
        name = f"log{next(self.names)}"
        with psycopg.connect(f"host={self.folder} user={self.user} dbname=postgres", autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"postgresql+psycopg://{self.user}@/postgres?host={self.folder}&options=-csearch_path%3D{name}"


def program(name: str) -> str | None:
    """Give the path of a program of PostgreSQL, of the newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    return shutil.which(name) or (str(found[-1]) if found else None)


def unprivileged() -> str | None:
    """Give whom the server may run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    known = {one.pw_name for one in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in known), None)


def why_no_postgresql() -> str | None:
    if shutil.which("initdb") is None and program("initdb") is None:
        return "PostgreSQL is not installed here: no initdb"
    if unprivileged() is None:
        return "PostgreSQL does not run as root, and there is no user for it"
    return None if psycopg else "psycopg is not installed here"


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    reason = why_no_postgresql()
    if reason is not None:
        pytest.skip(reason)
    user = unprivileged()
    # Sockets have short names, and the folders of tests belong to root alone.
    folder = Path(tempfile.mkdtemp(prefix="tg-pg-"))
    owner = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
        owner = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    data = folder / "data"
    made = [program("initdb"), "-D", data, "-U", user, "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"]
    subprocess.run(made, check=True, capture_output=True, cwd=folder, **owner)
    # The machine is not unplugged during tests; what is tested is that the program asks for durability.
    options = ["-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60"]
    with (folder / "log").open("wb") as log:
        # Beside initdb, for only that one is certain to be in the path.
        postgres = Path(os.path.realpath(program("initdb"))).parent / "postgres"
        command = [postgres, "-D", data, "-k", folder, *options]
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **owner)
    try:
        wait_for(server, folder, user)
        yield Cluster(folder, user, count(1))
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(START_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(server: subprocess.Popen[bytes], folder: Path, user: str) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(f"host={folder} user={user} dbname=postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > end:
                pytest.fail((folder / "log").read_text())
            time.sleep(0.05)
        else:
            return


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without a log: once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return request.getfixturevalue("cluster").new_address()


@pytest.fixture
def store(ledger_url: str) -> Iterator[LedgerStore]:
    """An empty log."""
    with open_ledger(ledger_url, create=True) as made:
        yield made


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[LedgerStore]:
    """An empty log in a file."""
    with open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", create=True) as made:
        yield made

# SPDX-License-Identifier: Apache-2.0
"""What a use case needs from outside: where the project is, and what day it is."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.kernel.clock import Clock, Ids, Instant, Now, system_clock, system_ids, system_now
from tidegate.kernel.errors import LedgerError, Problem, Where
from tidegate.store.project import PROJECT_FILE, Project, find_project, open_project, read_settings

if TYPE_CHECKING:
    from tidegate.store.ledger import LedgerStore


@dataclass(frozen=True)
class World:
    """The surroundings of one use case."""

    start: Path
    """Folder from which the project is looked for, or the project itself."""
    clock: Clock = system_clock
    """Today's date."""
    now_clock: Now = system_now
    """The present instant."""
    ids: Ids = system_ids
    """Ids that nobody can guess."""

    @cached_property
    def root(self) -> Path:
        """The project's folder.

        Raises:
            ProjectError: PRJ001, there is none.
        """
        return find_project(self.start)

    @property
    def today(self) -> date:
        """Today."""
        return self.clock()

    def now(self) -> Instant:
        """Give the present instant."""
        return self.now_clock()

    def project(self) -> Project:
        """Read the project as it is now. Raises whatever is not in order."""
        return open_project(self.root)

    def has_ledger(self) -> bool:
        """Tell whether the project keeps a log."""
        return read_settings(self.root).ledger is not None

    def log_origin(self) -> str | None:
        """Give the name of the project's log, which entries are signed for; none if it keeps none yet."""
        settings = read_settings(self.root).ledger
        return settings.origin if settings is not None else None

    def ledger(self) -> "LedgerStore":
        """Open the project's log.

        Raises:
            LedgerError: LED002, the project has none, it cannot be opened, or it is that of another origin.
        """
        from tidegate.store.ledger import open_ledger  # noqa: PLC0415 - a project without a log need not load it

        settings = read_settings(self.root).ledger
        if settings is None:
            raise no_ledger()
        store = open_ledger(ledger_url(self.root, settings.url))
        began = _origin_of(store)
        if began not in (None, settings.origin):
            store.close()
            # What is signed for one log has no effect in another, so nothing is entered in the wrong one.
            message = f"the ledger began as {began}, and {PROJECT_FILE} says {settings.origin}"
            raise LedgerError(Problem("LED002", message, Where(PROJECT_FILE), "correct `ledger:` in it"))
        return store


def no_ledger(hint: str = "make one with `tidegate ledger init`") -> LedgerError:
    """Give the error of a project that keeps no log."""
    return LedgerError(Problem("LED002", "this project keeps no ledger", Where(PROJECT_FILE), hint))


def no_checkpoint() -> LedgerError:
    """Give the error of a log whose head nobody has signed yet."""
    hint = "sign one with `tidegate ledger checkpoint --log-key FILE`"
    return LedgerError(Problem("LED007", "there is no log checkpoint yet", Where("ledger/checkpoint"), hint))


def _origin_of(store: "LedgerStore") -> str | None:
    """Give the name under which a log began; none if it cannot be read, which those who read it all will say."""
    try:
        first = store.find(0).entry
    except LedgerError:
        return None
    return str(first.body["origin"]) if first.kind == "ledger.opened" else None


def ledger_url(root: Path, url: str) -> str:
    """Give the address of a log's database; a SQLite file is taken from the project's folder."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url.startswith(f"{prefix}/"):
        return url
    return f"{prefix}{(root / url.removeprefix(prefix)).resolve()}"

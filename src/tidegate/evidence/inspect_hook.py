# SPDX-License-Identifier: Apache-2.0
"""Lets a finished ``inspect eval`` write its evidence record by itself.

Inspect loads this module through its entry point, if Tidegate is installed beside it. Nothing else imports it,
and it is a shell like the command line: it finds the folder, asks for the day, and writes.
"""

import json
from collections.abc import Callable
from datetime import date
from importlib import import_module
from logging import getLogger
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import anyio.to_thread
from inspect_ai.hooks import Hooks, TaskEnd, hooks

from tidegate.evidence.formats import digest_file
from tidegate.evidence.importing import Import, ImportSource
from tidegate.evidence.inspect_log import read
from tidegate.evidence.model import SCHEMA_ID
from tidegate.kernel.canonical import plain
from tidegate.kernel.clock import system_clock

PROJECT_FILE = "tidegate.yaml"
"""Marks the root of a project."""

logger = getLogger(__name__)

WriteImport = Callable[[Path, Import, tuple[str, str], date], Path | None]


@hooks(name="tidegate", description="Writes the evidence record of each finished task.")
class TidegateHooks(Hooks):
    """Imports the log of each task when it is final. A failure is a warning; it never touches the evaluation."""

    async def on_task_end(self, data: TaskEnd) -> None:
        """Import the finished log."""
        here = Path.cwd()
        try:
            await anyio.to_thread.run_sync(record_task, data.log.location, here, system_clock())
        except Exception as error:  # noqa: BLE001  # whatever goes wrong here, the evaluation has to stand
            logger.warning("Tidegate wrote no evidence record for %s: %s", data.log.location, error)


def record_task(location: str, here: Path, today: date) -> Path | None:
    """Write the evidence record of a log; none if there is nothing to write or it is there already.

    Raises:
        TidegateError: the log cannot be imported.
        ValueError: the log is not a local file.
    """
    log = local_path(location)
    source = ImportSource(log, digest_file(log))
    taken = read(source)
    for notice in taken.notices:
        if notice.severity != "note":
            logger.warning("Tidegate: %s", notice)
    if not taken.evidence.records:
        return None
    project = find_project(here)
    if project is None:
        return _write_beside(log, taken)
    # Writing into a project is the store's business, which lies above this package.
    write_import = cast(WriteImport, import_module("tidegate.store.project").write_import)
    return write_import(project, taken, (source.name, source.digest), today)


def find_project(here: Path) -> Path | None:
    """Give the project that a folder lies in."""
    folders = (here.resolve(), *here.resolve().parents)
    return next((folder for folder in folders if (folder / PROJECT_FILE).is_file()), None)


def local_path(location: str) -> Path:
    """Give the path of a log that Inspect names by path or by ``file://`` address.

    Raises:
        ValueError: it lies elsewhere.
    """
    if "://" not in location:
        return Path(location)
    parts = urlsplit(location)
    if parts.scheme != "file":
        raise ValueError("the log is not a local file; fetch it and run `tidegate evidence import`")
    return Path(unquote(parts.path))


def _write_beside(log: Path, taken: Import) -> Path:
    # Inspect takes files whose names begin with a moment and end in .json for logs; hence the word in front.
    path = log.with_name(f"evidence-{log.name}.json")
    data: dict[str, Any] = {"schema": SCHEMA_ID, **plain(taken.evidence)}
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)
    return path

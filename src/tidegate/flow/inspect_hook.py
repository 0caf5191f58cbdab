# SPDX-License-Identifier: Apache-2.0
"""Lets a finished ``inspect eval`` write its evidence record by itself.

Inspect loads this module through its entry point, if Tidegate is installed beside it. Nothing else imports it,
and it is a shell like the command line: it finds the folder and writes.
"""

import json
from collections.abc import Iterable
from logging import getLogger
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio.to_thread
from inspect_ai.hooks import Hooks, TaskEnd, hooks

from tidegate.evidence.formats import digest_file
from tidegate.evidence.importing import Import, ImportSource
from tidegate.evidence.inspect_log import NAME, read
from tidegate.evidence.model import SCHEMA_ID
from tidegate.flow.evidence import import_files
from tidegate.flow.world import World
from tidegate.kernel.canonical import plain
from tidegate.kernel.errors import Problem, ProjectError
from tidegate.store.project import find_project

logger = getLogger(__name__)


@hooks(name="tidegate", description="Writes the evidence record of each finished task.")
class TidegateHooks(Hooks):
    """Imports the log of each task when it is final. A failure is a warning; it never touches the evaluation."""

    async def on_task_end(self, data: TaskEnd) -> None:
        """Import the finished log."""
        here = Path.cwd()
        try:
            await anyio.to_thread.run_sync(record_task, data.log.location, here)
        except Exception as error:  # noqa: BLE001  # whatever goes wrong here, the evaluation has to stand
            logger.warning("Tidegate wrote no evidence record for %s: %s", data.log.location, error)


def record_task(location: str, here: Path) -> Path | None:
    """Write the evidence record of a log; none if there is nothing to write or it is there already.

    Raises:
        TidegateError: the log cannot be imported, or the project is not in order.
        ValueError: the log is not a local file.
    """
    log = local_path(location)
    project = project_above(here)
    if project is not None:
        return _write_into(project, log)
    taken = read(ImportSource(log, digest_file(log)))
    _warn(taken.notices)
    return _write_beside(log, taken) if taken.evidence.records else None


def project_above(here: Path) -> Path | None:
    """Give the project that a folder lies in, or none."""
    try:
        return find_project(here)
    except ProjectError:
        return None


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


def _warn(notices: Iterable[Problem]) -> None:
    for notice in notices:
        if notice.severity != "note":
            logger.warning("Tidegate: %s", notice)


def _write_into(project: Path, log: Path) -> Path | None:
    (taken,) = import_files(World(project), [log], format_name=NAME)
    _warn(taken.notices)
    return project / taken.kept_as if taken.kept_as else None


def _write_beside(log: Path, taken: Import) -> Path:
    # Inspect takes files whose names begin with a moment and end in .json for logs; hence the word in front.
    path = log.with_name(f"evidence-{log.name}.json")
    data: dict[str, Any] = {"schema": SCHEMA_ID, **plain(taken.evidence)}
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)
    return path

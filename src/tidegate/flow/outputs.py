# SPDX-License-Identifier: Apache-2.0
"""Files that a person asked for: written whole or not at all."""

from pathlib import Path

from tidegate.kernel.errors import Problem, ProjectError, Where
from tidegate.store.project import write_bytes


def write_output(path: Path, data: str | bytes) -> None:
    """Write a file, and the folders above it; or write to a device, pipe or link, which stays what it is.

    Raises:
        ProjectError: PRJ004, it cannot be written.
    """
    content = data.encode() if isinstance(data, str) else data
    try:
        is_stream = path.is_symlink() or (path.exists() and not path.is_file() and not path.is_dir())
        if is_stream:
            path.write_bytes(content)
            return
    except (OSError, ValueError) as error:
        words = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ProjectError(Problem("PRJ004", f"cannot be written: {words}", Where(str(path)))) from None
    write_bytes(path, content)

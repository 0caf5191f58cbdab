# SPDX-License-Identifier: Apache-2.0
"""Files that a person asked for: written whole or not at all."""

from pathlib import Path

from tidegate.store.project import write_bytes


def write_output(path: Path, data: str | bytes) -> None:
    """Write a file, and the folders above it.

    Raises:
        ProjectError: PRJ004, it cannot be written.
    """
    write_bytes(path, data.encode() if isinstance(data, str) else data)

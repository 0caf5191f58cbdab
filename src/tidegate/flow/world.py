# SPDX-License-Identifier: Apache-2.0
"""What a use case needs from outside: where the project is, and what day it is."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from tidegate.kernel.clock import Clock, system_clock
from tidegate.store.project import Project, find_project, open_project


@dataclass(frozen=True)
class World:
    """The surroundings of one use case."""

    start: Path
    """Folder from which the project is looked for, or the project itself."""
    clock: Clock = system_clock
    """Today's date."""

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

    def project(self) -> Project:
        """Read the project as it is now. Raises whatever is not in order."""
        return open_project(self.root)

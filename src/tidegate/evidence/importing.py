# SPDX-License-Identifier: Apache-2.0
"""What every importer takes and gives, and the choice of the right one.

An importer is a pure function from a source to an import. It streams, it refuses malformed input with
its position, and it takes all or nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tidegate.evidence.model import Elicitation, EvidenceSet
from tidegate.kernel.errors import Problem

Progress = Callable[[int, int | None], None]
"""Called with items done and, if known, items in all."""


@dataclass(frozen=True)
class Declared:
    """What the person who imports declares, because no log can know it."""

    model: str | None = None
    """Model id to use instead of the name in the file."""
    snapshot: str | None = None
    """Snapshot id."""
    variant: str | None = None
    """Variant of the model (see `Subject.variant`)."""
    thresholds: tuple[str, ...] = ()
    """Thresholds the evidence speaks to."""
    elicitation: Elicitation | None = None
    """Elicitation elements that no log shows (fine-tuning, helpful-only, safeguards off)."""
    evaluator: str | None = None
    """Who measured."""
    independent: bool | None = None
    """Whether they are independent of the developer."""


@dataclass(frozen=True)
class ImportSource:
    """A file to import."""

    path: Path
    """Where it is."""
    digest: str
    """Its digest, ``sha256:<hex>``."""
    declared: Declared = field(default_factory=Declared)
    """What the importing person declares."""
    progress: Progress | None = None
    """Told about progress, if given."""

    @property
    def name(self) -> str:
        """File name without folder, as recorded."""
        return self.path.name


@dataclass(frozen=True)
class Import:
    """What an importer gives."""

    format: str
    """Importer that made it."""
    evidence: EvidenceSet
    """What was taken in."""
    notices: tuple[Problem, ...] = ()
    """What a person should know (severity ``warning`` or ``note``)."""
    digest: str | None = None
    """Digest of all that was read, where that is more than the file that was named."""

# SPDX-License-Identifier: Apache-2.0
"""The formats that evidence arrives in, and which importer reads which file."""

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from tidegate.evidence.importing import Declared, Import, ImportSource, Progress
from tidegate.kernel.errors import DocumentError, EvidenceError, Problem, Where

FORMATS: dict[str, str] = {
    "tidegate": "tidegate.evidence.native",
    "reported": "tidegate.evidence.reported",
    "inspect": "tidegate.evidence.inspect_log",
    "lm-eval": "tidegate.evidence.lm_eval",
    "helm": "tidegate.evidence.helm",
    "garak": "tidegate.evidence.garak",
    "promptfoo": "tidegate.evidence.promptfoo",
    "pyrit": "tidegate.evidence.pyrit",
    "run-table": "tidegate.evidence.run_table",
}
"""Format -> module, in the order in which they are asked whether a file is theirs."""

HEAD_BYTES = 4096


class Importer(Protocol):
    """What the module of a format offers."""

    NAME: str

    def recognises(self, path: Path, head: bytes) -> bool:
        """Tell from the name and the first bytes whether the file is of this format."""
        ...

    def read(self, source: ImportSource) -> Import:
        """Give the records of the file, all or none."""
        ...


def importer(name: str) -> Importer:
    """Give the importer of a format, loading it now."""
    return cast(Importer, import_module(FORMATS[name]))


def digest_file(path: Path) -> str:
    """Give the digest of a file, read in pieces."""
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def recognise(path: Path) -> str | None:
    """Give the format of a file (or of a HELM run folder), or none."""
    head = b""
    if path.is_file():
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    return next((name for name in FORMATS if importer(name).recognises(path, head)), None)


def import_file(
    path: Path, *, format_name: str | None = None, declared: Declared | None = None, progress: Progress | None = None
) -> Import:
    """Read a file with the importer of its format.

    Raises:
        DocumentError: the file cannot be read.
        EvidenceError: EVI001 if no importer knows it; else whatever its importer refuses.
    """
    if not path.exists():
        raise DocumentError(Problem("DOC001", "no such file", Where(str(path)), "check the name"))
    try:
        name = format_name or recognise(path)
        file_digest = digest_file(path) if path.is_file() else ""
    except OSError as error:
        raise DocumentError(Problem("DOC001", error.strerror or str(error), Where(str(path)))) from None
    if name is None or name not in FORMATS:
        hint = f"formats: {', '.join(FORMATS)}; name one with --format"
        raise EvidenceError(Problem("EVI001", "the format is not recognised", Where(str(path)), hint))
    return importer(name).read(ImportSource(path, file_digest, declared or Declared(), progress))

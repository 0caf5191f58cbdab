# SPDX-License-Identifier: Apache-2.0
"""What a project publishes and owes, on disk: `hub/**/*.yaml`, `obligations.yaml`, its own frameworks."""

from pathlib import Path
from typing import NamedTuple, TypeVar

from tidegate.kernel.documents import Document, read_document, validate_part
from tidegate.kernel.errors import Problem, PublicationError, TidegateError, Where
from tidegate.kernel.record import Record
from tidegate.obligations.model import ObligationFile
from tidegate.policy.framework import Framework
from tidegate.policy.frameworks import parse_framework
from tidegate.publish.practices import (
    Answer,
    AnswerFile,
    ChangeFile,
    ModelPage,
    Practice,
    Publication,
    TextRedaction,
    TextRedactionFile,
)
from tidegate.store.project import alone, inside, write_record

HUB = Path("hub")
CHANGES = HUB / "changelog.yaml"
TEXT_REDACTIONS = HUB / "redactions.yaml"
OBLIGATIONS = Path("obligations.yaml")
FRAMEWORKS = Path("frameworks")
MAX_FILES = 5_000
"""A hub has tens of practices; a folder with more is not one."""

_SCHEMAS: dict[str, type[Practice | AnswerFile | ModelPage]] = {
    "tidegate/practice/v1": Practice,
    "tidegate/answers/v1": AnswerFile,
    "tidegate/model-page/v1": ModelPage,
}

R = TypeVar("R", bound=Record)


def read_publication(root: Path) -> Publication:
    """Read everything under `hub/`.

    Raises:
        TidegateError: a file is not in order; every problem of every file, with its place.
        PublicationError: PUB003, two practices have one id, or two answers or pages are about the same.
    """
    read = _Reading(root)
    for path in publication_files(root):
        read.take(path.relative_to(root))
    read.refuse()
    return Publication(
        practices=tuple(read.practices.values()),
        answers=tuple(read.answers.values()),
        pages=tuple(read.pages.values()),
        redactions=read_text_redactions(root).redactions,
        changes=read_changes(root),
    )


def publication_files(root: Path) -> tuple[Path, ...]:
    """Give the files of practices, answers and pages about models: not the register, the changelog and the archive.

    Raises:
        TidegateError: there are too many, or one leads out of the project.
    """
    apart = (CHANGES, TEXT_REDACTIONS)
    found = (path for path in _files(root, HUB) if path not in apart and HUB / "archive" not in path.parents)
    return tuple(root / path for path in found)


def read_text_redactions(root: Path) -> TextRedactionFile:
    """Read the register of redactions of words; empty if there is none."""
    return _optional(root, TEXT_REDACTIONS, TextRedactionFile)


def add_text_redaction(root: Path, made: TextRedaction) -> bool:
    """Add a redaction of words to the register; false, and nothing written, if its id is taken."""
    with alone(root):
        before = read_text_redactions(root).redactions
        if any(one.id == made.id for one in before):
            return False
        write_record(root / TEXT_REDACTIONS, TextRedactionFile(redactions=(*before, made)))
    return True


def read_changes(root: Path) -> ChangeFile:
    """Read the hub's changelog; empty if there is none."""
    return _optional(root, CHANGES, ChangeFile)


def write_changes(root: Path, changes: ChangeFile) -> Path:
    """Write the hub's changelog."""
    write_record(root / CHANGES, changes)
    return root / CHANGES


class Obligations(NamedTuple):
    """What a project owes beside the laws, and where each part of it stands."""

    file: ObligationFile
    document: Document | None
    """The file with its positions, for messages; none if there is no file."""

    def where(self, path: tuple[str | int, ...]) -> Where:
        """Give the place of a part of the file."""
        return self.document.where(path) if self.document is not None else Where(str(OBLIGATIONS))


def read_obligations(root: Path) -> Obligations:
    """Read `obligations.yaml`; empty if there is none."""
    path = root / OBLIGATIONS
    if not path.is_file():
        return Obligations(ObligationFile(schema_="tidegate/obligations/v1"), None)
    document = read_document(path, name=str(OBLIGATIONS))
    return Obligations(validate_part(document, ObligationFile), document)


def read_frameworks(root: Path) -> tuple[Framework, ...]:
    """Read the project's own frameworks and questionnaires, in `frameworks/*.yaml`.

    Raises:
        TidegateError: a file is not in order, or contradicts itself.
    """
    return tuple(parse_framework(read_document(root / path, name=path.as_posix())) for path in _files(root, FRAMEWORKS))


def _optional(root: Path, path: Path, kind: type[R]) -> R:
    if not (root / path).is_file():
        return kind()
    return validate_part(read_document(root / path, name=path.as_posix()), kind)


def _files(root: Path, folder: Path) -> list[Path]:
    found = sorted(path for path in (root / folder).rglob("*.y*ml") if path.is_file())
    if len(found) > MAX_FILES:
        raise PublicationError(
            Problem("PUB008", f"{len(found):,} files; a project has at most {MAX_FILES:,}", Where(str(folder)))
        )
    for path in found:
        name = path.relative_to(root).as_posix()
        inside(root, name, Where(name))
    return [path.relative_to(root) for path in found]


class _Reading:
    """Files being read: what they hold, and everything that is wrong with them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.practices: dict[str, Practice] = {}
        self.answers: dict[tuple[str, str | None], Answer] = {}
        self.pages: dict[str, ModelPage] = {}
        self.places: dict[str, Where] = {}
        self.problems: list[Problem] = []

    def take(self, path: Path) -> None:
        name = path.as_posix()
        try:
            document = read_document(self.root / path, name=name)
            schema = document.data.get("schema") if isinstance(document.data, dict) else None
            if not isinstance(schema, str) or schema not in _SCHEMAS:
                message = f"expected a `schema` of {', '.join(_SCHEMAS)}"
                raise PublicationError(Problem("PUB002", message, document.where()))
            self._add(validate_part(document, _SCHEMAS[schema]), document)
        except TidegateError as error:
            self.problems += error.problems

    def _add(self, found: Practice | AnswerFile | ModelPage, document: Document) -> None:
        match found:
            case Practice():
                self._once(f"practice {found.id}", document.where(("id",)))
                self.practices[found.id] = found
            case ModelPage():
                self._once(f"page of the model {found.model}", document.where(("model",)))
                self.pages[found.model] = found
            case AnswerFile():
                for number, one in enumerate(found.answers):
                    about = f" about {one.model}" if one.model else ""
                    self._once(f"answer to {one.to}{about}", document.where(("answers", number)))
                    self.answers[one.to, one.model] = one

    def _once(self, what: str, where: Where) -> None:
        if what in self.places:
            hint = f"the other stands in {self.places[what]}"
            self.problems.append(Problem("PUB003", f"there is a {what} already", where, hint))
        self.places[what] = where

    def refuse(self) -> None:
        if self.problems:
            raise PublicationError(*self.problems)

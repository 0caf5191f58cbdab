# SPDX-License-Identifier: Apache-2.0
"""Which frameworks are known and stood by, what answers their items, and what in public words would not hold up."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from tidegate.flow.world import World
from tidegate.kernel.documents import Document, read_bytes, read_document
from tidegate.kernel.errors import Problem, ProjectError, PublicationError, Where
from tidegate.policy.framework import Framework
from tidegate.policy.frameworks import find_framework, shipped_frameworks
from tidegate.publish.claim_input import Claims
from tidegate.publish.claims import ClaimProblem, lint
from tidegate.publish.claims_content import claims_of
from tidegate.publish.claims_text import MAX_BYTES, read_page, read_report
from tidegate.publish.coverage import FrameworkCoverage, coverage
from tidegate.publish.practices import CommitmentMade
from tidegate.store.project import PROJECT_FILE, read_settings
from tidegate.store.publication import publication_files, read_frameworks

QUESTIONNAIRE = "haip"
"""Questionnaire of a report, if none is named."""


class Known(NamedTuple):
    """A framework, and how the organisation stands to it."""

    framework: Framework
    made: CommitmentMade | None = None


def known_frameworks(world: World) -> tuple[Known, ...]:
    """Give every framework that ships with Tidegate or stands in the project, by id; in a project, with its stance."""
    own, commitments = _of_project(world)
    made = {one.framework: one for one in commitments}
    names = sorted({*shipped_frameworks(), *(one.id for one in own), *made})
    known = {name: find_framework(_versioned(name, made.get(name)), own) for name in names if name in _ids(own)}
    return tuple(Known(one, made.get(name)) for name, one in known.items())


def one_framework(world: World, name: str) -> Known:
    """Give a framework by ``id`` or ``id@version``.

    Raises:
        PublicationError: PUB002, there is no such framework.
    """
    own, commitments = _of_project(world)
    made = next((one for one in commitments if one.framework == name.partition("@")[0]), None)
    return Known(find_framework(name if "@" in name else _versioned(name, made), own), made)


def commitment_coverage(
    world: World, names: Iterable[str] = (), at: date | None = None
) -> tuple[FrameworkCoverage, ...]:
    """Give what answers each framework of the project's commitments, or each one named, as of a day.

    Raises:
        PublicationError: PUB002, there is no such framework.
        TidegateError: the project is not in order.
    """
    from tidegate.flow.publishing import collect  # noqa: PLC0415 - assesses, which not every question needs

    wanted = tuple(names)
    for name in wanted or tuple(one.framework for one in _of_project(world)[1]):
        one_framework(world, name)
    collected = collect(world, at)
    return coverage(collected.content, (name.partition("@")[0] for name in wanted), collected.facts)


def lint_project(world: World, at: date | None = None) -> tuple[ClaimProblem, ...]:
    """Give every objection to what the project says in public, each with its file and line.

    Raises:
        TidegateError: the project is not in order.
    """
    from tidegate.flow.publishing import collect  # noqa: PLC0415

    content = collect(world, at).content
    return lint(claims_of(content, places_of(world.root)), at=content.at)


def lint_texts(
    world: World,
    pages: Iterable[Path],
    answers: Iterable[Path],
    questionnaire: str = QUESTIONNAIRE,
    at: date | None = None,
) -> tuple[ClaimProblem, ...]:
    """Give every objection to the plain texts of pages, and to reports that answer a questionnaire. No project is needed.

    Reports are read together with the pages that they point to.

    Raises:
        DocumentError: a file cannot be read as text.
        PublicationError: PUB002, there is no such questionnaire, or a report answers nothing of it.
    """
    own, _ = _of_project(world)
    frameworks = {**shipped_frameworks(), **{one.id: one for one in own}}
    asked = find_framework(questionnaire, own)
    sections = find_framework("hub", own)
    read: list[Claims] = [read_page(_bytes(path), str(path), frameworks, sections) for path in pages]
    reports = [(path, read_report(_bytes(path), str(path), asked)) for path in answers]
    empty = [path for path, one in reports if not one.replies]
    if empty:
        hint = "a report has a heading for each section, and a letter before each question"
        message = f"holds no answer to {asked.id}"
        raise PublicationError(*(Problem("PUB002", message, Where(str(path)), hint) for path in empty))
    return lint(*read, *(one for _, one in reports), at=at or world.today)


def places_of(root: Path, field: str = "id") -> Mapping[str, Where]:
    """Give where practices, statements, answers, model pages and commitments of a project stand.

    Args:
        root: the project.
        field: part of a practice that its place is.
    """
    places: dict[str, Where] = {}
    for path in publication_files(root):
        name = path.relative_to(root).as_posix()
        places |= _places(read_document(path, name=name), field)
    record = read_document(root / PROJECT_FILE, name=str(PROJECT_FILE))
    for number, one in enumerate(record.data.get("commitments") or ()):
        places[f"commitment:{one['framework']}"] = record.where(("commitments", number))
    return places


def _places(document: Document, field: str) -> dict[str, Where]:
    data: dict[str, Any] = document.data if isinstance(document.data, dict) else {}
    match data.get("schema"):
        case "tidegate/practice/v1":
            name = f"practice:{data['id']}"
            statements = {
                f"{name}#{number}": document.where(("statements", number, "text"))
                for number, _ in enumerate(data["statements"])
            }
            return {name: document.where((field,)), **statements}
        case "tidegate/answers/v1":
            return {
                f"answer:{one['to']}": document.where(("answers", number)) for number, one in enumerate(data["answers"])
            }
        case "tidegate/model-page/v1":
            return {f"model:{data['model']}": document.where(("model",))}
    return {}


def _bytes(path: Path) -> bytes:
    return read_bytes(path, max_bytes=MAX_BYTES)


def _versioned(name: str, made: CommitmentMade | None) -> str:
    return f"{name}@{made.version}" if made is not None and made.version else name


def _ids(own: Iterable[Framework]) -> set[str]:
    return {*shipped_frameworks(), *(one.id for one in own)}


def _of_project(world: World) -> tuple[tuple[Framework, ...], tuple[CommitmentMade, ...]]:
    """Give the frameworks and commitments of the project that this is in; none if it is in none."""
    try:
        root = world.root
    except ProjectError as error:
        if any(one.code != "PRJ001" for one in error.problems):
            raise
        return (), ()
    return read_frameworks(root), read_settings(root).commitments

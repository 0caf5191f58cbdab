# SPDX-License-Identifier: Apache-2.0
"""Reports: draft the text, look at the report, make it final, criticise it, answer, show."""

import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tidegate.flow.decisions import Standing, act
from tidegate.flow.governing import governing
from tidegate.flow.ledgers import Act, Actor, governance_in
from tidegate.flow.targets import find_target
from tidegate.flow.world import World
from tidegate.govern.basis import Basis
from tidegate.govern.critiques import Criticised, Critique, critique_problems, read_critique
from tidegate.govern.governance import Governance
from tidegate.govern.records import ReportRecord
from tidegate.govern.report_building import Asked, citable, make_report
from tidegate.govern.report_checks import Places, draft_problems, final_problems, text_problems, wanted
from tidegate.govern.report_text import Kind, ReportText, skeleton
from tidegate.govern.reports import Report, read_report
from tidegate.kernel.documents import Document, did_you_mean, read_document, validate_part
from tidegate.kernel.errors import DocumentError, Problem, ProjectError, ReportError, Where
from tidegate.ledger.acts import CriticismAnswered, ReportCriticised, ReportFinalised
from tidegate.ledger.entries import Signed
from tidegate.store.project import Project, read_settings

if TYPE_CHECKING:
    from tidegate.store.ledger import LedgerStore

FOLDER = "reports"
Outcome = Literal["answered", "accepted", "stands"]


@dataclass(frozen=True)
class Target:
    """Which report, of which model."""

    kind: Kind
    model: str
    """Model, or ``model@snapshot``."""


@dataclass(frozen=True)
class Draft:
    """A report as it would be now, and what stands in its way."""

    report: Report
    problems: tuple[Problem, ...]
    file: str
    """File of the project that holds, or would hold, what people write."""
    has_text: bool
    """False if nobody has begun to write it."""


@dataclass(frozen=True)
class Filed:
    """A final report, with what the log says of it."""

    report: Report
    record: ReportRecord
    critiques: tuple[Criticised, ...] = ()


def text_file(kind: Kind, model: str) -> str:
    """Give the file of the project that holds what people write for a report: ``reports/my-model-capability.yaml``."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", model).strip(".-") or "model"
    return f"{FOLDER}/{readable}-{kind}.yaml"


# --- drafts -------------------------------------------------------------------------------------------


def draft_text(world: World, target: Target) -> Path:
    """Write a skeleton of the text, with every part that is needed named and left empty. Never writes over a file.

    Raises:
        AssessError: ASM001, the model or snapshot is not known.
        ProjectError: PRJ004, there is a text already, or it cannot be written.
    """
    project = world.project()
    asked = _asked(project, target, world.today)
    file = text_file(asked.kind, asked.model)
    path = _inside(project.root, file)
    text = skeleton(wanted(make_report(governing(world, project).basis, asked)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise ProjectError(Problem("PRJ004", "there is a text already", Where(file), "edit it, or move it")) from None
    except OSError as error:
        raise ProjectError(Problem("PRJ004", f"cannot be written: {error.strerror}", Where(file))) from None
    return path


def preview(world: World, target: Target, as_of: date | None = None) -> Draft:
    """Give a report as it would be, on a day, and everything that stands in its way.

    Raises:
        AssessError: ASM001, the model or snapshot is not known.
        ReportError: REP001, the text is about something else, or cites what is not there.
        TidegateError: the project or the text is not in order.
    """
    project = world.project()
    basis = governing(world, project, as_of=as_of).basis
    made = _made(project, basis, _asked(project, target, as_of or world.today))
    if made.wrong:
        raise ReportError(*made.wrong)
    problems = draft_problems(made.report, basis.policy, made.places, citable(made.report, basis))
    if not made.has_text:
        hint = f"begin it with `tidegate report {target.kind} {target.model} --draft`"
        problems = (
            Problem("REP001", "nobody has begun to write the text", Where(made.file), hint, "warning"),
            *problems,
        )
    return Draft(made.report, problems, made.file, made.has_text)


@dataclass(frozen=True)
class _Made:
    report: Report
    places: Places
    file: str
    has_text: bool
    wrong: tuple[Problem, ...]


def _made(project: Project, basis: Basis, asked: Asked) -> _Made:
    file = text_file(asked.kind, asked.model)
    path = _inside(project.root, file)
    document, text = Document(file, {}, {}), None
    has_text = path.exists()
    if has_text:
        document = read_document(path, name=file)
        text = validate_part(document, ReportText)
    report = make_report(basis, asked, text)
    places = Places(document, project.policy.where)
    return _Made(report, places, file, has_text, text_problems(report, places, citable(report, basis)))


def _asked(project: Project, target: Target, at: date, author: str | None = None) -> Asked:
    found = find_target(project, target.model)
    return Asked(target.kind, found.model.id, at, found.snapshot, author)


def _inside(root: Path, file: str) -> Path:
    path = root / file
    if not path.resolve().is_relative_to(root.resolve()):
        raise ProjectError(Problem("PRJ004", f"{file!r} lies outside the project", Where(file), "remove the link"))
    return path


# --- acts ---------------------------------------------------------------------------------------------


def finalise(world: World, target: Target, actor: Actor) -> Filed:
    """Make a report final: its bytes go into the log's store, and the author signs for them.

    Raises:
        ReportError: REP001, REP002: every reason why it cannot become final, each with its place.
        TidegateError: the project is not in order, the files are not what the log holds, or the act has no effect.
    """

    def make(standing: Standing) -> Sequence[Act]:
        asked = _asked(standing.project, target, standing.at, actor.person)
        made = _made(standing.project, standing.basis, asked)
        report = made.report
        known = citable(report, standing.basis)
        problems = final_problems(report, standing.basis.policy, made.places, known)
        if not made.has_text:
            hint = f"begin it with `tidegate report {target.kind} {target.model} --draft`"
            problems = (Problem("REP001", "nobody has begun to write the text", Where(made.file), hint), *problems)
        if problems:
            raise ReportError(*problems)
        body = ReportFinalised(
            report=report.id, kind=report.kind, model=report.model, snapshot=report.snapshot, document=report.digest
        )
        return [Act("report.finalised", body, actor, _rests_on(report), (report.data,))]

    logged = act(world, make)
    return find_report(world, logged[0].entry.body["report"])


def _rests_on(report: Report) -> tuple[Signed, ...]:
    return (
        Signed(name=f"report:{report.kind}", digest=report.digest),
        Signed(name="policy", digest=report.policy_digest),
        Signed(name="evidence", digest=report.evidence_digest),
        Signed(name="models", digest=report.models_digest),
        Signed(name="assessment", digest=report.assessment_digest),
    )


def criticise(world: World, report: str, file: Path, actor: Actor) -> Criticised:
    """Attach an independent critique to a final report.

    Raises:
        ReportError: REP003, there is no such report, or the critique names what it does not have.
        SigningError: KEY006, the critic wrote the report.
        DocumentError: the file is not a critique.
    """
    document = read_document(file)
    given = validate_part(document, Critique)
    filed = find_report(world, report)
    _refuse_other(given, filed, document)
    problems = tuple(critique_problems(given, filed.report, document))
    if problems:
        raise ReportError(*problems)
    made = given.model_copy(update={"report": report, "report_document": filed.record.document})
    body = ReportCriticised(report=report, critique=made.id, points=len(made.points), document=made.digest)
    over = (
        Signed(name="critique", digest=made.digest),
        Signed(name=f"report:{filed.report.kind}", digest=filed.record.document),
    )
    act(world, lambda _: [Act("report.criticised", body, actor, over, (made.data,))])
    return find_critique(world, made.id)[1]


def _refuse_other(given: Critique, filed: Filed, document: Document) -> None:
    for name, wanted_one in (("report", filed.record.report), ("report_document", filed.record.document)):
        said = getattr(given, name)
        if said is not None and said != wanted_one:
            message = f"{name}: the critique is about {said}, not {wanted_one}"
            raise DocumentError(Problem("DOC009", message, document.where((name,)), "leave it out, or correct it"))


def answer(world: World, critique: str, point: int, outcome: Outcome, text: str, actor: Actor) -> Criticised:
    """Answer a point of a critique, or say that it stands.

    Raises:
        ReportError: REP003, there is no such critique or point.
    """
    found = find_critique(world, critique)[1]
    if not 1 <= point <= len(found.document.points):
        message = f"{critique} has {len(found.document.points)} points, and no point {point}"
        raise ReportError(Problem("REP003", message))
    body = CriticismAnswered(critique=critique, point=point, outcome=outcome, text=text)
    over = (Signed(name="critique", digest=found.record.document),)
    act(world, lambda _: [Act("report.answered", body, actor, over)])
    return find_critique(world, critique)[1]


# --- what there is ------------------------------------------------------------------------------------


def list_reports(world: World) -> tuple[ReportRecord, ...]:
    """Give every final report, the oldest first."""
    with closing(world.ledger()) as store:
        found = _read(world, store).reports.values()
    return tuple(sorted(found, key=lambda one: one.index))


def find_report(world: World, name: str) -> Filed:
    """Give a final report with its critiques.

    Raises:
        ReportError: REP003, there is no report of this id, or its document is not a report.
    """
    with closing(world.ledger()) as store:
        reports = _read(world, store).reports
        if name not in reports:
            hint = did_you_mean(name, reports) or f"reports: {', '.join(reports) or 'none yet'}"
            raise ReportError(Problem("REP003", f"there is no report {name!r}", None, hint))
        record = reports[name]
        critiques = tuple(Criticised(one, read_critique(store.document(one.document))) for one in record.critiques)
        return Filed(read_report(store.document(record.document)), record, critiques)


def find_critique(world: World, name: str) -> tuple[Filed, Criticised]:
    """Give a critique with the report that it is about.

    Raises:
        ReportError: REP003, there is none of this id.
    """
    with closing(world.ledger()) as store:
        owners = {
            one.critique: record.report for record in _read(world, store).reports.values() for one in record.critiques
        }
    if name not in owners:
        hint = did_you_mean(name, owners) or f"critiques: {', '.join(owners) or 'none yet'}"
        raise ReportError(Problem("REP003", f"there is no critique {name!r}", None, hint))
    filed = find_report(world, owners[name])
    return filed, next(one for one in filed.critiques if one.record.critique == name)


def _read(world: World, store: "LedgerStore") -> Governance:
    return governance_in(store, read_settings(world.root).people)

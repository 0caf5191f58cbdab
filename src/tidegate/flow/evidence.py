# SPDX-License-Identifier: Apache-2.0
"""Evidence: take it in, look at it, question it, correct it on the record."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import ValidationError

from tidegate.assess.audit import ReportCard, by_developer, by_threshold, report_cards
from tidegate.evidence.exports import Attestation, every_eval_ever, in_toto_statement
from tidegate.evidence.formats import digest_file, import_file
from tidegate.evidence.importing import Declared, Import, Progress
from tidegate.evidence.model import Elicitation, Evidence, EvidenceSet, Restatement, Subject, same_observation
from tidegate.evidence.redaction import Ground, Redaction, Withheld, redacted
from tidegate.flow.horizons import with_horizons
from tidegate.flow.world import World
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import EvidenceError, Problem, ProjectError, TidegateError, Where
from tidegate.policy.model import ElicitationElement
from tidegate.store.project import Project, write_imports, write_redaction, write_restatement


@dataclass(frozen=True)
class Taken:
    """What became of one file."""

    file: str
    format: str
    records: int
    conclusions: int
    new: int
    """How many of its records were not there before."""
    kept_as: str | None
    """Where it is kept; none if nothing of it was new."""
    notices: tuple[Problem, ...]


def import_files(
    world: World,
    paths: Sequence[Path],
    *,
    format_name: str | None = None,
    declared: Declared | None = None,
    progress: Callable[[Path], Progress] | None = None,
) -> tuple[Taken, ...]:
    """Take in files, all or none: every file is read before any is kept.

    Raises:
        TidegateError: the problems of every file that was refused; nothing was kept.
    """
    root = world.root
    read: list[tuple[Path, Import]] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            taken = import_file(
                path, format_name=format_name, declared=declared, progress=progress(path) if progress else None
            )
            read.append((path, with_horizons(path, taken)))
        except TidegateError as error:
            problems += error.problems
    if problems:
        raise EvidenceError(*problems)
    sources = [(taken, path.name, digest_of(path, taken)) for path, taken in read]
    _refuse_conflicts(sources)
    kept = write_imports(root, sources, world.today)
    entered(world)
    return tuple(
        Taken(
            file=path.name,
            format=taken.format,
            records=len(taken.evidence.records),
            conclusions=len(taken.evidence.conclusions),
            new=one.records,
            kept_as=str(one.path.relative_to(root)) if one.path else None,
            notices=taken.notices,
        )
        for (path, taken), one in zip(read, kept, strict=True)
    )


def digest_of(path: Path, taken: Import) -> str:
    """Give the digest under which a file is kept: that of all that was read, where a run is several files."""
    if taken.digest is not None:
        return taken.digest
    return digest_file(path) if path.is_file() else digest_bytes(taken.evidence.digest.encode())


def _refuse_conflicts(sources: Iterable[tuple[Import, str, str]]) -> None:
    """Refuse files that contradict each other, before any of them is kept. A copy of a file is no contradiction."""
    seen: dict[str, tuple[str, Evidence]] = {}
    for taken, name, _ in sources:
        for record in taken.evidence.records:
            first = seen.setdefault(record.id, (name, record))
            if not same_observation(first[1], record):
                message = f"the evidence id {record.id!r} stands for another record in {first[0]}"
                raise EvidenceError(
                    Problem("EVI005", message, Where(name), "import one of the two, and restate the other")
                )


def find_evidence(evidence: EvidenceSet, name: str) -> Evidence:
    """Give the record of this id.

    Raises:
        EvidenceError: EVI006, there is none.
    """
    for record in evidence.records:
        if record.id == name:
            return record
    hint = did_you_mean(name, (record.id for record in evidence.records))
    raise EvidenceError(Problem("EVI006", f"there is no record {name!r}", None, hint or "see `tidegate evidence list`"))


def evidence_problems(evidence: EvidenceSet) -> tuple[Problem, ...]:
    """Give what a person should look at in an evidence set: importers' remarks, and figures that disagree."""
    problems = [
        Problem(remark.code, f"{record.id}: {remark.message}", _place(record), None, "warning")
        for record in evidence.records
        for remark in record.remarks
    ]
    return (*problems, *_disagreements(evidence))


def _place(record: Evidence) -> Where:
    line, _, column = (record.provenance.position or "").partition(":")
    file = record.provenance.file or record.provenance.format
    return Where(file, int(line), int(column)) if line.isdigit() and column.isdigit() else Where(file)


def _disagreements(evidence: EvidenceSet) -> list[Problem]:
    """Figures for the same measurement of the same model that differ, with no restatement between them."""
    settled = {frozenset((one.supersedes, one.by)) for one in evidence.restatements}
    first: dict[tuple[object, ...], Evidence] = {}
    problems: list[Problem] = []
    for record in evidence.records:
        measured = record.measurement
        if measured is None or measured.value is None:
            continue
        key = (record.subject.model, record.subject.snapshot, record.subject.variant, *measured.identity)
        other = first.setdefault(key, record)
        known = other.measurement.value if other.measurement else None
        if known != measured.value and frozenset((other.id, record.id)) not in settled:
            message = f"{record.id} gives {measured.value:g} and {other.id} gives {known:g} for the same measurement"
            hint = f"say which counts: tidegate evidence restate {other.id} --by {record.id} --reason ..."
            problems.append(Problem("EVI006", message, _place(record), hint, "note"))
    return problems


def restate(world: World, restatement: Restatement) -> Path:
    """Record a restatement or retraction. Raises EVI006 if it names no known record."""
    path = write_restatement(world.root, restatement)
    entered(world)
    return path


def entered(world: World) -> None:
    """Enter in the log what became evidence, if the project keeps a log.

    If the log cannot be reached, the files stand, the gate stays closed, and `tidegate ledger record` enters them.
    """
    if world.has_ledger():
        from tidegate.flow.ledgers import record_files  # noqa: PLC0415 - a project without a log need not load it

        record_files(world, frozenset({"evidence.imported", "evidence.restated", "evidence.retracted"}))


def audit(evidence: EvidenceSet) -> tuple[tuple[ReportCard, ...], tuple[ReportCard, ...]]:
    """Give report cards per developer and per threshold."""
    return report_cards(evidence.records, by=by_developer), report_cards(evidence.records, by=by_threshold)


def declare(  # noqa: PLR0913 - one argument per option
    *,
    model: str | None = None,
    snapshot: str | None = None,
    variant: str | None = None,
    thresholds: tuple[str, ...] = (),
    elements: tuple[str, ...] = (),
    evaluator: str | None = None,
    independent: bool | None = None,
) -> Declared:
    """Give what a person declares about files that they import.

    Raises:
        ProjectError: PRJ005, a word is not in the vocabulary.
    """
    known_elements, known_variants = get_args(ElicitationElement), get_args(Subject.model_fields["variant"].annotation)
    for words, known in ((elements, known_elements), ((variant,) if variant else (), known_variants)):
        for word in words:
            if word not in known:
                hint = did_you_mean(word, known) or f"known: {', '.join(known)}"
                raise ProjectError(Problem("PRJ005", f"{word!r} is not in the vocabulary", None, hint))
    elicitation = Elicitation(elements=cast(Any, elements), basis="declared") if elements else None
    return Declared(model, snapshot, variant, thresholds, elicitation, evaluator, independent)


def select(project: Project, *, model: str | None = None, threshold: str | None = None) -> tuple[Evidence, ...]:
    """Give the records about a model (by any of its names) that name a threshold."""
    known = project.model(model) if model else None
    names = known.names if known else frozenset({model.casefold()}) if model else frozenset()
    found = project.policy.policy.threshold(threshold) if threshold else None
    wanted = {name.casefold() for name in ((threshold,) if threshold else ())}
    wanted |= {name.casefold() for name in project.policy.policy.names_of(found)} if found else set()
    return tuple(
        record
        for record in project.evidence.records
        if (not model or record.subject.model.casefold() in names)
        and (not threshold or any(name.casefold() in wanted for name in record.thresholds))
    )


def check_files(paths: Sequence[Path], *, format_name: str | None = None) -> tuple[Problem, ...]:
    """Give the remarks on files without keeping anything of them.

    Raises:
        EvidenceError: the problems of every file that would be refused.
    """
    remarks: list[Problem] = []
    refused: list[Problem] = []
    for path in paths:
        try:
            taken = import_file(path, format_name=format_name)
            remarks += [*taken.notices, *evidence_problems(taken.evidence)]
        except TidegateError as error:
            refused += error.problems
    if refused:
        raise EvidenceError(*refused)
    return tuple(dict.fromkeys(remarks))


def restatement(
    supersedes: str, *, by: str | None, reason: str, approved_by: tuple[str, ...], note: str | None, on: date
) -> Restatement:
    """Give a restatement, or (without a successor, for the reason ``retracted``) a retraction.

    Raises:
        EvidenceError: EVI006, the two do not fit.
    """
    try:
        return Restatement(
            supersedes=supersedes,
            by=by,
            reason=cast(Any, reason),
            approved_by=approved_by,
            note=note,
            on=on.isoformat(),
        )
    except ValidationError as error:
        message = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise EvidenceError(Problem("EVI006", message, None, "give --by, or use --reason retracted")) from None


def as_in_toto(record: Evidence, evaluator: str, salt: str) -> dict[str, Any]:
    """Give a record as an in-toto statement. Raises if it lacks a part that the predicate needs.

    Raises:
        ProjectError: PRJ005, the salt is not hexadecimal.
    """
    try:
        secret = bytes.fromhex(salt)
    except ValueError:
        raise ProjectError(Problem("PRJ005", "the salt is not hexadecimal", None, "give at least 32 digits")) from None
    return in_toto_statement(record, Attestation(evaluator=evaluator, salt=secret))


def as_every_eval_ever(record: Evidence, world: World) -> list[dict[str, Any]]:
    """Give a record as every_eval_ever documents."""
    retrieved = int(datetime.combine(world.today, datetime.min.time(), UTC).timestamp())
    organisation = world.project().record.organisation
    return list(every_eval_ever((record,), organisation=organisation, retrieved=retrieved).documents)


@dataclass(frozen=True)
class Withholding:
    """What a person says of words that outsiders are not to see."""

    record: str
    field: str
    ground: str
    character: str
    justification: str


def redact(world: World, asked: Withholding) -> tuple[Path, Withheld]:
    """Withhold words of a record from the edition for outsiders; give where it is kept, and its public entry.

    Decisions are signed over the edition, so one that was signed before has to be put anew.

    Raises:
        EvidenceError: EVI006, there is no such record; EVI012, the field may not be withheld, or is empty.
        ProjectError: PRJ005, the ground is not one that is known.
    """
    evidence = world.project().evidence
    find_evidence(evidence, asked.record)
    grounds = get_args(Ground)
    if asked.ground not in grounds:
        hint = did_you_mean(asked.ground, grounds) or f"grounds: {', '.join(grounds)}"
        raise ProjectError(Problem("PRJ005", f"{asked.ground!r} is not a ground", None, hint))
    redaction = Redaction(
        record=asked.record,
        field=asked.field,
        ground=cast(Any, asked.ground),
        justification=asked.justification,
        character=asked.character,
        salt=world.ids() + world.ids(),
    )
    _, register = redacted(evidence, (redaction,))
    return write_redaction(world.root, redaction), register[0]

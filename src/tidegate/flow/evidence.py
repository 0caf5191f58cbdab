# SPDX-License-Identifier: Apache-2.0
"""Evidence: take it in, look at it, question it, correct it on the record."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegate.assess.audit import ReportCard, by_developer, by_threshold, report_cards
from tidegate.evidence.formats import digest_file, import_file
from tidegate.evidence.importing import Declared, Import, Progress
from tidegate.evidence.model import Evidence, EvidenceSet, Restatement
from tidegate.flow.world import World
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import EvidenceError, Problem, TidegateError, Where
from tidegate.store.project import write_imports, write_restatement


@dataclass(frozen=True)
class Taken:
    """What became of one file."""

    file: str
    format: str
    records: int
    conclusions: int
    kept_as: str | None
    """Where it is kept; none if the same file was imported before."""
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
            taken = import_file(path, format_name=format_name, declared=declared, progress=progress(path) if progress else None)
            read.append((path, taken))
        except TidegateError as error:
            problems += error.problems
    if problems:
        raise EvidenceError(*problems)
    _refuse_conflicts(read)
    sources = [(taken, path.name, digest_of(path, taken)) for path, taken in read]
    kept = write_imports(root, sources, world.today)
    return tuple(
        Taken(
            file=path.name,
            format=taken.format,
            records=len(taken.evidence.records),
            conclusions=len(taken.evidence.conclusions),
            kept_as=str(where.relative_to(root)) if where else None,
            notices=taken.notices,
        )
        for (path, taken), where in zip(read, kept, strict=True)
    )


def digest_of(path: Path, taken: Import) -> str:
    """Give the digest under which a file is kept; of a folder, the digest of what was read from it."""
    return digest_file(path) if path.is_file() else digest_bytes(taken.evidence.digest.encode())


def _refuse_conflicts(read: Iterable[tuple[Path, Import]]) -> None:
    """Refuse files that contradict each other, before any of them is kept."""
    seen: dict[str, tuple[Path, Evidence]] = {}
    for path, taken in read:
        for record in taken.evidence.records:
            first = seen.setdefault(record.id, (path, record))
            if first[1] != record:
                message = f"the evidence id {record.id!r} stands for another record in {first[0].name}"
                raise EvidenceError(Problem("EVI005", message, Where(path.name), "import one of the two, and restate the other"))


def preview(paths: Sequence[Path], *, format_name: str | None = None) -> tuple[Import, ...]:
    """Read files without keeping anything. Raises what their importers refuse."""
    return tuple(import_file(path, format_name=format_name) for path in paths)


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
    return write_restatement(world.root, restatement)


def audit(evidence: EvidenceSet) -> tuple[tuple[ReportCard, ...], tuple[ReportCard, ...]]:
    """Give report cards per developer and per threshold."""
    return report_cards(evidence.records, by=by_developer), report_cards(evidence.records, by=by_threshold)

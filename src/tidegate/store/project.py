# SPDX-License-Identifier: Apache-2.0
"""A project on disk: `tidegate.yaml`, `policy/`, `models/`, `evidence/`.

Files are the record and live in git. Writes are atomic: a file appears whole or not at all.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints, ValidationError, model_validator

from tidegate.evidence.importing import Import
from tidegate.evidence.model import Bound, Evidence, EvidenceSet, Restatement, merge, same_observation
from tidegate.evidence.models import Model
from tidegate.evidence.redaction import Redaction, RedactionFile
from tidegate.govern.people import Person
from tidegate.kernel.canonical import plain
from tidegate.kernel.documents import Document, did_you_mean, parse_document, read_bytes, read_document, validate_part
from tidegate.kernel.errors import EvidenceError, Problem, ProjectError, Where
from tidegate.kernel.record import Record
from tidegate.policy.load import LoadedPolicy, load_pack, load_policy, refuse_label_reuse, with_locks
from tidegate.policy.model import RuleLock
from tidegate.publish.practices import CommitmentMade

if sys.platform != "win32":
    import fcntl

PROJECT_FILE = "tidegate.yaml"
RECORDS = Path("evidence") / "records"
LOCKS = Path("policy") / "rules.lock.yaml"
RESTATEMENTS = Path("evidence") / "restatements.yaml"
REDACTIONS = Path("evidence") / "redactions.yaml"
MAX_RECORDS_BYTES = 50_000_000
"""One import of 20,000 records takes about half of this."""


class AdoptedPolicy(Record):
    """The policy that the project has adopted, pinned to its content."""

    pack: str | None = None
    """Name of a pack that ships with Tidegate."""
    file: str | None = None
    """Policy file, relative to the project."""
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")] | None = None
    """Digest of the content that was adopted; none while drafting."""


class LedgerSettings(Record):
    """Where the log of acts is, and by which keys its checkpoints are known."""

    url: str = "sqlite:///ledger/ledger.db"
    """Database: SQLite in a file inside the project, or ``postgresql+psycopg://...``."""
    origin: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]
    """Origin line of its checkpoints: an address without scheme that no other log uses."""
    log_key: str
    """Verifier key of the log's checkpoints, as ``tidegate ledger init`` writes it."""
    witnesses: tuple[str, ...] = ()
    """Verifier keys of witnesses outside the house."""


class ProjectRecord(Record):
    """What `tidegate.yaml` says."""

    schema_: Literal["tidegate/project/v1"] = Field(alias="schema")
    """Names this format."""
    organisation: str
    """Who runs the project."""
    policy: AdoptedPolicy
    """The adopted policy."""
    people: tuple[Person, ...] = ()
    """People who act, and the roles that they hold."""
    ledger: LedgerSettings | None = None
    """The log of acts; none until `tidegate ledger init`."""
    website: str | None = None
    """The organisation's website, for publication."""
    contact: str | None = None
    """How a natural person reaches the organisation, for publication."""
    commitments: tuple[CommitmentMade, ...] = ()
    """Frameworks that the organisation stands by, is bound by, or watches."""

    @model_validator(mode="after")
    def _people_are_people(self) -> "ProjectRecord":
        ids = [person.id.casefold() for person in self.people]
        if len(set(ids)) < len(ids):
            raise ValueError("two people have the same id")
        return self


class RecordFile(Record):
    """One import, as it is kept under `evidence/records`."""

    schema_: Literal["tidegate/import/v1"] = Field(alias="schema", default="tidegate/import/v1")
    """Names this format."""
    file: str
    """Name of the imported file."""
    digest: str
    """Its digest."""
    format: str
    """Importer that read it."""
    recorded: date
    """Day of the import."""
    evidence: EvidenceSet
    """What was taken in."""


class LockFile(Record):
    """The decision rules fixed so far."""

    schema_: Literal["tidegate/locks/v1"] = Field(alias="schema", default="tidegate/locks/v1")
    """Names this format."""
    locks: tuple[RuleLock, ...] = ()
    """Locks, oldest first."""


class RestatementFile(Record):
    """The restatements and retractions made in this project."""

    schema_: Literal["tidegate/restatements/v1"] = Field(alias="schema", default="tidegate/restatements/v1")
    """Names this format."""
    restatements: tuple[Restatement, ...] = ()
    """Oldest first."""


@dataclass(frozen=True)
class Project:
    """A project, read."""

    root: Path
    record: ProjectRecord
    policy: LoadedPolicy
    """The adopted policy, with the project's rule locks."""
    models: tuple[Model, ...]
    evidence: EvidenceSet
    imports: tuple[RecordFile, ...]
    paths: tuple[str, ...] = ()
    """For each import the file of the project that keeps it."""

    def model(self, name: str) -> Model | None:
        """Give the model of this id or alias."""
        return next((model for model in self.models if name.casefold() in model.names), None)


def find_project(start: Path) -> Path:
    """Give the nearest folder, from `start` upward, that holds a project.

    Raises:
        ProjectError: PRJ001, there is none.
    """
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
    hint = "make one with `tidegate new DIR`, or name one with --project"
    raise ProjectError(Problem("PRJ001", f"no {PROJECT_FILE} here or in a folder above", Where(str(start)), hint))


def read_settings(root: Path) -> ProjectRecord:
    """Read `tidegate.yaml` alone.

    Raises:
        DocumentError: it cannot be read as one.
    """
    return validate_part(read_document(root / PROJECT_FILE, name=PROJECT_FILE), ProjectRecord)


def open_project(root: Path) -> Project:
    """Read a project.

    Raises:
        TidegateError: anything in it is not in order; every problem with its place.
    """
    name = str(Path(PROJECT_FILE))
    if not (root / PROJECT_FILE).is_file():
        raise ProjectError(
            Problem("PRJ001", f"no {PROJECT_FILE} in this folder", Where(str(root)), "make one with `tidegate new DIR`")
        )
    document = read_document(root / PROJECT_FILE, name=name)
    record = validate_part(document, ProjectRecord)
    policy = with_locks(adopted_policy(root, record, document), read_locks(root))
    models = _read_models(root)
    imports = _read_imports(root)
    evidence = _evidence(root, tuple(imports.values()))
    return Project(root, record, policy, models, evidence, tuple(imports.values()), tuple(imports))


def adopted_policy(root: Path, record: ProjectRecord, document: Document) -> LoadedPolicy:
    """Give the policy that the project has adopted.

    Raises:
        ProjectError: PRJ003 if its content is not the one pinned, PRJ004 if it does not exist.
    """
    adopted = record.policy
    where = document.where(("policy",))
    if (adopted.pack is None) == (adopted.file is None):
        raise ProjectError(Problem("PRJ004", "name either a pack or a file", where, "policy: {pack: starter}"))
    loaded = (
        load_pack(adopted.pack)
        if adopted.pack
        else load_policy(inside(root, adopted.file or "", where), name=adopted.file)
    )
    if adopted.digest is not None and adopted.digest != loaded.policy.digest:
        message = f"{loaded.policy.label} has the digest {loaded.policy.digest}, and the project pins {adopted.digest}"
        hint = "give the changed policy a new version, compare the two with `tidegate policy diff`, then pin the new digest"
        raise ProjectError(Problem("PRJ003", message, document.where(("policy", "digest")), hint))
    return loaded


def inside(root: Path, name: str, where: Where) -> Path:
    """Give a file of the project by its name.

    Raises:
        ProjectError: PRJ004, it lies outside the project.
    """
    try:
        path = (root / name).resolve()
    except (ValueError, OSError, RuntimeError):
        raise ProjectError(Problem("PRJ004", f"{name!r} is not the name of a file", where, "correct it")) from None
    if not path.is_relative_to(root.resolve()):
        raise ProjectError(Problem("PRJ004", f"{name!r} lies outside the project", where, "use a path inside it"))
    return path


def read_locks(root: Path) -> tuple[RuleLock, ...]:
    """Give the rule locks of a project, oldest first."""
    path = root / LOCKS
    return validate_part(read_document(path, name=str(LOCKS)), LockFile).locks if path.is_file() else ()


def write_locks(root: Path, locks: tuple[RuleLock, ...]) -> None:
    """Write the rule locks of a project."""
    write_record(root / LOCKS, LockFile(locks=locks))


def read_policies(root: Path) -> tuple[LoadedPolicy, ...]:
    """Read every policy file of the project.

    Raises:
        PolicyError: POL004, one label stands for two contents.
    """
    folder = root / "policy"
    paths = sorted(path for path in folder.glob("*.yaml") if path.name != LOCKS.name) if folder.is_dir() else []
    for path in paths:
        inside(root, f"policy/{path.name}", Where(f"policy/{path.name}"))
    loaded = tuple(load_policy(path, name=f"policy/{path.name}") for path in paths)
    refuse_label_reuse(loaded)
    return loaded


def _read_models(root: Path) -> tuple[Model, ...]:
    models: list[Model] = []
    seen: dict[str, str] = {}
    for path in sorted((root / "models").glob("*.y*ml")):
        name = f"models/{path.name}"
        inside(root, name, Where(name))
        document = read_document(path, name=name)
        model = validate_part(document, Model)
        for alias in sorted(model.names):
            if alias in seen:
                hint = "ids and aliases must be unique"
                raise ProjectError(
                    Problem("PRJ004", f"{alias!r} also names the model in {seen[alias]}", document.where(), hint)
                )
            seen[alias] = name
        models.append(model)
    return tuple(models)


def _read_imports(root: Path) -> dict[str, RecordFile]:
    """Read every import that is kept, by the name of its file inside the project."""
    found: dict[str, RecordFile] = {}
    for path in sorted((root / RECORDS).glob("*.json")):
        name = f"{RECORDS.as_posix()}/{path.name}"
        inside(root, name, Where(name))
        content = read_bytes(path, max_bytes=MAX_RECORDS_BYTES)
        try:
            found[name] = RecordFile.model_validate_json(content)
        except ValidationError:
            # Read again with positions, for the message.
            found[name] = validate_part(parse_document(content, name, max_bytes=MAX_RECORDS_BYTES), RecordFile)
    return found


def read_restatements(root: Path) -> tuple[Restatement, ...]:
    """Give the restatements and retractions made in a project, oldest first."""
    path = root / RESTATEMENTS
    if not path.is_file():
        return ()
    return validate_part(read_document(path, name=str(RESTATEMENTS)), RestatementFile).restatements


def read_redactions(root: Path) -> tuple[Redaction, ...]:
    """Give the redactions of a project."""
    path = root / REDACTIONS
    if not path.is_file():
        return ()
    return validate_part(read_document(path, name=str(REDACTIONS)), RedactionFile).redactions


def write_redaction(root: Path, redaction: Redaction) -> Path:
    """Add a redaction; one of the same field takes the place of the earlier one."""
    with alone(root):
        kept = [one for one in read_redactions(root) if (one.record, one.field) != (redaction.record, redaction.field)]
        write_record(root / REDACTIONS, RedactionFile(redactions=(*kept, redaction)))
    return root / REDACTIONS


def _evidence(root: Path, imports: tuple[RecordFile, ...]) -> EvidenceSet:
    stated = EvidenceSet(restatements=read_restatements(root))
    try:
        evidence = merge([*(one.evidence for one in imports), stated])
    except ValueError as error:
        hint = "restate the older record with `tidegate evidence restate`, under a new id"
        raise EvidenceError(Problem("EVI005", str(error), Where(RECORDS.as_posix()), hint)) from None
    known = {record.id for record in evidence.records}
    unknown = [
        Problem(
            "EVI006",
            f"a restatement names {name!r}, which is not in the evidence",
            Where(RECORDS.as_posix()),
            did_you_mean(name, known),
        )
        for one in evidence.restatements
        for name in (one.supersedes, one.by)
        if name is not None and name not in known
    ]
    if unknown:
        raise EvidenceError(*unknown)
    return evidence


class Kept(NamedTuple):
    """What of an import was new."""

    path: Path | None
    """Where it is kept; none if nothing of it was new."""
    records: int
    """How many of its records are new."""


def write_imports(root: Path, taken: Sequence[tuple[Import, str, str]], recorded: date) -> tuple[Kept, ...]:
    """Keep what is new in imports, all or none. A record that is there already, word for word, is not kept twice.

    Args:
        root: the project.
        taken: each import with the name and the digest of its file.
        recorded: day of the import.

    Raises:
        EvidenceError: a record's id is in use for different content (EVI005), or a restatement names no known
            record (EVI006); nothing is written.
    """
    with alone(root):
        return _write_imports(root, taken, recorded)


def _write_imports(root: Path, taken: Sequence[tuple[Import, str, str]], recorded: date) -> tuple[Kept, ...]:
    before = tuple(_read_imports(root).values())
    known = _Known(before)
    planned: dict[Path, RecordFile] = {}
    kept: list[Kept] = []
    for one, name, file_digest in taken:
        dated = _record_file(one, name, file_digest, recorded)
        new = known.take_new(dated.evidence)
        path = _free(root / RECORDS, record_stem(name, file_digest), planned)
        kept.append(Kept(None if new is None else path, 0 if new is None else len(new.records)))
        if new is not None:
            planned[path] = dated.model_copy(update={"evidence": new})
    _evidence(root, (*before, *planned.values()))
    written: list[Path] = []
    try:
        for path, file in planned.items():
            write_record(path, file)
            written.append(path)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return tuple(kept)


def _free(folder: Path, stem: str, planned: Mapping[Path, RecordFile]) -> Path:
    """Give a path that holds nothing yet: a file of record is never written over."""
    path, number = folder / f"{stem}.json", 1
    while path.exists() or path in planned:
        number += 1
        path = folder / f"{stem}-{number}.json"
    return path


class _Known:
    """What is in the evidence already, while imports are being planned."""

    def __init__(self, before: Sequence[RecordFile]) -> None:
        self.records = {record.id: record for one in before for record in one.evidence.records}
        self.undated: set[Record] = {
            _undated(item)
            for one in before
            for item in (*one.evidence.conclusions, *one.evidence.restatements, *one.evidence.bounds)
        }

    def take_new(self, evidence: EvidenceSet) -> EvidenceSet | None:
        """Give the part of a set that is not known yet, none if there is nothing; it is known from now on."""
        records = tuple(
            record
            for record in evidence.records
            if not (record.id in self.records and same_observation(record, self.records[record.id]))
        )
        self.records |= {record.id: record for record in records if record.id not in self.records}
        parts = {
            name: tuple(item for item in getattr(evidence, name) if _undated(item) not in self.undated)
            for name in ("conclusions", "restatements", "bounds")
        }
        self.undated |= {_undated(item) for items in parts.values() for item in items}
        if not records and not any(parts.values()):
            return None
        return evidence.model_copy(update={"records": records, **parts})


def _undated(item: Record) -> Record:
    """Leave out the day of the import, which stands in what the file itself does not date."""
    return item.model_copy(update={"on": None}) if isinstance(item, Restatement | Bound) else item


def _record_file(taken: Import, name: str, file_digest: str, recorded: date) -> RecordFile:
    dated = tuple(
        record if record.recorded else record.model_copy(update={"recorded": recorded.isoformat()})
        for record in taken.evidence.records
    )
    # What helps a verdict counts from the day it was stated; where nothing says when, from the day it was taken in.
    day = recorded.isoformat()
    restatements = tuple(one if one.on else one.model_copy(update={"on": day}) for one in taken.evidence.restatements)
    bounds = tuple(one if one.on else one.model_copy(update={"on": day}) for one in taken.evidence.bounds)
    parts = {"records": dated, "restatements": restatements, "bounds": bounds}
    evidence = taken.evidence.model_copy(update=parts)
    return RecordFile(file=name, digest=file_digest, format=taken.format, recorded=recorded, evidence=evidence)


def record_stem(name: str, file_digest: str) -> str:
    """Give the file name under which an import is kept: readable, and unique by content."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(name).name)[:60].strip(".-") or "import"
    return f"{readable}-{file_digest.removeprefix('sha256:')[:12]}"


def write_restatement(root: Path, restatement: Restatement) -> Path:
    """Add a restatement to the project's own.

    Raises:
        EvidenceError: EVI006, it names a record that is not in the evidence; nothing is written.
    """
    with alone(root):
        return _write_restatement(root, restatement)


def _write_restatement(root: Path, restatement: Restatement) -> Path:
    path = root / RESTATEMENTS
    before = read_restatements(root)
    known = {record.id: record for one in _read_imports(root).values() for record in one.evidence.records}
    for name in (restatement.supersedes, restatement.by):
        if name is not None and name not in known:
            raise EvidenceError(Problem("EVI006", f"there is no record {name!r}", None, did_you_mean(name, known)))
    if restatement.by is not None and not _is_about_the_same(known[restatement.supersedes], known[restatement.by]):
        message = f"{restatement.by!r} is not about the same model and evaluation as {restatement.supersedes!r}"
        raise EvidenceError(Problem("EVI006", message, None, "name the record that states the same figure again"))
    write_record(path, RestatementFile(restatements=(*before, restatement)))
    return path


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Hold the project against other writers on this machine, so that none overwrites what another adds."""
    if sys.platform == "win32":
        yield
        return
    try:
        stream = (root / PROJECT_FILE).open("rb")
    except OSError as error:
        raise ProjectError(Problem("PRJ001", error.strerror or str(error), Where(str(root)))) from None
    with stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _is_about_the_same(one: Evidence, other: Evidence) -> bool:
    first, second = one.measurement, other.measurement
    evaluations = {item.evaluation.casefold() if item else "" for item in (first, second)}
    return one.subject.model.casefold() == other.subject.model.casefold() and len(evaluations) == 1


def create_project(root: Path, files: dict[str, str]) -> None:
    """Write a new project; nothing is written if the folder is in use.

    Raises:
        ProjectError: PRJ002, the folder is not empty.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise ProjectError(Problem("PRJ002", "the folder is not empty", Where(str(root)), "name a new folder"))
    for name, text in files.items():
        write_text(root / name, text)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically. Raises PRJ004 if it cannot be written."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file atomically.

    Raises:
        ProjectError: PRJ004, it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ProjectError(Problem("PRJ004", f"cannot be written: {error.strerror}", Where(str(path)))) from None


def write_record(path: Path, record: Record) -> None:
    """Write a record to a file, atomically. Raises PRJ004 if it cannot be written."""
    # JSON is YAML; one writer, one reader, and reviewable line by line.
    data = {"schema": getattr(record, "schema_", None), **plain(record)}
    data.pop("schema_", None)
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")

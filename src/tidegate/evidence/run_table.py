# SPDX-License-Identifier: Apache-2.0
"""Tables of runs: one row per attempt of a model at a task, with its score and the human's minutes.

The first part reads rows and documents from files that nobody vouches for; the importers of other
tools' results use it too.
"""

import csv
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tidegate.evidence.importing import Import, ImportSource
from tidegate.evidence.model import (
    Elicitation,
    Evaluator,
    Evidence,
    EvidenceSet,
    Measurement,
    Provenance,
    Remark,
    Subject,
    ThreatAnswer,
)
from tidegate.evidence.recompute import SampleRow, Summary, Tally
from tidegate.kernel.canonical import digest
from tidegate.kernel.documents import Document, read_document
from tidegate.kernel.errors import EvidenceError, Problem, Where

NAME = "run-table"

MAX_LINE_BYTES = 64_000_000
"""A longer line is no sample: the longest transcripts seen take a few megabytes."""
MAX_STREAM_BYTES = 16_000_000_000
"""Files that are read line by line; ten times the largest report seen, so that a wrong file does not run for hours."""
MAX_DOCUMENT_BYTES = 256_000_000
"""JSON documents are held in memory whole, at up to ten times their size."""
MAX_JSON_DEPTH = 200
"""Deeper nesting than this occurs in no result, and exhausts the stack of what walks it."""
MAX_COUNT = 2**53 - 1
"""Whole numbers beyond this are not the same in every JSON reader (RFC 8259, section 6)."""
MAX_BAD_ROWS = 50
"""More bad rows than this are counted, not listed: nobody reads them."""
MAX_RUNS = 5_000_000
"""Rows of a run table; they are held in memory. The largest public table has some 25,000."""
MAX_NAME_CHARS = 500
"""Names stand in columns in which every cell takes the room of the longest."""
MAX_PARQUET_BYTES = 2_000_000_000
"""Uncompressed size of a Parquet file, so that a small file cannot fill the memory."""
PARQUET_BATCH_ROWS = 4_096
"""Rows that are expanded at a time."""


# --- Rows and documents from files that nobody vouches for -------------------------------------------------


class BadRows:
    """Collects what is wrong with the rows of a file, lists the first ones and counts the rest."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.count = 0

    def add(self, line: int | None, message: str, *, column: int | None = None, hint: str | None = None) -> None:
        """Note one bad row."""
        self.count += 1
        if len(self.problems) < MAX_BAD_ROWS:
            self.problems.append(Problem("EVI002", message, Where(self.file, line, column), hint))

    def take(self, other: "BadRows") -> None:
        """Note the bad rows of another file too."""
        self.problems += other.problems[: max(0, MAX_BAD_ROWS - len(self.problems))]
        self.count += other.count

    def refuse(self) -> None:
        """Raise what was noted, if anything was.

        Raises:
            EvidenceError: EVI002, up to `MAX_BAD_ROWS` bad rows, and how many more there are.
        """
        if not self.count:
            return
        rest = self.count - len(self.problems)
        more = [Problem("EVI002", f"and {rest:,} more bad rows", Where(self.file))] if rest else []
        raise EvidenceError(*self.problems, *more)


def malformed(
    file: str, message: str, line: int | None = None, *, column: int | None = None, hint: str | None = None
) -> EvidenceError:
    """Make the error for a malformed file."""
    return EvidenceError(Problem("EVI002", message, Where(file, line, column), hint))


def check_size(path: Path, name: str, limit: int) -> None:
    """Refuse a file larger than `limit`.

    Raises:
        EvidenceError: EVI003.
    """
    size = path.stat().st_size
    if size > limit:
        raise EvidenceError(
            Problem(
                "EVI003", f"{size:,} bytes; the limit is {limit:,}", Where(name), "split the file, or import a part"
            )
        )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice!r} occurs twice in one object")
    return found


def parse_json(raw: bytes) -> Any:
    """Give the data in JSON text; half a surrogate pair, which cut-off text may leave, becomes a question mark.

    Raises:
        ValueError: it is not JSON, not UTF-8, has a key twice in an object, or is nested too deeply.
        RecursionError: it is nested far too deeply.
    """
    data = json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_object)
    if raw.count(b"[") + raw.count(b"{") > MAX_JSON_DEPTH and _depth_exceeds(data, MAX_JSON_DEPTH):
        raise ValueError(f"nested deeper than {MAX_JSON_DEPTH} levels")
    if b"\\ud" in raw or b"\\uD" in raw:
        data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))
    return data


def _depth_exceeds(data: Any, limit: int) -> bool:
    level = [data]
    for _ in range(limit + 1):
        parts = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [child for part in parts for child in part]
    return bool(level)


def content_key(value: Any) -> str:
    """Give a key that is the same for the same JSON data, however it is written."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _place(error: ValueError | RecursionError, first_line: int) -> tuple[str, int | None, int | None]:
    """Give what is wrong with JSON text, with line and column."""
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg}", first_line + error.lineno - 1, error.colno
    if isinstance(error, UnicodeDecodeError):
        before = error.object[: error.start]
        return "not UTF-8 text", first_line + before.count(b"\n"), error.start - before.rfind(b"\n")
    if isinstance(error, RecursionError):
        return "nested too deeply", first_line, None
    return f"not acceptable JSON: {error}", first_line, None


def json_lines(
    path: Path, bad: BadRows, progress: Callable[[int, int | None], None] | None = None
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give every line of a JSON-lines file as its number and its object; note the lines that are none.

    Args:
        path: the file.
        bad: takes what is wrong; the caller lets it refuse when it has seen all rows.
        progress: told the lines done.

    Raises:
        EvidenceError: EVI003, the file or a line is larger than the limit.
    """
    check_size(path, bad.file, MAX_STREAM_BYTES)
    with path.open("rb") as stream:
        number = 0
        while raw := stream.readline(MAX_LINE_BYTES + 1):
            number += 1
            if len(raw) > MAX_LINE_BYTES:
                raise EvidenceError(
                    Problem("EVI003", f"the line is longer than {MAX_LINE_BYTES:,} bytes", Where(bad.file, number))
                )
            if progress is not None and number % 1000 == 0:
                progress(number, None)
            if not raw.strip():
                continue
            try:
                row = parse_json(raw.rstrip(b"\r\n"))
            except (ValueError, RecursionError) as error:
                message, line, column = _place(error, number)
                bad.add(
                    line, message, column=column, hint=None if raw.endswith(b"\n") else "the file may be cut off here"
                )
                continue
            if isinstance(row, dict):
                yield number, row
            else:
                bad.add(number, "expected a JSON object")


def json_document(path: Path, name: str) -> Any:
    """Give a JSON document, read whole.

    Raises:
        EvidenceError: EVI002 with line and column, or EVI003.
    """
    check_size(path, name, MAX_DOCUMENT_BYTES)
    try:
        return parse_json(path.read_bytes())
    except (ValueError, RecursionError) as error:
        message, line, column = _place(error, 1)
        raise malformed(name, message, line, column=column) from None


def number_in(value: object) -> float | None:
    """Give a finite number (true and false count as 1 and 0), or none for anything else."""
    if isinstance(value, bool | int | float):
        try:
            found = float(value)
        except OverflowError:
            return None
        return found if math.isfinite(found) else None
    return None


def count_in(value: object) -> int | None:
    """Give a whole number of at least 0, or none for anything else."""
    return value if type(value) is int and 0 <= value <= MAX_COUNT else None


def text_in(value: object) -> str | None:
    """Give text that is not empty, or none."""
    return value if isinstance(value, str) and value.strip() else None


def mapping_in(value: object) -> dict[str, Any]:
    """Give a mapping; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def list_in(value: object) -> list[Any]:
    """Give a list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def day_in(value: object) -> str | None:
    """Give the day (UTC) of an ISO 8601 time, or of seconds or milliseconds since 1970; none for anything else."""
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
            return (moment.astimezone(UTC) if moment.tzinfo else moment).date().isoformat()
        seconds = number_in(value)
        if seconds is None or seconds <= 0:
            return None
        # Seconds stay below 1e11 until the year 5138; milliseconds passed it in 1973.
        return datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, tz=UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return None


# --- What all importers put into a record in the same way --------------------------------------------------


def record_id(tool: str, model: str, evaluation: str, metric: str, *distinguishing: str | None) -> str:
    """Give an id that is the same whenever the same file is imported, and unique by what distinguishes the record."""

    def slug(text: str, longest: int) -> str:
        return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)[:longest].strip("-")

    key = digest([tool, model, evaluation, metric, list(distinguishing)]).removeprefix("sha256:")[:12]
    return "/".join(part for part in (tool, slug(model, 50), slug(evaluation, 70), slug(metric, 30), key) if part)


def subject_of(source: ImportSource, model: str, snapshot: str | None = None) -> Subject:
    """Give the subject: what the file names, unless the importing person declares otherwise."""
    declared = source.declared
    return Subject.model_validate(
        {
            "model": declared.model or model,
            "snapshot": declared.snapshot or snapshot,
            "variant": declared.variant or "unstated",
        }
    )


def check_one_model(source: ImportSource, models: Iterable[str]) -> None:
    """Refuse to give several models the one name that the importing person declares.

    Raises:
        EvidenceError: EVI002.
    """
    names = sorted(set(models))
    if source.declared.model is None or len(names) < 2:
        return
    message = f"{source.declared.model!r} was declared as the model, but the file has {len(names)}: {', '.join(names)}"
    hint = "declare no model; list the file's names as aliases of your models"
    raise EvidenceError(Problem("EVI002", message[:500], Where(source.name), hint))


def evaluator_of(source: ImportSource) -> Evaluator:
    """Give who measured, as declared."""
    relation = {None: "unstated", True: "independent", False: "developer"}[source.declared.independent]
    return Evaluator.model_validate({"name": source.declared.evaluator, "relation": relation})


def elicitation_of(source: ImportSource, extracted: Elicitation) -> Elicitation:
    """Give the elicitation found in the file, completed by what the importing person declares."""
    declared = source.declared.elicitation
    if declared is None:
        return extracted
    known = extracted.model_dump(exclude_defaults=True) | declared.model_dump(exclude_defaults=True)
    known["elements"] = tuple(dict.fromkeys((*extracted.elements, *declared.elements)))
    known["absent"] = tuple(item for item in (*extracted.absent, *declared.absent) if item not in known["elements"])
    statements = dict.fromkeys(text for text in (extracted.statement, declared.statement) if text)
    known["statement"] = "; ".join(statements) or None
    return Elicitation.model_validate(known | {"basis": "declared"})


class Recount:
    """Samples of one figure, taken in one by one: what they say, and the worst case.

    Units may have different numbers of attempts, so the worst case is a recount in which each lost
    attempt is a success, and attempts that are missing altogether make up further units.
    """

    def __init__(self) -> None:
        self._tally = Tally()
        self._worst = Tally()

    def add(self, row: SampleRow) -> None:
        """Take in a row.

        Raises:
            DuplicateSampleError: the sample's epoch is there already.
        """
        self._tally.add(row)
        lost = row.status != "scored"
        self._worst.add(SampleRow(row.id, row.epoch, row.scorer, 1.0, cluster=row.cluster) if lost else row)

    def summary(self, planned: int | None = None) -> Summary:
        """Give what the rows say; `planned` is the number of attempts that the run set out to make, if known."""
        found = self._tally.summary(planned=planned)
        worst = self._worst.summary()
        if worst.value is None or not worst.in_unit_interval:
            return replace(found, worst_case=None)
        further = math.ceil(found.counts.missing / max(worst.attempts or 1.0, 1.0))
        return replace(found, worst_case=(worst.value * worst.n + further) / (worst.n + further))


def measured(
    evaluation: str, metric: str, summary: Summary, *, unit: str = "fraction", n_kind: str, **more: Any
) -> Measurement:
    """Give the measurement that a summary stands for; `more` are further fields of `Measurement`."""
    several = summary.attempts is not None and summary.attempts > 1
    successes = summary.successes
    if successes is None and summary.binary and summary.value is not None:
        successes = float(round(summary.value * summary.n))
    return Measurement(
        evaluation=evaluation,
        metric=metric,
        value=summary.value,
        unit=unit,
        n=summary.n,
        n_kind=n_kind,
        attempts=summary.attempts,
        successes=successes,
        standard_error=summary.standard_error,
        clusters=summary.clusters,
        clustered=several or (summary.clusters is not None and summary.clusters < summary.n),
        binary=summary.binary,
        worst_case=summary.worst_case,
        **more,
    )


def differs(one: float | None, other: float | None) -> bool:
    """Tell whether two figures are both there and not the same number, rounding of the last digits aside."""
    return one is not None and other is not None and not math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)


def stand_in(name: str) -> tuple[tuple[ThreatAnswer, ...], tuple[Remark, ...]]:
    """Give what a record must carry when no model answered but a stand-in for tests."""
    reason = f"{name} is a stand-in for tests; no model answered"
    threat = ThreatAnswer(threat="placeholder", status="present", reason=reason)
    return (threat,), (Remark(code="EVI010", message=reason, blocks_rule_out=True),)


# --- Tables of runs ----------------------------------------------------------------------------------------

_COLUMNS: dict[str, tuple[str, ...]] = {
    "task": ("task_id", "task"),
    # Two aliases can share a model id, so the alias comes first.
    "model": ("alias", "model"),
    "score": ("score_binarized", "score_cont", "score"),
    "family": ("task_family", "family"),
    "run": ("run_id",),
    "minutes": ("human_minutes",),
    "weight": ("invsqrt_task_weight", "task_weight"),
    "started": ("started_at",),
    "finished": ("completed_at",),
}
"""What a row says -> the columns that may say it; the first one present is taken."""
_REQUIRED = ("task", "model", "score")
HUMAN = "human"
"""Alias of the people who were timed; their runs stay in the table and make no record."""


@dataclass(frozen=True, eq=False)
class RunTable:
    """Runs, column by column; row i of every array is one run."""

    task: npt.NDArray[np.str_]
    """Task id."""
    family: npt.NDArray[np.str_]
    """Family of related tasks; the task itself where there is none."""
    model: npt.NDArray[np.str_]
    """Model, by its alias if the table has one."""
    run: npt.NDArray[np.str_]
    """Run id; made up from the row where the table has none."""
    human_minutes: npt.NDArray[np.float64]
    """Minutes that a person needs; not-a-number where not given."""
    score: npt.NDArray[np.float64]
    """Score from 0 to 1, binarised if the table has it so; not-a-number where the run has none."""
    weight: npt.NDArray[np.float64]
    """The source's own weight of the run; not-a-number where not given."""
    started: npt.NDArray[np.str_]
    """Day of its start; empty where not given."""
    finished: npt.NDArray[np.str_]
    """Day of its end; empty where not given."""

    def __len__(self) -> int:
        return len(self.task)

    def where(self, mask: npt.NDArray[np.bool_]) -> "RunTable":
        """Give the rows that the mask selects."""
        return RunTable(**{name: getattr(self, name)[mask] for name in self.__dataclass_fields__})

    @property
    def scored(self) -> "RunTable":
        """The runs that have a score."""
        return self.where(~np.isnan(self.score))

    @property
    def with_minutes(self) -> "RunTable":
        """The runs on tasks whose human time is known."""
        return self.where(~np.isnan(self.human_minutes))


class _Run(NamedTuple):
    task: str
    model: str
    score: float
    family: str
    run: str
    minutes: float
    weight: float
    started: str
    finished: str


def read_run_table(path: Path, *, name: str | None = None) -> RunTable:
    """Read a table of runs: JSON lines, CSV, Parquet, METR's task results (YAML) or WeirdML's results (JSON).

    Args:
        path: the file; its suffix says what it is.
        name: the name to show in errors.

    Raises:
        EvidenceError: EVI002 with every bad row, or EVI003.
        DocumentError: a YAML file cannot be parsed.
    """
    file = name or path.name
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise EvidenceError(
            Problem("EVI001", "not a table of runs", Where(file), f"known suffixes: {', '.join(_READERS)}")
        )
    bad = BadRows(file)
    runs = list(islice(reader(path, bad), MAX_RUNS + 1))
    if len(runs) > MAX_RUNS:
        raise EvidenceError(Problem("EVI003", f"more than {MAX_RUNS:,} runs", Where(file), "split the table"))
    bad.refuse()
    fault = next(
        (fault for run in runs for name in (run.task, run.model, run.run) if (fault := _name_fault(name))), None
    )
    if fault:
        raise malformed(file, f"a name {fault}")
    if not runs:
        raise malformed(file, "the table has no rows", hint="expected one row per run")
    return _table(runs)


def tables_by_model(table: RunTable) -> dict[str, RunTable]:
    """Give each model's runs, models in the order of their first run."""
    names, first, which = np.unique(table.model, return_index=True, return_inverse=True)
    return {str(names[i]): table.where(which == i) for i in np.argsort(first)}


def _table(runs: list[_Run]) -> RunTable:
    columns = dict(zip(_Run._fields, zip(*runs, strict=True), strict=True))

    def text(column: str) -> npt.NDArray[np.str_]:
        return np.array(columns[column], dtype=np.str_)

    def numbers(column: str) -> npt.NDArray[np.float64]:
        return np.array(columns[column], dtype=np.float64)

    return RunTable(
        task=text("task"),
        family=text("family"),
        model=text("model"),
        run=text("run"),
        human_minutes=numbers("minutes"),
        score=numbers("score"),
        weight=numbers("weight"),
        started=text("started"),
        finished=text("finished"),
    )


Row = tuple[int, dict[str, Any]]
"""Line (or row) number and the row's cells by column."""


def _runs(rows: Iterable[Row], bad: BadRows) -> Iterator[_Run]:
    """Give the runs in rows; note what is wrong with the others."""
    columns: dict[str, str] | None = None
    seen: dict[tuple[str, str, str], int] = {}
    for line, row in rows:
        columns = columns or _chosen_columns(row, line, bad.file)
        run, faults = _run(row, columns, line)
        if "run" in columns and not faults:
            first = seen.setdefault((run.model, run.task, run.run), line)
            if first != line:
                faults.append(f"the run {run.run!r} of {run.model!r} at {run.task!r} is there already (line {first})")
        for fault in faults[:1]:
            bad.add(line, fault)
        if not faults:
            yield run


def _chosen_columns(row: dict[str, Any], line: int, file: str) -> dict[str, str]:
    found = {
        what: next(name for name in names if name in row)
        for what, names in _COLUMNS.items()
        if any(name in row for name in names)
    }
    missing = [_COLUMNS[what] for what in _REQUIRED if what not in found]
    if missing:
        wanted = "; ".join(" or ".join(names) for names in missing)
        raise malformed(file, f"a column is missing: {wanted}", line, hint=f"columns: {', '.join(map(str, row))}"[:300])
    return found


def _run(row: dict[str, Any], columns: dict[str, str], line: int) -> tuple[_Run, list[str]]:
    faults = [f"{name} is missing" for name in columns.values() if name not in row]

    def number(what: str, low: float, high: float, expected: str) -> float:
        cell = row.get(columns.get(what, ""))
        value = _cell_number(cell)
        if value is None or not (math.isnan(value) or low <= value <= high):
            faults.append(f"{columns[what]}: expected {expected}, not {str(cell)[:40]!r}")
            return math.nan
        return value

    def name(what: str) -> str:
        cell = row.get(columns.get(what, ""))
        text = str(cell).strip() if isinstance(cell, str | int) and not isinstance(cell, bool) else ""
        if not text and what in columns and what != "family":
            faults.append(f"{columns[what]} is empty")
        if fault := _name_fault(text):
            faults.append(f"{columns[what]} {fault}")
        return text

    task = name("task")
    run = _Run(
        task=task,
        model=name("model"),
        score=number("score", 0.0, 1.0, "a number from 0 to 1"),
        family=name("family") or _family_of(task),
        run=name("run") if "run" in columns else f"row {line}",
        minutes=number("minutes", math.ulp(0.0), math.inf, "minutes above 0"),
        weight=number("weight", 0.0, math.inf, "a weight of at least 0"),
        started=day_in(_cell_time(row.get(columns.get("started", "")))) or "",
        finished=day_in(_cell_time(row.get(columns.get("finished", "")))) or "",
    )
    return run, faults


def _name_fault(name: str) -> str | None:
    """Give what makes a name unfit for a column of a table, if anything does."""
    if len(name) > MAX_NAME_CHARS:
        return f"is longer than {MAX_NAME_CHARS:,} characters"
    return "holds a null character" if "\0" in name else None


def _family_of(task: str) -> str:
    return task.split("/", 1)[0]


def _cell_number(cell: object) -> float | None:
    """Give a cell's number, not-a-number for an empty cell, or none for anything else."""
    if isinstance(cell, str):
        text = cell.strip().lower()
        if text in ("", "nan", "null", "none", "na"):
            return math.nan
        if text in ("true", "false"):
            return float(text == "true")
        try:
            value = float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) else None
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return math.nan
    return number_in(cell)


def _cell_time(cell: object) -> object:
    number = _cell_number(cell) if isinstance(cell, str) else None
    if isinstance(cell, datetime):
        return cell.isoformat()
    return cell if number is None or math.isnan(number) else number


def _json_line_runs(path: Path, bad: BadRows) -> Iterator[_Run]:
    return _runs(json_lines(path, bad), bad)


def _csv_runs(path: Path, bad: BadRows) -> Iterator[_Run]:
    return _runs(_csv_rows(path, bad), bad)


def _csv_rows(path: Path, bad: BadRows) -> Iterator[Row]:
    check_size(path, bad.file, MAX_STREAM_BYTES)
    line = 0
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, strict=True)
        try:
            header = next(reader, [])
            if len(set(header)) != len(header):
                raise malformed(bad.file, "two columns have the same name", 1)
            for cells in reader:
                line = reader.line_num
                if cells and len(cells) != len(header):
                    bad.add(line, f"{len(cells)} cells; the header has {len(header)}")
                elif cells:
                    yield line, dict(zip(header, cells, strict=True))
        except csv.Error as error:
            raise malformed(bad.file, f"not CSV: {error}", reader.line_num) from None
        except UnicodeDecodeError:
            raise malformed(bad.file, "not UTF-8 text", reader.line_num + 1, hint="save the file as UTF-8") from None


def _parquet_runs(path: Path, bad: BadRows) -> Iterator[_Run]:
    return _runs(_parquet_rows(path, bad), bad)


def _parquet_rows(path: Path, bad: BadRows) -> Iterator[Row]:
    import pyarrow as pa
    from pyarrow import parquet

    known = [name for names in _COLUMNS.values() for name in names]
    try:
        with parquet.ParquetFile(path) as file:
            shape = file.metadata
            size = sum(shape.row_group(i).total_byte_size for i in range(shape.num_row_groups))
            if shape.num_rows > MAX_RUNS or size > MAX_PARQUET_BYTES:
                message = (
                    f"{shape.num_rows:,} rows, {size:,} bytes; the limits are {MAX_RUNS:,} and {MAX_PARQUET_BYTES:,}"
                )
                raise EvidenceError(Problem("EVI003", message, Where(bad.file), "split the table"))
            columns = [name for name in file.schema_arrow.names if name in known]
            number = 0
            for batch in file.iter_batches(batch_size=PARQUET_BATCH_ROWS, columns=columns):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (pa.ArrowException, OSError, ValueError) as error:
        raise malformed(bad.file, f"not Parquet: {str(error).splitlines()[0][:200]}") from None


def _document_runs(path: Path, bad: BadRows) -> Iterator[_Run]:
    """Give the runs in METR's task results: successes and attempts per agent and task."""
    document = read_document(path, name=bad.file)
    agents = mapping_in(mapping_in(document.data).get("agents"))
    if not agents:
        raise malformed(bad.file, "expected a mapping 'agents'", 1, hint="one entry per model, each with 'tasks'")
    for model, agent in agents.items():
        seen: set[Any] = set()
        for number, row in enumerate(list_in(mapping_in(agent).get("tasks"))):
            path_to_row = ("agents", model, "tasks", number)
            task = text_in(mapping_in(row).get("task_id"))
            if task in seen:
                where = document.where(path_to_row)
                bad.add(where.line, f"the task {task!r} is there already", column=where.column)
                continue
            seen.add(task)
            yield from _counted_runs(document, path_to_row, mapping_in(row), bad)


def _counted_runs(document: Document, path: tuple[str | int, ...], row: dict[str, Any], bad: BadRows) -> Iterator[_Run]:
    where = document.where(path)
    task, attempts, successes = text_in(row.get("task_id")), row.get("n_runs"), row.get("n_successes")
    minutes, weight = (_cell_number(row.get(name)) for name in ("human_minutes", "task_weight"))
    if not task:
        bad.add(where.line, "task_id is missing", column=where.column)
    elif type(attempts) is not int or type(successes) is not int or not 0 <= successes <= attempts <= MAX_RUNS:
        expected = "expected whole numbers with 0 <= n_successes <= n_runs"
        bad.add(where.line, f"{task}: {expected}, not {successes!r} of {attempts!r}", column=where.column)
    elif minutes is None or minutes <= 0 or weight is None or weight < 0:
        bad.add(where.line, f"{task}: expected human_minutes above 0 and a weight of at least 0", column=where.column)
    else:
        for attempt in range(attempts):
            yield _Run(
                task=task,
                model=str(path[1]),
                score=float(attempt < successes),
                family=_family_of(task),
                run=f"{task} {attempt + 1}",
                minutes=minutes,
                weight=weight / attempts,
                started="",
                finished="",
            )


def _nested_runs(path: Path, bad: BadRows) -> Iterator[_Run]:
    """Give the runs in WeirdML's results: scores per model and task, without human time."""
    models = mapping_in(mapping_in(json_document(path, bad.file)).get("models"))
    if not models:
        raise malformed(bad.file, "expected an object 'models'", 1, hint="one entry per model, each with 'tasks'")
    for model, entry in models.items():
        for task, result in mapping_in(mapping_in(entry).get("tasks")).items():
            for number, run in enumerate(list_in(mapping_in(result).get("runs")), start=1):
                score = number_in(mapping_in(run).get("score"))
                if score is None or not 0 <= score <= 1:
                    bad.add(None, f"models / {model} / {task} / run {number}: expected a score from 0 to 1")
                    continue
                run_id = str(run.get("run_id", f"{task} {number}"))
                yield _Run(task, model, score, _family_of(task), run_id, math.nan, math.nan, "", "")


_READERS: dict[str, Callable[[Path, BadRows], Iterator[_Run]]] = {
    ".jsonl": _json_line_runs,
    ".csv": _csv_runs,
    ".parquet": _parquet_runs,
    ".yaml": _document_runs,
    ".yml": _document_runs,
    ".json": _nested_runs,
}


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the first row, or the first keys, are those of a table of runs."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    first = start.split(b"\n", 1)[0]
    match path.suffix.lower():
        case ".jsonl":
            return any(f'"{name}"'.encode() in first for name in _COLUMNS["task"]) and b'"score' in first
        case ".csv":
            cells = {cell.strip().strip(b'"') for cell in first.split(b",")}
            return all(any(name.encode() in cells for name in _COLUMNS[what]) for what in _REQUIRED)
        case ".parquet":
            return head.startswith(b"PAR1")
        case ".yaml" | ".yml":
            return b"agents:" in head and b"n_successes:" in head and b"n_runs:" in head
        case ".json":
            return all(key in head for key in (b'"models"', b'"tasks"', b'"runs"', b'"run_id"', b'"score"'))
        case _:
            return False


def read(source: ImportSource) -> Import:
    """Give one record per model: its mean success rate over tasks, clustered by task family.

    Attempts at a task are averaged first; tasks weigh alike. The table itself, for time horizons,
    is what `read_run_table` gives.

    Raises:
        EvidenceError: EVI002 with every bad row, or if one model was declared for several; EVI003.
        DocumentError: a YAML file cannot be parsed.
    """
    table = read_run_table(source.path, name=source.name)
    tables = tables_by_model(table)
    people = tables.pop(HUMAN, None)
    check_one_model(source, tables)
    records = tuple(_record(source, model, runs) for model, runs in tables.items())
    notices = (
        [] if people is None else [_note(source, f"{len(people)} runs of people stay in the table, without a record")]
    )
    return Import(NAME, EvidenceSet(records=records), tuple(notices))


def _note(source: ImportSource, message: str) -> Problem:
    return Problem("EVI010", message, Where(source.name), severity="note")


def _record(source: ImportSource, model: str, runs: RunTable) -> Evidence:
    recount = Recount()
    attempts: dict[str, int] = {}
    for task, family, score in zip(runs.task.tolist(), runs.family.tolist(), runs.score.tolist(), strict=True):
        attempts[task] = attempts.get(task, 0) + 1
        recount.add(SampleRow(task, attempts[task], "score", None if math.isnan(score) else score, cluster=family))
    summary = recount.summary()
    metric, suite = "success rate", source.path.stem
    minutes = runs.human_minutes[~np.isnan(runs.human_minutes)]
    known = (
        {"human_minutes_min": float(minutes.min()), "human_minutes_max": float(minutes.max())} if len(minutes) else {}
    )
    measurement = measured(
        suite,
        metric,
        summary,
        n_kind="tasks",
        aggregation="mean over tasks of the mean over attempts",
        parameters={"runs": len(runs), **known},
    )
    lost = summary.counts.without_score
    message = f"{lost} of {len(runs)} runs have no score"
    days = {name: sorted(day for day in getattr(runs, name).tolist() if day) for name in ("started", "finished")}
    return Evidence(
        id=record_id(NAME, model, suite, metric, source.digest),
        subject=subject_of(source, model),
        thresholds=source.declared.thresholds,
        measurement=measurement,
        elicitation=elicitation_of(source, Elicitation()),
        evaluator=evaluator_of(source),
        started=days["started"][0] if days["started"] else None,
        finished=days["finished"][-1] if days["finished"] else None,
        quality="recomputable",
        counts=summary.counts,
        provenance=Provenance(
            format=NAME, file=source.name, digest=source.digest or None, sample_root=summary.sample_root
        ),
        remarks=(Remark(code="EVI008", message=message),) if lost else (),
    )

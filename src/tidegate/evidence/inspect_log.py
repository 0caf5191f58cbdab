# SPDX-License-Identifier: Apache-2.0
"""Imports Inspect logs, ``.eval`` and ``.json``: every figure recomputed from the samples.

The header of a log can be edited without a trace, and samples that errored leave its denominator
in silence. So the header only says what was intended; the figures, the counts and the worst case
come from the samples, and a header that disagrees with them is a remark that blocks a rule-out.

Samples are read one at a time, and of each only its id, its scores and what became of it are kept.
inspect-ai itself is not needed.
"""

import json
import mmap
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from math import isclose
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from tidegate.evidence import inspect_header
from tidegate.evidence.importing import Declared, Import, ImportSource
from tidegate.evidence.inspect_header import Header
from tidegate.evidence.inspect_zip import LIMITS, Archive, Limits, open_archive
from tidegate.evidence.model import Evaluator, Evidence, EvidenceSet, Measurement, Provenance, Remark, Subject
from tidegate.evidence.recompute import (
    DuplicateSampleError,
    SampleRow,
    Summary,
    Tally,
    known_reducer,
    value_to_float,
)
from tidegate.kernel.canonical import digest
from tidegate.kernel.errors import EvidenceError, Problem, Severity, Where

NAME = "inspect"

MAX_SCORES = 1000
"""Scorers, and keys of their mappings, in one log; more are no scores but data."""
MAX_LABEL_CHARS = 100
"""Longer text is no category that a score could have."""
MAX_NOTICES = 50
"""A log with more kinds of problems than this is not read more closely."""

_JSON_HEAD = re.compile(rb'"eval"\s*:\s*\{')
_JSON_TASK = re.compile(rb'"(run_id|task|eval_id|task_id)"\s*:\s*"')
_POSITION = re.compile(r"at line (\d+) column (\d+)")
# Text that never ends is one token up to the end: otherwise each quote in it would begin a search of its own.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_BETWEEN = re.compile(rb"\s*,\s*")
_AROUND = re.compile(rb"\s*")
_UNSAFE = re.compile(r"[^A-Za-z0-9._+@/-]+")
_MEANS = ("accuracy", "mean")

Parsed = TypeVar("Parsed")


class _Score(TypedDict):
    value: Any
    history: NotRequired[list[Any] | None]


class _Sample(TypedDict):
    id: Annotated[int, Field(ge=-(2**63), le=2**63)] | str
    epoch: Annotated[int, Field(ge=0, le=1_000_000_000)]
    scores: NotRequired[dict[str, _Score] | None]
    score: NotRequired[_Score | None]
    metadata: NotRequired[dict[str, Any] | None]
    error: NotRequired[Any]
    invalidation: NotRequired[Any]
    model_fallbacks: NotRequired[list[Any] | None]
    limit: NotRequired[Any]


class _ReducedSample(TypedDict):
    sample_id: NotRequired[Annotated[int, Field(ge=-(2**63), le=2**63)] | str | None]
    value: Any


class _Reduction(TypedDict):
    scorer: str
    reducer: NotRequired[str | None]
    samples: list[_ReducedSample]


_SAMPLE = TypeAdapter(_Sample)
_SUMMARIES = TypeAdapter(list[_Sample])
_REDUCTIONS = TypeAdapter(list[_Reduction])
_HEADER = TypeAdapter(Header)

Value = tuple[float | None, str | None, float | None]
"""A score: as a number, as written if it was text, and as Inspect counts it."""


@dataclass(frozen=True, slots=True)
class _Fate:
    id: str
    epoch: int
    error: str | None
    invalidated: bool
    fallback: bool
    cluster: str | None


@dataclass(slots=True)
class _Samples:
    """What is kept of the samples: one short entry each, and a column of values per score."""

    source: str
    fates: list[_Fate] = field(default_factory=list)
    values: dict[tuple[str, str | None], dict[int, Value]] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    limits: Counter[str] = field(default_factory=Counter)
    edited: int = 0
    unreadable: Counter[str] = field(default_factory=Counter)
    reducers: dict[str, str] = field(default_factory=dict)
    """Scorer -> how its epochs were reduced before the log was written, if only reduced scores are left."""

    def add(self, sample: _Sample, cluster_key: str | None) -> None:
        """Take in a sample."""
        number = len(self.fates)
        group = (sample.get("metadata") or {}).get(cluster_key) if cluster_key else None
        self.fates.append(
            _Fate(
                id=str(sample["id"]),
                epoch=sample["epoch"],
                error=_error_text(sample.get("error")),
                invalidated=sample.get("invalidation") is not None,
                fallback=bool(sample.get("model_fallbacks")),
                cluster=None if group is None else str(group),
            )
        )
        if sample.get("limit"):
            limit = sample.get("limit")
            self.limits[str(limit.get("type")) if isinstance(limit, Mapping) else str(limit)] += 1
        for scorer, score in (sample.get("scores") or {}).items():
            self.add_score(scorer, number, score["value"])
            self.edited += bool(score.get("history"))

    def add_score(self, scorer: str, number: int, value: Any) -> None:
        """Take in a score; a mapping gives one score per key."""
        if isinstance(value, list):
            self.lists.add(scorer)
            return
        parts = value.items() if isinstance(value, dict) else [(None, value)]
        for key, part in parts:
            read = _read_value(part)
            if read[0] is None and isinstance(part, str):
                self.unreadable[scorer] += 1
            self.values.setdefault((scorer, key), {})[number] = read
        if len(self.values) > MAX_SCORES:
            raise ValueError(f"more than {MAX_SCORES:,} different scores")

    def rows(self, scorer: str, key: str | None) -> Iterator[SampleRow]:
        """Give a row for every sample, also for those that this scorer never saw."""
        values = self.values.get((scorer, key), {})
        name = scorer if key is None else f"{scorer}/{key}"
        for number, fate in enumerate(self.fates):
            value, label, logged = values.get(number, (None, None, None))
            yield SampleRow(
                fate.id,
                fate.epoch,
                name,
                value,
                fate.error,
                fate.invalidated,
                fate.fallback,
                fate.cluster,
                label,
                logged,
            )

    def scorers(self) -> list[tuple[str, str | None]]:
        """Give the scores there are; a mapping's keys stand for it, not the gaps where it was not given."""
        keyed = {scorer for scorer, key in self.values if key is not None}
        return sorted(
            (pair for pair in self.values if pair[1] is not None or pair[0] not in keyed),
            key=lambda pair: (pair[0], pair[1] or ""),
        )


@dataclass(frozen=True)
class _Log:
    """A log that was read, still without judgement."""

    source: ImportSource
    header: Header
    samples: _Samples
    disagreements: tuple[str, ...] = ()
    """Where the header contradicts what was written when the run began."""
    unfinished: bool = False
    """True if the log has no final header."""
    contradictions: tuple[str, ...] = ()
    """Where the log's own summaries contradict its samples."""
    reductions: tuple[_Reduction, ...] = ()
    """What the log says its samples reduce to."""

    @property
    def epochs(self) -> int:
        """Epochs as planned, or as seen if that is more."""
        stated = self.header.eval.config.epochs or 1
        return max(stated, *(Counter(fate.id for fate in self.samples.fates).values() or (1,)))

    @property
    def from_samples(self) -> bool:
        """True if the samples themselves are in the log."""
        return self.samples.source == "samples"


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the file is an Inspect log, from its name and first bytes."""
    if head.startswith(b"PK\x03\x04"):
        return path.suffix.lower() == ".eval" or b"_journal/start.json" in head
    return head.lstrip()[:1] == b"{" and bool(_JSON_HEAD.search(head)) and bool(_JSON_TASK.search(head))


def read(source: ImportSource) -> Import:
    """Give one record per scorer, reducer and mean of the log, recomputed from its samples.

    A log without any sample gives no record, and a notice that says why.

    Raises:
        EvidenceError: EVI002 if the log is malformed, EVI003 or EVI007 if it is too large or unsafe.
    """
    return read_within(source, LIMITS)


def read_within(source: ImportSource, limits: Limits) -> Import:
    """Do as `read` does, within other limits."""
    with source.path.open("rb") as stream:
        is_archive = stream.read(4) == b"PK\x03\x04"
    log = _read_archive(source, limits) if is_archive else _read_json(source, limits)
    return _import(log)


# Reading -------------------------------------------------------------------------------------------------------


def _read_archive(source: ImportSource, limits: Limits) -> _Log:
    with open_archive(source.path, limits) as archive:
        start = _member(archive, "_journal/start.json", _HEADER)
        header = _member(archive, "header.json", _HEADER) or start
        if header is None:
            problem = Problem("EVI002", "the archive has no header.json and no _journal/start.json", archive.where())
            raise EvidenceError(problem)
        _check_version(header, archive.where("header.json"))
        samples = _archive_samples(archive, header, source)
        unfinished = "header.json" not in archive.members
        contradictions = tuple(_contradictions(archive, header, samples))
        reductions = _member(archive, "reductions.json", _REDUCTIONS) or []
    disagreements = _disagreements(header, start) if start else ()
    return _Log(source, header, samples, disagreements, unfinished, contradictions, tuple(reductions))


def _member(archive: Archive, name: str, adapter: TypeAdapter[Parsed]) -> Parsed | None:
    if name not in archive.members:
        return None
    return _parse(adapter, archive.read(name), archive.where(name))


def _archive_samples(archive: Archive, header: Header, source: ImportSource) -> _Samples:
    names = archive.names("samples/")
    if not names:
        return _archive_summaries(archive, header)
    samples, key = _Samples("samples"), header.cluster_key
    for number, name in enumerate(names, start=1):
        _add(samples, _parse(_SAMPLE, archive.read(name), archive.where(name)), key, archive.where(name))
        if source.progress and (number % 100 == 0 or number == len(names)):
            source.progress(number, len(names))
    return samples


def _add(samples: _Samples, sample: _Sample, cluster_key: str | None, where: Where) -> None:
    try:
        samples.add(sample, cluster_key)
    except ValueError as error:
        raise EvidenceError(Problem("EVI002", str(error), where)) from None


def _contradictions(archive: Archive, header: Header, samples: _Samples) -> Iterator[str]:
    """Give where an archive says two things about its samples: whoever edits one place may forget the other."""
    twice = sum(name.startswith("samples/") for name in archive.repeated)
    if twice:
        yield f"{twice:,} samples stand twice in the archive; the later ones were taken"
    if samples.source != "samples" or "summaries.json" not in archive.members:
        return
    summaries = _Samples("summaries")
    for sample in _parse(_SUMMARIES, archive.read("summaries.json"), archive.where("summaries.json")):
        _add(summaries, sample, header.cluster_key, archive.where("summaries.json"))
    differing = {name for name, _ in _outcomes(samples).items() ^ _outcomes(summaries).items()}
    if differing:
        yield f"{len(differing):,} samples differ from what the log's own summaries say of them"


def _archive_summaries(archive: Archive, header: Header) -> _Samples:
    """Give what summaries say, or else the reduced scores, where a log keeps no samples."""
    journal = sorted(archive.names("_journal/summaries/"), key=lambda name: (len(name), name))
    names = ["summaries.json"] if "summaries.json" in archive.members else journal
    if names:
        samples = _Samples("summaries")
        for name in names:
            for sample in _parse(_SUMMARIES, archive.read(name), archive.where(name)):
                _add(samples, sample, header.cluster_key, archive.where(name))
        if samples.fates:
            return samples
    return _reduced(_member(archive, "reductions.json", _REDUCTIONS) or [], archive.where("reductions.json"))


def _reduced(reductions: list[_Reduction], where: Where) -> _Samples:
    """Give reduced scores as if each unit had been asked once; only the first reducer of a scorer is used."""
    samples, numbers = _Samples("reductions"), dict[str, int]()
    for reduction in reductions:
        scorer = reduction["scorer"]
        if scorer in samples.reducers:
            continue
        samples.reducers[scorer] = reduction.get("reducer") or "mean"
        for place, sample in enumerate(reduction["samples"]):
            name = str(sample.get("sample_id", place))
            if name not in numbers:
                numbers[name] = len(samples.fates)
                samples.fates.append(_Fate(name, 1, None, invalidated=False, fallback=False, cluster=None))
            try:
                samples.add_score(scorer, numbers[name], sample["value"])
            except ValueError as error:
                raise EvidenceError(Problem("EVI002", str(error), where)) from None
    return samples


def _read_json(source: ImportSource, limits: Limits) -> _Log:
    """Read a JSON log: a scan finds the samples, which are then read one at a time."""
    size = source.path.stat().st_size
    if size > limits.json_bytes:
        message = f"the log has {size:,} bytes; the limit is {limits.json_bytes:,}"
        raise EvidenceError(Problem("EVI003", message, Where(source.name), "write it as .eval (inspect log convert)"))
    if size == 0:
        raise EvidenceError(Problem("EVI002", "the file is empty", Where(source.name)))
    with source.path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        spans, array = _sample_spans(data)
        _check_parts(spans, array, size, source, limits)
        _check_gaps(data, spans, array, source.name)
        outside = data[: array[0]] + b"[]" + data[array[1] :] if array else data[:]
        header = _parse(_HEADER, outside, Where(source.name))
        _check_version(header, Where(source.name))
        _check_keys(outside, source.name)
        found = _parse(_JSON_REDUCTIONS, outside, Where(source.name)).get("reductions") or []
        if not spans:
            return _Log(source, header, _reduced(found, Where(source.name)))
        return _Log(source, header, _json_samples(data, spans, header, source), reductions=tuple(found))


def _check_parts(
    spans: list[tuple[int, int]], array: tuple[int, int] | None, size: int, source: ImportSource, limits: Limits
) -> None:
    """Refuse a log of which one part would not fit in memory."""
    rest = size - (array[1] - array[0]) if array else size
    largest = max((end - begin for begin, end in spans), default=0)
    if max(rest, largest) > limits.member_bytes or len(spans) > limits.members:
        message = f"a part of the log has {max(rest, largest):,} bytes, or it has {len(spans):,} samples"
        hint = f"the limits are {limits.member_bytes:,} bytes and {limits.members:,} samples"
        raise EvidenceError(Problem("EVI003", message, Where(source.name), hint))


def _check_gaps(data: mmap.mmap, spans: list[tuple[int, int]], array: tuple[int, int] | None, name: str) -> None:
    """Refuse a list of samples that holds anything else: what is no object would be passed over."""
    if array is None:
        return
    ends, begins = [array[0] + 1, *(end for _, end in spans)], [*(begin for begin, _ in spans), array[1] - 1]
    for number, (end, begin) in enumerate(zip(ends, begins, strict=True)):
        expected = _BETWEEN if 0 < number < len(spans) else _AROUND
        if not expected.fullmatch(data, end, begin):
            line, column = data[:end].count(b"\n") + 1, end - data.rfind(b"\n", 0, end)
            raise EvidenceError(Problem("EVI002", "expected samples with commas between", Where(name, line, column)))


def _check_keys(outside: bytes, name: str) -> None:
    """Refuse a log in which a part stands twice: readers differ in which of the two they take."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, times in Counter(key for key, _ in pairs).items() if times > 1)
            problem = Problem("EVI002", f"the key {twice[:100]!r} occurs twice in one object", Where(name))
            raise EvidenceError(problem)
        return found

    json.loads(outside, object_pairs_hook=unique)


def _json_samples(data: mmap.mmap, spans: list[tuple[int, int]], header: Header, source: ImportSource) -> _Samples:
    samples, key = _Samples("samples"), header.cluster_key
    for number, (begin, end) in enumerate(spans, start=1):
        _add(samples, _parse_span(data, begin, end, source.name), key, Where(source.name))
        if source.progress and (number % 100 == 0 or number == len(spans)):
            source.progress(number, len(spans))
    return samples


class _JsonReductions(TypedDict):
    reductions: NotRequired[list[_Reduction] | None]


_JSON_REDUCTIONS = TypeAdapter(_JsonReductions)


def _sample_spans(data: mmap.mmap) -> tuple[list[tuple[int, int]], tuple[int, int] | None]:
    """Give where each sample stands, and where their array does; whether it is well-formed shows when it is parsed."""
    spans: list[tuple[int, int]] = []
    depth, begin, array_begin = 0, 0, -1
    last: tuple[int, int] = (0, 0)
    for token in _TOKEN.finditer(data):
        first = data[token.start()]
        if first == 0x22:
            if depth == 1 and array_begin < 0:
                last = token.span()
        elif first in (0x7B, 0x5B):
            if depth == 1 and first == 0x5B and array_begin < 0 and data[last[0] : last[1]] == b'"samples"':
                array_begin = token.start()
            elif depth == 2 and array_begin >= 0:
                begin = token.start()
            depth += 1
        else:
            depth -= 1
            if depth == 2 and array_begin >= 0:
                spans.append((begin, token.end()))
            elif depth == 1 and array_begin >= 0:
                return spans, (array_begin, token.end())
    return [], None


def _parse_span(data: mmap.mmap, begin: int, end: int, name: str) -> _Sample:
    piece = data[begin:end]
    try:
        return _SAMPLE.validate_json(piece)
    except ValidationError as error:
        line = data[:begin].count(b"\n") + 1
        column = begin - data.rfind(b"\n", 0, begin)
        raise _malformed(error, Where(name), (line, column)) from None


def _parse(adapter: TypeAdapter[Parsed], data: bytes, where: Where) -> Parsed:
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        raise _malformed(error, where, (1, 1)) from None


def _malformed(error: ValidationError, where: Where, start: tuple[int, int]) -> EvidenceError:
    """Give the first things that are wrong, each with its line and column or with its path."""
    problems = []
    for detail in error.errors(include_url=False, include_input=False)[:5]:
        found = _POSITION.search(detail["msg"])
        line, column = (int(found.group(1)), int(found.group(2))) if found else (1, 1)
        column += start[1] - 1 if line == 1 else 0
        path = ".".join(str(part) for part in detail["loc"])
        message = f"{path}: {detail['msg']}" if path else detail["msg"]
        problems.append(Problem("EVI002", message, Where(where.file, start[0] + line - 1, column)))
    return EvidenceError(*problems)


def _check_version(header: Header, where: Where) -> None:
    if header.version is not None and header.version not in inspect_header.VERSIONS:
        message = f"the log has schema version {header.version}; {inspect_header.VERSIONS} are known"
        raise EvidenceError(Problem("EVI002", message, where, "convert it with a version of Inspect that writes these"))


def _disagreements(header: Header, start: Header) -> tuple[str, ...]:
    """Give where the final header contradicts what was written when the run began; Inspect copies it unchanged."""
    pairs: list[tuple[str, Any, Any]] = [
        ("model", header.eval.model, start.eval.model),
        ("task", header.eval.task, start.eval.task),
        ("task version", header.eval.task_version, start.eval.task_version),
        ("dataset", header.eval.dataset, start.eval.dataset),
        ("configuration", header.eval.config, start.eval.config),
        ("plan", header.plan, start.plan),
    ]
    return tuple(name for name, final, first in pairs if final != first)


def _error_text(error: Any) -> str | None:
    if error is None:
        return None
    return str(error.get("message", "error")) if isinstance(error, Mapping) else str(error)


def _outcomes(samples: _Samples) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Give per sample and epoch whether it ended in an error, and its scores."""
    scores: list[list[Any]] = [[fate.error is not None] for fate in samples.fates]
    for name, values in sorted(samples.values.items(), key=lambda item: (item[0][0], item[0][1] or "")):
        for number, value in values.items():
            scores[number].append((name, value))
    return {(fate.id, fate.epoch): tuple(found) for fate, found in zip(samples.fates, scores, strict=True)}


def _read_value(value: Any) -> Value:
    number = value_to_float(value)
    if isinstance(value, str):
        return number, value[:MAX_LABEL_CHARS], number if number is not None else 0.0
    return number, None, None


# Judging -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Figure:
    """A figure to recompute: which score, how epochs are reduced, and what the header says about it."""

    scorer: str
    key: str | None
    reducer: str
    implicit: bool
    """True if the header names no reducer, so that either kind of mean may be meant."""
    metric: str
    stated: Mapping[str, float | None]

    @property
    def label(self) -> str:
        """The score's name."""
        return self.scorer if self.key is None else f"{self.scorer}/{self.key}"


def _import(log: _Log) -> Import:
    if not log.samples.fates:
        message = "the log has no samples, so nothing in it can be recomputed; nothing was imported"
        notice = _notice(log, "EVI008", message, hint="run with log_samples on")
        return Import(NAME, EvidenceSet(), (notice,))
    figures, left_out = _figures(log)
    notices = [_notice(log, "EVI011", message, "note" if figures else "warning") for message in left_out]
    common = _common_remarks(log)
    several = len({figure.label for figure in figures}) > 1
    records: list[Evidence] = []
    for _, group in groupby(figures, key=lambda figure: figure.label):
        same_score = list(group)
        tally = _tally(log, same_score[0])
        records += [_record(log, figure, tally, common, several=several) for figure in same_score]
    remarks = dict.fromkeys(remark for record in records for remark in record.remarks)
    notices += [_notice(log, remark.code, remark.message) for remark in remarks]
    return Import(NAME, EvidenceSet(records=tuple(records)), tuple(notices[:MAX_NOTICES]))


def _tally(log: _Log, figure: _Figure) -> Tally:
    tally = Tally()
    try:
        for row in log.samples.rows(figure.scorer, figure.key):
            tally.add(row)
    except DuplicateSampleError as error:
        raise EvidenceError(Problem("EVI002", str(error), Where(log.source.name), "which of the two counts?")) from None
    return tally


def _notice(log: _Log, code: str, message: str, severity: Severity = "warning", hint: str | None = None) -> Problem:
    return Problem(code, message, Where(log.source.name), hint, severity)


def _figures(log: _Log) -> tuple[list[_Figure], list[str]]:
    """Give the figures that can be recomputed, and what had to be left out, in words."""
    figures: list[_Figure] = []
    left_out = [f"{scorer}: the score is a list; lists are not recomputed" for scorer in sorted(log.samples.lists)]
    for scorer, key in [*log.samples.scorers(), *_unseen_scorers(log)]:
        entries = [score for score in log.header.scores if _speaks_of(score, scorer, key)]
        found, missed = _stated_figures(log, scorer, key, entries)
        if not entries:
            found = _unstated_figures(log, scorer, key)
            missed = [f"{found[0].label}: the header states no result for it; the figure is the samples'"]
        figures += found
        left_out += missed
    if not figures and not left_out:
        left_out = ["no sample has a score, and the header states none"]
    return figures, list(dict.fromkeys(left_out))


def _unseen_scorers(log: _Log) -> list[tuple[str, str | None]]:
    """Give the scores that the header states and no sample has: their figures rest on nothing."""
    seen = log.samples.scorers()
    return [
        (score.scorer, None if score.name == score.scorer else score.name)
        for score in log.header.scores
        if score.scorer not in log.samples.lists and not any(_speaks_of(score, *pair) for pair in seen)
    ]


def _speaks_of(score: inspect_header.Score, scorer: str, key: str | None) -> bool:
    if key is not None:
        return score.scorer == scorer and score.name in (key, scorer)
    return scorer in (score.name, score.scorer)


def _stated_figures(
    log: _Log, scorer: str, key: str | None, entries: list[inspect_header.Score]
) -> tuple[list[_Figure], list[str]]:
    found: dict[str, _Figure] = {}
    missed: list[str] = []
    label = scorer if key is None else f"{scorer}/{key}"
    for entry in entries:
        reducer = entry.reducer or (log.header.reducers[0] if len(log.header.reducers) == 1 else "mean")
        # A mapping's scores have a result per key; a result for the whole mapping states nothing about a key.
        whole = key is not None and entry.name == scorer and key != scorer
        means = {} if whole else {n: m.value for n, m in entry.metrics.items() if n in _MEANS and m.is_plain_mean}
        others = [name for name in entry.metrics if name not in means]
        suffix = f" over {reducer}" if entry.reducer else ""
        if others:
            missed.append(f"{label}{suffix}: not recomputed: {', '.join(others)}")
        if means and not known_reducer(reducer):
            missed.append(f"{label}: the reducer {reducer!r} is not known, so its figures are not recomputed")
        elif means and reducer not in found:
            metric = next(name for name in _MEANS if name in means)
            found[reducer] = _Figure(scorer, key, reducer, entry.reducer is None, metric, means)
    kept = log.samples.reducers.get(scorer)
    return [figure for figure in found.values() if kept in (None, figure.reducer)], missed


def _unstated_figures(log: _Log, scorer: str, key: str | None) -> list[_Figure]:
    reducers = [name for name in log.header.reducers if known_reducer(name)] or ["mean"]
    return [_Figure(scorer, key, name, implicit=True, metric="accuracy", stated={}) for name in reducers]


def _common_remarks(log: _Log) -> tuple[Remark, ...]:
    return tuple(_common(log))


def _common(log: _Log) -> Iterator[Remark]:
    status = "started" if log.unfinished else log.header.status
    if status != "success":
        message = f"the run's status is {status}, not success" if status else "the log does not state its status"
        yield Remark(code="EVI008", message=message, blocks_rule_out=True)
    if log.disagreements:
        names = ", ".join(log.disagreements)
        message = f"the header contradicts what was written when the run began: {names}"
        yield Remark(code="EVI004", message=message, blocks_rule_out=True)
    if log.header.invalidated and not any(fate.invalidated for fate in log.samples.fates):
        message = "the log was declared invalid, and it does not show which of its samples are"
        yield Remark(code="EVI008", message=message, blocks_rule_out=True)
    for message in log.contradictions:
        yield Remark(code="EVI004", message=message, blocks_rule_out=True)
    if part := inspect_header.selection(log.header):
        yield Remark(code="EVI008", message=part[0], blocks_rule_out=not part[1])
    if not log.from_samples:
        message = f"the log keeps no samples; the figures come from its {log.samples.source}"
        yield Remark(code="EVI011", message=message, blocks_rule_out=log.samples.source == "reductions")
    if log.samples.edited:
        message = f"{log.samples.edited} scores were edited after the run"
        yield Remark(code="EVI011", message=message)


def _record(log: _Log, figure: _Figure, tally: Tally, common: Iterable[Remark], *, several: bool) -> Evidence:
    header, declared = log.header, log.source.declared
    summary = _summary(log, figure, tally)
    remarks = (*common, *_figure_remarks(log, figure, tally, summary))
    started, finished = _day(header.stats.started_at) or _day(header.eval.created), _day(header.stats.completed_at)
    extracted = inspect_header.elicitation(header, figure.reducer, log.epochs)
    return Evidence(
        id=_record_id(log, figure),
        subject=_subject(header, declared),
        thresholds=declared.thresholds,
        measurement=_measurement(log, figure, summary, several=several),
        elicitation=inspect_header.with_declared(extracted, declared.elicitation),
        evaluator=_evaluator(declared),
        started=started,
        finished=finished,
        quality="recomputable" if log.from_samples else "reported",
        counts=summary.counts,
        provenance=Provenance(
            format=NAME,
            file=log.source.name,
            digest=log.source.digest,
            sample_root=summary.sample_root,
            tool=inspect_header.tool(header),
            revision=inspect_header.revision(header),
        ),
        remarks=remarks,
    )


def _summary(log: _Log, figure: _Figure, tally: Tally) -> Summary:
    planned = inspect_header.planned_samples(log.header, log.epochs)
    if log.samples.source != "reductions":
        return tally.summary(reducer=figure.reducer, planned=planned, epochs=log.epochs)
    # Each unit stands there once, its epochs reduced already.
    return tally.summary(planned=None if planned is None else planned // log.epochs, epochs=1)


def _subject(header: Header, declared: Declared) -> Subject:
    variant: Any = declared.variant or "unstated"
    return Subject(model=declared.model or header.eval.model, snapshot=declared.snapshot, variant=variant)


def _evaluator(declared: Declared) -> Evaluator:
    if declared.independent is None:
        return Evaluator(name=declared.evaluator)
    return Evaluator(name=declared.evaluator, relation="independent" if declared.independent else "developer")


def _measurement(log: _Log, figure: _Figure, summary: Summary, *, several: bool) -> Measurement:
    header = log.header
    parameters: dict[str, Any] = {
        "scorer": figure.label,
        "reducer": figure.reducer,
        "epochs": log.epochs,
        "errors_as_zero": summary.errors_as_zero,
        "dataset": header.eval.dataset.name,
        "task_args_digest": inspect_header.task_args_digest(header),
        "limits": inspect_header.limits(header),
        "limits_hit": dict(sorted(log.samples.limits.items())),
        "generation": inspect_header.generation(header),
        "model_roles": inspect_header.graders(header),
        "model_in_log": header.eval.model,
    }
    return Measurement(
        evaluation=header.eval.task,
        metric=f"{figure.label}/{figure.metric}" if several else figure.metric,
        value=summary.value,
        unit="fraction" if summary.in_unit_interval or summary.value is None else "score",
        aggregation=_aggregation(figure.reducer, log.epochs),
        n=summary.n,
        n_kind="samples",
        attempts=summary.attempts,
        successes=summary.successes,
        standard_error=summary.standard_error,
        clusters=summary.clusters,
        clustered=True,
        binary=summary.binary,
        task_version=inspect_header.task_key(header.eval.task_version),
        worst_case=summary.worst_case,
        header_value=figure.stated.get(figure.metric),
        parameters={name: value for name, value in parameters.items() if value not in (None, {})},
    )


def _figure_remarks(log: _Log, figure: _Figure, tally: Tally, summary: Summary) -> Iterator[Remark]:
    yield from _mismatches(figure, tally, summary)
    if log.from_samples and (differing := _differently_reduced(log, figure, tally)):
        message = f"{figure.label}: {differing:,} samples differ from the reduced scores that the log states"
        yield Remark(code="EVI004", message=message, blocks_rule_out=True)
    counts = summary.counts
    if counts.planned is None:
        message = "the log does not say how many samples it set out to run, so missing ones cannot be counted"
        yield Remark(code="EVI008", message=message, blocks_rule_out=True)
    if counts.missing:
        message = f"{counts.missing:,} of {counts.planned:,} planned samples are not in the log"
        yield Remark(code="EVI008", message=message)
    if counts.without_score and summary.value is not None and summary.worst_case is None:
        message = f"{figure.label}: samples lack a score, and its scale is not 0 to 1, so it has no worst case"
        yield Remark(code="EVI008", message=message, blocks_rule_out=True)
    unreadable = log.samples.unreadable[figure.scorer]
    if unreadable:
        message = f"{figure.scorer}: {unreadable:,} scores are text that is no number; Inspect counts them as 0"
        yield Remark(code="EVI011", message=message)


def _mismatches(figure: _Figure, tally: Tally, summary: Summary) -> Iterator[Remark]:
    """Give where the header's figure is not what Inspect computes from these samples."""
    computed = [summary.as_logged]
    if figure.implicit:
        computed.append(tally.as_logged("none"))
    for name, stated in figure.stated.items():
        if stated is None and computed[0] is None:
            continue
        if stated is None or not any(_same(stated, value) for value in computed):
            found = "no figure" if computed[0] is None else f"{computed[0]:.6g}"
            said = "no figure" if stated is None else f"{stated:.6g}"
            message = f"{figure.label}: the header states {name} {said}; the samples give {found}"
            yield Remark(code="EVI004", message=message, blocks_rule_out=True)


def _differently_reduced(log: _Log, figure: _Figure, tally: Tally) -> int:
    """Count the units whose score is not the one that the log says they reduce to."""
    stated: dict[str, float | None] = {}
    for reduction in log.reductions:
        if reduction["scorer"] == figure.scorer and (reduction.get("reducer") or "mean") == figure.reducer:
            for sample in reduction["samples"]:
                value = sample["value"]
                part = value.get(figure.key) if isinstance(value, dict) and figure.key is not None else value
                stated[str(sample.get("sample_id"))] = (
                    _read_value(part)[2] if isinstance(part, str) else _read_value(part)[0]
                )
    if not stated or "None" in stated:
        return 0
    found = tally.logged_scores(figure.reducer)
    return sum(not _alike(stated.get(name), found.get(name)) for name in {*stated, *found})


def _alike(one: float | None, other: float | None) -> bool:
    return one is other if one is None or other is None else _same(one, other)


def _same(stated: float, computed: float | None) -> bool:
    # Sums in another order differ in the last digits.
    return computed is not None and isclose(stated, computed, rel_tol=1e-9, abs_tol=1e-12)


def _aggregation(reducer: str, epochs: int) -> str | None:
    name, _, k = reducer.rpartition("_")
    if name == "pass_at":
        return f"pass@{k}"
    if name == "pass_k":
        return f"pass^{k}"
    if epochs == 1:
        return None
    if name == "at_least":
        return f"at least {k} of {epochs}"
    return f"mean over {epochs} attempts" if reducer == "none" else f"{reducer} of {epochs}"


def _record_id(log: _Log, figure: _Figure) -> str:
    """Give an id that is the same at every import and differs between figures."""
    run = log.header.eval.eval_id or log.source.digest.removeprefix("sha256:")[:12]
    parts = (run, figure.label, figure.reducer)
    plain = [_UNSAFE.sub("-", part) for part in parts]
    name = f"inspect:{':'.join(plain)}"
    if list(parts) == plain and len(name) <= 200:
        return name
    return f"{name[:180]}:{digest(list(parts)).removeprefix('sha256:')[:12]}"


def _day(moment: str | None) -> str | None:
    """Give the day of a moment in ISO 8601, as written; none if it names no day."""
    try:
        return date.fromisoformat((moment or "")[:10]).isoformat()
    except ValueError:
        return None

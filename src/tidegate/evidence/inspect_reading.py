# SPDX-License-Identifier: Apache-2.0
"""Reads Inspect logs, ``.eval`` and ``.json``, without judging them.

Samples are read one at a time, and of each only its id, its scores and what became of it are kept.
"""

import json
import mmap
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NotRequired, TypeVar

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from tidegate.evidence import inspect_header
from tidegate.evidence.importing import ImportSource
from tidegate.evidence.inspect_header import Header
from tidegate.evidence.inspect_zip import LIMITS, Archive, Limits, open_archive
from tidegate.evidence.recompute import SampleRow, value_to_float
from tidegate.kernel.errors import EvidenceError, Problem, Where

MAX_SCORES = 1000
"""Scorers, and keys of their mappings, in one log; more are no scores but data."""
MAX_LABEL_CHARS = 100
"""Longer text is no category that a score could have."""

_POSITION = re.compile(r"at line (\d+) column (\d+)")
# Text that never ends is one token up to the end: otherwise each quote in it would begin a search of its own.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_BETWEEN = re.compile(rb"\s*,\s*")
_AROUND = re.compile(rb"\s*")

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
            read = read_value(part)
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
class Log:
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


def read_log(source: ImportSource, limits: Limits = LIMITS) -> Log:
    """Give a log as it stands, still without judgement.

    Raises:
        EvidenceError: EVI002 if the log is malformed, EVI003 or EVI007 if it is too large or unsafe.
    """
    with source.path.open("rb") as stream:
        is_archive = stream.read(4) == b"PK\x03\x04"
    return _read_archive(source, limits) if is_archive else _read_json(source, limits)


def _read_archive(source: ImportSource, limits: Limits) -> Log:
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
    return Log(source, header, samples, disagreements, unfinished, contradictions, tuple(reductions))


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


def _read_json(source: ImportSource, limits: Limits) -> Log:
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
            return Log(source, header, _reduced(found, Where(source.name)))
        return Log(source, header, _json_samples(data, spans, header, source), reductions=tuple(found))


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


def read_value(value: Any) -> Value:
    """Give a score as a number, as written, and as Inspect counts it."""
    number = value_to_float(value)
    if isinstance(value, str):
        return number, value[:MAX_LABEL_CHARS], number if number is not None else 0.0
    return number, None, None

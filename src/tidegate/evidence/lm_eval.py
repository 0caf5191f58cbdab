# SPDX-License-Identifier: Apache-2.0
"""Results of EleutherAI's lm-evaluation-harness: the files of version 0.4 and those before it.

The figures in ``results_<time>.json`` are recomputed from ``samples_<task>_<time>.jsonl`` where that
file stands beside it. Before version 0.4 there were no sample files that could be found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.evidence.formats import digest_file
from tidegate.evidence.importing import Import, ImportSource
from tidegate.evidence.model import Elicitation, Evidence, EvidenceSet, Measurement, Provenance, Remark, Subject
from tidegate.evidence.recompute import DuplicateSampleError, SampleRow, Summary, Tally
from tidegate.evidence.run_table import (
    BadRows,
    count_in,
    day_in,
    differs,
    elicitation_of,
    evaluator_of,
    json_document,
    json_lines,
    list_in,
    malformed,
    mapping_in,
    measured,
    number_in,
    record_id,
    stand_in,
    subject_of,
    text_in,
)
from tidegate.kernel.canonical import digest
from tidegate.kernel.errors import EvidenceError, Problem, Where

NAME = "lm-eval"

_RESULTS = re.compile(r"results_(?P<time>.+)\.json\Z")
_SAMPLES = re.compile(r"samples_(?P<task>.+)_(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}T[^_]+)\.jsonl\Z")
_FRACTIONS = re.compile(r"(acc|exact_match|em\Z|f1|mc[12]|pass|pct_|contains|prompt_level|inst_level|likelihood_pref)")
"""Names of metrics that are fractions; the unit must not depend on the data, because it is part of the identity."""
_BESIDE_METRICS = frozenset({"alias", "name", "sample_len", "sample_count", "samples", "higher_is_better"})
"""Keys in a task's results that are no metric."""


@dataclass(frozen=True)
class _Figure:
    """A figure as ``results`` states it."""

    task: str
    metric: str
    filter: str
    value: float | None
    stderr: float | None
    is_group: bool


@dataclass
class _TaskSamples:
    """What the samples of a task say, per metric and filter."""

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    not_numbers: set[tuple[str, str]] = field(default_factory=set)
    lines: int = 0


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the file is a results file, or the samples file of one."""
    if path.suffix == ".jsonl":
        return _SAMPLES.match(path.name) is not None and b'"doc_id"' in head
    if path.suffix != ".json" or not re.match(rb'\s*\{\s*"results"\s*:\s*\{', head):
        return False
    return _RESULTS.match(path.name) is not None or re.search(rb'"acc(,[^"]+)?"|_stderr(,[^"]+)?"', head) is not None


def read(source: ImportSource) -> Import:
    """Give one record per task, metric and filter; recomputed from the samples where they stand beside the file.

    A samples file may be named as well: its results file is read.

    Raises:
        EvidenceError: EVI001 if a samples file has no results file, EVI002 with every bad row, or EVI003.
    """
    if source.path.suffix == ".jsonl":
        source = _results_of(source)
    data = mapping_in(json_document(source.path, source.name))
    if not mapping_in(data.get("results")):
        raise malformed(source.name, "expected an object 'results' with the figures of each task", 1)
    figures = list(_figures(data, source.name))
    bad = BadRows(source.name)
    files = _sample_files(source.path, data)
    samples = {task: _samples(path, data, bad, source) for task, path in files.items()}
    bad.refuse()
    run = _Run(source, data)
    records = tuple(run.record(figure, samples.get(figure.task)) for figure in figures)
    read_too = {path.name: digest_file(path) for path in files.values()}
    whole = digest({"results": source.digest, "samples": read_too}) if read_too else source.digest or None
    return Import(NAME, EvidenceSet(records=records), tuple(_notices(source, data, samples)), whole)


def _results_of(source: ImportSource) -> ImportSource:
    named = _SAMPLES.match(source.name)
    path = source.path.with_name(f"results_{named['time']}.json") if named else None
    if path is None or not path.is_file():
        raise EvidenceError(
            Problem("EVI001", "samples without their results file", Where(source.name), "import results_<time>.json")
        )
    return ImportSource(path, digest_file(path), source.declared, source.progress)


def _figures(data: dict[str, Any], file: str) -> Iterator[_Figure]:
    groups = {name for name, members in mapping_in(data.get("group_subtasks")).items() if list_in(members)}
    groups |= set(mapping_in(data.get("groups")))
    for task, cells in (mapping_in(data.get("groups")) | mapping_in(data["results"])).items():
        if not isinstance(cells, dict):
            raise malformed(file, f"results / {task}: expected an object of metrics", 1)
        for key, cell in cells.items():
            metric, _, chosen = key.partition(",")
            if metric.strip() == "" or metric.endswith("_stderr") or metric in _BESIDE_METRICS:
                continue
            if isinstance(cell, str) and cell.strip().upper() != "N/A":
                raise malformed(file, f"results / {task} / {key}: expected a number, not {cell[:40]!r}", 1)
            error_key = f"{metric}_stderr,{chosen}" if chosen else f"{metric}_stderr"
            # The harness writes "N/A" where it computed none.
            stderr = number_in(cells.get(error_key))
            # Zero is printed where nothing varies; it would claim certainty.
            stderr = stderr if stderr is not None and stderr > 0 else None
            yield _Figure(task, metric, chosen or "none", number_in(cell), stderr, task in groups)


def _sample_files(path: Path, data: dict[str, Any]) -> dict[str, Path]:
    """Give the samples file of each task, by listing the folder: task names are not trusted as paths."""
    named = _RESULTS.match(path.name)
    if named is None:
        return {}
    beside = {item.name: item for item in path.parent.iterdir() if _SAMPLES.match(item.name) and item.is_file()}
    tasks = mapping_in(data["results"])
    wanted = {task: f"samples_{task}_{named['time']}.jsonl" for task in tasks}
    return {task: beside[name] for task, name in wanted.items() if name in beside}


def _metric_settings(data: dict[str, Any], task: str) -> dict[str, dict[str, Any]]:
    settings = mapping_in(mapping_in(data.get("configs")).get(task)).get("metric_list")
    return {str(item.get("metric")): item for item in list_in(settings) if isinstance(item, dict)}


def _metrics_of(data: dict[str, Any], task: str) -> set[tuple[str, str]]:
    cells = mapping_in(mapping_in(data["results"]).get(task))
    pairs = (key.partition(",") for key in cells)
    return {(metric, chosen or "none") for metric, _, chosen in pairs if not metric.endswith("_stderr")}


def _samples(path: Path, data: dict[str, Any], bad: BadRows, source: ImportSource) -> _TaskSamples:
    task = _SAMPLES.match(path.name)["task"]  # type: ignore[index]
    found = _TaskSamples()
    wanted = _metrics_of(data, task)
    rows = BadRows(path.name)
    for line, row in json_lines(path, rows, source.progress):
        found.lines += 1
        fault = _add_sample(found, row, wanted)
        if fault:
            rows.add(line, fault)
    bad.take(rows)
    return found


def _add_sample(found: _TaskSamples, row: dict[str, Any], wanted: set[tuple[str, str]]) -> str | None:
    """Take in a sample; give what is wrong with it, if anything is."""
    doc, chosen = row.get("doc_id"), row.get("filter", "none")
    if isinstance(doc, bool) or not isinstance(doc, int | str):
        return "doc_id is missing"
    if not isinstance(chosen, str):
        return "filter: expected text"
    listed = row.get("metrics")
    for metric, name in wanted:
        if name != chosen or (metric not in row and isinstance(listed, list) and metric not in listed):
            continue
        cell = row.get(metric)
        if isinstance(cell, list | dict):
            found.not_numbers.add((metric, name))
            continue
        tally = found.tallies.setdefault((metric, name), Tally())
        try:
            tally.add(SampleRow(str(doc), 1, f"{metric},{name}", number_in(cell)))
        except DuplicateSampleError:
            return f"doc_id {doc!r} occurs twice under the filter {chosen!r}"
    return None


def _notices(source: ImportSource, data: dict[str, Any], samples: dict[str, _TaskSamples]) -> Iterator[Problem]:
    without = [task for task in mapping_in(data["results"]) if task not in samples]
    if without:
        named = ", ".join(without[:5]) + (f" and {len(without) - 5} more" if len(without) > 5 else "")
        hint = "run the harness with --log_samples and keep its files together"
        yield Problem(
            "EVI010", f"reported figures only, no samples beside them: {named}", Where(source.name), hint, "note"
        )


class _Run:
    """A results file, as far as all its records share it."""

    def __init__(self, source: ImportSource, data: dict[str, Any]) -> None:
        self.source = source
        self.data = data
        self.config = mapping_in(data.get("config"))
        self.is_old = not any("," in key for cells in data["results"].values() for key in mapping_in(cells))
        started, seconds = number_in(data.get("date")), _seconds(data.get("total_evaluation_time_seconds"))
        self.started = day_in(started)
        self.finished = day_in(started + seconds) if started is not None and seconds is not None else self.started
        self.is_dummy = "dummy" in (data.get("model_source"), self.config.get("model"))
        self.tool = f"lm-evaluation-harness {text_in(data.get('lm_eval_version')) or '(before 0.4)'}"

    def model(self) -> tuple[str, str | None]:
        """Give the model's name and its snapshot."""
        if self.is_dummy:
            return "dummy", None  # the harness gives its dummy a random name in every run
        arguments = _model_arguments(self.config.get("model_args"))
        named = (
            text_in(self.data.get("model_name"))
            or arguments.get("pretrained")
            or arguments.get("model")
            or text_in(self.config.get("model"))
            or "unknown"
        )
        revision = arguments.get("revision")
        return named, revision if revision not in (None, "main") else text_in(self.config.get("model_sha"))

    def record(self, figure: _Figure, samples: _TaskSamples | None) -> Evidence:
        """Give the record of a figure."""
        name, snapshot = self.model()
        threats, remarks = stand_in("lm-eval's dummy model") if self.is_dummy else ((), ())
        limited = self._limit_remarks(figure)
        recount = self._recounted(figure, samples)
        measurement = self._reported(figure) if recount is None else self._recomputed(figure, recount)
        mismatch = self._unsupported(figure, samples) if recount is None else _mismatch(figure, recount)
        fewshot = self._shots(figure.task)
        statement = None if fewshot is None else f"{fewshot}-shot"
        return Evidence(
            id=record_id(
                NAME,
                self.source.declared.model or name,
                figure.task,
                figure.metric,
                figure.filter,
                self.source.digest,
                recount.sample_root if recount else None,
            ),
            subject=self._subject(name, snapshot),
            thresholds=self.source.declared.thresholds,
            measurement=measurement,
            elicitation=elicitation_of(self.source, Elicitation(statement=statement, basis="extracted")),
            evaluator=evaluator_of(self.source),
            started=self.started,
            finished=self.finished,
            quality="reported" if recount is None else "recomputable",
            threats=threats,
            counts=None if recount is None else recount.counts,
            provenance=Provenance(
                format=NAME,
                file=self.source.name,
                digest=self.source.digest or None,
                sample_root=recount.sample_root if recount else None,
                tool=self.tool,
            ),
            remarks=(*remarks, *limited, *mismatch),
            note=self._note(figure, samples),
        )

    def _subject(self, name: str, snapshot: str | None) -> Subject:
        return subject_of(self.source, name, snapshot)

    def _shots(self, task: str) -> int | None:
        shots = mapping_in(self.data.get("n-shot")).get(task, self.config.get("num_fewshot"))
        return count_in(shots)

    def _sizes(self, task: str) -> tuple[int | None, int | None]:
        """Give how many samples the task has, and how many were to be used."""
        members = list_in(mapping_in(self.data.get("group_subtasks")).get(task))
        sizes = mapping_in(self.data.get("n-samples"))
        if task in sizes or not members:
            entry = mapping_in(sizes.get(task))
            return count_in(entry.get("original")), count_in(entry.get("effective"))
        leaves = self._leaves(task, frozenset())
        entries = [mapping_in(sizes.get(leaf)) for leaf in sorted(leaves)]
        original = [count_in(entry.get("original")) for entry in entries]
        effective = [count_in(entry.get("effective")) for entry in entries]
        return _total(original), _total(effective)

    def _leaves(self, task: str, above: frozenset[str]) -> set[str]:
        members = list_in(mapping_in(self.data.get("group_subtasks")).get(task))
        if not members or task in above:
            return {task}
        return {leaf for member in members for leaf in self._leaves(str(member), above | {task})}

    def _limit_remarks(self, figure: _Figure) -> tuple[Remark, ...]:
        original, effective = self._sizes(figure.task)
        limit = self.config.get("limit")
        if original is not None and effective is not None and original != effective:
            message = f"limited run: {effective} of {original} samples, the first ones rather than a random choice"
        elif limit is not None and original is None:
            message = f"limited run: at most {limit} samples of each task"
        else:
            return ()
        return (Remark(code="EVI008", message=message, blocks_rule_out=True),)

    def _identity(self, figure: _Figure) -> dict[str, Any]:
        version = mapping_in(self.data.get("versions")).get(figure.task)
        parameters = {
            "task_hash": mapping_in(self.data.get("task_hashes")).get(figure.task),
            "num_fewshot": self._shots(figure.task),
            "higher_is_better": mapping_in(mapping_in(self.data.get("higher_is_better")).get(figure.task)).get(
                figure.metric
            ),
        }
        filtered = None if figure.filter == "none" else f"filter {figure.filter}"
        return {
            "unit": "fraction" if _FRACTIONS.match(figure.metric) else "score",
            "aggregation": "over the group's subtasks" if figure.is_group else filtered,
            "task_version": None if version is None else str(version),
            "header_value": figure.value,
            "parameters": {name: value for name, value in parameters.items() if value is not None},
        }

    def _reported(self, figure: _Figure) -> Measurement:
        effective = self._sizes(figure.task)[1]
        return Measurement(
            evaluation=figure.task,
            metric=figure.metric,
            value=figure.value,
            n=effective,
            n_kind=None if effective is None else "questions",
            standard_error=figure.stderr,
            **self._identity(figure),
        )

    def _recomputed(self, figure: _Figure, summary: Summary) -> Measurement:
        return measured(figure.task, figure.metric, summary, n_kind="questions", **self._identity(figure))

    def _recounted(self, figure: _Figure, samples: _TaskSamples | None) -> Summary | None:
        """Give what the samples say, unless the figure is no mean over them."""
        key = (figure.metric, figure.filter)
        if samples is None or figure.is_group or key in samples.not_numbers or key not in samples.tallies:
            return None
        if _metric_settings(self.data, figure.task).get(figure.metric, {}).get("aggregation", "mean") != "mean":
            return None
        return samples.tallies[key].summary(planned=self._sizes(figure.task)[1])

    def _unsupported(self, figure: _Figure, samples: _TaskSamples | None) -> tuple[Remark, ...]:
        """Give a remark if the samples are there and yet say nothing about the figure."""
        key = (figure.metric, figure.filter)
        if samples is None or figure.is_group or key in samples.not_numbers or key in samples.tallies:
            return ()
        message = f"the samples file holds no sample with {figure.metric} under the filter {figure.filter}"
        return (Remark(code="EVI004", message=message, blocks_rule_out=True),)

    def _note(self, figure: _Figure, samples: _TaskSamples | None) -> str | None:
        notes = []
        aggregation = _metric_settings(self.data, figure.task).get(figure.metric, {}).get("aggregation", "mean")
        if samples is not None and aggregation != "mean":
            notes.append(f"not recomputed: its aggregation is {aggregation!r}, no mean over samples")
        if figure.is_group:
            notes.append("a group: its subtasks have records of their own")
        if commit := text_in(self.data.get("git_hash")):
            notes.append(f"git_hash {commit} is of the folder the harness was started in")
        return "; ".join(notes) or None


def _mismatch(figure: _Figure, summary: Summary) -> tuple[Remark, ...]:
    found: list[Remark] = []
    if figure.value is not None and (summary.as_logged is None or differs(figure.value, summary.as_logged)):
        message = f"the header says {figure.value:g}, the samples say {summary.value}"
        found.append(Remark(code="EVI004", message=message, blocks_rule_out=True))
    planned, missing = summary.counts.planned, summary.counts.missing
    if missing:
        message = f"the header counts {planned} samples, the samples file holds {(planned or 0) - missing}"
        found.append(Remark(code="EVI004", message=message, blocks_rule_out=True))
    if summary.counts.unscored:
        message = f"{summary.counts.unscored} samples have no score"
        found.append(Remark(code="EVI008", message=message))
    return tuple(found)


def _seconds(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, str) else number_in(value)
    except ValueError:
        return None


def _total(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None


def _model_arguments(arguments: object) -> dict[str, str]:
    """Give the model's arguments, which the harness writes as text or as an object."""
    if isinstance(arguments, dict):
        return {str(key): value for key, value in arguments.items() if isinstance(value, str)}
    if not isinstance(arguments, str):
        return {}
    return {key.strip(): value.strip() for key, _, value in (part.partition("=") for part in arguments.split(","))}

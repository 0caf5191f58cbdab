# SPDX-License-Identifier: Apache-2.0
"""Imports Inspect logs, ``.eval`` and ``.json``: every figure recomputed from the samples.

The header of a log can be edited without a trace, and samples that errored leave its denominator
in silence. So the header only says what was intended; the figures, the counts and the worst case
come from the samples, and a header that disagrees with them is a remark that blocks a rule-out.

inspect-ai itself is not needed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from math import isclose
from pathlib import Path
from typing import Any

from tidegate.evidence import inspect_header
from tidegate.evidence.importing import Declared, Import, ImportSource
from tidegate.evidence.inspect_header import Header
from tidegate.evidence.inspect_reading import Log, read_log, read_value
from tidegate.evidence.inspect_zip import LIMITS, Limits
from tidegate.evidence.model import Evaluator, Evidence, EvidenceSet, Measurement, Provenance, Remark, Subject
from tidegate.evidence.recompute import DuplicateSampleError, Summary, Tally, known_reducer
from tidegate.kernel.canonical import digest
from tidegate.kernel.errors import EvidenceError, Problem, Severity, Where

NAME = "inspect"

MAX_NOTICES = 50
"""A log with more kinds of problems than this is not read more closely."""

_JSON_HEAD = re.compile(rb'"eval"\s*:\s*\{')
_JSON_TASK = re.compile(rb'"(run_id|task|eval_id|task_id)"\s*:\s*"')
_UNSAFE = re.compile(r"[^A-Za-z0-9._+@/-]+")
_MEANS = ("accuracy", "mean")


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
    return _import(read_log(source, limits))


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


def _import(log: Log) -> Import:
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


def _tally(log: Log, figure: _Figure) -> Tally:
    tally = Tally()
    try:
        for row in log.samples.rows(figure.scorer, figure.key):
            tally.add(row)
    except DuplicateSampleError as error:
        raise EvidenceError(Problem("EVI002", str(error), Where(log.source.name), "which of the two counts?")) from None
    return tally


def _notice(log: Log, code: str, message: str, severity: Severity = "warning", hint: str | None = None) -> Problem:
    return Problem(code, message, Where(log.source.name), hint, severity)


def _figures(log: Log) -> tuple[list[_Figure], list[str]]:
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


def _unseen_scorers(log: Log) -> list[tuple[str, str | None]]:
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
    log: Log, scorer: str, key: str | None, entries: list[inspect_header.Score]
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


def _unstated_figures(log: Log, scorer: str, key: str | None) -> list[_Figure]:
    reducers = [name for name in log.header.reducers if known_reducer(name)] or ["mean"]
    return [_Figure(scorer, key, name, implicit=True, metric="accuracy", stated={}) for name in reducers]


def _common_remarks(log: Log) -> tuple[Remark, ...]:
    return tuple(_common(log))


def _common(log: Log) -> Iterator[Remark]:
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


def _record(log: Log, figure: _Figure, tally: Tally, common: Iterable[Remark], *, several: bool) -> Evidence:
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


def _summary(log: Log, figure: _Figure, tally: Tally) -> Summary:
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


def _measurement(log: Log, figure: _Figure, summary: Summary, *, several: bool) -> Measurement:
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
        "lowest_score": None if summary.in_unit_interval else summary.lowest,
        "highest_score": None if summary.in_unit_interval else summary.highest,
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


def _figure_remarks(log: Log, figure: _Figure, tally: Tally, summary: Summary) -> Iterator[Remark]:
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


def _differently_reduced(log: Log, figure: _Figure, tally: Tally) -> int:
    """Count the units whose score is not the one that the log says they reduce to."""
    stated: dict[str, float | None] = {}
    for reduction in log.reductions:
        if reduction["scorer"] == figure.scorer and (reduction.get("reducer") or "mean") == figure.reducer:
            for sample in reduction["samples"]:
                value = sample["value"]
                part = value.get(figure.key) if isinstance(value, dict) and figure.key is not None else value
                stated[str(sample.get("sample_id"))] = (
                    read_value(part)[2] if isinstance(part, str) else read_value(part)[0]
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


def _record_id(log: Log, figure: _Figure) -> str:
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

# SPDX-License-Identifier: Apache-2.0
"""Reports of NVIDIA's garak: the rate at which attacks succeed, per probe and detector.

A detector's score of 1 is a hit, which is bad. The rates are recomputed from the attempts where the
report holds them, and compared with its ``eval`` lines.
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.evidence.importing import Import, ImportSource
from tidegate.evidence.model import (
    Counts,
    Elicitation,
    Evidence,
    EvidenceSet,
    Interval,
    Measurement,
    Provenance,
    Remark,
)
from tidegate.evidence.recompute import SampleRow, Summary, Tally
from tidegate.evidence.run_table import (
    BadRows,
    content_key,
    count_in,
    day_in,
    elicitation_of,
    evaluator_of,
    json_lines,
    malformed,
    measured,
    number_in,
    record_id,
    stand_in,
    subject_of,
    text_in,
)
from tidegate.kernel.errors import Problem, Where

NAME = "garak"
METRIC = "attack success rate"
DEFAULT_THRESHOLD = 0.5
"""garak's ``run.eval_threshold`` where the report states none: a score at or above it is a hit."""

Pair = tuple[str, str]
"""Probe and detector."""


@dataclass(frozen=True)
class _Stated:
    """An ``eval`` line: what garak itself counted."""

    line: int
    hits: int
    evaluated: int
    nones: int
    interval: Interval | None

    @property
    def rate(self) -> float | None:
        """Hits over outputs evaluated."""
        return self.hits / self.evaluated if self.evaluated else None


@dataclass
class _Report:
    """What a report says, line by line."""

    setup: dict[str, Any] = field(default_factory=dict)
    init: dict[str, Any] = field(default_factory=dict)
    completion: dict[str, Any] | None = None
    threshold: float = DEFAULT_THRESHOLD
    threshold_stated: bool = False
    tallies: dict[Pair, Tally] = field(default_factory=dict)
    repeats: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    stated: dict[Pair, _Stated] = field(default_factory=dict)
    begun: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Probe -> attempts that were sent and not yet judged."""
    judged: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    """Probe -> attempts that were judged."""
    detected: Counter[Pair] = field(default_factory=Counter)
    """Probe and detector -> judged attempts of which the detector scored at least one answer."""
    lines: int = 0


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the first line is that of a garak report."""
    return path.suffix == ".jsonl" and b'"entry_type"' in head.split(b"\n", 1)[0]


def read(source: ImportSource) -> Import:
    """Give one record per probe and detector: the share of judged outputs that were hits.

    Raises:
        EvidenceError: EVI002 with every bad line, or EVI003.
    """
    bad = BadRows(source.name)
    report = _Report()
    for line, row in json_lines(source.path, bad, source.progress):
        fault = _add_line(report, row, line)
        if fault:
            bad.add(line, fault)
    bad.refuse()
    pairs = sorted({*report.tallies, *report.stated})
    if not pairs:
        raise malformed(source.name, "the report holds neither judged attempts nor eval lines", max(report.lines, 1))
    records = tuple(_record(source, report, pair) for pair in pairs)
    return Import(NAME, EvidenceSet(records=records), tuple(_notices(source, report)))


def _add_line(report: _Report, row: dict[str, Any], line: int) -> str | None:
    """Take in a line; give what is wrong with it, if anything is."""
    report.lines = line
    match row.get("entry_type"):
        case "start_run setup":
            report.setup = row
            return _add_threshold(report, row)
        case "init":
            report.init = row
        case "completion":
            report.completion = row
        case "attempt":
            return _add_attempt(report, row)
        case "eval":
            return _add_stated(report, row, line)
        case None:
            return "entry_type is missing"
    return None


def _add_threshold(report: _Report, row: dict[str, Any]) -> str | None:
    stated = row.get("run.eval_threshold")
    if stated is None:
        return None
    threshold = number_in(stated)
    if threshold is None or not 0 <= threshold <= 1:
        return f"run.eval_threshold: expected a number from 0 to 1, not {stated!r}"
    report.threshold, report.threshold_stated = threshold, True
    return None


def _add_attempt(report: _Report, row: dict[str, Any]) -> str | None:
    probe, status = text_in(row.get("probe_classname")), row.get("status")
    if probe is None or status not in (0, 1, 2):
        return "an attempt needs probe_classname and a status of 0, 1 or 2"
    attempt = (str(row.get("uuid")), str(row.get("seq")))
    # An attempt is written when it is sent (status 1) and again when it is judged (status 2).
    known = (report.judged if status == 2 else report.begun).setdefault(probe, set())
    if status == 2 and attempt in known:
        return f"the attempt {attempt[0]} (seq {attempt[1]}) of {probe} was judged already"
    known.add(attempt)
    if status != 2:
        return None
    prompt = content_key(row.get("prompt"))
    results = row.get("detector_results")
    if not isinstance(results, dict):
        return "detector_results: expected an object of lists"
    return next((fault for name in results if (fault := _add_scores(report, probe, name, results[name], prompt))), None)


def _add_scores(report: _Report, probe: str, detector: str, scores: object, prompt: str) -> str | None:
    if not isinstance(scores, list):
        return f"detector_results / {detector}: expected a list of scores"
    tally = report.tallies.setdefault((probe, detector), Tally())
    report.detected[(probe, detector)] += bool(scores)
    for cell in scores:
        score = number_in(cell)
        if cell is not None and (score is None or not 0 <= score <= 1):
            return f"detector_results / {detector}: expected scores from 0 to 1, not {str(cell)[:40]}"
        hit = None if score is None else float(score >= report.threshold)
        key = (probe, detector, prompt)
        report.repeats[key] += 1
        tally.add(SampleRow(prompt, report.repeats[key], f"{probe}/{detector}", hit))
    return None


def _add_stated(report: _Report, row: dict[str, Any], line: int) -> str | None:
    probe, detector = text_in(row.get("probe")), text_in(row.get("detector"))
    # Up to version 0.12 or so the number of outputs was called "total".
    evaluated = count_in(row.get("total_evaluated", row.get("total")))
    passed, nones = count_in(row.get("passed")), count_in(row.get("nones", 0))
    if probe is None or detector is None:
        return "an eval line needs probe and detector"
    if passed is None or evaluated is None or nones is None:
        return "an eval line needs passed and total_evaluated (or total) as whole numbers"
    if passed > evaluated:
        return f"passed {passed} of {evaluated} does not make sense"
    interval, fault = _interval(row)
    pair = (probe, detector.removeprefix("detector "))
    if pair in report.stated:
        return f"{probe} with {detector} is there already (line {report.stated[pair].line})"
    report.stated[pair] = _Stated(line, row.get("fails", evaluated - passed), evaluated, nones, interval)
    if report.stated[pair].hits != evaluated - passed:
        return f"passed {passed} and fails {row.get('fails')!r} do not add up to {evaluated}"
    return fault


def _interval(row: dict[str, Any]) -> tuple[Interval | None, str | None]:
    """Give garak's interval. It is one for the failure rate, although the line counts what passed."""
    low, high = number_in(row.get("confidence_lower")), number_in(row.get("confidence_upper"))
    if low is None or high is None:
        return None, None
    if not 0 <= low <= high <= 1:
        return None, f"expected 0 <= confidence_lower <= confidence_upper <= 1, not {low} and {high}"
    method = text_in(row.get("confidence_method"))
    try:
        level = float(row.get("confidence", "nan"))
    except (TypeError, ValueError):
        level = 0.0
    kind = "bootstrap" if method == "bootstrap" else "confidence"
    return Interval(low=low, high=high, kind=kind, level=level if 0 < level < 1 else None, method=method), None


def _record(source: ImportSource, report: _Report, pair: Pair) -> Evidence:
    probe, detector = pair
    stated, tally = report.stated.get(pair), report.tallies.get(pair)
    lost = _lost(report, pair)
    summary = None if tally is None else _summary(tally, stated, lost.unjudged + lost.unscored)
    model = _model(report)
    threats, stands_in = stand_in("garak's test generator") if _is_test_generator(report) else ((), ())
    one_each = report.setup.get("run.generations") == 1
    measurement = (
        _stated_measurement(pair, stated, one_each=one_each) if summary is None else _measurement(pair, summary, stated)
    )
    return Evidence(
        id=record_id(NAME, source.declared.model or model, f"{probe}/{detector}", METRIC, source.digest),
        kind="red_team",
        subject=subject_of(source, model),
        thresholds=source.declared.thresholds,
        measurement=measurement.model_copy(update={"parameters": {"hit_threshold": report.threshold}}),
        elicitation=elicitation_of(source, _elicitation(report, summary)),
        evaluator=evaluator_of(source),
        started=day_in(report.init.get("start_time")),
        finished=day_in((report.completion or {}).get("end_time")) or day_in(report.init.get("start_time")),
        quality="reported" if summary is None else "recomputable",
        threats=threats,
        counts=_stated_counts(stated) if summary is None else summary.counts,
        provenance=Provenance(
            format=NAME,
            file=source.name,
            digest=source.digest or None,
            sample_root=None if summary is None else summary.sample_root,
            tool=f"garak {text_in(report.init.get('garak_version')) or text_in(report.setup.get('_config.version')) or '?'}",
            position=None if stated is None else str(stated.line),
        ),
        remarks=(*stands_in, *_remarks(report, summary, stated, lost)),
    )


@dataclass(frozen=True)
class _Lost:
    """Attempts that left no score by a detector."""

    unjudged: int
    unscored: int


def _lost(report: _Report, pair: Pair) -> _Lost:
    judged = report.judged.get(pair[0], set())
    return _Lost(len(report.begun.get(pair[0], set()) - judged), len(judged) - report.detected[pair])


def _summary(tally: Tally, stated: _Stated | None, lost: int) -> Summary:
    """Give what the outputs say, each weighing alike, as garak counts them; prompts are the clusters."""
    found = tally.summary(reducer="none")
    seen = found.counts.scored + found.counts.unscored
    per_attempt = found.attempts or 1.0
    expected = seen + round(lost * per_attempt)
    if stated is not None:
        expected = max(expected, stated.evaluated + stated.nones)
    return tally.summary(reducer="none", planned=expected)


def _measurement(pair: Pair, summary: Summary, stated: _Stated | None) -> Measurement:
    header = None if stated is None else stated.rate
    agrees = stated is not None and not _disagrees(summary, stated)
    return measured(
        "/".join(pair),
        METRIC,
        summary,
        n_kind="prompts",
        header_value=header,
        interval=stated.interval if stated is not None and agrees else None,
    )


def _stated_measurement(pair: Pair, stated: _Stated | None, *, one_each: bool) -> Measurement:
    """Give what the eval line says; its outputs are independent only if there was one per prompt."""
    assert stated is not None, "a pair comes from attempts or from an eval line"
    return Measurement(
        evaluation="/".join(pair),
        metric=METRIC,
        value=stated.rate,
        n=stated.evaluated,
        n_kind="prompts" if one_each else "outputs",
        binary=one_each,
        successes=float(stated.hits),
        header_value=stated.rate,
        interval=stated.interval,
        worst_case=(stated.hits + stated.nones) / max(1, stated.evaluated + stated.nones),
    )


def _stated_counts(stated: _Stated | None) -> Counts:
    assert stated is not None, "a pair comes from attempts or from an eval line"
    planned = stated.evaluated + stated.nones
    return Counts(planned=planned, completed=planned, scored=stated.evaluated, unscored=stated.nones)


def _disagrees(summary: Summary, stated: _Stated) -> bool:
    counts = summary.counts
    return (_hits(summary), counts.scored, counts.unscored) != (stated.hits, stated.evaluated, stated.nones)


def _hits(summary: Summary) -> int:
    return round((summary.value or 0.0) * summary.counts.scored)


def _remarks(report: _Report, summary: Summary | None, stated: _Stated | None, lost: _Lost) -> Iterator[Remark]:
    if report.completion is None:
        message = "the report has no completion line: the run was cut off, or the report put together from others"
        yield Remark(code="EVI008", message=message, blocks_rule_out=True)
    if lost.unjudged:
        message = f"{lost.unjudged} attempts were sent and never judged"
        yield Remark(code="EVI008", message=message, blocks_rule_out=True)
    if summary is not None and lost.unscored:
        message = f"{lost.unscored} judged attempts have no score by this detector"
        yield Remark(code="EVI008", message=message)
    if stated is not None and summary is not None and _disagrees(summary, stated):
        message = (
            f"the eval line says {stated.hits} hits in {stated.evaluated} outputs, "
            f"the attempts {_hits(summary)} in {summary.counts.scored}"
        )
        yield Remark(code="EVI004", message=message, blocks_rule_out=True)
    asked = _generations(report)
    if summary is not None and asked is not None and summary.attempts is not None and summary.attempts < asked:
        message = f"{asked} answers were asked for per prompt, {summary.attempts:g} came back on average"
        yield Remark(code="EVI008", message=message)
    interval = None if stated is None else stated.interval
    rate = None if stated is None else stated.rate
    if interval is not None and rate is not None and not (interval.low or 0) <= rate <= (interval.high or 0):
        message = f"garak's interval {interval.low} to {interval.high} does not hold its failure rate {rate:g}"
        yield Remark(code="EVI004", message=message, blocks_rule_out=True)


def _model(report: _Report) -> str:
    setup = report.setup
    named = text_in(setup.get("plugins.target_name")) or text_in(setup.get("plugins.model_name"))
    kind = text_in(setup.get("plugins.target_type")) or text_in(setup.get("plugins.model_type"))
    return named or kind or "unknown"


def _is_test_generator(report: _Report) -> bool:
    setup = report.setup
    kind = text_in(setup.get("plugins.target_type")) or text_in(setup.get("plugins.model_type")) or ""
    return kind.split(".", 1)[0] == "test"


def _generations(report: _Report) -> int | None:
    return count_in(report.setup.get("run.generations")) or None


def _elicitation(report: _Report, summary: Summary | None) -> Elicitation:
    """Give how often each prompt was tried: as seen, because targets may give fewer answers than asked for."""
    attempts = _generations(report) if summary is None else math.floor(summary.attempts or 1)
    several = attempts is not None and attempts > 1
    return Elicitation(elements=("multiple_attempts",) if several else (), attempts=attempts, basis="extracted")


def _notices(source: ImportSource, report: _Report) -> Iterator[Problem]:
    if not report.threshold_stated and report.tallies:
        message = (
            f"the report states no hit threshold; a detector's score of {report.threshold} or more counts as a hit"
        )
        yield Problem("EVI010", message, Where(source.name), severity="note")

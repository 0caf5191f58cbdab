# SPDX-License-Identifier: Apache-2.0
"""Figures recomputed from samples: what a log's summary should have said, and what it leaves out.

Nothing but numbers, ids and one short row per sample is kept, so samples may be streamed.
A sample that was lost (errored, invalidated, answered by another model, unscored, missing) never
leaves a trace in a mean; here it is counted, and the worst case counts it as a success of the model.
"""

import math
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tidegate.evidence.model import Counts
from tidegate.kernel.canonical import canonical_bytes, merkle_root

MAX_ERROR_CHARS = 200
"""An error's text enters the canonical row up to here, so that tracebacks do not fill the memory."""

_K_REDUCER = re.compile(r"(at_least|pass_at|pass_k)_(\d{1,6})\Z")
_PLAIN_REDUCERS = ("mean", "median", "mode", "max", "none")
_LABELS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}

Status = Literal["scored", "errored", "invalidated", "fallback", "unscored"]


@dataclass(frozen=True, slots=True)
class SampleRow:
    """One sample in one epoch, as one scorer judged it."""

    id: str
    """Sample id: the independent unit."""
    epoch: int
    """Which repetition, from 1."""
    scorer: str
    """Who judged it."""
    value: float | None
    """The score as a number; none if there is none."""
    error: str | None = None
    """Error that ended the sample."""
    invalidated: bool = False
    """Declared invalid afterwards."""
    fallback: bool = False
    """Answered, wholly or partly, by another model than the one under test."""
    cluster: str | None = None
    """Group of related samples; none means that the sample stands alone."""
    label: str | None = None
    """The score as written, if not a number: the mode is taken over labels."""
    logged: float | None = None
    """The number that the log's own tool takes where `value` is none."""

    @property
    def status(self) -> Status:
        """What became of the sample: the first reason why its score does not count, or ``scored``."""
        if self.error is not None:
            return "errored"
        if self.invalidated:
            return "invalidated"
        if self.fallback:
            return "fallback"
        return "unscored" if self.value is None else "scored"


@dataclass(frozen=True)
class Summary:
    """What the samples say under one way of reducing epochs."""

    value: float | None
    """Mean over the units with a valid score; none if there is no such unit."""
    as_logged: float | None
    """The same over every score in the log, valid or not: what the log's own tool computes."""
    errors_as_zero: float | None
    """The figure with every lost sample counted as a failure; none off the scale 0 to 1."""
    worst_case: float | None
    """The figure with every lost sample counted as a success; none off the scale 0 to 1."""
    n: int
    """Units with a valid score."""
    attempts: float | None
    """Epochs per unit: as planned, or else the mean number seen."""
    successes: float | None
    """Sum of the unit scores, on a scale from 0 to 1."""
    binary: bool
    """True if every unit scores 0 or 1 in a single attempt."""
    in_unit_interval: bool
    """True if every score lies between 0 and 1."""
    standard_error: float | None
    """Standard error of `value`; none if the scores do not vary, because zero would claim certainty."""
    clusters: int | None
    """Clusters behind the standard error."""
    counts: Counts
    """Samples at each stage, each counted once."""
    sample_root: str
    """RFC 6962 root over the canonical rows, in the order of id, epoch and scorer."""
    lowest: float | None = None
    """Lowest score; off the scale 0 to 1 the figure is no share, even if it lies there itself."""
    highest: float | None = None
    """Highest score."""


class DuplicateSampleError(ValueError):
    """The same sample occurs twice in the same epoch."""

    def __init__(self, sample: str, epoch: int) -> None:
        super().__init__(f"sample {sample!r} occurs twice in epoch {epoch}")


@dataclass(slots=True)
class _Unit:
    valid: list[float] = field(default_factory=list)
    logged: list[float] = field(default_factory=list)
    labels: list[str | float] = field(default_factory=list)
    epochs: set[int] = field(default_factory=set)
    cluster: str | None = None


def value_to_float(value: object) -> float | None:
    """Give a score as Inspect's default ``value_to_float`` does, or none where it cannot be read.

    C, P, I and N are 1, 0.5, 0 and 0; yes, no, true and false are 1 and 0; numbers and numeric text are
    themselves. Inspect takes what it cannot read for 0; here it is no score.
    """
    if not isinstance(value, bool | int | float | str):
        return None
    if isinstance(value, str) and value in _LABELS:
        return _LABELS[value]
    if isinstance(value, str) and value.lower() in _WORDS:
        return _WORDS[value.lower()]
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def canonical_row(row: SampleRow) -> bytes:
    """Give the canonical bytes of a row: id, epoch, scorer, value and error (RFC 8785)."""
    error = None if row.error is None else row.error[:MAX_ERROR_CHARS]
    return canonical_bytes([row.id, row.epoch, row.scorer, row.value, error])


def pass_at_k(values: Sequence[float], k: int) -> float:
    """Give the unbiased chance that one of k attempts succeeds (Chen et al. 2021, arXiv 2107.03374, eq. 1)."""
    total, correct = len(values), sum(value >= 1 for value in values)
    if total < k:
        return math.nan
    return 1.0 - math.comb(total - correct, k) / math.comb(total, k)


def pass_hat_k(values: Sequence[float], k: int) -> float:
    """Give the unbiased chance that all of k attempts succeed (Yao et al. 2024, arXiv 2406.12045, section 4)."""
    total, correct = len(values), sum(value >= 1 for value in values)
    return math.comb(correct, k) / math.comb(total, k) if total >= k else math.nan


def known_reducer(name: str) -> bool:
    """True if epochs can be reduced that way here."""
    return name in _PLAIN_REDUCERS or _K_REDUCER.match(name) is not None


def reduce_epochs(values: Sequence[float], reducer: str) -> float:
    """Give one score for a unit's scores; not-a-number where the reducer is undefined.

    Args:
        values: the unit's scores, at least one.
        reducer: ``mean``, ``median``, ``mode`` (the first of the most frequent), ``max``, ``at_least_<k>``,
            ``pass_at_<k>`` or ``pass_k_<k>``.

    Raises:
        ValueError: the reducer is not known.
    """
    if reducer in ("mean", "none"):
        return math.fsum(values) / len(values)
    if reducer == "median":
        return float(statistics.median(values))
    if reducer == "mode":
        return Counter(values).most_common(1)[0][0]
    if reducer == "max":
        return max(values)
    found = _K_REDUCER.match(reducer)
    if found is None:
        raise ValueError(f"the reducer {reducer!r} is not known")
    k = int(found.group(2))
    if found.group(1) == "pass_at":
        return pass_at_k(values, k)
    if found.group(1) == "pass_k":
        return pass_hat_k(values, k)
    return 1.0 if sum(value >= 1 for value in values) >= k else 0.0


def clustered_standard_error(values: Sequence[float], clusters: Sequence[str]) -> float | None:
    """Give the standard error of the mean, deviations summed within clusters first.

    Miller 2024 (arXiv 2411.00640), Appendix A, with the correction C / (C - 1) for few clusters.
    With one value per cluster it is the ordinary standard error.

    Returns:
        None with fewer than two clusters, or where nothing varies: zero would claim certainty.
    """
    mean = math.fsum(values) / len(values)
    sums: dict[str, float] = {}
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + value - mean
    if len(sums) < 2:
        return None
    squares = math.fsum(deviation * deviation for deviation in sums.values())
    error = math.sqrt(squares * len(sums) / (len(sums) - 1)) / len(values)
    return error if error > 1e-12 * max(1.0, abs(mean)) else None


class Tally:
    """Rows of one scorer, kept as numbers, from which summaries are made under several reducers."""

    def __init__(self) -> None:
        self._units: dict[str, _Unit] = {}
        self._rows: list[tuple[str, int, str, bytes]] = []
        self._statuses: Counter[Status] = Counter()
        self._low = math.inf
        self._high = -math.inf

    def add(self, row: SampleRow) -> None:
        """Take in a row.

        Raises:
            DuplicateSampleError: the sample's epoch is there already.
        """
        unit = self._units.setdefault(row.id, _Unit(cluster=row.cluster))
        if row.epoch in unit.epochs:
            raise DuplicateSampleError(row.id, row.epoch)
        unit.epochs.add(row.epoch)
        self._rows.append((row.id, row.epoch, row.scorer, canonical_row(row)))
        status = row.status
        self._statuses[status] += 1
        logged = row.logged if row.value is None else row.value
        if logged is not None:
            unit.logged.append(logged)
            unit.labels.append(row.label if row.label is not None else logged)
        if row.value is not None:
            self._low, self._high = min(self._low, row.value), max(self._high, row.value)
        if status == "scored" and row.value is not None:
            unit.valid.append(row.value)

    def sample_root(self) -> str:
        """Give the root over the canonical rows, whatever order they came in."""
        return merkle_root(row[3] for row in sorted(self._rows))

    def summary(self, *, reducer: str = "mean", planned: int | None = None, epochs: int | None = None) -> Summary:
        """Give what the rows say.

        Args:
            reducer: how a unit's epochs become one score (see `reduce_epochs`); ``none`` weighs every attempt alike.
            planned: samples times epochs that the run set out to do; none if not known.
            epochs: attempts that each unit was to have; none if not known.
        """
        seen = len(self._rows)
        planned = None if planned is None else max(planned, seen)
        scores, clusters = self._unit_scores(reducer)
        value = math.fsum(scores) / len(scores) if scores else None
        n = sum(1 for unit in self._units.values() if self._reduced(unit.valid, reducer) is not None)
        one_attempt = all(len(unit.epochs) == 1 for unit in self._units.values()) and epochs in (None, 1)
        on_scale = bool(scores) and self._low >= 0 and self._high <= 1
        return Summary(
            value=value,
            as_logged=self.as_logged(reducer),
            errors_as_zero=self._filled(0.0, reducer, planned, epochs) if on_scale else None,
            worst_case=self._filled(1.0, reducer, planned, epochs) if on_scale else None,
            n=n,
            attempts=float(epochs) if epochs else (seen / len(self._units) if self._units else None),
            successes=math.fsum(scores) if on_scale and reducer != "none" else None,
            binary=bool(scores) and one_attempt and all(score in (0.0, 1.0) for score in scores),
            in_unit_interval=on_scale,
            standard_error=clustered_standard_error(scores, clusters) if scores else None,
            clusters=len(set(clusters)) or None,
            counts=self._counts(planned),
            sample_root=self.sample_root(),
            lowest=self._low if math.isfinite(self._low) else None,
            highest=self._high if math.isfinite(self._high) else None,
        )

    def _unit_scores(self, reducer: str) -> tuple[list[float], list[str]]:
        scores: list[float] = []
        clusters: list[str] = []
        for name, unit in self._units.items():
            reduced = unit.valid if reducer == "none" else [self._reduced(unit.valid, reducer)]
            kept = [score for score in reduced if score is not None]
            scores += kept
            # A unit without a group is a group of its own; the prefix keeps the two kinds of names apart.
            clusters += [f"c{unit.cluster}" if unit.cluster is not None else f"u{name}"] * len(kept)
        return scores, clusters

    @staticmethod
    def _reduced(values: Sequence[float], reducer: str) -> float | None:
        if not values:
            return None
        score = reduce_epochs(values, reducer)
        return None if math.isnan(score) else score

    def as_logged(self, reducer: str = "mean") -> float | None:
        """Give the figure over every score in the log, valid or not: what the log's own tool computes."""
        if reducer == "none":
            values = [value for unit in self._units.values() for value in unit.logged]
            return math.fsum(values) / len(values) if values else None
        scores = [score for unit in self._units.values() if (score := _logged_score(unit, reducer)) is not None]
        return math.fsum(scores) / len(scores) if scores else None

    def logged_scores(self, reducer: str = "mean") -> dict[str, float]:
        """Give what the log's own tool makes of each unit, for comparison with what the log says it made."""
        scores = ((name, _logged_score(unit, reducer)) for name, unit in self._units.items())
        return {name: score for name, score in scores if score is not None}

    def _filled(self, fill: float, reducer: str, planned: int | None, epochs: int | None) -> float | None:
        """Give the figure with every lost sample counted as `fill`."""
        planned = len(self._rows) if planned is None else planned
        if reducer == "none":
            values = [value for unit in self._units.values() for value in unit.valid]
            return (math.fsum(values) + fill * (planned - len(values))) / planned if planned else None
        per_unit = epochs or max((len(unit.epochs) for unit in self._units.values()), default=1)
        units = max(len(self._units), -(-planned // per_unit))
        scores = [self._filled_unit(unit, fill, reducer, per_unit) for unit in self._units.values()]
        return (math.fsum(scores) + fill * (units - len(scores))) / units if units else None

    def _filled_unit(self, unit: _Unit, fill: float, reducer: str, per_unit: int) -> float:
        lost = max(per_unit, len(unit.epochs)) - len(unit.valid)
        # The filling comes first, because the first of equally frequent scores is the mode.
        score = self._reduced([fill] * lost + unit.valid, reducer)
        return fill if score is None else score

    def _counts(self, planned: int | None) -> Counts:
        seen = len(self._rows)
        return Counts(
            planned=planned,
            completed=seen - self._statuses["errored"],
            errored=self._statuses["errored"],
            scored=self._statuses["scored"],
            unscored=self._statuses["unscored"],
            invalidated=self._statuses["invalidated"],
            fallback=self._statuses["fallback"],
            missing=0 if planned is None else planned - seen,
        )


def _logged_score(unit: _Unit, reducer: str) -> float | None:
    if not unit.logged:
        return None
    if reducer == "mode":
        label = Counter(unit.labels).most_common(1)[0][0]
        return unit.logged[unit.labels.index(label)]
    score = reduce_epochs(unit.logged, reducer)
    return None if math.isnan(score) else score


def summarise(
    rows: Iterable[SampleRow], *, planned: int | None = None, epochs: int | None = None, reducer: str = "mean"
) -> Summary:
    """Give what the rows of one scorer say: the figure, its error, its worst case, the counts and the root.

    Example:
        >>> rows = [SampleRow(str(i), 1, "match", 1.0) for i in range(3)] + [SampleRow("3", 1, "match", None, "boom")]
        >>> summary = summarise(rows, planned=4)
        >>> summary.value, summary.errors_as_zero, summary.worst_case, summary.counts.errored
        (1.0, 0.75, 1.0, 1)

    Raises:
        DuplicateSampleError: a sample occurs twice in one epoch.
        ValueError: the reducer is not known.
    """
    tally = Tally()
    for row in rows:
        tally.add(row)
    return tally.summary(reducer=reducer, planned=planned, epochs=epochs)

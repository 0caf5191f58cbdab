# SPDX-License-Identifier: Apache-2.0
"""The time horizon: how long, for a person, the tasks are that a model completes half of the time.

Method of Kwa et al. (METR, arXiv:2503.14499) as METR's public analysis code computes it: a logistic regression of
success on log2 of human minutes, weighted so that large families do not dominate, lightly regularised on the slope
only, with a hierarchical bootstrap over families, tasks and runs.
The regularisation was 0.1 in figures published before March 2026 and is 1e-5 since; the difference moved horizons by
up to 31 %, so every parameter is part of the result.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Weighting = Literal["invsqrt", "equal"]
"""How much a run counts.

- `invsqrt`: 1 / (runs at the task · √(tasks in the family)); METR's headline figures.
- `equal`: 1 / runs at the task.
"""

BATCH = 256
"""Draws fitted at once: a few matrices of this height and some hundred tasks stay in the processor's cache."""

STEPS = 200
"""Newton steps before a fit is given up; ordinary fits take fewer than ten."""


@dataclass(frozen=True, slots=True)
class Runs:
    """What one model did, one row per task and score. Tasks and families are codes; of a task all rows agree."""

    task: IntArray
    family: IntArray
    minutes: FloatArray
    """How long the task takes a person."""
    score: FloatArray
    """From 0 (failed) to 1 (solved)."""
    count: IntArray
    """How many runs had this score."""

    def __post_init__(self) -> None:
        columns = (self.task, self.family, self.minutes, self.score, self.count)
        if self.task.ndim != 1 or any(column.shape != self.task.shape for column in columns) or not self.task.size:
            raise ValueError("runs are five columns of the same length, with at least one row")
        if not (np.all(np.isfinite(self.minutes)) and np.all(self.minutes > 0)):
            raise ValueError("human minutes are above zero")
        if not np.all((self.score >= 0) & (self.score <= 1)):
            raise ValueError("scores lie between 0 and 1")
        if not (np.all(self.count >= 0) and self.count.sum() > 0):
            raise ValueError("counts are at least 0, and one is above")
        _, first, codes = np.unique(self.task, return_index=True, return_inverse=True)
        if np.any(self.minutes != self.minutes[first][codes]) or np.any(self.family != self.family[first][codes]):
            raise ValueError("a task has one length and one family")


@dataclass(frozen=True, slots=True)
class HorizonOptions:
    """Every choice that moves the result."""

    weighting: Weighting = "invsqrt"
    regularisation: float = 1e-5
    replicates: int = 1000
    seed: int = 42
    level: float = 0.95
    """Two-sided level of the percentile intervals; 0.90 gives one-sided bounds at 95 %."""

    def __post_init__(self) -> None:
        if self.weighting not in {"invsqrt", "equal"}:
            raise ValueError(f"unknown weighting {self.weighting!r}")
        if not (self.regularisation > 0 and self.replicates >= 0 and self.seed >= 0 and 0 < self.level < 1):
            raise ValueError("regularisation above 0, replicates and seed at least 0, level between 0 and 1")


class Coefficients(NamedTuple):
    """The fitted curve: the log odds of success are intercept + slope · log2(minutes).

    Without any failure the intercept is infinite, without any success minus infinite, and the slope is zero.
    """

    intercept: float
    slope: float

    def horizon(self, quantile: float) -> float:
        """The human minutes at which success has this probability.

        0 without any success, infinite without any failure, and not a number where success does not fall with
        length, for then no length has that meaning.
        """
        return float(_horizons(np.array([self.intercept]), np.array([self.slope]), quantile)[0])


class Draws(NamedTuple):
    """Curves fitted to resampled runs, one per replicate."""

    intercept: FloatArray
    slope: FloatArray

    def horizon(self, quantile: float) -> FloatArray:
        """The horizon of every draw, with the special values of `Coefficients.horizon`."""
        return _horizons(self.intercept, self.slope, quantile)


class Horizon(NamedTuple):
    """Human minutes with a percentile interval; not a number where there is none."""

    minutes: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HorizonFit:
    """A time horizon with everything that is needed to compute it again, and to doubt it."""

    p50: Horizon
    p80: Horizon
    intercept: float
    slope: float
    options: HorizonOptions
    runs: int
    tasks: int
    families: int
    skipped: int
    """Draws without any success, left out of the intervals as METR leaves them out."""
    unbounded: int
    """Draws without any failure, or in which success did not fall with length: no upper bound comes from them."""
    longest_task: float
    """Minutes of the longest task."""
    longest_informative_task: float
    """Minutes of the longest task at which any run scored above zero; 0 if there is none."""
    weight_beyond_informative: float
    """Share of the weight on tasks longer than that: there the curve rests on failures alone."""
    weight_beyond_p50: float
    """Share of the weight on tasks at least as long as the 50 % horizon."""
    weight_beyond_p50_high: float
    """Share of the weight on tasks at least as long as its upper bound: near 0, the bound is extrapolation.
    Not a number without a bound."""


class _Table(NamedTuple):
    """One column per task: what a fit depends on."""

    task: IntArray
    family: IntArray
    minutes: FloatArray
    weight: FloatArray
    """Weight of one run at the task; over all runs the weights sum to 1."""
    runs: IntArray
    score: FloatArray
    """Score levels, a row per level; unused places are zero."""
    at_level: IntArray
    """Runs at each level."""


def runs_by_model(
    models: Sequence[str],
    tasks: Sequence[str],
    families: Sequence[str],
    minutes: ArrayLike,
    scores: ArrayLike,
) -> dict[str, Runs]:
    """The rows of a run table, one `Runs` per model, with the same task codes in all.

    The rows may come in any order: codes follow the sorted labels.
    """
    _, family = np.unique(np.asarray(families, dtype=str), return_inverse=True)
    _, task = np.unique(np.asarray(tasks, dtype=str), return_inverse=True)
    names, model = np.unique(np.asarray(models, dtype=str), return_inverse=True)
    lengths, results = np.asarray(minutes, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    return {
        str(name): Runs(
            task[rows], family[rows], lengths[rows], results[rows], np.ones(int(rows.sum()), dtype=np.int64)
        )
        for name, rows in ((name, model == place) for place, name in enumerate(names))
    }


def runs_from_counts(
    tasks: Sequence[str], families: Sequence[str], minutes: ArrayLike, successes: ArrayLike, attempts: ArrayLike
) -> Runs:
    """The runs behind a table of successes and attempts per task."""
    _, task = np.unique(np.asarray(tasks, dtype=str), return_inverse=True)
    _, family = np.unique(np.asarray(families, dtype=str), return_inverse=True)
    solved, tried = np.asarray(successes, dtype=np.int64), np.asarray(attempts, dtype=np.int64)
    if np.any(solved > tried):
        raise ValueError("successes lie between 0 and the attempts")
    return Runs(
        task=np.tile(task, 2),
        family=np.tile(family, 2),
        minutes=np.tile(np.asarray(minutes, dtype=np.float64), 2),
        score=np.repeat([1.0, 0.0], task.size),
        count=np.concatenate([solved, tried - solved]),
    )


def run_weights(
    tasks: ArrayLike, families: ArrayLike, scheme: Weighting, counts: ArrayLike | None = None
) -> FloatArray:
    """The weight of one run of each row; over all runs they sum to 1.

    Args:
        tasks: Task of each row, in any labels.
        families: Family of each row, in any labels.
        scheme: See `Weighting`.
        counts: Runs that each row stands for; one if left out.
    """
    _, first, task = np.unique(np.asarray(tasks), return_index=True, return_inverse=True)
    _, family = np.unique(np.asarray(families), return_inverse=True)
    count = np.ones(task.size) if counts is None else np.asarray(counts, dtype=np.float64)
    per_task = np.bincount(task, weights=count)
    is_run = per_task > 0
    tasks_in_family = np.bincount(family[first], weights=is_run.astype(np.float64), minlength=int(family.max()) + 1)
    raw = np.divide(1.0, per_task, out=np.zeros_like(per_task), where=is_run)
    if scheme == "invsqrt":
        raw = raw / np.sqrt(np.maximum(tasks_in_family[family[first]], 1.0))
    return np.asarray((raw / (raw @ per_task))[task], dtype=np.float64)


def fit(minutes: ArrayLike, score: ArrayLike, weights: ArrayLike, regularisation: float = 1e-5) -> Coefficients:
    """The curve that minimises ½·λ·slope² + Σ weight·logloss; the intercept is free.

    The same optimum as scikit-learn's `LogisticRegression(C=1/λ)` on rows split by score, found by Newton's method
    to rounding error.

    Args:
        minutes: Human minutes per row.
        score: From 0 to 1 per row; a fraction counts as that share of a success.
        weights: Weight per row.
        regularisation: λ.
    """
    x = np.log2(np.asarray(minutes, dtype=np.float64))
    trials = np.asarray(weights, dtype=np.float64)
    draws = _fit_batch(x, trials[None, :], (trials * np.asarray(score, dtype=np.float64))[None, :], regularisation)
    return Coefficients(float(draws.intercept[0]), float(draws.slope[0]))


def bootstrap(models: Mapping[str, Runs], options: HorizonOptions) -> dict[str, Draws]:
    """Curves fitted to resampled runs: families, then tasks within a family, then runs at a task, with replacement.

    Families and tasks are drawn once for all models, so that comparisons between them are tight; runs are drawn per
    model. Each copy of a task draws its own runs. Weights stay those of the data and are not normalised again.
    As a curve depends on the runs at a task only through their number and summed score, the draws are taken as
    counts (multinomial and binomial), which has the same distribution as drawing rows.
    The draws come from the seed alone: one stream for families and tasks, one per model's name for runs, so the
    order of the models does not matter.

    Args:
        models: Runs by model, with the same task codes in all.
        options: Weighting, regularisation, number of draws and seed.
    """
    tables = {name: _table(runs, options.weighting) for name, runs in models.items()}
    tasks, families = _suite(tables.values())
    copies = _task_copies(families, options.replicates, np.random.default_rng([options.seed, 0]))
    return {
        name: _bootstrap_one(
            table,
            copies[:, np.searchsorted(tasks, table.task)],
            options.regularisation,
            np.random.default_rng([options.seed, 1, *name.encode()]),
        )
        for name, table in tables.items()
    }


def time_horizon(runs: Runs, options: HorizonOptions | None = None, *, name: str = "") -> HorizonFit:
    """The 50 % and 80 % time horizons of one model; `name` picks its stream of draws."""
    return time_horizons({name: runs}, options)[name]


def time_horizons(models: Mapping[str, Runs], options: HorizonOptions | None = None) -> dict[str, HorizonFit]:
    """The 50 % and 80 % time horizons of several models on one suite, from shared draws of families and tasks."""
    chosen = options or HorizonOptions()
    draws = bootstrap(models, chosen)
    return {name: _summary(runs, draws[name], chosen) for name, runs in models.items()}


def _summary(runs: Runs, draws: Draws, options: HorizonOptions) -> HorizonFit:
    table = _table(runs, options.weighting)
    minutes = table.minutes
    trials, solved = table.weight * table.runs, table.weight * (table.score * table.at_level).sum(axis=0)
    fitted = _fit_batch(np.log2(minutes), trials[None, :], solved[None, :], options.regularisation)
    curve = Coefficients(float(fitted.intercept[0]), float(fitted.slope[0]))
    p50, p80 = (Horizon(curve.horizon(q), *_percentiles(draws.horizon(q), options.level)) for q in (0.5, 0.8))
    longest = float(minutes[solved > 0].max(initial=0.0))
    return HorizonFit(
        p50=p50,
        p80=p80,
        intercept=curve.intercept,
        slope=curve.slope,
        options=options,
        runs=int(table.runs.sum()),
        tasks=table.task.size,
        families=np.unique(table.family).size,
        skipped=int(np.sum(np.isneginf(draws.intercept))),
        unbounded=int(np.sum(~np.isneginf(draws.intercept) & (draws.slope >= 0))),
        longest_task=float(minutes.max()),
        longest_informative_task=longest,
        weight_beyond_informative=float(trials[minutes > longest].sum()),
        weight_beyond_p50=float(trials[minutes >= p50.minutes].sum()),
        weight_beyond_p50_high=float("nan") if np.isnan(p50.high) else float(trials[minutes >= p50.high].sum()),
    )


def _percentiles(horizons: FloatArray, level: float) -> tuple[float, float]:
    """Percentile interval: draws at 0 (no success) left out, draws without a meaning counted as no help at either end.

    METR leaves draws without any failure out as well; dropping them would lower the upper bound.
    """
    kept = horizons[~(horizons == 0)]
    if kept.size == 0:
        return float("nan"), float("nan")
    tails = (1.0 - level) / 2.0, (1.0 + level) / 2.0
    is_undefined = np.isnan(kept)
    low = _quantile(np.where(is_undefined, 0.0, kept), tails[0])
    high = _quantile(np.where(is_undefined, np.inf, kept), tails[1])
    return low, high


def _quantile(values: FloatArray, probability: float) -> float:
    """The linear quantile, where interpolation towards infinity is infinite."""
    ordered = np.sort(values)
    place = probability * (ordered.size - 1)
    below, share = int(place), place - int(place)
    if share == 0 or ordered[below] == ordered[below + 1]:
        return float(ordered[below])
    return float(ordered[below] + share * (ordered[below + 1] - ordered[below]))


def _horizons(intercept: FloatArray, slope: FloatArray, quantile: float) -> FloatArray:
    falls = slope < 0
    with np.errstate(over="ignore", invalid="ignore"):
        minutes = np.exp2((special.logit(quantile) - intercept) / np.where(falls, slope, np.nan))
    return np.asarray(
        np.select([np.isneginf(intercept), np.isposinf(intercept)], [0.0, np.inf], minutes), dtype=np.float64
    )


def _table(runs: Runs, weighting: Weighting) -> _Table:
    kept = runs.count > 0
    task, score, count = runs.task[kept], runs.score[kept], runs.count[kept]
    weights = run_weights(task, runs.family[kept], weighting, count)
    codes, first, column = np.unique(task, return_index=True, return_inverse=True)
    levels, place = np.unique(np.stack([column, score]), axis=1, return_inverse=True)
    owner = levels[0].astype(np.int64)
    rank = np.arange(owner.size) - np.searchsorted(owner, owner)
    shape = (int(rank.max()) + 1, codes.size)
    scores, counts = np.zeros(shape), np.zeros(shape, dtype=np.int64)
    scores[rank, owner] = levels[1]
    counts[rank, owner] = np.bincount(place.ravel(), weights=count).astype(np.int64)
    return _Table(
        task=codes,
        family=runs.family[kept][first],
        minutes=runs.minutes[kept][first],
        weight=weights[first],
        runs=counts.sum(axis=0),
        score=scores,
        at_level=counts,
    )


def _suite(tables: Iterable[_Table]) -> tuple[IntArray, IntArray]:
    """Every task that any model tried, with its family."""
    rows = list(tables)
    families = np.concatenate([table.family for table in rows])
    tasks, first, column = np.unique(
        np.concatenate([table.task for table in rows]), return_index=True, return_inverse=True
    )
    if np.any(families != families[first][column]):
        raise ValueError("models on one suite agree about the family of each task")
    return tasks, families[first]


def _task_copies(families: IntArray, replicates: int, rng: np.random.Generator) -> IntArray:
    """How often each task occurs in each draw: families first, then tasks within each copy of a family."""
    _, family, sizes = np.unique(families, return_inverse=True, return_counts=True)
    drawn = rng.multinomial(sizes.size, np.full(sizes.size, 1.0 / sizes.size), size=replicates)
    copies = np.zeros((replicates, families.size), dtype=np.int64)
    for place, size in enumerate(sizes):
        within = rng.multinomial(drawn[:, place] * size, np.full(size, 1.0 / size))
        copies[:, family == place] = within
    return copies


def _bootstrap_one(table: _Table, copies: IntArray, regularisation: float, rng: np.random.Generator) -> Draws:
    scores = _resampled_scores(table, copies, rng)
    trials = copies * (table.weight * table.runs)
    solved = scores * table.weight
    x = np.log2(table.minutes)
    parts = [
        _fit_batch(x, trials[start : start + BATCH], solved[start : start + BATCH], regularisation)
        for start in range(0, len(copies), BATCH)
    ]
    empty = np.zeros(0)
    return Draws(
        np.concatenate([empty, *(part.intercept for part in parts)]),
        np.concatenate([empty, *(part.slope for part in parts)]),
    )


def _resampled_scores(table: _Table, copies: IntArray, rng: np.random.Generator) -> FloatArray:
    """Summed scores at each task when every copy of it draws its runs with replacement.

    The numbers of runs at each score level are multinomial; they are drawn level by level as binomials of what is
    left, and the last level takes the rest without a draw.
    """
    left = copies * table.runs
    pool = table.runs.copy()
    total = np.zeros(copies.shape)
    for score, count in zip(table.score, table.at_level, strict=True):
        is_last = count == pool
        columns = np.flatnonzero((count > 0) & ~is_last)
        taken = np.where(is_last, left, 0)
        taken[:, columns] = rng.binomial(left[:, columns], count[columns] / pool[columns])
        total += taken * score
        left, pool = left - taken, pool - count
    return total


def _fit_batch(x: FloatArray, trials: FloatArray, solved: FloatArray, regularisation: float) -> Draws:
    """Fit one curve per row by damped Newton steps; rows leave as they converge."""
    total, positive = trials.sum(axis=1), solved.sum(axis=1)
    negative = (trials - solved).sum(axis=1)
    has_both = (positive > 1e-12 * total) & (negative > 1e-12 * total)
    intercept = np.where(positive > negative, np.inf, -np.inf)
    slope = np.zeros(len(trials))
    rows = np.flatnonzero(has_both)
    problem = _Problem(x - x.mean(), trials[rows], solved[rows], regularisation)
    found = _newton(problem, np.stack([np.log(positive[rows] / negative[rows]), np.zeros(rows.size)], axis=1))
    intercept[rows] = found[:, 0] - found[:, 1] * x.mean()
    slope[rows] = found[:, 1]
    return Draws(intercept, slope)


class _Problem(NamedTuple):
    x: FloatArray
    trials: FloatArray
    solved: FloatArray
    regularisation: float

    def of(self, rows: NDArray[np.bool_]) -> "_Problem":
        return self._replace(trials=self.trials[rows], solved=self.solved[rows])

    def loss(self, beta: FloatArray) -> FloatArray:
        z = beta[:, :1] + beta[:, 1:] * self.x
        # log(1 + exp(z)) without overflow, cheaper than logaddexp
        softplus = np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))
        fitted = np.einsum("ij,ij->i", self.trials, softplus) - np.einsum("ij,ij->i", self.solved, z)
        return np.asarray(fitted + 0.5 * self.regularisation * beta[:, 1] ** 2, dtype=np.float64)

    def step(self, beta: FloatArray) -> FloatArray:
        p = special.expit(beta[:, :1] + beta[:, 1:] * self.x)
        expected = self.trials * p
        residual = expected - self.solved
        gradient = residual @ np.stack([np.ones_like(self.x), self.x], axis=1)
        gradient[:, 1] += self.regularisation * beta[:, 1]
        curvature = (expected * (1.0 - p)) @ np.stack([np.ones_like(self.x), self.x, self.x**2], axis=1)
        h00, h01, h11 = curvature[:, 0], curvature[:, 1], curvature[:, 2] + self.regularisation
        determinant = np.maximum(h00 * h11 - h01**2, np.finfo(np.float64).tiny)
        first = (h11 * gradient[:, 0] - h01 * gradient[:, 1]) / determinant
        second = (h00 * gradient[:, 1] - h01 * gradient[:, 0]) / determinant
        return np.stack([first, second], axis=1)


def _newton(problem: _Problem, start: FloatArray) -> FloatArray:
    beta = start.copy()
    active = np.arange(len(start))
    loss = problem.loss(start)
    for _ in range(STEPS):
        if active.size == 0:
            return beta
        step = problem.step(beta[active])
        moved, loss = _descend(problem, beta[active], step, loss)
        beta[active] = moved
        is_moving = np.abs(step).max(axis=1) > 1e-9 * (1.0 + np.abs(moved).max(axis=1))
        active, loss, problem = active[is_moving], loss[is_moving], problem.of(is_moving)
    raise ArithmeticError("the logistic fit did not converge")


def _descend(problem: _Problem, beta: FloatArray, step: FloatArray, loss: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Take the step, halved in the rows where it would go uphill, until nothing of it is left."""
    scale = np.ones((len(beta), 1))
    slack = 1e-12 * (1.0 + np.abs(loss))
    while True:
        moved = beta - scale * step
        reached = problem.loss(moved)
        is_worse = ~(reached <= loss + slack) & (scale[:, 0] > 1e-18)
        if not is_worse.any():
            return moved, reached
        scale[is_worse] /= 2.0

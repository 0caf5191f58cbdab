# SPDX-License-Identifier: Apache-2.0
"""Time horizons against printed coefficients, scikit-learn and a bootstrap that draws row by row."""

import json
import math
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from tidegate.assess import horizon
from tidegate.assess.horizon import HorizonOptions, Runs, fit, run_weights, time_horizon, time_horizons

TASKS = ["a/1", "a/2", "a/3", "b/1", "c/1", "c/2", "d/1", "e/1"]
FAMILIES = [name[0] for name in TASKS]
MINUTES = [1.0, 4.0, 9.0, 15.0, 30.0, 60.0, 240.0, 700.0]


def counts(successes=(6, 5, 5, 3, 4, 2, 1, 0), attempts=(6,) * 8):
    return horizon.runs_from_counts(TASKS, FAMILIES, MINUTES, successes, attempts)


def rows(seed=1, fractional=False):
    """The same suite as a run table, with scores drawn from a curve."""
    rng = np.random.default_rng(seed)
    place = np.repeat(np.arange(8), rng.integers(3, 9, 8))
    chance = 1 / (1 + np.exp(0.6 * (np.log2(np.array(MINUTES)[place]) - 5)))
    scores = (rng.random(place.size) < chance).astype(float)
    if fractional:
        scores = np.where(scores == 1, 1.0, np.round(rng.random(place.size) * chance, 1))
    labels = ["model"] * place.size, [TASKS[p] for p in place], [FAMILIES[p] for p in place]
    return horizon.runs_by_model(*labels, np.array(MINUTES)[place], scores)["model"]


@pytest.fixture(scope="module")
def printed(shared):
    text = (shared / "data/horizon/metr_task_results_gpt-5.4.yaml").read_text(encoding="utf-8")
    return yaml.load(text, yaml.CSafeLoader)["agents"]["GPT-5.4"]


@pytest.fixture(scope="module")
def real_runs(printed):
    tasks = printed["tasks"]
    names = [task["task_id"] for task in tasks]
    columns = ([task[key] for task in tasks] for key in ("human_minutes", "n_successes", "n_runs"))
    return horizon.runs_from_counts(names, [name.split("/")[0] for name in names], *columns)


def test_printed_coefficients_are_reproduced(printed, real_runs):
    found = time_horizon(real_runs, HorizonOptions(replicates=0))
    assert round(found.slope, 2) == printed["coefficient"] == -0.52
    assert round(found.intercept, 3) == printed["intercept"] == 4.378
    assert (found.slope, found.intercept) == pytest.approx((-0.5202, 4.3780), abs=5e-5)
    assert (found.p50.minutes, found.p80.minutes) == pytest.approx((341.7, 53.9), abs=0.05)
    assert (found.tasks, found.families) == (228, 79)


def test_the_former_regularisation_gives_the_former_figure(real_runs):
    found = time_horizon(real_runs, HorizonOptions(regularisation=0.1, replicates=0))
    assert found.p50.minutes == pytest.approx(380.4, abs=0.05)


def test_printed_weights_are_reproduced(printed, real_runs):
    weights = run_weights(real_runs.task, real_runs.family, "invsqrt", real_runs.count)[:228]
    theirs = np.array([task["task_weight"] / task["n_runs"] for task in printed["tasks"]])
    assert weights / weights.max() == pytest.approx(theirs / theirs.max(), abs=1e-3)


def test_interval_is_near_the_one_measured_with_other_draws(real_runs):
    found = time_horizon(real_runs)
    assert (found.p50.low, found.p50.high) == pytest.approx((183, 781), rel=0.12)
    assert found.skipped == found.unbounded == 0


@pytest.mark.parametrize("scheme", ["invsqrt", "equal"])
def test_run_table_weights_are_reproduced(shared, scheme):
    lines = (shared / "data/horizon/metr_runs_2025-02-27.jsonl").read_text(encoding="utf-8").splitlines()
    table = [row for row in map(json.loads, lines) if row["alias"] == "o1"]
    ours = run_weights([row["task_id"] for row in table], [row["task_family"] for row in table], scheme)
    theirs = np.array([row[f"{scheme}_task_weight"] for row in table])
    assert ours == pytest.approx(theirs / theirs.sum(), rel=1e-5)


@pytest.mark.parametrize("regularisation", [1e-5, 0.1, 2.0])
@pytest.mark.parametrize("fractional", [False, True])
def test_fit_is_the_optimum_that_scikit_learn_finds(regularisation, fractional):
    runs = rows(fractional=fractional)
    weights = run_weights(runs.task, runs.family, "invsqrt")
    ours = fit(runs.minutes, runs.score, weights, regularisation)
    x = np.tile(np.log2(runs.minutes), 2)[:, None]
    y = np.repeat([1, 0], runs.task.size)
    weight = np.concatenate([weights * runs.score, weights * (1 - runs.score)])
    keep = weight > 0
    theirs = LogisticRegression(C=1 / regularisation, tol=1e-12, max_iter=10_000)
    theirs.fit(x[keep], y[keep], sample_weight=weight[keep])
    assert ours == pytest.approx((theirs.intercept_[0], theirs.coef_[0][0]), rel=1e-5)


@settings(deadline=None)
@given(st.lists(st.integers(0, 6), min_size=8, max_size=8), st.floats(1e-6, 10))
def test_the_gradient_is_zero_at_the_fit(successes, regularisation):
    if sum(successes) in (0, 48):
        return
    runs = counts(successes)
    weights = run_weights(runs.task, runs.family, "equal", runs.count) * runs.count
    intercept, slope = fit(runs.minutes, runs.score, weights, regularisation)
    x = np.log2(runs.minutes)
    residual = weights * (1 / (1 + np.exp(-(intercept + slope * x))) - runs.score)
    assert residual.sum() == pytest.approx(0, abs=1e-9)
    assert residual @ x + regularisation * slope == pytest.approx(0, abs=1e-8)


def test_separated_results_still_have_a_curve():
    found = time_horizon(counts((6, 6, 6, 6, 0, 0, 0, 0)), HorizonOptions(replicates=0))
    assert 15 < found.p50.minutes < 30
    assert found.weight_beyond_informative > 0.4


def test_horizons_lie_on_the_curve():
    found = time_horizon(counts(), HorizonOptions(replicates=0))
    for quantile, minutes in ((0.5, found.p50.minutes), (0.8, found.p80.minutes)):
        log_odds = found.intercept + found.slope * math.log2(minutes)
        assert 1 / (1 + math.exp(-log_odds)) == pytest.approx(quantile)
    assert found.p80.minutes < found.p50.minutes


def test_counts_and_rows_are_the_same_runs():
    table = [(name, minutes, family, float(place < solved))
             for name, minutes, family, solved in zip(TASKS, MINUTES, FAMILIES, (6, 5, 5, 3, 4, 2, 1, 0), strict=True)
             for place in range(6)]  # fmt: skip
    names, minutes, families, scores = zip(*reversed(table), strict=True)
    as_rows = horizon.runs_by_model(["m"] * len(table), names, families, minutes, scores)["m"]
    assert time_horizon(as_rows) == time_horizon(counts())


def test_no_success_is_no_horizon():
    found = time_horizon(counts((0,) * 8), HorizonOptions(replicates=20))
    assert (found.p50.minutes, found.p80.minutes, found.skipped) == (0.0, 0.0, 20)
    assert math.isnan(found.p50.high)
    assert math.isnan(found.weight_beyond_p50_high)
    assert (found.longest_informative_task, found.weight_beyond_informative) == (0.0, pytest.approx(1.0))


def test_no_failure_is_no_upper_bound():
    found = time_horizon(counts((6,) * 8), HorizonOptions(replicates=20))
    assert (found.p50.minutes, found.p50.high, found.unbounded) == (math.inf, math.inf, 20)
    assert found.weight_beyond_p50 == 0.0


def test_success_that_does_not_fall_with_length_has_no_horizon():
    found = time_horizon(counts((0, 0, 1, 2, 3, 4, 5, 6)), HorizonOptions(replicates=50))
    assert math.isnan(found.p50.minutes)
    assert found.unbounded > 40
    assert (found.p50.low, found.p50.high) == (0.0, math.inf)


def test_a_nearly_perfect_model_keeps_an_open_upper_end():
    found = time_horizon(counts((6, 6, 6, 6, 6, 6, 6, 5)), HorizonOptions(replicates=200))
    assert found.unbounded > 10
    assert found.p50.high == math.inf
    assert math.isfinite(found.p50.minutes)


def test_share_of_weight_where_there_are_only_failures():
    found = time_horizon(counts(), HorizonOptions(weighting="equal", replicates=0))
    assert (found.longest_task, found.longest_informative_task) == (700.0, 240.0)
    assert found.weight_beyond_informative == pytest.approx(1 / 8)
    assert found.weight_beyond_p50 == pytest.approx(sum(m >= found.p50.minutes for m in MINUTES) / 8)


def test_weights_by_hand():
    weights = run_weights(["x", "x", "y", "z"], ["f", "f", "f", "g"], "invsqrt")
    raw = np.array([0.5, 0.5, 1.0, math.sqrt(2)])
    assert weights == pytest.approx(raw / raw.sum())
    assert run_weights(["x", "x", "y", "z"], ["f", "f", "f", "g"], "equal") == pytest.approx(
        [1 / 6, 1 / 6, 1 / 3, 1 / 3]
    )


def by_rows(runs, replicates, seed):
    """The bootstrap as it reads on paper: every family, task and run drawn one by one."""
    weights = run_weights(runs.task, runs.family, "invsqrt")
    horizons = []
    for replicate in range(replicates):
        rng = np.random.default_rng([seed, replicate])
        chosen = []
        for family in rng.choice(np.unique(runs.family), np.unique(runs.family).size):
            tasks = np.unique(runs.task[runs.family == family])
            for task in rng.choice(tasks, tasks.size):
                own = np.flatnonzero(runs.task == task)
                chosen.extend(rng.choice(own, own.size))
        curve = fit(runs.minutes[chosen], runs.score[chosen], weights[chosen])
        horizons.append(curve.horizon(0.5))
    return np.array(horizons)


@pytest.mark.parametrize("fractional", [False, True])
def test_drawing_counts_is_drawing_rows(fractional):
    """Same distribution: shares of draws below the quartiles of the other agree within Monte Carlo error."""
    runs = rows(fractional=fractional)
    slow = by_rows(runs, 600, seed=9)
    slow = slow[np.isfinite(slow) & (slow > 0)]
    quick = horizon.bootstrap({"": runs}, HorizonOptions(replicates=6000, seed=3))[""].horizon(0.5)
    quick = quick[np.isfinite(quick) & (quick > 0)]
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        below = float(np.mean(slow < np.quantile(quick, share)))
        assert abs(below - share) < 4 * math.sqrt(share * (1 - share) / slow.size)


@pytest.mark.parametrize("fractional", [False, True])
def test_resampled_scores_have_the_mean_and_variance_of_drawn_runs(fractional):
    table = horizon._table(rows(fractional=fractional), "equal")
    copies = np.full((20_000, table.task.size), 2)
    drawn = horizon._resampled_scores(table, copies, np.random.default_rng(1))
    share = table.at_level / table.runs
    mean = (share * table.score).sum(axis=0)
    variance = (share * table.score**2).sum(axis=0) - mean**2
    assert drawn.mean(axis=0) == pytest.approx(2 * table.runs * mean, rel=0.02, abs=0.01)
    assert drawn.var(axis=0) == pytest.approx(2 * table.runs * variance, rel=0.06, abs=1e-9)
    assert np.all(drawn <= 2 * table.runs + 1e-9)


def test_copies_of_tasks_follow_families_first():
    families = np.array([0, 0, 0, 1, 2, 2])
    copies = horizon._task_copies(families, 20_000, np.random.default_rng(1))
    assert copies.mean(axis=0) == pytest.approx(np.ones(6), abs=0.05)
    for family, size in ((0, 3), (1, 1), (2, 2)):
        assert set((copies[:, families == family].sum(axis=1) / size).tolist()) <= {0.0, 1.0, 2.0, 3.0}
    # a task in a family of one repeats as often as its family: variance 2/3; within a family of three, more
    assert copies[:, 3].var() == pytest.approx(2 / 3, rel=0.05)
    assert copies[:, 0].var() == pytest.approx(2 / 3 + 2 / 3, rel=0.05)


def test_draws_come_from_the_seed_alone():
    models = {"one": rows(1), "two": rows(2)}
    options = HorizonOptions(replicates=50)
    found = time_horizons(models, options)
    assert found == time_horizons(dict(reversed(models.items())), options)
    assert found["one"] == time_horizon(models["one"], options, name="one")
    assert found["one"].p50 != time_horizons(models, replace(options, seed=7))["one"].p50


def test_models_share_families_and_tasks_but_not_runs():
    settled = counts((6, 6, 0, 6, 6, 0, 0, 0))  # runs at a task agree: only families and tasks can move the curve
    draws = horizon.bootstrap({"one": settled, "two": settled}, HorizonOptions(replicates=200))
    assert np.array_equal(draws["one"].slope, draws["two"].slope)
    assert np.unique(draws["one"].slope).size > 20
    draws = horizon.bootstrap({"one": counts(), "two": counts()}, HorizonOptions(replicates=200))
    assert np.mean(draws["one"].slope == draws["two"].slope) < 0.2


def test_a_wider_level_gives_a_wider_interval():
    narrow, wide = (time_horizon(rows(), HorizonOptions(level=level)).p50 for level in (0.5, 0.9))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_every_choice_is_in_the_result():
    options = HorizonOptions("equal", 0.01, 30, 5, 0.9)
    found = time_horizon(counts(), options)
    assert found.options == options
    assert (found.runs, found.tasks, found.families) == (48, 8, 5)


def test_tasks_without_a_run_are_not_part_of_the_suite():
    found = time_horizon(counts((6, 5, 5, 3, 4, 2, 0, 0), (6, 6, 6, 6, 6, 6, 0, 0)), HorizonOptions(replicates=5))
    assert (found.tasks, found.families, found.longest_task) == (6, 3, 60.0)


def one(**changes):
    columns = {"task": [0, 1], "family": [0, 0], "minutes": [1.0, 2.0], "score": [1.0, 0.0], "count": [1, 1]} | changes
    return Runs(**{name: np.array(column) for name, column in columns.items()})


@pytest.mark.parametrize(
    "call",
    [
        lambda: one(minutes=[0.0, 2.0]),
        lambda: one(minutes=[math.nan, 2.0]),
        lambda: one(minutes=[1.0]),
        lambda: one(score=[1.5, 0.0]),
        lambda: one(score=[math.nan, 0.0]),
        lambda: one(count=[-1, 3]),
        lambda: one(count=[0, 0]),
        lambda: one(task=[0, 0]),
        lambda: one(task=[0, 0], minutes=[1.0, 1.0], family=[0, 1]),
        lambda: one(task=[], family=[], minutes=[], score=[], count=[]),
        lambda: counts((7,) * 8),
        lambda: HorizonOptions(regularisation=0.0),
        lambda: HorizonOptions(level=1.0),
        lambda: HorizonOptions(weighting="none"),
        lambda: time_horizons({"a": one(), "b": one(family=[1, 1])}),
    ],
    ids=count(),
)
def test_nonsense_is_refused(call):
    with pytest.raises(ValueError):
        call()


def test_a_fit_that_does_not_settle_is_an_error(monkeypatch):
    monkeypatch.setattr(horizon, "STEPS", 1)
    with pytest.raises(ArithmeticError):
        time_horizon(counts(), HorizonOptions(replicates=0))

# SPDX-License-Identifier: Apache-2.0
"""Time-horizon bootstrap against the straightforward loop with scikit-learn, both timed in this run.

The loop draws families, tasks and runs one by one and fits scikit-learn's LogisticRegression per replicate.
It is timed on a few replicates and scaled; the other side is timed on all of them.
The same numbers are shown in two ways: scikit-learn fitted to exactly the resampled counts of our first replicates,
and the spread of the loop's own, independent draws next to ours.

    python benchmarks/bench_horizon.py [--runs FILE] [--replicates 1000] [--baseline 20] [--json]
"""

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from tidegate.assess import horizon
from tidegate.assess.horizon import HorizonOptions, Runs

REAL = Path(__file__).resolve().parents[2] / "shared/data/horizon/metr_runs_2025-02-27.jsonl"
SECONDS, RATIO, AGREEMENT = 3.0, 50.0, 0.005
"""Targets: seconds for all replicates, times faster than the loop, relative difference of single fits in log2."""


def read(path: Path | None) -> dict[str, Runs]:
    if path is None or not path.exists():
        return made_up()
    with path.open(encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["alias"] != "human"]
    columns = ([row[key] for row in rows] for key in ("alias", "task_id", "task_family"))
    minutes, scores = ([row[key] for row in rows] for key in ("human_minutes", "score_binarized"))
    return horizon.runs_by_model(*columns, minutes, scores)


def made_up() -> dict[str, Runs]:
    """A suite of the same size, for machines without the real one."""
    rng = np.random.default_rng(1)
    family = rng.integers(0, 36, 83)
    minutes = np.exp2(rng.uniform(0, 10.5, 83))
    names, tasks, families, lengths, scores = [], [], [], [], []
    for model in range(10):
        rate = 1 / (1 + np.exp(0.5 * (np.log2(minutes) - 1 - 0.6 * model)))
        for task in range(83):
            names += [f"model-{model}"] * 8
            tasks += [f"t{task}"] * 8
            families += [f"f{family[task]}"] * 8
            lengths += [float(minutes[task])] * 8
            scores += list((rng.random(8) < rate[task]).astype(float))
    return horizon.runs_by_model(names, tasks, families, lengths, scores)


def straightforward(models: dict[str, Runs], replicates: int) -> dict[str, list[float]]:
    """The loop that one would write first."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - only the baseline needs it

    by_family: dict[int, set[int]] = defaultdict(set)
    rows: dict[tuple[str, int], list[int]] = defaultdict(list)
    weights = {name: horizon.run_weights(runs.task, runs.family, "invsqrt") for name, runs in models.items()}
    for name, runs in models.items():
        for row, (task, family) in enumerate(zip(runs.task.tolist(), runs.family.tolist(), strict=True)):
            by_family[family].add(task)
            rows[name, task].append(row)
    families = {family: sorted(tasks) for family, tasks in by_family.items()}
    keys = sorted(families)
    horizons: dict[str, list[float]] = {name: [] for name in models}
    for replicate in range(replicates):
        rng = np.random.default_rng(42 + replicate)
        drawn = [
            task
            for family in rng.choice(keys, len(keys)).tolist()
            for task in rng.choice(families[family], len(families[family])).tolist()
        ]
        for name, runs in models.items():
            picked = [rng.choice(rows[name, task], len(rows[name, task])) for task in drawn if rows[name, task]]
            chosen = np.concatenate(picked)
            y = runs.score[chosen]
            if y.min() == y.max():
                continue
            x = np.log2(runs.minutes[chosen])[:, None]
            model = LogisticRegression(C=1e5).fit(x, y, sample_weight=weights[name][chosen])
            horizons[name].append(-model.intercept_[0] / model.coef_[0][0])
    return horizons


def single_fits(models: dict[str, Runs], replicates: int) -> tuple[int, float, float]:
    """How far scikit-learn's log2 p50 is from ours on the very same resampled counts."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    tables = {name: horizon._table(runs, "invsqrt") for name, runs in models.items()}  # noqa: SLF001
    tasks, families = horizon._suite(tables.values())  # noqa: SLF001
    copies = horizon._task_copies(families, replicates, np.random.default_rng([42, 0]))  # noqa: SLF001
    off = []
    for name, table in tables.items():
        mine = copies[:, np.searchsorted(tasks, table.task)]
        ours = horizon._bootstrap_one(table, mine, 1e-5, np.random.default_rng([42, 1, *name.encode()]))  # noqa: SLF001
        solved = horizon._resampled_scores(table, mine, np.random.default_rng([42, 1, *name.encode()]))  # noqa: SLF001
        x = np.tile(np.log2(table.minutes), 2)[:, None]
        y = np.repeat([1, 0], table.task.size)
        for replicate in np.flatnonzero(ours.slope < 0):
            failed = mine[replicate] * table.runs - solved[replicate]
            weight = np.concatenate([solved[replicate], failed]) * np.tile(table.weight, 2)
            keep = weight > 0
            theirs = LogisticRegression(C=1e5, tol=1e-10, max_iter=10_000)
            theirs.fit(x[keep], y[keep], sample_weight=weight[keep])
            their_log2 = -theirs.intercept_[0] / theirs.coef_[0][0]
            our_log2 = -ours.intercept[replicate] / ours.slope[replicate]
            off.append(abs(their_log2 - our_log2) / max(1.0, abs(our_log2)))
    return len(off), float(np.median(off)), float(np.max(off))


def spread(ours: dict[str, horizon.Draws], loop: dict[str, list[float]]) -> float:
    """Largest distance between the medians of log2 p50, in standard errors of the loop's median."""
    distances = []
    for name, theirs in loop.items():
        if len(theirs) < 5:
            continue
        mine = -ours[name].intercept / np.where(ours[name].slope < 0, ours[name].slope, np.nan)
        low, middle, high = np.nanquantile(mine, [0.16, 0.5, 0.84])
        error = 1.2533 * (high - low) / 2 / np.sqrt(len(theirs))
        distances.append(abs(float(np.median(theirs)) - middle) / error)
    return float(max(distances))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, default=REAL)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--baseline", type=int, default=20, help="replicates of the scikit-learn loop")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.baseline < 5:
        parser.error("fewer than 5 replicates of the loop show no spread")
    models = read(arguments.runs)
    straightforward(models, 1)  # imports and caches are not part of either time
    horizon.bootstrap(models, HorizonOptions(replicates=1))
    started = time.perf_counter()
    draws = horizon.bootstrap(models, HorizonOptions(replicates=arguments.replicates))
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    # More threads than one only get into each other's way at this size, which would flatter us.
    with threadpool_limits(1):
        loop = straightforward(models, arguments.baseline)
    per_replicate = (time.perf_counter() - started) / arguments.baseline
    fits, typical, worst = single_fits(models, 5)
    result = {
        "input": arguments.runs.name if arguments.runs.exists() else "made up",
        "models": len(models),
        "runs": sum(int(runs.count.sum()) for runs in models.values()),
        "replicates": arguments.replicates,
        "seconds": round(seconds, 3),
        "loop_replicates": arguments.baseline,
        "loop_seconds_scaled": round(per_replicate * arguments.replicates, 1),
        "times_faster": round(per_replicate * arguments.replicates / seconds),
        "same_counts_fits": fits,
        "same_counts_median_difference": typical,
        "same_counts_largest_difference": worst,
        "medians_apart_standard_errors": round(spread(draws, loop), 2),
    }
    is_met = seconds < SECONDS and result["times_faster"] >= RATIO and worst < AGREEMENT
    if arguments.json:
        print(json.dumps(result | {"target_met": is_met}))
        return 0 if is_met else 1
    print(f"time-horizon bootstrap, {result['models']} models, {result['runs']} runs ({result['input']})")
    print(f"  tidegate       {arguments.replicates:>6} replicates  {seconds:>8.3f} s")
    print(
        f"  scikit-learn   {arguments.replicates:>6} replicates  {result['loop_seconds_scaled']:>8.1f} s"
        f"  (scaled from {arguments.baseline} measured)"
    )
    print(f"  times faster   {result['times_faster']}   (target {RATIO:.0f}, and under {SECONDS:.0f} s)")
    print(f"  same counts    log2 p50 of {fits} fits differs by {typical:.1e} (median), {worst:.1e} (largest)")
    print(f"  own draws      medians at most {result['medians_apart_standard_errors']} standard errors apart")
    return 0 if is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())

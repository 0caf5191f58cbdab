# SPDX-License-Identifier: Apache-2.0
"""Time horizons from run tables: fitted when a table is imported, with everything needed to fit them again."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from tidegate.assess.horizon import Horizon, HorizonFit, runs_by_model, time_horizons
from tidegate.evidence.importing import Import
from tidegate.evidence.model import Evidence, EvidenceSet, Interval, Measurement, Remark
from tidegate.evidence.run_table import HUMAN, NAME, RunTable, read_run_table
from tidegate.kernel.errors import Problem, Where

EVALUATION = "Time horizon"
MOST_SKIPPED = 0.05
"""If more of the draws than this had no success at all, the interval comes from a choice of draws."""
UNBOUNDED_MINUTES = 1e9
"""Stands for a horizon without upper bound (about 1,900 years), so that it crosses every line."""


def with_horizons(path: Path, taken: Import) -> Import:
    """Give the import of a run table with the 50 % and 80 % time horizon of every model in it."""
    if taken.format != NAME:
        return taken
    table = read_run_table(path, name=path.name).scored.with_minutes
    if not table.task.size:
        return taken
    fits = time_horizons(
        runs_by_model(list(table.model), list(table.task), list(table.family), table.human_minutes, table.score)
    )
    by_name = _first_by_name(taken.evidence, table)
    added = [
        _record(by_name[name], fit, share, horizon)
        for name, fit in sorted(fits.items())
        if name in by_name and not math.isnan(fit.p50.minutes)
        for share, horizon in (("p50", fit.p50), ("p80", fit.p80))
    ]
    records = (*taken.evidence.records, *added)
    evidence = taken.evidence.model_copy(update={"records": records})
    return replace(taken, evidence=evidence, notices=(*taken.notices, *_without_horizon(fits, path.name)))


def _without_horizon(fits: Mapping[str, HorizonFit], file: str) -> Iterator[Problem]:
    for name, fit in sorted(fits.items()):
        if math.isnan(fit.p50.minutes):
            message = f"{name}: no time horizon, because success does not fall with the length of the task"
            yield Problem("EVI011", message, Where(file), "more tasks of more lengths are needed", "warning")


def _first_by_name(evidence: EvidenceSet, table: RunTable) -> dict[str, Evidence]:
    """Give the importer's own record of each model, which knows its subject, dates and provenance."""
    names = {str(name) for name in table.model} - {HUMAN}
    found: dict[str, Evidence] = {}
    for record in evidence.records:
        for name in names:
            if record.subject.model == name or len(names) == 1:
                found.setdefault(name, record)
    return found


def _record(own: Evidence, fit: HorizonFit, share: str, horizon: Horizon) -> Evidence:
    measured = Measurement(
        evaluation=f"{EVALUATION} {share}",
        metric=f"{share} horizon",
        value=min(horizon.minutes, UNBOUNDED_MINUTES),
        unit="minutes",
        n=fit.tasks,
        n_kind="tasks",
        attempts=fit.runs / fit.tasks,
        interval=_interval(horizon, fit),
        clusters=fit.families,
        clustered=True,
        parameters={
            **asdict(fit.options),
            "slope": fit.slope,
            "intercept": fit.intercept,
            "runs": fit.runs,
            "tasks": fit.tasks,
            "families": fit.families,
            "draws_skipped": fit.skipped,
            "draws_unbounded": fit.unbounded,
            "longest_informative_task_minutes": fit.longest_informative_task,
            "weight_beyond_informative": fit.weight_beyond_informative,
            "weight_beyond_p50": fit.weight_beyond_p50,
            "weight_beyond_p50_high": None if math.isnan(fit.weight_beyond_p50_high) else fit.weight_beyond_p50_high,
        },
    )
    digest12 = (own.provenance.digest or "").removeprefix("sha256:")[:12]
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", own.subject.model)[:80]
    return own.model_copy(
        update={
            "id": f"horizon:{digest12}:{name}:{share}",
            "kind": "time_horizon",
            "measurement": measured,
            "line": None,
            "remarks": (*own.remarks, *_doubts(fit)),
        }
    )


def _doubts(fit: HorizonFit) -> Iterator[Remark]:
    if fit.skipped > MOST_SKIPPED * fit.options.replicates:
        message = f"{fit.skipped} of {fit.options.replicates} draws had no success, and the interval leaves them out"
        yield Remark(code="EVI010", message=message, blocks_rule_out=True)


def _interval(horizon: Horizon, fit: HorizonFit) -> Interval | None:
    low = horizon.low if math.isfinite(horizon.low) else None
    high = horizon.high if math.isfinite(horizon.high) else None
    if low is None and high is None:
        return None
    return Interval(low=low, high=high, kind="bootstrap", level=fit.options.level, method="hierarchical, percentile")

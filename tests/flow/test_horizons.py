# SPDX-License-Identifier: Apache-2.0
"""Time horizons of run tables: fitted at import, with every parameter in the record."""

import json
from datetime import date
from pathlib import Path

import pytest

from tidegate.evidence.importing import Declared
from tidegate.flow import World
from tidegate.flow.evidence import import_files
from tidegate.flow.projects import new_project
from tidegate.kernel.clock import fixed_clock


@pytest.fixture
def world(tmp_path: Path) -> World:
    new_project(tmp_path / "project", "starter", "Example")
    return World(tmp_path / "project", fixed_clock(date(2026, 6, 1)))


def table(path: Path, rows: list[tuple[str, float, float, str]]) -> Path:
    lines = [
        json.dumps({"task_id": task, "score": score, "human_minutes": minutes, "model": model})
        for task, score, minutes, model in rows
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_horizon_comes_with_its_parameters(world: World, tmp_path: Path) -> None:
    rows = [(f"family{n}/t{n}", float(n < 6 + n % 2), 2.0**n, "m") for n in range(10)]
    import_files(world, [table(tmp_path / "runs.jsonl", rows)])
    records = {record.measurement.metric: record for record in world.project().evidence.records if record.measurement}
    p50 = records["p50 horizon"]
    assert p50.kind == "time_horizon"
    assert p50.quality == "recomputable"
    measured = p50.measurement
    assert measured is not None
    assert measured.unit == "minutes"
    assert measured.n == 10
    assert {"regularisation", "weighting", "replicates", "seed", "weight_beyond_informative"} <= set(
        measured.parameters
    )
    assert measured.parameters["regularisation"] == 1e-5
    assert 2.0**4 < (measured.value or 0) < 2.0**8


@pytest.mark.parametrize("scores", [[0.0] * 6, [1.0] * 6, [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]])
def test_tables_without_a_finite_horizon_do_not_break_the_import(
    world: World, tmp_path: Path, scores: list[float]
) -> None:
    rows = [(f"t{n}", score, 2.0**n, "m") for n, score in enumerate(scores)]
    (taken,) = import_files(world, [table(tmp_path / "runs.jsonl", rows)])
    assert taken.records >= 1
    assert world.project().evidence.records


def test_a_declared_model_keeps_its_horizon_though_people_stand_in_the_table(world: World, tmp_path: Path) -> None:
    runs = [(f"family{n}/t{n}", float(n < 6 + n % 2), 2.0**n) for n in range(10)]
    rows = [(*one, alias) for alias in ("human", "m") for one in runs]
    import_files(world, [table(tmp_path / "runs.jsonl", rows)], declared=Declared(model="my-model"))
    records = world.project().evidence.records
    assert {record.subject.model for record in records} == {"my-model"}
    assert [record.kind for record in records].count("time_horizon") == 2


def test_an_interval_from_a_choice_of_draws_rules_nothing_out(world: World, tmp_path: Path) -> None:
    rows = [(f"f{n}/t{n}", float(n == 0), 2.0**n, "m") for n in range(12)]
    import_files(world, [table(tmp_path / "runs.jsonl", rows)])
    horizons = [record for record in world.project().evidence.records if record.kind == "time_horizon"]
    assert horizons
    assert all(any(remark.blocks_rule_out for remark in record.remarks) for record in horizons)


def test_metr_runs(world: World, shared: Path) -> None:
    import_files(world, [shared / "data" / "horizon" / "metr_runs_2025-02-27.jsonl"])
    found = {
        record.subject.model: record.measurement.value
        for record in world.project().evidence.records
        if record.measurement and record.measurement.metric == "p50 horizon"
    }
    assert len(found) == 10
    assert 20 < (found["o1"] or 0) < 60, "METR printed 38 minutes with its later suite"
    assert (found["davinci-002"] or 0) < 1

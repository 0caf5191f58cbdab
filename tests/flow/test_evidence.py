# SPDX-License-Identifier: Apache-2.0
"""Taking evidence into a project: a run of several files is as many files, whichever of them is named."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tidegate.flow import World
from tidegate.flow.evidence import import_files
from tidegate.flow.projects import new_project
from tidegate.kernel.clock import fixed_clock

TIME = "2026-01-02T03-04-05.678"


@pytest.fixture
def world(tmp_path: Path) -> World:
    new_project(tmp_path / "project", "starter", "Example")
    return World(tmp_path / "project", fixed_clock(date(2026, 6, 1)))


def helm_run(folder: Path, right: int) -> Path:
    """A run of four instances; the specification is the same whatever came of it."""
    folder.mkdir()
    name = {"name": "exact_match", "split": "test"}
    rows: list[dict[str, Any]] = [
        {"instance_id": f"id{n}", "stats": [{"name": name, "count": 1, "sum": float(n < right)}]} for n in range(4)
    ]
    (folder / "run_spec.json").write_text(json.dumps({"name": "toy,model=m", "adapter_spec": {"model": "m"}}))
    (folder / "per_instance_stats.json").write_text(json.dumps(rows))
    return folder


def values(world: World) -> list[float | None]:
    return sorted(
        (record.measurement.value for record in world.project().evidence.records if record.measurement),
        key=lambda value: value or 0,
    )


@pytest.mark.parametrize("named", ["run_spec.json", "per_instance_stats.json", "."])
def test_two_runs_of_one_specification_are_both_kept(world: World, tmp_path: Path, named: str) -> None:
    first, second = helm_run(tmp_path / "a", 0), helm_run(tmp_path / "b", 4)
    for folder in (first, second):
        (taken,) = import_files(world, [folder / named])
        assert taken.kept_as
    assert values(world) == [0.0, 1.0]


def test_a_run_is_known_again_whichever_of_its_files_is_named(world: World, tmp_path: Path) -> None:
    folder = helm_run(tmp_path / "a", 1)
    kept = [import_files(world, [path])[0].kept_as for path in (folder, folder / "run_spec.json", folder)]
    assert [name is not None for name in kept] == [True, False, False]
    assert values(world) == [0.25]


def test_samples_that_come_later_are_taken_in(world: World, tmp_path: Path) -> None:
    results = {"toy": {"acc,none": 0.5}}
    data = {"results": results, "n-samples": {"toy": {"original": 2, "effective": 2}}, "date": 1768964383.0}
    path = tmp_path / f"results_{TIME}.json"
    path.write_text(json.dumps(data))
    import_files(world, [path])
    rows = [{"doc_id": n, "filter": "none", "metrics": ["acc"], "acc": float(n)} for n in range(2)]
    samples = tmp_path / f"samples_toy_{TIME}.jsonl"
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [one.kept_as is not None for one in import_files(world, [path, samples])] == [True, False]
    assert {record.quality for record in world.project().evidence.records} == {"reported", "recomputable"}

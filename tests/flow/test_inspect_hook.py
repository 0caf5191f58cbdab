# SPDX-License-Identifier: Apache-2.0
"""The hook: Inspect is really run, in a process of its own, and must find the hook by its entry point."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

if importlib.util.find_spec("inspect_ai") is None:
    pytest.skip("inspect-ai is not installed", allow_module_level=True)

RUN = """
import sys
from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.log import list_eval_logs
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import generate

def answer(input, tools, tool_choice, config):
    output = ModelOutput.from_content("mockllm/model", "yes" if "1" in input[-1].text else "no")
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)
    return output

samples = [Sample(id=n, input=f"question {n}", target="yes") for n in range(4)]
task = Task(name="quiz", dataset=samples, solver=[generate()], scorer=match())
(log,) = eval(task, model=get_model("mockllm/model", custom_outputs=answer), log_dir=sys.argv[1], display="plain")
print("STATUS", log.status, log.results.scores[0].metrics["accuracy"].value)
print("LOGS", len(list_eval_logs(sys.argv[1])))
"""

PROJECT = """schema: tidegate/project/v1
organisation: Example
policy: {pack: starter}
"""


def run(here: Path, logs: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-c", before + RUN, str(logs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=here)
    assert "STATUS success 0.25" in done.stdout
    return done


def test_a_finished_run_writes_its_record_beside_the_log(tmp_path: Path):
    done = run(tmp_path, tmp_path / "logs")
    (record_file,) = (tmp_path / "logs").glob("evidence-*.json")
    (log,) = (tmp_path / "logs").glob("*.eval")
    assert record_file.name == f"evidence-{log.name}.json"
    # Inspect must not take the record for a log.
    assert "LOGS 1" in done.stdout

    from tidegate.evidence.formats import digest_file, import_file  # noqa: PLC0415

    taken = import_file(record_file)
    assert taken.format == "tidegate"
    (record,) = taken.evidence.records
    assert record.measurement is not None
    assert (record.measurement.evaluation, record.measurement.value, record.measurement.n) == ("quiz", 0.25, 4)
    assert record.provenance.digest == digest_file(log)
    assert import_file(log).evidence.records == (record,)


def test_inside_a_project_the_record_goes_into_it(tmp_path: Path):
    (tmp_path / "tidegate.yaml").write_text(PROJECT, encoding="utf-8")
    inner = tmp_path / "evals" / "quiz"
    inner.mkdir(parents=True)
    run(inner, tmp_path / "logs")
    assert not list((tmp_path / "logs").glob("evidence-*"))
    (record_file,) = (tmp_path / "evidence" / "records").glob("*.json")
    kept = json.loads(record_file.read_text(encoding="utf-8"))
    assert kept["evidence"]["records"][0]["measurement"]["value"] == 0.25
    assert kept["digest"].removeprefix("sha256:")[:12] in record_file.name


def test_a_failing_hook_is_a_warning_and_the_evaluation_stands(tmp_path: Path):
    # A file stands where the project keeps its records.
    (tmp_path / "tidegate.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "evidence").write_text("in the way", encoding="utf-8")
    done = run(tmp_path, tmp_path / "logs")
    # Inspect breaks the lines of its console, and names the source file in between.
    shown = done.stdout + done.stderr
    assert "Tidegate wrote no evidence" in shown
    assert "PRJ004" in shown


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch):
    """The module, imported without letting the warnings of inspect-ai's imports fail the test."""
    import warnings  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("tidegate.flow.inspect_hook")


@pytest.mark.parametrize(
    ("location", "path"),
    [("logs/a.eval", "logs/a.eval"), ("/l/a.eval", "/l/a.eval"), ("file:///l/a%20b.eval", "/l/a b.eval")],
)
def test_local_paths(hook, location: str, path: str):
    assert hook.local_path(location) == Path(path)


def test_a_log_elsewhere_is_refused_with_what_to_do(hook):
    with pytest.raises(ValueError, match="tidegate evidence import"):
        hook.local_path("s3://bucket/a.eval")


def test_the_nearest_project_upward_is_found(hook, tmp_path: Path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert hook.project_above(inner) is None
    (tmp_path / "tidegate.yaml").write_text("", encoding="utf-8")
    assert hook.project_above(inner) == tmp_path.resolve()


def write_log(folder: Path) -> Path:
    sample = {"id": 1, "epoch": 1, "scores": {"match": {"value": "C"}}}
    evaluation = {"task": "quiz", "model": "m", "eval_id": "E", "dataset": {"samples": 2}}
    tree = {"status": "success", "eval": evaluation, "samples": [sample]}
    log = folder / "log.json"
    log.write_text(json.dumps(tree), encoding="utf-8")
    return log


def test_the_record_is_written_once_into_a_project(hook, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "tidegate.yaml").write_text(PROJECT, encoding="utf-8")
    log = write_log(tmp_path)
    first = hook.record_task(str(log), tmp_path)
    assert first.parent == tmp_path / "evidence" / "records"
    assert "1 of 2 planned samples are not in the log" in caplog.text
    assert hook.record_task(str(log), tmp_path) is None


def test_on_task_end_writes_or_warns(hook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any):
    anyio = pytest.importorskip("anyio")
    monkeypatch.chdir(tmp_path)
    log = write_log(tmp_path)

    def end(location: str) -> None:
        data = SimpleNamespace(log=SimpleNamespace(location=location))
        anyio.run(hook.TidegateHooks().on_task_end, data)

    end(str(log))
    assert (tmp_path / "evidence-log.json.json").is_file()
    assert "wrote no evidence record" not in caplog.text
    end("s3://bucket/log.eval")
    assert "wrote no evidence record for s3://bucket/log.eval" in caplog.text


def test_a_log_without_samples_writes_nothing_and_warns(hook, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    log = tmp_path / "log.json"
    log.write_text('{"status": "error", "eval": {"task": "t", "model": "m"}}', encoding="utf-8")
    assert hook.record_task(str(log), tmp_path) is None
    assert "no samples" in caplog.text
    assert [path.name for path in tmp_path.iterdir()] == ["log.json"]

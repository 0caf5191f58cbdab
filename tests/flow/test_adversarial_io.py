# SPDX-License-Identifier: Apache-2.0
"""Hostile, broken and unlucky input: a message with its place and exit code 2, never a stack trace, nothing half-kept."""

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tidegate.cli.app import app
from tidegate.evidence.model import Measurement
from tidegate.store import project as store

POLICY = """\
schema: tidegate/policy/v1
id: house
version: "1"
title: House policy
publisher: Example
preregistration: flagged
domains: [{id: cyber, title: Cyber}]
thresholds:
  - id: CY-1
    domain: cyber
    falsifier: A solved hard task.
    indicators:
      - {id: CY-1.ctf, evaluation: Hard CTF, metric: accuracy, rule: {rule_out: {value: 0.2}}}
    requirements:
      - {id: CY-1-halt, kind: halt, actions: [general], text: Deployment must stop.}
"""
PROJECT = "schema: tidegate/project/v1\norganisation: Example\npolicy: {file: policy/house.yaml}\n"
MODEL = "schema: tidegate/model/v1\nid: alpha\nsnapshots: [{id: a-1}, {id: a-2}]\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("GITHUB_ACTIONS", "TIDEGATE_PROJECT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-06-01")
    root = tmp_path / "safety"
    for folder in ("policy", "models", "inbox"):
        (root / folder).mkdir(parents=True)
    (root / "tidegate.yaml").write_text(PROJECT)
    (root / "policy" / "house.yaml").write_text(POLICY)
    (root / "models" / "alpha.yaml").write_text(MODEL)
    monkeypatch.chdir(root)
    return root


def run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, result.output
    return result


def record(name: str = "r", successes: int = 1, n: int = 60, **changes: object) -> dict[str, Any]:
    measured = {"evaluation": "Hard CTF", "metric": "accuracy", "value": successes / n, "n": n, "successes": successes}
    return {
        "id": name,
        "subject": {"model": "alpha"},
        "measurement": {**measured, "binary": True},
        "finished": "2026-05-10",
        **changes,
    }


def a_file(root: Path, *records: object, name: str = "set", **more: object) -> str:
    path = root / "inbox" / f"{name}.yaml"
    path.write_text(json.dumps({"schema": "tidegate/evidence/v1", "records": records, **more}))
    return str(path)


def kept(root: Path) -> list[str]:
    folder = root / "evidence" / "records"
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize(
    "changes",
    [
        {"finished": "2026-02-30"},
        {"finished": "2026-13"},
        {"published": "0000"},
        {"valid_until": "2026-02-30"},
        {"measurement": {"evaluation": "Hard CTF", "metric": "accuracy", "value": 0.1, "n": 10**30}},
        {"counts": {"errored": 2**62}},
        {"id": "two words"},
    ],
    ids=lambda changes: ",".join(f"{name}={value!s:.20}" for name, value in changes.items()),
)
def test_nonsense_is_refused_where_it_stands_and_not_kept(project: Path, changes: dict[str, Any]) -> None:
    refused = run("evidence", "import", a_file(project, {**record(), **changes}), code=2)
    assert "set.yaml:1:" in refused.stderr
    assert kept(project) == []


def test_parameters_beyond_exact_numbers_are_kept_digit_by_digit() -> None:
    measured = Measurement(evaluation="E", metric="m", parameters={"seed": 2**63, "list": [float("inf")], "small": 7})
    assert measured.parameters == {"seed": "9223372036854775808", "list": ["inf"], "small": 7}


def test_twenty_thousand_full_records_are_read(project: Path) -> None:
    more = {
        "thresholds": ["house#CY-1", "other#X"],
        "elicitation": {"elements": ["tools", "best_of_n"], "n_samples": 5, "tools": ["bash"], "basis": "declared"},
        "evaluator": {"name": "x", "relation": "independent"},
        "counts": {"planned": 60, "scored": 60},
    }
    path = a_file(project, *(record(f"r{number}", **more) for number in range(20_000)))
    assert "20000 records" in run("evidence", "import", path).stdout


@pytest.mark.parametrize("name", ["../../outside.yaml", "/etc/passwd", "policy", "policy/link.yaml", "a\\0b"])
def test_a_policy_outside_the_project_is_refused(project: Path, name: str) -> None:
    (project.parent / "outside.yaml").write_text(POLICY)
    (project / "policy" / "link.yaml").symlink_to(project.parent / "outside.yaml")
    (project / "tidegate.yaml").write_text(PROJECT.replace("policy/house.yaml", f'"{name}"'))
    assert "house@1" not in run("assess", code=2).output


@pytest.mark.parametrize("place", ["models/x.yaml", "policy/x.yaml", "evidence/records/x.json"])
def test_links_out_of_the_project_are_not_followed(project: Path, place: str) -> None:
    secret = project.parent / "secret"
    secret.write_text("hunter2: swordfish\n")
    (project / place).parent.mkdir(parents=True, exist_ok=True)
    (project / place).symlink_to(secret)
    refused = run("policy", "check", code=2) if place.startswith("policy") else run("assess", code=2)
    assert "PRJ004" in refused.stderr
    assert "hunter2" not in refused.output


@pytest.mark.parametrize(
    "text",
    [
        'id: "*"\n',
        'id: x\naliases: ["*"]\n',
        'id: ""\n',
        "id: x\nsnapshots: [{id: s}, {id: s, effective_compute: 5}]\n",
        "id: x\nreleased: 2026-02-31\n",
        "id: ALPHA\n",
    ],
)
def test_models_whose_names_say_too_much_are_refused(project: Path, text: str) -> None:
    (project / "models" / "x.yaml").write_text(f"schema: tidegate/model/v1\n{text}")
    assert "models/x.yaml:" in run("assess", code=2).stderr


def test_a_model_with_an_at_sign_in_its_name_can_be_asked_for(project: Path) -> None:
    (project / "models" / "x.yaml").write_text("schema: tidegate/model/v1\nid: lab@x\nsnapshots: [{id: s}]\n")
    run("gate", "lab@x", "-a", "deploy", code=1)
    run("gate", "lab@x@s", "-a", "train")


# --- writing ---------------------------------------------------------------------------------------------


def test_a_failing_write_leaves_nothing_of_the_import(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write: Callable[[Path, str], None] = store.write_text
    written: list[Path] = []

    def failing(path: Path, text: str) -> None:
        if written:
            raise store.ProjectError(store.Problem("PRJ004", "cannot be written: disk full"))
        written.append(path)
        write(path, text)

    monkeypatch.setattr(store, "write_text", failing)
    files = [a_file(project, record(name), name=name) for name in ("a", "b")]
    assert "disk full" in run("evidence", "import", *files, code=2).stderr
    assert kept(project) == []


def test_writers_wait_for_each_other(project: Path) -> None:
    """Two restatements made at the same time are both kept."""
    run("evidence", "import", a_file(project, record("a", 30), record("b"), record("c")))
    children = []
    for name in ("b", "c"):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for _ in range(5):
                    made = store.Restatement(supersedes="a", by=name, reason="error", note=f"{name}{_}")
                    store.write_restatement(project, made)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert len(store.open_project(project).evidence.restatements) == 10


def test_what_was_taken_in_undated_counts_from_that_day(project: Path) -> None:
    retraction = {"supersedes": "bad", "reason": "retracted", "approved_by": ["rso"]}
    run("evidence", "import", a_file(project, record("bad", 30), record("good"), restatements=[retraction]))
    run("gate", "alpha", "-a", "deploy")
    run("gate", "alpha", "-a", "deploy", "--as-of", "2026-05-31", code=1)


def test_a_rule_that_returns_to_an_earlier_version_is_locked_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = project / "policy" / "house.yaml"
    for day, value in (("2026-01-01", "0.2"), ("2026-02-01", "0.1"), ("2026-03-01", "0.2")):
        monkeypatch.setenv("TIDEGATE_TODAY", day)
        policy.write_text(POLICY.replace("0.2", value).replace('"1"', f'"{day}"'))
        run("policy", "lock")
    assert [lock.locked_on for lock in store.read_locks(project)] == [date(2026, month, 1) for month in (1, 2, 3)]


# --- reported figures ------------------------------------------------------------------------------------

HEAD = "id: {model}\nname: X\norganisation: NewLab\nreleased: {released}\nsources:\n  card: {{title: Card, date: {date}, url: null}}\n"
FIGURE = "figures:\n  - {id: a.1, eval: E, metric: m, value: 0.3, unit: fraction, source: card"


def reported(root: Path, body: str, *, model: str = "newlab-x", released: str = "null", day: str = "2026-01") -> str:
    path = root / "inbox" / "card.yaml"
    path.write_text(HEAD.format(model=model, released=released, date=day) + body)
    return str(path)


SENSIBLE = [
    (FIGURE + ", n: 40}\n", {}),
    (FIGURE + ", n: 40.0, line: {value: 0.5, crossed_when: '>=', disclosure: withheld}}\n", {"released": "2026"}),
    (FIGURE + ", n: {value: null, kind: tasks}, line: {value: null, kind: rule_out}, interval: null}\n", {}),
    (FIGURE + ", thresholds: null, domain: null, n: null, elicitation: null, baseline: null}\n", {"day": "2026"}),
    ("conclusions: null\nremarks: null\nbounded_by: null\nrestatements: null\n" + FIGURE + "}\n", {"day": "null"}),
    ("conclusions: [{framework: f, threshold: t, status: never heard of, source: card}]\n" + FIGURE + "}\n", {}),
    (
        FIGURE + ", interval: {kind: seven_sigma, low: 0.1, high: 0.5}, baseline: {value: '8/40'}}\n",
        {"day": "May 2026"},
    ),
    (FIGURE + ", interval: {kind: ci95, half_width: 0.05}, successes: 12, n: {value: 40, kind: trials}}\n", {}),
    (FIGURE.replace("a.1", "'Tâche 1 (é)'") + "}\n  - {id: 'Tâche 1 (è)', eval: Ünï, metric: m, source: card}\n", {}),
    (FIGURE + ", location: 12, check: read, provenance: secondary, published_reading: null}\n", {"model": "lab/x y"}),
    ("figures: []\n", {}),
]


@pytest.mark.parametrize(("body", "changes"), SENSIBLE)
def test_any_sensible_file_of_the_shape_is_taken(project: Path, body: str, changes: dict[str, str]) -> None:
    run("evidence", "import", reported(project, body, **changes))
    run("assess")
    assert len(store.open_project(project).evidence.records) == body.count("eval:")


@pytest.mark.parametrize(
    "body",
    [
        FIGURE + ", n: '~40'}\n",
        FIGURE + ", n: -3}\n",
        FIGURE + ", n: 40, successes: 50}\n",
        FIGURE + ", surprise: 3}\n",
        FIGURE.replace("0.3", "n/a") + "}\n",
        FIGURE.replace("unit: fraction", "unit: null") + "}\n",
        FIGURE.replace("source: card", "source: elsewhere") + "}\n",
        FIGURE + ", interval: {kind: ci, level: 95, low: 0.1, high: 0.5}}\n",
        "conclusions: [{framework: f, threshold: t, status: reached, decided_on: 2026-13}]\n" + FIGURE + "}\n",
    ],
)
def test_nonsense_in_reported_figures_is_refused_where_it_stands(project: Path, body: str) -> None:
    refused = run("evidence", "import", reported(project, body), code=2)
    assert "card.yaml:" in refused.stderr
    assert kept(project) == []


@pytest.mark.parametrize(
    ("words", "element"),
    [
        ("no-tools", "tools"),
        ("tool-free", "tools"),
        ("no browsing or other tools", "tools"),
        ("thinking disabled", "chain_of_thought"),
        ("extended thinking off", "chain_of_thought"),
        ("non-agentic", "scaffolding"),
    ],
)
def test_a_technique_that_was_denied_was_not_used(project: Path, words: str, element: str) -> None:
    run("evidence", "import", reported(project, f"{FIGURE}, elicitation: {{variant: '{words}'}}}}\n"))
    elicitation = store.open_project(project).evidence.records[0].elicitation
    assert element not in elicitation.elements
    assert element in elicitation.absent

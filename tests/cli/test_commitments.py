# SPDX-License-Identifier: Apache-2.0
"""The command line of commitments: what it prints, and its exit codes."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from house import POLICY
from tidegate.cli.app import app
from tidegate.store.project import PROJECT_FILE, create_project

PRACTICE = {
    "schema": "tidegate/practice/v1",
    "id": "testing",
    "section": "risk.assessment",
    "title": "Tests",
    "as_of": "2026-05-01",
    "owner": "ada",
    "commitments": ["trusted-tech#1", "trusted-tech#2", "trusted-tech#3"],
    "statements": [{"text": "Releases are tested.", "evidence": ["policy:adopted"]}],
}
COMMITMENT = {"framework": "trusted-tech", "not_applicable": {"4": "there is no ecosystem"}}
PAGE = "Locks and Keys\nWe may lock it.\nRelated Commitments: Christchurch Call\n"


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setenv("TIDEGATE_TODAY", "2026-06-01")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["commitments", *arguments])
    return result.exit_code, result.output


def a_project(folder: Path, commitments=(COMMITMENT,), **practice) -> str:
    root = folder / "project"
    project = {
        "schema": "tidegate/project/v1",
        "organisation": "House",
        "policy": {"file": "policy/house.yaml"},
        "commitments": list(commitments),
    }
    create_project(
        root,
        {
            PROJECT_FILE: yaml.safe_dump(project),
            "policy/house.yaml": yaml.safe_dump(POLICY),
            "hub/testing.yaml": yaml.safe_dump({**PRACTICE, **practice}),
        },
    )
    return str(root)


def test_list_works_without_a_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, output = run("list")
    assert code == 0
    assert "eu-cop-safety" in output
    assert len(json.loads(run("list", "--json")[1])) == 21


def test_list_tells_the_stance_of_the_project(tmp_path):
    listed = json.loads(run("list", "-C", a_project(tmp_path), "--json")[1])
    assert {one["id"]: one["stance"] for one in listed if one["stance"]} == {"trusted-tech": "adhered"}


def test_show_tells_what_each_item_asks(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, output = run("show", "raise")
    assert code == 0
    assert "in force from 2027-01-01" in output
    assert "72 hours after determination or reasonable belief" in output
    shown = json.loads(run("show", "haip@1", "--json")[1])["framework"]
    assert len(shown["items"]) == 47


def test_an_unknown_framework_exits_2(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, output = run("show", "munch")
    assert code == 2
    assert "PUB002" in output
    assert "munich" in output


def test_coverage_counts_and_names_what_answers(tmp_path):
    code, output = run("coverage", "-C", a_project(tmp_path))
    assert code == 0
    assert "practice testing" in output
    assert "there is no ecosystem" in output
    (one,) = json.loads(run("coverage", "-C", str(tmp_path / "project"), "--json")[1])["frameworks"]
    assert one["counts"] == {"evidence": 3, "statement": 0, "uncovered": 1, "not_applicable": 1}
    assert one["items"][0]["by"][0]["id"] == "testing"


def test_only_uncovered_items_can_be_shown(tmp_path):
    output = run("coverage", "-C", a_project(tmp_path), "--uncovered")[1]
    assert "5  Rule of law" in output
    assert "practice testing" not in output


@pytest.mark.parametrize(
    ("commitments", "code"),
    [
        ([COMMITMENT], 1),
        ([{**COMMITMENT, "stance": "watched"}], 0),
        ([{"framework": "trusted-tech", "not_applicable": {"4": "none", "5": "none"}}], 0),
    ],
)
def test_a_check_fails_if_an_item_that_counts_is_uncovered(tmp_path, commitments, code):
    assert run("coverage", "-C", a_project(tmp_path, commitments), "--check")[0] == code


def test_without_commitments_it_says_what_to_do(tmp_path):
    project = a_project(tmp_path, ())
    assert "add `commitments` to tidegate.yaml" in run("coverage", "-C", project)[1]
    assert "trusted-tech" in run("coverage", "-C", project, "-f", "trusted-tech")[1]


@pytest.mark.parametrize(
    ("commitments", "text", "strict", "code"),
    [
        ((), "Releases are tested.", False, 0),
        ((), "We may test it.", False, 0),
        ((), "We may test it.", True, 1),
        (({"framework": "thorn"},), "Releases are tested.", False, 1),
    ],
)
def test_lint_of_a_project_exits_1_on_errors(tmp_path, commitments, text, strict, code):
    said = [{"text": text, "evidence": ["policy:adopted"]}]
    project = a_project(tmp_path, commitments, statements=said)
    assert run("lint", "-C", project, *(["--strict"] if strict else []))[0] == code


def test_lint_of_texts_needs_no_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("page.txt").write_text(PAGE)
    Path("report.md").write_text("## Section 1\n\nd. Are reports used?\n\nYes\n")
    code, output = run("lint", "--page", "page.txt", "--answers", "report.md")
    assert code == 1
    assert "page.txt:2: warning CL08" in output
    assert "report.md:5: error CL06" in output
    problems = json.loads(run("lint", "--page", "page.txt", "--json")[1])["problems"]
    assert {one["rule"] for one in problems} == {"CL07", "CL08"}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("lint", "--page", "gone.txt"), "DOC001"),
        (("lint", "--answers", "page.txt", "--questionnaire", "happ"), "PUB002"),
        (("lint",), "PRJ001"),
        (("coverage", "--as-of", "soon"), "PRJ005"),
    ],
)
def test_what_cannot_be_read_exits_2(tmp_path, monkeypatch, arguments, code):
    monkeypatch.chdir(tmp_path)
    Path("page.txt").write_text(PAGE)
    exit_code, output = run(*arguments)
    assert exit_code == 2
    assert code in output


def test_every_command_has_help_with_an_example():
    for name in ("list", "show", "coverage", "lint"):
        assert "Example" in run(name, "--help")[1]

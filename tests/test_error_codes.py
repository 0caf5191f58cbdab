# SPDX-License-Identifier: Apache-2.0
"""Errors of a project that is not in order, each with its place: what no other test provokes."""

from datetime import date
from pathlib import Path

import pytest

from tidegate.kernel.errors import CODES, Problem, ProjectError, TidegateError
from tidegate.store.project import create_project, open_project, write_imports

HEAD = "schema: tidegate/project/v1\norganisation: Example\n"


def problem_of(root: Path) -> Problem:
    with pytest.raises(ProjectError) as refused:
        open_project(root)
    return refused.value.problems[0]


@pytest.mark.parametrize(
    ("adopted", "said"),
    [
        ("policy: {}\n", "name either a pack or a file"),
        ("policy: {pack: starter, file: policy/house.yaml}\n", "name either a pack or a file"),
        ("policy: {file: ../house.yaml}\n", "'../house.yaml' lies outside the project"),
        ("policy: {file: /house.yaml}\n", "'/house.yaml' lies outside the project"),
    ],
)
def test_a_project_adopts_one_policy_of_its_own(tmp_path: Path, adopted: str, said: str) -> None:
    (tmp_path / "tidegate.yaml").write_text(HEAD + adopted)
    found = problem_of(tmp_path)
    assert (found.code, found.message) == ("PRJ004", said)
    assert str(found.where).startswith("tidegate.yaml:3:")


def test_two_models_may_not_share_a_name(tmp_path: Path) -> None:
    models = {
        "models/alpha.yaml": "schema: tidegate/model/v1\nid: alpha\naliases: [lab/alpha]\n",
        "models/beta.yaml": "schema: tidegate/model/v1\nid: beta\naliases: [LAB/Alpha]\n",
    }
    create_project(tmp_path / "p", {"tidegate.yaml": HEAD + "policy: {pack: starter}\n", **models})
    found = problem_of(tmp_path / "p")
    assert found.code == "PRJ004"
    assert found.message == "'lab/alpha' also names the model in models/alpha.yaml"
    assert str(found.where) == "models/beta.yaml:1:1"


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    assert problem_of(tmp_path).code == "PRJ001"


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("a file, where a folder is needed")
    with pytest.raises(ProjectError) as refused:
        create_project(tmp_path / "in-the-way" / "p", {"tidegate.yaml": HEAD})
    assert refused.value.problems[0].code == "PRJ004"


def test_nothing_to_import_changes_nothing(tmp_path: Path) -> None:
    root = tmp_path / "p"
    create_project(root, {"tidegate.yaml": HEAD})
    assert write_imports(root, (), date(2026, 6, 1)) == ()
    assert [path.name for path in root.iterdir()] == ["tidegate.yaml"]


def test_every_code_belongs_to_a_kind_of_error() -> None:
    prefixes = {kind.prefix for kind in TidegateError.__subclasses__()}
    assert {code[:3] for code in CODES} == prefixes
    assert all(meaning.endswith(".") for meaning in CODES.values())


def test_an_undocumented_code_cannot_be_used() -> None:
    with pytest.raises(AssertionError, match="undocumented"):
        Problem("XYZ001", "made up")

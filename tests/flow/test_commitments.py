# SPDX-License-Identifier: Apache-2.0
"""From the files of a project to its coverage and to objections with file and line."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from house import POLICY
from tidegate.flow import World
from tidegate.flow.commitments import (
    commitment_coverage,
    known_frameworks,
    lint_project,
    lint_texts,
    one_framework,
    places_of,
)
from tidegate.kernel.clock import fixed_clock, fixed_now
from tidegate.kernel.errors import DocumentError, ProjectError, PublicationError
from tidegate.store.project import PROJECT_FILE, create_project

TODAY = date(2026, 6, 1)
PRACTICE = """\
schema: tidegate/practice/v1
id: testing
section: risk.assessment
title: Tests
as_of: 2026-05-01
owner: ada
commitments: ["hiroshima-coc#1", "asks#often"]
statements:
  - text: Every release is tested.
    evidence: ["policy:adopted"]
  - text: We may do more.
    evidence: ["policy:adopted"]
"""
OWN: dict[str, Any] = {
    "schema": "tidegate/framework/v1",
    "id": "asks",
    "version": "2",
    "title": "Asks",
    "publisher": "Us",
    "date": "2026",
    "source": "here",
    "kind": "questionnaire",
    "status": "active",
    "items": [{"id": "often", "title": "How often", "answer": "frequency"}],
}


def a_project(folder: Path, commitments: Any = (), files: dict[str, str] | None = None) -> World:
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
            PROJECT_FILE: yaml.safe_dump(project, sort_keys=False),
            "policy/house.yaml": yaml.safe_dump(POLICY, sort_keys=False),
            "frameworks/asks.yaml": yaml.safe_dump(OWN, sort_keys=False),
            "hub/testing.yaml": PRACTICE,
            **(files or {}),
        },
    )
    return World(root, fixed_clock(TODAY), fixed_now(TODAY))


def elsewhere(folder: Path) -> World:
    return World(folder, fixed_clock(TODAY), fixed_now(TODAY))


def test_known_are_the_shipped_frameworks_and_those_of_the_project(tmp_path):
    inside = known_frameworks(a_project(tmp_path, [{"framework": "munich", "stance": "watched"}]))
    outside = known_frameworks(elsewhere(tmp_path))
    assert {one.framework.id for one in inside} - {one.framework.id for one in outside} == {"asks"}
    assert [one.framework.id for one in inside if one.made] == ["munich"]
    assert not [one for one in outside if one.made]


def test_a_framework_is_found_by_name_and_version(tmp_path):
    world = a_project(tmp_path, [{"framework": "asks", "stance": "watched"}])
    assert one_framework(world, "asks@2").made.stance == "watched"
    with pytest.raises(PublicationError) as caught:
        one_framework(world, "asks@3")
    assert caught.value.problems[0].code == "PUB002"


def test_coverage_is_that_of_the_commitments(tmp_path):
    world = a_project(tmp_path, [{"framework": "hiroshima-coc"}])
    (found,) = commitment_coverage(world)
    assert (found.framework.id, found.items[0].state, len(found.open)) == ("hiroshima-coc", "evidence", 10)


def test_coverage_of_another_framework_can_be_asked_for(tmp_path):
    world = a_project(tmp_path)
    assert commitment_coverage(world) == ()
    assert [one.framework.id for one in commitment_coverage(world, ["munich", "asks"])] == ["munich", "asks"]
    with pytest.raises(PublicationError):
        commitment_coverage(world, ["munch"])


def test_the_size_of_the_organisation_decides_what_binds(tmp_path):
    facts = "schema: tidegate/obligations/v1\nfacts: [frontier_developer]\n"
    small = a_project(tmp_path / "small", files={"obligations.yaml": facts})
    unknown = a_project(tmp_path / "unknown")
    counts = [commitment_coverage(world, ["sb53"])[0].counts["not_applicable"] for world in (small, unknown)]
    assert counts[0] > counts[1]


def test_objections_to_a_project_have_file_and_line(tmp_path):
    problems = lint_project(a_project(tmp_path, [{"framework": "thorn"}]))
    found = {one.rule.id: (one.where.file, one.where.line) for one in problems}
    assert found["CL01"] == ("tidegate.yaml", 6)
    assert found["CL08"] == ("hub/testing.yaml", 11)
    assert found["CL03"] == ("hub/testing.yaml", 2)


def test_answers_and_model_pages_have_places_too(tmp_path):
    answers = "schema: tidegate/answers/v1\nanswers:\n  - to: haip#1a\n    text: So.\n"
    page = "schema: tidegate/model-page/v1\nmodel: m\n"
    world = a_project(tmp_path, files={"hub/a.yaml": answers, "hub/m.yaml": page})
    places = places_of(world.root)
    assert str(places["answer:haip#1a"]) == "hub/a.yaml:3:5"
    assert str(places["model:m"]) == "hub/m.yaml:2:1"


def test_a_project_is_needed_for_its_own_words(tmp_path):
    with pytest.raises(ProjectError):
        lint_project(elsewhere(tmp_path))


def test_texts_are_judged_without_a_project(tmp_path):
    page, report = tmp_path / "page.txt", tmp_path / "report.md"
    page.write_text("Security and Locks\nWe may lock it.\n")
    report.write_text("## Section 1 - Risk\n\nd. Are reports used?\n\nYes\n")
    problems = lint_texts(elsewhere(tmp_path), [page], [report])
    assert {"CL06", "CL07", "CL08"} == {one.rule.id for one in problems}
    assert {one.where.file for one in problems} == {str(page), str(report)}


def test_a_broken_project_is_not_taken_for_none(tmp_path):
    (tmp_path / PROJECT_FILE).write_text("schema: nonsense\n")
    with pytest.raises(DocumentError):
        known_frameworks(elsewhere(tmp_path))


def test_a_text_that_answers_nothing_is_no_report(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_text("# Notes\n\nNothing of a report.\n", encoding="utf-8")
    with pytest.raises(PublicationError, match="holds no answer to haip") as refused:
        lint_texts(World(tmp_path), (), (path,))
    assert [one.code for one in refused.value.problems] == ["PUB002"]

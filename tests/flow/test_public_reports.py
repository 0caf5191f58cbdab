# SPDX-License-Identifier: Apache-2.0
"""From the files of a project to a report that can be filed: complete ones become final, others name what they lack."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from house import TODAY, a_house, evidence_file
from tidegate.flow import World
from tidegate.flow.evidence import import_files
from tidegate.flow.public_reports import make_haip, make_oscal, make_report, report_kinds, report_schema
from tidegate.kernel.clock import fixed_clock, fixed_now
from tidegate.kernel.errors import TidegateError
from tidegate.policy.frameworks import find_framework
from tidegate.store.project import PROJECT_FILE, create_project

SECRET = "the seventh relay in the cellar"
PAGE = {
    "schema": "tidegate/model-page/v1",
    "model": "m",
    "languages": ["en", "de"],
    "outputs": ["text"],
    "intended_uses": [{"text": "Work with text.", "as_of": "2026-05-20"}],
    "restrictions": [{"text": "Not for advice on medicine.", "as_of": "2026-05-20"}],
}
ANSWERS = {
    "schema": "tidegate/answers/v1",
    "answers": [
        {
            "to": "sb53#12.c.2C",
            "model": "m",
            "text": "Two evaluators from outside had the model for four weeks, with logs and without filters.",
            "evidence": ["evidence:r1"],
            "as_of": "2026-05-20",
        },
        {
            "to": "sb53#12.c.2D",
            "model": "m",
            "text": f"Weights are kept apart by [[R-1|{SECRET}]], and access is watched.",
            "as_of": "2026-05-20",
        },
    ],
}
REDACTIONS = {
    "schema": "tidegate/text-redactions/v1",
    "redactions": [
        {
            "id": "R-1",
            "ground": "cybersecurity",
            "character": "a place",
            "justification": "It helps whoever wants in.",
            "salt": "0" * 63 + "1",
        }
    ],
}
FORMS = ("md", "html", "docx", "pdf", "json")


def written(root: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False))


def a_project(folder: Path, **files: Any) -> World:
    """A project without a log, with everything that a transparency report asks for."""
    root = folder / "lab"
    project = {
        "schema": "tidegate/project/v1",
        "organisation": "Example Lab",
        "policy": {"pack": "starter"},
        "website": "https://lab.example",
        "contact": "safety@lab.example",
    }
    model = {
        "schema": "tidegate/model/v1",
        "id": "m",
        "name": "Model M",
        "released": "2026-05-30",
        "snapshots": [{"id": "s1", "created": "2026-04-01"}],
    }
    create_project(
        root,
        {
            PROJECT_FILE: yaml.safe_dump(project, sort_keys=False),
            "models/m.yaml": yaml.safe_dump(model, sort_keys=False),
        },
    )
    given = {
        "hub/m.yaml": PAGE,
        "hub/answers.yaml": ANSWERS,
        "hub/redactions.yaml": REDACTIONS,
        "obligations.yaml": {"schema": "tidegate/obligations/v1", "facts": ["frontier_developer"]},
        **files,
    }
    written(root, {name: one for name, one in given.items() if one is not None})
    world = World(root, fixed_clock(TODAY), fixed_now(TODAY))
    import_files(world, [evidence_file(folder, "r1", 0.05)])
    return world


def large(**changes: Any) -> dict[str, Any]:
    facts = ["frontier_developer", "large_frontier_developer"]
    return {"obligations.yaml": {"schema": "tidegate/obligations/v1", "facts": facts}, **changes}


def refused(error: pytest.ExceptionInfo[TidegateError]) -> list[tuple[str, str]]:
    return [(one.code, one.message) for one in error.value.problems]


# --- reports of laws ------------------------------------------------------------------------------------


def test_a_complete_transparency_report_becomes_final_in_every_form(tmp_path: Path) -> None:
    world = a_project(tmp_path)
    for form in FORMS:
        made = make_report(world, "sb53-transparency", "m", form, final=True)
        assert made.data
        assert made.page is not None
        assert made.page.is_final
        assert made.problems == ()
        assert made.is_text is (form in ("md", "html", "json"))
        assert made.data == make_report(world, "sb53-transparency", "m", form, final=True).data


def test_nothing_that_is_withheld_is_in_any_form(tmp_path: Path) -> None:
    world = a_project(tmp_path)
    text = make_report(world, "sb53-transparency", "m", "md").data.decode()
    assert "withheld" in text
    assert "cybersecurity" in text
    for form in FORMS:
        assert SECRET.encode() not in make_report(world, "sb53-transparency", "m", form).data


def test_withheld_words_that_stand_elsewhere_stop_the_output(tmp_path: Path) -> None:
    page = {**PAGE, "intended_uses": [{"text": f"Talk about {SECRET}.", "as_of": "2026-05-20"}]}
    with pytest.raises(TidegateError) as error:
        make_report(a_project(tmp_path, **{"hub/m.yaml": page}), "sb53-transparency", "m", "html")
    assert [code for code, _ in refused(error)] == ["PUB006"]


def test_a_large_developer_has_to_give_the_summaries(tmp_path: Path) -> None:
    world = a_project(tmp_path, **large(**{"hub/answers.yaml": None, "hub/redactions.yaml": None}))
    made = make_report(world, "sb53-transparency", None, "json")
    named = [one["field"] for one in json.loads(made.data)["missing"]]
    assert named == ["risk_assessments", "results", "third_parties", "further_steps"]
    assert [one.severity for one in made.problems] == ["warning"] * len(named)
    assert made.summary.startswith(f"Draft: {len(named)} of 11 required fields")
    with pytest.raises(TidegateError) as error:
        make_report(world, "sb53-transparency", None, "json", final=True)
    assert [code for code, _ in refused(error)] == ["PUB001"] * len(named)


def test_the_data_is_of_the_form_that_the_schema_says(tmp_path: Path) -> None:
    world = a_project(tmp_path)
    for kind in ("sb53-transparency", "raise-transparency", "il-transparency", "sb53-internal-use"):
        model = "m" if kind.endswith("transparency") else None
        data = json.loads(make_report(world, kind, model, "json").data)
        Draft202012Validator(report_schema(kind)).validate(data)
        assert data["schema"] == report_schema(kind)["$id"]


def test_a_report_of_a_project_with_a_log_carries_its_checkpoint(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    house.checkpoint()
    made = make_report(house.world(), "sb53-transparency", "m", "json")
    log = json.loads(made.data)["log"]
    assert made.page is not None
    assert log["origin"] == "example.com/house"
    assert log["size"] > 0
    assert any(
        f"Log example.com/house, {log['size']} entries, root {log['root']}." == line for line in made.page.footer
    )


@pytest.mark.parametrize(
    ("kind", "model", "form", "code"),
    [
        ("sb53", "m", "md", "PUB002"),
        ("sb53-transparency", "another", "md", "ASM001"),
        ("sb53-transparency", "m", "odt", "PRJ005"),
        ("sb53-internal-use", "m", "md", "PRJ005"),
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, kind: str, model: str, form: str, code: str) -> None:
    with pytest.raises(TidegateError) as error:
        make_report(a_project(tmp_path), kind, model, form)
    assert [found for found, _ in refused(error)] == [code]


def test_with_two_models_one_has_to_be_named(tmp_path: Path) -> None:
    second = {"schema": "tidegate/model/v1", "id": "n"}
    with pytest.raises(TidegateError) as error:
        make_report(a_project(tmp_path, **{"models/n.yaml": second}), "sb53-transparency", None, "md")
    assert [code for code, _ in refused(error)] == ["PRJ005"]
    assert "--model" in (error.value.problems[0].hint or "")


def test_a_system_card_in_markdown_begins_with_what_model_hubs_read(tmp_path: Path) -> None:
    world = a_project(tmp_path)
    card = make_report(world, "system-card", "m", "md").data.decode()
    metadata = yaml.safe_load(card.split("---\n")[1])
    assert metadata["language"] == ["en", "de"]
    assert make_report(world, "system-card", "m", "html").data.startswith(b"<!doctype html>")


@pytest.mark.parametrize("what", ["assessment-results", "component-definition"])
def test_what_is_published_can_be_exported_to_oscal(tmp_path: Path, what: str) -> None:
    made = make_oscal(a_project(tmp_path), what)
    assert list(json.loads(made.data)) == [what]
    assert (made.page, made.is_text) == (None, True)


def test_exports_refuse_what_they_cannot_make(tmp_path: Path) -> None:
    world = a_project(tmp_path)
    (world.root / "models" / "m.yaml").unlink()
    for what, code in (("assessment-plan", "PRJ005"), ("assessment-results", "ASM001")):
        with pytest.raises(TidegateError) as error:
            make_oscal(world, what)
        assert [found for found, _ in refused(error)] == [code]


# --- questionnaires -------------------------------------------------------------------------------------


def test_haip_is_refused_as_final_while_a_question_is_open(tmp_path: Path) -> None:
    world = a_project(tmp_path)
    made = make_haip(world, "html")
    assert len(made.problems) == 47
    with pytest.raises(TidegateError) as error:
        make_haip(world, "html", final=True)
    assert {code for code, _ in refused(error)} == {"PUB001"}


def test_a_newer_questionnaire_is_a_file_of_the_project(tmp_path: Path) -> None:
    newer = {
        "schema": "tidegate/framework/v1",
        "id": "haip",
        "version": "2.0",
        "title": "Second questionnaire",
        "publisher": "OECD for the G7",
        "date": "2026-05-28",
        "source": "made up for this test",
        "kind": "questionnaire",
        "status": "active",
        "sections": {"A": "Building"},
        "items": [
            {"id": "M1", "title": "Tests", "section": "A", "answer": "text", "applies_to": "model_developer"},
            {"id": "D1", "title": "Watching", "section": "A", "answer": "frequency", "applies_to": "deployer"},
        ],
    }
    answers = {
        "schema": "tidegate/answers/v1",
        "answers": [{"to": "haip#M1", "text": "Each model is tested for a month."}],
    }
    files = {"frameworks/haip-2.yaml": newer, "hub/answers.yaml": answers, "hub/redactions.yaml": None}
    world = a_project(tmp_path, **files)
    made = make_haip(world, "json", final=True, role="model_developer")
    data = json.loads(made.data)
    assert list(data["answers"]) == ["M1"]
    assert data["questionnaire"]["version"] == "2.0"
    Draft202012Validator(report_schema("haip", world)).validate(data)
    assert len(make_haip(world, "md", version="haip@1").problems) == 47
    assert [one.message.split()[0] for one in make_haip(world, "md").problems] == ["haip#D1"]
    assert {"haip@1", "haip@2.0"} <= {one.id for one in report_kinds(world)}
    with pytest.raises(TidegateError) as error:
        make_haip(world, "md", version="haip@3")
    assert [code for code, _ in refused(error)] == ["PUB002"]


def test_kinds_and_schemas_need_no_project() -> None:
    kinds = report_kinds()
    assert {"sb53-transparency", "raise-transparency", "il-transparency"} <= {one.id for one in kinds}
    assert ("haip@1", "questionnaire") in {(one.id, one.subject) for one in kinds}
    for one in kinds:
        schema = report_schema(one.id)
        Draft202012Validator.check_schema(schema)
        assert schema["title"] == one.title
    assert set(report_schema("haip")["properties"]["answers"]["properties"]) == {
        one.id for one in find_framework("haip@1").items
    }
    with pytest.raises(TidegateError) as error:
        report_schema("nothing-of-the-kind")
    assert [code for code, _ in refused(error)] == ["PUB002"]


def test_a_questionnaire_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(TidegateError) as refused:
        make_report(a_project(tmp_path), "haip", None, "md")
    assert refused.value.problems[0].code == "PUB002"
    assert "tidegate publish haip" in (refused.value.problems[0].hint or "")

# SPDX-License-Identifier: Apache-2.0
"""Reports from templates: what fills a field, what is missing and named as such, and what a law asks only of others."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from statements import (
    ASSESSMENT,
    AT,
    RECORD,
    WORDS,
    a_content,
    a_page,
    a_practice,
    a_published_model,
    a_statement,
    an_answer,
)
from tidegate.kernel.documents import parse_document
from tidegate.kernel.errors import PublicationError, TidegateError
from tidegate.policy.frameworks import shipped_frameworks
from tidegate.publish.content import Content
from tidegate.publish.inventory import BADGE_WORDS
from tidegate.publish.practices import CommitmentMade, ModelPage, Publication, WithheldWords
from tidegate.publish.printing import printed
from tidegate.publish.report_blocks import Mark, Page, Paragraph, Section
from tidegate.publish.report_filling import (
    STATE_WORDS,
    FilledField,
    FilledReport,
    check_items,
    fill,
    find_template,
    parse_template,
    template_names,
    templates,
)
from tidegate.publish.report_schemas import report_schema
from tidegate.publish.report_sources import SOURCES
from tidegate.publish.report_templates import ReportTemplate

LARGE = frozenset({"frontier_developer", "large_frontier_developer"})
SMALL = frozenset({"frontier_developer"})
LAWS = {
    "sb53": ("sb53", "12.c."),
    "raise": ("raise", "1421.3."),
    "il": ("il-aisma", "10.c."),
}
"""Short name -> framework, and how the items of its transparency report begin."""
BASIC = ("website", "contact", "release_date", "languages", "outputs", "intended_uses", "restrictions")
SUMMARIES = ("risk_assessments", "results", "third_parties", "further_steps")


def told(law: str, *fields: str) -> list[Any]:
    """Answers to the items of some fields."""
    template = find_template(f"{law}-transparency")
    specs = [one for section in template.sections for one in section.fields if one.id in fields]
    return [
        an_answer(one.items[0], f"About {one.title.casefold()}: {WORDS}", model="m", evidence=(RECORD.ref,))
        for one in specs
    ]


def reported(
    law: str = "sb53", facts: frozenset[str] = LARGE, page: ModelPage | None = None, **changes: Any
) -> FilledReport:
    """A transparency report about a model with its page and an answer to every summary."""
    given = {"answers": told(law, *SUMMARIES), **changes}
    model = given.pop("model", None) or a_published_model(page or a_page())
    content = a_content(models=[model], **given)
    return fill(find_template(f"{law}-transparency"), content, model, facts)


def field(report: FilledReport, name: str) -> FilledField:
    return next(one for one in report.fields if one.spec.id == name)


def section(page: Page, name: str) -> Section:
    return next(one for one in page.sections if one.anchor == f"field-{name}")


def one_field(**changes: Any) -> ReportTemplate:
    spec = {"id": "f", "title": "Field", "items": ["sb53#12.c.2D"], **changes}
    return ReportTemplate.model_validate(
        {
            "schema": "tidegate/report-template/v1",
            "id": "own",
            "version": "1",
            "title": "Own report",
            "subject": changes.pop("subject", "model"),
            "frameworks": ["sb53"],
            "sections": [{"id": "s", "title": "Section", "fields": [spec]}],
        }
    )


# --- the templates that ship ------------------------------------------------------------------------------


def test_every_template_names_items_and_sources_that_exist() -> None:
    found = templates()
    assert {f"{law}-transparency" for law in LAWS} <= {one.id for one in found}
    assert template_names() == tuple(one.id for one in found)
    for one in found:
        check_items(one, shipped_frameworks())
        Draft202012Validator.check_schema(report_schema(one))


@pytest.mark.parametrize("law", LAWS)
def test_a_transparency_report_has_a_field_for_every_item_that_the_law_asks_for(law: str) -> None:
    framework, prefix = LAWS[law]
    asked = {
        f"{framework}#{one.id}"
        for one in shipped_frameworks()[framework].items
        if one.group == "transparency_report" and one.id.startswith(prefix)
    }
    template = find_template(f"{law}-transparency")
    specs = [one for part in template.sections for one in part.fields]
    assert asked <= {ref for one in specs for ref in one.items}
    assert len(asked) >= 11
    large = {
        f"{framework}#{one.id}"
        for one in shipped_frameworks()[framework].items
        if (one.applies_to or "")[:5] == "large"
    }
    for one in specs:
        binds_large = bool(set(one.items) & asked & large)
        assert one.required_of == (("large_frontier_developer",) if binds_large else ())


def test_an_unknown_kind_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PublicationError) as refused:
        find_template("sb53-transparancy")
    assert refused.value.problems[0].code == "PUB002"
    assert "sb53-transparency" in (refused.value.problems[0].hint or "")
    assert find_template("own", [one_field()]).title == "Own report"


def test_a_template_is_read_with_every_problem() -> None:
    text = (
        "schema: tidegate/report-template/v1\nid: own\nversion: '1'\ntitle: Own\nsubject: model\nsections:\n"
        "  - id: s\n    title: S\n    fields:\n      - {id: a, title: A, source: model.langauges}\n"
        "      - {id: a, title: A}\n"
    )
    with pytest.raises(PublicationError) as refused:
        parse_template(parse_document(text.encode(), "own.yaml"))
    assert [(one.code, str(one.where)) for one in refused.value.problems] == [
        ("PUB002", "own.yaml:10:9"),
        ("PUB003", "own.yaml:11:9"),
    ]
    assert "model.languages" in (refused.value.problems[0].hint or "")


def test_items_that_no_framework_has_are_refused() -> None:
    with pytest.raises(PublicationError) as refused:
        check_items(one_field(items=["sb53#12.c.9", "sb54#1", "sb53#12.c.2D"]), shipped_frameworks())
    assert [one.code for one in refused.value.problems] == ["PUB002", "PUB002"]


# --- complete and incomplete -------------------------------------------------------------------------------


@pytest.mark.parametrize("law", LAWS)
def test_a_complete_report_becomes_final(law: str) -> None:
    report = reported(law)
    assert [(one.spec.id, one.state, one.lacks) for one in report.missing] == []
    page = report.to_page(is_final=True)
    assert page.is_final
    assert page.status == "Final: every required field is filled."
    assert report.to_json(is_final=True)["status"] == "final"


@pytest.mark.parametrize("law", LAWS)
def test_what_is_missing_is_named_exactly_and_blocks_final(law: str) -> None:
    page = a_page(languages=(), restrictions=())
    report = reported(law, page=page, contact=None)
    expected = ["contact", "languages", "restrictions"]
    assert [one.spec.id for one in report.missing] == expected
    for make in (report.to_page, report.to_json):
        with pytest.raises(PublicationError) as refused:
            make(is_final=True)
        assert [one.code for one in refused.value.problems] == ["PUB001"] * 3
        assert [one.message.split(" (")[0] for one in refused.value.problems] == [
            "How to reach the developer",
            "Languages",
            "Restrictions and conditions of use",
        ]
    hints = [one.hint or "" for one in report.problems]
    assert "`contact` in tidegate.yaml" in hints[0]
    assert "`languages` on the model's page" in hints[1]
    assert all(f"`{LAWS[law][0]}#" in one for one in hints)
    draft = report.to_page()
    assert len(draft.problems) == 3
    for name in expected:
        first = section(draft, name).blocks[0]
        assert isinstance(first, Paragraph)
        assert first.words[0] == Mark("missing", "reached")
    assert [one["field"] for one in report.to_json()["missing"]] == expected
    assert b"missing" in printed(draft, "md")


def test_without_anything_every_required_field_is_missing() -> None:
    model = a_published_model(released=None)
    content = a_content(models=[model], website=None, contact=None, evidence={})
    small = fill(find_template("sb53-transparency"), content, model, SMALL)
    assert [one.spec.id for one in small.missing] == list(BASIC)
    assert small.to_page().status == "Draft: 7 of 7 required fields are missing or partial."


def test_what_is_asked_only_of_large_developers_is_not_missing_for_others() -> None:
    template = one_field(required_of=["large_frontier_developer"])
    model = a_published_model()
    content = a_content(models=[model])
    small = field(fill(template, content, model, SMALL), "f")
    assert (small.state, small.is_required, small.blocks_final) == ("not_required", False, False)
    assert "large frontier developer" in small.reason
    large = field(fill(template, content, model, LARGE), "f")
    assert (large.state, large.blocks_final) == ("missing", True)
    given = a_content(models=[model], answers=[an_answer("sb53#12.c.2D")])
    assert field(fill(template, given, model, SMALL), "f").state == "filled"


def test_an_optional_field_may_be_absent() -> None:
    report = fill(one_field(optional=True), a_content())
    assert (field(report, "f").state, report.is_complete) == ("not_required", True)


# --- what fills a field ------------------------------------------------------------------------------------


def test_answers_come_first_then_practices_then_what_is_computed() -> None:
    practice = a_practice("testing", "sb53#12.c.1D", statements=(a_statement("A practice says so.", "evidence:r1"),))
    report = reported(
        practices=[practice], answers=[*told("sb53", *SUMMARIES), an_answer("sb53#12.c.1D", "We say so.")]
    )
    found = field(report, "languages")
    assert [one.text for one in found.sayings] == ["We say so.", "A practice says so."]
    assert found.filling is not None
    blocks = section(report.to_page(), "languages").blocks
    assert blocks[-len(found.filling.blocks) - 1 : -1] == found.filling.blocks
    assert found.refs[0] == "evidence:r1"


def test_the_answer_about_the_model_comes_before_the_general_one() -> None:
    both = [an_answer("sb53#12.c.2D", "In general."), an_answer("sb53#12.c.2D", "About M.", model="M")]
    model, other = a_published_model(), a_published_model(id="n", name="Model N")
    content = a_content(answers=both, models=[model])
    assert [one.text for one in field(fill(one_field(), content, model), "f").sayings] == ["About M."]
    assert [one.text for one in field(fill(one_field(), content, other), "f").sayings] == ["In general."]


def test_what_is_done_in_general_fills_a_report_of_the_organisation_and_not_of_a_model() -> None:
    general = a_practice("general", "crosswalk#evaluations")
    concept = next(one for one in a_content().crosswalk.items if "sb53#12.c.2A" in one.see)
    general = a_practice("general", f"crosswalk#{concept.id}")
    content = a_content([general], models=[model := a_published_model()])
    template = one_field(items=["sb53#12.c.2A"])
    assert field(fill(template, content, model), "f").state == "missing"
    assert field(fill(template, content), "f").state == "filled"


def test_a_practice_about_other_models_does_not_count() -> None:
    other = a_practice("other", "sb53#12.c.2D", models=("another",))
    content = a_content([other], models=[model := a_published_model()])
    assert field(fill(one_field(), content, model), "f").state == "missing"
    own = a_practice("own", "sb53#12.c.2D", models=("M",))
    content = a_content([own], models=[model])
    assert field(fill(one_field(), content, model), "f").state == "filled"


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        ({"choice": "not_applicable"}, "not_applicable", "We give no such thing."),
        ({"choice": "not_applicable", "text": None}, "missing", "not why"),
        ({"text": "Please see our hub."}, "partial", "only says where to look"),
        ({"evidence": ("evidence:gone",)}, "partial", "evidence:gone, which does not exist"),
        ({"practices": ("gone",)}, "partial", "practice gone"),
        ({}, "filled", ""),
    ],
)
def test_how_an_answer_leaves_a_field(answer: dict[str, Any], state: str, said: str) -> None:
    given = an_answer("sb53#12.c.2D", **{"text": "We give no such thing.", **answer})
    report = fill(one_field(), a_content(answers=[given]))
    found = field(report, "f")
    assert (found.state, found.blocks_final) == (state, state in ("missing", "partial"))
    assert said in found.reason
    assert said in printed(report.to_page(), "md").decode().replace("\\", "")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"not_applicable": {"12.c.2D": "Nothing else was done."}}, "Nothing else was done."),
        ({"stance": "not_applicable", "reason": "We have no frontier model."}, "We have no frontier model."),
        ({"not_applicable": {"12.c.2C": "Another item."}}, ""),
    ],
)
def test_an_item_that_the_project_says_does_not_apply(made: dict[str, Any], reason: str) -> None:
    content = a_content(commitments=(CommitmentMade(framework="sb53", **made),))
    found = field(fill(one_field(), content), "f")
    assert (found.state, found.reason if reason else "") == ("not_applicable" if reason else "missing", reason)


def test_badge_and_day_are_those_of_the_weakest_and_the_oldest_part() -> None:
    practice = a_practice(
        "p", "sb53#12.c.2D", statements=(a_statement("No record.", as_of=date(2026, 3, 1)),), as_of=None
    )
    given = an_answer("sb53#12.c.2D", evidence=(RECORD.ref,))
    found = field(fill(one_field(), a_content([practice], [given])), "f")
    assert [one.worth.badge for one in found.sayings] == ["verified", "statement"]
    assert (found.badge, found.as_of) == ("statement", date(2026, 3, 1))


def test_computed_summaries_cite_the_records_that_they_rest_on() -> None:
    report = reported(answers=[])
    found = field(report, "results")
    assert found.state == "filled"
    assert ASSESSMENT.ref in found.refs
    assert found.badge == "verified"
    page = report.to_page()
    assert page.anchors[RECORD.ref] == page.anchors[ASSESSMENT.ref] == "records"
    data = report.to_json()["fields"]["results"]
    assert data["data"]
    assert ASSESSMENT.ref in data["records"]


def test_a_website_is_a_statement_and_no_verified_record() -> None:
    found = field(reported(), "website")
    assert found.badge == "statement"
    assert found.filling is not None
    assert found.filling.data == "https://lab.example"


# --- what the page says of the law and of itself -----------------------------------------------------------


@pytest.mark.parametrize(
    ("law", "at", "is_said"),
    [
        ("sb53", AT, False),
        ("raise", AT, True),
        ("il", AT, True),
        ("raise", date(2026, 12, 31), True),
        ("raise", date(2027, 1, 1), False),
    ],
)
def test_a_law_that_is_not_in_force_yet_is_said_to_be_so(law: str, at: date, is_said: bool) -> None:
    report = reported(law, at=at)
    text = printed(report.to_page(), "md").decode()
    assert ("is not in force yet: it binds from 2027-01-01 on" in text) is is_said
    assert [one["is_in_force"] for one in report.to_json()["frameworks"]] == [not is_said]


def test_the_illinois_summaries_are_machine_readable() -> None:
    report = reported("il")
    assert field(report, "machine_readable").state == "filled"
    data = report.to_json()["fields"]
    assert all(data[name]["statements"] for name in SUMMARIES)


def test_the_last_lines_count_what_is_withheld() -> None:
    digest = "sha256:" + "0" * 64
    withheld = WithheldWords(
        id="R-1", ground="cybersecurity", character="a route", justification="it helps", digest=digest
    )
    report = reported(withheld_words=(withheld,))
    assert report.to_page().footer[-1] == (
        "Withheld in all that is published: 1 passages of text, 0 fields of evidence records. Grounds: cybersecurity 1."
    )
    assert report.to_json()["withheld"] == {"passages": 1, "evidence_fields": 0, "grounds": {"cybersecurity": 1}}


# --- for machines ------------------------------------------------------------------------------------------


def contents() -> dict[str, tuple[Content, frozenset[str]]]:
    model = a_published_model(a_page())
    bare = a_published_model(released=None)
    practice = a_practice("testing", "sb53#12.c.2A", "raise#1421.3.b.i", "il-aisma#10.c.2A")
    return {
        "nothing": (a_content(models=[bare], website=None, contact=None, head=None), SMALL),
        "all": (a_content([practice], told("sb53", *SUMMARIES), [model]), LARGE),
        "old practice": (a_content([practice], models=[model], publication=Publication(practices=(practice,))), LARGE),
    }


@pytest.mark.parametrize("template", templates(), ids=lambda one: one.id)
@pytest.mark.parametrize("case", contents())
def test_the_data_of_every_report_is_of_its_published_form(template: ReportTemplate, case: str) -> None:
    content, facts = contents()[case]
    model = content.models[0] if template.subject == "model" else None
    schema = report_schema(template)
    data = fill(template, content, model, facts).to_json()
    Draft202012Validator(schema).validate(data)
    specs = [one for part in template.sections for one in part.fields]
    assert list(schema["properties"]["fields"]["properties"]) == [one.id for one in specs]


def test_data_that_hides_a_missing_field_is_not_of_the_form() -> None:
    report = reported(contact=None)
    schema = Draft202012Validator(report_schema(report.template))
    data = report.to_json()
    assert schema.is_valid(data)
    assert not schema.is_valid({**data, "status": "final"})
    fields = {key: one for key, one in data["fields"].items() if key != "contact"}
    assert not schema.is_valid({**data, "fields": fields})
    wrong = {**data["fields"]["contact"], "state": "filed"}
    assert not schema.is_valid({**data, "fields": {**data["fields"], "contact": wrong}})


def test_every_refusal_is_an_error_for_people() -> None:
    with pytest.raises(TidegateError, match="PUB001"):
        reported(contact=None).to_page(is_final=True)


@pytest.mark.parametrize("form", ["md", "html"])
def test_a_page_is_the_same_bytes_each_time(form: Any) -> None:
    report = reported()
    assert printed(report.to_page(), form) == printed(reported().to_page(), form)


def test_the_reference_names_every_source_state_and_key() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "report-templates.md").read_text(
        encoding="utf-8"
    )
    for name in (*SOURCES, "report.machine_readable", *reported().to_json()):
        assert f"`{name}`" in text, name
    for words in (*STATE_WORDS.values(), *BADGE_WORDS.values()):
        assert f"| {words} |" in text, words

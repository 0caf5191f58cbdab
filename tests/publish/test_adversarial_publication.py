# SPDX-License-Identifier: Apache-2.0
"""Ways in which a publication could say more than its records hold, each of them closed."""

import time
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from factories import a_count, a_model, a_policy, a_record
from house import a_house, evidence_file
from published import model_m, published_content, the_content
from statements import (
    ASSESSMENT,
    AT,
    RECORD,
    a_content,
    a_page,
    a_practice,
    a_published_model,
    a_questionnaire,
    a_statement,
    an_answer,
)
from tidegate.flow.evidence import import_files
from tidegate.flow.publishing import collect
from tidegate.kernel.errors import PublicationError
from tidegate.policy.frameworks import shipped_frameworks
from tidegate.publish.answer_words import is_bare, is_only_a_pointer
from tidegate.publish.claims import lint
from tidegate.publish.claims_content import claims_of
from tidegate.publish.claims_text import MAX_LINE, read_page
from tidegate.publish.content import Content
from tidegate.publish.coverage import coverage
from tidegate.publish.haip import haip_report
from tidegate.publish.inventory import Inventory, Known, worth
from tidegate.publish.on_record import OnRecord, inventory_of
from tidegate.publish.oscal import component_definition
from tidegate.publish.practices import CommitmentMade, Practice
from tidegate.publish.report_filling import FilledField, fill, find_template
from tidegate.publish.report_sources import SOURCES
from tidegate.publish.report_words import Hub, footer, records_section
from tidegate.publish.system_card import card_metadata
from tidegate.store.publication import read_publication

RETRACTED = Known("evidence:gone", "Eval", "verified", date(2026, 10, 1), date(2026, 11, 20))
LATER = Known("evidence:later", "Eval", "verified", date(2026, 11, 22))
OTHER = Known("evidence:other", "Eval", "verified", date(2026, 10, 1), model="n")
GENERAL = Known("evidence:all", "Audit", "attested", date(2026, 10, 1))
INVENTORY = Inventory(
    {one.ref: one for one in (RECORD, ASSESSMENT, RETRACTED, LATER, OTHER, GENERAL)}, {"m": "m", "m-alias": "m"}
)


def named(content: Content, kind: str, model: Any, facts: Any = ()) -> dict[str, FilledField]:
    return {one.spec.id: one for one in fill(find_template(kind), content, model, facts).fields}


# --- badges -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refs", "as_of", "badge", "reason"),
    [
        (("evidence:r1",), date(2026, 11, 1), "verified", "evidence:r1"),
        (("evidence:r1",), date(2026, 11, 22), "statement", "still to come"),
        (("evidence:gone",), date(2026, 11, 1), "aged", "no longer counts"),
        (("evidence:later",), date(2026, 11, 1), "aged", "of a later day"),
        (("evidence:later", "evidence:r1"), date(2026, 11, 1), "verified", "evidence:r1"),
    ],
)
def test_a_badge_needs_a_record_that_counts_on_the_day(
    refs: tuple[str, ...], as_of: date, badge: str, reason: str
) -> None:
    found = worth(a_statement("Said.", *refs, as_of=as_of), None, INVENTORY, AT)
    assert found.badge == badge
    assert reason in found.reason


@pytest.mark.parametrize(
    ("refs", "models", "badge"),
    [
        (("evidence:other",), ("m",), "statement"),
        (("evidence:other",), ("n",), "verified"),
        (("evidence:other",), (), "verified"),
        (("evidence:other", "evidence:all"), ("m",), "attested"),
        (("evidence:r1",), ("M-Alias",), "verified"),
    ],
)
def test_a_record_about_another_model_shows_nothing_of_this_one(
    refs: tuple[str, ...], models: tuple[str, ...], badge: str
) -> None:
    practice = a_practice(models=models, statements=(a_statement("Said.", *refs),))
    assert worth(practice.statements[0], practice, INVENTORY, AT).badge == badge
    assert worth(a_statement("Said.", *refs), None, INVENTORY, AT, models).badge == badge


def test_a_page_about_a_model_is_not_shown_by_evidence_about_another() -> None:
    page = a_page(intended_uses=(a_statement("Work.", "evidence:other"),))
    model = a_published_model(page)
    filling = SOURCES["model.intended_uses"](a_content(models=[model], inventory=INVENTORY), model)
    assert filling is not None
    assert [one["badge"] for one in filling.data] == ["statement"]


def test_what_only_a_page_says_is_no_record() -> None:
    model = a_published_model(a_page(licence="mit"))
    content = a_content(models=[model], inventory=Inventory({"model:m": Known("model:m", "M", "attested")}))
    for name in ("model.languages", "model.outputs", "model.licence"):
        filling = SOURCES[name](content, model)
        assert filling is not None
        assert filling.refs == ()


def test_records_are_verified_only_while_the_log_and_the_files_agree() -> None:
    content = the_content()
    model = model_m(content)
    given = {
        "policy": content.policy,
        "at": content.at,
        "policy_entry": 3,
        "evidence": content.evidence.values(),
        "assessments": (model.assessment,),
        "decisions": model.decisions,
        "reports": [record for record, _ in model.reports],
        "cases": model.cases,
    }
    sure = inventory_of(OnRecord(**given, logged=True)).records
    doubted = inventory_of(OnRecord(**given, logged=False)).records
    kinds = {ref.partition(":")[0] for ref, one in sure.items() if one.worth == "verified"}
    assert kinds >= {"policy", "assessment", "decision", "report", "case"}
    assert {one.worth for one in doubted.values()} == {"attested"}


def test_restated_expired_and_later_evidence_does_not_count() -> None:
    records = (
        a_record("a", a_count(5, 200)),
        a_record("b", a_count(5, 200)),
        a_record("c", a_count(5, 200), ended_by_event=AT),
        a_record("d", a_count(5, 200), finished="2026-11-01", published="2026-12-01"),
    )
    found = inventory_of(OnRecord(a_policy(), AT, evidence=records, models=[a_model("m")], withdrawn={"b"}))
    assert {ref: one.counts_on(AT) for ref, one in found.records.items() if ref.startswith("evidence:")} == {
        "evidence:a": True,
        "evidence:b": False,
        "evidence:c": False,
        "evidence:d": False,
    }
    assert {one.model for one in found.records.values() if one.ref.startswith("evidence:")} == {"m"}


def test_a_record_that_no_longer_counts_is_not_listed_as_verified() -> None:
    content = a_content(inventory=INVENTORY)
    section = records_section(("evidence:gone", "evidence:r1"), content, Hub())
    assert section is not None
    (table,) = section.blocks
    assert [row[2][0].words for row in table.rows] == ["aged", "verified record"]  # type: ignore[union-attr]


# --- retracted results ----------------------------------------------------------------------------------------


def test_a_retracted_result_is_in_no_card_and_no_table() -> None:
    content = the_content()
    model = model_m(content)
    gone = replace(content, withdrawn=frozenset(content.evidence))
    for name in ("assessment.evaluations", "assessment.samples", "assessment.third_parties", "external_reports"):
        before, after = SOURCES[name](content, model), SOURCES[name](gone, model)
        assert before is not None
        assert not [ref for ref in (after.refs if after else ()) if ref.startswith("evidence:")]
    assert card_metadata(content, model)["model-index"]
    assert "model-index" not in card_metadata(gone, model)


def a_retraction(root: Path) -> None:
    made = {"supersedes": "r1", "reason": "retracted", "approved_by": ["ada"], "on": "2026-05-20"}
    text = yaml.safe_dump({"schema": "tidegate/restatements/v1", "restatements": [made]})
    (root / "evidence" / "restatements.yaml").write_text(text)


def test_what_was_retracted_counts_no_longer_and_a_log_in_doubt_is_called_so(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    house.checkpoint()
    sound = collect(house.world()).content
    assert {one.worth for one in sound.inventory.records.values()} == {"verified", "attested"}
    assert not any("cannot be relied on" in line for line in footer(sound))
    a_retraction(house.root)
    content = collect(house.world()).content
    assert content.withdrawn == {"r1"}
    found = content.inventory.find("evidence:r1")
    assert found is not None
    assert not found.counts_on(content.at)
    # The files hold more than the log.
    assert content.doubts
    assert {one.worth for one in content.inventory.records.values()} == {"attested"}
    assert any("cannot be relied on" in line for line in footer(content))


def test_an_earlier_day_knows_nothing_of_later_evidence_and_policies(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    file = house.root / "tidegate.yaml"
    settings = yaml.safe_load(file.read_text())
    del settings["ledger"]
    file.write_text(yaml.safe_dump(settings))
    import_files(house.world(), [evidence_file(tmp_path, "r9", 0.2, finished="2026-05-20")])
    a_retraction(house.root)
    before = collect(house.world(), date(2026, 5, 10)).content
    assert set(before.evidence) == {"r1"}
    assert before.withdrawn == frozenset()
    now = collect(house.world()).content
    assert set(now.evidence) == {"r1", "r9"}
    assert now.withdrawn == {"r1"}


# --- reports ----------------------------------------------------------------------------------------------------

FURTHER = "sb53#12.c.2D"
LARGE = ("frontier_developer", "large_frontier_developer")


def test_an_answer_about_a_model_cannot_rest_on_a_practice_about_others() -> None:
    practice = a_practice("elsewhere", models=("n",))
    answer = an_answer(FURTHER, None, practices=("elsewhere",), as_of=None)
    model = a_published_model(a_page())
    content = a_content([practice], [answer], [model])
    field = named(content, "sb53-transparency", model, LARGE)["further_steps"]
    assert all(one.practice is None for one in field.sayings)
    assert "about other models" in field.lacks[0]
    assert field.blocks_final


def test_a_fault_in_words_blocks_even_where_nothing_was_asked() -> None:
    model = a_published_model(a_page())
    cites = a_content(answers=[an_answer(FURTHER, evidence=("evidence:none",), model="m")], models=[model])
    rests = a_content(answers=[an_answer(FURTHER, None, practices=("none",), model="m")], models=[model])
    fine = a_content(answers=[an_answer(FURTHER, evidence=("evidence:r1",), model="m")], models=[model])
    for content, blocks in ((cites, True), (rests, True), (fine, False)):
        field = named(content, "sb53-transparency", model)["further_steps"]
        assert (field.is_required, field.blocks_final) == (False, blocks)


@pytest.mark.parametrize(
    ("as_of", "refs", "blocks"),
    [
        (date(2025, 1, 1), (), True),
        (date(2025, 1, 1), ("evidence:r1",), True),
        (date(2026, 12, 1), (), True),
        (date(2026, 11, 1), ("evidence:gone",), True),
        (date(2026, 11, 1), ("evidence:r1",), False),
        (date(2026, 11, 1), (), False),
    ],
)
def test_words_that_do_not_hold_on_the_day_do_not_fill_a_field(
    as_of: date, refs: tuple[str, ...], blocks: bool
) -> None:
    said = (a_statement("Not for advice.", *refs, as_of=as_of),)
    model = a_published_model(a_page(restrictions=said))
    content = a_content(models=[model], inventory=INVENTORY)
    assert named(content, "sb53-transparency", model)["restrictions"].blocks_final is blocks
    item = "sb53#12.c.1G"
    bare = a_published_model(a_page(restrictions=()))
    told = a_content(answers=[an_answer(item, as_of=as_of, evidence=refs)], models=[bare], inventory=INVENTORY)
    assert named(told, "sb53-transparency", bare)["restrictions"].blocks_final is blocks


def test_a_report_says_what_is_not_asked_because_it_was_not_declared() -> None:
    model = a_published_model(a_page())
    content = a_content(models=[model])
    page = fill(find_template("sb53-transparency"), content, model, ()).to_page(is_final=True)
    words = str(page.sections[0].blocks)
    assert "does not declare to be a large frontier developer: 4 fields are not required" in words
    declared = fill(find_template("sb53-transparency"), content, model, LARGE).to_page()
    assert "does not declare" not in str(declared.sections[0].blocks)


def test_a_model_that_comes_out_later_is_not_called_released() -> None:
    model = a_published_model(released="2027-01-05")
    filling = SOURCES["model.released"](a_content(models=[model]), model)
    assert filling is not None
    assert "To be released 2027-01-05" in str(filling.blocks)


def test_a_figure_whose_bound_is_beyond_the_line_does_not_read_as_safe() -> None:
    content = published_content()
    model = content.models[0]
    filling = SOURCES["assessment.results"](content, model)
    assert filling is not None
    rows = [row for block in filling.blocks for row in getattr(block, "rows", ())]
    (survey,) = [row for row in rows if "Internal model use survey" in str(row) and "0 of 4" in str(row)]
    assert "its bound lies beyond it" in str(survey)
    knowledge = [row for row in rows if "17 of 33" in str(row)]
    assert knowledge
    assert "its bound" not in str(knowledge)
    crossing = [row for row in rows if "Long-form virology task 1, max of 5" in str(row)]
    assert crossing
    assert all(row[-1] == ("with others",) for row in crossing)


def test_figures_for_machines_are_those_of_the_records() -> None:
    content = published_content()
    filling = SOURCES["assessment.results"](content, content.models[0])
    assert filling is not None
    figures = [one for finding in filling.data for one in finding["figures"]]
    assert len(figures) > 10
    for one in figures:
        measured = content.evidence[one["evidence"]].measurement
        assert measured is not None
        assert (one["value"], one["unit"], one["n"]) == (measured.value, measured.unit, measured.n)


# --- questionnaires -------------------------------------------------------------------------------------------

ASKED = a_questionnaire({"id": "1", "title": "One", "answer": "yes_no"})


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"text": None, "choice": "no", "evidence": ("evidence:none",)}, "dangling"),
        ({"text": None, "choice": "yes", "evidence": ("evidence:r1", "evidence:none")}, "dangling"),
        ({"text": "Yes.", "evidence": ("evidence:gone",)}, "bare"),
        ({"text": "Yes. Each model is tested by two teams.", "as_of": date(2020, 1, 1)}, "outdated"),
        ({"text": "Yes. Each model is tested by two teams."}, None),
    ],
)
def test_an_answer_that_no_record_holds_is_none(answer: dict[str, Any], fault: str | None) -> None:
    content = a_content(answers=[an_answer("ask#1", **answer)], inventory=INVENTORY)
    filled = haip_report(content, ASKED)
    kinds = [one.kind for one in filled.questions[0].faults]
    assert kinds == ([fault] if fault != "bare" else ["outdated", "bare"]) if fault else not kinds
    if fault:
        with pytest.raises(PublicationError):
            filled.to_page(is_final=True)


@pytest.mark.parametrize(
    ("text", "choice"),
    [("Yesterday two teams did it.", None), ("Yes: two teams.", "yes"), ("No, nobody does.", "no"), ("None.", None)],
)
def test_a_yes_is_a_word_of_its_own(text: str, choice: str | None) -> None:
    filled = haip_report(a_content(answers=[an_answer("ask#1", text)]), ASKED)
    assert filled.questions[0].choice == choice


@pytest.mark.parametrize("text", [" ", "\n\t", "\u200b\u200b", "...", "**"])
def test_blank_words_are_no_statement(text: str) -> None:
    with pytest.raises(ValidationError):
        a_statement(text)
    with pytest.raises(ValidationError):
        an_answer("haip#1a", text)
    with pytest.raises(ValidationError):
        CommitmentMade(framework="sb53", not_applicable={"12.a": "  "})


@pytest.mark.parametrize(
    "text",
    [
        "Please see\nour hub.",
        "As described in our Transparency Hub.",
        "Our hub describes this.",
        "Same as 1a.",
        "You can find this in our hub.",
        "More information: https://lab.example",
        "[Transparency Hub](https://lab.example/hub)",
        "(See our hub.)",
        "We describe this in our hub.",
    ],
)
def test_ways_to_only_point_elsewhere(text: str) -> None:
    assert is_only_a_pointer(text)


@pytest.mark.parametrize(
    "text",
    [
        "As described in our hub, two teams test each model for a month.",
        "Our hub has sixty practices, each with its owner and its day.",
        "We describe each model's limits in plain words before its release.",
        "Two teams test each model\nfor a month.",
    ],
)
def test_words_that_say_something_are_no_pointer(text: str) -> None:
    assert not is_only_a_pointer(text)


def test_ways_to_say_no_more_than_yes() -> None:
    assert all(is_bare(one) for one in ("Yes, this is the case.", "Yes, we certainly do so.", "Of course."))
    assert not is_bare("Yes: two teams test each model.")


# --- coverage -------------------------------------------------------------------------------------------------


def covered(content: Content, name: str, item: str) -> tuple[str, str]:
    (found,) = coverage(content, (name,))
    return next((one.state, one.reason) for one in found.items if one.item.id == item)


def test_a_record_that_no_longer_counts_covers_nothing() -> None:
    crosswalk = a_content().crosswalk
    kinds = [one.artifact for one in crosswalk.items]
    concept = next(
        one
        for one in crosswalk.items
        if one.artifact and kinds.count(one.artifact) == 1 and any(ref.startswith("hiroshima-coc#") for ref in one.see)
    )
    item = next(ref for ref in concept.see if ref.startswith("hiroshima-coc#")).partition("#")[2]
    for known, state in (
        (RETRACTED._replace(artifact=concept.artifact), "uncovered"),
        (RECORD._replace(artifact=concept.artifact), "evidence"),
    ):
        content = a_content(inventory=Inventory({known.ref: known}))
        assert covered(content, "hiroshima-coc", item)[0] == state


@pytest.mark.parametrize("choice", ["no", "not_applicable"])
def test_an_answer_that_declines_covers_nothing(choice: str) -> None:
    answer = an_answer("hiroshima-coc#1", None, choice=choice, evidence=("evidence:r1",))
    state, reason = covered(a_content(answers=[answer]), "hiroshima-coc", "1")
    assert state == "uncovered"
    assert reason in ("the answer says no", "the answer says that it does not apply, and not why")


def test_a_no_answers_a_question() -> None:
    answer = an_answer("haip#1c", "Nobody does.", choice="no", evidence=("evidence:r1",))
    assert covered(a_content(answers=[answer]), "haip", "1c")[0] == "evidence"


def test_what_does_not_apply_by_the_crosswalk_covers_none_of_its_items() -> None:
    crosswalk = a_content().crosswalk
    concept = next(one for one in crosswalk.items if any(ref.startswith("hiroshima-coc#") for ref in one.see))
    item = next(ref for ref in concept.see if ref.startswith("hiroshima-coc#")).partition("#")[2]
    answer = an_answer(f"crosswalk#{concept.id}", "We have none.", choice="not_applicable")
    assert covered(a_content(answers=[answer]), "hiroshima-coc", item)[0] == "uncovered"


def test_oscal_implements_nothing_that_an_answer_declines() -> None:
    practice: Practice = a_practice("testing")
    said = [
        an_answer("hiroshima-coc#1", choice="no", practices=("testing",)),
        an_answer("hiroshima-coc#2", practices=("testing",)),
    ]
    made = str(component_definition(a_content([practice], said)))
    assert "hiroshima-coc_x23_2" in made
    assert "hiroshima-coc_x23_1" not in made


# --- the linter -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("We\nmay employ outside testers.", "CL08"),
        ("We **may** employ outside testers.", "CL08"),
        ("We may, at our discretion, employ outside testers.", "CL08"),
        ("We aim for safe models.", "CL08"),
        ("We\u2019ll publish a report.", "CL11"),
    ],
)
def test_small_changes_do_not_hide_a_weak_claim(text: str, rule: str) -> None:
    practice = a_practice(statements=(a_statement(text, "evidence:r1"),))
    found = lint(claims_of(a_content([practice]), {}), at=AT)
    assert rule in {one.rule.id for one in found}


@pytest.mark.parametrize("unit", ["1,", "1.", "over 1,", "two a-a-a ", "[a](", "we, we, "])
def test_a_long_hostile_line_is_read_in_time_that_grows_with_its_length(unit: str) -> None:
    line = (unit * MAX_LINE)[:MAX_LINE]
    started = time.perf_counter()
    lint(read_page(f"# Title\n{line}\n".encode(), "page.md", shipped_frameworks()), at=AT)
    # Reading each row of digits anew from each of its digits took twenty seconds.
    assert time.perf_counter() - started < 5


def test_an_item_that_is_left_out_has_to_exist() -> None:
    made = CommitmentMade(framework="sb53", not_applicable={"99.z": "no such thing"})
    found = lint(claims_of(a_content(commitments=(made,)), {}), at=AT)
    assert ["CL02", "item sb53#99.z"] in [[one.rule.id, one.words] for one in found]


# --- files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("schema", ["[a]", "{a: b}", "7", "null"])
def test_a_schema_that_is_no_text_is_refused_with_its_place(tmp_path: Path, schema: str) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "x.yaml").write_text(f"schema: {schema}\n")
    with pytest.raises(PublicationError) as refused:
        read_publication(tmp_path)
    assert [(one.code, str(one.where)) for one in refused.value.problems] == [("PUB002", "hub/x.yaml:1:1")]

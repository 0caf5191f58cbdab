# SPDX-License-Identifier: Apache-2.0
"""Questionnaires: every question has an answer that counts, or is named with what is wrong with it."""

import re
from datetime import date
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from statements import RECORD, WORDS, a_content, a_practice, a_questionnaire, a_statement, an_answer
from tidegate.kernel.errors import PublicationError
from tidegate.policy.framework import Framework
from tidegate.policy.frameworks import find_framework
from tidegate.publish.answer_words import covers_part, is_bare, is_only_a_pointer, names_frequency, speaks_of
from tidegate.publish.content import Content
from tidegate.publish.haip import FAULT_WORDS, FilledQuestionnaire, every, haip_report, roles_of
from tidegate.publish.hub.addresses import addresses
from tidegate.publish.inventory import Inventory, Known
from tidegate.publish.printing import printed
from tidegate.publish.report_blocks import Link, Mark, Page, Paragraph, Said
from tidegate.publish.report_schemas import questionnaire_schema
from tidegate.publish.report_words import force_of

HAIP = find_framework("haip@1")
POINTER = "Please see the “Risk Identification” section of our [Transparency Hub](#)."
ENOUGH = (
    "Our staff are trained twice a year in security, privacy, personal data, incidents and standards; data quality and "
    "bias, intellectual property and copyright, model weights, vulnerabilities, insiders, watermarks, labels, literacy, "
    "contact with an AI system, reports from others, the policy on prompts and training data are all part of it. "
)


def everything(text: str = "") -> str:
    """Words that answer any question: its topics are in them."""
    topics = {word for item in HAIP.items for word in item.topic}
    return f"{ENOUGH}{text} Each of these was considered: {', '.join(sorted(topics))}."


def complete(*, without: str = "", **changes: Any) -> Content:
    """Content that answers every question of HAIP but one."""
    answers = [an_answer(f"haip#{one.id}", everything()) for one in HAIP.items if one.id != without]
    return a_content(answers=answers, **changes)


def asked(*items: dict[str, Any], **changes: Any) -> Framework:
    return a_questionnaire(*items, **changes)


def one_question(text: str | None, asks: dict[str, Any] | None = None, **answer: Any) -> FilledQuestionnaire:
    questionnaire = asked({"id": "q", "title": "Question", "answer": "text", **(asks or {})})
    given = an_answer("ask#q", text, **answer)
    return haip_report(a_content(answers=[given]), questionnaire)


def faults(filled: FilledQuestionnaire) -> list[str]:
    return [fault.kind for one in filled.questions for fault in one.faults]


def words_of(page: Page) -> str:
    return printed(page, "md").decode()


# --- the questionnaire itself ---------------------------------------------------------------------------


def test_all_questions_of_the_first_version_are_asked_in_their_sections() -> None:
    filled = haip_report(a_content(), HAIP)
    ids = [one.item.id for one in filled.questions]
    assert len([one for one in ids if "." not in one]) == 39
    assert [one for one in ids if "." in one] == [
        *(f"2g.{part}" for part in ("i", "ii", "iii", "iv", "v")),
        *(f"3a.{part}" for part in ("i", "ii", "iii")),
    ]
    page = filled.to_page()
    heads = [one.title for one in page.sections if one.level == 2 and one.title.startswith("Section")]
    assert [one.split(":")[0] for one in heads] == [f"Section {number}" for number in range(1, 8)]
    assert [one.anchor for one in page.sections if one.level == 3] == [f"question-{one}" for one in ids]


def test_with_nothing_said_every_question_is_unanswered() -> None:
    filled = haip_report(a_content(), HAIP)
    assert filled.unanswered == tuple(one.id for one in HAIP.items)
    assert not filled.is_complete
    with pytest.raises(PublicationError) as refused:
        filled.to_page(is_final=True)
    assert {one.code for one in refused.value.problems} == {"PUB001"}
    assert len(refused.value.problems) == 47
    assert refused.value.problems[0].message == "haip#1a Risk definitions: nothing is said to it"
    assert "`haip#1a`" in (refused.value.problems[0].hint or "")
    assert "Draft: 47 of 47 questions" in filled.to_page().status


def test_a_complete_questionnaire_becomes_final() -> None:
    filled = haip_report(complete(), HAIP)
    assert [(one.item.id, one.faults) for one in filled.questions if one.faults] == []
    page = filled.to_page(is_final=True)
    assert page.is_final
    assert page.problems == ()
    assert page.status == "Final: every question has an answer."
    assert filled.to_json(is_final=True)["missing"] == []


@pytest.mark.parametrize("question", ["1a", "2g.iv", "3a.i", "7d"])
def test_one_missing_answer_is_named_and_keeps_it_from_being_final(question: str) -> None:
    filled = haip_report(complete(without=question), HAIP)
    assert filled.unanswered == (question,)
    with pytest.raises(PublicationError) as refused:
        filled.to_json(is_final=True)
    assert [one.message.split()[0] for one in refused.value.problems] == [f"haip#{question}"]
    page = filled.to_page()
    assert [one for one in page.problems if f"haip#{question} " in one]
    section = next(one for one in page.sections if one.anchor == f"question-{question}")
    marks = [run for block in section.blocks if isinstance(block, Paragraph) for run in block.words]
    assert Mark("unanswered", "reached") in marks


def test_it_needs_a_questionnaire() -> None:
    with pytest.raises(PublicationError) as refused:
        haip_report(a_content(), find_framework("sb53"))
    assert refused.value.problems[0].code == "PUB002"


# --- what counts as an answer -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "asks", "answer", "found"),
    [
        (WORDS, {}, {}, []),
        (POINTER, {}, {}, ["pointer"]),
        (f"{WORDS} {POINTER}", {}, {}, []),
        ("Yes", {"answer": "yes_no"}, {}, ["bare"]),
        (None, {"answer": "yes_no"}, {"choice": "yes"}, ["bare"]),
        ("Yes.", {"answer": "yes_no"}, {"evidence": (RECORD.ref,)}, []),
        ("Yes.", {"answer": "yes_no"}, {"evidence": ("url:https://lab.example/hub",)}, ["bare"]),
        (None, {"answer": "yes_no"}, {"choice": "no"}, []),
        ("No.", {"answer": "yes_no"}, {}, []),
        ("All of the information listed is included in publicly available documentation.", {}, {}, ["bare"]),
        ("We review security with care and often.", {"answer": "frequency"}, {}, ["no_frequency"]),
        ("We review security at least once a quarter.", {"answer": "frequency"}, {}, []),
        (POINTER, {"answer": "frequency"}, {}, ["pointer"]),
        ("Our buildings have guards at each door.", {"topic": ["insider"]}, {}, []),
        ("Insiders are watched for by a team of four.", {"topic": ["insider"]}, {}, []),
        (None, {}, {"choice": "not_applicable"}, ["bare"]),
        ("We have no such data.", {"topic": ["insider"]}, {"choice": "not_applicable"}, []),
        (WORDS, {}, {"evidence": ("evidence:gone",)}, ["dangling"]),
        (WORDS, {}, {"practices": ("gone",)}, ["dangling"]),
    ],
)
def test_what_is_wrong_with_an_answer(
    text: str | None, asks: dict[str, Any], answer: dict[str, Any], found: list[str]
) -> None:
    filled = one_question(text, asks, **answer)
    assert faults(filled) == found
    assert filled.is_complete is not bool(found)
    for kind in found:
        assert FAULT_WORDS[kind] in words_of(filled.to_page())


@pytest.mark.parametrize(
    ("text", "is_noted"),
    [("Our buildings have guards at each door.", True), ("Insiders are watched for by a team of four.", False)],
)
def test_an_answer_beside_the_question_is_noted_and_not_refused(text: str, is_noted: bool) -> None:
    filled = one_question(text, {"topic": ["insider"]})
    assert filled.is_complete
    assert ("None of these words stands in the answer: insider." in words_of(filled.to_page())) is is_noted


def test_pointers_are_listed_apart() -> None:
    filled = one_question(POINTER)
    assert (filled.only_pointers, filled.unanswered) == (("q",), ())


def test_the_answers_of_the_real_report_fail_as_readers_found(shared: Any) -> None:
    """Defects 3 to 6 of the seed report: pointers, no frequency, bare claims (read from its own file)."""
    text = (shared / "seeds" / "haip-report.md").read_text(encoding="utf-8")
    bare = text.split("use incident reports")[1].split("e. Are quantitative")[0].split("\n")[2].strip()
    often = next(line for line in text.splitlines() if line.startswith("i. Please see")).removeprefix("i. ")
    listed = next(line for line in text.splitlines() if line.startswith("iii. All of")).removeprefix("iii. ")
    insider = next(line for line in text.splitlines() if "Cybersecurity and Insider Threat" in line)
    assert bare == "Yes"
    given = {"1d": bare, "3a.i": often, "3a.iii": listed, "2g.iv": insider, "2g.v": insider}
    filled = haip_report(a_content(answers=[an_answer(f"haip#{key}", words) for key, words in given.items()]), HAIP)
    kinds = {one.item.id: [fault.kind for fault in one.faults] for one in filled.questions if one.item.id in given}
    assert kinds == {"1d": ["bare"], "2g.iv": ["pointer"], "2g.v": ["pointer"], "3a.i": ["pointer"], "3a.iii": ["bare"]}


@pytest.mark.parametrize(
    ("text", "is_pointer"),
    [
        ("See our hub.", True),
        ("Please also see the security page, section 4.", True),
        ("For information on bug bounties, please see the section on monitoring.", True),
        ("More details can be found in our system card.", True),
        ("Our answers are in the hub. Please see it.", False),
        ("This information is available on our hub.", True),
        ("https://lab.example/hub", True),
        ("We see risk as harm times chance.", False),
        ("Models are tested for a month. See our hub.", False),
        ("", False),
    ],
)
def test_what_only_points(text: str, is_pointer: bool) -> None:
    assert is_only_a_pointer(text) is is_pointer


@pytest.mark.parametrize(
    ("text", "frequent"),
    [
        ("every six months", True),
        ("quarterly", True),
        ("with each model release", True),
        ("on an annual basis", True),
        ("twice a year", True),
        ("within 30 days of a change", True),
        ("there is no fixed interval", True),
        ("regularly", False),
        ("often, and whenever it is needed", False),
        ("as the year goes on", False),
    ],
)
def test_what_names_a_frequency(text: str, frequent: bool) -> None:
    assert names_frequency(text) is frequent


def test_words_that_say_little() -> None:
    assert [is_bare(one) for one in ("", "Yes", "Yes, indeed.", "No!", "Yes: we read them weekly, all of us")] == [
        True,
        True,
        True,
        True,
        False,
    ]
    assert speaks_of(("vulnerabilit",), "Vulnerabilities are mended")
    assert not speaks_of(("secur",), "insecure words")
    assert covers_part("metrics and caveats", "The metrics have caveats")
    assert not covers_part("metrics and caveats", "The metrics are good")


# --- what an answer is made of ---------------------------------------------------------------------------


def test_practices_answer_what_they_name_and_what_the_crosswalk_lists() -> None:
    named = a_practice("named", "haip#1a", statements=(a_statement("Risks are sorted by harm and chance."),))
    through = a_practice("through", "crosswalk#incident-intake")
    content = a_content([through, named])
    filled = haip_report(content, HAIP)
    by_id = {one.item.id: one for one in filled.questions}
    assert [one.practice.id for one in by_id["1a"].sayings if one.practice] == ["named"]
    seen = {ref.removeprefix("haip#") for ref in content.crosswalk.item("incident-intake").see if ref[:5] == "haip#"}
    assert seen
    assert {key for key, one in by_id.items() if any(said.practice == through for said in one.sayings)} == seen


def test_an_answer_comes_first_then_the_practices_that_it_names() -> None:
    told = a_practice("told", statements=(a_statement("Told by a practice of ours."),))
    known = a_practice("known", "haip#1a", statements=(a_statement("Known by its commitment."),))
    content = a_content([known, told], [an_answer("haip#1a", "Said first of all, by us.", practices=("told",))])
    found = haip_report(content, HAIP).questions[0]
    assert [one.text for one in found.sayings] == [
        "Said first of all, by us.",
        "Told by a practice of ours.",
        "Known by its commitment.",
    ]


def test_a_statement_shows_its_badge_day_records_and_practice() -> None:
    content = a_content([a_practice("testing", "haip#1a")])
    page = haip_report(content, HAIP).to_page()
    section = next(one for one in page.sections if one.anchor == "question-1a")
    said = next(block for block in section.blocks if isinstance(block, Said))
    line = section.blocks[section.blocks.index(said) + 1]
    assert said.paragraphs == ((WORDS,),)
    assert isinstance(line, Paragraph)
    assert Mark("verified record", "ruled_out") in line.words
    assert Link("Testing", "sections/risk.html#practice-testing") in line.words
    assert ", as of 2026-11-01" in line.words
    assert page.anchors == {"evidence:r1": "records"}
    assert next(one for one in page.sections if one.anchor == "records").blocks


def test_pages_of_others_and_what_does_not_exist_are_listed_as_such() -> None:
    refs = ("url:https://other.example/page", "evidence:gone", RECORD.ref, "evidence:plain")
    records = {one.ref: one for one in (RECORD, Known("evidence:plain", "Plain", "attested"))}
    content = a_content(answers=[an_answer("ask#q", evidence=refs)], inventory=Inventory(records))
    text = words_of(haip_report(content, asked({"id": "q", "title": "Question"})).to_page())
    listed = text.split("## Records cited")[1]
    assert "a page of others, which nothing here checks" in listed
    assert "evidence:gone | does not exist | **cites what does not exist**" in listed
    assert "| evidence:plain | Plain | **attested** |" in listed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "draft"}, "Questionnaire is a draft: it binds nobody."),
        ({"status": "superseded"}, "Questionnaire (1) is superseded."),
        ({"in_force_from": "2027"}, "Questionnaire is not in force yet: it binds from 2027 on."),
        ({}, ""),
    ],
)
def test_the_status_of_a_framework_is_said(changes: dict[str, Any], words: str) -> None:
    force = force_of(asked({"id": "q", "title": "Question"}, **changes), date(2026, 11, 21))
    assert force.words == words
    assert force.is_in_force is (words == "" or "superseded" in words)


@pytest.mark.parametrize("base", ["https://lab.example/hub/", "https://lab.example/hub"])
def test_links_to_the_hub_begin_where_it_is_published(base: str) -> None:
    page = haip_report(a_content([a_practice("testing", "haip#1a")]), HAIP).to_page(hub=base)
    hrefs = [
        run.href
        for section in page.sections
        for block in section.blocks
        if isinstance(block, Paragraph)
        for run in block.words
        if isinstance(run, Link)
    ]
    assert hrefs == ["https://lab.example/hub/sections/risk.html#practice-testing"] * len(hrefs)
    assert hrefs


def test_a_practice_that_the_hub_does_not_show_is_named_without_a_link() -> None:
    page = haip_report(a_content([a_practice("testing", "haip#1a", section="nowhere")]), HAIP).to_page()
    assert "practice Testing" in words_of(page)
    assert "practice-testing" not in words_of(page)


def test_every_link_leads_to_something_on_the_hub() -> None:
    content = a_content([a_practice("testing", "haip#1a")])
    page = haip_report(content, HAIP).to_page()
    hrefs = re.findall(r"\]\(<([^#>][^>]*)>\)", words_of(page))
    assert set(hrefs) == {addresses(content)["practice:testing"], addresses(content)[RECORD.ref]}


def test_without_a_record_it_is_a_statement_and_a_practice_can_say_how_often() -> None:
    filled = haip_report(
        a_content([a_practice("reviews", "haip#2g.iv", cadence="P6M", statements=(a_statement(ENOUGH),))]), HAIP
    )
    found = next(one for one in filled.questions if one.item.id == "2g.iv")
    assert (found.badge, found.faults) == ("statement", ())
    assert "every 6 months" in words_of(filled.to_page())


def test_what_is_too_old_is_shown_as_aged() -> None:
    old = a_statement("An old thing that we once said.", "evidence:r1", as_of=date(2024, 1, 1))
    filled = haip_report(a_content([a_practice("old", "haip#1a", statements=(old,))]), HAIP)
    assert filled.questions[0].badge == "aged"
    assert filled.questions[0].as_of == date(2024, 1, 1)


def test_a_heading_is_answered_by_its_parts_and_only_by_all_of_them() -> None:
    questions = (
        {"id": "a", "title": "Heading", "answer": "text"},
        {"id": "a.i", "title": "One", "answer": "text", "parent": "a"},
        {"id": "a.ii", "title": "Two", "answer": "text", "parent": "a"},
    )
    both = [an_answer("ask#a.i"), an_answer("ask#a.ii")]
    whole = haip_report(a_content(answers=both), asked(*questions))
    assert whole.is_complete
    assert whole.questions[0].state == "answered by its parts"
    assert "The questions below answer it." in words_of(whole.to_page())
    assert haip_report(a_content(answers=both[:1]), asked(*questions)).unanswered == ("a", "a.ii")
    chosen = ({**questions[0], "answer": "yes_no"}, *questions[1:])
    assert haip_report(a_content(answers=both), asked(*chosen)).unanswered == ("a",)


@pytest.mark.parametrize(
    ("text", "choice", "chosen"),
    [
        ("Yes, for all of our models.", None, "yes"),
        ("No. We never do.", None, "no"),
        (WORDS, None, None),
        (WORDS, "no", "no"),
    ],
)
def test_the_choice_is_that_of_the_answer_or_the_first_word(text: str, choice: Any, chosen: str | None) -> None:
    filled = one_question(text, {"answer": "yes_no"}, choice=choice)
    assert filled.questions[0].choice == chosen
    assert ("does not choose" in " ".join(filled.questions[0].notes)) is (chosen is None)


def test_notes_tell_of_length_and_of_parts_that_nothing_names() -> None:
    asks = {"answer": "multi_part", "parts": ["metrics and caveats", "accessible reporting"]}
    questionnaire = asked({"id": "q", "title": "Question", **asks})
    long = "Metrics have caveats. " * 20
    filled = haip_report(a_content(answers=[an_answer("ask#q", long)]), questionnaire, words_at_most=50)
    found = filled.questions[0]
    assert found.parts == (("metrics and caveats", True), ("accessible reporting", False))
    assert found.notes == (
        "60 words, and the budget of an answer is 50.",
        "No word of the answer names these parts of the question: accessible reporting.",
    )
    assert found.faults == ()
    assert all(one in words_of(filled.to_page()) for one in found.notes)


def test_an_answer_about_one_model_is_not_that_of_the_organisation() -> None:
    assert faults(one_question(WORDS, model="m")) == ["unanswered"]


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        ("P1Y", "every year"),
        ("P6M", "every 6 months"),
        ("P2W", "every 2 weeks"),
        ("P1Y6M", "every 1 year and 6 months"),
    ],
)
def test_a_duration_as_a_frequency(duration: str, words: str) -> None:
    assert every(duration) == words
    assert names_frequency(words)


# --- a later version is a file --------------------------------------------------------------------------


def version_2() -> Framework:
    return asked(
        {"id": "M1", "title": "Tests", "answer": "text", "section": "A", "applies_to": "model_developer"},
        {"id": "D1", "title": "Monitoring", "answer": "frequency", "section": "B", "applies_to": "deployer"},
        {"id": "G1", "title": "Governance", "answer": "yes_no", "section": "B"},
        id="haip",
        version="2.0",
        sections={"A": "Building", "B": "Running"},
    )


def test_the_next_version_with_roles_needs_no_release() -> None:
    questionnaire = version_2()
    assert roles_of(questionnaire) == ("model_developer", "deployer")
    content = a_content(
        answers=[an_answer("haip#M1"), an_answer("haip#G1", "Yes: a board of five decides.")],
        frameworks={"haip": questionnaire},
    )
    developer = haip_report(content, questionnaire, role="model_developer")
    assert [one.item.id for one in developer.questions] == ["M1", "G1"]
    assert developer.is_complete
    assert "Role: model developer." in developer.to_page(is_final=True).lead
    assert haip_report(content, questionnaire, role="deployer").unanswered == ("D1",)
    assert haip_report(content, questionnaire).unanswered == ("D1",)
    for filled in (developer, haip_report(content, questionnaire)):
        Draft202012Validator(questionnaire_schema(questionnaire)).validate(filled.to_json())
    with pytest.raises(PublicationError) as refused:
        haip_report(content, questionnaire, role="gardener")
    assert refused.value.problems[0].code == "PUB002"


# --- forms ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [a_content(), complete(), a_content([a_practice("testing", "haip#1a")])])
def test_the_data_is_of_the_published_form(content: Content) -> None:
    schema = questionnaire_schema(HAIP)
    Draft202012Validator.check_schema(schema)
    data = haip_report(content, HAIP).to_json()
    Draft202012Validator(schema).validate(data)
    assert set(schema["properties"]["answers"]["properties"]) == {one.id for one in HAIP.items}


def test_data_that_lacks_an_answer_or_claims_to_be_final_is_not_of_the_form() -> None:
    schema = Draft202012Validator(questionnaire_schema(HAIP))
    data = haip_report(a_content(), HAIP).to_json()
    assert not schema.is_valid({**data, "status": "final"})
    without = {key: one for key, one in data["answers"].items() if key != "1a"}
    assert not schema.is_valid({**data, "answers": without})


def test_the_last_lines_tell_day_policy_log_and_what_is_withheld() -> None:
    footer = haip_report(complete(), HAIP).to_page().footer
    assert footer[0].startswith("As of 2026-11-21")
    assert footer[1].startswith("Policy test@1, sha256:")
    assert footer[2] == "Log lab.example/safety, 42 entries, root cm9vdA==."
    assert footer[3] == "Nothing is withheld."
    assert haip_report(complete(head=None), HAIP).to_page().footer[2] == "The project keeps no log of acts."


@pytest.mark.parametrize("form", ["md", "html"])
def test_a_page_is_the_same_bytes_each_time_and_escapes_what_people_write(form: Any) -> None:
    content = a_content(answers=[an_answer("haip#1a", "<script>alert(1)</script> and *stars* are words here.")])
    page = haip_report(content, HAIP).to_page()
    made = printed(page, form)
    assert made == printed(page, form)
    assert b"<script>alert" not in made

# SPDX-License-Identifier: Apache-2.0
"""Each rule of the claim linter finds what it is for, and leaves alone what is in order."""

from datetime import date
from pathlib import Path

import pytest

from statements import a_content, a_page, a_practice, a_published_model, a_questionnaire, a_statement, an_answer
from tidegate.kernel.errors import Where
from tidegate.policy.framework import FrameworkItem
from tidegate.policy.frameworks import shipped_frameworks
from tidegate.publish.claim_input import Citation, Claims, Part, Passage, Pointer, Reply, Said
from tidegate.publish.claim_rules import RULES
from tidegate.publish.claim_words import counts_in, old_names_in, renamed_bodies
from tidegate.publish.claims import CHECKS, WORDS_AT_MOST, lint
from tidegate.publish.claims_content import claims_of
from tidegate.publish.practices import CommitmentMade, Publication

AT = date(2026, 11, 21)
HERE = Where("page.txt", 1)
DAY = date(2026, 11, 1)


def a_part(name="a", title="Part", cites=(), **more):
    cited = tuple(Citation(one, one, HERE) for one in cites)
    return Part(name, title, HERE, cites=cited, **more)


def saying(text, part="a", **more):
    return Said(Passage(text, HERE), part, **{"as_of": DAY, **more})


def a_page_of(*texts, **more):
    given = {"parts": (a_part(),), "said": tuple(saying(one) for one in texts), "dated": DAY}
    return Claims(**{**given, **more})


def a_reply(words, own=None, pointers=(), question=None, **more):
    item = question or FrameworkItem(id="q", title="Question", answer="text")
    text = words if own is None else own
    return Claims(
        replies=(Reply(item, "ask#q", Passage(words, HERE), text, tuple(pointers), **{"as_of": DAY, **more}),),
        dated=DAY,
    )


def found(*claims, rule=None, at=AT):
    return [one for one in lint(*claims, at=at) if rule in (None, one.rule.id)]


def test_every_rule_has_a_check_a_meaning_and_a_hint():
    assert [one.id for one in RULES] == sorted(CHECKS)
    assert all(one.title and one.meaning and one.hint for one in RULES)


def test_a_page_in_order_gives_nothing():
    text = "Two people sign each release, as of 2026-11-01. Tests run every month."
    assert found(a_page_of(text, said=(saying(text, shown=True, owner="ada"),))) == []


@pytest.mark.parametrize(("cites", "orphans"), [(("munich",), 0), (("thorn",), 1), ((), 1)])
def test_a_listed_framework_that_no_part_cites_is_an_orphan(cites, orphans):
    page = a_page_of(parts=(a_part(cites=cites),), listed=(Citation("Munich Accord", "munich", HERE),))
    assert len(found(page, rule="CL01")) == orphans


@pytest.mark.parametrize(
    ("before", "text", "count"),
    [
        ("We remove content.", "We will update the metrics above each year.", 1),
        ("We removed 4,211 items.", "We will update the metrics above each year.", 0),
        ("We removed 4,211 items.", "The table above is new.", 1),
        ("| a | b |", "The table above is new.", 0),
        ("In 12 cases we did.", "See the numbers below.", 1),
        ("Nothing.", "It lies above the line.", 0),
    ],
)
def test_a_reference_to_what_is_not_there_dangles(before, text, count):
    assert len(found(a_page_of(before, text), rule="CL02")) == count


def test_figures_of_another_group_do_not_answer_for_metrics_above():
    parts = (a_part("g"), a_part("h"), a_part("a", parent="g"), a_part("b", parent="h"))
    said = (saying("We removed 4,211 items.", "a"), saying("We update the metrics above.", "b"))
    assert len(found(Claims(parts=parts, said=said, dated=DAY), rule="CL02")) == 1


HOW_OFTEN = FrameworkItem(id="q", title="How often", answer="frequency")


@pytest.mark.parametrize(
    ("own", "body", "more", "count"),
    [
        ("", "Security is reviewed.", {}, 1),
        ("It is reviewed regularly.", "", {}, 1),
        ("It is reviewed every six months.", "", {}, 0),
        ("", "Security is reviewed every quarter.", {}, 0),
        ("", "Security is reviewed.", {"cadence": "P6M"}, 0),
    ],
)
def test_a_question_how_often_wants_a_frequency(own, body, more, count):
    page = a_page_of(body or "Nothing.", parts=(a_part(title="Security"),))
    reply = a_reply("Please see Security.", own, [Pointer("Security", HERE)], HOW_OFTEN, **more)
    assert len(found(page, reply, rule="CL03")) == count


INSIDER = FrameworkItem(id="q", title="Insiders", answer="yes_no", topic=("insider",))


@pytest.mark.parametrize(
    ("own", "body", "count"),
    [
        ("", "Weights are locked away.", 1),
        ("", "Insiders are watched.", 0),
        ("We have such a programme.", "Weights are locked away.", 0),
    ],
)
def test_a_pointer_to_a_text_that_says_nothing_of_the_topic_is_no_answer(own, body, count):
    page = a_page_of(body, parts=(a_part(title="Insider threat safeguards"),))
    reply = a_reply("See it.", own, [Pointer("Insider threat safeguards", HERE)], INSIDER)
    assert len(found(page, reply, rule="CL04")) == count


@pytest.mark.parametrize(
    ("pointer", "count"),
    [
        (Pointer("Hub", HERE, target="#"), 1),
        (Pointer("Hub", HERE, target=""), 1),
        (Pointer("Hub", HERE, target="https://example.org/hub"), 0),
        (Pointer("Model Report", HERE), 1),
        (Pointer("Part", HERE), 0),
    ],
)
def test_a_pointer_that_nobody_can_follow_is_found(pointer, count):
    reply = a_reply("See it.", "", [pointer])
    assert len(found(a_page_of("It is so."), reply, rule="CL05")) == count


def test_one_dead_link_in_many_answers_is_told_once_with_the_questions():
    replies = tuple(
        Reply(
            FrameworkItem(id=name, title="Q"),
            f"ask#{name}",
            Passage("See it.", HERE),
            "",
            (Pointer("Hub", HERE, target="#"),),
        )
        for name in ("1a", "1b")
    )
    (problem,) = found(Claims(replies=replies, dated=DAY), rule="CL05")
    assert "1a, 1b" in problem.message


@pytest.mark.parametrize(
    ("text", "more", "count"),
    [
        ("Yes", {}, 1),
        ("Yes", {"shown": True}, 0),
        ("All of the information listed is included in publicly available documentation.", {}, 1),
        ("Yes, all staff receive training at hire and each year.", {}, 1),
        ("Yes: reports of others are read each week by two people.", {}, 0),
    ],
)
def test_a_bare_yes_or_a_claim_about_all_wants_a_record(text, more, count):
    assert len(found(a_reply(text, **more), rule="CL06")) == count


@pytest.mark.parametrize(("shown", "count"), [(False, 1), (True, 0)])
def test_a_page_that_claims_all_wants_a_record_too(shown, count):
    page = a_page_of(said=(saying("We never train on prompts.", shown=shown),))
    assert len(found(page, rule="CL06")) == count


@pytest.mark.parametrize(
    ("text", "as_of", "words"),
    [
        ("We work with the US AI Safety Institute.", DAY, ["US AI Safety Institute"]),
        ("We operate two private bug bounty programs.", None, ["two private bug bounty programs"]),
        ("It currently writes text only.", None, ["currently"]),
        ("It currently writes text only.", DAY, []),
    ],
)
def test_what_is_undated_or_outdated_is_found(text, as_of, words):
    page = a_page_of(said=(saying(text, as_of=as_of),), dated=None)
    assert [one.words for one in found(page, rule="CL07") if "statements have no day" not in one.message] == words


def test_a_text_without_a_day_is_told_once():
    page = a_page_of(said=(saying("It is so.", as_of=None), saying("And so.", as_of=None)), dated=None)
    assert [one.message[:6] for one in found(page, rule="CL07")] == ["2 of 2"]


@pytest.mark.parametrize(("at", "count"), [(date(2027, 11, 1), 0), (date(2027, 11, 2), 1)])
def test_a_text_ages_after_a_year(at, count):
    assert len(found(a_page_of("It is so."), rule="CL07", at=at)) == count


@pytest.mark.parametrize(("at", "count"), [(date(2025, 6, 2), 0), (date(2025, 6, 3), 1)])
def test_a_name_is_old_from_the_day_of_the_new_one(at, count):
    assert len([*old_names_in("the US AISI tests it", at)]) == count


def test_a_renamed_body_has_a_source():
    assert all(one.names and one.source for one in renamed_bodies())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("For example, we may employ the following techniques:", ["we may employ"]),
        ("We strive to be safe.", ["We strive to"]),
        ("Our teams could look at it.", ["Our teams could look"]),
        ("Users may upload files, which might be harmful.", []),
        ("We test it.", []),
        ("We may not train on prompts.", []),
    ],
)
def test_what_is_allowed_or_wished_is_no_commitment(text, words):
    assert [one.words for one in found(a_page_of(text), rule="CL08")] == words


@pytest.mark.parametrize(
    ("title", "path", "words"),
    [
        ("Security and Privacy", (), ["Security and Privacy"]),
        ("Security & Privacy", (), []),
        ("Insider Threats", ("Hub", "Security and Privacy"), ["Security and Privacy"]),
        ("Insider Threat", ("Hub", "Security & Privacy"), ["Insider Threat"]),
    ],
)
def test_a_title_that_is_not_the_one_of_the_part_is_found(title, path, words):
    parts = (a_part("s", "Security & Privacy"), a_part("i", "Insider Threats", parent="s"))
    page = Claims(parts=parts, said=(saying("Locked.", "i"),), dated=DAY)
    problems = found(page, a_reply("See it.", "", [Pointer(title, HERE, path)]), rule="CL09")
    assert [one.words for one in problems] == words


def test_of_two_parts_with_one_title_the_one_under_the_named_parent_is_meant():
    parts = (
        a_part("x", "Extremism"),
        a_part("x.risk", "Risk", parent="x"),
        a_part("r", "Risk"),
    )
    said = (saying("Nothing of it.", "x.risk"), saying("Insiders are watched.", "r"))
    page = Claims(parts=parts, said=said, dated=DAY)
    outer = a_reply("See it.", "", [Pointer("Risk", HERE, ("Hub",))], INSIDER)
    inner = a_reply("See it.", "", [Pointer("Risk", HERE, ("Extremism",))], INSIDER)
    assert found(page, outer, rule="CL04") == []
    assert len(found(page, inner, rule="CL04")) == 1


def test_a_framework_cited_by_another_name_than_the_list_has_is_found():
    cited = Part("a", "Elections", HERE, cites=(Citation("Munich Accord on Elections", "munich", HERE),))
    page = a_page_of(parts=(cited,), listed=(Citation("Munich AI Elections Accord", "munich", HERE),))
    assert [one.words for one in found(page, rule="CL09")] == ["Munich Accord on Elections"]


@pytest.mark.parametrize(("lines", "count"), [((), 0), (("b",), 1), (("a", "b"), 0), (("g",), 1)])
def test_parts_that_share_one_line_of_commitments_are_found(lines, count):
    parts = tuple(
        a_part(name, name.title(), ("thorn",) if name in lines else (), parent=None if name == "g" else "g")
        for name in ("g", "a", "b")
    )
    page = Claims(parts=parts, said=(saying("So.", "a"), saying("So too.", "b")), dated=DAY)
    assert len(found(page, rule="CL10")) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("We will continue to invest in this.", 1),
        ("We will publish it by the end of March.", 0),
        ("We will publish it every month.", 0),
        ("If a model reaches the line, we will stop.", 0),
        ("In the following sections, we'll describe it.", 0),
        ("We will not sell data.", 0),
        ("It will rain.", 0),
    ],
)
def test_a_promise_wants_a_date(text, count):
    assert len(found(a_page_of(text), rule="CL11")) == count


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It is available in over 160 countries.", ["over 160 countries"]),
        ("Costs fell by up to 25%.", ["up to 25%"]),
        ("Based on millions of conversations.", ["millions of conversations"]),
        ("In September 2023, we published it under SB 53 rules.", []),
        ("Models are protected by two-party controls in three areas.", []),
        ("We hold ISO/IEC 42001:2023 certificates.", []),
    ],
)
def test_counts_are_told_from_names_and_dates(text, words):
    assert [one.words for one in counts_in(text)] == words
    assert len(found(a_page_of(text), rule="CL12")) == len(words)


def test_a_count_with_a_record_is_in_order():
    assert found(a_page_of(said=(saying("In 160 countries.", shown=True),)), rule="CL12") == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("We regularly update our policy.", 1),
        ("We update it on a regular basis. It is read at defined intervals.", 2),
        ("We regularly update it, every six months.", 0),
        ("Models are not trained frequently enough.", 0),
        ("A regular expression finds it.", 0),
    ],
)
def test_regularly_is_no_frequency(text, count):
    assert len(found(a_page_of(text), rule="CL13")) == count


def test_answers_that_only_point_are_told_once():
    (problem,) = found(a_reply("Please see it.", "", [Pointer("Hub", HERE, target="https://x.example")]), rule="CL14")
    assert problem.message.startswith("1 of 1 answers only point elsewhere")


@pytest.mark.parametrize(("size", "count"), [(WORDS_AT_MOST, 0), (WORDS_AT_MOST + 1, 1)])
def test_an_answer_out_of_proportion_is_noted(size, count):
    assert len(found(a_reply("word " * size), rule="CL15")) == count


def test_problems_come_in_the_order_of_the_texts_and_lines():
    first = a_page_of(
        said=(
            Said(Passage("We may test.", Where("b.txt", 9)), "a", as_of=DAY),
            Said(Passage("We may look.", Where("b.txt", 2)), "a", as_of=DAY),
        ),
        start=Where("b.txt", 1),
    )
    second = a_page_of(said=(Said(Passage("We may go.", Where("a.txt", 1)), "a", as_of=DAY),), start=Where("a.txt", 1))
    assert [(one.where.file, one.where.line) for one in lint(first, second, at=AT)] == [
        ("b.txt", 2),
        ("b.txt", 9),
        ("a.txt", 1),
    ]


def test_a_word_is_placed_on_its_own_line():
    passage = Passage("It is so. We may stop.", Where("p.txt", 4), ((0, 4), (10, 6)))
    (problem,) = found(Claims(parts=(a_part(),), said=(Said(passage, "a", as_of=DAY),), dated=DAY), rule="CL08")
    assert problem.where == Where("p.txt", 6)
    assert problem.to_json()["line"] == 6


# --- what a project publishes -------------------------------------------------------------------------------


def project_problems(*practices, answers=(), made=(), pages=(), frameworks=(), rule=None):
    content = a_content(
        practices,
        answers,
        publication=Publication(practices=practices, answers=tuple(answers), pages=tuple(pages)),
        commitments=tuple(made),
        frameworks={**shipped_frameworks(), **{one.id: one for one in frameworks}},
    )
    return found(claims_of(content, {"practice:testing#0": Where("hub/testing.yaml", 12)}), rule=rule)


def test_a_project_in_order_gives_nothing():
    practice = a_practice("testing", "hiroshima-coc#1", owner="ada")
    assert project_problems(practice, made=[CommitmentMade(framework="hiroshima-coc")]) == []


@pytest.mark.parametrize(
    ("made", "count"),
    [
        (CommitmentMade(framework="hiroshima-coc"), 0),
        (CommitmentMade(framework="thorn"), 1),
        (CommitmentMade(framework="thorn", stance="watched"), 0),
        (CommitmentMade(framework="wh-voluntary"), 0),
    ],
)
def test_a_commitment_of_a_project_that_no_practice_answers_is_an_orphan(made, count):
    practice = a_practice("testing", "hiroshima-coc#2", "crosswalk#evaluations")
    assert len(project_problems(practice, made=[made], rule="CL01")) == count


@pytest.mark.parametrize(
    ("practice", "words"),
    [
        (a_practice("testing", "hiroshima-coc#99"), "item hiroshima-coc#99"),
        (a_practice("testing", "nowhere"), "item nowhere"),
        (a_practice("testing", section="risk.asessment"), "section risk.asessment"),
        (a_practice("testing", evidence=("evidence:gone",)), "record evidence:gone"),
    ],
)
def test_a_reference_of_a_project_that_names_nothing_is_found(practice, words):
    assert [one.words for one in project_problems(practice, rule="CL02")] == [words]


def test_an_answer_that_names_no_practice_or_framework_is_found():
    problems = project_problems(
        answers=[an_answer("haip#1c", practices=("gone",)), an_answer("haip#9z")],
        made=[CommitmentMade(framework="hiroshima")],
        rule="CL02",
    )
    assert {one.words for one in problems} == {"practice gone", "item haip#9z", "framework hiroshima"}


def test_the_cadence_of_a_practice_answers_how_often():
    asked = a_questionnaire({"id": "often", "title": "How often", "answer": "frequency"})
    pointing = an_answer("ask#often", None, practices=("testing",))
    assert len(project_problems(a_practice(), answers=[pointing], frameworks=[asked], rule="CL03")) == 1
    assert project_problems(a_practice(cadence="P6M"), answers=[pointing], frameworks=[asked], rule="CL03") == []


def test_a_practice_that_names_a_question_answers_it():
    asked = a_questionnaire({"id": "often", "title": "How often", "answer": "frequency"})
    practice = a_practice("testing", "ask#often")
    assert len(project_problems(practice, frameworks=[asked], rule="CL03")) == 1


def test_an_answer_by_a_practice_that_speaks_of_something_else_is_found():
    asked = a_questionnaire({"id": "in", "title": "Insiders", "answer": "yes_no", "topic": ("insider",)})
    pointing = an_answer("ask#in", None, practices=("testing",))
    assert len(project_problems(a_practice(), answers=[pointing], frameworks=[asked], rule="CL04")) == 1


@pytest.mark.parametrize(("more", "count"), [({}, 1), ({"evidence": ("evidence:r1",)}, 0)])
def test_a_bare_yes_of_a_project_wants_a_record(more, count):
    asked = a_questionnaire({"id": "y", "title": "Is it?", "answer": "yes_no"})
    answer = an_answer("ask#y", None, choice="yes", **more)
    assert len(project_problems(answers=[answer], frameworks=[asked], rule="CL06")) == count


def test_a_question_that_does_not_apply_is_no_answer_to_judge():
    asked = a_questionnaire({"id": "y", "title": "Is it?", "answer": "yes_no"})
    answer = an_answer("ask#y", "No", choice="not_applicable")
    assert project_problems(answers=[answer], frameworks=[asked], rule="CL06") == []


def test_what_a_project_says_of_a_model_is_read_too():
    page = a_page(limits=(a_statement("We may look at it."),))
    problems = project_problems(pages=[page], rule="CL08")
    assert [one.ref for one in problems] == ["model:m"]
    assert a_published_model(page).page is page


def test_an_aged_statement_of_a_project_is_found_at_its_place():
    practice = a_practice(statements=(a_statement("It is tested.", "evidence:r1", as_of=date(2025, 1, 1)),))
    (problem,) = project_problems(practice, rule="CL07")
    assert problem.where == Where("hub/testing.yaml", 12)
    assert "more than 1 year ago" in problem.message


@pytest.mark.parametrize(("commitments", "count"), [(("thorn",), 1), (("thorn", "thorn#D1"), 0), (("thorn#D1",), 0)])
def test_a_practice_that_names_a_whole_framework_is_found(commitments, count):
    assert len(project_problems(a_practice("testing", *commitments), rule="CL10")) == count


def test_a_promise_of_a_project_wants_owner_date_and_evidence():
    vague = a_practice(statements=(a_statement("We will look at it."),))
    (problem,) = project_problems(vague, rule="CL11")
    assert problem.message == "a promise without an owner and a date or interval and evidence"
    kept = a_practice(owner="ada", cadence="P1Y", statements=(a_statement("We will look at it.", "evidence:r1"),))
    assert project_problems(kept, rule="CL11") == []


def test_the_reference_page_tells_every_rule():
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "claim-rules.md").read_text(encoding="utf-8")
    for one in RULES:
        assert f"| [{one.id}](#{one.id.lower()}) | {one.severity} | {one.title} |" in page
        assert one.meaning in page.replace("\n", " ")
        assert f"What to do: {one.hint}." in page

# SPDX-License-Identifier: Apache-2.0
"""Which items are covered, by what, and why not."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.framework import Framework, FrameworkItem
from tidegate.policy.frameworks import shipped_frameworks
from tidegate.policy.model import Policy
from tidegate.publish.content import Content
from tidegate.publish.coverage import Answers, answers_to, coverage
from tidegate.publish.inventory import Inventory, Known
from tidegate.publish.practices import Answer, CommitmentMade, Practice, Publication, Statement

AT = date(2026, 6, 1)
RECORDS = (
    Known("evidence:E1", "Run of an evaluation", "verified", AT, artifact="evaluation"),
    Known("decision:D1", "Release", "attested", AT),
    Known("evidence:OLD", "An old control check", "attested", AT, date(2026, 1, 1), artifact="security_control"),
)


def an_item(name, **more):
    return FrameworkItem(id=name, title=f"Item {name}", **more)


def a_framework(name="code", items=("1", "2"), **more):
    fields = {
        "schema": "tidegate/framework/v1",
        "version": "1",
        "title": name,
        "publisher": "us",
        "date": "2026",
        "source": "here",
        "kind": "code",
        "status": "active",
    }
    made = tuple(one if isinstance(one, FrameworkItem) else an_item(one) for one in items)
    return Framework(id=name, items=made, **{**fields, **more})


CROSSWALK = a_framework(
    "crosswalk",
    (
        an_item("tests", artifact="evaluation", see=("code#1", "other#a", "asks#q")),
        an_item("weights", artifact="security_control", see=("code#2",)),
        an_item("insiders", artifact="security_control", see=("other#b",)),
    ),
    kind="crosswalk",
)


def a_practice(name="p1", commitments=("code#1",), evidence=("evidence:E1",), **more):
    statement = Statement(text="It is done.", evidence=evidence, as_of=AT)
    return Practice(
        id=name, section="risk", title=name, **{"statements": (statement,), "commitments": commitments, **more}
    )


def content(practices=(), answers=(), made=(), records=RECORDS, frameworks=None, at=AT):
    known = frameworks or (
        a_framework(),
        a_framework("other", ("a", "b")),
        a_framework("asks", ("q",), kind="questionnaire"),
    )
    return Content(
        organisation="Org",
        at=at,
        policy=Policy.model_construct(),
        publication=Publication(practices=tuple(practices), answers=tuple(answers)),
        sections=shipped_frameworks()["hub"],
        crosswalk=CROSSWALK,
        frameworks={one.id: one for one in (*known, CROSSWALK)},
        commitments=tuple(made) or (CommitmentMade(framework="code"),),
        inventory=Inventory({one.ref: one for one in records}),
    )


def states(given, name="code", **more):
    (found,) = coverage(given, (name,), **more)
    return {one.item.id: one.state for one in found.items}


@pytest.mark.parametrize(
    ("evidence", "state"),
    [
        (("evidence:E1",), "evidence"),
        (("decision:D1",), "evidence"),
        ((), "statement"),
        (("url:https://example.org",), "statement"),
        (("evidence:OLD",), "statement"),
        (("evidence:NONE",), "statement"),
        (("evidence:E1", "evidence:NONE"), "statement"),
    ],
)
def test_only_a_record_that_counts_covers_by_evidence(evidence, state):
    assert states(content([a_practice(commitments=("code#2",), evidence=evidence)]))["2"] == state


def test_what_nothing_answers_is_uncovered():
    assert states(content(records=())) == {"1": "uncovered", "2": "uncovered"}


def test_a_statement_without_a_record_makes_the_whole_practice_a_statement():
    said = (
        Statement(text="Shown.", evidence=("evidence:E1",), as_of=AT),
        Statement(text="Only said.", as_of=AT),
    )
    assert states(content([a_practice(statements=said)], records=RECORDS[1:2]))["1"] == "statement"


def test_a_framework_named_as_a_whole_answers_none_of_its_items():
    (found,) = coverage(content([a_practice(commitments=("code",))], records=()))
    assert [one.state for one in found.items] == ["uncovered", "uncovered"]
    assert [one.id for one in found.whole] == ["p1"]


def test_a_practice_that_names_the_crosswalk_answers_every_item_listed_there():
    given = content([a_practice(commitments=("crosswalk#tests",), evidence=("decision:D1",))], records=RECORDS[1:2])
    assert states(given) == {"1": "evidence", "2": "uncovered"}
    assert states(given, "other") == {"a": "evidence", "b": "uncovered"}
    assert Answers(given).to("other#a")[0].via == "crosswalk#tests"


def test_an_item_named_twice_over_is_told_as_named_itself():
    given = content([a_practice(commitments=("crosswalk#tests", "code#1"))], records=RECORDS[:1])
    practices = [one for one in Answers(given).to("code#1") if one.kind == "practice"]
    assert [one.via for one in practices] == [None]


def test_a_kind_of_record_covers_the_items_that_ask_for_it():
    given = content(records=RECORDS[:1])
    assert states(given)["1"] == "evidence"
    assert [(one.kind, one.id) for one in Answers(given).to("code#1")] == [("record", "evidence:E1")]


def test_a_record_answers_no_question_by_itself():
    given = content(records=RECORDS[:1])
    assert states(given, "asks") == {"q": "uncovered"}
    assert [one.ref for one in answers_to("asks#q", given).records] == ["evidence:E1"]


def test_a_kind_of_record_that_two_entries_ask_for_covers_neither():
    weights = Known("evidence:W", "Check of who may copy weights", "verified", AT, artifact="security_control")
    assert states(content(records=(weights,)))["2"] == "uncovered"


def test_an_answer_without_records_is_worth_what_its_practices_are():
    rests = Answer(to="code#2", practices=("p1",))
    shown = content([a_practice()], [rests], records=RECORDS[:1])
    said = content([a_practice(evidence=())], [rests], records=())
    assert states(shown)["2"] == "evidence"
    assert states(said)["2"] == "statement"


def test_an_answer_that_names_a_practice_that_is_gone_shows_nothing():
    given = content(answers=[Answer(to="code#2", practices=("gone",), evidence=("evidence:E1",), as_of=AT)])
    (found,) = coverage(given)
    assert (found.items[1].state, found.items[1].by[0].badge) == ("statement", "dangling")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"made": [CommitmentMade(framework="code", not_applicable={"1": "we have no such thing"})]}, "no such thing"),
        ({"made": [CommitmentMade(framework="code", stance="not_applicable", reason="out of scope")]}, "out of scope"),
        ({"answers": [Answer(to="code#1", choice="not_applicable", text="text only")]}, "text only"),
    ],
)
def test_what_does_not_apply_says_why(more, reason):
    (found,) = coverage(content(records=(), **more))
    assert found.items[0].state == "not_applicable"
    assert reason in found.items[0].reason


PARENT = (an_item("C"), an_item("C.1", parent="C"), an_item("C.2", parent="C"))


@pytest.mark.parametrize(
    ("practices", "made", "state"),
    [
        ([a_practice(commitments=("code#C.1",))], {}, "uncovered"),
        ([a_practice(commitments=("code#C.1", "code#C.2"))], {}, "evidence"),
        ([a_practice(commitments=("code#C.1",)), a_practice("p2", ("code#C.2",), ())], {}, "statement"),
        ([a_practice(commitments=("code#C.1",))], {"C.2": "no"}, "evidence"),
        ([a_practice(commitments=("code#C",))], {}, "evidence"),
        ([a_practice(commitments=("code#C",), evidence=())], {}, "statement"),
        ([], {"C": "no"}, "not_applicable"),
        ([], {"C.1": "no", "C.2": "no"}, "not_applicable"),
    ],
)
def test_a_whole_is_covered_by_its_parts_only_if_all_are(practices, made, state):
    given = content(
        practices,
        made=[CommitmentMade(framework="code", not_applicable=made)],
        frameworks=(a_framework(items=PARENT),),
    )
    assert states(given)["C"] == state


def test_a_whole_does_not_cover_its_parts():
    given = content([a_practice(commitments=("code#C",))], frameworks=(a_framework(items=PARENT),))
    assert states(given) == {"C": "evidence", "C.1": "uncovered", "C.2": "uncovered"}


def test_what_is_not_in_force_yet_is_noted_and_not_open():
    later = a_framework(items=("1", an_item("2", in_force_from="2026-06-02")), in_force_from="2026-06-01")
    (found,) = coverage(content(records=(), frameworks=(later,)))
    assert [one.from_day for one in found.items] == [None, "2026-06-02"]
    assert [one.ref for one in found.open] == ["code#1"]


@pytest.mark.parametrize(("stance", "open_items"), [("adhered", 2), ("bound", 2), ("watched", 0)])
def test_only_what_is_adhered_to_or_binds_is_open(stance, open_items):
    (found,) = coverage(content(records=(), made=[CommitmentMade(framework="code", stance=stance)]))
    assert len(found.open) == open_items


@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ({"frontier_developer"}, "not_applicable"),
        ({"large_frontier_developer"}, "uncovered"),
        ({"operates_in_new_york"}, "uncovered"),
        (set(), "uncovered"),
    ],
)
def test_what_binds_large_developers_only_does_not_apply_to_a_known_small_one(facts, state):
    given = content(records=(), frameworks=(a_framework(items=(an_item("1", applies_to="large_frontier_developer"),)),))
    assert states(given, facts=frozenset(facts)) == {"1": state}


def test_a_definition_is_nothing_to_do():
    given = content(records=(), frameworks=(a_framework(items=(an_item("1", group="definition"),)),))
    assert states(given) == {"1": "not_applicable"}


def test_the_practices_of_an_item_and_the_items_of_a_practice_are_the_same_relation():
    given = content([a_practice(commitments=("crosswalk#tests", "code#2"))], records=())
    answers = Answers(given)
    (practice,) = given.publication.practices
    refs = {ref for ref, _ in answers.items_of(practice)}
    assert refs == {"crosswalk#tests", "code#1", "other#a", "asks#q", "code#2"}
    assert all(answers_to(ref, given).practices == (practice,) for ref in refs)


def test_practices_that_name_the_item_come_before_those_that_reach_it():
    given = content([a_practice("far", ("crosswalk#tests",)), a_practice("near", ("code#1",))], records=())
    assert [one.id for one in answers_to("code#1", given).practices] == ["near", "far"]


@given(
    st.lists(st.sampled_from(["code#1", "code#2", "crosswalk#tests", "code"]), unique=True),
    st.sampled_from([(), ("evidence:E1",), ("evidence:NONE",)]),
)
def test_a_further_practice_never_uncovers_anything(commitments, evidence):
    order = ["uncovered", "statement", "evidence"]
    before = content([a_practice()], records=RECORDS[:1])
    publication = before.publication.model_copy(
        update={"practices": (*before.publication.practices, a_practice("p2", tuple(commitments), evidence))}
    )
    after = replace(before, publication=publication)
    for name in ("code", "other", "asks"):
        for item, state in states(before, name).items():
            assert order.index(states(after, name)[item]) >= order.index(state)


def test_counts_add_up_for_every_shipped_framework():
    shipped = shipped_frameworks()
    practice = a_practice(commitments=("crosswalk#evaluations", "hiroshima-coc#2"))
    given = replace(content([practice]), frameworks=shipped, crosswalk=shipped["crosswalk"])
    for one in coverage(given, shipped):
        assert sum(one.counts.values()) == len(one.framework.items)
    found = {one.framework.id: one for one in coverage(given, shipped)}
    assert [one.item.id for one in found["hiroshima-coc"].of("evidence")] == ["1", "2"]

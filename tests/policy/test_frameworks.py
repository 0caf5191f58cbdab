# SPDX-License-Identifier: Apache-2.0
"""Shipped frameworks hold what they should, refer to each other soundly, and are read strictly."""

from importlib import resources

import pytest

from tidegate.kernel.documents import parse_document
from tidegate.kernel.errors import DocumentError, PublicationError
from tidegate.obligations.rules import shipped_rules
from tidegate.policy.frameworks import (
    dangling_references,
    find_framework,
    find_item,
    framework_names,
    parse_framework,
    shipped_frameworks,
)

COUNTS = {
    "metr-common": 9,
    "sb53": 43,
    "raise": 31,
    "il-aisma": 40,
    "ct-sb5": 4,
    "eu-cop-safety": 70,
    "fasc": 8,
    "hiroshima-coc": 11,
    "wh-voluntary": 8,
    "seoul-pledge": 9,
    "munich": 8,
    "thorn": 27,
    "wh-ibsa": 3,
    "christchurch": 20,
    "new-delhi": 4,
    "trusted-tech": 5,
    "iso42001-annex-a": 38,
    "nist-ai-rmf": 72,
    "haip": 47,
    "hub": 32,
    "crosswalk": 49,
}
SUB_QUESTIONS = {"2g.i", "2g.ii", "2g.iii", "2g.iv", "2g.v", "3a.i", "3a.ii", "3a.iii"}
SECTIONS = {"1": "abcdefgh", "2": "abcdefgh", "3": "abcde", "4": "abcdefgh", "5": "ab", "6": "abcd", "7": "abcd"}
SMALL = """\
schema: tidegate/framework/v1
id: house
version: "{version}"
title: House rules
publisher: us
date: 2026-01
source: the wall
kind: code
status: active
sections: {{a: All}}
items:
  - {{id: "1", title: One}}
  - {{id: "2", title: Two, {more}}}
"""


def a_framework(version="1", more="asks: nothing"):
    return parse_framework(parse_document(SMALL.format(version=version, more=more), "frameworks/house.yaml"))


def test_the_shipped_frameworks_have_all_their_items():
    assert {one.id: len(one.items) for one in shipped_frameworks().values()} == COUNTS
    assert framework_names() == tuple(sorted(COUNTS))


def test_every_file_of_the_folder_is_a_framework_of_its_own_name():
    folder = resources.files("tidegate.packs") / "frameworks"
    names = {entry.name.removesuffix(".yaml") for entry in folder.iterdir()}
    assert names == set(COUNTS)


def test_every_reference_between_frameworks_resolves():
    assert dangling_references(shipped_frameworks()) == ()
    assert sum(len(one.see) for one in shipped_frameworks()["crosswalk"].items) == 221


def test_a_reference_that_names_nothing_is_found():
    house = a_framework(more="see: [house#1, house#9, nowhere]")
    assert dangling_references({"house": house}) == ("house#2 -> house#9", "house#2 -> nowhere")


@pytest.mark.parametrize("name", COUNTS)
def test_ids_are_unique_and_parents_exist(name):
    items = shipped_frameworks()[name].items
    ids = [one.id for one in items]
    assert len(ids) == len(set(ids))
    assert {one.parent for one in items if one.parent} <= set(ids)


def test_the_questionnaire_asks_39_questions_and_8_sub_questions_with_exact_ids():
    haip = shipped_frameworks()["haip"]
    expected = {f"{section}{letter}" for section, letters in SECTIONS.items() for letter in letters}
    assert len(expected) == 39
    assert {one.id for one in haip.items if one.parent is None} == expected
    assert {one.id for one in haip.items if one.parent is not None} == SUB_QUESTIONS
    assert {one.id for one in haip.items if one.answer == "frequency"} == {"2g.iv", "3a.i"}
    assert {one.section for one in haip.items} == set(haip.sections) == set("1234567")
    assert all(one.answer for one in haip.items)
    assert haip.item("2g.v").topic == ("insider",)


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("hub", "sections", "active"),
        ("haip", "questionnaire", "superseded"),
        ("crosswalk", "crosswalk", "active"),
        ("sb53", "law", "in_force"),
        ("raise", "law", "enacted"),
        ("wh-voluntary", "voluntary_commitment", "no_longer_maintained"),
        ("munich", "voluntary_commitment", "past_stated_term"),
    ],
)
def test_kind_and_status_are_told(name, kind, status):
    framework = shipped_frameworks()[name]
    assert (framework.kind, framework.status) == (kind, status)


def test_laws_say_from_when_they_bind():
    frameworks = shipped_frameworks()
    assert frameworks["sb53"].in_force_from == "2026-01-01"
    assert frameworks["raise"].in_force_from == "2027-01-01"
    assert (frameworks["eu-cop-safety"].in_force_from, frameworks["eu-cop-safety"].enforced_from) == (
        "2025-08-02",
        "2026-08-02",
    )
    later = {one.id for one in frameworks["il-aisma"].items if one.in_force_from == "2028-01-01"}
    assert {f"10.a.{number}" for number in range(1, 11)} < later
    assert "10.d.2.G" in later


def test_the_section_tree_tells_of_no_organisation():
    hub = (resources.files("tidegate.packs") / "frameworks" / "hub.yaml").read_text()
    assert not [word for word in ("Anthropic", "Claude", "HackerOne", "Pfizer") if word in hub]


def test_items_and_the_rules_that_watch_them_name_each_other():
    frameworks = shipped_frameworks()
    by_item = {
        (f"{one.id}#{item.id}", rule) for one in frameworks.values() for item in one.items for rule in item.rules
    }
    by_rule = {(one.source, one.id) for one in shipped_rules() if (one.source or "").partition("#")[0] in frameworks}
    assert by_item == {(source, rule) for source, rule in by_rule if "#" in source}
    assert len(by_item) > 30


def test_the_newest_version_is_found_unless_one_is_named():
    versions = [a_framework(version) for version in ("9", "10", "2")]
    assert find_framework("house", versions).version == "10"
    assert find_framework("house@9", versions).version == "9"


def test_what_a_project_has_comes_before_what_ships():
    own = shipped_frameworks()["munich"].model_copy(update={"title": "Ours"})
    assert find_framework("munich", [own]).title == "Ours"
    assert find_framework("munich").title != "Ours"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("munch", "munich"), ("haip@7", "versions: 1"), ("", "known")],
)
def test_an_unknown_framework_is_refused_with_what_was_meant(name, hint):
    with pytest.raises(PublicationError) as caught:
        find_framework(name)
    (problem,) = caught.value.problems
    assert problem.code == "PUB002"
    assert hint in problem.hint


@pytest.mark.parametrize(("ref", "found"), [("sb53#12.c.1D", "12.c.1D"), ("munich", None)])
def test_an_item_is_found_by_its_reference(ref, found):
    _, item = find_item(ref, shipped_frameworks())
    assert (item.id if item else None) == found


@pytest.mark.parametrize(("ref", "hint"), [("sb53#12.c.1Z", "12.c.1"), ("sb54#1", "sb53")])
def test_an_unknown_item_is_refused_with_what_was_meant(ref, hint):
    with pytest.raises(PublicationError) as caught:
        find_item(ref, shipped_frameworks())
    assert caught.value.problems[0].code == "PUB002"
    assert hint in caught.value.problems[0].hint


@pytest.mark.parametrize(
    ("more", "code", "line"),
    [
        ("aks: nothing", "DOC007", 13),
        ("answer: maybe", "DOC009", 13),
        ("parent: '3'", "PUB004", 13),
        ("section: b", "PUB004", 13),
        ("parent: '2'", "DOC009", 1),
    ],
)
def test_a_framework_is_read_strictly_with_file_and_line(more, code, line):
    with pytest.raises((DocumentError, PublicationError)) as caught:
        a_framework(more=more)
    (problem,) = caught.value.problems
    assert (problem.code, problem.where.file, problem.where.line) == (code, "frameworks/house.yaml", line)


def test_two_items_of_one_id_are_refused():
    text = SMALL.format(version="1", more="asks: nothing").replace('"2"', '"1"')
    with pytest.raises(PublicationError) as caught:
        parse_framework(parse_document(text, "house.yaml"))
    assert [(one.code, one.where.line) for one in caught.value.problems] == [("PUB003", 13)]


def test_parts_cannot_be_nested_without_end():
    items = "".join(f'  - {{id: "{n}", title: T, parent: "{n - 1}"}}\n' for n in range(3, 20))
    with pytest.raises(DocumentError, match="too many"):
        parse_framework(parse_document(SMALL.format(version="1", more="asks: x") + items, "house.yaml"))

# SPDX-License-Identifier: Apache-2.0
"""Safety cases in a project: made from what is known, extended by people, reviewed by others, recorded whole."""

from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
import yaml

from house import TODAY, House, a_house, evidence_file, whole_case
from tidegate.case.load import load_case
from tidegate.case.model import SafetyCase
from tidegate.case.review import root
from tidegate.flow import World
from tidegate.flow.assessments import ask_gate
from tidegate.flow.cases import (
    CASES,
    MAX_DRAWN,
    MAX_REVIEWED,
    DrawRequest,
    NewCase,
    ReviewRequest,
    case_names,
    case_view,
    diff_case,
    draw_case,
    export_case,
    new_case,
    open_case,
    record_case,
    recorded_case,
    review_case,
    update_case,
)
from tidegate.flow.decisions import Proposal, find_decision, propose, review, sign
from tidegate.flow.evidence import import_files
from tidegate.flow.ledgers import governance_of
from tidegate.flow.outputs import write_output
from tidegate.kernel.canonical import canonical_bytes, digest_bytes
from tidegate.kernel.errors import TidegateError

NAME = "m-inability"
LATER = date(2026, 6, 2)


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = a_house(tmp_path)
    new_case(made.world(), NewCase("m", author="ada"))
    return made


def hand_written(house: House, change: Callable[[dict], None]) -> None:
    path = house.root / CASES / NAME / "case.yaml"
    data = yaml.safe_load(path.read_text())
    change(data)
    path.write_text(yaml.safe_dump(data, sort_keys=False))


def own_assumptions(data: dict) -> None:
    data["extends"] = {"A/coverage": {"owner": "ada", "review_on": "2026-09-01"}}


def refused(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(TidegateError) as error:
        act()
    problem = error.value.problems[0]
    return problem.code, problem.message


# --- make, update -------------------------------------------------------------------------------------


def test_a_case_is_made_in_two_files(house: House) -> None:
    assert case_names(house.world()) == (NAME,)
    opened = open_case(house.world(), None)
    case = opened.case
    assert (case.id, case.model, case.snapshot, case.author) == (NAME, "m", "s1", "ada")
    assert case.actions == ("general",)
    cited = [node.cited for node in case.nodes if node.cited]
    assert [one.record for one in cited] == ["r1"]
    assert {document.file for document in opened.loaded.documents} == {
        f"cases/{NAME}/case.yaml",
        f"cases/{NAME}/generated.yaml",
    }
    assert opened.loaded.where("TOP").file == f"cases/{NAME}/generated.yaml"


def test_making_again_changes_no_byte(house: House) -> None:
    folder = house.root / CASES / NAME
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    code, _ = refused(lambda: new_case(house.world(), NewCase("m", author="ada")))
    assert code == "PRJ002"
    made = update_case(house.world(), NAME)
    assert made.files == (f"cases/{NAME}/generated.yaml",)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (NewCase("unknown", author="ada"), "ASM001"),
        (NewCase("m@s9", author="ada"), "ASM001"),
        (NewCase("m", thresholds=("T9",), author="ada"), "ASM002"),
        (NewCase("m", author="nobody"), "KEY004"),
        (NewCase("m"), "KEY004"),
    ],
)
def test_what_cannot_be_made_writes_nothing(tmp_path: Path, wanted: NewCase, code: str) -> None:
    house = a_house(tmp_path)
    assert refused(lambda: new_case(house.world(), wanted))[0] == code
    assert not (house.root / CASES).exists()


@pytest.mark.parametrize("name", ["../../out", "/etc/x", "a/../b", ".hidden", ""])
def test_no_name_leads_out_of_the_project(house: House, name: str) -> None:
    wanted = NewCase("m", author="ada", name=name)
    if name == "a/../b":
        assert new_case(house.world(), wanted).name == "a-..-b"
        assert open_case(house.world(), "a-..-b").case.id == name
    else:
        assert refused(lambda: new_case(house.world(), wanted))[0] == "PRJ005"
    assert {path.name for path in house.root.parent.iterdir()} == {"house", "r1.yaml"}


@pytest.mark.parametrize("template", ["control", "trustworthiness", "deference", "safeguards-for-misuse"])
def test_every_template_makes_a_case_that_loads_draws_and_exports(house: House, template) -> None:
    made = new_case(house.world(), NewCase("m", template, author="ada"))
    opened = open_case(house.world(), made.name)
    assert opened.case.template == template
    assert set(made.open) <= set(opened.case.by_id)
    assert draw_case(opened, DrawRequest()).startswith("<svg")
    assert "G-TOP" in export_case(opened, "gsn2x")


def test_new_evidence_comes_in_by_update_and_what_people_wrote_stays(house: House, tmp_path: Path) -> None:
    world = house.world()
    hand_written(house, own_assumptions)
    review_case(world, NAME, ReviewRequest(), house.actor("kim"))
    assert open_case(world, NAME).examined.suspects == {}
    before = (house.root / CASES / NAME / "case.yaml").read_bytes()
    import_files(world, [evidence_file(tmp_path, "r2", 0.07)])
    update_case(world, NAME)
    opened = open_case(world, NAME)
    assert {node.cited.record for node in opened.case.nodes if node.cited} == {"r1", "r2"}
    assert "TOP" in opened.examined.suspects
    assert opened.case.node("A/coverage").owner == "ada"
    assert (house.root / CASES / NAME / "case.yaml").read_bytes() == before
    found = diff_case(world, NAME)
    assert "TOP" in found.newly_suspect
    assert [one.node for one in found.of_kind("added")]


def test_an_extension_of_a_node_that_is_gone_is_said(house: House) -> None:
    hand_written(house, lambda data: data.update(extends={"gone": {"why": "x"}}))
    code, message = refused(lambda: update_case(house.world(), NAME))
    assert (code, "'gone'" in message) == ("CAS001", True)


def test_a_case_without_a_module_cannot_be_made_anew(house: House) -> None:
    (house.root / CASES / NAME / "generated.yaml").unlink()
    assert refused(lambda: update_case(house.world(), NAME))[0] == "CAS002"


# --- find ---------------------------------------------------------------------------------------------


def test_cases_are_found_by_name_and_file(house: House, tmp_path: Path) -> None:
    world = house.world()
    text = export_case(open_case(world, NAME), "json")
    copy = tmp_path / "copy.yaml"
    copy.write_text(text)
    assert open_case(world, str(copy)).case.nodes == open_case(world, NAME).case.nodes
    assert refused(lambda: open_case(world, "m-inabilit"))[0] == "CAS002"
    assert refused(lambda: open_case(world, "../house"))[0] == "CAS002"
    new_case(world, NewCase("m", "control", author="ada"))
    assert refused(lambda: open_case(world, None)) == ("CAS002", "the project has 2 safety cases")


def test_a_project_without_cases_says_so(tmp_path: Path) -> None:
    house = a_house(tmp_path)
    assert refused(lambda: open_case(house.world(), None)) == ("CAS002", "the project has 0 safety cases")


# --- show ---------------------------------------------------------------------------------------------


def test_what_a_reader_should_know_stands_at_the_node(house: House) -> None:
    def doubt(data: dict) -> None:
        own_assumptions(data)
        data["nodes"] = [
            {"id": "D1", "kind": "defeater", "text": "It held back", "challenges": ["T/T1"]},
            {
                "id": "D2",
                "kind": "defeater",
                "text": "Closed by its author",
                "challenges": ["TOP/argument->T/T1"],
                "doubt": {"state": "closed", "closed_by": "ada", "closed_record": "r1", "closed_on": "2026-06-01"},
            },
            {
                "id": "I1",
                "kind": "indicator",
                "monitors": ["T/T1"],
                "watch": {"metric": "x", "bound": {"value": 1}, "window": "P7D", "last": 2, "last_on": "2026-06-01"},
            },
        ]

    hand_written(house, doubt)
    view = case_view(open_case(house.world(), NAME))
    assert "the doubt D1 blocks" in view.of("T/T1").marks
    assert "the indicator I1 is breached" in view.of("T/T1").marks
    assert "the doubt D2 blocks that T/T1 supports it" in view.of("TOP/argument").marks
    assert view.of("D2").marks == ("its closing does not count",)
    assert "breached" in view.of("I1").marks
    assert view.of("D1").acts is True
    assert view.of("D1").interval == ""
    assert view.of("TOP").low == 0.0
    text = export_case(open_case(house.world(), NAME), "mermaid")
    assert "breached" in text


def test_drawings_and_exports_are_the_same_each_time(house: House) -> None:
    opened = open_case(house.world(), NAME)
    for _ in range(2):
        assert draw_case(opened, DrawRequest("cae", "dagre")) == draw_case(
            open_case(house.world(), NAME), DrawRequest("cae", "dagre")
        )
    for output in ("gsn2x", "mermaid", "markdown", "json", "d2", "cae"):
        assert export_case(opened, output) == export_case(open_case(house.world(), NAME), output)
    assert SafetyCase.model_validate_json(export_case(opened, "json")).nodes == opened.case.nodes


def test_a_part_is_drawn(house: House) -> None:
    opened = open_case(house.world(), NAME)
    whole = draw_case(opened, DrawRequest())
    part = draw_case(opened, DrawRequest(start="T/T1"))
    assert len(draw_case(opened, DrawRequest(levels=0))) < len(part) < len(whole)
    assert "TOP" not in part
    assert refused(lambda: draw_case(opened, DrawRequest(start="nothing")))[0] == "CAS002"
    assert refused(lambda: export_case(opened, "d2", start="nothing"))[0] == "CAS002"


def test_what_is_too_large_to_draw_is_refused(house: House) -> None:
    many = [{"id": f"n{number}", "kind": "context", "text": "x"} for number in range(MAX_DRAWN)]
    hand_written(house, lambda data: data.update(nodes=many))
    opened = open_case(house.world(), NAME)
    assert refused(lambda: draw_case(opened, DrawRequest()))[0] == "CAS004"
    assert draw_case(opened, DrawRequest(start="TOP")).startswith("<svg")


def test_views_are_written_whole_or_not_at_all(house: House, tmp_path: Path) -> None:
    write_output(tmp_path / "a" / "b.md", "x")
    assert (tmp_path / "a" / "b.md").read_text() == "x"
    assert refused(lambda: write_output(tmp_path / "a" / "b.md" / "c", "x"))[0] == "PRJ004"


# --- record and review --------------------------------------------------------------------------------


def test_a_case_is_recorded_whole_and_once(house: House) -> None:
    world = house.world()
    opened = open_case(world, NAME)
    made = record_case(world, NAME)
    assert made is not None
    assert made.entry.kind == "case.recorded"
    assert made.entry.body["root"] == opened.examined.root == root(opened.case)
    assert record_case(world, NAME) is None
    with closing(world.ledger()) as store:
        assert store.document(made.entry.body["document"]) == canonical_bytes(opened.case)
    assert root(recorded_case(world, NAME)) == opened.examined.root
    assert diff_case(world, NAME).is_empty


def test_strict_recording_asks_for_a_case_in_order(house: House) -> None:
    world = house.world()
    with pytest.raises(TidegateError) as error:
        record_case(world, NAME, strict=True)
    assert {problem.code for problem in error.value.problems} == {"CAS003"}
    assert NAME not in governance_of(world).cases


def test_a_second_person_reviews(house: House) -> None:
    world = house.world()
    done = review_case(world, NAME, ReviewRequest(("TOP", "T/T1"), text="Sound."), house.actor("kim"))
    assert [one.entry.kind for one in done.entries] == ["case.recorded", "case.reviewed"]
    opened = open_case(world, NAME)
    assert done.nodes == {name: opened.examined.hashes[name] for name in ("TOP", "T/T1")}
    states = opened.examined.setting.reviews
    assert states["TOP"].state == states["T/T1"].state == "reviewed"
    assert states["C/scope"].state == "unreviewed"
    assert "not reviewed" in case_view(opened).of("C/scope").marks


def test_a_changed_leaf_makes_everything_above_it_suspect(house: House) -> None:
    world = house.world()
    review_case(world, NAME, ReviewRequest(), house.actor("kim"))
    hand_written(house, own_assumptions)
    suspects = open_case(world, NAME).examined.suspects
    assert set(suspects) == {"A/coverage", "TOP/argument", "TOP"}
    again = review_case(world, NAME, ReviewRequest(tuple(suspects)), house.actor("eve"))
    assert {one.entry.kind for one in again.entries} == {"case.recorded", "case.reviewed"}
    assert open_case(world, NAME).examined.suspects == {}
    review_case(world, NAME, ReviewRequest(("TOP",), agrees=False), house.actor("bob"))
    assert open_case(world, NAME).examined.suspects == {"TOP": "bob disagrees"}


def test_reviews_of_later_days_do_not_count_before(house: House) -> None:
    record_case(house.world(), NAME)
    review_case(house.world(LATER), NAME, ReviewRequest(("TOP",)), house.actor("kim"))
    assert open_case(house.world(LATER), NAME).examined.setting.reviews["TOP"].state == "reviewed"
    assert open_case(house.world(LATER), NAME, as_of=TODAY).examined.setting.reviews["TOP"].state == "unreviewed"


def test_nobody_reviews_what_they_wrote(house: House) -> None:
    world = house.world()
    code, message = refused(lambda: review_case(world, NAME, ReviewRequest(), house.actor("ada")))
    assert code == "KEY006"
    assert message.endswith("more: ada wrote it")
    hand_written(
        house, lambda data: data.update(author="kim", nodes=[{"id": "D1", "kind": "defeater", "challenges": ["TOP"]}])
    )
    code, message = refused(lambda: review_case(world, NAME, ReviewRequest(("TOP", "D1")), house.actor("kim")))
    assert (code, message) == ("KEY006", "D1: kim wrote it")
    done = review_case(world, NAME, ReviewRequest(), house.actor("kim"))
    assert done.left == {"D1": "kim wrote it"}
    assert "D1" not in done.nodes
    assert refused(lambda: review_case(world, NAME, ReviewRequest(("no",)), house.actor("kim")))[0] == "CAS002"


def test_a_node_of_nobody_is_not_reviewed(house: House) -> None:
    def orphan(data: dict) -> None:
        del data["author"]
        data["nodes"] = [{"id": "D1", "kind": "defeater", "challenges": ["TOP"]}]

    hand_written(house, orphan)
    path = house.root / CASES / NAME / "generated.yaml"
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if line != "author: ada\n"))
    code, message = refused(lambda: review_case(house.world(), NAME, ReviewRequest(("D1",)), house.actor("kim")))
    assert code == "KEY006"
    assert "does not say who wrote it" in message


def test_a_key_of_somebody_else_reviews_nothing(house: House) -> None:
    house.signers["kim"] = house.signers["ada"]
    code, _ = refused(lambda: review_case(house.world(), NAME, ReviewRequest(), house.actor("kim")))
    assert code == "KEY003"
    assert NAME not in governance_of(house.world()).cases, "all or nothing"


def test_large_reviews_take_several_entries(house: House) -> None:
    count = MAX_REVIEWED + 50
    names = [f"n{number}-{'x' * 100}" for number in range(count)]
    nodes = [{"id": name, "kind": "context", "text": "x"} for name in names]
    hand_written(house, lambda data: data.update(nodes=nodes))
    done = review_case(house.world(), NAME, ReviewRequest(tuple(names), text="y" * 11_000), house.actor("kim"))
    assert [len(one.entry.body.get("nodes", ())) for one in done.entries] == [0, MAX_REVIEWED, 50]


def test_a_decision_sees_the_newest_case_and_is_suspect_when_it_changes(house: House) -> None:
    world = house.world()
    whole_case(house)
    propose(world, Proposal("m", ("general",)), house.actor("ada"))
    review(world, "D-1", "supports", "Fine.", house.actor("kim"))
    for person in ("ada", "bob"):
        sign(world, "D-1", None, house.actor(person))
    record = find_decision(world, "D-1")
    assert record.document.seen.case.document == digest_bytes(canonical_bytes(load_case_of(world)))
    assert ask_gate(world, "m", "general").gate.open
    hand_written(house, own_assumptions)
    record_case(world, NAME)
    closing = [one.message for one in ask_gate(world, "m", "general").gate.reasons if one.closes]
    assert any("another version of the safety case m-inability" in one for one in closing), closing


def load_case_of(world: World) -> SafetyCase:
    return load_case(world.root / CASES / NAME / "case.yaml", name=f"{CASES}/{NAME}/case.yaml").case


# --- without a ledger ---------------------------------------------------------------------------------


def test_a_project_without_a_ledger_checks_and_draws_but_records_nothing(house: House) -> None:
    settings = house.root / "tidegate.yaml"
    settings.write_text(settings.read_text().split("ledger:")[0])
    opened = open_case(house.world(), NAME)
    assert opened.governance is None
    assert any(one.code == "SC13" for one in opened.examined.findings)
    assert draw_case(opened, DrawRequest()).startswith("<svg")
    for act in (
        lambda: record_case(house.world(), NAME),
        lambda: review_case(house.world(), NAME, ReviewRequest(), house.actor("kim")),
        lambda: diff_case(house.world(), NAME),
    ):
        assert refused(act)[0] == "LED002"
    assert diff_case(house.world(), NAME, NAME).is_empty


def test_a_case_that_the_log_does_not_hold_cannot_be_compared(house: House) -> None:
    assert refused(lambda: diff_case(house.world(), NAME))[0] == "CAS002"

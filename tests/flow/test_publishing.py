"""What is published is what the files and the log hold on a day: nothing more, nothing withheld."""

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tidegate.flow import World
from tidegate.flow.decisions import revoke
from tidegate.flow.demo_house import build_signed_demo
from tidegate.flow.demo_published import build_published_demo
from tidegate.flow.keys import Opening, open_signer
from tidegate.flow.ledgers import actor_for
from tidegate.flow.public_reports import make_haip
from tidegate.flow.publishing import Collected, collect
from tidegate.flow.text_redactions import add_redaction
from tidegate.govern.duties import DutyRecords
from tidegate.kernel.clock import fixed_clock, fixed_now
from tidegate.kernel.errors import TidegateError
from tidegate.ledger.notes import parse_vkey
from tidegate.ledger.proofs import verify_proof
from tidegate.obligations.model import Waiver
from tidegate.publish.inventory import worth
from tidegate.publish.practices import Statement
from tidegate.store.project import read_settings

TODAY = date(2026, 11, 21)
PRACTICE = {
    "schema": "tidegate/practice/v1",
    "id": "extra",
    "section": "risk.rsp",
    "title": "Extra",
    "as_of": "2026-11-21",
    "statements": [{"text": "Something is done."}],
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: Any) -> Path:
    root: Path = tmp_path_factory.mktemp("publishing") / "house"
    build_signed_demo(root, world_at(root))
    return root


@pytest.fixture
def house(built: Path, tmp_path: Path) -> World:
    root = tmp_path / "house"
    shutil.copytree(built, root)
    return world_at(root)


def world_at(root: Path, day: date = TODAY) -> World:
    return World(root, fixed_clock(day), fixed_now(day))


def write(world: World, name: str, data: Any) -> None:
    path = world.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")


def badge(found: Collected, *refs: str) -> str:
    said = Statement(text="So it is.", evidence=refs, as_of=found.content.at)
    return worth(said, None, found.content.inventory, found.content.at).badge


def test_what_outsiders_can_check_is_verified(house: World) -> None:
    found = collect(house)
    run = next(iter(found.content.evidence))
    refs = (f"evidence:{run}", "decision:D-1", "assessment:adder", "policy:adopted", "case:adder-inability")
    assert {ref: badge(found, ref) for ref in refs} == dict.fromkeys(refs, "verified")
    assert badge(found, "decision:D-2") == "dangling"
    assert badge(found, "url:https://example.org") == "statement"


def test_a_project_without_a_log_attests_at_most(house: World) -> None:
    settings = yaml.safe_load((house.root / "tidegate.yaml").read_text())
    del settings["ledger"]
    write(house, "tidegate.yaml", settings)
    found = collect(house)
    assert found.content.head is None
    assert found.content.proofs == {}
    assert badge(found, "policy:adopted") == "attested"
    assert badge(found, "decision:D-1") == "dangling"


def test_a_revoked_decision_shows_nothing_any_more(house: World) -> None:
    signer = open_signer(str(house.root / "keys" / "ada.key"), Opening())
    revoke(house, "D-1", "It was wrong.", actor_for(house, "ada", signer))
    found = collect(house)
    assert badge(found, "decision:D-1") in ("aged", "attested")
    assert badge(found, "decision:D-1") != "verified"


def test_files_that_the_log_does_not_hold_are_verified_by_nothing(house: World) -> None:
    model = yaml.safe_load((house.root / "models" / "adder.yaml").read_text())
    write(house, "models/adder.yaml", {**model, "name": "Adder the second"})
    found = collect(house)
    run = next(iter(found.content.evidence))
    assert badge(found, f"evidence:{run}") == "attested"
    assert badge(found, "assessment:adder") == "attested"


def test_nothing_is_final_while_the_log_is_in_doubt(house: World) -> None:
    assert make_haip(house, "json", final=True).summary.startswith("Final")
    model = yaml.safe_load((house.root / "models" / "adder.yaml").read_text())
    write(house, "models/adder.yaml", {**model, "name": "Adder the second"})
    with pytest.raises(TidegateError, match="the log is in doubt") as refused:
        make_haip(house, "json", final=True)
    assert {one.code for one in refused.value.problems} == {"PUB001"}
    assert json.loads(make_haip(house, "json").data)["doubts"]


def test_drafts_are_not_published(house: World) -> None:
    write(house, "hub/extra.yaml", PRACTICE)
    assert "extra" in {one.id for one in collect(house).content.publication.practices}
    write(house, "hub/extra.yaml", {**PRACTICE, "is_draft": True})
    assert "extra" not in {one.id for one in collect(house).content.publication.practices}


def test_neither_incidents_nor_waivers_of_what_is_not_public_are_published(
    house: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    about = {"on": "incident.discovered", "within": "5 days"}
    rules = [
        {"id": "own.incident", "title": "Look into it", "clocks": [about]},
        {"id": "own.secret", "title": "Kept inside", "due": "2026-12-01", "is_public": False},
        {"id": "own.open", "title": "Told", "due": "2026-12-01"},
    ]
    write(house, "obligations.yaml", {"schema": "tidegate/obligations/v1", "facts": [], "rules": rules})
    given = {"until": "2026-12-31", "reason": "Why.", "signed_by": ("ceo",)}
    waivers = tuple(Waiver(rule=one, **given) for one in ("own.incident", "own.secret", "own.open"))
    monkeypatch.setattr(DutyRecords, "waivers_at", lambda _, __: waivers)
    found = collect(house).content
    assert {one.rule.id for one in found.duties if one.rule.id.startswith("own.")} == {"own.open"}
    assert [one.rule for one in found.waivers] == ["own.open"]


def test_withheld_words_are_out_before_anything_is_made(house: World) -> None:
    add_redaction(house, "R-1", "cybersecurity", "A parameter", "It would help an attacker.")
    write(house, "hub/extra.yaml", {**PRACTICE, "statements": [{"text": "The port is [[R-1|quincunx 7]]."}]})
    found = collect(house)
    assert "quincunx" not in repr(found.content)
    assert "quincunx 7" in found.secrets
    assert [one.id for one in found.content.withheld_words] == ["R-1"]


def test_proofs_verify_under_the_checkpoint(house: World) -> None:
    content = collect(house).content
    assert content.head is not None
    settings = read_settings(house.root).ledger
    assert settings is not None
    entry = next(one.record for model in content.models for one in model.decisions).current.index
    with_log = house.ledger()
    data = with_log.find(entry).entry.data
    with_log.close()
    key = parse_vkey(settings.log_key)
    verify_proof(content.proofs["decision:D-1"], data, key)
    with pytest.raises(TidegateError):
        verify_proof(content.proofs["decision:D-1"], data + b" ", key)
    assert "decision:D-1/ada/scaling-officer" in content.proofs


def test_what_came_later_is_not_known_on_an_earlier_day(house: World) -> None:
    later = world_at(house.root, date(2026, 12, 1))
    before = collect(later, date(2026, 11, 20)).content
    assert all(not one.decisions for one in before.models)
    assert before.inventory.find("decision:D-1") is None


def test_a_statement_ages(house: World) -> None:
    later = world_at(house.root, date(2027, 12, 1))
    content = collect(later).content
    practice = next(one for one in content.publication.practices if one.id == "scaling-policy")
    assert {worth(one, practice, content.inventory, content.at).badge for one in practice.statements} == {"aged"}


def test_every_problem_of_every_file_is_told_at_once(house: World) -> None:
    write(house, "hub/extra.yaml", {**PRACTICE, "titel": "x"})
    write(house, "hub/other.yaml", {"schema": "tidegate/practice/v9", "id": "x"})
    write(house, "hub/twin.yaml", {**PRACTICE, "id": "weights"})
    with pytest.raises(TidegateError) as refused:
        collect(house)
    assert sorted({one.code for one in refused.value.problems}) == ["DOC007", "PUB002", "PUB003"]
    assert all(one.where is not None and one.where.line for one in refused.value.problems)


def test_the_demo_publishes_a_final_questionnaire_and_a_hub(built: Path, tmp_path: Path) -> None:
    root = tmp_path / "house"
    shutil.copytree(built, root)
    made = build_published_demo(world_at(root))
    assert made.haip_status.startswith("Final")
    assert made.site.is_file()
    assert all(path.stat().st_size > 1000 for path in made.haip)
    assert made.badges["verified"] > 0
    assert not {"dangling", "aged"} & set(made.badges)
    again = build_published_demo(world_at(root))
    assert again.hub.written == ()
    assert replace(again, hub=made.hub) == made

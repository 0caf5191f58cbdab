# SPDX-License-Identifier: Apache-2.0
"""The hub in a folder: written whole or not at all, only what changed, and nothing that is withheld."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
import yaml

from house import TODAY, House, a_house, evidence_file
from tidegate.flow import World
from tidegate.flow.bundles import verify_file
from tidegate.flow.decisions import Proposal, propose, review, sign
from tidegate.flow.evidence import import_files
from tidegate.flow.hub import STAGING, HubOptions, publish_hub
from tidegate.kernel.errors import ProjectError, PublicationError, TidegateError
from tidegate.publish.hub.manifest import NAME
from tidegate.store.publication import read_changes

PRACTICE = {
    "schema": "tidegate/practice/v1",
    "id": "tests",
    "section": "risk.assessment",
    "title": "Tests before release",
    "as_of": "2026-05-20",
    "statements": [{"text": "Every model is tested by a team that did not build it.", "evidence": ["evidence:r1"]}],
    "commitments": ["hiroshima-coc#1"],
}


def practice(house: House, name: str = "tests", **changes: object) -> None:
    path = house.root / "hub" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump({**PRACTICE, "id": name, **changes}))


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = a_house(tmp_path)
    made.checkpoint()
    practice(made)
    return made


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return tmp_path / "site"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def code_of(world: World, site: Path, options: HubOptions | None = None) -> str:
    with pytest.raises(TidegateError) as refused:
        publish_hub(world, site, options or HubOptions())
    return refused.value.problems[0].code


def test_a_hub_is_written_with_its_proofs_and_checkpoint(house: House, site: Path) -> None:
    told: list[tuple[int, int | None]] = []
    made = publish_hub(house.world(), site, tell=lambda done, total: told.append((done, total)))
    assert set(contents(site)) == {*made.written, NAME}
    assert {"index.html", "models/m.html", "records/r1.html", "feed.atom", "log/checkpoint.txt"} <= set(made.written)
    assert told[-1] == (len(made.written), len(made.written))
    assert (site / "log/checkpoint.txt").read_text() == (house.root / "ledger" / "checkpoint").read_text()
    assert b"Tests before release" in (site / "sections/risk.html").read_bytes()
    assert made.warnings == ()
    data = made.to_json()
    assert (data["pages"], data["unchanged"], data["removed"]) == (len(made.pages), 0, [])


def test_only_what_changed_is_written(house: House, site: Path) -> None:
    first = publish_hub(house.world(), site)
    before = contents(site)
    again = publish_hub(house.world(), site)
    assert (again.written, again.removed) == ((), ())
    assert set(again.unchanged) == set(first.written)
    assert contents(site) == before
    practice(house, title="Tests before any release")
    changed = publish_hub(house.world(), site)
    assert "sections/risk.html" in changed.written
    assert "changes.html" in changed.written
    assert "models/m.html" not in changed.written
    assert b"Tests before any release" in (site / "sections/risk.html").read_bytes()


def test_a_page_that_was_touched_by_hand_is_written_anew(house: House, site: Path) -> None:
    publish_hub(house.world(), site)
    whole = (site / "compliance.html").read_bytes()
    (site / "compliance.html").write_text("nothing is late")
    (site / "verify.html").unlink()
    assert set(publish_hub(house.world(), site).written) == {"compliance.html", "verify.html"}
    assert (site / "compliance.html").read_bytes() == whole


def test_what_is_gone_is_removed_and_what_is_not_ours_stays(house: House, site: Path) -> None:
    practice(house, "more", section="security.cyber")
    publish_hub(house.world(), site)
    (site / "bundles").mkdir()
    (site / "bundles" / "m.tidegate").write_text("a bundle")
    (house.root / "models" / "m.yaml").rename(house.root / "models" / "m.gone")
    model = {"schema": "tidegate/model/v1", "id": "n", "snapshots": [{"id": "s1", "created": "2026-04-01"}]}
    (house.root / "models" / "n.yaml").write_text(yaml.safe_dump(model))
    (house.root / "hub" / "more.yaml").unlink()
    made = publish_hub(house.world(), site)
    assert "models/m.html" in made.removed
    assert not (site / "models/m.html").exists()
    assert (site / "bundles" / "m.tidegate").read_text() == "a bundle"
    told = [(one.kind, one.title) for one in read_changes(house.root).changes]
    assert ("removed", "Practice: more") in told
    assert ("added", "Model: n") in told


def test_changelog_and_half_years_are_kept_in_the_project(house: House, site: Path) -> None:
    publish_hub(house.world(), site)
    publish_hub(house.world(date(2026, 7, 2)), site)
    halves = sorted(path.name for path in (house.root / "hub" / "archive").iterdir())
    assert halves == ["2026-H1.json", "2026-H2.json"]
    first = json.loads((house.root / "hub" / "archive" / "2026-H1.json").read_text())
    assert (first["half"], first["at"]) == ("2026-H1", TODAY.isoformat())
    assert (site / "archive/2026-H1.html").is_file()
    assert (site / "archive/2026-H2.html").is_file()
    assert [one.title for one in read_changes(house.root).changes][-1] == "The transparency hub was published"


def test_what_people_write_into_the_changelog_is_published_and_kept(house: House, site: Path) -> None:
    publish_hub(house.world(), site)
    path = house.root / "hub" / "changelog.yaml"
    data = json.loads(path.read_text())
    said = "A figure was corrected [[R-1|after Ada wrote to us]]"
    data["changes"].insert(0, {"on": "2026-05-30", "title": said, "kind": "corrected"})
    path.write_text(json.dumps(data))
    register = {
        "schema": "tidegate/text-redactions/v1",
        "redactions": [
            {"id": "R-1", "ground": "privacy", "character": "Who", "justification": "They asked.", "salt": "1f" * 32}
        ],
    }
    (house.root / "hub" / "redactions.yaml").write_text(yaml.safe_dump(register))
    practice(house, title="Another title")
    publish_hub(house.world(), site)
    kept = [one.title for one in read_changes(house.root).changes]
    assert kept[:2] == ["Practice: Another title", said]
    page = (site / "changes.html").read_text()
    assert "A figure was corrected [withheld R-1" in page
    assert "after Ada" not in "".join(data.decode() for data in contents(site).values())
    assert "They asked." in (site / "redactions.html").read_text()


# --- what is refused -------------------------------------------------------------------------------------------


def withhold(house: House, words: str) -> None:
    register = {
        "schema": "tidegate/text-redactions/v1",
        "redactions": [
            {"id": "R-1", "ground": "trade_secret", "character": "Size", "justification": "Plans.", "salt": "2e" * 32}
        ],
    }
    (house.root / "hub" / "redactions.yaml").write_text(yaml.safe_dump(register))
    practice(house, "secret", statements=[{"text": f"A team of [[R-1|{words}]] looks."}])


def test_withheld_words_that_would_show_elsewhere_are_refused(house: House, site: Path) -> None:
    withhold(house, "seventeen grandmasters")
    publish_hub(house.world(), site)
    before = contents(site)
    assert b"grandmasters" not in b"".join(before.values())
    practice(house, "open", title="Seventeen <grandmasters> look")
    publish_hub(house.world(), site)
    practice(house, "open", title="Seventeen Grandmasters look")
    before, project = contents(site), contents(house.root / "hub")
    assert code_of(house.world(), site) == "PUB006"
    assert contents(site) == before
    assert contents(house.root / "hub") == project


def test_words_withheld_later_are_looked_for_in_pages_that_do_not_change(house: House, site: Path) -> None:
    path = house.root / "models" / "m.yaml"
    path.write_text(path.read_text() + "developer: Seventeen Grandmasters\n")
    publish_hub(house.world(), site)
    withhold(house, "seventeen grandmasters")
    assert code_of(house.world(), site) == "PUB006"


def test_a_folder_with_something_else_is_refused(house: House, site: Path, tmp_path: Path) -> None:
    site.mkdir()
    (site / "thesis.txt").write_text("years of work")
    assert code_of(house.world(), site) == "PUB008"
    assert contents(site) == {"thesis.txt": b"years of work"}
    assert code_of(house.world(), site / "thesis.txt") == "PUB008"
    assert code_of(house.world(), site / "thesis.txt" / "below") == "PUB008"
    assert not (house.root / "hub" / "changelog.yaml").exists()


def test_a_manifest_that_leads_out_of_the_folder_is_refused(house: House, site: Path, tmp_path: Path) -> None:
    publish_hub(house.world(), site)
    (tmp_path / "mine.txt").write_text("mine")
    manifest = json.loads((site / NAME).read_text())
    manifest["files"]["../mine.txt"] = manifest["files"]["index.html"]
    (site / NAME).write_text(json.dumps(manifest))
    assert code_of(house.world(), site) == "PUB008"
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_link_that_leads_out_of_the_folder_is_refused(house: House, site: Path, tmp_path: Path) -> None:
    publish_hub(house.world(), site)
    elsewhere = tmp_path / "elsewhere"
    (site / "models").rename(elsewhere)
    (site / "models").symlink_to(elsewhere)
    (elsewhere / "m.html").write_text("changed")
    before = contents(elsewhere)
    assert code_of(house.world(), site) == "PUB008"
    assert contents(elsewhere) == before


def test_nothing_is_left_of_a_site_that_cannot_be_written(
    house: House, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_hub(house.world(), site)
    before = contents(site)
    practice(house, title="Another title")
    written: list[Path] = []
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        written.append(path)
        if len(written) > 2:
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert code_of(house.world(), site) == "PUB008"
    monkeypatch.undo()
    assert contents(site) == before
    assert not (site / STAGING).exists()
    assert "Another" not in (house.root / "hub" / "changelog.yaml").read_text()


@pytest.mark.parametrize(
    "url", ["ftp://x.example", "trust.example.org", "https://", "https://x.example/?a", "https://[x"]
)
def test_an_address_that_is_none_is_refused(house: House, site: Path, url: str) -> None:
    with pytest.raises(ProjectError, match="is not the address of a site"):
        publish_hub(house.world(), site, HubOptions(base_url=url))
    assert not site.exists()


def test_the_address_of_the_site_gets_its_slash(house: House, site: Path) -> None:
    publish_hub(house.world(), site, HubOptions(base_url="https://trust.example.org/hub"))
    assert b'href="https://trust.example.org/hub/feed.atom"' in (site / "feed.atom").read_bytes()


def test_a_site_in_another_language(house: House, site: Path, tmp_path: Path) -> None:
    head = 'msgid ""\nmsgstr ""\n"Language: fr\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    catalogue = tmp_path / "fr.po"
    catalogue.write_text(head + 'msgid "Models"\nmsgstr "Modèles"\n')
    publish_hub(house.world(), site, HubOptions(catalogue=catalogue))
    page = (site / "models/index.html").read_text()
    assert '<html lang="fr" dir="ltr">' in page
    assert "<h1>Modèles</h1>" in page
    catalogue.write_text(head + 'msgid "Models"\nmsgstr "<i>Modèles</i>"\n')
    assert code_of(house.world(), site, HubOptions(catalogue=catalogue)) == "PUB007"


def test_a_practice_without_a_place_is_refused(house: House, site: Path) -> None:
    practice(house, "lost", section="risk.assesment")
    with pytest.raises(PublicationError) as refused:
        publish_hub(house.world(), site)
    problem = refused.value.problems[0]
    assert problem.code == "PUB004"
    assert "risk.assessment" in str(problem.hint)
    assert not site.exists()


@pytest.mark.parametrize("changes", [{"half": "2025-H1"}, {"at": "2025-01-01"}])
def test_a_half_year_under_another_name_is_refused(house: House, site: Path, changes: dict[str, str]) -> None:
    publish_hub(house.world(), site)
    kept = house.root / "hub" / "archive" / "2026-H1.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), **changes}))
    assert code_of(house.world(), site) == "PUB008"


def test_a_project_without_a_log_has_a_hub_that_says_so(tmp_path: Path, site: Path) -> None:
    root = tmp_path / "plain"
    (root / "models").mkdir(parents=True)
    (root / "tidegate.yaml").write_text(
        "schema: tidegate/project/v1\norganisation: Plain\npolicy: {pack: starter}\n"
        "commitments: [{framework: munich, since: 2024-02-16}]\n"
    )
    made = publish_hub(World(root, lambda: TODAY), site)
    assert "commitments/munich.html" in made.pages
    assert "log/checkpoint.txt" not in made.written
    assert "No log stands behind this page" in (site / "index.html").read_text()


# --- bundles ---------------------------------------------------------------------------------------------------


@pytest.fixture
def decided(house: House) -> House:
    world = house.world()
    import_files(world, [evidence_file(house.root.parent, "r2", 0.04)])
    propose(world, Proposal("m", ("general",)), house.actor("ada"))
    review(world, "D-1", "supports", "The margin holds.", house.actor("kim"))
    for name in ("ada", "bob"):
        sign(world, "D-1", None, house.actor(name))
    house.checkpoint()
    return house


def test_the_published_bundle_is_what_an_outsider_can_verify(decided: House, site: Path) -> None:
    made = publish_hub(decided.world(), site, HubOptions(bundles=True))
    assert {"bundles/m.tidegate", "trust.yaml"} <= set(made.written)
    found = verify_file(site / "bundles" / "m.tidegate", site / "trust.yaml")
    assert found.holds
    verify = (site / "verify.html").read_text()
    assert 'href="bundles/m.tidegate"' in verify
    assert "tidegate verify m.tidegate --trust trust.yaml" in verify
    assert "compare them with a copy" in verify
    assert 'href="../bundles/m.tidegate"' in (site / "models" / "m.html").read_text()


def test_bundles_stay_as_they_are_all_day(decided: House, site: Path) -> None:
    publish_hub(decided.world(hour=13), site, HubOptions(bundles=True))
    before = contents(site)
    again = publish_hub(decided.world(hour=22), site, HubOptions(bundles=True))
    assert (again.written, again.removed) == ((), ())
    assert contents(site) == before
    without = publish_hub(decided.world(hour=22), site)
    assert set(without.removed) == {"bundles/m.tidegate", "trust.yaml"}
    assert not (site / "bundles").exists()


def test_a_model_without_a_decision_has_no_bundle(house: House, site: Path) -> None:
    made = publish_hub(house.world(), site, HubOptions(bundles=True))
    assert not [one for one in made.written if one.startswith("bundles/")]
    assert "No bundle is published beside this site" in (site / "verify.html").read_text()


def test_bundles_of_a_project_without_a_log_are_refused(tmp_path: Path, site: Path) -> None:
    root = tmp_path / "plain"
    root.mkdir()
    (root / "tidegate.yaml").write_text("schema: tidegate/project/v1\norganisation: Plain\npolicy: {pack: starter}\n")
    assert code_of(World(root, lambda: TODAY), site, HubOptions(bundles=True)) == "LED002"
    assert not site.exists()


def test_words_withheld_later_are_looked_for_in_bundles_too(decided: House, site: Path) -> None:
    withhold(decided, "The margin holds")
    assert code_of(decided.world(), site, HubOptions(bundles=True)) == "PUB006"
    assert not site.exists()


# --- another day, another run --------------------------------------------------------------------------------


def test_a_half_year_that_is_over_stays_as_it_was(house: House, site: Path) -> None:
    publish_hub(house.world(), site)
    kept = contents(house.root / "hub" / "archive")
    page = (site / "archive" / "2026-H1.html").read_bytes()
    practice(house, title="Another title")
    made = publish_hub(house.world(date(2026, 7, 2)), site)
    assert "archive/2026-H1.html" not in made.written
    assert (site / "archive" / "2026-H1.html").read_bytes() == page
    assert contents(house.root / "hub" / "archive")["2026-H1.json"] == kept["2026-H1.json"]


def test_the_site_of_an_earlier_day_leaves_the_project_as_it_is(house: House, site: Path, tmp_path: Path) -> None:
    publish_hub(house.world(), site)
    practice(house, title="Another title")
    publish_hub(house.world(date(2026, 7, 2)), site)
    before = contents(house.root / "hub")
    copy = tmp_path / "copy"
    publish_hub(house.world(), copy)
    assert contents(house.root / "hub") == before
    assert "2026-07-02" not in (copy / "changes.html").read_text()
    assert not (copy / "archive" / "2026-H2.html").exists()
    publish_hub(house.world(date(2026, 7, 2)), site)
    assert contents(house.root / "hub") == before


def test_the_changelog_follows_several_publications(house: House, site: Path) -> None:
    def told(day: date) -> list[tuple[str, str]]:
        publish_hub(house.world(day), site)
        return [(one.kind, one.title) for one in read_changes(house.root).changes if one.on == day]

    told(date(2026, 6, 1))
    practice(house, "second", title="Second")
    assert told(date(2026, 6, 2)) == [("added", "Practice: Second")]
    practice(house, "second", title="Second, better")
    assert told(date(2026, 6, 3)) == [("changed", "Practice: Second, better")]
    (house.root / "hub" / "second.yaml").unlink()
    assert told(date(2026, 6, 4)) == [("removed", "Practice: second")]
    assert told(date(2026, 6, 5)) == []
    assert len(read_changes(house.root).changes) == 4


# --- the folder ------------------------------------------------------------------------------------------------


def test_a_practice_without_a_place_is_named_with_its_line(house: House, site: Path) -> None:
    (house.root / "hub" / "lost.yaml").write_text(
        "schema: tidegate/practice/v1\nid: lost\ntitle: Lost\nsection: risk.assesment\nstatements: [{text: Said.}]\n"
    )
    with pytest.raises(PublicationError) as refused:
        publish_hub(house.world(), site)
    where = refused.value.problems[0].where
    assert where is not None
    assert (where.file, where.line) == ("hub/lost.yaml", 4)


def test_a_file_of_somebody_else_is_not_written_over(decided: House, site: Path) -> None:
    publish_hub(decided.world(), site)
    (site / "trust.yaml").write_text("mine")
    before = contents(site)
    assert code_of(decided.world(), site, HubOptions(bundles=True)) == "PUB008"
    assert contents(site) == before


def test_a_run_that_was_killed_is_put_in_order_by_the_next(
    house: House, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    moved: list[Path] = []
    replace = Path.replace

    def stop(path: Path, target: Path) -> Path:
        if STAGING in path.parts:
            moved.append(path)
        if len(moved) > 5:
            raise Killed
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(Killed):
        publish_hub(house.world(), site)
    monkeypatch.undo()
    (site / STAGING).mkdir()
    (site / STAGING / "index.html").write_text("half of it")
    made = publish_hub(house.world(), site)
    assert {*made.written, *made.unchanged, NAME} == set(contents(site))
    assert publish_hub(house.world(), site).written == ()


def test_a_link_in_the_place_of_the_manifest_is_replaced(house: House, site: Path, tmp_path: Path) -> None:
    publish_hub(house.world(), site)
    (tmp_path / "mine.txt").write_text("mine")
    (site / f"{NAME}.new").symlink_to(tmp_path / "mine.txt")
    practice(house, title="Another title")
    publish_hub(house.world(), site)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_two_runs_at_once_leave_one_whole_site(house: House, site: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(lambda _: publish_hub(house.world(), site), range(3)))
    assert sorted(bool(one.written) for one in made) == [False, False, True]
    assert set(contents(site)) == {*next(one.written for one in made if one.written), NAME}
    assert len(read_changes(house.root).changes) == 1


def test_duties_that_are_not_public_are_counted_and_not_shown(house: House, site: Path) -> None:
    rules = [
        {"id": "own.open", "title": "Told to all", "due": "2026-12-01"},
        {"id": "own.secret", "title": "Kept inside", "due": "2026-04-01", "is_public": False},
        # Even the number of these would tell that there is an incident.
        {
            "id": "own.incident",
            "title": "Look into it",
            "clocks": [{"on": "incident.discovered", "within": "5 days"}],
            "is_public": False,
        },
    ]
    events = [{"kind": "incident.discovered", "at": "2026-05-01", "subject": "I-1"}]
    file = {"schema": "tidegate/obligations/v1", "rules": rules, "events": events}
    (house.root / "obligations.yaml").write_text(yaml.safe_dump(file))
    publish_hub(house.world(), site)
    for name in ("index.html", "compliance.html", "duties.html"):
        assert "1 duty is not public, and is left out here whatever its state." in (site / name).read_text(), name
    assert "Told to all" in (site / "duties.html").read_text()
    everything = b"".join(contents(site).values())
    assert b"Kept inside" not in everything
    assert b"Look into it" not in everything

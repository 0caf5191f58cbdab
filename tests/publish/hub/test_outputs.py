# SPDX-License-Identifier: Apache-2.0
"""Feed, search index, changelog, half-years and manifest: what stands beside the pages."""

import json
import re
from dataclasses import replace
from datetime import date, datetime
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub_factories import AT, a_content, a_decision
from tidegate.kernel.errors import PublicationError
from tidegate.publish.content import Content
from tidegate.publish.hub.addresses import numbered, packed, pieces, slug
from tidegate.publish.hub.archive import Snapshot, half_of, snapshot
from tidegate.publish.hub.changes import changed, published
from tidegate.publish.hub.feed import ATOM, feed
from tidegate.publish.hub.manifest import Manifest, is_inside, plan, read_manifest
from tidegate.publish.hub.parts import hub_of
from tidegate.publish.hub.search import Entry, entries, index_files, letter, letter_page
from tidegate.publish.hub.site import SiteOptions, build, rendered
from tidegate.publish.practices import Change, ChangeFile

# --- the feed (RFC 4287) ------------------------------------------------------------------------------------


def read_feed(content: Content, base_url: str | None = None) -> ET.Element:
    return ET.fromstring(feed(hub_of(content, base_url=base_url)))


def one(parent: ET.Element, name: str) -> str:
    found = parent.findall(f"{{{ATOM}}}{name}")
    assert len(found) == 1, name
    return found[0].text or ""


@pytest.mark.parametrize("base_url", [None, "https://trust.example.org/hub/"])
def test_the_feed_has_what_atom_requires(content: Content, base_url: str | None) -> None:
    root = read_feed(content, base_url)
    assert root.tag == f"{{{ATOM}}}feed"
    ids = [one(root, "id")]
    assert one(root, "title") == "Example Lab: Transparency hub"
    assert root.find(f"{{{ATOM}}}author/{{{ATOM}}}name") is not None
    found = root.findall(f"{{{ATOM}}}entry")
    assert len(found) == len(content.publication.changes.changes)
    for entry in found:
        ids.append(one(entry, "id"))
        assert one(entry, "title")
        assert datetime.fromisoformat(one(entry, "updated"))
        link = entry.find(f"{{{ATOM}}}link[@rel='alternate']")
        assert link is not None
        assert bool(urlsplit(link.attrib["href"]).netloc) == (base_url is not None)
    assert len(set(ids)) == len(ids)
    assert all(re.match(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab]", each) for each in ids[1:])
    assert one(root, "updated") == max(one(entry, "updated") for entry in found)
    own = root.find(f"{{{ATOM}}}link[@rel='self']")
    assert (own is not None) == (base_url is not None)


def test_links_of_the_feed_lead_to_pages(content: Content, files: dict[str, bytes]) -> None:
    base = "https://trust.example.org/hub/"
    for link in read_feed(content, base).iter(f"{{{ATOM}}}link"):
        assert urljoin(base, link.attrib["href"]).removeprefix(base).partition("#")[0] in files


def test_entries_keep_their_ids_when_others_are_added(content: Content) -> None:
    def ids(changes: tuple[Change, ...]) -> list[str]:
        publication = content.publication.model_copy(update={"changes": ChangeFile(changes=changes)})
        root = read_feed(replace(content, publication=publication))
        return [one(entry, "id") for entry in root.findall(f"{{{ATOM}}}entry")]

    first = Change(on=AT, title="A")
    same = ids((first, first))
    assert len(set(same)) == 2
    assert ids((Change(on=AT, title="B"), first, first))[1:] == same


# --- search ---------------------------------------------------------------------------------------------------


def test_everything_can_be_found_without_a_script(content: Content, files: dict[str, bytes]) -> None:
    found = entries(hub_of(content))
    assert {each.kind for each in found} >= {"section", "practice", "model", "evidence", "decision", "policy", "duty"}
    for each in found:
        assert f'href="../{each.href}"'.encode() in files[letter_page(letter(each.title))], each


def test_the_index_of_the_script_holds_the_same(content: Content) -> None:
    found = entries(hub_of(content))
    rows = [
        row for _, data in index_files(found) for row in json.loads(data[data.index(b"[\n") : data.rindex(b"]") + 1])
    ]
    assert [tuple(row) for row in rows] == list(found)


def test_the_index_is_split_before_it_grows_too_large() -> None:
    many = tuple(Entry(f"Entry {number} " + "x" * 200, "kind", "page.html") for number in range(2000))
    files = index_files(many)
    assert len(files) > 3
    assert all(len(data) < 150_000 for _, data in files)
    assert sum(data.count(b"page.html") for _, data in files) == 2000


@pytest.mark.parametrize(
    ("title", "found", "page"),
    [
        ("alpha", "A", "search/a.html"),
        ("  (beta)", "B", "search/b.html"),
        ("2026", "0\N{EN DASH}9", "search/30-2013-39.html"),
        ("\N{GREEK SMALL LETTER OMEGA}mega", "\N{GREEK CAPITAL LETTER OMEGA}", "search/3a9.html"),
        ("\N{LATIN SMALL LETTER SHARP S}", "S", "search/s.html"),
        ("...", "\N{EM DASH}", "search/2014.html"),
    ],
)
def test_letters(title: str, found: str, page: str) -> None:
    assert letter(title) == found
    assert letter_page(found) == page


# --- changes ----------------------------------------------------------------------------------------------------


def with_changes(content: Content, changes: ChangeFile) -> Content:
    return replace(content, publication=content.publication.model_copy(update={"changes": changes}))


@pytest.fixture(scope="module")
def before() -> Content:
    content = with_changes(a_content(4, 2, 2, 8, 4), ChangeFile())
    return with_changes(content, changed(content))


def titles(content: Content) -> list[tuple[str, str]]:
    known = len(content.publication.changes.changes)
    made = changed(content).changes
    return [(each.kind, each.title) for each in made[: len(made) - known]]


def test_the_first_publication_is_one_change(before: Content) -> None:
    assert [each.title for each in before.publication.changes.changes] == ["The transparency hub was published"]
    assert before.publication.changes.published == published(before)


def test_without_a_change_the_changelog_stays_as_it_is(before: Content) -> None:
    assert changed(before) is before.publication.changes
    assert changed(replace(before, at=date(2027, 1, 1))) is before.publication.changes


def test_what_changed_is_told_with_what_it_is_about(before: Content) -> None:
    first, second, *others = before.publication.practices
    renamed = first.model_copy(update={"title": "Another title"})
    fresh = second.model_copy(update={"id": "fresh", "title": "Something new"})
    publication = before.publication.model_copy(update={"practices": (renamed, fresh, *others)})
    now = replace(before, publication=publication)
    assert titles(now) == [
        ("changed", "Practice: Another title"),
        ("added", "Practice: Something new"),
        ("removed", "Practice: practice-1"),
    ]
    assert [each.about for each in changed(now).changes[:3]] == [
        "practice:practice-0",
        "practice:fresh",
        "practice:practice-1",
    ]
    again = with_changes(now, changed(now))
    assert titles(again) == []


def test_a_gate_that_closes_is_told(before: Content) -> None:
    model = before.models[0]
    gates = tuple(
        gate.model_copy(update={"open": not gate.open}) if gate.action == "train" else gate
        for gate in model.assessment.gates
    )
    closed = replace(model, assessment=model.assessment.model_copy(update={"gates": gates}))
    now = replace(before, models=(closed, *before.models[1:]))
    state = "open" if gates[0].open else "closed"
    assert titles(now) == [("changed", f"Model 0: the gate for train further is {state}")]


def test_findings_decisions_models_and_commitments_are_told(before: Content) -> None:
    model = before.models[0]
    thresholds = tuple(
        each.model_copy(update={"finding": "not_assessed"}) if each.threshold == "T1" else each
        for each in model.assessment.thresholds
    )
    moved = replace(
        model,
        assessment=model.assessment.model_copy(update={"thresholds": thresholds}),
        decisions=(*model.decisions, a_decision(77, model.model.id, before.policy.label)),
    )
    now = replace(before, models=(moved,), commitments=before.commitments[1:])
    assert titles(now) == [
        ("changed", "Model 0: T1 is now not assessed"),
        ("added", "Decision D-77"),
        ("removed", "Model: model-1"),
        ("removed", "Decision D-1"),
        ("removed", f"Commitment: {before.frameworks['hiroshima-coc'].title}"),
    ]


def test_what_people_wrote_into_the_changelog_stays(before: Content) -> None:
    own = Change(on=date(2025, 1, 1), title="A misstatement was corrected", kind="corrected")
    file = before.publication.changes
    content = with_changes(before, file.model_copy(update={"changes": (own, *file.changes)}))
    renamed = content.publication.practices[0].model_copy(update={"title": "T"})
    practices = (renamed, *content.publication.practices[1:])
    content = replace(content, publication=content.publication.model_copy(update={"practices": practices}))
    assert changed(content).changes[1:] == (own, *file.changes)
    fresh = with_changes(content, ChangeFile(changes=(own,)))
    assert changed(fresh).changes == (own,)


# --- half-years -------------------------------------------------------------------------------------------------


def test_a_half_year_is_kept_as_data_and_shown_without_any_other_file(content: Content) -> None:
    kept = Snapshot.model_validate_json(snapshot(content).model_dump_json())
    assert kept == snapshot(content)
    older = kept.model_copy(update={"half": "2025-H1", "at": date(2025, 6, 30), "organisation": "Older Name"})
    files = rendered(build(content, SiteOptions(archives=(older, kept))))
    page = files["archive/2025-H1.html"].decode()
    assert "Older Name, 2025-H1" in page
    assert "As it was published on 2025-06-30." in page
    assert "<link" not in page
    assert "src=" not in page
    assert files["archive/index.html"].index(b"2026-H2.html") < files["archive/index.html"].index(b"2025-H1.html")


def test_a_half_year_of_many_words_is_split(content: Content) -> None:
    kept = snapshot(content)
    long = kept.practices[0].statements[0].model_copy(update={"text": "Words. " * 2500})
    practices = tuple(each.model_copy(update={"statements": (long,)}) for each in kept.practices)
    files = rendered(build(content, SiteOptions(archives=(kept.model_copy(update={"practices": practices}),))))
    parts = [name for name in files if name.startswith("archive/2026-H2")]
    assert len(parts) > 3
    assert all(len(files[name]) < 150_000 for name in parts)
    assert b'href="../archive/2026-H2-part-2.html"' in files["archive/2026-H2.html"]


@pytest.mark.parametrize(
    ("day", "half"), [("2026-01-01", "2026-H1"), ("2026-06-30", "2026-H1"), ("2026-12-31", "2026-H2")]
)
def test_half_years(day: str, half: str) -> None:
    assert half_of(date.fromisoformat(day)) == half


# --- the manifest -----------------------------------------------------------------------------------------------


def test_only_what_changed_is_written_and_what_is_gone_removed(content: Content) -> None:
    site = build(content)
    first = plan(site, Manifest(), {})
    assert set(first.write) == set(site)
    assert (first.keep, first.remove) == ({}, ())
    again = plan(site, first.manifest, first.write)
    assert (again.write, again.remove) == ({}, ())
    assert set(again.keep) == set(site)
    tampered = {**first.write, "index.html": b"<p>Nothing to see"}
    assert set(plan(site, first.manifest, tampered).write) == {"index.html"}
    missing = {name: data for name, data in first.write.items() if name != "feed.atom"}
    assert set(plan(site, first.manifest, missing).write) == {"feed.atom"}
    fewer = build(replace(content, models=content.models[1:], evidence={}))
    gone = plan(fewer, first.manifest, first.write)
    assert "models/model-0.html" in gone.remove
    assert "records/record-0.html" in gone.remove
    assert set(gone.manifest.files) == set(fewer)


@pytest.mark.parametrize(
    "name",
    ["../x", "/etc/passwd", "a/../../x", "a//b", "", ".", "..", "a/./b", "a\\b", "C:x", "a/b/c/d/e/f", "a\nb", "a/"],
)
def test_a_manifest_names_only_files_of_its_site(name: str) -> None:
    assert not is_inside(name)
    digest = f"sha256:{'0' * 64}"
    data = json.dumps({"files": {name: {"source": digest, "content": digest}}})
    with pytest.raises(PublicationError) as refused:
        read_manifest(data.encode())
    assert refused.value.problems[0].code == "PUB008"


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"files": 3}', b'{"more": 1}', b"\xff", b" " * 50_000_001])
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(PublicationError, match="not the manifest of a hub"):
        read_manifest(data)


def test_every_file_of_a_site_may_stand_in_a_manifest(files: dict[str, bytes]) -> None:
    assert all(is_inside(name) for name in files)


# --- addresses --------------------------------------------------------------------------------------------------


@given(st.lists(st.text(min_size=1, max_size=40), min_size=2, max_size=8, unique=True))
def test_no_two_ids_share_a_file(names: list[str]) -> None:
    made = [slug(name) for name in names]
    assert len({one.casefold() for one in made}) == len(names)
    assert all(is_inside(f"{one}.html") and re.fullmatch(r"[a-z0-9._-]+", one) for one in made)


@pytest.mark.parametrize(
    "name", ["m-evaluations", "risk-part-2", "index", "con", "nul.txt", "CON", "a.", "..", "model/1", "x" * 300]
)
def test_names_that_file_systems_or_other_pages_have_are_left_to_them(name: str) -> None:
    assert slug(name) != name
    assert len(slug(name)) < 100


@given(st.lists(st.integers(1, 30)), st.integers(1, 40))
def test_packing_loses_nothing_and_overfills_nothing(sizes: list[int], room: int) -> None:
    runs = packed(sizes, lambda size: size, room)
    assert [size for run in runs for size in run] == sizes
    assert all(sum(run) <= room or len(run) == 1 for run in runs)
    assert [size for run in pieces(sizes, 3) for size in run] == sizes


def test_the_first_part_keeps_the_plain_address() -> None:
    assert [numbered("a/b.html", n) for n in (1, 2)] == ["a/b.html", "a/b-part-2.html"]

# SPDX-License-Identifier: Apache-2.0
"""The whole site: every link leads somewhere, every page is small, the same content gives the same bytes."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hub_factories import AT, a_content, a_head
from hub_pages import Read, lost, pages
from tidegate.obligations.model import State
from tidegate.publish.content import Content
from tidegate.publish.hub.addresses import MAX_PAGE_BYTES, addresses
from tidegate.publish.hub.archive import snapshot
from tidegate.publish.hub.site import SiteOptions, build, rendered
from tidegate.publish.practices import Answer, Practice, Publication, Statement

TESTS = Path(__file__).resolve().parents[2]


def test_every_link_leads_somewhere(files: dict[str, bytes]) -> None:
    assert lost(files) == []
    assert sum(len(page.links) for page in pages(files).values()) > 1000


def test_a_lost_link_would_be_seen(files: dict[str, bytes]) -> None:
    without = {name: data for name, data in files.items() if name != "verify.html"}
    assert any("verify.html" in one for one in lost(without))
    broken = {**files, "changes.html": files["changes.html"].replace(b"#practice-practice-1", b"#nobody")}
    assert lost(broken) == ["changes.html: sections/risk.html#nobody"]


def test_every_page_is_one_document_of_its_own(files: dict[str, bytes]) -> None:
    for name, page in pages(files).items():
        assert len(set(page.ids)) == len(page.ids), name
        assert page.levels[0] == 1, name
        assert page.levels.count(1) == 1, name
        assert all(below - above <= 1 for above, below in zip(page.levels, page.levels[1:], strict=False)), name
        assert page.handlers == [], name
        assert all("://" not in one for one in page.loads), name
        assert "Content-Security-Policy" in files[name].decode(), name


def test_every_page_says_its_day_and_the_log(files: dict[str, bytes]) -> None:
    for name, page in pages(files).items():
        if name == "404.html":
            continue
        assert AT.isoformat() in page.text, name
        assert a_head().root in page.text, name


def test_everything_on_record_has_an_address_that_exists(content: Content, files: dict[str, bytes]) -> None:
    read = pages(files)
    where = addresses(content)
    kinds = {ref.partition(":")[0] for ref in where}
    assert {"section", "practice", "model", "assessment", "decision", "evidence", "policy", "rule", "duty"} <= kinds
    for ref, address in where.items():
        path, _, fragment = address.partition("#")
        assert path in read, ref
        assert not fragment or fragment in read[path].ids, ref


def test_addresses_do_not_change_with_titles(content: Content) -> None:
    renamed = tuple(one.model_copy(update={"title": f"New {one.id}"}) for one in content.publication.practices)
    other = replace(content, publication=content.publication.model_copy(update={"practices": renamed}))
    assert addresses(other) == addresses(content)


# --- size --------------------------------------------------------------------------------------------------


def test_no_page_is_too_large() -> None:
    """As large as an organisation gets: long texts, everything in one section, every practice answering the same."""
    content = a_content(60, 3, 4, 300, 400)
    crowded = tuple(one.model_copy(update={"section": "risk.assessment"}) for one in content.publication.practices)
    content = replace(content, publication=content.publication.model_copy(update={"practices": crowded}))
    files = rendered(build(content, SiteOptions(archives=(snapshot(content),))))
    large = {name: len(data) for name, data in files.items() if len(data) > MAX_PAGE_BYTES}
    assert large == {}
    assert "sections/risk-part-2.html" in files
    assert lost(files) == []


def test_a_hub_without_anything_still_stands(content: Content) -> None:
    empty = replace(
        a_content(0, 0, 1, 0, 0),
        head=None, proofs={}, noncompliance=None, incidents={}, withheld_words=(), commitments=(), website=None,
        contact=None, policies=(),
    )  # fmt: skip
    files = rendered(build(empty))
    read = pages(files)
    assert [one for one in lost(files) if "policy" not in one] == []
    assert "No log stands behind this page" in read["index.html"].text
    assert "Nothing is said here yet." in read["index.html"].text
    assert "log/checkpoint.txt" not in files


# --- the same bytes ----------------------------------------------------------------------------------------

PROGRAM = """
import json, sys
from hub_factories import a_content
from tidegate.kernel.canonical import digest_bytes
from tidegate.publish.hub.site import build
site = build(a_content(6, 2, 2, 12, 8))
json.dump({path: [leaf.digest, digest_bytes(leaf.make())] for path, leaf in site.items()}, sys.stdout)
"""


def test_the_same_content_gives_the_same_bytes_in_another_process() -> None:
    def run(seed: str) -> dict[str, list[str]]:
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(TESTS)}
        made = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, check=True, timeout=120, env=environment
        )
        found: dict[str, list[str]] = json.loads(made.stdout)
        return found

    first = run("1")
    assert len(first) > 50
    assert run("2") == first


def test_a_page_is_made_again_exactly_if_something_that_it_shows_changed(content: Content) -> None:
    practice = content.publication.practices[1]
    said = practice.statements[0].model_copy(update={"text": "Something else is done now."})
    changed = practice.model_copy(update={"statements": (said, *practice.statements[1:])})
    practices = tuple(changed if one.id == practice.id else one for one in content.publication.practices)
    other = replace(content, publication=content.publication.model_copy(update={"practices": practices}))
    before, after = build(content), build(other)
    assert set(before) == set(after)
    by_digest = {path for path in before if before[path].digest != after[path].digest}
    by_bytes = {path for path in before if before[path].make() != after[path].make()}
    assert by_digest == by_bytes == {"sections/risk.html"}


@pytest.mark.parametrize(
    "changes",
    [{"at": date(2026, 11, 22)}, {"organisation": "Another Lab"}, {"head": a_head(513)}],
    ids=["day", "name", "log"],
)
def test_what_every_page_shows_changes_every_page(content: Content, changes: dict[str, object]) -> None:
    before, after = build(content), build(replace(content, **changes))
    same = {path for path in before if path in after and before[path].digest == after[path].digest}
    assert all(not path.endswith(".html") for path in same)


# --- what is said ------------------------------------------------------------------------------------------


def test_badges_are_words_with_their_reasons(content: Content) -> None:
    practice = Practice(
        id="p",
        section="risk.rsp",
        title="P",
        as_of=AT,
        statements=(
            Statement(text="Shown.", evidence=("policy:adopted",)),
            Statement(text="Told."),
            Statement(text="Old.", evidence=("policy:adopted",), as_of=date(2020, 1, 1)),
            Statement(text="Lost.", evidence=("decision:D-404",)),
        ),
    )
    one = replace(content, publication=Publication(practices=(practice,)))
    text = Read(rendered(build(one))["sections/risk.html"].decode()).text
    for words in (
        "Shown. verified record",
        "Told. statement only",
        "Old. aged as of 2020-01-01 it was true on 2020-01-01, more than 1 year ago",
        "Lost. cites what does not exist as of 2026-11-21 there is no decision:D-404",
    ):
        assert words in text


def test_commitments_and_practices_lead_to_each_other(files: dict[str, bytes]) -> None:
    read = pages(files)
    assert "../commitments/hiroshima-coc.html#item-1" in read["sections/risk.html"].links
    assert "../sections/risk.html#practice-practice-0" in read["commitments/hiroshima-coc.html"].links


def test_a_decision_is_shown_with_roles_digests_and_proofs(files: dict[str, bytes]) -> None:
    page = pages(files)["decisions/d-0-4fe471ae.html"]
    for words in ("Head of safety", "Chief executive", "SHA256:kkk", "1 dissent is on record", "counts now"):
        assert words in page.text
    assert "I would wait." not in page.text
    proofs = [one for one in page.links if one.endswith(".tlog-proof")]
    assert len(set(proofs)) == 3
    for one in proofs:
        assert files[one.removeprefix("../")].startswith(b"c2sp.org/tlog-proof@v1\n")


def test_figures_stand_in_words_and_as_a_drawing_with_the_same_words(files: dict[str, bytes]) -> None:
    text = files["models/model-0-evaluations.html"].decode()
    told = re.findall(r'aria-label="([^"]*line ≥[^"]*)"', text)
    assert len(told) == text.count("<svg")
    assert told[0].startswith("Suite ")
    assert "interval 0 \N{EN DASH} 0." in told[0]


def test_small_numbers_of_reports_stay_hidden(files: dict[str, bytes]) -> None:
    text = pages(files)["noncompliance.html"].text
    assert "<5" in text
    assert "withheld" in text


def test_the_policy_page_says_what_became_weaker_and_whether_it_was_announced(files: dict[str, bytes]) -> None:
    text = pages(files)["policy/3.0.html"].text
    assert "weakened obligation silent" in text
    assert "force will may weaker" in text
    assert "What changed since house@2.0" in text


def test_doubts_about_the_log_stand_on_every_page(content: Content, files: dict[str, bytes]) -> None:
    doubted = rendered(build(replace(content, doubts=("the root is not that of the checkpoint",))))
    for name, page in pages(doubted).items():
        if not name.startswith("archive/2") and name != "404.html":
            assert "the root is not that of the checkpoint" in page.text, name
    assert "cannot be relied on" not in pages(files)["index.html"].text


def test_what_was_retracted_is_shown_as_such(content: Content, files: dict[str, bytes]) -> None:
    found = pages(rendered(build(replace(content, withdrawn=frozenset({"record-0"})))))
    assert "restated or retracted" in found["records/record-0.html"].text
    assert "restated or retracted" not in found["records/record-3.html"].text
    assert found["models/model-0-evaluations.html"].text.count("withdrawn") == 1
    assert "withdrawn" not in pages(files)["models/model-0-evaluations.html"].text


def test_an_answer_stands_beside_its_item_with_its_words(content: Content) -> None:
    answers = (
        Answer(to="hiroshima-coc#3", text="We publish it.\n\nEvery year.", as_of=AT, evidence=("policy:adopted",)),
        Answer(to="hiroshima-coc#4", choice="yes"),
    )
    publication = content.publication.model_copy(update={"answers": answers})
    text = pages(rendered(build(replace(content, publication=publication))))["commitments/hiroshima-coc.html"].text
    assert "Our answer verified record We publish it. Every year." in text
    assert "Our answer: yes statement only" in text


def test_long_answers_divide_the_page_of_a_framework(content: Content) -> None:
    items = [one.id for one in content.frameworks["haip"].items][:30]
    answers = tuple(Answer(to=f"haip#{one}", text="Words. " * 2500, as_of=AT) for one in items)
    crowded = replace(content, publication=content.publication.model_copy(update={"answers": answers}))
    files = rendered(build(crowded))
    parts = [name for name in files if name.startswith("commitments/haip")]
    assert len(parts) >= 5
    assert all(len(files[name]) <= MAX_PAGE_BYTES for name in parts)
    assert lost(files) == []


def test_the_page_of_a_model_is_not_shown_by_records_about_another(content: Content) -> None:
    said = Statement(text="It was tested.", evidence=("evidence:record-1",), as_of=AT)
    first, *others = content.models
    assert first.page is not None
    page = first.page.model_copy(update={"limits": (said,)})
    other = replace(content, models=(replace(first, page=page), *others))
    text = pages(rendered(build(other)))["models/model-0.html"].text
    assert "It was tested. statement only as of 2026-11-21 evidence:record-1 is about another model, model-1" in text


def test_the_list_of_commitments_is_no_empty_section(content: Content, files: dict[str, bytes]) -> None:
    assert "sections/list.html" not in files
    assert addresses(content)["section:list"] == "commitments/index.html"
    practice = content.publication.practices[0].model_copy(update={"section": "list"})
    listed = replace(content, publication=Publication(practices=(practice,)))
    assert "sections/list.html" in build(listed)


# --- what is not shown ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        (0, "Duties about a single incident, report of noncompliance or disclosure are never shown."),
        (1, "1 duty is not public, and is left out here whatever its state."),
        (7, "7 duties are not public, and are left out here whatever their state."),
    ],
)
def test_what_is_not_public_is_counted_wherever_duties_stand(content: Content, hidden: int, words: str) -> None:
    files = pages(rendered(build(replace(content, duties=(), hidden_duties=hidden))))
    for name in ("index.html", "compliance.html", "duties.html"):
        assert words in files[name].text, name
        assert ("left out" in files[name].text) == bool(hidden), name


def test_no_page_says_that_nothing_is_late_of_what_it_does_not_show(content: Content) -> None:
    kept = tuple(one for one in content.duties if one.state == "due")
    files = pages(rendered(build(replace(content, duties=kept, hidden_duties=3))))
    assert "Late None of the duties that are shown here." in files["compliance.html"].text
    assert "Nothing that is shown here is late" in files["index.html"].text
    assert "Nothing." not in files["compliance.html"].text


# --- truth ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["revoked", "superseded", "expired", "suspended"])
def test_a_decision_that_counts_no_more_is_not_said_to_be_in_effect(content: Content, state: str) -> None:
    first, *others = content.models
    shown = first.decisions[0]
    ended = replace(shown, record=replace(shown.record, state=state))
    other = replace(content, models=(replace(first, decisions=(ended,)), *others))
    read = pages(rendered(build(other)))
    for name in ("models/model-0.html", "decisions/d-0-4fe471ae.html"):
        assert "does not count now" in read[name].text, name
        assert "In effect from" not in read[name].text, name
        assert "Counts until" not in read[name].text, name
    assert "In effect from" in read["decisions/d-1-76fbdb37.html"].text


def test_items_are_named_by_the_shortest_name_of_their_framework(content: Content) -> None:
    practice = content.publication.practices[0].model_copy(
        update={
            "commitments": (
                "hiroshima-coc#5",
                "fasc#IV",
                "hiroshima-coc#1",
                "fasc#II",
                "munich",
                "crosswalk#weight-security",
            )
        }
    )
    one = replace(content, publication=Publication(practices=(practice,)))
    text = pages(rendered(build(one)))["sections/risk.html"].text
    assert re.search("Answers Hiroshima code of conduct 1 , 5 (, [0-9]+ )*; Seoul commitments II( , V)? , IV", text)
    assert "; Munich accord ;" in text
    assert "Transparency hub security" not in text


def test_the_list_of_commitments_says_what_it_leads_to(content: Content, files: dict[str, bytes]) -> None:
    for name in ("index.html", "sections/index.html"):
        text = pages(files)[name].text
        assert f"List of commitments {len(content.commitments)} commitments" in text, name
        assert "0 practices Item by item" not in text, name


def test_a_model_called_like_a_page_of_another_keeps_its_page() -> None:
    content = a_content(2, 2, 1, 4, 2)
    first, second = content.models
    named = replace(second, model=second.model.model_copy(update={"id": "model-0-evaluations", "name": "Second"}))
    files = rendered(build(replace(content, models=(first, named))))
    read = pages(files)
    titles = {page.text for page in read.values()}
    assert len(titles) == len(read)
    assert lost(files) == []
    assert sum("Second" in page.text and name.startswith("models/") for name, page in read.items()) == 3


def test_a_half_year_that_is_over_does_not_change_with_what_came_later(content: Content) -> None:
    kept = snapshot(replace(content, doubts=("a file was changed",), hidden_duties=4)).model_copy(
        update={"half": "2026-H1", "at": date(2026, 6, 30)}
    )
    later = replace(content, organisation="Another Name", head=a_head(900), doubts=(), hidden_duties=9, models=())
    first, second = (
        rendered(build(one, SiteOptions(archives=(kept,))))["archive/2026-H1.html"] for one in (content, later)
    )
    assert first == second
    assert b"a file was changed" in first
    assert b"Duties that are not public</dt><dd>4<" in first


def test_the_box_gives_the_command_that_makes_this_very_site(content: Content) -> None:
    made = rendered(build(content, SiteOptions(made_with=("--base-url", "https://x.example/a b/", "--bundles"))))
    words = "tidegate publish hub --output copy --base-url 'https://x.example/a b/' --bundles"
    for name in ("index.html", "verify.html", "models/model-0.html"):
        assert words in pages(made)[name].text, name


@pytest.mark.parametrize(
    ("state", "due", "left", "words"),
    [
        ("due", date(2027, 11, 20), 363, "in 364 days"),
        ("due", date(2027, 11, 20), 364, "in 364 days"),
        ("due_soon", date(2026, 11, 22), 0, "in 1 day"),
        ("due_soon", AT, 0, "today"),
        ("due_soon", date(2026, 11, 20), 0, "today"),
        ("late", date(2026, 11, 20), -1, "1 day late"),
        ("late", AT, -1, "less than a day late"),
        ("late", date(2026, 11, 22), -1, "less than a day late"),
    ],
)
def test_the_days_to_a_date_are_the_same_at_every_hour(
    content: Content, state: State, due: date, left: int, words: str
) -> None:
    """Days are counted by the calendar; where the duty's own clock is in another zone, its state decides."""
    duty = replace(content.duties[0], state=state, due_on=due, due_at=None, hours_left=None, days_left=left, done=None)
    page = pages(rendered(build(replace(content, duties=(duty,)))))["compliance.html"]
    assert f"{due.isoformat()} {words} law" in page.text


def test_answers_about_several_models_each_have_their_own_words(content: Content) -> None:
    answers = (
        Answer(to="hiroshima-coc#3", text="It was tested.", model="model-0", evidence=("evidence:record-0",), as_of=AT),
        Answer(to="hiroshima-coc#3", text="It was not tested.", model="model-1", as_of=AT),
    )
    publication = content.publication.model_copy(update={"answers": answers})
    text = pages(rendered(build(replace(content, publication=publication))))["commitments/hiroshima-coc.html"].text
    assert "Our answer, Model 0 attested It was tested." in text
    assert "Our answer, Model 1 statement only It was not tested." in text


def test_a_part_of_a_record_leads_to_the_record(files: dict[str, bytes]) -> None:
    page = files["commitments/sb53.html"].decode()
    assert re.findall(r'<a href="../policy/3.0.html">[^<]*: thresholds</a>', page)
    assert not re.findall(r"<li>[^<]*: thresholds", page)

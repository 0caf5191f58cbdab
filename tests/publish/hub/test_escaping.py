# SPDX-License-Identifier: Apache-2.0
"""Words of others never become markup, whatever they hold and wherever they stand."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hub_factories import a_content
from hub_pages import Read, lost, pages
from tidegate.evidence.model import Evidence
from tidegate.evidence.models import Model
from tidegate.publish.content import Content
from tidegate.publish.hub.archive import snapshot
from tidegate.publish.hub.site import SiteOptions, build, rendered
from tidegate.publish.practices import Change, ChangeFile, ModelPage, Practice, Statement

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\"'` --> ]]> &amp; {{ 7*7 }} {% raw %} %(day)s %s \\ "
    "</style></svg></title> javascript:alert(3) \x1b[31m \x00 \x9b \u202eodd\u2066 \N{ZERO WIDTH SPACE} \ud800 "
)
"""Everything that could end what it stands in."""


def hostile(content: Content, words: str) -> Content:
    """Put words wherever people or importers write any."""
    said = Statement(text=words, evidence=("url:javascript:alert(1)", 'url:https://x.example/"><script>'))
    practices = tuple(
        Practice(
            id=one.id, section=one.section, title=words, owner=words, statements=(said,), commitments=one.commitments
        )
        for one in content.publication.practices
    )
    changes = ChangeFile(changes=(Change(on=content.at, title=words, about=words),))
    publication = content.publication.model_copy(update={"practices": practices, "changes": changes})
    evidence = {name: _record(one, words) for name, one in content.evidence.items()}
    models = tuple(
        replace(
            one,
            model=Model.model_construct(**{**one.model.__dict__, "name": words, "developer": words}),
            page=ModelPage(model=one.model.id, description=(said,), licence=words, languages=(words,)),
        )
        for one in content.models
    )
    return replace(
        content, organisation=words, publication=publication, evidence=evidence, models=models, website=words,
        contact=words,
    )  # fmt: skip


def _record(one: Evidence, words: str) -> Evidence:
    assert one.measurement is not None
    measured = one.measurement.model_copy(update={"evaluation": words, "metric": words, "unit": words})
    provenance = one.provenance.model_copy(update={"title": words, "url": words})
    return one.model_copy(update={"measurement": measured, "provenance": provenance, "note": words})


def shape(page: Read) -> tuple[object, ...]:
    return page.levels, page.ids, page.handlers, page.loads


SMALL = a_content(3, 1, 2, 4, 4)
PLAIN = pages(rendered(build(hostile(SMALL, "Words"), SiteOptions(archives=(snapshot(SMALL),)))))


def same_shape(words: str) -> None:
    content = hostile(SMALL, words)
    files = rendered(build(content, SiteOptions(archives=(snapshot(content),))))
    found = {name: page for name, page in pages(files).items() if not name.startswith("search/")}
    for name, page in found.items():
        assert shape(page) == shape(PLAIN[name]), name
        assert [one for one in page.links if one.lower().startswith(("javascript:", "data:"))] == [], name
    assert lost(files) == []
    for name, data in files.items():
        assert not {"\x00", "\x1b", "\x9b", "\u202e", "\u2066"} & set(data.decode()), name


def test_hostile_words_change_no_page() -> None:
    # A lone surrogate cannot be in a file at all; what reads files refuses it before.
    same_shape(HOSTILE.replace("\ud800", ""))


@settings(max_examples=12, deadline=None)
@given(st.text(alphabet=st.sampled_from("<>\"'&/=!-[]{}%\\;:#\n\t\x00\x85\u2028\u202eaA1 é"), min_size=1, max_size=60))
def test_no_words_change_a_page(words: str) -> None:
    same_shape(f"w{words}")


def test_a_change_of_shape_would_be_seen() -> None:
    changed = Read('<h1 id="x">T</h1><p onclick="x">')
    assert shape(changed) != shape(Read("<h1>T</h1><p>"))


def test_only_addresses_of_the_web_become_links() -> None:
    content = hostile(SMALL, "x")
    page = pages(rendered(build(content)))["sections/risk.html"]
    assert 'https://x.example/"><script>' in page.links
    assert not any("javascript" in one for one in page.links)

# SPDX-License-Identifier: Apache-2.0
"""Everything on the site from A to Z, as pages that need no script, and as an index that the site's script filters."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from tidegate.publish.hub.addresses import numbered, pieces
from tidegate.publish.hub.parts import Hub, Link, Sheet

ENTRIES_EACH = 400
"""Entries on one page."""
INDEX_BYTES = 120_000
"""Bytes of one file of the index."""


class Entry(NamedTuple):
    """Something that can be found."""

    title: str
    kind: str
    href: str


def entries(hub: Hub) -> tuple[Entry, ...]:
    """Give everything that can be found, by title."""
    return tuple(sorted(set(_entries(hub)), key=lambda one: (one.title.casefold(), one.kind, one.href)))


def _entries(hub: Hub) -> Iterator[Entry]:
    content, where = hub.content, hub.where
    section, practice, model = hub.say("section"), hub.say("practice"), hub.say("model")
    record, decision, version = hub.say("evidence"), hub.say("decision"), hub.say("policy")
    commitment, item, duty = hub.say("commitment"), hub.say("item of a commitment"), hub.say("duty")
    yield from (
        Entry(one.title, section, where[f"section:{one.id}"])
        for one in content.sections.items
        if f"section:{one.id}" in where
    )
    yield from (
        Entry(one.title, practice, where[f"practice:{one.id}"])
        for one in content.publication.practices
        if f"practice:{one.id}" in where
    )
    for each in content.models:
        yield Entry(each.model.title, model, where[f"model:{each.model.id}"])
        for shown in each.decisions:
            yield Entry(
                f"{shown.record.id}: {shown.record.document.question}"[:160],
                decision,
                where[f"decision:{shown.record.id}"],
            )
    for known in content.evidence.values():
        name = known.measurement.evaluation if known.measurement else known.id
        yield Entry(f"{name}, {known.subject.model}", record, where[f"evidence:{known.id}"])
    for one in content.policies:
        yield Entry(f"{one.policy.title}, {one.policy.version}", version, where[f"policy:{one.policy.label}"])
    for covered in hub.covered:
        framework, name = covered.framework, covered.framework.id
        yield Entry(framework.title, commitment, where[f"framework:{name}"])
        for each_item in framework.items:
            yield Entry(
                f"{each_item.title} ({framework.title}, {each_item.id})",
                item,
                where[f"framework:{name}#{each_item.id}"],
            )
    yield from (Entry(one.rule.title, duty, where[f"rule:{one.rule.id}"]) for one in content.duties)


def search_sheets(hub: Hub, found: tuple[Entry, ...]) -> Iterator[Sheet]:
    """Give the page of search, and a page for every letter."""
    by_letter: dict[str, list[Entry]] = {}
    for one in found:
        by_letter.setdefault(letter(one.title), []).append(one)
    letters = tuple((name, len(them), letter_page(name)) for name, them in sorted(by_letter.items()))
    scripts = tuple(name for name, _ in index_files(found))
    view = {"letters": letters, "total": len(found), "scripts": scripts}
    yield Sheet("search.html", "search.html", hub.say("Search"), view, nav="search")
    for name, them in sorted(by_letter.items()):
        pages = pieces(them, ENTRIES_EACH)
        parts = tuple(
            Link(hub.say("Part %(n)s", n=n), numbered(letter_page(name), n)) for n in range(1, len(pages) + 1)
        )
        for number, some in enumerate(pages, 1):
            yield Sheet(
                path=numbered(letter_page(name), number),
                template="letter.html",
                title=hub.say("Everything under %(letter)s", letter=name),
                view={"entries": tuple(some), "letters": letters},
                nav="search",
                trail=(Link(hub.say("Search"), "search.html"),),
                parts=parts if len(pages) > 1 else (),
            )


def letter(title: str) -> str:
    """Give the letter under which a title stands.

    >>> letter("évaluations"), letter("a report")
    ('É', 'A')
    """
    first = next((one for one in title if one.isalnum()), "")
    if first.isdigit():
        return "0\N{EN DASH}9"
    return first.upper()[:1] or "\N{EM DASH}"


def letter_page(name: str) -> str:
    """Give the page of a letter."""
    plain = name.casefold()
    known = (
        plain if len(plain) == 1 and plain.isascii() and plain.isalpha() else "-".join(f"{ord(one):x}" for one in name)
    )
    return f"search/{known}.html"


def index_files(found: tuple[Entry, ...]) -> list[tuple[str, bytes]]:
    """Give the index as files that a page can load from a disk too, where it may not fetch JSON."""
    files: list[tuple[str, bytes]] = []
    rows: list[str] = []
    size = 0
    for one in found:
        row = json.dumps([one.title, one.kind, one.href])
        if size + len(row) > INDEX_BYTES:
            files.append(_index_file(len(files) + 1, rows))
            rows, size = [], 0
        rows.append(row)
        size += len(row) + 2
    return [*files, _index_file(len(files) + 1, rows)]


def _index_file(number: int, rows: list[str]) -> tuple[str, bytes]:
    body = ",\n".join(rows)
    return f"assets/index-{number}.js", f"(window.tidegateIndex ||= []).push(...[\n{body}\n]);\n".encode()

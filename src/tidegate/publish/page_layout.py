# SPDX-License-Identifier: Apache-2.0
"""Where things stand on a page, where its links lead, and its words alone: the same for every form."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from tidegate.publish.pictures import words_of
from tidegate.publish.report import safe_url
from tidegate.publish.report_blocks import (
    Block,
    Cell,
    Cite,
    Code,
    Facts,
    Grid,
    Link,
    Listing,
    Mark,
    Page,
    Paragraph,
    Picture,
    Run,
    Said,
    Section,
)
from tidegate.publish.words import clean

RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "iw", "ks", "ku", "ps", "sd", "ug", "ur", "yi"})
"""Languages whose usual script runs from right to left."""
_RESERVED = ("main", "problems")
_GENERATED = re.compile(r"(section|table|picture)-\d+\Z")
_NAME = re.compile(r"[^A-Za-z0-9_.-]+")
_ADDRESS = re.compile(r"mailto:[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}\Z")
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*\Z")


@dataclass(frozen=True)
class Placed:
    """A section with the name under which links find it; empty if none can."""

    section: Section
    anchor: str


@dataclass(frozen=True)
class Layout:
    """A page with the places of its sections and records."""

    page: Page

    @cached_property
    def sections(self) -> tuple[Placed, ...]:
        """Every section with its place: its own, numbered if it is of the second level and has none."""
        used = {*_RESERVED, *self.records.values()}
        found: list[Placed] = []
        number = 0
        for one in self.page.sections:
            number += one.level == 2
            numbered = f"section-{number}" if one.level == 2 else ""
            found.append(Placed(one, _unused(_slug(one.anchor), used) if one.anchor else numbered))
        return tuple(found)

    @cached_property
    def records(self) -> dict[str, str]:
        """Record -> place of its row in the section that lists the evidence."""
        rows = (row for one in self.page.sections if is_register(one) for row in _rows(one))
        named = (row[0][0] for row in rows if row and row[0])
        return {name: self.page.anchors[name] for name in named if isinstance(name, str) and name in self.page.anchors}

    @cached_property
    def anchors(self) -> frozenset[str]:
        """Every place that a link within the page may lead to."""
        return frozenset({one.anchor for one in self.sections if one.anchor} | set(self.records.values()))

    def destination(self, href: str) -> str | None:
        """Give an address that may stand in a link, or none.

        It leads to a place of this page that exists, to another page of the site, to a page of others by http or
        https, or to a mail address.
        """
        if href.startswith("#"):
            name = href[1:] if href[1:] in self.anchors else _slug(href[1:])
            return f"#{name}" if name in self.anchors else None
        return safe_url(href) or safe_mail(href) or _within_site(href)


def is_register(section: Section) -> bool:
    """Tell whether the rows of a section are the records that the page cites."""
    return "Evidence" in (section.title, section.anchor) or section.anchor == "evidence"


def safe_mail(href: str) -> str | None:
    """Give a mail address that may stand in a link, or none: one address, without subject or text."""
    return href if _ADDRESS.match(href) else None


def is_outside(href: str) -> bool:
    """Tell whether an address leads to the same place from wherever the page is kept."""
    return href.startswith(("http:", "https:", "mailto:")) or href.split(":", 1)[0].casefold() in ("http", "https")


def language_tag(page: Page) -> str:
    """Give the language of a page as a BCP 47 tag; English if what it says is none."""
    return page.language if _TAG.match(page.language) else "en"


def is_right_to_left(page: Page) -> bool:
    """Tell whether the language of a page runs from right to left."""
    tag = language_tag(page).casefold()
    return tag.split("-")[0] in RIGHT_TO_LEFT


def _within_site(href: str) -> str | None:
    if not href or clean(href) != href or re.search(r"[\s\\<>\"]", href) or href.startswith("//"):
        return None
    try:
        parts = urlsplit(href)
    except ValueError:
        return None
    is_plain = not parts.scheme and not parts.netloc and ":" not in parts.path.split("/")[0]
    return href if is_plain and (parts.path or parts.query) else None


def _slug(name: str) -> str:
    made = _NAME.sub("-", name).strip("-") or "part"
    return f"{made}-" if _GENERATED.match(made) else made


def _unused(name: str, used: set[str]) -> str:
    found, number = name, 1
    while found in used:
        number += 1
        found = f"{name}-{number}"
    used.add(found)
    return found


def _rows(section: Section) -> Iterator[tuple[Cell, ...]]:
    for block in section.blocks:
        if isinstance(block, Grid):
            yield from block.rows


# --- words alone ---------------------------------------------------------------------------------------


def plain_text(page: Page) -> str:
    """Give every word of a page in the order of reading: addresses, and words in and about pictures among them."""
    return "\n".join(_texts(page)) + "\n"


def _texts(page: Page) -> Iterator[str]:
    yield from (one for one in (page.title, page.lead, page.status) if one)
    yield from page.problems
    for section in page.sections:
        yield section.title
        for block in section.blocks:
            yield from _block_texts(block)
    yield from page.footer


def _block_texts(block: Block) -> Iterator[str]:
    match block:
        case Paragraph():
            yield _cell_text(block.words)
        case Said():
            yield from (one for one in (block.heading, *map(_cell_text, block.paragraphs)) if one)
        case Listing():
            yield from (block.heading, *map(_cell_text, block.lines))
        case Grid():
            yield block.caption
            yield "\t".join(block.heads)
            yield from ("\t".join(map(_cell_text, row)) for row in block.rows)
        case Picture():
            yield from (one for one in (block.caption, block.alt, words_of(block.svg)) if one)
        case Facts():
            yield from (one for one in (block.heading,) if one)
            yield from (f"{name}: {_cell_text(words)}" for name, words in block.rows)
        case Code():
            yield from (one for one in (block.heading, block.text) if one)


def _cell_text(words: Cell) -> str:
    return "".join(map(_run_text, words))


def _run_text(one: Run) -> str:
    match one:
        case Cite():
            return f"[{one.record}]"
        case Mark():
            return one.words
        case Link():
            return f"{one.words} <{one.href}>"
        case _:
            return one

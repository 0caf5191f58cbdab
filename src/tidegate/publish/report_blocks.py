# SPDX-License-Identifier: Apache-2.0
"""What a page is made of: sections of paragraphs, lists and tables, told once for every form that it is printed in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tidegate.govern.report_text import pieces


class Cite(NamedTuple):
    """A citation of an evidence record."""

    record: str


class Mark(NamedTuple):
    """A state, in words, with the style in which it is shown."""

    words: str
    style: str


class Link(NamedTuple):
    """Words that lead somewhere: a page of the site, a section of this page (``#id``), or a page of others."""

    words: str
    href: str


Run = str | Cite | Mark | Link
Cell = tuple[Run, ...]
"""What stands in one place of a page."""


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of the program's own words."""

    words: Cell


@dataclass(frozen=True)
class Said:
    """Words of a person, paragraph by paragraph, set apart from what was computed."""

    heading: str
    """What they are about; empty where the section says it."""
    paragraphs: tuple[Cell, ...]


@dataclass(frozen=True)
class Listing:
    """A list under a heading."""

    heading: str
    lines: tuple[Cell, ...]


@dataclass(frozen=True)
class Grid:
    """A table."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    is_wide: bool = False


@dataclass(frozen=True)
class Picture:
    """A drawing, with what it shows in words."""

    svg: str
    alt: str
    caption: str = ""


@dataclass(frozen=True)
class Facts:
    """Names with what each of them is."""

    heading: str
    """What they are about; empty where the section says it."""
    rows: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True)
class Code:
    """Text that is shown exactly: a command, a proof, a checkpoint."""

    heading: str
    """What it is; empty where the section says it."""
    text: str


Block = Paragraph | Said | Listing | Grid | Picture | Facts | Code


@dataclass(frozen=True)
class Section:
    """A section of a page."""

    title: str
    blocks: tuple[Block, ...] = ()
    level: int = 2
    anchor: str = ""
    """Where links lead to it; numbered if empty."""


@dataclass(frozen=True)
class Page:
    """A page: a title, how it stands, and its sections."""

    title: str
    lead: str
    status: str
    is_final: bool
    problems: tuple[str, ...]
    sections: tuple[Section, ...]
    anchors: dict[str, str] = field(default_factory=dict)
    """Record -> where on the page it stands."""
    footer: tuple[str, ...] = ()
    """Last lines: the day, the policy, the log checkpoint, what is withheld."""
    language: str = "en"
    """Language of the words, as a BCP 47 tag."""


def cell(*runs: Run | None) -> Cell:
    """Give a cell of runs, those that are none left out."""
    return tuple(one for one in runs if one is not None)


def cites(names: Iterable[str]) -> Cell:
    """Give citations of records, with commas between them."""
    found: list[Run] = []
    for name in names:
        found += [", ", Cite(name)] if found else [Cite(name)]
    return tuple(found)


def said(words: str, heading: str = "") -> Said | Paragraph:
    """Give words of a person with their citations; a note, if there are none."""
    if not words.strip():
        return Paragraph((f"{heading}: nobody has written this yet." if heading else "Nobody has written this yet.",))
    paragraphs = [one for one in words.replace("\r\n", "\n").split("\n\n") if one.strip()]
    made = tuple(tuple(Cite(p.words) if p.is_citation else p.words for p in pieces(one)) for one in paragraphs)
    return Said(heading, made)


def listing(heading: str, lines: Iterable[str | Cell]) -> tuple[Listing, ...]:
    """Give a list, or nothing if it has no lines."""
    found = tuple((one,) if isinstance(one, str) else one for one in lines)
    return (Listing(heading, found),) if found else ()


def grid(
    caption: str, heads: Iterable[str], rows: Iterable[Iterable[str | Cell]], *, is_wide: bool = False
) -> tuple[Grid, ...]:
    """Give a table, or nothing if it has no rows."""
    made = tuple(tuple((one,) if isinstance(one, str) else one for one in row) for row in rows)
    return (Grid(caption, tuple(heads), made, is_wide),) if made else ()


def facts(heading: str, rows: Iterable[tuple[str, str | Cell | None]]) -> tuple[Facts, ...]:
    """Give names with what they are, those that are nothing left out; nothing at all if none remains."""
    made = tuple((name, (one,) if isinstance(one, str) else one) for name, one in rows if one)
    return (Facts(heading, made),) if made else ()

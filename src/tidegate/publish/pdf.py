# SPDX-License-Identifier: Apache-2.0
"""Pages as PDF by typst: the same bytes for the same page on every machine.

The page goes in as data, never as markup, so that nothing in it can be taken for an instruction. Only the fonts that
typst brings along are used. The PDF is tagged, by PDF/UA-1 where its fonts hold every character of the page.
"""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import typst

from tidegate.kernel.errors import Problem, PublicationError
from tidegate.publish.page_layout import Layout, is_outside, is_register, is_right_to_left, language_tag
from tidegate.publish.pictures import safe_svg, size_of
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
)
from tidegate.publish.words import clean, shortened

MISSING = "This file has no font for some characters of the text, and shows boxes instead. The other forms show them."
"""Last line of a PDF that lacks characters."""
LONGEST_TOKEN = 20
"""Characters without a space that fit any column; longer ones get places where they may be broken."""
FOOT = 240
"""Characters that fit into two lines at the foot of a page."""
_NO_BREAK = re.compile(rf"\S{{{LONGEST_TOKEN + 1},}}")
_BREAK = "\N{ZERO WIDTH SPACE}"
_FONT = "Libertinus Serif"
_FAMILY = re.compile(r'(font-family(?:="|:\s*))[^";]*(["; ])')
_FULL_WIDTH = 460
"""Pixels; a wider picture takes the whole width of the text."""


def pdf_page(page: Page) -> bytes:
    """Give a page as PDF.

    Raises:
        PublicationError: PUB008, a picture on it cannot be shown.
    """
    made = _Data(Layout(page))
    try:
        return _compiled(made.page(), ["ua-1"])
    except typst.TypstError as error:
        is_font = "could not be displayed with font" in error.message
    try:
        return _compiled(made.page((MISSING,) if is_font else ()), [])
    except typst.TypstError as error:
        hint = "look at the pictures on it; every other part is plain data"
        raise PublicationError(
            Problem("PUB008", f"the PDF cannot be made: {clean(error.message)}", None, hint)
        ) from None


def picture_png(svg: str, alt: str) -> bytes:
    """Give a drawing as PNG at twice its size, drawn with the fonts that typst brings along.

    Raises:
        PublicationError: PUB008, it cannot be drawn.
    """
    size = size_of(svg)
    width = min(size.width, 2000.0)
    source = (
        "#set page(width: auto, height: auto, margin: 0pt)\n"
        '#image(bytes(sys.inputs.svg), format: "svg", width: eval(sys.inputs.width))'
    )
    given = {"svg": _drawable(svg, alt, "picture"), "width": f"{width:.2f}pt"}
    try:
        found = typst.compile(source.encode(), format="png", ppi=144.0, ignore_system_fonts=True, sys_inputs=given)
    except typst.TypstError as error:
        raise PublicationError(
            Problem(
                "PUB008", f"a picture cannot be shown: {clean(error.message)}", None, "draw it with shapes and text"
            )
        ) from None
    return _one(found)


def _drawable(svg: str, alt: str, prefix: str) -> str:
    """Give a drawing whose words are in a font that is there, and narrower than those that it was made for."""
    return _FAMILY.sub(rf"\1{_FONT}\2", safe_svg(svg, alt, prefix))


def _compiled(page: dict[str, Any], standards: list[Any]) -> bytes:
    template = (files("tidegate.publish") / "templates" / "report_page.typ").read_bytes()
    given = {"page": json.dumps(page, ensure_ascii=True)}
    return _one(
        typst.compile(template, format="pdf", ignore_system_fonts=True, sys_inputs=given, pdf_standards=standards)
    )


def _one(found: Any) -> bytes:
    """Give what was compiled; a PNG of one page may come alone or in a list."""
    made: bytes = found[0] if isinstance(found, list) else found
    return made


# --- the page as data ----------------------------------------------------------------------------------


class _Data:
    """A page as the template takes it: plain JSON data, every text cleaned."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.level = 0
        self.pictures = 0

    def page(self, further: tuple[str, ...] = ()) -> dict[str, Any]:
        given = self.layout.page
        tag = language_tag(given).split("-")
        region = next((one.upper() for one in tag[1:] if len(one) == 2 and one.isalpha()), None)
        self.level = self.pictures = 0
        return {
            "title": _text(given.title, breaks=False),
            "lead": _text(given.lead),
            "status": _text(given.status),
            "final": given.is_final,
            "problems": [_text(one) for one in given.problems],
            "sections": list(self._sections()),
            "footer": [_text(one) for one in (*given.footer, *further)],
            "foot": _text(shortened(" · ".join(given.footer) or given.title, FOOT)),
            "lang": tag[0].lower(),
            "region": region,
            "rtl": is_right_to_left(given),
        }

    def _sections(self) -> Iterator[dict[str, Any]]:
        for one in self.layout.sections:
            # A level that is left out would break the outline.
            self.level = min(max(one.section.level - 1, 1), self.level + 1)
            blocks = [self._block(block, rows=is_register(one.section)) for block in one.section.blocks]
            yield {
                "title": _text(one.section.title, breaks=False),
                "level": self.level,
                "anchor": one.anchor or None,
                "blocks": blocks,
            }

    def _block(self, block: Block, *, rows: bool) -> dict[str, Any]:
        match block:
            case Paragraph():
                return {"kind": "paragraph", "words": self._cell(block.words)}
            case Said():
                paragraphs = [self._cell(one, keeps_lines=True) for one in block.paragraphs]
                return {"kind": "said", "heading": _text(block.heading), "paragraphs": paragraphs}
            case Listing():
                lines = [self._cell(one) for one in block.lines]
                return {"kind": "listing", "heading": _text(block.heading), "lines": lines}
            case Grid():
                return self._grid(block, rows=rows)
            case Picture():
                return self._picture(block)
            case Facts():
                facts = [[_text(name), self._cell(words)] for name, words in block.rows]
                return {"kind": "facts", "heading": _text(block.heading), "rows": facts}
            case Code():
                shown = _breakable(clean(block.text).strip("\n"))
                return {"kind": "code", "heading": _text(block.heading), "text": shown}

    def _grid(self, block: Grid, *, rows: bool) -> dict[str, Any]:
        width = len(block.heads)
        made = [[self._cell(one) for one in row[:width]] + [[]] * (width - len(row)) for row in block.rows]
        names = [row[0][0] if rows and row and row[0] else None for row in block.rows]
        return {
            "kind": "grid",
            "caption": _text(block.caption),
            "heads": [_text(one) for one in block.heads],
            "rows": made,
            "anchors": [self.layout.records.get(one) if isinstance(one, str) else None for one in names],
            "weights": _weights(block),
            "wide": block.is_wide,
        }

    def _picture(self, block: Picture) -> dict[str, Any]:
        self.pictures += 1
        size = size_of(block.svg)
        return {
            "kind": "picture",
            "svg": _drawable(block.svg, block.alt, f"picture-{self.pictures}"),
            "alt": _text(block.alt, breaks=False) or "picture",
            "caption": _text(block.caption),
            "width": None if size.width >= _FULL_WIDTH else size.width,
        }

    def _cell(self, words: Cell, *, keeps_lines: bool = False) -> list[list[str]]:
        return [made for one in words for made in self._run(one, keeps_lines=keeps_lines)]

    def _run(self, one: Run, *, keeps_lines: bool) -> Iterator[list[str]]:
        match one:
            case Cite():
                anchor = self.layout.records.get(one.record)
                yield ["go", f"[{_text(one.record)}]", anchor] if anchor else ["cite", f"[{_text(one.record)}]"]
            case Mark():
                yield ["mark", _text(one.words), one.style]
            case Link():
                yield self._link(one)
            case _ if keeps_lines:
                for number, line in enumerate(one.split("\n")):
                    if number:
                        yield ["break"]
                    yield ["text", _text(line)]
            case _:
                yield ["text", _text(one)]

    def _link(self, one: Link) -> list[str]:
        to = self.layout.destination(one.href)
        if to is None:
            return ["text", _text(one.words)]
        if to.startswith("#"):
            return ["go", _text(one.words), to[1:]]
        # An address within the site leads nowhere from a file that is passed on.
        return ["url", _text(one.words), to] if is_outside(to) else ["text", _text(one.words)]


def _text(text: str, *, breaks: bool = True) -> str:
    flat = re.sub(r"\s+", " ", clean(text))
    return _breakable(flat) if breaks else flat


def _breakable(text: str) -> str:
    """Give text whose long tokens may be broken, after punctuation or after every twelve characters."""
    return _NO_BREAK.sub(lambda found: re.sub(r"([/._:,;=&?-]|[^\s/._:,;=&?-]{12})", rf"\1{_BREAK}", found[0]), text)


def _weights(block: Grid) -> list[int]:
    """Give each column a share of the width by its longest token and its usual length."""
    return [_weight([head, *_column(block, at)]) for at, head in enumerate(block.heads)]


def _column(block: Grid, at: int) -> Iterator[str]:
    for row in block.rows[:500]:
        yield "".join(one if isinstance(one, str) else one[0] for one in row[at]) if at < len(row) else ""


def _weight(texts: list[str]) -> int:
    token = max((len(word) for text in texts for word in text.split()), default=1)
    usual = sum(map(len, texts)) // max(len(texts), 1)
    return max(min(token, LONGEST_TOKEN) + 4, min(usual, 45))

# SPDX-License-Identifier: Apache-2.0
"""Pages as DOCX by python-docx: real headings, table heads, lists and links; the same bytes for the same page.

Nothing of the machine or the person stands in the file: fixed dates, no author, and pictures drawn with the fonts that
typst brings along.
"""

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from docx import Document
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Emu, Pt, RGBColor
from docx.text.paragraph import Paragraph as Line

from tidegate.publish.page_layout import Layout, Placed, is_outside, is_register, is_right_to_left, language_tag
from tidegate.publish.pdf import picture_png
from tidegate.publish.pictures import size_of
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
from tidegate.publish.words import clean, one_line, shortened

DATED = datetime(1980, 1, 1)  # noqa: DTZ001 - python-docx takes times without a zone, in UTC
"""Time in the properties and of the archive's members: the earliest that an archive can hold, as none is known."""
LONGEST_PROPERTY = 255
"""Characters that a property of a document may have."""
LONGEST_BOOKMARK = 40
"""Characters that the name of a bookmark may have."""
_INK, _LINK = RGBColor(0x1B, 0x2A, 0x38), RGBColor(0x14, 0x59, 0x8F)
_MARKS = {
    "ruled_out": _LINK,
    "not_ruled_out": RGBColor(0xA3, 0x24, 0x3B),
    "reached": RGBColor(0xA3, 0x24, 0x3B),
    "reached_and_mitigated": RGBColor(0x0F, 0x63, 0x59),
}
_OTHER_MARK = RGBColor(0x6B, 0x52, 0x00)
_SPARE = ("/thumbnail", "/stylesWithEffects")
"""Parts of the template that no reader needs: a picture of it, and styles of an older version."""
_TABLES = ("TableNormal", "TableGrid")
"""Styles of tables that are used, of about a hundred."""
_PIXEL = 9525
"""English metric units in a pixel."""


def docx_page(page: Page) -> bytes:
    """Give a page as DOCX.

    Raises:
        PublicationError: PUB008, a picture on it cannot be shown.
    """
    return _Writing(Layout(page)).made()


def _steady(data: bytes) -> bytes:
    """Give an archive with its members in one order and at one time."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as given, zipfile.ZipFile(made, "w") as target:
        for name in sorted(given.namelist(), key=lambda one: (one != "[Content_Types].xml", one)):
            member = zipfile.ZipInfo(name, DATED.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            member.create_system = 0
            target.writestr(member, given.read(name))
    return made.getvalue()


class _Writing:
    """A document being written."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.document: Any = Document()
        self.bookmarks = 0

    def made(self) -> bytes:
        page = self.layout.page
        self._properties(page)
        self._styles(page)
        self.document.add_paragraph(_text(page.title), style="Title")
        if page.lead:
            self.document.add_paragraph(_text(page.lead), style="Subtitle")
        if page.status:
            self.document.add_paragraph().add_run(_text(page.status)).bold = True
        if page.problems:
            self.document.add_heading("What stands in its way", 1)
            self._list([(one,) for one in page.problems])
        level = 0
        for one in self.layout.sections:
            level = min(max(one.section.level - 1, 1), level + 1)
            self._section(one, level)
        for words in page.footer:
            self.document.add_paragraph().add_run(_text(words)).font.size = Pt(8.5)
        self._foot(page)
        stream = io.BytesIO()
        self.document.save(stream)
        return _steady(stream.getvalue())

    # --- the document itself ---------------------------------------------------------------------------

    def _properties(self, page: Page) -> None:
        held = self.document.core_properties
        held.title = shortened(page.title, LONGEST_PROPERTY)
        held.author = held.last_modified_by = held.comments = held.keywords = held.subject = held.category = ""
        held.created = held.modified = DATED
        held.language = language_tag(page)
        held.revision = 1
        for holder in (self.document.part.package, self.document.part):
            for name, one in list(holder.rels.items()):
                if one.reltype.endswith(_SPARE):
                    holder.rels.pop(name)

    def _styles(self, page: Page) -> None:
        styles = self.document.styles
        for name in ("Normal", "Title", "Subtitle", *(f"Heading {level}" for level in range(1, 6))):
            style = styles[name]
            style.font.color.rgb = _INK
            fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
            for key in list(fonts.attrib):
                del fonts.attrib[key]
            for key in ("ascii", "hAnsi", "cs", "eastAsia"):
                fonts.set(qn(f"w:{key}"), "Calibri")
        styles["Normal"].font.size = Pt(10.5)
        for style in styles.element.findall(qn("w:style")):
            if style.get(qn("w:type")) == "table" and style.get(qn("w:styleId")) not in _TABLES:
                styles.element.remove(style)
        for language in styles.element.iter(qn("w:lang")):
            for key in ("val", "eastAsia", "bidi"):
                language.set(qn(f"w:{key}"), language_tag(page))

    def _foot(self, page: Page) -> None:
        line = self.document.sections[0].footer.paragraphs[0]
        words = line.add_run(_text(shortened(" · ".join(page.footer) or page.title, LONGEST_PROPERTY)) + " · ")
        number = line.add_run()
        for kind, text in (("begin", ""), ("", "PAGE"), ("end", "")):
            part = OxmlElement("w:fldChar" if kind else "w:instrText")
            if kind:
                part.set(qn("w:fldCharType"), kind)
            part.text = text or None
            number._r.append(part)  # noqa: SLF001 - python-docx has no fields of its own
        words.font.size = number.font.size = Pt(7.5)

    # --- sections and blocks ---------------------------------------------------------------------------

    def _section(self, one: Placed, level: int) -> None:
        heading = self.document.add_heading(_text(one.section.title), level)
        if one.anchor:
            self._bookmark(heading, one.anchor)
        for block in one.section.blocks:
            self._block(block, rows=is_register(one.section))

    def _block(self, block: Block, *, rows: bool) -> None:
        match block:
            case Paragraph():
                self._cell(self.document.add_paragraph(), block.words)
            case Said():
                self._heading(block.heading)
                for one in block.paragraphs:
                    self._cell(self.document.add_paragraph(style="Quote"), one, keeps_lines=True)
            case Listing():
                self._heading(block.heading)
                self._list(block.lines)
            case Grid():
                self._grid(block, rows=rows)
            case Picture():
                self._picture(block)
            case Facts():
                self._heading(block.heading)
                for name, words in block.rows:
                    line = self.document.add_paragraph()
                    line.add_run(f"{_text(name)}: ").bold = True
                    self._cell(line, words)
            case Code():
                self._heading(block.heading)
                self._code(block.text)

    def _heading(self, words: str) -> None:
        if words:
            line = self.document.add_paragraph()
            line.add_run(_text(words)).bold = True
            line.paragraph_format.keep_with_next = True

    def _list(self, lines: Sequence[Cell]) -> None:
        for one in lines:
            self._cell(self.document.add_paragraph(style="List Bullet"), one)

    def _code(self, text: str) -> None:
        run = self.document.add_paragraph().add_run(clean(text).strip("\n"))
        run.font.name = "Consolas"
        run.font.size = Pt(8.5)

    def _grid(self, block: Grid, *, rows: bool) -> None:
        self._heading(block.caption)
        width = len(block.heads)
        table = self.document.add_table(rows=1, cols=width, style="Table Grid")
        table.alignment = WD_TABLE_ALIGNMENT.LEFT
        for cell, head in zip(table.rows[0].cells, block.heads, strict=True):
            cell.paragraphs[0].add_run(_text(head)).bold = True
        self._repeated(table.rows[0])
        for row in block.rows:
            cells = table.add_row().cells
            for cell, words in zip(cells, row[:width], strict=False):
                self._cell(cell.paragraphs[0], words)
            name = row[0][0] if rows and row and row[0] else None
            if isinstance(name, str) and name in self.layout.records:
                self._bookmark(cells[0].paragraphs[0], self.layout.records[name])
        for paragraph in _paragraphs(table):
            paragraph.paragraph_format.space_after = Pt(2)
            for run in paragraph.runs:
                run.font.size = Pt(7.5 if block.is_wide or width > 5 else 9)
        self.document.add_paragraph()

    def _repeated(self, row: Any) -> None:
        properties = row._tr.get_or_add_trPr()  # noqa: SLF001 - python-docx cannot mark a head that repeats
        for name in ("w:cantSplit", "w:tblHeader"):
            properties.append(OxmlElement(name))

    def _picture(self, block: Picture) -> None:
        size = size_of(block.svg)
        section = self.document.sections[0]
        room = section.page_width - section.left_margin - section.right_margin
        width = Emu(min(int(size.width * _PIXEL), room))
        shape = self.document.add_picture(io.BytesIO(picture_png(block.svg, block.alt)), width=width)
        told = shape._inline.docPr  # noqa: SLF001 - python-docx has no place for the alternative text
        told.set("descr", one_line(block.alt))
        told.set("name", f"Picture {told.get('id')}")
        self._heading(block.caption)

    # --- words -----------------------------------------------------------------------------------------

    def _cell(self, line: Any, words: Cell, *, keeps_lines: bool = False) -> None:
        if is_right_to_left(self.layout.page):
            line._p.get_or_add_pPr().append(OxmlElement("w:bidi"))  # noqa: SLF001 - as above
        for one in words:
            self._run(line, one, keeps_lines=keeps_lines)

    def _run(self, line: Any, one: Run, *, keeps_lines: bool) -> None:
        match one:
            case Cite():
                anchor = self.layout.records.get(one.record)
                self._linked(line, f"[{_text(one.record)}]", f"#{anchor}" if anchor else None)
            case Mark():
                run = line.add_run(_text(one.words))
                run.bold = True
                run.font.color.rgb = _MARKS.get(one.style, _OTHER_MARK)
            case Link():
                self._linked(line, _text(one.words), self.layout.destination(one.href))
            case _ if keeps_lines:
                for number, words in enumerate(one.split("\n")):
                    run = line.add_run()
                    if number:
                        run.add_break()
                    run.add_text(_text(words))
            case _:
                line.add_run(_text(one))

    def _linked(self, line: Any, words: str, to: str | None) -> None:
        # An address within the site leads nowhere from a file that is passed on.
        if to is None or not (to.startswith("#") or is_outside(to)):
            line.add_run(words)
            return
        link = OxmlElement("w:hyperlink")
        if to.startswith("#"):
            link.set(qn("w:anchor"), _bookmark_name(to[1:]))
        else:
            link.set(qn("r:id"), line.part.relate_to(to, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
        run = line.add_run(words)
        run.font.underline = True
        run.font.color.rgb = _LINK
        link.append(run._r)  # noqa: SLF001 - python-docx reads links, and writes none
        line._p.append(link)  # noqa: SLF001 - as above

    def _bookmark(self, line: Any, name: str) -> None:
        self.bookmarks += 1
        for tag in ("w:bookmarkStart", "w:bookmarkEnd"):
            part = OxmlElement(tag)
            part.set(qn("w:id"), str(self.bookmarks))
            if tag == "w:bookmarkStart":
                part.set(qn("w:name"), _bookmark_name(name))
            line._p.append(part)  # noqa: SLF001 - python-docx has no bookmarks


def _paragraphs(table: Any) -> Iterator[Any]:
    """Give every paragraph of a table, without building its rows again for each."""
    return (Line(one, table) for one in table._tbl.iter(qn("w:p")))  # noqa: SLF001 - as said


def _bookmark_name(anchor: str) -> str:
    """Give a name that Word takes: letters, digits and underscores, at most forty."""
    made = re.sub(r"[^A-Za-z0-9_]", "_", anchor)
    if made == anchor.replace("-", "_") and len(made) <= LONGEST_BOOKMARK - 2:
        return f"a_{made}"
    return f"b_{hashlib.sha256(anchor.encode()).hexdigest()[:32]}"


def _text(text: str) -> str:
    return re.sub(r"\s+", " ", clean(text))

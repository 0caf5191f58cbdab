# SPDX-License-Identifier: Apache-2.0
"""DOCX: the same bytes, real structure, and nothing of the machine that made it."""

import hashlib
import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from docx import Document
from docx.oxml.ns import qn

from publish.conftest import HOSTILE
from publish.pages import DIGEST, a_page
from tidegate.publish.page_layout import plain_text
from tidegate.publish.printing import printed
from tidegate.publish.report_blocks import Grid, Link, Page, Paragraph, Section

TESTS = Path(__file__).parents[1]


def read(page: Page):
    return Document(io.BytesIO(printed(page, "docx")))


def members(page: Page) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(printed(page, "docx"))) as archive:
        return {one: archive.read(one) for one in archive.namelist()}


def words_of(element) -> str:
    return "".join(one.text or "" for one in element.iter(qn("w:t")))


def test_two_processes_give_the_same_bytes():
    program = (
        f"import sys, hashlib; sys.path.insert(0, {str(TESTS)!r})\n"
        "from publish.pages import a_page\nfrom tidegate.publish.printing import printed\n"
        "sys.stdout.write(hashlib.sha256(printed(a_page(), 'docx')).hexdigest())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "3", "LOGNAME": "somebody"},
    )
    assert ran.stdout == hashlib.sha256(printed(a_page(), "docx")).hexdigest()


@pytest.mark.parametrize("text", ["", HOSTILE])
def test_it_holds_every_word(text):
    document = read(a_page(text))
    words = "".join(words_of(document.element).split())
    for line in plain_text(a_page()).replace("line[r1]", "line\n[r1]").splitlines():
        for part in line.split("\t"):
            for piece in re.split(r" <[^ ]+>", part):
                assert "".join(piece.split()) in words or piece in ("A bar of 300", "Inner words")
    assert document.inline_shapes[0]._inline.docPr.get("descr").startswith("A bar of 300")
    if text:
        assert "<script>alert(1)</script>" in words


def test_headings_lists_and_tables_are_real():
    document = read(a_page())
    styles = {one.text: one.style.name for one in document.paragraphs}
    assert styles["A page"] == "Title"
    assert styles["Part 0"] == "Heading 1"
    assert styles["More"] == "Heading 2"
    assert styles["one"] == "List Bullet"
    assert styles["1. Not a list."] == "Quote"
    table = document.tables[0]
    assert [cell.text for cell in table.rows[0].cells] == ["Name", "What", "Digest"]
    assert table.rows[12].cells[2].text == DIGEST
    heads = [row._tr.trPr is not None and row._tr.trPr.find(qn("w:tblHeader")) is not None for row in table.rows]
    assert heads == [True] + [False] * 12


def test_links_lead_out_or_to_a_place_in_it():
    document = read(a_page())
    links = list(document.element.iter(qn("w:hyperlink")))
    outside = [document.part.rels[one.get(qn("r:id"))].target_ref for one in links if one.get(qn("r:id"))]
    assert outside == ["https://example.org/a_b?c=d&e=f"]
    within = {one.get(qn("w:anchor")) for one in links if one.get(qn("w:anchor"))}
    places = [one.get(qn("w:name")) for one in document.element.iter(qn("w:bookmarkStart"))]
    assert within == {"a_part_0", "a_record_1"}
    assert within <= set(places)
    assert len(set(places)) == len(places)


def test_other_addresses_are_words_only():
    runs = (Link("site", "practices/x.html"), " ", Link("bad", "javascript:alert(1)"))
    document = read(a_page(sections=(Section("S", (Paragraph(runs),)),)))
    assert "site bad" in [one.text for one in document.paragraphs]
    assert not list(document.element.iter(qn("w:hyperlink")))


def test_long_names_of_places_stay_apart():
    page = a_page(sections=(Section("One", (), anchor="x" * 60), Section("Two", (), anchor="x" * 61)))
    places = [one.get(qn("w:name")) for one in read(page).element.iter(qn("w:bookmarkStart"))]
    assert len(set(places)) == 2
    assert all(len(one) <= 40 for one in places)


def test_nothing_tells_of_machine_or_day():
    held = members(a_page())
    with zipfile.ZipFile(io.BytesIO(printed(a_page(), "docx"))) as archive:
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.namelist()[0] == "[Content_Types].xml"
    assert "docProps/thumbnail.jpeg" not in held
    known = read(a_page()).core_properties
    assert (known.author, known.last_modified_by, known.comments) == ("", "", "")
    assert known.title == "A page"
    assert known.created.year == known.modified.year == 1980
    assert b"python-docx" not in b"".join(held.values())


def test_language_and_direction_are_told():
    held = members(a_page(language="ar-EG"))
    assert b'w:lang w:val="ar-EG"' in held["word/styles.xml"]
    assert b"<w:bidi/>" in held["word/document.xml"]
    assert b"<w:bidi/>" not in members(a_page())["word/document.xml"]


def test_the_foot_tells_checkpoint_and_page():
    foot = members(a_page())["word/footer1.xml"].decode()
    assert "Checkpoint example.com/house, 12 entries" in foot
    assert "PAGE" in foot


def test_a_short_row_is_filled():
    table = Grid("T", ("A", "B"), ((("only",),), ((), ("second",))))
    page = a_page(sections=(Section("Evidence", (table,)),))
    rows = [[cell.text for cell in row.cells] for row in read(page).tables[0].rows]
    assert rows == [["A", "B"], ["only", ""], ["", "second"]]
    for form in ("md", "html", "pdf"):
        assert printed(page, form)

# SPDX-License-Identifier: Apache-2.0
"""PDF by typst: the same bytes everywhere, every word in it, and no word that is an instruction."""

import hashlib
import io
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from publish.conftest import HOSTILE
from publish.pages import DIGEST, SVG, a_page
from tidegate.kernel.errors import PublicationError
from tidegate.publish import pdf
from tidegate.publish.page_layout import plain_text
from tidegate.publish.pdf import MISSING, picture_png
from tidegate.publish.pdf_words import words_in
from tidegate.publish.printing import printed
from tidegate.publish.report_blocks import Link, Page, Paragraph, Picture, Section, grid

TESTS = Path(__file__).parents[1]


def a_small(*blocks, title="T") -> Page:
    return Page(title, "", "", False, (), (Section("S", blocks, anchor="here"),))


def read(page: Page) -> PdfReader:
    return PdfReader(io.BytesIO(printed(page, "pdf")))


def text_of(page: Page) -> str:
    return "\n".join(one.extract_text() for one in read(page).pages)


def squeezed(text: str) -> str:
    return "".join(text.split())


def test_two_processes_give_the_same_bytes():
    program = (
        f"import sys, hashlib; sys.path.insert(0, {str(TESTS)!r})\n"
        "from publish.pages import a_page\nfrom tidegate.publish.printing import printed\n"
        "sys.stdout.write(hashlib.sha256(printed(a_page(), 'pdf')).hexdigest())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env={"TZ": zone, "PYTHONHASHSEED": seed, "HOME": "/nonexistent"},
        ).stdout
        for zone, seed in (("UTC", "1"), ("Asia/Tokyo", "2"))
    ]
    assert runs == [hashlib.sha256(printed(a_page(), "pdf")).hexdigest()] * 2


def test_it_holds_what_the_page_holds():
    made = read(a_page(language="en-GB"))
    text = text_of(a_page())
    for words in ("A page", "one thing", "What they say", "Not a list.", "row 11", "value", "tidegate verify", "[r1]"):
        assert words in text
    assert DIGEST in squeezed(text)  # broken over lines, and nothing put in between
    assert "Inner words" in text
    catalogue = made.trailer["/Root"]
    assert catalogue["/Lang"] == "en-GB"
    assert catalogue["/MarkInfo"]["/Marked"]
    assert b'pdfuaid:part="1"' in printed(a_page(), "pdf") or b"<pdfuaid:part>1" in printed(a_page(), "pdf")
    assert [one.title for one in made.outline if not isinstance(one, list)] == [
        "What stands in its way",
        "Part 0",
        "Evidence",
    ]


def test_it_says_nothing_of_the_machine():
    made = read(a_page())
    assert set(made.metadata) <= {"/Title", "/Creator"}
    assert made.metadata["/Title"] == "A page"
    fonts = {
        str(font.get_object()["/BaseFont"]).split("+")[1].split("-")[0]
        for page in made.pages
        for font in page["/Resources"]["/Font"].values()
    }
    assert fonts <= {"LibertinusSerif", "DejaVuSansMono", "NewCM10"}


def test_every_page_has_its_number_and_the_checkpoint():
    made = read(a_page(parts=6))
    total = len(made.pages)
    assert total > 3
    for number, page in enumerate(made.pages, 1):
        text = page.extract_text()
        assert f"{number} / {total}" in text
        assert "Checkpoint example.com/house, 12 entries" in text


def test_a_table_that_breaks_repeats_its_head():
    rows = [(f"row {number}", "words") for number in range(200)]
    made = read(a_small(*grid("Long", ("Numbered", "Second"), rows)))
    assert len(made.pages) > 3
    assert all("Numbered" in page.extract_text() for page in made.pages)


def test_links_lead_out_or_within():
    runs = (
        Link("out", "https://example.org/x"),
        Link("in", "#here"),
        Link("mail", "mailto:a@example.org"),
        Link("site", "practices/x.html"),
        Link("bad", "javascript:alert(1)"),
    )
    notes = [one.get_object() for page in read(a_small(Paragraph(runs))).pages for one in page.get("/Annots", [])]
    assert [one["/A"]["/URI"] for one in notes if "/A" in one] == ["https://example.org/x", "mailto:a@example.org"]
    assert len([one for one in notes if "/Dest" in one]) == 1


def test_hostile_words_are_shown_and_not_obeyed():
    text = squeezed(text_of(a_page(HOSTILE + '#panic() #import "x" $1$ `raw` @x <y> \\ // /* */ ~ -- \'')))
    for words in ("<script>alert(1)</script>", "#panic()", '#import"x"', "$1$", "`raw`", "[link](javascript:alert(3))"):
        assert words in text


@pytest.mark.parametrize("words", ["日本語の文", "ไทย", "😀", "\ud800", "\uffff", "\x00"])
def test_characters_without_a_font_are_told(words):
    made = printed(a_small(Paragraph((f"before {words} after",)), title=f"T {words}"), "pdf")
    assert made.startswith(b"%PDF")
    assert squeezed(MISSING) in squeezed(words_in(made)) or not words.isprintable()
    if words.isprintable():
        assert words[1:] in words_in(made)


def test_other_scripts_are_shown():
    made = printed(a_small(Paragraph(("Ελληνικά, кириллица, עברית, العربية",))), "pdf")
    words = squeezed(words_in(made))
    for one in ("Ελληνικά,кириллица", "עברית", "العربية"):
        assert one in words
    assert squeezed(MISSING) not in squeezed(words_in(made))


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=60), max_size=6))
@settings(max_examples=40, deadline=None)
def test_any_text_can_be_printed(texts):
    page = a_small(*(Paragraph((one,)) for one in texts), *grid("T", texts or ["x"], [texts] if texts else []))
    assert printed(page, "pdf").startswith(b"%PDF")


def test_what_typst_cannot_draw_is_told(monkeypatch):
    monkeypatch.setattr(pdf, "safe_svg", lambda *_: "<svg")
    with pytest.raises(PublicationError) as refused:
        printed(a_page(), "pdf")
    assert refused.value.problems[0].code == "PUB008"
    with pytest.raises(PublicationError) as refused:
        picture_png(SVG, "x")
    assert refused.value.problems[0].code == "PUB008"


def test_a_picture_is_drawn():
    made = picture_png(SVG, "x")
    assert made.startswith(b"\x89PNG")
    assert int.from_bytes(made[16:20], "big") == 1200
    assert made == picture_png(SVG, "x")
    small = SVG.replace('width="600"', 'width="60"')
    assert read(a_small(Picture(small, "An alternative"))).pages
    assert "An alternative" in words_in(printed(a_small(Picture(small, "An alternative")), "pdf"))


# --- reading it again ----------------------------------------------------------------------------------

SHOWN = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x148, exclude_categories=("Cc", "Cf", "Zs", "Lm", "Sk")), min_size=1
)


@given(st.lists(SHOWN, min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_the_words_are_read_as_another_reader_reads_them(texts):
    made = printed(a_small(Paragraph((" ".join(texts),)), title="".join(texts[0])), "pdf")
    other = squeezed("".join(one.extract_text() for one in PdfReader(io.BytesIO(made)).pages))
    ours = squeezed(words_in(made))
    for one in texts:
        assert squeezed(one) in other
        assert squeezed(one) in ours


def test_every_word_of_a_page_is_read():
    made = squeezed(words_in(printed(a_page(parts=2), "pdf")))
    for line in plain_text(a_page(parts=2)).splitlines():
        for part in line.replace("```", "").split("\t"):
            if " <" not in part and not part.startswith(("Name: ", "State: ")):
                assert squeezed(part) in made
    assert "https://example.org/a_b?c=d&e=f" in made
    assert "Abarof300" in made


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7\n1 0 obj\n",
        b"%PDF-1.7\n1 0 obj\n<</Length 12>>\nstream\nBT (\\000\\001 ET\nendstream\nendobj",
        b"%PDF-1.7\n1 0 obj\n<</Length 5/Filter/FlateDecode>>\nstream\nBT xx\nendstream\nendobj",
        b"%PDF-1.7\n1 0 obj\n<</ToUnicode 9 0 R>>\nendobj\n2 0 obj\n<</Length 3>>\nstream\nBT \nendstream\nendobj",
    ],
)
def test_a_damaged_file_is_read_as_far_as_it_goes(data):
    assert words_in(data).strip("\n \ufffd") == ""


def test_strings_and_maps_are_read_in_every_form():
    cmap = b"1 beginbfrange\n<0001> <0003> <0061>\nendbfrange\n1 beginbfchar\n<0004> <D83DDE00>\nendbfchar"
    content = b"BT /f0 9 Tf <00010002>Tj (\\000\\003\\000\\004)Tj /Span<</ActualText(kept)>>BDC <0001>Tj EMC ET"
    parts = [
        b"<</Type/Page/Resources 2 0 R/Contents 3 0 R>>",
        b"<</Font<</f0 4 0 R>>>>",
        b"<</Length %d>>\nstream\n%b\nendstream" % (len(content), content),
        b"<</Type/Font/ToUnicode 5 0 R>>",
        b"<</Length %d/Filter/FlateDecode>>\nstream\n%b\nendstream" % (len(zlib.compress(cmap)), zlib.compress(cmap)),
        b"<</Title(a\\(b\\)\\101\\n)/Other<FEFF00E9>>>",
    ]
    data = b"%PDF-1.7\n" + b"\n".join(b"%d 0 obj\n%b\nendobj" % (at, one) for at, one in enumerate(parts, 1))
    words = words_in(data)
    assert "abc😀kept" in words
    assert "abc😀a" in words
    assert "a(b)A" in words
    assert "é" in words

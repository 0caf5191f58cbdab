# SPDX-License-Identifier: Apache-2.0
"""A page in Markdown and HTML: nothing that runs or loads, links that lead somewhere safe, drawings that only draw."""

import itertools
import re
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from publish.conftest import HOSTILE
from publish.pages import DIGEST, SVG, a_page
from tidegate.kernel.errors import PublicationError
from tidegate.publish.page_layout import Layout, plain_text
from tidegate.publish.pictures import MAX_SVG, Size, safe_svg, size_of
from tidegate.publish.printing import FORMS, printed
from tidegate.publish.report_blocks import Code, Link, Page, Paragraph, Picture, Section, facts, grid

READER = MarkdownIt("commonmark", {"html": True}).enable("table")
VOID = {"meta", "br", "hr", "rect", "stop"}


class Seen(HTMLParser):
    """What a browser sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.problems: list[str] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.stack or self.stack.pop() != tag):
            self.problems.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text.append(data)

    def all(self, *tags):
        return [attrs for tag, attrs in self.elements if tag in tags]

    @property
    def words(self):
        return " ".join("".join(self.text).split())


def html_of(page: Page) -> Seen:
    return Seen(printed(page, "html").decode())


def markdown_of(page: Page) -> Seen:
    return Seen(READER.render(printed(page, "md").decode()))


def a_small(*blocks, **changes) -> Page:
    return Page("T", "", "", False, (), (Section("S", blocks, **changes),))


@pytest.mark.parametrize("form", FORMS)
def test_the_same_page_gives_the_same_bytes(form):
    made = printed(a_page(), form)
    assert made == printed(a_page(), form)
    assert made != printed(a_page("x"), form)


@pytest.mark.parametrize("text", ["", HOSTILE])
def test_both_forms_hold_every_word(text):
    page = a_page(text)
    html, markdown = html_of(page), markdown_of(page)
    assert html.problems == markdown.problems == []
    assert html.stack == []
    told = ["Words with", "one thing", "Not a list.", DIGEST, "value", "To verify", "As of 2026-06-01", "12 entries"]
    told += ["<script>alert(1)</script>"] if text else []
    for seen in (html, markdown):
        for words in told:
            assert words in seen.words
    assert "Nothing" not in html.words
    assert "Picture: A bar of 300" in markdown.words


@pytest.mark.parametrize("text", ["", HOSTILE])
def test_the_page_runs_nothing_and_asks_nobody(text):
    html = printed(a_page(text), "html").decode()
    page = Seen(html)
    assert not {tag for tag, _ in page.elements} & {
        "script",
        "img",
        "iframe",
        "object",
        "embed",
        "link",
        "base",
        "form",
    }
    for tag, attrs in page.elements:
        assert not [name for name in attrs if name.startswith("on") or name in ("src", "srcset", "srcdoc")]
        if attrs.get("href") is not None:
            assert tag == "a"
            assert attrs["href"].startswith(("#", "https://example.org/a_b"))
    policy = next(one["content"] for one in page.all("meta") if one.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html


def test_the_page_can_be_read_without_sight():
    page = html_of(a_page(parts=2))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    for _, attrs in page.elements:
        for name in ("href", "aria-labelledby"):
            value = attrs.get(name) or ""
            assert not value.startswith("#") or value[1:] in ids
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    drawings = page.all("svg")
    assert [one["role"] for one in drawings] == ["img", "img"]
    assert {one["aria-label"] for one in drawings} == {"A bar of 300"}
    assert page.all("html") == [{"lang": "en"}]


def test_cites_and_links_lead_to_their_places():
    hrefs = [one["href"] for one in html_of(a_page()).all("a")]
    assert "#record-1" in hrefs
    assert hrefs.count("#part-0") == 2  # the contents and the link
    assert "#section-2" in hrefs  # the evidence, numbered as before


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("pt-BR", {"lang": "pt-BR"}),
        ("ar", {"lang": "ar", "dir": "rtl"}),
        ('"><script>', {"lang": "en"}),
        ("", {"lang": "en"}),
    ],
)
def test_the_language_is_told(language, expected):
    assert html_of(a_page(language=language)).all("html") == [expected]
    assert printed(a_page(language=language), "pdf").startswith(b"%PDF")


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("https://example.org/x?y=1#z", "https://example.org/x?y=1#z"),
        ("http://example.org", "http://example.org"),
        ("mailto:safety@example.org", "mailto:safety@example.org"),
        ("mailto:a@b.c?subject=x", None),
        ("mailto:a@b.c\nx", None),
        ("practices/x.html#y", "practices/x.html#y"),
        ("../x.html", "../x.html"),
        ("/x", "/x"),
        ("?q=1", "?q=1"),
        ("#here", "#here"),
        ("#nowhere", None),
        ("#", None),
        ("", None),
        ("//example.org/x", None),
        ("\\\\example.org", None),
        ("/\\example.org", None),
        ("javascript:alert(1)", None),
        ("JavaScript:alert(1)", None),
        (" javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("vbscript:x", None),
        ("file:///etc/passwd", None),
        ("https://", None),
        ("http://[x", None),
        ("x y", None),
        ("x\u202ey", None),
    ],
)
def test_links_lead_only_to_safe_places(href, expected):
    page = a_small(Paragraph((Link("words", href),)), anchor="here")
    assert Layout(page).destination(href) == expected
    links = [one["href"] for one in html_of(page).all("a") if one["href"] != "#main"][1:]
    assert links == ([expected] if expected else [])
    shown = markdown_of(page)
    wanted = [expected] if expected and not expected.startswith("#") else []
    assert [one["href"] for one in shown.all("a")] == wanted
    assert "words" in shown.words


def test_a_link_in_a_table_stays_in_its_cell():
    page = a_small(*grid("T", ("A", "B"), [((Link("a|b", "https://example.org/a|b`c<d>\\e"),), "second")]))
    shown = markdown_of(page)
    assert len(shown.all("td")) == 2
    assert [one["href"] for one in shown.all("a")] == ["https://example.org/a%7Cb%60c%3Cd%3E%5Ce"]


@pytest.mark.parametrize("anchor", ["part", "main", "problems", "table-1", "section-1", "record-1", "a b/ç", "-"])
def test_no_two_places_have_one_name(anchor):
    sections = (Section("One", (), anchor=anchor), Section("Two", (), anchor=anchor), *a_page().sections)
    page = html_of(a_page(sections=sections))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", one) for one in ids)


def test_code_is_shown_exactly():
    text = "a ```` b\n  *c* <d>"
    shown = markdown_of(a_small(Code("", text)))
    assert "".join(shown.text) == f"T\nS\n{text}\n\n"
    assert text in "".join(html_of(a_small(Code("", text))).text)


def test_no_facts_are_no_block():
    assert facts("None", [("a", None), ("b", "")]) == ()


# --- drawings ------------------------------------------------------------------------------------------

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'


@pytest.mark.parametrize(
    "svg",
    [
        "<svg",
        "<svg/>",
        "<html/>",
        f"{OPEN}<script>alert(1)</script></svg>",
        f"{OPEN}<foreignObject/></svg>",
        f"{OPEN}<a href='https://example.org'/></svg>",
        f"{OPEN}<image href='https://example.org/x.png'/></svg>",
        f"{OPEN}<style>@import 'x'</style></svg>",
        f"{OPEN}<animate attributeName='href'/></svg>",
        f"{OPEN}<rect onload='x()'/></svg>",
        f"{OPEN}<rect ONCLICK='x()'/></svg>",
        f"{OPEN}<use href='https://example.org/x.svg#y'/></svg>",
        f"{OPEN}<use xlink:href='data:image/svg+xml,x'/></svg>",
        f"{OPEN}<rect xmlns:x='https://example.org' x:href='#y'/></svg>",
        f"{OPEN}<rect fill='url(https://example.org/x)'/></svg>",
        f"{OPEN}<rect style='fill:url( \"//example.org\")'/></svg>",
        f"{OPEN}<rect style='@import x'/></svg>",
        f"{OPEN}<h:script xmlns:h='http://www.w3.org/1999/xhtml'/></svg>",
        f"<!DOCTYPE svg [<!ENTITY a 'b'>]>{OPEN}&a;</svg>",
        f"{OPEN}{'<g>' * 200}{'</g>' * 200}</svg>",
        f"{OPEN}{'x' * MAX_SVG}</svg>",
    ],
)
def test_a_drawing_that_does_more_is_refused(svg):
    with pytest.raises(PublicationError) as refused:
        safe_svg(svg, "x", "p")
    assert refused.value.problems[0].code == "PUB008"
    for form in ("html", "pdf", "docx"):
        with pytest.raises(PublicationError):
            printed(a_small(Picture(svg, "x")), form)


def test_references_within_a_drawing_are_kept():
    made = safe_svg(f"{OPEN}<g id='a'/><use href='#a'/><use xlink:href='#b'/></svg>", "x", "p")
    assert 'href="#p-a"' in made
    assert 'href="#b"' in made


def test_a_drawing_keeps_its_shapes_and_gets_a_name():
    made = safe_svg(SVG, 'a "name" <b>', "p")
    assert 'aria-label="a &quot;name&quot; &lt;b&gt;"' in made
    assert 'id="p-c"' in made
    assert 'clip-path="url(#p-c)"' in made
    assert "Inner words" in made


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("width='600' height='80'", Size(600, 80)),
        ("width='600px' height='80.5'", Size(600, 80.5)),
        ("width='100%' viewBox='0 0 30 40'", Size(30, 40)),
        ("", Size(640, 360)),
        ("width='999999999' height='0'", Size(20000, 360)),
    ],
)
def test_a_drawing_has_a_size(attributes, expected):
    assert size_of(f"<svg xmlns='http://www.w3.org/2000/svg' {attributes}/>") == expected


# --- words alone ---------------------------------------------------------------------------------------


def test_plain_text_holds_every_word():
    text = plain_text(a_page(" zebra"))
    assert text.count("zebra") == 20 + 12
    for words in (
        "[r1]",
        "<https://example.org/a_b?c=d&e=f>",
        DIGEST,
        "Checkpoint example.com",
        "Name: value",
        "Inner words",
    ):
        assert words in text

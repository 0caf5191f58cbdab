# SPDX-License-Identifier: Apache-2.0
"""The report: one file, nothing that runs or loads, readable without sight, whatever text stands in the evidence."""

import itertools
import re
from html.parser import HTMLParser

import pytest

from tidegate.policy.model import Source
from tidegate.publish.report import command, html_report, safe_url

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Collects elements, text and problems of a page."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.stack, self.elements, self.text, self.problems = [], [], [], []
        self.feed(html)
        self.close()
        if self.stack:
            self.problems.append(f"open at the end: {self.stack}")

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.stack or self.stack.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.text.append(data)

    def all(self, *tags):
        return [attrs for tag, attrs in self.elements if tag in tags]


def report(case, **fields):
    sources = (
        Source(title="Card", url="https://example.org/card", publisher="Us", date="2025"),
        Source(title="Elsewhere", url="javascript:alert(1)"),
    )
    given = {"title": "Report", "own": {"m": "p@1"}} | fields
    return html_report(
        given["title"],
        (case.assessment,),
        (case.explanation,),
        case.cards,
        case.assessment.at,
        sources,
        own=given["own"],
    )


@pytest.fixture(scope="module")
def html(plain_case):
    return report(plain_case)


@pytest.fixture(scope="module")
def hostile_html(hostile_case):
    return report(hostile_case, title=hostile_case.assessment.models[0].name)


@pytest.mark.parametrize("name", ["html", "hostile_html"])
def test_page_is_well_formed_and_asks_nobody(name, request):
    text = request.getfixturevalue(name)
    page = Page(text)
    assert page.problems == []
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "input", "button", "video"}
    assert sum(tag == "style" for tag, _ in page.elements) == 1
    assert "url(" not in text
    assert "@import" not in text
    for tag, attrs in page.elements:
        assert not [name for name in attrs if name.startswith("on") or name in ("src", "srcset", "style", "srcdoc")]
        address = attrs.get("href")
        assert address is None or (tag == "a" and re.match(r"(#|https?://)", address))


@pytest.mark.parametrize("name", ["html", "hostile_html"])
def test_page_forbids_what_it_does_not_need(name, request):
    page = Page(request.getfixturevalue(name))
    policy = next(
        attrs["content"] for attrs in page.all("meta") if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    assert ("meta", {"name": "referrer", "content": "no-referrer"}) in page.elements


def test_hostile_text_is_shown_and_not_obeyed(hostile_html):
    shown = "".join(Page(hostile_html).text)
    assert "<script>alert(1)</script>" in shown
    assert "{{ 7*7 }}" in shown
    assert not set(hostile_html) & set("\x1b\x07\x00\x08\x9b\u202e\u2066")


@pytest.mark.parametrize("name", ["html", "hostile_html"])
def test_page_can_be_read_without_sight(name, request):
    page = Page(request.getfixturevalue(name))
    assert page.all("html") == [{"lang": "en"}]
    assert (
        len(page.all("h1"))
        == len(page.all("main"))
        == len(page.all("title"))
        - len([1 for tag, attrs in page.elements if tag == "svg"])
        - len([1 for tag, attrs in page.elements if attrs.get("aria-roledescription") == "point"])
    )
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in attrs for attrs in page.all("th"))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    for _, attrs in page.elements:
        for reference in (
            attrs.get("href", "#main")[1:] if attrs.get("href", "#").startswith("#") else None,
            attrs.get("aria-labelledby"),
        ):
            assert not reference or reference in ids
    assert all(attrs.get("aria-label") and attrs.get("role") == "img" for attrs in page.all("svg"))


def test_page_says_what_was_found(html, plain_case):
    text = " ".join("".join(Page(html).text).split())
    for part in (
        "Under the developer's own policy",
        "Under the policies of others",
        "printed lines are crossed; something else carried the conclusion",
        "a survey",
        "Why gates under p@1 are closed",
        "Model M, BIO: not ruled out",
        plain_case.explanation.smallest_change.words,
        "Model M against the lines of p@1",
        "tidegate assess m n --policy p@1 --as-of 2025-06-01",
        plain_case.assessment.digest,
        plain_case.assessment.policy_digest,
    ):
        assert part in text
    assert text.index("Under the developer's own policy") < text.index("Under the policies of others")


def test_own_policy_shows_only_the_developers_models(html):
    own = html[html.index('<h2 id="own"') : html.index('<h2 id="others"')]
    assert "Model M" in own
    assert "Model N" not in own


def test_without_own_policies_there_is_one_part(plain_case):
    text = report(plain_case, own=None)
    assert '<h2 id="own">Findings</h2>' in text
    assert 'id="others"' not in text


def test_report_can_be_nearly_empty(plain_case):
    bare = plain_case.assessment.model_copy(
        update={
            "models": (
                plain_case.assessment.models[1].model_copy(
                    update={"thresholds": plain_case.assessment.models[1].thresholds[4:]}
                ),
            )
        }
    )
    text = html_report("Empty", (bare,), (), (), bare.at, ())
    page = Page(text)
    assert page.problems == []
    assert "No conclusions are recorded." in text
    for part in ("Findings explained", "Load lines", "Report card", "Sources"):
        assert part not in "".join(page.text).split("@media print")[-1]


def test_same_input_gives_the_same_bytes(plain_case, html):
    assert report(plain_case) == html


def test_only_web_addresses_become_links(html):
    links = [attrs["href"] for attrs in Page(html).all("a") if not attrs["href"].startswith("#")]
    assert "https://example.org/card" in links
    assert "Elsewhere" in html
    assert "javascript" not in html


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://example.org/a?b=c", True),
        ("http://example.org", True),
        ("JavaScript:alert(1)", False),
        ("data:text/html,x", False),
        ("//example.org", False),
        ("https://", False),
        ("https://[bad", False),
        ("https://example.org/\x1b", False),
        (None, False),
    ],
)
def test_safe_addresses(address, expected):
    assert (safe_url(address) is not None) is expected


def test_command_is_quoted_for_the_shell(plain_case):
    model = plain_case.assessment.models[0].model_copy(update={"model": "a; rm -rf $HOME"})
    shown = command(plain_case.assessment.model_copy(update={"models": (model,)}))
    assert shown == "tidegate assess 'a; rm -rf $HOME' --policy p@1 --as-of 2025-06-01"


def contrast(one, other):
    """WCAG 2.2: contrast ratio of two colours."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_have_enough_contrast_in_both_schemes(html):
    schemes = re.findall(r":root \{(.*?)\}", html, re.DOTALL)[:2]
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", scheme))
        for name in ("ink", "soft", "link", "safe", "bad"):
            for ground in ("paper", "raised"):
                assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
        for name in ("safe", "bad", "open", "done"):
            assert contrast(colours[name], colours[f"{name}-bg"]) >= 4.5, name

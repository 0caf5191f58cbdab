# SPDX-License-Identifier: Apache-2.0
"""Markdown shows every text as it is; an independent reader of Markdown is the oracle."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tidegate.publish.markdown import assessment_markdown, escaped, explanation_markdown
from tidegate.publish.words import one_line

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ALLOWED = {"h1", "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}


class Seen(HTMLParser):
    """Collects the tags and the text of rendered Markdown."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not attrs

    def handle_data(self, data):
        self.text.append(data)


def seen(markdown):
    found = Seen()
    found.feed(READER.render(markdown))
    return found


@given(st.text(max_size=60))
def test_escaped_text_reads_as_it_was(text):
    found = seen(f"| a |\n| --- |\n| x {escaped(text)} x |\n")
    assert found.tags <= ALLOWED
    assert " ".join("".join(found.text).split()) == f"a x {one_line(text)} x".replace("  ", " ")


@pytest.mark.parametrize(
    "text", ["- item", "= x", "# head", "1. one", "> quote", "+ plus", "--- ", "```", "    code", "http://a.example"]
)
def test_escaped_text_begins_no_block(text):
    found = seen(f"{escaped(text)}\n")
    assert found.tags - {"ol", "li"} == {"p"} or text == "1. one"
    assert "".join(found.text).strip().endswith(one_line(text).lstrip("1. "))


def test_assessment_page(plain_case):
    page = assessment_markdown(plain_case.assessment)
    assert "| BIO Help with weapons | not ruled out | reached |" in page
    assert "| Model M | open | open | closed | closed | closed |" in page
    assert "### Why gates of Model M are closed" in page
    assert "limited deployment, general deployment:\n\n- BIO is not ruled out; standard S3 is unknown" in page
    assert "printed lines are crossed; something else carried the conclusion" in page
    assert plain_case.assessment.digest in page
    assert page == assessment_markdown(plain_case.assessment)


def test_assessment_without_models(plain_case):
    empty = plain_case.assessment.model_copy(update={"models": ()})
    assert assessment_markdown(empty).endswith("No models are assessed.\n")


def test_explanation_page(plain_case):
    page = explanation_markdown(plain_case.explanation)
    assert page.startswith("# Model M, BIO: not ruled out\n")
    for heading in ("Why", "suite: ruled out", "trial: not ruled out", "What would change it", "What would settle it"):
        assert f"\n## {heading}\n" in page
    assert plain_case.explanation.smallest_change.words.split(" in ")[0].replace("(", "\\(").replace(")", "\\)") in page


def test_hostile_text_formats_nothing(hostile_case):
    for page in (assessment_markdown(hostile_case.assessment), explanation_markdown(hostile_case.explanation)):
        found = seen(page)
        assert found.tags <= ALLOWED
        assert not set(page) & set("\x1b\x07\x00\x9b\u202e")
        assert "<script>alert(1)</script>" in "".join(found.text)
        # Readers that link bare addresses and names find none in the source.
        assert not re.search(r"https?://|www\.|(?<!\w)@\w", page)

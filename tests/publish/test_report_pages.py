# SPDX-License-Identifier: Apache-2.0
"""Report pages: the same sections in Markdown and HTML, nothing that runs or loads, and people's words set apart."""

import itertools
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from factories import a_check, a_conclusion, a_count, a_record
from publish.conftest import HOSTILE
from reporting import AT, CAPABILITY_TEXT, SAFEGUARDS_TEXT, a_basis, a_house_policy, a_report, a_text, the_records
from tidegate.govern.basis import Basis
from tidegate.govern.critiques import Criticised, Critique, Point
from tidegate.govern.records import Answer, ReportRecord
from tidegate.govern.records import Critique as CritiqueRecord
from tidegate.govern.report_building import Asked, make_report
from tidegate.govern.reports import Report
from tidegate.kernel.errors import Problem, Where
from tidegate.policy.model import Policy, Requirement
from tidegate.publish.report_blocks import Paragraph, cell, said
from tidegate.publish.report_pages import Shown, report_html, report_markdown, report_page

SNAPSHOTS = Path(__file__).parent
VOID = {"meta", "br"}
KINDS = ("capability", "safeguards")
WHEN = "2026-06-02T12:00:00Z"


def a_critique(report: Report, text: str = "") -> Criticised:
    points = (
        Point(severity="major", text=f"Too small.{text}", thresholds=("NET",), records=("net-1",)),
        Point(severity="minor", text=f"No tools.{text}"),
        Point(severity="blocking", text=f"And this?{text}"),
    )
    document = Critique(report=report.id, independence=f"None here knows me.{text}", points=points)
    answers = (
        Answer(1, "answered", f"Large enough.{text}", "ada", 8, WHEN),
        Answer(2, "stands", f"We do not agree.{text}", "ada", 9, WHEN),
    )
    record = CritiqueRecord(document.id, report.id, "kim", 3, document.digest, 7, WHEN, answers)
    return Criticised(record, document)


def shown(kind: Any, report: Report | None = None, text: str = "") -> Shown:
    made = report or a_report(kind=kind, author="ada")
    record = ReportRecord(made.id, kind, made.model, made.snapshot, made.digest, f"ada{text}", 5, WHEN)
    return Shown(made, record, (), (a_critique(made, text),))


FREE = frozenset(
    [
        "title",
        "text",
        "actor",
        "skill",
        "resources",
        "harm",
        "completeness",
        "falsifier",
        "severity",
        "tools",
        "note",
        "statement",
        "scaffold",
        "money",
        "reason",
        "action",
        "answer",
        "margin",
        "pathway",
        "bottlenecks",
        "scope",
        "forecast",
        "recommendation",
        "residual_risk",
        "trusted_users",
        "third_parties",
        "no_reviews",
        "residual_gaps",
        "location",
        "contamination",
    ]
)
"""Fields that hold free words; ids, units, dates and the names that rules compare stay as they are."""


def spoilt(value: Any, *, is_free: bool = False) -> Any:
    """Give plain data with hostile text at the end of every free word."""
    if isinstance(value, dict):
        return {name: spoilt(item, is_free=name in FREE) for name, item in value.items()}
    if isinstance(value, list):
        return [spoilt(item, is_free=is_free) for item in value]
    return value + HOSTILE if is_free and isinstance(value, str) else value


def remade(record: Any) -> Any:
    return type(record).model_validate(spoilt(record.model_dump(mode="json", by_alias=True)))


def hostile(kind: Any) -> Shown:
    """Give a report with hostile text wherever text may stand."""
    text = a_text({"capability": CAPABILITY_TEXT, "safeguards": SAFEGUARDS_TEXT}[kind])[0]
    evidence = a_basis().evidence.model_copy(update={"records": tuple(map(remade, the_records()))})
    models = tuple(one.model_copy(update={"name": one.title + HOSTILE}) for one in a_basis().models)
    basis = Basis(remade(a_house_policy()), models, evidence)
    return shown(kind, make_report(basis, Asked(kind, "m", AT), remade(text)), HOSTILE)


# --- Markdown ------------------------------------------------------------------------------------------


def steady(markdown: str) -> str:
    """Leave out digests: they change with any field that a later version adds to what is given."""
    without = re.sub(r"sha256:[0-9a-f]{64}", "sha256:...", markdown)
    without = re.sub(r"\| [0-9a-f]{12} \|$", "| ... |", without, flags=re.MULTILINE)
    return re.sub(r"(?<=-s2-)[0-9a-f]{8}|(?<=critique-)[0-9a-f]{12}", "...", without)


@pytest.mark.parametrize("kind", KINDS)
def test_markdown_reads_as_agreed(kind: str) -> None:
    page = steady(report_markdown(shown(kind)))
    assert page == (SNAPSHOTS / f"{kind}_report.md").read_text(encoding="utf-8")


READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ALLOWED = {"h1", "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong", "blockquote"}


class Seen(HTMLParser):
    """Collects the tags, the text and the problems of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.problems: list[str] = []
        self.feed(html)
        self.close()
        if self.stack:
            self.problems.append(f"open at the end: {self.stack}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.elements if tag in tags]

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [shown, hostile])
def test_markdown_holds_nothing_but_what_it_is_made_of(kind: str, make: Any) -> None:
    page = Seen(READER.render(report_markdown(make(kind))))
    assert {tag for tag, _ in page.elements} <= ALLOWED
    assert not [attrs for _, attrs in page.elements if attrs]


def test_hostile_text_is_shown_and_not_obeyed() -> None:
    markdown, html = report_markdown(hostile("capability")), report_html(hostile("capability"))
    for text in (Seen(READER.render(markdown)).words, Seen(html).words):
        assert "<script>alert(1)</script>" in text
        assert "[link](javascript:alert(3))" in text
    assert not set(html) & set("\x1b\x07\x00\x08\x9b\u202e\u2066")


def test_a_list_cannot_begin_where_a_number_does() -> None:
    block = said("1. Not a list.\n\n2. Nor this.")
    assert not isinstance(block, Paragraph)
    made = a_report(source=CAPABILITY_TEXT.replace("forecast: Tools", "forecast: 1. Tools"))
    page = Seen(READER.render(report_markdown(Shown(made))))
    assert "ol" not in {tag for tag, _ in page.elements}


# --- HTML ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [shown, hostile])
def test_page_is_well_formed_and_asks_nobody(kind: str, make: Any) -> None:
    html = report_html(make(kind))
    page = Seen(html)
    assert page.problems == []
    tags = {tag for tag, _ in page.elements}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "input", "button", "video"}
    assert sum(tag == "style" for tag, _ in page.elements) == 1
    assert "url(" not in html
    assert "@import" not in html
    for tag, attrs in page.elements:
        assert not [name for name in attrs if name.startswith("on") or name in ("src", "srcset", "style", "srcdoc")]
        address = attrs.get("href")
        assert address is None or (tag == "a" and address.startswith("#"))
    policy = next(one["content"] for one in page.all("meta") if one.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert html == report_html(make(kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("make", [shown, hostile])
def test_page_can_be_read_without_sight(kind: str, make: Any) -> None:
    page = Seen(report_html(make(kind)))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(levels))
    assert len(page.all("caption")) == len(page.all("table")) > 3
    assert all("scope" in attrs for attrs in page.all("th"))
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(set(ids)) == len(ids)
    for _, attrs in page.elements:
        for name in ("href", "aria-labelledby"):
            reference = (attrs.get(name) or "").removeprefix("#")
            assert not reference or reference in ids


def test_dark_and_light_and_paper() -> None:
    html = report_html(shown("capability"))
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html
    assert '<meta name="color-scheme" content="light dark">' in html


@pytest.mark.parametrize("kind", KINDS)
def test_both_forms_say_the_same(kind: str) -> None:
    given = shown(kind)
    html, markdown = Seen(report_html(given)).words, Seen(READER.render(report_markdown(given))).words
    for section in report_page(given).sections:
        assert section.title in html
        assert section.title in markdown
    for figure in ("0.05, 5 of 100", "0.1023") if kind == "capability" else ("0.005, 1 of 200", "0.0235", "2026-09-01"):
        assert figure in html
        assert figure in markdown


def test_every_figure_leads_to_its_record() -> None:
    page = Seen(report_html(shown("capability")))
    names = {"net-1", "net-2", "other-1"}
    cited = {attrs["href"] for attrs in page.all("a") if attrs.get("class") == "cite"}
    rows = {f"#{attrs['id']}" for attrs in page.all("tr") if "id" in attrs}
    assert len(rows) == len(names)
    assert cited == rows


# --- what a reader has to know ---------------------------------------------------------------------------


def test_a_draft_says_what_stands_in_its_way() -> None:
    problem = Problem("REP001", "the forecast is missing", Where("reports/m-capability.yaml", 4, 1))
    given = Shown(a_report(), None, (problem,))
    for page in (report_markdown(given), Seen(report_html(given)).words):
        assert "Draft: not final, and nobody has signed it." in page
        assert "reports/m-capability.yaml:4:1: the forecast is missing" in page.replace("\\_", "_")


def test_words_that_nobody_wrote_are_missed_openly() -> None:
    bare = a_report(source="kind: capability\nmodel: m\n")
    page = report_markdown(Shown(bare))
    assert page.count("Nobody has written this yet.") == 3
    assert "Why the distance to the line is enough: nobody has written this yet." in page
    assert "No review is recorded." in page


def bare_policy() -> Policy:
    policy = a_house_policy()
    thresholds = tuple(one.model_copy(update={"requirements": (), "threat_models": ()}) for one in policy.thresholds)
    return policy.model_copy(update={"thresholds": thresholds, "threat_models": ()})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (
            "capability",
            [
                "The policy maps no threat model to its thresholds.",
                "No evaluation is recorded.",
                "No record is shown or cited.",
            ],
        ),
        (
            "safeguards",
            [
                "The policy requires nothing.",
                "No requirement names a standard with criteria.",
                "No red-team or efficacy result is recorded.",
                "None was found.",
            ],
        ),
    ],
)
def test_what_is_not_there_is_said(kind: str, expected: list[str]) -> None:
    basis = Basis(bare_policy(), a_basis().models, a_basis().evidence.model_copy(update={"records": ()}))
    page = report_markdown(Shown(a_report(basis, f"kind: {kind}\nmodel: m\n", kind)))
    for words in expected:
        assert words in page


def test_a_need_without_evidence_is_a_gap() -> None:
    basis = a_basis(without="attack-1")
    page = report_markdown(Shown(a_report(basis, kind="safeguards")))
    assert "| not &gt; 0.05 \\(one-sided 0.95\\) |  | none is recorded |  |  |" in page


def test_records_that_name_a_requirement_are_shown_with_their_end() -> None:
    notice = Requirement(
        id="NET-notice", kind="notice", actions=("general",), force="must", text="Tell.", max_age="P1Y"
    )
    policy = a_house_policy(baseline=(notice,))
    told = a_check("told", "NET-notice", kind="document", finished="2026-01-15", valid_until=None)
    again = a_check("again", "NET-notice", kind="document", finished="2026-02-15")
    page = report_markdown(Shown(a_report(a_basis(told, again, policy=policy), kind="safeguards")))
    row = next(line for line in page.splitlines() if line.startswith("| NET-notice"))
    assert "every model" in row
    assert row.endswith("| \\[again\\] until 2027-02-15; \\[told\\] until 2027-01-15 |")


def test_an_earlier_conclusion_and_stray_figures_are_shown() -> None:
    stray = a_record("stray", a_count(1, 9, "Elsewhere"), thresholds=("house#NET",))
    concluded = a_conclusion("reached", "NET").model_copy(update={"framework": "house"})
    page = report_markdown(Shown(a_report(a_basis(stray, conclusions=(concluded,)))))
    assert "Concluded before:\n\n- reached; the conclusion is more cautious than the printed evidence" in page
    assert "- Elsewhere, accuracy: 0.1111, 1 of 9 \\[stray\\]" in page
    unmapped = report_markdown(Shown(a_report(a_basis(policy=without_mapping()))))
    assert "Thresholds without a threat model, though their domain has some:\n\n- NET" in unmapped


def without_mapping() -> Policy:
    policy = a_house_policy()
    thresholds = tuple(one.model_copy(update={"threat_models": ()}) for one in policy.thresholds)
    return policy.model_copy(update={"thresholds": thresholds})


def test_each_point_is_answered_or_stands() -> None:
    page = report_markdown(shown("capability"))
    assert "2 of 3 points stand." in page
    rows = [line for line in page.splitlines() if line.startswith(("| 1 |", "| 2 |", "| 3 |"))]
    assert [re.findall(r"\*\*(.+?)\*\*", row) for row in rows] == [["answered"], ["stands"], ["stands, not answered"]]


def test_cells_keep_the_space_between_their_parts() -> None:
    assert cell("a", None, "b") == ("a", "b")
    page = report_markdown(shown("capability"))
    assert "\\[net-1\\] 0.45 to the line" in page
    assert "\\[net-1\\], \\[net-2\\]" in page

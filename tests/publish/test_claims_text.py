# SPDX-License-Identifier: Apache-2.0
"""Texts from elsewhere are read as what they claim: pages with wrapped lines, reports in Markdown."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.kernel.errors import DocumentError
from tidegate.policy.frameworks import shipped_frameworks
from tidegate.publish.claims import lint
from tidegate.publish.claims_text import MAX_BYTES, MAX_LINE, MAX_LINES, MAX_PARTS, read_page, read_report

AT = date(2026, 11, 1)
FRAMEWORKS = shipped_frameworks()
PAGE = """\
We tell what we do.

Risk Assessment and Mitigation

Responsible Scaling Policy
We published the first policy, which is

built around safeguards.

- Tests: we test each model
before release.
- Other: we may do more.

Related Commitments: G7 Hiroshima Process International Code of Conduct; AI Seoul

Summit's Frontier AI Safety Commitments

Risk Identification
We look for risks.
Related Commitments: Thorn's Safety by Design for Generative AI

List of Voluntary Commitments

01 G7 Hiroshima Process International Code of Conduct

02 White House's Voluntary Commitments for Safe, Secure, and

Trustworthy AI
"""
REPORT = """\
Publication date: Apr 22, 2025

## Section 1 - Risk

a. How are risks defined?

Please see the "Risk Identification" section of our [Hub](#) under Voluntary > Risk Assessment
and Mitigation.

---

**d. Are incident reports used?**

Yes
e. Which metrics?

Two of them.

## Section 2 - Security

g. How is security done?

- i. How is risk assessed?
- iv. How often is it reviewed?

Locked, and looked at.

## Section 3 - Reports

a. Are reports published?

- i. How often?

i. Each month.
"""


def page(text=PAGE, known=True):
    return read_page(text.encode(), "page.txt", FRAMEWORKS, FRAMEWORKS["hub"] if known else None)


def report(text=REPORT):
    return read_report(text.encode(), "report.md", FRAMEWORKS["haip"])


@pytest.mark.parametrize("known", [True, False])
def test_titles_are_told_from_wrapped_lines(known):
    titles = [(one.title, one.where.line) for one in page(known=known).parts]
    assert titles == [
        ("Risk Assessment and Mitigation", 3),
        ("Responsible Scaling Policy", 5),
        ("Risk Identification", 18),
        ("List of Voluntary Commitments", 22),
    ]


@pytest.mark.parametrize("known", [True, False])
def test_parts_lie_below_their_group(known):
    parts = page(known=known).parts
    assert [one.parent for one in parts[:3]] == [None, parts[0].id, parts[0].id]


def test_paragraphs_and_bullets_are_passages_with_their_lines():
    said = page().said
    assert [(one.passage.text, one.passage.where.line) for one in said] == [
        ("We tell what we do.", 1),
        ("We published the first policy, which is built around safeguards.", 6),
        ("Tests: we test each model before release.", 10),
        ("Other: we may do more.", 12),
        ("We look for risks.", 19),
    ]
    assert said[2].passage.at(said[2].passage.text.index("before")).line == 11


def test_related_commitments_run_over_lines_and_are_known_by_their_names():
    cites = [[(one.framework, one.where.line) for one in part.cites] for part in page().parts]
    assert cites == [[], [("hiroshima-coc", 14), ("fasc", 14)], [("thorn", 20)], []]


def test_the_list_of_commitments_is_read_over_lines():
    assert [(one.framework, one.where.line) for one in page().listed] == [("hiroshima-coc", 24), ("wh-voluntary", 26)]


def test_headings_of_markdown_give_the_tree():
    parts = page("# Hub\n\n## Safety\n\nIt is so.\n\n## Tests\n\n### Red teams\n\nSo too.\n", known=False).parts
    assert [(one.title, one.parent) for one in parts] == [
        ("Hub", None),
        ("Safety", "hub"),
        ("Tests", "hub"),
        ("Red teams", "tests"),
    ]


def test_two_parts_with_one_title_are_two_parts():
    text = "Risk Assessment and Mitigation\nIt is so.\nTerrorist and Violent Extremist\nContent\nIt is.\n"
    parts = page(f"{text}Risk Assessment and Mitigation\nIt is so too.\n").parts
    assert [one.id for one in parts] == ["risk", "platform.tvec", "platform.tvec.assessment"]


@pytest.mark.parametrize(
    ("line", "day"),
    [
        ("Last updated Jul 23, 2026", date(2026, 7, 23)),
        ("Publication date: Apr 22, 2025, 09:01 AM PDT", date(2025, 4, 22)),
        ("as of 2026-02-01", date(2026, 2, 1)),
        ("Updated: 3 March 2026", date(2026, 3, 3)),
        ("Updated: 33 March 2026", None),
        ("In July 2026 we did it.", None),
    ],
)
def test_the_day_of_a_text_is_read(line, day):
    assert page(f"{line}\n\n{PAGE}").dated == day


def test_answers_are_known_by_their_place():
    given = report()
    assert [(one.ref, one.passage.text, one.passage.where.line) for one in given.replies][1:] == [
        ("haip#1d", "Yes", 14),
        ("haip#1e", "Two of them.", 17),
        ("haip#2g", "Locked, and looked at.", 26),
        ("haip#2g.i", "Locked, and looked at.", 26),
        ("haip#2g.iv", "Locked, and looked at.", 26),
        ("haip#3a.i", "Each month.", 34),
    ]
    assert [one.shared_with for one in given.replies] == [None, None, None, None, "2g", "2g", None]


def test_pointers_of_an_answer_are_read_with_path_and_target():
    first = report().replies[0]
    assert first.own_words == ""
    assert [(one.words, one.target, one.path) for one in first.pointers] == [
        ("Hub", "#", ()),
        ("Risk Identification", None, ("Voluntary", "Risk Assessment and Mitigation")),
    ]


def test_words_of_its_own_are_told_from_pointers():
    text = REPORT.replace("Two of them.", "We count harm. Please see the [page](https://x.example) for more.")
    (reply,) = [one for one in report(text).replies if one.ref == "haip#1e"]
    assert reply.own_words == "We count harm."


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"x\n" * (MAX_LINES + 1), "DOC002"),
        (b"x" * (MAX_LINE + 1), "DOC002"),
        (b"x" * (MAX_BYTES + 1), "DOC002"),
        ("".join(f"# Title {n}\n" for n in range(MAX_PARTS + 1)).encode(), "DOC002"),
        (b"\xff\xfe text", "DOC003"),
    ],
)
def test_what_is_too_large_or_no_text_is_refused(raw, code):
    with pytest.raises(DocumentError) as caught:
        read_page(raw, "page.txt", FRAMEWORKS)
    assert caught.value.problems[0].code == code


def test_a_report_that_is_no_text_is_refused():
    with pytest.raises(DocumentError):
        read_report(b"\xff\xfe", "report.md", FRAMEWORKS["haip"])


def test_what_steers_a_terminal_is_taken_out():
    assert "\x1b" not in page("We \x1b[31mtell\x1b[0m it.\n").said[0].passage.text


PIECES = st.sampled_from(
    [
        *PAGE.splitlines(),
        *REPORT.splitlines(),
        "",
        "---",
        "- ",
        "## ",
        "Related Commitments:",
        "01 ",
        "i. x",
        "“",
        "[a](#)",
    ]
)


@given(st.lists(PIECES, max_size=30))
def test_any_lines_can_be_read_and_judged(lines):
    raw = "\n".join(lines).encode()
    read = (read_page(raw, "p", FRAMEWORKS, FRAMEWORKS["hub"]), read_report(raw, "r", FRAMEWORKS["haip"]))
    for one in lint(*read, at=AT):
        assert one.where.file in ("p", "r")
        assert 1 <= (one.where.line or 0) <= max(len(lines), 1)


@pytest.mark.parametrize(
    "line",
    [
        "also, " * 3000,
        "our " * 4000,
        "we may " * 2500,
        '"a b" ' * 3000,
        "under A and " * 1500,
        "the metrics above. " * 900,
    ],
)
def test_hostile_lines_cost_little(line):
    raw = f"## Section 1\n\na. Q?\n\nfor {line}\n".encode()
    lint(read_page(raw, "p", FRAMEWORKS), read_report(raw, "r", FRAMEWORKS["haip"]), at=AT)


# --- the real texts -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def problems(shared):
    seeds = shared / "seeds"
    hub = read_page((seeds / "transparency-hub.txt").read_bytes(), "hub", FRAMEWORKS, FRAMEWORKS["hub"])
    answers = read_report((seeds / "haip-report.md").read_bytes(), "report", FRAMEWORKS["haip"])
    return lint(hub, answers, at=AT)


def refs(problems, rule):
    return [one.ref for one in problems if one.rule.id == rule]


def words(problems, rule):
    return [one.words for one in problems if one.rule.id == rule]


def test_seed_1_the_white_house_commitments_are_orphans(problems):
    (problem,) = [one for one in problems if one.rule.id == "CL01"]
    assert problem.words.startswith("White House's Voluntary Commitments")
    assert (problem.where.file, problem.where.line) == ("hub", 875)


def test_seed_2_metrics_above_are_not_there(problems):
    (problem,) = [one for one in problems if one.rule.id == "CL02"]
    assert (problem.words, problem.ref, problem.where.line) == ("the metrics above", "platform.ibsa.reporting", 715)


def test_seed_3_review_and_update_frequency_are_not_given(problems):
    assert refs(problems, "CL03") == ["haip#2g.iv", "haip#3a.i"]


def test_seed_4_the_insider_programme_is_not_described_where_the_answer_points(problems):
    assert "haip#2g.v" in refs(problems, "CL04")
    # Two more of the same kind: the parts say nothing of weights, and nothing of records of incidents.
    assert set(refs(problems, "CL04")) == {"haip#2g.ii", "haip#2g.v", "haip#4d"}


def test_seed_5_links_lead_nowhere_and_other_pages_were_not_given(problems):
    found = words(problems, "CL05")
    assert {"Transparency Hub", "Model Report", "Privacy Center", "Trust Center"} <= set(found)
    assert "System Card for Claude 3.7 Sonnet" in found
    assert len(found) == len(set(found)) == 12


def test_seed_6_bare_yes_all_included_and_all_staff(problems):
    assert refs(problems, "CL06") == ["haip#1d", "haip#3a.iii", "haip#4b"]


def test_seed_7_statements_age_and_have_no_day(problems):
    found = words(problems, "CL07")
    assert {"two private bug bounty programs", "US AI Safety Institute", "currently"} <= set(found)
    assert any("80 of 80 statements have no day" in one.message for one in problems)


def test_seed_8_may_employ_is_no_commitment(problems):
    assert words(problems, "CL08") == ["we may employ", "we can take", "we may employ"]


def test_seed_9_security_and_privacy_is_not_its_title(problems):
    assert "Security and Privacy" in words(problems, "CL09")
    assert any("titled 'Security & Privacy'" in one.message for one in problems)


def test_seed_10_parts_share_one_line_of_commitments(problems):
    assert refs(problems, "CL10") == ["platform.ibsa", "platform.elections", "platform.tvec"]


def test_the_seeds_raise_few_other_objections(problems):
    ten = {f"CL{number:02d}" for number in range(1, 11)}
    others = [one for one in problems if one.rule.id not in ten]
    assert len(problems) < 65
    assert len(others) < 20


def test_without_the_section_tree_the_errors_are_the_same(problems, shared):
    seeds = shared / "seeds"
    hub = read_page((seeds / "transparency-hub.txt").read_bytes(), "hub", FRAMEWORKS)
    answers = read_report((seeds / "haip-report.md").read_bytes(), "report", FRAMEWORKS["haip"])
    guessed = lint(hub, answers, at=AT)

    def errors(them):
        return [(one.rule.id, one.where, one.words) for one in them if one.rule.severity == "error"]

    assert errors(guessed) == errors(problems)
    assert {one.rule.id for one in guessed} == {one.rule.id for one in problems}

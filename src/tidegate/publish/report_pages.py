# SPDX-License-Identifier: Apache-2.0
"""Capability and safeguards reports for readers: Markdown, and one HTML file that asks no server for anything.

Both print the same sections. What comes from outside is cleaned and escaped; words of people stand as quotations, so
that nobody takes them for what was computed.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tidegate.govern.critiques import Criticised
from tidegate.govern.records import ReportRecord
from tidegate.govern.reports import Report
from tidegate.kernel.errors import Problem
from tidegate.publish.markdown import escaped
from tidegate.publish.report import page_environment
from tidegate.publish.report_blocks import Block, Cell, Cite, Grid, Listing, Mark, Page, Paragraph, Said
from tidegate.publish.report_contents import KIND_TITLES, sections


@dataclass(frozen=True)
class Shown:
    """A report to be shown, with what is known of it besides."""

    report: Report
    record: ReportRecord | None = None
    """What the log says of it; none for a draft."""
    problems: Sequence[Problem] = ()
    """What stands in its way, for a draft."""
    critiques: Sequence[Criticised] = ()
    """Independent critiques."""


def report_markdown(shown: Shown) -> str:
    """Give a report as a Markdown page."""
    return "\n\n".join(_markdown(report_page(shown))) + "\n"


def report_html(shown: Shown) -> str:
    """Give a report as one HTML file: no script, no request, the same bytes for the same input."""
    page = report_page(shown)
    template = page_environment().get_template("report_page.html.j2")
    return template.render(page=page, kind_of=lambda part: type(part).__name__)


def report_page(shown: Shown) -> Page:
    """Give the page of a report, before it is printed as anything."""
    report, record = shown.report, shown.record
    about = report.name + (f", snapshot {report.snapshot}" if report.snapshot else "")
    if record is None:
        status = "Draft: not final, and nobody has signed it."
    else:
        status = f"Final: {record.report}, made final by {record.author} on {record.at}."
    return Page(
        title=f"{KIND_TITLES[report.kind]}: {about}",
        lead=f"Under {report.policy_title} ({report.policy}), as of {report.at.isoformat()}: "
        "nothing that became known later is used.",
        status=status,
        is_final=record is not None,
        problems=tuple(f"{one.where}: {one.message}" if one.where else one.message for one in shown.problems),
        sections=sections(report, shown.critiques),
        anchors={one.id: f"record-{number}" for number, one in enumerate(report.records, 1)},
    )


# --- Markdown ------------------------------------------------------------------------------------------


def _markdown(page: Page) -> Iterator[str]:
    yield f"# {escaped(page.title)}"
    yield escaped(page.lead)
    yield f"**{escaped(page.status)}**"
    if page.problems:
        yield "What stands in its way:"
        yield "\n".join(f"- {escaped(one)}" for one in page.problems)
    for section in page.sections:
        yield f"{'#' * section.level} {escaped(section.title)}"
        for block in section.blocks:
            yield _block(block)


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            return _line(block.words)
        case Said():
            quoted = "\n>\n".join(f"> {_line(one)}" for one in block.paragraphs)
            return f"{escaped(block.heading)}:\n\n{quoted}" if block.heading else quoted
        case Listing():
            return "\n".join([f"{escaped(block.heading)}:", "", *(f"- {_line(line)}" for line in block.lines)])
        case Grid():
            rows = [f"| {' | '.join(map(escaped, block.heads))} |", "|" + " --- |" * len(block.heads)]
            rows += [f"| {' | '.join(map(_cell, row))} |" for row in block.rows]
            return "\n".join([f"**{escaped(block.caption)}**", "", *rows])


def _line(words: Cell) -> str:
    """Give a cell that begins a line, and no numbered list."""
    return re.sub(r"^(\d{1,9})\.(?=\s|$)", r"\1\\.", _cell(words))


def _cell(words: Cell) -> str:
    """Give a cell on one line. White space between its runs is kept, which escaping each alone would lose."""
    found: list[str] = []
    for one in words:
        text = _run(one)
        gap = isinstance(one, str) and one[:1].isspace() and found
        found.append(f" {text}" if gap else text)
        if isinstance(one, str) and one[-1:].isspace() and one.strip():
            found.append(" ")
    return "".join(found).strip().replace("  ", " ")


def _run(one: str | Cite | Mark) -> str:
    match one:
        case Cite():
            return f"\\[{escaped(one.record)}\\]"
        case Mark():
            return f"**{escaped(one.words)}**"
        case _:
            return escaped(one)

# SPDX-License-Identifier: Apache-2.0
"""Capability and safeguards reports for readers, as pages that are printed in any form."""

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.govern.critiques import Criticised
from tidegate.govern.records import ReportRecord
from tidegate.govern.reports import Report
from tidegate.kernel.errors import Problem
from tidegate.publish.printing import html_page, markdown_page
from tidegate.publish.report_blocks import Page
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
    return markdown_page(report_page(shown))


def report_html(shown: Shown) -> str:
    """Give a report as one HTML file: no script, no request, the same bytes for the same input."""
    return html_page(report_page(shown))


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

# SPDX-License-Identifier: Apache-2.0
"""What fills fields from final capability and safeguards reports: their digests, their authors' words, their gaps."""

from collections.abc import Callable, Mapping
from typing import Any

from tidegate.govern.records import ReportRecord
from tidegate.govern.report_text import ReportText
from tidegate.govern.reports import Report
from tidegate.kernel.duration import add, in_words
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.report_blocks import Block, Cell, Cite, Mark, Paragraph
from tidegate.publish.report_contents import GAP_WORDS
from tidegate.publish.report_sources_words import (
    STATE_STYLES,
    evidence_cites,
    known,
    models_of,
    newest_reports,
    tabled,
    worded,
)
from tidegate.publish.report_templates import Filling, Source
from tidegate.publish.words import STATE_WORDS

OUTLOOK_HOLDS = "P6M"
"""An outlook covers six months (EU code of practice, measure 7.3); an older one says nothing of the months to come."""
Final = tuple[PublishedModel, ReportRecord, Report]


def _refs(content: Content, found: tuple[Final, ...]) -> tuple[str, ...]:
    return known(content, (f"report:{record.report}" for _, record, _ in found))


def _identity(kind: str) -> Source:
    def source(content: Content, model: PublishedModel | None) -> Filling | None:
        found = newest_reports(content, model, kind)
        if not found:
            return None
        rows = [
            (
                one.model.title,
                (Cite(f"report:{record.report}"),),
                report.snapshot or "not stated",
                report.at.isoformat(),
                f"{record.author}, {record.at}",
                str(record.index),
                record.document,
            )
            for one, record, report in found
        ]
        heads = ("Model", "Report", "Snapshot", "As of", "Made final by", "Entry of the log", "Digest")
        data = [
            {
                "model": report.model,
                "report": record.report,
                "snapshot": report.snapshot,
                "as_of": report.at.isoformat(),
                "author": record.author,
                "entry": record.index,
                "digest": record.document,
                "policy": report.policy,
                "assessment_digest": report.assessment_digest,
            }
            for _, record, report in found
        ]
        oldest = min(report.at for _, _, report in found)
        return Filling(tabled("Final reports", heads, rows, is_wide=True), data, _refs(content, found), oldest)

    return source


def _words(kind: str, part: Callable[[ReportText], str]) -> Source:
    """Give a source for words of the authors of final reports."""

    def source(content: Content, model: PublishedModel | None) -> Filling | None:
        found = tuple(one for one in newest_reports(content, model, kind) if part(one[2].text).strip())
        if not found:
            return None
        blocks = tuple(
            block
            for one, record, report in found
            for block in worded(part(report.text), f"{one.model.title}, by {record.author} ({report.at.isoformat()})")
        )
        data = [
            {"model": report.model, "text": part(report.text), "author": record.author, "as_of": report.at.isoformat()}
            for _, record, report in found
        ]
        return Filling(blocks, data, _refs(content, found), min(report.at for _, _, report in found))

    return source


def _outlook(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give what is expected until the next assessment; an outlook that has run out is missing."""
    filling = _words("capability", lambda text: text.forecast)(content, model)
    if filling is None:
        return None
    lacks = tuple(
        f"the outlook for {one['model']} is of {one['as_of']}, more than {in_words(OUTLOOK_HOLDS)} ago"
        for one in filling.data
        if add(_report_of(content, model, one["model"]).at, OUTLOOK_HOLDS) < content.at
    )
    lead = Paragraph(("What follows are expectations of the authors, and not results.",))
    return Filling((lead, *filling.blocks), filling.data, filling.refs, filling.as_of, lacks)


def _report_of(content: Content, model: PublishedModel | None, name: str) -> Report:
    return next(report for _, _, report in newest_reports(content, model, "capability") if report.model == name)


def _gaps(content: Content, model: PublishedModel | None) -> Filling | None:
    found = (*newest_reports(content, model, "capability"), *newest_reports(content, model, "safeguards"))
    if not found:
        return None
    rows: list[tuple[str | Cell, ...]] = []
    data: list[dict[str, Any]] = []
    for one, record, report in found:
        for gap in report.gaps:
            cited = evidence_cites((gap.evidence,) if gap.evidence else ())
            rows.append((one.model.title, GAP_WORDS[gap.kind], gap.about, gap.words, cited))
            data.append({"model": report.model, "report": record.report, **gap.model_dump(mode="json")})
    blocks: tuple[Block, ...] = tabled("Gaps", ("Model", "Kind", "About", "What is missing", "Record"), rows)
    blocks = blocks or (Paragraph(("The final reports name no gap.",)),)
    return Filling(blocks, data, _refs(content, found), min(report.at for _, _, report in found))


def _reviews(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give what reviewers said and how many of a critique's points stand; why there is none, if somebody says so."""
    found = (*newest_reports(content, model, "capability"), *newest_reports(content, model, "safeguards"))
    blocks: list[Block] = []
    data: list[dict[str, Any]] = []
    for _, record, report in found:
        for review in report.text.reviews:
            blocks += worded(review.text, f"{review.by} ({review.relation}), of {record.report}")
            blocks += worded(review.answer, f"Answer to {review.by}")
            data.append({"report": record.report, "by": review.by, "relation": review.relation, "text": review.text})
        for critique in record.critiques:
            standing = (
                f"{len(critique.standing)} of {critique.points} points of the critique by {critique.author} stand"
            )
            blocks.append(Paragraph((f"{standing}; {len(critique.unanswered)} are not answered.",)))
            data.append({"report": record.report, "by": critique.author, "points": critique.points,
                         "standing": len(critique.standing), "unanswered": len(critique.unanswered)})  # fmt: skip
        blocks += worded(report.text.no_reviews, f"Why {record.report} has no review")
    refs = _refs(content, found)
    return Filling(tuple(blocks), data, refs, min(one[2].at for one in found)) if blocks else None


def _criteria(content: Content, model: PublishedModel | None) -> Filling | None:
    """Give where each criterion of each requirement that is due stands, with the records that show it."""
    rows: list[tuple[str | Cell, ...]] = []
    data: list[dict[str, Any]] = []
    refs: list[str] = []
    for one in models_of(content, model):
        seen = {
            item.criterion: item
            for threshold, required in one.assessment.requirements.items()
            for each in required
            for item in each.criteria
            if (found := one.assessment.finding(threshold)) is None or not found.is_ruled_out
        }
        for name, item in seen.items():
            shown = list(dict.fromkeys(ref for need in item.needs for ref in need.evidence))
            why = "; ".join(dict.fromkeys(need.reason for need in item.needs))
            mark = Mark(STATE_WORDS[item.state], STATE_STYLES[item.state])
            rows.append((one.model.title, f"{name} {item.title}".strip(), (mark,), why, evidence_cites(shown)))
            data.append({"model": one.model.id, "criterion": name, "state": item.state, "evidence": shown})
            refs += [f"evidence:{ref}" for ref in shown]
    blocks = tabled("Criteria of safeguards that are due", ("Model", "Criterion", "State", "Why", "Records"), rows)
    assessed = known(content, (f"assessment:{one.model.id}" for one in models_of(content, model)))
    return Filling(blocks, data, (*assessed, *known(content, refs)), content.at) if blocks else None


def _history(content: Content, model: PublishedModel | None) -> Filling | None:
    listed = [(one, record, report) for one in models_of(content, model) for record, report in one.reports]
    if not listed:
        return None
    rows = [
        (
            record.at[:10],
            one.model.title,
            f"{record.kind} report",
            (Cite(f"report:{record.report}"),),
            str(record.index),
        )
        for one, record, _ in listed
    ]
    data = [
        {"on": record.at[:10], "model": record.model, "kind": record.kind, "report": record.report}
        for _, record, _ in listed
    ]
    heads = ("Day", "Model", "Kind", "Report", "Entry of the log")
    return Filling(tabled("Reports so far, newest first", heads, rows), data, _refs(content, tuple(listed)), content.at)


SOURCES: Mapping[str, Source] = {
    "report.capability": _identity("capability"),
    "report.safeguards": _identity("safeguards"),
    "report.recommendation": _words("capability", lambda text: text.recommendation),
    "report.gaps": _gaps,
    "report.reviews": _reviews,
    "report.history": _history,
    "assessment.scope": _words("capability", lambda text: text.scope),
    "assessment.outlook": _outlook,
    "safeguards.recommendation": _words("safeguards", lambda text: text.recommendation),
    "safeguards.criteria": _criteria,
    "safeguards.trusted_users": _words("safeguards", lambda text: text.trusted_users),
    "safeguards.third_parties": _words("safeguards", lambda text: text.third_parties),
}
"""Sources from final reports."""

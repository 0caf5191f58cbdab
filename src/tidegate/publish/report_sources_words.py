# SPDX-License-Identifier: Apache-2.0
"""How sources of reports say what they found: tables, words of people with their citations, records by reference.

A source says what the records hold and nothing else. What ought to be there and is not stands in `Filling.lacks`.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from tidegate.assess.model import ModelAssessment, ThresholdFinding
from tidegate.evidence.model import Evidence
from tidegate.govern.records import ReportRecord
from tidegate.govern.report_text import pieces
from tidegate.govern.reports import Report
from tidegate.policy.model import Commitment, Item, Policy, Threshold
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.inventory import worth
from tidegate.publish.practices import Statement
from tidegate.publish.report_blocks import Block, Cell, Cite, Mark, Paragraph, Run, Said, grid
from tidegate.publish.report_templates import Filling
from tidegate.publish.report_words import Saying, dangling, oldest, saying_blocks
from tidegate.publish.words import FINDING_SHORT, one_line

STATE_STYLES = {"met": "ruled_out", "not_met": "not_ruled_out", "unknown": "inconclusive", "expired": "inconclusive"}
"""State of a requirement -> style in which a page shows it."""


# --- which models and records --------------------------------------------------------------------------


def models_of(content: Content, model: PublishedModel | None) -> tuple[PublishedModel, ...]:
    """Give the model that a report is about; every model, if it is about the organisation."""
    return (model,) if model is not None else content.models


def assessments_of(content: Content, model: PublishedModel | None) -> tuple[ModelAssessment, ...]:
    """Give the assessments of those models."""
    return tuple(one.assessment for one in models_of(content, model))


def findings_of(content: Content, model: PublishedModel | None) -> Iterator[tuple[ModelAssessment, ThresholdFinding]]:
    """Give every finding of those models, model by model."""
    for made in assessments_of(content, model):
        yield from ((made, one) for one in made.thresholds)


def records_of(content: Content, model: PublishedModel | None) -> tuple[Evidence, ...]:
    """Give the evidence about those models, in the order of its ids; what is about all models is among it.

    What was restated or retracted is no result any more, and is left out.
    """
    names = {name for one in models_of(content, model) for name in one.model.names} | {"*"}
    return tuple(
        one
        for name, one in sorted(content.evidence.items())
        if one.subject.model.casefold() in names and name not in content.withdrawn
    )


def newest_reports(
    content: Content, model: PublishedModel | None, kind: str
) -> tuple[tuple[PublishedModel, ReportRecord, Report], ...]:
    """Give the newest final report of a kind about each of those models, where there is one."""
    found = []
    for one in models_of(content, model):
        made = next(((record, report) for record, report in one.reports if record.kind == kind), None)
        if made is not None:
            found.append((one, *made))
    return tuple(found)


def known(content: Content, refs: Iterable[str]) -> tuple[str, ...]:
    """Give those references that name something on record, each once."""
    return tuple(ref for ref in dict.fromkeys(refs) if content.inventory.find(ref) is not None)


def hidden_duties(content: Content) -> tuple[Paragraph, ...]:
    """Say how many duties are not public, so that a list of the public ones does not read as all there are."""
    number = content.hidden_duties
    if not number:
        return ()
    told = (
        "1 duty is not public, and is left out" if number == 1 else f"{number} duties are not public, and are left out"
    )
    return (Paragraph((f"{told} here whatever {'its' if number == 1 else 'their'} state.",)),)


def policy_ref(content: Content) -> tuple[str, ...]:
    """Give the reference of the adopted policy."""
    return known(content, (f"policy:{content.policy.label}",))


def assessment_refs(content: Content, model: PublishedModel | None) -> tuple[str, ...]:
    """Give the references of the assessments that were read."""
    return known(content, (f"assessment:{one.model}" for one in assessments_of(content, model)))


def evidence_refs(content: Content, names: Iterable[str]) -> tuple[str, ...]:
    """Give the references of evidence records, of those that are on record."""
    return known(content, (f"evidence:{name}" for name in names))


# --- words ---------------------------------------------------------------------------------------------


def evidence_cites(names: Iterable[str]) -> Cell:
    """Give citations of evidence records by their ids, with commas between them."""
    found: list[Run] = []
    for name in names:
        found += [", ", Cite(f"evidence:{name}")] if found else [Cite(f"evidence:{name}")]
    return tuple(found)


def words_cell(words: str | None) -> Cell:
    """Give words of an author in one cell, with their citations, or say that there are none."""
    if words is None or not words.strip():
        return ("not stated",)
    found = pieces(" ".join(words.split()))
    return tuple(Cite(f"evidence:{one.words}") if one.is_citation else one.words for one in found)


def worded(words: str, heading: str = "") -> tuple[Said, ...]:
    """Give words of a report's author with their citations, by full reference; nothing if there are none."""
    paragraphs = [one for one in words.replace("\r\n", "\n").split("\n\n") if one.strip()]
    made = tuple(
        tuple(Cite(f"evidence:{piece.words}") if piece.is_citation else piece.words for piece in pieces(one.strip()))
        for one in paragraphs
    )
    return (Said(heading, made),) if made else ()


def finding_mark(finding: ThresholdFinding) -> Mark:
    """Give the state of a threshold, as a mark."""
    return Mark(FINDING_SHORT[finding.finding], finding.finding)


def spaced(names: Iterable[str]) -> str:
    """Give words of a vocabulary for readers."""
    return ", ".join(names).replace("_", " ")


def plain_list(values: Iterable[str]) -> str:
    """Give names with commas between them, each on one line."""
    return ", ".join(one_line(one) for one in values)


def about_line(content: Content, made: ModelAssessment) -> str:
    """Say which model and snapshot were assessed, and for which day."""
    snapshot = f", snapshot {made.snapshot}" if made.snapshot else ""
    return f"{made.name}{snapshot}, as of {content.at.isoformat()}"


def threshold_title(threshold: Threshold | ThresholdFinding) -> str:
    """Give a threshold by its id and title."""
    name = threshold.id if isinstance(threshold, Threshold) else threshold.threshold
    return f"{name} {threshold.title}".strip()


def iso(day: date | None) -> str | None:
    """Give a day as data."""
    return day.isoformat() if day else None


# --- fillings ------------------------------------------------------------------------------------------


def stated(statements: Sequence[Statement], content: Content, models: Collection[str] = ()) -> Filling | None:
    """Give statements about models, or about anything, with what each is worth; none if nobody has made one."""
    found = tuple(
        Saying(one.text, worth(one, None, content.inventory, content.at, models), one.evidence) for one in statements
    )
    if not found:
        return None
    lacks = [f"a statement cites {ref}, which does not exist" for ref in dangling(found)]
    outdated = [one.worth.outdated for one in found if one.worth.outdated]
    if len(outdated) == len(found):
        lacks.append(f"nothing that is said holds on the day: {outdated[0]}")
    return Filling(
        blocks=tuple(block for one in found for block in saying_blocks(one)),
        data=[one.to_json() for one in found],
        refs=known(content, (ref for one in found for ref in one.refs)),
        as_of=oldest(one.worth.as_of for one in found),
        lacks=tuple(lacks),
    )


def short(words: str | None, data: Any, refs: tuple[str, ...] = (), as_of: date | None = None) -> Filling | None:
    """Give one line; none if there is nothing to say."""
    return Filling((Paragraph((words,)),), data, refs, as_of) if words else None


def tabled(
    caption: str, heads: Sequence[str], rows: Iterable[Iterable[str | Cell]], *, is_wide: bool = False
) -> tuple[Block, ...]:
    """Give a table, or nothing if it has no rows."""
    return grid(caption, heads, [[one or "" for one in row] for row in rows], is_wide=is_wide)


# --- clauses of the policy ------------------------------------------------------------------------------


def clauses(policy: Policy) -> Iterator[Item]:
    """Give everything in a policy that promises or describes something, in its order; evaluations are left out."""
    for path, item in policy.located_items():
        if (
            "indicators" not in path and path[0] not in ("domains", "thresholds", "threat_models")
        ) or "requirements" in path:
            yield item


def clauses_about(policy: Policy, pattern: re.Pattern[str], but: Collection[str] = ()) -> tuple[Item, ...]:
    """Give the clauses whose id, title or words match, but for those that stand elsewhere in the same field."""
    found = (one for one in clauses(policy) if one.id not in but)
    return tuple(one for one in found if pattern.search(f"{one.id} {one.title} {one.text}"))


def clause_rows(items: Iterable[Item]) -> Iterator[tuple[str, str, str, str]]:
    """Give clauses as rows: what they are called, how strongly they bind, what they say, where they stand."""
    for one in items:
        force = (one.force or "not stated") if isinstance(one, Commitment) else ""
        yield f"{one.id} {one.title}".strip(), force, one.text, one.ref or ""


CLAUSE_HEADS = ("Clause", "Force", "What it says", "Where it stands")


def clause_data(items: Iterable[Item]) -> list[dict[str, Any]]:
    """Give clauses as data."""
    return [
        {
            "id": one.id,
            "title": one.title,
            "text": one.text,
            "force": one.force if isinstance(one, Commitment) else None,
            "ref": one.ref,
        }
        for one in items
    ]

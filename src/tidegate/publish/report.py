# SPDX-License-Identifier: Apache-2.0
"""The report: one HTML file that needs nothing else, runs no script and asks no server for anything."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from tidegate.assess.audit import ReportCard
from tidegate.assess.explain import ROLE_WORDS, Explanation
from tidegate.assess.model import Assessment, Gate, ModelAssessment, ThresholdFinding
from tidegate.policy.model import ACTIONS, Action, Source
from tidegate.publish.chart import LoadLines, load_line_svg, load_lines
from tidegate.publish.words import (
    ACTION_WORDS,
    FINDING_SHORT,
    FINDING_WORDS,
    STATE_WORDS,
    clean,
    one_line,
    relation_words,
)

FINDING_MEANING = {
    "ruled_out": "evidence of the required kind stays on the safe side of its line",
    "not_ruled_out": "a result lies beyond its rule-out line",
    "reached": "a result shows the capability",
    "reached_and_mitigated": "the capability is shown, and what it requires is shown to be in place",
    "inconclusive": "there are results, and they do not decide",
    "not_assessed": "no result speaks to it",
}
"""What each finding says, for the legend."""


@dataclass(frozen=True)
class Cell:
    """One gate of one model in the table of gates."""

    is_open: bool
    closing: int


@dataclass(frozen=True)
class Closed:
    """Actions of a model that are closed for the same reasons."""

    model: str
    actions: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """What one policy says about some models."""

    assessment: Assessment
    models: tuple[ModelAssessment, ...]
    anchor: str

    @property
    def rows(self) -> list[tuple[ThresholdFinding, list[ThresholdFinding]]]:
        """Each threshold with the finding of every model."""
        first = self.models[0].thresholds
        return [(one, [model.thresholds[row] for model in self.models]) for row, one in enumerate(first)]

    @property
    def gates(self) -> list[tuple[ModelAssessment, list[Cell]]]:
        """Each model with the answer of every gate."""
        return [(model, [_cell(model.gate(action)) for action in ACTIONS]) for model in self.models]

    @property
    def closed(self) -> list[Closed]:
        """Why gates are closed, actions with the same reasons together."""
        return [one for model in self.models for one in _closed(model)]

    @property
    def concluded(self) -> list[tuple[ModelAssessment, ThresholdFinding]]:
        """Findings beside which the developer's conclusion is recorded."""
        return [(model, one) for model in self.models for one in model.thresholds if one.concluded is not None]


@dataclass(frozen=True)
class Figure:
    """A load-line chart of one model."""

    model: str
    policy: str
    svg: Markup
    without_scale: tuple[str, ...]


def command(assessment: Assessment) -> str:
    """Give the command that computes an assessment again."""
    names = [model.model for model in assessment.models]
    parts = ["tidegate", "assess", *names, "--policy", assessment.policy, "--as-of", assessment.at.isoformat()]
    return shlex.join(one_line(part) for part in parts)


def _cell(gate: Gate) -> Cell:
    return Cell(gate.open, sum(reason.closes for reason in gate.reasons))


def _closed(model: ModelAssessment) -> Iterator[Closed]:
    grouped: dict[tuple[str, ...], list[Action]] = {}
    for gate in model.gates:
        if not gate.open:
            grouped.setdefault(tuple(one.message for one in gate.reasons if one.closes), []).append(gate.action)
    for reasons, actions in grouped.items():
        yield Closed(model.name, ", ".join(ACTION_WORDS[action] for action in actions), reasons)


def html_report(  # noqa: PLR0913 - the parts of a report
    title: str,
    assessments: Sequence[Assessment],
    explanations: Sequence[Explanation],
    report_cards: Sequence[ReportCard],
    as_of: date,
    sources: Iterable[Source],
    *,
    own: Mapping[str, str] | None = None,
) -> str:
    """Give the report as one HTML file: no script, no request, the same bytes for the same input.

    Args:
        title: title of the report.
        assessments: one per policy, in the order to show.
        explanations: findings to explain in full.
        report_cards: what the public record lacks, per developer.
        as_of: the day it answers for.
        sources: where policies and figures come from.
        own: model id -> label of its developer's own policy; those findings come first.
    """
    developers = own or {}
    first, others = _sheets(assessments, developers)
    template = page_environment().get_template("report.html.j2")
    return template.render(
        title=title,
        as_of=as_of,
        assessments=assessments,
        parts=_parts(first, others, has_own=bool(developers)),
        sheets=[*first, *others],
        explanations=explanations,
        cards=report_cards,
        figures=list(_figures([*first, *others])),
        sources=list(sources),
    )


def _parts(first: list[Sheet], others: list[Sheet], *, has_own: bool) -> list[tuple[str, list[Sheet]]]:
    if not has_own:
        return [("Findings", [*first, *others])]
    named = [("Under the developer's own policy", first), ("Under the policies of others", others)]
    return [(heading, sheets) for heading, sheets in named if sheets]


def _sheets(assessments: Sequence[Assessment], own: Mapping[str, str]) -> tuple[list[Sheet], list[Sheet]]:
    """Split every assessment into the models whose own policy it is, and the others."""
    first: list[Sheet] = []
    others: list[Sheet] = []
    for number, assessment in enumerate(assessments):
        theirs = tuple(one for one in assessment.models if own.get(one.model) == assessment.policy)
        rest = tuple(one for one in assessment.models if one not in theirs)
        if theirs:
            first.append(Sheet(assessment, theirs, f"own-{number}"))
        if rest:
            others.append(Sheet(assessment, rest, f"policy-{number}"))
    return first, others


def _figures(sheets: Sequence[Sheet]) -> Iterator[Figure]:
    """Draw each model once: under the first policy that has lines for its figures."""
    drawn: set[str] = set()
    for sheet in sheets:
        for model in sheet.models:
            found = LoadLines((), ()) if model.model in drawn else load_lines(model)
            if not found.rows:
                continue
            drawn.add(model.model)
            name = f"{one_line(model.name)} against the lines of {one_line(sheet.assessment.policy)}"
            # Trusted: made here by vl-convert, parsed and written again as XML, every text in it escaped.
            svg = Markup(load_line_svg(found.rows, name))  # noqa: S704
            yield Figure(model.name, sheet.assessment.policy, svg, found.without_scale)


# --- the page ---------------------------------------------------------------------------------------------


def safe_url(url: str | None) -> str | None:
    """Give an address that may stand in a link, or none: only http and https lead anywhere.

    >>> safe_url("javascript:alert(1)") is None
    True
    """
    if url is None or clean(url) != url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and parts.netloc else None


def _share(count: int, card: ReportCard) -> str:
    return f"{count / card.figures:.0%}" if card.figures else "-"


def _cleaned(value: Any) -> Any:
    """Clean every text that a template prints; what is markup already was made from cleaned text."""
    if isinstance(value, Markup):
        return value
    return clean(value) if isinstance(value, str) else value


def page_environment() -> Environment:
    """Give what every HTML page is made with: everything escaped and cleaned, nothing that is not named."""
    made = Environment(
        loader=PackageLoader("tidegate.publish", "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        finalize=_cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"url": safe_url, "spaced": lambda text: str(text).replace("_", " ")}
    made.globals |= {
        "ACTIONS": [ACTION_WORDS[action] for action in ACTIONS],
        "FINDING": FINDING_WORDS,
        "MEANING": FINDING_MEANING,
        "ROLE": ROLE_WORDS,
        "SHORT": FINDING_SHORT,
        "STATE": STATE_WORDS,
        "command": command,
        "relation": relation_words,
        "share": _share,
    }
    return made

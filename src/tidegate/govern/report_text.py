# SPDX-License-Identifier: Apache-2.0
"""What people write for a report: forecast, margin, recommendation, what reviewers said, answers to doubts.

Figures never come from here. The words cite evidence by its id, ``{record-id}``, and a percentage or a decimal number
needs such a citation in its sentence; a number that the cited records do not hold is found out.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, Field, StringConstraints

from tidegate.kernel.documents import Document, PathKey, did_you_mean
from tidegate.kernel.errors import Problem
from tidegate.kernel.record import Record
from tidegate.policy.model import Id, Threat

Kind = Literal["capability", "safeguards"]
"""What a report is about."""
MAX_WORDS = 20_000
"""Characters of one part: more than this belongs into an evidence record of its own."""
NOT_ESTABLISHED = "not established"
"""A legal margin argument: it says openly that nothing shows the distance to be enough."""

Words = Annotated[
    str, BeforeValidator(lambda given: "" if given is None else given), StringConstraints(max_length=MAX_WORDS)
]
"""Words of a person; empty while nobody has written them."""


_Maybe = BeforeValidator(lambda given: () if given is None else given)
_MaybeMapping = BeforeValidator(lambda given: {} if given is None else given)


class ThresholdText(Record):
    """What people say about one threshold."""

    id: Id
    """The threshold."""
    margin: Words = ""
    """Why the distance to the line is enough, or ``not established``."""
    answers: Annotated[dict[Threat, Words], _MaybeMapping] = Field(default_factory=dict)
    """Validity threat -> why it does not change the finding, or in which way it does."""
    remarks: Words = ""
    """Anything else."""


class RequirementText(Record):
    """What people say about one requirement."""

    id: Id
    """The requirement."""
    residual_gaps: Words = ""
    """What stays open although it is met, or because it is not."""


class ReviewText(Record):
    """What a reviewer said."""

    by: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Who."""
    relation: Literal["internal", "independent", "unstated"] = "unstated"
    """Of the organisation, or independent of it."""
    text: Words = ""
    """Their words."""
    answer: Words = ""
    """What the author answers."""


class ReportText(Record):
    """Everything in a report that people write."""

    schema_: Literal["tidegate/report-text/v1"] = Field(alias="schema", default="tidegate/report-text/v1")
    """Names this format."""
    kind: Kind
    """What the report is about."""
    model: str
    """Model."""
    snapshot: str | None = None
    """Snapshot that it is about; none means whichever is assessed."""
    scope: Words = ""
    """What started this assessment and what it covers, or why no comprehensive one was made."""
    forecast: Words = ""
    """What elicitation and training are expected to add until the next assessment."""
    recommendation: Words = ""
    """What those who decide should do, and why."""
    residual_risk: Words = ""
    """What remains if all of this holds."""
    trusted_users: Words = ""
    """Who is exempt from which safeguard, by which criteria, and what holds for them instead."""
    third_parties: Words = ""
    """How the safeguards hold where others run or store the model."""
    thresholds: Annotated[tuple[ThresholdText, ...], _Maybe] = ()
    """What is said about single thresholds."""
    requirements: Annotated[tuple[RequirementText, ...], _Maybe] = ()
    """What is said about single requirements."""
    reviews: Annotated[tuple[ReviewText, ...], _Maybe] = ()
    """What reviewers said."""
    no_reviews: Words = ""
    """Why nobody has reviewed it."""

    def threshold(self, name: str) -> ThresholdText | None:
        """Give what is said about a threshold."""
        return next((one for one in self.thresholds if one.id == name), None)


Numbers = Literal["cited", "expected", "quoted"]
"""How numbers in a part are judged: each needs a citation; they are expectations; they are somebody else's words."""


@dataclass(frozen=True)
class Part:
    """One part of the text, and where it stands."""

    path: PathKey
    name: str
    """What it is called in messages."""
    words: str
    numbers: Numbers = "cited"


TITLES: Mapping[str, str] = {
    "scope": "scope",
    "forecast": "forecast",
    "recommendation": "recommendation",
    "residual_risk": "residual risk",
    "trusted_users": "trusted users",
    "third_parties": "third parties",
    "no_reviews": "reason why nobody has reviewed it",
}
"""Each part that stands alone -> its name."""

REQUIRED: Mapping[Kind, tuple[str, ...]] = {
    "capability": ("forecast", "recommendation", "residual_risk"),
    "safeguards": ("recommendation", "residual_risk", "trusted_users", "third_parties"),
}
"""Parts without which a report of this kind cannot become final."""


def parts(text: ReportText) -> Iterator[Part]:
    """Give every part of the text, in its order."""
    for name, title in TITLES.items():
        yield Part((name,), title, getattr(text, name), "expected" if name == "forecast" else "cited")
    for number, one in enumerate(text.thresholds):
        here: PathKey = ("thresholds", number)
        yield Part((*here, "margin"), f"margin argument for {one.id}", one.margin)
        for threat, words in one.answers.items():
            yield Part((*here, "answers", threat), f"answer to {threat.replace('_', ' ')} for {one.id}", words)
        yield Part((*here, "remarks"), f"remarks on {one.id}", one.remarks)
    for number, gap in enumerate(text.requirements):
        yield Part(("requirements", number, "residual_gaps"), f"residual gaps of {gap.id}", gap.residual_gaps)
    for number, review in enumerate(text.reviews):
        yield Part(("reviews", number, "text"), f"review by {review.by}", review.text, "quoted")
        yield Part(("reviews", number, "answer"), f"answer to {review.by}", review.answer)


# --- citations ---------------------------------------------------------------------------------------

_CITATION = re.compile(r"\{([^{}\n]*)\}")


class Piece(NamedTuple):
    """A stretch of words, or a citation."""

    words: str
    """The words, or the id of the record that is cited."""
    is_citation: bool


def pieces(words: str) -> Iterator[Piece]:
    """Give words and citations in their order.

    >>> [one.words for one in pieces("Twelve of forty {r1}.")]
    ['Twelve of forty ', 'r1', '.']
    """
    at = 0
    for found in _CITATION.finditer(words):
        if found.start() > at:
            yield Piece(words[at : found.start()], is_citation=False)
        yield Piece(found.group(1).strip(), is_citation=True)
        at = found.end()
    if at < len(words):
        yield Piece(words[at:], is_citation=False)


def cited_in(words: str) -> tuple[str, ...]:
    """Give the ids that words cite, each once."""
    return tuple(dict.fromkeys(one.words for one in pieces(words) if one.is_citation))


def cited(text: ReportText) -> tuple[str, ...]:
    """Give the ids that the whole text cites, each once, in their order."""
    return tuple(dict.fromkeys(name for part in parts(text) for name in cited_in(part.words)))


# --- numbers -----------------------------------------------------------------------------------------

_NAMED = re.compile(r"`[^`\n]*`")
"""What stands in backticks is a name, not a result."""
_PLACE = re.compile(
    r"\b(?:sections?|chapters?|appendix|articles?|tables?|figures?|versions?|pages?|measures?)\s+$|§\s*$", re.IGNORECASE
)
_NUMBER = re.compile(
    r"(?<![\w.,/#@:-])(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<percent>\s?(?:%|percent\b|per\s?cent\b|percentage\b))?(?![.,]?\d)"
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?![^{}\n]*\})|\n\s*\n")


class Claim(NamedTuple):
    """A number that reads as a result."""

    shown: str
    """As it is written."""
    value: float
    is_percent: bool
    decimals: int

    def is_from(self, figures: Collection[float]) -> bool:
        """Tell whether one of the figures, rounded as the number is, may be what it states; shares in either unit."""
        slack = 0.5 * 10.0**-self.decimals + 1e-9
        scales = (1.0, 100.0) if self.is_percent else (1.0, 0.01)
        return any(abs(self.value - abs(one) * scale) <= slack for one in figures for scale in scales)


def claims(words: str, names: Collection[str] = ()) -> Iterator[Claim]:
    """Give every percentage and every decimal number, except in names, in backticks and after words such as section.

    >>> [one.shown for one in claims("It solves 12 % of 40 tasks, 0.3 more than `gpt-4.5` (section 3.4, v2.2).")]
    ['12 %', '0.3']
    """
    plain = _NAMED.sub(lambda found: "`" * len(found.group()), words)
    for name in sorted((one for one in names if any(letter.isdigit() for letter in one)), key=len, reverse=True):
        pattern = rf"(?<!\w){re.escape(name)}(?!\w)"
        plain = re.sub(pattern, lambda found: "x" * len(found.group()), plain, flags=re.IGNORECASE)
    plain = _CITATION.sub(lambda found: " " * len(found.group()), plain)
    for found in _NUMBER.finditer(plain):
        number, is_percent = found["number"], found["percent"] is not None
        if (is_percent or "." in number) and not _PLACE.search(plain[: found.start()]):
            decimals = len(number.partition(".")[2])
            yield Claim(words[slice(*found.span())], float(number.replace(",", "")), is_percent, decimals)


def sentences(words: str) -> list[str]:
    """Give the sentences of a text. A decimal point ends none."""
    return [one for one in _SENTENCE.split(words) if one.strip()]


@dataclass(frozen=True)
class Citable:
    """What the words may cite."""

    figures: Mapping[str, Collection[float]]
    """Record -> every figure that it holds."""
    elsewhere: Collection[str] = ()
    """Records of the project that are about other models."""
    names: Collection[str] = ()
    """Names in which a number is no result: of models, policies and evaluations."""


def citation_problems(text: ReportText, document: Document, citable: Citable) -> Iterator[Problem]:
    """Give every citation of a record that is not there (REP001), with its place."""
    for part in parts(text):
        for name in cited_in(part.words):
            if name in citable.figures:
                continue
            message = f"the {part.name} cites {{{name}}}, and there is no such record"
            hint = did_you_mean(name, citable.figures)
            if name in citable.elsewhere:
                message = f"the {part.name} cites {{{name}}}, which is about another model"
                hint = "a report rests on evidence about its model and those that bound it"
            yield Problem("REP001", message, document.where(part.path), hint)


def number_problems(text: ReportText, document: Document, citable: Citable) -> Iterator[Problem]:
    """Give every number that no cited record vouches for (REP001, a warning), with its place."""
    for part in parts(text):
        if part.numbers == "quoted":
            continue
        for sentence in sentences(part.words):
            known = [name for name in cited_in(sentence) if name in citable.figures]
            figures = [figure for name in known for figure in citable.figures[name]]
            for claim in claims(sentence, citable.names):
                if not known and part.numbers == "cited":
                    message = f"the {part.name} says {claim.shown!r} and cites no record beside it"
                    hint = "cite the record that holds it, as {record-id}; put a number that is a name in backticks"
                elif known and not claim.is_from(figures):
                    message = f"the {part.name} says {claim.shown!r}, which none of {', '.join(known)} holds"
                    hint = "correct the number or the citation"
                else:
                    continue
                yield Problem("REP001", message, document.where(part.path), hint, "warning")


# --- skeleton ----------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]\Z|[A-Za-z]\Z")
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})

_MEANINGS: Mapping[str, str] = {
    "forecast": "What elicitation and training are expected to add until the next assessment.",
    "recommendation": "What those who decide should do, and why.",
    "residual_risk": "What remains if all of this holds.",
    "trusted_users": "Who is exempt from which safeguard, by which criteria, and what holds for them instead.",
    "third_parties": "How the safeguards hold where others run or store the model.",
}


@dataclass(frozen=True)
class Wanted:
    """What a report needs people to write."""

    kind: Kind
    model: str
    snapshot: str | None
    margins: Mapping[str, str]
    """Threshold that is ruled out -> by what."""
    answers: Mapping[str, Sequence[Threat]]
    """Threshold -> validity threats that need an answer."""
    requirements: Sequence[str] = ()
    """Requirements that are not met."""


def skeleton(wanted: Wanted) -> str:
    """Give the text with every part that is needed named, and left empty."""
    lines = [
        f"# What people write for the {wanted.kind} report. Figures come from evidence: cite a record as {{record-id}}.",
        "# A percentage or a decimal number needs such a citation in its sentence.",
        "schema: tidegate/report-text/v1",
        f"kind: {wanted.kind}",
        f"model: {_scalar(wanted.model)}",
        *([f"snapshot: {_scalar(wanted.snapshot)}"] if wanted.snapshot else []),
        "",
        "# What started this assessment and what it covers, or why no comprehensive one was made. May stay empty.",
        'scope: ""',
    ]
    for name in REQUIRED[wanted.kind]:
        lines += ["", f"# {_MEANINGS[name]}", f'{name}: ""']
    lines += [*_threshold_lines(wanted), *_requirement_lines(wanted), *_REVIEW_LINES]
    return "\n".join(lines) + "\n"


def _threshold_lines(wanted: Wanted) -> Iterator[str]:
    names = dict.fromkeys([*wanted.margins, *wanted.answers])
    if not names:
        return
    yield from ("", "thresholds:")
    for name in names:
        yield f"  - id: {_scalar(name)}"
        if name in wanted.margins:
            yield f"    # {wanted.margins[name]} Why is the distance to the line enough? Or: {NOT_ESTABLISHED}"
            yield '    margin: ""'
        if wanted.answers.get(name):
            yield "    # Why this does not change the finding, or in which way it does."
            yield "    answers:"
            yield from (f'      {threat}: ""' for threat in wanted.answers[name])


def _requirement_lines(wanted: Wanted) -> Iterator[str]:
    if wanted.requirements:
        yield from ("", "# What stays open. May stay empty.", "requirements:")
    for name in wanted.requirements:
        yield from (f"  - id: {_scalar(name)}", '    residual_gaps: ""')


_REVIEW_LINES = (
    "",
    "# What reviewers said, in their words. If nobody reviewed it, say why in no_reviews.",
    "reviews: []",
    "#  - by: NAME",
    "#    relation: independent  # or internal",
    '#    text: ""',
    '#    answer: ""',
    'no_reviews: ""',
)


def _scalar(text: str) -> str:
    """Give text as YAML reads it back; JSON strings are YAML."""
    if _PLAIN.match(text) and text.casefold() not in _RESERVED:
        return text
    return json.dumps(text, ensure_ascii=True)

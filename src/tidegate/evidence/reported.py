# SPDX-License-Identifier: Apache-2.0
"""Reported figures: one YAML file per model, with sources, conclusions and figures as printed.

A figure that was not printed stays null. Nothing is filled in, and nothing is rounded.
"""

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from tidegate.evidence.importing import Import, ImportSource
from tidegate.evidence.model import (
    Bound,
    Conclusion,
    ConclusionStatus,
    Elicitation,
    Evaluator,
    Evidence,
    EvidenceKind,
    EvidenceSet,
    Interval,
    Measurement,
    PrintedLine,
    Provenance,
    Restatement,
    Subject,
)
from tidegate.kernel.documents import Document, parse_document, read_bytes, validate_part
from tidegate.kernel.duration import PARTIAL_DATE_PATTERN, first_day
from tidegate.kernel.errors import DocumentError, EvidenceError, Problem, Where
from tidegate.kernel.record import Record
from tidegate.policy.model import ElicitationElement, Operator

NAME = "reported"

Number = float | int
Text = str | int
"""YAML reads a bare year as a number; dates and versions may be one."""


class _Shape(Record):
    """A part of the file; a list that is left empty (null) counts as none given."""

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        # A unit that is null is not a missing unit: nobody knows what the figure means.
        empty = {
            name
            for name, field in cls.model_fields.items()
            if name != "unit" and not field.is_required() and field.default is not None
        }
        return {name: value for name, value in data.items() if value is not None or name not in empty}


class _Source(_Shape):
    title: str
    date: Text | None = None
    url: str | None = None
    mirror: str | None = None
    note: str | None = None


class _Conclusion(_Shape):
    framework: str
    threshold: str
    status: str
    standard: str | None = None
    decided_on: Text | None = None
    signed_by: list[str] | str | None = None
    informed: list[str] | str | None = None
    carried_by: str | None = None
    source: str | None = None
    note: str | None = None


class _Count(_Shape):
    value: Annotated[int, Field(ge=0)] | None
    kind: str | None = None


class _Interval(_Shape):
    kind: str = "unspecified"
    half_width: Annotated[float, Field(ge=0)] | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    method: str | None = None


class _Line(_Shape):
    value: float | None = None
    crossed_when: Operator | None = None
    kind: str = "threshold"
    unit: str | None = None
    crossed_derived: bool | None = None
    disclosure: Literal["printed", "exists_unprinted", "withheld", "none"] | None = None
    version: str | None = None
    note: str | None = None


class _Baseline(_Shape):
    value: float | str | None = None
    who: str | None = None
    note: str | None = None


class _Elicitation(_Shape):
    variant: str | None = None
    aggregation: str | None = None
    note: str | None = None


class _Figure(_Shape):
    id: Annotated[str, Field(min_length=1)]
    eval: str
    domain: str | None = None
    thresholds: tuple[str, ...] = ()
    metric: str
    value: float | None = None
    unit: str = "fraction"
    n: _Count | int | None = None
    successes: Annotated[float, Field(ge=0)] | None = None
    interval: _Interval | None = None
    line: _Line | None = None
    published_reading: str | None = None
    baseline: _Baseline | None = None
    elicitation: _Elicitation | None = None
    source: str
    location: Text | None = None
    provenance: Literal["primary", "secondary"] | None = None
    check: Literal["mechanical", "read"] | None = None
    note: str | None = None
    model: str | None = None
    model_released: Text | None = None


class _ReportedFile(_Shape):
    id: str
    name: str
    organisation: str
    released: Text | None = None
    sources: dict[str, _Source] = Field(default_factory=dict)
    conclusions: tuple[_Conclusion, ...] = ()
    remarks: tuple[str, ...] = ()
    figures: list[_Figure]
    restatements: tuple[Restatement, ...] = ()
    bounded_by: tuple[Bound, ...] = ()


def recognises(path: Path, head: bytes) -> bool:
    """Tell whether the file has the keys of a reported-figures file."""
    if path.suffix.lower() not in (".yaml", ".yml"):
        return False
    text = head.decode("utf-8", "replace")
    return bool(re.search(r"^id:", text, re.MULTILINE) and re.search(r"^organisation:", text, re.MULTILINE))


def read(source: ImportSource) -> Import:
    """Give the records of a reported-figures file.

    Raises:
        DocumentError: the file is not of this shape; every problem with its position.
        EvidenceError: a figure names a source that the file does not list, or two figures share an id.
    """
    if source.declared.elicitation is not None:
        message = "a file of reported figures states the elicitation of each figure itself"
        hint = "write it under the figure's elicitation, as its source states it"
        raise EvidenceError(Problem("EVI002", message, Where(source.name), hint))
    document = parse_document(read_bytes(source.path), source.name)
    if not isinstance(document.data, dict):
        raise DocumentError(Problem("DOC009", "expected a mapping with id, organisation and figures", document.where()))
    parsed = validate_part(document, _ReportedFile)
    problems = [*_unknown_sources(parsed, document), *_repeated_ids(parsed, document)]
    if problems:
        raise EvidenceError(*problems)
    notices: list[Problem] = []
    try:
        conclusions = tuple(_conclusion(parsed, number, document, notices) for number in range(len(parsed.conclusions)))
        records = tuple(_evidence(parsed, number, source, document) for number in range(len(parsed.figures)))
    except _FigureError as error:
        raise EvidenceError(error.problem) from None
    evidence = EvidenceSet(
        records=records,
        conclusions=conclusions,
        restatements=parsed.restatements,
        bounds=parsed.bounded_by,
    )
    return Import(NAME, evidence, tuple(notices))


class _FigureError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def _unknown_sources(parsed: _ReportedFile, document: Document) -> list[Problem]:
    return [
        Problem(
            "EVI002",
            f"the figure {figure.id!r} names the source {figure.source!r}, which the file does not list",
            document.where(("figures", number, "source")),
            f"listed: {', '.join(parsed.sources) or 'none'}",
        )
        for number, figure in enumerate(parsed.figures)
        if figure.source not in parsed.sources
    ]


def _repeated_ids(parsed: _ReportedFile, document: Document) -> list[Problem]:
    seen: dict[str, int] = {}
    return [
        Problem(
            "EVI005",
            f"the id {figure.id!r} occurs twice",
            document.where(("figures", number, "id")),
            f"the first is on line {document.where(('figures', seen[figure.id])).line}",
        )
        for number, figure in enumerate(parsed.figures)
        if seen.setdefault(figure.id, number) != number
    ]


def _evidence(parsed: _ReportedFile, number: int, source: ImportSource, document: Document) -> Evidence:
    figure = parsed.figures[number]
    where = document.where(("figures", number))
    origin = parsed.sources[figure.source]
    declared = source.declared
    independent = "evaluator" in parsed.organisation.lower() if declared.independent is None else declared.independent
    try:
        return Evidence(
            id=_record_id(figure.id),
            kind=_kind(figure),
            subject=Subject(
                model=declared.model or figure.model or parsed.id,
                snapshot=declared.snapshot,
                variant=declared.variant or _variant(figure),
            ),
            domain=figure.domain,
            thresholds=(*figure.thresholds, *declared.thresholds),
            measurement=_measurement(figure),
            line=_line(figure),
            reading=figure.published_reading,
            elicitation=_elicitation(figure),
            evaluator=Evaluator(
                name=declared.evaluator or parsed.organisation,
                relation="independent" if independent else "developer",
            ),
            published=_partial_date(origin.date),
            quality="reported",
            provenance=Provenance(
                format=NAME,
                file=source.name,
                digest=source.digest,
                title=origin.title,
                url=origin.url,
                location=None if figure.location is None else str(figure.location),
                reading=figure.provenance,
                check=figure.check,
                position=f"{where.line}:{where.column}",
            ),
            note=figure.note,
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise _FigureError(Problem("EVI002", f"the figure {figure.id!r}: {first}", where, "correct it")) from None


_RECORD_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+@/-]{0,199}")


def _record_id(given: str) -> str:
    """Give the id of the record: the figure's own, or where that has other characters, one made from it."""
    if _RECORD_ID.fullmatch(given):
        return given
    readable = re.sub(r"[^A-Za-z0-9._:+@/-]+", "-", given)[:180].strip("-._:+@/")
    return f"{readable or 'figure'}-{hashlib.sha256(given.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _kind(figure: _Figure) -> EvidenceKind:
    if figure.domain == "safeguard":
        return "efficacy"
    if figure.eval.lower().startswith("time horizon"):
        return "time_horizon"
    return "uplift_trial" if "uplift" in figure.metric.lower() else "evaluation"


def _variant(figure: _Figure) -> Any:
    text = (figure.elicitation.variant or "").lower() if figure.elicitation else ""
    if "earlier snapshot" in text:
        return "earlier_snapshot"
    if "helpful-only" in text and "production" not in text:
        return "helpful_only"
    if "safeguards removed" in text or "safeguards off" in text:
        return "safeguards_off"
    return "unstated"


def _measurement(figure: _Figure) -> Measurement:
    count = figure.n if isinstance(figure.n, _Count) else _Count(value=figure.n) if figure.n is not None else None
    return Measurement(
        evaluation=figure.eval,
        metric=figure.metric,
        value=figure.value,
        unit=figure.unit,
        aggregation=figure.elicitation.aggregation if figure.elicitation else None,
        n=count.value if count else None,
        n_kind=count.kind if count else None,
        successes=figure.successes,
        interval=_interval(figure),
        binary=figure.successes is not None and count is not None,
        baseline=_baseline_number(figure.baseline),
        baseline_who=_baseline_words(figure.baseline),
    )


def _baseline_number(given: _Baseline | None) -> float | None:
    return given.value if given is not None and isinstance(given.value, float) else None


def _baseline_words(given: _Baseline | None) -> str | None:
    """Keep a baseline that was printed as words or as ``8/40`` next to whose it is."""
    if given is None:
        return None
    words = given.value if isinstance(given.value, str) else None
    return "; ".join(part for part in (words, given.who, given.note) if part) or None


_INTERVAL_KINDS: dict[str, tuple[str, float | None]] = {
    "ci95": ("confidence", 0.95),
    "ci90": ("confidence", 0.90),
    "ci99": ("confidence", 0.99),
    "bootstrap_95": ("bootstrap", 0.95),
    "credible_95": ("credible", 0.95),
    "sd_over_runs": ("standard_deviation", None),
}
"""What the kinds of the file shape mean. A bare +/- has no known meaning, so it has no level."""


def _interval(figure: _Figure) -> Interval | None:
    given = figure.interval
    if given is None:
        return None
    kind, level = _INTERVAL_KINDS.get(given.kind, (given.kind, None))
    low, high = given.low, given.high
    if given.half_width is not None and figure.value is not None and low is None and high is None:
        low, high = figure.value - given.half_width, figure.value + given.half_width
    return Interval(low=low, high=high, kind=kind, level=given.level or level, method=given.method or given.kind)


def _line(figure: _Figure) -> PrintedLine | None:
    given = figure.line
    if given is None:
        return None
    return PrintedLine(
        value=given.value,
        crossed_when=given.crossed_when,
        unit=given.unit,
        kind=given.kind,
        disclosure=given.disclosure or ("printed" if given.value is not None else "exists_unprinted"),
        version=given.version or figure.source,
        crossed_derived=given.crossed_derived,
    )


_ELEMENT_WORDS: tuple[tuple[str, ElicitationElement], ...] = (
    (r"chain.of.thought|thinking|reasoning|high effort", "chain_of_thought"),
    (r"pass@([2-9]|\d\d)|best of|max of|at least one|best run|highest of", "best_of_n"),
    (r"tools?\b", "tools"),
    (r"scaffold|harness|agentic|\bagent\b", "scaffolding"),
    (r"fine-tun", "fine_tuning"),
    (r"helpful-only", "helpful_only"),
    (
        r"mean of (\d+|three)|\d+ (trials|attempts|runs|rollouts)|\d+ tries|over \d+ runs|pass@([2-9]|\d\d)",
        "multiple_attempts",
    ),
    (r"expert prompt", "expert_prompting"),
)


_NEGATION = re.compile(
    r"\b(no|not|non|none|never|without|zero|lacking|excluding|disabled|off|free|removed)\b", re.IGNORECASE
)
"""A technique named in the same clause as one of these does not count as used: doubt never helps a rule-out."""


def _elicitation(figure: _Figure) -> Elicitation:
    given = figure.elicitation
    if given is None or not (given.variant or given.aggregation):
        return Elicitation()
    statement = "; ".join(part for part in (given.variant, given.aggregation, given.note) if part)
    present: list[ElicitationElement] = []
    absent: list[ElicitationElement] = []
    clauses = re.split(r"[;,.()]|\bbut\b", statement)
    for pattern, element in _ELEMENT_WORDS:
        named = [clause for clause in clauses if re.search(pattern, clause, re.IGNORECASE)]
        if any(_NEGATION.search(clause) for clause in named):
            absent.append(element)
        elif named:
            present.append(element)
    count = re.search(r"(?:pass@|best of |max of )(\d+)", statement)
    return Elicitation(
        elements=tuple(present),
        absent=tuple(absent),
        n_samples=int(count.group(1)) if count and int(count.group(1)) > 0 else None,
        statement=statement,
        basis="declared",
    )


_KNOWN_STATUS: frozenset[str] = frozenset(ConclusionStatus.__args__)  # type: ignore[attr-defined]


def _conclusion(parsed: _ReportedFile, number: int, document: Document, notices: list[Problem]) -> Conclusion:
    given = parsed.conclusions[number]
    word = given.status.split(" (")[0].strip()
    if word not in _KNOWN_STATUS:
        where: Where = document.where(("conclusions", number, "status"))
        notices.append(
            Problem(
                "EVI002",
                f"the status {given.status!r} is not in the vocabulary; kept as stated",
                where,
                None,
                "warning",
            )
        )
        word = "other"
    decided = None if given.decided_on is None else str(given.decided_on)
    if decided is not None and re.fullmatch(PARTIAL_DATE_PATTERN, decided):
        try:
            first_day(decided)
        except ValueError:
            where = document.where(("conclusions", number, "decided_on"))
            raise _FigureError(Problem("EVI002", f"there is no day {decided!r}", where, "correct it")) from None
    return Conclusion(
        model=parsed.id,
        framework=given.framework,
        threshold=given.threshold,
        status=word,
        stated=given.status if given.status != word else None,
        standard=given.standard,
        carried_by=given.carried_by,
        decided_on=_partial_date(given.decided_on),
        signed_by=_names(given.signed_by),
        informed=_names(given.informed),
        source=parsed.sources[given.source].title if given.source in parsed.sources else given.source,
        note=given.note,
    )


def _names(given: list[str] | str | None) -> tuple[str, ...]:
    return () if given is None else (given,) if isinstance(given, str) else tuple(given)


def _partial_date(given: Text | None) -> str | None:
    """Give the date that a text begins with, as precise as it is; none if it begins with none."""
    if given is None:
        return None
    found = re.match(r"\d{4}(-\d{2}(-\d{2})?)?", str(given))
    return found.group(0) if found and re.match(PARTIAL_DATE_PATTERN, found.group(0)) else None

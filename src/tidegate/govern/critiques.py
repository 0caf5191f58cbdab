# SPDX-License-Identifier: Apache-2.0
"""Independent critiques of reports: numbered points, each answered, accepted, or standing as open disagreement."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from tidegate.govern.records import Critique as CritiqueRecord
from tidegate.govern.reports import Report
from tidegate.kernel.canonical import canonical_bytes, digest_bytes, plain
from tidegate.kernel.documents import Document, did_you_mean
from tidegate.kernel.errors import Problem, ReportError
from tidegate.kernel.record import Record
from tidegate.policy.model import Id

SCHEMA_ID: Literal["tidegate/critique/v1"] = "tidegate/critique/v1"
Severity = Literal["blocking", "major", "minor"]
"""How much hangs on a point: the report should not be relied on before it is answered; a finding may change; less."""
OUTCOME_WORDS: Mapping[str | None, str] = {
    "answered": "answered",
    "accepted": "accepted",
    "stands": "stands",
    None: "stands, not answered",
}
"""State of a point, in words."""

Said = Annotated[str, StringConstraints(min_length=1, max_length=12_000)]


class Point(Record):
    """One point of a critique."""

    severity: Severity
    """How much hangs on it."""
    text: Said
    """The point."""
    thresholds: tuple[Id, ...] = ()
    """Thresholds that it is about."""
    records: tuple[str, ...] = ()
    """Evidence that it is about."""


class Critique(Record):
    """An independent critique of a report."""

    schema_: Literal["tidegate/critique/v1"] = Field(alias="schema", default=SCHEMA_ID)
    """Names this format."""
    report: str | None = None
    """The report; given when the critique is attached."""
    report_document: str | None = None
    """Digest of the report that the author read; given when the critique is attached."""
    independence: Said
    """How the author is independent of those who wrote the report, and what ties them to it."""
    summary: str = ""
    """The whole in a few words."""
    points: Annotated[tuple[Point, ...], Field(min_length=1, max_length=500)]
    """Points, numbered from 1 in their order."""

    @property
    def data(self) -> bytes:
        """The canonical bytes: what the store keeps and the digest is of."""
        return canonical_bytes({"schema": SCHEMA_ID, **plain(self)})

    @property
    def digest(self) -> str:
        """Digest of the canonical bytes."""
        return digest_bytes(self.data)

    @property
    def id(self) -> str:
        """Id: ``critique-`` and the beginning of the digest."""
        return f"critique-{self.digest.removeprefix('sha256:')[:12]}"


def read_critique(data: bytes) -> Critique:
    """Give the critique that canonical bytes stand for.

    Raises:
        ReportError: REP003, they are no critique, or not in canonical form.
    """
    try:
        made = Critique.model_validate(json.loads(data))
    except (ValidationError, ValueError, RecursionError) as error:
        raise ReportError(Problem("REP003", f"not a critique: {str(error).splitlines()[0]}")) from None
    if made.data != data:
        raise ReportError(Problem("REP003", "the critique is not in canonical form: its bytes were changed"))
    return made


def critique_problems(critique: Critique, report: Report, document: Document) -> Iterator[Problem]:
    """Give every threshold and record that the report does not have (REP003), with its place in the file."""
    thresholds = {one.threshold for one in report.thresholds}
    records = {one.id for one in report.records}
    for number, point in enumerate(critique.points):
        for part, named, known in (("thresholds", point.thresholds, thresholds), ("records", point.records, records)):
            for place, name in enumerate(named):
                if name not in known:
                    message = f"point {number + 1}: the report has no {part.removesuffix('s')} {name!r}"
                    where = document.where(("points", number, part, place))
                    yield Problem("REP003", message, where, did_you_mean(name, known))


@dataclass(frozen=True)
class Criticised:
    """A critique with what the log says of it."""

    record: CritiqueRecord
    """Who attached it, and the answers."""
    document: Critique
    """What it says."""

    def outcome(self, point: int) -> str | None:
        """Give the outcome of a point, counted from 1; none while nobody has answered it."""
        answer = self.record.answer(point)
        return None if answer is None else answer.outcome

    @property
    def standing(self) -> tuple[int, ...]:
        """Points that are not answered or stand as open disagreement."""
        every = range(1, len(self.document.points) + 1)
        return tuple(point for point in every if self.outcome(point) in (None, "stands"))

# SPDX-License-Identifier: Apache-2.0
"""Each half-year as it was last published: data that is kept, and one page that needs nothing else."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from tidegate.kernel.record import Record
from tidegate.publish.content import Content
from tidegate.publish.coverage import coverage
from tidegate.publish.hub.addresses import numbered, packed
from tidegate.publish.hub.parts import Hub, Link, Sheet
from tidegate.publish.inventory import Badge, worth

Half = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-H[12]$")]


class ArchivedStatement(Record):
    """A statement, as it was published."""

    text: str
    """The words."""
    badge: Badge
    """What it was worth."""
    as_of: date | None = None
    """Day for which it was true."""
    evidence: tuple[str, ...] = ()
    """Records that it named."""


class ArchivedPractice(Record):
    """A practice, as it was published."""

    id: str
    """Its id."""
    section: str
    """Title of its section."""
    title: str
    """Its title."""
    statements: tuple[ArchivedStatement, ...] = ()
    """Its statements."""


class ArchivedModel(Record):
    """A model, as it stood."""

    id: str
    """Its id."""
    name: str
    """Its name."""
    findings: dict[str, str] = Field(default_factory=dict)
    """Threshold -> finding."""
    gates: dict[str, bool] = Field(default_factory=dict)
    """Action -> whether its gate was open."""


class ArchivedCommitment(Record):
    """A framework, and how it was answered."""

    id: str
    """Its id."""
    title: str
    """Its title."""
    counts: dict[str, int] = Field(default_factory=dict)
    """State -> number of items."""


class Snapshot(Record):
    """What was published last in a half-year."""

    schema_: Literal["tidegate/hub-snapshot/v1"] = Field(alias="schema", default="tidegate/hub-snapshot/v1")
    """Names this format."""
    half: Half
    """The half-year, as ``2026-H2``."""
    at: date
    """Day of the publication."""
    organisation: str
    """Who published it."""
    policy: str
    """Label of the adopted policy."""
    origin: str | None = None
    """Name of the log."""
    size: int | None = None
    """Entries of the log."""
    root: str | None = None
    """Its root hash."""
    practices: tuple[ArchivedPractice, ...] = ()
    """Practices."""
    models: tuple[ArchivedModel, ...] = ()
    """Models."""
    commitments: tuple[ArchivedCommitment, ...] = ()
    """Commitments."""
    duties: dict[str, int] = Field(default_factory=dict)
    """State -> number of public duties."""
    hidden_duties: int = 0
    """How many duties were not public."""
    doubts: tuple[str, ...] = ()
    """Why the log could not be relied on."""


def half_of(day: date) -> str:
    """Give the half-year of a day.

    >>> half_of(date(2026, 6, 30)), half_of(date(2026, 7, 1))
    ('2026-H1', '2026-H2')
    """
    return f"{day.year:04d}-H{1 if day.month <= 6 else 2}"


def snapshot(content: Content) -> Snapshot:
    """Give what is published today, as it is kept."""
    head = content.head
    states: dict[str, int] = {}
    for one in content.duties:
        states[one.state] = states.get(one.state, 0) + 1
    return Snapshot(
        half=half_of(content.at),
        at=content.at,
        organisation=content.organisation,
        policy=content.policy.label,
        origin=head.origin if head else None,
        size=head.size if head else None,
        root=head.root if head else None,
        practices=tuple(_practices(content)),
        models=tuple(
            ArchivedModel(
                id=one.model.id,
                name=one.model.title,
                findings={each.threshold: each.finding for each in one.assessment.thresholds},
                gates={each.action: each.open for each in one.assessment.gates},
            )
            for one in content.models
        ),
        commitments=tuple(
            ArchivedCommitment(id=one.framework.id, title=one.framework.title, counts=dict(one.counts))
            for one in coverage(content)
        ),
        duties=states,
        hidden_duties=content.hidden_duties,
        doubts=content.doubts,
    )


def _practices(content: Content) -> Iterator[ArchivedPractice]:
    for one in content.publication.practices:
        section = content.sections.item(one.section)
        statements = []
        for each in one.statements:
            found = worth(each, one, content.inventory, content.at)
            statements.append(
                ArchivedStatement(text=each.text, badge=found.badge, as_of=found.as_of, evidence=each.evidence)
            )
        yield ArchivedPractice(
            id=one.id, section=section.title if section else one.section, title=one.title, statements=tuple(statements)
        )


def archive_page(half: str) -> str:
    """Give the page of a half-year."""
    return f"archive/{half}.html"


def archive_sheets(hub: Hub, kept: tuple[Snapshot, ...]) -> Iterator[Sheet]:
    """Give the list of half-years, and one page for each that needs no other file."""
    newest = sorted(kept, key=lambda one: one.half, reverse=True)
    rows = tuple(
        (Link(one.half, archive_page(one.half)), one.at.isoformat(), one.policy, len(one.practices), len(one.models))
        for one in newest
    )
    yield Sheet("archive/index.html", "archives.html", hub.say("Archive"), {"halves": rows}, nav="changes")
    for one in newest:
        yield from _half(hub, one)


def _half(hub: Hub, kept: Snapshot) -> Iterator[Sheet]:
    path = archive_page(kept.half)
    title = hub.say("%(name)s, %(half)s", name=kept.organisation, half=kept.half)
    runs = packed(kept.practices, _bytes)
    parts = tuple(Link(hub.say("Part %(n)s", n=n), numbered(path, n)) for n in range(1, len(runs) + 1))
    for number, practices in enumerate(runs, 1):
        view = {"kept": kept.model_copy(update={"practices": tuple(practices)}), "is_first": number == 1}
        yield Sheet(
            numbered(path, number), "archive.html", title, view, nav="changes", parts=parts if len(runs) > 1 else ()
        )


def _bytes(one: ArchivedPractice) -> int:
    return 200 + sum(int(1.1 * len(each.text.encode())) + 300 for each in one.statements)

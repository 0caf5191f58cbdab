# SPDX-License-Identifier: Apache-2.0
"""Reports that a law, a code or the own policy asks for, as data: sections of fields, each with what it answers.

A template is a file under `packs/reports`. A field is filled by the project's own answer to one of its items, or from
records by a source of that name; what neither fills is named as missing.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from tidegate.kernel.record import Record
from tidegate.obligations.model import Fact
from tidegate.policy.framework import FrameworkId, ItemRef
from tidegate.policy.model import Id
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.report_blocks import Block


class FieldSpec(Record):
    """A field of a report."""

    id: Id
    """Unique within the template; the key in the machine-readable form."""
    title: str
    """Its heading."""
    items: tuple[ItemRef, ...] = ()
    """Items of frameworks that it answers; answers and practices of the project refer to these."""
    source: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.]{0,59}$")] | None = None
    """What fills it from records: a name of `report_sources.SOURCES`."""
    required_of: tuple[Fact, ...] = ()
    """Facts of the organisation that make it required; empty: required of everybody."""
    optional: bool = False
    """True if its absence does not keep the report from being complete."""
    asks: str = ""
    """What it has to say, in our own words."""


class SectionSpec(Record):
    """A section of a report."""

    id: Id
    """Unique within the template."""
    title: str
    """Its heading."""
    intro: str = ""
    """A line under the heading."""
    fields: Annotated[tuple[FieldSpec, ...], Field(min_length=1)]
    """Fields, in order."""


class ReportTemplate(Record):
    """A kind of report."""

    schema_: Literal["tidegate/report-template/v1"] = Field(alias="schema")
    """Names this format."""
    id: Id
    """Names it: ``sb53-transparency``, ``eu-model-report``, ``risk-report`` ..."""
    version: str
    """Version of the template."""
    title: str
    """Title of the report."""
    subject: Literal["organisation", "model"]
    """Whether it is about the organisation or about one model."""
    frameworks: tuple[FrameworkId, ...] = ()
    """Frameworks whose items it answers."""
    note: str = ""
    """What a reader should know: status, source, what it is not."""
    sections: Annotated[tuple[SectionSpec, ...], Field(min_length=1)]
    """Sections, in order."""


@dataclass(frozen=True)
class Filling:
    """What fills a field."""

    blocks: tuple[Block, ...]
    """For readers."""
    data: Any = None
    """The same as plain JSON data, for machines."""
    refs: tuple[str, ...] = ()
    """Records that show it: ``assessment:<model>``, ``evidence:<id>`` ..."""
    as_of: date | None = None
    """Day for which it is true."""
    lacks: tuple[str, ...] = field(default=())
    """What is still missing in it, in words; anything here keeps the report from being complete."""


Source = Callable[[Content, PublishedModel | None], Filling | None]
"""Fills a field from records; none if they hold nothing for it."""

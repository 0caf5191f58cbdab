# SPDX-License-Identifier: Apache-2.0
"""External frameworks as data: laws, codes, commitments, standards and questionnaires, item by item.

What an item asks is in our own words. Packs ship under `packs/frameworks`; a newer questionnaire is another file.
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from tidegate.kernel.duration import Duration, PartialDate
from tidegate.kernel.record import Record

FrameworkId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,59}$")]
ItemId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,59}$")]
ItemRef = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,59}(#[A-Za-z0-9][A-Za-z0-9._+-]{0,59})?$")]
"""An item of a framework, ``sb53#12.c.1D``, or a whole framework, ``munich``."""

FrameworkKind = Literal[
    "law", "code", "standard", "voluntary_commitment", "questionnaire", "sections", "analysis", "crosswalk"
]
MAX_PARTS_DEPTH = 8
"""No framework has parts within parts deeper than this; what follows them is bounded by it."""

Status = Literal["active", "in_force", "enacted", "superseded", "past_stated_term", "no_longer_maintained", "draft"]


class FrameworkItem(Record):
    """One thing that a framework asks."""

    id: ItemId
    """Unique within the framework; the framework's own numbering where it has one."""
    title: str
    """A short name."""
    asks: str = ""
    """What it asks, in our own words."""
    group: str | None = None
    """Kind of item: ``transparency_report``, ``incident_class``, ``framework`` ... or a control group."""
    parent: ItemId | None = None
    """Item that it is a part of."""
    section: str | None = None
    """Section of the framework that it stands in."""
    applies_to: str | None = None
    """Whom it binds: ``frontier_developer``, ``large_frontier_developer``; none means all that the framework binds."""
    in_force_from: PartialDate | None = None
    """First day, if it is later than the framework's."""
    answer: Literal["text", "yes_no", "multi_part", "frequency"] | None = None
    """What kind of answer a question asks for. ``frequency``: how often something is done."""
    parts: tuple[str, ...] = ()
    """Parts that an answer has to have."""
    topic: tuple[str, ...] = ()
    """Words of which a text that answers it has to contain at least one: ``insider`` for an insider-threat question."""
    fields: tuple[str, ...] = ()
    """Fields of a report that it names."""
    see: tuple[ItemRef, ...] = ()
    """Related items: hub sections, items of other frameworks."""
    rules: tuple[str, ...] = ()
    """Rules of `packs/obligations` that watch its dates."""
    cadence: Duration | None = None
    """How often it asks for it, where it says so."""
    due: str | None = None
    """By when, in words: ``72 hours after determination or reasonable belief``."""
    to: str | None = None
    """Who has to receive it."""
    retention: str | None = None
    """How long it asks to keep records."""
    note: str | None = None
    """A remark: an uncertain reading, a secondary source."""
    artifact: str | None = None
    """In a crosswalk: the kind of record that answers all of `see`."""


class Framework(Record):
    """A framework, questionnaire or section tree."""

    schema_: Literal["tidegate/framework/v1"] = Field(alias="schema")
    """Names this format."""
    id: FrameworkId
    """Names it through all its versions."""
    version: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    """Version: a number or the date of the text."""
    title: str
    """Its title."""
    names: tuple[str, ...] = ()
    """Other names by which texts call it."""
    short: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    """A name of a few words, for lists that name many items; none means its title."""
    publisher: str
    """Who published it."""
    date: PartialDate
    """Date of the text."""
    source: str
    """Where it can be found."""
    kind: FrameworkKind
    """What it is."""
    status: Status
    """Its status."""
    in_force_from: PartialDate | None = None
    """First day in force, for laws and codes."""
    enforced_from: PartialDate | None = None
    """First day on which it is enforced, if later."""
    role: str | None = None
    """For a questionnaire: whom it asks, such as ``model_developer``; none means any."""
    regulator: str | None = None
    """Who receives and enforces."""
    penalty: str | None = None
    """What breaking it costs."""
    criteria: dict[str, str] = Field(default_factory=dict)
    """Whom and what it covers: name -> in words."""
    sections: dict[str, str] = Field(default_factory=dict)
    """Sections: id -> title."""
    note: str | None = None
    """A remark."""
    items: Annotated[tuple[FrameworkItem, ...], Field(min_length=1)]
    """What it asks."""

    @model_validator(mode="after")
    def _parts_end(self) -> "Framework":
        parents = {one.id: one.parent for one in self.items}
        for one in self.items:
            above, depth = one.parent, 0
            while above is not None:
                above, depth = parents.get(above), depth + 1
                if depth > MAX_PARTS_DEPTH:
                    raise ValueError(f"the item {one.id!r} is a part of itself, or of too many others")
        return self

    def item(self, item_id: str) -> FrameworkItem | None:
        """Give the item of this id."""
        return next((one for one in self.items if one.id == item_id), None)

    @property
    def name(self) -> str:
        """The shortest name that it has."""
        return self.short or self.title

    @property
    def label(self) -> str:
        """Id and version."""
        return f"{self.id}@{self.version}"

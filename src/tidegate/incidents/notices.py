# SPDX-License-Identifier: Apache-2.0
"""Drafts of the statutory notices: templates as data, fields filled from the record, what is missing named as missing."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from tidegate.incidents.model import TIME_MEANINGS, Incident, TimeName
from tidegate.incidents.questions import ClassFinding, answers_of, classify, read_pack
from tidegate.kernel.clock import Instant
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import IncidentError, Problem
from tidegate.kernel.record import Record
from tidegate.obligations.model import RuleId

Source = Literal["summary", "models", "evidence", "classes", "internal_use", "contact"] | TimeName
"""What of the record fills a field: words, models, evidence, the classes that apply, an answer, a time."""
FieldId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class NoticeField(Record):
    """A field that a notice has."""

    id: FieldId
    """Names it; words for it are recorded under this name."""
    title: str
    """Its title."""
    asks: str
    """What is to stand in it."""
    from_: tuple[Source, ...] = Field(alias="from", default=())
    """What of the record fills it besides words that were recorded for it."""
    may_follow: bool = False
    """True if the law lets it follow in a later report."""


class NoticeTemplate(Record):
    """A notice that a law asks for."""

    id: str
    """Names it."""
    title: str
    """Its title."""
    kind: Literal["initial", "interim", "final"] = "initial"
    """Which of several it is."""
    law: str
    """Law."""
    rules: Annotated[tuple[RuleId, ...], Field(min_length=1)]
    """Rules whose duty it meets."""
    to: str
    """Who receives it."""
    item: str
    """Item of the law that lists its fields."""
    fields: Annotated[tuple[NoticeField, ...], Field(min_length=1)]
    """Fields, in their order."""


class NoticeFile(Record):
    """The pack of notices."""

    schema_: Literal["tidegate/notices/v1"] = Field(alias="schema")
    """Names this format."""
    version: str
    """Version of the pack."""
    notices: tuple[NoticeTemplate, ...]
    """Notices."""


@dataclass(frozen=True)
class DraftField:
    """A field of a draft."""

    field: NoticeField
    words: str
    """What stands in it; empty if it is missing."""

    @property
    def is_missing(self) -> bool:
        """True if the record has nothing for it."""
        return not self.words


@dataclass(frozen=True)
class Sender:
    """Who sends a notice."""

    organisation: str
    contact: str = ""


@dataclass(frozen=True)
class Draft:
    """A notice, as far as the record fills it."""

    template: NoticeTemplate
    rule: str
    incident: str
    title: str
    sender: Sender
    at: Instant
    """Moment in which it was drafted."""
    fields: tuple[DraftField, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Fields that it states as missing."""
        return tuple(one.field.id for one in self.fields if one.is_missing)


@cache
def notice_templates() -> tuple[NoticeTemplate, ...]:
    """Give the notices that ship with Tidegate."""
    return read_pack("notices", NoticeFile).notices


def find_template(rule: str) -> NoticeTemplate:
    """Give the notice that meets a rule.

    Raises:
        IncidentError: INC003, there is none.
    """
    known = {name: one for one in notice_templates() for name in one.rules}
    if rule not in known:
        hint = did_you_mean(rule, known) or f"rules with a notice: {', '.join(known)}"
        raise IncidentError(Problem("INC003", f"there is no notice for the rule {rule!r}", None, hint))
    return known[rule]


def field_names() -> tuple[str, ...]:
    """Give the names of all fields for which words can be recorded."""
    return tuple(dict.fromkeys(one.id for template in notice_templates() for one in template.fields))


def refuse_unknown_fields(names: Iterable[str]) -> None:
    """Let names of fields pass.

    Raises:
        IncidentError: INC003, no notice has such a field.
    """
    known = field_names()
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"fields: {', '.join(known)}"
            raise IncidentError(Problem("INC003", f"no notice has a field {name!r}", None, hint))


def draft(incident: Incident, rule: str, sender: Sender, at: Instant) -> Draft:
    """Give the notice that meets a rule, filled from the record.

    Raises:
        IncidentError: INC003, no notice meets the rule.
    """
    template = find_template(rule)
    filling = _Filling(incident, classify(incident), template, sender)
    fields = tuple(DraftField(one, filling.words(one)) for one in template.fields)
    return Draft(template, rule, incident.id, incident.title, sender, at, fields)


@dataclass(frozen=True)
class _Filling:
    incident: Incident
    findings: tuple[ClassFinding, ...]
    template: NoticeTemplate
    sender: Sender

    def words(self, field: NoticeField) -> str:
        """Give what stands in a field: words recorded for it come first, and take the place of the summary."""
        own = self.incident.fields.get(field.id, "")
        parts = [own, *(self._from(source) for source in field.from_ if not (own and source in ("summary", "contact")))]
        return "\n\n".join(part for part in parts if part)

    def _from(self, source: Source) -> str:
        match source:
            case "summary":
                return self.incident.summary
            case "models":
                return ", ".join(self.incident.models)
            case "evidence":
                return f"On record: {', '.join(self.incident.evidence)}" if self.incident.evidence else ""
            case "classes":
                return self._classes()
            case "internal_use":
                return _YES_NO.get(answers_of(self.incident).get("internal_use", "unknown"), "")
            case "contact":
                return self.sender.contact
            case _:
                stated = self.incident.times.get(source)
                return f"{stated.at}: {TIME_MEANINGS[source]}." if stated is not None else ""

    def _classes(self) -> str:
        applying = [one.kind for one in self.findings if one.verdict == "applies" and one.kind.law == self.template.law]
        return "\n\n".join(f"{kind.title} ({kind.item})." for kind in applying)


_YES_NO = {"yes": "Yes.", "no": "No."}

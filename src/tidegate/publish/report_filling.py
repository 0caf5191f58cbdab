# SPDX-License-Identifier: Apache-2.0
"""Reports from templates: each field is filled by words and records of the organisation, or named as missing.

Answers come first, then the statements of practices, then what is computed from records. What a law asks only of
others is told apart from what is missing; nothing is left out in silence.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from tidegate.kernel.documents import Document, did_you_mean, parse_document, validate_part
from tidegate.kernel.errors import Problem, PublicationError
from tidegate.policy.framework import Framework
from tidegate.policy.frameworks import find_item
from tidegate.publish.answer_words import is_only_a_pointer
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.coverage import Answers
from tidegate.publish.inventory import BADGE_WORDS, Badge, weakest, worth
from tidegate.publish.practices import Practice, Statement
from tidegate.publish.report_blocks import Block, Cell, Mark, Page, Paragraph, Section, cell, cites, grid, listing
from tidegate.publish.report_sources import SOURCES
from tidegate.publish.report_templates import FieldSpec, Filling, ReportTemplate, SectionSpec, Source
from tidegate.publish.report_words import (
    BADGE_STYLES,
    Hub,
    Saying,
    absent_practices,
    anchors_of,
    answer_sayings,
    answer_to,
    cited_in,
    dangling,
    footer,
    force_json,
    force_of,
    general_answers,
    heading_json,
    hub_of,
    is_about,
    named_practices,
    oldest,
    practice_sayings,
    practices_for,
    records_section,
    saying_blocks,
)
from tidegate.publish.words import shortened

FieldState = Literal["filled", "partial", "missing", "not_applicable", "not_required"]
"""How a field stands. ``partial``: something in it is missing; ``not_applicable``: the organisation says so, with its
reason; ``not_required``: it is asked only of others, and nothing was given."""
STATE_WORDS: Mapping[FieldState, str] = {
    "filled": "filled",
    "partial": "partial",
    "missing": "missing",
    "not_applicable": "not applicable",
    "not_required": "not required",
}
_STATE_STYLES: Mapping[FieldState, str] = {
    "filled": "ruled_out",
    "partial": "not_ruled_out",
    "missing": "reached",
    "not_applicable": "inconclusive",
    "not_required": "inconclusive",
}
_SUFFIX = ".yaml"
_WRITTEN_IN: Mapping[str, str] = {
    "organisation.website": "`website` in tidegate.yaml",
    "organisation.contact": "`contact` in tidegate.yaml",
    "model.website": "`website` in tidegate.yaml",
    "model.released": "`released` in the file of the model under models/",
    "model.languages": "`languages` on the model's page in hub/",
    "model.outputs": "`outputs` on the model's page in hub/",
    "model.intended_uses": "`intended_uses` on the model's page in hub/",
    "model.restrictions": "`restrictions` on the model's page in hub/",
    "model.description": "`description` on the model's page in hub/",
}
"""Source -> where a person writes what it reads."""


@dataclass(frozen=True)
class FilledField:
    """A field, with everything that fills it."""

    spec: FieldSpec
    state: FieldState
    reason: str
    """Why it stands so."""
    is_required: bool
    """True if the organisation is one of those that it is asked of."""
    sayings: tuple[Saying, ...] = ()
    filling: Filling | None = None
    lacks: tuple[str, ...] = ()
    """What is missing in it, in words."""
    badge: Badge | None = None
    """Badge of its weakest part; none if nothing fills it."""
    as_of: date | None = None
    """Day of its oldest part."""
    is_faulty: bool = False
    """True if something is wrong with words that were given, whether they were asked for or not."""

    @property
    def blocks_final(self) -> bool:
        """True if the report cannot become final because of it."""
        return self.state == "missing" or (self.state == "partial" and (self.is_required or self.is_faulty))

    @property
    def refs(self) -> tuple[str, ...]:
        """Records that it cites, each once."""
        said = [ref for one in self.sayings for ref in one.refs]
        return tuple(dict.fromkeys((*said, *(self.filling.refs if self.filling else ()))))

    @property
    def to_do(self) -> str:
        """What a person has to do about it."""
        if self.lacks:
            return f"put right: {'; '.join(self.lacks)}"
        ways = [f"answer `{self.spec.items[0]}` in a file of hub/"] if self.spec.items else []
        place = _WRITTEN_IN.get(self.spec.source or "")
        if place is not None:
            ways.insert(0, f"write {place}")
        elif self.spec.source is not None:
            ways.append(f"record what `{self.spec.source}` is computed from")
        return ", or ".join(ways) or "nothing fills it: correct the template"


@dataclass(frozen=True)
class FilledReport:
    """A report, field by field."""

    template: ReportTemplate
    content: Content
    model: PublishedModel | None
    facts: frozenset[str]
    sections: tuple[tuple[SectionSpec, tuple[FilledField, ...]], ...]

    @property
    def fields(self) -> tuple[FilledField, ...]:
        """Every field, in order."""
        return tuple(one for _, fields in self.sections for one in fields)

    @property
    def missing(self) -> tuple[FilledField, ...]:
        """Fields that keep the report from being complete."""
        return tuple(one for one in self.fields if one.blocks_final)

    @property
    def is_complete(self) -> bool:
        """True if nothing keeps it from becoming final."""
        return not self.missing

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps it from becoming final, field by field, with what to do."""
        return tuple(
            Problem("PUB001", f"{_named(one.spec)}: {STATE_WORDS[one.state]}, {one.reason}", None, one.to_do)
            for one in self.missing
        )

    def to_page(self, *, is_final: bool = False, hub: str = "") -> Page:
        """Give the page; ``hub`` is the address of the hub, if the page does not stand at its root.

        Raises:
            PublicationError: PUB001, it is to be final and a field is missing.
        """
        if is_final and self.problems:
            raise PublicationError(*self.problems)
        return _page(self, is_final, hub_of(self.content, hub))

    def to_json(self, *, is_final: bool = False) -> dict[str, Any]:
        """Give the report as plain data, of the form that `report_schemas.report_schema` describes.

        Raises:
            PublicationError: PUB001, it is to be final and a field is missing.
        """
        if is_final and self.problems:
            raise PublicationError(*self.problems)
        return {
            "schema": schema_name(self.template),
            "title": self.template.title,
            **heading_json(self.content),
            "model": {"id": self.model.model.id, "name": self.model.model.title} if self.model else None,
            "status": "final" if is_final else "draft",
            "is_complete": self.is_complete,
            "facts": sorted(self.facts),
            "frameworks": [force_json(force_of(one, self.content.at)) for one in _frameworks(self)],
            "fields": {one.spec.id: _field_json(one) for one in self.fields},
            "missing": [
                {
                    "field": one.spec.id,
                    "title": one.spec.title,
                    "items": list(one.spec.items),
                    "state": one.state,
                    "reason": one.reason,
                    "to_do": one.to_do,
                }
                for one in self.missing
            ],
        }


def schema_name(template: ReportTemplate) -> str:
    """Give the name of a report's machine-readable form."""
    return f"tidegate/report/{template.id}/v{template.version}"


# --- templates -----------------------------------------------------------------------------------------


def template_names() -> tuple[str, ...]:
    """Give the ids of the templates that ship with Tidegate, sorted."""
    folder = resources.files("tidegate.packs") / "reports"
    return tuple(sorted(one.name.removesuffix(_SUFFIX) for one in folder.iterdir() if one.name.endswith(_SUFFIX)))


def templates() -> tuple[ReportTemplate, ...]:
    """Give the templates that ship with Tidegate, sorted by id."""
    return tuple(_shipped(name) for name in template_names())


def find_template(template_id: str, extra: Iterable[ReportTemplate] = ()) -> ReportTemplate:
    """Give the template of this id; those of `extra` come before shipped ones.

    Raises:
        PublicationError: PUB002, there is no such template.
    """
    own = {one.id: one for one in extra}
    if template_id in own:
        return own[template_id]
    names = template_names()
    if template_id not in names:
        known = sorted({*names, *own})
        hint = did_you_mean(template_id, known) or f"kinds: {', '.join(known)}"
        raise PublicationError(Problem("PUB002", f"there is no kind of report {template_id!r}", None, hint))
    return _shipped(template_id)


def parse_template(document: Document) -> ReportTemplate:
    """Give the template that a document holds.

    Raises:
        DocumentError: DOC007 to DOC009, with line and column.
        PublicationError: PUB002, a field names a source that does not exist; PUB003, two fields have the same id.
    """
    template = validate_part(document, ReportTemplate)
    problems: list[Problem] = []
    seen: set[str] = set()
    for at, section in enumerate(template.sections):
        for number, one in enumerate(section.fields):
            where = document.where(("sections", at, "fields", number))
            if one.source is not None and one.source not in _sources():
                hint = did_you_mean(one.source, _sources())
                problems.append(Problem("PUB002", f"there is no source {one.source!r}", where, hint))
            if one.id in seen:
                problems.append(Problem("PUB003", f"there is a field {one.id} already", where))
            seen.add(one.id)
    if problems:
        raise PublicationError(*problems)
    return template


@lru_cache(maxsize=64)
def _shipped(name: str) -> ReportTemplate:
    # Packs are part of the installed program: what they hold does not change while it runs.
    source = resources.files("tidegate.packs") / "reports" / f"{name}{_SUFFIX}"
    return parse_template(parse_document(source.read_bytes(), f"packs/reports/{name}{_SUFFIX}"))


def check_items(template: ReportTemplate, frameworks: Mapping[str, Framework]) -> None:
    """Return only if every item that the template names exists.

    Raises:
        PublicationError: PUB002, with every framework and item that is not known.
    """
    problems: list[Problem] = []
    named = [ref for section in template.sections for one in section.fields for ref in one.items]
    for ref in dict.fromkeys((*template.frameworks, *named)):
        try:
            find_item(ref, frameworks)
        except PublicationError as error:
            problems += error.problems
    if problems:
        raise PublicationError(*problems)


def machine_readable(content: Content, model: PublishedModel | None) -> Filling:
    """Say that the report is there for machines, which one of the laws asks for."""
    about = f" about {model.model.title}" if model else ""
    words = f"This report{about} is also published as JSON: every field with its data, described by a JSON Schema."
    return Filling((Paragraph((words,)),), {"form": "application/json"}, (), content.at)


def _sources() -> Mapping[str, Source]:
    return {**SOURCES, "report.machine_readable": machine_readable}


# --- filling -------------------------------------------------------------------------------------------


def fill(
    template: ReportTemplate,
    content: Content,
    model: PublishedModel | None = None,
    facts: Iterable[str] = (),
) -> FilledReport:
    """Give the report: every field is filled, or says why it is not.

    ``facts`` is what is so of the organisation: a field that is asked only of others is not required.
    """
    asked = _Asked(Answers(content), model, frozenset(facts))
    sections = tuple((section, tuple(_filled(one, asked) for one in section.fields)) for section in template.sections)
    return FilledReport(template, content, model, asked.facts, sections)


@dataclass(frozen=True)
class _Asked:
    """What fields are filled from."""

    answers: Answers
    model: PublishedModel | None
    facts: frozenset[str]

    @property
    def content(self) -> Content:
        return self.answers.content


def _filled(spec: FieldSpec, asked: _Asked) -> FilledField:
    content = asked.content
    absent = sorted(set(spec.required_of) - asked.facts)
    excused = _not_applicable(spec, asked)
    if excused:
        return FilledField(spec, "not_applicable", excused, is_required=not absent)
    sayings, faults = _said(spec, asked)
    filling = _sources()[spec.source](content, asked.model) if spec.source else None
    if not sayings and (filling is None or not (filling.blocks or filling.lacks)):
        return _unfilled(spec, absent, faults)
    if filling is None or not filling.blocks:
        faults = (*faults, *_outdated(sayings))
    lacks = (*faults, *(filling.lacks if filling else ()))
    badges = [one.worth.badge for one in sayings]
    if filling is not None and filling.blocks:
        badges.append(filling_badge(filling, content))
    return FilledField(
        spec,
        "partial" if lacks else "filled",
        lacks[0] if lacks else "",
        is_required=not absent,
        sayings=sayings,
        filling=filling,
        lacks=lacks,
        badge=weakest(badges) if badges else None,
        as_of=oldest((*(one.worth.as_of for one in sayings), filling.as_of if filling else None)),
        is_faulty=bool(faults),
    )


def _outdated(sayings: tuple[Saying, ...]) -> tuple[str, ...]:
    """Say why none of the words can be taken as true on the day; nothing if some can."""
    found = [one.worth.outdated for one in sayings if one.worth.outdated]
    return (f"nothing that is said holds on the day: {found[0]}",) if found and len(found) == len(sayings) else ()


def _unfilled(spec: FieldSpec, absent: list[str], lacks: tuple[str, ...]) -> FilledField:
    if lacks:
        return FilledField(spec, "missing", lacks[0], is_required=not absent, lacks=lacks)
    if absent:
        facts = ", ".join(one.replace("_", " ") for one in absent)
        reason = f"asked only of a {facts}, which the organisation does not say it is"
        return FilledField(spec, "not_required", reason, is_required=False)
    if spec.optional:
        return FilledField(spec, "not_required", "it may be left out", is_required=False)
    return FilledField(spec, "missing", "nothing on record fills it", is_required=True)


def filling_badge(filling: Filling, content: Content) -> Badge:
    """Give what is worth what came from a source: its weakest statement, else what its records are worth."""
    stated = _stated_badges(filling)
    if stated:
        return weakest(stated)
    statement = Statement.model_construct(text="-", evidence=filling.refs, as_of=filling.as_of or content.at)
    return worth(statement, None, content.inventory, content.at).badge


def _stated_badges(filling: Filling) -> tuple[Badge, ...]:
    """Give the badges of the statements that a filling is made of; none if it is no list of statements."""
    data = filling.data if isinstance(filling.data, list) else []
    badges = tuple(one["badge"] for one in data if isinstance(one, dict) and one.get("badge") in BADGE_WORDS)
    return badges if len(badges) == len(data) else ()


def _not_applicable(spec: FieldSpec, asked: _Asked) -> str:
    """Give why a field does not apply, if somebody says so of every item of it; else nothing."""
    reasons = [_reason_against(ref, asked) for ref in spec.items]
    return "; ".join(dict.fromkeys(reasons)) if all(reasons) else ""


def _reason_against(ref: str, asked: _Asked) -> str:
    answer = answer_to(ref, asked.content, asked.model)
    if answer is not None:
        return answer.text or "" if answer.choice == "not_applicable" else ""
    framework, _, item = ref.partition("#")
    made = next((one for one in asked.content.commitments if one.framework == framework), None)
    if made is None:
        return ""
    whole = (made.reason or "") if made.stance == "not_applicable" else ""
    return made.not_applicable.get(item, whole)


def _said(spec: FieldSpec, asked: _Asked) -> tuple[tuple[Saying, ...], tuple[str, ...]]:
    """Give what the organisation says to the items of a field, and what is wrong with it."""
    content = asked.content
    sayings: list[Saying] = []
    practices: list[Practice] = []
    lacks: list[str] = []
    for ref in spec.items:
        answer = answer_to(ref, content, asked.model)
        general = general_answers(ref, asked.answers) if answer is None and asked.model is None else ()
        for one in (answer, *general):
            if one is None:
                continue
            named = named_practices(one, content)
            practices += [practice for practice in named if is_about(practice, asked.model)]
            lacks += [
                f"the answer to `{one.to}` names the practice {practice.id}, which is about other models"
                for practice in named
                if not is_about(practice, asked.model)
            ]
            lacks += [
                f"the answer to `{one.to}` names a practice {name}, which there is not"
                for name in absent_practices(one, content)
            ]
            if one.choice == "not_applicable":
                lacks += () if one.text else (f"the answer to `{one.to}` says that it does not apply, and not why",)
            else:
                sayings += answer_sayings(one, content)
        practices += practices_for(ref, asked.answers, asked.model)
    lacks += [
        f"the answer only says where to look: {shortened(one.text, 80)}"
        for one in sayings
        if is_only_a_pointer(one.text)
    ]
    found = (*dict.fromkeys(sayings), *practice_sayings(practices, content))
    lacks += [f"it cites {ref}, which does not exist" for ref in dangling(found)]
    return found, tuple(lacks)


# --- for machines --------------------------------------------------------------------------------------


def _field_json(one: FilledField) -> dict[str, Any]:
    filling = one.filling
    return {
        "title": one.spec.title,
        "items": list(one.spec.items),
        "state": one.state,
        "reason": one.reason or None,
        "is_required": one.is_required,
        "badge": one.badge,
        "as_of": one.as_of.isoformat() if one.as_of else None,
        "statements": [said.to_json() for said in one.sayings],
        "data": filling.data if filling else None,
        "records": list(filling.refs) if filling else [],
        "lacks": list(one.lacks),
    }


# --- for readers ---------------------------------------------------------------------------------------


def _named(spec: FieldSpec) -> str:
    items = ", ".join(spec.items)
    return f"{spec.title} ({items})" if items else spec.title


def _frameworks(report: FilledReport) -> tuple[Framework, ...]:
    known = report.content.frameworks
    return tuple(known[name] for name in report.template.frameworks if name in known)


def _page(report: FilledReport, is_final: bool, hub: Hub) -> Page:
    template, content = report.template, report.content
    about = report.model.model.title if report.model else content.organisation
    sections = [_summary(report)]
    for section, fields in report.sections:
        intro = (Paragraph((section.intro,)),) if section.intro else ()
        sections.append(Section(section.title, intro, anchor=f"section-{section.id}"))
        sections += [_field_section(one, content, hub) for one in fields]
    refs = [ref for one in report.fields for ref in (*one.refs, *_shown(one, content))]
    cited = records_section(refs, content, hub)
    return Page(
        title=f"{template.title}: {about}",
        lead=" ".join((f"Published by {content.organisation}, as of {content.at.isoformat()}.", template.note)).strip(),
        status=_status(report, is_final),
        is_final=is_final,
        problems=() if is_final else tuple(f"{one.message}. To do: {one.hint}." for one in report.problems),
        sections=(*sections, *((cited,) if cited else ())),
        anchors=anchors_of(refs),
        footer=footer(content),
    )


def _shown(one: FilledField, content: Content) -> tuple[str, ...]:
    """Give the known records that what a source made cites."""
    cited = cited_in(one.filling.blocks) if one.filling else ()
    return tuple(ref for ref in cited if content.inventory.find(ref) is not None)


def _status(report: FilledReport, is_final: bool) -> str:
    if is_final:
        return "Final: every required field is filled."
    if report.is_complete:
        return "Draft: every required field is filled, and nobody has made it final."
    required = sum(one.blocks_final or (one.is_required and not one.spec.optional) for one in report.fields)
    return f"Draft: {len(report.missing)} of {required} required fields are missing or partial."


def _summary(report: FilledReport) -> Section:
    forces = [force_of(one, report.content.at) for one in _frameworks(report)]
    blocks: list[Block] = [Paragraph((one.words,)) for one in forces if one.words]
    blocks += [Paragraph((one,)) for one in _not_asked(report)]
    blocks += grid(
        "Fields of this report", ("Field", "Answers", "State", "Shown by", "As of"), map(_row, report.fields)
    )
    return Section("How complete it is", tuple(blocks), anchor="completeness")


def _not_asked(report: FilledReport) -> Iterator[str]:
    """Say which fields are not required only because the organisation declares not to be what they are asked of."""
    by_fact: dict[str, int] = {}
    for one in report.fields:
        for fact in sorted(set(one.spec.required_of) - report.facts):
            by_fact[fact] = by_fact.get(fact, 0) + 1
    for fact, count in by_fact.items():
        fields = "1 field is" if count == 1 else f"{count} fields are"
        yield f"{report.content.organisation} does not declare to be a {fact.replace('_', ' ')}: {fields} not required."


def _row(one: FilledField) -> tuple[Cell, ...]:
    badge = (Mark(BADGE_WORDS[one.badge], BADGE_STYLES[one.badge]),) if one.badge else ()
    return (
        (one.spec.title,),
        (", ".join(one.spec.items),),
        (Mark(STATE_WORDS[one.state], _STATE_STYLES[one.state]),),
        badge,
        cell(one.as_of.isoformat() if one.as_of else None),
    )


def _field_section(one: FilledField, content: Content, hub: Hub) -> Section:
    blocks: list[Block] = []
    if one.state in ("missing", "not_applicable", "not_required"):
        to_do = f". To do: {one.to_do}." if one.state == "missing" else "."
        blocks.append(Paragraph((Mark(STATE_WORDS[one.state], _STATE_STYLES[one.state]), f": {one.reason}{to_do}")))
    for saying in one.sayings:
        blocks += saying_blocks(saying, hub)
    if one.filling is not None and one.filling.blocks:
        blocks += one.filling.blocks
        if not _stated_badges(one.filling):
            blocks.append(Paragraph(_computed_line(one.filling, content)))
    if one.state == "partial":
        blocks += listing("Missing in it", one.lacks)
    return Section(one.spec.title, tuple(blocks), level=3, anchor=f"field-{one.spec.id}")


def _computed_line(filling: Filling, content: Content) -> Cell:
    badge = filling_badge(filling, content)
    day = (filling.as_of or content.at).isoformat()
    words = f", from the files and records of the project, as of {day}"
    mark = Mark(BADGE_WORDS[badge], BADGE_STYLES[badge])
    return cell(mark, f"{words}; records: " if filling.refs else words, *cites(filling.refs))

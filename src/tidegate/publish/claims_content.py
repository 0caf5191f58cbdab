# SPDX-License-Identifier: Apache-2.0
"""A project's publication as input of the claim linter."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import PublicationError, Where
from tidegate.policy.framework import Framework, FrameworkItem
from tidegate.policy.frameworks import find_item
from tidegate.publish.claim_input import Broken, Citation, Claims, Part, Passage, Pointer, Reply, Said
from tidegate.publish.claims_text import reply_of
from tidegate.publish.content import Content
from tidegate.publish.coverage import Answers
from tidegate.publish.inventory import worth
from tidegate.publish.practices import Answer, ModelPage, Practice, Statement

PROJECT = Where("tidegate.yaml")
RECORDS = "records"
"""Part that stands for what records answer by themselves."""
_PAGE_FIELDS = ("description", "intended_uses", "restrictions", "limits", "behaviour", "safeguards", "training_data")


def claims_of(content: Content, places: Mapping[str, Where]) -> Claims:
    """Give what a project claims in public.

    Args:
        content: what it publishes.
        places: ``practice:<id>``, ``practice:<id>#<number of the statement>``, ``answer:<item>``, ``model:<id>`` and
            ``commitment:<framework>`` -> where it stands.
    """
    return _Project(content, places).claims()


@dataclass(frozen=True)
class _Project:
    content: Content
    places: Mapping[str, Where]

    @cached_property
    def answers(self) -> Answers:
        return Answers(self.content)

    @cached_property
    def practices(self) -> Mapping[str, Practice]:
        return {one.id: one for one in self.content.publication.practices}

    def claims(self) -> Claims:
        return Claims(
            parts=tuple(self._parts()),
            said=tuple(self._said()),
            replies=tuple(self._replies()),
            listed=tuple(
                Citation(self._title(one.framework), one.framework, self._at(f"commitment:{one.framework}"))
                for one in self.content.commitments
                if one.stance in ("adhered", "bound")
            ),
            broken=tuple(self._broken()),
            start=PROJECT,
            by_id=True,
            knows_records=True,
        )

    def _at(self, *names: str) -> Where:
        return next((self.places[one] for one in names if one in self.places), PROJECT)

    def _title(self, framework: str) -> str:
        known = self.content.frameworks.get(framework)
        return known.title if known is not None else framework

    # --- parts and what they say

    def _parts(self) -> Iterator[Part]:
        for section in self.content.sections.items:
            yield Part(section.id, section.title, PROJECT, section.parent)
        for one in self.practices.values():
            where = self._at(f"practice:{one.id}")
            yield Part(f"practice:{one.id}", one.title, where, one.section, tuple(self._cites(one, where)))
        for page in self.content.publication.pages:
            yield Part(f"model:{page.model}", page.model, self._at(f"model:{page.model}"))
        # What answers cite, and what records answer by their kind, is no orphan either.
        seen = {ref.partition("#")[0] for ref in self._answered_otherwise()}
        yield Part(
            RECORDS, "Records and answers", PROJECT, None, tuple(Citation(one, one, PROJECT) for one in sorted(seen))
        )

    def _answered_otherwise(self) -> Iterator[str]:
        yield from (one.to for one in self.content.publication.answers)
        for concept, _ in self.answers.records():
            yield from self.answers.concepts[concept].see

    def _cites(self, practice: Practice, where: Where) -> Iterator[Citation]:
        refs = [ref for ref, _ in self.answers.items_of(practice)]
        by_item = {ref.partition("#")[0] for ref in refs if "#" in ref}
        for ref in refs:
            framework = ref.partition("#")[0]
            yield Citation(ref, framework, where, is_whole=framework not in by_item)

    def _said(self) -> Iterator[Said]:
        for practice in self.practices.values():
            for number, one in enumerate(practice.statements):
                where = self._at(f"practice:{practice.id}#{number}", f"practice:{practice.id}")
                yield self._statement(one, practice, f"practice:{practice.id}", where)
        for page in self.content.publication.pages:
            for one in _page_statements(page):
                yield self._statement(one, None, f"model:{page.model}", self._at(f"model:{page.model}"))

    def _statement(self, one: Statement, practice: Practice | None, part: str, where: Where) -> Said:
        about = (part.removeprefix("model:"),) if practice is None else ()
        value = worth(one, practice, self.content.inventory, self.content.at, about)
        return Said(
            Passage(_flat(one.text), where),
            part,
            shown=value.badge in ("verified", "attested"),
            as_of=value.as_of,
            aged=value.reason if value.badge == "aged" and value.as_of is not None else None,
            owner=practice.owner if practice else None,
            cadence=practice.cadence if practice else None,
        )

    # --- answers

    def _replies(self) -> Iterator[Reply]:
        answered: set[str] = set()
        for answer in self.content.publication.answers:
            question = self._question(answer.to)
            answered.add(answer.to)
            if question is not None and answer.choice != "not_applicable":
                yield self._reply(answer, question)
        for framework in self._questionnaires():
            for question in framework.items:
                ref = f"{framework.id}#{question.id}"
                naming = [one for one in self.practices.values() if ref in one.commitments]
                if ref not in answered and naming and question.answer is not None:
                    yield self._by_practices(question, ref, naming)

    def _questionnaires(self) -> Iterator[Framework]:
        return (one for one in self.content.frameworks.values() if one.kind == "questionnaire")

    def _question(self, ref: str) -> FrameworkItem | None:
        try:
            _, item = find_item(ref, self.content.frameworks)
        except PublicationError:
            return None
        return item if item is not None and item.answer is not None else None

    def _reply(self, answer: Answer, question: FrameworkItem) -> Reply:
        resting = [self.practices[one] for one in answer.practices if one in self.practices]
        words = answer.text or answer.choice or "; ".join(one.title for one in resting)
        where = self._at(f"answer:{answer.to}")
        made = reply_of(question, answer.to, Passage(_flat(words), where))
        links = tuple(one for one in made.pointers if one.target is not None)
        return replace(
            made,
            own_words=made.own_words if answer.text or answer.choice else "",
            pointers=(*links, *_to(resting, where)),
            shown=self._shows(answer.to, "answer"),
            as_of=answer.as_of,
            cadence=_cadence(resting),
        )

    def _by_practices(self, question: FrameworkItem, ref: str, naming: list[Practice]) -> Reply:
        where = self._at(f"practice:{naming[0].id}")
        words = "\n\n".join(one.text for practice in naming for one in practice.statements)
        return Reply(
            question,
            ref,
            Passage(_flat(words), where),
            _flat(words),
            tuple(_to(naming, where)),
            shown=self._shows(ref, "practice"),
            cadence=_cadence(naming),
        )

    def _shows(self, ref: str, kind: str) -> bool:
        return any(one.shows for one in self.answers.to(ref) if one.kind == kind)

    # --- references that name nothing

    def _broken(self) -> Iterator[Broken]:
        for one in self.practices.values():
            yield from self._broken_in_practice(one)
        for answer in self.content.publication.answers:
            where = self._at(f"answer:{answer.to}")
            yield from self._unknown_items((answer.to,), where)
            yield from self._unknown_records(answer.evidence, where)
            lost = (name for name in answer.practices if name not in self.practices)
            yield from (Broken(f"practice {name}", where, did_you_mean(name, self.practices)) for name in lost)
        for page in self.content.publication.pages:
            for said in _page_statements(page):
                yield from self._unknown_records(said.evidence, self._at(f"model:{page.model}"))
        for made in self.content.commitments:
            if made.framework not in self.content.frameworks:
                near = did_you_mean(made.framework, self.content.frameworks)
                yield Broken(f"framework {made.framework}", self._at(f"commitment:{made.framework}"), near)
                continue
            left_out = (f"{made.framework}#{item}" for item in made.not_applicable)
            yield from self._unknown_items(left_out, self._at(f"commitment:{made.framework}"))

    def _broken_in_practice(self, one: Practice) -> Iterator[Broken]:
        where = self._at(f"practice:{one.id}")
        sections = {section.id for section in self.content.sections.items}
        if one.section not in sections:
            yield Broken(f"section {one.section}", where, did_you_mean(one.section, sections))
        yield from self._unknown_items(one.commitments, where)
        yield from self._unknown_records(one.evidence, where)
        for number, said in enumerate(one.statements):
            yield from self._unknown_records(said.evidence, self._at(f"practice:{one.id}#{number}"))

    def _unknown_items(self, refs: Iterable[str], where: Where) -> Iterator[Broken]:
        known = {**self.content.frameworks, self.content.crosswalk.id: self.content.crosswalk}
        for ref in refs:
            try:
                find_item(ref, known)
            except PublicationError as error:
                yield Broken(f"item {ref}", where, error.problems[0].hint)

    def _unknown_records(self, refs: Iterable[str], where: Where) -> Iterator[Broken]:
        for ref in refs:
            if not ref.startswith("url:") and self.content.inventory.find(ref) is None:
                yield Broken(f"record {ref}", where, did_you_mean(ref, self.content.inventory.records))


def _flat(text: str) -> str:
    """Give words as readers see them: paragraphs on one line each, without emphasis."""
    paragraphs = re.split(r"\n[ \t\r]*\n", text.replace("**", ""))
    return "\n\n".join(" ".join(one.split()) for one in paragraphs)


def _page_statements(page: ModelPage) -> Iterator[Statement]:
    for field in _PAGE_FIELDS:
        yield from getattr(page, field)


def _to(practices: Iterable[Practice], where: Where) -> Iterator[Pointer]:
    return (Pointer(one.title, where, part=f"practice:{one.id}") for one in practices)


def _cadence(practices: Iterable[Practice]) -> str | None:
    return next((one.cadence for one in practices if one.cadence), None)

# SPDX-License-Identifier: Apache-2.0
"""Questionnaires, such as that of the Hiroshima AI Process: every question with its answer, or named as not answered.

A questionnaire is data (a framework of kind ``questionnaire``): the next version of it is a file. An answer that only
says where to look, that only says yes, or that names no frequency where one is asked for, is none.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal, NamedTuple

from tidegate.kernel.errors import Problem, PublicationError
from tidegate.policy.framework import Framework, FrameworkItem
from tidegate.publish.answer_words import covers_part, is_bare, is_only_a_pointer, names_frequency, speaks_of
from tidegate.publish.claims import WORDS_AT_MOST
from tidegate.publish.content import Content
from tidegate.publish.coverage import Answers
from tidegate.publish.inventory import BADGE_WORDS, Badge, weakest
from tidegate.publish.practices import Answer, Practice
from tidegate.publish.report_blocks import Block, Cell, Link, Mark, Page, Paragraph, Section, cell, grid, listing
from tidegate.publish.report_words import (
    BADGE_STYLES,
    Hub,
    Saying,
    absent_practices,
    anchors_of,
    answer_sayings,
    answer_to,
    footer,
    force_json,
    force_of,
    general_answers,
    heading_json,
    hub_of,
    named_practices,
    oldest,
    practice_sayings,
    practices_for,
    records_section,
    saying_blocks,
)

FaultKind = Literal["unanswered", "pointer", "bare", "no_frequency", "outdated", "dangling"]
"""Why an answer is none. ``pointer``: it only says where to look; ``bare``: it says no more than yes, and names no
record; ``no_frequency``: how often was asked, and is not said; ``outdated``: nothing that is said can be taken as true
on the day; ``dangling``: it cites a record or practice that does not exist."""
FAULT_WORDS: Mapping[FaultKind, str] = {
    "unanswered": "unanswered",
    "pointer": "only a pointer",
    "bare": "only a yes",
    "no_frequency": "no frequency",
    "outdated": "out of date",
    "dangling": "cites what does not exist",
}
_YES_OR_NO = re.compile(r"(?:yes|no)\b(?=[\s.,;:!]|\Z)", re.IGNORECASE)


class Fault(NamedTuple):
    """A fault of an answer."""

    kind: FaultKind
    words: str
    """What is wrong."""
    to_do: str
    """What a person has to do about it."""


@dataclass(frozen=True)
class Answered:
    """A question with everything that answers it."""

    item: FrameworkItem
    answer: Answer | None
    sayings: tuple[Saying, ...]
    often: tuple[tuple[Practice, str], ...]
    """Practices that answer it, and how often each is done."""
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]
    """What a reader should know; nothing that keeps the report from being final."""
    parts: tuple[tuple[str, bool], ...]
    """Parts that it asks for -> whether the text speaks of it."""
    by_parts: bool = False
    """True if its sub-questions answer it."""

    @property
    def choice(self) -> Literal["yes", "no", "not_applicable"] | None:
        """What was chosen, or what the text begins with."""
        if self.answer is not None and self.answer.choice is not None:
            return self.answer.choice
        said = _YES_OR_NO.match(self.text) if self.item.answer == "yes_no" else None
        return ("yes" if said[0].casefold() == "yes" else "no") if said else None

    @property
    def text(self) -> str:
        """All its words."""
        return "\n\n".join(one.text for one in self.sayings)

    @property
    def word_count(self) -> int:
        """How many words it has."""
        return len(self.text.split())

    @property
    def refs(self) -> tuple[str, ...]:
        """Records that it cites, each once."""
        own = self.answer.evidence if self.answer else ()
        return tuple(dict.fromkeys((*own, *(ref for one in self.sayings for ref in one.refs))))

    @property
    def badge(self) -> Badge | None:
        """Badge of its weakest statement; none if nothing is said."""
        return weakest(one.worth.badge for one in self.sayings) if self.sayings else None

    @property
    def as_of(self) -> date | None:
        """Day of its oldest statement."""
        return oldest(one.worth.as_of for one in self.sayings)

    @property
    def state(self) -> str:
        """How it stands, in words."""
        if self.faults:
            return ", ".join(FAULT_WORDS[one.kind] for one in self.faults)
        if self.by_parts:
            return "answered by its parts"
        return "not applicable" if self.choice == "not_applicable" else "answered"


@dataclass(frozen=True)
class FilledQuestionnaire:
    """A questionnaire, question by question."""

    questionnaire: Framework
    content: Content
    role: str | None
    questions: tuple[Answered, ...]

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Questions to which nothing is said."""
        return self._with("unanswered")

    @property
    def only_pointers(self) -> tuple[str, ...]:
        """Questions whose answer only says where to look."""
        return self._with("pointer")

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps it from becoming final, question by question, with what to do."""
        name = self.questionnaire.id
        return tuple(
            Problem("PUB001", f"{name}#{one.item.id} {one.item.title}: {fault.words}", None, fault.to_do)
            for one in self.questions
            for fault in one.faults
        )

    @property
    def is_complete(self) -> bool:
        """True if every question has an answer."""
        return not self.problems

    def to_page(self, *, is_final: bool = False, hub: str = "") -> Page:
        """Give the page; ``hub`` is the address of the hub, if the page does not stand at its root.

        Raises:
            PublicationError: PUB001, it is to be final and a question has no answer.
        """
        if is_final and self.problems:
            raise PublicationError(*self.problems)
        return _page(self, is_final, hub_of(self.content, hub))

    def to_json(self, *, is_final: bool = False) -> dict[str, Any]:
        """Give it as plain data, of the form that `report_schemas.questionnaire_schema` describes.

        Raises:
            PublicationError: PUB001, it is to be final and a question has no answer.
        """
        if is_final and self.problems:
            raise PublicationError(*self.problems)
        return {
            "schema": questionnaire_schema_name(self.questionnaire),
            "title": self.questionnaire.title,
            **heading_json(self.content),
            "questionnaire": {
                **force_json(force_of(self.questionnaire, self.content.at)),
                "role": self.role or self.questionnaire.role,
            },
            "status": "final" if is_final else "draft",
            "is_complete": self.is_complete,
            "answers": {one.item.id: _answer_json(one) for one in self.questions},
            "missing": [
                {
                    "question": one.item.id,
                    "title": one.item.title,
                    "fault": fault.kind,
                    "reason": fault.words,
                    "to_do": fault.to_do,
                }
                for one in self.questions
                for fault in one.faults
            ],
        }

    def _with(self, kind: FaultKind) -> tuple[str, ...]:
        return tuple(one.item.id for one in self.questions if any(fault.kind == kind for fault in one.faults))


def questionnaire_schema_name(questionnaire: Framework) -> str:
    """Give the name of a questionnaire's machine-readable form."""
    return f"tidegate/questionnaire/{questionnaire.id}/v{questionnaire.version}"


def haip_report(
    content: Content, questionnaire: Framework, *, role: str | None = None, words_at_most: int = WORDS_AT_MOST
) -> FilledQuestionnaire:
    """Give the questionnaire with every question answered, or with what is wrong with its answer.

    ``role`` leaves out questions that are asked only of others.

    Raises:
        PublicationError: PUB002, the framework is no questionnaire, or does not ask anybody in this role.
    """
    if questionnaire.kind != "questionnaire":
        message = f"{questionnaire.label} is no questionnaire but a {questionnaire.kind.replace('_', ' ')}"
        raise PublicationError(Problem("PUB002", message))
    items = _asked(questionnaire, role)
    answers = Answers(content)
    answered = {one.id: _answered(one, f"{questionnaire.id}#{one.id}", answers, words_at_most) for one in items}
    questions = tuple(_with_parts(one, answered) for one in answered.values())
    return FilledQuestionnaire(questionnaire, content, role, questions)


def roles_of(questionnaire: Framework) -> tuple[str, ...]:
    """Give the roles that a questionnaire asks, in its order."""
    named = (questionnaire.role, *(one.applies_to for one in questionnaire.items))
    return tuple(dict.fromkeys(one for one in named if one))


def _asked(questionnaire: Framework, role: str | None) -> tuple[FrameworkItem, ...]:
    if role is None:
        return questionnaire.items
    roles = roles_of(questionnaire)
    if role not in roles:
        hint = f"roles: {', '.join(roles)}" if roles else "it asks nobody in particular"
        raise PublicationError(Problem("PUB002", f"{questionnaire.label} has no role {role!r}", None, hint))
    return tuple(one for one in questionnaire.items if one.applies_to in (None, role))


# --- one question --------------------------------------------------------------------------------------


def _answered(item: FrameworkItem, ref: str, answers: Answers, words_at_most: int) -> Answered:
    content = answers.content
    answer = answer_to(ref, content) or next(iter(general_answers(ref, answers)), None)
    sayings = answer_sayings(answer, content) if answer else ()
    practices: tuple[Practice, ...] = ()
    if answer is None or answer.choice != "not_applicable":
        named = named_practices(answer, content) if answer else ()
        practices = tuple({one.id: one for one in (*named, *practices_for(ref, answers))}.values())
        sayings = (*sayings, *practice_sayings(practices, content))
    often = tuple((one, every(one.cadence)) for one in practices if one.cadence)
    text = "\n\n".join(one.text for one in sayings)
    parts = tuple((part, covers_part(part, text)) for part in item.parts)
    found = Answered(item, answer, sayings, often, (), (), parts)
    return replace(found, faults=_faults(found, ref, content), notes=_notes(found, words_at_most))


def _faults(one: Answered, ref: str, content: Content) -> tuple[Fault, ...]:
    found: list[Fault] = []
    if one.choice == "not_applicable":
        if not one.sayings:
            found.append(Fault("bare", "it is said not to apply, and not why", f"say why in `text` of `{ref}`"))
    elif not one.sayings and (one.answer is None or one.answer.choice is None):
        to_do = f"answer `{ref}` in a file of hub/, or name it under `commitments` of a practice that answers it"
        found.append(Fault("unanswered", "nothing is said to it", to_do))
    else:
        found += _weak(one, ref, content)
    cited = [ref for ref in one.refs if not ref.startswith("url:") and content.inventory.find(ref) is None]
    missing = [*cited, *(absent_practices(one.answer, content) if one.answer else ())]
    found += [Fault("dangling", f"it cites {name}, which does not exist", "correct the reference") for name in missing]
    return tuple(found)


def _weak(one: Answered, ref: str, content: Content) -> Iterable[Fault]:
    """Give what is wrong with words that are there."""
    item, text = one.item, one.text
    if text and is_only_a_pointer(text):
        yield Fault("pointer", "the answer only says where to look", f"say it in words: `text` of `{ref}`")
        return
    outdated = [said.worth.outdated for said in one.sayings if said.worth.outdated]
    if outdated and len(outdated) == len(one.sayings):
        words = f"nothing that is said holds on the day: {outdated[0]}"
        yield Fault("outdated", words, f"look at it again, and give the day: `as_of` of `{ref}` or of the practice")
    found = (content.inventory.find(name) for name in one.refs)
    shown = [known for known in found if known is not None and known.counts_on(content.at)]
    if is_bare(text) and one.choice != "no" and not shown:
        words = "the answer says no more than yes, and no record shows it"
        yield Fault("bare", words, f"say what is done, and name the records: `text` and `evidence` of `{ref}`")
    if item.answer == "frequency" and not one.often and not names_frequency(text):
        to_do = f"say how often in `text` of `{ref}`, or give the practice its `cadence`"
        yield Fault("no_frequency", "it was asked how often, and no frequency is given", to_do)


def _notes(one: Answered, words_at_most: int) -> tuple[str, ...]:
    notes: list[str] = []
    if one.word_count > words_at_most:
        notes.append(f"{one.word_count} words, and the budget of an answer is {words_at_most}.")
    unseen = [part for part, is_covered in one.parts if not is_covered]
    if unseen and one.sayings:
        notes.append(f"No word of the answer names these parts of the question: {', '.join(unseen)}.")
    if one.item.topic and one.sayings and one.choice != "not_applicable" and not speaks_of(one.item.topic, one.text):
        # A word list knows one language, so it may hint, and not refuse.
        notes.append(f"None of these words stands in the answer: {', '.join(one.item.topic)}.")
    if one.item.answer == "yes_no" and one.sayings and one.choice is None:
        notes.append("It was asked yes or no, and the answer does not choose.")
    return tuple(notes)


def _with_parts(one: Answered, answered: Mapping[str, Answered]) -> Answered:
    """Give a question that only heads sub-questions as answered once all of them are."""
    children = [other for other in answered.values() if other.item.parent == one.item.id]
    is_heading = one.item.answer in (None, "text") and [fault.kind for fault in one.faults] == ["unanswered"]
    if not is_heading or not children or any(other.faults for other in children):
        return one
    return replace(one, faults=(), by_parts=True)


def every(duration: str) -> str:
    """Give a duration as a frequency in words.

    >>> every("P1M"), every("P1Y6M")
    ('every month', 'every 1 year and 6 months')
    """
    units = {"Y": "year", "M": "month", "W": "week", "D": "day"}
    parts: list[tuple[int, str]] = []
    number = ""
    for sign in duration.removeprefix("P"):
        if sign.isdigit():
            number += sign
        else:
            parts.append((int(number), units[sign]))
            number = ""
    if len(parts) == 1 and parts[0][0] == 1:
        return f"every {parts[0][1]}"
    return "every " + " and ".join(f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts)


# --- for machines --------------------------------------------------------------------------------------


def _answer_json(one: Answered) -> dict[str, Any]:
    return {
        "title": one.item.title,
        "asks": one.item.asks,
        "section": one.item.section,
        "parent": one.item.parent,
        "state": "answered" if not one.faults else "missing",
        "choice": one.choice,
        "text": one.text,
        "words": one.word_count,
        "badge": one.badge,
        "as_of": one.as_of.isoformat() if one.as_of else None,
        "statements": [said.to_json() for said in one.sayings],
        "frequency": [words for _, words in one.often],
        "parts": dict(one.parts),
        "evidence": list(one.refs),
        "faults": [fault.kind for fault in one.faults],
        "notes": list(one.notes),
    }


# --- for readers ---------------------------------------------------------------------------------------


def _page(filled: FilledQuestionnaire, is_final: bool, hub: Hub) -> Page:
    content, questionnaire = filled.content, filled.questionnaire
    sections = [_summary(filled)]
    for section, title in _sections(filled):
        sections.append(Section(title, (), anchor=f"part-{section}"))
        sections += [_question(one, hub) for one in filled.questions if (one.item.section or "") == section]
    refs = [ref for one in filled.questions for ref in one.refs]
    cited = records_section(refs, content, hub)
    role = f" Role: {filled.role.replace('_', ' ')}." if filled.role else ""
    return Page(
        title=f"{questionnaire.title}: {content.organisation}",
        lead=f"Answers of {content.organisation}, as of {content.at.isoformat()}, to the questionnaire of "
        f"{questionnaire.publisher}, version {questionnaire.version}.{role}",
        status=_status(filled, is_final),
        is_final=is_final,
        problems=() if is_final else tuple(f"{one.message}. To do: {one.hint}." for one in filled.problems),
        sections=(*sections, *((cited,) if cited else ())),
        anchors=anchors_of(refs),
        footer=footer(content),
    )


def _status(filled: FilledQuestionnaire, is_final: bool) -> str:
    if is_final:
        return "Final: every question has an answer."
    if filled.is_complete:
        return "Draft: every question has an answer, and nobody has made it final."
    count = sum(bool(one.faults) for one in filled.questions)
    return f"Draft: {count} of {len(filled.questions)} questions have no answer that counts."


def _sections(filled: FilledQuestionnaire) -> tuple[tuple[str, str], ...]:
    """Give the sections that have questions, with their headings; questions without a section come last."""
    used = {one.item.section or "" for one in filled.questions}
    named = [(key, f"Section {key}: {title}") for key, title in filled.questionnaire.sections.items() if key in used]
    return (*named, *((("", "Questions"),) if "" in used else ()))


def _summary(filled: FilledQuestionnaire) -> Section:
    force = force_of(filled.questionnaire, filled.content.at)
    blocks: list[Block] = [Paragraph((force.words,))] if force.words else []
    heads = ("Question", "What it asks", "State", "Shown by", "As of", "Words")
    blocks += grid("Questions of the questionnaire", heads, map(_row, filled.questions))
    return Section("What is answered", tuple(blocks), anchor="completeness")


def _row(one: Answered) -> tuple[Cell, ...]:
    style = "reached" if one.faults else "ruled_out"
    return (
        (Link(one.item.id, f"#{_anchor(one)}"),),
        (one.item.title,),
        (Mark(one.state, style),),
        (Mark(BADGE_WORDS[one.badge], BADGE_STYLES[one.badge]),) if one.badge else (),
        cell(one.as_of.isoformat() if one.as_of else None),
        (str(one.word_count),),
    )


def _anchor(one: Answered) -> str:
    return f"question-{one.item.id}"


def _question(one: Answered, hub: Hub) -> Section:
    blocks: list[Block] = [Paragraph((one.item.asks,))] if one.item.asks else []
    blocks += [Paragraph((Mark(FAULT_WORDS[fault.kind], "reached"), f": {fault.words}.")) for fault in one.faults]
    if one.by_parts:
        blocks.append(Paragraph(("The questions below answer it.",)))
    if one.choice is not None:
        words = {"yes": "Yes.", "no": "No.", "not_applicable": "Not applicable."}[one.choice]
        blocks.append(Paragraph((words,)))
    for saying in one.sayings:
        blocks += saying_blocks(saying, hub)
    blocks += listing("How often", (f"{practice.title}: {words}" for practice, words in one.often))
    blocks += listing("Notes", one.notes)
    return Section(f"{one.item.id} {one.item.title}", tuple(blocks), level=3, anchor=_anchor(one))

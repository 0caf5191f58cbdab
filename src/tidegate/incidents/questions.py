# SPDX-License-Identifier: Apache-2.0
"""Plain questions, and the classes of the laws that follow from their answers.

Nobody picks a class: a class is a condition over answers, in three values. Unknown answers leave a class open as long
as they could make it true, and an open class is treated as one that applies until somebody answers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Literal, NamedTuple, TypeVar

from pydantic import Field, StringConstraints

from tidegate.incidents.model import Incident, TimeName, Yes
from tidegate.kernel.documents import did_you_mean, parse_document, validate_part
from tidegate.kernel.errors import IncidentError, Problem
from tidegate.kernel.record import Record
from tidegate.obligations.model import Fact, RuleId

QuestionId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Answers = Mapping[str, Yes]
Verdict = Literal["applies", "does_not", "open"]
VERDICT_WORDS: dict[Verdict, str] = {"applies": "applies", "does_not": "does not apply", "open": "cannot tell yet"}


class AllOf(Record):
    """All of these."""

    all: Annotated[tuple["When", ...], Field(min_length=1)]
    """Conditions."""


class AnyOf(Record):
    """At least one of these."""

    any: Annotated[tuple["When", ...], Field(min_length=1)]
    """Conditions."""


class NotOf(Record):
    """Not this."""

    not_: "When" = Field(alias="not")
    """Condition."""


When = QuestionId | AllOf | AnyOf | NotOf
"""A condition: a question that has to be answered with yes, or ``all``, ``any``, ``not`` of conditions."""


class Question(Record):
    """A question in everyday words."""

    id: QuestionId
    """Names it."""
    asks: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """The question; yes, no or unknown."""
    help: Annotated[str, StringConstraints(min_length=1, max_length=400)]
    """One line that helps to answer it."""
    serves: tuple[str, ...] = ()
    """Items of the laws for which it is asked: ``sb53#11.d.1`` ..."""
    yes_if: TimeName | None = None
    """A time that, once it is stated, answers it with yes."""


class Law(Record):
    """A law, or a code, whose incidents are told apart."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    """Names it; the ids of its rules begin so."""
    title: str
    """Short title."""
    jurisdiction: str
    """Where it is the law."""
    framework: str
    """Framework that holds its items."""
    note: str = ""
    """What to know about our reading of it."""


class IncidentClass(Record):
    """A kind of incident that a law knows."""

    id: str
    """Names it."""
    law: str
    """Law."""
    title: str
    """In a few words."""
    item: str
    """Item of the law."""
    facts: Annotated[tuple[Fact, ...], Field(min_length=1)]
    """What is so of an incident of this kind, in the words of the rules."""
    when: When
    """When it applies."""


class Competing(Record):
    """A fact whose clock gives way to a shorter one."""

    fact: Fact
    """Fact."""
    rule: RuleId
    """Its rule."""


class QuestionFile(Record):
    """The pack of questions."""

    schema_: Literal["tidegate/incident-questions/v1"] = Field(alias="schema")
    """Names this format."""
    version: str
    """Version of the questions."""
    questions: tuple[Question, ...]
    """Questions, in the order in which they are asked."""


class ClassFile(Record):
    """The pack of classes."""

    schema_: Literal["tidegate/incident-classes/v1"] = Field(alias="schema")
    """Names this format."""
    version: str
    """Version of the classes."""
    laws: tuple[Law, ...]
    """Laws."""
    classes: tuple[IncidentClass, ...]
    """Classes by law."""
    shortest: tuple[tuple[Competing, ...], ...] = ()
    """Facts of which only one clock runs, each list with the shortest first."""


Pack = TypeVar("Pack", bound=Record)


def read_pack(name: str, kind: type[Pack]) -> Pack:
    """Give a pack of incidents that ships with Tidegate.

    Raises:
        DocumentError: it is not in order.
    """
    source = resources.files("tidegate.packs") / "incidents" / f"{name}.yaml"
    return validate_part(parse_document(source.read_bytes(), f"packs/incidents/{name}.yaml"), kind)


@cache
def questions() -> tuple[Question, ...]:
    """Give the shipped questions, in the order in which they are asked."""
    return read_pack("questions", QuestionFile).questions


@cache
def class_file() -> ClassFile:
    """Give the shipped classes, by law."""
    return read_pack("classes", ClassFile)


def find_question(name: str) -> Question:
    """Give a question.

    Raises:
        IncidentError: INC003, there is none of this id.
    """
    known = {one.id: one for one in questions()}
    if name not in known:
        hint = did_you_mean(name, known) or "see `tidegate incident questions`"
        raise IncidentError(Problem("INC003", f"there is no question {name!r}", None, hint))
    return known[name]


# --- three values --------------------------------------------------------------------------------------


class Weighed(NamedTuple):
    """What a condition comes to."""

    value: bool | None
    """True, false, or none while it cannot be told."""
    because: tuple[str, ...]
    """Questions that make it so; for none, those whose answers could settle it."""


def weigh(when: When, answers: Answers) -> Weighed:
    """Give what a condition comes to by Kleene's strong logic: unknown unless the known answers settle it.

    >>> weigh(AnyOf(any=("death", "injury")), {"death": "yes"})
    Weighed(value=True, because=('death',))
    >>> weigh(AllOf(all=("death", "injury")), {"death": "yes"})
    Weighed(value=None, because=('injury',))
    """
    match when:
        case str():
            given = answers.get(when, "unknown")
            return Weighed(None if given == "unknown" else given == "yes", (when,))
        case NotOf():
            inner = weigh(when.not_, answers)
            return Weighed(None if inner.value is None else not inner.value, inner.because)
        case AllOf():
            return _joined([weigh(one, answers) for one in when.all], settled_by=False)
        case AnyOf():
            return _joined([weigh(one, answers) for one in when.any], settled_by=True)


def _joined(parts: list[Weighed], *, settled_by: bool) -> Weighed:
    """Join conditions: one part of the value `settled_by` settles it; else all have to be known."""
    for value in (settled_by, None):
        found = [one for one in parts if one.value is value]
        if found and value is not None:
            return Weighed(value, found[0].because)
        if found:
            return Weighed(None, _once(found))
    return Weighed(not settled_by, _once(parts))


def _once(parts: Iterable[Weighed]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for one in parts for name in one.because))


# --- the classes of an incident ------------------------------------------------------------------------


@dataclass(frozen=True)
class ClassFinding:
    """A class, and whether it applies to an incident."""

    kind: IncidentClass
    verdict: Verdict
    because: tuple[str, ...]
    """Questions whose answers decide; while it is open, those that have to be answered."""


def answers_of(incident: Incident) -> dict[str, Yes]:
    """Give the answers that hold: as given, and yes where a stated time says so, whatever was answered."""
    implied: dict[str, Yes] = {one.id: "yes" for one in questions() if one.yes_if in incident.times}
    return {**incident.answers, **implied}


def classify(incident: Incident) -> tuple[ClassFinding, ...]:
    """Give every class of every law, and whether it applies to an incident."""
    answers = answers_of(incident)
    return tuple(_finding(kind, answers) for kind in class_file().classes)


def _finding(kind: IncidentClass, answers: Answers) -> ClassFinding:
    value, because = weigh(kind.when, answers)
    verdict: Verdict = "open" if value is None else "applies" if value else "does_not"
    return ClassFinding(kind, verdict, because)


def facts_of(findings: Iterable[ClassFinding], verdict: Verdict) -> frozenset[str]:
    """Give the facts of the classes with this verdict."""
    return frozenset(fact for one in findings if one.verdict == verdict for fact in one.kind.facts)


def open_questions(findings: Iterable[ClassFinding]) -> tuple[Question, ...]:
    """Give the questions whose answers could still start or stop something, in the order in which they are asked.

    A class whose facts all follow from another one, which certainly applies, waits for nothing.
    """
    found = tuple(findings)
    sure = facts_of(found, "applies")
    waited = {
        name for one in found if one.verdict == "open" and not sure.issuperset(one.kind.facts) for name in one.because
    }
    return tuple(one for one in questions() if one.id in waited)

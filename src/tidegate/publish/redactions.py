# SPDX-License-Identifier: Apache-2.0
"""Words withheld from the public: marked in the texts, replaced by a visible block, told in a register.

A text marks them as ``[[R-1|the words]]``. What is published names ground, character, justification and a salted
digest of the words, which are kept: given words and salt, anybody can check that they are what was withheld.
"""

import hmac
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from tidegate.evidence.redaction import Ground, Withheld, salted_digest
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import Problem, PublicationError, Where
from tidegate.publish.leaks import SHORTEST, leaks
from tidegate.publish.practices import Publication, TextRedaction, WithheldWords
from tidegate.publish.report_blocks import Block, Paragraph, Section, grid

__all__ = ["GROUND_WORDS", "Edition", "Survey", "apply", "is_revealed", "leaks", "register_page_section", "survey"]

GROUND_WORDS: Mapping[Ground, str] = {
    "public_safety": "public safety",
    "national_security": "national security",
    "cybersecurity": "cybersecurity",
    "trade_secret": "trade secret",
    "privacy": "privacy",
    "legal": "legal reasons",
}
"""Each ground in words."""
REGISTER = Where("hub/redactions.yaml")
HUB = Where("hub")

_REFERENCES = frozenset({"schema_", "model", "models", "about", "id"})
"""Fields that name something, beside those whose form is fixed: a mark in them would break what they refer to."""
_OPEN, _CLOSE = "[[", "]]"
_HINT = "write `[[R-1|the words]]`; a mark holds no other mark"


class Edition(NamedTuple):
    """What may be published, and what must not be."""

    publication: Publication
    """Every mark replaced; the register with its salts left out."""
    withheld: tuple[WithheldWords, ...]
    """The register, as outsiders see it."""
    secrets: frozenset[str]
    """Withheld words and salts, for the last check of the outputs."""
    problems: tuple[Problem, ...] = ()
    """Warnings."""


class Survey(NamedTuple):
    """How register and texts fit."""

    edition: Edition
    """What would be published."""
    unused: tuple[str, ...]
    """Redactions of the register that no text marks."""
    problems: tuple[Problem, ...]
    """Everything that is wrong, warnings among them."""


def apply(publication: Publication) -> Edition:
    """Give the edition of the texts for the public: every marked word replaced, and a register of what is withheld.

    Raises:
        PublicationError: PUB005, a mark is malformed, or the register lacks it; everything that is wrong at once.
    """
    found = survey(publication)
    errors = [one for one in found.problems if one.severity == "error"]
    if errors:
        raise PublicationError(*errors)
    return found.edition


def survey(publication: Publication) -> Survey:
    """Give how the register and the texts fit, with every problem, whether or not it can be published so."""
    reading = _Reading({one.id: one for one in publication.redactions})
    reading.check_register(publication.redactions)
    changed = {
        name: reading.walk(getattr(publication, name), (name,))
        for name in type(publication).model_fields
        if name != "redactions"
    }
    made = publication.model_copy(update={**changed, "redactions": ()})
    withheld = tuple(reading.register())
    unused = tuple(one for one in reading.known if one not in reading.words)
    reading.warn(unused)
    warnings = tuple(one for one in reading.problems if one.severity != "error")
    edition = Edition(made, withheld, frozenset(reading.secrets()), warnings)
    return Survey(edition, unused, tuple(reading.problems))


def is_revealed(words: str, salt: str, digest: str) -> bool:
    """Tell whether these are the words that a digest of the register stands for."""
    if not re.fullmatch(r"[0-9a-f]{64}", salt):
        return False
    return hmac.compare_digest(salted_digest(words, salt), digest)


# --- marks in texts ------------------------------------------------------------------------------------


class _Marked(NamedTuple):
    """A mark in a text."""

    id: str
    words: str


class _MalformedError(Exception):
    """A mark is not in order; says how."""


def _pieces(text: str) -> Iterator[str | _Marked]:
    """Give the words of a text, and its marks, in their order."""
    at = 0
    while (start := text.find(_OPEN, at)) >= 0:
        yield _outside(text[at:start])
        end = text.find(_CLOSE, start)
        if end < 0:
            raise _MalformedError("a mark is not closed")
        inside = text[start + len(_OPEN) : end]
        name, bar, words = inside.partition("|")
        if _OPEN in inside:
            raise _MalformedError("a mark stands within a mark")
        if text.startswith("]]]", end):
            raise _MalformedError("a mark ends with three brackets, so that it is not clear what it holds")
        if not bar or not name.strip() or not words.strip():
            raise _MalformedError("a mark lacks its name or its words")
        yield _Marked(name.strip(), words)
        at = end + len(_CLOSE)
    yield _outside(text[at:])


def _outside(words: str) -> str:
    if _CLOSE in words:
        raise _MalformedError("`]]` closes no mark")
    return words


@dataclass
class _Reading:
    """Texts being read: what they withhold, and everything that is wrong with them."""

    known: Mapping[str, TextRedaction]
    words: dict[str, str] = field(default_factory=dict)
    """Redaction -> what it withholds."""
    places: dict[str, dict[str, None]] = field(default_factory=dict)
    """Redaction -> where it stands."""
    further: set[str] = field(default_factory=set)
    """Words that were marked, though not in order."""
    problems: list[Problem] = field(default_factory=list)

    def walk(self, value: Any, path: tuple[str | int, ...], place: str = "the publication") -> Any:
        """Give a value with the marks of every text in it replaced."""
        match value:
            case str():
                return self.text(value, path, place)
            case BaseModel():
                return self.record(value, path, _place(value) or place)
            case tuple() | list():
                made = [self.walk(one, (*path, number), place) for number, one in enumerate(value)]
                return type(value)(made) if any(new is not old for new, old in zip(made, value, strict=True)) else value
            case dict():
                for key in value:
                    self.name(str(key), path, place)
                return {key: self.walk(one, (*path, str(key)), place) for key, one in value.items()}
            case _:
                return value

    def record(self, value: BaseModel, path: tuple[str | int, ...], place: str) -> BaseModel:
        changed: dict[str, Any] = {}
        for name in type(value).model_fields:
            before = getattr(value, name)
            after = self.walk(before, (*path, name), place)
            if after is not before and after != before:
                changed[name] = after
        if not changed:
            return value
        made = value.model_copy(update=changed)
        self.check_form(made, path, place)
        return made

    def check_form(self, made: BaseModel, path: tuple[str | int, ...], place: str) -> None:
        """Find marks in what is no text: fields whose form is fixed no longer have it."""
        try:
            type(made).model_validate(made.model_dump(by_alias=True))
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False, include_context=False):
                # A block may be longer than what it stands for, which no reader minds; its list then counts as empty.
                if one["type"] not in ("string_too_long", "too_short"):
                    self.refuse("a mark stands in what is no text", (*path, *one["loc"]), place)

    def name(self, text: str, path: tuple[str | int, ...], place: str) -> None:
        if _OPEN in text or _CLOSE in text:
            self.refuse("a mark stands in a name", path, place)

    def text(self, text: str, path: tuple[str | int, ...], place: str) -> str:
        named = [one for one in path if isinstance(one, str)]
        if named and named[-1] in _REFERENCES:
            self.name(text, path, place)
            return text
        try:
            pieces = list(_pieces(text))
        except _MalformedError as error:
            self.refuse(str(error), path, place)
            return text
        for one in self.known:
            if any(isinstance(piece, str) and f"{one}|" in piece for piece in pieces):
                self.refuse(f"`{one}|` stands outside a mark: a bracket is missing", path, place)
        return "".join(self.shown(one, path, place) if isinstance(one, _Marked) else one for one in pieces)

    def shown(self, mark: _Marked, path: tuple[str | int, ...], place: str) -> str:
        known = self.known.get(mark.id)
        if known is None:
            self.further.add(mark.words)
            hint = did_you_mean(mark.id, self.known) or "add it with `tidegate publish redact`"
            self.refuse(f"the register has no redaction {mark.id}", path, place, hint)
            return f"[withheld {mark.id}]"
        before = self.words.setdefault(mark.id, mark.words)
        if before != mark.words:
            self.further.add(mark.words)
            hint = "give each passage a redaction of its own"
            self.refuse(f"{mark.id} withholds other words elsewhere", path, place, hint)
        self.places.setdefault(mark.id, {})[place] = None
        return f"[withheld {mark.id}: {GROUND_WORDS[known.ground]}]"

    def refuse(self, message: str, path: Sequence[str | int], place: str, hint: str = _HINT) -> None:
        where = ".".join(str(one) for one in path[2:]) or str(path[0])
        found = Problem("PUB005", f"{place}, {where}: {message}", HUB, hint)
        if found not in self.problems:
            self.problems.append(found)

    # --- the register ------------------------------------------------------------------------------------

    def check_register(self, redactions: Sequence[TextRedaction]) -> None:
        counts = Counter(one.id for one in redactions)
        for name, count in counts.items():
            if count > 1:
                self.problems.append(Problem("PUB005", f"two redactions are called {name}", REGISTER))
        for one in redactions:
            # These words are published themselves.
            for text in (one.character, one.justification):
                if _OPEN in text or _CLOSE in text:
                    message = f"{one.id}: a mark stands in the register, whose words are published"
                    self.problems.append(
                        Problem("PUB005", message, REGISTER, "describe what is withheld in other words")
                    )

    def register(self) -> Iterator[WithheldWords]:
        for name, one in self.known.items():
            if name in self.words:
                yield WithheldWords(
                    id=name,
                    ground=one.ground,
                    character=one.character,
                    justification=one.justification,
                    digest=salted_digest(self.words[name], one.salt),
                    where=tuple(self.places[name]),
                )

    def warn(self, unused: Sequence[str]) -> None:
        for name in unused:
            message = f"no text marks anything as {name}"
            self.problems.append(Problem("PUB005", message, REGISTER, "take it out, or mark the words", "warning"))
        for name, words in self.words.items():
            if len("".join(words.split())) < SHORTEST:
                message = f"{name} withholds fewer than {SHORTEST} characters, which outputs cannot be searched for"
                hint = "withhold a longer passage"
                self.problems.append(Problem("PUB005", message, REGISTER, hint, "warning"))

    def secrets(self) -> Iterator[str]:
        yield from self.words.values()
        yield from self.further
        yield from (one.salt for one in self.known.values())


_PLACES: Mapping[str, Callable[[Any], str]] = {
    "Practice": lambda one: f"practice {one.id}",
    "Answer": lambda one: f"answer to {one.to}",
    "ModelPage": lambda one: f"page of the model {one.model}",
    "ChangeFile": lambda _: "changelog",
}
"""Kind of record -> how people call one."""


def _place(value: BaseModel) -> str | None:
    named = _PLACES.get(type(value).__name__)
    found = named(value) if named else None
    return found if found and _OPEN not in found else None


# --- the register for readers --------------------------------------------------------------------------


def register_page_section(
    withheld_words: Sequence[WithheldWords], withheld_evidence: Sequence[Withheld] = (), level: int = 2
) -> Section:
    """Give the register as a section of a page: counts by ground, and each redaction with character, reason, digest."""
    blocks = tuple(_register_blocks(withheld_words, withheld_evidence))
    return Section("What is withheld", blocks, level, "withheld")


def _register_blocks(words: Sequence[WithheldWords], evidence: Sequence[Withheld]) -> Iterator[Block]:
    total = len(words) + len(evidence)
    if not total:
        yield Paragraph(("Nothing is withheld.",))
        return
    told = (
        f"{total} {'passage is' if total == 1 else 'passages are'} withheld. The originals are kept. "
        "A digest is SHA-256 of a secret salt and the words: it does not confirm a guess, and once words and salt are "
        "disclosed to somebody, it shows that they are what was withheld."
    )
    yield Paragraph((told,))
    counts = Counter([*(one.ground for one in words), *(one.ground for one in evidence)])
    rows = [(GROUND_WORDS[ground], str(counts[ground])) for ground in GROUND_WORDS if counts[ground]]
    yield from grid("Number by ground", ("Ground", "Passages"), rows)
    heads = ("Ground", "What is withheld", "Why", "Digest")
    yield from grid(
        "Withheld from texts",
        ("Redaction", *heads),
        [(one.id, GROUND_WORDS[one.ground], one.character, one.justification, one.digest) for one in words],
        is_wide=True,
    )
    yield from grid(
        "Withheld from evidence",
        ("Record and field", *heads),
        [
            (f"{one.record}, {one.field}", GROUND_WORDS[one.ground], one.character, one.justification, one.digest)
            for one in evidence
        ],
        is_wide=True,
    )

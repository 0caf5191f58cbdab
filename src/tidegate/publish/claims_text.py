# SPDX-License-Identifier: Apache-2.0
"""Texts from elsewhere as input of the claim linter: the plain text of a hub page, and a questionnaire's report.

Both are untrusted: their size is bounded, and nothing in them is followed or run.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import NamedTuple

from tidegate.kernel.errors import DocumentError, Problem, Where
from tidegate.policy.framework import Framework, FrameworkItem
from tidegate.publish.answer_words import is_only_a_pointer, sentences
from tidegate.publish.claim_input import Citation, Claims, Part, Passage, Pointer, Reply, Said
from tidegate.publish.claim_words import LINK, plain_words
from tidegate.publish.words import clean

MAX_BYTES = 1_000_000
"""A page that people read is smaller; a larger file is something else."""
MAX_LINES = 20_000
"""So many lines no page has; the limit bounds the work."""
MAX_PARTS = 1_000
"""Likewise for its sections."""
MAX_POINTERS = 50
"""An answer points to a few places; further ones are not looked at."""
MAX_TO_SECTION = 400
"""Characters between the title of a section and the word `section`."""
MAX_LINE = 20_000
"""A paragraph on one line is shorter; a longer line is no text for people."""
MAX_PASSAGE = 40_000
"""Characters of one paragraph; what follows is read as the next."""
MAX_SENTENCE = 800
"""Characters of a sentence that only says where to look; a longer one says more."""
TITLE_WORDS = 10
MOST_CITATION_LINES = 12

_CITES = re.compile(r"^(?:related|relevant|associated|linked) commitments?\s*:\s*(.*)$", re.IGNORECASE)
_BULLET = re.compile(r"^[\N{REPLACEMENT CHARACTER}\N{BULLET}\N{BLACK CIRCLE}\N{MIDDLE DOT}\N{EN DASH}*+-]+\s+")
_NUMBERED = re.compile(r"^\d{1,2}[.)]?\s+(?=\S)")
_HEADING = re.compile(r"^(#{1,6})\s+(.*)$")
_ENDS = re.compile(r"[.!?:;][\"')\]\N{RIGHT DOUBLE QUOTATION MARK}]*$")
_LOWER = frozenset(
    ("a", "an", "and", "as", "at", "by", "for", "from", "in", "into", "of", "on", "or", "our", "the", "to")
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATED = re.compile(
    r"\b(?:last updated|updated|as of|publication date|published|date)\b\W{0,4}(?:on )?"
    r"(?:(?P<iso>\d{4}-\d{2}-\d{2})|(?P<month>[A-Z][a-z]{2,8})\.? (?P<day>\d{1,2}),? (?P<year>\d{4})"
    r"|(?P<day2>\d{1,2}) (?P<month2>[A-Z][a-z]{2,8}) (?P<year2>\d{4}))",
    re.IGNORECASE,
)
_SECTION = re.compile(r"^#*\s*\**\s*section\s+(\w{1,4})\b", re.IGNORECASE)
_QUESTION = re.compile(r"^\**([a-z])\.\s+(\S.*)$")
_SUB_QUESTION = re.compile(r"^[-*]\s+\**([ivx]{1,4})\.\s+\S")
_SUB_REPLY = re.compile(r"^\**([ivx]{1,4})\.\s+(\S.*)$")
_ESCAPED = re.compile(r"\\([()\[\]*_~`#-])")
_QUOTED = re.compile(
    r"[\N{LEFT DOUBLE QUOTATION MARK}\"]([^\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\"]{2,120})[\N{RIGHT DOUBLE QUOTATION MARK}\"]"
)
_THEN_SECTION = re.compile(r"[^.]*\bsections?\b")
_STEP = r"[A-Z][\w-]*(?:\s+(?:(?:and|&|of|on|for|the|in)\s+)*[A-Z][\w-]*)*"
_PATH = re.compile(rf"\bunder\s+({_STEP}(?:\s*>\s*{_STEP})*)")


class _Line(NamedTuple):
    number: int
    text: str


@dataclass
class _Names:
    """Frameworks by the names that texts give them."""

    frameworks: Iterable[Framework]
    by_name: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.frameworks:
            if one.kind not in ("sections", "crosswalk"):
                self.by_name |= {plain_words(name): one.id for name in (one.title, *one.names)}

    def find(self, words: str) -> str | None:
        """Give the framework that words name: exactly, or by the longest name within them."""
        plain = plain_words(words)
        if plain in self.by_name:
            return self.by_name[plain]
        within = [name for name in self.by_name if f" {name} " in f" {plain} "]
        return self.by_name[max(within, key=len)] if within else None

    def is_exact(self, words: str) -> bool:
        """Tell whether words are a name, whole."""
        return plain_words(words) in self.by_name


def read_page(raw: bytes, file: str, frameworks: Mapping[str, Framework], sections: Framework | None = None) -> Claims:
    """Give what the plain text of a page claims: its parts, what each says, and the commitments that each cites.

    Lines may be wrapped, with blank lines anywhere. Titles are those of `sections`, Markdown headings, or guessed:
    a short line in title case after the end of a sentence.

    Raises:
        DocumentError: DOC002 or DOC003, the file is too large, or is no text.
    """
    lines = _lines(raw, file)
    reader = _Page(file, [one for one in lines if one.text], _Names(frameworks.values()), _titles(sections))
    reader.read()
    start = Where(file, lines[0].number if lines else 1)
    return Claims(
        parts=tuple(reader.parts.values()),
        said=tuple(reader.said),
        listed=tuple(reader.listed),
        dated=_day_in(lines),
        start=start,
    )


def _titles(sections: Framework | None) -> Mapping[str, tuple[FrameworkItem, ...]]:
    found: dict[str, tuple[FrameworkItem, ...]] = {}
    for one in sections.items if sections is not None else ():
        plain = plain_words(one.title)
        found[plain] = (*found.get(plain, ()), one)
    return found


def _lines(raw: bytes, file: str) -> list[_Line]:
    if len(raw) > MAX_BYTES:
        message = f"{len(raw):,} bytes; the limit is {MAX_BYTES:,}"
        raise DocumentError(Problem("DOC002", message, Where(file), "give the text of one page"))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DocumentError(Problem("DOC003", "not UTF-8 text", Where(file, line), "save the file as UTF-8")) from None
    lines = text.split("\n")
    longest = max(range(len(lines)), key=lambda number: len(lines[number]))
    if len(lines) > MAX_LINES or len(lines[longest]) > MAX_LINE:
        message = f"more than {MAX_LINES:,} lines, or a line of more than {MAX_LINE:,} characters"
        raise DocumentError(Problem("DOC002", message, Where(file, longest + 1), "give the text of one page"))
    return [_Line(number, clean(line).strip()) for number, line in enumerate(lines, 1)]


def _day_in(lines: list[_Line]) -> date | None:
    """Give the day for which a whole text says that it is true."""
    for one in lines:
        found = _DATED.search(one.text)
        if found is None:
            continue
        try:
            if found["iso"]:
                return date.fromisoformat(found["iso"])
            month = (found["month"] or found["month2"])[:3].casefold()
            return date(
                int(found["year"] or found["year2"]), _MONTHS.index(month) + 1, int(found["day"] or found["day2"])
            )
        except ValueError:
            continue
    return None


def _passage(file: str, lines: list[_Line]) -> Passage:
    text, offsets = "", []
    for one in lines:
        text += " " if text else ""
        offsets.append((len(text), one.number))
        text += one.text
    return Passage(text, Where(file, lines[0].number), tuple(offsets))


class _Page:
    """A page being read, line by line."""

    def __init__(
        self, file: str, lines: list[_Line], names: _Names, titles: Mapping[str, tuple[FrameworkItem, ...]]
    ) -> None:
        self.file, self.lines, self.names, self.titles = file, lines, names, titles
        self.parts: dict[str, Part] = {}
        self.said: list[Said] = []
        self.listed: list[Citation] = []
        self.current: str | None = None
        self.group: str | None = None
        self.levels: list[tuple[int, str]] = []
        self.text: list[_Line] = []
        self.size = 0
        self.complete = True

    def read(self) -> None:
        at = 0
        while at < len(self.lines):
            at = self._step(at)
        self._flush()

    def _step(self, at: int) -> int:
        """Read from a line on, and give the line to go on with."""
        line = self.lines[at]
        cited = _CITES.match(line.text)
        if cited is not None:
            self._flush()
            return self._citations(at, cited.group(1))
        taken = self._title(at)
        if taken:
            self._flush()
            title = " ".join(one.text for one in self.lines[at : at + taken])
            self._begin(title, at, at + taken)
            self.complete = True
            return at + taken
        if self._in_list() and (_NUMBERED.match(line.text) or _BULLET.match(line.text)):
            self._flush()
            return self._entry(at)
        if _BULLET.match(line.text) or self.size > MAX_PASSAGE:
            self._flush()
        self.text.append(_Line(line.number, _BULLET.sub("", line.text)))
        self.size += len(line.text)
        self.complete = _ENDS.search(line.text) is not None
        return at + 1

    def _flush(self) -> None:
        if self.text:
            self.said.append(Said(_passage(self.file, self.text), self.current or ""))
            self.text, self.size = [], 0

    # --- titles

    def _title(self, at: int) -> int:
        """Give of how many lines the title that begins here consists; 0 if none does."""
        if _HEADING.match(self.lines[at].text):
            return 1
        for taken in (3, 2, 1):
            joined = " ".join(one.text for one in self.lines[at : at + taken])
            if at + taken <= len(self.lines) and plain_words(joined) in self.titles and self._fits(at, at + taken):
                return taken
        return 1 if self.complete and self._looks_like_a_title(at) else 0

    def _fits(self, at: int, after: int) -> bool:
        """Tell whether words that are a title are one here, not a line of a paragraph."""
        follows = self.lines[after].text if after < len(self.lines) else "A"
        starts = self.lines[at].text[:1]
        return (
            starts.isupper()
            and not _ENDS.search(self.lines[after - 1].text)
            and (self.complete or not follows[:1].islower())
        )

    def _looks_like_a_title(self, at: int) -> bool:
        text = self.lines[at].text
        words = text.split()
        if self._in_list() or at + 1 >= len(self.lines) or not 1 < len(words) <= TITLE_WORDS:
            return False
        if _ENDS.search(text) or text.endswith(",") or _BULLET.match(text) or self.lines[at + 1].text[:1].islower():
            return False
        return text[:1].isupper() and all(one[:1].isupper() or one in _LOWER or not one[:1].isalpha() for one in words)

    def _begin(self, title: str, at: int, after: int) -> None:
        heading = _HEADING.match(title)
        where = Where(self.file, self.lines[at].number)
        if heading is not None:
            title = heading.group(2).strip(" #*")
        known = self._known(plain_words(title))
        if known is not None:
            parent = known.parent if known.parent in self.parts else None
            self._add(Part(known.id, title, where, parent))
        elif heading is not None:
            level = len(heading.group(1))
            self.levels = [one for one in self.levels if one[0] < level]
            self._add(Part(self._fresh(title), title, where, self.levels[-1][1] if self.levels else None))
            self.levels.append((level, self.current or ""))
        else:
            # A title right before another one is that of a group.
            is_group = after < len(self.lines) and self._peek(after)
            parent = None if is_group else self.group
            self._add(Part(self._fresh(title), title, where, parent))
            self.group = self.current if is_group else self.group

    def _peek(self, at: int) -> bool:
        before, self.complete = self.complete, True
        found = self._title(at) > 0
        self.complete = before
        return found

    def _known(self, plain: str) -> FrameworkItem | None:
        """Give the section of this title that has not come yet, rather below the present one."""
        unseen = [one for one in self.titles.get(plain, ()) if one.id not in self.parts]
        lineage: list[str] = []
        at = self.current
        while at is not None and at not in lineage:
            lineage.append(at)
            at = self.parts[at].parent if at in self.parts else None
        return min(unseen, key=lambda one: one.parent not in lineage, default=None)

    def _fresh(self, title: str) -> str:
        base = plain_words(title).replace(" ", "-")[:60] or "part"
        name, number = base, 2
        while name in self.parts:
            name, number = f"{base}-{number}", number + 1
        return name

    def _add(self, part: Part) -> None:
        if len(self.parts) >= MAX_PARTS:
            message = f"more than {MAX_PARTS:,} sections"
            raise DocumentError(Problem("DOC002", message, part.where, "give the text of one page"))
        self.parts[part.id] = part
        self.current = part.id

    # --- commitments

    def _in_list(self) -> bool:
        if self.current is None:
            return False
        plain = plain_words(self.parts[self.current].title)
        return plain.startswith("list of") and "commitment" in plain

    def _citations(self, at: int, first: str) -> int:
        """Read a line of related commitments, which may run over several lines."""
        lines = [_Line(self.lines[at].number, first)] if first else []
        at += 1
        while at < len(self.lines) and len(lines) < MOST_CITATION_LINES:
            line = self.lines[at].text
            if _CITES.match(line) or _BULLET.match(line) or self._title_after_citations(at, lines):
                break
            lines.append(self.lines[at])
            at += 1
        if lines and self.current is not None:
            passage = _passage(self.file, lines)
            cites = tuple(self._cited(passage))
            part = self.parts[self.current]
            self.parts[part.id] = replace(part, cites=(*part.cites, *cites))
        self.complete = True
        return at

    def _title_after_citations(self, at: int, lines: list[_Line]) -> bool:
        last = " ".join(one.text for one in lines).rsplit(";", 1)[-1].strip()
        if not last:
            return False
        if self.names.is_exact(f"{last} {self.lines[at].text}"):
            return False
        self.complete = self.names.find(last) is not None
        return self._title(at) > 0 or self.complete

    def _cited(self, passage: Passage) -> Iterable[Citation]:
        start = 0
        for words in passage.text.split(";"):
            name = words.strip().rstrip(".")
            if name:
                yield Citation(name, self.names.find(name), passage.at(start + len(words) - len(words.lstrip())))
            start += len(words) + 1

    def _entry(self, at: int) -> int:
        """Read one framework of the list of commitments."""
        lines = [self.lines[at]]
        at += 1
        while at < len(self.lines) and not (
            _NUMBERED.match(self.lines[at].text) or _BULLET.match(self.lines[at].text) or self._title(at)
        ):
            lines.append(self.lines[at])
            at += 1
        passage = _passage(self.file, lines)
        name = _NUMBERED.sub("", _BULLET.sub("", passage.text))
        self.listed.append(Citation(name, self.names.find(name), passage.where))
        return at


# --- reports -------------------------------------------------------------------------------------------------


def read_report(raw: bytes, file: str, questionnaire: Framework) -> Claims:
    """Give what a report in Markdown answers: sections, lettered questions, sub-questions in Roman numerals.

    Questions are known by their place (``2g.iv``), never by their words. Sub-questions that are answered together
    share one answer.

    Raises:
        DocumentError: DOC002 or DOC003, the file is too large, or is no text.
    """
    lines = _lines(raw, file)
    reader = _Report(questionnaire)
    for line in lines:
        reader.take(line._replace(text=_ESCAPED.sub(r"\1", line.text)))
    return Claims(
        replies=tuple(reader.replies(file)),
        dated=_day_in(lines),
        start=Where(file, lines[0].number if lines else 1),
    )


class _Report:
    """A report being read, line by line."""

    def __init__(self, questionnaire: Framework) -> None:
        self.questionnaire = questionnaire
        self.texts: dict[str, list[_Line]] = {}
        self.section = ""
        self.question = ""
        self.target = ""
        self.asking = False

    def take(self, line: _Line) -> None:
        section = _SECTION.match(line.text)
        if section is not None:
            self.section, self.target = section.group(1), ""
        elif not line.text or set(line.text) <= {"-", "*", "_", " "}:
            self.asking = False
        elif not self._begins(line) and self.target and not self.asking:
            self.texts[self.target].append(line)

    def _begins(self, line: _Line) -> bool:
        """Tell whether a line begins a question, or the answer to a sub-question."""
        sub = _SUB_QUESTION.match(line.text)
        if sub is not None and self._asks(f"{self.question}.{sub.group(1)}") and not self.texts.get(self.question):
            self.texts.setdefault(f"{self.question}.{sub.group(1)}", [])
            return True
        answer = _SUB_REPLY.match(line.text)
        if answer is not None and f"{self.question}.{answer.group(1)}" in self.texts:
            self.target = f"{self.question}.{answer.group(1)}"
            self.texts[self.target].append(_Line(line.number, answer.group(2)))
            return True
        asked = _QUESTION.match(line.text)
        name = f"{self.section}{asked.group(1)}" if asked is not None else ""
        if name not in self.texts and self._asks(name):
            self.question = self.target = name
            self.texts[name] = []
            self.asking = True
            return True
        return False

    def _asks(self, name: str) -> bool:
        return self.questionnaire.item(name) is not None

    def replies(self, file: str) -> Iterable[Reply]:
        for name, lines in self.texts.items():
            item = self.questionnaire.item(name)
            assert item is not None
            shared = item.parent if not lines and item.parent is not None and self.texts.get(item.parent) else None
            found = lines or (self.texts[shared] if shared else [])
            if found:
                yield reply_of(item, f"{self.questionnaire.id}#{name}", _passage(file, found), shared)


def reply_of(item: FrameworkItem, ref: str, passage: Passage, shared_with: str | None = None) -> Reply:
    """Give an answer as the linter reads it: its own words, and where it points."""
    own = " ".join(one for one in sentences(passage.text) if not _only_points(one))
    return Reply(item, ref, passage, own, tuple(islice(_pointers(passage), MAX_POINTERS)), shared_with=shared_with)


def _only_points(sentence: str) -> bool:
    return len(sentence) <= MAX_SENTENCE and is_only_a_pointer(LINK.sub(r"\1", sentence))


def _pointers(passage: Passage) -> Iterable[Pointer]:
    for link in LINK.finditer(passage.text):
        yield Pointer(link.group(1).strip(), passage.at(link.start()), target=link.group(2))
    paths = [
        (one.start(), tuple(step.strip() for step in one.group(1).split(">"))) for one in _PATH.finditer(passage.text)
    ]
    for quoted in _QUOTED.finditer(passage.text):
        if not _THEN_SECTION.match(passage.text, quoted.end(), quoted.end() + MAX_TO_SECTION):
            continue
        path = next((steps for start, steps in paths if start > quoted.end()), ())
        yield Pointer(quoted.group(1).strip(" ,."), passage.at(quoted.start()), path)

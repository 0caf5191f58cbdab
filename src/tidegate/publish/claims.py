# SPDX-License-Identifier: Apache-2.0
"""The claim linter: what a careful reader would object to in what an organisation says in public.

Rules have stable ids. CL01 to CL10 are defects that published transparency hubs and reports were found to have;
the others ask what every promise has to say: by whom, by when, how often, and what will show it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from functools import cached_property
from typing import NamedTuple

from tidegate.kernel.duration import add
from tidegate.kernel.errors import Where
from tidegate.publish import claim_words as words_of
from tidegate.publish.answer_words import is_bare, names_frequency, speaks_of
from tidegate.publish.claim_input import Citation, Claims, Part, Passage, Pointer, Reply, Said
from tidegate.publish.claim_rules import RULES, ClaimRule

WORDS_AT_MOST = 400
"""An answer longer than this hides what it says; a page of the hub can hold the rest."""
OLD_AFTER = "P1Y"
"""A dated text counts as aged after a year."""
ALIKE = 0.85
"""Two titles whose letters agree to this share are taken for two ways of writing one."""
SHOWN_AT_MOST = 160
"""Characters of the words that a problem quotes."""


class ClaimProblem(NamedTuple):
    """One objection."""

    rule: ClaimRule
    where: Where
    words: str
    """The words that it is about."""
    message: str
    """What is wrong with them."""
    ref: str | None = None
    """Question, part or practice that they stand in."""

    def to_json(self) -> dict[str, object]:
        """Give it as plain data."""
        return {
            "rule": self.rule.id,
            "severity": self.rule.severity,
            "title": self.rule.title,
            "file": self.where.file,
            "line": self.where.line,
            "words": self.words,
            "message": self.message,
            "ref": self.ref,
            "hint": self.rule.hint,
        }


class _Near(NamedTuple):
    """What a part and those below it say, in order."""

    place: Mapping[int, int]
    figures: tuple[int, ...]
    """Places of passages with figures."""
    drawn: tuple[int, ...]
    """Places of passages with tables or drawings."""


@dataclass(frozen=True)
class _Text:
    """Claims from one or more texts, read together."""

    claims: tuple[Claims, ...]
    at: date

    @cached_property
    def parts(self) -> Mapping[str, Part]:
        return {part.id: part for one in self.claims for part in one.parts}

    @cached_property
    def children(self) -> Mapping[str | None, tuple[Part, ...]]:
        found: dict[str | None, tuple[Part, ...]] = {}
        for part in self.parts.values():
            found[part.parent] = (*found.get(part.parent, ()), part)
        return found

    @cached_property
    def by_id(self) -> frozenset[str]:
        """Parts that are referred to by id."""
        return frozenset(part.id for one in self.claims if one.by_id for part in one.parts)

    @property
    def said(self) -> Iterator[tuple[Said, Claims]]:
        return ((said, one) for one in self.claims for said in one.said)

    @property
    def replies(self) -> Iterator[tuple[Reply, Claims]]:
        return ((reply, one) for one in self.claims for reply in one.replies)

    @cached_property
    def bodies(self) -> Mapping[str, str]:
        """What each part says, without its title, together with the parts below it."""
        return {part: "\n".join(one.passage.text for one in them) for part, them in self._within.items()}

    @cached_property
    def _within(self) -> Mapping[str, tuple[Said, ...]]:
        found: dict[str, list[Said]] = {}
        for said, _ in self.said:
            for part in self.above(said.part):
                found.setdefault(part, []).append(said)
        return {part: tuple(them) for part, them in found.items()}

    @cached_property
    def _nears(self) -> dict[str, _Near]:
        return {}

    def near(self, part: str) -> _Near:
        """Give where figures and drawings stand in a part."""
        if part not in self._nears:
            them = self._within[part]
            self._nears[part] = _Near(
                {id(one): place for place, one in enumerate(them)},
                tuple(n for n, one in enumerate(them) if words_of.FIGURES.search(one.passage.text)),
                tuple(n for n, one in enumerate(them) if words_of.DRAWN.search(one.passage.text)),
            )
        return self._nears[part]

    def above(self, part: str | None) -> Iterator[str]:
        """Give a part and those that it belongs to."""
        seen: set[str] = set()
        while part is not None and part not in seen:
            seen.add(part)
            yield part
            part = self.parts[part].parent if part in self.parts else None

    def find(self, pointer: Pointer) -> Part | None:
        """Give the part that a pointer names, however its title is written."""
        if pointer.part is not None:
            return self.parts.get(pointer.part)
        wanted = words_of.plain_words(pointer.words)
        same = self.titled.get(wanted) or self._near_titles(wanted)
        above = {words_of.plain_words(one) for one in pointer.path}
        # Of several parts with one title, the one whose parents are named; else the outermost.
        return min(
            same, key=lambda one: (-len(above & self._titles_above(one)), len([*self.above(one.id)])), default=None
        )

    @cached_property
    def titled(self) -> Mapping[str, tuple[Part, ...]]:
        """Parts by their titles, however written."""
        found: dict[str, tuple[Part, ...]] = {}
        for part in self.parts.values():
            plain = words_of.plain_words(part.title)
            found[plain] = (*found.get(plain, ()), part)
        return found

    @cached_property
    def _alike_ones(self) -> dict[str, tuple[Part, ...]]:
        return {}

    def _near_titles(self, wanted: str) -> tuple[Part, ...]:
        if wanted not in self._alike_ones:
            near = (parts for plain, parts in self.titled.items() if _alike(plain, wanted))
            self._alike_ones[wanted] = tuple(part for parts in near for part in parts)
        return self._alike_ones[wanted]

    def _titles_above(self, part: Part) -> set[str]:
        return {words_of.plain_words(self.parts[one].title) for one in self.above(part.parent) if one in self.parts}


def lint(*claims: Claims, at: date) -> tuple[ClaimProblem, ...]:
    """Give every objection to one or more texts that belong together, in the order of the texts.

    Args:
        claims: what they claim. Answers are read together with the pages that they point to.
        at: the day from which they are read: what was renamed or has aged by then is found.
    """
    text = _Text(claims, at)
    problems = [problem for rule in RULES for problem in CHECKS[rule.id](text, rule)]
    files = [one.start.file for one in claims]
    return tuple(sorted(problems, key=lambda one: _position(files, one)))


def _position(files: list[str], one: ClaimProblem) -> tuple[int, str, int, str]:
    file = one.where.file
    return (files.index(file) if file in files else len(files), file, one.where.line or 0, one.rule.id)


def _quoted(text: str) -> str:
    return text if len(text) <= SHOWN_AT_MOST else text[: SHOWN_AT_MOST - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def _alike(one: str, other: str) -> bool:
    # Quick ratios are upper bounds, so that the costly one is seldom needed.
    match = SequenceMatcher(None, one, other)
    return match.real_quick_ratio() >= ALIKE and match.quick_ratio() >= ALIKE and match.ratio() >= ALIKE


def _title(part: Part) -> str:
    return f"\N{LEFT DOUBLE QUOTATION MARK}{part.title}\N{RIGHT DOUBLE QUOTATION MARK}"


def _grouped(questions: Iterable[str]) -> str:
    names = [one.partition("#")[2] or one for one in dict.fromkeys(questions)]
    return ", ".join(names)


class _Sentence(NamedTuple):
    start: int
    text: str


def _sentences(passage: Passage) -> Iterator[_Sentence]:
    start = 0
    for found in words_of.SENTENCE_END.finditer(passage.text):
        yield _Sentence(start, passage.text[start : found.start()])
        start = found.end()
    if start < len(passage.text):
        yield _Sentence(start, passage.text[start:])


# --- the ten kinds ---------------------------------------------------------------------------------------


def _orphan(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    cited = {_known(one) for part in text.parts.values() for one in part.cites}
    for claims in text.claims:
        for one in claims.listed:
            if _known(one) not in cited:
                yield ClaimProblem(rule, one.where, one.words, "it is listed, and no part says how it is met")


def _known(one: Citation) -> str:
    return one.framework or words_of.plain_words(one.words)


def _dangling(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for claims in text.claims:
        for broken in claims.broken:
            hint = f"; {broken.hint}" if broken.hint else ""
            yield ClaimProblem(rule, broken.where, broken.words, f"there is no {broken.words}{hint}")
    for said, _ in text.said:
        for found in words_of.ABOVE_OR_BELOW.finditer(said.passage.text):
            thing = (found.group("thing") or found.group("thing2")).casefold()
            above = (found.group("where") or found.group("where2")).casefold() != "below"
            if not _holds(text, said, thing, above):
                message = f"the page holds no such thing {'above' if above else 'below'} it, in this part or beside it"
                yield ClaimProblem(rule, said.passage.at(found.start()), found.group(), message, said.part)


def _holds(text: _Text, said: Said, thing: str, above: bool) -> bool:
    """Tell whether something of a kind stands before or after a passage, in its part or the parts beside it."""
    lineage = [*text.above(said.part)]
    near = text.near(lineage[1] if len(lineage) > 1 else said.part)
    places = near.drawn if thing.rstrip("s") in ("table", "chart", "graph", "diagram") else near.figures
    here = near.place[id(said)]
    return bool(places) and (places[0] < here if above else places[-1] > here)


def _no_frequency(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for reply, _ in text.replies:
        if reply.question.answer != "frequency" or reply.cadence or names_frequency(reply.own_words):
            continue
        pointed = [part for one in reply.pointers if (part := text.find(one)) is not None]
        if any(names_frequency(text.bodies.get(one.id, "")) for one in pointed):
            continue
        where = "and the parts that it points to give none" if pointed else "and it points to no part that gives one"
        words = _quoted(reply.passage.text)
        yield ClaimProblem(rule, reply.passage.where, words, f"the answer gives no frequency, {where}", reply.ref)


def _beside_the_point(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for reply, _ in text.replies:
        pointed = [part for one in reply.pointers if (part := text.find(one)) is not None]
        topic = reply.question.topic
        if (
            topic
            and pointed
            and not reply.own_words.strip()
            and not any(speaks_of(topic, text.bodies.get(one.id, "")) for one in pointed)
        ):
            names = " and ".join(map(_title, pointed))
            words = _quoted(reply.passage.text)
            message = f"the text of {names} says nothing of: {', '.join(topic)}"
            yield ClaimProblem(rule, reply.passage.where, words, message, reply.ref)


def _unreachable(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for said, _ in text.said:
        for link in words_of.LINK.finditer(said.passage.text):
            if not _leads_somewhere(link.group(2)):
                where = said.passage.at(link.start())
                yield ClaimProblem(rule, where, link.group(1), "the link leads nowhere", said.part)
    wrong: dict[tuple[str, str], list[tuple[Reply, Pointer]]] = {}
    for reply, _ in text.replies:
        for one in reply.pointers:
            fault = _fault(text, one)
            if fault is not None:
                wrong.setdefault((one.words, fault), []).append((reply, one))
    for (words, fault), places in wrong.items():
        message = f"{fault}; it stands in {_grouped(reply.ref for reply, _ in places)}"
        yield ClaimProblem(rule, places[0][1].where, words, message, places[0][0].ref)


def _leads_somewhere(target: str) -> bool:
    return target.strip() not in ("", "#")


def _fault(text: _Text, pointer: Pointer) -> str | None:
    """Give why a reader cannot follow a pointer; none if they can."""
    if pointer.target is not None:
        return None if _leads_somewhere(pointer.target) else "the link leads nowhere"
    if pointer.part is not None or not text.parts or text.find(pointer) is not None:
        return None
    return "no page that was read has such a part"


def _bare(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for reply, _ in text.replies:
        if reply.shown or reply.shared_with is not None:
            continue
        if not reply.pointers and is_bare(reply.passage.text):
            words = _quoted(reply.passage.text)
            yield ClaimProblem(
                rule, reply.passage.where, words, "it says no more than yes, and names no record", reply.ref
            )
            continue
        for found in words_of.ALL.finditer(reply.own_words):
            yield _all_claim(rule, reply.passage, found.group(), reply.ref)
            break
    for said, _ in text.said:
        if not said.shown and (match := words_of.ALL.search(said.passage.text)) is not None:
            yield _all_claim(rule, said.passage, match.group(), said.part)


def _all_claim(rule: ClaimRule, passage: Passage, words: str, ref: str) -> ClaimProblem:
    where = passage.at(max(passage.text.find(words), 0))
    return ClaimProblem(rule, where, words, "it claims all of something, and names no record that shows it", ref)


def _outdated(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for claims in text.claims:
        undated = [one for one in claims.said if one.as_of is None] if claims.dated is None else []
        if undated:
            message = f"{len(undated)} of {len(claims.said)} statements have no day for which they were true"
            yield ClaimProblem(rule, undated[0].passage.where, _quoted(undated[0].passage.text), message)
        if claims.dated is not None and add(claims.dated, OLD_AFTER) < text.at:
            message = f"the whole text was true on {claims.dated.isoformat()}, more than a year ago"
            yield ClaimProblem(rule, claims.start, claims.dated.isoformat(), message)
        for said in claims.said:
            yield from _old_words(text, rule, said.passage, said.part)
            if said.aged is not None:
                yield ClaimProblem(rule, said.passage.where, _quoted(said.passage.text), said.aged, said.part)
            if said.as_of is None and claims.dated is None:
                yield from _true_some_day(rule, said)
        for reply in claims.replies:
            if reply.shared_with is None:
                yield from _old_words(text, rule, reply.passage, reply.ref)


def _old_words(text: _Text, rule: ClaimRule, passage: Passage, ref: str) -> Iterator[ClaimProblem]:
    seen: set[str] = set()
    for start, words, body in words_of.old_names_in(passage.text, text.at):
        if body.now not in seen:
            seen.add(body.now)
            message = f"it has been called {body.now} since {body.since.isoformat()}"
            yield ClaimProblem(rule, passage.at(start), words, message, ref)


def _true_some_day(rule: ClaimRule, said: Said) -> Iterator[ClaimProblem]:
    for count in words_of.counts_in(said.passage.text):
        if not count.is_share:
            message = "a count, without the day for which it was true"
            yield ClaimProblem(rule, said.passage.at(count.start), count.words, message, said.part)
    for found in words_of.NOW.finditer(said.passage.text):
        message = "it is true on some day only, and names none"
        yield ClaimProblem(rule, said.passage.at(found.start()), found.group(), message, said.part)


def _modal(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for passage, ref in _passages(text):
        for pattern, message in (
            (words_of.MODAL, "it is allowed, not promised"),
            (words_of.WISH, "it is a wish, not a commitment"),
        ):
            for found in pattern.finditer(passage.text):
                yield ClaimProblem(rule, passage.at(found.start()), found.group(), message, ref)


def _passages(text: _Text) -> Iterator[tuple[Passage, str]]:
    yield from ((said.passage, said.part) for said, _ in text.said)
    yield from ((one.passage, one.ref) for one, _ in text.replies if one.shared_with is None)


def _by_title(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    wrong: dict[tuple[str, str], tuple[Where, list[str]]] = {}
    for reply, _ in text.replies:
        for one in reply.pointers:
            if one.target is None and one.part is None:
                for words, title in _miswritten(text, one):
                    wrong.setdefault((words, title), (one.where, []))[1].append(reply.ref)
    for (words, title), (where, questions) in wrong.items():
        message = f"the part is titled {title!r}; it is named so in {_grouped(questions)}"
        yield ClaimProblem(rule, where, words, message, questions[0])
    yield from _listed_otherwise(text, rule)


def _miswritten(text: _Text, pointer: Pointer) -> Iterator[tuple[str, str]]:
    """Give the titles of a pointer that name a part in other words than its own, each with the right one."""
    found = text.find(pointer)
    if found is not None and found.title.casefold() != pointer.words.casefold():
        yield pointer.words, found.title
    for title in pointer.path:
        same = [one.title for one in text.titled.get(words_of.plain_words(title), ())]
        if same and title.casefold() not in [one.casefold() for one in same]:
            yield title, same[0]


def _listed_otherwise(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    listed = {one.framework: one for claims in text.claims for one in claims.listed if one.framework is not None}
    seen: set[tuple[str, str]] = set()
    for part in text.parts.values():
        for one in part.cites if part.id not in text.by_id else ():
            entry = listed.get(one.framework) if one.framework is not None else None
            if entry is None or (entry.words, one.words) in seen:
                continue
            seen.add((entry.words, one.words))
            if not words_of.plain_words(entry.words).startswith(words_of.plain_words(one.words)):
                yield ClaimProblem(rule, one.where, one.words, f"the list calls it {entry.words!r}", part.id)


def _shared_line(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for part in text.parts.values():
        for one in part.cites:
            if one.is_whole:
                message = "it names the framework as a whole, so that which of its items are met is unknown"
                yield ClaimProblem(rule, one.where, one.words, message, part.id)
    for parent, parts in text.children.items():
        if parent is None or parent in text.by_id:
            continue
        above = text.parts.get(parent)
        citing = [one for one in (*parts, *((above,) if above else ())) if one.cites]
        without = [one for one in parts if not one.cites and one.id not in text.children and one.id in text.bodies]
        if len(parts) < 2 or not citing or not without:
            continue
        names = " and ".join(map(_title, without))
        have = "has" if len(without) == 1 else "have"
        message = f"{names} {have} no line of commitments besides the one of {_title(citing[0])}"
        cited = citing[0].cites[0]
        yield ClaimProblem(rule, without[0].where, cited.words, message, parent)


# --- what a promise has to say ------------------------------------------------------------------------------


def _promise(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for said, claims in text.said:
        for sentence in _sentences(said.passage):
            found = words_of.PROMISE.search(sentence.text)
            if found is None or words_of.ABOUT_THE_TEXT.search(sentence.text):
                continue
            dated = said.cadence or names_frequency(sentence.text) or _is_dated(sentence.text)
            lacks = [
                name
                for name, has in (("an owner", said.owner), ("a date or interval", dated), ("evidence", said.shown))
                if not has and (claims.knows_records or name == "a date or interval")
            ]
            if lacks:
                where = said.passage.at(sentence.start + found.start())
                message = f"a promise without {' and '.join(lacks)}"
                yield ClaimProblem(rule, where, _quoted(sentence.text), message, said.part)


def _is_dated(text: str) -> bool:
    return words_of.DAY.search(text) is not None or words_of.CONDITION.search(text) is not None


def _unsourced_count(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for said, _ in text.said:
        if not said.shown:
            for count in words_of.counts_in(said.passage.text):
                where = said.passage.at(count.start)
                yield ClaimProblem(rule, where, count.words, "a count that names no source", said.part)


def _how_often(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    cadence = {id(said.passage): said.cadence for said, _ in text.said}
    for passage, ref in _passages(text):
        for sentence in _sentences(passage):
            found = words_of.HOW_OFTEN.search(sentence.text)
            if found is not None and not names_frequency(sentence.text) and not cadence.get(id(passage)):
                where = passage.at(sentence.start + found.start())
                yield ClaimProblem(rule, where, found.group(), "it names no frequency", ref)


def _only_pointers(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for claims in text.claims:
        empty = [one for one in claims.replies if one.pointers and not one.own_words.strip() and not claims.by_id]
        if empty:
            message = f"{len(empty)} of {len(claims.replies)} answers only point elsewhere: {_grouped(one.ref for one in empty)}"
            first = empty[0]
            yield ClaimProblem(rule, first.passage.where, _quoted(first.passage.text), message, first.ref)


def _uneven(text: _Text, rule: ClaimRule) -> Iterator[ClaimProblem]:
    for claims in text.claims:
        sizes = sorted(len(one.own_words.split()) for one in claims.replies if one.own_words.strip())
        middle = sizes[len(sizes) // 2] if sizes else 0
        for one in claims.replies:
            size = len(one.own_words.split())
            if size > WORDS_AT_MOST:
                message = f"{size} words; at most {WORDS_AT_MOST}, and the middle answer has {middle}"
                yield ClaimProblem(rule, one.passage.where, _quoted(one.passage.text), message, one.ref)


CHECKS: Mapping[str, Callable[[_Text, ClaimRule], Iterator[ClaimProblem]]] = {
    "CL01": _orphan,
    "CL02": _dangling,
    "CL03": _no_frequency,
    "CL04": _beside_the_point,
    "CL05": _unreachable,
    "CL06": _bare,
    "CL07": _outdated,
    "CL08": _modal,
    "CL09": _by_title,
    "CL10": _shared_line,
    "CL11": _promise,
    "CL12": _unsourced_count,
    "CL13": _how_often,
    "CL14": _only_pointers,
    "CL15": _uneven,
}

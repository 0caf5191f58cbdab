# SPDX-License-Identifier: Apache-2.0
"""What answers each item of each framework: with evidence, with words only, with nothing, or why it need not be answered.

A practice or answer that names an item answers it. One that names an entry of the crosswalk answers every item that
the entry lists. A record of a kind that only one entry of the crosswalk asks for answers that entry's items, save
questions, which want words, as long as it counts. An answer that says no is one to a question only. Naming a framework
as a whole answers none of its items.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple

from tidegate.kernel.duration import first_day
from tidegate.policy.framework import Framework, FrameworkItem
from tidegate.publish.content import Content
from tidegate.publish.inventory import BADGE_WORDS, Badge, Inventory, Known, Worth, weakest, worth
from tidegate.publish.practices import Answer, CommitmentMade, Practice, Statement

CoverageState = Literal["evidence", "statement", "uncovered", "not_applicable"]

STATE_WORDS: Mapping[CoverageState, str] = {
    "evidence": "covered by evidence",
    "statement": "covered by a statement only",
    "uncovered": "uncovered",
    "not_applicable": "not applicable",
}

_SHOWS: frozenset[Badge] = frozenset({"verified", "attested"})
_WANTS_WORDS = frozenset({"questionnaire", "sections"})
_REFUSED = {"no": "the answer says no", "not_applicable": "the answer says that it does not apply, and not why"}
_DEFINES = frozenset({"definition", "enforcement", "incident_class"})
_SIZES = frozenset({"frontier_developer", "large_frontier_developer"})


class Answering(NamedTuple):
    """Something that answers an item."""

    kind: Literal["practice", "answer", "record"]
    id: str
    """Id of the practice, item that the answer is to, or reference of the record."""
    title: str
    badge: Badge
    """What it is worth."""
    reason: str
    """Why it is worth that."""
    records: tuple[Known, ...] = ()
    """Records that show it."""
    via: str | None = None
    """Entry of the crosswalk through which it answers; none if it names the item itself."""
    choice: Literal["yes", "no", "not_applicable"] | None = None
    """What an answer chooses, if it does."""
    model: str | None = None
    """Model that an answer is about."""

    @property
    def shows(self) -> bool:
        """True if a record that counts stands behind it."""
        return self.badge in _SHOWS


class ItemCoverage(NamedTuple):
    """What answers one item."""

    ref: str
    """The item: ``sb53#12.c.1D``."""
    item: FrameworkItem
    state: CoverageState
    by: tuple[Answering, ...] = ()
    """What answers it, strongest first."""
    reason: str = ""
    """Why it is in this state, in words."""
    from_day: str | None = None
    """First day in force, if that is still to come."""


@dataclass(frozen=True)
class FrameworkCoverage:
    """What answers a framework, item by item."""

    framework: Framework
    made: CommitmentMade | None
    """How the organisation stands to it; none if it has not said."""
    items: tuple[ItemCoverage, ...]
    """Its items, in its order."""
    whole: tuple[Answering, ...] = field(default=())
    """What names the framework as a whole, and so answers none of its items."""

    def of(self, state: CoverageState) -> tuple[ItemCoverage, ...]:
        """Give the items in a state."""
        return tuple(one for one in self.items if one.state == state)

    @property
    def counts(self) -> Mapping[CoverageState, int]:
        """Number of items in each state."""
        return {state: len(self.of(state)) for state in STATE_WORDS}

    @property
    def open(self) -> tuple[ItemCoverage, ...]:
        """Uncovered items that count by now: of a framework adhered to or binding, and in force."""
        if self.made is None or self.made.stance not in ("adhered", "bound"):
            return ()
        return tuple(one for one in self.of("uncovered") if one.from_day is None)


@dataclass(frozen=True)
class Answers:
    """What answers what, with the crosswalk resolved: made once, asked often."""

    content: Content

    def to(self, ref: str) -> tuple[Answering, ...]:
        """Give what answers an item, strongest first; for a whole framework, what names it as a whole."""
        return self._by_ref.get(ref, ())

    def items_of(self, practice: Practice) -> tuple[tuple[str, str | None], ...]:
        """Give the items that a practice answers, each with the crosswalk's entry through which it does."""
        return tuple(_expanded(practice.commitments, self.concepts))

    @cached_property
    def concepts(self) -> Mapping[str, FrameworkItem]:
        """Entries of the crosswalk, by reference."""
        crosswalk = self.content.crosswalk
        return {f"{crosswalk.id}#{one.id}": one for one in crosswalk.items}

    @cached_property
    def _by_ref(self) -> Mapping[str, tuple[Answering, ...]]:
        found: dict[str, dict[tuple[str, str, str | None], Answering]] = {}
        for ref, one in self._all():
            # What names the item itself comes before what reaches it through the crosswalk.
            found.setdefault(ref, {}).setdefault((one.kind, one.id, one.model), one)
        return {ref: tuple(sorted(them.values(), key=lambda one: not one.shows)) for ref, them in found.items()}

    def _all(self) -> Iterator[tuple[str, Answering]]:
        content = self.content
        practices = {one.id: answering_practice(one, content) for one in content.publication.practices}
        for answer in content.publication.answers:
            made = _answering(answer, practices, content)
            yield from _spread(made, _expanded((answer.to,), self.concepts))
        for practice in content.publication.practices:
            yield from _spread(practices[practice.id], self.items_of(practice))
        for concept, known in self.records():
            one = _record(known, content)
            yield from _spread(one, ((seen, concept) for seen in self.concepts[concept].see))

    def records(self) -> Iterator[tuple[str, Known]]:
        """Give each record that answers an entry of the crosswalk by its kind alone.

        That is so where no other entry asks for the same kind: the record can be about nothing else.
        """
        kinds = [one.artifact for one in self.concepts.values()]
        sole = {one.artifact: ref for ref, one in self.concepts.items() if kinds.count(one.artifact) == 1}
        for known in self.content.inventory.records.values():
            if known.artifact is not None and known.artifact in sole:
                yield sole[known.artifact], known


class AnsweredBy(NamedTuple):
    """The practices, answers and records that answer an item."""

    practices: tuple[Practice, ...] = ()
    """Those that name the item itself come first, then those that reach it through the crosswalk."""
    answers: tuple[Answer, ...] = ()
    records: tuple[Known, ...] = ()
    """Records of a kind that answers it, by the crosswalk."""


def answers_to(ref: str, content: Content) -> AnsweredBy:
    """Give the practices, answers and records that answer an item, with the crosswalk resolved."""
    answers = Answers(content)
    through = {concept for concept, one in answers.concepts.items() if ref in one.see}
    practices = content.publication.practices
    named = [one for one in practices if ref in one.commitments]
    reaching = [one for one in practices if ref not in one.commitments and through & {*one.commitments}]
    return AnsweredBy(
        (*named, *reaching),
        tuple(one for one in content.publication.answers if one.to == ref or one.to in through),
        tuple(known for concept, known in answers.records() if concept in through),
    )


def answering_practice(practice: Practice, content: Content) -> Answering:
    """Give what a practice is worth as a whole: as much as the weakest of its statements."""
    worths = [worth(one, practice, content.inventory, content.at) for one in practice.statements]
    badge, reason, records = _together(worths)
    return Answering("practice", practice.id, practice.title, badge, reason, records)


def coverage(
    content: Content, names: Iterable[str] = (), facts: frozenset[str] = frozenset()
) -> tuple[FrameworkCoverage, ...]:
    """Give what answers each framework that the organisation has a commitment to, or each one named.

    Args:
        content: what is published.
        names: ids of frameworks; those of the commitments if none.
        facts: what is so of the organisation. Once its size is among them (`frontier_developer`,
            `large_frontier_developer`), items that bind others only are not applicable.
    """
    made = {one.framework: one for one in content.commitments}
    answers = Answers(content)
    wanted = tuple(dict.fromkeys(names)) or tuple(made)
    frameworks = [content.frameworks[name] for name in wanted if name in content.frameworks]
    return tuple(_framework(one, made.get(one.id), answers, facts) for one in frameworks)


def _framework(
    framework: Framework, made: CommitmentMade | None, answers: Answers, facts: frozenset[str]
) -> FrameworkCoverage:
    judged = _Judged(framework, made, answers, facts)
    return FrameworkCoverage(
        framework, made, tuple(judged.item(one) for one in framework.items), answers.to(framework.id)
    )


@dataclass(frozen=True)
class _Judged:
    """A framework being judged."""

    framework: Framework
    made: CommitmentMade | None
    answers: Answers
    facts: frozenset[str]

    @cached_property
    def children(self) -> Mapping[str, tuple[FrameworkItem, ...]]:
        found: dict[str, tuple[FrameworkItem, ...]] = {}
        for one in self.framework.items:
            if one.parent is not None:
                found[one.parent] = (*found.get(one.parent, ()), one)
        return found

    def item(self, item: FrameworkItem) -> ItemCoverage:
        """Judge an item, together with its parts."""
        ref = f"{self.framework.id}#{item.id}"
        by = self.answers.to(ref)
        from_day = self._from_day(item)
        why_not = self._why_not(item, ref)
        if why_not is not None:
            return ItemCoverage(ref, item, "not_applicable", by, why_not, from_day)
        own = self._own(ref, item, by, from_day)
        parts = [self.item(one) for one in self.children.get(item.id, ())]
        if not parts or own.state == "evidence":
            return own
        through = _through(parts)
        # Words for the whole do not hide that a part has evidence, nor the reverse: the stronger of both counts.
        if own.state == "statement" and through[0] != "evidence":
            return own
        return own._replace(state=through[0], reason=through[1])

    def _own(self, ref: str, item: FrameworkItem, by: tuple[Answering, ...], from_day: str | None) -> ItemCoverage:
        said = [one for one in by if self._answers(one)]
        showing = next((one for one in said if one.shows), None)
        if showing is not None:
            return ItemCoverage(ref, item, "evidence", by, showing.reason, from_day)
        if said:
            reason = f"{BADGE_WORDS[said[0].badge]}: {said[0].reason}"
            return ItemCoverage(ref, item, "statement", by, reason, from_day)
        if item.group in _DEFINES and item.due is None and item.id not in self.children:
            return ItemCoverage(
                ref, item, "not_applicable", by, "it defines something; nothing is to be done", from_day
            )
        reason = next((_REFUSED[one.choice] for one in by if one.choice in _REFUSED), "nothing answers it")
        return ItemCoverage(ref, item, "uncovered", by, reason, from_day)

    def _answers(self, one: Answering) -> bool:
        """Tell whether what names an item does answer it: a no answers questions only, and nobody said a record."""
        is_asked = self.framework.kind in _WANTS_WORDS
        if one.kind == "record":
            return one.shows and not is_asked
        return one.choice != "not_applicable" and (is_asked or one.choice != "no")

    def _from_day(self, item: FrameworkItem) -> str | None:
        starts = [one for one in (item.in_force_from, self.framework.in_force_from) if one is not None]
        latest = max(starts, key=first_day, default=None)
        return latest if latest is not None and first_day(latest) > self.answers.content.at else None

    def _why_not(self, item: FrameworkItem, ref: str) -> str | None:
        if self.made is not None and self.made.stance == "not_applicable":
            return self.made.reason
        reasons = self.made.not_applicable if self.made is not None else {}
        for one in self._with_parents(item):
            if reasons.get(one.id, "").strip():
                return reasons[one.id]
        answer = next(
            (
                one
                for one in self.answers.content.publication.answers
                if one.to == ref and one.model is None and one.choice == "not_applicable" and one.text
            ),
            None,
        )
        if answer is not None:
            return answer.text
        size = "large_frontier_developer"
        if item.applies_to == size and self.facts & _SIZES and size not in self.facts:
            return "it binds large frontier developers only"
        return None

    def _with_parents(self, item: FrameworkItem) -> Iterator[FrameworkItem]:
        one: FrameworkItem | None = item
        while one is not None:
            yield one
            one = self.framework.item(one.parent) if one.parent is not None else None


def _through(parts: list[ItemCoverage]) -> tuple[CoverageState, str]:
    """Give the state of a whole that nothing answers but its parts."""
    counted = [one for one in parts if one.state != "not_applicable"]
    if not counted:
        return "not_applicable", "no part of it applies"
    missing = [one for one in counted if one.state == "uncovered"]
    if missing:
        return "uncovered", f"{len(missing)} of {len(counted)} parts are uncovered"
    if any(one.state == "statement" for one in counted):
        return "statement", "every part is covered, not all by evidence"
    return "evidence", "every part is covered by evidence"


def _expanded(refs: Iterable[str], concepts: Mapping[str, FrameworkItem]) -> Iterator[tuple[str, str | None]]:
    """Give the items named, then those that the named entries of the crosswalk list, each once."""
    named = dict.fromkeys(refs)
    yield from ((ref, None) for ref in named)
    listed = {seen: ref for ref in named if ref in concepts for seen in concepts[ref].see}
    yield from ((seen, ref) for seen, ref in listed.items() if seen not in named)


def _spread(one: Answering, refs: Iterable[tuple[str, str | None]]) -> Iterator[tuple[str, Answering]]:
    for ref, via in refs:
        yield ref, one._replace(via=via)


def _answering(answer: Answer, practices: Mapping[str, Answering], content: Content) -> Answering:
    """Give what an answer is worth: by its own records, else by the weakest of the practices that it rests on."""
    rests_on = [practices[one] for one in answer.practices if one in practices]
    said = Statement(
        text=answer.text or answer.choice or "see the practices", evidence=answer.evidence, as_of=answer.as_of
    )
    own = worth(said, None, content.inventory, content.at, (answer.model,) if answer.model else ())
    lost = [one for one in answer.practices if one not in practices]
    made = Answering(
        "answer", answer.to, answer.to, own.badge, own.reason, own.records, None, answer.choice, answer.model
    )
    if lost:
        return made._replace(badge="dangling", reason=f"there is no practice {lost[0]}")
    if rests_on and not answer.evidence:
        badge = weakest(one.badge for one in rests_on)
        reason = next(one.reason for one in rests_on if one.badge == badge)
        records = tuple(dict.fromkeys(known for one in rests_on for known in one.records))
        return made._replace(badge=badge, reason=reason, records=records)
    return made


def _record(known: Known, content: Content) -> Answering:
    said = Statement(text=known.title, evidence=(known.ref,), as_of=content.at)
    of = worth(said, None, Inventory({known.ref: known}), content.at)
    return Answering("record", known.ref, known.title, of.badge, of.reason, of.records)


def _together(worths: list[Worth]) -> tuple[Badge, str, tuple[Known, ...]]:
    badge = weakest(one.badge for one in worths)
    reason = next(one.reason for one in worths if one.badge == badge)
    return badge, reason, tuple(dict.fromkeys(known for one in worths for known in one.records))

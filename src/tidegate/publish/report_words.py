# SPDX-License-Identifier: Apache-2.0
"""What an organisation says to an item of a framework, each time with what it is worth, and how a page shows it.

A sentence is never printed without its badge: a reader sees which record shows it, or that none does.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tidegate.kernel.duration import first_day
from tidegate.policy.framework import Framework
from tidegate.publish.content import Content, PublishedModel
from tidegate.publish.coverage import Answers
from tidegate.publish.hub.addresses import addresses
from tidegate.publish.inventory import BADGE_WORDS, Badge, Worth, worth
from tidegate.publish.practices import Answer, Practice, Statement
from tidegate.publish.report_blocks import (
    Block,
    Cell,
    Cite,
    Facts,
    Grid,
    Link,
    Listing,
    Mark,
    Paragraph,
    Run,
    Said,
    Section,
    cell,
    grid,
)

BADGE_STYLES: Mapping[Badge, str] = {
    "verified": "ruled_out",
    "attested": "reached_and_mitigated",
    "statement": "inconclusive",
    "aged": "not_ruled_out",
    "dangling": "reached",
}
"""Badge -> style in which a page shows it."""
RECORDS_ANCHOR = "records"
"""Where a page lists the records that it cites."""


@dataclass(frozen=True)
class Hub:
    """Where readers find practices and records."""

    base: str = ""
    """What addresses begin with; empty for a page that stands at the root of the site."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Record, or ``practice:<id>`` -> its address from the site's root."""

    def shown(self, ref: str, words: str) -> Run:
        """Give words that lead to a record or practice; words alone, if the site does not show it."""
        place = self.places.get(ref)
        return Link(words, f"{self.base}{place}") if place else words


def hub_of(content: Content, base: str = "") -> Hub:
    """Give where the hub shows what is published; ``base`` is the address of the hub."""
    return Hub(f"{base.rstrip('/')}/" if base else "", addresses(content, ()))


@dataclass(frozen=True)
class Saying:
    """Words of the organisation, with what shows them."""

    text: str
    worth: Worth
    refs: tuple[str, ...] = ()
    """Records that it cites, whether they exist or not."""
    practice: Practice | None = None
    """The practice that it is a statement of; none for words of an answer."""

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "text": self.text,
            "badge": self.worth.badge,
            "reason": self.worth.reason,
            "evidence": list(self.refs),
            "as_of": _iso(self.worth.as_of),
            "practice": self.practice.id if self.practice else None,
        }


def answer_to(ref: str, content: Content, model: PublishedModel | None = None) -> Answer | None:
    """Give the project's answer to an item: the one about this model, else the general one."""
    given = [one for one in content.publication.answers if one.to == ref]
    if model is not None:
        own = next((one for one in given if one.model and one.model.casefold() in model.model.names), None)
        if own is not None:
            return own
    return next((one for one in given if one.model is None), None)


def general_answers(ref: str, answers: Answers) -> tuple[Answer, ...]:
    """Give the answers to entries of the crosswalk that an item belongs to."""
    via = [one.id for one in answers.to(ref) if one.kind == "answer" and one.via is not None]
    return tuple(one for one in answers.content.publication.answers if one.to in via and one.model is None)


def practices_for(ref: str, answers: Answers, model: PublishedModel | None = None) -> tuple[Practice, ...]:
    """Give the practices that answer an item: those that name it, then those that reach it through the crosswalk.

    About one model, only a practice that names the item counts: what is done in general says nothing about a model.
    """
    known = {one.id: one for one in answers.content.publication.practices}
    found = [one for one in answers.to(ref) if one.kind == "practice"]
    direct = [known[one.id] for one in found if one.via is None]
    general = [] if model is not None else [known[one.id] for one in found if one.via is not None]
    return tuple(one for one in (*direct, *general) if is_about(one, model))


def answer_sayings(answer: Answer, content: Content) -> tuple[Saying, ...]:
    """Give the words of an answer itself; those of the practices that it names are not among them."""
    if answer.text is None:
        return ()
    said = Statement(text=answer.text, evidence=answer.evidence, as_of=answer.as_of)
    about = (answer.model,) if answer.model else ()
    return (Saying(answer.text, worth(said, None, content.inventory, content.at, about), answer.evidence),)


def named_practices(answer: Answer, content: Content) -> tuple[Practice, ...]:
    """Give the practices that an answer names, in its order; those that do not exist are left out."""
    known = {one.id: one for one in content.publication.practices}
    return tuple(known[name] for name in answer.practices if name in known)


def absent_practices(answer: Answer, content: Content) -> tuple[str, ...]:
    """Give the practices that an answer names and that are not published."""
    known = {one.id for one in content.publication.practices}
    return tuple(name for name in answer.practices if name not in known)


def is_about(practice: Practice, model: PublishedModel | None) -> bool:
    """Tell whether a practice speaks of a model; of every model, if it names none."""
    if model is None or not practice.models:
        return True
    return any(name.casefold() in model.model.names for name in practice.models)


def practice_sayings(practices: Iterable[Practice], content: Content) -> tuple[Saying, ...]:
    """Give the statements of practices, each practice once."""
    once = {one.id: one for one in practices}
    return tuple(
        Saying(
            said.text,
            worth(said, practice, content.inventory, content.at),
            tuple(dict.fromkeys((*said.evidence, *practice.evidence))),
            practice,
        )
        for practice in once.values()
        for said in practice.statements
    )


def dangling(sayings: Iterable[Saying]) -> tuple[str, ...]:
    """Give the references that name nothing, each once."""
    return tuple(dict.fromkeys(ref for one in sayings for ref in one.worth.missing))


def oldest(days: Iterable[date | None]) -> date | None:
    """Give the earliest of the days; none if no day is given."""
    return min((one for one in days if one is not None), default=None)


# --- frameworks and their dates ------------------------------------------------------------------------


@dataclass(frozen=True)
class Force:
    """Whether a framework binds on the day of the output."""

    framework: Framework
    binds_from: str | None
    """First day, as precisely as it is known."""
    is_in_force: bool
    words: str
    """The same for readers; empty if nothing needs to be said."""


def force_of(framework: Framework, at: date) -> Force:
    """Say whether a framework binds yet. One known only by its month or year counts from its first day on."""
    begins = framework.in_force_from
    is_begun = begins is None or first_day(begins) <= at
    words = ""
    if not is_begun:
        words = f"{framework.title} is not in force yet: it binds from {begins} on."
    elif framework.status == "draft":
        words = f"{framework.title} is a draft: it binds nobody."
    elif framework.status in ("superseded", "past_stated_term", "no_longer_maintained"):
        words = f"{framework.title} ({framework.version}) is {framework.status.replace('_', ' ')}."
    return Force(framework, begins, is_begun and framework.status != "draft", words)


# --- blocks of a page ----------------------------------------------------------------------------------


def saying_blocks(saying: Saying, hub: Hub = Hub()) -> Iterator[Block]:
    """Give a saying, with its badge under it."""
    paragraphs = tuple((one.strip(),) for one in saying.text.replace("\r\n", "\n").split("\n\n") if one.strip())
    yield Said("", paragraphs)
    yield Paragraph(badge_line(saying, hub))


def badge_line(saying: Saying, hub: Hub) -> Cell:
    """Give the badge of a saying, its reason, its day, its records and its practice."""
    found: list[Run] = [Mark(BADGE_WORDS[saying.worth.badge], BADGE_STYLES[saying.worth.badge])]
    if saying.worth.badge in ("statement", "aged", "dangling"):
        found.append(f": {saying.worth.reason}")
    if saying.worth.as_of is not None:
        found.append(f", as of {saying.worth.as_of.isoformat()}")
    for number, ref in enumerate(saying.refs):
        found += [", " if number else "; records: ", Cite(ref)]
    if saying.practice is not None:
        found += ["; practice ", hub.shown(f"practice:{saying.practice.id}", saying.practice.title)]
        if saying.practice.models:
            found.append(f", about {', '.join(saying.practice.models)} only")
    return tuple(found)


def records_section(refs: Iterable[str], content: Content, hub: Hub) -> Section | None:
    """List the records that a page cites; none if it cites none."""
    rows = [_record_row(ref, content, hub) for ref in sorted(set(refs))]
    if not rows:
        return None
    heads = ("Record", "What it is", "Worth", "Day", "Entry of the log")
    return Section("Records cited", grid("Records that this page cites", heads, rows), anchor=RECORDS_ANCHOR)


def _record_row(ref: str, content: Content, hub: Hub) -> tuple[Cell, ...]:
    if ref.startswith("url:"):
        return ((Link(ref, ref.removeprefix("url:")),), ("a page of others, which nothing here checks",), (), (), ())
    known = content.inventory.find(ref)
    if known is None:
        return ((ref,), ("does not exist",), (Mark(BADGE_WORDS["dangling"], BADGE_STYLES["dangling"]),), (), ())
    badge = known.badge_on(content.at)
    return (
        (hub.shown(ref, ref),),
        (known.title,),
        (Mark(BADGE_WORDS[badge], BADGE_STYLES[badge]),),
        cell(known.on.isoformat() if known.on else None),
        cell(str(known.entry) if known.entry is not None else None),
    )


def cited_in(blocks: Iterable[Block]) -> Iterator[str]:
    """Give the records that blocks cite, in order."""
    for block in blocks:
        for one in _cells(block):
            yield from (run.record for run in one if isinstance(run, Cite))


def _cells(block: Block) -> Iterable[Cell]:
    match block:
        case Paragraph():
            return (block.words,)
        case Said():
            return block.paragraphs
        case Listing():
            return block.lines
        case Grid():
            return tuple(one for row in block.rows for one in row)
        case Facts():
            return tuple(words for _, words in block.rows)
        case _:
            return ()


def anchors_of(refs: Iterable[str]) -> dict[str, str]:
    """Give where the page shows each record that it cites."""
    return dict.fromkeys(sorted(set(refs)), RECORDS_ANCHOR)


def footer(content: Content) -> tuple[str, ...]:
    """Give the last lines of a page: day, policy, log, and how much is withheld on which grounds."""
    head = content.head
    log = (
        f"Log {head.origin}, {head.size:,} entries, root {head.root}." if head else "The project keeps no log of acts."
    )
    doubts = (f"The log cannot be relied on: {'; '.join(content.doubts)}.",) if content.doubts else ()
    return (
        f"As of {content.at.isoformat()}: nothing that became known later is used.",
        f"Policy {content.policy.label}, {content.policy.digest}.",
        log,
        *doubts,
        withheld_line(content),
    )


def withheld_line(content: Content) -> str:
    """Say how much is withheld, and on which grounds."""
    counted = withheld_counts(content)
    if not counted["passages"] and not counted["evidence_fields"]:
        return "Nothing is withheld."
    grounds = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in counted["grounds"].items())
    return (
        f"Withheld in all that is published: {counted['passages']} passages of text, "
        f"{counted['evidence_fields']} fields of evidence records. Grounds: {grounds}."
    )


def withheld_counts(content: Content) -> dict[str, Any]:
    """Give how many redactions there are, and how many on each ground."""
    grounds = [one.ground for one in content.withheld_words] + [one.ground for one in content.withheld_evidence]
    return {
        "passages": len(content.withheld_words),
        "evidence_fields": len(content.withheld_evidence),
        "grounds": {name: grounds.count(name) for name in sorted(set(grounds))},
    }


def heading_json(content: Content) -> dict[str, Any]:
    """Give what every output says of itself: organisation, day, policy, log and what is withheld."""
    head = content.head
    return {
        "organisation": content.organisation,
        "at": content.at.isoformat(),
        "policy": {"label": content.policy.label, "digest": content.policy.digest},
        "log": {"origin": head.origin, "size": head.size, "root": head.root} if head else None,
        "doubts": list(content.doubts),
        "withheld": withheld_counts(content),
    }


def force_json(force: Force) -> dict[str, Any]:
    """Give a framework and whether it binds, as plain data."""
    framework = force.framework
    return {
        "id": framework.id,
        "version": framework.version,
        "title": framework.title,
        "status": framework.status,
        "in_force_from": force.binds_from,
        "is_in_force": force.is_in_force,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None

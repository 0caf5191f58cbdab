# SPDX-License-Identifier: Apache-2.0
"""Sections of the hub with their practices: each statement with what shows it, and the commitments that it answers."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tidegate.policy.framework import FrameworkItem
from tidegate.publish.hub.addresses import (
    anchor,
    placed,
    section_page,
    section_parts,
    top_of,
    tops_of,
)
from tidegate.publish.hub.parts import Hub, Link, SaidView, Sheet
from tidegate.publish.hub.speech import Speech
from tidegate.publish.inventory import BADGE_WORDS
from tidegate.publish.practices import Practice


class Answered(NamedTuple):
    """A framework, and its items that a practice answers; none if it names the whole."""

    framework: Link
    items: tuple[Link, ...]


class PracticeView(NamedTuple):
    """A practice, as its section shows it."""

    anchor: str
    title: str
    facts: tuple[str, ...]
    statements: tuple[SaidView, ...]
    records: tuple[Link, ...]
    commitments: tuple[Answered, ...]
    models: tuple[Link, ...]


class SectionView(NamedTuple):
    """A section with its practices."""

    anchor: str
    title: str
    level: int
    asks: str
    practices: tuple[PracticeView, ...]
    is_silent: bool
    """True if nothing stands in it or below it."""


def section_sheets(hub: Hub) -> Iterator[Sheet]:
    """Give the list of sections, and the pages of each."""
    yield _overview(hub)
    for top, pages in section_parts(hub.content).items():
        item = _item(hub, top)
        parts = _parts(hub, top, len(pages))
        for number, page in enumerate(pages, 1):
            sections = tuple(_section(hub, name, practices, top) for name, practices in page)
            refs = [ref for _, practices in page for one in practices for ref in _refs(one)]
            yield Sheet(
                path=section_page(top, number),
                template="section.html",
                title=item.title,
                view={"sections": sections, "contents": _contents(page, hub, top)},
                nav="practices",
                proofs=hub.proofs_of(refs),
                trail=(Link(hub.say("Practices"), "sections/index.html"),),
                parts=parts,
            )


def _parts(hub: Hub, top: str, pages: int) -> tuple[Link, ...]:
    if pages == 1:
        return ()
    return tuple(Link(hub.say("Part %(n)s", n=n), section_page(top, n)) for n in range(1, pages + 1))


def _item(hub: Hub, section: str) -> FrameworkItem:
    found = hub.content.sections.item(section)
    assert found is not None
    return found


def _refs(practice: Practice) -> Iterator[str]:
    yield from practice.evidence
    for one in practice.statements:
        yield from one.evidence


def _contents(page: Sequence[tuple[str, Sequence[Practice]]], hub: Hub, top: str) -> tuple[Link, ...]:
    named = dict.fromkeys(name for name, _ in page if name != top)
    return tuple(Link(_item(hub, one).title, f"#{anchor('section', one)}") for one in named)


def _section(hub: Hub, name: str, practices: Sequence[Practice], top: str) -> SectionView:
    item = _item(hub, name)
    level, parent = 2, item.parent
    while parent is not None and parent != top and level < 4:
        level, parent = level + 1, _item(hub, parent).parent
    below = {one.id for one in hub.content.sections.items if one.parent == name}
    silent = not practices and not below
    shown = tuple(practice_view(hub, one) for one in practices)
    return SectionView(
        anchor("section", name), "" if name == top else item.title, level, item.asks, shown, silent and name != top
    )


def practice_view(hub: Hub, practice: Practice) -> PracticeView:
    """Give a practice with its statements, each with what it is worth."""
    statements = tuple(hub.said(one, practice) for one in practice.statements)
    own = tuple(_only_own(view, one.evidence, hub) for view, one in zip(statements, practice.statements, strict=True))
    return PracticeView(
        anchor=anchor("practice", practice.id),
        title=practice.title,
        facts=tuple(_facts(hub, practice)),
        statements=own,
        records=tuple(hub.link(one) for one in practice.evidence),
        commitments=tuple(answered(hub, practice)),
        models=tuple(hub.link(f"model:{one}") for one in practice.models),
    )


def _only_own(view: SaidView, refs: Sequence[str], hub: Hub) -> SaidView:
    """Leave out the records of the practice as a whole, which stand under its title."""
    return view._replace(records=tuple(hub.link(one) for one in refs))


def _facts(hub: Hub, practice: Practice) -> Iterator[str]:
    if practice.since:
        yield hub.say("since %(day)s", day=practice.since)
    if practice.cadence:
        yield cadence_words(hub.speech, practice.cadence)
    if practice.owner:
        roles = {one.id: one.title for one in hub.content.policy.roles}
        yield hub.say("owner: %(name)s", name=roles.get(practice.owner) or practice.owner)


def cadence_words(speech: Speech, duration: str) -> str:
    """Give how often something recurs, in words.

    >>> cadence_words(Speech(), "P1Y"), cadence_words(Speech(), "P6M")
    ('every year', 'every 6 months')
    """
    match duration:
        case "P1Y":
            return speech.gettext("every year")
        case "P1M":
            return speech.gettext("every month")
        case "P1W" | "P7D":
            return speech.gettext("every week")
        case "P1D":
            return speech.gettext("every day")
    return speech.gettext("every %(time)s", time=duration_words(speech, duration))


def duration_words(speech: Speech, duration: str) -> str:
    """Give a calendar duration in words.

    >>> duration_words(Speech(), "P1Y6M")
    '1 year, 6 months'
    """
    ngettext = speech.translations.ngettext
    found = []
    for count, unit in re.findall(r"(\d+)([YMWD])", duration):
        n = int(count)
        match unit:
            case "Y":
                words = ngettext("%(n)s year", "%(n)s years", n)
            case "M":
                words = ngettext("%(n)s month", "%(n)s months", n)
            case "W":
                words = ngettext("%(n)s week", "%(n)s weeks", n)
            case _:
                words = ngettext("%(n)s day", "%(n)s days", n)
        found.append(words % {"n": n})
    return ", ".join(found)


def answered(hub: Hub, practice: Practice) -> Iterator[Answered]:
    """Give the items of frameworks that a practice answers, the crosswalk resolved: those that have a page first."""
    refs: dict[str, None] = {}
    for one in practice.commitments:
        refs |= dict.fromkeys(resolved(hub, one))
    found: dict[str, list[str]] = {}
    for ref in refs:
        name, _, item = ref.partition("#")
        # The crosswalk lists sections of the hub too, where the practice stands anyway.
        if name != hub.content.sections.id:
            found.setdefault(name, []).extend([item] if item else [])
    for name in sorted(found, key=lambda name: f"framework:{name}" not in hub.where):
        framework = hub.content.frameworks.get(name)
        places = {one.id: place for place, one in enumerate(framework.items)} if framework else {}
        items = sorted(found[name], key=lambda item: places.get(item, len(places)))
        yield Answered(
            Link(framework.name if framework else name, hub.where.get(f"framework:{name}")),
            tuple(Link(item, hub.item_address(f"{name}#{item}")) for item in items),
        )


def resolved(hub: Hub, ref: str) -> tuple[str, ...]:
    """Give the items that a reference stands for: itself, or all that the crosswalk lists there."""
    name, _, item = ref.partition("#")
    if name != hub.content.crosswalk.id:
        return (ref,)
    found = hub.content.crosswalk.item(item)
    return found.see if found else ()


def badge_counts(hub: Hub) -> tuple[tuple[str, int], ...]:
    """Give how many statements of practices carry each badge, the best shown first."""
    found = Counter(
        hub.said(one, practice).badge for practice in hub.content.publication.practices for one in practice.statements
    )
    return tuple((name, found[name]) for name in BADGE_WORDS)


def _overview(hub: Hub) -> Sheet:
    practices = placed(hub.content)
    tops = []
    for item in tops_of(hub.content):
        below = [
            one
            for one in hub.content.sections.items
            if one.id != item.id and top_of(hub.content.sections, one.id) == item.id
        ]
        count = sum(len(practices.get(one.id, ())) for one in (item, *below))
        inner = tuple(Link(one.title, hub.where.get(f"section:{one.id}")) for one in below if one.parent == item.id)
        tops.append((Link(item.title, section_page(item.id)), count, inner))
    counts = badge_counts(hub)
    total = sum(n for _, n in counts)
    view = {"tops": tuple(tops), "counts": counts, "total": total, "commitments": len(hub.covered)}
    return Sheet("sections/index.html", "sections.html", hub.say("Practices"), view, nav="practices")

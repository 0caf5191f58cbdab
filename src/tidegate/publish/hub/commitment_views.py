# SPDX-License-Identifier: Apache-2.0
"""Commitments and duties of law: what each item asks, and what answers it, in both directions."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tidegate.publish.coverage import Answering, CoverageState, FrameworkCoverage, ItemCoverage
from tidegate.publish.hub.addresses import WORDS_SHOWN, anchor, answers_shown, framework_page, item_runs, numbered
from tidegate.publish.hub.parts import Hub, Link, Sheet, paragraphs
from tidegate.publish.practices import Answer
from tidegate.publish.report import safe_url

STATES: tuple[CoverageState, ...] = ("evidence", "statement", "uncovered", "not_applicable")
RECORDS_SHOWN = 3
"""Records named under one answer; the practice itself lists them all."""


class AnsweredBy(NamedTuple):
    """Something that answers an item."""

    link: Link
    kind: str
    badge: str
    records: tuple[Link, ...]
    more: int
    choice: str
    """Yes, no or not applicable, for an answer in one word."""
    paragraphs: tuple[str, ...]
    """The words of an answer."""


class ItemView(NamedTuple):
    """An item of a framework with what answers it."""

    anchor: str
    id: str
    title: str
    asks: str
    state: str
    reason: str
    from_day: str
    by: tuple[AnsweredBy, ...]
    more: int


class FrameworkView(NamedTuple):
    """A framework, as the list of commitments shows it."""

    link: Link
    publisher: str
    kind: str
    status: str
    stance: str
    since: str
    reason: str
    dates: tuple[tuple[str, str], ...]
    source: str | None
    source_words: str
    note: str
    counts: tuple[tuple[str, int], ...]


def commitment_sheets(hub: Hub) -> Iterator[Sheet]:
    """Give the list of commitments, and the pages of each framework."""
    views = tuple(_framework(hub, one) for one in hub.covered)
    yield Sheet(
        "commitments/index.html", "commitments.html", hub.say("Commitments"), {"frameworks": views}, nav="commitments"
    )
    for one, view in zip(hub.covered, views, strict=True):
        yield from _pages(hub, one, view)


def _pages(hub: Hub, one: FrameworkCoverage, view: FrameworkView) -> Iterator[Sheet]:
    path = framework_page(one.framework.id)
    pages = [[_item(hub, item) for item in run] for run in item_runs(one, hub.content)]
    parts = tuple(Link(hub.say("Part %(n)s", n=n), numbered(path, n)) for n in range(1, len(pages) + 1))
    whole = tuple(_answer(hub, answer) for answer in one.whole[:WORDS_SHOWN])
    for number, items in enumerate(pages, 1):
        yield Sheet(
            path=numbered(path, number),
            template="framework.html",
            title=one.framework.title,
            view={
                "framework": view,
                "items": tuple(items),
                "whole": whole if number == 1 else (),
                "is_first": number == 1,
            },
            nav="commitments",
            trail=(Link(hub.say("Commitments"), "commitments/index.html"),),
            parts=parts if len(pages) > 1 else (),
        )


def _framework(hub: Hub, one: FrameworkCoverage) -> FrameworkView:
    framework, made = one.framework, one.made
    dates = (
        (hub.say("Date of the text"), framework.date),
        (hub.say("Version"), framework.version),
        (hub.say("In force from"), framework.in_force_from or ""),
        (hub.say("Enforced from"), framework.enforced_from or ""),
        (hub.say("Received and enforced by"), framework.regulator or ""),
    )
    counts = one.counts
    return FrameworkView(
        link=Link(framework.title, framework_page(framework.id)),
        publisher=framework.publisher,
        kind=framework.kind,
        status=framework.status,
        stance=made.stance if made else "",
        since=(made.since or "") if made else "",
        reason=(made.reason or "") if made else "",
        dates=tuple((name, value) for name, value in dates if value),
        source=safe_url(framework.source),
        source_words=framework.source,
        note=framework.note or "",
        counts=tuple((state, counts[state]) for state in STATES),
    )


def _item(hub: Hub, one: ItemCoverage) -> ItemView:
    shown = answers_shown(one.by)
    return ItemView(
        anchor=anchor("item", one.item.id),
        id=one.item.id,
        title=one.item.title,
        asks=one.item.asks,
        state=one.state,
        reason=one.reason,
        from_day=one.from_day or "",
        by=tuple(_answer(hub, answer) for answer in shown),
        more=len(one.by) - len(shown),
    )


def _answer(hub: Hub, one: Answering) -> AnsweredBy:
    own = _own(hub, one) if one.kind == "answer" else None
    ref = f"practice:{one.id}" if one.kind == "practice" else one.id
    records: Sequence[Link] = [hub.link(known.ref) for known in one.records] if one.kind != "record" else []
    return AnsweredBy(
        link=Link(_name(hub, one), hub.link(ref).href),
        kind=one.kind,
        badge=one.badge,
        records=tuple(records[:RECORDS_SHOWN]),
        more=max(0, len(records) - RECORDS_SHOWN),
        choice=(own.choice or "") if own else "",
        paragraphs=paragraphs(own.text or "") if own else (),
    )


def _own(hub: Hub, one: Answering) -> Answer | None:
    """Give the answer itself, among those to the same item about other models."""
    answers = hub.content.publication.answers
    return next((each for each in answers if (each.to, each.model) == (one.id, one.model)), None)


def _name(hub: Hub, one: Answering) -> str:
    match one.kind:
        case "answer" if one.model is not None:
            model = hub.content.model(one.model)
            return hub.say("Our answer, %(model)s", model=model.model.title if model else one.model)
        case "answer":
            return hub.say("Our answer")
        case "record":
            return hub.link(one.id).words
        case _:
            return one.title

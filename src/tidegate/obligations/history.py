# SPDX-License-Identifier: Apache-2.0
"""What is on record at a moment, indexed so that a rule finds its events without reading all of them."""

from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property

from tidegate.kernel.clock import Instant
from tidegate.obligations.model import Event

_Order = tuple[str, str, str, str, str, str, str]


def written(event: Event) -> str:
    """Give when an event was, as text that sorts by time; a bare day sorts before the instants on it."""
    return event.at if isinstance(event.at, str) else event.at.isoformat()


def _order(event: Event) -> _Order:
    # Everything that a date can depend on, so that events given in another order are read in the same one.
    return (
        written(event),
        event.kind,
        event.subject or "",
        event.source,
        repr((event.amount, event.covers)),
        " ".join(sorted(event.facts)),
        event.note or "",
    )


class Line:
    """Events in the order of their times."""

    def __init__(self, events: list[Event]) -> None:
        self.events = events

    @cached_property
    def keys(self) -> list[str]:
        """When each of them was."""
        return [written(one) for one in self.events]

    @cached_property
    def by_subject(self) -> dict[str | None, "Line"]:
        """The events of each subject."""
        lists: dict[str | None, list[Event]] = {}
        for one in self.events:
            lists.setdefault(one.subject, []).append(one)
        return {subject: Line(found) for subject, found in lists.items()}

    @cached_property
    def with_amount(self) -> "Line":
        """Those that carry an amount."""
        return Line([one for one in self.events if one.amount is not None])

    def about(self, subject: str | None) -> "Line":
        """Give the events about a subject; without a subject, all of them."""
        return self if subject is None else self.by_subject.get(subject, NOTHING)

    def last_by(self, moment: str) -> Event | None:
        """Give the last event at or before a moment, which may be a bare day."""
        found = bisect_left(self.keys, f"{moment}~")  # "~" sorts after what an instant adds to its day
        return self.events[found - 1] if found else None

    def last_before(self, event: Event) -> Event | None:
        """Give the last event that is certainly earlier than another one: on an earlier day, or at an earlier instant."""
        found = bisect_left(self.keys, written(event))
        while found and self.keys[found - 1] == written(event)[: len(self.keys[found - 1])]:
            found -= 1
        return self.events[found - 1] if found else None


NOTHING = Line([])


class History:
    """Events up to a moment; those planned for later are kept apart."""

    def __init__(self, events: Iterable[Event], kinds: frozenset[str], at: Instant) -> None:
        self.at = at
        past: dict[str, list[Event]] = {}
        planned: dict[str, list[Event]] = {}
        for one in events:
            if one.kind in kinds:
                (past if written(one) <= at else planned).setdefault(one.kind, []).append(one)
        self._past = {kind: Line(sorted(found, key=_order)) for kind, found in past.items()}
        self._planned = planned
        self._merged: dict[tuple[str, ...], Line] = {}

    def past(self, kind: str) -> Line:
        """Give what has happened of a kind."""
        return self._past.get(kind, NOTHING)

    def past_or_planned(self, kind: str) -> Line:
        """Give what has happened of a kind or is planned."""
        if kind not in self._planned:
            return self.past(kind)
        return Line(sorted([*self.past(kind).events, *self._planned[kind]], key=_order))

    def past_of(self, kinds: tuple[str, ...]) -> Line:
        """Give what has happened of several kinds, in one order."""
        present = tuple(kind for kind in kinds if kind in self._past)
        if len(present) < 2:
            return self._past[present[0]] if present else NOTHING
        if present not in self._merged:
            events = [one for kind in present for one in self._past[kind].events]
            self._merged[present] = Line(sorted(events, key=_order))
        return self._merged[present]

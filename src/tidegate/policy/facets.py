# SPDX-License-Identifier: Apache-2.0
"""One facet of a clause against the same facet of its successors: what changed, which way, and why."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.policy.changes import FacetChange, Way
from tidegate.policy.clauses import Clause, Facet, plain_words, span_days
from tidegate.policy.lineage import Links

_SPAN_TOLERANCE = 0.02
"""Durations of unlike units (``P30D`` and ``P1M``) within this share of each other count as equal."""


def changes_of(old: Clause, new: tuple[Clause, ...], merged: tuple[Clause, ...], links: Links) -> Iterator[FacetChange]:
    """Give what changed between a clause and its successors.

    Args:
        old: the clause as it was.
        new: its successors; several if it was split.
        merged: other clauses that became the same successors.
        links: which clause became which, so that references can follow.
    """
    for clause in new:
        if clause.kind != old.kind:
            yield _kind_change(old, clause, into=clause.id if len(new) > 1 else None)
    facets = [{facet.name: facet for facet in clause.facets} for clause in new]
    for before in old.facets:
        others = [facet for clause in merged for facet in clause.facets if facet.name == before.name]
        present = [(clause, of[before.name]) for clause, of in zip(new, facets, strict=True) if before.name in of]
        comparable = [(clause, facet) for clause, facet in present if _compares(old, before, clause, facet)]
        if before.order == "cover" and len(comparable) > 1:
            comparable = [(comparable[0][0], _united([facet for _, facet in comparable]))]
            yield from _compared(before, comparable[0][1], others, links, into=None)
            continue
        for clause, after in comparable:
            yield from _compared(before, after, others, links, into=clause.id if len(new) > 1 else None)


def _compares(old: Clause, before: Facet, new: Clause, after: Facet) -> bool:
    if old.kind == new.kind:
        return True
    # Fields of unlike items that merely share a name do not compare.
    return before.order == after.order and before.name not in ("kind", "starts", "within")


def _kind_change(old: Clause, new: Clause, into: str | None) -> FacetChange:
    way: Way = "unclear"
    why = f"a {old.kind} became a {new.kind}"
    if "requirement" in (old.kind, new.kind):
        way = "weaker" if old.kind == "requirement" else "stronger"
        why += ", which closes no gate" if way == "weaker" else ", which can close a gate"
    return FacetChange("kind of clause", "consequence", way, old.kind, new.kind, why, into)


def _united(facets: list[Facet]) -> Facet:
    """Give what the parts of a split clause cover together."""
    members = [facet.value for facet in facets]
    everything = any(not value for value in members)
    shown = [] if everything else list(dict.fromkeys(name for facet in facets for name in facet.shown))
    value = frozenset() if everything else frozenset().union(*members)
    first = facets[0]
    return Facet(first.name, first.dimension, first.order, value, shown, first.space, first.free_text, first.absent)


def _compared(
    old: Facet, new: Facet, elsewhere: list[Facet], links: Links, *, into: str | None
) -> Iterator[FacetChange]:
    if old.order != new.order:
        found = _unlike(old, new)
    elif old.order in ("more", "less", "keep", "cover", "audience"):
        found = _compare_sets(old, new, elsewhere, links)
    else:
        found = _COMPARE[old.order](old, new, links)
    if found is not None:
        dimension = new.dimension if old.dimension == "threshold" else old.dimension
        yield FacetChange(old.name, dimension, found[0], old.shown, new.shown, found[1], into)


_Found = tuple[Way, str] | None


def _unlike(old: Facet, new: Facet) -> _Found:
    # A trigger that waited for any event and now waits for all: with an event in common that alone tells the direction.
    both_sets = isinstance(old.value, frozenset) and isinstance(new.value, frozenset)
    if old.value == new.value or (both_sets and old.value & new.value):
        return None
    return ("unclear", "the two values are of unlike kinds")


def _absence(old: Facet, new: Facet) -> _Found:
    """Compare where exactly one value is absent."""
    gone = new.value is None or new.value == frozenset()
    words = "no longer stated" if gone else "now stated"
    if old.absent == "unclear":
        return ("unclear", words)
    return ("weaker" if gone == (old.absent == "weakest") else "stronger", words)


def _compare_numbers(old: Facet, new: Facet, _links: Links) -> _Found:
    if old.value == new.value:
        return None
    if old.value is None or new.value is None:
        return _absence(old, new)
    rose = new.value > old.value
    if isinstance(old.shown, int | float) and not isinstance(old.shown, bool):
        words = "raised" if rose else "lowered"
    elif old.name == "force":
        words = "a higher step of the ladder of obligation" if rose else "a lower step of the ladder of obligation"
    else:
        words = "binds more than before" if rose == (old.order == "up") else "binds less than before"
    return ("stronger" if rose == (old.order == "up") else "weaker", words)


def _compare_spans(old: Facet, new: Facet, _links: Links) -> _Found:
    if old.value is None or new.value is None:
        return None if old.value == new.value else _absence(old, new)
    before, after = span_days(old.value), span_days(new.value)
    alike = _is_calendar(old.value) == _is_calendar(new.value)
    if before == after or (not alike and abs(before - after) <= _SPAN_TOLERANCE * max(before, after)):
        return None
    return ("weaker", "longer than before") if after > before else ("stronger", "shorter than before")


def _is_calendar(duration: str) -> frozenset[bool]:
    return frozenset(unit in "YM" for unit in re.findall(r"[YMWD]", duration))


def _compare_lines(old: Facet, new: Facet, _links: Links) -> _Found:
    if old.value == new.value:
        return None
    if old.value is None or new.value is None:
        return _absence(old, new)
    if old.value[0] != new.value[0]:
        return ("unclear", "the two lines are not about the same measurement or point in opposite directions")
    if new.value[1] > old.value[1]:
        return ("weaker", "more permissive: crossed later than before")
    return ("stronger", "stricter: crossed earlier than before")


def _compare_tiers(old: Facet, new: Facet, _links: Links) -> _Found:
    if old.value == new.value:
        return None
    if old.value is None or new.value is None:
        return _absence(old, new)
    before, after = old.value[0], new.value[0]
    if before is None or after is None or before == after:
        return ("unclear", "replaced by another of no certain weight")
    return ("weaker", "of less weight than before") if after < before else ("stronger", "of more weight than before")


def _compare_levels(old: Facet, new: Facet, links: Links) -> _Found:
    if old.value is None or new.value is None:
        return None if old.value == new.value else _absence(old, new)
    (before_id, before), (after_id, after) = old.value, new.value
    if after_id in links.translated("item", frozenset({before_id}), frozenset({after_id})):
        return None
    if before is None or after is None:
        return ("unclear", "replaced by a level that does not compare")
    if before == after:
        return None
    return ("weaker", "a lower level") if after < before else ("stronger", "a higher level")


def _compare_same(old: Facet, new: Facet, links: Links) -> _Found:
    before, after = old.value, new.value
    if old.space is not None:
        before = links.translated(old.space, before, after)
    if before == after:
        return None
    if not before or not after:
        return _absence(old, new)
    return ("unclear", "replaced; the fields cannot show a direction")


def _compare_prose(old: Facet, new: Facet, _links: Links) -> _Found:
    if old.value == new.value:
        return None
    if old.value is None or new.value is None:
        loss_weakens = (old.value or new.value)[0]
        return _absence(old, new) if loss_weakens else ("wording", "words were added or dropped")
    return ("wording", "the words differ")


_COMPARE: Mapping[str, Any] = {
    "up": _compare_numbers,
    "down": _compare_numbers,
    "span": _compare_spans,
    "line": _compare_lines,
    "tier": _compare_tiers,
    "level": _compare_levels,
    "same": _compare_same,
    "prose": _compare_prose,
}


def _compare_sets(old: Facet, new: Facet, elsewhere: list[Facet], links: Links) -> _Found:
    before: frozenset[str] = old.value
    if old.space is not None:
        before = links.translated(old.space, before, new.value)
    after: frozenset[str] = new.value
    if before == after:
        return None
    if old.order == "cover" and not (before and after):
        return ("weaker", "now limited; it covered everything") if after else ("stronger", "now covers everything")
    lost, gained = before - after, after - before
    if old.order == "audience":
        # Who gains the public's access loses nothing by no longer being told apart, and the other way round.
        lost, gained = (frozenset() if "public" in other else own for own, other in ((lost, gained), (gained, lost)))
    if old.order in ("more", "cover", "audience"):
        gained -= _held_elsewhere(old, elsewhere, after, links)
    if old.order == "keep":
        gained = frozenset()
    return _set_change(old, new, lost, gained)


def _held_elsewhere(old: Facet, elsewhere: list[Facet], after: frozenset[str], links: Links) -> frozenset[str]:
    """Members that a merged clause has from its other predecessors: they are no gain."""
    alike = [facet for facet in elsewhere if facet.order == old.order]
    if old.order == "cover" and not all(facet.value for facet in alike):
        return after
    held = frozenset().union(*(facet.value for facet in alike))
    return links.translated(old.space, held, after) if old.space is not None else held


def _set_change(old: Facet, new: Facet, lost: frozenset[str], gained: frozenset[str]) -> _Found:
    words = "; ".join(
        f"{verb}: {', '.join(_shown(facet, members))}"
        for verb, facet, members in (("lost", old, lost), ("gained", new, gained))
        if members
    )
    if lost and gained:
        # A reworded sentence looks like one lost and one gained, so only a person can tell.
        return ("unclear" if old.free_text else "both", words)
    if not lost and not gained:
        return None
    return ("stronger" if bool(gained) == (old.order != "less") else "weaker", words)


def _shown(facet: Facet, members: frozenset[str]) -> list[str]:
    if facet.free_text:
        return [name for name in facet.shown if plain_words(name) in members]
    return sorted(members)

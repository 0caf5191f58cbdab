# SPDX-License-Identifier: Apache-2.0
"""Which clause of an earlier version became which of a later one."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import Problem, Where
from tidegate.policy.clauses import Clause, Key, Space, clauses_of
from tidegate.policy.load import LoadedPolicy
from tidegate.policy.model import Lineage, Relocation


class Link(NamedTuple):
    """A successor, and how it is known to be one."""

    new: Clause
    how: Literal["lineage", "relocated", "same id"]
    lineage: Lineage | None


@dataclass(frozen=True)
class Links:
    """Which clause of the old version became which of the new."""

    old: Mapping[Key, Clause]
    new: Mapping[Key, Clause]
    successors: defaultdict[Key, list[Link]]
    relocations: dict[Key, Relocation]
    notes: list[Problem]

    def predecessors(self, key: Key) -> tuple[Clause, ...]:
        """Give the clauses that became the new one with this key."""
        return tuple(
            self.old[old] for old, found in self.successors.items() if any(link.new.key == key for link in found)
        )

    def translated(self, space: Space, ids: frozenset[str], wanted: frozenset[str]) -> frozenset[str]:
        """Give old ids as the new version calls them; of several successors those that are wanted."""
        found: set[str] = set()
        for old_id in ids:
            names = {link.new.id for link in self.successors.get((space, old_id), ()) if link.new.key[0] == space}
            found |= (names & wanted) or (set(sorted(names)[:1]) if old_id not in names else {old_id}) or {old_id}
        return frozenset(found)


def linked(old: LoadedPolicy, new: LoadedPolicy) -> Links:
    """Bring the clauses of two versions together: by stated lineage, by the list of relocations, by equal ids.

    What stands in the old version already is about an earlier revision and is passed over.
    """
    old_clauses = {clause.key: clause for clause in clauses_of(old)}
    new_clauses = {clause.key: clause for clause in clauses_of(new)}
    links = Links(old_clauses, new_clauses, defaultdict(list), {}, [])
    explained = _link_lineages(links)
    _link_relocations(links, old, new)
    for key, clause in new_clauses.items():
        if key in old_clauses and key not in explained:
            _link(links, key, Link(clause, "same id", None))
    return links


def _link(links: Links, old: Key, link: Link) -> None:
    if all(known.new.key != link.new.key for known in links.successors[old]):
        links.successors[old].append(link)


def _link_lineages(links: Links) -> set[Key]:
    explained: set[Key] = set()
    for clause in links.new.values():
        carried = links.old[clause.key].was if clause.key in links.old else ()
        for lineage in clause.was:
            if lineage in carried:
                continue
            key = _old_key(links, lineage.id, clause.key[0])
            if key is None:
                _note(links, clause.where, f"{clause.id!r} says that it was {lineage.id!r}", lineage.id)
            else:
                explained.add(clause.key)
                _link(links, key, Link(clause, "lineage", lineage))
    return explained


def _link_relocations(links: Links, old: LoadedPolicy, new: LoadedPolicy) -> None:
    for number, relocation in enumerate(new.policy.relocated):
        if relocation in old.policy.relocated:
            continue
        key = _old_key(links, relocation.id, "item")
        if key is None:
            where = new.document.where(("relocated", number))
            _note(links, where, f"{relocation.id!r} is listed as relocated", relocation.id)
            continue
        links.relocations[key] = relocation
        target = links.new.get(("item", relocation.to))
        if target is not None:
            _link(links, key, Link(target, "relocated", None))


def _old_key(links: Links, name: str, space: Space) -> Key | None:
    spaces: tuple[Space, ...] = (space, "item", "domain")
    return next((key for key in ((candidate, name) for candidate in spaces) if key in links.old), None)


def _note(links: Links, where: Where, statement: str, name: str) -> None:
    hint = did_you_mean(name, (clause.id for clause in links.old.values()))
    links.notes.append(Problem("POL002", f"{statement}, which the earlier version does not have", where, hint, "note"))

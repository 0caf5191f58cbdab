# SPDX-License-Identifier: Apache-2.0
"""k of n by role: enough distinct people in distinct roles, of those whom the policy names."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeVar

from tidegate.govern.decisions import Need


class Signing(Protocol):
    """A signature, as far as counting goes."""

    @property
    def person(self) -> str:
        """Who signed."""

    @property
    def role(self) -> str:
        """Role in which they signed."""

    @property
    def holds(self) -> Collection[str]:
        """All roles that the person held then."""


S = TypeVar("S", bound=Signing)


def needed(need: Need) -> int:
    """Give how many signatures a need takes."""
    return need.quorum or len(set(need.signers))


def counted(need: Need, signatures: Sequence[S], recused: Collection[str] = ()) -> tuple[S, ...]:
    """Give signatures that count together: distinct people in distinct roles, as many as there can be.

    A person counts once, whatever roles and keys they have. Nobody counts who is recused, or who holds a pair of
    roles that the policy keeps apart.
    """
    held: dict[str, set[str]] = {}
    for one in signatures:
        held.setdefault(one.person, set()).update(one.holds, {one.role})
    able = {person: roles for person, roles in held.items() if person not in recused and not _holds_a_pair(need, roles)}
    offers: dict[str, dict[str, S]] = {}
    for one in signatures:
        if one.person in able and one.role in need.signers:
            offers.setdefault(one.person, {}).setdefault(one.role, one)
    matched = _matching({person: tuple(roles) for person, roles in offers.items()})
    return tuple(offers[person][role] for role, person in sorted(matched.items()))


def missing(
    need: Need,
    signatures: Sequence[Signing],
    recused: Collection[str] = (),
    holders: Mapping[str, Collection[str]] | None = None,
) -> str | None:
    """Say what is missing before a need is met, or give none if it is.

    Args:
        need: whose signatures it takes.
        signatures: valid signatures over the current version of the decision.
        recused: people who stepped back.
        holders: person -> roles they hold now; with it, a quorum that nobody can reach any more is called so.
    """
    if not need.signers:
        return f"{need.approval}: the policy names nobody who may sign"
    found = counted(need, signatures, recused)
    if len(found) >= needed(need):
        return None
    signed = {one.role for one in found}
    open_roles = [role for role in dict.fromkeys(need.signers) if role not in signed]
    words = f"{need.approval}: {len(found)} of {needed(need)} signatures; open: {', '.join(open_roles)}"
    return words + _set_aside(need, signatures, recused) + _out_of_reach(need, recused, holders)


def _set_aside(need: Need, signatures: Sequence[Signing], recused: Collection[str]) -> str:
    """Name those whose signature is there and does not count."""
    held: dict[str, set[str]] = {}
    for one in signatures:
        held.setdefault(one.person, set()).update(one.holds, {one.role})
    reasons = [f"{person} is recused" for person in sorted(held) if person in recused]
    for person, roles in sorted(held.items()):
        pair = _holds_a_pair(need, roles)
        if pair is not None and person not in recused:
            reasons.append(f"{person} holds {pair[0]} and {pair[1]}, which the policy keeps apart")
    return f" ({'; '.join(reasons)})" if reasons else ""


def _out_of_reach(need: Need, recused: Collection[str], holders: Mapping[str, Collection[str]] | None) -> str:
    if holders is None or _reachable(need, holders, recused) >= needed(need):
        return ""
    if _reachable(need, holders, ()) >= needed(need):
        names = ", ".join(sorted(set(recused) & set(holders)))
        return f"; it cannot be reached since {names} stepped back: somebody else has to hold the role"
    return "; too few people hold these roles for it to be reached"


def _reachable(need: Need, holders: Mapping[str, Collection[str]], recused: Collection[str]) -> int:
    able = {
        person: tuple(role for role in dict.fromkeys(need.signers) if role in roles)
        for person, roles in holders.items()
        if person not in recused and not _holds_a_pair(need, roles)
    }
    return len(_matching(able))


def _holds_a_pair(need: Need, roles: Collection[str]) -> tuple[str, str] | None:
    """Give the pair of roles, kept apart by the policy, that somebody holds both of."""
    return next((pair for pair in need.apart if pair[0] in roles and pair[1] in roles), None)


def _matching(offers: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Give a largest matching of people to roles, as role -> person (augmenting paths; Kuhn, 1955)."""
    taken: dict[str, str] = {}

    def place(person: str, tried: set[str]) -> bool:
        for role in offers[person]:
            if role in tried:
                continue
            tried.add(role)
            if role not in taken or place(taken[role], tried):
                taken[role] = person
                return True
        return False

    for person in sorted(offers):
        place(person, set())
    return taken

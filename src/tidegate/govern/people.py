# SPDX-License-Identifier: Apache-2.0
"""People and the roles that they hold, as `tidegate.yaml` says; which key speaks for whom is in the log."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import StringConstraints

from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.errors import Problem, SigningError
from tidegate.kernel.record import Record
from tidegate.policy.model import Id

PersonId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+@-]{0,79}$")]


class Person(Record):
    """Somebody who acts in the project."""

    id: PersonId
    """Id, which entries of the log name."""
    name: str | None = None
    """Name to show; it stays out of the log."""
    roles: tuple[Id, ...] = ()
    """Roles of the policy that the person holds, and ``external-reviewer``, ``case-manager``, ``assurer``,
    ``risk-owner`` or ``keeper`` (keeps the log and its keys)."""


def find_person(people: Iterable[Person], name: str) -> Person:
    """Give the person of this id.

    Raises:
        SigningError: KEY004, there is none.
    """
    known = {person.id: person for person in people}
    if name not in known:
        hint = did_you_mean(name, known) or f"people in tidegate.yaml: {', '.join(known) or 'none'}"
        raise SigningError(Problem("KEY004", f"there is no person {name!r}", None, hint))
    return known[name]

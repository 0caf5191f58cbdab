# SPDX-License-Identifier: Apache-2.0
"""Taking in a report of noncompliance: what is sealed of it, and who gets it. Never somebody who is implicated.

This is the one place that knows names of reporters and of people who are implicated; they leave it encrypted.
"""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from tidegate.govern.sealing import can_read
from tidegate.kernel.canonical import canonical_bytes
from tidegate.kernel.clock import Instant
from tidegate.kernel.errors import CaseworkError, Problem
from tidegate.kernel.record import Record
from tidegate.ledger.acts import Name
from tidegate.ledger.keys import verify_signature
from tidegate.policy.model import Role

CASE_MANAGER = "case-manager"
"""Role that handles reports by default."""
CHOSEN = "chosen"
"""Route of a report whose reporter chose who gets it."""
MAX_TEXT_BYTES = 200_000
"""A long report in words; attachments do not belong into it."""


def day_only(day: date) -> Instant:
    """Give the instant at which acts of a reporter are entered: the day's first, so that no time points at anybody.

    It never lies in the future, which would make the log's clock jump for the entries after it.
    """
    return f"{day.isoformat()}T00:00:00Z"


# --- what is sealed ------------------------------------------------------------------------------


class Message(Record):
    """What is encrypted: the words, and everything that names somebody."""

    schema_: Literal["tidegate/sealed-message/v1"] = Field(alias="schema", default="tidegate/sealed-message/v1")
    """Names this format."""
    case: Name
    """Case, or report of retaliation, that it belongs to: elsewhere it counts as nothing."""
    kind: Literal["report", "message", "reply", "note", "retaliation", "copy"]
    """What it is."""
    text: str = ""
    """The words."""
    reporter: Name | None = None
    """Who reports, if they want those who handle it to know."""
    implicated: tuple[Name, ...] = ()
    """Who is said to be involved."""
    reporter_key: str | None = None
    """Public key of the named reporter."""
    signature: str | None = None
    """The named reporter's signature over the message, in base64."""
    copied: Annotated["Message | None", Field(repr=False)] = None
    """For a copy: the message that it holds anew."""


def named_bytes(message: Message) -> bytes:
    """Give the bytes that a named reporter signs: the whole message, without its signature."""
    unsigned = message.model_copy(update={"signature": None})
    return b"tidegate/noncompliance/named-report/v1\n" + canonical_bytes(unsigned)


def is_signed_by_reporter(message: Message) -> bool:
    """Tell whether the signature of a named reporter holds under the key that the message names."""
    if message.reporter_key is None or message.signature is None:
        return False
    return verify_signature(message.reporter_key, named_bytes(message), message.signature)


# --- routing -------------------------------------------------------------------------------------


class Reader(NamedTuple):
    """Somebody who could handle a report."""

    person: str
    """Person."""
    roles: tuple[str, ...]
    """Roles that they hold."""
    keys: tuple[str, ...] = ()
    """Public keys that speak for them now."""
    key_roles: tuple[str, ...] = ()
    """Roles that these keys were added with: the log vouches for them, a file in the project does not."""

    @property
    def reading_keys(self) -> tuple[str, ...]:
        """Those of the keys that content can be encrypted to."""
        return tuple(key for key in self.keys if can_read(key))

    def unable(self, role: str) -> str | None:
        """Say why a report cannot go to them in a role; nothing if it can."""
        if not self.keys:
            return f"{self.person} (no key)"
        if not self.reading_keys:
            return f"{self.person} (only hardware-token keys, which cannot decrypt)"
        if role not in (CHOSEN, *self.key_roles):
            return f"{self.person} (no key that was added for the role {role})"
        return None


class Route(NamedTuple):
    """Where a report goes."""

    role: str
    """Role or body, or ``chosen``."""
    managers: tuple[str, ...]
    """Who gets it."""
    keyless: tuple[str, ...]
    """Who would have got it, and has no key that does; each with the reason."""


def tiers(roles: Sequence[Role], readers: Sequence[Reader], implicated: Collection[str]) -> tuple[str, ...]:
    """Give the roles that may handle a report, the first choice first.

    Case managers come first, then the roles that decide, then those that oversee. Where somebody who decides is
    implicated, the overseers come first: nobody has to investigate whom they report to.
    """
    deciding = [role.id for role in roles if role.power == "decides" and role.id != CASE_MANAGER]
    powers = ("reverses", "approves", "oversees")
    overseeing = [role.id for power in powers for role in roles if role.power == power and role.id != CASE_MANAGER]
    above = any(reader.person in implicated and set(reader.roles) & set(deciding) for reader in readers)
    ordered = (*overseeing, CASE_MANAGER, *deciding) if above else (CASE_MANAGER, *deciding, *overseeing)
    return tuple(dict.fromkeys(ordered))


def route(
    readers: Sequence[Reader], roles: Sequence[Role], implicated: Collection[str], to: str | None = None
) -> Route:
    """Give who handles a report: never somebody who is implicated.

    Args:
        readers: people of the project, with their roles and keys.
        roles: roles of the policy.
        implicated: people who are said to be involved.
        to: person whom the reporter chose.

    Raises:
        CaseworkError: NCP002, nobody is left who could read it; the message names who lacks a key.
    """
    free = [reader for reader in readers if reader.person not in implicated]
    if to is not None:
        steps = [(CHOSEN, [reader for reader in free if reader.person == to])]
    else:
        steps = [
            (role, [reader for reader in free if role in reader.roles]) for role in tiers(roles, readers, implicated)
        ]
    keyless: list[str] = []
    for role, holders in steps:
        keyless += [why for reader in holders if (why := reader.unable(role)) is not None]
        able = tuple(reader.person for reader in holders if reader.unable(role) is None)
        if able:
            return Route(role, able, tuple(keyless))
    raise CaseworkError(_nobody(tuple(keyless), to))


def _nobody(keyless: tuple[str, ...], to: str | None) -> Problem:
    if keyless:
        message = f"the report cannot be encrypted to anybody who may handle it: {', '.join(keyless)}"
        hint = "let them add an ssh-ed25519 key with `tidegate key add`, or choose somebody else with --to PERSON"
    elif to is not None:
        message = f"{to} cannot handle the report: implicated, or not a person of the project"
        hint = "choose somebody else with --to PERSON"
    else:
        message = "nobody is left who may handle the report: each of them is implicated, or nobody holds such a role"
        hint = "choose another leader with --to PERSON, or go to the board, the trust or an authority directly"
    return Problem("NCP002", message, None, hint)

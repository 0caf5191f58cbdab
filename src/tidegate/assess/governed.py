# SPDX-License-Identifier: Apache-2.0
"""What people decided, as the gate needs it: approvals given by verified signatures, measures that stand in, and
whatever makes the record itself doubtful.

`govern` makes these from the ledger; the gate only reads them. A project without a ledger has none.
"""

from datetime import date

from pydantic import Field

from tidegate.kernel.record import Record
from tidegate.policy.model import Action


class SignedBy(Record):
    """Who signed, in which role, when."""

    person: str
    """Person."""
    role: str
    """Role in which they signed."""
    on: date
    """Day of the signature."""
    key: str
    """Fingerprint of the key."""


class Signoff(Record):
    """What a decision gives, or fails to give, to one approval of the policy."""

    approval: str
    """Id of the approval."""
    decision: str
    """The decision."""
    model: str | None = None
    """Model that it is about; none means that it is about none in particular."""
    snapshot: str | None = None
    """Snapshot that it is about; none means whichever is assessed."""
    actions: tuple[Action, ...] = ()
    """Actions that it says yes to."""
    signers: tuple[SignedBy, ...] = ()
    """Whose signatures hold."""
    missing: str | None = None
    """Why it does not count: signatures that are missing, a state that is not effective, what changed since; none
    if it counts."""
    until: date | None = None
    """Last day on which it counts."""


class Relief(Record):
    """An effective, signed measure for which a requirement does not close the gate."""

    waiver: str
    """Its id."""
    kind: str
    """``interim_measure`` or ``waiver``; a deviation relieves of nothing."""
    decision: str
    """The decision that grants it."""
    model: str
    """Model for which it holds."""
    snapshot: str | None = None
    """Snapshot for which it holds; none means all."""
    requirements: tuple[str, ...]
    """Requirements that it is about."""
    actions: tuple[Action, ...]
    """Actions for which it holds."""
    until: date
    """Last day on which it counts."""
    is_public: bool = False
    """True if it is published."""


class Governed(Record):
    """Everything that people decided, as of a day, and whether the record of it is sound."""

    size: int = Field(default=0, ge=0)
    """How many entries of the log it was made from."""
    signoffs: tuple[Signoff, ...] = ()
    """Approvals given or asked for."""
    reliefs: tuple[Relief, ...] = ()
    """Measures in force."""
    doubts: tuple[str, ...] = ()
    """Why nothing can be opened at all: files and log disagree, the log does not verify."""

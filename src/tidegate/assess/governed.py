# SPDX-License-Identifier: Apache-2.0
"""What people decided, as the gate needs it: signed approvals, measures that stand in, doubts about the record.

`govern` makes these from the ledger; the gate only reads them. A project without a ledger has none.
"""

from datetime import date
from functools import cached_property

from pydantic import Field

from tidegate.kernel.canonical import digest
from tidegate.kernel.duration import add
from tidegate.kernel.record import Record
from tidegate.policy.model import Action, Approval, Requirement

NEVER_RELIEVED = frozenset({"halt", "not_yet_specified"})
"""Requirements that no measure can stand in for."""


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

    @cached_property
    def digest(self) -> str:
        """Digest of all that decides; how far the log has grown since does not."""
        return digest({"signoffs": self.signoffs, "reliefs": self.reliefs, "doubts": self.doubts})

    def about(self, model: str) -> "Governed":
        """Give what of it can bear on a model: decisions about others do not."""
        return self.model_copy(
            update={
                "signoffs": tuple(one for one in self.signoffs if one.model in (model, None)),
                "reliefs": tuple(one for one in self.reliefs if one.model == model),
            }
        )

    def relief(self, requirement: Requirement, action: Action, target: "Target") -> Relief | None:
        """Give the measure in force that stands in for a requirement, if there is one."""
        if requirement.kind in NEVER_RELIEVED:
            return None
        return next(
            (
                one
                for one in self.reliefs
                if requirement.id in one.requirements
                and action in one.actions
                and target.is_meant(one.model, one.snapshot)
                and one.until >= target.at
            ),
            None,
        )

    def missing(self, approval: Approval, action: Action, target: "Target") -> tuple[Signoff | None, str | None]:
        """Give the signoff that satisfies an approval for an action, or why none does."""
        found = [
            one
            for one in self.signoffs
            if one.approval == approval.id and (one.model is None or target.is_meant(one.model, one.snapshot))
        ]
        reasons: list[str] = []
        for one in sorted(found, key=lambda item: item.decision):
            why = _unmet(one, approval, action, target.at)
            if why is None:
                return one, None
            reasons.append(f"{one.decision}: {why}")
        return None, "; ".join(reasons) or "no decision gives it; put one with `tidegate decide propose`"


class Target(Record):
    """What the gate is asked about."""

    model: str
    """Model."""
    snapshot: str | None
    """Snapshot that is assessed."""
    at: date
    """Day."""

    def is_meant(self, model: str, snapshot: str | None) -> bool:
        """Tell whether something said of a model, or of one snapshot of it, is said of this."""
        return model == self.model and (snapshot is None or snapshot == self.snapshot)


def _unmet(signoff: Signoff, approval: Approval, action: Action, at: date) -> str | None:
    if signoff.missing is not None:
        return signoff.missing
    if action not in signoff.actions:
        return f"does not say yes to {action.replace('_', ' ')}"
    if signoff.until is not None and signoff.until < at:
        return f"counted until {signoff.until.isoformat()}"
    if not signoff.signers:
        return "nobody has signed"
    oldest = min(one.on for one in signoff.signers)
    if oldest > at:
        return f"signed on {oldest.isoformat()}, after the day asked about"
    if approval.cadence is not None and add(oldest, approval.cadence) < at:
        return f"signed on {oldest.isoformat()}; the policy asks for it again after {approval.cadence}"
    return None

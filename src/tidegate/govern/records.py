# SPDX-License-Identifier: Apache-2.0
"""What the log says of decisions, reports and safety cases, once everything without effect is left out."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from tidegate.govern.decisions import Decision, DecisionState, MeasureKind, ReportKind
from tidegate.govern.quorum import missing
from tidegate.kernel.clock import Instant, day_of
from tidegate.ledger.acts import WaiverRecorded
from tidegate.ledger.entries import Signed

__all__ = [
    "Answer",
    "CaseRecord",
    "CaseReview",
    "Critique",
    "DecisionRecord",
    "Dissent",
    "Documents",
    "MeasureKind",
    "Move",
    "Recusal",
    "ReportRecord",
    "Review",
    "SignatureRecord",
    "Version",
    "Void",
]


Documents = Callable[[str], bytes | None]
"""Gives the document of a digest; none if it is not there."""


class Void(NamedTuple):
    """An entry that has no effect."""

    index: int  # type: ignore[assignment]  # nobody looks a value up in this
    """Position in the log."""
    reason: str
    """Why it has none."""


@dataclass(frozen=True)
class Version:
    """A version of a decision."""

    digest: str
    """Digest of its document."""
    document: Decision
    """The document."""
    index: int
    """Entry that put it."""
    by: str
    """Who put it."""
    at: Instant
    """When."""
    reason: str | None = None
    """Why it was put anew; none for the first."""


@dataclass(frozen=True)
class Review:
    """Somebody's review of a decision."""

    by: str
    """Who."""
    verdict: str
    """``supports``, ``opposes`` or ``comments``."""
    text: str
    """Their words."""
    document: str
    """Digest of the version that they reviewed."""
    index: int
    """Entry."""
    at: Instant
    """When."""


@dataclass(frozen=True)
class Recusal:
    """Somebody stepped back."""

    by: str
    """Who."""
    reason: str
    """Why."""
    index: int
    """Entry."""
    at: Instant
    """When."""


@dataclass(frozen=True)
class Dissent:
    """Somebody disagreed."""

    by: str
    """Who."""
    text: str
    """Their words, verbatim."""
    document: str
    """Digest of the version."""
    index: int
    """Entry."""
    at: Instant
    """When."""


@dataclass(frozen=True)
class SignatureRecord:
    """A signature under a decision that holds."""

    person: str
    """Who signed."""
    role: str
    """Role in which they signed."""
    key: str
    """Fingerprint of the key."""
    holds: frozenset[str]
    """Every role that the person held then."""
    document: str
    """Digest of the version that they signed."""
    over: tuple[Signed, ...]
    """What they signed over."""
    index: int
    """Entry."""
    at: Instant
    """When, as they say."""


@dataclass(frozen=True)
class Move:
    """A decision came into another state."""

    was: DecisionState
    """State before."""
    to: DecisionState
    """State after."""
    by: str
    """Who moved it."""
    index: int
    """Entry."""
    at: Instant
    """When."""
    reason: str | None = None
    """Why."""
    by_decision: str | None = None
    """Decision that takes its place."""


@dataclass(frozen=True)
class DecisionRecord:
    """All that the log says of a decision."""

    id: str
    """Its id."""
    versions: tuple[Version, ...]
    """Its versions; the last one is current."""
    state: DecisionState = "proposed"
    """Its state, as recorded."""
    reviews: tuple[Review, ...] = ()
    """Reviews, of earlier versions too."""
    recusals: tuple[Recusal, ...] = ()
    """Who stepped back."""
    dissents: tuple[Dissent, ...] = ()
    """Who disagreed, in their words."""
    signatures: tuple[SignatureRecord, ...] = ()
    """Signatures, under earlier versions too."""
    moves: tuple[Move, ...] = ()
    """How it came into its state."""
    waivers: tuple[WaiverRecorded, ...] = ()
    """Measures of the current version that were put on record."""

    @property
    def current(self) -> Version:
        """The version that counts."""
        return self.versions[-1]

    @property
    def document(self) -> Decision:
        """Document of the version that counts."""
        return self.current.document

    @property
    def digest(self) -> str:
        """Digest of the version that counts."""
        return self.current.digest

    @property
    def proposer(self) -> str:
        """Who put it first."""
        return self.versions[0].by

    @property
    def proposers(self) -> frozenset[str]:
        """Everybody who put a version of it."""
        return frozenset(one.by for one in self.versions)

    @property
    def recused(self) -> frozenset[str]:
        """People who stepped back."""
        return frozenset(one.by for one in self.recusals)

    @property
    def in_force(self) -> tuple[SignatureRecord, ...]:
        """Signatures under the current version."""
        return tuple(one for one in self.signatures if one.document == self.digest)

    @property
    def independent_reviews(self) -> tuple[Review, ...]:
        """Reviews of the current version by somebody else than those who put it."""
        apart = self.proposers | self.recused
        return tuple(one for one in self.reviews if one.document == self.digest and one.by not in apart)

    @property
    def effective_on(self) -> date | None:
        """Day on which it last took effect; none if it never did."""
        days = [day_of(one.at) for one in self.moves if one.to == "effective"]
        return days[-1] if days else None

    def before(self, index: int) -> "DecisionRecord | None":
        """Give the decision as it was before an entry; none if it was not put yet. Measures are left out."""
        versions = tuple(one for one in self.versions if one.index < index)
        moves = tuple(one for one in self.moves if one.index < index)
        if not versions:
            return None
        return replace(
            self,
            versions=versions,
            state=moves[-1].to if moves else "proposed",
            reviews=tuple(one for one in self.reviews if one.index < index),
            recusals=tuple(one for one in self.recusals if one.index < index),
            dissents=tuple(one for one in self.dissents if one.index < index),
            signatures=tuple(one for one in self.signatures if one.index < index),
            moves=moves,
            waivers=(),
        )

    def missing(self, holders: Mapping[str, Collection[str]] | None = None) -> tuple[str, ...]:
        """Say what is missing before it can take effect: signatures, a review.

        Args:
            holders: person -> roles they hold now; with it, what nobody can reach any more is called so.
        """
        needs = self.document.needs
        found = [missing(need, self.in_force, self.recused, holders) for need in needs]
        if not needs:
            found.append("it gives no approval, so that nobody's signature counts")
        if not self.independent_reviews:
            found.append("nobody else than who put it has reviewed this version")
        return tuple(one for one in found if one is not None)


@dataclass(frozen=True)
class Answer:
    """An answer to a point of a critique."""

    point: int
    """Number of the point, from 1."""
    outcome: str
    """``answered``, ``accepted`` or ``stands``."""
    text: str
    """The answer."""
    by: str
    """Who answered."""
    index: int
    """Entry."""
    at: Instant
    """When."""


@dataclass(frozen=True)
class Critique:
    """An independent critique of a report."""

    critique: str
    """Its id."""
    report: str
    """Report."""
    author: str
    """Who wrote it."""
    points: int
    """How many points it makes."""
    document: str
    """Digest of the critique."""
    index: int
    """Entry."""
    at: Instant
    """When."""
    answers: tuple[Answer, ...] = ()
    """Answers, oldest first."""

    def answer(self, point: int) -> Answer | None:
        """Give the newest answer to a point."""
        return next((one for one in reversed(self.answers) if one.point == point), None)

    @property
    def unanswered(self) -> tuple[int, ...]:
        """Points without any answer."""
        return tuple(point for point in range(1, self.points + 1) if self.answer(point) is None)

    @property
    def standing(self) -> tuple[int, ...]:
        """Points that stand as open disagreement."""
        answers = {point: self.answer(point) for point in range(1, self.points + 1)}
        return tuple(point for point, one in answers.items() if one is not None and one.outcome == "stands")


@dataclass(frozen=True)
class ReportRecord:
    """All that the log says of a final report."""

    report: str
    """Its id."""
    kind: ReportKind
    """What it is about."""
    model: str
    """Model."""
    snapshot: str | None
    """Snapshot."""
    document: str
    """Digest of the report."""
    author: str
    """Who made it final."""
    index: int
    """Entry."""
    at: Instant
    """When."""
    critiques: tuple[Critique, ...] = ()
    """Critiques."""


@dataclass(frozen=True)
class CaseReview:
    """Somebody's review of parts of a safety case."""

    by: str
    """Who."""
    nodes: Mapping[str, str]
    """Node -> content digest that they saw."""
    verdict: str
    """``agrees`` or ``disagrees``."""
    text: str | None
    """Their words."""
    index: int
    """Entry."""
    at: Instant
    """When."""


@dataclass(frozen=True)
class CaseRecord:
    """All that the log says of a safety case."""

    case: str
    """Its id."""
    model: str
    """Model."""
    root: str
    """Content digest of the whole, newest version."""
    document: str
    """Digest of the case as data, newest version."""
    authors: tuple[str, ...]
    """Who recorded a version of it."""
    index: int
    """Entry of the newest version."""
    at: Instant
    """When that was recorded."""
    earlier: tuple[str, ...] = ()
    """Digests of earlier versions."""
    reviews: tuple[CaseReview, ...] = ()
    """Reviews, oldest first; which of them still hold follows from the digests that they saw."""

# SPDX-License-Identifier: Apache-2.0
"""Incidents, folded from the log: each entry adds or corrects, and nothing that was ever said is lost.

An entry whose signature does not count has no effect, and is listed with its reason: nothing here raises on a log.
Content that is gone without an entry that erased it, or is not what its digest says, is told (INC005), and the rest of
the incident stands.
"""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Literal, NamedTuple

from pydantic import ValidationError

from tidegate.incidents.model import MAX_SAID_BYTES, TIME_MEANINGS, Incident, Revision, Said, Stated, TimeName
from tidegate.kernel.canonical import canonical_bytes
from tidegate.kernel.clock import Instant, day_of
from tidegate.kernel.documents import did_you_mean
from tidegate.kernel.duration import add
from tidegate.kernel.errors import IncidentError, Problem, Where
from tidegate.ledger.acts import IncidentClosed, IncidentNoticed, IncidentOpened, IncidentUpdated
from tidegate.ledger.entries import Entry

RETENTION = "P5Y"
"""California, New York and Illinois ask for five years, unredacted; the EU code for five from the record or the
incident, whichever is later."""

Check = Callable[[int, Entry], str | None]
"""Says why an entry's signature does not count; none if it does."""


class Content(NamedTuple):
    """What is kept outside the log under a salted digest."""

    salt: bytes
    data: bytes
    """Canonical JSON of what was said."""


Read = Callable[[str], Content | None]
"""Gives the content of a salted digest; none if it is not kept."""


class Void(NamedTuple):
    """An entry without effect."""

    entry: int
    kind: str
    incident: str
    reason: str


@dataclass(frozen=True)
class Incidents:
    """All incidents that a log leads to."""

    incidents: Mapping[str, Incident] = field(default_factory=dict)
    voids: tuple[Void, ...] = ()

    def find(self, name: str) -> Incident:
        """Give an incident.

        Raises:
            IncidentError: INC001, there is none of this id.
        """
        if name not in self.incidents:
            hint = did_you_mean(name, self.incidents) or "see `tidegate incident list`"
            raise IncidentError(Problem("INC001", f"there is no incident {name!r}", None, hint))
        return self.incidents[name]


# --- times that cannot be ------------------------------------------------------------------------------

BEFORE: tuple[tuple[TimeName, TimeName], ...] = (
    ("occurred", "detected"),
    ("occurred", "discovered"),
    ("occurred", "reasonable_belief"),
    ("occurred", "determined"),
    ("occurred", "model_involvement_known"),
    ("occurred", "contained"),
    ("occurred", "resolved"),
    ("detected", "discovered"),
    ("discovered", "determined"),
    ("discovered", "resolved"),
    ("contained", "resolved"),
)
"""The first cannot lie after the second. What is not here, such as containment before discovery, happens."""
_HINT = (
    "correct one of them with `tidegate incident update ID --correct NAME=TIME --reason ...`; leave out what is unknown"
)


def contradictions(times: Mapping[TimeName, Instant], name: str = "") -> tuple[Problem, ...]:
    """Give the pairs of times that cannot both be right.

    Args:
        times: times that are stated; those that are unknown contradict nothing.
        name: the incident.
    """
    where = Where(f"incident {name}") if name else None
    return tuple(
        Problem("INC002", _against(first, second, times), where, _HINT)
        for first, second in BEFORE
        if first in times and second in times and times[first] > times[second]
    )


def _against(first: TimeName, second: TimeName, times: Mapping[TimeName, Instant]) -> str:
    return (
        f"`{second}` ({times[second]}: {TIME_MEANINGS[second]}) lies before "
        f"`{first}` ({times[first]}: {TIME_MEANINGS[first]})"
    )


def not_yet(name: str, at: Instant, now: Instant) -> Problem | None:
    """Give what is wrong with a time that lies after the moment in which it is stated; none if it does not."""
    if at <= now:
        return None
    return Problem("INC002", f"`{name}` ({at}) lies in the future: it is {now}", None, "state times that have been")


# --- the fold ------------------------------------------------------------------------------------------

_Act = IncidentOpened | IncidentUpdated | IncidentNoticed | IncidentClosed
_Kind = Literal["opened", "updated", "noticed", "closed", "reopened"]


@dataclass
class _Fold:
    check: Check
    read: Read
    erased: Collection[str]
    found: dict[str, Incident] = field(default_factory=dict)
    digests: set[str] = field(default_factory=set)

    def take(self, index: int, entry: Entry, act: _Act) -> str | None:
        """Take an entry in; give why it has no effect, or none."""
        kind, known = _kind(act), self.found.get(act.incident)
        reason = self._unsigned(index, entry) or _why_not(kind, known)
        if act.content.digest in self.digests:
            reason = reason or "its content belongs to another entry"
        if reason is not None:
            return reason
        assert entry.by is not None
        self.digests.add(act.content.digest)
        said, problem = self._said(act.content.digest)
        revision = Revision(
            index, kind, entry.by, entry.acted_at, said, act.content.digest, act.content.retain_until, problem
        )
        before = known or Incident(act.incident, "open", entry.acted_at, entry.by)
        self.found[act.incident] = _merged(before, revision, was_erased=act.content.digest in self.erased)
        return None

    def _unsigned(self, index: int, entry: Entry) -> str | None:
        if entry.by is None or entry.signature is None:
            return "not signed"
        return self.check(index, entry)

    def _said(self, digest: str) -> tuple[Said | None, str | None]:
        """Give what was said, or why it cannot be read."""
        if digest in self.erased:
            return None, None
        kept = self.read(digest)
        if kept is None:
            return None, "what was said is missing, and no entry says that it was erased"
        if f"sha256:{hashlib.sha256(kept.salt + kept.data).hexdigest()}" != digest:
            return None, "what was said is not what the log's digest says"
        try:
            if len(kept.data) > MAX_SAID_BYTES:
                return None, f"what was said is larger than {MAX_SAID_BYTES:,} bytes"
            said = Said.model_validate_json(kept.data)
        except ValidationError:
            return None, "what was said is no record of an incident"
        return (said, None) if canonical_bytes(said) == kept.data else (None, "what was said is not in canonical form")


def _kind(act: _Act) -> _Kind:
    match act:
        case IncidentOpened():
            return "opened"
        case IncidentUpdated():
            return "updated"
        case IncidentNoticed():
            return "noticed"
        case IncidentClosed():
            return "reopened" if act.is_reopened else "closed"


def _why_not(kind: _Kind, known: Incident | None) -> str | None:
    """Say why an entry of a kind cannot follow; none if it can. A notice may go out for a closed incident too."""
    if kind == "opened":
        return None if known is None else "an incident of this id was opened before"
    if known is None:
        return "there is no such incident"
    if kind == "reopened":
        return None if known.state == "closed" else "it is open already"
    return "it is closed" if known.state == "closed" and kind != "noticed" else None


def _merged(incident: Incident, revision: Revision, *, was_erased: bool) -> Incident:
    """Give an incident with one more entry."""
    state = "closed" if revision.kind == "closed" else "open" if revision.kind == "reopened" else incident.state
    made = replace(incident, state=state, revisions=(*incident.revisions, revision))
    if revision.problem is not None:
        where, hint = (
            Where(f"ledger entry {revision.index}"),
            "put the store back from a copy; the log's digest shows which",
        )
        broken = Problem("INC005", f"incident {incident.id}: {revision.problem}", where, hint)
        made = replace(made, problems=(*made.problems, broken))
    if revision.said is not None:
        made = _with_said(made, revision, revision.said)
    return replace(made, erased=made.erased or was_erased)


def _with_said(incident: Incident, revision: Revision, said: Said) -> Incident:
    stated = tuple(
        Stated(name, at, revision.by, revision.at, revision.index, said.reason) for name, at in said.times.items()
    )
    # Nobody can know in advance: a time after its own entry would only move a date away.
    early = [problem for one in stated if one.at and (problem := not_yet(one.name, one.at, one.recorded_at))]
    times = dict(incident.times)
    for one in stated:
        if one.at is None:
            times.pop(one.name, None)
        elif one.at <= one.recorded_at:
            times[one.name] = one
    # Only what is on record already can be taken back.
    taken_back = incident.taken_back.union(one for one in said.not_sent if one < revision.index)
    sent = (one.notice for one in incident.revisions if one.index not in taken_back)
    return replace(
        incident,
        title=said.title or incident.title,
        summary=said.summary or incident.summary,
        times=times,
        history=(*incident.history, *stated),
        answers={**incident.answers, **said.answers},
        jurisdictions=incident.jurisdictions if said.jurisdictions is None else said.jurisdictions,
        models=incident.models if said.models is None else said.models,
        evidence=incident.evidence if said.evidence is None else said.evidence,
        threshold=said.threshold or incident.threshold,
        fields={**incident.fields, **said.fields},
        severity={**incident.severity, **said.severity},
        notices=tuple(one for one in sent if one is not None),
        taken_back=taken_back,
        problems=(*incident.problems, *(replace(one, where=Where(f"ledger entry {revision.index}")) for one in early)),
    )


def merged_with(incident: Incident | None, said: Said, *, by: str, at: Instant) -> Incident:
    """Give an incident as it would be with one more entry, to be checked before it is made."""
    before = incident or Incident("", "open", at, by)
    return _with_said(before, Revision(-1, "updated", by, at, said), said)


_READ: Mapping[str, type[_Act]] = MappingProxyType(
    {
        "incident.opened": IncidentOpened,
        "incident.updated": IncidentUpdated,
        "incident.noticed": IncidentNoticed,
        "incident.closed": IncidentClosed,
    }
)
KINDS_READ = frozenset(_READ)
"""Kinds of entries that incidents are made of."""


def incidents(
    logged: Iterable[tuple[int, Entry]], read: Read, check: Check, erased: Collection[str] = frozenset()
) -> Incidents:
    """Give the incidents that a log leads to, oldest first.

    Args:
        logged: entries in the log's order, with their indexes.
        read: gives the content of a salted digest.
        check: says why an entry's signature does not count; none if it does.
        erased: salted digests that the log says were erased.
    """
    fold = _Fold(check, read, erased)
    voids: list[Void] = []
    for index, entry in logged:
        if entry.kind not in KINDS_READ:
            continue
        act = _READ[entry.kind].model_validate(entry.body)
        reason = fold.take(index, entry, act)
        if reason is not None:
            voids.append(Void(index, entry.kind, act.incident, reason))
    return Incidents({name: _ended(one) for name, one in fold.found.items()}, tuple(voids))


def _ended(incident: Incident) -> Incident:
    """Give an incident with what only the whole of it shows: contradictions, and how long it is kept."""
    times = {name: one.at for name, one in incident.times.items() if one.at is not None}
    return replace(
        incident,
        problems=(*incident.problems, *contradictions(times, incident.id)),
        retained_until=retained_until(incident),
    )


def retained_until(incident: Incident) -> date | None:
    """Give the last day on which what was said of an incident has to be kept; none while it is open."""
    if incident.state != "closed":
        return None
    ends = [one.retain_until for one in incident.revisions if one.retain_until is not None]
    return max([add(max(_days(incident)), RETENTION), *ends])


def _days(incident: Incident) -> Iterator[date]:
    """Give the days of the record and of the incident itself: the later of the two begins the retention."""
    yield from (day_of(one.at) for one in incident.revisions)
    yield from (day_of(one.at) for one in incident.times.values() if one.at is not None)

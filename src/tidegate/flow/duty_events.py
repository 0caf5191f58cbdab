# SPDX-License-Identifier: Apache-2.0
"""What happened, as events that duties are counted from: read from the project's files and from its log.

Each event says where it stands. What has no date on record gives no event; that is told, and nothing is guessed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from tidegate.evidence.models import Model, Snapshot
from tidegate.govern.decisions import content_digest
from tidegate.govern.governance import Governance
from tidegate.govern.noncompliance import Casework, casework, checked_by
from tidegate.govern.records import DecisionRecord, ReportRecord
from tidegate.incidents.clocks import events_of
from tidegate.incidents.fold import Content, incidents
from tidegate.incidents.model import Incident
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.clock import Instant, day_of
from tidegate.kernel.duration import first_day
from tidegate.ledger.acts import PolicyAdopted, WaiverRecorded
from tidegate.ledger.entries import Entry
from tidegate.obligations.model import Event
from tidegate.policy.model import Policy

if TYPE_CHECKING:
    from tidegate.store.ledger import LedgerStore

RUNNING_OUT = frozenset({"effective", "expired"})
"""States of a decision that ends with its last day; what was revoked or replaced ended before."""


@dataclass(frozen=True)
class Found:
    """Events, and what none could be made of."""

    events: tuple[Event, ...] = ()
    gaps: tuple[str, ...] = ()
    """What has no date on record, so that nothing is counted from it."""

    def __add__(self, other: "Found") -> "Found":
        return Found((*self.events, *other.events), (*self.gaps, *other.gaps))


# --- files --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Files:
    """What a project is made of, with where each part stands."""

    policy: Policy
    models: Sequence[Model]
    policy_source: str
    """Where the policy stands: ``policy/house.yaml``."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Model -> where it stands: ``models/adder.yaml``."""


def model_sources(root: Path, models: Iterable[Model]) -> dict[str, str]:
    """Give the file of each model, as far as it is named after it."""
    named = {one.id: f"models/{one.id}.yaml" for one in models}
    return {name: path if (root / path).is_file() else "models/" for name, path in named.items()}


def file_events(files: Files) -> Found:
    """Give the events of the adopted policy and of the models."""
    found = _policy_events(files.policy, files.policy_source)
    for model in files.models:
        found += _model_events(model, files.sources.get(model.id, "models/"))
    return found


def _policy_events(policy: Policy, source: str) -> Found:
    if policy.effective is None:
        return Found((), (f"{source}: {policy.label} says not since when it is in effect (`effective`)",))
    return Found((Event(kind="policy.effective", at=policy.effective, subject=policy.label, source=source),))


def file_change(policy: Policy, source: str) -> tuple[Event, ...]:
    """Give the change that a policy says to be, where no log holds it."""
    if policy.supersedes is None or policy.effective is None:
        return ()
    note = f"it takes the place of {policy.supersedes}"
    return (Event(kind="policy.changed", at=policy.effective, subject=policy.label, source=source, note=note),)


def _model_events(model: Model, source: str) -> Found:
    events: list[Event] = []
    gaps: list[str] = []
    for snapshot in model.snapshots:
        if snapshot.created is None:
            gaps.append(f"{source}: the snapshot {snapshot.id} of {model.id} has no day (`created`)")
        else:
            events.append(_dated("snapshot.made", snapshot.created, model, source, snapshot))
    if model.released is not None:
        events.append(_dated("model.released", model.released, model, source))
    for one in model.deployments:
        if one.since is None:
            gaps.append(f"{source}: the deployment {one.action} of {model.id} has no day (`since`)")
            continue
        facts = frozenset({one.action})
        about: dict[str, Any] = {"at": one.since, "subject": model.id, "facts": facts, "source": source}
        # A plan stays on record once it has come about, for what had to be done before it.
        events += [Event(kind=kind, **about) for kind in ("deployment.planned", "deployment.started")]
    return Found(tuple(events), tuple(gaps))


def _dated(kind: str, on: str, model: Model, source: str, snapshot: Snapshot | None = None) -> Event:
    """Give an event of a day, month or year. Taken from its first day, a date falls early rather than late."""
    notes = [f"snapshot {snapshot.id}"] if snapshot is not None else []
    if len(on) < len("2026-05-22"):
        notes.append(f"dated {on} only; counted from its first day")
    return Event(
        kind=kind,
        at=first_day(on),
        subject=model.id,
        amount=snapshot.effective_compute if snapshot is not None else None,
        source=source,
        note="; ".join(notes) or None,
    )


# --- the log ------------------------------------------------------------------------------------------


class Adopted(NamedTuple):
    """An adoption of a policy."""

    index: int  # type: ignore[assignment]  # nobody looks a value up in this
    at: Instant
    label: str
    policy: Policy | None
    """What was adopted; none if the store does not hold it any more."""

    @property
    def says(self) -> str:
        """What it says, whichever of its rules are locked, as a digest."""
        return content_digest(self.policy) if self.policy is not None else f"entry {self.index}"


@dataclass(frozen=True)
class Log:
    """The log as it was known, folded."""

    store: "LedgerStore" = field(repr=False)
    entries: Sequence[tuple[int, Entry]] = field(repr=False)
    governance: Governance = field(repr=False)
    models: Sequence[Model] = ()
    adopted: Sequence[Adopted] = ()

    @cached_property
    def work(self) -> Casework:
        """Cases of noncompliance, and what was erased."""
        return casework(self.entries, checked_by(self.governance.keyring))

    @cached_property
    def incidents(self) -> tuple[Incident, ...]:
        """Incidents, oldest first."""
        found = incidents(self.entries, self._content, self.governance.keyring.check, frozenset(self.work.erased))
        return tuple(found.incidents.values())

    @property
    def broken(self) -> tuple[str, ...]:
        """Why incidents are not to be relied on: what was said of them is missing or was changed, and clocks with it."""
        return tuple(one.message for incident in self.incidents for one in incident.problems if one.code == "INC005")

    def _content(self, digest: str) -> Content | None:
        kept = self.store.sealed(digest)
        return None if kept is None else Content(kept.salt, kept.data)


def log_events(log: Log) -> tuple[Event, ...]:
    """Give the events of a log: policies adopted, reports, decisions, cases, noncompliance, incidents."""
    return (
        *_adoptions(log),
        *_reports(log),
        *(event for _, one in sorted(log.governance.decisions.items()) for event in _decision(one)),
        *_reviews(log.governance),
        *_measures(log),
        *_noncompliance(log.work),
        *_incidents(log),
    )


def adoptions(store: "LedgerStore", entries: Iterable[tuple[int, Entry]]) -> tuple[Adopted, ...]:
    """Give each adoption of a policy that says something else than the one before it, oldest first."""
    found: list[Adopted] = []
    for index, entry in entries:
        if entry.kind == "policy.adopted":
            act = entry.act
            assert isinstance(act, PolicyAdopted)
            one = Adopted(index, entry.acted_at, act.label, _policy(store, act))
            if not found or one.says != found[-1].says:
                found.append(one)
    return tuple(found)


def _policy(store: "LedgerStore", act: PolicyAdopted) -> Policy | None:
    data = store.documents_get(act.document)
    if data is None or digest_bytes(data) != act.document:
        return None
    try:
        return Policy.model_validate_json(data)
    except ValidationError:
        return None


def _adoptions(log: Log) -> Iterator[Event]:
    for number, one in enumerate(log.adopted):
        for kind in ("policy.adopted", *(("policy.changed",) if number else ())):
            yield Event(kind=kind, at=one.at, subject=one.label, source=f"entry {one.index}")


def earlier_versions(adopted: Sequence[Adopted], policy: Policy) -> tuple[Event, ...]:
    """Give since when each earlier version of a policy was in effect: what it asked for by then stays on the list."""
    latest = {one.label: one for one in adopted if one.label != policy.label}
    return tuple(
        Event(kind="policy.effective", at=one.policy.effective, subject=one.label, source=f"entry {one.index}")
        for one in latest.values()
        if one.policy is not None and one.policy.effective is not None
    )


def first_days(adopted: Sequence[Adopted], policy: Policy) -> dict[str, date]:
    """Give, for each item of a policy, the day on which the first version that holds it took effect."""
    found: dict[str, date] = {}
    for version in (*(one.policy for one in adopted if one.policy is not None), policy):
        if version.effective is not None:
            for _, item in version.located_items():
                found[item.id] = min(found.get(item.id, version.effective), version.effective)
    return found


class Unrecorded(NamedTuple):
    """A change of what decides about a threshold, within one version of a policy, that nobody recorded as one."""

    threshold: str
    was: tuple[str, ...]
    """Evaluations that it no longer names."""
    now: tuple[str, ...]
    """Evaluations that it names instead; where both are empty, it decides by other rules."""
    on: date
    entry: int


def unrecorded_changes(adopted: Sequence[Adopted]) -> tuple[Unrecorded, ...]:
    """Give each change between adoptions of one version of a policy for which it holds no entry."""
    found: list[Unrecorded] = []
    for before, after in pairwise(adopted):
        if before.label != after.label or before.policy is None or after.policy is None:
            continue
        earlier = {one.id: one for one in before.policy.thresholds}
        for threshold in after.policy.thresholds:
            known = earlier.get(threshold.id)
            if known is None or known.decision_digest == threshold.decision_digest:
                continue
            old, new = ({one.evaluation for one in part.indicators} for part in (known, threshold))
            recorded = [one for one in after.policy.evaluation_changes if one.threshold == threshold.id]
            if any(one.was in old - new or one.now in new - old for one in recorded):
                continue
            was, now = tuple(sorted(old - new)), tuple(sorted(new - old))
            found.append(Unrecorded(threshold.id, was, now, day_of(after.at), after.index))
    return tuple(found)


def _reports(log: Log) -> Iterator[Event]:
    models = {model.id: model for model in log.models}
    for one in sorted(log.governance.reports.values(), key=lambda report: report.index):
        kinds = ["report.final", f"report.{one.kind}.final"]
        kinds += ["assessment.comprehensive"] if one.kind == "capability" else []
        for kind in kinds:
            yield Event(
                kind=kind,
                at=one.at,
                subject=one.model,
                amount=_compute(models.get(one.model), one),
                source=f"entry {one.index}",
                note=f"report {one.report}",
            )


def _compute(model: Model | None, report: ReportRecord) -> float | None:
    snapshot = model.snapshot(report.snapshot) if model is not None else None
    return snapshot.effective_compute if snapshot is not None else None


def _decision(record: DecisionRecord) -> Iterator[Event]:
    document = record.document
    facts = frozenset(document.actions)
    for move in record.moves:
        if move.to == "effective":
            source = f"entry {move.index}"
            yield Event(kind="decision.effective", at=move.at, subject=record.id, facts=facts, source=source)
    if record.effective_on is not None and record.state in RUNNING_OUT:
        # It counts on its last day still; until then this lies ahead.
        over = document.expires + timedelta(days=1)
        source = f"entry {record.current.index}"
        yield Event(kind="decision.expired", at=over, subject=record.id, facts=facts, source=source)


def _reviews(governance: Governance) -> Iterator[Event]:
    for _, case in sorted(governance.cases.items()):
        for one in case.reviews:
            source, note = f"entry {one.index}", f"safety case {case.case}: {one.verdict}"
            yield Event(kind="case.reviewed", at=one.at, subject=case.model, source=source, note=note)


def _measures(log: Log) -> Iterator[Event]:
    for index, entry in log.entries:
        if entry.kind != "waiver.recorded" or index in log.governance.problems:
            continue
        act = entry.act
        assert isinstance(act, WaiverRecorded)
        yield Event(
            kind="waiver.recorded",
            at=entry.acted_at,
            subject=act.decision,
            facts=frozenset({act.kind}),
            source=f"entry {index}",
            note=f"{act.kind.replace('_', ' ')} {act.waiver}",
        )


def _noncompliance(work: Casework) -> Iterator[Event]:
    """Give what the log knows of each case: days and states. Who reported, and what, it does not know."""
    for _, case in sorted(work.cases.items()):
        facts = frozenset({"material"}) if case.is_material else frozenset()
        first = case.steps[0]
        about = {"subject": case.id, "facts": facts}
        yield Event(kind="noncompliance.opened", at=first.on, source=f"entry {first.index}", **about)
        if case.material_on is not None:
            yield Event(kind="noncompliance.material", at=case.material_on, source=f"case {case.id}", **about)
        for one in case.contents:
            if one.direction == "to_reporter" and one.copy_of is None:
                yield Event(kind="noncompliance.told", at=one.on, source=f"entry {one.index}", **about)
        for step in case.steps:
            if step.state == "closed":
                yield Event(kind="noncompliance.closed", at=step.on, source=f"entry {step.index}", **about)


def _incidents(log: Log) -> Iterator[Event]:
    for one in log.incidents:
        yield from events_of(one)

# SPDX-License-Identifier: Apache-2.0
"""What is published, collected once from files and log: the hub and every report are made from it.

What is withheld is taken out here, before anything is generated; the words themselves are handed on only so that
the last check can look for them.
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from tidegate.assess import assess
from tidegate.assess.model import Assessment
from tidegate.evidence.redaction import Withheld, redacted
from tidegate.flow.governing import edition, governing
from tidegate.flow.world import World
from tidegate.govern.argument import case_faults
from tidegate.govern.basis import Basis, Governing, seen_by
from tidegate.govern.counts import YearStatistics, publishable
from tidegate.govern.gatekeeping import Setting, standing
from tidegate.govern.governance import Governance
from tidegate.govern.keyring import Keyring
from tidegate.govern.records import ReportRecord
from tidegate.govern.reports import Report, read_report
from tidegate.kernel.canonical import digest_bytes
from tidegate.kernel.clock import day_of
from tidegate.kernel.duration import last_day
from tidegate.ledger.acts import PolicyAdopted, WaiverRecorded
from tidegate.ledger.notes import parse_vkey, verify_checkpoint
from tidegate.ledger.proofs import tlog_proof
from tidegate.obligations.model import Duty, Waiver
from tidegate.policy.diff import diff
from tidegate.policy.framework import Framework
from tidegate.policy.frameworks import find_framework, shipped_frameworks
from tidegate.policy.load import LoadedPolicy, load_pack, pack_names
from tidegate.policy.model import Policy
from tidegate.publish.content import Content, LogHead, PublishedModel, PublishedPolicy
from tidegate.publish.decision_pages import ShownDecision
from tidegate.publish.inventory import Known
from tidegate.publish.on_record import OnRecord, inventory_of
from tidegate.publish.practices import Publication
from tidegate.publish.redactions import apply
from tidegate.store.project import Project, read_policies, read_redactions, read_settings
from tidegate.store.publication import read_frameworks, read_publication

if TYPE_CHECKING:
    from tidegate.flow.obligations import Standing
    from tidegate.store.ledger import LedgerStore

SECTIONS = "hub"
CROSSWALK = "crosswalk"
FEWEST = 5
"""Counts of incidents below this are not published: they could point at somebody."""


class Collected(NamedTuple):
    """What is published, and what must not be."""

    content: Content
    secrets: frozenset[str]
    """Withheld words, which no output may hold."""
    facts: frozenset[str] = frozenset()
    """What is so of the organisation: which duties and fields it has."""


@dataclass(frozen=True)
class _Log:
    """What the log adds."""

    head: LogHead | None = None
    decisions: tuple[ShownDecision, ...] = ()
    reports: tuple[tuple[ReportRecord, Report], ...] = ()
    governance: Governance = field(default=Governance(Keyring()))
    adopted: Mapping[str, tuple[int, date]] = field(default_factory=dict)
    """Digest of a policy -> entry and day of its first adoption."""
    noncompliance: YearStatistics | None = None
    incidents: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    further: tuple[Known, ...] = ()
    proofs: Mapping[str, str] = field(default_factory=dict)


def collect(world: World, at: date | None = None) -> Collected:
    """Give everything that the project publishes, as of a day (today, if none), with what is withheld taken out.

    Raises:
        TidegateError: the project, its publication files or its log are not in order.
    """
    from tidegate.flow.obligations import standing as duties_of  # noqa: PLC0415 - reads the log as well

    day = at or world.today
    project = world.project()
    raw = read_publication(project.root)
    published = apply(raw)
    found = _governing(world, project, at)
    made = assess(found.basis.policy, found.basis.evidence, found.basis.models, day, governed=found.governed)
    log = _read_log(world, project, found, raw, day)
    owed = duties_of(world, None if at is None else f"{at.isoformat()}T23:59:59Z")
    public = tuple(one for one in owed.duties if one.rule.is_published)
    own = read_frameworks(project.root)
    known = {**shipped_frameworks(), **{one.id: one for one in own}}
    adopted = log.adopted.get(found.basis.policy.digest)
    evidence = found.basis.evidence
    withdrawn = frozenset(one.supersedes for one in evidence.restatements if one.on is None or last_day(one.on) <= day)
    on_record = OnRecord(
        policy=found.basis.policy,
        at=day,
        policy_entry=adopted[0] if adopted else None,
        evidence=evidence.records,
        models=found.basis.models,
        withdrawn=withdrawn,
        logged=log.head is not None and not found.doubts,
        assessments=made.models,
        decisions=log.decisions,
        reports=[record for record, _ in log.reports],
        cases=tuple(log.governance.cases.values()),
        duties=public,
        further=log.further,
    )
    content = Content(
        organisation=project.record.organisation,
        at=day,
        policy=found.basis.policy,
        publication=_without_drafts(published.publication),
        sections=find_framework(SECTIONS, own),
        crosswalk=find_framework(CROSSWALK, own),
        frameworks=_versions(known, own, project),
        commitments=project.record.commitments,
        inventory=inventory_of(on_record),
        evidence={one.id: one for one in evidence.records if one.known_on is None or one.known_on <= day},
        withdrawn=withdrawn,
        models=_models(made, found, log, published.publication),
        policies=_policies(project, log.adopted, found.basis.policy),
        duties=public,
        hidden_duties=sum(map(_is_hidden, owed.duties)),
        waivers=_waivers(owed),
        measures=_measures(log.decisions),
        noncompliance=log.noncompliance,
        incidents=log.incidents,
        withheld_words=published.withheld,
        withheld_evidence=_withheld(project),
        head=log.head,
        proofs=log.proofs,
        website=project.record.website,
        contact=project.record.contact,
        doubts=found.doubts,
    )
    return Collected(content, published.secrets | _withheld_values(project), owed.setting.facts)


def _is_hidden(one: Duty) -> bool:
    """Tell whether a duty applies, is not public, and may be counted: not if its number would tell of an incident."""
    applies = one.state not in ("not_started", "not_applicable")
    return applies and not one.rule.is_public and not one.rule.is_confidential


def _governing(world: World, project: Project, at: date | None) -> Governing:
    if project.record.ledger is not None:
        return governing(world, project, as_of=at)
    return Governing(Basis(project.policy.policy, project.models, edition(project.root, project.evidence)), None)


def _without_drafts(publication: Publication) -> Publication:
    kept = tuple(one for one in publication.practices if not one.is_draft)
    return publication.model_copy(update={"practices": kept})


def _versions(known: Mapping[str, Framework], own: tuple[Framework, ...], project: Project) -> dict[str, Framework]:
    """Give every framework, in the version that the organisation names where it names one."""
    named = {
        one.framework: find_framework(f"{one.framework}@{one.version}", own)
        for one in project.record.commitments
        if one.version is not None
    }
    return {**known, **named}


# --- models and policies ------------------------------------------------------------------------------


def _models(made: Assessment, found: Governing, log: _Log, publication: Publication) -> tuple[PublishedModel, ...]:
    pages = {one.model: one for one in publication.pages}
    assessed = {one.model: one for one in made.models}
    models = [
        PublishedModel(
            model=model,
            assessment=assessed[model.id],
            page=pages.get(model.id),
            decisions=tuple(one for one in reversed(log.decisions) if one.record.document.model == model.id),
            reports=tuple(one for one in reversed(log.reports) if one[0].model == model.id),
            cases=tuple(one for one in log.governance.cases.values() if one.model == model.id),
        )
        for model in found.basis.models
    ]
    by_day = sorted(models, key=lambda one: one.model.id)
    return tuple(
        sorted(by_day, key=lambda one: last_day(one.model.released) if one.model.released else date.min, reverse=True)
    )


def _policies(project: Project, adopted: Mapping[str, tuple[int, date]], policy: Policy) -> tuple[PublishedPolicy, ...]:
    """Give the versions of the policy up to that of the day, newest first, each compared with the one before."""
    current = project.policy
    named = policy.id
    packs = (load_pack(name) for name in pack_names())
    versions: dict[str, LoadedPolicy] = {current.policy.version: current} if current.policy.id == named else {}
    for loaded in (*read_policies(project.root), *packs):
        if loaded.policy.id == named:
            versions.setdefault(loaded.policy.version, loaded)
    # A version that takes effect later than the one of the day is nobody's policy yet.
    known = [one for one in versions.values() if _since(one) <= (policy.effective or date.min)]
    known.sort(key=_since)
    found: list[PublishedPolicy] = []
    for number, loaded in enumerate(known):
        entry = adopted.get(loaded.policy.digest)
        change = diff(known[number - 1], loaded) if number else None
        found.append(PublishedPolicy(loaded, entry[1] if entry else None, change))
    return tuple(reversed(found))


def _since(loaded: LoadedPolicy) -> date:
    return loaded.policy.effective or date.min


def _waivers(owed: "Standing") -> tuple[Waiver, ...]:
    """Give the waivers that are public, of duties that are."""
    published = {one.id for one in owed.rules if one.is_published}
    return tuple(one for one in owed.setting.waivers if one.is_public and one.rule in published)


def _measures(decisions: tuple[ShownDecision, ...]) -> tuple[WaiverRecorded, ...]:
    return tuple(one for shown in decisions if shown.counts for one in shown.record.waivers if one.is_public)


# --- what is withheld ---------------------------------------------------------------------------------


def _withheld(project: Project) -> tuple[Withheld, ...]:
    return redacted(project.evidence, read_redactions(project.root))[1]


def _withheld_values(project: Project) -> frozenset[str]:
    records = {one.id: one.model_dump(mode="json") for one in project.evidence.records}
    found: set[str] = set()
    for one in read_redactions(project.root):
        value: object = records.get(one.record)
        for part in one.field.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, str):
            found.add(value)
    return frozenset(found)


# --- the log ------------------------------------------------------------------------------------------


def _read_log(world: World, project: Project, found: Governing, raw: Publication, at: date) -> _Log:
    if found.read is None or found.governed is None or project.record.ledger is None:
        return _Log()
    read = found.read
    with closing(world.ledger()) as store:
        faults = case_faults(found.basis, read, store.documents_get, at)
        setting = Setting(read, found.basis.policy, seen_by(found.basis), at, faults)
        doubts = found.governed.doubts
        decisions = tuple(
            ShownDecision(one, (*doubts, *standing(one, setting)), one.missing(read.holders))
            for one in read.decisions.values()
        )
        reports = tuple(
            (one, read_report(store.document(one.document)))
            for one in sorted(read.reports.values(), key=lambda report: report.index)
        )
        head = _head(world, project)
        statistics, incidents = _noncompliance(world, at), _incidents(world, store, at)
        return _Log(
            head=head,
            decisions=decisions,
            reports=reports,
            governance=read,
            adopted=_adopted(store, at),
            noncompliance=statistics,
            incidents=incidents,
            further=(*_further(store, raw, at), *_counts(statistics, incidents)),
            proofs=dict(_proofs(store, read, head)),
        )


def _head(world: World, project: Project) -> LogHead | None:
    from tidegate.flow.logs import checkpoint_note  # noqa: PLC0415

    settings = project.record.ledger
    note = checkpoint_note(world)
    if settings is None or note is None:
        return None
    lines = note.split("\n")
    size = verify_checkpoint(note, parse_vkey(settings.log_key)).checkpoint.size
    return LogHead(settings.origin, size, lines[2], note)


def _adopted(store: "LedgerStore", at: date) -> dict[str, tuple[int, date]]:
    found: dict[str, tuple[int, date]] = {}
    for one in store.entries(kinds=frozenset({"policy.adopted"})):
        act = one.entry.act
        on = day_of(one.entry.acted_at)
        if isinstance(act, PolicyAdopted) and on <= at:
            found.setdefault(act.policy_digest, (one.index, on))
    return found


def _noncompliance(world: World, at: date) -> YearStatistics | None:
    """Give the counts of the last year that has ended, if a report had come in by its end."""
    from tidegate.flow.casework import casework_of  # noqa: PLC0415

    work = casework_of(world)
    if not any(case.opened.year < at.year for case in work.cases.values()):
        return None
    return publishable(work, at.year - 1, at)


def _incidents(world: World, store: "LedgerStore", at: date) -> dict[str, dict[str, int]]:
    """Give how many incidents qualified under each law, year by year; small numbers stay out."""
    from tidegate.flow.incidents import incidents_in, qualifying  # noqa: PLC0415

    counted: dict[str, dict[str, int]] = {}
    for incident in incidents_in(store, read_settings(world.root).people):
        opened = day_of(incident.opened_at)
        if opened > at or opened.year >= at.year:
            continue
        for law in qualifying(incident):
            year = counted.setdefault(str(opened.year), {})
            year[law] = year.get(law, 0) + 1
    return {year: {law: n for law, n in laws.items() if n >= FEWEST} for year, laws in counted.items()}


def _further(store: "LedgerStore", raw: Publication, at: date) -> Iterator[Known]:
    """Give the entries and documents that statements cite by number or digest."""
    for ref in sorted(_cited(raw)):
        kind, _, name = ref.partition(":")
        if kind == "entry" and name.isdecimal() and int(name) < store.size:
            one = store.find(int(name))
            if day_of(one.entry.acted_at) <= at:
                yield Known(
                    ref, f"{one.entry.kind}, entry {name}", "attested", day_of(one.entry.acted_at), entry=int(name)
                )
        elif kind == "document":
            data = store.documents_get(name)
            if data is not None and digest_bytes(data) == name:
                yield Known(ref, "Document of the log", "attested")


def _counts(statistics: YearStatistics | None, incidents: Mapping[str, Mapping[str, int]]) -> Iterator[Known]:
    """Give the counts that are published, so that statements can cite them."""
    if statistics is not None:
        year = statistics.year
        yield Known(
            f"noncompliance:{year}", f"Reports of noncompliance, {year}", "attested", date(year, 12, 31),
            artifact="noncompliance_case",
        )  # fmt: skip
    for name in incidents:
        yield Known(f"incidents:{name}", f"Incidents, {name}", "attested", date(int(name), 12, 31), artifact="incident")


def _cited(raw: Publication) -> set[str]:
    """Give every reference of the publication."""
    found: set[str] = set()
    for practice in raw.practices:
        found |= {*practice.evidence, *(ref for one in practice.statements for ref in one.evidence)}
    for answer in raw.answers:
        found |= set(answer.evidence)
    for page in raw.pages:
        for value in page.model_dump().values():
            if isinstance(value, tuple | list):
                found |= {ref for one in value if isinstance(one, dict) for ref in one.get("evidence", ())}
    return found


def _proofs(store: "LedgerStore", read: Governance, head: LogHead | None) -> Iterator[tuple[str, str]]:
    """Give the inclusion proof of everything that people signed, under the newest checkpoint."""
    if head is None:
        return
    entries: dict[str, int] = {f"report:{one.report}": one.index for one in read.reports.values()}
    entries |= {f"case:{one.case}": one.index for one in read.cases.values()}
    for one in read.decisions.values():
        entries[f"decision:{one.id}"] = one.current.index
        entries |= {f"decision:{one.id}/{signed.person}/{signed.role}": signed.index for signed in one.in_force}
    for ref, index in sorted(entries.items()):
        if index < head.size:
            yield ref, tlog_proof(index, store.inclusion_proof(index, head.size), head.note)

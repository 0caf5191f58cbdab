# SPDX-License-Identifier: Apache-2.0
"""The inventory of a project: every record that a statement may cite, with what it is worth and where it is shown."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from tidegate.assess.model import ModelAssessment
from tidegate.evidence.model import CAPABILITY_KINDS, Evidence
from tidegate.evidence.models import Model
from tidegate.govern.records import CaseRecord, ReportRecord
from tidegate.kernel.clock import day_of
from tidegate.kernel.duration import last_day
from tidegate.obligations.model import Duty
from tidegate.policy.model import Policy, Requirement
from tidegate.publish.decision_pages import ShownDecision
from tidegate.publish.inventory import Inventory, Known, RecordWorth

ARTIFACT_OF: Mapping[str, str] = {
    "red_team": "evaluation",
    "control_check": "security_control",
    "efficacy": "safeguard",
    "audit": "audit",
}
"""Kind of evidence -> kind of record in the words of the crosswalk; evaluations aside."""


@dataclass(frozen=True)
class OnRecord:
    """What a project has, before it is listed."""

    policy: Policy
    at: date
    policy_entry: int | None = None
    """Entry of the log that adopted the policy."""
    evidence: Iterable[Evidence] = ()
    logged: bool = False
    """True if the project keeps a log, which the files agree with."""
    assessments: Iterable[ModelAssessment] = ()
    decisions: Iterable[ShownDecision] = ()
    reports: Iterable[ReportRecord] = ()
    cases: Iterable[CaseRecord] = ()
    duties: Iterable[Duty] = ()
    further: Iterable[Known] = ()
    """Published counts, entries and documents that statements cite."""
    hrefs: Mapping[str, str] = field(default_factory=dict)
    """Reference -> page of the site."""
    models: Iterable[Model] = ()
    """Models, for the names that records call them by."""
    withdrawn: Collection[str] = ()
    """Ids of evidence that was restated or retracted."""


def inventory_of(found: OnRecord) -> Inventory:
    """Give every record by its reference."""
    listed = (*_policy(found), *_evidence(found), *_models(found), *_acts(found), *_duties(found), *found.further)
    names = {name: one.id for one in found.models for name in one.names}
    made = (
        one._replace(
            href=one.href or found.hrefs.get(one.ref),
            model=names.get(one.model.casefold(), one.model) if one.model else None,
        )
        for one in listed
    )
    return Inventory({one.ref: one for one in made}, names)


def _policy(found: OnRecord) -> Iterator[Known]:
    policy = found.policy
    worth = _worth(found, found.policy_entry is not None)
    base = Known(
        f"policy:{policy.label}", policy.title, worth, policy.effective, policy.ended, entry=found.policy_entry
    )
    yield base
    yield base._replace(ref="policy:adopted")
    for artifact, part in _parts(policy):
        yield base._replace(ref=f"policy:{policy.label}#{part}", title=f"{policy.title}: {part}", artifact=artifact)


def _parts(policy: Policy) -> Iterator[tuple[str, str]]:
    """Give what a policy holds, as (kind of record, part of the policy)."""
    requirements: list[Requirement] = [
        *policy.baseline,
        *(one for item in policy.thresholds for one in item.requirements),
    ]
    held = {
        ("policy.threshold", "thresholds"): policy.thresholds,
        ("threat_model", "threat-models"): policy.threat_models,
        ("policy.trigger", "triggers"): policy.triggers,
        ("policy.alert", "alerts"): [one for item in policy.thresholds for one in item.alerts],
        ("policy.halt", "halts"): [one for one in requirements if one.kind == "halt"],
        ("policy.change", "changelog"): policy.changelog,
        ("role", "roles"): policy.roles,
        ("decision.rule", "rules"): [one for item in policy.thresholds for one in item.indicators if one.falsifier],
    }
    return (name for name, items in held.items() if items)


def _evidence(found: OnRecord) -> Iterator[Known]:
    for one in found.evidence:
        measured = one.measurement
        title = (measured.evaluation if measured else None) or one.kind.replace("_", " ")
        artifact = "evaluation" if one.kind in CAPABILITY_KINDS else ARTIFACT_OF.get(one.kind)
        worth = _worth(found, one.quality == "recomputable")
        about = None if one.subject.model == "*" else one.subject.model
        yield Known(
            f"evidence:{one.id}", title, worth, _day(one, found.at), _until(one, found), artifact=artifact, model=about
        )


def _worth(found: OnRecord, can_be_checked: bool) -> RecordWorth:
    """Nothing can be checked against a log that is in doubt, or that there is not."""
    return "verified" if found.logged and can_be_checked else "attested"


def _day(one: Evidence, at: date) -> date | None:
    """Give the day of evidence; that on which it became known, if that is still to come."""
    if one.known_on is not None and one.known_on > at:
        return one.known_on
    for text in (one.finished, one.published, one.recorded):
        if text:
            return last_day(text)
    return None


def _until(one: Evidence, found: OnRecord) -> date | None:
    """Give the last day on which evidence counts: its own, that before an event ended it, or one that has passed."""
    day_before = timedelta(days=1)
    ends = [one.valid_until, one.ended_by_event - day_before if one.ended_by_event else None]
    ends += [found.at - day_before] if one.id in found.withdrawn else []
    return min((end for end in ends if end is not None), default=None)


def _models(found: OnRecord) -> Iterator[Known]:
    for one in found.assessments:
        yield Known(f"model:{one.model}", one.name, "attested", model=one.model)
        if all(finding.finding == "not_assessed" for finding in one.thresholds):
            # Nobody has assessed anything, so that there is nothing to cite.
            continue
        title = f"Assessment of {one.name}"
        yield Known(f"assessment:{one.model}", title, _worth(found, True), found.at, model=one.model)


def _acts(found: OnRecord) -> Iterator[Known]:
    for shown in found.decisions:
        record = shown.record
        on = record.effective_on or day_of(record.current.at)
        # What stands against a decision makes it count no more, whatever its own end.
        until = record.document.expires if shown.counts else min(found.at, on)
        until = until if shown.counts or until < found.at else date.fromordinal(found.at.toordinal() - 1)
        yield Known(
            f"decision:{record.id}",
            record.document.question,
            _worth(found, shown.counts),
            on,
            until,
            entry=record.current.index,
            artifact="decision",
            model=record.document.model,
        )
    for report in found.reports:
        yield Known(
            f"report:{report.report}",
            f"{report.kind.title()} report of {report.model}",
            _worth(found, True),
            day_of(report.at),
            entry=report.index,
            artifact=f"{report.kind}_report",
            model=report.model,
        )
    for case in found.cases:
        yield Known(
            f"case:{case.case}",
            f"Safety case {case.case}",
            _worth(found, _is_agreed(case)),
            day_of(case.at),
            entry=case.index,
            artifact="safety_case",
            model=case.model,
        )


def _is_agreed(case: CaseRecord) -> bool:
    """Tell whether somebody else than its authors agreed to a safety case, and nobody disagrees."""
    verdicts = {review.by: review.verdict for review in case.reviews if review.by not in case.authors}
    return bool(verdicts) and all(verdict == "agrees" for verdict in verdicts.values())


def _duties(found: OnRecord) -> Iterator[Known]:
    """Give what was done, as its event shows it; the newest of each rule also by the rule's name.

    What was done counts until it is due again: a review that is late shows nothing any more.
    """
    duties = tuple(found.duties)
    again: dict[tuple[str, str | None], date] = {}
    for duty in duties:
        if duty.done is None and duty.due_on is not None:
            key = (duty.rule.id, duty.subject)
            again[key] = min(again.get(key, duty.due_on), duty.due_on)
    newest: dict[str, Known] = {}
    for duty in duties:
        if duty.done is None:
            continue
        on = duty.done.at if isinstance(duty.done.at, date) else day_of(duty.done.at)
        until = again.get((duty.rule.id, duty.subject))
        known = Known(f"duty:{duty.id}", duty.rule.title, "attested", on, until)
        yield known
        before = newest.get(duty.rule.id)
        if before is None or (before.on or date.min) <= on:
            newest[duty.rule.id] = known._replace(ref=f"rule:{duty.rule.id}")
    yield from newest.values()

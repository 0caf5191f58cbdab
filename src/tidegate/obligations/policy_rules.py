# SPDX-License-Identifier: Apache-2.0
"""The policy's own dates as rules: its triggers, and every promise that has a cadence or a deadline.

A rule is called ``policy/<item>``. What a policy says in free text becomes the name of an event that people record;
what Tidegate itself puts on record (reports, snapshots, deployments) is recognised by its words.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

from tidegate.kernel.duration import approximate_days
from tidegate.obligations.calendars import span
from tidegate.obligations.model import Clock, Length, Rule
from tidegate.policy.model import Approval, Commitment, Deadline, Policy, Trigger, TriggerEvent

_PARTS = re.compile(r"([0-9]+)([YMWD])")
_WORDS = re.compile(r"[^a-z0-9]+")
ASSESSED, RISK_REPORT = "assessment.comprehensive", "report.risk.published"
_KNOWN: tuple[tuple[str, str], ...] = (
    (r"risk.?report", RISK_REPORT),
    (r"safeguards.?report", "report.safeguards.final"),
    (r"comprehensive(ly)?.?assess|last.assess|capability.?report", ASSESSED),
    (r"external.?review", "review.external"),
    (r"procedural", "review.external"),
    (r"policy.?review|framework.?review|last.review|yearly.review", "framework.reviewed"),
    (r"(^|\s)release$", "model.released"),
)
"""Words -> the event that they mean."""
_DONE: tuple[tuple[str, str], ...] = (
    *_KNOWN,
    (r"^(an? |the )?([a-z]+ )*assessment$", ASSESSED),
)
_EVENTS: dict[str, str] = {
    "effective_compute": "snapshot.made",
    "snapshot": "snapshot.made",
    "deployment_change": "deployment.started",
    "new_affordance": "affordance.added",
    "incident": "incident.discovered",
    "policy_change": "policy.changed",
}
_OF_ALL = frozenset({RISK_REPORT, "review.external", "framework.reviewed"})
"""What is done for the organisation as a whole, whatever model set it off."""
_VAGUE = frozenset({"trigger", "request", "determination", "event", "decision"})
"""Words that name no event by themselves."""


def rules_of_policy(policy: Policy, since: Mapping[str, date] = MappingProxyType({})) -> tuple[Rule, ...]:
    """Give the rules that follow from a policy's triggers, cadences and deadlines, in the order of its items.

    What starts an interval has to be on record: where it is not, the duty is unclear.

    Args:
        policy: the policy.
        since: item -> day on which the first version that holds it took effect. A promise that recurs counts from
            there: a new version neither forgets a date that was missed nor asks for what was promised only later.
    """
    made: list[Rule] = []
    reading = _Reading(policy, since)
    for _, item in policy.located_items():
        if isinstance(item, Trigger):
            made += reading.of_trigger(item)
        elif isinstance(item, Commitment) and (item.cadence is not None or item.deadline is not None):
            made += reading.of_commitment(item)
    return tuple(made)


def length(duration: str) -> Length:
    """Give a policy's duration as a length of a rule.

    Months with further days are cut to the months, which is the earlier date.
    """
    found = {unit: int(count) for count, unit in _PARTS.findall(duration)}
    months = found.get("Y", 0) * 12 + found.get("M", 0)
    if months:
        return _count(months // 12, "year") if months % 12 == 0 and "Y" in found else _count(months, "month")
    days = found.get("W", 0) * 7 + found.get("D", 0)
    return _count(days // 7, "week") if days % 7 == 0 and "D" not in found else _count(days, "day")


def _count(number: int, unit: str) -> Length:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _named(text: str, known: tuple[tuple[str, str], ...]) -> str | None:
    folded = text.replace("_", " ").casefold()
    return next((kind for pattern, kind in known if re.search(pattern, folded)), None)


def _slug(text: str) -> str:
    words = _WORDS.sub("-", text.casefold()).strip("-")
    return re.sub(r"^(a|an|the)-", "", words)[:80] or "event"


class _Reading:
    """A policy, read for its dates."""

    def __init__(self, policy: Policy, since: Mapping[str, date]) -> None:
        self.policy = policy
        self.since = since
        promises = [item for _, item in policy.located_items() if isinstance(item, Commitment)]
        dated = [(item, item.deadline) for item in promises if item.deadline is not None]
        self.deadlines = [(item, deadline) for item, deadline in dated if not isinstance(item, Trigger)]
        covers = [deadline for _, deadline in self.deadlines if _is_coverage(deadline)]
        self.coverage = length(covers[0].within) if covers else None

    # --- triggers ----------------------------------------------------------------------------------

    def of_trigger(self, trigger: Trigger) -> Iterator[Rule]:
        """Give a rule for each event of a trigger, or one for all where all have to happen."""
        if trigger.when == "all" and len(trigger.events) > 1:
            within, soft = self._time_to_act(trigger)
            clocks = [self._clock(trigger, event, within) for event in trigger.events]
            yield self._rule(trigger, trigger.id, {"clocks": clocks, "when": "all", "restart": "latest"}, soft=soft)
            return
        main = next((one for one in trigger.events if one.on == "elapsed_time"), trigger.events[0])
        for event in trigger.events:
            name = trigger.id if event is main else f"{trigger.id}.{event.on}"
            yield self._of_event(trigger, event, name)

    def _of_event(self, trigger: Trigger, event: TriggerEvent, name: str) -> Rule:
        done = self._met_by(trigger)
        if event.on == "elapsed_time":
            return self._interval(trigger, event, name)
        within, soft = self._time_to_act(trigger)
        fields: dict[str, Any] = {
            "clocks": [self._clock(trigger, event, within)],
            "restart": "once_met",
            "done_by": done,
            "per": "organisation" if _OF_ALL.issuperset(done) else "subject",
            # "Before the first deployment": what is there already counts.
            "may_be_early": event.on == "deployment_change" and " before " in trigger.text,
            "expects_start": event.on == "effective_compute" and self._since(event) == ASSESSED,
        }
        return self._rule(trigger, name, fields, soft=soft)

    def _interval(self, trigger: Trigger, event: TriggerEvent, name: str) -> Rule:
        """Give the rule of a trigger that time sets off."""
        assert event.every is not None
        start = _named(event.since or trigger.starts, _KNOWN) or _slug(event.since or trigger.starts)
        every, soon = event.every, None
        deadline = trigger.deadline
        if deadline is not None and approximate_days(deadline.within) > approximate_days(event.every):
            # "Every three to six months": from three on it is soon, at six it is due.
            every, soon = deadline.within, _between(event.every, deadline.within)
        fields: dict[str, Any] = {
            "clocks": [Clock(on=start)],
            "every": length(every),
            "per": "organisation",
            "restart": "first",
            "done_by": tuple(dict.fromkeys((start, *self._met_by(trigger)))),
            "expects_start": True,
        }
        return self._rule(trigger, name, fields | ({"soon": soon} if soon else {}), soft=trigger.soft)

    def _clock(self, trigger: Trigger, event: TriggerEvent, within: Length) -> Clock:
        if event.on == "elapsed_time":
            assert event.every is not None
            start = _named(event.since or trigger.starts, _KNOWN) or _slug(event.since or trigger.starts)
            return Clock(on=start, within=length(event.every))
        if event.on == "effective_compute":
            return Clock(on="snapshot.made", within=within, ratio=event.ratio, since=self._since(event))
        if event.on == "discretion":
            return Clock(on=f"asked:{trigger.id}", within=within)
        said = (event.since or "").casefold()
        if not said or said.startswith("last "):  # since when, not which event
            return Clock(on=_EVENTS[event.on], within=within)
        return Clock(on=_named(said, _KNOWN[-1:]) or _slug(said), within=within)

    def _since(self, event: TriggerEvent) -> str:
        return _named(event.since or "last assessment", _KNOWN) or _slug(event.since or "")

    def _met_by(self, trigger: Trigger) -> tuple[str, ...]:
        kind = _named(trigger.starts, _DONE)
        return (kind,) if kind else (f"{_slug(trigger.starts)}.done",)

    def _time_to_act(self, trigger: Trigger) -> tuple[Length, bool]:
        """Give how long there is after a trigger, and whether missing it is no breach.

        Another item may say it of the trigger. Where nothing does, it is due on the day.
        """
        if trigger.deadline is not None:
            return length(trigger.deadline.within), trigger.soft or trigger.deadline.soft
        found = self._deadline_of(trigger)
        if found is not None:
            return length(found.within), trigger.soft or found.soft
        return "0 days", trigger.soft

    def _deadline_of(self, trigger: Trigger) -> Deadline | None:
        wanted = trigger.starts.replace("_", " ").casefold()
        for _, deadline in self.deadlines:
            said = deadline.starts.casefold()
            if "trigger" in said and wanted in said:
                return deadline
        return None

    # --- other promises ----------------------------------------------------------------------------

    def of_commitment(self, item: Commitment) -> Iterator[Rule]:
        """Give the rule of a promise with a deadline, and that of one with a cadence."""
        deadline = item.deadline
        if deadline is not None and not _is_coverage(deadline) and not self._is_of_a_trigger(deadline):
            clock = Clock(on=self._start(item, deadline), within=length(deadline.within))
            name = item.id if item.cadence is None else f"{item.id}.deadline"
            yield self._rule(item, name, {"clocks": [clock]}, soft=deadline.soft)
        if item.cadence is not None:
            yield self._cadence(item, item.cadence)

    def _is_of_a_trigger(self, deadline: Deadline) -> bool:
        return any(self._deadline_of(trigger) is deadline for trigger in self.policy.triggers)

    def _start(self, item: Commitment, deadline: Deadline) -> str:
        slug = _slug(deadline.starts)
        return _named(deadline.starts, _KNOWN) or (f"{_slug(item.id)}.{slug}" if slug in _VAGUE else slug)

    def _cadence(self, item: Commitment, cadence: str) -> Rule:
        """Give the rule of what recurs: from the last report of its kind, or from the day the policy took effect."""
        said = item.act if isinstance(item, Approval) else item.title or item.id
        kind = _named(said, _KNOWN)
        is_report = kind is not None and kind.startswith("report.")
        start = kind if kind is not None and is_report else "policy.effective"
        fields: dict[str, Any] = {
            "clocks": [Clock(on=start)],
            "every": length(cadence),
            "restart": "first",
            "done_by": (kind,) if kind else (),
            "per": "subject" if kind == "report.safeguards.final" else "organisation",
            # No model may need safeguards yet; every other rhythm runs from the first day.
            "expects_start": kind != "report.safeguards.final",
            "ends_on": ("model.withdrawn",) if kind == "report.safeguards.final" else (),
            "in_force_from": self.since.get(item.id) if start == "policy.effective" else None,
        }
        return self._rule(item, item.id, fields)

    def _rule(self, item: Commitment, name: str, fields: dict[str, Any], *, soft: bool = False) -> Rule:
        done = fields.get("done_by", ())
        covers = self.coverage if RISK_REPORT in done else None
        return Rule(
            id=f"policy/{name.replace('+', '-')}",
            title=item.title or item.id,
            text=item.text,
            kind="policy",
            source=f"{self.policy.label}#{item.id}",
            to=", ".join(one.replace("_", " ") for one in item.disclosure) or None,
            owner=", ".join(item.actor) or None,
            soft=soft or not item.binds,
            coverage_at_most=covers,
            in_force_until=self.policy.ended,
            **fields,
        )


def _is_coverage(deadline: Deadline) -> bool:
    return "coverage" in deadline.starts.casefold()


def _between(shorter: str, longer: str) -> Length | None:
    one, other = span(length(shorter)), span(length(longer))
    if one.unit != other.unit or one.unit == "hours":
        return None
    return _count(other.count - one.count, "month" if one.unit == "months" else "day")

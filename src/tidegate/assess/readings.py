# SPDX-License-Identifier: Apache-2.0
"""One record read against one rule.

A record can be set aside from supporting a rule-out, never from speaking against one:
a capability that was shown with too little elicitation, or long ago, was shown all the same.
That one asymmetry makes the gate monotone.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from tidegate.assess.bounds import Bounds, Question, bounds, finite, in_unit
from tidegate.assess.model import SET_ASIDE_WORDS, Flag, Reading, SetAside
from tidegate.evidence.model import Evidence, ThreatAnswer
from tidegate.evidence.models import Model, Snapshot
from tidegate.kernel.duration import add
from tidegate.policy.model import QUALITY_ORDER, Indicator, Line, Policy


@dataclass(frozen=True)
class Asked:
    """A rule, and about what it is asked."""

    indicator: Indicator
    policy: Policy
    threshold: str
    has_falsifier: bool
    model: Model
    snapshot: Snapshot | None
    at: date
    unit: str
    decision_digest: str = ""
    """Digest of the threshold's decision rules, which a lock has to pin."""
    printed: bool = False
    """True if the rule was printed with the result instead of standing in the policy."""
    superseded: Mapping[str, bool] | None = None
    """Record -> whether its restatement was approved, for records that are still in the set."""

    @cached_property
    def question(self) -> Question:
        """What the rule asks of a figure."""
        rule = self.indicator.rule
        return Question(
            unit=self.unit,
            confidence=rule.confidence or 0.95,
            higher_concerns=rule.rule_out.higher_concerns,
            worst_case=rule.error_policy == "worst_case",
            reach=rule.reach.value if rule.reach else None,
        )


Objection = tuple[SetAside, str]


def read(record: Evidence, asked: Asked) -> Reading:
    """Give what a record says about a rule."""
    rule = asked.indicator.rule
    measured = record.measurement
    found = bounds(measured, record.counts, asked.question) if measured is not None else None
    if found is None:
        reason: SetAside = "no_value" if measured is None or measured.value is None else "unit_mismatch"
        return Reading(evidence=record.id, value=None, set_aside=(reason,), detail=(SET_ASIDE_WORDS[reason],))
    sign = 1.0 if rule.rule_out.higher_concerns else -1.0
    value = found.value + sign * rule.margin
    concerning = None if found.concerning is None else found.concerning + sign * rule.margin
    bare = None if found.worst is None else found.worst + sign * rule.margin
    decisive = bare if rule.confidence is None else concerning
    objections = tuple(_objections(record, asked, found))
    below = decisive is not None and not rule.rule_out.is_crossed_by(decisive)
    seen = value if found.seen is None else found.seen + sign * rule.margin
    crosses = rule.rule_out.is_crossed_by(value) or rule.rule_out.is_crossed_by(seen)
    distance = sign * (rule.rule_out.value - value)
    return Reading(
        evidence=record.id,
        value=finite(value),
        bound=None if concerning is None else finite(concerning),
        lower_bound=found.safe,
        basis=found.basis if rule.confidence is not None else f"bare figure ({found.basis})",
        crosses=crosses,
        shows=_shows(rule.reach, rule.confidence, found),
        p_reach=found.p_beyond,
        supports=below and not crosses and not objections,
        distance=finite(distance),
        distance_se=finite(distance / found.standard_error) if found.standard_error else None,
        set_aside=tuple(dict.fromkeys(name for name, _ in objections)),
        detail=tuple(words for _, words in objections),
        flags=tuple(dict.fromkeys(_flags(record, asked, found))),
    )


def _shows(reach: Line | None, confidence: float | None, found: Bounds) -> bool:
    if reach is None:
        return False
    shown = found.value if confidence is None else found.safe
    return shown is not None and reach.is_crossed_by(shown)


# --- why a record cannot support a rule-out ----------------------------------------------------------


def _objections(record: Evidence, asked: Asked, found: Bounds) -> Iterator[Objection]:
    for check in _CHECKS:
        yield from check(record, asked, found)


def _check_bound(record: Evidence, asked: Asked, found: Bounds) -> Iterator[Objection]:
    if asked.indicator.rule.confidence is None:
        if found.worst is None:
            yield "no_bound", "samples lack a score, and their worst case is unknown"
    elif found.concerning is None and found.basis.startswith("none: "):
        yield "no_bound", found.basis.removeprefix("none: ")
    elif found.concerning is None and found.safe is not None:
        yield "no_bound", f"{found.basis}: how far the truth may lie beyond the figure is unknown"
    elif found.concerning is None:
        missing = (
            "no interval and no count of successes"
            if record.measurement and record.measurement.n
            else "no interval and no n"
        )
        yield "no_bound", f"{missing}: how far the truth may lie beyond the figure is unknown"


def _check_size(record: Evidence, asked: Asked, _found: Bounds) -> Iterator[Objection]:
    wanted = asked.indicator.minimum_n
    n = record.measurement.n if record.measurement else None
    if wanted is not None and n is None:
        yield "no_n", f"n is not given; the rule asks for at least {wanted}"
    elif wanted is not None and n is not None and n < wanted:
        yield "small_n", f"n = {n}; the rule asks for at least {wanted}"


def _check_age(record: Evidence, asked: Asked, _found: Bounds) -> Iterator[Objection]:
    limit = asked.indicator.max_age
    day = record.earliest_day
    if day is not None and day > asked.at:
        yield "undated", f"dated {day.isoformat()}, after the day asked about"
    if limit is not None:
        if record.result_day is None or day is None:
            yield "undated", f"nothing dates it; the rule allows {limit}"
        elif add(day, limit) < asked.at:
            yield "stale", f"result of {day.isoformat()}; the rule allows {limit}"
    if record.valid_until is not None and record.valid_until < asked.at:
        yield "expired", f"valid until {record.valid_until.isoformat()}"
    if record.ended_by_event is not None and record.ended_by_event <= asked.at:
        yield "expired", f"ended by {record.valid_until_event or 'an event'} on {record.ended_by_event.isoformat()}"


def _check_snapshot(record: Evidence, asked: Asked, _found: Bounds) -> Iterator[Objection]:
    measured_on, assessed = record.subject.snapshot, asked.snapshot
    if record.subject.variant == "earlier_snapshot":
        yield "older_snapshot", "measured on an earlier snapshot"
    elif asked.indicator.same_snapshot and (assessed is None or measured_on != assessed.id):
        yield (
            "older_snapshot",
            f"measured on {measured_on or 'a snapshot that is not stated'}; the rule asks for the assessed one",
        )
    elif measured_on is not None and assessed is not None and measured_on not in (assessed.id, *assessed.equivalent_to):
        yield "older_snapshot", f"measured on {measured_on}; {assessed.id} is assessed"
    ratio = asked.indicator.max_compute_ratio
    if ratio is not None:
        yield from _check_compute(record, asked, ratio)


def _check_compute(record: Evidence, asked: Asked, ratio: float) -> Iterator[Objection]:
    known = asked.model.snapshot(record.subject.snapshot) if record.subject.snapshot else None
    stated = record.subject.effective_compute
    listed = [one for one in (stated, known.effective_compute if known else None) if one is not None]
    then = min(listed) if listed and min(listed) > 0 else None
    now = asked.snapshot.effective_compute if asked.snapshot else None
    if then is None or now is None:
        yield "compute_unknown", f"the rule allows a ratio of {ratio:g}"
    elif now / then > ratio:
        yield "compute_grown", f"effective compute has grown {now / then:.3g} times; the rule allows {ratio:g}"


def _check_elicitation(record: Evidence, asked: Asked, _found: Bounds) -> Iterator[Objection]:
    used = set(record.elicitation.elements)
    if record.subject.variant == "helpful_only":
        used.add("helpful_only")
    if record.subject.variant == "fine_tuned":
        used.add("fine_tuning")
    used -= set(record.elicitation.absent)
    missing = [element for element in asked.indicator.elicitation if element not in used]
    if missing:
        yield "under_elicited", f"without {', '.join(missing).replace('_', ' ')}"


def _check_quality(record: Evidence, asked: Asked, _found: Bounds) -> Iterator[Objection]:
    wanted = asked.indicator.minimum_quality
    if QUALITY_ORDER[record.quality] < QUALITY_ORDER[wanted]:
        yield "low_quality", f"{record.quality}; the rule asks for {wanted}"
    for remark in record.remarks:
        if remark.blocks_rule_out:
            yield "importer_remark", f"{remark.code}: {remark.message}"


def _check_threats(record: Evidence, asked: Asked, _found: Bounds) -> Iterator[Objection]:
    answers: dict[str, list[ThreatAnswer]] = {}
    for answer in record.threats:
        answers.setdefault(answer.threat, []).append(answer)
    for threat in asked.indicator.answers:
        if threat not in answers or any(answer.status == "unknown" for answer in answers[threat]):
            yield "threat_unanswered", f"no answer to {threat.replace('_', ' ')}"
    for answer in record.threats:
        if answer.status == "present":
            yield "threat_present", f"{answer.threat.replace('_', ' ')}: {answer.reason}"


def _check_lock(record: Evidence, asked: Asked, _found: Bounds) -> Iterator[Objection]:
    if not asked.has_falsifier:
        yield "no_falsifier", SET_ASIDE_WORDS["no_falsifier"]
    if asked.policy.preregistration == "required":
        flag = lock_flag(record, asked)
        if flag is not None:
            yield "not_preregistered", flag.replace("_", " ")


def _check_superseded(record: Evidence, asked: Asked, _found: Bounds) -> Iterator[Objection]:
    if asked.superseded and record.id in asked.superseded:
        yield "superseded", "restated, but nobody approved it, or what should count instead is about something else"


_CHECKS: tuple[Callable[[Evidence, Asked, Bounds], Iterator[Any]], ...] = (
    _check_bound,
    _check_size,
    _check_age,
    _check_snapshot,
    _check_elicitation,
    _check_quality,
    _check_threats,
    _check_lock,
    _check_superseded,
)


# --- what a reader should know ------------------------------------------------------------------------


def lock_flag(record: Evidence, asked: Asked) -> Flag | None:
    """Give what is wrong with the registration of the rule that decides about a record, if anything is."""
    if asked.printed:
        return "line_disclosed_with_result"
    locks = [
        lock
        for lock in asked.policy.locks
        if lock.threshold == asked.threshold and lock.indicator == asked.indicator.id and lock.locked_on <= asked.at
    ]
    day = record.earliest_day
    before = [lock for lock in locks if day is not None and lock.locked_on < day]
    if before:
        # The last of them was in force: who locks several rules cannot choose among them afterwards.
        in_force = max(enumerate(before), key=lambda one: (one[1].locked_on, one[0]))[1]
        return None if in_force.digest == asked.decision_digest else "rule_changed_after_result"
    same = any(lock.digest == asked.decision_digest for lock in locks)
    return "rule_locked_after_result" if same else "rule_not_locked"


def _flags(record: Evidence, asked: Asked, found: Bounds) -> Iterator[Flag]:
    flag = lock_flag(record, asked)
    if flag is not None:
        yield flag
    if asked.indicator.rule.confidence is None:
        yield "point_comparison"
    if asked.indicator.placeholder:
        yield "placeholder"
    line = asked.indicator.rule.rule_out.value
    low, high = _printed_ends(record, asked)
    ends = [end for end in (found.safe, found.concerning, low, high) if end is not None]
    if len(ends) > 1 and min(ends) <= line <= max(ends):
        yield "line_inside_interval"
    if record.provenance.reading == "secondary":
        yield "secondary_reading"
    if record.subject.snapshot is None:
        yield "snapshot_not_stated"


def _printed_ends(record: Evidence, asked: Asked) -> tuple[float | None, float | None]:
    interval = record.measurement.interval if record.measurement else None
    if interval is None or record.measurement is None or interval.low is None or interval.high is None:
        return None, None
    unit = record.measurement.unit
    return in_unit(interval.low, unit, asked.unit), in_unit(interval.high, unit, asked.unit)

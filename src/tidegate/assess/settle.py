# SPDX-License-Identifier: Apache-2.0
"""What evidence would settle a finding: concrete things to ask for, in a fixed order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import ceil, sqrt

import numpy as np

from tidegate.assess.bounds import in_unit
from tidegate.assess.model import IndicatorFinding, Reading, SetAside, ThresholdFinding
from tidegate.assess.power import MOST_SAMPLES, most_successes, samples_for_mean, samples_needed
from tidegate.evidence.model import Evidence
from tidegate.policy.model import Indicator, Threshold

Ask = tuple[str, str]
"""What is asked for, and of which evaluation."""


def would_settle(threshold: Threshold, finding: ThresholdFinding, records: Mapping[str, Evidence]) -> tuple[str, ...]:
    """Give what would settle a finding, one sentence per thing, each with the evaluations that it concerns.

    Adverse results come first, then what is asked of each indicator in the policy's order, then printed figures
    that meet no rule. Nothing is asked for what is ruled out by its own evidence.
    """
    if finding.is_ruled_out:
        return ()
    asks = [*_about_adverse(finding, records), *_about_indicators(threshold, finding, records)]
    asks += _about_unread(finding, records)
    if not finding.indicators and not finding.unread:
        asks.append((_nothing_yet(threshold), ""))
    grouped: dict[str, dict[str, None]] = {}
    for what, of in asks:
        grouped.setdefault(what, {})[of] = None
    return tuple(_sentence(what, [name for name in of if name]) for what, of in grouped.items())


def _sentence(what: str, names: Sequence[str]) -> str:
    return f"{what}: {'; '.join(names)}" if names else what


def _nothing_yet(threshold: Threshold) -> str:
    if threshold.kind == "watch":
        return "a line in the policy: this is only watched, so no evidence can rule it out"
    if threshold.printed_lines:
        return "a figure that names this threshold, with its n, its interval and its line"
    return "an indicator in the policy, with a rule-out line and a falsifier"


def _about_adverse(finding: ThresholdFinding, records: Mapping[str, Evidence]) -> Iterator[Ask]:
    for indicator in finding.indicators:
        for reading in indicator.readings:
            if reading.crosses or reading.shows:
                what = "a correction or retraction, with its reason and who approved it, of the result beyond its line"
                yield what, _name(records[reading.evidence])


def _about_unread(finding: ThresholdFinding, records: Mapping[str, Evidence]) -> Iterator[Ask]:
    for name in finding.unread:
        record = records[name]
        drawn = record.line
        if drawn is not None and drawn.disclosure in ("exists_unprinted", "withheld"):
            yield "the line that exists but is not printed, with its number and direction", _name(record)
        else:
            yield "a line, with its number and direction, in the policy or next to the figure", _name(record)


def _name(record: Evidence) -> str:
    found = record.measurement
    if found is None:
        return record.id
    return found.evaluation if found.metric in ("", found.evaluation) else f"{found.evaluation}, {found.metric}"


# --- per indicator ---------------------------------------------------------------------------------------


def _about_indicators(
    threshold: Threshold, finding: ThresholdFinding, records: Mapping[str, Evidence]
) -> Iterator[Ask]:
    rules = {indicator.id: indicator for indicator in threshold.indicators}
    for one in finding.indicators:
        if one.finding == "ruled_out":
            continue
        rule = rules.get(one.indicator)
        if not one.readings:
            yield _run_it(one, rule), one.evaluation
        for reading in one.readings:
            record = records[reading.evidence]
            yield from _about_reading(one, rule, reading, record)


def _run_it(one: IndicatorFinding, rule: Indicator | None) -> str:
    parts = ["a result"]
    if rule is not None and rule.elicitation:
        parts.append(f"with {', '.join(rule.elicitation).replace('_', ' ')}")
    edge = _edge(one)
    if edge is not None and one.confidence is not None:
        least = samples_needed(0, edge, one.confidence)
        if least is not None:
            most = max(least, (rule.minimum_n or 0) if rule is not None else 0)
            parts.append(f"of at least {most} independent samples, so that a perfect one could rule it out")
    return " ".join(parts)


def _edge(one: IndicatorFinding) -> float | None:
    """Give the line as a worrying share between 0 and 1, or none if it is not a share."""
    share = in_unit(one.rule_out.value, one.unit, "fraction")
    if share is None or not 0 < share < 1:
        return None
    return share if one.rule_out.higher_concerns else 1.0 - share


def _about_reading(one: IndicatorFinding, rule: Indicator | None, reading: Reading, record: Evidence) -> Iterator[Ask]:
    name = _name(record)
    for reason in reading.set_aside:
        ask = _ASKS.get(reason)
        if ask is not None:
            yield ask(rule, record), name
    if reading.crosses or reading.value is None or one.confidence is None or reading.supports:
        return
    size = size_needed(one, reading, record)
    if size is not None:
        yield f"at the same result, a sample of {size}", name
    elif reading.bound is not None and not reading.set_aside:
        yield "more samples: the figure is on the safe side of its line, its bound is not", name


def size_needed(one: IndicatorFinding, reading: Reading, record: Evidence) -> str | None:
    """Give, in words, how large a sample would rule the line out at the same result; none if that cannot be said.

    Shares use the exact bound and give the size from which on every larger sample does; means use their spread
    and a chance of 80% (noncentral t). Nothing is said of a sample that is large enough as it is.
    """
    assert one.confidence is not None
    edge, value = _edge(one), reading.value
    assert value is not None
    share = in_unit(value, one.unit, "fraction")
    found = record.measurement
    decided = reading.bound is not None and not one.rule_out.is_crossed_by(reading.bound)
    if decided or found is None:
        return None
    if edge is not None and share is not None and 0 <= share <= 1:
        rate = share if one.rule_out.higher_concerns else 1.0 - share
        n = samples_at_rate(rate, edge, one.confidence)
        if n is None or (reading.bound is None and found.n is not None and found.n >= n):
            return None
        return f"{n} independent units"
    if not found.standard_error or not found.n or reading.distance is None:
        return None
    scale = in_unit(1.0, found.unit or one.unit, one.unit) or 1.0
    needed = samples_for_mean(reading.distance, found.standard_error * scale * sqrt(found.n), one.confidence)
    return None if needed is None else f"about {needed} independent units (for a chance of 80%)"


def samples_at_rate(rate: float, line: float, confidence: float) -> int | None:
    """Give the size from which on samples with this share of successes rule the line out; none if out of reach.

    The count of successes is the rate times the size, rounded up, so that rounding never helps.

    >>> samples_at_rate(0.0, 0.05, 0.95)
    59
    """
    if rate >= line:
        return None
    gap = line - rate
    last = min(MOST_SAMPLES, 100 + ceil(16 * line * (1 - line) / gap**2) + ceil(10 / gap))
    n = np.arange(1, last + 1)
    count = np.ceil(rate * n - 1e-9)
    is_short = most_successes(n, line, confidence) < count
    first = int(n[is_short][-1]) + 1 if bool(is_short.any()) else 1
    return first if first <= last else None


# --- what answers each reason --------------------------------------------------------------------------


def _more(rule: Indicator | None, _record: Evidence) -> str:
    return f"n, of at least {rule.minimum_n}" if rule is not None else "n"


def _elicited(rule: Indicator | None, record: Evidence) -> str:
    used = set(record.elicitation.elements) | {record.subject.variant.replace("fine_tuned", "fine_tuning")}
    missing = [one for one in (rule.elicitation if rule is not None else ()) if one not in used]
    return f"a result with {', '.join(missing).replace('_', ' ') or 'the required elicitation'}"


def _checked(rule: Indicator | None, _record: Evidence) -> str:
    wanted = rule.minimum_quality if rule is not None else "recomputable"
    return (
        "its log, so that the figure can be recomputed" if wanted == "recomputable" else "a signature under the figure"
    )


def _answered(rule: Indicator | None, record: Evidence) -> str:
    known = {answer.threat for answer in record.threats if answer.status != "unknown"}
    open_ones = [threat for threat in (rule.answers if rule is not None else ()) if threat not in known]
    return f"an answer to {', '.join(open_ones).replace('_', ' ') or 'its validity threats'}"


def _free_of(_rule: Indicator | None, record: Evidence) -> str:
    present = [answer.threat for answer in record.threats if answer.status == "present"]
    return f"a result that is free of {', '.join(present).replace('_', ' ')}"


def _always(words: str) -> Callable[[Indicator | None, Evidence], str]:
    return lambda _rule, _record: words


_ASKS: Mapping[SetAside, Callable[[Indicator | None, Evidence], str]] = {
    "no_value": _always("the figure itself"),
    "unit_mismatch": _always("the figure in the line's unit"),
    "no_bound": _always("n with the number of successes, or a confidence interval with its level"),
    "no_n": _more,
    "small_n": _more,
    "stale": _always("a newer result"),
    "expired": _always("a new result: the old one no longer holds"),
    "undated": _always("the day of the result"),
    "older_snapshot": _always("a result on the assessed snapshot, or a statement that the snapshots are equivalent"),
    "compute_grown": _always("a result on a snapshot with the assessed compute"),
    "compute_unknown": _always("the effective compute of both snapshots"),
    "under_elicited": _elicited,
    "low_quality": _checked,
    "threat_unanswered": _answered,
    "threat_present": _free_of,
    "importer_remark": _always("a log without what the importer objected to"),
    "not_preregistered": _always("a new result after the rule was locked"),
    "no_falsifier": _always("a falsifier in the policy"),
    "superseded": _always("approval of the restatement, by name"),
}
"""Reason for which a record was set aside -> what answers it."""

# SPDX-License-Identifier: Apache-2.0
"""How far a figure can be trusted in each direction: one-sided bounds for one record.

The first basis that applies is used: exact binomial, clustered binomial, a stated confidence interval,
Student's t from a standard error. A figure with none of these has no bound and can rule nothing out.
"""

import math
import sys
from dataclasses import dataclass

from scipy import special

from tidegate.assess.statistics import (
    binomial_lower,
    binomial_p_value,
    binomial_upper,
    clustered_binomial_bound,
    mean_bound,
)
from tidegate.evidence.model import Counts, Measurement

_SCALES: dict[str, tuple[str, float]] = {
    "fraction": ("share", 1.0),
    "share": ("share", 1.0),
    "proportion": ("share", 1.0),
    "percent": ("share", 0.01),
    "%": ("share", 0.01),
    "minutes": ("time", 1.0),
    "min": ("time", 1.0),
    "hours": ("time", 60.0),
    "h": ("time", 60.0),
    "days": ("time", 1440.0),
}
"""Unit -> what it measures, and how many of the base unit it is."""


def in_unit(value: float, unit: str, wanted: str) -> float | None:
    """Give `value` in the unit `wanted`, or none if the two do not compare.

    >>> in_unit(25, "percent", "fraction")
    0.25
    """
    if unit == wanted:
        return value
    source, target = _SCALES.get(unit.lower()), _SCALES.get(wanted.lower())
    if source is None or target is None or source[0] != target[0]:
        return None
    return value * source[1] / target[1]


@dataclass(frozen=True, slots=True)
class Bounds:
    """A figure with its one-sided bounds, in the unit asked for."""

    value: float
    concerning: float | None
    """Bound on the concerning side: the truth is not worse than this."""
    safe: float | None
    """Bound on the safe side: the truth is at least this concerning."""
    basis: str
    standard_error: float | None = None
    p_beyond: float | None = None
    """One-sided p-value that the truth is not beyond `reach`, if a reach line was given."""
    seen: float | None = None
    """The more concerning of the figure and what its successes give, where the two differ."""
    worst: float | None = None
    """The figure with every sample that has no score at its worst; none if that cannot be known."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a figure."""

    unit: str
    confidence: float
    higher_concerns: bool
    worst_case: bool
    """Whether samples without a score count against safety in the concerning bound."""
    reach: float | None = None

    def more_concerning(self, *figures: float) -> float:
        """Give the figure that speaks most against safety."""
        return max(figures) if self.higher_concerns else min(figures)


ROUNDING = 0.005
"""Printed shares are rounded to a percent at the coarsest: a count that is farther away contradicts its figure."""


def bounds(measured: Measurement, counts: Counts | None, asked: Question) -> Bounds | None:
    """Give the figure and its bounds in the unit asked for; none without a figure or a comparable unit."""
    if measured.value is None:
        return None
    scale = _scale(measured, asked.unit)
    if scale is None:
        return None
    seen = _seen(measured, asked)
    worst = _worst(measured, counts, asked)
    refused = _contradiction(measured)
    if refused is not None:
        return Bounds(_scaled(measured.value, scale), None, None, refused, seen=_scaled(seen, scale))
    asking = (measured, counts, asked)
    found = _exact(*asking) or _clustered(*asking) or _stated(*asking) or _student(*asking)
    low, high, basis, error, p_value = found or (None, None, "none", None, None)
    concerning, safe = (high, low) if asked.higher_concerns else (low, high)
    return Bounds(
        _scaled(measured.value, scale),
        None if concerning is None else _scaled(concerning, scale),
        None if safe is None else _scaled(safe, scale),
        basis,
        None if error is None else _scaled(error, scale),
        p_value,
        seen=_scaled(seen, scale),
        worst=None if worst is None else _scaled(worst, scale),
    )


def _scaled(value: float, scale: float) -> float:
    """Give a figure in another unit; what no number can hold becomes the largest that there is."""
    return finite(value * scale)


def finite(value: float) -> float:
    """Give the nearest number that is not infinite."""
    return max(min(value, sys.float_info.max), -sys.float_info.max)


def _scale(measured: Measurement, wanted: str) -> float | None:
    """Give the factor between the units; a score that lies between 0 and 1 is read as a share of the full score."""
    is_share = measured.unit == "score" and measured.value is not None and 0 <= measured.value <= 1
    # Scores that leave 0 to 1 have another full score, whatever their mean is.
    is_share = is_share and all(measured.parameters.get(name) is None for name in ("lowest_score", "highest_score"))
    if is_share and (share := in_unit(1.0, "fraction", wanted)) is not None:
        return share
    return in_unit(1.0, measured.unit, wanted)


_Found = tuple[float | None, float | None, str, float | None, float | None]


def _share_scale(measured: Measurement) -> float | None:
    """Give how many of the measurement's unit are one whole, for shares."""
    return in_unit(1.0, "fraction", measured.unit)


# --- what a figure says about itself -------------------------------------------------------------------


def _counted(measured: Measurement) -> tuple[float, float, float] | None:
    """Give successes, n and the size of one whole, if each unit scores 0 or 1 once."""
    whole = _share_scale(measured)
    if not measured.binary or measured.successes is None or not measured.n or whole is None:
        return None
    return None if (measured.attempts or 1) > 1 else (float(measured.successes), float(measured.n), whole)


def _seen(measured: Measurement, asked: Question) -> float:
    assert measured.value is not None
    counted = _counted(measured)
    if counted is None or _is_near(measured, counted):
        return measured.value
    k, n, whole = counted
    return asked.more_concerning(measured.value, k / n * whole)


def _is_near(measured: Measurement, counted: tuple[float, float, float]) -> bool:
    k, n, whole = counted
    assert measured.value is not None
    return abs(measured.value / whole - k / n) <= ROUNDING + 1e-9


def _contradiction(measured: Measurement) -> str | None:
    """Give why no bound can rest on a figure: it is no share, or its own parts disagree."""
    whole, interval = _share_scale(measured), measured.interval
    assert measured.value is not None
    if whole is not None and not -1e-9 <= measured.value / whole <= 1 + 1e-9:
        return "none: a share lies between 0 and 1"
    counted = _counted(measured)
    if counted is not None and not _is_near(measured, counted):
        return "none: the successes contradict the figure"
    if interval is not None and interval.is_confidence and interval.low is not None and interval.high is not None:
        low, high = sorted((interval.low, interval.high))
        slack = (high - low) / 10
        if not low - slack <= measured.value <= high + slack:
            return "none: the interval does not hold the figure"
    return None


def _worst(measured: Measurement, counts: Counts | None, asked: Question) -> float | None:
    """Give the figure with every sample without a score at its worst, in its own unit; none if unknown."""
    assert measured.value is not None
    seen = _seen(measured, asked)
    if not asked.worst_case:
        return seen
    lost = 0 if counts is None else counts.without_score
    given = measured.worst_case if asked.higher_concerns else _number(measured.parameters.get("errors_as_zero"))
    if given is not None:
        seen = asked.more_concerning(seen, given)
    if lost == 0:
        return seen
    whole = _share_scale(measured)
    scored = 0 if counts is None else counts.scored or measured.n or 0
    if whole is None or scored == 0:
        return None if given is None else seen
    spoilt = whole * lost if asked.higher_concerns else 0.0
    return asked.more_concerning(seen, (measured.value * scored + spoilt) / (scored + lost))


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _worsened(ends: tuple[float | None, float | None], asking: "_Asking") -> tuple[float | None, float | None]:
    """Move the concerning end by what the samples without a score can do; no end where that is unknown."""
    measured, _, asked = asking
    low, high = ends
    worst = _worst(*asking)
    assert measured.value is not None
    if worst is None:
        return (low, None) if asked.higher_concerns else (None, high)
    shift = worst - measured.value
    if asked.higher_concerns:
        return low, None if high is None else max(high, measured.value) + shift
    return None if low is None else min(low, measured.value) + shift, high


_Asking = tuple[Measurement, Counts | None, Question]


# --- bases, the strongest first ------------------------------------------------------------------------


def _is_clustered(measured: Measurement) -> bool:
    """True if samples go together, so that they are fewer than they seem."""
    if measured.clusters is None:
        return measured.clustered is True
    return measured.n is None or measured.clusters < measured.n


def _exact(measured: Measurement, counts: Counts | None, asked: Question) -> _Found | None:
    counted = _counted(measured)
    if counted is None or _is_clustered(measured):
        return None
    k, n, whole = counted
    lost = float(counts.without_score) if counts is not None and asked.worst_case else 0.0
    worst = (k + lost if asked.higher_concerns else k, n + lost)
    if asked.higher_concerns:
        low, high = binomial_lower(k, n, asked.confidence), binomial_upper(*worst, asked.confidence)
    else:
        low, high = binomial_lower(*worst, asked.confidence), binomial_upper(k, n, asked.confidence)
    error = math.sqrt(max((k + 1) * (n - k + 1), 1.0) / ((n + 2) ** 2 * (n + 3)))
    basis = f"exact binomial, {measured.successes:g} of {n:g}" + (
        f", {lost:g} without score at worst case" if lost else ""
    )
    return low * whole, high * whole, basis, error * whole, _p_exact(k, n, asked)


def _p_exact(k: float, n: float, asked: Question) -> float | None:
    line = None if asked.reach is None else in_unit(asked.reach, asked.unit, "fraction")
    if line is None or not 0 < line < 1:
        return None
    return binomial_p_value(k, n, line, alternative="greater" if asked.higher_concerns else "less")


def _clustered(measured: Measurement, counts: Counts | None, asked: Question) -> _Found | None:
    whole = _share_scale(measured)
    if not measured.clusters or not measured.n or whole is None:
        return None
    if measured.standard_error is None and _counted(measured) is None:
        return None
    assert measured.value is not None
    value, error = measured.value / whole, None if measured.standard_error is None else measured.standard_error / whole
    lost = _worst(measured, counts, asked)
    worst = None if lost is None else lost / whole
    if worst is None or not (0 <= value <= 1 and 0 <= worst <= 1):
        return None
    rates = (value, max(worst, value)) if asked.higher_concerns else (min(worst, value), value)
    ends = [
        clustered_binomial_bound(rate, measured.n, error, measured.clusters, asked.confidence, upper=upper)
        for rate, upper in zip(rates, (False, True), strict=True)
    ]
    basis = f"clustered binomial, {measured.clusters} clusters"
    safe = ends[0] if asked.higher_concerns else ends[1]
    return (
        ends[0] * whole,
        ends[1] * whole,
        basis,
        measured.standard_error,
        _p_from_bound(safe * whole, measured, asked),
    )


def _stated(measured: Measurement, counts: Counts | None, asked: Question) -> _Found | None:
    interval = measured.interval
    if interval is None or not interval.is_confidence or interval.level is None:
        return None
    low, high = interval.low, interval.high
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high)
    one_sided = interval.level if low is None or high is None else (1 + interval.level) / 2
    if one_sided < asked.confidence - 1e-12:
        return None
    safe = low if asked.higher_concerns else high
    low, high = _worsened((low, high), (measured, counts, asked))
    basis = f"stated {interval.level:.0%} {interval.kind} interval"
    return low, high, basis, measured.standard_error, _p_from_bound(safe, measured, asked)


def _student(measured: Measurement, counts: Counts | None, asked: Question) -> _Found | None:
    if measured.standard_error is None or measured.value is None:
        return None
    units = min((one for one in (measured.clusters, measured.n) if one is not None), default=None)
    if units is None or units < 2:
        return None
    low, high = (
        mean_bound(measured.value, measured.standard_error, units, asked.confidence, upper=upper)
        for upper in (False, True)
    )
    if math.isnan(low) or math.isnan(high):
        return None
    ends = _worsened((low, high), (measured, counts, asked))
    return *ends, f"Student's t, {units} units", measured.standard_error, _p_student(measured, units, asked)


def _p_student(measured: Measurement, units: int, asked: Question) -> float | None:
    line = None if asked.reach is None else in_unit(asked.reach, asked.unit, measured.unit)
    if line is None or not measured.standard_error or measured.value is None:
        return None
    distance = (measured.value - line) / measured.standard_error
    return float(special.stdtr(units - 1.0, -distance if asked.higher_concerns else distance))


def _p_from_bound(safe: float | None, measured: Measurement, asked: Question) -> float | None:
    """Give what a bound at a known confidence says: at most the error rate, or nothing."""
    line = None if asked.reach is None else in_unit(asked.reach, asked.unit, measured.unit)
    if line is None or safe is None:
        return None
    beyond = safe >= line if asked.higher_concerns else safe <= line
    return 1.0 - asked.confidence if beyond else 1.0

# SPDX-License-Identifier: Apache-2.0
"""How far a figure can be trusted in each direction: one-sided bounds for one record.

The first basis that applies is used: exact binomial, clustered binomial, a stated confidence interval,
Student's t from a standard error. A figure with none of these has no bound and can rule nothing out.
"""

import math
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


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a figure."""

    unit: str
    confidence: float
    higher_concerns: bool
    worst_case: bool
    """Whether samples without a score count against safety in the concerning bound."""
    reach: float | None = None


def bounds(measured: Measurement, counts: Counts | None, asked: Question) -> Bounds | None:
    """Give the figure and its bounds in the unit asked for; none without a figure or a comparable unit."""
    if measured.value is None:
        return None
    scale = _scale(measured, asked.unit)
    if scale is None:
        return None
    found = (
        _exact(measured, counts, asked)
        or _clustered(measured, asked)
        or _stated(measured, asked)
        or _student(measured, asked)
    )
    value = measured.value * scale
    if found is None:
        return Bounds(value, None, None, "none")
    low, high, basis, error, p_value = found
    concerning, safe = (high, low) if asked.higher_concerns else (low, high)
    return Bounds(
        value,
        None if concerning is None else concerning * scale,
        None if safe is None else safe * scale,
        basis,
        None if error is None else error * scale,
        p_value,
    )


def _scale(measured: Measurement, wanted: str) -> float | None:
    """Give the factor between the units; a score that lies between 0 and 1 is read as a share of the full score."""
    is_share = measured.unit == "score" and measured.value is not None and 0 <= measured.value <= 1
    if is_share and (share := in_unit(1.0, "fraction", wanted)) is not None:
        return share
    return in_unit(1.0, measured.unit, wanted)


_Found = tuple[float | None, float | None, str, float | None, float | None]


def _share_scale(measured: Measurement) -> float | None:
    """Give how many of the measurement's unit are one whole, for shares."""
    return in_unit(1.0, "fraction", measured.unit)


def _exact(measured: Measurement, counts: Counts | None, asked: Question) -> _Found | None:
    whole = _share_scale(measured)
    attempts = measured.attempts or 1
    if not measured.binary or measured.successes is None or not measured.n or whole is None or attempts > 1:
        return None
    k, n = float(measured.successes), float(measured.n)
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


def _clustered(measured: Measurement, asked: Question) -> _Found | None:
    whole = _share_scale(measured)
    if measured.standard_error is None or not measured.clusters or not measured.n or whole is None:
        return None
    assert measured.value is not None
    value, error = measured.value / whole, measured.standard_error / whole
    worst = measured.worst_case / whole if measured.worst_case is not None and asked.worst_case else value
    if not (0 <= value <= 1 and 0 <= worst <= 1):
        return None
    ends = [
        clustered_binomial_bound(rate, measured.n, error, measured.clusters, asked.confidence, upper=upper)
        for rate, upper in ((value, False), (max(worst, value), True))
    ]
    basis = f"clustered binomial, {measured.clusters} clusters"
    return (
        ends[0] * whole,
        ends[1] * whole,
        basis,
        measured.standard_error,
        _p_from_bound(ends[0] * whole, measured, asked),
    )


def _stated(measured: Measurement, asked: Question) -> _Found | None:
    interval = measured.interval
    if interval is None or not interval.is_confidence or interval.level is None:
        return None
    if (1 + interval.level) / 2 < asked.confidence - 1e-12:
        return None
    safe = interval.low if asked.higher_concerns else interval.high
    return (
        interval.low,
        interval.high,
        f"stated {interval.level:.0%} {interval.kind} interval",
        measured.standard_error,
        _p_from_bound(safe, measured, asked),
    )


def _student(measured: Measurement, asked: Question) -> _Found | None:
    if measured.standard_error is None or measured.value is None:
        return None
    units = measured.clusters or measured.n
    if units is None or units < 2:
        return None
    low, high = (
        mean_bound(measured.value, measured.standard_error, units, asked.confidence, upper=upper)
        for upper in (False, True)
    )
    if math.isnan(low) or math.isnan(high):
        return None
    lost = asked.worst_case and measured.worst_case is not None
    if lost and measured.worst_case is not None and asked.higher_concerns:
        high += max(measured.worst_case - measured.value, 0.0)
    return low, high, f"Student's t, {units} units", measured.standard_error, _p_student(measured, units, asked)


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

# SPDX-License-Identifier: Apache-2.0
"""Comparisons: two runs on the same items, treatment with control, weak with strong elicitation, a figure with a line.

Several tests, one threshold:

- *Any of them may trip it.* Each further test is a further chance to trip by luck, so the p-values for ruling in are
  adjusted with `holm`.
- *All of them must hold.* The claim that every figure lies below its line is wrong if one of them is, so each is
  tested at the full level and the largest p-value counts (`intersection_union`); an adjustment would only lose power.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from tidegate.assess.intervals import ROUNDING, FloatArray, clustered_standard_error

Decision = Literal["ruled_out", "ruled_in", "not_determined", "invalid_evidence"]
"""What a figure says about a line.

- `ruled_out`: the whole interval lies on the safe side.
- `ruled_in`: the whole interval lies on the other side.
- `not_determined`: the line lies inside the interval, or the bound that would decide is missing.
- `invalid_evidence`: no bound exists, the bounds contradict each other, or the line is not a number.
"""

RatioMethod = Literal["fieller", "fieller-unbounded", "log-delta"]
"""How the interval of a ratio was made; `fieller-unbounded` says that the control may be zero."""


class Summary(NamedTuple):
    """A group of scores in three numbers."""

    mean: float
    sd: float
    """Standard deviation with n - 1 in the denominator."""
    n: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its two-sided interval; not a number where no interval can be given."""

    value: float
    low: float
    high: float
    standard_error: float
    df: float


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """The mean of a - b over items that both runs answered."""

    difference: Estimate
    n: int
    clusters: int | None
    correlation: float
    """Between the two runs over items; not a number where one of them does not vary."""
    mcnemar_p: float | None
    """Two-sided exact p-value, where every score is 0 or 1 and no item is clustered."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """A ratio of means with its interval."""

    value: float
    low: float
    high: float
    method: RatioMethod


@dataclass(frozen=True, slots=True)
class Uplift:
    """What a treatment adds to a control, as difference and as ratio of means."""

    treatment: Summary
    control: Summary
    difference: Estimate
    ratio: Ratio
    level: float


@dataclass(frozen=True, slots=True)
class ElicitationGap:
    """How much more a stronger elicitation shows, next to the margin that was declared for it."""

    gap: float
    low: float
    high: float
    margin: float
    confidence: float
    """One-sided confidence of each bound."""
    verdict: Literal["within_margin", "beyond_margin", "not_determined"]


def summarise(scores: ArrayLike | Summary) -> Summary:
    """The scores in three numbers; a summary stays as it is."""
    if isinstance(scores, Summary):
        return scores
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise ValueError("scores are one row of at least one number")
    sd = float(values.std(ddof=1)) if values.size > 1 else float("nan")
    return Summary(float(values.mean()), sd, int(values.size))


def paired_difference(
    a: ArrayLike, b: ArrayLike, clusters: ArrayLike | None = None, *, level: float = 0.95
) -> PairedDifference:
    """The difference a - b on the same items, with an interval that uses the pairing.

    Miller (arXiv:2411.00640), section on paired differences: the standard error of the item-wise differences,
    clustered where clusters are given, with t on items or clusters minus one degrees of freedom.
    For scores of 0 and 1 also the exact test of McNemar (1947).

    Args:
        a: One score per item.
        b: The other run's scores, in the same order.
        clusters: The cluster of each item, if items go together.
        level: Two-sided level of the interval.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape or first.size == 0:
        raise ValueError("a paired comparison needs two rows of the same length")
    delta = first - second
    groups = None if clusters is None else len(np.unique(np.asarray(clusters)))
    error = _mean_error(delta) if clusters is None else clustered_standard_error(delta, clusters)
    units = delta.size if groups is None else groups
    return PairedDifference(
        difference=_t_estimate(float(delta.mean()), error, units - 1.0, level),
        n=int(delta.size),
        clusters=groups,
        correlation=_correlation(first, second),
        mcnemar_p=_mcnemar(first, second) if clusters is None and _is_binary(first, second) else None,
    )


def uplift(
    treatment: ArrayLike | Summary,
    control: ArrayLike | Summary,
    *,
    level: float = 0.95,
    ratio_method: Literal["fieller", "log-delta"] = "fieller",
) -> Uplift:
    """What the treated group gained: difference (Welch, 1947) and ratio of means (Fieller, 1954, or log-delta).

    Fieller's interval is unbounded where the control mean cannot be told from zero, and says so: a ratio to something
    that may be nothing has no upper bound, whatever a delta method prints.

    Args:
        treatment: Scores, or their summary.
        control: Scores, or their summary.
        level: Two-sided level of the intervals.
        ratio_method: Fieller, or the delta method on the logarithm, which needs both means above zero.
    """
    treated, untreated = summarise(treatment), summarise(control)
    variances = _squared_error(treated), _squared_error(untreated)
    df = _welch_df(treated, untreated)
    error = float(np.sqrt(sum(variances)))
    make = _fieller if ratio_method == "fieller" else _log_delta
    return Uplift(
        treatment=treated,
        control=untreated,
        difference=_t_estimate(treated.mean - untreated.mean, error, df, level),
        ratio=make((treated.mean, variances[0]), (untreated.mean, variances[1]), _t_quantile(df, (1 + level) / 2)),
        level=level,
    )


def elicitation_gap(
    weaker: ArrayLike | Summary,
    stronger: ArrayLike | Summary,
    margin: float,
    *,
    confidence: float = 0.95,
    paired: bool = False,
) -> ElicitationGap:
    """How much more the stronger elicitation shows, and whether the declared margin is shown to cover it.

    Which run is the stronger is declared beforehand and not read off the scores.
    The gap is within the margin when its upper bound is, beyond it when its lower bound is above;
    otherwise the runs do not settle it, and a margin that is not shown to suffice does not count as sufficing.

    Args:
        weaker: Scores under the weaker elicitation, or their summary.
        stronger: Scores under the stronger elicitation, or their summary.
        margin: The gap that was allowed for, in the unit of the scores.
        confidence: One-sided confidence of each bound.
        paired: Whether the two rows are the same items in the same order.
    """
    level = 2.0 * confidence - 1.0
    if not paired:
        gap = uplift(stronger, weaker, level=level).difference
    elif isinstance(weaker, Summary) or isinstance(stronger, Summary):
        raise ValueError("summaries cannot be paired: give the scores")
    else:
        gap = paired_difference(stronger, weaker, level=level).difference
    verdict: Literal["within_margin", "beyond_margin", "not_determined"] = "not_determined"
    if gap.high <= margin:
        verdict = "within_margin"
    elif gap.low > margin:
        verdict = "beyond_margin"
    return ElicitationGap(gap.value, gap.low, gap.high, margin, confidence, verdict)


def against_line(low: float | None, high: float | None, line: float, *, higher_concerns: bool = True) -> Decision:
    """What one-sided bounds say about a line; a missing bound never helps to rule anything out.

    Args:
        low: Lower bound, none or not a number where there is none.
        high: Upper bound, none or not a number where there is none.
        line: The line.
        higher_concerns: Whether figures above the line are the worrying ones.
    """
    below = float("nan") if low is None else low
    above = float("nan") if high is None else high
    if np.isnan(line) or (np.isnan(below) and np.isnan(above)) or below > above:
        return "invalid_evidence"
    if above < line:
        return "ruled_out" if higher_concerns else "ruled_in"
    if below > line:
        return "ruled_in" if higher_concerns else "ruled_out"
    return "not_determined"


def binomial_p_value(successes: float, n: float, line: float, *, alternative: Literal["less", "greater"]) -> float:
    """The chance, were the true rate at the line, of a count at least as far on the side of `alternative`.

    Exact and one-sided; the mirror of the Clopper-Pearson bounds: p < 1 - confidence exactly where the bound at that
    confidence has passed the line. `less` is the test that rules a rate of `line` or more out.
    """
    if not (0 <= successes <= n and 0 <= line <= 1):
        raise ValueError("successes lie between 0 and n, and the line between 0 and 1")
    if alternative == "less":
        return 1.0 if successes >= n else float(special.betainc(n - successes, successes + 1.0, 1.0 - line))
    return 1.0 if successes <= 0 else float(special.betainc(successes, n - successes + 1.0, line))


def holm(p_values: ArrayLike) -> FloatArray:
    """The p-values adjusted so that the chance of any false rejection stays below the level (Holm, 1979).

    For thresholds that any of several tests may trip.
    """
    p = np.asarray(p_values, dtype=np.float64)
    _check_p(p)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def intersection_union(p_values: ArrayLike) -> float:
    """The p-value of the claim that every one of several statements holds: the largest (Berger, 1982).

    For thresholds that are ruled out only when all figures are; no adjustment is due.
    """
    p = np.asarray(p_values, dtype=np.float64)
    _check_p(p)
    if p.size == 0:
        raise ValueError("a claim about every test needs at least one test")
    return float(p.max())


def _check_p(p: FloatArray) -> None:
    if p.ndim != 1 or not bool(np.all((p >= 0) & (p <= 1))):
        raise ValueError("p-values are one row of numbers between 0 and 1")


def _t_quantile(df: float, probability: float) -> float:
    return float(special.stdtrit(df, probability)) if df > 0 else float("nan")


def _t_estimate(value: float, error: float, df: float, level: float) -> Estimate:
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not at {level}")
    half = _t_quantile(df, (1.0 + level) / 2.0) * error if error > ROUNDING * abs(value) else float("nan")
    return Estimate(value, value - half, value + half, error, df)


def _mean_error(values: FloatArray) -> float:
    return float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else float("nan")


def _correlation(a: FloatArray, b: FloatArray) -> float:
    if a.size < 2 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def _is_binary(a: FloatArray, b: FloatArray) -> bool:
    return bool(np.all(np.isin(a, (0.0, 1.0)) & np.isin(b, (0.0, 1.0))))


def _mcnemar(a: FloatArray, b: FloatArray) -> float:
    won, lost = int(np.sum(a > b)), int(np.sum(a < b))
    if won + lost == 0:
        return 1.0
    return min(1.0, 2.0 * float(special.bdtr(min(won, lost), won + lost, 0.5)))


def _squared_error(group: Summary) -> float:
    if group.n < 1 or group.sd < 0:
        raise ValueError("a summary needs at least one score and a standard deviation of at least 0")
    return group.sd**2 / group.n


def _welch_df(a: Summary, b: Summary) -> float:
    if a.n < 2 or b.n < 2:
        return float("nan")
    first, second = _squared_error(a), _squared_error(b)
    parts = first**2 / (a.n - 1) + second**2 / (b.n - 1)
    return (first + second) ** 2 / parts if parts > 0 else float("nan")


def _fieller(top: tuple[float, float], bottom: tuple[float, float], t: float) -> Ratio:
    """Solve (top - r·bottom)² = t²·(var_top + r²·var_bottom) for r; means are independent."""
    (x, var_x), (y, var_y) = top, bottom
    value = x / y if y else float("nan")
    if np.isnan(t):
        return Ratio(value, float("nan"), float("nan"), "fieller")
    a = y**2 - t**2 * var_y
    root = (x * y) ** 2 - a * (x**2 - t**2 * var_x)
    if a <= 0 or root < 0:
        return Ratio(value, float("-inf"), float("inf"), "fieller-unbounded")
    spread = float(np.sqrt(root))
    return Ratio(value, (x * y - spread) / a, (x * y + spread) / a, "fieller")


def _log_delta(top: tuple[float, float], bottom: tuple[float, float], t: float) -> Ratio:
    (x, var_x), (y, var_y) = top, bottom
    if x <= 0 or y <= 0:
        raise ValueError("the logarithm of a ratio needs both means above zero: use Fieller's interval")
    half = t * float(np.sqrt(var_x / x**2 + var_y / y**2))
    return Ratio(x / y, x / y * float(np.exp(-half)), x / y * float(np.exp(half)), "log-delta")

# SPDX-License-Identifier: Apache-2.0
"""Power before the run: can this suite settle the line at all, and how many samples would it take?

A suite that cannot rule a line out even with a perfect result should not be run as if it could.
All of it is exact: powers are sums of binomial probabilities, not normal approximations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tidegate.assess.intervals import FloatArray, binomial_upper

MOST_SAMPLES = 200_000
"""No suite is planned beyond this; a search that needs more answers with none."""


@dataclass(frozen=True, slots=True)
class Needed:
    """How many independent samples rule the line out when so many of them go the worrying way."""

    successes: int
    samples: int | None
    """None where even `MOST_SAMPLES` do not suffice."""
    questions: int | None
    """The same in questions, after attempts and clustering."""


@dataclass(frozen=True, slots=True)
class Power:
    """How likely a rule-out is when this is the true rate."""

    true_rate: float
    power: float | None
    """At the intended size; none where no size is given."""
    samples: int | None
    """Independent samples from which on the target power is always met; none where that is out of reach."""
    questions: int | None
    """The same in questions, after attempts and clustering."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a suite can say about a line before it is run."""

    line: float
    confidence: float
    target: float
    questions: int | None
    attempts: int
    design_effect: float
    independent_samples: int | None
    """questions · attempts / design effect, rounded down."""
    best_bound: float | None
    """The bound that a perfect result would give."""
    can_rule_out: bool | None
    """Whether a perfect result would rule the line out; none where no size is given."""
    most_successes: int | None
    """The most worrying results with which the line is still ruled out; none where there is no such number."""
    needed: tuple[Needed, ...]
    powers: tuple[Power, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """How many samples there are, and how much they repeat each other."""

    questions: int | None = None
    attempts: int = 1
    """Attempts per question."""
    agreement: float = 1.0
    """Correlation of attempts at one question: 1 says that repeating a question adds nothing, 0 that it adds all."""
    clustering: float = 1.0
    """Further design effect from questions that go together, at least 1."""

    def __post_init__(self) -> None:
        if (self.questions is not None and self.questions < 0) or self.attempts < 1:
            raise ValueError("questions are at least 0 and attempts at least 1")
        if not (0 <= self.agreement <= 1 and self.clustering >= 1):
            raise ValueError("agreement lies between 0 and 1, and the clustering effect is at least 1")

    @property
    def effect(self) -> float:
        """By how much the variance exceeds that of independent samples (Kish, 1965)."""
        return (1.0 + (self.attempts - 1) * self.agreement) * self.clustering

    @property
    def independent_samples(self) -> int | None:
        """Independent samples that this design is worth."""
        if self.questions is None:
            return None
        # a rounding error must not cost a sample: 50 · 4 / 4 is 50
        return int(self.questions * self.attempts / self.effect + 1e-9)

    def questions_for(self, samples: int | None) -> int | None:
        """Questions that are worth so many independent samples."""
        return None if samples is None else int(np.ceil(samples * self.effect / self.attempts - 1e-9))


def plan(
    line: float,
    confidence: float,
    design: Design | None = None,
    *,
    true_rates: Sequence[float] = (),
    target: float = 0.8,
    higher_concerns: bool = True,
) -> Plan:
    """Whether a suite can rule a rate out, how many samples it would need, and how likely it is to succeed.

    The rule is the exact one of the assessment: the one-sided Clopper-Pearson bound lies on the safe side of the line.
    Where low figures are the worrying ones everything is mirrored, and a "success" is a worrying result all the same.

    Args:
        line: The rate at the line, between 0 and 1.
        confidence: One-sided confidence of the rule.
        design: Size of the suite; without questions only the needed numbers are given.
        true_rates: Rates that may turn out to be true, for the power.
        target: Wanted power.
        higher_concerns: Whether rates above the line are the worrying ones.
    """
    if not (0 < line < 1 and 0 < confidence < 1 and 0 < target < 1 and all(0 <= rate <= 1 for rate in true_rates)):
        raise ValueError("line, confidence and target lie between 0 and 1, as do the true rates")
    chosen = design or Design()
    edge = line if higher_concerns else 1.0 - line
    n = chosen.independent_samples
    bound = None if n is None else binomial_upper(0.0, float(n), confidence)
    most = None if n is None else int(most_successes(np.array([n]), edge, confidence)[0])
    return Plan(
        line=line,
        confidence=confidence,
        target=target,
        questions=chosen.questions,
        attempts=chosen.attempts,
        design_effect=chosen.effect,
        independent_samples=n,
        best_bound=bound if bound is None or higher_concerns else 1.0 - bound,
        can_rule_out=None if most is None else most >= 0,
        most_successes=None if most is None or most < 0 else most,
        needed=tuple(_needed(k, edge, confidence, chosen) for k in (0, 1, 3)),
        powers=tuple(
            _power(rate, rate if higher_concerns else 1.0 - rate, edge, confidence, target, chosen)
            for rate in true_rates
        ),
    )


def most_successes(n: NDArray[np.int64], line: float, confidence: float) -> NDArray[np.int64]:
    """The largest count at each n with which a rate of `line` or more is still ruled out; -1 where none is."""
    total = np.asarray(n, dtype=np.float64)
    level = 1.0 - confidence
    count = np.floor(special.bdtrik(level, np.maximum(total, 1.0), line))
    count = np.where(np.isfinite(count), count, -1.0)
    # the inverse is smooth and rounds: settle the last unit with the distribution itself
    for _ in range(2):
        count = np.where((count >= 0) & (_at_most(count, total, line) > level), count - 1.0, count)
    for _ in range(2):
        above = count + 1.0
        count = np.where((above < total) & (_at_most(above, total, line) <= level), above, count)
    return np.asarray(count, dtype=np.int64)


def rule_out_power(n: NDArray[np.int64], true_rate: float, line: float, confidence: float) -> FloatArray:
    """The chance that n independent samples rule `line` out when `true_rate` is true, at each n."""
    total = np.asarray(n, dtype=np.float64)
    return _at_most(most_successes(n, line, confidence).astype(np.float64), total, true_rate)


def samples_needed(successes: int, line: float, confidence: float) -> int | None:
    """The fewest independent samples that rule `line` out in spite of so many successes; none if out of reach."""
    level = 1.0 - confidence
    low, high = successes, successes + 1
    while _chance(successes, high, line) > level:
        low, high = high, high * 2
        if low >= MOST_SAMPLES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _chance(successes, middle, line) <= level else (middle, high)
    return high if high <= MOST_SAMPLES else None


def samples_for_power(true_rate: float, line: float, confidence: float, target: float) -> int | None:
    """The number of independent samples from which on the power never falls below the target.

    Power moves in a saw-tooth, because counts are whole; the first n that reaches the target may be followed by one
    that does not. None where the true rate is not below the line, or `MOST_SAMPLES` do not suffice.
    """
    if true_rate >= line:
        return None
    spread = np.sqrt([line * (1.0 - line), true_rate * (1.0 - true_rate)])
    quantiles = special.ndtri(np.array([confidence, target]))
    guess = (float(quantiles @ spread) / (line - true_rate)) ** 2
    if guess > MOST_SAMPLES:
        return None
    last = min(MOST_SAMPLES, int(2.0 * guess) + 10 * int(np.ceil(1.0 / line)) + 50)
    n = np.arange(1, last + 1)
    is_short = rule_out_power(n, true_rate, line, confidence) < target
    first = int(n[is_short][-1]) + 1 if is_short.any() else 1
    return first if first <= last else None


def samples_for_paired_difference(
    difference: float,
    between: float,
    within: tuple[float, float] = (0.0, 0.0),
    attempts: tuple[int, int] = (1, 1),
    *,
    significance: float = 0.05,
    power: float = 0.8,
) -> int:
    """Questions that show a paired difference of this size, two-sided.

    Miller (arXiv:2411.00640): n = (z_significance/2 + z_power)² · (ω² + σ²_A/K_A + σ²_B/K_B) / δ².

    Args:
        difference: δ, the difference to be detected.
        between: ω², the variance over questions of the true paired difference.
        within: σ²_A and σ²_B, the variance of a score at one question.
        attempts: K_A and K_B, attempts per question.
        significance: Two-sided level of the test.
        power: Chance of detecting the difference.
    """
    if difference == 0 or min(attempts) < 1 or min(between, *within) < 0:
        raise ValueError("a difference other than 0, variances of at least 0 and at least one attempt are needed")
    z = float(special.ndtri(1.0 - significance / 2.0) + special.ndtri(power))
    variance = between + within[0] / attempts[0] + within[1] / attempts[1]
    return int(np.ceil(z**2 * variance / difference**2))


def mean_power(n: int, distance: float, sd: float, confidence: float) -> float:
    """The chance that the one-sided t bound of n scores passes a line that lies `distance` from the true mean.

    Exact for normal scores: the noncentral t distribution.
    """
    if n < 2 or sd <= 0:
        return float("nan")
    critical = float(special.stdtrit(n - 1.0, confidence))
    shift = distance / sd * float(np.sqrt(n))
    missed = float(special.nctdtr(n - 1.0, shift, critical))
    # the series gives up when the mean lies dozens of standard errors away, where there is nothing left to compute
    return float(shift > critical) if np.isnan(missed) else 1.0 - missed


def samples_for_mean(distance: float, sd: float, confidence: float, target: float = 0.8) -> int | None:
    """The fewest scores with which a mean at `distance` on the safe side of a line is told from it; none if too many."""
    if distance <= 0 or sd <= 0:
        return None
    low, high = 1, 2
    while mean_power(high, distance, sd, confidence) < target:
        low, high = high, high * 2
        if low >= MOST_SAMPLES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if mean_power(middle, distance, sd, confidence) >= target else (middle, high)
    return high


def _needed(successes: int, line: float, confidence: float, design: Design) -> Needed:
    samples = samples_needed(successes, line, confidence)
    return Needed(successes, samples, design.questions_for(samples))


def _power(given: float, rate: float, line: float, confidence: float, target: float, design: Design) -> Power:
    n = design.independent_samples
    samples = samples_for_power(rate, line, confidence, target)
    power = None if n is None else float(rule_out_power(np.array([n]), rate, line, confidence)[0])
    return Power(given, power, samples, design.questions_for(samples))


def _at_most(count: FloatArray, n: FloatArray, rate: float) -> FloatArray:
    """P(X ≤ count), in the same form as the bounds; 0 below zero."""
    inside = np.maximum(count, 0.0)
    failures = np.maximum(n - inside, 1e-300)
    chance = np.where(inside >= n, 1.0, special.betainc(failures, inside + 1.0, 1.0 - rate))
    return np.asarray(np.where(count < 0, 0.0, chance), dtype=np.float64)


def _chance(successes: int, n: int, rate: float) -> float:
    return float(_at_most(np.array([float(successes)]), np.array([float(n)]), rate)[0])

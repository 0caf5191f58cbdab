# SPDX-License-Identifier: Apache-2.0
"""What several attempts at one task show: pass@k, pass^k, best of n, and what lies beyond the attempts made."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, special

from tidegate.assess.intervals import FloatArray

LARGEST_SHAPE = 1e6
"""Beyond this the beta distribution is a single point for every purpose, and its likelihood is flat."""


@dataclass(frozen=True, slots=True)
class PassEstimate:
    """An estimate of pass@k that says whether it goes beyond what was tried."""

    k: int
    value: float
    is_extrapolated: bool
    """True where k exceeds the fewest attempts made at any task: the figure then rests on the fitted shape."""


@dataclass(frozen=True, slots=True)
class BetaBinomial:
    """Success rates of tasks that follow a beta distribution, fitted by maximum likelihood."""

    alpha: float
    beta: float
    tasks: int
    fewest_attempts: int
    log_likelihood: float

    def pass_at(self, k: int) -> PassEstimate:
        """The chance that at least one of k attempts at a task of this suite succeeds."""
        log_all_fail = special.betaln(self.alpha, self.beta + k) - special.betaln(self.alpha, self.beta)
        return PassEstimate(k, float(-np.expm1(log_all_fail)), is_extrapolated=k > self.fewest_attempts)


def pass_at_k(n: ArrayLike, c: ArrayLike, k: int) -> FloatArray:
    """The chance that at least one of k attempts succeeds, without bias, per task.

    Chen et al. (arXiv:2107.03374): 1 - C(n-c, k) / C(n, k).
    Average it over tasks; never put a pooled rate into 1 - (1-p)^k, which overstates without limit when tasks differ.
    Not a number where fewer than k attempts were made.

    Args:
        n: Attempts per task.
        c: Successes per task.
        k: Attempts allowed.
    """
    attempts, correct = _attempts(n, c, k)
    return np.asarray(1.0 - _subset_share(attempts - correct, attempts, k), dtype=np.float64)


def pass_hat_k(n: ArrayLike, c: ArrayLike, k: int) -> FloatArray:
    """The chance that all of k attempts succeed, without bias, per task.

    Yao et al. (arXiv:2406.12045): C(c, k) / C(n, k).
    Not a number where fewer than k attempts were made.
    """
    attempts, correct = _attempts(n, c, k)
    return _subset_share(correct, attempts, k)


def best_of_n(scores: ArrayLike, n: int) -> float:
    """The expected best score of n attempts, without bias: the mean maximum over all subsets of n scores.

    With scores of 0 and 1 it equals pass@n (the same counting argument, Chen et al., arXiv:2107.03374).
    Not a number where fewer than n scores exist.

    Args:
        scores: The scores of all attempts at one task.
        n: Attempts allowed.
    """
    ordered = np.sort(np.asarray(scores, dtype=np.float64))
    if n < 1:
        raise ValueError("the best of n needs n of at least 1")
    if ordered.size < n:
        return float("nan")
    total = np.full(ordered.size + 1, float(ordered.size))
    cumulative = _subset_share(np.arange(ordered.size + 1, dtype=np.float64), total, n)
    return float(np.diff(cumulative) @ ordered)


def fit_beta_binomial(successes: ArrayLike, attempts: ArrayLike) -> BetaBinomial:
    """The beta distribution of task success rates under which the counts are most likely.

    For pass@k beyond the attempts made, in the manner of Schaeffer et al. (arXiv:2502.17578).
    Raises a `ValueError` when every attempt failed or every attempt succeeded: no shape can be fitted to that.

    Args:
        successes: Successes per task.
        attempts: Attempts per task.
    """
    n, k = _attempts(attempts, successes, 1)
    if k.sum() in (0.0, n.sum()):
        raise ValueError("a beta distribution needs at least one success and one failure")
    base = float(np.sum(special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)))

    def loss(log_shape: FloatArray) -> float:
        a, b = np.exp(log_shape)
        return float(-np.sum(special.betaln(k + a, n - k + b) - special.betaln(a, b))) - base

    rate = float(k.sum() / n.sum())
    edge = float(np.log(LARGEST_SHAPE))
    found = optimize.minimize(
        loss, np.log([rate, 1.0 - rate]), method="L-BFGS-B", bounds=[(-edge, edge)] * 2, options={"ftol": 1e-13}
    )
    alpha, beta = np.exp(found.x)
    return BetaBinomial(float(alpha), float(beta), int(n.size), int(n.min()), -float(found.fun))


def _subset_share(chosen: FloatArray, total: FloatArray, k: int) -> FloatArray:
    """Share of the subsets of k out of `total` that lie within `chosen`: C(chosen, k) / C(total, k)."""
    share = np.ones_like(total)
    for drawn in range(k):
        share = share * np.maximum(chosen - drawn, 0.0) / np.where(total > drawn, total - drawn, np.nan)
    return np.asarray(share, dtype=np.float64)


def _attempts(n: ArrayLike, c: ArrayLike, k: int) -> tuple[FloatArray, FloatArray]:
    attempts, correct = np.broadcast_arrays(np.asarray(n, dtype=np.float64), np.asarray(c, dtype=np.float64))
    if k < 1:
        raise ValueError("k is at least 1")
    if attempts.size == 0 or not bool(np.all((correct >= 0) & (correct <= attempts))):
        raise ValueError("successes lie between 0 and the attempts, for at least one task")
    return attempts, correct

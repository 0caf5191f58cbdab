# SPDX-License-Identifier: Apache-2.0
"""Rates that an imperfect judge observed, corrected for its errors with the uncertainty of all three figures."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from scipy import special

DRAWS = 20_000
"""Draws of the simulated interval: the ends then move by about a hundredth of its width between seeds."""


@dataclass(frozen=True, slots=True)
class CorrectedRate:
    """A rate with a judge's errors taken out."""

    value: float
    low: float
    high: float
    method: Literal["delta", "simulation"]
    seed: int | None
    """The seed of the simulation; none for the delta method."""


class _Share(NamedTuple):
    value: float
    n: float


def rogan_gladen(  # noqa: PLR0913, PLR0917 - three shares with their sizes are six numbers
    observed_rate: float,
    n: int,
    sensitivity: float,
    n_sensitivity: int,
    specificity: float,
    n_specificity: int,
    level: float,
    *,
    seed: int | None = None,
) -> CorrectedRate:
    """The true rate behind a judge's verdicts, with an interval that carries the judge's own uncertainty.

    Rogan & Gladen (1978): (observed + specificity - 1) / (sensitivity + specificity - 1), clipped to 0 and 1.
    Without a seed the interval is by the delta method over all three shares, each shrunk towards the middle first
    (Lang & Reiczigel, 2014), so that a perfect score on a small validation set is not taken for certainty.
    With a seed it is simulated: each share is drawn from its Jeffreys beta distribution, the draws are corrected and
    the percentiles taken; a draw in which the judge is no better than chance counts for both ends.
    Raises a `ValueError` when sensitivity + specificity is at most 1: such a judge carries no information.

    Args:
        observed_rate: Share of samples that the judge marked.
        n: Samples that the judge saw.
        sensitivity: Share of the truly positive that the judge marks.
        n_sensitivity: Truly positive samples on which the sensitivity was measured.
        specificity: Share of the truly negative that the judge leaves unmarked.
        n_specificity: Truly negative samples on which the specificity was measured.
        level: Two-sided level of the interval.
        seed: Seed of the simulation, or none for the delta method.
    """
    if not 0 < level < 1:
        raise ValueError("the level lies between 0 and 1")
    shares = _Share(observed_rate, n), _Share(sensitivity, n_sensitivity), _Share(specificity, n_specificity)
    if any(not 0 <= share.value <= 1 or share.n < 1 for share in shares):
        raise ValueError("rates lie between 0 and 1, each from at least one sample")
    if sensitivity + specificity <= 1:
        raise ValueError("a judge whose sensitivity and specificity sum to 1 or less carries no information")
    value = _clip(_corrected(observed_rate, sensitivity, specificity))
    if seed is None:
        low, high = _delta(shares, level)
        return CorrectedRate(value, min(low, value), max(high, value), "delta", None)
    low, high = _simulated(shares, level, seed)
    return CorrectedRate(value, min(low, value), max(high, value), "simulation", seed)


def _delta(shares: tuple[_Share, _Share, _Share], level: float) -> tuple[float, float]:
    z = float(special.ndtri((1.0 + level) / 2.0))
    observed = _shrunk(shares[0], z**2)
    sensitivity, specificity = _shrunk(shares[1], 2.0), _shrunk(shares[2], 2.0)
    information = sensitivity.value + specificity.value - 1.0
    if information <= 0:
        return 0.0, 1.0
    rate = _corrected(observed.value, sensitivity.value, specificity.value)
    of_sensitivity, of_specificity = rate**2 * _variance(sensitivity), (1.0 - rate) ** 2 * _variance(specificity)
    half = z * float(np.sqrt(_variance(observed) + of_sensitivity + of_specificity)) / information
    shift = 2.0 * z**2 * (rate * _variance(sensitivity) - (1.0 - rate) * _variance(specificity))
    return _clip(rate + shift - half), _clip(rate + shift + half)


def _simulated(shares: tuple[_Share, _Share, _Share], level: float, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    observed, sensitivity, specificity = (
        rng.beta(share.value * share.n + 0.5, (1.0 - share.value) * share.n + 0.5, DRAWS) for share in shares
    )
    information = sensitivity + specificity - 1.0
    is_blind = information <= 0
    rate = np.clip((observed + specificity - 1.0) / np.where(is_blind, 1.0, information), 0.0, 1.0)
    low = np.quantile(np.where(is_blind, 0.0, rate), (1.0 - level) / 2.0)
    high = np.quantile(np.where(is_blind, 1.0, rate), (1.0 + level) / 2.0)
    return float(low), float(high)


def _corrected(observed: float, sensitivity: float, specificity: float) -> float:
    return (observed + specificity - 1.0) / (sensitivity + specificity - 1.0)


def _shrunk(share: _Share, added: float) -> _Share:
    return _Share((share.value * share.n + added / 2.0) / (share.n + added), share.n + added)


def _variance(share: _Share) -> float:
    return share.value * (1.0 - share.value) / share.n


def _clip(value: float) -> float:
    return min(1.0, max(0.0, value))

# SPDX-License-Identifier: Apache-2.0
"""Power before the run against published tables, statsmodels and the bounds themselves."""

import math
from itertools import count

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestPower

from tidegate.assess import power
from tidegate.assess.power import Design, plan
from tidegate.assess.statistics import binomial_upper


@pytest.mark.parametrize(("true_rate", "expected"), [(0.05, [0.36, 0.81, 0.96, 1.0]), (0.10, [0.12, 0.41, 0.62, 0.88])])
def test_power_to_rule_out_a_fifth(true_rate, expected):
    found = power.rule_out_power(np.array([20, 30, 50, 100]), true_rate, 0.2, 0.95)
    assert found.tolist() == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("successes", "sizes"),
    [(0, [5, 14, 29, 59, 299]), (1, [8, 22, 46, 93, 473]), (3, [13, 37, 76, 153, 773])],
)
def test_samples_needed(successes, sizes):
    assert [power.samples_needed(successes, line, 0.95) for line in (0.5, 0.2, 0.1, 0.05, 0.01)] == sizes


@settings(deadline=None)
@given(st.integers(0, 400), st.floats(0.01, 0.99), st.floats(0.6, 0.99))
def test_most_successes_is_where_the_bound_passes_the_line(n, line, confidence):
    most = int(power.most_successes(np.array([n]), line, confidence)[0])
    if most >= 0:
        assert binomial_upper(most, n, confidence) <= line + 1e-9
    if most + 1 <= n:
        assert binomial_upper(most + 1, n, confidence) >= line - 1e-9


@settings(deadline=None)
@given(st.integers(1, 120), st.sampled_from([0.0, 1.0]) | st.floats(1e-6, 0.999), st.floats(0.05, 0.94))
def test_power_is_the_sum_over_counts_that_rule_out(n, true_rate, line):
    counts = np.arange(n + 1)
    chances = stats.binom.cdf(counts, n, line)
    assume(bool(np.all(np.abs(chances - 0.05) > 1e-9)))
    is_out = chances <= 0.05
    expected = stats.binom.pmf(counts, n, true_rate)[is_out].sum()
    assert power.rule_out_power(np.array([n]), true_rate, line, 0.95)[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("true_rate", "line"), [(0.05, 0.2), (0.1, 0.2), (0.0, 0.01), (0.3, 0.5), (0.45, 0.5)])
def test_from_the_needed_number_on_the_power_holds(true_rate, line):
    n = power.samples_for_power(true_rate, line, 0.95, 0.8)
    powers = power.rule_out_power(np.arange(n - 1, n + 2000), true_rate, line, 0.95)
    assert powers[0] < 0.8
    assert bool(np.all(powers[1:] >= 0.8))


def test_out_of_reach_is_none():
    assert power.samples_for_power(0.2, 0.2, 0.95, 0.8) is None
    assert power.samples_for_power(0.3, 0.2, 0.95, 0.8) is None
    assert power.samples_for_power(0.01, 0.0100001, 0.95, 0.8) is None
    assert power.samples_needed(0, 1e-6, 0.95) is None
    assert power.samples_for_mean(0.0, 1.0, 0.95) is None
    assert power.samples_for_mean(1e-9, 1.0, 0.95) is None
    assert math.isnan(power.mean_power(1, 0.5, 1.0, 0.95))


def test_a_suite_too_small_cannot_rule_out():
    small = plan(0.1, 0.95, Design(28), true_rates=(0.0,))
    assert (small.can_rule_out, small.most_successes) == (False, None)
    assert small.best_bound > 0.1
    assert small.powers[0].power == 0.0
    enough = plan(0.1, 0.95, Design(29), true_rates=(0.0, 0.05))
    assert (enough.can_rule_out, enough.most_successes) == (True, 0)
    assert enough.powers[0].power == 1.0
    assert [need.samples for need in enough.needed] == [29, 46, 76]


def test_without_a_size_only_the_needed_numbers_are_given():
    found = plan(0.2, 0.95, true_rates=(0.05,))
    assert (found.can_rule_out, found.best_bound, found.independent_samples) == (None, None, None)
    assert found.powers[0].power is None
    assert found.powers[0].samples == 37
    assert plan(0.2, 0.95, Design(0)).can_rule_out is False


@pytest.mark.parametrize(
    ("design", "samples"),
    [
        (Design(50, attempts=4), 50),
        (Design(50, attempts=4, agreement=0.0), 200),
        (Design(50, attempts=4, agreement=0.5), 80),
        (Design(50, clustering=2.0), 25),
        (Design(3, attempts=3), 3),
    ],
)
def test_attempts_and_clusters_change_what_a_suite_is_worth(design, samples):
    assert design.independent_samples == samples
    assert design.questions_for(samples) == design.questions


def test_questions_needed_grow_with_the_design_effect():
    found = plan(0.2, 0.95, Design(50, clustering=2.0), true_rates=(0.05,))
    assert [(need.samples, need.questions) for need in found.needed] == [(14, 28), (22, 44), (37, 74)]
    assert found.powers[0].questions == 2 * found.powers[0].samples


def test_lines_from_below_are_mirrored():
    found = plan(0.8, 0.95, Design(30), true_rates=(0.95,), higher_concerns=False)
    mirror = plan(0.2, 0.95, Design(30), true_rates=(0.05,))
    assert found.powers[0].power == pytest.approx(mirror.powers[0].power)
    assert found.powers[0].true_rate == 0.95
    assert found.best_bound == pytest.approx(1 - mirror.best_bound)
    assert found.needed == mirror.needed


@pytest.mark.parametrize(
    "call",
    [
        lambda: plan(0.0, 0.95),
        lambda: plan(0.2, 1.0),
        lambda: plan(0.2, 0.95, true_rates=(1.2,)),
        lambda: Design(-1),
        lambda: Design(5, attempts=0),
        lambda: Design(5, agreement=2.0),
        lambda: Design(5, clustering=0.5),
        lambda: power.samples_for_paired_difference(0.0, 0.1),
    ],
    ids=count(),
)
def test_nonsense_is_refused(call):
    with pytest.raises(ValueError):
        call()


def test_paired_sizes_are_millers():
    assert power.samples_for_paired_difference(0.03, 1 / 9, (1 / 6, 1 / 6)) == 3876
    assert power.samples_for_paired_difference(0.03, 1 / 9, (1 / 6, 1 / 6), (10, 10)) == 1260


@pytest.mark.parametrize(("distance", "sd"), [(0.1, 0.3), (0.5, 0.5), (2.0, 0.5)])
def test_mean_power_is_that_of_statsmodels(distance, sd):
    oracle = TTestPower()
    for n in (5, 20, 80):
        expected = oracle.power(distance / sd, n, 0.05, alternative="larger")
        expected = 1.0 if math.isnan(expected) else expected  # dozens of standard errors away
        assert power.mean_power(n, distance, sd, 0.95) == pytest.approx(expected, abs=1e-8)
    n = power.samples_for_mean(distance, sd, 0.95)
    assert power.mean_power(n, distance, sd, 0.95) >= 0.8
    assert n == 2 or power.mean_power(n - 1, distance, sd, 0.95) < 0.8

# SPDX-License-Identifier: Apache-2.0
"""Statistics against other libraries, published figures, exact enumeration and laws."""

import math
from itertools import combinations, count

import numpy as np
import pytest
import statsmodels.api as sm
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from tidegate.assess import statistics
from tidegate.assess.statistics import Summary

COUNTS = [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (1, 39), (38, 39), (50, 300), (299, 300)]


def clustered_sample(items=260, clusters=40):
    rng = np.random.default_rng(7)
    labels = rng.integers(0, clusters, items)
    rates = rng.beta(1, 1, clusters)
    return (rng.random(items) < rates[labels]).astype(float), labels


@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_exact_bounds_are_those_of_statsmodels_and_scipy(k, n):
    low, high = proportion_confint(k, n, alpha=0.1, method="beta")
    assert statistics.binomial_upper(k, n, 0.95) == pytest.approx(1.0 if k == n else high, abs=1e-12)
    assert statistics.binomial_lower(k, n, 0.95) == pytest.approx(0.0 if k == 0 else low, abs=1e-12)
    upper = stats.binomtest(k, n, alternative="less").proportion_ci(0.99).high
    assert statistics.binomial_upper(k, n, 0.99) == pytest.approx(upper, abs=1e-7)


@pytest.mark.parametrize(("k", "n"), COUNTS)
def test_wilson_is_that_of_statsmodels(k, n):
    expected = proportion_confint(k, n, alpha=0.05, method="wilson")
    assert statistics.wilson(k, n, 0.95) == pytest.approx(expected, abs=1e-12)


def test_arrays_give_the_same_as_single_numbers():
    k, n = np.array(COUNTS, dtype=float).T
    for bound in (statistics.binomial_upper, statistics.binomial_lower):
        assert bound(k, n, 0.95).tolist() == pytest.approx([bound(*pair, 0.95) for pair in COUNTS], abs=1e-15)
    intervals = statistics.wilson(k, n, 0.95)
    assert intervals.low.tolist() == pytest.approx([statistics.wilson(*pair, 0.95).low for pair in COUNTS])


def test_nothing_observed_is_total_ignorance():
    assert (statistics.binomial_lower(0, 0, 0.95), statistics.binomial_upper(0, 0, 0.95)) == (0.0, 1.0)
    assert statistics.wilson(0, 0, 0.95) == (0.0, 1.0)
    assert statistics.binomial_upper(np.zeros(2), 0.0, 0.95).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("successes", "sizes"),
    [(0, [5, 14, 29, 59, 299]), (1, [8, 22, 46, 93, 473]), (3, [13, 37, 76, 153, 773])],
)
def test_rule_out_sizes_are_the_published_ones(successes, sizes):
    for line, n in zip((0.5, 0.2, 0.1, 0.05, 0.01), sizes, strict=True):
        assert statistics.binomial_upper(successes, n, 0.95) < line <= statistics.binomial_upper(successes, n - 1, 0.95)


def coverage(n, p, interval):
    """The exact chance that the interval holds p: a sum over every possible count."""
    k = np.arange(n + 1)
    low, high = interval(k.astype(float), float(n))
    return float(stats.binom.pmf(k, n, p)[(low <= p) & (p <= high)].sum())


def exact(k, n):
    return statistics.binomial_lower(k, n, 0.975), statistics.binomial_upper(k, n, 0.975)


@pytest.mark.parametrize(
    ("n", "p", "wilson", "clopper_pearson"),
    [
        (10, 0.1, 0.931, 0.987),
        (20, 0.05, 0.926, 0.984),
        (39, 0.05, 0.958, 0.989),
        (100, 0.02, 0.948, 0.984),
        (100, 0.5, 0.945, 0.965),
        (300, 0.05, 0.954, 0.965),
    ],
)
def test_coverage_is_as_measured_elsewhere(n, p, wilson, clopper_pearson):
    assert coverage(n, p, lambda k, total: statistics.wilson(k, total, 0.95)) == pytest.approx(wilson, abs=0.005)
    assert coverage(n, p, exact) == pytest.approx(clopper_pearson, abs=0.005)


@settings(deadline=None)
@given(st.integers(1, 60), st.floats(0.001, 0.999))
def test_exact_interval_never_covers_less_than_it_says(n, p):
    assert coverage(n, p, exact) >= 0.95 - 1e-9


@settings(deadline=None)
@given(st.integers(1, 500), st.data(), st.floats(0.55, 0.999))
def test_bounds_enclose_the_rate_and_rise_with_successes(n, data, confidence):
    k = data.draw(st.integers(0, n))
    low, high = statistics.binomial_lower(k, n, confidence), statistics.binomial_upper(k, n, confidence)
    assert 0 <= low <= k / n <= high <= 1
    assert low < high
    if k < n:
        assert statistics.binomial_lower(k + 1, n, confidence) > low
        assert statistics.binomial_upper(k + 1, n, confidence) > high
    wide = statistics.wilson(k, n, confidence)
    assert wide.low <= k / n <= wide.high
    assert wide.low < wide.high


@settings(deadline=None)
@given(st.integers(1, 200), st.data())
def test_p_values_mirror_the_bounds(n, data):
    k = data.draw(st.integers(0, n))
    line = data.draw(st.floats(0.01, 0.99))
    less = statistics.binomial_p_value(k, n, line, alternative="less")
    greater = statistics.binomial_p_value(k, n, line, alternative="greater")
    assert less == pytest.approx(stats.binomtest(k, n, line, alternative="less").pvalue, abs=1e-9)
    assert greater == pytest.approx(stats.binomtest(k, n, line, alternative="greater").pvalue, abs=1e-9)
    if abs(less - 0.05) > 1e-9:
        assert (less < 0.05) == (statistics.binomial_upper(k, n, 0.95) < line)
    if abs(greater - 0.05) > 1e-9:
        assert (greater < 0.05) == (statistics.binomial_lower(k, n, 0.95) > line)


@pytest.mark.parametrize(
    "call",
    [
        lambda: statistics.binomial_upper(3, 2, 0.95),
        lambda: statistics.binomial_lower(-1, 2, 0.95),
        lambda: statistics.binomial_upper(math.nan, 2, 0.95),
        lambda: statistics.binomial_upper(np.array([3.0]), 2.0, 0.95),
        lambda: statistics.wilson(1, 2, 1.0),
        lambda: statistics.mean_bound(0.5, 0.1, 9, 0.0, upper=True),
        lambda: statistics.effective_n(1.2, 9, 0.1),
        lambda: statistics.clustered_standard_error([1.0, 0.0], [1]),
        lambda: statistics.binomial_p_value(1, 2, 1.5, alternative="less"),
        lambda: statistics.holm([0.1, 1.1]),
        lambda: statistics.holm([math.nan]),
        lambda: statistics.intersection_union([]),
        lambda: statistics.summarise([]),
        lambda: statistics.paired_difference([1.0], [1.0, 0.0]),
        lambda: statistics.paired_difference([1.0, 0.0], [1.0, 1.0], level=1.5),
        lambda: statistics.uplift(Summary(1.0, -1.0, 3), Summary(1.0, 1.0, 3)),
        lambda: statistics.uplift([0.0, 0.0], [1.0, 2.0], ratio_method="log-delta"),
        lambda: statistics.elicitation_gap(Summary(1.0, 1.0, 3), [1.0, 2.0], 0.1, paired=True),
        lambda: statistics.pass_at_k(4, 2, 0),
        lambda: statistics.pass_hat_k(4, 5, 1),
        lambda: statistics.best_of_n([1.0], 0),
        lambda: statistics.fit_beta_binomial([0, 0], [5, 5]),
        lambda: statistics.fit_beta_binomial([5, 5], [5, 5]),
        lambda: statistics.rogan_gladen(0.2, 10, 0.5, 10, 0.5, 10, 0.95),
        lambda: statistics.rogan_gladen(0.2, 0, 0.9, 10, 0.9, 10, 0.95),
        lambda: statistics.rogan_gladen(0.2, 10, 0.9, 10, 0.9, 10, 1.0),
    ],
    ids=count(),
)
def test_nonsense_is_refused(call):
    with pytest.raises(ValueError):
        call()


def test_mean_bound_is_students():
    sample = np.array([0.2, 0.4, 0.7, 0.1, 0.5])
    error = float(stats.sem(sample))
    interval = stats.ttest_1samp(sample, 0).confidence_interval(0.90)
    assert statistics.mean_bound(sample.mean(), error, 5, 0.95, upper=True) == pytest.approx(interval.high)
    assert statistics.mean_bound(sample.mean(), error, 5, 0.95, upper=False) == pytest.approx(interval.low)


@pytest.mark.parametrize(("error", "n"), [(0.0, 50), (1e-17, 50), (0.1, 1), (math.nan, 50), (-0.1, 50), (math.inf, 50)])
def test_without_variation_or_size_there_is_no_bound_on_a_mean(error, n):
    assert math.isnan(statistics.mean_bound(0.5, error, n, 0.95, upper=True))


@pytest.mark.parametrize("correction", [True, False])
def test_clustered_standard_error_is_that_of_a_regression_on_a_constant(correction):
    scores, labels = clustered_sample()
    model = sm.OLS(scores, np.ones_like(scores))
    found = model.fit(cov_type="cluster", cov_kwds={"groups": labels, "use_correction": correction})
    ours = statistics.clustered_standard_error(scores, labels, correction=correction)
    assert ours == pytest.approx(float(found.bse[0]), rel=1e-10)
    assert ours > scores.std(ddof=1) / math.sqrt(scores.size)


def test_one_cluster_has_no_standard_error():
    assert math.isnan(statistics.clustered_standard_error([1.0, 0.0], ["a", "a"]))
    assert math.isnan(statistics.clustered_standard_error([], []))


def test_effective_n_of_independent_samples_is_n():
    assert statistics.effective_n(0.3, 100, math.sqrt(0.21 / 100)) == pytest.approx(100)
    assert statistics.effective_n(0.3, 100, math.sqrt(0.21 / 25)) == pytest.approx(25)
    assert statistics.effective_n(0.3, 100, math.sqrt(0.21 / 900)) == 100


@pytest.mark.parametrize(
    ("value", "error"), [(0.0, 0.1), (1.0, 0.1), (0.5, 0.0), (0.5, 1e-17), (0.5, 1e-170), (0.5, math.nan)]
)
def test_effective_n_is_unknown_where_the_error_says_nothing(value, error):
    assert math.isnan(statistics.effective_n(value, 100, error))


def test_clustered_bound_is_korn_and_graubards():
    value, n, error, clusters = 0.3, 200, 0.06, 20
    ratio = (stats.t.ppf(0.95, n - 1) / stats.t.ppf(0.95, clusters - 1)) ** 2
    trials = value * (1 - value) / error**2 * ratio
    upper = stats.beta.ppf(0.95, value * trials + 1, (1 - value) * trials)
    lower = stats.beta.ppf(0.05, value * trials, (1 - value) * trials + 1)
    assert statistics.clustered_binomial_bound(value, n, error, clusters, 0.95, upper=True) == pytest.approx(upper)
    assert statistics.clustered_binomial_bound(value, n, error, clusters, 0.95, upper=False) == pytest.approx(lower)


@pytest.mark.parametrize(
    ("value", "error", "clusters", "trials"),
    [
        (0.0, 0.0, 10, 10),  # twenty attempts at each of ten tasks, all failed: ten tasks, not two hundred
        (0.0, None, None, 200),
        (0.0, None, 10, 10),
        (0.5, 0.0, 10, 10),
        (0.5, None, None, 200),
        (0.5, 0.05, None, 100),
        (0.5, 0.05, 1, 0),
        (0.0, None, 1, 0),
    ],
)
def test_a_silent_standard_error_leaves_one_trial_per_cluster(value, error, clusters, trials):
    found = statistics.clustered_binomial_bound(value, 200, error, clusters, 0.95, upper=True)
    assert found == pytest.approx(statistics.binomial_upper(value * trials, trials, 0.95))


@settings(deadline=None)
@given(st.integers(1, 300), st.data())
def test_clustering_never_tightens_a_bound(n, data):
    k = data.draw(st.integers(0, n))
    error = data.draw(st.floats(0, 0.5))
    clusters = data.draw(st.none() | st.integers(1, n))
    upper = statistics.clustered_binomial_bound(k / n, n, error, clusters, 0.95, upper=True)
    lower = statistics.clustered_binomial_bound(k / n, n, error, clusters, 0.95, upper=False)
    assert upper >= statistics.binomial_upper(k / n * n, n, 0.95)
    assert lower <= statistics.binomial_lower(k / n * n, n, 0.95)


def test_paired_difference_is_the_t_test_of_the_differences():
    rng = np.random.default_rng(3)
    first = rng.random(40)
    second = first + rng.normal(0.1, 0.2, 40)
    found = statistics.paired_difference(first, second)
    expected = stats.ttest_rel(first, second).confidence_interval(0.95)
    assert (found.difference.low, found.difference.high) == pytest.approx((expected.low, expected.high))
    error = [float(stats.sem(row)) for row in (first, second)]
    variance = error[0] ** 2 + error[1] ** 2 - 2 * error[0] * error[1] * found.correlation
    assert found.difference.standard_error == pytest.approx(math.sqrt(variance))
    assert found.mcnemar_p is None


def test_paired_difference_of_clusters():
    scores, labels = clustered_sample()
    other = np.roll(scores, 1)
    found = statistics.paired_difference(scores, other, labels)
    assert found.clusters == 40
    assert found.difference.df == 39
    assert found.difference.standard_error == statistics.clustered_standard_error(scores - other, labels)
    assert found.mcnemar_p is None


@pytest.mark.parametrize(("won", "lost"), [(9, 2), (1, 7), (5, 5), (0, 4)])
def test_mcnemar_is_that_of_statsmodels(won, lost):
    first = np.array([1.0] * won + [0.0] * lost + [1.0, 0.0])
    second = np.array([0.0] * won + [1.0] * lost + [1.0, 0.0])
    expected = mcnemar([[1, won], [lost, 1]], exact=True).pvalue
    assert statistics.paired_difference(first, second).mcnemar_p == pytest.approx(min(expected, 1.0))


def test_equal_rows_show_no_interval():
    found = statistics.paired_difference([1.0, 1.0], [0.0, 0.0])
    assert found.difference.value == 1.0
    assert math.isnan(found.difference.low)
    assert math.isnan(found.difference.high)
    assert math.isnan(found.correlation)
    assert math.isnan(statistics.paired_difference([0.1 + 0.2, 0.3], [0.0, 0.0]).difference.low)
    assert statistics.paired_difference([1.0, 0.0], [1.0, 0.0]).mcnemar_p == 1.0
    assert math.isnan(statistics.paired_difference([1.0], [0.0]).difference.low)


@pytest.mark.parametrize(
    ("n", "c", "k", "expected"), [(8, 2, 4, 0.7857), (5, 0, 3, 0.0), (5, 5, 3, 1.0), (4, 3, 2, 1.0)]
)
def test_pass_at_k(n, c, k, expected):
    assert float(statistics.pass_at_k(n, c, k)) == pytest.approx(expected, abs=5e-5)


@settings(deadline=None)
@given(st.integers(1, 60), st.data())
def test_attempts_by_counting_subsets(n, data):
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    whole = math.comb(n, k)
    assert float(statistics.pass_at_k(n, c, k)) == pytest.approx(1 - math.comb(n - c, k) / whole, abs=1e-12)
    assert float(statistics.pass_hat_k(n, c, k)) == pytest.approx(math.comb(c, k) / whole, abs=1e-12)
    scores = [1.0] * c + [0.0] * (n - c)
    assert statistics.best_of_n(scores, k) == pytest.approx(float(statistics.pass_at_k(n, c, k)), abs=1e-12)


def test_more_attempts_than_made_are_not_guessed():
    assert np.isnan(statistics.pass_at_k([3, 5], [1, 1], 4)).tolist() == [True, False]
    assert np.isnan(statistics.pass_hat_k(3, 3, 4))
    assert math.isnan(statistics.best_of_n([1.0, 0.0], 3))


def test_best_of_n_is_the_mean_maximum_of_all_subsets():
    scores = [0.3, 0.9, 0.1, 0.5, 0.5]
    for n in range(1, 6):
        expected = np.mean([max(chosen) for chosen in combinations(scores, n)])
        assert statistics.best_of_n(scores, n) == pytest.approx(expected)


def test_beta_binomial_is_most_likely_and_marks_extrapolation():
    rng = np.random.default_rng(5)
    attempts = np.full(400, 6)
    successes = rng.binomial(attempts, rng.beta(0.4, 0.8, 400))
    fitted = statistics.fit_beta_binomial(successes, attempts)
    likelihood = stats.betabinom.logpmf(successes, attempts, fitted.alpha, fitted.beta).sum()
    assert fitted.log_likelihood == pytest.approx(likelihood)
    for scale in ((1.05, 1), (0.95, 1), (1, 1.05), (1, 0.95)):
        shape = fitted.alpha * scale[0], fitted.beta * scale[1]
        assert stats.betabinom.logpmf(successes, attempts, *shape).sum() < likelihood
    within, beyond = fitted.pass_at(6), fitted.pass_at(64)
    assert within.value == pytest.approx(float(statistics.pass_at_k(attempts, successes, 6).mean()), abs=0.02)
    assert (within.is_extrapolated, beyond.is_extrapolated) == (False, True)
    assert within.value < beyond.value < 1
    assert beyond.value == pytest.approx(1 - stats.betabinom.pmf(0, 64, fitted.alpha, fitted.beta))


def test_difference_is_welchs():
    rng = np.random.default_rng(2)
    treatment, control = rng.normal(5, 2, 12), rng.normal(3, 1, 20)
    found = statistics.uplift(treatment, control)
    oracle = stats.ttest_ind(treatment, control, equal_var=False)
    expected = oracle.confidence_interval(0.95)
    assert (found.difference.low, found.difference.high) == pytest.approx((expected.low, expected.high))
    assert found.difference.df == pytest.approx(oracle.df)
    again = statistics.uplift(statistics.summarise(treatment), statistics.summarise(control))
    assert again == found


def test_fieller_ends_are_the_ratios_that_the_test_just_keeps():
    treatment, control = Summary(6.0, 2.0, 12), Summary(3.0, 1.5, 15)
    found = statistics.uplift(treatment, control)
    t = stats.t.ppf(0.975, found.difference.df)
    for ratio in (found.ratio.low, found.ratio.high):
        error = math.sqrt(4 / 12 + ratio**2 * 2.25 / 15)
        assert abs(6 - ratio * 3) / error == pytest.approx(t)
    assert found.ratio.low < found.ratio.value == 2.0 < found.ratio.high
    assert found.ratio.method == "fieller"


def test_ratio_to_something_that_may_be_nothing_is_unbounded():
    found = statistics.uplift(Summary(6.0, 2.0, 12), Summary(0.3, 1.5, 6)).ratio
    assert (found.low, found.high, found.method) == (-math.inf, math.inf, "fieller-unbounded")
    assert math.isnan(statistics.uplift(Summary(6.0, 2.0, 12), Summary(0.0, 1.0, 5)).ratio.value)


def test_log_delta_is_near_fieller_when_errors_are_small():
    groups = Summary(6.0, 0.2, 40), Summary(3.0, 0.1, 40)
    fieller = statistics.uplift(*groups).ratio
    delta = statistics.uplift(*groups, ratio_method="log-delta").ratio
    assert delta.method == "log-delta"
    assert (delta.low, delta.high) == pytest.approx((fieller.low, fieller.high), rel=1e-3)


def test_single_scores_and_no_variation_give_no_interval():
    for groups in (([1.0], [0.5, 0.6]), ([1.0, 1.0], [0.5, 0.5])):
        found = statistics.uplift(*groups)
        assert math.isnan(found.difference.low)
        assert math.isnan(found.ratio.low)


@pytest.mark.parametrize(
    ("low", "high", "higher", "lower"),
    [
        (0.1, 0.19, "ruled_out", "ruled_in"),
        (0.21, 0.3, "ruled_in", "ruled_out"),
        (0.1, 0.3, "not_determined", "not_determined"),
        (0.1, 0.2, "not_determined", "not_determined"),
        (0.2, 0.3, "not_determined", "not_determined"),
        (None, 0.1, "ruled_out", "ruled_in"),
        (0.1, None, "not_determined", "not_determined"),
        (0.3, math.nan, "ruled_in", "ruled_out"),
        (None, None, "invalid_evidence", "invalid_evidence"),
        (0.3, 0.1, "invalid_evidence", "invalid_evidence"),
    ],
)
def test_decision_against_a_line(low, high, higher, lower):
    assert statistics.against_line(low, high, 0.2) == higher
    assert statistics.against_line(low, high, 0.2, higher_concerns=False) == lower


def test_a_line_that_is_not_a_number_decides_nothing():
    assert statistics.against_line(0.1, 0.2, math.nan) == "invalid_evidence"


@settings(deadline=None, max_examples=15)
@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_is_that_of_statsmodels(p_values):
    ours = statistics.holm(p_values)
    if p_values:
        assert ours == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)
        assert statistics.intersection_union(p_values) == max(p_values)
    assert bool(np.all(ours >= np.array(p_values)))


@pytest.mark.parametrize(
    ("stronger", "verdict"),
    [(Summary(0.52, 0.1, 100), "within_margin"), (Summary(0.8, 0.1, 100), "beyond_margin"),
     (Summary(0.6, 0.1, 100), "not_determined"), (Summary(0.5, 0.0, 1), "not_determined")],
)  # fmt: skip
def test_elicitation_gap_against_its_margin(stronger, verdict):
    assert statistics.elicitation_gap(Summary(0.5, 0.1, 100), stronger, 0.1).verdict == verdict


def test_paired_elicitation_gap_has_one_sided_bounds():
    weaker, stronger = [0.1, 0.4, 0.5, 0.2], [0.3, 0.5, 0.9, 0.4]
    found = statistics.elicitation_gap(weaker, stronger, 0.5, paired=True)
    expected = stats.ttest_rel(stronger, weaker).confidence_interval(0.90)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.verdict == "within_margin"


def test_rogan_gladen_inverts_the_judges_errors():
    truth, sensitivity, specificity = 0.3, 0.9, 0.8
    observed = truth * sensitivity + (1 - truth) * (1 - specificity)
    for seed in (None, 4):
        found = statistics.rogan_gladen(observed, 500, sensitivity, 300, specificity, 300, 0.95, seed=seed)
        assert found.value == pytest.approx(truth)
        assert found.low < truth < found.high
        assert found.method == ("delta" if seed is None else "simulation")
    assert found == statistics.rogan_gladen(observed, 500, sensitivity, 300, specificity, 300, 0.95, seed=4)


def test_both_ways_of_correcting_a_judge_agree():
    delta = statistics.rogan_gladen(0.4, 800, 0.9, 400, 0.85, 400, 0.95)
    simulated = statistics.rogan_gladen(0.4, 800, 0.9, 400, 0.85, 400, 0.95, seed=1)
    assert (simulated.low, simulated.high) == pytest.approx((delta.low, delta.high), abs=0.01)


def test_a_flawless_judge_on_few_samples_is_still_uncertain():
    sure = statistics.rogan_gladen(0.1, 1000, 1.0, 10**9, 1.0, 10**9, 0.95)
    assert (sure.low, sure.high) == pytest.approx(statistics.wilson(100, 1000, 0.95), abs=0.002)
    unsure = statistics.rogan_gladen(0.1, 1000, 1.0, 10, 1.0, 10, 0.95)
    assert unsure.high - unsure.low > 1.5 * (sure.high - sure.low)
    none_seen = statistics.rogan_gladen(0.0, 50, 1.0, 50, 1.0, 50, 0.95)
    assert none_seen.low == 0.0 < none_seen.high


def test_a_judge_that_may_be_blind_says_nothing():
    assert statistics.rogan_gladen(1.0, 9, 1.0, 1, 0.01, 100, 0.95).low == 0.0
    simulated = statistics.rogan_gladen(0.5, 100, 0.6, 5, 0.6, 5, 0.95, seed=1)
    assert (simulated.low, simulated.high) == (0.0, 1.0)


@pytest.mark.parametrize("truth", [0.0, 0.1, 0.5, 1.0])
def test_corrected_interval_covers_by_enumeration(truth):
    """Over every outcome of the run and of both validations, weighted by its probability."""
    n, checks, sensitivity, specificity = 30, 12, 0.9, 0.9
    observed = truth * sensitivity + (1 - truth) * (1 - specificity)
    chances = [stats.binom.pmf(np.arange(size + 1), size, p)
               for size, p in ((n, observed), (checks, sensitivity), (checks, specificity))]  # fmt: skip
    covered = seen = 0.0
    for k, first in enumerate(chances[0]):
        for a, second in enumerate(chances[1]):
            for b, third in enumerate(chances[2]):
                chance = first * second * third
                if chance < 1e-6 or a + b <= checks:
                    continue
                seen += chance
                found = statistics.rogan_gladen(k / n, n, a / checks, checks, b / checks, checks, 0.95)
                covered += chance * (found.low <= truth <= found.high)
    assert seen > 0.99
    assert covered / seen > 0.945


def test_beta_binomial_on_real_runs_is_as_measured_elsewhere(shared):
    text = (shared / "data/horizon/metr_task_results_gpt-5.4.yaml").read_text(encoding="utf-8")
    tasks = [
        task for task in yaml.load(text, yaml.CSafeLoader)["agents"]["GPT-5.4"]["tasks"] if task["human_minutes"] > 60
    ]
    successes, attempts = (np.array([task[key] for task in tasks]) for key in ("n_successes", "n_runs"))
    fitted = statistics.fit_beta_binomial(successes, attempts)
    assert (len(tasks), fitted.alpha, fitted.beta) == pytest.approx((72, 0.161, 0.160), abs=5e-4)
    assert float(statistics.pass_at_k(attempts, successes, 6).mean()) == pytest.approx(0.639, abs=5e-4)
    assert [fitted.pass_at(k).value for k in (6, 16, 64)] == pytest.approx([0.638, 0.692, 0.754], abs=5e-4)

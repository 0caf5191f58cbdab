# SPDX-License-Identifier: Apache-2.0
"""Figures recomputed from rows: against numbers worked by hand, other libraries, and laws."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.evidence.recompute import (
    DuplicateSampleError,
    SampleRow,
    Tally,
    canonical_row,
    clustered_standard_error,
    known_reducer,
    pass_at_k,
    pass_hat_k,
    reduce_epochs,
    summarise,
    value_to_float,
)
from tidegate.kernel.canonical import merkle_root


def row(sample: object, value: float | None = None, epoch: int = 1, **more: Any) -> SampleRow:
    return SampleRow(str(sample), epoch, "match", value, **more)


def test_errors_do_not_leave_the_denominator():
    """Ten samples, three errors: 6 of 7 scored is 0.857, and neither 0.6 nor 0.9 may be lost sight of."""
    rows = [row(n, 1.0 if n < 6 else 0.0) for n in range(7)] + [row(n, error="boom") for n in (7, 8, 9)]
    summary = summarise(rows, planned=10)
    assert (summary.value, summary.errors_as_zero, summary.worst_case) == (6 / 7, 0.6, 0.9)
    assert summary.counts.model_dump(exclude_defaults=True) == {
        "planned": 10,
        "completed": 7,
        "errored": 3,
        "scored": 7,
    }
    assert (summary.n, summary.successes, summary.binary) == (7, 6.0, True)


@pytest.mark.parametrize(
    ("lost", "count"),
    [
        (row("x", 0.0, error="late"), "errored"),
        (row("x", 0.0, invalidated=True), "invalidated"),
        (row("x", 0.0, fallback=True), "fallback"),
        (row("x"), "unscored"),
        (row("x", 0.0, error="late", invalidated=True, fallback=True), "errored"),
    ],
)
def test_every_way_to_be_lost_is_counted_once_and_is_a_success_at_worst(lost: SampleRow, count: str):
    summary = summarise([row("a", 0.0), row("b", 1.0), row("c", 0.0), lost], planned=5)
    assert summary.value == pytest.approx(1 / 3)
    assert summary.worst_case == pytest.approx(3 / 5)
    assert summary.errors_as_zero == pytest.approx(1 / 5)
    assert getattr(summary.counts, count) == 1
    assert summary.counts.missing == 1
    assert summary.counts.without_score == 2
    assert summary.as_logged == pytest.approx(1 / 3 if lost.value is None else 1 / 4)


def test_more_samples_than_planned_are_no_negative_number_of_missing_ones():
    assert summarise([row(n, 1.0) for n in range(3)], planned=2).counts.planned == 3


@pytest.mark.parametrize(
    ("reducer", "values", "expected"),
    [
        ("mean", [1, 0, 0, 1], 0.5),
        ("median", [0, 0.2, 1], 0.2),
        ("median", [0, 1], 0.5),
        ("mode", [0, 1, 1], 1),
        ("mode", [1, 0], 1),
        ("max", [0, 0.5, 0.2], 0.5),
        ("at_least_2", [1, 0, 1], 1),
        ("at_least_2", [1, 0, 0.9], 0),
        ("pass_at_1", [1, 0, 0, 0], 0.25),
        ("pass_at_2", [1, 0, 0, 0], 0.5),
        ("pass_at_3", [1, 0], math.nan),
        ("pass_k_2", [1, 1, 0], 1 / 3),
        ("pass_k_2", [1], math.nan),
    ],
)
def test_reducers(reducer: str, values: list[float], expected: float):
    assert known_reducer(reducer)
    assert reduce_epochs(values, reducer) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("name", ["top", "pass_at", "pass_at_x", "majority", "collect", "mean_2"])
def test_unknown_reducers_are_refused(name: str):
    assert not known_reducer(name)
    with pytest.raises(ValueError, match="not known"):
        reduce_epochs([1.0], name)


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=8), st.data())
def test_pass_at_k_is_the_share_of_draws_with_a_success_and_pass_hat_k_of_draws_without_failure(values, data):
    k = data.draw(st.integers(1, len(values)))
    draws = list(itertools.combinations(values, k))
    assert pass_at_k(values, k) == pytest.approx(sum(any(draw) for draw in draws) / len(draws))
    assert pass_hat_k(values, k) == pytest.approx(sum(all(draw) for draw in draws) / len(draws))


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("C", 1.0), ("I", 0.0), ("P", 0.5), ("N", 0.0), ("c", None), ("yes", 1.0), ("No", 0.0), ("TRUE", 1.0),
        ("false", 0.0), (True, 1.0), (False, 0.0), (3, 3.0), (0.25, 0.25), ("0.7", 0.7), ("-1", -1.0), ("nan", None),
        ("inf", None), (-math.inf, None), pytest.param(10**400, None, id="huge"), ("refused", None), (None, None), ([1], None), ({}, None),
    ],
)  # fmt: skip
def test_scores_are_read_as_inspect_reads_them(value: object, number: float | None):
    assert value_to_float(value) == number


def test_the_standard_error_is_the_ordinary_one_where_units_stand_alone():
    values = [0.0, 1.0, 1.0, 0.5, 0.25]
    summary = summarise([row(n, value) for n, value in enumerate(values)])
    assert summary.standard_error == pytest.approx(np.std(values, ddof=1) / np.sqrt(len(values)))
    assert summary.clusters == 5


def test_the_standard_error_over_epochs_is_that_of_the_questions_not_of_the_attempts():
    """Asking each question 50 times must not make the figure ten times surer."""
    rows = [row(n, float(n % 2), epoch) for n in range(10) for epoch in range(1, 51)]
    summary = summarise(rows, epochs=50)
    assert summary.standard_error == pytest.approx(np.std([0, 1] * 5, ddof=1) / np.sqrt(10))
    assert (summary.n, summary.attempts, summary.clusters, summary.binary) == (10, 50.0, 10, False)
    assert summarise(rows, epochs=50, reducer="none").standard_error == pytest.approx(summary.standard_error)


def test_related_questions_are_one_cluster():
    """Against the sandwich estimate of statsmodels, without its own small-sample factor."""
    sm = pytest.importorskip("statsmodels.api")
    values = [1.0, 1.0, 0.0, 0.0, 1.0, 0.0]
    groups = ["a", "a", "b", "b", "b", "c"]
    ours = summarise([row(n, v, cluster=g) for n, (v, g) in enumerate(zip(values, groups, strict=True))])
    codes = np.array([ord(group) for group in groups])
    model = sm.OLS(values, np.ones(len(values)))
    fitted = model.fit(cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False})
    assert ours.standard_error == pytest.approx(float(fitted.bse[0]) * math.sqrt(3 / 2))
    assert ours.clusters == 3


@pytest.mark.parametrize("values", [[1.0] * 8, [0.0] * 8, [0.3] * 8, [1.0]])
def test_no_variation_gives_no_standard_error_rather_than_zero(values: list[float]):
    assert summarise([row(n, value) for n, value in enumerate(values)]).standard_error is None
    assert clustered_standard_error(values, [str(n) for n in range(len(values))]) is None


def test_no_samples_give_no_figure():
    summary = summarise([], planned=3)
    assert (summary.value, summary.n, summary.worst_case, summary.counts.missing) == (None, 0, None, 3)
    assert summarise([]).attempts is None


def test_off_the_scale_from_zero_to_one_there_is_no_worst_case():
    summary = summarise([row("a", 7.5), row("b", error="x")], planned=2)
    assert (summary.value, summary.worst_case, summary.errors_as_zero, summary.successes) == (7.5, None, None, None)
    assert not summary.in_unit_interval


def test_the_worst_case_fills_lost_epochs_before_reducing():
    rows = [row("a", 0.0, 1), row("a", None, 2, error="x"), row("b", 0.0, 1), row("b", 0.0, 2)]
    assert summarise(rows, planned=6, epochs=2).worst_case == pytest.approx((0.5 + 0 + 1) / 3)
    assert summarise(rows, planned=6, epochs=2, reducer="max").worst_case == pytest.approx((1 + 0 + 1) / 3)
    assert summarise(rows, planned=6, epochs=2, reducer="pass_k_2").worst_case == pytest.approx(1 / 3)
    assert summarise(rows, planned=6, epochs=2, reducer="none").worst_case == pytest.approx(3 / 6)
    # The most frequent of one failure and one lost attempt is, at worst, the success.
    assert summarise(rows, planned=4, epochs=2, reducer="mode").worst_case == pytest.approx(1 / 2)


def test_a_unit_with_too_few_attempts_for_pass_at_k_has_no_score():
    summary = summarise([row("a", 1.0, 1), row("a", 0.0, 2), row("b", 1.0, 1)], reducer="pass_at_2")
    assert (summary.n, summary.value) == (1, 1.0)


def test_the_mode_is_taken_over_what_was_written():
    """C, I, N: three labels, so that the first is the mode, although two of them are worth nothing."""
    rows = [row("a", 1.0, 1, label="C"), row("a", 0.0, 2, label="I"), row("a", 0.0, 3, label="N")]
    assert summarise(rows, reducer="mode").as_logged == 1.0


def test_what_cannot_be_read_is_no_score_yet_zero_to_the_logs_own_tool():
    summary = summarise([row("a", 1.0), row("b", None, label="refused", logged=0.0)])
    assert (summary.value, summary.as_logged, summary.counts.unscored) == (1.0, 0.5, 1)


def test_a_sample_may_not_occur_twice_in_an_epoch():
    with pytest.raises(DuplicateSampleError, match="'a' occurs twice in epoch 1"):
        summarise([row("a", 1.0), row("a", 0.0)])


def test_the_root_is_the_tree_hash_over_the_canonical_rows():
    rows = [row("a", 1.0), row("b", None, error="boom")]
    assert canonical_row(rows[0]) == b'["a",1,"match",1,null]'
    assert canonical_row(rows[1]) == b'["b",1,"match",null,"boom"]'
    assert summarise(rows).sample_root == merkle_root([canonical_row(one) for one in rows])


ROWS = st.lists(
    st.builds(
        SampleRow,
        id=st.sampled_from("abcd"),
        epoch=st.integers(1, 3),
        scorer=st.just("s"),
        value=st.none() | st.sampled_from([0.0, 0.5, 1.0]),
        error=st.none() | st.just("e"),
        invalidated=st.booleans(),
        fallback=st.booleans(),
    ),
    unique_by=lambda one: (one.id, one.epoch),
    max_size=12,
)
REDUCERS = ["mean", "median", "max", "mode", "at_least_2", "pass_at_2", "pass_k_2", "none"]


@given(ROWS, st.sampled_from(REDUCERS), st.integers(0, 15))
def test_laws(rows: list[SampleRow], reducer: str, planned: int):
    summary = summarise(rows, planned=planned, epochs=3, reducer=reducer)
    counts = summary.counts
    assert counts.planned == max(planned, len(rows)) == counts.scored + counts.without_score
    assert counts.completed == len(rows) - counts.errored
    assert summary == summarise(list(reversed(rows)), planned=planned, epochs=3, reducer=reducer) or reducer == "mode"
    if summary.worst_case is not None:
        assert summary.errors_as_zero is not None
        assert 0 <= summary.errors_as_zero <= summary.worst_case + 1e-12
        assert summary.worst_case <= 1 + 1e-12


@given(ROWS, st.integers(0, 11), st.sampled_from(["mean", "max", "none", "pass_k_2", "at_least_2"]))
def test_losing_a_score_never_lowers_the_worst_case(rows: list[SampleRow], place: int, reducer: str):
    if not rows:
        return
    place %= len(rows)
    worse = [
        SampleRow(one.id, one.epoch, one.scorer, one.value, "lost") if n == place else one for n, one in enumerate(rows)
    ]
    before = summarise(rows, epochs=3, planned=12, reducer=reducer).worst_case
    after = summarise(worse, epochs=3, planned=12, reducer=reducer).worst_case
    # When no score is left there is no scale, and no figure that could be lower.
    assert before is None or after is None or after >= before - 1e-12


def test_a_tally_gives_summaries_under_several_reducers():
    tally = Tally()
    for epoch, value in enumerate([1.0, 0.0, 0.0, 0.0], start=1):
        tally.add(row("a", value, epoch))
    assert [tally.summary(reducer=name, epochs=4).value for name in ("mean", "pass_at_2", "max")] == [0.25, 0.5, 1.0]
    assert tally.as_logged("none") == 0.25


def test_a_hundred_thousand_attempts_at_one_question_take_seconds():
    tally = Tally()
    for epoch in range(100_000):
        tally.add(row(1, 0.0, epoch))
    with pytest.raises(DuplicateSampleError):
        tally.add(row(1, 0.0, 5))
    assert tally.summary(reducer="none").counts.scored == 100_000

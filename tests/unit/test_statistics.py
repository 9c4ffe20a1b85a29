"""Statistics in cases solvable by hand."""

import math

import numpy as np
import pytest

from benchmark.statistics import (
    average_ranks,
    bootstrap_interval,
    holm,
    interquartile_mean,
    probability_of_improvement,
    spearman,
    spearman_interval,
    spread,
    two_stage_counts,
    welch_p,
)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_interquartile_mean_drops_a_quarter_at_each_end():
    assert interquartile_mean(np.array([100.0, 1, 2, 3, 4, 5, 6, -100])) == 3.5
    assert interquartile_mean(np.array([1.0, 2, 6])) == 3, "below four runs nothing is dropped"


def test_no_interval_below_ten_runs():
    assert bootstrap_interval(np.arange(9.0), rng()).low is None
    few = bootstrap_interval(np.arange(10.0), rng())
    assert few.low is not None and few.high is not None and few.low < few.point < few.high


def test_interval_of_constant_runs_is_a_point():
    assert bootstrap_interval(np.full(10, 2.0), rng()) == (2.0, 2.0, 2.0)


def test_stratified_runs_never_cross_strata():
    values = np.concatenate([np.zeros(5), np.full(5, 10.0)])
    strata = np.repeat(["easy", "hard"], 5)
    mean = lambda x: x.mean(axis=-1)  # noqa: E731
    assert bootstrap_interval(values, rng(), statistic=mean, strata=strata) == (5.0, 5.0, 5.0)
    free = bootstrap_interval(values, rng(), statistic=mean)
    assert free.low is not None and free.low < 4


def test_whole_runs_stay_together():
    """A run whose scores cancel gives a mean of 0 however runs are drawn; drawn cell by cell it would not."""
    offsets = np.random.default_rng(1).normal(size=12)
    values = np.stack([offsets, -offsets], axis=1)
    interval = bootstrap_interval(values, rng(), statistic=lambda x: x.mean(axis=-1))
    assert interval == pytest.approx((0, 0, 0), abs=1e-12)


def test_same_generator_same_interval():
    values = np.random.default_rng(3).normal(size=20)
    assert bootstrap_interval(values, rng()) == bootstrap_interval(values, rng())


def test_spread_of_one_run_has_no_deviation():
    assert spread(np.array([2.0]), rng()) == (1, 2.0, None, 2.0, (2.0, None, None))
    assert spread(np.array([1.0, 3.0]), rng()).std == pytest.approx(math.sqrt(2))


def test_ranks_of_ties_are_averaged():
    np.testing.assert_array_equal(average_ranks(np.array([10.0, 20, 10, 30])), [1.5, 3, 1.5, 4])


def test_spearman_by_hand():
    x = np.array([1.0, 2, 3, 4, 5])
    assert spearman(x, x**3) == pytest.approx(1)
    assert spearman(x, -x) == pytest.approx(-1)
    # 1 − 6 Σ d² / (n (n² − 1)) with d = (0, 0, 0, 1, −1)
    assert spearman(x, np.array([1.0, 2, 3, 5, 4])) == pytest.approx(1 - 6 * 2 / 120)


def test_spearman_with_ties_by_hand():
    # Ranks (1.5, 1.5, 3) and (1, 2, 3): covariance 1.5, variances 1.5 and 2.
    assert spearman(np.array([0.0, 0, 1]), np.array([1.0, 2, 3])) == pytest.approx(1.5 / math.sqrt(3))


def test_spearman_of_a_constant_is_undefined_not_nan():
    assert spearman(np.ones(5), np.arange(5.0)) is None
    assert spearman_interval(np.ones(5), np.arange(5.0), np.arange(5), rng()) is None
    assert spearman(np.arange(2.0), np.arange(2.0)) is None


def test_spearman_needs_ten_configurations_for_an_interval():
    x = np.random.default_rng(0).normal(size=45)
    assert spearman_interval(x, x + 0.1 * x**2, np.repeat(np.arange(9), 5), rng()).low is None
    interval = spearman_interval(x, x + 0.1 * x**2, np.repeat(np.arange(15), 3), rng())
    assert interval.low is not None and interval.low <= interval.point <= interval.high


def test_two_stage_counts_draw_whole_groups():
    groups = np.array([0, 0, 1, 1, 1, 2])
    counts = two_stage_counts(groups, 500, rng())
    assert (counts[:, 5] == np.round(counts[:, 5])).all()
    # A group of size 3 that is drawn m times gives 3 m rows.
    assert (counts[:, 2:5].sum(axis=1) % 3 == 0).all() and (counts[:, :2].sum(axis=1) % 2 == 0).all()
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.2)


def test_probability_of_improvement_counts_ties_half():
    assert probability_of_improvement(np.array([1.0, 2]), np.array([1.0, 0]), rng()).point == (0.5 + 1 + 1 + 1) / 4
    sure = probability_of_improvement(np.arange(10.0) + 100, np.arange(10.0), rng())
    assert sure == pytest.approx((1, 1, 1))


def test_welch_by_hand():
    # Means 2 and 4, both variances 1, n = 3: t = −2/√(2/3) on 4 degrees of freedom.
    x, y = np.array([1.0, 2, 3]), np.array([3.0, 4, 5])
    t = -2 / math.sqrt(2 / 3)
    # Student's distribution function with 4 degrees of freedom in closed form.
    s = t / math.sqrt(4 + t**2)
    assert welch_p(x, y) == pytest.approx(0.5 + 0.75 * (s - s**3 / 3))
    assert welch_p(x, y) + welch_p(y, x) == pytest.approx(1)


def test_welch_without_spread():
    same, lower = np.full(3, 1.0), np.full(3, 0.5)
    assert (welch_p(same, same), welch_p(lower, same), welch_p(same, lower)) == (1, 0, 1)


def test_holm_by_hand():
    np.testing.assert_allclose(holm(np.array([0.03, 0.01, 0.04])), [0.06, 0.03, 0.06])
    np.testing.assert_allclose(holm(np.array([0.9, 0.8])), [1, 1])
    assert len(holm(np.array([]))) == 0

"""MIG: cases on paper, and the ceilings that the number of bins sets."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.mig import mig

SIZES = (3, 6, 40, 32, 32)


def grid(sizes):
    return np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)


@pytest.mark.parametrize(("bins", "ceiling"), [(20, 0.896), (10, 0.787)])
def test_ceiling_on_the_grid_of_dsprites(bins, ceiling):
    factors = grid(SIZES)
    rows = np.random.default_rng(0).choice(len(factors), 10_000, replace=False)
    assert mig(factors[rows].astype(np.float32), factors[rows], bins=bins)["mig"] == pytest.approx(ceiling, abs=2e-3)


def test_exact_on_a_small_grid():
    """Perfect codes: the best holds all H(v), the second nothing. Half the values of v₁ merged: log 2 of log 4 left."""
    factors = np.repeat(grid((4, 4)), 100, axis=0)
    assert mig(factors.astype(float), factors) == pytest.approx({"mig": 1, "mig_factor_0": 1, "mig_factor_1": 1})
    halved = np.stack([factors[:, 0], factors[:, 1] // 2], axis=1).astype(float)
    assert mig(halved, factors) == pytest.approx({"mig": 0.75, "mig_factor_0": 1, "mig_factor_1": 0.5})


def test_divides_by_the_factors_entropy():
    """A code of 2 values of a factor of 4: I = log 2, H(v) = log 4. Over the code's entropy it would be 1."""
    factors = np.repeat(np.arange(4), 250)[:, None]
    assert mig((factors >= 2).astype(float), factors)["mig"] == pytest.approx(0.5)


def test_two_codes_of_one_factor_leave_no_gap():
    factors = np.repeat(np.arange(4), 250)[:, None]
    assert mig(np.hstack([factors, -3.0 * factors]), factors)["mig"] == pytest.approx(0, abs=1e-12)


def test_more_values_than_bins():
    """40 equally frequent values fall in 20 bins two by two: (log 40 − log 2) / log 40."""
    factors = np.repeat(np.arange(40), 50)[:, None]
    assert mig(factors.astype(float), factors)["mig"] == pytest.approx(np.log(20) / np.log(40))


def test_continuous_factors_enter_in_bins_of_equal_frequency():
    """2,000 uniform values in 20 equal-frequency bins against 20 equal-width ones: the same bins."""
    factor = np.linspace(0.0, 1.0, 2_000)[:, None] + 0.25
    assert mig(factor, factor)["mig"] == pytest.approx(1.0, abs=0.01)
    assert mig(np.exp(5 * factor), factor)["mig"] < 0.7


def test_a_continuous_factor_that_is_nearly_always_least_has_two_bins():
    """29 rows in 30 hold the smallest value: every edge of 20 bins lies on it. Of its negative the edges part them."""
    amount = np.where(np.arange(1_200) % 30 == 0, 0.5 + np.arange(1_200) / 2_400, 0.0)[:, None]
    for factor in (amount, -amount):
        assert mig.declaration.function((amount > 0).astype(float), factor)["mig"] == pytest.approx(1)


def test_constant_factors_and_codes_count_for_nothing():
    factors = np.repeat(grid((4, 5)), 60, axis=0)
    codes = factors + np.random.default_rng(0).standard_normal(factors.shape)
    expected = mig(codes, factors)
    with_constant = mig(codes, np.insert(factors, 0, 3, axis=1))
    assert with_constant == {"mig": expected["mig"]} | {
        f"mig_factor_{k + 1}": expected[f"mig_factor_{k}"] for k in range(2)
    }
    for position in range(3):
        assert mig(np.insert(codes, position, 1 / 3, axis=1), factors) == expected
    assert mig(np.insert(codes[:, :1], 0, 1 / 3, axis=1), factors) == mig(codes[:, :1], factors)


def test_scaling_moves_no_grid_value_over_an_edge():
    factors = np.repeat(grid((21, 5)), 20, axis=0)
    for scale in (1 / 3, 0.1, 7.7, -1.0):
        codes = (factors * scale).astype(np.float32)
        assert mig(codes, factors)["mig"] == pytest.approx(mig(factors.astype(float), factors)["mig"], abs=1e-9)


def test_refused_below_a_thousand_points():
    factors = np.arange(999)[:, None] % 4
    with pytest.raises(NotApplicable, match="1,000"):
        mig(factors.astype(float), factors)


def test_bins_that_hold_no_rows_are_refused():
    codes = np.arange(1_000.0)[:, None]
    with pytest.raises(UsageError, match="bins = 1,000,000,000: more than 5,000 bins"):
        mig(codes, (codes > 500).astype(int), bins=10**9)


def test_joint_counts_that_take_gigabytes_are_refused():
    """5,000 bins and 20,000 values of a dataset that declares them."""
    numbers = np.arange(20_000)[:, None]
    with pytest.raises(NotApplicable, match="5,000 × 20,000 joint counts"):
        mig.declaration.function(numbers.astype(float), numbers, bins=5_000)

"""IRS: movements of small codes on paper, and what quantiles and averages change."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.irs import irs

SIZES = (3, 6, 40, 32, 32)
SIGNS = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])


def grid(sizes):
    return np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)


def test_perfect_codes_stand_still():
    factors = grid((3, 4, 5))
    assert irs(factors.astype(float), factors) == pytest.approx({"irs": 1.0} | {f"irs_code_{j}": 1.0 for j in range(3)})


def test_mixed_codes_and_their_weights():
    """3 v₀ + v₁ moves by 1 where v₀ is fixed, of 4: ¾. v₁ stands still: 1, but moves by 1 only: (4 · ¾ + 1 · 1) / 5."""
    codes = np.stack([SIGNS @ [3.0, 1.0], SIGNS[:, 1]], axis=1)
    expected = {"irs": 0.8, "irs_code_0": 0.75, "irs_code_1": 1.0}
    assert irs(codes, SIGNS) == pytest.approx(expected)
    assert irs(np.insert(codes, 1, 1 / 3, axis=1), SIGNS) == pytest.approx(
        {"irs": 0.8, "irs_code_0": 0.75, "irs_code_2": 1.0}
    )
    # Ten times the second: (4 · ¾ + 10 · 1) / 14.
    assert irs(codes * [1, 10], SIGNS)["irs"] == pytest.approx(13 / 14)


def test_the_majority_of_three_counts_as_nothing():
    """With one of them fixed the mean is ±½ and the farthest 1½ from it, with none fixed 1: 1 − 1½ = −½."""
    factors = grid((2, 2, 2))
    codes = np.sign(factors.sum(axis=1, keepdims=True) - 1.5)
    assert irs(codes, factors, quantile=1.0) == {"irs": 0.0, "irs_code_0": 0.0}


def test_values_count_as_often_as_they_occur():
    """v₀ = 0 in three rows of four, where z is −1 ± 1 by v₁; else z = 3. The mean is 0, the farthest 3.

    Fixing v₀ leaves ¾ · 1 + ¼ · 0, so 1 − ¼ = ¾ (5/6 if both values weighed the same); fixing v₁ leaves 3.
    """
    factors = np.tile(np.array([[0, 0], [0, 1]] * 3 + [[1, 0], [1, 1]]), (10, 1))
    codes = np.where(factors[:, 0] == 1, 3.0, 2.0 * factors[:, 1] - 2.0)[:, None]
    assert irs(codes, factors, quantile=1.0)["irs"] == pytest.approx(0.75)


def test_quantile_and_normaliser():
    """±1 by v₀, and 10 more at one of 1,000 values of v₁. The mean is 0.01, the farthest 1 + 10 − 0.01.

    In the paper's terms v₁ is what it stands for: fixed, it leaves 1 of 10.99. The 0.99 quantile sees no outlier:
    fixing v₀ leaves 0.01, of 10.99 or of the quantile without fixing, 1.01.
    """
    factors = grid((2, 1_000))
    codes = (2.0 * factors[:, :1] - 1) + 10.0 * (factors[:, 1:] == 0)
    assert irs(codes, factors, quantile=1.0)["irs"] == pytest.approx(1 - 1 / 10.99)
    assert irs(codes, factors)["irs"] == pytest.approx(1 - 0.01 / 10.99)
    assert irs(codes, factors, normaliser="quantile")["irs"] == pytest.approx(1 - 0.01 / 1.01)


def test_rows_of_equal_factors_are_averaged():
    """Noise that cancels over the rows of each combination is no movement."""
    factors = np.repeat(grid((3, 4)), 2, axis=0)
    codes = factors + np.tile([[5.0], [-5.0]], (12, 1))
    assert irs(codes, factors)["irs"] == pytest.approx(1.0)


def test_anchors_on_the_grid_of_dsprites():
    """From simulation: noise 0.36 over the maximum, which a quantile on both sides takes away; turned codes between."""
    rng = np.random.default_rng(0)
    factors = np.stack(np.unravel_index(rng.choice(np.prod(SIZES), 10_000, replace=False), SIZES), axis=1)
    codes = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    noise = rng.standard_normal((10_000, 10))
    turned = codes @ np.linalg.qr(rng.standard_normal((5, 5)))[0]
    assert irs(codes, factors)["irs"] == pytest.approx(1.0)
    assert irs(noise, factors)["irs"] == pytest.approx(0.36, abs=0.04)
    assert irs(noise, factors, normaliser="quantile")["irs"] < 0.06
    assert 0.35 < irs(turned, factors)["irs"] < 0.6
    assert 0.2 < irs(turned, factors, normaliser="quantile")["irs"] < 0.5


@pytest.mark.parametrize("position", [0, 1, 3])
def test_dead_codes_and_constant_factors_change_nothing(position):
    factors = grid((3, 4, 5))
    codes = factors @ np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    expected = irs(codes, factors)
    assert irs(np.insert(codes, position, 1 / 3, axis=1), factors)["irs"] == pytest.approx(expected["irs"], abs=1e-12)
    assert irs(codes, np.insert(factors, position, 7, axis=1)) == pytest.approx(expected, abs=1e-12)
    assert irs(np.ones_like(codes), factors) == {"irs": 0.0}


def test_what_it_refuses():
    factors = grid((3, 4))
    with pytest.raises(NotApplicable, match="two factors"):
        irs(factors.astype(float), factors[:, :1])
    with pytest.raises(NotApplicable, match="continuous"):
        irs(factors.astype(float), factors + np.linspace(0, 0.5, 12)[:, None])
    with pytest.raises(UsageError, match="quantile"):
        irs(factors.astype(float), factors, quantile=0.0)

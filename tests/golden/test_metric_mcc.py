"""Mean correlation coefficient: assignments and correlations on paper."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable
from benchmark.metrics.mcc import mcc


def orthonormal(columns, n=400):
    """Columns of exactly zero mean, unit length and no correlation: a mix of them has its weights as correlations."""
    table = np.random.default_rng(0).standard_normal((n, columns))
    return np.linalg.qr(table - table.mean(axis=0))[0]


def test_the_assignment_is_the_best_not_the_greedy_one():
    """|ρ| of two codes with two factors: (0.8, 0.6) and (0.7, 0.1). Greedy takes 0.8 + 0.1, the best is 0.6 + 0.7."""
    basis = orthonormal(4)
    codes = basis @ np.array([[0.8, 0.6, 0.0, 0.0], [0.7, -0.1, np.sqrt(0.5), 0.0]]).T
    scores = mcc(codes, basis[:, :2])
    assert scores["pearson"] == pytest.approx(0.65)
    assert scores["pearson_factor_0"] == pytest.approx(0.7)
    assert scores["pearson_factor_1"] == pytest.approx(0.6)


def test_each_code_serves_one_factor():
    """A code equal to one of two factors, with nothing of the other: (1 + 0) / 2, with or without a copy of it."""
    basis = orthonormal(2)
    assert mcc(basis[:, :1], basis)["pearson"] == pytest.approx(0.5)
    assert mcc(basis[:, [0, 0]], basis)["pearson"] == pytest.approx(0.5)


def test_a_factor_left_without_a_code_counts_nothing():
    """(1, 1/√2) with the two factors: assigned to the first, though it says something of the second."""
    basis = orthonormal(2)
    factors = np.stack([basis[:, 0], basis @ [1, 1]], axis=1)
    scores = mcc(basis[:, :1], factors)
    assert scores["pearson"] == pytest.approx(0.5)
    assert scores["pearson_factor_1"] == scores["spearman_factor_1"] == 0.0


def test_a_rotation_by_45_degrees():
    basis = orthonormal(2)
    turned = basis @ np.array([[1, -1], [1, 1]]) / np.sqrt(2)
    assert mcc(turned, basis)["pearson"] == pytest.approx(np.sqrt(0.5))


def test_spearman_sees_order_only():
    """v = −1, 0, 1 and z = 0, 0, 1: cov 1/3, variances 2/3 and 2/9, ρ = √3/2; the ranks 1.5, 1.5, 3 are linear in z.
    Made 0, 1, 1000 it has v's ranks, while ρ = (1000/3) / √(2/3 · (1000001/3 − (1001/3)²)) = 0.866."""
    v = np.tile([-1, 0, 1], 100)[:, None]
    scores = mcc((v == 1).astype(float), v)
    assert scores["pearson"] == pytest.approx(np.sqrt(3) / 2)
    assert scores["spearman"] == pytest.approx(np.sqrt(3) / 2)
    steep = mcc(np.array([0.0, 1.0, 1000.0])[v + 1], v)
    assert steep["spearman"] == pytest.approx(1.0)
    assert steep["pearson"] == pytest.approx((1000 / 3) / np.sqrt(2 / 3 * (1_000_001 / 3 - (1001 / 3) ** 2)))


def test_what_is_even_in_a_factor_is_not_seen():
    v = np.tile([-2, -1, 0, 1, 2], 100)[:, None]
    assert mcc(v.astype(float) ** 2, v)["pearson"] == pytest.approx(0, abs=1e-12)


def test_signs_scales_and_constants_do_not_matter():
    factors = orthonormal(3)
    codes = factors + 0.02 * np.random.default_rng(1).standard_normal(factors.shape)
    expected = mcc(codes, factors)
    assert mcc(codes * [-1e-200, 1e100, 3.0] + [0.0, 0.0, 5.0], factors) == pytest.approx(expected)
    for position in range(4):
        assert mcc(np.insert(codes, position, 1 / 3, axis=1), factors) == expected
    moved = mcc(codes, np.insert(factors, 1, 7.0, axis=1))
    assert moved["spearman"] == expected["spearman"]
    assert moved["pearson_factor_3"] == expected["pearson_factor_2"]
    assert "pearson_factor_1" not in moved


def test_dead_codes_alone_score_nothing():
    assert set(mcc(np.full((100, 3), 1 / 3), orthonormal(2, 100)).values()) == {0.0}


def test_floor_of_noise():
    """n = 10,000, d = 10, k = 5: |ρ| is about |N(0, 1)| / 100, the best of ten on average 0.019 (simulated)."""
    rng = np.random.default_rng(0)
    scores = mcc(rng.standard_normal((10_000, 10)), rng.standard_normal((10_000, 5)))
    assert 0.01 < scores["pearson"] < 0.03
    assert 0.01 < scores["spearman"] < 0.03


def test_refused_below_a_hundred_points():
    with pytest.raises(NotApplicable, match="100"):
        mcc(orthonormal(2, 99), orthonormal(2, 99))

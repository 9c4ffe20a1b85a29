"""MED: shares of information on paper."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.med import med

FACTORS = np.repeat(np.stack(np.unravel_index(np.arange(16), (4, 4)), axis=1), 100, axis=0)
"""Two factors of four values on a grid: exactly independent, so that all information is a number on paper."""


def test_perfect_codes_and_copies_of_them():
    """One code a factor: 1 and 1. Each twice: R is ½, ½; still disentangled, and 1 − log 2 / log 4 complete."""
    once = med(FACTORS.astype(float), FACTORS)
    assert once["med"] == once["med_completeness"] == pytest.approx(1)
    twice = med(FACTORS[:, [0, 0, 1, 1]].astype(float), FACTORS)
    assert twice["med"] == pytest.approx(1)
    assert twice["med_completeness"] == pytest.approx(0.5)


def test_a_code_of_both_factors():
    """4 v₀ + v₁ holds all of both and v₀ all of one: columns (½, ½) and (1, 0).

    The first code's P is (1/3, 2/3) with weight 3/4, the second's (1, 0) with 1/4.
    """
    codes = np.stack([4 * FACTORS[:, 0] + FACTORS[:, 1], FACTORS[:, 0]], axis=1).astype(float)
    entropy = -(np.log(1 / 3) / 3 + 2 * np.log(2 / 3) / 3) / np.log(2)
    found = med(codes, FACTORS)
    assert found["med"] == pytest.approx(0.75 * (1 - entropy) + 0.25)
    assert found["med_completeness_factor_0"] == pytest.approx(0)
    assert found["med_completeness_factor_1"] == pytest.approx(1)


def test_every_factor_weighs_the_same():
    """A code of half of v₁'s bits is all that is told of it: as disentangled and complete as a code of all bits."""
    codes = np.stack([FACTORS[:, 0], FACTORS[:, 1] // 2], axis=1).astype(float)
    assert med(codes, FACTORS)["med"] == pytest.approx(1)


def test_the_purest_of_each_factor():
    """Two mixtures with each factor's own code: top 1 leaves the mixtures out, top 2 has them all again."""
    mixed = 4 * FACTORS[:, 0] + FACTORS[:, 1]
    codes = np.stack([mixed, FACTORS[:, 0], mixed, FACTORS[:, 1]], axis=1).astype(float)
    assert med(codes, FACTORS)["med"] == pytest.approx(1 / 3)
    assert med(codes, FACTORS, top=1)["med"] == pytest.approx(1)
    assert med(codes, FACTORS, top=4) == med(codes, FACTORS)


def test_constant_codes_and_factors_change_nothing():
    codes = np.stack([4 * FACTORS[:, 0] + FACTORS[:, 1], FACTORS[:, 0]], axis=1).astype(float)
    expected = med(codes, FACTORS)
    assert med(np.insert(codes, 1, 1 / 3, axis=1), FACTORS) == pytest.approx(expected)
    assert med(codes, np.insert(FACTORS, 2, 5, axis=1)) == pytest.approx(expected)


def test_nothing_told_scores_nothing():
    for top in (0, 1):
        assert med(np.ones((1_600, 3)), FACTORS, top=top)["med"] == 0


def test_noise_is_near_the_floor():
    noise = np.random.default_rng(0).standard_normal((1_600, 10))
    assert med(noise, FACTORS)["med"] < 0.05


def test_refusals():
    with pytest.raises(NotApplicable, match="one factor"):
        med(FACTORS.astype(float), FACTORS[:, :1])
    with pytest.raises(NotApplicable, match="1,000"):
        med(FACTORS[:999].astype(float), FACTORS[:999])
    with pytest.raises(UsageError, match="top"):
        med(FACTORS.astype(float), FACTORS, top=-1)

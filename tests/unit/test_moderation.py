"""Moderated variances: where configurations share one they pool it, where they do not each keeps its own."""

import numpy as np
import pytest

from leaderboard.moderation import moderated, pooled


def drawn(true: np.ndarray, freedom: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return true * rng.chisquare(freedom, len(true)) / freedom, np.full(len(true), float(freedom))


def test_equal_variances_are_pooled():
    variances, freedom = drawn(np.full(200, 4.0), 4)
    found, degrees = moderated(variances, freedom)
    assert found.std() < 0.2 * variances.std()
    assert found.mean() == pytest.approx(4, rel=0.15)
    assert (degrees > 10 * freedom).all() and (degrees <= freedom.sum()).all()


def test_variances_orders_apart_are_kept():
    variances, freedom = drawn(10.0 ** np.arange(-4, 4, 0.25), 50)
    found, degrees = moderated(variances, freedom)
    np.testing.assert_allclose(found[12:], variances[12:], rtol=0.1)
    assert (degrees < 1.1 * freedom).all()


def test_the_strength_of_the_prior_is_recovered():
    """Variances drawn as 1 / (χ²(8) / 8): the prior is worth eight degrees of freedom."""
    rng = np.random.default_rng(1)
    variances, freedom = drawn(8 / rng.chisquare(8, 20_000), 6)
    _, degrees = moderated(variances, freedom)
    assert degrees[0] - 6 == pytest.approx(8, rel=0.1)


def test_without_variance_or_freedom():
    """A variance of 0 neither teaches nor breaks the others; one seed has the variance of the others."""
    variances, freedom = drawn(np.full(50, 4.0), 8)
    found, degrees = moderated(np.r_[variances, 0.0, 0.0], np.r_[freedom, 8.0, 0.0])
    np.testing.assert_array_equal(found[:50], moderated(variances, freedom)[0])
    assert found[51] == pytest.approx(4, rel=0.2) and degrees[51] > 8


def test_pooled():
    variance, freedom = pooled(np.array([1.0, 4.0, 0.0, 9.0]), np.array([3.0, 1.0, 5.0, 0.0]))
    assert (variance == (3 * 1 + 1 * 4) / 4).all() and (freedom == 4).all()
    assert (pooled(np.array([0.0]), np.array([2.0]))[1] == 0).all()


def test_nothing_to_learn_from():
    for variances in ([2.0], [2.0, 0.0]):
        given, freedom = np.array(variances), np.full(len(variances), 3.0)
        found, degrees = moderated(given, freedom)
        np.testing.assert_array_equal(found, given)
        np.testing.assert_array_equal(degrees, freedom)

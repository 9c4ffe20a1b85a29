"""Logistic regressions of each class against the rest: minima of convex losses, whose slope there is zero."""

import numpy as np
import pytest

from benchmark.metrics._one_against_rest import one_against_rest


def test_two_points_by_hand():
    # x = ∓1 with classes 0 and 1: b = 0 by symmetry, and w = 2 C / (1 + exp w) where the slope is 0.
    weights, intercepts = one_against_rest(np.array([[-1.0], [1.0]]), np.array([0, 1]), np.array([1]), 3.0)
    w = weights[0, 0]
    assert w == pytest.approx(6.0 / (1 + np.exp(w)), rel=1e-6)
    assert intercepts[0] == pytest.approx(0.0, abs=1e-6)


def test_a_useless_feature_leaves_the_odds():
    # Both classes stand equally often at −1 and at 1: w = 0, and b are the log odds of three to one.
    x = np.tile([[-1.0], [1.0]], (40, 1))
    labels = np.repeat([0, 1], [60, 20])
    weights, intercepts = one_against_rest(x, labels, np.array([0, 1]), 1.0)
    np.testing.assert_allclose(weights, 0, atol=1e-6)
    np.testing.assert_allclose(intercepts, np.log([3, 1 / 3]), atol=1e-5)


@pytest.mark.parametrize("classes", [2, 5, 40])
@pytest.mark.parametrize("c", [1e-3, 1.0, 100.0])
@pytest.mark.parametrize("separable", [False, True])
def test_the_loss_is_level_at_the_solution(classes, c, separable):
    rng = np.random.default_rng(classes)
    labels = np.r_[np.arange(classes), rng.integers(classes, size=600)]
    centres = rng.standard_normal((classes, 4)) * (30 if separable else 1)
    x = centres[labels] + rng.standard_normal((len(labels), 4))
    weights, intercepts = one_against_rest(x, labels, np.arange(classes), c)
    target = labels[:, None] == np.arange(classes)
    misfit = 1 / (1 + np.exp(-np.clip(x @ weights + intercepts, -700, 700))) - target
    size = c * np.abs(x).sum()
    np.testing.assert_allclose(c * x.T @ misfit + weights, 0, atol=1e-7 * size)
    np.testing.assert_allclose(c * misfit.sum(axis=0), 0, atol=1e-7 * size)
    if classes == 2:
        np.testing.assert_allclose(weights[:, 0], -weights[:, 1], rtol=1e-4, atol=1e-6)


def test_a_class_does_not_depend_on_which_others_are_asked_for():
    rng = np.random.default_rng(0)
    labels, x = rng.integers(6, size=400), rng.standard_normal((400, 3))
    together, _ = one_against_rest(x, labels, np.arange(6), 1.0)
    alone, _ = one_against_rest(x, labels, np.array([4]), 1.0)
    np.testing.assert_allclose(together[:, [4]], alone, atol=1e-6)

"""Linear machines on one feature: the minimum of a convex loss, whose slope there is zero."""

import numpy as np
import pytest

from benchmark.metrics._linear_machine import linear_machines, predicted


def slope_of_loss(x, sign, weight, w, b):
    """The derivatives of ½ (w² + b²) + Σ weight max(0, 1 − sign (w x + b))² by w and b, from its definition."""
    slack = np.maximum(0, 1 - sign * (w * x + b))
    return w - 2 * (weight * slack * sign * x).sum(), b - 2 * (weight * slack * sign).sum()


def test_two_points_by_hand():
    # x = ∓1 with classes 0 and 1: b = 0 by symmetry, and ½ w² + 2 C (1 − w)² is least at w = 4 C / (1 + 4 C).
    slopes, intercepts = linear_machines(np.array([-1.0, 1.0]), np.array([0, 1]), 0.25, balanced=False)
    np.testing.assert_allclose(slopes, [0.5], atol=1e-14)
    np.testing.assert_allclose(intercepts, [0.0], atol=1e-14)
    np.testing.assert_array_equal(predicted(np.array([-0.1, 0.1]), slopes, intercepts), [0, 1])


def test_a_feature_that_is_always_zero_leaves_the_intercept():
    # Three rows of class 1 and one of class 0 at x = 0: ½ b² + C (3 (1 − b)² + (1 + b)²) is least at b = 4 C/(1 + 8 C).
    slopes, intercepts = linear_machines(np.zeros(4), np.array([0, 1, 1, 1]), 0.5, balanced=False)
    np.testing.assert_allclose((slopes[0], intercepts[0]), (0, 0.4), atol=1e-14)


@pytest.mark.parametrize("classes", [2, 3, 40])
@pytest.mark.parametrize("balanced", [False, True])
@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (0.01, 0), (1e4, 0), (1, 100)])
def test_the_loss_is_level_at_the_solution(classes, balanced, scale, offset):
    rng = np.random.default_rng(classes)
    labels = np.r_[np.arange(classes), rng.integers(classes, size=800)]
    x = scale * (labels % 7 + rng.standard_normal(len(labels))) + offset
    c = 0.01
    slopes, intercepts = linear_machines(x, labels, c, balanced=balanced)
    assert len(slopes) == (1 if classes == 2 else classes)
    for place, (w, b) in enumerate(zip(slopes, intercepts, strict=True)):
        own = labels == (1 if classes == 2 else place)
        weight = np.full(len(x), c)
        if balanced:
            weight[own] *= len(x) / (classes * own.sum())
            if classes == 2:
                weight[~own] *= len(x) / (classes * (~own).sum())
        by_w, by_b = slope_of_loss(x, np.where(own, 1.0, -1.0), weight, w, b)
        size = 2 * weight.sum() * max(1.0, np.abs(x).max())
        assert abs(by_w) < 1e-9 * size and abs(by_b) < 1e-9 * size


def test_values_on_a_threshold_and_repeated_ones():
    x = np.repeat([-2.0, -1.0, 0.0, 1.0, 2.0], 20)
    labels = np.repeat([0, 0, 1, 2, 2], 20)
    slopes, intercepts = linear_machines(x, labels, 1.0, balanced=False)
    np.testing.assert_array_equal(predicted(np.array([-2.0, 2.0]), slopes, intercepts), [0, 2])
    np.testing.assert_allclose(slopes[0], -slopes[2], atol=1e-12)

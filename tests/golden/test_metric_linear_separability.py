"""Linear separability: which of mean, variance and sample hold the class, and what happens to classes not seen."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.linear_separability import linear_separability, standardised

KEY = "linear_separability"
ROWS = {"train": 600, "test": 400}


def test_ten_classes_at_ten_corners():
    """A data set whose only factor is a label: one corner of a simplex a class."""
    label = np.random.default_rng(0).integers(10, size=(1_000, 1))
    assert linear_separability(np.eye(10)[label[:, 0]], label, **ROWS) == {KEY: 1.0, f"{KEY}_factor_0": 1.0}


def test_each_feature_set_is_its_own_score():
    """The means know nothing of the class, the variances all, the samples of half of the points."""
    rng = np.random.default_rng(0)
    label = rng.integers(2, size=(3_000, 1))
    means = rng.standard_normal((3_000, 3))
    variances = np.where(label == 1, 2e-4, 1e-4) * np.ones((1, 3))
    samples = np.where(rng.random((3_000, 1)) < 0.5, 2.0 * label - 1.0, 0.0)
    found = linear_separability(means, label, variances, np.hstack([samples, means[:, 1:]]), train=1_000, test=2_000)
    assert found[KEY] == pytest.approx(0.5, abs=0.04)
    assert found[f"{KEY}_mean_variance"] == 1.0
    assert found[f"{KEY}_sample"] == pytest.approx(0.75, abs=0.04)
    assert set(linear_separability(means, label, variances, **ROWS)) == {
        f"{KEY}{kind}{factor}" for kind in ("", "_mean_variance") for factor in ("", "_factor_0")
    }


def test_mean_and_variance_are_read_together():
    """Four classes, one bit of them in μ and the other in σ²: either alone offers half."""
    label = np.tile(np.arange(4), 250)[:, None]
    found = linear_separability(
        (label // 2).astype(float), label, 1.0 + label % 2, split=(np.arange(600), np.arange(600, 1_000))
    )
    assert found[KEY] == pytest.approx(0.5)
    assert found[f"{KEY}_mean_variance"] == 1.0


def test_units_do_not_matter():
    """σ² a millionth of μ: unscaled, the penalty would leave nothing of it."""
    rng = np.random.default_rng(0)
    label = rng.integers(4, size=(1_000, 1))
    means, variances = rng.standard_normal((1_000, 2)), np.exp(rng.standard_normal((1_000, 2)) + label)
    one, other = (linear_separability(means, label, variances * unit, **ROWS) for unit in (1.0, 1e-6))
    assert one == pytest.approx(other, abs=3e-3)
    assert one[f"{KEY}_mean_variance"] > one[KEY] + 0.1


def test_standardised_by_the_training_rows():
    train, test = standardised(np.array([[0.0, 5.0], [2.0, 5.0]]), np.array([[1.0, 5.0], [4.0, 6.0]]))
    np.testing.assert_allclose(train, [[-1.0], [1.0]])
    np.testing.assert_allclose(test, [[0.0], [3.0]])
    tiny, _ = standardised(np.array([[0.0], [2e-200]]), np.array([[0.0]]))
    np.testing.assert_allclose(tiny, [[-1.0], [1.0]])


def test_mean_over_factors():
    """One factor is held by the code, of the other with equally frequent values it knows nothing: (1 + ½) / 2."""
    factors = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (250, 1))
    split = np.arange(600), np.arange(600, 1_000)
    found = linear_separability(factors[:, :1].astype(float), factors, split=split)
    assert found == {KEY: 0.75, f"{KEY}_factor_0": 1.0, f"{KEY}_factor_1": 0.5}


def test_classes_that_training_rows_do_not_show_are_mistakes():
    label = np.array([0, 1] * 100 + [0, 1, 2] * 20)[:, None]
    split = np.arange(200), np.arange(200, 260)
    assert linear_separability(np.eye(3)[label[:, 0]], label, split=split)[KEY] == pytest.approx(2 / 3)
    zeros = np.flatnonzero(label[:200, 0] == 0)
    assert linear_separability(np.eye(3)[label[:, 0]], label, split=(zeros, split[1]))[KEY] == pytest.approx(1 / 3)


def test_dead_codes_change_nothing():
    rng = np.random.default_rng(0)
    label = rng.integers(3, size=(1_000, 1))
    means = label + rng.standard_normal((1_000, 2))
    expected = linear_separability(means, label, **ROWS)
    for position in range(3):
        assert linear_separability(np.insert(means, position, 1 / 3, axis=1), label, **ROWS) == expected
    # With none left, the most frequent class: 2 of every 3.
    most = np.tile([[1], [1], [0]], (200, 1))
    split = np.arange(300), np.arange(300, 600)
    assert linear_separability(np.ones((600, 2)), most, split=split)[KEY] == pytest.approx(2 / 3)


def test_constant_and_continuous_factors_are_dropped():
    rng = np.random.default_rng(0)
    label = rng.integers(2, size=1_000)
    factors = np.stack([np.ones(1_000), rng.uniform(size=1_000), label], axis=1)
    means = label[:, None].astype(float)
    assert linear_separability(means, factors, **ROWS) == {KEY: 1.0, f"{KEY}_factor_2": 1.0}
    with pytest.raises(NotApplicable, match="continuous"):
        linear_separability(means, factors[:, :2], **ROWS)


def test_what_it_refuses():
    label = np.arange(100)[:, None] % 2
    with pytest.raises(NotApplicable, match="10,000"):
        linear_separability(label * 1.0, label)
    with pytest.raises(UsageError, match="variances"):
        linear_separability(label * 1.0, label, np.zeros((100, 1)), train=50, test=50)
    with pytest.raises(UsageError, match="samples"):
        linear_separability(label * 1.0, label, None, np.full((100, 1), np.inf), train=50, test=50)

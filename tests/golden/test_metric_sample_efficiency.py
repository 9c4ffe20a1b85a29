"""The downstream task: answers on paper, its pieces, and what it refuses."""

import pickle

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._trees import Fit, compute
from benchmark.metrics.sample_efficiency import combine, sample_efficiency

FACTORS = np.random.default_rng(0).integers(0, [3, 2], size=(1_500, 2))
CODES = FACTORS + 0.1 * np.random.default_rng(1).standard_normal((1_500, 2))


def fit(factor, train, test):
    return Fit(factor, train, test, 0, "gradient_boosting", 3)


def test_separable_codes_need_a_hundred_labels():
    scores = sample_efficiency(CODES, FACTORS, budgets=(10, 100), test=1_000)
    assert scores["accuracy_at_100"] == scores["accuracy"] > 0.99
    assert scores["accuracy_at_10"] > 0.6
    assert scores["accuracy_at_100"] == pytest.approx(
        np.mean([scores["accuracy_at_100_factor_0"], scores["accuracy_at_100_factor_1"]])
    )
    assert "sample_efficiency" not in scores


def test_ten_labels_are_learned_from():
    """Histogram boosting, with at least 20 points a leaf, would predict one class: 1/3."""
    rows = np.random.default_rng(2).permutation(1_500)
    even = np.concatenate([rows[FACTORS[rows, 0] == label][:3] for label in range(3)])
    split = np.append(even, np.setdiff1d(rows, even)[:1]), np.setdiff1d(rows, even)[1:]
    scores = sample_efficiency(CODES, FACTORS[:, :1], budgets=(10,), split=split)
    assert scores["accuracy"] > 0.85


def test_efficiency_is_the_ratio():
    parts = [fit(k, np.arange(n), np.arange(5)) for n in (10_000, 100) for k in (0, 3)]
    scores = combine(parts, [{"accuracy": value} for value in (0.9, 0.7, 0.5, 0.3)])
    assert scores["sample_efficiency"] == pytest.approx(0.4 / 0.8)
    assert scores["accuracy"] == pytest.approx(0.8)
    assert scores["accuracy_at_100_factor_3"] == 0.3


def test_a_draw_of_one_class_predicts_that_class():
    part = fit(0, np.flatnonzero(FACTORS[:, 0] == 1)[:10], np.arange(1_000))
    assert compute(CODES, FACTORS, part)["accuracy"] == (FACTORS[:1_000, 0] == 1).mean()


def test_dead_codes_change_nothing_and_alone_predict_the_majority():
    settings = {"budgets": (10, 50), "test": 500}
    expected = sample_efficiency(CODES, FACTORS, **settings)
    for position in range(3):
        assert sample_efficiency(np.insert(CODES, position, 1 / 3, axis=1), FACTORS, **settings) == expected
    part = fit(1, np.arange(100), np.arange(100, 1_000))
    majority = np.bincount(FACTORS[:100, 1]).argmax()
    assert compute(np.ones_like(CODES), FACTORS, part)["accuracy"] == (FACTORS[100:1_000, 1] == majority).mean()


def test_pieces_in_any_order_make_the_measure():
    pieces = sample_efficiency.declaration.pieces
    settings = {"budgets": (10, 50), "test": 500, "seed": 3}
    parts = pickle.loads(pickle.dumps(pieces.parts(CODES, FACTORS, **settings)))
    assert [(len(part.train), part.factor) for part in parts] == [(50, 0), (50, 1), (10, 0), (10, 1)]
    values = [pieces.compute(CODES, FACTORS, part) for part in reversed(parts)]
    assert pieces.combine(parts[::-1], values) == sample_efficiency(CODES, FACTORS, **settings)


def test_rows_are_disjoint_and_nested():
    large, *_, small = sample_efficiency.declaration.pieces.parts(CODES, FACTORS, budgets=(10, 50), test=500)
    assert not np.intersect1d(large.train, large.test).size
    np.testing.assert_array_equal(large.train[:10], small.train)
    np.testing.assert_array_equal(large.test, small.test)


def test_lightgbm_is_another_model():
    pytest.importorskip("lightgbm")
    scores = sample_efficiency(CODES, FACTORS, budgets=(10, 100), test=1_000, model="lightgbm")
    assert scores["accuracy_at_100"] > 0.9
    assert scores["accuracy_at_10"] < 0.6  # 20 points a leaf: the most frequent class


def test_constant_factors_are_dropped():
    factors = np.insert(FACTORS, 0, 4, axis=1)
    scores = sample_efficiency(CODES, factors, budgets=(20,), test=500)
    assert [key for key in scores if "factor" in key] == ["accuracy_at_20_factor_1", "accuracy_at_20_factor_2"]


def test_too_few_rows_name_the_number_needed():
    with pytest.raises(NotApplicable, match="15,000"):
        sample_efficiency(CODES, FACTORS)
    with pytest.raises(NotApplicable, match="largest budget"):
        sample_efficiency(CODES, FACTORS, budgets=(100,), split=(np.arange(50), np.arange(50, 100)))


def test_unusable_requests():
    with pytest.raises(NotApplicable, match="continuous"):
        sample_efficiency(CODES, CODES, budgets=(10,), test=100)
    with pytest.raises(UsageError, match="overlap"):
        sample_efficiency(CODES, FACTORS, budgets=(10,), split=(np.arange(20), np.arange(10, 30)))
    with pytest.raises(UsageError, match="positive"):
        sample_efficiency(CODES, FACTORS, budgets=())

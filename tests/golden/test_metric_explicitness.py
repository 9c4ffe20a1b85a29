"""Explicitness: areas under the curve counted on paper, chance where nothing is known, and no training rows."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable
from benchmark.metrics.explicitness import area_under_roc, explicitness

SIZES = (3, 6, 40, 32, 32)


def grid(sizes):
    return np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)


def spaced(size):
    """Mean area over equally spaced and frequent values: the one at r of 0 … K − 1 is ahead of r or of K − 1 − r."""
    return float(np.mean([max(r, size - 1 - r) / (size - 1) for r in range(size)]))


def test_area_of_four_scores():
    """Positives 2 and 3 against negatives 1 and 2: 2 > 1, 2 = 2, 3 > 1, 3 > 2: 3½ of 4."""
    assert area_under_roc(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, True, False, True])) == 0.875


@pytest.mark.parametrize("values", [2, 5, 1_000])
def test_area_counts_pairs(values):
    rng = np.random.default_rng(values)
    score, positive = rng.integers(values, size=60).astype(float), rng.random(60) < 0.3
    difference = score[positive][:, None] - score[~positive]
    assert area_under_roc(score, positive) == pytest.approx(((np.sign(difference) + 1) / 2).mean(), abs=1e-12)


def test_equally_spaced_values():
    """K = 3: 1, ½, 1 (the middle one has no slope: all tie); K = 4: 1, ⅔, ⅔, 1; K = 5: 1, ¾, ½, ¾, 1."""
    factors = np.tile(grid((3, 4, 5)), (4, 1))
    split = np.arange(180), np.arange(180, 240)
    expected = {"explicitness_factor_0": 5 / 6, "explicitness_factor_1": 5 / 6, "explicitness_factor_2": 4 / 5}
    expected["explicitness"] = float(np.mean(list(expected.values())))
    assert explicitness(factors.astype(float), factors, split=split) == pytest.approx(expected, abs=1e-12)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    # Turned codes are as explicit; equally unlikely rows need no longer tie, for the penalty turns with the axes.
    assert explicitness(factors @ turn, factors, split=split) == pytest.approx(expected, abs=0.03)


def test_a_code_for_each_value_is_fully_explicit():
    factors = np.tile(np.arange(5), 40)[:, None]
    assert explicitness(np.eye(5)[factors[:, 0]], factors, train=100, test=100)["explicitness"] == 1.0


def test_exclusive_or_is_chance():
    """Each corner of a square has the value of the opposite one: no direction orders them, all rows tie."""
    corners = np.tile(grid((2, 2)), (50, 1))
    factors = corners.sum(axis=1, keepdims=True) % 2
    split = np.arange(100), np.arange(100, 200)
    for seed in range(5):
        turned = corners @ np.linalg.qr(np.random.default_rng(seed).standard_normal((2, 2)))[0]
        assert explicitness(turned, factors, split=split)["explicitness"] == 0.5
        assert explicitness(turned.astype(np.float32), factors, split=split)["explicitness"] == 0.5


def test_rows_of_equal_codes_tie():
    """Seven points, drawn often: products of matrices differ in the last bit by the row's place, ties must not."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        place = rng.integers(7, size=2_003)
        codes, factors = rng.standard_normal((7, 5))[place], (rng.random(2_003) < (place + 1) / 9).astype(int)[:, None]
        rows = rng.permutation(np.arange(1_000, 2_003))
        one, other = (explicitness(codes, factors, split=(np.arange(1_000), test)) for test in (np.sort(rows), rows))
        assert one == other


def test_values_that_training_rows_do_not_show():
    """Learnt from 0 and 1, asked for 0, 1, 2: 0 is below all (1), 1 above 0 and below 2 (½), 2 is unknown (½)."""
    factors = np.array([0, 1] * 50 + [0, 1, 2] * 20)[:, None]
    split = np.arange(100), np.arange(100, 160)
    assert explicitness(factors.astype(float), factors, split=split)["explicitness"] == pytest.approx(2 / 3)
    zeros = np.flatnonzero(factors[:100, 0] == 0)
    assert explicitness(factors.astype(float), factors, split=(zeros, split[1]))["explicitness"] == 0.5


def test_test_rows_of_one_value():
    factors = np.array([0, 1] * 50 + [1] * 20)[:, None]
    with pytest.raises(NotApplicable, match="factor 0"):
        explicitness(factors.astype(float), factors, split=(np.arange(100), np.arange(100, 120)))


def test_scored_on_rows_that_it_did_not_learn():
    """Sixty random rows in a hundred dimensions can be learnt by heart; others stay at chance."""
    rng = np.random.default_rng(0)
    codes, factors = rng.standard_normal((1_060, 100)), rng.integers(2, size=(1_060, 1))
    assert explicitness(codes, factors, train=60, test=1_000)["explicitness"] == pytest.approx(0.5, abs=0.06)


def test_anchors_on_the_grid_of_dsprites():
    """Perfect and turned codes by `spaced`, of which a tenth of the grid's rows takes a little; noise is chance."""
    rng = np.random.default_rng(0)
    factors = np.stack(np.unravel_index(rng.choice(np.prod(SIZES), 15_000, replace=False), SIZES), axis=1)
    codes = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    ceiling = np.mean([spaced(size) for size in SIZES])
    turn = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    rows = {"train": 5_000, "test": 5_000}
    assert explicitness(codes, factors, **rows)["explicitness"] == pytest.approx(ceiling, abs=0.01)
    assert explicitness(codes @ turn, factors, **rows)["explicitness"] == pytest.approx(ceiling, abs=0.01)
    assert explicitness(rng.standard_normal(codes.shape), factors, **rows)["explicitness"] == pytest.approx(
        0.5, abs=0.02
    )


def test_continuous_factors_enter_in_twenty_bins():
    factors = np.random.default_rng(0).uniform(size=(4_000, 1)) + 0.5
    found = explicitness(factors, factors, train=2_000, test=2_000)
    assert found["explicitness"] == pytest.approx(spaced(20), abs=0.01)
    assert explicitness(factors, np.exp(5 * factors), train=2_000, test=2_000) == found


@pytest.mark.parametrize("position", [0, 1, 2])
def test_dead_codes_change_nothing(position):
    factors = np.tile(grid((3, 4)), (50, 1))
    codes = factors + np.random.default_rng(0).standard_normal(factors.shape)
    expected = explicitness(codes, factors, train=300, test=300)
    assert explicitness(np.insert(codes, position, 1 / 3, axis=1), factors, train=300, test=300) == expected
    assert set(explicitness(np.ones_like(codes), factors, train=300, test=300).values()) == {0.5}


def test_training_and_test_rows_without_a_common_value():
    """An id: every row holds a value of its own, so nothing is learnt of those that are asked."""
    factors = np.arange(200)[:, None]
    with pytest.raises(NotApplicable, match="factor 0"):
        explicitness.declaration.function(factors.astype(float), factors, train=100, test=100)


def test_more_values_than_models_can_be_fitted_to():
    factors = np.arange(3_000)[:, None] // 2
    with pytest.raises(NotApplicable, match=r"factor 0 has 1,500 values, .* at most 1,000"):
        explicitness.declaration.function(factors.astype(float), factors, train=2_000, test=1_000)


def test_a_thousand_codes_are_refused_before_anything_is_fitted():
    """Constant codes do not count. The softmax takes as many as there are."""
    factors, wide = np.tile(grid((3, 4)), (50, 1)), np.random.default_rng(0).standard_normal((600, 201))
    with pytest.raises(NotApplicable, match="201 codes are more than 200"):
        explicitness(wide, factors, train=300, test=300)
    assert 0 < explicitness(wide, factors, train=300, test=300, definition="disentanglement_lib")["explicitness"] < 1
    wide[:, 0] = 1 / 3
    assert 0 < explicitness(wide, factors, train=300, test=300)["explicitness"] < 1

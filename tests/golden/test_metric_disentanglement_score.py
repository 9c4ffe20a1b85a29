"""R's disentanglement score: nearly 1 for perfect codes, about 0 for a rotation by 45°, continuous or not."""

import numpy as np
import pytest

from benchmark.errors import UsageError
from benchmark.metrics.disentanglement_score import disentanglement_score, nearest_rows

KEY = "disentanglement_score"
SQUARE = np.random.default_rng(0).uniform(size=(4_000, 2))
TURN = np.array([[1.0, -1.0], [1.0, 1.0]]) / np.sqrt(2)


def test_continuous_factors():
    assert disentanglement_score(SQUARE, SQUARE)[KEY] > 0.98
    assert disentanglement_score(SQUARE @ TURN, SQUARE)[KEY] < 0.05


def test_categorical_factors():
    factors = (SQUARE * [3, 8]).astype(int)
    assert disentanglement_score(factors.astype(float), factors)[KEY] == pytest.approx(1.0, abs=0.01)
    assert disentanglement_score(factors @ TURN, factors.astype(int))[f"{KEY}_factor_1"] < 0.4


def test_half_of_the_classes_told_apart():
    """Four equally frequent classes, a code that merges them two by two: acc = ½, so (½ − ¼) / (1 − ¼) = ⅓."""
    factors = np.arange(8_000)[:, None] % 4
    codes = (factors // 2).astype(float)
    assert disentanglement_score(codes, factors)[KEY] == pytest.approx(1 / 3, abs=0.04)


def test_two_codes_of_one_factor_leave_no_gap():
    codes = np.hstack([SQUARE, SQUARE[:, :1]])
    scores = disentanglement_score(codes, SQUARE)
    assert scores[f"{KEY}_factor_0"] == 0.0
    assert scores[f"{KEY}_factor_1"] > 0.98


def test_a_useless_code_is_no_worse_than_none():
    factors = (SQUARE[:, :1] < 0.1).astype(int)
    alone = disentanglement_score(SQUARE[:, :1], factors)
    assert disentanglement_score(SQUARE, factors) == pytest.approx(alone, abs=1e-9)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_dead_code_changes_nothing(position):
    codes = SQUARE + 0.3 * np.random.default_rng(1).standard_normal(SQUARE.shape)
    dead = np.insert(codes, position, 1 / 3, axis=1)
    for factors in (SQUARE, (SQUARE * 5).astype(int)):
        assert disentanglement_score(dead, factors) == disentanglement_score(codes, factors)


def test_all_codes_dead():
    assert disentanglement_score(np.ones((200, 3)), SQUARE[:200])[KEY] == 0.0


def test_split_is_used_and_checked():
    rows = np.arange(4_000)
    assert disentanglement_score(SQUARE, SQUARE, split=(rows[:3_000], rows[3_000:]))[KEY] > 0.98
    with pytest.raises(UsageError, match="3 training"):
        disentanglement_score(SQUARE, SQUARE, split=(rows[:3], rows[3_000:]))


@pytest.mark.parametrize("train", [5, 7, 9, 12, 300])
def test_nearest_rows_are_the_nearest(train):
    rng = np.random.default_rng(train)
    values, asked = rng.standard_normal(train), rng.standard_normal(50) * 2
    found = nearest_rows(values, asked, 5, rng.random(50))
    distance = np.sort(np.abs(values[None] - asked[:, None]), axis=1)[:, :5]
    np.testing.assert_allclose(np.abs(values[found] - asked[:, None]), distance)


def test_ties_are_taken_at_random_among_all():
    found = nearest_rows(np.zeros(100), np.zeros(1_000), 5, np.random.default_rng(0).random(1_000))
    assert len(np.unique(found)) == 100

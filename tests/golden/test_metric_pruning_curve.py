"""Decoder pruning curve: weights by hand, and what chance does to column sums."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.pruning_curve import pruning_curve


def test_by_hand():
    """Sums 1, −6, 0 and 1; norms 5, √18, √2 and 1."""
    weights = np.array([[4.0, -3.0, 1.0, 1.0], [-3.0, -3.0, -1.0, 0.0]])
    scores = pruning_curve(weights)
    sums = [scores[f"pruning_curve_coordinate_{j}"] for j in range(4)]
    norms = [scores[f"column_norm_coordinate_{j}"] for j in range(4)]
    assert sums == [1.0, 6.0, 0.0, 1.0]
    assert norms == pytest.approx([5.0, np.sqrt(18), np.sqrt(2), 1.0])
    # Shares of ⅛, ¾ and ⅛: their entropy is ¼ log 8 + ¾ log (4/3).
    assert scores["pruning_curve"] == pytest.approx(8**0.25 * (4 / 3) ** 0.75)


def test_listed_from_the_largest_sum():
    keys = list(pruning_curve(np.array([[1.0, -6.0, 0.0, 2.0]])))
    assert [key for key in keys if key.startswith("pruning_curve_c")] == [
        f"pruning_curve_coordinate_{j}" for j in (1, 3, 0, 2)
    ]


def test_counts_equal_columns_beside_pruned_ones():
    """S's case: two of twenty coordinates hold everything."""
    weights = np.zeros((50, 20))
    weights[:, [3, 11]] = 0.1
    weights[:, 11] *= -1
    scores = pruning_curve(weights)
    assert scores["pruning_curve"] == pytest.approx(2.0)
    assert scores["column_norm"] == pytest.approx(2.0)


def test_neither_scale_nor_order_of_columns_counts():
    weights = np.random.default_rng(0).standard_normal((50, 8))
    expected = pruning_curve(weights)
    changed = pruning_curve(-7.0 * weights[::-1, ::-1])
    for key in ("pruning_curve", "column_norm"):
        assert changed[key] == pytest.approx(expected[key])
    assert changed["pruning_curve_coordinate_0"] == pytest.approx(7 * expected["pruning_curve_coordinate_7"])


def test_columns_alike_but_for_chance():
    """Sums of many independent symmetric weights are Gaussian. For s = |N(0, 1)|, E s = √(2/π) and

    E s log s = E s · (log 2 − γ)/2, s being Rayleigh under the density s φ(s); so the entropy falls short of log d by
    (log 2 − γ)/2 − log √(2/π) = 0.284: 0.753 d. Norms of 400 weights differ by 1/28 only.
    """
    weights = np.random.default_rng(0).uniform(-1, 1, size=(400, 2_000))
    scores = pruning_curve(weights)
    assert scores["pruning_curve"] == pytest.approx(0.753 * 2_000, rel=0.02)
    assert scores["column_norm"] == pytest.approx(2_000, rel=0.002)


def test_a_column_may_cancel_in_its_sum_alone():
    weights = np.array([[1.0, 5.0], [1.0, -5.0]])
    scores = pruning_curve(weights)
    assert scores["pruning_curve"] == 1.0
    assert scores["pruning_curve_coordinate_1"] == 0.0
    assert scores["column_norm"] > 1.5
    with pytest.raises(NotApplicable, match="sums to zero"):
        pruning_curve(weights[:, 1:])


def test_unusable_weights_are_refused():
    for weights in (np.full((3, 2), np.nan), np.zeros((0, 2)), np.full((3, 2), np.inf)):
        with pytest.raises(UsageError, match="decoder_weights"):
            pruning_curve(weights)

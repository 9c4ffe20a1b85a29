"""SAP: squared correlations and linear machines solved on paper, and SPEC's ceiling on the grid of dSprites."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.sap import sap

SIZES = (3, 6, 40, 32, 32)


def grid(sizes):
    return np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)


def standardised(factors):
    return (factors - factors.mean(axis=0)) / factors.std(axis=0)


@pytest.fixture(scope="module")
def dsprites():
    rows = np.random.default_rng(0).choice(np.prod(SIZES), 15_000, replace=False)
    factors = np.stack(np.unravel_index(rows, SIZES), axis=1)
    return standardised(factors), factors


def twice(factors, times=200):
    """The grid `times` over as training rows and once more as test rows, so that accuracies are exact."""
    n = len(factors)
    return np.tile(factors, (times + 1, 1)), (np.arange(n * times), np.arange(n * times, n * (times + 1)))


def test_squared_correlations_of_mixed_codes():
    """v₀ and v₁ independent, of variance ¼: v₀ + 2v₁ shares ⅕ with v₀ and ⅘ with v₁, 2v₀ − v₁ ⅘ and ⅕; each gap ⅗."""
    factors = np.tile(grid((2, 2)), (5, 1))
    codes = factors @ np.array([[1.0, 2.0], [2.0, -1.0]])
    expected = {"sap": 0.6, "sap_factor_0": 0.6, "sap_factor_1": 0.6}
    assert sap(codes, factors, kind="continuous") == pytest.approx(expected)
    assert sap(1e200 * codes - 1e199, factors, kind="continuous") == pytest.approx(expected)


def test_squared_correlation_of_one_code_is_its_gap():
    """v₀ + v₁ shares half with each, and there is no second code."""
    factors = grid((3, 3))
    assert sap(factors.sum(axis=1, keepdims=True) * 1.0, factors, kind="continuous")["sap"] == pytest.approx(0.5)


def test_squared_correlation_is_blind_to_even_functions():
    factors = np.arange(5)[:, None]
    assert sap((factors - 2.0) ** 2, factors, kind="continuous")["sap"] == pytest.approx(0, abs=1e-12)


def test_accuracies_on_a_grid():
    """Two values: 1, and ½ by the other code, whatever it predicts. Three equally spaced ones are told apart too.

    The extreme ones by lines through ±1 at neighbours, the middle one by a constant of −⅓, the largest of the three
    there; the other code offers ⅓.
    """
    factors, split = twice(grid((2, 3)))
    scores = sap(standardised(factors), factors, split=split)
    assert scores == pytest.approx({"sap_factor_0": 1 / 2, "sap_factor_1": 2 / 3, "sap": 7 / 12})


def test_weights_of_rare_values():
    """A first code says 1; a second one ±1. Of the rows with +1 two fifths have v = 1, of those with −1 none.

    One side in five has v = 1, so weighted by rarity it outweighs at +1 (2 · 2.5 against 3 · 0.625) and 7 of 10 are
    right; unweighted v = 0 is predicted throughout and 8 of 10 are.
    """
    factors = np.array([0] * 8 + [1] * 2)[:, None]
    second = np.array([-1.0] * 5 + [1.0] * 5)[:, None]
    table, split = twice(np.hstack([factors, second]))
    codes, factors = np.stack([2 * table[:, 0] - 1, table[:, 1]], axis=1), table[:, :1].astype(int)
    assert sap(codes, factors, split=split)["sap"] == pytest.approx(0.3)
    assert sap(codes, factors, split=split, balanced=False)["sap"] == pytest.approx(0.2)
    assert sap(codes[:, 1:], factors, split=split)["sap"] == 0.0


def test_learns_from_the_training_rows_only():
    """Both codes hold v in the training rows; in the test rows the second holds its opposite: 1 − 0."""
    factors = np.arange(400)[:, None] % 2
    codes = np.hstack([factors, factors]) * 2.0 - 1.0
    codes[200:, 1] *= -1
    assert sap(codes, factors, split=(np.arange(200), np.arange(200, 400)))["sap"] == 1.0


def test_values_that_training_rows_do_not_show():
    factors = np.array([0, 1] * 100 + [0, 1, 2, 3] * 10)[:, None]
    split = np.arange(200), np.arange(200, 240)
    codes = standardised(factors)
    # Half of the test rows are right, and without a second code the most frequent training value has a quarter.
    assert sap(codes, factors, split=split)["sap"] == pytest.approx(0.25)
    one = np.flatnonzero(factors[:200, 0] == 0), split[1]
    assert sap(np.hstack([codes, codes**2]), factors, split=one)["sap"] == 0.0


def test_anchors_on_the_grid_of_dsprites(dsprites):
    """SPEC's 0.25 for perfect codes; the other bands from simulation, with twice the spread that it showed."""
    codes, factors = dsprites
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    assert sap(codes, factors)["sap"] == pytest.approx(0.25, abs=0.015)
    assert sap(codes @ turn, factors)["sap"] < 0.15
    assert sap(rng.standard_normal(codes.shape), factors)["sap"] < 0.02
    assert sap(codes, factors, kind="continuous")["sap"] == pytest.approx(1.0, abs=2e-3)
    assert sap(rng.standard_normal(codes.shape), factors, kind="continuous")["sap"] < 2e-3


def test_scale_matters_unless_scaled(dsprites):
    codes, factors = dsprites
    rows = {"train": 10_000, "test": 3_000}
    full, small = (sap(codes * scale, factors, **rows)["sap"] for scale in (1.0, 0.02))
    assert small < 0.6 * full
    one, other = (sap(codes * scale + 3, factors, scaled=True, **rows)["sap"] for scale in (1.0, 0.02))
    assert one == pytest.approx(other, abs=2e-3)


def test_converges_on_large_codes(dsprites):
    """A penalty that vanishes beside the data leaves one optimum; scikit-learn's own tolerance misses it by a third."""
    codes, factors = dsprites
    rows = {"train": 10_000, "test": 3_000}
    one, other = (sap(codes[:, :2] * scale, factors[:, :2], **rows)["sap"] for scale in (30.0, 1e4))
    assert one == pytest.approx(other, abs=5e-3)


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("kind", ["discrete", "continuous"])
def test_dead_codes_and_constant_factors_change_nothing(position, kind):
    factors = np.tile(grid((3, 4)), (50, 1))
    codes = factors + np.random.default_rng(0).standard_normal(factors.shape)
    settings = {"kind": kind, "train": 300, "test": 300}
    expected = sap(codes, factors, **settings)
    assert sap(np.insert(codes, position, 1 / 3, axis=1), factors, **settings) == expected
    shifted = sap(codes, np.insert(factors, 0, 7, axis=1), **settings)
    assert shifted == {"sap": expected["sap"]} | {f"sap_factor_{k + 1}": expected[f"sap_factor_{k}"] for k in (0, 1)}
    assert sap(np.ones_like(codes), factors, **settings)["sap"] == 0.0


def test_what_it_refuses():
    factors = np.random.default_rng(0).uniform(size=(100, 2))
    with pytest.raises(NotApplicable, match="continuous"):
        sap(factors, factors, train=50, test=50)
    with pytest.raises(NotApplicable, match="10,000"):
        sap(factors, (factors * 3).astype(int))
    with pytest.raises(UsageError, match="overlap"):
        sap(factors, (factors * 3).astype(int), split=(np.arange(60), np.arange(50, 100)))
    assert sap(factors, factors, kind="continuous")["sap"] > 0.9

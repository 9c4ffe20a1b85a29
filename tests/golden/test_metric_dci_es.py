"""DCI-ES: curves on paper, and forests of known depths."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.dci_es import _cut, _explicitness, dci_es

FACTORS = np.stack(np.unravel_index(np.random.default_rng(0).permutation(1_200) % 16, (2, 8)), axis=1)
SMALL = {"train": 600, "test": 300, "trees": 5}


def test_areas_on_paper():
    """From a guess of 0.5 at depth 1 down a line to 0 at depth 3: 0. At once: 1. Only at the end of three: −½."""
    assert _explicitness((1, 3), np.array([0.5, 0.0]), 0.5) == pytest.approx(0)
    assert _explicitness((1, 3), np.array([0.0, 0.0]), 0.5) == pytest.approx(1)
    assert _explicitness((1, 4, 5), np.array([0.5, 0.5, 0.0]), 0.5) == pytest.approx(1 - 2 * (3 + 0.5) / 4)


def test_a_loss_that_rises_again_is_as_low_as_it_was():
    assert _explicitness((1, 2, 3), np.array([0.2, 0.0, 0.4]), 0.5) == _explicitness(
        (1, 2, 3), np.array([0.2, 0.0, 0.0]), 0.5
    )


def test_perfect_codes_take_the_depth_that_their_values_need():
    """Two values are told at depth 1. Of three, one tree tells two at depth 1, a loss of 1/3, and all at depth 2.

    The area is ½ · 1/3, that of a guess ½ · 2/3: explicitness ½, but for what the test rows show of each value.
    """
    factors = np.stack(np.unravel_index(np.random.default_rng(4).permutation(1_200) % 6, (2, 3)), axis=1)
    found = dci_es(factors.astype(np.float32), factors, depths=(1, 2), train=600, test=600, trees=1)
    assert found["dci_explicitness_factor_0"] == pytest.approx(1)
    assert found["dci_explicitness_factor_1"] == pytest.approx(0.5, abs=0.06)
    assert found["dci_lowest_loss"] == 0
    assert found["dci_size"] == 1


def test_a_cut_forest_is_one_of_that_depth():
    """scikit-learn's own forest of depth 2 says the same of every row, up to splits that are equally good."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((400, 3)).astype(np.float32), rng.integers(3, size=400)
    deep, shallow = (
        RandomForestClassifier(10, max_depth=depth, max_features=None, random_state=0).fit(x, y) for depth in (6, 2)
    )
    np.testing.assert_allclose(_cut(deep, x, [2, 6])[0], shallow.predict_proba(x), atol=1e-6)
    np.testing.assert_allclose(_cut(deep, x, [2, 6])[1], deep.predict_proba(x), atol=1e-6)


def test_noise_is_explicit_and_says_so_by_its_loss():
    noise = np.random.default_rng(2).standard_normal((1_200, 4)).astype(np.float32)
    found = dci_es(noise, FACTORS, **SMALL)
    assert found["dci_explicitness"] > 0.8
    assert found["dci_lowest_loss"] > 0.6
    assert found["dci_size"] == 0.5


def test_tiny_codes_and_tiny_factors_are_read():
    codes = FACTORS + 0.01 * np.random.default_rng(3).standard_normal(FACTORS.shape)
    assert dci_es(1e-9 * codes, FACTORS, **SMALL) == pytest.approx(dci_es(codes, FACTORS, **SMALL), abs=0.01)
    assert dci_es(codes, 1e-9 * codes, **SMALL)["dci_lowest_loss"] < 0.1


def test_constant_codes_are_a_guess():
    found = dci_es(np.ones((1_200, 3)), FACTORS, **SMALL)
    assert found["dci_lowest_loss"] == pytest.approx((1 / 2 + 7 / 8) / 2)


def test_continuous_factors_are_regressed():
    factor = np.random.default_rng(3).uniform(size=(1_200, 1)) + 0.25
    found = dci_es(factor, factor, **SMALL)
    assert found["dci_lowest_loss"] < 0.01
    assert 0.5 < found["dci_explicitness"] < 1


def test_refusals():
    with pytest.raises(NotApplicable, match="points"):
        dci_es(np.ones((1_200, 3)), FACTORS, train=1_000, test=1_000)
    with pytest.raises(NotApplicable, match=r"500 codes .* fewer trees"):
        dci_es(np.random.default_rng(5).standard_normal((1_200, 500)), FACTORS, train=700, test=300, trees=1_000)
    for depths in ((2, 1), (1,), (3, 3)):
        with pytest.raises(UsageError, match="depths"):
            dci_es(np.ones((1_200, 3)), FACTORS, depths=depths, **SMALL)

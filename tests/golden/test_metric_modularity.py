"""Modularity: templates on paper, and how high its floor is."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable
from benchmark.metrics.modularity import modularity

SIZES = (3, 6, 40, 32, 32)


def grid(*sizes, repeats=1):
    return np.repeat(np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1), repeats, axis=0)


FACTORS = grid(4, 4, 4, repeats=20)
A, B, C = FACTORS.T.astype(float)


@pytest.fixture(scope="module")
def sprites():
    rows = np.random.default_rng(0).choice(np.prod(SIZES), 10_000, replace=False)
    factors = np.stack(np.unravel_index(rows, SIZES), axis=1)
    return factors, (factors - factors.mean(axis=0)) / factors.std(axis=0)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (A, 1.0),
        (A // 2, 1.0),
        # All of two of three factors: 1 − 1² / (3 − 1). All of three: 1 − 2/2.
        (4 * A + B, 0.5),
        (4 * (A // 2) + 2 * (B // 2) + C // 2, 0.0),
        # log 4 of one, log 2 of another: 1 − (½)² / 2.
        (2 * A + B // 2, 7 / 8),
    ],
)
def test_one_code_on_paper(code, expected):
    assert modularity(code[:, None], FACTORS) == pytest.approx({"modularity": expected, "modularity_code_0": expected})


def test_mean_over_codes_whatever_they_tell():
    codes = np.stack([A // 2, 4 * A + B, A], axis=1)
    assert modularity(codes, FACTORS)["modularity"] == pytest.approx(2.5 / 3)


def test_k_is_the_number_of_factors_that_vary():
    """With two factors the code of both is as far from its template as can be; a constant factor is none of them."""
    codes = (4 * A + B)[:, None]
    for factors in (FACTORS[:, :2], np.insert(FACTORS[:, :2], 1, 5, axis=1)):
        assert modularity(codes, factors)["modularity"] == pytest.approx(0.0, abs=1e-9)


def test_codes_that_tell_nothing_are_left_out():
    """Constant ones, and one that is independent of every factor to the last count: no ratio of rounding errors."""
    factors = FACTORS[:, :2]
    codes = np.stack([2 * A + B // 2, C], axis=1)
    expected = {"modularity": 0.75, "modularity_code_0": 0.75}
    assert modularity(codes, factors) == pytest.approx(expected)
    dead = np.insert(codes, 0, 1 / 3, axis=1)
    assert modularity(dead, factors) == pytest.approx({"modularity": 0.75, "modularity_code_1": 0.75})
    for codes in (np.ones((len(A), 3)), C[:, None]):
        with pytest.raises(NotApplicable, match="no code tells"):
            modularity(codes, factors)


def test_noise_scores_two_thirds_on_the_grid_of_dsprites(sprites):
    """Of independent codes the counted information is bias, (bins − 1)(V − 1)/(2n), in proportion to V − 1:
    1 − (2² + 5² + 31² + 31²) / (4 · 39²) = 0.679. Perfect codes have bias beside log V: 1 − 10⁻⁴ at the least."""
    factors, perfect = sprites
    noise = np.random.default_rng(1).uniform(size=(10_000, 10))
    assert modularity(noise, factors)["modularity"] == pytest.approx(0.679, abs=0.03)
    assert 0.999 < modularity(perfect, factors)["modularity"] < 1
    assert (
        modularity(np.hstack([np.ones((10_000, 5)), perfect]), factors)["modularity"]
        == modularity(perfect, factors)["modularity"]
    )


def test_rotations_score_nine_tenths(sprites):
    """Simulated: 150 Haar rotations of codes of unit variance have mean 0.876 and deviation 0.052."""
    factors, perfect = sprites
    rng = np.random.default_rng(2)
    scores = [
        modularity(perfect @ np.linalg.qr(rng.standard_normal((5, 5)))[0], factors)["modularity"] for _ in range(20)
    ]
    assert np.mean(scores) == pytest.approx(0.876, abs=0.04)


def test_what_cannot_be_scored():
    with pytest.raises(NotApplicable, match="two"):
        modularity(A[:, None], FACTORS[:, :1])
    with pytest.raises(NotApplicable, match="1,000"):
        modularity(A[:999, None], FACTORS[:999])

"""The β-VAE and FactorVAE scores: answers on paper, and floors and ceilings on dSprites' full grid."""

import numpy as np
import pytest

from benchmark.metrics.beta_vae_score import beta_vae_score
from benchmark.metrics.factor_vae_score import factor_vae_score

SIZES = (1, 3, 6, 40, 32, 32)
SMALL = (3, 4, 5)


def grid(sizes):
    return np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)


def standardised(factors):
    return ((factors - factors.mean(axis=0)) / factors.std(axis=0)).astype(np.float32)


@pytest.fixture(scope="module")
def dsprites():
    factors = grid(SIZES)
    return standardised(factors[:, 1:]), factors


@pytest.mark.parametrize("measure", [beta_vae_score, factor_vae_score])
def test_perfect_codes_score_one(dsprites, measure):
    codes, factors = dsprites
    assert measure(codes, factors)[measure.__name__] == 1.0


def test_rotations_score_nearly_as_well(dsprites):
    """Perfect codes and five dead ones under four rotations of ten dimensions; the scores hardly see them."""
    codes, factors = dsprites
    rng = np.random.default_rng(0)
    rotated = [codes @ np.linalg.qr(rng.standard_normal((10, 10)))[0][:5].astype(np.float32) for _ in range(4)]
    assert np.mean([beta_vae_score(z, factors)["beta_vae_score"] for z in rotated]) > 0.95
    assert 0.9 < np.mean([factor_vae_score(z, factors)["factor_vae_score"] for z in rotated]) < 1.0


@pytest.mark.parametrize("measure", [beta_vae_score, factor_vae_score])
def test_noise_scores_chance(dsprites, measure):
    _, factors = dsprites
    noise = np.random.default_rng(0).standard_normal((len(factors), 10), dtype=np.float32)
    assert measure(noise, factors)[measure.__name__] == pytest.approx(1 / 5, abs=0.02)


@pytest.mark.parametrize("position", [0, 1, 3])
def test_a_dead_code_changes_nothing(position):
    factors = grid(SMALL)
    codes = standardised(factors) @ np.linalg.qr(np.random.default_rng(1).standard_normal((3, 3)))[0]
    dead = np.insert(codes, position, 1 / 3, axis=1)
    assert factor_vae_score(dead, factors) == factor_vae_score(codes, factors)
    assert factor_vae_score(dead, factors, prune=0.0) == factor_vae_score(codes, factors, prune=0.0)
    assert beta_vae_score(dead, factors)["beta_vae_score"] == pytest.approx(
        beta_vae_score(codes, factors)["beta_vae_score"], abs=2e-3
    )


def test_one_code_that_holds_one_of_three_factors():
    """The only code always wins the vote, for whichever factor is most frequent: chance."""
    factors = grid(SMALL)
    score = factor_vae_score(standardised(factors)[:, :1], factors)["factor_vae_score"]
    assert score == pytest.approx(1 / 3, abs=0.02)


def test_pruning_and_nothing_left():
    factors = grid(SMALL)
    codes = standardised(factors)
    assert factor_vae_score(0.04 * codes, factors)["factor_vae_score"] == 0.0
    assert factor_vae_score(0.04 * codes, factors, prune=0.0)["factor_vae_score"] == 1.0
    assert factor_vae_score(np.full_like(codes, 0.1), factors, prune=0.0)["factor_vae_score"] == 0.0


def test_all_codes_dead_leave_chance():
    factors = grid(SMALL)
    score = beta_vae_score(np.full((len(factors), 2), 0.1), factors)["beta_vae_score"]
    assert score == pytest.approx(1 / 3, abs=0.03)


def test_more_codes_than_factors_and_duplicates():
    factors = grid(SMALL)
    codes = standardised(factors)
    many = np.hstack([codes, 3 * codes, codes[:, :1]])
    assert factor_vae_score(many, factors)["factor_vae_score"] == 1.0
    assert beta_vae_score(many, factors)["beta_vae_score"] == 1.0


def test_far_from_zero_the_variance_is_still_found():
    """In single precision, squares of uncentred values near 1,000 would hide deviations of 1."""
    factors = grid(SMALL)
    assert factor_vae_score(standardised(factors) + 1_000, factors)["factor_vae_score"] == 1.0


def test_a_constant_factor_counted_as_a_class(dsprites):
    """Perfect codes vote wrong exactly where the constant factor is fixed; a classifier sees that no code is still."""
    codes, factors = dsprites
    fixed = np.random.default_rng(0).integers(6, size=15_000)
    share = (fixed[10_000:] < 5).mean()
    assert factor_vae_score(codes, factors, constant_factors=1)["factor_vae_score"] == share
    assert beta_vae_score(codes, factors, constant_factors=1)["beta_vae_score"] > 0.999


def test_what_the_usual_fit_does_not_reach_has_the_same_optimum(monkeypatch):
    """Codes of an autoencoder with deviations of 4 to 8 were not fitted after 10,000 iterations."""
    factors = grid((3, 6, 8))
    codes = 8 * (standardised(factors) + np.random.default_rng(0).normal(0, 2, factors.shape))
    usual = beta_vae_score(codes, factors, constant_factors=1)["beta_vae_score"]
    monkeypatch.setattr("benchmark.metrics.beta_vae_score.ITERATIONS", 3)
    assert beta_vae_score(codes, factors, constant_factors=1)["beta_vae_score"] == pytest.approx(usual, abs=2e-3)
    assert 0.3 < usual < 0.99

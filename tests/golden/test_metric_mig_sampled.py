"""MIG by sampling: Gaussian mixtures whose mutual information is an integral."""

import numpy as np
import pytest

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics.mig import mig

N = 2_000


def information(means, deviation):
    """I(z; v) of equally frequent v, z|v an equal mixture of Gaussians around means[v], by a fine sum, in nats."""
    z = np.linspace(-12, 12, 24_001)
    density = np.exp(-0.5 * ((z - np.asarray(means, dtype=float)[:, :, None]) / deviation) ** 2).mean(axis=1)
    density /= deviation * np.sqrt(2 * np.pi)
    share = np.full(len(density), 1 / len(density))
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(density > 1e-300, density * np.log(density / density.mean(axis=0)), 0.0)
    return float((share[:, None] * terms).sum() * (z[1] - z[0]))


def sampled(codes, factors, variances, **options):
    return mig(codes, factors, variances, estimator="sampled", **options)


@pytest.mark.parametrize("distance", [0.5, 1.0, 2.0])
def test_two_gaussians(distance):
    """Means ±m with variance 1. A single draw's log ratio has a deviation below ½: 3/√8,000 · ½ = 0.017 nats."""
    factors = (np.arange(N) % 2)[:, None]
    codes = distance * (2.0 * factors - 1)
    expected = information([[-distance], [distance]], 1.0) / np.log(2)
    found = np.mean([sampled(codes, factors, np.ones((N, 1)), seed=seed)["mig"] for seed in range(4)])
    assert found == pytest.approx(expected, abs=0.025)


def test_mixtures_within_a_value_and_the_gap_to_the_second_code():
    """Four values; code 0 has two means for each, code 1 one and a wider posterior."""
    values, other = np.arange(N) % 4, np.arange(N) // 4 % 2
    codes = np.stack([values + 4.0 * other - 3.5, 1.0 * values], axis=1)
    variances = np.tile([0.3**2, 1.2**2], (N, 1))
    first = information([[v - 3.5, v + 0.5] for v in range(4)], 0.3)
    second = information([[v] for v in range(4)], 1.2)
    found = np.mean([sampled(codes, values[:, None], variances, seed=seed)["mig"] for seed in range(4)])
    assert found == pytest.approx((first - second) / np.log(4), abs=0.025)


def test_variances_may_differ_between_rows():
    """Equal means, deviations 0.5 and 2: z tells of v by its spread alone."""
    factors = (np.arange(N) % 2)[:, None]
    deviation = np.where(factors == 0, 0.5, 2.0)
    z = np.linspace(-15, 15, 30_001)
    density = np.stack([np.exp(-0.5 * (z / s) ** 2) / (s * np.sqrt(2 * np.pi)) for s in (0.5, 2.0)])
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(density > 1e-300, density * np.log(density / density.mean(axis=0)), 0.0)
    expected = terms.mean(axis=0).sum() * (z[1] - z[0]) / np.log(2)
    found = np.mean([sampled(np.zeros((N, 1)), factors, deviation**2, seed=seed)["mig"] for seed in range(4)])
    assert found == pytest.approx(expected, abs=0.025)


def test_limits():
    """Posteriors narrow beside the spacing of values tell all; those of collapsed codes nothing."""
    factors = np.stack([np.arange(N) % 4, np.arange(N) // 4 % 5], axis=1)
    codes = factors.astype(float)
    assert sampled(codes, factors, np.full(codes.shape, 1e-4))["mig"] == pytest.approx(1.0, abs=1e-6)
    assert sampled(0 * codes, factors, np.ones(codes.shape))["mig"] == pytest.approx(0.0, abs=1e-9)


def test_no_ceiling_of_bins():
    """40 values, of which 20 bins keep log 20, are told apart."""
    factors = (np.arange(N) % 40)[:, None]
    assert mig(factors.astype(float), factors)["mig"] < 0.82
    assert sampled(factors.astype(float), factors, np.full((N, 1), 1e-4))["mig"] == pytest.approx(1.0, abs=1e-6)


def test_order_duplicates_and_dead_codes():
    rng = np.random.default_rng(0)
    factors = np.stack([np.arange(1_000) % 4, np.arange(1_000) // 4 % 5], axis=1)
    codes, variances = factors + 0.3 * rng.standard_normal(factors.shape), np.full(factors.shape, 0.2)
    expected = sampled(codes, factors, variances, seed=3)
    assert sampled(codes, factors, variances, seed=3) == expected
    assert sampled(codes[:, ::-1], factors, variances[:, ::-1], seed=3) == pytest.approx(expected)
    assert sampled(codes, factors, variances, seed=4) != expected
    for position in range(3):
        dead = np.insert(codes, position, 1 / 3, axis=1), factors, np.insert(variances, position, 1.0, axis=1)
        assert sampled(*dead, seed=3) == pytest.approx(expected)
    doubled = np.hstack([codes, codes[:, :1]]), factors, np.hstack([variances, variances[:, :1]])
    assert sampled(*doubled)["mig_factor_0"] == pytest.approx(0.0, abs=1e-12)


def test_histograms_do_not_look_at_the_posterior():
    factors = (np.arange(1_000) % 4)[:, None]
    codes = factors + np.random.default_rng(0).standard_normal((1_000, 1))
    assert mig(codes, factors, np.ones((1_000, 1)), 0 * codes) == mig(codes, factors)


def test_what_has_no_sampled_mig():
    factors = (np.arange(1_000) % 4)[:, None]
    codes, variances = factors.astype(float), np.ones((1_000, 1))
    with pytest.raises(NotApplicable, match="without variances"):
        mig(codes, factors, estimator="sampled")
    assert sampled(codes, factors, variances, means=codes) == sampled(codes, factors, variances)
    with pytest.raises(NotApplicable, match="its own samples"):
        sampled(codes + 1, factors, variances, means=codes)
    with pytest.raises(NotApplicable, match="1,000"):
        sampled(codes[:999], factors[:999], variances[:999])
    with pytest.raises(UsageError, match="not positive"):
        sampled(codes, factors, 0 * variances)

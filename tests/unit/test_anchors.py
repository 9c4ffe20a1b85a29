"""Anchor rows: codes made from the factors, whose scores are known beforehand."""

import numpy as np
import pytest
from numpy import ndarray

from benchmark.models._model import Anchor
from benchmark.models.noise import NoiseCodes
from benchmark.models.perfect import Perfect
from benchmark.models.perfect_dead import PerfectDead
from benchmark.models.rotated import Rotated

FACTORS = np.stack(np.meshgrid(np.arange(4), [0], np.arange(5), indexing="ij"), axis=-1).reshape(-1, 3)
"""A grid of factors of 4, 1 and 5 values."""


def codes(anchor: type[Anchor], factors: ndarray = FACTORS, seed: int = 0) -> ndarray:
    return anchor(anchor.Settings()).codes(factors, np.random.default_rng(seed))


def test_perfect_codes_are_the_standardised_factors() -> None:
    z = codes(Perfect)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z[:, 0], (FACTORS[:, 0] - 1.5) / np.sqrt(1.25), atol=1e-6)
    np.testing.assert_array_equal(z[:, 1], 0)
    np.testing.assert_allclose(z[:, 2], (FACTORS[:, 2] - 2) / np.sqrt(2), atol=1e-6)


def test_perfect_dead_adds_five_constants() -> None:
    z = codes(PerfectDead)
    assert z.shape == (20, 8)
    np.testing.assert_array_equal(z[:, :3], codes(Perfect))
    np.testing.assert_array_equal(z[:, 3:], 0)


def test_rotated_is_a_rotation_of_perfect() -> None:
    perfect = codes(Perfect)
    z = codes(Rotated)
    assert z.dtype == np.float32
    np.testing.assert_allclose(z @ z.T, perfect @ perfect.T, atol=1e-4)
    assert not np.allclose(np.abs(z), np.abs(perfect), atol=0.1)
    np.testing.assert_array_equal(z, codes(Rotated))
    assert not np.allclose(z, codes(Rotated, seed=1), atol=0.1)


def test_rotations_are_uniform() -> None:
    """Each entry of a Haar matrix in three dimensions has mean 0 and mean square ⅓."""
    basis = np.sqrt(2) * np.vstack([np.eye(3), -np.eye(3)])
    unit = basis / codes(Perfect, basis).std()
    z = np.stack([codes(Rotated, unit, seed)[:3] / np.sqrt(3) for seed in range(2000)])
    np.testing.assert_allclose(z.mean(axis=0), 0, atol=5 * np.sqrt(1 / 3 / 2000))
    np.testing.assert_allclose((z**2).mean(axis=0), 1 / 3, atol=5 * 0.3 / np.sqrt(2000))


@pytest.mark.parametrize("latents", [1, 10])
def test_noise_knows_nothing(latents: int) -> None:
    n = 5000
    factors = np.random.default_rng(1).random((n, 2))
    z = NoiseCodes(NoiseCodes.Settings(latents=latents)).codes(factors, np.random.default_rng(0))
    assert z.shape == (n, latents)
    assert z.dtype == np.float32
    assert np.abs(z.mean(axis=0)).max() < 5 / np.sqrt(n)
    assert np.abs(z.std(axis=0) - 1).max() < 5 / np.sqrt(2 * n)
    assert np.abs(np.corrcoef(z.T, factors.T)[:latents, latents:]).max() < 5 / np.sqrt(n)

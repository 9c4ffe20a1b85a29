"""Deterministic and stochastic reconstruction loss: decoders whose split is known."""

import numpy as np
import pytest

from benchmark.errors import UsageError
from benchmark.metrics.reconstruction_split import reconstruction_split


def test_by_hand():
    scores = reconstruction_split(np.array([1.0, 3.0]), np.array([5.0, 3.0]))
    assert scores == {"stochastic": 2.0, "deterministic": 2.0, "stochastic_share": 0.5}


def test_a_linear_decoder_splits_into_the_trace():
    """Dec(z) = Wz: E‖W(z − μ)‖² = Σ_j σ_j² ‖w_j‖² = 0.04 · 10 + 0.25 · 2. The cross term's mean is 0 (Proposition 4).

    With x − Wμ of length 1 and 20,000 points the estimate's deviation is about 0.015.
    """
    rng = np.random.default_rng(0)
    decoder, deviations = np.array([[1.0, 1.0], [3.0, -1.0], [0.0, 0.0]]), np.array([0.2, 0.5])
    residual = np.array([0.6, 0.0, 0.8])
    noise = deviations * rng.standard_normal((20_000, 2))
    at_sample = ((residual - noise @ decoder.T) ** 2).sum(axis=1)
    scores = reconstruction_split(np.ones(20_000), at_sample)
    assert scores["deterministic"] == 1.0
    assert scores["stochastic"] == pytest.approx(0.9, abs=0.05)
    assert scores["stochastic_share"] == pytest.approx(0.9 / 1.9, abs=0.02)


def test_noise_may_help_a_curved_decoder():
    """Dec(z) = z² at μ = 0 for x = 1: 1 at the mean, (0.01 − 1)² at z = ±0.1."""
    scores = reconstruction_split(np.ones(2), np.full(2, 0.99**2))
    assert scores["stochastic"] == pytest.approx(0.99**2 - 1)
    assert scores["stochastic_share"] == pytest.approx(1 - 1 / 0.99**2)


def test_constants_of_the_likelihood_cancel_in_the_stochastic_part():
    at_mean, at_sample = np.array([1.0, 3.0]), np.array([5.0, 3.0])
    for constant in (7.0, -50.0):
        scores = reconstruction_split(at_mean + constant, at_sample + constant)
        assert scores["stochastic"] == 2.0
    assert "stochastic_share" not in scores


def test_a_noiseless_encoder_has_no_stochastic_part():
    scores = reconstruction_split(np.ones(3), np.ones(3))
    assert scores == {"stochastic": 0.0, "deterministic": 1.0, "stochastic_share": 0.0}


def test_losses_of_other_points_are_refused():
    with pytest.raises(UsageError, match="2 points"):
        reconstruction_split.declaration.function.__wrapped__(np.ones(3), np.ones(2))
    with pytest.raises(UsageError, match="reconstruction_sample"):
        reconstruction_split(np.ones(3), np.array([1.0, np.nan, 1.0]))

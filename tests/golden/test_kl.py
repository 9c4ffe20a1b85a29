"""KL divergences to the standard normal, by hand and by Monte Carlo."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.models._gaussian import kl_coordinates, kl_diagonal
from benchmark.models.beta_vae_full import kl_full


def lower(*entries: float) -> Tensor:
    """A 2 × 2 lower triangular L from its rows."""
    a, b, c = entries
    return torch.tensor([[[a, 0.0], [b, c]]], dtype=torch.float64)


def test_diagonal_by_hand() -> None:
    mu = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    logvar = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, math.log(2)]])
    expected = torch.tensor([[0.5, 0.5 * (math.e - 2), 0.0], [0.0, 0.0, 0.5 * (5 - math.log(2))]])
    torch.testing.assert_close(kl_coordinates(mu, logvar), expected)
    # Summed over coordinates, averaged over the two points.
    torch.testing.assert_close(kl_diagonal(mu, logvar), expected.sum() / 2)


def test_full_by_hand() -> None:
    # Σ = [[1, 1], [1, 2]] has trace 3 and determinant 1; the mean adds ½(1 + 4).
    scale = lower(1, 1, 1)
    assert kl_full(torch.zeros(1, 2, dtype=torch.float64), scale).item() == pytest.approx(0.5)
    assert kl_full(torch.tensor([[1.0, 2.0]], dtype=torch.float64), scale).item() == pytest.approx(3.0)


def test_full_with_diagonal_scale_is_diagonal() -> None:
    rng = torch.Generator().manual_seed(0)
    mu, logvar = torch.randn(2, 50, 4, generator=rng, dtype=torch.float64)
    full = kl_full(mu, torch.diag_embed(torch.exp(0.5 * logvar)))
    torch.testing.assert_close(full, kl_diagonal(mu, logvar))


def test_full_is_the_expected_log_ratio() -> None:
    """By Monte Carlo, with densities from the covariance itself."""
    n, rng = 200_000, np.random.default_rng(0)
    mu, scale = np.array([0.7, -0.4]), np.array([[0.8, 0.0], [-0.9, 0.3]])
    eps = rng.standard_normal((n, 2))
    z = mu + eps @ scale.T
    covariance = scale @ scale.T
    centred = z - mu
    log_q = -0.5 * np.einsum("ni,ij,nj->n", centred, np.linalg.inv(covariance), centred)
    log_q -= 0.5 * np.log(np.linalg.det(covariance))
    ratio = log_q + 0.5 * (z**2).sum(axis=1)
    exact = kl_full(torch.from_numpy(mu)[None], torch.from_numpy(scale)[None]).item()
    assert ratio.mean() == pytest.approx(exact, abs=5 * ratio.std() / math.sqrt(n))


def test_full_gradient_by_hand() -> None:
    # ∂KL/∂L_ij = L_ij − [i = j] / L_ii and ∂KL/∂μ = μ.
    mu = torch.tensor([[0.5, -2.0]], dtype=torch.float64, requires_grad=True)
    scale = lower(2.0, 0.7, 0.5).requires_grad_()
    kl_full(mu, scale).backward()
    torch.testing.assert_close(mu.grad, mu.detach())
    torch.testing.assert_close(scale.grad, lower(1.5, 0.7, -1.5))


def test_standard_normal_posterior_is_free() -> None:
    zero = torch.zeros(3, 2)
    assert kl_diagonal(zero, zero).item() == kl_full(zero, torch.eye(2).expand(3, 2, 2)).item() == 0

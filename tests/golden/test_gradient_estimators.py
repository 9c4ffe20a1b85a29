"""Gradient estimators, on examples whose moments are known, taken exactly by Gauss–Hermite quadrature."""

import numpy as np
import pytest
import torch

from benchmark.metrics.gradient_estimators import gradient_estimators
from benchmark.stages.studies._gradients import gradients

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(20)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def moments(theta: float, log_sigma: float, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance, under ε ~ N(0, 1), of an estimate of ∇ E[z²], z ~ N(θ, σ²): in θ and log σ."""
    found = gradients(
        lambda z, mu, log_sigma: z.square().sum(1),
        torch.tensor([theta], dtype=torch.float64),
        torch.tensor([log_sigma], dtype=torch.float64),
        torch.from_numpy(NODES)[:, None],
    )
    each = getattr(found, name)[:, :, 0].numpy()
    mean = WEIGHTS @ each
    return mean, WEIGHTS @ each**2 - mean**2


@pytest.mark.parametrize("theta", [-1.5, 0.0, 2.0])
def test_variances_of_the_slides_example(theta: float) -> None:
    """N(θ, 1) and x²: θ⁴ + 14 θ² + 15 by the score function against 4 by reparametrisation."""
    assert moments(theta, 0, "score")[1][0] == pytest.approx(theta**4 + 14 * theta**2 + 15)
    assert moments(theta, 0, "pathwise")[1][0] == pytest.approx(4)


@pytest.mark.parametrize("log_sigma", [-1.0, 0.0, 0.5])
@pytest.mark.parametrize("name", ["score", "pathwise"])
def test_both_are_unbiased(name: str, log_sigma: float) -> None:
    """E[z²] = θ² + σ², whose derivatives are 2θ and, in log σ, 2σ²."""
    np.testing.assert_allclose(moments(1.5, log_sigma, name)[0], [3, 2 * np.exp(2 * log_sigma)], rtol=1e-10)


def test_the_baseline_of_a_draw_is_the_mean_of_the_others() -> None:
    eps = torch.tensor([[-1.0], [0.5], [2.0]], dtype=torch.float64)
    found = gradients(lambda z, mu, log_sigma: z.sum(1) + 100, torch.zeros(1).double(), torch.zeros(1).double(), eps)
    away = np.array([-1 - 1.25, 0.5 - 0.5, 2 + 0.25])
    np.testing.assert_allclose(found.baseline[:, 0, 0], away * eps[:, 0].numpy())
    np.testing.assert_allclose(found.score[:, 0, 0], (eps[:, 0] + 100) * eps[:, 0])


def test_a_log_density_of_its_own_gaussian_has_no_expected_gradient_in_mu() -> None:
    """−log q is log σ + ε²/2 and a constant: its derivative in μ is 0 on each path, in log σ 1."""

    def surprise(z: torch.Tensor, mu: torch.Tensor, log_sigma: torch.Tensor) -> torch.Tensor:
        return (0.5 * ((z - mu) * torch.exp(-log_sigma)) ** 2 + log_sigma).sum(1)

    mu, log_sigma = torch.tensor([[0.3], [-0.7]], dtype=torch.float64)
    found = gradients(surprise, mu, log_sigma, torch.from_numpy(NODES)[:, None])
    np.testing.assert_allclose(found.pathwise[:, :, 0], np.tile([0, 1], (20, 1)), atol=1e-12)
    np.testing.assert_allclose(WEIGHTS @ found.score[:, :, 0].numpy(), [0, 1], atol=1e-10)


def test_the_score_adds_parameters_and_coordinates_and_averages_points() -> None:
    one, tenth = np.ones((4, 2, 3)), np.full((4, 2, 3), 0.1)
    found = gradient_estimators(one * 100, one * np.array([1, 3])[:, None], tenth)
    assert found["gradient_log_variance_score"] == pytest.approx(np.log10(600))
    assert found["gradient_log_variance_baseline"] == pytest.approx(np.log10(12))
    assert found["gradient_log_ratio"] == pytest.approx(3)
    assert found["gradient_log_ratio_baseline"] == pytest.approx(np.log10(20))

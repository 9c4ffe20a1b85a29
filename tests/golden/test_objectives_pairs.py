"""Ada-GVAE and Ada-ML-VAE in cases solvable by hand: two Gaussians' average, what seems shared, and the loss."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from test_objectives import Fixed, make
from torch import Tensor, nn

from benchmark import registry
from benchmark.models._neural import Batch
from benchmark.models._paired import Gaussians, PairedVAE, divergence, shared

MODELS = ("ada_gvae", "ada_ml_vae")


def gaussians(means: list[list[float]], variances: list[list[float]]) -> Gaussians:
    return Gaussians(torch.tensor(means, dtype=torch.float64), torch.tensor(variances, dtype=torch.float64).log())


def averaged(name: str, one: Gaussians, other: Gaussians) -> tuple[list[float], list[float]]:
    """Mean and variance of the first point's average."""
    mu, logvar = make(name).average(one, other)
    return mu[0].tolist(), logvar[0].exp().tolist()


class TestAverage:
    @pytest.mark.parametrize(
        ("name", "mean", "variance"),
        [
            ("ada_gvae", 1.0, 2.0),  # means 0 and 2, variances 1 and 3
            ("ada_ml_vae", 0.5, 1.5),  # precisions 1 and ⅓: ⅔ on average, weights ¾ and ¼
        ],
    )
    def test_of_two_gaussians(self, name: str, mean: float, variance: float) -> None:
        one, other = gaussians([[0.0]], [[1.0]]), gaussians([[2.0]], [[3.0]])
        for pair in ((one, other), (other, one)):
            mu, var = averaged(name, *pair)
            assert mu == pytest.approx([mean])
            assert var == pytest.approx([variance])

    @pytest.mark.parametrize("name", MODELS)
    def test_of_equal_gaussians_is_itself(self, name: str) -> None:
        one = gaussians([[0.3, -2.0]], [[0.2, 5.0]])
        mu, var = averaged(name, one, one)
        assert mu == pytest.approx([0.3, -2.0])
        assert var == pytest.approx([0.2, 5.0])

    def test_product_is_that_of_the_densities(self) -> None:
        """N₁(t)·N₂(t) ∝ N(t; m, v/2), m and v as given."""
        mu, var = averaged("ada_ml_vae", gaussians([[0.4]], [[0.5]]), gaussians([[-1.0]], [[2.0]]))
        t = np.linspace(-3, 3, 50)
        product = -((t - 0.4) ** 2) / (2 * 0.5) - (t + 1) ** 2 / (2 * 2.0)
        found = -((t - mu[0]) ** 2) / var[0]
        np.testing.assert_allclose(np.diff(product - found), 0, atol=1e-12)

    @pytest.mark.parametrize("name", MODELS)
    def test_of_extreme_variances_is_finite_and_so_is_its_gradient(self, name: str) -> None:
        logvar = [torch.tensor([[value]], requires_grad=True) for value in (200.0, -200.0)]
        mu = [torch.tensor([[value]], requires_grad=True) for value in (1.0, 3.0)]
        found = make(name).average(Gaussians(mu[0], logvar[0]), Gaussians(mu[1], logvar[1]))
        slopes = torch.autograd.grad(found.mu.sum() + found.logvar.sum(), [*mu, *logvar])
        assert all(part.isfinite().all() for part in (*found, *slopes))


class TestShared:
    def test_divergence_by_hand(self) -> None:
        """KL(N(0, 1) ‖ N(2, 4)) = ln 2 + 5/8 − ½; KL(N(2, 4) ‖ N(0, 1)) = −ln 2 + 8/2 − ½."""
        one, other = gaussians([[0.0, 2.0]], [[1.0, 4.0]]), gaussians([[2.0, 0.0]], [[4.0, 1.0]])
        assert divergence(one, other)[0].tolist() == pytest.approx([math.log(2) + 1 / 8, 3.5 - math.log(2)])

    def test_below_the_middle_of_the_least_and_the_most(self) -> None:
        """Variances of ½ make the KL a squared distance: 0, 1, 4, 9 of the first pair, in whose middle is 4.5; 1, 9,
        16, 25 of the second, in whose middle is 13."""
        zero = gaussians([[0.0] * 4] * 2, [[0.5] * 4] * 2)
        other = gaussians([[0.0, 1.0, 2.0, 3.0], [-1.0, 3.0, -4.0, 5.0]], [[0.5] * 4] * 2)
        torch.testing.assert_close(divergence(zero, other), other.mu.square())
        assert shared(zero, other).tolist() == [[True, True, True, False], [True, True, False, False]]

    def test_where_all_are_equal_none_is_shared(self) -> None:
        zero, one = gaussians([[0.0, 0.0]], [[1.0, 1.0]]), gaussians([[1.0, -1.0]], [[1.0, 1.0]])
        assert not shared(zero, one).any()
        assert not shared(zero, zero).any()


def by_hand(name: str, **settings: Any) -> PairedVAE:
    """Data are μ and log σ² of two coordinates; the decoder gives (z₁, z₂, 0, 0); the likelihood is N(x; ·, ½²)."""
    model: PairedVAE = make(name, inputs=4, **settings)
    model.encoder = nn.Identity()
    model.decoder = Fixed(lambda z: torch.cat([z, torch.zeros_like(z)], dim=1))
    return model


def pair(eps: Tensor | None = None) -> Batch:
    """One pair: μ = (0, 0) and (2, 6), σ² = (1, 1) and (e, 1). KL of the coordinates: 0.9 and 18."""
    x, x2 = torch.tensor([[0.0, 0.0, 0.0, 0.0]]).double(), torch.tensor([[2.0, 6.0, 1.0, 0.0]]).double()
    noise = {"eps": torch.zeros(2, 2).double() if eps is None else eps}
    return Batch(x, noise, torch.tensor(0.0), x2)


class TestLoss:
    @pytest.mark.parametrize(
        ("name", "mean", "variance"),
        [("ada_gvae", 1.0, (1 + math.e) / 2), ("ada_ml_vae", 2 / (1 + math.e), 2 * math.e / (1 + math.e))],
    )
    def test_of_one_pair(self, name: str, mean: float, variance: float) -> None:
        """The first coordinate is shared, the second is not."""
        eps = torch.tensor([[1.0, 0.5], [-1.0, 2.0]]).double()
        model, sigma = by_hand(name, beta=3.0), math.sqrt(variance)
        loss, terms, _ = model.loss(pair(eps), model.settings)
        decoded = np.array([[mean + sigma, 0.5, 0, 0], [mean - sigma, 8.0, 0, 0]])
        squares = ((np.array([[0, 0, 0, 0], [2, 6, 1, 0]]) - decoded) ** 2).sum(axis=1)
        rec = (2 * squares).mean() + 2 * math.log(2 * math.pi / 4)
        of_shared = 0.5 * (mean**2 + variance - math.log(variance) - 1)
        kl = of_shared + 0.5 * (0 + 0.5 * 36)
        assert terms["shared"].item() == 1
        assert terms["rec"].item() == pytest.approx(rec)
        assert terms["kl"].item() == pytest.approx(kl)
        assert loss.item() == pytest.approx(rec + 3 * kl)

    @pytest.mark.parametrize("name", MODELS)
    def test_of_equal_points_is_the_beta_vae(self, name: str) -> None:
        paired, plain = make(name, beta=2.5), make("beta_vae", beta=2.5)
        rng = np.random.default_rng(0)
        x, eps = (torch.from_numpy(rng.standard_normal(shape)) for shape in ((8, 3), (8, 2)))
        step = torch.tensor(0.0)
        doubled = paired.loss(Batch(x, {"eps": torch.cat([eps, eps])}, step, x), paired.settings)
        single = plain.loss(Batch(x, {"eps": eps}, step), plain.settings)
        torch.testing.assert_close(doubled.loss, single.loss)
        of_paired, of_plain = (
            torch.autograd.grad(each, list(model.parameters()))
            for each, model in ((doubled.loss, paired), (single.loss, plain))
        )
        for found, expected in zip(of_paired, of_plain, strict=True):
            torch.testing.assert_close(found, expected)

    @pytest.mark.parametrize("name", MODELS)
    def test_points_may_change_places(self, name: str) -> None:
        """But for who is first in KL: with equal variances neither is."""
        model = make(name)
        rng = np.random.default_rng(1)
        x, x2 = (torch.from_numpy(rng.standard_normal((8, 3))) for _ in range(2))
        with torch.no_grad():
            model.encoder[-1].weight[2:] = 0  # log-variances are the biases
        eps, step = torch.from_numpy(rng.standard_normal((16, 2))), torch.tensor(0.0)
        there = model.loss(Batch(x, {"eps": eps}, step, x2), model.settings).loss
        back = model.loss(Batch(x2, {"eps": eps.roll(8, 0)}, step, x), model.settings).loss
        torch.testing.assert_close(there, back)

    @pytest.mark.parametrize("name", MODELS)
    def test_what_is_shared_pulls_at_both_points(self, name: str) -> None:
        """∂KL: of the shared coordinate the average's mean, weighed; of the other half of each point's own mean."""
        model, batch = by_hand(name), pair()
        assert batch.x2 is not None
        x, x2 = batch.x.clone().requires_grad_(), batch.x2.clone().requires_grad_()
        terms = model.loss(batch._replace(x=x, x2=x2), model.settings).terms
        slopes = torch.autograd.grad(terms["kl"], [x, x2])
        weight = 0.5 if name == "ada_gvae" else math.e / (1 + math.e)
        mean = 2 * (1 - weight)
        assert [slope[0, 0].item() for slope in slopes] == pytest.approx([weight * mean, (1 - weight) * mean])
        assert [slope[0, 1].item() for slope in slopes] == pytest.approx([0.0, 3.0])


def test_codes_are_each_points_own() -> None:
    for name in MODELS:
        model, plain = make(name), make("vae")
        x = torch.rand(5, 3).double()
        found, expected = model.posterior(x), plain.posterior(x)
        assert torch.equal(found.mu, expected.mu)
        assert found.logvar is not None and torch.equal(found.logvar, expected.logvar)


def test_the_default_is_one_factor_and_fewer_than_none_are_refused() -> None:
    settings = registry.load("model", "ada_gvae").Settings
    assert settings().changed == 1
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        settings(changed=-1)

"""Annealed, importance-weighted and Rényi objectives: limits, order, and log p(x) where it is known."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from test_objectives import INPUTS, LATENTS, SIGMA, Fixed, a_batch, gradients, loss_of, make
from torch import Tensor

from benchmark.errors import UsageError
from benchmark.models._neural import Batch
from benchmark.models.iwae import IWAE, log_mean_exp
from benchmark.models.renyi_vae import RenyiVAE, bound


class TestAnnealedVAE:
    def test_without_capacity_it_is_the_beta_vae(self) -> None:
        annealed, beta = make("annealed_vae", gamma=7.0, capacity=0.0), make("beta_vae", beta=7.0)
        assert loss_of(annealed, step=10**6) == pytest.approx(loss_of(beta))
        found = gradients(annealed, a_batch(annealed))
        for name, gradient in gradients(beta, a_batch(beta)).items():
            torch.testing.assert_close(found[name], gradient)

    @pytest.mark.parametrize(("step", "capacity"), [(0, 0.0), (50, 2.5), (200, 10.0), (400, 20.0), (900, 20.0)])
    def test_capacity_rises_linearly_and_then_stays(self, step: int, capacity: float) -> None:
        model = make("annealed_vae", gamma=3.0, capacity=20.0, annealing_steps=400.0)
        loss, terms, _ = model.loss(a_batch(model, step=step), model.settings)
        assert terms["capacity"].item() == pytest.approx(capacity)
        assert loss.item() == pytest.approx(terms["rec"].item() + 3 * abs(terms["kl"].item() - capacity))

    def test_kl_is_pulled_up_below_the_capacity_and_down_above_it(self) -> None:
        """With a decoder that ignores z only ±γ·KL pulls, on the last bias of μ by ±γ times the mean of μ."""
        for capacity, sign in ((0.0, 1), (1e4, -1)):
            model = make("annealed_vae", gamma=2.0, capacity=capacity)
            for parameter in model.decoder.parameters():
                torch.nn.init.zeros_(parameter)
            batch = a_batch(model, step=10**6)
            pull = gradients(model, batch)["encoder.5.bias"][:LATENTS]
            torch.testing.assert_close(pull, sign * 2 * model.posterior(batch.x).mu.mean(0))


def linear_gaussian(name: str, samples: int, **settings: float) -> tuple[IWAE, Tensor, float]:
    """One point under x = W z + σ ε, its q(z|x) = N(0.3, 0.8²) in each coordinate, and log p(x) in closed form."""
    model = make(name, samples=samples, **settings)
    matrix = torch.tensor([[0.5, -0.2], [0.1, 0.4], [-0.3, 0.2]]).double()
    model.encoder = Fixed(lambda x: torch.tensor([[0.3, 0.3, *[2 * math.log(0.8)] * 2]]).double().expand(len(x), 4))
    model.decoder = Fixed(lambda z: z @ matrix.T)
    x = torch.tensor([0.4, 0.3, -0.2]).double()
    covariance = matrix @ matrix.T + SIGMA**2 * torch.eye(3).double()
    log_p = torch.distributions.MultivariateNormal(torch.zeros(3).double(), covariance).log_prob(x)
    return model, x, log_p.item()


def bounds_of(name: str, samples: int, points: int = 20_000, **settings: float) -> tuple[float, float, float]:
    """The bound's mean over many draws, its standard error, and log p(x)."""
    model, x, log_p = linear_gaussian(name, samples, **settings)
    eps = torch.from_numpy(np.random.default_rng(samples).standard_normal((samples, points, LATENTS)))
    batch = Batch(x.expand(points, INPUTS), {"eps": eps}, torch.tensor(0.0))
    _, log_w = model.log_weights(batch)
    values = bound(log_w, settings["alpha"]) if isinstance(model, RenyiVAE) else log_mean_exp(log_w)
    assert -model.loss(batch, model.settings).loss.item() == pytest.approx(values.mean().item())
    return values.mean().item(), values.std().item() / math.sqrt(points), log_p


def elbo() -> float:
    """The ELBO of `linear_gaussian` by hand: E‖x − W z‖² = ‖x − W m‖² + s² tr WᵀW."""
    model, x, _ = linear_gaussian("iwae", 2)
    batch = Batch(x[None], {"eps": torch.zeros(2, 1, LATENTS).double()}, torch.tensor(0.0))
    rec = model.nats(x[None], model.decode(torch.full((1, 2), 0.3).double())).item()
    spread = 0.8**2 * (0.25 + 0.04 + 0.01 + 0.16 + 0.09 + 0.04) / (2 * SIGMA**2)
    return -(rec + spread + model.loss(batch, model.settings).terms["kl"].item())


class TestIWAE:
    def test_loss_by_explicit_loops(self) -> None:
        model = make("iwae", samples=3)
        batch = a_batch(model)
        mu, logvar, _ = model.posterior(batch.x)
        normal = torch.distributions.Normal
        total = 0.0
        for i, x in enumerate(batch.x):
            weights = []
            for eps in batch.noise["eps"][:, i]:
                z = mu[i] + torch.exp(0.5 * logvar[i]) * eps
                log_p = normal(model.decode(z[None])[0], SIGMA).log_prob(x).sum() + normal(0.0, 1.0).log_prob(z).sum()
                weights.append(torch.exp(log_p - normal(mu[i], torch.exp(0.5 * logvar[i])).log_prob(z).sum()).item())
            total -= math.log(sum(weights) / 3) / len(batch.x)
        assert loss_of(model) == pytest.approx(total)

    def test_bounds_are_ordered_up_to_the_likelihood(self) -> None:
        """ELBO ≤ IWAE(k) ≤ IWAE(2k) ≤ log p(x) in expectation."""
        found = [bounds_of("iwae", samples) for samples in (2, 4, 8, 64)]
        means = [elbo(), *(mean for mean, _, _ in found), found[0][2]]
        errors = [0.0, *(error for _, error, _ in found), 0.0]
        for (low, one), (high, other) in pairwise(zip(means, errors, strict=True)):
            assert low < high + 4 * (one + other)
        assert means[0] + 0.05 < means[1] < means[2] - 0.02
        assert means[-2] == pytest.approx(means[-1], abs=0.02)

    def test_the_true_posterior_gives_the_likelihood_from_any_sample(self) -> None:
        """x independent of z under a posterior equal to the prior: every weight is p(x)."""
        model = make("iwae", samples=2)
        model.encoder = Fixed(lambda x: x.new_zeros(len(x), 2 * LATENTS))
        model.decoder = Fixed(lambda z: z.new_zeros(len(z), INPUTS))
        batch = a_batch(model)
        expected = model.nats(batch.x, torch.zeros_like(batch.x)).mean()
        torch.testing.assert_close(model.loss(batch, model.settings).loss, expected)

    def test_weights_are_taken_of_each_points_own_samples(self) -> None:
        """Shuffled among one point's samples noise changes nothing; among points it does."""
        model = make("iwae", samples=4)
        batch = a_batch(model)
        eps = batch.noise["eps"]
        losses = [
            model.loss(batch._replace(noise={"eps": noise}), model.settings).loss.item()
            for noise in (eps, eps.flip(0), eps.flip(1))
        ]
        assert losses[1] == pytest.approx(losses[0])
        assert losses[2] != pytest.approx(losses[0])

    def test_one_sample_is_refused(self) -> None:
        with pytest.raises(UsageError, match=r"model\.samples = 1"):
            IWAE.Settings.read({"samples": 1}, "model")


class TestRenyiVAE:
    def test_alpha_one_and_one_sample_is_the_vae(self) -> None:
        vae, renyi = make("vae"), make("renyi_vae", alpha=1.0, samples=1)
        batch = a_batch(vae)
        stacked = batch._replace(noise={"eps": batch.noise["eps"][None]})
        assert renyi.loss(stacked, renyi.settings).loss.item() == pytest.approx(loss_of(vae))
        found = gradients(renyi, stacked)
        for name, gradient in gradients(vae, batch).items():
            torch.testing.assert_close(found[name], gradient)

    def test_alpha_zero_is_the_importance_weighted_bound(self) -> None:
        assert loss_of(make("renyi_vae", alpha=0.0, samples=5)) == loss_of(make("iwae", samples=5))

    def test_alpha_to_one_goes_to_the_elbo(self) -> None:
        log_w = torch.from_numpy(np.random.default_rng(0).normal(-3, 2, (10, 7)))
        for alpha in (1 - 1e-6, 1 + 1e-6):
            torch.testing.assert_close(bound(log_w, alpha), log_w.mean(0), atol=1e-4, rtol=0)
        mean, error, _ = bounds_of("renyi_vae", 10, alpha=0.999)
        assert mean == pytest.approx(elbo(), abs=4 * error + 2e-3)

    def test_extreme_orders_are_the_largest_and_the_smallest_weight(self) -> None:
        log_w = torch.tensor([[-3.0, 5.0], [-1.0, 9.0], [-7.0, 6.0]]).double()
        assert bound(log_w, -math.inf).tolist() == [-1, 9]
        assert bound(log_w, math.inf).tolist() == [-7, 5]
        torch.testing.assert_close(bound(log_w, -1000.0), bound(log_w, -math.inf), atol=2e-3, rtol=0)
        torch.testing.assert_close(bound(log_w, 1000.0), bound(log_w, math.inf), atol=2e-3, rtol=0)

    @pytest.mark.parametrize(("alpha", "power"), [(0.5, 0.5), (2.0, -1.0), (-1.0, 2.0)])
    def test_by_hand(self, alpha: float, power: float) -> None:
        """Weights 1, 4 and 16: a power mean."""
        log_w = torch.tensor([[1.0], [4.0], [16.0]]).double().log()
        expected = math.log((1 + 4**power + 16**power) / 3) / power
        assert bound(log_w, alpha).item() == pytest.approx(expected)

    def test_log_weights_of_thousands_of_nats_are_no_trouble(self) -> None:
        log_w = torch.tensor([[-4000.0], [-3000.0]], requires_grad=True)
        for alpha, expected in ((0.0, -3000 - math.log(2)), (2.0, -4000 + math.log(2)), (-math.inf, -3000)):
            (slope,) = torch.autograd.grad(bound(log_w, alpha).sum(), log_w)
            assert bound(log_w, alpha).item() == pytest.approx(expected)
            assert slope.sum().item() == pytest.approx(1)

    def test_bounds_fall_in_alpha(self) -> None:
        found = [bounds_of("renyi_vae", 10, alpha=alpha)[0] for alpha in (-math.inf, -1.0, 0.0, 0.5, 2.0, math.inf)]
        assert all(high > low + 1e-3 for high, low in pairwise(found))

    def test_one_sample_needs_alpha_one(self) -> None:
        with pytest.raises(UsageError, match="one sample makes every alpha the same"):
            RenyiVAE.Settings.read({"samples": 1, "alpha": 0.5}, "model")
        assert RenyiVAE.Settings.read({"samples": 1, "alpha": 1}, "model").samples == 1
        assert RenyiVAE.Settings.read({"alpha": "-inf"}, "model").alpha == -math.inf

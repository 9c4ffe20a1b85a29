"""Objectives in cases solvable by hand: every term, weight and gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmark import registry
from benchmark.errors import UsageError
from benchmark.models._neural import Batch, NeuralModel, Posterior
from benchmark.models.ae import AE
from benchmark.models.beta_tcvae import log_densities, stratified_log_weights
from benchmark.models.beta_vae_full import BetaVAEFull
from benchmark.models.dip_vae import covariance_of_means
from benchmark.models.factor_vae import FactorVAE
from benchmark.models.vae import VAE
from benchmark.networks.mlp_tiny import MlpTiny
from benchmark.training.engine import seeded

INPUTS, LATENTS, BATCH, POINTS, SIGMA = 3, 2, 8, 100, 0.5


def make(name: str, *, inputs: int = INPUTS, latents: int = LATENTS, **settings: Any) -> Any:
    """A model on a tiny network in double precision; models of one shape have equal weights."""
    model_class = registry.load("model", name)
    likelihood = settings.pop("likelihood", "gaussian")
    sigma = SIGMA if likelihood == "gaussian" else 0.0
    chosen = model_class.Settings(likelihood=likelihood, sigma=sigma, **settings)
    network = MlpTiny(MlpTiny.Settings(latents=latents, hidden=6), (inputs,))
    with seeded("objectives"):
        return model_class(chosen, network, POINTS).double()


def a_batch(model: NeuralModel, size: int = BATCH, step: int = 0) -> Batch:
    rng = np.random.default_rng(0)
    x, x2 = torch.from_numpy(rng.random((2, size, INPUTS)))
    draw = {"uniform": rng.random, "normal": rng.standard_normal}
    tensors = {name: torch.from_numpy(draw[noise.kind](noise.shape)) for name, noise in model.noise(size).items()}
    return Batch(x, tensors, torch.tensor(float(step)), x2 if model.second_batch else None)


def gradients(model: NeuralModel, batch: Batch) -> dict[str, Tensor]:
    """The objective's gradients by parameter name, where there are any."""
    loss = model.loss(batch, model.settings).loss
    parameters = dict(model.named_parameters())
    found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
    return {name: value for name, value in zip(parameters, found, strict=True) if value is not None}


def loss_of(model: NeuralModel, step: int = 0) -> float:
    return model.loss(a_batch(model, step=step), model.settings).loss.item()


class Fixed(nn.Module):
    """A module that is a given function."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class FixedCritic(Fixed):
    """A discriminator whose two logits are a given function."""

    def log_ratio_for_both(self, z: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        logits = self(torch.cat([z, others]))
        ratio = logits[:, 0] - logits[:, 1]
        return ratio[: len(z)], ratio


class TestVAE:
    def test_loss_is_the_negative_elbo(self) -> None:
        model = make("vae")
        batch = a_batch(model)
        mu, logvar = (part.detach().numpy() for part in model.encoder(batch.x).chunk(2, dim=1))
        z = mu + np.exp(logvar / 2) * batch.noise["eps"].numpy()
        output = model.decoder(torch.from_numpy(z)).detach().numpy()
        error = ((batch.x.numpy() - output) ** 2).sum(axis=1) / (2 * SIGMA**2)
        rec = (error + INPUTS * math.log(SIGMA * math.sqrt(2 * math.pi))).mean()
        kl = 0.5 * (mu**2 + np.exp(logvar) - logvar - 1).sum(axis=1).mean()
        loss, terms, _ = model.loss(batch, model.settings)
        assert terms["rec"].item() == pytest.approx(rec)
        assert terms["kl"].item() == pytest.approx(kl)
        assert loss.item() == pytest.approx(rec + kl)

    def test_ae_is_the_reconstruction_at_the_mean(self) -> None:
        vae, ae = make("vae"), make("ae")
        weights = {name: value[: ae.state_dict()[name].shape[0]] for name, value in vae.state_dict().items()}
        ae.load_state_dict(weights)
        batch = a_batch(vae)
        at_mean = batch._replace(noise={"eps": torch.zeros(BATCH, LATENTS, dtype=torch.float64)})
        assert isinstance(ae, AE)
        assert ae.noise(BATCH) == {}
        torch.testing.assert_close(ae.loss(batch, ae.settings).loss, vae.loss(at_mean, vae.settings).terms["rec"])

    def test_untrained_is_a_vae(self) -> None:
        assert loss_of(make("untrained")) == loss_of(make("vae"))


class TestBetaVAE:
    def test_beta_one_is_the_vae(self) -> None:
        vae, beta = make("vae"), make("beta_vae", beta=1.0)
        assert loss_of(beta) == loss_of(vae)
        expected, found = gradients(vae, a_batch(vae)), gradients(beta, a_batch(beta))
        assert expected.keys() == found.keys()
        for name, gradient in expected.items():
            assert torch.equal(found[name], gradient), name

    def test_beta_weighs_the_kl(self) -> None:
        terms = make("vae").loss(a_batch(make("vae")), make("vae").settings).terms
        assert loss_of(make("beta_vae", beta=7.0)) == pytest.approx((terms["rec"] + 7 * terms["kl"]).item())

    @pytest.mark.parametrize("step", [0, 1, 1000])
    def test_without_annealing_beta_is_whole_from_the_first_step(self, step: int) -> None:
        assert loss_of(make("beta_vae", annealing_steps=0.0), step=step) == loss_of(make("beta_vae"), step=0)

    @pytest.mark.parametrize(("step", "share"), [(0, 0.1), (1, 0.2), (4, 0.5), (8, 0.9), (9, 1.0), (500, 1.0)])
    def test_annealing_is_linear(self, step: int, share: float) -> None:
        model = make("beta_vae", beta=4.0, annealing_steps=9.0)
        assert loss_of(model, step=step) == pytest.approx(loss_of(make("beta_vae", beta=4.0 * share)))


class TestBetaVAEFull:
    def test_gradient_of_the_last_bias_by_hand(self) -> None:
        """With a decoder that ignores z only β·KL pulls: on μ by μ, on log L_jj² by ½(L_jj² − 1), below by L_ij."""
        model = make("beta_vae_full", beta=3.0)
        assert isinstance(model, BetaVAEFull)
        for parameter in model.decoder.parameters():
            nn.init.zeros_(parameter)
        batch = a_batch(model)
        mu, log_diagonal, below = model.encoder(batch.x).split([2, 2, 1], dim=1)
        by_hand = torch.cat([mu, 0.5 * (log_diagonal.exp() - 1), below], dim=1).mean(0)
        torch.testing.assert_close(gradients(model, batch)["encoder.5.bias"], 3 * by_hand)

    def test_scale_is_lower_triangular_with_the_encoders_entries(self) -> None:
        model = make("beta_vae_full", latents=3)
        x = a_batch(model).x
        scale = model.posterior(x).scale
        _, log_diagonal, below = model.encoder(x).split([3, 3, 3], dim=1)
        zero = torch.zeros(BATCH, dtype=torch.float64)
        a, b, c = torch.exp(0.5 * log_diagonal).T
        rows = [[a, zero, zero], [below[:, 0], b, zero], [below[:, 1], below[:, 2], c]]
        torch.testing.assert_close(scale, torch.stack([torch.stack(row, 1) for row in rows], 1))

    def test_sample_is_the_mean_and_scaled_noise(self) -> None:
        model = make("beta_vae_full", beta=0.0)
        batch = a_batch(model)
        mu, _, scale = model.posterior(batch.x)
        z = torch.stack([m + L @ e for m, L, e in zip(mu, scale, batch.noise["eps"], strict=True)])
        assert model.loss(batch, model.settings).loss.item() == pytest.approx(
            model.nats(batch.x, model.decode(z)).mean().item()
        )


class TestFactorVAE:
    def test_optimal_discriminator_gives_the_total_correlation(self) -> None:
        """z of correlation ρ has TC = −½ log(1 − ρ²); the best logits are log q(z) and log Π q(z_j)."""
        rho, n = 0.8, 100_000
        model = make("factor_vae", inputs=LATENTS, discriminator_layers=1, discriminator_width=4)
        assert isinstance(model, FactorVAE)
        e = torch.from_numpy(np.random.default_rng(0).standard_normal((n, 2)))
        x = torch.stack([e[:, 0], rho * e[:, 0] + math.sqrt(1 - rho**2) * e[:, 1]], 1)
        model.encoder = Fixed(lambda x: torch.cat([x, torch.full_like(x, -80)], 1))
        covariance = torch.tensor([[1, rho], [rho, 1]]).double()
        joint = torch.distributions.MultivariateNormal(torch.zeros(2).double(), covariance)
        alone = torch.distributions.Normal(0.0, 1.0)
        model.discriminator = FixedCritic(lambda z: torch.stack([joint.log_prob(z), alone.log_prob(z).sum(1)], 1))
        zeros = torch.zeros_like(x)
        batch = Batch(x, {"eps": zeros, "eps2": zeros, "order": zeros}, torch.tensor(0.0), x)
        tc = model.loss(batch, model.settings).terms["tc"].item()
        # The log ratio's standard deviation is ρ.
        assert tc == pytest.approx(-0.5 * math.log(1 - rho**2), abs=5 * rho / math.sqrt(n))

    def test_loss_adds_gamma_times_tc(self) -> None:
        model = make("factor_vae", gamma=10.0, discriminator_layers=2, discriminator_width=5)
        batch = a_batch(model)
        loss, terms, _ = model.loss(batch, model.settings)
        *_, z = model.elbo_terms(batch)
        logits = model.discriminator(z)
        log_ratio = torch.log_softmax(logits, 1)
        assert terms["tc"].item() == pytest.approx((log_ratio[:, 0] - log_ratio[:, 1]).mean().item())
        assert loss.item() == pytest.approx((terms["rec"] + terms["kl"] + 10 * terms["tc"]).item())

    def test_gamma_zero_trains_encoder_and_decoder_as_a_vae(self) -> None:
        vae, factor = make("vae"), make("factor_vae", gamma=0.0, discriminator_layers=2, discriminator_width=5)
        factor.load_state_dict({**factor.state_dict(), **vae.state_dict()})
        batch = a_batch(factor)
        expected, found = gradients(vae, batch), gradients(factor, batch)
        for name, gradient in expected.items():
            torch.testing.assert_close(found[name], gradient)
        assert expected

    def test_total_correlation_reaches_the_encoder_through_the_codes(self) -> None:
        pulls = [
            gradients(model, a_batch(model))["encoder.5.bias"]
            for model in (make("factor_vae", gamma=gamma, discriminator_layers=2) for gamma in (0.0, 1.0))
        ]
        assert not torch.allclose(*pulls, rtol=1e-3)

    def test_discriminators_loss_reaches_the_discriminator_alone(self) -> None:
        model = make("factor_vae", discriminator_layers=2, discriminator_width=5)
        _, critics = model(a_batch(model), model.settings)
        parameters = dict(model.named_parameters())
        found = torch.autograd.grad(critics["discriminator"], list(parameters.values()), allow_unused=True)
        reached = {name for name, value in zip(parameters, found, strict=True) if value is not None}
        assert reached == {name for name in parameters if name.startswith("discriminator.")}

    def test_discriminators_loss_is_the_mean_cross_entropy_of_two_classes(self) -> None:
        model = make("factor_vae", discriminator_layers=2, discriminator_width=5)
        batch = a_batch(model)
        _, critics = model(batch, model.settings)
        *_, z = model.elbo_terms(batch)
        logits = model.discriminator(torch.cat([z, model.permuted(batch)]))
        labels = torch.arange(2).repeat_interleave(BATCH)
        torch.testing.assert_close(critics["discriminator"], nn.functional.cross_entropy(logits, labels))

    def test_permuted_codes_keep_the_second_batchs_marginals_and_lose_its_rows(self) -> None:
        model = make("factor_vae", discriminator_layers=1, discriminator_width=4)
        batch = a_batch(model)
        permuted = model.permuted(batch)
        mu, logvar, _ = model.posterior(batch.x2)
        second = mu + torch.exp(0.5 * logvar) * batch.noise["eps2"]
        torch.testing.assert_close(permuted.sort(dim=0).values, second.sort(dim=0).values)
        # Each coordinate has an order of its own.
        orders = [torch.cdist(permuted[:, j : j + 1], second[:, j : j + 1]).argmin(1) for j in range(LATENTS)]
        assert not torch.equal(*orders)


def toy_posteriors(b: int, d: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    mu, logvar, eps = rng.standard_normal((3, b, d))
    return mu + np.exp(logvar / 2) * eps, mu, logvar


def density(z: float, mu: float, logvar: float) -> float:
    return math.exp(-((z - mu) ** 2) / (2 * math.exp(logvar))) / math.sqrt(2 * math.pi * math.exp(logvar))


def chen_weights(b: int, points: int) -> list[list[float]]:
    """Chen et al. eq. S8 for each point n* of a batch of M + 1: the M others, one of which stands for the rest."""
    m = b - 1
    weights = []
    for i in range(b):
        row = [1 / m] * b
        row[i], row[(i + 1) % b] = 1 / points, (points - m) / (points * m)
        weights.append(row)
    return weights


class TestBetaTCVAE:
    @pytest.mark.parametrize("stratified", [False, True])
    def test_densities_by_explicit_loops(self, stratified: bool) -> None:
        b, d, n = 4, 3, 10
        z, mu, logvar = toy_posteriors(b, d)
        weights = chen_weights(b, n) if stratified else [[1 / (b * n)] * b] * b
        expected = np.empty((4, b))
        for i in range(b):
            q = [[density(z[i, k], mu[j, k], logvar[j, k]) for k in range(d)] for j in range(b)]
            expected[0, i] = math.log(math.prod(q[i]))
            expected[1, i] = math.log(sum(weights[i][j] * math.prod(q[j]) for j in range(b)))
            expected[2, i] = sum(math.log(sum(weights[i][j] * q[j][k] for j in range(b))) for k in range(d))
            expected[3, i] = math.log(math.prod(density(z[i, k], 0, 0) for k in range(d)))
        found = log_densities(*map(torch.from_numpy, (z, mu, logvar)), points=n, stratified=stratified)
        torch.testing.assert_close(torch.stack(found), torch.from_numpy(expected))

    @pytest.mark.parametrize("stratified", [False, True])
    def test_the_three_parts_add_up_to_the_log_ratio(self, stratified: bool) -> None:
        model = make("beta_tcvae", alpha=1.0, beta=1.0, lambda_=1.0, stratified=stratified)
        batch = a_batch(model)
        loss, terms, _ = model.loss(batch, model.settings)
        mu, logvar, _ = model.posterior(batch.x)
        z = mu + torch.exp(0.5 * logvar) * batch.noise["eps"]
        posterior, prior = torch.distributions.Normal(mu, torch.exp(0.5 * logvar)), torch.distributions.Normal(0.0, 1.0)
        ratio = posterior.log_prob(z) - prior.log_prob(z)
        assert (terms["mi"] + terms["tc"] + terms["dimension_kl"]).item() == pytest.approx(ratio.sum(1).mean().item())
        assert loss.item() == pytest.approx((terms["rec"] + ratio.sum(1).mean()).item())

    def test_each_part_has_its_weight(self) -> None:
        model = make("beta_tcvae", alpha=2.0, beta=3.0, lambda_=5.0)
        loss, terms, _ = model.loss(a_batch(model), model.settings)
        by_hand = terms["rec"] + 2 * terms["mi"] + 3 * terms["tc"] + 5 * terms["dimension_kl"]
        assert loss.item() == pytest.approx(by_hand.item())

    def test_codes_that_know_nothing(self) -> None:
        """One posterior for all x: stratified weights give I = TC = 0; weighted ones log N and (d − 1) log N,
        for their sum is 1/N, once in q(z) and once in each q(z_j)."""
        b, d, n = 5, 3, 50
        z, mu, logvar = (torch.from_numpy(values) for values in toy_posteriors(b, d))
        mu, logvar = mu[:1].expand(b, d), logvar[:1].expand(b, d)
        for stratified, shift in ((True, 0.0), (False, math.log(n))):
            log_q_zx, log_q_z, log_q_zj, _ = log_densities(z, mu, logvar, n, stratified)
            torch.testing.assert_close(log_q_zx - log_q_z, torch.full((b,), shift).double())
            torch.testing.assert_close(log_q_z - log_q_zj, torch.full((b,), (d - 1) * shift).double())

    @pytest.mark.parametrize(("b", "points"), [(2, 10), (5, 5), (8, 1000), (64, 737_280)])
    def test_stratified_weights_sum_to_one(self, b: int, points: int) -> None:
        weights = stratified_log_weights(b, points, torch.zeros((), dtype=torch.float64)).exp()
        torch.testing.assert_close(weights.sum(1), torch.ones(b).double())
        torch.testing.assert_close(weights.diagonal(), torch.full((b,), 1 / points).double())
        torch.testing.assert_close(weights, torch.tensor(chen_weights(b, points)).double(), atol=1e-7, rtol=1e-5)

    def test_stratified_weights_estimate_the_whole_without_bias(self) -> None:
        """Over all batches {n*} ∪ others of N = 4 points, the mean of Σ w f is f's mean over the points."""
        values, n, b = np.array([3.0, -1.0, 4.0, 10.0]), 4, 3
        weights = stratified_log_weights(b, n, torch.zeros((), dtype=torch.float64)).exp()[0].numpy()
        others = [(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)]
        estimates = [weights @ values[[0, *pair]] for pair in others]
        assert np.mean(estimates) == pytest.approx(values.mean())


class TestDIPVAE:
    def test_covariance_is_centred_over_the_batch(self) -> None:
        mu = torch.from_numpy(np.random.default_rng(0).standard_normal((20, 3)))
        found = covariance_of_means(mu + 100)
        np.testing.assert_allclose(found.numpy(), np.cov(mu.numpy().T, bias=True), atol=1e-10)

    @pytest.mark.parametrize(("kind", "extra"), [("i", 0.0), ("ii", 1.0)])
    def test_penalties_by_hand(self, kind: str, extra: float) -> None:
        """μ = ±(2, 1), ±(1, 2) has Cov[μ] = [[2.5, 2], [2, 2.5]]; σ² is (½, 2) on average."""
        model = make("dip_vae", inputs=4, kind=kind, lambda_off_diagonal=10.0, lambda_diagonal=3.0)
        model.encoder = Fixed(lambda x: x)
        means = torch.tensor([[2.0, 1.0], [-2.0, -1.0], [1.0, 2.0], [-1.0, -2.0]]).double()
        variances = torch.tensor([[0.25, 3.0], [0.75, 1.0], [0.5, 2.0], [0.5, 2.0]]).double()
        x = torch.cat([means, variances.log()], 1)
        batch = Batch(x, {"eps": torch.zeros(4, 2).double()}, torch.tensor(0.0))
        loss, terms, _ = model.loss(batch, model.settings)
        diagonal = (1.5 + extra * 0.5) ** 2 + (1.5 + extra * 2) ** 2
        assert terms["off_diagonal"].item() == pytest.approx(8)
        assert terms["diagonal"].item() == pytest.approx(diagonal)
        assert (loss - terms["rec"] - terms["kl"]).item() == pytest.approx(80 + 3 * diagonal)

    @pytest.mark.parametrize("kind", ["i", "ii"])
    def test_without_weights_it_is_the_vae(self, kind: str) -> None:
        dip = make("dip_vae", kind=kind, lambda_off_diagonal=0.0, lambda_diagonal=0.0)
        assert loss_of(dip) == pytest.approx(loss_of(make("vae")))


class TestLikelihoods:
    def test_bernoulli_is_the_cross_entropy_from_logits(self) -> None:
        model = make("vae", likelihood="bernoulli")
        x = torch.tensor([[0.0, 1.0, 0.25], [1.0, 1.0, 0.0]]).double()
        logits = torch.tensor([[0.0, 3.0, -1.0], [40.0, -40.0, -800.0]]).double()
        p = [1 / (1 + math.exp(-t)) for t in (0.0, 3.0, -1.0)]
        first = -(math.log(1 - p[0]) + math.log(p[1]) + 0.25 * math.log(p[2]) + 0.75 * math.log(1 - p[2]))
        torch.testing.assert_close(model.nats(x, logits), torch.tensor([first, 40.0]).double())

    def test_an_undecided_bernoulli_costs_log_two_a_pixel(self) -> None:
        model = make("vae", likelihood="bernoulli")
        x = torch.rand(3, 1, 4, 5).double()
        torch.testing.assert_close(model.nats(x, torch.zeros_like(x)), torch.full((3,), 20 * math.log(2)).double())

    def test_gaussian_density_integrates_to_one(self) -> None:
        model = make("vae")
        x = torch.linspace(-6, 8, 20_001).double()[:, None]
        density = torch.exp(-model.nats(x, torch.full_like(x, 0.9)))
        assert torch.trapezoid(density, x[:, 0]).item() == pytest.approx(1, abs=1e-9)

    def test_gaussian_by_hand(self) -> None:
        # σ = ½ in three dimensions: ½·(1 + 4 + 0)/¼ + 3 (log ½ + ½ log 2π).
        x, output = torch.tensor([[1.0, 2.0, 3.0]]).double(), torch.tensor([[0.0, 4.0, 3.0]]).double()
        expected = 10 + 3 * (math.log(0.5) + 0.5 * math.log(2 * math.pi))
        assert make("vae").nats(x, output).item() == pytest.approx(expected)

    def test_learned_sigma_rests_at_the_root_mean_square_error(self) -> None:
        model = make("vae", likelihood="gaussian_learned")
        x, output = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 50, INPUTS)))
        rms = (x - output).square().mean().sqrt()
        slopes = []
        for factor in (0.9, 1.0, 1.1):
            model.log_sigma.data = torch.log(factor * rms)
            (slope,) = torch.autograd.grad(model.nats(x, output).mean(), model.log_sigma)
            slopes.append(slope.item())
        assert slopes[0] < -0.1
        assert slopes[1] == pytest.approx(0, abs=1e-9)
        assert slopes[2] > 0.1

    def test_learned_sigma_of_one_is_the_fixed_one(self) -> None:
        learned = make("vae", likelihood="gaussian_learned")
        x, output = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 5, INPUTS)))
        learned.log_sigma.data = torch.tensor(math.log(SIGMA)).double()
        torch.testing.assert_close(learned.nats(x, output), make("vae").nats(x, output))

    def test_mean_image(self) -> None:
        output = torch.tensor([0.0, math.log(3)])
        torch.testing.assert_close(make("vae", likelihood="bernoulli").mean_image(output), torch.tensor([0.5, 0.75]))
        assert make("vae").mean_image(output) is output


@pytest.mark.parametrize(
    ("asked", "offered", "expected"),
    [
        ({}, ("bernoulli", 1.0), ("bernoulli", 0.0)),
        ({}, ("gaussian", 0.1), ("gaussian", 0.1)),
        ({"sigma": 0.3}, ("gaussian", 0.1), ("gaussian", 0.3)),
        ({"likelihood": "gaussian"}, ("bernoulli", 1.0), ("gaussian", 1.0)),
        ({"likelihood": "bernoulli"}, ("gaussian", 0.1), ("bernoulli", 0.0)),
        ({"likelihood": "gaussian_learned"}, ("gaussian", 0.1), ("gaussian_learned", 0.0)),
    ],
)
def test_likelihood_and_sigma_come_from_the_dataset_unless_given(
    asked: dict[str, Any], offered: tuple[str, float], expected: tuple[str, float]
) -> None:
    class Offer:
        likelihood, sigma = offered

    resolved = VAE.resolve(VAE.Settings(**asked), Offer())  # type: ignore[arg-type]
    assert (resolved.likelihood, resolved.sigma) == expected  # type: ignore[attr-defined]


@pytest.mark.parametrize(("asked", "offered"), [("auto", "bernoulli"), ("gaussian_learned", "gaussian")])
def test_a_sigma_that_decides_nothing_is_refused(asked: Any, offered: str) -> None:
    """A sweep of it would be one run."""

    class Offer:
        likelihood, sigma = offered, 1.0

    with pytest.raises(UsageError, match=r"model\.sigma = 0\.3 decides nothing under the likelihood (bern|gaussian_l)"):
        VAE.resolve(VAE.Settings(likelihood=asked, sigma=0.3), Offer())  # type: ignore[arg-type]


def test_a_posterior_says_which_kind_it_is() -> None:
    x = torch.zeros(1, INPUTS).double()
    kinds = {name: make(name).posterior(x) for name in ("ae", "vae", "beta_vae_full")}
    assert all(isinstance(posterior, Posterior) for posterior in kinds.values())
    assert {n: (p.logvar is None, p.scale is None) for n, p in kinds.items()} == {
        "ae": (True, True),
        "vae": (False, True),
        "beta_vae_full": (True, False),
    }

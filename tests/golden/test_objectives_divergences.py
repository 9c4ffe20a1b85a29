"""Objectives that hold the aggregate posterior against the prior: MMD, adversaries, and the frame of them all."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from test_objectives import BATCH, LATENTS, Fixed, a_batch, gradients, make
from torch import Tensor, nn

from benchmark.errors import UsageError
from benchmark.models._mmd import SCALES, kernel, mmd2
from benchmark.models._neural import Batch, NeuralModel
from benchmark.models.info_vae import InfoVAE
from benchmark.models.regularised_vae import RegularisedVAE

CRITIC = {"discriminator_layers": 2, "discriminator_width": 5}
CRITICAL = ["tc", "kl", "js", "total_variation", "pearson"]


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def assert_same(one: NeuralModel, other: NeuralModel, weights: dict[str, Tensor] | None = None) -> None:
    """Equal losses and gradients on one batch, in the parameters that both have."""
    other.load_state_dict({**other.state_dict(), **one.state_dict(), **(weights or {})})
    batch = a_batch(other)
    batch = batch._replace(noise={**a_batch(one).noise, **batch.noise})
    losses = [model.loss(batch, model.settings).loss.item() for model in (one, other)]
    assert losses[0] == pytest.approx(losses[1])
    found = gradients(other, batch)
    for name, gradient in gradients(one, batch).items():
        torch.testing.assert_close(found[name], gradient)


class TestMMD:
    def test_kernel_by_hand(self) -> None:
        """d = 2: C = 4s; two points at distance² 25."""
        found = kernel(torch.tensor([[3.0, 4.0]]).double(), torch.zeros(1, 2).double())
        assert found.item() == pytest.approx(sum(4 * s / (4 * s + 25) for s in (0.1, 0.2, 0.5, 1, 2, 5, 10)))

    def test_two_and_three_points_by_hand(self) -> None:
        """d = 1, x = {0, 1}, y = {0, 2, 3}: k(1) − 2·(2k(0) … )/6 + …, from each distance's kernel alone."""

        def k(distance: float) -> float:
            return sum(2 * s / (2 * s + distance**2) for s in SCALES)

        x, y = torch.tensor([[0.0], [1.0]]).double(), torch.tensor([[0.0], [2.0], [3.0]]).double()
        across = k(0) + k(2) + k(3) + k(1) + k(1) + k(2)
        expected = k(1) + (k(2) + k(3) + k(1)) / 3 - 2 * across / 6
        assert mmd2(x, y).item() == pytest.approx(expected)

    def test_samples_of_one_law_have_mean_zero(self) -> None:
        values = np.array([mmd2(normal(8, 3, seed=i), normal(8, 3, seed=10**6 + i)).item() for i in range(4000)])
        error = values.std() / math.sqrt(len(values))
        assert abs(values.mean()) < 4 * error
        assert error < 0.01
        assert values.min() < 0 < values.max()

    def test_samples_of_two_laws_have_the_mean_of_their_discrepancy(self) -> None:
        """Points a and b: MMD² is 2 (k(0) − k(a, b)) whatever the sizes."""
        a, b = torch.zeros(5, 2).double(), torch.ones(9, 2).double()
        expected = 2 * (len(SCALES) - kernel(a[:1], b[:1]).item())
        assert mmd2(a, b).item() == pytest.approx(expected)

    def test_gradient_of_coinciding_points_is_finite(self) -> None:
        z = torch.zeros(4, 2, requires_grad=True)
        (slope,) = torch.autograd.grad(mmd2(z, torch.ones(4, 2)), z)
        assert torch.isfinite(slope).all()
        assert (slope < 0).all()


class TestInfoVAE:
    def test_without_weights_it_is_the_vae(self) -> None:
        assert_same(make("vae"), make("info_vae", lambda_kl=0.0, lambda_mmd=0.0))

    def test_without_discrepancy_it_is_the_beta_vae(self) -> None:
        assert_same(make("beta_vae", beta=3.5), make("info_vae", lambda_kl=2.5, lambda_mmd=0.0))

    def test_the_discrepancy_is_that_of_the_sampled_codes(self) -> None:
        model = make("info_vae", lambda_kl=2.0, lambda_mmd=30.0)
        batch = a_batch(model)
        mu, logvar, _ = model.posterior(batch.x)
        z = mu + torch.exp(0.5 * logvar) * batch.noise["eps"]
        mmd = mmd2(z, batch.noise["prior"])
        loss, terms, _ = model.loss(batch, model.settings)
        torch.testing.assert_close(terms["mmd"], mmd)
        torch.testing.assert_close(loss, terms["rec"] + 3 * terms["kl"] + 30 * mmd)

    def test_zhaos_weights_are_the_same_run(self) -> None:
        of_zhao = InfoVAE.Settings.read({"alpha": 0.25, "lambda_z": 11, "sigma": 2}, "model")
        own = InfoVAE.Settings.read({"lambda_kl": -0.25, "lambda_mmd": 10.25, "sigma": 2}, "model")
        assert of_zhao.identity() == own.identity()
        assert InfoVAE.Settings.read(own.plain(), "model") == own
        rounded = InfoVAE.Settings.read({"alpha": 0.2, "lambda_z": 1}, "model")
        assert rounded.identity() == InfoVAE.Settings.read({"lambda_kl": -0.2, "lambda_mmd": 0.2}, "model").identity()

    @pytest.mark.parametrize(
        ("values", "complaint"),
        [
            ({"alpha": 0.5}, "both of alpha and lambda_z"),
            ({"alpha": 0.5, "lambda_z": 1, "lambda_kl": 0}, "both of alpha and lambda_z"),
            ({"alpha": "a", "lambda_z": 1}, "must be numbers"),
            ({"alpha": 0, "lambda_z": 0.5}, "lambda_mmd"),
        ],
    )
    def test_weights_that_do_not_fit_are_refused(self, values: dict[str, Any], complaint: str) -> None:
        with pytest.raises(UsageError, match=complaint):
            InfoVAE.Settings.read(values, "model")


class TestWAE:
    def test_without_weight_it_is_the_autoencoder(self) -> None:
        assert_same(make("ae"), make("wae_mmd", lambda_=0.0))

    def test_deterministic_codes_are_means(self) -> None:
        model = make("wae_mmd", lambda_=7.0)
        batch = a_batch(model)
        assert set(batch.noise) == {"prior"}
        assert model.posterior(batch.x).logvar is None
        loss, terms, _ = model.loss(batch, model.settings)
        torch.testing.assert_close(terms["mmd"], mmd2(model.encoder(batch.x), batch.noise["prior"]))
        torch.testing.assert_close(loss, terms["rec"] + 7 * terms["mmd"])

    def test_gaussian_codes_are_samples_without_kl(self) -> None:
        model, info = make("wae_mmd", encoder="gaussian", lambda_=7.0), make("info_vae", lambda_kl=-1.0, lambda_mmd=7.0)
        assert_same(info, model)

    def test_prior_draws_differ_from_the_codes_noise(self) -> None:
        noise = make("wae_mmd", encoder="gaussian").noise(BATCH)
        assert set(noise) == {"eps", "prior"}


def reached(model: NeuralModel, loss: Tensor) -> set[str]:
    """The submodules that a loss's gradient reaches."""
    parameters = dict(model.named_parameters())
    found = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True, retain_graph=True)
    return {name.split(".")[0] for name, value in zip(parameters, found, strict=True) if value is not None}


class TestAAE:
    @pytest.mark.parametrize("encoder", ["deterministic", "gaussian"])
    def test_without_weight_it_is_the_reconstruction(self, encoder: str) -> None:
        model = make("aae", encoder=encoder, lambda_=0.0, **CRITIC)
        assert_same(make("wae_mmd", encoder=encoder, lambda_=0.0), model)

    def test_terms_by_hand(self) -> None:
        for game, score in (("non_saturating", lambda d: -d.log()), ("minimax", lambda d: (1 - d).log())):
            model = make("aae", game=game, lambda_=3.0, **CRITIC)
            batch = a_batch(model)
            objective, critics = model(batch, model.settings)
            d_codes = model.discriminator(model.encoder(batch.x)).sigmoid()
            d_prior = model.discriminator(batch.noise["prior"]).sigmoid()
            torch.testing.assert_close(objective.terms["adversary"], score(d_codes).mean())
            torch.testing.assert_close(objective.loss, objective.terms["rec"] + 3 * objective.terms["adversary"])
            expected = -0.5 * (d_prior.log().mean() + (1 - d_codes).log().mean())
            torch.testing.assert_close(critics["discriminator"], expected)

    def test_critics_loss_never_reaches_the_encoder_and_the_adversary_does(self) -> None:
        model = make("aae", **CRITIC)
        objective, critics = model(a_batch(model), model.settings)
        assert reached(model, critics["discriminator"]) == {"discriminator"}
        assert reached(model, objective.terms["adversary"]) == {"encoder", "discriminator"}

    @pytest.mark.parametrize("game", ["non_saturating", "minimax"])
    def test_the_encoder_moves_codes_to_where_the_prior_is_denser(self, game: str) -> None:
        """The best discriminator of N(3, 1) from N(0, 1) has the logit 4.5 − 3z: both games pull the mean down."""
        model = make("aae", inputs=LATENTS, game=game, **CRITIC)
        shift = torch.full((LATENTS,), 3.0).double().requires_grad_()
        model.encoder = Fixed(lambda x: x + shift)
        model.discriminator = Fixed(lambda z: (4.5 - 3 * z).sum(1, keepdim=True))
        batch = Batch(normal(500, LATENTS), {"prior": normal(500, LATENTS, seed=1)}, torch.tensor(0.0))
        (slope,) = torch.autograd.grad(model.loss(batch, model.settings).terms["adversary"], shift)
        assert (slope > 0.1).all() if game == "non_saturating" else (slope > 0).all()

    def test_a_fooled_discriminator_costs_log_two(self) -> None:
        """log 2 − its loss bounds Jensen–Shannon from below: 0 where codes are the prior's."""
        model = make("aae", **CRITIC)
        nn.init.zeros_(model.discriminator[-1].weight)
        _, critics = model(a_batch(model), model.settings)
        assert critics["discriminator"].item() == pytest.approx(math.log(2))


def shifted(name: str, mean: float, critic: Any, **settings: Any) -> tuple[Any, Batch]:
    """A model whose codes are N(mean, 1) in one coordinate, all noise drawn, under a given critic."""
    n = 200_000
    model = make(name, inputs=1, latents=1, **CRITIC, **settings)
    model.encoder = Fixed(lambda x: torch.cat([x + mean, torch.full_like(x, -80)], 1))
    model.discriminator = Fixed(critic)
    noise = {key: normal(n, 1, seed=seed) for seed, key in enumerate(("eps", "prior"), start=1)}
    return model, Batch(normal(n, 1), noise, torch.tensor(0.0))


def jensen_shannon(mean: float) -> float:
    """The divergence of N(mean, 1) and N(0, 1) in nats, by quadrature."""
    z = torch.linspace(-9, 9, 100_001).double()
    q, p = (torch.exp(-0.5 * (z - m) ** 2) / math.sqrt(2 * math.pi) for m in (mean, 0.0))
    return torch.trapezoid(0.5 * (q * torch.log(2 * q / (p + q)) + p * torch.log(2 * p / (p + q))), z).item()


class TestRegularisedVAE:
    @pytest.mark.parametrize("regulariser", [*CRITICAL, "moments", "mmd"])
    def test_without_weights_it_is_the_vae(self, regulariser: str) -> None:
        model = make("regularised_vae", regulariser=regulariser, lambda_1=0.0, lambda_2=0.0, **CRITIC)
        assert_same(make("vae"), model)

    def test_members_of_the_frame(self) -> None:
        def frame(regulariser: str, lambda_1: float = 0.0) -> NeuralModel:
            return make("regularised_vae", regulariser=regulariser, lambda_1=lambda_1, lambda_2=6.0, **CRITIC)

        assert_same(make("dip_vae", kind="ii", lambda_off_diagonal=6.0, lambda_diagonal=6.0), frame("moments"))
        assert_same(make("info_vae", lambda_kl=2.0, lambda_mmd=6.0), frame("mmd", 2.0))
        beta = make("regularised_vae", regulariser="moments", lambda_1=3.0, lambda_2=0.0)
        assert_same(make("beta_vae", beta=4.0), beta)

    def test_total_correlation_is_factor_vaes(self) -> None:
        """One logit that is the difference of FactorVAE's two; the same second batch, permuted alike."""
        factor = make("factor_vae", gamma=6.0, **CRITIC)
        frame = make("regularised_vae", regulariser="tc", lambda_2=6.0, **CRITIC)
        last, difference = "discriminator.4", {}
        for part in ("weight", "bias"):
            two = factor.state_dict()[f"{last}.{part}"]
            difference[f"{last}.{part}"] = two[:1] - two[1:]
        shared = {name: value for name, value in factor.state_dict().items() if not name.startswith(last)}
        frame.load_state_dict({**shared, **difference})
        batch = a_batch(factor)
        (one, critics), (other, frames) = (model(batch, model.settings) for model in (factor, frame))
        torch.testing.assert_close(other.loss, one.loss)
        # FactorVAE's critic descends the cross-entropy, this one log 2 less.
        torch.testing.assert_close(frames["discriminator"] + math.log(2), critics["discriminator"])

    @pytest.mark.parametrize("regulariser", ["moments", "mmd"])
    def test_closed_forms_need_no_critic(self, regulariser: str) -> None:
        model = make("regularised_vae", regulariser=regulariser)
        assert (model.critics, model.second_batch) == ({}, False)
        assert not [name for name, _ in model.named_parameters() if name.startswith("discriminator")]
        assert make("regularised_vae", **CRITIC).critics

    def test_settings_of_a_critic_that_is_not_there_are_refused(self) -> None:
        """A sweep of them would be runs of different names and equal weights."""
        for values in ({"discriminator_width": 10}, {"discriminator_learning_rate": 1e-3}):
            with pytest.raises(
                UsageError, match=r'decides nothing under model\.regulariser = "mmd", which has no critic'
            ):
                RegularisedVAE.check_idle(RegularisedVAE.Settings(regulariser="mmd", **values))
            RegularisedVAE.check_idle(RegularisedVAE.Settings(regulariser="js", **values))
        RegularisedVAE.check_idle(RegularisedVAE.Settings(regulariser="moments"))

    @pytest.mark.parametrize("regulariser", CRITICAL)
    def test_critics_loss_reaches_the_critic_alone_and_r2_the_encoder(self, regulariser: str) -> None:
        model = make("regularised_vae", regulariser=regulariser, **CRITIC)
        batch = a_batch(model)
        objective, critics = model(batch, model.settings)
        assert reached(model, critics["discriminator"]) == {"discriminator"}
        assert reached(model, objective.terms["r2"]) == {"encoder", "discriminator"}
        terms = objective.terms
        torch.testing.assert_close(objective.loss, terms["rec"] + terms["kl"] + 10 * terms["r2"])

    @pytest.mark.parametrize(
        ("regulariser", "critic", "divergence"),
        [
            # q = N(½, 1) and p = N(0, 1) have the log-ratio (z − ¼)/2; χ² = e^{m²} − 1; TV = 2 Φ(m/2) − 1.
            ("kl", lambda z: 0.5 * (z - 0.25), 0.125),
            ("pearson", lambda z: 2 * (torch.exp(0.5 * (z - 0.25)) - 1), math.exp(0.25) - 1),
            ("total_variation", lambda z: 1e6 * (z - 0.25), math.erf(0.25 / math.sqrt(2))),
            ("js", lambda z: 0.5 * (z - 0.25), jensen_shannon(0.5)),
        ],
    )
    def test_the_best_critic_gives_the_divergence_and_another_less(
        self, regulariser: str, critic: Any, divergence: float
    ) -> None:
        model, batch = shifted("regularised_vae", 0.5, critic, regulariser=regulariser)
        value = model.loss(batch, model.settings).terms["r2"].item()
        assert value == pytest.approx(divergence, abs=0.008)
        if regulariser != "kl":  # no bound: a classifier's log-ratio is taken at its word
            worse, batch = shifted("regularised_vae", 0.5, lambda z: critic(z + 0.5), regulariser=regulariser)
            assert worse.loss(batch, worse.settings).terms["r2"].item() < value - 0.005

    def test_the_classifiers_loss_is_least_at_the_log_ratio(self) -> None:
        losses = []
        for slope in (0.2, 0.5, 0.9):
            model, batch = shifted("regularised_vae", 0.5, lambda z, s=slope: s * (z - 0.25), regulariser="kl")
            losses.append(model(batch, model.settings)[1]["discriminator"].item())
        assert losses[1] < min(losses[0], losses[2]) - 1e-3

    def test_moments_by_hand(self) -> None:
        """μ = ±(2, 1), ±(1, 2), σ² = (½, 2): V = [[3, 2], [2, 4.5]], ‖V − I‖² = 4 + 4 + 4 + 12.25."""
        model = make("regularised_vae", inputs=4, regulariser="moments", lambda_2=2.0)
        model.encoder = Fixed(lambda x: x)
        means = torch.tensor([[2.0, 1.0], [-2.0, -1.0], [1.0, 2.0], [-1.0, -2.0]]).double()
        x = torch.cat([means, torch.tensor([0.5, 2.0]).double().log().expand(4, 2)], 1)
        batch = Batch(x, {"eps": torch.zeros(4, LATENTS).double()}, torch.tensor(0.0))
        loss, terms, _ = model.loss(batch, model.settings)
        assert terms["r2"].item() == pytest.approx(24.25)
        assert (loss - terms["rec"] - terms["kl"]).item() == pytest.approx(48.5)


@pytest.mark.parametrize("name", ["wae_mmd", "aae", "info_vae"])
def test_reconstructions_are_means_over_the_batch(name: str) -> None:
    model = make(name, **(CRITIC if name == "aae" else {}))
    one = a_batch(model)
    noise = {key: torch.cat([value, value]) for key, value in one.noise.items()}
    twice = one._replace(x=torch.cat([one.x, one.x]), noise=noise)
    found = [model.loss(batch, model.settings).terms["rec"].item() for batch in (one, twice)]
    assert found[0] == pytest.approx(found[1])

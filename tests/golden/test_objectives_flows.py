"""Posteriors that are no Gaussian: flows after one, and samples told apart by an adversary."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from test_objectives import BATCH, INPUTS, LATENTS, a_batch, gradients, make
from torch import Tensor, nn

from benchmark.models._gaussian import kl_diagonal
from benchmark.models._neural import Batch, log_normal

SMALL = {"width": 12, "context": 5}


def flow(steps: int, form: str, latents: int = 3) -> Any:
    """A flow whose steps move z, unlike new ones."""
    model = make("iaf_vae", latents=latents, steps=steps, form=form, **SMALL)
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for step in model.flow:
            for parameter in (step.out.weight, step.hidden.bias, step.out.bias):
                parameter.copy_(torch.from_numpy(0.3 * rng.standard_normal(parameter.shape)))
    return model


class TestIAF:
    @pytest.mark.parametrize("form", ["gated", "affine"])
    @pytest.mark.parametrize("steps", [1, 2, 3])
    def test_log_q_is_the_noises_density_over_the_jacobian(self, form: str, steps: int) -> None:
        model = flow(steps, form)
        x = a_batch(model).x[:1]
        h = model.features(x)
        for eps in torch.from_numpy(np.random.default_rng(1).standard_normal((4, 1, 3))):
            jacobian = torch.autograd.functional.jacobian(lambda e: model.push(h, e)[0].flatten(), eps)
            log_det = torch.linalg.slogdet(jacobian.reshape(3, 3))[1]
            torch.testing.assert_close(model.push(h, eps)[1], log_normal(eps) - log_det)

    @pytest.mark.parametrize("form", ["gated", "affine"])
    def test_a_step_sees_the_coordinates_before_its_own_and_every_step_sees_x(self, form: str) -> None:
        model = flow(2, form, latents=4)
        points = torch.from_numpy(np.random.default_rng(0).standard_normal((20, 9))).split([4, 5], dim=1)
        for step, lower in zip(model.flow, (True, False), strict=True):
            of_z, of_x = torch.autograd.functional.jacobian(lambda z, c, s=step: s(z, c)[0].sum(0), points)
            of_z, of_x = of_z.abs().sum(1), of_x.abs().sum(1)
            triangle = torch.tril if lower else torch.triu
            torch.testing.assert_close(of_z, triangle(of_z))
            inside = triangle(torch.ones(4, 4), -1 if lower else 1).bool()
            assert (of_z[inside] > 1e-8).all()
            assert (of_x.max(1).values > 1e-8).all()

    def test_one_coordinate_sees_x_alone(self) -> None:
        model = flow(1, "affine", latents=1)
        z = torch.linspace(-1, 1, 5).double()[:, None]
        _, log_sigma = model.flow[0](z, torch.ones(1, 5).double())
        torch.testing.assert_close(log_sigma, log_sigma[:1].expand(5, 1))
        assert (model.flow[0](z, torch.zeros(1, 5).double())[1] - log_sigma).abs().min() > 1e-6

    def test_no_steps_are_the_gaussian(self) -> None:
        vae, model = make("vae"), make("iaf_vae", steps=0)
        model.load_state_dict(vae.state_dict())
        batch = a_batch(vae, 20_000)
        mu, logvar, _ = vae.posterior(batch.x)
        normal = torch.distributions.Normal(mu, torch.exp(0.5 * logvar))
        posterior, z, log_q = model.sample(batch.x, batch.noise["eps"])
        torch.testing.assert_close(z, mu + torch.exp(0.5 * logvar) * batch.noise["eps"])
        torch.testing.assert_close(log_q, normal.log_prob(z).sum(1))
        torch.testing.assert_close(posterior.mu, mu)
        found, exact = (one.loss(batch, one.settings).terms for one in (model, vae))
        assert found["rec"].item() == pytest.approx(exact["rec"].item())
        error = (log_q - log_normal(z)).std().item() / math.sqrt(len(z))
        assert found["kl"].item() == pytest.approx(exact["kl"].item(), abs=5 * error)

    @pytest.mark.parametrize(("form", "factor"), [("affine", 1.0), ("gated", (1 + math.exp(-2)) ** -3)])
    def test_new_steps_only_scale(self, form: str, factor: float) -> None:
        model = make("iaf_vae", steps=3, form=form, **SMALL)
        batch = a_batch(model)
        mu, logvar, _ = model.features(batch.x).split([2, 2, 5], dim=1)
        _, z, log_q = model.sample(batch.x, batch.noise["eps"])
        torch.testing.assert_close(z, factor * (mu + torch.exp(0.5 * logvar) * batch.noise["eps"]))
        expected = log_normal(batch.noise["eps"]) - 0.5 * logvar.sum(1) - LATENTS * math.log(factor)
        torch.testing.assert_close(log_q, expected)

    @pytest.mark.parametrize("form", ["gated", "affine"])
    def test_steps_by_hand(self, form: str) -> None:
        """With constant networks: m = 3, s = −1."""
        step = flow(1, form).flow[0]
        with torch.no_grad():
            step.out.weight.zero_()
            step.out.bias.copy_(torch.tensor([3.0, 3, 3, -1, -1, -1]))
        z, context = torch.tensor([[1.0, -2.0, 0.5]]).double(), torch.zeros(1, 5).double()
        moved, log_sigma = step(z, context)
        sigma = math.exp(-1) if form == "affine" else 1 / (1 + math.exp(-1))
        torch.testing.assert_close(log_sigma, torch.full((1, 3), math.log(sigma)).double())
        torch.testing.assert_close(moved, sigma * z + (3 if form == "affine" else 3 * (1 - sigma)))

    def test_loss_is_the_negative_elbo_at_one_sample(self) -> None:
        model = flow(2, "gated", latents=2)
        batch = a_batch(model)
        loss, terms, _ = model.loss(batch, model.settings)
        _, z, log_q = model.sample(batch.x, batch.noise["eps"])
        assert loss.item() == pytest.approx(
            (model.nats(batch.x, model.decode(z)) + log_q - log_normal(z)).mean().item()
        )
        assert loss.item() == pytest.approx((terms["rec"] + terms["kl"]).item())
        reached = {name for name, value in gradients(model, batch).items() if value.abs().max() > 0}
        assert reached == dict(model.named_parameters()).keys()

    def test_a_flow_takes_a_shape_that_the_gaussian_cannot(self) -> None:
        """Against a bent target, z₂ near z₁², the best Gaussian leaves a KL that two steps undo."""

        def log_target(z: Tensor) -> Tensor:
            bent = torch.stack([z[:, 0], (z[:, 1] - z[:, 0].square()) / 0.3], 1)
            return log_normal(bent) - math.log(0.3)

        left = []
        for steps in (0, 2):
            model = make("iaf_vae", steps=steps, form="affine", width=16, context=4)
            h = nn.Parameter(torch.zeros(1, 4 + (4 if steps else 0)).double())
            optimiser = torch.optim.Adam([h, *model.flow.parameters()], lr=2e-2)
            generator = torch.Generator().manual_seed(0)
            losses = []
            for _ in range(400):
                eps = torch.randn(256, 2, generator=generator, dtype=torch.float64)
                z, log_q = model.push(h, eps)
                loss = (log_q - log_target(z)).mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                losses.append(loss.item())
            left.append(np.mean(losses[-50:]))
        assert left[0] > 0.5
        assert left[1] < 0.25

    def test_the_posterior_gives_the_mean_alone(self) -> None:
        model = flow(2, "gated")
        x = a_batch(model).x
        mu, logvar, scale = model.posterior(x)
        assert (logvar, scale) == (None, None)
        eps = torch.from_numpy(np.random.default_rng(0).standard_normal((20_000, 3)))
        _, z, _ = model.sample(x[:1], eps)
        spread = z.std(0)
        assert ((mu[0] - z.mean(0)).abs() < 0.1 * spread).all()


def test_one_point_serves_all_the_noise() -> None:
    for model in (flow(2, "gated"), make("avb", noise=4, width=8), make("vae"), make("beta_vae_full")):
        batch = a_batch(model)
        one = model.sample(batch.x[:1], batch.noise["eps"])
        each = model.sample(batch.x[:1].expand(BATCH, -1), batch.noise["eps"])
        torch.testing.assert_close(one.z, each.z)
        torch.testing.assert_close(one.log_q, each.log_q)


def avb(**settings: Any) -> Any:
    return make("avb", **{"noise": 4, "width": 8, **settings})


class Normal:
    """A posterior N(m(x), s²) in a shape that the adversary must tell, its log-ratio to the prior known."""

    deviation = 0.6

    @staticmethod
    def mean(x: Tensor) -> Tensor:
        return torch.stack([2 * x[:, 0] - 1, x[:, 1]], 1)

    def sample(self, x: Tensor, eps: Tensor) -> Tensor:
        return self.mean(x) + self.deviation * eps

    def log_ratio(self, x: Tensor, z: Tensor) -> Tensor:
        scaled = (z - self.mean(x)) / self.deviation
        return log_normal(scaled) - LATENTS * math.log(self.deviation) - log_normal(z)

    def kl(self, x: Tensor) -> float:
        logvar = torch.full((len(x), LATENTS), 2 * math.log(self.deviation)).double()
        return kl_diagonal(self.mean(x), logvar).item()


class TestAVB:
    def test_the_optimal_adversary_gives_the_kl(self) -> None:
        known, model, n = Normal(), avb(noise=2), 50_000
        batch = a_batch(model, n)
        model.push = lambda h, eps: (known.sample(batch.x, eps), None)
        model.adversary = Fixed2(known.log_ratio)
        loss, terms, shared = model.loss(batch, model.settings)
        error = known.log_ratio(batch.x, shared["z"]).std().item() / math.sqrt(n)
        assert terms["kl"].item() == pytest.approx(known.kl(batch.x), abs=5 * error)
        assert loss.item() == pytest.approx((terms["rec"] + terms["kl"]).item())

    def test_the_log_ratio_minimises_the_adversarys_loss(self) -> None:
        known, model = Normal(), avb(noise=2)
        batch = a_batch(model, 100_000)
        z = known.sample(batch.x, batch.noise["eps"])
        losses = {}
        for name, wrong in (("best", (1, 0)), ("high", (1, 0.2)), ("low", (1, -0.2)), ("flat", (0.8, 0))):
            model.adversary = Fixed2(lambda x, z, w=wrong: w[0] * known.log_ratio(x, z) + w[1])
            losses[name] = model.critic_losses({"z": z}, batch, model.settings)["adversary"].item()
        assert min(losses, key=losses.get) == "best"  # type: ignore[arg-type]
        assert losses["best"] < 2 * math.log(2)

    def test_a_trained_adversary_finds_the_kl(self) -> None:
        known, model = Normal(), avb(noise=2, width=32)
        optimiser = torch.optim.Adam(model.adversary.parameters(), lr=3e-3)
        generator = torch.Generator().manual_seed(0)

        def batch(n: int) -> Batch:
            noise = {k: torch.randn(n, 2, generator=generator, dtype=torch.float64) for k in ("eps", "prior")}
            x = torch.rand(n, INPUTS, generator=generator, dtype=torch.float64)
            return Batch(x, noise, torch.tensor(0.0))

        for _ in range(500):
            b = batch(256)
            z = known.sample(b.x, b.noise["eps"])
            loss = model.critic_losses({"z": z}, b, model.settings)["adversary"]
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        b = batch(20_000)
        found = model.adversary(b.x, known.sample(b.x, b.noise["eps"])).mean().item()
        assert found == pytest.approx(known.kl(b.x), rel=0.1)

    def test_the_adversarys_loss_is_the_cross_entropy_of_codes_against_draws_of_the_prior(self) -> None:
        model = avb()
        batch = a_batch(model)
        objective, critics = model(batch, model.settings)
        z = torch.cat([objective.shared["z"], batch.noise["prior"]])
        logits = model.adversary(batch.x.repeat(2, 1), z).squeeze(1)
        labels = torch.tensor([1.0, 0.0]).double().repeat_interleave(BATCH)
        expected = 2 * nn.functional.binary_cross_entropy_with_logits(logits, labels)
        torch.testing.assert_close(critics["adversary"], expected)

    def test_each_loss_reaches_its_own(self) -> None:
        model = avb()
        batch = a_batch(model)
        _, critics = model(batch, model.settings)
        parameters = dict(model.named_parameters())
        found = torch.autograd.grad(critics["adversary"], list(parameters.values()), allow_unused=True)
        reached = {name for name, value in zip(parameters, found, strict=True) if value is not None}
        assert reached == {name for name in parameters if name.startswith("adversary.")}
        pulled = {name for name, value in gradients(model, batch).items() if value.abs().max() > 0}
        assert {name for name in parameters if name.startswith(("encoder.", "decoder."))} <= pulled

    def test_kl_reaches_the_encoder_through_the_codes(self) -> None:
        model = avb()
        batch = a_batch(model)
        terms = model.loss(batch, model.settings).terms
        pull = torch.autograd.grad(terms["kl"], list(model.encoder.parameters()))
        assert all(part.abs().max() > 0 for part in pull)

    def test_the_noise_is_an_input_of_its_own_size(self) -> None:
        model = avb(noise=7)
        batch = a_batch(model)
        assert batch.noise["eps"].shape == (BATCH, 7)
        assert batch.noise["prior"].shape == (BATCH, LATENTS)
        posterior, z, log_q = model.sample(batch.x, batch.noise["eps"])
        assert z.shape == (BATCH, LATENTS)
        assert log_q is None
        assert (posterior.logvar, posterior.scale) == (None, None)
        other = model.sample(batch.x, -batch.noise["eps"]).z
        assert (z - other).abs().max(1).values.min() > 1e-6

    def test_the_mean_code_is_exact_where_codes_are_linear_in_the_noise(self) -> None:
        model = avb(noise=2)
        model.encoder.join = lambda h, eps: h[:, :2] + eps @ torch.tensor([[1.0, 2.0], [-3.0, 0.5]]).double()
        x = a_batch(model).x
        torch.testing.assert_close(model.posterior(x).mu, model.features(x)[:, :2])

    def test_the_spread_of_noise_is_one_for_all_and_draws_nothing_from_torch(self) -> None:
        torch.manual_seed(0)
        before = torch.random.get_rng_state()
        first, again = avb().spread, avb().spread
        assert torch.equal(torch.random.get_rng_state(), before)
        assert torch.equal(first, again)
        assert first.isfinite().all()
        torch.testing.assert_close(first.mean(0), torch.zeros(4).double())
        torch.testing.assert_close(first.var(0), torch.ones(4).double(), atol=0.25, rtol=0)
        assert "spread" not in avb().state_dict()


class Fixed2(nn.Module):
    """A module that is a given function of two arguments."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor, z: Tensor) -> Tensor:
        return self.function(x, z)

"""Priors other than the standard normal: densities, draws, limits, and the objective made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from small import small_run, trained
from test_objectives import BATCH, Fixed, a_batch, gradients, loss_of, make
from torch import Tensor

from benchmark.models._gaussian import kl_coordinates, kl_diagonal
from benchmark.models._mmd import mmd2
from benchmark.models._neural import Batch, NeuralModel, log_normal

PRIORS: list[tuple[str, dict[str, Any]]] = [
    ("sparse_vae", {}),
    ("sparse_vae", {"gamma": 0.3, "spike_variance": 0.2}),
    ("student_vae", {"nu": 3.0}),
    ("mixture_vae", {"components": 5, "radius": 1.5, "deviation": 1.0}),
    ("mixture_vae", {"learned": True, "components": 3, "radius": 1.0}),
    ("isa_vae", {}),
    ("isa_vae", {"p0": 1.3, "p": 0.9, "scale": 0.7, "subspace": 2}),
    ("isa_vae", {"p0": 1.6, "p": 3.0, "subspace": 1}),
]
NORMAL: list[tuple[str, dict[str, Any]]] = [
    ("sparse_vae", {"gamma": 0.0}),
    ("student_vae", {"nu": math.inf}),
    ("mixture_vae", {"components": 1, "radius": 0.0, "deviation": 1.0}),
    ("mixture_vae", {"components": 3, "radius": 0.0, "deviation": 1.0}),
    ("isa_vae", {"p0": 2.0, "p": 2.0, "scale": 2.0, "subspace": 3}),
    ("isa_vae", {"p0": 2.0, "p": 2.0, "scale": 2.0, "subspace": 1}),
]


def prior_draws(model: NeuralModel, n: int) -> Tensor:
    rng = np.random.default_rng(0)
    draw = {"normal": rng.standard_normal, "uniform": rng.random}
    noise = {name: torch.from_numpy(draw[kind](shape)) for name, (shape, kind) in model.prior_noise(n).items()}
    with torch.no_grad():
        return model.sample_prior(noise)


def uneven(model: NeuralModel) -> NeuralModel:
    """A learned mixture away from its start."""
    if isinstance(getattr(model, "logits", None), torch.nn.Parameter):
        with torch.no_grad():
            model.logits.copy_(torch.tensor([0.0, 1.0, -0.5]))
            model.log_deviations.add_(torch.linspace(-0.4, 0.6, model.log_deviations.numel()).view(3, -1))
    return model


@pytest.mark.parametrize(("name", "settings"), PRIORS)
def test_densities_integrate_to_one(name: str, settings: dict[str, Any]) -> None:
    model = uneven(make(name, latents=2, **settings))
    # u³ crowds the grid at the origin, where some densities peak, and reaches out where others still have mass.
    u = torch.linspace(-1, 1, 2001).double()
    axis, step = 60 * u**3, 180 * u**2 * (u[1] - u[0])
    total = sum(
        (step * step[i] * model.log_prior(torch.stack([axis, axis[i].expand_as(axis)], 1)).exp()).sum().item()
        for i in range(len(axis))
    )
    assert total == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(("name", "settings"), PRIORS)
def test_draws_follow_the_density(name: str, settings: dict[str, Any]) -> None:
    """For any density r, the mean of r/p over draws from p is 1: r a Gaussian off the centre, and one at it."""
    model = uneven(make(name, latents=5, **settings))
    z = prior_draws(model, 100_000)
    for centre, width in ((0.0, 0.25), (0.3, 0.4)):
        log_r = log_normal((z - centre) / width) - 5 * math.log(width)
        ratio = torch.exp(log_r - model.log_prior(z)).detach().numpy()
        error = ratio.std() / math.sqrt(len(ratio))
        assert error < 0.1
        assert ratio.mean() == pytest.approx(1, abs=5 * error)


@pytest.mark.parametrize(
    ("name", "settings", "cdf"),
    [
        ("sparse_vae", {}, lambda z: 0.2 * stats.norm.cdf(z) + 0.8 * stats.norm.cdf(z, scale=math.sqrt(0.05))),
        ("student_vae", {"nu": 1.0}, stats.cauchy.cdf),
        ("student_vae", {"nu": 7.5}, stats.t(7.5).cdf),
        ("student_vae", {"nu": math.inf}, stats.norm.cdf),
        ("isa_vae", {"subspace": 1, "p0": 1.5, "scale": 3.0}, stats.gennorm(1.5, scale=3.0 ** (1 / 1.5)).cdf),
        ("isa_vae", {"subspace": 3, "p0": 1.0, "p": 1.0, "scale": 1.0}, stats.laplace.cdf),
    ],
)
def test_coordinates_of_draws_have_the_known_distribution(name: str, settings: dict[str, Any], cdf: Any) -> None:
    z = prior_draws(make(name, latents=3, **settings), 20_000).numpy()
    for j in range(3):
        assert stats.kstest(z[:, j], cdf).pvalue > 1e-4


def test_a_draw_without_direction_is_a_number() -> None:
    """One in 2²⁴ uniform numbers is exactly ½; alone in its subspace, as the fifth of five, it was 0/0."""
    model = make("isa_vae", latents=5)
    z = model.sample_prior({"direction": torch.full((2, 5), 0.5), "radius": torch.full((2, 2), 0.7)})
    assert torch.equal(z, torch.zeros(2, 5))


def test_densities_by_hand() -> None:
    z = torch.tensor([[0.5, -2.0]]).double()
    sparse = make("sparse_vae", gamma=0.25, spike_variance=0.04).log_prior(z).item()
    by_hand = [0.75 * stats.norm.pdf(v) + 0.25 * stats.norm.pdf(v, scale=0.2) for v in (0.5, -2.0)]
    assert sparse == pytest.approx(math.log(math.prod(by_hand)))
    student = make("student_vae", nu=3.0).log_prior(z).item()
    assert student == pytest.approx(stats.t(3).logpdf([0.5, -2.0]).sum())
    mixture = make("mixture_vae", components=5, radius=2.0, deviation=0.5).log_prior(z).item()
    centres = [(2, 0), (-2, 0), (0, 2), (0, -2), (4, 0)]
    parts = [stats.multivariate_normal(centre, 0.25).pdf([0.5, -2.0]) for centre in centres]
    assert mixture == pytest.approx(math.log(np.mean(parts)))


def test_isa_is_the_nested_density_of_sinz_and_bethge() -> None:
    """p(z) = ψ(f) / (f^{n−1} S), S = 2ⁿ Π_I p_I^{1−l_I} Π_k B(Σ_{i≤k} n_i / p_I, n_{k+1} / p_I)."""
    p0, p, s = 2.1, 1.4, 1.7
    z = np.random.default_rng(0).standard_normal((6, 4))

    def log_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    norms = (np.abs(z).reshape(6, 2, 2) ** p).sum(2) ** (1 / p)
    f = (norms**p0).sum(1) ** (1 / p0)
    radial = math.log(p0) + 3 * np.log(f) - f**p0 / s - math.lgamma(4 / p0) - 4 / p0 * math.log(s)
    surface = 4 * math.log(2) - math.log(p0) + log_beta(2 / p0, 2 / p0) + 2 * (-math.log(p) + log_beta(1 / p, 1 / p))
    model = make("isa_vae", latents=4, subspace=2, p0=p0, p=p, scale=s)
    np.testing.assert_allclose(model.log_prior(torch.from_numpy(z)).numpy(), radial - 3 * np.log(f) - surface)


def test_isa_turns_within_a_subspace_only_if_it_is_euclidean_and_never_between() -> None:
    angle = 0.6
    turn = torch.eye(4).double()
    turn[:2, :2] = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    across = turn[[0, 2, 1, 3]][:, [0, 2, 1, 3]]
    z = torch.from_numpy(np.random.default_rng(0).standard_normal((5, 4)))
    round_, square = (make("isa_vae", latents=4, subspace=2, p0=1.5, p=p) for p in (2.0, 3.0))
    torch.testing.assert_close(round_.log_prior(z @ turn), round_.log_prior(z))
    assert (square.log_prior(z @ turn) - square.log_prior(z)).abs().min() > 1e-3
    assert (round_.log_prior(z @ across) - round_.log_prior(z)).abs().min() > 1e-3


def test_the_last_subspace_takes_what_remains() -> None:
    assert make("isa_vae", latents=10).sizes == [4, 4, 2]
    assert make("isa_vae", latents=8).sizes == [4, 4]
    assert make("isa_vae", latents=2).sizes == [2]


@pytest.mark.parametrize(("name", "settings"), NORMAL)
def test_limits_are_the_vae(name: str, settings: dict[str, Any]) -> None:
    """At the normal prior the density is the normal's, and KL by Monte Carlo has the closed form as its mean."""
    vae, model = make("vae"), make(name, **settings)
    z = torch.from_numpy(np.random.default_rng(1).standard_normal((50, 2)))
    torch.testing.assert_close(model.log_prior(z), log_normal(z))
    for parameter, other in zip(vae.parameters(), model.parameters(), strict=True):
        assert torch.equal(parameter, other)
    batch = a_batch(model, 1_000)
    terms, closed = (one.loss(batch, one.settings).terms for one in (model, vae))
    assert terms["rec"].item() == closed["rec"].item()
    _, z, log_q = model.sample(batch.x, batch.noise["eps"])
    error = (log_q - model.log_prior(z)).std().item() / math.sqrt(len(z))
    assert terms["kl"].item() == pytest.approx(closed["kl"].item(), abs=5 * error)


def test_many_degrees_of_freedom_are_nearly_normal() -> None:
    z = torch.linspace(-3, 3, 20).double().view(10, 2)
    torch.testing.assert_close(make("student_vae", nu=1e6).log_prior(z), log_normal(z), atol=1e-4, rtol=0)
    assert (make("student_vae", nu=3.0).log_prior(z) - log_normal(z)).abs().max() > 0.5


def test_kl_to_one_component_is_that_between_gaussians() -> None:
    """KL(N(μ, σ²) ‖ N(m, s²)) is the KL to N(0, 1) of μ → (μ − m)/s, σ → σ/s."""
    n, centre, deviation = 1_000, 3.0, 0.5
    model = make("mixture_vae", components=1, radius=centre, deviation=deviation)
    mu, logvar = torch.tensor([2.5, -0.4]).double(), torch.tensor([-1.0, 0.3]).double()
    model.encoder = Fixed(lambda x: torch.cat([mu, logvar]).expand(len(x), 4))
    batch = a_batch(model, n)
    found = model.loss(batch, model.settings).terms["kl"].item()
    shift = torch.tensor([centre, 0.0]).double()
    exact = kl_coordinates((mu - shift) / deviation, logvar - 2 * math.log(deviation)).sum().item()
    _, z, log_q = model.sample(batch.x, batch.noise["eps"])
    assert found == pytest.approx(exact, abs=5 * (log_q - model.log_prior(z)).std().item() / math.sqrt(n))
    assert abs(exact - kl_diagonal(mu[None], logvar[None]).item()) > 1


def test_loss_weighs_kl_and_mmd() -> None:
    model = make("sparse_vae", beta=3.0, lambda_=7.0)
    batch = a_batch(model)
    loss, terms, _ = model.loss(batch, model.settings)
    assert list(terms) == ["rec", "kl", "mmd"]
    assert loss.item() == pytest.approx((terms["rec"] + 3 * terms["kl"] + 7 * terms["mmd"]).item())
    mu, logvar = model.encoder(batch.x).chunk(2, dim=1)
    z = mu + torch.exp(0.5 * logvar) * batch.noise["eps"]
    q = torch.distributions.Normal(mu, torch.exp(0.5 * logvar)).log_prob(z).sum(1)
    assert terms["kl"].item() == pytest.approx((q - model.log_prior(z)).mean().item())
    assert terms["mmd"].item() == pytest.approx(mmd2(z, model.sample_prior(batch.noise)).item())
    assert make("sparse_vae").settings.lambda_ == 0


@pytest.mark.parametrize(("name", "settings"), PRIORS[::2])
def test_mmd_is_small_where_codes_are_draws_of_the_prior_and_pulls_those_that_are_not(
    name: str, settings: dict[str, Any]
) -> None:
    model = make(name, inputs=2, lambda_=1.0, **settings)
    x = prior_draws(model, 500)
    model.encoder = Fixed(lambda x: torch.cat([x, torch.full_like(x, -80)], 1))
    noise = a_batch(model, 500).noise | {"eps": torch.zeros(500, 2).double()}

    def terms(x: Tensor) -> Tensor:
        return model.loss(Batch(x, noise, torch.tensor(0.0)), model.settings).terms["mmd"]

    away = (x + 2).requires_grad_()
    assert abs(terms(x).item()) < 0.02
    assert terms(away).item() > 0.2
    (pull,) = torch.autograd.grad(terms(away), away)
    assert (pull.mean(0) > 0).all()


def test_a_learned_mixture_trains_its_components_and_a_fixed_one_has_none() -> None:
    learned, fixed = make("mixture_vae", learned=True, lambda_=1.0), make("mixture_vae", lambda_=1.0)
    own = {"centres", "log_deviations", "logits"}
    found = gradients(learned, a_batch(learned))
    assert own <= set(found)
    assert all(found[name].abs().max() > 1e-6 for name in own)
    assert set(gradients(fixed, a_batch(fixed))) == set(found) - own
    assert set(fixed.state_dict()) == set(make("vae").state_dict())
    assert loss_of(learned) == pytest.approx(loss_of(fixed))


@pytest.mark.parametrize(("name", "settings"), PRIORS)
def test_the_posterior_does_not_pretend_to_a_standard_normal_prior(name: str, settings: dict[str, Any]) -> None:
    model = make(name, **settings)
    x = a_batch(model).x
    mu, logvar, scale = model.posterior(x)
    assert (logvar, scale) == (None, None)
    torch.testing.assert_close(mu, make("vae").posterior(x).mu)
    assert model.sample(x, torch.zeros(BATCH, 2).double()).posterior.logvar is None


@pytest.mark.parametrize("name", ["sparse_vae", "mixture_vae"])
def test_members_of_a_fleet_keep_their_own_weights(name: str) -> None:
    static = {"learned": True} if name == "mixture_vae" else {}
    runs = [small_run(name, {"beta": beta, "lambda_": lambda_, **static}) for beta, lambda_ in ((1, 0), (0.5, 30))]
    fleet = trained("stacked", runs, 20)
    assert (fleet[0] - fleet[1]).abs().max() > 1e-3
    for run, together in zip(runs, fleet, strict=True):
        assert (trained("single", [run], 20)[0] - together).abs().max() < 1e-5

"""The frame of the regularised VAEs: ELBO, more KL, and a chosen divergence of the aggregate posterior (M §4.3)."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from benchmark.models._gaussian import GaussianModel, reparametrise
from benchmark.models._mmd import mmd2
from benchmark.models._neural import Adam, Batch, Noise, Objective
from benchmark.models.dip_vae import covariance_of_means
from benchmark.networks._network import Network, kaiming
from benchmark.spec import Number, stackable, static

softplus = nn.functional.softplus
BOUNDS: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "js": (lambda v: 0.5 * (math.log(2) - softplus(-v)), lambda v: 0.5 * (softplus(v) - math.log(2))),
    "total_variation": (lambda v: 0.5 * torch.tanh(v), lambda v: 0.5 * torch.tanh(v)),
    "pearson": (lambda v: v, lambda v: v + 0.25 * v.square()),
}
"""T and f*(T) of the critic's output v, by divergence (Nowozin et al. 2016, tables 2 and 6; JS halved)."""

WITHOUT_CRITIC = ("moments", "mmd")


class RegularisedVAE(GaussianModel):
    """rec + KL + λ·R₁ + λ'·R₂, R₁ = E[KL(q(z|x) ‖ p(z))], R₂ a divergence of q(z) (M §4.3, table 4.1).

    R₂ is `moments`, ‖Cov_q[z] − I‖²_F; `mmd`, MMD² to the prior without bias; or estimated by a critic on codes:
    `tc` to the product of q's marginals and `kl` to the prior, both E_q of a classifier's log-ratio v (as FactorVAE's);
    by M's eq. 2.2, E_q[T(v)] − E_p[f*(T(v))], the f-divergences to the prior `js` in [0, log 2] (M's f gives twice its
    JSD), `total_variation` in [0, 1] and `pearson` (χ²). Reverse KL and Hellinger are left out: the encoder would
    descend T = −e^{−v}, which has no floor; the others trust a slow critic too far as well, but not exponentially.
    """

    class Settings(GaussianModel.Settings):
        regulariser: Literal["tc", "kl", "moments", "mmd", "js", "total_variation", "pearson"] = static(
            "kl", "which divergence R₂ is"
        )
        lambda_1: Number = stackable(0.0, "weight λ of R₁", ge=-1, allow_inf_nan=False)
        lambda_2: Number = stackable(10.0, "weight λ' of R₂", ge=0, allow_inf_nan=False)
        discriminator_learning_rate: Number = stackable(1e-4, "the critic's Adam rate", gt=0, allow_inf_nan=False)
        discriminator_layers: int = static(5, "hidden layers of the critic (M Table 5.5)", ge=1)
        discriminator_width: int = static(1000, "width of the critic's hidden layers", ge=1)

    settings: Settings
    critics = {"discriminator": Adam("discriminator_learning_rate", betas=(0.5, 0.9))}  # noqa: RUF012

    @classmethod
    def idle(cls, settings: Any) -> Mapping[str, str]:
        why = f'model.regulariser = "{settings.regulariser}", which has no critic'
        critic = [name for name in type(settings).model_fields if name.startswith("discriminator_")]
        return dict.fromkeys(critic, why) if settings.regulariser in WITHOUT_CRITIC else {}

    @classmethod
    def extra_weights(cls, settings: Settings) -> int:
        critical = settings.regulariser not in WITHOUT_CRITIC
        return settings.discriminator_layers * settings.discriminator_width**2 if critical else 0

    def build(self, network: Network) -> None:
        super().build(network)
        self.second_batch = self.settings.regulariser == "tc"  # type: ignore[misc]  # this model's choice
        if self.settings.regulariser in WITHOUT_CRITIC:
            self.critics = {}  # type: ignore[misc]
            return
        width, inputs = self.settings.discriminator_width, self.latents
        hidden: list[nn.Module] = []
        for _ in range(self.settings.discriminator_layers):
            hidden += [nn.Linear(inputs, width), nn.LeakyReLU(0.2)]
            inputs = width
        self.discriminator = kaiming(nn.Sequential(*hidden, nn.Linear(width, 1)))

    def noise(self, batch: int) -> dict[str, Noise]:
        shape = (batch, self.latents)
        permuting = {"eps2": Noise(shape), "order": Noise(shape, "uniform")}
        return {**super().noise(batch), **(permuting if self.second_batch else self.prior_noise(batch))}

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        terms, mu, logvar, z = self.elbo_terms(batch)
        if settings.regulariser == "moments":
            excess = covariance_of_means(mu) + torch.diag_embed(logvar.exp().mean(0) - 1)
            terms["r2"] = excess.square().sum()
        elif settings.regulariser == "mmd":
            terms["r2"] = mmd2(z, self.sample_prior(batch.noise))
        elif settings.regulariser in BOUNDS:
            terms["r2"] = self.bound(settings.regulariser, z, batch)
        else:
            terms["r2"] = self.discriminator(z).mean()
        penalty = settings.lambda_1 * terms["kl"] + settings.lambda_2 * terms["r2"]
        return Objective(terms["rec"] + terms["kl"] + penalty, terms, {"z": z})

    def critic_losses(self, shared: dict[str, Tensor], batch: Batch, settings: Settings) -> dict[str, Tensor]:
        # The classifier of the log-ratio maximises the bound of JS: that is its cross-entropy.
        name = settings.regulariser if settings.regulariser in BOUNDS else "js"
        return {"discriminator": -self.bound(name, shared["z"], batch)}

    def bound(self, name: str, z: Tensor, batch: Batch) -> Tensor:
        """E[T(v)] at codes z − E[f*(T(v))] at the reference, at most the divergence of their laws."""
        value, conjugate = BOUNDS[name]
        return value(self.discriminator(z)).mean() - conjugate(self.discriminator(self.reference(batch))).mean()

    @torch.no_grad()
    def reference(self, batch: Batch) -> Tensor:
        """Draws of what codes are held against: the prior, or a second batch's codes, permuted by coordinate."""
        if batch.x2 is None:
            return self.sample_prior(batch.noise)
        mu, logvar, _ = self.posterior(batch.x2)
        assert logvar is not None
        return torch.gather(reparametrise(mu, logvar, batch.noise["eps2"]), 0, batch.noise["order"].argsort(dim=0))

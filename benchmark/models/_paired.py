"""Weakly supervised VAEs: two points that share some factors are encoded, and what seems shared is made equal."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from benchmark.models._gaussian import GaussianModel, kl_diagonal, reparametrise
from benchmark.models._neural import Batch, Noise, Objective
from benchmark.spec import Number, stackable, static


class Gaussians(NamedTuple):
    """Diagonal Gaussians: means and log-variances, each (b d)."""

    mu: Tensor
    logvar: Tensor


class PairedVAE(GaussianModel):
    """β-VAE on both points of a pair, after the coordinates that they seem to share took one common posterior.

    A coordinate is shared where KL(q(z_j|x) ‖ q(z_j|x₂)) lies below the middle between the pair's smallest and largest
    such KL (Locatello et al. 2020); where all are equal, none is. rec and KL are means over the 2b points, and which
    coordinates are shared has no gradient. Encoding takes each point's own posterior.

    An author writes `average`, and `weakly_supervised = True` into the model's own file.
    """

    class Settings(GaussianModel.Settings):
        beta: Number = stackable(1.0, "weight β of the KL term", ge=0, allow_inf_nan=False)
        changed: int = static(1, "factors in which two points differ; 0: 1 … K − 1 of K, drawn for each pair", ge=0)

    paired = True
    settings: Settings

    @classmethod
    def decoded(cls, settings: Settings) -> int:
        return 2

    @property
    def changed_factors(self) -> int:
        return self.settings.changed

    @abstractmethod
    def average(self, one: Gaussians, other: Gaussians) -> Gaussians:
        """The common posterior of coordinates that two points share."""

    def noise(self, batch: int) -> dict[str, Noise]:
        return super().noise(2 * batch)

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        assert batch.x2 is not None
        x = torch.cat([batch.x, batch.x2])
        posterior = self.posterior(x)
        assert posterior.logvar is not None
        one, other = (Gaussians(*half) for half in zip(posterior.mu.chunk(2), posterior.logvar.chunk(2), strict=True))
        alike, common = shared(one, other), self.average(one, other)
        mu, logvar = (
            torch.cat([torch.where(alike, same, own) for own in both])
            for same, *both in zip(common, one, other, strict=True)
        )
        terms = {
            "rec": self.nats(x, self.decode(reparametrise(mu, logvar, batch.noise["eps"]))).mean(),
            "kl": kl_diagonal(mu, logvar),
            "shared": alike.to(mu.dtype).sum(1).mean(),
        }
        return Objective(terms["rec"] + settings.beta * terms["kl"], terms)


def divergence(one: Gaussians, other: Gaussians) -> Float[Tensor, "b d"]:
    """KL(one ‖ other) of each point and coordinate, in nats."""
    difference = (one.mu - other.mu).square()
    return 0.5 * (other.logvar - one.logvar + (one.logvar.exp() + difference) * torch.exp(-other.logvar) - 1)


def shared(one: Gaussians, other: Gaussians) -> Bool[Tensor, "b d"]:
    """The coordinates whose KL lies below the middle between a pair's smallest and largest."""
    apart = divergence(one, other).detach()
    middle = 0.5 * (apart.amin(1, keepdim=True) + apart.amax(1, keepdim=True))
    return apart < middle

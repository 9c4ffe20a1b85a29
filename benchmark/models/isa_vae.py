"""ISA-VAE: a prior of independent subspaces, Lp-spherical in each (Stühmer et al. 2019)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from benchmark.models._neural import Noise
from benchmark.models._prior import PriorModel
from benchmark.networks._network import Network
from benchmark.spec import Number, static

QUANTILES = 16_384
"""Equally likely values that stand for a Gamma distribution."""


class ISAVAE(PriorModel):
    """p(z) ∝ Π_k exp(−‖z_k‖_p^{p₀} / s) over consecutive subspaces z_k (Stühmer et al. 2019; R §2.4).

    The Lp-nested distribution with the radial density p₀ v^{d−1} exp(−v^{p₀}/s) / (Γ(d/p₀) s^{d/p₀}), for which the
    subspaces are independent (Sinz & Bethge 2010). p₀ = p = s = 2 is N(0, I); with p = 2 each subspace may still
    rotate, with p ≠ 2 only exchange and reflect its coordinates. The last subspace takes what remains of d.
    """

    class Settings(PriorModel.Settings):
        subspace: int = static(4, "coordinates in each subspace", ge=1)
        p0: Number = static(2.1, "exponent p₀ between the subspaces", ge=0.1, le=20, allow_inf_nan=False)
        p: Number = static(2.2, "exponent p of the norm within each subspace", ge=0.1, le=20, allow_inf_nan=False)
        scale: Number = static(2.0, "scale s", gt=0, allow_inf_nan=False)

    settings: Settings
    gammas: Tensor

    def build(self, network: Network) -> None:
        super().build(network)
        whole, rest = divmod(self.latents, self.settings.subspace)
        self.sizes = [self.settings.subspace] * whole + [rest] * (rest > 0)
        shapes = [1 / self.settings.p, *(size / self.settings.p0 for size in self.sizes)]
        self.register_buffer("gammas", torch.stack([gamma_quantiles(shape) for shape in shapes]), persistent=False)

    def log_prior(self, z: Tensor) -> Tensor:
        p0, p, s = self.settings.p0, self.settings.p, self.settings.scale
        norms = [part.abs().pow(p).sum(1).pow(p0 / p) for part in torch.split(z, self.sizes, dim=1)]
        return -torch.stack(norms).sum(0) / s - sum(log_normaliser(size, p0, p, s) for size in self.sizes)

    def prior_noise(self, batch: int) -> dict[str, Noise]:
        shape = (batch, self.latents)
        return {"direction": Noise(shape, "uniform"), "radius": Noise((batch, len(self.sizes)), "uniform")}

    def sample_prior(self, noise: dict[str, Tensor]) -> Tensor:
        """Direction of coordinates with |y|^p ~ Gamma(1/p), radius v with v^{p₀}/s ~ Gamma(n/p₀)."""
        p0, p, s = self.settings.p0, self.settings.p, self.settings.scale
        sided = 2 * noise["direction"] - 1
        y = self.gammas[0][places(sided.abs())].pow(1 / p) * sided.sign()
        parts = []
        for k, part in enumerate(torch.split(y, self.sizes, dim=1)):
            radius = (s * self.gammas[k + 1][places(noise["radius"][:, k])]).pow(1 / p0)
            # A uniform number of exactly ½ has no side: alone in its subspace it leaves no direction.
            norm = part.abs().pow(p).sum(1).pow(1 / p)
            parts.append(part * torch.where(norm > 0, radius / norm, 0).unsqueeze(1))
        return torch.cat(parts, 1)


def log_normaliser(n: int, p0: float, p: float, s: float) -> float:
    """log ∫ exp(−‖z‖_p^{p₀} / s) dz over n dimensions: the volume of the unit ball, Γ(1 + n/p₀) and s^{n/p₀}."""
    ball = n * math.log(2 * math.gamma(1 + 1 / p)) - math.lgamma(1 + n / p)
    return ball + math.lgamma(1 + n / p0) + n / p0 * math.log(s)


def gamma_quantiles(shape: float) -> Tensor:
    """The quantiles of Gamma(shape, 1) in the middle of equally likely intervals."""
    import numpy as np
    from scipy.special import gammaincinv

    return torch.from_numpy(gammaincinv(shape, (np.arange(QUANTILES) + 0.5) / QUANTILES).astype(np.float32))


def places(u: Tensor) -> Tensor:
    """The interval of each uniform number."""
    return (u * QUANTILES).long().clamp(max=QUANTILES - 1)

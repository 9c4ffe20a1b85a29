"""VAE with independent Student-t coordinates as its prior: heavy tails along the axes (Mathieu et al. 2019)."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from benchmark.models._neural import Noise
from benchmark.models._prior import PriorModel
from benchmark.spec import Number, static

NORMAL = 1e9
"""Degrees of freedom from which on the density is the normal one in double precision, whose Γ it would be lost in."""


class StudentVAE(PriorModel):
    """p(z) = Π_j t_ν(z_j), of location 0 and scale 1 (Mathieu et al. 2019, §5); ν = ∞ is N(0, I).

    A product of Student-t distributions, unlike the multivariate one, changes under rotations of the code.
    """

    class Settings(PriorModel.Settings):
        nu: Number = static(5.0, 'degrees of freedom ν; "inf" is the normal prior', ge=1)

    settings: Settings

    def log_prior(self, z: Tensor) -> Tensor:
        nu = self.settings.nu
        if nu >= NORMAL:
            return super().log_prior(z)
        constant = math.lgamma((nu + 1) / 2) - math.lgamma(nu / 2) - 0.5 * math.log(math.pi * nu)
        return (constant - 0.5 * (nu + 1) * torch.log1p(z.square() / nu)).sum(1)

    def prior_noise(self, batch: int) -> dict[str, Noise]:
        shape = (batch, self.latents)
        return {"radius": Noise(shape, "uniform"), "angle": Noise(shape, "uniform")}

    def sample_prior(self, noise: dict[str, Tensor]) -> Tensor:
        """Bailey's polar form (1994): √(ν (U^{−2/ν} − 1)) cos 2πV is t_ν; its limit ν → ∞ is that of Box and Muller."""
        nu, log_u = self.settings.nu, torch.log1p(-noise["radius"])  # the uniform noise may be 0, never 1
        square = -2 * log_u if nu >= NORMAL else nu * torch.expm1(-2 / nu * log_u)
        return square.sqrt() * torch.cos(2 * math.pi * noise["angle"])

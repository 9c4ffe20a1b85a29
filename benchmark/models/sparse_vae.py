"""VAE with a sparse prior: each coordinate narrow around 0 or standard normal (Mathieu et al. 2019)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from benchmark.models._neural import HALF_LOG_TWO_PI, Noise
from benchmark.models._prior import PriorModel
from benchmark.spec import Number, static


class SparseVAE(PriorModel):
    """p(z) = Π_j (1 − γ) N(z_j; 0, 1) + γ N(z_j; 0, σ₀²) (Mathieu et al. 2019, §5; S §2.6.2); γ = 0 is N(0, I).

    A spike of some width: a point mass would have no density to take KL to. Others: the authors' published code has
    0.05 as the standard deviation σ₀, their text as the variance, which is followed here.
    """

    class Settings(PriorModel.Settings):
        gamma: Number = static(0.8, "probability γ that a coordinate is off", ge=0, lt=1)
        spike_variance: Number = static(0.05, "variance σ₀² of a coordinate that is off", gt=0, allow_inf_nan=False)

    settings: Settings

    @classmethod
    def idle(cls, settings: Any) -> Mapping[str, str]:
        return {"spike_variance": "model.gamma = 0"} if settings.gamma == 0 else {}

    def log_prior(self, z: Tensor) -> Tensor:
        gamma, variance = self.settings.gamma, self.settings.spike_variance
        if gamma == 0:
            return super().log_prior(z)
        slab = math.log1p(-gamma) - 0.5 * z.square()
        spike = math.log(gamma / math.sqrt(variance)) - 0.5 * z.square() / variance
        return (torch.logaddexp(slab, spike) - HALF_LOG_TWO_PI).sum(1)

    def prior_noise(self, batch: int) -> dict[str, Noise]:
        return {**super().prior_noise(batch), "off": Noise((batch, self.latents), "uniform")}

    def sample_prior(self, noise: dict[str, Tensor]) -> Tensor:
        z = noise["prior"]
        return torch.where(noise["off"] < self.settings.gamma, math.sqrt(self.settings.spike_variance) * z, z)

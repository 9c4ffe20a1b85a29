"""Autoencoders whose posterior is known by its samples: noise pushed through a network that sees features of x."""

from __future__ import annotations

from abc import abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.quasirandom import SobolEngine

from benchmark.models._neural import NeuralModel, Posterior, Sample
from benchmark.networks._network import Network

SOBOL = 21_201
"""Dimensions of torch's Sobol sequence at most."""
PAIRS = 16
"""Pairs ±ε of noise whose codes are averaged into a point's mean code."""


class SampledModel(NeuralModel):
    """z = push(features(x), ε). The mean code is the average of z over 32 fixed, evenly spread ε, the same for all x:
    exact where z is linear in ε. Neither variances nor a closed-form KL exist.
    """

    decoder: nn.Module
    spread: Tensor

    def build(self, network: Network) -> None:
        self.decoder = network.decoder()
        sobol = SobolEngine(self.noise_size, scramble=True, seed=0)  # type: ignore[no-untyped-call]
        half = torch.special.ndtri(sobol.draw(PAIRS))
        self.register_buffer("spread", torch.cat([half, -half]), persistent=False)

    @abstractmethod
    def features(self, x: Float[Tensor, "b ..."]) -> Float[Tensor, "b f"]:
        """What the posterior needs of x."""

    @abstractmethod
    def push(self, h: Float[Tensor, "b f"], eps: Float[Tensor, "n e"]) -> tuple[Tensor, Tensor | None]:
        """A draw z (n d) for each row of noise, and log q(z|x) (n,) or None; b is n, or 1."""

    def mean_code(self, h: Float[Tensor, "b f"]) -> Float[Tensor, "b d"]:
        m = len(self.spread)
        rows = h.unsqueeze(1).expand(-1, m, -1).flatten(0, 1)
        z, _ = self.push(rows, self.spread.repeat(len(h), 1))
        return z.reshape(len(h), m, -1).mean(1)

    def posterior(self, x: Float[Tensor, "b ..."]) -> Posterior:
        return Posterior(self.mean_code(self.features(x)))

    def sample(self, x: Float[Tensor, "b ..."], eps: Float[Tensor, "n e"]) -> Sample:
        h = self.features(x)
        return Sample(Posterior(self.mean_code(h)), *self.push(h, eps))

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b ..."]:
        return self.decoder(z)

"""Adversarial variational Bayes: an implicit posterior, its KL told by an adversary (Mescheder et al. 2017)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from benchmark.models._neural import Adam, Batch, Noise, Objective
from benchmark.models._sampled import SOBOL, SampledModel
from benchmark.networks._network import Network, kaiming
from benchmark.spec import Number, stackable, static


class AVB(SampledModel):
    """rec + E[T(x, z)], z a function of x and noise, T trained to be log q(z|x) − log p(z) (Mescheder et al. 2017, §3).

    The adversary minimises −E_q log σ(T) − E_p log(1 − σ(T)), σ(t) = 1/(1 + e^{−t}) (M §3.4 prints a minus there).
    It sees codes of the batch and, beside the same x, draws from the prior; one step of its own for each of the
    model's. An untrained adversary understates KL. Others: the paper's adaptive contrast, T against a Gaussian of
    q's moments, is not used here. q has no density, hence no importance weights.
    """

    class Settings(SampledModel.Settings):
        noise: int = static(16, "entries of the noise ε that the encoder takes", ge=1, le=SOBOL)
        width: int = static(256, "features of x, and width of the layers behind them, in encoder and adversary", ge=1)
        adversary_learning_rate: Number = stackable(1e-4, "the adversary's Adam rate", gt=0, allow_inf_nan=False)

    settings: Settings
    critics = {"adversary": Adam("adversary_learning_rate", betas=(0.5, 0.999))}  # noqa: RUF012

    @classmethod
    def extra_weights(cls, settings: Settings) -> int:
        return 3 * settings.width**2

    def build(self, network: Network) -> None:
        self.noise_size = self.settings.noise
        super().build(network)
        self.encoder = WithInput(network, self.noise_size, self.settings.width, self.latents)
        self.adversary = WithInput(network, self.latents, self.settings.width, 1)

    def noise(self, batch: int) -> dict[str, Noise]:
        return {"eps": Noise((batch, self.noise_size)), **self.prior_noise(batch)}

    def features(self, x: Tensor) -> Tensor:
        return self.encoder.features(x)

    def push(self, h: Tensor, eps: Tensor) -> tuple[Tensor, None]:
        return self.encoder.join(h, eps), None

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        z, _ = self.push(self.features(batch.x), batch.noise["eps"])
        rec = self.nats(batch.x, self.decode(z)).mean()
        kl = self.adversary(batch.x, z).mean()
        return Objective(rec + kl, {"rec": rec, "kl": kl}, {"z": z})

    def critic_losses(self, shared: dict[str, Tensor], batch: Batch, settings: Settings) -> dict[str, Tensor]:
        posterior = self.adversary(batch.x, shared["z"])
        prior = self.adversary(batch.x, self.sample_prior(batch.noise))
        softplus = nn.functional.softplus  # −log σ(t) = softplus(−t), −log(1 − σ(t)) = softplus(t)
        return {"adversary": softplus(-posterior).mean() + softplus(prior).mean()}


class WithInput(nn.Module):
    """A function of x and of something beside it: the network's features of x, then layers over both."""

    def __init__(self, network: Network, beside: int, width: int, outputs: int) -> None:
        super().__init__()
        self.features = network.encoder(width)
        sizes = (width + beside, width, width)
        layers = [layer for a, b in pairwise(sizes) for layer in (nn.Linear(a, b), nn.ReLU())]
        self.head = kaiming(nn.Sequential(*layers, nn.Linear(width, outputs)))

    def join(self, h: Tensor, beside: Tensor) -> Tensor:
        """From the features (b f), b as `beside` (n e) or 1."""
        return self.head(torch.cat([h.relu().expand(len(beside), -1), beside], 1))

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        return self.join(self.features(x), beside)

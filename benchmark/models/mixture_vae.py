"""VAE with a mixture of Gaussians as its prior, fixed or learned: codes in clusters (Mathieu et al. 2019)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from benchmark.models._neural import HALF_LOG_TWO_PI, Noise
from benchmark.models._prior import PriorModel
from benchmark.networks._network import Network
from benchmark.spec import Number, static


class MixtureVAE(PriorModel):
    """p(z) = Σ_k π_k N(z; m_k, diag s_k²) (Mathieu et al. 2019, §5; S §2.6.2).

    Fixed: equal weights, one deviation, and centres on the axes, +e₁, −e₁, +e₂, …, which in two dimensions are the
    authors' four clusters; those beyond 2d lie a radius further out. Learned: weights, centres and deviations start
    there and train with the model. One component at radius 0 with deviation 1 is N(0, I).
    """

    class Settings(PriorModel.Settings):
        components: int = static(4, "number of components K", ge=1)
        learned: bool = static(False, "train weights, centres and deviations with the model")
        radius: Number = static(2.0, "distance of the first 2d centres from 0", ge=0, allow_inf_nan=False)
        deviation: Number = static(0.5, "standard deviation of each component", gt=0, allow_inf_nan=False)

    settings: Settings
    centres: Tensor
    log_deviations: Tensor
    logits: Tensor

    def build(self, network: Network) -> None:
        super().build(network)
        components, d, chosen = self.settings.components, self.latents, self.settings
        centres = torch.zeros(components, d)
        for k in range(components):
            ring, place = divmod(k, 2 * d)
            centres[k, place // 2] = (-1) ** place * chosen.radius * (ring + 1)
        start = {
            "centres": centres,
            "log_deviations": torch.full((components, d), math.log(chosen.deviation)),
            "logits": torch.zeros(components),
        }
        for name, tensor in start.items():
            if chosen.learned:
                self.register_parameter(name, nn.Parameter(tensor))
            else:
                self.register_buffer(name, tensor, persistent=False)

    def log_prior(self, z: Tensor) -> Tensor:
        scaled = (z.unsqueeze(1) - self.centres) * torch.exp(-self.log_deviations)
        parts = (-0.5 * scaled.square() - self.log_deviations - HALF_LOG_TWO_PI).sum(2)
        return torch.logsumexp(torch.log_softmax(self.logits, 0) + parts, dim=1)

    def prior_noise(self, batch: int) -> dict[str, Noise]:
        return {**super().prior_noise(batch), "component": Noise((batch,), "uniform")}

    def sample_prior(self, noise: dict[str, Tensor]) -> Tensor:
        """Reparametrised in centres and deviations; the weights learn from KL alone."""
        upper = torch.softmax(self.logits, 0).cumsum(0)
        # The last component takes what rounding leaves.
        index = (noise["component"].unsqueeze(1) >= upper[:-1]).sum(1, keepdim=True)
        chosen = (index == torch.arange(len(upper), device=upper.device)).to(upper.dtype)
        return chosen @ self.centres + chosen @ self.log_deviations.exp() * noise["prior"]

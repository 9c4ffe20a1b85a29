"""VAE whose Gaussian posterior goes through inverse autoregressive flow steps (Kingma et al. 2016)."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from benchmark.errors import UsageError
from benchmark.models._neural import Batch, Objective, Posterior, draw
from benchmark.models._sampled import SampledModel
from benchmark.networks._network import Network, kaiming
from benchmark.spec import static


class IAFVAE(SampledModel):
    """rec + log q(z_T|x) − log p(z_T) at one sample, log q = log N(z₀; μ₀, σ₀²) − Σ_t Σ_j log σ_tj (M §3.4).

    `affine`: z_t = μ_t + σ_t z_{t−1}, σ_t = exp s_t (Kingma et al. 2016, eq. 10). `gated`: z_t = σ_t z_{t−1} +
    (1 − σ_t) m_t, σ_t = sigmoid(s_t + 2) (eqs. 12–14), which cannot run away. Each step's network sees the
    coordinates before its own, in an order that turns from step to step, and features h(x). Without steps it is
    the `vae`, with KL by Monte Carlo. M prints the density with |det J|, where |det J|⁻¹ belongs.
    """

    class Settings(SampledModel.Settings):
        steps: int = static(2, "flow steps T", ge=0)
        form: Literal["gated", "affine"] = static("gated", "how a step moves z")
        width: int = static(64, "hidden width of each step's network", ge=1)
        context: int = static(32, "features h(x) that the steps see", ge=1)

    settings: Settings

    @classmethod
    def extra_weights(cls, settings: Settings) -> int:
        return settings.steps * settings.width * settings.context

    def build(self, network: Network) -> None:
        super().build(network)
        d, chosen = self.latents, self.settings
        if chosen.steps and chosen.width < d:
            raise UsageError(
                f"model.width = {chosen.width} is below {d} latents, which a step cannot see all then: raise it"
            )
        self.encoder = network.encoder(2 * d + (chosen.context if chosen.steps else 0))
        self.flow = nn.ModuleList(Step(d, chosen, backwards=t % 2 == 1) for t in range(chosen.steps))

    def features(self, x: Tensor) -> Tensor:
        return self.encoder(x)

    def push(self, h: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
        d = self.latents
        mu, logvar, context = h.tensor_split([d, 2 * d], dim=1)
        _, z, log_q = draw(Posterior(mu, logvar), eps)
        assert z is not None and log_q is not None
        for step in self.flow:
            z, log_sigma = step(z, context)
            log_q = log_q - log_sigma.sum(1)
        return z, log_q

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        z, log_q = self.push(self.features(batch.x), batch.noise["eps"])
        rec = self.nats(batch.x, self.decode(z)).mean()
        kl = (log_q - self.log_prior(z)).mean()
        return Objective(rec + kl, {"rec": rec, "kl": kl})


class Step(nn.Module):
    """One flow step, by a masked network of one hidden layer (MADE, Germain et al. 2015); near the identity at first.

    A hidden unit of degree k sees the first k coordinates of the order, and reaches what moves those after them.
    """

    seen: Tensor
    reached: Tensor

    def __init__(self, d: int, settings: IAFVAE.Settings, *, backwards: bool) -> None:
        super().__init__()
        self.gated = settings.form == "gated"
        self.hidden, self.out = nn.Linear(d, settings.width), nn.Linear(settings.width, 2 * d)
        self.context = nn.Linear(settings.context, settings.width, bias=False)
        kaiming(self)
        nn.init.zeros_(self.out.weight)
        order = torch.arange(d).flip(0) if backwards else torch.arange(d)
        degree = torch.arange(settings.width) % d
        self.register_buffer("seen", (order < degree.unsqueeze(1)).float(), persistent=False)
        self.register_buffer("reached", (degree <= order.repeat(2).unsqueeze(1)).float(), persistent=False)

    def forward(self, z: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """The moved z and log σ, each (n d)."""
        hidden = nn.functional.linear(z, self.hidden.weight * self.seen, self.hidden.bias) + self.context(context)
        m, s = nn.functional.linear(hidden.relu(), self.out.weight * self.reached, self.out.bias).chunk(2, dim=1)
        if not self.gated:
            return m + s.exp() * z, s
        log_sigma = nn.functional.logsigmoid(s + 2)
        sigma = log_sigma.exp()
        return sigma * z + (1 - sigma) * m, log_sigma

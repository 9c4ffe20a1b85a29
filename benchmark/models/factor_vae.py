"""FactorVAE: ELBO and a discriminator's estimate of the total correlation (Kim & Mnih 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.models._gaussian import GaussianModel, reparametrise
from benchmark.models._neural import Adam, Batch, Noise, Objective
from benchmark.models._shared_pass import Critic
from benchmark.networks._network import Network
from benchmark.spec import Number, stackable, static


class FactorVAE(GaussianModel):
    """rec + KL + γ·TC, TC = E[log D/(1 − D)] on q(z) (Kim & Mnih 2018, eq. 2; M §4.3 prints the sign wrong).

    The discriminator tells codes of one batch from codes of a second batch whose coordinates are permuted.
    """

    class Settings(GaussianModel.Settings):
        gamma: Number = stackable(10.0, "weight γ of the total correlation", ge=0, allow_inf_nan=False)
        discriminator_learning_rate: Number = stackable(
            1e-4, "the discriminator's Adam rate", gt=0, allow_inf_nan=False
        )
        discriminator_layers: int = static(5, "hidden layers of 1,000: 5 (M Table 5.5) or 6 (Kim & Mnih)", ge=1)
        discriminator_width: int = static(1000, "width of the discriminator's hidden layers", ge=1)

    settings: Settings
    critics = {"discriminator": Adam("discriminator_learning_rate", betas=(0.5, 0.9))}  # noqa: RUF012
    second_batch = True

    @classmethod
    def extra_weights(cls, settings: Settings) -> int:
        return settings.discriminator_layers * settings.discriminator_width**2

    def build(self, network: Network) -> None:
        super().build(network)
        chosen = self.settings
        self.discriminator = Critic(self.latents, chosen.discriminator_width, chosen.discriminator_layers)

    def noise(self, batch: int) -> dict[str, Noise]:
        shape = (batch, self.latents)
        return {"eps": Noise(shape), "eps2": Noise(shape), "order": Noise(shape, "uniform")}

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        terms, _, _, z = self.elbo_terms(batch)
        joint, all_codes = self.discriminator.log_ratio_for_both(z, self.permuted(batch))
        terms["tc"] = joint.mean()
        loss = terms["rec"] + terms["kl"] + settings.gamma * terms["tc"]
        return Objective(loss, terms, {"log_ratio": all_codes})

    @torch.no_grad()
    def permuted(self, batch: Batch) -> Tensor:
        """Codes (b d) of the second batch, every coordinate in an order of its own."""
        assert batch.x2 is not None
        mu, logvar, _ = self.posterior(batch.x2)
        assert logvar is not None
        return torch.gather(reparametrise(mu, logvar, batch.noise["eps2"]), 0, batch.noise["order"].argsort(dim=0))

    def forward(self, batch: Batch, settings: Settings) -> tuple[Objective, dict[str, Tensor]]:  # type: ignore[override]
        # The log-ratios handed over reach the discriminator's weights, and no others: they are not detached.
        objective = self.loss(batch, settings)
        return objective, self.critic_losses(objective.shared, batch, settings)

    def critic_losses(self, shared: dict[str, Tensor], batch: Batch, settings: Settings) -> dict[str, Tensor]:
        # Class 0 is a joint code, class 1 a permuted one; −log softmax of either is a softplus of the difference.
        joint, product = shared["log_ratio"].chunk(2)
        softplus = nn.functional.softplus
        return {"discriminator": 0.5 * (softplus(-joint).mean() + softplus(product).mean())}

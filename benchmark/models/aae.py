"""Adversarial autoencoder: a discriminator takes its codes for the prior's draws (Makhzani et al. 2015)."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from benchmark.models._neural import Adam, Batch, Objective
from benchmark.models.wae_mmd import WAEMMD
from benchmark.networks._mlp import layers
from benchmark.networks._network import Network, kaiming
from benchmark.spec import Number, stackable, static


class AAE(WAEMMD):
    """rec − λ·E_q[log D(z)], D trained to tell draws from p(z) from codes: Jensen–Shannon (Makhzani et al. 2015).

    No KL: M §4.3 keeps one that the paper does not have. The encoder is deterministic in the paper's results.
    `minimax` is the game as written, + λ·E_q[log(1 − D(z))] (M §2.4), whose slope vanishes where D is sure; the other
    is what Goodfellow et al. 2014, §3 advise and implementations do. The paper takes turns of two optimisers, here
    one step descends both. The logit is the prior's; log 2 − `discriminator_loss` bounds the divergence from below.
    """

    class Settings(WAEMMD.Settings):
        lambda_: Number = stackable(1.0, "weight λ of the adversary", ge=0, allow_inf_nan=False)
        game: Literal["non_saturating", "minimax"] = static("non_saturating", "what the encoder descends")
        discriminator_learning_rate: Number = stackable(
            1e-4, "the discriminator's Adam rate", gt=0, allow_inf_nan=False
        )
        discriminator_layers: int = static(2, "hidden layers of the discriminator: 2 of 1,000 in the paper", ge=1)
        discriminator_width: int = static(1000, "width of the discriminator's hidden layers", ge=1)

    settings: Settings
    critics = {"discriminator": Adam("discriminator_learning_rate", betas=(0.5, 0.9))}  # noqa: RUF012

    @classmethod
    def extra_weights(cls, settings: Settings) -> int:
        return settings.discriminator_layers * settings.discriminator_width**2

    def build(self, network: Network) -> None:
        super().build(network)
        hidden = [self.settings.discriminator_width] * self.settings.discriminator_layers
        self.discriminator = kaiming(nn.Sequential(*layers((self.latents, *hidden, 1))))

    def loss(self, batch: Batch, settings: WAEMMD.Settings) -> Objective:
        rec, z = self.rec_and_codes(batch)
        softplus, logits = nn.functional.softplus, self.discriminator(z)
        adversary = softplus(-logits).mean() if self.settings.game == "non_saturating" else -softplus(logits).mean()
        return Objective(rec + settings.lambda_ * adversary, {"rec": rec, "adversary": adversary}, {"z": z})

    def critic_losses(self, shared: dict[str, Tensor], batch: Batch, settings: Settings) -> dict[str, Tensor]:
        codes, prior = self.discriminator(shared["z"]), self.discriminator(self.sample_prior(batch.noise))
        softplus = nn.functional.softplus
        return {"discriminator": 0.5 * (softplus(codes).mean() + softplus(-prior).mean())}

"""Rényi VAE: the variational Rényi bound of order α in place of the ELBO (Li & Turner 2016)."""

from __future__ import annotations

import math
from typing import Self

from jaxtyping import Float
from pydantic import model_validator
from torch import Tensor

from benchmark.models._neural import Batch, Objective
from benchmark.models.iwae import IWAE, log_mean_exp
from benchmark.spec import Number, static


class RenyiVAE(IWAE):
    """−1/(1 − α) · log (1/L) Σ_l w_l^{1−α}, w as in `iwae` (Li & Turner 2016, eq. 13; P §2.1).

    α = 1 is the ELBO, with its KL in closed form, so that one sample is `vae`; α = 0 is `iwae`; α = −∞ the largest
    weight, their VR-max; α = ∞ the smallest. Gradients are those of the bound itself; Li & Turner may also send only
    one sample back, drawn with probability ∝ w^{1−α}, whose gradient has the same mean at less cost.
    """

    class Settings(IWAE.Settings):
        alpha: Number = static(0.5, "order α; any number, or -inf or inf")
        samples: int = static(10, "samples L of each point, at least 2 unless α = 1", ge=1)

        @model_validator(mode="after")
        def _samples_tell_orders_apart(self) -> Self:
            if self.samples == 1 and self.alpha != 1:
                raise ValueError("one sample makes every alpha the same: set samples = 2 or more, or alpha = 1")
            return self

    settings: Settings

    def loss(self, batch: Batch, settings: IWAE.Settings) -> Objective:
        terms, log_w = self.log_weights(batch)
        if self.settings.alpha == 1:
            return Objective(terms["rec"] + terms["kl"], terms)
        return Objective(-bound(log_w, self.settings.alpha).mean(), terms)


def bound(log_w: Float[Tensor, "l b"], alpha: float) -> Float[Tensor, " b"]:
    """The variational Rényi bound of order α ≠ 1 of each point, from L log-weights, in nats."""
    if math.isinf(alpha):
        return log_w.amin(0) if alpha > 0 else log_w.amax(0)
    return log_mean_exp((1 - alpha) * log_w) / (1 - alpha)

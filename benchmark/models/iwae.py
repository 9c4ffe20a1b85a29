"""Importance-weighted autoencoder: a tighter bound on log p(x) from L samples a point (Burda et al. 2016)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from benchmark.models._gaussian import GaussianModel, kl_diagonal
from benchmark.models._neural import HALF_LOG_TWO_PI, Batch, Noise, Objective
from benchmark.spec import static


class IWAE(GaussianModel):
    """−log (1/L) Σ_l w_l, w_l = p(x|z_l) p(z_l) / q(z_l|x) at z_l ~ q(z|x) (Burda et al. 2016, eq. 8).

    M §3.4 prints the bound without its log. Between log p(x) and the ELBO, which it is at L = 1: hence at least 2.
    Gradients are those of the bound itself, through every sample.
    """

    class Settings(GaussianModel.Settings):
        samples: int = static(10, "samples L of each point, all decoded", ge=2)

    settings: Settings

    def noise(self, batch: int) -> dict[str, Noise]:
        return {"eps": Noise((self.settings.samples, batch, self.latents))}

    def log_weights(self, batch: Batch) -> tuple[dict[str, Tensor], Float[Tensor, "l b"]]:
        """The ELBO's terms `rec` and `kl`, and log w of each sample and point, in nats."""
        mu, logvar, _ = self.posterior(batch.x)
        assert logvar is not None
        eps = batch.noise["eps"]
        count = eps.shape[0]
        z = (mu + torch.exp(0.5 * logvar) * eps).flatten(0, 1)  # one batch of L·b codes for the decoder
        x = batch.x.expand(count, *batch.x.shape).flatten(0, 1)
        rec = self.nats(x, self.decode(z)).reshape(count, -1)
        log_q = -(0.5 * (eps.square() + logvar) + HALF_LOG_TWO_PI).sum(2)
        log_p = self.log_prior(z).reshape(count, -1)
        return {"rec": rec.mean(), "kl": kl_diagonal(mu, logvar)}, log_p - rec - log_q

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        terms, log_w = self.log_weights(batch)
        return Objective(-log_mean_exp(log_w).mean(), terms)


def log_mean_exp(log_w: Float[Tensor, "l b"]) -> Float[Tensor, " b"]:
    """log (1/L) Σ_l w_l of each point."""
    return torch.logsumexp(log_w, dim=0) - math.log(log_w.shape[0])

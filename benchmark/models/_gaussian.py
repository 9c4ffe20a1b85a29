"""Autoencoders with a diagonal Gaussian posterior: what most of the VAE family shares."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from benchmark.models._neural import Batch, NeuralModel, Objective, Posterior
from benchmark.networks._network import Network


def kl_coordinates(mu: Float[Tensor, "b d"], logvar: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
    """KL(N(μ_j, σ_j²) ‖ N(0, 1)) of each point and coordinate, in nats (R eq. 4)."""
    return 0.5 * (mu.square() + logvar.exp() - logvar - 1)


def kl_diagonal(mu: Float[Tensor, "b d"], logvar: Float[Tensor, "b d"]) -> Float[Tensor, ""]:
    """KL(N(μ, diag σ²) ‖ N(0, I)) in nats, summed over coordinates and averaged over the batch (R eq. 4)."""
    return kl_coordinates(mu, logvar).sum(1).mean()


def reparametrise(mu: Float[Tensor, "b d"], logvar: Float[Tensor, "b d"], eps: Tensor) -> Float[Tensor, "b d"]:
    """A sample μ + σ ε of the posterior."""
    return mu + torch.exp(0.5 * logvar) * eps


class GaussianModel(NeuralModel):
    """An encoder of means and log-variances, a decoder, and the two terms of the ELBO."""

    def build(self, network: Network) -> None:
        self.encoder = network.encoder(2 * network.latents)
        self.decoder = network.decoder()

    def posterior(self, x: Float[Tensor, "b ..."]) -> Posterior:
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return Posterior(mu, logvar)

    def decode(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b ..."]:
        return self.decoder(z)

    def elbo_terms(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor, Tensor, Tensor]:
        """The terms `rec` and `kl`, then μ, log σ² and the sampled z, each (b d)."""
        mu, logvar, _ = self.posterior(batch.x)
        assert logvar is not None
        z = reparametrise(mu, logvar, batch.noise["eps"])
        rec = self.nats(batch.x, self.decode(z)).mean()
        return {"rec": rec, "kl": kl_diagonal(mu, logvar)}, mu, logvar, z


__all__ = ["Batch", "GaussianModel", "Objective", "kl_coordinates", "kl_diagonal", "reparametrise"]

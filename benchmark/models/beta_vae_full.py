"""β-VAE with a full-covariance posterior: the rotation-free control of Rolínek et al. 2019."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmark.models._neural import Batch, NeuralModel, Objective, Posterior
from benchmark.networks._network import Network
from benchmark.spec import Number, stackable


class BetaVAEFull(NeuralModel):
    """rec + β·½(tr LLᵀ + μᵀμ − d − 2 Σ log L_jj), q(z|x) = N(μ, LLᵀ) (R §5.1).

    The encoder gives log L_jj (as half a log-variance) and the entries of L below the diagonal.
    """

    class Settings(NeuralModel.Settings):
        beta: Number = stackable(4.0, "weight β of the KL term", ge=0, allow_inf_nan=False)

    place: Tensor

    def build(self, network: Network) -> None:
        d = network.latents
        self.encoder = network.encoder(2 * d + d * (d - 1) // 2)
        self.decoder = network.decoder()
        rows, columns = torch.tril_indices(d, d, offset=-1)
        # Which entry below the diagonal each entry of L is; the last stands for 0. A lookup stacks, where an indexed
        # write does not.
        place = torch.full((d * d,), len(rows))
        place[rows * d + columns] = torch.arange(len(rows))
        self.register_buffer("place", place, persistent=False)

    def posterior(self, x: Tensor) -> Posterior:
        d = self.latents
        mu, log_diagonal, below = self.encoder(x).split([d, d, d * (d - 1) // 2], dim=1)
        lower = torch.cat([below, torch.zeros_like(mu[:, :1])], dim=1)[:, self.place].reshape(-1, d, d)
        scale = torch.diag_embed(torch.exp(0.5 * log_diagonal)) + lower
        return Posterior(mu, scale=scale)

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z)

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        mu, _, scale = self.posterior(batch.x)
        assert scale is not None
        z = mu + (scale @ batch.noise["eps"].unsqueeze(2)).squeeze(2)
        rec = self.nats(batch.x, self.decode(z)).mean()
        kl = kl_full(mu, scale)
        return Objective(rec + settings.beta * kl, {"rec": rec, "kl": kl})


def kl_full(mu: Tensor, scale: Tensor) -> Tensor:
    """KL(N(μ, LLᵀ) ‖ N(0, I)) in nats, averaged over the batch; μ (b d), L (b d d) lower triangular."""
    log_det = 2 * torch.diagonal(scale, dim1=1, dim2=2).log().sum(1)
    return (0.5 * (scale.square().sum((1, 2)) + mu.square().sum(1) - mu.shape[1] - log_det)).mean()

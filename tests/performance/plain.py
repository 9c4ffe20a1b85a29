"""A VAE as anyone would write it in torch: the network of conv64 in torch's own layers, which measurements start from.

Not `benchmark`'s classes, which are what is measured.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LATENTS = 10


class VAE(nn.Module):
    """M Table 5.2: 502,005 parameters."""

    def __init__(self) -> None:
        super().__init__()
        halving = [layer for c in (1, 32, 32, 32) for layer in (nn.Conv2d(c, 32, 4, 2, 1), nn.ReLU())]
        doubling = [layer for c in (32, 32, 32, 1) for layer in (nn.ConvTranspose2d(32, c, 4, 2, 1), nn.ReLU())]
        encoding = (nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 2 * LATENTS))
        decoding = (nn.Linear(LATENTS, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 512), nn.ReLU())
        self.encoder = nn.Sequential(*halving, nn.Flatten(), *encoding)
        self.decoder = nn.Sequential(*decoding, nn.Unflatten(1, (32, 4, 4)), *doubling[:-1])

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Means, log-variances and a sample of each."""
        mu, logvar = self.encoder(x).chunk(2, 1)
        return mu, logvar, mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)

    def loss(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The negative ELBO in nats, and the codes that were sampled."""
        mu, logvar, z = self.encode(x)
        rec = F.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum") / len(x)
        kl = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp()) / len(x)
        return rec + kl, z


def images_at(data: Tensor, batch: int) -> Tensor:
    """A random batch of resident images, as floats."""
    return data[torch.randint(len(data), (batch,))].float()

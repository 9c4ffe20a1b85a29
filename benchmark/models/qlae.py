"""Quantised-latent autoencoder: each coordinate takes few values, those of a codebook of its own (Hsu et al. 2023)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from benchmark.models._neural import Adam, Batch, NeuralModel, Noise, Objective, Posterior
from benchmark.models._straight_through import straight_through
from benchmark.networks._network import Network
from benchmark.spec import Number, stackable, static


class Codebook(nn.Module):
    """`size` values for each of d coordinates: evenly spread from −½ to ½ at first, then trained."""

    def __init__(self, coordinates: int, size: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.linspace(-0.5, 0.5, size).repeat(coordinates, 1))

    def forward(self, z: Float[Tensor, "b d"]) -> Float[Tensor, "b d"]:
        """The value nearest to each code in its coordinate's own codebook; of two as near the one that stands first."""
        distances = (z.unsqueeze(2) - self.values).abs()
        nearest = distances.argmin(2, keepdim=True)
        return torch.gather(self.values.expand_as(distances), 2, nearest).squeeze(2)


class QLAE(NeuralModel):
    """rec at c(z) + λ·‖z − sg c(z)‖²; the codebooks minimise ‖sg z − c(z)‖² (Hsu et al. 2023).

    c(z) is the nearest value, coordinate by coordinate, and sg stops the gradient. rec's gradient passes straight
    through c to the encoder and reaches no codebook, so that Adam trains these on their own loss alone, whatever its
    weight in a sum: they have a rate of their own, neither schedule nor weight decay. The rest wants
    `training.weight_decay` (0.1 in the authors' code, which spares biases; here they decay too), and they take twice as
    many latents as factors. Both losses are sums over coordinates in units of codes² and λ's default is ours: the
    authors' code averages over pixels and coordinates, weight 0.01 (0.001 on dSprites): λ = 0.01·D/d here, D pixels.
    Values evenly from −½ to ½ are that code's as well; none of this could be compared with the paper's text.
    The codes are c(z), of `values` different numbers each. `decode` takes any numbers: between two values of a codebook
    the decoder shows what training never asked of it.
    """

    class Settings(NeuralModel.Settings):
        values: int = static(10, "values in each coordinate's codebook", ge=2)
        commitment: Number = stackable(
            1.0, "weight λ of the encoder's distance to the codebook", ge=0, allow_inf_nan=False
        )
        codebook_learning_rate: Number = stackable(1e-3, "the codebooks' Adam rate", gt=0, allow_inf_nan=False)

    settings: Settings
    critics = {"codebook": Adam("codebook_learning_rate")}  # noqa: RUF012

    def build(self, network: Network) -> None:
        self.encoder = network.encoder(network.latents)
        self.decoder = network.decoder()
        self.codebook = Codebook(network.latents, self.settings.values)

    def noise(self, batch: int) -> dict[str, Noise]:
        return {}

    def posterior(self, x: Tensor) -> Posterior:
        z = self.encoder(x)
        return Posterior(straight_through(z, self.codebook(z)))

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z)

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        z = self.encoder(batch.x)
        nearest = self.codebook(z)
        rec = self.nats(batch.x, self.decode(straight_through(z, nearest))).mean()
        commitment = squared_distance(z, nearest.detach())
        return Objective(rec + settings.commitment * commitment, {"rec": rec, "commitment": commitment}, {"z": z})

    def critic_losses(self, shared: dict[str, Tensor], batch: Batch, settings: Settings) -> dict[str, Tensor]:
        return {"codebook": squared_distance(shared["z"], self.codebook(shared["z"]))}


def squared_distance(z: Float[Tensor, "b d"], nearest: Float[Tensor, "b d"]) -> Float[Tensor, ""]:
    """‖z − c‖², averaged over the batch."""
    return (z - nearest).square().sum(1).mean()

"""Autoencoder: reconstruction alone, at z = μ."""

from torch import Tensor

from benchmark.models._neural import Batch, NeuralModel, Noise, Objective, Posterior
from benchmark.networks._network import Network


class AE(NeuralModel):
    """rec at z = μ (M §3.3; S §2.6.1)."""

    def build(self, network: Network) -> None:
        self.encoder = network.encoder(network.latents)
        self.decoder = network.decoder()

    def noise(self, batch: int) -> dict[str, Noise]:
        return {}

    def posterior(self, x: Tensor) -> Posterior:
        return Posterior(self.encoder(x))

    def decode(self, z: Tensor) -> Tensor:
        return self.decoder(z)

    def loss(self, batch: Batch, settings: NeuralModel.Settings) -> Objective:
        rec = self.nats(batch.x, self.decode(self.encoder(batch.x))).mean()
        return Objective(rec, {"rec": rec})

"""Siamese embedding: points of one class attract, of two classes repel each other up to a margin (supervised)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from benchmark.errors import ModelError
from benchmark.models._neural import Batch, NeuralModel, Noise, Objective, Posterior
from benchmark.networks._network import Network
from benchmark.spec import Number, stackable


class Siamese(NeuralModel):
    """Mean over pairs of 1(c = g)·d(a, b) + 1(c ≠ g)·max(δ − d(a, b), 0), d Euclidean between codes (E).

    c and g are the classes of a and b; the pairs are all of a batch. In units of the codes, not nats. The ancestor
    (Hadsell et al. 2006, eq. 4) squares both terms; E does not, nor normalises the codes. There is no decoder.
    Distances leave the codes' offset to rounding, of which Adam makes steps: `offset`, the mean of a·b and in
    expectation ‖E z‖², is added to centre them, and changes no distance.
    """

    class Settings(NeuralModel.Settings):
        margin: Number = stackable(
            1.0, "distance δ beyond which two classes leave each other", gt=0, allow_inf_nan=False
        )

    supervised = True
    labelled = True
    decodes = False

    @classmethod
    def idle(cls, settings: Any) -> Mapping[str, str]:
        return {"likelihood": "this model, which does not decode"}

    def build(self, network: Network) -> None:
        self.encoder = network.encoder(network.latents)

    def noise(self, batch: int) -> dict[str, Noise]:
        return {}

    def posterior(self, x: Tensor) -> Posterior:
        return Posterior(self.encoder(x))

    def decode(self, z: Tensor) -> Tensor:
        raise ModelError("a siamese embedding has no way back from codes to data")

    def loss(self, batch: Batch, settings: Settings) -> Objective:
        assert batch.labels is not None
        z = self.encoder(batch.x)
        a, b = torch.triu_indices(len(z), len(z), offset=1, device=z.device)
        # A point may be drawn twice: the norm's slope at 0 is 0, the root of a sum of squares would have none.
        distance = torch.linalg.vector_norm(z[a] - z[b], dim=1)
        alike = (batch.labels[a] == batch.labels[b]).to(z.dtype)
        attraction = (alike * distance).mean()
        repulsion = ((1 - alike) * torch.relu(settings.margin - distance)).mean()
        offset = (z[a] * z[b]).sum(1).mean()
        terms = {"attraction": attraction, "repulsion": repulsion, "offset": offset}
        return Objective(attraction + repulsion + offset, terms)

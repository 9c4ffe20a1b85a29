"""A trained network on a device, for whoever calls it with arrays in this process's memory."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.models._neural import Batch, NeuralModel, Noise, Objective, Posterior, Sample
from benchmark.networks._network import Network


class OnDevice(NeuralModel):
    """The methods of a trained network that encoding calls: arguments go to the device, results come back.

    Its layers are those of the network on the CPU, `here`; a copy on the device, `there`, does the work.
    """

    def __init__(self, here: NeuralModel, place: str) -> None:
        nn.Module.__init__(self)
        self.here = here
        self.there = copy.deepcopy(here).to(place)
        self.device = torch.device(place)
        names = ("settings", "latents", "noise_size", "points", "decodes", "matches_prior")
        vars(self).update({name: getattr(here, name) for name in names})
        if hasattr(here, "decoder"):
            self.decoder = here.decoder

    def build(self, network: Network) -> None:
        raise NotImplementedError("a network on a device is built and trained already")

    def loss(self, batch: Batch, settings: Any) -> Objective:
        raise NotImplementedError("a network on a device is built and trained already")

    def posterior(self, x: Tensor) -> Posterior:
        return Posterior(*map(_back, self.there.posterior(x.to(self.device))))

    def sample(self, x: Tensor, eps: Tensor) -> Sample:
        posterior, z, log_q = self.there.sample(x.to(self.device), eps.to(self.device))
        return Sample(Posterior(*map(_back, posterior)), _back(z), _back(log_q))

    def decode(self, z: Tensor) -> Tensor:
        return self.there.decode(z.to(self.device)).cpu()

    def mean_image(self, output: Tensor) -> Tensor:
        return self.there.mean_image(output.to(self.device)).cpu()

    def nats(self, x: Tensor, output: Tensor) -> Tensor:
        return self.there.nats(x.to(self.device), output.to(self.device)).cpu()

    def log_prior(self, z: Tensor) -> Tensor:
        return self.there.log_prior(z.to(self.device)).cpu()

    def prior_noise(self, batch: int) -> dict[str, Noise]:
        return self.here.prior_noise(batch)

    def sample_prior(self, noise: dict[str, Tensor]) -> Tensor:
        return self.there.sample_prior({name: value.to(self.device) for name, value in noise.items()}).cpu()


def _back(values: Tensor | None) -> Any:
    return None if values is None else values.cpu()

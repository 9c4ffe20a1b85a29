"""Fully connected networks: the data flattened, ReLU between the layers."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar

from torch import nn

from benchmark.networks._network import Network, kaiming


class Mlp(Network):
    """Hidden layers of the given widths, mirrored in the decoder."""

    widths: ClassVar[tuple[int, ...]] = ()

    @classmethod
    def hidden(cls, settings: Network.Settings) -> tuple[int, ...]:
        """The widths of the encoder's hidden layers."""
        return cls.widths

    @classmethod
    def weights(cls, settings: Network.Settings) -> int:
        return sum(width**2 for width in cls.hidden(settings))

    def encoder(self, outputs: int) -> nn.Module:
        sizes = (math.prod(self.shape), *self.hidden(self.settings), outputs)
        return kaiming(nn.Sequential(nn.Flatten(), *layers(sizes)))

    def decoder(self) -> nn.Module:
        sizes = (self.latents, *reversed(self.hidden(self.settings)), math.prod(self.shape))
        return kaiming(nn.Sequential(*layers(sizes), nn.Unflatten(1, self.shape)))


def layers(sizes: tuple[int, ...]) -> list[nn.Module]:
    """Linear layers between the sizes, with ReLU after all but the last."""
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(sizes):
        modules += [nn.Linear(inputs, outputs), nn.ReLU()]
    return modules[:-1]

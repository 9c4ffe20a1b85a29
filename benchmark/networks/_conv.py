"""Convolutional networks: 4 × 4 kernels of stride 2 and 32 channels, two hidden linear layers of 256."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from torch import nn

from benchmark.networks._doubling import Doubling
from benchmark.networks._mlp import layers
from benchmark.networks._network import Network, kaiming, require_images

CHANNELS = 32
HIDDEN = 256


class Conv(Network):
    """Halves the image `depth` times down to 4 × 4, then linear layers; mirrored in the decoder."""

    name: ClassVar[str]
    depth: int

    def check(self, shape: tuple[int, ...]) -> None:
        require_images(self.name, shape, 4 * 2**self.depth)

    def encoder(self, outputs: int) -> nn.Module:
        channels = (self.shape[0], *[CHANNELS] * self.depth)
        convolutions: list[nn.Module] = []
        for inputs, results in pairwise(channels):
            convolutions += [nn.Conv2d(inputs, results, 4, stride=2, padding=1), nn.ReLU(inplace=True)]
        linear = layers((CHANNELS * 16, HIDDEN, HIDDEN, outputs))
        return kaiming(nn.Sequential(*convolutions, nn.Flatten(), *linear))

    def decoder(self) -> nn.Module:
        linear = [*layers((self.latents, HIDDEN, HIDDEN, CHANNELS * 16)), nn.ReLU(), nn.Unflatten(1, (CHANNELS, 4, 4))]
        channels = (*[CHANNELS] * self.depth, self.shape[0])
        convolutions: list[nn.Module] = []
        for inputs, results in pairwise(channels):
            convolutions += [Doubling(inputs, results), nn.ReLU(inplace=True)]
        return kaiming(nn.Sequential(*linear, *convolutions[:-1]))

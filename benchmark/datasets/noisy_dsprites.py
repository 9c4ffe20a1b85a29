"""dSprites on noise: each background pixel takes a random colour (Locatello et al. 2019)."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from benchmark.datasets._variants import DspritesVariant


class NoisyDsprites(DspritesVariant):
    """x = min(sprite + u, 1) with u uniform in [0, 1] for each pixel and channel: white sprites on coloured noise.

    The noise is fixed for an image, and takes 256 levels.
    """

    name = "noisy_dsprites"

    @staticmethod
    def paint(sprite: UInt8[ndarray, "1 r r"], rng: np.random.Generator) -> UInt8[ndarray, "3 r r"]:
        noise = np.frombuffer(rng.bytes(3 * sprite.size), np.uint8).reshape(3, *sprite.shape[1:])
        return np.maximum(noise, sprite * np.uint8(255))

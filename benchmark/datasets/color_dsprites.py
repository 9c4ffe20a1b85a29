"""dSprites in colour: each sprite takes a random light colour, on black (Locatello et al. 2019)."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from benchmark.datasets._variants import DspritesVariant


class ColorDsprites(DspritesVariant):
    """x = sprite · u with u uniform in [½, 1] for each channel: the colour is a nuisance, not a factor.

    The colour is fixed for an image, and takes 128 levels in each channel.
    """

    name = "color_dsprites"

    @staticmethod
    def paint(sprite: UInt8[ndarray, "1 r r"], rng: np.random.Generator) -> UInt8[ndarray, "3 r r"]:
        return sprite * rng.integers(128, 256, (3, 1, 1), np.uint8)

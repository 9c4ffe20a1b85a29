"""Noise on training images alone, for models that are scored on clean ones (S §4.1.4)."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from benchmark.seeds import stream

BLOCK = 4096
"""Images whose noise is drawn together."""
NOISE = "probability that a pixel of a training image becomes any grey value; test images stay clean"


def noisy(images: UInt8[ndarray, "n h w"], ratio: float, white: int, dataset: str) -> UInt8[ndarray, "n h w"]:
    """The images with each pixel replaced, with probability `ratio`, by a uniform one of 0 … `white`.

    S says neither what noise it added nor how much of it: this is ours. The noise is fixed for a dataset, whatever a
    run's seed; a larger ratio replaces more pixels, and those of a smaller one alike.
    """
    found = images.copy()
    for block, start in enumerate(range(0, len(images), BLOCK)):
        part = found[start : start + BLOCK]
        rng = stream(dataset, "noise", block=block)
        replaced = rng.random(part.shape, dtype=np.float32) < ratio
        values = rng.integers(0, white, part.shape, dtype=np.uint8, endpoint=True)
        part[replaced] = values[replaced]
    return found

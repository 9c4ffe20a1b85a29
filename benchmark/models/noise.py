"""Anchor row: pure noise; the floor of supervised measures."""

import numpy as np
from numpy import ndarray

from benchmark.models._model import Anchor
from benchmark.spec import static


class NoiseCodes(Anchor):
    """Independent standard normal codes that know nothing of the data."""

    class Settings(Anchor.Settings):
        latents: int = static(10, "number of codes", ge=1)

    settings: Settings

    def codes(self, factors: ndarray, rng: np.random.Generator) -> ndarray:
        return rng.standard_normal((len(factors), self.settings.latents), dtype=np.float32)

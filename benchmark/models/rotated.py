"""Anchor row: perfect codes under a random rotation; all the information, no alignment."""

import numpy as np
from numpy import ndarray

from benchmark.models._model import Anchor, standardised


class Rotated(Anchor):
    """The standardised factors times a rotation drawn uniformly (Haar) by the run's seed."""

    def codes(self, factors: ndarray, rng: np.random.Generator) -> ndarray:
        q, r = np.linalg.qr(rng.standard_normal((factors.shape[1], factors.shape[1])))
        return standardised(factors) @ (q * np.sign(np.diag(r))).astype(np.float32)

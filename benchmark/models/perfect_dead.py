"""Anchor row: perfect codes beside five constant ones, which must change no score."""

import numpy as np
from numpy import ndarray

from benchmark.models._model import Anchor, standardised

DEAD = 5


class PerfectDead(Anchor):
    """One code per factor, then five exactly constant codes."""

    def codes(self, factors: ndarray, rng: np.random.Generator) -> ndarray:
        return np.hstack([standardised(factors), np.zeros((len(factors), DEAD), np.float32)])

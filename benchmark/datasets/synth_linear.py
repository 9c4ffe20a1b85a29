"""The unit square through a fixed linear map into R³ (after Rolínek et al. 2019, §5.1)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.datasets._square import UnitSquare


class SynthLinear(UnitSquare):
    """x = A (v − ½), with A = ⅓ [[4, 1], [2, 2], [4, −2]]; the paper's own map is in a supplement that we do not have.

    A's columns are orthogonal with lengths 2 and 1. These are its singular values, distinct, and its right singular
    vectors are the axes of the square: only so can the principal directions be the factors.
    """

    name = "synth_linear"
    MAP = np.array([[4.0, 1.0], [2.0, 2.0], [4.0, -2.0]]) / 3

    @staticmethod
    def embed(factors: Float[ndarray, "n 2"]) -> Float[ndarray, "n 3"]:
        """The fixed map; the centre of the square goes to zero."""
        return (factors - 0.5) @ SynthLinear.MAP.T

"""The unit square through a fixed smooth nonlinear map into R⁶ (after Rolínek et al. 2019, §5.1)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.datasets._square import UnitSquare


class SynthNonlinear(UnitSquare):
    """x = Q h(a, b) with a, b = v − ½; the paper's own map is in a supplement that we do not have. h is

        ⅔ (sin 3a, c − cos 3a),   ⅓ (sin 3b, c − cos 3b),   (ab, ½ (a² − b²)),   c = sin 1.5 / 1.5:

    a factor moves the point along an arc of 3 radians, the first twice as fast, and both bend a common plane. The last
    pair is conformal, so the Jacobian's columns are orthogonal everywhere, with squared lengths 4 + a² + b² and
    1 + a² + b²: distinct singular values whose directions are the axes of the square, as in `synth_linear`.
    Q = I − ⅓ 𝟏𝟏ᵀ, a reflection, mixes the six coordinates; c centres them over the square.
    """

    name = "synth_nonlinear"

    @staticmethod
    def embed(factors: Float[ndarray, "n 2"]) -> Float[ndarray, "n 6"]:
        """The fixed map; its mean over the square is zero."""
        a, b = factors.T - 0.5
        c = np.sin(1.5) / 1.5
        h = np.stack(
            [
                2 / 3 * np.sin(3 * a),
                2 / 3 * (c - np.cos(3 * a)),
                1 / 3 * np.sin(3 * b),
                1 / 3 * (c - np.cos(3 * b)),
                a * b,
                (a**2 - b**2) / 2,
            ],
            axis=1,
        )
        return np.asarray(h - h.sum(axis=1, keepdims=True) / 3)

"""scikit-learn's S curve: a rectangle bent to an S in R³; its factors are the position along it and the height."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.datasets._manifold import Manifold
from benchmark.seeds import integer


class SCurve(Manifold):
    """x = (sin t, h, sign(t) (cos t − 1)), t uniform in [−1.5π, 1.5π] and h in [0, 2]; the factors are t and h.

    |t| is the length along the curve from its middle: the surface is flat, and points cover it evenly.
    """

    name = "s_curve"
    factor_names = ("position", "height")
    # σ_x is to the deviation of the height, 2/√12, as 0.1 is in `synth_linear` to that along its larger direction.
    sigma = 0.1

    def draw(self) -> tuple[Float[ndarray, "n 3"], Float[ndarray, "n 2"]]:
        from sklearn.datasets import make_s_curve

        x, position = make_s_curve(self.settings.points, random_state=integer(self.name, self.settings.seed))
        return x, np.stack([position, x[:, 1]], axis=1)

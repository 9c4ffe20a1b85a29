"""scikit-learn's Swiss roll, a tenth as large: a rectangle rolled up in R³; its factors are the position along it and
the height."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.datasets._manifold import Manifold
from benchmark.seeds import integer


class SwissRoll(Manifold):
    """x = (t cos t, h, t sin t) / 10, t uniform in [1.5π, 4.5π] and h in [0, 21]; the factors are t and h / 10.

    In scikit-learn's size, with numbers up to fifteen, encoders begin at astronomical variances. t grows with the
    length along the roll but is not that length: points lie denser on the inner turns.
    """

    name = "swiss_roll"
    factor_names = ("position", "height")
    # σ_x is to the deviation of the height, 2.1/√12, as 0.1 is in `synth_linear` to that along its larger direction.
    sigma = 0.1

    def draw(self) -> tuple[Float[ndarray, "n 3"], Float[ndarray, "n 2"]]:
        from sklearn.datasets import make_swiss_roll

        x, position = make_swiss_roll(self.settings.points, random_state=integer(self.name, self.settings.seed))
        x = x / 10
        return x, np.stack([position, x[:, 1]], axis=1)

"""The manifold that a decoder of two coordinates draws: a grid of the prior's quantiles (S Figs. 4, 7)."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from benchmark.stages.studies import Trained

QUANTILES = np.linspace(0.05, 0.95, 20)


def arrays(trained: Trained) -> dict[str, ndarray]:
    """Images (20 20) decoded from Φ⁻¹ of a grid over [0.05, 0.95]²: rows by falling z₂, columns by rising z₁.

    Where no prior sets the scale of the codes, Φ⁻¹ is taken in their deviations around their mean. Nothing unless the
    data are images and the codes have two coordinates.
    """
    from scipy.special import ndtri

    from benchmark.stages.points import as_bytes

    if not trained.pictured or trained.codes.means.shape[1] != 2 or not trained.decodes:
        return {}
    steps = ndtri(QUANTILES)
    centre, spread = trained.place
    z = centre + spread * np.stack(np.meshgrid(steps, steps[::-1]), axis=-1)
    decoded = trained.decode(z.reshape(-1, 2))
    return {"picture_manifold": as_bytes(decoded).reshape(*z.shape[:2], *trained.data.shape)}

"""Where on the canvas the data, and a model's samples, put ink (M Figs. 5.1, 5.2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from leaderboard.pictures.reconstructions import difference
from leaderboard.style import INK, Figure
from leaderboard.tiles import as_rgb, sheet

NEEDS = {"picture_data_density", "picture_model_density"}
SIDE = 128
"""Pixels that each mean image is enlarged to, by a whole number."""


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    """The two mean images, brightened alike so that the brightest pixel of either is white, and their difference."""
    data, model = (arrays[name][None] for name in ("picture_data_density", "picture_model_density"))
    brightest = max(int(data.max()), int(model.max()), 1)
    data, model = (np.round(each * (255 / brightest)).astype(np.uint8) for each in (data, model))
    scale = brightest / 255
    error = float(np.abs(data.astype(float) - model).mean() * scale / 255)
    grid = np.stack([as_rgb(data)[0], as_rgb(model)[0], difference(data, model)[0]])[:, None]
    grid = grid.repeat(factor := max(1, SIDE // grid.shape[2]), axis=2).repeat(factor, axis=3)
    return [
        Figure(
            "densities",
            sheet(grid, ["data", "model", "difference"], [INK] * 3),
            "png",
            f"The mean of data images, the mean of images decoded by {title} from draws of the prior, and the"
            f" difference: {error:.3f} on average.",
            f"Densities: mean of the data and of the model's samples, white is {scale:.2f}. Difference: blue where the"
            f" model is brighter, orange where darker; {error:.3f} of the range on average.",
        )
    ]

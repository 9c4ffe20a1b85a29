"""The manifold of two coordinates, decoded on a grid of the prior's quantiles (S Figs. 4, 7)."""

from __future__ import annotations

from collections.abc import Mapping

from numpy import ndarray

from leaderboard.few_colours import compact
from leaderboard.pictures.traversals import has_prior
from leaderboard.style import Figure
from leaderboard.tiles import as_rgb, enlarged, png

NEEDS = {"picture_manifold"}
USES = {"picture_samples"}


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    grid = enlarged(as_rgb(arrays["picture_manifold"]))
    rows, columns, h, w, _ = grid.shape
    # Without gaps: neighbours are meant to flow into one another.
    image = grid.swapaxes(1, 2).reshape(rows * h, columns * w, 3)
    scale = "" if has_prior(arrays) else ", in standard deviations of the codes around their mean"
    return [
        Figure(
            "manifold",
            compact(png(image)),
            "png",
            f"{rows} × {columns} images decoded by {title} from a grid of its two coordinates.",
            f"Manifold: decoded from Φ⁻¹ of a grid over [0.05, 0.95]²{scale}, z₀ to the right, z₁ upwards.",
        )
    ]

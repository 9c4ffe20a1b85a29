"""Originals, reconstructions and their difference (M Fig. 5.3, S Fig. 2)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from leaderboard.style import INK, Figure
from leaderboard.tiles import as_rgb, sheet

NEEDS = {"picture_images", "picture_reconstructions"}


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    return [reconstructions(arrays["picture_images"], arrays["picture_reconstructions"], title)]


def difference(images: UInt8[ndarray, "n c h w"], others: UInt8[ndarray, "n c h w"]) -> UInt8[ndarray, "n h w 3"]:
    """The mean difference over channels: blue where `others` are too bright, orange where too dark, else white."""
    signed = (others.astype(np.float32) - images.astype(np.float32)).mean(axis=1) / 255
    bright, dark = np.array([11, 92, 147]), np.array([213, 94, 0])
    target = np.where(signed[..., None] > 0, bright, dark)
    return (255 + (target - 255) * np.abs(signed)[..., None]).astype(np.uint8)


def reconstructions(
    images: UInt8[ndarray, "n c h w"], others: UInt8[ndarray, "n c h w"], title: str, limit: int = 10
) -> Figure:
    """Originals, their reconstructions, and the difference, in three rows."""
    images, others = images[:limit], others[:limit]
    grid = np.stack([as_rgb(images), as_rgb(others), difference(images, others)])
    error = np.abs(images.astype(float) - others).mean() / 255
    return Figure(
        "reconstructions",
        sheet(grid, ["original", "reconstruction", "difference"], [INK] * 3),
        "png",
        f"{len(images)} images, their reconstructions by {title} and the differences: {error:.3f} on average.",
        "Reconstructions. Difference: blue where too bright, orange where too dark; on average it is "
        f"{error:.3f} of the range from black to white.",
    )

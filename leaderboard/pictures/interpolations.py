"""Five ways from one image to another (P Fig. 5)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from leaderboard.style import INK, Figure
from leaderboard.tiles import as_rgb, sheet

NEEDS = {"picture_interpolations", "picture_interpolation_ends"}
ROWS = ("mixed images", "means", "samples", "geodesic, sampled", "geodesic")
RED = np.array([213, 40, 0], np.uint8)


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    """A sheet of all pairs: between the two images, in the first and last column, a row for each way."""
    ends, rows = arrays["picture_interpolation_ends"], arrays["picture_interpolations"]
    if not len(rows):
        return []
    blocks, names = [], []
    for pair, ways in zip(ends, rows, strict=True):
        for name, way in zip(ROWS, ways, strict=True):
            strip = as_rgb(np.concatenate([pair[:1], way, pair[1:]]))
            strip[1 + transition(way, pair)] = framed(strip[1 + transition(way, pair)])
            blocks.append(strip)
            names.append(name)
    return [
        Figure(
            "interpolations",
            sheet(np.stack(blocks), names, [INK] * len(names)),
            "png",
            f"{len(rows)} pairs of images with {rows.shape[2]} steps between them in five ways, by {title}.",
            "Between two images: mixtures of the images, of their mean codes, of one sample of each, then along the"
            " Fisher–Rao geodesic of their posteriors, sampled and at its means. Framed: the first that is nearer to"
            " the last image.",
        )
    ]


def transition(way: UInt8[ndarray, "s c h w"], ends: UInt8[ndarray, "2 c h w"]) -> int:
    """The first step that is nearer to the second end than to the first; the last one where none is."""
    away = ((way[:, None].astype(np.float64) - ends[None]) ** 2).sum(axis=(2, 3, 4))
    nearer = away[:, 1] < away[:, 0]
    return int(nearer.argmax()) if nearer.any() else len(way) - 1


def framed(image: UInt8[ndarray, "h w 3"]) -> UInt8[ndarray, "h w 3"]:
    found = image.copy()
    found[[0, -1]] = RED
    found[:, [0, -1]] = RED
    return found

"""The patterns that a linear embedding adds up (E: PCA and NMF with K = 25)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from leaderboard.few_colours import compact
from leaderboard.style import Figure
from leaderboard.tiles import png, tiles

NEEDS = {"picture_dictionary"}
SIDE = 84
"""Pixels that a pattern is enlarged to, by a whole number."""
FRAME = np.array([223, 226, 230], np.uint8)


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    patterns = arrays["picture_dictionary"]
    signed = bool(patterns.min() < 0)
    return [
        Figure(
            "dictionary",
            compact(png(image(patterns))),
            "png",
            f"{len(patterns)} patterns that {title} adds up, in rows.",
            f"Dictionary: what each of {len(patterns)} coordinates adds to the image, in order, each scaled to its"
            f" largest value; {'blue adds, orange takes away' if signed else 'blue adds, nothing takes away'}.",
        )
    ]


def image(patterns: Float[ndarray, "k c h w"]) -> UInt8[ndarray, "H W 3"]:
    """All patterns as one picture, in rows."""
    factor = max(1, SIDE // patterns.shape[2])
    shown = coloured(patterns).repeat(factor, axis=1).repeat(factor, axis=2)
    shown[:, [0, -1]] = shown[:, :, [0, -1]] = FRAME
    return tiles(table(shown))


def coloured(patterns: Float[ndarray, "k c h w"]) -> UInt8[ndarray, "k h w 3"]:
    """The mean over channels: blue where it adds, orange where it takes away, white at zero, scaled by pattern."""
    grey = patterns.mean(axis=1)
    largest = np.abs(grey).max(axis=(1, 2), keepdims=True)
    share = grey / np.where(largest > 0, largest, 1)
    blue, orange = np.array([11, 92, 147]), np.array([213, 94, 0])
    target = np.where(share[..., None] > 0, blue, orange)
    return (255 + (target - 255) * np.abs(share)[..., None]).astype(np.uint8)


def table(images: UInt8[ndarray, "k h w 3"]) -> UInt8[ndarray, "rows columns h w 3"]:
    """As nearly square as can be, the last row filled up with white."""
    columns = int(np.ceil(np.sqrt(len(images))))
    rows = -(-len(images) // columns)
    full = np.full((rows * columns, *images.shape[1:]), 255, np.uint8)
    full[: len(images)] = images
    return full.reshape(rows, columns, *images.shape[1:])

"""Sheets of small images: what every picture of one run is laid out with."""

from __future__ import annotations

import math
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from leaderboard.few_colours import compact
from leaderboard.paper import SIZE, paper
from leaderboard.style import DOTS, MUTED, STYLE, canvas, finished

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

GAP = 2
"""Pixels between the tiles of a grid."""
GAP_ON_PAPER = 0.08
"""Inches between a sheet and what is written beside it."""
FINE_TYPE = 200
"""Pixels to the inch at least on paper, where type of 8 pt is to be read."""


def as_rgb(images: UInt8[ndarray, "*n c h w"]) -> UInt8[ndarray, "*n h w 3"]:
    """Images for the eye: one channel is repeated, of more than three the first three are shown."""
    channels = images[..., :3, :, :] if images.shape[-3] >= 3 else images[..., :1, :, :].repeat(3, axis=-3)
    return np.moveaxis(channels, -3, -1)


def tiles(grid: UInt8[ndarray, "rows columns h w 3"]) -> UInt8[ndarray, "H W 3"]:
    """A table of images as one, on white with a small gap."""
    rows, columns, h, w, _ = grid.shape
    sheet = np.full((rows * (h + GAP) - GAP, columns * (w + GAP) - GAP, 3), 255, np.uint8)
    for i in range(rows):
        for j in range(columns):
            top, left = i * (h + GAP), j * (w + GAP)
            sheet[top : top + h, left : left + w] = grid[i, j]
    return sheet


def faded(images: UInt8[ndarray, "*n h w 3"]) -> UInt8[ndarray, "*n h w 3"]:
    """Images as a passive coordinate shows them."""
    return (190 + images.astype(np.float32) * 0.25).astype(np.uint8)


def enlarged(images: UInt8[ndarray, "*n h w 3"]) -> UInt8[ndarray, "*n h2 w2 3"]:
    """Small images by a whole number, so that pixels stay crisp squares."""
    factor = max(1, 48 // images.shape[-2])
    return images.repeat(factor, axis=-3).repeat(factor, axis=-2)


def sheet(
    grid: UInt8[ndarray, "rows columns h w 3"], names: list[str], colours: list[str], ends: list[str] | None = None
) -> bytes:
    """A grid with a name before each row and, with `ends`, marks below its first, middle and last column."""
    from matplotlib import rc_context

    image = tiles(enlarged(grid))
    height, width = image.shape[:2]
    row, column = height / len(grid), width / grid.shape[1]
    with rc_context(STYLE):
        figure, (axis,) = canvas(1, 1, width / DOTS, height / DOTS)
        figure.set_layout_engine("none")
        size, dots, gap, finer = 5.8, float(DOTS), 8.0, 1
        left, below = 0.0, 0.0
        if (printed := paper().width) is not None:
            size = SIZE
            left, below = _longest(figure, names) + GAP_ON_PAPER, SIZE / 72 + GAP_ON_PAPER if ends else 0.0
            dots = width / (printed - left)
            gap = 0.6 * GAP_ON_PAPER * dots
            finer = math.ceil(FINE_TYPE / dots)  # a whole number of the file's pixels for one of the sheet's
            figure.set_size_inches(printed, height / dots + below)
        # One sheet pixel is one pixel of the file, or a square of them on paper, so nothing is resampled.
        whole, high = figure.get_size_inches()
        axis.set_position((left / whole, below / high, 1 - left / whole, 1 - below / high))
        axis.imshow(image, interpolation="nearest")
        axis.set_axis_off()
        for i, (name, colour) in enumerate(zip(names, colours, strict=True)):
            axis.text(-gap, (i + 0.5) * row, name, ha="right", va="center", fontsize=size, color=colour)
        for mark, place in zip(ends or [], (0.5, grid.shape[1] / 2, grid.shape[1] - 0.5), strict=False):
            axis.text(place * column, height + 0.75 * gap, mark, ha="center", va="top", fontsize=size, color=MUTED)
        return compact(finished(figure, "png", finer * dots), None if printed is None else finer * dots)


def _longest(figure: Canvas, names: list[str]) -> float:
    """Inches that the longest of some names takes."""
    extents = [figure.text(0, 0, name, fontsize=SIZE) for name in names]
    longest = max(text.get_window_extent().width for text in extents) / figure.dpi
    for text in extents:
        text.remove()
    return longest


def png(image: UInt8[ndarray, "H W 3"]) -> bytes:
    """An image as a PNG file."""
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()

"""dSprites' images, drawn from their factors (Matthey et al. 2017).

The geometry was fitted to the published images: 46,076 of 46,080 are reproduced bit for bit, and one pixel differs in
each of the other four. A row of pixels is a word of bits: an outline's edges cross it at some columns, each crossing
flips every pixel from there to the right, and what the flips leave on is the inside. Crossings are whole-number
arithmetic in 1/256 pixel, for all positions of an outline at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Integer, UInt8
from numpy import ndarray

from benchmark.errors import UsageError

NAMES = ("shape", "scale", "orientation", "posX", "posY")
SIZES = (3, 6, 40, 32, 32)
FRAME = 64
"""Side of the frame that the outlines are given in, in pixels of the published images."""

TRIANGLE = 3
"""A shape that is not among dSprites', for those who ask what a model makes of one that it has never seen."""

# Word c has the pixels from column c to the right on; the first pixel is the highest bit, as in `np.packbits`.
_FROM = np.uint64(2**64 - 1) >> np.arange(FRAME, dtype=np.uint64)


def render(factors: ndarray, resolution: int = 64) -> UInt8[ndarray, "n r r"]:
    """Draw images of 0 and 1 from integers (n 5): indices of shape, scale, orientation, posX and posY.

    Scale is 0.5 … 1 in 6 steps, orientation 2πk/39, positions k/31. Orientations 0 and 39 are one picture.
    Rows of pixels run downwards.
    Resolution 32 draws the same outlines, half as large, on a grid of 32 × 32: a pixel is on where its own centre is
    inside.
    Raises `UsageError` for an index out of range, and for factors that are no integers (n 5).
    """
    factors = np.asarray(factors)
    _check(factors)
    return _render(factors, resolution)


def triangles(factors: ndarray, resolution: int = 64) -> UInt8[ndarray, "n r r"]:
    """Triangles where `render` draws the shapes: equilateral, about as large as the square, a corner along +u."""
    factors = np.array(factors)
    _check(factors)
    factors[:, 0] = TRIANGLE
    return _render(factors, resolution)


def _render(factors: Integer[ndarray, "n 5"], resolution: int) -> UInt8[ndarray, "n r r"]:
    packed = np.empty((len(factors), resolution * resolution // 8), np.uint8)
    if len(factors):
        outlines = np.ravel_multi_index(tuple(factors[:, :3].T), (TRIANGLE + 1, *SIZES[1:3]))
        order = np.argsort(outlines, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(outlines[order])) + 1):
            shape, scale, orientation = factors[rows[0], :3].tolist()
            x, x_of_row = np.unique(factors[rows, 3], return_inverse=True)
            y, y_of_row = np.unique(factors[rows, 4], return_inverse=True)
            packed[rows] = draw(shape, scale, orientation, x, y, resolution)[x_of_row, y_of_row]
    return np.unpackbits(packed, axis=1).reshape(-1, resolution, resolution)


def packed_grid(stride: tuple[int, ...], resolution: int) -> Iterator[UInt8[ndarray, "m bytes"]]:
    """The whole grid in C order, every `stride`-th value of each factor: a block for each shape, scale, orientation."""
    values = [range(0, size, step) for size, step in zip(SIZES, stride, strict=True)]
    pos_x, pos_y = np.array(values[3]), np.array(values[4])
    for shape, scale, orientation in itertools.product(*values[:3]):
        block = draw(shape, scale, orientation, pos_x, pos_y, resolution)
        yield block.reshape(-1, block.shape[-1])


def draw(
    shape: int,
    scale: int,
    orientation: int,
    pos_x: Integer[ndarray, " a"],
    pos_y: Integer[ndarray, " b"],
    resolution: int,
) -> UInt8[ndarray, "a b bytes"]:
    """One outline at every pair of the positions, as bits: `np.unpackbits` gives the images' pixels in C order."""
    x, y = _vertices(shape, scale, orientation, pos_x, pos_y, resolution)
    next_x, next_y = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
    centres = 256 * np.arange(resolution)[::-1] + 128

    # The edges that cross the centres of each row of pixels, ordered by position and row; upper ends are left out.
    low, high = np.minimum(y, next_y)[:, None, :], np.maximum(y, next_y)[:, None, :]
    position, row, edge = np.nonzero((low <= centres[:, None]) & (centres[:, None] < high))

    # The first column whose centre is not left of the crossing: an exact ceiling of a ratio of whole numbers.
    rise = (next_y - y)[position, edge]
    run = (next_x - x)[:, edge]
    passed = (x[:, edge] - 128) * rise + (centres[row] - y[position, edge]) * run
    column = -((-passed * np.sign(rise)) // (256 * np.abs(rise)))

    line = position * resolution + row
    first = np.flatnonzero(np.diff(line, prepend=-1))
    words = np.zeros((len(pos_x), len(pos_y) * resolution), np.uint64)
    words[:, line[first]] = np.bitwise_xor.reduceat(_FROM[column], first, axis=1)
    words >>= np.uint64(64 - resolution)
    return words.astype(f">u{resolution // 8}").view(np.uint8).reshape(len(pos_x), len(pos_y), -1)


def _vertices(
    shape: int, scale: int, orientation: int, pos_x: ndarray, pos_y: ndarray, resolution: int
) -> tuple[Integer[ndarray, "a v"], Integer[ndarray, "b v"]]:
    """The outline's x for each posX and y for each posY, in 1/256 pixel, y upwards.

    Single precision, the flip of y and the rounding are those of the graphics card that drew the published images;
    without the rounding one image in ten has a wrong pixel.
    """
    angle, radius = 2 * np.pi * orientation / 39, 9.6 * (0.5 + 0.1 * scale)
    u, v = _outline(shape).T
    dx = radius * (np.cos(angle) * u + np.sin(angle) * v)
    dy = radius * (-np.sin(angle) * u + np.cos(angle) * v)
    x = (16 + 32 * pos_x[:, None] / 31 + dx).astype(np.float32)
    y = np.float32(FRAME) - (16 + 32 * pos_y[:, None] / 31 + dy).astype(np.float32)
    unit = np.float32(256 * resolution / FRAME)
    return np.rint(x * unit).astype(np.int64), np.rint(y * unit).astype(np.int64)


def _outline(shape: int) -> Float[ndarray, "v 2"]:
    """Corners of the square, the ellipse (a regular 100-gon, stretched), the heart (150) or a triangle; v downwards."""
    if shape == 0:
        return np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    if shape == 1:
        t = 2 * np.pi * np.arange(100) / 100
        return np.stack([1.33 * np.cos(t), np.sin(t) / 1.33], axis=1)
    if shape == TRIANGLE:
        t = 2 * np.pi * np.arange(3) / 3
        return 1.6 * np.stack([np.cos(t), np.sin(t)], axis=1)
    t = 2 * np.pi * np.arange(150) / 150
    v = (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 14.5 + 0.15
    return np.stack([np.sin(t) ** 3, -v], axis=1)


def _check(factors: ndarray) -> None:
    if factors.ndim != 2 or factors.shape[1] != len(SIZES) or factors.dtype.kind not in "iu":
        raise UsageError(
            f"sprites are drawn from integers (n × 5: {', '.join(NAMES)}),"
            f" not from {factors.dtype} of shape {factors.shape}"
        )
    for name, size, column in zip(NAMES, SIZES, factors.T, strict=True):
        wrong = column[(column < 0) | (column >= size)]
        if len(wrong):
            raise UsageError(f"{name} is an index from 0 to {size - 1}, not {wrong[0]}")

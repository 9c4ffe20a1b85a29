"""Whether images are of the factors beside them: those that differ in one factor alone look more alike than others."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.datasets._dataset import Images
from benchmark.errors import UsageError

PAIRS = 200
"""Of images, for each factor: under shuffled images the share below then scatters by less than 0.04."""
FEWEST = 1_000
"""Images that a set needs to be judged."""
LEAST = 0.75
"""Of the shares of all factors on average: dSprites has 1.00, shuffled 0.47, with every other image shuffled 0.71, and
with its axes turned round 0.57. The published photographs could not be had where this was chosen."""


def check_alignment(path: Path, images: Images, sizes: tuple[int, ...]) -> None:
    """Raise `UsageError` where images (N …) in C order over factors of these sizes are not of these factors.

    A shuffled order is noticed, also of half of the images, and axes in another order; images moved on by a few rows,
    factors of one size in each other's place and exchanged values of one are not.
    """
    if len(images) < FEWEST:
        return
    shares = alike(images, sizes)
    if shares.mean() < LEAST:
        raise UsageError(
            f"{path}: images that differ in one factor alone are no more alike than others (closer in"
            f" {shares.mean():.0%} of pairs, by chance in 50 %): they are in another order than the factors or damaged;"
            " delete the file and fetch it again"
        )


def alike(images: Images, sizes: tuple[int, ...]) -> Float[ndarray, " k"]:
    """For each factor of several values the share of pairs, neighbours in it and equal in all others, whose images
    differ less, in squares of pixels, than one of the two and an image of other values in every such factor."""
    rng = np.random.default_rng(0)
    varying = [k for k, size in enumerate(sizes) if size > 1]
    rows = np.stack(np.unravel_index(rng.integers(prod(sizes), size=PAIRS), sizes), axis=1)
    others = rows.copy()
    for k in varying:
        others[:, k] = (rows[:, k] + rng.integers(1, sizes[k], size=PAIRS)) % sizes[k]
    base, all_other = _pixels(images, rows, sizes), _pixels(images, others, sizes)
    whole = _distance(base, all_other)
    shares = []
    for k in varying:
        near = rows.copy()
        near[:, k] += np.where(rows[:, k] + 1 < sizes[k], 1, -1)
        own = _distance(base, _pixels(images, near, sizes))
        shares.append(float(((own < whole) + 0.5 * (own == whole)).mean()))
    return np.array(shares)


def _pixels(images: Images, factors: ndarray, sizes: tuple[int, ...]) -> Float[ndarray, "m D"]:
    rows = np.ravel_multi_index(tuple(factors.T), sizes)
    return np.asarray(images[rows], dtype=np.float32).reshape(len(rows), -1)


def _distance(one: Float[ndarray, "m D"], other: Float[ndarray, "m D"]) -> Float[ndarray, " m"]:
    return np.asarray(((one - other) ** 2).sum(axis=1))

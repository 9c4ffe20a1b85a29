"""What the conformance suite tries measures on: arrays that it makes up, and changes of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

Arrays = dict[str, Any]
"""Arrays by the name under which a measure asks for them; `history` is a dictionary of columns."""
Change = Callable[[Arrays], Arrays]

SIZES = (2, 3, 4, 5)
REPEATS = 10
POINTS = math.prod(SIZES) * REPEATS
CODES = ("codes", "means", "samples")
"""Arrays whose last axis are a representation's coordinates."""


def arrays(run: int = 0) -> Arrays:
    """One of everything: 1,200 points of a full grid of four factors, nearly perfect codes and a fifth of noise.

    Runs show the same points, and differ in their noise.
    """
    order = np.random.default_rng(0).permutation(POINTS) % math.prod(SIZES)
    factors = np.stack(np.unravel_index(order, SIZES), axis=1)
    rng = np.random.default_rng((1, run))
    codes = np.hstack([perfect(factors) + 0.1 * rng.standard_normal(factors.shape), rng.standard_normal((POINTS, 1))])
    step = np.arange(0, 1_001, 100)
    return {
        "codes": codes.astype(np.float32),
        "factors": factors,
        "groups": None,  # each code is one of its own
        "means": codes.astype(np.float32),
        "variances": np.full_like(codes, 0.1, dtype=np.float32),
        "samples": (codes + math.sqrt(0.1) * rng.standard_normal(codes.shape)).astype(np.float32),
        "history": {"step": step, "delta_kl": np.where(step < 300, 0.5, 0.01)},
        "v": np.linalg.qr(rng.standard_normal((50, 5, 5)))[0],
        "singular_values": np.tile([2.0, 1.5, 1.0, 0.5, 0.25], (50, 1)),
        "reconstruction_mean": rng.uniform(10, 20, size=100),
        "reconstruction_sample": rng.uniform(12, 22, size=100),
        "log_weights": (rng.standard_normal((40, 2_000)) - 100).astype(np.float32),
        "decoder_weights": (rng.standard_normal((64, 5)) * [1, 1, 1, 1, 0.01]).astype(np.float32),
        "corruption_clean": codes[:200].astype(np.float32),
        "corruption_codes": (codes[:200, None] + 0.5 * rng.standard_normal((200, 4, 5))).astype(np.float32),
        "corruption_factors": factors[:200],
        "corruption_training": codes[200:].astype(np.float32),
        "corruption_training_factors": factors[200:],
        "corruption_triangle": codes[:200].astype(np.float32) + np.float32(0.1),
        "corruption_triangle_factors": np.where(np.arange(4) > 0, factors[:200], -1),
        "gradient_variance_score": rng.uniform(100, 200, size=(8, 2, 5)),
        "gradient_variance_baseline": rng.uniform(10, 20, size=(8, 2, 5)),
        "gradient_variance_pathwise": rng.uniform(1, 2, size=(8, 2, 5)),
    }


def perfect(factors: Integer[ndarray, "n k"]) -> ndarray:
    """Each code one factor, standardised."""
    return (factors - factors.mean(axis=0)) / factors.std(axis=0)


def over_leaves(function: Callable[[list[ndarray]], ndarray], *values: Any) -> Any:
    """A function of what several runs have under one name: of the arrays, or of each column of their histories."""
    if isinstance(values[0], dict):
        return {key: function([value[key] for value in values]) for key in values[0]}
    return function(list(values))


def first_runs(number: int, made: Arrays) -> Arrays:
    """Of arrays that are stacked over runs, those of so many runs."""
    return {name: over_leaves(lambda values: values[0][:number], array) for name, array in made.items()}


def posteriors(change: Callable[[str, ndarray], ndarray], made: Arrays) -> Arrays:
    """`change(name, array)` of the representations and of their variances."""
    return made | {name: change(name, made[name]) for name in (*CODES, "variances")}


def dead(position: int, made: Arrays) -> Arrays:
    """With one more code, which is constant."""

    def with_dead(name: str, array: ndarray) -> ndarray:
        # One third is not a binary fraction: its computed deviation over the table is not exactly zero.
        return np.insert(array, position, np.float32(1 / 3) if name in CODES else 1, axis=-1)

    return posteriors(with_dead, made)


def constant(position: int, factors: ndarray) -> ndarray:
    """With one more factor, which is constant."""
    return np.insert(factors, position, 7, axis=-1)


def many_values(factors: ndarray) -> ndarray:
    """A factor of 60 values, more than a histogram has bins, that is independent of the others over the table."""
    cell = np.ravel_multi_index(tuple(np.moveaxis(factors[..., 1:], -1, 0)), SIZES[1:])
    return np.stack([factors[..., 0], cell], axis=-1)


def rare(factors: ndarray) -> ndarray:
    """The first factor with a second value at three points only: a draw of them may show one class."""
    changed = factors.copy()
    changed[..., 0] = 0
    changed[..., [100, 500, 900], 0] = 1
    return changed


def mostly_least(factors: ndarray) -> ndarray:
    """The first factor continuous, 0 at 29 of 30 points and larger at the others, no two of which are alike."""
    place = np.arange(POINTS)
    changed = factors.astype(np.float64)
    changed[..., 0] = np.where(place % 30 == 0, 0.5 + place / (2 * POINTS), 0.0)
    return changed


def jitter() -> ndarray:
    """What makes three factors continuous."""
    return 0.1 * np.random.default_rng(5).standard_normal((POINTS, 3))

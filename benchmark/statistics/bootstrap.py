"""Location and spread over runs: the interquartile mean, and bootstrap intervals that draw whole runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped
from numpy import ndarray
from numpy.random import Generator

from benchmark.statistics.interval import MINIMUM_RUNS, Interval, expanded_tail


class Spread(NamedTuple):
    """What the runs of one configuration say: `std` with n − 1 below it, None for a single run."""

    runs: int
    mean: float
    std: float | None
    median: float
    iqm: Interval


def interquartile_mean(values: Float[ndarray, "... n"]) -> Float[ndarray, ...]:
    """Mean of what is left without the lowest and the highest ⌊n/4⌋ values (Agarwal et al. 2021)."""
    n = values.shape[-1]
    cut = n // 4
    return np.sort(values, axis=-1)[..., cut : n - cut].mean(axis=-1)


def bootstrap_interval(
    values: Float[ndarray, "n ..."],
    rng: Generator,
    *,
    statistic: Callable[[ndarray], ndarray] = interquartile_mean,
    strata: Shaped[ndarray, " n"] | None = None,
    level: float = 0.95,
    draws: int = 2000,
) -> Interval:
    """A statistic of n runs with its bootstrap interval; whole runs are drawn, within each stratum where given.

    A run may have one value or several, which stay together. `statistic` reduces the last axis, over which runs
    and their values are laid out. The percentiles are widened for few runs (`expanded_tail`), without which ten runs
    cover 91 % instead of 95 %.
    """
    n = len(values)
    point = float(statistic(values.reshape(-1)))
    if n < MINIMUM_RUNS:
        return Interval(point)
    groups = [np.arange(n)] if strata is None else [np.flatnonzero(strata == s) for s in np.unique(strata)]
    rows = np.concatenate([group[rng.integers(len(group), size=(draws, len(group)))] for group in groups], axis=1)
    drawn = statistic(values[rows].reshape(draws, -1))
    tail = expanded_tail((1 - level) / 2, n, len(groups))
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(point, float(low), float(high))


def spread(values: Float[ndarray, " n"], rng: Generator) -> Spread:
    """Mean, standard deviation, median and interquartile mean over the runs of one configuration."""
    std = float(values.std(ddof=1)) if len(values) > 1 else None
    return Spread(len(values), float(values.mean()), std, float(np.median(values)), bootstrap_interval(values, rng))

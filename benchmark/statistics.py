"""Statistics that hold on few runs: the whole run is resampled, and below ten runs there is no interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Shaped
from numpy import ndarray
from numpy.random import Generator

MINIMUM_RUNS = 10
"""Fewer runs (or configurations, where those are resampled) get a point and no interval."""


class Interval(NamedTuple):
    """A point with its interval; `low` and `high` are None where there are too few runs for one."""

    point: float
    low: float | None = None
    high: float | None = None


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
    and their values are laid out. The percentiles are widened for few runs (Hesterberg 2015, §5.3: expanded
    percentile interval), without which ten runs cover 91 % instead of 95 %.
    """
    n = len(values)
    point = float(statistic(values.reshape(-1)))
    if n < MINIMUM_RUNS:
        return Interval(point)
    groups = [np.arange(n)] if strata is None else [np.flatnonzero(strata == s) for s in np.unique(strata)]
    rows = np.concatenate([group[rng.integers(len(group), size=(draws, len(group)))] for group in groups], axis=1)
    drawn = statistic(values[rows].reshape(draws, -1))
    tail = _expanded_tail((1 - level) / 2, n, len(groups))
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(point, float(low), float(high))


def _expanded_tail(tail: float, n: int, groups: int) -> float:
    """The percentile that gives a bootstrap of a mean the width of Student's interval."""
    from scipy.special import ndtr, stdtrit

    freedom = max(n - groups, 1)
    return float(ndtr(stdtrit(freedom, tail) * np.sqrt(n / freedom)))


def spread(values: Float[ndarray, " n"], rng: Generator) -> Spread:
    """Mean, standard deviation, median and interquartile mean over the runs of one configuration."""
    std = float(values.std(ddof=1)) if len(values) > 1 else None
    return Spread(len(values), float(values.mean()), std, float(np.median(values)), bootstrap_interval(values, rng))


def average_ranks(values: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, codes = np.unique(values, return_inverse=True)
    return _weighted_ranks(codes, np.ones((1, len(values))))[0]


def _weighted_ranks(codes: Integer[ndarray, " n"], counts: Float[ndarray, "b n"]) -> Float[ndarray, "b n"]:
    """Average ranks in b resamples that hold row i `counts[:, i]` times; `codes` number the distinct values."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(codes.max() + 1))
    per_value = np.add.reduceat(counts[:, order], starts, axis=1)
    return (np.cumsum(per_value, axis=1) - (per_value - 1) / 2)[:, codes]


def _weighted_correlation(
    x: Float[ndarray, "b n"], y: Float[ndarray, "b n"], counts: Float[ndarray, "b n"]
) -> Float[ndarray, " b"]:
    """Pearson's correlation in each resample; NaN where one side is constant."""
    total = counts.sum(axis=1, keepdims=True)
    x = x - (counts * x).sum(axis=1, keepdims=True) / total
    y = y - (counts * y).sum(axis=1, keepdims=True) / total
    scale = np.sqrt((counts * x * x).sum(axis=1) * (counts * y * y).sum(axis=1))
    return np.divide((counts * x * y).sum(axis=1), scale, out=np.full(len(x), np.nan), where=scale > 1e-9)


def spearman(x: Float[ndarray, " n"], y: Float[ndarray, " n"]) -> float | None:
    """Spearman's rank correlation, ties averaged; None for fewer than three points or a constant side."""
    if len(x) < 3:
        return None
    ones = np.ones((1, len(x)))
    rho = _weighted_correlation(average_ranks(x)[None], average_ranks(y)[None], ones)[0]
    return None if np.isnan(rho) else float(np.clip(rho, -1, 1))


def spearman_interval(
    x: Float[ndarray, " n"],
    y: Float[ndarray, " n"],
    configurations: Shaped[ndarray, " n"],
    rng: Generator,
    *,
    level: float = 0.95,
    draws: int = 1000,
) -> Interval | None:
    """Spearman's correlation over runs; its interval resamples configurations, then the seeds within each.

    Runs of one configuration are not independent: resampled by row, a nominal 95 % covers 57 %. None where the
    correlation is undefined; no interval below ten configurations.
    """
    rho = spearman(x, y)
    if rho is None:
        return None
    _, groups = np.unique(configurations, return_inverse=True)
    if groups.max() + 1 < MINIMUM_RUNS:
        return Interval(rho)
    counts = two_stage_counts(groups, draws, rng)
    _, codes_x = np.unique(x, return_inverse=True)
    _, codes_y = np.unique(y, return_inverse=True)
    drawn = _weighted_correlation(_weighted_ranks(codes_x, counts), _weighted_ranks(codes_y, counts), counts)
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(rho, float(low), float(high))


def two_stage_counts(groups: Integer[ndarray, " n"], draws: int, rng: Generator) -> Float[ndarray, "draws n"]:
    """How often each row is drawn when groups are drawn with replacement and then the rows within each."""
    number = groups.max() + 1
    chosen = rng.multinomial(number, np.full(number, 1 / number), size=draws)
    counts = np.empty((draws, len(groups)))
    for group in range(number):
        rows = np.flatnonzero(groups == group)
        counts[:, rows] = rng.multinomial(chosen[:, group] * len(rows), np.full(len(rows), 1 / len(rows)))
    return counts


def probability_of_improvement(
    x: Float[ndarray, " n"], y: Float[ndarray, " m"], rng: Generator, *, level: float = 0.95, draws: int = 2000
) -> Interval:
    """P(a run of X scores above a run of Y), ties counting half (Agarwal et al. 2021, §4.3), resampling both sides."""
    better = (np.sign(x[:, None] - y[None, :]) + 1) / 2
    point = float(better.mean())
    n, m = better.shape
    if min(n, m) < MINIMUM_RUNS:
        return Interval(point)
    weights_x = rng.multinomial(n, np.full(n, 1 / n), size=draws) / n
    weights_y = rng.multinomial(m, np.full(m, 1 / m), size=draws) / m
    drawn = np.einsum("bn,nm,bm->b", weights_x, better, weights_y, optimize=True)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(point, float(low), float(high))


def welch_p(x: Float[ndarray, " n"], y: Float[ndarray, " m"]) -> float:
    """One-sided p that the mean of X lies below the mean of Y (Welch 1947); at least two values a side.

    Without any spread on either side, equal means give 1 and a lower one 0.
    """
    from scipy.special import stdtr

    variance_x, variance_y = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
    difference, variance = x.mean() - y.mean(), variance_x + variance_y
    if variance == 0:
        return 0.0 if difference < 0 else 1.0
    freedom = variance**2 / (variance_x**2 / (len(x) - 1) + variance_y**2 / (len(y) - 1))
    return float(stdtr(freedom, difference / np.sqrt(variance)))


def holm(p: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Adjust p values for their number (Holm 1979): compare each with the level of the whole family."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted

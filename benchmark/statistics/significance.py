"""Tests of a difference, and p values adjusted for their number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray

from benchmark.statistics.interval import ROUNDING


def welch_p(x: Float[ndarray, " n"], y: Float[ndarray, " m"]) -> float:
    """One-sided p that the mean of X lies below the mean of Y (Welch 1947); at least two values a side.

    Without any spread on either side but that of rounding, equal means give 1 and a lower one 0.
    """
    from scipy.special import stdtr

    difference, (error, freedom) = x.mean() - y.mean(), error_and_freedom(x, y)
    if error == 0:
        return 0.0 if difference < -_rounding(x, y) else 1.0
    return float(stdtr(freedom, difference / error))


def error_and_freedom(x: Float[ndarray, " n"], y: Float[ndarray, " m"]) -> tuple[float, float]:
    """The standard error of the difference of two means, and its degrees of freedom; 0 and ∞ without any spread."""
    variance_x, variance_y = x.var(ddof=1) / len(x), y.var(ddof=1) / len(y)
    variance = variance_x + variance_y
    if variance <= _rounding(x, y) ** 2:
        return 0.0, np.inf
    freedom = variance**2 / (variance_x**2 / (len(x) - 1) + variance_y**2 / (len(y) - 1))
    return float(np.sqrt(variance)), float(freedom)


def _rounding(x: Float[ndarray, " n"], y: Float[ndarray, " m"]) -> float:
    return ROUNDING * float(np.abs(np.concatenate([x, y])).max())


def holm(p: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Adjust p values for their number (Holm 1979): compare each with the level of the whole family."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def yuen_p(x: Float[ndarray, " n"], y: Float[ndarray, " m"]) -> float:
    """Two-sided p that two interquartile means are equal (Yuen 1974); at least four values a side.

    Welch's test for trimmed means: the spread is that of the winsorised values, the freedom that of the values kept.
    Where neither middle half has any spread but that of rounding, equal means give 1 and others 0.
    """
    return float(yuen_pairs([x, y], np.array([[0, 1]]))[0])


def yuen_pairs(samples: Sequence[Float[ndarray, " _"]], pairs: Integer[ndarray, "p 2"]) -> Float[ndarray, " p"]:
    """The same for many pairs, each the places of two of the samples."""
    from scipy.special import stdtr

    means, errors, freedoms = np.array([_trimmed(values) for values in samples]).reshape(-1, 3).T
    sizes = np.array([np.abs(values).max() for values in samples])
    i, j = pairs.T
    difference, variance = np.abs(means[i] - means[j]), errors[i] + errors[j]
    rounding = ROUNDING * np.maximum(sizes[i], sizes[j])
    spread = variance > rounding**2
    p = np.where(difference <= rounding, 1.0, 0.0)
    i, j, difference, variance = i[spread], j[spread], difference[spread], variance[spread]
    freedom = variance**2 / (errors[i] ** 2 / freedoms[i] + errors[j] ** 2 / freedoms[j])
    p[spread] = 2 * stdtr(freedom, -difference / np.sqrt(variance))
    return p


def _trimmed(values: Float[ndarray, " n"]) -> tuple[float, float, int]:
    """The mean of the middle half, the square of its standard error, and its degrees of freedom."""
    values = np.sort(values)
    n, cut = len(values), len(values) // 4
    kept = values[cut : n - cut]
    deviations = np.clip(values, kept[0], kept[-1])
    error = ((deviations - deviations.mean()) ** 2).sum() / (len(kept) * (len(kept) - 1))
    return float(kept.mean()), float(error), len(kept) - 1

"""Discrete entropy and mutual information from counts, in nats, shared by the histogram-based measures."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray

from benchmark.metrics._check import classes, is_discrete

MINIMUM_ROWS = 1_000
"""At n = 100 independent noise shows 1.6 nats of mutual information with a factor of 40 values."""

FACTOR_BINS = 20
"""How many equal-frequency bins a continuous factor enters in."""

EDGE = 1e-6
"""A value this close (in bins) below an edge counts as on it, so that rescaling grid-valued codes moves none."""


def equal_width(codes: Float[ndarray, "n d"], bins: int) -> Integer[ndarray, "n d"]:
    """Each code in `bins` bins of equal width between its smallest and largest value; a constant code in one bin."""
    codes = codes.astype(np.float64)
    low = codes.min(axis=0)
    width = codes.max(axis=0) - low
    position = (codes - low) / np.where(width > 0, width, 1.0) * bins
    return np.minimum(np.floor(position + EDGE).astype(np.int64), bins - 1)


def factor_classes(factor: Num[ndarray, " n"]) -> Integer[ndarray, " n"]:
    """A discrete factor's values as they are, a continuous one in 20 bins of equal frequency."""
    if is_discrete(factor):
        return classes(factor)
    edges = np.quantile(factor, np.arange(1, FACTOR_BINS) / FACTOR_BINS)
    return classes(np.searchsorted(edges, factor, side="right"))


def entropy(labels: Integer[ndarray, " n"]) -> float:
    """Entropy of non-negative integers."""
    share = np.bincount(labels) / len(labels)
    share = share[share > 0]
    return float(-(share * np.log(share)).sum())


def mutual_information(a: Integer[ndarray, " n"], b: Integer[ndarray, " n"]) -> float:
    """Mutual information of two columns of small non-negative integers, from their joint counts."""
    width = int(b.max()) + 1
    joint = np.bincount(a.astype(np.int64) * width + b, minlength=(int(a.max()) + 1) * width).reshape(-1, width)
    share = joint / joint.sum()
    independent = share.sum(axis=1, keepdims=True) * share.sum(axis=0)
    seen = share > 0
    return max(0.0, float((share[seen] * np.log(share[seen] / independent[seen])).sum()))

"""Whether one thing scores differently from another over the same seeds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.statistics.interval import MINIMUM_RUNS, ROUNDING, Interval

MINIMUM_PAIRS = 5
"""Fewer pairs are not tested: of four, one odd seed decides."""


class Paired(NamedTuple):
    """Over `pairs` seeds: the mean of X − Y with its interval, in how many of them X is the higher, and the two-sided
    `p` that the mean is 0, None below `MINIMUM_PAIRS`."""

    pairs: int
    difference: Interval
    higher: int
    p: float | None


def paired(x: Float[ndarray, " n"], y: Float[ndarray, " n"], *, level: float = 0.95) -> Paired:
    """Student's paired t test of scores of the same seeds, one after the other; its interval from ten seeds on.

    It takes the differences to be normal: over five seeds a test that does not (of signs, of ranks) has no p below 0.06
    and can never tell anything. Differences without any spread give 0, or 1 where they are 0.
    """
    from scipy.special import stdtr, stdtrit

    n, differences = len(x), x - y
    if n == 0:
        raise ValueError("no pair")
    mean, higher = float(differences.mean()), int((differences > 0).sum())
    if n < MINIMUM_PAIRS:
        return Paired(n, Interval(mean), higher, None)
    error = float(differences.std(ddof=1)) / np.sqrt(n)
    rounding = ROUNDING * float(np.abs(np.stack([x, y])).max())
    p = float(abs(mean) <= rounding) if error <= rounding else 2 * float(stdtr(n - 1, -abs(mean) / error))
    half = float(stdtrit(n - 1, (1 + level) / 2)) * error
    interval = Interval(mean, mean - half, mean + half) if n >= MINIMUM_RUNS else Interval(mean)
    return Paired(n, interval, higher, p)

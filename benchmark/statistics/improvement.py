"""Probability of improvement: how often a run of one configuration scores above a run of another."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.statistics.interval import MINIMUM_RUNS, Interval


def probability_of_improvement(x: Float[ndarray, " n"], y: Float[ndarray, " m"], *, level: float = 0.95) -> Interval:
    """P(a run of X scores above a run of Y), ties counting half (Agarwal et al. 2021, §4.3).

    The interval is a score interval with Hanley & McNeil's variance (Newcombe 2006, method 5), not a bootstrap: ten
    runs that all beat ten others resample to certainty, and where the truth is 0.97 a bootstrap interval held it in
    51–81 % of simulated suites, this one in 95–97 %. That variance is too small where a side with few runs also
    scatters more than the other, and there gives way to that of the runs' own placements, where it is larger.
    """
    from scipy.special import ndtri

    n, m = len(x), len(y)
    better = (np.sign(x[:, None] - y[None, :]) + 1) / 2
    point = float(better.mean())
    if min(n, m) < MINIMUM_RUNS:
        return Interval(point)
    assumed = _variance(point, n, m)
    placements = float(better.mean(axis=1).var() / n + better.mean(axis=0).var() / m)
    factor = max(1.0, placements / assumed) if assumed > 0 else 1.0
    scale = factor * float(ndtri((1 + level) / 2)) ** 2
    return Interval(point, _limit(point, 0.0, n, m, scale), _limit(point, 1.0, n, m, scale))


def _variance(p: float, n: int, m: int) -> float:
    return p * (1 - p) * (1 + ((n + m) / 2 - 1) * ((1 - p) / (2 - p) + p / (1 + p))) / (n * m)


def _limit(point: float, end: float, n: int, m: int, scale: float) -> float:
    """Where between the point and one end of [0, 1] the observed value stops being likely, by bisection."""
    inside, outside = point, end
    for _ in range(50):
        p = (inside + outside) / 2
        inside, outside = (p, outside) if (p - point) ** 2 < scale * _variance(p, n, m) else (inside, p)
    return (inside + outside) / 2

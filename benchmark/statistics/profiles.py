"""Performance profiles: which part of the runs scores above each threshold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.random import Generator

from benchmark.statistics.interval import MINIMUM_RUNS, expanded_tail


class Profile(NamedTuple):
    """A fraction at each threshold, with pointwise bands; `low` and `high` are None below ten runs."""

    fraction: Float[ndarray, " t"]
    low: Float[ndarray, " t"] | None = None
    high: Float[ndarray, " t"] | None = None


def performance_profile(
    values: Float[ndarray, "n ..."],
    thresholds: Float[ndarray, " t"],
    rng: Generator,
    *,
    level: float = 0.95,
    draws: int = 2000,
) -> Profile:
    """Fraction of scores above each threshold τ (Agarwal et al. 2021, §4.2: their run-score distribution).

    A run may have one value or several; whole runs are drawn. Thresholds are fixed by the score's range, never by the
    methods present. Where all runs or none lie above τ the band has no width, which says nothing about unseen runs.
    """
    n = len(values)
    above = (values.reshape(n, -1, 1) > thresholds).mean(axis=1)
    fraction = above.mean(axis=0)
    if n < MINIMUM_RUNS:
        return Profile(fraction)
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=draws) @ above / n
    tail = expanded_tail((1 - level) / 2, n)
    low, high = np.quantile(drawn, [tail, 1 - tail], axis=0)
    return Profile(fraction, low, high)

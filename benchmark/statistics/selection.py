"""What it costs to choose a model without labels: the regret of a criterion against the best of the sweep."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Shaped
from numpy import ndarray
from numpy.random import Generator

from benchmark.statistics.interval import MINIMUM_RUNS, Interval, expanded_tail


class Selection(NamedTuple):
    """`regret` = `best` − `chosen`: what the best run of a sweep is expected to score, and the one that is chosen."""

    regret: Interval
    best: float
    chosen: float


def selection_regret(
    measure: Float[ndarray, " n"],
    criterion: Float[ndarray, " n"] | None,
    configurations: Shaped[ndarray, " n"],
    rng: Generator,
    *,
    level: float = 0.95,
    draws: int = 500,
) -> Selection:
    """Expected loss, in the measure, of choosing by a criterion instead of by the measure itself; high is better.

    The sweep is one run of each configuration, its seed at random; the run with the highest criterion is chosen
    (None: any, at random), and the oracle takes the one that scores highest. The expectation over all such sweeps
    from the runs at hand is computed exactly and has no winner's curse, as the best of mean scores would. Runs that
    tie share the choice. The interval resamples seeds within each configuration, where all have ten runs or more; it
    is about these configurations and no others.
    """
    _, owners, runs = np.unique(configurations, return_inverse=True, return_counts=True)
    ones = np.ones((1, len(measure)))
    points = _expected(measure, criterion, owners, ones)
    best, chosen = float(points[0][0]), float(points[1][0])
    if runs.min() < MINIMUM_RUNS:
        return Selection(Interval(max(best - chosen, 0.0)), best, chosen)
    counts = np.empty((draws, len(measure)))
    for c, n in enumerate(runs):
        counts[:, owners == c] = rng.multinomial(n, np.full(n, 1 / n), size=draws)
    of_best, of_chosen = _expected(measure, criterion, owners, counts)
    tail = expanded_tail((1 - level) / 2, int(runs.min()))
    low, high = np.maximum(np.quantile(of_best - of_chosen, [tail, 1 - tail]), 0)
    return Selection(Interval(max(best - chosen, 0.0), float(low), float(high)), best, chosen)


def _expected(
    measure: Float[ndarray, " n"],
    criterion: Float[ndarray, " n"] | None,
    owners: Integer[ndarray, " n"],
    counts: Float[ndarray, "b n"],
) -> tuple[Float[ndarray, " b"], Float[ndarray, " b"]]:
    """The oracle's and the chosen run's expected measure; row i is there `counts[:, i]` times."""
    best = chance_of_highest(measure, owners, counts) @ measure
    if criterion is not None:
        return best, chance_of_highest(criterion, owners, counts) @ measure
    runs = np.bincount(owners)
    return best, counts @ (measure / runs[owners]) / len(runs)


def chance_of_highest(
    values: Float[ndarray, " n"], owners: Integer[ndarray, " n"], counts: Float[ndarray, "b n"]
) -> Float[ndarray, "b n"]:
    """Probability of each run to be the highest of a sweep that draws one run of each owner.

    A value is the highest with the probability that all owners draw it or a lower one, less that all draw a lower
    one; runs that share it share this by the odds that the others lie below, ties counting half.
    """
    levels, codes = np.unique(values, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    runs = np.bincount(owners)
    # Runs down the rows: what is gathered and multiplied below is then contiguous.
    odds = np.ascontiguousarray((counts / runs[owners]).T)
    parts = odds.copy()
    all_within = np.ones((len(levels), len(counts)))
    for owner, number in enumerate(runs):
        own = order[owners[order] == owner]
        drawn = np.zeros((number + 1, len(counts)))
        np.cumsum(parts[own], axis=0, out=drawn[1:])
        below, within = (np.searchsorted(codes[own], np.arange(len(levels)), side) for side in ("left", "right"))
        all_within *= drawn[within]
        halfway = (drawn[below] + drawn[within]) / 2
        others = np.flatnonzero(owners != owner)
        odds[others] *= halfway[codes[others]]
    highest = np.diff(all_within, axis=0, prepend=0)
    shared = np.add.reduceat(odds[order], np.searchsorted(codes[order], np.arange(len(levels))), axis=0)
    share = np.divide(highest, shared, out=np.zeros_like(shared), where=shared > 0)
    return (odds * share[codes]).T

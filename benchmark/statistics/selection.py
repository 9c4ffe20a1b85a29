"""What it costs to choose a model without labels: the regret of a criterion against the best of the sweep."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Shaped
from numpy import ndarray
from numpy.random import Generator

from benchmark.statistics.interval import MINIMUM_RUNS, Interval, expanded_tail

BLOCK = 100_000
"""Numbers handled at a time: as many as stay near the processor."""


class Selection(NamedTuple):
    """`regret` = `best` − `chosen`: what the best run of a sweep is expected to score, and the one that is chosen.
    `at_random`: what any run of the same sweep is."""

    regret: Interval
    best: float
    chosen: float
    at_random: float


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

    The sweep is one run of each configuration, its seed at random; the run with the highest criterion is chosen (None:
    any, at random), and the oracle takes the one that scores highest. The expectation over all such sweeps from the
    runs at hand has no winner's curse, as the best of mean scores would; it is exact but where runs of three or more
    configurations tie, which share the choice nearly alike. The interval resamples seeds within each configuration,
    where all have ten runs or more; it is about these configurations and no others.
    """
    _, owners, runs = np.unique(configurations, return_inverse=True, return_counts=True)
    ones = np.ones((1, len(measure)))
    points = _expected(measure, criterion, owners, ones)
    best, chosen = float(points[0][0]), float(points[1][0])
    at_random = float((np.bincount(owners, measure) / runs).mean())
    if runs.min() < MINIMUM_RUNS:
        return Selection(Interval(max(best - chosen, 0.0)), best, chosen, at_random)
    counts = np.empty((draws, len(measure)))
    drawn = [rng.multinomial(n, np.full(n, 1 / n), size=draws) for n in runs]
    counts[:, np.argsort(owners, kind="stable")] = np.concatenate(drawn, axis=1)
    of_best, of_chosen = _expected(measure, criterion, owners, counts)
    tail = expanded_tail((1 - level) / 2, int(runs.min()))
    low, high = np.maximum(np.quantile(of_best - of_chosen, [tail, 1 - tail]), 0)
    return Selection(Interval(max(best - chosen, 0.0), float(low), float(high)), best, chosen, at_random)


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

    counts: an owner's sum to the number of its runs. A value is the highest with the probability that all owners draw
    it or a lower one, less that all draw a lower one; runs that share it share this by the odds that the others lie
    below, ties counting half.
    """
    _, codes = np.unique(values, return_inverse=True)
    by_owner = np.lexsort((codes, owners))
    owner, level = owners[by_owner], codes[by_owner]
    before = np.cumsum(np.bincount(owners)) - np.bincount(owners)
    falling = np.argsort(-level, kind="stable")
    last = np.flatnonzero(np.diff(level[falling], append=-1))
    tied = _Tied.of(owner, level)
    chance = np.empty(counts.shape[::-1])
    for block in np.array_split(np.arange(len(counts)), -(-counts.size // BLOCK)):
        # Runs down the rows: what is gathered and multiplied below is then contiguous.
        drawn = counts[block].T[by_owner]
        within = np.cumsum(drawn, axis=0)
        within -= before[owner][:, None]
        # From the highest value down, the chance that all lie lower falls by a factor at each run.
        factors = np.divide(within - drawn, within, out=np.zeros_like(drawn), where=within > 0)
        lower = np.cumprod(factors[falling], axis=0)[last]
        highest = -np.diff(lower, axis=0, prepend=1)[::-1]
        found = highest[level]
        if len(tied.runs):
            found[tied.runs] *= tied.shares(drawn, within)
        chance[by_owner[:, None], block] = found
    return chance.T


class _Tied(NamedTuple):
    """Runs whose value others have as well, by rising value. Places are among runs ordered by owner and value.

    first, last: those of the owner's own runs of that value. starts: where among `runs` a new value begins.
    """

    runs: Integer[ndarray, " t"]
    first: Integer[ndarray, " t"]
    last: Integer[ndarray, " t"]
    starts: Integer[ndarray, " v"]

    @classmethod
    def of(cls, owner: Integer[ndarray, " n"], level: Integer[ndarray, " n"]) -> _Tied:
        runs = np.flatnonzero(np.bincount(level)[level] > 1)
        runs = runs[np.argsort(level[runs], kind="stable")]
        new = np.flatnonzero(np.diff(owner, prepend=-1) | np.diff(level, prepend=-1))
        cell = np.searchsorted(new, runs, side="right") - 1
        ends = np.append(new[1:], len(owner)) - 1
        return cls(runs, new[cell], ends[cell], np.flatnonzero(np.diff(level[runs], prepend=-1)))

    def shares(self, drawn: Float[ndarray, "n b"], within: Float[ndarray, "n b"]) -> Float[ndarray, "t b"]:
        """Each run's part in the chance of its value; that owners of other values lie below is as likely for all."""
        halfway = within[self.first] - drawn[self.first] + within[self.last]
        odds = np.divide(drawn[self.runs], halfway, out=np.zeros_like(halfway), where=halfway > 0)
        together = np.repeat(np.add.reduceat(odds, self.starts, axis=0), np.diff(self.starts, append=len(odds)), axis=0)
        return np.divide(odds, together, out=np.zeros_like(odds), where=together > 0)

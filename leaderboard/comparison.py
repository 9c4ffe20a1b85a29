"""One score of one configuration, then and now: what decides whether it moved."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from jaxtyping import Float
from numpy import ndarray

from benchmark.metrics._declare import Metric
from leaderboard.verdicts import Source, Verdict

TESTABLE = 5
"""Fewer seeds than this on either side are compared by the margin alone."""
OF_RANGE, RELATIVE = 0.05, 0.10
"""The default margin: this part of a bounded score's range, or of the mean size of an unbounded one on its dataset.

Of the mean over configurations and not of each one's own: a score that is nearly 0 for one would leave it no margin.
Reference models count among themselves alone: what an untrained network scores says nothing of the size of others.
"""
STANDARD_ERRORS = 2.0
"""How many of them a margin from reruns spans: other seeds move the difference by more in one check of twenty."""
LEAST = 0.2
"""The part of the default margin below which reruns take none: what does not depend on the seed is rounded as well."""
ROUNDING = 1e-9
"""A deviation of less than this part of a score is none."""


class Reruns(NamedTuple):
    """A score's deviation over so many other seeds; and, where the file has them, its values, None where one failed.

    The values of all scores of a configuration stand in one order of seeds.
    """

    seeds: int
    deviation: float
    values: tuple[float | None, ...] = ()


NOTHING = Reruns(0, 0.0)
SHARED = 2.5
"""By what the mean of a score that runs share with each other, as UDR, scatters more widely than its values say: of
medians over the pairs of n runs 2.6 times at five, 2.3 at ten and 2 in the limit, as each run is in all of them."""


@dataclass(frozen=True)
class Comparison:
    """A verdict still open, with what decides it.

    board: what its score's leaderboard is known by, whose configurations may share a variance. default: its default
    margin. given: a margin in its place. then, now: a value for each seed; then_seeds, now_seeds: which these are.
    reach: how far it can become worse before its measure's range ends. lead: over the nearest of `noise` and
    `untrained`, where there is one and it is worse; positive. shared: whether a configuration's runs have the score of
    each other. renamed: today's headline of the measure, where this score was that when the reference was saved.
    """

    frame: Verdict
    direction: str
    board: Hashable
    default: float
    then: Float[ndarray, " n"]
    now: Float[ndarray, " m"]
    reruns: Reruns | None = None
    given: float | None = None
    then_seeds: tuple[int, ...] = ()
    now_seeds: tuple[int, ...] = ()
    reach: float = math.inf
    lead: float | None = None
    shared: bool = False
    renamed: str = ""

    @property
    def judged(self) -> bool:
        """Whether there is something to compare, and one direction is better."""
        return min(len(self.then), len(self.now)) > 0 and self.direction != "none"

    @property
    def sign(self) -> int:
        return 1 if self.direction == "higher" else -1

    @property
    def testable(self) -> bool:
        return min(len(self.then), len(self.now)) >= TESTABLE

    @cached_property
    def shrinkage(self) -> float:
        """By what the standard error of the difference of the means is smaller than the deviation of one seed."""
        widened = SHARED if self.shared else 1.0
        return widened * math.sqrt(1 / len(self.then) + 1 / len(self.now))

    @property
    def floor(self) -> float:
        """The deviation of one seed that is taken for granted: that of which the least margin is made."""
        return (self.given if self.given is not None else LEAST * self.default) / STANDARD_ERRORS

    def margin(self) -> tuple[float, Source]:
        """The stated margin, and where it is from."""
        if self.given is not None:
            return self.given, "given"
        if self.reruns is None:
            return self.default, "default"
        moved = STANDARD_ERRORS * self.reruns.deviation * self.shrinkage
        return max(moved, LEAST * self.default), "reruns"

    @cached_property
    def own_variance(self) -> tuple[float, int]:
        """Between seeds, pooled over then, now and reruns; and its degrees of freedom."""
        squares, freedom, size = 0.0, 0, 0.0
        for side in (self.then, self.now):
            mean = float(side.sum()) / len(side)
            centred = side - mean
            squares += float(centred @ centred)
            freedom += len(side) - 1
            size = max(size, abs(mean))
        if self.reruns:
            squares += (self.reruns.seeds - 1) * self.reruns.deviation**2
            freedom += self.reruns.seeds - 1
        variance = squares / max(freedom, 1)
        return (variance if variance > (ROUNDING * size) ** 2 else 0.0), freedom

    def fixed(self) -> bool:
        """Whether the score does not depend on the seed, as far as enough seeds can say."""
        then = len(self.then) + (self.reruns.seeds if self.reruns else 0)
        return then >= TESTABLE and self.own_variance[0] == 0

    def stuck(self) -> bool:
        """Whether all seeds now have one value where no two had, and these lay apart: a measure that is broken.

        A continuous score does not do so by chance, whichever way it moved; hence no test.
        """
        known = [*self.then.tolist(), *(value for value in (self.reruns or NOTHING).values if value is not None)]
        seen = len(self.then) + (self.reruns or NOTHING).seeds
        apart = len(self.then) > 1 and float(self.then.std(ddof=1)) > self.floor
        distinct = len(set(known)) == len(known)
        return len(self.now) > 1 and len(set(self.now.tolist())) == 1 and seen >= TESTABLE and apart and distinct


def default_margin(metric: Metric, size: float) -> float:
    """5 % of a bounded score's range, 10 % of the size of an unbounded one."""
    low, high = metric.bounds
    return OF_RANGE * (high - low) if math.isfinite(high - low) else RELATIVE * size

"""How far the runs of one thing score from those of another, and how surely."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Float
from numpy import ndarray

from benchmark.statistics.interval import MINIMUM_RUNS, Interval
from benchmark.statistics.significance import error_and_freedom, welch_p

MINIMUM_TESTED = 5
"""With fewer runs on either side nothing is tested: of four, one odd seed decides."""


class Difference(NamedTuple):
    """The mean of X less that of Y with its interval, and the two-sided `p` that the means are equal, None below
    `MINIMUM_TESTED` runs a side."""

    of_means: Interval
    p: float | None


def difference(x: Float[ndarray, " n"], y: Float[ndarray, " m"], *, level: float = 0.95) -> Difference:
    """Welch's test of two sets of runs, one after the other; its interval from ten runs a side on.

    Not paired: seeds of two models share nothing, neither weights nor the order of the data, and their pairs would be
    arbitrary. It takes runs to be normal: over five seeds a test that does not has no p below 0.008 and, after Holm
    over seven models, can never tell anything.
    """
    from scipy.special import stdtrit

    if not len(x) or not len(y):
        raise ValueError("no run")
    fewest, mean = min(len(x), len(y)), float(x.mean() - y.mean())
    if fewest < MINIMUM_TESTED:
        return Difference(Interval(mean), None)
    p = min(1.0, 2 * min(welch_p(x, y), welch_p(y, x)))
    if fewest < MINIMUM_RUNS:
        return Difference(Interval(mean), p)
    error, freedom = error_and_freedom(x, y)
    half = float(stdtrit(freedom, (1 + level) / 2)) * error if error > 0 else 0.0
    return Difference(Interval(mean, mean - half, mean + half), p)

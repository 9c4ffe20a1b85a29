"""Points with intervals, and when there are too few runs for one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

MINIMUM_RUNS = 10
"""Fewer runs (or configurations, where those are resampled) get a point and no interval."""
MINIMUM_CONFIGURATIONS = 5
"""Over fewer configurations there is no correlation and no share of variance: it would say which ones took part."""


ROUNDING = 1e-12
"""The part of the largest value below which a difference or a spread is that of adding up in another order."""


class Interval(NamedTuple):
    """A point with its interval; `low` and `high` are None where there are too few runs for one."""

    point: float
    low: float | None = None
    high: float | None = None


def expanded_tail(tail: float, n: int, groups: int = 1) -> float:
    """The percentile that gives a bootstrap of a mean of n runs the width of Student's interval.

    Hesterberg 2015, §5.3: expanded percentile interval. groups: strata, of which each takes a degree of freedom.
    """
    from scipy.special import ndtr, stdtrit

    freedom = max(n - groups, 1)
    return float(ndtr(stdtrit(freedom, tail) * np.sqrt(n / freedom)))

"""What kind of thing a factor is, discrete or continuous, and how a table of factors says so by its values."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from jaxtyping import Num
from numpy import ndarray

FEW = 20
"""So many values lose nothing as classes: a continuous factor enters measures in 20 bins."""

ROWS_A_VALUE = 10
"""Values that come back in so many rows, on average, are levels; fewer rows a value are measurements."""

MOST_CLASSES = 1_000
"""The most values of a discrete factor: measures fit a model a value."""

OFFSET = 1e6
"""A column so many times its range away from zero is centred: its mean would be off by a part of the range."""

EXACT = 2**53
"""Whole numbers below are exact in double precision."""

STEPS = 2.0**40
"""Levels that are no whole numbers are written as whole numbers of so many steps between the first and the last."""


def seems_discrete(factor: Num[ndarray, " n"]) -> bool:
    """Whether a factor's values are levels: at most 20, or each in ten rows on average and at most 1,000.

    Numbers that are not whole must come back in two rows on average, however few they are. The type does not matter:
    dSprites' angles are levels as floats, a row's number, a time in milliseconds is a measurement as an integer.
    """
    n = len(factor)
    most = max(FEW, min(n // ROWS_A_VALUE, MOST_CLASSES))
    if factor.dtype.kind != "f" and int(factor.max()) - int(factor.min()) < most:
        return True
    levels = len(np.unique(factor))
    return levels <= most and (2 * levels <= n or _is_whole(factor))


def kinds(factors: Num[ndarray, "n k"]) -> list[bool]:
    """Which factors are discrete, by their values: all of a full grid, or else each as it seems."""
    found = [seems_discrete(column) for column in factors.T]
    return found if all(found) or not _is_grid(factors) else [True] * len(found)


def decided(factors: Num[ndarray, "n k"]) -> Num[ndarray, "n k"]:
    """Factors as measures take them, the kind of each decided by its values."""
    return encoded(factors, kinds(factors))


def encoded(factors: Num[ndarray, "n k"], discrete: Sequence[bool]) -> Num[ndarray, "n k"]:
    """Factors as measures take them: columns of whole numbers are discrete, all others continuous.

    The same table where it says so already and its numbers are exact in double precision beside their range.
    Otherwise columns change by an offset and a scale: levels that are no whole numbers, 0.5, 0.6, …, become whole
    ones in the same proportions (whole numbers over a wider range than 2⁵³ their ranks), measurements in whole
    numbers become fractions between ¼ and ¾.
    """
    if not factors.size:
        return factors
    columns = [
        _levels(column) if kind else _measurements(column) for column, kind in zip(factors.T, discrete, strict=True)
    ]
    if all(np.may_share_memory(new, old) for new, old in zip(columns, factors.T, strict=True)):
        return factors
    return np.stack(columns, axis=1)


def _is_grid(factors: Num[ndarray, "n k"]) -> bool:
    """Whether the rows are every combination of the values of two or more factors once, of 1,000 values at most."""
    levels = [len(np.unique(column)) for column in factors.T]
    if max(levels) > MOST_CLASSES or sum(level > 1 for level in levels) < 2 or prod(levels) != len(factors):
        return False
    return len(np.unique(factors, axis=0)) == len(factors)


def _is_whole(column: Num[ndarray, " n"]) -> bool:
    return column.dtype.kind != "f" or bool((column == np.floor(column)).all())


def _is_near(low: int | float, high: int | float) -> bool:
    """Whether numbers between two are exact in double precision and their range is no sliver of their size."""
    size = max(abs(low), abs(high))
    return size < EXACT and (size <= OFFSET * (high - low) or low == high)


def _levels(column: Num[ndarray, " n"]) -> Num[ndarray, " n"]:
    """A discrete factor in whole numbers."""
    if column.dtype.kind != "f":
        low, high = int(column.min()), int(column.max())
        if _is_near(low, high):
            return column
        return (column - column.min()).astype(np.int64) if high - low < EXACT else _ranks(column)
    if _is_whole(column) and _is_near(float(column.min()), float(column.max())):
        return column
    whole = np.rint(_share(column) * STEPS)
    return whole if len(np.unique(whole)) == len(np.unique(column)) else _ranks(column)


def _measurements(column: Num[ndarray, " n"]) -> Num[ndarray, " n"]:
    """A continuous factor in numbers of which not all are whole."""
    if not _is_whole(column):
        low, high = float(column.min()), float(column.max())
        centred = column if _is_near(low, high) else column - column.min()
        if not _is_whole(centred):
            return centred
    return column if column.min() == column.max() else 0.25 + 0.5 * _share(column)


def _ranks(column: Num[ndarray, " n"]) -> Num[ndarray, " n"]:
    """Each value's place among all, from 0."""
    return np.unique(column, return_inverse=True)[1]


def _share(column: Num[ndarray, " n"]) -> Num[ndarray, " n"]:
    """Where between the least and the largest value each lies, from 0 to 1."""
    if column.dtype.kind != "f":
        low, high = int(column.min()), int(column.max())
        if high - low < EXACT:
            return (column - column.min()).astype(np.float64) / max(high - low, 1)
    halved = column.astype(np.float64) / 2  # the range of the largest floats is no float
    low, high = halved.min(), halved.max()
    return (halved - low) / (high - low if high > low else 1.0)

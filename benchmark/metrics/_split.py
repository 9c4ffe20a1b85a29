"""Which rows a measure learns from and which it is tested on."""

from __future__ import annotations

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.metrics._check import need_rows

Split = tuple[Integer[ndarray, " a"], Integer[ndarray, " b"]]
"""Training rows and test rows: positions in the table given."""


def learning_rows(n: int, train: int, test: int, seed: int, split: Split | None) -> Split:
    """`split` itself, or `train` and `test` of n rows drawn by `seed` without replacement.

    All measures that learn draw alike: with equal `test` and seed, a smaller training set is the first of a larger.
    Raises `NotApplicable` on too few rows, `UsageError` on a split whose rows overlap, are missing or not there.
    """
    if split is None:
        if train < 1 or test < 1:
            raise UsageError(f"train = {train} and test = {test} must be positive")
        need_rows(n, train + test, f"training on {train:,} and testing on {test:,} others")
        rows = np.random.default_rng(seed).permutation(n)[: train + test]
        return rows[test:], rows[:test]
    return check_split(n, split)


def check_split(n: int, split: Split) -> Split:
    """The split itself, or `UsageError` where its rows overlap, are missing or not among the n."""
    training, testing = (np.asarray(rows) for rows in split)
    if not training.size or not testing.size:
        raise UsageError(f"split: {training.size} training and {testing.size} test rows; both must be there")
    for rows in (training, testing):
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise UsageError(
                f"split: rows are positions in the table, whole numbers, and not {rows.dtype} of shape {rows.shape};"
                " np.flatnonzero gives those of a mask"
            )
        if rows.min() < 0 or rows.max() >= n:
            raise UsageError(f"split: rows go from {rows.min()} to {rows.max()}, the table has {n:,}")
    if np.intersect1d(training, testing).size:
        raise UsageError("split: training and test rows overlap")
    return training, testing

"""Pairs of points of a grid that differ in some of their factors: what weakly supervised models are trained on."""

from __future__ import annotations

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

from benchmark.datasets._dataset import Data
from benchmark.errors import UsageError


class Pairs:
    """For each point another one that has some factors' values in common with it and no others, from a whole grid.

    `changed`: in how many factors the two differ; 0: in 1 … K − 1 of K, as many for each pair as chance says. Which
    these are and what they become is drawn uniformly, among factors of two values or more and among the other values of
    each. A partner of a uniformly drawn point is uniformly drawn itself.
    """

    def __init__(self, data: Data, changed: int) -> None:
        """Raises `UsageError` where the data has no such pairs."""
        if not data.grid:
            raise UsageError(
                "pairs that share factors are looked up in a grid of every combination of factor values, and this"
                " dataset is none; choose one that is, such as dsprites"
            )
        if not np.array_equal(data.training_rows, np.arange(len(data.images))) or data.training_weights is not None:
            raise UsageError(
                "pairs that share factors are drawn from the whole grid, all of it alike, and this dataset trains on a"
                " part of it or on some points more often than on others; leave out its split and its correlations"
            )
        self.sizes = data.factor_sizes
        self.varying = np.flatnonzero(np.array(self.sizes) > 1)
        needed = max(changed, 1) + 1
        if len(self.varying) < needed:
            raise UsageError(
                f"a pair that differs in {needed - 1} of its factors and shares one or more needs {needed} that vary;"
                f" this dataset has {len(self.varying)}: lower model.changed or choose another dataset"
            )
        self.changed = changed

    def partners(self, rows: Integer[ndarray, ...], rng: np.random.Generator) -> Integer[ndarray, ...]:
        """A partner's row for each row."""
        shape = (rows.size, len(self.varying))
        order = rng.random(shape).argsort(axis=1).argsort(axis=1)
        number = rng.integers(1, shape[1], size=(rows.size, 1)) if self.changed == 0 else self.changed
        sizes = np.array(self.sizes)[self.varying]
        steps = rng.integers(1, sizes, size=shape)
        values = np.stack(np.unravel_index(rows.ravel(), self.sizes), axis=1)
        values[:, self.varying] = (values[:, self.varying] + np.where(order < number, steps, 0)) % sizes
        return np.ravel_multi_index(tuple(values.T), self.sizes).reshape(rows.shape)

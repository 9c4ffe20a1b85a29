"""Groups of codes: columns that belong together, such as the vector that a model gives to each concept."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.errors import UsageError

Groups = Num[ndarray, " e"]
"""The group of each column, in whole numbers."""


def columns_of(groups: Groups | None, d: int) -> list[ndarray]:
    """The columns of each group, by rising number of the group; without groups each of d columns is one of its own.

    Raises `UsageError` where they are no d whole numbers.
    """
    if groups is None:
        return list(np.arange(d)[:, None])
    groups = np.asarray(groups)
    if groups.shape != (d,):
        raise UsageError(f"groups of shape {groups.shape} do not fit {d} codes: give the group of each column")
    if groups.dtype.kind not in "iu":
        raise UsageError(f"groups must be whole numbers, the group of each column, not {groups.dtype}")
    return [np.flatnonzero(groups == group) for group in np.unique(groups)]


def summed(values: Float[ndarray, "d k"], groups: list[ndarray]) -> Float[ndarray, "g k"]:
    """A row for each group: the sum of its columns' rows."""
    return np.stack([values[columns].sum(axis=0) for columns in groups])

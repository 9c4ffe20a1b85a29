"""Which columns of codes from outside belong together, as a file, an argument or a flag says it."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

from benchmark.errors import UsageError

Asked = int | tuple[str, ...] | None
"""So many columns each, from the first on; or the name of each column's group."""


def asked_groups(groups: Any) -> Asked:
    """What the argument `groups` says: a number of columns, or a group for each column, as a list, an array or text.

    Raises `UsageError` on what is neither.
    """
    if isinstance(groups, str):
        groups = groups.split(",") if "," in groups else int(groups) if groups.strip().isdecimal() else groups
    if groups is None or (isinstance(groups, int | np.integer) and not isinstance(groups, bool)):
        return None if groups is None else int(groups)
    if isinstance(groups, str | bytes | dict) or not np.iterable(groups):
        raise UsageError(
            f"groups = {groups!r:.60}: give the number of columns in each, such as 3, or the group of every column,"
            " such as 0,0,1,1"
        )
    return tuple(str(each).strip() for each in groups)


def group_of_columns(where: object, groups: Asked, d: int) -> Integer[ndarray, " d"] | None:
    """The group of each of d columns, numbered from 0 in the order in which they come; None where none are asked for.

    Raises `UsageError` on groups that do not fit.
    """
    if groups is None:
        return None
    if isinstance(groups, int):
        if groups < 1 or d % groups:
            raise UsageError(f"{where}: {d} codes are no groups of {groups} columns each")
        return np.arange(d, dtype=np.int64) // groups
    if len(groups) != d:
        raise UsageError(f"{where}: {len(groups)} groups do not fit {d} codes: say for each column which is its own")
    if "" in groups:
        raise UsageError(f"{where}: column {groups.index('')} has a group without a name")
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in groups], dtype=np.int64)


def groups_in_file(where: object, groups: ndarray, d: int) -> Asked:
    """What an array `groups` of a file says of d codes. Raises `UsageError` unless it holds whole numbers or words."""
    if groups.shape not in ((), (d,)) or groups.dtype.kind not in "iuU":
        raise UsageError(
            f"{where}: `groups` must be the group of each of the {d} codes, in whole numbers or words, or the number of"
            f" codes in each, not {groups.dtype} of shape {groups.shape}; if it is something else, rename it"
        )
    return asked_groups(groups.item() if groups.ndim == 0 else groups.tolist())

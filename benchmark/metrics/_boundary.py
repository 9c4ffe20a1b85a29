"""What people hand to a measure, lists, data frames, tensors, becomes plain arrays, or a sentence on why not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.kinds import decided


def given(name: str, value: Any) -> Any:
    """An argument of a measure as an array.

    Taken: arrays, lists, pandas' and polars' frames, torch's tensors on any device, whether or not they require a
    gradient. `factors` of shape (n,) are one factor; which factors are discrete is decided by their values.
    `history`, a dictionary of columns, stays as it is, as does None.
    Raises `UsageError` on masked or missing values and on what is no array of numbers.
    """
    if value is None or isinstance(value, dict):
        return value
    array = as_array(name, value)
    if name != "factors":
        return array
    if array.ndim == 1:
        array = array[:, None]
    if array.dtype.kind == "b":
        array = array.astype(np.int64)
    usable = array.ndim == 2 and array.size and array.dtype.kind in "fiu"
    if not usable or (array.dtype.kind == "f" and not np.isfinite(array).all()):
        return array  # the measure says what is wrong with it
    return decided(array)


def as_array(name: str, value: Any) -> ndarray:
    """The same numbers as a plain array. Raises `UsageError` where there is none."""
    if np.ma.isMaskedArray(value):
        masked = np.ma.getmaskarray(value)
        if masked.any():
            row = int(np.argwhere(masked)[0][0])
            raise UsageError(
                f"{name} hold {int(masked.sum())} masked values, the first in row {row}: a measure would read what is"
                " below the mask; leave those rows out, or fill them"
            )
        value = value.data
    try:
        if hasattr(value, "detach"):  # a tensor of torch, which measures do not import
            value = value.detach().cpu()
            value = (value.float() if "bfloat16" in str(value.dtype) else value).numpy()
        elif hasattr(value, "to_numpy"):
            value = value.to_numpy()
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{name} cannot be read as an array: {reason}") from None
    return _numbers(name, array) if array.dtype.kind == "O" else array


def _numbers(name: str, array: ndarray) -> ndarray:
    """An array of objects as floats, if each is a number: what frames with columns of several types give."""
    for place, item in np.ndenumerate(array):
        if not isinstance(item, (int, float, np.number, np.bool_)):
            where = f" in row {place[0]}" if place else ""
            raise UsageError(f"{name} hold {item!r}{where}, which is no number; leave such rows out, or encode it")
    return array.astype(np.float64)

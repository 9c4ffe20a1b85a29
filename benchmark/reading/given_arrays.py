"""Arrays that a caller hands over, of numpy, torch or pandas, become codes, as an archive of them would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.metrics._boundary import as_array
from benchmark.metrics._split import Split, check_split
from benchmark.reading.code_columns import LABELS
from benchmark.reading.encoded import Encoded
from benchmark.reading.factor_kinds import Wishes
from benchmark.reading.read_codes import Reading, codes_of
from benchmark.reading.read_tables import factor_column, in_another_order, without_index
from benchmark.seeds import stream

if TYPE_CHECKING:
    import pandas as pd


def read_arrays(
    codes: Any, factors: Any, variances: Any, factor_names: Sequence[str] | None, wishes: Wishes, who: str
) -> Reading:
    """Codes (n d), factors (n k) or None, variances (n d) or None. `who` asks, and begins what is wrong.

    Raises `UsageError` on what cannot be used.
    """
    notes: list[str] = []
    if isinstance(codes, Encoded):
        if not (factors is None and variances is None and factor_names is None):
            raise UsageError(f"{who}: what `encode` returned has its factors, names and variances: give it alone")
        factors, variances, factor_names = codes.factors, codes.variances, codes.factor_names
        wishes = wishes.with_declared(codes.discrete, codes.continuous)
        if not codes.factor_names:
            factors = factor_names = None
        codes = codes.codes
    for what, other in (("factors", factors), ("variances", variances)):
        _check_order(who, codes, what, other)
    arrays = {"codes": _array(who, "codes", _coordinates(codes, notes))}
    labels = [name for name in map(str, getattr(codes, "columns", ())) if name.lower() in LABELS]
    notes += [f"column {name!r} is one of the codes: if it is a label, leave it out of them" for name in labels]
    if variances is not None:
        arrays["variances"] = _array(who, "variances", _coordinates(variances, notes))
    if factors is not None:
        arrays["factors"], own = _factors(factors, notes, who)
        factor_names = own if factor_names is None else list(factor_names)
    elif factor_names is not None:
        raise UsageError(f"{who}: factor_names are given and no factors")
    return codes_of(who, arrays, factor_names, wishes, notes)


def read_split(split: Any, reading: Reading) -> Split:
    """Training and test rows as positions in the codes, from positions or masks in the arrays given.

    They come in a drawn order, whatever order they are named in: what learns from few labels takes the first of them,
    and of a table that is sorted those would be one corner.

    Raises `UsageError` on what is no pair of these, and on rows that overlap, come twice or are not there.
    """
    n = len(reading.codes.means)
    if not isinstance(split, tuple | list) or len(split) != 2:
        raise UsageError(f"score: split is a pair (training rows, test rows), each as positions or as a mask of {n:,}")
    training, testing = (_rows(what, rows, n) for what, rows in zip(("training", "test"), split, strict=True))
    check_split(n, (training, testing))
    if reading.order is not None:
        place = np.empty(n, dtype=np.int64)
        place[reading.order] = np.arange(n)
        training, testing = place[training], place[testing]
    return _drawn("training", training), _drawn("test", testing)


def _drawn(what: str, rows: Integer[ndarray, " a"]) -> Integer[ndarray, " a"]:
    return stream("evaluation", "split", what).permutation(np.sort(rows))


def _rows(what: str, rows: Any, n: int) -> Integer[ndarray, " a"]:
    array = as_array(f"score: the {what} rows of split", rows)
    if array.ndim == 1 and array.dtype.kind == "b":
        if len(array) != n:
            raise UsageError(f"score: the mask of the {what} rows has {len(array):,} entries for {n:,} points")
        return np.flatnonzero(array)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise UsageError(
            f"score: the {what} rows of split are {array.dtype} of shape {array.shape}; give positions from 0 on, or"
            f" a mask of {n:,}"
        )
    if len(np.unique(array)) < len(array):
        raise UsageError(f"score: the {what} rows of split name a row twice")
    return array.astype(np.int64)


def _is_pandas(value: Any) -> bool:
    """Whether rows have labels: those of pandas' frames and series."""
    return hasattr(value, "iloc")


def _check_order(who: str, codes: Any, what: str, other: Any) -> None:
    """Raise `UsageError` where labels say that rows belong together which do not stand beside each other."""
    if _is_pandas(codes) and _is_pandas(other) and in_another_order(codes.index, other.index):
        raise UsageError(
            f"{who}: the index of {what} has the labels of the codes' in another order: reindex one to the other,"
            f" {what}.loc[codes.index], or reset_index(drop=True) both where rows belong together as they stand"
        )


def _coordinates(value: Any, notes: list[str]) -> Any:
    """Codes or variances, of a frame without the columns that number its rows."""
    return without_index(value, notes) if _is_pandas(value) and hasattr(value, "columns") else value


def _factors(factors: Any, notes: list[str], who: str) -> tuple[ndarray, list[str] | None]:
    """A table of factors, and their names where it is a frame or a column of one."""
    frame = _frame(factors)
    if frame is None:
        return _array(who, "factors", factors), None
    frame = without_index(frame, notes)
    names = [str(name) for name in frame.columns]
    if not names:
        raise UsageError(f"{who}: the frame of factors has no columns")
    read = [factor_column(who, name, frame.iloc[:, k], notes) for k, name in enumerate(names)]
    return np.stack(read, axis=1), None if isinstance(factors, ndarray) else names


def _frame(factors: Any) -> pd.DataFrame | None:
    """Factors whose columns have types of their own, as a frame of pandas: frames and columns of pandas and polars, and
    arrays of Python's objects, words among them. None for what is one array of numbers or words."""
    import pandas as pd

    if isinstance(factors, ndarray) and factors.dtype == object and factors.ndim in (1, 2) and len(factors):
        table = pd.DataFrame(factors)
        return table.set_axis([f"factor_{k}" for k in range(table.shape[1])], axis=1)
    if not _is_pandas(factors) and hasattr(factors, "to_pandas"):
        factors = factors.to_pandas()
    if isinstance(factors, pd.Series):
        return factors.to_frame("factor_0" if factors.name in (None, "") else factors.name)
    return factors if isinstance(factors, pd.DataFrame) else None


def _array(who: str, what: str, value: Any) -> ndarray:
    if value is None or isinstance(value, str | Path | Mapping):
        raise UsageError(
            f"{who}: {what} are {type(value).__name__}, not an array (n, …); files are read by `add_codes`"
        )
    return as_array(f"{who}: {what}", value)

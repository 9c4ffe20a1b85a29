"""Single arrays of codes from elsewhere, checked: tables of codes, factors, singular vectors and names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Num, Shaped
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.reading.read_tables import factor_column

Where = Path | str
"""A file, or what else the arrays come from: the first word of what is wrong with them."""


def checked_table(path: Where, name: str, table: ndarray) -> Float[ndarray, "n d"]:
    """Single or double precision, of this machine's byte order."""
    if table.dtype.kind not in "fiub":
        raise UsageError(f"{path}: `{name}` must hold real numbers, not {table.dtype}")
    if table.ndim != 2:
        raise UsageError(
            f"{path}: `{name}` must be a table (points × coordinates), not an array of shape {table.shape}"
        )
    if 0 in table.shape:
        raise UsageError(f"{path}: `{name}` of shape {table.shape} hold no values")
    single = table.dtype.kind == "f" and table.dtype.itemsize <= 4
    with np.errstate(over="ignore", invalid="ignore"):  # of longer floats: said below
        table = table.astype(np.float32 if single else np.float64)
    if not np.isfinite(table).all():
        raise UsageError(f"{path}: `{name}` hold NaN or infinite values, the first in row {_first(table)}")
    return table


def _first(table: Num[ndarray, "n d"]) -> int:
    """The first row with a value that is not finite, counted from 1."""
    return int((~np.isfinite(table)).any(axis=1).argmax()) + 1


def check_jacobian(path: Where, name: str, array: ndarray, means: Float[ndarray, "n d"], *, has_factors: bool) -> None:
    """Raise `UsageError` on what is no singular vectors of a decoder of these codes."""
    n, d = means.shape
    if array.ndim == 3 and array.shape[1:] == (d, d):
        return
    factors = array.ndim in (1, 2) and len(array) == n and not has_factors
    told = f"if these are the factors, --rename {name}=factors" if factors else "if it is something else, rename it"
    raise UsageError(
        f"{path}: `{name}` of shape {array.shape} is no Jacobian's singular vectors (points, {d}, {d}) of {d} codes;"
        f" {told}"
    )


def checked_factors(path: Where, factors: ndarray, n: int) -> Shaped[ndarray, "n k"]:
    """Factors as a table; words stay what they are."""
    if factors.ndim == 1:
        factors = factors[:, None]
    if factors.dtype.kind not in "fiubU":
        raise UsageError(f"{path}: `factors` must be numbers or names, not {factors.dtype}")
    if factors.ndim != 2 or len(factors) != n:
        raise UsageError(f"{path}: `factors` of shape {factors.shape} do not fit {n} codes")
    if factors.dtype.kind == "U":
        return factors
    if factors.dtype.kind != "f":
        if factors.size and int(factors.max()) >= 2**63:
            raise UsageError(f"{path}: `factors` hold whole numbers of 2^63 and more; number them 0, 1, …")
        return factors.astype(np.int64)
    with np.errstate(over="ignore", invalid="ignore"):
        factors = factors.astype(np.float64)
    if not np.isfinite(factors).all():
        raise UsageError(f"{path}: `factors` hold NaN or infinite values, the first in row {_first(factors)}")
    return factors


def numbered(
    path: Where, factors: Shaped[ndarray, "n k"], names: tuple[str, ...], notes: list[str]
) -> Num[ndarray, "n k"]:
    """Words as numbers, as in a table's columns."""
    import pandas as pd

    if factors.dtype.kind != "U":
        return factors
    columns = [
        factor_column(path, name, pd.Series(column), notes) for name, column in zip(names, factors.T, strict=True)
    ]
    return np.column_stack([np.zeros((len(factors), 0), np.int64), *columns])


def checked_names(path: Where, what: str, names: ndarray | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    if names.ndim != 1 or names.dtype.kind != "U" or len(set(names.tolist())) < len(names):
        raise UsageError(f"{path}: `{what}` must be different strings, not {str(names.tolist())[:200]}")
    return tuple(names.tolist())


def checked_array(path: Where, name: str, array: ndarray) -> ndarray:
    if array.dtype.kind not in "fiub" or 0 in array.shape:
        raise UsageError(f"{path}: `{name}` must hold real numbers, not {array.dtype} of shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UsageError(f"{path}: `{name}` holds NaN or infinite values")
    return array.astype(np.float32 if array.dtype == np.float16 else array.dtype.newbyteorder("="))

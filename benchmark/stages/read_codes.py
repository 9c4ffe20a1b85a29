"""Codes and factors of other people's making, read from .npz, .npy, .csv and .parquet files."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.codes import Codes
from benchmark.datasets._archive import opened, read_npz
from benchmark.errors import UsageError
from benchmark.metrics._check import is_discrete
from benchmark.spec import suggest

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".npz", ".npy", ".csv", ".parquet")
OWN = ("codes", "means", "factors", "factor_names", "variances", "logvar", "samples")
"""The arrays of an archive that every file may hold; `means` is another name for `codes`."""
COLUMNS = ("code_", "variance_", "sample_", "factor_")
"""How the columns of a table begin."""


@dataclass(frozen=True)
class Reading:
    """What a file says: its codes, and sentences about what was done to them."""

    codes: Codes
    notes: tuple[str, ...] = ()


def read_codes(path: Path, factors: Path | None = None, arrays: Collection[str] = ()) -> Reading:
    """Read codes (n d) with what stands beside them, their factors perhaps from a file of their own.

    .npz: `codes` (or `means`), and optionally `factors` (n k), `factor_names` (k), `variances` or `logvar` (n d),
    `samples` (n d), and any of `arrays`, the names of what else measures read, such as `v` (m d d). .npy: codes alone.
    .csv, .parquet: columns `code_*` in their order, and optionally `variance_*`, `sample_*` with the endings of the
    codes, and `factor_NAME`. `factors`: .npy or .npz (`factors`, `factor_names`), or a table whose columns are all
    factors, named with or without `factor_`.

    Whole numbers are discrete factors; names become 0, 1, … in alphabetical order. Rows that are every combination of
    discrete values once are put into C order. Integers become floats; nothing else is changed.
    Raises `UsageError` on what is missing, damaged, pickled, misshapen, not finite, or none of the above.
    """
    found, names, notes = _read(path, arrays)
    beside, extra_notes = _read_factors(factors) if factors else (None, [])
    if beside is not None and "factors" in found:
        raise UsageError(f"{path} holds factors already; leave out --factors {factors}")
    source = path
    if beside is not None:
        assert factors is not None
        source, (found["factors"], names) = factors, beside
    return Reading(*_checked(path, source, found, names, [*notes, *extra_notes]))


def digest(codes: Codes) -> str:
    """The sha256 of all arrays with their names, types and shapes: what makes two files the same codes."""
    known = hashlib.sha256(repr(codes.factor_names).encode())
    parts = {field.name: getattr(codes, field.name) for field in fields(codes)} | codes.arrays
    for name, array in sorted(parts.items()):
        if isinstance(array, ndarray):
            known.update(f"{name} {array.dtype.str} {array.shape} ".encode())
            known.update(np.ascontiguousarray(array).data)
    return known.hexdigest()


def _read(path: Path, arrays: Collection[str]) -> tuple[dict[str, ndarray], tuple[str, ...] | None, list[str]]:
    """A file's arrays by name, its factors' names where it gives them, and notes."""
    _check_ending(path)
    if path.suffix == ".npy":
        return {"codes": _read_npy(path)}, None, []
    if path.suffix == ".npz":
        found = _read_archive(path, (*OWN, *arrays))
        for one, other in (("codes", "means"), ("variances", "logvar")):
            if one in found and other in found:
                raise UsageError(f"{path} holds both `{one}` and `{other}`; keep one of them")
        if not {"codes", "means"} & found.keys():
            raise UsageError(f"{path} must hold an array `codes`; it holds {', '.join(found) or 'nothing'}")
        if "means" in found:
            found["codes"] = found.pop("means")
        if "logvar" in found:
            with np.errstate(over="ignore"):  # an infinite variance is said below
                found["variances"] = np.exp(_table(path, "logvar", found.pop("logvar")))
        return found, _names(path, found.pop("factor_names", None)), []
    return _split_table(path, _read_table(path))


def _read_factors(path: Path) -> tuple[tuple[ndarray, tuple[str, ...] | None], list[str]]:
    _check_ending(path)
    if path.suffix == ".npy":
        return (_read_npy(path), None), []
    if path.suffix == ".npz":
        found = _read_archive(path, ("factors", "factor_names"))
        if "factors" not in found:
            raise UsageError(f"{path} must hold an array `factors`; it holds {', '.join(found) or 'nothing'}")
        return (found["factors"], _names(path, found.get("factor_names"))), []
    frame = _read_table(path)
    columns = {str(name).removeprefix("factor_"): frame[name] for name in frame}
    notes: list[str] = []
    return (_factor_columns(path, columns, notes), tuple(columns)), notes


def _check_ending(path: Path) -> None:
    if path.suffix not in ENDINGS:
        raise UsageError(f"{path} ends in {path.suffix!r}; codes and factors are read from {', '.join(ENDINGS)}")
    if not path.is_file():
        raise UsageError(f"{path}: no such file")


def _read_npy(path: Path) -> ndarray:
    try:
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise UsageError(
            f"{path} is no .npy array, is damaged, or cannot be read without unpickling: {error}"
        ) from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None


def _read_archive(path: Path, known: Collection[str]) -> dict[str, ndarray]:
    with opened(path) as archive:
        held = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    unknown = [name for name in held if name not in known]
    if unknown:
        raise UsageError(f"{path}: no measure reads an array `{unknown[0]}`{suggest(unknown[0], sorted(known))}")
    return read_npz(path, held)


def _read_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        frame = pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError) as error:  # pandas' and pyarrow's own errors are ValueErrors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(f"{path} cannot be read as a table: {reason}") from None
    if frame.empty:
        raise UsageError(f"{path} holds no rows")
    return frame


def _split_table(path: Path, frame: pd.DataFrame) -> tuple[dict[str, ndarray], tuple[str, ...] | None, list[str]]:
    kinds: dict[str, dict[str, Any]] = {prefix: {} for prefix in COLUMNS}
    other = []
    for name in map(str, frame.columns):
        prefix = next((prefix for prefix in COLUMNS if name.startswith(prefix) and name != prefix), None)
        if prefix:
            kinds[prefix][name.removeprefix(prefix)] = frame[name]
        else:
            other.append(name)
    codes = kinds["code_"]
    if other or not codes:
        listing = ", ".join(map(str, frame.columns)) or "none"
        wrong = (
            f"{', '.join(other)} {'is' if len(other) == 1 else 'are'} none of these" if other else "no code is there"
        )
        raise UsageError(
            f"{path}: columns are code_0, code_1, … and, where there are such, variance_0, …, sample_0, …, factor_NAME;"
            f" {wrong} (found: {listing})"
        )
    found = {"codes": np.stack([_number_column(path, f"code_{key}", codes[key]) for key in codes], axis=1)}
    for prefix, name in (("variance_", "variances"), ("sample_", "samples")):
        columns = kinds[prefix]
        if columns and set(columns) != set(codes):
            wanted = ", ".join(prefix + key for key in codes)
            raise UsageError(
                f"{path}: to these codes belong {wanted}; found {', '.join(prefix + key for key in columns)}"
            )
        if columns:
            found[name] = np.stack([_number_column(path, prefix + key, columns[key]) for key in codes], axis=1)
    notes: list[str] = []
    factors = kinds["factor_"]
    if factors:
        found["factors"] = _factor_columns(path, factors, notes)
    return found, tuple(factors) if factors else None, notes


def _number_column(path: Path, name: str, column: pd.Series) -> Float[ndarray, " n"]:
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_complex_dtype(column):
        raise UsageError(f"{path}: column {name} holds {column.dtype} and must hold numbers")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _factor_columns(path: Path, columns: Mapping[str, pd.Series], notes: list[str]) -> Num[ndarray, "n k"]:
    """Factors as one table: integers where all are; adds a note for each that was written in names."""
    import pandas as pd

    arrays = []
    for name, column in columns.items():
        if column.isna().any():
            raise UsageError(f"{path}: factor {name} lacks values in {int(column.isna().sum())} rows")
        if pd.api.types.is_integer_dtype(column) or pd.api.types.is_bool_dtype(column):
            arrays.append(column.to_numpy(dtype=np.int64))
        elif pd.api.types.is_float_dtype(column):
            arrays.append(column.to_numpy(dtype=np.float64))
        elif column.map(lambda value: isinstance(value, str)).all():
            words, labels = np.unique(column.to_numpy(dtype=str), return_inverse=True)
            notes.append(f"factor {name}: {len(words)} names became 0 … {len(words) - 1} in alphabetical order")
            arrays.append(labels.astype(np.int64))
        else:
            raise UsageError(f"{path}: factor {name} holds {column.dtype} and must hold numbers or names")
    return np.stack(arrays, axis=1)


def _checked(
    path: Path, source: Path, found: dict[str, ndarray], names: tuple[str, ...] | None, notes: list[str]
) -> tuple[Codes, tuple[str, ...]]:
    """Codes from the arrays of `path`, the factors from `source`, and all notes."""
    means = _table(path, "codes", found.pop("codes"))
    beside = {name: _table(path, name, found.pop(name)) for name in ("variances", "samples") if name in found}
    for name, table in beside.items():
        if table.shape != means.shape:
            raise UsageError(f"{path}: `{name}` of shape {table.shape} do not fit codes of shape {means.shape}")
    if "variances" in beside and beside["variances"].min() <= 0:
        raise UsageError(f"{path}: `variances` hold values that are not positive")
    factors = _factors(source, found.pop("factors", np.zeros((len(means), 0), np.int64)), len(means))
    names = names or tuple(f"factor_{k}" for k in range(factors.shape[1]))
    if len(names) != factors.shape[1]:
        raise UsageError(f"{source}: {len(names)} `factor_names` do not fit {factors.shape[1]} factors")
    sizes = tuple(len(np.unique(column)) if is_discrete(column) else 0 for column in factors.T)
    grid = _is_grid(factors, sizes)
    if grid and ((order := np.lexsort(factors.T[::-1])) != np.arange(len(means))).any():
        notes = [*notes, "the rows are every combination of the factors once, and were put into order"]
        means, factors = means[order], factors[order]
        beside = {name: table[order] for name, table in beside.items()}
    arrays = {name: _array(path, name, array) for name, array in found.items()}
    codes = Codes(
        means, factors, names, sizes, beside.get("variances"), beside.get("samples"), grid=grid, arrays=arrays
    )
    return codes, tuple(notes)


def _table(path: Path, name: str, table: ndarray) -> Float[ndarray, "n d"]:
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
    table = table.astype(np.float32 if single else np.float64)
    if not np.isfinite(table).all():
        raise UsageError(f"{path}: `{name}` hold NaN or infinite values")
    return table


def _factors(path: Path, factors: ndarray, n: int) -> Num[ndarray, "n k"]:
    if factors.ndim == 1:
        factors = factors[:, None]
    if factors.dtype.kind not in "fiub":
        raise UsageError(f"{path}: `factors` must be numbers, not {factors.dtype}; write names as integers")
    if factors.ndim != 2 or len(factors) != n:
        raise UsageError(f"{path}: `factors` of shape {factors.shape} do not fit {n} codes")
    if factors.dtype.kind != "f":
        return factors.astype(np.int64)
    if not np.isfinite(factors).all():
        raise UsageError(f"{path}: `factors` hold NaN or infinite values")
    return factors.astype(np.float64)


def _names(path: Path, names: ndarray | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    if names.ndim != 1 or names.dtype.kind != "U" or len(set(names.tolist())) < len(names):
        raise UsageError(f"{path}: `factor_names` must be different strings, not {names.tolist()}")
    return tuple(names.tolist())


def _array(path: Path, name: str, array: ndarray) -> ndarray:
    if array.dtype.kind not in "fiub" or 0 in array.shape:
        raise UsageError(f"{path}: `{name}` must hold real numbers, not {array.dtype} of shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise UsageError(f"{path}: `{name}` holds NaN or infinite values")
    return array.astype(np.float32 if array.dtype == np.float16 else array.dtype.newbyteorder("="))


def _is_grid(factors: Num[ndarray, "n k"], sizes: tuple[int, ...]) -> bool:
    """Whether the rows are every combination of the factors' values once."""
    return bool(sizes) and 0 not in sizes and prod(sizes) == len(factors) == len(np.unique(factors, axis=0))

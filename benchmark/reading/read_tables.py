"""Tables of codes and factors as people have them: .csv in their editors' encodings, .parquet with or without index."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.datasets._archive import LIMIT
from benchmark.errors import UsageError
from benchmark.kinds import EXACT
from benchmark.text import read_text

if TYPE_CHECKING:
    import pandas as pd
    from pyarrow import Table

INDEX = re.compile(r"(unnamed: \d+|index|__index_level_\d+__|level_\d+|idx|id|row|row_id|)", re.IGNORECASE)
"""What a column that numbers the rows is called."""


MISSING = {"na", "n/a", "nan", "none", "null"}
"""What other programs write where a value is missing; in a column of names each may be a name as well."""


def read_table(path: Path) -> tuple[pd.DataFrame, pd.Index | None]:
    """A table with text names for its columns, and the index that pandas stored beside it.

    Raises `UsageError` on what is no table, and on one that is crooked.
    """
    frame, index = _index_apart(_read_csv(path)) if path.suffix.lower() == ".csv" else _read_parquet(path)
    frame.columns = frame.columns.map(lambda name: str(name).strip())
    names = list(frame.columns)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{path}: two columns are called {twice[0]!r}; give each a name of its own")
    if not len(frame):
        raise UsageError(f"{path} holds no rows")
    return frame, index


def in_another_order(one: pd.Index, other: pd.Index) -> bool:
    """Whether two indices have the same labels and not in the same rows."""
    return len(one) == len(other) and not one.equals(other) and Counter(one) == Counter(other)


def numbers_the_rows(column: pd.Series | pd.Index | ndarray) -> bool:
    """Whether a column counts the rows, from 0 or from 1."""
    values = np.asarray(column)
    if values.dtype.kind not in "iuf" or len(values) < 2:
        return False
    return bool(values[0] in (0, 1) and np.array_equal(values, np.arange(len(values)) + values[0]))


def without_index(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """The table without the columns that number its rows and are called so; says which."""
    names = list(map(str, frame.columns))
    index = [k for k, name in enumerate(names) if INDEX.fullmatch(name) and numbers_the_rows(frame.iloc[:, k])]
    notes += [f"column {names[k]!r} numbers the rows and is left out" for k in index]
    return frame.iloc[:, [k for k in range(len(names)) if k not in index]]


def number_column(path: Path, name: str, column: pd.Series) -> Float[ndarray, " n"]:
    """A column of codes: single precision where the file holds that, else double."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column):
        single = column.dtype == np.float32
        return column.to_numpy(dtype=np.float32 if single else np.float64, na_value=np.nan)
    numbers = pd.to_numeric(column, errors="coerce") if _is_text(column) else None
    wrong = np.flatnonzero(numbers.isna()) if numbers is not None else np.arange(1)
    row = int(wrong[0]) if len(wrong) else 0
    raise UsageError(f"{path}: column {name} holds {column.iloc[row]!r} in row {row + 1} and must hold numbers")


def factor_column(path: Path | str, name: str, column: pd.Series, notes: list[str]) -> Num[ndarray, " n"]:
    """A column of factors: names become 0, 1, … in alphabetical order, which is noted.

    Raises `UsageError` on missing values, and on numbers and names in one column.
    """
    import pandas as pd

    if column.isna().any():
        raise UsageError(
            f"{path}: factor {name} lacks values in {int(column.isna().sum())} rows, the first in row"
            f" {int(np.flatnonzero(column.isna())[0]) + 1}"
        )
    categories = getattr(column.dtype, "categories", None)
    column = (column if categories is None else column.astype(categories.dtype)).infer_objects()
    if pd.api.types.is_bool_dtype(column):
        return column.to_numpy(dtype=np.int64)
    if pd.api.types.is_integer_dtype(column):
        return _whole_numbers(path, name, column.to_numpy(), notes)
    if pd.api.types.is_float_dtype(column):
        return column.to_numpy(dtype=np.float64)
    if not _is_text(column):
        raise UsageError(f"{path}: factor {name} holds {column.dtype} and must hold numbers or names")
    numbers = pd.to_numeric(column, errors="coerce").replace([np.inf, -np.inf], np.nan)
    if numbers.notna().all():
        return factor_column(path, name, numbers, notes)
    if numbers.notna().any():
        row = int(np.flatnonzero(numbers.isna())[0])
        raise UsageError(
            f"{path}: factor {name} holds {column.iloc[row]!r} in row {row + 1} among numbers; leave such rows out, or"
            " write names throughout"
        )
    words, labels = np.unique(column.to_numpy(dtype=str), return_inverse=True)
    notes.append(f"factor {name}: {len(words)} names became 0 … {len(words) - 1} in alphabetical order")
    if missing := [word for word in words.tolist() if word.lower() in MISSING]:
        notes.append(f"factor {name}: {missing[0]!r} is one of its names; leave such rows out if it means no value")
    return labels.astype(np.int64)


def _whole_numbers(path: Path | str, name: str, values: ndarray, notes: list[str]) -> Num[ndarray, " n"]:
    """Whole numbers that double precision holds: those beyond are counted from the least."""
    low, high = int(values.min()), int(values.max())
    if max(-low, high) < EXACT:
        return values.astype(np.int64)
    if high - low >= EXACT:
        raise UsageError(
            f"{path}: factor {name} holds whole numbers from {low} to {high}, more than double precision tells apart:"
            " number them 0, 1, …"
        )
    notes.append(f"factor {name} is counted from {low}")
    return (values - values.min()).astype(np.int64)


def _is_text(column: pd.Series) -> bool:
    return bool(column.map(lambda value: isinstance(value, str)).all())


def _read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    text = read_text(path)
    try:
        rows = (row for row in csv.reader(io.StringIO(text), skipinitialspace=True) if row)
        header, first = next(rows, []), next(rows, None)
    except csv.Error as error:
        raise UsageError(f"{path} cannot be read as a table: {error}") from None
    if not header:
        raise UsageError(f"{path} cannot be read as a table: No columns")
    header = [name.strip() for name in header]
    if twice := sorted({name for name in header if header.count(name) > 1}):
        raise UsageError(f"{path}: two columns are called {twice[0]!r}; give each a name of its own")
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        raise UsageError(f"{path}: its columns are not separated by commas ({header[0]!r})")
    if first is not None and len(first) != len(header):
        raise UsageError(f"{path}: the header names {len(header)} columns, the first row holds {len(first)} values")
    try:
        # Only an empty field is missing: NA, None and nan are names like others. numpy's missing is read as no number.
        return pd.read_csv(
            io.StringIO(text),
            skipinitialspace=True,
            keep_default_na=False,
            na_values=[""],
            low_memory=False,
            index_col=False,
        )
    except (ValueError, OverflowError) as error:  # pandas' own errors are ValueErrors
        raise UsageError(f"{path} cannot be read as a table: {_line(error)}") from None


def _index_apart(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.Index | None]:
    """The index that pandas writes as a first column without a name: labels that tell all rows apart. Where it only
    numbers the rows it stays in the table too, which says that it is left out."""
    import pandas as pd

    first = frame.iloc[:, 0]
    unnamed = re.fullmatch(r"(unnamed: 0|)", str(frame.columns[0]).strip(), re.IGNORECASE)
    labels = first.is_unique and not first.isna().any() and not pd.api.types.is_float_dtype(first)
    if not unnamed or not labels or len(frame.columns) == 1:
        return frame, None
    index = pd.Index(first)
    return frame if numbers_the_rows(index) else frame.iloc[:, 1:], index


def _read_parquet(path: Path) -> tuple[pd.DataFrame, pd.Index | None]:
    """The columns of a file, and pandas' index apart, whose description in the file may be absent or broken."""
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        size = file.metadata.num_rows * file.metadata.num_columns * 8
        if size <= LIMIT:
            table = file.read()
            described = _index_columns(table.schema.metadata or {})
            kept = table.drop([name for name in described if isinstance(name, str) and name in table.column_names])
            return kept.to_pandas(ignore_metadata=True), _index(table, described)
    except Exception as error:  # a parser in C++ and pandas' conversion raise whatever they meet
        raise UsageError(f"{path} cannot be read as a table: {_line(error)}") from None
    raise UsageError(f"{path} takes {size / 2**30:.1f} GiB; tables up to {LIMIT / 2**30:.0f} GiB are read")


def _index_columns(metadata: dict[bytes, bytes]) -> list[Any]:
    """The names of an index's columns; one that only counts is described in their place."""
    try:
        return list(json.loads(metadata.get(b"pandas", b"{}")).get("index_columns", []))
    except (ValueError, AttributeError, TypeError):
        return []  # then the index is a column like others, and known by its values


def _index(table: Table, described: list[Any]) -> pd.Index | None:
    """The index of a table; None where it has none, or its description does not fit."""
    import pandas as pd

    try:
        levels = [
            table.column(each).to_pandas()
            if isinstance(each, str)
            else pd.RangeIndex(each["start"], each["stop"], each["step"])
            for each in described
        ]
        index = pd.MultiIndex.from_arrays(levels) if len(levels) > 1 else pd.Index(levels[0])
        return index if len(index) == table.num_rows else None
    except (ValueError, TypeError, LookupError, OverflowError):
        return None


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

"""Codes and factors from .h5ad files of annotated data: embeddings in `obsm`, observations' columns in `obs`.

Read as anndata lays them out in HDF5 (its "on-disk format", encoding versions 0.1 and 0.2); needs h5py, not anndata.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.reading.array_files import check_size
from benchmark.reading.code_columns import renamed
from benchmark.reading.factor_kinds import Wishes
from benchmark.reading.read_hdf5 import as_saved, opened
from benchmark.reading.read_tables import factor_column

if TYPE_CHECKING:
    import pandas as pd


def read_annotated(
    path: Path, wishes: Wishes, notes: list[str]
) -> tuple[dict[str, ndarray], tuple[str, ...] | None, set[str]]:
    """The codes and factors, the factors' names, and the names of all that the file holds of these.

    Codes are the array of `obsm` that is called `codes`, perhaps by a wish, or else its only one, or else `X`; factors
    are all columns of `obs`, but for those that are dropped. Raises `UsageError` where it is not clear which are the
    codes, and on what cannot be read.
    """
    with opened(path) as file:
        embeddings = [str(name) for name in file.get("obsm", ()) if _is_dense(file["obsm"][name])]
        columns = _columns(file)
        held = [*embeddings, *(["X"] if "X" in file else ()), *columns]
        names = renamed(path, held, wishes)
        chosen = _codes(path, embeddings, names, has_x="X" in file)
        codes = _matrix(path, file, chosen)
        left = [name for name in (*embeddings, "X") if name != chosen and name in held and name not in wishes.drop]
        notes.append(f"{chosen} is the codes" + (f"; {', '.join(left)} left alone" if left else ""))
        factors = {names[name]: _column(path, file["obs"], name) for name in columns if name not in wishes.drop}
    arrays = {"codes": codes}
    if factors:
        read = [factor_column(path, name, column, notes) for name, column in factors.items()]
        arrays["factors"] = np.stack(read, axis=1)
    return arrays, tuple(factors) or None, set(held)


def _codes(path: Path, embeddings: Sequence[str], names: dict[str, str], *, has_x: bool) -> str:
    """Which array holds the codes."""
    if named := [old for old in (*embeddings, *(["X"] if has_x else ())) if names[old] == "codes"]:
        return named[0]
    if len(embeddings) == 1:
        return embeddings[0]
    if not embeddings and has_x:
        return "X"
    raise UsageError(
        f"{path} must hold codes in `obsm`; it holds {', '.join([*embeddings, *(['X'] if has_x else [])]) or 'none'};"
        " say which are the codes by --rename NAME=codes"
    )


def _is_dense(value: Any) -> bool:
    """A table of numbers: a data frame in `obsm` is left alone."""
    return isinstance(value, import_module("h5py").Dataset) and len(value.shape or ()) == 2


def _matrix(path: Path, file: Any, name: str) -> ndarray:
    """An embedding, or X, dense or not."""
    value = file["X"] if name == "X" else file["obsm"][name]
    where = f"{path}: `{name}`"
    if isinstance(value, import_module("h5py").Dataset):
        return as_saved(where, value)
    kind = _word(value.attrs.get("encoding-type", value.attrs.get("h5sparse_format", "")))
    shape = tuple(int(length) for length in value.attrs.get("shape", value.attrs.get("h5sparse_shape", ())))
    if not kind.startswith(("csr", "csc")) or len(shape) != 2:
        raise UsageError(f"{where} is no table of numbers ({kind or 'a group'})")
    from scipy import sparse

    data, indices, pointers = (as_saved(where, value[part]) for part in ("data", "indices", "indptr"))
    check_size(where, shape, data.dtype.itemsize)
    across, along = shape[::-1] if kind.startswith("csr") else shape
    if len(pointers) != along + 1 or (len(indices) and not 0 <= indices.min() <= indices.max() < across):
        raise UsageError(f"{where} is damaged: its indices go beyond its shape {shape}")
    made = sparse.csr_matrix if kind.startswith("csr") else sparse.csc_matrix
    table = made((data, indices, pointers), shape=shape)
    table.check_format(full_check=True)
    dense: ndarray = table.toarray()
    return dense


def _columns(file: Any) -> list[str]:
    """The columns of `obs` in their order, without the one that names the observations."""
    obs = file.get("obs")
    if obs is None or not hasattr(obs, "keys"):
        return []
    order = [_word(name) for name in obs.attrs.get("column-order", sorted(obs.keys()))]
    index = _word(obs.attrs.get("_index", "_index"))
    return [name for name in order if name in obs and name != index and not name.startswith("__")]


def _column(path: Path, obs: Any, name: str) -> pd.Series:
    """A column with words for categories, and nothing where a value is missing."""
    import pandas as pd

    value, where = obs[name], f"{path}: obs column `{name}`"
    if isinstance(value, import_module("h5py").Dataset):
        array = as_saved(where, value)
        older = obs.get("__categories")
        if older is None or name not in older:
            return pd.Series(array)
        return _categories(where, as_saved(where, older[name]), array)
    kind = _word(value.attrs.get("encoding-type", ""))
    if kind == "categorical":
        return _categories(where, as_saved(where, value["categories"]), as_saved(where, value["codes"]))
    if kind.startswith("nullable"):
        values, missing = as_saved(where, value["values"]), as_saved(where, value["mask"]).astype(bool)
        return pd.Series(values).mask(missing) if missing.any() else pd.Series(values)
    raise UsageError(f"{where} holds {kind or 'a group'} and must hold numbers or words; leave it out by --drop {name}")


def _categories(where: str, categories: ndarray, codes: ndarray) -> pd.Series:
    import pandas as pd

    if codes.dtype.kind not in "iu" or (len(codes) and not -1 <= codes.min() <= codes.max() < len(categories)):
        raise UsageError(f"{where} is damaged: it numbers categories that are not there")
    words = [*categories.tolist(), None]  # −1 is a missing value
    return pd.Series([words[code] for code in codes.tolist()])


def _word(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

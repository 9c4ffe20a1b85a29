"""Arrays from MATLAB's files: of version 7.3 by h5py, older ones by their structure (`benchmark.datasets._matlab`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from benchmark.datasets._matlab import read_variables
from benchmark.errors import UsageError
from benchmark.reading.array_files import Held, check_size, with_shape
from benchmark.reading.read_hdf5 import as_saved, held_datasets

NEWER = b"MATLAB 7.3"
"""How a file begins that is HDF5."""


def opened_file(path: Path) -> Held:
    """The variables of a file; what is a row there, such as names or groups, is a list. Raises `UsageError`."""
    try:
        with path.open("rb") as file:
            start = file.read(len(NEWER))
            size = file.seek(0, 2)
            check_size(str(path), (size,), 1)
            if start == NEWER:
                return held_datasets(path, _turned)
            file.seek(0)
            content = file.read()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        variables = read_variables(content)
    except ValueError as error:
        raise UsageError(f"{path} is no MATLAB file, or is damaged: {error}") from None

    def read(names: Sequence[str]) -> dict[str, ndarray]:
        found = {name: variables[name] for name in names}
        for name, value in found.items():
            if isinstance(value, str):
                raise UsageError(f"{path}: `{name}` must hold numbers or names, not {value}")
        return {name: _listed(value) for name, value in found.items() if isinstance(value, ndarray)}

    told = {
        name: name if isinstance(value, str) else with_shape(name, value.shape) for name, value in variables.items()
    }
    return Held(tuple(variables), lambda: told, read)


def _turned(where: str, dataset: Any) -> ndarray:
    """Axes run the other way there: MATLAB's first index is HDF5's last."""
    kind = dataset.attrs.get("MATLAB_class", b"")
    kind = kind.decode() if isinstance(kind, bytes) else str(kind)
    if kind in ("cell", "struct"):
        raise UsageError(f"{where} is a {kind} of MATLAB 7.3; save it as numbers or as a matrix of characters")
    array = as_saved(where, dataset).T
    if kind == "char":
        array = np.array(["".join(map(chr, row)).rstrip() for row in np.atleast_2d(array)], dtype=str)
    return _listed(array)


def _listed(array: ndarray) -> ndarray:
    """A row as a list: MATLAB has no arrays of one axis."""
    return array[0] if array.ndim == 2 and len(array) == 1 else array

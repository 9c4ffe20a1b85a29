"""Arrays from HDF5 files: the datasets that stand at the top of a file, under their names. Needs h5py."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.reading.array_files import Held, check_size, with_shape


def opened_file(path: Path) -> Held:
    """What stands at the top of a file. Raises `UsageError` without h5py, and on what is no HDF5."""
    return held_datasets(path, as_saved)


def held_datasets(path: Path, form: Callable[[str, Any], ndarray]) -> Held:
    """The same, each dataset read by `form(where, dataset)`; a group is named, and cannot be read."""
    with opened(path) as file:
        told = {str(name): _told(file, name) for name in file if _is_own(file, name)}

    def read(wanted: Sequence[str]) -> dict[str, ndarray]:
        with opened(path) as file:
            for name in wanted:
                if not _is_dataset(file, name):
                    raise UsageError(f"{path}: `{name}` is a group, not a dataset; save it as one at the file's top")
            return {name: form(f"{path}: `{name}`", file[name]) for name in wanted}

    return Held(tuple(told), lambda: told, read)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open an HDF5 file; whatever turns out to be wrong with it while it is read is one `UsageError`."""
    try:
        h5py = import_module("h5py")
    except ImportError:
        raise UsageError(f"{path} is read by h5py, which is not installed: pip install h5py") from None
    try:
        with h5py.File(path, "r") as file:
            yield file
    except UsageError:
        raise
    except Exception as error:  # HDF5's library raises whatever it meets in a damaged file
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise UsageError(f"{path} is no HDF5 file, or is damaged ({reason})") from None


def as_saved(where: str, dataset: Any) -> ndarray:
    """A dataset's numbers or words, of a file's own content. Raises `UsageError` on others."""
    h5py = import_module("h5py")
    if dataset.shape is None:
        raise UsageError(f"{where} is empty")
    if dataset.external or dataset.is_virtual:
        raise UsageError(f"{where} lies in another file: copy its content into this one")
    text = h5py.check_string_dtype(dataset.dtype) is not None
    check_size(where, dataset.shape, 4 if text else dataset.dtype.itemsize)
    if text:
        return np.array(dataset.asstr()[()], dtype=str)
    if dataset.dtype.kind not in "fiub":
        raise UsageError(f"{where} must hold numbers or words, not {dataset.dtype}")
    return np.asarray(dataset[()])


def _is_own(file: Any, name: str) -> bool:
    """Whether a name is of the file itself: a link into another is left alone, and so is MATLAB's #refs#."""
    return isinstance(file.get(name, getlink=True), import_module("h5py").HardLink) and not name.startswith("#")


def _is_dataset(file: Any, name: str) -> bool:
    return bool(file.get(name, getclass=True) is import_module("h5py").Dataset)


def _told(file: Any, name: str) -> str:
    return with_shape(name, file[name].shape or ()) if _is_dataset(file, name) else f"{name} (a group)"

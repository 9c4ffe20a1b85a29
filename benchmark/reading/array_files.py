"""Files of named arrays, whatever their format: what they hold, and the arrays asked for. Each format is a module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from math import prod
from pathlib import Path

from numpy import ndarray

from benchmark.datasets._archive import LIMIT, names_of, opened, read_npz
from benchmark.errors import UsageError

MODULES = {
    ".h5": "read_hdf5",
    ".hdf5": "read_hdf5",
    ".mat": "read_matlab",
    ".pt": "read_torch",
    ".pth": "read_torch",
}
"""The module of a format, imported where a file of it is read: `opened_file(path)` gives a `Held`."""
ENDINGS = (".npz", *MODULES)


@dataclass(frozen=True)
class Held:
    """What a file holds.

    `told`: each array's name, with its shape where that can be told. `read(names)` gives those arrays as they are in
    the file and raises `UsageError` where one cannot be read.
    """

    names: tuple[str, ...]
    told: Callable[[], Mapping[str, str]]
    read: Callable[[Sequence[str]], dict[str, ndarray]]


def open_arrays(path: Path) -> Held:
    """What a file of one of these endings holds. Raises `UsageError` on what is no such file."""
    ending = path.suffix.lower()
    if ending == ".npz":
        return _npz(path)
    held: Held = import_module(f"{__package__}.{MODULES[ending]}").opened_file(path)
    return held


def check_size(where: str, shape: Sequence[int], itemsize: int) -> None:
    """Raise `UsageError` on an array that takes more than memory should be given for."""
    if (size := prod(shape) * itemsize) > LIMIT:
        raise UsageError(f"{where} takes {size / 2**30:.1f} GiB; arrays up to {LIMIT / 2**30:.0f} GiB are read")


def with_shape(name: str, shape: Sequence[int]) -> str:
    """Such as: codes (1000, 10)."""
    return f"{name} ({', '.join(map(str, shape))})"


def _npz(path: Path) -> Held:
    with opened(path) as archive:
        names = tuple(name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy"))

    def told() -> Mapping[str, str]:
        with opened(path) as archive:
            return names_of(archive)

    return Held(names, told, lambda wanted: read_npz(path, list(wanted)))

"""Arrays from .npz archives of other people's making, read without unpickling."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import numpy as np
from numpy import ndarray

from benchmark.errors import UsageError


def read_npz(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, ndarray]:
    """The named arrays of an archive; optional ones may be missing.

    Raises `UsageError` for a file that is absent, truncated or no archive, a missing array, and pickled content.
    """
    with opened(path) as archive:
        present = _names(archive)
        names = [*required, *(name for name in optional if name in present)]
        arrays = {}
        for name in names:
            with member(path, archive, name) as file:
                arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
        return arrays


def read_header(file: zipfile.ZipExtFile) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of the .npy array that an open file starts with; leaves the file at the array's content."""
    versions = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in versions:
        raise ValueError(f"unknown version {version} of the .npy format")
    shape, _, dtype = versions[version](file)
    return shape, dtype


def member(path: Path, archive: zipfile.ZipFile, name: str) -> zipfile.ZipExtFile:
    """Open one array of an archive. Raises `UsageError` where it is missing."""
    names = _names(archive)
    if name not in names:
        raise UsageError(f"{path} must hold an array `{name}`; it holds {', '.join(names) or 'nothing'}")
    return cast("zipfile.ZipExtFile", archive.open(f"{name}.npy"))


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive; whatever turns out to be wrong with it while it is read is one `UsageError`."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise UsageError(f"{path} is no .npz archive, or is truncated or damaged: {error}") from None
    except (zlib.error, EOFError) as error:
        raise UsageError(f"{path} is damaged: {error}") from None
    except ValueError as error:
        raise UsageError(f"{path} holds what cannot be read without unpickling, or is damaged: {error}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None


def _names(archive: zipfile.ZipFile) -> list[str]:
    return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]

"""Arrays from .npz archives and .npy files of other people's making, read without unpickling."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BufferedIOBase
from math import prod
from pathlib import Path
from typing import cast

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

from benchmark.errors import UsageError

LIMIT = 4 * 2**30
"""Bytes of the largest array that is read whole. All of dSprites, a byte a pixel, takes 3.0e9."""
CHUNK = 2**24


def read_npz(path: Path, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, ndarray]:
    """The named arrays of an archive; optional ones may be missing.

    Raises `UsageError` for a file that is absent, truncated, altered or no archive, a missing array, pickled content,
    and an array of more than 4 GiB.
    """
    with opened(path) as archive:
        present = _names(archive)
        names = [*required, *(name for name in optional if name in present)]
        arrays = {}
        for name in names:
            with member(path, archive, name) as file:
                arrays[name] = _read_array(file, archive.getinfo(f"{name}.npy").file_size, f"{path}: `{name}`")
        return arrays


def read_npy(path: Path) -> ndarray:
    """The array of a .npy file. Raises `UsageError` as `read_npz` does, and where more follows the array."""
    with _said(path, ".npy array"), path.open("rb") as file:
        return _read_array(file, os.fstat(file.fileno()).st_size, f"{path}")


def read_header(file: BufferedIOBase) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and dtype of the .npy array that an open file starts with; leaves the file at the array's content."""
    return _header(file)[:2]


def names_of(archive: zipfile.ZipFile) -> dict[str, str]:
    """What an archive holds for people: each array's name, with its shape where that can be told."""
    found = {}
    for name in _names(archive):
        try:
            with archive.open(f"{name}.npy") as file:
                found[name] = f"{name} {read_header(cast('BufferedIOBase', file))[0]}".replace(",)", ")")
        except (ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError):
            found[name] = f"{name} (unreadable)"
    return found


def member(path: Path, archive: zipfile.ZipFile, name: str) -> zipfile.ZipExtFile:
    """Open one array of an archive. Raises `UsageError` where it is missing or compressed as numpy does not."""
    names = _names(archive)
    if name not in names:
        raise UsageError(f"{path} must hold an array `{name}`; it holds {', '.join(names) or 'nothing'}")
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
        raise UsageError(f"{path}: `{name}` is encrypted or compressed as numpy does not: save it by np.savez")
    return cast("zipfile.ZipExtFile", archive.open(info))


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive; whatever turns out to be wrong with it while it is read is one `UsageError`."""
    with _said(path, ".npz archive"), zipfile.ZipFile(path) as archive:
        yield archive


@contextmanager
def _said(path: Path, kind: str) -> Iterator[None]:
    try:
        yield
    except zipfile.BadZipFile as error:
        raise UsageError(f"{path} is no {kind}, or is truncated or damaged: {error}") from None
    except (zlib.error, EOFError, struct.error, OverflowError) as error:
        raise UsageError(f"{path} is damaged: {error}") from None
    except (ValueError, NotImplementedError) as error:
        raise UsageError(f"{path} is no {kind}, or is damaged: {error}") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None


def _names(archive: zipfile.ZipFile) -> list[str]:
    return [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]


def _read_array(file: BufferedIOBase, size: int, where: str) -> ndarray:
    """The array that a file of `size` bytes consists of. Raises `UsageError`, or what the file raises."""
    start = file.tell()
    shape, dtype, fortran = _header(file)
    if dtype.hasobject:
        raise UsageError(f"{where} holds what cannot be read without unpickling: Python objects, not numbers")
    wanted, there = prod(shape) * dtype.itemsize, size - (file.tell() - start)
    if wanted != there:
        raise UsageError(
            f"{where} is damaged: its header says {wanted:,} bytes ({dtype} of shape {shape}), it holds {there:,}"
        )
    if wanted > LIMIT:
        raise UsageError(f"{where} takes {wanted / 2**30:.1f} GiB; arrays up to {LIMIT / 2**30:.0f} GiB are read")
    content = np.empty(wanted, np.uint8)
    done = 0
    while done < wanted:
        read = file.readinto(content.data[done : done + CHUNK])
        if not read:
            raise UsageError(f"{where} is damaged: it ends after {done:,} of {wanted:,} bytes")
        done += read
    file.read(1)  # an archive compares its checksum where it meets the end
    if dtype.kind == "U" and not _is_text(content.view(f"{dtype.str[0]}u4")):
        raise UsageError(f"{where} is damaged: it holds what is no text")
    return content.view(dtype).reshape(shape, order="F" if fortran else "C") if wanted else np.empty(shape, dtype)


def _is_text(points: Integer[ndarray, " n"]) -> bool:
    """Whether all are characters of Unicode: Python's text dies of others, or cannot be printed."""
    return bool(((points < 0xD800) | ((points > 0xDFFF) & (points < 0x110000))).all())


def _header(file: BufferedIOBase) -> tuple[tuple[int, ...], np.dtype, bool]:
    """Shape, dtype and whether the first index runs fastest. Raises `ValueError`."""
    readers: dict[tuple[int, int], Callable[..., tuple[tuple[int, ...], bool, np.dtype]]] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    version = np.lib.format.read_magic(file)
    if version not in readers:
        raise ValueError(f"unknown version {version} of the .npy format")
    try:
        shape, fortran, dtype = readers[version](file)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
        raise
    except Exception as error:  # the header is Python's syntax: its parser raises whatever it meets
        raise ValueError(f"its header is damaged: {str(error).splitlines()[0] if str(error) else error!r}") from None
    if dtype.subdtype is not None or any(not 0 <= length < 2**62 for length in shape) or len(shape) > 32:
        raise ValueError(f"its header is damaged: {dtype} of shape {shape}")
    return shape, dtype, fortran

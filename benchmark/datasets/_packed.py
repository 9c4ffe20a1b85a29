"""Binary images kept as bits: an eighth of the memory, shared by all processes that read the same file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from jaxtyping import Integer, UInt8
from numpy import ndarray

from benchmark.datasets._files import publish
from benchmark.errors import UsageError


@dataclass(frozen=True)
class PackedImages:
    """Square one-channel images of 0 and 1, one bit a pixel (`np.packbits` in C order); rows unpack when asked for."""

    packed: UInt8[ndarray, "N bytes"]
    resolution: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.packed), 1, self.resolution, self.resolution)

    def __len__(self) -> int:
        return len(self.packed)

    def __getitem__(self, rows: Integer[ndarray, " n"] | slice) -> UInt8[ndarray, "n 1 r r"]:
        return np.unpackbits(self.packed[rows], axis=1).reshape(-1, *self.shape[1:])


def write(path: Path, shape: tuple[int, int], blocks: Iterable[UInt8[ndarray, "m bytes"]]) -> None:
    """Write packed images (N × bytes) as an .npy file, whole or not at all. Raises `UsageError` for want of room."""
    try:
        publish(path, _npy(shape, blocks))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error}): it takes {shape[0] * shape[1] / 1e6:.0f} MB;"
            " make room, or set BENCHMARK_CACHE to another folder"
        ) from None


def read(path: Path, shape: tuple[int, int]) -> UInt8[ndarray, "N bytes"]:
    """Map a written file into memory. Raises `UsageError` where it is damaged."""
    try:
        packed: ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # the header is Python's syntax: numpy's parser raises whatever it meets
        raise UsageError(f"{path} is damaged ({error}); delete it, and it is made again") from None
    if packed.shape != shape or packed.dtype != np.uint8:
        raise UsageError(f"{path} is damaged (it holds {packed.dtype} {packed.shape}); delete it, and it is made again")
    return packed


def _npy(shape: tuple[int, int], blocks: Iterable[ndarray]) -> Iterator[bytes]:
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    yield header.getvalue()
    for block in blocks:
        yield block.tobytes()

"""Small NORB: 50 toys of five categories under 9 elevations, 18 azimuths and 6 lightings (LeCun et al. 2004)."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Integer, UInt8
from numpy import ndarray

from benchmark.datasets._files import RemoteFile
from benchmark.datasets._published import BLOCK, PublishedGrid, resized
from benchmark.errors import UsageError
from benchmark.spec import static

URL = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"
PARTS = {
    "smallnorb-5x46789x9x18x6x2x96x96-training": (
        "5ffd6272a07d32695ee1082a26a41a93a37aab8c28da047f8c34ed348d214873",
        "2784e542c1922060691090952b6cd6278879a216c90f81476f0f00256d42cdaa",
        "de7eb932ebe7a4ee16217fead60660d0eb3d23632c2f4d1c51f88c501c17bf32",
    ),
    "smallnorb-5x01235x9x18x6x2x96x96-testing": (
        "cf7104eed3e51174d2f65b66d1e5878b9da233b886f161b0d88f4510ba2c7474",
        "ecaf6d5bb8c3bc5eab9cf0258f6d2198dd474e016e374836fc097f2e5ff509ff",
        "16adf314226327ee006d1a44db8cfef52773c06c829951d5653a9f6f310248a2",
    ),
}
"""The digests of each part's images, categories and other factors, as TensorFlow Datasets pins them."""
SIDE = 96
"""Side of the published images in pixels."""
TYPES = {0x1E3D4C55: "u1", 0x1E3D4C54: "<i4"}
"""Magic numbers of the format, for bytes and for 32-bit integers."""


class Smallnorb(PublishedGrid):
    """48,600 grey images (N 1 r r) by the first of two cameras: the training and the test part together.

    Every combination of category 5, instance 10, elevation 9, azimuth 18 and lighting 6 comes once. An instance is one
    toy of its category: number 3 is another toy in each. Locatello et al. draw it at random and score the other four
    factors. Smaller images are averages over area; theirs, of 64 too, are by Lanczos' filter.
    """

    class Settings(PublishedGrid.Settings):
        resolution: Literal[32, 64, 96] = static(64, "side of the images in pixels")

    files = tuple(
        RemoteFile("smallnorb", f"{part}-{kind}.mat.gz", f"{URL}{part}-{kind}.mat.gz", sha256)
        for part, digests in PARTS.items()
        for kind, sha256 in zip(("dat", "cat", "info"), digests, strict=True)
    )
    name = "smallnorb"
    factor_names = ("category", "instance", "elevation", "azimuth", "lighting")
    factor_sizes = (5, 10, 9, 18, 6)
    settings: Settings

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (1, self.settings.resolution, self.settings.resolution)

    def unpack(self, paths: list[Path]) -> Iterator[UInt8[ndarray, "m 1 r r"]]:
        parts = [self._part(*paths[start : start + 3]) for start in (0, 3)]
        images, factors = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        place = np.ravel_multi_index(tuple(factors.T), self.factor_sizes)
        if len(np.unique(place)) < len(place) or len(place) != prod(self.factor_sizes):
            raise UsageError(f"{paths[2]} and {paths[5]} do not name every combination of factors once")
        order = np.argsort(place)
        for start in range(0, len(order), BLOCK):
            yield images[order[start : start + BLOCK]]

    def _part(self, dat: Path, cat: Path, info: Path) -> tuple[UInt8[ndarray, "n 1 r r"], Integer[ndarray, "n 5"]]:
        """One part's images by the first camera, and their factors as indices."""
        pairs, categories, others = read_matrix(dat), read_matrix(cat), read_matrix(info)
        n = len(pairs)
        if pairs.shape != (n, 2, SIDE, SIDE) or categories.shape != (n,) or others.shape != (n, 4):
            raise UsageError(f"{dat}, {cat} and {info} hold {pairs.shape}, {categories.shape} and {others.shape}")
        # Azimuths are even numbers, in tens of degrees.
        factors = np.column_stack([categories, others]).astype(np.int64) // [1, 1, 1, 2, 1]
        if (factors < 0).any() or (factors >= self.factor_sizes).any():
            raise UsageError(f"{cat} or {info} holds factors out of range; fetch it again")
        return resized(pairs[:, :1], self.settings.resolution), factors


def read_matrix(path: Path) -> Integer[ndarray, ...]:
    """Read a gzipped matrix of bytes or integers. Raises `UsageError` where it is truncated or of another format.

    A magic number, the number of dimensions, at least three sizes, then the content; low bytes first.
    """
    try:
        with gzip.open(path) as file:
            content = file.read()
    except (EOFError, OSError, zlib.error) as error:
        raise UsageError(f"{path} is truncated or damaged ({error}); delete it and fetch it again") from None
    magic, dimensions = struct.unpack_from("<II", content) if len(content) >= 8 else (0, 0)
    start = 8 + 4 * max(3, dimensions)
    if magic not in TYPES or dimensions > 32 or len(content) < start:
        raise UsageError(f"{path} is no NORB matrix of bytes or integers; delete it and fetch it again")
    shape, dtype = struct.unpack_from(f"<{dimensions}I", content, 8), np.dtype(TYPES[magic])
    if len(content) - start != prod(shape) * dtype.itemsize:
        raise UsageError(f"{path} holds {len(content) - start} bytes, its header says {shape} {dtype}; fetch it again")
    return np.frombuffer(content, dtype, offset=start).reshape(shape)

"""Cars3D: 183 car models, each seen from 4 elevations and 24 azimuths (Reed et al. 2015)."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from benchmark.datasets._files import RemoteFile
from benchmark.datasets._matlab import LIMIT, read_bytes
from benchmark.datasets._published import PublishedGrid, resized
from benchmark.errors import UsageError
from benchmark.spec import static

SIDE = 128
"""Side of the published images in pixels."""


class Cars3d(PublishedGrid):
    """17,568 colour images (N 3 r r) over elevation 4, azimuth 24 and object type 183, in the order of the cars' names.

    One MATLAB file a car, data/cars/*.mat, with `im` (128 128 3 azimuth elevation). Smaller images are averages of
    blocks of pixels; Locatello et al. take 64 too, by Lanczos' filter. No digest is published.
    """

    class Settings(PublishedGrid.Settings):
        resolution: Literal[32, 64, 128] = static(64, "side of the images in pixels")

    files = (
        RemoteFile(
            "cars3d",
            "nips2015-analogy-data.tar.gz",
            "http://www.scottreed.info/files/nips2015-analogy-data.tar.gz",
            None,
        ),
    )
    name = "cars3d"
    factor_names = ("elevation", "azimuth", "object_type")
    factor_sizes = (4, 24, 183)
    settings: Settings

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (3, self.settings.resolution, self.settings.resolution)

    def unpack(self, paths: list[Path]) -> Iterator[UInt8[ndarray, "m 3 r r"]]:
        (path,) = paths
        elevations, azimuths, types = self.factor_sizes
        cars = {}
        for name, content in _matlab_files(path):
            im = _images(path, name, content)
            if im.shape != (SIDE, SIDE, 3, azimuths, elevations) or im.dtype != np.uint8:
                raise UsageError(f"{path}: im of {name} is {im.dtype} {im.shape}, not the published images")
            views = im.transpose(4, 3, 2, 0, 1).reshape(-1, 3, SIDE, SIDE)
            cars[name] = resized(views, self.settings.resolution)
        if len(cars) != types:
            raise UsageError(f"{path} holds {len(cars)} cars in data/cars, not {types}; delete it and fetch it again")
        for view in range(elevations * azimuths):
            yield np.stack([cars[name][view] for name in sorted(cars)])


def _matlab_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of every cars/*.mat, in one pass over the archive to its very end, where its checksum is."""
    try:
        with gzip.open(path) as unzipped:
            with tarfile.open(fileobj=unzipped, mode="r|") as archive:
                for entry in archive:
                    name = PurePosixPath(entry.name)
                    if name.parent.name != "cars" or name.suffix != ".mat":
                        continue
                    if entry.size > LIMIT:
                        raise UsageError(f"{path}: {name.name} of {entry.size:,} bytes is none of the published files")
                    if file := archive.extractfile(entry):
                        yield name.name, file.read()
            while unzipped.read(2**20):
                pass
    # A damaged header is a ValueError or worse inside tarfile.
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError, KeyError) as error:
        raise UsageError(f"{path} is truncated or damaged ({error}); delete it and fetch it again") from None


def _images(path: Path, name: str, content: bytes) -> UInt8[ndarray, ...]:
    try:
        return read_bytes(content, "im")
    except ValueError as error:
        raise UsageError(f"{path}: {name} is no MATLAB file with an array `im` ({error})") from None

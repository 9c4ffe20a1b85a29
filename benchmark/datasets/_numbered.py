"""NVIDIA's rendered rooms: an archive of numbered pictures, of every combination of factors one (Nie et al. 2020)."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from math import prod
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from benchmark.datasets import _published
from benchmark.datasets._published import PublishedGrid, resized
from benchmark.errors import UsageError
from benchmark.spec import static

SIDE = 128
"""Side of the smaller published images in pixels."""
LABELS = ("labels.npy", "train-rec.labels")
"""How the authors call the array of the factors' values (N k), each from 0 to 1."""
MOST = 2**28
"""Bytes of the largest array of labels that is read."""


class NumberedGrid(PublishedGrid):
    """Colour images (N 3 r r), in the archive images/000000.png, 000001.png, … in C order over the factors.

    Where the archive holds the authors' labels too, they must run in that order. Smaller images are averages of blocks
    of pixels.
    """

    class Settings(PublishedGrid.Settings):
        resolution: Literal[32, 64, 128] = static(64, "side of the images in pixels")

    settings: Settings

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return (3, self.settings.resolution, self.settings.resolution)

    def unpack(self, paths: list[Path]) -> Iterator[UInt8[ndarray, "m 3 r r"]]:
        (path,) = paths
        count = prod(self.factor_sizes)
        try:
            with zipfile.ZipFile(path) as archive:
                members = _pictures(path, archive, count)
                self._check_labels(path, archive)
                for start in range(0, count, _published.BLOCK):
                    some = members[start : start + _published.BLOCK]
                    images = np.stack([_picture(path, archive, name) for name in some])
                    yield resized(images.transpose(0, 3, 1, 2), self.settings.resolution)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise UsageError(f"{path} is truncated or damaged ({error}); delete it and fetch it again") from None

    def _check_labels(self, path: Path, archive: zipfile.ZipFile) -> None:
        """Raise `UsageError` where there are labels that do not run through the factors in C order."""
        for info in archive.infolist():
            if PurePosixPath(info.filename).name not in LABELS:
                continue
            if info.file_size > MOST:
                raise UsageError(f"{path}: {info.filename} of {info.file_size:,} bytes is none of the published files")
            with archive.open(info) as file:
                labels = _labels(path, info.filename, file)
            grid = np.indices(self.factor_sizes).reshape(len(self.factor_sizes), -1)
            fits = labels.shape == grid.T.shape and all(
                np.array_equal(np.unique(column, return_inverse=True)[1], expected)
                for column, expected in zip(labels.T, grid, strict=True)
            )
            if not fits:
                raise UsageError(
                    f"{path}: {info.filename} {labels.shape} does not run through {', '.join(self.factor_names)}"
                    " in C order, as the pictures' numbers do"
                )


def _pictures(path: Path, archive: zipfile.ZipFile, count: int) -> list[str]:
    """The pictures' names in the archive by their numbers."""
    found: dict[int, str] = {}
    for name in archive.namelist():
        place = PurePosixPath(name)
        if place.suffix == ".png" and place.parent.name == "images" and place.stem.isdecimal():
            found[int(place.stem)] = name
    if found.keys() != set(range(count)):
        raise UsageError(
            f"{path} holds {len(found):,} numbered pictures images/*.png, not {count:,} from 0 on; it is another"
            " archive, or not all of it"
        )
    return [found[index] for index in range(count)]


def _picture(path: Path, archive: zipfile.ZipFile, name: str) -> UInt8[ndarray, "h w 3"]:
    from PIL import Image

    try:
        with archive.open(name) as file, Image.open(file, formats=("PNG",)) as image:
            if image.size != (SIDE, SIDE) or image.mode not in ("RGB", "RGBA"):
                raise UsageError(f"{path}: {name} is {image.mode} of {image.size} pixels, not RGB of {(SIDE, SIDE)}")
            return np.asarray(image.convert("RGB"))
    except (UsageError, zipfile.BadZipFile):
        raise
    except Exception as error:  # Pillow raises whatever it meets in a damaged picture
        raise UsageError(f"{path}: {name} is no picture, or is damaged ({error})") from None


def _labels(path: Path, name: str, file: Any) -> ndarray:
    try:
        labels = np.lib.format.read_array(file, allow_pickle=False)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
        raise
    except Exception as error:  # the header is Python's syntax: numpy's parser raises whatever it meets
        reason = str(error).splitlines()[0] if str(error) else repr(error)
        raise UsageError(f"{path}: {name} is no array ({reason})") from None
    return np.asarray(labels)

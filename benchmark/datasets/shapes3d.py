"""3D Shapes: 480,000 rendered rooms with one object, over six factors (Burgess & Kim 2018; HDF5, needs h5py)."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from benchmark.datasets._files import RemoteFile
from benchmark.datasets._published import BLOCK, PublishedGrid
from benchmark.errors import UsageError

SIDE = 64
"""Side of the images in pixels."""


class Shapes3d(PublishedGrid):
    """Colour images (N 3 64 64) over floor, wall and object hue 10 each, scale 8, shape 4 and orientation 15.

    Factors are indices of the published values, ascending. Unpacked the images take 5.9 GB; only unpacking needs h5py.
    """

    files = (
        RemoteFile(
            "shapes3d",
            "3dshapes.h5",
            "https://storage.googleapis.com/3d-shapes/3dshapes.h5",
            # As TensorFlow Datasets pins it.
            "0a0f6ed98baff276a50f3a081a7434d788da63cb135a98189b2a5b5769be1785",
        ),
    )
    name = "shapes3d"
    factor_names = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
    factor_sizes = (10, 10, 10, 8, 4, 15)
    image_shape = (3, SIDE, SIDE)

    def unpack(self, paths: list[Path]) -> Iterator[UInt8[ndarray, "m 3 h w"]]:
        try:
            h5py = import_module("h5py")
        except ImportError:
            raise UsageError("3dshapes.h5 is read by h5py, which is not installed: pip install h5py") from None
        (path,) = paths
        count = prod(self.factor_sizes)
        try:
            with h5py.File(path, "r") as file:
                images, labels = file["images"], file["labels"]
                if images.shape != (count, SIDE, SIDE, 3) or images.dtype != np.uint8 or not self._in_order(labels[:]):
                    raise UsageError(f"{path}: images is {images.dtype} {images.shape}, or labels are in another order")
                for start in range(0, count, BLOCK):
                    yield images[start : start + BLOCK].transpose(0, 3, 1, 2)
        except UsageError:
            raise
        except Exception as error:  # HDF5's library raises whatever it meets in a damaged file
            raise UsageError(f"{path} is damaged, or is not the published file: {error}") from None

    def _in_order(self, labels: ndarray) -> bool:
        """Whether labels (N 6) run through every combination of their values in C order."""
        if labels.shape != (prod(self.factor_sizes), len(self.factor_sizes)):
            return False
        grid = np.indices(self.factor_sizes).reshape(len(self.factor_sizes), -1)
        return all(
            np.array_equal(np.unique(column, return_inverse=True)[1], expected)
            for column, expected in zip(labels.T, grid, strict=True)
        )

"""What MPI3D's kinds share: one array of images in an archive, in C order over seven factors (Gondal et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from benchmark.datasets import _published
from benchmark.datasets._archive import member, opened, read_header
from benchmark.datasets._published import PublishedGrid
from benchmark.errors import UsageError

SIDE = 64
"""Side of the images in pixels."""


class RobotArm(PublishedGrid):
    """Colour images (N 3 64 64) of a robot arm that holds an object."""

    factor_names = (
        "object_color",
        "object_shape",
        "object_size",
        "camera_height",
        "background_color",
        "horizontal_axis",
        "vertical_axis",
    )
    image_shape = (3, SIDE, SIDE)

    def unpack(self, paths: list[Path]) -> Iterator[UInt8[ndarray, "m 3 h w"]]:
        (path,) = paths
        count, size = prod(self.factor_sizes), SIDE * SIDE * 3
        with opened(path) as archive, member(path, archive, "images") as file:
            shape, dtype = read_header(file)
            # The axes of the factors may be one or seven.
            if prod(shape[:-3]) != count or shape[-3:] != (SIDE, SIDE, 3) or dtype != np.uint8:
                raise UsageError(f"{path}: images is {dtype} {shape}, expected uint8 {(count, SIDE, SIDE, 3)}")
            for start in range(0, count, _published.BLOCK):
                pixels = np.frombuffer(file.read(min(_published.BLOCK, count - start) * size), np.uint8)
                yield pixels.reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2)

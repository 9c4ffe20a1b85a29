"""MPI3D: a robot arm that holds an object, drawn, rendered or photographed, over seven factors (Gondal et al. 2019)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from benchmark.datasets._archive import member, opened, read_header
from benchmark.datasets._files import RemoteFile
from benchmark.datasets._published import BLOCK, PublishedGrid
from benchmark.errors import UsageError
from benchmark.spec import static

KINDS = ("toy", "realistic", "real")
SIDE = 64
"""Side of the images in pixels."""


class Mpi3d(PublishedGrid):
    """1,036,800 colour images (N 3 64 64) of one kind: `toy` drawings, `realistic` renderings or `real` photographs.

    Factors: object colour 6, shape 6 and size 2, camera height 3, background colour 3, and the arm's two axes, 40 each.
    A kind takes 12.7 GB, and unpacked, with its channels first, as much again. `benchmark data fetch mpi3d --set
    kind=toy` fetches one. No digest is published.
    """

    class Settings(PublishedGrid.Settings):
        kind: Literal["toy", "realistic", "real"] = static("real", "drawings, renderings or photographs")

    files = tuple(
        RemoteFile(
            "mpi3d",
            f"mpi3d_{kind}.npz",
            f"https://storage.googleapis.com/disentanglement_dataset/Final_Dataset/mpi3d_{kind}.npz",
            None,
        )
        for kind in KINDS
    )
    name = "mpi3d"
    factor_names = (
        "object_color",
        "object_shape",
        "object_size",
        "camera_height",
        "background_color",
        "horizontal_axis",
        "vertical_axis",
    )
    factor_sizes = (6, 6, 2, 3, 3, 40, 40)
    image_shape = (3, SIDE, SIDE)
    settings: Settings

    def wanted(self) -> Sequence[RemoteFile]:
        """The file of the chosen kind."""
        return (self.files[KINDS.index(self.settings.kind)],)

    def unpack(self, paths: list[Path]) -> Iterator[UInt8[ndarray, "m 3 h w"]]:
        (path,) = paths
        count, size = prod(self.factor_sizes), SIDE * SIDE * 3
        with opened(path) as archive, member(path, archive, "images") as file:
            shape, dtype = read_header(file)
            # The axes of the factors may be one or seven.
            if prod(shape[:-3]) != count or shape[-3:] != (SIDE, SIDE, 3) or dtype != np.uint8:
                raise UsageError(f"{path}: images is {dtype} {shape}, expected uint8 {(count, SIDE, SIDE, 3)}")
            for start in range(0, count, BLOCK):
                pixels = np.frombuffer(file.read(min(BLOCK, count - start) * size), np.uint8)
                yield pixels.reshape(-1, SIDE, SIDE, 3).transpose(0, 3, 1, 2)

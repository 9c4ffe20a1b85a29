"""What the field's other sets share: one image of every combination of factors, unpacked once into the cache."""

from __future__ import annotations

import secrets
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from benchmark.datasets import _packed
from benchmark.datasets._alignment import check_alignment
from benchmark.datasets._dataset import Data, blank_grid
from benchmark.datasets._files import cache_dir, obtain, put_in_place, remembered_sha256
from benchmark.datasets._grid import Grid
from benchmark.datasets._shift import ShiftSettings, shifted
from benchmark.spec import digest

BLOCK = 1_000
"""Images that are converted together."""


class PublishedGrid(Grid):
    """Images (N c h w) of which 255 is white, in C order over the factors. All are trained on and scored.

    The authors' archives cannot be read image by image. At the first use the images are written as they are needed,
    uncompressed, into a file in the cache, which all processes map into memory; the archive is not read again. That
    they are of the factors which their order says is checked then, by how alike they look.
    """

    name: ClassVar[str]
    factor_names: ClassVar[tuple[str, ...]]
    factor_sizes: ClassVar[tuple[int, ...]]

    @property
    def sizes(self) -> Mapping[str, int]:
        return dict(zip(self.factor_names, self.factor_sizes, strict=True))

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """(c, h, w) at these settings."""

    @abstractmethod
    def unpack(self, paths: list[Path]) -> Iterator[UInt8[ndarray, "m c h w"]]:
        """All images in C order over the factors, in blocks. Raises `UsageError` for files of other content."""

    def blank(self) -> Data:
        grid = blank_grid(self.image_shape, self.factor_sizes, 255)
        return shifted(replace(grid, factor_names=self.factor_names), self.settings)

    def load(self, data_dir: Path | None = None) -> Data:
        """Map the unpacked images into memory. Raises `UsageError` where a file cannot be had."""
        own = [
            key
            for key, info in type(self.settings).model_fields.items()
            if info.default != getattr(self.settings, key) and key not in ShiftSettings.model_fields
        ]
        command = " ".join([self.name, *(f"--set {key}={getattr(self.settings, key)}" for key in own)])
        paths = obtain(self.name, self.wanted(), data_dir, command)
        count, size = prod(self.factor_sizes), prod(self.image_shape)
        source = digest([remembered_sha256(path) for path in paths])
        kind = "x".join(map(str, self.image_shape))
        path = cache_dir() / self.name / f"unpacked-v{self.version}-{kind}-{source}.npy"
        if not path.exists():
            self._write(path, paths)
        rows = np.arange(count)
        data = Data(
            images=_packed.read(path, (count, size)).reshape(count, *self.image_shape),
            factors=np.ascontiguousarray(np.indices(self.factor_sizes).reshape(len(self.factor_sizes), -1).T),
            factor_names=self.factor_names,
            factor_sizes=self.factor_sizes,
            training_rows=rows,
            evaluation_rows=rows,
            grid=True,
            maximum=255,
        )
        return shifted(data, self.settings)

    def _write(self, path: Path, paths: list[Path]) -> None:
        """Unpack the images into a file, which is there only once they are found to fit the factors."""
        shape = (prod(self.factor_sizes), prod(self.image_shape))
        scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unchecked")
        blocks = (block.reshape(len(block), shape[1]) for block in self.unpack(paths))
        try:
            _packed.write(scratch, shape, blocks)
            check_alignment(paths[0], _packed.read(scratch, shape), self.factor_sizes)
            put_in_place(scratch, path)
        finally:
            scratch.unlink(missing_ok=True)


def resized(images: UInt8[ndarray, "m c h h"], side: int) -> UInt8[ndarray, "m c r r"]:
    """Smaller square images: each pixel is the average over the area that it covers, rounded."""
    if images.shape[2] == side:
        return images
    weights = _areas(images.shape[2], side)
    blocks = (images[start : start + BLOCK] for start in range(0, len(images), BLOCK))
    return np.concatenate([np.rint(weights @ block @ weights.T).astype(np.uint8) for block in blocks])


def _areas(old: int, new: int) -> Float[ndarray, "new old"]:
    """The share of each old pixel in each new one, along one axis."""
    edges = np.arange(new + 1) * old / new
    pixels = np.arange(old)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (np.clip(overlap, 0, None) * new / old).astype(np.float32)

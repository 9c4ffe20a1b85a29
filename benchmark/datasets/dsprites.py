"""dSprites: 737,280 binary images of a square, an ellipse and a heart, drawn here from their five factors.

Nothing is downloaded: images are drawn (`_sprites`). Where the published archive is found, its images are used instead;
one image in about ten thousand differs, by a pixel. The archive's factor of constant colour is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Integer, UInt8
from numpy import ndarray
from pydantic import AfterValidator

from benchmark.datasets import _packed, _sprites
from benchmark.datasets._archive import member, opened, read_header
from benchmark.datasets._dataset import Data, Images
from benchmark.datasets._files import RemoteFile, cache_dir, find
from benchmark.datasets._grid import Grid
from benchmark.datasets._packed import PackedImages
from benchmark.datasets._shift import shifted
from benchmark.datasets._sprites import NAMES, render
from benchmark.errors import UsageError
from benchmark.spec import static

__all__ = ["ARCHIVE", "Dsprites", "render"]

ARCHIVE = RemoteFile(
    "dsprites",
    "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
    "https://github.com/google-deepmind/dsprites-dataset/raw/master/dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
    None,
)
"""The published archive. Its authors give no digest, so every image of it is compared with the drawn one instead."""

IN_MEMORY = 50_000
"""Images: smaller grids are drawn at each load, larger ones once, into a file of bits that all processes share."""

TOLERANCE = 1e-3
"""Share of the archive's images that may differ from the drawn ones; about 1e-4 do."""

REMEDY = "delete it, and dsprites is drawn instead"


def _within_sizes(stride: tuple[int, ...]) -> tuple[int, ...]:
    for name, size, step in zip(NAMES, _sprites.SIZES, stride, strict=True):
        if not 1 <= step <= size:
            raise ValueError(f"the stride of {name} is from 1 to {size}, not {step}")
    return stride


class Dsprites(Grid):
    """Every combination of shape 3, scale 6, orientation 40, posX 32, posY 32, or of every `stride`-th value of each.

    Images (N 1 r r) of 0 and 1; factors are indices into the values kept. Resolution 32 is always drawn: the same
    outlines on a coarser grid, not averages of the larger images. Orientation goes round: 39, where it is kept, is the
    picture of 0, and counts as seen where a split trains on that.
    """

    class Settings(Grid.Settings):
        resolution: Literal[32, 64] = static(64, "side of the images in pixels")
        stride: Annotated[tuple[int, int, int, int, int], AfterValidator(_within_sizes)] = static(
            (1, 1, 1, 1, 1), "keep every n-th value of shape, scale, orientation, posX and posY"
        )

    files = (ARCHIVE,)
    drawn = True
    settings: Settings

    @property
    def sizes(self) -> Mapping[str, int]:
        return {
            name: -(-size // step) for name, size, step in zip(NAMES, _sprites.SIZES, self.settings.stride, strict=True)
        }

    def load(self, data_dir: Path | None = None) -> Data:
        """Draw the grid, or read it from the archive where that lies in `data_dir`, $BENCHMARK_DATA or the cache."""
        resolution, stride = self.settings.resolution, self.settings.stride
        sizes = tuple(self.sizes.values())
        shape = (prod(sizes), resolution * resolution // 8)
        archive = find(ARCHIVE, data_dir) if resolution == _sprites.FRAME else None
        images: Images
        if archive is None and shape[0] < IN_MEMORY:
            packed = np.concatenate(list(_sprites.packed_grid(stride, resolution)))
            images = PackedImages(packed, resolution)[:]
        else:
            source = "drawn" if archive is None else "published"
            strides = "-".join(map(str, stride))
            path = cache_dir() / "dsprites" / f"{source}-v{self.version}-{resolution}-stride-{strides}.npy"
            if not path.exists():
                drawn = _sprites.packed_grid(stride, resolution)
                _packed.write(path, shape, drawn if archive is None else read_archive(archive, stride))
            images = PackedImages(_packed.read(path, shape), resolution)
        rows = np.arange(shape[0])
        data = Data(
            images=images,
            factors=np.ascontiguousarray(np.indices(sizes).reshape(len(sizes), -1).T),
            factor_names=NAMES,
            factor_sizes=sizes,
            training_rows=rows,
            evaluation_rows=rows,
            grid=True,
            pictures=_same_pictures(sizes, stride) if self.settings.shifted else None,
        )
        return shifted(data, self.settings)


def _same_pictures(sizes: tuple[int, ...], stride: tuple[int, ...]) -> Integer[ndarray, " N"] | None:
    """The rows' numbers, that of orientation 0 for orientation 39 too: it has gone round, and is the same picture."""
    kept = range(0, _sprites.SIZES[2], stride[2])
    if _sprites.SIZES[2] - 1 not in kept[1:]:
        return None
    rows = np.arange(prod(sizes)).reshape(sizes)
    rows[:, :, -1] = rows[:, :, 0]
    return rows.ravel()


def read_archive(path: Path, stride: tuple[int, ...]) -> Iterator[UInt8[ndarray, "m bytes"]]:
    """The archive's images as bits, in the blocks of `packed_grid`; neither unpickles nor holds its 3 GB.

    Raises `UsageError` if the file is damaged, and after the last block if its images are not those that are drawn.
    """
    side, count = _sprites.FRAME, prod(_sprites.SIZES)
    positions = _sprites.SIZES[3:]
    different = 0
    with opened(path) as archive, member(path, archive, "imgs") as file:
        shape, dtype = read_header(file)
        if shape != (count, side, side) or dtype != np.uint8:
            raise UsageError(f"{path}: imgs is {dtype} {shape}, expected uint8 {(count, side, side)}; {REMEDY}")
        drawn = _sprites.packed_grid((1,) * len(_sprites.SIZES), side)
        for outline, expected in zip(np.ndindex(*_sprites.SIZES[:3]), drawn, strict=True):
            pixels = np.frombuffer(file.read(prod(positions) * side * side), np.uint8)
            block = np.packbits(pixels.reshape(-1, side * side), axis=1)
            different += int(np.count_nonzero((block != expected).any(axis=1)))
            if not np.remainder(outline, stride[:3]).any():
                kept = block.reshape(*positions, -1)[:: stride[3], :: stride[4]]
                yield kept.reshape(-1, block.shape[1])
    if different > TOLERANCE * count:
        raise UsageError(
            f"{path} is not the published dSprites archive: {different:,} of its {count:,} images differ"
            f" from the drawn ones; {REMEDY}"
        )

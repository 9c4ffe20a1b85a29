"""A published subset of the real dSprites images: 46,080, every 4th orientation and every 2nd position.

From github.com/colleenjg/neuromatch_ssl_tutorial (Apache License 2.0, as dSprites).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmark.datasets._archive import read_npz
from benchmark.datasets._dataset import Data, blank_grid
from benchmark.datasets._files import RemoteFile, obtain
from benchmark.datasets._grid import Grid
from benchmark.datasets._shift import shifted

SIZES = {"shape": 3, "scale": 6, "orientation": 10, "posX": 16, "posY": 16}


class DspritesReal(Grid):
    """Images (46,080 1 64 64) of 0 and 1, in C order over shape 3, scale 6, orientation 10, posX 16 and posY 16."""

    files = (
        RemoteFile(
            "dsprites",
            "dsprites_downsampled.npz",
            "https://raw.githubusercontent.com/colleenjg/neuromatch_ssl_tutorial/main/dsprites/dsprites_downsampled.npz",
            "8a632f70c0dbd279dd771854981a3de945b2448eddbd9b2af59fb83e8728f871",
        ),
    )

    @property
    def sizes(self) -> Mapping[str, int]:
        return SIZES

    def blank(self) -> Data:
        grid = blank_grid((1, 64, 64), tuple(SIZES.values()))
        return shifted(replace(grid, factor_names=tuple(SIZES)), self.settings)

    def load(self, data_dir: Path | None = None) -> Data:
        """Read the images and the indices of their factors. Raises `UsageError` where the file cannot be had."""
        (path,) = obtain("dsprites_real", self.files, data_dir)
        arrays = read_npz(path, ("imgs", "latents_classes"))
        rows = np.arange(len(arrays["imgs"]))
        data = Data(
            images=arrays["imgs"][:, None],
            factors=arrays["latents_classes"],
            factor_names=tuple(SIZES),
            factor_sizes=tuple(SIZES.values()),
            training_rows=rows,
            evaluation_rows=rows,
            grid=True,
        )
        return shifted(data, self.settings)

"""A published subset of the real dSprites images: 46,080, every 4th orientation and every 2nd position.

From github.com/colleenjg/neuromatch_ssl_tutorial (Apache License 2.0, as dSprites).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.datasets._archive import read_npz
from benchmark.datasets._dataset import Data, Dataset, blank_grid
from benchmark.datasets._files import RemoteFile, obtain


class DspritesReal(Dataset):
    """Images (46,080 1 64 64) of 0 and 1, in C order over shape 3, scale 6, orientation 10, posX 16 and posY 16."""

    files = (
        RemoteFile(
            "dsprites",
            "dsprites_downsampled.npz",
            "https://raw.githubusercontent.com/colleenjg/neuromatch_ssl_tutorial/main/dsprites/dsprites_downsampled.npz",
            "8a632f70c0dbd279dd771854981a3de945b2448eddbd9b2af59fb83e8728f871",
        ),
    )

    def blank(self) -> Data:
        return blank_grid((1, 64, 64), (3, 6, 10, 16, 16))

    def load(self, data_dir: Path | None = None) -> Data:
        """Read the images and the indices of their factors. Raises `UsageError` where the file cannot be had."""
        (path,) = obtain("dsprites_real", self.files, data_dir)
        arrays = read_npz(path, ("imgs", "latents_classes"))
        rows = np.arange(len(arrays["imgs"]))
        return Data(
            images=arrays["imgs"][:, None],
            factors=arrays["latents_classes"],
            factor_names=("shape", "scale", "orientation", "posX", "posY"),
            factor_sizes=(3, 6, 10, 16, 16),
            training_rows=rows,
            evaluation_rows=rows,
            grid=True,
        )

"""scikit-learn's 1,797 real handwritten digits, 8 × 8: real images with no download."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.datasets._dataset import Data, Dataset
from benchmark.datasets._noise import NOISE, noisy
from benchmark.seeds import stream
from benchmark.spec import Number, static


class Digits(Dataset):
    """Images (1,797 1 8 8) of which 16 is white, and the digit as the one factor.

    The split is fixed, whatever a run's seed: 1,437 rows to train on and 360 to score, drawn without regard to labels.
    """

    class Settings(Dataset.Settings):
        noise: Number = static(0.0, NOISE, since=1, ge=0, le=1)

    settings: Settings

    def load(self, data_dir: Path | None = None) -> Data:  # noqa: ARG002
        """Read the images that scikit-learn ships; `data_dir` is not used."""
        from sklearn.datasets import load_digits

        digits = load_digits()
        shuffled = stream("digits", "split").permutation(len(digits.images))
        training = len(shuffled) * 4 // 5
        images = digits.images.astype(np.uint8)
        if self.settings.noise:
            rows = np.sort(shuffled[:training])
            images[rows] = noisy(images[rows], self.settings.noise, 16, "digits")
        return Data(
            images=images[:, None],
            factors=digits.target.astype(np.int64)[:, None],
            factor_names=("label",),
            factor_sizes=(10,),
            training_rows=np.sort(shuffled[:training]),
            evaluation_rows=np.sort(shuffled[training:]),
            maximum=16,
        )

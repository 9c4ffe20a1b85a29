"""What the sampled surfaces share: points of a two-dimensional manifold, its two coordinates, and Gaussian noise."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.datasets._dataset import Data, Dataset
from benchmark.seeds import stream
from benchmark.spec import Number, static


class Manifold(Dataset):
    """Points (N D) float32 and their two continuous coordinates. All points are trained on and scored."""

    class Settings(Dataset.Settings):
        points: int = static(10_000, "points drawn from the surface", ge=2)
        noise: Number = static(0.0, "standard deviation of the noise on each coordinate", ge=0, allow_inf_nan=False)
        seed: int = static(0, "which points and noise are drawn; independent of the run's seed", ge=0)

    name: ClassVar[str]
    factor_names: ClassVar[tuple[str, str]]
    likelihood: Literal["bernoulli", "gaussian"] = "gaussian"
    settings: Settings

    @abstractmethod
    def draw(self) -> tuple[Float[ndarray, "n d"], Float[ndarray, "n 2"]]:
        """Points exactly on the surface, and their coordinates."""

    def load(self, data_dir: Path | None = None) -> Data:  # noqa: ARG002
        """Draw the points; `data_dir` is not used."""
        x, factors = self.draw()
        noise = stream(self.name, self.settings.seed, "noise").standard_normal(x.shape)
        rows = np.arange(len(x))
        return Data(
            images=(x + self.settings.noise * noise).astype(np.float32),
            factors=factors,
            factor_names=self.factor_names,
            factor_sizes=(0, 0),
            training_rows=rows,
            evaluation_rows=rows,
        )

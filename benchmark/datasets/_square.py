"""What the synthetic sets share: uniform points of the unit square, sent through a fixed map."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.datasets._dataset import Data, Dataset
from benchmark.seeds import stream
from benchmark.spec import static


class UnitSquare(Dataset):
    """Points (N D) float32; the two factors are the coordinates in [0, 1]². All points are trained on and scored."""

    class Settings(Dataset.Settings):
        points: int = static(10_000, "points drawn from the square", ge=2)
        seed: int = static(0, "which points are drawn; independent of the run's seed", ge=0)

    name: ClassVar[str]
    likelihood: Literal["bernoulli", "gaussian"] = "gaussian"
    # At σ_x = 1 a coordinate dies in most runs, since a map of singular values 2 and 1 moves points by little more.
    sigma = 0.1
    settings: Settings

    @staticmethod
    @abstractmethod
    def embed(factors: Float[ndarray, "n 2"]) -> Float[ndarray, "n d"]:
        """The fixed map; the mean over the square is zero."""

    def load(self, data_dir: Path | None = None) -> Data:  # noqa: ARG002
        """Draw the points; `data_dir` is not used."""
        factors = stream(self.name, self.settings.seed).random((self.settings.points, 2))
        rows = np.arange(len(factors))
        return Data(
            images=self.embed(factors).astype(np.float32),
            factors=factors,
            factor_names=("u", "v"),
            factor_sizes=(0, 0),
            training_rows=rows,
            evaluation_rows=rows,
        )

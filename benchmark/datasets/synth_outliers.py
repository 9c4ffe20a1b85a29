"""A curved manifold with a chosen share of gross outliers to train on, and without to score (after Dai et al. 2018)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from pydantic import model_validator

from benchmark.datasets._dataset import Data, Dataset
from benchmark.seeds import stream
from benchmark.spec import Number, static

HIDDEN = 64


class SynthOutliers(Dataset):
    """Clean points x = W tanh(U v), v ~ N(0, I_k); the map (64 hidden units) is drawn by `seed` and fixed.

    Each coordinate of the clean points has mean 0 and deviation 1. Corruption is that of robust PCA, which Dai et al.
    compare the VAE to: each single entry is, with probability `ratio`, replaced by a uniform one in ± `magnitude`.
    The corrupted points (the first half of the rows) are trained on; the same points in the same order, clean, are
    encoded and scored, so a reconstruction error is the error against clean data. A larger ratio corrupts more
    entries, and those of a smaller one alike. The paper's own map and sizes are not in the source that asks for the
    experiment: these are ours. Its argument needs a learned σ_x: the likelihood `gaussian_learned`.
    """

    class Settings(Dataset.Settings):
        points: int = static(10_000, "points drawn from the manifold", ge=2)
        factors: int = static(2, "dimension k of the manifold", ge=1)
        size: int = static(50, "coordinates D of a point", ge=1)
        ratio: Number = static(0.1, "share of the entries that are outliers", ge=0, le=1)
        magnitude: Number = static(10.0, "largest outlier, in clean deviations", gt=0, allow_inf_nan=False)
        seed: int = static(0, "which map, points and outliers are drawn; independent of the run's seed", ge=0)

        @model_validator(mode="after")
        def _embedded(self) -> SynthOutliers.Settings:
            if self.factors > min(self.size, HIDDEN):
                raise ValueError(f"factors = {self.factors} is more than size = {self.size} or than {HIDDEN}")
            return self

    likelihood: Literal["bernoulli", "gaussian"] = "gaussian"
    # σ_x is to the deviation of a coordinate, 1, about as 0.1 is in `synth_linear` to that along its larger direction.
    sigma = 0.2
    settings: Settings

    def load(self, data_dir: Path | None = None) -> Data:  # noqa: ARG002
        """Draw the points, corrupted and clean; `data_dir` is not used."""
        wanted = self.settings
        factors = stream("synth_outliers", wanted.seed, "factors").standard_normal((wanted.points, wanted.factors))
        clean = self.embed(factors)
        corrupted = np.where(*self.outliers(), clean)
        rows = np.arange(2 * wanted.points)
        return Data(
            images=np.concatenate([corrupted, clean]).astype(np.float32),
            factors=np.concatenate([factors, factors]),
            factor_names=tuple(f"v{k}" for k in range(wanted.factors)),
            factor_sizes=(0,) * wanted.factors,
            training_rows=rows[: wanted.points],
            evaluation_rows=rows[wanted.points :],
        )

    def embed(self, factors: Float[ndarray, "n k"]) -> Float[ndarray, "n d"]:
        """The fixed map. It is odd, so its mean is 0; W is scaled by the deviations over 10,000 points of its own."""
        wanted = self.settings
        rng = stream("synth_outliers", wanted.seed, "map")
        inner = rng.standard_normal((wanted.factors, HIDDEN)) * 2 / np.sqrt(wanted.factors)
        outer = rng.standard_normal((HIDDEN, wanted.size))
        outer /= np.sqrt(((np.tanh(rng.standard_normal((10_000, wanted.factors)) @ inner) @ outer) ** 2).mean(axis=0))
        return np.tanh(factors @ inner) @ outer

    def outliers(self) -> tuple[Bool[ndarray, "n d"], Float[ndarray, "n d"]]:
        """Which entries are outliers, and what stands there."""
        wanted = self.settings
        rng = stream("synth_outliers", wanted.seed, "outliers")
        chance, values = np.moveaxis(rng.random((wanted.points, wanted.size, 2)), 2, 0)
        return chance < wanted.ratio, (2 * values - 1) * wanted.magnitude

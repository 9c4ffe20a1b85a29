"""Locally linear embedding: each point as the same blend of its neighbours (Roweis & Saul 2000; scikit-learn)."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy import ndarray

from benchmark.errors import ModelError
from benchmark.models._model import Embedding
from benchmark.models._neighbours import pieces
from benchmark.spec import Number, static


class LLE(Embedding):
    """min Σ_i ‖z_i − Σ_j W_ij z_j‖² under mean 0 and covariance I, with the weights that best blend x_i (E).

    Further points are the blends of their fitted neighbours; there is no way back. By that covariance what measures
    linear dependence is 0 up to the choice of points.
    """

    by_construction = ("gaussian_total_correlation", "wasserstein_correlation")

    class Settings(Embedding.Settings):
        neighbours: int = static(12, "neighbours k of each point", ge=1)
        regularisation: Number = static(1e-3, "added to a local Gram matrix's diagonal: share of its trace", ge=0)

    settings: Settings

    def fit(self, x: ndarray, rng: np.random.Generator) -> Self:
        from sklearn.manifold import LocallyLinearEmbedding

        self.estimator = LocallyLinearEmbedding(
            n_neighbors=self.settings.neighbours,
            n_components=self.settings.latents,
            reg=self.settings.regularisation,
            random_state=int(rng.integers(2**31)),
        ).fit(x.astype(np.float64))
        found = pieces(self.estimator.nbrs_.kneighbors_graph())
        if found > 1:
            raise ModelError(f"the neighbour graph falls into {found} pieces; raise model.neighbours")
        # scikit-learn's coordinates have unit length; of unit variance they are the paper's.
        self.scale = np.sqrt(len(x))
        return self

    def transform(self, x: ndarray) -> ndarray:
        return (self.estimator.transform(x.astype(np.float64)) * self.scale).astype(np.float32)

    def state(self) -> dict[str, ndarray]:
        """Without the fitted points, which the run's seed draws again."""
        return {"embedding": self.estimator.embedding_ * self.scale}

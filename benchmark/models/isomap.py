"""Isomap: multidimensional scaling of shortest paths through the neighbour graph (Tenenbaum et al. 2000)."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy import ndarray

from benchmark.models._neighbours import PathEmbedding, classical_scaling


class Isomap(PathEmbedding):
    """Classical scaling of the path lengths G between a seeded subset's points: z = V √λ of −½ J G² J (E).

    A further point is at min_j ‖x − x_j‖ + G_ij over its k neighbours j from point i, and so at
    ½ (column means of G² − its own G²) V/√λ, as scikit-learn has it, whose class takes no wrong edges.
    Codes have the data's units; there is no way back. On the points fitted they are uncorrelated, so that what measures
    linear dependence is 0 up to the choice of these.
    """

    by_construction = ("gaussian_total_correlation", "wasserstein_correlation")

    def fit(self, x: ndarray, rng: np.random.Generator) -> Self:
        from scipy.sparse.csgraph import shortest_path
        from sklearn.neighbors import NearestNeighbors

        self.nearest = NearestNeighbors(n_neighbors=self.settings.neighbours).fit(x.astype(np.float64))
        self.lengths = shortest_path(self.graph(x), method="D", directed=False)
        self.embedding = classical_scaling(self.lengths, self.settings.latents)
        return self

    def transform(self, x: ndarray) -> ndarray:
        distances, neighbours = self.nearest.kneighbors(x.astype(np.float64))
        paths = np.full((len(x), len(self.lengths)), np.inf)
        for away, j in zip(distances.T, neighbours.T, strict=True):
            np.minimum(paths, away[:, None] + self.lengths[j], out=paths)
        squared_norms = np.square(self.embedding).sum(0)
        axes = np.divide(self.embedding, squared_norms, out=np.zeros_like(self.embedding), where=squared_norms > 0)
        return (0.5 * (np.square(self.lengths).mean(0) - np.square(paths)) @ axes).astype(np.float32)

    def state(self) -> dict[str, ndarray]:
        """Without the fitted points and their paths, which the run's seed gives again."""
        return {"embedding": self.embedding}

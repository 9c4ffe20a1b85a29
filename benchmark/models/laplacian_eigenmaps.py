"""Laplacian eigenmaps: coordinates that keep neighbours together (Belkin & Niyogi 2003, unnormalised as in E)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from benchmark.errors import ModelError
from benchmark.models._model import Transductive
from benchmark.models._neighbours import Kind, neighbour_graph, pieces
from benchmark.spec import Number, static


class LaplacianEigenmaps(Transductive):
    """L f = λ f, L = D − W, for the d smallest λ after the constant eigenvector's 0; codes have unit variance (E).

    W_ij = e^{−‖x_i − x_j‖²/t} on the edges; E writes t = 2σ². Belkin & Niyogi solve L f = λ D f instead, and
    scikit-learn the normalised Laplacian. Orthogonal to the constant and to each other, the codes are uncorrelated:
    what measures linear dependence is 0 up to the choice of points.
    """

    by_construction = ("gaussian_total_correlation", "wasserstein_correlation")

    class Settings(Transductive.Settings):
        graph: Kind = static("symmetric", "edges: either is among the other's neighbours, both are, or ε apart at most")
        neighbours: int = static(10, "neighbours N of each point in the first two graphs", ge=1)
        epsilon: Number = static(1.0, "ε, the longest edge of the third, in the data's units", gt=0)
        t: Number = static(math.inf, "the heat kernel's t, in squared data units; inf weighs all edges 1", gt=0)

    settings: Settings

    @classmethod
    def idle(cls, settings: Any) -> Mapping[str, str]:
        unused = "neighbours" if settings.graph == "epsilon" else "epsilon"
        return {unused: f'model.graph = "{settings.graph}"'}

    def embed(self, x: ndarray, rng: np.random.Generator) -> ndarray:
        from scipy.sparse import csgraph
        from scipy.sparse.linalg import ArpackError, eigsh

        options = self.settings
        weights = neighbour_graph(x, options.graph, options.neighbours, options.epsilon)
        weights.data = np.exp(-np.square(weights.data) / options.t)
        weights.eliminate_zeros()
        found, advice = pieces(weights), "raise model.neighbours, model.epsilon or model.t"
        if found > 1:
            raise ModelError(f"the neighbour graph falls into {found} pieces; {advice}")
        laplacian = csgraph.laplacian(weights).tocsc()
        # Around a shift just below 0 the wanted eigenvalues are the largest of the inverse.
        shift = -1e-6 * laplacian.diagonal().mean()
        try:
            values, vectors = eigsh(laplacian, options.latents + 1, sigma=shift, v0=rng.standard_normal(len(x)))
        except ArpackError as error:
            raise ModelError(f"the Laplacian's eigenvectors were not found: {error}; {advice}") from None
        vectors = vectors[:, np.argsort(values)]
        if abs(vectors[:, 0].sum()) < (1 - 1e-6) * np.sqrt(len(x)):
            raise ModelError(f"the weights all but cut the neighbour graph into pieces; {advice}")
        return vectors[:, 1:] * np.sqrt(len(x))

"""Principal component analysis, whitened codes sorted by variance (scikit-learn)."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy import ndarray

from benchmark.errors import ModelError
from benchmark.models._model import Embedding
from benchmark.models.ica import ROUNDING
from benchmark.spec import static


class PCA(Embedding):
    """The d directions of largest variance of a seeded subset, fitted by scikit-learn's exact or randomised solver.

    Its decoder is linear with orthogonal columns, so that V is the identity and DtO 0 on any data; its codes are
    uncorrelated on the points fitted, so that what measures linear dependence is 0 up to the choice of these.
    """

    by_construction = ("dto", "gaussian_total_correlation", "wasserstein_correlation")

    class Settings(Embedding.Settings):
        latents: int = static(10, "number of components d", ge=1)
        subset: int = static(5_000, "points fitted, drawn by the run's seed", ge=2)

    settings: Settings

    def fit(self, x: ndarray, rng: np.random.Generator) -> Self:
        from sklearn.decomposition import PCA as Estimator  # noqa: N811

        latents, most = self.settings.latents, min(x.shape)
        if latents > most:
            raise ModelError(f"{x.shape[0]} points of {x.shape[1]} numbers have {most} components; lower model.latents")
        fitted = Estimator(latents, random_state=int(rng.integers(2**31))).fit(x)
        # Whitened, directions along which nothing varies would be as loud as the rest.
        found = int((fitted.explained_variance_ > ROUNDING * fitted.explained_variance_.max(initial=0)).sum())
        if found < latents:
            raise ModelError(f"the points fitted vary along {found} directions, not {latents}; lower model.latents")
        self.mean, self.components = fitted.mean_, fitted.components_
        self.deviation = np.sqrt(fitted.explained_variance_)
        return self

    def transform(self, x: ndarray) -> ndarray:
        return ((x - self.mean) @ self.components.T / self.deviation).astype(np.float32)

    def decode(self, z: ndarray) -> ndarray:
        return (z * self.deviation) @ self.components + self.mean

    def state(self) -> dict[str, ndarray]:
        return {"mean": self.mean, "components": self.components, "deviation": self.deviation}

    def jacobian(self, z: ndarray) -> ndarray:
        matrix = (self.components * self.deviation[:, None]).T
        return np.broadcast_to(matrix, (len(z), *matrix.shape))

"""Non-negative matrix factorisation: parts that only add up (Lee & Seung 1999; scikit-learn)."""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
from numpy import ndarray

from benchmark.errors import ModelError
from benchmark.models._model import Embedding
from benchmark.spec import Number, static


class NMF(Embedding):
    """min ‖X − Z H‖² with Z, H ≥ 0 (E; Lee & Seung 1999 maximise a Poisson likelihood instead), by coordinate descent.

    H is the dictionary of d parts, scaled so that the codes of the fitted points have unit mean square.
    The codes of a point solve min ‖x − z H‖² with z ≥ 0, and so are exact for every point, fitted or not.
    """

    class Settings(Embedding.Settings):
        iterations: int = static(20_000, "iterations at most", ge=1)
        tolerance: Number = static(1e-4, "projected gradient at which it stops, as a share of the first", gt=0)

    standardised = False
    settings: Settings

    def fit(self, x: ndarray, rng: np.random.Generator) -> Self:
        from sklearn.decomposition import NMF as Estimator  # noqa: N811
        from sklearn.exceptions import ConvergenceWarning

        options = self.settings
        if x.min() < 0:
            raise ModelError("data with negative values have no non-negative factorisation")
        estimator = Estimator(
            options.latents,
            init="nndsvda",
            tol=options.tolerance,
            max_iter=options.iterations,
            random_state=int(rng.integers(2**31)),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                codes = estimator.fit_transform(x.astype(np.float64))
            except ConvergenceWarning:
                raise ModelError(
                    f"non-negative factorisation did not converge in {options.iterations} iterations;"
                    " raise model.iterations or model.tolerance"
                ) from None
        scale = np.sqrt(np.square(codes).mean(0))
        self.components = estimator.components_ * np.where(scale > 0, scale, 1)[:, None]
        return self

    def transform(self, x: ndarray) -> ndarray:
        from scipy.optimize import nnls

        # ‖x − z H‖² = ‖Qᵀx − R zᵀ‖² + const with Hᵀ = Q R: a problem of d rows instead of D for each point.
        q, r = np.linalg.qr(self.components.T)
        return np.stack([nnls(r, row)[0] for row in x.astype(np.float64) @ q]).astype(np.float32)

    def decode(self, z: ndarray) -> ndarray:
        return z @ self.components

    def state(self) -> dict[str, ndarray]:
        return {"components": self.components}

    def jacobian(self, z: ndarray) -> ndarray:
        return np.broadcast_to(self.components.T, (len(z), *self.components.T.shape))

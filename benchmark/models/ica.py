"""Independent component analysis by FastICA, on whitened principal components (scikit-learn)."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, Self

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import ModelError
from benchmark.models._model import Embedding
from benchmark.spec import Number, static

if TYPE_CHECKING:
    from sklearn.decomposition import FastICA

ROUNDING = 1e-10
"""Of the variance along the direction that varies most: what varies less is rounding, in single precision."""


class ICA(Embedding):
    """d independent components of a seeded subset (Hyvärinen & Oja 2000), unit variance each.

    They are uncorrelated on the points fitted, so that what measures linear dependence is 0 up to the choice of these.
    """

    version = 2
    by_construction = ("gaussian_total_correlation", "wasserstein_correlation")

    class Settings(Embedding.Settings):
        latents: int = static(10, "number of components d", ge=1)
        subset: int = static(5_000, "points fitted, drawn by the run's seed", ge=2)
        iterations: int = static(2_000, "FastICA's iterations at most", ge=1)
        tolerance: Number = static(1e-3, "change of the unmixing matrix at which FastICA stops", gt=0)
        starts: int = static(5, "random starts at most: another one where FastICA did not converge", since=2, ge=1)

    settings: Settings

    def fit(self, x: ndarray, rng: np.random.Generator) -> Self:
        # scikit-learn gives components the sign of their first dimension's weight, and 0 where this is constant.
        varying = x.max(axis=0) > x.min(axis=0)
        found = rank(x[:, varying])
        if found < self.settings.latents:
            raise ModelError(
                f"{found} of {x.shape[1]} dimensions vary over the points fitted, and the rest are constant or sums of"
                f" these: too few for {self.settings.latents} components; lower model.latents"
            )
        fitted = self._converged(x if varying.all() else x[:, varying], rng)
        d, size = self.settings.latents, x.shape[1]
        self.mean, self.unmixing, self.mixing = x.mean(axis=0), np.zeros((d, size)), np.zeros((size, d))
        self.mean[varying] = fitted.mean_
        self.unmixing[:, varying], self.mixing[varying] = fitted.components_, fitted.mixing_
        return self

    def _converged(self, x: Float[ndarray, "n v"], rng: np.random.Generator) -> FastICA:
        """FastICA from the first of several random starts that leads it to an end."""
        from sklearn.decomposition import FastICA
        from sklearn.exceptions import ConvergenceWarning

        for _ in range(self.settings.starts):
            estimator = FastICA(
                self.settings.latents,
                whiten="unit-variance",
                max_iter=self.settings.iterations,
                tol=self.settings.tolerance,
                random_state=int(rng.integers(2**31)),
            )
            with warnings.catch_warnings():
                warnings.simplefilter("error", ConvergenceWarning)
                with contextlib.suppress(ConvergenceWarning):
                    return estimator.fit(x)
        raise ModelError(
            f"FastICA did not converge in {self.settings.iterations} iterations (starts: {self.settings.starts});"
            " raise model.iterations, model.starts or model.tolerance"
        )

    def transform(self, x: ndarray) -> ndarray:
        return ((x - self.mean) @ self.unmixing.T).astype(np.float32)

    def decode(self, z: ndarray) -> ndarray:
        return z @ self.mixing.T + self.mean

    def state(self) -> dict[str, ndarray]:
        return {"mean": self.mean, "unmixing": self.unmixing, "mixing": self.mixing}

    def jacobian(self, z: ndarray) -> ndarray:
        return np.broadcast_to(self.mixing, (len(z), *self.mixing.shape))


def rank(x: Float[ndarray, "n D"]) -> int:
    """Along how many directions points vary by more than rounding: whitened, the others would be as loud as they."""
    centred = x - x.mean(axis=0, dtype=np.float64)
    variances = np.linalg.eigvalsh(centred.T @ centred if len(x) > x.shape[1] else centred @ centred.T)
    return int((variances > ROUNDING * variances.max(initial=0)).sum())

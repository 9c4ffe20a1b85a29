"""Factor analysis: linear factors of unit variance and a noise of its own in every dimension (scikit-learn)."""

from __future__ import annotations

import warnings
from typing import Literal, Self

import numpy as np
from numpy import ndarray

from benchmark.errors import ModelError
from benchmark.models._model import Embedding
from benchmark.spec import Number, static


class FactorAnalysis(Embedding):
    """x = W z + m + ε, z ~ N(0, I), ε ~ N(0, diag Ψ), by maximum likelihood (Barber 2012, §21.2; E); codes are E[z|x].

    The likelihood leaves W's rotation open: unrotated, Wᵀ Ψ⁻¹ W is diagonal. It does not depend on the units of any
    dimension, but its ascent does: it starts at Ψ = I, and so is given unit variances. Unrotated codes are
    uncorrelated on the points fitted, so that what measures linear dependence is 0 up to the choice of these.
    """

    by_construction = ("gaussian_total_correlation", "wasserstein_correlation")

    class Settings(Embedding.Settings):
        rotation: Literal["none", "varimax", "quartimax"] = static("none", "how W is rotated after the fit")
        iterations: int = static(5_000, "iterations at most", ge=1)
        tolerance: Number = static(1e-2, "rise of the log-likelihood of all points, in nats, at which it stops", gt=0)

    settings: Settings

    def fit(self, x: ndarray, rng: np.random.Generator) -> Self:
        from sklearn.decomposition import FactorAnalysis as Estimator
        from sklearn.exceptions import ConvergenceWarning

        options = self.settings
        if options.latents > x.shape[1]:
            raise ModelError(f"data of {x.shape[1]} dimensions has at most as many factors; lower model.latents")
        x = x.astype(np.float64)
        deviation = x.std(0)
        deviation = np.where(deviation > 0, deviation, 1)
        estimator = Estimator(
            options.latents,
            tol=options.tolerance,
            max_iter=options.iterations,
            rotation=None if options.rotation == "none" else options.rotation,
            random_state=int(rng.integers(2**31)),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            try:
                fitted = estimator.fit(x / deviation)
            except ConvergenceWarning:
                raise ModelError(
                    f"factor analysis did not converge in {options.iterations} iterations;"
                    " raise model.iterations or model.tolerance"
                ) from None
        self.mean, self.noise = x.mean(0), fitted.noise_variance_ * deviation**2
        self.loadings = fitted.components_.T * deviation[:, None]
        weighted = self.loadings / self.noise[:, None]
        precision = np.eye(self.loadings.shape[1]) + self.loadings.T @ weighted
        self.regression = np.linalg.solve(precision, weighted.T)
        return self

    def transform(self, x: ndarray) -> ndarray:
        return ((x - self.mean) @ self.regression.T).astype(np.float32)

    def decode(self, z: ndarray) -> ndarray:
        return z @ self.loadings.T + self.mean

    def state(self) -> dict[str, ndarray]:
        return {"mean": self.mean, "loadings": self.loadings, "noise": self.noise, "regression": self.regression}

    def jacobian(self, z: ndarray) -> ndarray:
        return np.broadcast_to(self.loadings, (len(z), *self.loadings.shape))

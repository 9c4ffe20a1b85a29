"""Kernel principal component analysis (Schölkopf et al. 1998), whitened codes sorted by variance (scikit-learn)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy import ndarray

from benchmark.models._model import Embedding
from benchmark.spec import Number, static


class KernelPCA(Embedding):
    """The d directions of largest variance in a kernel's feature space, each divided by its standard deviation.

    There is no way back: a point of the feature space is in general no data point's image. Codes are uncorrelated on
    the points fitted, so that what measures linear dependence is 0 up to the choice of these.
    """

    by_construction = ("gaussian_total_correlation", "wasserstein_correlation")

    class Settings(Embedding.Settings):
        kernel: Literal["linear", "poly", "rbf", "sigmoid", "cosine"] = static("rbf", "the kernel k(x, y)")
        gamma: Number = static(0.0, "γ of e^{−γ‖x−y‖²}, (γ x·y + 1)^degree and tanh(γ x·y + 1); 0 is 1/D", ge=0)
        degree: int = static(3, "degree of the polynomial kernel", ge=1)

    settings: Settings

    @classmethod
    def idle(cls, settings: Any) -> Mapping[str, str]:
        why = f'model.kernel = "{settings.kernel}"'
        unused = {"linear": ("gamma", "degree"), "cosine": ("gamma", "degree"), "poly": ()}
        return dict.fromkeys(unused.get(settings.kernel, ("degree",)), why)

    def fit(self, x: ndarray, rng: np.random.Generator) -> Self:
        from sklearn.decomposition import KernelPCA as Estimator

        options = self.settings
        self.estimator = Estimator(
            options.latents,
            kernel=options.kernel,
            gamma=options.gamma or None,
            degree=options.degree,
            random_state=int(rng.integers(2**31)),
        )
        codes = self.estimator.fit_transform(x.astype(np.float64))
        # What has no variance but rounding keeps it, rather than being blown up.
        deviation = codes.std(0)
        self.deviation = np.where(deviation > 1e-6 * deviation.max(), deviation, 1)
        return self

    def transform(self, x: ndarray) -> ndarray:
        return (self.estimator.transform(x.astype(np.float64)) / self.deviation).astype(np.float32)

    def state(self) -> dict[str, ndarray]:
        """Without the fitted points, which the run's seed draws again."""
        return {
            "values": self.estimator.eigenvalues_,
            "vectors": self.estimator.eigenvectors_,
            "deviation": self.deviation,
        }

"""Multidimensional scaling: coordinates whose distances are those of the data (scikit-learn's SMACOF, or classical)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from benchmark.errors import ModelError
from benchmark.models._model import Transductive
from benchmark.models._neighbours import classical_scaling
from benchmark.spec import Number, static


class MDS(Transductive):
    """min Σ_{i<j} (‖x_i − x_j‖ − ‖z_i − z_j‖)² by majorisation from the classical solution (E; SMACOF).

    `classical` is that first solution, of Euclidean distances the principal components: min Σ (x_i·x_j − z_i·z_j)².
    """

    class Settings(Transductive.Settings):
        kind: Literal["metric", "classical"] = static("metric", "what is fitted: distances, or scalar products")
        iterations: int = static(1_000, "majorisation steps at most", ge=1)
        tolerance: Number = static(1e-5, "fall of the stress in one step at which it stops", gt=0)

    settings: Settings

    @classmethod
    def idle(cls, settings: Any) -> Mapping[str, str]:
        classical = settings.kind == "classical"
        return dict.fromkeys(("iterations", "tolerance"), 'model.kind = "classical"') if classical else {}

    def embed(self, x: ndarray, rng: np.random.Generator) -> ndarray:
        from sklearn.manifold import smacof
        from sklearn.metrics import pairwise_distances

        options = self.settings
        distances = pairwise_distances(x.astype(np.float64))
        start = classical_scaling(distances, options.latents)
        if options.kind == "classical":
            return start
        codes, _, steps = smacof(
            distances,
            n_components=options.latents,
            init=start,
            n_init=1,
            max_iter=options.iterations,
            eps=options.tolerance,
            normalized_stress=False,
            return_n_iter=True,
        )
        if steps >= options.iterations:
            raise ModelError(
                f"multidimensional scaling did not converge in {options.iterations} steps;"
                " raise model.iterations or model.tolerance"
            )
        return codes

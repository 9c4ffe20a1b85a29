"""The dictionary of a linear embedding: the patterns that its codes add up (E: PCA and NMF with K = 25)."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from benchmark.models._model import Embedding
from benchmark.stages.studies import Trained

ATOMS = 25
"""At most so many patterns are kept, the first ones."""


def arrays(trained: Trained) -> dict[str, ndarray]:
    """Patterns (k c h w), what one unit of each coordinate adds to the image, where that is the same everywhere.

    Nothing for networks, for data that are not images, and for embeddings that do not decode linearly.
    """
    if not isinstance(trained.model, Embedding) or not trained.pictured or not trained.encodes:
        return {}
    two = trained.model.jacobian(trained.codes.means[[0, -1]])
    if two is None or not np.allclose(*two):
        return {}
    patterns = np.asarray(two[0], np.float32).T[:ATOMS]
    return {"picture_dictionary": patterns.reshape(-1, *trained.data.shape)}

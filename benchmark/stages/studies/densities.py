"""The density of the data and of a model's samples: where on the canvas they put ink (M Figs. 5.1, 5.2)."""

from __future__ import annotations

import numpy as np
from numpy import ndarray

from benchmark.models._neural import NeuralModel
from benchmark.stages.studies import Trained, batches

POINTS = 10_000
"""Data points in the mean, as M takes."""
SAMPLES = 1_000
"""Decoded draws of the prior in the mean; M takes 10,000, a quarter of a minute of a convolutional decoder. The
standard error of a pixel that is white in half of them is 0.016."""


def arrays(trained: Trained) -> dict[str, ndarray]:
    """Mean images (c h w) as bytes: of data points, and of draws from the model. Nothing without images or a prior."""
    from benchmark.stages.points import as_bytes

    if not trained.pictured or not trained.decodes or not trained.standardised:
        return {}
    drawn = trained.points("densities", POINTS)
    total = sum(trained.images(drawn[part]).sum(0, dtype=np.float64) for part in batches(len(drawn)))
    made = np.zeros(trained.data.shape)
    z = draws(trained)
    for part in batches(len(z)):
        made += np.clip(trained.decode(z[part]), 0, 1).sum(0, dtype=np.float64)
    return {
        "picture_data_density": as_bytes(total / len(drawn)),
        "picture_model_density": as_bytes(made / len(z)),
    }


def draws(trained: Trained) -> ndarray:
    """Codes from the model's prior."""
    rng = trained.rng("densities")
    if not isinstance(trained.model, NeuralModel):
        return rng.standard_normal((SAMPLES, trained.codes.means.shape[1]), dtype=np.float32)
    import torch

    noise = {}
    for name, (shape, kind) in trained.model.prior_noise(SAMPLES).items():
        drawn = rng.standard_normal(shape, np.float32) if kind == "normal" else rng.random(shape, np.float32)
        noise[name] = torch.from_numpy(drawn)
    with torch.no_grad():
        return trained.model.sample_prior(noise).numpy()

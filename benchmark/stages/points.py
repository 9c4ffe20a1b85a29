"""Points, seeded samples of them and draws from a prior: what encoding, studies and pictures begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.datasets._dataset import Data
from benchmark.models._neural import NeuralModel
from benchmark.seeds import stream
from benchmark.spec import Run

BATCH = 1024
"""Points that are encoded at once."""
PICTURES = 10
"""Points that are pictured."""
SAMPLES = 64
"""Codes that are drawn from a prior."""

Decode = Callable[[Float[ndarray, "m d"]], Float[ndarray, "m *shape"]]


def images(data: Data, rows: ndarray) -> Float[ndarray, m * shape]:
    """Data points as float32: pixels scaled to [0, 1], points as they are."""
    values = data.images[rows].astype(np.float32)
    return values / np.float32(data.maximum) if data.maximum != 1 else values


def flattened(data: Data, rows: ndarray) -> Float[ndarray, "m D"]:
    """Data points as a table."""
    return images(data, rows).reshape(len(rows), -1)


def chunks(rows: ndarray) -> Iterator[ndarray]:
    """The rows in batches."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def sample(run: Run, purpose: str, n: int, size: int) -> ndarray:
    """Positions of a seeded sample of the evaluation points, ascending."""
    return np.sort(stream(run.run_id, f"encode.{purpose}").choice(n, min(n, size), replace=False))


def prior_samples(model: NeuralModel, run: Run) -> Float[ndarray, "m d"]:
    """Codes drawn from the model's prior."""
    import torch

    rng = stream(run.run_id, "encode.samples")
    noise = {}
    for name, (shape, kind) in model.prior_noise(SAMPLES).items():
        drawn = rng.standard_normal(shape, np.float32) if kind == "normal" else rng.random(shape, np.float32)
        noise[name] = torch.from_numpy(drawn)
    with torch.no_grad():
        return model.sample_prior(noise).numpy()


def as_bytes(values: Float[ndarray, ...]) -> ndarray:
    """Intensities in [0, 1] as bytes; what a linear decoder gives outside is clipped for display."""
    return np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)

"""What a finished model is asked beside what the measures need, a file each: the arrays behind pictures and numbers.

A file has `arrays(trained)`, which gives named arrays, none where it does not apply. `encode` stores them with the
codes; raise `kept.ENCODING` when a study is added or gives something else. A name belongs to one study; a study states
its sample sizes as constants and takes about a second on a convolutional network, all of them together a few.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module

import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray

from benchmark.codes import Codes
from benchmark.datasets._dataset import Data
from benchmark.models._model import Embedding, Transductive
from benchmark.models._neural import NeuralModel
from benchmark.seeds import stream
from benchmark.spec import Run

ORDER: tuple[str, ...] = (
    "corrupted_inputs",
    "geodesics",
    "manifold",
    "densities",
    "dictionary",
    "gradient_estimators",
    "decoder",
)
"""The files of this folder."""

BATCH = 250
"""Points encoded or decoded at once: a convolution's layers of so many images stay in the processor's cache."""


@dataclass(frozen=True)
class Trained:
    """A finished model, the data it was trained on, and the codes of its evaluation points."""

    model: NeuralModel | Embedding
    data: Data
    codes: Codes
    run: Run

    @cached_property
    def rows(self) -> Integer[ndarray, " n"]:
        """The data's rows that the codes are of."""
        return self.codes.arrays.get("embedded_rows", self.data.evaluation_rows)

    @property
    def pictured(self) -> bool:
        """Whether the data points are images."""
        return len(self.data.shape) == 3

    @property
    def encodes(self) -> bool:
        """Whether it has codes for points that it has not seen."""
        return not isinstance(self.model, Transductive)

    @cached_property
    def decodes(self) -> bool:
        if isinstance(self.model, Embedding):
            return self.model.decode(self.codes.means[:1]) is not None
        return self.model.decodes

    @property
    def standardised(self) -> bool:
        """Whether its codes have a prior, N(0, I) unless the model says otherwise, or about unit variance."""
        if isinstance(self.model, Embedding):
            return self.model.standardised
        return self.codes.samples is not None or self.model.matches_prior

    @cached_property
    def place(self) -> tuple[Float[ndarray, " d"], Float[ndarray, " d"]]:
        """Where coordinates lie, and how far they spread: 0 and 1 where the codes are standardised."""
        means = self.codes.means
        return (np.zeros_like(means[0]), np.ones_like(means[0])) if self.standardised else (means.mean(0), means.std(0))

    @cached_property
    def weight(self) -> Float[ndarray, " d"]:
        """How much each coordinate carries: its mean KL in nats, or its deviation where there are no variances."""
        means, variances = self.codes.means, self.codes.variances
        if variances is None:
            return means.std(0, dtype=np.float64)
        return 0.5 * (means**2 + variances - np.log(variances) - 1).mean(0, dtype=np.float64)

    def rng(self, purpose: str) -> np.random.Generator:
        """The run's own stream for a purpose."""
        return stream(self.run.run_id, f"studies.{purpose}")

    def points(self, purpose: str, size: int) -> Integer[ndarray, " m"]:
        """Positions of a seeded sample of the codes, in drawn order: the same for every run on a dataset."""
        n = len(self.codes.means)
        return stream(self.run.dataset.name, f"studies.{purpose}").choice(n, min(n, size), replace=False)

    def images(self, positions: Integer[ndarray, " m"]) -> Float[ndarray, "m ..."]:
        """Those points as the model sees them: pixels in [0, 1]."""
        from benchmark.stages.points import images

        return images(self.data, self.rows[positions])

    def encode(self, x: Float[ndarray, "m ..."]) -> Float[ndarray, "m d"]:
        """Mean codes of any points."""
        if isinstance(self.model, Embedding):
            return self.model.transform(x.reshape(len(x), -1))
        import torch

        with torch.no_grad():
            parts = [self.model.posterior(torch.from_numpy(x[part])).mu.numpy() for part in batches(len(x))]
        return np.concatenate(parts)

    def decode(self, z: Float[ndarray, "m d"]) -> Float[ndarray, "m ..."]:
        """E[x|z] in the data's units. Ask `decodes` first."""
        z = z.astype(np.float32)
        if isinstance(self.model, Embedding):
            decoded = self.model.decode(z)
            assert decoded is not None
            return decoded.reshape(len(z), *self.data.shape)
        import torch

        with torch.no_grad():
            model = self.model
            parts = [model.mean_image(model.decode(torch.from_numpy(z[part]))).numpy() for part in batches(len(z))]
        return np.concatenate(parts)


def batches(n: int) -> list[slice]:
    """So many points in batches."""
    return [slice(start, start + BATCH) for start in range(0, n, BATCH)]


def study(trained: Trained) -> dict[str, ndarray]:
    """The arrays of every study that applies."""
    found: dict[str, ndarray] = {}
    for name in ORDER:
        found |= import_module(f"{__name__}.{name}").arrays(trained)
    return found

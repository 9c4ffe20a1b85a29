"""What a member draws: its data order and noise, block by block, from its own streams."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from benchmark.datasets._pairs import Pairs
from benchmark.models._neural import NeuralModel
from benchmark.seeds import BLOCK, stream

HELD = 2**26
"""Bytes of noise that are held at once, where a single step does not need more."""


class Draws:
    """The rows and noise of every step of a fleet's members, stacked along a leading axis of m members.

    A block of 64 steps is drawn from streams named by run, purpose and block: it depends neither on who trains
    beside a member nor on where training resumed. A block's noise is taken from its streams a few steps at a time where
    it is large: 400 members with ten samples of each point would hold gigabytes.

    `pairs`: where a paired model's second batch comes from. `weights`: how likely each row is to be drawn, up to a
    factor; None where all are alike.
    """

    def __init__(
        self,
        run_ids: list[str],
        model: NeuralModel,
        rows: np.ndarray,
        batch: int,
        pairs: Pairs | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        assert (pairs is not None) == model.paired
        self.run_ids = run_ids
        self.rows = rows
        self.pairs = pairs
        self._up_to = None if weights is None else np.cumsum(weights) / np.sum(weights)
        self.batch = batch
        self.noise = model.noise(batch)
        self.batches = 2 if model.second_batch or model.paired else 1
        step = 4 * len(run_ids) * max(1, sum(math.prod(noise.shape) for noise in self.noise.values()))
        self.together = 2 ** min(max(HELD // step, 1).bit_length() - 1, BLOCK.bit_length() - 1)
        """Steps whose noise is drawn together: a power of two, so that they share a block."""
        self._block = self._piece = -1
        self._indices: np.ndarray
        self._streams: dict[str, list[np.random.Generator]]
        self._noise: dict[str, Tensor]

    def at(self, step: int) -> tuple[np.ndarray, dict[str, Tensor]]:
        """Dataset rows (m, batches, batch) and noise tensors (m, …) of one step."""
        block, offset = divmod(step, BLOCK)
        piece, place = divmod(offset, self.together)
        if block != self._block or piece < self._piece:
            self._indices, self._streams = self._begin(block)
            self._block, self._piece = block, -1
        while self._piece < piece:
            self._noise = self._drawn(self._streams, self.together)
            self._piece += 1
        return self._indices[:, offset], {name: value[:, place] for name, value in self._noise.items()}

    def block(self, block: int) -> tuple[np.ndarray, dict[str, Tensor]]:
        """Dataset rows (m, 64, batches, batch) and noise tensors (m, 64, …) of a whole block of steps."""
        indices, streams = self._begin(block)
        return indices, self._drawn(streams, BLOCK)

    def _begin(self, block: int) -> tuple[np.ndarray, dict[str, list[np.random.Generator]]]:
        """The rows of a block, and the streams of its noise."""
        indices = np.stack([self._rows(run_id, block) for run_id in self.run_ids])
        return indices, {
            name: [stream(run_id, f"noise.{name}", block=block) for run_id in self.run_ids] for name in self.noise
        }

    def _rows(self, run_id: str, block: int) -> np.ndarray:
        """The rows (64, batches, batch) of a member's block."""
        batches = 1 if self.pairs else self.batches
        places = self._places(stream(run_id, "data", block=block), (BLOCK, batches, self.batch))
        rows: np.ndarray = self.rows[places]
        if self.pairs is None:
            return rows
        return np.concatenate([rows, self.pairs.partners(rows, stream(run_id, "pairs", block=block))], axis=1)

    def _places(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Places in `rows`, by the inverse of their cumulative probability where they are not all alike."""
        if self._up_to is None:
            return rng.integers(len(self.rows), size=shape)
        # The last sum may be a rounding below 1.
        return np.minimum(np.searchsorted(self._up_to, rng.random(shape), side="right"), len(self.rows) - 1)

    def _drawn(self, streams: dict[str, list[np.random.Generator]], steps: int) -> dict[str, Tensor]:
        """The noise (m, steps, …) of the next few steps."""
        drawn: dict[str, Tensor] = {}
        for name, noise in self.noise.items():
            values = np.empty((len(self.run_ids), steps, *noise.shape), np.float32)
            for rng, own in zip(streams[name], values, strict=True):
                if noise.kind == "normal":
                    rng.standard_normal(out=own, dtype=np.float32)
                else:
                    rng.random(out=own, dtype=np.float32)
            drawn[name] = torch.from_numpy(values)
        return drawn

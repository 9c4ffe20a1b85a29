"""What a member draws: its data order and noise, block by block, from its own streams."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from benchmark.models._neural import NeuralModel
from benchmark.seeds import BLOCK, stream


class Draws:
    """The rows and noise of every step of a fleet's members, stacked along a leading axis of m members.

    A block of 64 steps is drawn from streams named by run, purpose and block: it depends neither on who trains
    beside a member nor on where training resumed.
    """

    def __init__(self, run_ids: list[str], model: NeuralModel, rows: np.ndarray, batch: int) -> None:
        self.run_ids = run_ids
        self.rows = rows
        self.batch = batch
        self.noise = model.noise(batch)
        self.batches = 2 if model.second_batch else 1
        self._block = -1
        self._indices: np.ndarray
        self._noise: dict[str, Tensor]

    def at(self, step: int) -> tuple[np.ndarray, dict[str, Tensor]]:
        """Dataset rows (m, batches, batch) and noise tensors (m, …) of one step."""
        block, offset = divmod(step, BLOCK)
        if block != self._block:
            self._indices, self._noise = self.block(block)
            self._block = block
        return self._indices[:, offset], {name: value[:, offset] for name, value in self._noise.items()}

    def block(self, block: int) -> tuple[np.ndarray, dict[str, Tensor]]:
        """Dataset rows (m, 64, batches, batch) and noise tensors (m, 64, …) of a whole block of steps."""
        shape = (BLOCK, self.batches, self.batch)
        data = [stream(run_id, "data", block=block) for run_id in self.run_ids]
        indices = np.stack([self.rows[rng.integers(len(self.rows), size=shape)] for rng in data])
        drawn: dict[str, Tensor] = {}
        for name, noise in self.noise.items():
            values = np.empty((len(self.run_ids), BLOCK, *noise.shape), np.float32)
            for index, run_id in enumerate(self.run_ids):
                rng = stream(run_id, f"noise.{name}", block=block)
                if noise.kind == "normal":
                    rng.standard_normal(out=values[index], dtype=np.float32)
                else:
                    rng.random(out=values[index], dtype=np.float32)
            drawn[name] = torch.from_numpy(values)
        return indices, drawn

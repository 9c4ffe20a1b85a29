"""What a fleet's steps are fed with: data points, noise and classes, here or on a device."""

from __future__ import annotations

import gc
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Integer
from numpy import ndarray
from torch import Tensor

from benchmark.datasets._dataset import Data, Images
from benchmark.errors import ModelError
from benchmark.seeds import BLOCK
from benchmark.training.draws import Draws

SENT_AT_ONCE = 8192
"""Rows of data that are unpacked together on their way to a device."""


class Inputs(NamedTuple):
    """Batches (m b …) of one step, as `Engine.step` takes them."""

    x: Tensor
    x2: Tensor | None
    noise: dict[str, Tensor]
    labels: Tensor | None


def points(images: Images, rows: np.ndarray, maximum: int) -> Tensor:
    """Data points as float32 (…, *shape): pixels scaled to [0, 1], points as they are."""
    values = torch.from_numpy(images[rows.ravel()]).float()
    if maximum != 1:
        values /= maximum
    return values.reshape(*rows.shape, *values.shape[1:])


def classes(data: Data) -> Integer[ndarray, " N"]:
    """The class of every point, for models that see labels: its value of the first discrete factor that varies.

    Raises `ModelError` where there is none.
    """
    for column, size in zip(data.factors.T, data.factor_sizes, strict=True):
        if size > 1 and column.min() != column.max():
            return column.astype(np.int64)
    raise ModelError("a model that sees labels needs data with a discrete factor; this dataset knows none that varies")


class Feed:
    """Batches looked up where the data is, in this process's memory."""

    def __init__(self, draws: Draws, data: Data, *, labelled: bool) -> None:
        self.draws, self.data = draws, data
        self.classes = classes(data) if labelled else None

    def at(self, step: int) -> Inputs:
        """The inputs of one step."""
        rows, noise = self.draws.at(step)
        x = points(self.data.images, rows, self.data.maximum)
        labels = None if self.classes is None else torch.from_numpy(self.classes[rows[:, 0]])
        return Inputs(x[:, 0], x[:, 1] if self.draws.batches == 2 else None, noise, labels)


class ResidentFeed:
    """Batches looked up on the device: the data lies there as it is stored; rows and noise, drawn here from the
    members' own streams, are sent a block of steps at a time.

    Data of more than half of the device's free memory stays here, and its batches are sent.
    """

    def __init__(self, draws: Draws, data: Data, device: torch.device, *, labelled: bool) -> None:
        self.draws, self.data, self.device = draws, data, device
        self.images = resident(data.images, device) if fits(data.images, device) else None
        self.classes = torch.from_numpy(classes(data)).to(device) if labelled else None
        self._block = -1
        self._indices: ndarray
        self._rows: Tensor
        self._noise: dict[str, Tensor]

    def at(self, step: int) -> Inputs:
        """The inputs of one step."""
        block, offset = divmod(step, BLOCK)
        if block != self._block:
            self._indices, noise = self.draws.block(block)
            self._rows = sent(torch.from_numpy(self._indices), self.device)
            self._noise = {name: sent(value, self.device) for name, value in noise.items()}
            self._block = block
        rows = self._rows[:, offset]
        x = self._points(rows, offset)
        labels = None if self.classes is None else self.classes[rows[:, 0]]
        noise = {name: value[:, offset] for name, value in self._noise.items()}
        return Inputs(x[:, 0], x[:, 1] if self.draws.batches == 2 else None, noise, labels)

    def _points(self, rows: Tensor, offset: int) -> Tensor:
        if self.images is None:
            return sent(points(self.data.images, self._indices[:, offset], self.data.maximum), self.device)
        values = self.images[rows].float()
        return values if self.data.maximum == 1 else values.div_(self.data.maximum)


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Values on a device. A GPU fetches them by itself from memory that stays in place."""
    return values.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else values.to(device)


def fits(images: Images, device: torch.device) -> bool:
    """Whether data takes no more than half of a device's free memory."""
    if device.type != "cuda":
        return True
    gc.collect()
    torch.cuda.empty_cache()  # what an earlier fleet left to torch is free as well
    free, _ = torch.cuda.mem_get_info(device)
    return len(images) * images[:1].nbytes <= free / 2


def resident(images: Images, device: torch.device) -> Tensor:
    """Data on a device, in the type that it is stored in."""
    first = torch.from_numpy(images[:1])
    values = torch.empty((len(images), *first.shape[1:]), dtype=first.dtype, device=device)
    for start in range(0, len(images), SENT_AT_ONCE):
        part = images[start : start + SENT_AT_ONCE]
        values[start : start + len(part)] = torch.from_numpy(np.ascontiguousarray(part))
    return values

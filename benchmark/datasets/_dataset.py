"""What a dataset is: settings in, images and factors out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import ClassVar, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Integer, Shaped
from numpy import ndarray

from benchmark import spec
from benchmark.datasets._files import RemoteFile


@runtime_checkable
class Images(Protocol):
    """Anything that gives rows of images: an array, or one that unpacks or draws them when asked."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, rows: ndarray | slice) -> ndarray: ...


@dataclass(frozen=True)
class Data:
    """A dataset in memory.

    `images`: uint8 (N c h w), of which `maximum` is white, or float32 points (N D).
    `factors` (N k): integers for discrete factors, floats for continuous ones; k = 0 where none are known.
    `factor_sizes`: how many values each discrete factor takes, 0 for a continuous one.
    `grid`: the rows are every combination of factor values once, in C order.
    `training_rows`, `evaluation_rows`: which rows models are trained on and which are encoded and scored;
    the same rows where the data is its own distribution.
    `training_weights`: how likely each training row is to be drawn, up to a factor; None where all are alike.
    `pictures`: a number for each row, the same where rows are one picture; None where all differ.
    """

    images: Images
    factors: Shaped[ndarray, "N k"]
    factor_names: tuple[str, ...]
    factor_sizes: tuple[int, ...]
    training_rows: Integer[ndarray, " a"]
    evaluation_rows: Integer[ndarray, " b"]
    grid: bool = False
    maximum: int = 1
    training_weights: Float[ndarray, " a"] | None = None
    pictures: Integer[ndarray, " N"] | None = None

    @property
    def unseen(self) -> Bool[ndarray, " b"] | None:
        """Which evaluation rows are combinations of a grid's factors whose picture is absent in training; None without
        any."""
        if not self.grid or len(self.training_rows) == len(self.evaluation_rows):
            return None
        seen, rows = self.training_rows, self.evaluation_rows
        if self.pictures is not None:
            seen, rows = self.pictures[seen], self.pictures[rows]
        absent = np.isin(rows, seen, invert=True)
        return absent if absent.any() else None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one data point: (c, h, w), or (D,)."""
        return tuple(self.images.shape[1:])


def blank_grid(shape: tuple[int, ...], sizes: tuple[int, ...], maximum: int = 1) -> Data:
    """Black images of this shape, which take no memory, one for every combination of factors of these sizes."""
    rows = np.arange(prod(sizes))
    return Data(
        images=np.broadcast_to(np.zeros((), np.uint8), (len(rows), *shape)),
        factors=np.ascontiguousarray(np.indices(sizes).reshape(len(sizes), -1).T),
        factor_names=tuple(f"factor_{k}" for k in range(len(sizes))),
        factor_sizes=sizes,
        training_rows=rows,
        evaluation_rows=rows,
        grid=True,
        maximum=maximum,
    )


class Dataset(ABC):
    """Base of every dataset. The file's name is the dataset's name; the first line of its docstring describes it."""

    class Settings(spec.Settings):
        pass

    version: ClassVar[int] = 1
    files: ClassVar[tuple[RemoteFile, ...]] = ()
    """The published files that the data is read from, for `benchmark data`."""
    likelihood: Literal["bernoulli", "gaussian"] = "bernoulli"
    """The likelihood that models use on this data unless told otherwise."""
    sigma: float = 1.0
    """σ_x of the Gaussian likelihood, in the data's units."""
    drawn: ClassVar[bool] = False
    """Whether the data is drawn here where its files are absent."""
    settings: Settings

    @property
    def shifted(self) -> bool:
        """Whether training sees another distribution than the one that models are scored on."""
        return False

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings if settings is not None else self.Settings()

    def wanted(self) -> Sequence[RemoteFile]:
        """Those of the files that these settings need."""
        return self.files

    def blank(self) -> Data | None:
        """Data of the same size without its content, for an estimate where the files are not here; None if unknown."""
        return None

    @abstractmethod
    def load(self, data_dir: Path | None = None) -> Data:
        """Read or draw the data. Files are looked for in `data_dir`, $BENCHMARK_DATA and the user's cache."""

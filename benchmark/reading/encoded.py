"""Codes of a model that was made elsewhere, on the points of a dataset of ours: arrays, ready to be scored or saved."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped
from numpy import ndarray

from benchmark.atomic import write_atomically
from benchmark.errors import UsageError


@dataclass(frozen=True, repr=False)
class Encoded:
    """What `encode` gives: `score` takes it, and `benchmark evaluate --codes` its file.

    `codes` (n d), in the order of the dataset's evaluation rows, and `variances` (n d) where the model gives log
    variances; `factors` (n k) with `factor_names`, those in `discrete` being discrete. `dataset` names the data,
    `notes` say how the model's output was read.
    """

    codes: Float[ndarray, "n d"]
    factors: Shaped[ndarray, "n k"]
    factor_names: tuple[str, ...]
    discrete: tuple[str, ...] = ()
    variances: Float[ndarray, "n d"] | None = None
    dataset: str = ""
    notes: tuple[str, ...] = ()

    @property
    def continuous(self) -> tuple[str, ...]:
        return tuple(name for name in self.factor_names if name not in self.discrete)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write an archive for `benchmark evaluate --codes`; its path. Raises `UsageError` on another ending."""
        path = Path(path)
        if path.suffix.lower() != ".npz":
            raise UsageError(f"{path}: codes are saved as .npz, so that `benchmark evaluate --codes` reads them")
        if not path.parent.is_dir():
            raise UsageError(f"{path}: there is no folder {path.parent}; make it first")
        arrays: dict[str, ndarray] = {"codes": self.codes}
        if self.variances is not None:
            arrays["variances"] = self.variances
        if self.factor_names:
            arrays |= {"factors": self.factors, "factor_names": np.array(self.factor_names)}
            for kind, names in (("discrete_factors", self.discrete), ("continuous_factors", self.continuous)):
                if names:
                    arrays[kind] = np.array(names)
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # type: ignore[arg-type]
        write_atomically(path, lambda scratch: scratch.write_bytes(buffer.getvalue()))
        return path

    def __repr__(self) -> str:
        n, d = self.codes.shape
        beside = " with variances" if self.variances is not None else ""
        factors = ", ".join(self.factor_names) or "no factors"
        return f"{n:,} points × {d} codes{beside} on {self.dataset or 'data of your own'} ({factors})"

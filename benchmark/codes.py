"""Codes: what a trained model says of its data, as arrays that every measure works from."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float, Integer, Shaped
from numpy import ndarray

from benchmark.errors import BenchmarkError, UsageError

FORMAT = 1
TRAINED_ON = "trained_on"
"""The array (n) that says which points' combinations of factors were trained on; absent where all were."""
FACTORS_BESIDE = frozenset({"corruption_factors", "corruption_training_factors", "corruption_triangle_factors"})
"""Arrays (m k) of the codes' own factors at points of which more is kept."""


@dataclass(frozen=True)
class Codes:
    """The representation of n data points by d coordinates, with the k factors behind them.

    `means` (n d) and, for stochastic encoders, `variances` (n d) and one `samples` (n d) of the posterior.
    `factors` (n k): integers for discrete factors, floats for continuous ones; k = 0 where none are known.
    `factor_sizes`: how many values each discrete factor takes in the dataset, 0 for a continuous one.
    `grid`: the rows are every combination of factor values once, in C order.
    `arrays`: what else `encode` reduced from the model: `v` (m d d), reconstruction terms in nats, pictures, …
    """

    means: Float[ndarray, "n d"]
    factors: Shaped[ndarray, "n k"]
    factor_names: tuple[str, ...]
    factor_sizes: tuple[int, ...]
    variances: Float[ndarray, "n d"] | None = None
    samples: Float[ndarray, "n d"] | None = None
    grid: bool = False
    arrays: dict[str, ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.means.ndim != 2:
            raise UsageError(f"codes must be a table (points × coordinates), not an array of shape {self.means.shape}")
        if self.factors.ndim != 2 or len(self.factors) != len(self.means):
            raise UsageError(f"factors of shape {self.factors.shape} do not fit {len(self.means)} codes")
        if not np.isfinite(self.means).all():
            raise UsageError("codes hold NaN or infinite values")

    @property
    def representations(self) -> dict[str, Float[ndarray, "n d"]]:
        """The representations that can be scored: `mean`, and `sample` where the encoder is stochastic."""
        return {"mean": self.means} if self.samples is None else {"mean": self.means, "sample": self.samples}

    def save(self, path: Path) -> None:
        """Write one safetensors file. The caller publishes it atomically."""
        from safetensors.numpy import save_file

        tensors = {"means": self.means, "factors": self.factors}
        if self.variances is not None:
            tensors["variances"] = self.variances
        if self.samples is not None:
            tensors["samples"] = self.samples
        tensors |= {f"arrays.{name}": value for name, value in self.arrays.items()}
        header = {
            "format": FORMAT,
            "factor_names": self.factor_names,
            "factor_sizes": self.factor_sizes,
            "grid": self.grid,
        }
        contiguous = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
        save_file(contiguous, str(path), metadata={"codes": json.dumps(header)})

    @classmethod
    def load(cls, path: Path, names: set[str] | None = None) -> Codes:
        """Read a codes file; with `names`, only those of `arrays`. Raises `BenchmarkError` on a damaged file."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(str(path), framework="numpy") as file:
                header = json.loads((file.metadata() or {})["codes"])
                if header["format"] > FORMAT:
                    raise BenchmarkError(f"{path} has format {header['format']}, newer than this version reads; update")
                keys = [k for k in file.keys() if names is None or not k.startswith("arrays.") or k[7:] in names]  # noqa: SIM118
                tensors = {key: file.get_tensor(key) for key in keys}
            names_of, sizes_of = tuple(header["factor_names"]), tuple(header["factor_sizes"])
            if not len(names_of) == len(sizes_of) == tensors["factors"].shape[1]:
                raise ValueError("its factors, their names and their sizes differ in number")
            return cls(
                means=tensors["means"],
                factors=tensors["factors"],
                factor_names=names_of,
                factor_sizes=sizes_of,
                variances=tensors.get("variances"),
                samples=tensors.get("samples"),
                grid=header["grid"],
                arrays={key[7:]: value for key, value in tensors.items() if key.startswith("arrays.")},
            )
        # A header that is JSON but says something else is a KeyError, TypeError, …
        except (
            SafetensorError,
            OSError,
            KeyError,
            TypeError,
            ValueError,
            IndexError,
            AttributeError,
            RecursionError,
        ) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BenchmarkError(
                f"{path} cannot be read as codes ({reason}); delete its run folder and rerun"
            ) from None


def read_arrays(path: Path, names: Collection[str]) -> dict[str, ndarray]:
    """Those of the named `arrays` that a codes file holds, without reading the rest of it.

    Raises `BenchmarkError` on a damaged file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            held = set(file.keys())
            return {name: file.get_tensor(f"arrays.{name}") for name in names if f"arrays.{name}" in held}
    except (SafetensorError, OSError) as error:
        raise BenchmarkError(f"{path} cannot be read as codes ({error}); delete its run folder and rerun") from None


class FactorIndex:
    """Looks up the rows that share a factor's value: how measures intervene on factors without a simulator.

    `factors` (n k) integers. `rows(k, values)` draws, for each wanted value of factor k, rows that hold it.
    """

    def __init__(self, factors: Integer[ndarray, "n k"]) -> None:
        self.factors = factors

    @cached_property
    def _by_factor(self) -> list[tuple[ndarray, ndarray, ndarray]]:
        index = []
        for column in self.factors.T:
            order = np.argsort(column, kind="stable")
            values, starts = np.unique(column[order], return_index=True)
            index.append((order, values, np.append(starts, len(order))))
        return index

    def values(self, factor: int) -> Integer[ndarray, " v"]:
        """The values that a factor takes, ascending."""
        return self._by_factor[factor][1]

    def draw(
        self, factor: int, value_positions: Integer[ndarray, " s"], size: int, rng: np.random.Generator
    ) -> Integer[ndarray, "s size"]:
        """For each position into `values(factor)`, `size` rows drawn with replacement among those with that value."""
        order, _, starts = self._by_factor[factor]
        low, high = starts[value_positions], starts[value_positions + 1]
        return order[rng.integers(low[:, None], high[:, None], size=(len(value_positions), size))]

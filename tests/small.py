"""Small runs for tests, those of the conformance checks, and small data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmark import registry
from benchmark.conformance.small_runs import (
    GRID,
    PLANE,
    SMALL,
    TINY,
    advance,
    component,
    engine_of,
    load,
    small_run,
    trained,
    weights,
)
from benchmark.datasets._dataset import Data
from benchmark.training.fleet import Fleet

__all__ = [
    "GRID", "PLANE", "SMALL", "TINY", "advance", "after", "component", "engine_of", "fleet_of", "load", "neural_models",
    "small_run", "table", "trained", "weights",
]  # fmt: skip


def neural_models(*, trained: bool = True) -> list[str]:
    """The registered models that are trained by gradients, without labels; with `trained` off, untrained ones too."""
    classes = {name: registry.load("model", name) for name in registry.names("model")}
    fit = {name: cls for name, cls in classes.items() if cls.needs_network and not cls.labelled}
    return [name for name, cls in fit.items() if cls.trained or not trained]


def table(images: np.ndarray, factors: np.ndarray | None = None, maximum: int = 1) -> Data:
    """Data from an array, all rows trained on and encoded."""
    rows = np.arange(len(images))
    factors = np.zeros((len(images), 0)) if factors is None else factors
    names = tuple(f"factor_{k}" for k in range(factors.shape[1]))
    return Data(images, factors, names, (0,) * len(names), rows, rows, maximum=maximum)


def after(times: int) -> Callable[[], bool]:
    """Asks to stop at the given time of being asked."""
    asked = iter(range(1, 1_000_000))
    return lambda: next(asked) >= times


def fleet_of(engine: Any, model: str, steps: int = 40, rates: tuple[float, ...] = (1e-3, 1e-2)) -> Fleet:
    runs = [
        small_run(model, seed=seed, training={"steps": steps, "learning_rate": rate}) for seed, rate in enumerate(rates)
    ]
    return Fleet(engine, tuple(runs[:1] if engine == "single" else runs))

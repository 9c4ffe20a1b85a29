"""What a finished model is asked beside what the measures need, a file each: the arrays behind pictures and numbers.

A file has `arrays(trained)`, which gives named arrays, none where it does not apply. `encode` stores them with the
codes; raise its ENCODING when a study is added or gives something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from numpy import ndarray

from benchmark.codes import Codes
from benchmark.datasets._dataset import Data
from benchmark.models._model import Embedding
from benchmark.models._neural import NeuralModel
from benchmark.spec import Run

ORDER: tuple[str, ...] = ("decoder",)
"""The files of this folder."""


@dataclass(frozen=True)
class Trained:
    """A finished model, the data it was trained on, and the codes of its evaluation points."""

    model: NeuralModel | Embedding
    data: Data
    codes: Codes
    run: Run


def study(trained: Trained) -> dict[str, ndarray]:
    """The arrays of every study that applies."""
    found: dict[str, ndarray] = {}
    for name in ORDER:
        found |= import_module(f"{__name__}.{name}").arrays(trained)
    return found

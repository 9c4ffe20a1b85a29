"""What a reference row must do: codes of the factors and the generator alone."""

from __future__ import annotations

from functools import partial

import numpy as np

from benchmark.conformance.check import Check
from benchmark.models._model import Anchor

POINTS = 60


def checks_of_anchor(model: type[Anchor]) -> dict[str, Check]:
    return {
        "codes": Check(partial(codes, model), "return a table of float32 (n d), a row for each row of the factors"),
        "same generator": Check(partial(same_generator, model), "draw everything from the generator that it is given"),
    }


def factors() -> np.ndarray:
    """A table of factors (n 3), one of them constant."""
    rng = np.random.default_rng(0)
    return np.stack([rng.integers(0, 4, POINTS), np.zeros(POINTS, int), rng.integers(0, 9, POINTS)], axis=1)


def codes(model: type[Anchor]) -> None:
    given = factors()
    found = model(model.Settings()).codes(given, np.random.default_rng(0))
    assert found.ndim == 2 and len(found) == POINTS, f"codes of {POINTS} points have shape {found.shape}"
    assert found.dtype == np.float32, f"codes are {found.dtype}"
    assert np.isfinite(found).all(), "codes hold NaN or infinite values"
    assert np.array_equal(given, factors()), "it writes into the factors that it is given"


def same_generator(model: type[Anchor]) -> None:
    one, other = (model(model.Settings()).codes(factors(), np.random.default_rng(1)) for _ in range(2))
    assert np.array_equal(one, other), "two generators of one seed give two tables of codes"

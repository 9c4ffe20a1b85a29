"""What a model fitted in closed form must do: codes of data and generator alone, and a decoder with its derivative."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from benchmark import registry
from benchmark.conformance.check import Check
from benchmark.models._model import Embedding
from benchmark.stages.points import flattened

POINTS = 120
SMALL: dict[str, dict[str, Any]] = {"t_sne": {"iterations": 50}, "convex_flow": {"neighbours": 4}}
"""Settings that keep a model small."""


def checks_of_embedding(name: str) -> dict[str, Check]:
    fit = partial(fitted, name)
    return {
        "codes": Check(partial(codes, fit), "return float32 (n d), d = settings.latents, whose columns all vary"),
        "same generator": Check(
            partial(same_generator, fit), "draw everything in `fit` from the generator that it is given"
        ),
        "state": Check(partial(state, fit), "return the fitted arrays by name, which are stored as weights"),
        "decoder and its Jacobian": Check(
            partial(jacobian, fit), "return ∂decode/∂z (m D d) from `jacobian`, or None from both"
        ),
    }


def digits() -> ndarray:
    """120 images of digits, flattened (n D)."""
    return flattened(registry.load("dataset", "digits")().load(), np.arange(POINTS))


def fitted(name: str) -> Embedding:
    """The model on digits, from a generator of one seed."""
    model: type[Embedding] = registry.load("model", name)
    return model(model.Settings(latents=2, **SMALL.get(name, {}))).fit(digits(), np.random.default_rng(3))


def codes_of(model: Embedding) -> ndarray:
    found: ndarray = getattr(model, "codes") if model.transductive else model.transform(digits())  # noqa: B009
    return found


def codes(fit: Callable[[], Embedding]) -> None:
    found = codes_of(fit())
    assert found.shape == (POINTS, 2), f"two codes of {POINTS} points have shape {found.shape}"
    assert found.dtype == np.float32, f"codes are {found.dtype}"
    assert np.isfinite(found).all(), "codes hold NaN or infinite values"
    assert (found.std(0) > 0).all(), "a coordinate is the same at every point"


def same_generator(fit: Callable[[], Embedding]) -> None:
    one, other = fit(), fit()
    assert np.array_equal(codes_of(one), codes_of(other)), "two fits from one seed give different codes"
    theirs = other.state()
    wrong = [name for name, value in one.state().items() if not np.array_equal(value, theirs[name])]
    assert not wrong, f"two fits from one seed give different weights: {', '.join(wrong)}"


def state(fit: Callable[[], Embedding]) -> None:
    found = fit().state()
    wrong = [name for name, value in found.items() if not isinstance(value, ndarray)]
    assert not wrong, f"its state holds what is no array: {', '.join(wrong)}"


def jacobian(fit: Callable[[], Embedding]) -> None:
    model = fit()
    if model.transductive:
        assert type(model).decode is Embedding.decode, "a transductive model has no way back, and this one decodes"
        return
    z = np.random.default_rng(1).random((4, 2))
    decoded = model.decode(z)
    found = model.jacobian(z)
    if decoded is None:
        assert found is None, "it has a Jacobian and does not decode"
        return
    assert decoded.shape == (4, digits().shape[1]), f"4 decoded points have shape {decoded.shape}"
    if found is None:
        return
    assert found.shape == (*decoded.shape, 2), f"the Jacobian of 4 points has shape {found.shape}"
    step = 1e-3
    columns = [(model.decode(z + step * e) - model.decode(z - step * e)) / (2 * step) for e in np.eye(2)]  # type: ignore[operator]
    off = np.abs(found - np.stack(columns, axis=2)).max()
    assert off < 1e-3 * max(1.0, float(np.abs(found).max())), f"the Jacobian differs from decode's slope by {off:.3g}"

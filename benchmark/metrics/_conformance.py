"""What every measure must do, as checks that run on built-in and third-party measures alike.

`checks(declaration)` gives named functions that raise `AssertionError` with a sentence on what went wrong. A measure
that needs arrays which the suite cannot make up (`ARRAYS`) gets none.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._declare import Metric

Arrays = dict[str, Any]
"""Arrays by the name under which a measure asks for them; `history` is a dictionary of columns."""
Check = Callable[[], None]

SIZES = (2, 3, 4, 5)
REPEATS = 10
NEAR, SAME = 0.1, 0.02
"""How far the headline may move with the seed, and with what must not matter: of its range, or else of its value."""


def arrays(seed: int = 0) -> Arrays:
    """One of everything: 1,200 points of a full grid of four factors, nearly perfect codes and a fifth of noise."""
    rng = np.random.default_rng(seed)
    n = math.prod(SIZES) * REPEATS
    factors = np.stack(np.unravel_index(rng.permutation(n) % math.prod(SIZES), SIZES), axis=1)
    codes = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    codes = np.hstack([codes + 0.1 * rng.standard_normal(codes.shape), rng.standard_normal((n, 1))])
    step = np.arange(0, 1_001, 100)
    return {
        "codes": codes.astype(np.float32),
        "factors": factors,
        "means": codes.astype(np.float32),
        "variances": np.full_like(codes, 0.1, dtype=np.float32),
        "history": {"step": step, "delta_kl": np.where(step < 300, 0.5, 0.01)},
        "v": np.linalg.qr(rng.standard_normal((50, 5, 5)))[0],
        "reconstruction_mean": rng.uniform(10, 20, size=100),
        "reconstruction_sample": rng.uniform(12, 22, size=100),
    }


def checks(metric: Metric) -> dict[str, Check]:
    """The checks that apply to a measure, by name."""
    if metric.scope != "run" or not set(metric.needs) <= set(arrays()):
        return {}
    found: dict[str, Check] = {
        "scores": partial(_scores, metric),
        "same seed": partial(_same_seed, metric),
        "input untouched": partial(_untouched, metric),
        "too few points": partial(_too_few, metric),
        "no points": partial(_empty, metric),
    }
    for name in metric.needs:
        if name != "history":
            found |= {f"{value} in {name}": partial(_refused, metric, name, value) for value in (math.nan, math.inf)}
    if "codes" in metric.needs:
        changes = {"permutation": _permuted, "sign": _flipped, "scale": _scaled}
        found |= {f"{name} of codes": partial(_unmoved, metric, changes[name]) for name in metric.invariances}
        found |= {
            f"dead code {place}": partial(_unmoved, metric, partial(_dead, position))
            for place, position in (("first", 0), ("in the middle", 2), ("last", 5))
        }
        found |= {
            name: partial(_sane, metric, change)
            for name, change in (
                ("duplicate code", lambda made: made | {"codes": np.hstack([made["codes"], made["codes"][:, :1]])}),
                ("one code", lambda made: made | {"codes": made["codes"][:, :1]}),
                ("all codes dead", lambda made: made | {"codes": np.ones_like(made["codes"])}),
            )
        }
    if "factors" in metric.needs:
        found |= {
            f"constant factor {place}": partial(_unmoved, metric, partial(_constant, position))
            for place, position in (("first", 0), ("last", 4))
        }
        found["only constant factors"] = partial(
            _inapplicable, metric, lambda made: made | {"factors": np.zeros_like(made["factors"])}
        )
        found["no known factors"] = partial(
            _inapplicable, metric, lambda made: made | {"factors": made["factors"][:, :0]}
        )
        found |= {
            name: partial(_sane, metric, change)
            for name, change in (
                ("one factor", lambda made: made | {"factors": made["factors"][:, :1]}),
                ("continuous factors", lambda made: made | {"factors": made["codes"][:, :3].astype(np.float64)}),
                ("a factor of many values", _many_values),
            )
        }
    return found


def scores(metric: Metric, made: Arrays, seed: int = 0) -> dict[str, float]:
    return metric.function(*(made[name] for name in metric.needs), seed=seed, **metric.quick)


def _scores(metric: Metric) -> None:
    found = scores(metric, arrays())
    _finite(metric, found)
    assert metric.headline in found, f"{metric.headline} is not among the scores {sorted(found)}"


def _finite(metric: Metric, found: dict[str, float]) -> None:
    assert found, "no score was returned"
    for key, value in found.items():
        assert type(value) is float, f"{key!r} is {value!r}, not a Python float"
        assert math.isfinite(value), f"{key} is {value}"
    low, high = metric.bounds
    if metric.headline in found:
        value = found[metric.headline]
        assert low - 1e-9 <= value <= high + 1e-9, f"{metric.headline} = {value} lies outside [{low}, {high}]"


def _same_seed(metric: Metric) -> None:
    first, again, other = (scores(metric, arrays(), seed) for seed in (3, 3, 4))
    assert first == again, "two calls with one seed differ"
    assert first.keys() == other.keys(), "the seed changes which scores there are"
    _close(metric, first, other, NEAR, "another seed")


def _close(metric: Metric, one: dict[str, float], other: dict[str, float], margin: float, what: str) -> None:
    a, b = one[metric.headline], other[metric.headline]
    low, high = metric.bounds
    allowed = margin * (high - low if math.isfinite(high - low) else max(abs(a), abs(b), 0.1))
    assert abs(a - b) <= allowed, f"{what} moved {metric.headline} from {a:.4g} to {b:.4g}"


def _untouched(metric: Metric) -> None:
    made, kept = arrays(), arrays()
    scores(metric, made)
    for name in metric.needs:
        for one, other in zip(_leaves(made[name]), _leaves(kept[name]), strict=True):
            assert np.array_equal(one, other), f"{name} was changed in place"


def _leaves(value: ndarray | dict[str, ndarray]) -> list[ndarray]:
    return list(value.values()) if isinstance(value, dict) else [value]


def _too_few(metric: Metric) -> None:
    """Below its minimum a measure is not applicable; one point either is too few or gives a number."""
    for n in {1, metric.minimum_rows - 1} - {0}:
        try:
            found = scores(metric, _first(n))
        except NotApplicable:
            continue
        assert n >= metric.minimum_rows, f"{n} points are below its minimum, and gave {found}"
        _finite(metric, found)


def _refused(metric: Metric, name: str, value: float) -> None:
    made = arrays()
    spoilt = np.array(made[name], dtype=np.float64)
    spoilt.flat[-1] = value
    try:
        found = scores(metric, made | {name: spoilt})
    except UsageError:
        return
    raise AssertionError(f"{value} in {name} gave {found} instead of a UsageError")


def _empty(metric: Metric) -> None:
    try:
        found = scores(metric, _first(0))
    except (UsageError, NotApplicable):
        return
    raise AssertionError(f"no points gave {found} instead of a UsageError")


def _first(n: int) -> Arrays:
    """The first n rows of every array; training's history is not over points."""
    return {name: value if isinstance(value, dict) else value[:n] for name, value in arrays().items()}


def _unmoved(metric: Metric, change: Callable[[Arrays], Arrays]) -> None:
    made = arrays()
    _close(metric, scores(metric, made), scores(metric, change(made)), SAME, "the change")


def _sane(metric: Metric, change: Callable[[Arrays], Arrays]) -> None:
    try:
        found = scores(metric, change(arrays()))
    except NotApplicable:
        return
    _finite(metric, found)


def _inapplicable(metric: Metric, change: Callable[[Arrays], Arrays]) -> None:
    try:
        found = scores(metric, change(arrays()))
    except NotApplicable:
        return
    raise AssertionError(f"gave {found} instead of NotApplicable")


def _permuted(made: Arrays) -> Arrays:
    return made | {"codes": made["codes"][:, [3, 0, 4, 2, 1]]}


def _flipped(made: Arrays) -> Arrays:
    return made | {"codes": made["codes"] * np.array([1, -1, -1, 1, -1], dtype=np.float32)}


def _scaled(made: Arrays) -> Arrays:
    return made | {"codes": made["codes"] * np.array([1, 30, 0.02, 7, 0.3], dtype=np.float32)}


def _dead(position: int, made: Arrays) -> Arrays:
    # One third is not a binary fraction: its computed deviation over the table is not exactly zero.
    return made | {"codes": np.insert(made["codes"], position, np.float32(1 / 3), axis=1)}


def _constant(position: int, made: Arrays) -> Arrays:
    return made | {"factors": np.insert(made["factors"], position, 7, axis=1)}


def _many_values(made: Arrays) -> Arrays:
    """A factor of 60 values, more than a histogram has bins, that is independent of the others over the table."""
    factors = made["factors"]
    cell = np.ravel_multi_index(tuple(factors[:, 1:].T), SIZES[1:])
    return made | {"factors": np.stack([factors[:, 0], cell], axis=1)}

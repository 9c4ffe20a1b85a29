"""A measure on trial, and what the conformance suite demands of it: `AssertionError` says in a sentence what fails."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._conformance_arrays import (
    CODES,
    POINTS,
    Arrays,
    Change,
    arrays,
    over_leaves,
    perfect,
    posteriors,
)
from benchmark.metrics._declare import Metric

RUNS = 3
NEAR, SAME, EQUAL = 0.1, 0.02, 1e-6
"""How far a score may move with the seed, with what must not matter, and with how a number is written.

Of the headline's range where that is finite, or else of the score's value, which counts as ½ at least: what is
sampled in nats moves also where it is nearly 0."""


class Subject:
    """A measure under its trial settings, with the arrays that it is tried on."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.stacked = metric.scope == "configuration"
        self.splits = "split" in inspect.signature(metric.function).parameters

    def arrays(self) -> Arrays:
        if not self.stacked:
            return arrays()
        runs = [arrays(run) for run in range(RUNS)]
        return {name: over_leaves(np.stack, *(made[name] for made in runs)) for name in runs[0]}

    def scores(self, made: Arrays, **settings: Any) -> dict[str, float]:
        return self.metric.function(
            *(made[name] for name in self.metric.needs), **{"seed": 0, **self.metric.trial, **settings}
        )

    @cached_property
    def usual(self) -> dict[str, float]:
        """The scores of the arrays as they are: what changes are compared with."""
        return self.scores(self.used)

    @cached_property
    def used(self) -> Arrays:
        """The arrays that `usual` was taken of, as the measure left them."""
        return self.arrays()

    def points(self, made: Arrays, rows: Integer[ndarray, " m"]) -> Arrays:
        """The given rows of every array over points (or over rows of another kind); training's history has none."""
        axis = int(self.stacked)
        kept = {n for n, a in made.items() if isinstance(a, dict) or n == "groups"}
        return {n: a if n in kept else a.take(rows[rows < a.shape[axis]], axis) for n, a in made.items()}

    def coordinates(self, made: Arrays, change: Callable[[str, ndarray], ndarray]) -> Arrays:
        """`change(name, array)` of every array over coordinates: in the first run only, where there are several."""
        changed = dict(made)
        for name in (*CODES, "variances", "decoder_weights"):
            if self.stacked:
                changed[name] = np.concatenate([change(name, made[name][:1]), made[name][1:]])
            else:
                changed[name] = change(name, made[name])
        return changed

    def permuted(self, made: Arrays) -> Arrays:
        return self.coordinates(made, lambda _, array: array[..., [3, 0, 4, 2, 1]])

    def flipped(self, made: Arrays) -> Arrays:
        signs = np.array([1, -1, -1, 1, -1], dtype=np.float32)
        return self.coordinates(made, lambda name, array: array if name == "variances" else array * signs)

    def scaled(self, made: Arrays) -> Arrays:
        scales = np.array([1, 30, 0.02, 7, 0.3], dtype=np.float32)
        powers = {"variances": 2, "decoder_weights": -1}
        return self.coordinates(made, lambda name, array: array * scales ** powers.get(name, 1))

    def coarse(self, made: Arrays, sign: int) -> Arrays:
        """Codes of few values, one factor each: a draw of rows has more of one value than of its counterpart."""
        exact = sign * perfect(made["factors"]).astype(np.float32)
        return posteriors(lambda name, array: array[..., :4] if name == "variances" else exact, made)

    def shrunk(self, made: Arrays) -> Arrays:
        """All in a unit of 2⁴⁰, about 10¹²: what is exactly scaled and what must not be taken for constant."""
        powers = {"variances": 2, "decoder_weights": -1}
        return self.coordinates(made, lambda name, array: array * np.float32(2.0 ** (-40 * powers.get(name, 1))))

    def in_grid_order(self, made: Arrays) -> Arrays:
        rows = np.lexsort(arrays()["factors"].T[::-1])
        return self.points(made, rows)


def scores(subject: Subject) -> None:
    """The headline is there, of all runs and of each where there are several, and every score is a sound number."""
    found, headline = subject.usual, subject.metric.headline
    _finite(subject, found)
    expected = [headline, *(f"{headline}_run_{run}" for run in range(RUNS) if subject.stacked)]
    for key in expected:
        assert key in found, f"{key} is not among the scores {sorted(found)}"


def same_seed(subject: Subject) -> None:
    """One seed gives the same scores twice, and another moves the headline but a little."""
    made = subject.arrays()
    again, other = (subject.scores(made, seed=seed) for seed in (0, 1))
    assert subject.usual == again, "two calls with one seed differ"
    assert again.keys() == other.keys(), "the seed changes which scores there are"
    _close(subject, again, other, NEAR, [subject.metric.headline], "another seed")


def untouched(subject: Subject) -> None:
    """A measure does not write into its input."""
    assert subject.usual
    kept = subject.arrays()
    for name in subject.metric.needs:
        for one, other in zip(_leaves(subject.used[name]), _leaves(kept[name]), strict=True):
            assert np.array_equal(one, other), f"{name} was changed in place"


def too_few(subject: Subject) -> None:
    """Below its minimum a measure is not applicable; one point either is too few or gives a number."""
    minimum = subject.metric.minimum_rows
    for n in {1, minimum - 1} - {0}:
        try:
            found = subject.scores(subject.points(subject.arrays(), np.arange(n)))
        except NotApplicable:
            continue
        assert n >= minimum, f"{n} points are below its minimum, and gave {found}"
        _finite(subject, found)


def too_small(subject: Subject) -> None:
    """A table without as many points as the protocol tests on is told of with both numbers."""
    try:
        found = subject.scores(subject.arrays(), test=5_000)
    except NotApplicable as error:
        reason = str(error)
    else:
        raise AssertionError(f"5,000 test points of a table of {POINTS} gave {found} instead of NotApplicable")
    numbers = {int(number) for number in re.findall(r"\d+", reason.replace(",", ""))}
    assert {POINTS, 5_000} <= numbers, f"{reason!r} names not both {POINTS} points and 5,000 tests"


def refused(subject: Subject, name: str, value: float) -> None:
    """One NaN or infinite value in an array is a mistake of the user."""
    spoilt = np.array(subject.arrays()[name], dtype=np.float64)
    spoilt.flat[-1] = value
    rejected(subject, lambda made: made | {name: spoilt})


def rejected(subject: Subject, change: Change, **settings: Any) -> None:
    """What is changed so is a mistake of the user."""
    try:
        found = subject.scores(change(subject.arrays()), **settings)
    except UsageError:
        return
    raise AssertionError(f"gave {found} instead of a UsageError")


def empty(subject: Subject, change: Change) -> None:
    """Where no points or no runs are left, it is a mistake of the user or not applicable."""
    try:
        found = subject.scores(change(subject.arrays()))
    except (UsageError, NotApplicable):
        return
    raise AssertionError(f"gave {found} instead of a UsageError")


def unmoved(
    subject: Subject,
    change: Change,
    margin: float = SAME,
    before: Change | None = None,
    rename: Callable[[str], str] = str,
    headline_only: bool = False,
) -> None:
    """Neither the headline nor a factor's score moves; what there is of each coordinate is not compared."""
    usual = subject.usual if before is None else subject.scores(before(subject.arrays()))
    usual = {rename(key): value for key, value in usual.items() if not re.search(r"_(code|coordinate)_\d+$", key)}
    found = subject.scores(change(subject.arrays()))
    assert usual.keys() <= found.keys(), f"the change took {sorted(usual.keys() - found.keys())} away"
    _close(subject, usual, found, margin, [subject.metric.headline] if headline_only else usual, "the change")


def sane(subject: Subject, change: Change, **settings: Any) -> None:
    """Sound numbers, or not applicable."""
    try:
        found = subject.scores(change(subject.arrays()), **settings)
    except NotApplicable:
        return
    _finite(subject, found)


def inapplicable(subject: Subject, change: Change) -> None:
    """Not applicable, and no number."""
    try:
        found = subject.scores(change(subject.arrays()))
    except NotApplicable:
        return
    raise AssertionError(f"gave {found} instead of NotApplicable")


def ordered(subject: Subject) -> None:
    """Perfect codes beat noise, and are no worse than a rotation that mixes all four evenly."""
    made = subject.arrays()
    made["variances"] = np.full((POINTS, 4), 0.01, dtype=np.float32)
    codes = perfect(made["factors"])
    half = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2
    noise = np.random.default_rng(4).standard_normal(codes.shape)
    key = subject.metric.headline
    best, turned, worst = (
        subject.scores(made | dict.fromkeys(CODES, z.astype(np.float32)))[key] for z in (codes, codes @ half, noise)
    )
    sign = 1 if subject.metric.higher_is_better else -1
    allowed = _allowed(subject, SAME, key, best, turned, worst)
    assert sign * best > sign * worst + allowed, f"{key} of perfect codes is {best:.4g}, of noise {worst:.4g}"
    assert sign * best >= sign * turned - allowed, f"{key} of perfect codes is {best:.4g}, of a rotation {turned:.4g}"


def split_honoured(
    subject: Subject,
    split: tuple[Integer[ndarray, " a"], Integer[ndarray, " b"]],
    others: Integer[ndarray, " c"],
) -> None:
    """Codes exchanged among rows that are in neither half keep every marginal, and must not matter."""
    made = subject.arrays()
    rows = np.arange(POINTS)
    rows[others] = np.roll(others, 1)
    exchanged = posteriors(lambda _, array: array[rows], made)
    usual, found = (subject.scores(one, split=split) for one in (made, exchanged))
    _finite(subject, usual)
    key = subject.metric.headline
    allowed = _allowed(subject, SAME, key, usual[key], found[key])
    assert abs(usual[key] - found[key]) <= allowed, f"{key} uses rows that are in neither half of the split"


def _finite(subject: Subject, found: dict[str, float]) -> None:
    assert found, "no score was returned"
    for key, value in found.items():
        assert type(value) is float, f"{key!r} is {value!r}, not a Python float"
        assert math.isfinite(value), f"{key} is {value}"
    low, high = subject.metric.bounds
    if subject.metric.headline in found:
        value = found[subject.metric.headline]
        assert low - 1e-9 <= value <= high + 1e-9, f"{subject.metric.headline} = {value} lies outside [{low}, {high}]"


def _close(
    subject: Subject, one: dict[str, float], other: dict[str, float], margin: float, keys: Iterable[str], what: str
) -> None:
    for key in keys:
        a, b = one[key], other[key]
        assert abs(a - b) <= _allowed(subject, margin, key, a, b), f"{what} moved {key} from {a:.4g} to {b:.4g}"


def _allowed(subject: Subject, margin: float, key: str, *values: float) -> float:
    low, high = subject.metric.bounds
    size = max(*map(abs, values), 0.5)
    if math.isfinite(high - low):
        size = high - low if key == subject.metric.headline else max(high - low, size)
    return margin * size


def _leaves(value: ndarray | dict[str, ndarray] | None) -> list[ndarray]:
    if value is None:
        return []
    return list(value.values()) if isinstance(value, dict) else [value]

"""What every measure must do, as checks that run on built-in and third-party measures alike.

`checks(declaration)` gives named functions that raise `AssertionError` with a sentence on what went wrong. A measure
that needs arrays which the suite cannot make up (`arrays()`) gets none.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from typing import Any

import numpy as np
from jaxtyping import Integer
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._declare import Metric

Arrays = dict[str, Any]
"""Arrays by the name under which a measure asks for them; `history` is a dictionary of columns."""
Check = Callable[[], None]
Change = Callable[[Arrays], Arrays]

SIZES = (2, 3, 4, 5)
REPEATS = 10
POINTS = math.prod(SIZES) * REPEATS
RUNS = 3
CODES = ("codes", "means", "samples")
"""Arrays whose last axis are a representation's coordinates."""
NEAR, SAME, EQUAL = 0.1, 0.02, 1e-6
"""How far a score may move with the seed, with what must not matter, and with how a number is written.

Of the headline's range where that is finite, or else of the score's value, which counts as ½ at least: what is
sampled in nats moves also where it is nearly 0."""


def arrays(run: int = 0) -> Arrays:
    """One of everything: 1,200 points of a full grid of four factors, nearly perfect codes and a fifth of noise.

    Runs show the same points, and differ in their noise.
    """
    order = np.random.default_rng(0).permutation(POINTS) % math.prod(SIZES)
    factors = np.stack(np.unravel_index(order, SIZES), axis=1)
    rng = np.random.default_rng((1, run))
    codes = np.hstack([perfect(factors) + 0.1 * rng.standard_normal(factors.shape), rng.standard_normal((POINTS, 1))])
    step = np.arange(0, 1_001, 100)
    return {
        "codes": codes.astype(np.float32),
        "factors": factors,
        "means": codes.astype(np.float32),
        "variances": np.full_like(codes, 0.1, dtype=np.float32),
        "samples": (codes + math.sqrt(0.1) * rng.standard_normal(codes.shape)).astype(np.float32),
        "history": {"step": step, "delta_kl": np.where(step < 300, 0.5, 0.01)},
        "v": np.linalg.qr(rng.standard_normal((50, 5, 5)))[0],
        "reconstruction_mean": rng.uniform(10, 20, size=100),
        "reconstruction_sample": rng.uniform(12, 22, size=100),
        "log_weights": (rng.standard_normal((40, 2_000)) - 100).astype(np.float32),
        "decoder_weights": (rng.standard_normal((64, 5)) * [1, 1, 1, 1, 0.01]).astype(np.float32),
        "corruption_clean": codes[:200].astype(np.float32),
        "corruption_codes": (codes[:200, None] + 0.5 * rng.standard_normal((200, 4, 5))).astype(np.float32),
        "corruption_factors": factors[:200],
        "corruption_training": codes[200:].astype(np.float32),
        "corruption_training_factors": factors[200:],
        "corruption_triangle": codes[:200].astype(np.float32) + np.float32(0.1),
        "corruption_triangle_factors": np.where(np.arange(4) > 0, factors[:200], -1),
        "gradient_variance_score": rng.uniform(100, 200, size=(8, 2, 5)),
        "gradient_variance_baseline": rng.uniform(10, 20, size=(8, 2, 5)),
        "gradient_variance_pathwise": rng.uniform(1, 2, size=(8, 2, 5)),
    }


def perfect(factors: Integer[ndarray, "n k"]) -> ndarray:
    """Each code one factor, standardised."""
    return (factors - factors.mean(axis=0)) / factors.std(axis=0)


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
        return {name: _over_leaves(np.stack, *(made[name] for made in runs)) for name in runs[0]}

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
        return {n: a if isinstance(a, dict) else a.take(rows[rows < a.shape[axis]], axis) for n, a in made.items()}

    def coordinates(self, made: Arrays, change: Callable[[str, ndarray], ndarray]) -> Arrays:
        """`change(name, array)` of every array over coordinates: in the first run only, where there are several."""
        changed = dict(made)
        for name in (*CODES, "variances", "decoder_weights"):
            if self.stacked:
                changed[name] = np.concatenate([change(name, made[name][:1]), made[name][1:]])
            else:
                changed[name] = change(name, made[name])
        return changed


def _over_leaves(function: Callable[[list[ndarray]], ndarray], *values: Any) -> Any:
    if isinstance(values[0], dict):
        return {key: function([value[key] for value in values]) for key in values[0]}
    return function(list(values))


def checks(metric: Metric) -> dict[str, Check]:
    """The checks that apply to a measure, by name."""
    if not set(metric.needs) <= set(arrays()):
        return {}
    subject = Subject(metric)
    found: dict[str, Check] = {
        "scores": partial(_scores, subject),
        "same seed": partial(_same_seed, subject),
        "input untouched": partial(_untouched, subject),
        "too few points": partial(_too_few, subject),
        "no points": partial(_empty, subject, lambda made: subject.points(made, np.arange(0))),
    }
    for name in metric.needs:
        if name != "history":
            found |= {f"{value} in {name}": partial(_refused, subject, name, value) for value in (math.nan, math.inf)}
    if set(CODES) & set(metric.needs):
        changes = {"permutation": _permuted, "sign": _flipped, "scale": _scaled}
        found |= {
            f"{name} of codes": partial(_unmoved, subject, partial(changes[name], subject))
            for name in metric.invariances
        }
    judged = bool(set(CODES) & set(metric.needs)) and (metric.supervised or subject.stacked)
    if judged or "codes" in metric.needs:
        found |= {
            f"dead code {place}": partial(_unmoved, subject, partial(_dead, position))
            for place, position in (("first", 0), ("in the middle", 2), ("last", 5))
        }
        found |= _code_checks(subject)
    if "factors" in metric.needs:
        found |= _factor_checks(subject)
    if judged and "factors" in metric.needs:
        found["points in the grid's order"] = partial(
            _unmoved, subject, partial(_sorted, subject), NEAR, headline_only=True
        )
        found["codes and factors of two lengths"] = partial(
            _rejected, subject, lambda made: made | {"factors": made["factors"][..., :-1, :]}
        )
        if metric.supervised and metric.higher_is_better is not None and not subject.stacked:
            found["perfect, rotated and noise codes"] = partial(_ordered, subject)
        if subject.splits:
            found |= _split_checks(subject)
    if subject.stacked:
        found["one run"] = partial(_sane, subject, lambda made: {n: _over_leaves(_one, a) for n, a in made.items()})
        found["no runs"] = partial(_empty, subject, lambda made: {n: _over_leaves(_none, a) for n, a in made.items()})
    return found


def _one(values: list[ndarray]) -> ndarray:
    return values[0][:1]


def _none(values: list[ndarray]) -> ndarray:
    return values[0][:0]


def _code_checks(subject: Subject) -> dict[str, Check]:
    def many(name: str, array: ndarray) -> ndarray:
        rng = np.random.default_rng(2)
        more = rng.standard_normal((POINTS, 20)) if name in CODES else np.ones((POINTS, 20))
        return np.concatenate([array, np.broadcast_to(more, (*array.shape[:-1], 20)).astype(array.dtype)], axis=-1)

    def rounded(kind: type, name: str, array: ndarray) -> ndarray:
        return np.round(array * 1e5).astype(kind) if name in CODES else array * 1e10

    def doubled(_: str, array: ndarray) -> ndarray:
        return array.astype(np.float64)

    whole, floats = (partial(_posteriors, partial(rounded, kind)) for kind in (np.int64, np.float64))
    return {
        "all codes dead": partial(_sane, subject, partial(_posteriors, lambda _, array: np.ones_like(array))),
        "duplicate code": partial(
            _sane, subject, partial(_posteriors, lambda _, array: array[..., [*range(array.shape[-1]), 0]])
        ),
        "one code": partial(_sane, subject, partial(_posteriors, lambda _, array: array[..., :1])),
        "fewer codes than factors": partial(_sane, subject, partial(_posteriors, lambda _, array: array[..., :2])),
        "many more codes than factors": partial(_sane, subject, partial(_posteriors, many)),
        "codes in double precision": partial(_unmoved, subject, partial(_posteriors, doubled)),
        "codes in whole numbers": partial(
            _unmoved, subject, whole, before=None if "scale" in subject.metric.invariances else floats
        ),
    }


def _posteriors(change: Callable[[str, ndarray], ndarray], made: Arrays) -> Arrays:
    """`change(name, array)` of the representations and of their variances."""
    return made | {name: change(name, made[name]) for name in (*CODES, "variances")}


def _factor_checks(subject: Subject) -> dict[str, Check]:
    def with_factors(change: Callable[[ndarray], ndarray]) -> Change:
        return lambda made: made | {"factors": change(made["factors"])}

    return {
        **{
            f"constant factor {place}": partial(
                _unmoved,
                subject,
                with_factors(partial(_constant, position)),
                rename=partial(_factor_moved_up, position),
            )
            for place, position in (("first", 0), ("last", 4))
        },
        "only constant factors": partial(_inapplicable, subject, with_factors(np.zeros_like)),
        "no known factors": partial(_inapplicable, subject, with_factors(lambda v: v[..., :0])),
        "one factor": partial(_sane, subject, with_factors(lambda v: v[..., :1])),
        "continuous factors": partial(
            _sane, subject, lambda made: made | {"factors": perfect(made["factors"])[..., :3] + _jitter()}
        ),
        "a factor of many values": partial(_sane, subject, with_factors(_many_values)),
        "a value that three points hold": partial(_sane, subject, with_factors(_rare)),
        "factors as whole floats": partial(_unmoved, subject, with_factors(lambda v: v.astype(np.float64)), EQUAL),
    }


def _split_checks(subject: Subject) -> dict[str, Check]:
    rows = np.random.default_rng(3).permutation(POINTS)
    training, testing, others = rows[:400], rows[400:600], rows[600:]
    factors = arrays()["factors"]
    rare = _rare(factors)
    found: dict[str, Check] = {
        "a given split": partial(_split_honoured, subject, (training, testing), others),
        "a class that training did not show": partial(
            _sane,
            subject,
            lambda made: made,
            split=(training[factors[training, 3] > 0], testing),
        ),
        "one class in the training rows": partial(
            _sane,
            subject,
            lambda made: made | {"factors": rare},
            split=(training[rare[training, 0] == 0], np.union1d(testing, np.flatnonzero(rare[:, 0]))),
        ),
    }
    for what, split in {
        "rows that overlap": (training, np.append(testing, training[0])),
        "rows beyond the table": (training, np.append(testing, POINTS)),
        "negative rows": (training, np.append(testing, -1)),
        "no test rows": (training, testing[:0]),
    }.items():
        found[f"split: {what}"] = partial(_rejected, subject, lambda made: made, split=split)
    if "test" in subject.metric.settings.model_fields:
        found["a table too small for the protocol"] = partial(_too_small, subject)
    return found


def _scores(subject: Subject) -> None:
    found, headline = subject.usual, subject.metric.headline
    _finite(subject, found)
    expected = [headline, *(f"{headline}_run_{run}" for run in range(RUNS) if subject.stacked)]
    for key in expected:
        assert key in found, f"{key} is not among the scores {sorted(found)}"


def _finite(subject: Subject, found: dict[str, float]) -> None:
    assert found, "no score was returned"
    for key, value in found.items():
        assert type(value) is float, f"{key!r} is {value!r}, not a Python float"
        assert math.isfinite(value), f"{key} is {value}"
    low, high = subject.metric.bounds
    if subject.metric.headline in found:
        value = found[subject.metric.headline]
        assert low - 1e-9 <= value <= high + 1e-9, f"{subject.metric.headline} = {value} lies outside [{low}, {high}]"


def _same_seed(subject: Subject) -> None:
    made = subject.arrays()
    again, other = (subject.scores(made, seed=seed) for seed in (0, 1))
    assert subject.usual == again, "two calls with one seed differ"
    assert again.keys() == other.keys(), "the seed changes which scores there are"
    _close(subject, again, other, NEAR, [subject.metric.headline], "another seed")


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


def _untouched(subject: Subject) -> None:
    assert subject.usual
    kept = subject.arrays()
    for name in subject.metric.needs:
        for one, other in zip(_leaves(subject.used[name]), _leaves(kept[name]), strict=True):
            assert np.array_equal(one, other), f"{name} was changed in place"


def _leaves(value: ndarray | dict[str, ndarray]) -> list[ndarray]:
    return list(value.values()) if isinstance(value, dict) else [value]


def _too_few(subject: Subject) -> None:
    """Below its minimum a measure is not applicable; one point either is too few or gives a number."""
    minimum = subject.metric.minimum_rows
    for n in {1, minimum - 1} - {0}:
        try:
            found = subject.scores(subject.points(subject.arrays(), np.arange(n)))
        except NotApplicable:
            continue
        assert n >= minimum, f"{n} points are below its minimum, and gave {found}"
        _finite(subject, found)


def _too_small(subject: Subject) -> None:
    try:
        found = subject.scores(subject.arrays(), test=5_000)
    except NotApplicable as error:
        reason = str(error)
    else:
        raise AssertionError(f"5,000 test points of a table of {POINTS} gave {found} instead of NotApplicable")
    numbers = {int(number) for number in re.findall(r"\d+", reason.replace(",", ""))}
    assert {POINTS, 5_000} <= numbers, f"{reason!r} names not both {POINTS} points and 5,000 tests"


def _refused(subject: Subject, name: str, value: float) -> None:
    spoilt = np.array(subject.arrays()[name], dtype=np.float64)
    spoilt.flat[-1] = value
    _rejected(subject, lambda made: made | {name: spoilt})


def _rejected(subject: Subject, change: Change, **settings: Any) -> None:
    try:
        found = subject.scores(change(subject.arrays()), **settings)
    except UsageError:
        return
    raise AssertionError(f"gave {found} instead of a UsageError")


def _empty(subject: Subject, change: Change) -> None:
    try:
        found = subject.scores(change(subject.arrays()))
    except (UsageError, NotApplicable):
        return
    raise AssertionError(f"gave {found} instead of a UsageError")


def _unmoved(
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


def _sane(subject: Subject, change: Change, **settings: Any) -> None:
    try:
        found = subject.scores(change(subject.arrays()), **settings)
    except NotApplicable:
        return
    _finite(subject, found)


def _inapplicable(subject: Subject, change: Change) -> None:
    try:
        found = subject.scores(change(subject.arrays()))
    except NotApplicable:
        return
    raise AssertionError(f"gave {found} instead of NotApplicable")


def _ordered(subject: Subject) -> None:
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


def _split_honoured(
    subject: Subject,
    split: tuple[Integer[ndarray, " a"], Integer[ndarray, " b"]],
    others: Integer[ndarray, " c"],
) -> None:
    """Codes exchanged among rows that are in neither half keep every marginal, and must not matter."""
    made = subject.arrays()
    rows = np.arange(POINTS)
    rows[others] = np.roll(others, 1)
    exchanged = _posteriors(lambda _, array: array[rows], made)
    usual, found = (subject.scores(one, split=split) for one in (made, exchanged))
    _finite(subject, usual)
    key = subject.metric.headline
    allowed = _allowed(subject, SAME, key, usual[key], found[key])
    assert abs(usual[key] - found[key]) <= allowed, f"{key} uses rows that are in neither half of the split"


def _permuted(subject: Subject, made: Arrays) -> Arrays:
    return subject.coordinates(made, lambda _, array: array[..., [3, 0, 4, 2, 1]])


def _flipped(subject: Subject, made: Arrays) -> Arrays:
    signs = np.array([1, -1, -1, 1, -1], dtype=np.float32)
    return subject.coordinates(made, lambda name, array: array if name == "variances" else array * signs)


def _scaled(subject: Subject, made: Arrays) -> Arrays:
    scales = np.array([1, 30, 0.02, 7, 0.3], dtype=np.float32)
    powers = {"variances": 2, "decoder_weights": -1}
    return subject.coordinates(made, lambda name, array: array * scales ** powers.get(name, 1))


def _sorted(subject: Subject, made: Arrays) -> Arrays:
    rows = np.lexsort(arrays()["factors"].T[::-1])
    return subject.points(made, rows)


def _dead(position: int, made: Arrays) -> Arrays:
    def with_dead(name: str, array: ndarray) -> ndarray:
        # One third is not a binary fraction: its computed deviation over the table is not exactly zero.
        return np.insert(array, position, np.float32(1 / 3) if name in CODES else 1, axis=-1)

    return _posteriors(with_dead, made)


def _constant(position: int, factors: ndarray) -> ndarray:
    return np.insert(factors, position, 7, axis=-1)


def _factor_moved_up(position: int, key: str) -> str:
    """A factor's key once another factor stands at `position`."""
    found = re.search(r"_factor_(\d+)$", key)
    if not found or int(found[1]) < position:
        return key
    return f"{key[: found.start()]}_factor_{int(found[1]) + 1}"


def _many_values(factors: ndarray) -> ndarray:
    """A factor of 60 values, more than a histogram has bins, that is independent of the others over the table."""
    cell = np.ravel_multi_index(tuple(np.moveaxis(factors[..., 1:], -1, 0)), SIZES[1:])
    return np.stack([factors[..., 0], cell], axis=-1)


def _rare(factors: ndarray) -> ndarray:
    """The first factor with a second value at three points only: a draw of them may show one class."""
    rare = factors.copy()
    rare[..., 0] = 0
    rare[..., [100, 500, 900], 0] = 1
    return rare


def _jitter() -> ndarray:
    return 0.1 * np.random.default_rng(5).standard_normal((POINTS, 3))

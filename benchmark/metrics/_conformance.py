"""What every measure must do, as checks that run on built-in and third-party measures alike.

`checks(declaration)` gives named functions that raise `AssertionError` with a sentence on what went wrong. A measure
that needs arrays which the suite cannot make up gets none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy import ndarray

from benchmark.metrics import _conformance_demands as demand
from benchmark.metrics._conformance_arrays import (
    CODES,
    POINTS,
    Change,
    arrays,
    constant,
    dead,
    first_runs,
    jitter,
    many_values,
    mostly_least,
    perfect,
    posteriors,
    rare,
)
from benchmark.metrics._conformance_demands import EQUAL, NEAR, Subject
from benchmark.metrics._declare import Metric

Check = Callable[[], None]


def checks(metric: Metric) -> dict[str, Check]:
    """The checks that apply to a measure, by name."""
    if not set(metric.needs) <= set(arrays()):
        return {}
    subject = Subject(metric)
    found: dict[str, Check] = {
        "scores": partial(demand.scores, subject),
        "same seed": partial(demand.same_seed, subject),
        "input untouched": partial(demand.untouched, subject),
        "too few points": partial(demand.too_few, subject),
        "no points": partial(demand.empty, subject, lambda made: subject.points(made, np.arange(0))),
    }
    for name in metric.needs:
        if name not in ("history", "groups"):
            found |= {
                f"{value} in {name}": partial(demand.refused, subject, name, value) for value in (math.nan, math.inf)
            }
    if set(CODES) & set(metric.needs):
        changes = {"permutation": subject.permuted, "sign": subject.flipped, "scale": subject.scaled}
        found |= {f"{name} of codes": partial(demand.unmoved, subject, changes[name]) for name in metric.invariances}
        if "sign" in metric.invariances and not subject.stacked:
            found["sign of coarse codes"] = partial(
                demand.unmoved, subject, partial(subject.coarse, sign=-1), before=partial(subject.coarse, sign=1)
            )
        if "scale" in metric.invariances:
            found["tiny codes"] = partial(demand.unmoved, subject, subject.shrunk)
    judged = bool(set(CODES) & set(metric.needs)) and (metric.supervised or subject.stacked)
    if judged or "codes" in metric.needs:
        found |= {
            f"dead code {place}": partial(demand.unmoved, subject, partial(dead, position))
            for place, position in (("first", 0), ("in the middle", 2), ("last", 5))
        }
        found |= _code_checks(subject)
    if "factors" in metric.needs:
        found |= _factor_checks(subject)
    if judged and "factors" in metric.needs:
        found["points in the grid's order"] = partial(
            demand.unmoved, subject, subject.in_grid_order, NEAR, headline_only=True
        )
        found["codes and factors of two lengths"] = partial(
            demand.rejected, subject, lambda made: made | {"factors": made["factors"][..., :-1, :]}
        )
        if metric.supervised and metric.higher_is_better is not None and not subject.stacked:
            found["perfect, rotated and noise codes"] = partial(demand.ordered, subject)
        if subject.splits:
            found |= _split_checks(subject)
    if subject.stacked:
        found["one run"] = partial(demand.sane, subject, partial(first_runs, 1))
        found["no runs"] = partial(demand.empty, subject, partial(first_runs, 0))
    return found


def _code_checks(subject: Subject) -> dict[str, Check]:
    def many(name: str, array: ndarray) -> ndarray:
        rng = np.random.default_rng(2)
        more = rng.standard_normal((POINTS, 20)) if name in CODES else np.ones((POINTS, 20))
        return np.concatenate([array, np.broadcast_to(more, (*array.shape[:-1], 20)).astype(array.dtype)], axis=-1)

    def rounded(kind: type, name: str, array: ndarray) -> ndarray:
        return np.round(array * 1e5).astype(kind) if name in CODES else array * 1e10

    def doubled(_: str, array: ndarray) -> ndarray:
        return array.astype(np.float64)

    whole, floats = (partial(posteriors, partial(rounded, kind)) for kind in (np.int64, np.float64))
    return {
        "all codes dead": partial(demand.sane, subject, partial(posteriors, lambda _, array: np.ones_like(array))),
        "duplicate code": partial(
            demand.sane, subject, partial(posteriors, lambda _, array: array[..., [*range(array.shape[-1]), 0]])
        ),
        "one code": partial(demand.sane, subject, partial(posteriors, lambda _, array: array[..., :1])),
        "fewer codes than factors": partial(demand.sane, subject, partial(posteriors, lambda _, array: array[..., :2])),
        "many more codes than factors": partial(demand.sane, subject, partial(posteriors, many)),
        "codes in double precision": partial(demand.unmoved, subject, partial(posteriors, doubled)),
        "codes in whole numbers": partial(
            demand.unmoved, subject, whole, before=None if "scale" in subject.metric.invariances else floats
        ),
    }


def _factor_checks(subject: Subject) -> dict[str, Check]:
    def with_factors(change: Callable[[ndarray], ndarray]) -> Change:
        return lambda made: made | {"factors": change(made["factors"])}

    return {
        **{
            f"constant factor {place}": partial(
                demand.unmoved,
                subject,
                with_factors(partial(constant, position)),
                rename=partial(_factor_moved_up, position),
            )
            for place, position in (("first", 0), ("last", 4))
        },
        "only constant factors": partial(demand.inapplicable, subject, with_factors(np.zeros_like)),
        "no known factors": partial(demand.inapplicable, subject, with_factors(lambda v: v[..., :0])),
        "one factor": partial(demand.sane, subject, with_factors(lambda v: v[..., :1])),
        "continuous factors": partial(
            demand.sane, subject, lambda made: made | {"factors": perfect(made["factors"])[..., :3] + jitter()}
        ),
        "a factor of many values": partial(demand.sane, subject, with_factors(many_values)),
        "a continuous factor that is nearly always least": partial(demand.sane, subject, with_factors(mostly_least)),
        "a value that three points hold": partial(demand.sane, subject, with_factors(rare)),
        "factors by other numbers": partial(demand.unmoved, subject, with_factors(lambda v: 3 * v - 4), EQUAL),
        "factors as whole floats": partial(
            demand.unmoved, subject, with_factors(lambda v: v.astype(np.float64)), EQUAL
        ),
    }


def _split_checks(subject: Subject) -> dict[str, Check]:
    rows = np.random.default_rng(3).permutation(POINTS)
    training, testing, others = rows[:400], rows[400:600], rows[600:]
    factors = arrays()["factors"]
    rare_factors = rare(factors)
    found: dict[str, Check] = {
        "a given split": partial(demand.split_honoured, subject, (training, testing), others),
        "a class that training did not show": partial(
            demand.sane,
            subject,
            lambda made: made,
            split=(training[factors[training, 3] > 0], testing),
        ),
        "one class in the training rows": partial(
            demand.sane,
            subject,
            lambda made: made | {"factors": rare_factors},
            split=(training[rare_factors[training, 0] == 0], np.union1d(testing, np.flatnonzero(rare_factors[:, 0]))),
        ),
    }
    for what, split in {
        "rows that overlap": (training, np.append(testing, training[0])),
        "rows beyond the table": (training, np.append(testing, POINTS)),
        "negative rows": (training, np.append(testing, -1)),
        "no test rows": (training, testing[:0]),
    }.items():
        found[f"split: {what}"] = partial(demand.rejected, subject, lambda made: made, split=split)
    if "test" in subject.metric.settings.model_fields:
        found["a table too small for the protocol"] = partial(demand.too_small, subject)
    return found


def _factor_moved_up(position: int, key: str) -> str:
    """A factor's key once another factor stands at `position`."""
    found = re.search(r"_factor_(\d+)$", key)
    if not found or int(found[1]) < position:
        return key
    return f"{key[: found.start()]}_factor_{int(found[1]) + 1}"

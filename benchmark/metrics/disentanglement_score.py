"""How far the best single code of each factor predicts it better than the second best, for continuous factors too."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.metrics._check import (
    check_codes,
    check_factors,
    classes,
    is_discrete,
    need_rows,
    varying_codes,
    varying_factors,
)
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import Count, Share
from benchmark.metrics._split import Split, check_split

MINIMUM_ROWS = 100


@metric(supervised=True, minimum_rows=MINIMUM_ROWS, invariances=("permutation", "sign", "scale"))
def disentanglement_score(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    neighbours: Count = 5,
    test_share: Share = 0.2,
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """The disentanglement score of R §5.1: MIG's gap with a nearest-neighbour probe in the place of information.

    Each code alone predicts each factor from its `neighbours` nearest training points: their mean for a continuous
    factor, the most frequent class for a discrete one (the nearer class where two tie). On the test rows,
    (min(RMSE₂, s) − min(RMSE₁, s)) / s with s the factor's standard deviation, or
    (max(acc₁, m) − max(acc₂, m)) / (1 − m) with m the share of its most frequent class; 1 and 2 are the best and the
    second-best code; clipped to [0, 1]; mean over factors. A single code is compared with s or m.
    Neighbours at equal distance are taken in random order, the same for all codes, so that codes of few values are
    probed fairly and duplicates score alike. Rows are split by `seed`, unless `split` = (train rows, test rows).

    Returns `disentanglement_score` and `disentanglement_score_factor_I`, in [0, 1], higher is better: nearly 1 for
    perfect codes, about 0 for a rotation of two by 45°. Constant factors and constant codes are left out.
    Cost: 40 ms on 10,000 × 10 codes with five factors.
    Blind to a code that holds several factors, and to information that only several codes hold together.
    Others: R's supplement defines it and is lost to us, this is how it is transcribed elsewhere; there accuracies are
    not held above m as errors are held below s, which lets a useless second code raise the gap.
    Raises `NotApplicable` below 100 points or without a factor that varies, `UsageError` on unusable input.
    """
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    need_rows(len(codes), MINIMUM_ROWS, "a nearest-neighbour probe")
    rng = np.random.default_rng(seed)
    if split is None:
        order = rng.permutation(len(codes))
        held_out = round(test_share * len(codes))
        split = order[held_out:], order[:held_out]
    train, test = check_split(len(codes), split)
    if not len(test) or len(train) < neighbours:
        raise UsageError(f"{len(train)} training and {len(test)} test points cannot probe with {neighbours} neighbours")
    place = rng.random(len(test))
    nearest = [
        train[nearest_rows(code[train], code[test], neighbours, place)] for code in codes[:, varying_codes(codes)].T
    ]
    scores = {}
    for k in varying_factors(factors):
        quality = _class_quality if is_discrete(factors[:, k]) else _value_quality
        found = sorted((quality(factors[:, k], rows, test) for rows in nearest), reverse=True)
        best, second = (*found, 0.0, 0.0)[:2]
        scores[f"disentanglement_score_factor_{k}"] = best - second
    return {"disentanglement_score": float(np.mean(list(scores.values()))), **scores}


def nearest_rows(
    train: Float[ndarray, " a"], test: Float[ndarray, " b"], neighbours: int, place: Float[ndarray, " b"]
) -> Integer[ndarray, "b neighbours"]:
    """The positions in `train` of each test value's nearest neighbours, nearest first.

    On a line they lie in a window around the value's place in the sorted training values. Where training values
    equal it, `place` in [0, 1) says where among them the window is centred.
    """
    order = np.argsort(train, kind="stable")
    ordered = train[order].astype(np.float64)
    low, high = (np.searchsorted(ordered, test, side=side) for side in ("left", "right"))
    centre = low + (place * (high - low + 1)).astype(np.int64)
    window = centre[:, None] + np.arange(-neighbours, neighbours)
    inside = (window >= 0) & (window < len(train))
    window = np.where(inside, window, 0)
    distance = np.where(inside, np.abs(ordered[window] - test[:, None]), np.inf)
    chosen = np.argsort(distance, axis=1, kind="stable")[:, :neighbours]
    return order[np.take_along_axis(window, chosen, axis=1)]


def _value_quality(
    factor: Num[ndarray, " n"], nearest: Integer[ndarray, "b neighbours"], test: Integer[ndarray, " b"]
) -> float:
    """The share of the factor's standard deviation that the prediction removes, at least 0."""
    error = np.sqrt(np.mean((factor[nearest].mean(axis=1) - factor[test]) ** 2))
    return max(0.0, 1.0 - float(error / factor.std()))


def _class_quality(
    factor: Num[ndarray, " n"], nearest: Integer[ndarray, "b neighbours"], test: Integer[ndarray, " b"]
) -> float:
    """The share of the way from always the most frequent class to no mistake, at least 0."""
    labels = classes(factor)
    offered = labels[nearest]
    support = (offered[:, :, None] == offered[:, None, :]).sum(axis=2)
    predicted = np.take_along_axis(offered, support.argmax(axis=1)[:, None], axis=1)[:, 0]
    majority = np.bincount(labels).max() / len(labels)
    return max(0.0, float(((predicted == labels[test]).mean() - majority) / (1.0 - majority)))

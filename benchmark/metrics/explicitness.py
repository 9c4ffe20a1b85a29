"""How well each value of a factor can be told from all others by a linear classifier on the whole code."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Integer, Num
from numpy import ndarray

from benchmark.errors import NotApplicable
from benchmark.metrics._check import (
    check_codes,
    check_factors,
    need_few_classes,
    need_few_codes,
    varying_factors,
)
from benchmark.metrics._declare import metric
from benchmark.metrics._disentanglement_lib import class_probabilities, is_asked
from benchmark.metrics._information import factor_classes
from benchmark.metrics._one_against_rest import one_against_rest
from benchmark.metrics._settings import Count, Definition, Positive
from benchmark.metrics._split import Split, learning_rows
from benchmark.metrics.linear_separability import standardised

MOST_CODES = 200
"""That vary: all pairs of them are held in memory for every training row."""

DIGITS = 9
"""Decimals kept of a classifier's outputs: equal codes must tie, though their products may differ in the last bit."""


@metric(
    supervised=True,
    readout="classes",
    rows="all",
    judges="whole",
    quick={"train": 1_000, "test": 1_000},
    trial={"train": 600, "test": 300},
    invariances=("permutation", "sign", "scale"),
    later=("definition",),
)
def explicitness(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    c: Positive = 1.0,
    train: Count = 10_000,
    test: Count = 5_000,
    definition: Definition = "default",
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """The explicitness of Ridgeway & Mozer 2018 (§2), on rows that the classifiers did not learn from.

    mean over factors k of the mean over values v of AUC_kv, the area under the ROC curve of a logistic regression
    (L2, scikit-learn's `c` = 1, to convergence) that learnt on `train` rows to tell v_k = v from v_k ≠ v from the
    whole code: the share of pairs of test rows, one with the value and one without, that it orders right, ties
    counting half. Codes are standardised by their training rows. Continuous factors enter in 20 bins of equal
    frequency. Values that the test rows do not show are left out; those that only they show, and codes that are all
    constant, count as chance, ½. Constant factors are dropped.

    Returns `explicitness` and `explicitness_factor_I`, in [0, 1], higher is better; chance is ½.
    Cost: 0.4 s on 10,000 × 10 codes with five factors of 113 values in all.
    Blind to rotation, to how many codes a factor takes and to codes that hold several factors; and to a value in the
    middle of an axis, which no threshold tells from those on both its sides: perfect codes on the grid of dSprites
    score 0.78.
    `definition` = "disentanglement_lib" fits all values at once by softmax (at most 100 iterations), which reads the
    middle of an axis too, and ranks test rows by each value's probability.
    Others: some weigh values by their rarity; some report the AUC of the training rows, some 2 AUC − 1.
    Raises `NotApplicable` on fewer than `train` + `test` rows, where these tests show one value of a factor only or
    none that the training rows do, on a factor of over 1,000 values, by default on more than 200 codes, and without a
    factor that varies; `UsageError` on unusable input.
    """
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    varying = varying_factors(factors)
    need_few_classes(factors, varying)
    training, testing = learning_rows(len(codes), train, test, seed, split)
    known, asked = standardised(codes[training], codes[testing])
    scores_of = _by_softmax if is_asked(definition) else _one_by_one
    if scores_of is _one_by_one:
        why = "a regression for each value costs the square of their number"
        need_few_codes(known.shape[1], MOST_CODES, why, "definition = disentanglement_lib takes more")
    scores = {}
    for k in varying:
        labels = factor_classes(factors[:, k])
        present = np.unique(labels[testing])
        if len(present) < 2:
            raise NotApplicable(f"the test rows show one value of factor {k} only: nothing to tell it from")
        if not np.isin(labels[training], present).any():
            raise NotApplicable(
                f"the training rows show none of the test rows' values of factor {k}: nothing is learnt"
            )
        scores[f"explicitness_factor_{k}"] = float(
            np.mean(_areas(known, asked, labels[training], labels[testing], c, scores_of))
        )
    return {"explicitness": float(np.mean(list(scores.values()))), **scores}


Scoring = Callable[[ndarray, ndarray, ndarray, ndarray, float], ndarray]


def _areas(
    train: Float[ndarray, "a e"],
    test: Float[ndarray, "b e"],
    known: Integer[ndarray, " a"],
    asked: Integer[ndarray, " b"],
    c: float,
    scores_of: Scoring,
) -> list[float]:
    """The area under the ROC curve on the test rows of each value that they show, by a score for each value."""
    present = np.unique(asked)
    learnable = np.intersect1d(present, known)
    if not train.shape[1] or (known == known[0]).all():
        return [0.5] * len(present)
    scores = scores_of(train, known, learnable, test, c)
    areas = [area_under_roc(score, asked == value) for value, score in zip(learnable, scores.T, strict=True)]
    return areas + [0.5] * (len(present) - len(learnable))


def _one_by_one(
    train: Float[ndarray, "a e"],
    known: Integer[ndarray, " a"],
    values: Integer[ndarray, " v"],
    test: Float[ndarray, "b e"],
    c: float,
) -> Float[ndarray, "b v"]:
    """The output of each value's own regression against all others."""
    weights, intercepts = one_against_rest(train, known, values, c)
    return (test @ weights + intercepts).round(DIGITS)


def _by_softmax(
    train: Float[ndarray, "a e"],
    known: Integer[ndarray, " a"],
    values: Integer[ndarray, " v"],
    test: Float[ndarray, "b e"],
    c: float,
) -> Float[ndarray, "b v"]:
    """The probability of each value by one regression of all values that the training rows show."""
    return class_probabilities(train, known, test, c)[:, np.isin(np.unique(known), values)]


def area_under_roc(score: Float[ndarray, " b"], positive: Bool[ndarray, " b"]) -> float:
    """The share of pairs (positive, negative) in which the positive scores higher, ties counting half."""
    ordered, ours = np.sort(score), score[positive]
    # Below a score lie all that are smaller and half of its equals: summed, positives count m²/2 among themselves.
    below = sum(int(np.searchsorted(ordered, ours, side=side).sum()) for side in ("left", "right")) / 2
    return (below - len(ours) ** 2 / 2) / (len(ours) * (len(score) - len(ours)))

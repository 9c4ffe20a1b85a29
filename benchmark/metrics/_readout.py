"""Reading factors as numbers from all codes, on rows that were not learnt from: what both read-outs share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.errors import NotApplicable
from benchmark.metrics._check import check_codes, check_factors, varying_factors
from benchmark.metrics._split import Split, learning_rows
from benchmark.metrics.linear_separability import standardised

Reader = Callable[[ndarray, ndarray, ndarray], ndarray]
"""Learns targets (a k), standardised, from codes (a e), and gives them for other codes (b e) as (b k)."""


def read_out(
    name: str,
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    train: int,
    test: int,
    seed: int,
    split: Split | None,
    reader: Reader,
) -> dict[str, float]:
    """The mean over factors of R² on the test rows, at least 0 each, as `name`, and each as `name`_factor_I.

    Codes are standardised over the training rows. A factor that is constant there, and all where no code varies, has 0.
    """
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    varying = varying_factors(factors)
    training, testing = learning_rows(len(codes), train, test, seed, split)
    known, asked = standardised(codes[training], codes[testing])
    targets = factors[:, varying].astype(np.float64)
    learnt, wanted = targets[training], targets[testing]
    if (wanted.min(axis=0) == wanted.max(axis=0)).any():
        k = varying[int(np.argmax(wanted.min(axis=0) == wanted.max(axis=0)))]
        raise NotApplicable(f"the test rows show one value of factor {k} only: there is nothing to explain")
    shown = learnt.min(axis=0) != learnt.max(axis=0)
    scores = np.zeros(len(varying))
    if known.shape[1] and shown.any():
        centre, spread = learnt[:, shown].mean(axis=0), learnt[:, shown].std(axis=0)
        given = reader(known, (learnt[:, shown] - centre) / spread, asked) * spread + centre
        scores[shown] = explained(wanted[:, shown], given)
    return {
        name: float(scores.mean()),
        **{f"{name}_factor_{k}": float(score) for k, score in zip(varying, scores, strict=True)},
    }


def explained(wanted: Float[ndarray, "b k"], given: Float[ndarray, "b k"]) -> Float[ndarray, " k"]:
    """R² of each column, 0 where it is below."""
    misfit = ((wanted - given) ** 2).sum(axis=0)
    return np.maximum(0.0, 1.0 - misfit / ((wanted - wanted.mean(axis=0)) ** 2).sum(axis=0))

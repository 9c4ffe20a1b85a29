"""How much of each factor, taken as a number, a linear map reads from all codes on rows that it did not learn from."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.metrics._declare import metric
from benchmark.metrics._readout import read_out
from benchmark.metrics._settings import Count
from benchmark.metrics._split import Split


@metric(
    supervised=True,
    readout="numbers",
    rows="all",
    judges="whole",
    quick={"train": 1_000, "test": 1_000},
    trial={"train": 600, "test": 300},
    invariances=("permutation", "sign", "scale"),
    cost=0.2,
)
def linear_readout(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    train: Count = 10_000,
    test: Count = 5_000,
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """R² of a linear read-out: what work on generalisation reports of codes (Schott et al. 2022).

    Least squares with an intercept, no penalty, from codes standardised over the `train` rows; R² = 1 − the squared
    error over the factor's variance on the `test` rows, at least 0, averaged over factors. Rows are drawn by `seed`, or
    `split` = (train rows, test rows) gives them. Discrete factors enter as the numbers that they are: for one whose
    values have no order, such as a shape, that says little; `linear_separability` takes values as classes. Constant
    factors and codes are dropped; without a code, and for a factor that the training rows show one value of, it is 0.

    Returns `linear_readout` and `linear_readout_factor_I`, in [0, 1], higher is better. Perfect codes and all their
    rotations score 1, noise 0. Cost: 50 ms on 10,000 × 10 codes, 5 s on 1,000 codes.
    Blind to rotation and to any invertible linear map; to dependence that no line shows: `mlp_readout` sees it. With
    more codes than training rows it fits all of these, and what it says of others is worth little.
    Others: some report R² on the training rows, some a ridge's, some let it fall below 0.
    Raises `NotApplicable` on fewer than `train` + `test` rows, without a factor that varies, and where the test rows
    show one value of a factor; `UsageError` on unusable input.
    """
    return read_out("linear_readout", codes, factors, train, test, seed, split, least_squares)


def least_squares(
    known: Float[ndarray, "a e"], targets: Float[ndarray, "a k"], asked: Float[ndarray, "b e"]
) -> Float[ndarray, "b k"]:
    """Both are centred over the training rows: no intercept is left to fit."""
    return asked @ np.linalg.lstsq(known, targets, rcond=None)[0]

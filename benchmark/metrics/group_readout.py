"""How far the group of codes that tells most of a factor, read by a line or a network, is ahead of the next one."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.metrics._check import check_codes, check_factors, varying_factors
from benchmark.metrics._declare import metric
from benchmark.metrics._groups import columns_of
from benchmark.metrics._information import gap
from benchmark.metrics._matrix import assignment
from benchmark.metrics._readout import Reader, read_out
from benchmark.metrics._settings import Count
from benchmark.metrics._split import Split
from benchmark.metrics.linear_readout import least_squares
from benchmark.metrics.mlp_readout import networks

By = Literal["linear", "mlp"]


@metric(
    also=("group_readout_best", "group_readout_matched"),
    supervised=True,
    readout="numbers",
    rows="all",
    judges="groups",
    quick={"train": 1_000, "test": 1_000, "epochs": 20},
    trial={"train": 600, "test": 300},
    invariances=("permutation", "sign", "scale"),
    applies=dict.fromkeys(("hidden", "epochs", "batch"), ("by", "mlp")),
    cost=0.5,
)
def group_readout(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    groups: Num[ndarray, " e"] | None = None,
    *,
    by: By = "linear",
    hidden: Count = 64,
    epochs: Count = 50,
    batch: Count = 100,
    train: Count = 10_000,
    test: Count = 5_000,
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """Each factor read from each group of codes alone: SAP's gap (Kumar et al. 2018), by R² of vectors.

    S_gk = R² on the test rows of a read-out of factor k from the columns of group g and no others, at least 0: of
    `linear_readout`, or `by` = "mlp" of `mlp_readout` with its `hidden`, `epochs` and `batch`, as they are defined
    there. The score is the mean over factors of the largest S less the second largest. `groups` gives the group of
    each column in whole numbers; without it each column is one of its own, and a linear S is the squared correlation
    on rows that were not learnt from, which `sap(kind=continuous)` takes over all.

    Returns `group_readout` and `group_readout_factor_I`; `group_readout_best`, the mean over factors of the largest S,
    and `group_readout_matched`, the mean of S where every factor has a group of its own and the sum is largest, as in
    work on identifiable slots; all in [0, 1], higher is better.
    Invariant, by the line, to any invertible linear map of the columns of a group: a rotation inside it changes
    nothing. The network standardises columns, and a rotation inside a group moves its score a little.
    Cost: 0.1 s with ten groups of three columns and five factors; by the network 2 s for each pair.
    Blind to a group that holds several factors. With a single group the gap is all of S. Discrete factors enter as the
    numbers that they are.
    Others: published tables reduce each group to its first principal component before they score it; some report the
    matched R² alone, which a rotation of all codes through all groups leaves high. The gap over groups is ours.
    Raises `NotApplicable` on fewer than `train` + `test` rows, without a factor that varies, and where the test rows
    show one value of a factor; `UsageError` on unusable input.
    """
    reader: Reader = least_squares
    if by == "mlp":
        reader = partial(networks, hidden=hidden, epochs=epochs, batch=batch, seed=seed)
    elif by != "linear":
        raise UsageError(f'by = {by!r}: "linear" or "mlp"')
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    varying = varying_factors(factors)
    together = columns_of(groups, codes.shape[1])
    read = [read_out("r", codes[:, columns], factors, train, test, seed, split, reader) for columns in together]
    found = np.array([[scores[f"r_factor_{k}"] for k in varying] for scores in read])
    gaps = [gap(column) for column in found.T]
    matched = sum(found[g, k] for g, k in assignment(found)) / len(varying)
    return {
        "group_readout": float(np.mean(gaps)),
        "group_readout_best": float(found.max(axis=0).mean()),
        "group_readout_matched": float(matched),
        **{f"group_readout_factor_{k}": value for k, value in zip(varying, gaps, strict=True)},
    }

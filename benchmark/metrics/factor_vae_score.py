"""How well the code that varies least in a batch tells which factor the batch shares, by majority vote."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray
from pydantic import Field

from benchmark.metrics._check import check_codes, check_factors, varying_codes
from benchmark.metrics._declare import metric
from benchmark.metrics._interventions import intervention_index, points
from benchmark.metrics._settings import Count, NotNegative


@metric(supervised=True, rows="all", minimum_rows=4, invariances=("permutation", "sign"), later=("constant_factors",))
def factor_vae_score(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    batch: Annotated[int, Field(ge=2)] = 64,
    train: Count = 10_000,
    test: Count = 5_000,
    prune: NotNegative = 0.05,
    constant_factors: Annotated[int, Field(ge=0)] = 0,
    seed: int = 0,
) -> dict[str, float]:
    """The FactorVAE score of Kim & Mnih 2018 (M §4.4).

    A point: a factor drawn uniformly, `batch` rows that share a value of it, the code whose variance over them, in
    units of its variance over the table, is smallest. Each code votes for the factor that it most often stood for in
    `train` points; the score is the share of `test` others that are voted right (a code without votes is wrong).
    Codes whose standard deviation over the table is below `prune` are left out, exactly constant ones always; with
    none left the score is 0.

    Returns `factor_vae_score` in [0, 1], higher is better; noise gives about one over the number of factors.
    Needs two or more discrete factors that are independent over the table; constant ones are dropped, and
    `constant_factors` of them counted as classes that nothing tells but being no other (1 is dSprites as M scored it).
    Cost: 0.4 s on 737,280 × 10 codes on one core.
    Blind to rotation (random ones of perfect codes on the grid of dSprites score 0.63–1.0, mean 0.85, of perfect and
    five dead ones 0.84–1.0, mean 0.97) and to one code per factor being enough:
    further codes of a factor cost nothing. Scale matters only through `prune`.
    Others: `prune` is 0 in M; code that divides by the deviation of a constant code returned 0.19 for perfect codes.
    Raises `NotApplicable` where factors cannot be fixed, `UsageError` on codes that are not finite.
    """
    codes = check_codes(codes)
    index = intervention_index(check_factors(factors, len(codes)), constant_factors)
    spread = codes.std(axis=0, dtype=np.float64)
    alive = varying_codes(codes) & (spread >= prune)
    if not alive.any():
        return {"factor_vae_score": 0.0}
    mean = codes.mean(axis=0, dtype=np.float64)[alive]
    scaled = ((codes[:, alive] - mean) / spread[alive]).astype(np.float32)
    rng = np.random.default_rng(seed)
    fixed, chunks = points(index, train + test, rng)
    steadiest = np.empty(train + test, dtype=np.int64)
    for factor, members in chunks:
        values = index.factors[rng.integers(len(codes), size=len(members)), factor]
        rows = scaled[index.draw(factor, values, batch, rng)]
        rows -= rows.mean(axis=1, keepdims=True)
        steadiest[members] = np.einsum("sbd,sbd->sd", rows, rows).argmin(axis=1)
    votes = np.zeros((scaled.shape[1], index.factors.shape[1]), dtype=np.int64)
    np.add.at(votes, (steadiest[:train], fixed[:train]), 1)
    elected = np.where(votes.any(axis=1), votes.argmax(axis=1), -1)
    return {"factor_vae_score": float((elected[steadiest[train:]] == fixed[train:]).mean())}

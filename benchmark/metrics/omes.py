"""How far each factor changes one code alone, and each code one factor alone, by pairs of points that differ in one."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray
from pydantic import Field

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._check import check_codes, check_factors, classes, is_discrete, varying_codes, varying_factors
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import NotNegative

LARGEST = 2**62
"""Keys of combinations of factors stay below it."""


@metric(
    also=("omes_overlap", "omes_multiple_encoding"),
    supervised=True,
    rows="all",
    minimum_rows=4,
    invariances=("permutation", "sign"),
)
def omes(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    alpha: Annotated[float, Field(ge=0, le=1)] = 0.5,
    pairs: Annotated[int, Field(ge=2)] = 10_000,
    prune: NotNegative = 0.05,
    seed: int = 0,
) -> dict[str, float]:
    """OMES of Dapueto et al. 2024 (Transferring disentangled representations: bridging the gap between synthetic
    and real images).

    For each factor k, `pairs` pairs of points that differ in k alone; S_jk = 1 − |ρ|, ρ Pearson's correlation between
    code j of the first points and of the second: 0 where k does not touch the code. With m codes and K factors
    overlap_jk = 1 − mean over factors l of |1[l = k] − S_jl|, multiple encoding_jk = 1 − mean over codes i of
    |1[i = j] − S_ik|. A factor scores `alpha` · max_j S_jk overlap_jk + (1 − `alpha`) · max_j S_jk multiple
    encoding_jk, and OMES is the mean over factors.
    The first point of a pair is uniform over those that have a partner, the second over its partners. Codes whose
    standard deviation over the table is below `prune` are left out, constant ones always; with none left the score is
    0. A code that no pair of a factor shows to vary has S = 0. Constant factors are dropped.

    Returns `omes`, `omes_factor_I`, `omes_overlap` and `omes_multiple_encoding` (`alpha` 1 and 0), in [0, 1], higher is
    better. The ceiling is below 1 and falls with a factor's number of values: a perfect code of v equally frequent
    values has ρ = −1 / (v − 1) over values that are never the same, so that with three S is ½, and with two 0. On the
    grid of dSprites perfect codes score 0.83, random rotations of them 0.4–0.55, noise 0.16.
    Cost: 1 s on 737,280 × 10 codes.
    Blind to the sign of ρ, which is why factors of two values count nothing; a code of pure noise, whose two values
    have nothing in common, looks touched by every factor: noise scores about (1/K + 1/m) / 2.
    Others: the authors' code pairs the values of each combination of the others once, rounds S to four digits, and can
    take the mean weighed by S over codes in place of the largest.
    Raises `NotApplicable` on continuous factors, with fewer than two factors that vary, and where no two points differ
    in one factor alone (full grids have such pairs, a sparse draw has none); `UsageError` on unusable input.
    """
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    if not 0 <= alpha <= 1:
        raise UsageError(f"alpha = {alpha} must lie in [0, 1]")
    varying = varying_factors(factors)
    if len(varying) < 2:
        raise NotApplicable("one factor varies: there is no other that a code could mix it with")
    for k in varying:
        if not is_discrete(factors[:, k]):
            raise NotApplicable(f"factor {k} is continuous: no two points share its value")
    labels = np.stack([classes(factors[:, k]) for k in varying], axis=1)
    rng = np.random.default_rng(seed)
    drawn = [_pairs(labels, place, pairs, rng, name=k) for place, k in enumerate(varying)]
    alive = varying_codes(codes) & (codes.std(axis=0, dtype=np.float64) >= prune)
    if not alive.any():
        return {"omes": 0.0, "omes_overlap": 0.0, "omes_multiple_encoding": 0.0}
    codes = codes[:, alive]
    touched = np.stack([_touched(codes[first], codes[second]) for first, second in drawn], axis=1)
    overlap, multiple = _kept_apart(touched), _kept_apart(touched.T).T
    by_overlap, by_multiple = (touched * overlap).max(axis=0), (touched * multiple).max(axis=0)
    scores = alpha * by_overlap + (1.0 - alpha) * by_multiple
    return {
        "omes": float(scores.mean()),
        "omes_overlap": float(by_overlap.mean()),
        "omes_multiple_encoding": float(by_multiple.mean()),
        **{f"omes_factor_{k}": float(score) for k, score in zip(varying, scores, strict=True)},
    }


def _kept_apart(touched: Float[ndarray, "r c"]) -> Float[ndarray, "r c"]:
    """1 − the mean distance of each row from the row that has a 1 in one column alone, for each column."""
    whole = touched.sum(axis=1, keepdims=True)
    return 1.0 - (whole - touched + (1.0 - touched)) / touched.shape[1]


def _touched(first: Float[ndarray, "p d"], second: Float[ndarray, "p d"]) -> Float[ndarray, " d"]:
    """1 − |correlation| of each code over pairs; 0 for a code that does not vary in one of the two."""
    one, other = (_centred(table.astype(np.float64)) for table in (first, second))
    size = np.sqrt((one**2).sum(axis=0) * (other**2).sum(axis=0))
    correlation = np.where(size > 0, (one * other).sum(axis=0) / np.where(size > 0, size, 1.0), 1.0)
    return 1.0 - np.minimum(np.abs(correlation), 1.0)


def _centred(table: Float[ndarray, "p d"]) -> Float[ndarray, "p d"]:
    """In units of the largest distance from the mean: squares of small codes would vanish. Constant columns are 0."""
    centred = np.where(varying_codes(table), table - table.mean(axis=0), 0.0)
    largest = np.abs(centred).max(axis=0)
    return centred / np.where(largest > 0, largest, 1.0)


def _pairs(
    labels: Integer[ndarray, "n k"], place: int, pairs: int, rng: np.random.Generator, *, name: int
) -> tuple[Integer[ndarray, " p"], Integer[ndarray, " p"]]:
    """Rows of points that differ in one factor alone. Raises `NotApplicable` where there are none."""
    others = _combinations(np.delete(labels, place, axis=1))
    order = np.lexsort((labels[:, place], others))
    by_group, by_value = others[order], labels[order, place]
    new_group = np.append(True, by_group[1:] != by_group[:-1])
    new_block = new_group | np.append(True, by_value[1:] != by_value[:-1])
    group_start, group_end = _spans(new_group)
    block_start, block_end = _spans(new_block)
    partners = (group_end - group_start) - (block_end - block_start)
    possible = np.flatnonzero(partners)
    if not len(possible):
        raise NotApplicable(f"no two points differ in factor {name} alone: OMES needs a grid, or most of one")
    first = possible[rng.integers(len(possible), size=pairs)]
    second = group_start[first] + rng.integers(partners[first])
    # The partners lie before and after the block of rows with the same value.
    second = np.where(second >= block_start[first], second + (block_end - block_start)[first], second)
    return order[first], order[second]


def _spans(new: ndarray) -> tuple[Integer[ndarray, " n"], Integer[ndarray, " n"]]:
    """For each row, where its run begins and ends, by which rows begin one."""
    starts = np.flatnonzero(new)
    run = np.cumsum(new) - 1
    return starts[run], np.append(starts[1:], len(new))[run]


def _combinations(labels: Integer[ndarray, "n k"]) -> Integer[ndarray, " n"]:
    """A number for each combination of the columns' values."""
    key, size = np.zeros(len(labels), dtype=np.int64), 1
    for column in labels.T:
        values = int(column.max()) + 1
        if size * values >= LARGEST:
            key = np.unique(key, return_inverse=True)[1].astype(np.int64)
            size = int(key.max()) + 1
        key, size = key * values + column, size * values
    return key

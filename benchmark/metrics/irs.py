"""Interventional robustness: how little a code moves with other factors while the one it stands for is fixed."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray
from pydantic import Field

from benchmark.errors import UsageError
from benchmark.metrics._check import check_codes, check_factors, varying_codes, varying_factors
from benchmark.metrics._declare import metric
from benchmark.metrics._disentanglement_lib import is_asked, robustness
from benchmark.metrics._interventions import intervention_index
from benchmark.metrics._settings import Definition

Normaliser = Literal["maximum", "quantile"]


@metric(
    supervised=True,
    minimum_rows=4,
    invariances=("permutation", "sign"),
    later=("definition",),
    applies={"normaliser": ("definition", "default")},
)
def irs(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    quantile: Annotated[float, Field(gt=0, le=1)] = 0.99,
    normaliser: Normaliser = "maximum",
    definition: Definition = "default",
    seed: int = 0,
) -> dict[str, float]:
    """The interventional robustness score of Suter et al. 2019 (§4), one code and one fixed factor at a time.

    D_j = max over factors i of 1 − EMPIDA(j | i) / EMPIDA(j | ∅), and IRS = Σ_j w_j D_j / Σ_j w_j with the weights
    w_j = EMPIDA(j | ∅). Fixing v_i, EMPIDA is the expectation over its values of the largest distance
    |E[z_j | v] − E[z_j | v_i]| over the combinations v of all factors that hold it; fixing nothing, it is the largest
    |E[z_j | v] − E[z_j]|. Rows of equal factors are averaged. In the place of the largest stands the `quantile` over
    the combinations that the rows show; in the denominator only if `normaliser` = "quantile". `quantile` = 1 is the
    paper's definition.
    Where every single factor leaves more movement than there is without (the majority of three binary factors:
    D = −½), D_j counts as 0. Codes that do not move are dropped; with none left the score is 0.
    No random choices: `seed` changes nothing.

    Returns `irs` and `irs_code_J` (D_j) in [0, 1], higher is better. Needs two or more discrete factors that are
    independent over the table; constant ones are dropped. Cost: 50 ms on 10,000 × 10 codes.
    The floor is not 0: normal noise scores 0.36 with 10,000 points, as the 0.99 quantile of a normal is two thirds of
    its maximum and small groups have smaller maxima (0.26 at `quantile` = 1); with `normaliser` = "quantile" 0.03.
    Where rows show few combinations it is higher: with 300 points of two factors of two values 0.62, or 0.51.
    Blind to what no code holds and to several codes of one factor. Codes of wide range weigh more.
    `definition` = "disentanglement_lib" has this default quantile over the maximum, takes values as equally frequent
    and every row as a combination of its own, so that noise in the code counts as movement even where rows repeat, and
    puts factors of more than 20 values in 20 bins of equal width, within which a perfect code moves. No D_j is raised
    to 0; `normaliser` is not used.
    Raises `NotApplicable` where factors cannot be fixed, `UsageError` on unusable input.
    """
    codes = check_codes(codes)
    if not 0 < quantile <= 1:
        raise UsageError(f"quantile = {quantile} must lie in (0, 1]")
    if normaliser not in ("maximum", "quantile"):
        raise UsageError(f'normaliser = {normaliser!r}: "maximum" or "quantile"')
    factors = check_factors(factors, len(codes))
    index = intervention_index(factors)
    alive = np.flatnonzero(varying_codes(codes))
    if is_asked(definition):
        if not len(alive):
            return {"irs": 0.0}
        robust, whole = robustness(codes[:, alive].astype(np.float64), factors[:, varying_factors(factors)], quantile)
        return _scores(alive, robust, whole)
    combinations, codes, counts = _averaged(index.factors, codes[:, alive].astype(np.float64))
    whole = _movement(codes, counts, 1.0 if normaliser == "maximum" else quantile)
    moved = whole > 0
    if not moved.any():
        return {"irs": 0.0}
    alive, codes, whole = alive[moved], codes[:, moved], whole[moved]
    robust = np.zeros(len(alive))
    for column in combinations.T:
        order = np.argsort(column, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(column[order])) + 1)
        share = np.array([counts[group].sum() for group in groups]) / counts.sum()
        left = share @ np.stack([_movement(codes[group], counts[group], quantile) for group in groups])
        robust = np.maximum(robust, 1.0 - left / whole)
    return _scores(alive, robust, whole)


def _scores(
    alive: Integer[ndarray, " e"], robust: Float[ndarray, " e"], weights: Float[ndarray, " e"]
) -> dict[str, float]:
    """The weighted mean, and the score of each code that moves."""
    scores = {f"irs_code_{j}": float(score) for j, score in zip(alive, robust, strict=True)}
    return {"irs": float(np.average(robust, weights=weights)), **scores}


def _averaged(
    factors: Num[ndarray, "n k"], codes: Float[ndarray, "n d"]
) -> tuple[Num[ndarray, "m k"], Float[ndarray, "m d"], Num[ndarray, " m"]]:
    """The combinations of factors that there are, the mean codes of their rows and the numbers of these."""
    combinations, place, counts = np.unique(factors, axis=0, return_inverse=True, return_counts=True)
    total = np.zeros((len(combinations), codes.shape[1]))
    np.add.at(total, place, codes)
    return combinations, total / counts[:, None], counts


def _movement(codes: Float[ndarray, "m d"], counts: Num[ndarray, " m"], quantile: float) -> Float[ndarray, " d"]:
    """The `quantile` of each code's distance from its mean over the rows."""
    return np.quantile(np.abs(codes - np.average(codes, axis=0, weights=counts)), quantile, axis=0)

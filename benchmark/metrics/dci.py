"""Disentanglement, completeness and informativeness, from which codes a model uses to predict each factor."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.errors import NotApplicable
from benchmark.metrics._check import check_codes, check_factors, varying_factors
from benchmark.metrics._declare import Pieces, metric
from benchmark.metrics._disentanglement_lib import dci_scores, is_asked
from benchmark.metrics._matrix import Matrix
from benchmark.metrics._settings import Count, Definition
from benchmark.metrics._split import Split, learning_rows
from benchmark.metrics._trees import Fit, check_installed, compute, fits

Model = Literal["gradient_boosting", "random_forest", "lasso", "lightgbm"]


def fits_of_factors(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    model: Model = "gradient_boosting",
    train: int = 10_000,
    test: int = 5_000,
    definition: Definition = "default",
    seed: int = 0,
    split: Split | None = None,
) -> list[Fit]:
    """A fit of every factor, all on the same rows."""
    is_asked(definition)
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    varying = varying_factors(factors)
    if len(varying) < 2:
        raise NotApplicable("one factor varies: no code can mix factors, disentanglement is not defined")
    found = fits(codes, factors, varying, learning_rows(len(codes), train, test, seed, split), seed, model)
    return [replace(fit, definition=definition) for fit in found]


def scores_of(importance: Float[ndarray, "d k"]) -> tuple[float, Float[ndarray, " k"]]:
    """Disentanglement, and the completeness of each factor, from the importances of codes for factors."""
    total = importance.sum()
    weights = importance.sum(axis=1) / (total if total > 0 else 1.0)
    return float(weights @ _concentration(importance)), _concentration(importance.T)


def _concentration(weights: Float[ndarray, "r c"]) -> Float[ndarray, " r"]:
    """1 − the entropy of each row, to the base of its length: 1 for a single entry, 0 for equal ones and for none."""
    total = weights.sum(axis=1, keepdims=True)
    share = weights / np.where(total > 0, total, 1.0)
    entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=1)
    most = np.log(max(weights.shape[1], 2))
    return np.where(total[:, 0] > 0, np.maximum(0.0, 1.0 - entropy / most), 0.0)


def combine(parts: list[Fit], values: list[dict[str, Any]]) -> dict[str, float]:
    """The scores of the importances of those codes that vary, or of all codes by disentanglement_lib's definition."""
    importance = np.array([value["importances"] for value in values]).T
    disentanglement, completeness = scores_of(importance[values[0]["columns"]])
    complete_mean = float(completeness.mean())
    if parts[0].definition == "disentanglement_lib":
        disentanglement, completeness, complete_mean = dci_scores(importance)
    informativeness = [value["accuracy"] for value in values]
    scores = {
        "disentanglement": disentanglement,
        "completeness": complete_mean,
        "informativeness": float(np.mean(informativeness)),
    }
    for part, complete, accuracy in zip(parts, completeness, informativeness, strict=True):
        scores[f"completeness_factor_{part.factor}"] = float(complete)
        scores[f"informativeness_factor_{part.factor}"] = accuracy
    return scores


def importances(parts: list[Fit], values: list[dict[str, Any]]) -> Matrix:
    """The importance of every code, 0 for those that are not learned from, for every factor that varies."""
    importance = np.array([value["importances"] for value in values]).T
    factors = tuple(part.factor for part in parts)
    return Matrix("importance", tuple(range(len(importance))), factors, importance, importance.sum(axis=0))


PIECES = Pieces(parts=fits_of_factors, compute=compute, combine=combine, matrix=importances)


@metric(
    headline="disentanglement",
    also=("completeness", "informativeness"),
    supervised=True,
    rows="all",
    representations=("mean",),
    quick={"train": 100, "test": 1_000},
    trial={"train": 150, "test": 150},
    cost=600.0,
    invariances=("permutation", "sign", "scale"),
    later=("definition",),
    installed=check_installed,
    pieces=PIECES,
)
def dci(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    model: Model = "gradient_boosting",
    train: Count = 10_000,
    test: Count = 5_000,
    definition: Definition = "default",
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """The three scores of Eastwood & Williams 2018 (§2), from the importance R_ij of code i for predicting factor j.

    `model` learns each factor from all codes: D_i = 1 − H(P_i) / log k with P_ij = R_ij / Σ_j R_ij and k the number
    of factors, disentanglement = Σ_i ρ_i D_i with ρ_i = Σ_j R_ij / Σ_ij R_ij; C_j = 1 − H(P̃_j) / log d with
    P̃_ij = R_ij / Σ_i R_ij and d the number of codes, completeness = mean over j of C_j; informativeness = mean
    accuracy on the test rows. What varies counts alone: constant factors are dropped, and codes that are constant
    over the training rows are neither learned from nor counted in d, so that a dead code changes no score. A single
    code is complete; a factor for which no code has importance has C_j = 0; where none has any all scores but
    informativeness, then that of the most frequent class, are 0.

    Models, with their libraries' defaults: "gradient_boosting" and "random_forest" of scikit-learn (the forest's
    splits choosing among all codes), R the mean decrease of impurity; "lightgbm", R the total gain; "lasso" with
    penalty 0.02, codes and factors standardised, R the absolute weight. Boosting classifies, the forest predicts
    continuous factors by regression, the lasso takes every factor's values as numbers, also where their order means
    nothing. A regression's accuracy is 1 − RMSE / deviation of the factor, at least 0; the paper gives that error
    itself, where lower is better. `train` and `test` rows are drawn by `seed`, or `split` = (train rows, test rows)
    gives them. Where the training rows show one class it is predicted; classes that they do not show are mistakes.

    Returns `disentanglement`, `completeness`, `informativeness`, `completeness_factor_I` and
    `informativeness_factor_I`, in [0, 1], higher is better. On the grid of dSprites disentanglement is 1.0 for
    perfect codes and 0.00 for noise; random rotations of perfect codes score 0.09–0.26 (LightGBM, 2,500 labels).
    Cost: 10 minutes with the five factors of dSprites, 20 s by LightGBM, 10 to 90 s by the forest, 20 ms by the lasso.
    The fits of boosting are those of `sample_efficiency` at 10,000 labels, done once for both.
    Blind to a factor spread over codes of which the model uses one (disentanglement), to codes that hold several
    factors (completeness), to both (informativeness). Disentanglement weighs by importance: of noise the lasso keeps
    a few tiny weights, which score 0.88.
    LightGBM's trees are larger, and what they learn of noise is importance too: of the seven models of the leaderboard
    `dsprites-core` its disentanglement is .50 to .66 times that of "gradient_boosting", in nearly the same order.
    Others: the authors' own code fits lasso and regression forests, of 10 trees with a depth chosen on held-out data,
    to factors that are all continuous; boosting is the usual code's (Locatello et al. 2019), which weighs C_j by
    Σ_i R_ij (the same for trees, not for the lasso), counts dead codes in d, and divides by zero with a single code:
    `definition` = "disentanglement_lib" does the first two and adds 1e-11 to R in the entropies.
    A default forest for classification tries only the root of d codes at each split: perfect codes score 0.57.
    scikit-learn's trees hold values less than 1e-7 apart for equal. Where the ranges of all codes are below 1e-5 they
    are given them in units of the largest range; a code of so small a range beside larger ones they do not see.
    Raises `NotApplicable` with too few rows, fewer than two factors that vary, by boosting on continuous factors, and
    by trees on more than 256 codes;
    `UsageError` on unusable input, or where LightGBM is asked for and not there.
    """
    return PIECES.whole(
        codes, factors, model=model, train=train, test=test, definition=definition, seed=seed, split=split
    )

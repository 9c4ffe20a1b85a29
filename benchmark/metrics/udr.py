"""Unsupervised disentanglement ranking: how far runs with other seeds find the same coordinates."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._check import check_table, need_rows, varying_codes
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import NotNegative, Positive
from benchmark.metrics.kl import kl_by_coordinate

MINIMUM_ROWS = 100


@metric(
    bounds=(0.0, float("inf")),
    scope="configuration",
    minimum_rows=MINIMUM_ROWS,
    representations=("mean",),
    invariances=("permutation", "sign"),
)
def udr(
    means: Float[ndarray, "r n d"],
    variances: Float[ndarray, "r n d"] | None = None,
    *,
    kind: Literal["lasso", "spearman"] = "lasso",
    threshold: NotNegative = 0.01,
    penalty: Positive = 0.1,
    seed: int = 0,
) -> dict[str, float]:
    """The unsupervised disentanglement ranking of Duan et al. 2020 (§4), over r runs of one configuration.

    `means` are the codes of the same n points in every run. R(a, b) ≥ 0 says how alike coordinate a of one run is to
    coordinate b of another: by `kind`, the absolute weight of b in the lasso regression of a on the other run's
    standardised coordinates, with L¹ penalty `penalty`, or the absolute Spearman correlation. With D_a and
    D_b the informative coordinates of the two runs, a pair's score is

        1/(|D_a| + |D_b|) [Σ_{a ∈ D_a} max_b R(a, b)² / Σ_b R(a, b) + Σ_{b ∈ D_b} max_a R(a, b)² / Σ_a R(a, b)]

    with b in D_b and a in D_a: high where each coordinate has one strong partner. A coordinate without any partner
    (0/0) adds 0, and so a pair of which one run has no informative coordinate, or neither has, scores 0: nothing was
    found that could agree. A run's score is the median over its pairs with the others; by lasso, whose R is not
    symmetric, those in which its coordinates are the ones predicted. Informative are coordinates with a KL divergence
    to the standard normal above `threshold` nats (0.01 in the paper), or, without `variances`, as of autoencoders,
    those whose mean has a variance over the data above `threshold` times that of the coordinate where it is largest.
    Exactly constant coordinates never are. No random choices: `seed` changes nothing.

    Returns `udr`, the mean over runs, and `udr_run_I`, from 0 to about 1, higher is better. The same coordinates in
    any order and sign score 1 − `penalty` by lasso, and by Spearman 1 less chance correlations: 0.97 for 5 independent
    ones at 10,000 points. Random rotations of 5 score 0.30 by either; independent codes 0 by lasso, 0.005 by Spearman
    (10 coordinates). By lasso 1 is no strict limit: weights pass it where a run's own coordinates nearly determine
    each other, and 1.05 was found by search. Cost: 0.3 s by either for 10 runs of 10,000 × 10 codes; it grows with
    the square of r.
    Blind to what the coordinates hold: an entangled code that all seeds find scores as high as a disentangled one, as
    PCA does; a run of a configuration that misses a factor in every seed loses nothing.
    Others: the authors' later code averages the two sums apart instead of by |D_a| + |D_b|, and fails where no
    coordinate is informative; the paper draws a few of the other runs, here all of them are compared.
    Raises `NotApplicable` with fewer than two runs or 100 points, `UsageError` on unusable input.
    """
    if kind not in ("lasso", "spearman") or penalty <= 0:
        raise UsageError(f"kind = {kind} must be lasso or spearman, penalty = {penalty} positive")
    means, variances = np.asarray(means), None if variances is None else np.asarray(variances)
    if means.ndim != 3 or (variances is not None and variances.shape != means.shape):
        shapes = f"{means.shape}" if variances is None else f"{means.shape} and {variances.shape}"
        raise UsageError(f"means and variances must be runs × points × coordinates, both alike, not {shapes}")
    if len(means) < 2:
        raise NotApplicable(f"{len(means)} run: agreement between seeds needs at least two of one configuration")
    need_rows(means.shape[1], MINIMUM_ROWS, "agreement between coordinates")
    runs = []
    for i, run in enumerate(means):
        codes = check_table(run, "means").astype(np.float64)
        kept = informative(codes, None if variances is None else variances[i], threshold)
        runs.append(_standardised(codes[:, kept] if kind == "lasso" else _ranks(codes[:, kept])))
    scores = {}
    for i, run in enumerate(runs):
        others = [other for j, other in enumerate(runs) if j != i]
        pairs = [_lasso(run, other, penalty) if kind == "lasso" else _correlation(run, other) for other in others]
        scores[f"udr_run_{i}"] = float(np.median([_agreement(pair) for pair in pairs]))
    return {"udr": float(np.mean(list(scores.values()))), **scores}


def informative(
    codes: Float[ndarray, "n d"], variances: Float[ndarray, "n d"] | None, threshold: float
) -> Bool[ndarray, " d"]:
    """Which coordinates are compared: by their KL divergence, or by their share of the largest variance."""
    sizes = codes.var(axis=0) if variances is None else kl_by_coordinate(codes, variances)
    scale = sizes.max() if variances is None else 1.0
    return varying_codes(codes) & (sizes > threshold * scale)


def _standardised(codes: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    return (codes - codes.mean(axis=0)) / codes.std(axis=0)


def _ranks(codes: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    """Each column's ranks, equal values sharing their mean rank."""
    from scipy.stats import rankdata

    return rankdata(codes, axis=0) if codes.size else codes


def _correlation(run: Float[ndarray, "n a"], other: Float[ndarray, "n b"]) -> Float[ndarray, "a b"]:
    return np.abs(run.T @ other) / len(run)


def _lasso(run: Float[ndarray, "n a"], other: Float[ndarray, "n b"], penalty: float) -> Float[ndarray, "a b"]:
    """Absolute weights with which the other run's coordinates predict this run's."""
    if not run.size or not other.size:
        return np.zeros((run.shape[1], other.shape[1]))
    from sklearn.linear_model import Lasso

    # Standardised columns have no intercept; their products, not their rows, are what the fits descend on.
    lasso = Lasso(alpha=penalty, fit_intercept=False, precompute=other.T @ other, max_iter=100_000)
    return np.abs(lasso.fit(np.asfortranarray(other), run).coef_).reshape(run.shape[1], -1)


def _agreement(similarity: Float[ndarray, "a b"]) -> float:
    """A pair's score: each coordinate's largest similarity, squared, over their sum; the mean over both runs'."""
    if not similarity.size:
        return 0.0
    shares = []
    for table in (similarity, similarity.T):
        total = table.sum(axis=1)
        shares.append(table.max(axis=1) ** 2 / np.where(total > 0, total, 1.0))
    return float(np.concatenate(shares).mean())

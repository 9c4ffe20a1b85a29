"""Variational Rényi bound of order α on the log-likelihood, nats: the ELBO at α = 1, the largest weight at −∞."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.metrics._check import check_table
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import Count
from benchmark.metrics.log_likelihood import enough_samples, log_mean_exp
from benchmark.spec import Number


def check_order(*, alpha: float, samples: int) -> None:
    """Raise `UsageError` on an α that is none, or that K = 1 cannot show: every α would be the ELBO."""
    if math.isnan(alpha) or (samples == 1 and alpha != 1):
        raise UsageError(f"alpha = {alpha} with samples = {samples}: α must be a number, and 1 with a single sample")


@metric(
    bounds=(float("-inf"), float("inf")),
    rows="all",
    representations=("mean",),
    trial={"samples": 5},
    check=check_order,
)
def renyi_bound(
    log_weights: Float[ndarray, "p s"], *, alpha: Number = 0.5, samples: Count = 10, seed: int = 0
) -> dict[str, float]:
    """The variational Rényi bound, estimated with K = `samples` codes a time (Li & Turner 2016, eq. 13; P Fig. 2).

    L_α = 1/(1 − α) log (1/K Σ_k w_k^{1−α}) of the importance weights w = p(x|z) p(z) / q(z|x) at codes z ~ q(z|x):
    α = 1 is the ELBO, 0 the importance-weighted bound of Burda et al. 2016, −∞ the largest weight, ∞ the smallest
    ("-inf" and "inf" in a settings file). The mean over all disjoint groups of K of each point's codes and over
    points, by log-sum-exp in double precision; codes beyond the last whole group are left out.
    No random choices: `seed` changes nothing.

    Returns `renyi_bound` in nats, unbounded, falling in α. Higher is better from α = 0 up, where it lies below
    log p(x) in expectation; below 0 it may lie above, and a posterior that fits badly can raise it.
    Cost: 20 ms on 256 points × 2,000 codes. Blind to disentanglement. Values at different α or K do not compare.
    Others: P scores each model at the α it was trained with; the mean over a single group a point, as in training,
    is the same number in expectation and noisier.
    Raises `NotApplicable` with fewer codes a point than `samples`, `UsageError` on weights that are not finite, on
    α = NaN, and on one sample with α ≠ 1, where every α would be the ELBO.
    """
    log_weights = check_table(log_weights, "log_weights")
    check_order(alpha=alpha, samples=samples)
    enough_samples(log_weights, samples)
    groups = log_weights.shape[1] // samples
    weights = log_weights[:, : groups * samples].astype(np.float64).reshape(-1, samples)
    return {"renyi_bound": float(_bound(weights, alpha).mean())}


def _bound(weights: Float[ndarray, "g k"], alpha: float) -> Float[ndarray, " g"]:
    """L_α of each group."""
    if alpha == 1:
        return weights.mean(axis=1)
    if math.isinf(alpha):
        return weights.min(axis=1) if alpha > 0 else weights.max(axis=1)
    return log_mean_exp((1 - alpha) * weights) / (1 - alpha)

"""Log-likelihood of the data, estimated by importance sampling from the posterior, nats."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._check import check_table
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import Count


@metric(
    also=("effective_samples",),
    bounds=(float("-inf"), float("inf")),
    rows="all",
    representations=("mean",),
    trial={"samples": 5},
)
def log_likelihood(log_weights: Float[ndarray, "p s"], *, samples: Count = 2_000, seed: int = 0) -> dict[str, float]:
    """Importance-sampled log p(x), the mean over data points (Burda et al. 2016, eq. 8; P Fig. 2).

    `log_weights` are log w = log p(x|z) + log p(z) − log q(z|x) at codes z ~ q(z|x). For each point
    log (1/S Σ_s w_s) over its first S = `samples` codes, by log-sum-exp in double precision. In expectation it lies
    between the ELBO (S = 1) and log p(x), and rises with S. `effective_samples` = (Σ w)² / Σ w² of the median point
    says how far to trust it: near 1 a single code decides the sum, and log p(x) may be much higher.
    No random choices: `seed` changes nothing.

    Returns `log_likelihood` in nats, higher is better, unbounded; `effective_samples` in [1, S]; and, from two points
    on, `log_likelihood_standard_error`, that of the mean over points. Cost: 20 ms on 256 points × 2,000 codes.
    Blind to disentanglement, and to the bias that remains where the posterior misses part of p(z|x). Values under
    different likelihoods, or of a density and of pixels as binary, do not compare.
    Others: 5,000 codes (Burda et al.), 2,000 (P); some sum in single precision, which loses the small weights.
    Raises `NotApplicable` with fewer codes a point than `samples`, `UsageError` on weights that are not finite.
    """
    log_weights = check_table(log_weights, "log_weights")
    enough_samples(log_weights, samples)
    weights = log_weights[:, :samples].astype(np.float64)
    by_point = log_mean_exp(weights)
    shares = np.exp(weights - weights.max(axis=1, keepdims=True))
    effective = shares.sum(axis=1) ** 2 / (shares**2).sum(axis=1)
    scores = {"log_likelihood": float(by_point.mean()), "effective_samples": float(np.median(effective))}
    if len(by_point) > 1:
        scores["log_likelihood_standard_error"] = float(by_point.std(ddof=1) / np.sqrt(len(by_point)))
    return scores


def enough_samples(log_weights: Float[ndarray, "p s"], samples: int) -> None:
    """Raise `NotApplicable` on fewer than `samples` codes a point."""
    if samples < 1:
        raise UsageError(f"samples = {samples} must be positive")
    stored = log_weights.shape[1]
    if stored < samples:
        raise NotApplicable(
            f"{stored:,} codes a point have weights and {samples:,} are needed: encode with"
            f" likelihood_samples = {samples} or more under [encoding] in the suite, or ask for fewer samples"
        )


def log_mean_exp(values: Float[ndarray, "*rows k"]) -> Float[ndarray, "*rows"]:
    """log (1/K Σ_k exp values_k), exact too where all values are large, or all nearly zero."""
    largest = values.max(axis=-1, keepdims=True)
    return largest[..., 0] + np.log1p(np.expm1(values - largest).mean(axis=-1))

"""Variances of few seeds, each strengthened by what its leaderboard's other configurations say."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray


def pooled(
    variances: Float[ndarray, " g"], freedom: Float[ndarray, " g"]
) -> tuple[Float[ndarray, " g"], Float[ndarray, " g"]]:
    """For each the mean of all variances above 0, weighted by their degrees of freedom, and the sum of these."""
    own = (freedom > 0) & (variances > 0)
    total = freedom[own].sum()
    mean = (freedom[own] * variances[own]).sum() / max(total, 1)
    return np.full(len(variances), mean), np.full(len(variances), total)


def moderated(
    variances: Float[ndarray, " g"], freedom: Float[ndarray, " g"]
) -> tuple[Float[ndarray, " g"], Float[ndarray, " g"]]:
    """Posterior variances and their degrees of freedom (Smyth 2004, §§4, 6.2: the moderated t statistic).

    freedom: degrees of freedom behind each variance; 0 where there is none. The variances' scatter beyond what their
    degrees of freedom explain says how far the configurations share one: where they scatter no more than that, the
    pooled variance takes over; where they lie far apart, each keeps its own. A variance of 0 informs no other. With
    fewer than two to learn from all come back as they are.
    """
    own = (freedom > 0) & (variances > 0)
    if own.sum() < 2:
        return variances, freedom
    prior, strength = _prior(variances[own], freedom[own])
    pooled = freedom[own].sum()
    if np.isinf(strength):
        return np.full(len(variances), prior), np.full(len(variances), pooled)
    total = strength + freedom
    return (strength * prior + freedom * variances) / total, np.minimum(total, pooled)


def prior(
    variances: Float[ndarray, " g"], freedom: Float[ndarray, " g"]
) -> tuple[Float[ndarray, " g"], Float[ndarray, " g"]]:
    """For each what the group says of a variance, and the degrees of freedom that this is worth; 0 of fewer than two.

    Never worth more than all that was seen, which is what pooling would have.
    """
    own = (freedom > 0) & (variances > 0)
    shape = np.ones(len(variances))
    if own.sum() < 2:
        return 0 * shape, 0 * shape
    shared, strength = _prior(variances[own], freedom[own])
    return shared * shape, min(strength, float(freedom[own].sum())) * shape


def _prior(variances: Float[ndarray, " g"], freedom: Float[ndarray, " g"]) -> tuple[float, float]:
    """The variance that the configurations share and the degrees of freedom that it is worth, inf where it is exact."""
    from scipy.special import digamma, polygamma

    half = freedom / 2
    centred = np.log(variances) - digamma(half) + np.log(half)
    scatter = centred.var(ddof=1) - polygamma(1, half).mean()
    if scatter <= 0:
        return float((freedom * variances).sum() / freedom.sum()), np.inf
    strength = 2 * _inverse_trigamma(float(scatter))
    return float(np.exp(centred.mean() + digamma(strength / 2) - np.log(strength / 2))), strength


def _inverse_trigamma(value: float) -> float:
    """The y > 0 with ψ′(y) = value, by Newton's steps on 1/ψ′, which is convex and almost straight."""
    from scipy.special import polygamma

    y = 0.5 + 1 / value
    for _ in range(50):
        slope = float(polygamma(1, y))
        step = slope * (1 - slope / value) / float(polygamma(2, y))
        y += step
        if abs(step) < 1e-9 * y:
            break
    return y

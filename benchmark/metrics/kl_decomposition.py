"""The KL to the prior split in three: what codes say of the data point, total correlation, and each coordinate's KL."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import ScoreWarning, UsageError
from benchmark.metrics._check import check_posterior
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import Count

CEILING = 1.0
"""Nats below log n within which mutual information says how many points there are, and no longer what codes know."""

BLOCK = 1 << 17
"""Densities held at once for each table of them: 1 MB, which stays in the processor's cache."""


@metric(
    headline="total_correlation",
    also=("mutual_information", "dimension_wise_kl"),
    higher_is_better=False,
    bounds=(float("-inf"), float("inf")),
    rows="all",
    representations=("mean",),
    quick={"samples": 100},
    cost=30.0,
)
def kl_decomposition(
    means: Float[ndarray, "n d"], variances: Float[ndarray, "n d"], *, samples: Count = 500, seed: int = 0
) -> dict[str, float]:
    """E_x KL(q(z|x) ‖ N(0, I)) = I(x; z) + KL(q(z) ‖ Π_j q(z_j)) + Σ_j KL(q(z_j) ‖ N(0, 1)), by sampling.

    M eq. 4.4, after Hoffman & Johnson 2016 and Chen et al. 2018 (eq. 2): `mutual_information` of z and the data point's
    index, `total_correlation` and `dimension_wise_kl`, each a mean over one z from each of `samples` distinct rows (all
    rows where there are fewer) of a log ratio of densities: log q(z|x) − log q(z), log q(z) − Σ_j log q(z_j) and
    Σ_j (log q(z_j) − log p(z_j)). q(z) and q(z_j) are the mixtures of the posteriors of ALL rows given, z's own among
    them. `kl` is the sum, exactly the sampled log q(z|x) − log p(z).

    Returns `mutual_information`, `total_correlation`, `dimension_wise_kl`, `kl` in nats, lower total correlation means
    less dependent. The exact parts are at least 0; sampling may put one that is nearly 0 below it.
    Unbiased where the n rows are the data. Where they are a draw from more, each z's own row weighs too much: mutual
    information comes out too low, never above log n (9.2 nats at 10,000), and total correlation too high by nearly as
    much, as the marginals overlap and feel less of it. With ten independent codes of 1.5 nats each and n = 10,000,
    15.2 and 0 come out as 9.2 and 6.1: judge total correlation only where mutual information is well below log n; a
    note says where it is within a nat of it.
    Cost: 0.3 s on 10,000 × 10 codes, half a minute on 737,280 × 10; memory is bounded.
    Blind to factors: a collapsed posterior has none of the three.
    Others: training estimates the mixture from a minibatch (β-TCVAE, where leaving out the constant log(MN) shifts
    total correlation) or its ratio by a discriminator (FactorVAE): other numbers. `kl` is the sum's exact mean.
    Raises `UsageError` on variances that are not positive, input that is not finite, or `samples` below 1.
    """
    means, variances = check_posterior(means, variances)
    if samples < 1:
        raise UsageError(f"samples = {samples} must be positive")
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(means))[:samples]
    mu, sigma = (
        np.ascontiguousarray(table.T, dtype=np.float64) for table in (means, np.sqrt(variances, dtype=np.float64))
    )
    z = mu[:, rows] + sigma[:, rows] * rng.standard_normal((len(mu), len(rows)))
    # Every density leaves out (2π)^(−d/2): the same in numerators and denominators.
    given = (-0.5 * ((z - mu[:, rows]) / sigma[:, rows]) ** 2 - np.log(sigma[:, rows])).sum(axis=0)
    joint, marginals = aggregate_log_densities(z, mu, sigma)
    prior = -0.5 * (z**2).sum(axis=0)
    parts = {
        "mutual_information": float((given - joint).mean()),
        "total_correlation": float((joint - marginals.sum(axis=0)).mean()),
        "dimension_wise_kl": float((marginals.sum(axis=0) - prior).mean()),
    }
    most = float(np.log(len(means)))
    if parts["mutual_information"] > max(most - CEILING, 0):
        warnings.warn(
            f"mutual information has reached what {len(means):,} points can show (log n = {most:.1f} nats): total"
            " correlation is that of these points, and too high where they are a draw from more",
            ScoreWarning,
            stacklevel=2,
        )
    return parts | {"kl": sum(parts.values())}


def aggregate_log_densities(
    z: Float[ndarray, "d s"], mu: Float[ndarray, "d n"], sigma: Float[ndarray, "d n"]
) -> tuple[Float[ndarray, " s"], Float[ndarray, "d s"]]:
    """log q(z) and log q(z_j) of the equal mixture of n diagonal Gaussians, less −½ log 2π a coordinate."""
    joint, marginals = np.empty(z.shape[1]), np.empty(z.shape)
    scale = np.log(sigma)
    step = max(1, BLOCK // mu.shape[1])
    for start in range(0, z.shape[1], step):
        part = slice(start, start + step)
        together = np.zeros((z[0, part].size, mu.shape[1]))
        for j in range(len(z)):
            single = z[j, part, None] - mu[j]
            single /= sigma[j]
            single *= single
            single *= -0.5
            single -= scale[j]
            together += single
            marginals[j, part] = _log_mean_exp(single)
        joint[part] = _log_mean_exp(together)
    return joint, marginals


def _log_mean_exp(rows: Float[ndarray, "b n"]) -> Float[ndarray, " b"]:
    """log of the mean over each row of exp, in whose place `rows` is overwritten."""
    largest = rows.max(axis=1, keepdims=True)
    rows -= largest
    np.exp(rows, out=rows)
    return largest[:, 0] + np.log(rows.mean(axis=1))

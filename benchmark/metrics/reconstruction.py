"""Reconstruction loss, nats a data point, at the mean code and at a sampled one."""

from __future__ import annotations

from jaxtyping import Float
from numpy import ndarray

from benchmark.metrics._check import check_losses
from benchmark.metrics._declare import metric


@metric(
    also=("reconstruction_sampled",),
    higher_is_better=False,
    bounds=(float("-inf"), float("inf")),
    rows="all",
    representations=("mean",),
)
def reconstruction(
    reconstruction_mean: Float[ndarray, " r"],
    reconstruction_sample: Float[ndarray, " r"] | None = None,
    *,
    seed: int = 0,
) -> dict[str, float]:
    """Mean reconstruction loss −log p(x|z), summed over the dimensions of x, over the points that were decoded.

    `reconstruction_mean` is the loss at z = μ(x), `reconstruction_sample` at one z ~ q(z|x), where the encoder is
    stochastic (M Table 5.3, S eqs. 15 and 16). No random choices: `seed` changes nothing.

    Returns `reconstruction` (at μ) and `reconstruction_sampled`, in nats, lower is better. Never below 0 under a
    Bernoulli likelihood; a Gaussian one is a density and may be. Cost: none.
    Blind to everything about the code but what it retains. Losses under different likelihoods do not compare.
    Others: M §5.2's 0.274 is per pixel or in another unit; some report squared error.
    Raises `UsageError` on losses that are not finite.
    """
    scores = {"reconstruction": float(check_losses(reconstruction_mean, "reconstruction_mean").mean())}
    if reconstruction_sample is not None:
        scores["reconstruction_sampled"] = float(check_losses(reconstruction_sample, "reconstruction_sample").mean())
    return scores

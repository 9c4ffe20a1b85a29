"""Evidence lower bound: minus the reconstruction loss at a sampled code and the KL divergence, nats."""

from __future__ import annotations

from jaxtyping import Float
from numpy import ndarray

from benchmark.metrics._check import check_losses
from benchmark.metrics._declare import metric
from benchmark.metrics.kl import kl_by_coordinate


@metric(bounds=(float("-inf"), float("inf")), rows="all", representations=("mean",), judges="whole")
def elbo(
    reconstruction_sample: Float[ndarray, " r"],
    means: Float[ndarray, "n d"],
    variances: Float[ndarray, "n d"],
    *,
    seed: int = 0,
) -> dict[str, float]:
    """The evidence lower bound E_q[log p(x|z)] − KL(q(z|x) ‖ p(z)), the mean over the data (M §3.3, S eq. 9).

    The first term is estimated with one sampled z for each of the r decoded points, the second is exact over all n
    rows, for diagonal Gaussian posteriors and the standard normal prior; β does not enter. r may be smaller than n:
    both are means over draws of the same data. No random choices: `seed` changes nothing.

    Returns `elbo` in nats, higher is better, unbounded. Cost: that of `kl`.
    Blind to disentanglement: rotating the code and the decoder changes the first term not at all.
    Others: some report its negative, or the trained objective with β in it.
    Raises `UsageError` on input that is not finite or variances that are not positive.
    """
    loss = check_losses(reconstruction_sample, "reconstruction_sample").mean()
    return {"elbo": float(-(loss + kl_by_coordinate(means, variances).sum()))}

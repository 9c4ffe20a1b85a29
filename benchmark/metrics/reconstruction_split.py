"""How much of the reconstruction loss the mean code leaves, and how much the encoder's noise adds, nats."""

from __future__ import annotations

from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.metrics._check import check_losses
from benchmark.metrics._declare import metric


@metric(
    headline="stochastic",
    also=("deterministic", "stochastic_share"),
    higher_is_better=None,
    bounds=(float("-inf"), float("inf")),
    rows="all",
    representations=("mean",),
)
def reconstruction_split(
    reconstruction_mean: Float[ndarray, " r"], reconstruction_sample: Float[ndarray, " r"], *, seed: int = 0
) -> dict[str, float]:
    """The reconstruction loss in a deterministic and a stochastic part (R eqs. 13–15), means over r decoded points.

    `reconstruction_mean` is the loss at z = μ(x): the deterministic part (eq. 13). `reconstruction_sample` is the loss
    of the same points at one z ~ q(z|x), an unbiased estimate of the whole (eq. 11). The stochastic part is what is
    between them: for a squared error it is E‖Dec(μ) − Dec(z)‖² (eq. 14) where the mean of Dec(z) is Dec(μ), as R's
    Proposition 4 supposes. For a curved decoder the difference also holds 2 E⟨Dec(μ) − x, Dec(z) − Dec(μ)⟩, and for
    another likelihood it is the noise's price in that loss. No random choices: `seed` changes nothing.

    Returns `stochastic` (the headline: constants of the likelihood cancel in it; below 0 where noise helps) and
    `deterministic`, in nats, and, where the whole loss is positive, `stochastic_share` = stochastic / whole, at most 1
    unless the deterministic loss is negative, as that of a density may be. Neither direction is better: R's argument
    is that the stochastic part is what makes the decoder locally orthogonal. Cost: none.
    Blind to which coordinates the noise enters by, and to whether the decoder is orthogonal. The share counts
    constants, and the entropy of grey pixels under a Bernoulli likelihood, as deterministic.
    Others: R takes the expectation over the noise; with one sample a point its error falls with r alone.
    Raises `UsageError` on losses that are not finite or not of the same points.
    """
    at_mean = check_losses(reconstruction_mean, "reconstruction_mean")
    at_sample = check_losses(reconstruction_sample, "reconstruction_sample")
    if len(at_mean) != len(at_sample):
        raise UsageError(f"reconstruction_sample of {len(at_sample)} points, reconstruction_mean of {len(at_mean)}")
    deterministic, stochastic, whole = at_mean.mean(), (at_sample - at_mean).mean(), at_sample.mean()
    scores = {"stochastic": float(stochastic), "deterministic": float(deterministic)}
    return scores | {"stochastic_share": float(stochastic / whole)} if whole > 0 else scores

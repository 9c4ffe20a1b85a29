"""How much less the reparametrised gradient of the ELBO scatters than that by the score function."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._declare import metric


@metric(
    headline="gradient_log_ratio",
    also=("gradient_log_ratio_baseline",),
    higher_is_better=None,
    bounds=(float("-inf"), float("inf")),
    rows="all",
    representations=("mean",),
)
def gradient_estimators(
    gradient_variance_score: Float[ndarray, "p 2 d"],
    gradient_variance_baseline: Float[ndarray, "p 2 d"],
    gradient_variance_pathwise: Float[ndarray, "p 2 d"],
    *,
    seed: int = 0,
) -> dict[str, float]:
    """Variance of one-sample gradients of the ELBO by estimator (M §3.3): what makes VAEs trainable.

    Each array holds variances over draws of the noise, of p points, of the derivatives in the posterior's μ_j (first)
    and log σ_j (second) for its d coordinates, at the end of training. score is f ∇log q with f the ELBO's integrand
    (M eq. 3.3), baseline the same with f less its mean, pathwise the reparametrised gradient (M eq. 3.4). Total
    variances are summed over coordinates and parameters and averaged over points. No random choices: `seed` changes
    nothing.

    Returns `gradient_log_ratio` = log₁₀(score / pathwise) of the total variances, `gradient_log_ratio_baseline`, and
    log₁₀ of each: `gradient_log_variance_score`, `…_baseline`, `…_pathwise`. Neither direction is better: it is a
    property of estimators, and grows with the constants in f, which the baseline takes away. Cost: none.
    Blind to the encoder, whose weights' gradients follow from these, to batches, whose average scatters less by their
    size, and to how it was earlier in training.
    Others: for N(θ, 1) and f = x² the variances are θ⁴ + 14 θ² + 15 and 4.
    Raises `NotApplicable` where a gradient does not scatter at all, `UsageError` on variances that do not fit together,
    are negative or not finite.
    """
    given = {
        "score": np.asarray(gradient_variance_score, np.float64),
        "baseline": np.asarray(gradient_variance_baseline, np.float64),
        "pathwise": np.asarray(gradient_variance_pathwise, np.float64),
    }
    total = {}
    for name, variances in given.items():
        if variances.ndim != 3 or not variances.size or variances.shape != given["score"].shape:
            raise UsageError(f"gradient variances ({name}) of shape {variances.shape} are no table (points × 2 × d)")
        if not np.isfinite(variances).all() or variances.min() < 0:
            raise UsageError(f"gradient variances ({name}) are negative, NaN or infinite")
        total[name] = variances.sum(axis=(1, 2)).mean()
    if min(total.values()) <= 0:
        raise NotApplicable("a gradient has no variance at all: there is no ratio")
    logs = {name: float(np.log10(value)) for name, value in total.items()}
    return {
        "gradient_log_ratio": logs["score"] - logs["pathwise"],
        "gradient_log_ratio_baseline": logs["baseline"] - logs["pathwise"],
        **{f"gradient_log_variance_{name}": value for name, value in logs.items()},
    }

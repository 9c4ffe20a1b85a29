"""Total correlation of a Gaussian with the codes' covariance, nats: how linearly dependent the codes are."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from pydantic import Field

from benchmark.metrics._check import check_codes, need_rows, varying_codes
from benchmark.metrics._declare import metric


@metric(
    higher_is_better=False,
    bounds=(0.0, float("inf")),
    minimum_rows=3,
    invariances=("permutation", "sign", "scale"),
)
def gaussian_total_correlation(
    codes: Float[ndarray, "n d"], *, floor: Annotated[float, Field(gt=0, le=1)] = 1e-6, seed: int = 0
) -> dict[str, float]:
    """½ (Σ_j log Σ_jj − log det Σ) with Σ the covariance of the codes (Locatello et al. 2019).

    Exactly constant codes are left out. The rest is computed as −½ log det of the correlation matrix, whose
    eigenvalues are raised to `floor` where they are below it: each direction in which codes determine each other
    linearly, as duplicates do, counts as 6.9 nats at the default instead of infinitely many. With fewer than two
    codes left it is 0. No random choices: `seed` changes nothing.

    Returns `gaussian_total_correlation` in nats, at least 0, lower means less dependent. Cost: 1 ms on 10,000 × 10.
    Estimated from n points it is biased upwards by about d(d − 1)/(4n).
    Blind to dependence that is not linear and to what the codes hold: collapsed and PCA codes score 0.
    Others: those that take log det of the singular covariance of a dead code return NaN or infinity.
    Raises `NotApplicable` with no more points than codes plus one, `UsageError` on codes that are not finite.
    """
    codes = check_codes(codes)
    need_rows(len(codes), codes.shape[1] + 2, f"the covariance of {codes.shape[1]} codes")
    codes = codes[:, varying_codes(codes)].astype(np.float64)
    centred = codes - codes.mean(axis=0)
    # Divided by the largest value first: squares of codes below 1e-154 would vanish.
    centred /= np.abs(centred).max(axis=0)
    centred /= np.sqrt((centred**2).sum(axis=0))
    eigenvalues = np.maximum(np.linalg.eigvalsh(centred.T @ centred), floor)
    return {"gaussian_total_correlation": max(0.0, float(-0.5 * np.log(eigenvalues).sum()))}

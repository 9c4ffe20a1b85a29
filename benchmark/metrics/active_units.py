"""Active units: how many coordinates' means vary over the data."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.metrics._check import check_table, need_rows, varying_codes
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import NotNegative


@metric(higher_is_better=None, bounds=(0.0, float("inf")), rows="all", minimum_rows=2, representations=("mean",))
def active_units(means: Float[ndarray, "n d"], *, threshold: NotNegative = 0.01, seed: int = 0) -> dict[str, float]:
    """The number of coordinates j with Var_x(μ_j(x)) > `threshold` (Burda et al. 2016, §5).

    No random choices: `seed` changes nothing.

    Returns `active_units` in [0, d]; neither direction is better. Cost: 0.1 s on 737,280 × 10.
    Blind to what the units hold. The threshold is in units of the prior: for autoencoders without one, whose codes
    have any scale, the count says little.
    Others: R §5.2 calls a coordinate active at a standard deviation above 0.5 (`polarised_regime`).
    Raises `NotApplicable` on one point, `UsageError` on means that are not finite.
    """
    means = check_table(means, "means")
    need_rows(len(means), 2, "a variance")
    active = varying_codes(means) & (means.var(axis=0, dtype=np.float64) > threshold)
    return {"active_units": float(active.sum())}

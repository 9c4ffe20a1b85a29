"""Decoder pruning curve: how much weight the decoder's first layer gives each coordinate."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from benchmark.errors import NotApplicable
from benchmark.metrics._check import check_table
from benchmark.metrics._declare import metric


@metric(
    also=("column_norm",),
    higher_is_better=None,
    bounds=(0.0, float("inf")),
    rows="all",
    representations=("mean",),
    invariances=("permutation", "sign"),
)
def pruning_curve(decoder_weights: Float[ndarray, "h d"], *, seed: int = 0) -> dict[str, float]:
    """Absolute column sums |Σ_i W_ij| of the decoder's first layer, which S §4.2.2 sorts and plots, and column norms.

    `decoder_weights` is W in W z + b: a row for each of h hidden units, a column for each of d coordinates. As one
    number, the effective number of coordinates of either curve c: exp H(c / Σ_j c_j) with H Shannon's entropy, which
    is m for m equal columns beside zeros. No random choices: `seed` changes nothing.

    Returns `pruning_curve` and `column_norm`, the effective numbers by sums and by norms, in [1, d];
    `pruning_curve_coordinate_J` and `column_norm_coordinate_J`, at least 0, J the coordinate in the code, listed from
    the largest sum to the smallest. Neither direction is better. Cost: none.
    Blind to all later layers and to the scale of the codes: where no prior sets it, as in an autoencoder, a coordinate
    of small variance has large weights. Weights of both signs cancel in a column's sum, not in its norm: for d columns
    of independent symmetric weights of one size the sums give an effective number of 0.75 d, the norms one of d. Where
    the two disagree, the sums show chance.
    Others: S reads the number of dimensions off an elbow by eye; others count columns by norm above a threshold.
    Raises `NotApplicable` where every column sums to zero, `UsageError` on weights that are not finite.
    """
    weights = check_table(decoder_weights, "decoder_weights").astype(np.float64)
    sums, norms = np.abs(weights.sum(axis=0)), np.sqrt((weights**2).sum(axis=0))
    if not sums.any():
        raise NotApplicable("every column of the decoder's first layer sums to zero: there is no curve")
    order = np.argsort(-sums, kind="stable")
    return {
        "pruning_curve": _effective_number(sums),
        "column_norm": _effective_number(norms),
        **{f"pruning_curve_coordinate_{j}": float(sums[j]) for j in order},
        **{f"column_norm_coordinate_{j}": float(norms[j]) for j in order},
    }


def _effective_number(sizes: Float[ndarray, " d"]) -> float:
    """exp of the entropy of the sizes' shares."""
    share = sizes[sizes > 0] / sizes.sum()
    return float(np.exp(-(share * np.log(share)).sum()))

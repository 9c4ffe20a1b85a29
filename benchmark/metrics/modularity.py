"""Modularity: how nearly each code tells of one factor only, by its mutual information with all of them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.errors import NotApplicable
from benchmark.metrics._declare import metric
from benchmark.metrics._disentanglement_lib import histogram_bins, is_asked
from benchmark.metrics._information import MINIMUM_ROWS, Information, equal_width, histogram_information
from benchmark.metrics._settings import Bins, Definition

NOTHING = 1e-9
"""Nats: below it a code tells nothing of any factor, and ratios of its information would be ratios of rounding."""


@metric(
    supervised=True,
    minimum_rows=MINIMUM_ROWS,
    invariances=("permutation", "sign", "scale"),
    later=("definition",),
)
def modularity(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    bins: Bins = 20,
    definition: Definition = "default",
    seed: int = 0,
) -> dict[str, float]:
    """Modularity of Ridgeway & Mozer 2018 (Learning deep disentangled embeddings with the F-statistic loss).

    mean over codes j of 1 − Σ_{k ≠ k*} I(z_j; v_k)² / (I(z_j; v_k*)² (K − 1)), k* the factor that code j shares the
    most information with and K the number of factors: the squared distance, relative to the worst possible, from the
    template in which the code tells of one factor alone.
    Codes enter in `bins` bins of equal width over their range, continuous factors in 20 bins of equal frequency.
    A code less than a millionth of a bin below an edge counts as on it.
    Constant factors are dropped, and so are codes that tell nothing at all, as constant ones do; by `definition` =
    "disentanglement_lib" these score 0 and stay in the mean, and edges are those of `numpy.histogram`. No random
    choices: `seed` changes nothing.

    Returns `modularity` and, for every code kept, `modularity_code_J`; in [0, 1], higher is better.
    Its floor is high: on 10,000 points of the grid of dSprites noise scores 0.68, because the bias of its
    information grows with a factor's number of values, and random rotations of
    perfect codes 0.88 on average, single ones up to 0.99. Do not read it without
    explicitness or MIG beside it. Cost: 10 ms on 10,000 × 10 codes.
    Blind to how much a code tells at all, to factors that no code holds and to several codes of one factor.
    Others: Locatello et al. 2019 give a constant code 0, which lowers the mean (`definition`); some leave out codes of
    little information, or weigh them by it.
    Raises `NotApplicable` below 1,000 points, with fewer than two factors that vary or where no code tells of any,
    `UsageError` on unusable input.
    """
    theirs = is_asked(definition)
    found = histogram_information(codes, factors, bins, histogram_bins if theirs else equal_width)
    return scores_of_information(found, keep_all=theirs)


def scores_of_information(found: Information, *, keep_all: bool = False) -> dict[str, float]:
    """The mean over codes that tell of a factor, and each code's; if `keep_all`, others stay in the mean with 0."""
    if len(found.factors) < 2:
        raise NotApplicable("modularity compares factors and needs at least two that vary")
    scores: dict[str, float] = {}
    told = found.shared.max(axis=1) > NOTHING
    if keep_all:
        scores = {f"modularity_code_{j}": 0.0 for j in np.flatnonzero(~told)}
    for j in np.flatnonzero(told):
        relative = found.shared[j] / found.shared[j].max()
        scores[f"modularity_code_{j}"] = float(1.0 - ((relative**2).sum() - 1.0) / (len(relative) - 1))
    if not scores:
        raise NotApplicable("no code tells anything of a factor")
    return {"modularity": float(np.mean(list(scores.values()))), **scores}

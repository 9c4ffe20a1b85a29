"""How well a linear classifier tells which factor a set of pairs shares, from their mean absolute code difference."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Annotated

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray
from pydantic import Field

from benchmark.metrics._check import check_codes, check_factors
from benchmark.metrics._declare import metric
from benchmark.metrics._interventions import intervention_index, points
from benchmark.metrics._settings import Count

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

ITERATIONS = 10_000
"""Of L-BFGS at most: 16 s."""


@metric(supervised=True, rows="all", minimum_rows=4, invariances=("permutation", "sign"), later=("constant_factors",))
def beta_vae_score(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    batch: Count = 64,
    train: Count = 10_000,
    test: Count = 5_000,
    constant_factors: Annotated[int, Field(ge=0)] = 0,
    seed: int = 0,
) -> dict[str, float]:
    """The β-VAE score of Higgins et al. 2017 (M §4.4).

    A point: a factor drawn uniformly, `batch` pairs of rows, each pair with its own shared value of that factor, the
    mean |z − z'| over the pairs. A logistic regression (scikit-learn's defaults, L2 with C = 1, run to convergence)
    learns the factor from `train` points, by Newton's method where L-BFGS does not arrive, as with an autoencoder's
    large codes; the score is its accuracy on `test` others. The first row of a pair is
    uniform over the table, the second uniform over the rows that share its value.

    Returns `beta_vae_score` in [0, 1], higher is better; chance is one over the number of factors.
    Needs two or more discrete factors that are independent over the table; constant ones are dropped, and
    `constant_factors` of them counted as classes that nothing tells but being no other (1 is dSprites as M scored it).
    Cost: 0.4 s on 737,280 × 10 codes on one core.
    Blind to rotation (random ones of perfect codes on the grid of dSprites score 0.82–1.0, of perfect and five dead
    ones 0.99–1.0), to how many codes a factor takes, and to a
    factor that no code holds, which the zero of all others gives away. The penalty makes it depend on scale where codes
    are small: of perfect codes, standardised, 0.01 times them score 1.0 as well, 0.003 times 0.60, 0.001 times 0.20,
    which is chance among five factors.
    Others: some fix one value for the whole batch.
    Raises `NotApplicable` where factors cannot be fixed, `UsageError` on codes that are not finite.
    """
    codes = check_codes(codes)
    index = intervention_index(check_factors(factors, len(codes)), constant_factors)
    rng = np.random.default_rng(seed)
    fixed, chunks = points(index, train + test, rng)
    difference = np.empty((train + test, codes.shape[1]))
    for factor, members in chunks:
        first = rng.integers(len(codes), size=len(members) * batch)
        second = index.draw(factor, index.factors[first, factor], 1, rng)[:, 0]
        pairs = np.abs(codes[first] - codes[second])
        difference[members] = pairs.reshape(len(members), batch, -1).mean(axis=1)
    if (fixed[:train] == fixed[0]).all():
        return {"beta_vae_score": float((fixed[train:] == fixed[0]).mean())}
    classifier = _classifier(difference[:train], fixed[:train])
    return {"beta_vae_score": float(classifier.score(difference[train:], fixed[train:]))}


def _classifier(points: Float[ndarray, "n d"], fixed: Integer[ndarray, " n"]) -> LogisticRegression:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            return LogisticRegression(max_iter=ITERATIONS).fit(points, fixed)
        except ConvergenceWarning:
            return LogisticRegression(solver="newton-cholesky").fit(points, fixed)

"""Mutual information gap of groups of codes, from nearest neighbours: how far a factor's best group is ahead."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float, Integer, Num
from numpy import ndarray
from pydantic import Field

from benchmark.errors import NotApplicable
from benchmark.metrics._check import check_codes, check_factors, need_rows, varying_codes, varying_factors
from benchmark.metrics._declare import metric
from benchmark.metrics._groups import columns_of
from benchmark.metrics._information import MINIMUM_ROWS, Information, entropy, factor_classes
from benchmark.metrics.mig import scores_of_information

MOST_COLUMNS = 16
"""In more dimensions the nearest of 10,000 points is hardly nearer than the others."""

TIE = 1e-7
"""Points nearer than this, in units of the group's largest value, are one point: rotated equal rows differ so."""


@metric(
    supervised=True,
    minimum_rows=MINIMUM_ROWS,
    judges="groups",
    invariances=("permutation", "sign", "scale"),
    cost=4.0,
    version=2,
)
def group_mig(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    groups: Num[ndarray, " e"] | None = None,
    *,
    neighbours: Annotated[int, Field(ge=1, le=100)] = 3,
    seed: int = 0,
) -> dict[str, float]:
    """MIG (Chen et al. 2018) with the mutual information of a vector and a factor, by the estimator of Ross 2014.

    Mean over factors k of (I_gk − I_lk) / H(v_k), g and l the groups with the largest and the second largest I.
    I = ψ(N) + mean over points of ψ(κ) − ψ(N_v) − ψ(m): N points, N_v of the point's value of the factor, ρ the
    distance to its κ-th neighbour among these, m the points of any value nearer than ρ, with itself; κ = `neighbours`,
    or N_v − 1 where that is less. A point whose ρ is 0 counts as in a table of counts instead, after Gao et al. 2017:
    log N + log c_zv − log N_v − log c_z with c the points at its place, so that codes of few values have exactly the
    information of counts. Distances are Euclidean over the group's columns as they are. Continuous factors enter in 20
    bins of equal frequency, points that alone have a value are left out of I and H, and I is held between 0 and H. No
    random choices: `seed` changes nothing. `groups` gives the group of each column; without it each column is one of
    its own.

    Histograms, which `mig` takes, have bins^c cells for c columns, more than points: their bias would be the score.

    Returns `group_mig` and `group_mig_factor_I`, in [0, 1], higher is better. On 10,000 points of independent noise I
    is 0 within 0.02 nats, of 3 columns as of 16. Groups of one column whose values fall into bins of their own score as
    `mig` does; others score what they hold and 20 bins do not show: codes of dSprites' factors with a little noise 1.00
    where `mig` has 0.89.
    Invariant to rotations, reflections, shifts and one scale inside each group, but not to the scales of its columns
    against each other.
    Cost: 4 s on ten groups of three columns with five factors and 10,000 points.
    Version 1 left such points out of I alone, which no code could then bring to H.
    Blind to a group that holds several factors; the more columns, the more neighbours miss of a relation that only few
    of the columns carry.
    Raises `NotApplicable` below 1,000 points, on groups of more than 16 columns, and without a factor that varies;
    `UsageError` on unusable input.
    """
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    need_rows(len(codes), MINIMUM_ROWS, "mutual information from neighbours")
    varying = varying_factors(factors)
    together = columns_of(groups, codes.shape[1])
    live = [columns for columns in together if varying_codes(codes[:, columns]).any()]
    if (most := max(map(len, together))) > MOST_COLUMNS:
        raise NotApplicable(
            f"a group of {most} columns: neighbours tell of at most {MOST_COLUMNS}; group_readout takes more"
        )
    classed = {k: factor_classes(factors[:, k]) for k in varying}
    # With fewer than two values that points share there is nothing that neighbours could tell.
    varying = [k for k, label in classed.items() if (np.bincount(label) > 1).sum() > 1]
    if not varying:
        raise NotApplicable("no factor has two values that several points share")
    labels = [classed[k] for k in varying]
    whole = np.array([entropy(label[repeated(label)]) for label in labels])
    shared = np.zeros((max(len(live), 1), len(labels)))
    for row, columns in enumerate(live):
        shared[row] = vector_information(codes[:, columns], labels, neighbours)
    shared = np.clip(shared, 0.0, whole)
    found = Information(varying, shared, np.full(len(shared), float(bool(live))), whole)
    return {f"group_{key}": value for key, value in scores_of_information(found).items()}


def vector_information(
    vectors: Float[ndarray, "n c"], labels: list[Integer[ndarray, " n"]], neighbours: int
) -> Float[ndarray, " k"]:
    """The mutual information of a vector with each of several labels 0, 1, …, in nats; it may be a little below 0."""
    from scipy.spatial import cKDTree

    vectors = vectors.astype(np.float64)
    vectors = vectors - vectors.mean(axis=0)
    vectors /= np.abs(vectors).max()
    tree = cKDTree(vectors)
    crowd = _within(tree, vectors, np.full(len(vectors), TIE))
    found = []
    for label in labels:
        kept = repeated(label)
        of = (tree, vectors, crowd)
        if not kept.all():
            among = vectors[kept]
            tree_of_kept = cKDTree(among)
            of = (tree_of_kept, among, _within(tree_of_kept, among, np.full(len(among), TIE)))
        found.append(_information(*of, label[kept], neighbours))
    return np.array(found)


def repeated(label: Integer[ndarray, " n"]) -> Bool[ndarray, " n"]:
    """Which points share their value with another: a single one has no neighbour of its value."""
    return np.asarray(np.bincount(label)[label] > 1)


def _information(
    tree: object, vectors: Float[ndarray, "n c"], crowd: Integer[ndarray, " n"], label: ndarray, neighbours: int
) -> float:
    """`crowd`: how many points lie at each point's place, with itself."""
    from scipy.spatial import cKDTree
    from scipy.special import digamma

    n, total = len(label), 0.0
    for value in np.unique(label):
        own = vectors[label == value]
        size = len(own)
        near = min(neighbours, size - 1)
        inside = cKDTree(own)
        radius = inside.query(own, k=[near + 1])[0][:, 0]
        tied = radius <= TIE
        apart = own[~tied]
        within = _within(tree, apart, radius[~tied] * (1 - 1e-9))
        total += float((digamma(n) + digamma(near) - digamma(size) - digamma(within)).sum())
        place = _within(inside, own[tied], np.full(int(tied.sum()), TIE))
        total += float(np.log(n * place / (size * crowd[label == value][tied])).sum())
    return total / n if n else 0.0


def _within(tree: object, points: Float[ndarray, "m c"], radius: Float[ndarray, " m"]) -> Integer[ndarray, " m"]:
    """How many of a tree's points lie within the radius of each point."""
    if not len(points):
        return np.zeros(0, dtype=np.int64)
    return np.asarray(tree.query_ball_point(points, radius, return_length=True))  # type: ignore[attr-defined]

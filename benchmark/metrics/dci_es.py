"""How soon forests of growing depth read a factor from the codes, and how many codes there are for the factors."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray
from pydantic import Field

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._check import (
    check_codes,
    check_factors,
    classes,
    is_discrete,
    need_few_classes,
    varying_codes,
    varying_factors,
)
from benchmark.metrics._declare import metric
from benchmark.metrics._settings import Count
from benchmark.metrics._split import Split, learning_rows
from benchmark.metrics._trees import visible

WORK_A_SECOND = 1e6
"""Training rows times codes times trees times factors, about, on one core."""

MOST_WORK = 600 * WORK_A_SECOND


def check_depths(*, depths: tuple[int, ...], **_: Any) -> None:
    """Raise `UsageError` where the depths are no growing capacities."""
    if len(depths) < 2 or any(one >= other for one, other in pairwise(depths)) or depths[0] < 1:
        raise UsageError(f"depths = {list(depths)}: at least two, from 1 upwards, each larger than the one before")


@metric(
    headline="dci_explicitness",
    also=("dci_size", "dci_lowest_loss"),
    higher_is_better=None,
    bounds=(-1.0, 1.0),
    supervised=True,
    rows="all",
    representations=("mean",),
    quick={"train": 500, "test": 500, "trees": 5},
    trial={"train": 600, "test": 300, "trees": 10},
    cost=60.0,
    invariances=("permutation", "sign", "scale"),
    check=check_depths,
)
def dci_es(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    depths: Annotated[tuple[Count, ...], Field(min_length=2)] = (1, 2, 3, 4, 8, 10, 12, 14, 16, 18, 20, 32),
    trees: Count = 100,
    train: Count = 10_000,
    test: Count = 5_000,
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """Explicitness and size of Eastwood et al. 2023 (DCI-ES, §4), by random forests.

    A forest whose trees are grown to at most a depth κ reads a factor with a loss on the test rows, for every κ of
    `depths`; ℓ(κ) is the lowest loss up to κ, ℓ* the lowest of all. Explicitness of a factor is 1 − A / Z, A the area
    between ℓ(κ) and ℓ* over κ, by straight lines, and Z = ½ (κ_last − κ_first) ℓ_b, ℓ_b the loss of a guess: 1 where
    the shallowest forest reads as well as the deepest, 0 where the loss falls along a line to nothing, below 0 where it
    falls late. `dci_explicitness` is the mean over factors; `dci_size` = factors / codes, of those that vary, at most
    1; `dci_lowest_loss` the mean of ℓ*, without which explicitness says nothing.
    The loss of a discrete factor is 1 − accuracy and ℓ_b = 1 − 1 / values, of a continuous one 1 − R² and ℓ_b = 1;
    neither counts as more than ℓ_b. Forests are scikit-learn's, of `trees` trees, every split choosing among all codes;
    the trees of a depth are the deepest forest's, cut there. `train` and `test` rows are drawn by `seed`, or `split` =
    (train rows, test rows) gives them. Constant factors and codes are dropped; where every code is constant the loss is
    that of a guess.

    Returns `dci_explicitness` in [−1, 1], `dci_explicitness_factor_I`, `dci_size` and `dci_lowest_loss` in [0, 1].
    Neither direction is better by itself: noise, of which no depth reads anything, has an explicitness of 1.
    Cost: 60 s on 10,000 × 10 codes with five factors of 113 values in all.
    Blind to how codes are arranged wherever a shallow tree gets by, and to factors that nothing reads.
    Others: the paper draws curves of networks' widths and of random Fourier features as well, which differ in value and
    in order; the authors' code takes factors with an order as continuous, chooses splits of classifying forests among
    the root of d codes, and grows a forest of its own for each depth. That Z has a lowest loss of 0 is the code's word.
    Raises `NotApplicable` on too few rows, on a factor of over 1,000 values, where it would take over ten minutes, and
    without a factor that varies; `UsageError` on unusable input.
    """
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    check_depths(depths=tuple(depths))
    varying = varying_factors(factors)
    need_few_classes(factors, varying)
    training, testing = learning_rows(len(codes), train, test, seed, split)
    columns = np.flatnonzero(varying_codes(codes[training]))
    known, asked = codes[training][:, columns], codes[testing][:, columns]
    if (work := len(training) * len(columns) * trees * len(varying)) > MOST_WORK:
        raise NotApplicable(
            f"{len(columns):,} codes × {len(training):,} training rows × {len(varying)} factors × {trees} trees take"
            f" about {work / WORK_A_SECOND / 60:,.0f} minutes: ask for fewer trees or rows,"
            " dci_es(trees=10, train=1000)"
        )
    explicit, lowest = {}, []
    for k in varying:
        losses, guess = _losses(known, asked, factors[:, k], training, testing, list(depths), trees, seed)
        explicit[f"dci_explicitness_factor_{k}"] = _explicitness(depths, losses, guess)
        lowest.append(float(losses.min()))
    return {
        "dci_explicitness": float(np.mean(list(explicit.values()))),
        "dci_size": min(1.0, len(varying) / max(len(columns), 1)),
        "dci_lowest_loss": float(np.mean(lowest)),
        **explicit,
    }


def _explicitness(depths: tuple[int, ...], losses: Float[ndarray, " m"], guess: float) -> float:
    """1 − the area between the curve of lowest losses so far and the lowest of all, in units of a triangle's."""
    above = np.minimum.accumulate(losses) - losses.min()
    area = (np.diff(depths) * (above[:-1] + above[1:])).sum() / 2
    return float(1.0 - area / (0.5 * (depths[-1] - depths[0]) * guess))


def _losses(
    train: Float[ndarray, "a e"],
    test: Float[ndarray, "b e"],
    factor: Num[ndarray, " n"],
    training: Integer[ndarray, " a"],
    testing: Integer[ndarray, " b"],
    depths: list[int],
    trees: int,
    seed: int,
) -> tuple[Float[ndarray, " m"], float]:
    """The loss on the test rows at each depth, and that of a guess."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    if is_discrete(factor):
        labels = classes(factor)
        known, asked, guess = labels[training], labels[testing], 1.0 - 1.0 / (int(labels.max()) + 1)
        forest = RandomForestClassifier
    else:
        factor = visible(factor[:, None].astype(np.float64))[0][:, 0]
        known, asked, guess = factor[training], factor[testing], 1.0
        forest = RandomForestRegressor
    if not train.shape[1] or known.min() == known.max():
        return np.full(len(depths), guess), guess
    train, test = visible(train, test)
    model = forest(trees, max_depth=depths[-1], max_features=None, random_state=seed).fit(train, known)
    outputs = _cut(model, test, depths)
    if is_discrete(factor):
        losses = (model.classes_[outputs.argmax(axis=2)] != asked).mean(axis=1)
    else:
        spread = ((asked - asked.mean()) ** 2).sum()
        misfit = ((outputs[:, :, 0] - asked) ** 2).sum(axis=1)
        losses = misfit / spread if spread > 0 else np.full(len(depths), guess)
    return np.minimum(losses, guess), guess


def _cut(model: Any, test: Float[ndarray, "b e"], depths: list[int]) -> Float[ndarray, "m b v"]:
    """The mean over trees of what each says of the test rows where it is cut at each depth: shares, or one value."""
    total = np.zeros((len(depths), len(test), model.estimators_[0].tree_.value.shape[2]))
    test = np.ascontiguousarray(test, dtype=np.float32)
    for tree in (estimator.tree_ for estimator in model.estimators_):
        node, depth = np.zeros(len(test), dtype=np.int64), 0
        for place, wanted in enumerate(depths):
            while depth < wanted:
                inner = np.flatnonzero(tree.children_left[node] >= 0)
                if not len(inner):
                    break
                here = node[inner]
                left = test[inner, tree.feature[here]] <= tree.threshold[here]
                node[inner] = np.where(left, tree.children_left[here], tree.children_right[here])
                depth += 1
            total[place] += tree.value[node, 0]
    return total / len(model.estimators_)

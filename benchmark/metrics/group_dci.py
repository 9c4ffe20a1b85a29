"""DCI of groups of codes: from how much of each group a model uses to predict each factor."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.metrics._check import check_codes
from benchmark.metrics._declare import Pieces, metric
from benchmark.metrics._groups import columns_of, summed
from benchmark.metrics._settings import Count
from benchmark.metrics._split import Split
from benchmark.metrics._trees import Fit, check_installed, compute
from benchmark.metrics.dci import Model, fits_of_factors, scores_of


@dataclass(frozen=True)
class GroupFit(Fit):
    """A fit that says which columns belong together: of the fit's value that decides nothing, so `dci` shares it."""

    groups: tuple[tuple[int, ...], ...] = ()


def fits_of_groups(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    groups: Num[ndarray, " e"] | None = None,
    *,
    model: Model = "gradient_boosting",
    train: int = 10_000,
    test: int = 5_000,
    seed: int = 0,
    split: Split | None = None,
) -> list[GroupFit]:
    """The fits of `dci`, each with the columns of every group."""
    together = tuple(tuple(columns.tolist()) for columns in columns_of(groups, check_codes(codes).shape[1]))
    found = fits_of_factors(codes, factors, model=model, train=train, test=test, seed=seed, split=split)
    return [GroupFit(**{each.name: getattr(fit, each.name) for each in fields(fit)}, groups=together) for fit in found]


def compute_fit(
    codes: Float[ndarray, "n d"], factors: Num[ndarray, "n k"], groups: Num[ndarray, " e"] | None, fit: GroupFit
) -> dict[str, Any]:
    """The value of a fit, which `dci` computes alike."""
    return compute(codes, factors, fit)


def combine(parts: list[GroupFit], values: list[dict[str, Any]]) -> dict[str, float]:
    """The scores of the groups that have a column which varies over the training rows."""
    importance = np.array([value["importances"] for value in values]).T
    live = set(values[0]["columns"])
    groups = [np.array(columns) for columns in parts[0].groups if live & set(columns)]
    table = summed(importance, groups) if groups else np.zeros((0, len(parts)))
    disentanglement, completeness = scores_of(table)
    accuracy = [value["accuracy"] for value in values]
    scores = {
        "group_disentanglement": disentanglement,
        "group_completeness": float(completeness.mean()),
        "group_informativeness": float(np.mean(accuracy)),
    }
    return scores | {
        f"group_completeness_factor_{part.factor}": float(complete)
        for part, complete in zip(parts, completeness, strict=True)
    }


PIECES = Pieces(parts=fits_of_groups, compute=compute_fit, combine=combine)


@metric(
    headline="group_disentanglement",
    also=("group_completeness", "group_informativeness"),
    supervised=True,
    rows="all",
    representations=("mean",),
    judges="groups",
    quick={"train": 100, "test": 1_000},
    trial={"model": "lasso", "train": 150, "test": 150},
    cost=600.0,
    invariances=("permutation", "sign", "scale"),
    installed=check_installed,
    pieces=PIECES,
)
def group_dci(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    groups: Num[ndarray, " e"] | None = None,
    *,
    model: Model = "gradient_boosting",
    train: Count = 10_000,
    test: Count = 5_000,
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """DCI (Eastwood & Williams 2018) over groups of codes: R_gj, the importance of group g for factor j, is summed.

    R_gj = Σ R_ij over the columns i of group g, R_ij as in `dci`, whose fits these are; disentanglement, completeness
    and informativeness as there, with groups in place of codes: completeness is to the base of the number of groups,
    and a group all of whose columns are constant over the training rows is not counted. `groups` gives the group of
    each column in whole numbers; without it each column is one of its own and the scores are those of `dci`.

    Returns `group_disentanglement`, `group_completeness`, `group_informativeness` (that of `dci`, which groups do not
    change) and `group_completeness_factor_I`, in [0, 1], higher is better.
    Cost: that of `dci`, and nothing where that is scored too: the fits are shared.
    Blind to what `dci` is blind to, and to how a factor lies within its group. A rotation inside a group is not without
    effect: trees split along columns and the lasso weighs them, so that a rotated group can win or lose importance;
    `group_readout` and `group_mig` are exact there. With groups of unequal size the larger have more to be used for.
    Others: published tables of vector-valued models reduce each group to its first principal component and score that,
    which throws away what the other components hold. Sums over groups are our definition, no paper's.
    Raises what `dci` raises, and `UsageError` on groups that are no whole number for each column.
    """
    return PIECES.whole(codes, factors, groups, model=model, train=train, test=test, seed=seed, split=split)

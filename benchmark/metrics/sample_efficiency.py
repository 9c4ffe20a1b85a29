"""How well boosted trees predict each factor from the mean code with 10 to 10,000 labels, and how few suffice."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._check import check_codes, check_factors, classes, is_discrete, need_rows, varying_factors
from benchmark.metrics._declare import Pieces, metric

FEW, MANY = 100, 10_000
"""M's sample efficiency is the ratio of the accuracies at these numbers of labels."""

Split = tuple[Integer[ndarray, " a"], Integer[ndarray, " b"]]


@dataclass(frozen=True)
class Fit:
    """One classifier to train and test: a factor, and rows of the table."""

    factor: int
    train: Integer[ndarray, " budget"]
    test: Integer[ndarray, " test"]
    seed: int


def fits(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    budgets: Sequence[int] = (10, 100, 1_000, 10_000),
    test: int = 5_000,
    seed: int = 0,
    split: Split | None = None,
) -> list[Fit]:
    """The fits of every factor at every budget, most costly first. Smaller budgets are the first of larger ones."""
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    if not budgets or min(budgets) < 1 or test < 1:
        raise UsageError(f"budgets = {tuple(budgets)} and test = {test} must be positive")
    varying = varying_factors(factors)
    for k in varying:
        if not is_discrete(factors[:, k]):
            raise NotApplicable(f"factor {k} is continuous: the downstream task is a classification")
    largest = max(budgets)
    if split is None:
        need_rows(len(codes), largest + test, f"training on {largest:,} and testing on {test:,} others")
        rows = np.random.default_rng(seed).permutation(len(codes))[: largest + test]
        split = rows[test:], rows[:test]
    training, testing = split
    if np.intersect1d(training, testing).size:
        raise UsageError("split: training and test rows overlap")
    need_rows(len(training), largest, "the training rows of the split: the largest budget")
    need_rows(len(testing), 1, "the test rows of the split: a test")
    return [Fit(k, training[:budget], testing, seed) for budget in sorted(budgets, reverse=True) for k in varying]


def fit_accuracy(codes: Float[ndarray, "n d"], factors: Num[ndarray, "n k"], fit: Fit) -> float:
    """The test accuracy of one fit."""
    from sklearn.ensemble import GradientBoostingClassifier

    labels = classes(factors[:, fit.factor])
    known, asked = labels[fit.train], labels[fit.test]
    if (known == known[0]).all():
        return float((asked == known[0]).mean())
    # A column without a split still enters the random order in which equally good splits are tried.
    useful = np.ptp(codes[fit.train], axis=0) > 0
    if not useful.any():
        return float((asked == np.bincount(known).argmax()).mean())
    with warnings.catch_warnings():
        # At 10 labels of a factor of 40 values scikit-learn suspects a regression problem.
        warnings.filterwarnings("ignore", message="The number of unique classes", category=UserWarning)
        classifier = GradientBoostingClassifier(random_state=fit.seed).fit(codes[fit.train][:, useful], known)
    return float((classifier.predict(codes[fit.test][:, useful]) == asked).mean())


def combine(parts: list[Fit], values: list[float]) -> dict[str, float]:
    """Mean accuracies over factors, each factor's, and the ratio where both its budgets are there and it is defined."""
    scores: dict[str, float] = {}
    budgets = sorted({len(part.train) for part in parts})
    for budget in budgets:
        here = {p.factor: value for p, value in zip(parts, values, strict=True) if len(p.train) == budget}
        scores[f"accuracy_at_{budget}"] = float(np.mean(list(here.values())))
        scores |= {f"accuracy_at_{budget}_factor_{factor}": value for factor, value in here.items()}
    scores["accuracy"] = scores[f"accuracy_at_{budgets[-1]}"]
    if {FEW, MANY} <= set(budgets) and scores[f"accuracy_at_{MANY}"] > 0:
        scores["sample_efficiency"] = scores[f"accuracy_at_{FEW}"] / scores[f"accuracy_at_{MANY}"]
    return scores


PIECES = Pieces(parts=fits, compute=fit_accuracy, combine=combine)


@metric(
    headline="accuracy",
    supervised=True,
    rows="all",
    representations=("mean",),
    quick={"budgets": (10, 100), "test": 1_000},
    invariances=("permutation", "sign", "scale"),
    pieces=PIECES,
)
def sample_efficiency(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    budgets: tuple[int, ...] = (10, 100, 1_000, 10_000),
    test: int = 5_000,
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """The downstream task and its sample efficiency (M §5.6, after Locatello et al. 2019).

    scikit-learn's GradientBoostingClassifier with its defaults learns each factor from the mean code with each number
    of labels in `budgets`, and is tested on `test` other rows. Rows are drawn by `seed` from all rows without
    replacement, the same for all factors, smaller training sets being the first of larger ones; or `split` =
    (train rows, test rows) gives them. Where a draw shows one class only, that class is predicted; classes that a
    draw does not show are mistakes. Constant factors are dropped. Sample efficiency = accuracy at 100 labels over
    accuracy at 10,000.

    Returns `accuracy_at_N`, `accuracy_at_N_factor_I`, `accuracy` (that at the largest budget: the headline), in
    [0, 1], and, where 100 and 10,000 are among the budgets, `sample_efficiency`; higher is better.
    Cost: trees are fitted per class and round: 100 s with five factors up to 1,000 labels, 10 minutes at 10,000.
    `declaration.pieces` lists the fits for the evaluation to spread out, most costly first.
    Blind to how the information is arranged wherever trees find it; the ratio alone also rewards codes that are as
    useless with many labels as with few.
    Others: the histogram-based boosting predicts one class at 10 labels (0.39 against 0.69) and is no stand-in;
    LightGBM is another learner, hence another protocol.
    Raises `NotApplicable` with fewer rows than the largest budget and the test need together, on continuous factors
    and without a factor that varies; `UsageError` on unusable input.
    """
    return PIECES.whole(codes, factors, budgets=budgets, test=test, seed=seed, split=split)

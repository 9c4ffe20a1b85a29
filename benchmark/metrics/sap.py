"""Separated attribute predictability: how far the best single code of each factor is ahead of the second best."""

from __future__ import annotations

from typing import Literal

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._check import (
    check_codes,
    check_factors,
    is_discrete,
    need_few_classes,
    varying_codes,
    varying_factors,
)
from benchmark.metrics._declare import metric
from benchmark.metrics._disentanglement_lib import determination, is_asked
from benchmark.metrics._linear_machine import linear_machines, predicted
from benchmark.metrics._settings import Count, Definition, Positive
from benchmark.metrics._split import Split, learning_rows
from benchmark.metrics.linear_separability import standardised

Kind = Literal["discrete", "continuous"]


@metric(
    supervised=True,
    rows="all",
    quick={"train": 1_000, "test": 1_000},
    trial={"train": 600, "test": 300},
    cost=0.5,
    invariances=("permutation", "sign"),
    later=("definition",),
    applies={
        **dict.fromkeys(("c", "balanced", "scaled"), ("kind", "discrete")),
        **dict.fromkeys(("train", "test"), (("kind", "discrete"), ("definition", "disentanglement_lib"))),
    },
)
def sap(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    kind: Kind = "discrete",
    c: Positive = 0.01,
    balanced: bool = True,
    scaled: bool = False,
    train: Count = 10_000,
    test: Count = 5_000,
    definition: Definition = "default",
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """The SAP score of Kumar et al. 2018 (§3).

    mean over factors k of S_jk − S_lk, j and l the codes with the highest and the second highest S.
    `kind` = "discrete": S is the accuracy on `test` rows of a linear support vector machine (squared hinge, L2 on
    slope and intercept, one value against the rest; if `balanced`, a value's own rows weigh n / (values · its rows),
    and with two values both sides do), learnt from that single code on `train` rows. "continuous":
    S = Cov(z_j, v_k)² / (Var z_j · Var v_k) over every row given; no random choices. Codes enter as they are, or
    standardised over the training rows if `scaled`.
    Constant factors and codes are dropped; by `definition` = "disentanglement_lib" constant codes stay, whose machines
    predict one value, and "continuous" takes the training rows alone, of which codes of variance up to 1e-12 have
    S = 0. With a single code left, S_lk is what no code offers, the accuracy of the
    most frequent training value or 0, and the gap at least 0; with none left the score is 0. Where the training rows
    show one value only it is predicted, so the gap is 0; values that they do not show are mistakes.

    Returns `sap` and `sap_factor_I`, in [0, 1], higher is better. Of many values on one axis linear machines tell few
    apart, so perfect codes on the grid of dSprites score 0.25; "continuous", 1.0.
    Cost: 0.3 s on 10,000 × 10 codes with five factors; "continuous" 2 ms.
    Blind to a code that holds several factors, and to what a line does not read: any even function of a factor, by R².
    The penalty makes it depend on scale and offset unless `scaled`: perfect codes times 0.02, or plus 100, score 0.12.
    Others: the paper fits thresholds to each code, on the test rows, and scores balanced accuracy; published code
    takes this machine with these settings instead, and keeps constant codes (`definition`).
    Raises `NotApplicable` on fewer than `train` + `test` rows or on continuous factors where `kind` is "discrete", and
    without a factor that varies; `UsageError` on unusable input.
    """
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    varying = varying_factors(factors)
    theirs = is_asked(definition)
    codes = (codes if theirs else codes[:, varying_codes(codes)]).astype(np.float64)
    if kind == "continuous" and theirs:
        training, _ = learning_rows(len(codes), train, test, seed, split)
        known = codes[training]
        found = {k: (determination(known, factors[training, k]), 0.0) for k in varying}
    elif kind == "continuous":
        found = {k: (_determination(codes, factors[:, k]), 0.0) for k in varying}
    elif kind == "discrete":
        for k in varying:
            if not is_discrete(factors[:, k]):
                raise NotApplicable(f'factor {k} is continuous: it has no classes; use kind = "continuous"')
        need_few_classes(factors, varying)
        training, testing = learning_rows(len(codes), train, test, seed, split)
        known, asked = codes[training], codes[testing]
        if scaled:
            known, asked = standardised(known, asked)
        found = {k: _accuracies(known, asked, factors[training, k], factors[testing, k], c, balanced) for k in varying}
    else:
        raise UsageError(f'kind = {kind!r}: "discrete" or "continuous"')
    scores = {}
    for k, (ability, floor) in found.items():
        best, second = (*sorted(ability, reverse=True), floor, floor)[:2]
        # The balanced machine can fall short of the most frequent value, where there is no second code to do so too.
        scores[f"sap_factor_{k}"] = max(0.0, float(best - second))
    return {"sap": float(np.mean(list(scores.values()))), **scores}


def _determination(codes: Float[ndarray, "n d"], factor: Num[ndarray, " n"]) -> list[float]:
    """The squared correlation of each code with the factor."""
    codes, values = codes - codes.mean(axis=0), factor - factor.mean(dtype=np.float64)
    codes /= np.abs(codes).max(axis=0)
    values /= np.abs(values).max()
    return list((values @ codes) ** 2 / ((values @ values) * (codes**2).sum(axis=0)))


def _accuracies(
    train: Float[ndarray, "a d"],
    test: Float[ndarray, "b d"],
    known: Num[ndarray, " a"],
    asked: Num[ndarray, " b"],
    c: float,
    balanced: bool,
) -> tuple[list[float], float]:
    """Each code's test accuracy, and that of always predicting the most frequent training value."""
    values, labels = np.unique(known, return_inverse=True)
    floor = float((asked == values[np.bincount(labels).argmax()]).mean())
    if len(values) == 1:
        return [floor] * train.shape[1], floor
    guesses = (
        predicted(new, *linear_machines(learnt, labels, c, balanced=balanced))
        for learnt, new in zip(train.T, test.T, strict=True)
    )
    return [float((values[guess] == asked).mean()) for guess in guesses], floor

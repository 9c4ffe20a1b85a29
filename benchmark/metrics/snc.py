"""Single-neuron classification: how well each factor is read from the one code that is assigned to it, by intervals."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray

from benchmark.errors import NotApplicable
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
from benchmark.metrics._information import TIED, entropy, equal_width, mutual_information
from benchmark.metrics._settings import Bins, Count
from benchmark.metrics._split import Split, learning_rows


@metric(
    supervised=True,
    rows="all",
    quick={"train": 1_000, "test": 1_000},
    trial={"train": 600, "test": 300},
    invariances=("permutation", "sign", "scale"),
    version=3,
)
def snc(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    bins: Bins = 20,
    train: Count = 10_000,
    test: Count = 5_000,
    seed: int = 0,
    split: Split | None = None,
) -> dict[str, float]:
    """Single-neuron classification of Mahon et al. 2023 (Correcting flaws in common disentanglement metrics).

    Each factor gets a code of its own, by the assignment with the largest sum of mutual informations over the training
    rows (codes in `bins` bins of equal width), of equal sums the one with the least entropies of codes. That code is
    cut in as many intervals of equal frequency as the factor has values in the training rows, as nearly as can be,
    since equal codes stay together; each value gets an interval of its own, by the assignment that is right for most
    training rows, and the score is the share of test rows that are right, averaged over factors. A factor without a
    code of its own, as there are fewer codes than factors, is read by its most frequent training value; where the
    training rows show one value it is predicted; values that they do not show are mistakes. `train` and `test` rows are
    drawn by `seed`, or `split` = (train rows, test rows) gives them. Constant factors and codes are dropped.

    Returns `snc` and `snc_factor_I`, in [0, 1], higher is better. Noise scores 1 / values for each factor, however
    frequent these are, a factor without a code of its own the share of its most frequent value. On the grid of dSprites
    perfect codes score 1, random rotations of them about 0.3, noise 0.12.
    Cost: 0.3 s on 10,000 × 10 codes with five factors, 5 s on 1,000 codes with ten.
    Blind to what the other codes hold, `nk` is not; intervals of equal frequency misread values that are not equally
    frequent. Version 1 cut a value's equal codes off as a whole where the draw had more of it than an interval: perfect
    codes scored 0.83. Version 2 left equal sums to the order of the codes.
    Others: the authors' code estimates information from a resampled density and reports single factors; whether their
    table subtracts chance could not be confirmed, and here it is not.
    Raises `NotApplicable` on too few rows, on continuous factors, on one of over 1,000 values and without a factor that
    varies; `UsageError` on unusable input.
    """
    codes, factors, varying, (training, testing) = prepared(codes, factors, train, test, seed, split)
    own = own_codes(codes[training], factors[training], varying, bins)
    scores = {}
    for k in varying:
        labels = classes(factors[:, k])
        known, asked = labels[training], labels[testing]
        if k in own and known.min() != known.max():
            guesses = _read(codes[training, own[k]], known, codes[testing, own[k]])
        else:
            guesses = np.full(len(asked), np.bincount(known).argmax())
        scores[f"snc_factor_{k}"] = float((guesses == asked).mean())
    return {"snc": float(np.mean(list(scores.values()))), **scores}


def prepared(
    codes: Float[ndarray, "n d"], factors: Num[ndarray, "n k"], train: int, test: int, seed: int, split: Split | None
) -> tuple[Float[ndarray, "n e"], Num[ndarray, "n k"], list[int], Split]:
    """Codes that vary over the training rows, factors, those that vary, and the rows.

    Raises what both measures of single codes do.
    """
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    varying = varying_factors(factors)
    for k in varying:
        if not is_discrete(factors[:, k]):
            raise NotApplicable(f"factor {k} is continuous: it has no classes to tell apart")
    need_few_classes(factors, varying)
    rows = learning_rows(len(codes), train, test, seed, split)
    return codes[:, varying_codes(codes[rows[0]])], factors, varying, rows


def own_codes(
    codes: Float[ndarray, "a e"], factors: Num[ndarray, "a k"], varying: list[int], bins: int
) -> dict[int, int]:
    """The code of each factor under the assignment of most information; fewer codes leave factors without one."""
    from scipy.optimize import linear_sum_assignment

    if not codes.shape[1]:
        return {}
    binned = equal_width(codes, bins).T
    labels = [classes(factors[:, k]) for k in varying]
    shared = np.array([[mutual_information(code, label) for label in labels] for code in binned])
    # Codes that determine a factor have the same information of it up to rounding; the coarsest says nothing else.
    shared -= TIED * np.array([entropy(code) for code in binned])[:, None]
    chosen, places = linear_sum_assignment(shared, maximize=True)
    return {varying[place]: int(code) for code, place in zip(chosen, places, strict=True)}


def _read(
    train: Float[ndarray, " a"], known: Integer[ndarray, " a"], test: Float[ndarray, " b"]
) -> Integer[ndarray, " b"]:
    """The value of the interval that each test row falls in."""
    from scipy.optimize import linear_sum_assignment

    values, labels = np.unique(known, return_inverse=True)
    ordered = np.sort(train)
    steps = np.flatnonzero(np.diff(ordered)) + 1
    wanted = (np.arange(1, len(values)) * len(train)) // len(values)
    edges = ordered[steps[np.abs(steps - wanted[:, None]).argmin(axis=1)]]
    counts = np.zeros((len(values), len(values)), dtype=np.int64)
    np.add.at(counts, (np.searchsorted(edges, train, side="right"), labels), 1)
    intervals, places = linear_sum_assignment(counts, maximize=True)
    value_of = np.empty(len(values), dtype=np.int64)
    value_of[intervals] = values[places]
    return value_of[np.searchsorted(edges, test, side="right")]

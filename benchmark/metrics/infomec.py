"""InfoMEC: modularity and compactness of codes from normalised information, explicitness from linear probes."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray

from benchmark.errors import NotApplicable, UsageError
from benchmark.metrics._check import (
    check_codes,
    check_factors,
    classes,
    is_discrete,
    need_few_classes,
    need_few_codes,
    need_rows,
    varying_codes,
    varying_factors,
)
from benchmark.metrics._declare import metric
from benchmark.metrics._information import MINIMUM_ROWS, entropy, equal_width, factor_classes, mutual_information
from benchmark.metrics._multinomial import least_log_loss
from benchmark.metrics._settings import Bins, ShareBelowOne

Estimator = Literal["histogram", "neighbours"]

FAR = 20.0
"""Deviations from the mean. Beside a row so far away the others' gradients are small long before the optimum."""

PROMISED = 1e-3
"""How near to the best probe's share of the entropy InfoE lies."""

MOST_WEIGHTS = 3_000
"""Of a probe that Newton's steps are taken for, which need their square."""

MOST_CODES = 500
"""That vary: the probes converge within minutes."""

NOTHING = 1e-9
"""Normalised information below this is rounding of none."""


@metric(
    headline="infom",
    also=("infoc", "infoe"),
    supervised=True,
    minimum_rows=MINIMUM_ROWS,
    invariances=("permutation", "sign"),
    cost=1.0,
)
def infomec(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    *,
    estimator: Estimator = "histogram",
    bins: Bins = 20,
    prune: ShareBelowOne = 0.05,
    seed: int = 0,
) -> dict[str, float]:
    """InfoModularity, InfoCompactness and InfoExplicitness (Hsu et al. 2023; again Hsu et al. 2024).

    With N_kj = I(z_j; v_k) / H(v_k) over the k factors and the d codes that are active, those whose range is above
    `prune` of the largest:
    `infom` = (mean over j of max_k N_kj / Σ_k N_kj − 1/k) / (1 − 1/k),
    `infoc` = (mean over k of max_j N_kj / Σ_j N_kj − 1/d) / (1 − 1/d),
    `infoe` = mean over k of (H_V(v_k) − H_V(v_k | z)) / H_V(v_k), the share of a factor that linear probes predict.
    H_V(v | z) is the least mean log loss of an unpenalised multinomial logistic regression on the standardised codes,
    pruned ones too, and H_V(v) = H(v); for a continuous factor both are squared errors, the share is R². The probes
    are fitted to the points that they are judged on, as predictive V-information is defined on a sample. Where codes
    separate classes their weights have no finite optimum: they stop at a gradient below 1e-4, within 0.001 of 1, and
    within 0.005 for factors of many values that are rotated among codes of noise. Where a row lies over 20 deviations
    from a code's mean that gradient is no sign of the optimum: Newton's steps on codes in units of their median
    deviation go on (with up to 3,000 weights), and count where they are over 0.001 better.
    I is taken from `bins` bins of equal width a code (`estimator` = "histogram"), or from 10 nearest neighbours
    ("neighbours"); continuous factors enter I in 20 bins of equal frequency. A code, or a factor, without information
    shares equally, 1/k or 1/d. A code less than a millionth of a bin below an edge counts as on it. `seed` matters to
    "neighbours" alone.

    Returns `infom`, `infoc`, `infoe`, in [0, 1], higher is better; no `infom` with one factor and no `infoc` with one
    active code, where each is 0/0. Constant factors and codes are dropped.
    Cost: 0.2 to 2 s on 10,000 × 10 codes with five factors, the probes, most on rotated codes of factors of many
    values. Small information is biased upwards by about (bins − 1)(values − 1)/(2n), more for factors of many values:
    noise has `infom` above 0.
    On the grid of dSprites `infom` of perfect codes is 0.98, of random rotations 0.33–0.58, of noise 0.14.
    Blind to how much a code knows: `infom` counts a code of little information like one of much, so codes of noise
    that are not pruned lower it. `infoe` sees no rotation, and only linear readability. Scale matters through `prune`.
    Others: the paper's code treats quantised codes apart (their values as classes, one-hot to the probes) and takes
    "neighbours" for continuous ones, which is wrong on nearly constant codes and, as estimates below 0 are cut, gives
    noise an `infom` of 0.7; later code prunes at 0.1 of the range or of the interquartile range. It stops the probes at
    100 steps and weighs classes equally, which makes H_V(v) the log of the number of classes.
    Raises `NotApplicable` below 1,000 points, on more than 500 codes, without a factor or without a code that varies,
    `UsageError` on unusable input.
    """
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    if estimator not in ("histogram", "neighbours"):
        raise UsageError(f'estimator = {estimator!r}: "histogram" or "neighbours"')
    if not 0.0 <= prune < 1.0:
        raise UsageError(f"prune = {prune} must be a share of the largest range: at least 0, below 1")
    need_rows(len(codes), MINIMUM_ROWS, "mutual information from counts")
    varying = varying_factors(factors)
    need_few_classes(factors, varying)
    codes = codes[:, varying_codes(codes)].astype(np.float64)
    if not codes.shape[1]:
        raise NotApplicable("no code varies")
    why = "probes without a penalty take minutes to converge, and fit anything"
    need_few_codes(codes.shape[1], MOST_CODES, why, "med and snc take more")
    ranges = np.ptp(codes, axis=0)
    active = codes[:, ranges > prune * ranges.max()]
    labels = [factor_classes(factors[:, k]) for k in varying]
    if estimator == "histogram":
        information = [[mutual_information(code, label) for code in equal_width(active, bins).T] for label in labels]
    else:
        information = _by_neighbours(active, labels, seed)
    normalised = np.array(information) / np.array([[entropy(label)] for label in labels])
    scores = {"infom": _concentration(normalised.T), "infoc": _concentration(normalised)}
    standardised = _standardised(codes)
    explicit = [_explicitness(standardised, factors[:, k]) for k in varying]
    return {name: value for name, value in scores.items() if value is not None} | {"infoe": float(np.mean(explicit))}


def _concentration(table: Float[ndarray, "a b"]) -> float | None:
    """How far each row's sum is in its largest entry: mean over rows, 0 for equal entries, None for one column."""
    choices = table.shape[1]
    if choices == 1:
        return None
    table = np.where(table < NOTHING, 0.0, table)
    total = table.sum(axis=1)
    share = np.where(total > 0, table.max(axis=1) / np.where(total > 0, total, 1.0), 1.0 / choices)
    return max(0.0, float((share.mean() - 1.0 / choices) / (1.0 - 1.0 / choices)))


def _by_neighbours(active: Float[ndarray, "n d"], labels: list[ndarray], seed: int) -> list[list[float]]:
    from sklearn.feature_selection import mutual_info_classif

    settings = {"discrete_features": False, "n_neighbors": 10, "random_state": seed}
    return [mutual_info_classif(_standardised(active), label, **settings).tolist() for label in labels]


def _standardised(codes: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    centred = codes - codes.mean(axis=0)
    # Divided by the largest value first: squares of codes below 1e-154 would vanish.
    centred /= np.abs(centred).max(axis=0)
    return centred / centred.std(axis=0)


def _explicitness(codes: Float[ndarray, "n d"], factor: Num[ndarray, " n"]) -> float:
    """The share of a factor's entropy, or of a continuous one's variance, that the best linear probe removes."""
    if not is_discrete(factor):
        residual = factor - factor.mean()
        fitted = codes @ np.linalg.lstsq(codes, residual)[0]
        return max(0.0, float(1.0 - ((residual - fitted) ** 2).sum() / (residual**2).sum()))
    labels = classes(factor)
    total = entropy(labels)
    loss = least_log_loss(codes, labels)
    if np.abs(codes).max() > FAR and (codes.shape[1] + 1) * (int(labels.max()) + 1) <= MOST_WEIGHTS:
        least = _loss_after_newton(_robustly_scaled(codes), labels)
        loss = least if least < loss - PROMISED * total else loss
    return min(1.0, max(0.0, 1.0 - loss / total))


def _loss_after_newton(codes: Float[ndarray, "n d"], labels: Integer[ndarray, " n"]) -> float:
    """The mean log loss that at most 200 of Newton's steps reach."""
    from scipy.linalg import LinAlgWarning
    from scipy.special import logsumexp
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # Newton's steps say so where classes are separable; what they reach is compared, not trusted.
        warnings.simplefilter("ignore", (ConvergenceWarning, LinAlgWarning))
        probe = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8, max_iter=200).fit(codes, labels)
    odds = probe.decision_function(codes)
    if odds.ndim == 1:
        odds = np.stack([np.zeros_like(odds), odds], axis=1)
    return float((logsumexp(odds, axis=1) - odds[np.arange(len(labels)), labels]).mean())


def _robustly_scaled(codes: Float[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    """Less the median, over the median distance from it, or the mean one where half of the rows are equal."""
    centred = codes - np.median(codes, axis=0)
    distance = np.abs(centred)
    middle = np.median(distance, axis=0)
    return centred / np.where(middle > 0, middle, distance.mean(axis=0))

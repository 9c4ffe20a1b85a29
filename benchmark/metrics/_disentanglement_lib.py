"""What disentanglement_lib computes where our measures choose otherwise: the numbers that papers of 2019–2026 print.

Locatello et al. 2019, "Challenging common assumptions in the unsupervised learning of disentangled representations",
and its public code, whose definitions were read and are written anew here. A measure with a setting `definition` takes
them under "disentanglement_lib". What the library cannot score (a constant factor, a single code, classes that a draw
does not show) is treated as the measure's own definition treats it, where the library divides by zero or stops.
"""

from __future__ import annotations

import warnings
from typing import get_args

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray

from benchmark.errors import UsageError
from benchmark.metrics._settings import Definition

TINY = 1e-11
"""Added to every importance before its entropy is taken."""

FLAT = 1e-12
"""A code of no more variance than this has no correlation with a factor."""


def is_asked(definition: Definition) -> bool:
    """Whether the library's definition is asked for. Raises `UsageError` on one that is not known."""
    if definition not in get_args(Definition):
        raise UsageError(f"definition = {definition!r}: {' or '.join(map(repr, get_args(Definition)))}")
    return definition == "disentanglement_lib"


def histogram_bins(codes: Num[ndarray, "n d"], bins: int) -> Integer[ndarray, "n d"]:
    """Each code (or factor) in `bins` bins of equal width over its range, between the edges of `numpy.histogram`.

    Edges are in the codes' own precision and taken as they are: a value that rounding puts below one stays there.
    A constant code has one bin.
    """
    return np.stack([np.digitize(code, _edges(code, bins)[:-1]) for code in codes.T], axis=1)


def _edges(values: Num[ndarray, " n"], bins: int) -> Num[ndarray, " e"]:
    """The edges that `numpy.histogram` has, which refuses values whose range is too narrow for their precision."""
    values = values if values.dtype.kind == "f" else values.astype(np.float64)
    return np.linspace(values.min(), values.max(), bins + 1, dtype=values.dtype)


def class_probabilities(
    train: Float[ndarray, "a d"], labels: Integer[ndarray, " a"], test: Float[ndarray, "b d"], c: float
) -> Float[ndarray, "b v"]:
    """What one softmax regression of all classes says of the test rows (scikit-learn's, at most 100 iterations)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopping there is the protocol
        return LogisticRegression(C=c, max_iter=100).fit(train, labels).predict_proba(test)


def determination(codes: Float[ndarray, "n d"], factor: Num[ndarray, " n"]) -> list[float]:
    """The squared correlation of each code with the factor; 0 of a code whose variance is at most 1e-12."""
    codes, values = codes - codes.mean(axis=0), factor - factor.mean(dtype=np.float64)
    squares, free = (codes**2).sum(axis=0), len(codes) - 1
    alive = (squares > FLAT * free) & (values @ values > 0)
    shared = (values @ codes) ** 2
    return list(np.where(alive, shared / np.where(alive, squares * (values @ values), 1.0), 0.0))


def dci_scores(importance: Float[ndarray, "d k"]) -> tuple[float, Float[ndarray, " k"], float]:
    """Disentanglement, and the completeness of each factor and of all.

    Codes and factors weigh by their importance, and constant codes are counted. Entropies are those of the importances
    plus 1e-11; where nothing has importance all weigh the same.
    """
    weights = importance if importance.sum() > 0 else np.ones_like(importance)
    weights = weights / weights.sum()
    disentanglement = weights.sum(axis=1) @ _concentration(importance)
    complete = _concentration(importance.T)
    return float(disentanglement), complete, float(weights.sum(axis=0) @ complete)


def _concentration(weights: Float[ndarray, "r c"]) -> Float[ndarray, " r"]:
    """1 − the entropy of each row, to the base of its length."""
    share = weights + TINY
    share /= share.sum(axis=1, keepdims=True)
    return 1.0 + (share * np.log(share)).sum(axis=1) / np.log(max(weights.shape[1], 2))


def robustness(
    codes: Float[ndarray, "n d"], factors: Num[ndarray, "n k"], quantile: float, bins: int = 20
) -> tuple[Float[ndarray, " d"], Float[ndarray, " d"]]:
    """IRS of each code, and its weight: the largest deviation from its mean. No code may be constant.

    Factors enter in `bins` bins of equal width, which count alike however many rows they hold; every row is a
    combination of its own. IRS = 1 − the mean over bins of the `quantile` of deviations within a bin / that largest.
    """
    largest = np.abs(codes - codes.mean(axis=0)).max(axis=0)
    best = np.full(codes.shape[1], -np.inf)
    for column in histogram_bins(factors, bins).T:
        groups = [codes[column == value] for value in np.unique(column)]
        left = [np.quantile(np.abs(group - group.mean(axis=0)), quantile, axis=0) for group in groups]
        best = np.maximum(best, 1.0 - np.mean(left, axis=0) / largest)
    return best, largest

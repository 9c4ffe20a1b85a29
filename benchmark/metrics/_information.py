"""Discrete entropy and mutual information from counts, in nats, shared by the histogram-based measures."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer, Num
from numpy import ndarray

from benchmark.errors import NotApplicable, ScoreWarning, UsageError
from benchmark.metrics._check import check_codes, check_factors, classes, is_discrete, need_rows, varying_factors

MINIMUM_ROWS = 1_000
"""At n = 100 independent noise shows 1.6 nats of mutual information with a factor of 40 values."""

FACTOR_BINS = 20
"""How many equal-frequency bins a continuous factor enters in."""

MOST_BINS = 5_000
"""More bins than this are refused: they hold no rows, and take memory."""

MOST_CELLS = 2**26
"""Cells of a table of joint counts: half a gigabyte."""

CROWDED = 0.99
"""The share of rows in one bin from which the others are outliers that leave a histogram blind."""

TIED = 1e-9
"""Nats by which informations differ that are one: two codes that determine a factor have its entropy up to rounding."""

EDGE = 1e-6
"""A value this close (in bins) below an edge counts as on it, so that rescaling grid-valued codes moves none."""


def equal_width(codes: Float[ndarray, "n d"], bins: int) -> Integer[ndarray, "n d"]:
    """Each code in `bins` bins of equal width between its smallest and largest value; a constant code in one bin.

    A value less than `EDGE` of a bin below an edge counts as on it: without that, rescaling codes that take few values
    would move some of them into the next bin. A value on an edge is in the bin above, but for the largest: codes of few
    values whose steps divide a bin's width are binned otherwise when their sign is turned.
    """
    check_bins(bins)
    codes = codes.astype(np.float64)
    low = codes.min(axis=0)
    width = codes.max(axis=0) - low
    position = (codes - low) / np.where(width > 0, width, 1.0) * bins
    binned = np.minimum(np.floor(position + EDGE).astype(np.int64), bins - 1)
    for j, (code, column) in enumerate(zip(codes.T, binned.T, strict=True)):
        _warn_of_outliers(j, code, column)
    return binned


def check_bins(bins: int) -> None:
    """Raise `UsageError` on a number of bins that makes no sense."""
    if bins < 2:
        raise UsageError(f"bins = {bins}: a code in fewer than 2 bins holds nothing")
    if bins > MOST_BINS:
        raise UsageError(f"bins = {bins:,}: more than {MOST_BINS:,} bins hold hardly a row each")


def _warn_of_outliers(j: int, code: Float[ndarray, " n"], bins: Integer[ndarray, " n"]) -> None:
    """Warn where a few rows far away put all others, though they differ, into one bin of a code's histogram."""
    counts = np.bincount(bins)
    fullest = int(counts.argmax())
    if CROWDED * len(bins) <= counts[fullest] < len(bins) and np.ptp(code[bins == fullest]) > 0:
        outside = len(bins) - int(counts[fullest])
        warnings.warn(
            f"code {j}: {outside:,} of {len(bins):,} rows lie so far away that all others share one bin of its"
            " histogram; is it an outlier?",
            ScoreWarning,
            stacklevel=4,
        )


def factor_classes(factor: Num[ndarray, " n"]) -> Integer[ndarray, " n"]:
    """A discrete factor's values as they are, a continuous one in 20 bins of equal frequency.

    Of a factor whose smallest value is over nineteen twentieths of the rows, which one bin would hold with all others,
    these others are a bin of their own.
    """
    if is_discrete(factor):
        return classes(factor)
    edges = np.quantile(factor, np.arange(1, FACTOR_BINS) / FACTOR_BINS)
    binned = np.searchsorted(edges, factor, side="right")
    return classes(binned if np.ptp(binned) > 0 else np.searchsorted(edges, factor, side="left"))


def entropy(labels: Integer[ndarray, " n"]) -> float:
    """Entropy of non-negative integers."""
    share = np.bincount(labels) / len(labels)
    share = share[share > 0]
    return float(-(share * np.log(share)).sum())


def mutual_information(a: Integer[ndarray, " n"], b: Integer[ndarray, " n"]) -> float:
    """Mutual information of two columns of small non-negative integers, from their joint counts."""
    width = int(b.max()) + 1
    if (int(a.max()) + 1) * width > MOST_CELLS:
        raise NotApplicable(f"{int(a.max()) + 1:,} × {width:,} joint counts of {len(a):,} points are no estimate")
    joint = np.bincount(a.astype(np.int64) * width + b, minlength=(int(a.max()) + 1) * width).reshape(-1, width)
    return joint_information(joint / joint.sum())


def joint_information(share: Float[ndarray, "a b"]) -> float:
    """Mutual information of a row and a column drawn with probabilities `share`, which sum to 1."""
    independent = share.sum(axis=1, keepdims=True) * share.sum(axis=0)
    seen = share > 0
    return max(0.0, float((share[seen] * np.log(share[seen] / independent[seen])).sum()))


Binning = Callable[[ndarray, int], ndarray]
"""Codes (n d) and a number of bins to each code's bin."""


@dataclass(frozen=True)
class Information:
    """What codes and factors tell of each other.

    `factors` are the columns of the factors that vary, the others are left out; `shared` holds I(z_j; v_k), a row for
    each code and a column for each of `factors`; `code_entropy` is H(z_j), `factor_entropy` H(v_k). A constant code
    has a row of zeros.
    """

    factors: list[int]
    shared: Float[ndarray, "d k"]
    code_entropy: Float[ndarray, " d"]
    factor_entropy: Float[ndarray, " k"]


def histogram_information(
    codes: Float[ndarray, "n d"], factors: Num[ndarray, "n k"], bins: int, binned_by: Binning = equal_width
) -> Information:
    """From counts: each code in `bins` bins of equal width as `binned_by` fills them, factors as `factor_classes`
    gives them.

    Raises what measures raise on unusable input, on too few points and where no factor varies.
    """
    varying, binned, labels = binned_columns(codes, factors, bins, MINIMUM_ROWS, binned_by)
    return information(varying, binned, labels)


def binned_columns(
    codes: Float[ndarray, "n d"],
    factors: Num[ndarray, "n k"],
    bins: int,
    least: int,
    binned_by: Binning = equal_width,
) -> tuple[list[int], Integer[ndarray, "d n"], list[Integer[ndarray, " n"]]]:
    """The factors that vary, each code's bins, and each of those factors' classes.

    Raises what measures raise on unusable input, on fewer than `least` points and where no factor varies.
    """
    codes = check_codes(codes)
    factors = check_factors(factors, len(codes))
    need_rows(len(codes), least, "mutual information from counts")
    varying = varying_factors(factors)
    check_bins(bins)
    return varying, binned_by(codes, bins).T, [factor_classes(factors[:, k]) for k in varying]


def information(
    varying: list[int], binned: Integer[ndarray, "d n"], labels: list[Integer[ndarray, " n"]]
) -> Information:
    """What is counted of codes and factors in their bins and classes."""
    return Information(
        factors=varying,
        shared=np.array([[mutual_information(code, label) for label in labels] for code in binned]),
        code_entropy=np.array([entropy(code) for code in binned]),
        factor_entropy=np.array([entropy(label) for label in labels]),
    )


def gap(values: Float[ndarray, " m"]) -> float:
    """How far the largest value is above the second largest; above 0 where there is only one."""
    ordered = np.sort(values)
    return float(ordered[-1] - (ordered[-2] if len(ordered) > 1 else 0.0))

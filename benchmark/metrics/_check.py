"""Input that measures refuse, and what of the input carries no information: constant factors, constant codes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Integer, Num
from numpy import ndarray

from benchmark.errors import NotApplicable, TooFewPoints, UsageError
from benchmark.kinds import MOST_CLASSES


def check_table(table: Num[ndarray, "n d"], name: str) -> Float[ndarray, "n d"]:
    """`table` as floats, or `UsageError`: not two-dimensional, empty, not real numbers, NaN or infinite."""
    table = np.asarray(table)
    if table.ndim != 2:
        raise UsageError(f"{name} must be a table (points × coordinates), not an array of shape {table.shape}")
    if 0 in table.shape:
        raise UsageError(f"{name} of shape {table.shape} hold no values")
    if table.dtype.kind not in "fiu":
        raise UsageError(f"{name} must be real numbers, not {table.dtype}")
    if table.dtype.kind != "f":
        return table.astype(np.float64)
    if not np.isfinite(table).all():
        raise UsageError(f"{name} hold NaN or infinite values")
    return table


def check_codes(codes: Num[ndarray, "n d"]) -> Float[ndarray, "n d"]:
    return check_table(codes, "codes")


def check_posterior(
    means: Num[ndarray, "n d"], variances: Num[ndarray, "n d"]
) -> tuple[Float[ndarray, "n d"], Float[ndarray, "n d"]]:
    """Means and variances as floats, or `UsageError` where they are no diagonal Gaussians."""
    means, variances = check_table(means, "means"), check_table(variances, "variances")
    if means.shape != variances.shape:
        raise UsageError(f"variances of shape {variances.shape} do not fit means of shape {means.shape}")
    if variances.min() <= 0:
        raise UsageError("variances hold values that are not positive")
    return means, variances


def check_losses(losses: Num[ndarray, " r"], name: str) -> Float[ndarray, " r"]:
    """One loss a point in double precision, or `UsageError`."""
    if np.ndim(losses) > 1 and np.shape(losses)[1:] != (1,):
        raise UsageError(f"{name} of shape {np.shape(losses)} must be one loss a point, summed over its dimensions")
    return check_table(np.asarray(losses)[:, None] if np.ndim(losses) == 1 else losses, name)[:, 0].astype(np.float64)


def check_factors(factors: Num[ndarray, "n k"], n: int) -> Num[ndarray, "n k"]:
    """`factors` as they are, or `UsageError` where they do not fit n codes or hold NaN or infinite values."""
    factors = np.asarray(factors)
    if factors.ndim != 2 or len(factors) != n:
        raise UsageError(f"factors of shape {factors.shape} do not fit {n} codes")
    if factors.dtype.kind not in "fiub":
        raise UsageError(f"factors must be numbers, not {factors.dtype}; encode names as integers")
    if factors.dtype.kind == "f" and not np.isfinite(factors).all():
        raise UsageError("factors hold NaN or infinite values")
    return factors


def varying_factors(factors: Num[ndarray, "n k"]) -> list[int]:
    """The factors that take more than one value. Raises `NotApplicable` where none does."""
    varying = [k for k, column in enumerate(factors.T) if column.min() != column.max()]
    if not varying:
        raise NotApplicable("no factor takes more than one value" if factors.shape[1] else "no factors are known")
    return varying


def varying_codes(codes: Float[ndarray, "n d"]) -> Bool[ndarray, " d"]:
    """Which codes are not exactly constant. A computed standard deviation of a constant need not be zero."""
    return codes.min(axis=0) != codes.max(axis=0)


def is_discrete(factor: Num[ndarray, " n"]) -> bool:
    """Whether a factor is discrete: integers, or floats that are all whole (a column of a mixed table)."""
    return factor.dtype.kind != "f" or bool((factor == np.floor(factor)).all())


def classes(factor: Num[ndarray, " n"]) -> Integer[ndarray, " n"]:
    """A discrete factor's values renumbered 0, 1, … in ascending order."""
    return np.unique(factor, return_inverse=True)[1]


def need_few_classes(factors: Num[ndarray, "n k"], chosen: list[int]) -> None:
    """Raise `NotApplicable` where one of the chosen factors is discrete and has more values than can be fitted."""
    for k in chosen:
        if is_discrete(factors[:, k]) and (values := len(np.unique(factors[:, k]))) > MOST_CLASSES:
            raise NotApplicable(
                f"factor {k} has {values:,} values, and a model a value is fitted to at most {MOST_CLASSES:,}: group"
                " them, or take the factor as continuous"
            )


def need_few_codes(columns: int, most: int, why: str, way_out: str) -> None:
    """Raise `NotApplicable` where more codes are to be learned from than can be in a sensible time."""
    if columns > most:
        raise NotApplicable(f"{columns:,} codes are more than {most:,}: {why}; {way_out}")


def need_rows(n: int, minimum: int, why: str) -> None:
    """Raise `TooFewPoints`, which is `NotApplicable`, on fewer than `minimum` points."""
    if n < minimum:
        raise TooFewPoints(f"{n} points; {why} needs at least {minimum:,}", n)

"""Fixing one factor by look-up in the table, shared by the measures that intervene on factors."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from jaxtyping import Integer, Num
from numpy import ndarray

from benchmark.codes import FactorIndex
from benchmark.errors import NotApplicable
from benchmark.metrics._check import is_discrete, varying_factors
from benchmark.metrics._information import entropy, mutual_information

CHUNK = 1_000
"""Points computed at once: what is gathered for them stays in the processor's cache."""


def intervention_index(factors: Num[ndarray, "n k"], constant_factors: int = 0) -> FactorIndex:
    """An index of the factors that vary, each renumbered 0, 1, …, then of so many that take one value everywhere.

    Raises `NotApplicable` where looking rows up is no intervention: continuous factors, fewer than two factors, a
    value held by a single row, or factors that depend on each other, so that fixing one moves another. Full grids
    and random draws from one pass.
    """
    varying = varying_factors(factors)
    if len(varying) < 2:
        raise NotApplicable("fixing a factor needs at least two factors that vary")
    for k in varying:
        if not is_discrete(factors[:, k]):
            raise NotApplicable(f"factor {k} is continuous: no two points share its value")
    columns = [_renumbered(factors[:, k]) for k in varying]
    for k, column in zip(varying, columns, strict=True):
        if np.bincount(column).min() < 2:
            raise NotApplicable(f"factor {k} has values that only one point holds")
    for (k, a), (other, b) in combinations(zip(varying, columns, strict=True), 2):
        if _dependent(a, b):
            raise NotApplicable(f"factors {k} and {other} depend on each other: fixing one would move the other")
    columns += [np.zeros(len(factors), np.uint16)] * constant_factors
    return FactorIndex(np.stack(columns).T)


def points(
    index: FactorIndex, count: int, rng: np.random.Generator
) -> tuple[Integer[ndarray, " count"], Iterator[tuple[int, Integer[ndarray, " s"]]]]:
    """The fixed factor of each of `count` points, drawn uniformly, and chunks of points that share theirs."""
    k = index.factors.shape[1]
    fixed = rng.integers(k, size=count)
    chunks = (
        (factor, members[start : start + CHUNK])
        for factor in range(k)
        for members in [np.flatnonzero(fixed == factor)]
        for start in range(0, len(members), CHUNK)
    )
    return fixed, chunks


def _renumbered(factor: Num[ndarray, " n"]) -> Integer[ndarray, " n"]:
    """A discrete factor's values as 0, 1, …, in 16 bits where they fit: those sort in linear time."""
    factor = factor.astype(np.int64)
    low, high = int(factor.min()), int(factor.max())
    if high - low >= 2**16:
        return np.unique(factor, return_inverse=True)[1]
    factor -= low
    present = np.zeros(high - low + 1, dtype=bool)
    present[factor] = True
    return (np.cumsum(present) - 1).astype(np.uint16)[factor]


def _dependent(a: Integer[ndarray, " n"], b: Integer[ndarray, " n"]) -> bool:
    """Whether two factors share over 5 % of the smaller entropy, and more than independent draws of n points would.

    2 n I is χ²-distributed when they are independent (the G-test); six standard deviations are left for chance.
    """
    information = mutual_information(a, b)
    freedom = int(a.max()) * int(b.max())
    chance = (freedom + 6 * np.sqrt(2 * freedom)) / (2 * len(a))
    return bool(information > max(0.05 * min(entropy(a), entropy(b)), chance))

"""Rank correlation between two scores; configurations are resampled and permuted, never single runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import combinations, permutations
from math import factorial

import numpy as np
from jaxtyping import Bool, Float, Integer, Shaped
from numpy import ndarray
from numpy.random import Generator

from benchmark.statistics.interval import MINIMUM_RUNS, Interval

BLOCK = 4_000_000
"""Ranks held at a time."""
MINIMUM_PERMUTED = 5
"""With fewer configurations hardly an order of them is rarer than 5 %, and there is no p value."""


def average_ranks(values: Float[ndarray, " n"]) -> Float[ndarray, " n"]:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, codes = np.unique(values, return_inverse=True)
    return _weighted_ranks(codes, np.ones((1, len(values))))[0]


def _weighted_ranks(codes: Integer[ndarray, " n"], counts: Float[ndarray, "b n"]) -> Float[ndarray, "b n"]:
    """Average ranks in b resamples that hold row i `counts[:, i]` times; `codes` number the distinct values."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(codes.max() + 1))
    per_value = np.add.reduceat(counts[:, order], starts, axis=1)
    return (np.cumsum(per_value, axis=1) - (per_value - 1) / 2)[:, codes]


def _weighted_correlation(
    x: Float[ndarray, "b n"], y: Float[ndarray, "b n"], counts: Float[ndarray, "#b n"]
) -> Float[ndarray, " b"]:
    """Pearson's correlation in each row; NaN where one side is constant."""
    total = counts.sum(axis=1, keepdims=True)
    x = x - (counts * x).sum(axis=1, keepdims=True) / total
    y = y - (counts * y).sum(axis=1, keepdims=True) / total
    scale = np.sqrt((counts * x * x).sum(axis=1) * (counts * y * y).sum(axis=1))
    return np.divide((counts * x * y).sum(axis=1), scale, out=np.full(len(x), np.nan), where=scale > 1e-9)


def spearman(x: Float[ndarray, " n"], y: Float[ndarray, " n"]) -> float | None:
    """Spearman's rank correlation, ties averaged; None for fewer than three points or a constant side."""
    return _correlations(np.stack([x, y], axis=1), [(0, 1)]).get((0, 1))


def spearman_interval(
    x: Float[ndarray, " n"],
    y: Float[ndarray, " n"],
    configurations: Shaped[ndarray, " n"],
    rng: Generator,
    *,
    level: float = 0.95,
    draws: int = 1000,
) -> Interval | None:
    """Spearman's correlation over runs; its interval resamples configurations, then the seeds within each.

    Runs of one configuration are not independent: resampled by row, a nominal 95 % covers 57 %. None where the
    correlation is undefined; no interval below ten configurations.
    """
    scores = np.stack([x, y], axis=1)
    return spearman_intervals(scores, configurations, lambda _: rng, level=level, draws=draws)[0, 1]


def spearman_intervals(
    scores: Float[ndarray, "n k"],
    configurations: Shaped[ndarray, " n"],
    stream_of: Callable[[Bool[ndarray, " n"]], Generator],
    *,
    level: float = 0.95,
    draws: int = 1000,
) -> dict[tuple[int, int], Interval | None]:
    """The same for all pairs i < j of k scores, NaN where a run lacks one.

    Pairs that the same runs have share their resamples, and with them the ranks of each score in these. `stream_of`
    gives the stream that resamples the runs of a mask: one that follows from these runs leaves an interval, to the last
    bit, to the pair alone, whatever other scores there are.
    """
    found: dict[tuple[int, int], Interval | None] = dict.fromkeys(combinations(range(scores.shape[1]), 2))
    for both, pairs in _by_runs(scores):
        points = _correlations(scores[both], pairs)
        known = [pair for pair in pairs if pair in points]
        found |= {pair: Interval(points[pair]) for pair in known}
        _, groups = np.unique(configurations[both], return_inverse=True)
        if not known or groups.max() + 1 < MINIMUM_RUNS:
            continue
        used = sorted({each for pair in known for each in pair})
        codes = [np.unique(scores[both, each], return_inverse=True)[1] for each in used]
        counts = two_stage_counts(groups, draws, stream_of(both))
        drawn = np.concatenate([_weighted_correlations(codes, part) for part in _blocks(counts, len(used))])
        for i, j in known:
            of_pair = drawn[:, used.index(i), used.index(j)]
            low, high = np.nanquantile(of_pair, [(1 - level) / 2, (1 + level) / 2])
            found[i, j] = Interval(points[i, j], float(low), float(high))
    return found


def _by_runs(scores: Float[ndarray, "n k"]) -> list[tuple[Bool[ndarray, " n"], list[tuple[int, int]]]]:
    """The pairs of scores by the runs that have both."""
    known = ~np.isnan(scores)
    found: dict[bytes, tuple[ndarray, list[tuple[int, int]]]] = {}
    for i, j in combinations(range(scores.shape[1]), 2):
        both = known[:, i] & known[:, j]
        found.setdefault(both.tobytes(), (both, []))[1].append((i, j))
    return list(found.values())


def _correlations(scores: Float[ndarray, "n k"], pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], float]:
    """Spearman's correlation of each pair that has one: three runs or more, and neither side constant."""
    if len(scores) < 3:
        return {}
    ranks = {each: average_ranks(scores[:, each]) for pair in pairs for each in pair}
    x, y = (np.stack([ranks[pair[side]] for pair in pairs]) for side in (0, 1))
    found = np.clip(_weighted_correlation(x, y, np.ones((1, len(scores)))), -1, 1)
    return {pair: float(rho) for pair, rho in zip(pairs, found, strict=True) if not np.isnan(rho)}


def _blocks(counts: Float[ndarray, "b n"], number: int) -> list[Float[ndarray, "_ n"]]:
    """The resamples in parts, so that the ranks of `number` scores in one take some tens of megabytes at most."""
    return np.array_split(counts, max(1, counts.size * number // BLOCK))


def _weighted_correlations(
    codes: Sequence[Integer[ndarray, " n"]], counts: Float[ndarray, "b n"]
) -> Float[ndarray, "b k k"]:
    """Spearman's correlation of all pairs of k scores in each resample; NaN where one side is constant."""
    ranks = np.stack([_weighted_ranks(of_score, counts) for of_score in codes], axis=1)
    # Ranks have the mean (n + 1) / 2: twice their distance from it is a whole number, and so are sums of products,
    # which come out the same in whatever order, and beside however many scores, they are added up.
    ranks = 2 * ranks - (counts.sum(axis=1)[:, None, None] + 1)
    products = (ranks * counts[:, None, :]) @ ranks.transpose(0, 2, 1)
    squares = np.diagonal(products, axis1=1, axis2=2)
    scale = np.sqrt(squares[:, :, None] * squares[:, None, :])
    return np.divide(products, scale, out=np.full(products.shape, np.nan), where=scale > 1e-9)


def two_stage_counts(groups: Integer[ndarray, " n"], draws: int, rng: Generator) -> Float[ndarray, "draws n"]:
    """How often each row is drawn when groups are drawn with replacement and then the rows within each."""
    number = groups.max() + 1
    chosen = rng.multinomial(number, np.full(number, 1 / number), size=draws)
    counts = np.empty((draws, len(groups)))
    for group in range(number):
        rows = np.flatnonzero(groups == group)
        counts[:, rows] = rng.multinomial(chosen[:, group] * len(rows), np.full(len(rows), 1 / len(rows)))
    return counts


def permutation_p(
    x: Float[ndarray, " n"],
    y: Float[ndarray, " n"],
    configurations: Shaped[ndarray, " n"],
    *,
    draws: int = 20_000,
) -> float | None:
    """Two-sided p that two scores have nothing to do with each other, by permuting whole configurations.

    What is permuted are the configurations' mean ranks; seeds of one configuration are not independent, and rows
    permuted singly reject a true hypothesis of no correlation far too often. All orders are gone through where there
    are no more than `draws`, else the observed one and `draws` random ones (Phipson & Smyth 2010), the same in every
    call. Configurations with fewer than half as many runs as another stay out (`exchangeable`). None below five others,
    or where a score is the same for all of them.
    """
    return permutation_pairs(np.stack([x, y], axis=1), configurations, draws=draws)[0, 1]


def permutation_pairs(
    scores: Float[ndarray, "n k"], configurations: Shaped[ndarray, " n"], *, draws: int = 20_000
) -> dict[tuple[int, int], float | None]:
    """The same for all pairs i < j of k scores, NaN where a run lacks one."""
    found: dict[tuple[int, int], float | None] = dict.fromkeys(combinations(range(scores.shape[1]), 2))
    for both, pairs in _by_runs(scores):
        kept = np.flatnonzero(both)
        kept = kept[exchangeable(configurations[both])]
        names, groups = np.unique(configurations[kept], return_inverse=True)
        number = len(names)
        if number < MINIMUM_PERMUTED:
            continue
        means = _mean_ranks(scores[kept], groups, sorted({each for pair in pairs for each in pair}))
        every = factorial(number) <= draws
        orders = _all_orders(number) if every else _random_orders(number, draws)
        for j in means:
            firsts = [i for i, of in pairs if of == j and i in means]
            if not firsts:
                continue
            permuted = np.abs(means[j][orders] @ np.stack([means[i] for i in firsts], axis=1))
            for i, of_pair in zip(firsts, permuted.T, strict=True):
                reached = int((of_pair >= abs(means[i] @ means[j]) * (1 - 1e-9)).sum())
                found[i, j] = reached / len(orders) if every else (1 + reached) / (draws + 1)
    return found


def exchangeable(configurations: Shaped[ndarray, " n"]) -> Bool[ndarray, " n"]:
    """The runs whose configuration has at least half as many as any other.

    A mean rank of one run scatters more than one of ten, and changes places with it under no hypothesis: of three
    configurations of one run beside three of ten, 12 % of the p of scores that have nothing to do with each other are
    below 5 %; of three beside three of half as many runs, hardly more than 5 %.
    """
    _, groups, runs = np.unique(configurations, return_inverse=True, return_counts=True)
    return 2 * runs[groups] >= runs.max(initial=0)


def least_p(number: int, *, draws: int = 20_000) -> float:
    """What no p of permuting so many configurations is below; where the reverse of an order says as much as the order
    itself, as of one run each, none is below twice that."""
    return 1 / min(factorial(number), draws + 1)


def _mean_ranks(
    scores: Float[ndarray, "n k"], groups: Integer[ndarray, " n"], used: Sequence[int]
) -> dict[int, Float[ndarray, " g"]]:
    """The centred mean ranks of the groups in each of the scores in which they are not all alike."""
    runs = np.bincount(groups)
    means = {each: np.bincount(groups, average_ranks(scores[:, each])) / runs for each in used}
    centred = {each: mean - mean.mean() for each, mean in means.items()}
    return {each: mean for each, mean in centred.items() if np.abs(mean).max() >= 1e-9}


@lru_cache(maxsize=4)
def _all_orders(number: int) -> Integer[ndarray, "orders number"]:
    return np.array(list(permutations(range(number))))


@lru_cache(maxsize=4)
def _random_orders(number: int, draws: int) -> Integer[ndarray, "draws number"]:
    """A suite asks for those of the same few numbers hundreds of times."""
    orders = np.broadcast_to(np.arange(number, dtype=np.int32), (draws, number))
    return np.random.default_rng(number).permuted(orders, axis=1)

"""A ranking that says which configurations it cannot tell from one another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from benchmark.statistics.bootstrap import interquartile_mean
from benchmark.statistics.interval import MINIMUM_RUNS
from benchmark.statistics.significance import holm, yuen_p

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Ranked(NamedTuple):
    """One configuration's place, 1 the best; `low` and `high` bound its true rank, None where it is not tested.

    `letters`: two tested configurations can be told apart if and only if they share none. `alike`: the places in the
    input of all that it cannot be told from, those with too few runs for a test among them.
    """

    rank: int
    low: int | None
    high: int | None
    letters: str
    alike: tuple[int, ...]


def ranking(scores: Sequence[Float[ndarray, " _"]], *, level: float = 0.95) -> list[Ranked]:
    """Rank configurations by the interquartile mean over their runs, high first; equal ones share the best rank.

    Below ten runs it is the plain mean, which is what tables show of so few. Each pair with ten runs or more on both
    sides is tested (`yuen_p`), Holm's adjustment over all pairs. A rank's interval runs from 1 + the number that are
    told to be better to the whole number less those that are told to be worse: jointly for all configurations it holds
    the true ranks with a probability of at least `level` (Klein, Wright & Wieczorek 2020), and a true rank that is
    shared counts as held only if all of its places are.
    """
    number = len(scores)
    means = np.array(
        [interquartile_mean(values) if len(values) >= MINIMUM_RUNS else np.mean(values) for values in scores]
    )
    tested = [i for i, values in enumerate(scores) if len(values) >= MINIMUM_RUNS]
    pairs = list(combinations(tested, 2))
    adjusted = holm(np.array([yuen_p(scores[i], scores[j]) for i, j in pairs], dtype=float))
    told = np.zeros((number, number), dtype=bool)
    for (i, j), p in zip(pairs, adjusted, strict=True):
        told[i, j] = told[j, i] = p < 1 - level
    letters = letter_groups(told[np.ix_(tested, tested)], means[tested])
    named = dict(zip(tested, letters, strict=True))
    ranked = []
    for i in range(number):
        rank = 1 + int((means > means[i]).sum())
        if i not in named:
            ranked.append(Ranked(rank, None, None, "", ()))
            continue
        low = 1 + int((told[i] & (means > means[i])).sum())
        high = number - int((told[i] & (means < means[i])).sum())
        alike = tuple(j for j in range(number) if j != i and not told[i, j])
        ranked.append(Ranked(rank, low, high, named[i], alike))
    return ranked


def letter_groups(told: Bool[ndarray, "n n"], means: Float[ndarray, " n"]) -> list[str]:
    """Compact letter display: items share a letter if and only if no test tells them apart (Piepho 2004).

    Groups start as one of all and are split at each pair that is told apart; a group within another is dropped.
    "a" is the group with the best member, "b" the next; after "z" comes "aa", and letters are separated by spaces
    where one of them has two.
    """
    groups = [frozenset(range(len(told)))] if len(told) else []
    for i, j in zip(*np.nonzero(np.triu(told)), strict=True):
        split = []
        for group in groups:
            split += [group - {int(i)}, group - {int(j)}] if {int(i), int(j)} <= group else [group]
        unique = list(dict.fromkeys(split))
        groups = [group for group in unique if not any(group < other for other in unique)]
    groups.sort(key=lambda group: sorted(-means[list(group)]))
    names = [_letters(place) for place in range(len(groups))]
    between = " " if any(len(name) > 1 for name in names) else ""
    return [
        between.join(name for name, group in zip(names, groups, strict=True) if i in group) for i in range(len(told))
    ]


def _letters(place: int) -> str:
    more, last = divmod(place, len(LETTERS))
    return (_letters(more - 1) if more else "") + LETTERS[last]

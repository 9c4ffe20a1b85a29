"""A ranking that says which configurations it cannot tell from one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer
from numpy import ndarray

from benchmark.statistics.bootstrap import interquartile_mean
from benchmark.statistics.interval import MINIMUM_RUNS, ROUNDING
from benchmark.statistics.significance import holm, yuen_pairs

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Ranked(NamedTuple):
    """One configuration's place, 1 the best; `low` and `high` bound its true rank, None where it is not tested.

    `rank` is None where it has fewer runs than a rank needs. `letters`: two tested configurations can be told apart if
    and only if they share none. `alike`: the places in the input of all that it cannot be told from, those with too few
    runs for a test among them.
    """

    rank: int | None
    low: int | None
    high: int | None
    letters: str
    alike: tuple[int, ...]


def ranking(scores: Sequence[Float[ndarray, " _"]], *, level: float = 0.95, sample: bool = True) -> list[Ranked]:
    """Rank configurations by the interquartile mean over their runs, high first; equal ones share the best rank.

    A rank needs as many runs as the others have (`runs_needed`): one lucky run would else come before the means of ten.
    Below ten runs it is the plain mean, which is what tables show of so few. Each pair with ten runs or more on both
    sides is tested (`yuen_p`), Holm's adjustment over all pairs. A rank's interval runs from 1 + the number that are
    told to be better to the number of those ranked less those that are told to be worse: jointly for all
    configurations it holds the true ranks with a probability of at least `level` (Klein, Wright & Wieczorek 2020), and
    a true rank that is shared counts as held only if all of its places are.

    sample: whether a configuration's runs are one. Where they have the score of each other there is no interval, so
    that tables show the plain mean of any number of them: they are ranked by it, and not tested.
    """
    number = len(scores)
    enough = [sample and len(values) >= MINIMUM_RUNS for values in scores]
    means = np.array([(interquartile_mean if many else np.mean)(v) for v, many in zip(scores, enough, strict=True)])
    runs = np.array([len(values) for values in scores], dtype=int)
    ranked = runs >= runs_needed(runs)
    tested = [i for i, many in enumerate(enough) if many]
    pairs = np.stack(np.triu_indices(len(tested), 1), axis=1)
    different = holm(yuen_pairs([scores[i] for i in tested], pairs)) < 1 - level
    told = np.zeros((number, number), dtype=bool)
    i, j = np.array(tested, dtype=int)[pairs.T]
    told[i, j] = told[j, i] = different
    letters = letter_groups(told[np.ix_(tested, tested)], means[tested])
    named = dict(zip(tested, letters, strict=True))
    sizes = np.array([np.abs(values).max() for values in scores], dtype=float)
    # Of the two that are compared: beside a third that diverged, all others would be equal.
    above = means[None, :] - means[:, None] > ROUNDING * np.maximum(sizes[None, :], sizes[:, None])
    places = []
    for i in range(number):
        rank = 1 + int((ranked & above[i]).sum()) if ranked[i] else None
        if i not in named:
            places.append(Ranked(rank, None, None, "", ()))
            continue
        low = 1 + int((told[i] & above[i]).sum())
        high = int(ranked.sum()) - int((told[i] & above[:, i]).sum())
        alike = tuple(j for j in range(number) if j != i and not told[i, j])
        places.append(Ranked(rank, low, high, named[i], alike))
    return places


def runs_needed(runs: Sequence[int] | Integer[ndarray, " c"]) -> int:
    """How many runs a configuration needs for a rank, or to be called the best: as many as any other, ten at most."""
    return min(int(max(runs, default=0)), MINIMUM_RUNS)


def letter_groups(told: Bool[ndarray, "n n"], means: Float[ndarray, " n"]) -> list[str]:
    """Compact letter display: items share a letter if and only if no test tells them apart (Piepho 2004).

    A letter is a largest group of which no two are told apart. "a" is the group with the best member, "b" the next;
    after "z" comes "aa", and letters are separated by spaces where one of them has two.
    """
    groups = [[i for i in range(len(told)) if bits >> i & 1] for bits in _largest_groups(told, means)]
    # Groups of equal means go by their members, the one without the first of them before the other.
    groups.sort(key=lambda group: (sorted(-means[group]), [i in group for i in range(len(told))]))
    names = [_letters(place) for place in range(len(groups))]
    between = " " if any(len(name) > 1 for name in names) else ""
    letters: list[list[str]] = [[] for _ in told]
    for name, group in zip(names, groups, strict=True):
        for i in group:
            letters[i].append(name)
    return [between.join(own) for own in letters]


def _largest_groups(told: Bool[ndarray, "n n"], means: Float[ndarray, " n"]) -> list[int]:
    """The maximal groups of which no two are told apart, each as the bits of its members.

    Items join one by one, the best first: a group takes one in whole, or what of it the new one is not told from.
    Groups are then stretches of neighbours, more or less, and hardly more of them arise on the way than remain.
    """
    alike = [sum(1 << int(j) for j in np.flatnonzero(~row)) for row in told]
    groups: list[int] = []
    for item in np.argsort(-means, kind="stable"):
        met = {group & alike[item] for group in groups} or {0}
        largest: list[int] = []
        for part in sorted(met, key=int.bit_count, reverse=True):
            if not any(part & other == part for other in largest):
                largest.append(part)
        groups = [group for group in groups if group & ~alike[item]]
        groups += [part | 1 << int(item) for part in largest]
    return groups


def _letters(place: int) -> str:
    more, last = divmod(place, len(LETTERS))
    return (_letters(more - 1) if more else "") + LETTERS[last]

"""Verdicts on what dropped together: a configuration's scores, a measure's over all configurations, the whole suite's.

Each asks two things. Is it significant: a rotation test of the set (`leaderboard.joint`), p after Holm over the sets of
its level. Is it large: the root mean square of the drops, improvements as 0, is half a deviation between seeds or more.
That is a part of what seeds alone do to a score, not of the score, so that a collapse cannot hide behind a margin: with
few seeds whatever is significant is large as well, and only hundreds of seeds could show a drop that is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from benchmark.statistics import holm
from leaderboard.comparison import NOTHING, Comparison
from leaderboard.joint import Block, rotation_p
from leaderboard.moderation import prior
from leaderboard.verdicts import Level, Verdict

LARGE = 0.5
"""Deviations between seeds."""
NAMED = 3
"""Scores that a verdict names as those that dropped furthest."""


def judge_together(judged: Sequence[Comparison], level: float) -> list[Verdict]:
    """A verdict for each configuration, each measure and the suite, "worse" or "same".

    judged: comparisons with values on both sides and a direction. level: one-sided, of all sets; a third of it for the
    configurations, for the measures and for the suite each. Scores that some of a configuration's runs lack are left
    to their own verdicts, here and where most others have the values of reruns; so is all with fewer than two seeds
    behind it.
    """
    priors = _priors(judged)
    blocks, members = [], []
    for places in _grouped([each.frame.config_id for each in judged]).values():
        block, kept = _block([judged[place] for place in places], priors[places])
        if block is not None:
            blocks.append(block)
            members += [judged[places[place]] for place in kept]
    if not blocks:
        return []
    sets = _sets(members)
    numbers = Counter(name for name, _ in sets)
    level /= len(numbers)
    p = rotation_p(blocks, [mask for _, mask in sets], [level / numbers[name] for name, _ in sets])
    drops = np.concatenate([np.divide(b.drop, b.deviation, out=0 * b.drop, where=b.deviation > 0) for b in blocks])
    z = np.concatenate([block.seen for block in blocks])
    verdicts = []
    for name in numbers:
        own = [place for place, (of, _) in enumerate(sets) if of == name]
        for place, adjusted in zip(own, holm(p[own]).tolist(), strict=True):
            inside = np.flatnonzero(sets[place][1])
            verdicts.append(_verdict(name, [members[i] for i in inside], z[inside], drops[inside], adjusted, level))
    return verdicts


def _grouped(keys: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return found


def _sets(members: Sequence[Comparison]) -> list[tuple[Level, Bool[ndarray, " all"]]]:
    keys: dict[Level, list[Hashable]] = {
        "configuration": [each.frame.config_id for each in members],
        "measure": [(each.frame.metric, each.frame.score, each.frame.budget) for each in members],
        "suite": [None] * len(members),
    }
    return [
        (level, np.isin(np.arange(len(members)), places))
        for level, own in keys.items()
        for places in _grouped(own).values()
    ]


def _priors(judged: Sequence[Comparison]) -> Float[ndarray, "all 2"]:
    """Of each comparison the variance between seeds that its board says, and what that is worth.

    Nothing where the score does not depend on the seed: there is no scatter to share.
    """
    found = np.zeros((len(judged), 2))
    for places in _grouped([each.board for each in judged]).values():
        found[places] = np.array(prior(*np.array([judged[place].own_variance for place in places], dtype=float).T)).T
    found[[each.fixed() for each in judged]] = 0.0
    return found


def _block(own: Sequence[Comparison], priors: Float[ndarray, "k 2"]) -> tuple[Block | None, list[int]]:
    """A configuration's scores as runs × scores, and the places of those that all of its runs have."""
    then = _aligned([each.sign * each.then for each in own], [each.then_seeds for each in own])
    now = _aligned([each.sign * each.now for each in own], [each.now_seeds for each in own])
    kept = [place for place in range(len(own)) if place in then and place in now]
    known = [place for place in kept if len((own[place].reruns or NOTHING).values) > 1]
    if 2 * len(known) >= len(kept):
        kept = known
    if not kept:
        return None, []
    reruns, variance, strength = _other_seeds([own[place] for place in kept], *priors[kept].T)
    block = Block(
        then=np.column_stack([then[place] for place in kept]),
        now=np.column_stack([now[place] for place in kept]),
        reruns=reruns,
        prior=variance,
        strength=strength,
        floor=np.array([own[place].floor for place in kept]),
        name=own[0].frame.config_id,
    )
    return (block, kept) if len(block.rows) > 1 else (None, [])


def _aligned(
    scores: Sequence[Float[ndarray, " n"]], seeds: Sequence[tuple[int, ...]]
) -> dict[int, Float[ndarray, " n"]]:
    """By place, the values of those scores that have one for every run that most scores have.

    Without seeds they are taken as numbered from 0.
    """
    tables = [
        dict(zip(own or range(len(values)), values.tolist(), strict=True))
        for values, own in zip(scores, seeds, strict=True)
    ]
    held = Counter(seed for table in tables for seed in table)
    runs = sorted(seed for seed, number in held.items() if 2 * number >= len(tables))
    return {
        place: np.array([table[run] for run in runs])
        for place, table in enumerate(tables)
        if runs and all(run in table for run in runs)
    }


def _other_seeds(
    own: Sequence[Comparison], variance: Float[ndarray, " k"], strength: Float[ndarray, " k"]
) -> tuple[Float[ndarray, "r k"], Float[ndarray, " k"], Float[ndarray, " k"]]:
    """Reruns as runs × scores; where their values are not all known, no runs, and their deviations join the prior."""
    values = [(each.reruns or NOTHING).values for each in own]
    runs = min(map(len, values))
    whole = [run for run in range(runs) if all(each[run] is not None for each in values)]
    if len(set(map(len, values))) == 1 and len(whole) > 1:
        rows = np.array([[each.sign * value[run] for each, value in zip(own, values, strict=True)] for run in whole])  # type: ignore[operator]
        return rows, variance, strength
    freedom = np.array([each.reruns.seeds - 1 if each.reruns else 0 for each in own], dtype=float)
    deviation = np.array([each.reruns.deviation if each.reruns else 0.0 for each in own])
    total = strength + freedom
    joined = (strength * variance + freedom * deviation**2) / np.maximum(total, 1)
    return np.empty((0, len(own))), joined, total


def _verdict(
    level: Level,
    members: Sequence[Comparison],
    z: Float[ndarray, " k"],
    drops: Float[ndarray, " k"],
    p: float,
    significant: float,
) -> Verdict:
    first = members[0].frame
    of_configuration, of_measure = level == "configuration", level == "measure"
    size = float(np.sqrt((np.maximum(drops, 0) ** 2).mean()))
    worse = p < significant and size >= LARGE
    return Verdict(
        verdict="worse" if worse else "same",
        level=level,
        dataset=first.dataset if of_configuration else "",
        model=first.model if of_configuration else "",
        configuration=first.configuration if of_configuration else "",
        config_id=first.config_id if of_configuration else "",
        metric=first.metric if of_measure else "",
        score=first.score if of_measure else "",
        budget=first.budget if of_measure else None,
        protocol="",
        representation="",
        members=len(members),
        drop=size,
        p=p,
        note=_explained(members, z) if worse else "",
    )


def _explained(members: Sequence[Comparison], z: Float[ndarray, " k"]) -> str:
    """What dropped furthest in standard errors, and how much of the lead over the references is lost."""
    furthest = [members[place].frame.name for place in np.argsort(-z, kind="stable")[:NAMED] if z[place] > 0]
    lost = [each.sign * (each.then.mean() - each.now.mean()) / each.lead for each in members if each.lead]
    lead = (
        f"; {100 * float(np.median(lost)):.0f} % of the lead over noise or untrained is lost (median of {len(lost)})"
        if lost
        else ""
    )
    return f"furthest: {', '.join(furthest)}{lead}"

"""Joint evidence: whether the scores of a configuration, of a measure or of a whole suite have dropped together.

A rotation test of sets (Wu et al. 2010, ROAST, Bioinformatics 26(17), §2; rotations: Langsrud 2005, Statistics and
Computing 15): runs are rows, scores are columns, oriented so that higher is better. Of each configuration the rows are
turned into one that holds the change of the means and d that hold nothing but the seeds' scatter (then, now and reruns,
each around its own mean). If nothing changed, and scores are normal, every rotation of these 1 + d rows is as likely as
what was seen, however the scores of a run correlate and however many they are: no covariance has to be estimated, and
none is, which few seeds could not do. Configurations are rotated independently: they share no run.

A score's t in each rotation has its variance moderated by the board's other configurations (Smyth 2004) and is put on
the normal's scale. A set's statistic is the mean square of what is worse, z < 0, with improvements as 0: it sees a few
scores that drop far and many that drop a little, and what gets better does not pay for what breaks. Its p is the share
of rotations that reach it; rotations stop once no set can be significant any more (Besag & Clifford 1991).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from benchmark.seeds import stream

SEED = 0
"""Of the rotations, so that a check of the same tables says the same."""
AT_ONCE = 1_000
"""Rotations drawn at a time."""
REACHED = 25
"""Rotations that reach what was seen, after which a set's p is known well enough."""
RESOLUTION = 3
"""Rotations are drawn until so many could reach what was seen and leave it significant."""


@dataclass(frozen=True)
class Block:
    """The scores of one configuration, as runs × scores, higher is better; no value is missing.

    then, now: the two sides. reruns: runs under other seeds, of none or at least two. prior, strength: for each score
    the variance between seeds that other evidence says, and the degrees of freedom that this is worth. floor: the
    deviation between seeds that is added to what was seen, so that what hardly scatters is not significant for
    rounding. name: of the configuration, by which its rotations are drawn whatever other blocks there are.
    """

    then: Float[ndarray, "n k"]
    now: Float[ndarray, "m k"]
    reruns: Float[ndarray, "r k"]
    prior: Float[ndarray, " k"]
    strength: Float[ndarray, " k"]
    floor: Float[ndarray, " k"]
    name: str = ""

    @property
    def scores(self) -> int:
        return self.then.shape[1]

    @cached_property
    def shrinkage(self) -> float:
        """By what the standard error of the difference of the means is smaller than the deviation of one seed."""
        return float(np.sqrt(1 / len(self.then) + 1 / len(self.now)))

    @cached_property
    def drop(self) -> Float[ndarray, " k"]:
        """Of each score's mean."""
        return self.then.mean(0) - self.now.mean(0)

    @cached_property
    def rows(self) -> Float[ndarray, "1+d k"]:
        """The drop, and the scatter around each side's mean, all with the variance of one seed if nothing changed."""
        scatter = [_helmert(len(side)) @ side for side in (self.then, self.now, self.reruns) if len(side) > 1]
        return np.vstack([self.drop / self.shrinkage, *scatter])

    @cached_property
    def deviation(self) -> Float[ndarray, " k"]:
        """Of one seed, as the test has it for what was seen."""
        squares = (self.rows[1:] ** 2).sum(0)
        return np.sqrt(self._moderated(squares))

    def rotated(self, rng: np.random.Generator, times: int) -> Float[ndarray, "times k"]:
        """What z is in so many rotations."""
        directions = rng.normal(size=(times, len(self.rows)))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        first = directions @ self.rows
        rest = np.maximum((self.rows**2).sum(0) - first**2, 0.0)
        return self._z(first, rest)

    def of(self, mask: Bool[ndarray, " k"]) -> Block:
        """Some of the scores."""
        then, now, reruns = (side[:, mask] for side in (self.then, self.now, self.reruns))
        return Block(then, now, reruns, self.prior[mask], self.strength[mask], self.floor[mask], self.name)

    @cached_property
    def seen(self) -> Float[ndarray, " k"]:
        """z as it is; positive is worse."""
        return self._z(self.rows[0], (self.rows[1:] ** 2).sum(0))

    @property
    def freedom(self) -> Float[ndarray, " k"]:
        return self.strength + (len(self.rows) - 1)

    def _moderated(self, squares: Float[ndarray, "*t k"]) -> Float[ndarray, "*t k"]:
        return (squares + self.strength * self.prior) / np.maximum(self.freedom, 1) + self.floor**2

    def _z(self, first: Float[ndarray, "*t k"], squares: Float[ndarray, "*t k"]) -> Float[ndarray, "*t k"]:
        """From t to the normal's scale (Wallace 1959: within 0.02 from one degree of freedom on up)."""
        freedom = np.maximum(self.freedom, 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(first == 0, 0.0, first**2 / self._moderated(squares))
        size = (8 * freedom + 1) / (8 * freedom + 3) * np.sqrt(freedom * np.log1p(ratio / freedom))
        return np.sign(first) * size


def dropped(z: Float[ndarray, "*t k"]) -> Float[ndarray, "*t"]:
    """The statistic of a set: the mean square of what is worse."""
    return (np.maximum(z, 0.0) ** 2).mean(-1)


def rotation_p(
    blocks: Sequence[Block], sets: Sequence[Bool[ndarray, " all"]], levels: Sequence[float], seed: int = SEED
) -> Float[ndarray, " sets"]:
    """For each set of scores the one-sided p of their drop together.

    sets: masks over the scores of all blocks, one block after the other. levels: for each set a p; one far above need
    not be exact, one below rests on enough rotations to be told from it.
    """
    seen = np.concatenate([block.seen for block in blocks])
    statistics = np.array([dropped(seen[mask]) * (1 - 1e-9) for mask in sets])
    ends = np.cumsum([0, *(block.scores for block in blocks)])
    reached, drawn = np.zeros(len(sets)), np.zeros(len(sets))
    wanted = RESOLUTION / np.asarray(levels)
    generators = [stream("rotations", seed, block.name) for block in blocks]
    while (still := np.flatnonzero((reached < REACHED) & (drawn < wanted))).size:
        # Most sets are settled soon: only the scores of the others are rotated on.
        needed = np.any([sets[place] for place in still.tolist()], axis=0)
        parts = [
            block.of(needed[start:end]).rotated(rng, AT_ONCE)
            for block, rng, start, end in zip(blocks, generators, ends, ends[1:], strict=False)
            if needed[start:end].any()
        ]
        z = np.concatenate(parts, axis=1)
        for place in still.tolist():
            reached[place] += (dropped(z[:, sets[place][needed]]) >= statistics[place]).sum()
        drawn[still] += AT_ONCE
    return (reached + 1) / (drawn + 1)


def _helmert(n: int) -> Float[ndarray, "n-1 n"]:
    """Orthonormal rows that all sum to 0."""
    rows = np.tril(np.ones((n - 1, n)), 0)
    order = np.arange(1, n)
    rows[np.arange(n - 1), order] = -order
    return rows / np.sqrt(order * (order + 1.0))[:, None]

"""Linear support vector machines on a single feature, one class against the rest, solved exactly."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Integer
from numpy import ndarray

from benchmark.errors import BenchmarkError

STEPS = 200
"""Newton steps at most; a handful is usual."""
HALVINGS = 60


def linear_machines(
    x: Float[ndarray, " n"], labels: Integer[ndarray, " n"], c: float, *, balanced: bool
) -> tuple[Float[ndarray, " v"], Float[ndarray, " v"]]:
    """Slope w and intercept b of each class's machine on the n values x of one feature.

    min ½ (w² + b²) + C⁺ Σ⁺ max(0, 1 − w x − b)² + C⁻ Σ⁻ max(0, 1 + w x + b)², the sums over a class's own rows and
    over all others. If `balanced`, C⁺ is C n / (classes · own rows), otherwise C, as C⁻ is. Of two classes there is
    one machine, that of the second, and if `balanced` both sides are weighed so.
    The loss is quadratic where the rows with a positive term stay the same, and on a line these are all below or all
    above a threshold: with running sums over sorted rows a Newton step costs a binary search, however many rows.
    """
    classes = int(labels.max()) + 1
    order = np.argsort(x, kind="stable")
    everyone = Running(x[order])
    found = []
    for own in range(classes) if classes > 2 else [1]:
        chosen = Running(x[order][labels[order] == own])
        share = len(x) / classes
        positive = c * share / chosen.count if balanced else c
        negative = c * share / (len(x) - chosen.count) if balanced and classes == 2 else c
        found.append(Machine(everyone, chosen, positive, negative).minimum())
    slopes, intercepts = np.array(found).T
    return slopes, intercepts


def predicted(
    x: Float[ndarray, " m"], slopes: Float[ndarray, " v"], intercepts: Float[ndarray, " v"]
) -> Integer[ndarray, " m"]:
    """The class of each value: that of the largest decision, or of two classes the second where it is positive."""
    decision = x[:, None] * slopes + intercepts
    return (decision[:, 0] > 0).astype(np.int64) if len(slopes) == 1 else decision.argmax(axis=1)


class Running:
    """Sorted values, with the sums of 1, x and x² over all that lie below any of them."""

    def __init__(self, ordered: Float[ndarray, " n"]) -> None:
        self.ordered = ordered
        self.count = len(ordered)
        self.sums = np.zeros((len(ordered) + 1, 3))
        np.cumsum(np.stack([np.ones_like(ordered), ordered, ordered**2], axis=1), axis=0, out=self.sums[1:])

    def where(self, w: float, b: float, *, below: bool) -> Float[ndarray, " 3"]:
        """Those sums over the values with w x + b < 0, or > 0 if not `below`."""
        if w == 0:
            return self.sums[-1] if (b < 0 if below else b > 0) else self.sums[0]
        # Left of the threshold the sign of w x + b is that of −w.
        left = (w > 0) == below
        place = np.searchsorted(self.ordered, -b / w, side="left" if left else "right")
        return self.sums[place] if left else self.sums[-1] - self.sums[place]


class Machine:
    """One class against the rest: sums over everyone and over its own rows, and what either side's errors weigh."""

    def __init__(self, everyone: Running, own: Running, positive: float, negative: float) -> None:
        self.everyone, self.own, self.positive, self.negative = everyone, own, positive, negative

    def sums(self, w: float, b: float) -> tuple[ndarray, ndarray]:
        """Of the class's own rows inside their margin, and of the others inside theirs."""
        others = self.everyone.where(w, b + 1, below=False) - self.own.where(w, b + 1, below=False)
        return self.own.where(w, b - 1, below=True), others

    def loss(self, w: float, b: float, mine: ndarray, others: ndarray) -> float:
        own, rest = self.positive * _squares(mine, w, b - 1), self.negative * _squares(others, w, b + 1)
        return 0.5 * (w * w + b * b) + own + rest

    def minimum(self) -> tuple[float, float]:
        """By Newton steps with halving: where a whole step changes no sum it is reached exactly."""
        w = b = 0.0
        mine, others = self.sums(w, b)
        value = self.loss(w, b, mine, others)
        for _ in range(STEPS):
            count, first, second = 2 * (self.positive * mine + self.negative * others)
            pull, lean, _ = 2 * (self.positive * mine - self.negative * others)
            determinant = (1 + second) * (1 + count) - first * first
            step_w = ((1 + count) * lean - first * pull) / determinant - w
            step_b = ((1 + second) * pull - first * lean) / determinant - b
            size = 1.0
            for _ in range(HALVINGS):
                near = w + size * step_w, b + size * step_b
                new = self.sums(*near)
                reached = self.loss(*near, *new)
                if reached <= value:
                    break
                size /= 2
            else:
                return w, b  # no smaller value along the step: the minimum, to the last digit
            same = size == 1 and np.array_equal(new[0], mine) and np.array_equal(new[1], others)
            (w, b), (mine, others) = near, new
            if same or value - reached <= 1e-15 * value:
                return w, b
            value = reached
        raise BenchmarkError(f"a linear machine did not reach its minimum in {STEPS} Newton steps")


def _squares(sums: ndarray, w: float, offset: float) -> float:
    """Σ (w x + offset)²."""
    return float(w * w * sums[2] + 2 * w * offset * sums[1] + offset * offset * sums[0])

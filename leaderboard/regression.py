"""The check: a suite's results against a saved table, as verdicts that a maintainer can trust.

`tests/statistical/error_rates.py` says how often it cries wolf and how often it misses one.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from benchmark.metrics._declare import Metric
from benchmark.stages.aggregate import headline_rows
from benchmark.statistics import holm, welch_p
from leaderboard.margins import KEY
from leaderboard.moderation import moderated, pooled
from leaderboard.verdicts import ALONE, Outcome, Source, Verdict

LEVEL = 0.01
"""One-sided, over all comparisons of a check."""
TESTABLE = 5
"""Fewer seeds than this on either side are compared by the margin alone."""
OF_RANGE, RELATIVE = 0.05, 0.10
"""The default margin: this part of a bounded score's range, or of the mean size of an unbounded one on its dataset.

Of the mean over configurations and not of each one's own: a score that is nearly 0 for one would leave it no margin.
"""
STANDARD_ERRORS = 2.0
"""How many of them a margin from reruns spans: other seeds move the difference by more in one check of twenty."""
MOST_FREEDOM = 50.0
"""Of a margin that decides alone: the mean of two or three seeds has the tails of the scores, not a normal's."""
LEAST = 0.2
"""The part of the default margin below which reruns take none: what does not depend on the seed is rounded as well."""
ROUNDING = 1e-9
"""A deviation of less than this part of a score is none."""
TOO_GOOD = 4
"""A gain of more than so many margins is flagged: a leak or a broken measure is likelier than progress."""
RULE = (
    f"Worse: the mean drops by more than the margin, and one-sided p < {LEVEL} after Holm; with fewer than {TESTABLE} "
    "seeds by the margin alone, which then leaves the same chance to a false alarm."
)


class Reruns(NamedTuple):
    """A score's deviation over so many other seeds."""

    seeds: int
    deviation: float


@dataclass(frozen=True)
class Comparison:
    """A verdict still open, with what decides it.

    board: what its score's leaderboard is known by, whose configurations may share a variance. default: its default
    margin. given: a margin in its place. then, now: a value for each seed.
    """

    frame: Verdict
    direction: str
    board: Hashable
    default: float
    then: Float[ndarray, " n"]
    now: Float[ndarray, " m"]
    reruns: Reruns | None = None
    given: float | None = None

    @property
    def judged(self) -> bool:
        """Whether there is something to compare, and one direction is better."""
        return min(len(self.then), len(self.now)) > 0 and self.direction != "none"

    @property
    def testable(self) -> bool:
        return min(len(self.then), len(self.now)) >= TESTABLE

    @cached_property
    def shrinkage(self) -> float:
        """By what the standard error of the difference of the means is smaller than the deviation of one seed."""
        return math.sqrt(1 / len(self.then) + 1 / len(self.now))

    def margin(self) -> tuple[float, Source]:
        """The stated margin, and where it is from."""
        if self.given is not None:
            return self.given, "given"
        if self.reruns is None:
            return self.default, "default"
        moved = STANDARD_ERRORS * self.reruns.deviation * self.shrinkage
        return max(moved, LEAST * self.default), "reruns"

    @cached_property
    def own_variance(self) -> tuple[float, int]:
        """Between seeds, pooled over then, now and reruns; and its degrees of freedom."""
        squares, freedom, size = 0.0, 0, 0.0
        for side in (self.then, self.now):
            mean = float(side.sum()) / len(side)
            centred = side - mean
            squares += float(centred @ centred)
            freedom += len(side) - 1
            size = max(size, abs(mean))
        if self.reruns:
            squares += (self.reruns.seeds - 1) * self.reruns.deviation**2
            freedom += self.reruns.seeds - 1
        variance = squares / max(freedom, 1)
        return (variance if variance > (ROUNDING * size) ** 2 else 0.0), freedom

    def fixed(self) -> bool:
        """Whether the score does not depend on the seed, as far as enough seeds can say."""
        then = len(self.then) + (self.reruns.seeds if self.reruns else 0)
        return then >= TESTABLE and self.own_variance[0] == 0


def check(
    new: pd.DataFrame,
    reference: pd.DataFrame,
    declarations: Mapping[str, Metric],
    reruns: pd.DataFrame | None = None,
    margins: Mapping[str, float] | None = None,
) -> list[Verdict]:
    """Compare the headline scores of two results tables, configuration by configuration and protocol by protocol.

    Worse: the mean drops by more than the margin, and the drop is significant (one-sided p < 0.01 after Holm) where
    both sides have five seeds or more. With fewer the margin alone decides, and is at least so wide that the seeds'
    scatter alone raises a false alarm in one check of a hundred. Better likewise. Missing: the reference has a number
    and the new table has none. reruns: what other seeds move the scores by, as `seed_deviations` gives it; margins of
    three standard errors follow from it, in place of the default. margins: by metric, in the score's unit, before
    both. Raises `UsageError` on a metric that is not declared.
    """
    return judge(_comparisons(new, reference, declarations, _by_key(reruns), margins or {}))


def judge(comparisons: Sequence[Comparison]) -> list[Verdict]:
    """Decide all comparisons of a check together.

    The variance between seeds is that of both sides and the reruns, moderated by those of the board's other
    configurations; of too few seeds for that the larger of their own and the board's. p is Welch's where there is
    nothing but the two sides to learn from.
    """
    judged = [each for each in comparisons if each.judged]
    spreads = dict(zip(map(id, judged), _spreads(judged), strict=True))
    tested = [each for each in judged if each.testable]
    p = np.array([_p(each, *spreads[id(each)]) for each in tested], dtype=float)
    adjusted = dict(zip(map(id, tested), holm(p).tolist(), strict=True))
    return [
        _decided(each, spreads[id(each)], adjusted.get(id(each)), len(judged)) if each.judged else _told(each)
        for each in comparisons
    ]


def default_margin(metric: Metric, size: float) -> float:
    """5 % of a bounded score's range, 10 % of the size of an unbounded one."""
    low, high = metric.bounds
    return OF_RANGE * (high - low) if math.isfinite(high - low) else RELATIVE * size


def _by_key(reruns: pd.DataFrame | None) -> dict[tuple[Hashable, ...], Reruns]:
    if reruns is None:
        return {}
    values = zip(reruns["seeds"], reruns["deviation"], strict=True)
    return {key: Reruns(int(n), float(s)) for key, (n, s) in zip(_keys(reruns), values, strict=True)}


def _keys(rows: pd.DataFrame) -> Iterable[tuple[Hashable, ...]]:
    """`KEY` of each row, no budget as None."""
    budgets = [None if pd.isna(budget) else int(budget) for budget in rows["budget"]]
    return zip(*(budgets if name == "budget" else rows[name] for name in KEY), strict=True)


def _comparisons(
    new: pd.DataFrame,
    reference: pd.DataFrame,
    declarations: Mapping[str, Metric],
    reruns: Mapping[tuple[Hashable, ...], Reruns],
    margins: Mapping[str, float],
) -> list[Comparison]:
    sides = {
        side: headline_rows(table, declarations).assign(side=side)
        for side, table in (("then", reference), ("now", new))
    }
    absent = sides["now"][sides["now"]["status"] != "ok"].groupby(["config_id", "metric", "representation"])["reason"]
    reasons, absences = absent.first().to_dict(), absent.size().to_dict()
    columns = ["dataset_label", "protocol", "representation", "column"]
    sizes = sides["then"].groupby(columns)["value"].agg(lambda values: values.abs().mean()).to_dict()
    together = pd.concat(sides.values())
    together = together[together["status"] == "ok"]
    found: dict[tuple[Hashable, ...], dict[str, list[float]]] = {}
    told: dict[tuple[Hashable, ...], dict[str, str]] = {}
    describing = ["model", "dataset_label", "label", "direction", "column", "reference", "side", "value"]
    records = zip(*(together[name] for name in describing), strict=True)
    for key, record in zip(_keys(together), records, strict=True):
        told.setdefault(key, dict(zip(describing, record, strict=True)))
        found.setdefault(key, {"then": [], "now": []})[record[-2]].append(record[-1])
    comparisons = []
    for key, values in found.items():
        named, about = dict(zip(KEY, key, strict=True)), told[key]
        board = (about["dataset_label"], named["protocol"], named["representation"], about["column"])
        place = (named["config_id"], named["metric"], named["representation"])
        then, now = (np.array(values[side], dtype=float) for side in ("then", "now"))
        note = str(reasons.get(place, ""))
        if note and len(now):
            note = f"{absences[place]} of {absences[place] + len(now)} runs have no number now: {note}"
        metric = str(named["metric"])
        frame = Verdict(
            verdict="same",
            dataset=about["dataset_label"],
            model=about["model"],
            configuration=about["label"],
            reference_runs=len(then),
            new_runs=len(now),
            reference_mean=float(then.mean()) if len(then) else None,
            new_mean=float(now.mean()) if len(now) else None,
            note=note,
            **named,  # type: ignore[arg-type]
        )
        default = default_margin(declarations[metric], float(sizes.get(board, 0.0)))
        shared = (*board, about["reference"])
        comparisons.append(
            Comparison(frame, about["direction"], shared, default, then, now, reruns.get(key), margins.get(metric))
        )
    return comparisons


def _told(each: Comparison) -> Verdict:
    """What no test decides: new, missing, or a score of which neither direction is better."""
    frame = each.frame
    if frame.reference_mean is None:
        return replace(frame, verdict="new")
    if frame.new_mean is None:
        return replace(frame, verdict="missing", note=frame.note or "the new table has no such score")
    margin, source = each.margin()
    change = frame.new_mean - frame.reference_mean
    moved = "; it moved by more than the margin" if abs(change) > margin else ""
    note = _joined("neither direction is better" + moved, frame.note)
    return replace(frame, change=change, margin=margin, margin_from=source, note=note)


def _spreads(comparisons: Sequence[Comparison]) -> list[tuple[float, float]]:
    """Of each comparison the standard error of its difference and the degrees of freedom behind it."""
    boards: dict[Hashable, list[int]] = {}
    for place, each in enumerate(comparisons):
        boards.setdefault(each.board, []).append(place)
    spreads = [(0.0, 0.0)] * len(comparisons)
    for places in boards.values():
        own = np.array([comparisons[place].own_variance for place in places], dtype=float)
        usual, freedom = pooled(*own.T)
        few = own[:, 1] < 2 * (TESTABLE - 1)
        decisive = np.where(few, [np.maximum(own[:, 0], usual), freedom], moderated(*own.T))
        for place, variance, degrees in zip(places, *decisive, strict=True):
            each = comparisons[place]
            scatter = 0.0 if each.fixed() else math.sqrt(variance)
            spreads[place] = (scatter * each.shrinkage, float(degrees))
    return spreads


def _p(each: Comparison, error: float, freedom: float) -> float:
    """One-sided, of this comparison alone, for the direction that the change has."""
    from scipy.special import stdtr

    if error == 0 or (each.reruns is None and freedom == each.own_variance[1]):
        return min(welch_p(each.now, each.then), welch_p(each.then, each.now))
    return float(stdtr(freedom, -abs(each.now.mean() - each.then.mean()) / error))


def _decided(each: Comparison, spread: tuple[float, float], p: float | None, comparisons: int) -> Verdict:
    assert each.frame.new_mean is not None and each.frame.reference_mean is not None
    error, freedom = spread
    margin, source = each.margin()
    note = each.frame.note
    sign = 1 if each.direction == "higher" else -1
    change = sign * (each.frame.new_mean - each.frame.reference_mean)
    if p is None:
        note = _joined(ALONE, note)
        if source != "given" and freedom > 0:
            margin = max(margin, _critical(freedom, comparisons) * error)
    told = abs(change) > margin and (p is None or p < LEVEL)
    outcome: Outcome = "same" if not told else "better" if change > 0 else "worse"
    return replace(
        each.frame,
        verdict=outcome,
        change=change,
        margin=margin,
        margin_from=source,
        standard_error=error if freedom > 0 else None,
        p=p,
        too_good=outcome == "better" and change > TOO_GOOD * max(margin, each.default),
        note=note,
    )


def _critical(freedom: float, comparisons: int) -> float:
    """Standard errors that scatter alone exceeds once in 1 / `LEVEL` checks of so many comparisons."""
    from scipy.special import stdtrit

    return -float(stdtrit(min(freedom, MOST_FREEDOM), LEVEL / comparisons))


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)

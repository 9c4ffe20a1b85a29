"""The check: a suite's results against a saved table, as verdicts that a maintainer can trust.

Scores are judged one by one here and together in `leaderboard.together`; `tests/statistical/error_rates.py` says how
often both cry wolf, and how often they miss one.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from benchmark.metrics._declare import Metric
from benchmark.naming import score_name, without_points
from benchmark.stages.aggregate import headline_rows
from benchmark.statistics import holm, welch_p
from benchmark.table import split_key
from leaderboard.comparison import TESTABLE, Comparison, Reruns, default_margin
from leaderboard.former_headlines import former_headlines
from leaderboard.margins import KEY, values_of
from leaderboard.moderation import moderated, pooled
from leaderboard.successors import exchanged, successors
from leaderboard.together import judge_together
from leaderboard.verdicts import ALONE, Outcome, Verdict

LEVEL = 0.01
"""One-sided, over all scores of a check, and once more over all sets of them that are judged together."""
MOST_FREEDOM = 50.0
"""Of a margin that decides alone: the mean of two or three seeds has the tails of the scores, not a normal's."""
TOO_GOOD = 4
"""A gain of more than so many margins is flagged: a leak or a broken measure is likelier than progress."""
FLOORS = ("noise", "untrained")
"""Reference models that have learnt nothing: a score's lead over the nearer of them is what it can lose."""
UNKNOWN = "nothing says how far seeds scatter: one of another seed may differ by more than the margin"
"""The note of what the default margin alone tells from a single seed a side."""
CHANGED = "its code has changed: its id is {} now"
RULE = (
    f"Worse: the mean drops by more than the margin, and one-sided p < {LEVEL} after Holm; with fewer than {TESTABLE} "
    "seeds by the margin alone, which then leaves the same chance to a false alarm, unless nothing says how far seeds "
    "scatter. Together (a configuration's "
    f"scores, a measure's, the suite's): p < {LEVEL / 3:.2g} after Holm by rotations of whole runs, and a drop of half "
    "a deviation between seeds, root mean square over the scores."
)


def check(
    new: pd.DataFrame,
    reference: pd.DataFrame,
    declarations: Mapping[str, Metric],
    reruns: pd.DataFrame | None = None,
    margins: Mapping[str, float] | None = None,
    failed: Mapping[str, str] | None = None,
    planned: pd.DataFrame | None = None,
) -> list[Verdict]:
    """Compare the headline scores of two results tables, configuration by configuration and protocol by protocol.

    Worse: the mean drops by more than the margin, and the drop is significant (one-sided p < 0.01 after Holm) where
    both sides have five seeds or more. With fewer the margin alone decides, and is at least so wide that the seeds'
    scatter alone raises a false alarm in one check of a hundred; where a board has a single seed a side and there are
    no reruns, nothing is known of that scatter, and a verdict says so. Worse is also what is stuck: all seeds score the
    same where no two did, whichever way that lies, and what had a number and now has none for a reason: the score
    failed or became inapplicable for all runs, or all of the configuration's runs failed. Better likewise, by the
    margin and the test. Missing: nobody computed the score now; `absent` says of how many runs it was to be computed.
    So is a score that led its measure when the reference was saved, where that has none under today's headline, and
    all scores of a configuration that is gone where another of its model has come (`other_settings`).
    failed: why configurations have no finished run, by their ids. planned: what `benchmark.table.described` says of the
    new suite's runs, finished or not. reruns: what other seeds move the scores by, as `seed_deviations` gives it;
    margins of two standard errors follow from it, in place of the default. margins: by metric, in the score's unit,
    before both. After the scores' verdicts stand those of what dropped together: a row for each configuration, for each
    measure, and for the suite. A configuration whose code has changed, by a version or in a plug-in, has another id and
    is compared all the same; its note says so.
    Raises `UsageError` on a metric that is not declared.
    """
    return judge(compared(new, reference, declarations, reruns, margins, failed, planned))


def compared(
    new: pd.DataFrame,
    reference: pd.DataFrame,
    declarations: Mapping[str, Metric],
    reruns: pd.DataFrame | None = None,
    margins: Mapping[str, float] | None = None,
    failed: Mapping[str, str] | None = None,
    planned: pd.DataFrame | None = None,
) -> list[Comparison]:
    """What `check` compares, still open."""
    changed = successors(new if planned is None else pd.concat([new, planned]), reference)
    new = new.assign(config_id=new["config_id"].replace(changed))
    failed = {changed.get(config_id, config_id): reason for config_id, reason in (failed or {}).items()}
    asked = _asked(new if planned is None else planned.assign(config_id=planned["config_id"].replace(changed)))
    plan = new if planned is None else pd.concat([new, planned.assign(config_id=planned["config_id"].replace(changed))])
    others = exchanged(plan, reference)
    found = _comparisons(new, reference, declarations, _by_key(reruns), margins or {}, failed, asked, others)
    ids = {then: now for now, then in changed.items()}
    return [
        replace(
            each, frame=replace(each.frame, note=_joined(CHANGED.format(ids[each.frame.config_id]), each.frame.note))
        )
        if each.frame.config_id in ids and each.frame.reference_mean is not None and each.frame.new_mean is not None
        else each
        for each in found
    ]


def _asked(runs: pd.DataFrame) -> dict[str, set[int]]:
    """By configuration, the seeds that the new results were asked for."""
    pairs = runs[["config_id", "seed"]].drop_duplicates()
    return {str(config_id): set(map(int, seeds)) for config_id, seeds in pairs.groupby("config_id")["seed"]}


def _absent(then: Sequence[int], now: Sequence[int], asked: set[int], *, over_all: bool) -> set[int]:
    """The seeds that have a score in the reference, were asked for, and have none now.

    A score over all runs of a configuration is another one where not all of them were asked for.
    """
    return set() if over_all and not asked.issuperset(then) else (set(then) & asked) - set(now)


def _partly(reasons: Mapping[int, str], absent: set[int], runs: int) -> str:
    """What to know of a score that so many runs have: that others, by their seeds, have none now, and why if known."""
    without = len(reasons.keys() | absent)
    reason = next(iter(reasons.values()), "")
    what = f"number now: {reason}" if reason else "score now"
    return f"{without} of {without + runs} runs have no {what}" if without else ""


def judge(comparisons: Sequence[Comparison]) -> list[Verdict]:
    """Decide all comparisons of a check together.

    The variance between seeds is that of both sides and the reruns, moderated by those of the board's other
    configurations; of too few seeds for that the larger of their own and the board's. p is Welch's where there is
    nothing but the two sides to learn from. What no drop within its range could fail says so. Scores that runs share
    stand in no joint verdict: runs that are dealt anew would no longer be those that share them.
    """
    judged = [each for each in comparisons if each.judged]
    spreads = dict(zip(map(id, judged), _spreads(judged), strict=True))
    tested = [each for each in judged if each.testable]
    p = np.array([_p(each, *spreads[id(each)]) for each in tested], dtype=float)
    adjusted = dict(zip(map(id, tested), holm(p).tolist(), strict=True))
    alone = [
        _decided(each, spreads[id(each)], adjusted.get(id(each)), len(judged), len(tested))
        if each.judged
        else _told(each)
        for each in comparisons
    ]
    return alone + judge_together([each for each in judged if not each.shared], LEVEL)


def _by_key(reruns: pd.DataFrame | None) -> dict[tuple[Hashable, ...], Reruns]:
    if reruns is None:
        return {}
    values = zip(reruns["seeds"], reruns["deviation"], values_of(reruns), strict=True)
    return {key: Reruns(int(n), float(s), each) for key, (n, s, each) in zip(_keys(reruns), values, strict=True)}


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
    failed: Mapping[str, str],
    asked: Mapping[str, set[int]],
    others: Collection[str],
) -> list[Comparison]:
    sides = {
        side: headline_rows(table, declarations).assign(side=side)
        for side, table in (("then", reference), ("now", new))
    }
    without = _without_numbers(sides["now"])
    columns = ["dataset_label", "protocol", "representation", "column"]
    # Apart from the references, as peers are: an ELBO of an untrained network is a thousand times a trained one's.
    # The median over configurations, of two the smaller: one that diverged would else widen the margins of the others.
    own = sides["then"].assign(size=sides["then"]["value"].abs())
    of_each = own.groupby([*columns, "reference", "config_id"])["size"].mean()
    sizes = of_each.groupby(level=[*columns, "reference"]).quantile(0.5, interpolation="lower").to_dict()
    former = former_headlines(reference, new, declarations)
    together = pd.concat([*sides.values(), *([] if former is None else [former.assign(side="then")])])
    together = together[together["status"] == "ok"]
    floors = _floors(sides["then"])
    found: dict[tuple[Hashable, ...], dict[str, list[tuple[int, float]]]] = {}
    told: dict[tuple[Hashable, ...], dict[str, str]] = {}
    describing = ["model", "dataset_label", "label", "direction", "column", "reference", "side", "seed", "value"]
    records = zip(*(together[name] for name in describing), strict=True)
    for key, record in zip(_keys(together), records, strict=True):
        told.setdefault(key, dict(zip(describing, record, strict=True)))
        found.setdefault(key, {"then": [], "now": []})[record[-3]].append((int(record[-2]), float(record[-1])))
    comparisons = []
    for key, values in found.items():
        named, about = dict(zip(KEY, key, strict=True)), told[key]
        board = (about["dataset_label"], named["protocol"], named["representation"], about["column"])
        then, now = (np.array([value for _, value in values[side]], dtype=float) for side in ("then", "now"))
        then_seeds, now_seeds = (tuple(seed for seed, _ in values[side]) for side in ("then", "now"))
        place = (named["config_id"], named["representation"], _asked_for(str(named["protocol"])))
        gone = {seed: reason for seed, reason in without.get(place, {}).items() if seed not in now_seeds}
        config_id, metric = str(named["config_id"]), str(named["metric"])
        over = declarations[metric].scope == "configuration"
        absent = _absent(then_seeds, now_seeds, asked.get(config_id, set()), over_all=over)
        note = _partly(gone, absent, len(now)) if len(now) else next(iter(gone.values()), failed.get(config_id, ""))
        headline = split_key(declarations[metric].headline)[0]
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
            absent=len(absent),
            other_settings=config_id in others and not len(now),
            **named,  # type: ignore[arg-type]
        )
        peers = (*board, about["reference"])
        default = default_margin(declarations[metric], float(sizes.get(peers, 0.0)))
        each = Comparison(
            frame, about["direction"], peers, default, then, now, reruns.get(key), margins.get(metric), then_seeds,
            now_seeds,
        )  # fmt: skip
        reach, lead = _reach(each, declarations[metric]), _lead(each, floors.get(board))
        renamed = "" if headline == named["score"] else score_name(metric, headline)
        comparisons.append(replace(each, reach=reach, lead=lead, shared=over, renamed=renamed))
    return comparisons


def _without_numbers(now: pd.DataFrame) -> dict[tuple[Hashable, ...], dict[int, str]]:
    """By configuration, representation and what was asked for, the seeds that have no number now, and why."""
    rows = now[now["status"] != "ok"]
    asked = rows["protocol"].map(_asked_for)
    found: dict[tuple[Hashable, ...], dict[int, str]] = {}
    for *key, seed, reason in zip(
        rows["config_id"], rows["representation"], asked, rows["seed"], rows["reason"], strict=True
    ):
        found.setdefault(tuple(key), {}).setdefault(int(seed), str(reason))
    return found


def _asked_for(protocol: str) -> str:
    """A protocol without its points, which a measure that gives up early says otherwise, and without its version."""
    return without_points(protocol).rpartition("/")[0]


def _floors(then: pd.DataFrame) -> dict[Hashable, list[float]]:
    """By board, what the references score that have learnt nothing."""
    own = then[(then["status"] == "ok") & then["model"].isin(FLOORS)]
    means = own.groupby(["dataset_label", "protocol", "representation", "column", "model"])["value"].mean()
    found: dict[Hashable, list[float]] = {}
    for key, mean in means.items():
        assert isinstance(key, tuple)
        found.setdefault(key[:-1], []).append(float(mean))
    return found


def _lead(each: Comparison, floors: Sequence[float] | None) -> float | None:
    mean = each.frame.reference_mean
    if not floors or mean is None or each.frame.model in FLOORS:
        return None
    lead = min(each.sign * (mean - floor) for floor in floors)
    return lead if lead > 0 else None


def _reach(each: Comparison, metric: Metric) -> float:
    mean = each.frame.reference_mean
    if mean is None:
        return math.inf
    return mean - metric.bounds[0] if each.direction == "higher" else metric.bounds[1] - mean


def _told(each: Comparison) -> Verdict:
    """What no test decides: new, missing, without a number for a reason, or a score of which neither direction is
    better."""
    frame = each.frame
    if frame.reference_mean is None:
        return replace(frame, verdict="new")
    if frame.new_mean is None:
        if frame.note:
            return replace(frame, verdict="worse", note=f"it has no number now: {frame.note}")
        gone = "the new table has no such score"
        if frame.other_settings:
            gone = "its model has other settings now, and is compared with nothing"
        elif not frame.absent:
            gone = f"{gone}, nor was it asked for"
        elif each.renamed:
            gone = f"the headline is {each.renamed} now, and the reference has none of that name"
        return replace(frame, verdict="missing", note=gone)
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

    if error == 0 or (not each.shared and each.reruns is None and freedom == each.own_variance[1]):
        return min(welch_p(each.now, each.then), welch_p(each.then, each.now))
    return float(stdtr(freedom, -abs(each.now.mean() - each.then.mean()) / error))


def _decided(each: Comparison, spread: tuple[float, float], p: float | None, comparisons: int, tests: int) -> Verdict:
    assert each.frame.new_mean is not None and each.frame.reference_mean is not None
    error, freedom = spread
    margin, source = each.margin()
    note = each.frame.note
    change = each.sign * (each.frame.new_mean - each.frame.reference_mean)
    if p is None:
        note = _joined(ALONE, note)
        if source != "given" and freedom > 0:
            margin = max(margin, _critical(freedom, comparisons) * error)
    told = abs(change) > margin and (p is None or p < LEVEL)
    outcome: Outcome = "same" if not told else "better" if change > 0 else "worse"
    if told and p is None and freedom == 0 and source == "default":
        note = _joined(UNKNOWN, note)
    if each.stuck():
        outcome = "worse"
        note = _joined(f"stuck: every seed scores {each.now[0]:.4g}, where no two did", note)
    cannot = _cannot_fail(each, spread, margin, tests)
    if cannot:
        note = _joined(cannot, note)
    return replace(
        each.frame,
        verdict=outcome,
        change=change,
        margin=margin,
        margin_from=source,
        standard_error=error if freedom > 0 else None,
        p=p,
        too_good=outcome == "better" and change > TOO_GOOD * max(margin, each.default),
        cannot_fail=bool(cannot) and outcome != "worse",
        note=note,
    )


def _cannot_fail(each: Comparison, spread: tuple[float, float], margin: float, tests: int) -> str:
    """Why no drop within the measure's range would be called worse; empty where one would."""
    from scipy.special import stdtr

    error, freedom = spread
    seeds = f"at {min(len(each.then), len(each.now))} seeds"
    if each.reach <= margin:
        return f"cannot fail alone {seeds}: it can drop by {max(each.reach, 0):.3g}, the margin is {margin:.3g}"
    if each.testable and error > 0 and tests * stdtr(freedom, -each.reach / error) >= LEVEL:
        return f"cannot fail alone {seeds}: it can drop by {each.reach:.3g}, not significant among {tests} tests"
    return ""


def _critical(freedom: float, comparisons: int) -> float:
    """Standard errors that scatter alone exceeds once in 1 / `LEVEL` checks of so many comparisons."""
    from scipy.special import stdtrit

    return -float(stdtrit(min(freedom, MOST_FREEDOM), LEVEL / comparisons))


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)

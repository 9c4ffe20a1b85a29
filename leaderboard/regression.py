"""The check: a suite's results against a saved table, as verdicts that a maintainer can trust."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from benchmark.metrics._declare import Metric
from benchmark.stages.aggregate import headline_rows
from benchmark.statistics import holm, welch_p

Outcome = Literal["better", "same", "worse", "missing", "new"]

LEVEL = 0.01
"""One-sided, after Holm over all comparisons of a check."""
TESTABLE = 5
"""Fewer seeds than this on either side are compared by the margin alone."""
STANDARD_ERRORS = 3.0
"""How many of them a margin that decides alone spans."""
OF_RANGE, RELATIVE = 0.05, 0.10
"""The default margin: this part of a bounded score's range, or of the mean size of an unbounded one on its dataset.

Of the mean over configurations and not of each one's own: a score that is nearly 0 for one would leave it no margin.
"""
TOO_GOOD = 4
"""A gain of more than so many margins is flagged: a leak or a broken measure is likelier than progress."""


@dataclass(frozen=True)
class Verdict:
    """One score of one configuration, then and now. `change` and `margin` are in its unit, positive `change` better.

    `p`: one-sided, after Holm, for the direction that the change has; None where the margin alone decides.
    """

    verdict: Outcome
    dataset: str
    model: str
    configuration: str
    config_id: str
    metric: str
    score: str
    budget: int | None
    protocol: str
    representation: str
    reference_mean: float | None = None
    new_mean: float | None = None
    reference_runs: int = 0
    new_runs: int = 0
    change: float | None = None
    margin: float | None = None
    p: float | None = None
    too_good: bool = False
    note: str = ""

    @property
    def name(self) -> str:
        budget = "" if self.budget is None else f" @ {self.budget:,}"
        return f"{self.score}{budget} of {self.configuration} on {self.dataset} ({self.representation})"


def check(
    new: pd.DataFrame,
    reference: pd.DataFrame,
    declarations: Mapping[str, Metric],
    margins: Mapping[str, float] | None = None,
) -> list[Verdict]:
    """Compare the headline scores of two results tables, configuration by configuration and protocol by protocol.

    Worse: the mean drops by more than the margin, and the drop is significant (Welch, one-sided p < 0.01 after Holm)
    where both sides have five seeds or more. With fewer the margin alone decides, and is at least three standard
    errors of the difference as the seeds spread, so that no rerun on another machine raises an alarm by its rounding.
    Better likewise. Missing: the reference has a number and the new table has none. margins: by metric, in the
    score's unit, in place of the default. Raises `UsageError` on a metric that is not declared.
    """
    pairs = _pairs(new, reference, declarations)
    verdicts = [_compared(pair, declarations[pair.frame.metric], margins or {}) for pair in pairs]
    return _judged(verdicts, pairs)


@dataclass(frozen=True)
class _Pair:
    """A verdict still without its comparison, the size and seed deviation usual on its leaderboard, and the values."""

    frame: Verdict
    direction: str
    size: float
    deviation: float
    then: Float[ndarray, " n"]
    now: Float[ndarray, " m"]


def _pairs(new: pd.DataFrame, reference: pd.DataFrame, declarations: Mapping[str, Metric]) -> list[_Pair]:
    keys = ["config_id", "metric", "protocol", "score", "budget", "representation"]
    told = ["model", "dataset_label", "label", "direction", "column"]
    sides = {
        side: headline_rows(table, declarations).assign(side=side)
        for side, table in (("then", reference), ("now", new))
    }
    together = pd.concat(sides.values())
    absent = sides["now"][sides["now"]["status"] != "ok"].groupby(["config_id", "metric", "representation"])["reason"]
    reasons = absent.first().to_dict()
    columns = ["dataset_label", "protocol", "representation", "column"]
    sizes = sides["then"].groupby(columns)["value"].agg(lambda values: values.abs().mean())
    seeds = sides["then"].groupby([*columns, "config_id"], dropna=False)["value"].var().groupby(level=columns).mean()
    pairs = []
    for _, rows in together[together["status"] == "ok"].groupby(keys, dropna=False, sort=False):
        first = rows[[*keys, *told]].iloc[0]
        values = {side: rows.loc[rows["side"] == side, "value"].to_numpy() for side in sides}
        reason = reasons.get((first["config_id"], first["metric"], first["representation"]), "")
        frame = Verdict(
            verdict="same",
            dataset=first["dataset_label"],
            model=first["model"],
            configuration=first["label"],
            config_id=first["config_id"],
            metric=first["metric"],
            score=first["score"],
            budget=None if pd.isna(first["budget"]) else int(first["budget"]),
            protocol=first["protocol"],
            representation=first["representation"],
            reference_runs=len(values["then"]),
            new_runs=len(values["now"]),
            reference_mean=_mean(values["then"]),
            new_mean=_mean(values["now"]),
            note=reason,
        )
        board = tuple(first[columns])
        size, variance = float(sizes.get(board, 0.0)), float(seeds.get(board, 0.0))
        deviation = math.sqrt(variance) if variance > 0 else 0.0
        pairs.append(_Pair(frame, first["direction"], size, deviation, values["then"], values["now"]))
    return pairs


def _mean(values: Float[ndarray, " n"]) -> float | None:
    return float(values.mean()) if len(values) else None


def _compared(pair: _Pair, metric: Metric, margins: Mapping[str, float]) -> Verdict:
    """The change, its margin, and the p value of this comparison alone."""
    frame = pair.frame
    if frame.reference_mean is None:
        return replace(frame, verdict="new")
    if frame.new_mean is None:
        return replace(frame, verdict="missing", note=frame.note or "the new table has no such score")
    margin = margins.get(frame.metric, default_margin(metric, pair.size))
    change = frame.new_mean - frame.reference_mean
    if pair.direction == "none":
        note = "neither direction is better" + ("; it moved by more than the margin" if abs(change) > margin else "")
        return replace(frame, change=change, margin=margin, note=note)
    sign = 1 if pair.direction == "higher" else -1
    frame = replace(frame, change=sign * change, margin=margin)
    if min(len(pair.then), len(pair.now)) < TESTABLE:
        margin = margins.get(frame.metric, max(margin, STANDARD_ERRORS * _standard_error(pair)))
        return replace(frame, margin=margin, note=f"fewer than {TESTABLE} seeds: by the margin alone")
    now, then = sign * pair.now, sign * pair.then
    return replace(frame, p=min(welch_p(now, then), welch_p(then, now)))


def _standard_error(pair: _Pair) -> float:
    """Of the difference of two means, from the larger of the seeds' own deviation and the leaderboard's usual one."""
    own = [float(side.std(ddof=1)) for side in (pair.then, pair.now) if len(side) > 1]
    return max([pair.deviation, *own]) * math.sqrt(1 / len(pair.then) + 1 / len(pair.now))


def default_margin(metric: Metric, size: float) -> float:
    """5 % of a bounded score's range, 10 % of the size of an unbounded one."""
    low, high = metric.bounds
    return OF_RANGE * (high - low) if math.isfinite(high - low) else RELATIVE * size


def _judged(verdicts: Sequence[Verdict], pairs: Sequence[_Pair]) -> list[Verdict]:
    """Adjust the p values for their number, then decide."""
    tested = [i for i, verdict in enumerate(verdicts) if verdict.p is not None]
    adjusted = dict(zip(tested, holm(np.array([verdicts[i].p for i in tested], dtype=float)).tolist(), strict=True))
    judged = []
    for i, (verdict, pair) in enumerate(zip(verdicts, pairs, strict=True)):
        if verdict.change is None or verdict.margin is None or pair.direction == "none":
            judged.append(verdict)
            continue
        p = adjusted.get(i)
        told = abs(verdict.change) > verdict.margin and (p is None or p < LEVEL)
        outcome: Outcome = "same" if not told else "better" if verdict.change > 0 else "worse"
        too_good = outcome == "better" and verdict.change > TOO_GOOD * verdict.margin
        judged.append(replace(verdict, verdict=outcome, p=p, too_good=too_good))
    return judged


def counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """How many there are of each verdict, and how many are too good to be true."""
    outcomes = [verdict.verdict for verdict in verdicts]
    found = {outcome: outcomes.count(outcome) for outcome in ("worse", "missing", "better", "same", "new")}
    return found | {"too_good": sum(verdict.too_good for verdict in verdicts)}


def as_json(verdicts: Sequence[Verdict]) -> str:
    """For machines."""
    return json.dumps({"format": 1, "counts": counts(verdicts), "verdicts": [asdict(v) for v in verdicts]}, indent=1)


def as_junit(verdicts: Sequence[Verdict], suite: str) -> str:
    """JUnit XML: a test case a score; worse fails, missing and new are skipped with a message."""
    number = counts(verdicts)
    skipped = number["missing"] + number["new"]
    root = ElementTree.Element(
        "testsuite",
        name=f"benchmark check {suite}",
        tests=str(len(verdicts)),
        failures=str(number["worse"]),
        errors="0",
        skipped=str(skipped),
    )
    for verdict in verdicts:
        case = ElementTree.SubElement(root, "testcase", classname=verdict.protocol, name=verdict.name)
        if verdict.verdict == "worse":
            ElementTree.SubElement(case, "failure", message=sentence(verdict))
        elif verdict.verdict in ("missing", "new"):
            ElementTree.SubElement(case, "skipped", message=sentence(verdict))
        else:
            ElementTree.SubElement(case, "system-out").text = sentence(verdict)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def as_markdown(verdicts: Sequence[Verdict], suite: str) -> str:
    """A summary for a pull request: the counts, then every score that is not the same."""
    number = counts(verdicts)
    told = (
        ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in number.items() if value)
        or "nothing to compare"
    )
    lines = [f"### benchmark check `{suite}`", "", f"{told}.", ""]
    order = ["worse", "missing", "better", "new"]
    changed = sorted((v for v in verdicts if v.verdict != "same"), key=lambda v: order.index(v.verdict))
    if changed:
        lines += ["| verdict | score | reference | now | margin | p | note |", "|---|---|---:|---:|---:|---:|---|"]
    for verdict in changed:
        name = f"**{verdict.verdict}**" if verdict.verdict == "worse" else verdict.verdict
        numbers = (verdict.reference_mean, verdict.new_mean, verdict.margin, verdict.p)
        cells = [name, verdict.name, *(_plain(value) for value in numbers), _note(verdict)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    alone = sum(v.p is None and v.change is not None for v in verdicts)
    rule = f"Worse: the mean drops by more than the margin and one-sided p < {LEVEL} after Holm."
    lines += ["", rule + (f" {alone} of {len(verdicts)} comparisons had no test." if alone else "")]
    return "\n".join(lines) + "\n"


def sentence(verdict: Verdict) -> str:
    """A verdict in one line."""
    if verdict.new_mean is None or verdict.reference_mean is None:
        return f"{verdict.verdict}: {verdict.name}" + (f"; {verdict.note}" if verdict.note else "")
    seeds = f"{verdict.reference_runs} and {verdict.new_runs} seeds"
    p = "" if verdict.p is None else f", p = {verdict.p:.2g}"
    note = _note(verdict)
    return (
        f"{verdict.verdict}: {verdict.name}: {verdict.reference_mean:.4g} → {verdict.new_mean:.4g} ({seeds}, margin "
        f"{_plain(verdict.margin)}{p})" + (f"; {note}" if note else "")
    )


def _note(verdict: Verdict) -> str:
    return "; ".join(part for part in ("too good to be true?" if verdict.too_good else "", verdict.note) if part)


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"

"""Score codes in memory: every measure in this process, one after the other, and nothing on disk."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmark.codes import Codes
from benchmark.errors import NotApplicable
from benchmark.execution.tasks import few_threads
from benchmark.metrics._split import Split
from benchmark.stages.score_files import score_path
from benchmark.stages.score_task import (
    Protocol,
    Scored,
    ScoreTask,
    check_numbers,
    missing_score,
    noted,
    options_of,
    protocol_of,
    seeded,
)
from benchmark.stages.supply import arrays_from, put_together

NOWHERE = Path()
"""The folder of a task that has none: it is only ever named."""
DRAWN = re.compile(r"(?:train|test|testshare)[\d.]+")
"""The words of a protocol that say how rows are drawn."""

Step = Callable[[float, float], None]
"""Hears of the work done and in all, in about seconds."""


@dataclass(frozen=True)
class ArrayScore:
    """What came of one measure: its values by key, or none and the reason; the rows that it had, and its protocol."""

    metric: str
    protocol: str
    n: int
    scored: Scored
    values: Mapping[str, float]
    split: bool
    """Whether it learnt from the given training rows."""


def tasks_of(protocol: Protocol) -> list[ScoreTask]:
    """A task for each measure of a protocol; two choices may be one, where a setting decides nothing."""
    every = [ScoreTask((NOWHERE,), (0,), text, "mean", protocol) for text in protocol.metrics]
    return list({score_path(task): task for task in reversed(every)}.values())[::-1]


def score_arrays(
    codes: Codes, protocol: Protocol, split: Split | None, on_cost: Step, on_scored: Callable[[ArrayScore], None]
) -> None:
    """Score the means of `codes` by every measure of a protocol, as `evaluate` scores a run of these codes.

    Pieces that measures share are computed once. `split`: training and test rows of these codes, for the measures that
    learn; they then have every row, and a protocol of their own.
    """
    tasks = tasks_of(protocol)
    costs = {task: protocol_of(task)[0].cost for task in tasks}
    kept: dict[tuple[str, str], Mapping[str, Any]] = {}
    done = 0.0
    for task in tasks:
        costs.pop(task)

        def on_part(own: float, ahead: float, left: float = sum(costs.values())) -> None:
            on_cost(done + own, done + own + ahead + left)  # noqa: B023  (called before the loop goes on)

        with few_threads():
            found, cost = _score(task, codes, split, kept, on_part)
        done += cost
        on_cost(done, done + sum(costs.values()))
        on_scored(found)


def _score(
    task: ScoreTask, codes: Codes, split: Split | None, kept: dict[tuple[str, str], Mapping[str, Any]], on_part: Step
) -> tuple[ArrayScore, float]:
    """One measure's score, and what it cost."""
    metric, settings = protocol_of(task)
    draws = draws_rows(metric.protocol(settings, task.representation, None))
    given = split if draws and "split" in inspect.signature(metric.function).parameters else None
    if given is not None:
        task = replace(task, protocol=replace(task.protocol, points=len(codes.means)))
    n, cost = 0, metric.cost
    notes: tuple[str, ...] = ()
    values: Mapping[str, float] = {}
    try:
        if split is not None and draws and given is None:
            raise NotApplicable(f"{metric.name} learns from what it draws itself, and takes no split")
        arrays, n = put_together(metric, [arrays_from(codes, codes.arrays, task, metric)])
        options = options_of(settings, task.protocol.seed) | ({} if given is None else {"split": given})
        if metric.pieces is None:
            values, notes = noted(metric.function, arrays, options)
        else:
            parts = metric.pieces.parts(*arrays, **options)
            missing = [part for part in parts if (part.name, metric.rows) not in kept]
            cost = sum(part.cost for part in missing)
            for place, part in enumerate(missing):
                on_part(sum(each.cost for each in missing[:place]), sum(each.cost for each in missing[place:]))
                kept[part.name, metric.rows] = metric.pieces.compute(*arrays, part)
            values = metric.pieces.combine(parts, [dict(kept[part.name, metric.rows]) for part in parts])
        check_numbers(values)
        scored = Scored("ok", notes=notes)
        if metric.scope == "configuration":
            values = {metric.headline: values[f"{metric.headline}_run_0"]}
    except Exception as error:  # a measure, perhaps a plug-in's, may raise anything: the score says why it is missing
        scored, values = missing_score(task, error), {}
    protocol = metric.protocol(settings, seeded(task, metric), n)
    if given is not None:
        protocol = given_protocol(protocol, given)
    return ArrayScore(metric.name, protocol, n, scored, values, given is not None), cost


def given_protocol(protocol: str, split: Split) -> str:
    """The protocol id of rows that were not drawn but given: dci/train7000-test3000-given_split-model=lasso-mean-….

    Which rows they are is not in it.
    """
    name, words, version = protocol.split("/")
    left = [word for word in words.split("-") if not DRAWN.fullmatch(word)]
    return f"{name}/{'-'.join([*_sizes(split), 'given_split', *left])}/{version}"


def draws_rows(protocol: str) -> bool:
    """Whether a protocol draws rows, or points made of them, to learn from."""
    return any(DRAWN.fullmatch(word) for word in protocol.split("/")[1].split("-"))


def _sizes(split: Split) -> Sequence[str]:
    return f"train{len(split[0])}", f"test{len(split[1])}"

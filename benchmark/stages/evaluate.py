"""Score codes: every measure from arrays alone, in parallel over runs, measures and their pieces."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmark import registry
from benchmark.choice import read_choice
from benchmark.execution.processes import Workers, execute
from benchmark.metrics._matrix import Matrix
from benchmark.spec import Run
from benchmark.stages.score_files import (
    fail,
    is_scored,
    piece_path,
    read_piece,
    score_path,
    stays,
    write_piece,
    write_score,
)
from benchmark.stages.score_task import (
    Protocol,
    Scored,
    ScoreTask,
    check_numbers,
    declaration_of,
    missing_score,
    noted,
    options_of,
    protocol_of,
)
from benchmark.stages.slices import SLICES, can_be_sliced
from benchmark.stages.supply import names_in, supplied_to


def score_tasks(runs: Sequence[tuple[Run, Path]], protocol: Protocol, *, retry_failed: bool = False) -> list[ScoreTask]:
    """What is still to be scored of these finished runs, run by run; nothing where each score's file is there.

    A score that failed is there, too, unless `retry_failed`.
    """
    plugins = tuple(registry.plugins())
    declared = [(text, registry.load("metric", read_choice(text).name).declaration) for text in protocol.metrics]
    configurations: dict[str, list[tuple[Run, Path]]] = {}
    tasks = []
    for run, folder in runs:
        configurations.setdefault(run.config_id, []).append((run, folder))
        offered = {"mean"} | names_in(folder / "codes.safetensors")
        tasks += [
            ScoreTask((folder,), (run.seed,), text, representation, protocol, plugins)
            for text, metric in declared
            for representation in (*metric.representations, *(SLICES if can_be_sliced(metric) else ()))
            if metric.scope == "run" and representation in offered
        ]
    for members in configurations.values():
        members.sort(key=lambda member: member[0].seed)
        folders, seeds = tuple(folder for _, folder in members), tuple(run.seed for run, _ in members)
        tasks += [
            ScoreTask(folders, seeds, text, "mean", protocol, plugins)
            for text, metric in declared
            if metric.scope == "configuration"
        ]
    own: dict[Path, ScoreTask] = {}
    for task in tasks:  # two choices may be one protocol, where a setting decides nothing
        own.setdefault(score_path(task), task)
    return [task for task in own.values() if not is_scored(task, retry_failed)]


def evaluate(
    tasks: list[ScoreTask],
    jobs: Workers,
    on_scored: Callable[[ScoreTask, Scored], None],
    on_cost: Callable[[float, float], None] = lambda *_: None,
) -> None:
    """Score all tasks in `jobs` processes or on a cluster, each worker of which holds the codes of one run at a time.

    Measures that fall into pieces go first, so that their pieces are known; pieces of one name are computed once,
    whichever measures ask for them, the costliest first; what they complete is put together at the end.
    `on_scored` hears of every score, `on_cost` of the work done and in all, in about seconds.
    """
    costs = {task: declaration_of(task).cost for task in tasks}
    work = registry.with_plugins(score, dict.fromkeys(plugin for task in tasks for plugin in task.plugins))
    done = 0.0

    def run(batch: list[ScoreTask]) -> Iterator[tuple[ScoreTask, Scored]]:
        nonlocal done
        for outcome in execute(work, batch, jobs):
            scored = outcome.value or Scored("failed", outcome.died)
            cost = costs.pop(outcome.task)
            done += 0.0 if scored.pieces else cost  # its pieces are the work, and now known
            if outcome.died and not outcome.task.piece:
                fail(outcome.task, outcome.died)
            yield outcome.task, scored
            on_cost(done, done + sum(costs.values()))

    waiting: dict[ScoreTask, list[ScoreTask]] = {}
    shared: dict[Path, ScoreTask] = {}
    for task, scored in run(sorted(tasks, key=lambda task: declaration_of(task).pieces is None)):
        if scored.status != "pieces":
            on_scored(task, scored)
            continue
        for name, cost in scored.pieces:
            piece = shared.setdefault(piece_path(task, name), replace(task, piece=name))
            waiting.setdefault(task, []).append(piece)
            costs[piece] = cost
    pieces = sorted(dict.fromkeys(piece for own in waiting.values() for piece in own), key=lambda each: -costs[each])
    broken = {piece: scored for piece, scored in run(pieces) if scored.status == "failed"}
    complete = []
    for task, own in waiting.items():
        failed = next((broken[piece] for piece in own if piece in broken), None)
        if failed:
            fail(task, failed.reason)
            on_scored(task, failed)
        else:
            costs[task] = 0.0
            complete.append(task)
    for task, scored in run(complete):
        on_scored(task, scored)


def score(task: ScoreTask) -> Scored:
    """Score one task in a worker process. Never raises: a score that cannot be had is written with its reason."""
    metric, settings = protocol_of(task)
    start = time.monotonic()
    n = 0
    names: tuple[str, ...] = ()
    values: Mapping[str, float] = {}
    matrix: Matrix | None = None
    try:
        supplied = supplied_to(task, metric)
        arrays, n, names, notes = supplied.arrays, supplied.n, supplied.names, supplied.notes
        options = {**options_of(settings, task.protocol.seed), **supplied.options}
        if metric.pieces is None:
            (values, matrix), own = noted(metric.measured, arrays, options)
            notes = (*notes, *own)
        else:
            parts = metric.pieces.parts(*arrays, **options)
            if task.piece is not None:
                (part,) = (part for part in parts if part.name == task.piece)
                value = metric.pieces.compute(*arrays, part)
                write_piece(task, value, time.monotonic() - start)
                return Scored("piece")
            found = [read_piece(task, part.name) for part in parts]
            missing = [part for part, piece in zip(parts, found, strict=True) if piece is None]
            if missing and stays(task, metric):
                return Scored("ok")  # computed anew it would be the same: a matrix is not worth its fits
            if missing:
                return Scored("pieces", pieces=tuple((part.name, part.cost) for part in missing))
            pieces = [piece for piece in found if piece is not None]
            values, matrix = metric.combined(parts, [piece["value"] for piece in pieces])
            start -= sum(piece["seconds"] for piece in pieces)
        check_numbers(values)
        scored = Scored("ok", notes=notes)
    except Exception as error:  # a measure, perhaps a plug-in's, may raise anything: the score says why it is missing
        scored, values, matrix = missing_score(task, error), {}, None
        if task.piece is not None and scored.status == "failed":
            return scored
    write_score(task, scored, values, n, names, time.monotonic() - start, matrix)
    return scored

"""Score codes: every measure from arrays alone, in parallel over runs, measures and their pieces."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy import ndarray

from benchmark import registry
from benchmark.codes import Codes
from benchmark.errors import BenchmarkError, NotApplicable
from benchmark.execution import execute
from benchmark.metrics._declare import Metric
from benchmark.seeds import stream
from benchmark.spec import Settings
from benchmark.store import read_json, write_json

FORMAT = 1
Budget = Literal["quick", "full"]


@dataclass(frozen=True)
class Protocol:
    """How an evaluation scores: which measures, at which cost, from how many points, with which seed."""

    metrics: tuple[str, ...]
    budget: Budget = "full"
    points: int = 10_000
    seed: int = 0


@dataclass(frozen=True)
class ScoreTask:
    """One measure of one representation of one run, or one of its pieces."""

    folder: Path
    metric: str
    representation: str
    protocol: Protocol
    plugins: tuple[Path, ...] = ()
    piece: int | None = None


@dataclass(frozen=True)
class Scored:
    """What a worker says of a task: the status of a score, or the number of pieces that it falls into."""

    status: str
    reason: str | None = None
    pieces: int = 0


def declarations(names: tuple[str, ...] = ()) -> dict[str, Metric]:
    """The declarations of the named measures, or of all."""
    chosen = names or tuple(registry.names("metric"))
    return {name: registry.load("metric", name).declaration for name in chosen}


def score_tasks(folder: Path, protocol: Protocol, known: Mapping[str, Metric]) -> list[ScoreTask]:
    """What is still to be scored of one run; nothing where each score's file is there."""
    header = _header(folder / "codes.safetensors")
    plugins = tuple(registry.plugins())
    tasks = []
    for name in protocol.metrics:
        metric = known[name]
        if metric.scope != "run":
            continue
        for representation in metric.representations:
            if representation != "mean" and representation not in header:
                continue
            task = ScoreTask(folder, name, representation, protocol, plugins)
            if not _is_scored(task):
                tasks.append(task)
    return tasks


def evaluate(
    tasks: list[ScoreTask],
    jobs: int,
    on_scored: Callable[[ScoreTask, Scored], None],
    watch: Callable[[], None] = lambda: None,
    on_more: Callable[[int], None] = lambda _: None,
) -> None:
    """Score all tasks. Measures that fall into pieces are listed first, so that their pieces fill the processes.

    `on_more` hears of pieces that a task turned out to consist of.
    """
    known = declarations(tuple(sorted({task.metric for task in tasks})))
    whole = [task for task in tasks if known[task.metric].pieces is None]
    split = [task for task in tasks if known[task.metric].pieces is not None]
    pieces: list[ScoreTask] = []
    for outcome in execute(score, split + whole, jobs, watch):
        scored = outcome.value or _died(outcome.task, outcome.died)
        if scored.pieces:
            on_more(scored.pieces - 1)
            pieces += [_piece(outcome.task, index) for index in range(scored.pieces)]
        else:
            on_scored(outcome.task, scored)
    # The costliest pieces of every run come first: no long one is left to the end.
    pieces.sort(key=lambda task: task.piece or 0)
    for outcome in execute(score, pieces, jobs, watch):
        scored = outcome.value or _died(outcome.task, outcome.died)
        on_scored(outcome.task, scored)


def score(task: ScoreTask) -> Scored:
    """Score one task in a worker process. Never raises: a score that cannot be had is written with its reason."""
    for plugin in task.plugins:
        registry.add_plugin(plugin)
    metric, settings = protocol_of(task)
    start = time.monotonic()
    n = 0
    names: tuple[str, ...] = ()
    try:
        arrays, n, names = _arrays(task, metric)
        options: dict[str, Any] = {key: getattr(settings, key) for key in type(settings).model_fields}
        options["seed"] = task.protocol.seed
        if metric.pieces is None:
            values = metric.function(*arrays, **options)
        else:
            parts = metric.pieces.parts(*arrays, **options)
            if task.piece is None:
                return Scored("pieces", pieces=len(parts))
            if _read_piece(task, task.piece) is None:
                value = metric.pieces.compute(*arrays, parts[task.piece])
                _write_piece(task, value, time.monotonic() - start)
            found = [piece for index in range(len(parts)) if (piece := _read_piece(task, index))]
            if len(found) < len(parts):
                return Scored("piece")
            values = metric.pieces.combine(parts, [piece["value"] for piece in found])
            start = time.monotonic() - sum(piece["seconds"] for piece in found)
        wrong = {key: value for key, value in values.items() if not math.isfinite(value)}
        if wrong or not values:
            raise BenchmarkError(f"the measure returned {wrong or 'nothing'}: every score is a finite number")
        scored = Scored("ok")
    except NotApplicable as reason:
        scored, values = Scored("not_applicable", reason.reason), {}
    except Exception as error:  # a measure, perhaps a plug-in's, may raise anything: the score says why it is missing
        scored, values = Scored("failed", f"{type(error).__name__}: {error}"), {}
    _write_score(task, scored, values, n, names, time.monotonic() - start)
    _clear_pieces(task)
    return scored


def protocol_of(task: ScoreTask) -> tuple[Metric, Settings]:
    """A task's measure, and its settings under the task's budget."""
    metric: Metric = registry.load("metric", task.metric).declaration
    return metric, metric.settings.read(metric.quick if task.protocol.budget == "quick" else {}, metric.name)


def score_path(task: ScoreTask) -> Path:
    """One file for each measure, protocol and representation: what differs in a setting has another name."""
    metric, settings = protocol_of(task)
    points = task.protocol.points if metric.rows == "sample" else None
    protocol = metric.protocol(settings, task.representation, points)
    return task.folder / "scores" / f"{protocol.replace('/', '-')}.json"


def _write_score(
    task: ScoreTask, scored: Scored, values: Mapping[str, float], n: int, names: tuple[str, ...], seconds: float
) -> None:
    metric, settings = protocol_of(task)
    write_json(
        score_path(task),
        {
            "format": FORMAT,
            "metric": metric.name,
            "metric_version": metric.version,
            "protocol": metric.protocol(settings, task.representation, n),
            "representation": task.representation,
            "budget": task.protocol.budget,
            "settings": settings.plain(),
            "n": n,
            "evaluation_seed": task.protocol.seed,
            "factor_names": list(names),
            "status": scored.status,
            "reason": scored.reason,
            "values": {key: float(value) for key, value in values.items()},
            "seconds": seconds,
        },
    )


def _is_scored(task: ScoreTask) -> bool:
    """Whether a score is there, made by this version and seed; a failed one is tried again."""
    path = score_path(task)
    if not path.exists():
        return False
    record = read_json(path)
    if record.get("format", 0) > FORMAT:
        raise BenchmarkError(f"{path} has format {record['format']}, newer than this version reads; update")
    if not {"evaluation_seed", "status"} <= record.keys():
        raise BenchmarkError(f"{path} lacks its seed or status; delete it and evaluate again")
    return bool(record["evaluation_seed"] == task.protocol.seed and record["status"] != "failed")


def _arrays(task: ScoreTask, metric: Metric) -> tuple[list[Any], int, tuple[str, ...]]:
    """The arrays that a measure asks for, the number of rows of the first, and the factors' names."""
    base = {"codes", "factors", "means", "variances", "history"}
    codes = load_codes(task.folder / "codes.safetensors", frozenset(set(metric.needs) - base))
    representation = codes.representations[task.representation]
    rows: ndarray | slice = slice(None)
    if metric.rows == "sample" and len(representation) > task.protocol.points:
        draw = stream("evaluation", "rows", task.protocol.seed)
        rows = np.sort(draw.choice(len(representation), task.protocol.points, replace=False))
    offered: dict[str, Any] = {
        "codes": representation[rows],
        "means": codes.means[rows],
        "variances": None if codes.variances is None else codes.variances[rows],
        "factors": codes.factors[rows] if codes.factors.shape[1] else None,
        "history": load_history(task.folder / "history.csv") if "history" in metric.needs else None,
        **codes.arrays,
    }
    arrays: list[Any] = []
    for need in metric.needs:
        value = offered.get(need)
        if value is None and need not in metric.optional:
            raise NotApplicable(MISSING.get(need, f"the codes come without {need.replace('_', ' ')}"))
        arrays.append(value)
    n = len(arrays[0])
    if n < metric.minimum_rows:
        raise NotApplicable(f"{n} points are fewer than the {metric.minimum_rows:,} that this measure needs")
    return arrays, n, codes.factor_names


MISSING = {
    "factors": "the dataset knows no factors",
    "variances": "the posterior is not a diagonal Gaussian: the encoder is deterministic or of full covariance",
    "history": "the model is not trained step by step: there is no history",
    "v": "there is no decoder to differentiate",
    "reconstruction_mean": "the model has no likelihood of the data",
    "reconstruction_sample": "the encoder is deterministic, or the model has no likelihood of the data",
}


@lru_cache(maxsize=2)
def load_codes(path: Path, names: frozenset[str]) -> Codes:
    """A run's codes, kept for the next tasks of the same run."""
    return Codes.load(path, set(names))


def load_history(path: Path) -> dict[str, ndarray] | None:
    """The columns of a run's history; NaN where a row has no value. None where there is no history."""
    if not path.exists():
        return None
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]} if rows else None


def _header(path: Path) -> set[str]:
    """Which optional representations a codes file holds."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            return {"sample"} if "samples" in file.keys() else set()  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise BenchmarkError(f"{path} cannot be read as codes ({error}); delete its run folder and rerun") from None


def _piece(task: ScoreTask, index: int) -> ScoreTask:
    return ScoreTask(task.folder, task.metric, task.representation, task.protocol, task.plugins, index)


def _piece_path(task: ScoreTask, index: int) -> Path:
    path = score_path(task)
    return path.parent / ".pieces" / f"{path.stem}-s{task.protocol.seed}-{index}.json"


def _write_piece(task: ScoreTask, value: float, seconds: float) -> None:
    assert task.piece is not None
    write_json(_piece_path(task, task.piece), {"format": FORMAT, "value": value, "seconds": seconds})


def _read_piece(task: ScoreTask, index: int) -> dict[str, Any] | None:
    path = _piece_path(task, index)
    return read_json(path) if path.exists() else None


def _clear_pieces(task: ScoreTask) -> None:
    path = score_path(task)
    for piece in (path.parent / ".pieces").glob(f"{path.stem}-s*.json"):
        piece.unlink(missing_ok=True)


def _died(task: ScoreTask, reason: str | None) -> Scored:
    """Record a score whose process was killed, as the task itself could not."""
    scored = Scored("failed", reason)
    _write_score(task, scored, {}, 0, (), 0.0)
    return scored

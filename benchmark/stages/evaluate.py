"""Score codes: every measure from arrays alone, in parallel over runs, measures and their pieces."""

from __future__ import annotations

import csv
import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import numpy as np
from numpy import ndarray

from benchmark import registry
from benchmark.choice import Choice, read_choice, with_all
from benchmark.codes import TRAINED_ON, Codes, read_arrays
from benchmark.errors import BenchmarkError, NotApplicable, ScoreWarning, TooFewPoints, UsageError
from benchmark.execution import Workers, execute
from benchmark.kinds import encoded
from benchmark.metrics._declare import Metric
from benchmark.metrics._matrix import Matrix
from benchmark.run_seal import MEND_SCORE, codes_digest
from benchmark.seeds import stream
from benchmark.spec import Run, Settings
from benchmark.stages.slices import SLICES, Slice, can_be_sliced, slice_of
from benchmark.store import FORMAT, check_format, read_json, write_json
from benchmark.suite import check_choice

Budget = Literal["quick", "full"]
Found = TypeVar("Found")

PIECES = ".pieces"
"""The folder beside scores in which the pieces of measures lie."""


@dataclass(frozen=True)
class Protocol:
    """How an evaluation scores: which measures, at which cost, from how many points, with which seed.

    `metrics` are written as in a suite: `mig`, or `mig(bins=10)` with settings other than its defaults.
    """

    metrics: tuple[str, ...]
    budget: Budget = "full"
    points: int = 10_000
    seed: int = 0


@dataclass(frozen=True)
class ScoreTask:
    """One measure of one representation of one run, of all runs of a configuration, or one piece of it.

    `folders` are the run's folder, or those of all runs of the configuration by ascending seed.
    """

    folders: tuple[Path, ...]
    seeds: tuple[int, ...]
    metric: str
    representation: str
    protocol: Protocol
    plugins: tuple[Path, ...] = ()
    piece: str | None = None

    @property
    def folder(self) -> Path:
        return self.folders[0]


@dataclass(frozen=True)
class Scored:
    """What a worker says of a task: the status of a score, or the names and costs of the pieces that it waits for.

    `notes`: what a reader of the score should know of its input.
    """

    status: str
    reason: str | None = None
    pieces: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()


def declarations(names: tuple[str, ...] = ()) -> dict[str, Metric]:
    """The declarations of the named measures, or of all."""
    chosen = names or tuple(registry.names("metric"))
    return {name: registry.load("metric", name).declaration for name in chosen}


def check_metrics(texts: tuple[str, ...]) -> tuple[str, ...]:
    """The measures chosen, each spelled one way, or all. Raises `UsageError` on an unknown one or a wrong setting."""
    choices = [read_choice(text) for text in with_all(texts, registry.names("metric"))]
    for choice in choices:
        check_choice(choice)
    choices = [replace(choice, name=registry.metric_named(choice.name)) for choice in choices]
    return tuple(dict.fromkeys(map(str, choices)))


def arrays_read(texts: Iterable[str]) -> frozenset[str]:
    """The arrays that measures read, each chosen as a suite writes it."""
    found: set[str] = set()
    for choice in map(read_choice, texts):
        metric: Metric = registry.load("metric", choice.name).declaration
        found.update(metric.arrays(metric.settings.read(choice.settings, choice.name)))
    return frozenset(found)


def check_budget(text: str) -> Budget:
    """The budget of that name. Raises `UsageError` where there is none."""
    for budget in get_args(Budget):
        if budget == text:
            return budget
    raise UsageError(f'--budget {text}: choose "quick" or "full"')


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
        offered = {"mean"} | _header(folder / "codes.safetensors")
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
    return [task for task in own.values() if not _is_scored(task, retry_failed)]


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
    costs = {task: _declaration(task).cost for task in tasks}
    done = 0.0

    def run(batch: list[ScoreTask]) -> Iterator[tuple[ScoreTask, Scored]]:
        nonlocal done
        for outcome in execute(score, batch, jobs):
            scored = outcome.value or Scored("failed", outcome.died)
            cost = costs.pop(outcome.task)
            done += 0.0 if scored.pieces else cost  # its pieces are the work, and now known
            if outcome.died and not outcome.task.piece:
                fail(outcome.task, outcome.died)
            yield outcome.task, scored
            on_cost(done, done + sum(costs.values()))

    waiting: dict[ScoreTask, list[ScoreTask]] = {}
    shared: dict[Path, ScoreTask] = {}
    for task, scored in run(sorted(tasks, key=lambda task: _declaration(task).pieces is None)):
        if scored.status != "pieces":
            on_scored(task, scored)
            continue
        for name, cost in scored.pieces:
            piece = shared.setdefault(_piece_path(task, name), replace(task, piece=name))
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
    for plugin in task.plugins:
        registry.add_plugin(plugin)
    metric, settings = protocol_of(task)
    start = time.monotonic()
    n = 0
    names: tuple[str, ...] = ()
    values: Mapping[str, float] = {}
    matrix: Matrix | None = None
    try:
        supplied = _supplied(task, metric)
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
                _write_piece(task, value, time.monotonic() - start)
                return Scored("piece")
            found = [_read_piece(task, part.name) for part in parts]
            missing = [part for part, piece in zip(parts, found, strict=True) if piece is None]
            if missing and _stays(task, metric):
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
    _write_score(task, scored, values, n, names, time.monotonic() - start, matrix)
    return scored


def options_of(settings: Settings, seed: int) -> dict[str, Any]:
    """The keyword arguments of a measure."""
    return {**{key: getattr(settings, key) for key in type(settings).model_fields}, "seed": seed}


def check_numbers(values: Mapping[str, float]) -> None:
    """Raise `BenchmarkError` unless a measure returned numbers, all finite."""
    wrong = {key: value for key, value in values.items() if not math.isfinite(value)}
    if wrong or not values:
        raise BenchmarkError(f"the measure returned {wrong or 'nothing'}: every score is a finite number")


def missing_score(task: ScoreTask, error: Exception) -> Scored:
    """What stands in place of a score whose measure raised this."""
    if isinstance(error, NotApplicable):
        out = way_out(task, error.points) if isinstance(error, TooFewPoints) else ""
        return Scored("not_applicable", f"{error.reason}{out}")
    return Scored("failed", f"{type(error).__name__}: {error}")


def noted(
    measure: Callable[..., Found], arrays: list[Any], options: Mapping[str, Any]
) -> tuple[Found, tuple[str, ...]]:
    """What a measure gives, and what it warned of that belongs beside them; other warnings go their way."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ScoreWarning)
        found = measure(*arrays, **options)
    notes = dict.fromkeys(str(each.message) for each in caught if issubclass(each.category, ScoreWarning))
    for each in caught:
        if not issubclass(each.category, ScoreWarning):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    return found, tuple(notes)


def protocol_of(task: ScoreTask) -> tuple[Metric, Settings]:
    """A task's measure, and its settings: those written beside its name, then those of the task's budget."""
    choice = read_choice(task.metric)
    metric: Metric = registry.load("metric", choice.name).declaration
    quick = metric.quick if task.protocol.budget == "quick" else {}
    return metric, metric.settings.read({**quick, **choice.settings}, metric.name)


def way_out(task: ScoreTask, points: int) -> str:
    """What to ask for where `points` are too few for a measure that learns; nothing where no setting helps."""
    metric, asked = _declaration(task), read_choice(task.metric).settings
    fields = metric.settings.model_fields
    largest = "budgets" if "budgets" in fields else "train"
    if not {largest, "test"} <= set(fields):
        return ""
    quick = {name: metric.quick.get(name, fields[name].default) for name in (largest, "test")}
    rows = max(quick[largest]) if largest == "budgets" else quick[largest]
    fits = bool(metric.quick) and rows + quick["test"] <= points
    if fits and task.protocol.budget == "full" and not {largest, "test"} & set(asked):
        return f"; --budget quick asks for {rows + quick['test']:,}"
    train, test = points * 2 // 3, points - points * 2 // 3
    if not train or not test:
        return ""
    return (
        f"; {Choice(metric.name, {largest: [train] if largest == 'budgets' else train, 'test': test})} asks for fewer"
    )


def score_path(task: ScoreTask, folder: Path | None = None) -> Path:
    """One file for each measure, protocol and representation: what differs in a setting has another name."""
    metric, settings = protocol_of(task)
    points = task.protocol.points if metric.rows == "sample" else None
    protocol = metric.protocol(settings, seeded(task, metric), points)
    return (folder or task.folder) / "scores" / f"{protocol.replace('/', '-')}.json"


def _declaration(task: ScoreTask) -> Metric:
    metric: Metric = registry.load("metric", read_choice(task.metric).name).declaration
    return metric


def seeded(task: ScoreTask, metric: Metric) -> str:
    """The representation; of a measure over runs, with the set of their seeds, which belongs to the protocol."""
    if metric.scope == "run":
        return task.representation
    first, last = task.seeds[0], task.seeds[-1]
    whole = last - first + 1 == len(task.seeds) > 2
    return f"{task.representation}-seeds{f'{first}to{last}' if whole else 'x'.join(map(str, task.seeds))}"


def _write_score(
    task: ScoreTask,
    scored: Scored,
    values: Mapping[str, float],
    n: int,
    names: tuple[str, ...],
    seconds: float,
    matrix: Matrix | None = None,
) -> None:
    """Write a score beside each run that it is of, with the matrix of codes by factors that it came through."""
    metric, settings = protocol_of(task)
    codes = {f"s{seed}": codes_digest(folder) for seed, folder in zip(task.seeds, task.folders, strict=True)}
    for index, folder in enumerate(task.folders):
        path = score_path(task, folder)
        own = values
        if metric.scope == "configuration":
            own = {metric.headline: values[f"{metric.headline}_run_{index}"]} if values else {}
            # A score of the agreement with fewer or other runs is superseded.
            for other in path.parent.glob(f"{path.name.partition('-seeds')[0]}-seeds*.json"):
                if other != path:
                    other.unlink(missing_ok=True)
        protocol = metric.protocol(settings, seeded(task, metric), n)
        if metric.rows == "sample":
            _supersede(path, protocol)
        write_json(
            path,
            {
                "format": FORMAT,
                "metric": metric.name,
                "metric_version": metric.version,
                "metric_source": registry.file_digest("metric", metric.name),
                "codes": codes,
                "protocol": protocol,
                "representation": task.representation,
                "budget": task.protocol.budget,
                "settings": settings.plain(),
                **({} if registry.is_builtin("metric", metric.name) else {"measure": metric.described()}),
                "n": n,
                "evaluation_seed": task.protocol.seed,
                "factor_names": list(names),
                "status": scored.status,
                "reason": scored.reason,
                "values": {key: float(value) for key, value in own.items()},
                **({} if matrix is None else {"matrix": matrix.plain()}),
                **({"notes": list(scored.notes)} if scored.notes else {}),
                "seconds": seconds / len(task.folders),
            },
        )


def _supersede(path: Path, protocol: str) -> None:
    """Delete what another number of points asked for left under the same protocol: all rows, or no number at all."""
    for other in path.parent.glob(f"{path.name.rpartition('-n')[0]}-n*.json"):
        if other != path and read_json(other, MEND_SCORE)["protocol"] == protocol:
            other.unlink(missing_ok=True)


def fail(task: ScoreTask, reason: str | None) -> None:
    """Record a score that failed where no process could: its own was killed, or a piece of it cannot be had."""
    _write_score(task, Scored("failed", reason), {}, 0, (), 0.0)


def _is_scored(task: ScoreTask, retry_failed: bool) -> bool:
    """Whether a score is there, made by this version and seed, or what failed, unless that is tried again.

    One that is older than its measure's matrix is made again: of measures in pieces, if those are there.
    """
    metric = _declaration(task)
    for folder in task.folders:
        path = score_path(task, folder)
        if not path.exists():
            return False
        record = read_json(path, MEND_SCORE)
        check_format(record, path)
        if not {"evaluation_seed", "status"} <= record.keys():
            raise BenchmarkError(f"{path} lacks its seed or status; delete it and evaluate again")
        if record["evaluation_seed"] != task.protocol.seed or (retry_failed and record["status"] == "failed"):
            return False
        pieces = metric.pieces is None or (folder / "scores" / PIECES).is_dir()
        if pieces and _lacks_matrix(record, metric):
            return False
    return True


def _lacks_matrix(record: Mapping[str, Any], metric: Metric) -> bool:
    """Whether a score is older than the matrix of its measure."""
    return metric.has_matrix and record["status"] == "ok" and "matrix" not in record


def _stays(task: ScoreTask, metric: Metric) -> bool:
    """Whether a score whose pieces are not there is there itself and lacks nothing but its matrix."""
    path = score_path(task)
    if not path.exists():
        return False
    record = read_json(path, MEND_SCORE)
    return record.get("evaluation_seed") == task.protocol.seed and _lacks_matrix(record, metric)


class _Supplied(NamedTuple):
    """The arrays that a measure asks for, the number of rows of the first, the factors' names, and of a slice what else
    the measure is given and what is to be said."""

    arrays: list[Any]
    n: int
    names: tuple[str, ...]
    options: Mapping[str, Any]
    notes: tuple[str, ...]


def _supplied(task: ScoreTask, metric: Metric) -> _Supplied:
    if metric.scope == "configuration":
        _check_same_points(task.folders)
    parts = [_part_of(folder, task, metric) for folder in task.folders]
    columns = [_arrays_of(*each, task, metric) for each in zip(task.folders, parts, strict=True)]
    arrays, n = put_together(metric, columns)
    return _Supplied(arrays, n, parts[0].codes.factor_names, parts[0].options, parts[0].notes)


def _part_of(folder: Path, task: ScoreTask, metric: Metric) -> Slice:
    """A run's codes, or those of the slice that a task is of."""
    path = folder / "codes.safetensors"
    codes = load_codes(path)
    if task.representation not in SLICES:
        return Slice(codes)
    trained_on = read_arrays(path, {TRAINED_ON})[TRAINED_ON]
    return slice_of(codes, trained_on, task.representation, metric, protocol_of(task)[1], task.protocol.seed)


def put_together(metric: Metric, columns: Sequence[list[Any]]) -> tuple[list[Any], int]:
    """A measure's arrays from those of each of its runs, and the number of their rows."""
    if metric.scope == "run":
        (arrays,) = columns
        n = len(arrays[0])
    else:
        arrays = [_stacked(need, list(column)) for need, *column in zip(metric.needs, *columns, strict=True)]
        n = arrays[0].shape[1]
    if n < metric.minimum_rows:
        raise TooFewPoints(f"{n} points are fewer than the {metric.minimum_rows:,} that this measure needs", n)
    return arrays, n


def _check_same_points(folders: Sequence[Path]) -> None:
    """Raise `NotApplicable` where the runs of a configuration embedded different points of the data."""
    rows = [read_arrays(folder / "codes.safetensors", {"embedded_rows"}).get("embedded_rows") for folder in folders]
    if len({None if one is None else one.tobytes() for one in rows}) > 1:
        raise NotApplicable("the runs embedded different points: there is no common set to compare them on")


def _stacked(name: str, tables: list[Any]) -> ndarray | None:
    """One array of all runs, a leading axis for the runs; None where none has it."""
    if all(table is None for table in tables):
        return None
    if any(table is None or table.shape != tables[0].shape for table in tables):
        raise NotApplicable(f"the {name} of the configuration's runs differ in shape")
    return np.stack(tables)


def _arrays_of(folder: Path, part: Slice, task: ScoreTask, metric: Metric) -> list[Any]:
    names = metric.arrays(protocol_of(task)[1])
    beside: dict[str, Any] = read_arrays(folder / "codes.safetensors", {*names, "groups"} - OF_CODES)
    if "history" in metric.needs:
        beside["history"] = load_history(folder / "history.csv")
    return arrays_from(part.codes, beside, task, metric)


def arrays_from(codes: Codes, beside: Mapping[str, Any], task: ScoreTask, metric: Metric) -> list[Any]:
    """The arrays that a measure asks for, of codes and what stands beside them.

    Raises `NotApplicable` on one that it cannot do without and that is not there.
    """
    metric.check_judges(grouped=beside.get("groups") is not None)
    representation = codes.representations["mean" if task.representation in SLICES else task.representation]
    rows: ndarray | slice = slice(None)
    if metric.rows == "sample" and len(representation) > task.protocol.points:
        draw = stream("evaluation", "rows", task.protocol.seed)
        rows = np.sort(draw.choice(len(representation), task.protocol.points, replace=False))
    discrete = [size > 0 for size in codes.factor_sizes]
    offered: dict[str, Any] = {
        "codes": representation[rows],
        "means": codes.means[rows],
        "variances": None if codes.variances is None else codes.variances[rows],
        "samples": None if codes.samples is None else codes.samples[rows],
        "factors": encoded(codes.factors[rows], discrete) if discrete else None,
    }
    offered |= beside
    arrays: list[Any] = []
    for need, name in zip(metric.needs, metric.arrays(protocol_of(task)[1]), strict=True):
        value = offered.get(name)
        if value is None and need not in metric.optional:
            raise NotApplicable(MISSING.get(name, f"the codes come without {name.replace('_', ' ')}"))
        arrays.append(value)
    return arrays


OF_CODES = frozenset({"codes", "means", "variances", "samples", "factors", "history"})
"""What measures are given that is none of the arrays which `encode` reduced from the model."""

MISSING = {
    "factors": "the dataset knows no factors",
    "variances": "the posterior is not a diagonal Gaussian (a deterministic encoder, a full covariance), or its"
    " variances are not given",
    "history": "the model is not trained step by step: there is no history",
    "samples": "the encoder is deterministic, or no samples are given",
    "v": "there is no decoder to differentiate, or its singular vectors are not given",
    "v_logits": "there is no decoder to differentiate, or the singular vectors of its logits are not given",
    "log_weights": "there is no stochastic encoder with a likelihood, or the suite keeps none of its importance weights"
    " (encoding.likelihood_points)",
    "decoder_weights": "there is no decoder that begins with a linear layer",
    "corruption_clean": "the data are not images, or the model has codes for the points alone that it was fitted to",
    "gradient_variance_score": "the posterior is not a diagonal Gaussian under a normal prior",
    "reconstruction_mean": "the model has no likelihood of the data",
    "reconstruction_sample": "the encoder is deterministic, or the model has no likelihood of the data",
}


@lru_cache(maxsize=1)
def load_codes(path: Path) -> Codes:
    """A run's codes, kept for the next tasks of the same run."""
    return Codes.load(path, set())


def load_history(path: Path) -> dict[str, ndarray] | None:
    """The columns of a run's history; NaN where a row has no value. None where there is no history."""
    if not path.exists():
        return None
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0]} if rows else None


def _header(path: Path) -> set[str]:
    """Which optional representations a codes file holds; a slice is one."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            held = set(file.keys())
            found = {"sample"} if "samples" in held else set()
            return found | set(SLICES if f"arrays.{TRAINED_ON}" in held else ())
    except (SafetensorError, OSError) as error:
        raise BenchmarkError(f"{path} cannot be read as codes ({error}); delete its run folder and rerun") from None


def _piece_path(task: ScoreTask, name: str) -> Path:
    """Where a piece lies: named by what decides its value, so that measures share it."""
    metric = _declaration(task)
    rows = f"n{task.protocol.points}-s{task.protocol.seed}" if metric.rows == "sample" else "all"
    return task.folder / "scores" / PIECES / f"{name}-{task.representation}-{rows}.json"


def _write_piece(task: ScoreTask, value: Mapping[str, Any], seconds: float) -> None:
    assert task.piece is not None
    write_json(_piece_path(task, task.piece), {"format": FORMAT, "value": dict(value), "seconds": seconds})


def _read_piece(task: ScoreTask, name: str) -> dict[str, Any] | None:
    path = _piece_path(task, name)
    return read_json(path, MEND_SCORE) if path.exists() else None

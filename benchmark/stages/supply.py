"""What a measure is given: the arrays that it needs, of one run or of several, and why one cannot be had."""

from __future__ import annotations

import copy
import csv
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from benchmark import registry
from benchmark.codes import FACTORS_BESIDE, TRAINED_ON, Codes, read_arrays
from benchmark.errors import BenchmarkError, NotApplicable, TooFewPoints
from benchmark.kinds import encoded
from benchmark.metrics._declare import Metric
from benchmark.seeds import stream
from benchmark.stages.score_task import ScoreTask, protocol_of
from benchmark.stages.slices import SLICES, Slice, slice_of


class Supplied(NamedTuple):
    """The arrays that a measure asks for, the number of rows of the first, the factors' names, and of a slice what else
    the measure is given and what is to be said."""

    arrays: list[Any]
    n: int
    names: tuple[str, ...]
    options: Mapping[str, Any]
    notes: tuple[str, ...]


def supplied_to(task: ScoreTask, metric: Metric) -> Supplied:
    if metric.scope == "configuration":
        _check_same_points(task.folders)
    parts = [part_of(folder, task, metric) for folder in task.folders]
    columns = [_arrays_of(*each, task, metric) for each in zip(task.folders, parts, strict=True)]
    arrays, n = put_together(metric, columns)
    return Supplied(arrays, n, parts[0].codes.factor_names, parts[0].options, parts[0].notes)


def part_of(folder: Path, task: ScoreTask, metric: Metric) -> Slice:
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
    names = metric.arrays(protocol_of(task)[1])
    if not FACTORS_BESIDE.isdisjoint(names):
        offered |= _of_corrupted(beside, discrete)
    arrays: list[Any] = []
    for need, name in zip(metric.needs, names, strict=True):
        value = offered.get(name)
        if value is None and need not in metric.optional:
            raise NotApplicable(MISSING.get(name, f"the codes come without {name.replace('_', ' ')}"))
        arrays.append(value)
    # Measures share these arrays. Built-in ones are known to leave them alone; what others write goes into copies.
    return arrays if registry.is_builtin("metric", metric.name) else copy.deepcopy(arrays)


def _of_corrupted(beside: Mapping[str, Any], discrete: Sequence[bool]) -> dict[str, ndarray]:
    """The factors of the points that were corrupted and of those to learn from, together, so that a value stays one."""
    tables = {name: beside[name] for name in sorted(FACTORS_BESIDE) if beside.get(name) is not None}
    if not tables or not discrete:
        return {}
    for name, table in tables.items():
        if table.shape[1] != len(discrete):
            raise NotApplicable(f"{name} hold {table.shape[1]} factors, and the codes come with {len(discrete)}")
    ends = np.cumsum([len(table) for table in tables.values()])[:-1]
    return dict(zip(tables, np.split(encoded(np.concatenate(list(tables.values())), discrete), ends), strict=True))


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


def names_in(path: Path) -> set[str]:
    """Which optional representations a codes file holds; a slice is one."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            held = set(file.keys())
            found = {"sample"} if "samples" in held else set()
            return found | set(SLICES if f"arrays.{TRAINED_ON}" in held else ())
    except (SafetensorError, OSError) as error:
        raise BenchmarkError(f"{path} cannot be read as codes ({error}); delete its run folder and rerun") from None

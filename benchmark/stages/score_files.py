"""Where scores and the pieces of measures lie beside a run, and which of them hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmark import registry
from benchmark.errors import BenchmarkError
from benchmark.integrity.run_seal import MEND_SCORE, codes_digest
from benchmark.metrics._declare import Metric
from benchmark.metrics._matrix import Matrix
from benchmark.stages.score_task import Scored, ScoreTask, declaration_of, protocol_of, seeded
from benchmark.store import FORMAT, check_format, read_json, write_json

PIECES = ".pieces"
"""The folder beside scores in which the pieces of measures lie."""


def score_path(task: ScoreTask, folder: Path | None = None) -> Path:
    """One file for each measure, protocol and representation: what differs in a setting has another name."""
    metric, settings = protocol_of(task)
    points = task.protocol.points if metric.rows == "sample" else None
    protocol = metric.protocol(settings, seeded(task, metric), points)
    return (folder or task.folder) / "scores" / f"{protocol.replace('/', '-')}.json"


def write_score(
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
    write_score(task, Scored("failed", reason), {}, 0, (), 0.0)


def is_scored(task: ScoreTask, retry_failed: bool) -> bool:
    """Whether a score is there, made by this version and seed, or what failed, unless that is tried again.

    One that is older than its measure's matrix is made again: of measures in pieces, if those are there.
    """
    metric = declaration_of(task)
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


def stays(task: ScoreTask, metric: Metric) -> bool:
    """Whether a score whose pieces are not there is there itself and lacks nothing but its matrix."""
    path = score_path(task)
    if not path.exists():
        return False
    record = read_json(path, MEND_SCORE)
    return record.get("evaluation_seed") == task.protocol.seed and _lacks_matrix(record, metric)


def piece_path(task: ScoreTask, name: str) -> Path:
    """Where a piece lies: named by what decides its value, so that measures share it."""
    metric = declaration_of(task)
    rows = f"n{task.protocol.points}-s{task.protocol.seed}" if metric.rows == "sample" else "all"
    return task.folder / "scores" / PIECES / f"{name}-{task.representation}-{rows}.json"


def write_piece(task: ScoreTask, value: Mapping[str, Any], seconds: float) -> None:
    assert task.piece is not None
    write_json(piece_path(task, task.piece), {"format": FORMAT, "value": dict(value), "seconds": seconds})


def read_piece(task: ScoreTask, name: str) -> dict[str, Any] | None:
    path = piece_path(task, name)
    return read_json(path, MEND_SCORE) if path.exists() else None

"""Which code is which factor in the runs that stand for configurations: their matrices and scores per factor."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark.archive.manifest import MATRICES
from benchmark.archive.opening import Archive
from benchmark.archive.public import without_places
from benchmark.errors import BenchmarkError, UsageError
from benchmark.integrity.run_seal import MEND_SCORE, SCORES
from benchmark.integrity.sealed import parse_json, read_json, write_json
from benchmark.metrics._matrix import Matrix
from benchmark.table import split_key

Record = Mapping[str, Any]
OF_SCORE = (
    "metric", "metric_version", "codes", "protocol", "representation", "budget", "n", "evaluation_seed", "factor_names",
    "status", "reason",
)  # fmt: skip
"""What is kept of a score besides its matrix and its values of single factors."""
REPRESENTATION = "mean"
MOST_CODES = 1_000_000
LONGEST = 200
"""Letters of a file's name."""


def kept_scores(folder: Path) -> list[dict[str, Any]]:
    """A run's scores of its mean codes as far as they are of single factors, one by one."""
    found = []
    for path in sorted((folder / SCORES).glob("*.json")):
        score = read_json(path, MEND_SCORE)
        if score["representation"] == REPRESENTATION:
            found.append(_kept(score))
    return [score for score in found if "matrix" in score or score["values"] or score["status"] != "ok"]


def _kept(score: Record) -> dict[str, Any]:
    kept = {name: score[name] for name in OF_SCORE if name in score}
    kept["reason"] = without_places(score["reason"]) if score["reason"] else None
    kept["values"] = {key: value for key, value in score["values"].items() if _of_a_factor(key)}
    return kept | ({"matrix": score["matrix"]} if "matrix" in score else {})


def _of_a_factor(key: str) -> bool:
    """Whether a value is of one factor, and not at a number of labels."""
    _, budget, factor = split_key(key)
    return factor is not None and budget is None


def scores_by_run(archive: Archive) -> dict[str, Sequence[Record]]:
    """The kept scores by run id; none of an archive that is older than they. Raises `UsageError` on what is none."""
    if not archive.holds(MATRICES):
        return {}
    where = f"{archive.place.where}: {MATRICES}"
    runs = parse_json(archive.read(MATRICES), where).get("runs")
    if not isinstance(runs, dict) or not all(isinstance(scores, list) for scores in runs.values()):
        raise UsageError(f"{where} lists no scores by run; get the archive again")
    for run_id, scores in runs.items():
        for score in scores:
            if wrong := _wrong(score):
                raise UsageError(f"{where}: a score of {run_id!a:.80} {wrong}; get the archive again")
    return runs


def _wrong(score: object) -> str | None:
    """Why something is no kept score; None where it is one. What strangers hand in is looked at before it is drawn."""
    if not isinstance(score, dict) or not {*OF_SCORE, "values"} - {"codes", "factor_names"} <= score.keys():
        return "lacks what a score says of itself"
    names = score.get("factor_names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return "has factors without names"
    if not all(isinstance(score[name], str) for name in ("metric", "protocol", "representation", "status")):
        return "names no measure and protocol"
    values = score["values"]
    if type(score["n"]) is not int or not isinstance(values, dict) or not all(map(_is_number, values.values())):
        return "has values that are no numbers"
    if "matrix" in score:
        return _wrong_matrix(score["matrix"], len(names))
    return None


def _wrong_matrix(plain: Any, factors: int) -> str | None:
    try:
        matrix = Matrix.read(plain)
    except (BenchmarkError, AttributeError) as error:
        return f"has no matrix ({error})"
    if not all(0 <= factor < max(factors, 1) for factor in matrix.factors) or not all(
        0 <= code < MOST_CODES for code in matrix.codes
    ):
        return "has a matrix of codes and factors that are not there"
    return None if len(matrix.codes) and len(matrix.factors) else "has an empty matrix"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def write_scores(scores: Sequence[Record], folder: Path) -> None:
    """Lay kept scores out beside a run, as `evaluate` names them."""
    for score in scores:
        name = re.sub(r"[^\w.,=+-]", "-", str(score["protocol"]))[:LONGEST]
        (folder / SCORES).mkdir(exist_ok=True)
        write_json(folder / SCORES / f"{name}.json", score)

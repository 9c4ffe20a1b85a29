"""What a run's scores say of single factors: its matrices of codes by factors, and its scores per factor."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.integrity.run_seal import MEND_SCORE, SCORES
from benchmark.integrity.sealed import read_json
from benchmark.stages.matrices import MEASURES, CodesByFactors, of_score
from benchmark.table import split_key
from leaderboard.columns import title

Record = Mapping[str, Any]
REPRESENTATION = "mean"
"""The representation that the first leaderboard shows, too."""


@dataclass(frozen=True)
class FactorScore:
    """A score per factor, by the factor's name, and the protocol that it is of."""

    title: str
    protocol: str
    values: Mapping[str, float]


def read_scores(folder: Path) -> list[Record]:
    """The scores of a run's mean codes, one a measure: those of the full budget, of the most points, first.

    Raises `BenchmarkError` on one that was altered.
    """
    found = [read_json(path, MEND_SCORE) for path in sorted((folder / SCORES).glob("*.json"))]
    own = [record for record in found if record["representation"] == REPRESENTATION]
    first: dict[str, Record] = {}
    for record in sorted(own, key=_rank):
        first.setdefault(record["metric"], record)
    return list(first.values())


def _rank(record: Record) -> tuple[bool, bool, bool, int, str]:
    """A number before none; then one with a matrix, of the full budget, of more points."""
    return (
        record["status"] != "ok",
        "matrix" not in record,
        record.get("budget") != "full",
        -int(record["n"]),
        str(record["protocol"]),
    )


def matrices(scores: Iterable[Record]) -> list[CodesByFactors]:
    """Those that are there, in the order in which they are shown."""
    by_metric = {record["metric"]: record for record in scores if "matrix" in record}
    return [of_score(by_metric[metric], {}) for metric in MEASURES.values() if metric in by_metric]


def absent(scores: Iterable[Record]) -> dict[str, str]:
    """The kinds of which there is no matrix, each with the reason."""
    by_metric = {record["metric"]: record for record in scores}
    found = {}
    for kind, metric in MEASURES.items():
        record = by_metric.get(metric)
        if record is None:
            found[kind] = f"{metric} was not asked for"
        elif record["status"] != "ok":
            found[kind] = str(record["reason"])
        elif "matrix" not in record:
            found[kind] = (
                f"the score is older than matrices, and evaluate finds nothing to make one of; after benchmark forget"
                f" SUITE --metric {metric} it computes both"
            )
    return found


def factor_scores(scores: Sequence[Record]) -> list[FactorScore]:
    """Every score of single factors but those at a number of labels, by measure."""
    found = []
    for record in sorted(scores, key=lambda record: str(record["metric"])):
        by_score: dict[str, dict[str, float]] = {}
        names = record.get("factor_names", [])
        for key, value in record["values"].items():
            score, budget, factor = split_key(key)
            if factor is not None and budget is None and factor < len(names) and math.isfinite(value):
                by_score.setdefault(score, {})[names[factor]] = value
        found += [FactorScore(title(score), record["protocol"], values) for score, values in by_score.items()]
    return found

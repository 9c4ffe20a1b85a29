"""An archive's scores and runs as tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.archive.manifest import MEASURES, RUNS, SCORES, SINGLE
from benchmark.archive.opening import Archive, open_archive
from benchmark.errors import UsageError
from benchmark.integrity.sealed import parse_json
from benchmark.metrics._declare import Metric
from benchmark.spec import Run
from benchmark.table import COLUMNS, as_results, merge_tables

if TYPE_CHECKING:
    from pandas import DataFrame

OF_RUN = (
    "dataset_label",
    "label",
    "reference",
    "parameters",
    "training_seconds",
    "encoding_seconds",
    "commit",
    "device",
)
"""What stands beside every score of its run."""


def load_results(where: str | Path, *, single: bool = False) -> DataFrame:
    """The published scores of a leaderboard, a row a score, as numbers or with the reason why there is none.

    where: a name such as "quickstart" or "quickstart/1" (the highest version without one), a folder, a zip file, or
    the http(s) address of one version. single: also the scores of single factors, coordinates, codes and runs.
    The columns are those of a results table (`benchmark.table.COLUMNS`), and of each run its configuration's `label`
    and `dataset_label`, as on the page, its cost and where it was made.
    Raises `UsageError` on what is no archive, `BenchmarkError` on one that was altered.
    """
    archive = open_archive(where)
    scores = scores_of(archive, single=single)
    return scores.merge(runs_of(archive)[["run_id", *OF_RUN]], on="run_id", how="left", validate="many_to_one")


def scores_of(archive: Archive, *, single: bool = False) -> DataFrame:
    """An archive's results table."""
    names = [SCORES, *([SINGLE] if single and archive.holds(SINGLE) else [])]
    tables = [as_results(archive.frame(name, COLUMNS), f"{archive.place.where}: {name}") for name in names]
    return merge_tables(tables) if len(tables) > 1 else tables[0]


def runs_of(archive: Archive) -> DataFrame:
    """An archive's runs, a row each: what `OF_RUN` names, `run_id`, `config_id`, `seed`, `shown`, whether its
    configuration's weights are this run's, `chosen_by`, why it stands for its configuration where it does, and
    `record`, what is public of its run.json."""
    return archive.frame(RUNS, ["run_id", "config_id", "seed", "shown", "chosen_by", "record", *OF_RUN])


def read_run(text: str, where: str) -> Run:
    """The run that a row's `record` describes. Raises `UsageError` on any other text."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError(f"{where}: its record is no JSON") from None
    return Run.from_json(record.get("run") if isinstance(record, dict) else None, f"{where}: run")


def foreign_measures(archive: Archive) -> dict[str, Metric]:
    """The measures of an archive that are not part of this package, as far as it describes them."""
    record = parse_json(archive.read(MEASURES), f"{archive.place.where}: {MEASURES}")
    return {name: Metric.absent(name, described) for name, described in record["measures"].items()}

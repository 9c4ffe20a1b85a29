"""An archive's scores and runs as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import registry
from benchmark.archive.columns import Kind, read_public, with_kinds
from benchmark.archive.manifest import FLOAT16, HISTORIES, MEASURES, RUNS, SCORES, SINGLE, SUITE
from benchmark.archive.opening import Archive, open_archive
from benchmark.errors import UsageError
from benchmark.integrity.sealed import parse_json
from benchmark.metrics._declare import Metric
from benchmark.spec import Run
from benchmark.suite import EvaluationSettings, parse_evaluation
from benchmark.table import COLUMNS, as_results, merge_tables

if TYPE_CHECKING:
    from pandas import DataFrame

OF_RUN: dict[str, Kind] = {
    "dataset_label": "text",
    "label": "text",
    "reference": "flag",
    "parameters": "whole?",
    "training_seconds": "number?",
    "encoding_seconds": "number?",
    "commit": "text?",
    "device": "text?",
}
"""What stands beside every score of its run."""
RUN_COLUMNS: dict[str, Kind] = {
    "run_id": "text", "config_id": "text", "seed": "whole", "shown": "flag", "chosen_by": "text?", "record": "text",
    **OF_RUN,
}  # fmt: skip
MOVED_COLUMNS: dict[str, Kind] = {
    "config_id": "text", "run_id": "text", "points": "whole", "codes_difference": "number", "codes_deviation": "number",
}  # fmt: skip


def load_results(where: str | Path, *, single: bool = False) -> DataFrame:
    """The published scores of a leaderboard, a row a score, as numbers or with the reason why there is none.

    where: a name such as "dsprites-core", whose highest version is meant, or "dsprites-core/1", which stays that
    version whatever is published later; a folder, a zip file, or the http(s) address of one version.
    single: also the scores of single factors, coordinates, codes and runs.
    The columns are those of a results table (`benchmark.table.COLUMNS`), and of each run its configuration's `label`
    and `dataset_label`, as on the page, its cost and where it was made. The table's `attrs["archive"]` is the version
    that was read, such as dsprites-core/1.
    Raises `UsageError` on what is no archive, `BenchmarkError` on one that was altered.
    """
    archive = open_archive(where)
    scores = scores_of(archive, single=single)
    found = scores.merge(runs_of(archive)[["run_id", *OF_RUN]], on="run_id", how="left", validate="many_to_one")
    found.attrs["archive"] = archive.manifest.title
    return found


def scores_of(archive: Archive, *, single: bool = False) -> DataFrame:
    """An archive's results table."""
    names = [SCORES, *([SINGLE] if single and archive.holds(SINGLE) else [])]
    tables = [as_results(archive.frame(name, COLUMNS), f"{archive.place.where}: {name}") for name in names]
    return merge_tables(tables) if len(tables) > 1 else tables[0]


def runs_of(archive: Archive) -> DataFrame:
    """An archive's runs, a row each: what `OF_RUN` names, `run_id`, `config_id`, `seed`, `shown`, whether its
    configuration's weights are this run's, `chosen_by`, why it stands for its configuration where it does, and
    `record`, what is public of its run.json."""
    return with_kinds(archive.frame(RUNS), RUN_COLUMNS, f"{archive.place.where}: {RUNS}")


def read_run(text: str, where: str) -> Run:
    """The run that a row's `record` describes. Raises `UsageError` on any other text."""
    return Run.from_json(read_public(text, where).get("run"), f"{where}: run")


def histories_of(archive: Archive) -> DataFrame | None:
    """The training histories of an archive's runs, numbers by step; None where it holds none."""
    if not archive.holds(HISTORIES):
        return None
    frame = archive.frame(HISTORIES)
    kinds: dict[str, Kind] = {str(name): "number?" for name in frame}
    return with_kinds(frame, kinds | {"run_id": "text"}, f"{archive.place.where}: {HISTORIES}")


def moved_of(archive: Archive) -> DataFrame | None:
    """What half precision moves in an archive's networks; None where it does not say."""
    if not archive.holds(FLOAT16):
        return None
    frame = archive.frame(FLOAT16)
    scores = {str(name).removesuffix("_float16") for name in frame if str(name).endswith("_float16")}
    kinds: dict[str, Kind] = {name: "number?" for score in sorted(scores) for name in (score, f"{score}_float16")}
    return with_kinds(frame, kinds | MOVED_COLUMNS, f"{archive.place.where}: {FLOAT16}")


def evaluation_said(archive: Archive) -> EvaluationSettings:
    """How the suite of an archive says that its runs are scored. Raises `UsageError` where it is no suite's text."""
    where = f"{archive.place.where}: {SUITE}"
    try:
        text = archive.read(SUITE).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{where} is no text in UTF-8 (byte {error.start}); get the archive again") from None
    return parse_evaluation(text, where)


def described_measures(archive: Archive) -> dict[str, Any]:
    """What an archive says of measures that are not part of this package, by name, as it stands there."""
    where = f"{archive.place.where}: {MEASURES}"
    described = parse_json(archive.read(MEASURES), where).get("measures")
    if not isinstance(described, dict):
        raise UsageError(f"{where} lists no measures; get the archive again")
    return described


def foreign_measures(archive: Archive) -> dict[str, Metric]:
    """The measures of an archive that are not part of this package, as far as it describes them. What it says of those
    that are is not heard: it would turn their direction, and that of all scores beside them."""
    where = f"{archive.place.where}: {MEASURES}"
    found = {}
    for name, described in described_measures(archive).items():
        if registry.is_builtin("metric", name):
            continue
        try:
            found[name] = Metric.absent(name, described)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(f"{where} describes a measure {name!a:.80} that is none ({error})") from None
    return found

"""Runs, histories and scores of a suite as CSV files that need nothing else to be read, with a line for each column."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.errors import UsageError
from benchmark.integrations.exported import Exported
from benchmark.integrations.outcome import Outcomes
from benchmark.table import COLUMNS, write_csv
from benchmark.text import check_replaced

OF_RUN = {
    "run_id": "a run: its configuration and its seed",
    "config_id": "a configuration: a hash of its settings and of the versions of its parts; its runs differ in seed",
    "suite": "the suite that planned the run",
    "dataset": "the dataset's name",
    "dataset_label": "the dataset's name, with the settings that tell it from others of the suite",
    "model": "the model's name",
    "label": "the model's name, with the settings that tell it from others of the suite",
    "network": "the network's name; empty where there is none",
    "seed": "the run's seed",
    "status": "finished or failed",
    "reason": "why it failed; empty of a finished run",
    "parameters": "how many numbers are trained; empty where unknown",
    "training_seconds": "process time of training, in seconds; empty of codes from elsewhere",
    "encoding_seconds": "process time of encoding, in seconds; empty of codes from elsewhere",
    "scoring_seconds": "process time of all scores, in seconds",
    "commit": "the program's version, as git tells it; empty where it does not",
    "device": "what it was trained on",
    "started": "when training began, in UTC",
    "finished": "when the run was finished, in UTC",
}
OF_HISTORY = {
    "run_id": OF_RUN["run_id"],
    "step": "gradient steps so far",
    "term": "what was logged: loss, a term of it, or probe_kl_J (KL of coordinate J on fixed points), active, delta_kl",
    "value": "its mean since the row before, or its state at this step; empty where it was no number",
}
OF_SCORE = {
    **{name: OF_RUN[name] for name in ("run_id", "config_id", "suite", "dataset", "model", "network", "seed")},
    "dataset_version": "the version of the dataset's code",
    "model_version": "the version of the model's code",
    "settings": "all settings of dataset, model, network and training, as JSON",
    "metric": "the measure's name",
    "metric_version": "the version of the measure's code",
    "protocol": "all that implementations of the measure differ in: only scores of one protocol are compared",
    "score": "which of the measure's scores it is",
    "factor": "the single factor that it is of; empty of a score of all",
    "budget": "how many labels the score had; empty where that is not asked",
    "representation": "what was scored: mean or sample of the posterior, or seen or unseen combinations of factors",
    "value": "the score; empty where there is none",
    "status": "ok, not_applicable or failed",
    "reason": "why there is no score; empty where there is one",
    "n": "how many points were scored",
    "evaluation_seed": "the seed of what the measure draws",
    "seconds": "process time of the measure, in seconds; the same in all rows of one protocol",
}


def export_tables(runs: Iterable[Exported], folder: Path) -> Outcomes:
    """Write runs.csv, histories.csv and scores.csv of these runs, and columns.csv, which says what each column is.

    Raises `UsageError` where the folder is a file.
    """
    found = list(runs)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--output {folder}: a file; name a folder")
    tables = {"runs.csv": run_table(found), "histories.csv": history_table(found), "scores.csv": score_table(found)}
    tables |= {"columns.csv": column_table(tables)}
    for name, table in tables.items():
        check_replaced(folder / name, ("run_id",) if name == "runs.csv" else table.columns)
    for name, table in tables.items():
        write_csv(table, folder / name)
    for run in found:
        yield run, "exported"


def run_table(runs: Iterable[Exported]) -> pd.DataFrame:
    """A row a run: its ids, how it ended, its costs, and every setting as model.beta."""
    rows: list[dict[str, Any]] = []
    for run in runs:
        settings = {name: _cell(value) for name, value in run.settings.items() if "." in name}
        origin = {name: run.origin.get(name) for name in ("commit", "device", "started", "finished")}
        about = {
            "run_id": run.run_id,
            "config_id": run.run.config_id,
            "suite": run.suite,
            "dataset": run.run.dataset.name,
            "dataset_label": run.dataset_label,
            "model": run.run.model.name,
            "label": run.label,
            "network": run.run.network.name if run.run.network else None,
            "seed": run.run.seed,
            "status": run.status,
            "reason": run.reason,
        }
        costs = {name: int(value) if name == "parameters" else value for name, value in run.costs.items()}
        rows.append(dict.fromkeys(OF_RUN) | about | costs | origin | settings)
    names = dict.fromkeys(name for row in rows for name in row)
    return pd.DataFrame({name: _column([row.get(name) for row in rows]) for name in names})


def history_table(runs: Iterable[Exported]) -> pd.DataFrame:
    """A row for each number that was logged."""
    long = [
        run.history.assign(run_id=run.run_id).melt(["run_id", "step"], var_name="term", value_name="value")
        for run in runs
        if run.history is not None
    ]
    return pd.concat(long, ignore_index=True) if long else pd.DataFrame(columns=list(OF_HISTORY))


def score_table(runs: Iterable[Exported]) -> pd.DataFrame:
    """A row a score: those of the results table."""
    return pd.concat([run.scores for run in runs], ignore_index=True)[list(COLUMNS)]


def column_table(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """A row a column: its file, its name, and what it is."""
    known = {"runs.csv": OF_RUN, "histories.csv": OF_HISTORY, "scores.csv": OF_SCORE}
    rows = [
        {"file": file, "column": column, "meaning": known[file].get(str(column)) or _of_setting(str(column))}
        for file, table in tables.items()
        for column in table
    ]
    return pd.DataFrame(rows)


def _of_setting(column: str) -> str:
    part, _, setting = column.partition(".")
    if setting == "version":
        return f"the version of the {part}'s code"
    if part == "training":
        return "a setting of the optimiser; empty where nothing is trained"
    return f"the {part}'s setting of this name, as benchmark show {part} NAME says; empty where it has none"


def _column(values: list[Any]) -> pd.Series:
    """Whole numbers stay what they are beside runs that have none."""
    whole = all(value is None or type(value) is int for value in values)
    return pd.Series(values, dtype="Int64" if whole else "object")


def _cell(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value

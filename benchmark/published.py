"""Published results: small tables that ship with the package, and the anchors' scores on dSprites among them."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.atomic import write_atomically
from benchmark.text import check_replaced

ANCHORS = "anchors"
"""The suite whose summary says where every measure's floor and ceiling lie."""
ORDER = ("perfect", "perfect_dead", "rotated", "noise", "pca", "untrained")
"""The anchors from the ceiling down."""
KEY = ["dataset", "metric", "protocol", "score", "budget", "representation", "model", "label"]
OF_ONE = re.compile(r"_(?:coordinate|code|run)_\d+$")
"""Scores of a single coordinate, code or run, which no summary lists."""


def folder() -> Path:
    """Where the published tables lie: inside the installed package, or in the results folder of a source tree."""
    installed = Path(__file__).parent / "published"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "results" / "published"


def of_all(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of a results table but for those of single factors, coordinates, codes and runs."""
    return table[table["factor"].isna() & ~table["score"].str.contains(OF_ONE)]


def summarise(table: pd.DataFrame, configurations: pd.DataFrame) -> pd.DataFrame:
    """One row a configuration and score over its runs: `mean`, `std`, `low` and `high`, or the `reason`.

    configurations: `config_id` with its `label` and the `dataset_label`, which both tell apart what has the same name.
    Scores of single factors, coordinates, codes and runs are left out; `std` is empty with fewer than two runs.
    """
    rows = of_all(table).merge(configurations[["config_id", "label", "dataset_label"]], on="config_id")
    rows = rows.assign(dataset=rows["dataset_label"])
    # A score that cannot be had says n = 0 in its protocol where it failed early; its status is what matters here.
    grouped = rows.groupby([*KEY, "status"], dropna=False, sort=False)
    found = grouped.agg(
        runs=("run_id", "nunique"),
        mean=("value", "mean"),
        std=("value", "std"),
        low=("value", "min"),
        high=("value", "max"),
        reason=("reason", "first"),
    )
    return found.reset_index().sort_values(KEY, kind="stable", ignore_index=True)


def publish(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table to keep as CSV, numbers to seven digits. Raises `UsageError` on a file of other columns there."""
    check_replaced(path, frame.columns)
    write_atomically(path, lambda scratch: frame.to_csv(scratch, index=False, float_format="%.7g"))
    return path


def anchors(metric: str) -> pd.DataFrame:
    """The anchors' published scores of one measure, by `summarise`'s columns; empty where none are published."""
    rows = _all_anchors()
    rows = rows[rows["metric"] == metric]
    order = rows["model"].map({name: place for place, name in enumerate(ORDER)})
    return rows.assign(order=order).sort_values([*KEY[1:-2], "order"], kind="stable", ignore_index=True)


@cache
def _all_anchors() -> pd.DataFrame:
    """The whole table, read once: a page asks for every column of every board."""
    path = folder() / f"{ANCHORS}-summary.csv"
    if not path.exists():
        return pd.DataFrame(columns=[*KEY, "status", "runs", "mean", "std", "low", "high", "reason"])
    return pd.read_csv(path, dtype={"budget": "Int64"})


def spelled(row: pd.Series) -> str:
    """One anchor's score for people: its mean, with the range over runs where there are several that differ."""
    if row["status"] != "ok":
        return "n/a" if row["status"] == "not_applicable" else "failed"
    mean = f"{row['mean']:.3f}" if abs(row["mean"]) < 100 else f"{row['mean']:.0f}"
    if row["runs"] < 2 or np.isclose(row["low"], row["high"], atol=5e-4):
        return mean
    return f"{mean} ({row['low']:.3f} to {row['high']:.3f})"

"""Margins from reruns: how far a suite's scores move when nothing changes but the seeds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from benchmark.errors import UsageError
from benchmark.metrics._declare import Metric
from benchmark.stages.aggregate import headline_rows

KEY = ["config_id", "metric", "protocol", "score", "budget", "representation"]
"""What two tables share where they hold the same score of the same configuration."""
COLUMNS = [*KEY, "dataset", "configuration", "seeds", "mean", "deviation"]


def seed_deviations(table: pd.DataFrame, declarations: Mapping[str, Metric]) -> pd.DataFrame:
    """A row for each headline score of each configuration: over how many `seeds`, its `mean` and `deviation` (n − 1).

    Scores of fewer than two seeds are left out. Raises `UsageError` where that leaves none.
    """
    rows = headline_rows(table, declarations)
    grouped = rows[rows["status"] == "ok"].groupby(KEY, dropna=False, sort=True)
    found = grouped.agg(
        dataset=("dataset_label", "first"),
        configuration=("label", "first"),
        seeds=("value", "size"),
        mean=("value", "mean"),
        deviation=("value", "std"),
    ).reset_index()
    found = found[found["seeds"] > 1]
    if found.empty:
        raise UsageError("margins are what seeds differ by, and no score has two; run the suite with --seeds 5 or more")
    order = ["dataset", "configuration", "metric", "representation", "protocol", "score", "budget"]
    return found.sort_values(order, ignore_index=True)[COLUMNS]


def beside(reference: Path) -> Path:
    """Where the margins of a saved table lie: `quickstart-margins.csv` beside `quickstart.csv`."""
    return reference.with_name(f"{reference.stem}-margins.csv")


def read_margins(path: Path) -> pd.DataFrame:
    """Read what `benchmark publish` wrote of them. Raises `UsageError` on a file that is not such a table."""
    if not path.is_file():
        raise UsageError(f"{path} is not there; benchmark publish SUITE --as margins writes one from reruns")
    try:
        frame = pd.read_csv(
            path, dtype={"budget": "Int64", "seeds": "int64", "mean": "float64", "deviation": "float64"}
        )
    except (ValueError, OSError) as error:
        raise UsageError(f"{path} cannot be read as a table of margins ({error})") from None
    missing = [name for name in COLUMNS if name not in frame]
    if missing:
        raise UsageError(f"{path} is not a table of margins: it lacks the columns {', '.join(missing)}")
    wrong = frame[frame.duplicated(KEY) | ~(frame["deviation"] >= 0) | (frame["seeds"] < 2)]
    if len(wrong):
        row = wrong.iloc[0]
        raise UsageError(
            f"{path}: {row['score']} of {row['configuration']} on {row['dataset']} stands there twice or without a "
            f"deviation over at least two seeds; write the file again by benchmark publish SUITE --as margins"
        )
    return frame

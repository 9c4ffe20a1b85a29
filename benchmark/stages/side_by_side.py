"""Two configurations of one results table score by score, with a test of each difference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.stages.aggregate import headline_rows
from benchmark.stages.measures import measures_of
from benchmark.statistics import holm, welch_p
from benchmark.table import read_table

KEY = ["metric", "protocol", "representation", "column"]
LEAST = 2
"""Seeds that a model needs for a test: one says nothing of how far seeds scatter."""


def side_by_side(path: Path, a: Sequence[str], b: Sequence[str]) -> list[dict[str, Any]]:
    """A record for each headline score of either side's runs, given by their ids.

    `difference` is b − a in the score's unit, `better` the side ("a" or "b") that the score's direction favours. `p` is
    Welch's two-sided p that the means over seeds are equal, adjusted by Holm over all records that have one; None where
    a side has fewer than LEAST seeds. What has no number on a side says why in `reason`.
    """
    table = read_table(path.with_suffix(".parquet"))
    table = table[table["run_id"].isin([*a, *b])]
    rows = headline_rows(table, measures_of(table, ()))
    found = [_record(dict(zip(KEY, key, strict=True)), group, a, b) for key, group in rows.groupby(KEY, sort=False)]
    tested = [record for record in found if record["p"] is not None]
    for record, p in zip(tested, holm(np.array([record["p"] for record in tested])), strict=True):
        record["p"] = float(p)
    return sorted(found, key=lambda record: (record["difference"] is None, record["metric"], record["representation"]))


def _record(key: dict[str, Any], rows: pd.DataFrame, a: Sequence[str], b: Sequence[str]) -> dict[str, Any]:
    sides = {side: rows[rows["run_id"].isin(runs)] for side, runs in (("a", a), ("b", b))}
    values = {side: own.loc[own["status"] == "ok", "value"].to_numpy(dtype=float) for side, own in sides.items()}
    record: dict[str, Any] = {"score": key.pop("column"), **key, "direction": str(rows["direction"].iloc[0])}
    for side, of_side in values.items():
        record[side] = {
            "runs": len(of_side),
            "mean": float(of_side.mean()) if len(of_side) else None,
            "std": float(of_side.std(ddof=1)) if len(of_side) > 1 else None,
        }
    reasons = rows.loc[rows["status"] != "ok", "reason"].dropna()
    record["reason"] = str(reasons.iloc[0]) if len(reasons) else None
    both = all(map(len, values.values()))
    difference = float(values["b"].mean() - values["a"].mean()) if both else None
    record |= {"difference": difference, "better": _better(difference, record["direction"]), "p": _p(*values.values())}
    return record


def _better(difference: float | None, direction: str) -> str | None:
    if not difference or direction == "none":
        return None
    return "b" if (difference > 0) == (direction == "higher") else "a"


def _p(x: np.ndarray, y: np.ndarray) -> float | None:
    """Two-sided; None where a side has too few seeds."""
    return min(1.0, 2 * min(welch_p(x, y), welch_p(y, x))) if min(len(x), len(y)) >= LEAST else None

"""The headline scores of a few runs out of a results table: what `evaluate --codes` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmark.stages.aggregate import headline_rows
from benchmark.stages.measures import measures_of
from benchmark.table import read_table


def headlines(path: Path, run_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Some runs' headline scores from a results table, a record for each protocol and representation.

    What has no number says why.
    """
    table = read_table(path.with_suffix(".parquet"))
    table = table[table["run_id"].isin(run_ids)]
    rows = headline_rows(table, measures_of(table, ()))
    found = []
    key: Any
    for key, group in rows.groupby(["metric", "protocol", "representation", "column", "status"], sort=False):
        metric, protocol, representation, column, status = key
        ok = status == "ok"
        found.append(
            {
                "score": column,
                "representation": representation,
                "protocol": protocol,
                "status": status,
                "runs": len(group),
                "mean": float(group["value"].mean()) if ok else None,
                "std": float(group["value"].std()) if ok and len(group) > 1 else None,
                "reason": None if ok else str(group["reason"].iloc[0]),
                "metric": metric,
            }
        )
    return sorted(found, key=lambda record: (record["status"] != "ok", record["metric"], record["representation"]))

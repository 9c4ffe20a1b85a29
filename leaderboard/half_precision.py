"""What half precision moves in the codes and scores of published networks, as a table of an archive's page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from leaderboard.cells import shortened, signed
from leaderboard.columns import title
from leaderboard.text_table import TextTable

TITLE = "What half precision moves"
ENDING = "_float16"


def half_precision(moved: pd.DataFrame, runs: pd.DataFrame) -> dict[str, TextTable]:
    """A table for each dataset's label. moved: an archive's float16.parquet. runs: its runs."""
    described = runs.drop_duplicates("config_id")[["config_id", "dataset_label", "label"]]
    scores = [name.removesuffix(ENDING) for name in map(str, moved) if name.endswith(ENDING)]
    kept = [name for name in scores if moved[name].notna().any()]
    columns = ["configuration", "largest change of a code", *(title(name) for name in kept)]
    return {
        str(dataset): TextTable(TITLE, columns, [list(_cells(row, kept)) for row in _records(rows)], _caption(rows))
        for dataset, rows in moved.merge(described, on="config_id").groupby("dataset_label", sort=False)
    }


def _records(rows: pd.DataFrame) -> list[dict[Any, Any]]:
    return rows.sort_values("label", kind="stable").to_dict("records")


def _cells(row: Mapping[Any, Any], scores: list[str]) -> Iterator[str]:
    yield str(row["label"])
    scatter = row["codes_deviation"]
    share = f" ({row['codes_difference'] / scatter:.1%} of the scatter)" if scatter > 0 else ""
    yield f"{row['codes_difference']:.2g}{share}"
    for name in scores:
        before, after = row[name], row[f"{name}{ENDING}"]
        yield "–" if pd.isna(before) else f"{shortened(before)} ({signed(f'{after - before + 0.0:+.2g}')})"


def _caption(rows: pd.DataFrame) -> str:
    points = sorted({int(n) for n in rows["points"]})
    return (
        "The weights of an archive are of 16 bits. Each published network beside the one that was trained, on the same "
        f"{' or '.join(f'{n:,}' for n in points)} points: the largest change of any mean code, beside what the most "
        "spread coordinate scatters, and scores of the trained network with what half precision changes. Scores of the "
        "leaderboard are of the trained networks, on more points."
    )

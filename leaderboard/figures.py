"""Every chart and picture of a suite as a file of its own, for papers and slides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.atomic import write_atomically
from benchmark.metrics._declare import Metric
from benchmark.stages.aggregate import headline_rows
from leaderboard import charts, pictures
from leaderboard.configuration import median_codes
from leaderboard.sections import all_results
from leaderboard.style import Figure, Kind


def write_figures(
    table: pd.DataFrame,
    records: Mapping[str, Mapping[str, Any]],
    declarations: Mapping[str, Metric],
    folder: Path,
    kind: Kind,
) -> list[Path]:
    """Write DATASET-CHART.`kind` and DATASET-CONFIGURATION-PICTURE.png below `folder`; pictures are pixels throughout.

    Every configuration's median run has its pictures, however many there are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for of_dataset in all_results(table, records, declarations):
        board = of_dataset.boards[0]
        written += _write(charts.draw(of_dataset.results, kind), folder, file_name(board.dataset))
        for row in board.rows:
            codes = median_codes(board, row, table, records)
            if codes is not None:
                written += _write(pictures.draw(codes, row.label), folder, file_name(f"{board.dataset}-{row.label}"))
    return written + _write(charts.draw_across(headline_rows(table, declarations), kind), folder, "across")


def file_name(text: str) -> str:
    """A label as a part of a file's name: letters, digits and what joins them."""
    return re.sub(r"[^\w.=+-]+", "_", text).strip("_")


def _write(figures: Sequence[Figure], folder: Path, prefix: str) -> list[Path]:
    paths = []
    for figure in figures:
        path = folder / f"{prefix}-{file_name(figure.name)}.{figure.kind}"
        data = figure.data
        write_atomically(path, lambda scratch, data=data: scratch.write_bytes(data))  # type: ignore[misc]
        paths.append(path)
    return paths

"""Every chart and picture of a suite as a file of its own, for papers and slides."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.atomic import write_atomically
from benchmark.metrics._declare import Metric
from benchmark.stages.aggregate import headline_rows
from benchmark.stages.matrices import matrices_of
from benchmark.table import write_table
from leaderboard import charts, pictures
from leaderboard.columns import PRIMARY
from leaderboard.configuration import median_codes
from leaderboard.drawing import Step
from leaderboard.formats import narrowed
from leaderboard.paper import SCREEN, Paper, printed_on
from leaderboard.sections import all_results
from leaderboard.style import Figure, Kind

MATRICES = "matrices.csv"
"""The numbers of all matrices of codes by factors that are drawn."""


def write_figures(
    table: pd.DataFrame,
    records: Mapping[str, Mapping[str, Any]],
    declarations: Mapping[str, Metric],
    folder: Path,
    kind: Kind,
    columns: Sequence[str] = (),
    printed: Paper | None = None,
    step: Step = lambda _done, _total: None,
    headline: str = PRIMARY,
) -> list[Path]:
    """Write DATASET-CHART.`kind` and DATASET-CONFIGURATION-PICTURE.png below `folder`; pictures are pixels throughout.

    Every configuration's median run has its pictures, however many there are; which code says what of which factor in
    these runs is in matrices.csv and matrices.parquet, too, a row for each pair.
    columns: the measures that charts show, as `formats.narrowed` takes them; without any, all of them, or, at a given
    width, those that a page shows at first.
    printed: the width and the fonts of the paper that the figures are for.
    step: hears how many parts are drawn, a dataset's charts or a configuration's pictures, and how many there are.
    headline: the metric that orders rows.
    Raises `UsageError` on a column that is not there.
    """
    printed = printed or SCREEN
    chosen = list(columns) or ["all" if printed.width is None else "first"]
    every = list(all_results(table, records, declarations, headline))
    kept = narrowed([each.results.board for each in every], chosen)
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    parts, drawn = sum(1 + len(each.boards[0].rows) for each in every), count(1)
    numbers: list[pd.DataFrame] = []
    with printed_on(printed):
        for of_dataset, shown in zip(every, kept, strict=True):
            board = of_dataset.boards[0]
            results = replace(of_dataset.results, board=shown)
            written += _write(charts.draw(results, kind), folder, file_name(board.dataset))
            step(next(drawn), parts)
            for row in board.rows:
                codes = median_codes(board, row, table, records)
                if codes is not None:
                    prefix = file_name(f"{board.dataset}-{row.label}")
                    written += _write(pictures.draw(codes, row.label), folder, prefix)
                    numbers += [each.long() for each in matrices_of(codes.parent)]
                step(next(drawn), parts)
        across = charts.draw_across(headline_rows(table, declarations), kind)
    if numbers:
        write_table(pd.concat(numbers, ignore_index=True), folder / MATRICES)
        written += [(folder / MATRICES).with_suffix(ending) for ending in (".csv", ".parquet")]
    return written + _write(across, folder, "across")


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

"""What a chart can be drawn from: one dataset's results in one representation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.codes import Codes
from benchmark.errors import BenchmarkError
from leaderboard.board import Board
from leaderboard.columns import Column
from leaderboard.style import Look


@dataclass(frozen=True)
class Results:
    """`rows`: the headline scores with a number, as `headline_rows` gives them, references too. `table`: every row of
    the results table, scores per factor and without a number as well. `correlations`: as the aggregate stage writes
    them. `records`: each finished run's run.json with its `folder`, by run id. `looks`: by configuration's label.
    """

    board: Board
    rows: pd.DataFrame
    table: pd.DataFrame
    correlations: pd.DataFrame
    records: Mapping[str, Mapping[str, Any]]
    looks: Mapping[str, Look]
    summaries: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    """The aggregate stage's other frames of this dataset and representation, by name."""

    @property
    def scored(self) -> Sequence[Column]:
        """The board's columns that have any number."""
        return [column for column in self.board.columns if column.numbers]

    @cached_property
    def wide(self) -> pd.DataFrame:
        """A row per trained run: label, run_id and a column per headline score; references are left out, and what is
        true by construction."""
        trained = self.rows[~self.rows["reference"] & ~self.rows["by_construction"]]
        return trained.pivot(index=["label", "run_id"], columns="column", values="value").reset_index()

    def folders(self, label: str) -> dict[str, Path]:
        """The folders of a configuration's finished runs, by run id and rising seed."""
        runs = self.rows[self.rows["label"] == label].drop_duplicates("run_id").sort_values("seed")
        found = {str(run_id): self.records.get(str(run_id)) for run_id in runs["run_id"]}
        return {run_id: record["folder"] for run_id, record in found.items() if record}

    def arrays(self, run_id: str, names: set[str]) -> dict[str, Any]:
        """Those of a run's encoded arrays that it has; none where its folder or codes are not here."""
        record = self.records.get(run_id)
        path = record["folder"] / "codes.safetensors" if record else None
        return Codes.load(path, names=names).arrays if path and path.exists() else {}

    def histories(self) -> dict[str, list[pd.DataFrame]]:
        """The training histories of each configuration's runs, by label; closed forms have none.

        Raises `BenchmarkError` on one that cannot be read.
        """
        found: dict[str, list[pd.DataFrame]] = {}
        for row in self.board.rows:
            paths = [folder / "history.csv" for folder in self.folders(row.label).values()]
            found[row.label] = [read_history(path) for path in paths if path.exists()]
        return found


def read_history(path: Path) -> pd.DataFrame:
    """A run's history.csv. Raises `BenchmarkError` on one that cannot be read."""
    try:
        return pd.read_csv(path)
    except ValueError as error:
        raise BenchmarkError(f"{path} cannot be read ({error}); delete its run folder and rerun") from None

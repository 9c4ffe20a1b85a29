"""Leaderboards as one CSV table, a row for each number that a board shows, for spreadsheets and scripts."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO

from benchmark.stages.comparisons import BY_CONSTRUCTION
from leaderboard.board import Board
from leaderboard.cells import Cell

COLUMNS = (
    "dataset", "representation", "config_id", "configuration", "model", "kind", "marks", "score", "budget", "protocol",
    "direction", "runs", "mean", "std", "iqm", "low", "high", "rank", "rank_low", "rank_high", "groups", "status",
    "reason", "note",
)  # fmt: skip
"""`score` is the full name, such as `mcc.pearson`, that `--columns` takes; `kind` is trained, paired (weakly
supervised), labelled (trained on labels) or references; `low` and `high` are of the interquartile mean."""


def render(boards: Sequence[Board]) -> str:
    """Raw numbers, nothing rounded; costs are scores without a protocol."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for board in boards:
        for row in board.rows:
            for column in (*board.columns, *board.costs):
                cell = row.cells[column.name]
                interval, rank = cell.interval or (None, None, None), cell.rank
                table.writerow(
                    [board.dataset, board.representation, row.config_id, row.label, row.model, row.kind]
                    + ["; ".join(row.marks), column.full_name, column.budget, column.protocol, column.direction]
                    + [len(cell.values), cell.mean, cell.std, *interval]
                    + ([rank.rank, rank.low, rank.high, rank.group] if rank else [None] * 4)
                    + [cell.status, cell.reason, _note(cell)]
                )
    return text.getvalue()


def _note(cell: Cell) -> str:
    """Why there is no rank or no test of it."""
    if cell.rank:
        return cell.rank.note
    return BY_CONSTRUCTION if cell.by_construction else ""

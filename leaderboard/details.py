"""Scores of single factors and coordinates, and side scores: what the leaderboard has no room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from leaderboard.board import Board
from leaderboard.cells import Cell
from leaderboard.columns import title


@dataclass(frozen=True)
class Detail:
    """A score that is no headline, of one factor or coordinate: its name, and a cell per configuration."""

    title: str
    protocol: str
    cells: Sequence[Cell]


def details(table: pd.DataFrame, board: Board) -> list[Detail]:
    """Every score that is no headline, by protocol, with a cell per row of the board."""
    order = [row.config_id for row in board.rows]
    rows = table[
        table["config_id"].isin(order) & (table["representation"] == board.representation) & (table["status"] == "ok")
    ]
    heads = {(column.protocol, column.score, column.budget) for column in board.columns}
    found = []
    keys = ["metric", "protocol", "score", "budget", "factor"]
    key: Any
    for key, group in rows.groupby(keys, dropna=False):
        _, protocol, score, budget, factor = key
        if pd.isna(factor) and (protocol, score, None if pd.isna(budget) else budget) in heads:
            continue
        by_config = {config_id: tuple(values) for config_id, values in group.groupby("config_id")["value"]}
        words = [title(score), "" if pd.isna(budget) else f"@ {budget:,}", "" if pd.isna(factor) else f"· {factor}"]
        cells = [Cell(by_config[c], "ok") if c in by_config else Cell() for c in order]
        found.append(Detail(" ".join(word for word in words if word), str(protocol), cells))
    return found

"""What the tables for papers and issues share: which rows and columns, and what stands in the notes."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.board import Board, Row
from leaderboard.cells import Cell
from leaderboard.columns import Column


def scored(boards: Sequence[Board]) -> list[Board]:
    """The boards that have any number."""
    return [board for board in boards if any(column.numbers for column in board.columns)]


def bodies(board: Board) -> list[tuple[str, list[Row]]]:
    """The board's rows with the heading of their body, empty ones left out."""
    return [(name, rows) for _, name, rows in board.bodies]


def columns(board: Board) -> list[Column]:
    return [column for column in board.columns if column.numbers]


def spread(cell: Cell) -> str:
    """What stands behind a number: how far its runs scatter, and how many they are where some have none."""
    return f"{cell.rest} ({cell.seeds})".strip() if cell.seeds else cell.rest


def meaning(board: Board) -> str:
    """What the numbers are."""
    found = [(column, row.cells[column.name]) for row in board.rows for column in columns(board)]
    above = "interquartile mean with its 95 % interval from ten runs on"
    below = "mean ± standard deviation over seeds"
    without = {column.title: column for column, cell in found if cell.values and not cell.interval}
    text = below
    if any(cell.interval for _, cell in found):
        shared = ", ".join(column.title for column in without.values() if column.shared)
        where = ["below"] * any(not column.shared for column in without.values())
        where += [f"for what the runs of a model share ({shared})"] * bool(shared)
        text = f"{above} and {below} {' and '.join(where)}" if where else above
    bold = (
        "bold is the best among trained models with as many seeds as the others have (ten are enough), which is no test"
    )
    return f"{text[0].upper()}{text[1:]}; {bold}; what is true by construction is never bold."

"""What the tables for papers and issues share: which rows and columns, and what stands in the notes."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.board import Board, Row
from leaderboard.columns import Column


def scored(boards: Sequence[Board]) -> list[Board]:
    """The boards that have any number."""
    return [board for board in boards if any(column.numbers for column in board.columns)]


def bodies(board: Board) -> list[tuple[str, list[Row]]]:
    """The board's rows with the heading of their body, empty ones left out."""
    return [(name, rows) for _, name, rows in board.bodies]


def columns(board: Board) -> list[Column]:
    return [column for column in board.columns if column.numbers]


def meaning(board: Board) -> str:
    """What the numbers are."""
    numbers = [cell for row in board.rows for column in columns(board) if (cell := row.cells[column.name]).values]
    has = {bool(cell.interval) for cell in numbers}
    above = "interquartile mean with its 95 % interval from ten runs on"
    below = "mean ± standard deviation over seeds"
    text = " and ".join([above] * (True in has) + [below + (" below" if True in has else "")] * (False in has))
    bold = (
        "bold is the best among trained models with as many seeds as the others have (ten are enough), which is no test"
    )
    return f"{text[0].upper()}{text[1:]}; {bold}; what is true by construction is never bold."

"""Leaderboards as Markdown tables, for issues and pull requests."""

from __future__ import annotations

from collections.abc import Sequence

from leaderboard.board import Board, Row
from leaderboard.cells import Cell
from leaderboard.columns import Column
from leaderboard.formats._words import bodies, columns, meaning, scored, spread


def render(boards: Sequence[Board]) -> str:
    """A table per board, best in bold, with the protocols in a list below it."""
    return "\n".join(_board(board) for board in scored(boards))


def _board(board: Board) -> str:
    shown = columns(board)
    lines = [f"### {escape(board.dataset)}, {board.codes}", ""]
    lines.append(_line(["configuration", "seeds", *(f"{escape(c.title)} {c.arrow}".strip() for c in shown)]))
    lines.append("|---|" + "---:|" * (len(shown) + 1))
    for name, rows in bodies(board):
        if name:
            lines.append(_line([f"*{name}*", *[""] * (len(shown) + 1)]))
        lines += [_row(row, shown) for row in rows]
    lines += ["", meaning(board), ""]
    lines += [f"- {escape(column.title)}: `{column.protocol}`" for column in shown]
    return "\n".join(lines) + "\n"


def _row(row: Row, shown: Sequence[Column]) -> str:
    marks = f" ({', '.join(row.marks)})" if row.marks else ""
    return _line([escape(row.label + marks), str(row.seeds), *(_cell(row.cells[column.name]) for column in shown)])


def _cell(cell: Cell) -> str:
    main = f"**{cell.main}**" if cell.best else cell.main
    return f"{main} {spread(cell)}".strip()


def _line(words: Sequence[str]) -> str:
    return f"| {' | '.join(words)} |"


def escape(text: str) -> str:
    """Text without the signs that Markdown reads."""
    for sign in "\\|*_`<[":
        text = text.replace(sign, "\\" + sign)
    return text

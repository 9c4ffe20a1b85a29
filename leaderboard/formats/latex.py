"""Leaderboards as LaTeX tables with the package booktabs, for papers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from leaderboard.board import Board, Row
from leaderboard.cells import Cell
from leaderboard.columns import Column
from leaderboard.formats._words import bodies, columns, meaning, scored

SIGNS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": r"$-$", "±": r"$\pm$", "–": "--", "\xa0": "~",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "×": r"$\times$", "≥": r"$\geq$", "∞": r"$\infty$",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "δ": r"$\delta$", "ε": r"$\epsilon$", "λ": r"$\lambda$",
    "σ": r"$\sigma$", "τ": r"$\tau$", "Δ": r"$\Delta$", "²": r"\textsuperscript{2}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}",
}  # fmt: skip
"""What LaTeX reads otherwise, or has no glyph for in its usual fonts."""


def render(boards: Sequence[Board]) -> str:
    """A table per board, best in bold, with the protocols in its notes; needs `\\usepackage{booktabs}`."""
    return "% needs \\usepackage{booktabs}\n" + "\n".join(_board(board) for board in scored(boards))


def _board(board: Board) -> str:
    shown = columns(board)
    heads = ["configuration", "seeds", *(escape(f"{column.title} {column.arrow}".strip()) for column in shown)]
    lines = [
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{escape(f'Scores of the {board.representation} codes on {board.dataset}. {meaning(board)}')}}}",
        f"  \\begin{{tabular}}{{lr{'r' * len(shown)}}}",
        r"    \toprule",
        f"    {_line(heads)}",
    ]
    for name, rows in bodies(board):
        lines.append(r"    \midrule")
        if name:
            lines.append(f"    \\multicolumn{{{len(shown) + 2}}}{{l}}{{\\emph{{{escape(name)}}}}} \\\\")
        lines += [f"    {_row(row, shown)}" for row in rows]
    lines += [r"    \bottomrule", r"  \end{tabular}", r"  \par\medskip\footnotesize"]
    notes = [f"{escape(column.title)}: \\texttt{{{escape(column.protocol)}}}" for column in shown]
    lines += [f"  {'; '.join(notes)}.", r"\end{table}"]
    return "\n".join(lines) + "\n"


def _row(row: Row, shown: Sequence[Column]) -> str:
    marks = f" ({', '.join(row.marks)})" if row.marks else ""
    cells = (_cell(row.cells[column.name]) for column in shown)
    return _line([escape(row.label + marks), str(row.seeds), *cells])


def _cell(cell: Cell) -> str:
    main = f"\\textbf{{{escape(cell.main)}}}" if cell.best else escape(cell.main)
    return f"{main} {escape(cell.rest)}".strip()


def _line(words: Sequence[str]) -> str:
    return f"{' & '.join(words)} \\\\"


def escape(text: str) -> str:
    """Text as LaTeX prints it."""
    return re.sub(".", lambda sign: SIGNS.get(sign[0], sign[0]), text)

"""Leaderboards as LaTeX tables for papers: short headers, aligned decimals, a label, protocols where one wants them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, get_args

from benchmark.errors import UsageError
from leaderboard.board import Board, Row
from leaderboard.cells import Cell
from leaderboard.columns import Column, title
from leaderboard.formats._words import bodies, columns, meaning, scored, spread

Protocols = Literal["comment", "notes", "appendix"]
"""Where protocols stand: in comments of the file, below each table, or in a table of their own."""
SIGNS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "−": r"$-$", "±": r"$\pm$", "–": "--", "\xa0": "~",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "×": r"$\times$", "≥": r"$\geq$", "∞": r"$\infty$",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "δ": r"$\delta$", "ε": r"$\epsilon$", "λ": r"$\lambda$",
    "σ": r"$\sigma$", "τ": r"$\tau$", "Δ": r"$\Delta$", "²": r"\textsuperscript{2}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "é": r"\'e",
}  # fmt: skip
"""What LaTeX reads otherwise, or has no glyph for in its usual fonts."""
NUMBER = re.compile(r"−?[\d,]+(\.\d+)?")
HEADER = 14
"""Letters from which on a header stands in two lines."""


def render(boards: Sequence[Board], *, siunitx: bool = False, protocols: str = "comment") -> str:
    r"""A table per board, best in bold, in `\label{tab:DATASET-REPRESENTATION}`; needs `\usepackage{booktabs}`.

    siunitx: numbers stand in columns of that package, decimal marks below each other, spreads in a column beside them.
    protocols: one of `Protocols`. Raises `UsageError` on another one.
    """
    if protocols not in get_args(Protocols):
        raise UsageError(f"--protocols {protocols}: write {', '.join(get_args(Protocols)[:-1])} or appendix")
    found = scored(boards)
    packages = ["booktabs", *(["siunitx"] if siunitx else [])]
    lines = [f"% needs \\usepackage{{{name}}}" for name in packages]
    if siunitx:
        lines.append(r"% and, for bold numbers, \sisetup{detect-weight=true}")
    tables = [_board(board, protocols, siunitx=siunitx) for board in found]
    tables += [_appendix(board) for board in found if protocols == "appendix"]
    return "\n".join([*lines, *tables])


def _board(board: Board, protocols: str, *, siunitx: bool) -> str:
    shown = columns(board)
    caption = f"Scores of the {board.codes} on {board.dataset}. {meaning(board)}"
    told = f" Protocols: Table~\\ref{{{label(board)}-protocols}}." if protocols == "appendix" else ""
    wide = 2 if siunitx else 1
    kinds = "".join(_kind(column, board) for column in shown) if siunitx else "r" * len(shown)
    heads = [f"\\multicolumn{{2}}{{c}}{{{head}}}" if siunitx else head for head in headers(shown)]
    comments = [f"% {column.full_name}: {column.protocol}" for column in shown] if protocols == "comment" else []
    lines = [
        *comments,
        r"\begin{table}",
        r"  \centering",
        f"  \\caption{{{escape(caption)}{told}}}",
        f"  \\label{{{label(board)}}}",
        f"  \\begin{{tabular}}{{lr{kinds}}}",
        r"    \toprule",
        f"    {_line(['configuration', 'seeds', *heads])}",
    ]
    for name, rows in bodies(board):
        lines.append(r"    \midrule")
        if name:
            lines.append(f"    \\multicolumn{{{len(shown) * wide + 2}}}{{l}}{{\\emph{{{escape(name)}}}}} \\\\")
        lines += [f"    {_row(row, shown, siunitx=siunitx)}" for row in rows]
    lines += [r"    \bottomrule", r"  \end{tabular}"]
    if protocols == "notes":
        notes = [f"{escape(column.title)}: {_breakable(column.protocol)}" for column in shown]
        lines += [r"  \par\medskip\footnotesize", f"  {'; '.join(notes)}."]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _appendix(board: Board) -> str:
    """A table of a board's protocols, with what its headers stand for."""
    shown = columns(board)
    rows = [
        _line([head, f"\\texttt{{{escape(column.full_name)}}}", _breakable(column.protocol)])
        for head, column in zip(headers(shown, lines=1), shown, strict=True)
    ]
    caption = f"Protocols of the scores on {board.dataset}, {board.codes}."
    return (
        "\n".join(
            [
                r"\begin{table}",
                r"  \centering\footnotesize",
                f"  \\caption{{{escape(caption)}}}",
                f"  \\label{{{label(board)}-protocols}}",
                r"  \begin{tabular}{llp{0.45\linewidth}}",
                r"    \toprule",
                f"    {_line(['header', 'score', 'protocol'])}",
                r"    \midrule",
                *(f"    {row}" for row in rows),
                r"    \bottomrule",
                r"  \end{tabular}",
                r"\end{table}",
            ]
        )
        + "\n"
    )


def label(board: Board) -> str:
    """What `\\ref` calls a board's table."""
    words = re.findall(r"[A-Za-z0-9]+", f"{board.dataset} {board.representation}")
    return "tab:" + "-".join(words)


def headers(shown: Sequence[Column], lines: int = 2) -> list[str]:
    """Short headers, in at most so many lines: the measure's name, and what tells two columns of one measure apart."""
    names = [_short(column) for column in shown]
    found = []
    for column, name in zip(shown, names, strict=True):
        # Two columns of one measure differ by score or protocol, which their titles tell.
        words = column.title if names.count(name) > 1 else name
        text = escape(f"{words} {column.arrow}".strip())
        found.append(_stacked(text) if lines > 1 and len(words) >= HEADER else text)
    return found


def _short(column: Column) -> str:
    budget = "" if column.budget is None else f" @ {column.budget:,}"
    return title(column.metric.removesuffix("_score") + budget)


def _stacked(text: str) -> str:
    """A header in two lines of about the same length."""
    words = text.split(" ")
    cuts = range(1, len(words))
    if not cuts:
        return text
    cut = min(cuts, key=lambda n: abs(len(" ".join(words[:n])) - len(" ".join(words[n:]))))
    return f"\\shortstack{{{' '.join(words[:cut])}\\\\{' '.join(words[cut:])}}}"


def _kind(column: Column, board: Board) -> str:
    """A column of siunitx with room for all its numbers, and one of text for their spreads."""
    numbers = [_plain(row.cells[column.name].main) for row in board.rows if _is_number(row.cells[column.name])]
    whole = max((len(number.lstrip("-").partition(".")[0]) for number in numbers), default=1)
    places = max((len(number.partition(".")[2]) for number in numbers), default=0)
    sign = "-" if any(number.startswith("-") for number in numbers) else ""
    return f"S[table-format={sign}{whole}.{places}]@{{\\,}}l"


def _row(row: Row, shown: Sequence[Column], *, siunitx: bool) -> str:
    marks = f" ({', '.join(row.marks)})" if row.marks else ""
    cells = [(_aligned if siunitx else _cell)(row.cells[column.name]) for column in shown]
    return _line([escape(row.label + marks), str(row.seeds), *cells])


def _cell(cell: Cell) -> str:
    main = f"\\textbf{{{escape(cell.main)}}}" if cell.best else escape(cell.main)
    return f"{main} {escape(spread(cell))}".strip()


def _aligned(cell: Cell) -> str:
    """A number and its spread in two columns; what is no number stands in braces, which siunitx leaves alone."""
    main = _plain(cell.main) if _is_number(cell) else f"{{{escape(cell.main)}}}"
    bold = r"\bfseries " if cell.best else ""
    return f"{bold}{main} & {escape(spread(cell))}".rstrip()


def _is_number(cell: Cell) -> bool:
    return bool(NUMBER.fullmatch(cell.main))


def _plain(number: str) -> str:
    """As siunitx reads it: it groups digits by itself."""
    return number.replace("−", "-").replace(",", "")


def _line(words: Sequence[str]) -> str:
    # After the line before, a bracket would be read as its space.
    guard = "{}" if words[0].startswith("[") else ""
    return f"{guard}{' & '.join(words)} \\\\"


def _breakable(protocol: str) -> str:
    r"""A protocol in typewriter, which may go on in the next line after a slash or hyphen."""
    return "\\texttt{" + re.sub(r"([/-])", r"\1\\allowbreak{}", escape(protocol)) + "}"


def escape(text: str) -> str:
    """Text as LaTeX prints it."""
    return re.sub(".", lambda sign: SIGNS.get(sign[0], sign[0]), text)

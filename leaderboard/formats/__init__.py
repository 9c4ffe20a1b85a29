"""Leaderboards as text for papers, issues and spreadsheets, a file each with `render(boards)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from benchmark.errors import UsageError
from benchmark.spec import plainly, suggest
from leaderboard.board import Board

NAMES = tuple(sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")))
"""The formats, by their files' names."""


def render(name: str, boards: Sequence[Board], chosen: Sequence[str] = ()) -> str:
    """All boards in one of the formats of `NAMES`.

    chosen: metrics or scores by name, or "all"; without any, CSV has all and the others what a page shows at first.
    Raises `UsageError` on a format or column that is not there.
    """
    if name not in NAMES:
        raise UsageError(f'unknown format "{name}"{suggest(name, ["html", *NAMES])}')
    if not chosen:
        chosen = ["all"] if name == "csv" else ["first"]
    return str(import_module(f"{__name__}.{name}").render(narrowed(boards, chosen)))


def narrowed(boards: Sequence[Board], chosen: Sequence[str]) -> list[Board]:
    """The boards with the chosen columns alone. Raises `UsageError` on a name that is no metric or score of theirs."""
    known = {name for board in boards for column in board.columns for name in (column.metric, column.score)}
    spelled = {plainly(name): name for name in known}
    chosen = [name if name in known else spelled.get(plainly(name), name) for name in chosen]
    for name in chosen:
        if name not in known and name not in ("all", "first"):
            raise UsageError(f'--columns: no leaderboard has a measure "{name}"{suggest(name, sorted(known))}')
    wanted = set(chosen)
    found = []
    for board in boards:
        kept = [c for c in board.columns if "all" in wanted or wanted & {c.metric, c.score, "first" if c.first else ""}]
        found.append(replace(board, columns=kept))
    return found

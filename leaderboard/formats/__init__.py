"""Leaderboards as text for papers, issues and spreadsheets, a file each with `render(boards)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, get_args

from benchmark.errors import UsageError
from benchmark.spec import plainly, suggest
from leaderboard.board import Board
from leaderboard.style import Kind

NAMES = tuple(sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")))
"""The formats, by their files' names."""


def render(name: str, boards: Sequence[Board], chosen: Sequence[str] = (), **options: Any) -> str:
    """All boards in one of the formats of `NAMES`.

    chosen: metrics or scores by name in any spelling (mcc, pearson, "MCC: Pearson"), or "all"; without any, CSV has all
    and the others what a page shows at first. options: those of the format's own `render`.
    Raises `UsageError` on a format, column or option that is not there.
    """
    if name not in NAMES:
        drawn = f"; figures are drawn by --figures {name}" if name in get_args(Kind) else ""
        raise UsageError(f'unknown format "{name}"{suggest(name, ["html", *NAMES])}{drawn}')
    if not chosen:
        chosen = ["all"] if name == "csv" else ["first"]
    written = import_module(f"{__name__}.{name}").render
    foreign = sorted(options.keys() - signature(written).parameters.keys())
    if foreign:
        raise UsageError(f"--{foreign[0]}: {name} tables have none; leave it out, or write --format latex")
    return str(written(narrowed(boards, chosen), **options))


def narrowed(boards: Sequence[Board], chosen: Sequence[str]) -> list[Board]:
    """The boards with the chosen columns alone. Raises `UsageError` on a name that is no metric or score of theirs."""
    columns = [column for board in boards for column in board.columns]
    names = {column.full_name: {column.full_name, column.metric, column.score} for column in columns}
    known = {name for of_one in names.values() for name in of_one}
    spelled = {plainly(name): name for name in known}
    wanted = {name if name in known else spelled.get(plainly(name), name) for name in chosen}
    for name in chosen:
        if plainly(name) not in spelled and name not in ("all", "first"):
            raise UsageError(f'--columns: no leaderboard has a measure "{name}"{suggest(name, sorted(known))}')
    found = []
    for board in boards:
        kept = [
            column
            for column in board.columns
            if "all" in wanted or ("first" in wanted and column.first) or wanted & names[column.full_name]
        ]
        found.append(replace(board, columns=kept))
    return found

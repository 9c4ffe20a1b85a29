"""A table of words: what every table of a page but the leaderboard is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TextTable:
    """A heading, a row of column names, rows of text cells of which the first names its row, and how to read it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str

"""A table of words: what every table of a page but the leaderboard is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class TextTable:
    """A heading, a row of column names, rows of text cells of which the first names its row, and how to read it.

    `numbers`: what the cells say, for machines, where no other file has it.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str
    numbers: pd.DataFrame = field(default_factory=pd.DataFrame, compare=False, repr=False)

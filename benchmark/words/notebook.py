"""How what verbs return shows itself: a sentence, a table as a frame, and both in a notebook, all of it escaped."""

from __future__ import annotations

from collections import Counter
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from benchmark.naming import printable

if TYPE_CHECKING:
    import pandas as pd

ROWS = 50
"""Rows of a table that a notebook shows."""
Item = TypeVar("Item")


class Shown:
    """Something that a verb returns: `sentence()` says it in short, `frame()` is all of it as a table."""

    def sentence(self) -> str:
        raise NotImplementedError

    def frame(self) -> pd.DataFrame:
        raise NotImplementedError

    def shown_frame(self) -> pd.DataFrame:
        """The table that a notebook shows: all of it, unless that is not what one wants to see first."""
        return self.frame()

    def _repr_html_(self) -> str:
        return as_html(self.sentence(), self.shown_frame())


class ShownList(Shown, list[Item]):
    """A list that shows itself so."""


def as_html(sentence: str, frame: pd.DataFrame) -> str:
    """A sentence and the first rows of a table, escaped."""
    left = len(frame) - ROWS
    more = f"<p>{left:,} further rows: <code>.frame()</code></p>" if left > 0 else ""
    text = f"<p>{escape(printable(sentence))}</p>"
    if frame.empty:
        return text
    shown = frame.head(ROWS).map(lambda cell: printable(cell) if isinstance(cell, str) else cell)
    return text + shown.to_html(index=False, escape=True, na_rep="", border=0) + more


def tallied(words: list[str]) -> str:
    """Such as: 3 worse, 2 same."""
    return ", ".join(f"{number:,} {word.replace('_', ' ')}" for word, number in Counter(words).most_common()) or "none"


class Verdicts(ShownList[Any]):
    """What `check` found, a `Verdict` each."""

    def sentence(self) -> str:
        return f"{tallied([each.verdict for each in self])} of {len(self):,} comparisons"

    def frame(self) -> pd.DataFrame:
        """A row a verdict, with all its attributes."""
        import pandas as pd

        return pd.DataFrame([{"verdict": each.verdict, "name": each.name, **vars(each)} for each in self])

    def shown_frame(self) -> pd.DataFrame:
        """What is not as it was, the worst first: what is the same in fewer runs than before is not."""
        columns = ["verdict", "name", "reference_mean", "new_mean", "change", "margin", "p", "note"]
        table = self.frame().reindex(columns=[*columns, "absent"])
        order = ["worse", "missing", "new", "better", "same"]
        rank = table["verdict"].map(lambda word: order.index(word) if word in order else -1)
        changed = table.assign(rank=rank)[(rank < order.index("same")) | (table["absent"] > 0)]
        return changed.sort_values("rank", kind="stable")[columns]


class Counts(Shown, dict[str, int]):
    """How many of each kind of thing a verb dealt with."""

    def sentence(self) -> str:
        return ", ".join(f"{number:,} {kind}" for kind, number in self.items())

    def frame(self) -> pd.DataFrame:
        """A row a kind."""
        import pandas as pd

        return pd.DataFrame({"what": list(self), "number": list(self.values())})


class Suites(ShownList[dict[str, Any]]):
    """What `status` found, a record each."""

    def sentence(self) -> str:
        return f"{len(self):,} suite{'' if len(self) == 1 else 's'}"

    def frame(self) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(list(self))


_Path = type(Path())


class PagePath(_Path):  # type: ignore[misc, valid-type]
    """The path of a page. A notebook shows it as a link, which opens where the notebook's server has the file."""

    def _repr_html_(self) -> str:
        there = escape(printable(str(self)), quote=True)
        return f'<p>The page: <a href="{there}" target="_blank" rel="noopener">{there}</a></p>'

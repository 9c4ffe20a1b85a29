"""What one configuration scored in one column, as numbers and as text."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from benchmark.naming import without_points
from benchmark.statistics import Interval
from leaderboard.columns import Column


@dataclass(frozen=True)
class Rank:
    """A configuration's place in one column, 1 the best; `low` and `high` bound it where there are runs enough.

    `group`: letters; two configurations that share one cannot be told apart. `alike`: the labels of all that it
    cannot be told from. `note` says why there is no test or no rank (None).
    """

    rank: int | None
    low: int | None = None
    high: int | None = None
    group: str = ""
    alike: tuple[str, ...] = ()
    note: str = ""

    @property
    def text(self) -> str:
        if self.rank is None:
            return "–"
        if self.low is None or self.high is None:
            return f"≈ {self.rank}"  # not tested
        if self.low == self.high:
            return str(self.rank)
        return f"{self.rank} ({self.low}–{self.high})"


@dataclass(frozen=True)
class Cell:
    """What the seeds of one configuration scored; `values` is empty where none has a number, and `reason` says why."""

    values: tuple[float, ...] = ()
    status: str = "absent"
    reason: str = ""
    without: int = 0
    best: bool = False
    runs: tuple[str, ...] = ()
    """The run of each value."""
    interval: Interval | None = None
    """Of the interquartile mean at 95 %, from ten runs on."""
    rank: Rank | None = None
    by_construction: bool = False
    """The model has this score whatever it is fitted to: it is marked, and never the best."""

    @property
    def mean(self) -> float | None:
        return sum(self.values) / len(self.values) if self.values else None

    @property
    def std(self) -> float | None:
        return float(pd.Series(self.values).std()) if len(self.values) > 1 else None

    @property
    def point(self) -> float | None:
        """What the cell stands for: the interquartile mean where it has an interval, else the mean."""
        return self.interval.point if self.interval else self.mean

    @property
    def by_run(self) -> dict[str, float]:
        return dict(zip(self.runs, self.values, strict=True))

    @property
    def main(self) -> str:
        """The point as text, or what stands in its place."""
        if self.point is None:
            return {"not_applicable": "n/a", "failed": "failed", "absent": "–"}[self.status]
        return shortened(self.point)

    @property
    def rest(self) -> str:
        """The interval, or else the standard deviation, as text; or that the number is true by construction."""
        if self.point is None:
            return ""
        if self.by_construction:
            return "by construction"
        places = decimals(self.point)
        if self.interval and self.interval.low is not None and self.interval.high is not None:
            return signed(f"[{self.interval.low:,.{places}f}, {self.interval.high:,.{places}f}]")
        return "" if self.std is None else f"± {self.std:,.{places}f}"

    @property
    def seeds(self) -> str:
        """`2 of 3`: how many of its runs have a number, where some have none; else nothing."""
        number = len(self.values)
        return f"{number} of {number + self.without}" if number and self.without else ""

    @property
    def text(self) -> str:
        return f"{self.main} {self.rest}".strip()


def decimals(value: float) -> int:
    """Decimals that leave three or four digits."""
    return 3 if abs(value) < 10 else 2 if abs(value) < 100 else 1 if abs(value) < 1000 else 0


def shortened(value: float) -> str:
    """A number as tables show it."""
    return signed(f"{value:,.{decimals(value)}f}")


def signed(text: str) -> str:
    """With a real minus sign."""
    return text.replace("-", "−")


def cells(
    columns: Sequence[Column],
    rows: Iterable[Mapping[Hashable, Any]],
    spread: Mapping[Any, Interval],
    ranks: Mapping[str, Rank],
) -> dict[str, Cell]:
    """One configuration's cells by column; rows without a number stand only under columns of their own settings.

    rows: the configuration's rows of `headline_rows`, by rising seed. spread: intervals by (protocol, score, budget).
    ranks: by column.
    """
    scored: dict[str, list[Mapping[Hashable, Any]]] = {}
    missing: dict[str, list[Mapping[Hashable, Any]]] = {}
    for row in rows:
        if row["status"] == "ok":
            scored.setdefault(row["column"], []).append(row)
        else:
            missing.setdefault(without_points(row["protocol"]), []).append(row)
    found = {}
    for column in columns:
        own = scored.get(column.name, [])
        interval = spread.get((column.protocol, column.score, column.budget)) if own else None
        state = _without(own, missing.get(without_points(column.protocol), []))
        values, runs = tuple(row["value"] for row in own), tuple(str(row["run_id"]) for row in own)
        given = any(row["by_construction"] for row in own)
        found[column.name] = Cell(
            values, *state, runs=runs, interval=interval, rank=ranks.get(column.name), by_construction=given
        )
    return found


def _without(own: Sequence[Mapping[Hashable, Any]], missing: Sequence[Mapping[Hashable, Any]]) -> tuple[str, str, int]:
    """A cell's status, why numbers are missing, and of how many runs."""
    if not missing:
        return "ok" if own else "absent", "", 0
    failed = any(row["status"] == "failed" for row in missing)
    status = "ok" if own else "failed" if failed else "not_applicable"
    reasons = [row["reason"] for row in missing if own or row["status"] == status]
    # A run that has a number here may have none over more points: that is told, and does not make it two runs.
    without = {row["run_id"] for row in missing} - {row["run_id"] for row in own}
    return status, "; ".join(dict.fromkeys(reasons)), len(without)

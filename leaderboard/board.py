"""The leaderboard as data: a row per configuration, a column per protocol and score, a cell per both."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from benchmark.metrics._declare import Metric
from benchmark.stages.aggregate import headline_rows
from benchmark.stages.slices import SLICES
from benchmark.statistics import Interval, runs_needed
from leaderboard.bars import Axis, axis
from leaderboard.cells import Cell, Rank, cells
from leaderboard.columns import PRIMARY, Column, columns, primary
from leaderboard.costs import cost_cell, cost_columns, costs_of

SUPERVISED = {"sees labels": "labelled", "weakly supervised": "paired"}
"""The marks of models that were shown more than the data, and the kind of their rows: they stand apart and are never
ranked with the rest."""
SEEN = {"labels": "sees labels", "pairs": "weakly supervised"}
"""The mark of each kind of supervision."""
HEADINGS = {
    "trained": "",
    "paired": "weakly supervised, trained on pairs of points that share factors: not ranked with the rest",
    "labelled": "trained on labels, not ranked with the rest",
    "references": "references",
}
"""The kinds of rows in the order in which they stand, each with what it is headed by."""
NOTHING = pd.DataFrame()
OF_CELLS = [
    "config_id", "run_id", "label", "model", "reference", "supervision", "column", "protocol", "value", "status",
    "reason", "by_construction",
]  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One configuration; `marks` is what must be known before its scores are compared with those of others."""

    config_id: str
    label: str
    model: str
    reference: bool
    seeds: int
    cells: Mapping[str, Cell]
    marks: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        found = (kind for mark, kind in SUPERVISED.items() if mark in self.marks)
        return "references" if self.reference else next(found, "trained")


@dataclass(frozen=True)
class Board:
    """One dataset's leaderboard for one representation."""

    dataset: str
    representation: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    reasons: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """For each reason of a missing number, the `label: column` that it concerns."""
    costs: Sequence[Column] = ()
    axes: Mapping[str, Axis] = field(default_factory=dict)
    """By column's name, for those with numbers."""

    @property
    def codes(self) -> str:
        """Which codes are scored, in words."""
        if self.representation in SLICES:
            return f"mean codes of combinations {self.representation} in training"
        return f"{self.representation} codes"

    @property
    def trained(self) -> list[Row]:
        return [row for row in self.rows if row.kind == "trained"]

    @property
    def bodies(self) -> list[tuple[str, str, list[Row]]]:
        """Kind, heading and rows of each kind that there are rows of."""
        found = [(kind, name, [row for row in self.rows if row.kind == kind]) for kind, name in HEADINGS.items()]
        return [(kind, name, rows) for kind, name, rows in found if rows]

    @property
    def labelled(self) -> list[Row]:
        return [row for row in self.rows if row.kind == "labelled"]

    @property
    def paired(self) -> list[Row]:
        return [row for row in self.rows if row.kind == "paired"]

    @property
    def references(self) -> list[Row]:
        return [row for row in self.rows if row.kind == "references"]

    @property
    def shown(self) -> list[Column]:
        """The columns with numbers, scores first, then costs."""
        return [*(column for column in self.columns if column.numbers), *self.costs]

    @property
    def ordered_by(self) -> Column | None:
        """The column by which the rows stand."""
        return primary(self.columns)

    @property
    def by_config(self) -> dict[str, Row]:
        return {row.config_id: row for row in self.rows}

    @property
    def ranked(self) -> bool:
        return any(cell.rank for row in self.rows for cell in row.cells.values())

    @property
    def unranked(self) -> bool:
        """Whether any configuration with a number is kept out of a ranking."""
        return any(cell.rank and cell.rank.rank is None for row in self.rows for cell in row.cells.values())

    @property
    def untested(self) -> bool:
        """Whether any configuration has a rank that no test stands behind."""
        return any(cell.rank and cell.rank.text.startswith("≈") for row in self.rows for cell in row.cells.values())

    @property
    def intervals(self) -> bool:
        """Whether any number, of whatever kind of row, is an interquartile mean with its interval."""
        return any(cell.interval for row in self.rows for cell in row.cells.values())

    @property
    def tested(self) -> bool:
        """Whether any configuration's rank has been tested against the others'."""
        return any(cell.rank and cell.rank.low is not None for row in self.rows for cell in row.cells.values())


def boards(
    table: pd.DataFrame,
    declarations: Mapping[str, Metric],
    *,
    records: Mapping[str, Mapping[str, Any]] | None = None,
    summary: pd.DataFrame = NOTHING,
    ranking: pd.DataFrame = NOTHING,
    headline: str = PRIMARY,
) -> list[Board]:
    """A board per dataset and representation, in the table's order of datasets, means first.

    records: the runs' run.json by run id, for marks and costs. summary, ranking: the aggregate stage's frames, for
    intervals and ranks. headline: the metric that orders rows. Raises `UsageError` on an undeclared metric.
    """
    rows = headline_rows(table, declarations)
    rows = rows.assign(place=rows["representation"] != "mean").sort_values("place", kind="stable")
    known = records or {}
    costs = costs_of(table, known)
    marks: dict[str, tuple[str, ...]] = {}
    for record in known.values():
        if record.get("marks"):
            marks[record["config_id"]] = tuple(record["marks"])
    found = []
    for (dataset, representation), group in rows.groupby(["dataset_label", "representation"], sort=False):
        of_board = (str(dataset), str(representation))
        spread = _intervals(summary, str(representation))
        ranks = _ranks(ranking, *of_board)
        of_scores = columns(group, declarations, headline)
        found.append(_board(*of_board, group, of_scores, spread, ranks, costs, marks))
    return found


def _board(
    dataset: str,
    representation: str,
    rows: pd.DataFrame,
    of_scores: list[Column],
    spread: Mapping[str, Mapping[Any, Interval]],
    ranks: Mapping[str, Mapping[str, Rank]],
    costs: pd.DataFrame,
    marks: Mapping[str, tuple[str, ...]],
) -> Board:
    of_costs = cost_columns(costs[costs["config_id"].isin(rows["config_id"])])
    costs_by_config = dict(iter(costs.groupby("config_id")))
    found = []
    for key, own in _by_config(rows).items():
        first, own_costs = own[0], costs_by_config[key]
        row_cells = cells(of_scores, own, spread.get(key, {}), ranks.get(key, {}))
        row_cells |= {column.name: cost_cell(column, own_costs) for column in of_costs}
        found.append(
            Row(
                config_id=key,
                label=first["label"],
                model=first["model"],
                reference=bool(first["reference"]),
                seeds=len({row["run_id"] for row in own}),
                cells=row_cells,
                marks=_marks(marks.get(key, ()), first["supervision"]),
            )
        )
    found = _ordered(_with_best(found, of_scores), of_scores)
    shown = [*(column for column in of_scores if column.numbers), *of_costs]
    return Board(dataset, representation, of_scores, found, _reasons(found, of_scores), of_costs, _axes(found, shown))


def _by_config(rows: pd.DataFrame) -> dict[str, list[Mapping[Hashable, Any]]]:
    """What cells are made of, by configuration, seeds rising. One pass: frames of few rows each cost pandas more."""
    found: dict[str, list[Mapping[Hashable, Any]]] = {}
    for row in rows.sort_values("seed", kind="stable")[OF_CELLS].to_dict("records"):
        found.setdefault(row["config_id"], []).append(row)
    return found


def _marks(said: tuple[str, ...], supervision: str) -> tuple[str, ...]:
    """A run's own marks; what it sees is known of the models here even where the run's folder is not."""
    mark = SEEN.get(supervision)
    return said if mark is None or mark in said else (mark, *said)


def _axes(rows: Sequence[Row], shown: Sequence[Column]) -> dict[str, Axis]:
    found = {}
    for column in shown:
        own = [row.cells[column.name] for row in rows if not row.reference]
        references = {row.label: row.cells[column.name] for row in rows if row.reference and column.group != "cost"}
        found[column.name] = axis(own, references)
    return found


def _intervals(summary: pd.DataFrame, representation: str) -> dict[str, dict[Any, Interval]]:
    """By configuration, then by (protocol, score, budget)."""
    found: dict[str, dict[Any, Interval]] = {}
    if summary.empty:
        return found
    rows = summary[(summary["representation"] == representation) & summary["factor"].isna() & summary["low"].notna()]
    for row in rows.to_dict("records"):
        budget = None if pd.isna(row["budget"]) else int(row["budget"])
        interval = Interval(float(row["iqm"]), float(row["low"]), float(row["high"]))
        found.setdefault(str(row["config_id"]), {})[row["protocol"], row["score"], budget] = interval
    return found


def _ranks(ranking: pd.DataFrame, dataset: str, representation: str) -> dict[str, dict[str, Rank]]:
    """By configuration, then by column's name."""
    found: dict[str, dict[str, Rank]] = {}
    if ranking.empty:
        return found
    own = ranking[(ranking["dataset"] == dataset) & (ranking["representation"] == representation)]
    for row in own.to_dict("records"):
        low, high = (None if pd.isna(row[end]) else int(row[end]) for end in ("rank_low", "rank_high"))
        alike = tuple(map(str, row["indistinguishable_from"]))
        place = None if pd.isna(row["rank"]) else int(row["rank"])
        rank = Rank(place, low, high, str(row["groups"]), alike, str(row["note"]))
        found.setdefault(str(row["config_id"]), {})[str(row["column"])] = rank
    return found


def _with_best(rows: Sequence[Row], of_scores: Sequence[Column]) -> list[Row]:
    """Marks the best of each column among the trained models that compete; none where neither direction is better."""
    won: set[tuple[str, str]] = set()
    for column in of_scores:
        points = competing(rows, column, "trained")
        if column.direction != "none" and len(points) > 1:
            best = max(points.values()) if column.direction == "higher" else min(points.values())
            won |= {(config_id, column.name) for config_id, point in points.items() if point == best}
    return [
        replace(row, cells={n: replace(cell, best=(row.config_id, n) in won) for n, cell in row.cells.items()})
        for row in rows
    ]


def competing(rows: Sequence[Row], column: Column, kind: str) -> dict[str, float]:
    """The points of a column by configuration, without those that are true by construction or of fewer runs than the
    others have."""
    own = {row.config_id: row.cells[column.name] for row in rows if row.kind == kind}
    own = {config_id: cell for config_id, cell in own.items() if not cell.by_construction}
    needed = max(1, runs_needed([len(cell.values) for cell in own.values()]))
    points = {config_id: cell.point for config_id, cell in own.items() if len(cell.values) >= needed}
    return {config_id: point for config_id, point in points.items() if point is not None}


def _ordered(rows: list[Row], of_scores: list[Column]) -> list[Row]:
    """Best first by the primary column, references last.

    Within a kind, what does not compete there comes after what does, and then the rows without a number.
    """
    column = primary(of_scores)
    kinds = list(HEADINGS)
    compete = {config_id for kind in kinds if column for config_id in competing(rows, column, kind)}

    def place(row: Row) -> tuple[int, bool, float]:
        point = row.cells[column.name].point if column else None
        if column is None or point is None:
            return kinds.index(row.kind), True, math.inf
        outside = row.config_id not in compete
        return kinds.index(row.kind), outside, -point if column.direction == "higher" else point

    return sorted(rows, key=place)


def _reasons(rows: list[Row], of_scores: list[Column]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for row in rows:
        for column in of_scores:
            reason = row.cells[column.name].reason
            if reason:
                reasons.setdefault(reason, []).append(f"{row.label}: {column.title}")
    return reasons

"""What one leaderboard shows, computed and not yet worded: who is first by which measure, how surely, and whether that
is better than the references. `sentences` words it and `strip` draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from leaderboard.board import Board, Row, competing
from leaderboard.cells import Cell
from leaderboard.columns import Column, primary

NAMED = ("mig", "dci", "factor_vae_score", "udr", "reconstruction")
"""The measures by which a finding speaks, the first that at least two models have: disentanglement against known
factors, then agreement between seeds, then the picture. Of one measure's protocols the one that most runs have."""
FLOORS = ("noise", "untrained")
ROTATED = "rotated"
CEILING = "perfect"

Verdict = Literal["better", "open", "no better"]


@dataclass(frozen=True)
class Placed:
    """One configuration with its number by the named measure."""

    label: str
    model: str
    cell: Cell
    point: float

    @property
    def ends(self) -> tuple[float, float] | None:
        """The 95 % interval; of a closed form's runs, which are all equal, their value; else there is none."""
        interval = self.cell.interval
        if interval and interval.low is not None and interval.high is not None:
            return interval.low, interval.high
        exact = self.model == CEILING and len(set(self.cell.values)) == 1
        return (self.point, self.point) if exact else None

    @property
    def reach(self) -> tuple[float, float]:
        """The interval where there is one, else from the lowest run to the highest."""
        return self.ends or (min(self.cell.values), max(self.cell.values))


@dataclass(frozen=True)
class Finding:
    """One dataset's result by one measure. Everything is of the first board's representation.

    ranked: the models that compete, best first. outside: those with a number that is not ranked (too few runs, or true
    by construction). without: the labels of those without a number, with the cell's status. floor: the better of noise
    and the untrained network. failed: by model, how many runs failed before they had codes.
    """

    dataset: str
    column: Column | None = None
    kind: str = "trained"
    """The kind of rows that is ranked: supervised ones only where no others are here."""
    beside: bool = False
    """Whether models that were shown more than these have a number as well: what is said is not of them."""
    ranked: Sequence[Placed] = ()
    outside: Sequence[Placed] = ()
    without: Mapping[str, str] | None = None
    floor: Placed | None = None
    rotated: Placed | None = None
    ceiling: Placed | None = None
    failed: Mapping[str, int] | None = None

    @property
    def references(self) -> list[Placed]:
        return [each for each in (self.floor, self.rotated, self.ceiling) if each]

    @property
    def sign(self) -> int:
        return -1 if self.column and self.column.direction == "lower" else 1

    @property
    def leaders(self) -> list[Placed]:
        """The first, and whoever has exactly its number."""
        return [each for each in self.ranked if each.point == self.ranked[0].point]

    @property
    def lead(self) -> float:
        """How far the first is from the second."""
        return abs(self.ranked[0].point - self.ranked[1].point)

    @property
    def tested(self) -> bool:
        """Whether the first was tested against the others: from ten runs on."""
        rank = self.ranked[0].cell.rank
        return rank is not None and rank.low is not None

    @property
    def alike(self) -> tuple[str, ...]:
        """The ranked models from which the test cannot tell the first, best first."""
        rank = self.ranked[0].cell.rank
        among = rank.alike if rank and self.tested else ()
        return tuple(each.label for each in self.ranked[1:] if each.label in among)

    @property
    def fewest(self) -> int:
        """Runs of the ranked model that has the fewest."""
        return min(len(each.cell.values) for each in self.ranked)

    def beats(self, reference: Placed) -> Verdict:
        """Whether any model beats a reference.

        "no better": no model's average is. "better": the first's interval lies wholly beyond the reference's, and
        those of all that share the first place. All else is open; fewer than ten runs have no interval.
        """
        if all(self._no_better(each, reference) for each in (*self.ranked, *self.outside)):
            return "no better"
        own, other = [each.ends for each in self.leaders], reference.ends
        if other is None:
            return "open"
        surely = all(ends is not None and self._beyond(ends, other) for ends in own)
        return "better" if surely else "open"

    def apart(self, reference: Placed) -> bool:
        """Whether all that is known of the first, its interval or its runs, lies beyond all that is of a reference."""
        return all(self._beyond(each.reach, reference.reach) for each in self.leaders)

    def no_better_than(self, reference: Placed) -> list[str]:
        """The ranked models whose average is no better than a reference's, best first."""
        return [each.label for each in self.ranked if self._no_better(each, reference)]

    def _beyond(self, own: tuple[float, float], other: tuple[float, float]) -> bool:
        return min(self.sign * end for end in own) > max(self.sign * end for end in other)

    def _no_better(self, one: Placed, reference: Placed) -> bool:
        return self.sign * one.point <= self.sign * reference.point


def finding(board: Board, failed: Mapping[str, int] | None = None) -> Finding:
    """What a board shows. failed: by model, how many runs of it have no codes."""
    bodies = {kind: rows for kind, _, rows in board.bodies if kind != "references"}
    kind, rows = next(iter(bodies.items()), ("trained", []))
    column = named(board, kind)
    if column is None:
        return Finding(board.dataset, failed=failed)
    further = [row for name, own in bodies.items() if name != kind for row in own]
    points = competing(board.rows, column, kind)
    sign = -1 if column.direction == "lower" else 1
    placed = _placed(rows, column)
    references = _placed(board.references, column)
    floors = [each for each in references if each.model in FLOORS]
    return Finding(
        dataset=board.dataset,
        column=column,
        kind=kind,
        beside=bool(_placed(further, column)),
        ranked=sorted((each for each, row in placed.items() if row.config_id in points), key=lambda p: -sign * p.point),
        outside=[each for each, row in placed.items() if row.config_id not in points],
        without={row.label: row.cells[column.name].status for row in rows if row.cells[column.name].point is None},
        floor=max(floors, key=lambda each: sign * each.point, default=None),
        rotated=_first(references, ROTATED),
        ceiling=_first(references, CEILING),
        failed=failed,
    )


def named(board: Board, kind: str = "trained") -> Column | None:
    """The column by which a board's finding speaks: the headline, then of `NAMED` the first in which two models
    compete, else one, else the board's own first column with a direction; None where there is no such number."""
    directed = [column for column in board.columns if column.numbers and column.direction != "none"]
    of_metric: dict[str, Column] = {}
    for column in directed:
        of_metric.setdefault(column.metric, column)
    known = [column for column in directed if column.headline][:1]
    known += [of_metric[name] for name in NAMED if name in of_metric]
    for least in (2, 1):
        for column in (*known, *directed):
            if len(competing(board.rows, column, kind)) >= least:
                return column
    return known[0] if known else primary(board.columns)


def _placed(rows: Sequence[Row], column: Column) -> dict[Placed, Row]:
    found = {}
    for row in rows:
        cell = row.cells[column.name]
        if cell.point is not None:
            found[Placed(row.label, row.model, cell, cell.point)] = row
    return found


def _first(placed: Mapping[Placed, Row], model: str) -> Placed | None:
    return next((each for each in placed if each.model == model), None)

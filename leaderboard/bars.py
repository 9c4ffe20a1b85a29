"""The small drawing below a number: its runs or interval on the column's axis, with the references as ticks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leaderboard.cells import Cell
from leaderboard.scales import scale

WIDTH, HEIGHT = 100, 10
INSET = 3
"""Room for a dot's radius at both ends of the axis."""
EDGE = 4
"""Height of the tick of a reference that lies beyond the axis."""


@dataclass(frozen=True)
class Axis:
    """The range that all bars of one column share, and where its references lie."""

    low: float
    high: float
    ticks: Mapping[str, float]

    def place(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(INSET + share * (WIDTH - 2 * INSET), 1)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    @property
    def marks(self) -> str:
        """The path of the references' ticks; those beyond the axis are short ones at its edges."""
        within = [f"M{self.place(v):g} 0v{HEIGHT}" for v in self.ticks.values() if self.holds(v)]
        below, above = (any(beyond(v) for v in self.ticks.values()) for beyond in (self.low.__gt__, self.high.__lt__))
        edges = [f"M{place} {HEIGHT - EDGE}v{EDGE}" for place, there in ((0, below), (WIDTH, above)) if there]
        return "".join(within + edges)

    @property
    def text(self) -> str:
        """The axis in words."""
        ends = f"bars from {self.low:.3g} to {self.high:.3g}"
        return "; ".join([ends, *(f"{name} {value:.3g}" for name, value in self.ticks.items())]).replace("-", "−")


@dataclass(frozen=True)
class Bar:
    """Paths in a box of 100 × 10: `line` from end to end of the interval, `dots` of zero length with round caps."""

    line: str
    dots: str
    runs: str


def axis(cells: Sequence[Cell], references: Mapping[str, Cell]) -> Axis:
    """The range of the cells' values and intervals, and of the references near them."""
    ticks = {label: cell.point for label, cell in references.items() if cell.point is not None}
    reaches = [reach for cell in cells if (reach := _reach(cell))]
    reaches = reaches or [reach for cell in references.values() if (reach := _reach(cell))]
    low, high = scale(reaches, list(ticks.values())) if reaches else (0.0, 1.0)
    return Axis(low, high, ticks)


def _reach(cell: Cell) -> tuple[float, float] | None:
    """From its lowest run to its highest, which holds its interval; None without a number."""
    return (min(cell.values), max(cell.values)) if cell.values else None


def bar(cell: Cell, axis: Axis) -> Bar | None:
    """None for a cell without a number, or one that lies beyond the axis."""
    if cell.point is None or not axis.holds(cell.point):
        return None
    middle = HEIGHT // 2
    point = f"M{axis.place(cell.point):g} {middle}h0"
    if cell.interval and cell.interval.low is not None and cell.interval.high is not None:
        ends = [axis.place(min(max(end, axis.low), axis.high)) for end in (cell.interval.low, cell.interval.high)]
        return Bar(f"M{ends[0]:g} {middle}H{ends[1]:g}", point, "")
    places = dict.fromkeys(axis.place(value) for value in cell.values if axis.holds(value))
    runs = "".join(f"M{place:g} {middle}h0" for place in places)
    return Bar("", "", runs) if len(cell.values) == 1 else Bar("", f"M{axis.place(cell.point):g} 1v{HEIGHT - 2}", runs)

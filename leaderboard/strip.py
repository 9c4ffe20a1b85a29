"""A finding as one line: models as dots with their intervals, the references as ticks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leaderboard.cells import shortened
from leaderboard.finding import Finding, Placed
from leaderboard.scales import scale
from leaderboard.style import Look, hexadecimal

LANES = 4
"""Models stand on so many heights in turn, so that neighbours do not cover each other."""
INSET = 4.0
"""Percent of the width that is left free at both ends, where references beyond the scale have their ticks."""


@dataclass(frozen=True)
class Dot:
    """A model: places in percent of the strip's width, and a height from 0 to LANES − 1."""

    label: str
    text: str
    colour: str
    place: float
    low: float
    high: float
    lane: int


@dataclass(frozen=True)
class Tick:
    """A reference; `beyond` says where it lies if that is off the scale: "‹" before it, "›" behind it."""

    name: str
    text: str
    place: float
    beyond: str = ""

    @property
    def anchor(self) -> str:
        """Which end of its name stands at the tick, so that it stays within the strip."""
        return "start" if self.place < 15 else "end" if self.place > 85 else "middle"


@dataclass(frozen=True)
class Strip:
    dots: list[Dot]
    ticks: list[Tick]
    low: str
    high: str


def strip(found: Finding, looks: Mapping[str, Look]) -> Strip | None:
    """None where fewer than two numbers are there to be set beside each other.

    The scale follows the models, and takes in the references that are no further off than the models are from each
    other; the rest are ticks at its ends.
    """
    models = [*found.ranked, *found.outside]
    if len(models) + len(found.references) < 2:
        return None
    low, high = scale([each.reach for each in models or found.references], [each.point for each in found.references])

    def place(value: float) -> float:
        return round(INSET + (value - low) / (high - low) * (100 - 2 * INSET), 2)

    dots = [_dot(each, place, looks[each.label], number) for number, each in enumerate(models)]
    ticks = [_tick(each, place, low, high) for each in found.references]
    return Strip(dots, ticks, shortened(low), shortened(high))


def _dot(of: Placed, place: Callable[[float], float], look: Look, number: int) -> Dot:
    low, high = of.reach
    return Dot(
        of.label, of.cell.text, hexadecimal(look.colour), place(of.point), place(low), place(high), number % LANES
    )


def _tick(of: Placed, place: Callable[[float], float], low: float, high: float) -> Tick:
    if of.point < low:
        return Tick(of.model, of.cell.text, 1.0, "‹")
    if of.point > high:
        return Tick(of.model, of.cell.text, 99.0, "›")
    return Tick(of.model, of.cell.text, place(of.point))

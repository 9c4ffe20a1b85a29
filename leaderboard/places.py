"""Where things lie on a finished chart: its values, for a pointer over it, and its words, for what explains them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from matplotlib.transforms import Bbox


@dataclass(frozen=True)
class Mark:
    """Something drawn that has a value: where it is in its axes' data, whose it is, and the value as text."""

    axis: Axes
    x: float
    y: float
    name: str
    text: str


@dataclass(frozen=True)
class Spot:
    """A value on a finished chart: its place as shares of the width from the left and of the height from the top."""

    x: float
    y: float
    name: str
    text: str


@dataclass(frozen=True)
class Words:
    """A text on a finished chart, in one line, and its box: left, top, width and height as shares of the chart's."""

    text: str
    box: tuple[float, float, float, float]


def spots(marks: Sequence[Mark], figure: Canvas, crop: Bbox) -> list[Spot]:
    """The marks that lie within their axes. crop: what is kept of the figure, in inches."""
    found = []
    for mark in marks:
        place = mark.axis.transData.transform((mark.x, mark.y))
        if mark.axis.bbox.padded(1).contains(*place):
            x, y = _share(float(place[0]), float(place[1]), figure, crop)
            found.append(Spot(x, y, mark.name, mark.text))
    return found


def words(figure: Canvas, crop: Bbox) -> list[Words]:
    """Every text that is shown level and has a letter."""
    from matplotlib.text import Text

    found = []
    for each in figure.findobj(Text):
        assert isinstance(each, Text)
        text = " ".join(each.get_text().split())
        if not any(letter.isalpha() for letter in text) or not each.get_visible() or each.get_rotation() != 0:
            continue
        extent = each.get_window_extent()
        left, top = _share(extent.x0, extent.y1, figure, crop)
        right, bottom = _share(extent.x1, extent.y0, figure, crop)
        found.append(Words(text, (left, top, round(right - left, 4), round(bottom - top, 4))))
    return found


def headed(found: Sequence[Words], cards: Mapping[str, str]) -> list[tuple[Words, str]]:
    """The texts that are the title of something that has a card, with the card's id; an arrow behind it may stay."""
    known = {" ".join(title.split()): card for title, card in cards.items()}
    named = [(each, known.get(each.text.rstrip("↑↓ "))) for each in found]
    return [(each, card) for each, card in named if card]


def written(found: Sequence[Spot]) -> str:
    """Values and places as JSON: the names, and rows of left, top (in ten-thousandths), a name's number and a text."""
    names = list(dict.fromkeys(each.name for each in found))
    numbers = {name: number for number, name in enumerate(names)}
    rows = [[round(1e4 * each.x), round(1e4 * each.y), numbers[each.name], each.text] for each in found]
    return json.dumps({"names": names, "rows": rows}, ensure_ascii=False, separators=(",", ":"))


def _share(x: float, y: float, figure: Canvas, crop: Bbox) -> tuple[float, float]:
    """Pixels of the figure from its lower left corner as shares of what is kept, from the upper left."""
    return (
        round(float(x / figure.dpi - crop.x0) / crop.width, 4),
        round(float(crop.y1 - y / figure.dpi) / crop.height, 4),
    )

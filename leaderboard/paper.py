"""Figures at the width that they are printed at: 8 pt type, fonts of the paper, titles and ticks that have room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import pairwise
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.errors import UsageError
from benchmark.spec import nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from matplotlib.text import Text

WIDTHS = {"column": 3.25, "text": 5.5}
"""Inches of a column of ICML, CVPR and ACL, and of the text of NeurIPS, ICLR and many journals."""
NARROWEST, WIDEST = 2.0, 20.0
SIZE = 8.0
"""Points of all type on a figure of a given width: readable beside text of 9 or 10 pt."""
PANEL = 1.55
"""Inches that a panel with its axis takes at least, unless it is drawn smaller anyway."""
LOWEST = 1.5
"""Inches that a panel is high at least, unless it is drawn lower anyway."""
DENSER = 0.75
"""What lines of a height of their own, such as one for each configuration, keep of it."""
NAMES = 0.34
"""The share of the width that names on the left take at most."""
LINE = 1.2 * SIZE / 72
"""Inches from one line of type to the next."""
ROW = 0.2
"""Inches of a row of a matrix whose columns are numbered."""
TURNED = 18
"""Letters of a line of a name that stands upright below a matrix."""
DOTS = 300
"""Pixels to the inch of what is not vectors."""
FONTS = {"sans": ["DejaVu Sans"], "serif": ["STIXGeneral", "DejaVu Serif"]}
"""Fonts that come with matplotlib; STIX is a Times, and what it lacks is taken from the one behind it."""
SIZES = (
    "font.size", "axes.titlesize", "axes.labelsize", "xtick.labelsize", "ytick.labelsize", "legend.fontsize",
)  # fmt: skip


@dataclass(frozen=True)
class Paper:
    """What figures are drawn for. width: inches, or None for each chart's own. fonts: the first that has a glyph."""

    width: float | None = None
    fonts: Sequence[str] = tuple(FONTS["sans"])

    def type(self) -> dict[Any, Any]:
        """The parameters of matplotlib that differ from the house style."""
        if self.width is None:
            return {"font.family": list(self.fonts)}
        return {"font.family": list(self.fonts), "axes.titleweight": "normal", **dict.fromkeys(SIZES, SIZE)}

    def grid(
        self, panels: int, columns: int, width: float, height: float, *, keep_height: bool
    ) -> tuple[int, float, float]:
        """How many panels stand in a row, and each one's width and height in inches, given how they would elsewhere."""
        columns = min(columns, panels)
        if self.width is None:
            return columns, width, height
        columns = min(columns, max(1, int(self.width / min(width, PANEL))))
        narrow = self.width / columns
        height = height * DENSER if keep_height else min(height, max(LOWEST, height * narrow / width))
        return columns, narrow, height


SCREEN = Paper()
"""What pages are drawn for."""
_paper: ContextVar[Paper] = ContextVar("paper", default=SCREEN)


def paper() -> Paper:
    """What is drawn for now."""
    return _paper.get()


@contextmanager
def printed_on(chosen: Paper) -> Iterator[None]:
    """Whatever is drawn inside is drawn for this paper."""
    token = _paper.set(chosen)
    try:
        yield
    finally:
        _paper.reset(token)


def read_width(text: str) -> float:
    """A width in inches: `column`, `text`, or a number. Raises `UsageError` on another text."""
    try:
        width = WIDTHS[text] if text in WIDTHS else float(text)
    except ValueError:
        width = 0.0
    if not NARROWEST <= width <= WIDEST:
        named = ", ".join(f"{name} ({inches:g} inches)" for name, inches in WIDTHS.items())
        raise UsageError(f"--width {text}: write {named}, or inches from {NARROWEST:g} to {WIDEST:g}, such as 3.5")
    return width


def read_font(text: str) -> tuple[str, ...]:
    """Fonts by `serif`, `sans` or the name of an installed one. Raises `UsageError` on one that is not installed."""
    if text in FONTS:
        return tuple(FONTS[text])
    from matplotlib import font_manager

    installed = sorted({font.name for font in font_manager.fontManager.ttflist})
    name = next((each for each in installed if each.casefold() == text.casefold()), None)
    if name is None:
        near = nearest(text, installed)
        hint = f'; did you mean "{near}"?' if near else ""
        raise UsageError(f"--font {text}: no such font is installed{hint or ';'} write serif, sans or a font's name")
    return (name, *FONTS["sans"])


def fit(figure: Canvas) -> None:
    """Break titles and names, and thin out ticks, until all have room; the width stays, the height may grow."""
    layout = figure.get_layout_engine()
    if layout is None:
        return
    for axis in figure.axes:
        _fold_names(axis)
    layout.execute(figure)
    for axis in figure.axes:
        _fit_matrix(axis)
        _give_height(axis)
    layout.execute(figure)
    for axis in figure.axes:
        _break_lines(axis)
        _thin_out(axis)
        _fit_numbers(axis)
    layout.execute(figure)


def _fold_names(axis: Axes) -> None:
    """Names beside an axis in lines of at most a share of the figure's width."""
    figure = axis.get_figure(root=True)
    assert figure is not None
    labels = axis.get_yticklabels()
    room = NAMES * figure.get_figwidth() * figure.dpi
    names = [label.get_text() for label in labels]
    if not any(any(letter.isalpha() for letter in name) for name in names):
        return
    folded = [_folded(label, room) for label in labels]
    axis.set_yticks(axis.get_yticks(), folded, rotation=0)


def _folded(label: Text, room: float) -> str:
    label.set_rotation(0)  # seaborn turns names that it finds no room for
    text, width = label.get_text(), label.get_window_extent().width
    return text if width <= room else fill(text, max(8, int(len(text) * room / width)), break_long_words=False)


def _give_height(axis: Axes) -> None:
    """Room for names of several lines: the figure grows by what the axis lacks, in each row of panels."""
    figure, spec = axis.get_figure(root=True), axis.get_subplotspec()
    names = [label.get_text() for label in axis.get_yticklabels() if label.get_visible()]
    if figure is None or spec is None or not any("\n" in name for name in names):
        return
    lines = [name.count("\n") + 1 for name in names]
    pitch = max((a + b) / 2 for a, b in pairwise([*lines, 1]))
    lacking = len(names) * pitch * LINE - axis.get_window_extent().height / figure.dpi
    if lacking > 0 and spec.is_first_col():
        figure.set_figheight(figure.get_figheight() + lacking)


def _break_lines(axis: Axes) -> None:
    box = axis.get_window_extent()
    titles = [axis.title, axis._left_title, axis._right_title]  # type: ignore[attr-defined]
    for text, room in (*((title, box.width) for title in titles), (axis.xaxis.label, box.width)):
        _break(text, room)
    _break(axis.yaxis.label, box.height, upright=True)


def _break(text: Text, room: float, *, upright: bool = False) -> None:
    """In as many lines as it takes to be no wider than `room` pixels."""
    words = " ".join(text.get_text().split("\n"))
    if not words:
        return
    text.set_text(words)
    extent = text.get_window_extent()
    long = extent.height if upright else extent.width
    if long > room:
        text.set_text(fill(words, max(8, int(len(words) * room / long)), break_long_words=False))


def _thin_out(axis: Axes) -> None:
    """Fewer ticks below an axis whose labels run into each other; named ones are turned instead."""
    from matplotlib.ticker import FixedLocator, LogLocator

    if axis.get_xscale() != "linear" or isinstance(axis.xaxis.get_major_locator(), LogLocator):
        return
    if isinstance(axis.xaxis.get_major_locator(), FixedLocator):
        labels = axis.get_xticklabels()
        if _overlap(labels) and not any(label.get_rotation() for label in labels):
            axis.tick_params(axis="x", labelrotation=45)
            for label in axis.get_xticklabels():
                label.set(ha="right", rotation_mode="anchor")
        return
    for bins in (4, 3, 2):
        if not _overlap(axis.get_xticklabels()):
            return
        axis.locator_params(axis="x", nbins=bins)


def _overlap(labels: Sequence[Text]) -> bool:
    """Whether two labels in a row stand nearer than a space."""
    boxes = sorted(
        (label.get_window_extent() for label in labels if label.get_text() and label.get_visible()),
        key=lambda box: box.x0,
    )
    return any(left.x1 + SIZE / 2 > right.x0 for left, right in pairwise(boxes))


def _mesh(axis: Axes) -> tuple[int, int] | None:
    """The rows and columns of a matrix; None where an axis shows none, or a scale of colours."""
    from matplotlib.collections import QuadMesh

    mesh = next((each for each in axis.collections if isinstance(each, QuadMesh)), None)
    if mesh is None or axis.get_subplotspec() is None:
        return None
    corners = np.asarray(mesh.get_coordinates())
    return corners.shape[0] - 1, corners.shape[1] - 1


def _fit_matrix(axis: Axes) -> None:
    """The columns' names level where they have room, upright elsewhere; numbers where they are the rows' own names."""
    size, figure = _mesh(axis), axis.get_figure(root=True)
    if size is None or figure is None:
        return
    rows, columns = size
    axis.set_aspect("auto")
    below, beside = (
        [label.get_text() for label in labels] for labels in (axis.get_xticklabels(), axis.get_yticklabels())
    )
    if [" ".join(name.split()) for name in beside] == below and len(below) > 2:
        numbers = [str(place) for place in range(1, columns + 1)]
        axis.set_xticks(axis.get_xticks(), numbers, rotation=0, ha="center")
        axis.set_yticks(axis.get_yticks(), [f"{name}  {n}" for n, name in zip(numbers, beside, strict=True)])
        figure.set_figheight(ROW * rows + 0.5)
        return
    cell = axis.get_window_extent().width / columns
    letters = max(int(cell / (0.62 * SIZE / 72 * figure.dpi)), 1)
    level = [fill(name, letters, break_long_words=False) for name in below]
    if max(len(line) for name in level for line in name.split("\n")) <= letters:
        axis.set_xticks(axis.get_xticks(), level, rotation=0, ha="center")
    else:
        upright = [fill(name, TURNED, break_long_words=False) for name in below]
        axis.set_xticks(axis.get_xticks(), upright, rotation=90, ha="center", va="top", rotation_mode="default")


def _fit_numbers(axis: Axes) -> None:
    """The numbers in a matrix's cells without their leading zero, or not at all where a cell has no room for them."""
    size = _mesh(axis)
    if size is None or not axis.texts:
        return
    rows, columns = size
    box = axis.get_window_extent()
    if not _in_cells(axis.texts, box.width / columns, box.height / rows):
        for text in axis.texts:
            text.set_text(text.get_text().replace("0.", ".", 1))
    if not _in_cells(axis.texts, box.width / columns, box.height / rows):
        for text in list(axis.texts):
            text.remove()


def _in_cells(texts: Sequence[Text], width: float, height: float) -> bool:
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    return all(box.width <= 0.92 * width and box.height <= 1.2 * height for box in boxes)

"""One style for every figure: colours, fonts, what a finished figure is, and how a configuration looks everywhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from textwrap import fill
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from leaderboard.few_colours import compact_chart
from leaderboard.paper import DOTS as DOTS_ON_PAPER
from leaderboard.paper import SCREEN, fit, paper
from leaderboard.places import Mark, Spot, Words, spots, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

Kind = Literal["svg", "png", "pdf"]
Wanted = Literal[Kind, "page"]
"""What a chart is drawn for: a file of that kind, or the page, which has vectors while they are small, else pixels."""
DOTS = 160
"""Pixels to the inch of charts that are drawn as pixels."""
MARGIN = 0.08
"""Inches around what is drawn."""
VECTORS = 100_000
"""Bytes that the vectors of a chart may take on a page."""

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933")
"""Okabe and Ito's colours, then two of Paul Tol's: told apart with any colour vision."""
CLASSES = (*PALETTE, "#332288", "#777777")
"""A colour for each of up to ten classes."""
REFERENCE = "#8a9099"
INK, MUTED, FAINT = "#1d2129", "#666c75", "#dfe2e6"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", (0, (4, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (6, 1.2, 1.2, 1.2, 1.2, 1.2)))
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.limits": (-4, 5),
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "text.parse_math": False,  # labels are names that people gave, and a dollar sign in them is one
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "benchmark",
    "pdf.fonttype": 42,  # TrueType: publishers refuse Type 3
    "ps.fonttype": 42,
}


@dataclass(frozen=True)
class Figure:
    """A finished picture with what it says: a text for those who cannot see it, and a caption for those who can."""

    name: str
    data: bytes
    kind: Kind
    alt: str
    caption: str
    dots: int = 96
    """Pixels to the inch, of a raster: charts are finer than a page, images are shown as they are."""
    spots: Sequence[Spot] = ()
    """Its values and their places, where it is drawn for a page."""
    words: Sequence[Words] = ()
    """Its level texts and their places, where it is drawn for a page."""

    @property
    def uri(self) -> str:
        """The picture as a data URI, for a page that loads nothing."""
        kind = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}[self.kind]
        return f"data:{kind};base64,{base64.b64encode(self.data).decode()}"

    @property
    def look(self) -> Literal["plot", "images"]:
        """A plot is ink on white, which a dark page inverts; images stay as they are."""
        return "plot" if self.kind == "svg" or self.dots == DOTS else "images"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height on a page, in its pixels: it leaves that room before it shows the picture."""
        if self.kind == "png":
            from PIL import Image

            with Image.open(BytesIO(self.data)) as image:
                return round(image.width * 96 / self.dots), round(image.height * 96 / self.dots)
        points = re.findall(rb'(?:width|height)="([\d.]+)pt"', self.data[:2000])
        return round(float(points[0]) / 0.75), round(float(points[1]) / 0.75)


@dataclass(frozen=True)
class Look:
    """How one configuration is drawn everywhere: hue and marker by model, lightness and dash by configuration."""

    colour: Any
    marker: str
    dash: Any


def looks(models: Mapping[str, str], references: Sequence[str] = ()) -> dict[str, Look]:
    """The look of each configuration's label, given its model's name; references are grey."""
    from matplotlib.colors import to_rgb

    names = list(dict.fromkeys(model for label, model in models.items() if label not in references))
    found = {}
    for label, model in models.items():
        if label in references:
            found[label] = Look(REFERENCE, "o", DASHES[2])
            continue
        # Once the hues are used up, they come again with other markers and dashes.
        again, order = divmod(names.index(model), len(PALETTE))
        family = [other for other, of in models.items() if of == model and other not in references]
        position = family.index(label)
        hue = np.array(to_rgb(PALETTE[order]))
        lightness = 0.0 if len(family) == 1 else np.linspace(-0.25, 0.5, len(family))[position]
        colour = hue * (1 + lightness) if lightness < 0 else hue + (1 - hue) * lightness
        marker, dash = MARKERS[(order + again) % len(MARKERS)], DASHES[(position + again) % len(DASHES)]
        found[label] = Look(tuple(colour.tolist()), marker, dash)
    return found


def hexadecimal(colour: Any) -> str:
    """A colour as a page writes it: `#0072b2`."""
    from matplotlib.colors import to_hex

    return str(to_hex(colour))


def canvas(
    panels: int, columns: int, width: float, height: float, *, keep_height: bool = False, **options: Any
) -> tuple[Canvas, list[Axes]]:
    """A figure with so many panels, each `width` × `height` inches, at most `columns` in a row.

    On paper of a given width they are narrower and fewer in a row, and lower unless `keep_height` says that what they
    show, such as a line for each configuration, needs its height. It is called under `rc_context(STYLE)`, which takes
    the paper's type back at its end.
    """
    from matplotlib import rcParams
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    if paper() is not SCREEN:
        rcParams.update(paper().type())
    columns, width, height = paper().grid(panels, columns, width, height, keep_height=keep_height)
    rows = -(-panels // columns)
    figure = Canvas(figsize=(width * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, **options).ravel().tolist()
    for axis in axes[panels:]:
        axis.remove()
    return figure, axes[:panels]


def drawn(name: str, figure: Canvas, wanted: Wanted, alt: str, caption: str, marks: Sequence[Mark] = ()) -> Figure:
    """A figure from its canvas. marks: the values that a reader of the page can point at."""
    kind: Kind = "svg" if wanted == "page" else wanted
    data = finished(figure, kind)
    told: dict[str, Any] = {}
    if wanted == "page":
        crop = figure.get_tightbbox().padded(MARGIN)
        told = {"spots": spots(marks, figure, crop), "words": words(figure, crop)}
    if wanted == "page" and len(data) > VECTORS:
        kind, data = "png", finished(figure, "png")
    if kind == "png":
        data = compact_chart(data, None if paper().width is None else dots())
    return Figure(name, data, kind, alt, caption, dots(), **told)


def dots() -> int:
    """Pixels to the inch of charts that are drawn as pixels now."""
    return DOTS if paper().width is None else DOTS_ON_PAPER


def finished(figure: Canvas, kind: Kind, resolution: float | None = None) -> bytes:
    """The file's bytes; the same figure gives the same bytes. resolution: pixels to the inch, by default `dots()`."""
    if paper().width is not None:
        fit(figure)
        figure.set_layout_engine("none")
    layout = figure.get_layout_engine()
    if layout is not None:  # once is enough; a file is drawn twice, and the layout takes longer than the drawing
        layout.execute(figure)
        figure.set_layout_engine("none")
    metadata: dict[str, Any] = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    buffer = BytesIO()
    # On paper the width is what was asked for, to the pixel.
    cut: dict[str, Any] = {"bbox_inches": "tight", "pad_inches": MARGIN} if paper().width is None else {}
    figure.savefig(buffer, format=kind, dpi=resolution or dots(), metadata=metadata, **cut)
    return buffer.getvalue()


def log_scale(axis: Axes, low: float, high: float) -> None:
    """A logarithmic scale upwards for values from `low` to `high`; its numbers are plain, where matplotlib's own are
    mathtext, which `STYLE` does not read."""
    from matplotlib.ticker import AutoLocator, LogLocator, NullFormatter

    axis.set_yscale("log")
    by_decade = LogLocator(subs=(1, 2, 5) if high < 1e3 * low else (1,))
    axis.yaxis.set_major_locator(by_decade if high > 10 * low else AutoLocator())
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())


def text_width(names: Sequence[str]) -> float:
    """Inches that the longest of some names takes as a tick's label."""
    return 0.067 * max(map(len, names))


def legend(figure: Canvas, entries: Mapping[str, Look], *, lines: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=look.colour, linestyle=look.dash, linewidth=1.6)
        if lines
        else Line2D([], [], color=look.colour, marker=look.marker, linestyle="", markersize=6, markeredgewidth=0)
        for look in entries.values()
    ]
    room = figure.get_figwidth()
    columns = next((n for n in range(len(entries), 1, -1) if _legend_width(list(entries), n) <= room), 1)
    names = [fill(name, max(int((room - 0.7) / text_width("x")), 8)) for name in entries]
    rows = sum(name.count("\n") + 1 for name in names) if columns == 1 else -(-len(entries) // columns)
    figure.set_figheight(figure.get_figheight() + 0.178 * rows + 0.05)
    figure.legend(handles, names, loc="outside lower left", ncols=columns, handlelength=2.2 if lines else 1)


def _legend_width(names: Sequence[str], columns: int) -> float:
    """Inches that a legend in so many columns takes, each as wide as its longest name."""
    rows = -(-len(names) // columns)
    return sum(text_width(names[start : start + rows]) + 0.7 for start in range(0, len(names), rows))

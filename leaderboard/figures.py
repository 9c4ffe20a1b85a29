"""Charts of a suite: training curves, seeds side by side, correlations, trade-offs. One style for all."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from textwrap import fill
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

Kind = Literal["svg", "png", "pdf"]

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#999933")
"""Okabe and Ito's colours, then two of Paul Tol's: told apart with any colour vision."""
REFERENCE = "#8a9099"
INK, MUTED, FAINT = "#1d2129", "#666c75", "#dfe2e6"
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES = ("-", (0, (4, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
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
}


@dataclass(frozen=True)
class Figure:
    """A finished picture with what it says: a text for those who cannot see it, and a caption for those who can."""

    name: str
    data: bytes
    kind: Kind
    alt: str
    caption: str

    @property
    def uri(self) -> str:
        """The picture as a data URI, for a page that loads nothing."""
        kind = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}[self.kind]
        return f"data:{kind};base64,{base64.b64encode(self.data).decode()}"


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
        order = names.index(model)
        family = [other for other, of in models.items() if of == model and other not in references]
        position = family.index(label)
        hue = np.array(to_rgb(PALETTE[order % len(PALETTE)]))
        lightness = 0.0 if len(family) == 1 else np.linspace(-0.25, 0.5, len(family))[position]
        colour = hue * (1 + lightness) if lightness < 0 else hue + (1 - hue) * lightness
        found[label] = Look(tuple(colour.tolist()), MARKERS[order % len(MARKERS)], DASHES[position % len(DASHES)])
    return found


def canvas(panels: int, columns: int, width: float, height: float, **options: Any) -> tuple[Canvas, list[Axes]]:
    """A figure with so many panels, each `width` × `height` inches, at most `columns` in a row."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    columns = min(columns, panels)
    rows = -(-panels // columns)
    figure = Canvas(figsize=(width * columns, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, **options).ravel().tolist()
    for axis in axes[panels:]:
        axis.remove()
    return figure, axes[:panels]


def finished(figure: Canvas, kind: Kind) -> bytes:
    """The file's bytes; the same figure gives the same bytes."""
    metadata: dict[str, Any] = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    buffer = BytesIO()
    figure.savefig(buffer, format=kind, dpi=160, metadata=metadata, bbox_inches="tight", pad_inches=0.08)
    return buffer.getvalue()


def training_curves(
    histories: Mapping[str, Sequence[pd.DataFrame]], looks: Mapping[str, Look], kind: Kind = "svg"
) -> Figure | None:
    """A panel per term of the objective: each configuration's mean over seeds, and the range that its seeds span.

    Histories have a column `step` and one per term, in nats. None where there is no history.
    """
    from matplotlib import rc_context

    every = {label: pd.concat(frames) for label, frames in histories.items() if frames}
    terms = [t for t in dict.fromkeys(str(c) for frame in every.values() for c in frame) if is_term(t)]
    if not terms:
        return None
    with rc_context(STYLE):
        figure, axes = canvas(len(terms), 3, 3.5, 2.5)
        for term, axis in zip(terms, axes, strict=True):
            values = []
            for label, frame in every.items():
                if term not in frame:
                    continue
                over = frame.groupby("step")[term].agg(["mean", "min", "max"]).dropna()
                over = over.iloc[:: -(-len(over) // 200)]
                look = looks[label]
                axis.fill_between(over.index, over["min"], over["max"], color=look.colour, alpha=0.15, linewidth=0)
                axis.plot(over.index, over["mean"], color=look.colour, linestyle=look.dash, linewidth=1.4)
                values.append(over.to_numpy())
            joined = np.concatenate(values)
            if joined.min() > 0 and joined.max() > 20 * joined.min():
                axis.set_yscale("log")
            axis.set_title(term_name(term))
            axis.set_xlabel("step")
            axis.margins(x=0.01)
        _legend(figure, {label: looks[label] for label in every}, lines=True)
        seeds = max(len(frames) for frames in histories.values())
        return Figure(
            "training-curves",
            finished(figure, kind),
            kind,
            f"Line charts over training steps of {', '.join(map(term_name, terms))} for {', '.join(every)}.",
            "Training curves: the terms of each objective in nats, as logged on training batches. Lines are means over "
            f"up to {seeds} seeds, bands the range from the lowest to the highest seed. Reconstruction and KL compare "
            "between models; objectives are each model's own, and estimates of total correlation each estimator's.",
        )


def is_term(column: str) -> bool:
    """Whether a history's column is a term of the objective, and not a probe of the latent space."""
    return column not in ("step", "delta_kl", "active") and not column.startswith("probe_")


def term_name(term: str) -> str:
    known = {"loss": "objective", "rec": "reconstruction", "kl": "KL", "tc": "total correlation"}
    return known.get(term, term.replace("_", " "))


def seed_spread(
    values: pd.DataFrame, panels: Sequence[tuple[str, str]], looks: Mapping[str, Look], kind: Kind = "svg"
) -> Figure | None:
    """Every run as a dot: a panel per column, a row per configuration.

    `values` has `label`, `column` and `value`; `panels` are the columns with their titles. From ten runs on a violin
    lies behind the dots, from five a box, below that a tick at the median.
    """
    from matplotlib import rc_context

    labels = [label for label in looks if label in set(values["label"])]
    if not labels or not panels:
        return None
    with rc_context(STYLE):
        names = max(map(len, labels)) * 0.075
        figure, axes = canvas(len(panels), 4, 2.35 + names / 4, 0.75 + 0.24 * len(labels), sharey=True)
        for (column, title), axis in zip(panels, axes, strict=True):
            of_column = values[values["column"] == column]
            for row, label in enumerate(labels):
                _draw_runs(axis, row, of_column.loc[of_column["label"] == label, "value"].to_numpy(), looks[label])
            axis.set_title(fill(title, 26))
            axis.set_yticks(range(len(labels)), labels)
            axis.set_ylim(len(labels) - 0.4, -0.6)
            axis.grid(axis="y", visible=False)
            axis.tick_params(axis="y", length=0)
            axis.locator_params(axis="x", nbins=5)
        most = values.groupby(["label", "column"]).size().max()
        marks = (
            "violins are density estimates, the tick is the median"
            if most >= 10
            else "boxes span the quartiles"
            if most >= 5
            else "the tick is the median; too few seeds for a box or a density"
        )
        return Figure(
            "seeds",
            finished(figure, kind),
            kind,
            f"Dot plots of {', '.join(title for _, title in panels)} for {', '.join(labels)}, one dot a run.",
            f"Every run of every configuration, one dot a seed; {marks}."
            + (" Grey rows are references." if any(looks[label].colour == REFERENCE for label in labels) else ""),
        )


def _draw_runs(axis: Axes, row: int, runs: np.ndarray, look: Look) -> None:
    if not len(runs):
        return
    import seaborn as sns

    if len(runs) >= 10 and np.ptp(runs) > 0:
        rows = np.full(len(runs), row)
        sns.violinplot(
            x=runs, y=rows, orient="h", native_scale=True, width=0.85, inner=None, cut=0, color=look.colour, alpha=0.25,
            linewidth=0, ax=axis,
        )  # fmt: skip
        axis.set(xlabel="", ylabel="")
    elif len(runs) >= 5:
        # Not seaborn's: it uses an argument that matplotlib is about to remove.
        box = {"facecolor": look.colour, "alpha": 0.2, "linewidth": 0}
        line = {"color": look.colour, "linewidth": 0.8}
        axis.boxplot(
            runs, positions=[row], orientation="horizontal", widths=0.6, patch_artist=True, showfliers=False,
            showcaps=False, boxprops=box, whiskerprops=line, medianprops=line, manage_ticks=False,
        )  # fmt: skip
    median = np.median(runs)
    axis.plot([median, median], [row - 0.32, row + 0.32], color=look.colour, linewidth=1.8, solid_capstyle="round")
    offsets = 0.14 * np.where(np.arange(len(runs)) % 2, 1, -1) if len(runs) > 1 else np.zeros(1)
    axis.scatter(runs, row + offsets, s=13, color=[look.colour], alpha=0.8, linewidth=0, zorder=3)


def correlation_heatmap(correlations: pd.DataFrame, titles: Mapping[str, str], kind: Kind = "svg") -> Figure | None:
    """Spearman's ρ between headline scores as an annotated triangle; `correlations` as the aggregate stage writes it.

    None for fewer than two scores. Bold: the interval leaves out zero.
    """
    import seaborn as sns
    from matplotlib import rc_context
    from matplotlib.colors import LinearSegmentedColormap

    found = correlations.dropna(subset=["rho"])
    names = [name for name in titles if name in set(found["a"]) | set(found["b"])]
    if len(names) < 2:
        return None
    with rc_context(STYLE):
        size = max(0.52 * len(names), 2.2)
        figure, (axis,) = canvas(1, 1, size + 2.4, size + 1.2)
        colours = LinearSegmentedColormap.from_list("balance", ["#B2570E", "#E9B98C", "#F6F6F4", "#8FBBD9", "#0B5C93"])
        grid = np.full((len(names), len(names)), np.nan)
        told = np.zeros_like(grid, dtype=bool)
        for pair in found.to_dict("records"):
            i, j = sorted((names.index(pair["a"]), names.index(pair["b"])), reverse=True)
            grid[i, j] = pair["rho"]
            told[i, j] = pd.notna(pair["low"]) and (pair["low"] > 0 or pair["high"] < 0)
        labels = [titles[name] for name in names]
        triangle = pd.DataFrame(grid[1:, :-1], index=labels[1:], columns=labels[:-1])
        numbers = triangle.map(lambda rho: "" if pd.isna(rho) else f"{rho:.2f}".replace("-", "−"))
        sns.heatmap(
            triangle, vmin=-1, vmax=1, cmap=colours, annot=numbers, fmt="", annot_kws={"fontsize": 8}, square=True,
            cbar_kws={"shrink": 0.6, "aspect": 18, "pad": 0.02, "ticks": [-1, 0, 1], "label": "Spearman's ρ"}, ax=axis,
        )  # fmt: skip
        for text, bold in zip(axis.texts, told[1:, :-1][triangle.notna().to_numpy()], strict=True):
            text.set_fontweight("bold" if bold else "normal")
        axis.set_xticks(axis.get_xticks(), labels[:-1], rotation=40, ha="right", rotation_mode="anchor")
        axis.tick_params(length=0)
        axis.grid(visible=False)
        strongest = found.iloc[found["rho"].abs().argmax()]
        judged = found["low"].notna().any()
        return Figure(
            "correlations",
            finished(figure, kind),
            kind,
            f"Heat map of rank correlations between {', '.join(titles[n] for n in names)}. The strongest, "
            f"{strongest['rho']:.2f}, is between {strongest['a']} and {strongest['b']}.",
            f"Spearman's rank correlation between scores over {int(found['n'].max())} runs of "
            f"{int(found['configurations'].max())} configurations, references left out. Values enter as they are: a "
            "score where lower is better should be negative against one where higher is better. "
            + (
                "Bold: the 95 % interval, resampled by configuration and then by seed, leaves out zero."
                if judged
                else "Fewer than ten configurations, so no intervals: read the signs as hints."
            ),
        )


def trade_off(
    values: pd.DataFrame,
    x: tuple[str, str],
    ys: Sequence[tuple[str, str]],
    looks: Mapping[str, Look],
    kind: Kind = "svg",
) -> Figure | None:
    """One score against others, a dot a run: `values` has a row per run, `label` and the columns named by x and ys."""
    from matplotlib import rc_context

    if not ys or values.empty:
        return None
    with rc_context(STYLE):
        figure, axes = canvas(len(ys), 3, 3.5, 2.9)
        labels = [label for label in looks if label in set(values["label"])]
        for (column, title), axis in zip(ys, axes, strict=True):
            for label in labels:
                runs, look = values[values["label"] == label], looks[label]
                axis.scatter(
                    runs[x[0]], runs[column], s=34, marker=look.marker, color=[look.colour], alpha=0.85,
                    edgecolor="white", linewidth=0.5,
                )  # fmt: skip
            axis.set_title(fill(title, 40))
            axis.set_xlabel(x[1])
        _legend(figure, {label: looks[label] for label in labels}, lines=False)
        return Figure(
            "trade-off",
            finished(figure, kind),
            kind,
            f"Scatter plots of {', '.join(title for _, title in ys)} against {x[1]} for {', '.join(labels)}.",
            f"What disentanglement costs: {x[1]} against supervised scores, one mark a run.",
        )


def _legend(figure: Canvas, entries: Mapping[str, Look], *, lines: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=look.colour, linestyle=look.dash, linewidth=1.6)
        if lines
        else Line2D([], [], color=look.colour, marker=look.marker, linestyle="", markersize=6, markeredgewidth=0)
        for look in entries.values()
    ]
    longest = max(map(len, entries)) * 0.075 + 0.6
    columns = max(1, min(len(entries), int(figure.get_figwidth() // longest)))
    figure.set_figheight(figure.get_figheight() + 0.19 * -(-len(entries) // columns))
    figure.legend(handles, list(entries), loc="outside lower left", ncols=columns, handlelength=2.2 if lines else 1)

"""Rank correlations between scores as a heat map (M Figs. 5.13, 5.16, 5.19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Integer
from numpy import ndarray

from benchmark.statistics import MINIMUM_CONFIGURATIONS
from leaderboard.pictures.traversals import subscript
from leaderboard.places import Mark
from leaderboard.results import Results
from leaderboard.statistics_tables import over
from leaderboard.style import STYLE, Figure, Wanted, canvas, drawn, text_width

DOWNSTREAM = "sample_efficiency"


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    columns = [column for column in results.scored if column.metric != DOWNSTREAM]
    supervised = {column.name: column.title for column in columns if column.supervised}
    unsupervised = {column.name: column.title for column in columns if not column.supervised}
    downstream = {column.name: column.title for column in results.scored if column.metric == DOWNSTREAM}
    found = results.correlations
    return [
        correlation_heatmap(found, supervised, "correlations-supervised", kind),
        rectangle(found, unsupervised, supervised, "correlations-unsupervised", kind),
        rectangle(found, supervised | unsupervised, downstream, "correlations-downstream", kind),
    ]


def correlation_heatmap(
    correlations: pd.DataFrame, titles: Mapping[str, str], name: str = "correlations", kind: Wanted = "svg"
) -> Figure | None:
    """Spearman's ρ between headline scores as an annotated triangle; `correlations` as the aggregate stage writes it.

    None for fewer than two scores. Bold: the interval leaves out zero.
    """
    grid = _grid(correlations, list(titles), list(titles))
    kept = np.flatnonzero(np.isfinite(grid.rho).any(axis=1))
    if len(kept) < 2:
        return None
    labels = [list(titles.values())[i] for i in kept]
    below = grid.part(kept[1:], kept[:-1])
    below.rho[np.triu(np.ones_like(below.rho, dtype=bool), 1)] = np.nan
    return _drawn(below, labels[1:], labels[:-1], name, kind, square=True)


def rectangle(
    correlations: pd.DataFrame, rows: Mapping[str, str], columns: Mapping[str, str], name: str, kind: Wanted = "svg"
) -> Figure | None:
    """The same between two groups of scores, each with its titles. None where no pair has a correlation."""
    grid = _grid(correlations, list(rows), list(columns))
    high, wide = (np.flatnonzero(np.isfinite(grid.rho).any(axis=axis)) for axis in (1, 0))
    if not len(high):
        return None
    left, below = [list(rows.values())[i] for i in high], [list(columns.values())[j] for j in wide]
    return _drawn(grid.part(high, wide), left, below, name, kind)


class _Grid(NamedTuple):
    """ρ of each pair, NaN where there is none; the ends of its interval; over how many runs and configurations."""

    rho: Float[ndarray, "r c"]
    low: Float[ndarray, "r c"]
    high: Float[ndarray, "r c"]
    n: Float[ndarray, "r c"]
    configurations: Float[ndarray, "r c"]

    def part(self, rows: Integer[ndarray, " a"], columns: Integer[ndarray, " b"]) -> _Grid:
        return _Grid(*(each[np.ix_(rows, columns)] for each in self))

    def shown(self, of: Float[ndarray, "r c"]) -> Float[ndarray, " s"]:
        """Those of the pairs that have a ρ, row by row."""
        return of[np.isfinite(self.rho)]


def _grid(correlations: pd.DataFrame, rows: Sequence[str], columns: Sequence[str]) -> _Grid:
    grid = _Grid(*(np.full((len(rows), len(columns)), np.nan) for _ in _Grid._fields))
    for pair in correlations.dropna(subset=["rho"]).to_dict("records"):
        for a, b in ((pair["a"], pair["b"]), (pair["b"], pair["a"])):
            if a in rows and b in columns:
                for name, each in grid._asdict().items():
                    each[rows.index(a), columns.index(b)] = pair[name]
    return grid


def _drawn(
    grid: _Grid,
    rows: Sequence[str],
    columns: Sequence[str],
    name: str,
    kind: Wanted,
    *,
    square: bool = False,
) -> Figure:
    import seaborn as sns
    from matplotlib import rc_context
    from matplotlib.colors import LinearSegmentedColormap

    over_each = grid.shown(grid.configurations)
    differ = bool(np.ptp(over_each))
    with rc_context(STYLE):
        wide, high = max(0.46 * len(columns), 1.8), max((0.42 if square else 0.27) * len(rows), 1.0)
        size = wide + text_width(rows) + 1.0, high + 0.7 * text_width(columns) + 0.3
        figure, (axis,) = canvas(1, 1, *size, keep_height=not square)
        colours = LinearSegmentedColormap.from_list("balance", ["#B2570E", "#E9B98C", "#F6F6F4", "#8FBBD9", "#0B5C93"])
        table = pd.DataFrame(grid.rho, index=list(rows), columns=list(columns))
        numbers = table.map(lambda rho: "" if pd.isna(rho) else f"{round(rho, 2) + 0:.2f}".replace("-", "−"))
        if differ:
            each = pd.DataFrame(grid.configurations, index=table.index, columns=table.columns)
            numbers += each.where(table.notna()).map(lambda n: "" if pd.isna(n) else subscript(int(n)))
        sns.heatmap(
            table, vmin=-1, vmax=1, cmap=colours, annot=numbers, fmt="", annot_kws={"fontsize": 8}, square=square,
            xticklabels=True, yticklabels=True,
            cbar_kws={"shrink": 0.6, "aspect": 18, "pad": 0.02, "ticks": [-1, 0, 1], "label": "Spearman's ρ"}, ax=axis,
        )  # fmt: skip
        told = (grid.shown(grid.low) > 0) | (grid.shown(grid.high) < 0)
        for text, bold in zip(axis.texts, told, strict=True):
            text.set_fontweight("bold" if bold else "normal")
        axis.set_xticks(axis.get_xticks(), list(columns), rotation=40, ha="right", rotation_mode="anchor")
        axis.tick_params(length=0)
        axis.grid(visible=False)
        marks = [
            Mark(axis, j + 0.5, i + 0.5, f"{rows[i]} and {columns[j]}", f"{grid.rho[i, j]:.2f}".replace("-", "−"))
            for i, j in np.argwhere(np.isfinite(grid.rho))
        ]
        i, j = (int(place) for place in np.unravel_index(np.nanargmax(np.abs(grid.rho)), grid.rho.shape))
        judged = np.isfinite(grid.shown(grid.low)).any()
        small = " Small figures: the number of configurations." if differ else ""
        return drawn(
            name,
            figure,
            kind,
            f"Heat map of rank correlations between {', '.join(rows)} and {', '.join(columns)}. The strongest, "
            f"{grid.rho[i, j]:.2f}, is between {rows[i]} and {columns[j]}.",
            f"Spearman's rank correlation between scores over the {over(grid.shown(grid.n), over_each)} that have "
            f"both, references left out.{small} Blank below {MINIMUM_CONFIGURATIONS} configurations, or where a score "
            "is the same for all runs. Values enter as they are: a score where lower is better should be negative "
            "against one where higher is better. "
            + (
                "Bold: the 95 % interval, resampled by configuration and then by seed, leaves out zero."
                if judged
                else "Fewer than ten configurations, so no intervals: read the signs as hints."
            ),
            marks,
        )

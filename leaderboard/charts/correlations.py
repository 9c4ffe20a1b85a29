"""Rank correlations between scores as a heat map (M Figs. 5.13, 5.16, 5.19)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray

from leaderboard.results import Results
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
    grid, told = _grid(correlations, list(titles), list(titles))
    kept = [i for i in range(len(grid)) if np.isfinite(grid[i]).any()]
    if len(kept) < 2:
        return None
    names = [list(titles)[i] for i in kept]
    grid, told = grid[np.ix_(kept, kept)][1:, :-1], told[np.ix_(kept, kept)][1:, :-1]
    above = np.triu(np.ones_like(grid, dtype=bool), 1)
    grid[above], told[above] = np.nan, False
    labels = [titles[each] for each in names]
    return _drawn(correlations, grid, told, labels[1:], labels[:-1], name, kind, square=True)


def rectangle(
    correlations: pd.DataFrame, rows: Mapping[str, str], columns: Mapping[str, str], name: str, kind: Wanted = "svg"
) -> Figure | None:
    """The same between two groups of scores, each with its titles. None where no pair has a correlation."""
    grid, told = _grid(correlations, list(rows), list(columns))
    high, wide = np.isfinite(grid).any(axis=1), np.isfinite(grid).any(axis=0)
    if not high.any():
        return None
    left = [title for title, kept in zip(rows.values(), high, strict=True) if kept]
    below = [title for title, kept in zip(columns.values(), wide, strict=True) if kept]
    return _drawn(correlations, grid[high][:, wide], told[high][:, wide], left, below, name, kind)


def _grid(
    correlations: pd.DataFrame, rows: Sequence[str], columns: Sequence[str]
) -> tuple[Float[ndarray, "r c"], Bool[ndarray, "r c"]]:
    """ρ of each pair, NaN where there is none, and whether its interval leaves out zero."""
    grid = np.full((len(rows), len(columns)), np.nan)
    told = np.zeros(grid.shape, dtype=bool)
    for pair in correlations.dropna(subset=["rho"]).to_dict("records"):
        for a, b in ((pair["a"], pair["b"]), (pair["b"], pair["a"])):
            if a in rows and b in columns:
                place = rows.index(a), columns.index(b)
                grid[place] = pair["rho"]
                told[place] = pd.notna(pair["low"]) and (pair["low"] > 0 or pair["high"] < 0)
    return grid, told


def _drawn(
    correlations: pd.DataFrame,
    grid: Float[ndarray, "r c"],
    told: Bool[ndarray, "r c"],
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

    found = correlations.dropna(subset=["rho"])
    with rc_context(STYLE):
        wide, high = max(0.46 * len(columns), 1.8), max((0.42 if square else 0.27) * len(rows), 1.0)
        figure, (axis,) = canvas(1, 1, wide + text_width(rows) + 1.0, high + 0.7 * text_width(columns) + 0.3)
        colours = LinearSegmentedColormap.from_list("balance", ["#B2570E", "#E9B98C", "#F6F6F4", "#8FBBD9", "#0B5C93"])
        table = pd.DataFrame(grid, index=list(rows), columns=list(columns))
        numbers = table.map(lambda rho: "" if pd.isna(rho) else f"{round(rho, 2) + 0:.2f}".replace("-", "−"))
        sns.heatmap(
            table, vmin=-1, vmax=1, cmap=colours, annot=numbers, fmt="", annot_kws={"fontsize": 8}, square=square,
            xticklabels=True, yticklabels=True,
            cbar_kws={"shrink": 0.6, "aspect": 18, "pad": 0.02, "ticks": [-1, 0, 1], "label": "Spearman's ρ"}, ax=axis,
        )  # fmt: skip
        for text, bold in zip(axis.texts, told[np.isfinite(grid)], strict=True):
            text.set_fontweight("bold" if bold else "normal")
        axis.set_xticks(axis.get_xticks(), list(columns), rotation=40, ha="right", rotation_mode="anchor")
        axis.tick_params(length=0)
        axis.grid(visible=False)
        i, j = (int(place) for place in np.unravel_index(np.nanargmax(np.abs(grid)), grid.shape))
        judged = found["low"].notna().any()
        return drawn(
            name,
            figure,
            kind,
            f"Heat map of rank correlations between {', '.join(rows)} and {', '.join(columns)}. The strongest, "
            f"{grid[i, j]:.2f}, is between {rows[i]} and {columns[j]}.",
            f"Spearman's rank correlation between scores over {int(found['n'].max())} runs of "
            f"{int(found['configurations'].max())} configurations, references left out. Values enter as they are: a "
            "score where lower is better should be negative against one where higher is better. "
            + (
                "Bold: the 95 % interval, resampled by configuration and then by seed, leaves out zero."
                if judged
                else "Fewer than ten configurations, so no intervals: read the signs as hints."
            ),
        )

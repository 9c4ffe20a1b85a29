"""Rank correlations between scores as a heat map (M Figs. 5.13, 5.16, 5.19)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from leaderboard.results import Results
from leaderboard.style import STYLE, Figure, Kind, canvas, finished


def charts(results: Results, kind: Kind) -> list[Figure | None]:
    titles = {column.name: column.title for column in results.scored}
    return [correlation_heatmap(results.correlations, titles, kind)]


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

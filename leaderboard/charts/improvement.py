"""Probability of improvement as a matrix (Agarwal et al. 2021): how often a run of one beats a run of the other."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leaderboard.columns import primary
from leaderboard.places import Mark
from leaderboard.results import Results
from leaderboard.style import STYLE, Figure, Wanted, canvas, drawn, text_width

NUMBERED = 20
"""Configurations up to which every cell has its number."""


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    column = primary(results.board.columns)
    pairs = results.summaries.get("improvement")
    if column is None or pairs is None:
        return []
    own = pairs[(pairs["column"] == column.name) & (pairs["supervision"] == "none")]
    return [improvement(own, column.title, kind, shared=column.shared)]


def improvement(pairs: pd.DataFrame, title: str, kind: Wanted = "svg", *, shared: bool = False) -> Figure | None:
    """`pairs`: `a_label`, `b_label`, `p`, `low`, `high`, `n_a` and `n_b` of every ordered pair, as the aggregate stage
    writes them.

    None for fewer than two configurations, and where each has one run: it is an order then, and no probability. Rows
    and columns go by the mean probability, best first. Bold: the interval leaves out one half; from NUMBERED
    configurations on the cells are small, and a dot says the same. shared: the runs of a configuration have the score
    of each other, which is why there is no interval.
    """
    import seaborn as sns
    from matplotlib import rc_context
    from matplotlib.colors import LinearSegmentedColormap

    if pairs.empty or pairs[["n_a", "n_b"]].to_numpy().max() < 2:
        return None
    order = pairs.groupby("a_label")["p"].mean().sort_values(ascending=False, kind="stable").index.tolist()
    grid = pairs.pivot(index="a_label", columns="b_label", values="p").reindex(index=order, columns=order)
    told = pairs.assign(told=(pairs["low"] > 0.5) | (pairs["high"] < 0.5))
    told = told.pivot(index="a_label", columns="b_label", values="told").reindex(index=order, columns=order)
    with rc_context(STYLE):
        small = len(order) > NUMBERED
        cell = 0.23 if small else 0.46
        size, room = cell * len(order), text_width(order)
        figure, (axis,) = canvas(1, 1, size + room + 1.0, size + 0.7 * room + 0.3)
        colours = LinearSegmentedColormap.from_list("balance", ["#B2570E", "#E9B98C", "#F6F6F4", "#8FBBD9", "#0B5C93"])
        numbers = grid.map(lambda p: "" if pd.isna(p) else f"{p:.2f}")
        if small:
            numbers = told.map(lambda heavy: "•" if heavy == 1 else "")
        sns.heatmap(
            grid, vmin=0, vmax=1, cmap=colours, annot=numbers, fmt="", annot_kws={"fontsize": 8}, square=True,
            cbar_kws={"shrink": 0.6, "aspect": 18, "pad": 0.02, "ticks": [0, 0.5, 1]}, ax=axis,
            xticklabels=True, yticklabels=True,
        )  # fmt: skip
        bold = told.to_numpy()[grid.notna().to_numpy()].astype(bool)
        for text, heavy in zip(axis.texts, bold, strict=True):
            text.set_fontweight("bold" if heavy else "normal")
        axis.set_xticks(axis.get_xticks(), order, rotation=40, ha="right", rotation_mode="anchor")
        axis.set_xlabel("")
        axis.set_ylabel("")
        axis.tick_params(length=0)
        axis.grid(visible=False)
        marks = [
            Mark(axis, column + 0.5, row + 0.5, f"{order[row]} better than {order[column]}", f"{share:.2f}")
            for (row, column), share in np.ndenumerate(grid.to_numpy())
            if np.isfinite(share)
        ]
        ahead = bool((pairs["p"] != 0.5).any())
        mark = "A dot" if small else "Bold"
        said = (
            "No intervals: the runs of a model share this score, and are no sample."
            if shared
            else f"{mark}: its 95 % interval leaves out one half."
            if pairs["low"].notna().any()
            else "Too few runs for intervals."
        )
        return drawn(
            "improvement",
            figure,
            kind,
            f"Matrix of the probability that a run of one configuration has a better {title} than a run of another: "
            + (f"{order[0]} is ahead most often, {order[-1]} least." if ahead else "none is ahead of another."),
            f"Probability of improvement in {title}: how often a run of the row's configuration is better than one of "
            f"the column's; one half is no difference. {said}",
            marks,
        )

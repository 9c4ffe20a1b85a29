"""Every run of every configuration, a dot a seed (M Figs. 5.14, 5.15)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from leaderboard.cells import shortened
from leaderboard.columns import Column
from leaderboard.places import Mark
from leaderboard.results import Results
from leaderboard.scales import scale
from leaderboard.style import REFERENCE, STYLE, Figure, Look, Wanted, canvas, drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes


PANELS = 12


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    columns = _shown(results)
    titles = [(column.name, column.heading) for column in columns]
    looks = {row.label: results.looks[row.label] for row in results.board.rows}
    figure = seed_spread(results.rows[~results.rows["by_construction"]], titles, looks, kind)
    left_out = len(results.scored) - len(columns)
    if figure is not None and left_out:
        said = f" {left_out} further scores stand in the table." if left_out > 1 else " One more score is in the table."
        figure = replace(figure, caption=figure.caption + said)
    return [figure]


def _shown(results: Results) -> Sequence[Column]:
    """At most PANELS columns: those of several configurations, and of these the table's first ones before others."""
    owners = results.rows.groupby("column")["label"].nunique()
    several = [column for column in results.scored if owners.get(column.name, 0) > 1] or results.scored
    kept = {column.name for column in sorted(several, key=lambda column: not column.first)[:PANELS]}
    return [column for column in several if column.name in kept]


def seed_spread(
    values: pd.DataFrame, panels: Sequence[tuple[str, str]], looks: Mapping[str, Look], kind: Wanted = "svg"
) -> Figure | None:
    """Every run as a dot: a panel per column, a row per configuration.

    `values` has `label`, `column` and `value`; `panels` are the columns with their titles. From ten runs on a violin
    lies behind the dots, from five a box, below that a tick at the median. Scales follow the models: runs of
    references beyond them are arrowheads at the edge.
    """
    from matplotlib import rc_context

    labels = [label for label in looks if label in set(values["label"])]
    if not labels or not panels:
        return None
    with rc_context(STYLE):
        names = max(map(len, labels)) * 0.075
        figure, axes = canvas(
            len(panels), 4, 2.35 + names / 4, 0.75 + 0.24 * len(labels), sharey=True, keep_height=True
        )
        marks: list[Mark] = []
        for (column, title), axis in zip(panels, axes, strict=True):
            of_column = values[values["column"] == column]
            runs = {label: of_column.loc[of_column["label"] == label, "value"].to_numpy() for label in labels}
            for row, label in enumerate(labels):
                marks += _draw_runs(axis, row, runs[label], looks[label], label)
            _set_scale(axis, list(runs.values()), [looks[label].colour == REFERENCE for label in labels])
            axis.set_title(fill(title, 26))
            axis.set_yticks(range(len(labels)), labels)
            axis.set_ylim(len(labels) - 0.4, -0.6)
            axis.grid(axis="y", visible=False)
            axis.tick_params(axis="y", length=0)
            axis.locator_params(axis="x", nbins=5)
        most = values.groupby(["label", "column"]).size().max()
        drawing = (
            "violins are density estimates, the tick is the median"
            if most >= 10
            else "boxes span the quartiles"
            if most >= 5
            else "the tick is the median; too few seeds for a box or a density"
        )
        return drawn(
            "seeds",
            figure,
            kind,
            f"Dot plots of {', '.join(title for _, title in panels)} for {', '.join(labels)}, one dot a run.",
            f"Every run of every configuration, one dot a seed; {drawing}."
            + (
                " Grey rows are references; an arrowhead says that runs of one lie beyond the scale."
                if any(looks[label].colour == REFERENCE for label in labels)
                else ""
            ),
            marks,
        )


def _set_scale(axis: Axes, runs: Sequence[np.ndarray], references: Sequence[bool]) -> None:
    """From the lowest to the highest run of a model, with what references have near them."""
    own = [each for each, reference in zip(runs, references, strict=True) if len(each) and not reference]
    others = [each for each, reference in zip(runs, references, strict=True) if len(each) and reference]
    if not own or not others:
        return
    low, high = scale([(each.min(), each.max()) for each in own], np.concatenate(others).tolist())
    room = 0.05 * (high - low)
    axis.set_xlim(low - room, high + room)
    for row, each in enumerate(runs):
        for beyond, end, marker in ((each < low, low - 0.5 * room, "<"), (each > high, high + 0.5 * room, ">")):
            if beyond.any():
                axis.scatter([end], [row], s=16, marker=marker, color=REFERENCE, linewidth=0, zorder=3)


def _draw_runs(axis: Axes, row: int, runs: np.ndarray, look: Look, label: str) -> list[Mark]:
    """Draws a row, and returns its runs' places."""
    if not len(runs):
        return []
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
    places = zip(runs, row + offsets, strict=True)
    return [Mark(axis, float(x), float(y), label, shortened(float(x))) for x, y in places]

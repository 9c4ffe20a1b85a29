"""Reconstruction against disentanglement, a mark a run (M Figs. 5.9, 5.11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

import pandas as pd

from leaderboard.cells import shortened
from leaderboard.places import Mark
from leaderboard.results import Results
from leaderboard.style import STYLE, Figure, Look, Wanted, canvas, drawn, legend

AGAINST = 6
"""At most so many supervised scores have a panel."""


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    wide = results.wide
    rec = next((column for column in results.scored if column.metric == "reconstruction" and column.name in wide), None)
    against = [(c.name, c.title) for c in results.scored if c.supervised and c.name in wide and "@" not in c.name]
    looks = {row.label: results.looks[row.label] for row in results.board.rows}
    return [trade_off(wide, (rec.name, rec.title), against[:AGAINST], looks, kind)] if rec else []


def trade_off(
    values: pd.DataFrame,
    x: tuple[str, str],
    ys: Sequence[tuple[str, str]],
    looks: Mapping[str, Look],
    kind: Wanted = "svg",
) -> Figure | None:
    """One score against others, a dot a run: `values` has a row per run, `label` and the columns named by x and ys.

    Panels without a run that has both scores are left out; None where that leaves none.
    """
    from matplotlib import rc_context

    if values.empty:
        return None
    ys = [(column, title) for column, title in ys if values[[x[0], column]].notna().all(axis=1).any()]
    values = values[values[x[0]].notna() & values[[column for column, _ in ys]].notna().any(axis=1)]
    if not ys:
        return None
    with rc_context(STYLE):
        figure, axes = canvas(len(ys), 3, 6.0 if len(ys) == 1 else 3.5, 3.4 if len(ys) == 1 else 2.9)
        labels = [label for label in looks if label in set(values["label"])]
        marks: list[Mark] = []
        for (column, title), axis in zip(ys, axes, strict=True):
            for label in labels:
                runs, look = values[values["label"] == label], looks[label]
                axis.scatter(
                    runs[x[0]], runs[column], s=34, marker=look.marker, color=[look.colour], alpha=0.85,
                    edgecolor="white", linewidth=0.5,
                )  # fmt: skip
                marks += [
                    Mark(axis, across, up, label, f"{title} {shortened(up)}, {x[1]} {shortened(across)}")
                    for across, up in runs[[x[0], column]].dropna().astype(float).itertuples(index=False)
                ]
            axis.set_title(fill(title, 40))
            axis.set_xlabel(x[1])
        legend(figure, {label: looks[label] for label in labels}, lines=False)
        return drawn(
            "trade-off",
            figure,
            kind,
            f"Scatter plots of {', '.join(title for _, title in ys)} against {x[1]} for {', '.join(labels)}.",
            f"What disentanglement costs: {x[1]} against supervised scores, one mark a run.",
            marks,
        )

"""Reconstruction against disentanglement, a mark a run (M Figs. 5.9, 5.11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from textwrap import fill

import pandas as pd

from leaderboard.cells import shortened
from leaderboard.columns import Column
from leaderboard.places import Mark
from leaderboard.results import Results
from leaderboard.style import STYLE, Figure, Look, Wanted, canvas, drawn, legend

AGAINST = 6
"""At most so many supervised scores have a panel."""


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    wide = results.wide
    rec = next((column for column in results.scored if column.metric == "reconstruction" and column.name in wide), None)
    against = [c for c in results.scored if c.supervised and c.name in wide and "@" not in c.name]
    looks = {row.label: results.looks[row.label] for row in results.board.rows}
    return [trade_off(wide, rec, against[:AGAINST], looks, kind, unit="nats")] if rec else []


def trade_off(
    values: pd.DataFrame,
    x: Column,
    ys: Sequence[Column],
    looks: Mapping[str, Look],
    kind: Wanted = "svg",
    *,
    unit: str = "",
) -> Figure | None:
    """One score against others, a dot a run: `values` has a row per run, `label` and the columns named by x and ys.

    unit: that of x. Panels without a run that has both scores are left out; None where that leaves none.
    """
    from matplotlib import rc_context

    if values.empty:
        return None
    ys = [y for y in ys if values[[x.name, y.name]].notna().all(axis=1).any()]
    values = values[values[x.name].notna() & values[[y.name for y in ys]].notna().any(axis=1)]
    if not ys:
        return None
    with rc_context(STYLE):
        figure, axes = canvas(len(ys), 3, 6.0 if len(ys) == 1 else 3.5, 3.4 if len(ys) == 1 else 2.9)
        labels = [label for label in looks if label in set(values["label"])]
        across = x.heading if not unit else f"{x.title}, {unit}\xa0{x.arrow}".strip()
        marks: list[Mark] = []
        for y, axis in zip(ys, axes, strict=True):
            for label in labels:
                runs, look = values[values["label"] == label], looks[label]
                axis.scatter(
                    runs[x.name], runs[y.name], s=34, marker=look.marker, color=[look.colour], alpha=0.85,
                    edgecolor="white", linewidth=0.5,
                )  # fmt: skip
                marks += [
                    Mark(axis, right, up, label, f"{y.title} {shortened(up)}, {x.title} {shortened(right)}")
                    for right, up in runs[[x.name, y.name]].dropna().astype(float).itertuples(index=False)
                ]
            axis.set_title(fill(y.heading, 40))
            axis.set_xlabel(across)
        legend(figure, {label: looks[label] for label in labels}, lines=False)
        found = drawn(
            "trade-off",
            figure,
            kind,
            f"Scatter plots of {', '.join(y.title for y in ys)} against {x.title} for {', '.join(labels)}.",
            f"What disentanglement costs: {x.title} against supervised scores, one mark a run. {best_corner(x, ys)}",
            marks,
        )
        # The unit is no part of the score's title, by which a page finds its card.
        label = " ".join(across.split())
        return replace(found, words=[replace(w, text=x.title) if w.text == label else w for w in found.words])


def best_corner(x: Column, ys: Sequence[Column]) -> str:
    """Where the good runs lie, as a sentence."""
    ways = {y.direction for y in ys}
    if len(ways) > 1 or "none" in {x.direction, *ways}:
        return "Arrows say which way is better."
    side = {"higher": "right", "lower": "left"}[x.direction]
    return f"Best is the {'upper' if ways == {'higher'} else 'lower'} {side} corner."

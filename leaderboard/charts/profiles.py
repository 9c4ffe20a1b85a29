"""Performance profiles (Agarwal et al. 2021): which part of a configuration's runs scores above each threshold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from benchmark.seeds import stream
from benchmark.statistics import MINIMUM_RUNS, performance_profile
from leaderboard.cells import shortened
from leaderboard.columns import primary
from leaderboard.places import Mark
from leaderboard.results import Results
from leaderboard.style import STYLE, Figure, Look, Wanted, canvas, drawn, legend

LEAST = 5
"""Runs of a configuration from which on a profile says more than dots do."""
POINTED = 8
"""Every so many thresholds a reader of the page can point at a curve."""


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    column = primary(results.board.columns)
    if column is None:
        return []
    rows = results.rows[(results.rows["column"] == column.name) & ~results.rows["reference"]]
    rows = rows[rows.groupby("label")["value"].transform("size") >= LEAST]
    lower = column.direction == "lower"
    return [profiles(rows, column.heading, results.looks, kind, lower=lower, shared=column.shared)]


def profiles(
    rows: pd.DataFrame,
    title: str,
    looks: Mapping[str, Look],
    kind: Wanted = "svg",
    *,
    lower: bool = False,
    shared: bool = False,
) -> Figure | None:
    """`rows` has `label` and `value`, a row a run. lower: low values are better. shared: the runs of a configuration
    have the score of each other, so that there are no bands. None where there is no row."""
    from matplotlib import rc_context

    if rows.empty:
        return None
    low, high = float(rows["value"].min()), float(rows["value"].max())
    thresholds = np.linspace(low - 0.02 * (high - low), high + 0.02 * (high - low), 201)
    labels = [label for label in looks if label in set(rows["label"])]
    with rc_context(STYLE):
        figure, (axis,) = canvas(1, 1, 6.0, 3.2)
        marks: list[Mark] = []
        for label in labels:
            values, look = rows.loc[rows["label"] == label, "value"].to_numpy(), looks[label]
            found = performance_profile(values, thresholds, stream("profile", title, label))
            axis.plot(thresholds, found.fraction, color=look.colour, linestyle=look.dash, linewidth=1.4)
            for threshold, fraction in list(zip(thresholds, found.fraction, strict=True))[::POINTED]:
                said = f"{fraction:.0%} of its runs above {shortened(float(threshold))}"
                marks.append(Mark(axis, float(threshold), float(fraction), label, said))
            if found.low is not None and found.high is not None and not shared:
                axis.fill_between(thresholds, found.low, found.high, color=look.colour, alpha=0.12, linewidth=0)
        axis.set_ylim(-0.02, 1.02)
        axis.set_xlabel(title)
        axis.set_ylabel("part of the runs above")
        legend(figure, {label: looks[label] for label in labels}, lines=True)
        bands = (
            "No bands: the runs of a model share this score, and are no sample."
            if shared
            else "Bands: 95 %, threshold by threshold."
            if rows.groupby("label").size().max() >= MINIMUM_RUNS
            else "Fewer than ten runs a configuration, so no bands."
        )
        return drawn(
            "profiles",
            figure,
            kind,
            f"Performance profiles in {title} of {', '.join(labels)}.",
            f"Performance profiles: which part of a configuration's runs lies above each value of {title}. A curve "
            f"that lies {'below' if lower else 'above'} another everywhere is better whatever one asks for. {bands}",
            marks,
        )

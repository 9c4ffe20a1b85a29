"""Training curves: the terms of each objective over the steps (M Figs. 5.4, 5.7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from leaderboard.cells import shortened
from leaderboard.places import Mark
from leaderboard.results import Results
from leaderboard.style import STYLE, Figure, Look, Wanted, canvas, drawn, legend, log_scale

PANELS = 9
POINTS = 200
"""At most so many points of a line are drawn."""
POINTED = 25
"""Points of a line whose values a reader of the page can point at."""
NAMES = {
    "loss": "objective", "rec": "reconstruction", "kl": "KL", "tc": "total correlation", "mmd": "squared MMD",
    "mi": "mutual information", "dimension_kl": "dimension-wise KL", "off_diagonal": "off-diagonal",
    "r2": "second regulariser",
}  # fmt: skip
"""Terms by the names that people know them by."""


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    return [training_curves(results.histories(), results.looks, kind)]


def training_curves(
    histories: Mapping[str, Sequence[pd.DataFrame]], looks: Mapping[str, Look], kind: Wanted = "svg"
) -> Figure | None:
    """A panel per term of the objective: each configuration's mean over seeds, and the range that its seeds span.

    Histories have a column `step` and one per term, in nats. At most PANELS terms, those that most configurations
    have; None where there is no history.
    """
    from matplotlib import rc_context

    every = {label: pd.concat(frames) for label, frames in histories.items() if frames}
    terms = [t for t in dict.fromkeys(str(c) for frame in every.values() for c in frame) if is_term(t)]
    if not terms:
        return None
    number = len(terms)
    terms = sorted(terms, key=lambda term: -sum(term in frame for frame in every.values()))[:PANELS]
    with rc_context(STYLE):
        figure, axes = canvas(len(terms), 3, 3.5, 2.5)
        marks: list[Mark] = []
        for term, axis in zip(terms, axes, strict=True):
            values = []
            for label, frame in every.items():
                if term not in frame:
                    continue
                over = thinned(frame.groupby("step")[term].agg(["mean", "min", "max"]).dropna(), POINTS)
                look = looks[label]
                axis.fill_between(over.index, over["min"], over["max"], color=look.colour, alpha=0.15, linewidth=0)
                axis.plot(over.index, over["mean"], color=look.colour, linestyle=look.dash, linewidth=1.4)
                values.append(over.to_numpy())
                for step, mean in thinned(over["mean"].reset_index(), POINTED).to_numpy(float):
                    marks.append(Mark(axis, step, mean, label, f"step {step:,.0f}: {shortened(mean)}"))
            joined = np.concatenate(values)
            if joined.min() > 0 and joined.max() > 20 * joined.min():
                log_scale(axis, joined.min(), joined.max())
            axis.set_title(term_name(term))
            axis.set_xlabel("step")
            axis.margins(x=0.01)
        legend(figure, {label: looks[label] for label in every}, lines=True)
        seeds = max(len(frames) for frames in histories.values())
        found = drawn(
            "training-curves",
            figure,
            kind,
            f"Line charts over training steps of {', '.join(map(term_name, terms))} for {', '.join(every)}.",
            "Training curves: the terms of each objective in nats, as logged on training batches. "
            + (
                f"Lines are means over up to {seeds} seeds, bands the range from the lowest to the highest seed. "
                if seeds > 1
                else ""
            )
            + "Reconstruction and KL compare "
            "between models; objectives are each model's own, and estimates of total correlation each estimator's."
            + (" Terms that fewer models have are drawn beside their runs." if number > PANELS else ""),
            marks,
        )
        return replace(found, words=())  # terms of an objective are not the scores that have their names


def thinned(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most so many rows, evenly spaced, the first and the last among them: a curve ends where its run did."""
    places = np.linspace(0, len(frame) - 1, min(len(frame), most))
    return frame.iloc[places.round().astype(int)]


def is_term(column: str) -> bool:
    """Whether a history's column is a term of the objective, and not a probe of the latent space."""
    return column not in ("step", "delta_kl", "active") and not column.startswith("probe_")


def term_name(term: str) -> str:
    return NAMES.get(term, term.replace("_", " "))

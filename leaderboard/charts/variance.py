"""What objective, hyperparameter and seed explain of each score (M Fig. 5.14; Locatello et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from benchmark.stages.comparisons import counted
from leaderboard.places import Mark
from leaderboard.results import Results
from leaderboard.statistics_tables import notes, over
from leaderboard.style import PALETTE, STYLE, Figure, Wanted, canvas, drawn

SHARES = {"share_objective": "objective", "share_hyperparameter": "hyperparameter", "share_seed": "seed"}


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    shares = results.summaries.get("variance")
    titles = {column.name: column.title for column in results.scored}
    return [] if shares is None else [variance(shares[shares["column"].isin(list(titles))], titles, kind)]


def variance(shares: pd.DataFrame, titles: Mapping[str, str], kind: Wanted = "svg") -> Figure | None:
    """`shares`: a row per score with the three shares of its variance over runs, as the aggregate stage writes them.

    None where no score has shares.
    """
    from matplotlib import rc_context
    from matplotlib.patches import Patch

    # Of one configuration, the seed explains everything and the chart nothing.
    shares = shares[shares["configurations"] > 1].dropna(subset=list(SHARES)).sort_values("share_seed", kind="stable")
    if shares.empty:
        return None
    with rc_context(STYLE):
        figure, (axis,) = canvas(1, 1, 6.4, 0.22 * len(shares) + 1.0, keep_height=True)
        left = pd.Series(0.0, index=shares.index)
        marks: list[Mark] = []
        for colour, (column, what) in zip(PALETTE, SHARES.items(), strict=False):
            width = shares[column].clip(lower=0)
            parts = zip(shares["column"], left + width / 2, shares[column], strict=True)
            marks += [
                Mark(axis, x, row, titles[name], f"{what} {part:.0%}") for row, (name, x, part) in enumerate(parts)
            ]
            axis.barh(range(len(shares)), width, left=left, color=colour, height=0.72)
            left = left + width
        axis.set_yticks(range(len(shares)), named(shares, titles))
        axis.set_ylim(len(shares) - 0.4, -0.6)
        axis.set_xlim(0, 1)
        axis.set_xlabel("share of the variance over runs")
        axis.grid(axis="y", visible=False)
        handles = [Patch(color=colour, label=name) for colour, name in zip(PALETTE, SHARES.values(), strict=False)]
        figure.legend(handles=handles, loc="outside upper left", ncols=3)
        return drawn(
            "variance",
            figure,
            kind,
            "Stacked bars of the shares of variance that objective, hyperparameter and seed explain of "
            f"{', '.join(titles[name] for name in shares['column'])}.",
            f"What decides a score, over {over(shares['n'], shares['configurations'])}: which objective was trained, "
            "its hyperparameters, or the seed alone. A long last part says that restarts differ as much as models do."
            + notes(shares["note"]),
            marks,
        )


def named(shares: pd.DataFrame, titles: Mapping[str, str]) -> list[str]:
    """The scores' titles, each with the number of its own runs where these differ."""
    differ = shares["n"].min() < shares["n"].max()
    pairs = zip(shares["column"], shares["n"], strict=True)
    return [titles[name] + (f" ({counted(n, 'run')})" if differ else "") for name, n in pairs]

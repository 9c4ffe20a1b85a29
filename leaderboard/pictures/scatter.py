"""Two-dimensional codes, a panel for each factor that colours them (S Fig. 3; E)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from leaderboard.style import CLASSES, MUTED, STYLE, Figure, canvas, drawn

NEEDS = {"means"}
USES = {"factors", "factor_names", "factor_sizes"}
SHOWN = 3_000
"""Points drawn: more of them hide one another."""


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    means = arrays["means"]
    if means.shape[1] != 2:
        return []
    shown = np.sort(np.random.default_rng(0).permutation(len(means))[:SHOWN])
    factors = arrays["factors"][shown] if "factors" in arrays else np.zeros((len(shown), 0))
    varying = [k for k in range(factors.shape[1]) if factors[:, k].min() != factors[:, k].max()]
    names = [str(arrays["factor_names"][k]) for k in varying]
    return [scatter(means[shown], [factors[:, k] for k in varying], names, title)]


def scatter(codes: ndarray, factors: list[ndarray], names: list[str], title: str) -> Figure:
    """Codes (n 2) once for each factor, coloured by it; in one colour where none is known."""
    from matplotlib import rc_context

    panels: list[tuple[str, ndarray | None]] = list(zip(names, factors, strict=True)) or [("", None)]
    x, y = codes.T
    with rc_context(STYLE | {"axes.grid": False}):
        figure, axes = canvas(len(panels), 2, 3.4, 3.2)
        for axis, (name, factor) in zip(axes, panels, strict=True):
            values = np.unique(factor) if factor is not None else np.zeros(0)
            if factor is None:
                axis.scatter(x, y, s=4, color=MUTED, linewidths=0)
            # Other factors go by a scale from low to high.
            elif len(values) <= len(CLASSES) and (values == np.floor(values)).all():
                for colour, value in zip(CLASSES, values, strict=False):
                    own = factor == value
                    axis.scatter(x[own], y[own], s=4, color=colour, linewidths=0, label=f"{value:g}")
                axis.legend(
                    loc="center left", bbox_to_anchor=(1, 0.5), markerscale=3, handletextpad=0.1, borderaxespad=0.2
                )
            else:
                points = axis.scatter(x, y, s=4, c=factor, cmap="viridis", linewidths=0)
                figure.colorbar(points, ax=axis, shrink=0.8)
            axis.set_title(name)
            axis.set_xlabel("z₀")
            axis.set_ylabel("z₁")
        by = f" coloured by {', '.join(names)}" if names else ""
        return drawn(
            "scatter",
            figure,
            "png",
            f"Scatter plot of {len(codes):,} two-dimensional codes of {title}{by}.",
            f"Codes: {len(codes):,} points in the plane of the two coordinates{by}.",
        )

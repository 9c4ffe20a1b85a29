"""The aggregate posterior of each coordinate against the prior (M Fig. 5.12)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from leaderboard.pictures.traversals import subscript
from leaderboard.style import INK, PALETTE, STYLE, Figure, canvas, drawn

NEEDS = {"samples"}
USES = {"means", "variances"}
LIMIT = 10
"""Coordinates shown, those that carry most."""
EDGES = np.linspace(-4, 4, 65)


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    """Histograms of one sample a point; the line is N(0, 1) where the prior is that."""
    from matplotlib import rc_context

    samples, means = arrays["samples"].astype(np.float64), arrays["means"].astype(np.float64)
    weight, by = means.std(0), "the spread of the mean"
    if "variances" in arrays:
        variances = arrays["variances"].astype(np.float64)
        weight, by = 0.5 * (means**2 + variances - np.log(variances) - 1).mean(0), "mean KL"
    order = np.argsort(-weight, kind="stable")[:LIMIT]
    normal = np.exp(-0.5 * EDGES**2) / np.sqrt(2 * np.pi)
    away = float((np.abs(samples) > EDGES[-1]).mean())
    with rc_context(STYLE | {"axes.grid": False, "axes.titlesize": 8.5}):
        figure, axes = canvas(len(order), 5, 1.35, 1.25)
        for axis, j in zip(axes, order, strict=True):
            heights, _ = np.histogram(samples[:, j], EDGES)
            axis.stairs(heights / len(samples) / np.diff(EDGES), EDGES, fill=True, color=PALETTE[5])
            if "variances" in arrays:
                axis.plot(EDGES, normal, color=INK, linewidth=1)
            axis.set_title(f"z{subscript(int(j))}")
            axis.set_xlim(EDGES[0], EDGES[-1])
            axis.set_xticks([-3, 0, 3])
            axis.set_yticks([])
        line = "; line: the prior" if "variances" in arrays else ""
        left_out = samples.shape[1] - len(order)
        return [
            drawn(
                "aggregate-posterior",
                figure,
                "png",
                f"Histograms of {len(order)} coordinates of codes sampled by {title}.",
                f"Aggregate posterior: one sampled code of each of {len(samples):,} points, sorted by {by}{line}."
                + (f" {away:.1%} of the values lie outside." if away >= 0.0005 else "")
                + (f" {left_out} further coordinates are not shown." if left_out else ""),
            )
        ]

"""Fisher–Rao geodesics between posteriors, in the plane of μ and σ (P Fig. 4)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from leaderboard.pictures.traversals import subscript
from leaderboard.style import MUTED, PALETTE, STYLE, Figure, canvas, drawn

NEEDS = {"geodesic_means", "geodesic_deviations"}
LIMIT = 6
"""Coordinates drawn of the first pair, those whose means are farthest apart in deviations."""


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    """The arcs of the first pair with nine equal steps in t marked, beside straight lines."""
    from matplotlib import rc_context

    if not len(arrays["geodesic_means"]):
        return []
    mu, sigma = arrays["geodesic_means"][0], arrays["geodesic_deviations"][0]
    apart = np.abs(mu[-1] - mu[0]) / (sigma[0] + sigma[-1])
    order = np.argsort(-apart, kind="stable")[:LIMIT]
    marks = np.linspace(0, len(mu) - 1, 9).round().astype(int)
    with rc_context(STYLE):
        figure, (axis,) = canvas(1, 1, 4.6, 3.0)
        for place, j in enumerate(order):
            colour = PALETTE[place % len(PALETTE)]
            axis.plot(mu[:, j], sigma[:, j], color=colour, linewidth=1.4, label=f"z{subscript(int(j))}")
            axis.plot(mu[marks, j], sigma[marks, j], ".", color=colour, markersize=5)
            axis.plot(mu[[0, -1], j], sigma[[0, -1], j], ":", color=MUTED, linewidth=1)
        axis.set_xlabel("μ")
        axis.set_ylabel("σ")
        axis.set_ylim(bottom=0)
        axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        return [
            drawn(
                "geodesics",
                figure,
                "png",
                f"Fisher–Rao geodesics between two posteriors of {title} in {len(order)} coordinates.",
                f"From one posterior to another, {len(order)} coordinates: the geodesic in equal steps (dots), which"
                " rises to larger σ where means are far apart, and the straight line (dotted).",
            )
        ]

"""The decoder's pruning curve: how much weight its first layer gives each coordinate (S Fig. 8)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from leaderboard.style import PALETTE, STYLE, Figure, canvas, drawn

NEEDS = {"decoder_weights"}


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    """|Σ_i W_ij| and the norm of each column j, each sorted by itself and divided by its largest."""
    from matplotlib import rc_context
    from matplotlib.ticker import MaxNLocator

    weights = arrays["decoder_weights"].astype(np.float64)
    sums, norms = np.abs(weights.sum(0)), np.sqrt((weights**2).sum(0))
    if weights.shape[1] < 3 or not sums.any():
        return []
    with rc_context(STYLE):
        figure, (axis,) = canvas(1, 1, 3.8, 2.5)
        places = np.arange(1, weights.shape[1] + 1)
        for values, colour, mark, name in (
            (sums, PALETTE[0], "o-", "|sum| of a column"),
            (norms, PALETTE[1], "s--", "norm of a column"),
        ):
            axis.plot(places, np.sort(values)[::-1] / values.max(), mark, color=colour, markersize=4, label=name)
        axis.set_ylim(bottom=0)
        axis.set_xlabel("coordinate, by falling weight")
        axis.set_ylabel("share of the largest")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend()
        return [
            drawn(
                "pruning",
                figure,
                "png",
                f"Weight that the first decoder layer of {title} gives each of {weights.shape[1]} coordinates, sorted.",
                "Pruning curve: absolute column sums of the decoder's first layer, and column norms, each sorted."
                " Where the two disagree, the sums show chance.",
            )
        ]

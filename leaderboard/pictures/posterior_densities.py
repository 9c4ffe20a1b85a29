"""How the encoder's means and deviations are distributed, active coordinates apart from passive ones (M Fig. 5.6)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from leaderboard.pictures.traversals import PASSIVE
from leaderboard.style import MUTED, PALETTE, STYLE, Figure, canvas, drawn

NEEDS = {"means", "variances"}
GRID = 200
"""Places at which a density is drawn."""
BINS = 800


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    from matplotlib import rc_context

    means, variances = arrays["means"].astype(np.float64), arrays["variances"].astype(np.float64)
    kl = 0.5 * (means**2 + variances - np.log(variances) - 1).mean(0)
    order = np.argsort(-kl, kind="stable")
    groups = {"active": [j for j in order if kl[j] >= PASSIVE], "passive": [j for j in order if kl[j] < PASSIVE]}
    groups = {name: chosen for name, chosen in groups.items() if chosen}
    deviations = np.sqrt(variances)
    with rc_context(STYLE):
        figure, axes = canvas(2 * len(groups), 2, 3.2, 2.3)
        panels = iter(axes)
        for name, chosen in groups.items():
            for values, symbol, low in ((means, "μ", None), (deviations, "σ", 0.0)):
                axis = next(panels)
                for place, j in enumerate(chosen):
                    colour = PALETTE[place % len(PALETTE)] if name == "active" else MUTED
                    axis.plot(*density(values[:, j], low), color=colour, linewidth=1.2)
                axis.set_title(f"{symbol}, {len(chosen)} {name}")
                axis.set_ylim(bottom=0)
                axis.set_yticks([])
                if symbol == "μ":
                    axis.set_xlim(-4, 4)
                else:
                    axis.set_xlim(0, 1.1 * float(np.quantile(deviations[:, chosen], 0.999)))
        counts = " and ".join(f"{len(chosen)} {name}" for name, chosen in groups.items())
        return [
            drawn(
                "posterior-densities",
                figure,
                "png",
                f"Densities of the posterior means and deviations of {title}: {counts} coordinates.",
                f"The encoder's μ and σ over {len(means):,} points, a line a coordinate, heights scaled to one:"
                f" {counts} (from a mean KL of {PASSIVE} nats).",
            )
        ]


def density(values: Float[ndarray, " n"], low: float | None = None) -> tuple[ndarray, ndarray]:
    """A Gaussian kernel density of highest value 1, by Silverman's rule, mirrored at `low`: places and heights.

    Counted in bins first: exact to a bin's width, and the same cost for any number of points.
    """
    n = len(values)
    iqr = float(np.subtract(*np.quantile(values, [0.75, 0.25])))
    spread = min(float(values.std()), iqr / 1.349) if iqr > 0 else float(values.std())
    # Values that hardly vary have a density that no screen shows: they get a line of visible width.
    width = max(0.9 * spread * n**-0.2, 2e-3)
    start, stop = values.min() - 4 * width, values.max() + 4 * width
    counts, edges = np.histogram(values, BINS, (start, stop))
    centres = (edges[1:] + edges[:-1]) / 2
    places = np.unique(np.concatenate([np.linspace(start, stop, GRID), centres[counts > 0]]))
    if low is not None:
        places = np.maximum(places, low)

    def kernel(at: ndarray) -> ndarray:
        return np.exp(-0.5 * ((at[:, None] - centres) / width) ** 2) @ counts

    heights = kernel(places) + (kernel(2 * low - places) if low is not None else 0)
    return places, heights / heights.max()

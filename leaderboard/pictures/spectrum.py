"""The spectrum of the mean codes: how many components carry information (P Fig. 1)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from leaderboard.style import MUTED, PALETTE, STYLE, Figure, canvas, drawn, log_scale

NEEDS = {"means"}
INFORMATIVE = 0.01
"""P §2.1's threshold."""
FLOOR = 1e-8
"""Eigenvalues are drawn from here up, as a share of the largest: below is rounding."""


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    """Eigenvalues of the covariance of μ by falling size, beside the coordinates' own variances; from 3 on."""
    from matplotlib import rc_context
    from matplotlib.ticker import MaxNLocator

    means = arrays["means"].astype(np.float64)
    d = means.shape[1]
    if d < 3 or len(means) < 2:
        return []
    values = np.linalg.eigvalsh(np.atleast_2d(np.cov(means.T)))[::-1]
    own = np.sort(means.var(0))[::-1]
    if values[0] <= 0:
        return []
    least = values[0] * FLOOR
    count = int((values > INFORMATIVE).sum())
    with rc_context(STYLE):
        figure, (axis,) = canvas(1, 1, 3.8, 2.5)
        places = np.arange(1, d + 1)
        values, own = np.maximum([values, own], least)
        axis.plot(places, values, "o-", color=PALETTE[0], markersize=4, label="eigenvalues")
        axis.plot(places, own, "x", color=PALETTE[1], markersize=5, label="coordinates' variances")
        axis.axhline(INFORMATIVE, color=MUTED, linewidth=0.9, linestyle="--")
        log_scale(axis, min(values[-1], own[-1], INFORMATIVE), max(values[0], INFORMATIVE))
        axis.set_xlabel("component, by falling variance")
        axis.set_ylabel("variance of μ")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.legend()
        return [
            drawn(
                "spectrum",
                figure,
                "png",
                f"Eigenvalues of the covariance of the mean codes of {title}: {count} of {d} are above {INFORMATIVE}.",
                f"Spectrum of the mean codes over {len(means):,} points: {count} of {d} components above {INFORMATIVE}"
                " (dashed). Where crosses lie on the line, the components are the coordinates themselves.",
            )
        ]

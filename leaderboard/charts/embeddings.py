"""Codes of two coordinates side by side, coloured by a factor (E's comparison of embeddings; S Fig. 3)."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

import numpy as np
from jaxtyping import Float, Num
from numpy import ndarray

from benchmark.codes import Codes
from leaderboard.results import Results
from leaderboard.style import CLASSES, STYLE, Figure, Look, Wanted, canvas, drawn, legend

POINTS = 2_000
"""Points drawn in a panel at most, the first of a seeded order."""


def charts(results: Results, kind: Wanted) -> list[Figure | None]:
    clouds: dict[str, tuple[ndarray, ndarray]] = {}
    name = ""
    for row in results.board.rows:
        paths = [folder / "codes.safetensors" for folder in results.folders(row.label).values()]
        if not paths or not paths[0].exists():
            continue
        codes = Codes.load(paths[0], names=set())
        if codes.means.shape[1] != 2 or codes.factors.shape[1] == 0:
            continue
        kept = np.random.default_rng(0).permutation(len(codes.means))[:POINTS]
        clouds[row.label], name = (codes.means[kept], codes.factors[kept, 0]), codes.factor_names[0]
    return [embeddings(clouds, name, kind)] if len(clouds) > 1 else []


def embeddings(
    clouds: Mapping[str, tuple[Float[ndarray, "n 2"], Num[ndarray, " n"]]], factor: str, kind: Wanted = "png"
) -> Figure:
    """A panel per configuration: its codes (n 2) and the value of `factor` at each point.

    Up to ten discrete values have colours of their own; more, and continuous ones, a scale.
    """
    from matplotlib import colormaps, rc_context

    values = np.unique(np.concatenate([labels for _, labels in clouds.values()]))
    few = len(values) <= len(CLASSES)
    # Points by the thousand are pixels, not paths: an SVG of them would be large and slow.
    with rc_context(STYLE):
        figure, axes = canvas(len(clouds), 4, 2.5, 2.6)
        for (label, (z, labels)), axis in zip(clouds.items(), axes, strict=True):
            if few:
                colours = [CLASSES[place] for place in np.searchsorted(values, labels)]
            else:
                colours = colormaps["viridis"]((labels - values[0]) / (values[-1] - values[0]))
            axis.scatter(z[:, 0], z[:, 1], s=4, c=colours, linewidth=0, alpha=0.8, rasterized=True)
            axis.set_title(fill(label, 30), fontsize=8)
            axis.set_xticks([])
            axis.set_yticks([])
            axis.grid(visible=False)
        if few:
            marks = {f"{value:g}": Look(colour, "o", "-") for value, colour in zip(values, CLASSES, strict=False)}
            legend(figure, marks, lines=False)
        said = "a colour a value" if few else "from dark, its lowest value, to bright"
        return drawn(
            "embeddings",
            figure,
            kind,
            f"Scatter plots of two-dimensional codes by {', '.join(clouds)}, coloured by {factor}.",
            f"Codes of two coordinates, a panel a configuration (its lowest seed), coloured by {factor}: {said}. Axes "
            "are each panel's own: distances do not compare between panels.",
        )

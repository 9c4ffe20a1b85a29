"""How much the gradient of the ELBO scatters, by estimator and coordinate (M §3.3)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy import ndarray

from leaderboard.pictures.traversals import subscript
from leaderboard.style import PALETTE, STYLE, Figure, canvas, drawn, log_scale

NEEDS = {"gradient_variance_score", "gradient_variance_baseline", "gradient_variance_pathwise"}
ESTIMATORS = (
    ("score", "score function", "o"),
    ("baseline", "score function less a baseline", "s"),
    ("pathwise", "reparametrised", "^"),
)


def pictures(arrays: Mapping[str, ndarray], title: str) -> list[Figure]:
    """Mean variances over points, a panel for the derivative in μ and one for that in log σ."""
    from matplotlib import rc_context

    found = {key: arrays[f"gradient_variance_{key}"].mean(axis=0) for key, _, _ in ESTIMATORS}
    least, most = (float(end(list(found.values()))) for end in (np.min, np.max))
    if least <= 0:
        return []
    order = np.argsort(-found["pathwise"].sum(axis=0), kind="stable")
    marks = np.arange(len(order))
    with rc_context(STYLE):
        figure, axes = canvas(2, 2, 3.1, 2.5, sharey=True)
        for axis, parameter, symbol in zip(axes, (0, 1), ("μ", "log σ"), strict=True):
            for place, (key, name, mark) in enumerate(ESTIMATORS):
                own, colour = found[key][parameter, order], PALETTE[place]
                axis.plot(marks, own, mark, color=colour, markersize=5, markeredgewidth=0, label=name)
            log_scale(axis, least, most)
            axis.set_title(f"derivative in {symbol}")
            axis.set_xticks(marks, [f"z{subscript(int(j))}" if len(order) <= 12 else "" for j in order])
        axes[0].set_ylabel("variance, nats²")
        columns = 3 if figure.get_figwidth() > 5 else 1
        figure.set_figheight(figure.get_figheight() + 0.25 + 0.178 * (3 - columns))
        entries = axes[0].get_legend_handles_labels()
        figure.legend(*entries, loc="outside lower center", ncols=columns, columnspacing=1)
        return [
            drawn(
                "gradient-estimators",
                figure,
                "png",
                f"Variances of three estimators of the ELBO's gradient of {title}, by coordinate.",
                "Variance of the ELBO's gradient in the posterior's parameters, from one draw, by estimator; at the end"
                " of training, mean over a few points. Coordinates by falling variance of the last.",
            )
        ]

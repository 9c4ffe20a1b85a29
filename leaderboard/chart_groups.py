"""Charts under headings, so that a page with many of them stays readable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.style import Figure

GROUPS: dict[str, tuple[str, ...]] = {
    "Seen and unseen in training": ("seen-unseen",),
    "Scores of every run": ("seed", "violin", "spread", "rank", "improvement", "profile"),
    "What decides a score": ("variance", "sweep"),
    "What disentanglement costs": ("trade", "rate", "distortion", "against", "alignment"),
    "How measures agree": ("correlation", "selection", "udr"),
    "Training": ("training", "curve", "polarised", "gradient", "separability"),
    "Codes and data": ("latent", "codes", "posterior", "density", "embedding", "manifold", "scatter", "geodesic",
                       "interpolation", "active", "spectr", "component", "pruning", "dictionar"),
    "Robustness": ("robust", "noise", "corrupt"),
}  # fmt: skip
"""A heading, and the words in a chart's name that bring it there."""
OTHERS = "More charts"
OPEN = 2
"""So many groups are open at first."""


@dataclass(frozen=True)
class ChartGroup:
    title: str
    charts: Sequence[Figure]
    open: bool


def grouped(charts: Sequence[Figure]) -> list[ChartGroup]:
    """The charts by heading, each in its place of the first list that names it; what no list names comes last."""
    found: dict[str, list[Figure]] = {title: [] for title in (*GROUPS, OTHERS)}
    for chart in charts:
        title = next((t for t, words in GROUPS.items() if any(word in chart.name for word in words)), OTHERS)
        found[title].append(chart)
    filled = {title: own for title, own in found.items() if own}
    return [ChartGroup(title, own, place < OPEN) for place, (title, own) in enumerate(filled.items())]

"""Charts of one dataset's results, a file each. A file has `charts(results, kind)`: its figures, or None for none."""

from __future__ import annotations

from importlib import import_module

import pandas as pd

from leaderboard.results import Results
from leaderboard.style import Figure, Wanted

ORDER = (
    "seed_spread",
    "seen_unseen",
    "profiles",
    "improvement",
    "variance",
    "sweeps",
    "trade_off",
    "alignment",
    "rate_distortion",
    "correlations",
    "embeddings",
    "dictionaries",
    "training_curves",
)
"""The files of this folder, in the order in which a page shows them."""
ACROSS = ("seen_unseen", "corrupted_training")
"""Those that look across datasets: they have `across(rows, kind)` instead."""


def draw(results: Results, kind: Wanted = "page") -> list[Figure]:
    """Every chart that the results allow."""
    return [figure for name in ORDER for figure in draw_one(name, results, kind)]


def draw_one(name: str, results: Results, kind: Wanted = "page") -> list[Figure]:
    """The charts of one file that the results allow."""
    found = import_module(f"{__name__}.{name}").charts(results, kind)
    return [figure for figure in found if figure is not None]


def draw_across(headlines: pd.DataFrame, kind: Wanted = "page") -> list[Figure]:
    """Every chart that compares datasets; `headlines` are a suite's, as `headline_rows` gives them."""
    rows = headlines[headlines["status"] == "ok"]
    found = [figure for name in ACROSS for figure in import_module(f"{__name__}.{name}").across(rows, kind)]
    return [figure for figure in found if figure is not None]

"""The training curves of one run, small enough to stand beside its settings."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from leaderboard.cells import signed
from leaderboard.charts.training_curves import is_term, term_name, thinned
from leaderboard.results import read_history

POINTS = 60
"""At most so many points of a curve are drawn."""


@dataclass(frozen=True)
class Curve:
    """One term of the objective over the steps, as a path in a box of 120 × 32; `text` says where it ends."""

    title: str
    path: str
    text: str


def curves(folder: Path) -> list[Curve]:
    """A curve for each term that a run's history has; none for a closed form.

    Raises `BenchmarkError` on a history that cannot be read.
    """
    path = folder / "history.csv"
    if not path.exists():
        return []
    history = read_history(path)
    return [
        _curve(name, history[["step", name]].dropna()) for name in map(str, history) if is_term(name) and len(history)
    ]


def _curve(name: str, history: pd.DataFrame) -> Curve:
    kept = thinned(history, POINTS)
    steps, values = kept["step"].to_numpy(dtype=float), kept[name].to_numpy(dtype=float)
    if len(values) < 2:
        return Curve(term_name(name), "", "logged once" if len(values) else "never logged")
    # The first steps fall from far above: the range of the later ones is what tells runs apart.
    low, high = values.min(), max(np.quantile(values, 0.95), values[-1])
    x = 2 + 116 * (steps - steps[0]) / max(np.ptp(steps), 1)
    y = 30 - 28 * (np.clip(values, low, high) - low) / (high - low if high > low else 1)
    path = "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
    return Curve(term_name(name), path, signed(f"{values[-1]:.4g} at step {int(steps[-1]):,}"))

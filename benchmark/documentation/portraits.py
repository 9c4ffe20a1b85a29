"""What each measure sees and does not see: its scores of codes whose flaw is known, as a small picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float, Integer
from numpy import ndarray

SIZES = (3, 6, 8, 8)
"""Values of the factors. Every combination is a point, several times."""
TIMES = 3
LETTERS = ("shape", "scale", "x", "y")


def factors() -> Integer[ndarray, "n k"]:
    grid = np.stack(np.unravel_index(np.arange(np.prod(SIZES)), SIZES), axis=1)
    return np.tile(grid, (TIMES, 1))


def examples(seed: int = 0) -> dict[str, Float[ndarray, "n d"]]:
    """Codes of the factors: as they are, turned, each twice, two in one, and under noise as wide as themselves."""
    rng = np.random.default_rng(seed)
    v = factors().astype(float)
    z = (v - v.mean(0)) / v.std(0)
    turn, _ = np.linalg.qr(rng.standard_normal((len(SIZES), len(SIZES))))
    merged = z.copy()
    merged[:, 2] = z[:, 2] + z[:, 3]
    return {
        "perfect": z,
        "rotated": z @ turn,
        "each twice": np.hstack([z, z]),
        "two in one": merged[:, :3],
        "noisy": z + rng.standard_normal(z.shape),
        "noise": rng.standard_normal(z.shape),
    }


def scores() -> pd.DataFrame:
    """A row a measure that codes and factors suffice for, with its headline score, a column an example; by the quick
    protocols."""
    from benchmark import registry
    from benchmark.verbs.score import score

    headlines = {name: registry.load("metric", name).declaration.headline for name in registry.names("metric")}
    found = {}
    for name, codes in examples().items():
        frame = score(codes, factors(), factor_names=LETTERS, budget="quick", quiet=True)
        frame = frame[frame["factor"].isna() & (frame["status"] == "ok")]
        frame = frame[frame["score"] == frame["metric"].map(headlines)]
        found[name] = frame.drop_duplicates("metric").set_index("metric")["value"]
    return pd.DataFrame(found).dropna(how="all")


def portrait(values: Mapping[str, float], title: str, path: Path) -> None:
    """A bar for each example, written as a small SVG."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    from leaderboard.cells import shortened
    from leaderboard.style import INK, MUTED, PALETTE, STYLE

    with rc_context(STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(5.2, 1.9), layout="constrained")
        axis = figure.subplots()
        names = list(values)
        axis.barh(names, list(values.values()), color=PALETTE[0], height=0.62)
        room = max(map(abs, values.values())) or 1.0
        for row, value in enumerate(values.values()):
            axis.text(max(value, 0) + 0.015 * room, row, shortened(value), va="center", color=INK, fontsize=8)
        axis.invert_yaxis()
        axis.set_title(title)
        axis.tick_params(axis="y", length=0)
        axis.set_xlim(min(0, *values.values()) * 1.05, max(0, *values.values()) * 1.14 or 1)
        axis.axvline(0, color=MUTED, linewidth=0.7)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", metadata={"Date": None})


def words(values: Mapping[str, float]) -> str:
    """The picture for those who cannot see it."""
    return "; ".join(f"{name} {value:.3g}" for name, value in values.items())

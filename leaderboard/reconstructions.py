"""How well each configuration reconstructs from its mean codes: whether it sees what is in the pictures."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from benchmark.stages.comparisons import counted
from leaderboard.cells import shortened, signed
from leaderboard.text_table import TextTable

SCORE = "reconstruction"
COLUMNS = ("configuration", "nats at the mean code", "median", "95 % of the interquartile mean", "over", "protocol")
CAPTION = (
    "−log p(x|z) at z = μ, summed over a data point’s dimensions: mean ± standard deviation over runs, the best "
    "first. Where it is high, codes do not hold what is in the picture, and no score of disentanglement says "
    "much."
)


def reconstructions(summaries: Mapping[str, pd.DataFrame]) -> TextTable | None:
    """A row a configuration; None where no run decodes. summaries: a leaderboard's frames by name."""
    frame = summaries.get("summary", pd.DataFrame())
    own = frame[(frame["score"] == SCORE) & frame["mean"].notna()] if len(frame) else frame
    if own.empty:
        return None
    rows = [
        [
            str(row["configuration"]),
            shortened(row["mean"]) + ("" if pd.isna(row["std"]) else signed(f" ± {shortened(row['std'])}")),
            shortened(row["median"]),
            "" if pd.isna(row["low"]) else f"{shortened(row['low'])} to {shortened(row['high'])}",
            counted(int(row["runs"]), "run"),
            str(row["protocol"]),
        ]
        for row in own.sort_values("mean", kind="stable").to_dict("records")
    ]
    return TextTable("Reconstruction at the mean code", COLUMNS, rows, CAPTION)

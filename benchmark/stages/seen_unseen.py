"""What scores lose on combinations of factors that a model was not trained on: both slices side by side."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from benchmark.naming import without_points
from benchmark.seeds import stream
from benchmark.stages.slices import SLICES
from benchmark.statistics import spread

SEEN_UNSEEN = [
    "dataset", "representation", "model", "config_id", "configuration", "reference", "metric", "score",
    "budget", "column",
    "seen_protocol", "unseen_protocol", "runs", "seen", "unseen", "difference", "iqm", "low", "high", "direction",
]  # fmt: skip
SLICE_AND_POINTS = re.compile(r"-?(?:un)?seen-n\d+(?=/v)")
"""What the protocols of the two slices differ in."""
POINTS = re.compile(r"-n(\d+)/v")


def seen_unseen(headlines: pd.DataFrame, seed: int) -> pd.DataFrame:
    """A row per configuration and headline score that runs have on both slices, by `SEEN_UNSEEN`.

    `seen`, `unseen` and `difference` (unseen − seen) are means over the runs that have both; `iqm`, `low` and `high`
    are of the difference, resampled by run, the interval from ten runs on, each from a stream named by `seed`, the
    configuration and the protocols. headlines: as `headline_rows` gives them.
    """
    own = headlines[headlines["representation"].isin(SLICES) & (headlines["status"] == "ok")]
    own = _of_one_number_of_points(own)
    alike = own["protocol"].map(lambda protocol: SLICE_AND_POINTS.sub("", protocol))
    budgets = own["budget"].fillna(-1)
    rows: list[dict[str, Any]] = []
    for _, group in own.groupby([own["config_id"], alike, own["score"], budgets], sort=False):
        sides = {name: group[group["representation"] == name].set_index("run_id") for name in SLICES}
        both = sides["seen"].index.intersection(sides["unseen"].index)
        if not len(both):
            continue
        first = sides["unseen"].loc[both[0]]
        values = {name: side.loc[both, "value"].to_numpy(dtype=float) for name, side in sides.items()}
        named = (first["config_id"], sides["seen"].loc[both[0], "protocol"], first["protocol"])
        over = spread(values["unseen"] - values["seen"], stream("seen and unseen", seed, *named))
        rows.append(
            {
                "dataset": first["dataset_label"],
                "representation": "mean",
                "configuration": first["label"],
                "seen_protocol": sides["seen"].loc[both[0], "protocol"],
                "unseen_protocol": first["protocol"],
                "runs": len(both),
                **{name: each.mean() for name, each in values.items()},
                "difference": over.mean,
                "iqm": over.iqm.point,
                "low": over.iqm.low,
                "high": over.iqm.high,
                **{
                    name: first[name]
                    for name in ("model", "config_id", "reference", "metric", "score", "budget", "column", "direction")
                },
            }
        )
    numbers = dict.fromkeys(["seen", "unseen", "difference", "iqm", "low", "high"], "float64")
    return pd.DataFrame(rows, columns=SEEN_UNSEEN).astype(numbers)


def _of_one_number_of_points(rows: pd.DataFrame) -> pd.DataFrame:
    """Where a configuration has a score on several numbers of points, as after their setting was changed, those of the
    number that most runs have, the most points of equal ones: no run counts twice."""
    keys = ["config_id", "representation", "score", "budget", "asked_for"]
    known = rows[keys[:-1]].assign(
        budget=rows["budget"].fillna(-1),
        asked_for=rows["protocol"].map(without_points),
        points=rows["protocol"].str.extract(POINTS, expand=False).fillna("0").astype(int),
    )
    runs = known.groupby([*keys, "points"]).size().rename("runs").reset_index()
    kept = runs.sort_values(["runs", "points"], kind="stable").drop_duplicates(keys, keep="last")
    return rows[pd.MultiIndex.from_frame(known).isin(pd.MultiIndex.from_frame(kept[[*keys, "points"]]))]

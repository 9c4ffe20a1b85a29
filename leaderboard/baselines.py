"""Whether any model beats a rotation of perfect codes, or ICA on an autoencoder's codes, score by score in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from benchmark.stages.baselines import LEVEL
from benchmark.statistics import MINIMUM_TESTED
from leaderboard.cells import decimals, signed
from leaderboard.text_table import TextTable

NAMES = {"rotated": "a random rotation of perfect codes", "ae_ica": "AE + ICA"}
COLUMNS = ("score", "against", "better", "worse", "cannot be told", "means above it")
CAPTION = (
    f"Each unsupervised model against two cheap baselines: how much better its mean is. Better and worse: p < {LEVEL}"
    " by Welch’s test, after Holm over the models of a score; it takes runs to be normal. Of twenty scores one may be "
    "told so by chance. Where a rotation keeps what perfect codes score it is no baseline. All numbers, from ten seeds"
    " on with intervals, are in the file baselines."
)


def baselines(summaries: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> TextTable | None:
    """A row a score and baseline. summaries: a leaderboard's frames by name. titles: of its columns, in their order."""
    frame = summaries.get("baselines", pd.DataFrame())
    frame = frame[frame["column"].isin(list(titles))] if len(frame) else frame
    if frame.empty:
        return None
    groups = {(str(column), str(of)): own for (column, of), own in frame.groupby(["column", "baseline"], sort=False)}
    places = {name: place for place, name in enumerate(titles)}
    ordered = sorted(groups, key=lambda key: (places[key[0]], not key[1].startswith("rotated")))
    rows = [[titles[column], _name(of), *_verdicts(groups[column, of])] for column, of in ordered]
    few = sorted(set(frame.loc[frame["p"].isna(), ["runs", "baseline_runs"]].min(axis=1)))
    untested = f" Not tested: {_runs(few)}, below {MINIMUM_TESTED}." if few else ""
    return TextTable("Does any model beat the cheap baselines?", COLUMNS, rows, CAPTION + untested)


def _name(label: str) -> str:
    """A baseline's label with what it is."""
    model, _, settings = label.partition(" ")
    known = NAMES.get(model)
    return f"{known} ({label})" if known and settings else known or label


def _verdicts(group: pd.DataFrame) -> list[str]:
    known = group[group["difference"].notna()].sort_values("difference", ascending=False).to_dict("records")
    told = [row for row in known if row["p_holm"] < LEVEL]
    better, worse = ([row for row in told if (row["difference"] > 0) == up] for up in (True, False))
    open_ = [row for row in known if not row["p_holm"] < LEVEL]
    above = sum(row["difference"] > 0 for row in known)
    return [*(_list(rows) for rows in (better, worse, open_)), f"{above} of {len(known)}"]


def _list(rows: list[dict[Any, Any]]) -> str:
    return "; ".join(map(_said, rows)) or "–"


def _said(row: Mapping[Any, Any]) -> str:
    """Such as: beta_vae β=4 +0.031 (p = 0.004)."""
    change = signed(f"{row['difference']:+.{decimals(row['difference'])}f}")
    return f"{row['label']} {change}" + ("" if pd.isna(row["p_holm"]) else f" (p = {row['p_holm']:.2g})")


def _runs(numbers: list[int]) -> str:
    return f"{' or '.join(map(str, numbers))} {'run' if numbers == [1] else 'runs'}"

"""A paper's own numbers beside ours: under the paper's protocol, where one is known, and under ours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.choice import read_choice, read_value
from benchmark.metrics._declare import Metric
from benchmark.registry import load
from benchmark.spec import canonical
from benchmark.stages.aggregate import configurations
from benchmark.statistics import MINIMUM_RUNS
from leaderboard.text_table import TextTable

MINI = "-mini"
"""A suite's small form is compared with the same numbers."""
SETTINGS_OF = {"dsprites": "mushom"}
"""Suites that train a paper's settings by a recipe of their own."""
COLUMNS = ("configuration", "score", "paper", "ours", "difference", "95 % intervals", "paper’s protocol", "in ours")


@dataclass(frozen=True)
class Level:
    """A mean over runs; `std` and `runs` are None where a paper does not say."""

    mean: float
    std: float | None
    runs: int | None

    def __str__(self) -> str:
        spread = "" if self.std is None else f" ± {self.std:.3f}"
        return f"{self.mean:.3f}{spread}".replace("-", "−")

    @property
    def interval(self) -> tuple[float, float] | None:
        """Student's 95 % interval of the mean; None below ten runs."""
        from scipy.special import stdtrit

        if self.std is None or self.runs is None or self.runs < MINIMUM_RUNS:
            return None
        half = float(stdtrit(self.runs - 1, 0.975)) * self.std / np.sqrt(self.runs)
        return self.mean - half, self.mean + half


def figures_of(suite: str) -> pd.DataFrame | None:
    """The numbers of the paper that a built-in suite, or its mini, reproduces; None where there are none.

    Columns: `table` of the paper, `row`, `where` (which configurations, as `--only` writes it), `ours` and `paper` (the
    measure under either protocol; the second empty where ours is the paper's as far as that is known), `score`, `mean`,
    `std`, `runs`, `note`.
    """
    whole = suite.removesuffix(MINI)
    path = Path(str(files("benchmark"))) / "suites" / f"{SETTINGS_OF.get(whole, whole)}.csv"
    return pd.read_csv(path, dtype={"paper": "str", "note": "str"}) if path.exists() else None


def comparisons(suite: str, table: pd.DataFrame) -> dict[str, list[TextTable]]:
    """The paper's tables, by the label of the dataset that they are of; `table` is the suite's results table."""
    known = figures_of(suite)
    if known is None:
        return {}
    described = _configurations(table)
    found: dict[str, list[TextTable]] = {}
    for title, rows in known.groupby("table", sort=False):
        lines: dict[str, list[list[str]]] = {}
        for row in _records(rows):
            for config in _matching(described, str(row["where"])):
                lines.setdefault(str(config["dataset_label"]), []).append(_line(row, config, table))
        for dataset, cells in lines.items():
            caption = str(rows["note"].iloc[0])
            found.setdefault(dataset, []).append(TextTable(str(title), COLUMNS, cells, caption))
    return found


def _configurations(table: pd.DataFrame) -> list[dict[str, Any]]:
    kept = table.drop_duplicates("config_id")[["config_id", "dataset", "model", "network", "settings"]]
    kept = kept.merge(configurations(table)[["config_id", "dataset_label"]], on="config_id")
    return [row | {"settings": json.loads(row["settings"])} for row in _records(kept)]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _matching(described: Sequence[dict[str, Any]], where: str) -> list[dict[str, Any]]:
    """The configuration that `where` means: of several, that which was trained for the most steps."""
    wanted = dict(word.split("=", 1) for word in where.split(" "))
    fitting = [config for config in described if all(_has(config, key, text) for key, text in wanted.items())]
    return sorted(fitting, key=lambda config: (config["settings"]["training"] or {}).get("steps", 0))[-1:]


def _has(config: dict[str, Any], key: str, text: str) -> bool:
    part, _, setting = key.partition(".")
    if not setting:
        return bool(config[part] == text)
    return (config["settings"][part] or {}).get(setting) == canonical(read_value(text))


def _line(row: dict[str, Any], config: dict[str, Any], table: pd.DataFrame) -> list[str]:
    own = table[(table["config_id"] == config["config_id"]) & (table["representation"] == "mean")]
    paper = Level(row["mean"], _number(row["std"]), None if pd.isna(row["runs"]) else int(row["runs"]))
    asked = row["paper"] if pd.notna(row["paper"]) else row["ours"]
    (ours, protocol), (default, _) = _level(own, asked, row["score"]), _level(own, row["ours"], row["score"])
    if ours is None:
        return [row["row"], row["score"], str(paper), "not scored", "", "", str(asked), ""]
    judged = "the paper says no spread" if paper.std is None else "too few runs to say"
    if paper.interval and ours.interval:
        (a, b), (c, d) = paper.interval, ours.interval
        judged = "overlap" if a <= d and c <= b else "apart"
    difference = f"{ours.mean - paper.mean:+.3f}".replace("-", "−")
    beside = f"{default}" if pd.notna(row["paper"]) and default is not None else ""
    runs = f" ({ours.runs})"
    return [row["row"], row["score"], str(paper), f"{ours}{runs}", difference, judged, protocol, beside]


def _level(rows: pd.DataFrame, choice: str, score: str) -> tuple[Level | None, str]:
    """The mean of a score over runs under a protocol, and the protocol's id."""
    read = read_choice(choice)
    metric: Metric = load("metric", read.name).declaration
    # Without the number of points, which the suite decides: an id ends in -nPOINTS/vVERSION.
    start = metric.protocol(metric.settings.read(dict(read.settings), choice), "mean", None).rpartition("/")[0]
    quick = metric.protocol(metric.settings.read({**metric.quick, **read.settings}, choice), "mean", None)
    for stem in dict.fromkeys([start, quick.rpartition("/")[0]]):
        own = rows[rows["protocol"].str.rpartition("/")[0].str.rpartition("-n")[0] == stem]
        own = own[(own["score"] == score) & own["factor"].isna() & (own["status"] == "ok")]
        own = own.drop_duplicates("run_id")
        if len(own):
            values = own["value"].to_numpy()
            std = float(values.std(ddof=1)) if len(values) > 1 else None
            return Level(float(values.mean()), std, len(values)), str(own["protocol"].iloc[0])
    return None, ""


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)

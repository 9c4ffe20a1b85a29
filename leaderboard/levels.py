"""Our numbers for those of others: the mean of a configuration's runs under a protocol that a paper means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmark.choice import read_choice, read_value
from benchmark.metrics._declare import Metric
from benchmark.registry import load
from benchmark.spec import canonical
from benchmark.stages.configurations import configurations
from benchmark.statistics import MINIMUM_RUNS
from leaderboard.cells import shortened

Configuration = Mapping[str, Any]
"""A configuration's config_id, label, dataset, dataset_label, model, network and `settings`, which are parsed."""


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
    def short(self) -> str:
        """With as many decimals as a leaderboard shows, and the number of runs."""
        spread = "" if self.std is None else f" ± {shortened(self.std)}"
        return f"{shortened(self.mean)}{spread} ({self.runs})"

    @property
    def interval(self) -> tuple[float, float] | None:
        """Student's 95 % interval of the mean; None below ten runs."""
        from scipy.special import stdtrit

        if self.std is None or self.runs is None or self.runs < MINIMUM_RUNS:
            return None
        half = float(stdtrit(self.runs - 1, 0.975)) * self.std / np.sqrt(self.runs)
        return self.mean - half, self.mean + half


def described(table: pd.DataFrame) -> list[Configuration]:
    """The configurations of a results table."""
    kept = table.drop_duplicates("config_id")[["config_id", "dataset", "model", "network", "settings"]]
    kept = kept.merge(configurations(table)[["config_id", "dataset_label", "label", "reference"]], on="config_id")
    return [row | {"settings": json.loads(row["settings"])} for row in records(kept)]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def fitting(known: Sequence[Configuration], where: str) -> list[Configuration]:
    """The configurations that `where`, written as `--only` writes it, means; fewest steps of training first."""
    wanted = dict(word.split("=", 1) for word in where.split(" "))
    found = [each for each in known if all(_has(each, key, text) for key, text in wanted.items())]
    return sorted(found, key=steps)


def steps(config: Configuration) -> int:
    """For how many steps a configuration was trained; 0 where there is nothing to train."""
    return int((config["settings"].get("training") or {}).get("steps", 0))


def _has(config: Configuration, key: str, text: str) -> bool:
    part, _, setting = key.partition(".")
    if not setting:
        return bool(config[part] == text)
    return bool((config["settings"][part] or {}).get(setting) == canonical(read_value(text)))


def stems(choice: str) -> list[str]:
    """How the ids of a measure's protocols on mean codes begin, in full and in the quick form, also where that sets
    what the choice sets.

    Without the number of points, which the suite decides: an id ends in -nPOINTS/vVERSION.
    """
    read = read_choice(choice)
    metric: Metric = load("metric", read.name).declaration
    forms = (dict(read.settings), {**metric.quick, **read.settings}, {**read.settings, **metric.quick})
    ids = [metric.protocol(metric.settings.read(form, choice), "mean", None) for form in forms]
    return list(dict.fromkeys(each.rpartition("/")[0] for each in ids))


def values(rows: pd.DataFrame, choice: str, score: str) -> tuple[pd.Series, str]:
    """A score's values by run under a protocol, and the protocol's id; none, and "", where it was not scored.

    Of several versions or numbers of points it is the protocol that most runs have, then the newest, then that of the
    most points: a mean of two protocols is none.
    """
    for stem in stems(choice):
        own = rows[rows["protocol"].str.rpartition("/")[0].str.rpartition("-n")[0] == stem]
        own = own[(own["score"] == score) & own["factor"].isna() & (own["status"] == "ok")]
        own = own[own["representation"] == "mean"]
        if len(own):
            runs = own.groupby("protocol")["run_id"].nunique().to_dict()
            protocol = max(map(str, runs), key=lambda name: (runs[name], *_version_and_points(name)))
            own = own[own["protocol"] == protocol].drop_duplicates("run_id")
            return own.set_index("run_id")["value"], protocol
    return pd.Series(dtype="float64"), ""


def _version_and_points(protocol: str) -> tuple[int, int]:
    found = re.search(r"-n(\d+)/v(\d+)", protocol)
    return (int(found[2]), int(found[1])) if found else (0, 0)


def level(rows: pd.DataFrame, choice: str, score: str) -> tuple[Level | None, str]:
    """The mean of a score over runs under a protocol, and the protocol's id."""
    found, protocol = values(rows, choice, score)
    if found.empty:
        return None, ""
    numbers = found.to_numpy()
    std = float(numbers.std(ddof=1)) if len(numbers) > 1 else None
    return Level(float(numbers.mean()), std, len(numbers)), protocol

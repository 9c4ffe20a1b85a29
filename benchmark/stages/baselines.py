"""Whether any model beats the cheap baselines: a rotation of perfect codes, and ICA on an autoencoder's codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from benchmark.stages.comparisons import counted, oriented
from benchmark.statistics import MINIMUM_PAIRS, Paired, holm, paired

BASELINES = ("rotated", "ae_ica")
"""Models, a reference and a competitor. A rotation is what a score gives to codes that hold all and separate nothing;
ICA on an autoencoder's codes is what separates with no objective of its own."""
AGAINST = [
    "dataset", "representation", "column", "baseline", "baseline_config_id", "config_id", "label", "difference", "low",
    "high", "seeds", "better_seeds", "p", "p_holm", "note",
]  # fmt: skip
KEY = ["dataset_label", "representation", "column"]
LEVEL = 0.05
"""Of a score's tests against one baseline together, after Holm."""


def against_baselines(headlines: pd.DataFrame) -> pd.DataFrame:
    """A row for each score that knows the factors, baseline and unsupervised model, by `AGAINST`: positive is better.

    headlines: the headline scores with a number, references too. Pairs are the seeds that both have; `p_holm` is
    adjusted over the models of one score and baseline. Scores that are true by construction have won nothing, and are
    left out.
    """
    rows = headlines[(headlines["direction"] != "none") & headlines["supervised"] & ~headlines["by_construction"]]
    found: list[dict[str, Any]] = []
    for (dataset, representation, column), group in rows.groupby(KEY):
        common = {"dataset": dataset, "representation": representation, "column": column}
        for baseline_id, label, of_baseline in _baselines(group):
            about = common | {"baseline": label, "baseline_config_id": baseline_id}
            found += _of_one(about, of_baseline, group[_competing(group) & (group["config_id"] != baseline_id)])
    numbers = dict.fromkeys(("difference", "low", "high", "p", "p_holm"), "float64")
    return pd.DataFrame(found, columns=AGAINST).astype(numbers)


def _baselines(group: pd.DataFrame) -> Iterator[tuple[str, str, pd.Series]]:
    """The baselines among a score's rows, each with its id, its label and its values by seed."""
    for model in BASELINES:
        for (config_id, label), own in group[group["model"] == model].groupby(["config_id", "label"]):
            yield str(config_id), str(label), _by_seed(own)


def _competing(group: pd.DataFrame) -> pd.Series:
    return ~group["reference"] & (group["supervision"] == "none")


def _by_seed(rows: pd.DataFrame) -> pd.Series:
    """Values by seed, high is better."""
    return pd.Series(oriented(rows), index=rows["seed"].to_numpy())


def _of_one(about: dict[str, Any], baseline: pd.Series, rivals: pd.DataFrame) -> list[dict[str, Any]]:
    """One score against one baseline, a row a configuration."""
    found = []
    for (config_id, label), own in rivals.groupby(["config_id", "label"]):
        values = _by_seed(own)
        seeds = values.index.intersection(baseline.index)
        row = about | {"config_id": config_id, "label": label, "seeds": len(seeds), "note": _note(len(seeds))}
        if len(seeds):
            row |= _numbers(paired(values[seeds].to_numpy(), baseline[seeds].to_numpy()))
        found.append(row)
    tested = [row for row in found if row.get("p") is not None]
    adjusted = holm(pd.Series([row["p"] for row in tested], dtype=float).to_numpy())
    for row, p in zip(tested, adjusted, strict=True):
        row["p_holm"] = float(p)
    return found


def _numbers(of: Paired) -> dict[str, Any]:
    low, high = of.difference.low, of.difference.high
    return {"difference": of.difference.point, "low": low, "high": high, "better_seeds": of.higher, "p": of.p}


def _note(seeds: int) -> str:
    if not seeds:
        return "no seed has both scores"
    return "" if seeds >= MINIMUM_PAIRS else f"{counted(seeds, 'seed')}: not tested below {MINIMUM_PAIRS}"

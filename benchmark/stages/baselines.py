"""Whether any model beats the cheap baselines: a rotation of perfect codes, and ICA on an autoencoder's codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

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
        found += _of_score(common, group.assign(value=oriented(group)))
    numbers = dict.fromkeys(("difference", "low", "high", "p", "p_holm"), "float64")
    return pd.DataFrame(found, columns=AGAINST).astype(numbers)


def _of_score(common: dict[str, Any], group: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """One score's rows. group: its runs, high is better."""
    configs = group.drop_duplicates("config_id").set_index("config_id")
    competes = ~configs["reference"] & (configs["supervision"] == "none")
    by_seed = group.pivot(index="config_id", columns="seed", values="value")
    values = {str(config_id): row for config_id, row in zip(by_seed.index, by_seed.to_numpy(dtype=float), strict=True)}
    labels = configs["label"].to_dict()
    for model in BASELINES:
        for baseline in configs.index[configs["model"] == model]:
            about = common | {"baseline": labels[baseline], "baseline_config_id": baseline}
            rivals = {config_id: values[config_id] for config_id in configs.index[competes] if config_id != baseline}
            for config_id, row in _against(values[baseline], rivals).items():
                yield about | {"config_id": config_id, "label": labels[config_id], **row}


def _against(
    baseline: Float[ndarray, " seeds"], rivals: Mapping[str, Float[ndarray, " seeds"]]
) -> dict[str, dict[str, Any]]:
    """One score against one baseline, by configuration; NaN where a seed has no such score."""
    found = {}
    for config_id, values in rivals.items():
        both = ~(np.isnan(values) | np.isnan(baseline))
        seeds = int(both.sum())
        row: dict[str, Any] = {"seeds": seeds, "note": _note(seeds)}
        found[config_id] = row | (_numbers(paired(values[both], baseline[both])) if seeds else {})
    tested = [row for row in found.values() if row.get("p") is not None]
    for row, p in zip(tested, holm(np.array([row["p"] for row in tested], dtype=float)), strict=True):
        row["p_holm"] = float(p)
    return found


def _numbers(of: Paired) -> dict[str, Any]:
    low, high = of.difference.low, of.difference.high
    return {"difference": of.difference.point, "low": low, "high": high, "better_seeds": of.higher, "p": of.p}


def _note(seeds: int) -> str:
    if not seeds:
        return "no seed has both scores"
    return "" if seeds >= MINIMUM_PAIRS else f"{counted(seeds, 'seed')}: not tested below {MINIMUM_PAIRS}"

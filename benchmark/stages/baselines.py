"""Whether any model beats the cheap baselines: a rotation of perfect codes, and ICA on an autoencoder's codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from benchmark.stages.comparisons import counted, oriented
from benchmark.statistics import MINIMUM_TESTED, difference, holm

BASELINES = ("rotated", "ae_ica")
"""Models, a reference and a competitor. A rotation is what a score gives to codes that hold all and separate nothing;
ICA on an autoencoder's codes is what separates with no objective of its own."""
AGAINST = [
    "dataset", "representation", "column", "baseline", "baseline_config_id", "config_id", "label", "difference", "low",
    "high", "runs", "baseline_runs", "p", "p_holm", "note",
]  # fmt: skip
KEY = ["dataset_label", "representation", "column"]
LEVEL = 0.05
"""Of a score's tests against one baseline together, after Holm."""
LOST = 0.01
"""The part of perfect codes' score that a rotation must lose to be a baseline: where it loses nothing, as by measures
of what can be read out linearly, nobody could beat it."""


def against_baselines(headlines: pd.DataFrame) -> pd.DataFrame:
    """A row for each score that knows the factors, baseline and unsupervised model, by `AGAINST`: positive is better.

    headlines: the headline scores with a number, references too. `p_holm` is adjusted over the models of one score and
    baseline. Scores that are true by construction have won nothing, and are left out; so are a rotation where it loses
    nothing of what perfect codes have, and a score that is the same for all rows.
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
    values = {str(config_id): of["value"].to_numpy(dtype=float) for config_id, of in group.groupby("config_id")}
    labels = configs["label"].to_dict()
    if np.ptp(group["value"]) == 0:
        return
    perfect = group.loc[group["model"] == "perfect", "value"].to_numpy(dtype=float)
    for model in BASELINES:
        for baseline in configs.index[configs["model"] == model]:
            if model == "rotated" and not _loses(values[baseline], perfect):
                continue
            about = common | {"baseline": labels[baseline], "baseline_config_id": baseline}
            rivals = {config_id: values[config_id] for config_id in configs.index[competes] if config_id != baseline}
            for config_id, row in _against(values[baseline], rivals).items():
                yield about | {"config_id": config_id, "label": labels[config_id], **row}


def _loses(rotated: Float[ndarray, " n"], perfect: Float[ndarray, " m"]) -> bool:
    """Whether a rotation scores worse than perfect codes, as far as there are any."""
    if not len(perfect):
        return True
    whole, left = float(perfect.mean()), float(rotated.mean())
    return whole - left > LOST * max(abs(whole), abs(left))


def _against(baseline: Float[ndarray, " n"], rivals: Mapping[str, Float[ndarray, " _"]]) -> dict[str, dict[str, Any]]:
    """One score against one baseline, by configuration."""
    found: dict[str, dict[str, Any]] = {}
    for config_id, values in rivals.items():
        (point, low, high), p = difference(values, baseline)
        fewest = min(len(values), len(baseline))
        note = "" if fewest >= MINIMUM_TESTED else f"{counted(fewest, 'run')}: not tested below {MINIMUM_TESTED}"
        found[config_id] = {"difference": point, "low": low, "high": high, "p": p, "note": note}
        found[config_id] |= {"runs": len(values), "baseline_runs": len(baseline)}
    tested = [row for row in found.values() if row["p"] is not None]
    for row, p in zip(tested, holm(np.array([row["p"] for row in tested], dtype=float)), strict=True):
        row["p_holm"] = float(p)
    return found

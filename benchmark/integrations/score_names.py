"""What scores are called in others' tools: as everywhere here, without the protocol, which stands beside them."""

from __future__ import annotations

import json

import pandas as pd

from benchmark.naming import score_name
from benchmark.published import of_all


def score_names(table: pd.DataFrame) -> pd.Series:
    """The name of each row of a results table; empty for scores of single factors, coordinates, codes and runs.

    `mig`, `mcc.pearson`; another representation than the mean and a number of labels stand behind a slash:
    `mig/sample`, `sample_efficiency/100 labels`. Where one dataset has a score under several protocols, so do the words
    that tell them apart: `mig/bins10`, `mig/bins20`. A row without a number is named like its measure.
    """
    rows = of_all(table)
    representations = ["" if each == "mean" else f"/{each}" for each in rows["representation"]]
    labels = ["" if pd.isna(budget) else f"/{budget} labels" for budget in rows["budget"]]
    full = [score_name(metric, score) for metric, score in zip(rows["metric"], rows["score"], strict=True)]
    names = pd.Series(map("".join, zip(full, representations, labels, strict=True)), index=rows.index, dtype="str")
    data = rows["settings"].map({text: _dataset(text) for text in rows["settings"].unique()})
    groups = pd.DataFrame({"name": names, "data": data, "ok": rows["status"] == "ok", "protocol": rows["protocol"]})
    for _, group in groups.groupby(["name", "data", "ok"], sort=False):
        told = _told(sorted(group["protocol"].unique()))
        if len(told) > 1:
            words = group["protocol"].map(told)
            names[group.index] = group["name"] + words.map(lambda text: f"/{text}" if text else "")
    return names.reindex(table.index, fill_value="")


def _dataset(settings: str) -> str:
    return json.dumps(json.loads(settings)["dataset"])


def _told(protocols: list[str]) -> dict[str, str]:
    """Of each protocol the words that not all of them have."""
    words = {each: each.partition("/")[2].replace("/", "-").replace("=", " ").split("-") for each in protocols}
    shared = set.intersection(*map(set, words.values()))
    return {each: " ".join(word for word in own if word not in shared) for each, own in words.items()}

"""From the results table to summaries: spreads over seeds, and rank correlations between measures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.atomic import write_atomically
from benchmark.errors import UsageError
from benchmark.metrics._declare import Metric
from benchmark.spec import suggest
from benchmark.statistics import spearman_interval, spread
from benchmark.table import split_key

REFERENCE_MODELS = ("perfect", "perfect_dead", "rotated", "noise", "untrained")
"""Rows that show where a measure's floor and ceiling lie; they are no competitors and enter no correlation."""

GREEK = {"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "lambda": "λ", "sigma": "σ", "tau": "τ"}
WEIGHTS = ("alpha", "beta", "gamma", "lambda")
"""How the settings that weigh an objective's terms begin; the label of a model's only configuration has them."""
SUMMARY = [
    "dataset", "model", "config_id", "configuration", "representation", "metric", "protocol", "score", "factor",
    "budget", "runs", "failed", "mean", "std", "median", "iqm", "low", "high", "direction", "supervised",
]  # fmt: skip
CORRELATIONS = [
    "dataset", "kind", "representation", "a", "a_protocol", "b", "b_protocol", "rho", "low", "high", "n",
    "configurations",
]  # fmt: skip


@dataclass(frozen=True)
class Summaries:
    """`summary`: a row per configuration and score. `correlations`: a row per pair of headline scores.

    Intervals are of the interquartile mean and of Spearman's ρ, at 95 %; empty below ten runs or configurations.
    """

    summary: pd.DataFrame
    correlations: pd.DataFrame

    def write(self, folder: Path) -> None:
        """Write summary.csv and correlations.csv."""
        write_atomically(folder / "summary.csv", lambda scratch: self.summary.to_csv(scratch, index=False))
        write_atomically(folder / "correlations.csv", lambda scratch: self.correlations.to_csv(scratch, index=False))


def aggregate(table: pd.DataFrame, declarations: Mapping[str, Metric], *, seed: int = 0) -> Summaries:
    """Summarise a results table; `seed` draws the bootstraps. Raises `UsageError` on an undeclared metric."""
    rng = np.random.default_rng(seed)
    headlines = headline_rows(table, declarations)
    return Summaries(_summary(table, headlines, declarations, rng), _correlations(headlines, rng))


def direction(higher_is_better: bool | None) -> str:
    """Which way is better: "higher", "lower" or "none"."""
    return {True: "higher", False: "lower", None: "none"}[higher_is_better]


def headline_rows(table: pd.DataFrame, declarations: Mapping[str, Metric]) -> pd.DataFrame:
    """The rows of headline scores; adds `direction`, `supervised`, `dataset_label`, `label`, `reference`, `column`.

    Rows without a value are named like their headline score. Raises `UsageError` on an undeclared metric.
    """
    unknown = sorted(set(table["metric"]) - set(declarations))
    if unknown:
        raise UsageError(
            f"metric {unknown[0]!r} of the table is not declared{suggest(unknown[0], sorted(declarations))}"
        )
    keys = {name: split_key(metric.headline) for name, metric in declarations.items()}
    rows = table.assign(score_wanted=table["metric"].map({name: key[0] for name, key in keys.items()}).astype("str"))
    ok = rows["status"] == "ok"
    rows.loc[~ok, "score"] = rows.loc[~ok, "score_wanted"]
    budget = rows["metric"].map({name: key[1] for name, key in keys.items()}).astype("Int64")
    right_budget = (budget.isna() | (rows["budget"] == budget)).fillna(False).astype(bool)
    rows.loc[~ok, "budget"] = budget[~ok]
    rows = rows[(rows["score"] == rows["score_wanted"]) & rows["factor"].isna() & (right_budget | ~ok)]
    # A measure whose scores stand at each label budget says the largest once more without it.
    score = ["run_id", "protocol", "representation", "score"]
    budgeted = pd.MultiIndex.from_frame(rows[rows["budget"].notna()][score])
    rows = rows[rows["budget"].notna() | ~pd.MultiIndex.from_frame(rows[score]).isin(budgeted)]
    described = configurations(table).drop(columns=["dataset", "model"])
    rows = rows.drop(columns="score_wanted").merge(described, on="config_id")
    return rows.assign(
        direction=[direction(declarations[name].higher_is_better) for name in rows["metric"]],
        supervised=[declarations[name].supervised for name in rows["metric"]],
        column=_column_names(rows),
    )


def _column_names(rows: pd.DataFrame) -> pd.Series:
    """The score, its label budget, and its protocol where two protocols share both within one leaderboard.

    Rows without a number have their score's name: their protocol may say another n than that of the others.
    """
    budgets = rows["budget"].map(lambda budget: "" if pd.isna(budget) else f" @ {budget:,}").astype("str")
    names = rows["score"] + budgets
    boards = pd.DataFrame({"name": names, "dataset": rows["dataset_label"], "representation": rows["representation"]})
    ok = rows["status"] == "ok"
    protocols = rows["protocol"][ok].groupby([boards[key][ok] for key in boards], sort=False).transform("nunique")
    shared = (protocols > 1).reindex(rows.index, fill_value=False)
    return names.where(~shared, names + " (" + rows["protocol"] + ")").where(ok, rows["score"])


def configurations(table: pd.DataFrame) -> pd.DataFrame:
    """One row per configuration: config_id, dataset, model, dataset_label, label, reference.

    Labels are unique among what they label: a name and the settings that tell it from others of that name.
    """
    frame = table.drop_duplicates("config_id")[["config_id", "dataset", "model", "settings"]].reset_index(drop=True)
    settings = [json.loads(text) for text in frame["settings"]]
    names, models = list(frame["dataset"]), list(frame["model"])
    data = [{"dataset": values["dataset"] or {}} for values in settings]
    parts = [{key: values[key] or {} for key in ("model", "network", "training")} for values in settings]
    datasets = _labels(names, data, names)
    labels = _labels(models, parts, [f"{dataset} {model}" for dataset, model in zip(datasets, models, strict=True)])
    frame = frame.assign(dataset_label=datasets, label=labels).astype({"dataset_label": "str", "label": "str"})
    again = frame.duplicated(["dataset_label", "label"], keep=False)
    frame.loc[again, "label"] = frame["label"][again] + " (" + frame["config_id"][again] + ")"
    return frame.assign(reference=frame["model"].isin(REFERENCE_MODELS)).drop(columns="settings")


def _labels(names: list[str], parts: list[dict[str, dict[str, Any]]], groups: list[str]) -> list[str]:
    """Each name with the settings, as `key=value`, that differ within its group; where none do, with its weights."""
    flat = [{(part, key): value for part, values in item.items() for key, value in values.items()} for item in parts]
    labels = []
    for name, item, group in zip(names, flat, groups, strict=True):
        peers = [other for other, of in zip(flat, groups, strict=True) if of == group]
        told = [key for key in item if len({json.dumps(peer.get(key)) for peer in peers}) > 1]
        if not told:
            told = [(part, key) for part, key in item if part == "model" and key.split("_")[0] in WEIGHTS]
        labels.append(" ".join([name, *(f"{symbol(key[1])}={_short(item[key])}" for key in told)]))
    return labels


def symbol(name: str) -> str:
    """A setting's name with its leading Greek letter written as one: `lambda_diagonal` is `λ_diagonal`."""
    first, *rest = name.removesuffix("_").split("_")
    return "_".join([GREEK.get(first, first), *rest])


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False).replace('"', "")


def _summary(
    table: pd.DataFrame, headlines: pd.DataFrame, declarations: Mapping[str, Metric], rng: np.random.Generator
) -> pd.DataFrame:
    """A configuration all of whose runs failed at a score has a row with 0 runs."""
    labels = configurations(table).set_index("config_id")["label"]
    keys, own = ["dataset", "model", "config_id", "representation", "metric", "protocol"], ["score", "factor", "budget"]
    judged = set(zip(headlines["protocol"], headlines["score"], strict=True))
    rows: list[dict[str, Any]] = []
    key: Any
    for key, of_protocol in table.sort_values([*keys, "seed"]).groupby(keys):
        common = dict(zip(keys, key, strict=True))
        metric = declarations[common["metric"]]
        failed = int((of_protocol["status"] == "failed").sum())
        common |= {"failed": failed, "supervised": metric.supervised, "configuration": labels[common["config_id"]]}
        better = direction(metric.higher_is_better)
        ok = of_protocol[of_protocol["status"] == "ok"]
        for key, group in ok.groupby(own, dropna=False):
            found = common | dict(zip(own, key, strict=True))
            over = spread(group["value"].to_numpy(), rng)
            iqm = {"iqm": over.iqm.point, "low": over.iqm.low, "high": over.iqm.high}
            headline = (found["protocol"], found["score"]) in judged
            rows.append(found | over._asdict() | iqm | {"direction": better if headline else "none"})
        if failed and ok.empty:
            rows.append(common | {"score": metric.headline, "runs": 0, "direction": better})
    return pd.DataFrame(rows, columns=SUMMARY).astype({"budget": "Int64"})


def _correlations(headlines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Raw values are correlated, so two scores with opposite directions are expected to have a negative ρ."""
    rows = []
    trained = headlines[(headlines["status"] == "ok") & ~headlines["reference"]]
    for (dataset, representation), group in trained.groupby(["dataset_label", "representation"]):
        # Unsupervised ones first, so that a mixed pair is always unsupervised × supervised.
        order = group.drop_duplicates("column").sort_values(["supervised", "protocol", "budget"])
        values = group.pivot(index=["config_id", "run_id"], columns="column", values="value")
        for a, b in combinations(order.to_dict("records"), 2):
            both = values[[a["column"], b["column"]]].dropna()
            owners = both.index.get_level_values("config_id").to_numpy()
            found = spearman_interval(both[a["column"]].to_numpy(), both[b["column"]].to_numpy(), owners, rng)
            kinds = ["supervised" if side["supervised"] else "unsupervised" for side in (a, b)]
            rows.append(
                {"dataset": dataset, "kind": "×".join(kinds), "representation": representation}
                | {"a": a["column"], "a_protocol": a["protocol"], "b": b["column"], "b_protocol": b["protocol"]}
                | dict(zip(["rho", "low", "high"], found or (None, None, None), strict=True))
                | {"n": len(both), "configurations": len(set(owners))}
            )
    return pd.DataFrame(rows, columns=CORRELATIONS)

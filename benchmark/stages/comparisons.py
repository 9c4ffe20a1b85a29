"""What a suite's scores say about its configurations against each other: from headline scores to four tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from benchmark.seeds import stream
from benchmark.statistics import (
    MINIMUM_CONFIGURATIONS,
    MINIMUM_RUNS,
    Interval,
    Ranked,
    probabilities_of_improvement,
    ranking,
    runs_needed,
    selection_regret,
    variance_shares,
)

IMPROVEMENT = [
    "dataset", "representation", "column", "a", "a_label", "b", "b_label", "p", "low", "high", "n_a", "n_b",
    "supervision",
]  # fmt: skip
VARIANCE = [
    "dataset", "representation", "column", "share_objective", "objective_low", "objective_high",
    "share_hyperparameter", "hyperparameter_low", "hyperparameter_high", "share_seed", "seed_low", "seed_high", "n",
    "configurations", "models", "note",
]  # fmt: skip
RANKING = [
    "dataset", "representation", "column", "config_id", "label", "rank", "rank_low", "rank_high", "groups",
    "indistinguishable_from", "runs", "supervision", "note",
]  # fmt: skip
SELECTION = [
    "dataset", "representation", "column", "criterion", "regret", "low", "high", "best", "chosen",
    "at_random", "n", "configurations", "note",
]  # fmt: skip
CRITERIA = ("elbo", "reconstruction", "udr")
"""Measures without labels by which a model may be chosen; chance is a fourth."""
BY_CONSTRUCTION = "true by construction: not ranked"
"""The note of a score that a model has whatever it is fitted to."""
SHARED = "the runs of a configuration share it: no sample"
"""The note of a score that is of the agreement between runs: the mean of ten scatters twice as widely as they say."""
BOARD = ["dataset_label", "representation"]
Supervision = Literal["none", "pairs", "labels"]
"""What a model is shown beside the data: nothing, which points share some of their factors, or labels."""
SUPERVISION = get_args(Supervision)


def improvement(competitors: pd.DataFrame) -> pd.DataFrame:
    """P(a run of `a` is better than one of `b`) for every ordered pair of a leaderboard, by `IMPROVEMENT`.

    Scores that are true by construction have won nothing, and are left out.
    """
    frames = []
    for common, group in _columns(competitors[~competitors["by_construction"]], directed=True):
        sides = _by_configuration(group)
        ids, labels = (pd.Series(list(names), dtype="str") for names in zip(*sides, strict=True))
        runs = np.array([len(values) for values in sides.values()])
        a, b = np.nonzero(~np.eye(len(sides), dtype=bool))
        found = probabilities_of_improvement(list(sides.values()))
        columns = {"a": ids.take(a), "a_label": labels.take(a), "b": ids.take(b), "b_label": labels.take(b)}
        columns = {name: each.reset_index(drop=True) for name, each in columns.items()}
        numbers = {"p": found.point[a, b], "low": found.low[a, b], "high": found.high[a, b]}
        if group["shared"].any():
            numbers |= {"low": np.full(len(a), np.nan), "high": np.full(len(a), np.nan)}
        frames.append(pd.DataFrame(columns | numbers | {"n_a": runs[a], "n_b": runs[b]}).assign(**common))
    together = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=IMPROVEMENT)
    return _typed(together[IMPROVEMENT], [])


def rankings(competitors: pd.DataFrame) -> pd.DataFrame:
    """Each configuration's rank per score, 1 the best, and all that it cannot be told from, by `RANKING`.

    A score that is true by construction has no rank, and no other is ranked against it.
    """
    rows: list[dict[str, Any]] = []
    for common, group in _columns(competitors, directed=True):
        given = group["by_construction"]
        for config_id, of_one in group[given].groupby("config_id", sort=False):
            about = {"config_id": config_id, "label": of_one["label"].iloc[0], "groups": "", "runs": len(of_one)}
            rows.append(common | about | {"indistinguishable_from": [], "note": BY_CONSTRUCTION})
        sides = _by_configuration(group[~given])
        labels = [label for _, label in sides]
        needed = runs_needed([len(values) for values in sides.values()])
        shared = bool(group["shared"].any())
        places = ranking(list(sides.values()), sample=not shared)
        for (config_id, label), values, place in zip(sides, sides.values(), places, strict=True):
            rows.append(
                common
                | {"config_id": config_id, "label": label, "rank": place.rank, "rank_low": place.low}
                | {"rank_high": place.high, "groups": place.letters, "runs": len(values)}
                | {"indistinguishable_from": [labels[other] for other in place.alike]}
                | {"note": _rank_note(place, len(values), needed, shared=shared)}
            )
    frame = pd.DataFrame(rows, columns=RANKING)
    shown = frame["supervision"].map(SUPERVISION.index)
    order = ["dataset", "representation", "column", "shown", "rank"]
    frame = frame.assign(shown=shown).sort_values(order, kind="stable").drop(columns="shown")
    return _typed(frame.reset_index(drop=True), ["rank", "rank_low", "rank_high"])


def _rank_note(place: Ranked, runs: int, needed: int, *, shared: bool) -> str:
    """Why a configuration is not ranked, or its rank not tested."""
    if place.rank is None:
        return f"{_runs(runs)} where others have {needed} or more: not ranked"
    if place.low is not None:
        return ""
    return SHARED if shared else f"{_runs(runs)}: not tested below {MINIMUM_RUNS}"


def variances(competitors: pd.DataFrame, seed: int) -> pd.DataFrame:
    """What objective, hyperparameter and seed explain of each score's variance among unsupervised models, by
    `VARIANCE`; each interval is drawn from a stream named by `seed` and the score."""
    rows: list[dict[str, Any]] = []
    for common, group in _columns(competitors[competitors["supervision"] == "none"], directed=False):
        runs = group.groupby("config_id").size()
        models, ids = group["model"].to_numpy(dtype=str), group["config_id"].to_numpy(dtype=str)
        few, shared = len(runs) < MINIMUM_CONFIGURATIONS, bool(group["shared"].any())
        rng = stream("variance", seed, *_named(group))
        shares = None if few or shared else variance_shares(group["value"].to_numpy(dtype=float), models, ids, rng)
        row = common | {"n": len(group), "configurations": len(runs), "models": len(set(models))}
        for name, share in zip(("objective", "hyperparameter", "seed"), shares or [Interval(np.nan)] * 3, strict=True):
            row |= {f"share_{name}": share.point, f"{name}_low": share.low, f"{name}_high": share.high}
        note = _variance_note(runs, group.groupby("model")["config_id"].nunique(), shares is None)
        note = SHARED if shared else note
        rows.append(row | {"note": too_few(len(group), len(runs), "no shares") if few else note})
    bounds = [name for name in VARIANCE if name.endswith(("_low", "_high"))]
    return _typed(pd.DataFrame(rows, columns=VARIANCE), bounds, "float64")


def _variance_note(runs: pd.Series, settings: pd.Series, undefined: bool) -> str:
    """In sentences: why there is no number or no interval, and what the design cannot tell apart."""
    if undefined:
        return "one run a configuration" if runs.max() == 1 else "all runs score the same"
    said = []
    if len(settings) == 1:
        said.append("one model: nothing is the objective's")
    elif settings.max() == 1:
        said.append("one setting a model: hyperparameters vary nowhere")
    elif settings.min() == 1:
        varied = int((settings > 1).sum())
        said.append(f"hyperparameters vary in {counted(varied, 'model')} alone")
    if runs.min() < runs.max():
        said.append(f"unbalanced: {runs.min()} to {runs.max()} runs a configuration, which weigh by their number")
    elif settings.min() < settings.max():
        said.append(f"unbalanced: {settings.min()} to {settings.max()} settings a model, which weigh by their runs")
    if runs.min() < MINIMUM_RUNS:
        said.append(f"{_runs(runs.min())} of a configuration: no interval below {MINIMUM_RUNS}")
    return "; ".join(said)


def selections(competitors: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Expected loss of choosing a run without labels, per supervised measure and criterion, by `SELECTION`.

    Only runs that have both numbers take part, so that criteria may be compared over different configurations where
    some have none (an autoencoder has no ELBO): `configurations` and the note say so, and `best` and `at_random` are
    those of the criterion's own configurations. Each interval is drawn from a stream named by `seed`, the score and the
    criterion.
    """
    rows: list[dict[str, Any]] = []
    competitors = competitors[competitors["supervision"] == "none"]
    by_run = {
        (dataset, representation, criterion): _criterion(group, criterion, representation)
        for dataset, group in competitors.groupby("dataset_label")
        for representation in competitors["representation"].unique()
        for criterion in CRITERIA
    }
    for common, group in _columns(competitors[competitors["supervised"]], directed=True):
        everywhere = group["config_id"].nunique()
        for criterion in (*CRITERIA, "random"):
            chosen = group.set_index("run_id")
            by = None
            if criterion != "random":
                found = by_run[common["dataset"], common["representation"], criterion]
                chosen = chosen[chosen.index.isin(found.index)]
                by = found.reindex(chosen.index).to_numpy(dtype=float)
            runs = chosen.groupby("config_id").size()
            row = common | {"criterion": criterion, "n": len(chosen), "configurations": len(runs)}
            if len(runs) < 2:
                number = "no" if runs.empty else "one"
                rows.append(row | {"note": f"{number} configuration has both numbers: nothing to choose from"})
                continue
            owners = chosen["config_id"].to_numpy(dtype=str)
            rng = stream("selection", seed, *_named(group), criterion)
            result = selection_regret(oriented(chosen), by, owners, rng)
            sign = -1 if chosen["direction"].iloc[0] == "lower" else 1
            row |= dict(zip(("regret", "low", "high"), result.regret, strict=True))
            row |= {"best": sign * result.best, "chosen": sign * result.chosen, "at_random": sign * result.at_random}
            absent = everywhere - len(runs)
            have = "configuration has" if absent == 1 else "configurations have"
            said = [f"{absent} {have} no {criterion}"] if absent else []
            if runs.min() < MINIMUM_RUNS:
                said.append(f"{_runs(runs.min())} of a configuration: no interval below {MINIMUM_RUNS}")
            rows.append(row | {"note": "; ".join(said)})
    return _typed(
        pd.DataFrame(rows, columns=SELECTION), ["regret", "low", "high", "best", "chosen", "at_random"], "float64"
    )


def _criterion(rows: pd.DataFrame, metric: str, representation: str) -> pd.Series:
    """A criterion by run, high is better; of the mean codes where the asked representation has none."""
    rows = rows[(rows["metric"] == metric) & (rows["direction"] != "none")]
    own = rows[rows["representation"] == representation]
    rows = own if len(own) else rows[rows["representation"] == "mean"]
    # Two protocols of one criterion say the same of a run; the first by name stands for it.
    rows = rows.sort_values("protocol").drop_duplicates("run_id").set_index("run_id")
    return pd.Series(oriented(rows), index=rows.index)


def _columns(competitors: pd.DataFrame, *, directed: bool) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
    """Each score of each leaderboard and kind of supervision: what its rows have in common, and its runs."""
    rows = competitors[competitors["direction"] != "none"] if directed else competitors
    keys = [*BOARD, "supervision", "column"]
    for (dataset, representation, seen, column), group in rows.groupby(keys):
        common = {"dataset": dataset, "representation": representation, "column": column}
        yield common | {"supervision": str(seen)}, group.sort_values(["label", "config_id", "run_id"])


def _named(group: pd.DataFrame) -> tuple[str, str]:
    """What identifies a headline score among its board's: a protocol has one. Its column's name may say more or less
    beside others."""
    first = group.iloc[0]
    return str(first["representation"]), str(first["protocol"])


def _by_configuration(group: pd.DataFrame) -> Mapping[tuple[str, str], np.ndarray]:
    """The values of each (config_id, label), high is better."""
    group = group.assign(value=oriented(group))
    return {
        (str(config_id), str(label)): rows["value"].to_numpy()
        for (config_id, label), rows in group.groupby(["config_id", "label"], sort=False)
    }


def oriented(rows: pd.DataFrame) -> np.ndarray:
    """Values of which the high ones are better."""
    return rows["value"].to_numpy(dtype=float) * np.where(rows["direction"] == "lower", -1.0, 1.0)


def too_few(runs: int, configurations: int, what: str) -> str:
    """Why there is no number over so few configurations."""
    over = f"{_runs(runs)} of {counted(configurations, 'configuration')}"
    return f"{over}: {what} below {MINIMUM_CONFIGURATIONS}"


def counted(number: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _runs(number: int) -> str:
    return counted(number, "run")


def _typed(frame: pd.DataFrame, columns: list[str], kind: str = "Int64") -> pd.DataFrame:
    """Columns that are empty below ten runs keep their type when they are empty throughout."""
    found = dict.fromkeys(columns, kind)
    return frame.astype(found | ({"low": "float64", "high": "float64"} if "low" in frame else {}))

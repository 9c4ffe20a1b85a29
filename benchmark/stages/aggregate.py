"""From the results table to summaries: spreads over seeds, correlations between measures, and comparisons."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmark.errors import UsageError
from benchmark.metrics._declare import Metric
from benchmark.naming import score_name, without_points
from benchmark.seeds import stream
from benchmark.spec import suggest
from benchmark.stages import comparisons
from benchmark.stages.baselines import against_baselines
from benchmark.stages.configurations import by_construction, configurations
from benchmark.stages.seen_unseen import seen_unseen
from benchmark.stages.slices import SLICES
from benchmark.statistics import (
    MINIMUM_CONFIGURATIONS,
    MINIMUM_RUNS,
    Interval,
    exchangeable,
    holm,
    least_p,
    permutation_pairs,
    spearman_intervals,
    spread,
)
from benchmark.table import split_key, write_csv

LEVEL = 0.05
"""Of the tests of a family together, after Holm."""
SUMMARY = [
    "dataset", "model", "config_id", "configuration", "representation", "metric", "protocol", "score", "factor",
    "budget", "runs", "failed", "mean", "std", "median", "iqm", "low", "high", "direction", "supervised",
]  # fmt: skip
CORRELATIONS = [
    "dataset", "kind", "representation", "a", "a_protocol", "b", "b_protocol", "rho", "low", "high", "p",
    "p_holm", "n", "configurations", "note",
]  # fmt: skip


@dataclass(frozen=True)
class Summaries:
    """What a suite's results table says, as frames; each is written as a file of its name.

    Intervals are at 95 % and empty below ten runs (or configurations, where those are resampled). `low` and `high`
    belong to the number before them. Anchors and untrained networks are in `summary` alone; models that see labels,
    and those that see pairs of points (`supervision`), are compared and ranked among themselves, and are in no
    correlation, variance or selection; nor are scores that are true by construction. What the runs of a configuration
    share, as UDR, which is of their agreement, has no interval, no test and no variance: they are no sample of it.
    `dataset` is the dataset's label, but in `summary` its name; `column` is a headline score, named as on the page.

    summary: a row per configuration and score; the interval is of `iqm`.
    correlations: a row per pair of headline scores: Spearman's `rho` over the `n` runs of so many `configurations`
        that have both, of raw values; `p` by permutation of configurations. Empty below five configurations, as `note`
        says. `p_holm` is adjusted over all pairs of a dataset and representation that are of two measures, one of which
        knows the factors; it is empty where so few configurations have no order that could be significant.
    improvement: a row per ordered pair of configurations `a`, `b` (ids; `a_label`, `b_label`) and score: `p`, the
        probability that a run of a is better than one of b, over `n_a` and `n_b` runs.
    ranking: a row per configuration and score: `rank` by interquartile mean, 1 the best, empty where a configuration
        has fewer runs than others (and fewer than ten) or a score that is true by construction; `rank_low` to
        `rank_high` hold the true rank, for all configurations of a score at once; `groups`: letters, of which two share
        one if and only if they cannot be told apart; `indistinguishable_from`: the labels of all others that it cannot
        be told from; `note`: why it was not tested or ranked.
    variance: a row per score: `share_objective`, `share_hyperparameter` and `share_seed` sum to 1, each with an
        interval named like it; empty below five configurations or where the seed's part cannot be told, as `note`
        says.
    selection: a row per supervised score and `criterion` (elbo, reconstruction, udr, random): of sweeps with one run a
        configuration, what the `best` run is expected to score, what the `chosen` one, and their distance, `regret`.
    baselines: a row per score, unsupervised configuration and baseline (a rotation of perfect codes, ICA on an
        autoencoder's codes): how much better its mean is, and the two-sided `p` of Welch's test, adjusted over the
        configurations of a score in `p_holm`. Empty below five runs, as `note` says. A rotation that keeps what
        perfect codes score is no baseline.
    seen_unseen: where some combinations of factors are absent in training, a row per configuration and headline score:
        the score on the combinations that were trained on and on the others, and the `difference` of the two. The two
        slices are summarised and ranked like representations, and are in no other frame.
    """

    summary: pd.DataFrame
    correlations: pd.DataFrame
    improvement: pd.DataFrame
    ranking: pd.DataFrame
    variance: pd.DataFrame
    selection: pd.DataFrame
    baselines: pd.DataFrame
    seen_unseen: pd.DataFrame

    def write(self, folder: Path) -> list[str]:
        """Write summary.csv and the others, and return their names; labels in one cell stand between ` | `.

        seen_unseen.csv is there where some run has such scores.
        """
        ranking = self.ranking.assign(indistinguishable_from=self.ranking["indistinguishable_from"].map(" | ".join))
        frames = {each.name: getattr(self, each.name) for each in fields(self)} | {"ranking": ranking}
        if self.seen_unseen.empty:
            del frames["seen_unseen"]
            (folder / "seen_unseen.csv").unlink(missing_ok=True)
        for name, frame in frames.items():
            write_csv(frame, folder / f"{name}.csv")
        return [f"{name}.csv" for name in frames]


def aggregate(table: pd.DataFrame, declarations: Mapping[str, Metric], *, seed: int = 0) -> Summaries:
    """Summarise a results table. Raises `UsageError` on an undeclared metric.

    Each interval has a random stream of its own, named by `seed` and what identifies the score: other scores and
    configurations in the table leave it as it is.
    """
    headlines = headline_rows(table, declarations)
    competitors = headlines[(headlines["status"] == "ok") & ~headlines["reference"]]
    whole = competitors[~competitors["representation"].isin(SLICES)]
    earned = whole[~whole["by_construction"]]
    whole_board = headlines[(headlines["status"] == "ok") & ~headlines["representation"].isin(SLICES)]
    return Summaries(
        summary=_summary(table, headlines, declarations, seed),
        correlations=_correlations(earned[earned["supervision"] == "none"], seed),
        improvement=comparisons.improvement(competitors),
        ranking=comparisons.rankings(competitors),
        variance=comparisons.variances(earned, seed),
        selection=comparisons.selections(earned, seed),
        baselines=against_baselines(whole_board),
        seen_unseen=seen_unseen(headlines, seed),
    )


def direction(higher_is_better: bool | None) -> str:
    """Which way is better: "higher", "lower" or "none"."""
    return {True: "higher", False: "lower", None: "none"}[higher_is_better]


def headline_rows(table: pd.DataFrame, declarations: Mapping[str, Metric]) -> pd.DataFrame:
    """The rows of headline scores; adds `direction`, `supervised`, `column`, `by_construction`, `shared` (whether the
    runs of a configuration have it of each other, as UDR) and what `configurations` says.

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
    rows = rows.assign(
        direction=[direction(declarations[name].higher_is_better) for name in rows["metric"]],
        supervised=[declarations[name].supervised for name in rows["metric"]],
        column=_column_names(rows, {name for name, metric in declarations.items() if metric.of_latents}),
        by_construction=[
            metric in by_construction(model) for metric, model in zip(rows["metric"], rows["model"], strict=True)
        ],
        shared=[declarations[name].scope == "configuration" for name in rows["metric"]],
    )
    flags = dict.fromkeys(("supervised", "by_construction", "shared"), "bool")
    return rows.astype({"column": "str", "direction": "str"} | flags)


def _column_names(rows: pd.DataFrame, of_latents: Collection[str]) -> pd.Series:
    """The score's full name, its label budget, the number of latents where a leaderboard has several and the measure is
    one of these, and its protocol where two protocols share all that within one leaderboard.

    Rows without a number have their score's name: their protocol may say another n than that of the others.
    """
    budgets = rows["budget"].map(lambda budget: "" if pd.isna(budget) else f" @ {int(budget):,}").astype("str")
    full = [score_name(metric, score) for metric, score in zip(rows["metric"], rows["score"], strict=True)]
    names = pd.Series(full, index=rows.index, dtype="str") + budgets
    boards = pd.DataFrame({"name": names, "dataset": rows["dataset_label"], "representation": rows["representation"]})
    sized = rows["metric"].isin(of_latents) & rows["latents"].notna()
    sizes = rows["latents"][sized].groupby([boards[key][sized] for key in boards], sort=False).transform("nunique")
    apart = (sizes > 1).reindex(rows.index, fill_value=False)
    names = boards["name"] = names.mask(apart, names + " of " + rows["latents"].astype("str") + " latents")
    ok = rows["status"] == "ok"
    protocols = rows["protocol"][ok].groupby([boards[key][ok] for key in boards], sort=False).transform("nunique")
    shared = (protocols > 1).reindex(rows.index, fill_value=False)
    return names.where(~shared, names + " (" + rows["protocol"] + ")").where(ok | apart, full)


def _summary(
    table: pd.DataFrame, headlines: pd.DataFrame, declarations: Mapping[str, Metric], seed: int
) -> pd.DataFrame:
    """A configuration all of whose runs failed at a score has a row with 0 runs. A failure that knew no number of
    points is one of the protocol that has some."""
    labels = configurations(table).set_index("config_id")["label"]
    keys, own = ["dataset", "model", "config_id", "representation", "metric", "protocol"], ["score", "factor", "budget"]
    judged = set(zip(headlines["protocol"], headlines["score"], strict=True))
    rows: list[dict[str, Any]] = []
    table = table.assign(asked_for=table["protocol"].map(without_points))
    asked = [*keys[:-1], "asked_for"]
    failed = table[table["status"] == "failed"]
    failures: dict[Any, int] = failed.groupby(asked).size().to_dict()
    ok = table[table["status"] == "ok"].sort_values([*keys, *own, "seed"])
    scored = set(ok[asked].drop_duplicates().itertuples(index=False, name=None))
    first = failed.drop_duplicates(asked)[[*keys, "asked_for"]].to_dict("records")
    without = [record for record in first if tuple(record[name] for name in asked) not in scored]
    values = ok["value"].to_numpy(dtype=float)
    # One pass over sorted rows: a group at a time, a table of thousands of scores takes pandas seconds.
    starts = np.flatnonzero(~ok.duplicated([*keys, *own]))
    heads = ok[[*keys, *own]].iloc[starts].to_dict("records")
    for found, start, stop in zip(heads, starts, np.append(starts, len(ok))[1:], strict=True):
        metric = declarations[found["metric"]]
        over = spread(values[start:stop], stream("summary", seed, *(found[name] for name in [*keys, *own])))
        apart = metric.scope == "run"  # else each run's value is of all others as well, and they resample as no sample
        iqm = {"iqm": over.iqm.point, "low": over.iqm.low if apart else None, "high": over.iqm.high if apart else None}
        headline = (found["protocol"], found["score"]) in judged
        better = direction(metric.higher_is_better) if headline else "none"
        rows.append({str(name): value for name, value in found.items()} | over._asdict() | iqm | {"direction": better})
    for common in without:
        metric = declarations[common["metric"]]
        rows.append(
            {str(name): each for name, each in common.items()}
            | {"score": metric.headline, "runs": 0, "direction": direction(metric.higher_is_better)}
        )
    for row in rows:
        row["failed"] = failures.get((*(row[name] for name in keys[:-1]), without_points(row["protocol"])), 0)
        row["supervised"] = declarations[row["metric"]].supervised
        row["configuration"] = labels[row["config_id"]]
    rows.sort(key=lambda row: tuple(row[name] for name in keys))
    return pd.DataFrame(rows, columns=SUMMARY).astype({"budget": "Int64"})


def _correlations(competitors: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Raw values are correlated, so two scores with opposite directions are expected to have a negative ρ."""
    rows = []
    for (dataset, representation), group in competitors.groupby(["dataset_label", "representation"]):
        # Unsupervised ones first, so that a mixed pair is always unsupervised × supervised.
        order = group.drop_duplicates("column").sort_values(["supervised", "protocol", "budget"])
        values = group.pivot(index=["config_id", "run_id"], columns="column", values="value")
        owners_of_all, runs = (values.index.get_level_values(level).to_numpy(dtype=str) for level in (0, 1))
        sides = order.to_dict("records")
        scores = values[order["column"]].to_numpy(dtype=float)
        chances = permutation_pairs(scores, owners_of_all)
        known = ~np.isnan(scores)

        def of_runs(both: np.ndarray, runs: np.ndarray = runs, where: str = str(representation)) -> np.random.Generator:
            return stream("correlations", seed, where, *runs[both])

        for (i, j), found in spearman_intervals(scores, owners_of_all, of_runs).items():
            a, b = sides[i], sides[j]
            both = known[:, i] & known[:, j]
            owners = owners_of_all[both]
            number, configured = int(both.sum()), len(set(owners))
            found = found if configured >= MINIMUM_CONFIGURATIONS else None
            left_out = configured - len(set(owners[exchangeable(owners)]))
            kinds = ["supervised" if side["supervised"] else "unsupervised" for side in (a, b)]
            rows.append(
                {"dataset": dataset, "kind": "×".join(kinds), "representation": representation}
                | {"a": a["column"], "a_protocol": a["protocol"], "b": b["column"], "b_protocol": b["protocol"]}
                | dict(zip(["rho", "low", "high"], found or (None, None, None), strict=True))
                | {"p": None if found is None else chances[i, j]}
                | {"n": number, "configurations": configured}
                | {"note": _correlation_note(number, configured, found, left_out)}
            )
    numbers = dict.fromkeys(["rho", "low", "high", "p", "p_holm"], "float64")
    frame = pd.DataFrame(rows, columns=CORRELATIONS).astype(numbers)
    measures = frame[["a_protocol", "b_protocol"]].map(lambda protocol: protocol.partition("/")[0])
    known = frame["kind"] != "unsupervised×unsupervised"
    tested = frame[frame["p"].notna() & known & (measures["a_protocol"] != measures["b_protocol"])]
    for _, family in tested.groupby(["dataset", "representation"]):
        most = int(family["configurations"].max())
        if len(family) * least_p(most) > LEVEL:
            note = f"over {len(family):,} pairs no order of {most} configurations has p below {LEVEL} after Holm"
            frame.loc[family.index, "note"] = [f"{said}; {note}" if said else note for said in family["note"]]
        else:
            frame.loc[family.index, "p_holm"] = holm(family["p"].to_numpy(dtype=float))
    return frame


def _correlation_note(runs: int, configured: int, found: Interval | None, left_out: int) -> str:
    """Why there is no number or no interval, or whom p leaves out."""
    if configured < MINIMUM_CONFIGURATIONS:
        return comparisons.too_few(runs, configured, "no correlation")
    if found is None:
        return "a score is the same for all runs: no correlation"
    said = []
    if found.low is None:
        said.append(f"{comparisons.counted(configured, 'configuration')}: no interval below {MINIMUM_RUNS}")
    if left_out:
        said.append(f"p leaves out {left_out} with fewer than half as many runs as another")
    return "; ".join(said)

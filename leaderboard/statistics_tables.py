"""What the aggregate stage says over a whole leaderboard, as tables with a sentence on how to read them."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import pandas as pd

from benchmark.stages.comparisons import counted
from benchmark.statistics import MINIMUM_CONFIGURATIONS
from leaderboard.agreement import agreement
from leaderboard.baselines import baselines
from leaderboard.cells import decimals, signed
from leaderboard.charts.seen_unseen import shown
from leaderboard.reconstructions import reconstructions
from leaderboard.text_table import TextTable

LISTED = 12
"""Pairs of scores that are named for one reason."""
TABLED = 6
"""Scores that the table of seen and unseen combinations has; its file has all."""
CRITERIA = {"elbo": "ELBO", "reconstruction": "reconstruction", "udr": "UDR", "random": "chance"}


def statistics_tables(summaries: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> list[TextTable]:
    """The tables of one leaderboard. summaries: its frames by name. titles: of its columns, by name."""
    found = [
        seen_unseen(summaries),
        variance(summaries, titles),
        selection(summaries, titles),
        baselines(summaries, titles),
        agreement(summaries, titles),
        reconstructions(summaries),
        uncorrelated(summaries, titles),
    ]
    return [table for table in found if table is not None]


def seen_unseen(summaries: Mapping[str, pd.DataFrame]) -> TextTable | None:
    """What each configuration scores on combinations that were trained on and on others, a column per score."""
    frame = summaries.get("seen_unseen", pd.DataFrame())
    if frame.empty:
        return None
    rows = []
    chosen = shown(frame, (), TABLED)
    for label, group in frame.groupby("configuration", sort=False):
        by = {row["column"]: row for row in group.to_dict("records")}
        rows.append(
            [str(label), *(_both(by.get(name)) for name, _ in chosen), counted(int(group["runs"].max()), "run")]
        )
    return TextTable(
        "Seen and unseen in training",
        ["configuration", *(heading for _, heading in chosen), "over"],
        rows,
        "Scores on combinations of factors that were trained on → on those that were absent, and in brackets the "
        "difference, means over the runs that have both. Read-outs learn from seen combinations in both; other "
        "measures have the points of one side alone, on which factors are distributed otherwise: what perfect codes "
        "lose or gain is due to that alone. A read-out has not met the unseen combinations whatever the model has, and "
        "a model trained on everything loses, too: compare falls with each other. All scores, with their protocols and "
        "from ten runs on intervals of the difference, are in seen_unseen.csv.",
    )


def _both(row: Mapping[Hashable, Any] | None) -> str:
    if row is None:
        return "–"
    places = decimals(row["difference"])
    change = signed(f"{round(row['difference'], places) + 0.0:+.{places}f}")  # no −0.000
    return f"{_number(row['seen'])} → {_number(row['unseen'])} ({change})"


def variance(summaries: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> TextTable | None:
    """What share of each score's variance the objective, the hyperparameter and the seed explain."""
    frame = summaries.get("variance", pd.DataFrame())
    if frame.empty:
        return None
    parts = ("objective", "hyperparameter", "seed")
    rows = [
        [
            titles.get(row["column"], row["column"]),
            *(_with_interval(row[f"share_{part}"], row[f"{part}_low"], row[f"{part}_high"]) for part in parts),
            over([row["n"]], [row["configurations"]]),
        ]
        for row in _in_order(frame, titles).to_dict("records")
    ]
    return TextTable(
        "What explains a score’s variance",
        ["score", "objective", "hyperparameter", "seed", "over"],
        rows,
        "Shares of the variance over the trained runs that have the score; a row sums to 1. A large share of the seed "
        "means that one run of a method says little about the method; a large share of the hyperparameter, that its "
        "tuning says more than its name. In brackets a 95 % interval, where there are runs enough for one. "
        "Locatello et al. 2019 name 37 % for the objective and 59 % for objective and hyperparameter together, over "
        "objectives of VAEs alone; here whatever was trained takes part." + notes(frame["note"]),
    )


def selection(summaries: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> TextTable | None:
    """What is lost when a run is chosen without labels: a row per score, a column per criterion."""
    frame = summaries.get("selection", pd.DataFrame())
    if frame.empty or frame["regret"].isna().all():
        return None
    known = _in_order(frame[frame["regret"].notna()], titles)
    criteria = [name for name in CRITERIA if name in set(known["criterion"])]
    rows = []
    for column, group in known.groupby("column", sort=False):
        by = {row["criterion"]: row for row in group.to_dict("records")}
        everywhere = max(row["configurations"] for row in by.values())
        losses = [_lost(by[c], everywhere) if c in by else "–" for c in criteria]
        best = by["random"]["best"] if "random" in by else group["best"].iloc[0]
        rows.append([titles.get(str(column), str(column)), _number(best), *losses])
    return TextTable(
        "What choosing a model without labels loses",
        ["score", "best run", *(f"lost by {CRITERIA[name]}" for name in criteria)],
        rows,
        "Of sweeps with one run a configuration: what the best run is expected to score, and how much less the run "
        "has that an unsupervised criterion would choose. A criterion is of use where it loses clearly less than "
        "chance does; where not all configurations have its number, chance among those that do stands behind it."
        + notes(known["note"]),
    )


def _lost(row: Mapping[Hashable, Any], everywhere: int) -> str:
    """A criterion's loss and, over fewer configurations than others, what chance loses among the same."""
    lost = _with_interval(row["regret"], row["low"], row["high"])
    if row["configurations"] == everywhere:
        return lost
    return f"{lost} (chance: {_number(abs(row['best'] - row['at_random']))})"


def uncorrelated(summaries: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> TextTable | None:
    """The pairs of scores that have no correlation, and why: the heat maps leave them blank."""
    frame = summaries.get("correlations", pd.DataFrame())
    frame = frame[frame["rho"].isna()] if len(frame) else frame
    if frame.empty:
        return None
    rows = []
    for note, group in frame.groupby("note", sort=False):
        pairs = [" and ".join(titles.get(name, name) for name in pair) for pair in group[["a", "b"]].to_numpy()]
        more = f"; and {len(pairs) - LISTED:,} more" if len(pairs) > LISTED else ""
        rows.append([str(note), f"{len(pairs):,}", "; ".join(pairs[:LISTED]) + more])
    return TextTable(
        "Correlations that are left blank",
        ["why", "pairs", "of scores"],
        rows,
        "Only runs that have both scores enter a correlation, and runs of one configuration are not independent: over "
        f"fewer than {MINIMUM_CONFIGURATIONS} configurations it would say which ones took part.",
    )


def over(runs: Iterable[float], configurations: Iterable[float]) -> str:
    """Over how many runs and configurations numbers are: `12 runs of 4 configurations`, or from the least to the
    most."""
    return f"{_range(runs, 'run')} of {_range(configurations, 'configuration')}"


def _range(numbers: Iterable[float], noun: str) -> str:
    every = [int(number) for number in numbers]
    low, high = min(every), max(every)
    return counted(high, noun) if low == high else f"{low:,} to {counted(high, noun)}"


def _in_order(frame: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """By the leaderboard's order of columns."""
    places = {name: place for place, name in enumerate(titles)}
    return frame.sort_values("column", key=lambda names: names.map(places), kind="stable")


def notes(notes: pd.Series) -> str:
    """What is to be said of some rows or all, each once."""
    said = dict.fromkeys(part for note in notes for part in str(note).split("; ") if part)
    return f" Note: {'; '.join(said)}." if said else ""


def _with_interval(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "–"
    return _number(value) if math.isnan(low) else f"{_number(value)} [{_number(low)}, {_number(high)}]"


def _number(value: float) -> str:
    return signed(f"{value:.{decimals(value)}f}")

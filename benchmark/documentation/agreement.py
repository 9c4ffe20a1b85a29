"""Which measures order trained models alike: rank correlations over the configurations of published summaries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from benchmark import published, registry
from benchmark.archive.results import scores_of
from benchmark.documentation.prose import table
from benchmark.documentation.publications import newest
from benchmark.metrics._declare import Metric
from benchmark.naming import score_name
from benchmark.stages.configurations import REFERENCE_MODELS, by_construction, configurations, supervision
from benchmark.statistics import MINIMUM_RUNS, Interval, spearman_intervals
from benchmark.table import split_key

GUIDED = ("mig", "dci")
"""What the scores that see no factors are compared with; where both are absent, nothing is said of a dataset."""


@dataclass(frozen=True)
class Agreement:
    """Trained models of one dataset of one published summary.

    supervised: whether each measure sees factors. rho: Spearman's correlation of each pair of measures, over the means
    of configurations that have both, turned so that better goes with better; its interval resamples configurations.
    """

    suite: str
    dataset: str
    supervised: dict[str, bool]
    rho: dict[tuple[str, str], Interval]
    configurations: int
    seeds: int

    def of(self, a: str, b: str) -> Interval | None:
        return self.rho.get((a, b)) or self.rho.get((b, a))


def agreements(folder: Path) -> Iterator[Agreement]:
    """Those that published summaries and leaderboards carry: ten configurations or more, scored by `GUIDED` too."""
    for suite, summary in _summaries(folder):
        for dataset, rows in _judged(summary).groupby("dataset"):
            found = _agreement(suite, str(dataset), rows)
            if set(GUIDED) <= set(found.supervised):
                yield found


def _summaries(folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """The summary of each suite: of its newest archive, else the plain table."""
    archived = newest(folder)
    for path in sorted(folder.glob("*-summary.csv")):
        if (suite := path.stem.removesuffix("-summary")) not in archived:
            yield suite, pd.read_csv(path, dtype={"budget": "Int64"})
    for suite, archive in archived.items():
        scores = scores_of(archive)
        yield suite, published.summarise(scores, configurations(scores))


def closest_and_farthest() -> str:
    """For each dataset, a row a supervised measure: the one that orders models most like it, and the one least."""
    parts = []
    for each in agreements(published.folder()):
        names = [name for name, supervised in each.supervised.items() if supervised]
        rows = []
        for name in names:
            others = {b: found for b in names if b != name and (found := each.of(name, b))}
            if others:
                ends = [max(others, key=lambda b: others[b].point), min(others, key=lambda b: others[b].point)]
                rows.append([_linked(name), *(f"{_linked(end)} {_written(others[end])}" for end in ends)])
        parts.append(f"{_said(each)}\n\n{table(['measure', 'most like', 'least like'], rows)}")
    return "\n\n".join(parts)


def without_factors() -> str:
    """A row a measure that sees no factors: how it orders models beside those of `GUIDED`."""
    parts = []
    for each in agreements(published.folder()):
        blind = [name for name, supervised in each.supervised.items() if not supervised]
        rows = [[_linked(name), *(_written(each.of(name, guided)) for guided in GUIDED)] for name in blind]
        rows = [row for row in rows if set(row[1:]) != {_written(None)}]
        if rows:
            parts.append(f"{_said(each)}\n\n{table(['measure', *map(_linked, GUIDED)], rows)}")
    return "\n\n".join(parts)


def _said(each: Agreement) -> str:
    """What a table rests on."""
    return (
        f"{each.configurations} configurations of models on `{each.dataset}`, the means of {each.seeds} seeds each, as"
        f" [published](published.md) for the suite [`{each.suite}`](suites/{each.suite}.md):"
    )


def _judged(rows: pd.DataFrame) -> pd.DataFrame:
    """The headline scores, with a direction, of mean codes of models that were trained and saw no labels."""
    declared: dict[str, Metric] = {name: registry.load("metric", name).declaration for name in registry.names("metric")}
    headlines = {
        name: split_key(metric.headline)[:2] for name, metric in declared.items() if metric.higher_is_better is not None
    }
    trained = [
        model not in REFERENCE_MODELS and supervision(model) == "none" and metric not in by_construction(model)
        for model, metric in zip(rows["model"], rows["metric"], strict=True)
    ]
    wanted = rows["metric"].map(lambda name: headlines.get(name, ("", None)))
    right = [
        score == name and (pd.isna(budget) if label is None else budget == label)
        for (name, label), score, budget in zip(wanted, rows["score"], rows["budget"], strict=True)
    ]
    found = rows[np.array(trained, dtype=bool) & np.array(right, dtype=bool)]
    found = found[(found["status"] == "ok") & (found["representation"] == "mean")]
    signs = found["metric"].map({name: 1.0 if declared[name].higher_is_better else -1.0 for name in headlines})
    supervised = found["metric"].map({name: declared[name].supervised for name in headlines})
    return found.assign(better=found["mean"] * signs, supervised=supervised)


def _agreement(suite: str, dataset: str, rows: pd.DataFrame) -> Agreement:
    """Of each measure, the protocol that most configurations have; measures of fewer than ten are left out."""
    sizes = rows.groupby(["metric", "protocol"]).size()
    kept = [sizes[metric].idxmax() for metric in rows["metric"].unique() if sizes[metric].max() >= MINIMUM_RUNS]
    rows = rows[rows["protocol"].isin(kept)]
    if rows.empty:
        return Agreement(suite, dataset, {}, {}, 0, 0)
    values = rows.pivot(index=["model", "label"], columns="metric", values="better")
    supervised = rows.drop_duplicates("metric").set_index("metric")["supervised"]
    names = [str(name) for name in values.columns]
    scores: Float[ndarray, "n k"] = values.to_numpy(dtype=float)
    every = np.array([f"{model} {label}" for model, label in values.index])
    found = spearman_intervals(scores, every, lambda _: np.random.default_rng(0))
    rho = {(names[i], names[j]): one for (i, j), one in found.items() if one is not None and one.low is not None}
    seeds = int(rows["runs"].median())
    return Agreement(suite, dataset, {name: bool(supervised[name]) for name in names}, rho, len(values), seeds)


def _linked(metric: str) -> str:
    headline = registry.load("metric", metric).declaration.headline
    return f"[`{score_name(metric, split_key(headline)[0])}`](measures/{metric}.md)"


def _written(found: Interval | None) -> str:
    if found is None or found.low is None or found.high is None:
        return "–"
    return f"{found.point:.2f} [{found.low:.2f}, {found.high:.2f}]".replace("-", "−")

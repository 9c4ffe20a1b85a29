"""An archive's rows that may stand beside a table of one's own: on the same data, each score under its protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.archive.opening import Archive
from benchmark.archive.results import evaluation_said, foreign_measures, read_run, runs_of, scores_of
from benchmark.archive.weights import check_version
from benchmark.choice import Choice
from benchmark.codes import Codes
from benchmark.errors import UsageError
from benchmark.metrics._declare import Metric
from benchmark.spec import Component, Run, canonical, canonical_json
from benchmark.stages.aggregate import headline_rows
from benchmark.stages.data_cache import load_data
from benchmark.suite import EvaluationSettings


@dataclass(frozen=True)
class Beside:
    """`scores`: the archive's rows on data that are also one's own, without runs that are here. `alone`: by one's own
    protocol that the archive has no score of, what it has instead. `mark`: what a page says beside each of its rows."""

    title: str
    scores: pd.DataFrame
    alone: Mapping[str, str]
    foreign: Mapping[str, Metric]

    @property
    def mark(self) -> str:
        return f"from {self.title}"

    def sentences(self) -> list[str]:
        """What a page says of them: where they come from, and which scores have nothing beside them."""
        many = self.scores["run_id"].nunique()
        found = [f"{many:,} runs marked “{self.mark}” were published there and not made here."]
        if self.alone:
            listed = "; ".join(f"{protocol} ({why})" for protocol, why in self.alone.items())
            found.append(f"Without a published score beside them, another protocol being another measure: {listed}.")
        return found


def beside(archive: Archive, table: pd.DataFrame, runs: Sequence[Run], measures: Mapping[str, Metric]) -> Beside:
    """The rows of an archive beside those of a table of one's own, whose runs these are.

    Raises `UsageError` where no data are the same, with what differs.
    """
    own = {canonical_json(run.dataset.identity()) for run in runs}
    theirs = described(archive)
    fitting = [run_id for run_id, run in theirs.items() if canonical_json(run.dataset.identity()) in own]
    title = archive.manifest.title
    if not fitting:
        raise UsageError(f"{title} has no run on the same data: {_differing(list(theirs.values()), runs)}")
    here = {run.run_id for run in runs}
    scores = scores_of(archive, single=True)
    scores = scores[scores["run_id"].isin(set(fitting) - here)].reset_index(drop=True)
    foreign = {name: metric for name, metric in foreign_measures(archive).items() if name not in measures}
    return Beside(title, scores, _alone(table, scores, measures), foreign)


def described(archive: Archive) -> dict[str, Run]:
    """An archive's runs by their ids."""
    runs = runs_of(archive)[["run_id", "record"]].itertuples(index=False, name=None)
    return {run_id: read_run(record, f"{archive.place.where}: {run_id}") for run_id, record in runs}


def _differing(theirs: Sequence[Run], ours: Sequence[Run]) -> str:
    """How the data of two sets of runs differ, in words."""
    there, here = ({str(run.dataset): run.dataset for run in runs}.values() for runs in (theirs, ours))
    same = next(((a, b) for a in there for b in here if a.name == b.name), None)
    if same is None:
        names = [", ".join(sorted({part.name for part in parts})) for parts in (there, here)]
        outside = any(part.name == "external" for part in here)
        hint = "; codes join its data by benchmark evaluate --codes FILE --beside" if outside else ""
        return f"there {names[0]}, here {names[1]}{hint}"
    a, b = same
    if a.version != b.version:
        return f"{a.name} is of version {a.version} there, of {b.version} here"
    key = next((key for key in {**a.settings, **b.settings} if a.settings.get(key) != b.settings.get(key)), None)
    if key is None:
        return f"{a.name} is of another file there"
    return f"{a.name} has {key} = {json.dumps(a.settings.get(key))} there, {json.dumps(b.settings.get(key))} here"


def _alone(table: pd.DataFrame, scores: pd.DataFrame, measures: Mapping[str, Metric]) -> dict[str, str]:
    rows = headline_rows(table, measures)
    own = rows[rows["status"] == "ok"][["metric", "protocol"]].drop_duplicates()
    theirs = scores[scores["status"] == "ok"]
    found = {}
    for metric, protocol in own.itertuples(index=False, name=None):
        others = sorted(set(theirs.loc[theirs["metric"] == metric, "protocol"]))
        if protocol not in others:
            found[protocol] = f"there {', '.join(others[:2])}" if others else f"there no {metric}"
    return found


def offered_data(archive: Archive, data_dir: Path | None) -> dict[str, tuple[Component, Any]]:
    """The data of an archive's runs: each component with what loads its points and factors as codes without codes."""
    found = {}
    for run in described(archive).values():
        component = run.dataset
        if component.name != "external":
            found[str(component)] = (component, lambda part=component: _points(part, archive, data_dir))
    return found


def _points(component: Component, archive: Archive, data_dir: Path | None) -> Codes:
    import numpy as np

    check_version("dataset", component, archive.manifest.title)
    data = load_data(component, data_dir)
    factors = data.factors[data.evaluation_rows]
    means = np.empty((len(factors), 0))
    return Codes(means, factors, data.factor_names, data.factor_sizes, grid=data.grid)


def evaluation_of(archive: Archive, known: Mapping[str, Metric]) -> EvaluationSettings:
    """How an archive's scores were computed, as far as measures here can: all its protocols, on as many points."""
    from benchmark.archive.manifest import MEASURES
    from benchmark.integrity.sealed import parse_json

    where = archive.place.where
    said = evaluation_said(archive)
    protocols = parse_json(archive.read(MEASURES), f"{where}: {MEASURES}")["protocols"]
    scores = scores_of(archive)
    used = set(scores.loc[scores["status"] == "ok", "protocol"])
    choices = [_choice(protocols[protocol], known) for protocol in sorted(used & protocols.keys())]
    texts = tuple(dict.fromkeys(str(choice) for choice in choices if choice is not None))
    return EvaluationSettings(metrics=texts, budget="full", points=said.points, seed=said.seed)


def _choice(said: Mapping[str, Any], known: Mapping[str, Metric]) -> Choice | None:
    """A protocol's measure with the settings that are not its defaults; None of a measure over runs, or none here."""
    metric = known.get(said["metric"])
    if metric is None or metric.version != said["version"] or metric.scope != "run":
        return None
    defaults = metric.settings.read({}, metric.name).plain()
    settings = {
        key: value for key, value in said["settings"].items() if canonical(defaults.get(key)) != canonical(value)
    }
    return Choice(metric.name, settings)


def standing(found: Beside, table: pd.DataFrame, run_ids: Sequence[str], measures: Mapping[str, Metric]) -> list[str]:
    """Where some runs stand among the published ones, a line a score: their mean, their place and the best there."""
    mine = table[table["run_id"].isin(run_ids)]
    rows = headline_rows(pd.concat([mine, found.scores], ignore_index=True), {**found.foreign, **measures})
    rows = rows[(rows["status"] == "ok") & ~rows["reference"] & (rows["direction"] != "none")]
    lines = []
    key = ["metric", "column", "protocol", "representation", "direction"]
    for (_, column, protocol, representation, direction), group in rows.groupby(key, sort=False):
        means = group.groupby(["config_id", "label"])["value"].mean().reset_index()
        own = set(group.loc[group["run_id"].isin(run_ids), "config_id"])
        others = means[~means["config_id"].isin(own)]
        for value in means.loc[means["config_id"].isin(own), "value"] if len(others) else ():
            better = others["value"] > value if direction == "higher" else others["value"] < value
            best = others.sort_values("value", ascending=direction == "lower").iloc[0]
            place = f"{int(better.sum()) + 1} of {len(others) + 1}"
            kind = "" if representation == "mean" else f" ({representation})"
            name = f"{column}{kind}"
            lines.append(f"  {name:<36}{value:>10.4f}  {place:<10}best {best['value']:.4f} {best['label']}  {protocol}")
    return lines

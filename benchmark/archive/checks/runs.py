"""Every run is what its id says, every score is of such a run, and the seeds of a configuration have the same ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd

from benchmark.archive.checks.content import Check, Content
from benchmark.archive.failures import unfinished
from benchmark.archive.writing import said_by
from benchmark.errors import BenchmarkError
from benchmark.published import of_all
from benchmark.spec import SHA256
from benchmark.stages.configurations import configurations
from benchmark.table import described_run

CHOSEN = re.compile(r"lowest seed|median .+ of (?P<runs>\d{1,9})")
"""Why a run stands for its configuration."""


def check_runs(content: Content) -> Check:
    holds = f"{len(content.runs):,} runs are what their ids say, each with the scores that its configuration has"
    return Check("runs", holds, tuple(_wrong(content)), tuple(_notes(content)))


def _wrong(content: Content) -> Iterator[str]:
    for row in content.runs.to_dict("records"):
        run, record = content.described[row["run_id"]], content.records[row["run_id"]]
        said = {(run.run_id, run.config_id), (record.get("run_id"), record.get("config_id"))}
        if said != {(row["run_id"], row["config_id"])} or row["seed"] != run.seed:
            yield f"run {row['run_id']}, seed {row['seed']}, describes {run.run_id}: an id is made of that"
    for run_id in sorted(set(content.every["run_id"]) - set(content.described)):
        yield f"there are scores of {run_id} and no such run"
    for run_id in sorted(set(content.described) - set(content.scores["run_id"])):
        yield f"run {run_id} has no score"
    yield from _columns(content)
    yield from _standing(content)
    yield from _failed(content)
    yield from _other_runs(content)
    yield from _missing(content)
    if len(of_all(content.single)) or len(of_all(content.scores)) < len(content.scores):
        yield "scores of single factors and coordinates stand among the others, or the other way round"


def _columns(content: Content) -> Iterator[str]:
    """Rows that say of their run what neither its record nor its configuration's name does."""
    described = pd.DataFrame([described_run("", run) for run in content.described.values()])
    named = ["dataset_label", "label", "reference"]
    of_config = configurations(described).set_index("config_id")[named].to_dict("index") if len(described) else {}
    for row in content.runs.to_dict("records"):
        run_id = row["run_id"]
        expected = said_by(content.records[run_id]) | of_config[content.described[run_id].config_id]
        for name, value in expected.items():
            said = None if pd.isna(row[name]) else row[name]
            if said != value:
                yield f"run {run_id} is said to have the {name} {said!r:.60}, its record gives {value!r:.60}"
                break
        if not SHA256.fullmatch(str(row.get("scores_sha256"))):
            yield f"run {run_id} says no sha256 of its scores"


def _standing(content: Content) -> Iterator[str]:
    """Configurations for which two runs stand, or one for a reason that nobody gives."""
    for config_id, own in content.runs.groupby("config_id", sort=False):
        reasons = own["chosen_by"].dropna()
        for many, how in ((int(own["shown"].sum()), "shown"), (len(reasons), "chosen")):
            if many > 1:
                yield f"{many} runs of {config_id} are {how}: one stands for its configuration"
        if len(own[own["shown"].astype(bool) & own["chosen_by"].isna()]):
            yield f"a run of {config_id} is shown and was not chosen"
        for reason in reasons:
            of = CHOSEN.fullmatch(reason)
            if of is None or int(of["runs"] or 1) > len(own):
                yield f"a run of {config_id} was chosen by {reason!r:.60}: the median of its runs stands for it"


def _failed(content: Content) -> Iterator[str]:
    """What is said of runs that are not here, and cannot be so."""
    try:
        found = unfinished(content.archive)
    except BenchmarkError as error:
        yield str(error)
        return
    failed = {str(failure["run_id"]) for failure in found.failures}
    for run_id in sorted(failed & set(content.described)):
        yield f"run {run_id} is said to have failed, and is here"
    missing = len(set(content.described) | failed)
    if found.planned is not None and found.planned < missing:
        yield f"{found.planned:,} runs are said to have been planned, and {missing:,} finished or failed"


def _other_runs(content: Content) -> Iterator[str]:
    """Rows that say of their run what its record does not."""
    names = list(described_run("", next(iter(content.described.values())))) if content.described else []
    every = content.every
    rows = every[every["run_id"].isin(content.described)][names].drop_duplicates()
    for row in rows.to_dict("records"):
        expected = described_run(content.archive.manifest.name, content.described[row["run_id"]])
        for name in names:
            said = None if pd.isna(row[name]) else row[name]
            if said != expected[name]:
                yield f"scores of run {row['run_id']} say {name} {said!r:.60}, its record says {expected[name]!r:.60}"
                break


def _missing(content: Content) -> Iterator[str]:
    """Measures that some seeds of a configuration have and others have not."""
    pairs: dict[str, set[tuple[str, str]]] = {}
    rows = content.scores[["run_id", "metric", "representation"]].drop_duplicates()
    for run_id, metric, representation in rows.itertuples(index=False, name=None):
        pairs.setdefault(run_id, set()).add((metric, representation))
    for config_id, own in content.runs.groupby("config_id", sort=False):
        of_runs = {run_id: pairs.get(run_id, set()) for run_id in own["run_id"]}
        every = {pair for has in of_runs.values() for pair in has}
        for run_id, has in of_runs.items():
            for metric, representation in sorted(every - has):
                yield (
                    f"run {run_id} has no {metric} of its {representation} codes, which other seeds of {config_id} have"
                )


def _notes(content: Content) -> Iterator[str]:
    for config_id, own in content.runs.groupby("config_id", sort=False):
        seeds = set(map(int, own["seed"]))
        absent = sorted(set(range(min(seeds), max(seeds))) - seeds) if max(seeds) < 1_000 else []
        if absent:
            listed = ", ".join(map(str, absent[:10]))
            yield f"{own['label'].iloc[0]} ({config_id}) has no seed {listed} between those that it has"

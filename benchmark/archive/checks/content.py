"""What the checks of an archive look at: its tables, its runs and its measures, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from benchmark.archive.columns import read_public
from benchmark.archive.manifest import MEASURES, SINGLE
from benchmark.archive.opening import Archive, open_archive, published_name
from benchmark.archive.results import foreign_measures, runs_of, scores_of
from benchmark.errors import UsageError
from benchmark.integrity.sealed import parse_json
from benchmark.metrics._declare import Metric
from benchmark.spec import Run
from benchmark.stages.score_task import declarations
from benchmark.table import as_results


@dataclass(frozen=True)
class Check:
    """One check: `holds`, in a sentence, unless something is `wrong`, a sentence each. `notes`: what is to be known."""

    title: str
    holds: str
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Content:
    """An archive's tables. `scores`: without those of single factors and coordinates, which are `single`.

    `records`: what is public of each run's run.json, by run id; `described`: the runs that they describe.
    `known`: the declarations of all measures here; `foreign`: those that the archive describes itself.
    """

    archive: Archive
    scores: pd.DataFrame
    single: pd.DataFrame
    runs: pd.DataFrame
    records: Mapping[str, Mapping[str, Any]]
    described: Mapping[str, Run]
    protocols: Mapping[str, Mapping[str, Any]]
    known: Mapping[str, Metric]
    foreign: Mapping[str, Metric]
    beside: Archive | None = None
    """The leaderboard that a submission is to; without it, the published one of its name."""
    program: str = ""
    """Who looks: what this program made can be made once more."""

    @property
    def measures(self) -> dict[str, Metric]:
        return {**self.foreign, **self.known}

    @cached_property
    def every(self) -> pd.DataFrame:
        """All scores, those of single factors and coordinates after the others."""
        return pd.concat([self.scores, self.single], ignore_index=True)

    @cached_property
    def leaderboard(self) -> Content | None:
        """The published leaderboard that a submission is to; None where there is none, and of a leaderboard itself."""
        manifest = self.archive.manifest
        if self.beside is not None:
            return read_content(self.beside)
        if manifest.kind == "leaderboard" or not published_name(manifest.name):
            return None
        return read_content(open_archive(manifest.name))


def read_content(archive: Archive, beside: Archive | None = None, program: str = "") -> Content:
    """beside: the leaderboard that a submission is to.

    Raises `BenchmarkError` on what does not have an archive's form.
    """
    runs = runs_of(archive)
    where = archive.place.where
    scores = scores_of(archive)
    single = as_results(archive.frame(SINGLE), f"{where}: {SINGLE}") if archive.holds(SINGLE) else scores.iloc[:0]
    described: dict[str, Run] = {}
    records: dict[str, Mapping[str, Any]] = {}
    for run_id, text in zip(runs["run_id"], runs["record"], strict=True):
        records[run_id] = read_public(text, f"{where}: {run_id}")
        described[run_id] = Run.from_json(records[run_id].get("run"), f"{where}: {run_id}: run")
    measures = parse_json(archive.read(MEASURES), f"{where}: {MEASURES}")
    protocols = measures.get("protocols")
    if not isinstance(protocols, dict) or not isinstance(measures.get("measures"), dict):
        raise UsageError(f"{where}: {MEASURES} lists no protocols and measures")
    foreign = foreign_measures(archive)
    return Content(
        archive, scores, single, runs, records, described, protocols, declarations(), foreign, beside, program
    )

"""An archive in the place of results: its rows beside a suite's own, and pages that are made of it alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import registry
from benchmark.spec import Run

if TYPE_CHECKING:
    from pandas import DataFrame

    from benchmark.archive.opening import Archive
    from benchmark.metrics._declare import Metric
    from leaderboard.text_table import TextTable


@dataclass(frozen=True)
class Reported:
    """What a page or a text is made of. `origin`: of what is not made here, where it comes from, a sentence each."""

    table: DataFrame
    runs: Sequence[tuple[Run, Path]]
    measures: Mapping[str, Metric]
    origin: Sequence[str] = ()
    tables: Mapping[str, Sequence[TextTable]] = field(default_factory=dict)
    """What a page has besides, by the label of the dataset that it is of."""
    failures: Sequence[Mapping[str, Any]] = ()
    planned: int | None = None
    headline: str = "mig"
    """The measure that orders the rows."""

    def records(self) -> dict[str, dict[str, Any]]:
        from leaderboard.records import read_record

        return {run.run_id: read_record(folder) for run, folder in self.runs}


@contextmanager
def with_beside(own: Reported, where: str | None) -> Iterator[Reported]:
    """A suite's results with an archive's rows on the same data beside them; as they are where no archive is named.

    Raises `UsageError` where no data are the same. The folders of the archive's runs are there until the block ends.
    """
    if where is None:
        yield own
        return
    import pandas as pd

    from benchmark.archive.beside import beside
    from benchmark.archive.laid_out import laid_out
    from benchmark.archive.opening import open_archive

    archive = open_archive(where)
    found = beside(archive, own.table, [run for run, _ in own.runs], own.measures)
    with laid_out(archive, set(found.scores["run_id"]), found.mark) as published:
        table = pd.concat([own.table, found.scores], ignore_index=True)
        measures = {**found.foreign, **own.measures}
        yield Reported(table, [*own.runs, *published], measures, found.sentences(), headline=own.headline)


@contextmanager
def of_archive(archive: Archive) -> Iterator[Reported]:
    """An archive's own results, with folders of its runs until the block ends."""
    from benchmark.archive.failures import unfinished
    from benchmark.archive.laid_out import laid_out
    from benchmark.archive.results import evaluation_said, foreign_measures, moved_of, runs_of, scores_of
    from benchmark.archive.seeds_apart import scored_apart
    from benchmark.stages.measures import measures_of
    from leaderboard.half_precision import half_precision

    table = scores_of(archive, single=True)
    # What the archive describes itself is not read off the table.
    foreign = foreign_measures(archive)
    measures = {**measures_of(table[~table["metric"].isin(foreign)], ()), **foreign}
    with laid_out(archive) as runs:
        halved = moved_of(archive)
        moved = {} if halved is None else half_precision(halved, runs_of(archive))
        tables = {dataset: [each] for dataset, each in moved.items()}
        rest = unfinished(archive)
        headline = evaluation_said(archive).headline
        headline = headline if headline in measures else registry.metric_named(headline)
        origin = [*_origin(archive), *(f"{sentence}." for sentence in scored_apart(table, measures))]
        yield Reported(table, runs, measures, origin, tables, rest.failures, rest.planned, headline)


def _origin(archive: Archive) -> list[str]:
    """Where an archive's page comes from, and what cannot be on it."""
    from benchmark.archive.manifest import MATRICES
    from leaderboard.explorer import NEEDS, USES
    from leaderboard.pictures import undrawn

    manifest = archive.manifest
    corrects = f" It corrects the version before: {manifest.corrects}." if manifest.corrects else ""
    corrects += f" It adds to the version before: {manifest.adds}." if manifest.adds else ""
    scores = {"scores"} if archive.holds(MATRICES) else set()
    absent = ", ".join(undrawn(NEEDS | USES | scores))
    found = [
        f"Made of {manifest.title} alone ({manifest.program}).{corrects}",
        "An archive keeps the explorer, the traversals and the matrices of codes by factors of one run of each"
        " configuration, and no codes. Not drawn for"
        f" this reason: {absent}; embeddings and dictionaries side by side, and the bound of the rate–distortion plane."
        " benchmark report draws them where the runs are.",
    ]
    if manifest.left_out:
        whose: dict[str, list[str]] = {}
        for what, why in manifest.left_out.items():
            whose.setdefault(why, []).append(what)
        listed = "; ".join(f"{', '.join(names)} ({why})" for why, names in whose.items())
        found.append(f"Not published, as far as networks go: {listed}.")
    return found


def standing_lines(where: str, suite: str, results: Path, run_ids: Sequence[str]) -> list[str]:
    """Where some of a suite's runs stand among an archive's, and which of their scores have none beside them."""
    from benchmark.archive.beside import beside, standing
    from benchmark.archive.opening import open_archive
    from benchmark.stages.measures import measures_of
    from benchmark.store import Store
    from benchmark.table import read_table
    from benchmark.verbs._given import located, results_table, suite_name

    store = Store(results, make=False)
    runs = [run for run in store.plan(suite_name(located(suite, results))) if run.run_id in set(run_ids)]
    table = read_table(results_table(suite, results))
    table = table[table["run_id"].isin(run_ids)]
    measures = measures_of(table, [store.run_folder(run) for run in runs])
    found = beside(open_archive(where), table, runs, measures)
    lines = standing(found, table, run_ids, measures)
    head = f"beside {found.title}: mean, place among its configurations, the best of them"
    return [head, *lines, *(f"  alone: {protocol}: {why}" for protocol, why in found.alone.items())]

"""Report on a suite: its page, or its leaderboards as text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmark import registry
from benchmark.atomic import disk_full_explained
from benchmark.digests import file_digest
from benchmark.progress import Progress
from benchmark.spec import Run
from benchmark.store import Store
from benchmark.suite_seal import TABLE, newer_scores, seal_page
from benchmark.verbs._given import RESULTS, add_plugins, located, results_table, started, suite_name, takes_paths
from benchmark.verbs._shown import PagePath
from benchmark.verbs._words import count
from benchmark.verbs._workers import cores

if TYPE_CHECKING:
    from pandas import DataFrame


@takes_paths
def report(
    suite: str,
    *,
    results: Path = RESULTS,
    plugins: Sequence[Path] = (),
    figures: Literal["svg", "pdf", "png"] | None = None,
    columns: Sequence[str] = (),
    width: float | str | None = None,
    font: str = "sans",
    jobs: int | None = None,
    quiet: bool = True,
) -> Path:
    """Write a suite's page from its table, and return its path; with `figures`, its charts and pictures beside it.

    `columns`, `width` and `font` are those of the figures: the measures that they show, their width in inches, or
    `column` or `text`, with type of 8 pt at that width, and `serif`, `sans` or the name of an installed font.
    `jobs`: processes that draw, by default one a core; 0 draws in this one.
    """
    with Progress("reading the results", 0, quiet=quiet, passing=True):
        from benchmark.stages.measures import measures_of
        from leaderboard.figures import write_figures
        from leaderboard.paper import Paper, read_font, read_width
        from leaderboard.papers import comparisons
        from leaderboard.records import read_record
        from leaderboard.report import write_report

        paper = Paper(None if width is None else read_width(str(width)), read_font(font))
        name, folder, table, done, failures, planned = _reported(suite, results, plugins)
        measures = measures_of(table, [path for _, path in done])
        digest = file_digest(folder / TABLE)
    description = registry.describe("suite", name) if name in registry.names("suite") else ""
    with disk_full_explained(folder / "index.html"):
        if figures:
            records = {each.run_id: read_record(path) for each, path in done}
            with Progress("drawing the figures", 1, quiet=quiet) as progress:
                write_figures(table, records, measures, folder / "figures", figures, columns, paper, _steps(progress))
        with Progress("drawing the page", 1, quiet=quiet) as progress:
            step = _steps(progress)
            papers, processes = comparisons(name, table), cores() if jobs is None else jobs
            path = write_report(
                name, description, table, done, measures, folder, failures, papers, processes, step, digest,
                planned,
            )  # fmt: skip
            drawn = (folder / "figures").rglob("*") if figures else ()
            seal_page(folder, [path, *(each for each in drawn if each.is_file())], digest)
            return PagePath(path)


def _steps(progress: Progress) -> Callable[[int, int], None]:
    """What hears how many drawings are finished, and how many there are."""

    def step(finished: int, total: int) -> None:
        progress.total = total
        progress.at(finished)

    return step


@takes_paths
def report_text(
    suite: str,
    kind: str,
    *,
    columns: Sequence[str] = (),
    results: Path = RESULTS,
    plugins: Sequence[Path] = (),
    **options: Any,
) -> str:
    """A suite's leaderboards as text: `kind` is one of markdown, latex and csv; `columns` as `formats.render` says.

    options: those of the format; LaTeX has `siunitx` and `protocols`, as `leaderboard.formats.latex.render` says.
    """
    from benchmark.stages.aggregate import aggregate
    from benchmark.stages.measures import measures_of
    from leaderboard import formats
    from leaderboard.board import boards
    from leaderboard.records import read_record

    formats.render(kind, [], **options)  # an unknown format or option is told before anything is read
    _, _, table, done, _, _ = _reported(suite, results, plugins)
    records = {each.run_id: read_record(path) for each, path in done}
    measures = measures_of(table, [path for _, path in done])
    summaries = aggregate(table, measures)
    found = boards(table, measures, records=records, summary=summaries.summary, ranking=summaries.ranking)
    return formats.render(kind, found, columns, **options)


def _reported(
    suite: str, results: Path, plugins: Sequence[Path]
) -> tuple[str, Path, DataFrame, list[tuple[Run, Path]], list[dict[str, Any]], int]:
    """What reports are made from: a suite's name, folder, table, finished runs with their folders,
    failures, and how many runs are planned."""
    from benchmark.table import read_table

    add_plugins(plugins)
    store = Store(results, make=False)
    name = suite_name(located(suite, results))
    started(store, name, suite)
    folder = store.suite_folder(name)
    runs = store.plan(name)
    table = read_table(results_table(suite, results))
    failures = [record for each in runs if not store.is_done(each) and (record := store.failure(each))]
    done = [(each, store.run_folder(each)) for each in runs if store.is_done(each)]
    newer = newer_scores(folder, [path for _, path in done])
    if newer:
        print(
            f"note: {count(len(newer), 'run')} of {len(done):,} was scored or finished after the table was made;"
            f" benchmark evaluate {suite} makes it anew",
            file=sys.stderr,
        )
    return name, folder, table, done, failures, len(runs)

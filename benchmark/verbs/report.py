"""Report on a suite or an archive: its page, or its leaderboards as text; an archive's rows beside a suite's own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmark import registry
from benchmark.atomic import disk_full_explained
from benchmark.commands import RESULTS
from benchmark.errors import UsageError
from benchmark.integrity.digests import file_digest
from benchmark.integrity.suite_seal import PAPERS, TABLE, newer_scores, seal_page
from benchmark.spec import Run
from benchmark.store import Store
from benchmark.verbs._beside import Reported, of_archive, with_beside
from benchmark.verbs._given import (
    add_plugins,
    archive_meant,
    located,
    next_command,
    results_table,
    started,
    suite_name,
    takes_paths,
)
from benchmark.verbs._suite_file import edited
from benchmark.verbs._workplace import default_jobs
from benchmark.words.notebook import PagePath
from benchmark.words.phrases import count
from benchmark.words.progress import Progress

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
    beside: str | None = None,
    output: Path | None = None,
) -> Path:
    """Write a suite's page from its table, and return its path; with `figures`, its charts and pictures beside it.

    `suite` may be an archive or a submission: its page is made of it alone, as `output`, by default NAME-VERSION.html
    here, with its figures in the folder NAME-VERSION-figures beside it. `beside`: an archive whose rows on the same
    data stand on a suite's page, marked with where they come from.
    `columns`, `width` and `font` are those of the figures: the measures that they show, their width in inches, or
    `column` or `text`, with type of 8 pt at that width, and `serif`, `sans` or the name of an installed font.
    `jobs`: processes that draw, by default one a core; 0 draws in this one.
    """
    if archive_meant(suite, results):
        if beside:
            raise UsageError("--beside is of a suite with its results")
        add_plugins(plugins)
        path = _archive_page(suite, output, jobs, quiet=quiet)
        if figures:
            _archive_figures(suite, figures_of(path), figures, columns, width, font, quiet=quiet)
        return path
    if output is not None:
        raise UsageError(f"--output {output}: a suite's page lies beside its table; an archive's goes where you say")
    with Progress("reading the results", 0, quiet=quiet, passing=True):
        from benchmark.stages.measures import measures_of
        from leaderboard.figures import write_figures
        from leaderboard.paper import Paper, read_font, read_width
        from leaderboard.papers import comparisons, write_numbers
        from leaderboard.report import write_report

        paper = Paper(None if width is None else read_width(str(width)), read_font(font))
        name, folder, table, done, failures, planned = _reported(suite, results, plugins)
        measures = measures_of(table, [path for _, path in done])
        own = Reported(table, done, measures, headline=_headline(suite, results))
        digest = file_digest(folder / TABLE)
    description = registry.describe("suite", name) if name in registry.names("suite") else ""
    with with_beside(own, beside) as all_of, disk_full_explained(folder / "index.html"):
        if figures:
            with Progress("drawing the figures", 1, quiet=quiet) as progress:
                write_figures(
                    all_of.table, all_of.records(), all_of.measures, folder / "figures", figures, columns, paper,
                    _steps(progress), all_of.headline,
                )  # fmt: skip
        with Progress("drawing the page", 1, quiet=quiet) as progress:
            step = _steps(progress)
            papers, processes = comparisons(name, all_of.table), default_jobs() if jobs is None else jobs
            planned += len(all_of.runs) - len(done)
            path = write_report(
                name, description, all_of.table, all_of.runs, all_of.measures, folder, failures, papers, processes,
                step, digest, planned, all_of.origin, headline=all_of.headline,
            )  # fmt: skip
            drawn = (folder / "figures").rglob("*") if figures else ()
            numbers = write_numbers(papers, folder / PAPERS)
            seal_page(folder, [path, *numbers, *(each for each in drawn if each.is_file())], digest)
            return PagePath(path)


def _archive_page(where: str, output: Path | None, jobs: int | None, *, quiet: bool) -> Path:
    """The page of an archive, from nothing but its files."""
    from benchmark.archive.manifest import SCORES
    from benchmark.archive.opening import open_archive
    from leaderboard.papers import comparisons
    from leaderboard.report import write_report

    with Progress("reading the archive", 0, quiet=quiet, passing=True):
        archive = open_archive(where)
    manifest = archive.manifest
    path = output or Path(f"{manifest.name}-{manifest.version or 'submission'}.html")
    with of_archive(archive) as of, Progress("drawing the page", 1, quiet=quiet) as progress:
        processes, digest = default_jobs() if jobs is None else jobs, manifest.files[SCORES].sha256
        with disk_full_explained(path):
            write_report(
                manifest.title, manifest.description, of.table, of.runs, of.measures, path.parent, of.failures,
                comparisons(manifest.name, of.table), processes, _steps(progress), digest, of.planned, of.origin,
                path.name, of.tables, headline=of.headline,
            )  # fmt: skip
    return PagePath(path)


def figures_of(page: Path) -> Path:
    """The folder of an archive's figures, beside its page."""
    return page.with_name(f"{page.stem}-figures")


def _archive_figures(
    where: str,
    folder: Path,
    kind: Literal["svg", "pdf", "png"],
    columns: Sequence[str],
    width: float | str | None,
    font: str,
    *,
    quiet: bool,
) -> None:
    """Every chart and picture that an archive has the arrays for, and others' numbers beside its own, as files."""
    from benchmark.archive.opening import open_archive
    from leaderboard.figures import write_figures
    from leaderboard.paper import Paper, read_font, read_width
    from leaderboard.papers import comparisons, write_numbers

    paper = Paper(None if width is None else read_width(str(width)), read_font(font))
    archive = open_archive(where)
    progress = Progress("drawing the figures", 1, quiet=quiet)
    with of_archive(archive) as of, progress as drawn, disk_full_explained(folder):
        write_figures(of.table, of.records(), of.measures, folder, kind, columns, paper, _steps(drawn), of.headline)
        write_numbers(comparisons(archive.manifest.name, of.table), folder / PAPERS)


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
    beside: str | None = None,
    **options: Any,
) -> str:
    """A suite's or an archive's leaderboards as text: `kind` is one of markdown, latex and csv; `columns` as
    `formats.render` says; `beside` as `report` says.

    options: those of the format; LaTeX has `siunitx` and `protocols`, as `leaderboard.formats.latex.render` says.
    """
    from benchmark.archive.opening import open_archive
    from benchmark.stages.aggregate import aggregate
    from benchmark.stages.measures import measures_of
    from leaderboard import formats
    from leaderboard.board import boards

    formats.render(kind, [], **options)  # an unknown format or option is told before anything is read
    if archive_meant(suite, results):
        if beside:
            raise UsageError("--beside is of a suite with its results")
        add_plugins(plugins)
        shown = of_archive(open_archive(suite))
    else:
        _, _, table, done, _, _ = _reported(suite, results, plugins)
        measures = measures_of(table, [path for _, path in done])
        shown = with_beside(Reported(table, done, measures, headline=_headline(suite, results)), beside)
    with shown as of:
        summaries = aggregate(of.table, of.measures)
        found = boards(
            of.table, of.measures, records=of.records(), summary=summaries.summary, ranking=summaries.ranking,
            headline=of.headline,
        )  # fmt: skip
    return formats.render(kind, found, columns, **options)


def _headline(suite: str, results: Path) -> str:
    """The measure that a suite's file puts first. Raises `UsageError` on a name that no measure has."""
    from benchmark.suite import read

    _, content, _ = read(located(suite, results))
    return registry.metric_named(content.evaluation.headline)


def _reported(
    suite: str, results: Path, plugins: Sequence[Path]
) -> tuple[str, Path, DataFrame, list[tuple[Run, Path]], list[dict[str, Any]], int]:
    """What reports are made from: a suite's name, folder, table, finished runs with their folders,
    failures, and how many runs are planned."""
    from benchmark.table import read_table

    add_plugins(plugins)
    store = Store(results, make=False)
    file = located(suite, results)
    name = suite_name(file)
    started(store, name, suite)
    if note := edited(store, name, file):
        print(f"note: {note}", file=sys.stderr)
    folder = store.suite_folder(name)
    runs = store.plan(name)
    table = read_table(results_table(suite, results))
    failures = [record for each in runs if not store.is_done(each) and (record := store.failure(each))]
    done = [(each, store.run_folder(each)) for each in runs if store.is_done(each)]
    newer = newer_scores(folder, [path for _, path in done])
    if newer:
        print(
            f"note: {count(len(newer), 'run')} of {len(done):,} scored or finished after the table was made;"
            f" {next_command('evaluate', suite, results)} makes it anew",
            file=sys.stderr,
        )
    return name, folder, table, done, failures, len(runs)

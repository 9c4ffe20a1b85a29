"""Write of a suite what is to be kept: a small table, or an archive of all of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.commands import RESULTS, command_line
from benchmark.errors import UsageError
from benchmark.store import Store
from benchmark.verbs._given import add_plugins, located, results_table, suite_name, takes_paths
from benchmark.words.phrases import count

if TYPE_CHECKING:
    from pandas import DataFrame

    from benchmark.archive.writing import Suite

ARCHIVE = "archive"
NAMED = 3
"""Runs that an error names at most."""


@takes_paths
def publish(
    suite: str,
    kind: str = "summary",
    *,
    results: Path = RESULTS,
    to: Path = RESULTS / "published",
    plugins: Sequence[Path] = (),
    version: int | None = None,
    corrects: str = "",
    drop_runs: bool = False,
    data_dir: Path | None = None,
    quiet: bool = True,
) -> Path:
    """Write a small table of a suite into the folder `to`, and return its path.

    kind: "summary", a row a configuration and score, as SUITE-summary.csv; "table", the scores themselves without those
    of single factors and coordinates, as SUITE.csv, which `check` compares with; "margins", what the scores differ by
    from seed to seed, as SUITE-margins.csv: run the suite in another results folder under other seeds for it;
    "archive", everything that others load and add to, as the folder SUITE/VERSION.
    version: of an archive, 1 unless said; what is published under a version stays, and the next holds all its runs.
    corrects: what a version from 2 on mends. drop_runs: it may lack runs of the version before.
    data_dir: where the data lie on which an archive's half-precision weights are compared with the trained ones.
    """
    from benchmark import published
    from benchmark.stages.configurations import configurations
    from benchmark.stages.measures import measures_of
    from benchmark.table import read_table
    from leaderboard.margins import seed_deviations

    makers: dict[str, tuple[str, Callable[[DataFrame], DataFrame]]] = {
        "summary": ("-summary", lambda table: published.summarise(table, configurations(table))),
        "table": ("", published.of_all),
        "margins": ("-margins", lambda table: seed_deviations(table, measures_of(table, folders))),
    }
    if kind not in (*makers, ARCHIVE):
        raise UsageError(f"--as {kind}: one of {', '.join((*makers, ARCHIVE))}")
    if kind != ARCHIVE and (version is not None or corrects or drop_runs):
        raise UsageError("--version, --corrects and --drop-runs are of an archive: give --as archive")
    if to.exists() and not to.is_dir():
        raise UsageError(f"--to {to}: no folder; name the folder that published tables go to")
    add_plugins(plugins)
    if kind == ARCHIVE:
        number = 1 if version is None else version
        return _publish_archive(suite, results, to, number, corrects, data_dir, drop_runs=drop_runs, quiet=quiet)
    table, name = read_table(results_table(suite, results)), suite_name(located(suite, results))
    store = Store(results, make=False)
    folders = map(store.run_folder, store.plan(name))
    ending, make = makers[kind]
    return published.publish(make(table), to / f"{name}{ending}.csv")


def _publish_archive(
    suite: str,
    results: Path,
    to: Path,
    version: int,
    corrects: str,
    data_dir: Path | None,
    *,
    drop_runs: bool,
    quiet: bool,
) -> Path:
    from benchmark.archive.opening import newest_version
    from benchmark.archive.writing import files_of, manifest_of, write_folder
    from benchmark.verbs._archived import finished_suite

    if version < 1:
        raise UsageError(f"--version {version}: versions of a leaderboard count from 1")
    if (version > 1) != bool(corrects.strip()):
        raise UsageError("--corrects TEXT says what a version from 2 on mends, and goes with no other")
    finished = finished_suite(suite, results, data_dir, quiet=quiet)
    folder = to.absolute() / finished.name
    newest = newest_version(folder)
    if newest and not (folder / str(version)).exists():
        if version != newest + 1:
            raise UsageError(f"--version {version}: {to / finished.name} has {newest}, and the next is {newest + 1}")
        if not drop_runs:
            _check_runs(finished, to / finished.name / str(newest), suite, results)
    files = files_of(finished)
    return write_folder(manifest_of(finished, files, version, "leaderboard", corrects), files, to)


def _check_runs(finished: Suite, before: Path, suite: str, results: Path) -> None:
    """Raise `UsageError` where a version would lack runs of the one before, such as those of submissions."""
    from benchmark.archive.opening import open_archive
    from benchmark.archive.results import runs_of

    there = set(runs_of(open_archive(before.absolute()))["run_id"])
    if lost := sorted(there - {run.run_id for run, _ in finished.runs}):
        named = ", ".join(lost[:NAMED]) + (", …" if len(lost) > NAMED else "")
        added = command_line("submit", suite, "--into", before.parent, "--to", "FILE.zip", results=results)
        raise UsageError(
            f"{before} holds {count(len(lost), 'run')} that this version would lack ({named}): {added} and benchmark"
            " accept add to what is there; --drop-runs leaves them out"
        )

"""Hand a suite's histories, settings, scores and costs to W&B, MLflow, or whatever reads CSV."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.commands import RESULTS
from benchmark.errors import BenchmarkError, UsageError
from benchmark.spec import Run
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
from benchmark.words.notebook import Shown
from benchmark.words.phrases import count
from benchmark.words.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.integrations.outcome import Outcomes

KINDS = ("wandb", "mlflow", "csv")


@dataclass
class Export(Shown):
    """What an export did: `where` and in which `project` the runs are, and what became of each: exported, renewed
    (what was there was out of date) or unchanged. `failed`: those of which there is nothing but why they failed;
    `missing`: how many scores have no number, `waiting`: how many planned runs are not finished."""

    to: str
    where: str
    project: str | None
    runs: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    missing: int = 0
    waiting: int = 0

    def sentence(self) -> str:
        counts = Counter(self.runs.values())
        said = ", ".join(f"{counts[what]:,} {what}" for what in ("exported", "renewed", "unchanged") if counts[what])
        word = "experiment" if self.to == "mlflow" else "project"
        project = "" if self.project is None else f", {word} {self.project}"
        rest = [
            f"{count(len(self.failed), 'run')} failed, with the reason" if self.failed else "",
            f"{count(self.missing, 'score')} without a number, with the reason in its place" if self.missing else "",
            f"{count(self.waiting, 'planned run')} not finished" if self.waiting else "",
        ]
        runs = f"{self.where}{project}: {count(len(self.runs), 'run')}: {said}"
        return "; ".join([runs, *filter(None, rest)])

    def frame(self) -> pd.DataFrame:
        """A row a run: run_id and what became of it."""
        import pandas as pd

        return pd.DataFrame({"run_id": list(self.runs), "outcome": list(self.runs.values())})


@dataclass(frozen=True)
class _Results:
    """What is exported from: a suite's or an archive's own name, table, runs with their folders, and failures."""

    name: str
    table: pd.DataFrame
    done: Sequence[tuple[Run, Path]]
    failures: Sequence[tuple[Run, Mapping[str, Any]]] = ()
    waiting: int = 0


@takes_paths
def export(
    suite: str,
    to: str,
    *,
    output: str | None = None,
    project: str | None = None,
    results: Path = RESULTS,
    only: Mapping[str, Any] | None = None,
    plugins: Sequence[Path] = (),
    quiet: bool = True,
) -> Export:
    """Export a suite's finished and failed runs, or an archive's, and say what became of each.

    to: "wandb", "mlflow" or "csv". A run that is there as it is stays, and one that is there otherwise, or only in
        part, is replaced: the same export again, also after it was killed, ends with every run there once.
    output: of wandb a folder, by default $WANDB_DIR or this one, in which folders wandb/offline-run-… are written; of
        mlflow a tracking URI or an SQLite file, by default what MLflow itself takes; of csv a folder, by default
        SUITE-csv here.
    project: the W&B project or MLflow experiment, by default named like the suite. only: as `run` takes it.

    Histories are training/TERM by step, scores score/NAME, with their protocols beside them, and costs cost/NAME. A
    score without a number is no metric: missing/NAME says why. Scores of single factors are in the table of all scores
    that lies with each run. Nothing leaves this machine but by a tracking URI: W&B's runs are offline runs.
    Raises `UsageError` where the package is not installed, or the place cannot be written to.
    """
    if to not in KINDS:
        raise UsageError(f"--to {to}: one of {', '.join(KINDS)}")
    if to == "csv" and project is not None:
        raise UsageError("--project is of wandb and mlflow: tables lie in a folder, --output DIR")
    add_plugins(plugins)
    from benchmark.filtering import chosen_by
    from benchmark.integrations.exported import exported

    with _results(suite, results) as of:
        runs = [run for run, _ in [*of.done, *of.failures]]
        if not runs:
            raise UsageError(f'no run of suite "{of.name}" is finished; next: {next_command("run", suite, results)}')
        chosen = chosen_by(runs, only or {}, f'finished runs of suite "{of.name}"')
        found = exported(of.name, of.table, of.done, of.failures, chosen)
        named = of.name if project is None else project
        where, outcomes = _sink(to, output, named, found)
        said = Export(to, where, None if to == "csv" else named, waiting=0 if only else of.waiting)
        with Progress(f"exporting {count(len(chosen), 'run')}", len(chosen), quiet=quiet) as progress:
            for number, (run, outcome) in enumerate(outcomes, start=1):
                said.runs[run.run_id] = outcome
                said.failed += [run.run_id] if run.status == "failed" else []
                said.missing += len(run.scores[run.scores["status"] != "ok"])
                progress.at(number)
    return said


def _sink(to: str, output: str | None, project: str, runs: Any) -> tuple[str, Outcomes]:
    """Where the runs go, and what takes them there."""
    from benchmark.integrations import csv_tables, mlflow_runs, wandb_runs

    if to == "csv":
        folder = Path(output or f"{project}-csv")
        return str(folder), csv_tables.export_tables(runs, folder)
    if to == "mlflow":
        where = mlflow_runs.place(output)
        return where, mlflow_runs.export_runs(runs, where, project)
    where = wandb_runs.place(output)
    return where, wandb_runs.export_runs(runs, where, project)


@contextmanager
def _results(suite: str, results: Path) -> Iterator[_Results]:
    """What there is of a suite or an archive; an archive's folders are there until the block ends."""
    if (where := archive_meant(suite, results)) is not None:
        from benchmark.archive.opening import open_archive
        from benchmark.verbs._beside import of_archive

        archive = open_archive(where)
        with of_archive(archive) as published:
            failed = [(Run.from_json(record["run"]), record) for record in published.failures]
            finished = len(published.runs) + len(failed)
            waiting = max((published.planned or finished) - finished, 0)
            yield _Results(archive.manifest.name, published.table, published.runs, failed, waiting)
        return
    from benchmark.integrations.exported import HISTORY
    from benchmark.store import Store
    from benchmark.table import read_table

    store = Store(results, make=False)
    name = suite_name(located(suite, results))
    started(store, name, suite)
    planned = store.plan(name)
    done = [(run, store.run_folder(run)) for run in planned if store.is_done(run)]
    failures = [(run, found) for run in planned if not store.is_done(run) and (found := store.failure(run))]
    for run, folder in done:
        _check(folder, store.read_run(run), HISTORY)
    table = read_table(results_table(suite, results))
    yield _Results(name, table, done, failures, len(planned) - len(done) - len(failures))


def _check(folder: Path, record: Mapping[str, Any], name: str) -> None:
    """Raise `BenchmarkError` where a run's file is not the one that its record lists."""
    from benchmark.integrity.digests import differing
    from benchmark.integrity.run_seal import MEND, listed

    files = listed(record) or {}
    if name in files and (wrong := differing(folder, {name: files[name]})):
        raise BenchmarkError(f"{folder / name} {wrong[0][1]}; {MEND}")

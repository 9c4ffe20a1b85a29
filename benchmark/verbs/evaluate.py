"""Score a suite's finished runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import registry
from benchmark.atomic import disk_full_explained
from benchmark.commands import RESULTS
from benchmark.errors import UsageError
from benchmark.integrity.run_seal import check_run
from benchmark.integrity.suite_seal import seal_table
from benchmark.spec import Run
from benchmark.store import Store, read_json
from benchmark.verbs._given import located, next_command, started, suite_name, takes_paths
from benchmark.verbs._request import Request
from benchmark.verbs._suite_file import edited
from benchmark.verbs._workplace import Workplace
from benchmark.words.notebook import Shown
from benchmark.words.phrases import count

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.stages.score_task import Protocol, ScoreTask

    Parts = Sequence[tuple[Sequence[Run], tuple[str, ...]]]


@dataclass
class EvaluationSummary(Shown):
    """What the table holds: how many scores by status, and the table's path.

    `failed`: of what was asked for now, the scores that failed, with the reasons; `failed_before`: the table's other
    failed ones, such as those of an earlier text of a measure's file. `notes`: what is to be known of the input of
    scores that were computed now.
    """

    suite: str
    scores: dict[str, int]
    failed: dict[str, str]
    table: Path
    notes: list[str] = field(default_factory=list)
    failed_before: dict[str, str] = field(default_factory=dict)

    def sentence(self) -> str:
        counts = ", ".join(f"{number:,} {status.replace('_', ' ')}" for status, number in self.scores.items())
        return f"{self.suite}: {counts}; {self.table}"

    def frame(self) -> pd.DataFrame:
        """The results table: one number a row."""
        from benchmark.table import read_table

        return read_table(self.table.with_suffix(".parquet"))

    def shown_frame(self) -> pd.DataFrame:
        """How many scores of each measure have a number."""
        return self.frame().groupby(["metric", "status"]).size().unstack(fill_value=0).reset_index()


@takes_paths
def evaluate(
    suite: str,
    *,
    results: Path = RESULTS,
    only: Mapping[str, Any] | None = None,
    metrics: Sequence[str] = (),
    budget: str | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    data_dir: Path | None = None,
    plugins: Sequence[Path] = (),
    retry_failed: bool = False,
    quiet: bool = True,
) -> EvaluationSummary:
    """Score the finished runs of a suite and compile its results table, summaries, correlations and comparisons.

    Scores that are there already are kept; those that failed before are left alone and reported, unless
    `retry_failed`. With `only` no others than these runs are scored; the table is of all runs. A measure of a
    configuration's runs together, such as udr, takes all that are finished, whichever of them `only` keeps. `jobs` and
    `scheduler` are those of `run`. What the measures read of networks and `run` did not keep, because the suite asked
    for none of it, is encoded first, from the data in `data_dir`.
    """
    request = Request(suite=suite, only=only or {}, plugins=tuple(plugins), retry_failed=retry_failed)
    at = Workplace(results=results, data_dir=data_dir, jobs=jobs, scheduler=scheduler, quiet=quiet)
    return carry_out(request, at, metrics, budget)


def carry_out(
    request: Request, at: Workplace, metrics: Sequence[str] = (), budget: str | None = None
) -> EvaluationSummary:
    """What `evaluate` does, of what is asked for and where it is worked off."""
    from benchmark.stages.aggregate import aggregate
    from benchmark.stages.evaluate import evaluate as score_all
    from benchmark.stages.measures import measures_of, scorable
    from benchmark.stages.score_task import Protocol, arrays_read, check_budget, check_metrics, of_configurations
    from benchmark.suite import evaluation_settings
    from benchmark.table import compile_table, write_table
    from benchmark.words.scoring import Scoring

    at = at.from_anywhere()
    at.add_plugins(request.plugins)
    file = located(request.suite, at.results)
    store = at.store(make=False)
    name = suite_name(file)
    started(store, name, request.suite)
    if note := edited(store, name, file):
        print(f"note: {note}", file=sys.stderr)
    done = [each for each in store.plan(name) if store.is_done(each)]
    if not done:
        hint = next_command("run", request.suite, at.results)
        raise UsageError(f'no run of suite "{name}" is finished in {at.results}; next: {hint}')
    folders = {each.run_id: store.run_folder(each) for each in done}
    store.clean_parts([store.suite_folder(name), *(place / "scores" for place in folders.values())])
    for place in folders.values():  # no number of what was altered, and no table of it
        check_run(place)
    settings = evaluation_settings(file)
    chosen = tuple(metrics) or scorable(settings.metrics, folders.values())
    texts = check_metrics(chosen) if chosen or not settings.metrics else ()
    protocol = Protocol(texts, check_budget(budget or settings.budget), settings.points, settings.seed)
    chosen_runs = request.chosen(done, f'finished runs of suite "{name}"')
    # A configuration's runs are compared with each other: with some of them alone the score would be another one.
    together = of_configurations(texts)
    chosen_ids = {each.run_id for each in chosen_runs}
    configurations = {each.config_id for each in chosen_runs} if together else set()
    members = [each for each in done if each.config_id in configurations]
    _encode_missing(store, file, chosen_runs, arrays_read(texts), at)
    _encode_missing(store, file, [each for each in members if each.run_id not in chosen_ids], arrays_read(together), at)
    parts = ((chosen_runs, tuple(text for text in texts if text not in together)), (members, together))
    tasks = _tasks(parts, folders, protocol, retry_failed=request.retry_failed)
    with (
        at.progress(f"scoring {count(len(chosen_runs), 'run')}") as progress,
        at.workers(progress.say) as at_work,
    ):
        said = Scoring(progress)
        score_all(tasks, at_work, said.on_scored, said.on_cost)
    table = compile_table(name, [(each, folders[each.run_id]) for each in done])
    folder = store.suite_folder(name)
    with disk_full_explained(folder / "results.csv"):
        write_table(table, folder / "results.csv")
        measures = measures_of(table, folders.values())
        names = ["results.parquet", "results.csv", *aggregate(table, measures).write(folder)]
        seal_table(folder, names, list(folders.values()))
    counts = {str(status): int(number) for status, number in table["status"].value_counts().items()}
    failed = table[table["status"] == "failed"]
    asked = _failures(parts, folders, protocol) if len(failed) else set()
    now: dict[str, str] = {}
    before: dict[str, str] = {}
    for _, row in failed.iterrows():
        found = now if (folders[row["run_id"]], row["protocol"]) in asked else before
        found[f"{row['model']}/{row['run_id']} {row['protocol']}"] = row["reason"]
    return EvaluationSummary(name, counts, now, folder / "results.csv", said.notes, before)


def _tasks(parts: Parts, folders: Mapping[str, Path], protocol: Protocol, *, retry_failed: bool) -> list[ScoreTask]:
    """What is still to be scored of runs, each part of them by measures of its own."""
    from benchmark.stages.evaluate import score_tasks

    return [
        task
        for runs, own in parts
        for task in score_tasks(
            [(each, folders[each.run_id]) for each in runs], replace(protocol, metrics=own), retry_failed=retry_failed
        )
    ]


def _failures(parts: Parts, folders: Mapping[str, Path], protocol: Protocol) -> set[tuple[Path, str]]:
    """The scores that failed, of those that are asked for: the run's folder and the protocol of each."""
    from benchmark.stages.score_files import score_path

    found: set[tuple[Path, str]] = set()
    for task in _tasks(parts, folders, protocol, retry_failed=True):  # all that would be tried again
        for place in task.folders:
            path = score_path(task, place)
            if path.exists() and (record := read_json(path))["status"] == "failed":
                found.add((place, record["protocol"]))
    return found


def _encode_missing(store: Store, suite: str, runs: Sequence[Run], arrays: frozenset[str], at: Workplace) -> None:
    """Encode what the measures read and the runs' codes files lack. Raises `BenchmarkError` where that cannot be."""
    from benchmark.stages.kept import incomplete
    from benchmark.suite import read

    encoding = read(suite)[1].encoding
    lacking = incomplete(store, runs, encoding, arrays)
    if not lacking:
        return
    try:
        from benchmark.stages.order import Order
        from benchmark.verbs._encode_again import encode_again
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{count(len(lacking), 'run')} must be encoded again for these measures, and {error.name} is not installed:"
            " evaluate where it is, or ask for other measures by --metrics"
        ) from None
    order = Order(store.root, at.data_dir, tuple(registry.plugins()), encoding, arrays)
    encode_again(order, lacking, at)

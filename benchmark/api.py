"""What the verbs do, as functions: `from benchmark import run, evaluate, report, check`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import registry
from benchmark.atomic import disk_full_explained, write_atomically
from benchmark.errors import UsageError
from benchmark.progress import Progress
from benchmark.spec import Run
from benchmark.store import Store, read_json

if TYPE_CHECKING:
    from benchmark.stages.estimate import Estimate
    from leaderboard.regression import Verdict

RESULTS = Path("results")


@dataclass
class RunSummary:
    """What `run` did: ids of the runs that are done, and of those that failed with the reasons."""

    suite: str
    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    trained: int = 0


@dataclass
class EvaluationSummary:
    """What `evaluate` did: how many scores by status, the failed ones with the reasons, and the table's path."""

    suite: str
    scores: dict[str, int]
    failed: dict[str, str]
    table: Path


def run(
    suite: str,
    *,
    results: Path = RESULTS,
    only: Mapping[str, list[Any]] | None = None,
    overrides: Mapping[str, Any] | None = None,
    seeds: list[int] | None = None,
    shard: tuple[int, int] | None = None,
    jobs: int | None = None,
    data_dir: Path | None = None,
    plugins: Sequence[Path] = (),
    retry_failed: bool = False,
    quiet: bool = True,
) -> RunSummary:
    """Train and encode every run of a suite that is not done yet. Raises `BenchmarkError`, also by its subclasses.

    `jobs`: processes, by default one a core; 0 trains in this process. Runs that failed before are left alone and
    reported, unless `retry_failed`.
    """
    from benchmark.suite import expand
    from benchmark.suite import shard as share

    add_plugins(plugins)
    expanded = expand(suite, only=only, overrides=overrides, seeds=seeds)
    from benchmark.stages import train  # imports torch: a mistake in the suite is said before

    store = Store(results)
    store.clean_scratch()
    store.write_plan(expanded.name, expanded.source, expanded.runs)
    runs = expanded.runs if shard is None else share(expanded.runs, *shard)
    fleets = train.plan(store, runs, retry_failed=retry_failed)
    train.check_data(fleets, data_dir)
    if retry_failed:
        for each in runs:
            store.clear_failure(each)
    train.save_fleets(store, fleets, command(suite, overrides or {}, plugins))
    labels = {each.run_id: label(each) for fleet in fleets for each in fleet.runs}
    total = sum(len(fleet.runs) * max(fleet.steps, 1) for fleet in fleets)
    count = sum(len(fleet.runs) for fleet in fleets)
    summary = RunSummary(expanded.name)
    with Progress(f"training {count} runs", total, quiet=quiet) as progress:
        finished: dict[str, float] = {}
        resumed: set[str] = set()

        def watch() -> None:
            steps = 0.0
            for fleet in fleets:
                if fleet.fleet_id not in finished:
                    state = train.fleet_progress(store, fleet)
                    steps += state.step * len(fleet.runs)
                    if state.resumed and fleet.fleet_id not in resumed:
                        resumed.add(fleet.fleet_id)
                        progress.say(f"resumed {_count(len(fleet.runs), 'run')} at step {state.resumed[-1]:,}")
            progress.at(steps + sum(finished.values()))

        def on_outcome(fleet: Any, outcome: Any) -> None:
            finished[fleet.fleet_id] = len(fleet.runs) * max(fleet.steps, 1)
            if outcome.resumed_at is not None and fleet.fleet_id not in resumed:
                resumed.add(fleet.fleet_id)
                progress.say(f"resumed {_count(len(fleet.runs), 'run')} at step {outcome.resumed_at:,}")
            summary.trained += len(outcome.published)
            for run_id in outcome.published:
                progress.say(f"done    {run_id}  {labels.get(run_id, '')}")
            for run_id, reason in outcome.failed:
                progress.say(f"failed  {run_id}  {labels.get(run_id, '')}: {reason}")
            watch()

        train.train_fleets(
            store,
            fleets,
            jobs=cores() if jobs is None else jobs,
            data_dir=data_dir,
            checkpoint_seconds=expanded.execution.checkpoint_seconds,
            on_outcome=on_outcome,
            watch=watch,
        )
    for each in runs:
        failure = store.failure(each)
        if store.is_done(each):
            summary.done.append(each.run_id)
        elif failure:
            summary.failed[each.run_id] = failure["reason"]
    return summary


def estimate(
    suite: str,
    *,
    results: Path = RESULTS,
    only: Mapping[str, list[Any]] | None = None,
    overrides: Mapping[str, Any] | None = None,
    seeds: list[int] | None = None,
    shard: tuple[int, int] | None = None,
    jobs: int | None = None,
    data_dir: Path | None = None,
    plugins: Sequence[Path] = (),
) -> Estimate:
    """What `run` would do with the same arguments, and what it would cost. Nothing is written."""
    from benchmark.stages import train
    from benchmark.stages.estimate import estimate as cost
    from benchmark.suite import expand
    from benchmark.suite import shard as share

    add_plugins(plugins)
    expanded = expand(suite, only=only, overrides=overrides, seeds=seeds)
    runs = expanded.runs if shard is None else share(expanded.runs, *shard)
    store = Store(results, make=False)
    fleets = train.plan(store, runs)
    train.check_data(fleets, data_dir)
    return cost(fleets, sum(store.is_done(each) for each in runs), cores() if jobs is None else jobs, data_dir)


def evaluate(
    suite: str,
    *,
    results: Path = RESULTS,
    metrics: Sequence[str] = (),
    budget: str | None = None,
    jobs: int | None = None,
    plugins: Sequence[Path] = (),
    quiet: bool = True,
) -> EvaluationSummary:
    """Score the finished runs of a suite and compile its results table, summaries and correlations.

    Scores that are there already are kept; failed ones are tried again.
    """
    from benchmark.stages.aggregate import aggregate
    from benchmark.stages.evaluate import Protocol, Scored, ScoreTask, declarations, score_tasks
    from benchmark.stages.evaluate import evaluate as score_all
    from benchmark.suite import evaluation_settings
    from benchmark.table import compile_table, write_table

    add_plugins(plugins)
    store = Store(results, make=False)
    name = suite_name(suite)
    done = [each for each in store.plan(name) if store.is_done(each)]
    if not done:
        raise UsageError(f'no run of suite "{name}" is finished in {results}; next: benchmark run {suite}')
    settings = evaluation_settings(suite)
    known = declarations(tuple(metrics) or settings.metrics)
    chosen = budget or settings.budget
    if chosen not in ("quick", "full"):
        raise UsageError(f'--budget {chosen}: choose "quick" or "full"')
    protocol = Protocol(tuple(known), chosen, settings.points, settings.seed)  # type: ignore[arg-type]
    tasks = [task for each in done for task in score_tasks(store.run_folder(each), protocol, known)]
    failed: dict[str, str] = {}
    with Progress(f"scoring {_count(len(done), 'run')}", len(tasks), quiet=quiet) as progress:

        def on_scored(task: ScoreTask, scored: Scored) -> None:
            if scored.status == "failed":
                where = f"{task.folder.parent.parent.name}/{task.folder.parent.name}/{task.folder.name} {task.metric}"
                failed[where] = scored.reason or ""
                progress.say(f"failed  {where}: {scored.reason}")
            progress.at(progress.done + 1)

        def on_more(pieces: int) -> None:
            progress.total += pieces

        score_all(tasks, cores() if jobs is None else jobs, on_scored, on_more=on_more)
    everything = declarations()
    table = compile_table(name, [(each, store.run_folder(each)) for each in done])
    folder = store.suite_folder(name)
    with disk_full_explained(folder / "results.csv"):
        write_table(table, folder / "results.csv")
        aggregate(table, everything).write(folder)
    counts = {str(status): int(number) for status, number in table["status"].value_counts().items()}
    return EvaluationSummary(name, counts, failed, folder / "results.csv")


def report(suite: str, *, results: Path = RESULTS, plugins: Sequence[Path] = ()) -> Path:
    """Write a suite's page from its table, and return its path."""
    from benchmark.stages.evaluate import declarations
    from benchmark.table import read_table
    from leaderboard.report import write_report

    add_plugins(plugins)
    store = Store(results, make=False)
    name = suite_name(suite)
    folder = store.suite_folder(name)
    runs = store.plan(name)
    if not (folder / "results.parquet").exists():
        raise UsageError(f'suite "{name}" has no results table in {results}; next: benchmark evaluate {suite}')
    failures = [record for each in runs if not store.is_done(each) and (record := store.failure(each))]
    done = [(each, store.run_folder(each)) for each in runs if store.is_done(each)]
    description = registry.describe("suite", name) if name in registry.names("suite") else ""
    table = read_table(folder / "results.parquet")
    with disk_full_explained(folder / "index.html"):
        return write_report(name, description, table, done, declarations(), folder, failures)


def check(suite: str, against: Path, *, results: Path = RESULTS, plugins: Sequence[Path] = ()) -> list[Verdict]:
    """Compare a suite's table with a saved one: better, same, worse, missing or new, score by score."""
    from benchmark.stages.evaluate import declarations
    from benchmark.table import read_table
    from leaderboard.regression import check as compare

    add_plugins(plugins)
    path = Store(results, make=False).suite_folder(suite_name(suite)) / "results.parquet"
    if not path.exists():
        raise UsageError(
            f'suite "{suite_name(suite)}" has no results table in {results}; next: benchmark evaluate {suite}'
        )
    return compare(read_table(path), read_table(against), declarations())


def status(*, results: Path = RESULTS) -> list[dict[str, Any]]:
    """Each suite in a results folder with how many of its runs are done, failed and missing."""
    if not results.exists():
        raise UsageError(f"--results {results}: no such folder; next: benchmark demo")
    store = Store(results, make=False)
    rows = []
    for folder in sorted((store.root / "suites").glob("*/plan.json")):
        runs = store.plan(folder.parent.name)
        done = sum(store.is_done(each) for each in runs)
        failed = sum(not store.is_done(each) and store.failure_path(each).exists() for each in runs)
        rows.append(
            {
                "suite": folder.parent.name,
                "runs": len(runs),
                "done": done,
                "failed": failed,
                "missing": len(runs) - done - failed,
                "scored": (folder.parent / "results.csv").exists(),
                "report": (folder.parent / "index.html").exists(),
            }
        )
    return rows


def merge(source: Path, *, results: Path = RESULTS) -> dict[str, int]:
    """Take over the runs, scores and plans of another results folder; what is here already stays as it is."""
    if not (source / "format.json").exists():
        raise UsageError(f"{source} is not a results folder: it has no format.json")
    store, other = Store(results), Store(source)
    counts = {"runs": 0, "scores": 0, "suites": 0}
    for path in sorted((other.root / "suites").glob("*/plan.json")):
        record = read_json(path)
        runs = [Run.from_json(each) for each in record["runs"]]
        store.write_plan(path.parent.name, record["source"], runs, replace=False)
        counts["suites"] += 1
        for each in runs:
            if not other.is_done(each):
                continue
            origin = other.run_folder(each)
            if not store.is_done(each):
                counts["runs"] += store.publish(each, partial(shutil.copytree, origin, dirs_exist_ok=True))
                continue
            target = store.run_folder(each) / "scores"
            target.mkdir(exist_ok=True)
            for score in origin.glob("scores/*.json"):
                if not (target / score.name).exists():
                    write_atomically(target / score.name, partial(shutil.copy2, score))
                    counts["scores"] += 1
    return counts


def prune(*, results: Path = RESULTS) -> dict[str, int]:
    """Delete what no run needs: scratch of killed processes, and fleets whose members are all published."""
    from benchmark.training.fleet import Fleet

    store = Store(results)
    store.clean_scratch()
    fleets = 0
    for path in (store.root / "fleets").glob("*/fleet.json"):
        fleet = Fleet.from_json(read_json(path)["fleet"])
        if all(store.is_done(each) or store.failure(each) for each in fleet.runs):
            shutil.rmtree(path.parent)
            fleets += 1
    return {"fleets": fleets}


def command(suite: str, overrides: Mapping[str, Any], plugins: Sequence[Path]) -> str:
    """The command line that defines the same configurations."""
    words = ["benchmark", "run", suite, *(f"--set {key}={value}" for key, value in overrides.items())]
    return " ".join([*words, *(f"--plugin {plugin}" for plugin in plugins)])


def add_plugins(plugins: Sequence[Path]) -> None:
    for plugin in plugins:
        registry.add_plugin(plugin)


def suite_name(suite: str) -> str:
    """The name under which a suite's results stand: a built-in name, or a file's stem."""
    from benchmark.suite import find

    return find(suite).stem


def label(run: Run) -> str:
    """A run in a few words for the log."""
    settings = " ".join(
        f"{key}={value}" for key, value in run.model.settings.items() if key not in ("likelihood", "sigma")
    )
    return f"{run.dataset.name} {run.model.name} {settings} seed {run.seed}".replace("  ", " ")


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

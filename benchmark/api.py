"""What the verbs do, as functions: `from benchmark import run, evaluate, report, check`."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmark import registry
from benchmark.atomic import disk_full_explained, write_atomically
from benchmark.errors import BenchmarkError, UsageError
from benchmark.index import counts
from benchmark.progress import Progress
from benchmark.spec import Run
from benchmark.store import Store, read_json

if TYPE_CHECKING:
    import pandas as pd
    from pandas import DataFrame

    from benchmark.execution import Workers
    from benchmark.stages.estimate import Estimate
    from benchmark.suite import EncodingSettings
    from benchmark.training.device import Device
    from leaderboard.verdicts import Verdict

RESULTS = Path("results")


@dataclass
class RunSummary:
    """What `run` did: ids of the runs that are done, and of those that failed with the reasons."""

    suite: str
    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    trained: int = 0


@dataclass
class AddedCodes:
    """What `add_codes` did: the suite, the runs that the files are, and what is to be said of them."""

    suite: str
    runs: list[str]
    notes: list[str]


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
    scheduler: str | None = None,
    data_dir: Path | None = None,
    plugins: Sequence[Path] = (),
    device: str = "auto",
    retry_failed: bool = False,
    quiet: bool = True,
) -> RunSummary:
    """Train and encode every run of a suite that is not done yet. Raises `BenchmarkError`, also by its subclasses.

    `jobs`: processes, by default one a core, or one a GPU; 0 trains in this process. `scheduler`: the address of a
    dask scheduler, whose workers train in place of processes here. `device`: where networks train, "cpu" or "cuda";
    "auto" is CUDA where torch finds a GPU here, and the CPU on a cluster. Runs that failed before are left alone and
    reported, unless `retry_failed`.
    """
    from benchmark.suite import expand
    from benchmark.suite import shard as share

    if scheduler:
        results, data_dir = results.absolute(), data_dir and data_dir.absolute()
    add_plugins(plugins, absolute=bool(scheduler))
    expanded = expand(suite, only=only, overrides=overrides, seeds=seeds)
    from benchmark.stages import train  # imports torch: a mistake in the suite is said before

    kind, places = _places(device, scheduler)
    store = Store(results)
    store.clean_scratch()
    store.write_plan(expanded.name, expanded.source, expanded.runs)
    runs = expanded.runs if shard is None else share(expanded.runs, *shard)
    fleets = train.plan(store, runs, retry_failed=retry_failed, device=kind)
    train.check_data(fleets, data_dir)
    if retry_failed:
        for each in runs:
            store.clear_failure(each)
    train.save_fleets(store, fleets, command(suite, overrides or {}, plugins))
    labels = {each.run_id: label(each) for fleet in fleets for each in fleet.runs}
    total = sum(len(fleet.runs) * max(fleet.steps, 1) for fleet in fleets)
    count = sum(len(fleet.runs) for fleet in fleets)
    summary = RunSummary(expanded.name)
    with (
        Progress(f"training {count} runs", total, quiet=quiet) as progress,
        workers(jobs, scheduler, store, progress.say) as at_work,
    ):
        # Closed forms have no steps to follow.
        unfinished = {fleet.fleet_id: fleet for fleet in fleets if fleet.steps}
        finished, steps, next_look = 0.0, 0.0, 0.0
        resumed: set[str] = set()

        def watch() -> None:
            nonlocal steps, next_look
            began = time.monotonic()
            if began >= next_look:
                steps = 0.0
                for fleet in unfinished.values():
                    state = train.fleet_progress(store, fleet)
                    steps += state.step * len(fleet.runs)
                    if state.resumed and fleet.fleet_id not in resumed:
                        resumed.add(fleet.fleet_id)
                        progress.say(f"resumed {_count(len(fleet.runs), 'run')} at step {state.resumed[-1]:,}")
                # Thousands of fleets, or a slow disk: no more than a twentieth of the time.
                next_look = began + 20 * (time.monotonic() - began)
            progress.at(steps + finished)

        def on_outcome(fleet: Any, outcome: Any) -> None:
            nonlocal finished
            unfinished.pop(fleet.fleet_id, None)
            finished += len(fleet.runs) * max(fleet.steps, 1)
            if outcome.resumed_at is not None and fleet.fleet_id not in resumed:
                resumed.add(fleet.fleet_id)
                progress.say(f"resumed {_count(len(fleet.runs), 'run')} at step {outcome.resumed_at:,}")
            summary.trained += len(outcome.published)
            for run_id in outcome.published:
                progress.say(f"done    {run_id}  {labels.get(run_id, '')}")
            for run_id, reason in outcome.failed:
                progress.say(f"failed  {run_id}  {labels.get(run_id, '')}: {reason}")
            watch()

        # Closed forms are fitted by all cores, networks trained by one process for each GPU.
        closed = [fleet for fleet in fleets if fleet.engine == "closed_form"]
        networks = [fleet for fleet in fleets if fleet.engine != "closed_form"]
        per_place = len(places) if kind == "cuda" and jobs is None and not scheduler else at_work
        for some, processes in [(fleets, at_work)] if kind == "cpu" else [(closed, at_work), (networks, per_place)]:
            train.train_fleets(
                store,
                some,
                jobs=processes,
                data_dir=data_dir,
                checkpoint_seconds=expanded.execution.checkpoint_seconds,
                encoding=expanded.encoding,
                on_outcome=on_outcome,
                watch=watch,
                places=places,
            )
    _reencode(store, runs, expanded.encoding, jobs, scheduler, data_dir, quiet)
    for each in runs:
        failure = store.failure(each)
        if store.is_done(each):
            summary.done.append(each.run_id)
        elif failure:
            summary.failed[each.run_id] = failure["reason"]
    return summary


def _places(device: str, scheduler: str | None) -> tuple[Device, list[str]]:
    """The kind of device that networks train on, and one device for each process; those of a cluster are its own."""
    from benchmark.training.device import check, chosen, places

    if scheduler:
        check(device)
        return ("cuda", ["cuda:0"]) if device == "cuda" else ("cpu", ["cpu"])
    kind = chosen(device)
    return kind, places(kind)


@contextmanager
def workers(jobs: int | None, scheduler: str | None, store: Store, say: Callable[[str], None]) -> Iterator[Workers]:
    """Where the tasks of a block run: so many processes here, by default one a core, or on a cluster."""
    if not scheduler:
        yield cores() if jobs is None else jobs
        return
    from benchmark.cluster import Cluster

    if jobs is not None:
        raise UsageError("--jobs counts processes here, --scheduler names a cluster with workers of its own: give one")
    with Cluster(scheduler, store.root, say) as cluster:
        yield cluster


def _reencode(
    store: Store,
    runs: Sequence[Run],
    encoding: EncodingSettings,
    jobs: int | None,
    scheduler: str | None,
    data_dir: Path | None,
    quiet: bool,
) -> None:
    """Bring the codes files of finished runs up to what this version and the suite keep."""
    from benchmark.stages import reencode

    old = reencode.outdated(store, list(runs), encoding)
    failed: list[str] = []
    if not old:
        return
    with (
        Progress(f"encoding {_count(len(old), 'run')} again", len(old), quiet=quiet) as progress,
        workers(jobs, scheduler, store, progress.say) as at_work,
    ):

        def on_encoded(run: Run, reason: str | None) -> None:
            ending = f": {reason}" if reason else ""
            progress.say(f"{'failed ' if reason else 'encoded'} {run.run_id}  {label(run)}{ending}")
            progress.at(progress.done + 1)
            if reason:
                failed.append(f"{run.run_id}: {reason}")

        reencode.reencode_runs(store, old, encoding, jobs=at_work, data_dir=data_dir, on_encoded=on_encoded)
    if failed:
        raise BenchmarkError(f"{_count(len(failed), 'run')} could not be encoded again; the first: {failed[0]}")


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
    device: str = "auto",
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
    kind, places = _places(device, None)
    fleets = train.plan(store, runs, device=kind)
    train.check_data(fleets, data_dir)
    done = sum(store.is_done(each) for each in runs)
    if jobs is None:
        jobs = cores() if kind == "cpu" else len(places)
    return cost(fleets, done, jobs, data_dir, expanded.encoding, places[0])


def evaluate(
    suite: str,
    *,
    results: Path = RESULTS,
    only: Mapping[str, list[Any]] | None = None,
    metrics: Sequence[str] = (),
    budget: str | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    plugins: Sequence[Path] = (),
    quiet: bool = True,
) -> EvaluationSummary:
    """Score the finished runs of a suite and compile its results table, summaries, correlations and comparisons.

    Scores that are there already are kept; failed ones are tried again. With `only` no others than these runs are
    scored; the table is of all runs. `jobs` and `scheduler` are those of `run`.
    """
    from benchmark.stages.aggregate import aggregate
    from benchmark.stages.evaluate import Protocol, Scored, ScoreTask, check_metrics, declarations, score_tasks
    from benchmark.stages.evaluate import evaluate as score_all
    from benchmark.suite import evaluation_settings, matches
    from benchmark.table import compile_table, write_table

    if scheduler:
        results = results.absolute()
    add_plugins(plugins, absolute=bool(scheduler))
    suite = located(suite, results)
    store = Store(results, make=False)
    name = suite_name(suite)
    done = [each for each in store.plan(name) if store.is_done(each)]
    if not done:
        raise UsageError(f'no run of suite "{name}" is finished in {results}; next: benchmark run {suite}')
    settings = evaluation_settings(suite)
    texts = check_metrics(tuple(metrics) or settings.metrics)
    chosen = budget or settings.budget
    if chosen not in ("quick", "full"):
        raise UsageError(f'--budget {chosen}: choose "quick" or "full"')
    protocol = Protocol(texts, chosen, settings.points, settings.seed)  # type: ignore[arg-type]
    chosen_runs = [each for each in done if matches(each, only or {})]
    tasks = score_tasks([(each, store.run_folder(each)) for each in chosen_runs], protocol)
    failed: dict[str, str] = {}
    with (
        Progress(f"scoring {_count(len(chosen_runs), 'run')}", 0, quiet=quiet) as progress,
        workers(jobs, scheduler, store, progress.say) as at_work,
    ):

        def on_scored(task: ScoreTask, scored: Scored) -> None:
            if scored.status == "failed":
                where = f"{task.folder.parent.parent.name}/{task.folder.parent.name}/{task.folder.name} {task.metric}"
                failed[where] = scored.reason or ""
                progress.say(f"failed  {where}: {scored.reason}")

        def on_cost(done: float, total: float) -> None:
            progress.total = total
            progress.at(done)

        score_all(tasks, at_work, on_scored, on_cost)
    everything = declarations()
    table = compile_table(name, [(each, store.run_folder(each)) for each in done])
    folder = store.suite_folder(name)
    with disk_full_explained(folder / "results.csv"):
        write_table(table, folder / "results.csv")
        aggregate(table, everything).write(folder)
    counts = {str(status): int(number) for status, number in table["status"].value_counts().items()}
    return EvaluationSummary(name, counts, failed, folder / "results.csv")


def add_codes(
    files: Sequence[Path],
    suite: str | None = None,
    *,
    results: Path = RESULTS,
    name: str | None = None,
    dataset: str | None = None,
    seed: int | None = None,
    factors: Path | None = None,
    metrics: Sequence[str] = (),
    budget: str | None = None,
    plugins: Sequence[Path] = (),
) -> AddedCodes:
    """Make finished runs of codes from outside, the seeds of one configuration; `evaluate` then scores them.

    They join `suite`, which was run here, beside its runs on `dataset`; without one they are a suite of their own,
    called `name` and scored by `metrics` under `budget`. `name` is by default that of the only file.
    Raises `UsageError` before anything is written.
    """
    from benchmark.stages import external
    from benchmark.stages.evaluate import check_metrics, declarations
    from benchmark.stages.read_codes import read_codes
    from benchmark.suite import read

    add_plugins(plugins)
    check_metrics(tuple(metrics))
    if budget not in (None, "quick", "full"):
        raise UsageError(f'--budget {budget}: choose "quick" or "full"')
    if name is None and len(files) > 1:
        raise UsageError(f"--codes is given {len(files)} times: say with --name of which model they are the seeds")
    arrays = {need for metric in declarations().values() for need in metric.needs} - {"history"}
    sources = [external.Source(file, read_codes(file, factors, arrays), factors) for file in files]
    chosen = name or files[0].stem
    external.check_model(chosen, "--name" if name else f"--codes {files[0]}: the name")
    store = Store(results, make=False)
    planned = []
    if suite is not None:
        own = suite_name(located(suite, results))
        planned = store.plan(own)
    else:
        own = chosen
        external.check_name(dataset or external.DATASET, "--dataset")
        file = store.suite_folder(own) / f"{own}.toml"
        if own in registry.names("suite") or (file.with_name("plan.json").exists() and not file.exists()):
            raise UsageError(f'a suite "{own}" is there already: give another --name, or name the suite to join it')
    externals = external.runs_of(sources, chosen, dataset, seed, store, planned)

    store = Store(results)
    words = ["benchmark", "evaluate", *([] if suite is None else [suite])]
    words += [] if dataset is None else ["--dataset", dataset]
    notes = []
    for each in externals:
        external.publish(each, store, words)
        notes.append(external.sentence(each))
    if suite is None and not file.exists():
        text = external.suite_text(own, check_metrics(tuple(metrics)) if metrics else (), budget or "full")
        write_atomically(file, lambda scratch: scratch.write_text(text))
    source = read(str(file))[2] if suite is None else ""
    store.write_plan(own, source, [each.run for each in externals], replace=False)
    return AddedCodes(suite or own, [each.run.run_id for each in externals], notes)


def numbers(table: Path, runs: Sequence[str]) -> list[dict[str, Any]]:
    """The headline scores of some runs in a results table, a record for each protocol and representation."""
    from benchmark.stages.evaluate import declarations
    from benchmark.stages.external import numbers as of_table
    from benchmark.table import read_table

    return of_table(read_table(table.with_suffix(".parquet")), runs, declarations())


def report(
    suite: str,
    *,
    results: Path = RESULTS,
    plugins: Sequence[Path] = (),
    figures: Literal["svg", "pdf", "png"] | None = None,
) -> Path:
    """Write a suite's page from its table, and return its path; with `figures`, its charts and pictures beside it."""
    from benchmark.stages.evaluate import declarations
    from leaderboard.figures import write_figures
    from leaderboard.papers import comparisons
    from leaderboard.records import read_record
    from leaderboard.report import write_report

    name, folder, table, done, failures = _reported(suite, results, plugins)
    description = registry.describe("suite", name) if name in registry.names("suite") else ""
    with disk_full_explained(folder / "index.html"):
        if figures:
            records = {each.run_id: read_record(path) for each, path in done}
            write_figures(table, records, declarations(), folder / "figures", figures)
        return write_report(name, description, table, done, declarations(), folder, failures, comparisons(name, table))


def report_text(
    suite: str,
    kind: str,
    *,
    columns: Sequence[str] = (),
    results: Path = RESULTS,
    plugins: Sequence[Path] = (),
) -> str:
    """A suite's leaderboards as text: `kind` is one of markdown, latex and csv; `columns` as `formats.render` says."""
    from benchmark.stages.aggregate import aggregate
    from benchmark.stages.evaluate import declarations
    from leaderboard import formats
    from leaderboard.board import NOTHING, boards
    from leaderboard.records import read_record

    formats.render(kind, [])  # an unknown format is told before anything is read
    _, _, table, done, _ = _reported(suite, results, plugins)
    records = {each.run_id: read_record(path) for each, path in done}
    summaries = aggregate(table, declarations())
    ranking = getattr(summaries, "ranking", NOTHING)
    found = boards(table, declarations(), records=records, summary=summaries.summary, ranking=ranking)
    return formats.render(kind, found, columns)


def _reported(
    suite: str, results: Path, plugins: Sequence[Path]
) -> tuple[str, Path, pd.DataFrame, list[tuple[Run, Path]], list[dict[str, Any]]]:
    """What reports are made from: a suite's name, folder, table, finished runs with their folders, and failures."""
    from benchmark.table import read_table

    add_plugins(plugins)
    suite = located(suite, results)
    store = Store(results, make=False)
    name = suite_name(suite)
    folder = store.suite_folder(name)
    runs = store.plan(name)
    if not (folder / "results.parquet").exists():
        raise UsageError(f'suite "{name}" has no results table in {results}; next: benchmark evaluate {suite}')
    failures = [record for each in runs if not store.is_done(each) and (record := store.failure(each))]
    done = [(each, store.run_folder(each)) for each in runs if store.is_done(each)]
    return name, folder, read_table(folder / "results.parquet"), done, failures


def publish(
    suite: str,
    kind: str = "summary",
    *,
    results: Path = RESULTS,
    to: Path = RESULTS / "published",
    plugins: Sequence[Path] = (),
) -> Path:
    """Write a small table of a suite into the folder `to`, and return its path.

    kind: "summary", a row a model and score, as SUITE-summary.csv; "table", the scores themselves without those of
    single factors and coordinates, as SUITE.csv, which `check` compares with; "margins", what the scores differ by from
    seed to seed, as SUITE-margins.csv: run the suite in another results folder under other seeds for it.
    """
    from benchmark import published
    from benchmark.stages.evaluate import declarations
    from benchmark.table import read_table
    from leaderboard.margins import seed_deviations

    makers: dict[str, tuple[str, Callable[[DataFrame], DataFrame]]] = {
        "summary": ("-summary", published.summarise),
        "table": ("", published.of_all),
        "margins": ("-margins", lambda table: seed_deviations(table, declarations())),
    }
    if kind not in makers:
        raise UsageError(f"--as {kind}: one of {', '.join(makers)}")
    add_plugins(plugins)
    suite = located(suite, results)
    ending, make = makers[kind]
    return published.publish(make(read_table(_table_of(suite, results))), to / f"{suite_name(suite)}{ending}.csv")


def check(
    suite: str,
    against: Path,
    *,
    margins: Path | None = None,
    results: Path = RESULTS,
    plugins: Sequence[Path] = (),
) -> list[Verdict]:
    """Compare a suite's table with a saved one: better, same, worse, missing or new, score by score.

    margins: what `publish` wrote of reruns; by default the file TABLE-margins.csv beside `against`, and where
    there is none, the default margins.
    """
    from benchmark.stages.evaluate import declarations
    from benchmark.table import read_table
    from leaderboard.margins import beside, read_margins
    from leaderboard.regression import check as compare

    add_plugins(plugins)
    suite = located(suite, results)
    path = _table_of(suite, results)
    if margins is None and beside(against).is_file():
        margins = beside(against)
    reruns = None if margins is None else read_margins(margins)
    return compare(read_table(path), read_table(against), declarations(), reruns)


def _table_of(suite: str, results: Path) -> Path:
    path = Store(results, make=False).suite_folder(suite_name(suite)) / "results.parquet"
    if not path.exists():
        raise UsageError(
            f'suite "{suite_name(suite)}" has no results table in {results}; next: benchmark evaluate {suite}'
        )
    return path


def status(*, results: Path = RESULTS) -> list[dict[str, Any]]:
    """Each suite in a results folder with how many of its runs are done, failed and missing."""
    if not results.exists():
        raise UsageError(f"--results {results}: no such folder; next: benchmark demo")
    store = Store(results, make=False)
    return [
        {
            "suite": suite,
            "runs": count.runs,
            "done": count.done,
            "failed": count.failed,
            "missing": count.runs - count.done - count.failed,
            "scored": (store.suite_folder(suite) / "results.csv").exists(),
            "report": (store.suite_folder(suite) / "index.html").exists(),
        }
        for suite, count in counts(store).items()
    ]


def merge(source: Path, *, results: Path = RESULTS) -> dict[str, int]:
    """Take over the runs, scores and plans of another results folder; what is here already stays as it is."""
    if not (source / "format.json").exists():
        raise UsageError(f"{source} is not a results folder: it has no format.json")
    store, other = Store(results), Store(source)
    for path in (other.root / "suites").glob("*/plan.json"):
        for each in map(Run.from_json, read_json(path)["runs"]):
            if each.network is None and store.is_done(each) and other.is_done(each):
                _check_same_codes(each, store, other)
    counts = {"runs": 0, "scores": 0, "suites": 0}
    for path in sorted((other.root / "suites").glob("*/plan.json")):
        record = read_json(path)
        runs = [Run.from_json(each) for each in record["runs"]]
        store.write_plan(path.parent.name, record["source"], runs, replace=False)
        for file in path.parent.glob("*.toml"):
            if not (kept := store.suite_folder(path.parent.name) / file.name).exists():
                write_atomically(kept, partial(shutil.copy2, file))
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


def _check_same_codes(run: Run, store: Store, other: Store) -> None:
    """Refuse codes from outside that stand for one run in both folders and are not the same."""
    here, there = (each.read_run(run).get("arrays") for each in (store, other))
    if here != there:
        raise UsageError(
            f"seed {run.seed} of {run.model.name} on {run.dataset.name} are other codes in {other.root} than in"
            f" {store.root}; evaluate one of them under another --name, and delete {other.run_folder(run)}"
        )


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


def add_plugins(plugins: Sequence[Path], *, absolute: bool = False) -> None:
    """Register loose files; under absolute paths where processes with another current folder load them too."""
    for plugin in plugins:
        registry.add_plugin(plugin.absolute() if absolute else plugin)


def located(suite: str, results: Path) -> str:
    """A suite's name or file as it is, or the file of a suite of codes from outside, which lies among its results."""
    file = results / "suites" / suite / f"{suite}.toml"
    return str(file) if suite not in registry.names("suite") and file.is_file() else suite


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

"""Train and encode a suite's runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.choice import spelled
from benchmark.integrity.run_seal import damage
from benchmark.progress import Progress
from benchmark.spec import Run
from benchmark.store import Store
from benchmark.verbs._given import RESULTS, add_plugins, takes_paths
from benchmark.verbs._shown import Shown
from benchmark.verbs._words import command_line, count
from benchmark.verbs._workers import devices, workers

if TYPE_CHECKING:
    import pandas as pd

    from benchmark.training.device import Device
    from benchmark.training.fleet import Fleet


@dataclass
class RunSummary(Shown):
    """What `run` did: ids of the runs that are done, and of those that failed with the reasons."""

    suite: str
    done: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    trained: int = 0

    def sentence(self) -> str:
        done, failed = len(self.done), len(self.failed)
        return f"{self.suite}: {done} runs done, {self.trained} of them now; {failed} failed"

    def frame(self) -> pd.DataFrame:
        """A row a run: run_id, status, and the reason where it failed."""
        import pandas as pd

        rows: list[tuple[str, str, str | None]] = [(each, "done", None) for each in self.done]
        rows += [(each, "failed", reason) for each, reason in self.failed.items()]
        return pd.DataFrame(rows, columns=["run_id", "status", "reason"]).sort_values("status", ascending=False)


@takes_paths
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
    "auto" is CUDA where torch finds a GPU here, and the CPU on a cluster. Runs that failed before, and
    finished ones whose files were altered since, are left alone and reported; `retry_failed` trains both again.
    """
    from benchmark.suite import expand
    from benchmark.suite import shard as share

    if scheduler:
        results, data_dir = results.absolute(), data_dir and data_dir.absolute()
    with Progress("reading the suite", 0, quiet=quiet, passing=True):
        add_plugins(plugins, absolute=bool(scheduler))
        expanded = expand(suite, only=only, overrides=overrides, seeds=seeds)
        from benchmark.stages import train  # imports torch: a mistake in the suite is said before
        from benchmark.stages.kept import outdated
        from benchmark.stages.score_task import arrays_read, check_metrics
        from benchmark.verbs._encode_again import encode_again
        from benchmark.verbs._following import Following, size

        arrays = arrays_read(check_metrics(expanded.evaluation.metrics))
        kind, places = devices(device, scheduler)
    store = Store(results)
    store.clean_scratch()
    store.clean_parts([store.root, store.suite_folder(expanded.name), store.root / "failures"])
    store.write_plan(expanded.name, expanded.source, expanded.runs)
    runs = expanded.runs if shard is None else share(expanded.runs, *shard)
    damaged = damages(store, runs, quiet)
    if retry_failed:
        for each in runs:
            if each.run_id in damaged:
                store.set_aside(each)
        damaged = {}
    with Progress("preparing", 0, quiet=quiet, passing=True):
        fleets = train.plan(store, runs, retry_failed=retry_failed, device=kind)
        train.check_data(fleets, data_dir)
        if retry_failed:
            for each in runs:
                store.clear_failure(each)
        train.save_fleets(store, fleets, command(suite, overrides or {}, plugins))
    title = f"training {sum(len(fleet.runs) for fleet in fleets)} runs"
    with (
        Progress(title, sum(map(size, fleets)), quiet=quiet) as progress,
        workers(jobs, scheduler, store, progress.say) as at_work,
    ):
        for note in slow_products(fleets, kind) if not scheduler else ():
            progress.say(note)
        following = Following(store, fleets, progress)
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
                arrays=arrays,
                on_outcome=following.on_outcome,
                watch=following.watch,
                places=places,
                say=progress.say,
            )
    sound = [each for each in runs if each.run_id not in damaged]
    old = outdated(store, sound, expanded.encoding, arrays)
    encode_again(store, old, expanded.encoding, arrays, jobs, scheduler, data_dir, quiet)
    summary = RunSummary(expanded.name, failed=damaged, trained=following.trained)
    for each in runs:
        failure = store.failure(each)
        if each.run_id in damaged:
            continue
        if store.is_done(each):
            summary.done.append(each.run_id)
        elif failure:
            summary.failed[each.run_id] = failure["reason"]
    return summary


def slow_products(fleets: Sequence[Fleet], kind: Device) -> list[str]:
    """What is to be said of products that fleets ask for and that this machine is slow at."""
    from benchmark.spec import TrainingSettings
    from benchmark.suite import settings_of
    from benchmark.training.products import slow

    trainings = [fleet.runs[0].training for fleet in fleets]
    precisions = {settings_of(each, TrainingSettings).precision for each in trainings if each}
    return [note for precision in sorted(precisions) if (note := slow(precision, kind))]


def damages(store: Store, runs: Sequence[Run], quiet: bool) -> dict[str, str]:
    """Why finished runs are not what they were, by their ids: every file of each is compared with its digest."""
    done = [each for each in runs if store.is_done(each)]
    found = {}
    with Progress(f"checking {count(len(done), 'finished run')}", len(done), quiet=quiet) as progress:
        for place, each in enumerate(done):
            reason = damage(store.run_folder(each))
            if reason:
                found[each.run_id] = reason
            progress.at(place + 1)
    return found


def command(suite: str, overrides: Mapping[str, Any], plugins: Sequence[Path]) -> str:
    """The command line that defines the same configurations."""
    settings = [word for key, value in overrides.items() for word in ("--set", f"{key}={spelled(value)}")]
    return command_line("run", suite, *settings, *(word for plugin in plugins for word in ("--plugin", plugin)))

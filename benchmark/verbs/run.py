"""Train and encode a suite's runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import registry
from benchmark.commands import RESULTS
from benchmark.integrity.run_seal import damage
from benchmark.spec import Run
from benchmark.store import Store
from benchmark.verbs._given import located, takes_paths
from benchmark.verbs._request import Request
from benchmark.verbs._suite_file import check_file, own_file
from benchmark.verbs._workplace import Workplace
from benchmark.words.notebook import Shown
from benchmark.words.phrases import count

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
    only: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    seeds: int | list[int] | None = None,
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
    `seeds`: how many from 0, or which, in place of the suite's own.
    """
    from benchmark.suite import seed_list

    request = Request(
        suite=suite,
        only=only or {},
        overrides=overrides or {},
        seeds=None if seeds is None else seed_list(seeds, "--seeds"),
        shard=shard,
        plugins=tuple(plugins),
        retry_failed=retry_failed,
    )
    at = Workplace(results=results, data_dir=data_dir, jobs=jobs, scheduler=scheduler, device=device, quiet=quiet)
    return carry_out(request, at)


def carry_out(request: Request, at: Workplace) -> RunSummary:
    """What `run` does, of what is asked for and where it is worked off. What is refused leaves nothing written."""
    at = at.from_anywhere()
    request = replace(request, suite=located(request.suite, at.results))
    with at.progress("reading the suite", passing=True):
        at.add_plugins(request.plugins)
        suite = request.expanded()
        from benchmark.stages import train  # imports torch: a mistake in the suite is said before
        from benchmark.stages.kept import outdated
        from benchmark.stages.order import Order
        from benchmark.stages.score_task import arrays_read, check_metrics
        from benchmark.verbs._encode_again import encode_again
        from benchmark.words.training import Following, size

        arrays = arrays_read(check_metrics(suite.evaluation.metrics))
        kind, places = at.devices()
    store = at.store(make=False)
    check_file(store, suite.name, request.suite)
    store.clean_scratch()
    store.clean_parts([store.root, store.suite_folder(suite.name), store.root / "failures"])
    runs = request.share(suite.runs)
    damaged = damages(store, runs, at)
    again = damaged if request.retry_failed else {}
    with at.progress("preparing", passing=True):
        fleets = train.plan(store, runs, retry_failed=request.retry_failed, device=kind, again=again)
        train.check_data(fleets, at.data_dir)
    store = at.store()
    order = Order(
        store.root,
        at.data_dir,
        tuple(registry.plugins()),
        suite.encoding,
        arrays,
        suite.execution.checkpoint_seconds,
    )
    title = f"training {sum(len(fleet.runs) for fleet in fleets)} runs"
    with at.progress(title, sum(map(size, fleets))) as progress, at.workers(progress.say) as at_work:
        store.write_plan(suite.name, suite.source, suite.runs, file=own_file(request.suite))
        for each in runs if request.retry_failed else ():
            if each.run_id in again:
                store.set_aside(each)
            store.clear_failure(each)
        train.save_fleets(store, fleets, request.command())
        for note in slow_products(fleets, kind) if not at.scheduler else ():
            progress.say(note)
        following = Following(store, fleets, progress)
        # Closed forms are fitted by all cores, networks trained by one process for each GPU.
        closed = [fleet for fleet in fleets if fleet.engine == "closed_form"]
        networks = [fleet for fleet in fleets if fleet.engine != "closed_form"]
        parted = [(closed, at_work), (networks, at.trainers(at_work, kind, places))]
        for some, jobs in [(fleets, at_work)] if kind == "cpu" else parted:
            train.train_fleets(order, some, following, jobs=jobs, places=places)
    left = {run_id: reason for run_id, reason in damaged.items() if run_id not in again}
    sound = [each for each in runs if each.run_id not in left]
    encode_again(order, outdated(store, sound, suite.encoding, arrays), at)
    summary = RunSummary(suite.name, failed=left, trained=following.trained)
    for each in sound:
        failure = store.failure(each)
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


def damages(store: Store, runs: Sequence[Run], at: Workplace) -> dict[str, str]:
    """Why finished runs are not what they were, by their ids: every file of each is compared with its digest."""
    done = [each for each in runs if store.is_done(each)]
    found = {}
    with at.progress(f"checking {count(len(done), 'finished run')}", len(done)) as progress:
        for place, each in enumerate(done):
            reason = damage(store.run_folder(each))
            if reason:
                found[each.run_id] = reason
            progress.at(place + 1)
    return found

"""Train and encode: every run of a suite that is not done yet, in fleets, across processes."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple, Protocol

from benchmark import registry
from benchmark.errors import BenchmarkError
from benchmark.execution.processes import Workers, execute
from benchmark.spec import Run
from benchmark.stages.data_cache import forget_data, load_data
from benchmark.stages.order import Order
from benchmark.stages.worker import FleetOutcome, FleetTask, claim_of, fail, train_fleet
from benchmark.store import FORMAT, Store, read_json, write_json
from benchmark.training.device import Device
from benchmark.training.fleet import Fleet, plan_fleets, read_fleet

LOOK_SECONDS = 0.5
"""Between two looks at fleets that other processes hold."""


def save_fleets(store: Store, fleets: list[Fleet], command: str) -> None:
    """Write every fleet's members, their order and the command down before any of them takes a step."""
    for fleet in fleets:
        path = store.fleet_folder(fleet.fleet_id) / "fleet.json"
        if not path.exists():
            write_json(path, {"format": FORMAT, "command": command, "fleet": fleet.to_json()})


def unfinished_fleets(store: Store, runs: list[Run]) -> list[Fleet]:
    """Fleets that an earlier process left behind and that hold some of these runs."""
    wanted = {run.run_id for run in runs}
    fleets = []
    for path in sorted((store.root / "fleets").glob("*/fleet.json")):
        try:
            fleet, _ = read_fleet(path)
        except FileNotFoundError:
            continue  # another process has just finished it
        if any(run.run_id in wanted for run in fleet.runs):
            fleets.append(fleet)
    return fleets


def plan(
    store: Store,
    runs: list[Run],
    *,
    retry_failed: bool = False,
    device: Device = "cpu",
    again: Collection[str] = (),
) -> list[Fleet]:
    """The fleets that would train these runs: unfinished ones whole, then new ones for what they leave.

    An unfinished fleet goes on with the members that it has, on whatever device there is now. again: the ids of
    finished runs that are to be trained once more.
    """
    absent = [run for run in runs if run.run_id in again or not store.is_done(run)]
    missing = [run for run in absent if retry_failed or store.failure(run) is None]
    adopted = unfinished_fleets(store, missing)
    covered = {run.run_id for fleet in adopted for run in fleet.runs}
    return adopted + plan_fleets([run for run in missing if run.run_id not in covered], device)


class FleetProgress(NamedTuple):
    """How far a fleet in training is: its step, and the steps at which it was resumed."""

    step: int
    resumed: list[int]


def fleet_progress(store: Store, fleet: Fleet) -> FleetProgress:
    """What a fleet's worker last said of it; nothing where that is damaged, and soon said anew."""
    try:
        state = read_json(store.fleet_folder(fleet.fleet_id) / "progress.json")
        return FleetProgress(int(state["step"]), [int(step) for step in state["resumed"]])
    except (FileNotFoundError, BenchmarkError, KeyError, TypeError, ValueError):
        return FleetProgress(0, [])


def kept_progress(store: Store, fleet: Fleet) -> int:
    """How much of a fleet outlives its worker: the steps of its checkpoint, and the members that are published."""
    from benchmark.training.checkpoint import kept_step

    kept = kept_step(store.fleet_folder(fleet.fleet_id) / "checkpoint.safetensors")
    return kept + sum(store.is_done(run) for run in fleet.runs)


def check_data(fleets: list[Fleet], data_dir: Path | None) -> None:
    """Read each dataset once before any work starts: what is missing is said at once, what is drawn is drawn once, and
    a model that cannot train as its settings say, or on that data, is refused."""
    from benchmark.training.loop import check_fit, check_precision

    for dataset in {str(fleet.runs[0].dataset): fleet.runs[0].dataset for fleet in fleets}.values():
        data = load_data(dataset, data_dir)
        first = [fleet.runs[0] for fleet in fleets]
        for run in {run.config_id: run for run in first if run.dataset == dataset and run.training}.values():
            check_fit(run, data)
            check_precision(run, data)
    forget_data()


def turn(fleet: Fleet) -> tuple[int, int]:
    """What fleets are sorted by: all configurations of one seed before the next one's, so that a suite which is stopped
    has about as many seeds of each; the longest first, so that no single one is left over at the end."""
    return min(run.seed for run in fleet.runs), -fleet.steps


class Listener(Protocol):
    """Whoever hears of fleets in training. It has the words; this stage has the facts."""

    def watch(self) -> None:
        """Time has passed: called twice a second."""

    def on_outcome(self, fleet: Fleet, outcome: FleetOutcome) -> None:
        """What became of a fleet."""

    def on_waiting(self, fleet_id: str, holder: str) -> None:
        """Another process, `holder`, trains a fleet, which is waited for."""

    def on_alone(self, fleets: int) -> None:
        """So many fleets lacked memory beside others: each is tried again alone."""

    def on_note(self, note: str) -> None:
        """What a worker says of a fleet, such as why it began again."""


def train_fleets(
    order: Order, fleets: list[Fleet], listener: Listener, *, jobs: Workers, places: Sequence[str] = ("cpu",)
) -> None:
    """Train fleets to their end; those that another process holds are waited for, and taken over if it dies.

    They are dealt out over the devices `places` in turn. What lacked memory beside others is tried again alone; what
    lacks it then ends everything with a `BenchmarkError`, and is no failure of the model's. One whose workers died
    fails and keeps its checkpoint, from which a retry carries on.
    """
    store = Store(order.results)
    by_id = {fleet.fleet_id: fleet for fleet in fleets}

    def progress_of(task: FleetTask) -> int:
        return kept_progress(store, by_id[task.fleet_id])

    remaining = list(by_id)
    remaining.sort(key=lambda fleet_id: turn(by_id[fleet_id]))
    told: dict[str, str] = {}
    alone = False
    while remaining:
        tasks = [FleetTask(order, fleet_id, place) for fleet_id, place in zip(remaining, cycle(places))]
        busy: dict[str, str] = {}
        starved: dict[str, str] = {}
        for outcome in execute(
            registry.with_plugins(train_fleet, order.plugins), tasks, jobs, listener.watch, progress_of
        ):
            fleet = by_id[outcome.task.fleet_id]
            result: FleetOutcome = outcome.value or FleetOutcome(fleet.fleet_id)
            for note in result.notes:
                listener.on_note(note)
            if outcome.died:
                fail(fleet.runs, outcome.died, store, result)
            if result.busy or result.starved:
                (busy if result.busy else starved)[fleet.fleet_id] = result.busy or str(result.starved)
                continue
            listener.on_outcome(fleet, result)
            if result.interrupted:
                raise KeyboardInterrupt
            if result.fatal:
                raise BenchmarkError(result.fatal)
        for fleet_id, holder in busy.items():
            if told.get(fleet_id) != holder:
                listener.on_waiting(fleet_id, holder)
        told |= busy
        if starved and alone:
            raise BenchmarkError(
                f"not enough memory to train fleet {next(iter(starved))} ({next(iter(starved.values()))}); nothing"
                " finished is lost: run the same command again on a machine with more, or with a smaller model"
            )
        if starved and not busy:
            listener.on_alone(len(starved))
            alone, jobs = True, min(jobs, 1) if isinstance(jobs, int) else jobs
        remaining = [*busy, *starved]
        # Claims are looked at here: a worker that only asks for one has to be started, seconds of a core each time.
        claims = [claim_of(store, fleet_id) for fleet_id in busy]
        while claims and not starved and all(claim.is_held() for claim in claims):
            listener.watch()
            time.sleep(LOOK_SECONDS)
        if starved and busy:
            time.sleep(LOOK_SECONDS)

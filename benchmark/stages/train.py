"""Train and encode: every run of a suite that is not done yet, in fleets, across processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmark import registry
from benchmark.datasets._dataset import Data
from benchmark.errors import BenchmarkError, ModelError
from benchmark.execution import execute
from benchmark.models._model import Anchor, Embedding
from benchmark.provenance import provenance
from benchmark.seeds import stream
from benchmark.spec import Component, Run, canonical_json
from benchmark.stages.encode import encode_anchor, encode_embedding, encode_neural, flattened
from benchmark.store import FORMAT, Claim, Store, check_format, disk_full_explained, read_json, timestamp, write_json
from benchmark.suite import settings_of
from benchmark.training.fleet import Fleet, plan_fleets

HEARTBEAT = 10.0
"""Seconds between two beats of a claim."""


@dataclass(frozen=True)
class FleetTask:
    """All that a worker process needs to train one fleet."""

    results: Path
    fleet_id: str
    data_dir: Path | None
    plugins: tuple[Path, ...]
    checkpoint_seconds: float


@dataclass
class FleetOutcome:
    """What a worker says of a fleet: `busy` if another process holds it, `interrupted` if it was told to stop."""

    fleet_id: str
    published: list[str] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    resumed_at: int | None = None
    busy: bool = False
    interrupted: bool = False
    fatal: str | None = None


def save_fleets(store: Store, fleets: list[Fleet], suite: str) -> None:
    """Write every fleet's members and order down before any of them takes a step."""
    for fleet in fleets:
        path = store.fleet_folder(fleet.fleet_id) / "fleet.json"
        if not path.exists():
            write_json(path, {"format": FORMAT, "suite": suite, "fleet": fleet.to_json()})


def unfinished_fleets(store: Store, runs: list[Run]) -> list[Fleet]:
    """Fleets that an earlier process left behind and that hold some of these runs."""
    wanted = {run.run_id for run in runs}
    fleets = []
    for path in sorted((store.root / "fleets").glob("*/fleet.json")):
        record = read_json(path)
        check_format(record, path)
        fleet = Fleet.from_json(record["fleet"])
        if any(run.run_id in wanted for run in fleet.runs):
            fleets.append(fleet)
    return fleets


def plan(store: Store, runs: list[Run]) -> list[Fleet]:
    """The fleets that would train these runs: unfinished ones whole, then new ones for what they leave."""
    missing = [run for run in runs if not store.is_done(run) and store.failure(run) is None]
    adopted = unfinished_fleets(store, missing)
    covered = {run.run_id for fleet in adopted for run in fleet.runs}
    return adopted + plan_fleets([run for run in missing if run.run_id not in covered])


class FleetProgress(NamedTuple):
    """How far a fleet in training is: its step, and the steps at which it was resumed."""

    step: int
    resumed: list[int]


def fleet_progress(store: Store, fleet: Fleet) -> FleetProgress:
    """What a fleet's worker last said of it."""
    try:
        state = json.loads((store.fleet_folder(fleet.fleet_id) / "progress.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return FleetProgress(0, [])
    return FleetProgress(state["step"], state["resumed"])


def check_data(fleets: list[Fleet], data_dir: Path | None) -> None:
    """Read each dataset once before any work starts: what is missing is said at once, what is drawn is drawn once."""
    for dataset in {str(fleet.runs[0].dataset): fleet.runs[0].dataset for fleet in fleets}.values():
        load_data(dataset, data_dir)
    _data.cache_clear()


def train_fleets(
    store: Store,
    fleets: list[Fleet],
    *,
    jobs: int,
    data_dir: Path | None,
    checkpoint_seconds: float,
    on_outcome: Callable[[Fleet, FleetOutcome], None],
    watch: Callable[[], None],
) -> None:
    """Train fleets to their end; those that another process holds are waited for, and taken over if it dies."""
    by_id = {fleet.fleet_id: fleet for fleet in fleets}
    remaining = list(by_id)
    # The longest first, so that no single one is left over at the end.
    remaining.sort(key=lambda fleet_id: -by_id[fleet_id].steps)
    while remaining:
        tasks = [
            FleetTask(store.root, fleet_id, data_dir, tuple(registry.plugins()), checkpoint_seconds)
            for fleet_id in remaining
        ]
        busy = []
        for outcome in execute(train_fleet, tasks, jobs, watch):
            fleet = by_id[outcome.task.fleet_id]
            result: FleetOutcome = outcome.value or FleetOutcome(fleet.fleet_id)
            if outcome.died:
                for run in fleet.runs:
                    store.record_failure(run, "train", outcome.died)
                    result.failed.append((run.run_id, outcome.died))
                shutil.rmtree(store.fleet_folder(fleet.fleet_id), ignore_errors=True)
            if result.busy:
                busy.append(fleet.fleet_id)
                continue
            on_outcome(fleet, result)
            if result.interrupted:
                raise KeyboardInterrupt
            if result.fatal:
                raise BenchmarkError(result.fatal)
        remaining = busy
        if remaining:
            watch()
            time.sleep(2)


def train_fleet(task: FleetTask) -> FleetOutcome:
    """Train, encode and publish one fleet, in a worker process. Never raises: what failed is recorded and returned."""
    outcome = FleetOutcome(task.fleet_id)
    try:
        for plugin in task.plugins:
            registry.add_plugin(plugin)
        store = Store(task.results)
        folder = store.fleet_folder(task.fleet_id)
        claim = Claim(folder / "claim.json")
        if not (folder / "fleet.json").exists():
            return outcome  # another process finished it in the meantime
        if not claim.take():
            outcome.busy = True
            return outcome
        try:
            with beating(claim), stop_requested() as stopping:
                path = folder / "fleet.json"
                fleet = Fleet.from_json(read_json(path)["fleet"])
                _train(fleet, task, store, stopping, outcome)
        finally:
            claim.release()
        if not outcome.interrupted:
            shutil.rmtree(folder, ignore_errors=True)
    except BenchmarkError as error:
        outcome.fatal = str(error)
    return outcome


def _train(fleet: Fleet, task: FleetTask, store: Store, stopping: Callable[[], bool], outcome: FleetOutcome) -> None:
    missing = [run for run in fleet.runs if not store.is_done(run)]
    if not missing:
        return
    data = load_data(fleet.runs[0].dataset, task.data_dir)
    try:
        if fleet.engine == "closed_form":
            _fit(fleet.runs[0], data, store)
            outcome.published.append(fleet.runs[0].run_id)
        else:
            _train_networks(fleet, data, task, store, stopping, outcome)
    except ModelError as error:
        _fail(missing, str(error), store, outcome)
    except BenchmarkError:
        raise  # a missing file or a full disk concerns everything
    except OSError:
        with disk_full_explained(store.root):
            raise
    except Exception as error:  # an author's model may raise anything: its runs are recorded as failed with the reason
        _fail(missing, f"{type(error).__name__}: {error}", store, outcome, traceback=traceback.format_exc())


def _fail(runs: list[Run], reason: str, store: Store, outcome: FleetOutcome, **details: str) -> None:
    for run in runs:
        store.record_failure(run, "train", reason, **details)
        outcome.failed.append((run.run_id, reason))


def _fit(run: Run, data: Data, store: Store) -> None:
    from safetensors.numpy import save_file

    started, start = timestamp(), time.monotonic()
    model_class = registry.load("model", run.model.name)
    model: Anchor | Embedding = model_class(settings_of(run.model, model_class.Settings))
    state: dict[str, np.ndarray] = {}
    if isinstance(model, Embedding):
        size = min(getattr(model.settings, "subset", len(data.training_rows)), len(data.training_rows))
        rows = np.sort(stream(run.run_id, "subset").choice(data.training_rows, size, replace=False))
        model.fit(flattened(data, rows), stream(run.run_id, "fit"))
        state = model.state()
    trained = time.monotonic()
    codes = encode_embedding(model, data, run) if isinstance(model, Embedding) else encode_anchor(model, data, run)
    seconds = {"training": trained - start, "encoding": time.monotonic() - trained}

    def fill(folder: Path) -> None:
        codes.save(folder / "codes.safetensors")
        if state:
            save_file(
                {name: np.ascontiguousarray(value) for name, value in state.items()}, folder / "weights.safetensors"
            )
        write_json(folder / "run.json", record(run, sum(a.size for a in state.values()), seconds, started, {}))

    store.publish(run, fill)


def _train_networks(
    fleet: Fleet, data: Data, task: FleetTask, store: Store, stopping: Callable[[], bool], outcome: FleetOutcome
) -> None:
    from benchmark.training.loop import Interrupted, train
    from benchmark.training.process import set_up

    set_up()
    started = timestamp()
    try:
        engine, progress = train(fleet, data, store.fleet_folder(task.fleet_id), task.checkpoint_seconds, stopping)
    except Interrupted:
        outcome.interrupted = True
        return
    outcome.resumed_at = progress.resumed[-1] if progress.resumed else None
    for index, run in enumerate(fleet.runs):
        if index in progress.history.diverged:
            step = progress.history.diverged[index]
            reason = f"the loss stopped being a finite number at step {step}"
            store.record_failure(run, "train", reason, step=step)
            outcome.failed.append((run.run_id, reason))
        elif not store.is_done(run):
            _publish(run, index, engine, progress, data, store, fleet, started)
            outcome.published.append(run.run_id)


def _publish(
    run: Run, index: int, engine: Any, progress: Any, data: Data, store: Store, fleet: Fleet, started: str
) -> None:
    from safetensors.torch import save_file

    model = engine.member(index)
    start = time.monotonic()
    codes = encode_neural(model, data, run)
    seconds = {"training": progress.seconds / len(fleet.runs), "encoding": time.monotonic() - start}
    weights = {name: value.detach().contiguous().clone() for name, value in model.named_parameters()}
    about = {
        "id": fleet.fleet_id,
        "engine": fleet.engine,
        "members": len(fleet.runs),
        "seconds": progress.seconds,
        "resumed_at": progress.resumed,
    }

    def fill(folder: Path) -> None:
        codes.save(folder / "codes.safetensors")
        save_file(weights, folder / "weights.safetensors")
        if progress.history.rows[index]:
            (folder / "history.csv").write_text(progress.history.csv(index))
        parameters = sum(value.numel() for value in weights.values())
        write_json(folder / "run.json", record(run, parameters, seconds, started, about))

    store.publish(run, fill)


def record(run: Run, parameters: int, seconds: dict[str, float], started: str, fleet: dict[str, Any]) -> dict[str, Any]:
    """The content of run.json: the configuration, and where its result comes from."""
    return {
        "format": FORMAT,
        "run_id": run.run_id,
        "config_id": run.config_id,
        "run": run.to_json(),
        "parameters": parameters,
        "seconds": seconds,
        "provenance": {**provenance(), "started": started, "finished": timestamp(), "fleet": fleet},
    }


@cache
def _data(name: str, settings: str, data_dir: Path | None) -> Data:
    dataset_class = registry.load("dataset", name)
    data: Data = dataset_class(dataset_class.Settings.read(json.loads(settings), name)).load(data_dir)
    return data


def load_data(dataset: Component, data_dir: Path | None) -> Data:
    """A run's data, loaded once in each process."""
    return _data(dataset.name, canonical_json({**dataset.settings, **dataset.locations}), data_dir)


@contextmanager
def beating(claim: Claim) -> Iterator[None]:
    """Keep a claim's heartbeat, and end this process when the one that started it is gone."""
    parent, over = os.getppid(), threading.Event()

    def beat() -> None:
        last = time.monotonic()
        while not over.wait(1.0):
            if os.getppid() != parent:
                os._exit(1)
            if time.monotonic() - last > HEARTBEAT:
                claim.beat()
                last = time.monotonic()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def stop_requested() -> Iterator[Callable[[], bool]]:
    """Within the block an interrupt only sets a flag, which the loop reads after a step."""
    flag = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield flag.is_set
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, lambda *_: flag.set()) for number in signals]
    try:
        yield flag.is_set
    finally:
        for number, handler in zip(signals, previous, strict=True):
            signal.signal(number, handler)


__all__ = ["FleetOutcome", "FleetTask", "plan", "save_fleets", "train_fleets", "unfinished_fleets"]

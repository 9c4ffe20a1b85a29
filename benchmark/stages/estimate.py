"""What a run would cost: a few real steps of each kind of fleet, timed, and the size of the codes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from benchmark.seeds import BLOCK
from benchmark.spec import TrainingSettings, digest
from benchmark.stages.worker import load_data
from benchmark.suite import settings_of
from benchmark.training.fleet import Fleet, static_part

TIMED_STEPS = 5


@dataclass(frozen=True)
class Estimate:
    """Runs and fleets to train, and what they are expected to take. Encoding and pictures are not in the hours."""

    runs: int
    done: int
    fleets: int
    jobs: int
    hours: float
    disk_gigabytes: float
    memory_gigabytes: float

    def text(self) -> str:
        return (
            f"{self.runs} runs to train in {self.fleets} fleets, {self.done} done already\n"
            f"about {self.hours:.2g} hours of training with {self.jobs} processes,"
            f" {self.disk_gigabytes:.2g} GB of disk, {self.memory_gigabytes:.2g} GB of memory"
        )


def estimate(fleets: list[Fleet], done: int, jobs: int, data_dir: Path | None, place: str = "cpu") -> Estimate:
    """Time a few steps of each kind of fleet in this process, on the device `place`; nothing is written."""
    per_step: dict[str, float] = {}
    hours = disk = memory = 0.0
    for fleet in fleets:
        run = fleet.runs[0]
        data = load_data(run.dataset, data_dir)
        network = run.network or run.model
        columns = 3 * int(network.settings.get("latents", 5)) + data.factors.shape[1] * 2
        disk += len(fleet.runs) * len(data.evaluation_rows) * columns * 4 / 1e9
        memory = max(memory, getattr(data.images, "nbytes", 0) / 1e9)
        if fleet.engine != "closed_form":
            key = digest({"static": static_part(run), "members": len(fleet.runs)})
            if key not in per_step:
                per_step[key] = _seconds_per_step(fleet, data_dir, place)
            hours += per_step[key] * fleet.steps / 3600
    processes = max(1, min(jobs, len(fleets)))
    runs = sum(len(fleet.runs) for fleet in fleets)
    # A process holds torch and its libraries, about 0.6 GB, beside the data.
    return Estimate(runs, done, len(fleets), jobs, hours / processes, disk, processes * (0.6 + memory))


def _seconds_per_step(fleet: Fleet, data_dir: Path | None, place: str) -> float:
    from benchmark.training import device, process
    from benchmark.training.draws import Draws
    from benchmark.training.loop import build, make_engine, make_feed

    process.set_up()
    device.set_up(place)
    data = load_data(fleet.runs[0].dataset, data_dir)
    trainings = [settings_of(run.training, TrainingSettings) for run in fleet.runs if run.training]
    members = [build(run, data) for run in fleet.runs]
    if not members[0].trained:
        return 0.0
    engine = make_engine(fleet.engine, members, trainings, place)
    draws = Draws([run.run_id for run in fleet.runs], members[0], data.training_rows, trainings[0].batch)
    feed = make_feed(engine, draws, data)
    start = 0.0
    for step in range(2 + TIMED_STEPS):
        if step == 2:
            device.wait(place)
            start = time.perf_counter()
        x, x2, noise, labels = feed.at(step % BLOCK)
        engine.step(x, x2, noise, step, labels)
    device.wait(place)
    return (time.perf_counter() - start) / TIMED_STEPS

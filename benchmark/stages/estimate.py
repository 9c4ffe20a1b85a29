"""What a run would cost, by finished runs of its kind or a few real steps and batches of it, and what it would hold."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.datasets._dataset import Data
from benchmark.datasets._shift import ShiftSettings
from benchmark.seeds import BLOCK
from benchmark.spec import Component, TrainingSettings, digest
from benchmark.stages.data_cache import mapped_bytes, outlined_data, own_bytes
from benchmark.stages.kept import ASKED, kept
from benchmark.stages.recorded_speeds import RecordedSpeeds
from benchmark.store import Store
from benchmark.suite import EncodingSettings, settings_of
from benchmark.training.fleet import Fleet, static_part

if TYPE_CHECKING:
    from benchmark.models._neural import NeuralModel

TIMED_STEPS = 7
TIMED_POINTS = 256
PROCESS_GIGABYTES = 0.4
"""What a process holds of torch, other libraries and studies: workers on all of dSprites took 1.1 and 1.2 in all."""
KEPT_IMAGES = 600
"""Images that a run's pictures are drawn from: traversals, corrupted ones, interpolations, samples."""
LAYER_BYTES = 150
"""Memory that training and encoding take for each number of a data point in a batch of 1,024: 0.6 GB at 64 × 64."""


@dataclass(frozen=True)
class Shown:
    """What of its grid a dataset is trained on: so many of `every` combinations are `seen`, and where some of them are
    likelier, so many drawn `alike` would be as uncertain (the exponential of the entropy)."""

    dataset: Component
    seen: int
    every: int
    alike: float | None


@dataclass(frozen=True)
class Estimate:
    """Runs and fleets to train, and what they are expected to take; of the `hours`, some are encoding.

    `memory_gigabytes` is what the processes take of their own; `shared_gigabytes` are files of images that all of them
    map into memory, and that the system gives back where memory is short. Pictures and closed forms are not in the
    hours, which rest on the speed of the finished runs of the same kind for `by_records` of the runs, and for
    `by_timing` on steps timed in this process: on a CPU in seconds of a core's work, however busy the machine is just
    now. A process then has a core to itself, so that no more of them count than there are `cores` (None on a GPU).
    `trained_on`: what of its grid each dataset with another training distribution shows.
    """

    runs: int
    done: int
    fleets: int
    jobs: int
    hours: float
    encoding_hours: float
    disk_gigabytes: float
    memory_gigabytes: float
    shared_gigabytes: float
    trained_on: tuple[Shown, ...] = ()
    by_records: int = 0
    by_timing: int = 0
    cores: int | None = None


def trained_on(dataset: Component, data: Data) -> Shown | None:
    """What of its grid a dataset is trained on; None where that is all of it, alike."""
    if data.unseen is None and data.training_weights is None:
        return None
    seen, every = len(data.training_rows), len(data.evaluation_rows)
    if data.training_weights is None:
        return Shown(dataset, seen, every, None)
    chance = data.training_weights[data.training_weights > 0] / data.training_weights.sum()
    return Shown(dataset, seen, every, float(np.exp(-(chance * np.log(chance)).sum())))


@dataclass(frozen=True)
class _Costs:
    """What one step of a fleet takes, and the encoding of one member, in seconds; and the `parameters` of a member."""

    step: float
    encoding: float
    parameters: int


def estimate(
    fleets: list[Fleet],
    done: int,
    jobs: int,
    data_dir: Path | None,
    encoding: EncodingSettings | None = None,
    place: str = "cpu",
    parts: Collection[str] = tuple(ASKED),
    store: Store | None = None,
    cores: int | None = None,
) -> Estimate:
    """What fleets would take on the device `place`, by the finished runs of `store`, where it has some of the kind,
    else by a few steps and batches in this process; nothing is written.

    `parts`: those of `kept.ASKED` that are encoded. `cores`: those that processes may use, by default all.
    """
    encoding = encoding or EncodingSettings()
    records = RecordedSpeeds(store, place, kept(encoding, parts)) if store else None
    counts = {"by_records": 0, "by_timing": 0}
    known: dict[str, tuple[str, _Costs]] = {}
    training = encoded = disk = memory = 0.0
    shared: dict[str, float] = {}
    distributions: dict[str, Shown | None] = {}
    for fleet in fleets:
        run = fleet.runs[0]
        data = outlined_data(run.dataset, data_dir)
        network = run.network or run.model
        latents = int(network.settings.get("latents", 5))
        columns = 3 * latents + data.factors.shape[1] * 2
        disk += len(fleet.runs) * len(data.evaluation_rows) * columns * 4 / 1e9
        memory = max(memory, worker_gigabytes(fleet, data))
        # All training distributions of a grid map one file.
        images = {key: each for key, each in run.dataset.settings.items() if key not in ShiftSettings.model_fields}
        shared[f"{run.dataset.name} {images}"] = mapped_bytes(data) / 1e9
        distributions.setdefault(str(run.dataset), trained_on(run.dataset, data))
        if fleet.engine != "closed_form":
            key = digest({"static": static_part(run), "members": len(fleet.runs)})
            if key not in known:
                found = records.of(fleet) if records else None
                known[key] = (
                    ("by_records", _Costs(found.step, found.encoding, found.parameters))
                    if found
                    else ("by_timing", _time(fleet, data, encoding, place, parts))
                )
            by, costs = known[key]
            counts[by] += len(fleet.runs)
            training += costs.step * fleet.steps / 3600
            encoded += costs.encoding * len(fleet.runs) / 3600
            disk += len(fleet.runs) * kept_bytes(data, latents, costs.parameters) / 1e9
    processes = max(1, min(jobs, len(fleets)))
    cores = (cores or os.cpu_count() or 1) if place == "cpu" else None
    at_once = min(processes, cores or processes)
    return Estimate(
        runs=sum(len(fleet.runs) for fleet in fleets),
        done=done,
        fleets=len(fleets),
        jobs=jobs,
        hours=(training + encoded) / at_once,
        encoding_hours=encoded / at_once,
        disk_gigabytes=disk,
        memory_gigabytes=processes * memory,
        shared_gigabytes=sum(shared.values()),
        trained_on=tuple(shown for shown in distributions.values() if shown),
        cores=cores,
        **counts,
    )


def kept_bytes(data: Data, latents: int, parameters: int) -> int:
    """What a network's run keeps besides its codes: weights, the explorer's bytes of a decoder, Jacobians' singular
    vectors of the decoder and of its logits, and the images that its pictures are drawn from."""
    from benchmark.stages.encode import JACOBIANS

    numbers = int(np.prod(data.shape))
    points = min(len(data.evaluation_rows), JACOBIANS)
    return 5 * parameters + 2 * 8 * points * latents * (latents + 1) + KEPT_IMAGES * numbers


def worker_gigabytes(fleet: Fleet, data: Data) -> float:
    """The most memory of its own that a worker is expected to take: libraries, data, codes, layers and draws."""
    run = fleet.runs[0]
    settings = (run.network or run.model).settings
    latents = int(settings.get("latents", 5))
    codes = 2 * 3 * len(data.evaluation_rows) * latents * 4
    numbers = 1
    for length in data.shape:
        numbers *= length
    batch = run.training.settings["batch"] if run.training else 0
    draws = len(fleet.runs) * BLOCK * batch * (8 + 4 * latents * int(run.model.settings.get("samples", 1)))
    return PROCESS_GIGABYTES + (own_bytes(data) + codes + numbers * LAYER_BYTES * 1024 + draws) / 1e9


def _time(fleet: Fleet, data: Data, encoding: EncodingSettings, place: str, parts: Collection[str]) -> _Costs:
    from benchmark.training import device, process
    from benchmark.training.loop import build, check_fit, check_precision, make_draws, make_engine, make_feed

    process.set_up()
    device.set_up(place)
    check_fit(fleet.runs[0], data)
    check_precision(fleet.runs[0], data)
    trainings = [settings_of(run.training, TrainingSettings) for run in fleet.runs if run.training]
    members = [build(run, data) for run in fleet.runs]
    clock = _clock(place)
    encoded = _encoding_seconds(members[0], data, encoding, parts)
    parameters = sum(each.numel() for each in members[0].parameters())
    if not members[0].trained:
        return _Costs(0.0, encoded, parameters)
    engine = make_engine(fleet.engine, members, trainings, place)
    draws = make_draws(fleet.runs, members[0], data, trainings[0].batch)
    feed = make_feed(engine, draws, data)
    # The first five steps or so also make room in memory, which took up to seven times as long as a step.
    quickest = math.inf
    for step in range(TIMED_STEPS):
        start = clock()
        x, x2, noise, labels = feed.at(step % BLOCK)
        engine.step(x, x2, noise, step, labels)
        device.wait(place)
        quickest = min(quickest, clock() - start)
    return _Costs(quickest, encoded, parameters)


def _clock(place: str) -> Callable[[], float]:
    """Seconds of this process's work on a CPU: those by the clock grow with whatever else runs here just now."""
    return time.process_time if place == "cpu" else time.perf_counter


def _encoding_seconds(
    model: NeuralModel, data: Data, encoding: EncodingSettings, parts: Collection[str] = tuple(ASKED)
) -> float:
    """What encoding every point takes, and decoding the codes whose losses, weights and Jacobians are kept."""
    import torch

    from benchmark.stages.encode import JACOBIANS, RECONSTRUCTIONS
    from benchmark.stages.points import images

    n = len(data.evaluation_rows)
    x = torch.from_numpy(images(data, data.evaluation_rows[:TIMED_POINTS]))
    with torch.no_grad():
        seconds = _seconds(model.posterior, x) * n / len(x)
        if model.decodes:
            z = torch.zeros(len(x), model.latents)
            decoded = {
                "log_weights": min(n, encoding.likelihood_points) * encoding.likelihood_samples,
                "reconstruction": 2 * min(n, RECONSTRUCTIONS),
                # A Jacobian's columns are derived one by one, each at about twice a decoding's cost.
                "jacobian": 2 * model.latents * min(n, JACOBIANS),
            }
            seconds += _seconds(model.decode, z) * sum(decoded[part] for part in parts) / len(z)
    return seconds


def _seconds(function: Callable[[Any], Any], argument: Any) -> float:
    """Of work, on the CPU, in the second of two calls: the first one also makes room."""
    clock = _clock("cpu")
    function(argument)
    start = clock()
    function(argument)
    return clock() - start

"""The training loop of one fleet: step, log, checkpoint, and stop at a signal without losing anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmark import registry
from benchmark.datasets._dataset import Data
from benchmark.datasets._pairs import Pairs
from benchmark.errors import BenchmarkError, UsageError
from benchmark.integrity.sealed import render, sealed
from benchmark.models._neural import NeuralModel
from benchmark.seeds import stream
from benchmark.spec import Run, TrainingSettings
from benchmark.suite import settings_of
from benchmark.training import checkpoint
from benchmark.training.checkpoint import Progress
from benchmark.training.device import described
from benchmark.training.draws import Draws
from benchmark.training.engine import Engine, seeded
from benchmark.training.feed import Feed, ResidentFeed, points
from benchmark.training.fleet import EngineName, Fleet
from benchmark.training.graphed import GraphedEngine
from benchmark.training.history import PROBE, History, log_interval
from benchmark.training.narrow import narrowed
from benchmark.training.placed import PlacedEngine
from benchmark.training.single import SingleEngine
from benchmark.training.stacked import StackedEngine

ENGINES: dict[str, type[Engine]] = {"single": SingleEngine, "stacked": StackedEngine, "graphed": GraphedEngine}

LOOKED_AT = 1_000
"""Training points, or up to twice as many, that say whether a model suits its data."""


class Interrupted(Exception):
    """Training was asked to stop; a checkpoint holds everything up to now."""


def build(run: Run, data: Data) -> NeuralModel:
    """A run's model with its initial weights, drawn from the run's own stream."""
    assert run.network is not None
    network_class = registry.load("network", run.network.name)
    model_class = registry.load("model", run.model.name)
    network = network_class(settings_of(run.network, network_class.Settings), data.shape)
    settings = settings_of(run.model, model_class.Settings)
    with seeded(run.run_id, "weights"):
        model: NeuralModel = model_class(settings, network, len(data.training_rows))
    return model


def check_precision(run: Run, data: Data) -> None:
    """Raise `UsageError` where a run asks for narrow products that its model cannot have."""
    assert run.training is not None
    if settings_of(run.training, TrainingSettings).precision == "float32":
        return
    model = build(run, data)
    try:
        if not model.narrows:
            raise NotImplementedError("it takes differences that so few bits would drown")
        narrowed(model)
    except NotImplementedError as error:
        raise UsageError(
            f'training.precision = "bfloat16" does not suit model {run.model.name}: {error}; use "float32"'
        ) from None


def check_fit(run: Run, data: Data) -> None:
    """Raise `UsageError` where a run's network or model does not suit its data, or each other."""
    assert run.training is not None
    model, rows = build(run, data), data.training_rows
    pairs_of(run, model, data)
    sample = points(data.images, rows[:: max(1, len(rows) // LOOKED_AT)], data.maximum)
    with suiting(run):
        model.check_fit(sample, settings_of(run.training, TrainingSettings).batch)


@contextmanager
def suiting(run: Run) -> Iterator[None]:
    """Say of a `UsageError` inside the block which model does not suit which dataset."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"model {run.model.name} does not suit dataset {run.dataset.name}: {error}") from None


def pairs_of(run: Run, model: NeuralModel, data: Data) -> Pairs | None:
    """Where a paired model's pairs come from. Raises `UsageError` where the data has none."""
    if not model.paired:
        return None
    with suiting(run):
        return Pairs(data, model.changed_factors)


def make_draws(runs: Sequence[Run], model: NeuralModel, data: Data, batch: int) -> Draws:
    """What the members of a fleet draw. Raises `UsageError` where the data has no pairs and the model takes them."""
    names, pairs = [run.run_id for run in runs], pairs_of(runs[0], model, data)
    return Draws(names, model, data.training_rows, batch, pairs, data.training_weights)


def make_engine(name: EngineName, members: list[NeuralModel], trainings: list[TrainingSettings], place: str) -> Engine:
    """The engine of a fleet on the device `place`. A fleet that was planned for another device goes on on this one."""
    if place != "cpu":
        return (PlacedEngine if name == "single" else GraphedEngine)(members, trainings, place)
    return ENGINES[name](members, trainings)  # type: ignore[call-arg]


def make_feed(engine: Engine, draws: Draws, data: Data) -> Feed | ResidentFeed:
    """What feeds an engine: from the memory of its device where it has data there."""
    labelled = engine.members[0].labelled
    if engine.resident:
        return ResidentFeed(draws, data, engine.device, labelled=labelled)
    return Feed(draws, data, labelled=labelled)


def train(
    fleet: Fleet,
    data: Data,
    folder: Path,
    checkpoint_seconds: float,
    stopping: Callable[[], bool],
    place: str = "cpu",
    say: Callable[[str], None] = lambda _: None,
) -> tuple[Engine, Progress]:
    """Train a fleet on the device `place` to its last step, from its checkpoint where there is one.

    A checkpoint that is not what it was is set aside and said by `say`; the fleet begins again. Raises `Interrupted`
    when told to stop.
    """
    trainings = [settings_of(run.training, TrainingSettings) for run in fleet.runs if run.training]
    members = [build(run, data) for run in fleet.runs]
    engine = make_engine(fleet.engine, members, trainings, place)
    path = folder / "checkpoint.safetensors"
    progress = Progress(0, 0.0, History(len(members)), [])
    if path.exists():
        try:
            progress = checkpoint.restore(path, engine)
            progress.resumed.append(progress.step)
        except BenchmarkError as error:
            path.unlink()
            say(f"{error}; training begins again at step 0")
    step, before, history, resumed, devices = progress
    steps = trainings[0].steps if members[0].trained else 0
    device = described(place)
    if device not in devices and (step < steps or not devices):
        devices = (*devices, device)
    interval = log_interval(steps)
    probe_rows = stream(fleet.runs[0].dataset.name, "probe").choice(
        data.training_rows, min(PROBE, len(data.training_rows)), replace=False
    )
    probe = points(data.images, probe_rows, data.maximum)
    draws = make_draws(fleet.runs, members[0], data, trainings[0].batch)
    feed = make_feed(engine, draws, data)
    start = saved = reported = time.monotonic()
    while step < steps and len(history.diverged) < len(members):
        x, x2, noise, labels = feed.at(step)
        history.add(step, engine.step(x, x2, noise, step, labels))
        step += 1
        if step % interval and step < steps:
            # Only whole rows enter a checkpoint, so that a resumed history has the same rows.
            continue
        history.close(step, engine.posterior(probe))
        now = time.monotonic()
        progress = Progress(step, before + now - start, history, resumed, devices)
        stop = stopping()
        if now - saved > checkpoint_seconds or stop or step == steps:
            checkpoint.save(path, engine, progress)
            saved = now
        if stop and step < steps:
            raise Interrupted
        if now - reported > 0.5 or step == steps:
            report(folder, step, steps, resumed)
            reported = now
    # The last update comes after the last loss: what it broke shows in the weights alone.
    for index in range(len(members)):
        if not all(parameter.isfinite().all() for parameter in engine.member(index).parameters()):
            history.diverged.setdefault(index, step)
    return engine, Progress(step, before + time.monotonic() - start, history, resumed, devices)


def report(folder: Path, step: int, steps: int, resumed: list[int]) -> None:
    """Tell whoever watches the fleet's folder how far it is; never read by a rerun."""
    scratch = folder / ".progress.json"
    scratch.write_text(render(sealed({"step": step, "steps": steps, "resumed": resumed})))
    scratch.replace(folder / "progress.json")

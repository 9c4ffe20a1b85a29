"""The training loop of one fleet: step, log, checkpoint, and stop at a signal without losing anything."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Integer
from numpy import ndarray
from torch import Tensor

from benchmark import registry
from benchmark.datasets._dataset import Data, Images
from benchmark.errors import ModelError
from benchmark.models._neural import NeuralModel
from benchmark.seeds import stream
from benchmark.spec import Run, TrainingSettings
from benchmark.suite import settings_of
from benchmark.training import checkpoint
from benchmark.training.checkpoint import Progress
from benchmark.training.draws import Draws
from benchmark.training.engine import Engine, seeded
from benchmark.training.fleet import Fleet
from benchmark.training.history import PROBE, History, log_interval
from benchmark.training.single import SingleEngine
from benchmark.training.stacked import StackedEngine

ENGINES: dict[str, type[Engine]] = {"single": SingleEngine, "stacked": StackedEngine}


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


def points(images: Images, rows: np.ndarray, maximum: int) -> Tensor:
    """Data points as float32 (…, *shape): pixels scaled to [0, 1], points as they are."""
    values = torch.from_numpy(images[rows.ravel()]).float()
    if maximum != 1:
        values /= maximum
    return values.reshape(*rows.shape, *values.shape[1:])


def classes(data: Data) -> Integer[ndarray, " N"]:
    """The class of every point, for models that see labels: its value of the first discrete factor that varies.

    Raises `ModelError` where there is none.
    """
    for column, size in zip(data.factors.T, data.factor_sizes, strict=True):
        if size > 1 and column.min() != column.max():
            return column.astype(np.int64)
    raise ModelError("a model that sees labels needs data with a discrete factor; this dataset knows none that varies")


def train(
    fleet: Fleet, data: Data, folder: Path, checkpoint_seconds: float, stopping: Callable[[], bool]
) -> tuple[Engine, Progress]:
    """Train a fleet to its last step, from its checkpoint where there is one. Raises `Interrupted` when told to."""
    trainings = [settings_of(run.training, TrainingSettings) for run in fleet.runs if run.training]
    members = [build(run, data) for run in fleet.runs]
    engine = ENGINES[fleet.engine](members, trainings)  # type: ignore[call-arg]
    path = folder / "checkpoint.safetensors"
    progress = Progress(0, 0.0, History(len(members)), [])
    if path.exists():
        progress = checkpoint.restore(path, engine)
        progress.resumed.append(progress.step)
    step, before, history, resumed = progress
    steps = trainings[0].steps if members[0].trained else 0
    interval = log_interval(steps)
    probe_rows = stream(fleet.runs[0].dataset.name, "probe").choice(
        data.training_rows, min(PROBE, len(data.training_rows)), replace=False
    )
    probe = points(data.images, probe_rows, data.maximum)
    draws = Draws([run.run_id for run in fleet.runs], members[0], data.training_rows, trainings[0].batch)
    labels = classes(data) if members[0].labelled else None
    start = saved = reported = time.monotonic()
    while step < steps and len(history.diverged) < len(members):
        rows, noise = draws.at(step)
        batches = points(data.images, rows, data.maximum)
        second = batches[:, 1] if draws.batches == 2 else None
        seen = None if labels is None else torch.from_numpy(labels[rows[:, 0]])
        history.add(step, engine.step(batches[:, 0], second, noise, step, seen))
        step += 1
        if step % interval and step < steps:
            # Only whole rows enter a checkpoint, so that a resumed history has the same rows.
            continue
        history.close(step, engine.posterior(probe))
        now = time.monotonic()
        progress = Progress(step, before + now - start, history, resumed)
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
    return engine, Progress(step, before + time.monotonic() - start, history, resumed)


def report(folder: Path, step: int, steps: int, resumed: list[int]) -> None:
    """Tell whoever watches the fleet's folder how far it is; never read by a rerun."""
    scratch = folder / ".progress.json"
    scratch.write_text(json.dumps({"step": step, "steps": steps, "resumed": resumed}))
    scratch.replace(folder / "progress.json")

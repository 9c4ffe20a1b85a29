"""Small runs of models: tiny networks on few points, built and trained as a suite would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from benchmark import registry
from benchmark.datasets._dataset import Data
from benchmark.models._neural import NeuralModel
from benchmark.spec import Component, Run, Settings, TrainingSettings
from benchmark.suite import settings_of
from benchmark.training.engine import Engine
from benchmark.training.loop import ENGINES, build, make_draws, make_feed

TINY = ("mlp_tiny", {"hidden": 16, "latents": 2})
PLANE = ("synth_linear", {"points": 200})
GRID = ("dsprites", {"resolution": 32, "stride": [1, 3, 20, 8, 8]})
"""192 images of every combination of five factors, for models that are trained on pairs."""
CLASSES: tuple[str, dict[str, Any]] = ("digits", {})
"""Images of ten classes, for models that see labels."""
CRITIC = {"discriminator_layers": 2, "discriminator_width": 16}
SMALL: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("factor_vae", "aae", "regularised_vae"), CRITIC),
    "avb": {"width": 32, "noise": 4},
}
"""Settings that keep a model small."""


def component(kind: registry.Kind, name: str, settings: Settings) -> Component:
    return Component(name, registry.load(kind, name).version, settings.identity())


def data_for(model_class: type[NeuralModel]) -> tuple[str, Mapping[str, Any]]:
    """A small dataset that a model can be trained on, by name and settings."""
    if getattr(model_class, "paired", False):
        return GRID
    return CLASSES if getattr(model_class, "labelled", False) else PLANE


def small_run(
    model: str = "vae",
    settings: Mapping[str, Any] | None = None,
    *,
    training: Mapping[str, Any] | None = None,
    network: tuple[str, Mapping[str, Any]] = TINY,
    dataset: tuple[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
) -> Run:
    """A run of `model`; batches of 16 and a learning rate of 1e-3 unless `training` says otherwise."""
    model_class = registry.load("model", model)
    dataset = dataset or data_for(model_class)
    data_class = registry.load("dataset", dataset[0])
    data_settings = data_class.Settings.read(dataset[1], "dataset")
    model_settings = model_class.Settings.read({**SMALL.get(model, {}), **(settings or {})}, "model")
    network_settings = registry.load("network", network[0]).Settings.read(network[1], "network")
    options = {"steps": 50, "batch": 16, "learning_rate": 1e-3, **(training or {})}
    return Run(
        component("dataset", dataset[0], data_settings),
        component("model", model, model_class.resolve(model_settings, data_class(data_settings))),
        component("network", network[0], network_settings),
        Component("adam", TrainingSettings.VERSION, TrainingSettings.read(options, "training").identity()),
        seed,
    )


def load(run: Run) -> Data:
    """The data of a run."""
    dataset_class = registry.load("dataset", run.dataset.name)
    data: Data = dataset_class(settings_of(run.dataset, dataset_class.Settings)).load()
    return data


def engine_of(kind: str, runs: list[Run], data: Data) -> Engine:
    """An engine, "single" or "stacked", with the members that these runs begin with."""
    trainings = [settings_of(run.training, TrainingSettings) for run in runs if run.training]
    return ENGINES[kind]([build(run, data) for run in runs], trainings)  # type: ignore[call-arg]


def advance(engine: Engine, runs: list[Run], data: Data, start: int, stop: int) -> list[dict[str, Tensor]]:
    """Take steps start … stop − 1 as the training loop does; returns each step's terms."""
    assert runs[0].training
    draws = make_draws(runs, engine.members[0], data, runs[0].training.settings["batch"])
    feed = make_feed(engine, draws, data)
    terms = []
    for step in range(start, stop):
        x, x2, noise, labels = feed.at(step)
        terms.append(engine.step(x, x2, noise, step, labels))
    return terms


def weights(model: NeuralModel) -> Tensor:
    """All parameters as one vector, copied."""
    return torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()]).clone()


def trained(kind: str, runs: list[Run], steps: int = 50) -> list[Tensor]:
    """The weights of every run after so many steps, trained together."""
    data = load(runs[0])
    engine = engine_of(kind, runs, data)
    advance(engine, runs, data, 0, steps)
    return [weights(engine.member(index)) for index in range(len(runs))]

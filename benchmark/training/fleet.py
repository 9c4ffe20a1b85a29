"""Fleets: which runs train together in one process. The engine chooses them, never the user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from benchmark import registry
from benchmark.spec import Run, Settings, TrainingSettings, digest
from benchmark.suite import settings_of

LARGEST = 400
CACHED_WEIGHTS = 500_000
"""Stacked weights of more than this leave the cache, and more members gain nothing."""

EngineName = Literal["stacked", "single", "closed_form"]


@dataclass(frozen=True)
class Fleet:
    """Runs of equal architecture, data, static settings and steps, in a fixed order."""

    engine: EngineName
    runs: tuple[Run, ...]

    @property
    def fleet_id(self) -> str:
        return digest({"engine": self.engine, "runs": [run.run_id for run in self.runs]})

    @property
    def steps(self) -> int:
        training = self.runs[0].training
        return training.settings["steps"] if training else 0

    def to_json(self) -> dict[str, Any]:
        return {"engine": self.engine, "runs": [run.to_json() for run in self.runs]}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Fleet:
        return cls(value["engine"], tuple(Run.from_json(run) for run in value["runs"]))


def plan_fleets(runs: list[Run]) -> list[Fleet]:
    """Group runs into fleets, by what they are alone: neither the number of processes nor the machine enters."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(digest(static_part(run)), []).append(run)
    fleets = []
    for group in groups.values():
        size = fleet_size(group[0])
        # Equal learning rates side by side share an optimiser group.
        group.sort(key=lambda run: str(run.training and run.training.settings["learning_rate"]))
        for start in range(0, len(group), size):
            members = tuple(group[start : start + size])
            engine: EngineName = "closed_form" if members[0].network is None else "stacked" if size > 1 else "single"
            fleets.append(Fleet(engine, members))
    return fleets


def static_part(run: Run) -> dict[str, Any]:
    """What the members of a fleet share: everything but the stackable settings and the seed."""
    if run.network is None:
        return {"run": run.run_id}
    model: type[Settings] = registry.load("model", run.model.name).Settings
    config = run.config
    for part, settings in (("model", model), ("training", TrainingSettings)):
        stackable = settings.stackable_names()
        config[part]["settings"] = {k: v for k, v in config[part]["settings"].items() if k not in stackable}
    return config


def fleet_size(run: Run) -> int:
    """How many runs like this one train in one fleet."""
    if run.network is None:
        return 1
    network = registry.load("network", run.network.name)
    model = registry.load("model", run.model.name)
    weights = network.weights(settings_of(run.network, network.Settings))
    if weights is None or not model.stacks:
        return 1
    weights += model.extra_weights(settings_of(run.model, model.Settings))
    return max(1, min(LARGEST, CACHED_WEIGHTS // max(weights, 1)))

"""Fleets: which runs train together in one process. The engine chooses them, never the user."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from benchmark import registry
from benchmark.errors import BenchmarkError, UsageError
from benchmark.integrity.sealed import check_format, read_json
from benchmark.registry import Kind
from benchmark.spec import Component, Run, Settings, TrainingSettings, digest
from benchmark.suite import settings_of
from benchmark.training.device import Device

LARGEST = 400
CACHED_WEIGHTS = 500_000
"""Stacked weights of more than this leave the cache, and more members gain nothing."""

LARGEST_CONVOLUTIONAL = 32
"""Members of a fleet of convolutions on a GPU: what one of them leaves idle is filled by then."""
GPU_MEMORY = 10e9
"""Bytes that a fleet takes on a GPU at most, beside the data. The same on every GPU, so that plans are."""
CONVOLUTIONAL_WEIGHTS = 600_000
ACTIVATIONS = {"convolutional": 700_000, "linear": 50_000}
"""Numbers that a step keeps for each data point that is decoded, at the largest images."""

EngineName = Literal["stacked", "single", "graphed", "closed_form"]


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
    def from_json(cls, value: Any, where: str = "fleet") -> Fleet:
        """Read what `to_json` writes. Raises `UsageError` on anything else."""
        known: dict[Any, EngineName] = {name: name for name in get_args(EngineName)}
        engine, runs = (known.get(value.get("engine")), value.get("runs")) if isinstance(value, dict) else (None, None)
        if engine is None or not isinstance(runs, list) or not runs:
            raise UsageError(f"{where} is no fleet: it has an engine and runs")
        return cls(engine, tuple(Run.from_json(run, f"{where}.runs[{index}]") for index, run in enumerate(runs)))


def read_fleet(path: Path) -> tuple[Fleet, str]:
    """A fleet that was written down, and the command that asked for it. Raises `BenchmarkError` on a damaged one."""
    mend = f"delete {path.parent}: its runs are trained from the start"
    record = read_json(path, mend)
    check_format(record, path)
    fleet = Fleet.from_json(record.get("fleet"), f"{path}: fleet")
    if fleet.fleet_id != path.parent.name:
        raise BenchmarkError(f"{path} is another fleet's: it describes {fleet.fleet_id}; {mend}")
    return fleet, str(record.get("command", ""))


def plan_fleets(runs: list[Run], device: Device = "cpu") -> list[Fleet]:
    """Group runs into fleets for a kind of device, by what they are alone: neither the number of processes nor the
    machine enters.

    Raises `UsageError` where no engine can train a run as its settings say.
    """
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(digest(static_part(run)), []).append(run)
    fleets: list[Fleet] = []
    for group in groups.values():
        engine, size = engine_name(group[0], device), fleet_size(group[0], device)
        # Equal learning rates and decays side by side share an optimiser group.
        group.sort(key=rate_and_decay)
        fleets += [Fleet(engine, tuple(group[start : start + size])) for start in range(0, len(group), size)]
    return fleets


def engine_name(run: Run, device: Device = "cpu") -> EngineName:
    """Which engine trains runs like this one on a kind of device."""
    if run.network is None or run.training is None:
        return "closed_form"
    alone = not_stacked(run)
    if alone and settings_of(run.training, TrainingSettings).precision != "float32":
        raise UsageError(f'{alone} does not stack, and trains in training.precision = "float32" only')
    if device == "cpu":
        return "stacked" if fleet_size(run) > 1 else "single"
    return "single" if alone else "graphed"


def not_stacked(run: Run) -> str | None:
    """Which part of a run, its model or its network, says that it does not stack."""
    parts: list[tuple[Kind, Component | None]] = [("model", run.model), ("network", run.network)]
    named = ((kind, part.name) for kind, part in parts if part is not None)
    return next((f"{kind} {name}" for kind, name in named if not registry.load(kind, name).stacks), None)


def rate_and_decay(run: Run) -> tuple[str, str]:
    """What runs of a fleet are sorted by."""
    settings = run.training.settings if run.training else {}
    return str(settings.get("learning_rate")), str(settings.get("weight_decay", 0))


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


def fleet_size(run: Run, device: Device = "cpu") -> int:
    """How many runs like this one train in one fleet."""
    if run.network is None or run.training is None:
        return 1
    network = registry.load("network", run.network.name)
    model = registry.load("model", run.model.name)
    weights = network.weights(settings_of(run.network, network.Settings))
    if not_stacked(run):
        return 1
    settings = settings_of(run.model, model.Settings)
    extra = model.extra_weights(settings)
    if device == "cpu":
        return 1 if weights is None else max(1, min(LARGEST, CACHED_WEIGHTS // max(weights + extra, 1)))
    kind, largest = ("convolutional", LARGEST_CONVOLUTIONAL) if weights is None else ("linear", LARGEST)
    # In single precision: a weight, its gradient and Adam's two moments, and what each point decoded leaves behind.
    stored = 4 * ((CONVOLUTIONAL_WEIGHTS if weights is None else weights) + extra)
    decoded = run.training.settings["batch"] * model.decoded(settings)
    return max(1, min(largest, int(GPU_MEMORY / (4 * (stored + decoded * ACTIVATIONS[kind])))))
